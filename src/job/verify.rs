//! Accounts for every row: what arrived on the new account, what did not, and why not (facts 6.1, "Processing").
//!
//! What arrived is read from the new account's own exports, one request a kind. Of what did not, the new server is asked
//! whom it knows, how they stand to the account, and as a last resort whether it finds them at all. What that does not
//! tell is said to be unknown.

use serde_json::Value;

use super::collect::Owner;
use super::pack::kept::Person;
use super::{Left, Work};
use crate::account::Handle;
use crate::list::{Have, Kind, follow_limit};
use crate::message::record::{ABOUT, Record};
use crate::plain::{self, Object, count, flag, list, quoted, text};
use crate::server::entity;
use crate::server::markup::Parser;
use crate::server::reply::{self, Refusal, Reply};
use crate::server::request::{self, RELATIONSHIPS_AT_ONCE, Request};
use crate::small::{Names, Table};
use crate::when::Time;

/// The rows of a kind: `w/KIND`; which of them the export has: `h/KIND`; what is known of somebody: `l/ACCT`.
const WANTED: &str = "w/";
const THERE: &str = "h/";
const LOOKED: &str = "l/";
const SERVER: &str = "server";

/// A server that does not answer for so many of its people is asked for no more.
const SILENT_AFTER: usize = 2;

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Arrived,
    /// The account is locked: the request waits for an answer.
    Requested,
    /// It was there before.
    There,
    /// It was not uploaded, for the reason that the plan names.
    LeftOut(String),
    Moved(Option<Handle>),
    /// Their server answers, and does not know them any more.
    Gone,
    Suspended,
    /// The new server has blocked theirs.
    ServerBlocked,
    /// The new server found nobody on theirs.
    ServerSilent,
    BlocksYou,
    /// The new account blocks them, or their server.
    YouBlock,
    Limit,
    /// The import is still under way.
    Running,
    /// The import has stopped growing.
    Stuck,
    /// The server refused the file.
    Refused,
    /// The new server knows them, and nothing speaks against it: another try may do.
    NotYet,
    /// Nobody tells why.
    Unknown,
}

impl Outcome {
    pub fn id(&self) -> &'static str {
        match self {
            Outcome::Arrived => "arrived",
            Outcome::Requested => "requested",
            Outcome::There => "there",
            Outcome::LeftOut(_) => "left-out",
            Outcome::Moved(_) => "moved",
            Outcome::Gone => "gone",
            Outcome::Suspended => "suspended",
            Outcome::ServerBlocked => "server-blocked",
            Outcome::ServerSilent => "server-silent",
            Outcome::BlocksYou => "blocks-you",
            Outcome::YouBlock => "you-block",
            Outcome::Limit => "limit",
            Outcome::Running => "running",
            Outcome::Stuck => "stuck",
            Outcome::Refused => "refused",
            Outcome::NotYet => "not-yet",
            Outcome::Unknown => "unknown",
        }
    }

    /// It is where it should be, or on its way.
    pub fn is_fine(&self) -> bool {
        matches!(self, Outcome::Arrived | Outcome::Requested | Outcome::There)
    }

    /// Uploading it once more may help.
    pub fn may_retry(&self) -> bool {
        matches!(
            self,
            Outcome::ServerSilent
                | Outcome::Limit
                | Outcome::Stuck
                | Outcome::Refused
                | Outcome::NotYet
                | Outcome::Unknown
        )
    }
}

/// How the import of a kind ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    Finished,
    Running,
    Stuck,
    Refused,
}

impl Ran {
    fn id(self) -> &'static str {
        match self {
            Ran::Finished => "finished",
            Ran::Running => "running",
            Ran::Stuck => "stuck",
            Ran::Refused => "refused",
        }
    }

    fn of_id(id: &str) -> Ran {
        let all = [Ran::Running, Ran::Stuck, Ran::Refused];
        all.into_iter().find(|ran| ran.id() == id).unwrap_or(Ran::Finished)
    }
}

/// A row that should be on the new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As `list::Row::key` has it.
    pub key: String,
    /// As it was uploaded: a handle, a domain, an address; of lists the member.
    pub name: String,
    /// Of lists, the title.
    pub list: String,
    /// It was there before anything was uploaded.
    pub before: bool,
    /// Why it was not uploaded.
    pub left_out: Option<String>,
    /// The old server says that they have moved.
    pub moved: Option<Handle>,
}

