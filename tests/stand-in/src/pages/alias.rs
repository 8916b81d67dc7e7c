//! `/settings/aliases` (facts 1.3, 4).

use maud::html;

use super::form::{self, Input};
use super::{Visit, layout};
use crate::http::Reply;
use crate::moves::{self, FormErrors};

pub fn route(visit: &mut Visit, rest: &[&str]) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let side = visit.side();
    match (visit.request.method.as_str(), rest) {
        ("GET", []) => page(visit, "", None),
        ("POST", []) => {
            let acct = visit.request.field("account_alias[acct]").unwrap_or("").to_owned();
            match moves::create_alias(visit.world, side, me, &acct) {
                Ok(()) => {
                    visit.flash("notice", "Successfully created a new alias. You can now initiate the move from the old account.");
                    visit.redirect("/settings/aliases")
                }
                Err(errors) => page(visit, acct.trim().trim_start_matches('@'), Some(&errors)),
            }
        }
        ("DELETE", [id]) => {
            if !id.parse().is_ok_and(|id| moves::delete_alias(visit.world, side, me, id)) {
                return layout::not_found(visit.server());
            }
            visit.flash("notice", "Successfully removed the alias. Moving from that account to this one will no longer be possible.");
            visit.redirect("/settings/aliases")
        }
        _ => layout::not_found(visit.server()),
    }
}

fn page(visit: &mut Visit, value: &str, errors: Option<&FormErrors>) -> Reply {
    let version = visit.server().version;
    let aliases = visit
        .me
        .and_then(|me| visit.server().account(me))
        .map(|account| account.aliases.clone())
        .unwrap_or_default();
    let input = Input {
        model: "account_alias",
        attr: "acct",
        kind: "string",
        label: "Handle of the old account",
        hint: Some("Specify the username@domain of the account you want to move from"),
        required: true,
        value: Some(value),
        error: errors.and_then(|errors| errors.field("acct")),
        plain_typing: true,
        ..Input::default()
    };
    let content = html! {
        form class="simple_form new_account_alias" id="new_account_alias" novalidate="novalidate" action="/settings/aliases" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/settings/aliases", "post"))
            (form::error_alert(errors))
            p class="hint" {
                "If you want to move from another account to this one, here you can create an alias, which is required before you can proceed with moving followers from the old account to this one. This action by itself is "
                strong { "harmless and reversible" } ". " strong { "The account migration is initiated from the old account" } "."
            }
            hr class="spacer";
            div class="fields-group" { (input.with_block_label(version)) }
            (form::submit("btn button", "Create alias", false))
        }
        hr class="spacer";
        div class="table-wrapper" {
            table class="table inline-table" {
                thead { tr { th { "Handle of the old account" } th {} } }
                tbody {
                    @if aliases.is_empty() { tr { td class="muted-hint" colspan="2" { "You have no aliases." } } }
                    @for alias in &aliases {
                        tr {
                            td { (alias.acct) }
                            td { a data-method="delete" class="table-action-link" href={ "/settings/aliases/" (alias.id) } { (layout::icon()) " Unlink alias" } }
                        }
                    }
                }
            }
        }
    };
    layout::admin(visit, "Account aliases", &content)
}
