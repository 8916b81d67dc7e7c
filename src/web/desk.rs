//! Our own page: both accounts side by side, what is known of each, and the checks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;

use super::after::{self, After};
use super::dom::{Build, clear, document, make, on_click, set_text};
use super::lists::{self, Lists};
use super::markup::BrowserParser;
use super::messages::{Messages, Tell};
use super::moves::{self, Moves};
use super::panel::STYLE;
use super::prepare::{self, Prepare};
use super::seen::Seen;
use super::stages::{Stages, Wish};
use super::tabs::{look_for, session_of};
use super::unpack::{self, Unpacker};
use super::words::{language, number, speak, text};
use super::{ask, chrome, go, now, tab_patterns};
use crate::account::{Domain, Handle};
use crate::check::{self, Action, Finding, Outcome};
use crate::job::Job;
use crate::job::budget::Budget;
use crate::job::survey::{Survey, read_page};
use crate::protocol::{Errand, ToBackground, ToDesk};
use crate::say::{Part, say};
use crate::server::markup::Parser;
use crate::server::page::{ACCOUNT_PAGE, SIGN_IN_PAGE, aliases};
use crate::server::reply;
use crate::server::request;
use crate::server::session::Session;
use crate::trunk::dossier::{AccountFacts, Dossier, Email, Side};
use crate::trunk::journal::Deed;
use crate::trunk::presence::{Next, Presence};
use crate::trunk::steps::{self, Around, Busy, Step, Todo};
use crate::trunk::store::{Move, Party};
use crate::when::{MINUTE, Time};

/// Facts come in bursts; the desk is drawn once for each.
const REST: u32 = 60;

struct Desk {
    state: RefCell<ToDesk>,
    main: HtmlElement,
    intro: HtmlElement,
    grant: HtmlElement,
    link: LinkForm,
    cards: [HtmlElement; 2],
    stages: RefCell<Option<Stages>>,
    /// Both sides were looked at since the page was opened.
    looked: Cell<bool>,
    /// Messages follow when the lists are packed.
    packing: Cell<bool>,
    messages: RefCell<Option<Rc<Messages>>>,
    lists: RefCell<Option<Rc<Lists>>>,
    unpacker: RefCell<Option<Rc<Unpacker>>>,
    prepare: RefCell<Option<Rc<Prepare>>>,
    moves: RefCell<Option<Rc<Moves>>>,
    seen: Rc<Seen>,
    after: RefCell<Option<Rc<After>>>,
    servers: HtmlElement,
    asking: Cell<u32>,
    /// The accounts are being named again.
    editing: Cell<bool>,
    /// Another move is the current one now, and the page is about to be read anew.
    leaving: Cell<bool>,
    /// How the person stands at each server.
    presence: RefCell<[Presence; 2]>,
    drawn: RefCell<Vec<EventListener>>,
    kept: RefCell<Vec<EventListener>>,
    due: RefCell<Option<Timeout>>,
    resting: RefCell<Option<Timeout>>,
}

/// Where the two accounts are named.
struct LinkForm {
    section: HtmlElement,
    fields: [Build; 2],
    error: HtmlElement,
    button: HtmlElement,
}

/// Starts the desk.
#[wasm_bindgen]
pub fn desk() {
    let document = document();
    let Some(body) = document.body() else { return };
    document.set_title(&text("name"));
    if let Some(root) = document.document_element() {
        let _ = root.set_attribute("lang", &language());
        let _ =
            root.set_attribute("dir", &chrome::message("@@bidi_dir", &[]).unwrap_or_else(|| "ltr".into()));
    }
    let _ = document.head().map(|head| head.append_child(make("style").text(STYLE).as_ref()));

    // Nothing is shown before it is known what to show.
    let intro = make("div").class("intro").0;
    let grant = make("div").0;
    let link = link_form();
    let [Some(old), Some(new)] = [link.fields[0].input(), link.fields[1].input()] else { return };
    let seen = Seen::new([old.clone(), new.clone()]);
    let _ = link.section.insert_before(&seen.root, Some(&link.error));
    let cards =
        [Side::Old, Side::New].map(|side| make("section").class("card").attr("data-side", side_id(side)).0);
    let servers = make("section").class("servers").0;
    let main = make("main")
        .attr("data-view", "start")
        .child(&intro)
        .child(&grant)
        .child(&link.section)
        .child(make("div").class("cards").child(&cards[0]).child(&cards[1]))
        .child(&servers);
    main.0.set_hidden(true);
    let brand = make("span").class("brand").text(&text("name"));
    let top = make("header")
        .class("top")
        .child(make("img").attr("src", "icons/48.png").attr("alt", "").attr("width", "32"))
        .child(brand);
    let _ = body.append_child(top.as_ref());
    let _ = body.append_child(main.as_ref());

    let desk = Rc::new(Desk {
        state: RefCell::default(),
        main: main.0,
        intro,
        grant,
        link,
        cards,
        stages: RefCell::default(),
        looked: Cell::new(false),
        packing: Cell::new(false),
        messages: RefCell::default(),
        lists: RefCell::default(),
        unpacker: RefCell::default(),
        prepare: RefCell::default(),
        moves: RefCell::default(),
        seen,
        after: RefCell::default(),
        servers,
        asking: Cell::new(0),
        editing: Cell::new(false),
        leaving: Cell::new(false),
        presence: RefCell::default(),
        drawn: RefCell::default(),
        kept: RefCell::default(),
        due: RefCell::new(None),
        resting: RefCell::new(None),
    });
    desk.set_up();
    go(async move { desk.start().await });
}

