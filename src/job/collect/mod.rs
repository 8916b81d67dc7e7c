//! Collects every direct message of an account, from whichever road knows of it (facts 13.1).
//!
//! A job in steps of one request, with its state in [`Record`]s: every answer gives the records that it changed, and from
//! the records of any moment the job goes on. Nothing is asked for twice; a second reading of the same account asks for
//! what has changed, and for the first page of the rest.
//!
//! Which roads: the account's own lists tell whom it has met ([`road`]); of everybody met, the listing is read, the only road
//! that is complete ([`person`]). What a listing cannot give (the author blocks the reader; it has more pages than are
//! worth it) comes from contexts, as far as it is there, and [`Gap`]s say what may be missing. Parents that are no messages
//! are fetched one level up, edits with all their versions.

pub mod person;
pub mod road;

use serde_json::{Map, Value};

pub use super::Left;
use super::Work;
use crate::account::{Domain, Handle};
use crate::message::record::{
    ABOUT, CONVERSATION, FILE, File, HISTORY, Missing, PERSON, ROAD, Record, STATUS, status_key,
};
use crate::plain::{self, Object, count, flag, text};
use crate::say::{Say, say};
use crate::server::entity;
use crate::server::markup::Parser;
use crate::server::reply::{self, Answer, Refusal, Reply};
use crate::server::request::{self, Request};
use crate::server::session::{Session, Standing};
use crate::server::status::{Attachment, Emoji, Person, Status};
use crate::small::{Names, Table, ordered, set};
use crate::when::{DAY, Time};
use person::{Met, PAGES_MET, Read};
use road::{Road, Way, later};

/// A parent that its server does not give, or not together with others.
const ABSENT: &str = "a/";
const SINGLE: &str = "single";
/// Somebody whom the person has named.
const NAMED: &str = "n/";
/// A context that was asked for.
const CONTEXT: &str = "t/";
/// So few followers and followed people are suspected without being asked: it costs a fraction of a minute.
const FEW: u64 = 20;
/// The owner's index among the readers of a message.
const OWNER: u32 = u32::MAX;

/// Whose messages are collected, and what its server can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner {
    pub id: String,
    /// `user@domain`
    pub handle: String,
    pub uri: Option<String>,
    pub name: String,
    pub domain: Domain,
    pub version: Option<String>,
    pub created_at: Option<Time>,
    pub posts: Option<u64>,
    pub followers: Option<u64>,
    pub following: Option<u64>,
    /// A redirect is set: there is no token, and what needs one is closed (facts 13.1, 10).
    pub rescue: bool,
    /// 4.3 and later: notification requests, and twenty statuses at once.
    pub recent: bool,
}

impl Owner {
    /// From the session of a page; `None` when the account is held, and nothing is readable.
    pub fn of(session: &Session) -> Option<Owner> {
        let rescue = match session.standing {
            Standing::Functional | Standing::Untold => false,
            Standing::Moved(_) => true,
            Standing::Held => return None,
        };
        let account = &session.account;
        Some(Owner {
            id: account.id.clone(),
            handle: account.handle.acct(),
            uri: account.uri.as_ref().map(|uri| uri.0.clone()),
            name: String::new(),
            domain: session.domain.clone(),
            version: session.version.as_ref().map(|version| version.text.clone()),
            created_at: account.created_at,
            posts: account.statuses,
            followers: account.followers,
            following: account.following,
            rescue,
            recent: session.version.as_ref().is_some_and(|version| version.keeps_strangers_apart()),
        })
    }

    pub(super) fn write(&self) -> String {
        Object::new()
            .text("id", &self.id)
            .text("handle", &self.handle)
            .maybe("uri", self.uri.as_deref())
            .text("name", &self.name)
            .text("domain", self.domain.as_str())
            .maybe("version", self.version.as_deref())
            .time("created_at", self.created_at)
            .count("posts", self.posts)
            .count("followers", self.followers)
            .count("following", self.following)
            .flag("rescue", self.rescue)
            .flag("recent", self.recent)
            .end()
    }

    pub(super) fn read(value: &Value) -> Option<Owner> {
        let words = |key| text(value, key).map(str::to_owned);
        Some(Owner {
            id: words("id")?,
            handle: words("handle")?,
            uri: words("uri"),
            name: words("name").unwrap_or_default(),
            domain: text(value, "domain")?.parse().ok()?,
            version: words("version"),
            created_at: value.get("created_at").and_then(Value::as_i64).map(Time),
            posts: count(value, "posts"),
            followers: count(value, "followers"),
            following: count(value, "following"),
            rescue: flag(value, "rescue"),
            recent: flag(value, "recent"),
        })
    }
}

/// What the next request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    Road(Road),
    /// The listing of a person, by id.
    Listing(String),
    /// Statuses that messages answer, by id.
    Parents(Vec<String>),
    Parent(String),
    /// Somebody whom the person has named, by handle.
    Named(String),
    /// The versions of an edited message, by the key of its record.
    History(String),
    Context(String),
}

/// What is held of a kept status.
#[derive(Clone, Debug)]
struct Kept {
    id: String,
    edited: Option<Time>,
    parent: Option<String>,
    parent_author: Option<String>,
    public: bool,
    /// The others who can read it.
    readers: Box<[u32]>,
}

/// Something that may be missing, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Messages of strangers whom the owner never answered and whose request was dismissed: no road leads to them, unless
    /// they follow the owner, or the owner them, and that was looked through too (`searched`).
    Strangers { searched: bool },
    /// Without a token: strangers who were never answered, and everything in lists that need one.
    Rescue,
    /// So many people's older posts were not gone through.
    Long { people: usize },
    /// Notifications older than these were not gone through.
    Mentions,
    /// Listings that are closed to the reader: of these people, what the contexts show.
    Closed { people: Vec<String> },
    /// Suspended, or gone: their messages are not readable any more.
    Gone { people: Vec<String> },
    /// Lists that the server refused or broke off.
    Lists { roads: Vec<&'static str> },
    /// Kept as they came, but not readable.
    Unreadable { count: usize },
}

