//! Messages written for people: [`html`] is the page that shows all of them, [`text`] one plain file a conversation.
//!
//! Both hand over piece after piece, and need no more at once than one message and the light [`Saved`].

pub mod html;
pub mod page;
pub mod text;

use super::body::one_line;
use super::record::Missing;
use super::thread::{Conversation, Note};
use crate::account::Domain;
use crate::plain;
use crate::say::{Part, Say, Words, say};
use crate::server::history::{self, Version};
use crate::server::markup::Parser;
use crate::server::status::{Attachment, Emoji, Person, Status};
use crate::small::ordered;
use crate::when::{Civil, SECOND, Time};

/// What is known of all messages together.
pub struct Saved<'a> {
    pub words: &'a dyn Words,
    /// How many minutes local time is ahead of UTC at a time: what summer and winter do is the browser's business.
    pub zone: &'a dyn Fn(Time) -> i32,
    pub parser: &'a dyn Parser,
    pub people: &'a [Person],
    /// Whose messages they are: index into `people`.
    pub owner: u32,
    pub notes: &'a [Note],
    pub conversations: &'a [Conversation],
}

impl std::fmt::Debug for Saved<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Saved({} notes)", self.notes.len())
    }
}

/// What is written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Head,
    /// A conversation begins.
    Conversation(usize),
    /// A thread begins: conversation, thread.
    Thread(usize, usize),
    /// The one step for which a record is needed: that of the note `note`.
    Message {
        conversation: usize,
        thread: usize,
        message: usize,
        note: usize,
    },
    ThreadEnd,
    ConversationEnd,
    End,
}

/// One message with all that was saved of it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its record, byte for byte.
    pub raw: String,
    /// `None` if it cannot be read as a status.
    pub status: Option<Status>,
    /// All versions that were saved, oldest first, the last one being the one that stands now.
    pub history: Vec<Version>,
}

impl Message {
    /// `raw` and `history` are the texts of the records `m/…` and `h/…`; `local` is the server that sent them.
    pub fn read(raw: &str, history: Option<&str>, local: &Domain) -> Message {
        Message {
            raw: raw.to_owned(),
            status: plain::json(raw).and_then(|value| Status::read(&value, local).ok()),
            history: history.and_then(plain::json).map(|value| history::versions(&value)).unwrap_or_default(),
        }
    }

    /// The addresses that [`Files`] will be asked for.
    pub fn addresses(&self) -> Vec<&str> {
        let mut all = Vec::new();
        if let Some(status) = &self.status {
            addresses(&status.attachments, &status.emojis, &mut all);
        }
        for version in &self.history {
            addresses(&version.attachments, &version.emojis, &mut all);
        }
        let mut all = ordered(all, &|left, right| left.cmp(right));
        all.dedup();
        all
    }
}

fn addresses<'a>(attachments: &'a [Attachment], emojis: &'a [Emoji], all: &mut Vec<&'a str>) {
    for file in attachments {
        all.extend(file.url.as_deref());
        all.extend(file.remote_url.as_deref());
    }
    for emoji in emojis {
        all.push(&emoji.url);
    }
}

/// A file of a message, as the writers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileShown {
    Here {
        /// Where it lies, from the page's own place: `media_attachments/…`.
        path: String,
        /// What it is, `image/png`.
        kind: String,
        size: u64,
    },
    Missing(Missing),
}

/// What became of the file at an address; `None` if it was never asked for.
pub type Files<'a> = &'a dyn Fn(&str) -> Option<FileShown>;

/// A name for the files of a conversation: ASCII, at most 80 bytes, nothing that a file system takes for something else.
/// `number` comes first and makes it the only one of its kind: two handles can look the same once they are ASCII.
pub fn file_stem(handles: &[&str], number: usize) -> String {
    let mut out = format!("{number:04}-");
    for (at, handle) in handles.iter().enumerate() {
        if at > 0 {
            out.push('+');
        }
        for c in handle.chars().take(80) {
            match c {
                '.' if out.ends_with(['.', '-', '+']) => out.push('_'),
                _ if c.is_ascii_alphanumeric() || "@.-_".contains(c) => out.push(c),
                _ => out.push('_'),
            }
        }
        if out.len() >= 80 {
            break;
        }
    }
    if handles.is_empty() {
        out.push_str("self");
    }
    out.truncate(80);
    out.truncate(out.trim_end_matches(['.', '+', '-']).len());
    out
}

