//! A status entity, as far as saving it looks into it. What is saved is the server's own text; this is a view of it, for
//! ordering, showing and writing. Reading is total: what does not fit is [`Unreadable`], and the text is kept all the same.

use serde_json::Value;

use super::entity::id;
use super::markup::Parser;
use crate::account::{Domain, Handle};
use crate::plain::{array, text};
use crate::small::ordered;
use crate::when::Time;

/// A status that can be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub id: String,
    /// The same on every server; `None` where a server leaves it out.
    pub uri: Option<String>,
    pub url: Option<String>,
    pub at: Time,
    pub edited: Option<Time>,
    pub author: Person,
    pub direct: bool,
    /// The status that this one answers, as far as its server knows it.
    pub parent: Option<String>,
    /// Stays when the parent is deleted: the only trace of the cut (facts 13.1, 4).
    pub parent_author: Option<String>,
    /// Who is mentioned: of a direct message, its readers.
    pub mentions: Vec<Person>,
    /// HTML of whoever wrote it.
    pub content: String,
    /// The content warning; empty if there is none.
    pub warning: String,
    pub language: Option<String>,
    pub attachments: Vec<Attachment>,
    pub emojis: Vec<Emoji>,
    pub poll: Option<Poll>,
}

/// A post that its author has pinned to the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    pub url: Option<String>,
    /// How it begins, without its markup; its content warning where it has one.
    pub text: String,
}

/// So much of a post is shown to know it by.
const BEGINNING: usize = 160;

/// `/api/v1/accounts/ID/statuses?pinned=true`
pub fn pinned(value: &Value, parser: &dyn Parser) -> Option<Vec<Pinned>> {
    let of = |status: &Value| {
        let warning = text(status, "spoiler_text").unwrap_or_default();
        // Without it the end of a paragraph and the beginning of the next would be one word.
        let content = text(status, "content")?.replace("</p>", "</p> ").replace("<br", " <br");
        let words = if warning.is_empty() { parser.parse(&content).words() } else { warning.to_owned() };
        let beginning = super::length::cut_plain(&words, BEGINNING);
        let more = if beginning.len() < words.len() { "…" } else { "" };
        let url = text(status, "url").filter(|url| url.starts_with("http")).map(str::to_owned);
        Some(Pinned { url, text: format!("{beginning}{more}") })
    };
    Some(value.as_array()?.iter().filter_map(of).collect())
}

/// An account inside a status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    pub id: String,
    /// In full, with the domain of local accounts too. Text and not [`Handle`]: a name that does not parse is still the
    /// author's name.
    pub handle: String,
    /// Empty where the person gave none.
    pub name: String,
    pub url: String,
    /// The actor; 4.2 and later, and never inside a mention.
    pub uri: Option<String>,
    /// What its server says of the number of its posts. Direct messages are not counted in it.
    pub posts: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    pub id: String,
    /// `image`, `gifv`, `video`, `audio`, `unknown`
    pub kind: String,
    /// Where the server keeps it; `None` when it has nothing.
    pub url: Option<String>,
    pub remote_url: Option<String>,
    /// The alt text; empty if there is none.
    pub description: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emoji {
    pub shortcode: String,
    pub url: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    pub expires: Option<Time>,
    pub multiple: bool,
    /// Title, votes as far as they are shown, and whether the reader chose it.
    pub options: Vec<(String, Option<u64>, bool)>,
}

/// Not a status as Mastodon sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

fn time(value: &Value, key: &str) -> Option<Time> {
    text(value, key).and_then(Time::from_iso)
}

impl Person {
    /// `local` is the domain that an `acct` without one means.
    pub fn read(value: &Value, local: &Domain) -> Option<Person> {
        let acct = text(value, "acct").or_else(|| text(value, "username"))?;
        let handle = match Handle::from_acct(acct, local) {
            Some(handle) => handle.acct(),
            None if acct.contains('@') => acct.to_owned(),
            None => format!("{acct}@{}", local.as_str()),
        };
        Some(Person {
            id: id(value.get("id")?)?,
            handle,
            name: text(value, "display_name").unwrap_or_default().to_owned(),
            url: text(value, "url").unwrap_or_default().to_owned(),
            uri: text(value, "uri").map(str::to_owned),
            posts: value.get("statuses_count").and_then(Value::as_u64),
        })
    }
}

impl Status {
    /// `local` is the domain of the server that sent it.
    pub fn read(value: &Value, local: &Domain) -> Result<Status, Unreadable> {
        Status::try_read(value, local).ok_or(Unreadable)
    }

    fn try_read(value: &Value, local: &Domain) -> Option<Status> {
        Some(Status {
            id: id(value.get("id")?)?,
            uri: text(value, "uri").map(str::to_owned),
            url: text(value, "url").map(str::to_owned),
            at: time(value, "created_at")?,
            edited: time(value, "edited_at"),
            author: Person::read(value.get("account")?, local)?,
            direct: is_direct(value),
            parent: value.get("in_reply_to_id").and_then(id),
            parent_author: value.get("in_reply_to_account_id").and_then(id),
            mentions: array(value, "mentions").iter().filter_map(|who| Person::read(who, local)).collect(),
            content: text(value, "content")?.to_owned(),
            warning: text(value, "spoiler_text").unwrap_or_default().to_owned(),
            language: text(value, "language").map(str::to_owned),
            attachments: array(value, "media_attachments").iter().filter_map(Attachment::read).collect(),
            emojis: array(value, "emojis").iter().filter_map(Emoji::read).collect(),
            poll: value.get("poll").filter(|poll| poll.is_object()).map(Poll::read),
        })
    }

