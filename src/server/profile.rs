//! One's own profile as `verify_credentials` tells it, with the texts as they were typed; what a server lets a profile be;
//! and which custom emoji it has. Reading is total, as in [`entity`](super::entity).

use serde_json::Value;

use super::entity::id;
use super::length;
use super::version::Version;
use crate::account::{Domain, Handle};
use crate::plain::{array, count, text};

/// A line of the table on a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: String,
    /// A link back was found there.
    pub verified: bool,
}

/// Avatar or header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// `None`: the server shows the one that it shows for everybody without one.
    pub url: Option<String>,
    /// Said for those who do not see it; `None` where the server has no such thing (before 4.6).
    pub words: Option<String>,
}

/// What is either on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Bot,
    Discoverable,
    Indexable,
    HideCollections,
}

impl Flag {
    pub const ALL: [Flag; 4] = [Flag::Bot, Flag::Discoverable, Flag::Indexable, Flag::HideCollections];

    /// Its name in the API.
    pub fn field(self) -> &'static str {
        match self {
            Flag::Bot => "bot",
            Flag::Discoverable => "discoverable",
            Flag::Indexable => "indexable",
            Flag::HideCollections => "hide_collections",
        }
    }
}

/// What of a profile is filled in. Enough to warn; the texts are nobody's business before the person asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub name: bool,
    pub note: bool,
    pub fields: u64,
    pub avatar: bool,
    pub header: bool,
}

/// The same of `verify_credentials`.
pub fn shown(value: &Value) -> Option<Shown> {
    let source = value.get("source").filter(|source| source.is_object())?;
    let said = |value: &Value, key: &str| text(value, key).map(|text| !text.trim().is_empty());
    Some(Shown {
        name: said(value, "display_name")?,
        note: said(source, "note")?,
        fields: array(source, "fields").len() as u64,
        avatar: picture(value, "avatar").url.is_some(),
        header: picture(value, "header").url.is_some(),
    })
}

/// One's own account, for oneself.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub id: String,
    pub handle: Handle,
    pub url: Option<String>,
    pub name: String,
    pub note: String,
    pub fields: Vec<Field>,
    pub avatar: Picture,
    pub header: Picture,
    /// Those that this server tells, with what it tells; nothing has been chosen where that is `None`.
    pub flags: Vec<(Flag, Option<bool>)>,
    pub locked: Option<bool>,
    /// The server stops counting at 40 (facts 7).
    pub follow_requests: Option<u64>,
    /// Custom emoji in it that this server knows.
    pub emojis: Vec<String>,
}

impl Profile {
    /// `None` where it is not one's own: without `source` the texts are not as they were typed.
    pub fn read(value: &Value, local: &Domain) -> Option<Profile> {
        let source = value.get("source").filter(|source| source.is_object())?;
        let words = |value: &Value, key: &str| text(value, key).unwrap_or_default().to_owned();
        let field = |item: &Value| Field {
            name: words(item, "name"),
            value: words(item, "value"),
            verified: item.get("verified_at").is_some_and(Value::is_string),
        };
        let told = |flag: &Flag| {
            let told = source.get(flag.field()).or_else(|| value.get(flag.field()))?;
            (told.is_null() || told.is_boolean()).then(|| (*flag, told.as_bool()))
        };
        Some(Profile {
            id: id(value.get("id")?)?,
            handle: Handle::from_acct(text(value, "acct").or_else(|| text(value, "username"))?, local)?,
            url: text(value, "url").map(str::to_owned),
            name: words(value, "display_name"),
            note: plain_lines(&words(source, "note")),
            fields: array(source, "fields").iter().map(field).collect(),
            avatar: picture(value, "avatar"),
            header: picture(value, "header"),
            flags: Flag::ALL.iter().filter_map(told).collect(),
            locked: value.get("locked").and_then(Value::as_bool),
            follow_requests: count(source, "follow_requests_count"),
            emojis: array(value, "emojis")
                .iter()
                .filter_map(|emoji| text(emoji, "shortcode").map(str::to_owned))
                .collect(),
        })
    }

    pub fn flag(&self, flag: Flag) -> Option<Option<bool>> {
        self.flags.iter().find(|(own, _)| *own == flag).map(|(_, told)| *told)
    }
}

/// A form sends its lines ended otherwise than the API does.
fn plain_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// `/avatars/original/missing.png` stands for none (captures 4.6.5-api/profile).
fn picture(value: &Value, key: &str) -> Picture {
    let url = text(value, key).filter(|url| !url.is_empty() && !url.ends_with("/missing.png"));
    let words = text(value, &format!("{key}_description")).map(str::to_owned);
    Picture { url: url.map(str::to_owned), words }
}

/// How much of what a server takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub name: usize,
    pub note: usize,
    pub fields: usize,
    pub field_name: usize,
    pub field_value: usize,
    /// Of the words on avatar and header.
    pub words: usize,
    pub tags: usize,
    /// Of a post.
    pub status: usize,
    pub url: usize,
}

