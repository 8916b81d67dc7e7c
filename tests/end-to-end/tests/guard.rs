//! What the guard says about two accounts, before a move and through it.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used)]

use end_to_end::{Browser, Panel, Servers, Side, in_both_browsers};
use serde_json::json;
use stand_in::PASSWORD;

const MIGRATION: &str = "/settings/migration";

/// Linked and signed in on the old server, at the page where the move is made.
fn before_the_move<'b>(browser: &'b Browser, servers: &Servers, old: &str, new: &str) -> Panel<'b> {
    servers.link(browser, old, new);
    servers.enter(browser, Side::Old, old, MIGRATION);
    browser.guard().wait_ready()
}

fn has_moved(servers: &Servers, user: &str) -> bool {
    !servers.control().person(Side::Old, user)["moved_to"].is_null()
}

in_both_browsers! {
    fn tells_that_the_new_account_is_not_let_in_yet(browser) {
        let servers = Servers::start();
        let guard = before_the_move(browser, &servers, "ana", "ana_new");
        // Nobody has signed in there yet: from outside one can tell that it is held, not why.
        guard.wait_for("email-confirmed", "stop", "@ana_new@");
        guard.wait_for("email-confirmed", "stop", "is not usable yet");
        browser.type_handle(&servers.new_handle("ana_pending"));
        guard.wait_for("email-confirmed", "stop", "@ana_pending@");
        browser.type_handle(&servers.new_handle("ana_ready"));
        guard.wait_for("email-confirmed", "pass", "@ana_ready@");
        browser.type_handle(&servers.new_handle("ana_new"));
        guard.wait_for("email-confirmed", "stop", "is not usable yet");

        // Its own pages tell more: since when, and until when.
        let new_tab = servers.enter_in_tab(browser, Side::New, "ana_new", "/auth/setup");
        assert_eq!(browser.guard().wait_ready().page(), "setup");
        browser.guard().wait_for("email-confirmed", "stop", "is not confirmed");
        browser.guard().wait_for("email-confirmed", "stop", "7 days after the last confirmation mail, so from");
        browser.open(&servers.on_new("/auth/edit"));
        assert_eq!(browser.guard().page(), "account");
        browser.guard().wait_for("email-confirmed", "stop", "is not confirmed");

        browser.switch_to(&browser.first_tab());
        guard.wait_for("email-confirmed", "stop", "is not confirmed");
        servers.set(Side::New, "ana_new", json!({ "confirmed": true }));
        browser.switch_to(&new_tab);
        browser.reload();
        browser.guard().wait_for_outcome("email-confirmed", "pass");
        browser.switch_to(&browser.first_tab());
        guard.wait_for_outcome("email-confirmed", "pass");

        browser.switch_to(&new_tab);
        servers.enter(browser, Side::New, "ana_pending", "/auth/edit");
        browser.guard().wait_for("email-confirmed", "stop", "waits for the moderators");
        browser.assert_quiet();
    }

    fn makes_the_alias_with_one_click(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana");
        let new_tab = servers.enter_in_tab(browser, Side::New, "ana", "/settings/aliases");
        let guard = browser.guard().wait_ready();
        assert_eq!(guard.page(), "aliases");
        guard.wait_for("alias", "stop", "does not list");
        browser.switch_to(&browser.first_tab());
        servers.enter(browser, Side::Old, "ana", MIGRATION);
        browser.run("window.theSamePage = true;", &[]);
        guard.wait_for("alias", "stop", "does not list");
        guard.wait_for_outcome("alias-fresh", "unknown");

        browser.switch_to(&new_tab);
        guard.click("[data-check='alias'] [data-action='make-alias']");
        guard.wait_for_outcome("alias", "pass");
        assert!(guard.status_text().starts_with("Done: "), "{}", guard.status_text());
        let aliases = &servers.control().person(Side::New, "ana")["aliases"];
        assert_eq!(aliases[0]["acct"], servers.old_handle("ana"));
        assert_eq!(aliases[1], json!(null), "one alias was asked for");

        browser.switch_to(&browser.first_tab());
        guard.wait_for_outcome("alias", "pass");
        guard.wait_for_outcome("alias-fresh", "pass");
        assert_eq!(browser.run("return window.theSamePage;", &[]), true, "the page was loaded again");
        browser.assert_quiet();
    }

    fn waits_while_the_new_server_shows_its_old_state(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana");
        servers.enter(browser, Side::Old, "ana", MIGRATION);
        servers.enter_in_tab(browser, Side::New, "ana", "/settings/aliases");
        let guard = browser.guard().wait_ready();
        guard.wait_for_outcome("alias", "stop");
        // Somebody looked too early.
        let uri = servers.control().person(Side::New, "ana")["uri"].clone();
        let seen = browser.driver().run_async(
            "const [uri, done] = arguments;
             fetch(uri, { headers: { Accept: 'application/activity+json' } }).then(reply => done(reply.status));",
            &[uri],
        );
        assert_eq!(seen.expect("the document is there"), 200);

        guard.click("[data-check='alias'] [data-action='make-alias']");
        guard.wait_for_outcome("alias", "pass");
        let stale = guard.wait_for("alias-fresh", "stop", "may still show its old state until");
        let (_, until) = stale.text.split_once("until ").expect("it says until when");
        assert!(until.contains(':'), "no time of the clock: {}", stale.text);
        browser.switch_to(&browser.first_tab());
        guard.wait_for("alias-fresh", "stop", "may still show its old state until");

        // The browser's clock cannot be moved, the servers' can: the document is rendered anew, and seen to be.
        servers.control().advance_seconds(180);
        browser.reload();
        guard.wait_for_outcome("alias-fresh", "pass");
        browser.assert_quiet();
    }

    fn does_not_spoil_the_alias_by_looking(browser) {
        let servers = Servers::start();
        let guard = before_the_move(browser, &servers, "emil", "ana");
        guard.wait_for("alias", "unknown", "have not seen the aliases");
        browser.type_handle(&servers.new_handle("ana"));
        guard.wait_for_outcome("target-found", "pass");
        guard.wait_for_outcome("alias", "unknown");
        guard.settled();
        let uri = servers.control().person(Side::New, "ana")["uri"].as_str().unwrap_or_default().to_owned();
        let document = uri.replace(&servers.on_new(""), "GET ");
        assert!(!servers.requests_to(Side::New).contains(&document), "{:?}", servers.requests_to(Side::New));

        // So the alias made now is seen at once, and what is merely not seen yet stops nobody.
        servers.set(Side::New, "ana", json!({ "aliases": [servers.old_handle("emil")] }));
        browser.submit_move(PASSWORD);
        browser.wait("the move", || has_moved(&servers, "emil").then_some(()));
        browser.assert_quiet();
    }

    fn lets_a_good_move_go_unasked(browser) {
        let servers = Servers::start();
        servers.set(Side::New, "bob1", json!({ "aliases": [servers.old_handle("emil")] }));
        servers.link(browser, "emil", "bob1");
        servers.enter_in_tab(browser, Side::New, "bob1", "/settings/aliases");
        browser.guard().wait_for_outcome("alias", "pass");
        browser.switch_to(&browser.first_tab());
        servers.enter(browser, Side::Old, "emil", MIGRATION);
        let guard = browser.guard();
        browser.type_handle(&servers.new_handle("bob1"));
        guard.wait_for_outcome("target-found", "pass");
        // Said by the tab of the new account.
        guard.wait_for_outcome("announced", "warn");
        let outcomes = guard.outcomes();
        // On whose servers his followers are is known only when they are packed; that is no reason to stop him.
        let open: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome != "pass").collect();
        let known = [("announced", "warn"), ("blocked-servers", "unknown")];
        let open: Vec<_> = open.into_iter().map(|(id, outcome)| (id.as_str(), outcome.as_str())).collect();
        assert_eq!(open, known);
        assert!(guard.text().contains("One thing I have not been able to see yet"), "{}", guard.text());
        browser.submit_move(PASSWORD);
        browser.wait("the move", || has_moved(&servers, "emil").then_some(()));
        guard.wait_ready();
        guard.wait_for("not-moved", "stop", "already redirects to");
        browser.assert_quiet();
    }

    fn asks_once_more_and_then_it_is_theirs(browser) {
        let servers = Servers::start();
        let guard = before_the_move(browser, &servers, "ana", "ana_ready");
        guard.wait_for_outcome("messages-saved", "stop");
        guard.settled();
        browser.type_handle(&servers.new_handle("ana_ready"));
        browser.submit_move(PASSWORD);
        let ask = guard.element("[role=alertdialog]");
        let reasons = ask.text().expect("the question has a text");
        assert!(reasons.contains("Your 14 conversations are not saved."), "{reasons}");
        assert!(reasons.contains("You follow 34 accounts, and Packed Trunk has no copy of the list."), "{reasons}");
        guard.click_action("not-yet");
        assert!(guard.all("[role=alertdialog]").expect("the guard is there").is_empty());
        let kept = browser.run("return document.querySelector('[type=password]').value;", &[]);
        assert_eq!(kept, PASSWORD, "what was typed is gone");
        assert!(!has_moved(&servers, "ana"));

        browser.click("form[action='/settings/migration'] button[type=submit]");
        // A page's script cannot answer for the person.
        guard.run("root.querySelector('[data-action=move-anyway]').click();");
        assert!(!has_moved(&servers, "ana"), "a script could answer");
        guard.click_action("move-anyway");
        browser.wait("the move", || has_moved(&servers, "ana").then_some(()));
        guard.wait_for("not-moved", "stop", &format!("already redirects to @{}", servers.new_handle("ana_ready")));
        guard.wait_for_outcome("cooldown", "stop");
        browser.assert_quiet();
    }

    fn knows_every_state_of_the_old_account(browser) {
        let servers = Servers::start();
        let guard = before_the_move(browser, &servers, "ana", "ana_ready");
        guard.wait_for_outcome("not-moved", "pass");
        guard.wait_for_outcome("cooldown", "pass");
        servers.enter(browser, Side::Old, "cleo", MIGRATION);
        guard.wait_for("cooldown", "stop", "in 12 days");
        guard.wait_for("not-moved", "stop", "was begun");
        servers.enter(browser, Side::Old, "ben", MIGRATION);
        guard.wait_for("not-moved", "stop", &format!("already redirects to @{}", servers.new_handle("ben")));
        guard.wait_for("cooldown", "stop", "in 23 days");
        servers.enter(browser, Side::Old, "dora", MIGRATION);
        guard.wait_for("not-moved", "stop", &format!("already redirects to @{}", servers.new_handle("dora")));
        guard.wait_for_outcome("cooldown", "pass");
        browser.assert_quiet();
    }

    fn knows_every_state_of_the_new_account(browser) {
        let servers = Servers::start();
        let guard = before_the_move(browser, &servers, "ana", "ana_ready");
        guard.wait_for_outcome("unlocked", "pass");
        browser.type_handle(&servers.new_handle("ana_locked"));
        guard.wait_for("unlocked", "warn", "and 12 followers would come");
        browser.type_handle(&servers.new_handle("ana_moved"));
        guard.wait_for("not-moved", "stop", "itself redirects");
        // Only its own server knows of a change of address.
        servers.enter_in_tab(browser, Side::New, "ana_change", "/auth/edit");
        browser.guard().wait_for("email-confirmed", "warn", "waits for its confirmation");
        browser.switch_to(&browser.first_tab());
        browser.type_handle(&servers.new_handle("ana_change"));
        guard.wait_for("email-confirmed", "warn", "waits for its confirmation");
        browser.assert_quiet();
    }

    fn knows_which_servers_block_each_other(browser) {
        let servers = Servers::start();
        let block = |server: Side, domain: &str| {
            servers.control().with_world(|world| {
                let list = &mut world.server_mut(server).blocked_domains;
                list.push((domain.to_owned(), "suspend".to_owned(), "Test".to_owned()));
            });
        };
        block(Side::Old, "evil.example");
        let guard = before_the_move(browser, &servers, "ana", "ana_ready");
        guard.wait_for_outcome("target-found", "pass");
        // What is typed counts, not what is linked.
        browser.type_handle("ana@evil.example");
        guard.wait_for("target-found", "stop", "Your old server blocks evil.example");
        browser.type_handle(&servers.new_handle("bob1"));
        guard.wait_for_outcome("target-found", "pass");
        block(Side::New, "old.localhost");
        browser.reload();
        guard.wait_for("target-found", "stop", "blocks your old server");
        block(Side::Old, "new.localhost");
        browser.reload();
        guard.wait_for("target-found", "stop", "Your old server blocks");
        browser.assert_quiet();
    }
}
