//! Carries a profile onto the new account, and takes it back: what the new account had before is kept until then.
//!
//! A job in steps of one request, whose state is in records. Nothing is sent before it was read whose account answers, and
//! nothing is called done before it was read back. Texts and switches go in one form, a picture in a form of its own: the
//! server names what it refuses only where it was sent alone.
//!
//! | key | text |
//! | --- | --- |
//! | `about` | the account, and how the job stands |
//! | `s/NUMBER` | a change and how it stands |
//! | `before` | the profile before the first change, as the server sent it |
//! | `f/URL` | a picture: what became of fetching it |

pub mod change;
pub mod look;

use serde_json::Value;

use super::collect::Owner;
use super::{Left, Work};
use crate::message::record::{ABOUT, File, Record};
use crate::plain::{self, Object, count, flag, text};
use crate::server::markup::Parser;
use crate::server::profile::{Profile, Tag, tags};
use crate::server::reply::{self, Refusal, Reply};
use crate::server::request::{self, Request};
use crate::server::version::Version;
use crate::small::Table;
use crate::when::Time;
use change::{Stand, What, Which};

const STEP: &str = "s/";
const FILE: &str = "f/";
const BEFORE: &str = "before";
/// More than a sentence is no reason.
const LONGEST_WORDS: usize = 300;

/// What the next request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Whose account it is and what is on it.
    Look,
    Tags,
    /// Steps that go in one form.
    Texts(Vec<usize>),
    Picture(usize),
    Tag(usize),
}

#[derive(Clone, Debug)]
struct Step {
    what: What,
    stand: Stand,
    /// Where the server keeps the picture that was put there.
    there: Option<String>,
}

/// The job.
#[derive(Clone, Debug)]
pub struct Carry {
    owner: Owner,
    /// It takes back what it brought.
    undo: bool,
    begun: Time,
    done: Option<Time>,
    asked: u64,
    steps: Vec<Step>,
    before: Option<Profile>,
    files: Table<File>,
    /// What is on the account now; nothing, where an answer was lost or has changed it.
    now: Option<Profile>,
    tags: Option<Vec<Tag>>,
    /// One by one, because together they were refused.
    alone: bool,
}

impl Carry {
    pub fn begin(owner: Owner, changes: Vec<What>, now: Time) -> (Carry, Vec<Record>) {
        let mut job = Carry::empty(owner, now);
        let records = job.add(changes, now);
        (job, records)
    }

    fn empty(owner: Owner, begun: Time) -> Carry {
        Carry {
            owner,
            undo: false,
            begun,
            done: None,
            asked: 0,
            steps: Vec::new(),
            before: None,
            files: Table::default(),
            now: None,
            tags: None,
            alone: false,
        }
    }

    /// More of it. What the account had before the first time is what is put back.
    pub fn add(&mut self, changes: Vec<What>, now: Time) -> Vec<Record> {
        self.again(now);
        let mut records = Vec::new();
        if self.undo {
            // All was taken back: this is a first time again.
            self.undo = false;
            records.extend((0..self.steps.len()).map(|at| Record { key: key_of(at), text: None }));
            records.push(Record { key: BEFORE.into(), text: None });
            self.steps.clear();
            self.before = None;
        }
        records.push(self.about());
        for what in changes {
            let step = Step { what, stand: Stand::Open, there: None };
            let known = self.steps.iter().position(|own| own.what.id() == step.what.id());
            let at = known.unwrap_or(self.steps.len());
            if known.is_some() {
                self.steps[at] = step;
            } else {
                self.steps.push(step);
            }
            records.push(self.record(at));
        }
        // A picture that did not come may come now.
        records.extend(self.forget_missing());
        records
    }

    /// Takes back what was brought.
    pub fn take_back(&mut self, now: Time) -> Vec<Record> {
        self.again(now);
        self.undo = true;
        let before = self.steps.len();
        self.steps.retain(|step| step.stand.is_there());
        for step in &mut self.steps {
            step.stand = Stand::Open;
        }
        let gone = self.steps.len()..before;
        let mut records: Vec<Record> = gone.map(|at| Record { key: key_of(at), text: None }).collect();
        records.push(self.about());
        records.extend((0..self.steps.len()).map(|at| self.record(at)));
        records.extend(self.forget_missing());
        records
    }

