//! What is said on Mastodon's own page for imports: of a file that was chosen there, before it is uploaded, and of the
//! imports in its list. A server takes a block list for a follow list without a word, and an import with the same row twice
//! never ends (facts 6.1).

use crate::list::{Foreign, Guess, Kind, MAX_BYTES, MAX_ROWS, What, guess};
use crate::say::{Part, Say, Words, say};
use crate::server::page::imports::Row;
use crate::small::Names;
use crate::when::{DAY, MINUTE, Time};

/// So much of a chosen file is looked at.
pub const LOOK: u64 = 64 << 10;
/// A file up to this size is looked at as a whole, for rows that stand in it twice.
pub const WHOLE: u64 = 2 << 20;

/// A file that was chosen in the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    pub name: String,
    pub size: u64,
    /// Its beginning, or all of it up to [`WHOLE`].
    pub bytes: Vec<u8>,
}

/// Something that is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// Stands in `data-warning`.
    pub id: &'static str,
    pub what: Say,
    /// Cleaning mends it.
    pub mends: bool,
}

/// What is chosen as the type of the import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Type {
    /// `None`: one that we do not know.
    pub kind: Option<Kind>,
    /// What the page calls it.
    pub label: String,
}

/// What is to be said of a chosen file. `home` is the domain of the server that would import it.
pub fn of_file(file: &Chosen, chosen: &Type, home: &str) -> Vec<Warning> {
    let Chosen { name, size, bytes } = file;
    let warning = |id, what, mends| Warning { id, what, mends };
    let mut all = Vec::new();
    let guess = guess(bytes, name);
    if let Some(key) = no_list(guess.what, chosen.kind) {
        all.push(warning(if guess.what == What::Empty { "empty" } else { "no-list" }, say(key), false));
        return all;
    }
    if let Some(what) = of_kind(guess, chosen) {
        all.push(warning("kind", what, false));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        all.push(warning("bom", say("hint_bom"), true));
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        all.push(warning("utf-16", say("hint_utf16"), true));
    }
    if *size > MAX_BYTES as u64 {
        all.push(warning("large", say("hint_large"), true));
    }
    if bytes.len() as u64 == *size && guess.what != What::Known(Kind::Filters) {
        let (rows, doubled) = count(bytes, chosen.kind, home);
        if rows > MAX_ROWS as u64 {
            all.push(warning("rows", say("hint_rows").with(rows).with(MAX_ROWS), true));
        }
        if doubled > 0 {
            all.push(warning("doubled", say("hint_doubled").with(doubled), true));
        }
    }
    all
}

fn no_list(what: What, kind: Option<Kind>) -> Option<&'static str> {
    let What::Foreign(foreign) = what else { return (what == What::Empty).then_some("hint_empty") };
    Some(match foreign {
        Foreign::Html => "hint_html",
        Foreign::Actor | Foreign::Posts => "hint_archive",
        Foreign::Json if kind == Some(Kind::Filters) => "hint_no_filters",
        Foreign::Json => "hint_json",
        Foreign::Zip | Foreign::Gzip => "hint_zip",
        Foreign::Image | Foreign::Pdf | Foreign::Binary => "hint_binary",
    })
}

/// "This file looks like a block list. You have chosen “Following list”: everybody in it would be followed."
fn of_kind(guess: Guess, chosen: &Type) -> Option<Say> {
    let kind = chosen.kind.filter(|kind| guess.fits(*kind) == Some(false))?;
    let accounts =
        matches!(guess.what, What::Accounts | What::Known(Kind::Follows | Kind::Mutes | Kind::Blocks));
    let looks = match guess.what {
        What::Known(Kind::Follows) => "hint_is_follows",
        What::Known(Kind::Mutes) => "hint_is_mutes",
        What::Known(Kind::Blocks) => "hint_is_blocks",
        What::Known(Kind::DomainBlocks) => "hint_is_domain_blocks",
        What::Known(Kind::Lists) => "hint_is_lists",
        What::Known(Kind::Bookmarks) => "hint_is_bookmarks",
        What::Known(Kind::Filters) => "hint_is_filters",
        _ => "hint_is_accounts",
    };
    let then = match kind {
        Kind::Follows if accounts => "hint_then_follows",
        Kind::Mutes if accounts => "hint_then_mutes",
        Kind::Blocks if accounts => "hint_then_blocks",
        _ => "hint_then_other",
    };
    let part = |key| Part::Say(Box::new(say(key)));
    Some(say("hint_kind").with(part(looks)).with(chosen.label.as_str()).with(part(then)))
}

