//! Opens a ZIP of ours, on another machine perhaps, and trusts nothing in it before it is held against its manifest.
//!
//! Two halves: [`Open`] reads everything once and gives out nothing; [`Restore`] gives it out. So nothing is half brought back
//! because the second half of a ZIP is damaged. A ZIP that was unpacked and packed again by another program is read too.

use serde_json::Value;

use super::json::{Fields, NotOurs, Reader, Said};
use super::unzip::{
    self, CHUNK, Directory, END64_LENGTH, Ending, Item, TAIL, Walk, ending, ending64, listed,
};
use super::{FORMAT, MANIFEST, MEDIA, MESSAGES, VERSION};
use crate::message::record::{CONVERSATION, FILE, File, HISTORY, Record, STATUS};
use crate::plain;
use crate::small::{Table, order};
use crate::when::Time;

/// More entries than a ZIP of ours will ever have.
const MOST_ENTRIES: u64 = 200_000;
/// Longer than the directory of so many.
const LONGEST_DIRECTORY: u64 = 64 << 20;
const LONGEST_MANIFEST: u64 = 64 << 20;
/// What is larger than the first and packed tighter than the second is made to fill a memory.
const BOMB: u64 = 16 << 20;
const TIGHTEST: u64 = 500;
const RECORDS: &str = "messages.json";

/// What [`Open`] and [`Restore`] need next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// So many bytes of the ZIP from there: `bytes()`.
    Range {
        at: u64,
        len: usize,
    },
    Done,
    Failed(Reason),
}

/// Why a ZIP is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    NotAZip,
    /// It begins as a ZIP and its end is missing: not downloaded to its end, perhaps.
    Cut,
    /// A ZIP, but not one of this extension.
    NotOurs,
    /// Written by a version of the extension that is newer than this one; the number of its format.
    Newer(u64),
    /// Not as it was written. The path is empty where it is the ZIP's own directory.
    Damaged {
        path: String,
    },
    /// The manifest names it, and it is not there.
    Missing {
        path: String,
    },
    /// An entry that no ZIP of ours has: twice the same name, a name that leads out, encrypted, packed in another way, not in
    /// the manifest.
    Odd {
        path: String,
    },
    /// Larger than the limit that was given, or far larger than what it was packed from.
    TooLarge,
}

/// What is in a ZIP that was found whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// `user@domain`
    pub owner: String,
    pub server: String,
    pub at: Time,
    pub messages: u64,
    pub sent: u64,
    pub received: u64,
    pub conversations: u64,
    pub people: u64,
    /// Addresses of files that are inside, and of such that are not.
    pub files_saved: u64,
    pub files_missing: u64,
    /// Of everything inside, unpacked.
    pub size: u64,
}

/// A file in the ZIP, and where it was saved from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stored {
    urls: Vec<String>,
    kind: String,
    sha256: String,
}

/// What has been found out so far.
#[derive(Debug, Default)]
struct Found {
    /// Where the directory begins: entries end before.
    limit: u64,
    items: Table<Item>,
    /// What the manifest says: size and checksum.
    manifest: Table<(u64, String)>,
    media: Table<Stored>,
    contents: Contents,
}

#[derive(Debug)]
enum Stage {
    Tail,
    /// Whether it begins as a ZIP at least.
    Start,
    End64(u64),
    Directory {
        directory: Directory,
        read: u64,
        entries: u64,
        rest: Vec<u8>,
    },
    Manifest {
        walk: Walk,
        lines: Reader,
    },
    Entries {
        order: Vec<String>,
        next: usize,
        walk: Option<Walk>,
        lines: Reader,
        list: List,
    },
    Done,
}

/// First half: everything is read once and compared. Nothing is given out.
#[derive(Debug)]
pub struct Open {
    size: u64,
    limit: u64,
    stage: Stage,
    found: Found,
    failed: Option<Reason>,
    done: u64,
    all: u64,
}

fn damaged(path: &str) -> Reason {
    Reason::Damaged { path: path.to_owned() }
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(0)
}

