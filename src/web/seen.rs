//! Who is signed in on the servers that are allowed, offered where accounts are named.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use web_sys::{HtmlElement, HtmlInputElement};

use super::dom::{clear, make, on_click};
use super::go;
use super::tabs::accounts;
use super::words::{speak, text};
use crate::account::{Domain, Handle};
use crate::say::say;

pub(super) struct Seen {
    pub(super) root: HtmlElement,
    /// Of the old account and of the new one.
    fields: [HtmlInputElement; 2],
    shown: RefCell<Vec<Handle>>,
    listeners: RefCell<Vec<EventListener>>,
}

impl Seen {
    pub(super) fn new(fields: [HtmlInputElement; 2]) -> Rc<Seen> {
        let root = make("div").class("seen").0;
        root.set_hidden(true);
        Rc::new(Seen { root, fields, shown: RefCell::default(), listeners: RefCell::default() })
    }

    /// Asks the tabs of these servers.
    pub(super) fn look(self: &Rc<Self>, hosts: &[Domain]) {
        let (here, hosts) = (self.clone(), hosts.to_vec());
        go(async move {
            let found = accounts(&hosts).await;
            here.name(&found);
            here.show(found);
        });
    }

    /// Where a server was filled in, and one account of it is signed in, that is the one.
    fn name(&self, found: &[Handle]) {
        for field in &self.fields {
            let typed = field.value();
            let mut there = found.iter().filter(|handle| handle.domain().as_str() == typed.trim());
            if let (Some(only), None) = (there.next(), there.next()) {
                field.set_value(&only.acct());
            }
        }
    }

    fn show(self: &Rc<Self>, found: Vec<Handle>) {
        if *self.shown.borrow() == found {
            return;
        }
        clear(&self.root);
        self.listeners.borrow_mut().clear();
        self.root.set_hidden(found.is_empty());
        let _ = self.root.append_child(make("p").class("then").text(&text("seen_title")).as_ref());
        for handle in &found {
            let mut actions = make("div").class("actions");
            for (at, (action, key)) in
                [("use-old", "action_use_old"), ("use-new", "action_use_new")].into_iter().enumerate()
            {
                let button = make("button")
                    .class("secondary")
                    .attr("type", "button")
                    .attr("data-action", action)
                    .attr("data-handle", &handle.acct())
                    .text(&speak(&say(key).with(handle)));
                let (field, acct) = (self.fields[at].clone(), handle.acct());
                self.listeners.borrow_mut().push(on_click(&button.0, move || {
                    field.set_value(&acct);
                    let _ = field.focus();
                }));
                actions = actions.child(button);
            }
            let _ = self.root.append_child(actions.as_ref());
        }
        self.shown.replace(found);
    }
}
