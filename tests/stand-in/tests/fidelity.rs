//! Compares the stand-in with captures of real servers (Mastodon 4.3 and 4.6): forms, fields, links, landmarks, headers, redirects, JSON shapes.
//! A difference that is meant stands in `ALLOWED` with its reason; any other fails the test. Without the captures one line says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{Browser, Response, stage};
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;
use stand_in::{PASSWORD, Side, Version};

/// A difference that is meant: part of its line, and why.
struct Allowed {
    what: &'static str,
    why: &'static str,
}

/// Every difference that is meant. The test also fails when one of these is no longer met.
const ALLOWED: &[Allowed] = &[
    Allowed {
        what: "+ link href=/settings/migration",
        why: "a line with a link stands where the web app's interface would be drawn by its scripts",
    },
    Allowed { what: "+ link href=/auth/sign_in", why: "the same line, for those not signed in" },
    Allowed { what: "title Ana Ruiz (@ana@DOMAIN) - Mastodon", why: "our person is called otherwise" },
    Allowed { what: "title Alice Old (@alice@DOMAIN) - Mastodon", why: "theirs" },
    Allowed {
        what: "link href=/settings/sessions/N",
        why: "there is one for each further session; the tests sign in more or less often than the captured people did",
    },
    Allowed {
        what: "noindex is",
        why: "only local accounts have it; the first entry is one of ours where theirs was of the other server",
    },
    Allowed { what: "roles is", why: "as noindex" },
    Allowed { what: "application is", why: "only local posts have it; as noindex" },
    Allowed {
        what: "after_alias2_actor.json: json .alsoKnownAs is too much",
        why: "the capture was taken within the three minutes of the cache",
    },
    Allowed { what: "api_followed_tags.json: link", why: "our person follows tags, theirs followed none" },
];

fn captures() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    std::env::var_os("PACKED_TRUNK_CAPTURES").map_or_else(beside, PathBuf::from)
}

/// One reply of a chain, from a capture or from us, reduced to what is compared.
#[derive(Debug)]
struct Hop {
    status: u16,
    headers: BTreeMap<String, String>,
}

/// Hosts, numbers and nonces differ from server to server.
fn normal(text: &str) -> String {
    let mut out = text.replace("https://", "http://").replace("wss://", "ws://");
    for host in ["old.test", "new.test"] {
        out = out.replace(&format!("http://{host}"), "HOST").replace(&format!("ws://{host}"), "STREAM");
    }
    for name in ["old.localhost", "new.localhost"] {
        for scheme in ["http", "ws"] {
            while let Some(at) = out.find(&format!("{scheme}://{name}:")) {
                let end = out[at + scheme.len() + 4 + name.len()..]
                    .find(|c: char| !c.is_ascii_digit())
                    .map_or(out.len(), |rest| at + scheme.len() + 4 + name.len() + rest);
                out.replace_range(at..end, if scheme == "http" { "HOST" } else { "STREAM" });
            }
        }
    }
    for name in ["alice2@new.test", "bob3@new.test", "alice2", "ana_ready"] {
        out = out.replace(name, "TARGET");
    }
    for side in ["old", "new"] {
        out = out.replace(&format!("{side}.test"), "DOMAIN");
        while let Some(at) = out.find(&format!("{side}.localhost:")) {
            let from = at + side.len() + 11;
            let end = out[from..].find(|c: char| !c.is_ascii_digit()).map_or(out.len(), |rest| from + rest);
            out.replace_range(at..end, "DOMAIN");
        }
    }
    out = out.replace("TARGET@DOMAIN", "TARGET").replace("bob3@DOMAIN", "TARGET");
    let mut short = String::new();
    for part in out.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        let rest = &part[digits.len()..];
        short.push_str(if digits.is_empty() { "" } else { "N" });
        short.push_str(rest);
    }
    short.split_whitespace().collect::<Vec<_>>().join(" ")
}

