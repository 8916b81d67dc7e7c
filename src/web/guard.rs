//! What we show inside Mastodon's own preferences pages.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use gloo_timers::callback::Timeout;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::{
    Element, HtmlButtonElement, HtmlElement, HtmlFormElement, HtmlInputElement, ShadowRootInit,
    ShadowRootMode, SubmitEvent,
};

use super::dom::{clear, document, make, on_click};
use super::markup::{BrowserParser, Page};
use super::panel::{Panel, STYLE, head};
use super::shelf::Shelf;
use super::words::{direction, language, speak, text};
use super::{ask, chrome, go, now};
use crate::account::{Domain, Handle, HandleError, handle_here, handle_in_link};
use crate::check::{self, Action, Finding, Outcome};
use crate::job::Job;
use crate::job::survey::{Survey, Want, read_page};
use crate::protocol::{Errand, Surveyed, ToBackground, ToTab};
use crate::say::say;
use crate::server::markup::Parser;
use crate::server::page::{PageKind, aliases, migration};
use crate::server::reply;
use crate::server::request;
use crate::server::session::Session;
use crate::trunk::dossier::{AccountFacts, Dossier, Side, Target};
use crate::trunk::store::{View, acts_as_with};
use crate::when::{Known, Source};

/// How long typing has to rest before we look.
const REST: u32 = 400;

struct Guard {
    kind: PageKind,
    host: Domain,
    session: Option<Session>,
    /// What this tab has learned of its own account.
    own: RefCell<AccountFacts>,
    view: RefCell<View>,
    typed: RefCell<String>,
    /// Requests under way; while there are any, what is missing is being looked for.
    asking: Cell<u32>,
    panel: RefCell<Option<Panel>>,
    shelf: RefCell<Option<Rc<Shelf>>>,
    box_: HtmlElement,
    frame: HtmlElement,
    question: HtmlElement,
    /// The person was asked and goes on.
    warned: Cell<bool>,
    due: RefCell<Option<Timeout>>,
    resting: RefCell<Option<Timeout>>,
    listeners: RefCell<Vec<EventListener>>,
}

/// Starts the guard, if this page is one of those on which it has something to say.
#[wasm_bindgen]
pub fn guard() -> bool {
    let document = document();
    let Some(location) = document.location() else { return false };
    let path = location.pathname().unwrap_or_default();
    let page = Page(document.clone());
    let Some(kind) = PageKind::detect(&path, &page) else { return false };
    let Some(host) = location.host().ok().and_then(|host| host.parse::<Domain>().ok()) else { return false };
    let Some((box_, frame, question)) = attach(kind) else { return false };

    let session = Session::read(&page);
    let own = read_page(&path, &page, now());
    let guard = Rc::new(Guard {
        kind,
        host,
        session,
        own: RefCell::new(own),
        view: RefCell::default(),
        typed: RefCell::new(typed_now().unwrap_or_default()),
        asking: Cell::new(0),
        panel: RefCell::new(None),
        shelf: RefCell::new(None),
        box_,
        frame,
        question,
        warned: Cell::new(false),
        due: RefCell::new(None),
        resting: RefCell::new(None),
        listeners: RefCell::default(),
    });
    note_refusal(&guard, &page);
    listen(&guard);
    go(async move { guard.start().await });
    true
}

