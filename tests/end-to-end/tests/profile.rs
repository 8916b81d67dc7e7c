//! Preparing the new account, as a person does it: the profile carried over and taken back, who may follow, the drafts.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use end_to_end::{
    Browser, Options, Panel, ServerOptions, Servers, Side, Version, in_both_browsers, output_folder,
};
use serde_json::json;
use stand_in::state::Account;

const JOB: &str = "[data-job=profile]";

fn state(desk: &Panel) -> String {
    desk.element(JOB).attribute("data-state").ok().flatten().unwrap_or_default()
}

fn words(desk: &Panel) -> String {
    desk.read(JOB)
}

fn wait_for_state(browser: &Browser, desk: &Panel, wanted: &str) {
    // As long as it goes on there is nothing to complain of: how fast a machine is is not the question here.
    let mut before = String::new();
    while state(desk) != wanted {
        before = browser.wait(&format!("it to go on, or to be {wanted}; {before}"), || {
            let (state, now) = (state(desk), words(desk));
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
            "document.querySelector('[data-job=profile]').scrollIntoView();
             return Array.from(document.querySelectorAll('[data-job=profile] *'))
                 .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
                 .map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);",
            &[],
        );
        assert_eq!(wide, json!([]), "{name} is cut off, {kind}");
        browser.screenshot(&folder.join(format!("profile-{name}-{kind}-{}.png", browser.kind().name())));
    }
    browser.emulate(&Options::default());
}

fn change(servers: &Servers, side: Side, user: &str, change: impl FnOnce(&mut Account)) {
    servers.control().with_world(|world| {
        let server = world.server_mut(side);
        let id = server.find(user, None).expect("somebody of that name");
        change(server.account_mut(id).expect("an account"));
        world.changed();
    });
}

/// As an account is when it was made a minute ago.
fn blank(servers: &Servers) {
    change(servers, Side::New, "petra", |account| {
        account.display_name = String::new();
        account.note = String::new();
        account.fields = Vec::new();
    });
}

/// Opens a page of both servers, and puts both profiles side by side.
fn plan<'b>(browser: &'b Browser, servers: &Servers) -> Panel<'b> {
    servers.link(browser, "petra", "petra");
    for side in [Side::Old, Side::New] {
        servers.enter_in_tab(browser, side, "petra", "/settings/export");
        browser.guard().settled();
    }
    let desk = browser.desk();
    desk.click(&format!("{JOB} button[data-action=look-profile]"));
    wait_for_state(browser, &desk, "planned");
    desk
}

fn is_chosen(desk: &Panel, item: &str) -> bool {
    desk.run(&format!("return root.querySelector('[data-choose={item}]').checked;")) == json!(true)
}

fn stand(desk: &Panel, item: &str) -> String {
    let found = desk.element(&format!("{JOB} [data-piece={item}]"));
    found.attribute("data-stand").ok().flatten().unwrap_or_default()
}

fn account(servers: &Servers, side: Side) -> Account {
    servers.control().with_world(|world| {
        let server = world.server(side);
        server.account(server.find("petra", None).expect("petra")).expect("an account").clone()
    })
}

