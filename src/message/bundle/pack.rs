//! Writes the ZIP, in steps.
//!
//! Files come first, so that everything after them knows which of them are really there; then the page, the texts, the records
//! and the archive, each in a run of its own through the messages, a batch at a time; the manifest at the end.

use super::archive::{self, Around};
use super::manifest::{self, Counts};
use super::{About, Gathered, MEDIA, MESSAGES, Tools, person};
use crate::bundle::json::{Lines, record};
use crate::bundle::media::{Blob, Media};
use crate::bundle::zip::Writer;
use crate::bundle::{FULL, Fault, MANIFEST, Want, kind, line};
use crate::message::record::{FILE, File, HISTORY, Missing, STATUS};
use crate::message::thread::{Conversation, Note, put_together};
use crate::message::write::html::{self, Page};
use crate::message::write::text::Transcript;
use crate::message::write::{FileShown, Message, Saved, Step, file_stem};
use crate::plain::Object;
use crate::server::status::Person;
use crate::small::{Names, Table, find, order};

/// So many records are asked for at once, or so many that they have this length together.
const BATCH: usize = 200;
const BATCH_BYTES: usize = 256 << 10;

/// What is in the ZIP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In bytes, so far.
    pub size: u64,
    pub entries: usize,
    pub counts: Counts,
    /// Addresses of files that were saved and are not there any more, or not as they were. They are counted as missing.
    pub lost: Vec<String>,
    /// Keys of records that were there for the index and are not there any more.
    pub gone: Vec<String>,
}

/// What is known of everything at once.
#[derive(Debug)]
struct Light {
    about: About,
    notes: Vec<Note>,
    lengths: Vec<u32>,
    people: Vec<Person>,
    owner: u32,
    conversations: Vec<Conversation>,
    /// By address.
    files: Table<File>,
    media: Media,
    unreadable: Vec<String>,
    histories: Vec<String>,
    listed: Vec<String>,
    rest: Vec<String>,
    /// Indices into the notes, by the status' id.
    by_id: Vec<usize>,
    by_handle: Names,
}

/// What is written at the moment, and how far.
#[derive(Debug)]
enum Stage {
    Media,
    Page { steps: Vec<Step>, at: usize, unreadable: usize },
    Text { conversation: usize, notes: Vec<usize>, at: usize },
    Json { list: List, at: usize },
    Outbox(usize),
    Manifest(usize),
    Directory,
    Done,
}

/// The lists of `messages.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    People,
    Statuses,
    Conversations,
    Files,
    Records,
}

/// A ZIP in the making.
#[derive(Debug)]
pub struct Pack {
    light: Light,
    zip: Writer,
    lines: Lines,
    stage: Stage,
    /// The keys that were asked for, and where the stage stands after them.
    asked: Vec<String>,
    until: usize,
    given: Option<Vec<Option<String>>>,
    fault: Option<Fault>,
    report: Report,
    /// Entries of text have sizes of eight bytes.
    large: bool,
    done: u64,
    all: u64,
}

impl Pack {
    pub fn new(about: About, gathered: Gathered) -> Result<Pack, Fault> {
        let conversations = put_together(&gathered.notes, gathered.owner);
        let bytes = gathered.bytes;
        let light = Light::new(about, gathered, conversations);
        let texts: u64 = light.lengths.iter().map(|length| u64::from(*length)).sum();
        let media = light.media.size();
        // Sizes beyond this are nothing that a file system could hold, and sums of them are none.
        if media > 1 << 60 {
            return Err(Fault::TooLarge);
        }
        let direct = light.notes.iter().filter(|note| !note.public);
        let counts = Counts {
            messages: direct.clone().count(),
            sent: direct.clone().filter(|note| note.author == light.owner).count(),
            received: direct.filter(|note| note.author != light.owner).count(),
            conversations: light.conversations.len(),
            people: light.people.iter().filter(|who| !who.handle.is_empty()).count().saturating_sub(1),
            saved: 0,
            missing: 0,
            unreadable: light.unreadable.len(),
        };
        Ok(Pack {
            zip: Writer::new(light.about.at),
            lines: Lines::default(),
            stage: Stage::Media,
            asked: Vec::new(),
            until: 0,
            given: None,
            fault: None,
            report: Report { counts, ..Report::default() },
            large: bytes.saturating_mul(4) >= u64::from(u32::MAX),
            done: 0,
            all: media + texts * 3 + bytes,
            light,
        })
    }

