//! Saved messages, to be read and searched on the desk. Text nodes only: what a message brings never becomes markup.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::db::Db;
use super::dom::{Build, clear, document, make, on_click, set_text};
use super::fetch::host_of;
use super::go;
use super::markup::BrowserParser;
use super::messages::index;
use super::run::BATCH;
use super::words::{number, speak, text};
use crate::account::Domain;
use crate::message::body::{Body, Piece, Tag, one_line};
use crate::message::bundle::Gathered;
use crate::message::bundle::kind::{Shown, shown};
use crate::message::record::{File, HISTORY, STATUS};
use crate::message::thread::{Conversation, Joint, put_together};
use crate::message::write::Message;
use crate::say::{Part, say};
use crate::server::status::Person;

/// Messages drawn at once; more come with a click.
const SHOWN: usize = 200;
/// Hits that are listed.
const HITS: usize = 100;
/// Typing has to rest so long before it is searched.
const REST: u32 = 300;

struct Open {
    db: Db,
    account: String,
    domain: Domain,
    gathered: Gathered,
    conversations: Vec<Conversation>,
}

pub(super) struct Reader {
    pub(super) root: HtmlElement,
    title: HtmlElement,
    search: Build,
    people: HtmlElement,
    talk: HtmlElement,
    found: HtmlElement,
    open: RefCell<Option<Rc<Open>>>,
    listeners: RefCell<Vec<EventListener>>,
    inside: RefCell<Vec<EventListener>>,
    pictures: RefCell<Vec<String>>,
    resting: RefCell<Option<Timeout>>,
    kept: RefCell<Vec<EventListener>>,
}

impl Reader {
    pub(super) fn new() -> Rc<Reader> {
        let title = make("h4").attr("tabindex", "-1").0;
        let search =
            make("input").attr("type", "search").attr("id", "search-messages").attr("autocomplete", "off");
        let found = make("p").class("found").attr("role", "status").0;
        let people = make("ul").class("people").0;
        let talk = make("div").class("talk").attr("tabindex", "-1").0;
        let root = make("div")
            .class("reader")
            .attr("data-view", "messages")
            .child(&title)
            .child(make("label").attr("for", "search-messages").text(&text("search_label")))
            .child(&search)
            .child(&found)
            .child(&people)
            .child(&talk)
            .0;
        root.set_hidden(true);
        let reader = Rc::new(Reader {
            root,
            title,
            search,
            people,
            talk,
            found,
            open: RefCell::default(),
            listeners: RefCell::default(),
            inside: RefCell::default(),
            pictures: RefCell::default(),
            resting: RefCell::default(),
            kept: RefCell::default(),
        });
        let here = reader.clone();
        let typed = EventListener::new(&reader.search.0, "input", move |_| {
            let later = here.clone();
            let rest = Timeout::new(REST, move || go(async move { later.look_for().await }));
            here.resting.replace(Some(rest));
        });
        reader.kept.borrow_mut().push(typed);
        reader
    }

    /// Shows what is kept under an account.
    pub(super) async fn show(self: &Rc<Self>, db: Db, account: String, owner: Person, domain: Domain) {
        let Ok(index) = index(&db, &account, &owner, &domain).await else {
            set_text(&self.found, &text("messages_store_broken"));
            return;
        };
        let gathered = index.done();
        let conversations = put_together(&gathered.notes, gathered.owner);
        let what = say("reader_title").with(conversations.len()).with(format!("@{}", owner.handle).as_str());
        set_text(&self.title, &speak(&what));
        self.open.replace(Some(Rc::new(Open { db, account, domain, gathered, conversations })));
        if let Some(input) = self.search.input() {
            input.set_value("");
        }
        self.root.set_hidden(false);
        self.list();
        self.close_talk();
        let _ = self.title.focus();
    }

    /// What was shown is not there any more.
    pub(super) fn close(&self) {
        self.close_talk();
        self.open.replace(None);
        self.root.set_hidden(true);
    }

    fn close_talk(&self) {
        self.inside.borrow_mut().clear();
        clear(&self.talk);
        for url in self.pictures.borrow_mut().drain(..) {
            let _ = web_sys::Url::revoke_object_url(&url);
        }
    }