    /// Another try at what is not there yet.
    pub fn go_on(&mut self, now: Time) -> Vec<Record> {
        self.again(now);
        let mut records = vec![self.about()];
        for at in 0..self.steps.len() {
            if matches!(self.steps[at].stand, Stand::Missing(_)) {
                self.steps[at].stand = Stand::Open;
                records.push(self.record(at));
            }
        }
        records.extend(self.forget_missing());
        records
    }

    fn again(&mut self, now: Time) {
        self.done = None;
        self.begun = now;
        self.now = None;
        self.tags = None;
        self.alone = false;
    }

    fn forget_missing(&mut self) -> Vec<Record> {
        let missing = |file: &File| matches!(file, File::Missing(_));
        let gone: Vec<String> =
            self.files.iter().filter(|(_, file)| missing(file)).map(|(url, _)| url.to_owned()).collect();
        let mut kept = Table::default();
        for (url, file) in self.files.iter().filter(|(_, file)| !missing(file)) {
            kept.put(url, file.clone());
        }
        self.files = kept;
        gone.into_iter().map(|url| Record { key: format!("{FILE}{url}"), text: None }).collect()
    }

    pub fn from_about(about: &str) -> Option<Carry> {
        let value = plain::json(about)?;
        let mut job = Carry::empty(Owner::read(value.get("owner")?)?, Time(value.get("begun")?.as_i64()?));
        job.undo = flag(&value, "undo");
        job.done = value.get("done").and_then(Value::as_i64).map(Time);
        job.asked = count(&value, "asked").unwrap_or(0);
        Some(job)
    }

    /// Records in the order of their keys.
    pub fn restore(&mut self, key: &str, record: &str) {
        if key.starts_with(STEP) {
            if let Some((what, stand, there)) = plain::json(record).as_ref().and_then(What::read) {
                self.steps.push(Step { what, stand, there });
            }
        } else if key == BEFORE {
            self.before = self.read(record);
        } else if let Some(url) = key.strip_prefix(FILE)
            && let Some(file) = File::read(record)
        {
            self.files.put(url, file);
        }
    }

    fn read(&self, body: &str) -> Option<Profile> {
        Profile::read(&plain::json(body)?, &self.owner.domain)
    }

    fn about(&self) -> Record {
        let about = Object::new()
            .json("owner", &self.owner.write())
            .flag("undo", self.undo)
            .time("begun", Some(self.begun))
            .time("done", self.done)
            .number("asked", self.asked)
            .end();
        Record::new(ABOUT, about)
    }

