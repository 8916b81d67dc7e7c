//! What is changed of a profile, and how that stands.

use serde_json::Value;

use crate::plain::{Object, array, flag, quoted, text};
use crate::server::profile::{Flag, Profile};

/// One thing that is put onto a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Name(String),
    Note(String),
    /// The whole table; a server sets all of its lines at once.
    Fields(Vec<(String, String)>),
    Flag(Flag, bool),
    /// `avatar` or `header`. Without an address it is taken away.
    Picture {
        which: Which,
        url: Option<String>,
        words: Option<String>,
    },
    Tag {
        name: String,
        on: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Avatar,
    Header,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    Open,
    /// Open, and perhaps sent already: noted before it goes out, so that what is there then is known to be ours.
    Trying,
    /// Taken by the server, and not read back yet.
    Sent,
    /// Read back, and as it was wanted.
    Done,
    /// Read back, and otherwise.
    Differs,
    /// The server refused it, with its own words where it has any.
    Refused(String),
    /// Its picture could not be fetched, and why: [`Missing`](crate::message::record::Missing).
    Missing(String),
    /// To be put back, but somebody has changed it since: it is left as it is.
    Kept,
}

impl Which {
    pub fn id(self) -> &'static str {
        match self {
            Which::Avatar => "avatar",
            Which::Header => "header",
        }
    }

    pub fn of(self, profile: &Profile) -> &crate::server::profile::Picture {
        match self {
            Which::Avatar => &profile.avatar,
            Which::Header => &profile.header,
        }
    }
}

impl Stand {
    pub fn id(&self) -> &'static str {
        match self {
            Stand::Open => "open",
            Stand::Trying => "trying",
            Stand::Sent => "sent",
            Stand::Done => "done",
            Stand::Differs => "differs",
            Stand::Refused(_) => "refused",
            Stand::Missing(_) => "missing",
            Stand::Kept => "kept",
        }
    }

    fn words(&self) -> &str {
        match self {
            Stand::Refused(words) | Stand::Missing(words) => words,
            _ => "",
        }
    }

    fn of_id(id: &str, words: &str) -> Stand {
        match id {
            "trying" => Stand::Trying,
            "sent" => Stand::Sent,
            "done" => Stand::Done,
            "differs" => Stand::Differs,
            "refused" => Stand::Refused(words.to_owned()),
            "missing" => Stand::Missing(words.to_owned()),
            "kept" => Stand::Kept,
            _ => Stand::Open,
        }
    }

    pub fn is_open(&self) -> bool {
        matches!(self, Stand::Open | Stand::Trying)
    }

    /// It may be on the profile: there is something to put back.
    pub fn is_there(&self) -> bool {
        matches!(self, Stand::Sent | Stand::Done | Stand::Differs)
    }
}

fn same_text(one: &str, other: &str) -> bool {
    // Servers take blanks off both ends.
    one.trim() == other.trim()
}

impl What {
    /// What it is about: two changes with the same id are about the same thing.
    pub fn id(&self) -> String {
        match self {
            What::Name(_) => "name".into(),
            What::Note(_) => "note".into(),
            What::Fields(_) => "fields".into(),
            What::Flag(flag, _) => flag.field().into(),
            What::Picture { which, .. } => which.id().into(),
            What::Tag { name, .. } => format!("tag-{}", name.to_lowercase()),
        }
    }

    /// Sent with others in one form.
    pub fn is_text(&self) -> bool {
        !matches!(self, What::Picture { .. } | What::Tag { .. })
    }

    /// Its part of the form.
    pub fn form(&self, form: &mut Vec<(String, String)>) {
        let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
        match self {
            What::Name(name) => put("display_name", name),
            What::Note(note) => put("note", note),
            What::Flag(flag, on) => put(flag.field(), if *on { "true" } else { "false" }),
            What::Fields(fields) => {
                let none = [(String::new(), String::new())];
                // An empty line is what clears the table.
                let fields = if fields.is_empty() { &none[..] } else { fields };
                for (at, (name, value)) in fields.iter().enumerate() {
                    put(&format!("fields_attributes[{at}][name]"), name);
                    put(&format!("fields_attributes[{at}][value]"), value);
                }
            }
            What::Picture { .. } | What::Tag { .. } => {}
        }
    }

    /// Whether a profile has it so. Of a picture only whether there is one: servers make a file of their own of it.
    pub fn is_on(&self, profile: &Profile) -> bool {
        match self {
            What::Name(name) => same_text(name, &profile.name),
            What::Note(note) => same_text(note, &profile.note),
            What::Fields(fields) => {
                fields.len() == profile.fields.len()
                    && fields.iter().zip(&profile.fields).all(|((name, value), own)| {
                        same_text(name, &own.name) && same_text(value, &own.value)
                    })
            }
            What::Flag(flag, on) => profile.flag(*flag).is_some_and(|own| own.unwrap_or(false) == *on),
            What::Picture { which, url, words } => {
                let own = which.of(profile);
                own.url.is_some() == url.is_some()
                    && match (words, &own.words) {
                        (Some(words), Some(own)) if url.is_some() => same_text(words, own),
                        _ => true,
                    }
            }
            What::Tag { .. } => false,
        }
    }

