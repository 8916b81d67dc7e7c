//! The ZIP of everything besides messages: what other programs find in it, and what it withstands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read, Write};

use common::file;
use common::moving::{Keeper, Teller};
use packed_trunk::bundle::Want;
use packed_trunk::bundle::kind;
use packed_trunk::bundle::open::{Ask, Reason};
use packed_trunk::job::Work;
use packed_trunk::job::pack::part::Part;
use packed_trunk::job::pack::{Pack, Scope};
use packed_trunk::list::Kind;
use packed_trunk::message::digest;
use packed_trunk::message::record::{File, Missing, Record};
use packed_trunk::say::Words;
use packed_trunk::server::markup::Parser;
use packed_trunk::server::reply::{Answer, Reply};
use packed_trunk::trunk::bundle::{About, Bundle, Contents, Open, Report};
use packed_trunk::when::Time;
use serde_json::{Value, json};
use stand_in::{Control, Options, Side, Version};

const LIMIT: u64 = 1 << 30;
const NOW: Time = Time(1_795_219_200_000);

/// A language, as the browser would say it.
struct Language(Value);

impl Language {
    fn of(language: &str) -> Language {
        let path = format!("extension/_locales/{language}/messages.json");
        Language(serde_json::from_str(&file(&path)).unwrap())
    }
}

impl Words for Language {
    fn message(&self, key: &str, parts: &[String]) -> Option<String> {
        let mut text = self.0.get(key)?.get("message")?.as_str()?.to_owned();
        for (at, part) in (1..).zip(parts) {
            text = text.replace(&format!("${at}"), part);
        }
        Some(text)
    }

    fn plural(&self, n: i64) -> String {
        if n == 1 { "one" } else { "other" }.to_owned()
    }

    fn number(&self, n: i64) -> String {
        n.to_string()
    }

    fn day(&self, at: Time) -> String {
        at.civil().day()
    }

    fn clock(&self, at: Time) -> String {
        at.civil().time()
    }

    fn ago(&self, millis: i64) -> String {
        format!("{millis} ago")
    }
}

// ------------------------------------------------------------------------------------------------------ what is packed

struct Trunk {
    pack: Pack,
    keeper: Keeper,
    pictures: BTreeMap<String, Vec<u8>>,
}

fn pair(old: &str) -> Control {
    let old_version: Version = old.parse().expect("a version");
    stand_in::indoors(Options { old_version, ..Options::default() })
}

/// What somebody has, packed; the pictures known for what they are.
fn packed(control: &Control, user: &str) -> Trunk {
    let teller = Teller::new(control, Side::Old, user);
    let (mut pack, mut keeper) = teller.pack(Scope::Everything);
    let session = control.credentials(Side::Old, user);
    let mut pictures = BTreeMap::new();
    let urls: Vec<String> = pack.pictures().map(|(url, _)| url.to_owned()).collect();
    for url in urls {
        let bytes = control.fetch(&url, &session).unwrap().body;
        let saved = saved(&bytes);
        keeper.keep(pack.fetched(&url, saved));
        pictures.insert(url, bytes);
    }
    Trunk { pack, keeper, pictures }
}

fn saved(bytes: &[u8]) -> File {
    File::Saved {
        kind: kind::sniff(bytes).to_owned(),
        said: "text/html".to_owned(),
        size: bytes.len() as u64,
        sha256: digest::hex(bytes),
    }
}

/// A trunk whose server says whatever a test wants.
struct Lying {
    pack: Pack,
    keeper: Keeper,
}

impl Lying {
    fn new() -> Lying {
        let control = pair("4.6");
        let teller = Teller::new(&control, Side::Old, "ana");
        let mut owner = teller.owner();
        owner.domain = "old.example".parse().unwrap();
        owner.handle = "ana@old.example".into();
        let (pack, records) = Pack::begin(owner, Scope::Everything, NOW);
        let mut keeper = Keeper::default();
        keeper.keep(records);
        Lying { pack, keeper }
    }