/// Everything is read from the store again. What is under way stops, and goes on from where it was.
fn begin_anew() {
    if let Some(location) = document().location() {
        let _ = location.reload();
    }
}

/// What was asked for is begun once, not again with the next reload.
fn forget_hash() {
    let history = web_sys::window().and_then(|window| window.history().ok());
    if let Some(history) = history {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some("desk.html"));
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Old => Side::New,
        Side::New => Side::Old,
    }
}

fn side_id(side: Side) -> &'static str {
    match side {
        Side::Old => "old",
        Side::New => "new",
    }
}

fn link_form() -> LinkForm {
    let field = |id: &str, label: &str, class: &str| {
        let input = make("input")
            .attr("id", id)
            .attr("type", "text")
            .attr("autocomplete", "off")
            .attr("autocapitalize", "none")
            .attr("spellcheck", "false")
            .attr("maxlength", "2400")
            .attr("placeholder", &text("link_placeholder"))
            .attr("aria-describedby", "link-error");
        let row =
            make("div").class(class).child(make("label").attr("for", id).text(&text(label))).child(&input);
        (row, input)
    };
    let (old_row, old) = field("old", "link_old", "field old");
    let (new_row, new) = field("new", "link_new", "field new");
    let error = make("p").class("error").attr("id", "link-error").attr("role", "alert").0;
    let button =
        make("button").attr("type", "button").attr("data-action", "link").text(&text("action_allow_both")).0;
    let section = make("section")
        .class("frame link")
        .attr("aria-labelledby", "link-title")
        .child(make("h2").attr("id", "link-title").text(&text("link_title")))
        .child(make("p").class("then").text(&text("link_why")))
        .child(make("div").class("fields").child(old_row).child(new_row))
        .child(&error)
        .child(make("div").class("actions").child(&button))
        .0;
    LinkForm { section, fields: [old, new], error, button }
}

/// A server or a handle, as people type it; a link to a profile will do too.
fn party(typed: &str) -> Option<Party> {
    let typed = typed.trim();
    if let Ok(handle) = typed.parse::<Handle>() {
        return Some(Party { host: handle.domain().clone(), handle: Some(handle) });
    }
    if let Some(handle) = crate::account::handle_in_link(typed) {
        let host = typed.split_once("://").map_or(typed, |(_, rest)| rest).split('/').next()?.parse().ok()?;
        return Some(Party { host, handle: Some(handle) });
    }
    let rest = typed.split_once("://").map_or(typed, |(_, rest)| rest);
    let host: Domain = rest.split('/').next()?.trim_start_matches('@').parse().ok()?;
    Some(Party { host, handle: None })
}

impl Desk {
    fn set_up(self: &Rc<Self>) {
        let here = self.clone();
        let link = on_click(&self.link.button, move || here.link());
        let here = self.clone();
        let hash = web_sys::window().map(|window| {
            EventListener::new(&window, "hashchange", move |_| {
                let here = here.clone();
                go(async move {
                    // The move that it is about may have been taken up for it.
                    here.reload().await;
                    here.read_hash();
                    here.draw();
                });
            })
        });
        // Somebody has been at the servers' pages meanwhile, perhaps to sign in.
        let here = self.clone();
        let shown = EventListener::new(&document(), "visibilitychange", move |_| {
            if !document().hidden() && here.asking.get() == 0 {
                let here = here.clone();
                here.look_for_accounts();
                go(async move { here.look(false).await });
            }
        });
        let mut kept = self.kept.borrow_mut();
        kept.extend([link, shown]);
        kept.extend(hash);
        for field in &self.link.fields {
            let here = self.clone();
            kept.push(EventListener::new(&field.0, "keydown", move |event| {
                let enter = event.dyn_ref::<web_sys::KeyboardEvent>().is_some_and(|key| key.key() == "Enter");
                if enter && event.is_trusted() {
                    here.link();
                }
            }));
        }
        drop(kept);

        let here = Rc::downgrade(self);
        let stages = Stages::new(move |wish| {
            if let Some(here) = here.upgrade() {
                here.wish(wish);
            }
        });
        for section in [&stages.banner, &stages.list] {
            let _ = self.main.insert_before(section, Some(&self.servers));
        }
        let here = Rc::downgrade(self);
        let messages = Messages::new(move |what| {
            let Some(here) = here.upgrade() else { return };
            match what {
                Tell::Saved(of, messages) => {
                    here.packing.set(false);
                    go(async move { here.send(ToBackground::Saved { of, messages }).await });
                }
                Tell::Running => here.draw(),
                Tell::OpenServer => here.visit(Side::Old, "/settings/export"),
                Tell::Written(name) => here.written(&name),
            }
        });
        let here = Rc::downgrade(self);
        let packing = Lists::new(move |what| {
            let Some(here) = here.upgrade() else { return };
            match what {
                lists::Tell::Packed(of, packed) => {
                    let (lists, blocked) = *packed;
                    let follow = here.packing.replace(false);
                    go(async move {
                        here.send(ToBackground::Packed { of, lists, blocked }).await;
                        if follow {
                            here.save_messages();
                        }
                    });
                }
                lists::Tell::Running => here.draw(),
                lists::Tell::OpenServer => here.visit(Side::Old, "/settings/export"),
                lists::Tell::Written(name) => here.written(&name),
                lists::Tell::Changed => {
                    if let Some(unpacker) = here.unpacker.borrow().as_ref() {
                        unpacker.packed_anew();
                    }
                    here.draw();
                }
            }
        });
        let here = Rc::downgrade(self);
        let unpacker = Unpacker::new(packing.clone(), move |what| {
            let Some(here) = here.upgrade() else { return };
            match what {
                unpack::Tell::Arrived(of, turn, arrived) => {
                    let arrived = Some(arrived);
                    go(async move { here.send(ToBackground::Unpacked { of, turn, arrived }).await });
                }
                unpack::Tell::OpenServer => here.visit(Side::New, "/settings/export"),
                unpack::Tell::Running => here.draw(),
            }
        });
        let here = Rc::downgrade(self);
        let prepare = Prepare::new(move |what| {
            let Some(here) = here.upgrade() else { return };
            match what {
                prepare::Tell::OpenServer(side) => here.visit(side, "/settings/export"),
                prepare::Tell::Running => here.draw(),
                prepare::Tell::Done(deed) => here.done(deed),
                prepare::Tell::Changed => go(async move { here.look(false).await }),
            }
        });
        stages.put(Step::Prepare, prepare.root());
        self.prepare.replace(Some(prepare));
        stages.put(Step::Pack, packing.root());
        stages.put(Step::Pack, &messages.root);
        stages.put(Step::Unpack, unpacker.root());
        self.stages.replace(Some(stages));
        self.set_up_after(packing.clone());
        self.messages.replace(Some(messages));
        self.lists.replace(Some(packing));
        self.unpacker.replace(Some(unpacker));
        let here = Rc::downgrade(self);
        let moves = Moves::new(move |what| {
            let Some(here) = here.upgrade() else { return };
            match what {
                moves::Tell::State(state) => here.take(*state),
                moves::Tell::Anew => begin_anew(),
            }
        });
        let _ = self.main.insert_before(moves.root(), Some(&self.servers));
        self.moves.replace(Some(moves));
        self.tone();

        let here = self.clone();
        chrome::on_stored(move || {
            if let Some(messages) = here.messages.borrow().as_ref() {
                messages.tab_seen();
            }
            if let Some(lists) = here.lists.borrow().as_ref() {
                lists.tab_seen();
            }
            if let Some(unpacker) = here.unpacker.borrow().as_ref() {
                unpacker.tab_seen();
            }
            if let Some(prepare) = here.prepare.borrow().as_ref() {
                prepare.tab_seen();
            }
            let later = here.clone();
            let rest = Timeout::new(REST, move || {
                go(async move {
                    later.reload().await;
                    later.look_who().await;
                });
            });
            here.resting.replace(Some(rest));
        });
    }

