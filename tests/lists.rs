//! Lists: whatever file somebody has, what becomes of each of its rows, and that Mastodon reads what is written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use packed_trunk::account::{Domain, Handle, HandleError};
use packed_trunk::list::write::{self, Takes};
use packed_trunk::list::{
    Around, Changed, Correction, Corrections, Foreign, Have, Kind, Moved, Odd, Plan, ReadError, Sheet,
    Standing, Sure, What, Why, changed_since, clean, compare, filters, follow_limit, guess, read,
    would_remove,
};
use packed_trunk::plain::Plain;
use packed_trunk::when::Time;
use proptest::prelude::*;

const NOW: Time = Time(1_795_300_000_000); // 2026-11-22

fn handle(text: &str) -> Handle {
    text.parse().unwrap()
}

fn home() -> Domain {
    "old.example".parse().unwrap()
}

fn sheet(text: &str) -> Sheet {
    read(text.as_bytes(), "").unwrap()
}

fn plan(text: &str, kind: Kind) -> Plan {
    let home = home();
    clean(&sheet(text), kind, &Around { home: Some(&home), ..Around::default() })
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.upload.iter().map(|row| row.name()).collect()
}

fn whys(plan: &Plan) -> Vec<(u32, Why)> {
    plan.out.iter().map(|out| (out.row.line(), out.why.clone())).collect()
}

// ---- Mastodon's own rules, after facts 6.1 and 6.2, by another reader of CSV ----

type Values = BTreeMap<&'static str, String>;

const COLUMNS: [(&str, &str); 8] = [
    ("Account address", "acct"),
    ("Show boosts", "boosts"),
    ("Notify on new posts", "notify"),
    ("Languages", "languages"),
    ("Hide notifications", "hide"),
    ("#domain", "domain"),
    ("#uri", "uri"),
    ("List name", "list"),
];

fn mastodon(kind: Kind, text: &str, takes: Takes) -> Vec<Values> {
    assert!(!text.starts_with('\u{feff}'), "a mark hides the header");
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records: Vec<Vec<String>> =
        reader.into_records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
    // What Ruby's reader calls malformed.
    for line in text.split('\n').filter(|line| !line.contains("\"")) {
        assert!(!line.contains('\r'));
    }
    assert_eq!(text.matches('"').count() % 2, 0);
    let first = records.first().and_then(|record| record.first()).cloned().unwrap_or_default();
    let header = if takes.headers {
        ["Account address", "#domain", "#uri", "List name"].contains(&first.as_str())
    } else {
        first.contains(' ')
    };
    let columns: Vec<String> = if header {
        records.remove(0)
    } else {
        let default: &[&str] = match kind {
            Kind::DomainBlocks => &["#domain"],
            Kind::Bookmarks => &["#uri"],
            Kind::Lists => &["List name", "Account address"],
            _ => &["Account address"],
        };
        default.iter().map(|name| (*name).to_owned()).collect()
    };
    assert!(records.len() <= 20_000);
    let value = |column: &str, cell: &str| match column {
        "Show boosts" | "Notify on new posts" | "Hide notifications" => match cell.to_lowercase().as_str() {
            "" => String::new(),
            "false" | "f" | "0" | "off" => "false".to_owned(),
            _ => "true".to_owned(),
        },
        "Account address" => cell.trim().trim_start_matches('@').to_owned(),
        "Languages" => cell.split(',').map(str::trim).collect::<Vec<_>>().join(", "),
        "#domain" => cell.trim().to_lowercase(),
        _ => cell.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}', '\0']).to_owned(),
    };
    let row = |record: Vec<String>| {
        let pairs = columns.iter().zip(&record);
        let known = pairs.filter_map(|(column, cell)| {
            let name = COLUMNS.iter().find(|(name, _)| name == column)?.1;
            Some((name, value(column, cell)))
        });
        known.filter(|(_, value)| !value.is_empty()).collect()
    };
    records.into_iter().map(row).collect()
}

/// The rows of a plan, as Mastodon should have them.
fn wanted(plan: &Plan, takes: Takes) -> Vec<Values> {
    let flag = |flag: Option<bool>| flag.map_or(String::new(), |flag| flag.to_string());
    let row = |row: &packed_trunk::list::Row| {
        let mut values = Values::new();
        match plan.kind {
            Kind::DomainBlocks => _ = values.insert("domain", row.name().to_owned()),
            Kind::Bookmarks => _ = values.insert("uri", row.name().to_owned()),
            _ => _ = values.insert("acct", row.name().to_owned()),
        }
        match plan.kind {
            Kind::Follows => {
                values.insert("boosts", flag(row.settings.boosts));
                if takes.four_columns {
                    values.insert("notify", flag(row.settings.notify));
                    let languages = row.languages().split(',').map(str::trim).collect::<Vec<_>>().join(", ");
                    values.insert("languages", languages);
                }
            }
            Kind::Mutes => _ = values.insert("hide", flag(row.settings.hide_notifications)),
            Kind::Lists => _ = values.insert("list", row.list().to_owned()),
            _ => {}
        }
        values.retain(|_, value| !value.is_empty());
        values
    };
    plan.upload.iter().map(row).collect()
}

const OLD: Takes = Takes { headers: false, four_columns: true };
const OLDEST: Takes = Takes { headers: false, four_columns: false };