/// All rows of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    pub kind: Kind,
    pub ran: Ran,
    pub rows: Vec<Wanted>,
}

#[derive(Clone, Debug)]
struct Group {
    rows: Rows,
    /// For each row; `None` before the export was read.
    there: Option<Vec<bool>>,
    /// The server has no such export.
    closed: bool,
}

/// What the new server says of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    id: Option<String>,
    moved: Option<Handle>,
    suspended: bool,
    /// The relationship was told.
    related: bool,
    following: bool,
    requested: bool,
    blocked_by: bool,
    blocking: bool,
    /// It was asked to find them, and did or did not.
    sought: bool,
}

/// What the next request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    Export(Kind),
    /// The account itself, for its limit.
    Account,
    Blocked,
    Find(String),
    Relations(Vec<String>),
    Resolve(String),
}

/// The job.
#[derive(Clone, Debug)]
pub struct Verify {
    owner: Owner,
    begun: Time,
    done: Option<Time>,
    asked: u64,
    groups: Vec<Group>,
    looks: Table<Look>,
    /// Of each server, how many of its people were sought in vain, and whether one was found.
    servers: Table<(usize, bool)>,
    /// Followers and follows of the account; `None` before it was asked.
    account: Option<(Option<u64>, Option<u64>)>,
    /// What the server says that it blocks; empty too where it does not say.
    blocked: Option<Vec<String>>,
}

impl Verify {
    pub fn begin(owner: Owner, rows: Vec<Rows>, now: Time) -> (Verify, Vec<Record>) {
        let groups = rows.into_iter().map(|rows| Group { rows, there: None, closed: false }).collect();
        let job = Verify {
            owner,
            begun: now,
            done: None,
            asked: 0,
            groups,
            looks: Table::default(),
            servers: Table::default(),
            account: None,
            blocked: None,
        };
        let mut records = vec![job.about()];
        for group in &job.groups {
            records.push(Record::new(format!("{WANTED}{}", group.rows.kind.id()), write_rows(&group.rows)));
        }
        (job, records)
    }

    pub fn from_about(about: &str) -> Option<Verify> {
        let value = plain::json(about)?;
        Some(Verify {
            owner: Owner::read(value.get("owner")?)?,
            begun: Time(value.get("begun")?.as_i64()?),
            done: value.get("done").and_then(Value::as_i64).map(Time),
            asked: count(&value, "asked").unwrap_or(0),
            groups: Vec::new(),
            looks: Table::default(),
            servers: Table::default(),
            account: None,
            blocked: None,
        })
    }

    /// In any order; [`Verify::ready`] puts the rows in theirs.
    pub fn restore(&mut self, key: &str, text: &str) {
        if let Some(kind) = key.strip_prefix(WANTED).and_then(Kind::of_id) {
            let Some(rows) = read_rows(kind, text) else { return };
            self.group(kind).rows = rows;
        } else if let Some(kind) = key.strip_prefix(THERE).and_then(Kind::of_id) {
            let group = self.group(kind);
            group.closed = text == "closed";
            group.there = Some(text.bytes().map(|byte| byte == b'1').collect());
        } else if let Some(acct) = key.strip_prefix(LOOKED) {
            if let Some(value) = plain::json(text) {
                self.keep(acct, read_look(&value));
            }
        } else if key == SERVER {
            let value = plain::json(text).unwrap_or(Value::Null);
            self.read_server(&value);
        }
    }

    fn group(&mut self, kind: Kind) -> &mut Group {
        let at = match self.groups.iter().position(|group| group.rows.kind == kind) {
            Some(at) => at,
            None => {
                let rows = Rows { kind, ran: Ran::Finished, rows: Vec::new() };
                self.groups.push(Group { rows, there: None, closed: false });
                self.groups.len() - 1
            }
        };
        &mut self.groups[at]
    }

    pub fn ready(&mut self) {
        let groups = std::mem::take(&mut self.groups);
        self.groups = crate::small::ordered(groups, &|one, other| one.rows.kind.cmp(&other.rows.kind));
    }

