//! What the guard adds to Mastodon's pages for exports and imports: what is packed, what is wrong with a chosen file, how
//! the imports stand. It warns, and stops nobody.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Element, EventTarget, HtmlElement, HtmlInputElement};

use super::dom::{Build, clear, document, make, on_click};
use super::markup::Page;
use super::now;
use super::words::{BrowserWords, speak, text};
use crate::check::Action;
use crate::list::Kind;
use crate::say::{Part, Words, say};
use crate::server::page::PageKind;
use crate::server::page::imports::{self, FILE_FIELD, ImportsPage, TYPE_CHOSEN, TYPE_FIELD};
use crate::trunk::dossier::SavedLists;
use crate::trunk::hints::{self, Chosen, Stands, Type, WHOLE, Warning};
use crate::trunk::kind_name;

#[wasm_bindgen]
extern "C" {
    // Not `Blob.arrayBuffer`: bytes of the page's world cannot be read in Firefox's content scripts, its texts can.
    #[derive(Clone)]
    type FileReader;
    #[wasm_bindgen(constructor, catch)]
    fn new() -> Result<FileReader, JsValue>;
    #[wasm_bindgen(method, catch, js_name = readAsBinaryString)]
    fn read(this: &FileReader, blob: &Blob) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter)]
    fn result(this: &FileReader) -> JsValue;
}

pub(super) struct Shelf {
    pub(super) root: HtmlElement,
    packed: HtmlElement,
    running: HtmlElement,
    warning: HtmlElement,
    kind: PageKind,
    page: ImportsPage,
    /// This page confirms an import.
    waits: bool,
    /// The domain of this server, for handles that leave it out.
    home: String,
    act: Rc<dyn Fn(Action)>,
    drawn: RefCell<Option<Option<SavedLists>>>,
    chosen: RefCell<Option<Chosen>>,
    /// Which reading of a file is the last one.
    reading: Cell<u32>,
    /// Of the form.
    listeners: RefCell<Vec<EventListener>>,
    buttons: RefCell<Vec<EventListener>>,
    cleaning: RefCell<Option<EventListener>>,
    loaded: RefCell<Option<EventListener>>,
}

impl Shelf {
    /// On other pages, there is none.
    pub(super) fn new(
        kind: PageKind,
        page: &Page,
        home: &str,
        act: impl Fn(Action) + 'static,
    ) -> Option<Rc<Shelf>> {
        if !matches!(kind, PageKind::Export | PageKind::Imports) {
            return None;
        }
        let packed = make("div").class("shelf").attr("data-shelf", "packed").0;
        let running = make("ul").class("shelf rows").attr("data-shelf", "running").0;
        // There from the beginning, or what it says would not be read aloud.
        let warning = make("div").class("warning").attr("role", "alert").attr("data-outcome", "warn").0;
        let root = make("div").child(&packed).child(&running).child(&warning).0;
        let confirmation = imports::read_confirmation(page);
        let shelf = Rc::new(Shelf {
            root,
            packed,
            running,
            waits: confirmation.there,
            warning,
            kind,
            page: if kind == PageKind::Imports { imports::read(page) } else { ImportsPage::default() },
            home: home.to_owned(),
            act: Rc::new(act),
            drawn: RefCell::new(None),
            chosen: RefCell::new(None),
            reading: Cell::new(0),
            listeners: RefCell::default(),
            buttons: RefCell::default(),
            cleaning: RefCell::new(None),
            loaded: RefCell::new(None),
        });
        if confirmation.there && confirmation.mismatch {
            shelf.warn(&[Warning { id: "kind", what: say("hint_mismatch"), mends: false }]);
        }
        shelf.listen();
        Some(shelf)
    }

    /// What is packed, as far as this page may know it.
    pub(super) fn show(&self, lists: Option<&SavedLists>) {
        if self.drawn.borrow().as_ref().is_some_and(|drawn| drawn.as_ref() == lists) {
            return;
        }
        self.drawn.replace(Some(lists.cloned()));
        clear(&self.packed);
        self.buttons.borrow_mut().clear();
        self.show_imports(lists.is_some());
        let add = |node: Build| {
            let _ = self.packed.append_child(node.as_ref());
        };
        if self.kind == PageKind::Export {
            add(make("p").class("then").text(&text("pack_archive")));
        }
        let Some(lists) = lists else { return };
        let on = Part::Day(lists.at);
        let title = if self.kind == PageKind::Export { "shelf_saved" } else { "shelf_here" };
        let ago = BrowserWords.ago(now().since(lists.at).max(60_000));
        add(make("h3").text(&speak(&say(title).with(on).with(ago.as_str()))));
        let rows: Vec<Build> = lists
            .rows
            .of_kinds()
            .into_iter()
            .filter_map(|(kind, count)| Some((kind, count.filter(|count| *count > 0)?)))
            .map(|(kind, count)| self.row(kind, count))
            .collect();
        let class = if self.kind == PageKind::Export { "inline" } else { "rows" };
        add(make("ul").class(class).children(rows));
        if self.kind == PageKind::Export {
            let again = self.button("pack_again", Action::Pack);
            add(make("div").class("actions").child(again));
        }
    }

