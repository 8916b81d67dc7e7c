//! Packs what an account has besides its messages: the server's own files, unchanged, and what it exports to nobody.
//!
//! A job in steps of one request, like [`collect`](super::collect): every answer gives the records that it changed, and
//! from the records of any moment the job goes on. Pages are kept as they come, so two hundred thousand followers need no
//! more memory than one page of them and the ids whose notes are still to be asked for.
//!
//! The same job reads the new account, before anything is unpacked and after it ([`Part::arrived`]).

pub mod kept;
pub mod part;

use serde_json::Value;

use super::collect::Owner;
use super::{Left, Work};
use crate::list::Have;
use crate::message::record::{ABOUT, File, Missing, Record};
use crate::plain::{self, Object, count, text};
use crate::server::markup::Parser;
use crate::server::page::export::{self, Counts};
use crate::server::reply::{self, Answer, Refusal, Reply};
use crate::server::request::{self, Request};
use crate::server::version::Version;
use crate::small::Table;
use crate::when::Time;
use kept::Person;
use part::{Part, Way};

/// How a part stands: `s/PART`.
const STATE: &str = "s/";
/// What its server sent: `b/PART`, or of lists in pages `b/PART/PASS/PAGE`.
pub const BODY: &str = "b/";
/// The notes on the people of a page: `n/PART/PASS/PAGE`.
pub const NOTES: &str = "n/";
const FILE: &str = "f/";

/// How far a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    Done,
    /// The server has no such thing.
    Absent,
    /// Closed to this account.
    Refused,
    /// It cannot be read, or has no end.
    Broken,
}

impl State {
    fn id(&self) -> &'static str {
        match self {
            State::Open => "open",
            State::Done => "done",
            State::Absent => "absent",
            State::Refused => "refused",
            State::Broken => "broken",
        }
    }

    fn of_id(id: &str) -> State {
        let all = [State::Done, State::Absent, State::Refused, State::Broken];
        all.into_iter().find(|state| state.id() == id).unwrap_or(State::Open)
    }
}

/// One part of the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub part: Part,
    pub state: State,
    /// When its server sent the last of it.
    pub at: Option<Time>,
    /// Rows, people, entries: what it counts.
    pub rows: u64,
    /// Pages of this reading.
    pages: u32,
    /// Where the next page begins.
    after: Option<String>,
    /// Which reading its pages are of; those of the one before are there until this one is complete.
    pass: u32,
    before: Option<(u32, u32)>,
}

impl Progress {
    fn new(part: Part) -> Progress {
        Progress { part, state: State::Open, at: None, rows: 0, pages: 0, after: None, pass: 0, before: None }
    }

    fn record(&self) -> Record {
        let mut object = Object::new();
        object
            .text("state", self.state.id())
            .time("at", self.at)
            .number("rows", self.rows)
            .number("pages", self.pages.into())
            .maybe("after", self.after.as_deref())
            .number("pass", self.pass.into());
        if let Some((pass, pages)) = self.before {
            object.number("before", pass.into()).number("before_pages", pages.into());
        }
        Record::new(format!("{STATE}{}", self.part.id()), object.end())
    }

    fn read(part: Part, value: &Value) -> Progress {
        let small = |key| count(value, key).and_then(|n| u32::try_from(n).ok());
        Progress {
            part,
            state: State::of_id(text(value, "state").unwrap_or_default()),
            at: value.get("at").and_then(Value::as_i64).map(Time),
            rows: count(value, "rows").unwrap_or(0),
            pages: small("pages").unwrap_or(0),
            after: text(value, "after").map(str::to_owned),
            pass: small("pass").unwrap_or(0),
            before: small("before").zip(small("before_pages")),
        }
    }

    /// Keys of the pages that are complete: of the last whole reading.
    pub fn page_keys(&self) -> Vec<String> {
        let (pass, pages) = match (&self.state, self.before) {
            (State::Done, _) | (_, None) => (self.pass, self.pages),
            (_, Some(before)) => before,
        };
        (0..pages).map(|page| page_key(BODY, self.part, pass, page)).collect()
    }
}

fn page_key(kind: &str, part: Part, pass: u32, page: u32) -> String {
    format!("{kind}{}/{pass:04}/{page:06}", part.id())
}

/// The key of what is one answer.
pub fn body_key(part: Part) -> String {
    format!("{BODY}{}", part.id())
}