const COMPARED: [&str; 13] = [
    "x-frame-options",
    "x-content-type-options",
    "x-xss-protection",
    "referrer-policy",
    "cache-control",
    "content-security-policy",
    "content-type",
    "content-disposition",
    "vary",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

fn reduce(name: &str, value: &str) -> String {
    match name {
        "content-security-policy" => {
            let mut directives: Vec<String> = value
                .split(';')
                .map(|directive| {
                    let directive = normal(directive);
                    let words = directive
                        .split(' ')
                        .map(|word| if word.starts_with("'nonce-") { "'nonce-X'" } else { word });
                    words.collect::<Vec<_>>().join(" ")
                })
                .collect();
            directives.sort();
            directives.join("; ")
        }
        // The values are counters; that they are there is what counts.
        "x-ratelimit-limit" | "x-ratelimit-remaining" | "x-ratelimit-reset" => "present".to_owned(),
        _ => normal(value),
    }
}

fn captured_chain(root: &Path, capture: &str) -> Vec<Hop> {
    let path = root.join(capture).with_extension("headers.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut chain: Vec<Hop> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("< ")) {
        if let Some((name, value)) = line.split_once(": ") {
            let name = name.to_lowercase();
            if let Some(hop) = chain.last_mut() {
                hop.headers.insert(name, value.to_owned());
            }
        } else if let Some(status) = line.split(' ').next().and_then(|code| code.parse().ok()) {
            chain.push(Hop { status, headers: BTreeMap::new() });
        }
    }
    chain
}

fn our_hop(reply: &Response) -> Hop {
    Hop { status: reply.status, headers: reply.headers.iter().cloned().collect() }
}

/// What a page is made of, as far as an extension could rely on it. A set of lines; order matters within a form only.
fn landmarks(html: &str) -> BTreeSet<String> {
    let page = Html::parse_document(html);
    let all = |selector: &str| Selector::parse(selector).unwrap();
    let mut out = BTreeSet::new();
    let attribute = |element: &ElementRef, name: &str| element.value().attr(name).map(normal);
    let list = |element: &ElementRef, names: &[&str]| {
        names
            .iter()
            .filter_map(|name| {
                element.value().attr(name).map(|value| {
                    format!(" {name}={}", if *name == "value" { value.to_owned() } else { normal(value) })
                })
            })
            .collect::<String>()
    };
    let text = |element: &ElementRef| normal(&element.text().collect::<String>());
    for element in page.select(&all("html, body, .admin-wrapper, .content-wrapper, main, nav, .navigation-skip-link, .container-alt, .form-container, div#mastodon, meta[name]")) {
        let path: Vec<&str> = element.ancestors().filter_map(ElementRef::wrap).map(|up| up.value().name()).collect();
        if path.contains(&"svg") {
            continue;
        }
        out.insert(format!("landmark {}{}", element.value().name(), list(&element, &["id", "class", "name", "lang", "data-color-scheme", "data-contrast", "data-system-theme", "property", "href", "data-props"])));
    }
    if let Some(title) = page.select(&all("title")).next() {
        out.insert(format!("title {}", text(&title)));
    }
    if let Some(state) = page.select(&all("script#initial-state")).next() {
        let state: Value = serde_json::from_str(&state.text().collect::<String>()).unwrap_or(Value::Null);
        out.extend(state.as_object().into_iter().flatten().map(|(key, _)| format!("state {key}")));
        for (key, value) in state["meta"].as_object().into_iter().flatten() {
            out.insert(format!(
                "state meta.{key}{}",
                if key == "access_token" { if value.is_null() { " null" } else { " set" } } else { "" }
            ));
        }
    }
    let root = page
        .select(&all(".content"))
        .next()
        .or_else(|| page.select(&all(".form-container, body.app-body, body.error")).next());
    let Some(root) = root else { return out };
    for form in root.select(&all("form")) {
        out.insert(format!(
            "form{}",
            list(&form, &["id", "class", "action", "method", "enctype", "novalidate"])
        ));
        let fields: Vec<String> = form
            .select(&all("input, select, textarea, button"))
            .map(|field| field.value().attr("name").map(normal).unwrap_or_default())
            .collect();
        let id = attribute(&form, "id").unwrap_or_default();
        out.insert(format!("fields of {id}: {}", fields.join(" ")));
    }
    for field in root.select(&all("input, select, textarea, button")) {
        let kind = field.value().attr("type").unwrap_or("");
        let value = if matches!(kind, "checkbox" | "radio") || field.value().attr("name") == Some("_method") {
            list(&field, &["value"])
        } else {
            String::new()
        };
        let flags: String = ["disabled", "required", "readonly", "aria-required", "aria-invalid"]
            .iter()
            .filter(|flag| field.value().attr(flag).is_some())
            .map(|flag| format!(" {flag}"))
            .collect();
        out.insert(format!(
            "field {}{}{value}{flags}",
            field.value().name(),
            list(&field, &["type", "name", "id", "class", "autocomplete", "minlength", "maxlength"])
        ));
    }
    for option in root.select(&all("option")) {
        out.insert(format!("option{}", list(&option, &["value"])));
    }
    for wrapper in root.select(&all(".input")) {
        out.insert(format!("wrapper {}", attribute(&wrapper, "class").unwrap_or_default()));
    }
    for link in root.select(&all("a")) {
        out.insert(format!("link{}", list(&link, &["href", "class", "data-method", "id"])));
    }
    for row in root.select(&all("tr")) {
        let cells: Vec<&str> =
            row.children().filter_map(ElementRef::wrap).map(|cell| cell.value().name()).collect();
        out.insert(format!("row {}{}", cells.join(" "), list(&row, &["id"])));
    }
    for table in root.select(&all("table, .table-wrapper")) {
        out.insert(format!("{} {}", table.value().name(), attribute(&table, "class").unwrap_or_default()));
    }
    for head in root.select(&all("h1, h2, h3, h4, th")) {
        out.insert(format!("head {}{} {}", head.value().name(), list(&head, &["class"]), text(&head)));
    }
    for note in root.select(&all(".flash-message, span.error")) {
        out.insert(format!("note {}{} {}", note.value().name(), list(&note, &["class"]), text(&note)));
    }
    for hint in root.select(&all(".warning-hint, .positive-hint, .callout .title, label")) {
        out.insert(format!("text {}", text(&hint)));
    }
    out
}

/// Differences of two JSON shapes: keys and types, arrays by their first element. Null fits anything, an empty array any other.
fn shapes(path: &str, theirs: &Value, ours: &Value, out: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for key in theirs.keys().filter(|key| !ours.contains_key(*key)) {
                out.push(format!("json {path}.{key} is missing"));
            }
            for key in ours.keys().filter(|key| !theirs.contains_key(*key)) {
                out.push(format!("json {path}.{key} is too much"));
            }
            for (key, value) in theirs {
                if let Some(other) = ours.get(key) {
                    shapes(&format!("{path}.{key}"), value, other, out);
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(first), Some(other)) = (theirs.first(), ours.first()) {
                shapes(&format!("{path}[]"), first, other, out);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => {
            if std::mem::discriminant(theirs) != std::mem::discriminant(ours) {
                out.push(format!("json {path} is {ours}, not {theirs}"));
            }
        }
    }
}

/// Collects what differs for one version.
struct Comparison {
    version: Version,
    root: PathBuf,
    compared: usize,
    differences: Vec<String>,
}

impl Comparison {
    fn say(&mut self, capture: &str, text: &str) {
        self.differences.push(format!("{} {capture}: {text}", self.version));
    }

    fn chain(&mut self, capture: &str, ours: &[Response]) {
        let theirs = captured_chain(&self.root, capture);
        let ours: Vec<Hop> = ours.iter().map(our_hop).collect();
        let describe = |chain: &[Hop]| {
            chain
                .iter()
                .map(|hop| {
                    format!(
                        "{}{}",
                        hop.status,
                        hop.headers.get("location").map(|to| format!(" {}", normal(to))).unwrap_or_default()
                    )
                })
                .collect::<Vec<_>>()
                .join(" -> ")
        };
        if describe(&theirs) != describe(&ours) {
            self.say(capture, &format!("chain {} instead of {}", describe(&ours), describe(&theirs)));
        }
        for (number, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
            for name in COMPARED {
                let get = |hop: &Hop| hop.headers.get(name).map(|value| reduce(name, value));
                let (left, right) = (get(theirs), get(ours));
                if left != right {
                    self.say(
                        capture,
                        &format!("header {name} of reply {number}: {right:?} instead of {left:?}"),
                    );
                }
            }
        }
    }

    fn body(&self, capture: &str) -> Vec<u8> {
        let path = self.root.join(capture);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn page(&mut self, capture: &str, ours: &[Response]) {
        self.compared += 1;
        self.chain(capture, ours);
        let theirs = landmarks(&String::from_utf8_lossy(&self.body(capture)));
        let own = landmarks(&ours.last().unwrap().text());
        for line in theirs.difference(&own) {
            self.say(capture, &format!("- {line}"));
        }
        for line in own.difference(&theirs) {
            self.say(capture, &format!("+ {line}"));
        }
    }

    fn json(&mut self, capture: &str, ours: &Response) {
        self.compared += 1;
        self.chain(capture, std::slice::from_ref(ours));
        let theirs: Value = serde_json::from_slice(&self.body(capture)).unwrap();
        let mut out = Vec::new();
        shapes("", &theirs, &ours.json(), &mut out);
        for line in out {
            self.say(capture, &line);
        }
        if let (Some(theirs), Some(own)) = (theirs["error"].as_str(), ours.json()["error"].as_str())
            && theirs != own
        {
            self.say(capture, &format!("error {own:?} instead of {theirs:?}"));
        }
        let form = |link: Option<&str>| link.map(|link| link.split(", ").map(normal).collect::<Vec<_>>());
        let theirs =
            captured_chain(&self.root, capture).last().and_then(|hop| hop.headers.get("link").cloned());
        let (theirs, own) = (form(theirs.as_deref()), form(ours.header("link")));
        if theirs != own {
            self.say(capture, &format!("link {own:?} instead of {theirs:?}"));
        }
    }

    fn csv(&mut self, capture: &str, ours: &Response) {
        self.compared += 1;
        self.chain(capture, std::slice::from_ref(ours));
        let shape = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let first = text.lines().next().unwrap_or("").to_owned();
            let header = if first.starts_with("Account address") { first } else { "none".to_owned() };
            (
                header,
                text.lines().nth(1).map_or(0, |line| line.matches(',').count().min(1)),
                text.ends_with('\n'),
                text.contains('\r'),
            )
        };
        let (left, right) = (shape(&self.body(capture)), shape(&ours.body));
        if left != right {
            self.say(capture, &format!("csv {right:?} instead of {left:?}"));
        }
    }
}

/// A GET with its redirects, every reply kept.
fn open(browser: &mut Browser, path: &str) -> Vec<Response> {
    let first = browser.get(path);
    walk(browser, first)
}

fn walk(browser: &mut Browser, first: Response) -> Vec<Response> {
    let mut chain = vec![first];
    while let Some(path) = chain.last().and_then(Response::path) {
        chain.push(browser.get(&path));
    }
    chain
}

fn compare(version: Version, root: &Path) -> Comparison {
    let mut c = Comparison { version, root: root.to_owned(), compared: 0, differences: Vec::new() };
    let stage = stage(version);
    let control = stage.pair.control();
    let new_domain = stage.pair.new.domain();
    let old_domain = stage.pair.old.domain();
    let signed_in = |side: Side, user: &str| {
        let (cookie, token) = control.sign_in(side, user);
        (
            Browser::with_cookie(if side == Side::Old { &stage.pair.old } else { &stage.pair.new }, &cookie),
            token,
        )
    };
    let newest = version.has_html_theme();
    anonymous(&mut c, &mut Browser::new(&stage.pair.old));
    let mut guest = Browser::new(&stage.pair.old);
    let reply = guest.post(
        "/auth/sign_in",
        "/auth/sign_in",
        &[("user[email]", "ana@mail.example"), ("user[password]", PASSWORD)],
    );
    let chain = walk(&mut guest, reply);
    c.page("old_alice/post_sign_in.html", &chain);

    // The old account before the move.
    let (mut old, token) = signed_in(Side::Old, "ana");
    for (capture, path) in [
        ("home", "/"),
        ("web_home", "/home"),
        ("web_conversations", "/conversations"),
        ("settings_migration_initial", "/settings/migration"),
        ("settings_migration_redirect_new", "/settings/migration/redirect/new"),
        ("settings_aliases_empty", "/settings/aliases"),
        ("settings_export", "/settings/export"),
        ("settings_imports_empty", "/settings/imports"),
        ("auth_edit_confirmed", "/auth/edit"),
        ("settings_delete", "/settings/delete"),
        ("settings_profile", "/settings/profile"),
        ("settings_privacy", "/settings/privacy"),
    ] {
        let chain = open(&mut old, path);
        c.page(&format!("old_alice/{capture}.html"), &chain);
    }
    for name in ["follows", "lists", "mutes", "blocks", "domain_blocks", "bookmarks"] {
        let reply = old.get(&format!("/settings/exports/{name}.csv"));
        c.csv(&format!("old_alice/exports_{name}.csv"), &reply);
    }
    if newest {
        let reply = old.get("/settings/exports/custom_filters.json");
        c.json("old_alice/exports_custom_filters.json", &reply);
    }
    api(&mut c, &mut old, &token, &new_domain);
    let wrong: [(&str, String, &str); 6] = [
        ("wrong_password", format!("ana@{new_domain}"), "no"),
        ("no_alias", format!("ana@{new_domain}"), PASSWORD),
        ("not_found", format!("nobody@{new_domain}"), PASSWORD),
        ("self", "ana".to_owned(), PASSWORD),
        ("empty", String::new(), PASSWORD),
        ("url", format!("http://{new_domain}/@ana"), PASSWORD),
    ];
    for (capture, acct, password) in wrong {
        let fields =
            [("account_migration[acct]", acct.as_str()), ("account_migration[current_password]", password)];
        let reply = old.post("/settings/migration", "/settings/migration", &fields);
        c.page(&format!("old_alice/migration_err_{capture}.html"), &[reply]);
    }

    // The new account: aliases, imports.
    let (mut new, new_token) = signed_in(Side::New, "ana");
    for (capture, path) in [
        ("settings_aliases_empty", "/settings/aliases"),
        ("settings_migration_initial", "/settings/migration"),
    ] {
        let chain = open(&mut new, path);
        c.page(&format!("new_alice2/{capture}.html"), &chain);
    }
    let old_ana = format!("ana@{old_domain}");
    let alias = |browser: &mut Browser, acct: &str| {
        let reply = browser.post("/settings/aliases", "/settings/aliases", &[("account_alias[acct]", acct)]);
        walk(browser, reply)
    };
    for (capture, acct) in [
        ("alias_err_not_found", format!("nobody@{old_domain}")),
        ("alias_err_self", "ana".to_owned()),
        ("alias_err_empty", String::new()),
        ("alias_err_url", format!("http://{old_domain}/@ana")),
        ("alias_create", format!("@{old_ana}")),
        ("alias_err_duplicate", old_ana.clone()),
    ] {
        let chain = alias(&mut new, &acct);
        c.page(&format!("new_alice2/{capture}.html"), &chain);
    }
    let chain = open(&mut new, "/settings/aliases");
    c.page("new_alice2/settings_aliases_one.html", &chain);
    let chain = alias(&mut new, &format!("emil@{old_domain}"));
    c.page("new_alice2/alias_create_second.html", &chain);
    let chain = open(&mut new, "/settings/aliases");
    c.page("new_alice2/settings_aliases_two.html", &chain);
    let last = control.person(Side::New, "ana")["aliases"][1]["id"].as_u64().unwrap();
    let reply = new.post("/settings/aliases", &format!("/settings/aliases/{last}"), &[("_method", "delete")]);
    let chain = walk(&mut new, reply);
    c.page("new_alice2/alias_delete.html", &chain);
    let check = new.api("/api/v1/emails/check_confirmation", None);
    c.json("new_alice2/api_emails_check_confirmation_COOKIEONLY.json", &check);
    let cookie_only = new.api("/api/v1/accounts/verify_credentials", None);
    c.json("new_alice2/api_verify_credentials_COOKIEONLY.json", &cookie_only);
    let credentials = new.api("/api/v1/accounts/verify_credentials", Some(&new_token));
    c.json("new_alice2/api_verify_credentials.json", &credentials);
    imports(&mut c, &mut new, &control, &old_domain);

    // Unconfirmed, and changing the address.
    let (mut unconfirmed, token_unconfirmed) = signed_in(Side::New, "ana_new");
    for (capture, path) in [
        ("root", "/"),
        ("web_home", "/home"),
        ("auth_setup", "/auth/setup"),
        ("auth_edit", "/auth/edit"),
        ("settings_aliases", "/settings/aliases"),
        ("settings_export", "/settings/export"),
        ("settings_migration", "/settings/migration"),
        ("settings_profile", "/settings/profile"),
        ("settings_preferences_appearance", "/settings/preferences/appearance"),
        ("settings_imports", "/settings/imports"),
        ("settings_delete", "/settings/delete"),
        ("redirect_new", "/settings/migration/redirect/new"),
    ] {
        let chain = open(&mut unconfirmed, path);
        c.page(&format!("new_alice3_unconfirmed/{capture}.html"), &chain);
    }
    for (capture, path) in [
        ("api_verify_credentials_TOKEN", "/api/v1/accounts/verify_credentials"),
        ("api_preferences_TOKEN", "/api/v1/preferences"),
        ("api_conversations_TOKEN", "/api/v1/conversations"),
    ] {
        let reply = unconfirmed.api(path, Some(&token_unconfirmed));
        c.json(&format!("new_alice3_unconfirmed/{capture}.json"), &reply);
    }
    let check = unconfirmed.api("/api/v1/emails/check_confirmation", None);
    c.json("new_alice3_unconfirmed/api_emails_check_confirmation_COOKIEONLY.json", &check);
    let (mut changing, _) = signed_in(Side::New, "ana_ready");
    let reply = changing.post(
        "/auth/edit",
        "/auth",
        &[("_method", "put"), ("user[email]", "other@mail.example"), ("user[current_password]", "no")],
    );
    c.page("new_bob8/auth_edit_wrong_password.html", &[reply]);
    let (mut pending, _) = signed_in(Side::New, "ana_change");
    let chain = open(&mut pending, "/auth/edit");
    c.page("new_bob8/auth_edit_pending_email.html", &chain);
    let chain = open(&mut pending, "/auth/setup");
    c.page("new_bob8/auth_setup.html", &chain);

    // Redirect only.
    let (mut emil, _) = signed_in(Side::Old, "emil");
    let redirect = |browser: &mut Browser, password: &str| {
        let acct = format!("bob3@{new_domain}");
        let reply = browser.post(
            "/settings/migration/redirect/new",
            "/settings/migration/redirect",
            &[("form_redirect[acct]", &acct), ("form_redirect[current_password]", password)],
        );
        walk(browser, reply)
    };
    let chain = redirect(&mut emil, "no");
    c.page("old_dave/redirect_err_password.html", &chain);
    let chain = redirect(&mut emil, PASSWORD);
    c.page("old_dave/redirect_create.html", &chain);
    for (capture, path) in [
        ("settings_migration_redirected", "/settings/migration"),
        ("home_redirected", "/"),
        ("settings_profile_redirected", "/settings/profile"),
        ("settings_aliases_redirected", "/settings/aliases"),
        ("auth_edit_redirected", "/auth/edit"),
    ] {
        let chain = open(&mut emil, path);
        c.page(&format!("old_dave/{capture}.html"), &chain);
    }
    let reply = emil.post("/settings/migration", "/settings/migration/redirect", &[("_method", "delete")]);
    let chain = walk(&mut emil, reply);
    c.page("old_dave/redirect_delete.html", &chain);

    // The move, what is left of the old account, and back.
    let target = format!("ana_ready@{new_domain}");
    let fields =
        [("account_migration[acct]", target.as_str()), ("account_migration[current_password]", PASSWORD)];
    let reply = old.post("/settings/migration", "/settings/migration", &fields);
    let chain = walk(&mut old, reply);
    c.page("old_alice/migration_success.html", &chain);
    for (capture, path) in [
        ("settings_migration", "/settings/migration"),
        ("root", "/"),
        ("web_home", "/home"),
        ("web_conversations", "/conversations"),
        ("settings_profile", "/settings/profile"),
        ("settings_export", "/settings/export"),
        ("settings_imports", "/settings/imports"),
        ("settings_aliases", "/settings/aliases"),
        ("auth_edit", "/auth/edit"),
        ("auth_setup", "/auth/setup"),
        ("redirect_new", "/settings/migration/redirect/new"),
        ("settings_delete", "/settings/delete"),
        ("relationships", "/relationships"),
    ] {
        let chain = open(&mut old, path);
        c.page(&format!("old_alice/after_move_{capture}.html"), &chain);
    }
    for (capture, path) in [
        ("conversations", "/api/v1/conversations"),
        ("notifications", "/api/v1/notifications"),
        ("preferences", "/api/v1/preferences"),
        ("lists", "/api/v1/lists"),
        ("bookmarks", "/api/v1/bookmarks"),
        ("emails_check_confirmation", "/api/v1/emails/check_confirmation"),
    ] {
        let reply = old.api(path, Some(&token));
        c.json(&format!("old_alice/after_move_api_{capture}.json"), &reply);
    }
    let bob = format!("bob3@{new_domain}");
    let fields =
        [("account_migration[acct]", bob.as_str()), ("account_migration[current_password]", PASSWORD)];
    let reply = old.post("/settings/migration", "/settings/migration", &fields);
    c.page("old_alice/migration_err_cooldown.html", &[reply]);
    let reply = old.post("/settings/migration", "/settings/migration/redirect", &[("_method", "delete")]);
    let chain = walk(&mut old, reply);
    c.page("old_alice/after_cancel_redirect_delete.html", &chain);
    let chain = open(&mut old, "/settings/migration");
    c.page("old_alice/after_cancel_settings_migration.html", &chain);
    actors(&mut c, &stage.pair, &control);
    c
}

fn anonymous(c: &mut Comparison, guest: &mut Browser) {
    for (capture, path) in [
        ("auth_sign_in", "/auth/sign_in"),
        ("root", "/"),
        ("profile_alice", "/@ana"),
        ("about", "/about"),
        ("settings_export", "/settings/export"),
    ] {
        let mut fresh = Browser::new(&guest.server);
        let chain = open(&mut fresh, path);
        c.page(&format!("anon/{capture}.html"), &chain);
    }
    for (capture, path) in [("api_v1_instance", "/api/v1/instance"), ("api_v2_instance", "/api/v2/instance")]
    {
        let reply = guest.api(path, None);
        c.json(&format!("anon/{capture}.json"), &reply);
    }
}

fn api(c: &mut Comparison, old: &mut Browser, token: &str, new_domain: &str) {
    let me = old.api("/api/v1/accounts/verify_credentials", Some(token));
    let id = me.json()["id"].as_str().unwrap().to_owned();
    c.json("old_alice/api_verify_credentials.json", &me);
    let talks = old.api("/api/v1/conversations", Some(token));
    let status = talks
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["last_status"].clone())
        .find(|status| {
            !status["in_reply_to_id"].is_null() && status["account"]["acct"].as_str().unwrap().contains('@')
        })
        .unwrap();
    let status = status["id"].as_str().unwrap().to_owned();
    for (capture, path) in [
        ("api_conversations", "/api/v1/conversations".to_owned()),
        ("api_conversations_limit2", "/api/v1/conversations?limit=2".to_owned()),
        ("api_status_0", format!("/api/v1/statuses/{status}")),
        ("api_status_context_0", format!("/api/v1/statuses/{status}/context")),
        ("api_followers", format!("/api/v1/accounts/{id}/followers")),
        ("api_following_limit5", format!("/api/v1/accounts/{id}/following?limit=5")),
        ("api_account", format!("/api/v1/accounts/{id}")),
        ("api_preferences", "/api/v1/preferences".to_owned()),
        ("api_lists", "/api/v1/lists".to_owned()),
        ("api_mutes", "/api/v1/mutes".to_owned()),
        ("api_blocks", "/api/v1/blocks".to_owned()),
        ("api_domain_blocks", "/api/v1/domain_blocks".to_owned()),
        ("api_bookmarks", "/api/v1/bookmarks".to_owned()),
        ("api_followed_tags", "/api/v1/followed_tags".to_owned()),
        ("api_filters", "/api/v2/filters".to_owned()),
        ("api_markers", "/api/v1/markers?timeline[]=home".to_owned()),
        ("api_notifications", "/api/v1/notifications?limit=2".to_owned()),
        ("api_emails_check_confirmation", "/api/v1/emails/check_confirmation".to_owned()),
        ("api_lookup_remote_alice2", format!("/api/v1/accounts/lookup?acct=ana_new@{new_domain}")),
        (
            "api_search_resolve_alice2",
            format!("/api/v2/search?q=ana_ready%40{new_domain}&resolve=true&type=accounts"),
        ),
        ("api_apps_verify_credentials", "/api/v1/apps/verify_credentials".to_owned()),
    ] {
        let reply = old.api(&path, Some(token));
        c.json(&format!("old_alice/{capture}.json"), &reply);
    }
    if c.version.has_html_theme() {
        let reply = old.api("/api/v1/profile", Some(token));
        c.json("old_alice/api_profile.json", &reply);
    }
    let none = Browser::new(&old.server).api("/api/v1/conversations", None);
    c.json("old_alice/api_conversations_NOTOKEN.json", &none);
    let cookie = old.api("/api/v1/conversations", None);
    c.json("old_alice/api_conversations_COOKIEONLY.json", &cookie);
    let bad = old.api("/api/v1/accounts/verify_credentials", Some("bad"));
    c.json("old_alice/api_verify_credentials_BADTOKEN.json", &bad);
}

fn imports(c: &mut Comparison, new: &mut Browser, control: &stand_in::Control, old_domain: &str) {
    // Where the captured person had uploads waiting already, ours has one too: then the table of imports is below the form.
    let waiting_before = if c.version.has_html_theme() { "no_file" } else { "malformed" };
    for (capture, file) in [
        ("no_file", None),
        ("empty_file", Some(&b""[..])),
        ("garbage", Some(&b"\xff\xfe\x00\x81"[..])),
        ("malformed", Some(&b"\"a\"b,c\n"[..])),
    ] {
        if capture == waiting_before {
            new.upload("lists", "merge", Some(("lists.csv", b"Friends,a@b.example\n")));
        }
        let reply = new.upload("following", "merge", file.map(|bytes| ("follows.csv", bytes)));
        c.page(&format!("new_alice2/import_err_{capture}.html"), &[reply]);
    }
    let follows = format!(
        "Account address,Show boosts,Notify on new posts,Languages\ncarol01@{old_domain},true,false,\nghost@{old_domain},true,false,\n"
    );
    // Long enough to be seen on its way.
    let ghosts: String = (0..100).map(|number| format!("ghost{number}@{old_domain},true,false,\n")).collect();
    let follows = follows + &ghosts;
    let reply = new.upload("muting", "merge", Some(("follows.csv", follows.as_bytes())));
    let chain = walk(new, reply);
    c.page("new_alice2/import_mismatch_confirm.html", &chain);
    let reply = new.upload("following", "merge", Some(("follows.csv", follows.as_bytes())));
    let chain = walk(new, reply);
    c.page("new_alice2/import_follows_upload.html", &chain);
    let chain = open(new, "/settings/imports");
    c.page("new_alice2/settings_imports_with_unconfirmed.html", &chain);
    let reply = new.post("/settings/imports/3", "/settings/imports/3/confirm", &[]);
    let chain = walk(new, reply);
    c.page("new_alice2/import_follows_confirm.html", &chain);
    control.advance_seconds(1);
    let chain = open(new, "/settings/imports");
    c.page("new_alice2/settings_imports_in_progress.html", &chain);
    control.advance_seconds(60);
    let chain = open(new, "/settings/imports");
    c.page("new_alice2/settings_imports_finished.html", &chain);
    let reply = new.get("/settings/imports/3/failures.csv");
    c.csv("new_alice2/imports_failures_csv.csv", &reply);
}

fn actors(c: &mut Comparison, pair: &stand_in::Pair, control: &stand_in::Control) {
    let look = |server: &stand_in::Running, path: &str, accept: &str| {
        Browser::new(server).send("GET", path, &[("accept", accept)], b"").unwrap()
    };
    let domain = pair.new.domain();
    let finger = look(
        &pair.new,
        &format!("/.well-known/webfinger?resource=acct:bob1@{domain}"),
        "application/jrd+json",
    );
    c.json("new_alice2/before_alias_webfinger.json", &finger);
    let path = |side: Side, server: &stand_in::Running, name: &str| {
        control.person(side, name)["uri"].as_str().unwrap().replace(&server.origin(), "")
    };
    let actor = look(&pair.new, &path(Side::New, &pair.new, "bob1"), "application/activity+json");
    c.json("new_alice2/before_alias_actor.json", &actor);
    let actor = look(&pair.new, &path(Side::New, &pair.new, "ana_locked"), "application/activity+json");
    c.json("new_alice2/after_alias2_actor.json", &actor);
    let actor = look(&pair.old, &path(Side::Old, &pair.old, "ben"), "application/activity+json");
    c.json("old_alice/after_move_self_actor.json", &actor);
}

#[test]
fn resembles_real_servers() {
    let root = captures();
    if !root.join("4.6.5/INDEX.tsv").exists() {
        println!("left out: no captures of real servers at {}", root.display());
        return;
    }
    let mut differences = Vec::new();
    let mut compared = 0;
    for (version, folder) in [(Version::V4_3, "4.3.23"), (Version::V4_6, "4.6.5")] {
        let comparison = compare(version, &root.join(folder));
        compared += comparison.compared;
        differences.extend(comparison.differences);
    }
    compared += depth(&root, &mut differences);
    let mut used = BTreeSet::new();
    let meant: Vec<&String> = differences
        .iter()
        .filter(|line| {
            ALLOWED
                .iter()
                .filter(|allowed| line.contains(allowed.what))
                .inspect(|allowed| {
                    used.insert(allowed.what);
                })
                .count()
                == 0
        })
        .collect();
    println!(
        "{compared} pages and replies compared, {} differences that are meant",
        differences.len() - meant.len()
    );
    for line in &meant {
        println!("{line}");
    }
    assert!(meant.is_empty(), "{} differences from the real servers", meant.len());
    let stale: Vec<_> = ALLOWED
        .iter()
        .filter(|allowed| !used.contains(allowed.what))
        .map(|allowed| format!("{} ({})", allowed.what, allowed.why))
        .collect();
    assert!(stale.is_empty(), "no longer needed: {stale:#?}");
}

/// The API in depth (4.6): messages with pictures and polls, requests, policies, filters, lists, secure mode, the refusal of too many requests.
fn depth(root: &Path, differences: &mut Vec<String>) -> usize {
    let stage = stage(Version::V4_6);
    let control = stage.pair.control();
    let (cookie, token) = control.sign_in(Side::Old, "ana");
    let mut browser = Browser::with_cookie(&stage.pair.old, &cookie);
    let mut c = Comparison {
        version: Version::V4_6,
        root: root.join("4.6.5-api"),
        compared: 0,
        differences: Vec::new(),
    };
    let talks = browser.api("/api/v1/conversations?limit=40", Some(&token)).json();
    let with = |name: &str| {
        let has = |status: &&Value| {
            !status[name].is_null() && status[name].as_array().is_none_or(|list| !list.is_empty())
        };
        talks.as_array().unwrap().iter().map(|entry| &entry["last_status"]).find(has).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (image, poll, edited) = (with("media_attachments"), with("poll"), with("edited_at"));
    let list = browser.api("/api/v1/lists", Some(&token)).json()[0]["id"].as_str().unwrap().to_owned();
    let friend = control.person(Side::Old, "carol01")["id"].as_str().unwrap().to_owned();
    let first = browser.api("/api/v1/preferences", Some(&token));
    c.json("ratelimit/token_first.json", &first);
    for (capture, path) in [
        ("dm/status_image", format!("/api/v1/statuses/{image}")),
        ("dm/status_poll", format!("/api/v1/statuses/{poll}")),
        ("dm/status_edited", format!("/api/v1/statuses/{edited}")),
        ("dm/status_image_context", format!("/api/v1/statuses/{image}/context")),
        ("dm/notifications_mention", "/api/v1/notifications?types[]=mention&limit=2".to_owned()),
        (
            "requests/notifications_include_filtered",
            "/api/v1/notifications?limit=2&include_filtered=true".to_owned(),
        ),
        ("requests/requests", "/api/v1/notifications/requests?limit=40".to_owned()),
        ("requests/policy_v1", "/api/v1/notifications/policy".to_owned()),
        ("requests/policy_v2", "/api/v2/notifications/policy".to_owned()),
        ("api/filters_v2", "/api/v2/filters".to_owned()),
        ("api/followed_tags", "/api/v1/followed_tags".to_owned()),
        ("api/follow_requests", "/api/v1/follow_requests".to_owned()),
        ("api/list_accounts_limit0", format!("/api/v1/lists/{list}/accounts?limit=0")),
        ("api/relationships_with_note", format!("/api/v1/accounts/relationships?id[]={friend}")),
    ] {
        let reply = browser.api(&path, Some(&token));
        c.json(&format!("{capture}.json"), &reply);
    }
    let (cookie, _) = control.sign_in(Side::Old, "emil");
    let mut emil = Browser::with_cookie(&stage.pair.old, &cookie);
    let reply = emil.post(
        "/settings/privacy",
        "/settings/privacy",
        &[("_method", "patch"), ("account[unlocked]", "1")],
    );
    let chain = walk(&mut emil, reply);
    c.page("settings/privacy_post_unlock.html", &chain);
    control.post("secure-mode", &serde_json::json!({ "server": "old" }));
    let actor =
        control.person(Side::Old, "emil")["uri"].as_str().unwrap().replace(&stage.pair.old.origin(), "");
    let mut guest = Browser::new(&stage.pair.old);
    let reply = guest.send("GET", &actor, &[("accept", "application/activity+json")], b"").unwrap();
    c.json("secure_mode/on_actor.json", &reply);
    for _ in 0..700 {
        let reply = browser.api("/api/v1/preferences", Some(&token));
        if reply.status == 429 {
            c.json("ratelimit/token_429.json", &reply);
            break;
        }
    }
    differences.extend(c.differences);
    c.compared
}
