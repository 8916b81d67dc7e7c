//! Measures the extension against its budgets and writes `target/bench/report.json`.
//!
//! `--quick` leaves out the large save in the browsers, which takes minutes. `--only PART` measures one part: `sizes`,
//! `guard`, `lists`, `followers`, `interruptions`, `large` (what needs no browser of the save) or `save`, and writes no report. `--messages N`
//! makes the save in the browsers a smaller one.

// A benchmark that cannot measure has nothing else to say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lists;
mod messages;
mod saving;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};
use std::{env, fs, path::Path, process::Command};

use end_to_end::{Browser, Kind, Options, Servers, WATCH_THE_GUARD, report, repository};
use serde_json::{Value, json};

/// One figure, with the bound that it must keep where there is one.
#[derive(Debug)]
struct Measure {
    name: &'static str,
    browser: Option<Kind>,
    value: f64,
    unit: &'static str,
    bound: Option<f64>,
    /// Why it could not be measured, or is not to be believed.
    failed: Option<String>,
    how: String,
}

impl Measure {
    fn new(name: &'static str, how: impl Into<String>) -> Self {
        let how = how.into();
        Self { name, browser: None, value: f64::NAN, unit: "", bound: None, failed: None, how }
    }

    fn is_broken(&self) -> bool {
        self.failed.is_some() || self.bound.is_some_and(|bound| self.value > bound)
    }
}

/// A save in a browser that leaves too little of the twenty minutes for another one of the same size.
const LONG: Duration = Duration::from_secs(7 * 60);

/// What was asked for on the command line.
struct Wanted {
    quick: bool,
    only: Option<String>,
    messages: usize,
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Wanted> {
        let mut wanted = Wanted { quick: false, only: None, messages: messages::MESSAGES };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => wanted.quick = true,
                "--only" => wanted.only = Some(arguments.next()?),
                "--messages" => wanted.messages = arguments.next()?.parse().ok()?,
                _ => return None,
            }
        }
        Some(wanted)
    }

    fn is_wanted(&self, part: &str) -> bool {
        self.only.as_ref().map_or(part != "save" || !self.quick, |only| only == part)
    }
}

/// One part. What cannot be measured is a failure of its own, and the others are measured all the same.
fn part(
    wanted: &Wanted,
    name: &'static str,
    browser: Option<Kind>,
    work: impl FnOnce() -> Vec<Measure> + std::panic::UnwindSafe,
) -> Vec<Measure> {
    if !wanted.is_wanted(name) {
        return Vec::new();
    }
    let started = Instant::now();
    let measures = catch_unwind(work).unwrap_or_else(|failure| {
        let said = failure.downcast_ref::<String>().cloned();
        let said = said.or(failure.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        let failed = Some(said.unwrap_or_else(|| "it gave up without a word".to_owned()));
        vec![Measure { browser, failed, ..Measure::new(name, "could not be measured") }]
    });
    let browser = browser.map(|kind| format!(", {}", kind.name())).unwrap_or_default();
    eprintln!("{name}{browser}: {:.0} s", started.elapsed().as_secs_f64());
    measures
}

fn main() {
    let Some(wanted) = Wanted::read(env::args().skip(1)) else {
        eprintln!("bench [--quick] [--only sizes|guard|large|interruptions|save] [--messages N]");
        std::process::exit(2);
    };
    let mut measures = part(&wanted, "sizes", None, sizes);
    for kind in Kind::ALL {
        measures.extend(part(&wanted, "guard", Some(kind), move || guard_ready(kind)));
    }
    for kind in Kind::ALL {
        measures.extend(part(&wanted, "lists", Some(kind), move || lists::cleaning(kind)));
    }
    measures.extend(part(&wanted, "followers", None, lists::followers));
    measures.extend(part(&wanted, "interruptions", None, messages::interruptions));
    measures.extend(part(&wanted, "large", None, messages::large));
    let mut size = wanted.messages;
    for kind in Kind::ALL {
        let started = Instant::now();
        measures.extend(part(&wanted, "save", Some(kind), move || saving::save(kind, size)));
        // On a machine that is slow or busy the second browser gets fewer, and its measures say so.
        if started.elapsed() > LONG {
            size /= 4;
        }
    }
    print_table(&measures);
    let report: Vec<Value> = measures.iter().map(as_json).collect();
    if wanted.only.is_some() {
        println!("{:#}", json!(report));
    } else {
        report::write(&repository().join("target/bench/report.json"), &json!(report));
    }
    if measures.iter().any(Measure::is_broken) {
        std::process::exit(1);
    }
}

fn sizes() -> Vec<Measure> {
    let dist = repository().join("dist");
    let bytes = |name, value, bound, how: &str| Measure {
        value,
        unit: "bytes",
        bound: Some(bound),
        ..Measure::new(name, how)
    };
    let largest_package = fs::read_dir(&dist)
        .expect("dist/ is built")
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.ends_with("-chrome.zip") || name.ends_with("-firefox.zip")
        })
        .map(|entry| size(&entry.path()))
        .fold(0.0, f64::max);
    vec![
        bytes(
            "wasm_gzip_bytes",
            gzipped(&dist.join("chrome/packed_trunk_bg.wasm")),
            200.0 * 1024.0,
            "gzip -9 of packed_trunk_bg.wasm, which runs in the servers' pages",
        ),
        bytes(
            "wasm_desk_gzip_bytes",
            gzipped(&dist.join("chrome/packed_trunk_desk_bg.wasm")),
            200.0 * 1024.0,
            "gzip -9 of packed_trunk_desk_bg.wasm, which runs on our own page",
        ),
        bytes(
            "loader_bytes",
            size(&dist.join("chrome/loader.js")),
            4.0 * 1024.0,
            "size of loader.js as shipped",
        ),
        bytes(
            "package_bytes",
            largest_package,
            400.0 * 1024.0,
            "size of the larger of the two packed extensions",
        ),
    ]
}