impl Open {
    /// `size` is the length of the ZIP, `limit` the number of bytes that may come out of it.
    pub fn new(size: u64, limit: u64) -> Open {
        Open { size, limit, stage: Stage::Tail, found: Found::default(), failed: None, done: 0, all: size }
    }

    /// What it needs next. Asking twice gives the same.
    pub fn wants(&mut self) -> Ask {
        if let Some(reason) = &self.failed {
            return Ask::Failed(reason.clone());
        }
        let (at, len) = match &mut self.stage {
            Stage::Tail => (self.size - self.size.min(TAIL), length(self.size.min(TAIL))),
            Stage::Start => (0, length(self.size.min(4))),
            Stage::End64(at) => (*at, END64_LENGTH),
            Stage::Directory { directory, read, .. } => {
                (directory.at + *read, length((directory.length - *read).min(CHUNK)))
            }
            Stage::Manifest { walk, .. } => walk.wants().unwrap_or_default(),
            Stage::Entries { walk, .. } => walk.as_ref().and_then(Walk::wants).unwrap_or_default(),
            Stage::Done => return Ask::Done,
        };
        Ask::Range { at, len }
    }

    /// The answer to [`Ask::Range`]. Fewer bytes than were asked for mean that the ZIP is not what it was said to be.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let Ask::Range { len, .. } = self.wants() else { return };
        let result = if bytes.len() == len { self.step(bytes) } else { Err(Reason::Cut) };
        if let Err(reason) = result {
            self.failed = Some(reason);
        }
    }

    /// How much is done, of how much, in bytes.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.min(self.all), self.all)
    }

    /// `None` before [`Ask::Done`].
    pub fn contents(&self) -> Option<&Contents> {
        matches!((&self.stage, &self.failed), (Stage::Done, None)).then_some(&self.found.contents)
    }

    /// The second half; `None` before [`Ask::Done`].
    pub fn restore(self) -> Option<Restore> {
        self.contents()?;
        let item = self.found.items.get(RECORDS)?;
        let (mut all, mut media) = (item.packed, Vec::new());
        for (path, stored) in self.found.media.iter() {
            all += self.found.items.get(path).map_or(0, |item| item.packed);
            media.push((path.to_owned(), stored.clone()));
        }
        Some(Restore {
            limit: self.found.limit,
            walk: Some(Walk::new(item.clone(), self.found.limit)),
            file: None,
            items: self.found.items,
            manifest: self.found.manifest,
            media: media.into_iter(),
            lines: Reader::default(),
            list: List::default(),
            outs: Vec::new(),
            failed: None,
            done: 0,
            all,
        })
    }

    fn step(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        match &mut self.stage {
            Stage::Tail => match ending(bytes) {
                Some(Ending::Here(directory)) => self.directory(directory),
                Some(Ending::There(at)) => {
                    let end = at.checked_add(END64_LENGTH as u64).filter(|end| *end <= self.size);
                    self.stage = Stage::End64(end.map(|_| at).ok_or_else(|| damaged(""))?);
                    Ok(())
                }
                None if self.size >= 4 => {
                    self.stage = Stage::Start;
                    Ok(())
                }
                None => Err(Reason::NotAZip),
            },
            Stage::Start if bytes == super::zip::LOCAL.to_le_bytes() => Err(Reason::Cut),
            Stage::Start => Err(Reason::NotAZip),
            Stage::End64(_) => {
                let directory = ending64(bytes).ok_or_else(|| damaged(""))?;
                self.directory(directory)
            }
            Stage::Directory { directory, read, entries, rest } => {
                *read += bytes.len() as u64;
                rest.extend_from_slice(bytes);
                let mut from = 0;
                while let Some((item, length)) = listed(rest.get(from..).unwrap_or_default())? {
                    from += length;
                    *entries += 1;
                    if *entries > directory.entries {
                        return Err(damaged(""));
                    }
                    self.found.take_up(item)?;
                }
                rest.drain(..from);
                if *read < directory.length {
                    return Ok(());
                }
                if !rest.is_empty() || *entries != directory.entries {
                    return Err(damaged(""));
                }
                let total = self.found.weigh(self.limit)?;
                self.all = total;
                let item = self.found.items.get(MANIFEST).ok_or(Reason::NotOurs)?;
                if item.size > LONGEST_MANIFEST {
                    return Err(Reason::TooLarge);
                }
                let walk = Walk::new(item.clone(), self.found.limit);
                self.stage = Stage::Manifest { walk, lines: Reader::default() };
                Ok(())
            }
            Stage::Manifest { walk, lines } => {
                self.done += bytes.len() as u64;
                let found = &mut self.found;
                let mut reason = None;
                walk.bytes(bytes, &mut |text| {
                    let read = lines.add(text, &mut |said| {
                        found.manifest_line(said).map_err(|why| {
                            reason = Some(why);
                            NotOurs
                        })
                    });
                    read.map_err(|_| reason.take().unwrap_or_else(|| damaged(MANIFEST)))
                })?;
                if walk.wants().is_some() {
                    return Ok(());
                }
                let whole = lines.is_whole();
                let Stage::Manifest { walk, .. } = std::mem::replace(&mut self.stage, Stage::Tail) else {
                    return Err(Reason::NotOurs);
                };
                walk.end()?;
                if !whole {
                    return Err(damaged(MANIFEST));
                }
                self.found.hold_against_manifest()?;
                let order = self.found.in_order();
                let order = order.into_iter().map(|item| item.path.clone()).filter(|path| path != MANIFEST);
                let order = order.collect();
                self.stage = Stage::Entries {
                    order,
                    next: 0,
                    walk: None,
                    lines: Reader::default(),
                    list: List::default(),
                };
                self.next_entry()
            }
            Stage::Entries { walk, lines, list, .. } => {
                self.done += bytes.len() as u64;
                let Some(walk) = walk.as_mut() else { return Ok(()) };
                let records = walk.item.path == RECORDS;
                let found = &mut self.found;
                walk.bytes(bytes, &mut |text| {
                    if !records {
                        return Ok(());
                    }
                    let read = lines.add(text, &mut |said| list.hear(said, &mut |read| found.keep(read)));
                    read.map_err(|_| damaged(RECORDS))
                })?;
                if walk.wants().is_some() { Ok(()) } else { self.next_entry() }
            }
            Stage::Done => Ok(()),
        }
    }

    fn directory(&mut self, directory: Directory) -> Result<(), Reason> {
        let end = directory.at.checked_add(directory.length).filter(|end| *end <= self.size);
        if end.is_none() || (directory.entries == 0 && directory.length > 0) {
            return Err(damaged(""));
        }
        if directory.entries > MOST_ENTRIES || directory.length > LONGEST_DIRECTORY {
            return Err(Reason::TooLarge);
        }
        if directory.length == 0 {
            return Err(Reason::NotOurs);
        }
        self.found.limit = directory.at;
        self.stage = Stage::Directory { directory, read: 0, entries: 0, rest: Vec::new() };
        Ok(())
    }

    /// The entry that was read has to be what the manifest says; the next one begins.
    fn next_entry(&mut self) -> Result<(), Reason> {
        let Stage::Entries { order, next, walk, lines, .. } = &mut self.stage else { return Ok(()) };
        if let Some(walk) = walk.take() {
            let path = walk.item.path.clone();
            let sum = walk.end()?;
            if self.found.manifest.get(&path).is_none_or(|(_, listed)| *listed != sum) {
                return Err(Reason::Damaged { path });
            }
        }
        if let Some(item) = order.get(*next).and_then(|path| self.found.items.get(path)) {
            *next += 1;
            *walk = Some(Walk::new(item.clone(), self.found.limit));
            return Ok(());
        }
        if !lines.is_whole() {
            return Err(damaged(RECORDS));
        }
        for (path, stored) in self.found.media.iter() {
            match self.found.manifest.get(path) {
                None => return Err(Reason::Missing { path: path.to_owned() }),
                Some((_, sum)) if *sum != stored.sha256 => return Err(damaged(RECORDS)),
                Some(_) => {}
            }
        }
        self.stage = Stage::Done;
        Ok(())
    }
}