/// How many rows there are, and how many of them stand there before: `user` and `user@home` are one, in any case.
fn count(bytes: &[u8], kind: Option<Kind>, home: &str) -> (u64, u64) {
    let (mut rows, mut doubled) = (0, 0);
    let mut seen = Names::default();
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty()) {
        rows += 1;
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let row = match kind {
            // Several rows begin with the same title.
            Some(Kind::Lists) => line.to_lowercase(),
            _ => {
                line.split(',').next().unwrap_or_default().trim_matches(['"', ' ', '\u{feff}']).to_lowercase()
            }
        };
        let row = row.trim_start_matches('@');
        let accounts = matches!(kind, Some(Kind::Follows | Kind::Mutes | Kind::Blocks));
        let whole = if accounts && !row.contains('@') { format!("{row}@{home}") } else { row.to_owned() };
        doubled += u64::from(seen.has(&whole));
        seen.add(&whole);
    }
    (rows, doubled)
}

/// How an import in the page's list stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Stands {
    /// Stands in `data-import`.
    pub id: &'static str,
    pub what: Say,
    pub more: Option<Say>,
    /// What became of each row, we can tell.
    pub tells: bool,
}

/// How long an upload waits for its confirmation (facts 6.1, "unconfirmed life").
const WAITS: i64 = 10 * MINUTE;

