//! The only part that knows a browser.
//!
//! Three doors: [`guard::guard`] in a server's page, [`desk::desk`] on our own page, [`background::background`] for
//! messages. All of them show and do; what is true is decided elsewhere.
//!
//! Two modules of wasm come out of this: with the feature `guard` the one for guard and background, with `desk` the one
//! for our own page. What a module's doors do not reach, the linker leaves out.

// What is used by nobody shows when both are built at once, as the tests do.
#![cfg_attr(not(all(feature = "guard", feature = "desk")), allow(dead_code))]

#[cfg(feature = "desk")]
mod after;
mod ask;
#[cfg(feature = "guard")]
mod background;
mod chrome;
#[cfg(feature = "desk")]
mod db;
#[cfg(feature = "desk")]
mod desk;
mod dom;
#[cfg(feature = "desk")]
mod fetch;
#[cfg(feature = "desk")]
mod frame;
#[cfg(feature = "guard")]
mod guard;
#[cfg(feature = "desk")]
mod lists;
mod markup;
#[cfg(feature = "measure")]
mod measure;
#[cfg(feature = "desk")]
mod messages;
#[cfg(feature = "desk")]
mod moves;
mod panel;
#[cfg(feature = "desk")]
mod prepare;
#[cfg(feature = "desk")]
mod reader;
#[cfg(feature = "desk")]
mod run;
#[cfg(feature = "desk")]
mod seen;
#[cfg(feature = "guard")]
mod shelf;
#[cfg(feature = "desk")]
mod stages;
#[cfg(feature = "desk")]
mod tabs;
#[cfg(feature = "desk")]
mod unpack;
mod words;
#[cfg(feature = "desk")]
mod zip;

use std::future::Future;
use std::pin::Pin;

use crate::when::Time;

fn now() -> Time {
    // Whole milliseconds fit into an i64 for as long as JavaScript's clock counts.
    #[allow(clippy::cast_possible_truncation)]
    Time(js_sys::Date::now() as i64)
}

/// The servers that granted patterns name. A pattern has no port; the loopback servers of the demo and the tests are
/// known by theirs only after a page of them was seen, so hosts are compared without it.
fn domains_of(patterns: &[String]) -> Vec<crate::account::Domain> {
    let named = |pattern: &String| pattern.split_once("://")?.1.strip_suffix("/*")?.parse().ok();
    patterns.iter().filter_map(named).collect()
}

/// The addresses at which a loader may run; see `background.js`.
fn tab_patterns(host: &crate::account::Domain) -> Vec<String> {
    let base = host.pattern();
    let base = base.trim_end_matches('*');
    vec![format!("{base}settings/*"), format!("{base}auth/*")]
}

/// Lets a future run. Boxed, so that the machinery around it is in the wasm once and not once a future.
fn go(future: impl Future<Output = ()> + 'static) {
    let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
    wasm_bindgen_futures::spawn_local(future);
}
