//! The harness itself: a test that sees nothing finds nothing wrong, so what the others rely on is shown here to see.

use end_to_end::{Browser, Options, Page, Pages, Servers, in_both_browsers};

/// A page of no server in particular.
fn open_a_page(browser: &Browser, body: &str) -> Pages {
    let pages = Pages::start();
    pages.serve("/", Page::html(&format!("<!doctype html><html lang=en><title>A page</title><body>{body}")));
    browser.open(&pages.origin("old"));
    pages
}

fn seen(browser: &Browser, scheme: &str) -> String {
    let script = "return [innerWidth, devicePixelRatio, matchMedia(`(prefers-color-scheme: ${arguments[0]})`).matches];";
    browser.run(script, &[scheme.into()]).to_string()
}

in_both_browsers! {
    fn pages_are_as_narrow_and_dark_as_asked(browser with Options { dark: true, width: 320, ..Options::default() }) {
        let _pages = open_a_page(browser, "");
        assert_eq!(seen(browser, "dark"), "[320,1,true]");
    }

    fn pages_are_zoomed_when_asked(browser with Options { zoomed: true, ..Options::default() }) {
        let _pages = open_a_page(browser, "");
        assert_eq!(seen(browser, "light"), "[640,2,true]");
    }

    fn requests_to_other_hosts_are_seen_and_refused(browser) {
        let _pages = open_a_page(browser, "<img src=http://elsewhere.example/a.png alt=x>");
        assert_eq!(browser.foreign_requests(), ["elsewhere.example"]);
    }

    fn errors_of_a_page_are_seen(browser) {
        let _pages = open_a_page(browser, "<script>console.error('first'); throw new Error('second')</script>");
        let problems = browser.console_problems();
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    fn axe_sees_what_is_in_the_closed_root(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.sign_in_on_old(browser, "ana");
        browser.open(&servers.on_old("/settings/migration"));
        let guard = browser.guard().wait_ready();
        guard.run(
            "const pale = document.createElement('p');
             pale.textContent = 'Too pale to read';
             pale.style = 'color: #ddd; background: #fff; padding: 1em';
             root.append(pale, document.createElement('button'));",
        );
        let rules: Vec<String> = guard.axe().into_iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, ["button-name", "color-contrast"]);
        let open = browser.run("return document.querySelector('#packed-trunk').shadowRoot;", &[]);
        assert!(open.is_null(), "axe left the door open");
    }
}
