//! The desk's part for messages: saving them, showing how it stands, writing the ZIP.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlElement, HtmlProgressElement};

use super::db::{self, Db};
use super::dom::{Build, clear, make, on_click, set_text};
use super::fetch;
use super::markup::BrowserParser;
use super::reader::Reader;
use super::run::{BATCH, Going, Halt, Runner, key_of, records};
use super::words::{BrowserWords, speak, text};
use super::zip::{self, hand_over};
use super::{chrome, go, now};
use crate::account::{Domain, Handle};
use crate::job::budget::Budget;
use crate::job::collect::{Collect, Owner};
use crate::message::bundle::{About, Ask, Index, Out, Pack, Reason, Tools};
use crate::message::record::{ABOUT, File, Missing, Record, STATUS};
use crate::say::{Part, Say, say};
use crate::server::status::Person;
use crate::trunk::dossier::SavedMessages;
use crate::trunk::store::Party;
use crate::when::{DAY, MINUTE, Time};

/// How to go about it.
#[derive(Clone, Debug, PartialEq)]
enum How {
    /// Begin, go on, or see what has changed.
    Plainly,
    /// Everything again, and further.
    Deeply,
    /// And this person, whom nobody knows any more.
    Naming(Handle),
}

/// What is told to the rest of the desk.
pub(super) enum Tell {
    /// All messages of this account are saved; or none are.
    Saved(Handle, Option<SavedMessages>),
    /// A page of the old server is needed.
    OpenServer,
    /// It begins, or has ended.
    Running,
    /// A ZIP was written, read back and handed over, under this name.
    Written(String),
}

pub(super) struct Messages {
    pub(super) root: HtmlElement,
    line: HtmlElement,
    progress: HtmlProgressElement,
    status: HtmlElement,
    body: HtmlElement,
    pub(super) reader: Rc<Reader>,
    tell: Box<dyn Fn(Tell)>,
    run: Runner,
    account: RefCell<String>,
    save: RefCell<Option<Going<Collect>>>,
    estimate: Cell<Option<u64>>,
    /// What was drawn last: the buttons are made anew only when it changes.
    drawn: RefCell<String>,
    listeners: RefCell<Vec<EventListener>>,
    busy: RefCell<Option<Say>>,
}

impl Messages {
    pub(super) fn new(tell: impl Fn(Tell) + 'static) -> Rc<Messages> {
        let title = make("h3").attr("id", "messages-title").text(&text("messages_title")).0;
        let line = make("p").class("lead").0;
        let progress = make("progress").attr("aria-labelledby", "messages-title").0;
        let status = make("p").class("status").attr("role", "status").0;
        let body = make("div").class("body").0;
        let reader = Reader::new();
        let root = make("section")
            .class("frame job")
            .attr("data-job", "messages")
            .attr("data-state", "none")
            .attr("aria-labelledby", "messages-title")
            .child(&title)
            .child(&line)
            .child(&progress)
            .child(&status)
            .child(&body)
            .child(&reader.root)
            .0;
        progress.set_hidden(true);
        root.set_hidden(true);
        Rc::new(Messages {
            root,
            line,
            progress: progress.unchecked_into(),
            status,
            body,
            reader,
            tell: Box::new(tell),
            run: Runner::new("messages", "messages_refused"),
            account: RefCell::default(),
            save: RefCell::default(),
            estimate: Cell::new(None),
            drawn: RefCell::default(),
            listeners: RefCell::default(),
            busy: RefCell::default(),
        })
    }

    /// Whose messages these are: the old account of the linked move.
    /// `estimate`: requests that a first save takes, as far as it can be told beforehand.
    pub(super) fn show(self: &Rc<Self>, party: Option<&Party>, estimate: Option<u64>) {
        if self.estimate.replace(estimate) != estimate {
            self.draw();
        }
        self.root.set_hidden(party.is_none() && self.account.borrow().is_empty());
        if self.run.party.borrow().as_ref() == party {
            return;
        }
        // What runs runs to its end; then there is another look at whose it is.
        if self.run.running.get() {
            return;
        }
        self.run.party.replace(party.cloned());
        let account = party.and_then(|party| party.handle.as_ref()).map(key_of).unwrap_or_default();
        if *self.account.borrow() == account {
            return self.draw();
        }
        self.account.replace(account);
        self.save.replace(None);
        let here = self.clone();
        go(async move {
            if here.load().await.is_ok() && !here.run.running.get() {
                here.told_as_it_is();
            }
            here.draw();
        });
    }