/// What a save holds, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub messages: usize,
    pub sent: usize,
    pub received: usize,
    pub people: usize,
    pub unreadable: usize,
    pub files: usize,
    pub files_missing: usize,
    pub files_waiting: usize,
    pub asked: u64,
}

/// The job.
#[derive(Clone, Debug)]
pub struct Collect {
    owner: Owner,
    pass: u32,
    deep: bool,
    begun: Time,
    done: Option<Time>,
    asked: u64,
    messages: usize,
    sent: usize,
    /// By the number of the road.
    ways: Vec<Option<Way>>,
    people: Vec<Met>,
    person_at: Names,
    kept: Vec<Kept>,
    by_key: Names,
    by_id: Names,
    unreadable: Names,
    /// Each with its last message.
    conversations: Map<String, Value>,
    /// Parents that are not kept, each with its author as far as its answer tells.
    missing: Map<String, Value>,
    absent: Names,
    /// Parents to be asked for one at a time.
    single: Names,
    histories: Names,
    /// Handles to be looked up.
    named: Names,
    contexts: Names,
    /// What [`Collect::tops`] found; `None` when something has changed since.
    tops: Option<Vec<String>>,
    files: Table<File>,
    pending: Names,
}

impl Collect {
    /// A first reading.
    pub fn begin(owner: Owner, deep: bool, now: Time) -> (Collect, Vec<Record>) {
        let mut job = Collect::empty(owner, now);
        let records = job.start(deep);
        (job, records)
    }

    fn empty(owner: Owner, now: Time) -> Collect {
        Collect {
            owner,
            pass: 0,
            deep: false,
            begun: now,
            done: None,
            asked: 0,
            messages: 0,
            sent: 0,
            ways: vec![None; Road::ALL.len()],
            people: Vec::new(),
            person_at: Names::default(),
            kept: Vec::new(),
            by_key: Names::default(),
            by_id: Names::default(),
            unreadable: Names::default(),
            conversations: Map::new(),
            missing: Map::new(),
            absent: Names::default(),
            single: Names::default(),
            histories: Names::default(),
            named: Names::default(),
            contexts: Names::default(),
            tops: None,
            files: Table::default(),
            pending: Names::default(),
        }
    }

    fn way(&self, road: Road) -> Option<&Way> {
        self.ways[road as usize].as_ref()
    }

    /// Another reading of the same account: what has changed, or with `deep` everything, and further.
    pub fn again(&mut self, owner: Owner, deep: bool, now: Time) -> Vec<Record> {
        self.owner = owner;
        self.begun = now;
        self.done = None;
        let mut records = self.start(deep);
        if deep {
            for at in 0..self.people.len() {
                if self.people[at].read != Read::Gone {
                    self.open(at, true);
                    records.push(self.person_record(at));
                }
            }
        }
        records
    }

    /// The person names somebody who may have written, whom no list knows any more: a stranger whose request was dismissed.
    pub fn name(&mut self, handle: &Handle, now: Time) -> Vec<Record> {
        self.named.add(&handle.acct());
        if self.done.take().is_some() {
            self.begun = now;
        }
        vec![Record::new(format!("{NAMED}{}", handle.acct()), "{}"), self.about()]
    }

    fn start(&mut self, deep: bool) -> Vec<Record> {
        self.pass += 1;
        self.deep = deep;
        self.contexts.clear();
        self.tops = None;
        for person in &mut self.people {
            person.rest_now();
        }
        let few =
            self.owner.followers.unwrap_or(u64::MAX).saturating_add(self.owner.following.unwrap_or(0)) <= FEW;
        for road in Road::ALL {
            let wanted = match road {
                Road::Requests => self.owner.recent,
                Road::Followers | Road::Following => deep || few || self.owner.rescue,
                Road::Bookmarks | Road::Favourites => deep,
                _ => true,
            };
            let wanted = wanted && (road.open_to_cookie() || !self.owner.rescue);
            let before = self.ways[road as usize].take();
            let newest = before.filter(|_| !deep).and_then(|way| way.newest.or(way.top));
            let read = if wanted { Read::Todo } else { Read::Rest };
            self.ways[road as usize] = Some(Way { newest, ..Way::new(read) });
        }
        self.try_again();
        let mut records = Vec::new();
        for road in Road::ALL {
            records.push(self.road_record(road));
        }
        records.push(self.about());
        records
    }

    /// Files that may come after all are fetched again.
    fn try_again(&mut self) {
        for (url, file) in self.files.iter() {
            if may_come(file) {
                self.pending.add(url);
            }
        }
    }

    // --- what is kept ---

    fn about(&self) -> Record {
        let mut about = Object::new();
        about
            .number("version", 1)
            .json("owner", &self.owner.write())
            .number("pass", self.pass.into())
            .flag("deep", self.deep)
            .time("begun", Some(self.begun))
            .time("done", self.done)
            .number("asked", self.asked);
        Record::new(ABOUT, about.end())
    }

    fn road_record(&self, road: Road) -> Record {
        let text = match self.way(road) {
            Some(way) => way.write(),
            None => Way::new(Read::Rest).write(),
        };
        Record::new(format!("{ROAD}{}", road.id()), text)
    }

    fn person_record(&self, at: usize) -> Record {
        let person = &self.people[at];
        Record::new(format!("{PERSON}{}", person.id), person.write())
    }

    /// The job as its record `about` states it; the others are given to [`Collect::restore`], and [`Collect::ready`] ends it.
    pub fn from_about(about: &str) -> Option<Collect> {
        let value = plain::json(about)?;
        let time = |key: &str| value.get(key).and_then(Value::as_i64).map(Time);
        if count(&value, "version") != Some(1) {
            return None;
        }
        let mut job = Collect::empty(Owner::read(value.get("owner")?)?, time("begun")?);
        job.pass = u32::try_from(value.get("pass")?.as_u64()?).ok()?;
        job.deep = value.get("deep")?.as_bool()?;
        job.done = time("done");
        job.asked = value.get("asked")?.as_u64()?;
        Some(job)
    }

