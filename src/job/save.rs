//! Long work at a server's pace: a job, the rate budget, and what to do when something goes wrong.
//!
//! It says what to do next: ask, fetch a file, wait until a time, or stop for a reason that the person can mend. Whatever
//! happens, nothing that was kept is lost, and the request that failed is the next one again.

use super::Work;
use super::budget::{Budget, is_page};
use super::collect::Collect;
use crate::message::record::{File, Missing, Record};
use crate::server::markup::Parser;
use crate::server::reply::{Refusal, Reply, Silence};
use crate::server::request::{Accept, Request};
use crate::when::{MINUTE, SECOND, Time};

/// Waits after failures in a row. The last one is repeated.
const WAITS: [i64; 5] = [2 * SECOND, 8 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE];
/// A request that breaks its server, while others do not, is given up after so many times.
const PATIENCE: usize = 4;
/// So many given up in a row, and it is not the requests.
const GIVEN_UP: usize = 3;
/// A file is tried so often in one reading.
const FILE_TRIES: u32 = 3;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<T> {
    Ask(T, Request),
    /// Fetch the file at this address.
    Fetch(String),
    Wait {
        until: Time,
        why: Why,
    },
    /// Not before the person has done something.
    Stop(Why),
    /// Everything was asked for. What is stored has to be read back now, and then the save is finished.
    Through,
}

/// Why nothing is asked just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The server's limit is used up.
    Limit,
    /// The server works on what it was given.
    Server,
    /// No answer, or one that says that the server has trouble.
    Trouble,
    SignedOut,
    /// Somebody else is signed in there.
    OtherAccount,
    /// No tab of the server is open.
    NoTab,
    /// The person does not allow the server.
    NotAllowed,
    /// It answers, but not what is asked for, again and again.
    Broken,
    /// The account may not read this: held, or closed.
    Refused,
}

/// A job under way.
#[derive(Clone, Debug)]
pub struct Save<W = Collect> {
    pub work: W,
    budget: Budget,
    failures: usize,
    given_up: usize,
    until: Option<Time>,
    stopped: Option<Why>,
    tried: Vec<(String, u32)>,
}

impl<W: Work> Save<W> {
    pub fn new(mut work: W) -> Save<W> {
        work.settle();
        Save {
            budget: Budget::new(),
            work,
            failures: 0,
            given_up: 0,
            until: None,
            stopped: None,
            tried: Vec::new(),
        }
    }

    /// The person has mended something, or wants it tried at once.
    pub fn go_on(&mut self) {
        self.stopped = None;
        self.until = None;
        self.failures = 0;
        self.given_up = 0;
    }

    /// To be called when the job was changed.
    pub fn settle(&mut self) {
        self.work.settle();
    }

    pub fn next(&self, now: Time) -> Next<W::Task> {
        if let Some(why) = self.stopped {
            return Next::Stop(why);
        }
        // First, because a cached copy of another server's file may be gone tomorrow (facts 7.1, 4).
        if let Some(url) = self.work.file() {
            return Next::Fetch(url.to_owned());
        }
        let Some(task) = self.work.task(true) else { return Next::Through };
        if let Some(until) = self.until.filter(|until| *until > now) {
            return Next::Wait { until, why: Why::Trouble };
        }
        if let Some(until) = self.work.rest(&task).filter(|until| *until > now) {
            return Next::Wait { until, why: Why::Server };
        }
        let request = self.work.request(&task);
        let Some(until) = self.wait(&request, now) else {
            return Next::Ask(task, request);
        };
        // The limit of pages is the tighter one; what is no page may still go.
        if let Some(other) = self.work.task(false) {
            let request = self.work.request(&other);
            match self.wait(&request, now) {
                None => return Next::Ask(other, request),
                Some(sooner) => return Next::Wait { until: sooner.min(until), why: Why::Limit },
            }
        }
        Next::Wait { until, why: Why::Limit }
    }

    /// Pages for people are not limited (facts 7, "Rate limits").
    fn wait(&self, request: &Request, now: Time) -> Option<Time> {
        if request.accept == Accept::Api { self.budget.wait(is_page(&request.path), now) } else { None }
    }

    /// What [`Next::Ask`] brought. The records are to be stored before anything else is asked.
    pub fn answer(
        &mut self,
        task: &W::Task,
        request: &Request,
        reply: &Reply,
        parser: &dyn Parser,
        now: Time,
    ) -> Vec<Record> {
        let page = is_page(&request.path);
        if request.accept == Accept::Api {
            self.budget.sent(page, now);
        }
        if let Ok(answer) = reply {
            self.budget.heard(answer, page, now);
        }
        let records = match self.work.answer(task, reply, parser, now) {
            Ok(records) => {
                self.failures = 0;
                self.given_up = 0;
                self.until = None;
                records
            }
            Err(refusal) => self.failed(task, reply, refusal, now),
        };
        self.work.settle();
        records
    }

    fn failed(&mut self, task: &W::Task, reply: &Reply, refusal: Refusal, now: Time) -> Vec<Record> {
        let status = reply.as_ref().map_or(0, |answer| answer.status);
        let stop = match refusal {
            // The budget has heard it.
            Refusal::TooMany => return Vec::new(),
            Refusal::SignedOut => Some(Why::SignedOut),
            Refusal::Silent(Silence::OtherAccount) => Some(Why::OtherAccount),
            Refusal::Silent(Silence::NoTab) => Some(Why::NoTab),
            Refusal::Silent(Silence::NotGranted) => Some(Why::NotAllowed),
            Refusal::Forbidden | Refusal::NotFound | Refusal::Gone => Some(Why::Refused),
            Refusal::Elsewhere | Refusal::Silent(Silence::Refused) => Some(Why::Broken),
            Refusal::Broken | Refusal::Nonsense | Refusal::Silent(_) => None,
        };
        if stop.is_some() {
            self.stopped = stop;
            return Vec::new();
        }
        self.failures += 1;
        self.until = Some(now.plus(WAITS[(self.failures - 1).min(WAITS.len() - 1)]));
        // 502 to 504 are a server that is down or being restarted, and no connection may be our own network: these pass.
        // An error or nonsense that comes every time is that request's.
        let own = matches!(refusal, Refusal::Nonsense | Refusal::Silent(Silence::TimedOut)) || status == 500;
        if !own || self.failures < PATIENCE {
            return Vec::new();
        }
        if self.given_up + 1 >= GIVEN_UP || self.work.is_needed(task) {
            self.stopped = Some(Why::Broken);
            return Vec::new();
        }
        self.given_up += 1;
        self.failures = 0;
        self.until = None;
        self.work.give_up(task)
    }

    /// What [`Next::Fetch`] brought.
    pub fn fetched(&mut self, url: &str, file: File) -> Vec<Record> {
        if file == File::Missing(Missing::Unreachable) {
            let tries = match self.tried.iter_mut().find(|(tried, _)| tried == url) {
                Some((_, tries)) => {
                    *tries += 1;
                    *tries
                }
                None => {
                    self.tried.push((url.to_owned(), 1));
                    1
                }
            };
            if tries < FILE_TRIES {
                return Vec::new();
            }
        }
        self.tried.retain(|(tried, _)| tried != url);
        self.work.fetched(url, file)
    }

    /// How long it takes at least, in milliseconds.
    pub fn time_left(&self, now: Time) -> i64 {
        let left = self.work.left();
        self.budget.time_for(left.calls, left.pages, now)
    }
}
