//! Writes the file: the move, drawer after drawer as the database gives them, the files they speak of, the manifest.

use super::open::sum_in;
use super::{FILES, FORMAT, MOVE, README, RECORDS, VERSION};
use crate::bundle::json::{Lines, record};
use crate::bundle::media::{Blob, Media};
use crate::bundle::zip::Writer;
use crate::bundle::{FULL, Fault, MANIFEST, line};
use crate::message::record::{FILE, File};
use crate::plain::{Object, Plain};
use crate::small::Table;
use crate::trunk::drawer::Drawer;
use crate::trunk::store::Move;
use crate::when::Time;

/// What a record counts in the progress; about the bytes of one.
const RECORD: u64 = 2_000;
/// So many entries of the manifest are written at once.
const ENTRIES: usize = 100;
/// More than a reader takes.
const MOST_FILES: usize = 199_000;

/// What is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    pub it: Move,
    /// Every entry of the ZIP has this time.
    pub at: Time,
    /// The extension's version.
    pub extension: String,
    /// For whoever opens the ZIP with another program.
    pub readme: String,
}

/// What has to be handed in next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Some records of that drawer, in the order of their keys, those after this one: `records()`; with none left, nothing.
    Records {
        drawer: Drawer,
        after: Option<String>,
    },
    /// The file that is kept in that drawer under this address, in pieces: `file()`, or `no_file()`.
    File {
        drawer: Drawer,
        url: String,
    },
    /// Nothing: `take()` what was written, and ask again.
    Nothing,
    /// All is written; after `take()` the ZIP is whole.
    Done,
    Failed(Fault),
}

/// What is in the ZIP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In bytes, so far.
    pub size: u64,
    pub records: u64,
    pub files: u64,
    /// So many files are said to be saved and are not there any more, or not as they were.
    pub lost: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Move,
    /// The number of the drawer.
    Records(usize),
    Media,
    Manifest(usize),
    Directory,
    Done,
}

/// The file in the making.
#[derive(Debug)]
pub struct Case {
    about: About,
    drawers: Vec<Drawer>,
    zip: Writer,
    lines: Lines,
    stage: Stage,
    /// The last record of the drawer that was handed in.
    after: Option<String>,
    files: Table<Blob>,
    media: Media,
    fault: Option<Fault>,
    report: Report,
    done: u64,
}

impl Case {
    pub fn new(about: About) -> Case {
        let drawers = Drawer::ALL.into_iter().filter(|drawer| drawer.in_move(&about.it).is_some()).collect();
        Case {
            zip: Writer::new(about.at),
            about,
            drawers,
            lines: Lines::default(),
            stage: Stage::Move,
            after: None,
            files: Table::default(),
            media: Media::default(),
            fault: None,
            report: Report::default(),
            done: 0,
        }
    }

    /// What it needs next. Asking twice gives the same, unless it is [`Want::Nothing`].
    pub fn wants(&mut self) -> Want {
        loop {
            if self.zip.is_broken() {
                self.fault = Some(Fault::TooLarge);
            }
            if let Some(fault) = &self.fault {
                return Want::Failed(fault.clone());
            }
            if let Some((drawer, url)) = self.media.wants().and_then(place) {
                return Want::File { drawer, url };
            }
            if self.stage == Stage::Done {
                return Want::Done;
            }
            if self.zip.waiting() >= FULL {
                return Want::Nothing;
            }
            match self.stage {
                Stage::Records(at) => match self.drawers.get(at) {
                    Some(drawer) => return Want::Records { drawer: *drawer, after: self.after.clone() },
                    None => self.end_of_records(),
                },
                _ => self.step(),
            }
        }
    }

    /// The answer to [`Want::Records`].
    pub fn records(&mut self, some: &[(String, String)]) {
        let Stage::Records(at) = self.stage else { return };
        let Some(drawer) = self.drawers.get(at).copied() else { return };
        for (key, text) in some {
            if self.after.is_none() {
                let path = format!("{RECORDS}{}.json", drawer.id());
                self.zip.text(&path, false);
                let head = self.lines.begin(Object::new().text("drawer", drawer.id()), "records");
                self.write(&head);
            }
            self.after = Some(key.clone());
            let mut object = Object::new();
            record(object.text("key", key), "record", text);
            let line = self.lines.item(&object.end());
            self.write(&line);
            self.report.records += 1;
            self.done += RECORD;
            self.note_file(drawer, key, text);
        }
        if some.is_empty() {
            if self.after.take().is_some() {
                let end = self.lines.end();
                self.write(end);
                self.zip.end();
            }
            self.stage = Stage::Records(at + 1);
        }
    }

