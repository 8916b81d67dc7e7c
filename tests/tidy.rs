//! The rules of the house, as tests. Each says how to mend what it finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::file;
use packed_trunk::account::{ActorUri, Handle};
use packed_trunk::check::CHECKS;
use packed_trunk::server::request::{self, Method, Request};
use packed_trunk::trunk::steps::Step;
use regex::Regex;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|e| e == extension) {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), extension, &mut found);
    found.sort();
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

/// Source without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap()
}

fn messages(language: &str) -> serde_json::Map<String, Value> {
    let text = file(&format!("extension/_locales/{language}/messages.json"));
    serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap().clone()
}

#[test]
fn a_checks_file_has_its_id_as_name_and_every_file_is_in_the_list() {
    let names: BTreeSet<String> = files("src/check", "rs")
        .into_iter()
        .map(|(name, _)| Path::new(&name).file_stem().unwrap().to_str().unwrap().replace('_', "-"))
        .filter(|name| name != "mod")
        .collect();
    let ids: BTreeSet<String> = CHECKS.iter().map(|check| check.id.to_owned()).collect();
    assert_eq!(names, ids, "put the check into CHECKS in src/check/mod.rs, and give its file the id's name");
    assert_eq!(ids.len(), CHECKS.len(), "two checks have the same id");
}

#[test]
fn every_check_has_sentences_tests_a_source_and_a_page() {
    let known = messages("en");
    for check in CHECKS {
        let stem = check.id.replace('-', "_");
        let text = file(&format!("src/check/{stem}.rs"));
        assert!(known.keys().any(|key| key.starts_with(&format!("{stem}_"))), "{}: no sentences", check.id);
        assert!(text.contains("#[test]"), "{}: no tests in its file", check.id);
        assert!(
            text.contains("facts ") || text.contains("mastodon#"),
            "{}: cite where its claim comes from",
            check.id
        );
        assert!(!check.pages.is_empty(), "{}: shown on no page", check.id);
    }
}