    /// What it needs next. Asking twice gives the same, unless it is [`Want::Nothing`].
    pub fn wants(&mut self, tools: &Tools) -> Want {
        loop {
            if self.zip.is_broken() {
                self.fault = Some(Fault::TooLarge);
            }
            if let Some(fault) = &self.fault {
                return Want::Failed(fault.clone());
            }
            if let Some(url) = self.light.media.wants() {
                return Want::File { url: url.to_owned() };
            }
            if !self.asked.is_empty() && self.given.is_none() {
                return Want::Records(self.asked.clone());
            }
            if matches!(self.stage, Stage::Done) {
                return Want::Done;
            }
            if self.zip.waiting() >= FULL {
                return Want::Nothing;
            }
            self.step(tools);
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
        let result = self.light.media.file(&mut self.zip, piece, end);
        self.fault = self.fault.take().or(result.err());
    }

    /// The file is not there, or could not be read to its end.
    pub fn no_file(&mut self) {
        let result = self.light.media.no_file();
        self.fault = self.fault.take().or(result.err());
    }

    /// What was written since the last time. To be called after every answer, and after every piece of a file.
    pub fn take(&mut self) -> Vec<u8> {
        self.zip.take()
    }

    /// How much is done, of how much.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.saturating_add(self.light.media.done()).min(self.all), self.all)
    }

    pub fn report(&self) -> Report {
        Report { size: self.zip.size(), entries: self.zip.entries().len(), ..self.report.clone() }
    }

    // --------------------------------------------------------------------------------------------- stage by stage

