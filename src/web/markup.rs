//! The page as the browser has it, for the readers in `server/`.

use wasm_bindgen::JsCast;
use web_sys::{Document, DomParser, Element, Node, NodeList, SupportedType};

use crate::server::markup::{Event, Markup, Parser};

fn elements(list: Result<NodeList, wasm_bindgen::JsValue>) -> Vec<Box<dyn Markup>> {
    let Ok(list) = list else { return Vec::new() };
    (0..list.length())
        .filter_map(|at| list.get(at)?.dyn_into::<Element>().ok())
        .map(|element| Box::new(Part(element)) as Box<dyn Markup>)
        .collect()
}

/// From node to node by the links that the document has anyway: no recursion, no list.
fn walk(top: &Node, visit: &mut dyn FnMut(Event<'_>)) {
    let mut next = top.first_child();
    while let Some(node) = next {
        let mut inside = None;
        if let Some(element) = node.dyn_ref::<Element>() {
            visit(Event::Open(&element.local_name(), &|name| element.get_attribute(name)));
            inside = node.first_child();
            if inside.is_none() {
                visit(Event::Close);
            }
        } else if node.node_type() == Node::TEXT_NODE {
            visit(Event::Text(&node.node_value().unwrap_or_default()));
        }
        next = inside.or_else(|| {
            let mut node = node;
            loop {
                if let Some(sibling) = node.next_sibling() {
                    return Some(sibling);
                }
                node = node.parent_node().filter(|parent| !parent.is_same_node(Some(top)))?;
                visit(Event::Close);
            }
        });
    }
}

/// A whole page.
#[derive(Debug)]
pub(super) struct Page(pub(super) Document);

struct Part(Element);

impl Markup for Page {
    fn all(&self, selector: &str) -> Vec<Box<dyn Markup + '_>> {
        elements(self.0.query_selector_all(selector))
    }

    fn attribute(&self, _name: &str) -> Option<String> {
        None
    }

    fn text(&self) -> String {
        self.0.body().and_then(|body| body.text_content()).unwrap_or_default()
    }

    fn walk(&self, visit: &mut dyn FnMut(Event<'_>)) {
        walk(&self.0, visit);
    }
}

impl Markup for Part {
    fn all(&self, selector: &str) -> Vec<Box<dyn Markup + '_>> {
        elements(self.0.query_selector_all(selector))
    }

    fn attribute(&self, name: &str) -> Option<String> {
        self.0.get_attribute(name)
    }

    fn text(&self) -> String {
        self.0.text_content().unwrap_or_default()
    }

    fn walk(&self, visit: &mut dyn FnMut(Event<'_>)) {
        walk(&self.0, visit);
    }
}

/// The browser's own parser. It runs no script and loads nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrowserParser;

impl Parser for BrowserParser {
    fn parse<'a>(&'a self, html: &str) -> Box<dyn Markup + 'a> {
        let parsed =
            DomParser::new().and_then(|parser| parser.parse_from_string(html, SupportedType::TextHtml));
        match parsed {
            Ok(document) => Box::new(Page(document)),
            Err(_) => Box::new(Nothing),
        }
    }
}

/// A page with nothing on it: what a service worker, which has no parser, makes of any page.
struct Nothing;

impl Markup for Nothing {
    fn all(&self, _selector: &str) -> Vec<Box<dyn Markup + '_>> {
        Vec::new()
    }

    fn attribute(&self, _name: &str) -> Option<String> {
        None
    }

    fn text(&self) -> String {
        String::new()
    }

    fn walk(&self, _visit: &mut dyn FnMut(Event<'_>)) {}
}