/// The notes that belong to a page of people.
pub fn notes_key(page: &str) -> String {
    format!("{NOTES}{}", page.strip_prefix(BODY).unwrap_or(page))
}

/// What the next request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    Part(Part),
    /// The relationships with the people of a page, by the page's key.
    Notes(String),
}

/// People whose notes are still to be asked for.
#[derive(Clone, Debug)]
struct Noted {
    page: String,
    /// Id and handle of each.
    people: Vec<(String, String)>,
}

/// The job.
#[derive(Clone, Debug)]
pub struct Pack {
    owner: Owner,
    parts: Vec<Progress>,
    begun: Time,
    done: Option<Time>,
    asked: u64,
    notes: Vec<Noted>,
    /// The account's own pictures.
    pictures: Table<Option<File>>,
    counts: Counts,
}

/// Which parts: all, or what tells how far a new account is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Everything,
    Arrived,
}

impl Pack {
    pub fn begin(owner: Owner, scope: Scope, now: Time) -> (Pack, Vec<Record>) {
        let version = version_of(&owner);
        let parts = match scope {
            Scope::Everything => Part::everything(version, owner.rescue),
            Scope::Arrived => Part::arrived(version),
        };
        let mut job = Pack {
            owner,
            parts: parts.into_iter().map(Progress::new).collect(),
            begun: now,
            done: None,
            asked: 0,
            notes: Vec::new(),
            pictures: Table::default(),
            counts: Counts::default(),
        };
        job.settle_parts();
        let mut records = vec![job.about()];
        records.extend(job.parts.iter().map(Progress::record));
        (job, records)
    }

