//! Opens a ZIP of messages, on another machine perhaps.
//!
//! Two halves: [`Open`] reads everything once and gives out nothing; [`Restore`] gives it out. So nothing is half brought back
//! because the second half of a ZIP is damaged.

use serde_json::Value;

use super::{FORMAT, MEDIA, MESSAGES, VERSION};
use crate::bundle::MANIFEST;
use crate::bundle::json::{Fields, NotOurs, Reader, Said};
use crate::bundle::open::{Ask, Inside, Opened, Reason, Whole, damaged};
use crate::bundle::unzip::{Item, Walk};
use crate::message::record::{CONVERSATION, FILE, File, HISTORY, Record, STATUS};
use crate::plain;
use crate::small::Table;
use crate::when::Time;

const RECORDS: &str = "messages.json";

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

/// What is looked at while it is read.
#[derive(Debug, Default)]
struct Messages {
    media: Table<Stored>,
    contents: Contents,
    lines: Reader,
    list: List,
}

/// First half: everything is read once and compared. Nothing is given out.
#[derive(Debug)]
pub struct Open {
    whole: Whole,
    inside: Messages,
}

impl Open {
    /// `size` is the length of the ZIP, `limit` the number of bytes that may come out of it.
    pub fn new(size: u64, limit: u64) -> Open {
        Open { whole: Whole::new(size, limit), inside: Messages::default() }
    }

    /// What it needs next. Asking twice gives the same.
    pub fn wants(&mut self) -> Ask {
        self.whole.wants()
    }

    /// The answer to [`Ask::Range`]. Fewer bytes than were asked for mean that the ZIP is not what it was said to be.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.whole.bytes(bytes, &mut self.inside);
        self.inside.contents.size = self.whole.unpacked();
    }

    /// How much is done, of how much, in bytes.
    pub fn progress(&self) -> (u64, u64) {
        self.whole.progress()
    }

    /// `None` before [`Ask::Done`].
    pub fn contents(&self) -> Option<&Contents> {
        self.whole.is_whole().then_some(&self.inside.contents)
    }

    /// The second half; `None` before [`Ask::Done`].
    pub fn restore(self) -> Option<Restore> {
        let Opened { limit, items, manifest } = self.whole.opened()?;
        let item = items.get(RECORDS)?;
        let (mut all, mut media) = (item.packed, Vec::new());
        for (path, stored) in self.inside.media.iter() {
            all += items.get(path).map_or(0, |item| item.packed);
            media.push((path.to_owned(), stored.clone()));
        }
        Some(Restore {
            limit,
            walk: Some(Walk::new(item.clone(), limit)),
            file: None,
            items,
            manifest,
            media: media.into_iter(),
            lines: Reader::default(),
            list: List::default(),
            outs: Vec::new(),
            failed: None,
            done: 0,
            all,
        })
    }
}

impl Inside for Messages {
    fn format(&self) -> (&'static str, u64) {
        (FORMAT, VERSION)
    }

    fn is_ours(&self, path: &str) -> bool {
        let inside = |folder: &str| {
            path.strip_prefix(folder).is_some_and(|name| !name.is_empty() && !name.contains('/'))
        };
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

    fn head(&mut self, head: &Value) {
        self.contents = contents(head);
    }

    fn needs(&self) -> Option<&'static str> {
        Some(RECORDS)
    }

    fn piece(&mut self, path: &str, piece: &[u8]) -> Result<(), Reason> {
        if path != RECORDS {
            return Ok(());
        }
        let (list, media) = (&mut self.list, &mut self.media);
        let read = self.lines.add(piece, &mut |said| list.hear(said, &mut |read| keep(media, read)));
        read.map_err(|_| damaged(RECORDS))
    }

    fn end(&mut self, manifest: &Table<(u64, String)>) -> Result<(), Reason> {
        if !self.lines.is_whole() {
            return Err(damaged(RECORDS));
        }
        for (path, stored) in self.media.iter() {
            match manifest.get(path) {
                None => return Err(Reason::Missing { path: path.to_owned() }),
                Some((_, sum)) if *sum != stored.sha256 => return Err(damaged(RECORDS)),
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Where files lie that the records speak of.
fn keep(media: &mut Table<Stored>, read: Read) -> Result<(), NotOurs> {
    let Some((path, url)) = read.file else { return Ok(()) };
    let record = read.records.first().and_then(|record| record.text.as_deref());
    let Some(File::Saved { kind, sha256, .. }) = record.and_then(File::read) else { return Err(NotOurs) };
    if !path.starts_with(MEDIA) {
        return Err(NotOurs);
    }
    let stored = media.entry(&path);
    if stored.urls.is_empty() {
        (stored.kind, stored.sha256) = (kind, sha256);
    } else if stored.sha256 != sha256 {
        return Err(NotOurs);
    }
    stored.urls.push(url);
    Ok(())
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
