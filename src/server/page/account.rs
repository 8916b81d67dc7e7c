//! `/auth/edit`: what the server thinks of the account, told by links and not by words (facts 1.4, 12).

use crate::server::markup::Markup;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// The link to ask for the confirmation mail again is there.
    Unconfirmed,
    /// The link to cancel the redirect is there.
    Moved,
    /// Some other warning: waiting for a moderator's approval, or switched off by one.
    Held,
    /// No warning. A pending change of address shows none either.
    Quiet,
}

pub fn read(page: &dyn Markup) -> AccountStatus {
    // Only the warning itself may speak: "Move to a different account" at the bottom links to the same page. Up to
    // 3.5 the status stands in a form's hint (facts 1.4).
    let warnings = page.all(".content .flash-message.warning, .content .simple_form > p.hint");
    let links = |selector: &str| warnings.iter().any(|warning| warning.has(selector));
    if links("a[href$=\"/auth/confirmation/new\"]") {
        AccountStatus::Unconfirmed
    } else if links("a[href$=\"/settings/migration\"]") {
        AccountStatus::Moved
    } else if page.has(".content .flash-message.warning")
        || page.has(
            ".content .simple_form > p.hint > .warning-hint, .content .simple_form > p.hint > .negative-hint",
        )
    {
        AccountStatus::Held
    } else {
        AccountStatus::Quiet
    }
}