    /// What the database has is what is said to be saved, whatever was said before.
    fn told_as_it_is(&self) {
        let done = self.save.borrow().as_ref().map(|save| save.work.is_done());
        match done {
            Some(true) => self.told(),
            Some(false) => {}
            None => self.tell_saved(None),
        }
    }

    fn tell_saved(&self, saved: Option<SavedMessages>) {
        if let Ok(of) = self.account.borrow().parse() {
            (self.tell)(Tell::Saved(of, saved));
        }
    }

    /// The job as it was left.
    async fn load(&self) -> Result<(), db::Trouble> {
        let account = self.account.borrow().clone();
        if account.is_empty() || self.save.borrow().is_some() {
            return Ok(());
        }
        let db = self.run.db().await?;
        let about = db.get(&account, &[ABOUT.to_owned()]).await?.pop().flatten();
        let Some(mut job) = about.as_deref().and_then(Collect::from_about) else { return Ok(()) };
        records(&db, &account, &mut |key, text| job.restore(key, text)).await?;
        job.ready();
        if *self.account.borrow() == account {
            self.save.replace(Some(Going::new(job)));
        }
        Ok(())
    }

    // --- saving ---

    /// Begins, or goes on.
    pub(super) fn start(self: &Rc<Self>) {
        self.run(How::Plainly);
    }

    pub(super) fn is_running(&self) -> bool {
        self.run.running.get()
    }

    /// A page of a server was opened: perhaps the one that was waited for.
    pub(super) fn tab_seen(self: &Rc<Self>) {
        let here = self.clone();
        go(async move {
            if here.run.may_go_on().await {
                here.start();
            }
        });
    }

    fn run(self: &Rc<Self>, how: How) {
        if !self.run.begin() {
            return;
        }
        self.draw();
        (self.tell)(Tell::Running);
        let here = self.clone();
        go(async move {
            let halt = here.run_alone(how).await;
            here.run.end(halt);
            here.draw();
            (here.tell)(Tell::Running);
        });
    }

    async fn run_alone(self: &Rc<Self>, how: How) -> Halt {
        let Some(lock) = self.run.alone().await else { return Halt::Elsewhere };
        let halt = match self.go_through(how).await {
            Ok(halt) => halt,
            Err(trouble) => {
                // What is in memory is ahead of what is stored.
                self.save.replace(None);
                let _ = self.load().await;
                trouble.into()
            }
        };
        drop(lock);
        halt
    }

