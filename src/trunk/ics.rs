//! What comes next as a calendar that any program reads (RFC 5545). Names of entries never change: whoever takes it in
//! again has the same entries brought up to date, and no second ones.

use super::after::Entry;
use crate::account::Handle;
use crate::message::digest::Sum;
use crate::say::Words;
use crate::when::{Civil, SECOND, Time};

/// An entry of the calendar, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same for ever.
    pub uid: String,
    pub at: Time,
    pub what: String,
    pub why: String,
    pub url: Option<String>,
}

/// Lines are at most so many octets long, their end not counted (RFC 5545, 3.1).
const LONGEST: usize = 75;
/// Counts how often an entry was given out: seconds since then.
const BEGIN: Time = Time(1_767_225_600_000);

/// The entries in words. `url` makes an address of an entry's page.
pub fn events(
    entries: &[Entry],
    accounts: (Option<&Handle>, Option<&Handle>),
    url: &dyn Fn(&Entry) -> Option<String>,
    words: &dyn Words,
) -> Vec<Event> {
    let name =
        |handle: Option<&Handle>| handle.map(|handle| handle.acct().to_lowercase()).unwrap_or_default();
    // Not the handles themselves: a calendar is shared more easily than one thinks.
    let mut sum = Sum::default();
    sum.add(format!("{} {}", name(accounts.0), name(accounts.1)).as_bytes());
    let whose: String = sum.hex().chars().take(16).collect();
    let event = |entry: &Entry| Event {
        uid: format!("{}-{whose}@packed-trunk", entry.id),
        at: entry.due,
        what: words.speak(&entry.what),
        why: words.speak(&entry.why),
        url: url(entry),
    };
    entries.iter().map(event).collect()
}

/// The calendar. `name` is what it is called, `now` when it is written.
pub fn write(events: &[Event], name: &str, now: Time) -> String {
    let mut out = Lines(String::new());
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//Packed Trunk//Packed Trunk//EN");
    out.line("CALSCALE:GREGORIAN");
    out.line("METHOD:PUBLISH");
    out.line(&format!("X-WR-CALNAME:{}", text(name)));
    let stamp = moment(now);
    let count = (now.since(BEGIN) / SECOND).min(i64::from(i32::MAX));
    for event in events {
        out.line("BEGIN:VEVENT");
        out.line(&format!("UID:{}", text(&event.uid)));
        out.line(&format!("DTSTAMP:{stamp}"));
        out.line(&format!("LAST-MODIFIED:{stamp}"));
        out.line(&format!("SEQUENCE:{count}"));
        out.line(&format!("DTSTART:{}", moment(event.at)));
        out.line("DURATION:PT30M");
        out.line(&format!("SUMMARY:{}", text(&event.what)));
        out.line(&format!("DESCRIPTION:{}", text(&event.why)));
        if let Some(url) = event.url.as_ref().filter(|url| url.bytes().all(|b| b.is_ascii_graphic())) {
            out.line(&format!("URL:{url}"));
        }
        // Nobody is busy because of it.
        out.line("TRANSP:TRANSPARENT");
        out.line("BEGIN:VALARM");
        out.line("ACTION:DISPLAY");
        out.line(&format!("DESCRIPTION:{}", text(&event.what)));
        out.line("TRIGGER:PT0S");
        out.line("END:VALARM");
        out.line("END:VEVENT");
    }
    out.line("END:VCALENDAR");
    out.0
}

struct Lines(String);

