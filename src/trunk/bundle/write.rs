//! Writes the ZIP, in steps: pictures, the server's own files, ours, the words, the manifest. A few records are in memory
//! at a time, however many followers there are.

use super::entry::{self, Entry, Form};
use super::words::{self, name};
use super::{FORMAT, PICTURES, README, VERSION};
use crate::bundle::json::Lines;
use crate::bundle::media::{Blob, Media};
use crate::bundle::zip::Writer;
use crate::bundle::{FULL, Fault, MANIFEST, Want, kind, line};
use crate::job::pack::part::Part;
use crate::job::pack::{Pack, State, body_key, kept};
use crate::list::write::table;
use crate::message::record::File;
use crate::plain::{self, Object, text};
use crate::say::{Part as Word, Say, Words, say};
use crate::small::{Names, Table};
use crate::when::Time;

/// So many records are asked for at once. One of the server's own files may have a megabyte, a page of ours has ten
/// kilobytes.
const BATCH: usize = 16;
/// What a record counts in the progress; about the bytes of one.
const RECORD: u64 = 10_000;
/// So many entries of the manifest are written at once.
const ENTRIES: usize = 100;

/// How the records came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// When the packing ended. Every entry of the ZIP has this time, so that the same records give the same bytes.
    pub at: Time,
    /// The extension's version.
    pub extension: String,
}

/// What is in the ZIP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In bytes, so far.
    pub size: u64,
    pub entries: usize,
    /// Addresses of pictures that were saved and are not there any more, or not as they were.
    pub lost: Vec<String>,
    /// Keys of records that should be there and are not.
    pub gone: Vec<String>,
}

/// What is written at the moment, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It says which pictures there are.
    Profile,
    Media,
    /// Since when people follow.
    Since(usize),
    Entry {
        at: usize,
        source: usize,
        key: usize,
    },
    Manifest(usize),
    Directory,
    Done,
}

/// A ZIP in the making.
#[derive(Debug)]
pub struct Bundle {
    about: About,
    pack: Pack,
    entries: Vec<Entry>,
    zip: Writer,
    lines: Lines,
    stage: Stage,
    media: Media,
    notices: Vec<String>,
    since: Table<Time>,
    /// Of the entry that is written: which of its lists was begun, and who is in it already.
    begun: Option<usize>,
    seen: Names,
    asked: Vec<String>,
    given: Option<Vec<Option<String>>>,
    fault: Option<Fault>,
    report: Report,
    done: u64,
    all: u64,
}

impl Bundle {
    pub fn new(about: About, pack: &Pack) -> Bundle {
        let entries = entry::all(pack);
        let notices = pack.part(Part::Notices).map(entry::keys).unwrap_or_default();
        let records: usize = entries.iter().flat_map(|entry| &entry.sources).map(|one| one.keys.len()).sum();
        Bundle {
            zip: Writer::new(about.at),
            all: RECORD * (1 + notices.len() + records) as u64,
            entries,
            about,
            pack: pack.clone(),
            lines: Lines::default(),
            stage: Stage::Profile,
            media: Media::default(),
            notices,
            since: Table::default(),
            begun: None,
            seen: Names::default(),
            asked: Vec::new(),
            given: None,
            fault: None,
            report: Report::default(),
            done: 0,
        }
    }

    /// What it needs next. Asking twice gives the same, unless it is [`Want::Nothing`].
    pub fn wants(&mut self, words: &dyn Words) -> Want {
        loop {
            if self.zip.is_broken() {
                self.fault = Some(Fault::TooLarge);
            }
            if let Some(fault) = &self.fault {
                return Want::Failed(fault.clone());
            }
            if let Some(url) = self.media.wants() {
                return Want::File { url: url.to_owned() };
            }
            if !self.asked.is_empty() && self.given.is_none() {
                return Want::Records(self.asked.clone());
            }
            if self.stage == Stage::Done {
                return Want::Done;
            }
            if self.zip.waiting() >= FULL {
                return Want::Nothing;
            }
            self.step(words);
        }
    }

