//! What the demo and the benchmarks leave behind for people and programs to read.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::browser::Browser;

/// A walk through the product in one browser, noted step by step.
#[derive(Debug)]
pub struct Walk<'b> {
    browser: &'b Browser,
    folder: PathBuf,
    steps: Vec<Value>,
    checks: Vec<Value>,
    failed: bool,
}

impl<'b> Walk<'b> {
    /// Pictures and the report go into `folder`.
    pub fn new(browser: &'b Browser, folder: &Path) -> Self {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("target/ can be written to");
        Self { browser, folder: folder.to_owned(), steps: Vec::new(), checks: Vec::new(), failed: false }
    }

    /// Does one step and takes a picture of where it led. `work` returns what shows that it was done; a panic in it is
    /// a failed step, and those that follow are not tried: each would only wait in vain.
    pub fn step(&mut self, name: &str, work: impl FnOnce(&Browser) -> String) {
        if self.failed {
            self.steps
                .push(json!({ "step": name, "status": "not reached", "evidence": "", "screenshot": null }));
            return;
        }
        let result = catch_unwind(AssertUnwindSafe(|| work(self.browser)));
        let picture = format!("{:02}-{}.png", self.steps.len() + 1, name.replace(' ', "-"));
        let path = self.folder.join(&picture);
        let taken = catch_unwind(AssertUnwindSafe(|| {
            // A header that stays in view would otherwise stand in the middle of the picture.
            self.browser.run("scrollTo(0, 0);", &[]);
            self.browser.screenshot(&path);
        }));
        let taken = taken.is_ok();
        let (status, evidence) = match result {
            Ok(evidence) => ("done", evidence),
            Err(failure) => ("failed", message(failure.as_ref())),
        };
        self.failed = status == "failed";
        println!("{:<9} {status:<7} {name}: {evidence}", self.browser.kind().name());
        self.steps.push(json!({
            "step": name,
            "status": status,
            "evidence": evidence,
            "screenshot": taken.then(|| format!("{}/{picture}", self.browser.kind().name())),
        }));
    }

    /// Notes every check that the guard of the current page shows now.
    pub fn note_checks(&mut self) {
        let guard = self.browser.guard();
        if self.failed || !guard.is_shown() {
            return;
        }
        let page = guard.page();
        for (id, check) in guard.checks() {
            self.checks.push(json!({ "page": page, "check": id, "outcome": check.outcome }));
        }
    }

    /// Writes `report.json` and returns it, and whether all went well.
    pub fn finish(self) -> (Value, bool) {
        let foreign = self.browser.foreign_requests();
        for host in &foreign {
            println!("{:<9} foreign request to {host}", self.browser.kind().name());
        }
        let well = !self.failed && foreign.is_empty();
        let report = json!({
            "browser": self.browser.kind().name(),
            "version": self.browser.version(),
            "steps": self.steps,
            "checks": self.checks,
            "actions": self.browser.actions(),
            "action_count": self.browser.actions().len(),
            "foreign_requests": foreign.len(),
        });
        write(&self.folder.join("report.json"), &report);
        (report, well)
    }
}

/// Writes JSON for people: indented, with a line end.
pub fn write(path: &Path, value: &Value) {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).expect("target/ can be written to");
    }
    fs::write(path, format!("{value:#}\n"))
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

fn message(failure: &(dyn std::any::Any + Send)) -> String {
    let text =
        failure.downcast_ref::<String>().map(String::as_str).or(failure.downcast_ref::<&str>().copied());
    text.unwrap_or("failed without a word").to_owned()
}