    /// Everything anew. What is kept stays until the new reading of each part is complete.
    pub fn again(&mut self, owner: Owner, now: Time) -> Vec<Record> {
        self.owner = owner;
        self.begun = now;
        self.done = None;
        self.notes.clear();
        let mut records = vec![self.about()];
        let known = self.parts.iter().map(|progress| progress.part).collect::<Vec<_>>();
        // A redirect that was set or cancelled, or a newer version, changes what is open.
        for part in Part::everything(version_of(&self.owner), self.owner.rescue) {
            if !known.contains(&part) && known.contains(&Part::Counts) {
                self.parts.push(Progress::new(part));
            }
        }
        let open = Part::all(version_of(&self.owner), self.owner.rescue);
        for progress in &mut self.parts {
            if !open.contains(&progress.part) {
                continue;
            }
            if progress.state == State::Done {
                progress.before = progress.part.is_paged().then_some((progress.pass, progress.pages));
                progress.pass += 1;
            }
            progress.pages = 0;
            progress.after = None;
            progress.state = State::Open;
            records.push(progress.record());
        }
        self.settle_parts();
        records
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

    /// The job whose `about` this is. All other records are to be given to [`Pack::restore`], and then [`Pack::ready`].
    pub fn from_about(about: &str) -> Option<Pack> {
        let value = plain::json(about)?;
        Some(Pack {
            owner: Owner::read(value.get("owner")?)?,
            parts: Vec::new(),
            begun: Time(value.get("begun")?.as_i64()?),
            done: value.get("done").and_then(Value::as_i64).map(Time),
            asked: count(&value, "asked").unwrap_or(0),
            notes: Vec::new(),
            pictures: Table::default(),
            counts: Counts::default(),
        })
    }

    pub fn restore(&mut self, key: &str, text: &str) {
        if let Some(part) = key.strip_prefix(STATE).and_then(Part::of_id) {
            if let Some(value) = plain::json(text) {
                self.parts.push(Progress::read(part, &value));
            }
        } else if let Some(rest) = key.strip_prefix(BODY) {
            let part = Part::of_id(rest.split('/').next().unwrap_or_default());
            if part == Some(Part::Counts) {
                self.counts = kept::counts(text);
            } else if part == Some(Part::Profile) {
                self.see_pictures(text);
            } else if part.is_some_and(Part::has_notes) {
                self.expect_notes(key, &kept::people(text));
            }
        } else if let Some(rest) = key.strip_prefix(NOTES) {
            let page = format!("{BODY}{rest}");
            self.notes.retain(|noted| noted.page != page);
        } else if let Some(url) = key.strip_prefix(FILE) {
            self.pictures.put(url, File::read(text));
        }
    }

    /// All records were given.
    pub fn ready(&mut self) {
        let order = Part::all((u16::MAX, 0), false);
        let at = |part: Part| order.iter().position(|one| *one == part).unwrap_or(order.len());
        self.parts = crate::small::ordered(std::mem::take(&mut self.parts), &|one, other| {
            at(one.part).cmp(&at(other.part))
        });
        // Pages of a reading that was replaced, and that could not be taken away any more.
        let current: Vec<(Part, u32)> = self.parts.iter().map(|one| (one.part, one.pass)).collect();
        self.notes.retain(|noted| {
            current
                .iter()
                .any(|(part, pass)| noted.page.starts_with(&format!("{BODY}{}/{pass:04}/", part.id())))
        });
        self.settle_parts();
    }

    /// Without relationships there are no notes: with a redirect set, they are closed.
    fn settle_parts(&mut self) {
        if self.owner.rescue {
            self.notes.clear();
        }
    }

    fn expect_notes(&mut self, page: &str, people: &[Person]) {
        if !self.owner.rescue && !people.is_empty() {
            let people = people.iter().map(|person| (person.id.clone(), person.handle.acct())).collect();
            self.notes.push(Noted { page: page.to_owned(), people });
        }
    }

    fn see_pictures(&mut self, profile: &str) {
        for url in kept::pictures(profile) {
            if self.pictures.get(&url).is_none() {
                self.pictures.put(&url, None);
            }
        }
    }

    fn progress(&self, part: Part) -> Option<usize> {
        self.parts.iter().position(|progress| progress.part == part)
    }

    pub fn parts(&self) -> &[Progress] {
        &self.parts
    }

    pub fn part(&self, part: Part) -> Option<&Progress> {
        self.parts.iter().find(|progress| progress.part == part)
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

    /// What the export page counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub fn pictures(&self) -> impl Iterator<Item = (&str, Option<&File>)> {
        self.pictures.iter().map(|(url, file)| (url, file.as_ref()))
    }

    /// All was asked for and has been read back.
    pub fn finish(&mut self, now: Time) -> Vec<Record> {
        self.done = Some(now);
        vec![self.about()]
    }

    // --- answers ---

    fn part_answer(
        &mut self,
        part: Part,
        reply: &Reply,
        parser: &dyn Parser,
        now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        let Some(at) = self.progress(part) else { return Ok(Vec::new()) };
        if let Ok(answer) = reply {
            let ended = match answer.status {
                404 => Some(State::Absent),
                403 => Some(State::Refused),
                410 if part.way() != Way::File && part.way() != Way::Page => Some(State::Refused),
                _ => None,
            };
            if let Some(state) = ended {
                return Ok(self.end(at, state, now));
            }
        }
        let mut records = Vec::new();
        match part.way() {
            Way::Page => {
                let request = self.request(&Task::Part(part));
                let answer = reply::very_page(reply, &request)?;
                self.counts = export::read(parser.parse(&answer.body).as_ref());
                records.push(Record::new(body_key(part), kept::write_counts(&self.counts)));
                records.extend(self.end(at, State::Done, now));
            }
            Way::File => {
                let answer = reply::file(reply, &self.request(&Task::Part(part)))?;
                records.push(Record::new(body_key(part), answer.body.as_str()));
                self.parts[at].rows = rows(part, &answer.body);
                records.extend(self.end(at, State::Done, now));
            }
            Way::Whole => {
                let answer = reply::data(reply)?;
                let value = plain::json(&answer.body).ok_or(Refusal::Nonsense)?;
                if part == Part::Profile {
                    self.see_pictures(&answer.body);
                }
                self.parts[at].rows = value.as_array().map_or(1, |all| all.len() as u64);
                records.push(Record::new(body_key(part), answer.body.as_str()));
                records.extend(self.end(at, State::Done, now));
            }
            Way::People | Way::Pages | Way::Statuses => {
                let answer = reply::data(reply)?;
                let value = plain::json(&answer.body).ok_or(Refusal::Nonsense)?;
                let items = value.as_array().ok_or(Refusal::Nonsense)?;
                records = self.page(at, answer, items, now);
            }
        }
        Ok(records)
    }

    fn page(&mut self, at: usize, answer: &Answer, items: &[Value], now: Time) -> Vec<Record> {
        let progress = &mut self.parts[at];
        let part = progress.part;
        let next = answer.next_page().filter(|_| !items.is_empty()).map(str::to_owned);
        // A server that gives the same page again and again has no last one.
        let repeats = match (&progress.after, &next) {
            (Some(after), Some(next)) => !super::collect::road::later(after, next),
            _ => false,
        };
        let mut records = Vec::new();
        if !items.is_empty() {
            let key = page_key(BODY, part, progress.pass, progress.pages);
            let (body, people) = match part.way() {
                Way::People => {
                    let people = kept::read_people(items, &self.owner.domain);
                    (kept::write_people(&people), people)
                }
                Way::Statuses => (kept::write_statuses(items), Vec::new()),
                _ => (answer.body.clone(), Vec::new()),
            };
            progress.rows = if progress.pages == 0 { 0 } else { progress.rows } + items.len() as u64;
            progress.pages += 1;
            records.push(Record::new(&key, body));
            if part.has_notes() {
                self.expect_notes(&key, &people);
            }
        } else if progress.pages == 0 {
            progress.rows = 0;
        }
        let progress = &mut self.parts[at];
        let enough = part.cap().is_some_and(|cap| progress.pages >= cap);
        match next {
            _ if repeats => records.extend(self.end(at, State::Broken, now)),
            Some(next) if !enough => {
                progress.after = Some(next);
                records.push(progress.record());
            }
            _ => records.extend(self.end(at, State::Done, now)),
        }
        records
    }

    /// A part has come to its end, one way or another. What it replaces goes only now, and only for something better.
    fn end(&mut self, at: usize, state: State, now: Time) -> Vec<Record> {
        let progress = &mut self.parts[at];
        progress.state = state;
        progress.at = Some(now);
        progress.after = None;
        let mut records = Vec::new();
        if progress.state == State::Done
            && let Some((pass, pages)) = progress.before.take()
        {
            for page in 0..pages {
                for kind in [BODY, NOTES] {
                    let key = page_key(kind, progress.part, pass, page);
                    records.push(Record { key, text: None });
                }
            }
        }
        records.push(progress.record());
        records
    }

    fn notes_answer(&mut self, page: &str, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        let Some(at) = self.notes.iter().position(|noted| noted.page == page) else { return Ok(Vec::new()) };
        let body = match reply {
            // No relationships, no notes; what else is packed does not depend on it.
            Ok(answer) if matches!(answer.status, 403 | 404 | 422) => "[]".to_owned(),
            _ => {
                let answer = reply::data(reply)?;
                let raw = plain::items(&answer.body).ok_or(Refusal::Nonsense)?;
                kept::write_notes(&raw, &self.notes[at].people)
            }
        };
        self.notes.remove(at);
        Ok(vec![Record::new(notes_key(page), body)])
    }
}

fn rows(part: Part, body: &str) -> u64 {
    match part {
        Part::File(kind) => Have::of_text(body, kind, None).map_or(0, |have| have.len() as u64),
        _ => 0,
    }
}

fn version_of(owner: &Owner) -> (u16, u16) {
    // Of an unknown version everything is asked for: what is not there says so.
    let version = owner.version.as_deref().and_then(Version::parse);
    version.map_or((u16::MAX, 0), |version| (version.major, version.minor))
}

impl Work for Pack {
    type Task = Task;

