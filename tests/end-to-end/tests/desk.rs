//! The desk: what it says, what can be taken back there, and what the agent behind it does and refuses.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::expect_used)]

use end_to_end::{Browser, Kind, Options, Servers, Side, in_both_browsers};
use serde_json::{Value, json};

/// What a script on the desk answers. It is the body of an async function; `own` is the desk's window, `api` the
/// extension's interface, `ours` makes a value one of the desk's own, and `given` has the arguments.
fn on_desk(browser: &Browser, script: &str, arguments: &[Value]) -> Value {
    let script = format!(
        "const given = Array.from(arguments), done = given.pop();
         const own = window.wrappedJSObject ?? window, api = own.chrome;
         const ours = value => own.JSON.parse(JSON.stringify(value));
         const answer = found => done(JSON.stringify(found ?? null));
         (async () => {{ {script} }})().then(answer, error => answer(`failed: ${{error}}`));"
    );
    let found = browser.driver().run_async(&script, arguments).expect("the desk runs a script");
    serde_json::from_str(found.as_str().unwrap_or("null")).expect("the script answers in JSON")
}

/// Asks the agent in the first tab of this server, as the desk does.
fn ask(browser: &Browser, pattern: &str, method: &str, path: &str, accept: &str) -> Value {
    on_desk(
        browser,
        "const [pattern, method, path, accept] = given;
         const [tab] = await api.tabs.query(ours({ url: pattern }));
         const request = { method, path, form: [], accept };
         return await api.tabs.sendMessage(tab.id, ours({ ask: { request } }));",
        &[json!(pattern), json!(method), json!(path), json!(accept)],
    )
}