    async fn go_through(self: &Rc<Self>, how: How) -> Result<Halt, db::Trouble> {
        let Some(party) = self.run.party.borrow().clone() else { return Ok(Halt::No) };
        let owner = match self.run.owner(&party, &|| (self.tell)(Tell::OpenServer)).await {
            Ok(owner) => owner,
            Err(halt) => return Ok(halt),
        };
        let account = owner.handle.to_lowercase();
        if *self.account.borrow() != account {
            self.account.replace(account.clone());
            self.save.replace(None);
        }
        let db = self.run.db().await?;
        self.load().await?;
        self.prepare(&db, &account, owner.clone(), how).await?;
        let halt = self.run.go_through(&db, &account, (&party, &owner), &self.save, &|| self.draw()).await?;
        if halt == Halt::No {
            self.read_back(&db, &account).await?;
            let records = self.with(|save| save.work.finish(now())).unwrap_or_default();
            db.put(&account, &records).await?;
            self.told();
        }
        Ok(halt)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Going<Collect>) -> T) -> Option<T> {
        self.save.borrow_mut().as_mut().map(f)
    }

    /// Sets the job up, and stores what that changes.
    async fn prepare(&self, db: &Db, account: &str, owner: Owner, how: How) -> Result<(), db::Trouble> {
        let known = self.save.borrow().is_some();
        let records = if known {
            self.with(|save| {
                save.go_on();
                let job = &mut save.work;
                let records = match &how {
                    How::Naming(handle) => job.name(handle, now()),
                    How::Deeply => job.again(owner, true, now()),
                    // A redirect set or cancelled meanwhile changes which lists are open.
                    How::Plainly if job.is_done() || job.owner().rescue != owner.rescue => {
                        job.again(owner, false, now())
                    }
                    How::Plainly => Vec::new(),
                };
                save.settle();
                records
            })
            .unwrap_or_default()
        } else {
            let (job, records) = Collect::begin(owner, how == How::Deeply, now());
            self.save.replace(Some(Going::new(job)));
            records
        };
        db.put(account, &records).await
    }

    /// Everything that the job calls kept is there.
    async fn read_back(&self, db: &Db, account: &str) -> Result<(), db::Trouble> {
        let mut there = 0_usize;
        let mut after = Some(STATUS.to_owned());
        loop {
            let some = db.some(account, after.as_deref(), BATCH).await?;
            there += some.iter().filter(|(key, text)| key.starts_with(STATUS) && !text.is_empty()).count();
            match some.into_iter().last() {
                Some((key, _)) if key.starts_with(STATUS) => after = Some(key),
                _ => break,
            }
        }
        let wanted = self.save.borrow().as_ref().map_or(0, |save| save.work.keys().count());
        if there == wanted { Ok(()) } else { Err(db::Trouble::Broken) }
    }

    /// The checks are told what is saved.
    fn told(&self) {
        let saved = self.save.borrow().as_ref().map(|save| {
            let pairs = save.work.conversations().map(|(id, last)| (id.to_owned(), last.to_owned()));
            SavedMessages {
                at: save.work.finished().unwrap_or(now()),
                count: save.work.count().messages as u64,
                rescued: save.work.owner().rescue,
                conversations: pairs.collect(),
            }
        });
        if saved.is_some() {
            self.tell_saved(saved);
        }
    }

    // --- showing ---

    fn state(&self) -> &'static str {
        self.run.state("saving", self.save.borrow().as_ref().map(|save| save.work.is_done()))
    }

    fn draw(self: &Rc<Self>) {
        let state = self.state();
        let _ = self.root.set_attribute("data-state", state);
        self.root.set_hidden(self.run.party.borrow().is_none() && self.account.borrow().is_empty());
        self.progress.set_hidden(!matches!(state, "saving" | "waiting" | "paused"));
        let (line, status) = self.words(state);
        set_text(&self.line, &line);
        set_text(&self.status, &status);
        let hosts = self.hosts();
        let look = format!("{state} {hosts:?} {:?} {}", self.run.halt.borrow(), self.busy.borrow().is_some());
        if *self.drawn.borrow() != look {
            self.drawn.replace(look);
            self.draw_body(state, &hosts);
        }
    }

    fn words(&self, state: &str) -> (String, String) {
        if let Some(busy) = &*self.busy.borrow() {
            return (self.counted(), speak(busy));
        }
        let save = self.save.borrow();
        let Some(save) = save.as_ref() else {
            let line = if state == "none" { text("messages_none") } else { String::new() };
            let before = self.estimate.get().filter(|_| state == "none").map(|requests| {
                // Some are answered in a tenth of a second, some take longer; beyond the limit it is the limit that counts.
                let time = Budget::new().time_for(requests, requests / 2, now());
                let minutes = (time / MINUTE).unsigned_abs() + requests / 200 + 1;
                let what = speak(&say("messages_before").with(requests));
                format!("{what} {}", speak(&say("messages_long").with(minutes)))
            });
            let line = [line, before.unwrap_or_default()].join(" ");
            return (line.trim().to_owned(), self.halted());
        };
        let left = save.work.left();
        let asked = save.work.count().asked;
        #[allow(clippy::cast_precision_loss)]
        {
            self.progress.set_max((asked + left.calls).max(1) as f64);
            self.progress.set_value(asked as f64);
        }
        let status = match state {
            "saving" => self.run.far(&self.save),
            "waiting" => self.run.waits(),
            "paused" | "stopped" => self.halted(),
            _ => String::new(),
        };
        (self.counted(), status.trim().to_owned())
    }

    fn counted(&self) -> String {
        let save = self.save.borrow();
        let Some(save) = save.as_ref() else { return String::new() };
        let count = save.work.count();
        let people = Part::Say(Box::new(say("messages_people").with(count.people)));
        let mut lines = vec![match save.work.finished() {
            Some(at) => speak(
                &say("messages_saved")
                    .with(count.messages)
                    .with(people)
                    .with(Part::Day(at))
                    .with(Part::Clock(at)),
            ),
            None => speak(&say("messages_so_far").with(count.messages).with(people)),
        }];
        if count.files > 0 {
            lines.push(speak(&say("messages_files").with(count.files)));
        }
        if count.files_missing > 0 {
            lines.push(speak(&say("messages_files_missing").with(count.files_missing)));
        }
        lines.join(" ")
    }

    fn halted(&self) -> String {
        self.run.halted(self.save.borrow().as_ref().is_some_and(|save| !save.work.is_done()))
    }

    /// Hosts of files that were not allowed.
    fn hosts(&self) -> Vec<Domain> {
        let save = self.save.borrow();
        let Some(save) = save.as_ref() else { return Vec::new() };
        let mut hosts: Vec<Domain> = save
            .work
            .files()
            .filter(|(_, file)| **file == File::Missing(Missing::NotAllowed))
            .filter_map(|(url, _)| fetch::host_of(url))
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    fn button(
        self: &Rc<Self>,
        action: &str,
        label: &str,
        main: bool,
        act: impl Fn(&Rc<Messages>) + 'static,
    ) -> Build {
        let button = make("button").attr("type", "button").attr("data-action", action).text(label);
        let button = if main { button } else { button.class("secondary") };
        let here = self.clone();
        self.listeners.borrow_mut().push(on_click(&button.0, move || act(&here)));
        button
    }

    fn draw_body(self: &Rc<Self>, state: &str, hosts: &[Domain]) {
        let focused = self.body.contains(super::dom::document().active_element().as_deref());
        clear(&self.body);
        self.listeners.borrow_mut().clear();
        let actions = make("div").class("actions");
        let busy = self.busy.borrow().is_some();
        let actions = match state {
            _ if busy => actions,
            "none" => {
                actions.child(
                    self.button("save-messages", &text("action_save_messages"), true, |here| here.start()),
                )
            }
            "saving" | "waiting" => {
                actions.child(self.button("pause", &text("action_pause"), false, |here| {
                    here.run.pause.set(true);
                    here.draw();
                }))
            }
            "paused" => {
                actions.child(self.button("resume", &text("action_resume"), true, |here| here.start()))
            }
            "stopped" => {
                let actions =
                    actions.child(self.button("resume", &text("action_resume"), true, |here| here.start()));
                match self.run.party.borrow().as_ref().filter(|_| self.run.needs_page()) {
                    Some(party) => {
                        let label = speak(&say("action_open_server").with(&party.host));
                        let url = format!("{}/settings/export", party.host.origin());
                        actions.child(self.button("visit", &label, false, move |_| {
                            let url = url.clone();
                            go(async move { chrome::open_tab(&url).await });
                        }))
                    }
                    None => actions,
                }
            }
            _ => actions
                .child(self.button("download-messages", &text("action_download_messages"), true, |here| {
                    here.download()
                }))
                .child(self.button("show-messages", &text("action_show_messages"), false, |here| here.read()))
                .child(self.button("save-again", &text("action_save_again"), false, |here| here.start())),
        };
        let _ = self.body.append_child(actions.as_ref());
        if matches!(state, "saving" | "waiting") {
            let safe = make("p").class("then").text(&text("messages_safe_to_close"));
            let _ = self.body.append_child(safe.as_ref());
        }
        if state == "done" && !busy {
            self.draw_hosts(hosts);
            self.draw_gaps();
        }
        if !matches!(state, "saving" | "waiting") && !busy {
            self.draw_open();
            if self.save.borrow().is_some() {
                self.draw_delete();
            }
        }
        // The button that was just pressed is gone: its place keeps the focus.
        if focused && let Ok(Some(first)) = self.body.query_selector("button") {
            let _ = first.unchecked_into::<HtmlElement>().focus();
        }
    }

    /// Pictures on other hosts: by name, once, with the reason.
    fn draw_hosts(self: &Rc<Self>, hosts: &[Domain]) {
        for host in hosts {
            let why = make("p").class("then").text(&speak(&say("messages_host_why").with(host)));
            let pattern = host.pattern();
            let label = speak(&say("action_grant").with(host));
            let allow = self.button("grant-media", &label, false, move |here| {
                // The browser shows its prompt only inside the click itself.
                let asked = chrome::request(std::slice::from_ref(&pattern));
                let here = here.clone();
                go(async move {
                    if let Ok(promise) = asked
                        && JsFuture::from(promise).await.is_ok_and(|given| given.is_truthy())
                    {
                        here.start();
                    }
                });
            });
            let allow = allow.attr("data-server", host.as_str());
            let row = make("div").class("host").child(why).child(make("div").class("actions").child(allow));
            let _ = self.body.append_child(row.as_ref());
        }
    }

    /// What may be missing, and how to look further.
    fn draw_gaps(self: &Rc<Self>) {
        let (gaps, deep) = match self.save.borrow().as_ref() {
            Some(save) => (save.work.gaps(), save.work.is_deep()),
            None => return,
        };
        let list = make("ul")
            .class("gaps")
            .children(gaps.iter().map(|gap| make("li").attr("data-gap", gap.id()).text(&speak(&gap.say()))));
        let deeper =
            self.button("search-deeper", &text("action_search_deeper"), false, |here| here.run(How::Deeply));
        let field = make("input")
            .attr("type", "text")
            .attr("id", "name-person")
            .attr("autocomplete", "off")
            .attr("autocapitalize", "none")
            .attr("spellcheck", "false")
            .attr("placeholder", &text("name_placeholder"))
            .attr("aria-describedby", "name-error");
        let error = make("p").class("error").attr("id", "name-error").attr("role", "alert");
        let (input, told) = (field.clone(), error.0.clone());
        let name = self.button("name-person", &text("action_name_person"), false, move |here| {
            let typed = input.input().map(|input| input.value()).unwrap_or_default();
            let local = here.run.party.borrow().as_ref().map(|party| party.host.clone());
            let handle = typed.parse::<Handle>().ok().or_else(|| Handle::from_acct(typed.trim(), &local?));
            match handle {
                Some(handle) => here.run(How::Naming(handle)),
                None => set_text(&told, &text("name_error")),
            }
        });
        let further = make("div")
            .class("further")
            .child(make("p").class("then").text(&text(if deep {
                "messages_deep_done"
            } else {
                "messages_deep_why"
            })))
            .child(make("div").class("actions").child(deeper))
            .child(make("label").attr("for", "name-person").text(&text("name_label")))
            .child(make("div").class("row").child(&field).child(name))
            .child(&error);
        let details = make("details")
            .attr("open", "")
            .class("missing")
            .child(make("summary").text(&text("messages_gaps_title")))
            .child(list)
            .child(further);
        let _ = self.body.append_child(details.as_ref());
    }

    /// Takes the saved copy away, after asking once more.
    fn draw_delete(self: &Rc<Self>) {
        let really = self.button("delete-saved", &text("action_delete_saved"), false, |here| {
            let here = here.clone();
            go(async move {
                let account = here.account.borrow().clone();
                let Ok(db) = here.run.db().await else { return };
                if db.forget(&account).await.is_ok() {
                    here.save.replace(None);
                    here.reader.close();
                    here.tell_saved(None);
                }
                here.draw();
            });
        });
        let details = make("details")
            .class("delete")
            .child(make("summary").text(&text("delete_title")))
            .child(make("p").class("then").text(&text("delete_then")))
            .child(make("div").class("actions").child(really));
        let _ = self.body.append_child(details.as_ref());
    }

    /// A ZIP from elsewhere.
    fn draw_open(self: &Rc<Self>) {
        let field = make("input")
            .attr("type", "file")
            .attr("accept", ".zip")
            .attr("id", "open-zip")
            .attr("data-action", "open-zip");
        let here = self.clone();
        let input = field.0.clone();
        let changed = EventListener::new(&field.0, "change", move |_| {
            let files = input.dyn_ref::<web_sys::HtmlInputElement>().and_then(|input| input.files());
            if let Some(file) = files.and_then(|files| files.get(0)) {
                here.open(file.unchecked_into());
            }
        });
        self.listeners.borrow_mut().push(changed);
        let details = make("details")
            .class("open-zip")
            .child(make("summary").text(&text("open_title")))
            .child(make("label").attr("for", "open-zip").text(&text("open_label")))
            .child(field);
        let _ = self.body.append_child(details.as_ref());
    }

    // --- reading and writing ---

    fn busy(self: &Rc<Self>, what: Option<Say>) {
        self.busy.replace(what);
        self.draw();
    }

    fn read(self: &Rc<Self>) {
        let here = self.clone();
        let account = self.account.borrow().clone();
        go(async move {
            let Ok(db) = here.run.db().await else { return };
            here.busy(Some(say("messages_reading")));
            let owner = here.save.borrow().as_ref().map(|save| save.work.owner().clone());
            if let Some(owner) = owner {
                here.reader.show(db, account, person_of(&owner), owner.domain).await;
            }
            here.busy(None);
        });
    }

    fn download(self: &Rc<Self>) {
        let here = self.clone();
        go(async move {
            here.busy(Some(say("messages_writing").with(0_u64)));
            let result = here.write().await;
            here.busy(None);
            match result {
                Ok((blob, name)) => {
                    hand_over(&blob, &name);
                    set_text(&here.status, &speak(&say("messages_written").with(name.as_str())));
                    (here.tell)(Tell::Written(name));
                }
                Err(what) => set_text(&here.status, &speak(&what)),
            }
        });
    }

    /// Writes the ZIP and reads it back against its own manifest.
    async fn write(self: &Rc<Self>) -> Result<(Blob, String), Say> {
        let broken = |_| say("messages_store_broken");
        let db = self.run.db().await.map_err(broken)?;
        let account = self.account.borrow().clone();
        let (owner, at, gaps) = {
            let save = self.save.borrow();
            let save = save.as_ref().ok_or_else(|| say("messages_none"))?;
            let at = save.work.finished().unwrap_or(now());
            (save.work.owner().clone(), at, save.work.gaps())
        };
        let gathered = gather(&db, &account, &owner).await.map_err(broken)?;
        let about = About {
            owner: person_of(&owner),
            server: owner.domain.clone(),
            software: owner.version.clone().unwrap_or_default(),
            at,
            extension: chrome::version(),
            incomplete: gaps.iter().map(crate::job::collect::Gap::say).collect(),
        };
        let tools = Tools { parser: &BrowserParser, words: &BrowserWords, zone: &zone };
        let pack = Pack::new(about, gathered.done()).map_err(|_| say("messages_too_large"))?;
        let told = |percent: u64| self.busy(Some(say("messages_writing").with(percent)));
        let blob = zip::write(&db, &account, &mut zip::Messages(pack, tools), &told).await?;
        self.busy(Some(say("messages_checking")));
        zip::open_messages(&blob).await.map_err(|_| say("messages_zip_broken"))?;
        let day = iso_day(at);
        let user = owner.handle.replace('@', "-at-").replace(':', "-");
        Ok((blob, format!("messages-{user}-{day}.zip")))
    }

    fn open(self: &Rc<Self>, file: Blob) {
        let here = self.clone();
        go(async move {
            here.busy(Some(say("messages_checking")));
            let result = here.import(&file).await;
            here.busy(None);
            match result {
                Ok(words) => set_text(&here.status, &speak(&words)),
                Err(what) => set_text(&here.status, &speak(&what)),
            }
        });
    }

    /// Reads a ZIP whole, compares it with its manifest, and only then takes it in and shows it.
    async fn import(self: &Rc<Self>, file: &Blob) -> Result<Say, Say> {
        let broken = |_| say("messages_store_broken");
        let open = zip::open_messages(file).await.map_err(|reason| refusal(&reason))?;
        let contents = open.contents().cloned().ok_or_else(|| say("open_not_ours"))?;
        let mut restore = open.restore().ok_or_else(|| say("open_not_ours"))?;
        let db = self.run.db().await.map_err(broken)?;
        // Beside what is saved here, not over it.
        let account = format!("zip {}", contents.owner.to_lowercase());
        db.forget(&account).await.map_err(broken)?;
        let mut taking: Option<(Vec<String>, String, js_sys::Array)> = None;
        loop {
            match restore.wants() {
                Ask::Range { at, len } => {
                    #[allow(clippy::cast_precision_loss)]
                    let bytes = db::piece(file, at as f64, len as f64).await.map_err(broken)?;
                    restore.bytes(&bytes);
                }
                Ask::Done => break,
                Ask::Failed(reason) => {
                    let _ = db.forget(&account).await;
                    return Err(refusal(&reason));
                }
            }
            for out in restore.take() {
                let stored = match out {
                    Out::Records(records) => db.put(&account, &records).await,
                    Out::File { urls, sha256, .. } => {
                        taking = Some((urls, sha256, js_sys::Array::new()));
                        Ok(())
                    }
                    Out::Piece(piece) => {
                        if let (Some((_, _, parts)), Some(blob)) = (&taking, fetch::blob(&[&piece])) {
                            parts.push(&blob);
                        }
                        Ok(())
                    }
                    Out::End => match taking.take() {
                        Some((urls, sha256, parts)) => {
                            let mut stored = Ok(());
                            if let Ok(blob) = Blob::new_with_blob_sequence(&parts) {
                                for url in urls {
                                    stored = stored.and(db.put_file(&account, &url, &blob, &sha256).await);
                                }
                            }
                            stored
                        }
                        None => Ok(()),
                    },
                };
                if let Err(trouble) = stored {
                    let _ = db.forget(&account).await;
                    let full = trouble == db::Trouble::Full;
                    return Err(say(if full { "messages_full" } else { "messages_store_broken" }));
                }
            }
        }
        // Which account, the reader needs to know; the ZIP says it.
        let owner = Person {
            id: String::new(),
            handle: contents.owner.clone(),
            name: String::new(),
            url: String::new(),
            uri: None,
            posts: None,
        };
        let domain = contents.server.parse::<Domain>().map_err(|_| say("open_not_ours"))?;
        let about = Record::new("zip", "{}");
        db.put(&account, &[about]).await.map_err(broken)?;
        self.reader.show(db, account, owner, domain).await;
        Ok(say("open_done").with(contents.messages).with(Part::Day(contents.at)))
    }
}

