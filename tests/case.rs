//! A whole move as one file: what goes in comes out, and nothing else does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use packed_trunk::bundle::open::{Ask, Reason};
use packed_trunk::message::digest;
use packed_trunk::message::record::File;
use packed_trunk::trunk::case::{About, Case, Contents, Open, Out, Report, Want};
use packed_trunk::trunk::drawer::Drawer;
use packed_trunk::trunk::store::{Move, Party};
use packed_trunk::when::Time;
use proptest::prelude::*;
use serde_json::{Value, json};

const LIMIT: u64 = 1 << 30;
const NOW: Time = Time(1_795_219_200_000);

/// A browser's database: records and files of each drawer.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shelves {
    records: BTreeMap<(&'static str, String), String>,
    files: BTreeMap<(&'static str, String), Vec<u8>>,
}

impl Shelves {
    fn put(&mut self, drawer: Drawer, key: &str, text: &str) {
        self.records.insert((drawer.id(), key.to_owned()), text.to_owned());
    }

    fn save(&mut self, drawer: Drawer, url: &str, bytes: &[u8]) {
        let saved = File::Saved {
            kind: "image/png".into(),
            said: "text/html".into(),
            size: bytes.len() as u64,
            sha256: digest::hex(bytes),
        };
        self.put(drawer, &format!("f/{url}"), &saved.write());
        self.files.insert((drawer.id(), url.to_owned()), bytes.to_vec());
    }

    fn only(&self, drawers: &[Drawer]) -> Shelves {
        let wanted = |id: &str| drawers.iter().any(|drawer| drawer.id() == id);
        let mut own = self.clone();
        own.records.retain(|(id, _), _| wanted(id));
        own.files.retain(|(id, _), _| wanted(id));
        own
    }
}

fn party(handle: &str) -> Party {
    let handle: packed_trunk::account::Handle = handle.parse().unwrap();
    Party { host: handle.domain().clone(), handle: Some(handle) }
}

fn the_move() -> Move {
    Move::new(party("ana@old.example"), party("ana@new.example"), Time(5))
}

fn about(it: &Move) -> About {
    About { it: it.clone(), at: NOW, extension: "0.1.0".into(), readme: "Private messages are in it.".into() }
}

/// With the jobs' own word whose each drawer is.
fn owned(mut shelves: Shelves) -> Shelves {
    for drawer in Drawer::ALL {
        if shelves.records.keys().any(|(id, _)| *id == drawer.id()) {
            let handle = match drawer {
                Drawer::Messages | Drawer::Lists => "ana@old.example",
                _ => "ana@new.example",
            };
            let about = json!({ "owner": { "handle": handle }, "begun": 1, "done": 7 });
            shelves.put(drawer, "about", &about.to_string());
        }
    }
    shelves
}

fn some() -> Shelves {
    let mut shelves = Shelves::default();
    for n in 0..40 {
        shelves.put(Drawer::Messages, &format!("m/https://old.example/{n}"), &format!("{{\"id\": \"{n}\"}}"));
    }
    shelves.put(Drawer::Lists, "b/follows", "Account address,Show boosts\nbob@remote.example,true\n");
    shelves.put(Drawer::Unpack, "u/00000", "{\"stage\":\"ready\"}");
    shelves.put(Drawer::New, "corrections", "{}");
    shelves.save(Drawer::Messages, "https://old.example/a b.png", b"picture");
    shelves.save(Drawer::Lists, "https://old.example/avatar.png", b"picture");
    shelves.save(Drawer::Lists, "https://old.example/empty", b"");
    shelves.save(Drawer::Messages, "https://old.example/film", &vec![7; 700_000]);
    owned(shelves)
}

// ------------------------------------------------------------------------------------------------- writing and reading

fn write(it: &Move, shelves: &Shelves, most: usize, piece: usize) -> (Vec<u8>, Report) {
    let mut case = Case::new(about(it));
    let (mut zip, mut before) = (Vec::new(), 0);
    for _ in 0..1_000_000 {
        let want = case.wants();
        assert_eq!(want, if want == Want::Nothing { Want::Nothing } else { case.wants() });
        match &want {
            Want::Records { drawer, after } => {
                let some: Vec<(String, String)> = shelves
                    .records
                    .iter()
                    .filter(|((id, key), _)| {
                        *id == drawer.id() && after.as_ref().is_none_or(|after| key > after)
                    })
                    .take(most)
                    .map(|((_, key), text)| (key.clone(), text.clone()))
                    .collect();
                case.records(&some);
            }
            Want::File { drawer, url } => match shelves.files.get(&(drawer.id(), url.clone())) {
                Some(bytes) => {
                    for part in bytes.chunks(piece) {
                        case.file(part, false);
                    }
                    case.file(&[], true);
                }
                None => case.no_file(),
            },
            Want::Nothing | Want::Done => {}
            Want::Failed(fault) => panic!("{fault:?}"),
        }
        let new = case.take();
        // No second copy of everything in memory.
        assert!(new.len() < 2_000_000, "{} bytes at once", new.len());
        zip.extend(new);
        let (done, all) = case.progress();
        assert!(done >= before && all.is_none_or(|all| done <= all), "{done} of {all:?} after {before}");
        before = done;
        if want == Want::Done {
            let report = case.report();
            assert_eq!(report.size, zip.len() as u64);
            return (zip, report);
        }
    }
    panic!("no end");
}

fn open(zip: &[u8]) -> Result<Open, Reason> {
    let mut open = Open::new(zip.len() as u64, LIMIT);
    for _ in 0..1_000_000 {
        match open.wants() {
            Ask::Range { at, len } => {
                let at = usize::try_from(at).unwrap();
                assert!(len <= 1 << 20, "{len} bytes");
                open.bytes(zip.get(at..(at + len).min(zip.len())).unwrap_or_default());
            }
            Ask::Done => return Ok(open),
            Ask::Failed(reason) => return Err(reason),
        }
    }
    panic!("no end");
}

/// A file that comes out: its places, its size, its checksum, its bytes.
type Taken = (Vec<(Drawer, String)>, u64, String, Vec<u8>);

fn restore(zip: &[u8], open: Open, wanted: &[Drawer]) -> Result<Shelves, Reason> {
    let mut restore = open.restore(wanted).unwrap();
    let mut shelves = Shelves::default();
    let mut file: Option<Taken> = None;
    for _ in 0..1_000_000 {
        match restore.wants() {
            Ask::Range { at, len } => {
                let at = usize::try_from(at).unwrap();
                restore.bytes(zip.get(at..(at + len).min(zip.len())).unwrap_or_default());
            }
            Ask::Done => return Ok(shelves),
            Ask::Failed(reason) => return Err(reason),
        }
        for out in restore.take() {
            match out {
                Out::Records(drawer, records) => {
                    assert!(records.len() <= 200 && file.is_none());
                    for record in records {
                        shelves.put(drawer, &record.key, &record.text.unwrap());
                    }
                }
                Out::File { places, size, sha256 } => file = Some((places, size, sha256, Vec::new())),
                Out::Piece(piece) => file.as_mut().unwrap().3.extend(piece),
                Out::End => {
                    let (places, size, sha256, bytes) = file.take().unwrap();
                    assert_eq!((bytes.len() as u64, digest::hex(&bytes)), (size, sha256));
                    for (drawer, url) in places {
                        shelves.files.insert((drawer.id(), url), bytes.clone());
                    }
                }
            }
        }
    }
    panic!("no end");
}

fn read(zip: &[u8]) -> Result<(Contents, Shelves), Reason> {
    let open = open(zip)?;
    let contents = open.contents().unwrap();
    Ok((contents, restore(zip, open, &Drawer::ALL)?))
}

// --------------------------------------------------------------------------------------------------------------- tests

#[test]
fn a_move_comes_back_as_it_went() {
    let shelves = some();
    let (zip, report) = write(&the_move(), &shelves, 7, 1_000);
    assert_eq!((report.files, report.lost), (3, 0));
    let (contents, back) = read(&zip).unwrap();
    assert_eq!((contents.it, contents.at, contents.files, contents.lost), (the_move(), NOW, 3, 0));
    let messages = contents.drawers.iter().find(|held| held.drawer == Drawer::Messages).unwrap();
    assert_eq!((messages.messages, messages.records, messages.at), (40, 43, Some(Time(7))));
    assert_eq!(back, shelves);
    // Written in other steps, it is the same file.
    assert_eq!(write(&the_move(), &shelves, 200, 1 << 20).0, zip);
}

#[test]
fn only_what_is_wanted_comes_out() {
    let shelves = some();
    let (zip, _) = write(&the_move(), &shelves, 100, 1 << 20);
    for wanted in [vec![], vec![Drawer::Lists], vec![Drawer::Messages, Drawer::Unpack]] {
        let open = open(&zip).unwrap();
        assert_eq!(restore(&zip, open, &wanted).unwrap(), shelves.only(&wanted), "{wanted:?}");
    }
}

#[test]
fn a_move_of_which_nothing_is_saved_is_one_too() {
    let (zip, report) = write(&the_move(), &Shelves::default(), 100, 1);
    assert_eq!((report.records, report.files), (0, 0));
    let (contents, back) = read(&zip).unwrap();
    assert_eq!((contents.it, contents.drawers.len()), (the_move(), 0));
    assert_eq!(back, Shelves::default());
    // Only the new server is named: the new side has no drawers yet.
    let mut it = the_move();
    it.new.handle = None;
    let mut shelves = Shelves::default();
    shelves.put(Drawer::Lists, "b/follows", "x");
    let (zip, _) = write(&it, &owned(shelves.clone()), 100, 1);
    assert_eq!(read(&zip).unwrap().1, owned(shelves));
}

#[test]
fn a_file_that_is_gone_is_counted_and_the_rest_is_there() {
    let mut shelves = some();
    shelves.files.remove(&("messages", "https://old.example/film".to_owned()));
    // The same picture from two places is there as long as one of them has it.
    shelves.files.remove(&("lists", "https://old.example/avatar.png".to_owned()));
    let (zip, report) = write(&the_move(), &shelves, 100, 999);
    assert_eq!((report.files, report.lost), (2, 1));
    let (contents, back) = read(&zip).unwrap();
    assert_eq!((contents.files, contents.lost), (2, 1));
    assert_eq!(back.records, shelves.records);
    assert_eq!(back.files.len(), 3);
}

#[test]
fn other_programs_can_read_it() {
    let (zip, _) = write(&the_move(), &some(), 100, 1 << 20);
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    for name in ["move.json", "README.txt", "manifest.json", "records/messages.json", "records/unpack.json"] {
        assert!(names.iter().any(|own| own == name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("verify")), "{names:?}");
    let mut text = String::new();
    archive.by_name("records/messages.json").unwrap().read_to_string(&mut text).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["records"].as_array().unwrap().len(), 43);
    let mut readme = String::new();
    archive.by_name("README.txt").unwrap().read_to_string(&mut readme).unwrap();
    assert_eq!(readme, "Private messages are in it.");
}

/// A ZIP with these entries, its manifest right for them.
fn forged(entries: &[(&str, String)], head: Value) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut lines: Vec<String> = Vec::new();
    for (path, text) in entries {
        zip.start_file(*path, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
        let line = json!({ "path": path, "size": text.len(), "sha256": digest::hex(text.as_bytes()) });
        lines.push(line.to_string());
    }
    let head = head.to_string();
    let head = head.strip_suffix('}').unwrap();
    zip.start_file("manifest.json", options).unwrap();
    let text = format!("{head},\"files\":[\n{}\n]}}\n", lines.join(",\n"));
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn what_is_forged_is_refused() {
    use packed_trunk::plain::Plain;
    let head = json!({ "format": "packed-trunk-move", "version": 1, "at": "2026-11-22T00:00:00Z" });
    let it = |version: u64| json!({ "version": version, "move": the_move().write() }).to_string();
    let records = |drawer: &str, items: &[Value]| {
        let items: Vec<String> = items.iter().map(Value::to_string).collect();
        format!("{{\"drawer\":\"{drawer}\",\"records\":[\n{}\n]}}\n", items.join(",\n"))
    };
    let owner = |handle: &str| json!({ "key": "about", "record": { "owner": { "handle": handle } } });
    let good = records("messages", &[owner("ana@old.example")]);
    let path = "records/messages.json";
    let refused = |entries: &[(&str, String)], head: Value| read(&forged(entries, head)).err();

    assert_eq!(refused(&[("move.json", it(1)), (path, good.clone())], head.clone()), None);
    let newer = json!({ "format": "packed-trunk-move", "version": 2 });
    assert_eq!(refused(&[("move.json", it(1))], newer), Some(Reason::Newer(2)));
    assert_eq!(refused(&[("move.json", it(7))], head.clone()), Some(Reason::Newer(7)));
    let other = json!({ "format": "packed-trunk-lists", "version": 1 });
    assert_eq!(refused(&[("move.json", it(1))], other), Some(Reason::NotOurs));
    assert_eq!(
        refused(&[(path, good.clone())], head.clone()),
        Some(Reason::Missing { path: "move.json".into() })
    );
    for (what, entries) in [
        ("no move", vec![("move.json", "{\"version\":1,\"move\":{\"old\":5}}".to_owned())]),
        ("no JSON", vec![("move.json", "[".to_owned())]),
        (
            "somebody else's",
            vec![("move.json", it(1)), (path, records("messages", &[owner("eve@old.example")]))],
        ),
        ("no handle", vec![("move.json", it(1)), (path, records("messages", &[owner("<script>")]))]),
        ("another drawer", vec![("move.json", it(1)), (path, records("lists", &[owner("ana@old.example")]))]),
        ("no key", vec![("move.json", it(1)), (path, records("messages", &[json!({ "record": 1 })]))]),
        ("no record", vec![("move.json", it(1)), (path, records("messages", &[json!({ "key": "x" })]))]),
        (
            "another list",
            vec![("move.json", it(1)), (path, "{\"drawer\":\"messages\",\"other\":[\n1\n]}\n".to_owned())],
        ),
        ("not at its end", vec![("move.json", it(1)), (path, good.trim_end_matches("]}\n").to_owned())]),
        ("a name that leads out", vec![("move.json", it(1)), ("../evil", String::new())]),
        (
            "a file of nobody",
            vec![("move.json", it(1)), (&*format!("files/{}", digest::hex(b"x")), "x".to_owned())],
        ),
        (
            "a file under another name",
            vec![("move.json", it(1)), (&*format!("files/{}", digest::hex(b"y")), "x".to_owned())],
        ),
    ]
    .map(|(what, entries)| {
        (what, entries.into_iter().map(|(path, text)| (path.to_owned(), text)).collect::<Vec<_>>())
    }) {
        let entries: Vec<(&str, String)> =
            entries.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
        let reason = refused(&entries, head.clone());
        assert!(matches!(reason, Some(Reason::Damaged { .. } | Reason::Odd { .. })), "{what}: {reason:?}");
    }
    // Another server's pages for this account.
    let mut elsewhere = the_move();
    elsewhere.old.host = "evil.example".parse().unwrap();
    let elsewhere = json!({ "version": 1, "move": elsewhere.write() }).to_string();
    assert!(refused(&[("move.json", elsewhere)], head.clone()).is_some());
    // The move says nothing of whose it is.
    let mut nobody = the_move();
    nobody.old.handle = None;
    let nobody = json!({ "version": 1, "move": nobody.write() }).to_string();
    assert!(refused(&[("move.json", nobody), (path, good)], head).is_some());
}

#[test]
fn what_is_cut_off_anywhere_is_refused() {
    let mut shelves = some();
    shelves.files.remove(&("messages", "https://old.example/film".to_owned()));
    let (zip, _) = write(&the_move(), &shelves, 100, 1 << 20);
    for end in 0..zip.len() {
        assert!(open(&zip[..end]).is_err(), "cut off at {end} of {}", zip.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_goes_in_comes_out_byte_for_byte(
        records in prop::collection::vec((0usize..5, "[ -~\\n\u{1}\u{e4}\u{1f600}]{1,12}", "\\PC{0,40}|\\{\"a\": [1, 2]\\}|[\\r\\n\"]{0,4}"), 0..40),
        files in prop::collection::vec((0usize..5, "[a-z /:]{1,12}", prop::collection::vec(any::<u8>(), 0..400)), 0..6),
        most in 1usize..9,
        piece in 1usize..300,
    ) {
        let mut shelves = Shelves::default();
        for (drawer, key, text) in &records {
            shelves.put(Drawer::ALL[*drawer], key, text);
        }
        // No text that was made up says that a file is saved.
        for (drawer, url, bytes) in &files {
            shelves.save(Drawer::ALL[*drawer], url, bytes);
        }
        let shelves = owned(shelves);
        let (zip, report) = write(&the_move(), &shelves, most, piece);
        prop_assert_eq!((report.records as usize, report.lost), (shelves.records.len(), 0));
        let (contents, back) = read(&zip).unwrap();
        prop_assert_eq!(contents.it, the_move());
        prop_assert_eq!(back, shelves);
    }

    /// A byte that only other programs look at may be another one; then what comes out is the same all the same.
    #[test]
    fn a_flipped_bit_is_noticed_or_means_nothing(place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut shelves = some();
        shelves.save(Drawer::Messages, "https://old.example/film", b"short");
        let (mut zip, _) = write(&the_move(), &shelves, 100, 1 << 20);
        let at = place.index(zip.len());
        zip[at] ^= 1 << bit;
        if let Ok((contents, back)) = read(&zip) {
            prop_assert_eq!(contents.it, the_move());
            prop_assert_eq!(back, shelves);
        }
    }
}