in_both_browsers! {
    fn names_both_accounts_and_what_is_known_of_them(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        let desk = browser.desk();
        assert_eq!(desk.page(), "move");
        desk.wait_for_step("pack", "todo");
        servers.enter_in_tab(browser, Side::Old, "ana", "/settings/migration");
        browser.guard().settled();
        servers.enter_in_tab(browser, Side::New, "ana_ready", "/settings/aliases");
        browser.guard().settled();
        let desk = browser.desk();
        desk.wait_for("messages-saved", "stop", "14 conversations");
        desk.wait_for_outcome("alias", "pass");
        desk.wait_for_step("accounts", "done");
        desk.wait_for_step("pack", "stuck");
        desk.wait_for_step("move", "todo");
        let card = |side: &str| desk.element(&format!(".card[data-side={side}]")).text().expect("a card has a text");
        assert!(card("old").contains(&servers.old_handle("ana")), "{}", card("old"));
        assert!(card("old").contains("4.6.5"), "{}", card("old"));
        assert!(card("new").contains(&servers.new_handle("ana_ready")), "{}", card("new"));

        // Somebody else signs in there.
        browser.switch_to_tab_with("new.localhost");
        servers.enter(browser, Side::New, "bob1", "/settings/aliases");
        browser.guard().settled();
        browser.desk();
        browser.reload();
        browser.desk();
        let words = format!("you are signed in there as @{}", servers.new_handle("bob1"));
        browser.wait("the desk to name the wrong account", || card("new").contains(&words).then_some(()));

        // And out again.
        browser.switch_to_tab_with("old.localhost");
        // On the server: an answer that is still under way would bring a cookie back that was only deleted here.
        let signed_out = browser.run(
            "const token = document.querySelector('meta[name=csrf-token]').content;
             const body = new URLSearchParams({ _method: 'delete', authenticity_token: token });
             return fetch('/auth/sign_out', { method: 'POST', body }).then(reply => reply.ok);",
            &[],
        );
        assert_eq!(signed_out, true);
        browser.desk();
        browser.reload();
        browser.desk();
        let signed_out = || card("old").contains("You are not signed in on old.localhost").then_some(());
        browser.wait("the desk to say who is signed out", signed_out);
        browser.assert_quiet();
    }

    fn takes_back_what_was_granted(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        browser.guard().settled();
        let desk = browser.desk();
        desk.click("button[data-action=revoke][data-server='old.localhost']");
        browser.wait("the server to leave the list", || {
            desk.all("button[data-action=revoke]").ok().filter(|left| left.len() == 1)
        });
        browser.switch_to(&browser.first_tab());
        browser.reload();
        browser.element("form[action='/settings/migration']");
        assert!(!browser.guard().is_shown(), "the guard still runs");
        // The other one is still allowed, so the loader has had its time.
        servers.enter(browser, Side::New, "ana_ready", "/settings/aliases");
        browser.guard().wait_ready();
        browser.open(&servers.on_old("/settings/migration"));
        assert!(!browser.guard().is_shown(), "the guard still runs");
        let desk = browser.desk();
        desk.click_action("forget");
        desk.click_action("forget-confirm");
        browser.wait("the desk to forget", || (desk.page() == "start").then_some(()));
        browser.wait("nothing to be kept of it", || {
            let stored = on_desk(browser, "return await api.storage.local.get(null);", &[]).to_string();
            (!stored.contains("ana")).then_some(())
        });
        browser.assert_quiet();
    }

    fn no_token_leaves_its_tab(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana");
        let desk = browser.desk();
        // Everything that is said inside the extension reaches its pages.
        on_desk(
            browser,
            "own.heard = ours([]);
             api.runtime.onMessage.addListener(message => { own.heard.push(JSON.stringify(message)); });",
            &[],
        );
        let old_tab = servers.enter_in_tab(browser, Side::Old, "ana", "/settings/migration");
        let mut secrets = secrets(browser);
        browser.guard().settled();
        servers.enter_in_tab(browser, Side::New, "ana", "/settings/aliases");
        secrets.extend(self::secrets(browser));
        let guard = browser.guard();
        guard.wait_for_outcome("alias", "stop");
        guard.click_action("make-alias");
        guard.wait_for_outcome("alias", "pass");
        browser.switch_to(&old_tab);
        browser.guard().wait_for_outcome("alias", "pass");

        browser.desk();
        desk.wait_for_outcome("alias", "pass");
        let heard = on_desk(browser, "return own.heard;", &[]).to_string();
        assert!(heard.contains("hello"), "nothing was overheard: {heard}");
        let mut told = vec![heard, on_desk(browser, "return await api.storage.local.get(null);", &[]).to_string()];
        assert!(told[1].contains("ana@"), "nothing is stored: {}", told[1]);
        for path in ["/auth/edit", "/settings/aliases", "/settings/migration", "/settings/export"] {
            let answer = ask(browser, "http://old.localhost/settings/*", "GET", path, "page");
            assert_eq!(answer["Ok"]["status"], 200, "{path}: {answer}");
            assert_has_no_tokens(&answer);
            told.push(answer.to_string());
        }
        let answer = ask(browser, "http://old.localhost/settings/*", "GET", "/api/v1/accounts/verify_credentials", "api");
        assert_eq!(answer["Ok"]["status"], 200, "{answer}");
        told.push(answer.to_string());
        told.extend(browser.console_problems());
        for secret in &secrets {
            assert!(secret.len() > 20, "{secret:?} is no token");
            for text in &told {
                assert!(!text.contains(secret.as_str()), "a token left its tab: {}", &text[..text.len().min(2_000)]);
            }
        }
    }

    fn the_agent_does_what_is_on_its_list_and_no_more(browser) {
        let servers = Servers::start();
        servers.link(browser, "ana", "ana_ready");
        servers.enter(browser, Side::Old, "ana", "/settings/migration");
        browser.guard().settled();
        browser.desk();
        let elsewhere = servers.on_new("/settings/aliases");
        for (method, path) in [
            ("POST", "/settings/migration"),
            ("POST", "/settings/migration/redirect"),
            ("POST", "/auth"),
            ("POST", "/settings/delete"),
            ("DELETE", "/settings/migration/redirect"),
            ("PUT", "/settings/aliases"),
            ("GET", "/settings/delete"),
            ("GET", "/settings/migration/redirect/new"),
            ("GET", "/settings/aliases/../delete"),
            ("GET", "/settings/aliases%2f..%2fdelete"),
            ("GET", "/api/v1/accounts/1"),
            ("GET", "/api/v1/accounts/verify_credentials/../../timelines/home"),
            ("POST", "/api/v1/statuses"),
            ("GET", "//new.localhost/settings/aliases"),
            ("GET", elsewhere.as_str()),
            ("GET", "http://elsewhere.example/settings/aliases"),
        ] {
            let answer = ask(browser, "http://old.localhost/settings/*", method, path, "page");
            assert_eq!(answer, json!({ "Err": "refused" }), "{method} {path}");
        }
        let reads = |line: &String| line.starts_with("GET ") && !line.contains("delete") && !line.contains("redirect");
        assert!(servers.requests_to(Side::Old).iter().all(reads), "{:?}", servers.requests_to(Side::Old));
        // Looked at from outside, but by nobody who is signed in there.
        let new = servers.requests_to(Side::New);
        assert!(!new.iter().any(|line| line.contains("/settings/")), "{new:?}");
        let answer = ask(browser, "http://old.localhost/settings/*", "GET", "/settings/aliases", "page");
        assert_eq!(answer["Ok"]["status"], 200, "{answer}");
        browser.assert_quiet();
    }
}