    /// Takes in a record that was kept; in any order.
    pub fn restore(&mut self, key: &str, text: &str) {
        if let Some(id) = key.strip_prefix(PERSON) {
            if let Some(mut met) = Met::parse(id, text) {
                if met.pass < self.pass {
                    met.rest_now();
                }
                let at = self.person(id, &met.handle);
                if let Some(known) = self.people.get_mut(at as usize) {
                    // What the messages told may have come first.
                    *known = Met { reads: known.reads, wrote: known.wrote, ..met };
                }
            }
        } else if let Some(road) = key.strip_prefix(ROAD).and_then(Road::from_id) {
            if let Some(way) = Way::parse(text) {
                self.ways[road as usize] = Some(way);
            }
        } else if key.starts_with(STATUS) {
            let value = plain::json(text).unwrap_or_default();
            self.note(key, &value);
            self.want_files(&value);
        } else if key.starts_with(HISTORY) {
            for version in plain::json(text).unwrap_or_default().as_array().into_iter().flatten() {
                self.want_files(version);
            }
            // Held against the statuses in `ready`.
            self.contexts.add(key);
        } else if let Some(id) = key.strip_prefix(CONVERSATION) {
            let value = plain::json(text).unwrap_or_default();
            self.conversations.insert(id.to_owned(), last_of(&value).into());
        } else if let Some(id) = key.strip_prefix(ABSENT) {
            let which = if text == SINGLE { &mut self.single } else { &mut self.absent };
            which.add(id);
        } else if let Some(handle) = key.strip_prefix(NAMED) {
            self.named.add(handle);
        } else if let Some(id) = key.strip_prefix(CONTEXT) {
            if text == self.pass.to_string() {
                self.contexts.add(id);
            }
        } else if let Some(url) = key.strip_prefix(FILE)
            && let Some(file) = File::read(text)
        {
            self.files.put(url, file);
        }
    }

    /// All records are given.
    pub fn ready(&mut self) {
        let told = std::mem::take(&mut self.contexts);
        for (key, _) in told.iter() {
            if !key.starts_with(HISTORY) {
                self.contexts.add(key);
            }
        }
        self.histories.clear();
        for (key, at) in self.by_key.iter() {
            let Some(uri) = key.strip_prefix(STATUS) else { continue };
            let kept = &self.kept[at];
            if kept.edited.is_some() && !kept.public && !told.has(&format!("{HISTORY}{uri}")) {
                self.histories.add(key);
            }
        }
        self.missing.clear();
        for at in 0..self.kept.len() {
            self.miss_parent(at);
        }
        for (id, _) in std::mem::take(&mut self.single).iter() {
            if self.missing.contains_key(id) {
                self.single.add(id);
            }
        }
        // In a save that is under way, what may come is tried again; a finished one waits for the next reading.
        if self.done.is_none() {
            self.try_again();
        }
        for (url, _) in std::mem::take(&mut self.pending).iter() {
            if self.files.get(url).is_none_or(|file| may_come(file) && self.done.is_none()) {
                self.pending.add(url);
            }
        }
    }

    // --- what to ask next ---

    /// The next thing to ask for, or `None`. `pages`: whether requests that count as pages may be among them.
    pub fn task(&self, pages: bool) -> Option<Task> {
        if self.done.is_some() {
            return None;
        }
        let may = |read: &Read| read.open() && (pages || read.next().is_none());
        let mut open = false;
        for (road, way) in Road::ALL.iter().zip(&self.ways) {
            let Some(way) = way else { continue };
            open |= way.read.open();
            if may(&way.read) {
                return Some(Task::Road(*road));
            }
        }
        // Of the two limits the one for pages is the tighter: while it lasts, it is used.
        let on = self.people.iter().find(|person| matches!(person.read, Read::On(_)));
        let fresh = || self.people.iter().find(|person| person.read == Read::Todo);
        if let Some(person) = on.filter(|_| pages).or_else(fresh) {
            return Some(Task::Listing(person.id.clone()));
        }
        if let Some(handle) = self.named.first() {
            return Some(Task::Named(handle.to_owned()));
        }
        if let Some(key) = self.histories.first() {
            return Some(Task::History(key.to_owned()));
        }
        if open || on.is_some() {
            return None;
        }
        // Only now is it known which parents no listing has brought.
        let together = self.missing.keys().filter(|id| !self.single.has(id));
        let together: Vec<String> = together.take(request::STATUSES_AT_ONCE).cloned().collect();
        match together.as_slice() {
            [] => {}
            [one] => return Some(Task::Parent(one.clone())),
            [first, ..] if !self.owner.recent => return Some(Task::Parent(first.clone())),
            _ => return Some(Task::Parents(together)),
        }
        if let Some(id) = self.single.first() {
            return Some(Task::Parent(id.to_owned()));
        }
        let found;
        let tops = match &self.tops {
            Some(tops) => tops,
            None => {
                found = self.tops();
                &found
            }
        };
        tops.iter().find(|id| !self.contexts.has(id)).cloned().map(Task::Context)
    }

    /// The request for a task.
    pub fn request(&self, task: &Task) -> Request {
        match task {
            Task::Road(road) => {
                let next = self.way(*road).and_then(|way| way.read.next());
                road.request(&self.owner.id, next)
            }
            Task::Listing(id) => {
                let next = self.person_of(id).and_then(|person| person.read.next());
                request::listing(id, next)
            }
            Task::Parents(ids) => request::statuses(ids),
            Task::Parent(id) => request::status(id),
            Task::Named(handle) => request::lookup_acct(handle),
            Task::History(key) => {
                let id = self.by_key.get(key).and_then(|at| self.kept.get(at));
                request::history(id.map_or("0", |kept| &kept.id))
            }
            Task::Context(id) => request::context(id),
        }
    }

