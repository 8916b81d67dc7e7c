//! A conversation as plain text, in the form that chat readers take.
//!
//! ```text
//! [20/11/2026, 14:32:05] Ana: A message
//! with a second line
//! [20/11/2026, 14:32:05] Ana: <attached: media_attachments/1.png>
//! ```
//!
//! Local time, by the browser's zone; the format has no place for it, so whoever writes the file says it elsewhere. Only a
//! line that we begin looks like the beginning of a message: a further line of a text that looks like one is set off with
//! `| `, and a text that says `<attached:` says `‹attached:`. Earlier versions are not in it, nor are pictures of emojis.

use super::super::body::{Body, one_line};
use super::{Files, Message, Saved, file_of, kind, part, reason};
use crate::say::say;
use crate::server::status::Status;
use crate::small::ordered;

/// One conversation, line by line.
#[derive(Debug)]
pub struct Transcript<'a> {
    saved: &'a Saved<'a>,
    conversation: usize,
}

impl<'a> Transcript<'a> {
    pub fn new(saved: &'a Saved<'a>, conversation: usize) -> Transcript<'a> {
        Transcript { saved, conversation }
    }

    /// The notes in the order in which they are written: by time, whatever threads they are in.
    pub fn notes(&self) -> Vec<usize> {
        let threads = self.saved.conversations.get(self.conversation).map_or(&[][..], |c| &c.threads);
        let all: Vec<usize> = threads.iter().flat_map(|t| &t.messages).map(|m| m.note).collect();
        let time = |at: &usize| self.saved.notes.get(*at).map(|note| note.at);
        ordered(all, &|left, right| time(left).cmp(&time(right)))
    }

    /// The lines of one message, with the last one's end.
    pub fn message(&self, note: usize, message: &Message, files: Files<'_>) -> String {
        let Some(note) = self.saved.notes.get(note) else { return String::new() };
        let (civil, _) = self.saved.local(note.at);
        let (year, month, day) = civil.date;
        let name = self.name(note.author);
        let start = format!("[{day:02}/{month:02}/{year:04}, {}] {name}: ", civil.time());
        let mut out = String::new();
        let mut say_it = |text: &str| {
            out.push_str(&start);
            out.push_str(&harmless(text));
            out.push('\n');
        };
        let Some(status) = &message.status else {
            let unreadable = self.saved.speak(&say("written_unreadable"));
            say_it(&format!("({unreadable})\n{}", one_line(&message.raw)));
            return out;
        };
        let text = self.text(status);
        if !text.is_empty() || status.attachments.is_empty() {
            say_it(&text);
        }
        for attachment in &status.attachments {
            let alt = one_line(&attachment.description);
            let more = if alt.is_empty() { alt } else { format!("\n{alt}") };
            match file_of(attachment, files) {
                Ok((path, ..)) => {
                    out.push_str(&format!("{start}<attached: {}>{}\n", one_line(&path), harmless(&more)));
                }
                Err(missing) => {
                    let what =
                        say("written_missing").with(part(kind(attachment))).with(part(reason(missing)));
                    out.push_str(&format!("{start}({}){}\n", self.saved.speak(&what), harmless(&more)));
                }
            }
        }
        out
    }

    fn text(&self, status: &Status) -> String {
        let mut text = Body::read(&status.content, self.saved.parser, &status.emojis).text();
        let warning = one_line(&status.warning);
        if !warning.is_empty() {
            text = format!("({}: {warning})\n{text}", self.saved.speak(&say("written_warning")));
        }
        for (title, votes, chosen) in status.poll.iter().flat_map(|poll| &poll.options) {
            let votes = votes.map(|votes| self.saved.speak(&say("written_votes").with(votes)));
            let chosen = chosen.then(|| self.saved.speak(&say("written_chosen")));
            let facts: Vec<String> = votes.into_iter().chain(chosen).collect();
            text.push_str(&format!("\n- {}", one_line(title)));
            if !facts.is_empty() {
                text.push_str(&format!(" ({})", facts.join(", ")));
            }
        }
        text
    }

    /// By what somebody is called in the file. A name that two of the people here have is told apart by the handle. No colon
    /// is in it: that is where the text begins.
    fn name(&self, who: u32) -> String {
        let plain = |at: u32| one_line(&self.saved.name(at).replace(':', " "));
        let handle = self.saved.handle(who).trim_start_matches('@').replace(':', "_");
        let name = plain(who);
        let here = self.saved.conversations.get(self.conversation).map_or(&[][..], |c| &c.people);
        let shared =
            here.iter().chain([&self.saved.owner]).any(|other| *other != who && plain(*other) == name);
        match (name.is_empty(), handle.is_empty()) {
            (true, true) => self.saved.speak(&say("written_somebody")).replace(':', " "),
            (true, false) => handle,
            (false, false) if shared || !(here.contains(&who) || who == self.saved.owner) => {
                format!("{name} ({handle})")
            }
            (false, _) => name,
        }
    }
}

/// A text none of whose lines is taken for the beginning of a message.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
            if begins_like_a_message(line) {
                out.push_str("| ");
            }
        }
        let mut rest = line;
        while let Some(found) = rest.find("<attached") {
            let (before, after) = rest.split_at(found);
            out.push_str(before);
            out.push('‹');
            rest = after.get(1..).unwrap_or_default();
        }
        out.push_str(rest);
    }
    out
}

/// `[…` or `20/11/…`, behind whatever cannot be seen.
fn begins_like_a_message(line: &str) -> bool {
    let seen = line.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{61c}' | '\u{ad}')
    });
    let after = seen.trim_start_matches(char::is_numeric);
    let date = after.len() < seen.len()
        && after.strip_prefix(['/', '.', '-']).is_some_and(|rest| rest.starts_with(char::is_numeric));
    seen.starts_with('[') || date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_begin_a_message() {
        for (text, expected) in [
            ("a\n[01/02/2026, 10:00:00] Bob: b", "a\n| [01/02/2026, 10:00:00] Bob: b"),
            ("a\n \u{200e}\u{feff}[x", "a\n|  \u{200e}\u{feff}[x"),
            ("a\n1/2/26, 10:00 - Bob: b", "a\n| 1/2/26, 10:00 - Bob: b"),
            ("[not at the beginning of a line", "[not at the beginning of a line"),
            ("a\n\nb\n2 eggs\n1. c", "a\n\nb\n2 eggs\n1. c"),
            ("<attached: /etc/passwd> <attached", "‹attached: /etc/passwd> ‹attached"),
        ] {
            assert_eq!(harmless(text), expected);
        }
    }
}
