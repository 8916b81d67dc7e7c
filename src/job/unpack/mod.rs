//! Unpacks onto the new account: files into Mastodon's own import form, and through the API what no file holds.
//!
//! A job in steps of one request, whose state is in records. Nothing here may be done twice by accident: before a file is
//! uploaded, the imports that are there are noted, so that an upload whose answer was lost is found again; before a list or
//! a filter is made, those that are there are read. Which rows arrived is not this job's word but
//! [`verify`](super::verify)'s.

pub mod act;
pub mod piece;

use serde_json::Value;

use super::collect::Owner;
use super::pack::kept::{self, ListSettings};
use super::{Left, Work};
use crate::list::{self, Have, Kind, Standing};
use crate::message::record::{ABOUT, Record};
use crate::plain::{self, Object, count, flag, text};
use crate::server::entity;
use crate::server::markup::Parser;
use crate::server::page::imports::{self, ImportsPage};
use crate::server::reply::{self, Answer, Refusal, Reply};
use crate::server::request::{self, Request};
use crate::server::version::Version;
use crate::small::Table;
use crate::when::{MINUTE, SECOND, Time};
use act::{Act, Stand};
use piece::{Failures, Piece, Run, Stage};

/// A file: `u/NUMBER`, its text `t/NUMBER`, the rows that failed `e/NUMBER`.
const PIECE: &str = "u/";
const TEXT: &str = "t/";
pub const FAILED: &str = "e/";
/// An act: `x/NUMBER`.
const ACT: &str = "x/";
/// Who somebody is on the new server: `i/ACCT`; empty for whom it does not know yet.
const ID: &str = "i/";

/// A file whose confirmation came too late is uploaded again so often.
const TRIES: u32 = 3;
/// Whether an import that does not grow is finished is asked so often.
const PROBE_EVERY: i64 = 3 * MINUTE;

/// What the next request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// The page with the form and the last imports.
    Look,
    Upload(usize),
    Confirm(usize),
    Failures(usize),
    /// Whether an import that stands still is finished: its failures can be fetched then, and only then.
    Probe(usize),
    /// Up to 4.1, how much of a file has arrived.
    Watch(usize),
    Lists,
    Filters(String),
    /// Whom the new server knows by this handle.
    Find(String),
    /// The same, and it asks that person's server.
    Resolve(String),
    Act(usize),
}

#[derive(Clone, Debug)]
struct Step {
    piece: Piece,
    stage: Stage,
    tries: u32,
    /// What is known of it was looked at since the last answer that was lost.
    sure: bool,
    probed: Time,
}

/// How the person wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Blocking a server ends follows there; blocking it first has them refused.
    pub domains_first: bool,
}

/// The job.
#[derive(Clone, Debug)]
pub struct Unpack {
    owner: Owner,
    choice: Choice,
    begun: Time,
    done: Option<Time>,
    asked: u64,
    steps: Vec<Step>,
    acts: Vec<(Act, Stand)>,
    ids: Table<String>,
    unresolved: Table<()>,
    lists: Option<Vec<ListSettings>>,
    filters: Option<Vec<String>>,
    /// When the imports are looked at next.
    look: Time,
    now: Time,
}

impl Unpack {
    pub fn begin(
        owner: Owner,
        pieces: Vec<Piece>,
        acts: Vec<Act>,
        choice: Choice,
        now: Time,
    ) -> (Unpack, Vec<Record>) {
        let mut job = Unpack {
            owner,
            choice,
            begun: now,
            done: None,
            asked: 0,
            steps: Vec::new(),
            acts: Vec::new(),
            ids: Table::default(),
            unresolved: Table::default(),
            lists: None,
            filters: None,
            look: now,
            now,
        };
        let records = job.add(pieces, acts, now);
        (job, records)
    }

    /// More of it: a retry of what failed, perhaps.
    pub fn add(&mut self, pieces: Vec<Piece>, acts: Vec<Act>, now: Time) -> Vec<Record> {
        self.now = now;
        self.done = None;
        let mut records = vec![self.about()];
        for piece in pieces {
            let at = self.steps.len();
            records.push(Record::new(text_key(at), piece.text.as_str()));
            let stage = Stage::Ready { seen: None };
            self.steps.push(Step { piece, stage, tries: 0, sure: false, probed: now });
            records.push(self.step_record(at));
        }
        for act in acts {
            self.acts.push((act, Stand::Open));
            records.push(self.act_record(self.acts.len() - 1));
        }
        records
    }

