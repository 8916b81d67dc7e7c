//! What we say, apart from the language it is said in.
//!
//! The core names a message and hands over its parts; the words stand in `extension/_locales/LANGUAGE/messages.json`,
//! where translators find them, and how a date or a number is written is the browser's business.

use crate::account::{Domain, Handle};
use crate::when::Time;

/// A sentence: the id of a message, and what goes into its `$1`, `$2` …
#[derive(Clone, Debug, PartialEq)]
pub struct Say {
    pub key: String,
    pub parts: Vec<Part>,
}

/// Something that is written differently in each language.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    /// A number. The first one in a sentence chooses between `KEY_one`, `KEY_few` … and `KEY`.
    Number(i64),
    /// A day, "21 November 2026".
    Day(Time),
    /// A time of day, "14:32:10".
    Clock(Time),
    /// A sentence, or part of one, inside another.
    Say(Box<Say>),
}

/// Says `key` with no parts.
pub fn say(key: &str) -> Say {
    Say { key: key.to_owned(), parts: Vec::new() }
}

impl Say {
    pub fn with(mut self, part: impl Into<Part>) -> Say {
        self.parts.push(part.into());
        self
    }

    /// The number that decides about singular and plural.
    pub fn count(&self) -> Option<i64> {
        self.parts.iter().find_map(|part| match part {
            Part::Number(n) => Some(*n),
            _ => None,
        })
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Part {
        Part::Text(text.to_owned())
    }
}

impl From<&Handle> for Part {
    fn from(handle: &Handle) -> Part {
        Part::Text(format!("@{handle}"))
    }
}

impl From<&Domain> for Part {
    fn from(domain: &Domain) -> Part {
        Part::Text(domain.to_string())
    }
}

impl From<u64> for Part {
    fn from(n: u64) -> Part {
        Part::Number(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Part {
    fn from(n: usize) -> Part {
        Part::from(n as u64)
    }
}

/// What a language needs to turn a [`Say`] into words. The browser's is in `web/words.rs`.
pub trait Words {
    /// The message of that id, with `$1` … replaced; `None` if there is none.
    fn message(&self, key: &str, parts: &[String]) -> Option<String>;
    /// The plural category of a number: `one`, `few`, `other` …
    fn plural(&self, n: i64) -> String;
    fn number(&self, n: i64) -> String;
    fn day(&self, at: Time) -> String;
    fn clock(&self, at: Time) -> String;
    /// How long ago, in the largest fitting unit: "3 minutes ago".
    fn ago(&self, millis: i64) -> String;

    fn speak(&self, say: &Say) -> String {
        let parts: Vec<String> = say
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Number(n) => self.number(*n),
                Part::Day(at) => self.day(*at),
                Part::Clock(at) => self.clock(*at),
                Part::Say(inner) => self.speak(inner),
            })
            .collect();
        let counted = say.count().and_then(|n| {
            let category = self.plural(n);
            (category != "other").then(|| self.message(&format!("{}_{category}", say.key), &parts)).flatten()
        });
        // A missing message shows its id: ugly, but nothing is hidden. A tidy test keeps it from happening.
        counted.or_else(|| self.message(&say.key, &parts)).unwrap_or_else(|| say.key.clone())
    }
}
