//! Follows, lists and all the rest, as a person does it: packed from the old account, looked at, unpacked onto the new
//! one, and accounted for row by row.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use end_to_end::{
    Browser, Options, Panel, ServerOptions, Servers, Side, Version, in_both_browsers, output_folder,
};
use serde_json::json;

const PACK: &str = "[data-job=lists]";
const UNPACK: &str = "[data-job=unpack]";
const HALF_AN_HOUR: u64 = 31 * 60 * 1000;

fn state(desk: &Panel, job: &str) -> String {
    desk.element(job).attribute("data-state").ok().flatten().unwrap_or_default()
}

fn words(desk: &Panel, job: &str) -> String {
    desk.read(job)
}

fn wait_for_state(browser: &Browser, desk: &Panel, job: &str, wanted: &str) {
    // As long as it goes on there is nothing to complain of: how fast a machine is is not the question here.
    let mut before = String::new();
    while state(desk, job) != wanted {
        before = browser.wait(&format!("{job} to go on, or to be {wanted}; {before}"), || {
            let (state, now) = (state(desk, job), words(desk, job));
            (state == wanted || now != before).then_some(now)
        });
    }
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
        let wide = browser.run(
            "return Array.from(document.querySelectorAll('.job *'))
                 .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
                 .map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);",
            &[],
        );
        assert_eq!(wide, json!([]), "{name} is cut off, {kind}");
        browser.screenshot(&folder.join(format!("lists-{name}-{kind}-{}.png", browser.kind().name())));
    }
    browser.emulate(&Options::default());
}

/// Packs, from the guard's own button where there is one.
fn pack<'b>(browser: &'b Browser, servers: &Servers, user: &str, new: &str) -> Panel<'b> {
    servers.link(browser, user, new);
    servers.enter_in_tab(browser, Side::Old, user, "/settings/export");
    browser.guard().settled();
    let desk = browser.desk();
    desk.click(&format!("{PACK} button[data-action=pack]"));
    wait_for_state(browser, &desk, PACK, "done");
    desk
}

/// Every row of a kind with what became of it, as shown.
fn outcomes(desk: &Panel, kind: &str) -> Vec<(String, String)> {
    let rows = desk.run(&format!(
        "return Array.from(root.querySelectorAll('[data-outcomes={kind}] tr[data-outcome]'),
             row => [row.cells[0].textContent, row.dataset.outcome]);"
    ));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    rows.as_array().into_iter().flatten().map(|row| (text(&row[0]), text(&row[1]))).collect()
}

/// Packs, and looks at the new account.
fn plan<'b>(browser: &'b Browser, servers: &Servers) -> Panel<'b> {
    pack(browser, servers, "petra", "petra");
    servers.enter_in_tab(browser, Side::New, "petra", "/settings/export");
    browser.guard().settled();
    let desk = browser.desk();
    desk.click(&format!("{UNPACK} button[data-action=look-new]"));
    wait_for_state(browser, &desk, UNPACK, "planned");
    desk
}

/// Lets the servers' time go on until everything is done: rows are tried for about twenty minutes.
fn until_done(browser: &Browser, servers: &Servers, desk: &Panel) {
    for _ in 0..90 {
        if state(desk, UNPACK) == "done" {
            break;
        }
        servers.control().advance_seconds(60);
        std::thread::sleep(std::time::Duration::from_millis(700));
    }
    wait_for_state(browser, desk, UNPACK, "done");
}

fn block(desk: &Panel, kind: &str) -> String {
    desk.read(&format!("{UNPACK} [data-kind={kind}]"))
}

fn outcome(desk: &Panel, kind: &str, name: &str) -> String {
    let all = outcomes(desk, kind);
    let found = all.iter().find(|(own, _)| own.starts_with(name));
    found.map(|(_, outcome)| outcome.clone()).unwrap_or_else(|| format!("no {name}"))
}

