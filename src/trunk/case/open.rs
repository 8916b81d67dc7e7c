//! Opens such a file, in another browser perhaps, and believes nothing in it: neither sizes nor names nor whose it is.

use serde_json::Value;

use super::{FILES, FORMAT, MOVE, README, RECORDS, VERSION};
use crate::bundle::MANIFEST;
use crate::bundle::json::{Fields, NotOurs, Reader, Said};
use crate::bundle::open::{Ask, Inside, Opened, Reason, Whole, damaged};
use crate::bundle::unzip::{Item, Walk};
use crate::message::record::{ABOUT, FILE, File, Record, STATUS};
use crate::plain::{self, Plain, text};
use crate::small::{Table, order};
use crate::trunk::drawer::Drawer;
use crate::trunk::store::{Move, may_speak};
use crate::when::Time;

/// A move takes some kilobytes.
const LONGEST_MOVE: usize = 8 << 20;
/// So many records are given out at once.
const BATCH: usize = 200;

/// What is in one drawer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub drawer: Drawer,
    pub records: u64,
    /// Of them, so many are messages.
    pub messages: u64,
    /// When what is in it was finished, or else begun.
    pub at: Option<Time>,
    /// `user@domain`, by the job's own word.
    owner: Option<String>,
}

impl Held {
    pub fn new(drawer: Drawer) -> Held {
        Held { drawer, records: 0, messages: 0, at: None, owner: None }
    }

    /// A record of it; what the database has is counted the same way.
    pub fn add(&mut self, key: &str, record: &str) {
        self.records += 1;
        self.messages += u64::from(key.starts_with(STATUS));
        if key == ABOUT
            && let Some(value) = plain::json(record)
        {
            let time = |key| value.get(key).and_then(Value::as_i64).map(Time);
            self.at = time("done").or_else(|| time("begun"));
            self.owner = value.get("owner").and_then(|owner| text(owner, "handle")).map(str::to_owned);
        }
    }
}

/// What is in a file that was found whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// Both accounts. What it says of its own success is not taken over: that is told by what is in the drawers.
    pub it: Move,
    pub at: Time,
    pub drawers: Vec<Held>,
    pub files: u64,
    /// So many files were not there any more when it was written.
    pub lost: u64,
    /// Of everything inside, unpacked.
    pub size: u64,
}

/// The places where a file is to be kept.
type Places = Vec<(Drawer, String)>;

/// What is looked at while it is read.
#[derive(Debug, Default)]
struct Looked {
    it: Vec<u8>,
    read: Option<Move>,
    at: Time,
    lines: Lined,
    drawers: Vec<Held>,
    files: Table<Places>,
    lost: u64,
}

/// A document of records under way.
#[derive(Debug, Default)]
struct Lined {
    path: String,
    lines: Reader,
    records: bool,
}

impl Lined {
    /// A piece of a document; those come one after another.
    fn add(
        &mut self,
        path: &str,
        piece: &[u8],
        take: &mut dyn FnMut(Drawer, String, String) -> Result<(), NotOurs>,
    ) -> Result<(), Reason> {
        let drawer = drawer_in(path).ok_or_else(|| Reason::Odd { path: path.to_owned() })?;
        if self.path != path {
            self.end()?;
            *self = Lined { path: path.to_owned(), ..Lined::default() };
        }
        let Lined { lines, records, .. } = self;
        let read = lines.add(piece, &mut |said| match said {
            Said::Head(head, list) => {
                let head = plain::json(&head).ok_or(NotOurs)?;
                *records = list == "records";
                if text(&head, "drawer") == Some(drawer.id()) { Ok(()) } else { Err(NotOurs) }
            }
            Said::Item(line) if *records => {
                let fields = Fields::read(line).ok_or(NotOurs)?;
                let key = fields.text("key").filter(|key| !key.is_empty()).ok_or(NotOurs)?;
                take(drawer, key, fields.raw("record").ok_or(NotOurs)?)
            }
            Said::Item(_) | Said::List(_) => Err(NotOurs),
            Said::End => Ok(()),
        });
        read.map_err(|_| damaged(path))
    }

    fn end(&self) -> Result<(), Reason> {
        if self.path.is_empty() || self.lines.is_whole() { Ok(()) } else { Err(damaged(&self.path)) }
    }
}

