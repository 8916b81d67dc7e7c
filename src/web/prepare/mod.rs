//! The desk's part for preparing the new account: its profile, who may follow it, its address, and the announcement.

mod lines;
mod lock;
mod posts;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;

use super::db::{self, Db};
use super::dom::{Build, make};
use super::frame::{Frame, then};
use super::run::{Going, Halt, Runner, key_of, records};
use super::words::{speak, text};
use super::{chrome, domains_of, fetch, go, now};
use crate::account::{Domain, Handle};
use crate::job::profile::Carry;
use crate::job::profile::change::{Stand, What};
use crate::job::profile::look::Look;
use crate::job::{Left, Work as _};
use crate::message::record::{ABOUT, File, Missing};
use crate::say::{Part, Say, say};
use crate::trunk::dossier::{AccountFacts, Dossier, Email, Side};
use crate::trunk::journal::Deed;
use crate::trunk::profile::{self as compare, End, Item, Line};
use crate::trunk::steps::Busy;
use crate::trunk::store::Party;
use crate::when::Time;
use posts::Posts;

/// What is told to the rest of the desk.
pub(super) enum Tell {
    /// A page of that server is needed.
    OpenServer(Side),
    /// Something on the new account is otherwise than before.
    Changed,
    /// This was done.
    Done(Deed),
    /// It begins, or has ended.
    Running,
}

/// What it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Look,
    Carry,
}

/// How the work is taken up.
enum How {
    Begin(Vec<What>),
    GoOn,
    TakeBack,
}

/// What the checks know already.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    locked: Option<bool>,
    email: Option<Email>,
    address_change: bool,
}

pub(super) struct Prepare {
    frame: Frame,
    /// Old and new.
    ends: [Runner; 2],
    looks: [RefCell<Option<Going<Look>>>; 2],
    tell: Box<dyn Fn(Tell)>,
    /// Under which name the work on the new account is kept.
    account: RefCell<String>,
    carry: RefCell<Option<Going<Carry>>>,
    lines: RefCell<Vec<Line>>,
    chosen: RefCell<Vec<Item>>,
    doing: Cell<Doing>,
    /// Both are shown side by side although something was carried over already.
    planning: Cell<bool>,
    /// Pictures of both, to look at: the address, and where the browser keeps it.
    pictures: RefCell<Vec<(String, String)>>,
    /// Hosts of pictures that are not allowed.
    hosts: RefCell<Vec<Domain>>,
    facts: RefCell<Facts>,
    /// Since when the new account lets everybody in, because we were told to.
    unlocked: Cell<Option<Time>>,
    told: RefCell<Option<String>>,
    posts: Posts,
    /// The old profile was asked for by itself, once.
    tried_old: Cell<bool>,
    /// Counts what makes another picture.
    version: Cell<u32>,
}

impl Prepare {
    pub(super) fn new(tell: impl Fn(Tell) + 'static) -> Rc<Prepare> {
        let frame = Frame::new("profile", "prepare_title");
        let posts = Posts::new();
        let _ = frame.root.append_child(&posts.root);
        let runner = |lock| Runner::new(lock, "profile_refused");
        Rc::new(Prepare {
            frame,
            ends: [runner("profile-old"), runner("profile")],
            looks: Default::default(),
            tell: Box::new(tell),
            account: RefCell::default(),
            carry: RefCell::default(),
            lines: RefCell::default(),
            chosen: RefCell::default(),
            doing: Cell::new(Doing::Look),
            planning: Cell::new(false),
            pictures: RefCell::default(),
            hosts: RefCell::default(),
            facts: RefCell::default(),
            unlocked: Cell::new(None),
            told: RefCell::default(),
            posts,
            tried_old: Cell::new(false),
            version: Cell::new(0),
        })
    }

    pub(super) fn root(&self) -> &HtmlElement {
        &self.frame.root
    }

    /// Where the drafts are.
    pub(super) fn show_posts(&self) {
        self.posts.root.scroll_into_view();
    }