    /// Answers every request by `body`, until nothing is left to ask.
    fn answer(mut self, body: impl Fn(&str) -> (u16, String)) -> Lying {
        struct Nothing;
        impl Parser for Nothing {
            fn parse<'a>(&'a self, html: &str) -> Box<dyn packed_trunk::server::markup::Markup + 'a> {
                Box::new(common::page(html))
            }
        }
        while let Some(task) = self.pack.task(true) {
            let request = self.pack.request(&task);
            let (status, body) = body(&request.path);
            let reply: Reply = Ok(Answer {
                status,
                path: request.path.clone(),
                content_type: if request.path == "/settings/export" {
                    "text/html"
                } else {
                    "application/json"
                }
                .into(),
                body,
                ..Answer::default()
            });
            let records = self
                .pack
                .answer(&task, &reply, &Nothing, NOW)
                .unwrap_or_else(|why| panic!("{}: {why:?}", request.path));
            self.keeper.keep(records);
        }
        let records = self.pack.finish(NOW);
        self.keeper.keep(records);
        self
    }

    fn trunk(self) -> Trunk {
        Trunk { pack: self.pack, keeper: self.keeper, pictures: BTreeMap::new() }
    }
}

// ------------------------------------------------------------------------------------------------- writing and reading

fn write(trunk: &Trunk, language: &str, piece: usize) -> (Vec<u8>, Report) {
    let words = Language::of(language);
    let at = trunk.pack.finished().unwrap_or(NOW);
    let mut bundle = Bundle::new(About { at, extension: "0.1.0".into() }, &trunk.pack);
    let mut zip: Vec<u8> = Vec::new();
    let mut before = 0;
    for _ in 0..1_000_000 {
        let want = bundle.wants(&words);
        assert_eq!(want, if want == Want::Nothing { Want::Nothing } else { bundle.wants(&words) });
        match &want {
            Want::Records(keys) => {
                assert!(!keys.is_empty() && keys.len() <= 16, "{} keys", keys.len());
                bundle.records(keys.iter().map(|key| trunk.keeper.records.get(key).cloned()).collect());
            }
            Want::File { url } => match trunk.pictures.get(url) {
                Some(bytes) => {
                    for part in bytes.chunks(piece) {
                        bundle.file(part, false);
                    }
                    bundle.file(&[], true);
                }
                None => bundle.no_file(),
            },
            Want::Nothing | Want::Done => {}
            Want::Failed(fault) => panic!("{fault:?}"),
        }
        zip.extend(bundle.take());
        let (done, all) = bundle.progress();
        assert!(done >= before && done <= all, "{done} of {all} after {before}");
        before = done;
        if want == Want::Done {
            assert_eq!(done, all, "not all of the work was counted");
            assert!(bundle.take().is_empty());
            let report = bundle.report();
            assert_eq!(report.size, zip.len() as u64);
            return (zip, report);
        }
    }
    panic!("it never ends");
}

/// What another program finds.
fn entries(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut all = BTreeMap::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let name = entry.name().unwrap().into_owned();
        assert_eq!(entry.enclosed_name().unwrap().to_str().unwrap(), name);
        assert!(all.insert(name.clone(), bytes).is_none(), "twice: {name}");
    }
    all
}

fn text<'a>(entries: &'a BTreeMap<String, Vec<u8>>, path: &str) -> &'a str {
    let bytes = entries.get(path).unwrap_or_else(|| panic!("no {path}: {:?}", entries.keys()));
    std::str::from_utf8(bytes).unwrap()
}

