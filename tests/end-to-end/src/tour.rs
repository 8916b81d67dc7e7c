//! A whole move, as a person would go through it: for the demo, for the pictures in `docs/`, and as a test.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use stand_in::{PASSWORD, Side};

use crate::{
    browser::{Browser, Options},
    process::repository,
    report::Walk,
    servers::Servers,
};

/// Each step that `docs/walk-through.md` shows, and what it says of it.
pub static STEPS: &[(&str, &str)] = &[
    (
        "install",
        "The desk opens by itself. It asks for two things: the account you are leaving, and the account you are moving to.",
    ),
    (
        "name both accounts and allow both servers",
        "Your browser asks once whether Packed Trunk may work on these two servers. It may work on no others. What comes next always stands at the top.",
    ),
    (
        "sign in on the old server",
        "You sign in on Mastodon's own page, in a tab of its own. The warning about what is not saved is there at once; your password is Mastodon's business alone.",
    ),
    (
        "sign in on the new server",
        "The same on the new server. Both tabs can stay open: the desk works through them.",
    ),
    (
        "the desk sees both",
        "Both accounts side by side, the old one always in one colour, the new one in the other. Before packing you are told how many requests it takes, and how long.",
    ),
    (
        "pack everything",
        "Direct messages of both sides with their pictures, follows, lists, mutes, blocks, bookmarks, filters, hashtags, notes, followers: read, saved in your browser, read back. Nothing is changed on the account.",
    ),
    (
        "make the alias",
        "The new account has to name the old one as its alias; one click sends Mastodon's own form.",
    ),
    (
        "carry the profile over",
        "What your old profile has and the new one has not, old beside new. You choose, and can take it back.",
    ),
    (
        "see what will be unpacked",
        "Every row that will be uploaded, every row that will not and why. You can change it before anything is sent, and you are told how many people will hear of it.",
    ),
    (
        "unpack",
        "Mastodon's own import does the work; afterwards every row is accounted for, with the reason where one did not arrive.",
    ),
    (
        "open the form of the move",
        "All checks once more, on Mastodon's own page, with the new handle filled in. The password and the click are yours.",
    ),
    ("move", "Done. Followers come over server by server, for hours and sometimes days."),
    (
        "the desk sees the move by itself",
        "What comes next: who has arrived, what to keep for a month, and when you can do what.",
    ),
];

const FOLDER: &str = "docs/pictures";

fn picture(at: usize, name: &str) -> String {
    format!("{:02}-{}.png", at + 1, name.replace(' ', "-"))
}

/// The page that shows the walk.
pub fn page() -> String {
    let mut page = "# A move, step by step\n\nMade by `./build.sh demo --headless --pictures`, which goes through it with two small servers of our own. By hand a\nmove like this takes about 75 deliberate actions on two servers, and saves no messages; here it takes at most fifteen,\ncounted by the demo.\n".to_owned();
    for (at, (name, about)) in STEPS.iter().enumerate() {
        let mut title = (*name).to_owned();
        title[..1].make_ascii_uppercase();
        page +=
            &format!("\n## {}. {title}\n\n{about}\n\n![{title}](pictures/{})\n", at + 1, picture(at, name));
    }
    page
}

/// Writes the page, with the pictures of the walk that was just made in Chromium.
pub fn write(demo: &Path) {
    let report = fs::read_to_string(demo.join("chromium/report.json")).expect("the walk has a report");
    let report: Value = serde_json::from_str(&report).expect("it is JSON");
    let folder = repository().join(FOLDER);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("docs/ can be written to");
    for (at, (name, _)) in STEPS.iter().enumerate() {
        let steps = report["steps"].as_array().into_iter().flatten();
        let step = steps.into_iter().find(|step| step["step"] == *name);
        let step = step.unwrap_or_else(|| panic!("the walk has no step {name:?}"));
        let from = demo.join(step["screenshot"].as_str().expect("a picture was taken"));
        fs::copy(&from, folder.join(picture(at, name))).expect("a picture can be copied");
    }
    fs::write(repository().join("docs/walk-through.md"), page()).expect("docs/ can be written to");
}

/// The whole move, by what a person would click.
pub fn walk(walk: &mut Walk<'_>, servers: &Servers) {
    meet(walk, servers);
    pack(walk);
    prepare(walk);
    unpack(walk, servers);
    go(walk, servers);
    arrive(walk, servers);
    looks(walk);
    walk.step("few actions", |browser| {
        let actions = browser.actions();
        assert!(actions.len() <= MOST_ACTIONS, "{} actions: {actions:?}", actions.len());
        format!("{} actions: {}", actions.len(), actions.join("; "))
    });
}

/// By hand a whole move takes about 75, and saves no messages.
const MOST_ACTIONS: usize = 15;

/// What the desk says comes next.
fn next(browser: &Browser) -> String {
    browser.desk().element("[data-next] .what").text().unwrap_or_default()
}

/// Waits until what comes next offers this, and does it.
fn do_next(browser: &Browser, action: &str) -> String {
    let desk = browser.desk();
    desk.element(&format!("[data-next] button[data-action={action}]"));
    let words = next(browser);
    desk.click(&format!("[data-next] button[data-action={action}]"));
    words
}