fn reads_back(plan: &Plan) {
    for takes in [Takes::NOW, OLD, OLDEST] {
        if plan.kind == Kind::Filters || (plan.kind == Kind::Lists && !takes.headers) {
            continue;
        }
        let files = write::mastodon(plan, takes);
        let read: Vec<Values> =
            files.iter().flat_map(|file| mastodon(plan.kind, &file.text, takes)).collect();
        assert_eq!(read, wanted(plan, takes), "{:?} {takes:?}", plan.kind);
        assert_eq!(files.iter().map(|file| file.rows).sum::<usize>(), plan.upload.len());
        assert!(files.iter().all(|file| file.text.len() <= 20 * 1024 * 1024 && file.rows <= 20_000));
    }
    assert_eq!(plan.files(), write::mastodon(plan, Takes::NOW).len());
}

// ---- Reading ----

#[test]
fn reads_what_the_servers_export() {
    let Some(folder) = common::captures() else { return };
    let cases = [
        (Kind::Follows, "exports_follows.csv", Some(Sure::Header)),
        (Kind::Lists, "exports_lists.csv", Some(Sure::Content)),
        (Kind::Mutes, "exports_mutes.csv", Some(Sure::Header)),
        (Kind::Blocks, "exports_blocks.csv", Some(Sure::Name)),
        (Kind::DomainBlocks, "exports_domain_blocks.csv", Some(Sure::Content)),
        (Kind::Bookmarks, "exports_bookmarks.csv", Some(Sure::Content)),
        (Kind::Filters, "exports_custom_filters.json", Some(Sure::Header)),
    ];
    for version in ["4.3.23", "4.6.5"] {
        for (kind, name, sure) in cases {
            let path = folder.join(version).join("old_alice").join(name);
            let bytes = std::fs::read(&path).unwrap();
            let sheet = match read(&bytes, name) {
                // Filters are exported since 4.6; before, this is an answer that says so.
                Err(ReadError::Foreign(_)) if kind == Kind::Filters && version == "4.3.23" => {
                    continue;
                }
                Err(ReadError::Empty) if bytes.is_empty() => continue,
                sheet => sheet.unwrap(),
            };
            assert_eq!(sheet.guess, guess(&bytes, name));
            assert_eq!(
                (sheet.kind(), Some(sheet.guess.sure), &sheet.odd[..]),
                (Some(kind), sure, &[][..]),
                "{version} {name}"
            );
            let plan = clean(&sheet, kind, &Around::default());
            assert_eq!((plan.upload.len(), plan.out.len(), plan.mismatch), (sheet.len(), 0, false));
            reads_back(&plan);
            // Follows and mutes are written byte for byte as the server wrote them.
            if matches!(kind, Kind::Follows | Kind::Mutes) {
                assert_eq!(write::mastodon(&plan, Takes::NOW)[0].text.as_bytes(), bytes);
            }
            let text = String::from_utf8(bytes).unwrap();
            let have = Have::of_text(&text, kind, None).unwrap();
            assert_eq!(have.len(), sheet.len());
            assert!(compare(&plan.upload, &have).iter().all(|standing| *standing == Standing::There));
            assert_eq!(changed_since(kind, &text, &text), Some(Changed::default()));
        }
    }
    let failures = std::fs::read(folder.join("4.6.5/new_alice2/imports_failures_csv.csv")).unwrap();
    let plan = clean(
        &read(&failures, "following_accounts_failures.csv").unwrap(),
        Kind::Follows,
        &Around::default(),
    );
    assert_eq!(names(&plan), ["ghost1@old.test", "ghost2@nowhere.test"]);
    assert_eq!(whys(&plan), [(4, Why::Unreadable(HandleError::NoDomain))]);
    let page = std::fs::read(folder.join("4.6.5/anon/settings_export.html")).unwrap();
    assert_eq!(read(&page, "follows.csv").unwrap_err(), ReadError::Foreign(Foreign::Html));
}

#[test]
fn reads_what_others_export() {
    let check = |name: &str, text: &str, kind, expected: &[&str]| {
        let sheet = read(text.as_bytes(), name).unwrap();
        assert_ne!(sheet.guess.fits(kind), Some(false), "{name}: {:?}", sheet.guess);
        let home = home();
        let plan = clean(&sheet, kind, &Around { home: Some(&home), ..Around::default() });
        assert_eq!(names(&plan), expected, "{name}");
        reads_back(&plan);
    };
    // Pleroma and Akkoma: handles, or addresses, without a header; newer ones as Mastodon.
    check(
        "following.csv",
        "ana@one.example\nben@two.example,\n",
        Kind::Follows,
        &["ana@one.example", "ben@two.example"],
    );
    check("blocks.csv", "ana@one.example", Kind::Blocks, &["ana@one.example"]);
    // Misskey and its kin.
    check(
        "following-2026-11-21.csv",
        "ana@one.example,withReplies=true\ncarl\nben@two.example,withReplies=false\n",
        Kind::Follows,
        &["ana@one.example", "carl@old.example", "ben@two.example"],
    );
    check(
        "user-lists-2026.csv",
        "Friends,ana@one.example,withReplies=true\n",
        Kind::Lists,
        &["ana@one.example"],
    );
    // GoToSocial.
    check(
        "following.csv",
        "Account address,Show boosts\nana@one.example,false\n",
        Kind::Follows,
        &["ana@one.example"],
    );
    // A block list of an administrator.
    check(
        "domain_blocks.csv",
        "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\nbad.example,suspend,false,false,,false\n",
        Kind::DomainBlocks,
        &["bad.example"],
    );
    // Links to profiles are not guessed to be handles: a server may have another domain than its handles. They are offered.
    let links = plan("https://one.example/users/ana\nhttps://one.example/@ben\n", Kind::Follows);
    assert_eq!(whys(&links)[0], (1, Why::Unreadable(HandleError::Link)));
    assert_eq!(links.out[1].suggestion(), Some(handle("ben@one.example")));
}