/// Puts our one node into the page: a plain `div` with a closed shadow root.
fn attach(kind: PageKind) -> Option<(HtmlElement, HtmlElement, HtmlElement)> {
    let document = document();
    if document.get_element_by_id("packed-trunk").is_some() {
        return None;
    }
    let place = kind.place();
    let container = document.query_selector(place.container).ok().flatten()?;
    let host = make("div").attr("id", "packed-trunk").attr("data-page", kind.id());
    let shadow = host.0.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Closed)).ok()?;
    // Our words may be of another language than the page.
    let frame = make("section").class("frame").attr("aria-labelledby", "title").attr("lang", &language());
    let frame = frame.attr("dir", &direction()).0;
    let question = make("div").0;
    let _ = shadow.append_child(make("style").text(STYLE).as_ref());
    let _ = shadow.append_child(&frame);
    let heading = place.after.and_then(|selector| {
        let children = container.children();
        (0..children.length())
            .filter_map(|at| children.item(at))
            .find(|child| child.matches(selector).unwrap_or(false))
    });
    let before = match &heading {
        Some(heading) => heading.next_sibling(),
        None => container.first_child(),
    };
    container.insert_before(&host.0, before.as_ref()).ok()?;
    tone(&frame, &container);
    Some((host.0, frame, question))
}

/// Light accents or dark ones, by the colour of the text around us: Mastodon's theme need not be the system's.
fn tone(frame: &HtmlElement, around: &Element) {
    let color = web_sys::window()
        .and_then(|window| window.get_computed_style(around).ok().flatten())
        .and_then(|style| style.get_property_value("color").ok())
        .unwrap_or_default();
    // "rgb(221, 221, 221)"
    let parts = color.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u32>().ok());
    let bright = parts.take(3).sum::<u32>() > 3 * 127;
    let _ = frame.set_attribute("data-tone", if bright { "dark" } else { "light" });
}

fn field() -> Option<HtmlInputElement> {
    document().query_selector(migration::HANDLE_FIELD).ok().flatten()?.dyn_into().ok()
}

fn typed_now() -> Option<String> {
    // Five megabytes in a field are no handle; what is not read cannot freeze the page.
    let field = field()?;
    Some(field.value().chars().take(3_000).collect())
}

/// After a refused attempt the old server has just read the new account's document, or tried to.
fn note_refusal(guard: &Guard, page: &Page) {
    if guard.kind != PageKind::Migration {
        return;
    }
    let seen = migration::read(page);
    if seen.handle_refused {
        guard.view.borrow_mut().new.move_refused = Some(Known::new((), now(), Source::OwnPage));
    }
}

fn listen(guard: &Rc<Guard>) {
    let mut listeners = guard.listeners.borrow_mut();
    if let Some(field) = field() {
        let here = guard.clone();
        listeners.push(EventListener::new(&field, "input", move |_| here.typing()));
    }
    let form = document()
        .query_selector(migration::FORM)
        .ok()
        .flatten()
        .and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
    // A redirect alone can be cancelled; the move cannot be taken back.
    if let Some(form) = form.filter(|_| guard.kind == PageKind::Migration) {
        let here = guard.clone();
        let options =
            EventListenerOptions { phase: gloo_events::EventListenerPhase::Capture, passive: false };
        let submitted = form.clone();
        listeners.push(EventListener::new_with_options(&form, "submit", options, move |event| {
            if here.must_ask() {
                event.prevent_default();
                event.stop_propagation();
                let button = event.dyn_ref::<SubmitEvent>().and_then(SubmitEvent::submitter);
                here.ask_once_more(&submitted, button);
            }
        }));
    }
    // Mastodon may follow the system from light to dark while the page is open.
    let scheme = web_sys::window()
        .and_then(|window| window.match_media("(prefers-color-scheme: dark)").ok().flatten());
    if let (Some(scheme), Some(around)) = (scheme, guard.box_.parent_element()) {
        let frame = guard.frame.clone();
        listeners.push(EventListener::new(&scheme, "change", move |_| tone(&frame, &around)));
    }
    drop(listeners);

    let here = guard.clone();
    chrome::on_message(move |message| here.told(message));
}

impl Guard {
    fn side(&self) -> Side {
        self.view.borrow().side.unwrap_or_else(|| acts_as_with(self.kind, &self.own.borrow()))
    }

    fn handle(&self) -> Option<Handle> {
        AccountFacts::value(&self.own.borrow().handle).cloned()
    }