    fn end(&self, side: Side) -> &Runner {
        &self.ends[side as usize]
    }

    fn running(&self) -> bool {
        self.ends.iter().any(|end| end.running.get())
    }

    /// Which two accounts it is about, and what is known of the new one.
    pub(super) fn show(self: &Rc<Self>, parties: Option<(&Party, &Party)>, dossier: &Dossier) {
        let new = &dossier.new;
        let facts = Facts {
            locked: AccountFacts::value(&new.locked).copied(),
            email: AccountFacts::value(&new.email).copied(),
            address_change: AccountFacts::value(&new.address_change).copied().unwrap_or(false),
        };
        let other = self.facts.replace(facts.clone()) != facts;
        self.frame.root.set_hidden(parties.is_none());
        // What runs runs to its end; then there is another look at whose it is.
        if self.running() {
            return;
        }
        let now: [Option<&Party>; 2] = [parties.map(|(old, _)| old), parties.map(|(_, new)| new)];
        let same = self.ends.iter().zip(now).all(|(end, party)| end.party.borrow().as_ref() == party);
        if same {
            if other {
                self.draw();
            }
            return;
        }
        for (end, party) in self.ends.iter().zip(now) {
            end.party.replace(party.cloned());
            end.halt.replace(Halt::No);
        }
        for look in &self.looks {
            look.replace(None);
        }
        self.tried_old.set(false);
        self.lines.borrow_mut().clear();
        self.forget_pictures();
        self.posts.about(self.parties(), None);
        let account = self.handle(Side::New).map(|handle| account_of(&handle)).unwrap_or_default();
        if *self.account.borrow() == account {
            return self.draw();
        }
        self.account.replace(account);
        self.carry.replace(None);
        self.unlocked.set(None);
        let here = self.clone();
        go(async move {
            let _ = here.load().await;
            here.draw();
        });
    }

    fn handle(&self, side: Side) -> Option<Handle> {
        self.end(side).party.borrow().as_ref().and_then(|party| party.handle.clone())
    }

    fn parties(&self) -> [Option<Party>; 2] {
        self.ends.each_ref().map(|end| end.party.borrow().clone())
    }

    fn name(&self, side: Side) -> Part {
        match (self.handle(side), self.end(side).host()) {
            (Some(handle), _) => Part::from(&handle),
            (None, Some(host)) => Part::from(&host),
            (None, None) => Part::Text(String::new()),
        }
    }

    /// The work as it was left.
    async fn load(&self) -> Result<(), db::Trouble> {
        let account = self.account.borrow().clone();
        if account.is_empty() || self.carry.borrow().is_some() {
            return Ok(());
        }
        let db = self.end(Side::New).db().await?;
        self.unlocked.set(lock::load(&db, &account).await?);
        let about = db.get(&account, &[ABOUT.to_owned()]).await?.pop().flatten();
        let Some(mut carry) = about.as_deref().and_then(Carry::from_about) else { return Ok(()) };
        records(&db, &account, &mut |key, text| carry.restore(key, text)).await?;
        if *self.account.borrow() == account {
            if !carry.is_done() {
                self.doing.set(Doing::Carry);
            }
            self.carry.replace(Some(Going::new(carry)));
        }
        Ok(())
    }

    // --- reading ---

    /// A page of a server was opened: perhaps the one that was waited for.
    pub(super) fn tab_seen(self: &Rc<Self>) {
        let here = self.clone();
        go(async move {
            if here.end(Side::Old).may_go_on().await || here.end(Side::New).may_go_on().await {
                here.resume();
            }
        });
    }

    fn resume(self: &Rc<Self>) {
        match self.doing.get() {
            Doing::Look => self.read_both(),
            // It stopped before it had begun: the plan is still there.
            Doing::Carry if self.carry.borrow().is_none() => self.carry(),
            Doing::Carry => self.work(How::GoOn),
        }
    }

    pub(super) fn busy(&self) -> Option<Busy> {
        self.running().then_some(Busy::Prepares)
    }

