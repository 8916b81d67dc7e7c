//! The harness itself, with a throw-away extension that does the least that the real one will do.

use std::{fs, time::Instant};

use end_to_end::{
    Browser, Kind, Options, Page, Pages, Servers, WATCH_THE_GUARD, in_both_browsers, output_folder,
    repository,
};

fn mini() -> Options {
    Options { extension: Some(repository().join("tests/end-to-end/fixtures/mini")), ..Options::default() }
}

const PAGE: &str = "<!doctype html><html lang=en><title>A server</title>
    <body><div class=content><h1>Move</h1><img src=http://elsewhere.example/a.png alt=x></div></body>";
const POLICY: &str = "default-src 'none'; script-src 'self'; img-src *; style-src 'self' 'nonce-abc'";

fn server() -> (Pages, String) {
    let server = Pages::start();
    server.serve("/settings/migration", Page::html(PAGE).with_header("content-security-policy", POLICY));
    let address = format!("{}/settings/migration", server.origin("old"));
    (server, address)
}

fn grant(browser: &Browser) {
    browser.grant(&["http://old.localhost/*"]);
    let desk = browser.desk();
    desk.click_action("grant");
    desk.wait_for_step("accounts", "done");
    assert_eq!(desk.status_text(), "before false, granted true");
}

in_both_browsers! {
    fn grants_and_reads_the_guard(browser with mini()) {
        let (_server, address) = server();
        grant(browser);
        assert_eq!(browser.foreign_requests(), Vec::<String>::new(), "{:?}", browser.proxy().hosts());
        browser.switch_to(&browser.first_tab());
        browser.open(&address);
        let guard = browser.guard().wait_ready();
        assert_eq!(guard.page(), "migration");
        let check = guard.check("alias");
        assert_eq!((check.outcome.as_str(), check.text.as_str()), ("stop", "No alias yet"));
        guard.click_action("go");
        assert_eq!(guard.status_text(), "trusted true");
        assert_eq!(guard.actions(), ["go"]);
        let rules: Vec<_> = guard.axe().into_iter().map(|violation| violation.rule).collect();
        assert!(rules.contains(&"color-contrast".to_owned()), "{rules:?}");
        assert_eq!(browser.foreign_requests(), ["elsewhere.example"]);
        println!("{:?} {:?}", rules, browser.console_problems());
        println!("version {}", browser.version());
        browser.screenshot(&output_folder().join(format!("harness-{}.png", browser.kind().name())));
    }

    fn times_the_guard(browser with mini()) {
        let (_server, address) = server();
        grant(browser);
        browser.switch_to(&browser.first_tab());
        browser.run_before_every_page(WATCH_THE_GUARD);
        let times: Vec<f64> = (0..5).map(|_| browser.guard_ready_after(&address)).collect();
        println!("{times:?}");
        assert!(times.iter().all(|time| (40.0..200.0).contains(time)), "{times:?}");
    }

    fn narrow_dark(browser with Options { dark: true, width: 320, ..mini() }) {
        let (_server, address) = server();
        browser.open(&address);
        let seen = browser.run("return [innerWidth, devicePixelRatio, matchMedia('(prefers-color-scheme: dark)').matches]", &[]);
        assert_eq!(seen.to_string(), "[320,1,true]");
    }

    fn zoomed(browser with Options { zoomed: true, ..mini() }) {
        let (_server, address) = server();
        browser.open(&address);
        let seen = browser.run("return [innerWidth, devicePixelRatio, matchMedia('(prefers-color-scheme: light)').matches]", &[]);
        assert_eq!(seen.to_string(), "[640,2,true]");
    }
}

in_both_browsers! {
    fn signs_in_on_the_stand_in(browser with mini()) {
        let servers = Servers::start();
        servers.sign_in_on_old(browser, "ana");
        browser.open(&servers.on_old("/settings/migration"));
        println!("{} {}", browser.title(), browser.address());
        assert!(browser.address().ends_with("/settings/migration"));
        let grown = Instant::now();
        for _ in 0..10 { browser.open(&servers.on_old("/settings/migration")); }
        println!("ten pages in {:?}, problems {:?}", grown.elapsed(), browser.console_problems());
        browser.screenshot(&output_folder().join(format!("stand-in-{}.png", browser.kind().name())));
    }
}

fn restarts(kind: Kind) {
    let folder = output_folder().join(format!("profile-{}", kind.name()));
    let _ = fs::remove_dir_all(&folder);
    let options = Options { profile: Some(folder.clone()), ..mini() };
    let count = |browser: &Browser| {
        browser.desk();
        browser.run("return new Promise(r => setTimeout(() => r(document.querySelector('main').dataset.count), 300))", &[]).to_string()
    };
    let (_server, address) = server();
    {
        let browser = Browser::start(kind, &options);
        grant(&browser);
        assert_eq!(count(&browser), "\"0\"");
    }
    let browser = Browser::start(kind, &options);
    assert_eq!(count(&browser), "\"1\"");
    browser.open(&address);
    println!("guard without a new grant: {}", browser.guard().is_shown());
    drop(browser);
    let _ = fs::remove_dir_all(&folder);
}

#[test]
fn restarts_chromium() {
    restarts(Kind::Chromium)
}
#[test]
fn restarts_firefox() {
    restarts(Kind::Firefox)
}
