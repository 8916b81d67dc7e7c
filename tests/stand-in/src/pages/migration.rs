//! `/settings/migration` and `/settings/migration/redirect` (facts 1.5, 3).

use maud::{Markup, html};

use super::form::{self, Input};
use super::{Visit, layout};
use crate::clock::{self, DAY};
use crate::http::Reply;
use crate::moves::{self, FormErrors};
use crate::state::Id;
use crate::version::Version;

pub fn route(visit: &mut Visit, rest: &[&str]) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let side = visit.side();
    let field = |name: &str| visit.request.field(name).unwrap_or("").to_owned();
    match (visit.request.method.as_str(), rest) {
        ("GET", []) => page(visit, me, "", None),
        ("POST", []) => {
            let (acct, password) =
                (field("account_migration[acct]"), field("account_migration[current_password]"));
            match moves::migrate(visit.world, side, me, &acct, &password) {
                Ok(target) => {
                    visit.flash("notice", &format!("Your account is now redirecting to {target} and your followers are being moved over."));
                    visit.redirect("/settings/migration")
                }
                Err(errors) => page(visit, me, acct.trim().trim_start_matches('@'), Some(&errors)),
            }
        }
        ("GET", ["redirect", "new"]) => redirect_page(visit, None, None),
        ("POST", ["redirect"]) => {
            let (acct, password) = (field("form_redirect[acct]"), field("form_redirect[current_password]"));
            match moves::redirect_only(visit.world, side, me, &acct, &password) {
                Ok(target) => {
                    visit.flash("notice", &format!("Your account is now redirecting to {target}."));
                    visit.redirect("/settings/migration")
                }
                Err(errors) => redirect_page(visit, Some(acct.trim().trim_start_matches('@')), Some(&errors)),
            }
        }
        ("DELETE", ["redirect"]) => {
            if visit.server().account(me).is_some_and(|account| account.moved_to.is_some()) {
                moves::set_redirect(visit.world, side, me, None);
                visit.flash("notice", "Successfully cancelled the redirect.");
            }
            visit.redirect("/settings/migration")
        }
        _ => layout::not_found(visit.server()),
    }
}

fn current_password<'a>(model: &'a str, errors: Option<&'a FormErrors>, disabled: bool) -> Input<'a> {
    Input {
        model,
        attr: "current_password",
        kind: "password",
        label: "Current password",
        hint: Some("For security purposes please enter the password of the current account"),
        required: true,
        required_attribute: true,
        error: errors.and_then(|errors| errors.field("current_password")),
        disabled,
        autocomplete: Some("current-password"),
        ..Input::default()
    }
}

fn handle<'a>(
    model: &'a str,
    value: Option<&'a str>,
    errors: Option<&'a FormErrors>,
    disabled: bool,
) -> Input<'a> {
    Input {
        model,
        attr: "acct",
        kind: "string",
        label: "Handle of the new account",
        hint: Some("Specify the username@domain of the account you want to move to"),
        required: true,
        value,
        error: errors.and_then(|errors| errors.field("acct")),
        disabled,
        plain_typing: true,
        ..Input::default()
    }
}

fn fields(version: Version, first: &Input, second: &Input) -> Markup {
    html! {
        div class="fields-row" {
            div class="fields-row__column fields-group fields-row__column-6" { (first.with_block_label(version)) }
            div class="fields-row__column fields-group fields-row__column-6" { (second.with_block_label(version)) }
        }
    }
}

const PROFILE: &str =
    "Your current account's profile will be updated with a redirect notice and be excluded from searches";
const AFTERWARDS: &str = "Your current account will not be fully usable afterwards. However, you will have access to data export as well as re-activation.";

fn other_data(version: Version) -> &'static str {
    if version.has_html_theme() {
        "No other data will be moved automatically (including your posts and the list of accounts you follow)"
    } else {
        "No other data will be moved automatically"
    }
}

/// The notes to read before moving; 4.6 put "no other data" second (facts 1.5).
fn warnings(version: Version) -> Markup {
    let followers = "This action will move all followers from the current account to the new account";
    let middle = if version.has_html_theme() {
        [other_data(version), PROFILE]
    } else {
        [PROFILE, other_data(version)]
    };
    html! {
        p class="hint" { "Before proceeding, please read these notes carefully:" }
        ul class="hint" {
            li class="warning-hint" { (followers) }
            @for text in middle { li class="warning-hint" { (text) } }
            li class="warning-hint" { "The new account must first be configured to back-reference this one" }
            li class="warning-hint" { "After moving there is a waiting period during which you will not be able to move again" }
            li class="warning-hint" { (AFTERWARDS) }
        }
    }
}