    /// One row for each conversation, the last one first.
    fn list(self: &Rc<Self>) {
        let Some(open) = self.open.borrow().clone() else { return };
        clear(&self.people);
        self.listeners.borrow_mut().clear();
        set_text(&self.found, "");
        let last = |conversation: &Conversation| {
            let messages = conversation.threads.iter().flat_map(|thread| &thread.messages);
            messages.filter_map(|placed| open.gathered.notes.get(placed.note)).map(|note| note.at).max()
        };
        let mut order: Vec<usize> = (0..open.conversations.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(last(&open.conversations[*at])));
        for at in order {
            let conversation = &open.conversations[at];
            let count = conversation.sent + conversation.received;
            let when = last(conversation)
                .map(|at| speak(&say("reader_last").with(Part::Day(at))))
                .unwrap_or_default();
            let count = speak(&say("reader_count").with(count));
            self.row(&open.names(conversation), &format!("{count} · {when}"), at, None);
        }
    }

    fn row(self: &Rc<Self>, name: &str, about: &str, conversation: usize, note: Option<usize>) {
        let button = make("button")
            .attr("type", "button")
            .attr("data-action", "open-conversation")
            .child(make("bdi").class("name").text(name))
            .child(make("bdi").class("about").text(about));
        let here = self.clone();
        self.listeners.borrow_mut().push(on_click(&button.0, move || {
            let here = here.clone();
            go(async move { here.talk(conversation, note).await });
        }));
        let _ = self.people.append_child(make("li").child(button).as_ref());
    }

    /// One conversation, or the part of it around a message that was found.
    async fn talk(self: &Rc<Self>, at: usize, note: Option<usize>) {
        let Some(open) = self.open.borrow().clone() else { return };
        let Some(conversation) = open.conversations.get(at) else { return };
        self.close_talk();
        let heading = make("h5").child(make("bdi").text(&open.names(conversation)));
        let _ = self.talk.append_child(heading.as_ref());
        let all: Vec<(usize, Joint, bool)> = conversation
            .threads
            .iter()
            .flat_map(|thread| thread.messages.iter().enumerate())
            .map(|(place, placed)| (placed.note, placed.joint, place == 0))
            .collect();
        let place = note.and_then(|note| all.iter().position(|(other, ..)| *other == note));
        let from = place.map_or(0, |place| place.saturating_sub(SHOWN / 2));
        self.part(&open, &all, from, place.map(|place| all[place].0)).await;
        let _ = self.talk.focus();
        self.talk.scroll_into_view();
    }

    async fn part(
        self: &Rc<Self>,
        open: &Rc<Open>,
        all: &[(usize, Joint, bool)],
        from: usize,
        marked: Option<usize>,
    ) {
        let list = make("ol").class("messages").0;
        let _ = self.talk.append_child(&list);
        for (note, joint, first) in all.iter().skip(from).take(SHOWN) {
            let drawn = self.message(open, *note, *joint, *first).await;
            let drawn = if marked == Some(*note) { drawn.attr("data-found", "") } else { drawn };
            let _ = list.append_child(drawn.as_ref());
        }
        if let Ok(Some(found)) = list.query_selector("[data-found]") {
            found.scroll_into_view();
        }
        let next = from + SHOWN;
        if next < all.len() {
            let label = speak(&say("reader_more").with(all.len() - next));
            let more = make("button")
                .class("secondary")
                .attr("type", "button")
                .attr("data-action", "more")
                .text(&label);
            let (here, open, all, button) = (self.clone(), open.clone(), all.to_vec(), more.0.clone());
            self.inside.borrow_mut().push(on_click(&more.0, move || {
                button.remove();
                let (here, open, all) = (here.clone(), open.clone(), all.clone());
                go(async move { here.part(&open, &all, next, None).await });
            }));
            let _ = self.talk.append_child(more.as_ref());
        }
    }

