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

impl Settings {
    /// With what the server takes where nothing is said: boosts shown, no notifications, those of muted people hidden.
    fn effective(self) -> (bool, bool, bool) {
        (self.boosts.unwrap_or(true), self.notify.unwrap_or(false), self.hide_notifications.unwrap_or(true))
    }
}

/// Between the parts of a key.
pub(super) const BETWEEN: char = '\u{1f}';

/// A row. Its texts lie in one text that all rows of a sheet share: twenty thousand rows are no twenty thousand strings.
#[derive(Clone)]
pub struct Row {
    text: Arc<str>,
    draft: Draft,
    pub settings: Settings,
}

/// A row whose text is still being written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Draft {
    pub line: u32,
    pub name: Span,
    pub key: Span,
    pub origin: Span,
    pub more: Span,
    pub settings: Settings,
}

pub(super) fn part(text: &str, span: Span) -> &str {
    text.get(span.0 as usize..span.1 as usize).unwrap_or_default()
}

impl Row {
    /// Where it stands in its file. A row that was put in place of another has that one's line.
    pub fn line(&self) -> u32 {
        self.draft.line
    }

    /// What it is about, as it is uploaded: `Ana@one.example`, a domain, an URI; of a filter its title.
    pub fn name(&self) -> &str {
        part(&self.text, self.draft.name)
    }

    /// What it is compared by: the handle in lower case and punycode, the domain, the URI; in lists the list's title
    /// before it; of a filter its title and where it applies, for by these an import finds it. With `\u{1f}` between.
    pub fn key(&self) -> &str {
        part(&self.text, self.draft.key)
    }

    /// The key that it had in the file, before anything was put in its place. Corrections go by it.
    pub fn origin(&self) -> &str {
        part(&self.text, self.draft.origin)
    }

    /// The title of its list, where it is a row of lists.
    pub fn list(&self) -> &str {
        self.more()
    }

    /// `en, de`, where it is a row of follows.
    pub fn languages(&self) -> &str {
        self.more()
    }

    /// The filter as the import has it, where it is a row of filters.
    pub fn json(&self) -> &str {
        self.more()
    }

    /// Whose row it is, of accounts and lists.
    pub fn handle(&self) -> Option<Handle> {
        self.name().parse().ok()
    }

    /// The server that it is about.
    pub fn domain(&self) -> Option<Domain> {
        host(self.key()).parse().ok()
    }

    pub(super) fn new(text: &Arc<str>, draft: Draft) -> Row {
        Row { text: Arc::clone(text), draft, settings: draft.settings }
    }

    pub(super) fn more(&self) -> &str {
        part(&self.text, self.draft.more)
    }

    /// Whether uploading `wanted` would change something about this. What `wanted` says nothing about stays as it is.
    pub(super) fn differs_from(&self, settings: Settings, more: &str) -> bool {
        fn other(wanted: Option<bool>, is: Option<bool>) -> bool {
            matches!((wanted, is), (Some(wanted), Some(is)) if wanted != is)
        }
        let mine = self.settings;
        other(settings.boosts, mine.boosts)
            || other(settings.notify, mine.notify)
            || other(settings.hide_notifications, mine.hide_notifications)
            || (!more.is_empty() && !same_words(more, self.more()))
    }
}

/// `en,de` is `en, de`.
fn same_words(one: &str, other: &str) -> bool {
    // In filters every space counts.
    one == other
        || (!one.starts_with('{')
            && one.bytes().filter(|byte| *byte != b' ').eq(other.bytes().filter(|byte| *byte != b' ')))
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} {:?} {:?}", self.line(), self.name(), self.more(), self.settings)
    }
}

/// The same in every respect that is uploaded, wherever it stands.
impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        self.name() == other.name() && self.more() == other.more() && self.settings == other.settings
    }
}

/// The host in a key.
pub(super) fn host(key: &str) -> &str {
    match key.split_once("://") {
        Some((_, rest)) => rest.split(['/', ':', '?', '#']).next().unwrap_or_default(),
        None => key.rsplit('@').next().unwrap_or_default(),
    }
}

impl Draft {
    /// Whether two rows about the same say something different about it, with what the server takes where nothing is said.
    pub(super) fn differs(&self, other: &Draft, text: &str) -> bool {
        self.settings.effective() != other.settings.effective()
            || !same_words(part(text, self.more), part(text, other.more))
    }
}
