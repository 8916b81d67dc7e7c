//! Follows, lists and all the rest, as a person does it: packed from the old account, looked at, unpacked onto the new
//! one, and accounted for row by row.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use end_to_end::{Browser, Options, Panel, Servers, Side, in_both_browsers, output_folder};

const PACK: &str = "[data-job=lists]";
const UNPACK: &str = "[data-job=unpack]";

fn state(desk: &Panel, job: &str) -> String {
    desk.element(job).attribute("data-state").ok().flatten().unwrap_or_default()
}

fn words(desk: &Panel, job: &str) -> String {
    desk.element(job).text().unwrap_or_default()
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

in_both_browsers! {
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
            let row = desk.element(&format!("{PACK} [data-part={part}] td")).text().unwrap_or_default();
            assert_eq!(row, count, "{part}");
        }
        assert_eq!(desk.axe(), Vec::new());
        // It is still there after a reload, and goes on from wherever it was.
        browser.reload();
        let desk = browser.desk();
        wait_for_state(browser, &desk, PACK, "done");
        browser.assert_quiet();
    }

    fn unpacks_and_accounts_for_every_row(browser) {
        let servers = Servers::start();
        let desk = pack(browser, &servers, "petra", "petra");
        servers.enter_in_tab(browser, Side::New, "petra", "/settings/imports");
        browser.guard().settled();
        let desk = { let _ = desk; browser.desk() };
        desk.click(&format!("{UNPACK} button[data-action=look-new]"));
        wait_for_state(browser, &desk, UNPACK, "planned");
        picture(browser, "3-planned");
        println!("{}", words(&desk, UNPACK));
        let block = |kind: &str| desk.element(&format!("{UNPACK} [data-kind={kind}]")).text().unwrap_or_default();
        assert!(block("follows").contains("will not"), "{}", block("follows"));
        assert_eq!(desk.axe(), Vec::new());
        desk.click(&format!("{UNPACK} button[data-action=unpack]"));
        // The server tries rows for about twenty minutes.
        for _ in 0..60 {
            if state(&desk, UNPACK) == "done" {
                break;
            }
            servers.control().advance_seconds(60);
            std::thread::sleep(std::time::Duration::from_millis(1_000));
        }
        wait_for_state(browser, &desk, UNPACK, "done");
        println!("{}", words(&desk, UNPACK));
        picture(browser, "4-unpacked");
        assert_eq!(desk.axe(), Vec::new());
        let outcomes = outcomes(&desk, "follows");
        let outcome = |name: &str| {
            let found = outcomes.iter().find(|(own, _)| own.starts_with(name));
            found.map(|(_, outcome)| outcome.clone()).unwrap_or_default()
        };
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
            assert_eq!(outcome(name), expected, "{name}");
        }
        browser.assert_quiet();
    }
}