    fn about(&self) -> Record {
        let about = Object::new()
            .json("owner", &self.owner.write())
            .time("begun", Some(self.begun))
            .time("done", self.done)
            .number("asked", self.asked)
            .end();
        Record::new(ABOUT, about)
    }

    fn server_record(&self) -> Record {
        let mut object = Object::new();
        if let Some((followers, following)) = self.account {
            object.count("followers", followers).count("following", following).flag("account", true);
        }
        if let Some(blocked) = &self.blocked {
            object.json("blocked", &list(&blocked.iter().map(|one| quoted(one)).collect::<Vec<_>>()));
        }
        Record::new(SERVER, object.end())
    }

    fn read_server(&mut self, value: &Value) {
        if flag(value, "account") {
            self.account = Some((count(value, "followers"), count(value, "following")));
        }
        if let Some(blocked) = value.get("blocked").and_then(Value::as_array) {
            self.blocked = Some(blocked.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
    }

    pub fn finish(&mut self, now: Time) -> Vec<Record> {
        self.done = Some(now);
        vec![self.about()]
    }

    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }

    pub fn finished(&self) -> Option<Time> {
        self.done
    }

    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    pub fn kinds(&self) -> impl Iterator<Item = &Rows> {
        self.groups.iter().map(|group| &group.rows)
    }

    /// Rows of this kind and what became of each, in the order in which they were uploaded.
    pub fn outcomes(&self, kind: Kind) -> Vec<(&Wanted, Outcome)> {
        let Some(group) = self.groups.iter().find(|group| group.rows.kind == kind) else { return Vec::new() };
        let alive = self.alive();
        group
            .rows
            .rows
            .iter()
            .enumerate()
            .map(|(at, row)| (row, self.outcome(group, at, row, &alive)))
            .collect()
    }

    /// Servers of which somebody has arrived or was found.
    fn alive(&self) -> Names {
        let mut alive = Names::default();
        for group in self.groups.iter().filter(|group| is_people(group.rows.kind)) {
            for (at, row) in group.rows.rows.iter().enumerate() {
                if group.there.as_ref().and_then(|there| there.get(at)) == Some(&true)
                    && let Some((_, domain)) = row.name.split_once('@')
                {
                    alive.add(&domain.to_lowercase());
                }
            }
        }
        for (acct, look) in self.looks.iter() {
            if look.sought
                && look.id.is_some()
                && let Some((_, domain)) = acct.split_once('@')
            {
                alive.add(domain);
            }
        }
        alive
    }

    fn outcome(&self, group: &Group, at: usize, row: &Wanted, alive: &Names) -> Outcome {
        let there = group.there.as_ref().and_then(|there| there.get(at)).copied();
        match (there, &row.left_out) {
            (Some(true), _) if row.before => return Outcome::There,
            (Some(true), _) => return Outcome::Arrived,
            (_, Some(why)) => {
                return match &row.moved {
                    Some(to) if why == "moved" => Outcome::Moved(Some(to.clone())),
                    _ => Outcome::LeftOut(why.clone()),
                };
            }
            (None, _) => return Outcome::Unknown,
            _ if group.closed => return Outcome::Unknown,
            _ => {}
        }
        match group.rows.ran {
            Ran::Running => return Outcome::Running,
            Ran::Refused => return Outcome::Refused,
            Ran::Finished | Ran::Stuck => {}
        }
        let unknown = if group.rows.ran == Ran::Stuck { Outcome::Stuck } else { Outcome::Unknown };
        if !is_people(group.rows.kind) {
            return unknown;
        }
        let acct = row.name.to_lowercase();
        let Some(look) = self.looks.get(&acct) else { return unknown };
        let domain = acct.split_once('@').map(|(_, domain)| domain).unwrap_or_default();
        if look.id.is_none() {
            return match () {
                () if self.is_blocked(domain) => Outcome::ServerBlocked,
                () if row.moved.is_some() => Outcome::Moved(row.moved.clone()),
                () if !look.sought && !self.is_silent(domain) => unknown,
                () if alive.has(domain) || domain == self.owner.domain.as_str() => Outcome::Gone,
                () => Outcome::ServerSilent,
            };
        }
        match () {
            () if look.suspended => Outcome::Suspended,
            () if look.moved.is_some() => Outcome::Moved(look.moved.clone()),
            () if row.moved.is_some() => Outcome::Moved(row.moved.clone()),
            () if look.following && group.rows.kind == Kind::Follows => Outcome::Arrived,
            () if look.requested && group.rows.kind == Kind::Follows => Outcome::Requested,
            () if look.blocked_by => Outcome::BlocksYou,
            () if look.blocking && group.rows.kind == Kind::Follows => Outcome::YouBlock,
            () if self.is_blocked(domain) => Outcome::ServerBlocked,
            () if group.rows.kind == Kind::Follows && self.is_full() => Outcome::Limit,
            () if group.rows.ran == Ran::Stuck => Outcome::Stuck,
            () => Outcome::NotYet,
        }
    }

    fn is_full(&self) -> bool {
        let Some((Some(followers), Some(following))) = self.account else { return false };
        following >= follow_limit(followers, following)
    }

    fn is_blocked(&self, domain: &str) -> bool {
        self.blocked.as_ref().is_some_and(|blocked| {
            blocked.iter().any(|one| {
                domain == one || domain.strip_suffix(one.as_str()).is_some_and(|rest| rest.ends_with('.'))
            })
        })
    }

    /// So many of its people were sought in vain that it is asked for no more.
    fn is_silent(&self, domain: &str) -> bool {
        self.servers.get(domain).is_some_and(|(vain, found)| !found && *vain >= SILENT_AFTER)
    }

    fn keep(&mut self, acct: &str, look: Look) {
        if look.sought {
            let domain = acct.split_once('@').map(|(_, domain)| domain).unwrap_or_default();
            let (vain, found) = self.servers.get(domain).copied().unwrap_or_default();
            let now = match look.id {
                Some(_) => (vain, true),
                None => (vain + 1, found),
            };
            self.servers.put(domain, now);
        }
        self.looks.put(acct, look);
    }

    /// Handles of which something has to be found out.
    fn missing(&self) -> impl Iterator<Item = String> {
        self.groups
            .iter()
            .filter(|group| {
                is_people(group.rows.kind) && matches!(group.rows.ran, Ran::Finished | Ran::Stuck)
            })
            .flat_map(|group| {
                let there = group.there.as_deref().unwrap_or_default();
                group.rows.rows.iter().zip(there).filter(|(row, there)| !**there && row.left_out.is_none())
            })
            .map(|(row, _)| row.name.to_lowercase())
    }

    fn look_record(&self, acct: &str) -> Vec<Record> {
        let look = self.looks.get(acct);
        look.map(|look| Record::new(format!("{LOOKED}{acct}"), write_look(look))).into_iter().collect()
    }

    fn export(&mut self, kind: Kind, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        let home = self.owner.domain.clone();
        let group = self.group(kind);
        let closed = matches!(reply, Ok(answer) if matches!(answer.status, 403 | 404));
        let there: Vec<bool> = if closed {
            vec![false; group.rows.rows.len()]
        } else {
            let answer = reply::file(reply, &request::export_file(kind.export()))?;
            let have = Have::of_text(&answer.body, kind, Some(&home)).ok_or(Refusal::Nonsense)?;
            group.rows.rows.iter().map(|row| have.get(&row.key).is_some()).collect()
        };
        let bits: String = there.iter().map(|there| if *there { '1' } else { '0' }).collect();
        group.closed = closed;
        group.there = Some(there);
        let text = if closed { "closed".to_owned() } else { bits };
        Ok(vec![Record::new(format!("{THERE}{}", kind.id()), text)])
    }

    fn found(&mut self, acct: &str, value: &Value, sought: bool) -> Vec<Record> {
        let person = Person::read(value, &self.owner.domain);
        let look = match person {
            Some(person) => Look {
                id: Some(person.id),
                moved: person.moved,
                suspended: person.suspended,
                // Somebody who is gone has no relationships.
                related: person.suspended,
                sought,
                ..Look::default()
            },
            None => Look { sought, ..Look::default() },
        };
        self.keep(acct, look);
        self.look_record(acct)
    }

    fn related(&mut self, accts: &[String], value: &Value) -> Vec<Record> {
        let told = value.as_array().map_or(&[][..], Vec::as_slice);
        let mut records = Vec::new();
        for acct in accts {
            let Some(look) = self.looks.get_mut(acct) else { continue };
            look.related = true;
            let id = look.id.clone();
            let own = told.iter().find(|item| item.get("id").and_then(entity::id) == id);
            if let Some(own) = own {
                look.following = flag(own, "following");
                look.requested = flag(own, "requested");
                look.blocked_by = flag(own, "blocked_by");
                look.blocking = flag(own, "blocking") || flag(own, "domain_blocking");
            }
            records.extend(self.look_record(acct));
        }
        records
    }
}

fn is_people(kind: Kind) -> bool {
    matches!(kind, Kind::Follows | Kind::Lists | Kind::Mutes | Kind::Blocks)
}

impl Work for Verify {
    type Task = Task;

