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
