//! What an account keeps in lists that its server exports: follows, lists, mutes, blocks, domain blocks, bookmarks and
//! filters. `read` takes any file somebody may have, `clean` says what of it is uploaded and what is not, and why,
//! `write` writes what Mastodon reads, `compare` says what has arrived.
//!
//! ```
//! use packed_trunk::list::{Around, Kind, clean, read, write};
//!
//! let sheet = read(b"ana@one.example\n@ANA@One.example\nben@two.example\n", "following.csv").unwrap();
//! let plan = clean(&sheet, Kind::Follows, &Around::default());
//! assert_eq!((plan.upload.len(), plan.out.len()), (2, 1));
//! let files = write::mastodon(&plan, write::Takes::NOW);
//! assert!(files[0].text.ends_with("\nana@one.example,,,\nben@two.example,,,\n"));
//! ```

mod clean;
mod compare;
pub mod filters;
mod guess;
mod index;
mod read;
mod row;
mod rows;
mod spell;
pub mod write;

pub use clean::{Around, Correction, Corrections, Moved, Out, Plan, Why, clean, follow_limit};
pub use compare::{Changed, Have, Standing, changed_since, compare, would_remove};
pub use guess::{Foreign, Guess, Sure, What, guess};
pub use read::{ReadError, Sheet, read};
pub use row::{Row, Settings};

use crate::plain::words;

/// How many rows a server takes in one file (facts 6.1).
pub const MAX_ROWS: usize = 20_000;
/// How large a file a server takes (facts 6.1).
pub const MAX_BYTES: usize = 20 * 1024 * 1024;
/// The largest file that is looked at at all.
pub const LARGEST: usize = 64 * 1024 * 1024;
/// The most rows that are looked at. Nobody has as many; a file that has them would only fill the memory.
pub const MOST_ROWS: usize = 500_000;

/// What is exported and imported, in about the order of the export page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Follows,
    Lists,
    Mutes,
    Blocks,
    DomainBlocks,
    Bookmarks,
    Filters,
}

words! {
    Kind {
        Follows = "follows",
        Lists = "lists",
        Mutes = "mutes",
        Blocks = "blocks",
        DomainBlocks = "domain-blocks",
        Bookmarks = "bookmarks",
        Filters = "filters",
    }
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::Follows,
        Kind::Lists,
        Kind::Mutes,
        Kind::Blocks,
        Kind::DomainBlocks,
        Kind::Bookmarks,
        Kind::Filters,
    ];

    /// Our name for it, in what is stored and in the attributes of elements.
    pub fn id(self) -> &'static str {
        self.word()
    }

    pub fn of_id(id: &str) -> Option<Kind> {
        Kind::of_word(id)
    }

    /// Below `/settings/exports/` (facts 5).
    pub fn export(self) -> &'static str {
        self.names().0
    }

    /// The name under which Mastodon hands it out (facts 5).
    pub fn file(self) -> &'static str {
        self.names().1
    }

    /// The type of an import (facts 6.1).
    pub fn import(self) -> &'static str {
        self.names().2
    }

    pub fn of_import(kind: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|one| one.import() == kind)
    }

    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Kind::Follows => ("follows.csv", "following_accounts.csv", "following"),
            Kind::Lists => ("lists.csv", "lists.csv", "lists"),
            Kind::Mutes => ("mutes.csv", "muted_accounts.csv", "muting"),
            Kind::Blocks => ("blocks.csv", "blocked_accounts.csv", "blocking"),
            Kind::DomainBlocks => ("domain_blocks.csv", "blocked_domains.csv", "domain_blocking"),
            Kind::Bookmarks => ("bookmarks.csv", "bookmarks.csv", "bookmarks"),
            Kind::Filters => ("custom_filters.json", "custom_filters.json", "custom_filters"),
        }
    }
}

/// Something about a file that somebody may want to know, though it does not keep it from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// It begins with a byte order mark, which hides the header from Mastodon (facts 6.1, "BOM").
    Bom,
    Utf16,
    /// What is not UTF-8 begins in this line: an old spreadsheet's Latin-1, perhaps. Which letters were meant is not guessed.
    NotUtf8 {
        line: u32,
    },
    Nul,
    /// Lines end in a carriage return alone.
    CarriageReturns,
    Semicolons,
    Tabs,
    /// A quote that never closes. It is read as a sign like any other.
    OpenQuote {
        line: u32,
    },
    BlankLines(u32),
    /// Rows with more cells than columns have a meaning. What is in them is not uploaded.
    ExtraCells(u32),
    /// Doubles that differ in boosts, notifications or languages; the first counts.
    DoublesDiffer(u32),
    /// Cells that should say true or false, or name languages, and say something else. They are left to the server: it
    /// would take the one for true, and refuse the whole row for the other.
    NotTrueOrFalse(u32),
}

/// How many rows an export of that kind has; none where it cannot be read.
pub fn rows(kind: Kind, text: &str) -> u64 {
    read(text.as_bytes(), kind.file()).map_or(0, |sheet| sheet.len() as u64)
}
