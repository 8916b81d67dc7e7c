//! The drafts of the announcement, and what is pinned. What stands in the fields is the person's own: it is drawn once, and
//! changed by nobody else. They send it themselves, with Mastodon's own form.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlTextAreaElement};

use super::super::dom::{Build, clear, make, on_click, set_text};
use super::super::frame::then;
use super::super::words::{BrowserWords, speak, text};
use super::super::{chrome, go};
use crate::account::{Domain, Handle};
use crate::say::say;
use crate::server::profile::Limits;
use crate::server::request;
use crate::server::status::Pinned;
use crate::trunk::announce;
use crate::trunk::dossier::Side;
use crate::trunk::store::Party;

pub(super) struct Posts {
    pub(super) root: HtmlElement,
    drafts: HtmlElement,
    pinned: HtmlElement,
    shown: RefCell<Option<Shown>>,
    listeners: RefCell<Vec<EventListener>>,
}

struct Shown {
    /// Old and new, each with the host of its web pages.
    ends: [(Handle, Domain); 2],
    drafts: Vec<Rc<Draft>>,
}

/// One of the two.
struct Draft {
    field: HtmlTextAreaElement,
    told: HtmlElement,
    limits: RefCell<Limits>,
    other: Handle,
}

impl Draft {
    fn count(&self) {
        let words = self.field.value();
        let over = announce::over(&words, &self.limits.borrow());
        let _ = self.field.set_attribute("aria-invalid", if over > 0 { "true" } else { "false" });
        let told = if over > 0 {
            speak(&say("announce_over").with(over))
        } else if announce::names(&words, &self.other) {
            String::new()
        } else {
            speak(&say("announce_unnamed").with(&self.other))
        };
        set_text(&self.told, &told);
    }
}

impl Posts {
    pub(super) fn new() -> Posts {
        let (drafts, pinned) = (make("div").class("drafts").0, make("div").0);
        let root = make("section")
            .class("posts")
            .attr("aria-labelledby", "posts-title")
            .child(make("h3").attr("id", "posts-title").text(&text("announce_title")))
            .child(then(&text("announce_why")))
            .child(&drafts)
            .child(&pinned)
            .0;
        root.set_hidden(true);
        Posts { root, drafts, pinned, shown: RefCell::default(), listeners: RefCell::default() }
    }

    /// Between which accounts, old and new; `limits`: of both servers, once they are known.
    pub(super) fn about(&self, parties: [Option<Party>; 2], limits: Option<[Option<Limits>; 2]>) {
        let [
            Some(Party { host: old_host, handle: Some(old) }),
            Some(Party { host: new_host, handle: Some(new) }),
        ] = parties
        else {
            self.root.set_hidden(true);
            self.shown.replace(None);
            return;
        };
        let ends = [(old, old_host), (new, new_host)];
        if !self.shown.borrow().as_ref().is_some_and(|shown| shown.ends == ends) {
            self.draw(ends);
        }
        if let (Some(limits), Some(shown)) = (limits, self.shown.borrow().as_ref()) {
            // In the order in which they are shown.
            for (draft, limits) in shown.drafts.iter().zip(limits.into_iter().rev()) {
                if let Some(limits) = limits {
                    draft.limits.replace(limits);
                }
                draft.count();
            }
        }
    }

    fn draw(&self, ends: [(Handle, Domain); 2]) {
        clear(&self.drafts);
        clear(&self.pinned);
        self.listeners.borrow_mut().clear();
        let drafts = [Side::New, Side::Old].map(|side| self.draft(side, &ends)).to_vec();
        self.shown.replace(Some(Shown { ends, drafts }));
        self.root.set_hidden(false);
    }

    fn draft(&self, side: Side, ends: &[(Handle, Domain); 2]) -> Rc<Draft> {
        let [(old, _), (new, _)] = ends;
        let (own, host) = &ends[side as usize];
        let (other, end) = if side == Side::Old { (new, "old") } else { (old, "new") };
        let limits = Limits::of(None);
        let (id, told_id) = (format!("draft-{end}"), format!("draft-{end}-told"));
        let field: Build = make("textarea")
            .attr("id", &id)
            .attr("rows", "6")
            .attr("dir", "auto")
            .attr("aria-describedby", &told_id);
        let told = make("p").class("error").attr("id", &told_id).attr("role", "status").0;
        let area: HtmlTextAreaElement = field.0.clone().unchecked_into();
        area.set_value(&announce::words(side, old, new, &limits, &BrowserWords));
        let draft = Rc::new(Draft {
            field: area,
            told: told.clone(),
            limits: RefCell::new(limits),
            other: other.clone(),
        });
        draft.count();
        let counts = draft.clone();
        let typed = EventListener::new(&field.0, "input", move |_| counts.count());
        let label = speak(&say("action_announce_on").with(own));
        let send = make("button")
            .class("secondary")
            .attr("type", "button")
            .attr("data-action", &format!("announce-{end}"));
        let send = send.text(&label);
        let (sends, host) = (draft.clone(), host.clone());
        let sent = on_click(&send.0, move || {
            let words = sends.field.value();
            match request::compose_page(&words) {
                Some(path) => {
                    let url = format!("{}{path}", host.origin());
                    go(async move { chrome::open_tab(&url).await });
                }
                None => set_text(&sends.told, &text("announce_too_long")),
            }
        });
        self.listeners.borrow_mut().extend([typed, sent]);
        let block = make("div")
            .class(&format!("draft {end}"))
            .child(make("label").attr("for", &id).text(&speak(&say("announce_label").with(own))))
            .child(field)
            .child(told)
            .child(then(&speak(&say("announce_then").with(own))))
            .child(make("div").class("actions").child(send));
        let _ = self.drafts.append_child(block.as_ref());
        draft
    }

    /// What is pinned on the old account; `None`: it could not be read.
    pub(super) fn pinned(&self, pinned: Option<Vec<Pinned>>) {
        clear(&self.pinned);
        let put = |child: Build| self.pinned.append_child(child.as_ref());
        match pinned {
            None => drop(put(then(&text("pinned_unknown")))),
            Some(pinned) if pinned.is_empty() => drop(put(then(&text("pinned_none")))),
            Some(pinned) => {
                let _ = put(make("h3").text(&text("pinned_title")));
                let _ = put(then(&speak(&say("pinned_why").with(pinned.len()))));
                let _ = put(make("ul").class("gaps pinned").children(pinned.into_iter().map(|post| {
                    let words = if post.text.is_empty() { text("pinned_no_words") } else { post.text };
                    match post.url {
                        Some(url) => make("li").child(
                            make("a")
                                .attr("href", &url)
                                .attr("target", "_blank")
                                .attr("rel", "noreferrer noopener")
                                .attr("dir", "auto")
                                .text(&words),
                        ),
                        None => make("li").text(&words),
                    }
                })));
            }
        }
    }
}
