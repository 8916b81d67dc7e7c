//! Writes the ZIP, in steps.

use super::{About, Gathered, Tools};

/// What has to be handed in next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// The records under these keys, in this order, `None` for one that is not there: [`Pack::records`].
    Records(Vec<String>),
    /// The file that was saved from this address, in pieces of any size: [`Pack::file`], or [`Pack::no_file`]. A large one is
    /// asked for twice: once for its checksum, once to be written.
    File {
        url: String,
    },
    /// Nothing: [`Pack::take`] what was written, and ask again.
    Nothing,
    /// All is written; after [`Pack::take`] the ZIP is whole.
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

/// What is in the ZIP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In bytes.
    pub size: u64,
    pub entries: usize,
    pub messages: usize,
    /// Addresses of files that were saved and are not there any more, or not as they were.
    pub lost: Vec<String>,
}

/// A ZIP in the making.
#[derive(Debug)]
pub struct Pack {
    report: Report,
}

impl Pack {
    pub fn new(_about: About, _gathered: Gathered) -> Result<Pack, Fault> {
        Ok(Pack { report: Report::default() })
    }

    /// What it needs next. Asking twice gives the same.
    pub fn wants(&mut self, _tools: &Tools) -> Want {
        Want::Done
    }

    /// The answer to [`Want::Records`].
    pub fn records(&mut self, _texts: Vec<Option<String>>) {}

    /// A piece of the file of [`Want::File`]; `end` with the last one, which may be empty.
    pub fn file(&mut self, _piece: &[u8], _end: bool) {}

    /// The file is not there, or could not be read to its end.
    pub fn no_file(&mut self) {}

    /// What was written since the last time. To be called after every answer, and after every piece of a file.
    pub fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// How much is done, of how much.
    pub fn progress(&self) -> (u64, u64) {
        (0, 0)
    }

    pub fn report(&self) -> &Report {
        &self.report
    }
}