    /// What was handed over stands in the journal.
    fn written(self: &Rc<Self>, name: &str) {
        self.done(Deed::downloaded(name, now()));
    }

    fn done(self: &Rc<Self>, deed: Deed) {
        let here = self.clone();
        go(async move { here.send(ToBackground::Done { deed }).await });
    }

    /// What knows and tells: above the checks, before what is packed, and behind everything.
    fn set_up_after(self: &Rc<Self>, packing: Rc<Lists>) {
        let here = Rc::downgrade(self);
        let after = After::new(packing, move |what| {
            let Some(here) = here.upgrade() else { return };
            match what {
                after::Tell::Act(action) => here.act(action),
                after::Tell::Done(deed) => here.done(deed),
            }
        });
        let [start, bridge, forecast, next, report] = after.roots();
        if let Some(stages) = self.stages.borrow().as_ref() {
            let _ = self.main.insert_before(start, Some(&stages.list));
            stages.put(Step::Accounts, bridge);
            stages.put(Step::Move, forecast);
            stages.put(Step::Arrivals, next);
            stages.put(Step::Arrivals, report);
        }
        self.after.replace(Some(after));
    }

    /// Our own page follows the system, so its tone does too.
    fn tone(self: &Rc<Self>) {
        let query = web_sys::window()
            .and_then(|window| window.match_media("(prefers-color-scheme: dark)").ok().flatten());
        let Some(query) = query else { return };
        let mut frames = vec![self.link.section.clone(), self.main.clone()];
        for stages in self.stages.borrow().iter() {
            frames.extend(stages.frames());
        }
        frames.extend(self.messages.borrow().iter().map(|messages| messages.root.clone()));
        frames.extend(self.lists.borrow().iter().map(|lists| lists.root().clone()));
        frames.extend(self.unpacker.borrow().iter().map(|unpacker| unpacker.root().clone()));
        frames.extend(self.prepare.borrow().iter().map(|prepare| prepare.root().clone()));
        frames.extend(self.moves.borrow().iter().map(|moves| moves.root().clone()));
        frames.extend(self.after.borrow().iter().flat_map(|after| after.roots()).cloned());
        let set = move |dark: bool| {
            for frame in &frames {
                let _ = frame.set_attribute("data-tone", if dark { "dark" } else { "light" });
            }
        };
        set(query.matches());
        let now = query.clone();
        self.kept.borrow_mut().push(EventListener::new(&query, "change", move |_| set(now.matches())));
    }

    async fn start(self: &Rc<Self>) {
        self.reload().await;
        self.read_hash();
        self.draw();
        self.look_for_accounts();
        self.look(false).await;
    }

    async fn reload(self: &Rc<Self>) {
        if let Some(state) = chrome::tell_background(&ToBackground::State).await {
            self.take(state);
        }
    }

    /// This is how it stands now.
    fn take(self: &Rc<Self>, state: ToDesk) {
        let before = self.state.replace(state);
        let other = match (&before.store.current, &self.state.borrow().store.current) {
            (Some(before), Some(current)) => !current.names(before) && !before.is_same(current),
            (before, current) => before.is_some() && current.is_none(),
        };
        // Every section holds something of the move that was.
        if other {
            self.leaving.set(true);
            return begin_anew();
        }
        self.draw();
    }

