//! Builds nodes. Text goes in as text: no HTML string ever reaches a page.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, Node};

pub(super) fn document() -> Document {
    web_sys::window()
        .and_then(|window| window.document())
        .unwrap_or_else(|| unreachable!("there is always a document here"))
}

/// A node under construction.
#[derive(Clone, Debug)]
pub(super) struct Build(pub(super) HtmlElement);

/// `<name>`; names are ours, so making one cannot fail.
pub(super) fn make(name: &str) -> Build {
    let element =
        document().create_element(name).ok().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    Build(element.unwrap_or_else(|| unreachable!("{name} is an HTML element")))
}

impl Build {
    pub(super) fn class(self, class: &str) -> Build {
        self.0.set_class_name(class);
        self
    }

    pub(super) fn attr(self, name: &str, value: &str) -> Build {
        let _ = self.0.set_attribute(name, value);
        self
    }

    pub(super) fn text(self, text: &str) -> Build {
        self.0.set_text_content(Some(text));
        self
    }

    pub(super) fn child(self, child: impl AsRef<Node>) -> Build {
        let _ = self.0.append_child(child.as_ref());
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Build>) -> Build {
        for child in children {
            self = self.child(child);
        }
        self
    }

    pub(super) fn input(&self) -> Option<&HtmlInputElement> {
        self.0.dyn_ref()
    }
}

impl AsRef<Node> for Build {
    fn as_ref(&self) -> &Node {
        &self.0
    }
}

/// Calls `act` on a click by a person. Clicks that a page's script makes are not trusted and do nothing.
pub(super) fn on_click(element: &HtmlElement, mut act: impl FnMut() + 'static) -> EventListener {
    EventListener::new(element, "click", move |event: &Event| {
        if event.is_trusted() {
            act();
        }
    })
}

/// Replaces what is inside, unless it says the same already: a screen reader would say it again.
pub(super) fn set_text(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

pub(super) fn clear(element: &Element) {
    while let Some(child) = element.first_child() {
        let _ = element.remove_child(&child);
    }
}