    fn file(&self) -> Option<&str> {
        let open = self.parts.iter().any(|progress| progress.part == Part::Counts);
        self.pictures.iter().find(|(_, file)| open && file.is_none()).map(|(url, _)| url)
    }

    fn task(&self, pages: bool) -> Option<Task> {
        let open =
            |progress: &&Progress| progress.state == State::Open && (pages || progress.after.is_none());
        match self.parts.iter().find(open) {
            Some(progress) => Some(Task::Part(progress.part)),
            None => self.notes.first().map(|noted| Task::Notes(noted.page.clone())),
        }
    }

    fn request(&self, task: &Task) -> Request {
        match task {
            Task::Part(part) => {
                let after = self.progress(*part).and_then(|at| self.parts[at].after.as_deref());
                part.request(&self.owner.id, after)
            }
            Task::Notes(page) => {
                let noted = self.notes.iter().find(|noted| noted.page == *page);
                let people = noted.map_or(&[][..], |noted| &noted.people);
                request::relationships(&people.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>())
            }
        }
    }

    fn answer(
        &mut self,
        task: &Task,
        reply: &Reply,
        parser: &dyn Parser,
        now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        let records = match task {
            Task::Part(part) => self.part_answer(*part, reply, parser, now),
            Task::Notes(page) => self.notes_answer(page, reply),
        }?;
        self.asked += 1;
        Ok(records)
    }