    /// A file that is saved goes along, from however many places it was.
    fn note_file(&mut self, drawer: Drawer, key: &str, text: &str) {
        let Some(url) = key.strip_prefix(FILE) else { return };
        let Some(File::Saved { size, sha256, .. }) = File::read(text) else { return };
        if sum_in(&format!("{FILES}{sha256}")).is_none() {
            return;
        }
        let place = format!("{} {url}", drawer.id());
        match self.files.get_mut(&sha256) {
            Some(known) => known.urls.push(place),
            None => {
                let path = format!("{FILES}{sha256}");
                let blob = Blob { sha256, kind: String::new(), size, path, urls: vec![place], here: false };
                self.files.put(&blob.sha256.clone(), blob);
            }
        }
    }

    /// A piece of the file of [`Want::File`]; `end` with the last one, which may be empty.
    pub fn file(&mut self, piece: &[u8], end: bool) {
        let result = self.media.file(&mut self.zip, piece, end);
        self.fault = self.fault.take().or(result.err());
    }

    /// The file is not there, or could not be read to its end.
    pub fn no_file(&mut self) {
        let result = self.media.no_file();
        self.fault = self.fault.take().or(result.err());
    }

    /// What was written since the last time. To be called after every answer, and after every piece of a file.
    pub fn take(&mut self) -> Vec<u8> {
        self.zip.take()
    }

    /// How much is done; how much there is in all shows only when the records were read.
    pub fn progress(&self) -> (u64, Option<u64>) {
        let files = (!matches!(self.stage, Stage::Move | Stage::Records(_))).then(|| self.media.size());
        let done = self.done.saturating_add(self.media.done());
        (done, files.map(|files| self.report.records.saturating_mul(RECORD).saturating_add(files)))
    }

    pub fn report(&self) -> Report {
        let lost = self.media.blobs().iter().filter(|blob| !blob.here);
        let files = self.media.blobs().len() as u64;
        let lost = if self.stage == Stage::Done { lost.count() as u64 } else { 0 };
        Report { size: self.zip.size(), files: files - lost, lost, ..self.report.clone() }
    }

    // --- stage by stage ---

    fn step(&mut self) {
        match self.stage {
            Stage::Move => {
                let it = self.about.it.write().to_string();
                let text = Object::new().number("version", VERSION).json("move", &it).end();
                self.whole(MOVE, &text);
                self.stage = Stage::Records(0);
            }
            Stage::Media if self.media.begin_next() => {}
            Stage::Media => {
                let readme = std::mem::take(&mut self.about.readme);
                self.whole(README, &readme);
                let head = self.head();
                let head = self.lines.begin(&head, "files");
                self.zip.text(MANIFEST, false);
                self.write(&head);
                self.stage = Stage::Manifest(0);
            }
            Stage::Manifest(at) => self.manifest(at),
            Stage::Directory if self.zip.directory() => self.stage = Stage::Done,
            Stage::Records(_) | Stage::Directory | Stage::Done => {}
        }
    }

    fn end_of_records(&mut self) {
        if self.files.len() > MOST_FILES {
            self.fault = Some(Fault::TooLarge);
        }
        let blobs = self.files.iter().map(|(_, blob)| blob.clone()).collect();
        self.files = Table::default();
        self.media = Media::new(blobs);
        self.stage = Stage::Media;
    }

    fn write(&mut self, text: &str) {
        self.zip.write(text.as_bytes());
    }

    fn whole(&mut self, path: &str, text: &str) {
        self.zip.text(path, false);
        self.write(text);
        self.zip.end();
    }

    fn head(&self) -> Object {
        let mut head = Object::new();
        head.text("format", FORMAT)
            .number("version", VERSION)
            .text("old", &self.about.it.old.name())
            .text("new", &self.about.it.new.name())
            .text("at", &self.about.at.iso())
            .text("extension", &self.about.extension);
        head
    }

    fn manifest(&mut self, at: usize) {
        let entries = self.zip.entries().iter().skip(at).take(ENTRIES);
        let lines: Vec<String> = entries.map(|entry| line(&mut self.lines, entry)).collect();
        for line in &lines {
            self.write(line);
        }
        self.stage = Stage::Manifest(at + lines.len());
        if lines.is_empty() {
            let end = self.lines.end();
            self.write(end);
            self.zip.end();
            self.stage = Stage::Directory;
        }
    }
}

/// Where a file is kept: `DRAWER ADDRESS`.
fn place(place: &str) -> Option<(Drawer, String)> {
    let (drawer, url) = place.split_once(' ')?;
    Some((Drawer::of_id(drawer)?, url.to_owned()))
}