    async fn message(self: &Rc<Self>, open: &Rc<Open>, note: usize, joint: Joint, first: bool) -> Build {
        let item = make("li").class("message");
        let Some(note) = open.gathered.notes.get(note) else { return item };
        let history = format!("{HISTORY}{}", &note.key[STATUS.len().min(note.key.len())..]);
        let texts = open.db.get(&open.account, &[note.key.clone(), history]).await.unwrap_or_default();
        let [raw, history] = <[Option<String>; 2]>::try_from(texts).unwrap_or_default();
        let message = Message::read(&raw.unwrap_or_default(), history.as_deref(), &open.domain);
        let Some(status) = &message.status else {
            return item
                .child(make("p").text(&text("reader_unreadable")))
                .child(make("pre").text(&message.raw));
        };
        let own = note.author == open.gathered.owner;
        let item = item.attr("data-side", if own { "own" } else { "other" });
        let item = if first { item.attr("data-first", "") } else { item };
        let author = open.gathered.people.get(note.author as usize);
        let name = author.map(|who| open.name(who)).unwrap_or_default();
        let time = speak(&say("day_and_time").with(Part::Day(note.at)).with(Part::Clock(note.at)));
        let mut item = item.child(
            make("p")
                .class("head")
                .child(make("bdi").class("name").text(&name))
                .child(make("time").text(&time)),
        );
        let missing = match joint {
            Joint::Whole => None,
            Joint::Mended => Some("reader_mended"),
            Joint::Cut => Some("reader_cut"),
        };
        if let Some(key) = missing {
            item = item.child(make("p").class("joint").text(&text(key)));
        }
        if note.public {
            item = item.child(make("p").class("joint").text(&text("reader_public")));
        }
        if !status.warning.is_empty() {
            item =
                item.child(make("p").class("warning").attr("dir", "auto").text(&one_line(&status.warning)));
        }
        let body = make("div").class("body").attr("dir", "auto");
        draw(&body.0, Body::read(&status.content, &BrowserParser, &status.emojis).pieces());
        item = item.child(body);
        if message.history.len() > 1 {
            item = item.child(
                make("p").class("joint").text(&speak(&say("reader_edited").with(message.history.len()))),
            );
        }
        for attachment in &status.attachments {
            let file = attachment.url.as_ref().and_then(|url| Some((url, open.gathered.files.get(url)?)));
            let drawn = match file {
                Some((url, File::Saved { kind, .. })) => {
                    self.picture(open, url, kind, &attachment.description).await
                }
                _ => None,
            };
            let drawn = drawn.unwrap_or_else(|| make("p").class("joint").text(&text("reader_file_missing")));
            item = item.child(drawn);
        }
        item
    }

    /// A file of a message, from our own store.
    async fn picture(&self, open: &Open, url: &str, kind: &str, alt: &str) -> Option<Build> {
        let file = open.db.file(&open.account, url).await.ok()??;
        // What it is, its own first bytes have said; what its server called it, does not matter.
        let typed = file.slice_with_f64_and_f64_and_content_type(0.0, file.size(), kind).ok()?;
        let here = web_sys::Url::create_object_url_with_blob(&typed).ok()?;
        self.pictures.borrow_mut().push(here.clone());
        Some(match shown(kind) {
            Some(Shown::Image) => make("img").attr("src", &here).attr("alt", alt).attr("loading", "lazy"),
            Some(Shown::Video) => {
                make("video").attr("src", &here).attr("controls", "").attr("preload", "metadata")
            }
            Some(Shown::Audio) => make("audio").attr("src", &here).attr("controls", ""),
            None => make("a").attr("href", &here).attr("download", "file.bin").text(&text("reader_file")),
        })
    }