    /// Another order than before, for what is not sent yet.
    pub fn choose(&mut self, choice: Choice) {
        self.choice = choice;
    }

    pub fn from_about(about: &str) -> Option<Unpack> {
        let value = plain::json(about)?;
        let begun = Time(value.get("begun")?.as_i64()?);
        Some(Unpack {
            owner: Owner::read(value.get("owner")?)?,
            choice: Choice { domains_first: flag(&value, "domains_first") },
            begun,
            done: value.get("done").and_then(Value::as_i64).map(Time),
            asked: count(&value, "asked").unwrap_or(0),
            steps: Vec::new(),
            acts: Vec::new(),
            ids: Table::default(),
            unresolved: Table::default(),
            lists: None,
            filters: None,
            look: begun,
            now: begun,
        })
    }

    /// Records in the order of their keys; those of texts stand before those of the pieces.
    pub fn restore(&mut self, key: &str, text: &str) {
        let number = |rest: &str| rest.parse::<usize>().ok().filter(|at| *at < 100_000);
        if let Some(at) = key.strip_prefix(PIECE).and_then(number) {
            let Some((piece, stage, tries)) = plain::json(text).as_ref().and_then(Piece::read) else {
                return;
            };
            let body = self.steps.get(at).map(|step| step.piece.text.clone()).unwrap_or_default();
            self.room(at);
            let piece = Piece { text: body, ..piece };
            self.steps[at] = Step { piece, stage, tries, sure: false, probed: self.begun };
        } else if let Some(at) = key.strip_prefix(TEXT).and_then(number) {
            self.room(at);
            self.steps[at].piece.text = text.to_owned();
        } else if key.starts_with(ACT) {
            if let Some(act) = plain::json(text).as_ref().and_then(Act::read) {
                self.acts.push(act);
            }
        } else if let Some(acct) = key.strip_prefix(ID) {
            match text {
                "" => self.unresolved.put(acct, ()),
                id => self.ids.put(acct, id.to_owned()),
            }
        }
    }

    fn room(&mut self, at: usize) {
        while self.steps.len() <= at {
            let piece = Piece {
                kind: Kind::Follows,
                name: String::new(),
                text: String::new(),
                rows: 0,
                overwrite: false,
            };
            let stage = Stage::Refused(String::new());
            self.steps.push(Step { piece, stage, tries: 0, sure: false, probed: self.begun });
        }
    }

    fn about(&self) -> Record {
        let about = Object::new()
            .json("owner", &self.owner.write())
            .flag("domains_first", self.choice.domains_first)
            .time("begun", Some(self.begun))
            .time("done", self.done)
            .number("asked", self.asked)
            .end();
        Record::new(ABOUT, about)
    }

    fn step_record(&self, at: usize) -> Record {
        let step = &self.steps[at];
        Record::new(format!("{PIECE}{at:05}"), step.piece.write(&step.stage, step.tries))
    }

    fn act_record(&self, at: usize) -> Record {
        let (act, stand) = &self.acts[at];
        Record::new(format!("{ACT}{at:05}"), act.write(stand))
    }

    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    pub fn begun(&self) -> Time {
        self.begun
    }

