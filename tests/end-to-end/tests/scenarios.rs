//! What a person goes through, in both browsers.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used)]

use end_to_end::{Browser, Capture, Kind, Options, Pages, Servers, Violation, in_both_browsers};
use tempfile::TempDir;

fn linked_and_signed_in(browser: &Browser) -> Servers {
    let servers = Servers::start();
    servers.link(browser, "ana", "ana_ready");
    servers.sign_in_on_old(browser, "ana");
    servers
}

in_both_browsers! {
    fn the_guard_stops_a_move_before_anything_is_saved(browser) {
        let servers = linked_and_signed_in(browser);
        browser.open(&servers.on_old("/settings/migration"));
        let guard = browser.guard().wait_ready();
        assert_eq!(guard.page(), "migration");
        assert_eq!(guard.check("messages-saved").outcome, "stop");
        assert_eq!(guard.check("follows-saved").outcome, "stop");
        assert_eq!(guard.check("cooldown").outcome, "pass");
        assert_eq!(browser.foreign_requests(), Vec::<String>::new());
        assert_eq!(browser.console_problems(), Vec::<String>::new());
    }

    fn nothing_of_ours_runs_where_nobody_asked_for_it(browser) {
        let servers = Servers::start();
        servers.sign_in_on_old(browser, "ana");
        browser.open(&servers.on_old("/settings/migration"));
        // Not granted yet: and nothing that is not there can be waited for, so the grant comes after the look.
        let before = browser.guard().is_shown();
        servers.link(browser, "ana", "ana_ready");
        browser.reload();
        browser.guard().wait_ready();
        assert!(!before, "the guard ran on a server that was not allowed");
        browser.open(&servers.on_old("/@ana"));
        assert!(!browser.guard().is_shown(), "the guard ran outside of the preferences");
    }

    fn the_guard_comes_back_after_the_background_was_stopped(browser) {
        let servers = linked_and_signed_in(browser);
        browser.stop_background();
        browser.open(&servers.on_old("/settings/migration"));
        browser.guard().wait_ready();
    }

    fn the_guard_keeps_the_rules_of_accessibility(browser) {
        let servers = linked_and_signed_in(browser);
        browser.open(&servers.on_old("/settings/migration"));
        let guard = browser.guard().wait_ready();
        guard.check("alias");
        assert_eq!(guard.axe(), Vec::<Violation>::new());
    }

    fn the_guard_fits_a_telephone_in_the_dark(browser with Options { dark: true, width: 320, ..Options::default() }) {
        let servers = linked_and_signed_in(browser);
        browser.open(&servers.on_old("/settings/migration"));
        let guard = browser.guard().wait_ready();
        let wide = guard.run("return root.host.getBoundingClientRect().right > innerWidth;");
        assert_eq!(wide, false, "the guard is wider than the page");
        assert_eq!(guard.axe(), Vec::<Violation>::new());
    }

    fn the_guard_knows_the_pages_of_real_servers(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        let pages = Pages::start();
        for (version, name, page) in [
            ("4.3.23", "settings_migration", "migration"),
            ("4.6.5", "settings_migration", "migration"),
            ("4.3.23", "settings_aliases", "aliases"),
            ("4.6.5", "settings_aliases", "aliases"),
            ("4.6.5", "settings_export", "export"),
        ] {
            let Some(capture) = Capture::find(version, "old_alice", name) else { continue };
            pages.serve(&capture.path, capture.page);
            browser.open(&format!("{}{}", pages.origin("old"), capture.path));
            assert_eq!(browser.guard().page(), page, "{version} {name}");
        }
    }
}

/// After a restart the guard is still there, without another grant.
fn a_grant_outlives_the_browser(kind: Kind) {
    let profile = TempDir::new().expect("a temporary folder can be made");
    let options = Options { profile: Some(profile.path().to_owned()), ..Options::default() };
    let servers;
    {
        let browser = Browser::start(kind, &options);
        servers = linked_and_signed_in(&browser);
        browser.open(&servers.on_old("/settings/migration"));
        browser.guard().wait_ready();
    }
    let browser = Browser::start(kind, &options);
    servers.sign_in_on_old(&browser, "ana");
    browser.open(&servers.on_old("/settings/migration"));
    browser.guard().wait_ready();
}

// Firefox forgets the permissions of an add-on that was installed for one session only, so this one cannot be shown there.
#[test]
fn a_grant_outlives_the_browser_chromium() {
    a_grant_outlives_the_browser(Kind::Chromium);
}
