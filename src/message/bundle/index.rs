//! What has to be known of all records at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::order;
use crate::account::Domain;
use crate::message::record::{CONVERSATION, FILE, File, HISTORY, STATUS};
use crate::message::thread::{Note, People};
use crate::server::status::{Person, Status};
use crate::when::Time;

/// Is told every record once, in any order, and gives [`Gathered`].
#[derive(Debug)]
pub struct Index {
    local: Domain,
    people: People,
    /// When somebody had the name that they have in the list.
    named: HashMap<u32, Named>,
    /// With the length of the record.
    notes: Vec<Option<(Note, u32)>>,
    unreadable: BTreeSet<String>,
    files: BTreeMap<String, File>,
    histories: BTreeSet<String>,
    conversations: BTreeSet<String>,
    rest: BTreeSet<String>,
    bytes: u64,
}

#[derive(Debug)]
struct Named {
    at: Time,
    key: String,
    name: String,
}

/// Little enough to hold a hundred thousand messages of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// By time, then by key.
    pub notes: Vec<Note>,
    /// The owner first, then by handle.
    pub people: Vec<Person>,
    /// Index into the people.
    pub owner: u32,
    /// By address.
    pub files: BTreeMap<String, File>,
    /// Keys of statuses that cannot be shown. They are in `messages.json` all the same.
    pub unreadable: Vec<String>,
    /// The length of each note's record.
    pub(super) lengths: Vec<u32>,
    /// Keys of edits whose status is here.
    pub(super) histories: Vec<String>,
    /// Keys of the conversation list's entries.
    pub(super) conversations: Vec<String>,
    /// All other keys.
    pub(super) rest: Vec<String>,
    /// The length of all records together.
    pub(super) bytes: u64,
}

impl Index {
    /// `local` is the domain of the server that sent the statuses.
    pub fn new(owner: &Person, local: &Domain) -> Index {
        Index {
            local: local.clone(),
            people: People::new(owner.clone()),
            named: HashMap::new(),
            notes: Vec::new(),
            unreadable: BTreeSet::new(),
            files: BTreeMap::new(),
            histories: BTreeSet::new(),
            conversations: BTreeSet::new(),
            rest: BTreeSet::new(),
            bytes: 0,
        }
    }

    pub fn add(&mut self, key: &str, text: &str) {
        self.bytes += text.len() as u64;
        if key.starts_with(STATUS) {
            let value = serde_json::from_str::<Value>(text).ok();
            match value.and_then(|value| Status::read(&value, &self.local).ok()) {
                Some(status) => self.status(key, &status, text.len()),
                None => _ = self.unreadable.insert(key.to_owned()),
            }
        } else if key.starts_with(HISTORY) {
            self.histories.insert(key.to_owned());
        } else if key.starts_with(CONVERSATION) {
            self.conversations.insert(key.to_owned());
        } else {
            match (key.strip_prefix(FILE), File::read(text)) {
                (Some(url), Some(file)) => _ = self.files.insert(url.to_owned(), file),
                _ => _ = self.rest.insert(key.to_owned()),
            }
        }
    }

    fn status(&mut self, key: &str, status: &Status, length: usize) {
        let mut note = self.people.note(key, status);
        // The owner reads everything that is here.
        if let Err(place) = note.readers.binary_search(&0) {
            note.readers.insert(place, 0);
        }
        note.readers.shrink_to_fit();
        let (at, author) = (note.at, note.author);
        self.notes.push(Some((note, u32::try_from(length).unwrap_or(u32::MAX))));
        // People change their names. The newest message has the newest one, whichever record is told first.
        let newer = |known: &Named| (at, key) > (known.at, known.key.as_str());
        if self.named.get(&author).is_none_or(newer) {
            let name = status.author.name.clone();
            self.named.insert(author, Named { at, key: key.to_owned(), name });
        }
    }

    pub fn done(self) -> Gathered {
        let mut people: Vec<(u32, Person)> = (0..).zip(self.people.list().iter().cloned()).collect();
        for (at, named) in self.named {
            if let Some((_, person)) = people.get_mut(at as usize).filter(|_| !named.name.is_empty()) {
                person.name = named.name;
            }
        }
        let by = |at: usize| {
            people.get(at).map(|(_, person)| (at != 0, person.handle.as_str(), person.id.as_str()))
        };
        let places = order(people.len(), &|left, right| by(left).cmp(&by(right)));
        let mut place = vec![0; people.len()];
        for (new, old) in (0..).zip(&places) {
            if let Some(place) = place.get_mut(*old) {
                *place = new;
            }
        }
        let moved = |old: u32| place.get(old as usize).copied().unwrap_or(old);

        let mut told = self.notes;
        let by = |at: usize| told.get(at)?.as_ref().map(|(note, _)| (note.at, note.key.as_str()));
        let (mut notes, mut lengths): (Vec<Note>, Vec<u32>) = (Vec::new(), Vec::new());
        for at in order(told.len(), &|left, right| by(left).cmp(&by(right))) {
            let Some((mut note, length)) = told.get_mut(at).and_then(Option::take) else { continue };
            if notes.last().is_some_and(|last| last.key == note.key) {
                continue;
            }
            note.author = moved(note.author);
            note.parent_author = note.parent_author.map(moved);
            note.readers.iter_mut().for_each(|reader| *reader = moved(*reader));
            note.readers.sort_unstable();
            notes.push(note);
            lengths.push(length);
        }
        drop(told);

        let uris: HashSet<&str> = notes
            .iter()
            .map(|note| note.key.as_str())
            .chain(self.unreadable.iter().map(String::as_str))
            .filter_map(|key| key.strip_prefix(STATUS))
            .collect();
        let (histories, alone): (Vec<String>, Vec<String>) = self
            .histories
            .into_iter()
            .partition(|key| key.strip_prefix(HISTORY).is_some_and(|uri| uris.contains(uri)));
        let mut rest = self.rest;
        rest.extend(alone);
        Gathered {
            people: places
                .into_iter()
                .filter_map(|at| people.get(at))
                .map(|(_, person)| person.clone())
                .collect(),
            owner: 0,
            files: self.files,
            unreadable: self.unreadable.into_iter().collect(),
            lengths,
            histories,
            conversations: self.conversations.into_iter().collect(),
            rest: rest.into_iter().collect(),
            bytes: self.bytes,
            notes,
        }
    }
}