/// The whole way between servers of these versions: every row is accounted for, and what can go goes.
fn goes_all_the_way(browser: &Browser, old: &str, new: &str) {
    let version = |text: &str| text.parse::<Version>().expect("a version");
    let options =
        ServerOptions { old_version: version(old), new_version: version(new), ..ServerOptions::default() };
    let servers = Servers::with(options);
    let desk = plan(browser, &servers);
    desk.click(&format!("{UNPACK} button[data-action=unpack]"));
    browser.wait("it to begin", || (state(&desk, UNPACK) != "planned").then_some(()));
    if new == "4.1" {
        // It tells nobody how far it is: what has not grown for half an hour is over.
        browser.wait("everything to be sent", || (!words(&desk, UNPACK).contains("waits")).then_some(()));
        servers.control().advance_seconds(40 * 60);
        for _ in 0..20 {
            if state(&desk, UNPACK) == "done" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_secs(3));
            browser.move_clock(HALF_AN_HOUR);
        }
    }
    until_done(browser, &servers, &desk);
    picture(browser, &format!("{old}-{new}"));
    for (name, expected) in [
        ("alva@", "arrived"),
        ("lotte@", "requested"),
        ("rolf@", "there"),
        ("moritz@", "moved"),
        ("gerda@", "gone"),
        ("sid@", "suspended"),
        ("bruno@", "blocks-you"),
        ("berta@", "you-block"),
        ("sina@", "server-silent"),
    ] {
        assert_eq!(outcome(&desk, "follows", name), expected, "{name} from {old} to {new}");
    }
    for (kind, count) in [("follows", 31), ("mutes", 3), ("blocks", 2), ("domain-blocks", 3), ("lists", 7)] {
        let all = outcomes(&desk, kind);
        assert_eq!(all.len(), count, "{kind} from {old} to {new}: {all:?}");
        assert!(all.iter().all(|(_, outcome)| outcome != "running"), "{all:?}");
    }
    for kind in ["mutes", "blocks", "domain-blocks"] {
        let all = outcomes(&desk, kind);
        assert!(all.iter().all(|(_, outcome)| outcome == "arrived"), "{kind}: {all:?}");
    }
    browser.assert_quiet();
}