    /// Reads both profiles, where nobody has yet.
    pub(super) fn look_ahead(self: &Rc<Self>) {
        if self.state() == "none" {
            self.read_both();
        }
    }

    /// Reads the old profile alone, where the accounts are on one server and so never signed in at the same time: it is
    /// there already when the new one comes.
    pub(super) fn look_at_old(self: &Rc<Self>) {
        if self.state() != "none" || !self.shares_server() || self.tried_old.replace(true) {
            return;
        }
        let here = self.clone();
        go(async move {
            // Somebody may have pressed the button in the meantime.
            if here.running() {
                return;
            }
            let _ = here.read(Side::Old).await;
            // Nobody asked for it, so nobody has to hear that it did not go.
            here.end(Side::Old).end(Halt::No);
            here.draw();
            (here.tell)(Tell::Running);
        });
    }

    /// Both accounts are on one server: where one of them is signed in the other one is not.
    fn shares_server(&self) -> bool {
        let [old, new] = [self.end(Side::Old).host(), self.end(Side::New).host()];
        old.is_some() && old == new
    }

    pub(super) fn has_read(&self, side: Side) -> bool {
        self.looks[side as usize].borrow().as_ref().is_some_and(|look| look.work.is_done())
    }

    /// So many things are chosen to be carried over.
    pub(super) fn offer(&self) -> Option<u64> {
        (self.state() == "planned").then(|| self.chosen.borrow().len() as u64).filter(|chosen| *chosen > 0)
    }

    /// Carries over what is chosen.
    pub(super) fn carry_chosen(self: &Rc<Self>) {
        if self.offer().is_some() {
            self.carry();
        }
    }

    /// Reads both profiles anew.
    pub(super) fn start(self: &Rc<Self>) {
        if self.running() {
            return;
        }
        // On one server the old one would have to sign in again for it.
        if !self.shares_server() {
            self.looks[Side::Old as usize].replace(None);
        }
        self.looks[Side::New as usize].replace(None);
        self.read_both();
    }

    /// Reads what is not read yet.
    fn read_both(self: &Rc<Self>) {
        if self.running() {
            return;
        }
        self.doing.set(Doing::Look);
        self.planning.set(true);
        self.told.replace(None);
        self.lines.borrow_mut().clear();
        let here = self.clone();
        go(async move {
            if here.running() {
                return;
            }
            let mut whole = true;
            for side in [Side::Old, Side::New] {
                // The one who is there is read, whichever it is: the other one cannot be at the same time.
                let other =
                    here.shares_server() && matches!(*here.end(Side::Old).halt.borrow(), Halt::Other(_));
                if here.has_read(side) {
                    here.end(side).end(Halt::No);
                } else if whole || other {
                    whole = here.read(side).await && whole;
                }
            }
            if whole {
                here.compare().await;
            }
            here.draw();
            (here.tell)(Tell::Running);
        });
    }

    /// One of them; whether all is there.
    async fn read(self: &Rc<Self>, side: Side) -> bool {
        let end = self.end(side);
        if !end.begin() {
            return false;
        }
        self.draw();
        (self.tell)(Tell::Running);
        let halt = match end.alone().await {
            None => Halt::Elsewhere,
            Some(_lock) => self.read_through(side).await.unwrap_or_else(Halt::from),
        };
        let whole = halt == Halt::No;
        end.end(halt);
        whole
    }

    async fn read_through(self: &Rc<Self>, side: Side) -> Result<Halt, db::Trouble> {
        let end = self.end(side);
        let Some(party) = end.party.borrow().clone() else { return Ok(Halt::Paused) };
        let owner = match end.owner(&party, &|| (self.tell)(Tell::OpenServer(side))).await {
            Ok(owner) => owner,
            Err(halt) => return Ok(halt),
        };
        if side == Side::New {
            self.settle(&owner.handle).await?;
        }
        let look = &self.looks[side as usize];
        look.replace(Some(Going::new(Look::new(owner.clone(), side))));
        let db = end.db().await?;
        // It keeps nothing.
        end.go_through(&db, "", (&party, &owner), look, &|| self.draw()).await
    }

