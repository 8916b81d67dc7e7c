//! Shows a whole move between two small servers of our own, in a browser with the extension in it.
//!
//! With a display, the browser stays open for a person, signed in on both servers. Without one it walks through by
//! itself and writes `target/demo/report.json` with a picture of every step.

// A step that fails says so by panicking; the walk notes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{env, process::ExitCode, sync::mpsc, time::Duration};

use end_to_end::{
    Browser, Kind, Options, ServerOptions, Servers, Side,
    report::{self, Walk},
    repository,
};
use stand_in::PASSWORD;

fn main() -> ExitCode {
    let Some(wish) = Wish::read(env::args().skip(1)) else {
        eprintln!("demo [--browser firefox|chromium] [--headless]");
        return ExitCode::from(2);
    };
    if wish.visible {
        leave_to_a_person(wish.browser.unwrap_or(Kind::Firefox));
        return ExitCode::SUCCESS;
    }
    let folder = repository().join("target/demo");
    let mut all_well = true;
    for kind in wish.browser.map_or(Kind::ALL.to_vec(), |kind| vec![kind]) {
        let servers = servers();
        let browser = Browser::start(kind, &Options::default());
        let mut walk = Walk::new(&browser, &folder.join(kind.name()));
        walk_through(&mut walk, &servers);
        let (report, well) = walk.finish();
        // Of two browsers the one that failed is the one to read about.
        if all_well {
            report::write(&folder.join("report.json"), &report);
        }
        all_well &= well;
    }
    println!("target/demo/report.json");
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the person asked for.
struct Wish {
    browser: Option<Kind>,
    visible: bool,
}

impl Wish {
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let display = ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| env::var_os(name).is_some_and(|d| !d.is_empty()));
        let mut wish = Self { browser: None, visible: display };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--headless" => wish.visible = false,
                "--browser" => {
                    let name = arguments.next()?;
                    wish.browser = Some(Kind::ALL.into_iter().find(|kind| kind.name() == name)?);
                }
                _ => return None,
            }
        }
        Some(wish)
    }
}

fn servers() -> Servers {
    Servers::with(ServerOptions { old_port: 4001, new_port: 4002, ..ServerOptions::default() })
}

fn walk_through(walk: &mut Walk<'_>, servers: &Servers) {
    meet(walk, servers);
    prepare(walk, servers);
    pack(walk);
    unpack(walk, servers);
    go(walk, servers);
}

/// From the installation to the first look.
fn meet(walk: &mut Walk<'_>, servers: &Servers) {
    walk.step("install", |browser| {
        browser.desk();
        format!("the desk opened by itself: {}", browser.title())
    });
    walk.step("name both accounts and allow both servers", |browser| {
        servers.link(browser, "ana", "ana");
        let desk = browser.desk();
        assert_eq!(desk.page(), "move");
        "the extension may work on both servers and on no other".to_owned()
    });
    walk.step("sign in on the new server", |browser| {
        browser.switch_to(&browser.first_tab());
        servers.sign_in_on_new(browser, "ana");
        browser.address()
    });
    walk.step("sign in on the old server", |browser| {
        servers.sign_in_on_old(browser, "ana");
        browser.address()
    });
    walk.step("look before the move", |browser| {
        browser.open(&servers.on_old("/settings/migration"));
        browser.type_handle(&servers.new_handle("ana"));
        let guard = browser.guard();
        guard.wait_for("target-found", "pass", "is known to its server");
        let checks = guard.settled();
        let stops = checks.values().filter(|check| check.outcome == "stop").count();
        assert!(stops >= 2, "nothing stops a move without anything saved");
        assert_eq!(checks["alias"].outcome, "unknown", "nobody has looked at the aliases yet");
        format!("{} checks, {stops} stop the move", checks.len())
    });
    walk.note_checks();
    walk.step("the guard in the dark", |browser| {
        browser.emulate(&Options { dark: true, ..Options::default() });
        let checks = browser.guard().settled();
        format!("{} checks", checks.len())
    });
    walk.step("the guard on a telephone", |browser| {
        browser.emulate(&Options { width: 320, ..Options::default() });
        let fits = browser.guard().run("return root.host.getBoundingClientRect().right <= innerWidth;");
        assert_eq!(fits, true, "it does not fit");
        "it fits 320 pixels".to_owned()
    });
}