#[test]
fn reads_what_spreadsheets_make_of_it() {
    let rows = "Account address,Show boosts,Notify on new posts,Languages\nana@one.example,true,false,\"en, de\"\nben@two.example,false,true,\n";
    let expected = plan(rows, Kind::Follows);
    assert!(expected.odd.is_empty());
    let utf16 =
        |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let cases: &[(Vec<u8>, &[Odd])] = &[
        (rows.as_bytes().to_vec(), &[]),
        (format!("\u{feff}{rows}").into_bytes(), &[Odd::Bom]),
        (rows.replace('\n', "\r\n").into_bytes(), &[]),
        (rows.replace('\n', "\r").into_bytes(), &[Odd::CarriageReturns]),
        (utf16(&format!("\u{feff}{rows}"), u16::to_le_bytes), &[Odd::Utf16]),
        (utf16(&format!("\u{feff}{rows}"), u16::to_be_bytes), &[Odd::Utf16]),
        (utf16(rows, u16::to_le_bytes), &[Odd::Utf16]),
        (utf16(rows, u16::to_be_bytes), &[Odd::Utf16]),
        (rows.replace("\"en, de\"", "en| de").replace(',', ";").replace("en|", "en,").into_bytes(), &[Odd::Semicolons]),
        (rows.replace("\"en, de\"", "en| de").replace(',', "\t").replace("en|", "en,").into_bytes(), &[Odd::Tabs]),
        (rows.replace("\nben", "\n\n  \nben").into_bytes(), &[Odd::BlankLines(2)]),
        (rows.replace("ben", "b\0en").into_bytes(), &[Odd::Nul]),
        (rows.trim_end().as_bytes().to_vec(), &[]),
        (rows.replace("true", "TRUE").replace("false", "FALSCH").into_bytes(), &[]),
        (rows.replace("ana@", "\" @ana@").replace("one.example", "one.example \"").into_bytes(), &[]),
        // Columns in another order, and one more.
        (
            b"Languages,Note,account address,Notify on new posts,Show boosts\n\"en, de\",,ana@one.example,false,true\n,,ben@two.example,true,false\n".to_vec(),
            &[],
        ),
    ];
    for (bytes, odd) in cases {
        let text = String::from_utf8_lossy(bytes);
        let sheet = read(bytes, "x.csv").unwrap();
        let plan = clean(&sheet, Kind::Follows, &Around::default());
        assert_eq!((&plan.upload, &plan.out), (&expected.upload, &expected.out), "{text}");
        assert_eq!(plan.odd, *odd, "{text}");
        assert_eq!(plan.upload[0].languages(), "en, de");
        reads_back(&plan);
    }
}

