//! Shows findings, the same way in the guard and on the desk.
//!
//! A finding keeps its node for as long as it says the same, so that focus stays where it is while answers arrive.

use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement, ShadowRoot};

use super::dom::{Build, make, on_click, set_text};
use super::words::{BrowserWords, speak, text};
use crate::check::{Action, Evidence, Finding, Outcome};
use crate::say::{Words, say};
use crate::when::{Source, Time};

/// The stylesheet of a panel, for a shadow root or our own page.
pub(super) const STYLE: &str = include_str!("panel.css");

type Act = Rc<dyn Fn(Action)>;

/// The list of findings, with its groups and its status line.
pub(super) struct Panel {
    pub(super) root: HtmlElement,
    summary: HtmlElement,
    open: HtmlElement,
    later: Group,
    passed: Group,
    status: HtmlElement,
    shown: Vec<Shown>,
    act: Act,
}

/// Findings that nobody has to read now: one line that opens.
struct Group {
    details: HtmlElement,
    summary: HtmlElement,
    list: HtmlElement,
}

struct Shown {
    finding: Finding,
    node: HtmlElement,
    _listeners: Vec<EventListener>,
}

impl Group {
    fn new() -> Group {
        let summary = make("summary").0;
        let list = make("ul").class("findings").0;
        let details = make("details").class("group").child(&summary).child(&list).0;
        Group { details, summary, list }
    }

    fn show(&self, line: &str, any: bool) {
        set_text(&self.summary, line);
        self.details.set_hidden(!any);
    }
}

impl Panel {
    /// `act` does what a button says.
    pub(super) fn new(act: impl Fn(Action) + 'static) -> Panel {
        let summary = make("p").class("summary").0;
        let open = make("ul").class("findings").0;
        let (later, passed) = (Group::new(), Group::new());
        let status = make("p").class("status").attr("role", "status").0;
        let root = make("div")
            .class("panel")
            .child(&summary)
            .child(&open)
            .child(&later.details)
            .child(&passed.details)
            .child(&status)
            .0;
        Panel { root, summary, open, later, passed, status, shown: Vec::new(), act: Rc::new(act) }
    }

    /// Tells what happens, in words that a screen reader says at once.
    pub(super) fn tell(&self, words: &str) {
        set_text(&self.status, words);
    }

    /// Says again how things stand, for those who do not see it.
    pub(super) fn tell_summary(&self) {
        self.tell(&self.summary.text_content().unwrap_or_default());
    }

    pub(super) fn show(&mut self, findings: Vec<Finding>) {
        let focused = self.focused();
        let mut before = std::mem::take(&mut self.shown);
        let mut last: Vec<(HtmlElement, HtmlElement)> = Vec::new();
        for finding in findings {
            let list = match finding.outcome {
                Outcome::Pass => &self.passed.list,
                Outcome::Unknown if finding.waits_for.is_some() => &self.later.list,
                Outcome::Checking => &self.later.list,
                Outcome::Stop | Outcome::Warn | Outcome::Unknown => &self.open,
            };
            let known = before.iter().position(|shown| shown.finding.check == finding.check);
            let shown = match known.map(|at| before.swap_remove(at)) {
                Some(shown) if shown.finding == finding => shown,
                Some(old) => {
                    old.node.remove();
                    let drawn = draw(finding, &self.act);
                    if old.node.query_selector("details.evidence[open]").ok().flatten().is_some()
                        && let Ok(Some(details)) = drawn.node.query_selector("details.evidence")
                    {
                        let _ = details.set_attribute("open", "");
                    }
                    drawn
                }
                None => draw(finding, &self.act),
            };
            let above = last.iter_mut().find(|(in_list, _)| in_list == list);
            place(list, &shown.node, above.as_ref().map(|(_, node)| node));
            match above {
                Some(above) => above.1 = shown.node.clone(),
                None => last.push((list.clone(), shown.node.clone())),
            }
            self.shown.push(shown);
        }
        for gone in before {
            gone.node.remove();
        }
        self.summarise();
        self.focus_again(focused);
    }

    fn summarise(&self) {
        let count = |outcome, waits| {
            let is = |shown: &&Shown| {
                shown.finding.outcome == outcome && shown.finding.waits_for.is_some() == waits
            };
            self.shown.iter().filter(is).count()
        };
        let [stop, warn, unknown, checking, passed] =
            [Outcome::Stop, Outcome::Warn, Outcome::Unknown, Outcome::Checking, Outcome::Pass]
                .map(|of| count(of, false));
        let waiting = count(Outcome::Unknown, true);
        let mut lines = Vec::new();
        if stop > 0 {
            lines.push(speak(&say("summary_stop").with(stop)));
        }
        if warn > 0 {
            lines.push(speak(&say("summary_warn").with(warn)));
        }
        if unknown > 0 {
            lines.push(speak(&say("summary_unknown").with(unknown)));
        }
        if lines.is_empty() && checking == 0 {
            lines.push(text("summary_clear"));
        }
        set_text(&self.summary, &lines.join(" "));
        let later = if checking > 0 {
            say("group_checking").with(checking)
        } else {
            say("group_waiting").with(waiting)
        };
        self.later.show(&speak(&later), checking + waiting > 0);
        self.passed.show(&speak(&say("group_passed").with(passed)), passed > 0);
    }