    pub fn finished(&self) -> Option<Time> {
        self.done
    }

    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }

    pub fn pieces(&self) -> impl Iterator<Item = (&Piece, &Stage)> {
        self.steps.iter().map(|step| (&step.piece, &step.stage))
    }

    pub fn acts(&self) -> &[(Act, Stand)] {
        &self.acts
    }

    pub fn finish(&mut self, now: Time) -> Vec<Record> {
        self.done = Some(now);
        vec![self.about()]
    }

    /// Looks once more after what stood still.
    pub fn look_again(&mut self, now: Time) -> Vec<Record> {
        self.now = now;
        self.look = now;
        self.done = None;
        let mut records = vec![self.about()];
        for at in 0..self.steps.len() {
            if let Stage::Running(run) = &mut self.steps[at].stage
                && run.is_stuck(now)
            {
                run.changed = now;
                records.push(self.step_record(at));
            }
        }
        records
    }

    /// Whose account it is, as its server says now. Between two steps it may have become another version: what is not sent
    /// yet goes the way that this one has.
    pub fn owned_by(&mut self, owner: Owner, now: Time) -> Vec<Record> {
        if owner.id != self.owner.id || owner == self.owner {
            return Vec::new();
        }
        let before = self.two_steps();
        self.owner = owner;
        let mut records = vec![self.about()];
        self.now = now;
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            if matches!(step.stage, Stage::Ready { .. }) && !self.takes(step.piece.kind) {
                self.steps[at].stage = Stage::Refused(String::new());
                records.push(self.step_record(at));
            }
        }
        if self.two_steps() == before {
            return records;
        }
        self.look = now;
        for at in 0..self.steps.len() {
            let step = &mut self.steps[at];
            step.sure = false;
            match &step.stage {
                // Numbers of the other kind of imports.
                Stage::Ready { .. } => step.stage = Stage::Ready { seen: None },
                // Nobody can confirm it any more.
                Stage::Uploaded { .. } => step.stage = Stage::Ready { seen: None },
                // No page lists it any more: what arrives tells.
                Stage::Running(run) => {
                    let run = Run { id: None, begun: String::new(), ..run.clone() };
                    step.stage = Stage::Running(run);
                }
                Stage::Finished { .. } | Stage::Refused(_) => continue,
            }
            records.push(self.step_record(at));
        }
        records
    }

    fn version(&self) -> Option<Version> {
        self.owner.version.as_deref().and_then(Version::parse)
    }

    /// Whether the server has an import for this (facts 6).
    fn takes(&self, kind: Kind) -> bool {
        let since =
            |major, minor| self.version().is_none_or(|version: Version| version.at_least(major, minor));
        match kind {
            Kind::Filters => since(4, 6),
            Kind::Lists => since(4, 2),
            _ => true,
        }
    }

    /// Imports in two steps, of which the page tells how they stand (facts 6).
    pub fn two_steps(&self) -> bool {
        self.version().as_ref().is_none_or(Version::imports_in_two_steps)
    }

    // --- what may be done when ---

    fn settled(&self, kind: Kind) -> bool {
        self.steps.iter().filter(|step| step.piece.kind == kind).all(|step| step.stage.is_settled(self.now))
    }

    /// Its turn has come.
    fn may_start(&self, at: usize) -> bool {
        let piece = &self.steps[at].piece;
        // A second file of a kind must not be there before the first has taken away what is not in it.
        let one_before = |step: &Step| {
            step.piece.kind == piece.kind && step.piece.overwrite && !step.stage.is_settled(self.now)
        };
        let turn = match piece.kind {
            // Only who is followed can be in a list; and a row of the list would follow them without their settings.
            Kind::Lists => self.settled(Kind::Follows) && !self.open(|act| matches!(act, Act::List { .. })),
            Kind::Follows if self.choice.domains_first => self.settled(Kind::DomainBlocks),
            Kind::DomainBlocks if !self.choice.domains_first => self.settled(Kind::Follows),
            _ => true,
        };
        turn && !self.steps[..at].iter().any(one_before)
    }

    fn open(&self, is: impl Fn(&Act) -> bool) -> bool {
        self.acts.iter().any(|(act, stand)| *stand == Stand::Open && is(act))
    }

    fn act_may_start(&self, act: &Act) -> bool {
        match act {
            Act::Endorse { .. } => self.settled(Kind::Follows),
            Act::Member { .. } => {
                self.settled(Kind::Follows) && !self.open(|act| matches!(act, Act::List { .. }))
            }
            Act::Mute { .. } => self.settled(Kind::Mutes),
            _ => true,
        }
    }

    fn act_task(&self, at: usize) -> Task {
        let (act, _) = &self.acts[at];
        if act.is_over(self.now) {
            return Task::Act(at);
        }
        match act {
            Act::List { .. } | Act::Member { .. } if self.lists.is_none() => Task::Lists,
            Act::Filter { api, .. } if self.filters.is_none() => Task::Filters(api.clone()),
            _ => match act.acct() {
                Some(acct) if self.ids.get(acct).is_none() => {
                    if self.unresolved.get(acct).is_some() {
                        Task::Resolve(acct.to_owned())
                    } else {
                        Task::Find(acct.to_owned())
                    }
                }
                _ => Task::Act(at),
            },
        }
    }

    // --- answers ---

    fn looked(&mut self, reply: &Reply, parser: &dyn Parser, now: Time) -> Result<Vec<Record>, Refusal> {
        let asked = self.request(&Task::Look);
        let answer = reply::very_page(reply, &asked)?;
        let page = imports::read(parser.parse(&answer.body).as_ref());
        Ok(self.saw(&page, now))
    }

    /// What the page with the last imports says of ours.
    fn saw(&mut self, page: &ImportsPage, now: Time) -> Vec<Record> {
        let mut records = Vec::new();
        let mut ours: Vec<String> = self.steps.iter().filter_map(|step| id_of(&step.stage)).collect();
        let there: Vec<String> = page.rows.iter().filter_map(|row| row.id.clone()).collect();
        let mut changed = false;
        for at in 0..self.steps.len() {
            let step = &mut self.steps[at];
            let before = step.stage.clone();
            match &mut step.stage {
                Stage::Ready { seen } => {
                    // Is there one that was not there, as large as ours? Then the upload had arrived.
                    let new = |row: &&imports::Row| {
                        row.unconfirmed
                            && row.total == step.piece.rows
                            && row.id.as_ref().is_some_and(|id| {
                                seen.as_ref().is_some_and(|seen| !seen.contains(id)) && !ours.contains(id)
                            })
                    };
                    let found = page.rows.iter().find(new).and_then(|row| row.id.clone());
                    match found {
                        Some(id) => {
                            ours.push(id.clone());
                            step.stage = Stage::Uploaded { id };
                        }
                        None => *seen = Some(there.clone()),
                    }
                }
                Stage::Uploaded { id } => match page.rows.iter().find(|row| row.id.as_ref() == Some(id)) {
                    Some(row) if row.unconfirmed => {}
                    Some(row) => step.stage = running(row, Some(id.clone()), now),
                    // Its ten minutes are over.
                    None if !step.sure => {
                        step.tries += 1;
                        step.stage = if step.tries >= TRIES {
                            Stage::Refused(String::new())
                        } else {
                            Stage::Ready { seen: Some(there.clone()) }
                        };
                    }
                    None => {}
                },
                Stage::Running(run) => {
                    let is = |row: &&imports::Row| match (&row.id, &run.id) {
                        (Some(row), Some(own)) => row == own,
                        // 4.2 tells no number of one under way.
                        (None, _) => {
                            !run.begun.is_empty() && row.begun == run.begun && row.total == step.piece.rows
                        }
                        _ => false,
                    };
                    if let Some(row) = page.rows.iter().find(is) {
                        if row.imported != run.imported {
                            run.imported = row.imported;
                            run.changed = now;
                            changed = true;
                        }
                        if row.is_finished() {
                            let failures = match row.failures {
                                Some(number) => Failures::Some(number),
                                None => Failures::None,
                            };
                            let id = row.id.clone().or_else(|| run.id.clone());
                            step.stage = Stage::Finished { imported: row.imported, failures, id };
                        }
                    }
                }
                Stage::Finished { .. } | Stage::Refused(_) => {}
            }
            step.sure = true;
            if step.stage != before {
                changed = true;
                records.push(self.step_record(at));
            }
        }
        self.plan_look(changed, now);
        records
    }

    /// Often while something happens, and ever less so while nothing does.
    fn plan_look(&mut self, changed: bool, now: Time) {
        let still = self.steps.iter().filter_map(|step| match &step.stage {
            Stage::Running(run) => Some(now.since(run.changed)),
            _ => None,
        });
        let still = still.min().unwrap_or(0);
        let wait = match still {
            _ if changed => 3 * SECOND,
            0..60_000 => 5 * SECOND,
            60_000..300_000 => 15 * SECOND,
            _ => 30 * SECOND,
        };
        self.look = now.plus(wait);
    }

    fn uploaded(
        &mut self,
        at: usize,
        reply: &Reply,
        parser: &dyn Parser,
        now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        // Whatever comes, it may have been taken: look before sending it again.
        self.steps[at].sure = false;
        let answer = reply::page(reply)?;
        let document = parser.parse(&answer.body);
        let path = answer.plain_path();
        if let Some(id) = imports::id_in(path) {
            let step = &mut self.steps[at];
            step.sure = true;
            step.stage = Stage::Uploaded { id };
            return Ok(vec![self.step_record(at)]);
        }
        let form = self.request(&Task::Look).path;
        if path != form {
            return Err(Refusal::Forbidden);
        }
        let page = imports::read(document.as_ref());
        let step = &mut self.steps[at];
        step.sure = true;
        if let Some(words) = page.refused {
            step.stage = Stage::Refused(words);
        } else if !page.two_steps && page.notice {
            let run = Run { id: None, begun: String::new(), imported: 0, changed: now };
            step.stage = Stage::Running(run);
            self.look = now.plus(3 * SECOND);
        } else {
            return Err(Refusal::Nonsense);
        }
        Ok(vec![self.step_record(at)])
    }

    fn confirmed(
        &mut self,
        at: usize,
        reply: &Reply,
        parser: &dyn Parser,
        now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        self.steps[at].sure = false;
        if matches!(reply, Ok(answer) if answer.status == 404) {
            // Confirmed already, or too late: the page tells which.
            return Ok(Vec::new());
        }
        let answer = reply::page(reply)?;
        if answer.plain_path() != "/settings/imports" {
            return Err(Refusal::Forbidden);
        }
        let page = imports::read(parser.parse(&answer.body).as_ref());
        Ok(self.saw(&page, now))
    }

    fn failures(&mut self, at: usize, reply: &Reply, probe: bool, now: Time) -> Result<Vec<Record>, Refusal> {
        let status = reply.as_ref().map_or(0, |answer| answer.status);
        let step = &mut self.steps[at];
        if status == 404 {
            step.probed = now;
            if probe {
                return Ok(Vec::new());
            }
            // Imports are forgotten after a week (facts 6.1).
            if let Stage::Finished { failures, .. } = &mut step.stage {
                *failures = Failures::Untold;
            }
            return Ok(vec![self.step_record(at)]);
        }
        let asked = self.request(&Task::Failures(at));
        let answer = reply::file(reply, &asked)?;
        let step = &mut self.steps[at];
        let rows = Have::of_text(&answer.body, step.piece.kind, None).map_or(0, |have| have.len() as u64);
        let (imported, id) = match &step.stage {
            Stage::Running(run) => (run.imported, run.id.clone()),
            Stage::Finished { imported, id, .. } => (*imported, id.clone()),
            _ => return Ok(Vec::new()),
        };
        step.stage = Stage::Finished { imported, failures: Failures::Fetched(rows), id };
        Ok(vec![Record::new(format!("{FAILED}{at:05}"), answer.body.as_str()), self.step_record(at)])
    }

    /// Up to 4.1: what of the file is in the account's own export now.
    fn watched(&mut self, at: usize, reply: &Reply, now: Time) -> Result<Vec<Record>, Refusal> {
        let answer = reply::file(reply, &self.request(&Task::Watch(at)))?;
        let step = &mut self.steps[at];
        let kind = step.piece.kind;
        let home = Some(&self.owner.domain);
        let have = Have::of_text(&answer.body, kind, home).ok_or(Refusal::Nonsense)?;
        let want = Have::of_text(&step.piece.text, kind, home).ok_or(Refusal::Nonsense)?;
        let standing = list::compare(want.rows(), &have);
        let there = standing.iter().filter(|one| **one != Standing::Missing).count() as u64;
        let mut changed = false;
        step.probed = now;
        if let Stage::Running(run) = &mut step.stage {
            changed = run.imported != there;
            if changed {
                run.imported = there;
                run.changed = now;
            }
            if there >= step.piece.rows || run.is_stuck(now) {
                let failures = if there >= step.piece.rows { Failures::None } else { Failures::Untold };
                step.stage = Stage::Finished { imported: there, failures, id: None };
            }
        }
        self.plan_look(changed, now);
        Ok(vec![self.step_record(at)])
    }

    fn found(&mut self, acct: &str, reply: &Reply, resolved: bool) -> Result<Vec<Record>, Refusal> {
        let status = reply.as_ref().map_or(0, |answer| answer.status);
        let value = if status == 404 { Value::Null } else { json(reply)? };
        let id = if resolved {
            resolved_id(&value, acct, &self.owner)
        } else {
            value.get("id").and_then(entity::id)
        };
        match id {
            Some(id) => {
                self.ids.put(acct, id.clone());
                Ok(vec![Record::new(format!("{ID}{acct}"), id)])
            }
            None if resolved => {
                let mut records = Vec::new();
                for at in 0..self.acts.len() {
                    let (act, stand) = &mut self.acts[at];
                    if act.acct() == Some(acct) && *stand == Stand::Open {
                        *stand = Stand::NotFound;
                        records.push(self.act_record(at));
                    }
                }
                Ok(records)
            }
            None => {
                self.unresolved.put(acct, ());
                Ok(vec![Record::new(format!("{ID}{acct}"), "")])
            }
        }
    }

    fn acted(&mut self, at: usize, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        let stand = match reply {
            Ok(answer) if matches!(answer.status, 400 | 403 | 404 | 409 | 422) => {
                Stand::Refused(words(answer))
            }
            _ => match json(reply) {
                Ok(_) => Stand::Done,
                Err(refusal) => {
                    // It may have been done: those that would be doubled are looked for first.
                    self.lists = None;
                    self.filters = None;
                    return Err(refusal);
                }
            },
        };
        self.acts[at].1 = stand;
        // The lists that were made have numbers that nobody has read yet.
        if matches!(self.acts[at].0, Act::List { .. }) && !self.open(|act| matches!(act, Act::List { .. })) {
            self.lists = None;
        }
        Ok(vec![self.act_record(at)])
    }

    /// Acts that are done, because what they make is there.
    fn already(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for at in 0..self.acts.len() {
            let (act, stand) = &self.acts[at];
            if *stand != Stand::Open {
                continue;
            }
            let there = match act {
                Act::List { title, replies, exclusive } => {
                    self.list(title).and_then(|list| match () {
                        () if list.replies == *replies
                            && list.exclusive.unwrap_or(false) == exclusive.unwrap_or(false) =>
                        {
                            Some(Stand::Done)
                        }
                        // Somebody has set it otherwise, on purpose.
                        () if list.replies != "list" || list.exclusive == Some(true) => Some(Stand::There),
                        () => None,
                    })
                }
                Act::Filter { title, .. } => {
                    let there = self.filters.as_ref().is_some_and(|filters| filters.contains(title));
                    there.then_some(Stand::There)
                }
                _ => None,
            };
            if let Some(stand) = there {
                self.acts[at].1 = stand;
                records.push(self.act_record(at));
            }
        }
        records
    }

    fn list(&self, title: &str) -> Option<&ListSettings> {
        self.lists.as_ref()?.iter().find(|list| list.title == title)
    }
}