    fn step(&mut self, tools: &Tools) {
        match &self.stage {
            Stage::Media if self.light.media.begin_next() => {}
            Stage::Media => self.begin_page(tools),
            Stage::Page { .. } => self.page(tools),
            Stage::Text { .. } => self.text(tools),
            Stage::Json { .. } => self.json(),
            Stage::Outbox(_) => self.outbox(tools),
            Stage::Manifest(_) => self.manifest(),
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

    /// An entry of text that is at hand.
    fn whole(&mut self, path: &str, text: &str) {
        self.zip.text(path, self.large);
        self.write(text);
        self.zip.end();
    }

    /// The texts of the keys that were asked for; `None` where they have yet to be handed in.
    fn answers(&mut self) -> Option<Vec<(String, Option<String>)>> {
        let given = self.given.take()?;
        let texts = given.into_iter().chain(std::iter::repeat(None));
        Some(std::mem::take(&mut self.asked).into_iter().zip(texts).collect())
    }

    /// Asks for the records of these notes, and as many of them as go together: `until` is where it stops.
    fn ask(&mut self, from: usize, notes: impl Iterator<Item = Option<usize>>, edits: bool) {
        let (mut keys, mut bytes) = (Vec::new(), 0);
        self.until = from;
        for note in notes {
            if keys.len() >= BATCH || bytes >= BATCH_BYTES {
                break;
            }
            self.until += 1;
            let Some(at) = note else { continue };
            let (Some(note), Some(length)) = (self.light.notes.get(at), self.light.lengths.get(at)) else {
                continue;
            };
            bytes = bytes.saturating_add(*length as usize);
            keys.push(note.key.clone());
            if edits && let Some(key) = self.light.history(&note.key) {
                keys.push(key);
            }
        }
        self.done = self.done.saturating_add(bytes as u64);
        self.asked = keys;
        if self.asked.is_empty() {
            self.given = Some(Vec::new());
        }
    }

    fn begin_page(&mut self, tools: &Tools) {
        let mut lost = Vec::new();
        let mut saved = 0;
        for (url, file) in self.light.files.iter() {
            match file {
                File::Saved { sha256, .. } if self.light.blob(sha256).is_some_and(|blob| blob.here) => {
                    saved += 1
                }
                File::Saved { .. } => lost.push(url.to_owned()),
                File::Missing(_) => {}
            }
        }
        self.report.counts.saved = saved;
        self.report.counts.missing = self.light.files.len() - saved;
        self.report.lost = lost;
        let steps = Page::new(&self.light.saved(tools)).steps().collect();
        self.zip.text("messages.html", self.large);
        self.stage = Stage::Page { steps, at: 0, unreadable: 0 };
    }

    fn page(&mut self, tools: &Tools) {
        let Stage::Page { steps, at, unreadable } = &mut self.stage else { return };
        // The last step comes after the records that cannot be read.
        let last = steps.len().saturating_sub(1);
        let in_steps = *at < last;
        let Some(given) = self.given.take() else {
            let (from, below) = (*at, *unreadable);
            if in_steps {
                let notes: Vec<Option<usize>> = steps
                    .get(from..last)
                    .unwrap_or_default()
                    .iter()
                    .take(BATCH * 4)
                    .map(|step| match step {
                        Step::Message { note, .. } => Some(*note),
                        _ => None,
                    })
                    .collect();
                self.ask(from, notes.into_iter(), true);
            } else {
                self.asked = some_of(&self.light.unreadable, below);
                self.until = below + self.asked.len();
                if self.asked.is_empty() {
                    self.end_page(tools);
                }
            }
            return;
        };
        let mut texts =
            std::mem::take(&mut self.asked).into_iter().zip(given.into_iter().chain(std::iter::repeat(None)));
        let saved = self.light.saved(tools);
        let page = Page::new(&saved);
        let about = self.light.page(&self.report, tools);
        let files = |url: &str| self.light.shown(url);
        if in_steps {
            for step in steps.get(*at..self.until).unwrap_or_default() {
                let piece = match step {
                    Step::Message { note, .. } => {
                        let key = saved.notes.get(*note).map_or("", |note| &note.key);
                        let message = self.light.message(key, &mut texts);
                        page.message(*step, &message, &files)
                    }
                    _ => page.piece(*step, &about),
                };
                self.zip.write(piece.as_bytes());
            }
            *at = self.until;
        } else {
            for (number, (_, text)) in (*unreadable..).zip(texts.by_ref().take(self.until - *unreadable)) {
                self.zip.write(page.unreadable(number, text.as_deref().unwrap_or_default()).as_bytes());
            }
            *unreadable = self.until;
        }
    }

    fn end_page(&mut self, tools: &Tools) {
        let Stage::Page { steps, .. } = &self.stage else { return };
        let saved = self.light.saved(tools);
        let about = self.light.page(&self.report, tools);
        let piece = steps.last().map(|step| Page::new(&saved).piece(*step, &about)).unwrap_or_default();
        self.zip.write(piece.as_bytes());
        self.zip.end();
        self.begin_text(0, tools);
    }

    fn begin_text(&mut self, conversation: usize, tools: &Tools) {
        let Some(people) = self.light.conversations.get(conversation).map(|talk| &talk.people) else {
            return self.begin_json();
        };
        let handles: Vec<&str> = people
            .iter()
            .filter_map(|at| self.light.people.get(*at as usize))
            .map(|who| who.handle.as_str())
            .collect();
        let path = format!("text/{}.txt", file_stem(&handles, conversation + 1));
        let notes = Transcript::new(&self.light.saved(tools), conversation).notes();
        self.zip.text(&path, self.large);
        self.stage = Stage::Text { conversation, notes, at: 0 };
    }

    fn text(&mut self, tools: &Tools) {
        let Stage::Text { conversation, notes, at } = &mut self.stage else { return };
        let (conversation, from) = (*conversation, *at);
        let Some(given) = self.given.take() else {
            if from >= notes.len() {
                self.zip.end();
                return self.begin_text(conversation + 1, tools);
            }
            let next: Vec<usize> = notes.iter().skip(from).take(BATCH).copied().collect();
            return self.ask(from, next.into_iter().map(Some), true);
        };
        let mut texts =
            std::mem::take(&mut self.asked).into_iter().zip(given.into_iter().chain(std::iter::repeat(None)));
        let saved = self.light.saved(tools);
        let transcript = Transcript::new(&saved, conversation);
        let files = |url: &str| self.light.shown(url);
        for note in notes.get(from..self.until).unwrap_or_default() {
            let key = saved.notes.get(*note).map_or("", |note| &note.key);
            let message = self.light.message(key, &mut texts);
            self.zip.write(transcript.message(*note, &message, &files).as_bytes());
        }
        *at = self.until;
    }

    fn begin_json(&mut self) {
        let about = &self.light.about;
        let owner = self.light.people.get(self.light.owner as usize).unwrap_or(&about.owner);
        let head = about.head(MESSAGES, owner);
        self.zip.text("messages.json", self.large);
        let head = self.lines.begin(&head, "people");
        self.write(&head);
        self.stage = Stage::Json { list: List::People, at: 0 };
    }

    fn json(&mut self) {
        let Stage::Json { list, at } = self.stage else { return };
        let answers = self.answers();
        match (answers, list) {
            (_, List::People) => {
                for who in self.light.people.iter().skip(at).take(BATCH) {
                    let line = self.lines.item(&person(who));
                    self.zip.write(line.as_bytes());
                }
                self.json_on(at + BATCH, self.light.people.len());
            }
            (Some(answers), _) => {
                self.json_lines(list, answers);
                let until = self.until;
                self.stage = Stage::Json { list, at: until };
            }
            (None, List::Statuses) => {
                let (readable, all) =
                    (self.light.notes.len(), self.light.notes.len() + self.light.unreadable.len());
                if at < readable {
                    self.ask(at, (at..readable).take(BATCH).map(Some), true);
                } else {
                    self.asked = some_of(&self.light.unreadable, at - readable);
                    self.until = at + self.asked.len();
                    let edits: Vec<String> =
                        self.asked.iter().filter_map(|key| self.light.history(key)).collect();
                    self.asked.extend(edits);
                    self.json_on(at, all);
                }
            }
            (None, _) => {
                let keys: Vec<String> = match list {
                    List::Conversations => some_of(&self.light.listed, at),
                    List::Records => some_of(&self.light.rest, at),
                    _ => self
                        .light
                        .files
                        .iter()
                        .skip(at)
                        .take(BATCH)
                        .map(|(url, _)| format!("{FILE}{url}"))
                        .collect(),
                };
                self.until = at + keys.len();
                self.asked = keys;
                self.json_on(at, self.until);
            }
        }
    }

    /// Goes on in the list, or to the next one when it is at its end.
    fn json_on(&mut self, at: usize, end: usize) {
        let Stage::Json { list, .. } = self.stage else { return };
        if at < end {
            self.stage = Stage::Json { list, at };
            return;
        }
        let (next, name) = match list {
            List::People => (List::Statuses, "statuses"),
            List::Statuses => (List::Conversations, "conversations"),
            List::Conversations => (List::Files, "files"),
            List::Files => (List::Records, "records"),
            List::Records => {
                let end = self.lines.end();
                self.write(end);
                self.zip.end();
                return self.begin_archive();
            }
        };
        let line = self.lines.list(name);
        self.write(&line);
        self.stage = Stage::Json { list: next, at: 0 };
    }

    fn json_lines(&mut self, list: List, answers: Vec<(String, Option<String>)>) {
        let mut edits: Table<Option<String>> = Table::default();
        let mut records = Vec::new();
        for (key, text) in answers {
            match text {
                None => self.report.gone.push(key),
                Some(text) => {
                    self.done =
                        self.done.saturating_add(if list == List::Statuses { 0 } else { text.len() as u64 });
                    match key.strip_prefix(HISTORY).filter(|_| list == List::Statuses) {
                        Some(uri) => edits.put(uri, Some(text)),
                        None => records.push((key, text)),
                    }
                }
            }
        }
        for (key, text) in records {
            let mut line = Object::new();
            line.text("key", &key);
            match list {
                List::Statuses => {
                    record(&mut line, "status", &text);
                    if let Some(text) = key.strip_prefix(STATUS).and_then(|uri| edits.get_mut(uri)?.take()) {
                        record(&mut line, "history", &text);
                    }
                }
                List::Files => {
                    let url = key.strip_prefix(FILE).unwrap_or_default();
                    line.text("url", url);
                    if let Some(File::Saved { sha256, .. }) = self.light.file(url) {
                        match self.light.blob(sha256).filter(|blob| blob.here) {
                            Some(blob) => line.text("path", &blob.path),
                            None => line.json("lost", "true"),
                        };
                    }
                    record(&mut line, "record", &text);
                }
                _ => record(&mut line, "record", &text),
            }
            let line = self.lines.item(&line.end());
            self.write(&line);
        }
        // Edits whose status has gone in the meantime.
        for (uri, text) in edits.iter() {
            let Some(text) = text else { continue };
            let mut line = Object::new();
            record(line.text("key", &format!("{STATUS}{uri}")), "history", text);
            let line = self.lines.item(&line.end());
            self.write(&line);
        }
    }

    fn begin_archive(&mut self) {
        let owner = self.light.owner().clone();
        let actor = archive::actor(&self.light.about, &owner);
        self.whole("actor.json", &actor);
        for name in [archive::LIKES, archive::BOOKMARKS] {
            let mut lines = Lines::default();
            let text = lines.begin(&archive::collection(name, 0), "orderedItems") + lines.end();
            self.whole(name, &text);
        }
        self.zip.text(archive::OUTBOX, self.large);
        let head = self
            .lines
            .begin(&archive::collection(archive::OUTBOX, self.report.counts.messages), "orderedItems");
        self.write(&head);
        self.stage = Stage::Outbox(0);
    }

    fn outbox(&mut self, tools: &Tools) {
        let Stage::Outbox(at) = self.stage else { return };
        if let Some(answers) = self.answers() {
            for (key, text) in answers {
                let item = text.and_then(|text| self.light.item(&key, &text));
                if let Some(item) = item {
                    let line = self.lines.item(&item);
                    self.write(&line);
                }
            }
            self.stage = Stage::Outbox(self.until);
            return;
        }
        if at < self.light.notes.len() {
            let notes: Vec<Option<usize>> = (at..)
                .zip(self.light.notes.iter().skip(at).take(BATCH))
                .map(|(at, note)| (!note.public).then_some(at))
                .collect();
            return self.ask(at, notes.into_iter(), false);
        }
        let end = self.lines.end();
        self.write(end);
        self.zip.end();
        let readme = manifest::readme(&self.light.about, &self.report.counts, tools.words);
        self.whole("README.txt", &readme);
        let head = manifest::head(&self.light.about, self.light.owner(), &self.report.counts, tools.words);
        let head = self.lines.begin(&head, "files");
        self.zip.text(MANIFEST, self.large);
        self.write(&head);
        self.stage = Stage::Manifest(0);
    }

    fn manifest(&mut self) {
        let Stage::Manifest(at) = self.stage else { return };
        let lines: Vec<String> = self
            .zip
            .entries()
            .iter()
            .skip(at)
            .take(BATCH)
            .map(|entry| line(&mut self.lines, entry))
            .collect();
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

fn some_of(keys: &[String], from: usize) -> Vec<String> {
    keys.iter().skip(from).take(BATCH).cloned().collect()
}

impl Light {
    fn new(about: About, gathered: Gathered, conversations: Vec<Conversation>) -> Light {
        let id = |at: usize| gathered.notes.get(at).map(|note| note.id.as_str());
        let by_id = order(gathered.notes.len(), &|left, right| id(left).cmp(&id(right)));
        let mut by_handle = Names::default();
        for (at, who) in gathered.people.iter().enumerate() {
            by_handle.put(&who.handle.to_lowercase(), at);
        }
        Light {
            about,
            lengths: gathered.lengths,
            people: gathered.people,
            owner: gathered.owner,
            conversations,
            media: Media::new(blobs(&gathered.files)),
            files: gathered.files,
            unreadable: gathered.unreadable,
            histories: gathered.histories,
            listed: gathered.conversations,
            rest: gathered.rest,
            by_id,
            by_handle,
            notes: gathered.notes,
        }
    }

    fn owner(&self) -> &Person {
        self.people.get(self.owner as usize).unwrap_or(&self.about.owner)
    }

    fn saved<'a>(&'a self, tools: &Tools<'a>) -> Saved<'a> {
        Saved {
            words: tools.words,
            zone: tools.zone,
            parser: tools.parser,
            people: &self.people,
            owner: self.owner,
            notes: &self.notes,
            conversations: &self.conversations,
        }
    }

    fn page(&self, report: &Report, tools: &Tools) -> html::About {
        html::About {
            at: self.about.at,
            remarks: self.about.incomplete.iter().map(|remark| tools.words.speak(remark)).collect(),
            unreadable: report.counts.unreadable,
        }
    }

    /// The key of a status' edits, if there are any.
    fn history(&self, key: &str) -> Option<String> {
        let key = format!("{HISTORY}{}", key.strip_prefix(STATUS)?);
        find(self.histories.len(), &|at| self.histories[at].cmp(&key)).map(|_| key)
    }

    /// A message out of what was handed in: its status, and its edits if they were asked for.
    fn message(&self, key: &str, texts: &mut dyn Iterator<Item = (String, Option<String>)>) -> Message {
        let raw = texts.next().and_then(|(_, text)| text).unwrap_or_default();
        let history = self.history(key).and_then(|_| texts.next()).and_then(|(_, text)| text);
        Message::read(&raw, history.as_deref(), &self.about.server)
    }

    fn file(&self, url: &str) -> Option<&File> {
        self.files.get(url)
    }

    fn blob(&self, sha256: &str) -> Option<&Blob> {
        self.media.of_sum(sha256)
    }

    fn shown(&self, url: &str) -> Option<FileShown> {
        Some(match self.file(url)? {
            File::Missing(reason) => FileShown::Missing(*reason),
            File::Saved { sha256, .. } => match self.blob(sha256).filter(|blob| blob.here) {
                Some(blob) => {
                    FileShown::Here { path: blob.path.clone(), kind: blob.kind.clone(), size: blob.size }
                }
                // The browser has dropped or spoilt it.
                None => FileShown::Missing(Missing::NoRoom),
            },
        })
    }

    /// A message as an item of the outbox.
    fn item(&self, key: &str, text: &str) -> Option<String> {
        let status = Message::read(text, None, &self.about.server).status?;
        let known = |who| -> Option<&Person> {
            let who: &Person = who;
            self.by_handle.get(&who.handle.to_lowercase()).and_then(|at| self.people.get(at))
        };
        let parent = status.parent.as_deref().and_then(|id| {
            let at = find(self.by_id.len(), &|at| self.notes[self.by_id[at]].id.as_str().cmp(id))?;
            self.notes.get(*self.by_id.get(at)?)
        });
        let file = |url: &str| match self.shown(url) {
            Some(FileShown::Here { path, kind, .. }) => Some((path, kind)),
            _ => None,
        };
        let around = Around {
            uri: key.strip_prefix(STATUS)?,
            parent: parent.and_then(|note| note.key.strip_prefix(STATUS)),
            author: known(&status.author).unwrap_or(&status.author),
            mentioned: status.mentions.iter().map(|who| known(who).unwrap_or(who)).collect(),
            files: &file,
        };
        Some(archive::item(&status, &around))
    }
}

/// What lies in the ZIP, by checksum. A file of which the record claims something that cannot be is not looked for.
fn blobs(files: &Table<File>) -> Vec<Blob> {
    let files: Vec<(&str, &File)> = files.iter().collect();
    let saved = |at: usize| match files.get(at) {
        Some((url, File::Saved { kind, size, sha256, .. })) => Some((sha256, url, kind, *size)),
        _ => None,
    };
    let sum = |at: usize| saved(at).map(|(sha256, ..)| sha256);
    let is_sum =
        |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut blobs: Vec<Blob> = Vec::new();
    // Stable: of the same content, the first address by order says what it is.
    for at in order(files.len(), &|left, right| sum(left).cmp(&sum(right))) {
        let Some((sha256, url, kind, size)) = saved(at).filter(|(sha256, ..)| is_sum(sha256)) else {
            continue;
        };
        match blobs.last_mut().filter(|last| last.sha256 == *sha256) {
            Some(last) => last.urls.push((*url).to_owned()),
            None => blobs.push(Blob {
                sha256: sha256.clone(),
                kind: kind.clone(),
                size,
                path: String::new(),
                urls: vec![(*url).to_owned()],
                here: false,
            }),
        }
    }
    let mut before = String::new();
    for blob in &mut blobs {
        let short = blob.sha256.get(..16).unwrap_or_default();
        // Checksums that begin alike happen only where somebody makes them so.
        let name = if short == before { &blob.sha256 } else { short };
        blob.path = format!("{MEDIA}{name}.{}", kind::ext(&blob.kind));
        before = short.to_owned();
    }
    blobs
}
