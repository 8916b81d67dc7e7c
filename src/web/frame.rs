//! A section of the desk that runs a job: its title, how it stands, its progress, and a body that is drawn anew when what
//! it shows has changed.

use std::cell::RefCell;

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlProgressElement};

use super::dom::{Build, clear, document, make, on_click, set_text};
use super::words::text;

pub(super) struct Frame {
    pub(super) root: HtmlElement,
    line: HtmlElement,
    pub(super) progress: HtmlProgressElement,
    status: HtmlElement,
    pub(super) body: HtmlElement,
    /// What was drawn last: the body is made anew only when it changes.
    drawn: RefCell<String>,
    listeners: RefCell<Vec<EventListener>>,
}

impl Frame {
    pub(super) fn new(job: &str, title: &str) -> Frame {
        let id = format!("{job}-title");
        let title = make("h3").attr("id", &id).text(&text(title));
        let line = make("p").class("lead").0;
        let progress = make("progress").attr("aria-labelledby", &id).0;
        let status = make("p").class("status").attr("role", "status").0;
        let body = make("div").class("body").0;
        let root = make("section")
            .class("frame job")
            .attr("data-job", job)
            .attr("data-state", "none")
            .attr("aria-labelledby", &id)
            .child(title)
            .child(&line)
            .child(&progress)
            .child(&status)
            .child(&body)
            .0;
        progress.set_hidden(true);
        root.set_hidden(true);
        Frame {
            root,
            line,
            progress: progress.unchecked_into(),
            status,
            body,
            drawn: RefCell::default(),
            listeners: RefCell::default(),
        }
    }

    pub(super) fn stand(&self, state: &str, line: &str, status: &str) {
        let _ = self.root.set_attribute("data-state", state);
        set_text(&self.line, line);
        self.tell(status);
    }

    pub(super) fn tell(&self, words: &str) {
        set_text(&self.status, words);
    }

    /// What was told last.
    pub(super) fn status(&self) -> String {
        self.status.text_content().unwrap_or_default()
    }

    /// So much of so much; hidden where there is nothing.
    pub(super) fn bar(&self, shown: bool, done: u64, left: u64) {
        self.progress.set_hidden(!shown);
        #[allow(clippy::cast_precision_loss)]
        {
            self.progress.set_max((done + left).max(1) as f64);
            self.progress.set_value(done as f64);
        }
    }

    pub(super) fn listen(&self, listener: EventListener) {
        self.listeners.borrow_mut().push(listener);
    }

    pub(super) fn button(&self, action: &str, label: &str, main: bool, act: impl Fn() + 'static) -> Build {
        let button = make("button").attr("type", "button").attr("data-action", action).text(label);
        let button = if main { button } else { button.class("secondary") };
        self.listen(on_click(&button.0, Box::new(act) as Box<dyn Fn()>));
        button
    }

    pub(super) fn put(&self, child: &Build) {
        let _ = self.body.append_child(child.as_ref());
    }

    /// Forgets what was drawn: the next time it is drawn anew.
    pub(super) fn stale(&self) {
        self.drawn.borrow_mut().clear();
    }

    /// Draws the body anew where `look` differs from the last one. What was open stays open, and the focus stays where it
    /// was, or comes as near as there is.
    pub(super) fn redraw(&self, look: String, draw: &dyn Fn()) {
        if *self.drawn.borrow() == look {
            return;
        }
        self.drawn.replace(look);
        let focused = document().active_element().filter(|active| self.body.contains(Some(active)));
        let places = focused.as_ref().map(place).unwrap_or_default();
        let open = self.folds(true);
        let closed = self.folds(false);
        clear(&self.body);
        self.listeners.borrow_mut().clear();
        draw();
        for (folds, is_open) in [(open, true), (closed, false)] {
            for fold in folds {
                if let Some(details) = self.first(&format!("details[data-fold=\"{fold}\"]")) {
                    let _ = details.toggle_attribute_with_force("open", is_open);
                }
            }
        }
        if focused.is_some() {
            let found = places.iter().find_map(|place| self.first(place)).or_else(|| self.first("button"));
            if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
                let _ = element.focus();
            }
        }
    }

    fn first(&self, css: &str) -> Option<Element> {
        self.body.query_selector(css).ok().flatten()
    }

    /// The folds that are open, or closed, by name.
    fn folds(&self, open: bool) -> Vec<String> {
        let css = if open { "details[data-fold][open]" } else { "details[data-fold]:not([open])" };
        let mut names = Vec::new();
        if let Ok(all) = self.body.query_selector_all(css) {
            for at in 0..all.length() {
                let details = all.item(at).and_then(|node| node.dyn_into::<Element>().ok());
                names.extend(details.and_then(|details| details.get_attribute("data-fold")));
            }
        }
        names
    }
}

/// How something is found again after everything was drawn anew: itself, what it is folded into, the block it is in.
fn place(element: &Element) -> Vec<String> {
    let mut places = Vec::new();
    let mut within = String::new();
    if let Ok(Some(block)) = element.closest("[data-kind]") {
        within = format!("[data-kind=\"{}\"] ", block.get_attribute("data-kind").unwrap_or_default());
    }
    if !element.id().is_empty() {
        places.push(format!("#{}", element.id()));
    }
    if let Some(action) = element.get_attribute("data-action") {
        let row = element.get_attribute("data-row").map(|row| format!("[data-row=\"{row}\"]"));
        places.push(format!("{within}[data-action=\"{action}\"]{}", row.unwrap_or_default()));
    }
    if let Ok(Some(fold)) = element.closest("details[data-fold]") {
        let name = fold.get_attribute("data-fold").unwrap_or_default();
        places.push(format!("details[data-fold=\"{name}\"] > summary"));
    }
    if !within.is_empty() {
        places.push(format!("{within}summary"));
    }
    places
}

/// A table with a caption; the first cell of each row names it. `name` goes into an attribute of each row.
pub(super) fn table(caption: &str, heads: &[&str], name: &str, rows: &[(String, Vec<String>)]) -> Build {
    let head = make("tr").children(heads.iter().map(|key| make("th").attr("scope", "col").text(&text(key))));
    let body = make("tbody").children(rows.iter().map(|(id, cells)| {
        let mut row = make("tr").attr(name, id);
        for (at, cell) in cells.iter().enumerate() {
            // On a narrow page each cell stands on a line of its own, and says what it is.
            let head = heads.get(at).map(|key| text(key)).unwrap_or_default();
            let made =
                if at == 0 { make("th").attr("scope", "row") } else { make("td").attr("data-head", &head) };
            row = row.child(made.text(cell));
        }
        row
    }));
    make("table").child(make("caption").text(caption)).child(make("thead").child(head)).child(body)
}

/// Something that opens. `name` tells it from others.
pub(super) fn fold(name: &str, summary: &str) -> Build {
    make("details").attr("data-fold", name).child(make("summary").text(summary))
}

pub(super) fn then(words: &str) -> Build {
    make("p").class("then").text(words)
}
