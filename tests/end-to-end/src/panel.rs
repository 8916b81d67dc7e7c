//! What the extension shows: the guard in Mastodon's pages, and the desk.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    driver::{DriverError, Element},
};

/// The guard or the desk of the current tab. Looks anew at every call, so it outlives a reload of the page.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'b> {
    browser: &'b Browser,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Guard,
    Desk,
}

/// One check as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub outcome: String,
    pub text: String,
}

const HOST: &str = "div#packed-trunk";
const DESK: &str = "main[data-view]";

impl<'b> Panel<'b> {
    pub(crate) fn guard(browser: &'b Browser) -> Self {
        Self { browser, place: Place::Guard }
    }

    pub(crate) fn desk(browser: &'b Browser) -> Self {
        // Until it knows what to show the desk shows nothing.
        Self { browser, place: Place::Desk }.wait_ready()
    }

    /// Whether it is there at all, without waiting.
    pub fn is_shown(&self) -> bool {
        self.browser.driver().one(self.outer()).is_ok()
    }

    /// Which page of Mastodon the guard takes this one for, or which view the desk shows.
    pub fn page(&self) -> String {
        let name = match self.place {
            Place::Guard => "data-page",
            Place::Desk => "data-view",
        };
        let what = format!("{name} of {}", self.outer());
        self.browser.wait(&what, || self.browser.driver().one(self.outer()).ok()?.attribute(name).ok()?)
    }

    /// Waits until every check that needs no answer from a server is shown.
    pub fn wait_ready(&self) -> Self {
        self.browser.element(&format!("{}[data-ready]", self.outer()));
        *self
    }

    /// The check with this id, once its outcome is known.
    pub fn check(&self, id: &str) -> Check {
        self.browser.wait(&format!("an outcome of the check {id}"), || {
            self.checks().remove(id).filter(|check| check.outcome != "checking")
        })
    }

    /// Waits until the check has this outcome.
    pub fn wait_for_outcome(&self, id: &str, outcome: &str) -> Check {
        self.browser.wait(&format!("the check {id} to become {outcome:?}"), || {
            self.checks().remove(id).filter(|check| check.outcome == outcome)
        })
    }

