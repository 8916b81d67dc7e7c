//! Filters, as each version of Mastodon has them.

use crate::when::Time;

/// A status that a filter hides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusRef {
    /// In an export of 4.6 (facts 5).
    Uri(String),
    /// In the API: the id means something on that server alone.
    Id(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    pub keyword: String,
    pub whole_word: bool,
}

/// What happens to what is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Warn,
    Hide,
    /// Since 4.4.
    Blur,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub title: String,
    /// `home`, `notifications`, `public`, `thread`, `account`
    pub context: Vec<String>,
    pub action: Action,
    pub expires_at: Option<Time>,
    pub keywords: Vec<Keyword>,
    pub statuses: Vec<StatusRef>,
}

/// What a way of writing filters has no place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It has run out, and is not written at all.
    Expired,
    Title,
    /// "blur" becomes "warn".
    Blur,
    /// So many statuses.
    Statuses(usize),
    /// There are no keywords, so there is nothing to write.
    Everything,
}

/// The fields of one form.
pub type Form = Vec<(String, String)>;

/// Any of `custom_filters.json`, `GET /api/v2/filters` and `GET /api/v1/filters`. What is no filter in it is left out; `None`
/// if it is none of these.
pub fn read(text: &str) -> Option<Vec<Filter>> {
    let _ = text;
    None
}

impl Filter {
    /// The same as the rows of filters have ([`super::Row::key`]).
    pub fn key(&self) -> String {
        String::new()
    }

    pub fn is_over(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// For `POST /api/v2/filters` (4.0 and later).
    pub fn v2(&self, now: Time) -> (Option<Form>, Vec<Lost>) {
        let _ = now;
        (None, Vec::new())
    }

    /// For `POST /api/v1/filters`, one for each keyword.
    pub fn v1(&self, now: Time) -> (Vec<Form>, Vec<Lost>) {
        let _ = now;
        (Vec::new(), Vec::new())
    }
}

/// `custom_filters.json`, for the import of 4.6 and later.
pub fn json(filters: &[Filter]) -> String {
    let _ = filters;
    String::new()
}