    fn typed(&self) -> Option<Handle> {
        self.meant(&self.typed.borrow(), &self.view.borrow()).ok()
    }

    /// A name alone is an account of this very server (facts 3.2, 2): taken so where the move is to one.
    fn meant(&self, typed: &str, view: &View) -> Result<Handle, HandleError> {
        let session = self.session.as_ref();
        let home = session
            .map(|session| &session.domain)
            .filter(|_| view.new_party.as_ref().is_some_and(|party| party.host == self.host));
        match (typed.parse::<Handle>(), home) {
            (Err(HandleError::NoDomain), Some(home)) => handle_here(typed, home),
            (read, _) => read,
        }
    }

    async fn start(self: &Rc<Self>) {
        self.asking.set(1);
        if !self.hello().await {
            return self.leave();
        }
        self.draw_frame();
        self.fill();
        self.show();
        let _ = self.box_.set_attribute("data-ready", "");
        self.look(false).await;
        self.asking.set(self.asking.get().saturating_sub(1));
        self.show();
    }

    /// The desk leads here with the new handle to be filled in. What stands in the field already stays, and nothing is sent.
    fn fill(self: &Rc<Self>) {
        let asked = document().location().and_then(|location| location.hash().ok());
        if self.kind != PageKind::Migration || asked.as_deref() != Some("#packed-trunk") {
            return;
        }
        let view = self.view.borrow();
        let handle = view.new_party.as_ref().and_then(|party| party.handle.clone());
        let ours = view.side == Some(Side::Old);
        drop(view);
        let free = |field: &HtmlInputElement| !field.disabled() && field.value().trim().is_empty();
        if let (true, Some(handle), Some(field)) = (ours, handle, field().filter(free)) {
            field.set_value(&handle.acct());
            self.typed.replace(handle.acct());
            self.tell_words(&speak(&say("guard_filled").with(&handle)));
        }
    }

    /// Tells the background what this page says, and hears what else is known. `false`: nobody answers, or our server is
    /// not allowed any more.
    async fn hello(&self) -> bool {
        let facts = self.own.borrow().clone();
        self.exchange(|typed| ToBackground::Hello { page: self.kind, handle: self.handle(), typed, facts })
            .await
    }

    /// An answer about a handle that is not typed any more is not taken.
    async fn exchange(&self, message: impl FnOnce(Option<Handle>) -> ToBackground) -> bool {
        let typed = self.typed();
        let view = chrome::tell_background::<_, View>(&message(typed.clone())).await;
        if typed == self.typed() { self.take(view) } else { view.is_some() }
    }

    async fn ask_background(&self, deep: bool) {
        self.exchange(|typed| ToBackground::Look { page: self.kind, handle: self.handle(), typed, deep })
            .await;
    }

    /// Not ours to speak here any more: updated, removed, or the server is not allowed.
    fn leave(&self) {
        self.box_.remove();
        self.shelf.replace(None);
        self.listeners.borrow_mut().clear();
        self.due.replace(None);
        self.resting.replace(None);
    }

    fn take(&self, view: Option<View>) -> bool {
        let Some(mut view) = view else { return false };
        // What this tab knows is not always reported yet.
        match view.side.unwrap_or_else(|| acts_as_with(self.kind, &self.own.borrow())) {
            Side::Old => {
                view.old.learn(self.own.borrow().clone());
                let refused = self.view.borrow().new.move_refused.clone();
                view.new.move_refused = refused;
            }
            Side::New => view.new.learn(self.own.borrow().clone()),
        }
        self.view.replace(view);
        true
    }

    /// Asks the own server, then the other account's tab and the outside.
    async fn look(self: &Rc<Self>, deep: bool) {
        let wants = check::wants(self.side(), Some(self.kind));
        self.survey(&wants).await;
        self.hello().await;
        self.show();
        self.ask_background(deep).await;
    }

