//! The seven steps down the middle of the desk, each with its checks and its jobs, and above them the one thing to do next.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Node};

use super::dom::{clear, make, on_click, set_text};
use super::panel::Panel;
use super::words::{speak, text};
use crate::check::{self, Action, Finding};
use crate::say::{Say, say};
use crate::trunk::dossier::Side;
use crate::trunk::steps::{Next, Stage, Status, Step, Todo};

/// What a click asks for.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Do(Todo),
    /// Leaves the check as it is; or takes that back.
    Aside(&'static str, bool),
}

type Act = Rc<dyn Fn(Wish)>;

pub(super) struct Stages {
    /// What to do next.
    pub(super) banner: HtmlElement,
    pub(super) list: HtmlElement,
    status: HtmlElement,
    said: HtmlElement,
    items: Vec<Item>,
    overview: HtmlElement,
    shown: RefCell<Option<Next>>,
    listeners: RefCell<Vec<EventListener>>,
    act: Act,
}

struct Item {
    step: Step,
    root: HtmlElement,
    fold: HtmlElement,
    state: HtmlElement,
    says: HtmlElement,
    inside: HtmlElement,
    panel: RefCell<Panel>,
    aside: HtmlElement,
    status: Cell<Option<Status>>,
    shown: RefCell<Vec<&'static str>>,
    listeners: RefCell<Vec<EventListener>>,
}

impl Item {
    fn new(step: Step, act: &Act) -> Item {
        let id = step.id();
        let state = make("span").class("state").0;
        let says = make("span").class("says").0;
        let name = make("h2").class("name").text(&text(&format!("step_{id}")));
        let summary = make("summary").child(name).child(&state).child(&says);
        let inside = make("div").class("inside").0;
        let tell = act.clone();
        let panel = Panel::new(move |action| tell(Wish::Do(Todo::Act(action))));
        let aside = make("div").class("aside").0;
        let why = make("p").class("then").text(&text(&format!("step_{id}_why")));
        let _ = inside.append_child(why.as_ref());
        let plain = make("div").class("frame plain").child(&panel.root).child(&aside);
        let _ = inside.append_child(plain.as_ref());
        let fold = make("details").attr("data-fold", &format!("step-{id}")).child(summary).child(&inside).0;
        let root = make("li").attr("data-step", id).child(&fold).0;
        Item {
            step,
            root,
            fold,
            state,
            says,
            inside,
            panel: RefCell::new(panel),
            aside,
            status: Cell::new(None),
            shown: RefCell::default(),
            listeners: RefCell::default(),
        }
    }

    fn open(&self, open: bool) {
        let _ = self.fold.toggle_attribute_with_force("open", open);
    }

    fn show(&self, stage: &Stage, findings: Vec<Finding>, aside: &[String], act: &Act) {
        let status = stage.status.id();
        let _ = self.root.set_attribute("data-status", status);
        set_text(&self.state, &text(&format!("status_{status}")));
        set_text(&self.says, &speak(&stage.says));
        self.status.set(Some(stage.status));
        let left: Vec<&'static str> = findings
            .iter()
            .map(|finding| finding.check)
            .filter(|check| aside.iter().any(|id| id == check))
            .collect();
        self.panel.borrow().root.set_hidden(findings.is_empty());
        self.panel.borrow_mut().show(findings);
        if *self.shown.borrow() == left {
            return;
        }
        self.listeners.borrow_mut().clear();
        clear(&self.aside);
        for check in &left {
            let (tell, check) = (act.clone(), *check);
            let name = text(&format!("aside_{}", check.replace('-', "_")));
            let button = make("button")
                .class("secondary")
                .attr("type", "button")
                .attr("data-action", "ask-again")
                .attr("data-aside", check)
                .text(&text("action_ask_again"));
            self.listeners.borrow_mut().push(on_click(&button.0, move || tell(Wish::Aside(check, false))));
            let words = make("span").text(&speak(&say("aside_left").with(name.as_str())));
            let _ = self.aside.append_child(make("p").child(words).child(button).as_ref());
        }
        self.shown.replace(left);
    }
}

impl Stages {
    pub(super) fn new(act: impl Fn(Wish) + 'static) -> Stages {
        let act: Act = Rc::new(act);
        let said = make("div").class("said").0;
        let status = make("p").class("status").attr("role", "status").0;
        let banner = make("section")
            .class("frame next")
            .attr("aria-labelledby", "now-title")
            .child(make("h2").attr("id", "now-title").text(&text("now_title")))
            .child(&said)
            .child(&status)
            .0;
        let list = make("ol").class("steps").attr("aria-label", &text("steps")).0;
        let items: Vec<Item> = Step::ALL.into_iter().map(|step| Item::new(step, &act)).collect();
        for item in &items {
            let _ = list.append_child(&item.root);
        }
        let overview = make("ul").class("overview").attr("aria-label", &text("overview")).0;
        let stages = Stages {
            banner,
            list,
            status,
            said,
            items,
            overview,
            shown: RefCell::default(),
            listeners: RefCell::default(),
            act,
        };
        stages.put(Step::Move, &stages.overview);
        stages
    }