#[test]
fn says_what_is_wrong_with_bad_input() {
    // Latin-1: the row that has it is left out, the others are there.
    let bad = read(
        b"Friends,ana@one.example\nB\xfccher,ana@one.example\nFriends,ben@b\xfccher.example\n",
        "lists.csv",
    )
    .unwrap();
    assert_eq!(bad.odd, [Odd::NotUtf8 { line: 2 }]);
    let bad = clean(&bad, Kind::Lists, &Around::default());
    assert_eq!(names(&bad), ["ana@one.example"]);
    assert_eq!(whys(&bad), [(2, Why::Garbled), (3, Why::Garbled)]);

    // A quote that never closes takes nothing else with it.
    let bad = plan(
        "A,ana@one.example\n\"B,ben@two.example\nC,carl@three.example\n\"D, \"\"d\"\"\",dora@four.example\n",
        Kind::Lists,
    );
    assert_eq!(bad.odd, [Odd::OpenQuote { line: 2 }]);
    assert_eq!(names(&bad), ["ana@one.example", "carl@three.example", "dora@four.example"]);
    assert_eq!((bad.upload[2].list(), bad.upload[2].line()), ("D, \"d\"", 4));
    assert_eq!(whys(&bad), [(2, Why::OpenQuote)]);
    // Nor do two of them, far apart.
    let far: String =
        (0..100).map(|n| format!("{}L,u{n}@one.example\n", if n % 50 == 7 { "\"" } else { "" })).collect();
    let far = plan(&far, Kind::Lists);
    assert_eq!((far.upload.len(), whys(&far)), (98, vec![(8, Why::OpenQuote), (58, Why::OpenQuote)]));
    // Cut off in the middle of a quoted cell.
    let cut = plan("A,ana@one.example\n\"News, \"\"quo", Kind::Lists);
    assert_eq!((names(&cut), whys(&cut)), (vec!["ana@one.example"], vec![(2, Why::OpenQuote)]));
    // A title may go over lines.
    let long = plan("\"two\nlines\",ana@one.example\nB,ben@two.example\n", Kind::Lists);
    assert_eq!((long.upload[0].list(), long.upload[1].line()), ("two\nlines", 3));
    reads_back(&long);

    // A column too few, too many, empty ones.
    let few = plan("A,ana@one.example\nB\n,ben@two.example\nC,\nD,dora@four.example,x,y\n", Kind::Lists);
    assert_eq!(names(&few), ["ana@one.example", "dora@four.example"]);
    let expected =
        [(2, Why::ColumnMissing), (3, Why::ColumnMissing), (4, Why::Unreadable(HandleError::Empty))];
    assert_eq!(whys(&few), expected);
    assert_eq!(few.odd, [Odd::ExtraCells(1)]);
    let few = plan(
        "Account address,Show boosts,Notify on new posts,Languages\nana@one.example\nben@two.example,maybe,true\n,true,false,\n,,,\n",
        Kind::Follows,
    );
    assert_eq!(names(&few), ["ana@one.example", "ben@two.example"]);
    assert_eq!((few.upload[0].settings.boosts, few.upload[1].settings.boosts), (None, None));
    assert_eq!(few.odd, [Odd::NotTrueOrFalse(1)]);
    assert_eq!(few.out.len(), 2);

    // Handles with spaces and emoji.
    let odd = plan(
        "ana@one.example\nan a@one.example\nana🙂@one.example\na@b@c\n@@x@one.example\nana@one\n",
        Kind::Blocks,
    );
    let expected = [
        HandleError::User,
        HandleError::User,
        HandleError::TooManyAts,
        HandleError::TooManyAts,
        HandleError::Domain,
    ];
    assert_eq!(whys(&odd), (2..).zip(expected.map(Why::Unreadable)).collect::<Vec<_>>());

    // Formulas stay as they are in what Mastodon reads.
    let formula =
        plan("=SUM(A1),ana@one.example\n+49,ben@two.example\n@home,carl@three.example\n", Kind::Lists);
    let text = &write::mastodon(&formula, Takes::NOW)[0].text;
    assert_eq!(
        text,
        "List name,Account address\n=SUM(A1),ana@one.example\n+49,ben@two.example\n@home,carl@three.example\n"
    );

    let cases: &[(&[u8], ReadError)] = &[
        (b"", ReadError::Empty),
        (b"\xef\xbb\xbf\r\n \r\n", ReadError::Empty),
        (b"{\"custom_filters\": [{\"title\": \"x\"", ReadError::BrokenJson),
        (b"{\"custom_filters\": 5}", ReadError::BrokenJson),
        (
            b"{\"@context\":\"x\",\"id\":\"likes.json\",\"type\":\"OrderedCollection\"}",
            ReadError::Foreign(Foreign::Posts),
        ),
        (b"{\"type\":\"Person\",\"inbox\":\"x\"}", ReadError::Foreign(Foreign::Actor)),
        (b"[{\"id\":\"1\"}]", ReadError::Foreign(Foreign::Json)),
        (b"window.YTD.following.part0 = [ {", ReadError::Foreign(Foreign::Json)),
        (b"<!DOCTYPE html><html>", ReadError::Foreign(Foreign::Html)),
        (b"PK\x03\x04", ReadError::Foreign(Foreign::Zip)),
        (b"\x1f\x8b\x08\0", ReadError::Foreign(Foreign::Gzip)),
        (b"\x89PNG\r\n\x1a\n\0", ReadError::Foreign(Foreign::Image)),
    ];
    for (bytes, expected) in cases {
        assert_eq!(read(bytes, "follows.csv").unwrap_err(), *expected, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn large_files_are_refused_or_read_without_end() {
    assert_eq!(read(&vec![b'a'; 200_000_000], "x.csv").unwrap_err(), ReadError::TooLarge);
    let commas = clean(&read(&vec![b','; 5_000_000], "x.csv").unwrap(), Kind::Follows, &Around::default());
    assert_eq!(whys(&commas), [(1, Why::Unreadable(HandleError::Empty))]);
    let line = clean(&read(&vec![b'a'; 50_000_000], "x.csv").unwrap(), Kind::Bookmarks, &Around::default());
    assert_eq!(line.out.len(), 1);
    assert_eq!(read("a\n".repeat(500_002).as_bytes(), "x.csv").unwrap_err(), ReadError::TooManyRows);
    let blank = read(format!("{}ana@one.example", "\n".repeat(1_000_000)).as_bytes(), "x.csv").unwrap();
    assert_eq!((blank.len(), &blank.odd[..]), (1, &[Odd::BlankLines(1_000_000)][..]));
    for quotes in ["\"", "\"a,", "\"a\n", "\"\",\"", "\"a\"\"b,\n\"", "\",\"\"\""] {
        let _ = read(quotes.repeat(500_000 / quotes.len()).as_bytes(), "x.csv");
    }
}

// ---- Cleaning ----

#[test]
fn doubles_are_found_in_every_spelling() {
    let home = home();
    let around = Around { home: Some(&home), ..Around::default() };
    let spellings = |kind, texts: &[&str]| {
        for first in texts {
            for second in texts {
                let plan = clean(&sheet(&format!("{first}\n{second}\n")), kind, &around);
                let expected = [(2, Why::Doubled { of: 1, differs: false })];
                assert_eq!(whys(&plan), expected, "{first} {second} {kind:?}");
                assert!(plan.odd.is_empty());
                reads_back(&plan);
            }
        }
    };
    let local = [
        "ana",
        "@ana",
        "Ana",
        "ana@old.example",
        "@ANA@OLD.example",
        "ana@old.example.",
        " ana@old.example ",
        "\"ana\"",
    ];
    spellings(Kind::Blocks, &local);
    let idn = [
        "ben@bücher.example",
        "ben@BÜCHER.example",
        "BEN@xn--bcher-kva.example",
        "@ben@XN--bcher-kva.example.",
        "ben@bücher。example",
    ];
    spellings(Kind::Mutes, &idn);
    spellings(Kind::Follows, &idn);
    spellings(Kind::Lists, &["A,ana@old.example", "\"A\",@Ana", " A ,ana@OLD.example"]);
    spellings(
        Kind::DomainBlocks,
        &["bücher.example", "xn--bcher-kva.example", "BÜCHER.example.", " Bücher.example"],
    );
    spellings(
        Kind::Bookmarks,
        &["https://one.example/a/B?x#y", "HTTPS://One.Example/a/B?x#y", "\"https://one.example/a/B?x#y\""],
    );
    spellings(Kind::Bookmarks, &["https://bücher.example/1", "https://xn--bcher-kva.example/1"]);

    // What is not the same is not taken for it.
    assert_eq!(plan("A,ana\nB,ana\na,ana\n", Kind::Lists).upload.len(), 3);
    assert_eq!(
        plan("https://one.example/a\nhttps://one.example/A\nhttp://one.example/a\n", Kind::Bookmarks)
            .upload
            .len(),
        3
    );
    // The first one wins, and it is said where another says something else.
    let text = "Account address,Show boosts,Languages\nana@one.example,false,de\nana@one.example,true,de\nana@one.example,false,\"de, en\"\nana@one.example,false,de\n";
    let doubled = plan(text, Kind::Follows);
    assert_eq!(doubled.upload[0].settings.boosts, Some(false));
    let differs = |line, differs| (line, Why::Doubled { of: 2, differs });
    assert_eq!(whys(&doubled), [differs(3, true), differs(4, true), differs(5, false)]);
    assert_eq!(doubled.odd, [Odd::DoublesDiffer(2)]);
}

#[test]
fn each_row_says_why_it_is_left_out() {
    let text = "ana@one.example\nme@old.example\nME@new.example\nmoved@two.example\nben@bad.example\ncarl@sub.bad.example\nthere@one.example\ndora@one.example\nlate@one.example\n";
    let (home, own) = (home(), [handle("Me@old.example"), handle("me@new.example")]);
    let mut moved = Moved::default();
    moved.put(&handle("Moved@two.example"), handle("moved@three.example"));
    let have =
        Have::of_text("Account address,Show boosts\nThere@one.example,false\n", Kind::Follows, None).unwrap();
    let blocked = ["Bad.example".to_owned(), "ex*****.com".to_owned()];
    let around = Around {
        home: Some(&home),
        own: &own,
        have: Some(&have),
        moved: Some(&moved),
        blocked: &blocked,
        limit: Some(follow_limit(0, 1)),
        following: 7_498,
        ..Around::default()
    };
    let plan = clean(&sheet(text), Kind::Follows, &around);
    assert_eq!(names(&plan), ["ana@one.example", "dora@one.example"]);
    let to = || handle("moved@three.example");
    let expected = [
        (2, Why::Oneself),
        (3, Why::Oneself),
        (4, Why::Moved { to: to() }),
        (5, Why::ServerBlocked),
        (6, Why::ServerBlocked),
        (7, Why::AlreadyThere { differs: false }),
        (9, Why::OverLimit),
    ];
    assert_eq!(whys(&plan), expected);
    assert_eq!(plan.out[2].suggestion(), Some(to()));

    // Those who are only blocked or muted may have moved, and there is no limit for them.
    let blocks = clean(&sheet(text), Kind::Blocks, &Around { have: None, ..around });
    assert_eq!(
        names(&blocks),
        ["ana@one.example", "moved@two.example", "there@one.example", "dora@one.example", "late@one.example"]
    );

    // With the new accounts of those who have moved, once.
    let both = format!("{text}moved@three.example\n");
    let follow = clean(&sheet(&both), Kind::Follows, &Around { follow_moved: true, limit: None, ..around });
    assert_eq!(follow.upload[1].name(), "moved@three.example");
    assert_eq!((follow.upload[1].origin(), follow.upload[1].line()), ("moved@two.example", 4));
    assert_eq!(whys(&follow).last(), Some(&(10, Why::Doubled { of: 4, differs: false })));

    // Overwriting, what is there stays in the file, as it is spelled there.
    let over = Around { overwrite: true, limit: Some(7_500), following: 7_500, ..around };
    let over = clean(&sheet(text), Kind::Follows, &over);
    assert!(names(&over).contains(&"There@one.example"));
    assert!(would_remove(&over, &have).is_empty());
    let merged = clean(&sheet("ana@one.example"), Kind::Follows, &around);
    assert_eq!(would_remove(&merged, &have)[0].name(), "There@one.example");

    // Settings other than those that are there.
    let differs =
        clean(&sheet("Account address,Show boosts\nthere@one.example,true\n"), Kind::Follows, &around);
    assert_eq!(whys(&differs), [(2, Why::AlreadyThere { differs: true })]);

    assert_eq!(
        (follow_limit(8_000, 7_499), follow_limit(8_000, 7_500), follow_limit(3, 7_500)),
        (7_500, 8_800, 7_500)
    );
}

#[test]
fn what_the_person_corrects_is_kept() {
    let text =
        "ana@one.example\nben@bad.example\nhttps://three.example/@carl\ndora@four.example\nana@ONE.example\n";
    let blocked = ["bad.example".to_owned()];
    let mut corrections = Corrections::default();
    corrections.put("ana@one.example", Some(Correction::LeaveOut));
    corrections.put("ben@bad.example", Some(Correction::Upload));
    corrections
        .put("https://three.example/@carl", Some(Correction::Replace("Carl@three.example".to_owned())));
    corrections.put("dora@four.example", Some(Correction::Replace("no handle".to_owned())));
    corrections.put("x", None);
    let stored = Corrections::read(&corrections.write()).unwrap();
    let around = Around { blocked: &blocked, corrections: Some(&stored), ..Around::default() };
    let plan = clean(&sheet(text), Kind::Follows, &around);
    assert_eq!(names(&plan), ["ben@bad.example", "Carl@three.example"]);
    assert_eq!(
        (plan.upload[1].key(), plan.upload[1].origin()),
        ("carl@three.example", "https://three.example/@carl")
    );
    let expected = [
        (1, Why::LeftOut),
        (4, Why::Unreadable(HandleError::NoDomain)),
        (5, Why::Doubled { of: 1, differs: false }),
    ];
    assert_eq!(whys(&plan), expected);
    assert_eq!(plan.out[1].row.origin(), "dora@four.example");
    // In lists the title stays.
    let mut corrections = Corrections::default();
    corrections.put("A\u{1f}ana@one.example", Some(Correction::Replace("ana@two.example".to_owned())));
    let around = Around { corrections: Some(&corrections), ..Around::default() };
    let lists = clean(&sheet("A,ana@one.example\nB,ana@one.example\n"), Kind::Lists, &around);
    assert_eq!(lists.upload[0].key(), "A\u{1f}ana@two.example");
    assert_eq!(names(&lists), ["ana@two.example", "ana@one.example"]);
    // What cannot be uploaded is not, whoever wants it.
    let mut corrections = Corrections::default();
    corrections.put("no handle", Some(Correction::Upload));
    let around = Around { corrections: Some(&corrections), ..Around::default() };
    assert!(clean(&sheet("no handle\n"), Kind::Follows, &around).upload.is_empty());
    // A circle leads nowhere.
    let mut moved = Moved::default();
    moved.put(&handle("a@one.example"), handle("b@one.example"));
    moved.put(&handle("b@one.example"), handle("a@one.example"));
    let moved = Moved::read(&moved.write()).unwrap();
    let around = Around { moved: Some(&moved), follow_moved: true, ..Around::default() };
    let circle = clean(&sheet("a@one.example\n"), Kind::Follows, &around);
    assert_eq!(whys(&circle), [(1, Why::Moved { to: handle("b@one.example") })]);
}

#[test]
fn a_file_of_another_kind_is_noticed() {
    let follows = sheet("Account address,Show boosts\nana@one.example,true\n");
    assert!(clean(&follows, Kind::Blocks, &Around::default()).mismatch);
    assert!(!clean(&follows, Kind::Follows, &Around::default()).mismatch);
    let domains = clean(&sheet("bad.example\nworse.example\n"), Kind::Follows, &Around::default());
    assert!(domains.mismatch && domains.upload.is_empty());
    assert!(clean(&sheet("ana@one.example\n"), Kind::DomainBlocks, &Around::default()).upload.is_empty());
    assert_eq!(sheet("ana@one.example\n").guess.what, What::Accounts);
    // The members of all lists, to be followed.
    let members = clean(&sheet("A,ana@one.example\nB,ana@one.example\n"), Kind::Follows, &Around::default());
    assert_eq!((names(&members), members.mismatch), (vec!["ana@one.example"], true));
}

// ---- Writing ----

#[test]
fn files_are_split_where_the_server_would_refuse_them() {
    let text: String = (0..20_001).map(|n| format!("u{n}@one.example\n")).collect();
    let many = plan(&text, Kind::Blocks);
    assert_eq!((many.upload.len(), many.files()), (20_001, 2));
    reads_back(&many);
    let files = write::mastodon(&many, Takes::NOW);
    assert_eq!(
        files.iter().map(|file| (file.file_name.as_str(), file.rows)).collect::<Vec<_>>(),
        [("blocked_accounts-1.csv", 20_000), ("blocked_accounts-2.csv", 1)]
    );
    assert_eq!(write::mastodon(&many, OLD)[0].rows, 19_999);
    // By size: titles of 3,000 signs.
    let title = "x".repeat(3_000);
    let text: String = (0..8_000).map(|n| format!("{title}{n},u@one.example\n")).collect();
    let large = plan(&text, Kind::Lists);
    let files = write::mastodon(&large, Takes::NOW);
    assert_eq!(
        (large.upload.len(), large.files(), files.iter().map(|file| file.rows).sum()),
        (8_000, 2, 8_000)
    );
    assert!(files.iter().all(|file| file.text.len() <= 20 * 1024 * 1024));
    assert!(write::mastodon(&plan("x y@z", Kind::Blocks), Takes::NOW).is_empty());
}

#[test]
fn a_list_called_like_a_header_stays_a_list() {
    for title in ["Account address", "List name", "#uri"] {
        let lists = plan(&format!("{title},ana@one.example\n{title},ben@one.example\n"), Kind::Lists);
        assert_eq!(lists.upload.len(), 2);
        reads_back(&lists);
    }
}

#[test]
fn tables_have_no_formulas() {
    let rows = ["=1+1", "+1", "-1", "@ana", "\t=1", "\r=1", " =1", "plain, \"quoted\"", "ana@one.example"];
    let text = write::table(&[rows.map(str::to_owned).to_vec(), vec!["x\ny".into(), String::new()]]);
    let reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&text.as_bytes()[3..]);
    let read: Vec<Vec<String>> =
        reader.into_records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert!(text.starts_with('\u{feff}'));
    assert_eq!(
        read[0],
        ["'=1+1", "'+1", "'-1", "'@ana", "'\t=1", "'\r=1", "' =1", "plain, \"quoted\"", "ana@one.example"]
    );
    assert_eq!(read[1], ["x\ny", ""]);
}

// ---- Comparing ----

#[test]
fn says_what_is_there_and_what_has_changed() {
    let want = plan(
        "Account address,Hide notifications\na@one.example,true\nb@one.example,false\nc@one.example,\nd@one.example,true\n",
        Kind::Mutes,
    );
    let now = "Account address,Hide notifications\nA@one.example,true\nb@one.example,true\nc@one.example,false\ne@one.example,true\n";
    let have = Have::of_text(now, Kind::Mutes, None).unwrap();
    assert_eq!(
        compare(&want.upload, &have),
        [Standing::There, Standing::Differs, Standing::There, Standing::Missing]
    );
    assert_eq!(
        would_remove(&want, &have).iter().map(|row| row.name()).collect::<Vec<_>>(),
        ["e@one.example"]
    );
    let saved = "Account address,Hide notifications\na@one.example,true\nx@one.example,true\n";
    assert_eq!(changed_since(Kind::Mutes, saved, now), Some(Changed { added: 3, removed: 1 }));
    assert_eq!(changed_since(Kind::Blocks, "", "a@one.example\n"), Some(Changed { added: 1, removed: 0 }));
    assert_eq!(changed_since(Kind::Blocks, "<!doctype html>", "a@one.example\n"), None);
    assert!(Have::default().get("a@one.example").is_none());
}

// ---- Filters ----

const FILTERS: &str = r#"{"custom_filters":[
  {"title":"News","expires_at":null,"context":["home","public"],"action":"hide","keywords_attributes":[{"keyword":"war","whole_word":true},{"keyword":"élection","whole_word":false}],"statuses":["https://one.example/1"]},
  {"title":"Over","expire_at":"2020-01-01T00:00:00.000Z","context":["home"],"action":"warn","keywords_attributes":[],"statuses":[]},
  {"title":"News","expires_at":null,"context":["home","public"],"action":"hide","keywords_attributes":[{"keyword":"peace","whole_word":true}],"statuses":[]},
  {"title":"News","expires_at":null,"context":["thread"],"action":"blur","keywords_attributes":[{"keyword":"peace","whole_word":true}],"statuses":[]},
  {"title":"","context":["home"],"action":"warn"},
  "nonsense"
]}"#;