    fn row(&self, kind: Kind, count: u64) -> Build {
        // The page counts lists, not their members.
        let name = if kind == Kind::Lists { "pack_part_list_settings" } else { kind_name(kind) };
        let words = speak(&say("shelf_row").with(text(name).as_str()).with(count));
        let row = make("li").attr("data-saved", kind.id()).child(make("span").text(&words));
        if self.kind != PageKind::Imports {
            return row;
        }
        let row =
            match self.page.kinds.iter().any(|known| known == kind.import()) || self.page.kinds.is_empty() {
                true => row,
                false => row.child(make("span").class("then").text(&text("shelf_no_import"))),
            };
        let button = self.button("action_unpack", Action::Unpack).attr("data-kind", kind.id());
        let label = speak(&say("shelf_unpack").with(text(name).as_str()));
        row.child(button.attr("aria-label", &label))
    }

    fn button(&self, words: &str, action: Action) -> Build {
        let button =
            make("button").class("secondary").attr("type", "button").attr("data-action", action.id());
        let button = button.text(&text(words));
        let act = self.act.clone();
        self.buttons.borrow_mut().push(on_click(&button.0, move || act(action.clone())));
        button
    }

    /// The imports of the page's own list, those that are through with every row left out.
    fn show_imports(&self, packed: bool) {
        clear(&self.running);
        if self.waits {
            let line = make("li").attr("data-import", "unconfirmed").text(&text("hint_confirm"));
            let _ = self.running.append_child(line.as_ref());
        }
        for row in &self.page.rows {
            let Some(Stands { id, what, more, tells }) = hints::of_import(row, packed, now(), &BrowserWords)
            else {
                continue;
            };
            let mut item = make("li").attr("data-import", id).child(make("span").text(&speak(&what)));
            if tells {
                item = item.child(self.button("shelf_why", Action::Unpack));
            }
            if let Some(more) = more {
                item = item.child(make("span").class("then").text(&speak(&more)));
            }
            let _ = self.running.append_child(item.as_ref());
        }
    }

    // --- the form ---

    fn listen(self: &Rc<Self>) {
        let field = |selector| document().query_selector(selector).ok().flatten();
        let (Some(file), Some(kind)) = (field(FILE_FIELD), field(TYPE_FIELD)) else { return };
        let Ok(file) = file.dyn_into::<HtmlInputElement>() else { return };
        let here = self.clone();
        let input = file.clone();
        let chosen = EventListener::new(&file, "change", move |_| here.look_into(&input));
        let here = self.clone();
        let other = EventListener::new(&kind, "change", move |_| here.judge());
        self.listeners.borrow_mut().extend([chosen, other]);
        // Chosen before we came, or kept by the browser over a reload.
        self.look_into(&file);
    }

    /// Reads the beginning of what was chosen; all of it if that is little.
    fn look_into(self: &Rc<Self>, field: &HtmlInputElement) {
        let reading = self.reading.get() + 1;
        self.reading.set(reading);
        self.chosen.replace(None);
        self.judge();
        let Some(file) = field.files().and_then(|files| files.get(0)) else { return };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let size = file.size() as u64;
        #[allow(clippy::cast_precision_loss)]
        let end = (if size <= WHOLE { size } else { hints::LOOK }) as f64;
        let (Ok(beginning), Ok(reader)) = (file.slice_with_f64_and_f64(0.0, end), FileReader::new()) else {
            return;
        };
        let name = file.name();
        let here = self.clone();
        let source = reader.clone();
        let loaded = EventListener::once(reader.unchecked_ref::<EventTarget>(), "load", move |_| {
            let Some(text) = source.result().as_string().filter(|_| here.reading.get() == reading) else {
                return;
            };
            // One sign a byte.
            let bytes = text.chars().map(|sign| (u32::from(sign) & 0xff) as u8).collect();
            here.chosen.replace(Some(Chosen { name: name.clone(), size, bytes }));
            here.judge();
        });
        self.loaded.replace(Some(loaded));
        let _ = reader.read(&beginning);
    }

    fn judge(self: &Rc<Self>) {
        let option: Option<Element> = document().query_selector(TYPE_CHOSEN).ok().flatten();
        let chosen = option.map_or_else(Type::default, |option| Type {
            kind: option.get_attribute("value").and_then(|value| Kind::of_import(&value)),
            label: option.text_content().unwrap_or_default().trim().to_owned(),
        });
        let file = self.chosen.borrow();
        let warnings = file.as_ref().map(|file| hints::of_file(file, &chosen, &self.home));
        self.warn(&warnings.unwrap_or_default());
    }

    fn warn(&self, warnings: &[Warning]) {
        clear(&self.warning);
        self.cleaning.replace(None);
        for Warning { id, what, .. } in warnings {
            // Shape and word, not colour alone.
            let line = make("p")
                .attr("data-warning", id)
                .child(make("strong").class("word").text(&text("outcome_warn")))
                .child(make("span").text(&speak(what)));
            let _ = self.warning.append_child(line.as_ref());
        }
        if warnings.iter().any(|warning| warning.mends) {
            let button =
                make("button").class("secondary").attr("type", "button").attr("data-action", "unpack");
            let button = button.text(&text("shelf_clean"));
            let act = self.act.clone();
            self.cleaning.replace(Some(on_click(&button.0, move || act(Action::Unpack))));
            let _ = self.warning.append_child(button.as_ref());
        }
    }
}
