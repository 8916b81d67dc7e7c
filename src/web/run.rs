//! Performs long work through the agent of a server's tab, and keeps what it brings: one loop for every job of the desk.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::db::{self, Db};
use super::markup::BrowserParser;
use super::tabs::{Voice, look_for, session_of};
use super::words::{number, speak, text};
use super::{chrome, fetch, now};
use crate::account::{Domain, Handle};
use crate::job::collect::Owner;
use crate::job::save::{Next, Save, Why};
use crate::job::{Left, Work};
use crate::message::digest::base64;
pub(super) use crate::message::record::Record;
use crate::message::record::{File, Missing};
use crate::say::{Part, say};
use crate::server::reply::{self, Reply, Silence};
use crate::server::request::Request;
use crate::trunk::presence::{Presence, other_account};
use crate::trunk::store::Party;
use crate::when::{MINUTE, SECOND, Time};

/// So many records are read from the database at once.
pub(super) const BATCH: u32 = 200;

/// Why it stands still.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Halt {
    No,
    Paused,
    Job(Why),
    /// Another account is signed in there.
    Other(Handle),
    /// The right one is, and the pages that are open are another one's.
    Stale,
    /// The disk is full.
    Full,
    /// The browser's database fails.
    Broken,
    /// Another window of ours does it already.
    Elsewhere,
}

impl From<reply::Refusal> for Halt {
    fn from(refusal: reply::Refusal) -> Halt {
        Halt::Job(match refusal {
            reply::Refusal::SignedOut => Why::SignedOut,
            reply::Refusal::Silent(Silence::NoTab) => Why::NoTab,
            reply::Refusal::Silent(Silence::NotGranted) => Why::NotAllowed,
            reply::Refusal::Forbidden => Why::Refused,
            _ => Why::Trouble,
        })
    }
}

impl From<db::Trouble> for Halt {
    fn from(trouble: db::Trouble) -> Halt {
        match trouble {
            db::Trouble::Full => Halt::Full,
            db::Trouble::Broken => Halt::Broken,
        }
    }
}

/// A job under way, and the request that is out.
#[derive(Debug)]
pub(super) struct Going<W: Work> {
    save: Save<W>,
    asked: Option<(W::Task, Request)>,
}

impl<W: Work> Going<W> {
    pub(super) fn new(work: W) -> Going<W> {
        Going { save: Save::new(work), asked: None }
    }
}

impl<W: Work> Deref for Going<W> {
    type Target = Save<W>;

    fn deref(&self) -> &Save<W> {
        &self.save
    }
}

impl<W: Work> DerefMut for Going<W> {
    fn deref_mut(&mut self) -> &mut Save<W> {
        &mut self.save
    }
}

/// What to do next, whatever the work.
pub(super) enum Step {
    Ask(Request),
    Fetch(String),
    Wait(Time, Why),
    Stop(Why),
    Through,
}

/// A job of any kind, so that the loop is in the module once and not once a kind.
pub(super) trait Drive {
    fn step(&self) -> Step;
    fn answer(&self, reply: &Reply) -> Vec<Record>;
    fn fetched(&self, url: &str, file: File) -> Vec<Record>;
    /// Requests answered so far, what is left, and how long the limit makes it take.
    fn pace(&self) -> (u64, Left, i64);
}

impl<W: Work> Drive for RefCell<Option<Going<W>>> {
    fn step(&self) -> Step {
        let mut own = self.borrow_mut();
        let Some(going) = own.as_mut() else { return Step::Stop(Why::Broken) };
        match going.save.next(now()) {
            Next::Ask(task, request) => {
                going.asked = Some((task, request.clone()));
                Step::Ask(request)
            }
            Next::Fetch(url) => Step::Fetch(url),
            Next::Wait { until, why } => Step::Wait(until, why),
            Next::Stop(why) => Step::Stop(why),
            Next::Through => Step::Through,
        }
    }

    fn answer(&self, reply: &Reply) -> Vec<Record> {
        let mut own = self.borrow_mut();
        let Some(going) = own.as_mut() else { return Vec::new() };
        let Some((task, request)) = going.asked.take() else { return Vec::new() };
        going.save.answer(&task, &request, reply, &BrowserParser, now())
    }

    fn fetched(&self, url: &str, file: File) -> Vec<Record> {
        self.borrow_mut().as_mut().map(|going| going.save.fetched(url, file)).unwrap_or_default()
    }

