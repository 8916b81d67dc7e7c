//! Saving messages, as a person does it: through a closed tab and a restart of the browser, into a ZIP, and after the move.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use end_to_end::{Browser, Kind, Options, Panel, ServerOptions, Servers, Side, in_both_browsers, scenario};
use serde_json::{Value, json};
use stand_in::Shape;

const JOB: &str = "[data-job=messages]";
/// The one whom no list knows: a stranger, never answered, whose request was dismissed.
const DISMISSED: &str = "bela@far.example";

fn state(desk: &Panel) -> String {
    desk.element(JOB).attribute("data-state").ok().flatten().unwrap_or_default()
}

fn wait_for_state(browser: &Browser, desk: &Panel, wanted: &str) {
    // As long as it goes on there is nothing to complain of: how fast a machine saves is not the question here.
    let mut before = String::new();
    while state(desk) != wanted {
        before = browser.wait(&format!("the save to go on, or to be {wanted}"), || {
            let (state, now) = (state(desk), words(desk));
            (state == wanted || now != before).then_some(now)
        });
    }
    if wanted == "done" {
        // The findings above change with it, and move what is to be clicked.
        desk.wait_for_outcome("messages-saved", "pass");
    }
}

fn words(desk: &Panel) -> String {
    desk.read(JOB)
}

/// What the entries of a ZIP are called.
fn names(path: &Path) -> Vec<String> {
    let zip = zip::ZipArchive::new(File::open(path).expect("the ZIP is there")).expect("it is a ZIP");
    zip.file_names().map(|name| name.expect("a name").into_owned()).collect()
}

/// The messages in a ZIP: uri and author, and the checksums of its files.
fn inside(path: &Path) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let mut zip = zip::ZipArchive::new(File::open(path).expect("the ZIP is there")).expect("it is a ZIP");
    let mut text = String::new();
    zip.by_name("messages.json").expect("messages.json").read_to_string(&mut text).expect("text");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let mut messages = BTreeMap::new();
    for line in all["statuses"].as_array().expect("statuses") {
        let status = &line["status"];
        // One without a readable visibility is kept as a message.
        if !matches!(status["visibility"].as_str(), Some("public" | "unlisted" | "private")) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            // The key is the uri, where there is one.
            let key = text(&line["key"]);
            let key = key.strip_prefix("m/").unwrap_or(&key).to_owned();
            messages.insert(key, text(&status["account"]["acct"]));
        }
    }
    let mut manifest = String::new();
    zip.by_name("manifest.json").expect("manifest.json").read_to_string(&mut manifest).expect("text");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let files = manifest["files"].as_array().expect("files");
    let sums = files.iter().filter_map(|file| file["sha256"].as_str().map(str::to_owned)).collect();
    // Every entry is what the manifest says, by another implementation than ours.
    for file in files {
        let name = file["path"].as_str().expect("a path");
        let mut bytes = Vec::new();
        zip.by_name(name)
            .unwrap_or_else(|_| panic!("{name}"))
            .read_to_end(&mut bytes)
            .expect("it can be read");
        assert_eq!(file["sha256"].as_str(), Some(stand_in::sha256::hex(&bytes).as_str()), "{name}");
    }
    (messages, sums)
}

/// What the server has and the ZIP has not, by author.
fn lost(servers: &Servers, user: &str, zip: &Path) -> BTreeMap<String, usize> {
    let (messages, sums) = inside(zip);
    let mut lost = BTreeMap::new();
    for truth in servers.control().oracle(Side::Old, user) {
        if !messages.contains_key(&truth.uri) {
            *lost.entry(truth.author).or_insert(0) += 1;
            continue;
        }
        for file in truth.attachments {
            assert!(sums.contains(&file.sha256), "{} is missing", file.url);
        }
    }
    lost
}