fn text_key(at: usize) -> String {
    format!("{TEXT}{at:05}")
}

fn id_of(stage: &Stage) -> Option<String> {
    match stage {
        Stage::Uploaded { id } => Some(id.clone()),
        Stage::Running(run) => run.id.clone(),
        Stage::Finished { id, .. } => id.clone(),
        _ => None,
    }
}

fn running(row: &imports::Row, id: Option<String>, now: Time) -> Stage {
    if row.is_finished() {
        let failures = row.failures.map_or(Failures::None, Failures::Some);
        return Stage::Finished { imported: row.imported, failures, id };
    }
    Stage::Running(Run { id, begun: row.begun.clone(), imported: row.imported, changed: now })
}

fn json(reply: &Reply) -> Result<Value, Refusal> {
    plain::json(&reply::data(reply)?.body).ok_or(Refusal::Nonsense)
}

/// The server's own words for why not.
fn words(answer: &Answer) -> String {
    let value = plain::json(&answer.body);
    let said = value.as_ref().and_then(|value| text(value, "error"));
    said.map_or_else(|| answer.status.to_string(), |said| said.chars().take(300).collect())
}

/// Of what a search brings, only the very one that was looked for.
fn resolved_id(value: &Value, acct: &str, owner: &Owner) -> Option<String> {
    let wanted = acct.parse().ok()?;
    plain::array(value, "accounts")
        .iter()
        .filter_map(|item| entity::Account::read(item, &owner.domain))
        .find(|account| account.handle.is_same(&wanted))
        .map(|account| account.id)
}