/// The token of the session and those of the forms, as the page has them.
fn secrets(browser: &Browser) -> Vec<String> {
    let found = browser.run(
        "const state = JSON.parse(document.querySelector('#initial-state').textContent);
         const forms = Array.from(document.querySelectorAll('[name=authenticity_token]'), field => field.value);
         return [state.meta.access_token, document.querySelector('meta[name=csrf-token]').content, ...forms];",
        &[],
    );
    let found: Vec<String> =
        found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    assert!(found.len() >= 3, "the page has no tokens: {found:?}");
    found
}

/// Each request for a page makes new tokens for its forms; so it is the place of a token that must be empty.
fn assert_has_no_tokens(answer: &Value) {
    let body = answer["Ok"]["body"].as_str().unwrap_or_default();
    for mark in ["\"access_token\":", "name=\"csrf-token\" content=", "name=\"authenticity_token\" value="] {
        for rest in body.split(mark).skip(1) {
            assert!(rest.starts_with("\"\""), "a token in an answer, after {mark}");
        }
    }
    assert!(body.contains("csrf-token"), "no page of Mastodon's: {}", &body[..body.len().min(500)]);
}

/// A click on the button in the toolbar names the server that is looked at.
fn the_toolbar_leads_to_the_desk(browser: &Browser) {
    let servers = Servers::start();
    servers.enter(browser, Side::Old, "ana", "/settings/migration");
    // The desk opened in front of it.
    browser.switch_to(&browser.first_tab());
    browser.in_firefox_itself(
        "const { extension } = WebExtensionPolicy.getByID('packed-trunk@extension');
         const { ExtensionParent } = ChromeUtils.importESModule('resource://gre/modules/ExtensionParent.sys.mjs');
         return ExtensionParent.apiManager.global.browserActionFor(extension).triggerAction(window);",
        &[],
    );
    browser.desk();
    browser.wait("the server's name on the desk", || {
        let typed = browser.run("return document.querySelector('input#old').value;", &[]);
        (typed == servers.old_handle("ana").replace("ana@", "")).then_some(())
    });
    browser.assert_quiet();
}

// Chromium lets nothing but a hand press that button.
#[test]
fn the_toolbar_leads_to_the_desk_firefox() {
    end_to_end::scenario(
        Kind::Firefox,
        "the_toolbar_leads_to_the_desk",
        &Options::default(),
        the_toolbar_leads_to_the_desk,
    );
}