fn card(visit: &Visit, target: Id) -> Markup {
    let server = visit.server();
    let Some(account) = server.account(target) else { return html! {} };
    let rel = if server.version.has_html_theme() { "noopener" } else { "noopener noreferrer" };
    html! {
        div class="card h-card" {
            a target="_blank" rel=(rel) href=(account.url) {
                div class="card__img" { img alt="" src="/headers/original/missing.png"; }
                div class="card__bar" {
                    div class="avatar" { img alt="" width="48" height="48" class="u-photo" src="/avatars/original/missing.png"; }
                    div class="display-name" { bdi { strong class="emojify p-name" { (account.display_name) } } span { "@" (server.full_acct(target)) } }
                }
            }
        }
    }
}

fn status_box(visit: &Visit, me: Id) -> Markup {
    let server = visit.server();
    let target = server.account(me).and_then(|account| account.moved_to);
    html! {
        div class="simple_form" {
            @if let Some(target) = target {
                div class="fields-row" {
                    div class="fields-row__column fields-group fields-row__column-6" { (card(visit, target)) }
                    div class="fields-row__column fields-group fields-row__column-6" {
                        p class="hint" { span class="positive-hint" { "Your account is redirecting to " (server.full_acct(target)) "." } }
                        p class="hint" { "Cancelling the redirect will re-activate your current account, but will not bring back followers that have been moved to that account." }
                        p class="hint" { a data-method="delete" href="/settings/migration/redirect" { "Cancel redirect" } }
                    }
                }
            } @else {
                p class="hint" { span class="positive-hint" { "Your account is not redirecting to any other account currently." } }
            }
        }
    }
}

fn past(visit: &Visit, me: Id) -> Markup {
    let server = visit.server();
    let version = server.version;
    let migrations = server.user(me).map(|user| user.migrations.clone()).unwrap_or_default();
    html! {
        @if !migrations.is_empty() {
            (layout::section(version, "Past migrations"))
            hr class="spacer";
            div class="table-wrapper" {
                table class="table inline-table" {
                    thead { tr { th { "Moved to" } th { "Followers at time of move" } th {} } }
                    tbody {
                        @for migration in migrations.iter().rev() {
                            tr {
                                td {
                                    a class="name-tag" title=(migration.acct) href=(server.account(migration.target).map_or("", |account| account.url.as_str())) {
                                        img width="15" height="15" alt="" class="avatar" src="/avatars/original/missing.png";
                                        span class="username" { (migration.acct) }
                                    }
                                }
                                td { (migration.followers) }
                                td { time class="time-ago" datetime=(clock::iso_seconds(migration.at)) title=(clock::english(migration.at)) { (clock::english(migration.at)) } }
                            }
                        }
                    }
                }
            }
            hr class="spacer";
        }
    }
}

fn page(visit: &mut Visit, me: Id, value: &str, errors: Option<&FormErrors>) -> Reply {
    let now = visit.now();
    let server = visit.server();
    let version = server.version;
    let cooldown = server.cooldown_until(me, now);
    let disabled = cooldown.is_some();
    let days = cooldown.map(|until| (until - now + DAY - 1) / DAY);
    let content = html! {
        (status_box(visit, me))
        hr class="spacer";
        (layout::section(version, "Move to a different account"))
        form class="simple_form new_account_migration" id="new_account_migration" novalidate="novalidate" action="/settings/migration" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/settings/migration", "post"))
            @if let Some(days) = days {
                p class="hint" { span class="warning-hint" { "You have recently migrated your account. This function will become available again in " (days) " days." } }
            } @else { (warnings(version)) }
            p class="hint" { "Alternatively, you can " a href="/settings/migration/redirect/new" { "only put up a redirect on your profile" } "." }
            hr class="spacer";
            (form::error_alert(errors))
            (fields(version, &handle("account_migration", Some(value), errors, disabled), &current_password("account_migration", errors, disabled)))
            (form::submit("btn button button--destructive", "Move followers", disabled))
        }
        hr class="spacer";
        (past(visit, me))
        (layout::section(version, "Moving from a different account"))
        p class="muted-hint" { "To move from another account to this one, first you need to " a href="/settings/aliases" { "create an account alias" } "." }
    };
    layout::admin(visit, "Account migration", &content)
}

fn redirect_page(visit: &mut Visit, value: Option<&str>, errors: Option<&FormErrors>) -> Reply {
    let version = visit.server().version;
    let content = html! {
        form class="simple_form new_form_redirect" id="new_form_redirect" novalidate="novalidate" action="/settings/migration/redirect" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/settings/migration/redirect", "post"))
            p class="hint" { "Before proceeding, please read these notes carefully:" }
            ul class="hint" {
                li class="warning-hint" { (PROFILE) }
                li class="warning-hint" { (other_data(version)) }
                li class="warning-hint" { (AFTERWARDS) }
            }
            hr class="spacer";
            (form::error_alert(errors))
            (fields(version, &handle("form_redirect", value, errors, false), &current_password("form_redirect", errors, false)))
            (form::submit("btn button button--destructive", "Set redirect", false))
        }
    };
    layout::admin(visit, "Account migration", &content)
}