    fn task(&self, _pages: bool) -> Option<Task> {
        if let Some(group) = self.groups.iter().find(|group| group.there.is_none()) {
            return Some(Task::Export(group.rows.kind));
        }
        self.missing().next()?;
        if self.account.is_none() {
            return Some(Task::Account);
        }
        if self.blocked.is_none() {
            return Some(Task::Blocked);
        }
        if let Some(acct) = self.missing().find(|acct| self.looks.get(acct).is_none()) {
            return Some(Task::Find(acct));
        }
        let mut unrelated: Vec<String> = Vec::new();
        for (acct, look) in self.looks.iter() {
            if look.id.is_some() && !look.related && unrelated.len() < RELATIONSHIPS_AT_ONCE {
                unrelated.push(acct.to_owned());
            }
        }
        if !unrelated.is_empty() {
            return Some(Task::Relations(unrelated));
        }
        let lost = self.looks.iter().find(|(acct, look)| {
            let domain = acct.split_once('@').map(|(_, domain)| domain).unwrap_or_default();
            // Its own people the server knows.
            look.id.is_none()
                && !look.sought
                && domain != self.owner.domain.as_str()
                && !self.is_blocked(domain)
                && !self.is_silent(domain)
        });
        lost.map(|(acct, _)| Task::Resolve(acct.to_owned()))
    }

