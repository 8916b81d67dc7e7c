//! Signing in and out, the page of those whose e-mail is unconfirmed, the confirmation link (facts 1.3).

use maud::{Markup, html};

use super::form::{self, Input};
use super::{Visit, layout};
use crate::http::{Kind, Reply};
use crate::social;
use crate::state::{Id, random, random_text};
use crate::version::Version;

pub fn sign_in_page(visit: &mut Visit, email: Option<&str>) -> Reply {
    if visit.me.is_some() {
        return visit.redirect("/");
    }
    let server = visit.server();
    let version = server.version;
    let domain = server.domain.clone();
    let origin = server.origin.clone();
    let strict = version.has_html_theme();
    let address = Input {
        model: "user",
        attr: "email",
        kind: "email",
        label: "E-mail address",
        required: true,
        required_attribute: strict,
        value: Some(email.unwrap_or("")),
        autofocus: true,
        ..Input::default()
    };
    let password = Input {
        model: "user",
        attr: "password",
        kind: "password",
        label: "Password",
        required: strict,
        required_attribute: strict,
        autocomplete: Some("current-password"),
        ..Input::default()
    };
    let content = html! {
        form class="simple_form new_user" id="new_user" novalidate="novalidate" action="/auth/sign_in" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/auth/sign_in", "post"))
            h1 class="title" { "Login to " (domain) }
            p class="lead" { "Login with your " strong { (domain) } " credentials. If your account is hosted on a different server, you will not be able to log in here." }
            div class="fields-group" { (address.with_label(version)) }
            div class="fields-group" { (password.with_label(version)) }
            (form::submit("btn", "Log in", false))
        }
        div class="form-footer" {
            ul class="no-list" {
                li { a href=(if strict { format!("{origin}/auth/sign_up") } else { "/auth/sign_up".to_owned() }) { "Sign up" } }
                li { a href="/auth/password/new" { "Forgot your password?" } }
                li { a href="/auth/confirmation/new" { "Didn't receive a confirmation link?" } }
            }
        }
    };
    let mut reply = layout::auth(visit, "Log in", &content);
    reply.kind = Kind::SignIn;
    reply
}

/// Signs in by e-mail address; by user name too, which saves typing in tests.
pub fn sign_in(visit: &mut Visit) -> Reply {
    let email = visit.request.field("user[email]").unwrap_or("").trim().to_owned();
    let password = visit.request.field("user[password]").unwrap_or("").to_owned();
    let found = visit
        .server()
        .local_accounts()
        .find(|account| {
            account.username == email
                || account.user.as_ref().is_some_and(|user| user.email.eq_ignore_ascii_case(&email))
        })
        .filter(|account| account.user.as_ref().is_some_and(|user| user.password == password))
        .map(|account| account.id);
    let Some(id) = found else {
        visit.flash("alert", "Invalid E-mail address or password.");
        return sign_in_page(visit, Some(&email));
    };
    let back =
        visit.session_mut().and_then(|session| session.return_to.take()).unwrap_or_else(|| "/".to_owned());
    begin_session(visit, id);
    visit.redirect(&back)
}

/// A new session, as Rails makes one at sign-in, with an access token of its own (facts 2.2).
fn begin_session(visit: &mut Visit, id: Id) {
    let now = visit.now();
    let old = visit.session_id.clone();
    let server = visit.server_mut();
    server.sessions.remove(&old);
    let (key, session) = signed_in_session(id, now);
    server.sessions.insert(key.clone(), session);
    visit.session_id = key;
    visit.me = Some(id);
}

pub fn signed_in_session(id: Id, now: i64) -> (String, crate::state::Session) {
    let session = crate::state::Session {
        secret: random(),
        account: Some(id),
        token: Some(random_text()),
        flash: Vec::new(),
        return_to: None,
        at: now,
    };
    (random_text(), session)
}

