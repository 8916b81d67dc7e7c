//! Opens a ZIP of ours, on another machine perhaps, and trusts nothing in it before it is held against its manifest. A ZIP
//! that was unpacked and packed again by another program is read too.

use serde_json::Value;

use super::MANIFEST;
use super::json::{Fields, NotOurs, Reader, Said};
use super::unzip::{
    self, CHUNK, Directory, END64_LENGTH, Ending, Item, TAIL, Walk, ending, ending64, listed,
};
use crate::plain;
use crate::small::{Table, order};

/// More entries than a ZIP of ours will ever have.
const MOST_ENTRIES: u64 = 200_000;
/// Longer than the directory of so many.
const LONGEST_DIRECTORY: u64 = 64 << 20;
const LONGEST_MANIFEST: u64 = 64 << 20;
/// What is larger than the first and packed tighter than the second is made to fill a memory.
const BOMB: u64 = 16 << 20;
const TIGHTEST: u64 = 500;

/// What is needed next.
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

/// What a kind of ZIP is known by, and who looks at what is in it while it is read.
pub trait Inside {
    /// What its manifest says that it is, and the newest version of that which is read.
    fn format(&self) -> (&'static str, u64);
    /// Whether an entry is one that we write. Others are left alone: programs that pack add files of their own.
    fn is_ours(&self, path: &str) -> bool;
    /// What the manifest tells about the whole.
    fn head(&mut self, head: &Value);
    /// Whether an entry has to be there.
    fn needs(&self) -> Option<&'static str>;
    /// A piece of an entry. They come as they lie in the ZIP, each whole before the next one begins.
    fn piece(&mut self, path: &str, piece: &[u8]) -> Result<(), Reason>;
    /// All entries are as the manifest says.
    fn end(&mut self, manifest: &Table<(u64, String)>) -> Result<(), Reason>;
}

/// What has been found out so far.
#[derive(Debug, Default)]
struct Found {
    /// Where the directory begins: entries end before.
    limit: u64,
    items: Table<Item>,
    /// What the manifest says: size and checksum.
    manifest: Table<(u64, String)>,
    /// Of everything inside, unpacked.
    size: u64,
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
    },
    Done,
}

/// Everything is read once and compared. Nothing is given out.
#[derive(Debug)]
pub struct Whole {
    size: u64,
    limit: u64,
    stage: Stage,
    found: Found,
    failed: Option<Reason>,
    done: u64,
    all: u64,
}

/// What a ZIP that was found whole is read again with.
#[derive(Debug)]
pub struct Opened {
    /// Where the directory begins: entries end before.
    pub limit: u64,
    pub items: Table<Item>,
    /// Size and checksum of each.
    pub manifest: Table<(u64, String)>,
}

pub fn damaged(path: &str) -> Reason {
    Reason::Damaged { path: path.to_owned() }
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(0)
}

impl Whole {
    /// `size` is the length of the ZIP, `limit` the number of bytes that may come out of it.
    pub fn new(size: u64, limit: u64) -> Whole {
        Whole { size, limit, stage: Stage::Tail, found: Found::default(), failed: None, done: 0, all: size }
    }

    /// What it needs next. Asking twice gives the same.
    pub fn wants(&self) -> Ask {
        if let Some(reason) = &self.failed {
            return Ask::Failed(reason.clone());
        }
        let (at, len) = match &self.stage {
            Stage::Tail => (self.size - self.size.min(TAIL), length(self.size.min(TAIL))),
            Stage::Start => (0, length(self.size.min(4))),
            Stage::End64(at) => (*at, END64_LENGTH),
            Stage::Directory { directory, read, .. } => {
                (directory.at + read, length((directory.length - read).min(CHUNK)))
            }
            Stage::Manifest { walk, .. } => walk.wants().unwrap_or_default(),
            Stage::Entries { walk, .. } => walk.as_ref().and_then(Walk::wants).unwrap_or_default(),
            Stage::Done => return Ask::Done,
        };
        Ask::Range { at, len }
    }