/// Whether an entry is one that we write. Others are left alone: programs that pack add files of their own.
fn is_ours(path: &str) -> bool {
    let inside =
        |folder: &str| path.strip_prefix(folder).is_some_and(|name| !name.is_empty() && !name.contains('/'));
    let at_the_top = [
        RECORDS,
        MANIFEST,
        "messages.html",
        "actor.json",
        "outbox.json",
        "likes.json",
        "bookmarks.json",
        "README.txt",
    ];
    at_the_top.contains(&path) || inside(MEDIA) || inside("text/")
}

/// A name that could lead anywhere else than into the folder it is unpacked in.
fn leads_out(path: &str) -> bool {
    path.is_empty()
        || path.starts_with('/')
        || path.contains(['\\', ':', '\0'])
        || path.split('/').any(|part| part == ".." || part == ".")
}

impl Found {
    /// An entry of the directory.
    fn take_up(&mut self, item: Item) -> Result<(), Reason> {
        if leads_out(&item.path) {
            return Err(Reason::Odd { path: item.path });
        }
        if !is_ours(&item.path) {
            return Ok(());
        }
        if !unzip::is_plain(&item) || self.items.get(&item.path).is_some() {
            return Err(Reason::Odd { path: item.path });
        }
        let path = item.path.clone();
        self.items.put(&path, item);
        Ok(())
    }

