//! Drives the extension in real browsers.
//!
//! A scenario is an ordinary test that runs once in each browser:
//!
//! ```no_run
//! use end_to_end::{Servers, in_both_browsers};
//!
//! in_both_browsers! {
//!     fn refuses_to_call_the_alias_there(browser) {
//!         let servers = Servers::start();
//!         servers.link(browser, "ana", "ana_ready");
//!         servers.sign_in_on_old(browser, "ana");
//!         browser.open(&servers.on_old("/settings/migration"));
//!         let guard = browser.guard().wait_ready();
//!         assert_eq!(guard.page(), "migration");
//!         assert_eq!(guard.check("alias").outcome, "stop");
//!     }
//! }
//! ```
//!
//! gives the tests `refuses_to_call_the_alias_there::chromium` and `…::firefox`. Nothing is tried a second time: a
//! scenario waits for what it needs, within bounds, and what does not come is a failure. A failure leaves a picture and
//! the source of the page in `target/end-to-end/`.

// Everything here is support for tests: giving up with a message is how a test says what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod axe;
mod browser;
pub mod driver;
mod pages;
mod panel;
mod process;
mod proxy;
pub mod report;
mod servers;
mod socket;
mod steps;
pub mod tour;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use self::{
    axe::Violation,
    browser::{Browser, Kind, Options, PATIENCE, Tab, WATCH_THE_GUARD, wait},
    pages::{Capture, Page, Pages},
    panel::{Check, Panel},
    process::{output_folder, repository},
    proxy::Proxy,
    servers::{ServerOptions, Servers, Side, Version},
};

/// Runs a scenario in one browser. [`in_both_browsers!`] is the usual way to it.
pub fn scenario(kind: Kind, name: &str, options: &Options, steps: impl FnOnce(&Browser)) {
    let browser = Browser::start(kind, options);
    if let Err(failure) = catch_unwind(AssertUnwindSafe(|| steps(&browser))) {
        // A browser that is gone can give no evidence; the failure itself is what counts.
        let _ = catch_unwind(AssertUnwindSafe(|| browser::save_evidence(&browser, name)));
        resume_unwind(failure);
    }
}

/// Makes two tests of each function, one a browser. After the name of the browser, `with` may give its [`Options`].
#[macro_export]
macro_rules! in_both_browsers {
    ($($(#[$note:meta])* fn $name:ident($browser:ident $(with $options:expr)?) $steps:block)+) => {$(
        $(#[$note])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn run(kind: $crate::Kind) {
                #[allow(unused_mut, unused_assignments)]
                let mut options = $crate::Options::default();
                $(options = $options;)?
                $crate::scenario(kind, stringify!($name), &options, |$browser: &$crate::Browser| $steps);
            }

            #[test]
            fn chromium() {
                run($crate::Kind::Chromium);
            }

            #[test]
            fn firefox() {
                run($crate::Kind::Firefox);
            }
        }
    )+};
}