#[test]
fn filters_are_rows_too() {
    let around = Around { now: Some(NOW), ..Around::default() };
    let sheet = read(FILTERS.as_bytes(), "custom_filters.json").unwrap();
    let plan = clean(&sheet, Kind::Filters, &around);
    assert_eq!(names(&plan), ["News", "News"]);
    // An import finds filters by title and contexts: of two, the second would take the first one's keywords away.
    let expected = [
        (2, Why::Expired),
        (3, Why::Doubled { of: 1, differs: true }),
        (5, Why::NoFilter),
        (6, Why::NoFilter),
    ];
    assert_eq!(whys(&plan), expected);
    let files = write::mastodon(&plan, Takes::NOW);
    assert_eq!((files.len(), files[0].file_name.as_str(), files[0].rows), (1, "custom_filters.json", 2));
    let again = clean(&read(files[0].text.as_bytes(), "").unwrap(), Kind::Filters, &around);
    assert_eq!(again.upload, plan.upload);
    // The end is written under the name that the import reads.
    let all = filters::read(FILTERS).unwrap();
    assert_eq!(all.len(), 5);
    assert!(filters::json(&all).contains(r#""title":"Over","expires_at":"2020-01-01T00:00:00.000Z""#));
    let have = Have::of_text(FILTERS, Kind::Filters, None).unwrap();
    let there = clean(&sheet, Kind::Filters, &Around { have: Some(&have), ..around });
    assert_eq!(whys(&there)[0], (1, Why::AlreadyThere { differs: false }));
    assert!(clean(&self::sheet("ana@one.example\n"), Kind::Filters, &around).upload.is_empty());
}

#[test]
fn filters_go_from_version_to_version() {
    let Some(folder) = common::captures() else { return };
    let text = |name: &str| std::fs::read_to_string(folder.join("4.6.5-api/api").join(name)).unwrap();
    let v2 = filters::read(&text("filters_v2.json")).unwrap();
    let v1 = filters::read(&text("filters_v1.json")).unwrap();
    assert_eq!((v2.len(), v1.len()), (2, 3));
    assert_eq!(v2[0].title, "Spoilers \"x\"");
    assert_eq!(v2[1].action, filters::Action::Blur);
    let now = Time::from_iso("2026-11-22T21:05:25.826Z").unwrap();
    let pairs =
        |form: &filters::Form| form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    let (form, lost) = v2[0].v2(now);
    let expected = [
        "title=Spoilers \"x\"",
        "context[]=home",
        "context[]=notifications",
        "filter_action=warn",
        "expires_in=60",
        "keywords_attributes[][keyword]=spoiler & <b>",
        "keywords_attributes[][whole_word]=true",
        "keywords_attributes[][keyword]=chain",
        "keywords_attributes[][whole_word]=false",
    ];
    assert_eq!((pairs(&form.unwrap()), lost), (expected.map(str::to_owned).to_vec(), vec![]));
    // One keyword each, as the server itself shows them to clients of old.
    let (forms, lost) = v2[0].v1(now);
    assert_eq!(lost, [filters::Lost::Title]);
    assert_eq!(forms[0], v1[0].v1(now).0[0]);
    assert_eq!(forms[1], v1[1].v1(now).0[0]);
    assert_eq!(pairs(&forms[0])[3..], ["irreversible=false", "whole_word=true", "expires_in=60"]);
    assert_eq!(v2[1].v1(now).1, [filters::Lost::Title, filters::Lost::Blur]);
    assert_eq!(v2[0].v2(Time(now.0 + 60_000)), (None, vec![filters::Lost::Expired]));
    // With statuses: by id in the API, which no other server knows.
    let one: serde_json::Value = serde_json::from_str(&text("filter_v2_one.json")).unwrap();
    let one = filters::Filter::read(&one).unwrap();
    assert_eq!(one.statuses, [filters::StatusRef::Id("117656440948878762".into())]);
    assert_eq!(one.v2(now).1, [filters::Lost::Statuses(1)]);
    // Into a file, and back.
    let file = filters::json(&v2);
    assert_eq!(filters::read(&file).unwrap(), v2);
    let (_, lost) = filters::Filter { keywords: vec![], ..v2[0].clone() }.v1(now);
    assert_eq!(lost, [filters::Lost::Everything]);
}

// ---- Whatever comes ----

/// Rows as people, servers and spreadsheets write them.
fn any_csv() -> impl Strategy<Value = String> {
    let user = prop_oneof!["[a-c]", "[A-C]", "[a-b]{1,2}", "[a-z_. -]{0,4}"];
    let host = prop::sample::select(vec![
        "one.example",
        "One.Example",
        "two.example.",
        "bücher.example",
        "xn--bcher-kva.example",
        "old.example",
        "x",
        "1.2",
        "",
    ]);
    let account = (
        prop::sample::select(vec!["", "@", " "]),
        user,
        prop::sample::select(vec!["@", "@", "@", "", "@@"]),
        host.clone(),
    )
        .prop_map(|(lead, user, at, host)| format!("{lead}{user}{at}{host}"));
    let cell = prop_oneof![
        4 => account,
        1 => host.prop_map(|host| format!("https://{host}/users/1/statuses/1")),
        1 => prop::sample::select(vec!["true", "false", "TRUE", "en, de", "\"en, de\"", "\"x\"\"y\"", "Account address", "List name", "#uri", "bad.example"]).prop_map(str::to_owned),
        1 => "[a-b\",;\t '=\u{1f}\u{fffd}]{0,5}",
    ];
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n", "\r", "\n\n"]);
    let separator = prop::sample::select(vec![",", ",", ",", ";", "\t"]);
    let header = prop::sample::select(vec![
        "",
        "Account address,Show boosts,Notify on new posts,Languages\n",
        "Account address;Show boosts\r\n",
        "Account address,Hide notifications\n",
        "List name,Account address\n",
        "#domain\n",
        "\u{feff}#uri\n",
    ]);
    let row = (prop::collection::vec(cell, 1..5), end);
    (header, separator, prop::collection::vec(row, 0..12)).prop_map(|(header, separator, rows)| {
        let rows: String = rows.into_iter().map(|(cells, end)| cells.join(separator) + end).collect();
        format!("{header}{rows}")
    })
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

fn twice(text: &[u8], kind: Kind, around: &Around<'_>) {
    let Ok(sheet) = read(text, "") else { return };
    let plan = clean(&sheet, kind, around);
    // Every row is in one of both, once, in order.
    let mut lines: Vec<u32> =
        plan.upload.iter().map(|row| row.line()).chain(plan.out.iter().map(|out| out.row.line())).collect();
    lines.sort();
    assert_eq!(lines.len(), sheet.len());
    lines.dedup();
    assert_eq!(lines.len(), sheet.len());
    reads_back(&plan);
    // What is written is clean.
    let mut again = Vec::new();
    for file in write::mastodon(&plan, Takes::NOW) {
        let sheet = read(file.text.as_bytes(), &file.file_name).unwrap();
        assert_eq!((sheet.len(), &sheet.odd[..]), (file.rows, &[][..]), "{}", file.text);
        let second = clean(&sheet, kind, around);
        assert_eq!((second.out.len(), second.mismatch), (0, false), "{:?} {}", second.out, file.text);
        again.extend(second.upload);
    }
    assert_eq!(again, plan.upload);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn cleaning_twice_is_cleaning_once(text in any_csv(), kind in any_kind(), limit in 0u64..9) {
        let (home, own) = (home(), [handle("a@one.example"), handle("c@old.example")]);
        let mut moved = Moved::default();
        moved.put(&handle("b@one.example"), handle("Moved@one.example"));
        let mut corrections = Corrections::default();
        corrections.put("a@xn--bcher-kva.example", Some(Correction::Replace("b@one.example".into())));
        corrections.put("ab@one.example", Some(Correction::LeaveOut));
        corrections.put("a", Some(Correction::Replace("C@one.example".into())));
        let have = Have::of_text("B@xn--bcher-kva.example\nbb@old.example\n", Kind::Blocks, None).unwrap();
        let around = Around {
            home: Some(&home),
            own: &own,
            have: Some(&have),
            moved: Some(&moved),
            corrections: Some(&corrections),
            now: Some(NOW),
            ..Around::default()
        };
        twice(text.as_bytes(), kind, &Around::default());
        twice(text.as_bytes(), kind, &around);
        twice(text.as_bytes(), kind, &Around { follow_moved: true, overwrite: true, limit: Some(limit), ..around });
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in any_kind()) {
        twice(&bytes, kind, &Around::default());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\PC\n\r\",;]{0,200}", kind in any_kind()) {
        twice(text.as_bytes(), kind, &Around::default());
    }

    #[test]
    fn any_json_is_read_or_refused(title in ".{0,5}", rest in "[\\PC\n]{0,40}") {
        let text = format!("{{\"custom_filters\":[{{\"title\":{},\"context\":[\"home\"]}}{rest}]}}", serde_json::json!(title));
        twice(text.as_bytes(), Kind::Filters, &Around::default());
    }

    /// What is CSV by the book is read as by others.
    #[test]
    fn cells_are_those_of_another_reader(rows in prop::collection::vec(prop::collection::vec("[a-c ,\"\n;]{0,4}", 1..4), 1..6)) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        writer.write_record(["x@one.example", "y"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let sheet = read(text.as_bytes(), "").unwrap();
        prop_assume!(sheet.separator == b',');
        prop_assume!(!sheet.odd.iter().any(|odd| matches!(odd, Odd::OpenQuote { .. } | Odd::BlankLines(_))));
        prop_assert_eq!(sheet.len(), rows.len() + 1);
        for (at, row) in rows.iter().enumerate() {
            prop_assert_eq!(&sheet.cells(at + 1), row);
        }
    }
}
