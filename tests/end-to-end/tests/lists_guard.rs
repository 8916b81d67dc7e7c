//! What the guard says on Mastodon's own pages for exports and imports.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used)]

use std::path::PathBuf;

use end_to_end::{Browser, Options, Panel, Servers, Side, in_both_browsers, output_folder};
use serde_json::json;

const FILE_FIELD: &str = "input[type=file]";
const FOLLOWS: &str =
    "Account address,Show boosts,Notify on new posts,Languages\nrita@remote.example,true,false,\n";

/// A file to choose.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = output_folder().join("../tmp/chosen");
    std::fs::create_dir_all(&folder).expect("a folder for files");
    let path = folder.canonicalize().expect("its whole path").join(name);
    std::fs::write(&path, bytes).expect("a file to choose");
    path
}

fn choose(browser: &Browser, name: &str, bytes: &[u8]) {
    let path = file(name, bytes);
    browser.element(FILE_FIELD).type_keys(path.to_str().expect("a plain path")).expect("a file is chosen");
}

/// As a person does: the select changes, and says so.
fn choose_type(browser: &Browser, kind: &str) {
    browser.run(
        "const select = document.querySelector('select[name$=\"[type]\"]');
         select.value = arguments[0];
         select.dispatchEvent(new Event('change', { bubbles: true }));",
        &[json!(kind)],
    );
}

/// The ids of all warnings, once they are these.
fn wait_for_warnings(browser: &Browser, guard: &Panel, wanted: &[&str]) -> String {
    let mut seen = json!(null);
    browser.wait(&format!("the warnings {wanted:?}"), || {
        seen = guard.run(
            "const all = Array.from(root.querySelectorAll('[role=alert] [data-warning]'));
             return [all.map(one => one.dataset.warning), all.map(one => one.textContent).join('\\n')];",
        );
        (seen[0] == json!(wanted)).then(|| seen[1].as_str().unwrap_or_default().to_owned())
    })
}

/// Pictures of a state, as a person may see it; looked at by hand.
fn picture(browser: &Browser, name: &str) {
    let folder = output_folder().join("../shots");
    for (kind, options) in [
        ("light", Options::default()),
        ("dark", Options { dark: true, ..Options::default() }),
        ("narrow", Options { width: 320, ..Options::default() }),
    ] {
        browser.emulate(&options);
        browser.screenshot(&folder.join(format!("guard-{name}-{kind}-{}.png", browser.kind().name())));
    }
    browser.emulate(&Options::default());
}

/// Packs on the desk, sent there by the guard's own button.
fn pack(browser: &Browser, guard: &Panel) {
    guard.click("[data-check='follows-saved'] [data-action='pack']");
    browser.switch_to_tab_with("desk.html");
    let desk = browser.desk();
    let done = "[data-job=lists][data-state=done]";
    // The button has brought us here; where it has not begun by itself, the desk's own one does.
    if desk.all("[data-job=lists][data-state=none]").is_ok_and(|found| !found.is_empty()) {
        desk.click("[data-job=lists] button[data-action=pack]");
    }
    desk.element(done);
    desk.wait_for_outcome("follows-saved", "pass");
}

