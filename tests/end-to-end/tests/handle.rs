//! The handle of the new account as people type it, and new servers that answer with anything but an account.

use end_to_end::{Servers, Side, in_both_browsers};
use serde_json::json;

in_both_browsers! {
    fn says_what_is_wrong_with_a_handle(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        let guard = browser.guard().wait_ready();
        let domain = servers.new_handle("ana_ready").replace("ana_ready@", "");
        for (typed, outcome, words) in [
            ("ana", "stop", "lacks its server"),
            ("@a@b@c", "stop", "too many @ signs"),
            ("an a@new.example", "stop", "has a character that no Mastodon name has"),
            ("ana@new server", "stop", "is not the name of a server"),
            ("<img src=x onerror=alert(1)>@x", "stop", ""),
            ("kira@bücher.example", "unknown", "I may not look at bücher.example yet"),
            ("kira@xn--bcher-kva.example", "unknown", "I may not look at bücher.example yet"),
            (&format!("nobody@{domain}"), "stop", "knows no account @nobody@"),
            (&servers.old_handle("ana"), "stop", "the account that you are moving away from"),
            (&format!("  @ANA_Ready@{} ", domain.to_uppercase()), "pass", "is known to its server"),
        ] {
            browser.type_handle(typed);
            guard.wait_for("target-found", outcome, words);
        }

        // What was meant can often be told.
        browser.type_handle(&servers.on_new("/@ana_ready"));
        guard.wait_for("target-found", "stop", "This is a link to a profile");
        guard.click_action("use-handle");
        guard.wait_for("target-found", "pass", "is known to its server");
        let field = || browser.run("return document.querySelector('#account_migration_acct').value;", &[]);
        assert_eq!(field(), servers.new_handle("ana_ready"));
        browser.type_handle("ana_ready");
        guard.wait_for("target-found", "stop", "lacks its server");
        guard.click_action("use-handle");
        guard.wait_for("target-found", "pass", "is known to its server");
        assert_eq!(field(), servers.new_handle("ana_ready"));

        // Nobody types five megabytes, but a page can put them there.
        browser.run(
            "const field = document.querySelector('#account_migration_acct');
             field.value = 'a@'.repeat(2_500_000);
             field.dispatchEvent(new Event('input', { bubbles: true }));",
            &[],
        );
        guard.wait_for("target-found", "stop", "far too long");
        assert_eq!(browser.run("return [window.x, document.images.length > 20];", &[]), json!([null, false]));
        browser.assert_quiet();
    }

    fn says_what_is_wrong_with_a_server(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        let guard = browser.guard().wait_ready();
        guard.wait_for("target-found", "pass", "is known to its server");
        // Another account each time: what is known of one says nothing about the next.
        for (user, fault, outcome, words) in [
            ("bob1", "close", "stop", "does not answer"),
            ("bob2", "status:503", "stop", "does not answer"),
            ("bob3", "status:429", "unknown", "would not say just now"),
            ("bob4", "html", "stop", "not as a Mastodon server does"),
            ("bob5", "empty", "stop", "not as a Mastodon server does"),
            ("bob6", "truncate", "stop", "not as a Mastodon server does"),
            ("bob7", "redirect:http://elsewhere.example/", "unknown", "live on another web address"),
            ("bob8", "slow:1500", "pass", "is known to its server"),
        ] {
            // Firefox asks again and again by itself when a connection is closed without an answer.
            let fault = json!({ "server": "new", "path_contains": "/.well-known/webfinger", "count": 50, "kind": fault });
            servers.control().post("fault", &fault);
            browser.type_handle(&servers.new_handle(user));
            guard.wait_for("target-found", outcome, words);
            servers.control().post("faults/clear", &json!({}));
        }
        // It comes back, and one click sees it.
        browser.type_handle(&servers.new_handle("bob1"));
        guard.wait_for("target-found", "pass", "is known to its server");
        browser.assert_quiet();
    }

    fn survives_an_old_server_in_trouble(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/export");
        let guard = browser.guard().wait_ready();
        guard.settled();
        let strike = |path: &str, kind: &str| {
            let fault = json!({ "server": "old", "path_contains": path, "count": 50, "kind": kind });
            servers.control().post("fault", &fault);
        };
        for (kind, words) in [
            ("status:429", "asks for fewer requests"),
            ("status:503", "answers with errors"),
            ("html", "answers with errors"),
            ("close", "does not answer"),
        ] {
            strike("/api/v1/accounts/verify_credentials", kind);
            browser.open(&servers.on_old("/settings/migration"));
            guard.wait_for("server-healthy", "warn", words);
            servers.control().post("faults/clear", &json!({}));
        }
        guard.click("[data-check='server-healthy'] [data-action='look-again']");
        guard.wait_for_outcome("server-healthy", "pass");
        browser.assert_quiet();
    }
}
