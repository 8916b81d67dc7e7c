//! What many scenarios do on their way to what they show.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stand_in::Side;

use crate::{
    browser::Browser,
    panel::{Check, Panel},
    servers::Servers,
};

impl Servers {
    /// Signs in without the form, which other scenarios show, and opens a page of that server in the current tab.
    pub fn enter(&self, browser: &Browser, side: Side, user: &str, path: &str) {
        let address = |path: &str| if side == Side::Old { self.on_old(path) } else { self.on_new(path) };
        // A cookie can be given only to the server whose page is shown.
        browser.open(&address("/__stand-in__/time"));
        let (cookie, _) = self.control().sign_in(side, user);
        let (name, value) = cookie.split_once('=').expect("a cookie has a name and a value");
        let cookie = json!({ "cookie": { "name": name, "value": value, "path": "/" } });
        browser.driver().post("cookie", &cookie).expect("a cookie can be set");
        browser.open(&address(path));
    }

    /// The same in a new tab.
    pub fn enter_in_tab(&self, browser: &Browser, side: Side, user: &str, path: &str) -> crate::Tab {
        let tab = browser.open_tab("about:blank");
        self.enter(browser, side, user, path);
        tab
    }

    /// Sets states of one person, as the control path's `account` has them.
    pub fn set(&self, side: Side, user: &str, mut states: Value) -> Value {
        states["server"] = json!(side.name());
        states["user"] = json!(user);
        self.control().post("account", &states)
    }

    /// The requests that browsers sent to this server, as `METHOD PATH`. What the servers ask each other is left out.
    pub fn requests_to(&self, side: Side) -> Vec<String> {
        let log = self.control().get("requests");
        let of_browsers = |one: &&Value| one["server"] == side.name() && one["auth"] != "server";
        let line = |one: &Value| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("method"), text("path"))
        };
        log.as_array().into_iter().flatten().filter(of_browsers).map(line).collect()
    }
}

impl Browser {
    /// Types into the field for the handle of the new account.
    pub fn type_handle(&self, handle: &str) {
        self.note_action("type the handle");
        self.element("#account_migration_acct, #form_redirect_acct").fill(handle).expect("it can be typed");
    }

    /// Types the password and clicks Mastodon's own button.
    pub fn submit_move(&self, password: &str) {
        self.note_action("type the password");
        self.element("input[name='account_migration[current_password]']")
            .fill(password)
            .expect("it can be typed");
        self.click("form[action='/settings/migration'] button[type=submit]");
    }

    /// Nothing went wrong that only a console shows, and nobody else was asked for anything.
    pub fn assert_quiet(&self) {
        assert_eq!(self.console_problems(), Vec::<String>::new());
        assert_eq!(self.foreign_requests(), Vec::<String>::new());
    }
}

impl Panel<'_> {
    /// Waits until no answer is outstanding, and returns what is shown then.
    pub fn settled(&self) -> BTreeMap<String, Check> {
        self.wait_ready();
        wait_for_all(|| self.checks())
    }

    /// The outcomes alone, once no answer is outstanding.
    pub fn outcomes(&self) -> BTreeMap<String, String> {
        self.settled().into_iter().map(|(id, check)| (id, check.outcome)).collect()
    }

    /// Waits until the check has this outcome and says this.
    pub fn wait_for(&self, id: &str, outcome: &str, words: &str) -> Check {
        let mut last = None;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            crate::wait(&format!("the check {id} to become {outcome:?} and say {words:?}"), || {
                last = self.checks().remove(id);
                last.clone().filter(|check| check.outcome == outcome && check.text.contains(words))
            })
        }));
        found.unwrap_or_else(|_| panic!("the check {id} did not become {outcome:?} with {words:?}: {last:?}"))
    }
}

fn wait_for_all(look: impl Fn() -> BTreeMap<String, Check>) -> BTreeMap<String, Check> {
    crate::wait("every check to have its answer", || {
        let checks = look();
        let done = !checks.is_empty() && checks.values().all(|check| check.outcome != "checking");
        done.then_some(checks)
    })
}
