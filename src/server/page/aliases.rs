//! `/settings/aliases` of the new account: the only place besides the actor document where aliases can be read
//! (facts 4).

use crate::account::Handle;
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

pub fn read(page: &dyn Markup) -> AliasesPage {
    let rows = page.all("table.inline-table tbody tr");
    let mut aliases = Vec::new();
    let mut unreadable = 0;
    // The row that says "You have no aliases" has no link.
    for row in rows.iter().filter(|row| row.has("a[data-method=\"delete\"][href*=\"/settings/aliases/\"]")) {
        match row.first("td").map(|cell| cell.words()).and_then(|text| text.parse().ok()) {
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