    /// Whose work it is, once that is known.
    async fn settle(&self, handle: &str) -> Result<(), db::Trouble> {
        let account = format!("profile {}", handle.to_lowercase());
        if *self.account.borrow() != account {
            self.account.replace(account);
            self.carry.replace(None);
            self.unlocked.set(None);
        }
        self.load().await
    }

    /// Both ends as they were read, for `f`.
    fn with<T>(&self, f: impl FnOnce(End, End) -> T) -> Option<T> {
        let looks = [self.looks[0].borrow(), self.looks[1].borrow()];
        let hosts = [self.end(Side::Old).host()?, self.end(Side::New).host()?];
        let end = |at: usize| {
            let look = &looks[at].as_ref()?.work;
            Some(End {
                profile: look.profile.as_ref()?,
                host: &hosts[at],
                tags: look.tags.as_deref(),
                limits: &look.limits,
                emojis: look.emojis.as_deref(),
            })
        };
        Some(f(end(0)?, end(1)?))
    }

    async fn compare(self: &Rc<Self>) {
        let lines = self.with(compare::compare).unwrap_or_default();
        let chosen = lines.iter().filter(|line| line.chosen).map(|line| line.item.clone()).collect();
        self.chosen.replace(chosen);
        self.lines.replace(lines);
        let limits =
            [0, 1].map(|at: usize| self.looks[at].borrow().as_ref().map(|look| look.work.limits.clone()));
        self.posts.about(self.parties(), Some(limits));
        let pinned = self.looks[0].borrow().as_ref().and_then(|look| look.work.pinned.clone());
        self.posts.pinned(pinned);
        self.show_pictures().await;
        self.version.set(self.version.get() + 1);
    }

    fn forget_pictures(&self) {
        for (_, here) in self.pictures.borrow_mut().drain(..) {
            let _ = web_sys::Url::revoke_object_url(&here);
        }
    }

    /// Fetches the pictures of both, as far as their hosts are allowed: to be looked at, one beside the other.
    async fn show_pictures(&self) {
        self.forget_pictures();
        let granted = domains_of(&chrome::granted().await);
        let mut urls: Vec<String> = Vec::new();
        for line in self.lines.borrow().iter() {
            for value in [&line.old, &line.new] {
                if let compare::Value::Picture(picture) = value {
                    urls.extend(picture.url.clone());
                }
            }
        }
        let mut hosts: Vec<Domain> = Vec::new();
        for url in urls {
            let Some(host) = fetch::host_of(&url) else { continue };
            if !granted.iter().any(|granted| granted.host() == host.host()) {
                if !hosts.contains(&host) {
                    hosts.push(host);
                }
                continue;
            }
            let Ok(fetched) = fetch::fetch(&url, false).await else { continue };
            if !fetched.kind.starts_with("image/") {
                continue;
            }
            let typed =
                fetched.blob.slice_with_f64_and_f64_and_content_type(0.0, fetched.blob.size(), fetched.kind);
            let here = typed.ok().and_then(|typed| web_sys::Url::create_object_url_with_blob(&typed).ok());
            self.pictures.borrow_mut().extend(here.map(|here| (url, here)));
        }
        self.hosts.replace(hosts);
    }

    // --- doing ---

    fn carry(self: &Rc<Self>) {
        let chosen = self.chosen.borrow().clone();
        let changes = self.with(|old, new| compare::changes(old, new, &self.lines.borrow(), &chosen));
        if let Some(changes) = changes.filter(|changes| !changes.is_empty()) {
            self.work(How::Begin(changes));
        }
    }

