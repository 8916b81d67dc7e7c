//! A hundred thousand messages saved and written as a ZIP by the extension itself, in a browser.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use end_to_end::{Browser, Kind, Options, Panel, Servers, Side};
use serde_json::{Value, json};

use crate::Measure;
use crate::messages::{CONVERSATIONS, USER, correspondence};

const JOB: &str = "[data-job=messages]";
const EVERY: Duration = Duration::from_millis(250);
const MEGABYTE: f64 = 1_048_576.0;
/// Nobody waits longer for a figure.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// How the desk is, and how much memory it has. Firefox shows what the page's own scripts have made only on request.
const LOOK: &str = "
    const glue = (window.wrappedJSObject ?? window).packedTrunkGlue;
    const job = document.querySelector('[data-job=messages]');
    return glue().then(({ memory }) => [job.dataset.state, memory.buffer.byteLength, job.innerText]);";

/// What was seen by looking again and again.
struct Watch<'b> {
    browser: &'b Browser,
    started: Instant,
    told: Instant,
    looks: usize,
    /// The longest look: the page was busy.
    blind: Duration,
    wasm: f64,
    peak: Peak,
    /// Uncollected garbage and the browser's own objects for the page's scripts (requests, nodes) included.
    with_objects: f64,
}

/// The moment at which wasm and scripts had most.
#[derive(Debug, Default, Clone)]
struct Peak {
    wasm: f64,
    heap: f64,
    words: String,
}

impl Peak {
    fn both(&self) -> f64 {
        self.wasm + self.heap
    }
}

impl<'b> Watch<'b> {
    fn new(browser: &'b Browser) -> Self {
        let now = Instant::now();
        let blind = Duration::ZERO;
        let peak = Peak::default();
        Self { browser, started: now, told: now, looks: 0, blind, wasm: 0.0, peak, with_objects: 0.0 }
    }

    /// One look: the state of the save, and what is written there.
    fn look(&mut self) -> Option<(String, String)> {
        let before = Instant::now();
        let found = self.browser.driver().run(LOOK, &[]).ok()?;
        let (heap, objects) = match self.browser.kind() {
            Kind::Chromium => {
                let usage = self.browser.devtools("Runtime.getHeapUsage", &json!({}));
                let part = |name: &str| usage[name].as_f64().unwrap_or_default();
                (part("usedSize"), part("embedderHeapUsedSize"))
            }
            Kind::Firefox => (0.0, 0.0),
        };
        let wasm = found[1].as_f64()?;
        self.looks += 1;
        self.blind = self.blind.max(before.elapsed());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let words = text(&found[2]).replace('\n', " ");
        self.wasm = self.wasm.max(wasm);
        self.with_objects = self.with_objects.max(wasm + heap + objects);
        if wasm + heap > self.peak.both() {
            self.peak = Peak { wasm, heap, words: words.clone() };
        }
        if self.told.elapsed() > Duration::from_secs(30) {
            self.told = Instant::now();
            let seconds = self.started.elapsed().as_secs();
            let words: String = words.chars().take(200).collect();
            eprintln!(
                "{seconds} s: wasm {:.0} MB, heap {:.0} and {:.0} MB: {words}",
                wasm / MEGABYTE,
                heap / MEGABYTE,
                objects / MEGABYTE
            );
        }
        Some((text(&found[0]), words))
    }

    /// Looks until `done` finds something, and says how many seconds it took.
    fn until<T>(&mut self, what: &str, mut done: impl FnMut(&str, &str) -> Option<T>) -> (T, f64) {
        let started = Instant::now();
        loop {
            let begun = Instant::now();
            if let Some((state, words)) = self.look() {
                if let Some(found) = done(&state, &words) {
                    return (found, started.elapsed().as_secs_f64());
                }
                assert!(started.elapsed() < PATIENCE, "no {what} after {PATIENCE:?}: {state}: {words}");
            }
            sleep(EVERY.saturating_sub(begun.elapsed()));
        }
    }
}

