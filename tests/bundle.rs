//! The ZIP of everything: what other programs find in it, what comes back out of it, and what it withstands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::process::Command;

use common::{NativeParser, captures, file};
use packed_trunk::account::Domain;
use packed_trunk::message::bundle::{
    About, Ask, Contents, Fault, Gathered, Index, Open, Out, Pack, Reason, Report, Tools, Want, kind,
};
use packed_trunk::message::digest;
use packed_trunk::message::record::{File, Missing, status_key};
use packed_trunk::say::{Words, say};
use packed_trunk::server::markup::{Event, Markup, Parser};
use packed_trunk::server::status::Person;
use packed_trunk::when::Time;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Time = Time(1_795_219_200_000);
const ANA: &str = "https://old.example/users/ana";
const BEN: &str = "https://new.example/ap/users/77";
const LIMIT: u64 = 1 << 32;

// ------------------------------------------------------------------------------------------------------ what is saved

/// English, as the browser would say it.
struct English(Value);

impl English {
    fn new() -> English {
        English(serde_json::from_str(&file("extension/_locales/en/messages.json")).unwrap())
    }
}

impl Words for English {
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
        format!("day {}", at.0)
    }

    fn clock(&self, at: Time) -> String {
        format!("clock {}", at.0)
    }

    fn ago(&self, millis: i64) -> String {
        format!("{millis} ago")
    }
}

