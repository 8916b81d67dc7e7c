//! Files that are handed in: each is compared with what was saved before it is written.

use crc::Digest;

use super::Fault;
use super::zip::{CRC, Writer};
use crate::message::digest::Sum;
use crate::small::find;

/// A file up to this size is kept while its checksum is made, so that it need not be read again.
const SMALL: u64 = 256 << 10;

/// A file as it lies in the ZIP: once, from however many addresses it was saved.
#[derive(Clone, Debug)]
pub struct Blob {
    pub sha256: String,
    pub kind: String,
    pub size: u64,
    pub path: String,
    pub urls: Vec<String>,
    /// It was there, and is written.
    pub here: bool,
}

/// A file that is being handed in.
struct Reading {
    /// Which of its addresses.
    url: usize,
    size: u64,
    crc: Digest<'static, u32>,
    sum: Sum,
    kept: Vec<u8>,
    /// It is as it was saved, and is read again to be written.
    again: bool,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reading({} bytes)", self.size)
    }
}

/// All of them, one after the other.
#[derive(Debug, Default)]
pub struct Media {
    blobs: Vec<Blob>,
    at: usize,
    reading: Option<Reading>,
    done: u64,
}

impl Media {
    pub fn new(blobs: Vec<Blob>) -> Media {
        Media { blobs, ..Media::default() }
    }

    /// Of all together.
    pub fn size(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.size).fold(0, u64::saturating_add)
    }

    /// How much of it was handed in.
    pub fn done(&self) -> u64 {
        self.done.saturating_add(self.reading.as_ref().map_or(0, |reading| reading.size))
    }

    pub fn blobs(&self) -> &[Blob] {
        &self.blobs
    }

    /// By its checksum, where they are in the order of these.
    pub fn of_sum(&self, sha256: &str) -> Option<&Blob> {
        let at = find(self.blobs.len(), &|at| self.blobs[at].sha256.as_str().cmp(sha256))?;
        self.blobs.get(at)
    }

    /// The address of the file that is being handed in.
    pub fn wants(&self) -> Option<&str> {
        let url = self.reading.as_ref()?.url;
        self.blobs.get(self.at)?.urls.get(url).map(String::as_str)
    }

    /// The next one. `false`: there is none.
    pub fn begin_next(&mut self) -> bool {
        let more = self.at < self.blobs.len();
        self.reading = more.then(|| Reading::of(0));
        more
    }

    /// A piece of it; `end` with the last one, which may be empty.
    pub fn file(&mut self, zip: &mut Writer, piece: &[u8], end: bool) -> Result<(), Fault> {
        let (Some(blob), Some(reading)) = (self.blobs.get(self.at), self.reading.as_mut()) else {
            return Ok(());
        };
        reading.size = reading.size.saturating_add(piece.len() as u64);
        if reading.size > blob.size {
            // Whatever else comes: it is not what was saved.
            return self.no_file();
        }
        if reading.again {
            zip.stored(piece);
            if end {
                let whole = reading.size == blob.size;
                if !zip.end() || !whole {
                    return self.no_file();
                }
                self.through(true);
            }
            return Ok(());
        }
        reading.crc.update(piece);
        reading.sum.add(piece);
        if blob.size <= SMALL {
            reading.kept.extend_from_slice(piece);
        }
        if !end {
            return Ok(());
        }
        if reading.size != blob.size || reading.sum.clone().hex() != blob.sha256 {
            return self.no_file();
        }
        zip.file(&blob.path, blob.size, reading.crc.clone().finalize());
        if blob.size <= SMALL {
            zip.stored(&reading.kept);
            zip.end();
            self.through(true);
        } else {
            self.reading = Some(Reading { again: true, ..Reading::of(reading.url) });
        }
        Ok(())
    }

    /// The file is not there, or could not be read to its end.
    pub fn no_file(&mut self) -> Result<(), Fault> {
        let (Some(blob), Some(reading)) = (self.blobs.get(self.at), self.reading.as_ref()) else {
            return Ok(());
        };
        let url = blob.urls.get(reading.url).cloned().unwrap_or_default();
        if reading.again {
            // Its beginning is written already.
            return Err(Fault::Changed { url });
        }
        // The same may have been saved from another address.
        let next = reading.url + 1;
        if next < blob.urls.len() {
            self.reading = Some(Reading::of(next));
        } else {
            self.through(false);
        }
        Ok(())
    }

    fn through(&mut self, here: bool) {
        if let Some(blob) = self.blobs.get_mut(self.at) {
            blob.here = here;
            self.done = self.done.saturating_add(blob.size);
        }
        self.at += 1;
        self.reading = None;
    }
}

impl Reading {
    fn of(url: usize) -> Reading {
        Reading { url, size: 0, crc: CRC.digest(), sum: Sum::default(), kept: Vec::new(), again: false }
    }
}