    fn is_needed(&self, task: &Task) -> bool {
        matches!(task, Task::Part(Part::Counts))
    }

    fn give_up(&mut self, task: &Task) -> Vec<Record> {
        match task {
            Task::Part(part) => match self.progress(*part) {
                Some(at) => {
                    let at_time = self.parts[at].at.unwrap_or(self.begun);
                    self.end(at, State::Broken, at_time)
                }
                None => Vec::new(),
            },
            Task::Notes(page) => {
                self.notes.retain(|noted| noted.page != *page);
                vec![Record::new(notes_key(page), "[]")]
            }
        }
    }

    fn fetched(&mut self, url: &str, file: File) -> Vec<Record> {
        let record = Record::new(format!("{FILE}{url}"), file.write());
        self.pictures.put(url, Some(file));
        vec![record]
    }

    fn left(&self) -> Left {
        let mut left = Left::default();
        for progress in self.parts.iter().filter(|progress| progress.state == State::Open) {
            let of = |total: Option<u64>, page: u64| total.unwrap_or(0).div_ceil(page).max(1);
            let pages = match progress.part {
                Part::Followers => of(self.owner.followers, 80),
                Part::Following => of(self.owner.following, 80),
                Part::Mutes => of(self.counts.mutes, 80),
                Part::Blocks => of(self.counts.blocks, 80),
                _ => 1,
            };
            let still = pages.saturating_sub(progress.pages.into()).max(1);
            left.calls += still;
            // The first page is none for the limit.
            left.pages += still - u64::from(progress.after.is_none());
            if progress.part.has_notes() && !self.owner.rescue {
                left.calls += still;
            }
        }
        left.calls += self.notes.len() as u64;
        left.files = self.pictures.iter().filter(|(_, file)| file.is_none()).count() as u64;
        left
    }

    fn asked(&self) -> u64 {
        self.asked
    }
}

/// What is packed of a part and what its server counts, where both are known and differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub part: Part,
    pub counted: u64,
    pub packed: u64,
}

impl Pack {
    /// Counts against the export page's own. "Follows" and "Followers" are cached counters there and may be a little off
    /// (facts 5); lists are counted by their titles, and the file has none of an empty one.
    pub fn differences(&self) -> Vec<Difference> {
        use crate::list::Kind;
        let pairs = [
            (Part::File(Kind::Follows), self.counts.follows),
            (Part::Lists, self.counts.lists),
            (Part::File(Kind::Mutes), self.counts.mutes),
            (Part::File(Kind::Blocks), self.counts.blocks),
            (Part::File(Kind::DomainBlocks), self.counts.domain_blocks),
            (Part::File(Kind::Bookmarks), self.counts.bookmarks),
            (Part::File(Kind::Filters), self.counts.filters),
            (Part::Followers, self.counts.followers),
        ];
        let mut all = Vec::new();
        for (part, counted) in pairs {
            if let (Some(progress), Some(counted)) = (self.part(part), counted)
                && progress.state == State::Done
                && progress.rows != counted
            {
                all.push(Difference { part, counted, packed: progress.rows });
            }
        }
        all
    }

    /// Parts that are not there although the server has such a thing.
    pub fn lacking(&self) -> Vec<Part> {
        let lacking =
            |progress: &&Progress| matches!(progress.state, State::Open | State::Refused | State::Broken);
        self.parts
            .iter()
            .filter(lacking)
            .map(|progress| progress.part)
            .filter(|part| !matches!(part, Part::Blocked | Part::Notices))
            .collect()
    }

    /// Whether a picture is missing, and why.
    pub fn missing_pictures(&self) -> Vec<(&str, Missing)> {
        self.pictures
            .iter()
            .filter_map(|(url, file)| match file {
                Some(File::Missing(reason)) => Some((url, *reason)),
                _ => None,
            })
            .collect()
    }

    /// A redirect is set: what needs a token is not in it.
    pub fn rescued(&self) -> bool {
        self.owner.rescue
    }
}
