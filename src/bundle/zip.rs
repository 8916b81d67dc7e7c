//! A ZIP as it is written: entry after entry, nothing taken back, with ZIP64 where it needs it.
//!
//! Framing of our own over kept libraries. Measured in wasm32 as the extension is built (opt-level z, fat LTO, wasm-opt -Oz,
//! gzip), on top of an empty module: `zip` 9.4 56 KB to write and 84 KB with reading, and its reader wants a source that
//! can be sought in, which a browser's file is not; `rc-zip` 5.4, which is fed as we are, 200 KB to read only. `miniz_oxide`
//! costs 10 KB to pack and 7 KB to unpack, `crc` 1 KB (`crc32fast` 18 KB, its tables), the framing here and in [`super::open`]
//! a few more.
//!
//! Text is packed as it comes, so its size follows it ("data descriptor"). Of a file everything is known before it is
//! written, so its header is whole, and any reader can take the ZIP from a stream.

use crc::{CRC_32_ISO_HDLC, Crc, Digest};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};

use crate::message::digest::Sum;
use crate::when::{Civil, Time};

pub static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

pub const LOCAL: u32 = 0x0403_4b50;
pub const DESCRIPTOR: u32 = 0x0807_4b50;
pub const CENTRAL: u32 = 0x0201_4b50;
pub const END: u32 = 0x0605_4b50;
pub const END64: u32 = 0x0606_4b50;
pub const LOCATOR64: u32 = 0x0706_4b50;
pub const STORED: u16 = 0;
pub const DEFLATED: u16 = 8;
/// The id of the extra field with sizes of eight bytes.
pub const EXTRA64: u16 = 1;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// Sizes follow.
pub const DEFERRED: u16 = 1 << 3;
/// In a field of four bytes: look into the extra field.
pub const FULL: u32 = u32::MAX;
/// Made on Unix, so that programs there take the rights as they are below; version 4.5.
const MADE_BY: u16 = 3 << 8 | 45;
/// A plain file, to be read by everybody and written by its owner.
const RIGHTS: u32 = 0o100_644 << 16;

/// An entry that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub size: u64,
    pub sha256: String,
    crc: u32,
    packed: u64,
    at: u64,
    deferred: bool,
    /// Sizes have eight bytes.
    large: bool,
}

struct Open {
    entry: Entry,
    crc: Digest<'static, u32>,
    sum: Sum,
}

pub struct Writer {
    out: Vec<u8>,
    /// Of the ZIP so far, whether taken or not.
    size: u64,
    entries: Vec<Entry>,
    open: Option<Open>,
    packer: Box<CompressorOxide>,
    stamp: [u16; 2],
    /// Where the directory begins, and how many entries are listed in it.
    directory: Option<(u64, usize)>,
    broken: bool,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} bytes, {} entries)", self.size, self.entries.len())
    }
}

/// Time and date as ZIP has them: of UTC, in steps of two seconds, 1980 to 2107.
fn stamp(at: Time) -> [u16; 2] {
    let first = [0, 1 << 5 | 1];
    let Civil { date: (year, month, day), clock: (hour, minute, second) } = at.civil();
    let Some(year) = u16::try_from(year - 1980).ok().filter(|year| *year < 128) else { return first };
    // All below 60.
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(|part| part as u16);
    [hour << 11 | minute << 5 | (second / 2), year << 9 | month << 5 | day]
}

/// As a field of four bytes says it.
fn short(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(FULL)
}