    fn work(self: &Rc<Self>, how: How) {
        if self.running() || !self.end(Side::New).begin() {
            return;
        }
        self.doing.set(Doing::Carry);
        self.planning.set(false);
        self.told.replace(None);
        self.draw();
        (self.tell)(Tell::Running);
        let here = self.clone();
        go(async move {
            let end = here.end(Side::New);
            let halt = match end.alone().await {
                None => Halt::Elsewhere,
                Some(_lock) => match here.go_through(how).await {
                    Ok(halt) => halt,
                    Err(trouble) => {
                        // What is in memory is ahead of what is stored.
                        here.carry.replace(None);
                        let _ = here.load().await;
                        trouble.into()
                    }
                },
            };
            let deed = (halt == Halt::No).then(|| here.deed()).flatten();
            end.end(halt);
            here.draw();
            if let Some(deed) = deed {
                (here.tell)(Tell::Done(deed));
            }
            (here.tell)(Tell::Changed);
        });
    }

    async fn go_through(self: &Rc<Self>, how: How) -> Result<Halt, db::Trouble> {
        let end = self.end(Side::New);
        let Some(party) = end.party.borrow().clone() else { return Ok(Halt::No) };
        let owner = match end.owner(&party, &|| (self.tell)(Tell::OpenServer(Side::New))).await {
            Ok(owner) => owner,
            Err(halt) => return Ok(halt),
        };
        self.settle(&owner.handle).await?;
        let (db, account) = (end.db().await?, self.account.borrow().clone());
        let records = {
            let mut carry = self.carry.borrow_mut();
            // What was taken back is over, and its pictures are forgotten.
            let over = |going: &Going<Carry>| going.work.is_undo() && going.work.is_done();
            match (carry.as_mut().filter(|going| !over(going)), how) {
                (Some(going), how) => {
                    going.go_on();
                    let records = match how {
                        How::Begin(changes) => going.work.add(changes, now()),
                        How::GoOn => going.work.go_on(now()),
                        How::TakeBack => going.work.take_back(now()),
                    };
                    going.settle();
                    records
                }
                (None, How::Begin(changes)) => {
                    let (job, records) = Carry::begin(owner.clone(), changes, now());
                    *carry = Some(Going::new(job));
                    records
                }
                (None, _) => return Ok(Halt::No),
            }
        };
        db.put(&account, &records).await?;
        let halt = end.go_through(&db, &account, (&party, &owner), &self.carry, &|| self.draw()).await?;
        if halt == Halt::No {
            self.finish(&db, &account).await?;
        }
        Ok(halt)
    }

    /// What has been done, once it is through.
    fn deed(&self) -> Option<Deed> {
        let carry = self.carry.borrow();
        let carry = &carry.as_ref()?.work;
        let (done, all) = done_of(carry);
        carry.is_done().then(|| Deed::profile(carry.is_undo(), done, all, now()))
    }

    async fn finish(&self, db: &Db, account: &str) -> Result<(), db::Trouble> {
        let (records, undo) = match self.carry.borrow_mut().as_mut() {
            Some(going) => (going.work.finish(now()), going.work.is_undo()),
            None => return Ok(()),
        };
        // All is as it was: nothing of it has to be kept any longer.
        if undo { db.forget(account).await } else { db.put(account, &records).await }
    }

    // --- showing ---

