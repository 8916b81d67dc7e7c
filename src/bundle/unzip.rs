//! A ZIP as it is read: where its directory lies, what is listed in it, and one entry after another. Nothing in it is
//! believed: every number is held against the length of the ZIP and against the others.

use crc::Digest;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

use super::open::Reason;
use super::zip::{CENTRAL, CRC, DEFLATED, END, END64, EXTRA64, FULL, LOCAL, LOCATOR64, STORED};
use crate::message::digest::Sum;

/// The record at the end, without its comment.
const END_LENGTH: usize = 22;
const LOCATOR_LENGTH: usize = 20;
pub const END64_LENGTH: usize = 56;
/// Where the end can be: the longest comment, and the record of ZIP64 with its locator.
pub const TAIL: u64 = (END_LENGTH + u16::MAX as usize + LOCATOR_LENGTH + END64_LENGTH) as u64;
const CENTRAL_LENGTH: usize = 46;
const LOCAL_LENGTH: usize = 30;
/// So much is asked for at once.
pub const CHUNK: u64 = 256 << 10;
/// And of what is packed, which comes out many times as long.
const PACKED_CHUNK: u64 = 16 << 10;

pub fn two(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub fn four(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// What the end of a ZIP says of its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    pub at: u64,
    pub length: u64,
    pub entries: u64,
}

/// What the last bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Here(Directory),
    /// In a record of ZIP64 there.
    There(u64),
}

/// `tail` are the last bytes of a ZIP.
pub fn ending(tail: &[u8]) -> Option<Ending> {
    let last = tail.len().checked_sub(END_LENGTH)?;
    let at = (0..=last).rev().find(|at| {
        let comment = two(tail, at + 20).map(usize::from);
        four(tail, *at) == Some(END) && comment == Some(tail.len() - at - END_LENGTH)
    })?;
    let entries = two(tail, at + 10)?;
    let (length, start) = (four(tail, at + 12)?, four(tail, at + 16)?);
    if let Some(locator) = at.checked_sub(LOCATOR_LENGTH)
        && four(tail, locator) == Some(LOCATOR64)
    {
        return eight(tail, locator + 8).map(Ending::There);
    }
    // No second disk.
    (two(tail, at + 4)? == 0 && two(tail, at + 8)? == entries).then_some(Ending::Here(Directory {
        at: start.into(),
        length: length.into(),
        entries: entries.into(),
    }))
}

/// The record of ZIP64.
pub fn ending64(record: &[u8]) -> Option<Directory> {
    let entries = eight(record, 32)?;
    let here = four(record, 0)? == END64 && eight(record, 24)? == entries;
    here.then_some(Directory { at: eight(record, 48)?, length: eight(record, 40)?, entries })
}

/// An entry as the directory lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub path: String,
    pub at: u64,
    pub packed: u64,
    pub size: u64,
    pub crc: u32,
    pub method: u16,
    pub encrypted: bool,
}

/// The first entry of what is left of a directory, and its length. `Ok(None)`: more has to come.
pub fn listed(bytes: &[u8]) -> Result<Option<(Item, usize)>, Reason> {
    if bytes.len() < CENTRAL_LENGTH {
        return Ok(None);
    }
    let lengths = || Some([two(bytes, 28)?, two(bytes, 30)?, two(bytes, 32)?].map(usize::from));
    let Some([name, extra, comment]) = lengths().filter(|_| four(bytes, 0) == Some(CENTRAL)) else {
        return Err(Reason::Damaged { path: String::new() });
    };
    let length = CENTRAL_LENGTH + name + extra + comment;
    if bytes.len() < length {
        return Ok(None);
    }
    let name = bytes.get(CENTRAL_LENGTH..CENTRAL_LENGTH + name).unwrap_or_default();
    let path = String::from_utf8_lossy(name).into_owned();
    let extra =
        bytes.get(CENTRAL_LENGTH + name.len()..).and_then(|rest| rest.get(..extra)).unwrap_or_default();
    let read = || {
        let mut item = Item {
            at: four(bytes, 42)?.into(),
            packed: four(bytes, 20)?.into(),
            size: four(bytes, 24)?.into(),
            crc: four(bytes, 16)?,
            method: two(bytes, 10)?,
            encrypted: two(bytes, 8)? & 1 == 1,
            path: path.clone(),
        };
        let mut large = large(extra);
        for field in [&mut item.size, &mut item.packed, &mut item.at] {
            if *field == u64::from(FULL) {
                *field = large.next()?;
            }
        }
        Some(item)
    };
    match read() {
        Some(item) if std::str::from_utf8(name).is_ok() => Ok(Some((item, length))),
        _ => Err(Reason::Odd { path }),
    }
}

/// The numbers of ZIP64 in an extra field.
fn large(mut extra: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut found: &[u8] = &[];
    while let (Some(id), Some(length)) = (two(extra, 0), two(extra, 2)) {
        let rest = extra.get(4..).unwrap_or_default();
        let (field, after) = rest.split_at(rest.len().min(length.into()));
        if id == EXTRA64 {
            found = field;
            break;
        }
        extra = after;
    }
    found.chunks_exact(8).filter_map(|chunk| eight(chunk, 0))
}

/// What is done with the bytes of an entry.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Reason>;