    /// The answer to [`Want::Records`].
    pub fn records(&mut self, texts: Vec<Option<String>>) {
        if !self.asked.is_empty() {
            self.given = Some(texts);
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

    /// How much is done, of how much.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.saturating_add(self.media.done()).min(self.all), self.all)
    }

    pub fn report(&self) -> Report {
        Report { size: self.zip.size(), entries: self.zip.entries().len(), ..self.report.clone() }
    }

    // --- stage by stage ---

    fn step(&mut self, words: &dyn Words) {
        match self.stage {
            Stage::Profile => self.profile(),
            Stage::Media if self.media.begin_next() => {}
            Stage::Media => {
                let gone = self.media.blobs().iter().filter(|blob| !blob.here);
                self.report.lost = gone.flat_map(|blob| blob.urls.clone()).collect();
                self.stage = Stage::Since(0);
            }
            Stage::Since(at) => self.since(at),
            Stage::Entry { at, source, key } => self.entry(at, source, key, words),
            Stage::Manifest(at) => self.manifest(at),
            Stage::Directory => {
                if self.zip.directory() {
                    self.done = self.all;
                    self.stage = Stage::Done;
                }
            }
            Stage::Done => {}
        }
    }

    fn write(&mut self, text: &str) {
        self.zip.write(text.as_bytes());
    }

    fn whole(&mut self, path: &str, text: &str) {
        self.zip.text(path, false);
        self.write(text);
        self.zip.end();
    }

    fn ask(&mut self, keys: Vec<String>) {
        self.done += RECORD * keys.len() as u64;
        self.asked = keys;
    }

    /// What was asked for; `None` where nothing was.
    fn answers(&mut self) -> Option<Vec<(String, Option<String>)>> {
        let given = self.given.take()?;
        let texts = given.into_iter().chain(std::iter::repeat(None));
        Some(std::mem::take(&mut self.asked).into_iter().zip(texts).collect())
    }

    fn profile(&mut self) {
        let Some(answers) = self.answers() else {
            return match self.pack.part(Part::Profile) {
                Some(progress) if progress.state != State::Absent => self.ask(vec![body_key(Part::Profile)]),
                _ => self.stage = Stage::Media,
            };
        };
        let value = answers.into_iter().find_map(|(_, text)| plain::json(&text?)).unwrap_or_default();
        let mut blobs = Vec::new();
        for key in ["avatar", "header"] {
            let url = text(&value, key).unwrap_or_default();
            let file = self.pack.pictures().find(|(own, _)| *own == url).and_then(|(_, file)| file);
            if let Some(File::Saved { kind, size, sha256, .. }) = file {
                blobs.push(Blob {
                    sha256: sha256.clone(),
                    kind: kind.clone(),
                    size: *size,
                    path: format!("{PICTURES}{key}.{}", kind::ext(kind)),
                    urls: vec![url.to_owned()],
                    here: false,
                });
            }
        }
        self.media = Media::new(blobs);
        self.all = self.all.saturating_add(self.media.size());
        self.stage = Stage::Media;
    }

    fn since(&mut self, at: usize) {
        for (_, text) in self.answers().unwrap_or_default() {
            let local = &self.pack.owner().domain;
            for (handle, time) in kept::followed_since(text.as_deref().unwrap_or_default(), local) {
                // The newest come first. Who left and came back follows since they came back.
                let handle = handle.acct().to_lowercase();
                if self.since.get(&handle).is_none() {
                    self.since.put(&handle, time);
                }
            }
        }
        match self.notices.get(at) {
            Some(key) => {
                self.ask(vec![key.clone()]);
                self.stage = Stage::Since(at + 1);
            }
            None => self.stage = Stage::Entry { at: 0, source: 0, key: 0 },
        }
    }

    fn entry(&mut self, at: usize, source: usize, key: usize, words: &dyn Words) {
        if let Some(answers) = self.answers() {
            for (name, text) in answers {
                match text {
                    Some(text) => self.put(at, source, &text, words),
                    None if self.entries[at].sources[source].sure => self.report.gone.push(name),
                    None => {}
                }
            }
        }
        let Some(entry) = self.entries.get(at) else { return self.finish(words) };
        let Some(from) = entry.sources.get(source) else {
            self.end_entry(at);
            self.stage = Stage::Entry { at: at + 1, source: 0, key: 0 };
            return;
        };
        let keys: Vec<String> = from.keys.iter().skip(key).take(BATCH).cloned().collect();
        if keys.is_empty() {
            self.stage = Stage::Entry { at, source: source + 1, key: 0 };
        } else {
            self.stage = Stage::Entry { at, source, key: key + keys.len() };
            self.ask(keys);
        }
    }

    /// What a record gives to an entry, which begins with the first of it.
    fn put(&mut self, at: usize, source: usize, record: &str, words: &dyn Words) {
        let Entry { form, path, .. } = self.entries[at].clone();
        match form {
            Form::Same => self.whole(&path, record),
            Form::Json => {
                let take = self.entries[at].sources[source].take;
                let items = entry::items(take, record, &self.pack.owner().domain, &mut self.seen);
                if items.is_empty() {
                    return;
                }
                if self.begun.is_none() {
                    self.zip.text(&path, false);
                }
                self.lists(at, source);
                for item in items {
                    let line = self.lines.item(&item);
                    self.write(&line);
                }
            }
            Form::Table(sheet) => {
                let mut rows = sheet.rows(record, &self.since, &mut self.seen, words);
                if rows.is_empty() {
                    return;
                }
                let first = self.begun.is_none();
                if first {
                    rows.insert(0, sheet.head(words));
                    self.zip.text(&path, false);
                    self.begun = Some(source);
                }
                let text = table(&rows);
                self.write(if first { &text } else { text.trim_start_matches('\u{feff}') });
            }
        }
    }

    /// Begins the lists of a document up to this one.
    fn lists(&mut self, at: usize, until: usize) {
        for number in self.begun.map_or(0, |begun| begun + 1)..=until {
            let Some(name) = self.entries[at].sources.get(number).map(|source| source.name) else { break };
            let text = if number == 0 {
                let mut head = Object::new();
                head.text("of", &self.pack.owner().handle).text("at", &self.about.at.iso());
                self.lines.begin(&head, name)
            } else {
                self.lines.list(name)
            };
            self.write(&text);
            self.begun = Some(number);
        }
    }

    fn end_entry(&mut self, at: usize) {
        if self.begun.is_some() {
            if self.entries[at].form == Form::Json {
                self.lists(at, self.entries[at].sources.len().saturating_sub(1));
                let end = self.lines.end();
                self.write(end);
            }
            self.zip.end();
        }
        self.begun = None;
        self.seen.clear();
    }

    fn finish(&mut self, words: &dyn Words) {
        let there: Vec<String> = self.zip.entries().iter().map(|entry| entry.path.clone()).collect();
        let incomplete = self.incomplete(words);
        let readme = words::readme(&self.pack.owner().handle, self.about.at, &there, &incomplete, words);
        self.whole(README, &readme);
        let head = self.head(&incomplete, words);
        let head = self.lines.begin(&head, "files");
        self.zip.text(MANIFEST, false);
        self.write(&head);
        self.stage = Stage::Manifest(0);
    }

    /// What could not be packed, and why; and what the server counts otherwise.
    fn incomplete(&self, words: &dyn Words) -> Vec<Say> {
        let mut all = Vec::new();
        if self.pack.rescued() {
            all.push(say("pack_rescued"));
        }
        for progress in self.pack.parts() {
            let (Some(name), Some(why)) = (name(progress.part), words::why(&progress.state)) else {
                continue;
            };
            all.push(say(why).with(Word::Say(Box::new(say(name)))));
        }
        for difference in self.pack.differences() {
            let Some(name) = name(difference.part) else { continue };
            let number = |n: u64| words.number(i64::try_from(n).unwrap_or(i64::MAX));
            let what = say("pack_differs").with(Word::Say(Box::new(say(name))));
            all.push(what.with(number(difference.packed).as_str()).with(number(difference.counted).as_str()));
        }
        let pictures = self.pack.missing_pictures().len() + self.report.lost.len();
        if pictures > 0 {
            all.push(say("pack_pictures_missing").with(pictures));
        }
        if !self.report.gone.is_empty() {
            all.push(say("trunk_gone").with(self.report.gone.len()));
        }
        all
    }

    /// The manifest but for its list of entries.
    fn head(&self, incomplete: &[Say], words: &dyn Words) -> Object {
        let owner = self.pack.owner();
        let about = Object::new()
            .text("id", &owner.id)
            .text("handle", &owner.handle)
            .maybe("uri", owner.uri.as_deref())
            .end();
        let part = |progress: &crate::job::pack::Progress| {
            let done = progress.state == State::Done;
            Object::new()
                .text("part", progress.part.id())
                .text("state", words::state(&progress.state))
                .number("packed", progress.rows)
                .count("counted", words::counted(progress.part, self.pack.counts()))
                .maybe("at", progress.at.filter(|_| done).map(Time::iso).as_deref())
                .end()
        };
        let parts: Vec<String> = self.pack.parts().iter().map(part).collect();
        let remark =
            |remark: &Say| Object::new().text("id", &remark.key).text("words", &words.speak(remark)).end();
        let mut head = Object::new();
        head.text("format", FORMAT)
            .number("version", VERSION)
            .json("owner", &about)
            .text("server", owner.domain.as_str())
            .maybe("software", owner.version.as_deref())
            .text("begun", &self.pack.begun().iso())
            .text("at", &self.about.at.iso())
            .text("extension", &self.about.extension)
            .flag("rescued", self.pack.rescued())
            .list("parts", &parts)
            .list("incomplete", &incomplete.iter().map(remark).collect::<Vec<_>>());
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