    /// The next file to fetch, by its address.
    pub fn file(&self) -> Option<&str> {
        self.pending.first().filter(|_| self.done.is_none())
    }

    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }

    /// Everything has been asked for.
    pub fn is_through(&self) -> bool {
        self.file().is_none() && self.task(true).is_none()
    }

    /// Called when everything was asked for, and what was stored has been read back.
    pub fn finish(&mut self, now: Time) -> Vec<Record> {
        self.done = Some(now);
        vec![self.about()]
    }

    // --- answers ---

    /// What became of fetching a file.
    pub fn fetched(&mut self, url: &str, file: File) -> Vec<Record> {
        self.pending.remove(url);
        let record = Record::new(format!("{FILE}{url}"), file.write());
        self.files.put(url, file);
        vec![record]
    }

    /// The answer to a task. An `Err` leaves everything as it was: the same task comes again.
    pub fn answer(&mut self, task: &Task, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        let mut records = match reply::data(reply) {
            Ok(answer) => self.told(task, answer)?,
            Err(refusal) => self.refused(task, refusal)?,
        };
        self.asked += 1;
        records.push(self.about());
        Ok(records)
    }

    /// Tried often enough: it is noted as not to be had in this reading.
    pub fn give_up(&mut self, task: &Task) -> Vec<Record> {
        match task {
            Task::Road(road) => self.end_road(*road, Read::Broken),
            Task::Listing(id) => self.end_listing(id, Read::Broken),
            Task::Parents(ids) => {
                // One of them may be what breaks it.
                ids.iter().map(|id| self.one_by_one(id)).collect()
            }
            Task::Parent(id) => vec![self.is_absent(id)],
            Task::Named(handle) => self.was_named(handle),
            Task::History(key) => {
                self.histories.remove(key);
                Vec::new()
            }
            Task::Context(id) => self.context_asked(id),
        }
    }

    fn refused(&mut self, task: &Task, refusal: Refusal) -> Result<Vec<Record>, Refusal> {
        let gone = matches!(refusal, Refusal::NotFound | Refusal::Gone);
        // 401 for one list while others answer is that list's; for the token as a whole it is a sign-out.
        let closed = matches!(refusal, Refusal::Forbidden);
        if !gone && !closed {
            return Err(refusal);
        }
        match task {
            // Without one's own messages there is nothing to go on.
            Task::Road(Road::Own) => Err(refusal),
            Task::Road(road) => Ok(self.end_road(*road, if gone { Read::Done } else { Read::Refused })),
            Task::Listing(id) => Ok(self.end_listing(id, if gone { Read::Gone } else { Read::Refused })),
            Task::Parents(ids) => Ok(ids.iter().map(|id| self.is_absent(id)).collect()),
            Task::Parent(id) => Ok(vec![self.is_absent(id)]),
            Task::Named(handle) => Ok(self.was_named(handle)),
            Task::History(key) => Ok(self.history_told(key, "[]")),
            Task::Context(id) => Ok(self.context_asked(id)),
        }
    }

    fn told(&mut self, task: &Task, answer: &Answer) -> Result<Vec<Record>, Refusal> {
        let body = answer.body.as_str();
        match task {
            Task::Road(road) => Ok(self.page_of_road(*road, &array(body)?, answer)),
            Task::Listing(id) => Ok(self.page_of_listing(id, &array(body)?, answer)),
            Task::Parents(ids) => {
                let mut records = Vec::new();
                for raw in array(body)? {
                    self.keep_raw(raw, &mut records);
                }
                for id in ids {
                    if self.by_id.has(id) {
                        continue;
                    }
                    // Left out: not readable, or by somebody muted or blocked, who is let through one at a time
                    // (facts 13.1, 3).
                    records.push(if self.is_by_hidden(id) {
                        self.one_by_one(id)
                    } else {
                        self.is_absent(id)
                    });
                }
                Ok(records)
            }
            Task::Parent(id) => {
                let raw = body.trim();
                if !plain::is_json(raw) {
                    return Err(Refusal::Nonsense);
                }
                let mut records = Vec::new();
                self.keep_raw(raw, &mut records);
                if !self.by_id.has(id) {
                    records.push(self.is_absent(id));
                }
                Ok(records)
            }
            Task::Named(handle) => {
                let value = plain::json(body).ok_or(Refusal::Nonsense)?;
                let person = Person::read(&value, &self.owner.domain).ok_or(Refusal::Nonsense)?;
                let mut records = self.was_named(handle);
                if let Some(at) = self.meet(&person, true, &mut records) {
                    self.flag(at, &mut records);
                }
                Ok(records)
            }
            Task::History(key) => {
                array(body)?;
                Ok(self.history_told(key, body))
            }
            Task::Context(id) => {
                let both = plain::fields(body).ok_or(Refusal::Nonsense)?;
                let mut records = Vec::new();
                for side in ["ancestors", "descendants"] {
                    for raw in array(member(&both, side).unwrap_or("[]"))? {
                        self.keep_raw(raw, &mut records);
                    }
                }
                records.extend(self.context_asked(id));
                Ok(records)
            }
        }
    }

    // --- lists ---

    fn page_of_road(&mut self, road: Road, items: &[&str], answer: &Answer) -> Vec<Record> {
        let mut records = Vec::new();
        let Some(way) = self.way(road).cloned() else { return records };
        let (mut top, mut last, mut known) = (way.top.clone(), None, false);
        for raw in items {
            let value = plain::json(raw).unwrap_or_default();
            let at = match road {
                Road::Conversations => value.get("last_status").and_then(|last| last.get("id")),
                _ => value.get("id"),
            };
            let at = at.and_then(entity::id);
            match road {
                Road::Conversations => known |= self.conversation(raw, &value, &mut records),
                Road::Requests | Road::Mentions => {
                    let status = if road == Road::Requests { "last_status" } else { "status" };
                    self.notification(raw, &value, status, &mut records);
                }
                Road::Own | Road::Bookmarks | Road::Favourites => self.keep(raw, &value, &mut records),
                Road::Mutes | Road::Blocks | Road::Followers | Road::Following => {
                    if let Some(person) = Person::read(&value, &self.owner.domain) {
                        let at = self.meet(&person, false, &mut records);
                        let hidden = matches!(road, Road::Mutes | Road::Blocks);
                        if let Some(at) = at.filter(|at| hidden && !self.people[*at].hidden) {
                            self.people[at].hidden = true;
                            records.push(self.person_record(at));
                        }
                    }
                }
            }
            // Conversations and requests are not in the order of anything that only grows.
            if let Some(at) = &at
                && matches!(road, Road::Own | Road::Mentions)
            {
                known |= way.newest.as_ref().is_some_and(|newest| !later(at, newest));
                if top.is_none() {
                    top = Some(at.clone());
                }
            }
            last = at.or(last);
        }
        let full = match road {
            Road::Conversations | Road::Own | Road::Bookmarks | Road::Favourites => items.len() >= 40,
            _ => items.len() >= 80,
        };
        let can_page = matches!(road, Road::Conversations | Road::Own | Road::Mentions | Road::Requests);
        let next = next_page(answer, last.filter(|_| full && can_page));
        let pages = way.pages + 1;
        let looping = matches!((way.read.next(), &next), (Some(before), Some(next)) if !later(before, next));
        let stop = (known && !self.deep) || (road == Road::Own && self.before_the_account(items));
        let capped = next.clone().filter(|_| !self.deep && road.cap().is_some_and(|cap| pages >= cap));
        let read = match next {
            _ if looping => Read::Broken,
            Some(next) if !stop && capped.is_none() => Read::On(next),
            _ => Read::Done,
        };
        let mut way = Way { top, pages, ..way };
        way.read = read;
        if way.read == Read::Done {
            way.newest = newest(way.newest.take(), way.top.take());
            if !stop {
                way.rest = capped;
            }
        }
        self.ways[road as usize] = Some(way);
        records.push(self.road_record(road));
        records
    }

    fn page_of_listing(&mut self, id: &str, items: &[&str], answer: &Answer) -> Vec<Record> {
        let mut records = Vec::new();
        let Some(at) = self.person_at.get(id) else { return records };
        let before = self.people[at].clone();
        let (mut top, mut last, mut known) = (before.top.clone(), None, false);
        for raw in items {
            let value = plain::json(raw).unwrap_or_default();
            self.keep(raw, &value, &mut records);
            let Some(id) = value.get("id").and_then(entity::id) else { continue };
            known |= before.newest.as_ref().is_some_and(|newest| !later(&id, newest));
            if top.is_none() {
                top = Some(id.clone());
            }
            last = Some(id);
        }
        let next = next_page(answer, last.filter(|_| items.len() >= 40));
        let pages = before.pages + 1;
        let looping =
            matches!((before.read.next(), &next), (Some(before), Some(next)) if !later(before, next));
        let stop = (known && !self.deep) || self.before_the_account(items);
        let person = &mut self.people[at];
        person.pages = pages;
        person.top = top;
        if before.read == Read::Todo && before.newest.is_none() {
            person.empty = items.is_empty();
        }
        let capped = next.clone().filter(|_| !self.deep && pages >= person.cap());
        person.read = match next {
            _ if looping => Read::Broken,
            Some(next) if !stop && capped.is_none() => Read::On(next),
            _ => Read::Done,
        };
        if person.read == Read::Done {
            person.newest = newest(person.newest.take(), person.top.take());
            // An older remainder stays one, unless all of it was read now.
            if capped.is_some() {
                person.rest = capped;
            } else if !known || self.deep {
                person.rest = None;
            }
        }
        self.tops = None;
        records.push(self.person_record(at));
        records
    }

    fn end_road(&mut self, road: Road, read: Read) -> Vec<Record> {
        if let Some(way) = &mut self.ways[road as usize] {
            way.read = read;
        }
        vec![self.road_record(road)]
    }

    fn end_listing(&mut self, id: &str, read: Read) -> Vec<Record> {
        let Some(at) = self.person_at.get(id) else { return Vec::new() };
        self.people[at].read = read;
        self.tops = None;
        vec![self.person_record(at)]
    }

    /// Nothing addressed to the owner is older than the account. Its day of creation is told, not its hour.
    fn before_the_account(&self, items: &[&str]) -> bool {
        let Some(created) = self.owner.created_at else { return false };
        let last = items.last().and_then(|raw| plain::json(raw));
        let at = last.as_ref().and_then(|value| text(value, "created_at")).and_then(Time::from_iso);
        at.is_some_and(|at| at < created.plus(-2 * DAY))
    }

    /// An entry of the conversation list; `true` if it is as it was when it was last read.
    fn conversation(&mut self, raw: &str, value: &Value, records: &mut Vec<Record>) -> bool {
        let last = value.get("last_status").filter(|last| last.is_object());
        let last_id = last.and_then(|last| last.get("id")).and_then(entity::id);
        let Some(id) = value.get("id").and_then(entity::id) else { return false };
        let same =
            last_id.is_some() && self.conversations.get(&id).and_then(Value::as_str) == last_id.as_deref();
        let mut with = Vec::new();
        for account in value.get("accounts").and_then(Value::as_array).into_iter().flatten() {
            let Some(person) = Person::read(account, &self.owner.domain) else { continue };
            with.push(plain::quoted(&person.handle));
            if let Some(at) = self.meet(&person, true, records).filter(|_| !same) {
                self.flag(at, records);
            }
        }
        if let Some(last) = last {
            self.keep_field(raw, "last_status", last, records);
        }
        if !same {
            let mut entry = Object::new();
            entry.maybe("last", last_id.as_deref()).list("with", &with);
            records.push(Record::new(format!("{CONVERSATION}{id}"), entry.end()));
            self.conversations.insert(id, last_id.unwrap_or_default().into());
        }
        same
    }

    fn notification(&mut self, raw: &str, value: &Value, status: &str, records: &mut Vec<Record>) {
        let account = value.get("account").and_then(|account| Person::read(account, &self.owner.domain));
        let Some(inner) = value.get(status).filter(|inner| inner.is_object()) else {
            // Somebody waits, with what is not told.
            if let Some(person) = account {
                self.meet(&person, false, records);
            }
            return;
        };
        if is_public(inner) && status == "status" {
            return;
        }
        let id = inner.get("id").and_then(entity::id);
        let new = !is_public(inner) && id.is_some_and(|id| !self.by_id.has(&id));
        self.keep_field(raw, status, inner, records);
        if let Some(person) = account
            && let Some(at) = self.meet(&person, !is_public(inner), records)
            && new
        {
            self.flag(at, records);
        }
    }

    // --- people ---

    fn person(&mut self, id: &str, handle: &str) -> u32 {
        if id == self.owner.id {
            return OWNER;
        }
        if let Some(at) = self.person_at.get(id) {
            return at as u32;
        }
        let at = u32::try_from(self.people.len()).unwrap_or(OWNER - 1);
        self.people.push(Met { pass: self.pass, read: Read::Rest, ..Met::new(id, handle) });
        self.person_at.put(id, at as usize);
        at
    }

    fn person_of(&self, id: &str) -> Option<&Met> {
        self.people.get(self.person_at.get(id)?)
    }

    /// Somebody was met. Their listing will be read, if it never was.
    fn meet(&mut self, person: &Person, met: bool, records: &mut Vec<Record>) -> Option<usize> {
        let known = self.person_at.has(&person.id);
        let at = self.person(&person.id, &person.handle);
        if at == OWNER {
            return None;
        }
        let at = at as usize;
        let mut changed = !known;
        let entry = &mut self.people[at];
        if person.posts.is_some() && entry.posts != person.posts {
            // Not worth a record of its own: it changes all the time.
            entry.posts = person.posts;
        }
        if met && !entry.met {
            entry.met = true;
            changed = true;
            // More is read of somebody with whom there are messages.
            if let Some(rest) =
                entry.rest.clone().filter(|_| entry.read == Read::Done && entry.pages < PAGES_MET)
            {
                entry.read = Read::On(rest);
            }
        }
        if entry.read == Read::Rest && entry.pages == 0 {
            entry.read = Read::Todo;
            entry.pass = self.pass;
            changed = true;
        }
        if changed {
            records.push(self.person_record(at));
        }
        Some(at)
    }

    /// Something of this person is new: the listing is read again, as far as it was read before.
    fn flag(&mut self, at: usize, records: &mut Vec<Record>) {
        if self.people[at].read == Read::Rest {
            self.open(at, false);
            records.push(self.person_record(at));
        }
    }

    fn open(&mut self, at: usize, anew: bool) {
        let person = &mut self.people[at];
        person.read = Read::Todo;
        person.pass = self.pass;
        person.pages = 0;
        person.top = None;
        if anew {
            person.newest = None;
            person.rest = None;
        }
    }

    // --- statuses ---

    fn keep_raw(&mut self, raw: &str, records: &mut Vec<Record>) {
        let value = plain::json(raw).unwrap_or_default();
        self.keep(raw, &value, records);
    }

    /// Keeps what stands in a field of an object, as it stands there.
    fn keep_field(&mut self, raw: &str, key: &str, value: &Value, records: &mut Vec<Record>) {
        let fields = plain::fields(raw).unwrap_or_default();
        if let Some(raw) = member(&fields, key) {
            self.keep(raw, value, records);
        }
    }

    /// Keeps a status, if it is a direct message or one that a message answers, and if it says more than what is kept of it.
    fn keep(&mut self, raw: &str, value: &Value, records: &mut Vec<Record>) {
        let id = value.get("id").and_then(entity::id);
        let wanted = id.as_ref().is_some_and(|id| self.missing.contains_key(id));
        if raw == "null" || (is_public(value) && !wanted) {
            return;
        }
        let key = status_key(value, raw);
        if let Some(at) = self.by_key.get(&key) {
            let edited = text(value, "edited_at").and_then(Time::from_iso);
            let kept = &mut self.kept[at];
            if edited > kept.edited {
                kept.edited = edited;
                self.histories.add(&key);
                self.want_files(value);
                records.push(Record::new(key, raw));
            }
            return;
        }
        let status = self.note(&key, value);
        let at = self.kept.len().saturating_sub(1);
        if self.kept[at].edited.is_some() && !self.kept[at].public {
            self.histories.add(&key);
        }
        if let Some(id) = &id {
            self.missing.remove(id);
        }
        self.miss_parent(at);
        // Whoever takes part in a message was met.
        if let Some(status) = status.filter(|_| !self.kept[at].public) {
            for person in status.mentions.iter().chain([&status.author]) {
                self.meet(person, true, records);
            }
        }
        self.want_files(value);
        self.tops = None;
        records.push(Record::new(key, raw));
    }

    /// Notes a kept status in the index.
    fn note(&mut self, key: &str, value: &Value) -> Option<Status> {
        let status = Status::read(value, &self.owner.domain).ok();
        let mut kept = Kept {
            id: value.get("id").and_then(entity::id).unwrap_or_default(),
            edited: None,
            parent: None,
            parent_author: None,
            public: false,
            readers: Box::default(),
        };
        if let Some(status) = &status {
            let author = self.person(&status.author.id, &status.author.handle);
            kept.public = is_public(value);
            if !kept.public && author == OWNER {
                self.sent += 1;
            }
            let mut readers = vec![author];
            for who in &status.mentions {
                readers.push(self.person(&who.id, &who.handle));
            }
            readers.retain(|at| *at != OWNER);
            let readers = set(readers);
            for at in readers.iter().filter(|_| !kept.public) {
                let person = &mut self.people[*at as usize];
                person.reads = true;
                person.wrote |= *at == author;
            }
            kept.edited = status.edited;
            kept.parent = status.parent.clone();
            kept.parent_author = status.parent_author.clone();
            kept.readers = readers.into_boxed_slice();
        } else {
            self.unreadable.add(key);
        }
        self.messages += usize::from(!kept.public);
        let at = self.kept.len();
        if !kept.id.is_empty() {
            self.by_id.get_or_put(&kept.id, at);
        }
        self.kept.push(kept);
        self.by_key.put(key, at);
        status
    }

    fn miss_parent(&mut self, at: usize) {
        let kept = &self.kept[at];
        let Some(parent) = kept.parent.as_ref().filter(|_| !kept.public) else { return };
        if !self.by_id.has(parent) && !self.absent.has(parent) {
            let author = kept.parent_author.clone().map_or(Value::Null, Value::String);
            self.missing.insert(parent.clone(), author);
        }
    }

    fn is_absent(&mut self, id: &str) -> Record {
        self.missing.remove(id);
        self.single.remove(id);
        self.absent.add(id);
        Record::new(format!("{ABSENT}{id}"), "{}")
    }

    fn one_by_one(&mut self, id: &str) -> Record {
        self.single.add(id);
        Record::new(format!("{ABSENT}{id}"), SINGLE)
    }

    fn is_by_hidden(&self, parent: &str) -> bool {
        let author = self.missing.get(parent).and_then(Value::as_str);
        author.and_then(|id| self.person_of(id)).is_some_and(|person| person.hidden)
    }

    fn history_told(&mut self, key: &str, body: &str) -> Vec<Record> {
        self.histories.remove(key);
        for version in plain::json(body).unwrap_or_default().as_array().into_iter().flatten() {
            self.want_files(version);
        }
        let uri = key.strip_prefix(STATUS).unwrap_or(key);
        vec![Record::new(format!("{HISTORY}{uri}"), body)]
    }

    fn was_named(&mut self, handle: &str) -> Vec<Record> {
        self.named.remove(handle);
        vec![Record { key: format!("{NAMED}{handle}"), text: None }]
    }

    // --- contexts ---

    fn context_asked(&mut self, id: &str) -> Vec<Record> {
        self.contexts.add(id);
        vec![Record::new(format!("{CONTEXT}{id}"), self.pass.to_string())]
    }

    /// Somebody whose listing was read now, and does not give everything.
    fn is_half_read(&self, person: &Met) -> bool {
        person.met
            && person.pass == self.pass
            && (person.empty || person.rest.is_some() || matches!(person.read, Read::Refused | Read::Broken))
    }

    /// The first messages of the threads that have to do with people whose listing does not give everything. From there the
    /// context has the whole thread.
    fn tops(&self) -> Vec<String> {
        let half: Vec<bool> = self.people.iter().map(|person| self.is_half_read(person)).collect();
        let is_half = |at: &u32| half.get(*at as usize).copied().unwrap_or(false);
        if !half.contains(&true) {
            return Vec::new();
        }
        let mut tops = Names::default();
        for kept in self.kept.iter().filter(|kept| !kept.public && kept.readers.iter().any(is_half)) {
            let mut top = kept;
            // As many steps as a server's own context has; a circle ends there too.
            for _ in 0..4_096 {
                let parent = top.parent.as_ref().and_then(|parent| self.by_id.get(parent));
                match parent.and_then(|at| self.kept.get(at)) {
                    Some(parent) => top = parent,
                    None => break,
                }
            }
            if !top.id.is_empty() {
                tops.add(&top.id);
            }
        }
        tops.list()
    }

    /// Works out once what [`Collect::task`] would have to work out each time.
    pub fn settle(&mut self) {
        let open = self.ways.iter().flatten().any(|way| way.read.open());
        if self.tops.is_none() && !open && !self.people.iter().any(|person| person.read.open()) {
            self.tops = Some(self.tops());
        }
    }

    // --- files ---

    fn want_files(&mut self, value: &Value) {
        let mut wanted = Vec::new();
        for attachment in plain::array(value, "media_attachments").iter().filter_map(Attachment::read) {
            match attachment.url {
                Some(url) => wanted.push(url),
                None => {
                    let name = format!("none:{}", attachment.id);
                    if self.files.get(&name).is_none() {
                        self.files.put(&name, File::Missing(Missing::NoAddress));
                    }
                }
            }
        }
        for emoji in plain::array(value, "emojis").iter().filter_map(Emoji::read) {
            wanted.push(emoji.url);
        }
        for url in wanted {
            if self.files.get(&url).is_none() {
                self.pending.add(&url);
            }
        }
    }

    // --- what there is to say ---

    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    pub fn begun(&self) -> Time {
        self.begun
    }

    pub fn finished(&self) -> Option<Time> {
        self.done
    }

    pub fn is_deep(&self) -> bool {
        self.deep
    }

    /// Entries of the conversation list, with the last message of each: to be compared later.
    pub fn conversations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.conversations.iter().map(|(id, last)| (id.as_str(), last.as_str().unwrap_or_default()))
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter()
    }

    /// The keys of the statuses that are kept.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.iter().map(|(key, _)| key)
    }

    pub fn count(&self) -> Count {
        let (all, sent) = (self.messages, self.sent);
        let unreadable = self.unreadable.len();
        let missing = self.files.iter().filter(|(_, file)| matches!(file, File::Missing(_))).count();
        Count {
            messages: all,
            sent,
            received: all.saturating_sub(sent).saturating_sub(unreadable),
            people: self.people.iter().filter(|person| person.reads).count(),
            unreadable,
            files: self.files.len() - missing,
            files_missing: missing,
            files_waiting: self.pending.len(),
            asked: self.asked,
        }
    }

    /// What is still to be asked, as far as it can be told: posts are counted by their server, messages are not.
    pub fn left(&self) -> Left {
        let mut left = Left { files: self.pending.len() as u64, ..Left::default() };
        for (road, way) in Road::ALL.iter().zip(&self.ways) {
            let Some(way) = way.as_ref().filter(|way| way.read.open()) else { continue };
            let all = match road {
                Road::Own => self.owner.posts.unwrap_or(0) / 40 + 1,
                Road::Followers => self.owner.followers.unwrap_or(0) / 80 + 1,
                Road::Following => self.owner.following.unwrap_or(0) / 80 + 1,
                _ => 1,
            };
            let rest = if way.newest.is_some() { 1 } else { all.saturating_sub(u64::from(way.pages)).max(1) };
            left.calls += rest;
            left.pages += rest - u64::from(way.read == Read::Todo);
        }
        for person in self.people.iter().filter(|person| person.read.open()) {
            let rest = person.left(self.deep);
            left.calls += rest;
            left.pages += rest - u64::from(person.read == Read::Todo && rest > 0);
        }
        left.calls += self.histories.len() as u64;
        left.calls += (self.missing.len() as u64).div_ceil(20);
        left.calls += self.tops.iter().flatten().filter(|id| !self.contexts.has(id)).count() as u64;
        left
    }

    /// What may be missing in all this, and why.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let names = |which: &dyn Fn(&Met) -> bool| {
            let mut names = Vec::new();
            for person in self.people.iter().filter(|person| which(person)) {
                names.push(person.handle.clone());
            }
            ordered(names, &String::cmp)
        };
        let searched = [Road::Followers, Road::Following]
            .iter()
            .all(|road| self.way(*road).is_some_and(|way| way.read == Read::Done));
        gaps.push(if self.owner.rescue { Gap::Rescue } else { Gap::Strangers { searched } });
        let long = self.people.iter().filter(|person| person.rest.is_some()).count();
        if long > 0 {
            gaps.push(Gap::Long { people: long });
        }
        if self.way(Road::Mentions).is_some_and(|way| way.rest.is_some()) {
            gaps.push(Gap::Mentions);
        }
        let closed = names(&|person| {
            // Somebody who has never written has an empty listing too.
            person.met
                && person.wrote
                && (person.empty || matches!(person.read, Read::Refused | Read::Broken))
        });
        if !closed.is_empty() {
            gaps.push(Gap::Closed { people: closed });
        }
        let gone = names(&|person| person.met && person.read == Read::Gone);
        if !gone.is_empty() {
            gaps.push(Gap::Gone { people: gone });
        }
        let mut roads = Vec::new();
        for (road, way) in Road::ALL.iter().zip(&self.ways) {
            if way.as_ref().is_some_and(|way| matches!(way.read, Read::Refused | Read::Broken)) {
                roads.push(road.id());
            }
        }
        if !roads.is_empty() {
            gaps.push(Gap::Lists { roads });
        }
        if !self.unreadable.is_empty() {
            gaps.push(Gap::Unreadable { count: self.unreadable.len() });
        }
        gaps
    }
}