    /// All checks that are shown now, by id. What is folded away has a text too.
    pub fn checks(&self) -> BTreeMap<String, Check> {
        let found = self.run(
            "return Array.from(root.querySelectorAll('[data-check]'), check =>
                 [check.dataset.check, check.dataset.outcome, check.innerText.trim() || check.textContent]);",
        );
        let field = |check: &Value, index: usize| check[index].as_str().unwrap_or_default().to_owned();
        let checks = found.as_array().into_iter().flatten();
        checks
            .map(|check| (field(check, 0), Check { outcome: field(check, 1), text: field(check, 2) }))
            .collect()
    }

    /// The steps of the desk with their status.
    pub fn steps(&self) -> BTreeMap<String, String> {
        self.pairs("step", "status")
    }

    /// Waits until the step of the desk has this status.
    pub fn wait_for_step(&self, step: &str, status: &str) {
        let what = format!("the step {step} to become {status:?}");
        self.browser.wait(&what, || (self.steps().get(step)? == status).then_some(()));
    }

    /// Clicks the button for this action, once it can be clicked: a real click, which counts as a person's.
    pub fn click_action(&self, action: &str) {
        self.click(&format!("button[data-action='{action}']:not([disabled])"));
    }

    /// Clicks the first element inside that matches, once it can be clicked. What is folded into a step is opened first, as
    /// a person would.
    pub fn click(&self, css: &str) {
        if self.place == Place::Desk {
            self.open_step_of(css);
        }
        self.browser.note_action(&format!("click {css}"));
        self.browser.wait(&format!("{css} in {} that can be clicked", self.outer()), || {
            let element = self.all(css).ok()?.into_iter().next()?;
            self.click_where_it_is(&element)
        });
    }

    /// A driver looks where something is and presses there a moment later. A person sees it move when a finding above it
    /// comes or goes; so what has moved in this moment, and got no click, is clicked where it is now.
    fn click_where_it_is(&self, element: &Element) -> Option<()> {
        let run = |script: &str| self.browser.driver().run(script, &[element.argument()]);
        let before = run("const at = arguments[0];
             at.scrollIntoView({ block: 'nearest', behavior: 'instant' });
             at.ownerDocument.defaultView.clicked = false;
             at.addEventListener('click', () => { at.ownerDocument.defaultView.clicked = true; }, { once: true, capture: true });
             const { x, y } = at.getBoundingClientRect();
             return [x, y];")
        .ok()?;
        element.click().ok()?;
        // Gone, or another page: then it had an effect.
        let after = run("const at = arguments[0];
             const { x, y } = at.getBoundingClientRect();
             return { at: [x, y], clicked: at.ownerDocument.defaultView.clicked, there: at.isConnected };");
        match after {
            Ok(after) if after["there"] == true && after["clicked"] == false && after["at"] != before => None,
            _ => Some(()),
        }
    }

    /// What there is to read in the first element that matches. What is folded into a step is opened first.
    pub fn read(&self, css: &str) -> String {
        if self.place == Place::Desk {
            self.open_step_of(css);
        }
        self.element(css).text().unwrap_or_default()
    }

    fn open_step_of(&self, css: &str) {
        self.element(css);
        let find = "const at = root.querySelector(arguments[1])?.closest('[data-step]');
             return at && !at.querySelector('details').open ? at.dataset.step : null;";
        // The desk loads itself anew when another move is taken up.
        let script = format!("const root = arguments[0];\n{find}");
        let closed = self.browser.wait("the desk to stand still", || {
            self.browser.driver().run(&script, &[self.root(), json!(css)]).ok()
        });
        if let Some(step) = closed.as_str() {
            let summary = format!("[data-step='{step}'] > details > summary");
            self.browser.note_action(&format!("open the step {step}"));
            self.browser.wait(&summary, || self.all(&summary).ok()?.first()?.click().ok());
        }
    }

    /// The actions on offer, in the order shown.
    pub fn actions(&self) -> Vec<String> {
        let found = self.run(
            "return Array.from(root.querySelectorAll('button[data-action]'), button => button.dataset.action);",
        );
        found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The first element inside that matches, once there is one.
    pub fn element(&self, css: &str) -> Element {
        self.browser.wait(&format!("{css} in {}", self.outer()), || self.all(css).ok()?.into_iter().next())
    }

    /// Every element inside that matches, without waiting.
    pub fn all(&self, css: &str) -> Result<Vec<Element>, DriverError> {
        let outer = self.browser.driver().one(self.outer())?;
        match self.place {
            Place::Guard => outer.shadow_root()?.all(css),
            Place::Desk => outer.all(css),
        }
    }

    /// What a screen reader was told last.
    pub fn status_text(&self) -> String {
        let text = self.run("return root.querySelector('[role=status]')?.textContent.trim() ?? '';");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Everything there is to read.
    pub fn text(&self) -> String {
        let text =
            self.run("return Array.from(root.children, child => child.innerText ?? '').join('\\n').trim();");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Violations of accessibility rules inside the panel, colour contrast included.
    pub fn axe(&self) -> Vec<crate::axe::Violation> {
        crate::axe::run(self.browser, &self.root())
    }

    /// Runs the body of a function whose `root` is the closed shadow root of the guard, or the desk's `main`.
    pub fn run(&self, script: &str) -> Value {
        let script = format!("const root = arguments[0];\n{script}");
        // A page that loads itself anew takes the root away before the script has begun.
        self.browser.wait("the panel to stand still", || {
            match self.browser.driver().run(&script, &[self.root()]) {
                Err(error) if error.kind == "stale element reference" => None,
                result => Some(result.unwrap_or_else(|error| panic!("script failed: {error}\n{script}"))),
            }
        })
    }

    fn root(&self) -> Value {
        self.browser.wait(&format!("{} in {}", self.outer(), self.browser.address()), || {
            let outer = self.browser.driver().one(self.outer()).ok()?;
            match self.place {
                Place::Guard => outer.shadow_root().ok().map(|root| root.argument()),
                Place::Desk => Some(outer.argument()),
            }
        })
    }

    fn pairs(&self, key: &str, value: &str) -> BTreeMap<String, String> {
        let found = self.browser.run(
            "const [root, key, value] = arguments;
             return Array.from(root.querySelectorAll(`[data-${key}]`), e => [e.dataset[key], e.dataset[value] ?? '']);",
            &[self.root(), json!(key), json!(value)],
        );
        let field = |pair: &Value, index: usize| pair[index].as_str().unwrap_or_default().to_owned();
        found.as_array().into_iter().flatten().map(|pair| (field(pair, 0), field(pair, 1))).collect()
    }

    fn outer(&self) -> &'static str {
        match self.place {
            Place::Guard => HOST,
            Place::Desk => DESK,
        }
    }
}