impl Work for Unpack {
    type Task = Task;

    fn task(&self, _pages: bool) -> Option<Task> {
        let ready = |step: &Step, at: usize| matches!(step.stage, Stage::Ready { .. }) && self.may_start(at);
        for (at, step) in self.steps.iter().enumerate() {
            match &step.stage {
                Stage::Ready { .. } if ready(step, at) && step.sure => return Some(Task::Upload(at)),
                Stage::Ready { .. } if ready(step, at) => return Some(Task::Look),
                Stage::Uploaded { .. } if step.sure => return Some(Task::Confirm(at)),
                Stage::Uploaded { .. } => return Some(Task::Look),
                Stage::Finished { failures: Failures::Some(_), id: Some(_), .. } => {
                    return Some(Task::Failures(at));
                }
                _ => {}
            }
        }
        let open = |(act, stand): &(Act, Stand)| *stand == Stand::Open && self.act_may_start(act);
        if let Some(at) = self.acts.iter().position(open) {
            return Some(self.act_task(at));
        }
        if !self.two_steps() {
            // One after another, the one first that was not looked at for longest.
            let under_way = |(_, step): &(usize, &Step)| matches!(step.stage, Stage::Running(_));
            let next = self.steps.iter().enumerate().filter(under_way).min_by_key(|(_, step)| step.probed.0);
            return next.map(|(at, _)| Task::Watch(at));
        }
        let mut running = None;
        for (at, step) in self.steps.iter().enumerate() {
            let Stage::Running(run) = &step.stage else { continue };
            // Begun while the server was one of those that list no imports.
            if run.id.is_none() && run.begun.is_empty() {
                if running.is_none() || self.now.since(step.probed) >= MINUTE {
                    running = Some(Task::Watch(at));
                }
                continue;
            }
            let still = self.now.since(run.changed) >= PROBE_EVERY;
            if still && run.id.is_some() && self.now.since(step.probed) >= PROBE_EVERY {
                return Some(Task::Probe(at));
            }
            if !run.is_stuck(self.now) && !matches!(running, Some(Task::Watch(_))) {
                running = Some(Task::Look);
            }
        }
        running
    }