    async fn send(self: &Rc<Self>, message: ToBackground) {
        if let Some(state) = chrome::tell_background(&message).await {
            self.take(state);
        }
    }

    /// `#server=HOST` comes from the toolbar, `#grant=HOST` from a guard that may not look at a server.
    fn read_hash(self: &Rc<Self>) {
        if self.leaving.get() {
            return;
        }
        let hash = document().location().and_then(|location| location.hash().ok()).unwrap_or_default();
        let decoded = js_sys::decode_uri_component(&hash).map(String::from).unwrap_or_default();
        if let Some(Ok(host)) = decoded.strip_prefix("#server=").map(str::parse::<Domain>) {
            let [old, new] = &self.link.fields;
            let free =
                [old, new].into_iter().filter_map(Build::input).find(|input| input.value().trim().is_empty());
            if let Some(input) = free.filter(|_| !self.is_party(&host)) {
                input.set_value(host.as_str());
            }
            self.offer(&host);
        }
        if let Some(Ok(host)) = decoded.strip_prefix("#grant=").map(str::parse::<Domain>) {
            self.offer(&host);
        }
        let errand = decoded.strip_prefix('#').and_then(Errand::of_id);
        if let Some(errand) = errand.filter(|_| self.state.borrow().store.current.is_some()) {
            forget_hash();
            self.errand(errand);
        }
    }

    fn errand(self: &Rc<Self>, errand: Errand) {
        match errand {
            Errand::Save => self.save_messages(),
            Errand::Pack => self.pack(),
            Errand::Unpack => self.unpack(),
            Errand::Profile | Errand::Announce => self.prepare(errand),
        }
    }

    fn prepare(&self, errand: Errand) {
        self.show_lists();
        let prepare = self.prepare.borrow();
        let Some(prepare) = prepare.as_ref() else { return };
        if errand == Errand::Announce {
            return prepare.show_posts();
        }
        prepare.root().scroll_into_view();
        prepare.start();
    }

    fn unpack(self: &Rc<Self>) {
        self.show_lists();
        if let Some(unpacker) = self.unpacker.borrow().as_ref() {
            self.open(Step::Unpack);
            unpacker.root().scroll_into_view();
            unpacker.start();
        }
    }

    fn pack(self: &Rc<Self>) {
        self.show_lists();
        if let Some(lists) = self.lists.borrow().as_ref() {
            self.open(Step::Pack);
            lists.root().scroll_into_view();
            lists.start();
        }
    }

    fn show_lists(&self) {
        let current = self.state.borrow().store.current.clone();
        let dossier = self.dossier();
        if let Some(lists) = self.lists.borrow().as_ref() {
            let blocked = current.as_ref().and_then(|current| current.saved.blocked.as_ref());
            lists.show(current.as_ref().map(|current| &current.old), people(&dossier), blocked);
        }
        if let Some(unpacker) = self.unpacker.borrow().as_ref() {
            let turn = current.as_ref().map_or(0, |current| current.turn);
            unpacker.show(current.as_ref().map(|current| &current.new), turn);
        }
        if let Some(prepare) = self.prepare.borrow().as_ref() {
            prepare.show(current.as_ref().map(|current| (&current.old, &current.new)), &dossier);
        }
    }

    fn save_messages(self: &Rc<Self>) {
        self.show_messages();
        if let Some(messages) = self.messages.borrow().as_ref() {
            self.open(Step::Pack);
            messages.root.scroll_into_view();
            messages.start();
        }
    }

    fn show_messages(&self) {
        let old = self.state.borrow().store.current.as_ref().map(|current| current.old.clone());
        let estimate = message_requests(&self.dossier());
        if let Some(messages) = self.messages.borrow().as_ref() {
            messages.show(old.as_ref(), estimate);
        }
    }

    fn is_party(&self, host: &Domain) -> bool {
        let state = self.state.borrow();
        state.store.current.iter().any(|current| current.old.host == *host || current.new.host == *host)
    }

    fn granted(&self, host: &Domain) -> bool {
        self.state.borrow().granted.iter().any(|granted| granted.host() == host.host())
    }

    /// One server, one reason, one button.
    fn offer(self: &Rc<Self>, host: &Domain) {
        clear(&self.grant);
        if self.granted(host) {
            return;
        }
        let button = make("button")
            .attr("type", "button")
            .attr("data-action", "grant")
            .text(&speak(&say("action_grant").with(host)));
        let section = make("section")
            .class("frame")
            .attr("aria-labelledby", "grant-title")
            .child(make("h2").attr("id", "grant-title").text(&speak(&say("grant_title").with(host))))
            .child(make("p").class("then").text(&speak(&say("grant_why").with(host))))
            .child(make("div").class("actions").child(&button));
        let tone = self.main.get_attribute("data-tone").unwrap_or_default();
        let _ = self.grant.append_child(section.attr("data-tone", &tone).as_ref());
        let (here, host) = (self.clone(), host.clone());
        let click = on_click(&button.0, move || {
            // The browser shows its prompt only inside the click itself.
            let asked = chrome::request(&[host.pattern()]);
            let here = here.clone();
            go(async move {
                let given = match asked {
                    Ok(promise) => JsFuture::from(promise).await.is_ok_and(|given| given.is_truthy()),
                    Err(_) => false,
                };
                if given {
                    clear(&here.grant);
                    here.reload().await;
                    here.look_for_accounts();
                    here.look(false).await;
                } else {
                    here.tell("status_not_granted");
                }
            });
        });
        self.kept.borrow_mut().push(click);
    }