    fn record(&self, at: usize) -> Record {
        let step = &self.steps[at];
        Record::new(key_of(at), step.what.write(&step.stand, step.there.as_deref()))
    }

    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    pub fn is_undo(&self) -> bool {
        self.undo
    }

    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }

    pub fn finished(&self) -> Option<Time> {
        self.done
    }

    /// Something of it is on the account, and what was there before is known.
    pub fn may_be_taken_back(&self) -> bool {
        !self.undo && self.before.is_some() && self.steps.iter().any(|step| step.stand.is_there())
    }

    pub fn steps(&self) -> impl Iterator<Item = (&What, &Stand)> {
        self.steps.iter().map(|step| (&step.what, &step.stand))
    }

    /// Pictures that did not come, and why.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter()
    }

    pub fn finish(&mut self, now: Time) -> Vec<Record> {
        self.done = Some(now);
        vec![self.about()]
    }

    /// What is to be on the account for a step.
    fn wanted(&self, at: usize) -> What {
        let what = &self.steps[at].what;
        match &self.before {
            Some(before) if self.undo => what.as_on(before),
            _ => what.clone(),
        }
    }

    fn open(&self) -> impl Iterator<Item = usize> {
        (0..self.steps.len()).filter(|at| self.steps[*at].stand.is_open())
    }

    fn version(&self) -> Option<Version> {
        self.owner.version.as_deref().and_then(Version::parse)
    }

    /// The picture of a step, if it has one.
    fn picture(&self, at: usize) -> Option<(Which, Option<String>, Option<String>)> {
        match self.wanted(at) {
            What::Picture { which, url, words } => Some((which, url, words)),
            _ => None,
        }
    }

    /// Changes how steps stand; gives the records of those that it changed.
    fn set(&mut self, stands: Vec<(usize, Stand)>) -> Vec<Record> {
        let mut records = Vec::new();
        for (at, stand) in stands {
            if self.steps[at].stand != stand {
                self.steps[at].stand = stand;
                records.push(self.record(at));
            }
        }
        records
    }

    /// A picture that is put back cannot be told from another one of the person's own, unless it was noted that it goes out.
    fn note_try(&mut self) -> Vec<Record> {
        match self.task(true) {
            Some(Task::Picture(at)) if self.undo && self.file().is_none() => {
                self.set(vec![(at, Stand::Trying)])
            }
            _ => Vec::new(),
        }
    }

    // --- answers ---

    /// The account as it is now; an error where it is another's.
    fn own(&self, reply: &Reply) -> Result<Profile, Refusal> {
        let value = reply::json(reply)?;
        let profile = Profile::read(&value, &self.owner.domain).ok_or(Refusal::Nonsense)?;
        // Somebody else has signed in meanwhile.
        if profile.id == self.owner.id { Ok(profile) } else { Err(Refusal::SignedOut) }
    }

    fn looked(&mut self, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        let profile = self.own(reply)?;
        let mut records = Vec::new();
        if self.before.is_none() {
            let body = reply.as_ref().map_or("", |answer| answer.body.as_str());
            records.push(Record::new(BEFORE, body));
            self.before = Some(profile.clone());
        }
        let mut stands = Vec::new();
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            let wanted = self.wanted(at);
            let picture = matches!(wanted, What::Picture { .. });
            let stand = match step.stand {
                _ if matches!(wanted, What::Tag { .. }) => continue,
                Stand::Sent if self.is_as_sent(step, &wanted, &profile) => Stand::Done,
                Stand::Sent => Stand::Differs,
                Stand::Open | Stand::Trying if self.undo && !is_as_put(step, &profile) => {
                    // Changed since: by the last try of this job, or by the person.
                    let there = matches!(wanted, What::Picture { url: Some(_), .. });
                    match wanted.is_on(&profile) && !there {
                        true => Stand::Done,
                        false if step.stand == Stand::Trying => continue,
                        false => Stand::Kept,
                    }
                }
                Stand::Open if !picture && wanted.is_on(&profile) => Stand::Done,
                _ => continue,
            };
            stands.push((at, stand));
        }
        self.now = Some(profile);
        records.extend(self.set(stands));
        Ok(records)
    }

    fn is_as_sent(&self, step: &Step, wanted: &What, profile: &Profile) -> bool {
        let same = match wanted {
            What::Picture { which, url: Some(_), .. } => which.of(profile).url == step.there,
            _ => true,
        };
        same && wanted.is_on(profile)
    }

    /// What a server says of something that it does not take.
    fn refused(reply: &Reply) -> Option<String> {
        let answer = reply.as_ref().ok().filter(|answer| matches!(answer.status, 400 | 413 | 422))?;
        let error = plain::json(&answer.body);
        let words = error.as_ref().and_then(|error| text(error, "error")).unwrap_or_default();
        Some(words.chars().take(LONGEST_WORDS).collect())
    }

    fn sent(&mut self, all: &[usize], reply: &Reply) -> Result<Vec<Record>, Refusal> {
        // Whatever comes, it may have been taken: look before sending it again.
        self.now = None;
        if let Some(words) = Carry::refused(reply) {
            if all.len() > 1 {
                self.alone = true;
                return Ok(Vec::new());
            }
            return Ok(self.set(all.iter().map(|at| (*at, Stand::Refused(words.clone()))).collect()));
        }
        let profile = self.own(reply)?;
        for at in all {
            if let Some((which, Some(_), _)) = self.picture(*at) {
                self.steps[*at].there = which.of(&profile).url.clone();
            }
        }
        let records = self.set(all.iter().map(|at| (*at, Stand::Sent)).collect());
        // Its answer is the account as it is now, of the very tab that the next request goes to.
        if self.open().any(|at| !matches!(self.steps[at].what, What::Tag { .. })) {
            self.now = Some(profile);
        }
        Ok(records)
    }

    /// Up to 4.1 a picture is taken away with the button on the profile's page, which answers with a page.
    fn removed(&mut self, at: usize, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        self.now = None;
        reply::page(reply)?;
        Ok(self.set(vec![(at, Stand::Sent)]))
    }

    fn saw_tags(&mut self, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        let there = tags(&reply::json(reply)?).ok_or(Refusal::Nonsense)?;
        let has = |name: &str| there.iter().any(|tag| tag.name.to_lowercase() == name.to_lowercase());
        let mut stands = Vec::new();
        for at in 0..self.steps.len() {
            let What::Tag { name, on } = self.wanted(at) else { continue };
            match self.steps[at].stand {
                Stand::Open | Stand::Trying | Stand::Sent if has(&name) == on => {
                    stands.push((at, Stand::Done))
                }
                Stand::Sent => stands.push((at, Stand::Differs)),
                _ => {}
            }
        }
        self.tags = Some(there);
        Ok(self.set(stands))
    }

    fn tag(&mut self, at: usize, reply: &Reply) -> Result<Vec<Record>, Refusal> {
        let found = !matches!(reply, Ok(answer) if answer.status == 404);
        if let Some(words) = Carry::refused(reply).filter(|_| found) {
            return Ok(self.set(vec![(at, Stand::Refused(words))]));
        }
        // One that is not there any more is what was wanted.
        if found {
            if reply.is_err() {
                self.tags = None;
            }
            reply::json(reply)?;
        }
        Ok(self.set(vec![(at, Stand::Sent)]))
    }
}

