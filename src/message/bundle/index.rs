//! What has to be known of all records at once.

use std::collections::BTreeMap;

use crate::account::Domain;
use crate::message::record::File;
use crate::message::thread::Note;
use crate::server::status::Person;

/// Is told every record once, in any order, and gives [`Gathered`].
#[derive(Debug)]
pub struct Index {
    gathered: Gathered,
}

/// Little enough to hold a hundred thousand messages of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// By time, then by key.
    pub notes: Vec<Note>,
    pub people: Vec<Person>,
    /// Index into the people.
    pub owner: u32,
    /// By address.
    pub files: BTreeMap<String, File>,
    /// Keys of statuses that cannot be shown. They are in `messages.json` all the same.
    pub unreadable: Vec<String>,
}

impl Index {
    /// `local` is the domain of the server that sent the statuses.
    pub fn new(owner: &Person, _local: &Domain) -> Index {
        Index { gathered: Gathered { people: vec![owner.clone()], ..Gathered::default() } }
    }

    pub fn add(&mut self, _key: &str, _text: &str) {}

    pub fn done(self) -> Gathered {
        self.gathered
    }
}
