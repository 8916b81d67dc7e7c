//! Several moves kept apart, one taken from one browser into another, and what happens when the wrong account is signed in.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use end_to_end::{
    Browser, Kind, Options, Panel, ServerOptions, Servers, Side, Version, in_both_browsers, output_folder,
    scenario,
};
use serde_json::{Value, json};

const MESSAGES: &str = "[data-job=messages]";
const PACK: &str = "[data-job=lists]";
const UNPACK: &str = "[data-job=unpack]";
const MOVES: &str = "[data-job=moves]";
const PROFILE: &str = "[data-job=profile]";

fn state(desk: &Panel, job: &str) -> String {
    desk.element(job).attribute("data-state").ok().flatten().unwrap_or_default()
}

fn words(desk: &Panel, job: &str) -> String {
    desk.read(job)
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

fn says(browser: &Browser, desk: &Panel, part: &str, expected: &str) {
    browser.wait(&format!("{part} to say {expected:?}; it says {:?}", words(desk, part)), || {
        words(desk, part).contains(expected).then_some(())
    });
}

/// The names of all moves, the current one first.
fn pairs(desk: &Panel) -> Vec<String> {
    let found =
        desk.run("return Array.from(root.querySelectorAll('[data-move] h3'), title => title.textContent);");
    found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn pair(servers: &Servers, old: &str, new: &str) -> String {
    format!("From @{} to @{}", servers.old_handle(old), servers.new_handle(new))
}

/// Names other accounts, by the desk's own form.
fn link_others(browser: &Browser, desk: &Panel, old: &str, new: &str) {
    if desk.page() == "move" {
        desk.click("button[data-action=change]");
    }
    desk.element("input#old").fill(old).expect("a field");
    desk.element("input#new").fill(new).expect("a field");
    desk.click_action("link");
    browser.wait("the other move", || {
        desk.element("[data-move='0'] h3").text().ok().filter(|name| name.contains(old) && name.contains(new))
    });
}

/// Every key of the extension's database.
fn kept(browser: &Browser) -> Vec<String> {
    let script = "const done = arguments[arguments.length - 1];
         const asked = (window.wrappedJSObject ?? window).indexedDB.open('packed-trunk');
         asked.onsuccess = () => {
             const keys = asked.result.transaction('records').objectStore('records').getAllKeys();
             keys.onsuccess = () => { asked.result.close(); done(JSON.stringify(Array.from(keys.result))); };
         };";
    let found = browser.driver().run_async(script, &[]).expect("the database opens");
    serde_json::from_str(found.as_str().unwrap_or("[]")).expect("keys")
}

/// Pictures of a state, as a person may see it; looked at by hand. Nothing is cut off.
fn picture(browser: &Browser, name: &str) {
    let folder = output_folder().join("../shots");
    for (kind, options) in [
        ("light", Options::default()),
        ("dark", Options { dark: true, ..Options::default() }),
        ("narrow", Options { width: 320, ..Options::default() }),
    ] {
        browser.emulate(&options);
        let wide = browser.run(
            "return Array.from(document.querySelectorAll('main *'))
                 .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
                 .map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);",
            &[],
        );
        assert_eq!(wide, json!([]), "{name} is cut off, {kind}");
        browser.screenshot(&folder.join(format!("moves-{name}-{kind}-{}.png", browser.kind().name())));
    }
    browser.emulate(&Options::default());
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

/// Every export and every upload was made by these people alone.
fn only_by(servers: &Servers, side: Side, path: &str, users: &[&str]) {
    let log = servers.control().get("requests");
    for one in log.as_array().into_iter().flatten() {
        let here =
            one["server"] == side.name() && one["path"].as_str().is_some_and(|own| own.starts_with(path));
        // Asked for and refused is nobody's.
        if here && one["status"] == 200 {
            let user = one["user"].as_str().unwrap_or_default();
            assert!(users.contains(&user), "{one}");
        }
    }
}

in_both_browsers! {
    fn two_moves_are_kept_apart(browser) {
        let servers = Servers::start();
        servers.link(browser, "petra", "petra");
        servers.enter_in_tab(browser, Side::Old, "petra", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        desk.click(&format!("{PACK} button[data-action=pack]"));
        wait_for_state(browser, &desk, PACK, "done");
        says(browser, &desk, MOVES, "Follows and lists packed on");

        link_others(browser, &desk, &servers.old_handle("ana"), &servers.new_handle("ana_ready"));
        assert_eq!(pairs(&desk), [pair(&servers, "ana", "ana_ready"), pair(&servers, "petra", "petra")]);
        // Nothing of the other one is shown for this one.
        wait_for_state(browser, &desk, PACK, "none");
        browser.reload();
        let desk = browser.desk();
        assert_eq!(pairs(&desk).len(), 2);
        wait_for_state(browser, &desk, PACK, "none");
        picture(browser, "1-two");
        assert_eq!(desk.axe(), Vec::new());

        // The page of the one that is put away speaks of its own move.
        browser.switch_to_tab_with("old.localhost");
        browser.reload();
        browser.guard().settled();
        let desk = browser.desk();
        desk.click(&format!("{MOVES} [data-move='1'] button[data-action=take-up]"));
        browser.wait("the first move", || (pairs(&desk).first() == Some(&pair(&servers, "petra", "petra"))).then_some(()));
        wait_for_state(browser, &desk, PACK, "done");
        desk.click(&format!("{MOVES} [data-move='0'] button[data-action=put-away]"));
        browser.wait("the start", || (desk.page() == "start").then_some(()));
        assert_eq!(pairs(&desk).len(), 2);
        // Who is signed in is offered.
        browser.wait("an account to be offered", || {
            let offered = format!("button[data-action=use-old][data-handle='{}']", servers.old_handle("petra"));
            desk.all(&offered).ok().filter(|found| !found.is_empty())
        });
        picture(browser, "2-start");
        assert_eq!(desk.axe(), Vec::new());
        desk.click("button[data-action=use-old]");
        assert_eq!(
            browser.run("return document.querySelector('input#old').value;", &[]),
            servers.old_handle("petra"),
        );

        // Forgetting says what goes, and takes only that.
        let at = pairs(&desk).iter().position(|own| own.contains("petra")).expect("the move");
        desk.click(&format!("{MOVES} [data-move='{at}'] button[data-action=forget]"));
        says(browser, &desk, MOVES, "the packed follows, lists");
        picture(browser, "3-forget");
        assert_eq!(desk.axe(), Vec::new());
        desk.click_action("forget-cancel");
        assert_eq!(pairs(&desk).len(), 2);
        desk.click(&format!("{MOVES} [data-move='{at}'] button[data-action=forget]"));
        desk.click_action("forget-confirm");
        browser.wait("one move", || (pairs(&desk) == [pair(&servers, "ana", "ana_ready")]).then_some(()));
        browser.wait("nothing of it in the database", || {
            (!kept(browser).iter().any(|key| key.contains("petra"))).then_some(())
        });
        // The page that is still open brings nothing back.
        browser.switch_to_tab_with("old.localhost");
        browser.run("window.dispatchEvent(new Event('focus'));", &[]);
        let desk = browser.desk();
        browser.reload();
        browser.desk();
        assert_eq!(pairs(&desk), [pair(&servers, "ana", "ana_ready")]);
        browser.assert_quiet();
    }

    fn the_wrong_account_is_noticed(browser) {
        let servers = Servers::start();
        servers.link(browser, "petra", "petra");
        servers.enter_in_tab(browser, Side::Old, "emil", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        let sentence = format!(
            "Sign in as @{} on old.localhost", servers.old_handle("petra"),
        );
        says(browser, &desk, ".card[data-side=old]", &sentence);
        let presence = || desk.element(".card[data-side=old]").attribute("data-presence").ok().flatten();
        assert_eq!(presence().as_deref(), Some("other-account"));
        desk.click(&format!("{PACK} button[data-action=pack]"));
        wait_for_state(browser, &desk, PACK, "stopped");
        assert!(words(&desk, PACK).contains(&sentence), "{}", words(&desk, PACK));
        assert!(words(&desk, PACK).contains(&format!("as @{}", servers.old_handle("emil"))));
        picture(browser, "4-wrong");
        assert_eq!(desk.axe(), Vec::new());
        only_by(&servers, Side::Old, "/settings/exports/", &[]);

        // The right one signs in: it goes on by itself, and in its middle, while its server has trouble, somebody else signs
        // in, in another tab.
        servers.control().post(
            "fault",
            &json!({ "server": "old", "path_prefix": "/settings/exports/", "kind": "status:503", "nth": 3, "count": 3 }),
        );
        browser.switch_to_tab_with("old.localhost");
        servers.enter(browser, Side::Old, "petra", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        browser.wait("the packing to wait", || (state(&desk, PACK) == "waiting").then_some(()));
        servers.enter_in_tab(browser, Side::Old, "emil", "/settings/profile");
        // An answer that is still under way would bring this session back later.
        browser.guard().settled();
        let desk = browser.desk();
        for _ in 0..60 {
            if state(&desk, PACK) == "stopped" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        assert_eq!(state(&desk, PACK), "stopped", "{}", words(&desk, PACK));
        assert!(words(&desk, PACK).contains(&sentence), "{}", words(&desk, PACK));
        servers.control().post("faults/clear", &Value::Null);
        only_by(&servers, Side::Old, "/settings/exports/", &["petra"]);

        // And back again.
        browser.switch_to_tab_with("old.localhost");
        servers.enter(browser, Side::Old, "petra", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        // With the page of somebody else still open it may need the button.
        std::thread::sleep(std::time::Duration::from_secs(3));
        if state(&desk, PACK) == "stopped" {
            desk.click(&format!("{PACK} button[data-action=resume]"));
        }
        wait_for_state(browser, &desk, PACK, "done");
        browser.reload();
        let desk = browser.desk();
        let presence = || desk.element(".card[data-side=old]").attribute("data-presence").ok().flatten();
        browser.wait("the right account", || (presence().as_deref() == Some("here")).then_some(()));
        let row = desk.read(&format!("{PACK} [data-part=follows] td"));
        assert_eq!(row, "31");
        only_by(&servers, Side::Old, "/settings/exports/", &["petra"]);
    }

    fn both_accounts_are_on_one_server(browser) {
        let servers = Servers::start();
        browser.link(&servers.old_handle("petra"), &servers.old_handle("emil"));
        servers.enter_in_tab(browser, Side::Old, "petra", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        desk.click(&format!("{PACK} button[data-action=pack]"));
        wait_for_state(browser, &desk, PACK, "done");
        // Which account is needed now is said, before anything is asked as the other one.
        says(browser, &desk, ".card[data-side=new]", "Both accounts are on");
        desk.click(&format!("{UNPACK} button[data-action=look-new]"));
        wait_for_state(browser, &desk, UNPACK, "stopped");
        let sentence = format!("Sign in as @{}", servers.old_handle("emil"));
        assert!(words(&desk, UNPACK).contains(&sentence), "{}", words(&desk, UNPACK));
        picture(browser, "5-one-server");
        let imports = || {
            let sent = servers.requests_to(Side::Old);
            sent.iter().filter(|one| one.starts_with("POST /settings/imports")).count()
        };
        assert_eq!(imports(), 0);
        browser.switch_to_tab_with("old.localhost");
        servers.enter(browser, Side::Old, "emil", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        wait_for_state(browser, &desk, UNPACK, "planned");
        desk.click(&format!("{UNPACK} button[data-action=unpack]"));
        browser.wait("it to begin", || (state(&desk, UNPACK) != "planned").then_some(()));
        until_done(browser, &servers, &desk);
        only_by(&servers, Side::Old, "/settings/imports", &["emil"]);
        let emil = servers.control().person(Side::Old, "emil");
        assert!(emil["follows"].as_array().is_some_and(|all| all.len() > 10), "{emil}");
        // The old profile was read while its account was there: nobody has to sign in once more for it.
        browser.wait("both profiles", || match state(&desk, PROFILE).as_str() {
            "planned" => Some(()),
            "none" => desk.all(&format!("{PROFILE} button[data-action=look-profile]")).ok()?.first()?.click().ok().and(None),
            other => {
                assert_eq!(other, "reading", "{}", words(&desk, PROFILE));
                None
            }
        });
        desk.click(&format!("{PROFILE} button[data-action=carry]"));
        wait_for_state(browser, &desk, PROFILE, "done");
        only_by(&servers, Side::Old, "/api/v1/accounts/update_credentials", &["emil"]);
        // It is folded away.
        desk.element("[data-job=report] tr[data-deed=profile-carried]");
        let deed = desk.run("return root.querySelector('tr[data-deed=profile-carried]').textContent;");
        assert!(deed.as_str().is_some_and(|deed| deed.contains(&servers.old_handle("emil"))), "{deed}");
        // The old one is signed out now: to pack again it is asked for.
        desk.click(&format!("{PACK} button[data-action=pack]"));
        wait_for_state(browser, &desk, PACK, "stopped");
        assert!(words(&desk, PACK).contains(&format!("Sign in as @{}", servers.old_handle("petra"))));
        browser.assert_quiet();
    }

    fn a_server_becomes_another_version_between_two_steps(browser) {
        let version = |text: &str| text.parse::<Version>().expect("a version");
        let servers = Servers::with(ServerOptions { new_version: version("4.1"), ..ServerOptions::default() });
        servers.link(browser, "petra", "petra");
        servers.enter_in_tab(browser, Side::Old, "petra", "/settings/export");
        browser.guard().settled();
        servers.enter_in_tab(browser, Side::New, "petra", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        desk.click(&format!("{PACK} button[data-action=pack]"));
        wait_for_state(browser, &desk, PACK, "done");
        desk.click(&format!("{UNPACK} button[data-action=look-new]"));
        wait_for_state(browser, &desk, UNPACK, "planned");
        says(browser, &desk, ".card[data-side=new]", "4.1");
        servers.control().post("version", &json!({ "server": "new", "version": "4.3" }));
        desk.click(&format!("{UNPACK} button[data-action=unpack]"));
        browser.wait("it to begin", || (state(&desk, UNPACK) != "planned").then_some(()));
        until_done(browser, &servers, &desk);
        let sent = servers.requests_to(Side::New);
        assert!(sent.iter().any(|one| one.ends_with("/confirm")), "nothing was confirmed: {sent:?}");
        assert!(!sent.iter().any(|one| one == "POST /settings/import"), "{sent:?}");
        // What is known follows.
        browser.reload();
        let desk = browser.desk();
        says(browser, &desk, ".card[data-side=new]", "4.3");
        browser.assert_quiet();
    }
}

/// Packs, saves, looks at the new account and takes the move out.
fn taken_out(browser: &Browser, servers: &Servers) -> PathBuf {
    servers.link(browser, "ana", "ana_ready");
    servers.enter_in_tab(browser, Side::Old, "ana", "/settings/export");
    browser.guard().settled();
    servers.enter_in_tab(browser, Side::New, "ana_ready", "/settings/export");
    browser.guard().settled();
    let desk = browser.desk();
    desk.click(&format!("{MESSAGES} button[data-action=save-messages]"));
    wait_for_state(browser, &desk, MESSAGES, "done");
    desk.click(&format!("{PACK} button[data-action=pack]"));
    wait_for_state(browser, &desk, PACK, "done");
    desk.click(&format!("{UNPACK} button[data-action=look-new]"));
    wait_for_state(browser, &desk, UNPACK, "planned");
    desk.click(&format!("{MOVES} button[data-action=export-move]"));
    says(browser, &desk, MOVES, "It holds your private messages");
    let file = browser.downloaded(".zip");
    browser.assert_quiet();
    file
}

/// The desk loads itself anew after this.
fn begins_anew(browser: &Browser, act: impl FnOnce()) {
    browser.run("document.documentElement.dataset.before = '';", &[]);
    act();
    browser.wait("another page", || {
        // Between the two there is none that could be asked.
        let before =
            browser.driver().run("return 'before' in document.documentElement.dataset;", &[]).ok()?;
        (before == false).then_some(())
    });
    browser.desk().wait_ready();
}

fn choose(desk: &Panel, file: &std::path::Path) {
    desk.run("root.querySelector('[data-fold=open-move]').open = true;");
    desk.element("#open-move").type_keys(&file.display().to_string()).expect("a file is chosen");
}

/// In the middle of taking a move in, the database fails; and then the page is gone.
fn interrupted(browser: &Browser, desk: &Panel, file: &std::path::Path) {
    let strike = |what: &str| {
        let script = format!(
            "const real = IDBObjectStore.prototype.put;
             let count = 0;
             IDBObjectStore.prototype.put = function (...given) {{
                 if (++count === 30) {{ IDBObjectStore.prototype.put = real; {what} }}
                 return real.apply(this, given);
             }};"
        );
        browser.run(&script, &[]);
    };
    strike("throw new DOMException('no', 'UnknownError');");
    choose(desk, file);
    says(browser, desk, MOVES, "own storage failed");
    assert_eq!(kept(browser), Vec::<String>::new());
    strike("location.reload(); const end = Date.now() + 2000; while (Date.now() < end);");
    begins_anew(browser, || choose(desk, file));
    let desk = browser.desk();
    desk.wait_ready();
    browser.wait("nothing to be left", || kept(browser).is_empty().then_some(()));
    assert_eq!(pairs(&desk), Vec::<String>::new());
}

fn from_one_browser_into_another(kind: Kind) {
    let servers = Servers::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, tampered) = (folder.path().join("move.zip"), folder.path().join("tampered.zip"));
    let mut saved = String::new();
    scenario(kind, "from_one_browser_into_another_1", &Options::default(), |browser| {
        let file = taken_out(browser, &servers);
        std::fs::copy(&file, &whole).expect("a copy");
        let desk = browser.desk();
        saved = desk.read(&format!("{MESSAGES} .lead"));
        assert!(saved.contains("messages with"), "{saved}");
    });
    let mut bytes = std::fs::read(&whole).expect("the file");
    // In the middle of what is packed.
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&tampered, &bytes).expect("a file");

    scenario(kind, "from_one_browser_into_another_2", &Options::default(), |browser| {
        let desk = browser.desk();
        desk.wait_ready();
        picture(browser, "6-fresh");
        choose(&desk, &tampered);
        says(browser, &desk, MOVES, "This file is damaged");
        assert_eq!(kept(browser), Vec::<String>::new());
        assert_eq!(pairs(&desk), Vec::<String>::new());

        // Firefox lets no script of a test reach into its database's functions.
        if kind == Kind::Chromium {
            interrupted(browser, &desk, &whole);
        }
        let desk = browser.desk();
        choose(&desk, &whole);
        browser.wait("the move", || {
            let all = desk.all("[data-move] h3").ok()?;
            all.first()?.text().ok().filter(|name| *name == pair(&servers, "ana", "ana_ready"))
        });
        let desk = browser.desk();
        // Everything is there, without any server.
        wait_for_state(browser, &desk, MESSAGES, "done");
        assert_eq!(desk.read(&format!("{MESSAGES} .lead")), saved);
        wait_for_state(browser, &desk, PACK, "done");
        wait_for_state(browser, &desk, UNPACK, "planned");
        // What was done in the other browser was done.
        for deed in ["linked", "messages-saved", "packed"] {
            desk.element(&format!("[data-job=report] tr[data-deed={deed}]"));
        }
        desk.click(&format!("{MESSAGES} button[data-action=show-messages]"));
        browser.wait("people to read", || {
            desk.all(".reader .people button").ok().filter(|people| !people.is_empty())
        });
        says(browser, &desk, ".card[data-side=old]", "I may not look at");
        picture(browser, "7-opened");
        assert!(
            !kept(browser).iter().any(|key| key.starts_with("opening")),
            "something is left of the opening"
        );

        // It goes on from there.
        browser.grant(&["http://old.localhost/*", "http://new.localhost/*"]);
        let desk = browser.desk();
        for side in ["old", "new"] {
            desk.click(&format!(".card[data-side={side}] button[data-action=allow]"));
            desk.click_action("grant");
            browser.wait("the server to be allowed", || {
                let presence = desk.element(&format!(".card[data-side={side}]")).attribute("data-presence");
                presence.ok().flatten().filter(|presence| presence != "not-granted" && presence != "unknown")
            });
        }
        servers.enter_in_tab(browser, Side::New, "ana_ready", "/settings/export");
        browser.guard().settled();
        let desk = browser.desk();
        desk.click(&format!("{UNPACK} button[data-action=unpack]"));
        browser.wait("it to begin", || (state(&desk, UNPACK) != "planned").then_some(()));
        until_done(browser, &servers, &desk);

        // Opened once more, the person decides what stays: by default what is newer, here.
        let before = kept(browser);
        choose(&desk, &whole);
        says(browser, &desk, MOVES, "is in this browser already");
        picture(browser, "8-both");
        assert_eq!(desk.axe(), Vec::new());
        desk.click_action("open-cancel");
        assert_eq!(kept(browser), before);
        choose(&desk, &whole);
        says(browser, &desk, MOVES, "is in this browser already");
        begins_anew(browser, || desk.click_action("keep-here"));
        let desk = browser.desk();
        wait_for_state(browser, &desk, UNPACK, "done");
        choose(&desk, &whole);
        says(browser, &desk, MOVES, "is in this browser already");
        begins_anew(browser, || desk.click_action("keep-file"));
        let desk = browser.desk();
        // As it was before anything was unpacked.
        wait_for_state(browser, &desk, UNPACK, "planned");
        wait_for_state(browser, &desk, MESSAGES, "done");
    });
}

#[test]
fn from_one_browser_into_another_chromium() {
    from_one_browser_into_another(Kind::Chromium);
}

#[test]
fn from_one_browser_into_another_firefox() {
    from_one_browser_into_another(Kind::Firefox);
}
