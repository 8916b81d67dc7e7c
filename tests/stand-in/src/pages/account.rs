//! `/auth/edit`: account settings, where every other page of a move is linked from (facts 1.4).

use maud::{Markup, html};

use super::form::{self, Input};
use super::{Visit, layout};
use crate::clock;
use crate::http::Reply;
use crate::moves::FormErrors;
use crate::social;
use crate::state::Id;
use crate::version::Version;

fn heading(version: Version, text: &str) -> Markup {
    html! { @if version.has_html_theme() { h2 class="heading-medium" { (text) } } @else { h3 { (text) } } }
}

/// What stops the account from working, in Mastodon's order; up to 3.5 a hint, a warning since 4.0.
fn status(visit: &Visit, me: Id) -> Markup {
    let server = visit.server();
    let (Some(account), Some(user)) = (server.account(me), server.user(me)) else { return html! {} };
    let text = if !user.confirmed {
        let mail = if server.version.at_least(Version::V4_3) { "email" } else { "e-mail" };
        Some((
            format!("Waiting for {mail} confirmation to be completed."),
            Some(("/auth/confirmation/new", "Didn't receive a confirmation link?")),
        ))
    } else if !user.approved {
        Some(("Your application is pending review by our staff. This may take some time. You will receive an email if your application is approved.".to_owned(), None))
    } else {
        account.moved_to.map(|target| {
            (
                format!(
                    "Your account is inactive because it is currently redirecting to {}.",
                    server.full_acct(target)
                ),
                Some(("/settings/migration", "Cancel redirect")),
            )
        })
    };
    let warning = text.map(
        |(text, link)| html! { (text) " " @if let Some((href, label)) = link { a href=(href) { (label) } } },
    );
    if server.version.at_least(Version::V4_1) {
        html! {
            @if let Some(warning) = &warning { div class="flash-message warning" { (warning) } }
            (heading(server.version, "Account status"))
            p class="hint" { span class="positive-hint" { "Your account is fully operational." } }
        }
    } else {
        html! {
            (heading(server.version, "Account status"))
            div class="simple_form" {
                @match &warning {
                    Some(warning) => p class="hint" { span class="warning-hint" { (warning) } },
                    None => p class="hint" { span class="positive-hint" { "Your account is fully operational." } },
                }
            }
        }
    }
}

fn sessions(visit: &Visit, me: Id) -> Markup {
    let server = visit.server();
    let mut others: Vec<_> = server
        .sessions
        .iter()
        .filter(|(id, session)| session.account == Some(me) && **id != visit.session_id)
        .map(|(_, session)| session.at)
        .collect();
    others.sort_unstable();
    others.reverse();
    let browser = html! { span title="Mozilla/5.0" { (layout::icon()) " Browser" } };
    html! {
        @if server.version.has_html_theme() { h3 class="heading-medium" { "Sessions" } } @else { h3 { "Sessions" } }
        p class="muted-hint" {
            "These are the web browsers currently logged in to your Mastodon account. "
            @if server.version.at_least(Version::V3_5) { a href="/settings/login_activities" { "View authentication history of your account" } }
        }
        hr class="spacer";
        div class="table-wrapper" {
            table class="table inline-table" {
                thead { tr { th { "Browser" } th { "IP" } th { "Last activity" } th {} } }
                tbody {
                    tr { td { (browser) } td { samp { "127.0.0.1" } } td { "Current session" } td {} }
                    @for (number, at) in others.iter().enumerate() {
                        tr {
                            td { (browser) } td { samp { "127.0.0.1" } }
                            td { time class="time-ago" datetime=(clock::iso_seconds(*at)) title=(clock::english(*at)) { (clock::english(*at)) } }
                            td { a class="table-action-link" rel="nofollow" data-method="delete" href={ "/settings/sessions/" (number + 1) } { (layout::icon()) " Revoke" } }
                        }
                    }
                }
            }
        }
    }
}

