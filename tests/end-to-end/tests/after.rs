//! What the desk knows and tells: where somebody stands, what comes along, who is lost, what comes next as a list, a calendar
//! and a badge, and the report; and the same where a server is being closed.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use end_to_end::{
    Browser, Options, Panel, ServerOptions, Servers, Side, Version, in_both_browsers, output_folder,
};
use serde_json::{Value, json};

const PACK: &str = "[data-job=lists]";
const UNPACK: &str = "[data-job=unpack]";
const DAY: i64 = 24 * 60 * 60;

fn state(desk: &Panel, job: &str) -> String {
    desk.element(job).attribute("data-state").ok().flatten().unwrap_or_default()
}

fn words(desk: &Panel, css: &str) -> String {
    desk.read(css)
}

fn wait_for_state(browser: &Browser, desk: &Panel, job: &str, wanted: &str) {
    let mut before = String::new();
    while state(desk, job) != wanted {
        before = browser.wait(&format!("{job} to go on, or to be {wanted}; {before}"), || {
            let (state, now) = (state(desk, job), words(desk, job));
            (state == wanted || now != before).then_some(now)
        });
    }
}

/// What stands in an attribute of all that a selector names.
fn all_of(desk: &Panel, css: &str, data: &str) -> Vec<String> {
    let found =
        desk.run(&format!("return Array.from(root.querySelectorAll({css:?}), one => one.dataset.{data});"));
    found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Pictures of a section, as a person may see it; looked at by hand. Nothing in it is cut off.
fn picture(browser: &Browser, desk: &Panel, job: &str, name: &str) {
    let folder = output_folder().join("../shots");
    desk.run("root.querySelectorAll('.job details').forEach(details => { details.open = true; });");
    for (kind, options) in [
        ("light", Options::default()),
        ("dark", Options { dark: true, ..Options::default() }),
        ("narrow", Options { width: 320, ..Options::default() }),
    ] {
        browser.emulate(&options);
        desk.run(&format!("root.querySelector({job:?}).scrollIntoView();"));
        let wide = browser.run(
            "return Array.from(document.querySelectorAll('.job *'))
                 .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
                 .map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);",
            &[],
        );
        assert_eq!(wide, json!([]), "{name} is cut off, {kind}");
        browser.screenshot(&folder.join(format!("after-{name}-{kind}-{}.png", browser.kind().name())));
    }
    browser.emulate(&Options::default());
    assert_eq!(desk.axe(), Vec::new(), "{name}");
}

/// What the browser says that the button in the toolbar says.
fn badge(browser: &Browser) -> (String, String) {
    let script = "const done = arguments[0], own = window.wrappedJSObject ?? window, api = own.chrome;
        const empty = own.JSON.parse('{}');
        Promise.all([api.action.getBadgeText(empty), api.action.getTitle(empty)])
            .then(both => done(JSON.stringify(Array.from(both))), error => done(JSON.stringify([String(error), ''])));";
    let found = browser.driver().run_async(script, &[]).expect("the desk runs a script");
    let both: Vec<String> = serde_json::from_str(found.as_str().unwrap_or("[]")).expect("two texts");
    (both[0].clone(), both[1].clone())
}

fn linked<'b>(browser: &'b Browser, servers: &Servers, old: &str, new: &str) -> Panel<'b> {
    servers.link(browser, old, new);
    servers.enter_in_tab(browser, Side::Old, old, "/settings/migration");
    browser.guard().settled();
    servers.enter_in_tab(browser, Side::New, new, "/settings/aliases");
    browser.guard().settled();
    browser.desk()
}

/// The calendar's lines, unfolded, as strictly as the standard has them.
fn lines(calendar: &str) -> Vec<String> {
    assert!(calendar.ends_with("END:VCALENDAR\r\n"), "{calendar:?}");
    assert!(!calendar.replace("\r\n", "").contains(['\r', '\n']), "a bare end of line");
    assert!(calendar.split("\r\n").all(|line| line.len() <= 75), "a line is too long: {calendar}");
    calendar.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
}