fn warns(browser: &Browser, version: &str) {
    let servers = Servers::start();
    servers.link(browser, "ana", "ana");
    servers.control().post("version", &json!({ "server": "new", "version": version }));
    let path = if version == "4.1" { "/settings/import" } else { "/settings/imports" };
    servers.enter(browser, Side::New, "ana", path);
    let guard = browser.guard().wait_ready();
    wait_for_warnings(browser, &guard, &[]);

    choose_type(browser, "following");
    choose(browser, "blocked_accounts.csv", b"rita@remote.example\nruth@remote.example\n");
    let words = wait_for_warnings(browser, &guard, &["kind"]);
    assert!(words.contains("This file looks like a block list. You have chosen “Following list”: everybody in it would be followed"), "{words}");
    picture(browser, &format!("kind-{version}"));
    choose_type(browser, "blocking");
    wait_for_warnings(browser, &guard, &[]);
    choose_type(browser, "muting");
    let words = wait_for_warnings(browser, &guard, &["kind"]);
    assert!(words.contains("everybody in it would be muted"), "{words}");

    choose_type(browser, "following");
    choose(browser, "follows.csv", format!("\u{feff}{FOLLOWS}").as_bytes());
    wait_for_warnings(browser, &guard, &["bom"]);
    choose(browser, "follows-doubled.csv", format!("{FOLLOWS}@RITA@remote.example,true,,\n").as_bytes());
    wait_for_warnings(browser, &guard, &["doubled"]);
    choose(browser, "archive.zip", b"PK\x03\x04\x14\0\0\0\x08\0\xff\xfe\xfd");
    wait_for_warnings(browser, &guard, &["no-list"]);
    choose(
        browser,
        "outbox.json",
        b"{\"@context\":\"x\",\"id\":\"outbox.json\",\"type\":\"OrderedCollection\"}",
    );
    assert!(wait_for_warnings(browser, &guard, &["no-list"]).contains("archive"));
    choose(browser, "page.csv", b"<!DOCTYPE html>\n<html>");
    assert!(wait_for_warnings(browser, &guard, &["no-list"]).contains("web page"));
    choose(browser, "empty.csv", b"");
    wait_for_warnings(browser, &guard, &["empty"]);
    // Of ten megabytes only the beginning is read.
    let long: Vec<u8> = b"rita@remote.example\n".iter().copied().cycle().take(10 << 20).collect();
    choose(browser, "mutes.csv", &long);
    wait_for_warnings(browser, &guard, &["kind"]);
    choose(browser, "follows.csv", FOLLOWS.as_bytes());
    wait_for_warnings(browser, &guard, &[]);

    // It is theirs to upload whatever they like.
    choose(browser, "blocked_accounts.csv", b"rita@remote.example\n");
    wait_for_warnings(browser, &guard, &["kind"]);
    browser.click("form[action*='/settings/import'] button[type=submit]");
    if version == "4.6" {
        let address = browser.wait("the page that confirms", || {
            let address = browser.address();
            address.contains("/settings/imports/").then_some(address)
        });
        assert!(address.starts_with(&servers.on_new("/settings/imports/")), "{address}");
        let guard = browser.guard().wait_ready();
        let words = wait_for_warnings(browser, &guard, &["kind"]);
        assert!(words.contains("Your server takes this file for one of another kind"), "{words}");
        assert!(guard.text().contains("Nothing is imported before you confirm"), "{}", guard.text());
    }
    browser.wait("what the server says of the upload", || {
        browser.source().contains("flash-message").then_some(())
    });
    browser.assert_quiet();
    browser.open(&servers.on_new(path));
    let guard = browser.guard().wait_ready();
    choose_type(browser, "following");
    choose(browser, "blocked_accounts.csv", b"rita@remote.example\n");
    wait_for_warnings(browser, &guard, &["kind"]);
    assert_eq!(guard.axe(), Vec::new());
}