fn key_of(at: usize) -> String {
    format!("{STEP}{at:05}")
}

/// Whether the account has a thing as this job has put it there.
fn is_as_put(step: &Step, profile: &Profile) -> bool {
    match &step.what {
        What::Picture { which, .. } => step.there.is_some() && which.of(profile).url == step.there,
        what => what.is_on(profile),
    }
}

impl Work for Carry {
    type Task = Task;

    /// Pictures first: what is put back is fetched before anything takes its place.
    fn file(&self) -> Option<&str> {
        let before = self.before.as_ref()?;
        for at in self.open() {
            let What::Picture { which, url, .. } = &self.steps[at].what else { continue };
            let needed = [which.of(before).url.as_deref(), url.as_deref().filter(|_| !self.undo)];
            let next = needed.into_iter().flatten().find(|url| self.files.get(url).is_none());
            if next.is_some() {
                return next;
            }
        }
        None
    }

    fn task(&self, _pages: bool) -> Option<Task> {
        if self.done.is_some() {
            return None;
        }
        let is_tag = |at: &usize| matches!(self.steps[*at].what, What::Tag { .. });
        let open: Vec<usize> = self.open().collect();
        if self.now.is_none()
            && (self.before.is_none()
                || !open.is_empty()
                || self
                    .steps
                    .iter()
                    .any(|step| step.stand == Stand::Sent && !matches!(step.what, What::Tag { .. })))
        {
            return Some(Task::Look);
        }
        let texts: Vec<usize> = open.iter().copied().filter(|at| self.steps[*at].what.is_text()).collect();
        if let Some(first) = texts.first() {
            return Some(Task::Texts(if self.alone { vec![*first] } else { texts }));
        }
        if let Some(at) = open.iter().find(|at| !is_tag(at)) {
            return Some(Task::Picture(*at));
        }
        let sent = |at: &usize| self.steps[*at].stand == Stand::Sent;
        if (0..self.steps.len()).any(|at| sent(&at) && !is_tag(&at)) {
            return Some(Task::Look);
        }
        match open.iter().find(|at| is_tag(at)) {
            Some(_) if self.tags.is_none() => Some(Task::Tags),
            Some(at) => Some(Task::Tag(*at)),
            None => (0..self.steps.len()).any(|at| sent(&at)).then_some(Task::Tags),
        }
    }

