//! Everything that was saved, in one ZIP, and the way back.
//!
//! [`Index`](index::Index) is told every record once and keeps what is needed to put messages in order. [`Pack`](pack::Pack)
//! writes the ZIP: it says which records or which file it wants next and gives out bytes as it goes, so that neither all
//! messages nor the ZIP are ever in memory. [`Open`](open::Open) reads one: it says which bytes it wants, holds every entry
//! against the manifest, and only then gives out records and files.
//!
//! | in the ZIP | for whom |
//! | --- | --- |
//! | `messages.html` | to read in any browser |
//! | `text/NAME.txt` | one a conversation, to read without one; other programs read them too |
//! | `messages.json` | every record, byte for byte: what we read back |
//! | `actor.json`, `outbox.json`, `likes.json`, `bookmarks.json` | the layout of Mastodon's own archive, for viewers |
//! | `media_attachments/` | pictures and other files, once each, named by checksum |
//! | `README.txt` | says the same in plain words |
//! | `manifest.json` | size and checksum of every other entry, and what may be missing |
//!
//! The archive lies at the root, so that its media are the media of `messages.html` too.

mod archive;
pub mod index;
mod manifest;
pub mod open;
pub mod pack;

use crate::account::Domain;
use crate::plain::Object;
use crate::say::{Say, Words};
use crate::server::markup::Parser;
use crate::server::status::Person;
use crate::when::Time;

pub use index::{Gathered, Index};
pub use manifest::Counts;
pub use open::{Contents, Open, Out, Restore};
pub use pack::{Pack, Report};

pub use crate::bundle::open::{Ask, Reason};
pub use crate::bundle::{Fault, Want, kind};

/// What `manifest.json` and `messages.json` say that they are.
pub(crate) const FORMAT: &str = "packed-trunk";
pub(crate) const MESSAGES: &str = "packed-trunk-messages";
/// Where files lie.
pub(crate) const MEDIA: &str = "media_attachments/";
/// Of the format. A reader takes its own and older ones.
pub(crate) const VERSION: u64 = 1;

/// Whose messages these are, and how they came here.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    pub owner: Person,
    pub server: Domain,
    /// The server's version as it states it, "4.6.5".
    pub software: String,
    /// When the save ended. Every entry of the ZIP has this time, so that the same records give the same bytes.
    pub at: Time,
    /// The extension's version.
    pub extension: String,
    /// What may be missing, and why.
    pub incomplete: Vec<Say>,
}

impl About {
    /// The owner's name on its server.
    fn user(&self) -> &str {
        self.owner.handle.split('@').next().unwrap_or_default()
    }

    /// How a document of ours begins.
    fn head(&self, format: &str, owner: &Person) -> Object {
        let mut head = Object::new();
        head.text("format", format)
            .number("version", VERSION)
            .json("owner", &person(owner))
            .text("server", self.server.as_str())
            .text("software", &self.software)
            .text("at", &self.at.iso())
            .text("extension", &self.extension);
        head
    }
}

pub(crate) fn person(person: &Person) -> String {
    Object::new()
        .text("id", &person.id)
        .text("handle", &person.handle)
        .text("name", &person.name)
        .text("url", &person.url)
        .maybe("uri", person.uri.as_deref())
        .end()
}

/// What the core needs to write for people.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    pub parser: &'a dyn Parser,
    pub words: &'a dyn Words,
    /// How many minutes local time is ahead of UTC at a time.
    pub zone: &'a dyn Fn(Time) -> i32,
}

impl std::fmt::Debug for Tools<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}