    /// As they lie in the ZIP.
    fn in_order(&self) -> Vec<&Item> {
        let all: Vec<&Item> = self.items.iter().map(|(_, item)| item).collect();
        let at = |at: usize| all.get(at).map(|item| item.at);
        let places = order(all.len(), &|left, right| at(left).cmp(&at(right)));
        places.into_iter().filter_map(|at| all.get(at).copied()).collect()
    }

    /// How much is read; and that no entry is larger than can be, nor lies where another lies.
    fn weigh(&self, limit: u64) -> Result<u64, Reason> {
        let (mut unpacked, mut packed) = (0u64, 0u64);
        let mut free = 0;
        for item in self.in_order() {
            unpacked = unpacked.saturating_add(item.size);
            packed = packed.saturating_add(item.packed);
            if unpacked > limit || (item.size > BOMB && item.size / TIGHTEST > item.packed) {
                return Err(Reason::TooLarge);
            }
            let end = item.at.checked_add(item.packed).filter(|end| item.at >= free && *end <= self.limit);
            free = end.ok_or_else(|| damaged(&item.path))?;
        }
        Ok(packed)
    }

    fn manifest_line(&mut self, said: Said) -> Result<(), Reason> {
        match said {
            Said::Head(head, list) => {
                let head = plain::json(&head).ok_or_else(|| damaged(MANIFEST))?;
                if head.get("format").and_then(Value::as_str) != Some(FORMAT) {
                    return Err(Reason::NotOurs);
                }
                match head.get("version").and_then(Value::as_u64) {
                    Some(version) if version > VERSION => return Err(Reason::Newer(version)),
                    Some(version) if version > 0 => {}
                    _ => return Err(Reason::NotOurs),
                }
                self.contents = contents(&head);
                if list == "files" { Ok(()) } else { Err(damaged(MANIFEST)) }
            }
            Said::Item(line) => {
                let read = || {
                    let fields = Fields::read(line)?;
                    Some((fields.text("path")?, (fields.number("size")?, fields.text("sha256")?)))
                };
                let (path, entry) = read().ok_or_else(|| damaged(MANIFEST))?;
                if !is_ours(&path) || path == MANIFEST {
                    return Err(Reason::Odd { path });
                }
                self.contents.size = self.contents.size.saturating_add(entry.0);
                if self.manifest.get(&path).is_some() {
                    return Err(damaged(MANIFEST));
                }
                self.manifest.put(&path, entry);
                Ok(())
            }
            Said::List(_) => Err(damaged(MANIFEST)),
            Said::End => Ok(()),
        }
    }