fn one_restart(kind: Kind) {
    let servers = Servers::start();
    let profile = tempfile::tempdir().expect("a folder");
    let options = Options { profile: Some(profile.path().to_owned()), ..Options::default() };
    scenario(kind, "saves_through_a_restart_1", &options, |browser| {
        servers.link(browser, "mia", "mia");
        servers.enter_in_tab(browser, Side::Old, "mia", "/settings/migration");
        browser.guard().settled();
        // Slow enough for a person to close something in the middle.
        servers.control().post(
            "fault",
            &json!({ "server": "old", "path_prefix": "/api/v1/", "kind": "slow:150", "count": 100000 }),
        );
        // The guard says that nothing is saved, and its button begins.
        browser.guard().click("[data-check=messages-saved] button[data-action=save-messages]");
        let desk = browser.desk();
        browser.wait("something to be saved", || words(&desk).contains("saved so far").then_some(()));
        browser.wait("a part of it", || {
            let bar = desk.element(&format!("{JOB} progress"));
            let value: f64 = bar.attribute("value").ok().flatten()?.parse().ok()?;
            (value >= 10.0).then_some(())
        });
        // The server's tab is closed in the middle.
        browser.switch_to_tab_with("old.localhost");
        browser.close_tab();
        let desk = browser.desk();
        wait_for_state(browser, &desk, "stopped");
        assert!(words(&desk).contains("old.localhost"), "{}", words(&desk));
        browser.assert_quiet();
    });
    // The browser is started anew, with the same profile.
    servers.control().post("faults/clear", &Value::Null);
    scenario(kind, "saves_through_a_restart_2", &options, |browser| {
        if kind == Kind::Firefox {
            // A temporary add-on forgets its grants with the session.
            let desk = browser.desk();
            desk.click("button[data-action=change]");
            desk.click("button[data-action=link]");
        }
        servers.enter_in_tab(browser, Side::Old, "mia", "/settings/migration");
        browser.guard().settled();
        if kind == Kind::Chromium {
            browser.open_tab("about:blank");
            browser.open_desk();
        }
        let desk = browser.desk();
        wait_for_state(browser, &desk, "paused");
        assert!(words(&desk).contains("saved so far"), "{}", words(&desk));
        desk.click(&format!("{JOB} button[data-action=resume]"));
        wait_for_state(browser, &desk, "done");
        assert!(words(&desk).contains("564 messages"), "{}", words(&desk));
        assert!(words(&desk).contains("whose request you dismissed"), "{}", words(&desk));
        desk.wait_for_outcome("messages-saved", "pass");
        // Whoever remembers the name gets the rest.
        desk.element("#name-person").type_keys(DISMISSED).expect("a field");
        desk.click(&format!("{JOB} button[data-action=name-person]"));
        browser.wait("all of them", || words(&desk).contains("571 messages").then_some(()));
        wait_for_state(browser, &desk, "done");
        desk.click(&format!("{JOB} button[data-action=download-messages]"));
        let zip = browser.downloaded(".zip");
        assert_eq!(lost(&servers, "mia", &zip), BTreeMap::new());
        let (messages, _) = inside(&zip);
        assert_eq!(messages.len(), 571);
        // Muted authors, a blocked one, and one who blocks.
        for author in ["samir", "tilda", "xenia@far.example", "anton", "ugo"] {
            assert!(messages.values().any(|acct| acct == author), "nothing of {author}");
        }
        assert_eq!(browser.foreign_requests(), Vec::<String>::new());
        // No `assert_quiet`: at a second start Chromium notes the manifest's key for Firefox.
    });
}

mod saves_through_a_closed_tab_and_a_restart {
    use super::*;

    #[test]
    fn chromium() {
        one_restart(Kind::Chromium);
    }

    #[test]
    fn firefox() {
        one_restart(Kind::Firefox);
    }
}

fn save(browser: &Browser, servers: &Servers, user: &str) {
    servers.link(browser, user, "mia");
    servers.enter_in_tab(browser, Side::Old, user, "/settings/export");
    browser.guard().settled();
    let desk = browser.desk();
    desk.click(&format!("{JOB} button[data-action=save-messages]"));
    wait_for_state(browser, &desk, "done");
}

