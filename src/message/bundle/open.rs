//! Opens a ZIP of ours, on another machine perhaps, and trusts nothing in it before it is held against its manifest.

use crate::message::record::Record;
use crate::when::Time;

/// What [`Open`] and [`Restore`] need next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// So many bytes of the ZIP from there: `bytes()`. Fewer mean that it ends there.
    Range {
        at: u64,
        len: usize,
    },
    Done,
    Failed(Reason),
}

/// Why a ZIP is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    NotAZip,
    /// A ZIP, but not one of this extension.
    NotOurs,
    /// Written by a version of the extension that is newer than this one; the number of its format.
    Newer(u64),
    /// Not as it was written.
    Damaged {
        path: String,
    },
    /// The manifest names it, and it is not there.
    Missing {
        path: String,
    },
    /// An entry that no ZIP of ours has: twice the same name, a name that leads out, encrypted, packed in another way.
    Odd {
        path: String,
    },
    /// Larger than the limit that was given, or far larger than what it was packed from.
    TooLarge,
}

/// What is in a ZIP that was found whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// `user@domain`
    pub owner: String,
    pub server: String,
    pub at: Time,
    pub messages: u64,
    pub sent: u64,
    pub received: u64,
    pub conversations: u64,
    pub people: u64,
    pub files_saved: u64,
    pub files_missing: u64,
    /// Of everything inside, unpacked.
    pub size: u64,
}

/// First half: everything is read once and compared. Nothing is given out.
#[derive(Debug)]
pub struct Open {
    contents: Contents,
}

impl Open {
    /// `size` is the length of the ZIP, `limit` the number of bytes that may come out of it.
    pub fn new(_size: u64, _limit: u64) -> Open {
        Open { contents: Contents::default() }
    }

    pub fn wants(&mut self) -> Ask {
        Ask::Failed(Reason::NotAZip)
    }

    pub fn bytes(&mut self, _bytes: &[u8]) {}

    /// How much is done, of how much, in bytes.
    pub fn progress(&self) -> (u64, u64) {
        (0, 0)
    }

    /// `None` before [`Ask::Done`].
    pub fn contents(&self) -> Option<&Contents> {
        Some(&self.contents)
    }

    /// The second half; `None` before [`Ask::Done`].
    pub fn restore(self) -> Option<Restore> {
        None
    }
}

/// What comes out of [`Restore`], in this order: all records, then file after file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Records(Vec<Record>),
    /// A file begins. It was saved from these addresses; their records are among [`Out::Records`].
    File {
        urls: Vec<String>,
        kind: String,
        size: u64,
        sha256: String,
    },
    Piece(Vec<u8>),
    /// The file that began is whole, and its checksum is right.
    End,
}

/// Second half: gives out what is inside. It is read and compared again, for the file may have changed since.
#[derive(Debug)]
pub struct Restore {
    outs: Vec<Out>,
}

impl Restore {
    pub fn wants(&mut self) -> Ask {
        Ask::Done
    }

    pub fn bytes(&mut self, _bytes: &[u8]) {}

    /// What came out since the last time. To be called after every answer.
    pub fn take(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.outs)
    }

    pub fn progress(&self) -> (u64, u64) {
        (0, 0)
    }
}
