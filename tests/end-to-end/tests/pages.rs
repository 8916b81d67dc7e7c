//! Every page of Mastodon's on which the guard speaks, in every version, and as real servers send them.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;

use end_to_end::{Browser, Capture, Kind, Pages, Panel, Servers, Side, in_both_browsers};
use serde_json::json;

const BEFORE_A_MOVE: &[&str] = &[
    "alias",
    "alias-fresh",
    "announced",
    "blocked-servers",
    "cooldown",
    "email-confirmed",
    "follow-limit",
    "follows-arrived",
    "follows-saved",
    "lists-saved",
    "messages-saved",
    "not-moved",
    "profile",
    "requests-pending",
    "server-healthy",
    "target-found",
    "unlocked",
];
const BEFORE_A_REDIRECT: &[&str] = &[
    "email-confirmed",
    "follows-saved",
    "lists-saved",
    "messages-saved",
    "not-moved",
    "requests-pending",
    "target-found",
];
const BEFORE_AN_END: &[&str] =
    &["follows-saved", "lists-saved", "messages-saved", "not-moved", "requests-pending"];
const WHAT_IS_SAVED: &[&str] = &["follows-saved", "lists-saved", "messages-saved", "not-moved"];
const ALIASES: &[&str] = &["alias", "alias-fresh", "email-confirmed", "not-moved", "unlocked"];
const IMPORTS: &[&str] = &["blocked-servers", "email-confirmed", "follow-limit", "follows-arrived"];
const ACCOUNT: &[&str] = &["email-confirmed", "not-moved"];
const PROFILE: &[&str] = &["email-confirmed", "profile", "unlocked"];
const SETUP: &[&str] = &["email-confirmed"];

fn version(servers: &Servers, side: Side, version: &str) {
    servers.control().post("version", &json!({ "server": side.name(), "version": version }));
}

/// Opens the page and compares what speaks on it.
fn assert_speaks(browser: &Browser, address: &str, page: &str, checks: &[&str]) {
    browser.open(address);
    let guard = browser.guard().wait_ready();
    assert_eq!(guard.page(), page, "{address}");
    let shown: Vec<String> = guard.settled().into_keys().collect();
    assert_eq!(shown, checks, "{address}");
    let alone = browser.run(
        "const ours = document.querySelectorAll('#packed-trunk');
         return [ours.length, ours[0].tagName, ours[0].childNodes.length, ours[0].shadowRoot];",
        &[],
    );
    assert_eq!(alone, json!([1, "DIV", 0, null]), "{address}: more of ours in the page than one empty div");
}

/// What a panel says, as far as these tests arrange it.
fn arranged(panel: &Panel<'_>) -> BTreeMap<String, String> {
    let told = ["alias", "email-confirmed", "cooldown", "not-moved", "messages-saved", "unlocked"];
    panel.outcomes().into_iter().filter(|(id, _)| told.contains(&id.as_str())).collect()
}

fn pairs(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(id, outcome)| ((*id).to_owned(), (*outcome).to_owned())).collect()
}