fn value(entries: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_str(text(entries, path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn rows(entries: &BTreeMap<String, Vec<u8>>, path: &str) -> Vec<Vec<String>> {
    let text = text(entries, path).strip_prefix('\u{feff}').expect("a mark for spreadsheets");
    assert!(!text.contains('\u{feff}'), "{path}: a mark in the middle");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn open(zip: &[u8]) -> Result<Contents, Reason> {
    let mut open = Open::new(zip.len() as u64, LIMIT);
    for _ in 0..1_000_000 {
        match open.wants() {
            Ask::Range { at, len } => {
                assert!(open.contents().is_none() && len <= 1 << 20);
                let at = usize::try_from(at).unwrap();
                open.bytes(zip.get(at..at.saturating_add(len).min(zip.len())).unwrap_or_default());
            }
            Ask::Done => return Ok(open.contents().unwrap().clone()),
            Ask::Failed(reason) => return Err(reason),
        }
    }
    panic!("it never ends");
}

/// The same entries in a ZIP of another program, with one of them changed.
fn repacked(entries: &BTreeMap<String, Vec<u8>>, change: impl Fn(&str, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in entries {
        if let Some(bytes) = change(path, bytes) {
            writer.start_file(path.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(&bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

// -------------------------------------------------------------------------------------------------------------- tests

#[test]
fn the_servers_files_are_in_it_byte_for_byte() {
    for version in ["3.5", "4.1", "4.3", "4.6"] {
        let control = pair(version);
        let session = control.credentials(Side::Old, "petra");
        let trunk = packed(&control, "petra");
        let (zip, report) = write(&trunk, "en", 1_000);
        assert_eq!((report.lost, report.gone), (Vec::new(), Vec::new()), "{version}");
        let found = entries(&zip);
        let mut files = 0;
        for kind in Kind::ALL {
            let path = format!("/settings/exports/{}", kind.export());
            let answer = control.answer(Side::Old, "GET", &path, &session.cookie_only()).unwrap();
            let ours = found.get(&format!("mastodon/{}", kind.file()));
            if answer.status == 200 {
                assert_eq!(ours, Some(&answer.body), "{version}: {kind:?}");
                files += 1;
            } else {
                assert_eq!(ours, None, "{version}: {kind:?}");
            }
        }
        assert_eq!(files, if version == "4.6" { 7 } else { 6 });
        let contents = open(&zip).unwrap();
        assert_eq!(contents.owner, trunk.pack.owner().handle);
        assert_eq!(contents.incomplete, 0, "{version}: {}", text(&found, "README.txt"));
        assert_eq!(contents.at, trunk.pack.finished().unwrap());
        let followers = contents.parts.iter().find(|(part, _)| part == "followers").unwrap().1;
        assert_eq!(followers, 13);
    }
}

#[test]
fn what_mastodon_exports_to_nobody_is_in_it_too() {
    let control = pair("4.6");
    let trunk = packed(&control, "petra");
    let (zip, _) = write(&trunk, "en", 1_000);
    let found = entries(&zip);
    // Two pictures, seven of the server's, all of ours, and the two that speak of the others.
    for path in [
        "README.txt",
        "manifest.json",
        "packed-trunk/followers.csv",
        "packed-trunk/followers.json",
        "packed-trunk/follows.json",
        "packed-trunk/lists.json",
        "packed-trunk/hashtags.json",
        "packed-trunk/featured.json",
        "packed-trunk/notes.csv",
        "packed-trunk/notes.json",
        "packed-trunk/mutes.json",
        "packed-trunk/filters.json",
        "packed-trunk/favourites.csv",
        "packed-trunk/profile.json",
        "packed-trunk/preferences.json",
        "packed-trunk/notification-policy.json",
    ] {
        assert!(found.contains_key(path), "no {path}: {:?}", found.keys());
    }
    let pictures: Vec<&String> = found.keys().filter(|path| path.starts_with("pictures/")).collect();
    assert_eq!(pictures.len(), 2, "{pictures:?}");
    for (path, bytes) in found.iter().filter(|(path, _)| path.starts_with("pictures/")) {
        assert!(trunk.pictures.values().any(|picture| picture == bytes), "{path}");
        assert!(!path.ends_with(".bin"), "{path}");
    }

    // Everybody who is kept, exactly as they are kept.
    let kept: Vec<Value> = trunk
        .keeper
        .records
        .iter()
        .filter(|(key, _)| key.starts_with("b/followers/"))
        .flat_map(|(_, text)| serde_json::from_str::<Vec<Value>>(text).unwrap())
        .collect();
    let followers = value(&found, "packed-trunk/followers.json");
    assert_eq!(followers["followers"].as_array().unwrap(), &kept);
    let since = followers["since"].as_array().unwrap();
    assert!(!since.is_empty() && since.iter().all(|one| one["acct"].is_string() && one["since"].is_string()));

    let table = rows(&found, "packed-trunk/followers.csv");
    assert_eq!(table[0], ["Address", "Name", "Follows since", "Approves followers", "Bot", "Moved to"]);
    assert_eq!(table.len(), kept.len() + 1);
    assert_eq!(table[1][0], kept[0]["acct"].as_str().unwrap());
    assert!(table.iter().skip(1).any(|row| row[2].len() == 10), "nobody's day is known: {table:?}");

    let notes = rows(&found, "packed-trunk/notes.csv");
    let people: BTreeSet<&String> = notes.iter().map(|row| &row[0]).collect();
    assert_eq!(people.len(), notes.len(), "somebody stands there twice: {notes:?}");
    assert!(notes.iter().any(|row| row[1].contains("owes me a valve")), "{notes:?}");
    assert_eq!(value(&found, "packed-trunk/notes.json")["notes"].as_array().unwrap().len() + 1, notes.len());

    let mutes = value(&found, "packed-trunk/mutes.json");
    let until = mutes["mutes"].as_array().unwrap().iter().filter(|one| one["until"].is_i64()).count();
    assert_eq!(until, 1, "{mutes}");
    let profile = &trunk.keeper.records["b/profile"];
    assert_eq!(text(&found, "packed-trunk/profile.json"), profile);
    let featured = value(&found, "packed-trunk/featured.json");
    assert!(featured["profiles"].is_array() && featured["hashtags"].is_array(), "{featured}");
}

#[test]
fn the_manifest_says_what_everything_is() {
    for user in ["ana", "petra"] {
        let trunk = packed(&pair("4.6"), user);
        let (zip, report) = write(&trunk, "en", 1_000);
        let found = entries(&zip);
        assert_eq!(found.len(), report.entries);
        let manifest = value(&found, "manifest.json");
        let files = manifest["files"].as_array().unwrap();
        assert_eq!(files.len() + 1, found.len());
        for file in files {
            let bytes = &found[file["path"].as_str().unwrap()];
            assert_eq!(file["size"], bytes.len(), "{file}");
            assert_eq!(file["sha256"].as_str().unwrap(), digest::hex(bytes), "{file}");
        }
        assert_eq!(manifest["owner"]["handle"].as_str().unwrap(), trunk.pack.owner().handle);
        assert_eq!(manifest["format"], "packed-trunk-lists");
        assert!(Time::from_iso(manifest["at"].as_str().unwrap()).is_some());
        let parts = manifest["parts"].as_array().unwrap();
        assert_eq!(parts.len(), trunk.pack.parts().len());
        let follows = parts.iter().find(|part| part["part"] == "follows").unwrap();
        assert_eq!(follows["state"], "done");
        assert_eq!(follows["packed"], follows["counted"], "{user}");
        assert!(open(&zip).is_ok());
    }
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let trunk = packed(&pair("4.6"), "petra");
    let (zip, _) = write(&trunk, "en", 1_000);
    assert!(write(&trunk, "en", 7).0 == zip);
}

#[test]
fn the_readme_speaks_the_persons_language_of_what_is_there() {
    let trunk = packed(&pair("4.1"), "petra");
    for (language, import) in
        [("en", "following_accounts.csv: type “Following list”"), ("de", "Art „Folgeliste“")]
    {
        let (zip, _) = write(&trunk, language, 1_000);
        let found = entries(&zip);
        let readme = text(&found, "README.txt");
        assert!(readme.contains(import), "{readme}");
        assert!(!readme.contains("trunk_") && !readme.contains("pack_") && !readme.contains('$'), "{readme}");
        assert!(!readme.contains("custom_filters.json"), "4.1 has no such file: {readme}");
        for path in found.keys().filter(|path| path.starts_with("packed-trunk/")) {
            assert!(readme.contains(path.strip_prefix("packed-trunk/").unwrap()), "{path}: {readme}");
        }
    }
}

#[test]
fn what_could_not_be_packed_is_said() {
    let lying = Lying::new().answer(|path| match path {
        "/settings/export" => (200, "<html>".into()),
        _ if path.starts_with("/api/v1/mutes") => (403, "{}".into()),
        _ if path.starts_with("/api/v1/lists") => (404, "{}".into()),
        _ if path.contains("custom_filters") => (200, "{\"custom_filters\":[]}".into()),
        _ if path.starts_with("/settings/exports") => (200, String::new()),
        _ if path.contains("verify_credentials") => {
            (200, json!({"id": "1", "avatar": "https://old.example/a.png"}).to_string())
        }
        _ => (200, "[]".into()),
    });
    let mut trunk = lying.trunk();
    let missing = trunk.pack.fetched("https://old.example/a.png", File::Missing(Missing::Gone));
    trunk.keeper.keep(missing);
    // The browser has lost one.
    trunk.keeper.keep(vec![Record { key: "b/blocks".into(), text: None }]);
    let (zip, report) = write(&trunk, "en", 1_000);
    assert_eq!(report.gone, ["b/blocks"]);
    let found = entries(&zip);
    let manifest = value(&found, "manifest.json");
    let ids: Vec<&str> =
        manifest["incomplete"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["trunk_refused", "pack_pictures_missing", "trunk_gone"], "{manifest}");
    let readme = text(&found, "README.txt");
    assert!(readme.contains("Until when people are muted: the server does not hand it out."), "{readme}");
    assert!(!found.contains_key("packed-trunk/mutes.json") && !found.contains_key("packed-trunk/lists.json"));
    assert!(!found.contains_key("packed-trunk/followers.csv"), "nobody follows, so there is no table");
    assert_eq!(open(&zip).unwrap().incomplete, 3);
}

#[test]
fn hostile_names_stay_text() {
    let name = "=HYPERLINK(\"https://evil.example\")\r\n@SUM(1+1)\u{202e}\0</script>";
    let person = |id: u32, acct: &str| json!({"id": id.to_string(), "acct": acct, "display_name": name, "note": "=1+1"});
    let lying = Lying::new().answer(|path| match path {
        "/settings/export" => (200, String::new()),
        _ if path.contains("verify_credentials") => (
            200,
            json!({"id": "1", "avatar": "https://old.example/../../evil.png", "display_name": name})
                .to_string(),
        ),
        _ if path.contains("/followers") => (
            200,
            json!([person(1, "bad"), person(2, "../../etc/passwd@x.example"), person(3, "c@d.example")])
                .to_string(),
        ),
        _ if path.contains("relationships") => {
            (200, json!([{"id": "1", "note": "=cmd|' /C calc'!A0\n+1", "requested": true}]).to_string())
        }
        _ if path.contains("favourites") => {
            (200, json!([{"uri": "javascript:alert(1)", "url": "-1", "account": {"acct": "+x"}}]).to_string())
        }
        _ if path.starts_with("/settings/exports") => (200, "\u{feff}=1+1,\"\r\n\0,-2\n".into()),
        _ => (200, "[]".into()),
    });
    let mut trunk = lying.trunk();
    let picture = b"<svg onload=alert(1)>".to_vec();
    let url = "https://old.example/../../evil.png";
    trunk.keeper.keep(trunk.pack.fetched(url, saved(&picture)));
    trunk.pictures.insert(url.into(), picture.clone());
    let (zip, _) = write(&trunk, "en", 3);
    let found = entries(&zip);
    // What the server exports stays as it is, what is meant for spreadsheets does nothing there.
    assert_eq!(text(&found, "mastodon/blocked_accounts.csv"), "\u{feff}=1+1,\"\r\n\0,-2\n");
    assert_eq!(found["pictures/avatar.bin"], picture);
    for path in ["packed-trunk/followers.csv", "packed-trunk/notes.csv", "packed-trunk/favourites.csv"] {
        for cell in rows(&found, path).iter().flatten() {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']), "{path}: {cell:?}");
        }
    }
    assert_eq!(value(&found, "packed-trunk/followers.json")["followers"][0]["name"].as_str().unwrap(), name);
    assert_eq!(open(&zip).unwrap().owner, "ana@old.example");
}

#[test]
fn what_is_not_as_it_was_written_is_told() {
    let trunk = packed(&pair("4.6"), "ana");
    let (zip, _) = write(&trunk, "en", 1_000);
    let found = entries(&zip);
    let damaged = |path: &str| Err(Reason::Damaged { path: path.into() });
    let same = |_: &str, bytes: &[u8]| Some(bytes.to_vec());
    assert!(open(&repacked(&found, same)).is_ok(), "unpacked and packed again");
    for path in found.keys() {
        let changed = |own: &str, bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            if own == path {
                let last = bytes.len() - 2;
                bytes[last] ^= 1;
            }
            Some(bytes)
        };
        let got = open(&repacked(&found, changed)).map(|_| ());
        assert!(got.is_err(), "{path} was changed");
        if path != "manifest.json" {
            assert_eq!(got, damaged(path));
        }
        let without = |own: &str, bytes: &[u8]| (own != path).then(|| bytes.to_vec());
        let expected =
            if path == "manifest.json" { Reason::NotOurs } else { Reason::Missing { path: path.clone() } };
        assert_eq!(open(&repacked(&found, without)).map(|_| ()), Err(expected), "{path} was taken out");
    }
    let mut more = found.clone();
    more.insert("mastodon/evil.csv".into(), b"x".to_vec());
    assert_eq!(
        open(&repacked(&more, same)).map(|_| ()),
        Err(Reason::Odd { path: "mastodon/evil.csv".into() })
    );
    more.remove("mastodon/evil.csv");
    more.insert(".DS_Store".into(), b"x".to_vec());
    assert!(open(&repacked(&more, same)).is_ok(), "what another program adds is left alone");
    for cut in [1, 20, zip.len() / 2, zip.len() - 1] {
        assert!(open(&zip[..cut]).is_err(), "cut at {cut}");
    }
    for at in (0..zip.len()).step_by(zip.len() / 300 + 1) {
        let mut bytes = zip.clone();
        bytes[at] ^= 0x55;
        if let Ok(contents) = open(&bytes) {
            // A time or a right in a header, which no entry depends on.
            assert_eq!(Some(contents), open(&zip).ok(), "byte {at}");
        }
    }
}

#[test]
fn a_zip_of_messages_is_another_thing() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let manifest = "{\"format\":\"packed-trunk\",\"version\":1,\"files\":[\n]}\n";
    writer.start_file("manifest.json", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(manifest.as_bytes()).unwrap();
    let zip = writer.finish().unwrap().into_inner();
    assert_eq!(open(&zip), Err(Reason::NotOurs));
}

#[test]
fn two_hundred_thousand_followers_need_no_memory_for_all() {
    let mut trunk = Lying::new()
        .answer(|path| match path {
            "/settings/export" => (200, String::new()),
            _ if path.starts_with("/settings/exports") => (200, String::new()),
            _ => (200, "[]".into()),
        })
        .trunk();
    // As if they had come in pages.
    let page = |page: usize| -> String {
        let person = |at: usize| json!({"id": at.to_string(), "acct": format!("somebody{at}@far.example"), "name": "Some Body"});
        json!((page * 80..(page + 1) * 80).map(person).collect::<Vec<_>>()).to_string()
    };
    let pages = 2_500;
    let state =
        json!({"state": "done", "at": 5, "rows": pages * 80, "pages": pages, "after": null, "pass": 0});
    trunk.keeper.records.insert("s/followers".into(), state.to_string());
    for at in 0..pages {
        trunk.keeper.records.insert(format!("b/followers/0000/{at:06}"), page(at));
    }
    let mut pack = Pack::from_about(&trunk.keeper.records["about"]).unwrap();
    for (key, text) in &trunk.keeper.records {
        pack.restore(key, text);
    }
    pack.ready();
    let words = Language::of("en");
    let mut bundle = Bundle::new(About { at: NOW, extension: "0.1.0".into() }, &pack);
    let (mut most, mut size) = (0, 0);
    loop {
        let want = bundle.wants(&words);
        if let Want::Records(keys) = &want {
            bundle.records(keys.iter().map(|key| trunk.keeper.records.get(key).cloned()).collect());
        }
        let bytes = bundle.take().len();
        most = most.max(bytes);
        size += bytes;
        if want == Want::Done {
            break;
        }
        assert!(!matches!(want, Want::Failed(_)));
    }
    assert!(most < 1 << 20, "{most} bytes at once");
    assert!(size > 1 << 20);
    assert_eq!(pack.part(Part::Followers).unwrap().rows, 200_000);
}