    fn request(&self, task: &Task) -> Request {
        let id = |at: usize| id_of(&self.steps[at].stage).unwrap_or_default();
        match task {
            Task::Look if self.two_steps() => request::imports_page(),
            Task::Look => request::old_imports_page(),
            Task::Upload(at) => {
                let piece = &self.steps[*at].piece;
                let kind = if piece.kind == Kind::Filters { "application/json" } else { "text/csv" };
                let file = (piece.name.as_str(), kind, piece.text.clone());
                request::upload(self.two_steps(), piece.kind.import(), piece.overwrite, file)
            }
            Task::Confirm(at) => request::confirm_import(&id(*at)),
            Task::Failures(at) | Task::Probe(at) => {
                request::import_failures(&id(*at), self.steps[*at].piece.kind == Kind::Filters)
            }
            Task::Watch(at) => request::export_file(self.steps[*at].piece.kind.export()),
            Task::Lists => request::lists(),
            Task::Filters(api) => request::filters(api),
            Task::Find(acct) => request::lookup_acct(&self.known_as(acct)),
            Task::Resolve(acct) => request::resolve(acct),
            Task::Act(at) => {
                let (act, _) = &self.acts[*at];
                let id = act.acct().and_then(|acct| self.ids.get(acct).cloned());
                let list = match act {
                    Act::List { title, .. } | Act::Member { title, .. } => self.list(title),
                    _ => None,
                };
                let list = list.map(|list| list.id.as_str());
                let recent = self.version().as_ref().is_none_or(Version::endorses);
                act.request(&id.unwrap_or_default(), list, recent, self.now)
            }
        }
    }

