//! Messages put together: into threads by what answers what, and threads into conversations by who takes part.

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
    /// The author of the parent as its server remembers it: an account id.
    pub parent_author: Option<String>,
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
    pub threads: Vec<Thread>,
    pub sent: usize,
    pub received: usize,
}

/// Messages that hang together by answers, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub messages: Vec<Placed>,
}

/// A message in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into the notes.
    pub note: usize,
    /// The message it answers: index into this thread's messages.
    pub answers: Option<usize>,
    pub joint: Joint,
}

/// How a message is joined to what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// It begins something, or it answers a message that is here.
    Whole,
    /// It answered a message that is gone (deleted, or never readable for us); that it belongs into this thread is shown by
    /// who it answered, among the same people, with no other thread that it could belong to.
    Mended,
    /// It answered a message that is gone, and where it belongs is not known.
    Cut,
    /// Its server never knew what it answered, if anything (a reply that arrived before its parent, facts 13.1, 5), and it is
    /// shown where its time puts it.
    Loose,
}