in_both_browsers! {
    fn goes_from_4_6_to_4_1(browser) {
        goes_all_the_way(browser, "4.6", "4.1");
    }

    fn goes_from_4_1_to_4_6(browser) {
        goes_all_the_way(browser, "4.1", "4.6");
    }

    fn goes_from_4_3_to_4_5(browser) {
        goes_all_the_way(browser, "4.3", "4.5");
    }

    fn packs_everything(browser) {
        let servers = Servers::start();
        servers.link(browser, "petra", "petra");
        servers.enter_in_tab(browser, Side::Old, "petra", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        picture(browser, "1-before");
        desk.click(&format!("{PACK} button[data-action=pack]"));
        wait_for_state(browser, &desk, PACK, "done");
        desk.wait_for_outcome("follows-saved", "pass");
        desk.wait_for_outcome("lists-saved", "pass");
        picture(browser, "2-packed");
        for (part, count) in [("follows", "31"), ("followers", "13"), ("tags", "4"), ("notes", "3"), ("list-settings", "3")] {
            let row = desk.read(&format!("{PACK} [data-part={part}] td"));
            assert_eq!(row, count, "{part}");
        }
        assert_eq!(desk.axe(), Vec::new());
        desk.click(&format!("{PACK} button[data-action=download-packed]"));
        let zip = browser.downloaded(".zip");
        let zip = zip::ZipArchive::new(std::fs::File::open(zip).expect("the ZIP")).expect("it is a ZIP");
        let names: Vec<String> = zip.file_names().map(|name| name.expect("a name").into_owned()).collect();
        assert!(names.iter().any(|name| name == "mastodon/following_accounts.csv"), "{names:?}");
        // It is still there after a reload.
        browser.reload();
        let desk = browser.desk();
        wait_for_state(browser, &desk, PACK, "done");
        browser.assert_quiet();
    }

    fn unpacks_and_accounts_for_every_row(browser) {
        let servers = Servers::start();
        let desk = plan(browser, &servers);
        picture(browser, "3-planned");
        assert!(block(&desk, "follows").contains("24 rows will be uploaded, 7 will not"), "{}", block(&desk, "follows"));
        assert!(words(&desk, UNPACK).contains("24 people are told"), "{}", words(&desk, UNPACK));
        desk.run("root.querySelectorAll('details').forEach(details => { details.open = true; });");
        assert_eq!(desk.axe(), Vec::new());
        desk.click(&format!("{UNPACK} button[data-action=unpack]"));
        browser.wait("the follows to be worked on", || words(&desk, UNPACK).contains("of 24, working").then_some(()));
        picture(browser, "4-working");
        // In the middle: what has not arrived is still being worked on.
        desk.click(&format!("{UNPACK} button[data-action=verify]"));
        browser.wait("the account of every row", || {
            (state(&desk, UNPACK) == "unpacking" && outcome(&desk, "follows", "gerda@") == "running").then_some(())
        });
        until_done(browser, &servers, &desk);
        picture(browser, "5-unpacked");
        for (name, expected) in [
            ("alva@", "arrived"),
            ("lotte@", "requested"),
            ("rolf@", "there"),
            ("moritz@", "moved"),
            ("gerda@", "gone"),
            ("gabi@", "gone"),
            ("sid@", "suspended"),
            ("bruno@", "blocks-you"),
            ("bea@", "blocks-you"),
            ("berta@", "you-block"),
            ("nora@blocked", "left-out"),
            ("sina@", "server-silent"),
        ] {
            assert_eq!(outcome(&desk, "follows", name), expected, "{name}");
        }
        assert_eq!(outcomes(&desk, "follows").len(), 31);
        desk.wait_for_outcome("follows-arrived", "warn");
        desk.run("root.querySelectorAll('details').forEach(details => { details.open = true; });");
        assert_eq!(desk.axe(), Vec::new());
        let acts = desk.all(&format!("{UNPACK} tr[data-stand=done]")).expect("rows").len();
        assert_eq!(acts, 15);

        // The whole difference, and what can be tried again.
        desk.click(&format!("{UNPACK} button[data-action=download-difference]"));
        let table = std::fs::read_to_string(browser.downloaded(".csv")).expect("a table");
        assert_eq!(table.lines().filter(|line| line.contains("Follows,")).count(), 31, "{table}");
        assert!(table.contains("moritz_new@far.example"), "{table}");
        desk.click(&format!("{UNPACK} [data-account=follows] button[data-action=download-retry]"));
        let file = std::fs::read_to_string(browser.downloaded("following_accounts.csv")).expect("a file");
        assert!(file.contains("sina@silent.example") && !file.contains("gerda@"), "{file}");

        // The silent server speaks again, and who has moved is followed where they are.
        servers.control().silent("silent.example", false);
        desk.click(&format!("{UNPACK} button[data-action=retry]"));
        browser.wait("the retry", || (state(&desk, UNPACK) != "done").then_some(()));
        until_done(browser, &servers, &desk);
        assert_eq!(outcome(&desk, "follows", "sina@"), "arrived");
        desk.click(&format!("{UNPACK} button[data-action=follow-moved]"));
        browser.wait("the others", || (state(&desk, UNPACK) != "done").then_some(()));
        until_done(browser, &servers, &desk);
        assert_eq!(outcome(&desk, "follows", "moritz_new@far.example"), "arrived");
        picture(browser, "6-again");

        // All of it can be read after a reload.
        let before = outcomes(&desk, "follows");
        browser.reload();
        let desk = browser.desk();
        wait_for_state(browser, &desk, UNPACK, "done");
        assert_eq!(outcomes(&desk, "follows"), before);
        browser.assert_quiet();
    }

    fn keeps_what_was_corrected(browser) {
        let servers = Servers::start();
        let desk = plan(browser, &servers);
        let uploads = |kind: &str, count: &str| {
            browser.wait(&format!("{count} of {kind}"), || block(&desk, kind).contains(count).then_some(()));
        };
        // One of them stays, somebody else comes in the place of another, and one comes all the same.
        desk.click(&format!("{UNPACK} details[data-fold='follows upload'] > summary"));
        desk.click(&format!("{UNPACK} [data-fold='follows upload'] li[data-row='0'] button[data-action=leave-row]"));
        uploads("follows", "23 rows will be uploaded, 8 will not");
        assert!(words(&desk, UNPACK).contains("will be left out"), "{}", words(&desk, UNPACK));
        // Everything was drawn anew, and whoever has no mouse is still where they were.
        let focus = desk.run("return document.activeElement.closest('[data-fold]')?.dataset.fold ?? '';");
        assert_eq!(focus, "follows upload");
        desk.click(&format!("{UNPACK} [data-why=oneself] > summary"));
        desk.click(&format!("{UNPACK} [data-why=oneself] button[data-action=replace-row]"));
        let field = desk.element(&format!("{UNPACK} [data-why=oneself] input"));
        field.fill("not a handle").expect("a field");
        desk.click(&format!("{UNPACK} [data-why=oneself] button[data-action=take-row]"));
        browser.wait("the mistake", || block(&desk, "follows").contains("I cannot read that").then_some(()));
        field.fill("@paul@pixel.example").expect("a field");
        desk.click(&format!("{UNPACK} [data-why=oneself] button[data-action=take-row]"));
        uploads("follows", "24 rows will be uploaded, 7 will not");
        desk.click(&format!("{UNPACK} [data-why=there] > summary"));
        desk.click(&format!("{UNPACK} [data-why=there] button[data-action=upload-row]"));
        uploads("follows", "25 rows will be uploaded, 6 will not");
        // Blocked servers stay in the trunk.
        desk.click(&format!("{UNPACK} #kind-domain-blocks"));
        browser.wait("the choice", || block(&desk, "domain-blocks").contains("Stays in the trunk").then_some(()));
        picture(browser, "7-corrected");
        assert_eq!(desk.axe(), Vec::new());
        browser.reload();
        let desk = browser.desk();
        wait_for_state(browser, &desk, UNPACK, "planned");
        assert!(block(&desk, "follows").contains("25 rows will be uploaded, 6 will not"), "{}", block(&desk, "follows"));
        assert!(block(&desk, "domain-blocks").contains("Stays in the trunk"));

        // Replacing says whom it removes, and asks.
        desk.click(&format!("{UNPACK} [data-kind=follows] button[data-action=replace]"));
        let removes = desk.read(&format!("{UNPACK} [data-removes=follows]"));
        assert!(removes.contains("olaf@remote.example") && !removes.contains("rolf@"), "{removes}");
        picture(browser, "8-replace");
        desk.click(&format!("{UNPACK} [data-kind=follows] button[data-action=replace-confirm]"));
        browser.wait("what was agreed", || block(&desk, "follows").contains("one row will be removed").then_some(()));
        // Somebody is followed meanwhile: that was not agreed to.
        servers.control().follows(Side::New, "petra", 1);
        desk.click(&format!("{UNPACK} button[data-action=unpack]"));
        browser.wait("the change to be told", || words(&desk, UNPACK).contains("has changed since you agreed").then_some(()));
        wait_for_state(browser, &desk, UNPACK, "planned");
        let sent = servers.requests_to(Side::New);
        assert!(!sent.iter().any(|one| one == "POST /settings/imports"), "{sent:?}");
        browser.assert_quiet();
    }

    fn says_what_is_wrong_with_a_file(browser) {
        let servers = Servers::start();
        let desk = plan(browser, &servers);
        let folder = tempfile::tempdir().expect("a folder");
        desk.click(&format!("{UNPACK} details[data-fold=other-file] > summary"));
        let utf16: Vec<u8> = "\u{feff}Account address;Show boosts\r\nrita@remote.example;true\r\npaul@pixel.example;false\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (name, bytes, expected) in [
            ("mutes.csv", b"Account address,Hide notifications\nrita@remote.example,true\n".to_vec(), "is a list for \u{201c}Muted people\u{201d}, not for \u{201c}Follows\u{201d}"),
            ("page.csv", b"<!DOCTYPE html><html></html>".to_vec(), "is a web page"),
            ("empty.csv", Vec::new(), "is empty"),
            ("likes.json", b"{\"@context\":[],\"id\":\"likes.json\",\"type\":\"OrderedCollection\"}".to_vec(), "part of an archive"),
            ("sheet.csv", utf16, "was read: 2 rows. The file is written as UTF-16"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            let field = desk.element("#other-file");
            field.type_keys(&path.display().to_string()).expect("a file is chosen");
            browser.wait(&format!("what is said of {name}: {expected}"), || {
                words(&desk, UNPACK).contains(expected).then_some(())
            });
        }
        assert!(block(&desk, "follows").contains("From the file sheet.csv"), "{}", block(&desk, "follows"));
        // Rita is new, Paul too.
        assert!(block(&desk, "follows").contains("2 rows will be uploaded."), "{}", block(&desk, "follows"));
        picture(browser, "9-other-file");
        assert_eq!(desk.axe(), Vec::new());
        desk.click(&format!("{UNPACK} button[data-action=drop-file]"));
        browser.wait("what is packed", || block(&desk, "follows").contains("24 rows").then_some(()));
        browser.assert_quiet();
    }

    fn refused_and_stuck_are_said(browser) {
        let servers = Servers::start();
        let desk = plan(browser, &servers);
        servers.control().post("fault", &json!({
            "server": "new", "method": "POST", "path_prefix": "/settings/imports", "kind": "import-error:Data is not nice", "count": 1,
        }));
        desk.click(&format!("{UNPACK} button[data-action=unpack]"));
        browser.wait("the server's words", || words(&desk, UNPACK).contains("Data is not nice").then_some(()));
        browser.wait("an import under way", || words(&desk, UNPACK).contains("working").then_some(()));
        servers.control().post("stuck", &json!({ "server": "new", "user": "petra" }));
        desk.click(&format!("{UNPACK} button[data-action=pause]"));
        wait_for_state(browser, &desk, UNPACK, "paused");
        picture(browser, "10-paused");
        desk.click(&format!("{UNPACK} button[data-action=resume]"));
        // The extension's clock is the browser's own.
        browser.move_clock(HALF_AN_HOUR);
        browser.wait("what is stuck", || {
            words(&desk, UNPACK).contains("has not grown for 30 minutes").then_some(())
        });
        picture(browser, "11-stuck");
        servers.control().post("stuck", &json!({ "server": "new", "user": "petra", "stuck": false }));
        until_done(browser, &servers, &desk);
        assert!(words(&desk, UNPACK).contains("Data is not nice"), "{}", words(&desk, UNPACK));
        desk.click(&format!("{UNPACK} button[data-action=retry]"));
        browser.wait("the retry", || (state(&desk, UNPACK) != "done").then_some(()));
        until_done(browser, &servers, &desk);
        browser.assert_quiet();
    }
}