in_both_browsers! {
    fn tells_what_comes_along_and_who_is_lost(browser) {
        let version = |text: &str| text.parse::<Version>().expect("a version");
        let options = ServerOptions { old_version: version("4.3"), new_version: version("4.6"), ..ServerOptions::default() };
        let servers = Servers::with(options);
        let desk = linked(browser, &servers, "petra", "petra");
        // The table follows from both versions.
        browser.wait("both versions", || (state(&desk, "[data-job=bridge]") == "known").then_some(()));
        for (thing, fate) in [
            ("followers", "moves"), ("follows", "comes"), ("lists", "comes"), ("filters", "through-us"),
            ("tags", "through-us"), ("messages", "trunk-only"), ("favourites", "trunk-only"), ("posts", "never"),
        ] {
            assert_eq!(all_of(&desk, &format!("[data-job=bridge] [data-thing={thing}]"), "fate"), [fate], "{thing}");
        }
        assert!(words(&desk, "[data-job=bridge]").contains("Posts do not come along"));
        assert_eq!(state(&desk, "[data-job=forecast]"), "none");
        assert!(words(&desk, "[data-job=forecast]").contains("Nobody has been counted yet"));
        picture(browser, &desk, "[data-job=bridge]", "1-bridge");

        // Packed, and compared with what the new server blocks.
        desk.click(&format!("{PACK} button[data-action=pack]"));
        wait_for_state(browser, &desk, PACK, "done");
        desk.click(&format!("{UNPACK} button[data-action=look-new]"));
        wait_for_state(browser, &desk, UNPACK, "planned");
        browser.wait("the forecast", || {
            let lines = all_of(&desk, "[data-job=forecast] .lines li", "line");
            lines.contains(&"blocked-followers".to_owned()).then_some(())
        });
        let line = |id: &str| words(&desk, &format!("[data-job=forecast] [data-line={id}]"));
        assert!(line("blocked-follows").contains("2 people you follow are on servers that new.localhost"), "{}", line("blocked-follows"));
        assert!(line("software").contains("7 followers are on 5 other servers"), "{}", line("software"));
        let row = |part: &str| words(&desk, &format!("[data-job=forecast] tr[data-part={part}] td"));
        assert_eq!((row("come"), row("open"), row("stay")), ("6".into(), "7".into(), "0".into()));
        let bar = desk.run(
            "const parts = Array.from(root.querySelectorAll('[data-job=forecast] .chart span'));
             return parts.map(part => [part.dataset.part, Math.round(100 * part.getBoundingClientRect().width / part.parentElement.getBoundingClientRect().width)]);",
        );
        assert_eq!(bar.as_array().map(Vec::len), Some(2), "{bar}");
        assert!((44..=48).contains(&bar[0][1].as_i64().unwrap_or(0)), "{bar}");
        let said = desk.element("[data-job=forecast] .chart").attribute("aria-label").ok().flatten().unwrap_or_default();
        assert!(said.contains("come along: 6"), "{said}");
        picture(browser, &desk, "[data-job=forecast]", "2-forecast");
        // Everybody who is followed is told: with the number, before it starts.
        assert!(words(&desk, UNPACK).contains("people are told, in Mastodon and mostly by mail too"), "{}", words(&desk, UNPACK));
        // A locked new account makes requests of them.
        servers.set(Side::New, "petra", json!({ "locked": true }));
        browser.switch_to_tab_with("new.localhost");
        browser.reload();
        browser.guard().settled();
        browser.desk();
        browser.wait("the lock", || (row("wait") == "4").then_some(()));
        assert!(line("requests").contains("up to 11 followers"), "{}", line("requests"));
        browser.assert_quiet();
    }

    fn tells_what_comes_next_and_hands_it_over(browser) {
        let servers = Servers::start();
        let desk = linked(browser, &servers, "ben", "ben");
        browser.wait("the move to be seen", || (state(&desk, "[data-job=next]") == "after").then_some(()));
        browser.wait("the redirect in the journal", || {
            all_of(&desk, "[data-job=report] tr[data-deed]", "deed").contains(&"moved".to_owned()).then_some(())
        });
        let entries = all_of(&desk, "[data-job=next] [data-entry]", "entry");
        for id in ["cooldown-over", "archive", "letters"] {
            assert!(entries.contains(&id.to_owned()), "{entries:?}");
        }
        // Where he stands is seen.
        assert_eq!(state(&desk, "[data-job=start]"), "start-after");
        picture(browser, &desk, "[data-job=start]", "3-after");
        picture(browser, &desk, "[data-job=next]", "4-next");

        // The button in the toolbar counts what is due, and goes on doing so when the background was stopped.
        let due = all_of(&desk, "[data-job=next] [data-due]", "entry").len();
        assert!(due > 0);
        browser.wait("the badge", || (badge(browser).0 == due.to_string()).then_some(()));
        assert!(badge(browser).1.starts_with("Packed Trunk: "), "{:?}", badge(browser));
        browser.stop_background();
        assert_eq!(badge(browser).0, due.to_string());

        // The calendar, and once more: the same entries.
        let calendar = |count: usize| {
            desk.click("[data-job=next] button[data-action=download-calendar]");
            let found = browser.wait("a calendar", || {
                let names: Vec<_> = std::fs::read_dir(browser.downloads()).ok()?.flatten().map(|one| one.path()).collect();
                let done: Vec<_> = names.into_iter().filter(|name| name.extension().is_some_and(|end| end == "ics")).collect();
                (done.len() == count).then_some(done)
            });
            let mut texts: Vec<String> = found.iter().map(|path| std::fs::read_to_string(path).expect("a text")).collect();
            texts.sort_by_key(|text| lines(text).iter().find(|line| line.starts_with("SEQUENCE:")).cloned());
            texts.pop().expect("a calendar")
        };
        let first = lines(&calendar(1));
        let names = |lines: &[String]| -> Vec<String> {
            lines.iter().filter(|line| line.starts_with("UID:")).cloned().collect()
        };
        assert_eq!(names(&first).len(), entries.len());
        assert_eq!(first.iter().filter(|line| *line == "BEGIN:VALARM").count(), entries.len());
        assert!(first.iter().any(|line| line.starts_with("SUMMARY:@ben@") && line.contains("can move again")), "{first:?}");
        let second = lines(&calendar(2));
        assert_eq!(names(&first), names(&second));

        // The report, as a page that is opened from the disk and as JSON.
        desk.click("[data-job=report] button[data-action=download-report-json]");
        let json = std::fs::read_to_string(browser.downloaded(".json")).expect("a report");
        let report: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(report["format"], "packed-trunk-report");
        assert_eq!(report["outcome"]["is"], "moved");
        assert_eq!(report["old"]["handle"], servers.old_handle("ben"));
        assert!(report["done"].as_array().is_some_and(|deeds| deeds.iter().any(|deed| deed["what"] == "moved")), "{report}");
        browser.wait("the report to be noted", || {
            all_of(&desk, "[data-job=report] tr[data-deed]", "deed").contains(&"downloaded".to_owned()).then_some(())
        });
        picture(browser, &desk, "[data-job=report]", "5-report");
        desk.click("[data-job=report] button[data-action=download-report]");
        let page = browser.downloaded(".html");
        assert_eq!(badge(browser).0, due.to_string());
        browser.assert_quiet();
        browser.open_tab("about:blank");
        browser.open(&format!("file://{}", page.display()));
        let seen = browser.run("return [document.querySelectorAll('main > section').length, document.querySelector('h1').textContent, getComputedStyle(document.querySelector('table')).borderCollapse];", &[]);
        assert_eq!(seen[0], 7, "{seen}");
        assert!(seen[1].as_str().unwrap_or_default().contains(&servers.new_handle("ben")), "{seen}");
        // Our style is let through by our policy.
        assert_eq!(seen[2], "collapse");
        for (kind, options) in [
            ("light", Options::default()),
            ("dark", Options { dark: true, ..Options::default() }),
            ("narrow", Options { width: 320, ..Options::default() }),
        ] {
            browser.emulate(&options);
            let wide = browser.run("return Array.from(document.querySelectorAll('main *')).filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80));", &[]);
            assert_eq!(wide, json!([]), "the report is cut off, {kind}");
            let name = format!("../shots/after-6-page-{kind}-{}.png", browser.kind().name());
            browser.screenshot(&output_folder().join(name));
        }
    }

    fn shows_the_report_that_is_to_be_printed(browser) {
        let servers = Servers::start();
        let desk = linked(browser, &servers, "ben", "ben");
        browser.wait("the redirect in the journal", || {
            all_of(&desk, "[data-job=report] tr[data-deed]", "deed").contains(&"moved".to_owned()).then_some(())
        });
        desk.click("[data-job=report] button[data-action=print-report]");
        // Under its dialogue Firefox's driver finds the window, and says that it does not.
        browser.wait("the page of the report", || {
            let handles = browser.driver().get("window/handles").ok()?;
            handles.as_array()?.iter().find(|handle| {
                let _ = browser.driver().post("window", &json!({ "handle": handle }));
                let address = browser.driver().get("url").unwrap_or_default();
                address.as_str().is_some_and(|address| address.starts_with("blob:"))
            })?;
            let seen = browser.driver().run("return [document.querySelectorAll('main > section').length, getComputedStyle(document.querySelector('table')).borderCollapse];", &[]).ok()?;
            (seen == json!([7, "collapse"])).then_some(())
        });
        browser.assert_quiet();
    }

    fn tells_a_redirect_from_a_move(browser) {
        let servers = Servers::start();
        let desk = linked(browser, &servers, "dora", "dora");
        browser.wait("the redirect to be seen", || (state(&desk, "[data-job=next]") == "after").then_some(()));
        browser.wait("that nobody was moved", || {
            words(&desk, "[data-job=next]").contains("a redirect alone brings no followers").then_some(())
        });
        assert_eq!(state(&desk, "[data-job=start]"), "start-after");
        assert_eq!(all_of(&desk, "[data-job=start] [data-advice]", "advice")[0], "redirect-only");
        let entries = all_of(&desk, "[data-job=next] [data-entry]", "entry");
        assert!(!entries.iter().any(|id| id.starts_with("arrivals") || id.starts_with("alias") || id == "cooldown-over"), "{entries:?}");
        // The person knows better where they stand, and it is kept while facts come in.
        desk.click("[data-job=start] button[data-action=start-before]");
        browser.wait("the other start", || (state(&desk, "[data-job=start]") == "start-before").then_some(()));
        desk.run("document.dispatchEvent(new Event('visibilitychange'));");
        assert_eq!(state(&desk, "[data-job=start]"), "start-before");
        browser.assert_quiet();
    }

    fn what_is_done_drops_out(browser) {
        let servers = Servers::start();
        let desk = linked(browser, &servers, "ben", "ben");
        let has = |id: &str| all_of(&desk, "[data-job=next] [data-entry]", "entry").contains(&id.to_owned());
        browser.wait("the archive to be asked for", || has("archive").then_some(()));
        browser.switch_to_tab_with("old.localhost");
        browser.open(&servers.on_old("/settings/export"));
        browser.guard().settled();
        browser.click("a[data-method=post][href='/settings/export']");
        browser.wait("the archive on its way", || {
            let left = browser.run("return document.querySelectorAll(\"a[data-method=post][href='/settings/export']\").length;", &[]);
            (left == 0).then_some(())
        });
        browser.guard().settled();
        browser.desk();
        browser.wait("the archive to be fetched", || (has("archive-fetch") && !has("archive")).then_some(()));
        let deeds = all_of(&desk, "[data-job=report] tr[data-deed]", "deed");
        assert!(deeds.contains(&"archive-asked".to_owned()), "{deeds:?}");
        assert!(has("cooldown-over"));
        // Thirty days later the account may move again, and then there is nothing to say of it.
        servers.control().advance_seconds(31 * DAY);
        browser.switch_to_tab_with("old.localhost");
        servers.enter(browser, Side::Old, "ben", "/settings/migration");
        browser.guard().settled();
        browser.desk();
        browser.wait("the cooldown to be over", || (!has("cooldown-over")).then_some(()));
        browser.assert_quiet();
    }

    fn a_server_that_is_being_closed_still_gives_what_it_can(browser) {
        let servers = Servers::start();
        let desk = linked(browser, &servers, "petra", "petra");
        assert_eq!(state(&desk, "[data-job=start]"), "start-before");
        servers.control().post("closing", &json!({ "server": "old" }));
        browser.switch_to_tab_with("old.localhost");
        browser.open(&servers.on_old("/auth/edit"));
        browser.guard().settled();
        browser.desk();
        browser.reload();
        let desk = browser.desk();
        desk.wait_for("server-healthy", "stop", "closed for good");
        browser.wait("the start", || (state(&desk, "[data-job=start]") == "start-closing").then_some(()));
        assert!(words(&desk, "[data-job=start]").contains("Files and archive still work; a move does not"));
        picture(browser, &desk, "[data-job=start]", "7-closing");
        desk.click("[data-job=start] button[data-action=pack]");
        wait_for_state(browser, &desk, PACK, "done");
        let rows = words(&desk, &format!("{PACK} [data-part=follows] td"));
        assert_eq!(rows, "31");
        browser.wait("what is done", || {
            let done = desk.run("return Boolean(root.querySelector('[data-job=start] [data-advice=lists][data-done]'));");
            (done == true).then_some(())
        });
    }
}
