//! The frames around every page: preferences, sign-in, the web app, errors (facts 1.1), and `#initial-state` (facts 2.1).

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Value, json};

use super::Visit;
use crate::api::entity;
use crate::csrf;
use crate::http::{Kind, Reply};
use crate::state::{Id, Server, random};
use crate::version::Version;

const SITE: &str = "Mastodon";

fn nonce() -> String {
    format!("{:016x}{:06x}==", random(), random() & 0x00ff_ffff)
}

/// The state that the web interface starts from. The token is in it only while the person may use it.
pub fn initial_state(server: &Server, me: Option<Id>, token: Option<&str>) -> Value {
    let version = server.version;
    let functional = me.is_some_and(|me| server.functional(me));
    let usable = me.is_some() && (functional || !version.token_only_when_functional());
    let mut meta = json!({
        "access_token": if usable { token } else { None }, "activity_api_enabled": true, "admin": null, "domain": server.domain, "limited_federation_mode": false,
        "locale": "en", "mascot": null, "profile_directory": true, "registrations_open": true, "repository": "mastodon/mastodon", "search_enabled": false,
        "single_user_mode": false, "source_url": "https://github.com/mastodon/mastodon", "sso_redirect": null, "status_page_url": null,
        "streaming_api_base_url": server.origin.replacen("http", "ws", 1), "title": SITE, "trends_enabled": true, "version": version.full(),
    });
    let mut set = |name: &str, value: Value| meta[name] = value;
    if version.at_least(Version::V4_6) {
        set("landing_page", json!("trends"));
        set("terms_of_service_enabled", json!(false));
        for name in [
            "local_live_feed_access",
            "remote_live_feed_access",
            "local_topic_feed_access",
            "remote_topic_feed_access",
        ] {
            set(name, json!("public"));
        }
    } else {
        set("timeline_preview", json!(true));
        set("trends_as_landing_page", json!(true));
    }
    let mut accounts = serde_json::Map::new();
    let mut add = |id: Id| {
        accounts.insert(id.to_string(), entity::account(server, id));
    };
    let mut compose = json!({ "text": "" });
    if let Some(me) = me {
        add(me);
        if usable {
            set("me", json!(me.to_string()));
            let flags = [
                "boost_modal",
                "expand_spoilers",
                "disable_swiping",
                "disable_hover_cards",
                "advanced_layout",
                "use_pending_items",
                "auto_play_gif",
                "reduce_motion",
            ];
            for name in flags {
                set(name, json!(false));
            }
            for name in ["delete_modal", "use_blurhash", "show_trends"] {
                set(name, json!(true));
            }
            set("display_media", json!("default"));
            if version.at_least(Version::V4_6) {
                set("quick_boosting", json!(false));
                set("missing_alt_text_modal", json!(true));
                set("emoji_style", json!("auto"));
                set("wrapstodon", Value::Null);
            }
            compose = json!({ "me": me.to_string(), "default_privacy": "public", "default_sensitive": false, "default_language": "en", "text": "" });
            if version.at_least(Version::V4_6) {
                compose["default_quote_policy"] = json!("public");
            }
        } else {
            for name in ["auto_play_gif", "display_media", "reduce_motion", "use_blurhash"] {
                set(name, Value::Null);
            }
            set("disabled_account_id", json!(me.to_string()));
            if let Some(target) = server.account(me).and_then(|account| account.moved_to) {
                set("moved_to_account_id", json!(target.to_string()));
                add(target);
            }
        }
    } else {
        for name in ["auto_play_gif", "display_media", "reduce_motion", "use_blurhash"] {
            set(name, Value::Null);
        }
    }
    let mut state = json!({
        "meta": meta, "compose": compose, "accounts": accounts, "media_attachments": { "accept_content_types": [".jpg", ".png", "image/jpeg", "image/png"] },
        "settings": {}, "languages": [["en", "English", "English"], ["de", "German", "Deutsch"], ["es", "Spanish", "Español"]], "push_subscription": null,
        "role": if usable { me.map(|me| entity::role(server, me)) } else { None },
    });
    if version.at_least(Version::V4_6) {
        state["features"] = json!([]);
    }
    state
}