/// Carries everything over between servers of these versions, looks at both, and takes it back.
fn goes_there_and_back(browser: &Browser, old: &str, new: &str) {
    let version = |text: &str| text.parse::<Version>().expect("a version");
    let options =
        ServerOptions { old_version: version(old), new_version: version(new), ..ServerOptions::default() };
    let servers = Servers::with(options);
    blank(&servers);
    let before = account(&servers, Side::New);
    let desk = plan(browser, &servers);
    desk.wait_for_outcome("profile", "warn");
    picture(browser, &format!("1-planned-{old}-{new}"));
    for item in ["name", "note", "field-0", "field-2", "avatar", "header", "discoverable"] {
        assert!(is_chosen(&desk, item), "{item} from {old} to {new}");
    }
    // The pictures of the old account are there to be looked at.
    let shown =
        desk.run("return Array.from(root.querySelectorAll('.pair img'), img => img.naturalWidth > 0);");
    assert_eq!(shown, json!([true, true]));
    assert_eq!(desk.axe(), Vec::new());
    desk.click(&format!("{JOB} button[data-action=carry]"));
    wait_for_state(browser, &desk, "done");
    picture(browser, &format!("2-done-{old}-{new}"));
    for item in ["name", "note", "fields", "avatar", "header", "discoverable"] {
        assert_eq!(stand(&desk, item), "done", "{item} from {old} to {new}: {}", words(&desk));
    }
    let (own, after) = (account(&servers, Side::Old), account(&servers, Side::New));
    assert_eq!((&after.display_name, &after.note), (&own.display_name, &own.note));
    assert_eq!(after.fields, own.fields);
    assert_eq!(after.avatar.as_ref().map(|p| &p.bytes), own.avatar.as_ref().map(|p| &p.bytes));
    desk.wait_for_outcome("profile", "pass");
    assert_eq!(desk.axe(), Vec::new());

    // It is still known after a reload, and can be taken back.
    browser.reload();
    let desk = browser.desk();
    wait_for_state(browser, &desk, "done");
    desk.click(&format!("{JOB} button[data-action=undo]"));
    browser.wait("the way back", || words(&desk).contains("as they were before").then_some(()));
    let after = account(&servers, Side::New);
    assert_eq!((&after.display_name, &after.note), (&before.display_name, &before.note));
    assert!(after.fields.is_empty() && after.avatar.is_none() && after.header.is_none());
    desk.wait_for_outcome("profile", "warn");
    picture(browser, &format!("3-undone-{old}-{new}"));
    browser.assert_quiet();
}