in_both_browsers! {
    fn speaks_on_every_page_that_matters_and_says_what_belongs_there(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        assert_speaks(browser, &servers.on_old("/settings/migration"), "migration", BEFORE_A_MOVE);
        assert_speaks(browser, &servers.on_old("/settings/migration/redirect/new"), "redirect", BEFORE_A_REDIRECT);
        assert_speaks(browser, &servers.on_old("/settings/export"), "export", WHAT_IS_SAVED);
        assert_speaks(browser, &servers.on_old("/settings/delete"), "delete", BEFORE_AN_END);
        servers.enter(browser, Side::New, "ana_ready", "/settings/aliases");
        assert_speaks(browser, &servers.on_new("/settings/aliases"), "aliases", ALIASES);
        assert_speaks(browser, &servers.on_new("/settings/imports"), "imports", IMPORTS);
        assert_speaks(browser, &servers.on_new("/auth/edit"), "account", ACCOUNT);
        assert_speaks(browser, &servers.on_new("/settings/profile"), "profile", PROFILE);
        // 4.6 has only a notice on its profile page, earlier ones the form itself; up to 4.1 there was one import.
        version(&servers, Side::New, "4.5");
        assert_speaks(browser, &servers.on_new("/settings/profile"), "profile", PROFILE);
        version(&servers, Side::New, "4.1");
        assert_speaks(browser, &servers.on_new("/settings/import"), "imports", IMPORTS);
        version(&servers, Side::New, "4.6");
        servers.enter(browser, Side::New, "ana_new", "/auth/setup");
        assert_speaks(browser, &servers.on_new("/auth/setup"), "setup", SETUP);
        // And nowhere else.
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        browser.guard().wait_ready();
        for path in ["/settings/preferences/appearance", "/settings/privacy", "/settings/applications", "/@ana", "/"] {
            browser.open(&servers.on_old(path));
            // The loader has run by the time that a page is loaded; what it starts would be there at the next page.
            assert!(!browser.guard().is_shown(), "the guard speaks on {path}");
        }
        browser.assert_quiet();
    }

    fn tells_the_same_in_every_version(browser) {
        let first = Servers::start();
        first.link(browser, "ana", "ana_ready");
        for (old, new) in [("4.1", "4.6"), ("4.3", "4.1"), ("4.6", "4.3"), ("4.7", "4.2")] {
            // Other ports are other servers: nothing is known of them from the round before.
            let servers = Servers::start();
            version(&servers, Side::Old, old);
            version(&servers, Side::New, new);
            servers.set(Side::Old, "ana", json!({ "cooldown_days": 9 }));
            let tab = servers.enter_in_tab(browser, Side::New, "ana_ready", "/settings/aliases");
            assert_eq!(browser.guard().wait_ready().page(), "aliases", "{new}");
            browser.guard().settled();
            browser.switch_to(&browser.first_tab());
            servers.enter(browser, Side::Old, "ana", "/settings/migration");
            let guard = browser.guard().wait_ready();
            guard.wait_for("cooldown", "stop", "in 9 days");
            // The waiting period disables the field; a person have the page of the day before.
            servers.set(Side::Old, "ana", json!({ "cooldown_days": 0 }));
            browser.reload();
            guard.wait_for_outcome("cooldown", "pass");
            browser.type_handle(&servers.new_handle("ana_ready"));
            guard.wait_for("target-found", "pass", "is known to its server");
            guard.wait_for_outcome("alias", "pass");
            guard.wait_for_outcome("email-confirmed", "pass");
            guard.wait_for("messages-saved", "stop", "14 conversations");
            browser.switch_to(&tab);
            servers.enter(browser, Side::New, "ana_new", "/auth/edit");
            browser.guard().wait_for("email-confirmed", "stop", "is not confirmed");
            browser.close_tab();
        }
        browser.assert_quiet();
    }

    fn checks_on_the_desk_where_the_page_forbids_wasm(browser) {
        let servers = Servers::start();
        version(&servers, Side::Old, "3.5");
        servers.set(Side::Old, "ana", json!({ "cooldown_days": 9 }));
        servers.link(browser, "ana", "ana_ready");
        servers.enter_in_tab(browser, Side::New, "ana_ready", "/settings/aliases");
        browser.guard().settled();
        browser.switch_to(&browser.first_tab());
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        let guard = browser.guard().wait_ready();
        assert_eq!(guard.page(), "migration");
        let panel = if browser.kind() == Kind::Chromium {
            assert!(guard.checks().is_empty(), "wasm runs although the policy forbids it");
            guard.click_action("open-desk");
            browser.desk()
        } else {
            guard
        };
        panel.wait_for("cooldown", "stop", "in 9 days");
        panel.wait_for("messages-saved", "stop", "14 conversations");
        let told = pairs(&[
            ("alias", "pass"),
            ("cooldown", "stop"),
            ("email-confirmed", "pass"),
            ("messages-saved", "stop"),
            ("not-moved", "stop"),
            ("unlocked", "pass"),
        ]);
        assert_eq!(arranged(&panel), told);
        browser.assert_quiet();
    }

    fn makes_do_with_an_old_new_server(browser) {
        let servers = Servers::start();
        version(&servers, Side::New, "3.5");
        servers.link(browser, "ana", "ana_ready");
        servers.enter_in_tab(browser, Side::New, "ana_ready", "/settings/aliases");
        browser.guard().wait_ready();
        let panel = if browser.kind() == Kind::Chromium {
            browser.guard().click_action("open-desk");
            browser.desk()
        } else {
            browser.guard()
        };
        panel.wait_for_outcome("alias", "pass");
        panel.wait_for_outcome("email-confirmed", "pass");
        browser.switch_to(&browser.first_tab());
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        let guard = browser.guard().wait_ready();
        guard.wait_for_outcome("alias", "pass");
        guard.wait_for_outcome("email-confirmed", "pass");
        guard.wait_for_outcome("target-found", "pass");
        browser.assert_quiet();
    }

    fn reads_the_pages_of_real_servers(browser) {
        let servers = Servers::start();
        servers.link(browser, "alice", "alice2");
        for (who, name, page, check, outcome, words) in [
            ("old_alice", "settings_migration_redirect_new", "redirect", "messages-saved", "unknown", ""),
            ("old_alice", "settings_delete", "delete", "not-moved", "pass", ""),
            ("old_alice", "settings_migration_initial", "migration", "cooldown", "pass", ""),
            ("old_alice", "after_move_settings_migration", "migration", "cooldown", "stop", "in 30 days"),
            ("old_alice", "after_move_settings_migration", "migration", "not-moved", "stop", "@alice2@new.test"),
            ("old_alice", "after_cancel_settings_migration", "migration", "not-moved", "stop", "was begun"),
            ("old_dave", "settings_migration_redirected", "migration", "not-moved", "stop", "already redirects"),
                        ("old_alice", "settings_export", "export", "follows-saved", "stop", "You follow 30 accounts"),
            ("new_alice2", "settings_aliases_two", "aliases", "email-confirmed", "pass", ""),
            ("new_alice2", "settings_imports_finished", "imports", "email-confirmed", "pass", ""),
            ("new_alice2", "settings_profile", "profile", "email-confirmed", "pass", ""),
            ("new_alice2", "auth_edit_confirmed", "account", "email-confirmed", "pass", ""),
            ("new_alice3_unconfirmed", "auth_edit", "account", "email-confirmed", "stop", "is not confirmed"),
            ("new_alice3_unconfirmed", "auth_setup", "setup", "email-confirmed", "stop", "is not"),
        ] {
            for version in ["4.3.23", "4.6.5"] {
                let Some(capture) = Capture::find(version, who, name) else { continue };
                let side = if who.starts_with("old") { "old" } else { "new" };
                // Nothing but this page: the guard asks for others, and they would be of other days.
                let pages = Pages::start();
                pages.serve(&capture.path, capture.page);
                browser.open(&format!("{}{}", pages.origin(side), capture.path));
                let guard = browser.guard();
                assert_eq!(guard.page(), page, "{version} {who} {name}");
                guard.wait_for(check, outcome, words);
            }
        }
    }
}