/// What a browser keeps.
#[derive(Clone, Debug, Default)]
struct Store {
    records: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Store {
    fn status(&mut self, value: &Value) -> String {
        let text = value.to_string();
        let key = status_key(value, &text);
        self.records.insert(key.clone(), text);
        key
    }

    fn saved(&mut self, url: &str, bytes: &[u8]) {
        let file = File::Saved {
            kind: kind::sniff(bytes).to_owned(),
            said: "text/html".to_owned(),
            size: bytes.len() as u64,
            sha256: digest::hex(bytes),
        };
        self.records.insert(format!("f/{url}"), file.write());
        self.files.insert(url.to_owned(), bytes.to_vec());
    }

    fn missing(&mut self, url: &str, reason: Missing) {
        self.records.insert(format!("f/{url}"), File::Missing(reason).write());
    }

    fn gather(&self) -> Gathered {
        let mut index = Index::new(&about().owner, &about().server);
        for (key, text) in &self.records {
            index.add(key, text);
        }
        index.done()
    }
}

fn about() -> About {
    About {
        owner: Person {
            id: "1".into(),
            handle: "ana@old.example".into(),
            name: String::new(),
            url: "https://old.example/@ana".into(),
            uri: Some(ANA.into()),
            posts: None,
        },
        server: "old.example".parse::<Domain>().unwrap(),
        software: "4.6.5".into(),
        at: NOW,
        extension: "0.1.0".into(),
        incomplete: vec![say("bundle_incomplete")],
    }
}

fn ana() -> Value {
    json!({"id": "1", "acct": "ana", "display_name": "Ana 🌲", "url": "https://old.example/@ana", "uri": ANA})
}

fn ben() -> Value {
    json!({"id": "2", "acct": "ben@new.example", "display_name": "Ben", "url": "https://new.example/@ben", "uri": BEN})
}

/// Of a server that does not tell actors.
fn carol() -> Value {
    json!({"id": "3", "acct": "carol", "display_name": "", "url": "https://old.example/@carol"})
}

fn mention(who: &Value) -> Value {
    json!({"id": who["id"], "acct": who["acct"], "username": "x", "url": who["url"]})
}

fn status(id: u64, author: &Value, to: &[Value], text: &str) -> Value {
    json!({
        "id": id.to_string(), "uri": format!("https://old.example/s/{id}"), "url": format!("https://old.example/@x/{id}"),
        "created_at": format!("2026-11-20T10:{:02}:{:02}.000Z", id / 60 % 60, id % 60), "edited_at": null,
        "in_reply_to_id": null, "in_reply_to_account_id": null, "visibility": "direct", "language": "en",
        "spoiler_text": "", "content": format!("<p>{text}</p>"), "account": author,
        "mentions": to.iter().map(mention).collect::<Vec<_>>(), "media_attachments": [], "emojis": [], "poll": null,
    })
}

fn picture(shade: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend([shade; 300]);
    bytes
}

fn film() -> Vec<u8> {
    let mut bytes = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".to_vec();
    bytes.extend((0..100_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()));
    bytes
}

fn attach(status: &mut Value, url: &str, description: &str) {
    let id = status["media_attachments"].as_array().unwrap().len();
    status["media_attachments"].as_array_mut().unwrap().push(
        json!({"id": id.to_string(), "type": "image", "url": url, "remote_url": null, "description": description}),
    );
}

/// Something of everything.
fn corpus() -> Store {
    let mut store = Store::default();
    let (ana, ben, carol) = (ana(), ben(), carol());
    store.status(&status(10, &ana, &[], "a note to myself"));
    let first = status(11, &ana, std::slice::from_ref(&ben), "hello \u{2028} 🌍");
    store.status(&first);
    let mut answer = status(12, &ben, std::slice::from_ref(&ana), "look");
    answer["in_reply_to_id"] = json!("11");
    answer["in_reply_to_account_id"] = json!("1");
    attach(&mut answer, "https://old.example/m/1.png", "a \"tree\" & <b>more</b>");
    attach(&mut answer, "https://old.example/m/film", "");
    attach(&mut answer, "https://gone.example/2.png", "never seen");
    store.status(&answer);
    let mut group = status(13, &ana, &[ben.clone(), carol.clone()], "the three of us");
    group["spoiler_text"] = json!("food");
    attach(&mut group, "https://old.example/m/same.png", "the same again");
    store.status(&group);
    let mut edited = status(14, &carol, &[ana.clone(), ben.clone()], "after");
    edited["edited_at"] = json!("2026-11-20T12:00:00.000Z");
    edited["in_reply_to_id"] = json!("13");
    let key = store.status(&edited);
    store.records.insert(
        key.replacen("m/", "h/", 1),
        json!([{"created_at": "2026-11-20T10:14:00.000Z", "content": "<p>before</p>"}]).to_string(),
    );
    let mut poll = status(15, &ben, std::slice::from_ref(&ana), "which?");
    poll["poll"] = json!({"multiple": true, "own_votes": [0], "expires_at": null,
        "options": [{"title": "tea", "votes_count": 2}, {"title": "coffee", "votes_count": null}]});
    store.status(&poll);
    let mut public = status(16, &ben, &[], "to the world");
    public["visibility"] = json!("public");
    store.status(&public);
    let mut under = status(17, &ana, std::slice::from_ref(&ben), "about that");
    under["in_reply_to_id"] = json!("16");
    store.status(&under);
    store.records.insert("m/odd".into(), "{\"not\": \"a status\",\n \"really\": null}".into());
    store.records.insert("m/sha256:00".into(), "no JSON \u{0} at all\r\n".into());
    store.records.insert("h/alone".into(), "null".into());
    store.records.insert("c/5".into(), json!({"id": "5", "accounts": [ben]}).to_string());
    store.records.insert("p/2".into(), "{ \"id\":\"2\" }".into());
    store.records.insert("r/own".into(), "9".into());
    store.records.insert("about".into(), "{}".into());
    store.records.insert("f/https://odd.example".into(), "[]".into());
    store.saved("https://old.example/m/1.png", &picture(1));
    store.saved("https://old.example/m/same.png", &picture(1));
    store.saved("https://old.example/m/film", &film());
    store.missing("https://gone.example/2.png", Missing::Gone);
    store
}

// ------------------------------------------------------------------------------------------------- writing and reading

struct Packed {
    zip: Vec<u8>,
    report: Report,
    /// The most that was handed over at once.
    most: usize,
    fault: Option<Fault>,
}

fn write(store: &Store, gathered: Gathered, piece: usize, keep: bool) -> Packed {
    write_with(&NativeParser, store, gathered, piece, keep)
}

fn write_with(parser: &dyn Parser, store: &Store, gathered: Gathered, piece: usize, keep: bool) -> Packed {
    let words = English::new();
    let tools = Tools { parser, words: &words, zone: &|_| 0 };
    let mut pack = Pack::new(about(), gathered).unwrap();
    let mut packed = Packed { zip: Vec::new(), report: Report::default(), most: 0, fault: None };
    let mut before = 0;
    for _ in 0..10_000_000 {
        let want = pack.wants(&tools);
        assert_eq!(want == Want::Nothing, pack.wants(&tools) == Want::Nothing);
        let mut take = |pack: &mut Pack| {
            let bytes = pack.take();
            packed.most = packed.most.max(bytes.len());
            if keep {
                packed.zip.extend(bytes);
            }
        };
        match want {
            Want::Records(keys) => {
                assert!(!keys.is_empty() && keys.len() <= 402, "{} keys", keys.len());
                pack.records(keys.iter().map(|key| store.records.get(key).cloned()).collect());
            }
            Want::File { url } => match store.files.get(&url) {
                Some(bytes) => {
                    for part in bytes.chunks(piece) {
                        pack.file(part, false);
                        take(&mut pack);
                    }
                    pack.file(&[], true);
                }
                None => pack.no_file(),
            },
            Want::Nothing => {}
            Want::Done => {
                take(&mut pack);
                assert!(pack.take().is_empty());
                let (done, all) = pack.progress();
                assert_eq!(done, all, "not all of the work was counted");
                packed.report = pack.report();
                return packed;
            }
            Want::Failed(fault) => {
                packed.fault = Some(fault);
                return packed;
            }
        }
        let (done, all) = pack.progress();
        assert!(done >= before && done <= all);
        before = done;
        take(&mut pack);
    }
    panic!("it never ends");
}

fn zipped(store: &Store) -> Vec<u8> {
    let packed = write(store, store.gather(), 1000, true);
    assert_eq!(packed.fault, None);
    assert_eq!(packed.report.size, packed.zip.len() as u64);
    packed.zip
}

fn open(zip: &[u8], limit: u64) -> Result<Open, Reason> {
    let mut open = Open::new(zip.len() as u64, limit);
    for _ in 0..10_000_000 {
        match open.wants() {
            Ask::Range { at, len } => {
                assert!(len <= 1 << 20, "{len} bytes at once");
                assert!(open.contents().is_none());
                let at = usize::try_from(at).unwrap();
                let end = at.saturating_add(len).min(zip.len());
                open.bytes(zip.get(at..end).unwrap_or_default());
            }
            Ask::Done => return Ok(open),
            Ask::Failed(reason) => {
                assert!(open.contents().is_none());
                return Err(reason);
            }
        }
    }
    panic!("it never ends");
}

fn read(zip: &[u8]) -> Result<(Contents, Store), Reason> {
    let open = open(zip, LIMIT)?;
    let contents = open.contents().unwrap().clone();
    let mut restore = open.restore().unwrap();
    let (mut store, mut begun) = (Store::default(), Vec::new());
    loop {
        match restore.wants() {
            Ask::Range { at, len } => restore.bytes(&zip[usize::try_from(at).unwrap()..][..len]),
            Ask::Done => {
                assert!(begun.is_empty());
                return Ok((contents, store));
            }
            Ask::Failed(reason) => return Err(reason),
        }
        for out in restore.take() {
            match out {
                Out::Records(records) => {
                    for record in records {
                        let before = store.records.insert(record.key, record.text.unwrap());
                        assert_eq!(before, None, "a record twice");
                    }
                }
                Out::File { urls, kind, size, sha256 } => {
                    for url in &urls {
                        let file = File::read(&store.records[&format!("f/{url}")]).unwrap();
                        let File::Saved { sha256: known, size: length, .. } = file else { panic!("{url}") };
                        assert_eq!((known, length), (sha256.clone(), size));
                    }
                    assert!(!kind.is_empty());
                    begun = urls;
                    begun.iter().for_each(|url| _ = store.files.insert(url.clone(), Vec::new()));
                }
                Out::Piece(piece) => {
                    begun.iter().for_each(|url| store.files.get_mut(url).unwrap().extend(&piece));
                }
                Out::End => begun.clear(),
            }
        }
    }
}

/// Reads nothing, at once: html5ever would need minutes for a large save.
struct Blind;

impl Parser for Blind {
    fn parse<'a>(&'a self, _html: &str) -> Box<dyn Markup + 'a> {
        Box::new(Blind)
    }
}