    /// Reads both fields, asks for both servers in one prompt, and links.
    fn link(self: &Rc<Self>) {
        let typed = |at: usize| self.link.fields[at].input().map(|input| input.value()).unwrap_or_default();
        let parties = [party(&typed(0)), party(&typed(1))];
        for (field, party) in self.link.fields.iter().zip(&parties) {
            let _ = field.0.set_attribute("aria-invalid", if party.is_some() { "false" } else { "true" });
        }
        let [Some(old), Some(new)] = parties else {
            let first = if parties[0].is_none() { 0 } else { 1 };
            set_text(&self.link.error, &text(if first == 0 { "link_error_old" } else { "link_error_new" }));
            let _ = self.link.fields[first].0.focus();
            return;
        };
        let same = match (&old.handle, &new.handle) {
            (Some(old), Some(new)) => old.is_same(new),
            // Two accounts on one server can be told apart by their handles only.
            _ => old.host == new.host,
        };
        if same {
            set_text(&self.link.error, &text("link_error_same"));
            return;
        }
        set_text(&self.link.error, "");
        let mut patterns = vec![old.host.pattern(), new.host.pattern()];
        patterns.dedup();
        let asked = chrome::request(&patterns);
        let here = self.clone();
        go(async move {
            let given = match asked {
                Ok(promise) => JsFuture::from(promise).await.is_ok_and(|given| given.is_truthy()),
                Err(_) => false,
            };
            if !given {
                set_text(&here.link.error, &text("status_not_granted"));
                return;
            }
            here.editing.set(false);
            here.send(ToBackground::Link { old, new }).await;
            here.look(false).await;
        });
    }

    /// Looks at both accounts, each in a tab of its server where there is one, and at the new one from outside.
    async fn look(self: &Rc<Self>, deep: bool) {
        let Some(current) = self.state.borrow().store.current.clone() else { return };
        self.asking.set(self.asking.get() + 1);
        self.draw();
        for side in [Side::Old, Side::New] {
            let presence = self.survey(side, &current).await;
            self.presence.borrow_mut()[side as usize] = presence;
            self.draw();
        }
        self.looked.set(true);
        self.send(ToBackground::Outside { deep }).await;
        self.asking.set(self.asking.get().saturating_sub(1));
        self.draw();
    }

    /// A tab has told something: whoever was missing may be there now.
    async fn look_who(self: &Rc<Self>) {
        self.look_for_accounts();
        let Some(current) = self.state.borrow().store.current.clone() else { return };
        if self.asking.get() > 0 {
            return;
        }
        for side in [Side::Old, Side::New] {
            if !self.presence.borrow()[side as usize].may_change() {
                continue;
            }
            let (presence, _) = look_for(current.party(side), Some(current.party(other(side)))).await;
            let changed = self.presence.borrow()[side as usize] != presence;
            if changed && self.asking.get() == 0 {
                self.presence.borrow_mut()[side as usize] = presence;
                self.draw();
            }
        }
    }

    /// Where accounts are named, those that are signed in are offered.
    fn look_for_accounts(&self) {
        let shown = self.state.borrow().store.current.is_none() || self.editing.get();
        if shown {
            self.seen.look(&self.state.borrow().granted.clone());
        }
    }

    async fn survey(self: &Rc<Self>, side: Side, current: &Move) -> Presence {
        let party = current.party(side);
        if !self.granted(&party.host) {
            return Presence::NotGranted;
        }
        let others = current.party(other(side));
        let (presence, found) = look_for(party, Some(others)).await;
        let Some(found) = found else { return presence };
        let Ok(answer) = reply::page(&found.reply) else { return presence };
        let page = BrowserParser.parse(&answer.body);
        let facts = read_page(answer.plain_path(), page.as_ref(), now());
        let session = session_of(&found.reply);
        let handle = AccountFacts::value(&facts.handle).cloned();
        self.send(ToBackground::Learn { host: party.host.clone(), handle: handle.clone(), facts }).await;
        let mut job =
            Survey::new(&check::wants(side, None), &party.host, session.as_ref(), Some(&others.host));
        let me = session.as_ref().map(|session| session.account.id.as_str());
        ask::in_tab_all(found.tab, &mut job, me).await;
        let handle = AccountFacts::value(&job.learned().handle).cloned().or(handle);
        self.send(ToBackground::Learn { host: party.host.clone(), handle, facts: job.learned().clone() })
            .await;
        presence
    }

    fn dossier(&self) -> Dossier {
        let state = self.state.borrow();
        let mut dossier = state.store.dossier(&state.granted);
        dossier.asking = self.asking.get() > 0;
        dossier.target_granted = dossier.new_host.as_ref().is_some_and(|host| self.granted(host));
        dossier
    }

    // --- drawing ---

    fn draw(self: &Rc<Self>) {
        if self.leaving.get() {
            return;
        }
        let linked = self.state.borrow().store.current.is_some();
        let _ = self.main.set_attribute("data-view", if linked { "move" } else { "start" });
        self.link.section.set_hidden(linked && !self.editing.get());
        self.drawn.borrow_mut().clear();
        let dossier = self.dossier();
        let findings = check::all(&dossier, now());
        self.draw_intro(linked);
        for side in [Side::Old, Side::New] {
            self.draw_card(side, &dossier);
        }
        self.draw_servers();
        if let Some(moves) = self.moves.borrow().as_ref() {
            moves.show(&self.state.borrow().store);
        }
        self.show_messages();
        self.show_lists();
        if let Some(after) = self.after.borrow().as_ref() {
            after.show(&dossier, self.state.borrow().store.current.as_ref());
        }
        let next = findings.iter().filter_map(|finding| finding.until).filter(|until| *until > now()).min();
        let due = next.and_then(|until| u32::try_from(until.since(now()) + 250).ok()).map(|millis| {
            let here = self.clone();
            Timeout::new(millis, move || go(async move { here.look(false).await }))
        });
        self.due.replace(due);
        self.draw_stages(&dossier, &findings, linked);
        self.main.set_hidden(false);
        let _ = self.main.set_attribute("data-ready", "");
    }