fn civil(at: Time, offset: i32) -> Civil {
    Civil::of(at.0.div_euclid(SECOND).saturating_add(i64::from(offset) * 60))
}

impl Saved<'_> {
    fn local(&self, at: Time) -> (Civil, i32) {
        let offset = (self.zone)(at).clamp(-1_440, 1_440);
        (civil(at, offset), offset)
    }

    fn person(&self, at: u32) -> Option<&Person> {
        self.people.get(at as usize)
    }

    /// What somebody calls themselves, on one line; empty if they do not or are not known.
    fn name(&self, at: u32) -> String {
        self.person(at).map(|who| one_line(&who.name)).unwrap_or_default()
    }

    /// `@ana@old.example`; empty if it is not known.
    fn handle(&self, at: u32) -> String {
        let handle = self.person(at).map(|who| one_line(&who.handle)).unwrap_or_default();
        if handle.is_empty() { handle } else { format!("@{handle}") }
    }

    fn speak(&self, say: &Say) -> String {
        self.words.speak(say)
    }
}

/// A sentence inside another.
fn part(inner: Say) -> Part {
    Part::Say(Box::new(inner))
}

/// Why a file is not there, as a message.
fn reason(missing: Option<Missing>) -> Say {
    say(match missing {
        Some(Missing::NotAllowed) => "written_missing_not_allowed",
        Some(Missing::Gone) => "written_missing_gone",
        Some(Missing::Refused) => "written_missing_refused",
        Some(Missing::Unreachable) => "written_missing_unreachable",
        Some(Missing::TooLarge) => "written_missing_too_large",
        Some(Missing::NoAddress) => "written_missing_no_address",
        Some(Missing::NoRoom) => "written_missing_no_room",
        None => "written_missing_untried",
    })
}

/// What an attachment is, as a message.
fn kind(attachment: &Attachment) -> Say {
    say(match attachment.kind.as_str() {
        "image" => "written_kind_image",
        "video" | "gifv" => "written_kind_video",
        "audio" => "written_kind_audio",
        _ => "written_kind_file",
    })
}

/// What became of an attachment's file: under the address at the server that sent the message, or at the one it came from.
fn file_of(attachment: &Attachment, files: Files<'_>) -> Result<(String, String, u64), Option<Missing>> {
    let mut why = attachment.url.is_none().then_some(Missing::NoAddress);
    for address in [&attachment.url, &attachment.remote_url].into_iter().flatten() {
        match files(address) {
            Some(FileShown::Here { path, kind, size }) => return Ok((path, kind, size)),
            Some(FileShown::Missing(missing)) => {
                why = why.filter(|_| attachment.url.is_some()).or(Some(missing))
            }
            None => {}
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_names_of_files_everywhere() {
        for (handles, expected) in [
            (&["ben@new.example"][..], "0007-ben@new.example"),
            (&["ben@new.example", "cy@old.example"], "0007-ben@new.example+cy@old.example"),
            (&[], "0007-self"),
            (&["../../etc/passwd"], "0007-_._.__etc_passwd"),
            (&["con"], "0007-con"),
            (&["a\\b:c*d?\"<>|\0\n"], "0007-a_b_c_d_______"),
            (&["bücher@x.example."], "0007-b_cher@x.example"),
        ] {
            let stem = file_stem(handles, 7);
            assert_eq!(stem, expected);
        }
        let many: Vec<String> = (0..50).map(|n| format!("person{n}@server.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(file_stem(&many, 12_345).len() <= 80);
        assert!(file_stem(&["😀".repeat(300).as_str()], usize::MAX).len() <= 80);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (at, offset, expected) in [
            (0, 0, "1970-01-01 00:00:00"),
            (-1, 0, "1969-12-31 23:59:59"),
            (1_795_219_200_000, 0, "2026-11-21 00:00:00"),
            (1_795_219_200_000, -1, "2026-11-20 23:59:00"),
            (1_795_219_200_000, 330, "2026-11-21 05:30:00"),
            (951_782_400_000, 0, "2000-02-29 00:00:00"),
            (4_107_542_400_000, 0, "2100-03-01 00:00:00"),
            (1_709_164_800_000, 1_440, "2024-03-01 00:00:00"),
        ] {
            let civil = civil(Time(at), offset);
            assert_eq!(format!("{} {}", civil.day(), civil.time()), expected);
        }
        for odd in [i64::MIN, i64::MAX] {
            let _ = civil(Time(odd), i32::MAX).day();
        }
    }
}