impl Markup for Blind {
    fn all(&self, _selector: &str) -> Vec<Box<dyn Markup + '_>> {
        Vec::new()
    }

    fn attribute(&self, _name: &str) -> Option<String> {
        None
    }

    fn text(&self) -> String {
        String::new()
    }

    fn walk(&self, _visit: &mut dyn for<'a> FnMut(Event<'a>)) {}
}

/// By another implementation.
fn unpack(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut found = BTreeMap::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        found.insert(entry.name().unwrap().to_string(), bytes);
    }
    assert_eq!(found.len(), archive.len());
    found
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap_or_else(|error| panic!("{path}: {error}"))
}

// ------------------------------------------------------------------------------------------- what other programs find

#[test]
fn other_programs_open_it() {
    let zip = zipped(&corpus());
    let files = unpack(&zip);
    assert_eq!(files[&format!("media_attachments/{}.mp4", &digest::hex(&film())[..16])], film());
    let path = std::env::temp_dir().join(format!("packed-trunk-bundle-{}.zip", std::process::id()));
    std::fs::write(&path, &zip).unwrap();
    let script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.namelist()))";
    let programs: [(&str, Vec<&str>); 2] = [("unzip", vec!["-tq"]), ("python3", vec!["-c", script])];
    for (program, arguments) in programs {
        match Command::new(program).args(arguments).arg(&path).output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(
                    output.status.success(),
                    "{program}: {text} {}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
            Err(_) => eprintln!("left out: {program} is not here"),
        }
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn the_manifest_is_true_and_last() {
    let store = corpus();
    let packed = write(&store, store.gather(), 4096, true);
    let mut archive = zip::ZipArchive::new(Cursor::new(&packed.zip)).unwrap();
    let last = archive.len() - 1;
    assert_eq!(archive.by_index(last).unwrap().name().unwrap(), "manifest.json");
    let files = unpack(&packed.zip);
    let manifest = json_of(&files, "manifest.json");
    assert_eq!((&manifest["format"], &manifest["version"]), (&json!("packed-trunk"), &json!(1)));
    assert_eq!(manifest["owner"]["handle"], "ana@old.example");
    assert_eq!(manifest["owner"]["name"], "Ana 🌲");
    assert_eq!(manifest["at"], "2026-11-21T00:00:00.000Z");
    assert_eq!(
        manifest["counts"],
        json!({"messages": 7, "sent": 4, "received": 3, "conversations": manifest["counts"]["conversations"], "people": 2,
            "saved": 3, "missing": 1, "unreadable": 2})
    );
    assert_eq!(manifest["incomplete"][0]["id"], "bundle_incomplete");
    let listed: BTreeMap<String, Value> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["path"].as_str().unwrap().to_owned(), entry.clone()))
        .collect();
    assert_eq!(listed.len(), files.len() - 1);
    for (path, bytes) in files.iter().filter(|(path, _)| *path != "manifest.json") {
        assert_eq!(listed[path]["size"], json!(bytes.len()), "{path}");
        assert_eq!(listed[path]["sha256"], json!(digest::hex(bytes)), "{path}");
    }
    let readme = String::from_utf8(files["README.txt"].clone()).unwrap();
    for path in files.keys() {
        let folder = path.split_inclusive('/').next().unwrap();
        assert!(readme.contains(folder) || path == "README.txt", "README.txt says nothing about {path}");
    }
    assert!(!readme.contains("bundle_") && readme.contains("1 file is not inside"), "{readme}");
}

