//! One row, understood.

use std::fmt;
use std::sync::Arc;

use crate::account::{Domain, Handle};

/// From where to where in a text.
pub(super) type Span = (u32, u32);

/// What may be said about a follow or a mute; `None` leaves it to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub boosts: Option<bool>,
    pub notify: Option<bool>,
    pub hide_notifications: Option<bool>,
}

/// A row. Its texts lie in one text that all rows of a sheet share: twenty thousand rows are no twenty thousand strings.
#[derive(Clone)]
pub struct Row {
    pub(super) text: Arc<str>,
    pub(super) line: u32,
    pub(super) name: Span,
    pub(super) key: Span,
    pub(super) origin: Span,
    pub(super) more: Span,
    pub settings: Settings,
}

impl Row {
    fn part(&self, span: Span) -> &str {
        self.text.get(span.0 as usize..span.1 as usize).unwrap_or_default()
    }

    /// Where it stands in its file. A row that was put in place of another has that one's line.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// What it is about, as it is uploaded: `Ana@one.example`, a domain, an URI; of a filter its title.
    pub fn name(&self) -> &str {
        self.part(self.name)
    }

    /// What it is compared by: the handle in lower case and punycode, the domain, the URI; in lists the list's title before it,
    /// of a filter its title and where it applies (what Mastodon finds filters by), with `\u{1f}` between.
    pub fn key(&self) -> &str {
        self.part(self.key)
    }

    /// The key that it had in the file, before anything was put in its place. Corrections go by it.
    pub fn origin(&self) -> &str {
        self.part(self.origin)
    }

    /// The title of its list, where it is a row of lists.
    pub fn list(&self) -> &str {
        self.part(self.more)
    }

    /// `en, de`, where it is a row of follows.
    pub fn languages(&self) -> &str {
        self.part(self.more)
    }

    /// The filter as it stands in its file, where it is a row of filters.
    pub fn json(&self) -> &str {
        self.part(self.more)
    }

    pub fn handle(&self) -> Option<Handle> {
        self.name().parse().ok()
    }

    pub fn domain(&self) -> Option<Domain> {
        None
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} {:?} {:?}", self.line, self.name(), self.part(self.more), self.settings)
    }
}

/// The same in every respect that is uploaded, wherever it stands.
impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        self.name() == other.name()
            && self.part(self.more) == other.part(other.more)
            && self.settings == other.settings
    }
}