    fn pace(&self) -> (u64, Left, i64) {
        let own = self.borrow();
        let Some(going) = own.as_ref() else { return (0, Left::default(), 0) };
        (going.save.work.asked(), going.save.work.left(), going.save.time_left(now()))
    }
}

/// What runs for one account, one job at a time.
pub(super) struct Runner {
    /// The name of the lock that keeps other windows of ours from doing the same.
    lock: &'static str,
    /// What is said where the server refuses the account.
    refused: &'static str,
    pub(super) party: RefCell<Option<Party>>,
    pub(super) running: Cell<bool>,
    pub(super) pause: Cell<bool>,
    pub(super) halt: RefCell<Halt>,
    /// Until when nothing is asked, and why.
    pub(super) waiting: Cell<Option<(Time, Why)>>,
    /// When the run began, and how much was asked then.
    began: Cell<(Time, u64)>,
    /// Where the account was seen to be signed in.
    tab: Cell<Option<i32>>,
    db: RefCell<Option<Db>>,
}

impl Runner {
    pub(super) fn new(lock: &'static str, refused: &'static str) -> Runner {
        Runner {
            lock,
            refused,
            party: RefCell::default(),
            running: Cell::new(false),
            pause: Cell::new(false),
            halt: RefCell::new(Halt::No),
            waiting: Cell::new(None),
            began: Cell::new((Time(0), 0)),
            tab: Cell::new(None),
            db: RefCell::default(),
        }
    }

    pub(super) async fn db(&self) -> Result<Db, db::Trouble> {
        if let Some(db) = self.db.borrow().as_ref() {
            return Ok(db.clone());
        }
        let db = Db::open().await?;
        self.db.replace(Some(db.clone()));
        Ok(db)
    }

    /// Begins; `false` where it is at work already.
    pub(super) fn begin(&self) -> bool {
        if self.running.replace(true) {
            return false;
        }
        self.pause.set(false);
        self.halt.replace(Halt::No);
        true
    }

    pub(super) fn end(&self, halt: Halt) {
        self.running.set(false);
        self.waiting.set(None);
        self.halt.replace(halt);
    }

    /// Two of our windows must not do the same.
    pub(super) async fn alone(&self) -> Option<Lock> {
        Lock::take(self.lock).await
    }

    pub(super) fn host(&self) -> Option<Domain> {
        self.party.borrow().as_ref().map(|party| party.host.clone())
    }

    fn waits_for_page(&self) -> bool {
        matches!(
            &*self.halt.borrow(),
            Halt::Job(Why::NoTab | Why::SignedOut | Why::OtherAccount) | Halt::Other(_) | Halt::Stale
        )
    }

    /// Something is missing that opening a page of the server would bring.
    pub(super) fn needs_page(&self) -> bool {
        self.waits_for_page()
    }

    /// It stands still for want of a page of the server, and there is one now. Only what is there: nobody wants a page to
    /// open by itself that was closed a moment ago.
    pub(super) async fn may_go_on(&self) -> bool {
        let waited = || self.waits_for_page() && !self.running.get();
        let Some(party) = self.party.borrow().clone().filter(|_| waited()) else { return false };
        // Somebody else's page is no help.
        let (presence, _) = look_for(&party, None).await;
        presence.is_here() && waited()
    }

    /// Who is signed in there, by the server's own page: the one whose account is wanted? `open` opens such a page.
    pub(super) async fn owner(&self, party: &Party, open: &dyn Fn()) -> Result<Owner, Halt> {
        let (presence, found) = look_for(party, None).await;
        let Some(found) = found else {
            return Err(match presence {
                Presence::NoTab if !self.allowed(party).await => Halt::Job(Why::NotAllowed),
                Presence::NoTab => {
                    open();
                    Halt::Job(Why::NoTab)
                }
                Presence::Other(other) | Presence::OtherSide(other) => Halt::Other(other),
                Presence::SignedOut => Halt::Job(Why::SignedOut),
                Presence::Waiting(_) => Halt::Job(Why::Refused),
                _ => Halt::Job(Why::Trouble),
            });
        };
        self.tab.set(Some(found.tab));
        let session = session_of(&found.reply).ok_or(Halt::Job(Why::SignedOut))?;
        Owner::of(&session).ok_or(Halt::Job(Why::Refused))
    }

    async fn allowed(&self, party: &Party) -> bool {
        let granted = super::domains_of(&chrome::granted().await);
        granted.iter().any(|granted| granted.host() == party.host.host())
    }