    fn draw_intro(&self, linked: bool) {
        clear(&self.intro);
        let (title, lead) = if linked { ("desk_title", "desk_lead") } else { ("start_title", "start_lead") };
        let _ = self.intro.append_child(make("h1").text(&text(title)).as_ref());
        let _ = self.intro.append_child(make("p").text(&text(lead)).as_ref());
    }

    fn draw_card(self: &Rc<Self>, side: Side, dossier: &Dossier) {
        let card = &self.cards[side as usize];
        clear(card);
        let current = self.state.borrow().store.current.clone();
        card.set_hidden(current.is_none());
        let Some(current) = current else { return };
        let (party, facts) = (current.party(side), dossier.facts(side));
        let name = match &party.handle {
            Some(handle) => format!("@{handle}"),
            None => party.host.to_string(),
        };
        let label = text(if side == Side::Old { "card_old" } else { "card_new" });
        let _ = card.append_child(make("p").class("label").text(&label).as_ref());
        let _ = card.append_child(make("h2").text(&name).as_ref());
        let rows = known_rows(facts, side);
        if rows.is_empty() {
            let _ = card.append_child(make("p").class("nothing").text(&text("card_nothing")).as_ref());
        } else {
            let list = make("dl").children(
                rows.into_iter()
                    .flat_map(|(label, value)| [make("dt").text(&text(label)), make("dd").text(&value)]),
            );
            let _ = card.append_child(list.as_ref());
        }
        let presence = self.presence.borrow()[side as usize].clone();
        let _ = card.set_attribute("data-presence", presence.id());
        if let Some(words) = presence.say(party) {
            let class = if presence.is_here() { "nothing" } else { "trouble" };
            let _ = card.append_child(make("p").class(class).text(&speak(&words)).as_ref());
        }
        let path = if side == Side::Old { "/settings/migration" } else { "/settings/aliases" };
        let path = match presence.next() {
            Next::Open(SIGN_IN_PAGE) => SIGN_IN_PAGE,
            Next::Open(ACCOUNT_PAGE) => ACCOUNT_PAGE,
            _ => path,
        };
        let label = match path {
            SIGN_IN_PAGE => "action_sign_in_on",
            _ if matches!(presence, Presence::Other(_) | Presence::OtherSide(_)) => "action_switch_account",
            _ => "action_open_server",
        };
        let open = make("button").class("secondary").attr("type", "button");
        let (here, host) = (self.clone(), party.host.clone());
        let open = if presence.next() == Next::Allow {
            let open =
                open.attr("data-action", "allow").text(&speak(&say("action_allow_server").with(&party.host)));
            self.drawn.borrow_mut().push(on_click(&open.0, move || {
                here.offer(&host);
                here.grant.scroll_into_view();
            }));
            open
        } else {
            let open = open.attr("data-action", "visit").text(&speak(&say(label).with(&party.host)));
            let url = format!("{}{path}", party.host.origin());
            self.drawn.borrow_mut().push(on_click(&open.0, move || {
                let url = url.clone();
                go(async move { chrome::open_tab(&url).await });
            }));
            open
        };
        let _ = card.append_child(make("div").class("actions").child(open).as_ref());
    }

    fn draw_stages(&self, dossier: &Dossier, findings: &[Finding], linked: bool) {
        let stages = self.stages.borrow();
        let Some(view) = stages.as_ref() else { return };
        view.list.set_hidden(!linked);
        view.banner.set_hidden(!linked);
        if !linked {
            return;
        }
        let aside = self.state.borrow().store.current.as_ref().map(|now| now.aside.clone());
        let aside = aside.unwrap_or_default();
        let presence = self.presence.borrow().clone();
        let around = Around {
            presence: &presence,
            busy: self.busy(),
            chosen: self.prepare.borrow().as_ref().and_then(|prepare| prepare.offer()),
            laid: self.unpacker.borrow().as_ref().and_then(|unpacker| unpacker.offer()),
            aside: &aside,
            plan: self.plan(dossier),
        };
        let stages = steps::stages(dossier, findings, &around);
        // Before the first look nothing is known of who is signed in.
        let next = self.looked.get().then(|| steps::next(dossier, findings, &stages, &around));
        let is_next = |step: Step| {
            presence[1].is_here()
                && next.as_ref().is_some_and(|next| next.step == step && next.todo != Todo::Nothing)
        };
        let ahead = is_next(Step::Unpack);
        let prepare = self.prepare.borrow().clone();
        let known = prepare.as_ref().is_some_and(|prepare| prepare.has_read(Side::Old));
        let profiles = is_next(Step::Prepare)
            && (presence[0].is_here() || known)
            && next.as_ref().is_some_and(|next| next.check == Some("profile"));
        view.show(&stages, findings, next, &aside);
        if let Some(prepare) = prepare {
            let old_is_here = presence[0].is_here();
            go(async move {
                if profiles {
                    prepare.look_ahead();
                } else if old_is_here {
                    prepare.look_at_old();
                }
            });
        }
        // What will be unpacked is known only when the new account was looked at.
        if ahead && let Some(unpacker) = self.unpacker.borrow().clone() {
            go(async move { unpacker.look_ahead() });
        }
    }

