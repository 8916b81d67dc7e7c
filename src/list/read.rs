//! Bytes that may be anything, into rows and cells.

use super::guess::{Foreign, Guess, Sure, What};
use super::row::Span;
use super::{Kind, Odd};

/// Why a file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    Empty,
    /// Larger than [`super::LARGEST`].
    TooLarge,
    /// More than [`super::MOST_ROWS`].
    TooManyRows,
    Foreign(Foreign),
    /// `custom_filters.json`, and it is cut off or broken.
    BrokenJson,
}

/// A file as rows and cells.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub guess: Guess,
    pub odd: Vec<Odd>,
    /// `,`, `;` or a tab.
    pub separator: u8,
    pub(super) text: String,
    pub(super) cells: Vec<Span>,
}

impl Sheet {
    /// How many rows there are, without header and blank lines.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The kind it is, where that is known or likely.
    pub fn kind(&self) -> Option<Kind> {
        None
    }
}

/// Reads whatever it is.
pub fn read(bytes: &[u8], file_name: &str) -> Result<Sheet, ReadError> {
    let _ = (bytes, file_name);
    Ok(Sheet {
        guess: Guess { what: What::Unknown, sure: Sure::No },
        odd: Vec::new(),
        separator: b',',
        text: String::new(),
        cells: Vec::new(),
    })
}