    async fn survey(self: &Rc<Self>, wants: &[Want]) {
        let other = {
            let view = self.view.borrow();
            match self.side() {
                Side::Old => view.new_party.as_ref(),
                Side::New => view.old_party.as_ref(),
            }
            .map(|party| party.host.clone())
        };
        let mut job = Survey::new(wants, &self.host, self.session.as_ref(), other.as_ref());
        ask::here(&mut job, |facts| {
            self.learn(facts.clone());
            self.show();
        })
        .await;
    }

    fn learn(&self, facts: AccountFacts) {
        let mut view = self.view.borrow_mut();
        match view.side.unwrap_or_else(|| acts_as_with(self.kind, &self.own.borrow())) {
            Side::Old => view.old.learn(facts.clone()),
            Side::New => view.new.learn(facts.clone()),
        }
        self.own.borrow_mut().learn(facts);
    }

    /// Looks again, with the person told that we do.
    fn look_again(self: &Rc<Self>, deep: bool) {
        let here = self.clone();
        self.asking.set(self.asking.get() + 1);
        self.tell("status_looking");
        self.show();
        go(async move {
            if !here.hello().await {
                return here.leave();
            }
            here.look(deep).await;
            here.asking.set(here.asking.get().saturating_sub(1));
            here.tell("status_looked");
            here.show();
        });
    }

    /// A word from the background.
    fn told(self: &Rc<Self>, message: JsValue) -> Promise {
        let here = self.clone();
        future_to_promise(async move {
            match chrome::from_js::<ToTab>(message) {
                Some(ToTab::News) => {
                    if here.hello().await {
                        here.show();
                    } else {
                        here.leave();
                    }
                    Ok(JsValue::NULL)
                }
                Some(ToTab::Survey { wants, other }) => {
                    let mut job = Survey::new(&wants, &here.host, here.session.as_ref(), other.as_ref());
                    ask::here(&mut job, |_| ()).await;
                    here.learn(job.learned().clone());
                    here.show();
                    Ok(chrome::to_js(&Surveyed { handle: here.handle(), facts: here.own.borrow().clone() }))
                }
                Some(ToTab::Ask { .. }) | None => Ok(JsValue::NULL),
            }
        })
    }

    fn typing(self: &Rc<Self>) {
        self.typed.replace(typed_now().unwrap_or_default());
        self.warned.set(false);
        clear(&self.question);
        let here = self.clone();
        let rest = Timeout::new(REST, move || {
            let later = here.clone();
            here.asking.set(here.asking.get() + 1);
            go(async move {
                later.hello().await;
                // What the own server said of blocks was about the server that was meant before.
                if later.typed().is_some() {
                    later.survey(&[Want::Blocks]).await;
                    later.hello().await;
                }
                later.show();
                later.ask_background(false).await;
                later.asking.set(later.asking.get().saturating_sub(1));
                later.show();
                later.tell_summary();
            });
        });
        // Dropping the one before stops it.
        self.resting.replace(Some(rest));
    }

    fn target(&self, view: &View) -> Target {
        let typed = self.typed.borrow();
        if !typed.trim().is_empty() && matches!(self.kind, PageKind::Migration | PageKind::Redirect) {
            return match self.meant(&typed, view) {
                Ok(handle) => Target::Handle(handle),
                Err(error) => {
                    let meant = match error {
                        HandleError::Link => handle_in_link(&typed),
                        // `@@ana@…` and the like: Mastodon drops only one.
                        HandleError::TooManyAts => typed.trim().trim_start_matches('@').parse().ok(),
                        // The name alone, while another server is linked.
                        HandleError::NoDomain => view.new_party.as_ref().and_then(|party| {
                            let domain =
                                party.handle.as_ref().map_or(&party.host, |handle| handle.domain()).clone();
                            Handle::new(typed.trim().trim_start_matches('@'), domain).ok()
                        }),
                        _ => None,
                    };
                    Target::Unreadable(error, meant)
                }
            };
        }
        match &view.new_party {
            Some(party) => match &party.handle {
                Some(handle) => Target::Handle(handle.clone()),
                None => Target::Server(party.host.clone()),
            },
            None => Target::None,
        }
    }