    /// Whether all that the manifest names is there, and nothing else.
    fn hold_against_manifest(&self) -> Result<(), Reason> {
        for (path, (size, _)) in self.manifest.iter() {
            match self.items.get(path) {
                None => return Err(Reason::Missing { path: path.to_owned() }),
                Some(item) if item.size != *size => return Err(damaged(path)),
                Some(_) => {}
            }
        }
        if self.manifest.get(RECORDS).is_none() {
            return Err(Reason::Missing { path: RECORDS.to_owned() });
        }
        for (path, _) in self.items.iter() {
            if path != MANIFEST && self.manifest.get(path).is_none() {
                return Err(Reason::Odd { path: path.to_owned() });
            }
        }
        Ok(())
    }

    /// Where files lie that the records speak of.
    fn keep(&mut self, read: Read) -> Result<(), NotOurs> {
        let Some((path, url)) = read.file else { return Ok(()) };
        let record = read.records.first().and_then(|record| record.text.as_deref());
        let Some(File::Saved { kind, sha256, .. }) = record.and_then(File::read) else { return Err(NotOurs) };
        if !path.starts_with(MEDIA) {
            return Err(NotOurs);
        }
        let stored = self.media.entry(&path);
        if stored.urls.is_empty() {
            (stored.kind, stored.sha256) = (kind, sha256);
        } else if stored.sha256 != sha256 {
            return Err(NotOurs);
        }
        stored.urls.push(url);
        Ok(())
    }
}

/// What the manifest tells about the whole.
fn contents(head: &Value) -> Contents {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let count = |name: &str| head.get("counts").and_then(|counts| counts.get(name)?.as_u64()).unwrap_or(0);
    Contents {
        owner: text(head.get("owner").and_then(|owner| owner.get("handle"))),
        server: text(head.get("server")),
        at: Time::from_iso(&text(head.get("at"))).unwrap_or_default(),
        messages: count("messages"),
        sent: count("sent"),
        received: count("received"),
        conversations: count("conversations"),
        people: count("people"),
        files_saved: count("saved"),
        files_missing: count("missing"),
        size: 0,
    }
}

/// Which list of `messages.json` a line is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum List {
    #[default]
    None,
    Statuses,
    Conversations,
    Files,
    Records,
    /// People, who are in the statuses; and lists that a later version may add.
    Other,
}

/// What a line of `messages.json` holds.
struct Read {
    records: Vec<Record>,
    /// The path and the address, where the file is in the ZIP.
    file: Option<(String, String)>,
}

impl List {
    fn of(name: &str) -> List {
        match name {
            "statuses" => List::Statuses,
            "conversations" => List::Conversations,
            "files" => List::Files,
            "records" => List::Records,
            _ => List::Other,
        }
    }

    fn hear(&mut self, said: Said, take: &mut dyn FnMut(Read) -> Result<(), NotOurs>) -> Result<(), NotOurs> {
        match said {
            Said::Head(head, list) => {
                let head = plain::json(&head).ok_or(NotOurs)?;
                let format = head.get("format").and_then(Value::as_str);
                let version = head.get("version").and_then(Value::as_u64);
                *self = List::of(list);
                match (format, version) {
                    (Some(MESSAGES), Some(1..=VERSION)) => Ok(()),
                    _ => Err(NotOurs),
                }
            }
            Said::List(list) => {
                *self = List::of(list);
                Ok(())
            }
            Said::Item(line) => take(self.read(line).ok_or(NotOurs)?),
            Said::End => Ok(()),
        }
    }