in_both_browsers! {
    fn after_the_move_messages_are_rescued(browser) {
        let servers = Servers::start();
        servers.link(browser, "mia", "mia");
        servers.control().set_moved(Side::Old, "mia", Some(&servers.new_handle("mia")), true);
        servers.enter_in_tab(browser, Side::Old, "mia", "/auth/edit");
        let guard = browser.guard();
        guard.wait_for("messages-saved", "warn", "can still be saved");
        guard.click("[data-check=messages-saved] button[data-action=save-messages]");
        let desk = browser.desk();
        wait_for_state(browser, &desk, "done");
        assert!(words(&desk).contains("whom you never answered"), "{}", words(&desk));
        desk.click(&format!("{JOB} button[data-action=download-messages]"));
        let lost = lost(&servers, "mia", &browser.downloaded(".zip"));
        // Strangers who were never answered, and nobody else.
        let strangers = ["bela@far.example", "yusuf@far.example", "zora@far.example", "ugo@"];
        assert!(!lost.is_empty());
        for author in lost.keys() {
            assert!(strangers.iter().any(|stranger| author.starts_with(stranger)), "{lost:?}");
        }
        assert_eq!(browser.foreign_requests(), Vec::<String>::new());
        browser.assert_quiet();
    }

    fn shows_searches_and_opens_again_what_it_saved(browser) {
        let servers = Servers::start();
        save(browser, &servers, "mia");
        let desk = browser.desk();
        desk.click(&format!("{JOB} button[data-action=show-messages]"));
        let rows = || desk.all(".reader .people button").ok().filter(|rows| !rows.is_empty());
        let all = browser.wait("the conversations", rows);
        assert!(all.len() >= 10, "{}", all.len());
        all[0].click().expect("a conversation opens");
        browser.wait("its messages", || desk.all(".reader .message").ok().filter(|all| !all.is_empty()));
        desk.element("#search-messages").type_keys("m011").expect("a field");
        browser.wait("what was searched", || {
            desk.element(".reader .found").text().ok().filter(|text| text.contains("1 message found"))
        });
        desk.element(".reader .people button").click().expect("the hit opens");
        browser.wait("the message", || desk.all(".reader [data-found]").ok().filter(|all| all.len() == 1));
        assert_eq!(desk.axe(), Vec::new());

        // The ZIP, opened on what could be another machine.
        desk.click(&format!("{JOB} button[data-action=download-messages]"));
        let zip = browser.downloaded(".zip");
        desk.click(&format!("{JOB} details.delete > summary"));
        desk.click(&format!("{JOB} button[data-action=delete-saved]"));
        wait_for_state(browser, &desk, "none");
        desk.click(&format!("{JOB} details.open-zip > summary"));
        desk.element("#open-zip").type_keys(&zip.display().to_string()).expect("a file is chosen");
        browser.wait("the ZIP to be opened", || {
            words(&desk).contains("564 messages, saved on").then_some(())
        });
        browser.wait("the conversations again", rows);
        // One bit is wrong.
        let mut bytes = std::fs::read(&zip).expect("the ZIP");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let broken = zip.with_file_name("broken.zip");
        std::fs::write(&broken, bytes).expect("a file");
        desk.element("#open-zip").type_keys(&broken.display().to_string()).expect("a file is chosen");
        browser.wait("the fault to be found", || words(&desk).contains("This file is damaged").then_some(()));
        browser.assert_quiet();
    }

    fn asks_for_the_host_of_the_pictures_by_name(browser) {
        let servers = Servers::with(ServerOptions { media_host: true, ..ServerOptions::default() });
        save(browser, &servers, "mia");
        let desk = browser.desk();
        assert!(words(&desk).contains("files are missing"), "{}", words(&desk));
        assert!(words(&desk).contains("Pictures of your messages are kept on cdn.localhost"), "{}", words(&desk));
        browser.grant(&["http://cdn.localhost/*"]);
        let desk = browser.desk();
        desk.click(&format!("{JOB} button[data-action=grant-media]"));
        // No `assert_quiet`: Chromium notes a picture whose address led to a server that was not allowed yet.
        browser.wait("the pictures", || words(&desk).contains("pictures and other files are saved").then_some(()));
        wait_for_state(browser, &desk, "done");
        assert!(!words(&desk).contains("kept on cdn.localhost"), "{}", words(&desk));
    }

    fn pictures_that_lie_or_break_off_are_told(browser) {
        let servers = Servers::start();
        let fault = |kind: &str, nth: u64, count: u64| {
            servers.control().post("fault", &json!({
                "server": "old", "path_prefix": "/system/media_attachments", "kind": kind, "nth": nth, "count": count,
            }));
        };
        // One is gone, one is another thing than it is called, and one breaks off, but not every time.
        fault("status:404", 1, 1);
        fault("html-as:image/png", 3, 1);
        fault("truncate", 5, 1);
        save(browser, &servers, "mia");
        let desk = browser.desk();
        assert!(words(&desk).contains("1 file is missing"), "{}", words(&desk));
        desk.click(&format!("{JOB} button[data-action=download-messages]"));
        let zip = browser.downloaded(".zip");
        let mut written = zip::ZipArchive::new(File::open(&zip).expect("the ZIP")).expect("a ZIP");
        let mut page = String::new();
        written.by_name("messages.html").expect("the page").read_to_string(&mut page).expect("text");
        assert!(page.contains("its server no longer has it"), "the reason is not told");
        // What called itself a picture and is a page is not shown as one, nor named so that it would open.
        let pages: Vec<String> = names(&zip).into_iter().filter(|name| name.contains(".htm")).collect();
        assert_eq!(pages, ["messages.html"]);
        browser.assert_quiet();
    }

    fn the_guard_tells_what_has_come_since(browser) {
        let servers = Servers::start();
        save(browser, &servers, "mia");
        servers.control().post("message", &json!({ "server": "old", "user": "mia", "from": "olga", "text": "one more" }));
        browser.switch_to_tab_with("old.localhost");
        browser.open(&servers.on_old("/settings/migration"));
        let check = browser.guard().wait_for("messages-saved", "stop", "was never saved");
        assert_eq!(check.outcome, "stop");
        browser.guard().click("[data-check=messages-saved] button[data-action=save-messages]");
        let desk = browser.desk();
        browser.wait("one more", || words(&desk).contains("565 messages").then_some(()));
        wait_for_state(browser, &desk, "done");
        browser.assert_quiet();
    }

    fn hostile_messages_do_nothing_in_what_was_written(browser) {
        let servers = Servers::start();
        servers.control().correspondence(Side::Old, "hos", Shape::Hostile);
        save(browser, &servers, "hos");
        let desk = browser.desk();
        desk.click(&format!("{JOB} button[data-action=download-messages]"));
        let zip = browser.downloaded(".zip");
        // On the desk itself.
        desk.click(&format!("{JOB} button[data-action=show-messages]"));
        let rows = browser.wait("the conversations", || {
            desk.all(".reader .people button").ok().filter(|rows| !rows.is_empty())
        });
        for at in 0..rows.len() {
            desk.all(".reader .people button").expect("rows")[at].click().expect("a conversation opens");
            browser.wait("its messages", || desk.all(".reader .message").ok().filter(|all| !all.is_empty()));
        }
        let odd = ".reader :is(script, style, iframe, object, embed, form, base, meta, link, svg, math, [onclick], [onerror])";
        assert_eq!(desk.all(odd).expect("a search").len(), 0);
        assert_eq!(browser.title(), "Packed Trunk");
        assert_eq!(browser.foreign_requests(), Vec::<String>::new());

        // And in the page that was written, opened as a file.
        let (messages, _) = inside(&zip);
        assert_eq!(messages.len(), servers.control().oracle(Side::Old, "hos").len());
        let folder = tempfile::tempdir().expect("a folder");
        zip::ZipArchive::new(File::open(&zip).expect("the ZIP")).expect("a ZIP").extract(folder.path()).expect("it unpacks");
        // Nothing but what we name.
        for name in names(&zip) {
            let ours = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@".contains(&b));
            assert!(ours && !name.contains(".."), "{name}");
        }
        let address = format!("file://{}", folder.path().join("messages.html").display());
        let before = (servers.requests_to(Side::Old).len(), browser.foreign_requests().len());
        browser.open(&address);
        // Time for whatever would run or load.
        std::thread::sleep(std::time::Duration::from_secs(2));
        assert_eq!(browser.address(), address);
        assert!(!browser.title().contains("run"), "{}", browser.title());
        let odd = "return document.querySelectorAll('script, iframe, object, embed, form, base, svg, math, input').length;";
        assert_eq!(browser.run(odd, &[]), json!(0));
        let shown = "return [...document.images].filter(image => image.complete && image.naturalWidth === 0 && image.loading !== 'lazy').length;";
        assert_eq!(browser.run(shown, &[]), json!(0));
        assert_eq!((servers.requests_to(Side::Old).len(), browser.foreign_requests().len()), before);
    }
}