impl Writer {
    pub fn new(at: Time) -> Writer {
        Writer {
            out: Vec::new(),
            size: 0,
            entries: Vec::new(),
            open: None,
            // Raw deflate (negative window), at the middle level.
            packer: Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(6, -15, 0))),
            stamp: stamp(at),
            directory: None,
            broken: false,
        }
    }

    /// How many bytes wait to be taken.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// An entry grew larger than its header can say.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.size += bytes.len() as u64;
    }

    /// A whole number of fields of two and four bytes, little-endian.
    fn put_fields(&mut self, fields: &[Field]) {
        for field in fields {
            match field {
                Field::Two(n) => self.put(&n.to_le_bytes()),
                Field::Four(n) => self.put(&n.to_le_bytes()),
                Field::Eight(n) => self.put(&n.to_le_bytes()),
            }
        }
    }

    /// An entry of text begins. `large`: it may have four gigabytes or more.
    pub fn text(&mut self, path: &str, large: bool) {
        self.packer.reset();
        self.begin(Entry {
            path: path.to_owned(),
            size: 0,
            sha256: String::new(),
            crc: 0,
            packed: 0,
            at: self.size,
            deferred: true,
            large,
        });
    }

    /// A file begins, of which all is known: what follows goes into [`Writer::stored`].
    pub fn file(&mut self, path: &str, size: u64, crc: u32) {
        self.begin(Entry {
            path: path.to_owned(),
            size,
            sha256: String::new(),
            crc,
            packed: size,
            at: self.size,
            deferred: false,
            large: size >= u64::from(FULL),
        });
    }

    fn begin(&mut self, entry: Entry) {
        use Field::{Four, Two};
        self.end();
        let (size, packed) =
            if entry.large { (FULL, FULL) } else { (short(entry.size), short(entry.packed)) };
        let name = u16::try_from(entry.path.len()).unwrap_or(u16::MAX);
        self.put_fields(&[
            Four(LOCAL),
            Two(if entry.large { 45 } else { 20 }),
            Two(entry.flags()),
            Two(entry.method()),
            Two(self.stamp[0]),
            Two(self.stamp[1]),
            Four(entry.crc),
            Four(packed),
            Four(size),
            Two(name),
            Two(if entry.large { 20 } else { 0 }),
        ]);
        self.put(entry.path.as_bytes());
        if entry.large {
            self.extra(&[entry.size, entry.packed]);
        }
        self.open = Some(Open {
            entry: Entry { size: 0, packed: 0, ..entry },
            crc: CRC.digest(),
            sum: Sum::default(),
        });
    }

    fn extra(&mut self, sizes: &[u64]) {
        self.put(&EXTRA64.to_le_bytes());
        self.put(&(sizes.len() as u16 * 8).to_le_bytes());
        for size in sizes {
            self.put(&size.to_le_bytes());
        }
    }

    /// More of the text that began.
    pub fn write(&mut self, text: &[u8]) {
        self.pack(text, TDEFLFlush::None);
    }

    fn pack(&mut self, mut text: &[u8], flush: TDEFLFlush) {
        let Some(mut open) = self.open.take() else { return };
        open.entry.size += text.len() as u64;
        open.crc.update(text);
        open.sum.add(text);
        let mut buffer = [0; 8 * 1024];
        loop {
            let (status, read, written) = compress(&mut self.packer, text, &mut buffer, flush);
            text = text.get(read..).unwrap_or_default();
            open.entry.packed += written as u64;
            self.put(buffer.get(..written).unwrap_or_default());
            let stuck = read == 0 && written == 0;
            // With room left in the buffer, nothing waits inside.
            let through = text.is_empty() && written < buffer.len() && flush == TDEFLFlush::None;
            if status != TDEFLStatus::Okay || stuck || through {
                self.broken |=
                    !text.is_empty() || matches!(status, TDEFLStatus::BadParam | TDEFLStatus::PutBufFailed);
                break;
            }
        }
        self.open = Some(open);
    }

    /// More of the file that began.
    pub fn stored(&mut self, piece: &[u8]) {
        self.put(piece);
        if let Some(open) = self.open.as_mut() {
            open.entry.size += piece.len() as u64;
            open.entry.packed += piece.len() as u64;
            open.crc.update(piece);
            open.sum.add(piece);
        }
    }

    /// What began is whole. `false`: it is not what its header says.
    pub fn end(&mut self) -> bool {
        use Field::{Eight, Four};
        if self.open.as_ref().is_some_and(|open| open.entry.deferred) {
            self.pack(&[], TDEFLFlush::Finish);
        }
        let Some(Open { mut entry, crc, sum }) = self.open.take() else { return true };
        let crc = crc.finalize();
        let kept = entry.deferred || crc == entry.crc;
        entry.crc = crc;
        entry.sha256 = sum.hex();
        if entry.deferred {
            self.broken |= !entry.large && entry.size.max(entry.packed) >= u64::from(FULL);
            self.put_fields(&[Four(DESCRIPTOR), Four(crc)]);
            if entry.large {
                self.put_fields(&[Eight(entry.packed), Eight(entry.size)]);
            } else {
                self.put_fields(&[Four(short(entry.packed)), Four(short(entry.size))]);
            }
        }
        self.entries.push(entry);
        kept
    }

    /// Writes the directory, a piece at a time. `true` when it is whole, and the ZIP with it.
    pub fn directory(&mut self) -> bool {
        self.end();
        let (start, listed) = self.directory.unwrap_or((self.size, 0));
        let until = self.entries.len().min(listed + 1_000);
        for at in listed..until {
            if let Some(entry) = self.entries.get(at).cloned() {
                self.list(&entry);
            }
        }
        self.directory = Some((start, until));
        let whole = until == self.entries.len();
        if whole {
            self.finish(start);
        }
        whole
    }

    fn list(&mut self, entry: &Entry) {
        use Field::{Four, Two};
        let full = |size: u64| size >= u64::from(FULL);
        // Sizes of both kinds together, as the header has them.
        let mut sizes = Vec::new();
        if entry.large {
            sizes.extend([entry.size, entry.packed]);
        }
        if full(entry.at) {
            sizes.push(entry.at);
        }
        let of_large = |size: u64| if entry.large { FULL } else { short(size) };
        self.put_fields(&[
            Four(CENTRAL),
            Two(MADE_BY),
            Two(if sizes.is_empty() { 20 } else { 45 }),
            Two(entry.flags()),
            Two(entry.method()),
            Two(self.stamp[0]),
            Two(self.stamp[1]),
            Four(entry.crc),
            Four(of_large(entry.packed)),
            Four(of_large(entry.size)),
            Two(u16::try_from(entry.path.len()).unwrap_or(u16::MAX)),
            Two(if sizes.is_empty() { 0 } else { sizes.len() as u16 * 8 + 4 }),
            // No comment, the first disk, no attributes of DOS.
            Two(0),
            Two(0),
            Two(0),
            Four(RIGHTS),
            Four(short(entry.at)),
        ]);
        self.put(entry.path.as_bytes());
        if !sizes.is_empty() {
            self.extra(&sizes);
        }
    }

    fn finish(&mut self, start: u64) {
        use Field::{Eight, Four, Two};
        let (entries, length, end) = (self.entries.len() as u64, self.size - start, self.size);
        let few = u16::try_from(entries).unwrap_or(u16::MAX);
        if few == u16::MAX || start.max(length) >= u64::from(FULL) {
            self.put_fields(&[
                Four(END64),
                Eight(44),
                Two(MADE_BY),
                Two(45),
                Four(0),
                Four(0),
                Eight(entries),
                Eight(entries),
                Eight(length),
                Eight(start),
                Four(LOCATOR64),
                Four(0),
                Eight(end),
                Four(1),
            ]);
        }
        let fields = [Four(short(length)), Four(short(start)), Two(0)];
        self.put_fields(&[Four(END), Two(0), Two(0), Two(few), Two(few)]);
        self.put_fields(&fields);
    }
}