/// From the installation to both accounts seen.
fn meet(walk: &mut Walk<'_>, servers: &Servers) {
    walk.step("install", |browser| {
        browser.desk();
        format!("the desk opened by itself: {}", browser.title())
    });
    walk.step("name both accounts and allow both servers", |browser| {
        servers.link(browser, "ana", "ana");
        let desk = browser.desk();
        assert_eq!(desk.page(), "move");
        browser.wait("what comes next", || next(browser).contains("Sign in as").then_some(()));
        "the extension may work on both servers and on no other".to_owned()
    });
    for (side, server) in [("old", servers.on_old("")), ("new", servers.on_new(""))] {
        walk.step(&format!("open the {side} server"), |browser| {
            let theirs = format!("{side} account");
            browser.wait("this side to come next", || next(browser).contains(&theirs).then_some(()));
            let words = do_next(browser, "sign-in");
            browser.switch_to_tab_with(&server);
            browser.element("input[name='user[email]']");
            words
        });
        walk.step(&format!("sign in on the {side} server"), |browser| {
            browser.sign_in_here("ana@mail.example", PASSWORD);
            browser.guard().wait_ready();
            browser.address()
        });
    }
}

/// Messages, lists and everything else, at one click.
fn pack(walk: &mut Walk<'_>) {
    walk.step("the desk sees both", |browser| {
        let desk = browser.desk();
        desk.wait_for_step("accounts", "done");
        browser.wait("packing to come next", || next(browser).contains("Pack everything").then_some(()));
        format!("{:?}", desk.steps())
    });
    walk.step("pack everything", |browser| {
        let words = do_next(browser, "pack-all");
        for job in ["lists", "messages"] {
            wait_for_job(browser, &format!("[data-job={job}]"), "done", || ());
        }
        let desk = browser.desk();
        desk.wait_for_step("pack", "done");
        desk.wait_for_outcome("messages-saved", "pass");
        desk.wait_for_outcome("lists-saved", "pass");
        format!("{words} {}", desk.wait_for_outcome("follows-saved", "pass").text)
    });
}

/// The new account made ready.
fn prepare(walk: &mut Walk<'_>) {
    walk.step("make the alias", |browser| {
        let words = do_next(browser, "make-alias");
        browser.desk().wait_for_outcome("alias", "pass");
        words
    });
    walk.step("carry the profile over", |browser| {
        let words = do_next(browser, "carry");
        browser.desk().wait_for_outcome("profile", "pass");
        words
    });
}

fn wait_for_job(browser: &Browser, job: &str, wanted: &str, mut meanwhile: impl FnMut()) {
    let state = || browser.desk().element(job).attribute("data-state").ok().flatten().unwrap_or_default();
    for _ in 0..300 {
        if state() == wanted {
            return;
        }
        meanwhile();
        std::thread::sleep(Duration::from_millis(300));
    }
    panic!("{job} is {}, not {wanted}", state());
}

/// Onto the new account, and what became of every row.
fn unpack(walk: &mut Walk<'_>, servers: &Servers) {
    let job = "[data-job=unpack]";
    walk.step("see what will be unpacked", |browser| {
        wait_for_job(browser, job, "planned", || ());
        browser.desk().element("[data-next] button[data-action=unpack-plan]");
        browser.desk().element(&format!("{job} [data-kind=follows]")).text().unwrap().replace('\n', " ")
    });
    walk.step("unpack", |browser| {
        do_next(browser, "unpack-plan");
        // The server's clock runs faster here: a real one tries some rows for twenty minutes.
        wait_for_job(browser, job, "done", || servers.control().advance_seconds(30));
        let rows = "return root.querySelectorAll('[data-outcomes] tr[data-outcome]').length;";
        let rows = browser.desk().run(rows).as_u64().unwrap_or_default();
        assert!(rows > 30, "only {rows} rows are accounted for");
        format!("{rows} rows accounted for")
    });
}

/// The move itself, which is the person's own click.
fn go(walk: &mut Walk<'_>, servers: &Servers) {
    let moved_to = || servers.control().person(Side::Old, "ana")["moved_to"].clone();
    walk.step("open the form of the move", |browser| {
        let words = do_next(browser, "open-form");
        browser.switch_to_tab_with(&servers.on_old("/settings/migration"));
        let guard = browser.guard();
        guard.wait_for_outcome("alias", "pass");
        let stops: Vec<_> =
            guard.settled().into_iter().filter(|(_, check)| check.outcome == "stop").collect();
        assert_eq!(stops, [], "something still stops the move");
        words
    });
    walk.note_checks();
    walk.step("move", |browser| {
        browser.submit_move(PASSWORD);
        browser.wait("the move", || (!moved_to().is_null()).then_some(()));
        browser.guard().wait_for("not-moved", "stop", "already redirects").text
    });
    walk.note_checks();
}

fn arrive(walk: &mut Walk<'_>, servers: &Servers) {
    walk.step("the desk sees the move by itself", |browser| {
        servers.control().advance_seconds(600);
        let desk = browser.desk();
        desk.wait_for_step("move", "done");
        desk.settled();
        next(browser)
    });
}

/// How it looks elsewhere.
fn looks(walk: &mut Walk<'_>) {
    walk.step("the desk in the dark", |browser| {
        browser.emulate(&Options { dark: true, ..Options::default() });
        browser.desk().page()
    });
    walk.step("the desk on a telephone", |browser| {
        browser.emulate(&Options { width: 320, ..Options::default() });
        let fits = browser.desk().run("return root.getBoundingClientRect().right <= innerWidth;");
        assert_eq!(fits, true, "it does not fit");
        "it fits 320 pixels".to_owned()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_through_in_the_docs_is_the_one_that_is_walked() {
        let there = fs::read_to_string(repository().join("docs/walk-through.md")).unwrap_or_default();
        assert_eq!(there, page(), "./build.sh demo --headless --pictures writes it");
        for (at, (name, _)) in STEPS.iter().enumerate() {
            let bytes = fs::read(repository().join(FOLDER).join(picture(at, name))).unwrap();
            assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000, "{name}: no picture");
        }
    }
}
