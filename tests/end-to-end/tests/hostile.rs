//! Pages that mean harm, and pages that only look like Mastodon's.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used)]

use end_to_end::{Browser, Page, Pages, Servers, Side, in_both_browsers};
use serde_json::json;

/// The source of the page as a server sends it.
fn page_of(browser: &Browser, path: &str) -> String {
    let found = browser.driver().run_async(
        "const [path, done] = arguments;
         fetch(path).then(reply => reply.text()).then(done);",
        &[json!(path)],
    );
    found.expect("the page is there").as_str().unwrap_or_default().to_owned()
}

in_both_browsers! {
    fn leaves_pages_alone_that_only_look_like_mastodon(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        browser.guard().wait_ready();
        let real = page_of(browser, "/settings/migration");
        let pages = Pages::start();
        let serve = |path: &str, source: &str| {
            pages.serve(path, Page::html(source));
            format!("{}{path}", pages.origin("old"))
        };
        for (what, source) in [
            ("nothing", "<!doctype html><title>Other software</title><p>Settings".to_owned()),
            ("a form alone", "<!doctype html><form action=/settings/migration><input id=account_migration_acct>".to_owned()),
            ("no csrf-param", real.replace("csrf-param", "other-param")),
            ("another csrf-param", real.replace("content=\"authenticity_token\"", "content=\"other\"")),
            ("no content", real.replace("content-wrapper", "other-wrapper")),
            ("no form", real.replace("action=\"/settings/migration\"", "action=\"/settings/other\"")),
            ("no state", real.replace("initial-state", "other-state")),
        ] {
            browser.open(&serve("/settings/migration", &source));
            assert!(!browser.guard().is_shown(), "the guard takes it for Mastodon: {what}");
        }
        // What looks right at another path is something else too. After it the true one, so that there was time.
        browser.open(&serve("/settings/other", &real));
        assert!(!browser.guard().is_shown(), "another path");
        browser.open(&serve("/settings/migration", &real));
        browser.guard().wait_ready();
        let before = browser.run("return document.querySelectorAll('#packed-trunk').length;", &[]);
        assert_eq!(before, 1);
    }

    fn believes_nothing_in_a_broken_state(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        let real = page_of(browser, "/settings/migration");
        let (head, rest) = real.split_once("id=\"initial-state\"").expect("the page has a state");
        let (open, rest) = rest.split_once('>').expect("the element begins");
        let (_, tail) = rest.split_once("</script>").expect("the element ends");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let huge = format!("{{\"meta\":{{\"me\":\"{}\"}}}}", "9".repeat(3_000_000));
        let markup = r#"{"meta":{"me":"1","domain":"old.localhost","version":"4.6.5","access_token":"x"},"accounts":{"1":{"id":"1","acct":"<img src=x onerror=x=1>","uri":"javascript:x=1","followers_count":-5,"locked":"yes"}}}"#;
        let other = r#"{"meta":{"me":"1","domain":"new.localhost","version":"4.6.5"},"accounts":{"1":{"id":"1","acct":"ana_ready","username":"ana_ready","locked":true}}}"#;
        for (what, state) in [
            ("empty", ""),
            ("null", "null"),
            ("no object", "[1,2,3]"),
            ("cut", "{\"meta\":{\"me\":\"1\""),
            ("types", r#"{"meta":{"me":1,"domain":[],"version":{}},"accounts":7}"#),
            ("__proto__", r#"{"__proto__":{"meta":1},"meta":{"__proto__":null,"me":"__proto__","domain":"old.localhost"},"accounts":{}}"#),
            ("markup", markup),
            ("another server", other),
            ("deep", &deep),
            ("huge", &huge),
        ] {
            let pages = Pages::start();
            let source = format!("{head}id=\"initial-state\"{open}>{state}</script>{tail}");
            pages.serve("/settings/migration", Page::html(&source));
            browser.open(&format!("{}/settings/migration", pages.origin("old")));
            if state.is_empty() {
                assert!(!browser.guard().is_shown(), "{what}");
                continue;
            }
            let guard = browser.guard().wait_ready();
            guard.settled();
            assert!(guard.all("img, a, iframe, script").expect("the guard is there").is_empty(), "{what}");
            assert_eq!(browser.run("return window.x ?? null;", &[]), json!(null), "{what}");
            browser.element("form[action='/settings/migration'] button[type=submit]");
        }
        // A page of the old server's says nothing about an account of the new one.
        servers.enter_in_tab(browser, Side::New, "ana_ready", "/settings/profile");
        browser.guard().wait_for_outcome("unlocked", "pass");
    }

    fn is_not_moved_by_the_scripts_of_a_page(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana");
        servers.enter_in_tab(browser, Side::New, "ana", "/settings/aliases");
        browser.guard().wait_for_outcome("alias", "stop");
        // Everything that a script could use is broken before the page begins, and everything is clicked. The browser's
        // driver works with the same things, so they are mended when the guard is ready.
        browser.run_before_every_page(
            "const bad = () => { throw new Error('from the page'); };
             const kept = [];
             const spoil = (object, names) => {
                 for (let i = 0; i < names.length; i++) {
                     kept[kept.length] = [object, names[i], object[names[i]]];
                     object[names[i]] = bad;
                 }
             };
             const seek = document.querySelector.bind(document);
             new MutationObserver((_, observer) => {
                 const host = seek('div#packed-trunk[data-ready]');
                 if (!host) return;
                 observer.disconnect();
                 for (let i = 0; i < kept.length; i++) kept[i][0][kept[i][1]] = kept[i][2];
                 document.documentElement.setAttribute('data-mended', kept.length);
             }).observe(document, { subtree: true, childList: true, attributes: true });
             setInterval(() => {
                 const host = seek('#packed-trunk');
                 if (!host) return;
                 window.root = host.shadowRoot;
                 host.click();
                 host.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
             }, 20);
             spoil(Array.prototype, ['map', 'push', 'filter', 'forEach', 'includes', 'concat', 'slice']);
             spoil(String.prototype, ['startsWith', 'includes', 'trim', 'split', 'replace']);
             spoil(Promise.prototype, ['then', 'catch']);
             spoil(JSON, ['parse', 'stringify']);
             spoil(Reflect, ['get', 'set', 'construct']);
             spoil(window, ['fetch', 'URL', 'setTimeout', 'getComputedStyle']);
             spoil(Element.prototype, ['attachShadow', 'append', 'setAttribute', 'querySelector', 'querySelectorAll']);
             spoil(Node.prototype, ['appendChild', 'insertBefore', 'removeChild']);
             spoil(Document.prototype, ['createElement', 'querySelector', 'getElementById']);
             spoil(EventTarget.prototype, ['addEventListener']);",
        );
        // The driver could not even load the page again while all that is broken; the page can.
        browser.run("setTimeout(() => location.reload());", &[]);
        // Not by `element`, whose message needs the page's address, which the driver cannot get before.
        browser.wait("the page to be mended", || browser.driver().one("html[data-mended]").ok());
        let guard = browser.guard();
        guard.wait_for_outcome("alias", "stop");
        assert_eq!(browser.run("return window.root ?? null;", &[]), json!(null), "the page has our root");
        guard.run("root.querySelector('[data-action=make-alias]').click();");
        guard.settled();
        let aliases = servers.control().person(Side::New, "ana")["aliases"].clone();
        assert_eq!(aliases, json!([]), "a script could click");
        // A person's click still works there.
        guard.click_action("make-alias");
        guard.wait_for_outcome("alias", "pass");
        // The page's own scripts fail in it; ours do not.
        let ours: Vec<_> = browser.console_problems().into_iter().filter(|line| line.contains("extension://")).collect();
        assert_eq!(ours, Vec::<String>::new());
    }

    fn says_nothing_when_its_page_is_left(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        browser.guard().settled();
        // What it waits for comes when the tab shows another server.
        for at in 0..20_u64 {
            let page = match at % 2 {
                0 => servers.on_old("/settings/migration"),
                _ => servers.on_new("/about"),
            };
            browser.open(&page);
            std::thread::sleep(std::time::Duration::from_millis(20 * (at / 2)));
        }
        browser.assert_quiet();
    }

    fn bears_being_removed_by_the_page(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        browser.guard().settled();
        browser.run("document.querySelector('#packed-trunk').remove();", &[]);
        browser.type_handle(&servers.new_handle("ana_ready"));
        // Nobody can be asked in a panel that is gone: then the form is the person's and Mastodon's.
        browser.submit_move(stand_in::PASSWORD);
        let moved = || !servers.control().person(Side::Old, "ana")["moved_to"].is_null();
        browser.wait("the move", || moved().then_some(()));
        browser.guard().wait_for_outcome("not-moved", "stop");
        browser.assert_quiet();
    }
}