    fn busy(&self) -> Option<Busy> {
        let packs = self.messages.borrow().as_ref().is_some_and(|messages| messages.is_running())
            || self.lists.borrow().as_ref().is_some_and(|lists| lists.is_running());
        if packs {
            return Some(Busy::Packs);
        }
        let prepares = self.prepare.borrow().as_ref().and_then(|prepare| prepare.busy());
        prepares.or_else(|| self.unpacker.borrow().as_ref().and_then(|unpacker| unpacker.busy()))
    }

    /// Requests and minutes that packing takes, as far as it can be told beforehand.
    fn plan(&self, dossier: &Dossier) -> Option<(u64, u64)> {
        let requests = message_requests(dossier)? + lists::requests(people(dossier)?);
        let time = Budget::new().time_for(requests, requests / 2, now());
        Some((requests, (time / MINUTE).unsigned_abs() + requests / 200 + 1))
    }

    fn open(&self, step: Step) {
        if let Some(stages) = self.stages.borrow().as_ref() {
            stages.open(step);
        }
    }

    fn draw_servers(self: &Rc<Self>) {
        clear(&self.servers);
        let granted = self.state.borrow().granted.clone();
        let linked = self.state.borrow().store.current.is_some();
        self.servers.set_hidden(granted.is_empty() && !linked);
        let _ = self.servers.append_child(make("h2").text(&text("servers_title")).as_ref());
        let _ = self.servers.append_child(make("p").text(&text("servers_why")).as_ref());
        let list = make("ul").children(
            granted
                .iter()
                .map(|host| {
                    let button = make("button")
                        .class("secondary")
                        .attr("type", "button")
                        .attr("data-action", "revoke");
                    let button = button.attr("data-server", host.as_str()).text(&text("action_revoke"));
                    let button = button.attr("aria-label", &speak(&say("action_revoke_server").with(host)));
                    let (here, pattern) = (self.clone(), host.pattern());
                    self.drawn.borrow_mut().push(on_click(&button.0, move || {
                        let (here, pattern) = (here.clone(), pattern.clone());
                        go(async move {
                            chrome::revoke(&[pattern]).await;
                            here.reload().await;
                        });
                    }));
                    make("li").child(make("span").text(&host.to_string())).child(button)
                })
                .collect::<Vec<_>>(),
        );
        let _ = self.servers.append_child(list.as_ref());
        if linked {
            let change =
                make("button").class("secondary").attr("type", "button").attr("data-action", "change");
            let change = change.text(&text("action_change"));
            let here = self.clone();
            self.drawn.borrow_mut().push(on_click(&change.0, move || here.edit()));
            let _ = self.servers.append_child(make("p").class("forget").child(change).as_ref());
        }
    }

    fn tell(&self, key: &str) {
        self.tell_words(&text(key));
    }

    fn tell_words(&self, words: &str) {
        if let Some(stages) = self.stages.borrow().as_ref() {
            stages.tell(words);
        }
    }

    // --- doing ---

    fn wish(self: &Rc<Self>, wish: Wish) {
        let here = self.clone();
        match wish {
            Wish::Do(Todo::Nothing) => {}
            Wish::Do(Todo::SignIn(side)) => {
                self.visit(side, if side == Side::Old { "/settings/export" } else { "/settings/aliases" });
            }
            Wish::Do(Todo::PackAll) => self.pack_all(),
            Wish::Do(Todo::Carry) => {
                if let Some(prepare) = self.prepare.borrow().as_ref() {
                    prepare.carry_chosen();
                }
            }
            Wish::Do(Todo::UnpackPlan) => {
                if let Some(unpacker) = self.unpacker.borrow().as_ref() {
                    unpacker.unpack_planned();
                }
            }
            Wish::Do(Todo::OpenForm) => self.visit(Side::Old, FORM),
            Wish::Do(Todo::Act(action)) => self.act(action),
            Wish::Aside(check, aside) => {
                let check = check.to_owned();
                go(async move { here.send(ToBackground::Aside { check, aside }).await });
            }
        }
    }

    /// Everything that is not packed yet: the lists first, since they take less time.
    fn pack_all(self: &Rc<Self>) {
        let open = |id: &str| {
            check::all(&self.dossier(), now())
                .iter()
                .any(|finding| finding.check == id && finding.outcome != Outcome::Pass)
        };
        let messages = open("messages-saved");
        if open("follows-saved") || open("lists-saved") {
            self.packing.set(messages);
            self.pack();
        } else {
            self.save_messages();
        }
    }

    fn act(self: &Rc<Self>, action: Action) {
        let here = self.clone();
        match action {
            Action::Visit { side, path, .. } => self.visit(side, path),
            Action::Grant(domain) => {
                self.offer(&domain);
                self.grant.scroll_into_view();
            }
            Action::LookAgain => go(async move { here.look(false).await }),
            Action::LookOutside => go(async move { here.look(true).await }),
            Action::MakeAlias => go(async move { here.make_alias().await }),
            // There is no form here to put a handle into; the desk's own fields are for the link.
            Action::UseHandle(_) | Action::OpenDesk => self.edit(),
            Action::SaveMessages => self.save_messages(),
            Action::Pack => self.errand(Errand::Pack),
            Action::Unpack => self.errand(Errand::Unpack),
            Action::Profile => self.errand(Errand::Profile),
            Action::Announce => self.errand(Errand::Announce),
        }
    }

