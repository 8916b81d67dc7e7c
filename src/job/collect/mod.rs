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

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::account::{Domain, Handle};
use crate::message::record::{
    ABOUT, CONVERSATION, FILE, File, HISTORY, Missing, PERSON, ROAD, Record, STATUS, status_key,
};
use crate::say::{Say, say};
use crate::server::entity;
use crate::server::reply::{self, Answer, Refusal, Reply};
use crate::server::request::{self, Request};
use crate::server::session::{Session, Standing};
use crate::server::status::{Attachment, Emoji, Person, Status};
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
            recent: session.version.as_ref().is_some_and(|version| version.at_least(4, 3)),
        })
    }

    fn write(&self) -> Value {
        json!({
            "id": self.id, "handle": self.handle, "uri": self.uri, "name": self.name, "domain": self.domain.as_str(),
            "version": self.version, "created_at": self.created_at.map(|at| at.0), "posts": self.posts,
            "followers": self.followers, "following": self.following, "rescue": self.rescue, "recent": self.recent,
        })
    }

    fn read(value: &Value) -> Option<Owner> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let count = |key: &str| value.get(key).and_then(Value::as_u64);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        Some(Owner {
            id: text("id")?,
            handle: text("handle")?,
            uri: text("uri"),
            name: text("name").unwrap_or_default(),
            domain: text("domain")?.parse().ok()?,
            version: text("version"),
            created_at: value.get("created_at").and_then(Value::as_i64).map(Time),
            posts: count("posts"),
            followers: count("followers"),
            following: count("following"),
            rescue: flag("rescue"),
            recent: flag("recent"),
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
    key: Rc<str>,
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

/// What is still to be done, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub calls: u64,
    /// Of them, so many are pages for the rate limit.
    pub pages: u64,
    pub files: u64,
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
    ways: BTreeMap<Road, Way>,
    people: Vec<Met>,
    person_at: BTreeMap<String, u32>,
    /// Listings to begin with, and listings to go on with.
    fresh: BTreeSet<u32>,
    on: BTreeSet<u32>,
    kept: Vec<Kept>,
    by_key: BTreeMap<Rc<str>, u32>,
    by_id: BTreeMap<String, u32>,
    unreadable: BTreeSet<String>,
    conversations: BTreeMap<String, String>,
    /// Parents that are not kept, each with its author as far as its answer tells.
    missing: BTreeMap<String, Option<String>>,
    absent: BTreeSet<String>,
    /// Parents to be asked for one at a time.
    single: BTreeSet<String>,
    histories: BTreeSet<String>,
    /// Handles to be looked up.
    named: BTreeSet<String>,
    contexts: BTreeSet<String>,
    /// What [`Collect::tops`] found; `None` when something has changed since.
    tops: Option<Vec<String>>,
    files: BTreeMap<String, File>,
    pending: BTreeSet<String>,
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
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
            ways: BTreeMap::new(),
            people: Vec::new(),
            person_at: BTreeMap::new(),
            fresh: BTreeSet::new(),
            on: BTreeSet::new(),
            kept: Vec::new(),
            by_key: BTreeMap::new(),
            by_id: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            conversations: BTreeMap::new(),
            missing: BTreeMap::new(),
            absent: BTreeSet::new(),
            single: BTreeSet::new(),
            histories: BTreeSet::new(),
            named: BTreeSet::new(),
            contexts: BTreeSet::new(),
            tops: None,
            files: BTreeMap::new(),
            pending: BTreeSet::new(),
        }
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
        self.named.insert(handle.acct());
        if self.done.take().is_some() {
            self.begun = now;
        }
        vec![Record::new(format!("{NAMED}{}", handle.acct()), "{}"), self.about()]
    }

    fn start(&mut self, deep: bool) -> Vec<Record> {
        self.pass += 1;
        self.deep = deep;
        self.fresh.clear();
        self.on.clear();
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
            let before = self.ways.remove(&road);
            let newest = before.filter(|_| !deep).and_then(|way| way.newest.or(way.top));
            let read = if wanted { Read::Todo } else { Read::Rest };
            self.ways.insert(road, Way { newest, ..Way::new(read) });
        }
        let retry = |file: &File| matches!(file, File::Missing(reason) if reason.may_come());
        self.pending.extend(self.files.iter().filter(|(_, file)| retry(file)).map(|(url, _)| url.clone()));
        let mut records: Vec<Record> = self.ways.keys().map(|road| self.road_record(*road)).collect();
        records.push(self.about());
        records
    }

    // --- what is kept ---

    fn about(&self) -> Record {
        let about = json!({
            "version": 1, "owner": self.owner.write(), "pass": self.pass, "deep": self.deep, "begun": self.begun.0,
            "done": self.done.map(|at| at.0), "asked": self.asked,
        });
        Record::new(ABOUT, about.to_string())
    }

    fn road_record(&self, road: Road) -> Record {
        let way = self.ways.get(&road).cloned().unwrap_or_else(|| Way::new(Read::Rest));
        Record::new(format!("{ROAD}{}", road.id()), way.write())
    }

    fn person_record(&self, at: usize) -> Record {
        let person = &self.people[at];
        Record::new(format!("{PERSON}{}", person.id), person.write())
    }

    /// The job as its record `about` states it; the others are given to [`Collect::restore`], and [`Collect::ready`] ends it.
    pub fn from_about(about: &str) -> Option<Collect> {
        let value: Value = serde_json::from_str(about).ok()?;
        let time = |key: &str| value.get(key).and_then(Value::as_i64).map(Time);
        if value.get("version").and_then(Value::as_u64) != Some(1) {
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
                self.ways.insert(road, way);
            }
        } else if key.starts_with(STATUS) {
            let value = serde_json::from_str(text).unwrap_or(Value::Null);
            self.note(key, &value);
            self.want_files(&value);
        } else if key.strip_prefix(HISTORY).is_some() {
            let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
            for version in value.as_array().into_iter().flatten() {
                self.want_files(version);
            }
            // Held against the statuses in `ready`.
            self.contexts.insert(key.to_owned());
        } else if let Some(id) = key.strip_prefix(CONVERSATION) {
            let value = serde_json::from_str(text).unwrap_or(Value::Null);
            self.conversations.insert(id.to_owned(), last_of(&value));
        } else if let Some(id) = key.strip_prefix(ABSENT) {
            let which = if text == SINGLE { &mut self.single } else { &mut self.absent };
            which.insert(id.to_owned());
        } else if let Some(handle) = key.strip_prefix(NAMED) {
            self.named.insert(handle.to_owned());
        } else if let Some(id) = key.strip_prefix(CONTEXT) {
            if text == self.pass.to_string() {
                self.contexts.insert(id.to_owned());
            }
        } else if let Some(url) = key.strip_prefix(FILE)
            && let Some(file) = File::read(text)
        {
            self.files.insert(url.to_owned(), file);
        }
    }

    /// All records are given.
    pub fn ready(&mut self) {
        for at in 0..self.people.len() {
            self.queue(at);
        }
        let had: BTreeSet<String> =
            self.contexts.iter().filter_map(|key| key.strip_prefix(HISTORY)).map(str::to_owned).collect();
        self.contexts.retain(|key| !key.starts_with(HISTORY));
        self.histories.clear();
        for kept in &self.kept {
            let key = &kept.key[STATUS.len()..];
            if kept.edited.is_some() && !kept.public && !had.contains(key) {
                self.histories.insert(kept.key.to_string());
            }
        }
        self.missing.clear();
        for at in 0..self.kept.len() {
            self.miss_parent(at);
        }
        let missing = &self.missing;
        self.single.retain(|id| missing.contains_key(id));
        let retry = |file: &File| matches!(file, File::Missing(reason) if reason.may_come());
        // In a save that is under way, what may come is tried again; a finished one waits for the next reading.
        if self.done.is_none() {
            let again = self.files.iter().filter(|(_, file)| retry(file)).map(|(url, _)| url.clone());
            self.pending.extend(again.collect::<Vec<_>>());
        }
        self.pending.retain(|url| self.files.get(url).is_none_or(|file| retry(file) && self.done.is_none()));
    }

    // --- what to ask next ---

    /// The next thing to ask for, or `None`. `pages`: whether requests that count as pages may be among them.
    pub fn task(&self, pages: bool) -> Option<Task> {
        if self.done.is_some() {
            return None;
        }
        let may = |read: &Read| read.open() && (pages || read.next().is_none());
        let mut open = false;
        for (road, way) in &self.ways {
            open |= way.read.open();
            if may(&way.read) {
                return Some(Task::Road(*road));
            }
        }
        // Of the two limits the one for pages is the tighter: while it lasts, it is used.
        let person = self.on.first().filter(|_| pages).or(self.fresh.first());
        if let Some(person) = person.and_then(|at| self.people.get(*at as usize)) {
            return Some(Task::Listing(person.id.clone()));
        }
        if let Some(handle) = self.named.first() {
            return Some(Task::Named(handle.clone()));
        }
        if let Some(key) = self.histories.first() {
            return Some(Task::History(key.clone()));
        }
        if open || !self.on.is_empty() {
            return None;
        }
        // Only now is it known which parents no listing has brought.
        let together = self.missing.keys().filter(|id| !self.single.contains(*id));
        let together: Vec<String> = together.take(request::STATUSES_AT_ONCE).cloned().collect();
        match together.as_slice() {
            [] => {}
            [one] => return Some(Task::Parent(one.clone())),
            [first, ..] if !self.owner.recent => return Some(Task::Parent(first.clone())),
            _ => return Some(Task::Parents(together)),
        }
        if let Some(id) = self.single.first() {
            return Some(Task::Parent(id.clone()));
        }
        let next = match &self.tops {
            Some(tops) => tops.iter().find(|id| !self.contexts.contains(*id)).cloned(),
            None => self.tops().into_iter().find(|id| !self.contexts.contains(id)),
        };
        next.map(Task::Context)
    }

    /// The request for a task.
    pub fn request(&self, task: &Task) -> Request {
        match task {
            Task::Road(road) => {
                let next = self.ways.get(road).and_then(|way| way.read.next());
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
                let id = self.by_key.get(key.as_str()).and_then(|at| self.kept.get(*at as usize));
                request::history(id.map_or("0", |kept| &kept.id))
            }
            Task::Context(id) => request::context(id),
        }
    }

    /// The next file to fetch, by its address.
    pub fn file(&self) -> Option<&str> {
        self.pending.first().map(String::as_str).filter(|_| self.done.is_none())
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
        self.files.insert(url.to_owned(), file);
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
                self.single.extend(ids.iter().cloned());
                let one_by_one = |id: &String| Record::new(format!("{ABSENT}{id}"), SINGLE);
                ids.iter().map(one_by_one).collect()
            }
            Task::Parent(id) => self.is_absent(id),
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
            Task::Parents(ids) => Ok(ids.clone().iter().flat_map(|id| self.is_absent(id)).collect()),
            Task::Parent(id) => Ok(self.is_absent(id)),
            Task::Named(handle) => Ok(self.was_named(handle)),
            Task::History(key) => Ok(self.history_told(key, "[]")),
            Task::Context(id) => Ok(self.context_asked(id)),
        }
    }

    fn told(&mut self, task: &Task, answer: &Answer) -> Result<Vec<Record>, Refusal> {
        let body = answer.body.as_str();
        match task {
            Task::Road(road) => {
                let items = array(body)?;
                Ok(self.page_of_road(*road, &items, answer))
            }
            Task::Listing(id) => {
                let items = array(body)?;
                Ok(self.page_of_listing(id, &items, answer))
            }
            Task::Parents(ids) => {
                let mut records = Vec::new();
                for raw in array(body)? {
                    records.extend(self.keep_raw(raw));
                }
                for id in ids {
                    if self.by_id.contains_key(id) {
                        continue;
                    }
                    // Left out: not readable, or by somebody muted or blocked, who is let through one at a time
                    // (facts 13.1, 3).
                    if self.is_by_hidden(id) {
                        self.single.insert(id.clone());
                        records.push(Record::new(format!("{ABSENT}{id}"), SINGLE));
                    } else {
                        records.extend(self.is_absent(id));
                    }
                }
                Ok(records)
            }
            Task::Parent(id) => {
                let raw: &RawValue = serde_json::from_str(body).map_err(|_| Refusal::Nonsense)?;
                let mut records = self.keep_raw(raw);
                if !self.by_id.contains_key(id) {
                    records.extend(self.is_absent(id));
                }
                Ok(records)
            }
            Task::Named(handle) => {
                let value = serde_json::from_str(body).map_err(|_| Refusal::Nonsense)?;
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
                let both: BTreeMap<String, &RawValue> =
                    serde_json::from_str(body).map_err(|_| Refusal::Nonsense)?;
                let mut records = Vec::new();
                for side in ["ancestors", "descendants"] {
                    for raw in array(both.get(side).map_or("[]", |raw| raw.get()))? {
                        records.extend(self.keep_raw(raw));
                    }
                }
                records.extend(self.context_asked(id));
                Ok(records)
            }
        }
    }

    // --- lists ---

    fn page_of_road(&mut self, road: Road, items: &[&RawValue], answer: &Answer) -> Vec<Record> {
        let mut records = Vec::new();
        let Some(way) = self.ways.get(&road).cloned() else { return records };
        let (mut top, mut last, mut known) = (way.top.clone(), None, false);
        for raw in items {
            let value: Value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
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
                Road::Own | Road::Bookmarks | Road::Favourites => {
                    records.extend(self.keep(raw.get(), &value))
                }
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
        self.ways.insert(road, way);
        records.push(self.road_record(road));
        records
    }

    fn page_of_listing(&mut self, id: &str, items: &[&RawValue], answer: &Answer) -> Vec<Record> {
        let mut records = Vec::new();
        let Some(at) = self.person_at.get(id).map(|at| *at as usize) else { return records };
        let before = self.people[at].clone();
        let (mut top, mut last, mut known) = (before.top.clone(), None, false);
        for raw in items {
            let value: Value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
            records.extend(self.keep(raw.get(), &value));
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
        self.queue(at);
        self.tops = None;
        records.push(self.person_record(at));
        records
    }

    fn end_road(&mut self, road: Road, read: Read) -> Vec<Record> {
        if let Some(way) = self.ways.get_mut(&road) {
            way.read = read;
        }
        vec![self.road_record(road)]
    }

    fn end_listing(&mut self, id: &str, read: Read) -> Vec<Record> {
        let Some(at) = self.person_at.get(id).map(|at| *at as usize) else { return Vec::new() };
        self.people[at].read = read;
        self.queue(at);
        self.tops = None;
        vec![self.person_record(at)]
    }

    /// Nothing addressed to the owner is older than the account. Its day of creation is told, not its hour.
    fn before_the_account(&self, items: &[&RawValue]) -> bool {
        let Some(created) = self.owner.created_at else { return false };
        let last = items.last().and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        let at = last.as_ref().and_then(|value| text(value, "created_at")).and_then(Time::from_iso);
        at.is_some_and(|at| at < created.plus(-2 * DAY))
    }

    /// An entry of the conversation list; `true` if it is as it was when it was last read.
    fn conversation(&mut self, raw: &RawValue, value: &Value, records: &mut Vec<Record>) -> bool {
        let last = value.get("last_status").filter(|last| last.is_object());
        let last_id = last.and_then(|last| last.get("id")).and_then(entity::id);
        let Some(id) = value.get("id").and_then(entity::id) else { return false };
        let same = last_id.is_some() && self.conversations.get(&id) == last_id.as_ref();
        let mut with = Vec::new();
        for account in value.get("accounts").and_then(Value::as_array).into_iter().flatten() {
            let Some(person) = Person::read(account, &self.owner.domain) else { continue };
            with.push(person.handle.clone());
            if let Some(at) = self.meet(&person, true, records).filter(|_| !same) {
                self.flag(at, records);
            }
        }
        if let Some(last) = last {
            let text = field(raw, "last_status").unwrap_or_else(|| last.to_string());
            records.extend(self.keep(&text, last));
        }
        if !same {
            let entry = json!({ "last": last_id, "with": with });
            records.push(Record::new(format!("{CONVERSATION}{id}"), entry.to_string()));
            self.conversations.insert(id, last_id.unwrap_or_default());
        }
        same
    }

    fn notification(&mut self, raw: &RawValue, value: &Value, status: &str, records: &mut Vec<Record>) {
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
        let new = !is_public(inner) && id.is_some_and(|id| !self.by_id.contains_key(&id));
        let text = field(raw, status).unwrap_or_else(|| inner.to_string());
        records.extend(self.keep(&text, inner));
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
            return *at;
        }
        let at = u32::try_from(self.people.len()).unwrap_or(OWNER - 1);
        self.people.push(Met { pass: self.pass, read: Read::Rest, ..Met::new(id, handle) });
        self.person_at.insert(id.to_owned(), at);
        at
    }

    fn person_of(&self, id: &str) -> Option<&Met> {
        self.people.get(*self.person_at.get(id)? as usize)
    }

    /// Somebody was met. Their listing will be read, if it never was.
    fn meet(&mut self, person: &Person, met: bool, records: &mut Vec<Record>) -> Option<usize> {
        let known = self.person_at.contains_key(&person.id);
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
            self.queue(at);
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
        self.queue(at);
    }

    fn queue(&mut self, at: usize) {
        let Ok(index) = u32::try_from(at) else { return };
        self.fresh.remove(&index);
        self.on.remove(&index);
        match &self.people[at].read {
            Read::Todo => self.fresh.insert(index),
            Read::On(_) => self.on.insert(index),
            _ => false,
        };
    }

    // --- statuses ---

    fn keep_raw(&mut self, raw: &RawValue) -> Vec<Record> {
        let value: Value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
        self.keep(raw.get(), &value)
    }

    /// Keeps a status, if it is a direct message or one that a message answers, and if it says more than what is kept of it.
    fn keep(&mut self, raw: &str, value: &Value) -> Vec<Record> {
        let id = value.get("id").and_then(entity::id);
        let wanted = id.as_ref().is_some_and(|id| self.missing.contains_key(id));
        if raw == "null" || (is_public(value) && !wanted) {
            return Vec::new();
        }
        let key = status_key(value, raw);
        if let Some(at) = self.by_key.get(key.as_str()) {
            let edited = text(value, "edited_at").and_then(Time::from_iso);
            let kept = &mut self.kept[*at as usize];
            if edited <= kept.edited {
                return Vec::new();
            }
            kept.edited = edited;
            let kept = kept.key.to_string();
            self.histories.insert(kept);
            self.want_files(value);
            return vec![Record::new(key, raw)];
        }
        let mut records = Vec::new();
        self.note(&key, value);
        let at = self.kept.len().saturating_sub(1);
        if self.kept[at].edited.is_some() && !self.kept[at].public {
            self.histories.insert(key.clone());
        }
        if let Some(id) = &id {
            self.missing.remove(id);
        }
        self.miss_parent(at);
        // Whoever takes part in a message was met.
        if !self.kept[at].public
            && let Ok(status) = Status::read(value, &self.owner.domain)
        {
            for person in status.mentions.iter().chain([&status.author]) {
                self.meet(person, true, &mut records);
            }
        }
        self.want_files(value);
        self.tops = None;
        records.push(Record::new(key, raw));
        records
    }

    /// Notes a kept status in the index.
    fn note(&mut self, key: &str, value: &Value) {
        let status = Status::read(value, &self.owner.domain);
        let id = value.get("id").and_then(entity::id).unwrap_or_default();
        let index = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        let shared: Rc<str> = Rc::from(key);
        let kept = match status {
            Ok(status) => {
                let author = self.person(&status.author.id, &status.author.handle);
                let public = is_public(value);
                if !public && author == OWNER {
                    self.sent += 1;
                }
                let mut readers: Vec<u32> =
                    status.mentions.iter().map(|who| self.person(&who.id, &who.handle)).collect();
                readers.push(author);
                readers.retain(|at| *at != OWNER);
                readers.sort_unstable();
                readers.dedup();
                for at in readers.iter().filter(|_| !public) {
                    let person = &mut self.people[*at as usize];
                    person.reads = true;
                    person.wrote |= *at == author;
                }
                Kept {
                    key: shared.clone(),
                    id: id.clone(),
                    edited: status.edited,
                    parent: status.parent,
                    parent_author: status.parent_author,
                    public,
                    readers: readers.into_boxed_slice(),
                }
            }
            Err(_) => {
                self.unreadable.insert(key.to_owned());
                Kept {
                    key: shared.clone(),
                    id: id.clone(),
                    edited: None,
                    parent: None,
                    parent_author: None,
                    public: false,
                    readers: Box::default(),
                }
            }
        };
        self.messages += usize::from(!kept.public);
        self.kept.push(kept);
        self.by_key.insert(shared, index);
        if !id.is_empty() {
            self.by_id.entry(id).or_insert(index);
        }
    }

    fn miss_parent(&mut self, at: usize) {
        let kept = &self.kept[at];
        let Some(parent) = kept.parent.as_ref().filter(|_| !kept.public) else { return };
        if !self.by_id.contains_key(parent) && !self.absent.contains(parent) {
            self.missing.insert(parent.clone(), kept.parent_author.clone());
        }
    }

    fn is_absent(&mut self, id: &str) -> Vec<Record> {
        self.missing.remove(id);
        self.single.remove(id);
        self.absent.insert(id.to_owned());
        vec![Record::new(format!("{ABSENT}{id}"), "{}")]
    }

    fn is_by_hidden(&self, parent: &str) -> bool {
        let author = self.missing.get(parent).and_then(|author| author.as_deref());
        author.and_then(|id| self.person_of(id)).is_some_and(|person| person.hidden)
    }

    fn history_told(&mut self, key: &str, body: &str) -> Vec<Record> {
        self.histories.remove(key);
        let versions: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        for version in versions.as_array().into_iter().flatten() {
            self.want_files(version);
        }
        vec![Record::new(format!("{HISTORY}{}", &key[STATUS.len().min(key.len())..]), body)]
    }

    fn was_named(&mut self, handle: &str) -> Vec<Record> {
        self.named.remove(handle);
        vec![Record { key: format!("{NAMED}{handle}"), text: None }]
    }

    // --- contexts ---

    fn context_asked(&mut self, id: &str) -> Vec<Record> {
        self.contexts.insert(id.to_owned());
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
        let mut tops = BTreeSet::new();
        for kept in self.kept.iter().filter(|kept| !kept.public && kept.readers.iter().any(is_half)) {
            let mut top = kept;
            // As many steps as a server's own context has; a circle ends there too.
            for _ in 0..4_096 {
                let parent = top.parent.as_ref().and_then(|parent| self.by_id.get(parent));
                match parent.and_then(|at| self.kept.get(*at as usize)) {
                    Some(parent) => top = parent,
                    None => break,
                }
            }
            if !top.id.is_empty() {
                tops.insert(top.id.clone());
            }
        }
        tops.into_iter().collect()
    }

    /// Works out once what [`Collect::task`] would have to work out each time.
    pub fn settle(&mut self) {
        let open = self.ways.values().any(|way| way.read.open());
        if self.tops.is_none() && !open && self.on.is_empty() && self.fresh.is_empty() {
            self.tops = Some(self.tops());
        }
    }

    // --- files ---

    fn want_files(&mut self, value: &Value) {
        let list = |key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten();
        let attachments = list("media_attachments").filter_map(Attachment::read);
        let mut wanted: Vec<Option<String>> = Vec::new();
        for attachment in attachments {
            match attachment.url {
                Some(url) => wanted.push(Some(url)),
                None => {
                    self.files
                        .entry(format!("none:{}", attachment.id))
                        .or_insert(File::Missing(Missing::NoAddress));
                }
            }
        }
        wanted.extend(list("emojis").filter_map(Emoji::read).map(|emoji| Some(emoji.url)));
        for url in wanted.into_iter().flatten() {
            if !self.files.contains_key(&url) {
                self.pending.insert(url);
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
        self.conversations.iter().map(|(id, last)| (id.as_str(), last.as_str()))
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(url, file)| (url.as_str(), file))
    }

    /// The keys of the statuses that are kept.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(|key| &**key)
    }

    pub fn count(&self) -> Count {
        let (all, sent) = (self.messages, self.sent);
        let unreadable = self.unreadable.len();
        let missing = self.files.values().filter(|file| matches!(file, File::Missing(_))).count();
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
        for (road, way) in &self.ways {
            if !way.read.open() {
                continue;
            }
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
        for at in self.fresh.iter().chain(&self.on) {
            let person = &self.people[*at as usize];
            let rest = person.left(self.deep);
            left.calls += rest;
            left.pages += rest - u64::from(person.read == Read::Todo && rest > 0);
        }
        left.calls += self.histories.len() as u64;
        left.calls += (self.missing.len() as u64).div_ceil(20);
        left.calls += self.tops.iter().flatten().filter(|id| !self.contexts.contains(*id)).count() as u64;
        left
    }

    /// What may be missing in all this, and why.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let names = |which: &dyn Fn(&Met) -> bool| {
            let mut names: Vec<String> = self
                .people
                .iter()
                .filter(|person| which(person))
                .map(|person| person.handle.clone())
                .collect();
            names.sort_unstable();
            names
        };
        let searched = [Road::Followers, Road::Following]
            .iter()
            .all(|road| self.ways.get(road).is_some_and(|way| way.read == Read::Done));
        gaps.push(if self.owner.rescue { Gap::Rescue } else { Gap::Strangers { searched } });
        let long = self.people.iter().filter(|person| person.rest.is_some()).count();
        if long > 0 {
            gaps.push(Gap::Long { people: long });
        }
        if self.ways.get(&Road::Mentions).is_some_and(|way| way.rest.is_some()) {
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
        let roads: Vec<&'static str> = self
            .ways
            .iter()
            .filter(|(_, way)| matches!(way.read, Read::Refused | Read::Broken))
            .map(|(road, _)| road.id())
            .collect();
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
fn array(body: &str) -> Result<Vec<&RawValue>, Refusal> {
    serde_json::from_str(body).map_err(|_| Refusal::Nonsense)
}

/// A field of an object, as its server wrote it.
fn field(raw: &RawValue, key: &str) -> Option<String> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    Some(fields.get(key)?.get().to_owned())
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