/// The alias, on the new server.
fn prepare(walk: &mut Walk<'_>, servers: &Servers) {
    walk.step("open the list of aliases", |browser| {
        browser.emulate(&Options::default());
        browser.guard().click("[data-check='alias'] [data-action='visit']");
        browser.switch_to_tab_with(&servers.on_new("/settings/aliases"));
        browser.guard().wait_for("alias", "stop", "does not list").text
    });
    walk.note_checks();
    walk.step("make the alias with one click", |browser| {
        let guard = browser.guard();
        guard.click("[data-check='alias'] [data-action='make-alias']");
        guard.wait_for_outcome("alias", "pass");
        guard.settled();
        guard.status_text()
    });
    walk.note_checks();
    walk.step("come back to the old server", |browser| {
        browser.switch_to(&browser.first_tab());
        let guard = browser.guard();
        guard.wait_for_outcome("alias", "pass");
        guard.wait_for_outcome("alias-fresh", "pass").text
    });
    walk.note_checks();
    walk.step("put both profiles side by side", |browser| {
        let desk = browser.desk();
        desk.click("[data-job=profile] button[data-action=look-profile]");
        let job = desk.element("[data-job=profile]");
        browser.wait("both profiles", || {
            (job.attribute("data-state").ok().flatten()? == "planned").then_some(())
        });
        desk.element("[data-job=profile] .pairs").text().unwrap()
    });
    walk.step("carry the profile over", |browser| {
        let desk = browser.desk();
        desk.click("[data-job=profile] button[data-action=carry]");
        let job = desk.element("[data-job=profile]");
        browser.wait("the profile on the new account", || {
            (job.attribute("data-state").ok().flatten()? == "done").then_some(())
        });
        desk.wait_for_outcome("profile", "pass").text
    });
    walk.step("the desk before the move", |browser| {
        let desk = browser.desk();
        desk.wait_for_step("prepare", "done");
        desk.wait_for_step("pack", "stuck");
        desk.settled();
        format!("{:?}", desk.steps())
    });
    walk.step("save the messages", |browser| {
        let desk = browser.desk();
        desk.click("[data-job=messages] button[data-action=save-messages]");
        let job = desk.element("[data-job=messages]");
        browser.wait("the messages to be saved", || {
            (job.attribute("data-state").ok().flatten()? == "done").then_some(())
        });
        desk.wait_for_outcome("messages-saved", "pass").text
    });
    walk.step("read the saved messages", |browser| {
        let desk = browser.desk();
        desk.click("[data-job=messages] button[data-action=show-messages]");
        let rows = || desk.all(".reader .people button").ok().filter(|rows| !rows.is_empty());
        browser.wait("the conversations", rows)[0].click().unwrap();
        browser.wait("a conversation", || desk.all(".reader .message").ok().filter(|all| !all.is_empty()));
        desk.element(".reader h3").text().unwrap()
    });
    walk.step("the messages as a ZIP file", |browser| {
        browser.desk().click("[data-job=messages] button[data-action=download-messages]");
        let zip = browser.downloaded(".zip");
        format!("{}", zip.file_name().unwrap_or_default().to_string_lossy())
    });
    walk.step("be asked once more, and stay", |browser| {
        browser.switch_to(&browser.first_tab());
        browser.submit_move(PASSWORD);
        let question = browser.guard().element("[role=alertdialog]").text().unwrap();
        browser.guard().click_action("not-yet");
        assert!(
            servers.control().person(Side::Old, "ana")["moved_to"].is_null(),
            "it moved without an answer"
        );
        question.replace('\n', " ")
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

/// Everything besides the messages.
fn pack(walk: &mut Walk<'_>) {
    walk.step("pack everything else", |browser| {
        let desk = browser.desk();
        desk.click("[data-job=lists] button[data-action=pack]");
        wait_for_job(browser, "[data-job=lists]", "done", || ());
        desk.wait_for_outcome("lists-saved", "pass");
        desk.wait_for_outcome("follows-saved", "pass").text
    });
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

/// Onto the new account, and what became of every row.
fn unpack(walk: &mut Walk<'_>, servers: &Servers) {
    let job = "[data-job=unpack]";
    walk.step("look at the new account", |browser| {
        browser.emulate(&Options::default());
        browser.desk().click(&format!("{job} button[data-action=look-new]"));
        wait_for_job(browser, job, "planned", || ());
        browser.desk().element(&format!("{job} [data-kind=follows]")).text().unwrap().replace('\n', " ")
    });
    walk.step("unpack", |browser| {
        browser.desk().click(&format!("{job} button[data-action=unpack]"));
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
    walk.step("move", |browser| {
        browser.switch_to(&browser.first_tab());
        browser.open(&servers.on_old("/settings/migration"));
        browser.type_handle(&servers.new_handle("ana"));
        browser.guard().wait_for_outcome("follows-saved", "pass");
        browser.guard().wait_for_outcome("alias", "pass");
        let stops = browser.guard().settled().values().filter(|check| check.outcome == "stop").count();
        assert_eq!(stops, 0, "something still stops the move");
        browser.submit_move(PASSWORD);
        browser.wait("the move", || (!moved_to().is_null()).then_some(()));
        browser.guard().wait_for("not-moved", "stop", "already redirects").text
    });
    walk.note_checks();
    walk.step("the desk after the move", |browser| {
        let desk = browser.desk();
        desk.wait_for_step("move", "done");
        desk.settled();
        format!("the old account redirects to {}", moved_to())
    });
}

fn sign_in(browser: &Browser, servers: &Servers) {
    browser.switch_to(&browser.first_tab());
    servers.sign_in_on_new(browser, "ana");
    servers.sign_in_on_old(browser, "ana");
}

/// Signs in on both servers and waits until the window is closed, or for Ctrl and C.
fn leave_to_a_person(kind: Kind) {
    let servers = servers();
    let browser = Browser::start(kind, &Options { visible: true, ..Options::default() });
    browser.desk();
    sign_in(&browser, &servers);
    browser.open(&servers.on_old("/settings/migration"));
    browser.desk();
    println!(
        "Ana is signed in on {} and on {}. Close the window, or press Ctrl and C here, to end.",
        servers.on_old(""),
        servers.on_new("")
    );
    let (interrupt, interrupted) = mpsc::channel();
    ctrlc::set_handler(move || interrupt.send(()).unwrap_or_default())
        .expect("Ctrl and C can be listened for");
    // Without a handler of its own, Ctrl and C would end us and leave the browser and its driver behind.
    while interrupted.recv_timeout(Duration::from_secs(1)).is_err() && browser.is_open() {}
}
