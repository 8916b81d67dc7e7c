//! What the native tests share: a parser for pages, and the captures of real servers where they are at hand.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod moving;
pub mod saving;

use std::path::PathBuf;

use packed_trunk::server::markup::{Event, Markup, Parser};
use scraper::node::Node;
use scraper::{ElementRef, Html, Selector};

/// A page read by html5ever, for the readers that see the browser's document otherwise.
pub struct Page(pub Html);

struct Part<'a>(ElementRef<'a>);

fn select<'a>(found: impl Iterator<Item = ElementRef<'a>>) -> Vec<Box<dyn Markup + 'a>> {
    found.map(|element| Box::new(Part(element)) as Box<dyn Markup + 'a>).collect()
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn walk(top: ElementRef<'_>, visit: &mut dyn FnMut(Event<'_>)) {
    let mut next = top.first_child();
    while let Some(mut node) = next {
        match node.value() {
            Node::Element(element) => {
                visit(Event::Open(element.name(), &|name| element.attr(name).map(str::to_owned)));
                if node.first_child().is_none() {
                    visit(Event::Close);
                }
            }
            Node::Text(text) => visit(Event::Text(text)),
            _ => {}
        }
        next = node.first_child();
        while next.is_none() {
            next = node.next_sibling();
            if next.is_none() {
                match node.parent() {
                    Some(parent) if parent.id() != top.id() => node = parent,
                    _ => return,
                }
                if node.value().is_element() {
                    visit(Event::Close);
                }
            }
        }
    }
}

impl Markup for Page {
    fn all(&self, text: &str) -> Vec<Box<dyn Markup + '_>> {
        let selector = selector(text);
        select(self.0.select(&selector).collect::<Vec<_>>().into_iter())
    }

    fn attribute(&self, _name: &str) -> Option<String> {
        None
    }

    fn text(&self) -> String {
        self.0.root_element().text().collect()
    }

    fn walk(&self, visit: &mut dyn FnMut(Event<'_>)) {
        walk(self.0.root_element(), visit);
    }
}

impl Markup for Part<'_> {
    fn all(&self, text: &str) -> Vec<Box<dyn Markup + '_>> {
        let selector = selector(text);
        select(self.0.select(&selector).collect::<Vec<_>>().into_iter())
    }

    fn attribute(&self, name: &str) -> Option<String> {
        self.0.attr(name).map(str::to_owned)
    }

    fn text(&self) -> String {
        self.0.text().collect()
    }

    fn walk(&self, visit: &mut dyn FnMut(Event<'_>)) {
        walk(self.0, visit);
    }
}

pub struct NativeParser;

impl Parser for NativeParser {
    fn parse<'a>(&'a self, html: &str) -> Box<dyn Markup + 'a> {
        Box::new(Page(Html::parse_document(html)))
    }
}

pub fn page(html: &str) -> Page {
    Page(Html::parse_document(html))
}

/// The captures of real servers; `None`, said aloud, where they are not at hand.
pub fn captures() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let found = folder.is_dir().then_some(folder);
    if found.is_none() {
        eprintln!("left out: the captures of real servers are not here (../shared/captures)");
    }
    found
}

/// A file of the project.
pub fn file(path: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