enum Field {
    Two(u16),
    Four(u32),
    Eight(u64),
}

impl Entry {
    fn flags(&self) -> u16 {
        UTF8 | if self.deferred { DEFERRED } else { 0 }
    }

    fn method(&self) -> u16 {
        if self.deferred { DEFLATED } else { STORED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_utc() {
        // 2026-11-21T20:09:15Z
        let [time, date] = stamp(Time(1_795_291_755_000));
        assert_eq!((time >> 11, time >> 5 & 63, (time & 31) * 2), (20, 9, 14));
        assert_eq!((date >> 9, date >> 5 & 15, date & 31), (46, 11, 21));
        for odd in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(stamp(Time(odd)), [0, 33]);
        }
    }

    /// Beyond four gigabytes, without writing so much: the bytes before are left out, and what is listed is held against
    /// what the reader makes of it.
    #[test]
    fn what_is_far_behind_or_large_has_long_numbers() {
        use super::super::unzip::{Ending, ending, ending64, listed};
        const BEFORE: u64 = 5 << 30;
        let mut zip = Writer { size: BEFORE, ..Writer::new(Time(0)) };
        zip.text("text", true);
        zip.write(b"hello");
        assert!(zip.end());
        let far = zip.size();
        zip.file("large", BEFORE, 7);
        // As if all of it had been written.
        if let Some(open) = zip.open.as_mut() {
            (open.entry.size, open.entry.packed) = (BEFORE, BEFORE);
        }
        assert!(!zip.end(), "its checksum is another");
        let start = zip.size();
        while !zip.directory() {}
        assert!(!zip.is_broken());
        let out = zip.take();
        let local = (far - BEFORE) as usize;
        assert_eq!(&out[local + 18..local + 26], &[0xff; 8]);
        assert_eq!(&out[local + 35..local + 39], &[1, 0, 16, 0]);

        let Some(Ending::There(at)) = ending(&out) else { panic!("no record of ZIP64") };
        let found = ending64(&out[(at - BEFORE) as usize..]).unwrap();
        assert_eq!((found.at, found.entries), (start, 2));
        let mut rest = &out[(found.at - BEFORE) as usize..];
        let mut items = Vec::new();
        for _ in 0..found.entries {
            let (item, length) = listed(rest).unwrap().unwrap();
            rest = &rest[length..];
            items.push((item.path, item.at, item.size));
        }
        let expected = [("text".to_owned(), BEFORE, 5), ("large".to_owned(), far, BEFORE)];
        assert_eq!(items, expected);
    }

    #[test]
    fn a_text_that_outgrows_its_header_is_told() {
        for large in [false, true] {
            let mut zip = Writer::new(Time(0));
            zip.text("text", large);
            if let Some(open) = zip.open.as_mut() {
                open.entry.size = 4 << 30;
            }
            zip.end();
            assert_eq!(zip.is_broken(), !large);
        }
    }
}