/// Every point of the facts about the archive.
#[test]
fn the_archive_is_as_viewers_want_it() {
    let files = unpack(&zipped(&corpus()));
    let actor = json_of(&files, "actor.json");
    assert_eq!((&actor["id"], &actor["type"]), (&json!(ANA), &json!("Person")));
    assert_eq!((&actor["preferredUsername"], &actor["name"]), (&json!("ana"), &json!("Ana 🌲")));
    for list in ["likes.json", "bookmarks.json"] {
        assert_eq!(json_of(&files, list)["orderedItems"], json!([]));
        assert_eq!(json_of(&files, list)["type"], "OrderedCollection");
    }
    let outbox = json_of(&files, "outbox.json");
    assert_eq!(outbox["type"], "OrderedCollection");
    let items = outbox["orderedItems"].as_array().unwrap();
    assert_eq!((items.len(), &outbox["totalItems"]), (7, &json!(7)));
    for item in items {
        let (id, note) = (item["id"].as_str().unwrap(), &item["object"]);
        assert!(id.ends_with("/activity"));
        assert_eq!(item["type"], "Create");
        assert_eq!(note["type"], "Note");
        assert_eq!(note["id"], id.trim_end_matches("/activity"));
        assert_eq!(item["actor"], note["attributedTo"]);
        for field in ["published", "actor"] {
            assert!(item[field].is_string(), "{item}");
        }
        assert!(Time::from_iso(item["published"].as_str().unwrap()).is_some());
        assert_eq!(item["published"], note["published"]);
        for who in item["to"].as_array().unwrap().iter().chain(item["cc"].as_array().unwrap()) {
            let who = who.as_str().unwrap();
            assert!(!who.ends_with("#Public") && !who.ends_with("/followers"), "{who}");
        }
        for field in ["inReplyTo", "summary"] {
            assert!(note[field].is_string() || note[field].is_null());
        }
        assert!(note["content"].is_string());
        for tag in note["tag"].as_array().unwrap() {
            assert_eq!(tag["type"], "Mention");
            assert!(tag["href"].as_str().unwrap().starts_with("https://"));
        }
        for attachment in note["attachment"].as_array().unwrap() {
            let path = attachment["url"].as_str().unwrap();
            assert!(path.starts_with("media_attachments/") && files.contains_key(path), "{path}");
        }
    }
    let by = |id: u64| {
        let wanted = format!("https://old.example/s/{id}/activity");
        items.iter().find(|item| item["id"] == wanted).unwrap()
    };
    // Both sides, under their own names; mentions never say the actor, the people's own messages do.
    assert_eq!((&by(11)["actor"], &by(11)["to"]), (&json!(ANA), &json!([BEN])));
    assert_eq!((&by(12)["actor"], &by(12)["to"]), (&json!(BEN), &json!([ANA])));
    assert_eq!(by(12)["object"]["inReplyTo"], "https://old.example/s/11");
    assert_eq!(by(10)["to"], json!([]));
    let group = by(13);
    assert_eq!(group["to"], json!([BEN, "https://old.example/@carol"]));
    assert_eq!(group["object"]["summary"], "food");
    assert_eq!(group["object"]["tag"][1]["name"], "@carol@old.example");
    assert_eq!(group["object"]["tag"][0]["href"], BEN);
    assert_eq!(by(14)["actor"], "https://old.example/@carol");
    assert_eq!(by(14)["object"]["updated"], "2026-11-20T12:00:00.000Z");
    assert_eq!(by(15)["object"]["anyOf"][1]["name"], "coffee");
    assert_eq!(by(17)["object"]["inReplyTo"], "https://old.example/s/16");
    let attached = by(12)["object"]["attachment"].as_array().unwrap();
    assert_eq!(attached.len(), 2, "what is not here is not promised");
    assert_eq!(
        (&attached[0]["mediaType"], &attached[1]["mediaType"]),
        (&json!("image/png"), &json!("video/mp4"))
    );
    assert_eq!(attached[0]["name"], "a \"tree\" & <b>more</b>");
    assert_eq!(attached[1]["name"], Value::Null);
    assert_eq!(
        attached[0]["url"], group["object"]["attachment"][0]["url"],
        "the same picture lies there once"
    );
}

#[test]
fn nobody_becomes_public_by_a_name() {
    let mut store = Store::default();
    for (id, uri) in (20..).zip([
        "https://www.w3.org/ns/activitystreams#Public",
        "as:Public",
        "https://evil.example/users/x/followers",
    ]) {
        let evil = json!({"id": id.to_string(), "acct": format!("e{id}@evil.example"), "url": "https://evil.example/", "uri": uri});
        store.status(&status(id, &evil, &[ana()], "I wrote"));
        store.status(&status(id + 10, &ana(), &[evil], "to you"));
    }
    let outbox = json_of(&unpack(&zipped(&store)), "outbox.json");
    for item in outbox["orderedItems"].as_array().unwrap() {
        let to = item["to"].to_string();
        assert!(!to.contains("Public") && !to.contains("followers"), "{to}");
    }
}

#[test]
fn messages_json_holds_every_record_as_it_was_sent() {
    let store = corpus();
    let files = unpack(&zipped(&store));
    let messages = json_of(&files, "messages.json");
    assert_eq!((&messages["format"], &messages["version"]), (&json!("packed-trunk-messages"), &json!(1)));
    let text = String::from_utf8(files["messages.json"].clone()).unwrap();
    for (key, record) in store.records.iter().filter(|(key, _)| key.starts_with("m/https")) {
        let line = text.lines().find(|line| line.starts_with(&format!("{{\"key\":\"{key}\""))).unwrap();
        assert!(line.contains(&format!("\"status\":{record}")), "{line}");
    }
    let statuses = messages["statuses"].as_array().unwrap();
    let keys: Vec<&str> = statuses.iter().map(|line| line["key"].as_str().unwrap()).collect();
    let mut expected: Vec<String> = (10..=17).map(|id| format!("m/https://old.example/s/{id}")).collect();
    expected.extend(["m/odd".to_owned(), "m/sha256:00".to_owned()]);
    assert_eq!(keys, expected, "by time, what cannot be read at the end");
    assert_eq!(statuses[4]["history"][0]["content"], "<p>before</p>");
    let saved = messages["files"].as_array().unwrap();
    let of = |url: &str| saved.iter().find(|line| line["url"] == url).unwrap();
    assert_eq!(of("https://gone.example/2.png")["record"], json!({"missing": "gone"}));
    assert_eq!(of("https://old.example/m/film")["record"]["size"], json!(film().len()));
    assert!(files.contains_key(of("https://old.example/m/1.png")["path"].as_str().unwrap()));
    assert_eq!(messages["conversations"].as_array().unwrap().len(), 1);
}