    /// Which button has the focus: of what finding, doing what.
    fn focused(&self) -> Option<(&'static str, Option<String>)> {
        let root = self.root.get_root_node();
        let active = match root.dyn_ref::<ShadowRoot>() {
            Some(shadow) => shadow.active_element(),
            None => root.dyn_ref::<Document>().and_then(Document::active_element),
        }?;
        let shown = self.shown.iter().find(|shown| shown.node.contains(Some(&active)))?;
        Some((shown.finding.check, active.get_attribute("data-action")))
    }

    /// Gives the focus back to the finding that was redrawn under it.
    fn focus_again(&self, focused: Option<(&'static str, Option<String>)>) {
        if self.focused().is_some() {
            return;
        }
        let Some((check, action)) = focused else { return };
        let Some(shown) = self.shown.iter().find(|shown| shown.finding.check == check) else { return };
        let same =
            action.map_or_else(|| "summary".to_owned(), |action| format!("[data-action=\"{action}\"]"));
        let found = shown.node.query_selector(&same).ok().flatten();
        if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let _ = element.focus();
        }
    }
}

fn place(list: &HtmlElement, node: &HtmlElement, after: Option<&HtmlElement>) {
    let wanted = match after {
        Some(before) => before.next_sibling(),
        None => list.first_child(),
    };
    if wanted.as_ref() != Some(node.as_ref()) {
        let _ = list.insert_before(node, wanted.as_ref());
    }
}

fn draw(finding: Finding, act: &Act) -> Shown {
    let mut listeners = Vec::new();
    let word = text(match finding.outcome {
        Outcome::Stop => "outcome_stop",
        Outcome::Warn => "outcome_warn",
        Outcome::Unknown => "outcome_unknown",
        Outcome::Checking => "outcome_checking",
        Outcome::Pass => "outcome_pass",
    });
    // Shape and word, not colour alone.
    let mark = make("span").class("mark").attr("aria-hidden", "true");
    let what = make("p")
        .class("what")
        .child(make("strong").class("word").text(&word))
        .child(make("span").text(&speak(&finding.what)));
    let mut body = make("div").class("body").child(what);
    if let Some(then) = &finding.then {
        body = body.child(make("p").class("then").text(&speak(then)));
    }
    let actions: Vec<(&Action, &str)> = finding
        .action
        .iter()
        .map(|action| (action, "primary"))
        .chain(finding.other.iter().map(|action| (action, "secondary")))
        .collect();
    if !actions.is_empty() {
        let buttons = actions.into_iter().map(|(action, class)| {
            let button = make("button").class(class).attr("type", "button").attr("data-action", action.id());
            let button = button.text(&speak(&action.label()));
            let (act, action) = (act.clone(), action.clone());
            listeners.push(on_click(&button.0, move || act(action.clone())));
            button
        });
        body = body.child(make("div").class("actions").children(buttons.collect::<Vec<_>>()));
    }
    if !finding.evidence.is_empty() {
        let details = make("details").class("evidence").child(make("summary").text(&text("evidence")));
        // Drawn when somebody wants to know: most never open it, and the guard is ready sooner.
        let (inside, lines) = (details.0.clone(), finding.evidence.clone());
        listeners.push(EventListener::once(&details.0, "toggle", move |_| {
            let lines = lines.iter().map(|evidence| make("li").text(&evidence_line(evidence, super::now())));
            let _ = inside.append_child(make("ul").children(lines.collect::<Vec<_>>()).as_ref());
        }));
        body = body.child(details);
    }
    let node = make("li")
        .class("finding")
        .attr("data-check", finding.check)
        .attr("data-outcome", finding.outcome.id())
        .child(mark)
        .child(body);
    Shown { finding, node: node.0, _listeners: listeners }
}

fn evidence_line(evidence: &Evidence, now: Time) -> String {
    let place = text(match evidence.from {
        Source::OwnPage => "source_own_page",
        Source::OwnApi => "source_own_api",
        Source::Outside => "source_outside",
        Source::Ourselves => "source_ourselves",
    });
    let age = match now.since(evidence.at) {
        age if age < 60_000 => text("age_now"),
        age => BrowserWords.ago(age),
    };
    let line =
        say("evidence_line").with(speak(&evidence.what).as_str()).with(place.as_str()).with(age.as_str());
    speak(&line)
}

/// A head with the name of the account and the side it is on.
pub(super) fn head(level: &str, title: &str, badge: Option<(&str, &str)>) -> Build {
    let head = make("header").class("head").child(make(level).attr("id", "title").text(title));
    match badge {
        Some((side, words)) => head.child(make("p").class("side").attr("data-side", side).text(words)),
        None => head,
    }
}