    fn rest(&self, task: &Task) -> Option<Time> {
        let waits = match task {
            // What is looked at is only how it goes on.
            Task::Look => !self.steps.iter().enumerate().any(|(at, step)| {
                !step.sure
                    && match step.stage {
                        Stage::Ready { .. } => self.may_start(at),
                        Stage::Uploaded { .. } => true,
                        _ => false,
                    }
            }),
            Task::Watch(_) => true,
            _ => false,
        };
        waits.then_some(self.look)
    }

    fn answer(
        &mut self,
        task: &Task,
        reply: &Reply,
        parser: &dyn Parser,
        now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        self.now = now;
        let records = match task {
            Task::Look => self.looked(reply, parser, now),
            Task::Upload(at) => self.uploaded(*at, reply, parser, now),
            Task::Confirm(at) => self.confirmed(*at, reply, parser, now),
            Task::Failures(at) => self.failures(*at, reply, false, now),
            Task::Probe(at) => self.failures(*at, reply, true, now),
            Task::Watch(at) => self.watched(*at, reply, now),
            Task::Lists => json(reply).map(|_| {
                let body = reply.as_ref().map_or("", |answer| &answer.body);
                self.lists = Some(kept::list_settings(body));
                self.already()
            }),
            Task::Filters(_) => json(reply).map(|_| {
                let body = reply.as_ref().map_or("", |answer| &answer.body);
                let filters = list::filters::read(body).unwrap_or_default();
                self.filters = Some(filters.into_iter().map(|filter| filter.title).collect());
                self.already()
            }),
            Task::Find(acct) => self.found(acct, reply, false),
            Task::Resolve(acct) => self.found(acct, reply, true),
            Task::Act(at) if self.acts[*at].0.is_over(now) => {
                self.acts[*at].1 = Stand::Over;
                Ok(vec![self.act_record(*at)])
            }
            Task::Act(at) => self.acted(*at, reply),
        }?;
        self.asked += 1;
        Ok(records)
    }

