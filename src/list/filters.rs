//! Filters, as each version of Mastodon has them: of several keywords and with a title since 4.0 (API v2), of one phrase
//! before (v1), and in a file since 4.6 (facts 5).

use serde_json::Value;

use super::row::BETWEEN;
use crate::plain::{self, Object, array, flag, quoted, text, words};
use crate::when::{SECOND, Time};

/// A status that a filter hides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusRef {
    /// In the file.
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
    /// In newer versions only; others refuse it, so it is written as "warn" for v1.
    Blur,
}

words! { Action { Warn = "warn", Hide = "hide", Blur = "blur" } }

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
    /// So many statuses: they are added by requests of their own (v2), or cannot be (v1).
    Statuses(usize),
    /// There are no keywords, so there is nothing to write.
    Everything,
}

/// The fields of one form.
pub type Form = Vec<(String, String)>;

/// Any of `custom_filters.json`, `GET /api/v2/filters` and `GET /api/v1/filters`. What is no filter in it is left out;
/// `None` if it is none of these.
pub fn read(text: &str) -> Option<Vec<Filter>> {
    let value = plain::json(text)?;
    let all = value.get("custom_filters").unwrap_or(&value).as_array()?;
    Some(all.iter().filter_map(Filter::read).collect())
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    array(value, key).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Filter {
    /// One filter, in any of the three forms.
    pub fn read(value: &Value) -> Option<Filter> {
        let keyword = |value: &Value| {
            Some(Keyword {
                keyword: text(value, "keyword")?.to_owned(),
                whole_word: flag(value, "whole_word"),
            })
        };
        // The export writes `expire_at`, the import reads `expires_at`: what Mastodon writes itself loses its end on the way
        // (`app/models/export.rb`, `bulk_import_row_service.rb`).
        let expires = text(value, "expires_at").or_else(|| text(value, "expire_at"));
        let mut filter = Filter {
            title: String::new(),
            context: texts(value, "context"),
            action: Action::Warn,
            expires_at: expires.and_then(Time::from_iso),
            keywords: Vec::new(),
            statuses: Vec::new(),
        };
        if let Some(phrase) = text(value, "phrase") {
            filter.title = phrase.to_owned();
            filter
                .keywords
                .push(Keyword { keyword: phrase.to_owned(), whole_word: flag(value, "whole_word") });
            if flag(value, "irreversible") {
                filter.action = Action::Hide;
            }
            return Some(filter);
        }
        filter.title = text(value, "title")?.trim().to_owned();
        let action = text(value, "filter_action").or_else(|| text(value, "action"));
        // An action of some later version: what it is called is not known here, and a warning hides nothing for good.
        filter.action = action.and_then(Action::of_word).unwrap_or(Action::Warn);
        for key in ["keywords", "keywords_attributes"] {
            filter.keywords.extend(array(value, key).iter().filter_map(keyword));
        }
        for status in array(value, "statuses") {
            let status = match status.as_str() {
                Some(uri) => Some(StatusRef::Uri(uri.to_owned())),
                None => text(status, "status_id").map(|id| StatusRef::Id(id.to_owned())),
            };
            filter.statuses.extend(status);
        }
        Some(filter)
    }

    /// The key of its row: an import finds a filter by title and contexts, and gives it the keywords of the last row that has
    /// these (`bulk_import_row_service.rb`).
    pub fn key(&self) -> String {
        let mut key = self.title.clone();
        key.push(BETWEEN);
        key.push_str(&self.context.join(","));
        key
    }

    pub fn is_over(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// As it stands in `custom_filters.json`. Ids of statuses have no place there.
    pub fn json(&self) -> String {
        let mut object = Object::new();
        object.text("title", &self.title);
        object.maybe("expires_at", self.expires_at.map(Time::iso).as_deref());
        object.list("context", &self.context.iter().map(|one| quoted(one)).collect::<Vec<_>>());
        object.text("action", self.action.word());
        let keyword = |one: &Keyword| {
            Object::new().text("keyword", &one.keyword).flag("whole_word", one.whole_word).end()
        };
        object.list("keywords_attributes", &self.keywords.iter().map(keyword).collect::<Vec<_>>());
        let uri = |status: &StatusRef| match status {
            StatusRef::Uri(uri) => Some(quoted(uri)),
            StatusRef::Id(_) => None,
        };
        object.list("statuses", &self.statuses.iter().filter_map(uri).collect::<Vec<_>>());
        object.end()
    }

    /// The seconds that are left to it, as text.
    fn left(&self, now: Time) -> Option<String> {
        self.expires_at.map(|at| (at.since(now) / SECOND).max(1).to_string())
    }

    /// For `POST /api/v2/filters` (4.0 and later). Where a server refuses "blur", try again with [`Action::Warn`].
    pub fn v2(&self, now: Time) -> (Option<Form>, Vec<Lost>) {
        if self.is_over(now) {
            return (None, vec![Lost::Expired]);
        }
        let mut form = vec![field("title", &self.title)];
        form.extend(self.context.iter().map(|one| field("context[]", one)));
        form.push(field("filter_action", self.action.word()));
        form.extend(self.left(now).map(|left| field("expires_in", &left)));
        for one in &self.keywords {
            form.push(field("keywords_attributes[][keyword]", &one.keyword));
            form.push(field("keywords_attributes[][whole_word]", word(one.whole_word)));
        }
        let lost = if self.statuses.is_empty() { vec![] } else { vec![Lost::Statuses(self.statuses.len())] };
        (Some(form), lost)
    }

    /// For `POST /api/v1/filters`, one for each keyword.
    pub fn v1(&self, now: Time) -> (Vec<Form>, Vec<Lost>) {
        if self.is_over(now) {
            return (Vec::new(), vec![Lost::Expired]);
        }
        let mut lost = Vec::new();
        if self.keywords.is_empty() {
            lost.push(Lost::Everything);
        } else if self.keywords.len() > 1 || self.keywords.iter().any(|one| one.keyword != self.title) {
            lost.push(Lost::Title);
        }
        if self.action == Action::Blur {
            lost.push(Lost::Blur);
        }
        if !self.statuses.is_empty() {
            lost.push(Lost::Statuses(self.statuses.len()));
        }
        let form = |one: &Keyword| {
            let mut form = vec![field("phrase", &one.keyword)];
            form.extend(self.context.iter().map(|one| field("context[]", one)));
            form.push(field("irreversible", word(self.action == Action::Hide)));
            form.push(field("whole_word", word(one.whole_word)));
            form.extend(self.left(now).map(|left| field("expires_in", &left)));
            form
        };
        (self.keywords.iter().map(form).collect(), lost)
    }
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// `custom_filters.json`, for the import of 4.6 and later.
pub fn json(filters: &[Filter]) -> String {
    file(filters.iter().map(Filter::json))
}

/// The same, of filters that are JSON already.
pub(super) fn file(filters: impl Iterator<Item = String>) -> String {
    let filters: Vec<String> = filters.collect();
    Object::new().json("custom_filters", &plain::list(&filters)).end()
}