pub fn sign_out(visit: &mut Visit) -> Reply {
    // The token dies with the session.
    if let Some(session) = visit.session_mut() {
        session.account = None;
        session.token = None;
        session.secret = random();
    }
    visit.me = None;
    visit.redirect("/")
}

fn progress(version: Version) -> Markup {
    html! {
        @if version.has_html_theme() {
            ol aria-label="Sign up progress" class="progress-tracker" role="list" {
                li class="completed" { div class="circle" { "✓" } div class="label" { "Accept rules" } }
                li class="completed" { div class="circle" { "✓" } div class="label" { "Your details" } }
                li aria-current="step" class="" { div class="circle" {} div class="label" { "Confirm email" } }
            }
        } @else {
            ol class="progress-tracker" {
                li class="completed" { div class="circle" { "✓" } div class="label" { "Accept rules" } }
                li class="separator completed" {}
                li class="completed" { div class="circle" { "✓" } div class="label" { "Your details" } }
                li class="separator completed" {}
                li class="active" { div class="circle" {} div class="label" { "Confirm email" } }
            }
        }
    }
}

fn address_input(version: Version, email: &str) -> Markup {
    let aria = (!version.has_html_theme()).then_some("true");
    let placeholder = version.has_html_theme().then_some("E-mail address");
    html! {
        div class="input email required user_email" {
            input aria-label="E-mail address" autocomplete="off" placeholder=[placeholder] class="string email required" required aria-required=[aria] type="email" value=(email) name="user[email]" id="user_email";
        }
    }
}

pub fn setup_page(visit: &mut Visit) -> Reply {
    let Some((number, email, confirmed, approved)) = visit
        .me
        .and_then(|me| visit.server().user(me))
        .map(|user| (user.number, user.email.clone(), user.confirmed, user.approved))
    else {
        return layout::not_found(visit.server());
    };
    if confirmed && approved {
        return visit.redirect("/");
    }
    let version = visit.server().version;
    let footer = html! {
        div class="form-footer" {
            ul class="no-list" {
                li { a href="/auth/edit" { "Account settings" } }
                li { a href="/auth/confirmation/new" { "Didn't receive a confirmation link?" } }
                li { a data-method="delete" href="/auth/sign_out" { "Logout" } }
            }
        }
    };
    if confirmed {
        let content = html! {
            div class="simple_form" { h1 class="title" { "Account status" } p class="lead" { "Your application is pending review by our staff. This may take some time. You will receive an email if your application is approved." } }
            (footer)
        };
        return layout::auth(visit, "Setup", &content);
    }
    let hidden = form::hidden(version, visit.session(), "/auth/setup", "patch");
    let id = format!("edit_user_{number}");
    let resend = html! {
        p class="lead" { "Check your spam folder, or request another one. You can correct your email address if it's wrong." }
        div class="fields-group" { (address_input(version, &email)) }
        div class="actions" { button name="button" type="submit" class="btn button timer-button" disabled { "Resend confirmation link" } }
    };
    if !version.at_least(Version::V4_2) {
        let missing = visit.request.query("missing_email").is_some();
        let content = html! {
            form class="simple_form edit_user" id=(id) novalidate="novalidate" action="/auth/setup" accept-charset="UTF-8" method="post" {
                (hidden)
                p class="hint" { "An email with a confirmation link has been sent to " strong { (email) } "." }
                @if missing { div class="fields-group" { (address_input(version, &email)) } (form::submit("btn button", "Change email", false)) }
            }
            (footer)
        };
        return layout::auth(visit, "Setup", &content);
    }
    let content = html! {
        form class="simple_form edit_user" id=(id) novalidate="novalidate" action="/auth/setup" accept-charset="UTF-8" method="post" data-confirmation-poll="5" {
            (hidden)
            (progress(version))
            h1 class="title" { "Check your inbox" }
            @if version.at_least(Version::V4_4) {
                p class="lead" { "Click the link we sent to " strong { (email) } " to begin using Mastodon. We'll wait right here." }
                details { summary class="lead" { strong { "Didn't get a link?" } } (resend) }
            } @else {
                p class="lead" { "Click the link we sent you to verify " strong { (email) } ". We'll wait right here." }
                p class="lead" { strong { "Didn't get a link?" } }
                (resend)
            }
        }
        @if !version.has_html_theme() { (footer) }
    };
    layout::auth(visit, "Check your inbox", &content)
}

