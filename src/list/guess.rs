//! Which of Mastodon's files something is, from how it begins. Small, and leans on nothing else: in a server's page this
//! is all that is loaded of `list`.

use super::Kind;

/// What a file seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Known(Kind),
    /// Accounts, one a line, and nothing says whether they are followed, muted or blocked.
    Accounts,
    Foreign(Foreign),
    Empty,
    Unknown,
}

/// Something that is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A page, saved in place of the file: of somebody who was not signed in, mostly.
    Html,
    /// `actor.json` of an archive.
    Actor,
    /// `outbox.json`, `likes.json` or `bookmarks.json` of an archive.
    Posts,
    Json,
    /// An archive, or a spreadsheet: both are ZIPs.
    Zip,
    Gzip,
    Image,
    Pdf,
    Binary,
}

/// From where a guess is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// Names of columns, the form of what is inside: it is nothing else.
    Header,
    /// What stands in the columns.
    Content,
    /// The file's name alone decided between what the content allows.
    Name,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    pub what: What,
    pub sure: Sure,
}

impl Guess {
    /// Whether it is a file for that kind of import: `Some(false)` only where it certainly is not.
    pub fn fits(self, kind: Kind) -> Option<bool> {
        let _ = kind;
        None
    }
}

/// Looks at the first kilobytes of a file, and at its name.
pub fn guess(head: &[u8], file_name: &str) -> Guess {
    let _ = (head, file_name);
    Guess { what: What::Unknown, sure: Sure::No }
}