in_both_browsers! {
    fn carries_a_profile_over_and_takes_it_back(browser) {
        goes_there_and_back(browser, "4.6", "4.6");
    }

    fn does_so_between_old_servers(browser) {
        goes_there_and_back(browser, "4.3", "4.1");
    }

    fn leaves_what_is_there_unless_asked(browser) {
        let servers = Servers::start();
        change(&servers, Side::New, "petra", |account| {
            account.fields = vec![("Website".into(), "https://else.example".into())];
        });
        let desk = plan(browser, &servers);
        for (item, chosen) in [("name", false), ("note", false), ("field-0", false), ("field-1", true), ("avatar", true)] {
            assert_eq!(is_chosen(&desk, item), chosen, "{item}");
        }
        desk.click("#item-name");
        desk.click("#item-avatar");
        browser.wait("the choice", || (is_chosen(&desk, "name") && !is_chosen(&desk, "avatar")).then_some(()));
        // Everything was drawn anew, and whoever has no mouse is still where they were.
        assert_eq!(desk.run("return document.activeElement.id;"), json!("item-avatar"));
        desk.click(&format!("{JOB} button[data-action=carry]"));
        wait_for_state(browser, &desk, "done");
        let after = account(&servers, Side::New);
        assert_eq!(after.display_name, "Petra 📻 Funke");
        assert_eq!(after.note.lines().next(), Some(account(&servers, Side::New).note.as_str()));
        assert!(after.avatar.is_none());
        assert_eq!(after.fields[0].1, "https://else.example");
        assert_eq!(after.fields.len(), 3);
        browser.assert_quiet();
    }

    fn unlocks_for_the_move_and_reminds(browser) {
        let servers = Servers::start();
        change(&servers, Side::New, "petra", |account| account.locked = true);
        let desk = plan(browser, &servers);
        desk.wait_for_outcome("unlocked", "warn");
        picture(browser, "4-locked");
        desk.click(&format!("{JOB} button[data-action=unlock]"));
        desk.wait_for_outcome("unlocked", "pass");
        assert!(!account(&servers, Side::New).locked);
        browser.wait("the reminder", || words(&desk).contains("That is so for the move").then_some(()));
        // The reminder outlives the page.
        browser.reload();
        let desk = browser.desk();
        browser.wait("the reminder again", || words(&desk).contains("That is so for the move").then_some(()));
        desk.click(&format!("{JOB} button[data-action=lock]"));
        desk.wait_for_outcome("unlocked", "warn");
        assert!(account(&servers, Side::New).locked);
        browser.assert_quiet();
    }

    fn hands_the_announcement_to_mastodons_own_form(browser) {
        let servers = Servers::start();
        let post = servers.control().with_world(|world| {
            let server = world.server_mut(Side::Old);
            let petra = server.find("petra", None).expect("petra");
            let post = server.by_author_open.get(&petra).and_then(|all| all.first().copied());
            server.user_mut(petra).expect("a user").pinned = post.into_iter().collect();
            world.changed();
            post
        });
        let desk = plan(browser, &servers);
        desk.wait_for_outcome("announced", "warn");
        if post.is_some() {
            assert_eq!(desk.all(&format!("{JOB} .pinned a")).expect("links").len(), 1);
        }
        let field = desk.element("#draft-new");
        let old = servers.old_handle("petra");
        let draft = desk.run("return root.querySelector('#draft-new').value;");
        assert!(draft.as_str().is_some_and(|text| text.contains(&format!("@{old}"))), "{draft}");
        field.fill("I have moved & I am glad #moving? 100% 🎉").expect("a field");
        browser.wait("the hint", || words(&desk).contains("does not name").then_some(()));
        field.fill(&format!("I was @{old} & I am glad #moving? 100% 🎉")).expect("a field");
        browser.wait("no hint", || (!words(&desk).contains("does not name")).then_some(()));
        picture(browser, "5-drafts");
        desk.click(&format!("{JOB} button[data-action=announce-new]"));
        browser.switch_to_tab_with("/share");
        browser.wait("Mastodon's form with the text in it", || {
            let text = browser.run("return document.querySelector('textarea')?.value ?? '';", &[]);
            (text == json!(format!("I was @{old} & I am glad #moving? 100% 🎉"))).then_some(())
        });
        // Nothing of ours runs there, and nothing was sent.
        let ours = browser.run("return document.querySelectorAll('#packed-trunk').length;", &[]);
        assert_eq!(ours, json!(0));
        browser.assert_quiet();
    }

    fn shows_the_way_to_the_mail(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_new");
        servers.enter_in_tab(browser, Side::New, "ana_new", "/auth/edit");
        browser.guard().settled();
        let desk = browser.desk();
        desk.wait_for_outcome("email-confirmed", "stop");
        desk.click(&format!("{JOB} button[data-action=resend]"));
        browser.switch_to_tab_with("/auth/confirmation/new");
        browser.assert_quiet();
    }

    fn another_account_is_not_touched(browser) {
        let servers = Servers::start();
        blank(&servers);
        let desk = plan(browser, &servers);
        // Somebody else signs in on the new server before the button is pressed.
        servers.enter_in_tab(browser, Side::New, "ben", "/settings/export");
        browser.guard().settled();
        let desk = { let _ = desk; browser.desk() };
        desk.click(&format!("{JOB} button[data-action=carry]"));
        wait_for_state(browser, &desk, "stopped");
        picture(browser, "6-other-account");
        assert!(words(&desk).contains("@ben@"), "{}", words(&desk));
        assert!(account(&servers, Side::New).display_name.is_empty());
        let ben = servers.control().with_world(|world| {
            let server = world.server(Side::New);
            server.account(server.find("ben", None).expect("ben")).expect("an account").display_name.clone()
        });
        assert_eq!(ben, "Ben");
        browser.assert_quiet();
    }

    fn hostile_texts_are_texts(browser) {
        let servers = Servers::start();
        blank(&servers);
        let evil = "<img src=x onerror=alert(1)>$1\u{202e}";
        change(&servers, Side::Old, "petra", |account| {
            account.display_name = evil.into();
            account.note = format!("{evil} @ben @petra@{} {}", "old.localhost", "x".repeat(600));
            account.fields = vec![(evil.into(), "javascript:alert(1)".into()), ("a".repeat(255), "b".repeat(255))];
        });
        let desk = plan(browser, &servers);
        assert!(words(&desk).contains("<img src=x onerror=alert(1)>$1"), "{}", words(&desk));
        let made = desk.run("return root.querySelectorAll('.pair img[onerror], .pair img[src=x]').length;");
        assert_eq!(made, json!(0));
        picture(browser, "7-hostile");
        assert_eq!(desk.axe(), Vec::new());
        desk.click(&format!("{JOB} button[data-action=carry]"));
        wait_for_state(browser, &desk, "done");
        assert_eq!(stand(&desk, "note"), "done", "{}", words(&desk));
        browser.assert_quiet();
    }
}
