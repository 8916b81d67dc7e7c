//! `/settings/aliases` of the new account: the only place besides the actor document where aliases can be read
//! (facts 4).

use crate::account::{Domain, Handle};
use crate::server::markup::Markup;

#[derive(Clone, Debug, PartialEq)]
pub struct AliasesPage {
    pub aliases: Vec<Handle>,
    /// Rows that are there but could not be read as a handle.
    pub unreadable: usize,
    /// The server says that something was just done. Which, it says in the reader's language only.
    pub notice: bool,
    /// The server refused what was sent, in its own words where it gives any (none for a duplicate, facts 13 "Alias").
    pub refused: Option<String>,
}

/// `local`: the server's own domain; an account of the same server is listed without it.
pub fn read(page: &dyn Markup, local: Option<&Domain>) -> AliasesPage {
    let rows = page.all("table.inline-table tbody tr");
    let mut aliases = Vec::new();
    let mut unreadable = 0;
    // The row that says "You have no aliases" has no link.
    for row in rows.iter().filter(|row| row.has("a[data-method=\"delete\"][href*=\"/settings/aliases/\"]")) {
        let text = row.first("td").map(|cell| cell.words()).unwrap_or_default();
        let handle = match (text.contains('@'), local) {
            (false, Some(local)) => Handle::from_acct(&text, local),
            _ => text.parse().ok(),
        };
        match handle {
            Some(handle) => aliases.push(handle),
            None => unreadable += 1,
        }
    }
    let alert = page.first("form[action=\"/settings/aliases\"] .flash-message.alert, .flash-message.alert");
    let refused = alert.map(|alert| {
        let word = page.first(".field_with_errors span.error").map(|error| error.words());
        word.unwrap_or_else(|| alert.words())
    });
    AliasesPage { aliases, unreadable, notice: page.has(".flash-message.notice"), refused }
}