fn drawer_in(path: &str) -> Option<Drawer> {
    Drawer::of_id(path.strip_prefix(RECORDS)?.strip_suffix(".json")?)
}

pub(super) fn sum_in(path: &str) -> Option<&str> {
    let sum = path.strip_prefix(FILES)?;
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (sum.len() == 64 && sum.bytes().all(hex)).then_some(sum)
}

/// First half: everything is read once and compared. Nothing is given out.
#[derive(Debug)]
pub struct Open {
    whole: Whole,
    inside: Looked,
}

impl Open {
    /// `size` is the length of the ZIP, `limit` the number of bytes that may come out of it.
    pub fn new(size: u64, limit: u64) -> Open {
        Open { whole: Whole::new(size, limit), inside: Looked::default() }
    }

    /// What it needs next. Asking twice gives the same.
    pub fn wants(&mut self) -> Ask {
        self.whole.wants()
    }

    /// The answer to [`Ask::Range`]. Fewer bytes than were asked for mean that the ZIP is not what it was said to be.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.whole.bytes(bytes, &mut self.inside);
    }

    /// How much is done, of how much, in bytes.
    pub fn progress(&self) -> (u64, u64) {
        self.whole.progress()
    }

    /// `None` before [`Ask::Done`].
    pub fn contents(&self) -> Option<Contents> {
        let it = self.inside.read.clone().filter(|_| self.whole.is_whole())?;
        Some(Contents {
            it,
            at: self.inside.at,
            drawers: self.inside.drawers.clone(),
            files: self.inside.files.len() as u64 - self.inside.lost,
            lost: self.inside.lost,
            size: self.whole.unpacked(),
        })
    }

    /// The second half, for these drawers alone; `None` before [`Ask::Done`].
    pub fn restore(self, wanted: &[Drawer]) -> Option<Restore> {
        let Opened { limit, items, manifest } = self.whole.opened()?;
        let mut queue: Vec<(Item, Places)> = Vec::new();
        for (path, item) in items.iter() {
            if let Some(drawer) = drawer_in(path) {
                if wanted.contains(&drawer) {
                    queue.push((item.clone(), Vec::new()));
                }
            } else if let Some(sum) = sum_in(path) {
                let places = self.inside.files.get(sum).cloned().unwrap_or_default();
                let places: Places =
                    places.into_iter().filter(|(drawer, _)| wanted.contains(drawer)).collect();
                if !places.is_empty() {
                    queue.push((item.clone(), places));
                }
            }
        }
        let all = queue.iter().map(|(item, _)| item.packed).fold(0, u64::saturating_add);
        // As they lie there.
        let places = order(queue.len(), &|left, right| queue[left].0.at.cmp(&queue[right].0.at));
        let mut queue: Vec<Option<(Item, Places)>> = queue.into_iter().map(Some).collect();
        let queue: Vec<(Item, Places)> = places.into_iter().filter_map(|at| queue[at].take()).collect();
        let mut restore = Restore {
            limit,
            manifest,
            queue: queue.into_iter(),
            walk: None,
            lines: Lined::default(),
            outs: Vec::new(),
            failed: None,
            done: 0,
            all,
        };
        restore.next_entry();
        Some(restore)
    }
}

impl Inside for Looked {
    fn format(&self) -> (&'static str, u64) {
        (FORMAT, VERSION)
    }

    fn is_ours(&self, path: &str) -> bool {
        [MOVE, README, MANIFEST].contains(&path) || drawer_in(path).is_some() || sum_in(path).is_some()
    }

    fn head(&mut self, head: &Value) {
        self.at = Time::from_iso(text(head, "at").unwrap_or_default()).unwrap_or_default();
    }