    fn state(&self) -> &'static str {
        let busy = if self.doing.get() == Doing::Look { "reading" } else { "working" };
        let done = match (&*self.carry.borrow(), self.planning.get()) {
            (Some(going), false) => Some(going.work.is_done()),
            _ => None,
        };
        let states = self.ends.each_ref().map(|end| end.state(busy, done));
        let first = |wanted: &[&str]| states.iter().find(|state| wanted.contains(state)).copied();
        match first(&["waiting", busy]).or_else(|| first(&["stopped"])) {
            Some(state) => state,
            // An old profile without anything in it has no lines, and is read all the same.
            None if done.is_none() && self.with(|_, _| ()).is_some() => "planned",
            None => states[1],
        }
    }

    fn draw(self: &Rc<Self>) {
        let state = self.state();
        let (line, status) = self.words(state);
        self.frame.stand(state, &line, &status);
        let (asked, left) = self
            .carry
            .borrow()
            .as_ref()
            .map_or((0, Left::default()), |carry| (carry.work.asked(), carry.work.left()));
        let working = matches!(state, "working" | "waiting") && self.doing.get() == Doing::Carry;
        self.frame.bar(working, asked, left.calls);
        let look = format!(
            "{state} {} {:?} {:?} {:?} {:?} {:?}",
            self.version.get(),
            self.chosen.borrow(),
            self.hosts.borrow(),
            self.facts.borrow(),
            self.unlocked.get(),
            self.ends.each_ref().map(|end| end.halt.borrow().clone()),
        );
        self.frame.redraw(look, &|| self.draw_body(state));
    }

    fn words(&self, state: &str) -> (String, String) {
        let name = self.name(Side::New);
        let line = match state {
            "none" => say("prepare_none").with(self.name(Side::Old)).with(name),
            "planned" => say("prepare_planned").with(name),
            "done" => match self.carry.borrow().as_ref() {
                Some(carry) => done_words(&carry.work, name),
                None => say("prepare_working").with(name),
            },
            _ if self.doing.get() == Doing::Look => say("prepare_reading"),
            _ => say("prepare_working").with(name),
        };
        let halted = self.ends.iter().find(|end| !matches!(*end.halt.borrow(), Halt::No | Halt::Paused));
        let status = match state {
            "waiting" => self.ends.iter().map(Runner::waits).collect::<String>(),
            "working" => self.end(Side::New).far(&self.carry),
            "stopped" => halted.map(|end| end.halted(false)).unwrap_or_default(),
            _ => self.told.borrow().clone().unwrap_or_default(),
        };
        (speak(&line), status.trim().to_owned())
    }

    fn button(self: &Rc<Self>, action: &str, label: &Say, main: bool, act: fn(&Rc<Prepare>)) -> Build {
        let here = self.clone();
        self.frame.button(action, &speak(label), main, move || act(&here))
    }

    fn draw_body(self: &Rc<Self>, state: &str) {
        let actions = make("div").class("actions");
        let look = |main| self.button("look-profile", &say("action_look_profile"), main, Prepare::start);
        match state {
            "none" => self.frame.put(&actions.child(look(true))),
            "reading" | "working" | "waiting" => {
                let pause = self.button("pause", &say("action_pause"), false, |here| {
                    for end in &here.ends {
                        end.pause.set(true);
                    }
                    here.draw();
                });
                self.frame.put(&actions.child(pause));
                self.frame.put(&then(&text("messages_safe_to_close")));
            }
            "paused" | "stopped" => {
                let resume = self.button("resume", &say("action_resume"), true, Prepare::resume);
                let needs = [Side::Old, Side::New].into_iter().find(|side| self.end(*side).needs_page());
                let visit = needs.and_then(|side| {
                    let host = self.end(side).host()?;
                    let label = speak(&say("action_open_server").with(&host));
                    let here = self.clone();
                    Some(self.frame.button("visit", &label, false, move || {
                        (here.tell)(Tell::OpenServer(side));
                    }))
                });
                self.frame.put(&actions.child(resume).children(visit).child(look(false)));
            }
            "planned" => self.draw_lines(),
            _ => {
                let back = self.carry.borrow().as_ref().is_some_and(|carry| carry.work.may_be_taken_back());
                let undo = back.then(|| {
                    self.button("undo", &say("action_take_back"), false, |here| here.work(How::TakeBack))
                });
                self.draw_outcome();
                self.frame.put(&actions.children(undo).child(look(false)));
                if back {
                    self.frame.put(&then(&speak(&say("prepare_undo_why").with(self.name(Side::New)))));
                }
            }
        }
        if !self.running() {
            self.draw_lock();
            self.draw_address();
        }
    }

    /// What became of each thing.
    fn draw_outcome(self: &Rc<Self>) {
        let carry = self.carry.borrow();
        let Some(carry) = carry.as_ref() else { return };
        let host = self.end(Side::New).host();
        let items = carry.work.steps().map(|(what, stand)| {
            let words = stand_words(stand, carry.work.is_undo(), host.as_ref());
            let line = say("unpack_line")
                .with(Part::Say(Box::new(what_name(what))))
                .with(Part::Say(Box::new(words)));
            let stage = match stand {
                Stand::Done => "finished",
                Stand::Open | Stand::Trying | Stand::Sent => "running",
                _ => "refused",
            };
            make("li")
                .attr("data-piece", &what.id())
                .attr("data-stage", stage)
                .attr("data-stand", stand.id())
                .text(&speak(&line))
        });
        self.frame.put(&make("ul").class("pieces").children(items));
        let missing = carry.work.files().filter(|(_, file)| **file == File::Missing(Missing::NotAllowed));
        let mut hosts: Vec<Domain> = Vec::new();
        for host in missing.filter_map(|(url, _)| fetch::host_of(url)) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        self.draw_hosts(&hosts, |here| here.work(How::GoOn));
    }

    /// Pictures on other hosts: by name, once, with the reason.
    fn draw_hosts(self: &Rc<Self>, hosts: &[Domain], go_on: fn(&Rc<Prepare>)) {
        for host in hosts {
            let (here, pattern) = (self.clone(), host.pattern());
            let label = speak(&say("action_grant").with(host));
            let allow = self.frame.button("grant-media", &label, false, move || {
                // The browser shows its prompt only inside the click itself.
                let asked = chrome::request(std::slice::from_ref(&pattern));
                let here = here.clone();
                go(async move {
                    if let Ok(promise) = asked
                        && JsFuture::from(promise).await.is_ok_and(|given| given.is_truthy())
                    {
                        go_on(&here);
                    }
                });
            });
            let why = then(&speak(&say("profile_host_why").with(host)));
            let allow = allow.attr("data-server", host.as_str());
            self.frame
                .put(&make("div").class("host").child(why).child(make("div").class("actions").child(allow)));
        }
    }
}