fn size(path: &Path) -> f64 {
    let length = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).len();
    // Sizes are far below the 2^53 that a float holds exactly.
    u32::try_from(length).map(f64::from).expect("less than 4 GB")
}

fn gzipped(path: &Path) -> f64 {
    let output = Command::new("gzip").args(["-9", "-n", "-c"]).arg(path).output().expect("gzip is installed");
    u32::try_from(output.stdout.len()).map(f64::from).expect("less than 4 GB")
}

/// Keeps the longest task of the page's main thread, on which the guard runs too. Only Chromium tells of long tasks, and
/// only of those over 50 ms: 0 means that there was none.
const WATCH_LONG_TASKS: &str = "
    if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
        new PerformanceObserver(list => {
            for (const { duration } of list.getEntries())
                if (!(duration <= Number(document.documentElement.dataset.longest ?? 0)))
                    document.documentElement.dataset.longest = duration;
        }).observe({ type: 'longtask', buffered: true });
    }";

/// The median over repeated loads of the page where a move is made, and the longest task meanwhile.
fn guard_ready(kind: Kind) -> Vec<Measure> {
    const LOADS: usize = 15;
    let servers = Servers::start();
    let address = servers.on_old("/settings/migration");
    let browser = Browser::start(kind, &Options::default());
    servers.link(&browser, "ana", "ana_ready");
    servers.sign_in_on_old(&browser, "ana");
    browser.run_before_every_page(WATCH_THE_GUARD);
    browser.run_before_every_page(WATCH_LONG_TASKS);
    let mut longest = 0.0_f64;
    let mut times: Vec<f64> = (0..LOADS)
        .map(|_| {
            let time = browser.guard_ready_after(&address);
            // Every answer is there and drawn.
            browser.guard().check("server-healthy");
            let task = browser.run("return Number(document.documentElement.dataset.longest ?? 0);", &[]);
            longest = longest.max(task.as_f64().unwrap_or_default());
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let ready = Measure {
        browser: Some(kind),
        value: times[LOADS / 2],
        unit: "ms",
        bound: Some(100.0),
        ..Measure::new(
            "guard_ready_ms",
            format!(
                "{} {}: median of {LOADS} loads, from the end of DOMContentLoaded to data-ready; slowest {:.0} ms",
                kind.name(),
                browser.version(),
                times[LOADS - 1]
            ),
        )
    };
    let task = Measure {
        browser: Some(kind),
        value: longest,
        unit: "ms",
        bound: Some(50.0),
        ..Measure::new(
            "longest_task_ms",
            format!("longest task of the page's main thread in the same {LOADS} loads; 0: none over 50 ms"),
        )
    };
    if kind == Kind::Chromium { vec![ready, task] } else { vec![ready] }
}

fn as_json(measure: &Measure) -> Value {
    let mut json = json!({
        "name": measure.name,
        "value": measure.value,
        "unit": measure.unit,
        "how": measure.how,
    });
    if let Some(kind) = measure.browser {
        json["browser"] = json!(kind.name());
    }
    if let Some(bound) = measure.bound {
        json["bound"] = json!(bound);
    }
    if let Some(failed) = &measure.failed {
        json["failed"] = json!(failed);
    }
    json
}

fn print_table(measures: &[Measure]) {
    println!("{:<42}{:>12}{:>12}  unit", "", "measured", "bound");
    for measure in measures {
        let browser = measure.browser.map(|kind| format!(" ({})", kind.name())).unwrap_or_default();
        let bound = measure.bound.map(|bound| bound.to_string()).unwrap_or_default();
        let broken = match &measure.failed {
            Some(failed) => format!("  FAILED: {failed}"),
            None if measure.is_broken() => "  TOO MUCH".to_owned(),
            None => String::new(),
        };
        let name = format!("{}{browser}", measure.name);
        let digits = if measure.unit == "ratio" { 3 } else { 0 };
        println!("{name:<42}{:>12.digits$}{bound:>12}  {}{broken}", measure.value, measure.unit);
    }
}