    /// The same thing as a profile has it.
    pub fn as_on(&self, profile: &Profile) -> What {
        match self {
            What::Name(_) => What::Name(profile.name.clone()),
            What::Note(_) => What::Note(profile.note.clone()),
            What::Fields(_) => What::Fields(
                profile.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect(),
            ),
            What::Flag(flag, _) => What::Flag(*flag, profile.flag(*flag).flatten().unwrap_or(false)),
            What::Picture { which, .. } => {
                let own = which.of(profile);
                What::Picture { which: *which, url: own.url.clone(), words: own.words.clone() }
            }
            What::Tag { name, on } => What::Tag { name: name.clone(), on: !on },
        }
    }

    /// `url`: where the server keeps the picture that was put there.
    pub(super) fn write(&self, stand: &Stand, url: Option<&str>) -> String {
        let mut object = Object::new();
        object.text("stand", stand.id()).text("words", stand.words()).maybe("there", url);
        match self {
            What::Name(value) => object.text("what", "name").text("text", value),
            What::Note(value) => object.text("what", "note").text("text", value),
            What::Fields(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("[{},{}]", quoted(name), quoted(value)))
                    .collect();
                object.text("what", "fields").list("fields", &fields)
            }
            What::Flag(which, on) => object.text("what", which.field()).flag("on", *on),
            What::Picture { which, url, words } => {
                object.text("what", which.id()).maybe("url", url.as_deref()).maybe("alt", words.as_deref())
            }
            What::Tag { name, on } => object.text("what", "tag").text("text", name).flag("on", *on),
        };
        object.end()
    }

    pub(super) fn read(value: &Value) -> Option<(What, Stand, Option<String>)> {
        let words = |key| text(value, key).map(str::to_owned);
        let picture = |which| What::Picture { which, url: words("url"), words: words("alt") };
        let what = match text(value, "what")? {
            "name" => What::Name(words("text")?),
            "note" => What::Note(words("text")?),
            "fields" => What::Fields(
                array(value, "fields")
                    .iter()
                    .filter_map(|pair| {
                        Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned()))
                    })
                    .collect(),
            ),
            "avatar" => picture(Which::Avatar),
            "header" => picture(Which::Header),
            "tag" => What::Tag { name: words("text")?, on: flag(value, "on") },
            other => What::Flag(*Flag::ALL.iter().find(|flag| flag.field() == other)?, flag(value, "on")),
        };
        let stand = Stand::of_id(text(value, "stand")?, text(value, "words").unwrap_or_default());
        Some((what, stand, words("there")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain;

    #[test]
    fn changes_come_back_as_they_were_written() {
        let picture = |url: Option<&str>| What::Picture {
            which: Which::Header,
            url: url.map(str::to_owned),
            words: Some("hills, \"green\"".into()),
        };
        let all = [
            What::Name("Ana \"A\"\n".into()),
            What::Note(String::new()),
            What::Fields(vec![("web".into(), "https://a.example".into()), (String::new(), "b".into())]),
            What::Fields(Vec::new()),
            What::Flag(Flag::HideCollections, true),
            picture(None),
            picture(Some("https://old.example/a.png")),
            What::Tag { name: "caf\u{e9}".into(), on: false },
        ];
        for what in all {
            for stand in [Stand::Open, Stand::Refused("no \"way\"".into()), Stand::Missing("gone".into())] {
                for there in [None, Some("https://new.example/b.png")] {
                    let written = plain::json(&what.write(&stand, there)).unwrap();
                    let read = What::read(&written).unwrap();
                    assert_eq!(read, (what.clone(), stand.clone(), there.map(str::to_owned)));
                }
            }
        }
        for odd in
            ["{}", "{\"what\":\"password\",\"stand\":\"open\"}", "{\"what\":\"name\",\"stand\":\"open\"}"]
        {
            assert_eq!(What::read(&plain::json(odd).unwrap()), None, "{odd}");
        }
    }

    #[test]
    fn an_empty_table_is_cleared_and_a_full_one_is_numbered() {
        let form = |fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            let mut form = Vec::new();
            What::Fields(fields).form(&mut form);
            form.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(form(&[]), ["fields_attributes[0][name]=", "fields_attributes[0][value]="]);
        assert_eq!(
            form(&[("a", "b"), ("c", "d")])[2..],
            ["fields_attributes[1][name]=c", "fields_attributes[1][value]=d"]
        );
    }
}