    fn read(self, line: &str) -> Option<Read> {
        let mut read = Read { records: Vec::new(), file: None };
        if self == List::Other {
            return Some(read);
        }
        let fields = Fields::read(line)?;
        let key = fields.text("key")?;
        match self {
            List::Statuses => {
                let uri = key.strip_prefix(STATUS)?;
                let history = fields.raw("history").map(|text| Record::new(format!("{HISTORY}{uri}"), text));
                read.records.extend(fields.raw("status").map(|text| Record::new(key.clone(), text)));
                read.records.extend(history);
                if read.records.is_empty() {
                    return None;
                }
            }
            List::Files => {
                let url = key.strip_prefix(FILE)?.to_owned();
                // What was saved and is not here is not said to be saved where it is read back.
                if !fields.has("lost") {
                    read.records.push(Record::new(key, fields.raw("record")?));
                    read.file = fields.text("path").map(|path| (path, url));
                }
            }
            List::Conversations if !key.starts_with(CONVERSATION) => return None,
            List::Records if key.starts_with(STATUS) => return None,
            _ => read.records.push(Record::new(key, fields.raw("record")?)),
        }
        Some(read)
    }
}

/// What comes out of [`Restore`], in this order: all records, then file after file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Records(Vec<Record>),
    /// A file begins. It was saved from these addresses; their records are among [`Out::Records`].
    File {
        urls: Vec<String>,
        kind: String,
        size: u64,
        sha256: String,
    },
    Piece(Vec<u8>),
    /// The file that began is whole, and its checksum is right.
    End,
}

/// Second half: gives out what is inside. It is read and compared again, for the file may have changed since.
#[derive(Debug)]
pub struct Restore {
    limit: u64,
    items: Table<Item>,
    manifest: Table<(u64, String)>,
    media: std::vec::IntoIter<(String, Stored)>,
    walk: Option<Walk>,
    /// The file that is being given out; `None` while it is records.
    file: Option<String>,
    lines: Reader,
    list: List,
    outs: Vec<Out>,
    failed: Option<Reason>,
    done: u64,
    all: u64,
}

impl Restore {
    pub fn wants(&mut self) -> Ask {
        if let Some(reason) = &self.failed {
            return Ask::Failed(reason.clone());
        }
        match self.walk.as_ref().and_then(Walk::wants) {
            Some((at, len)) => Ask::Range { at, len },
            None => Ask::Done,
        }
    }

    /// The answer to [`Ask::Range`].
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.failed.is_none()
            && let Err(reason) = self.step(bytes)
        {
            self.failed = Some(reason);
        }
    }

    /// What came out since the last time. To be called after every answer.
    pub fn take(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.outs)
    }

    /// How much is done, of how much, in bytes.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.min(self.all), self.all)
    }

    fn step(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        let Some(walk) = self.walk.as_mut() else { return Ok(()) };
        self.done += bytes.len() as u64;
        let (lines, list, outs) = (&mut self.lines, &mut self.list, &mut self.outs);
        if self.file.is_some() {
            walk.bytes(bytes, &mut |piece| {
                if !piece.is_empty() {
                    outs.push(Out::Piece(piece.to_vec()));
                }
                Ok(())
            })?;
        } else {
            let mut records = Vec::new();
            walk.bytes(bytes, &mut |text| {
                let read = lines.add(text, &mut |said| {
                    list.hear(said, &mut |read| {
                        records.extend(read.records);
                        Ok(())
                    })
                });
                read.map_err(|_| damaged(RECORDS))
            })?;
            if !records.is_empty() {
                outs.push(Out::Records(records));
            }
        }
        if walk.wants().is_some() {
            return Ok(());
        }
        let Some(walk) = self.walk.take() else { return Ok(()) };
        let path = walk.item.path.clone();
        let sum = walk.end()?;
        if self.manifest.get(&path).is_none_or(|(_, listed)| *listed != sum) {
            return Err(Reason::Damaged { path });
        }
        if self.file.is_some() {
            self.outs.push(Out::End);
        }
        let Some((path, stored)) = self.media.next() else { return Ok(()) };
        let item = self.items.get(&path).ok_or_else(|| Reason::Missing { path: path.clone() })?;
        self.outs.push(Out::File {
            urls: stored.urls,
            kind: stored.kind,
            size: item.size,
            sha256: stored.sha256,
        });
        self.walk = Some(Walk::new(item.clone(), self.limit));
        self.file = Some(path);
        Ok(())
    }
}