/// JSON inside a script element: nothing in it may end the element.
fn script_safe(value: &Value) -> PreEscaped<String> {
    PreEscaped(value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

const DESCRIPTION: &str = "The social network of the future: No ads, no corporate surveillance, ethical design, and decentralization! Own your data with Mastodon!";

fn head(
    visit: &Visit,
    title: &str,
    nonce: &str,
    with_state: bool,
    with_csrf: bool,
    extra: &Markup,
) -> Markup {
    let server = visit.server();
    let version = server.version;
    let session = visit.session();
    html! {
        head {
            meta charset="utf-8";
            meta content="width=device-width, initial-scale=1, viewport-fit=cover" name="viewport";
            link href="/favicon.ico" rel="icon" type="image/png";
            link href="/manifest" rel="manifest";
            @if version.has_html_theme() { script src="/packs/theme-selection.js" {} }
            meta name="theme-color" content="#181820" media="(prefers-color-scheme: dark)";
            meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)";
            meta content="yes" name="mobile-web-app-capable";
            title { (title) }
            link rel="stylesheet" href="/packs/assets/default.css" media="all";
            script src="/packs/common.js" defer {}
            @if with_csrf {
                meta name="csrf-param" content="authenticity_token";
                meta name="csrf-token" content=(csrf::meta_token(session));
            }
            meta content=(nonce) name="style-nonce" nonce=[version.at_least(Version::V4_5).then_some(nonce)] property=[version.at_least(Version::V4_5).then_some("csp-nonce")];
            (extra)
            @if with_state {
                script id="initial-state" type="application/json" { (script_safe(&initial_state(server, visit.me, session.token.as_deref()))) }
            }
        }
    }
}

fn theme_classes(version: Version) -> &'static str {
    match version {
        v if v.has_html_theme() => "",
        v if v.at_least(Version::V4_3) => " theme-system no-reduce-motion",
        _ => " theme-default no-reduce-motion",
    }
}

fn document(version: Version, head: &Markup, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        @if version.has_html_theme() {
            html class="custom-scrollbars no-reduce-motion" data-color-scheme="auto" data-contrast="auto" data-system-theme="true" lang="en" { (head) (body) }
        } @else {
            html lang="en" { (head) (body) }
        }
    };
    page.into_string()
}

fn logo() -> Markup {
    html! { svg class="logo logo--wordmark" viewBox="0 0 180 40" role="img" aria-label="Mastodon" { path d="M8 6h24a4 4 0 0 1 4 4v14a8 8 0 0 1-8 8H16v4h10v2H12V24H8a4 4 0 0 1-4-4V10a4 4 0 0 1 4-4z" {} text x="46" y="29" { "mastodon" } } }
}

pub fn icon() -> Markup {
    html! { svg class="icon" viewBox="0 0 24 24" width="16" height="16" aria-hidden="true" { circle cx="12" cy="12" r="7" {} } }
}

/// What the menu beside the content offers (facts 1.3, last paragraph).
fn navigation(visit: &Visit, path: &str) -> Markup {
    let server = visit.server();
    let version = server.version;
    let functional = visit.me.is_some_and(|me| server.functional(me));
    let imports = if version.has_bulk_imports() { "/settings/imports" } else { "/settings/import" };
    let owner = visit.me.and_then(|me| server.user(me)).is_some_and(|user| user.owner);
    let in_account = path.starts_with("/auth")
        || path.starts_with("/settings/migration")
        || path.starts_with("/settings/aliases")
        || path.starts_with("/settings/delete");
    let in_data = path.starts_with("/settings/export") || path.starts_with("/settings/import");
    let item = |id: &str, href: &str, text: &str, selected: bool| {
        html! { li id=(id) class=[selected.then_some("selected")] { a class=[selected.then_some("selected")] href=(href) { (icon()) " " (text) } } }
    };
    html! {
        ul {
            (item("web", "/", "Back to Mastodon", false))
            @if functional {
                (item("profile", "/settings/profile", "Public profile", path == "/settings/profile"))
                @if version.at_least(Version::V4_2) { (item("privacy", "/settings/privacy", "Privacy and reach", path == "/settings/privacy")) }
                (item("preferences", "/settings/preferences/appearance", "Preferences", path.starts_with("/settings/preferences")))
                (item("relationships", "/relationships", "Follows and followers", path == "/relationships"))
            }
            li id="security" class=[in_account.then_some("selected")] {
                a class=[in_account.then_some("selected")] href="/auth/edit" { (icon()) " Account" }
                @if in_account {
                    ul { (item("password", "/auth/edit", "Account settings", true)) }
                }
            }
            li id="data" class=[in_data.then_some("selected")] {
                a class=[in_data.then_some("selected")] href="/settings/export" { (icon()) " Import and export" }
                @if in_data {
                    ul {
                        @if functional { (item("import", imports, "Import", path.starts_with("/settings/import"))) }
                        (item("export", "/settings/export", if version.at_least(Version::V4_3) { "Export" } else { "Data export" }, path == "/settings/export"))
                    }
                }
            }
            @if owner { (item("sidekiq", "/sidekiq", "Sidekiq", false)) }
            li id="logout" { a data-method="delete" href="/auth/sign_out" { (icon()) " Logout" } }
        }
    }
}