/// What is at hand of real servers goes in and comes out as it is.
#[test]
fn real_messages_come_back() {
    let Some(folder) = captures().map(|folder| folder.join("4.6.5-api/dm")) else { return };
    let mut store = Store::default();
    let mut take = |value: &Value, text: &str| {
        // The reply to a deletion has no content.
        if value["visibility"].is_string() && value["content"].is_string() {
            store.records.insert(status_key(value, text), text.to_owned());
        }
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        match &value {
            Value::Array(items) => items.iter().for_each(|item| take(item, &item.to_string())),
            value => take(value, &text),
        }
    }
    assert!(store.records.len() > 20, "only {} statuses", store.records.len());
    let gathered = store.gather();
    assert_eq!(gathered.unreadable, Vec::<String>::new());
    let (contents, back) = read(&zipped(&store)).unwrap();
    assert_eq!(back.records, store.records);
    assert!(contents.messages > 20);
}

// -------------------------------------------------------------------------------------------------- the same, again

#[test]
fn the_same_records_give_the_same_bytes() {
    let store = corpus();
    let first = zipped(&store);
    for piece in [1, 7, 4096, usize::MAX] {
        assert!(write(&store, store.gather(), piece, true).zip == first, "pieces of {piece}");
    }
    let mut index = Index::new(&about().owner, &about().server);
    for (key, text) in store.records.iter().rev() {
        index.add(key, text);
    }
    assert!(write(&store, index.done(), 500, true).zip == first, "told in another order");
    let (_, back) = read(&first).unwrap();
    assert!(zipped(&back) == first, "written again after it was read back");
}

#[test]
fn everything_comes_back() {
    let store = corpus();
    let (contents, back) = read(&zipped(&store)).unwrap();
    assert_eq!(back.records, store.records);
    assert_eq!(back.files, store.files);
    assert_eq!((contents.owner.as_str(), contents.server.as_str()), ("ana@old.example", "old.example"));
    assert_eq!((contents.at, contents.messages, contents.sent), (NOW, 7, 4));
    assert_eq!((contents.files_saved, contents.files_missing), (3, 1));
}

#[test]
fn nothing_at_all_can_be_written_too() {
    let (contents, back) = read(&zipped(&Store::default())).unwrap();
    assert_eq!((contents.messages, back.records.len(), back.files.len()), (0, 0, 0));
}

/// Texts that a server could send, or somebody could have made of them.
fn texts() -> impl Strategy<Value = String> {
    let tidy = (0..60u64, 0..3usize, ".{0,20}", any::<bool>()).prop_map(|(id, author, content, direct)| {
        let author = [ana(), ben(), carol()][author].clone();
        let mut value = status(id, &author, &[ana(), carol()], &content);
        if !direct {
            value["visibility"] = json!("public");
        }
        value.to_string()
    });
    let loose = (0..60u64, "[a-z_]{1,12}", ".{0,9}").prop_map(|(id, field, odd)| {
        let mut value = status(id, &ben(), &[ana()], "x");
        value[field.as_str()] = json!(odd);
        value.as_object_mut().unwrap().remove(["id", "created_at", "mentions", "account"][id as usize % 4]);
        serde_json::to_string_pretty(&value).unwrap()
    });
    let nested = (0..400usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth));
    prop_oneof![
        tidy,
        loose,
        nested,
        "\\PC{0,40}",
        "(?s).{0,40}",
        Just("null".to_owned()),
        Just("\"\\ud800\"".to_owned())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_records_come_back(
        records in prop::collection::btree_map(
            prop_oneof![
                "(?s)m/.{0,12}", "h/[a-c]{0,2}", "m/[a-c]{0,2}", "(?s)[cpr]/.{0,6}", "f/[a-z]{0,4}", Just("about".to_owned()),
                "(?s).{0,6}",
            ],
            texts(),
            0..30,
        ),
        files in prop::collection::btree_map("(?s).{0,20}", prop::collection::vec(any::<u8>(), 0..2_000), 0..5),
    ) {
        let mut store = Store { records, files: BTreeMap::new() };
        for (url, bytes) in &files {
            store.saved(url, bytes);
        }
        // Whatever claims to be saved and is not is not brought back as saved.
        let (_, back) = read(&zipped(&store)).unwrap();
        let lost = |key: &str, text: &str| {
            key.strip_prefix("f/").is_some_and(|url| !store.files.contains_key(url))
                && matches!(File::read(text), Some(File::Saved { .. }))
        };
        let mut expected = store.records.clone();
        expected.retain(|key, text| !lost(key, text));
        prop_assert_eq!(back.records, expected);
        prop_assert_eq!(back.files, store.files);
    }
}

// --------------------------------------------------------------------------------------------------- hostile records

#[test]
fn no_name_in_the_zip_is_a_strangers() {
    let mut store = Store::default();
    let mut message = status(1, &ana(), &[ben()], "files");
    let addresses = [
        "https://old.example/../../etc/passwd",
        "..\\..\\CON.png",
        "file:///C:/aux",
        "https://old.example/m/nul.html",
        "https://old.example/m/x.svg",
        "\u{202e}gnp.exe",
        "",
    ];
    for (shade, url) in (0..).zip(addresses) {
        attach(&mut message, url, "");
        store.saved(url, &picture(shade));
    }
    store.saved("https://old.example/m/page", b"<!DOCTYPE html><script>alert(1)</script>");
    store.saved(
        "https://old.example/m/drawing",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
    );
    let lying = |kind: &str, sha256: &str| {
        File::Saved { kind: kind.into(), said: "image/png".into(), size: 3, sha256: sha256.into() }.write()
    };
    store.records.insert("f/a".into(), lying("image/png", "../../../../x"));
    store.records.insert("f/b".into(), lying("image/png", &"é".repeat(32)));
    store.records.insert("f/c".into(), lying("../../x", &digest::hex(b"abc")));
    store.files.insert("c".into(), b"abc".to_vec());
    for (id, name) in (2..).zip(["CON", "nul", "../../x", "a/b\\c", "名前", "-rf", ".htaccess", "x\u{0}y"])
    {
        let odd = json!({"id": id.to_string(), "acct": format!("{name}@evil.example"), "url": "https://evil.example/"});
        store.status(&status(id, &odd, &[ana()], "hello"));
    }
    store.status(&message);
    let plain = regex::Regex::new(
        r"^((messages|actor|outbox|likes|bookmarks|manifest)\.(html|json)|README\.txt|media_attachments/[0-9a-f]{16}\.(png|bin)|text/[A-Za-z0-9_][A-Za-z0-9._@+-]*\.txt)$",
    )
    .unwrap();
    let zip = zipped(&store);
    for name in unpack(&zip).keys() {
        assert!(plain.is_match(name), "{name:?}");
        let stem = name.trim_start_matches("text/").split('.').next().unwrap().to_ascii_uppercase();
        assert!(!["CON", "NUL", "AUX", "PRN"].contains(&stem.as_str()), "{name}");
    }
    let (_, back) = read(&zip).unwrap();
    assert_eq!(back.files.len(), 10);
    for (url, bytes) in &back.files {
        assert_eq!(bytes, &store.files[url], "{url}");
    }
}