    /// Everybody who could read a direct message, its author among them, by handle and in order.
    pub fn readers(&self) -> Vec<&str> {
        let all: Vec<&str> = self
            .mentions
            .iter()
            .map(|who| who.handle.as_str())
            .chain([self.author.handle.as_str()])
            .collect();
        let mut all = ordered(all, &|left, right| left.cmp(right));
        all.dedup();
        all
    }
}

/// Whether a status entity is a direct message.
pub fn is_direct(value: &Value) -> bool {
    text(value, "visibility") == Some("direct")
}

impl Attachment {
    pub fn read(value: &Value) -> Option<Attachment> {
        let address = |key| text(value, key).filter(|url| !url.is_empty()).map(str::to_owned);
        Some(Attachment {
            id: id(value.get("id")?)?,
            kind: text(value, "type").unwrap_or("unknown").to_owned(),
            url: address("url"),
            remote_url: address("remote_url"),
            description: text(value, "description").unwrap_or_default().to_owned(),
        })
    }
}

impl Emoji {
    pub fn read(value: &Value) -> Option<Emoji> {
        let (shortcode, url) = (text(value, "shortcode")?, text(value, "url")?);
        Some(Emoji { shortcode: shortcode.to_owned(), url: url.to_owned() })
    }
}

impl Poll {
    pub fn read(value: &Value) -> Poll {
        let own: Vec<u64> = array(value, "own_votes").iter().filter_map(Value::as_u64).collect();
        let options = (0..)
            .zip(array(value, "options"))
            .map(|(at, option)| {
                let votes = option.get("votes_count").and_then(Value::as_u64);
                (text(option, "title").unwrap_or_default().to_owned(), votes, own.contains(&at))
            })
            .collect();
        let multiple = value.get("multiple").and_then(Value::as_bool).unwrap_or(false);
        Poll { expires: time(value, "expires_at"), multiple, options }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn local() -> Domain {
        "old.example".parse().unwrap()
    }

    fn whole() -> Value {
        json!({
            "id": "7", "uri": "https://old.example/s/7", "url": "https://old.example/@ana/7",
            "created_at": "2026-11-21T00:00:00.000Z", "edited_at": "2026-11-21T00:00:01.000Z",
            "in_reply_to_id": "6", "in_reply_to_account_id": "1", "visibility": "direct",
            "content": "<p>hello</p>", "spoiler_text": "secret", "language": "en",
            "account": {"id": "1", "acct": "ana", "display_name": "Ana", "url": "https://old.example/@ana", "statuses_count": 3},
            "mentions": [{"id": "2", "acct": "ben@new.example", "url": "https://new.example/@ben"}, {"id": "3"}, 5],
            "media_attachments": [{"id": "9", "type": "image", "url": "https://old.example/m/9.png", "description": null}],
            "emojis": [{"shortcode": "cat", "url": "https://old.example/cat.png"}],
            "poll": {"multiple": true, "expires_at": null, "own_votes": [1],
                     "options": [{"title": "a", "votes_count": 1}, {"title": "b", "votes_count": null}]},
        })
    }

    #[test]
    fn reads_what_mastodon_sends() {
        let status = Status::read(&whole(), &local()).unwrap();
        assert_eq!(status.author.handle, "ana@old.example");
        assert_eq!(status.readers(), ["ana@old.example", "ben@new.example"]);
        assert_eq!((status.parent.as_deref(), status.direct), (Some("6"), true));
        assert_eq!(status.attachments[0].description, "");
        let poll = status.poll.unwrap();
        assert_eq!(poll.options[1], ("b".to_owned(), None, true));
    }

    #[test]
    fn what_does_not_fit_is_unreadable_or_left_out_and_never_a_panic() {
        for (key, odd) in [
            ("id", json!(null)),
            ("id", json!({})),
            ("created_at", json!("soon")),
            ("account", json!([])),
            ("content", json!(5)),
        ] {
            let mut value = whole();
            value[key] = odd;
            assert_eq!(Status::read(&value, &local()), Err(Unreadable), "{key}");
        }
        for key in
            ["mentions", "media_attachments", "emojis", "poll", "spoiler_text", "in_reply_to_id", "uri"]
        {
            for odd in [json!(5), json!("x"), json!({"a": 1}), json!([null, 3, {}])] {
                let mut value = whole();
                value[key] = odd;
                assert!(Status::read(&value, &local()).is_ok(), "{key}");
            }
        }
        for odd in [json!(null), json!([]), json!("x"), json!({})] {
            assert!(Status::read(&odd, &local()).is_err());
        }
    }
}