pub fn setup(visit: &mut Visit) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let side = visit.side();
    let email = visit.request.field("user[email]").unwrap_or("").trim().to_owned();
    if let Some(user) = visit.server_mut().user_mut(me)
        && !email.is_empty()
    {
        user.email = email;
    }
    social::send_confirmation(visit.world, side, me);
    visit.flash("notice", "You will receive a new email with the confirmation link in a few minutes!");
    visit.redirect("/auth/setup")
}

/// Redirects away unless an address waits to be confirmed: the silent probe of facts 1.4.
pub fn confirmation_page(visit: &mut Visit) -> Reply {
    let version = visit.server().version;
    let state = visit.me.and_then(|me| visit.server().user(me)).map(|user| {
        (
            user.confirmed && user.unconfirmed_email.is_none(),
            user.unconfirmed_email.clone().unwrap_or_else(|| user.email.clone()),
        )
    });
    if let Some((true, _)) = state {
        let functional = visit.me.is_some_and(|me| visit.server().functional(me));
        return if functional { visit.redirect("/") } else { visit.redirect("/auth/edit") };
    }
    let text = if version.at_least(Version::V4_2) {
        "Resend confirmation link"
    } else {
        "Resend confirmation instructions"
    };
    let read_only = state.is_some() && version.at_least(Version::V4_2);
    let value = state.map(|(_, email)| email).unwrap_or_default();
    let content = html! {
        form class="simple_form new_user" id="new_user" novalidate="novalidate" action="/auth/confirmation" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/auth/confirmation", "post"))
            div class="fields-group" {
                div class="input with_label email optional user_email" {
                    div class="label_input" {
                        label class="email optional" for="user_email" { "E-mail address" }
                        div class="label_input__wrapper" {
                            input aria-label="E-mail address" class="string email optional" readonly[read_only] autofocus type="email" value=(value) name="user[email]" id="user_email";
                        }
                    }
                }
            }
            (form::submit("btn", text, false))
        }
    };
    layout::auth(visit, text, &content)
}

pub fn resend(visit: &mut Visit) -> Reply {
    let side = visit.side();
    let email = visit.request.field("user[email]").unwrap_or("").trim().to_owned();
    let found = visit
        .server()
        .local_accounts()
        .find(|account| {
            account
                .user
                .as_ref()
                .is_some_and(|user| user.email == email || user.unconfirmed_email.as_deref() == Some(&email))
        })
        .map(|account| account.id);
    if let Some(id) = found {
        social::send_confirmation(visit.world, side, id);
    }
    visit.flash("notice", "You will receive an email with instructions for how to confirm your email address in a few minutes. Please check your spam folder if you didn't receive this email.");
    visit.redirect(if visit.me.is_some() { "/auth/edit" } else { "/auth/sign_in" })
}

/// `/auth/confirmation?confirmation_token=…`
pub fn confirm(visit: &mut Visit) -> Reply {
    let side = visit.side();
    let token = visit.request.query("confirmation_token").unwrap_or("").to_owned();
    match social::confirm(visit.world, side, &token) {
        Some(id) => {
            if visit.me == Some(id) {
                visit.redirect("/web/start")
            } else {
                visit.flash("notice", "Your email address has been successfully confirmed.");
                visit.redirect("/auth/sign_in")
            }
        }
        None => {
            visit.flash("alert", "Confirmation token is invalid");
            visit.redirect("/auth/confirmation/new")
        }
    }
}