    /// A request was not sent, because the pages are somebody else's: whose?
    async fn other(&self, party: &Party) -> Halt {
        match look_for(party, None).await.0 {
            Presence::Other(other) | Presence::OtherSide(other) => Halt::Other(other),
            Presence::NoTab => Halt::Job(Why::NoTab),
            Presence::SignedOut => Halt::Job(Why::SignedOut),
            _ => Halt::Stale,
        }
    }

    /// Goes through with it, as far as it comes. `Halt::No`: everything was asked for.
    pub(super) async fn go_through(
        &self,
        db: &Db,
        account: &str,
        who: (&Party, &Owner),
        job: &dyn Drive,
        draw: &dyn Fn(),
    ) -> Result<Halt, db::Trouble> {
        let (party, owner) = who;
        self.began.set((now(), job.pace().0));
        let voice = Voice::new(&party.host, owner, self.tab.get());
        loop {
            if self.pause.get() {
                return Ok(Halt::Paused);
            }
            match job.step() {
                Step::Ask(request) => {
                    let request = with_bytes(db, account, request).await?;
                    let reply = voice.ask(&request).await;
                    // The job hears nothing of it: the request is still the next one.
                    if reply == Err(Silence::OtherAccount) {
                        return Ok(self.other(party).await);
                    }
                    db.put(account, &job.answer(&reply)).await?;
                }
                Step::Fetch(url) => {
                    let file = fetch_file(db, account, &party.host, &url).await?;
                    let records = job.fetched(&url, file);
                    if records.is_empty() {
                        TimeoutFuture::new(1_000).await;
                    }
                    db.put(account, &records).await?;
                }
                Step::Wait(until, why) => {
                    self.waiting.set(Some((until, why)));
                    draw();
                    let wait = until.since(now()).clamp(50, 500);
                    TimeoutFuture::new(u32::try_from(wait).unwrap_or(500)).await;
                    continue;
                }
                Step::Stop(why) => return Ok(Halt::Job(why)),
                Step::Through => return Ok(Halt::No),
            }
            self.waiting.set(None);
            draw();
        }
    }

    // --- words ---