/// An entry being read.
pub struct Walk {
    pub item: Item,
    /// How far, and where it ends, in the ZIP. The end is known once its header is read.
    at: u64,
    end: Option<u64>,
    /// Where something else begins at the latest.
    limit: u64,
    unpacker: Option<Box<InflateState>>,
    unpacked: bool,
    size: u64,
    crc: Digest<'static, u32>,
    sum: Sum,
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Walk({:?}, {} bytes)", self.item.path, self.size)
    }
}

impl Walk {
    pub fn new(item: Item, limit: u64) -> Walk {
        let packed = item.method == DEFLATED;
        Walk {
            at: item.at,
            end: None,
            limit,
            unpacker: packed.then(|| InflateState::new_boxed(DataFormat::Raw)),
            unpacked: false,
            size: 0,
            crc: CRC.digest(),
            sum: Sum::default(),
            item,
        }
    }

    /// Which bytes of the ZIP come next; none when all have come.
    pub fn wants(&self) -> Option<(u64, usize)> {
        let chunk = if self.unpacker.is_some() { PACKED_CHUNK } else { CHUNK };
        let length = match self.end {
            Some(end) => end.saturating_sub(self.at).min(chunk),
            // The header, and as much of what follows as may be its own.
            None => (LOCAL_LENGTH as u64 + self.item.path.len() as u64 + 64)
                .saturating_add(self.item.packed)
                .min(chunk + u64::from(u16::MAX))
                .min(self.limit.saturating_sub(self.at)),
        };
        (length > 0 || self.end.is_none()).then_some((self.at, usize::try_from(length).unwrap_or(0)))
    }

    fn damaged(&self) -> Reason {
        Reason::Damaged { path: self.item.path.clone() }
    }

    pub fn bytes(&mut self, bytes: &[u8], sink: Sink) -> Result<(), Reason> {
        let Some((_, asked)) = self.wants() else { return Ok(()) };
        if bytes.len() != asked {
            return Err(self.damaged());
        }
        let mut bytes = bytes;
        let end = match self.end {
            Some(end) => end,
            None => {
                let length = self.header(bytes).ok_or_else(|| self.damaged())?;
                self.at += length;
                bytes = bytes.get(usize::try_from(length).unwrap_or(usize::MAX)..).unwrap_or_default();
                let end = self.at.checked_add(self.item.packed).filter(|end| *end <= self.limit);
                let end = end.ok_or_else(|| self.damaged())?;
                self.end = Some(end);
                end
            }
        };
        let left = usize::try_from(end - self.at).unwrap_or(usize::MAX);
        let bytes = bytes.get(..left).unwrap_or(bytes);
        self.at += bytes.len() as u64;
        if self.unpacker.is_some() { self.unpack(bytes, sink) } else { self.out(bytes, sink) }
    }

    /// The length of the header that stands before the entry, which has to say what the directory says.
    fn header(&self, bytes: &[u8]) -> Option<u64> {
        let same = four(bytes, 0)? == LOCAL && two(bytes, 6)? & 1 == 0 && two(bytes, 8)? == self.item.method;
        let (name, extra) = (usize::from(two(bytes, 26)?), usize::from(two(bytes, 28)?));
        let path = bytes.get(LOCAL_LENGTH..LOCAL_LENGTH + name)?;
        let length = LOCAL_LENGTH + name + extra;
        (same && path == self.item.path.as_bytes() && bytes.len() >= length).then_some(length as u64)
    }

    fn out(&mut self, bytes: &[u8], sink: Sink) -> Result<(), Reason> {
        self.size += bytes.len() as u64;
        if self.size > self.item.size {
            return Err(self.damaged());
        }
        self.crc.update(bytes);
        self.sum.add(bytes);
        sink(bytes)
    }

    fn unpack(&mut self, mut bytes: &[u8], sink: Sink) -> Result<(), Reason> {
        let mut buffer = vec![0; 32 << 10];
        while !self.unpacked {
            let Some(unpacker) = self.unpacker.as_mut() else { break };
            let result = inflate(unpacker, bytes, &mut buffer, MZFlush::None);
            bytes = bytes.get(result.bytes_consumed..).unwrap_or_default();
            self.out(buffer.get(..result.bytes_written).unwrap_or_default(), sink)?;
            let moved = result.bytes_consumed > 0 || result.bytes_written > 0;
            match result.status {
                Ok(MZStatus::StreamEnd) => self.unpacked = true,
                Ok(_) | Err(miniz_oxide::MZError::Buf) if moved => {}
                Ok(_) | Err(miniz_oxide::MZError::Buf) => break,
                Err(_) => return Err(self.damaged()),
            }
        }
        // Bytes after the end of what is packed.
        if bytes.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }

    /// All is read: whether it is what the directory says. The checksum, if so.
    pub fn end(self) -> Result<String, Reason> {
        let whole = (self.unpacker.is_none() || self.unpacked) && self.size == self.item.size;
        if whole && self.crc.clone().finalize() == self.item.crc {
            Ok(self.sum.hex())
        } else {
            Err(self.damaged())
        }
    }
}

/// Whether it is packed in a way that we know.
pub fn is_plain(item: &Item) -> bool {
    !item.encrypted && (item.method == DEFLATED || (item.method == STORED && item.packed == item.size))
}