    /// The answer to [`Ask::Range`]. Fewer bytes than were asked for mean that the ZIP is not what it was said to be.
    pub fn bytes(&mut self, bytes: &[u8], inside: &mut dyn Inside) {
        let Ask::Range { len, .. } = self.wants() else { return };
        let result = if bytes.len() == len { self.step(bytes, inside) } else { Err(Reason::Cut) };
        if let Err(reason) = result {
            self.failed = Some(reason);
        }
    }

    /// How much is done, of how much, in bytes.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.min(self.all), self.all)
    }

    pub fn is_whole(&self) -> bool {
        matches!((&self.stage, &self.failed), (Stage::Done, None))
    }

    /// Of everything inside, unpacked.
    pub fn unpacked(&self) -> u64 {
        self.found.size
    }

    /// `None` unless it is whole.
    pub fn opened(self) -> Option<Opened> {
        let whole = self.is_whole();
        let Found { limit, items, manifest, .. } = self.found;
        whole.then_some(Opened { limit, items, manifest })
    }

    fn step(&mut self, bytes: &[u8], inside: &mut dyn Inside) -> Result<(), Reason> {
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
                    self.found.take_up(item, inside)?;
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
                        found.manifest_line(said, inside).map_err(|why| {
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
                self.found.hold_against_manifest(inside)?;
                let order = self.found.in_order();
                let order = order.into_iter().map(|item| item.path.clone()).filter(|path| path != MANIFEST);
                let order = order.collect();
                self.stage = Stage::Entries { order, next: 0, walk: None };
                self.next_entry(inside)
            }
            Stage::Entries { walk, .. } => {
                self.done += bytes.len() as u64;
                let Some(walk) = walk.as_mut() else { return Ok(()) };
                let path = walk.item.path.clone();
                walk.bytes(bytes, &mut |piece| inside.piece(&path, piece))?;
                if walk.wants().is_some() { Ok(()) } else { self.next_entry(inside) }
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
    fn next_entry(&mut self, inside: &mut dyn Inside) -> Result<(), Reason> {
        let Stage::Entries { order, next, walk } = &mut self.stage else { return Ok(()) };
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
        inside.end(&self.found.manifest)?;
        self.stage = Stage::Done;
        Ok(())
    }
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
    fn take_up(&mut self, item: Item, inside: &dyn Inside) -> Result<(), Reason> {
        if leads_out(&item.path) {
            return Err(Reason::Odd { path: item.path });
        }
        if !inside.is_ours(&item.path) {
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

    fn manifest_line(&mut self, said: Said, inside: &mut dyn Inside) -> Result<(), Reason> {
        match said {
            Said::Head(head, list) => {
                let head = plain::json(&head).ok_or_else(|| damaged(MANIFEST))?;
                let (format, newest) = inside.format();
                if head.get("format").and_then(Value::as_str) != Some(format) {
                    return Err(Reason::NotOurs);
                }
                match head.get("version").and_then(Value::as_u64) {
                    Some(version) if version > newest => return Err(Reason::Newer(version)),
                    Some(version) if version > 0 => {}
                    _ => return Err(Reason::NotOurs),
                }
                inside.head(&head);
                if list == "files" { Ok(()) } else { Err(damaged(MANIFEST)) }
            }
            Said::Item(line) => {
                let read = || {
                    let fields = Fields::read(line)?;
                    Some((fields.text("path")?, (fields.number("size")?, fields.text("sha256")?)))
                };
                let (path, entry) = read().ok_or_else(|| damaged(MANIFEST))?;
                if !inside.is_ours(&path) || path == MANIFEST {
                    return Err(Reason::Odd { path });
                }
                self.size = self.size.saturating_add(entry.0);
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
    fn hold_against_manifest(&self, inside: &dyn Inside) -> Result<(), Reason> {
        for (path, (size, _)) in self.manifest.iter() {
            match self.items.get(path) {
                None => return Err(Reason::Missing { path: path.to_owned() }),
                Some(item) if item.size != *size => return Err(damaged(path)),
                Some(_) => {}
            }
        }
        if let Some(needed) = inside.needs().filter(|path| self.manifest.get(path).is_none()) {
            return Err(Reason::Missing { path: needed.to_owned() });
        }
        for (path, _) in self.items.iter() {
            if path != MANIFEST && self.manifest.get(path).is_none() {
                return Err(Reason::Odd { path: path.to_owned() });
            }
        }
        Ok(())
    }
}