    fn request(&self, task: &Task) -> Request {
        match task {
            Task::Export(kind) => request::export_file(kind.export()),
            Task::Account => request::verify_credentials(),
            Task::Blocked => request::blocked_domains(),
            Task::Find(acct) => {
                let local = acct.split_once('@').filter(|(_, domain)| *domain == self.owner.domain.as_str());
                request::lookup_acct(local.map_or(acct, |(user, _)| user))
            }
            Task::Relations(accts) => {
                let id = |acct: &String| self.looks.get(acct).and_then(|look| look.id.clone());
                request::relationships(&accts.iter().filter_map(id).collect::<Vec<_>>())
            }
            Task::Resolve(acct) => request::resolve(acct),
        }
    }

    fn answer(
        &mut self,
        task: &Task,
        reply: &Reply,
        _parser: &dyn Parser,
        _now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        let status = reply.as_ref().map_or(0, |answer| answer.status);
        let value = || plain::json(&reply::data(reply)?.body).ok_or(Refusal::Nonsense);
        let records = match task {
            Task::Export(kind) => self.export(*kind, reply)?,
            Task::Account => {
                let told = if matches!(status, 403 | 404) { Value::Null } else { value()? };
                self.account = Some((count(&told, "followers_count"), count(&told, "following_count")));
                vec![self.server_record()]
            }
            Task::Blocked => {
                // Many servers show it to nobody (facts 13.2, last line).
                let told = if matches!(status, 403 | 404) { Value::Null } else { value()? };
                self.blocked = Some(entity::blocked_domains(&told).unwrap_or_default());
                vec![self.server_record()]
            }
            Task::Find(acct) => {
                let told = if matches!(status, 404 | 410) { Value::Null } else { value()? };
                self.found(acct, &told, false)
            }
            Task::Relations(accts) => {
                let told = if matches!(status, 403 | 404 | 422) { Value::Null } else { value()? };
                self.related(accts, &told)
            }
            Task::Resolve(acct) => {
                let told = if matches!(status, 403 | 404 | 422) { Value::Null } else { value()? };
                let wanted: Option<Handle> = acct.parse().ok();
                let own = plain::array(&told, "accounts").iter().find(|item| {
                    let read = entity::Account::read(item, &self.owner.domain);
                    read.zip(wanted.as_ref()).is_some_and(|(read, wanted)| read.handle.is_same(wanted))
                });
                let own = own.cloned().unwrap_or(Value::Null);
                self.found(acct, &own, true)
            }
        };
        self.asked += 1;
        Ok(records)
    }