    /// Goes through all messages for what was typed.
    async fn look_for(self: &Rc<Self>) {
        let typed = self.search.input().map(|input| input.value()).unwrap_or_default();
        let wanted = typed.trim().to_lowercase();
        let Some(open) = self.open.borrow().clone() else { return };
        if wanted.is_empty() {
            return self.list();
        }
        set_text(&self.found, &text("search_under_way"));
        let mut places = std::collections::BTreeMap::new();
        for (at, conversation) in open.conversations.iter().enumerate() {
            for placed in conversation.threads.iter().flat_map(|thread| &thread.messages) {
                if let Some(note) = open.gathered.notes.get(placed.note) {
                    places.insert(note.key.as_str(), (at, placed.note));
                }
            }
        }
        let mut hits = Vec::new();
        let mut after = Some(STATUS.to_owned());
        loop {
            let Ok(some) = open.db.some(&open.account, after.as_deref(), BATCH).await else { break };
            for (key, text) in &some {
                let Some((conversation, note)) = places.get(key.as_str()) else { continue };
                let message = Message::read(text, None, &open.domain);
                let Some(status) = message.status else { continue };
                let words = Body::read(&status.content, &BrowserParser, &status.emojis).text();
                let all = format!("{}\n{words}\n{}", status.warning, status.author.handle);
                if all.to_lowercase().contains(&wanted) {
                    hits.push((*conversation, *note, words));
                }
            }
            match some.into_iter().last() {
                Some((key, _)) if key.starts_with(STATUS) => after = Some(key),
                _ => break,
            }
            // Somebody has typed on.
            if self.search.input().is_some_and(|input| input.value() != typed) {
                return;
            }
        }
        clear(&self.people);
        self.listeners.borrow_mut().clear();
        hits.sort_by_key(|(_, note, _)| {
            std::cmp::Reverse(open.gathered.notes.get(*note).map(|note| note.at))
        });
        for (conversation, note, words) in hits.iter().take(HITS) {
            let name = open.conversations.get(*conversation).map(|talk| open.names(talk)).unwrap_or_default();
            let short: String = one_line(words).chars().take(120).collect();
            self.row(&name, &short, *conversation, Some(*note));
        }
        let found = if hits.len() > HITS {
            speak(&say("search_found_more").with(hits.len()).with(number(HITS as u64).as_str()))
        } else {
            speak(&say("search_found").with(hits.len()))
        };
        set_text(&self.found, &found);
    }
}

impl Open {
    fn name(&self, who: &Person) -> String {
        let name = one_line(&who.name);
        if name.trim().is_empty() { format!("@{}", one_line(&who.handle)) } else { name }
    }

    fn names(&self, conversation: &Conversation) -> String {
        let names: Vec<String> = conversation
            .people
            .iter()
            .filter_map(|at| self.gathered.people.get(*at as usize))
            .map(|who| self.name(who))
            .collect();
        if names.is_empty() { text("reader_notes") } else { names.join(", ") }
    }
}

/// The pieces of a message as nodes.
fn draw(into: &HtmlElement, pieces: &[Piece]) {
    let mut open: Vec<HtmlElement> = vec![into.clone()];
    for piece in pieces {
        let Some(top) = open.last().cloned() else { return };
        match piece {
            Piece::Open(tag) => {
                let node = match tag {
                    Tag::Paragraph => make("p"),
                    Tag::Quote => make("blockquote"),
                    Tag::Pre => make("pre"),
                    Tag::List(true) => make("ol"),
                    Tag::List(false) => make("ul"),
                    Tag::Item => make("li"),
                    Tag::Bold => make("b"),
                    Tag::Italic => make("i"),
                    Tag::Strike => make("s"),
                    Tag::Underline => make("u"),
                    Tag::Code => make("code"),
                    Tag::Link(link) if host_of(&link.href).is_some() => make("a")
                        .attr("href", &link.href)
                        .attr("rel", "noopener noreferrer nofollow")
                        .attr("target", "_blank"),
                    Tag::Link(_) => make("span"),
                };
                let _ = top.append_child(node.as_ref());
                open.push(node.0);
            }
            Piece::Close => {
                if open.len() > 1 {
                    open.pop();
                }
            }
            Piece::Text(text) => {
                let _ = top.append_child(document().create_text_node(text).unchecked_ref());
            }
            Piece::Break => {
                let _ = top.append_child(make("br").as_ref());
            }
            Piece::Emoji(emoji) => {
                let words = format!(":{}:", one_line(&emoji.shortcode));
                let _ = top.append_child(document().create_text_node(&words).unchecked_ref());
            }
        }
    }
}