    /// `busy`: the word for its running. `done`: whether it is finished; `None` where there is nothing yet.
    pub(super) fn state(&self, busy: &'static str, done: Option<bool>) -> &'static str {
        match (&*self.halt.borrow(), done) {
            _ if self.running.get() => match self.waiting.get() {
                // The server at work is how it goes on.
                Some((_, why)) if why != Why::Server => "waiting",
                _ => busy,
            },
            (Halt::Paused, _) => "paused",
            (halt, _) if *halt != Halt::No => "stopped",
            (_, Some(true)) => "done",
            (_, Some(false)) => "paused",
            (_, None) => "none",
        }
    }

    /// How far, how fast, how long still.
    pub(super) fn far(&self, job: &dyn Drive) -> String {
        let (asked, left, least) = job.pace();
        let (begun, before) = self.began.get();
        // What it took so far, and what the limit allows, whichever is longer.
        let (spent, done) = (now().since(begun), asked.saturating_sub(before).max(1));
        let pace = spent / i64::try_from(done).unwrap_or(1);
        let rest = pace.saturating_mul(i64::try_from(left.calls).unwrap_or(0)).max(least);
        let minutes = u64::try_from((rest + MINUTE - SECOND) / MINUTE).unwrap_or(0);
        let rate = if spent > 0 { done * 60_000 / spent.unsigned_abs().max(1_000) } else { 0 };
        let far = say("messages_far").with(asked).with(number(asked + left.calls).as_str());
        let files = match left.files {
            0 => String::new(),
            files => speak(&say("messages_files_left").with(files)),
        };
        [
            speak(&far),
            speak(&say("messages_fast").with(rate)),
            if minutes == 0 {
                text("messages_left_soon")
            } else {
                speak(&say("messages_left").with(minutes))
            },
            files,
        ]
        .join(" ")
    }

    /// What is waited for.
    pub(super) fn waits(&self) -> String {
        match self.waiting.get() {
            Some((until, Why::Limit)) => speak(&say("messages_wait_limit").with(Part::Clock(until))),
            Some((until, _)) => speak(&say("messages_wait_trouble").with(Part::Clock(until))),
            None => String::new(),
        }
    }

    /// Why it stands still. `begun`: there is something to go on with.
    pub(super) fn halted(&self, begun: bool) -> String {
        let host = self.host();
        let named = |key: &str| match &host {
            Some(host) => speak(&say(key).with(host)),
            None => text(key),
        };
        match &*self.halt.borrow() {
            Halt::No | Halt::Paused if begun => text("messages_paused"),
            Halt::No | Halt::Paused => String::new(),
            Halt::Job(Why::NoTab) => named("trouble_no_tab"),
            Halt::Job(Why::SignedOut) => match &*self.party.borrow() {
                Some(party) => Presence::SignedOut.say(party).map(|say| speak(&say)).unwrap_or_default(),
                None => String::new(),
            },
            Halt::Job(Why::NotAllowed) => named("trouble_not_granted"),
            Halt::Job(Why::Refused) => named(self.refused),
            Halt::Job(Why::Broken | Why::Trouble | Why::Limit | Why::Server) => named("messages_broken"),
            Halt::Other(other) => match &*self.party.borrow() {
                Some(party) => speak(&other_account(party, other)),
                None => String::new(),
            },
            Halt::Stale | Halt::Job(Why::OtherAccount) => named("trouble_stale_page"),
            Halt::Full => text("messages_full"),
            Halt::Broken => text("messages_store_broken"),
            Halt::Elsewhere => text("messages_elsewhere"),
        }
    }
}

/// The account a handle is kept under.
pub(super) fn key_of(handle: &Handle) -> String {
    handle.acct().to_lowercase()
}

/// What a job names by its address goes out as what the store has under it.
async fn with_bytes(db: &Db, account: &str, mut request: Request) -> Result<Request, db::Trouble> {
    if let Some(file) = request.file.as_mut().filter(|file| file.bytes) {
        let blob = db.file(account, &file.text).await?.ok_or(db::Trouble::Broken)?;
        file.text = base64(&db::piece(&blob, 0.0, blob.size()).await?);
    }
    Ok(request)
}

async fn fetch_file(db: &Db, account: &str, own: &Domain, url: &str) -> Result<File, db::Trouble> {
    let Some(host) = fetch::host_of(url) else { return Ok(File::Missing(Missing::NoAddress)) };
    let granted = super::domains_of(&chrome::granted().await);
    if !granted.iter().any(|granted| granted.host() == host.host()) {
        return Ok(File::Missing(Missing::NotAllowed));
    }
    let fetched = match fetch::fetch(url, host == *own && url.contains("/media_proxy/")).await {
        Ok(fetched) => fetched,
        Err(reason) => return Ok(File::Missing(reason)),
    };
    match db.put_file(account, url, &fetched.blob, &fetched.sha256).await {
        Ok(()) => Ok(File::Saved {
            kind: fetched.kind.to_owned(),
            said: fetched.said,
            size: fetched.size,
            sha256: fetched.sha256,
        }),
        // Texts are small: they may still find room.
        Err(db::Trouble::Full) => Ok(File::Missing(Missing::NoRoom)),
        Err(trouble) => Err(trouble),
    }
}

/// Gives every record of an account to `take`, in the order of their keys.
pub(super) async fn records(
    db: &Db,
    account: &str,
    take: &mut dyn FnMut(&str, &str),
) -> Result<(), db::Trouble> {
    let mut after: Option<String> = None;
    loop {
        let some = db.some(account, after.as_deref(), BATCH).await?;
        for (key, text) in &some {
            take(key, text);
        }
        match some.into_iter().last() {
            Some((key, _)) => after = Some(key),
            None => return Ok(()),
        }
    }
}

/// A lock among our own pages, held until it is dropped.
pub(super) struct Lock(Function);

impl Lock {
    /// `None`: somebody else has it.
    pub(super) async fn take(name: &str) -> Option<Lock> {
        let locks = Reflect::get(&web_sys::window()?.navigator(), &"locks".into()).ok()?;
        let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
        let options = Object::new();
        let _ = Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE);
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let answered = Rc::new(RefCell::new(None::<bool>));
        let (told, mut wake) = (answered.clone(), None);
        let heard = Promise::new(&mut |resolve, _| wake = Some(resolve));
        let wake = wake?;
        let given = Closure::once_into_js(move |lock: JsValue| -> JsValue {
            let there = !lock.is_null() && !lock.is_undefined();
            told.replace(Some(there));
            let _ = wake.call0(&JsValue::NULL);
            if there { held.into() } else { JsValue::UNDEFINED }
        });
        request.call3(&locks, &name.into(), &options, &given).ok()?;
        JsFuture::from(heard).await.ok()?;
        if *answered.borrow() == Some(true) { release.map(Lock) } else { None }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}