/// A post that is no direct message. What has no readable visibility is kept: better one too many.
fn is_public(value: &Value) -> bool {
    matches!(text(value, "visibility"), Some("public" | "unlisted" | "private"))
}

fn newest(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if later(&other, &one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn may_come(file: &File) -> bool {
    matches!(file, File::Missing(reason) if reason.may_come())
}

fn last_of(value: &Value) -> String {
    text(value, "last").unwrap_or_default().to_owned()
}

/// The server's word, or where a proxy has taken it away, the last id of a full page.
fn next_page(answer: &Answer, last: Option<String>) -> Option<String> {
    match &answer.link {
        Some(_) => answer.next_page().map(str::to_owned),
        None => last,
    }
}

/// The items of a JSON array, each as its server wrote it.
fn array(body: &str) -> Result<Vec<&str>, Refusal> {
    plain::items(body).ok_or(Refusal::Nonsense)
}

/// A field of an object, as its server wrote it; of two with the same key, the later one.
fn member<'a>(fields: &[(String, &'a str)], key: &str) -> Option<&'a str> {
    fields.iter().rev().find(|(known, _)| known == key).map(|(_, raw)| *raw)
}

impl Gap {
    /// Stands in `data-gap`.
    pub fn id(&self) -> &'static str {
        match self {
            Gap::Strangers { .. } => "strangers",
            Gap::Rescue => "rescue",
            Gap::Long { .. } => "long",
            Gap::Mentions => "mentions",
            Gap::Closed { .. } => "closed",
            Gap::Gone { .. } => "gone",
            Gap::Lists { .. } => "lists",
            Gap::Unreadable { .. } => "unreadable",
        }
    }

    /// For the person.
    pub fn say(&self) -> Say {
        let names = |people: &[String]| {
            people.iter().map(|handle| format!("@{handle}")).collect::<Vec<_>>().join(", ")
        };
        match self {
            Gap::Strangers { searched: false } => say("gap_strangers"),
            Gap::Strangers { searched: true } => say("gap_strangers_searched"),
            Gap::Rescue => say("gap_rescue"),
            Gap::Long { people } => say("gap_long").with(*people),
            Gap::Mentions => say("gap_mentions"),
            Gap::Closed { people } => say("gap_closed").with(names(people).as_str()),
            Gap::Gone { people } => say("gap_gone").with(names(people).as_str()),
            Gap::Lists { roads } => say("gap_lists").with(roads.join(", ").as_str()),
            Gap::Unreadable { count } => say("gap_unreadable").with(*count),
        }
    }
}

impl Work for Collect {
    type Task = Task;

    fn settle(&mut self) {
        Collect::settle(self);
    }

    fn file(&self) -> Option<&str> {
        Collect::file(self)
    }

    fn task(&self, pages: bool) -> Option<Task> {
        Collect::task(self, pages)
    }

    fn request(&self, task: &Task) -> Request {
        Collect::request(self, task)
    }

    fn answer(
        &mut self,
        task: &Task,
        reply: &Reply,
        _parser: &dyn Parser,
        _now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        Collect::answer(self, task, reply)
    }

    fn is_needed(&self, task: &Task) -> bool {
        *task == Task::Road(Road::Own)
    }

    fn give_up(&mut self, task: &Task) -> Vec<Record> {
        Collect::give_up(self, task)
    }

    fn fetched(&mut self, url: &str, file: File) -> Vec<Record> {
        Collect::fetched(self, url, file)
    }

    fn left(&self) -> Left {
        Collect::left(self)
    }

    fn asked(&self) -> u64 {
        self.asked
    }
}