    /// Puts a job's section into a step.
    pub(super) fn put(&self, step: Step, section: &Node) {
        if let Some(item) = self.items.iter().find(|item| item.step == step) {
            let _ = item.inside.append_child(section);
        }
    }

    /// Opens a step, for something in it that is to be seen.
    pub(super) fn open(&self, step: Step) {
        if let Some(item) = self.items.iter().find(|item| item.step == step) {
            item.open(true);
        }
    }

    /// What has a light and a dark look.
    pub(super) fn frames(&self) -> Vec<HtmlElement> {
        let plain = self.items.iter().filter_map(|item| item.panel.borrow().root.parent_element());
        let plain = plain.filter_map(|element| element.dyn_into().ok());
        [self.banner.clone(), self.list.clone()].into_iter().chain(plain).collect()
    }

    /// Tells what happens, in words that a screen reader says at once.
    pub(super) fn tell(&self, words: &str) {
        set_text(&self.status, words);
    }

    pub(super) fn show(&self, stages: &[Stage], findings: &[Finding], next: Option<Next>, aside: &[String]) {
        for item in &self.items {
            let Some(stage) = stages.iter().find(|stage| stage.step == item.step) else { continue };
            let mine = findings.iter().filter(|finding| check::step(finding.check) == item.step);
            item.show(stage, mine.cloned().collect(), aside, &self.act);
        }
        self.show_overview(findings);
        self.show_next(next);
    }

    /// All checks in a line each: what stands before the move at one look.
    fn show_overview(&self, findings: &[Finding]) {
        clear(&self.overview);
        for finding in findings.iter().filter(|finding| check::step(finding.check) != Step::Move) {
            let outcome = finding.outcome.id();
            let row = make("li")
                .attr("data-overview", finding.check)
                .attr("data-outcome", outcome)
                .child(make("span").class("mark").attr("aria-hidden", "true"))
                .child(make("strong").class("word").text(&text(&format!("outcome_{outcome}"))))
                .child(make("span").text(&speak(&finding.what)));
            let _ = self.overview.append_child(row.as_ref());
        }
    }

    fn show_next(&self, next: Option<Next>) {
        self.banner.set_hidden(next.is_none());
        if *self.shown.borrow() == next {
            return;
        }
        let before = self.shown.replace(next.clone()).map(|next| next.step);
        let focused = self.said.contains(super::dom::document().active_element().as_ref().map(AsRef::as_ref));
        self.listeners.borrow_mut().clear();
        clear(&self.said);
        let Some(next) = next else { return };
        let _ = self.banner.set_attribute("data-next", next.step.id());
        if before != Some(next.step) {
            // What was said of the step before is over.
            self.tell("");
        }
        for item in self.items.iter().filter(|_| before != Some(next.step)) {
            if item.step == next.step {
                item.open(true);
            } else if before == Some(item.step) && item.status.get() == Some(Status::Done) {
                item.open(false);
            }
        }
        let _ = self.said.append_child(make("p").class("what").text(&speak(&next.what)).as_ref());
        if let Some(then) = &next.then {
            let _ = self.said.append_child(make("p").class("then").text(&speak(then)).as_ref());
        }
        let mut buttons = Vec::new();
        if let Some((id, label)) = button_of(&next.todo) {
            let (act, todo) = (self.act.clone(), next.todo.clone());
            let button = make("button").attr("type", "button").attr("data-action", id).text(&speak(&label));
            self.listeners.borrow_mut().push(on_click(&button.0, move || act(Wish::Do(todo.clone()))));
            buttons.push(button);
        }
        if let Some(check) = next.check {
            let act = self.act.clone();
            let button = make("button").class("secondary").attr("type", "button");
            let button = button.attr("data-action", "set-aside").text(&text("action_set_aside"));
            self.listeners.borrow_mut().push(on_click(&button.0, move || act(Wish::Aside(check, true))));
            buttons.push(button);
        }
        // The focus was on what has just been done: it goes on with what comes next.
        if let Some(first) = buttons.first().filter(|_| focused) {
            let first = first.0.clone();
            let _ = self.said.append_child(make("div").class("actions").children(buttons).as_ref());
            let _ = first.focus();
        } else if !buttons.is_empty() {
            let _ = self.said.append_child(make("div").class("actions").children(buttons).as_ref());
        }
    }
}

fn button_of(todo: &Todo) -> Option<(&'static str, Say)> {
    Some(match todo {
        Todo::Nothing => return None,
        Todo::SignIn(Side::Old) => ("sign-in", say("action_sign_in_old")),
        Todo::SignIn(Side::New) => ("sign-in", say("action_sign_in_new")),
        Todo::Carry => ("carry", say("action_carry_chosen")),
        Todo::UnpackPlan => ("unpack-plan", say("action_unpack_plan")),
        Todo::PackAll => ("pack-all", say("action_pack_all")),
        Todo::OpenForm => ("open-form", say("action_open_form")),
        Todo::Act(action) => (Action::id(action), action.label()),
    })
}
