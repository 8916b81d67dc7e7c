//! A ZIP of ours: written in steps without ever being in memory as a whole, and opened again with nothing in it believed.
//!
//! What all of them share: [`zip`] and [`unzip`] know the format, [`json`] documents of any length, [`media`] files that
//! somebody else keeps, [`kind`] what such a file is, [`open`] holds every entry against the manifest. What is inside is
//! known by [`message::bundle`](crate::message::bundle) and [`trunk::bundle`](crate::trunk::bundle).

pub mod json;
pub mod kind;
pub mod media;
pub mod open;
pub mod unzip;
pub mod zip;

use crate::plain::Object;

/// The entry that says of every other what it has to be.
pub const MANIFEST: &str = "manifest.json";

/// So many bytes may wait to be taken before more is written.
pub const FULL: usize = 256 << 10;

/// What has to be handed in next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// The records under these keys, in this order, `None` for one that is not there: `records()`.
    Records(Vec<String>),
    /// The file that was saved from this address, in pieces of any size: `file()`, or `no_file()`. A large one is asked for
    /// twice: once for its checksum, once to be written.
    File {
        url: String,
    },
    /// Nothing: `take()` what was written, and ask again.
    Nothing,
    /// All is written; after `take()` the ZIP is whole.
    Done,
    Failed(Fault),
}

/// Why there can be no ZIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More than the format takes.
    TooLarge,
    /// The file was another one when it was read again.
    Changed { url: String },
}

/// The line of an entry in the manifest.
pub fn line(lines: &mut json::Lines, entry: &zip::Entry) -> String {
    let mut object = Object::new();
    object.text("path", &entry.path).number("size", entry.size).text("sha256", &entry.sha256);
    lines.item(&object.end())
}