    fn dossier(&self) -> Dossier {
        let view = self.view.borrow();
        let target = self.target(&view);
        let host =
            |party: &Option<crate::trunk::store::Party>| party.as_ref().map(|party| party.host.clone());
        let granted = |domain: &Domain| view.granted.iter().any(|granted| granted.host() == domain.host());
        // Half a handle is nobody, and until the background has answered, what is known belongs to somebody else.
        let known = view.new_party.as_ref().and_then(|party| party.handle.as_ref());
        let (other, awaited) = match &target {
            Target::Unreadable(..) => (true, false),
            Target::Handle(handle) => {
                let other = !known.is_some_and(|known| known.is_same(handle));
                (other, other)
            }
            Target::None | Target::Server(_) => (false, false),
        };
        let new = if other { AccountFacts::default() } else { view.new.clone() };
        Dossier {
            old: view.old.clone(),
            new,
            target_granted: host(&view.new_party).as_ref().is_some_and(granted),
            target,
            old_host: host(&view.old_party),
            new_host: host(&view.new_party),
            saved: view.saved.clone(),
            asking: self.asking.get() > 0 || awaited,
            page: Some(self.kind),
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let side = self.view.borrow().side;
        match (side, check::wrong_account(self.kind, side, self.handle().as_ref())) {
            // Everything else on this page would be about the other account.
            (Some(Side::New), Some(wrong)) => vec![wrong],
            (_, wrong) => {
                let findings = check::on_page(self.kind, &self.dossier(), now());
                wrong.into_iter().chain(findings).collect()
            }
        }
    }

    fn draw_frame(self: &Rc<Self>) {
        let view = self.view.borrow();
        let name = self.handle().map(|handle| format!("@{handle}"));
        let badge = match (view.side, name) {
            (Some(Side::Old), Some(name)) => Some(("old", speak(&say("side_old").with(name.as_str())))),
            (Some(Side::New), Some(name)) => Some(("new", speak(&say("side_new").with(name.as_str())))),
            (Some(Side::Old), None) => Some(("old", text("side_old_unnamed"))),
            (Some(Side::New), None) => Some(("new", text("side_new_unnamed"))),
            (None, _) => None,
        };
        let badge = badge.as_ref().map(|(side, words)| (*side, words.as_str()));
        let here = self.clone();
        let panel = Panel::new(move |action| here.act(action));
        let _ = self.frame.append_child(head("h2", &text(title(self.kind)), badge).as_ref());
        if view.side.is_none() {
            let link =
                make("button").class("secondary").attr("type", "button").attr("data-action", "open-desk");
            let link = link.text(&text("action_link"));
            let here = self.clone();
            self.listeners.borrow_mut().push(on_click(&link.0, move || here.act(Action::OpenDesk)));
            let line = make("p").class("summary").text(&text("not_linked"));
            let _ = self.frame.append_child(line.as_ref());
            let _ = self.frame.append_child(make("div").class("actions").child(link).as_ref());
        }
        let _ = self.frame.append_child(&self.question);
        let _ = self.frame.append_child(&panel.root);
        self.panel.replace(Some(panel));
        let here = self.clone();
        let home = self.session.as_ref().map_or(&self.host, |session| &session.domain);
        let shelf = Shelf::new(self.kind, &Page(document()), home.as_str(), move |action| here.act(action));
        if let Some(shelf) = &shelf {
            let _ = self.frame.append_child(&shelf.root);
        }
        self.shelf.replace(shelf);
    }

    fn show(self: &Rc<Self>) {
        let findings = self.findings();
        let now = now();
        // A countdown that ends changes the finding by itself.
        let next = findings.iter().filter_map(|finding| finding.until).filter(|until| *until > now).min();
        let due = next.and_then(|until| u32::try_from(until.since(now) + 250).ok()).map(|millis| {
            let here = self.clone();
            Timeout::new(millis, move || here.look_again(false))
        });
        self.due.replace(due);
        if let Some(panel) = self.panel.borrow_mut().as_mut() {
            panel.show(findings);
        }
        if let Some(shelf) = self.shelf.borrow().as_ref() {
            shelf.show(self.view.borrow().saved.lists.as_ref());
        }
    }

    fn tell_summary(&self) {
        if let Some(panel) = self.panel.borrow().as_ref() {
            panel.tell_summary();
        }
    }

    fn tell(&self, key: &str) {
        self.tell_words(&text(key));
    }

    fn tell_words(&self, words: &str) {
        if let Some(panel) = self.panel.borrow().as_ref() {
            panel.tell(words);
        }
    }

    fn act(self: &Rc<Self>, action: Action) {
        let here = self.clone();
        match action {
            Action::Visit { side, path, .. } => self.visit(side, path),
            Action::Grant(domain) => go(async move {
                let desk = ToBackground::Desk { grant: Some(domain), errand: None, handle: None };
                let _: Option<()> = chrome::tell_background(&desk).await;
            }),
            Action::OpenDesk
            | Action::SaveMessages
            | Action::Pack
            | Action::Unpack
            | Action::Profile
            | Action::Announce => go(async move {
                let errand = match action {
                    Action::SaveMessages => Some(Errand::Save),
                    Action::Pack => Some(Errand::Pack),
                    Action::Unpack => Some(Errand::Unpack),
                    Action::Profile => Some(Errand::Profile),
                    Action::Announce => Some(Errand::Announce),
                    _ => None,
                };
                let desk = ToBackground::Desk { grant: None, errand, handle: here.handle() };
                let _: Option<()> = chrome::tell_background(&desk).await;
            }),
            Action::LookAgain => self.look_again(false),
            Action::LookOutside => self.look_again(true),
            Action::UseHandle(handle) => {
                if let Some(field) = field() {
                    field.set_value(&handle.acct());
                    self.typing();
                    let _ = field.focus();
                }
            }
            Action::MakeAlias if self.side() == Side::New => go(async move { here.make_alias().await }),
            Action::MakeAlias => self.visit(Side::New, "/settings/aliases"),
        }
    }

    fn visit(&self, side: Side, path: &str) {
        let view = self.view.borrow();
        let party = match side {
            Side::Old => &view.old_party,
            Side::New => &view.new_party,
        };
        let host = party.as_ref().map_or(&self.host, |party| &party.host);
        let url = format!("{}{path}", host.origin());
        let Some(window) = web_sys::window() else { return };
        let here = window.location().pathname().unwrap_or_default();
        if *host == self.host && here.trim_end_matches('/') == path {
            // This very page: its own form is what is meant.
            self.box_.scroll_into_view_with_bool(false);
            let form = self
                .box_
                .parent_element()
                .and_then(|around| around.query_selector("form input:not([type=hidden])").ok().flatten());
            if let Some(field) = form.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
                let _ = field.focus();
            }
        } else if *host == self.host && path.ends_with(".csv") {
            // A file, sent as an attachment: the page stays where it is.
            let _ = window.location().set_href(&url);
        } else {
            let _ = window.open_with_url_and_target_and_features(&url, "_blank", "noopener");
        }
    }