    fn needs(&self) -> Option<&'static str> {
        Some(MOVE)
    }

    fn piece(&mut self, path: &str, piece: &[u8]) -> Result<(), Reason> {
        if path == MOVE {
            self.it.extend_from_slice(piece);
            return if self.it.len() > LONGEST_MOVE { Err(Reason::TooLarge) } else { Ok(()) };
        }
        if drawer_in(path).is_none() {
            return Ok(());
        }
        let (drawers, files) = (&mut self.drawers, &mut self.files);
        self.lines.add(path, piece, &mut |drawer, key, record| {
            let at = match drawers.iter().position(|held| held.drawer == drawer) {
                Some(at) => at,
                None => {
                    drawers.push(Held::new(drawer));
                    drawers.len() - 1
                }
            };
            drawers[at].add(&key, &record);
            if let Some(url) = key.strip_prefix(FILE)
                && let Some(File::Saved { sha256, .. }) = File::read(&record)
            {
                files.entry(&sha256).push((drawer, url.to_owned()));
            }
            Ok(())
        })
    }

    fn end(&mut self, manifest: &Table<(u64, String)>) -> Result<(), Reason> {
        self.lines.end()?;
        let text = std::str::from_utf8(&self.it).map_err(|_| damaged(MOVE))?;
        let value = plain::json(text).ok_or_else(|| damaged(MOVE))?;
        match plain::count(&value, "version") {
            Some(1..=VERSION) => {}
            Some(newer) => return Err(Reason::Newer(newer)),
            None => return Err(damaged(MOVE)),
        }
        let it = value.get("move").and_then(Move::read).ok_or_else(|| damaged(MOVE))?;
        for party in [&it.old, &it.new] {
            if party.handle.as_ref().is_some_and(|handle| !may_speak(&party.host, handle)) {
                return Err(damaged(MOVE));
            }
        }
        for held in &self.drawers {
            // One account's messages under another one's name.
            let named = it.party(held.drawer.side()).handle.as_ref();
            let theirs = match (named, held.owner.as_deref().map(str::parse)) {
                (Some(named), Some(Ok(owner))) => named.is_same(&owner),
                (named, None) => named.is_some(),
                _ => false,
            };
            if !theirs {
                return Err(damaged(MOVE));
            }
        }
        for (path, (_, sum)) in manifest.iter() {
            let Some(named) = sum_in(path) else { continue };
            if named != sum || self.files.get(named).is_none() {
                return Err(Reason::Odd { path: path.to_owned() });
            }
        }
        let there = |sum: &str| manifest.get(&format!("{FILES}{sum}")).is_some();
        self.lost = self.files.iter().filter(|(sum, _)| !there(sum)).count() as u64;
        self.read = Some(it);
        Ok(())
    }
}

/// What comes out of [`Restore`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Records(Drawer, Vec<Record>),
    /// A file begins, to be kept in these places.
    File {
        places: Vec<(Drawer, String)>,
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
    manifest: Table<(u64, String)>,
    queue: std::vec::IntoIter<(Item, Places)>,
    /// The entry under way; of a file its places.
    walk: Option<(Walk, bool)>,
    lines: Lined,
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
        match self.walk.as_ref().and_then(|(walk, _)| walk.wants()) {
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

    fn next_entry(&mut self) {
        let Some((item, places)) = self.queue.next() else { return };
        let is_file = !places.is_empty();
        if is_file {
            let sha256 = sum_in(&item.path).unwrap_or_default().to_owned();
            self.outs.push(Out::File { places, size: item.size, sha256 });
        }
        self.walk = Some((Walk::new(item, self.limit), is_file));
    }

    fn step(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        let Some((walk, is_file)) = self.walk.as_mut() else { return Ok(()) };
        self.done += bytes.len() as u64;
        let (lines, outs) = (&mut self.lines, &mut self.outs);
        let path = walk.item.path.clone();
        if *is_file {
            walk.bytes(bytes, &mut |piece| {
                if !piece.is_empty() {
                    outs.push(Out::Piece(piece.to_vec()));
                }
                Ok(())
            })?;
        } else {
            walk.bytes(bytes, &mut |piece| {
                lines.add(&path, piece, &mut |drawer, key, text| {
                    let record = Record::new(key, text);
                    match outs.last_mut() {
                        Some(Out::Records(own, some)) if *own == drawer && some.len() < BATCH => {
                            some.push(record);
                        }
                        _ => outs.push(Out::Records(drawer, vec![record])),
                    }
                    Ok(())
                })
            })?;
        }
        if walk.wants().is_some() {
            return Ok(());
        }
        let Some((walk, is_file)) = self.walk.take() else { return Ok(()) };
        let sum = walk.end()?;
        if self.manifest.get(&path).is_none_or(|(_, listed)| *listed != sum) {
            return Err(Reason::Damaged { path });
        }
        if is_file {
            self.outs.push(Out::End);
        } else {
            self.lines.end()?;
        }
        self.next_entry();
        Ok(())
    }
}