    fn settle(&mut self) {
        // What has run out needs no request.
        for at in 0..self.acts.len() {
            if self.acts[at].1 == Stand::Open && self.acts[at].0.is_over(self.now) {
                self.acts[at].1 = Stand::Over;
            }
        }
    }

    fn is_needed(&self, task: &Task) -> bool {
        matches!(task, Task::Look)
    }

    fn give_up(&mut self, task: &Task) -> Vec<Record> {
        match task {
            Task::Upload(at) | Task::Confirm(at) => {
                self.steps[*at].stage = Stage::Refused(String::new());
                vec![self.step_record(*at)]
            }
            Task::Failures(at) => {
                if let Stage::Finished { failures, .. } = &mut self.steps[*at].stage {
                    *failures = Failures::Untold;
                }
                vec![self.step_record(*at)]
            }
            Task::Probe(at) => {
                self.steps[*at].probed = self.now;
                Vec::new()
            }
            Task::Watch(at) => {
                if let Stage::Running(run) = &self.steps[*at].stage {
                    let imported = run.imported;
                    self.steps[*at].stage =
                        Stage::Finished { imported, failures: Failures::Untold, id: None };
                }
                vec![self.step_record(*at)]
            }
            Task::Find(acct) | Task::Resolve(acct) => {
                let mut records = Vec::new();
                for at in 0..self.acts.len() {
                    if self.acts[at].0.acct() == Some(acct.as_str()) && self.acts[at].1 == Stand::Open {
                        self.acts[at].1 = Stand::Refused(String::new());
                        records.push(self.act_record(at));
                    }
                }
                records
            }
            Task::Lists => self.refuse(|act| matches!(act, Act::List { .. })),
            Task::Filters(_) => self.refuse(|act| matches!(act, Act::Filter { .. })),
            Task::Act(at) => {
                self.acts[*at].1 = Stand::Refused(String::new());
                vec![self.act_record(*at)]
            }
            Task::Look => Vec::new(),
        }
    }

    fn left(&self) -> Left {
        let files = self.steps.iter().filter(|step| !step.stage.is_settled(self.now)).count() as u64;
        let acts = self.acts.iter().filter(|(_, stand)| *stand == Stand::Open);
        let calls: u64 = acts.map(|(act, _)| if act.acct().is_some() { 2 } else { 1 }).sum();
        Left { calls: calls + 3 * files, pages: 0, files: 0 }
    }

    fn asked(&self) -> u64 {
        self.asked
    }
}

impl Unpack {
    fn refuse(&mut self, is: impl Fn(&Act) -> bool) -> Vec<Record> {
        let mut records = Vec::new();
        for at in 0..self.acts.len() {
            if self.acts[at].1 == Stand::Open && is(&self.acts[at].0) {
                self.acts[at].1 = Stand::Refused(String::new());
                records.push(self.act_record(at));
            }
        }
        records
    }

    /// A handle as the new server knows it: its own people have no domain there.
    fn known_as(&self, acct: &str) -> String {
        match acct.split_once('@') {
            Some((user, domain)) if domain == self.owner.domain.as_str() => user.to_owned(),
            _ => acct.to_owned(),
        }
    }
}