    fn request(&self, task: &Task) -> Request {
        match task {
            Task::Look => request::verify_credentials(),
            Task::Tags => request::featured_tags(),
            Task::Texts(all) => {
                let mut form = Vec::new();
                for at in all {
                    self.wanted(*at).form(&mut form);
                }
                request::update_profile(form)
            }
            Task::Picture(at) => match self.picture(*at) {
                Some((which, Some(url), words)) => {
                    let kind = match self.files.get(&url) {
                        Some(File::Saved { kind, .. }) => kind.as_str(),
                        _ => "application/octet-stream",
                    };
                    request::update_picture(which.id(), &url, kind, words.as_deref())
                }
                Some((which, None, _)) => {
                    let api = self.version().is_none_or(|version| version.removes_pictures_by_api());
                    request::remove_picture(which.id(), api)
                }
                None => request::verify_credentials(),
            },
            Task::Tag(at) => match self.wanted(*at) {
                What::Tag { name, on: false } => {
                    let there = self.tags.iter().flatten();
                    let mut same = there.filter(|tag| tag.name.to_lowercase() == name.to_lowercase());
                    request::unfeature_tag(same.next().map_or("0", |tag| &tag.id))
                }
                What::Tag { name, .. } => request::feature_tag(&name),
                _ => request::featured_tags(),
            },
        }
    }

    fn answer(
        &mut self,
        task: &Task,
        reply: &Reply,
        _parser: &dyn Parser,
        _now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        let records = match task {
            Task::Look => self.looked(reply),
            Task::Tags => self.saw_tags(reply),
            Task::Texts(all) => self.sent(all, reply),
            Task::Picture(at) if self.request(task).accept == request::Accept::Page => {
                self.removed(*at, reply)
            }
            Task::Picture(at) => self.sent(&[*at], reply),
            Task::Tag(at) => self.tag(*at, reply),
        };
        let mut records = records?;
        self.asked += 1;
        records.extend(self.note_try());
        Ok(records)
    }

    fn is_needed(&self, task: &Task) -> bool {
        *task == Task::Look
    }

    fn give_up(&mut self, task: &Task) -> Vec<Record> {
        let all: Vec<usize> = match task {
            Task::Look => Vec::new(),
            Task::Tags => (0..self.steps.len())
                .filter(|at| {
                    matches!(self.steps[*at].what, What::Tag { .. })
                        && matches!(self.steps[*at].stand, Stand::Open | Stand::Trying | Stand::Sent)
                })
                .collect(),
            Task::Texts(all) => all.clone(),
            Task::Picture(at) | Task::Tag(at) => vec![*at],
        };
        self.set(all.into_iter().map(|at| (at, Stand::Refused(String::new()))).collect())
    }

    fn fetched(&mut self, url: &str, file: File) -> Vec<Record> {
        let mut records = vec![Record::new(format!("{FILE}{url}"), file.write())];
        if let File::Missing(why) = &file {
            // Without the one that is there now it could not be put back: then it is not replaced either.
            let needs = |at: &usize| {
                let What::Picture { which, url: wanted, .. } = &self.steps[*at].what else { return false };
                let before = self.before.as_ref().and_then(|before| which.of(before).url.as_deref());
                before == Some(url) || wanted.as_deref() == Some(url)
            };
            let all: Vec<usize> = self.open().filter(needs).collect();
            let stand = Stand::Missing(why.id().to_owned());
            records.extend(self.set(all.into_iter().map(|at| (at, stand.clone())).collect()));
        }
        self.files.put(url, file);
        records.extend(self.note_try());
        records
    }

    fn left(&self) -> Left {
        let open = self.open().count() as u64;
        let texts = self.open().filter(|at| self.steps[*at].what.is_text()).count() as u64;
        let calls = if self.done.is_some() { 0 } else { 2 + open - texts.saturating_sub(1) };
        Left { calls, pages: 0, files: u64::from(self.file().is_some()) }
    }

    fn asked(&self) -> u64 {
        self.asked
    }
}