pub fn page(visit: &mut Visit, refused: Option<(&str, &FormErrors)>) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let server = visit.server();
    let version = server.version;
    let email = refused.map_or_else(
        || server.user(me).map(|user| user.email.clone()).unwrap_or_default(),
        |(email, _)| email.to_owned(),
    );
    let errors = refused.map(|(_, errors)| errors);
    let error = |name: &str| errors.and_then(|errors| errors.field(name));
    let base = || Input { model: "user", ..Input::default() };
    let address = Input {
        attr: "email",
        kind: "email",
        label: "E-mail address",
        hint: Some("You will be sent a confirmation e-mail"),
        required: true,
        required_attribute: true,
        value: Some(&email),
        error: error("email"),
        ..base()
    };
    let current = Input {
        attr: "current_password",
        kind: "password",
        label: "Current password",
        required: true,
        required_attribute: true,
        autocomplete: Some("current-password"),
        error: error("current_password"),
        ..base()
    };
    let new = Input {
        attr: "password",
        kind: "password",
        label: "New password",
        hint: Some("Use at least 8 characters"),
        autocomplete: Some("new-password"),
        minlength: Some("8"),
        maxlength: Some("72"),
        ..base()
    };
    let again = Input {
        attr: "password_confirmation",
        kind: "password",
        label: "Confirm new password",
        autocomplete: Some("new-password"),
        ..base()
    };
    let column = |input: &Input| html! { div class="fields-row__column fields-group fields-row__column-6" { (input.with_label(version)) } };
    let content = html! {
        (status(visit, me))
        hr class="spacer";
        (heading(version, "Security"))
        form class="simple_form auth_edit" id="edit_user" action="/auth" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/auth", "put"))
            (form::error_alert(errors))
            div class="fields-row" { (column(&address)) (column(&current)) }
            div class="fields-row" { (column(&new)) (column(&again)) }
            (form::submit("btn button", "Save changes", false))
        }
        hr class="spacer";
        (sessions(visit, me))
        hr class="spacer";
        (heading(version, "Move to a different account"))
        p class="muted-hint" { "If you wish to redirect this account to a different one, you can " a href="/settings/migration" { "configure it here" } "." }
        hr class="spacer";
        (heading(version, "Moving from a different account"))
        p class="muted-hint" { "To move from another account to this one, first you need to " a href="/settings/aliases" { "create an account alias" } "." }
        hr class="spacer";
        (heading(version, "Delete account"))
        p class="muted-hint" { "If you wish to delete your account, you can " a href="/settings/delete" { "proceed here" } ". You will be asked for confirmation." }
    };
    layout::admin(visit, "Account settings", &content)
}

/// PUT `/auth`: a new address stays pending until its link is followed (facts 1.4).
pub fn update(visit: &mut Visit) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let side = visit.side();
    let field = |name: &str| visit.request.field(name).unwrap_or("").to_owned();
    let (email, current, password) =
        (field("user[email]"), field("user[current_password]"), field("user[password]"));
    let Some(user) = visit.server_mut().user_mut(me) else { return layout::not_found(visit.server()) };
    if user.password != current {
        let text = if current.is_empty() { "can't be blank" } else { "is invalid" };
        return page(visit, Some((&email, &FormErrors::on("current_password", text, 1))));
    }
    if !email.contains('@') {
        return page(visit, Some((&email, &FormErrors::on("email", "is invalid", 1))));
    }
    if !password.is_empty() {
        user.password = password;
    }
    let changes = email != user.email;
    if changes {
        user.unconfirmed_email = Some(email);
    }
    if changes {
        social::send_confirmation(visit.world, side, me);
        visit.flash("notice", "You updated your account successfully, but we need to verify your new email address. Please check your email and follow the confirm link to confirm your new email address. Please check your spam folder if you didn't receive this email.");
    } else {
        visit.flash("notice", "Your account has been updated successfully.");
    }
    visit.redirect("/auth/edit")
}