impl Limits {
    /// What Mastodon of that version has where nobody has changed it.
    pub fn of(version: Option<&Version>) -> Limits {
        Limits {
            name: version.map_or(30, Version::longest_name),
            note: 500,
            fields: 4,
            field_name: 255,
            field_value: 255,
            words: 150,
            tags: 10,
            status: 500,
            url: length::URL,
        }
    }

    /// What the server says of itself, in `/api/v1/instance` or `/api/v2/instance`; of profiles since 4.6 (facts 7).
    pub fn learn(&mut self, instance: &Value) {
        let Some(configuration) = instance.get("configuration") else { return };
        let of = |group: &str, key: &str| {
            let told = count(configuration.get(group)?, key)?;
            usize::try_from(told).ok().filter(|told| *told > 0)
        };
        for (limit, group, key) in [
            (&mut self.name, "accounts", "max_display_name_length"),
            (&mut self.note, "accounts", "max_note_length"),
            (&mut self.fields, "accounts", "max_profile_fields"),
            (&mut self.field_name, "accounts", "profile_field_name_limit"),
            (&mut self.field_value, "accounts", "profile_field_value_limit"),
            (&mut self.words, "accounts", "max_avatar_description_length"),
            (&mut self.tags, "accounts", "max_featured_tags"),
            (&mut self.status, "statuses", "max_characters"),
            (&mut self.url, "statuses", "characters_reserved_per_url"),
        ] {
            if let Some(told) = of(group, key) {
                *limit = told;
            }
        }
    }
}

/// The shortcodes of a server's own emoji, `/api/v1/custom_emojis`.
pub fn emojis(value: &Value) -> Option<Vec<String>> {
    let code = |emoji: &Value| text(emoji, "shortcode").map(str::to_owned);
    Some(value.as_array()?.iter().filter_map(code).collect())
}

/// A featured hashtag, with the number by which it is taken away again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub id: String,
    pub name: String,
}

/// `/api/v1/featured_tags`
pub fn tags(value: &Value) -> Option<Vec<Tag>> {
    let tag = |tag: &Value| Some(Tag { id: id(tag.get("id")?)?, name: text(tag, "name")?.to_owned() });
    Some(value.as_array()?.iter().filter_map(tag).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn local() -> Domain {
        "old.example".parse().unwrap()
    }

    #[test]
    fn reads_what_was_typed_and_forgives_odd_fields() {
        let profile = Profile::read(
            &json!({"id": "1", "acct": "ana", "display_name": "Ana :cat:", "note": "<p>hi</p>", "bot": false,
                "discoverable": null, "locked": true, "avatar": "https://old.example/avatars/original/missing.png",
                "header": "https://old.example/h.png", "header_description": "hills",
                "emojis": [{"shortcode": "cat"}, {"shortcode": 5}, null],
                "source": {"note": "hi\r\nthere", "fields": [{"name": "web", "value": "https://a.example",
                    "verified_at": "2026-11-21T00:00:00Z"}, {"name": 5}], "indexable": "yes", "follow_requests_count": 2}}),
            &local(),
        )
        .unwrap();
        assert_eq!((profile.name.as_str(), profile.note.as_str()), ("Ana :cat:", "hi\nthere"));
        let web = Field { name: "web".into(), value: "https://a.example".into(), verified: true };
        assert_eq!(profile.fields, [web, Field::default()]);
        assert_eq!(profile.avatar, Picture::default());
        assert_eq!(profile.header.words.as_deref(), Some("hills"));
        assert_eq!(profile.flags, [(Flag::Bot, Some(false)), (Flag::Discoverable, None)]);
        assert_eq!(profile.flag(Flag::Indexable), None);
        assert_eq!((profile.locked, profile.follow_requests), (Some(true), Some(2)));
        assert_eq!(profile.emojis, ["cat"]);
        for odd in [
            json!(null),
            json!({"id": "1", "acct": "ana"}),
            json!({"id": "1", "acct": "ana", "source": []}),
            json!({"source": {}, "acct": "ana"}),
        ] {
            assert_eq!(Profile::read(&odd, &local()), None, "{odd}");
        }
    }

    #[test]
    fn limits_are_the_versions_unless_the_server_says_otherwise() {
        let version = |text: &str| Version::parse(text);
        assert_eq!(Limits::of(version("4.5.3").as_ref()).name, 30);
        assert_eq!(Limits::of(version("4.6.5").as_ref()).name, 40);
        let mut limits = Limits::of(None);
        limits.learn(
            &json!({"configuration": {"accounts": {"max_display_name_length": 60, "max_note_length": 0,
            "max_profile_fields": "many"}, "statuses": {"max_characters": 5000}}}),
        );
        assert_eq!((limits.name, limits.note, limits.fields, limits.status), (60, 500, 4, 5000));
        limits.learn(&json!(["odd"]));
        assert_eq!(limits.name, 60);
    }

    #[test]
    fn reads_emoji_and_tags() {
        assert_eq!(emojis(&json!([{"shortcode": "cat"}, {}, 5])), Some(vec!["cat".to_owned()]));
        assert_eq!(emojis(&json!({"error": "no"})), None);
        let tag = Tag { id: "3".into(), name: "cats".into() };
        assert_eq!(tags(&json!([{"id": 3, "name": "cats"}, {"name": "lost"}])), Some(vec![tag]));
    }
}
