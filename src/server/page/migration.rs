//! `/settings/migration` and `/settings/migration/redirect/new` (facts 1.3, 1.5, 13 "Forms").

use crate::account::Handle;
use crate::server::markup::{Markup, first_number};
use crate::when::Time;

/// The field for the new account's handle, on either page.
pub const HANDLE_FIELD: &str = "#account_migration_acct, #form_redirect_acct";
/// The form whose button cannot be taken back.
pub const FORM: &str = "form[action=\"/settings/migration\"], form[action=\"/settings/migration/redirect\"]";

#[derive(Clone, Debug, PartialEq)]
pub struct MigrationPage {
    pub redirecting: bool,
    pub redirecting_to: Option<Handle>,
    /// `Some` while no further move is possible; the number of days if the page's text has one.
    pub cooldown: Option<Option<u64>>,
    /// What the server wrote into the field: after a refused attempt, the handle that was tried.
    pub tried: Option<String>,
    /// The server refused the handle. Then it has read the new account's actor document a moment ago, or tried to.
    pub handle_refused: bool,
    /// The account has no local password and confirms with its user name.
    pub asks_for_username: bool,
    pub past: Vec<PastMove>,
}

/// A row of "Past migrations".
#[derive(Clone, Debug, PartialEq)]
pub struct PastMove {
    pub target: Option<Handle>,
    pub followers: Option<u64>,
    pub at: Option<Time>,
}

pub fn read(page: &dyn Markup) -> MigrationPage {
    // The link that cancels a redirect is there only while there is one. A page that was sent to the redirect form has
    // none, and says nothing about it.
    let cancel = page.has("a[data-method=\"delete\"][href$=\"/settings/migration/redirect\"]");
    let target = page.all(".card .display-name span").iter().find_map(|span| handle_in(&span.words()));
    let disabled = page.has("#account_migration_acct[disabled]");
    let field = page.first(HANDLE_FIELD);
    MigrationPage {
        redirecting: cancel,
        redirecting_to: cancel.then_some(target).flatten(),
        cooldown: disabled.then(|| {
            let hints = page.all("form[action=\"/settings/migration\"] .warning-hint");
            hints.iter().find_map(|hint| first_number(&hint.text()))
        }),
        tried: field.and_then(|field| field.attribute("value")).filter(|value| !value.trim().is_empty()),
        handle_refused: page
            .has(".field_with_errors #account_migration_acct, .field_with_errors #form_redirect_acct"),
        asks_for_username: page.has("#account_migration_current_username, #form_redirect_current_username"),
        past: page.all("table.inline-table tbody tr").iter().filter_map(|row| past(row.as_ref())).collect(),
    }
}

fn past(row: &dyn Markup) -> Option<PastMove> {
    let cells = row.all("td");
    let time = row.first("time[datetime]")?;
    Some(PastMove {
        target: cells.first().and_then(|cell| handle_in(&cell.words())),
        followers: cells.get(1).and_then(|cell| first_number(&cell.text())),
        at: time.attribute("datetime").as_deref().and_then(Time::from_iso),
    })
}

fn handle_in(text: &str) -> Option<Handle> {
    text.split_whitespace().find_map(|word| word.parse().ok())
}