impl Lines {
    /// A line of any length: folded where it is too long, and never inside a letter.
    fn line(&mut self, line: &str) {
        let mut length = 0;
        for letter in line.chars() {
            if length + letter.len_utf8() > LONGEST {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(letter);
            length += letter.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A value that is text: commas, semicolons, backslashes and ends of lines mean something (RFC 5545, 3.3.11), and other
/// control characters are not allowed at all.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in crate::message::body::clean(value).chars() {
        match letter {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}

/// `20261121T200915Z`
fn moment(at: Time) -> String {
    // Years of four digits, which is all that there is a form for.
    let at = Time(at.0.clamp(0, 253_402_300_799_000));
    let Civil { date: (year, month, day), clock: (hour, minute, second) } = at.civil();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::{Say, say};
    use crate::trunk::dossier::Side;
    use proptest::prelude::*;

    /// A line of a calendar: its name, and its value as it was meant.
    type Property = (String, String);

    /// Reads a calendar as strictly as the standard writes it. What it does not allow is an error.
    fn read(calendar: &str) -> Result<Vec<Property>, String> {
        let body = calendar.strip_suffix("\r\n").ok_or("the last line does not end")?;
        let mut lines: Vec<String> = Vec::new();
        for line in body.split("\r\n") {
            if line.contains(['\r', '\n']) {
                return Err(format!("a bare end of line in {line:?}"));
            }
            if line.len() > 75 {
                return Err(format!("{} octets: {line:?}", line.len()));
            }
            match line.strip_prefix(' ') {
                Some(rest) => lines.last_mut().ok_or("begins with a fold")?.push_str(rest),
                None => lines.push(line.to_owned()),
            }
        }
        let mut open: Vec<String> = Vec::new();
        let mut all = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("no colon: {line:?}"))?;
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
                return Err(format!("no name: {name:?}"));
            }
            if value.chars().any(|c| c.is_control()) {
                return Err(format!("a control character: {value:?}"));
            }
            match name {
                "BEGIN" => open.push(value.to_owned()),
                "END" if open.pop().as_deref() != Some(value) => return Err(format!("END:{value}")),
                _ => {}
            }
            let value = match name {
                "SUMMARY" | "DESCRIPTION" | "UID" | "X-WR-CALNAME" => unescaped(value)?,
                "DTSTART" | "DTSTAMP" | "LAST-MODIFIED" => {
                    let at = Time::from_iso(value).ok_or_else(|| format!("no time: {value}"))?;
                    at.0.to_string()
                }
                _ => value.to_owned(),
            };
            all.push((name.to_owned(), value));
        }
        if open.is_empty() { Ok(all) } else { Err(format!("{open:?} does not end")) }
    }

    fn unescaped(value: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut letters = value.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some('n' | 'N') => out.push('\n'),
                    Some(letter @ ('\\' | ';' | ',')) => out.push(letter),
                    other => return Err(format!("\\{other:?}")),
                },
                ';' | ',' => return Err(format!("a bare {letter:?}")),
                _ => out.push(letter),
            }
        }
        Ok(out)
    }

    fn of<'a>(all: &'a [Property], name: &str) -> Vec<&'a str> {
        all.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(
            events in prop::collection::vec((any::<String>(), ".{0,300}", 0..250_000_000_000i64), 0..4),
            name in any::<String>(),
            now in 0..250_000_000_000i64,
        ) {
            let events: Vec<Event> = events
                .into_iter()
                .enumerate()
                .map(|(at, (what, why, second))| Event {
                    uid: format!("{at}@packed-trunk"),
                    at: Time(second * SECOND),
                    what,
                    why,
                    url: Some("https://old.example/settings/migration".to_owned()),
                })
                .collect();
            let calendar = write(&events, &name, Time(now * SECOND));
            let all = read(&calendar).map_err(TestCaseError::fail)?;
            prop_assert_eq!(of(&all, "UID").len(), events.len());
            let meant = |value: &str| crate::message::body::clean(value).replace('\t', " ");
            for (at, event) in events.iter().enumerate() {
                prop_assert_eq!(of(&all, "UID")[at], event.uid.as_str());
                prop_assert_eq!(of(&all, "DTSTART")[at], event.at.0.to_string());
                prop_assert_eq!(of(&all, "SUMMARY")[at], meant(&event.what));
                // The alarm says the same as the entry.
                prop_assert_eq!(of(&all, "DESCRIPTION")[2 * at], meant(&event.why));
                prop_assert_eq!(of(&all, "DESCRIPTION")[2 * at + 1], meant(&event.what));
            }
            prop_assert_eq!(of(&all, "X-WR-CALNAME"), [meant(&name)]);
        }
    }

    struct Plainly;

    impl Words for Plainly {
        fn message(&self, key: &str, parts: &[String]) -> Option<String> {
            Some(format!("{key} {}", parts.join(" ")))
        }

        fn plural(&self, _n: i64) -> String {
            "other".into()
        }

        fn number(&self, n: i64) -> String {
            n.to_string()
        }

        fn day(&self, at: Time) -> String {
            at.iso()
        }

        fn clock(&self, at: Time) -> String {
            at.iso()
        }

        fn ago(&self, _millis: i64) -> String {
            String::new()
        }
    }

    fn entry(id: &'static str, due: i64, what: Say) -> Entry {
        Entry { id, side: Side::Old, due: Time(due), until: false, what, why: say("why"), path: None }
    }

    #[test]
    fn the_same_entry_has_the_same_name_for_ever() {
        let old: Handle = "ana@old.example".parse().unwrap();
        let (new, else_): (Handle, Handle) =
            ("ana@new.example".parse().unwrap(), "ana@else.example".parse().unwrap());
        let of = |due, to: &Handle| {
            let entries = [entry("alias-keep", due, say("keep").with("x"))];
            let made = events(&entries, (Some(&old), Some(to)), &|_| None, &Plainly);
            made.into_iter().map(|event| event.uid).collect::<Vec<_>>()
        };
        assert_eq!(of(5, &new), of(9, &new));
        assert_ne!(of(5, &new), of(5, &else_));
        assert!(!of(5, &new)[0].contains("old.example"), "{:?}", of(5, &new));
    }

    #[test]
    fn a_later_calendar_takes_the_place_of_an_earlier_one() {
        let number = |now| {
            let event =
                Event { uid: "a".into(), at: Time(0), what: String::new(), why: String::new(), url: None };
            let all = read(&write(&[event], "", Time(now))).unwrap();
            of(&all, "SEQUENCE")[0].parse::<i64>().unwrap()
        };
        assert!(number(1_795_219_200_000) < number(1_795_219_201_000));
        assert_eq!(number(0), 0);
    }

    #[test]
    fn an_address_that_is_none_is_left_out() {
        let with = |url: &str| {
            let url = Some(url.to_owned());
            let event = Event { uid: "a".into(), at: Time(0), what: "w".into(), why: "y".into(), url };
            of(&read(&write(&[event], "", Time(0))).unwrap(), "URL").len()
        };
        assert_eq!(with("https://old.example/settings/export"), 1);
        assert_eq!(with("https://old.example/\r\nATTACH:x"), 0);
        assert_eq!(with("https://old.example/a b"), 0);
    }
}
