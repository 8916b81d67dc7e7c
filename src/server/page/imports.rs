//! `/settings/imports` (4.2 and later) and `/settings/import` (before): how imports stand, and what the server says of a
//! file (facts 6). The words for how one stands are in the reader's language; what is told here needs none of them.

use crate::server::markup::{Markup, first_number};

/// The option that is chosen as the type, and the field for the file.
pub const TYPE_CHOSEN: &str =
    "select[name=\"form_import[type]\"] option:checked, select[name=\"import[type]\"] option:checked";
pub const TYPE_FIELD: &str = "select[name=\"form_import[type]\"], select[name=\"import[type]\"]";
pub const FILE_FIELD: &str =
    "input[type=file][name=\"form_import[data]\"], input[type=file][name=\"import[data]\"]";

/// One of the last ten imports, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// 4.2 tells it only of those that are unconfirmed or have failures.
    pub id: Option<String>,
    /// What is imported, in the reader's language.
    pub label: String,
    /// How it stands, in the reader's language.
    pub state: String,
    /// It waits for its confirmation.
    pub unconfirmed: bool,
    pub imported: u64,
    pub total: u64,
    /// When it was begun, as the page writes it.
    pub begun: String,
    /// It is finished, and so many rows were not imported.
    pub failures: Option<u64>,
}

impl Row {
    /// Finished for certain. One that finished without all rows and without failures, which happens (mastodon#31927),
    /// cannot be told from one that is under way by the page alone.
    pub fn is_finished(&self) -> bool {
        self.failures.is_some() || (!self.unconfirmed && self.imported >= self.total && self.total > 0)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportsPage {
    pub rows: Vec<Row>,
    /// What the server says is wrong with the file, in its own words.
    pub refused: Option<String>,
    /// It says that something was just done.
    pub notice: bool,
    /// The form has two steps: 4.2 and later.
    pub two_steps: bool,
    /// Types that it takes, as the form names them.
    pub kinds: Vec<String>,
}

/// The page with the form.
pub fn read(page: &dyn Markup) -> ImportsPage {
    let refused = page.first(".field_with_errors span.error, form .flash-message.alert");
    ImportsPage {
        rows: page.all("table.table tbody tr").iter().filter_map(|row| read_row(row.as_ref())).collect(),
        refused: refused.map(|error| error.words()),
        notice: page.has(".flash-message.notice"),
        two_steps: page.has("form[action=\"/settings/imports\"]"),
        kinds: page
            .all("select[name=\"form_import[type]\"] option, select[name=\"import[type]\"] option")
            .iter()
            .filter_map(|option| option.attribute("value"))
            .filter(|value| !value.is_empty())
            .collect(),
    }
}

fn read_row(row: &dyn Markup) -> Option<Row> {
    let cells = row.all("td");
    let [label, state, numbers, begun, failures] = cells.as_slice() else { return None };
    let link = state.first("a[href*=\"/settings/imports/\"]").and_then(|link| link.attribute("href"));
    let failed = failures.first("a[href*=\"/settings/imports/\"]");
    let failed_link = failed.as_ref().and_then(|link| link.attribute("href"));
    let own = row.attribute("id").and_then(|id| id.strip_prefix("bulk_import_").map(str::to_owned));
    let text = numbers.words();
    let (imported, total) = text.split_once('/')?;
    let begun = begun.first("time").and_then(|time| time.attribute("datetime"));
    Some(Row {
        id: own.or_else(|| id_in(link.as_deref()?)).or_else(|| id_in(failed_link.as_deref()?)),
        label: label.words(),
        state: state.words(),
        unconfirmed: link.is_some(),
        imported: first_number(imported)?,
        total: first_number(total)?,
        begun: begun.unwrap_or_default(),
        failures: failed.and_then(|link| first_number(&link.words())),
    })
}

/// `/settings/imports/12/failures.csv` is number 12.
pub fn id_in(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/settings/imports/")?;
    let id = rest.split(['/', '?', '#']).next()?;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then(|| id.to_owned())
}

/// The page on which an import is confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// What it will do, in the reader's language.
    pub words: String,
    /// The server takes the file for one of another kind.
    pub mismatch: bool,
    pub there: bool,
}

pub fn read_confirmation(page: &dyn Markup) -> Confirmation {
    Confirmation {
        words: page.first("p.hint").map(|hint| hint.words()).unwrap_or_default(),
        mismatch: page.has(".flash-message.warning"),
        there: page.has("a[data-method=\"post\"][href$=\"/confirm\"]"),
    }
}
