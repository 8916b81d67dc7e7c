//! Reads what a profile is: the old account's with its pinned posts, the new one's with what its server takes. Short, and
//! therefore kept by nobody: whoever stops it begins anew.

use crate::job::collect::Owner;
use crate::job::{Left, Work};
use crate::message::record::Record;
use crate::server::markup::Parser;
use crate::server::profile::{self, Limits, Profile, Tag};
use crate::server::reply::{self, Refusal, Reply};
use crate::server::request::{self, Request};
use crate::server::status::{self, Pinned};
use crate::server::version::Version;
use crate::trunk::dossier::Side;
use crate::when::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Account,
    Tags,
    Pinned,
    Limits,
    Emojis,
}

const OLD: &[Task] = &[Task::Account, Task::Tags, Task::Pinned, Task::Limits];
const NEW: &[Task] = &[Task::Account, Task::Tags, Task::Limits, Task::Emojis];

/// The job.
#[derive(Clone, Debug)]
pub struct Look {
    owner: Owner,
    tasks: &'static [Task],
    at: usize,
    pub profile: Option<Profile>,
    /// `None`: it could not be read.
    pub tags: Option<Vec<Tag>>,
    pub pinned: Option<Vec<Pinned>>,
    pub limits: Limits,
    /// Of the server, by their shortcodes.
    pub emojis: Option<Vec<String>>,
}

impl Look {
    pub fn new(owner: Owner, side: Side) -> Look {
        let version = owner.version.as_deref().and_then(Version::parse);
        let limits = Limits::of(version.as_ref());
        let tasks = if side == Side::Old { OLD } else { NEW };
        Look { owner, tasks, at: 0, profile: None, tags: None, pinned: None, limits, emojis: None }
    }

    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Everything was asked for.
    pub fn is_done(&self) -> bool {
        self.at == self.tasks.len()
    }

    fn second(&self) -> bool {
        let version = self.owner.version.as_deref().and_then(Version::parse);
        version.is_none_or(|version| version.has_second_instance())
    }
}

impl Work for Look {
    type Task = Task;

    fn task(&self, _pages: bool) -> Option<Task> {
        self.tasks.get(self.at).copied()
    }

    fn request(&self, task: &Task) -> Request {
        match task {
            Task::Account => request::verify_credentials(),
            Task::Tags => request::featured_tags(),
            Task::Pinned => request::pinned(&self.owner.id),
            Task::Limits => request::limits(self.second()),
            Task::Emojis => request::custom_emojis(),
        }
    }

    fn answer(
        &mut self,
        task: &Task,
        reply: &Reply,
        parser: &dyn Parser,
        _now: Time,
    ) -> Result<Vec<Record>, Refusal> {
        let value = match reply::json(reply) {
            Ok(value) => value,
            // Old servers and other software have no such thing: it is not known then.
            Err(Refusal::NotFound | Refusal::Gone | Refusal::Forbidden) if *task != Task::Account => {
                self.at += 1;
                return Ok(Vec::new());
            }
            Err(refusal) => return Err(refusal),
        };
        match task {
            Task::Account => {
                let own = Profile::read(&value, &self.owner.domain).ok_or(Refusal::Nonsense)?;
                // Somebody else has signed in meanwhile.
                if own.id != self.owner.id {
                    return Err(Refusal::SignedOut);
                }
                self.profile = Some(own);
            }
            Task::Tags => self.tags = profile::tags(&value),
            Task::Pinned => self.pinned = status::pinned(&value, parser),
            Task::Limits => self.limits.learn(&value),
            Task::Emojis => self.emojis = profile::emojis(&value),
        }
        self.at += 1;
        Ok(Vec::new())
    }

    fn is_needed(&self, task: &Task) -> bool {
        *task == Task::Account
    }

    fn give_up(&mut self, _task: &Task) -> Vec<Record> {
        self.at += 1;
        Vec::new()
    }

    fn left(&self) -> Left {
        Left { calls: (self.tasks.len() - self.at) as u64, ..Left::default() }
    }

    fn asked(&self) -> u64 {
        self.at as u64
    }
}