fn person_of(owner: &Owner) -> Person {
    Person {
        id: owner.id.clone(),
        handle: owner.handle.clone(),
        name: owner.name.clone(),
        url: String::new(),
        uri: owner.uri.clone(),
        posts: None,
    }
}

/// Tells the index every record of an account.
async fn gather(db: &Db, account: &str, owner: &Owner) -> Result<Index, db::Trouble> {
    index(db, account, &person_of(owner), &owner.domain).await
}

pub(super) async fn index(
    db: &Db,
    account: &str,
    owner: &Person,
    domain: &Domain,
) -> Result<Index, db::Trouble> {
    let mut index = Index::new(owner, domain);
    records(db, account, &mut |key, text| index.add(key, text)).await?;
    Ok(index)
}

fn refusal(reason: &Reason) -> Say {
    match reason {
        Reason::NotAZip | Reason::NotOurs => say("open_not_ours"),
        Reason::Newer(_) => say("open_newer"),
        Reason::Cut => say("open_cut"),
        _ => say("open_damaged"),
    }
}

/// Minutes that local time is ahead of UTC at a time.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
pub(super) fn zone(at: Time) -> i32 {
    -(js_sys::Date::new(&JsValue::from_f64(at.0 as f64)).get_timezone_offset() as i32)
}

/// `2026-11-21`, here.
pub(super) fn iso_day(at: Time) -> String {
    let local = at.plus(i64::from(zone(at)) * MINUTE);
    #[allow(clippy::cast_precision_loss)]
    let date = js_sys::Date::new(&JsValue::from_f64((local.0 / DAY * DAY) as f64));
    date.to_iso_string().as_string().unwrap_or_default().chars().take(10).collect()
}
