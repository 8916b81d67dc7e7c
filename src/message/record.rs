//! What is kept of an account's messages, as records of text under keys. The job makes them, a store keeps them (the
//! browser's in `web/`, a map in the tests), the writers read them.
//!
//! | key | text |
//! | --- | --- |
//! | `m/URI` | a status entity, byte for byte as its server sent it |
//! | `h/URI` | its edits, the reply of `/history` |
//! | `f/URL` | a file of it: what became of fetching it ([`File`]) |
//! | `c/ID` | an entry of the conversation list: who takes part, and its last message |
//! | `p/ID` | a person, and how far their listing was read |
//! | `r/NAME` | how far a list was read |
//! | `about` | the account, and how the save stands |

use serde_json::Value;

use super::digest::hex;
use crate::plain::{self, Object, count, text};

/// One record. `text: None` takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: String,
    pub text: Option<String>,
}

impl Record {
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Record {
        Record { key: key.into(), text: Some(text.into()) }
    }
}

pub const STATUS: &str = "m/";
pub const HISTORY: &str = "h/";
pub const FILE: &str = "f/";
pub const CONVERSATION: &str = "c/";
pub const PERSON: &str = "p/";
pub const ROAD: &str = "r/";
pub const ABOUT: &str = "about";

/// What became of a file: an attachment, or the picture of a custom emoji. Under the address where its server keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// Read back after it was stored, and its checksum compared.
    Saved {
        /// What its first bytes say that it is, `image/png`; not what its server said.
        kind: String,
        /// What its server said.
        said: String,
        size: u64,
        sha256: String,
    },
    Missing(Missing),
}

/// Why a file is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// On a host that the person has not allowed.
    NotAllowed,
    /// 404 or 410: its server has it no longer.
    Gone,
    /// Its server did not let us: 401, 403.
    Refused,
    /// No answer, an answer that broke off, or 5xx.
    Unreachable,
    /// Larger than we take, or without an end.
    TooLarge,
    /// The address is none that can be asked.
    NoAddress,
    /// The browser has no room for it.
    NoRoom,
}

impl Missing {
    pub const ALL: [Missing; 7] = [
        Missing::NotAllowed,
        Missing::Gone,
        Missing::Refused,
        Missing::Unreachable,
        Missing::TooLarge,
        Missing::NoAddress,
        Missing::NoRoom,
    ];

    pub fn id(self) -> &'static str {
        match self {
            Missing::NotAllowed => "not-allowed",
            Missing::Gone => "gone",
            Missing::Refused => "refused",
            Missing::Unreachable => "unreachable",
            Missing::TooLarge => "too-large",
            Missing::NoAddress => "no-address",
            Missing::NoRoom => "no-room",
        }
    }

    /// Whether another try may bring it.
    pub fn may_come(self) -> bool {
        matches!(self, Missing::NotAllowed | Missing::Unreachable | Missing::NoRoom | Missing::Refused)
    }
}

impl File {
    pub fn write(&self) -> String {
        let mut record = Object::new();
        match self {
            File::Saved { kind, said, size, sha256 } => {
                record.text("kind", kind).text("said", said).number("size", *size).text("sha256", sha256)
            }
            File::Missing(reason) => record.text("missing", reason.id()),
        };
        record.end()
    }

    pub fn read(record: &str) -> Option<File> {
        let value = plain::json(record)?;
        if let Some(missing) = text(&value, "missing") {
            return Missing::ALL.into_iter().find(|reason| reason.id() == missing).map(File::Missing);
        }
        let words = |key| text(&value, key).map(str::to_owned);
        Some(File::Saved {
            kind: words("kind")?,
            said: words("said")?,
            size: count(&value, "size")?,
            sha256: words("sha256")?,
        })
    }
}

/// Under which key a status is kept: by its `uri`, which is the same wherever it is met. One without `uri` is kept by its
/// id, one without either by its own text, so that nothing that a server sent is thrown away.
pub fn status_key(value: &Value, raw: &str) -> String {
    let uri = text(value, "uri").filter(|uri| !uri.is_empty());
    let id = value.get("id").and_then(crate::server::entity::id);
    match (uri, id) {
        (Some(uri), _) => format!("{STATUS}{uri}"),
        (None, Some(id)) => format!("{STATUS}id:{id}"),
        (None, None) => format!("{STATUS}sha256:{}", hex(raw.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_come_back_as_they_were_written() {
        let saved = File::Saved {
            kind: "image/png".into(),
            said: "text/html".into(),
            size: 1 << 40,
            sha256: "ab".into(),
        };
        for file in Missing::ALL.into_iter().map(File::Missing).chain([saved]) {
            assert_eq!(File::read(&file.write()), Some(file));
        }
        for odd in ["", "{}", "[]", "{\"missing\":\"?\"}", "{\"kind\":1}"] {
            assert_eq!(File::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_status_without_uri_is_kept_too() {
        let key = |value: Value| status_key(&value, &value.to_string());
        assert_eq!(key(json!({"uri": "https://a/1", "id": "1"})), "m/https://a/1");
        assert_eq!(key(json!({"uri": 5, "id": "1"})), "m/id:1");
        assert_ne!(key(json!({"content": "a"})), key(json!({"content": "b"})));
    }
}