/// A download that is complete.
fn downloaded(browser: &Browser) -> Option<PathBuf> {
    let paths: Vec<PathBuf> =
        fs::read_dir(browser.downloads()).ok()?.flatten().map(|entry| entry.path()).collect();
    let ends = |path: &PathBuf, ending: &str| path.extension().is_some_and(|found| found == ending);
    if paths.iter().any(|path| ends(path, "part") || ends(path, "crdownload")) {
        return None;
    }
    paths.into_iter().find(|path| ends(path, "zip"))
}

pub fn save(kind: Kind, messages: usize) -> Vec<Measure> {
    let conversations = CONVERSATIONS.min(messages / 20);
    let servers = Servers::start();
    correspondence(&servers.control(), messages, conversations);
    // Not off: a server that tells of no limits has the usual ones. Of these, the one for pages is told with every page.
    let many = json!({ "per_token": 20_000_000, "per_user": 20_000_000, "paged": 10_000_000 });
    servers.control().post("limits", &many);
    let browser = Browser::start(kind, &Options::default());
    servers.link(&browser, USER, "mia");
    servers.enter_in_tab(&browser, Side::Old, USER, "/settings/export");
    browser.guard().settled();
    let desk: Panel<'_> = browser.desk();
    desk.click(&format!("{JOB} button[data-action=save-messages]"));

    let mut watch = Watch::new(&browser);
    let (words, save_seconds) = watch.until("end of the save", |state, words| match state {
        "done" => Some(words.to_owned()),
        "none" | "paused" | "stopped" => panic!("the save is {state}: {words}"),
        _ => None,
    });
    let counted = grouped(messages);
    assert!(words.contains(&format!("{counted} messages")), "not {counted}: {words}");
    let (wasm_saved, peak_saved) = (watch.wasm, watch.peak.clone());
    desk.click(&format!("{JOB} button[data-action=download-messages]"));
    let (zip, zip_seconds) = watch.until("ZIP", |_, _| downloaded(&browser));
    let zip_size = fs::metadata(&zip).map_or(0, |about| about.len() / 1_000_000);

    let name = format!("{} {}", kind.name(), browser.version());
    let asked = servers.requests_to(Side::Old).iter().filter(|line| line.contains(" /api/")).count();
    let memory = match kind {
        Kind::Chromium => format!(
            "wasm memory and the used heap of the page's scripts together (Runtime.getHeapUsage, uncollected garbage \
             included), largest of {} looks, one every {} ms while saving and writing the ZIP: wasm {:.0} MB, heap {:.0} \
             MB{}; while saving {:.0} and {:.0} MB; the browser's own objects for the scripts counted too, at most \
             {:.0} MB; longest look {:.1} s",
            watch.looks,
            EVERY.as_millis(),
            watch.peak.wasm / MEGABYTE,
            watch.peak.heap / MEGABYTE,
            ["Writing the ZIP", "Reading the ZIP"]
                .into_iter()
                .find(|phase| watch.peak.words.contains(phase))
                .map(|phase| format!(" ({phase})"))
                .unwrap_or_default(),
            peak_saved.wasm / MEGABYTE,
            peak_saved.heap / MEGABYTE,
            watch.with_objects / MEGABYTE,
            watch.blind.as_secs_f64(),
        ),
        Kind::Firefox => format!(
            "wasm memory alone (Firefox tells no page its heap), largest of {} looks, one every {} ms while saving and \
             writing the ZIP; {:.0} MB after saving; longest look {:.1} s",
            watch.looks,
            EVERY.as_millis(),
            wasm_saved / MEGABYTE,
            watch.blind.as_secs_f64(),
        ),
    };
    let measure = |measured, value, unit, bound, how| Measure {
        browser: Some(kind),
        value,
        unit,
        bound,
        ..Measure::new(
            measured,
            format!("{name}, {counted} messages in {conversations} conversations: {how}"),
        )
    };
    vec![
        measure("messages_peak_mb", watch.peak.both() / MEGABYTE, "MB", Some(150.0), memory),
        measure(
            "messages_save_seconds",
            save_seconds,
            "s",
            None,
            format!(
                "from the click to the end of the save, {asked} API requests and the files, without rate limits"
            ),
        ),
        measure(
            "messages_zip_seconds",
            zip_seconds,
            "s",
            None,
            format!("from the click to the file on the disk, {zip_size} MB, read back and compared before"),
        ),
    ]
}

/// As the desk writes it in English.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
