//! Jobs: work that needs answers from a server. A job says which request it needs next and is told the answer; it does
//! no IO and knows no clock. It may be dropped after any request: what was learned until then is kept, and the two jobs
//! here are so short that they are begun anew instead of being resumed.

pub mod budget;
pub mod collect;
pub mod outlook;
pub mod pack;
pub mod profile;
pub mod save;
pub mod survey;
pub mod unpack;
pub mod verify;

use std::fmt::Debug;

use crate::message::record::{File, Record};
use crate::server::markup::Parser;
use crate::server::reply::{Refusal, Reply};
use crate::server::request::Request;
use crate::trunk::dossier::AccountFacts;
use crate::when::Time;

/// Work in steps of one request.
pub trait Job {
    /// The request to perform next; `None` when all is done. Asking twice gives the same request.
    fn next(&self) -> Option<Request>;
    /// The answer to that request.
    fn answer(&mut self, reply: &Reply, parser: &dyn Parser, now: Time);
    /// What was learned so far.
    fn learned(&self) -> &AccountFacts;
}

/// Work that takes many requests, and that a store keeps: every answer gives records, and from the records of any moment
/// it goes on. [`save::Save`] performs it at the server's pace.
pub trait Work {
    type Task: Clone + PartialEq + Debug;

    /// To be called when something was changed from outside.
    fn settle(&mut self) {}
    /// A file to be fetched before anything else is asked.
    fn file(&self) -> Option<&str> {
        None
    }
    /// What to do next. Without `pages`, only what the limit of pages does not count.
    fn task(&self, pages: bool) -> Option<Self::Task>;
    fn request(&self, task: &Self::Task) -> Request;
    /// Not before this time: what is waited for takes its time on the server.
    fn rest(&self, _task: &Self::Task) -> Option<Time> {
        None
    }
    /// The answer. An error is one of the session or of the server as a whole, and the task is the next one again.
    fn answer(
        &mut self,
        task: &Self::Task,
        reply: &Reply,
        parser: &dyn Parser,
        now: Time,
    ) -> Result<Vec<Record>, Refusal>;
    /// Whether nothing can go on without it.
    fn is_needed(&self, task: &Self::Task) -> bool;
    /// Goes on without it, and says so.
    fn give_up(&mut self, task: &Self::Task) -> Vec<Record>;
    /// What became of a file.
    fn fetched(&mut self, _url: &str, _file: File) -> Vec<Record> {
        Vec::new()
    }
    fn left(&self) -> Left;
    /// Requests that were answered so far.
    fn asked(&self) -> u64;
}

/// What is still to be done, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub calls: u64,
    /// Of them, so many are pages for the rate limit.
    pub pages: u64,
    pub files: u64,
}