pub fn flashes(list: &[(&'static str, String)]) -> Markup {
    html! { @for (kind, text) in list { div class={ "flash-message " (kind) } { strong { (text) } } } }
}

/// The heading of a preferences page: `h1` since 4.6, `h2` before, with another class up to 3.5.
fn heading(version: Version, title: &str, tabs: Option<&Markup>) -> Markup {
    let class = if version.at_least(Version::V4_1) { "content__heading" } else { "content-heading" };
    let text = html! { @if version.has_html_theme() { h1 { (title) } } @else { h2 { (title) } } };
    html! {
        div class=(class) {
            @if let Some(tabs) = tabs { (text) div class="content__heading__tabs" { div { (tabs) } } }
            @else if version.at_least(Version::V4_1) { div class="content__heading__row" { (text) } }
            @else { (text) }
        }
    }
}

/// A section's heading within the page.
pub fn section(version: Version, text: &str) -> Markup {
    html! { @if version.has_html_theme() { h3 class="heading-medium" { (text) } } @else { h3 { (text) } } }
}

/// `admin.html.haml`: all preferences pages.
pub fn admin(visit: &mut Visit, title: &str, content: &Markup) -> Reply {
    admin_with(visit, title, None, content)
}

pub fn admin_with(visit: &mut Visit, heading_text: &str, tabs: Option<&Markup>, content: &Markup) -> Reply {
    // The profile pages share a heading and tabs; the title is the tab's.
    let title = match visit.request.path.as_str() {
        "/settings/profile" => "Edit profile",
        "/settings/privacy" => "Privacy and reach",
        _ => heading_text,
    };
    let flash = visit.take_flash();
    let nonce = nonce();
    let version = visit.server().version;
    let head = head(visit, &format!("{title} - {SITE}"), &nonce, true, true, &html! {});
    let path = visit.request.path.clone();
    let inner =
        html! { div class="content" { (heading(version, heading_text, tabs)) (flashes(&flash)) (content) } };
    let sidebar = html! {
        div class="sidebar-wrapper__inner" {
            div class="sidebar" {
                a href="/" { img alt=(SITE) class="logo logo--icon" src="/packs/assets/logo.svg"; }
                div class="sidebar__toggle" {
                    div class="sidebar__toggle__logo" { a href="/" { (logo()) } }
                    a class="sidebar__toggle__icon" aria-label="Toggle menu" aria-expanded="false" href="#" { "☰" }
                }
                @if version.has_html_theme() { nav { (navigation(visit, &path)) } } @else { (navigation(visit, &path)) }
            }
        }
    };
    let body = html! {
        body class={ "admin" (theme_classes(version)) } {
            @if version.has_html_theme() { a class="navigation-skip-link" href="#content" { "Skip to content" } }
            div class="admin-wrapper" {
                @if version.has_html_theme() {
                    header class="sidebar-wrapper" { (sidebar) }
                    main class="content-wrapper" id="content" { (inner) }
                } @else {
                    div class="sidebar-wrapper" { (sidebar) }
                    div class="content-wrapper" { (inner) }
                }
                div class="sidebar-wrapper sidebar-wrapper--empty" {}
            }
        }
    };
    let mut reply = Reply::html(Kind::Page, 200, document(version, &head, &body));
    reply.nonce = Some(nonce);
    reply
}

/// `auth.html.haml`: sign-in, set-up, confirmation; no initial state there.
pub fn auth(visit: &mut Visit, title: &str, content: &Markup) -> Reply {
    let flash = visit.take_flash();
    let nonce = nonce();
    let version = visit.server().version;
    let extra = html! { @if visit.me.is_none() { meta content=(DESCRIPTION) name="description"; } };
    let head = head(visit, &format!("{title} - {SITE}"), &nonce, false, true, &extra);
    let class = match version {
        v if v.has_html_theme() => String::new(),
        v if v.at_least(Version::V4_3) => theme_classes(v).trim().to_owned(),
        v => format!("lighter{}", theme_classes(v)),
    };
    let body = html! {
        body class=(class) {
            div class="container-alt" {
                @if version.has_html_theme() {
                    header class="logo-container" { a href="/" { (logo()) } }
                    main class="form-container" { (flashes(&flash)) (content) }
                } @else {
                    div class="logo-container" { h1 { a href="/" { (logo()) } } }
                    div class="form-container" { (flashes(&flash)) (content) }
                }
            }
        }
    };
    let mut reply = Reply::html(Kind::Page, 200, document(version, &head, &body));
    reply.nonce = Some(nonce);
    reply
}

/// The web app. What its scripts would draw is left out; a line says where one is.
pub fn app(visit: &mut Visit, title: &str, status: u16) -> Reply {
    app_with(visit, title, status, None)
}

/// `/share`, with a text to begin with.
pub fn compose(visit: &mut Visit, text: &str) -> Reply {
    app_with(visit, "Mastodon", 200, Some(text))
}

fn app_with(visit: &mut Visit, title: &str, status: u16, compose: Option<&str>) -> Reply {
    let nonce = nonce();
    let server = visit.server();
    let version = server.version;
    let with_csrf = visit.me.is_some() || !version.at_least(Version::V4_2);
    let path = visit.request.path.as_str();
    let public = path == "/about" || path.starts_with("/@");
    let extra = html! {
        meta content=(DESCRIPTION) name="description";
        @if visit.me.is_some() && path != "/" && !public { meta content="noindex" name="robots"; }
        @if visit.me.is_some() && !public { meta content=(path) name="initialPath"; }
        meta content=(crate::api::instance::VAPID) name="applicationServerKey";
    };
    let head = head(visit, title, &nonce, true, with_csrf, &extra);
    let name = visit.me.and_then(|me| server.account(me)).map(|account| account.acct());
    let body = html! {
        body class={ "app-body" (theme_classes(version)) } {
            div class="notranslate app-holder" data-props=(json!({ "locale": "en" }).to_string()) id="mastodon" {
                div class="app-note" {
                    (logo())
                    p { "The web interface of " strong { (server.domain) } " would be here." }
                    p {
                        @if let Some(name) = &name { "Signed in as " strong { "@" (name) } ". " a href="/settings/migration" { "Account migration" } }
                        @else { a href="/auth/sign_in" { "Log in" } }
                    }
                    @if let Some(text) = compose { textarea aria-label="What's on your mind?" class="autosuggest-textarea__textarea" rows="8" cols="40" { (text) } }
                }
                noscript { "To use the Mastodon web application, please enable JavaScript." }
            }
        }
    };
    let mut reply = Reply::html(Kind::App, status, document(version, &head, &body));
    reply.nonce = Some(nonce);
    reply
}

/// `error.html.haml`.
pub fn error(server: &Server, status: u16, text: &str) -> Reply {
    let version = server.version;
    let head = html! { head { meta charset="utf-8"; title { (text) " - " (SITE) } meta content="width=device-width,initial-scale=1" name="viewport"; link rel="stylesheet" href="/packs/assets/default.css" media="all"; } };
    let body = html! { body class="error" { div class="dialog" { div class="dialog__illustration" { img alt="Mastodon" src="/oops.png"; } div class="dialog__message" { h1 { (text) } } } } };
    let mut reply = Reply::html(Kind::Page, status, document(version, &head, &body));
    // Error pages have no inline script, so no hash for one (captures).
    reply.nonce = None;
    reply
}

pub fn not_found(server: &Server) -> Reply {
    error(server, 404, "The page you are looking for isn't here.")
}

pub fn unverified(server: &Server) -> Reply {
    error(server, 422, "Security verification failed. Are you blocking cookies?")
}