    /// Makes the alias with Mastodon's own form, and believes it only when the page then lists it.
    async fn make_alias(self: &Rc<Self>) {
        let old = AccountFacts::value(&self.view.borrow().old.handle).cloned();
        let Some(old) = old else { return };
        self.tell("status_making_alias");
        let reply =
            chrome::ask_here(&request::create_alias(&old)).await.unwrap_or(Err(reply::Silence::NoTab));
        let (words, facts) = match reply::page(&reply) {
            Ok(answer) => {
                let page = BrowserParser.parse(&answer.body);
                let facts = read_page(answer.plain_path(), page.as_ref(), now());
                let words = match aliases::read(page.as_ref(), None).refused {
                    _ if facts.alias_for(&old).is_some() => speak(&say("status_alias_made").with(&old)),
                    Some(refused) => {
                        speak(&say("status_alias_refused").with(&self.host).with(refused.as_str()))
                    }
                    None => speak(&say("status_alias_not_there").with(&self.host)),
                };
                (words, Some(facts))
            }
            Err(_) => (speak(&say("status_alias_no_answer").with(&self.host)), None),
        };
        if let Some(mut facts) = facts {
            // What a refused form lists is no list of aliases made just now.
            if let Some(rows) = &mut facts.aliases {
                for row in &mut rows.value {
                    row.made_lately = row.handle.is_same(&old);
                }
            }
            self.learn(facts);
        }
        self.asking.set(self.asking.get() + 1);
        self.tell_words(&words);
        self.show();
        self.hello().await;
        self.ask_background(false).await;
        self.asking.set(self.asking.get().saturating_sub(1));
        self.show();
    }