    fn is_needed(&self, _task: &Task) -> bool {
        false
    }

    fn give_up(&mut self, task: &Task) -> Vec<Record> {
        match task {
            Task::Export(kind) => {
                let group = self.group(*kind);
                group.closed = true;
                group.there = Some(vec![false; group.rows.rows.len()]);
                vec![Record::new(format!("{THERE}{}", kind.id()), "closed")]
            }
            Task::Account => {
                self.account = Some((None, None));
                vec![self.server_record()]
            }
            Task::Blocked => {
                self.blocked = Some(Vec::new());
                vec![self.server_record()]
            }
            Task::Find(acct) => self.found(acct, &Value::Null, false),
            Task::Relations(accts) => self.related(accts, &Value::Null),
            // A server that breaks over it has not found them.
            Task::Resolve(acct) => self.found(acct, &Value::Null, true),
        }
    }

    fn left(&self) -> Left {
        let exports = self.groups.iter().filter(|group| group.there.is_none()).count() as u64;
        let missing = self.missing().filter(|acct| self.looks.get(acct).is_none()).count() as u64;
        Left { calls: exports + missing + missing.div_ceil(RELATIONSHIPS_AT_ONCE as u64), pages: 0, files: 0 }
    }

    fn asked(&self) -> u64 {
        self.asked
    }
}

fn write_rows(rows: &Rows) -> String {
    let lines: Vec<String> = rows
        .rows
        .iter()
        .map(|row| {
            let mut object = Object::new();
            object.text("key", &row.key).text("name", &row.name);
            if !row.list.is_empty() {
                object.text("list", &row.list);
            }
            if row.before {
                object.flag("before", true);
            }
            if let Some(why) = &row.left_out {
                object.text("out", why);
            }
            if let Some(moved) = &row.moved {
                object.text("moved", &moved.acct());
            }
            object.end()
        })
        .collect();
    Object::new().text("ran", rows.ran.id()).json("rows", &list(&lines)).end()
}

fn read_rows(kind: Kind, kept: &str) -> Option<Rows> {
    let value = plain::json(kept)?;
    let row = |item: &Value| {
        let words = |key| text(item, key).map(str::to_owned);
        Some(Wanted {
            key: words("key")?,
            name: words("name")?,
            list: words("list").unwrap_or_default(),
            before: flag(item, "before"),
            left_out: words("out"),
            moved: text(item, "moved").and_then(|acct| acct.parse().ok()),
        })
    };
    Some(Rows {
        kind,
        ran: Ran::of_id(text(&value, "ran").unwrap_or_default()),
        rows: plain::array(&value, "rows").iter().filter_map(row).collect(),
    })
}

fn write_look(look: &Look) -> String {
    let mut object = Object::new();
    object.maybe("id", look.id.as_deref());
    if let Some(moved) = &look.moved {
        object.text("moved", &moved.acct());
    }
    for (key, is) in [
        ("suspended", look.suspended),
        ("related", look.related),
        ("following", look.following),
        ("requested", look.requested),
        ("blocked_by", look.blocked_by),
        ("blocking", look.blocking),
        ("sought", look.sought),
    ] {
        if is {
            object.flag(key, true);
        }
    }
    object.end()
}

fn read_look(value: &Value) -> Look {
    Look {
        id: text(value, "id").map(str::to_owned),
        moved: text(value, "moved").and_then(|acct| acct.parse().ok()),
        suspended: flag(value, "suspended"),
        related: flag(value, "related"),
        following: flag(value, "following"),
        requested: flag(value, "requested"),
        blocked_by: flag(value, "blocked_by"),
        blocking: flag(value, "blocking"),
        sought: flag(value, "sought"),
    }
}
