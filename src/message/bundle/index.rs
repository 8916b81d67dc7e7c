//! What has to be known of all records at once.

use crate::account::Domain;
use crate::message::record::{CONVERSATION, FILE, File, HISTORY, STATUS};
use crate::message::thread::{Note, People};
use crate::plain;
use crate::server::status::{Person, Status};
use crate::small::{Names, Table, order, set};
use crate::when::Time;

/// Is told every record once, in any order, and gives [`Gathered`].
#[derive(Debug)]
pub struct Index {
    local: Domain,
    people: People,
    /// When somebody had the name that they have in the list.
    named: Vec<Option<Named>>,
    /// With the length of the record.
    notes: Vec<Option<(Note, u32)>>,
    unreadable: Names,
    files: Table<File>,
    histories: Names,
    conversations: Names,
    rest: Names,
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
    pub files: Table<File>,
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
            named: Vec::new(),
            notes: Vec::new(),
            unreadable: Names::default(),
            files: Table::default(),
            histories: Names::default(),
            conversations: Names::default(),
            rest: Names::default(),
            bytes: 0,
        }
    }

    pub fn add(&mut self, key: &str, text: &str) {
        self.bytes += text.len() as u64;
        if key.starts_with(STATUS) {
            let value = plain::json(text);
            match value.and_then(|value| Status::read(&value, &self.local).ok()) {
                Some(status) => self.status(key, &status, text.len()),
                None => self.unreadable.add(key),
            }
        } else if key.starts_with(HISTORY) {
            self.histories.add(key);
        } else if key.starts_with(CONVERSATION) {
            self.conversations.add(key);
        } else {
            match (key.strip_prefix(FILE), File::read(text)) {
                (Some(url), Some(file)) => self.files.put(url, file),
                _ => self.rest.add(key),
            }
        }
    }

    fn status(&mut self, key: &str, status: &Status, length: usize) {
        let mut note = self.people.note(key, status);
        // The owner reads everything that is here.
        if note.readers.first() != Some(&0) {
            note.readers.insert(0, 0);
        }
        note.readers.shrink_to_fit();
        let (at, author) = (note.at, note.author);
        self.notes.push(Some((note, u32::try_from(length).unwrap_or(u32::MAX))));
        // People change their names. The newest message has the newest one, whichever record is told first.
        let author = author as usize;
        if self.named.len() <= author {
            self.named.resize_with(author + 1, || None);
        }
        let newer = |known: &Named| (at, key) > (known.at, known.key.as_str());
        if self.named[author].as_ref().is_none_or(newer) {
            let name = status.author.name.clone();
            self.named[author] = Some(Named { at, key: key.to_owned(), name });
        }
    }

    pub fn done(self) -> Gathered {
        let mut people: Vec<Person> = self.people.list().to_vec();
        for (person, named) in people.iter_mut().zip(self.named) {
            if let Some(Named { name, .. }) = named.filter(|named| !named.name.is_empty()) {
                person.name = name;
            }
        }
        let by =
            |at: usize| people.get(at).map(|person| (at != 0, person.handle.as_str(), person.id.as_str()));
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
            note.readers = set(note.readers.into_iter().map(moved).collect());
            notes.push(note);
            lengths.push(length);
        }
        drop(told);

        let mut keys = Names::default();
        for note in &notes {
            keys.add(&note.key);
        }
        let (mut histories, mut rest) = (Vec::new(), self.rest);
        for (key, _) in self.histories.iter() {
            let uri = key.strip_prefix(HISTORY).unwrap_or_default();
            let status = format!("{STATUS}{uri}");
            if keys.has(&status) || self.unreadable.has(&status) {
                histories.push(key.to_owned());
            } else {
                rest.add(key);
            }
        }
        Gathered {
            people: places.into_iter().filter_map(|at| people.get(at).cloned()).collect(),
            owner: 0,
            files: self.files,
            unreadable: self.unreadable.list(),
            lengths,
            histories,
            conversations: self.conversations.list(),
            rest: rest.list(),
            bytes: self.bytes,
            notes,
        }
    }
}
