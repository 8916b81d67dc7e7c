//! Shows a whole move between two small servers of our own, in a browser with the extension in it.
//!
//! With a display, the browser stays open for a person, signed in on both servers. Without one it walks through by
//! itself and writes `target/demo/report.json` with a picture of every step.

// A step that fails says so by panicking; the walk notes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{env, process::ExitCode, sync::mpsc, time::Duration};

use end_to_end::{
    Browser, Kind, Options, ServerOptions, Servers,
    report::{self, Walk},
    repository, tour,
};

fn main() -> ExitCode {
    let Some(wish) = Wish::read(env::args().skip(1)) else {
        eprintln!("demo [--browser firefox|chromium] [--headless] [--pictures]");
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
        tour::walk(&mut walk, &servers);
        let (report, well) = walk.finish();
        // Of two browsers the one that failed is the one to read about.
        if all_well {
            report::write(&folder.join("report.json"), &report);
        }
        all_well &= well;
        if well && wish.pictures && kind == Kind::Chromium {
            tour::write(&folder);
        }
    }
    println!("target/demo/report.json");
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the person asked for.
struct Wish {
    browser: Option<Kind>,
    visible: bool,
    /// The pictures of `docs/` are made anew.
    pictures: bool,
}

impl Wish {
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let display = ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| env::var_os(name).is_some_and(|d| !d.is_empty()));
        let mut wish = Self { browser: None, visible: display, pictures: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--headless" => wish.visible = false,
                "--pictures" => (wish.visible, wish.pictures) = (false, true),
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