/// Under which name the work on an account is kept.
fn account_of(handle: &Handle) -> String {
    format!("profile {}", key_of(handle))
}

/// How many are done, of how many.
fn done_of(carry: &Carry) -> (u64, u64) {
    carry.steps().fold((0, 0), |(done, all), (_, stand)| (done + u64::from(*stand == Stand::Done), all + 1))
}

fn done_words(carry: &Carry, name: Part) -> Say {
    let (done, all) = done_of(carry);
    let key = match (carry.is_undo(), done == all) {
        (false, true) => "prepare_done",
        (false, false) => "prepare_done_partly",
        (true, true) => "prepare_undone",
        (true, false) => "prepare_undone_partly",
    };
    let all = Part::Text(super::words::number(all));
    let say = say(key).with(done);
    if done_is_all(key) { say.with(name) } else { say.with(all).with(name) }
}

fn done_is_all(key: &str) -> bool {
    !key.ends_with("partly")
}

fn what_name(what: &What) -> Say {
    match what {
        What::Name(_) => Item::Name.name(),
        What::Note(_) => Item::Note.name(),
        What::Fields(_) => say("profile_item_fields"),
        What::Flag(flag, _) => Item::Flag(*flag).name(),
        What::Picture { which, .. } => Item::Picture(*which).name(),
        What::Tag { name, .. } => Item::Tag(name.clone()).name(),
    }
}

fn stand_words(stand: &Stand, undo: bool, host: Option<&Domain>) -> Say {
    let host = host.map_or_else(|| Part::Text(String::new()), Part::from);
    match stand {
        Stand::Done if undo => say("profile_stand_back").with(host),
        Stand::Done => say("profile_stand_done").with(host),
        Stand::Differs => say("profile_stand_differs").with(host),
        Stand::Refused(words) if words.is_empty() => say("profile_stand_refused").with(host),
        Stand::Refused(words) => say("profile_stand_refused_words").with(host).with(words.as_str()),
        Stand::Missing(why) => say(match why.as_str() {
            "not-allowed" => "profile_stand_not_allowed",
            "gone" => "profile_stand_gone",
            _ => "profile_stand_missing",
        }),
        Stand::Kept => say("profile_stand_kept"),
        Stand::Open | Stand::Trying | Stand::Sent => say("profile_stand_open"),
    }
}