/// Keys look like `alias_missing`. So do the fields of what servers send, in the folders that read it: there a key is
/// used if it is one, and has to be one only where it is said.
#[test]
fn every_message_is_used_and_every_used_message_is_there() {
    let not_messages = ["domain_blocks"];
    let pattern = Regex::new(r#""([a-z]+(?:_[a-z0-9]+)+)""#).unwrap();
    let said = Regex::new(r#"say\("([a-z0-9_]+)"\)"#).unwrap();
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut perhaps: BTreeSet<String> = BTreeSet::new();
    for (name, text) in files("src", "rs") {
        let reads = ["src/server", "src/job", "src/message", "src/list", "src/trunk"]
            .iter()
            .any(|folder| name.starts_with(folder));
        let found = if reads { &mut perhaps } else { &mut used };
        found.extend(pattern.captures_iter(code(&text)).map(|found| found[1].to_owned()));
        used.extend(said.captures_iter(code(&text)).map(|found| found[1].to_owned()));
    }
    let spoken = Regex::new(r#"(?:say|getMessage)\("([a-z_]+)"\)"#).unwrap();
    for (_, text) in files("extension", "js") {
        used.extend(spoken.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    let named = Regex::new(r"__MSG_([a-z_]+)__").unwrap();
    used.extend(named.captures_iter(&file("manifest.json")).map(|found| found[1].to_owned()));
    // Made of parts.
    used.extend(
        Step::ALL.iter().flat_map(|step| [format!("step_{}", step.id()), format!("step_{}_why", step.id())]),
    );
    used.extend(CHECKS.iter().map(|check| format!("aside_{}", check.id.replace('-', "_"))));
    used.extend(["todo", "doing", "done", "stuck"].map(|status| format!("status_{status}")));
    used.extend(
        ["checking", "evidence", "name", "overview", "language", "steps", "yes", "no"].map(str::to_owned),
    );
    let used: BTreeSet<String> =
        used.into_iter().filter(|key| !not_messages.contains(&key.as_str())).collect();
    let there: BTreeSet<String> = messages("en").keys().cloned().collect();
    let plural = |key: &String| key.strip_suffix("_one").is_some_and(|stem| there.contains(stem));
    let missing: Vec<_> = used.difference(&there).collect();
    assert!(missing.is_empty(), "write these into extension/_locales/en/messages.json: {missing:?}");
    let unused: Vec<_> =
        there.difference(&used).filter(|key| !perhaps.contains(*key) && !plural(key)).collect();
    assert!(unused.is_empty(), "nobody says these: {unused:?}");
}

#[test]
fn translations_have_the_same_messages_and_parts() {
    let english = messages("en");
    let parts = |message: &Value| {
        let text = message["message"].as_str().unwrap().to_owned();
        (1..=9).filter(|at| text.contains(&format!("${at}"))).collect::<Vec<_>>()
    };
    for entry in std::fs::read_dir(root().join("extension/_locales")).unwrap().flatten() {
        let language = entry.file_name().into_string().unwrap();
        let translated = messages(&language);
        for (key, message) in &english {
            let Some(other) = translated.get(key) else { panic!("{language}: {key} is missing") };
            let one = key.ends_with("_one");
            assert!(
                one || parts(other) == parts(message),
                "{language}: {key} takes other parts than in English"
            );
        }
        for key in translated.keys() {
            let stem =
                ["_zero", "_one", "_two", "_few", "_many"].iter().find_map(|end| key.strip_suffix(end));
            let known = english.contains_key(key) || stem.is_some_and(|stem| english.contains_key(stem));
            assert!(known, "{language}: {key} is no message");
        }
    }
}

/// The agent performs what the core asks for, and nothing else.
#[test]
fn the_agents_list_is_the_cores_list() {
    let loader = file("extension/loader.js");
    let list = |name: &str| -> Vec<Regex> {
        let start = loader.find(&format!("const {name} = [")).unwrap();
        let text = &loader[start..start + loader[start..].find("];").unwrap()];
        let quoted = Regex::new("\"(.*?)\"").unwrap();
        let pattern = |found: &str| Regex::new(&format!("^/{}$", found.replace('#', "\\d+"))).unwrap();
        quoted.captures_iter(text).map(|found| pattern(&found[1])).collect()
    };
    let (get, post, put) = (list("GET"), list("POST"), list("PUT"));
    let (patch, delete) = (list("PATCH"), list("DELETE"));
    assert!(get.len() >= 3 && !post.is_empty(), "the lists were not found in loader.js");
    let handle: Handle = "ana@old.example".parse().unwrap();
    let own: Vec<Request> = vec![
        request::verify_credentials(),
        request::conversations(None),
        request::conversations(Some("9")),
        request::mentions(),
        request::statuses_of("1"),
        request::check_confirmation(),
        request::confirmation_page(),
        request::migration_page(),
        request::aliases_page(),
        request::export_page(),
        request::account_page(),
        request::blocked_domains(),
        request::create_alias(&handle),
        request::lookup_acct("ana@old.example"),
        request::listing("1", Some("9")),
        request::all_mentions(None),
        request::notification_requests(None),
        request::mutes(None),
        request::blocks(None),
        request::followers("1", None),
        request::following("1", None),
        request::marks("bookmarks", None),
        request::marks("favourites", None),
        request::status("1"),
        request::statuses(&["1".into(), "2".into()]),
        request::context("1"),
        request::history("1"),
        request::export_file("follows.csv"),
        request::export_file("custom_filters.json"),
        request::own_list("follow_requests", Some("9")),
        request::own_list("endorsements", None),
        request::own_list("domain_blocks", None),
        request::followed_tags(None),
        request::featured_tags(),
        request::lists(),
        request::add_to_list("1", "2"),
        request::preferences(),
        request::notification_policy(),
        request::filters("v1"),
        request::filters("v2"),
        request::follow_notices(None),
        request::relationships(&["1".into(), "2".into()]),
        request::imports_page(),
        request::old_imports_page(),
        request::upload(true, "following", false, ("follows.csv", "text/csv", String::new())),
        request::upload(false, "following", false, ("follows.csv", "text/csv", String::new())),
        request::confirm_import("1"),
        request::cancel_import("1"),
        request::import_failures("1", false),
        request::import_failures("1", true),
        request::follow_tag("caf\u{e9}"),
        request::feature_tag("cats"),
        request::set_note("1", "met in Graz"),
        request::feature_account("1", true),
        request::feature_account("1", false),
        request::mute_for("1", true, 60),
        request::set_list(None, "friends", "list", Some(true)),
        request::set_list(Some("1"), "friends", "list", None),
        request::add_filter("v1", Vec::new()),
        request::add_filter("v2", Vec::new()),
        request::resolve("ana@new.example"),
        request::limits(true),
        request::limits(false),
        request::custom_emojis(),
        request::pinned("1"),
        request::set_locked(true),
        request::update_picture("avatar", "https://old.example/a.png", "image/png", None),
        request::remove_picture("avatar", true),
        request::remove_picture("header", false),
        request::unfeature_tag("1"),
    ];
    let path = |request: &Request| request.path.split('?').next().unwrap().to_owned();
    let mut used = BTreeSet::new();
    for request in &own {
        let list = match request.method {
            Method::Get => &get,
            Method::Post => &post,
            Method::Put => &put,
            Method::Patch => &patch,
            Method::Delete => &delete,
        };
        let found: Vec<usize> = (0..list.len()).filter(|at| list[*at].is_match(&path(request))).collect();
        assert!(!found.is_empty(), "loader.js would refuse {request:?}");
        used.insert((format!("{:?}", request.method), found[0]));
    }
    let all = get.len() + post.len() + put.len() + patch.len() + delete.len();
    assert_eq!(used.len(), all, "loader.js allows paths that nobody asks for");
    // What only goes through the background, or is nobody's business.
    let refused = [
        path(&request::webfinger(&handle)),
        path(&request::actor(&ActorUri("https://new.example/users/ana".into())).unwrap()),
        "/api/v1/accounts/1".into(),
        "/api/v1/statuses/1/source".into(),
        "/api/v1/statuses/1/bookmark".into(),
        "/api/v1/notifications/clear".into(),
        "/api/v1/notifications/requests/1/dismiss".into(),
        "/auth/sign_out".into(),
        "/settings/migration/redirect".into(),
        "/settings/aliases/1".into(),
        "/api/v1/accounts/1/statuses/../../verify_credentials/x".into(),
        "//evil.example/settings/migration".into(),
    ];
    for path in refused {
        assert!(!get.iter().any(|allowed| allowed.is_match(&path)), "loader.js would get {path}");
        assert!(!post.iter().any(|allowed| allowed.is_match(&path)), "loader.js would post to {path}");
    }
    // The move and the redirect are the person's own clicks.
    assert!(!post.iter().any(|allowed| allowed.is_match("/settings/migration")));
}

#[test]
fn no_html_strings_reach_a_page() {
    for (name, text) in files("src", "rs").into_iter().chain(files("extension", "js")) {
        for word in [
            "innerHTML",
            "inner_html",
            "outerHTML",
            "outer_html",
            "insertAdjacent",
            "insert_adjacent",
            "document.write",
        ] {
            assert!(
                !text.contains(&format!("{word}(")) && !text.contains(&format!(".{word}")),
                "{name}: {word}; build nodes instead"
            );
        }
    }
}

#[test]
fn only_the_web_folder_knows_a_browser_a_clock_or_the_network() {
    for (name, text) in files("src", "rs") {
        if name.starts_with("src/web") || name == "src/lib.rs" {
            continue;
        }
        for word in
            ["web_sys", "js_sys", "wasm_bindgen", "gloo", "SystemTime", "Instant::now", "std::net", "std::fs"]
        {
            assert!(
                !code(&text).contains(word) || name == "src/check/mod.rs",
                "{name}: {word} belongs to src/web"
            );
        }
    }
}

/// Mastodon's markup and addresses are known in `src/server` alone; the loader knows what it must before any wasm runs.
#[test]
fn selectors_live_in_server() {
    let signs = [
        "account_migration",
        "form_redirect",
        "account_alias[",
        "content-wrapper",
        "csrf-token",
        "initial-state",
        "/api/v",
    ];
    for (name, text) in files("src", "rs").into_iter().filter(|(name, _)| !name.starts_with("src/server")) {
        for line in code(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for sign in signs {
                assert!(!line.contains(sign), "{name}: {sign} belongs to src/server: {line}");
            }
        }
    }
}

#[test]
fn the_manifest_asks_for_nothing_in_advance() {
    let manifest: Value = serde_json::from_str(&file("manifest.json")).unwrap();
    for key in ["host_permissions", "web_accessible_resources", "content_scripts", "externally_connectable"] {
        assert!(manifest.get(key).is_none(), "manifest.json: {key}");
    }
    let permissions = serde_json::json!(["storage", "unlimitedStorage", "scripting", "activeTab"]);
    assert_eq!(manifest["permissions"], permissions);
    assert_eq!(manifest["version"].as_str(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(manifest["browser_specific_settings"]["gecko"]["id"], "packed-trunk@extension");
}

#[test]
fn the_architecture_names_every_folder() {
    let text = file("ARCHITECTURE.md");
    for entry in std::fs::read_dir(root().join("src")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        assert!(
            name == "lib" || text.contains(&format!("`{name}")),
            "ARCHITECTURE.md says nothing about src/{name}"
        );
    }
}