#[test]
fn files_that_begin_alike_by_their_checksum_are_kept_apart() {
    let mut store = Store::default();
    for (url, end) in [("a", 'a'), ("b", 'b')] {
        let sha256 = format!("{}{}", "0".repeat(63), end);
        let file = File::Saved { kind: "image/png".into(), said: String::new(), size: 1, sha256 };
        store.records.insert(format!("f/{url}"), file.write());
    }
    // None of them is there, but the ZIP is whole.
    let packed = write(&store, store.gather(), 10, true);
    assert_eq!(packed.report.lost, ["a", "b"]);
    assert!(read(&packed.zip).unwrap().1.records.is_empty());
}

#[test]
fn a_file_that_was_lost_or_spoilt_is_told() {
    let mut store = corpus();
    store.files.remove("https://old.example/m/1.png");
    let film = store.files.get_mut("https://old.example/m/film").unwrap();
    *film.last_mut().unwrap() ^= 1;
    let packed = write(&store, store.gather(), 100_000, true);
    assert_eq!(packed.fault, None);
    // The same picture was saved from another address too.
    assert_eq!(packed.report.lost, ["https://old.example/m/film"]);
    assert_eq!((packed.report.counts.saved, packed.report.counts.missing), (2, 2));
    let outbox = json_of(&unpack(&packed.zip), "outbox.json");
    assert!(!outbox.to_string().contains("video/mp4"));
    let (_, back) = read(&packed.zip).unwrap();
    assert!(!back.records.contains_key("f/https://old.example/m/film"), "it would not be fetched again");
    assert_eq!(back.files["https://old.example/m/1.png"], picture(1));
    // Longer or shorter than it was.
    for change in [|bytes: &mut Vec<u8>| bytes.push(0), |bytes: &mut Vec<u8>| bytes.truncate(10)] {
        let mut store = corpus();
        change(store.files.get_mut("https://old.example/m/film").unwrap());
        assert_eq!(write(&store, store.gather(), 9_999, true).report.lost, ["https://old.example/m/film"]);
    }
}

#[test]
fn records_that_go_while_it_is_written_are_told() {
    let mut store = corpus();
    let gathered = store.gather();
    store.records.remove("m/https://old.example/s/13");
    store.records.remove("c/5");
    let packed = write(&store, gathered, 100_000, true);
    assert_eq!(packed.fault, None);
    assert_eq!(packed.report.gone, ["m/https://old.example/s/13", "c/5"]);
    assert_eq!(read(&packed.zip).unwrap().1.records, store.records);
}

#[test]
fn a_file_that_changes_between_two_readings_spoils_nothing_silently() {
    let store = corpus();
    let words = English::new();
    let tools = Tools { parser: &NativeParser, words: &words, zone: &|_| 0 };
    let mut pack = Pack::new(about(), store.gather()).unwrap();
    let mut read = 0;
    let fault = loop {
        match pack.wants(&tools) {
            Want::File { url } => {
                let mut bytes = store.files[&url].clone();
                if url.ends_with("film") {
                    read += 1;
                    if read == 2 {
                        bytes[300_000] ^= 1;
                    }
                }
                pack.file(&bytes, true);
            }
            Want::Records(keys) => {
                pack.records(keys.iter().map(|key| store.records.get(key).cloned()).collect())
            }
            Want::Nothing => {}
            Want::Done => panic!("it was not noticed"),
            Want::Failed(fault) => break fault,
        }
        pack.take();
    };
    assert_eq!(fault, Fault::Changed { url: "https://old.example/m/film".into() });
    let large = |size| {
        let mut store = Store::default();
        for at in 0..3 {
            let file = File::Saved { kind: "a".into(), said: "b".into(), size, sha256: digest::hex(&[at]) };
            store.records.insert(format!("f/{at}"), file.write());
        }
        Pack::new(about(), store.gather()).err()
    };
    assert_eq!(large(u64::MAX), Some(Fault::TooLarge));
    assert_eq!(large(1 << 40), None);
}

// ------------------------------------------------------------------------------------------------------ hostile ZIPs