    fn stops(&self) -> Vec<Finding> {
        self.findings().into_iter().filter(|finding| finding.outcome == Outcome::Stop).collect()
    }

    fn must_ask(&self) -> bool {
        // Without our panel in the page nobody could be asked: then the form is the person's and Mastodon's.
        !self.warned.get() && self.box_.is_connected() && !self.stops().is_empty()
    }

    /// Once more, with the reasons; then it is their account.
    fn ask_once_more(self: &Rc<Self>, form: &HtmlFormElement, button: Option<HtmlElement>) {
        clear(&self.question);
        let stops = self.stops();
        let title = make("h3")
            .attr("id", "ask")
            .attr("tabindex", "-1")
            .text(&speak(&say("ask_title").with(stops.len())));
        let reasons = make("ul")
            .children(stops.iter().map(|stop| make("li").text(&speak(&stop.what))).collect::<Vec<_>>());
        let back = make("button")
            .attr("type", "button")
            .attr("data-action", "not-yet")
            .text(&text("action_not_yet"));
        let go = make("button").class("secondary").attr("type", "button").attr("data-action", "move-anyway");
        let go = go.text(&text("action_move_anyway"));
        let here = self.clone();
        let stay = on_click(&back.0, move || {
            clear(&here.question);
            let _ = field().map(|field| field.focus());
        });
        let (here, form) = (self.clone(), form.clone());
        let leave = on_click(&go.0, move || {
            here.warned.set(true);
            clear(&here.question);
            let button = button.as_ref().and_then(|button| button.dyn_ref::<HtmlButtonElement>());
            let _ = match button {
                Some(button) => form.request_submit_with_submitter(Some(button)),
                None => form.request_submit(),
            };
        });
        let ask = make("div").class("ask").attr("role", "alertdialog").attr("aria-labelledby", "ask");
        let ask = ask
            .child(&title)
            .child(reasons)
            .child(make("p").text(&text("ask_then")))
            .child(make("div").class("actions").child(back).child(go));
        let _ = self.question.append_child(ask.as_ref());
        self.listeners.borrow_mut().extend([stay, leave]);
        self.question.scroll_into_view();
        let _ = title.0.focus();
    }
}

fn title(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Migration => "title_migration",
        PageKind::Redirect => "title_redirect",
        PageKind::Aliases => "title_aliases",
        PageKind::Export => "title_export",
        PageKind::Imports => "title_imports",
        PageKind::Account => "title_account",
        PageKind::Setup => "title_setup",
        PageKind::Delete => "title_delete",
        PageKind::Profile => "title_profile",
    }
}