in_both_browsers! {
    fn warns_of_a_file_of_another_kind_and_stops_nobody(browser) {
        warns(browser, "4.6");
    }

    fn warns_on_the_old_page_of_one_step_too(browser) {
        warns(browser, "4.1");
    }

    fn says_on_the_export_page_what_is_saved_and_packs_it(browser) {
        let servers = Servers::start();
        servers.link(browser, "petra", "petra");
        servers.enter_in_tab(browser, Side::Old, "petra", "/settings/export");
        let guard = browser.guard().wait_ready();
        guard.wait_for("follows-saved", "stop", "You follow 31 accounts, and Packed Trunk has no copy");
        guard.wait_for_outcome("lists-saved", "warn");
        assert!(guard.text().contains("holds neither whom you follow"), "{}", guard.text());
        picture(browser, "export-before");
        let here = browser.tab();
        pack(browser, &guard);

        browser.switch_to(&here);
        guard.wait_for_outcome("follows-saved", "pass");
        guard.wait_for_outcome("lists-saved", "pass");
        let rows = guard.element("[data-shelf=packed]").text().unwrap_or_default();
        assert!(rows.contains("Packed on") && rows.contains("Follows: 31"), "{rows}");
        assert!(guard.actions().contains(&"pack".to_owned()));
        picture(browser, "export-packed");

        // What has changed since.
        servers.control().follows(Side::Old, "petra", 2);
        browser.reload();
        guard.wait_for("follows-saved", "stop", "You follow 2 accounts more than when the list was saved");
        browser.assert_quiet();
        assert_eq!(guard.axe(), Vec::new());
    }

    fn says_on_the_import_page_what_belongs_there(browser) {
        let servers = Servers::start();
        servers.link(browser, "petra", "petra");
        servers.enter_in_tab(browser, Side::Old, "petra", "/settings/export");
        let guard = browser.guard().wait_ready();
        guard.wait_for_outcome("follows-saved", "stop");
        let old = browser.tab();
        pack(browser, &guard);
        browser.switch_to(&old);

        servers.enter_in_tab(browser, Side::New, "petra", "/settings/imports");
        let guard = browser.guard().wait_ready();
        guard.wait_for("follows-arrived", "warn", "31 accounts you follow are packed and not unpacked yet: the new account follows 3");
        guard.wait_for_outcome("follow-limit", "pass");
        let kinds = guard.run("return Array.from(root.querySelectorAll('[data-saved]'), row => row.dataset.saved);");
        let all = ["follows", "lists", "mutes", "blocks", "domain-blocks", "bookmarks", "filters"];
        assert_eq!(kinds, json!(all));
        assert!(guard.element("[data-saved=follows]").text().unwrap_or_default().contains("Follows: 31"));
        picture(browser, "imports");
        let here = browser.tab();
        guard.click("[data-saved=follows] [data-action=unpack]");
        browser.switch_to_tab_with("desk.html");
        assert!(browser.desk().element("[data-job=unpack]").is_displayed().unwrap_or(false));
        browser.assert_quiet();
        browser.switch_to(&here);
        assert_eq!(guard.axe(), Vec::new());
    }

    fn tells_in_words_how_imports_stand(browser) {
        let servers = Servers::start();
        servers.link(browser, "petra", "petra");
        servers.enter_in_tab(browser, Side::New, "petra", "/settings/imports");
        let guard = browser.guard().wait_ready();
        choose_type(browser, "following");
        // One who arrives, and one who is not there.
        choose(browser, "follows.csv", format!("{FOLLOWS}gabi@remote.example,true,false,\n").as_bytes());
        wait_for_warnings(browser, &guard, &[]);
        browser.click("form[action='/settings/imports'] button[type=submit]");
        guard.element("[data-import=unconfirmed]");
        let confirm = browser.address();
        browser.open(&servers.on_new("/settings/imports"));
        let waits = guard.element("[data-import=unconfirmed]").text().unwrap_or_default();
        assert!(waits.contains("waits for your confirmation. Mastodon forgets it in about 10 minutes"), "{waits}");
        browser.open(&confirm);
        guard.wait_ready();
        browser.click("a[data-method=post][href$='/confirm']");
        let running = guard.element("[data-import=running]").text().unwrap_or_default();
        assert!(running.contains("of 2 so far. Nobody needs to stay on this page."), "{running}");
        assert!(running.contains("Begun"), "{running}");
        picture(browser, "imports-running");
        servers.control().advance_seconds(1_800);
        browser.reload();
        let failed = guard.element("[data-import=failed]").text().unwrap_or_default();
        assert!(failed.contains("1 of 2. One row was not imported."), "{failed}");
        // With nothing packed there is nothing to compare with, and nothing is promised.
        assert!(failed.contains("Mastodon offers these rows as a file"), "{failed}");
        let imports = browser.tab();
        servers.enter_in_tab(browser, Side::Old, "petra", "/settings/export");
        guard.wait_for_outcome("follows-saved", "stop");
        pack(browser, &guard);
        browser.switch_to(&imports);
        browser.wait("what can be told now", || {
            let told = guard.all("[data-import=failed]").ok()?.first()?.text().ok()?;
            told.contains("Packed Trunk can say why.").then_some(())
        });
        picture(browser, "imports-failed");
        let here = browser.tab();
        guard.click("[data-import=failed] [data-action=unpack]");
        browser.switch_to_tab_with("desk.html");
        browser.assert_quiet();
        browser.switch_to(&here);
        assert_eq!(guard.axe(), Vec::new());
    }
}