    /// Both fields again, as they are now, to be put right.
    fn edit(self: &Rc<Self>) {
        self.editing.set(true);
        if let Some(current) = &self.state.borrow().store.current {
            for (field, party) in self.link.fields.iter().zip([&current.old, &current.new]) {
                let now = party.handle.as_ref().map_or_else(|| party.host.as_str().to_owned(), Handle::acct);
                if let Some(input) = field.input().filter(|input| input.value().trim().is_empty()) {
                    input.set_value(&now);
                }
            }
        }
        self.draw();
        self.look_for_accounts();
        self.link.section.scroll_into_view();
        let _ = self.link.fields[1].0.focus();
    }

    fn visit(&self, side: Side, path: &str) {
        let party = self.state.borrow().store.current.as_ref().map(|current| current.party(side).clone());
        let Some(party) = party else { return };
        let url = format!("{}{path}", party.host.origin());
        go(async move { chrome::open_tab(&url).await });
    }

    /// Through the agent in a tab of the new server, where the right account is signed in; else its page is opened.
    async fn make_alias(self: &Rc<Self>) {
        let current = self.state.borrow().store.current.clone();
        let Some(current) = current else { return };
        let (Some(old), Some(new)) = (&current.old.handle, &current.new.handle) else {
            return self.visit(Side::New, "/settings/aliases");
        };
        for tab in chrome::tabs(&tab_patterns(&current.new.host)).await {
            let page = ask::in_tab(tab, request::aliases_page()).await;
            let Ok(answer) = reply::very_page(&page, &request::aliases_page()) else { continue };
            let session = Session::read(BrowserParser.parse(&answer.body).as_ref());
            if !session.is_some_and(|session| session.account.handle.is_same(new)) {
                continue;
            }
            let reply = ask::in_tab(tab, request::create_alias(old)).await;
            let words = match reply::page(&reply) {
                Ok(answer) => {
                    let page = BrowserParser.parse(&answer.body);
                    let mut facts = read_page(answer.plain_path(), page.as_ref(), now());
                    let made = facts.alias_for(old).is_some();
                    for row in facts.aliases.iter_mut().flat_map(|known| &mut known.value) {
                        row.made_lately = row.handle.is_same(old);
                    }
                    let refused = aliases::read(page.as_ref(), None).refused;
                    self.send(ToBackground::Learn {
                        host: current.new.host.clone(),
                        handle: Some(new.clone()),
                        facts,
                    })
                    .await;
                    match refused {
                        _ if made => speak(&say("status_alias_made").with(old)),
                        Some(refused) => {
                            speak(&say("status_alias_refused").with(&current.new.host).with(refused.as_str()))
                        }
                        None => speak(&say("status_alias_not_there").with(&current.new.host)),
                    }
                }
                Err(_) => speak(&say("status_alias_no_answer").with(&current.new.host)),
            };
            self.tell_words(&words);
            return self.look(false).await;
        }
        self.visit(Side::New, "/settings/aliases");
    }
}

/// Mastodon's own form, into which the guard puts the new handle (`src/web/guard.rs`).
const FORM: &str = "/settings/migration#packed-trunk";

/// Followers and those followed, as far as known.
fn people(dossier: &Dossier) -> Option<u64> {
    let known = |fact| AccountFacts::value::<u64>(fact).copied();
    let counts = AccountFacts::value(&dossier.old.counts);
    let people = [
        known(&dossier.old.followers).or(counts.and_then(|counts| counts.followers)),
        known(&dossier.old.following).or(counts.and_then(|counts| counts.follows)),
    ];
    people.iter().flatten().copied().reduce(|one, other| one + other)
}

/// The lists, one's own posts, and one or two pages of everybody in a conversation.
fn message_requests(dossier: &Dossier) -> Option<u64> {
    AccountFacts::value(&dossier.old.messages).map(|messages| {
        let posts = AccountFacts::value(&dossier.old.posts).copied().unwrap_or(0);
        8 + posts / 40 + 2 * messages.conversations.len() as u64
    })
}

fn known_rows(facts: &AccountFacts, side: Side) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(version) = AccountFacts::value(&facts.version) {
        rows.push(("card_version", version.text.clone()));
    }
    if let Some(email) = AccountFacts::value(&facts.email) {
        let key = match email {
            Email::Confirmed => "card_email_confirmed",
            Email::Unconfirmed => "card_email_unconfirmed",
            Email::AwaitsApproval => "card_email_approval",
            Email::Held => "card_email_held",
        };
        rows.push(("card_email", text(key)));
    }
    if let Some(followers) = AccountFacts::value(&facts.followers) {
        rows.push(("card_followers", number(*followers)));
    }
    if let Some(following) = AccountFacts::value(&facts.following) {
        rows.push(("card_following", number(*following)));
    }
    if let (Side::Old, Some(messages)) = (side, AccountFacts::value(&facts.messages)) {
        let count = messages.conversations.len();
        let more = messages.more.then(|| speak(&say("card_more_than").with(count)));
        rows.push(("card_conversations", more.unwrap_or_else(|| number(count as u64))));
    }
    if let (Side::New, Some(locked)) = (side, AccountFacts::value(&facts.locked)) {
        rows.push(("card_locked", text(if *locked { "yes" } else { "no" })));
    }
    if let Some(seen) = facts.last_seen().filter(|seen| *seen > Time(0)) {
        rows.push(("card_seen", speak(&say("day_and_time").with(Part::Day(seen)).with(Part::Clock(seen)))));
    }
    rows
}
