//! Messages written for people: [`html`] is the page that shows all of them, [`text`] one plain file a conversation.
//!
//! Both hand over piece after piece, and need no more at once than one message and the light [`Saved`].

use serde_json::Value;

pub mod html;
pub mod text;

use super::record::Missing;
use super::thread::{Conversation, Note};
use crate::account::Domain;
use crate::say::Words;
use crate::server::history::{self, Version};
use crate::server::markup::Parser;
use crate::server::status::{Person, Status};
use crate::when::Time;

/// What is known of all messages together.
pub struct Saved<'a> {
    pub words: &'a dyn Words,
    /// How many minutes local time is ahead of UTC at a time: what summer and winter do is the browser's business.
    pub zone: &'a dyn Fn(Time) -> i32,
    pub parser: &'a dyn Parser,
    pub people: &'a [Person],
    /// Whose messages they are: index into `people`.
    pub owner: u32,
    pub notes: &'a [Note],
    pub conversations: &'a [Conversation],
}

impl std::fmt::Debug for Saved<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Saved({} notes)", self.notes.len())
    }
}

/// What is written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Head,
    /// A conversation begins.
    Conversation(usize),
    /// A thread begins: conversation, thread.
    Thread(usize, usize),
    /// The one step for which a record is needed: that of the note `note`.
    Message {
        conversation: usize,
        thread: usize,
        message: usize,
        note: usize,
    },
    ThreadEnd,
    ConversationEnd,
    End,
}

/// One message with all that was saved of it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its record, byte for byte.
    pub raw: String,
    /// `None` if it cannot be read as a status.
    pub status: Option<Status>,
    /// All versions that were saved, oldest first, the last one being the one that stands now.
    pub history: Vec<Version>,
}

impl Message {
    /// `raw` and `history` are the texts of the records `m/…` and `h/…`; `local` is the server that sent them.
    pub fn read(raw: &str, history: Option<&str>, local: &Domain) -> Message {
        let json = |text: &str| serde_json::from_str::<Value>(text).ok();
        Message {
            raw: raw.to_owned(),
            status: json(raw).and_then(|value| Status::read(&value, local).ok()),
            history: history.and_then(json).map(|value| history::versions(&value)).unwrap_or_default(),
        }
    }

    /// The addresses that [`Files`] will be asked for.
    pub fn addresses(&self) -> Vec<&str> {
        let status = self.status.iter().map(|status| (&status.attachments, &status.emojis));
        let versions = self.history.iter().map(|version| (&version.attachments, &version.emojis));
        let mut all = Vec::new();
        for (attachments, emojis) in status.chain(versions) {
            all.extend(
                attachments
                    .iter()
                    .flat_map(|file| [file.url.as_deref(), file.remote_url.as_deref()])
                    .flatten(),
            );
            all.extend(emojis.iter().map(|emoji| emoji.url.as_str()));
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A file of a message, as the writers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileShown {
    Here {
        /// Where it lies, from the page's own place: `media_attachments/…`.
        path: String,
        /// What it is, `image/png`.
        kind: String,
        size: u64,
    },
    Missing(Missing),
}

/// What became of the file at an address; `None` if it was never asked for.
pub type Files<'a> = &'a dyn Fn(&str) -> Option<FileShown>;

/// A name for the files of a conversation: ASCII, at most 80 bytes, nothing that a file system takes for something else.
/// `number` makes it the only one of its kind.
pub fn file_stem(handles: &[&str], number: usize) -> String {
    let _ = handles;
    format!("{number:04}")
}