/// A ZIP made by another program.
fn pack_again(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let packed =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(*name, packed).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The corpus' ZIP, unpacked, changed, and packed again by another program.
fn changed(change: impl Fn(&mut BTreeMap<String, Vec<u8>>)) -> Vec<u8> {
    let mut files = unpack(&zipped(&corpus()));
    change(&mut files);
    let list: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    pack_again(&list)
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

fn sample() -> Vec<u8> {
    let mut store = corpus();
    // Smaller, so that it can be damaged in many places.
    store.saved("https://old.example/m/film", &film()[..500]);
    zipped(&store)
}

#[test]
fn packed_again_by_another_program_it_is_read_too() {
    let store = corpus();
    let zip = changed(|files| {
        files.insert("__MACOSX/._manifest.json".into(), b"junk".to_vec());
        files.insert("notes of mine.txt".into(), b"mine".to_vec());
    });
    let (_, back) = read(&zip).unwrap();
    assert_eq!((back.records, back.files), (store.records, store.files));
}

#[test]
fn what_is_cut_off_is_noticed() {
    let zip = sample();
    assert!(read(&zip).is_ok());
    for end in (0..zip.len()).step_by(1000).chain(zip.len() - 100..zip.len()) {
        let reason = read(&zip[..end]).map(|_| ()).unwrap_err();
        assert_eq!(reason, if end < 4 { Reason::NotAZip } else { Reason::Cut }, "cut at {end}");
        // And where its length is known to be another.
        let mut open = Open::new(zip.len() as u64, LIMIT);
        let Ask::Range { at, len } = open.wants() else { panic!() };
        let at = usize::try_from(at).unwrap().min(end);
        open.bytes(&zip[at..(at + len).min(end)]);
        assert_eq!(open.wants(), Ask::Failed(Reason::Cut));
    }
}

#[test]
fn what_was_changed_is_noticed() {
    let zip = sample();
    let (_, whole) = read(&zip).unwrap();
    let mut told = 0;
    let places = (0..zip.len()).step_by(37).chain(zip.len() - 2_000..zip.len());
    for at in places {
        for bit in [0, 5] {
            let mut zip = zip.clone();
            zip[at] ^= 1 << bit;
            // A time in the directory, or another number that nobody needs, may be another; what comes out may not.
            match read(&zip) {
                Err(_) => told += 1,
                Ok((_, back)) => assert!(
                    back.records == whole.records && back.files == whole.files,
                    "a change at {at} brings something else"
                ),
            }
        }
    }
    assert!(told > 1_000, "only {told} were noticed");
}

#[test]
fn a_manifest_that_is_missing_lying_or_newer_is_told() {
    let manifest = |from: &'static str, to: &'static str| {
        read(&changed(move |files| {
            let bytes = replaced(&files["manifest.json"], from, to);
            files.insert("manifest.json".into(), bytes);
        }))
        .map(|_| ())
        .unwrap_err()
    };
    let path = |path: &str| path.to_owned();
    let missing = read(&changed(|files| _ = files.remove("manifest.json")));
    assert_eq!(missing.map(|_| ()).unwrap_err(), Reason::NotOurs);
    assert_eq!(manifest("\"packed-trunk\"", "\"another\""), Reason::NotOurs);
    assert_eq!(manifest("\"version\":1", "\"version\":2"), Reason::Newer(2));
    assert_eq!(manifest("\"version\":1", "\"version\":0"), Reason::NotOurs);
    assert_eq!(manifest("\"version\":1", "\"version\":\"1\""), Reason::NotOurs);
    assert_eq!(manifest("{", "["), Reason::Damaged { path: path("manifest.json") });
    assert_eq!(manifest("\n]}", "\n]"), Reason::Damaged { path: path("manifest.json") });
    assert_eq!(manifest("actor.json", "avatar.json"), Reason::Odd { path: path("avatar.json") });
    assert_eq!(manifest("actor.json", "../actor.json"), Reason::Odd { path: path("../actor.json") });
    assert_eq!(manifest("actor.json", "README.txt"), Reason::Damaged { path: path("manifest.json") });
    assert_eq!(manifest("\"path\":\"text/", "\"path\":\"text/x"), {
        let name = unpack(&zipped(&corpus())).into_keys().find(|name| name.starts_with("text/")).unwrap();
        Reason::Missing { path: name.replace("text/", "text/x") }
    });
    let other = read(&changed(|files| _ = files.insert("outbox.json".into(), b"{}".to_vec())));
    assert_eq!(other.map(|_| ()).unwrap_err(), Reason::Damaged { path: path("outbox.json") });
    let same_length = read(&changed(|files| files.get_mut("outbox.json").unwrap()[100] ^= 1));
    assert_eq!(same_length.map(|_| ()).unwrap_err(), Reason::Damaged { path: path("outbox.json") });
    let gone = read(&changed(|files| _ = files.remove("actor.json")));
    assert_eq!(gone.map(|_| ()).unwrap_err(), Reason::Missing { path: path("actor.json") });
    let more = read(&changed(|files| _ = files.insert("text/more.txt".into(), Vec::new())));
    assert_eq!(more.map(|_| ()).unwrap_err(), Reason::Odd { path: path("text/more.txt") });
}

/// Whoever changes the records and the manifest with them gets through the checksums, and no further.
#[test]
fn records_that_are_none_bring_nothing_back() {
    let with = |from: &'static str, to: &'static str| {
        read(&changed(move |files| {
            let before = files["messages.json"].clone();
            let after = replaced(&before, from, to);
            let manifest = replaced(&files["manifest.json"], &digest::hex(&before), &digest::hex(&after));
            let size = |bytes: &[u8]| format!("\"messages.json\",\"size\":{}", bytes.len());
            let manifest = replaced(&manifest, &size(&before), &size(&after));
            files.insert("messages.json".into(), after);
            files.insert("manifest.json".into(), manifest);
        }))
        .map(|_| ())
        .unwrap_err()
    };
    let damaged = Reason::Damaged { path: "messages.json".into() };
    for (from, to) in [
        ("{\"key\":\"m/", "{\"key\":\"x/"),
        ("{\"key\":\"f/", "{\"key\":\"m/"),
        ("{\"key\":\"c/", "{\"key\":\"m/"),
        ("\"status\":{", "\"status\":{{"),
        ("\"status\":", "\"state\":"),
        ("packed-trunk-messages", "packed-trunk"),
        ("\"version\":1", "\"version\":9"),
        ("\n]}", "\n]}\n]}"),
        ("\n]}", ""),
        ("\"path\":\"media_attachments/", "\"path\":\"text/"),
        ("\"sha256\":\"", "\"sha256\":\"0"),
    ] {
        assert_eq!(with(from, to), damaged, "{from}");
    }
    let path = with("\"path\":\"media_attachments/", "\"path\":\"media_attachments/x");
    assert!(matches!(&path, Reason::Missing { path } if path.starts_with("media_attachments/x")), "{path:?}");
}

#[test]
fn odd_entries_are_refused() {
    let reason = |zip: &[u8]| read(zip).map(|_| ()).unwrap_err();
    for name in ["../../x", "/etc/passwd", "a\\b", "media_attachments/../../x", "C:x", "./x"] {
        // Other programs do not write such names: they are put in afterwards.
        let mut zip = pack_again(&[("manifest.json", b"{}"), (&"z".repeat(name.len()), b"")]);
        let from = "z".repeat(name.len()).into_bytes();
        while let Some(at) = zip.windows(from.len()).position(|window| window == from) {
            zip[at..at + name.len()].copy_from_slice(name.as_bytes());
        }
        assert_eq!(reason(&zip), Reason::Odd { path: name.into() });
    }
    // Twice the same name.
    let mut twice = pack_again(&[("manifest.json", b"{}"), ("manifest.jso_", b"{}")]);
    while let Some(at) = twice.windows(13).position(|window| window == b"manifest.jso_") {
        twice[at..at + 13].copy_from_slice(b"manifest.json");
    }
    assert_eq!(reason(&twice), Reason::Odd { path: "manifest.json".into() });
    assert_eq!(reason(b""), Reason::NotAZip);
    assert_eq!(reason(b"PK"), Reason::NotAZip);
    assert_eq!(reason(&[7; 100_000]), Reason::NotAZip);
    assert_eq!(reason(&pack_again(&[])), Reason::NotOurs);
    assert_eq!(reason(&pack_again(&[("holiday.txt", b"sun")])), Reason::NotOurs);
}

#[test]
fn bombs_do_not_go_off() {
    // Much out of little.
    let zeros = vec![b' '; 40 << 20];
    let bomb = pack_again(&[("messages.json", &zeros), ("manifest.json", b"{}")]);
    assert!(bomb.len() < 100_000);
    assert_eq!(read(&bomb).map(|_| ()).unwrap_err(), Reason::TooLarge);
    let manifest = pack_again(&[("manifest.json", &zeros)]);
    assert_eq!(read(&manifest).map(|_| ()).unwrap_err(), Reason::TooLarge);
    // More than the browser has room for.
    assert_eq!(open(&zipped(&corpus()), 100_000).map(|_| ()).unwrap_err(), Reason::TooLarge);
    // A size that is none, and an offset that is none, in the directory of an honest ZIP.
    let zip = sample();
    let directory = zip.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    for (place, value) in
        [(20, 1_000_000_000u32), (24, 1_000_000_000), (42, 1_000_000_000), (20, 0), (24, 0), (24, u32::MAX)]
    {
        let mut zip = zip.clone();
        zip[directory + place..directory + place + 4].copy_from_slice(&value.to_le_bytes());
        assert!(read(&zip).is_err(), "{value} at {place}");
    }
    // A directory that is longer, elsewhere, or of more entries than there are.
    let end = zip.len() - 22;
    for (place, value) in
        [(8, 0xffffu32), (10, 3), (12, 5), (12, u32::MAX), (16, 0), (16, u32::MAX), (16, 100)]
    {
        let mut zip = zip.clone();
        let width = if place < 12 { 2 } else { 4 };
        zip[end + place..end + place + width].copy_from_slice(&value.to_le_bytes()[..width]);
        assert!(read(&zip).is_err(), "{value} at {place}");
    }
}

// -------------------------------------------------------------------------------------------------------- large ones

#[test]
fn fifty_thousand_messages_are_never_in_memory() {
    let mut store = Store::default();
    for id in 0..50_000u64 {
        let (author, to) = if id % 3 == 0 { (ana(), ben()) } else { (ben(), ana()) };
        let mut value =
            status(id, &author, &[to], &format!("message {id} {}", id.wrapping_mul(2_654_435_761)));
        value["created_at"] =
            json!(format!("2026-{:02}-{:02}T10:{:02}:00.000Z", id % 12 + 1, id % 28 + 1, id % 60));
        if id > 0 {
            value["in_reply_to_id"] = json!((id - 1).to_string());
        }
        store.status(&value);
    }
    let packed = write_with(&Blind, &store, store.gather(), 65_536, false);
    assert_eq!(packed.fault, None);
    assert_eq!(packed.report.counts.messages, 50_000);
    assert!(packed.report.size > 3_000_000);
    assert!(packed.most < 1_000_000, "{} bytes at once", packed.most);
}

#[test]
fn more_files_than_a_plain_zip_can_list() {
    let mut store = Store::default();
    for at in 0..66_000u32 {
        store.saved(&format!("https://old.example/{at}"), &at.to_le_bytes());
    }
    let packed = write(&store, store.gather(), 100, true);
    assert!(packed.report.entries > 66_000 && packed.most < 1_000_000, "{} bytes at once", packed.most);
    assert_eq!(zip::ZipArchive::new(Cursor::new(&packed.zip)).unwrap().len(), packed.report.entries);
    let (contents, back) = read(&packed.zip).unwrap();
    assert_eq!((contents.files_saved, back.files.len()), (66_000, 66_000));
    assert!(back.files == store.files && back.records == store.records);
}