/// What one page can know of an import. `None`: it is through, with every row. `packed`: there is something to compare
/// with, so what became of each row can be told.
pub fn of_import(row: &Row, packed: bool, now: Time, words: &dyn Words) -> Option<Stands> {
    let begun = Time::from_iso(&row.begun);
    let label = row.label.as_str();
    let stands = |id, what| Stands { id, what, more: None, tells: false };
    if row.unconfirmed {
        let left = begun.map(|begun| WAITS - now.since(begun));
        return Some(match left {
            Some(left) if left <= 0 => stands("forgotten", say("import_forgotten").with(label)),
            // A part of a minute is one.
            Some(left) => {
                let minutes = left.unsigned_abs().div_ceil(MINUTE.unsigned_abs());
                stands("unconfirmed", say("import_waits").with(label).with(minutes))
            }
            None => stands("unconfirmed", say("import_waits_some").with(label)),
        });
    }
    if let Some(failures) = row.failures.filter(|failures| *failures > 0) {
        let what = say("import_failed").with(label).with(failures);
        let what = what.with(Part::from(row.imported)).with(Part::from(row.total));
        let more = Some(say(if packed { "import_failed_why" } else { "import_failed_file" }));
        return Some(Stands { more, tells: packed, ..stands("failed", what) });
    }
    if row.is_finished() {
        return None;
    }
    let what = say("import_running").with(label).with(row.imported).with(Part::from(row.total));
    let age = begun.map(|begun| now.since(begun));
    let long = age.is_some_and(|age| age > DAY);
    let ago = age.map(|age| words.ago(age.max(MINUTE)));
    let key = if long { "import_long" } else { "import_begun" };
    let more = ago.map(|ago| say(key).with(ago.as_str()));
    Some(Stands { more, tells: long && packed, ..stands("running", what) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(bytes: &[u8], name: &str, kind: Kind) -> Vec<(&'static str, String)> {
        let file = Chosen { name: name.into(), size: bytes.len() as u64, bytes: bytes.to_vec() };
        let chosen = Type { kind: Some(kind), label: "Following list".into() };
        let key = |say: &Say| {
            let inner = say.parts.iter().filter_map(|part| match part {
                Part::Say(say) => Some(say.key.as_str()),
                _ => None,
            });
            [say.key.as_str()].into_iter().chain(inner).collect::<Vec<_>>().join(" ")
        };
        of_file(&file, &chosen, "new.example").iter().map(|one| (one.id, key(&one.what))).collect()
    }

    #[test]
    fn says_that_a_file_is_of_another_kind() {
        use Kind::*;
        let kind = |words: &str| vec![("kind", words.to_owned())];
        let accounts: &[u8] = b"ana@one.example\nben@two.example\n";
        let follows: &[u8] =
            b"Account address,Show boosts,Notify on new posts,Languages\nana@one.example,true,false,\n";
        for (bytes, name, chosen, expected) in [
            (accounts, "blocked_accounts.csv", Follows, kind("hint_kind hint_is_blocks hint_then_follows")),
            (accounts, "muted_accounts (1).csv", Blocks, kind("hint_kind hint_is_mutes hint_then_blocks")),
            (accounts, "people.csv", Lists, kind("hint_kind hint_is_accounts hint_then_other")),
            (accounts, "people.csv", Follows, vec![]),
            (accounts, "blocked_accounts.csv", Blocks, vec![]),
            (follows, "x.csv", Mutes, kind("hint_kind hint_is_follows hint_then_mutes")),
            (follows, "x.csv", DomainBlocks, kind("hint_kind hint_is_follows hint_then_other")),
            (follows, "x.csv", Follows, vec![]),
            (
                b"Friends,ana@one.example\n",
                "lists.csv",
                Follows,
                kind("hint_kind hint_is_lists hint_then_other"),
            ),
            (
                b"bad.example\nworse.example\n",
                "",
                Blocks,
                kind("hint_kind hint_is_domain_blocks hint_then_other"),
            ),
            (
                b"https://one.example/users/a/statuses/1\n",
                "",
                Follows,
                kind("hint_kind hint_is_bookmarks hint_then_other"),
            ),
            (b"{\"custom_filters\": []}", "", Follows, kind("hint_kind hint_is_filters hint_then_other")),
            (b"{\"custom_filters\": []}", "", Filters, vec![]),
        ] {
            assert_eq!(
                warned(bytes, name, chosen),
                expected,
                "{} {name} {chosen:?}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn says_what_is_no_list_and_nothing_else_of_it() {
        for (bytes, key) in [
            (&b"<!DOCTYPE html>"[..], "hint_html"),
            (b"{\"type\":\"Person\",\"preferredUsername\":\"ana\"}", "hint_archive"),
            (b"{\"type\":\"OrderedCollection\"}", "hint_archive"),
            (b"[\"a\"]", "hint_json"),
            (b"PK\x03\x04", "hint_zip"),
            (b"\x1f\x8b\x08", "hint_zip"),
            (b"%PDF-1.7", "hint_binary"),
        ] {
            assert_eq!(warned(bytes, "follows.csv", Kind::Follows), [("no-list", key.to_owned())]);
        }
        assert_eq!(warned(b"", "follows.csv", Kind::Follows), [("empty", "hint_empty".to_owned())]);
        assert_eq!(warned(b"[\"a\"]", "x", Kind::Filters), [("no-list", "hint_no_filters".to_owned())]);
    }

    #[test]
    fn says_what_cleaning_mends() {
        let id = |bytes: &[u8], kind| -> Vec<&'static str> {
            warned(bytes, "", kind).into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(
            id(b"\xef\xbb\xbfAccount address,Show boosts\na@b.example,true\n", Kind::Follows),
            ["bom"]
        );
        assert_eq!(id(b"\xff\xfea\0@\0b\0.\0c\0\n\0", Kind::Follows), ["utf-16"]);
        assert_eq!(
            id(b"ana\n@Ana@NEW.example,true\nben@b.example\n\"ben@B.example\"\n", Kind::Follows),
            ["doubled"]
        );
        // The same title in many rows is what a list is.
        assert_eq!(id(b"A,x@b.example\nA,y@b.example\n", Kind::Lists), Vec::<&str>::new());
        assert_eq!(id(b"A,x@b.example\nA,X@b.example\n", Kind::Lists), ["doubled"]);
        let many: String = (0..20_001).map(|n| format!("a{n}@b.example\n")).collect();
        assert_eq!(id(many.as_bytes(), Kind::Follows), ["rows"]);
        // Of a larger file only the beginning is looked at.
        let file =
            Chosen { name: String::new(), size: 21 << 20, bytes: b"a@b.example\na@b.example\n".to_vec() };
        let chosen = Type { kind: Some(Kind::Follows), label: String::new() };
        let ids: Vec<_> = of_file(&file, &chosen, "").iter().map(|one| one.id).collect();
        assert_eq!(ids, ["large"]);
    }

    struct Ago;

    impl Words for Ago {
        fn message(&self, _key: &str, _parts: &[String]) -> Option<String> {
            None
        }

        fn plural(&self, _n: i64) -> String {
            String::new()
        }

        fn number(&self, n: i64) -> String {
            n.to_string()
        }

        fn day(&self, _at: Time) -> String {
            String::new()
        }

        fn clock(&self, _at: Time) -> String {
            String::new()
        }

        fn ago(&self, millis: i64) -> String {
            format!("{} min", millis / MINUTE)
        }
    }

    #[test]
    fn tells_how_an_import_stands() {
        let now = Time::from_iso("2026-11-21T12:00:00Z").unwrap();
        let row = |begun: &str, unconfirmed, imported, failures| Row {
            id: None,
            label: "Following list".into(),
            state: String::new(),
            unconfirmed,
            imported,
            total: 34,
            begun: begun.into(),
            failures,
        };
        let told = |row: &Row| {
            of_import(row, true, now, &Ago)
                .map(|one| (one.id, one.what.key, one.more.map(|more| more.key), one.tells))
        };
        let expected = |id, key: &str, more: Option<&str>, tells| {
            Some((id, key.to_owned(), more.map(str::to_owned), tells))
        };
        let soon = "2026-11-21T11:55:30Z";
        assert_eq!(told(&row(soon, true, 0, None)), expected("unconfirmed", "import_waits", None, false));
        let waits = of_import(&row(soon, true, 0, None), true, now, &Ago).unwrap();
        assert_eq!(waits.what.parts[1], Part::Number(6));
        assert_eq!(told(&row("", true, 0, None)), expected("unconfirmed", "import_waits_some", None, false));
        let old = "2026-11-21T11:00:00Z";
        assert_eq!(told(&row(old, true, 0, None)), expected("forgotten", "import_forgotten", None, false));
        assert_eq!(
            told(&row(old, false, 12, None)),
            expected("running", "import_running", Some("import_begun"), false)
        );
        let older = "2026-11-19T11:00:00Z";
        assert_eq!(
            told(&row(older, false, 33, None)),
            expected("running", "import_running", Some("import_long"), true)
        );
        assert_eq!(
            told(&row(old, false, 30, Some(4))),
            expected("failed", "import_failed", Some("import_failed_why"), true)
        );
        assert_eq!(told(&row(old, false, 34, None)), None);
        assert_eq!(told(&row(old, false, 34, Some(0))), None);
        // With nothing packed, there is nothing that we could tell.
        let failed = of_import(&row(old, false, 30, Some(4)), false, now, &Ago).unwrap();
        assert_eq!(
            (failed.more.map(|more| more.key).as_deref(), failed.tells),
            (Some("import_failed_file"), false)
        );
        assert!(!of_import(&row(older, false, 33, None), false, now, &Ago).unwrap().tells);
    }
}
