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
    /// The longest time between two looks: the page was busy.
    blind: Duration,
    wasm: f64,
    heap: f64,
    both: f64,
}

impl<'b> Watch<'b> {
    fn new(browser: &'b Browser) -> Self {
        let now = Instant::now();
        let blind = Duration::ZERO;
        Self { browser, started: now, told: now, looks: 0, blind, wasm: 0.0, heap: 0.0, both: 0.0 }
    }

    /// One look: the state of the save, and what is written there.
    fn look(&mut self) -> Option<(String, String)> {
        let before = Instant::now();
        let found = self.browser.driver().run(LOOK, &[]).ok()?;
        let heap = match self.browser.kind() {
            Kind::Chromium => {
                let usage = self.browser.devtools("Runtime.getHeapUsage", &json!({}));
                let part = |name: &str| usage[name].as_f64().unwrap_or_default();
                part("usedSize") + part("embedderHeapUsedSize")
            }
            Kind::Firefox => 0.0,
        };
        let wasm = found[1].as_f64()?;
        self.looks += 1;
        self.blind = self.blind.max(before.elapsed());
        self.wasm = self.wasm.max(wasm);
        self.heap = self.heap.max(heap);
        self.both = self.both.max(wasm + heap);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let words = text(&found[2]).replace('\n', " ");
        if self.told.elapsed() > Duration::from_secs(30) {
            self.told = Instant::now();
            let seconds = self.started.elapsed().as_secs();
            let words: String = words.chars().take(200).collect();
            eprintln!("{seconds} s: wasm {:.0} MB, heap {:.0} MB: {words}", wasm / MEGABYTE, heap / MEGABYTE);
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
    let (wasm_saved, heap_saved) = (watch.wasm, watch.heap);
    desk.click(&format!("{JOB} button[data-action=download-messages]"));
    let (zip, zip_seconds) = watch.until("ZIP", |_, _| downloaded(&browser));
    let zip_size = fs::metadata(&zip).map_or(0, |about| about.len() / 1_000_000);

    let name = format!("{} {}", kind.name(), browser.version());
    let asked = servers.requests_to(Side::Old).iter().filter(|line| line.contains(" /api/")).count();
    let memory = match kind {
        Kind::Chromium => format!(
            "wasm memory and the heap of the page's scripts (Runtime.getHeapUsage) together, largest of {} looks, one \
             every {} ms while saving and writing the ZIP; wasm alone {:.0} MB ({:.0} after saving), heap alone {:.0} MB \
             ({:.0}); longest time without a look {:.1} s",
            watch.looks,
            EVERY.as_millis(),
            watch.wasm / MEGABYTE,
            wasm_saved / MEGABYTE,
            watch.heap / MEGABYTE,
            heap_saved / MEGABYTE,
            watch.blind.as_secs_f64(),
        ),
        Kind::Firefox => format!(
            "wasm memory alone (Firefox tells no page its heap), largest of {} looks, one every {} ms while saving and \
             writing the ZIP; {:.0} MB after saving; longest time without a look {:.1} s",
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
        measure("messages_peak_mb", watch.both / MEGABYTE, "MB", Some(150.0), memory),
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
