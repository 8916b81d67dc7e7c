//! Facts 13.1: what it takes to find every direct message, point by point, at an account of the measured shape. Where the captures of a real server are at hand
//! (`4.6.5-api`), answers are held against them; without them one line says so and the rest is tested all the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stand_in::{Answer, Control, Credentials, Options, Shape, Side};

/// One reader at the old server, without the network and without limits.
struct Reader {
    control: Control,
    user: String,
    session: Credentials,
    id: String,
    asked: std::cell::Cell<usize>,
}

fn reader(user: &str) -> Reader {
    let control = stand_in::indoors(Options::default());
    control.post("limits", &json!({ "on": false }));
    read_as(&control, user)
}

fn read_as(control: &Control, user: &str) -> Reader {
    let session = control.credentials(Side::Old, user);
    let id = control.person(Side::Old, user)["id"].as_str().unwrap().to_owned();
    Reader { control: control.clone(), user: user.to_owned(), session, id, asked: std::cell::Cell::new(0) }
}

impl Reader {
    fn get(&self, path: &str) -> Answer {
        self.with(path, &self.session.token_only())
    }

    fn with(&self, path: &str, session: &Credentials) -> Answer {
        self.asked.set(self.asked.get() + 1);
        self.control.answer(Side::Old, "GET", path, session).unwrap()
    }

    fn post(&self, path: &str) -> Answer {
        self.control.answer(Side::Old, "POST", path, &self.session.token_only()).unwrap()
    }

    fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json().as_array().unwrap().clone()
    }

    /// All pages from `path` on, by the `Link` header alone.
    fn pages(&self, path: &str, session: &Credentials) -> Vec<Value> {
        let origin = "http://old.localhost:4001";
        let (mut all, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let answer = self.with(&path, session);
            assert_eq!(answer.status, 200, "{path}");
            all.extend(answer.json().as_array().unwrap().iter().cloned());
            next = link(&answer, "next").map(|link| link.replace(origin, ""));
        }
        all
    }

    fn all(&self, path: &str) -> Vec<Value> {
        self.pages(path, &self.session.token_only())
    }

    fn account(&self, name: &str) -> String {
        self.get(&format!("/api/v1/accounts/lookup?acct={name}")).json()["id"].as_str().unwrap().to_owned()
    }

    /// The direct messages in somebody's listing.
    fn listing(&self, id: &str, session: &Credentials) -> Vec<Value> {
        let all = self.pages(&format!("/api/v1/accounts/{id}/statuses?limit=40"), session);
        all.into_iter().filter(|status| status["visibility"] == "direct").collect()
    }

    fn truth(&self) -> BTreeMap<String, stand_in::Truth> {
        let all = self.control.oracle(Side::Old, &self.user);
        all.into_iter().map(|truth| (truth.id.to_string(), truth)).collect()
    }
}

fn link(answer: &Answer, rel: &str) -> Option<String> {
    answer.header("link")?.split(", ").find_map(|part| {
        let (address, kind) = part.split_once(">; rel=")?;
        (kind.trim_matches('"') == rel).then(|| address.trim_start_matches('<').to_owned())
    })
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// What a walk has met: messages by id, and everybody who wrote or was written to.
#[derive(Default)]
struct Met {
    messages: BTreeMap<String, Value>,
    people: BTreeSet<String>,
    covered: BTreeSet<String>,
}

impl Met {
    fn add(&mut self, status: &Value) {
        if status["visibility"] != "direct" {
            return;
        }
        self.people.insert(id(&status["account"]));
        self.people.extend(status["mentions"].as_array().unwrap().iter().map(id));
        self.messages.insert(id(status), status.clone());
    }

    /// The contexts of these messages and of their roots, each place of a thread asked for once.
    fn contexts(&mut self, reader: &Reader, ids: Vec<String>) {
        for start in ids {
            let mut open = vec![start];
            while let Some(at) = open.pop() {
                if !self.covered.insert(at.clone()) {
                    continue;
                }
                let context = reader.get(&format!("/api/v1/statuses/{at}/context")).json();
                let above = context["ancestors"].as_array().unwrap();
                open.extend(above.first().map(id));
                for status in above.iter().chain(context["descendants"].as_array().unwrap()) {
                    self.add(status);
                }
            }
        }
    }

    fn new_since(&self, before: &BTreeSet<String>) -> Vec<String> {
        self.messages.keys().filter(|id| !before.contains(*id)).cloned().collect()
    }

    fn ids(&self) -> BTreeSet<String> {
        self.messages.keys().cloned().collect()
    }
}

fn captures() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let root = std::env::var_os("PACKED_TRUNK_CAPTURES").map_or_else(beside, PathBuf::from).join("4.6.5-api");
    if root.join("INDEX.tsv").exists() {
        return Some(root);
    }
    println!("left out: no captures of a real server at {}", root.display());
    None
}

/// The stored body of a real server, if there is one at hand.
fn captured(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(captures()?.join(format!("{name}.json"))).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// A header of the last reply of a capture.
fn captured_header(name: &str, header: &str) -> Option<Option<String>> {
    let text = std::fs::read_to_string(captures()?.join(format!("{name}.headers.txt"))).unwrap();
    let wanted = format!("< {header}: ");
    let line = text.lines().rev().find(|line| line.to_lowercase().starts_with(&wanted));
    Some(line.map(|line| line[wanted.len()..].to_owned()))
}

/// Fields that are there or not by whose account or status it is, not by how.
const BY_WHOSE: [&str; 7] = ["noindex", "roles", "application", "moved", "pinned", "suspended", "focus"];

/// Compares fields and kinds of value; the first of each list stands for all.
fn same_shape(place: &str, theirs: &Value, ours: &Value) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for name in theirs.keys().chain(ours.keys()).filter(|name| !BY_WHOSE.contains(&name.as_str())) {
                let (Some(theirs), Some(ours)) = (theirs.get(name), ours.get(name)) else {
                    panic!("{place}.{name}: only one of both has it")
                };
                same_shape(&format!("{place}.{name}"), theirs, ours);
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
                same_shape(&format!("{place}[]"), theirs, ours);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(
            std::mem::discriminant(theirs),
            std::mem::discriminant(ours),
            "{place}: {theirs} there, {ours} here"
        ),
    }
}

fn like(capture: &str, ours: &Value) {
    if let Some(theirs) = captured(capture) {
        same_shape(capture, &theirs, ours);
    }
}

/// The names that its `Link` header gives to the parameters of next and previous page.
fn link_shape(header: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in header.into_iter().flat_map(|header| header.split(", ")) {
        let (address, rel) = part.split_once(">; ").unwrap();
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let names: Vec<String> = query
            .split('&')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                if name.ends_with("_id") { name.to_owned() } else { format!("{name}={value}") }
            })
            .collect();
        all.push(format!("{rel} {}", names.join(" ")));
    }
    all
}

fn same_link(capture: &str, ours: &Answer) {
    if let Some(theirs) = captured_header(capture, "link") {
        assert_eq!(link_shape(ours.header("link")), link_shape(theirs.as_deref()), "{capture}");
    }
}

fn same_body(capture: &str, ours: &Answer) {
    if let Some(theirs) = captured(capture) {
        assert_eq!(ours.json(), theirs, "{capture}");
    }
}

#[test]
fn every_road_finds_more_and_all_together_everything() {
    let mia = reader("mia");
    let truth = mia.truth();
    let sent = truth.values().filter(|message| message.sent).count();
    let threads: BTreeSet<u64> = truth.values().map(|message| message.thread).collect();
    let senders: BTreeSet<&str> =
        truth.values().filter(|message| !message.sent).map(|message| message.author.as_str()).collect();
    let files = truth.values().map(|message| message.attachments.len()).sum::<usize>();
    assert_eq!(
        (truth.len(), sent, truth.len() - sent, threads.len(), senders.len(), files),
        (571, 210, 361, 60, 15, 19)
    );

    let mut met = Met::default();
    let mut table: Vec<(&str, usize, usize)> = Vec::new();
    let mut row = |road: &'static str, met: &Met| {
        let before = table.last().map_or(0, |(_, count, _)| *count);
        assert!(met.messages.len() >= before, "{road} loses nothing");
        for found in met.messages.keys() {
            assert!(truth.contains_key(found), "{road}: {found} is no message that the oracle knows");
        }
        table.push((road, met.messages.len(), mia.asked.get()));
    };
    for entry in mia.all("/api/v1/conversations?limit=40") {
        met.add(&entry["last_status"]);
    }
    row("conversation list", &met);
    met.contexts(&mia, met.ids().into_iter().collect());
    row("+ contexts of last message and of root", &met);
    let before = met.ids();
    let pages = mia.asked.get();
    for status in mia.all(&format!("/api/v1/accounts/{}/statuses?limit=40", mia.id)) {
        met.add(&status);
    }
    assert_eq!(mia.asked.get() - pages, 6, "pages of own statuses");
    row("+ own statuses", &met);
    met.contexts(&mia, met.new_since(&before));
    row("+ their contexts", &met);
    let before = met.ids();
    for notification in mia.all("/api/v1/notifications?types[]=mention&limit=80&include_filtered=true") {
        met.add(&notification["status"]);
    }
    row("+ mention notifications", &met);
    met.contexts(&mia, met.new_since(&before));
    row("+ their contexts again", &met);
    let mut people = met.people.clone();
    people.extend(mia.all("/api/v1/mutes").iter().map(id));
    people.extend(mia.all("/api/v1/blocks").iter().map(id));
    for person in &people {
        for status in mia.listing(person, &mia.session.token_only()) {
            met.add(&status);
        }
    }
    row("+ statuses of the people met", &met);
    let bela = mia.account("bela@far.example");
    assert!(!people.contains(&bela), "met nowhere else");
    for status in mia.listing(&bela, &mia.session.token_only()) {
        met.add(&status);
    }
    row("+ statuses of the one met nowhere else", &met);
    for (road, messages, requests) in &table {
        println!("{road:45} {messages:4} {requests:4}");
    }
    let found: Vec<usize> = table.iter().map(|(_, messages, _)| *messages).collect();
    assert_eq!(found, [51, 371, 421, 473, 530, 530, 564, 571], "as in the table of facts 13.1");
    assert_eq!(met.ids(), truth.keys().cloned().collect());
}

#[test]
fn point_1_strangers_wait_in_requests() {
    let mia = reader("mia");
    let with = |list: &[Value], acct: &str| {
        list.iter().filter(|item| item["account"]["acct"].as_str() == Some(acct)).count()
    };
    let talks = mia.all("/api/v1/conversations?limit=40");
    let partners: BTreeSet<&str> = talks
        .iter()
        .flat_map(|entry| entry["accounts"].as_array().unwrap())
        .map(|account| account["acct"].as_str().unwrap())
        .collect();
    let strangers = [("ugo", 5), ("yusuf@far.example", 2), ("zora@far.example", 9), ("bela@far.example", 0)];
    let shown = mia.all("/api/v1/notifications?types[]=mention&limit=80");
    let all = mia.all("/api/v1/notifications?types[]=mention&limit=80&include_filtered=true");
    for (stranger, waiting) in strangers {
        assert!(!partners.contains(stranger), "{stranger} is in no conversation");
        assert_eq!((with(&shown, stranger), with(&all, stranger)), (0, waiting), "{stranger}");
        let one = mia.account(stranger);
        let theirs = mia.all(&format!("/api/v1/notifications?account_id={one}"));
        assert_eq!(theirs.len(), waiting, "by account_id, without include_filtered");
        assert!(theirs.iter().all(|notification| notification["filtered"] == true));
    }
    let requests = mia.get("/api/v1/notifications/requests");
    let counts: BTreeMap<String, String> = requests
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|request| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&request["account"]["acct"]), text(&request["notifications_count"]))
        })
        .collect();
    let waiting = strangers.iter().filter(|(_, count)| *count > 0);
    assert_eq!(counts, waiting.map(|(name, count)| ((*name).to_owned(), count.to_string())).collect());
    like("requests/requests", &requests.json());
    same_link("requests/requests_limit2_paging", &mia.get("/api/v1/notifications/requests?limit=2"));
    same_link(
        "big/notifications_mention_include_filtered",
        &mia.get("/api/v1/notifications?types[]=mention&limit=80&include_filtered=true"),
    );
    let page = mia.get("/api/v1/notifications?types[]=mention&limit=200");
    assert_eq!(page.json().as_array().unwrap().len(), 80, "80 at most");
    like("big/notifications_mention_include_filtered", &page.json());
    let groups = mia.get("/api/v2/notifications?types[]=mention&limit=40");
    like("dm/notifications_v2_mention", &groups.json());
    same_link("dm/notifications_v2_mention", &groups);

    // Dismissed: only by number and in the author's listing.
    let bela = mia.account("bela@far.example");
    let theirs = mia.listing(&bela, &mia.session.token_only());
    assert_eq!(theirs.len(), 7);
    assert_eq!(mia.get(&format!("/api/v1/statuses/{}", id(&theirs[0]))).status, 200);
    let followers = mia.all(&format!("/api/v1/accounts/{}/followers", mia.id));
    assert!(!followers.iter().any(|account| account["acct"] == "bela@far.example"), "nor a follower");

    // Accepting makes conversations, and what comes later waits no more; dismissing takes the notifications away.
    let request = |acct: &str| {
        let all = mia.list("/api/v1/notifications/requests");
        id(all.iter().find(|request| request["account"]["acct"] == acct).unwrap())
    };
    let accepted = mia.post(&format!("/api/v1/notifications/requests/{}/accept", request("ugo")));
    same_body("requests/request_accept", &accepted);
    assert_eq!(mia.all("/api/v1/conversations?limit=40").len(), talks.len() + 1);
    let message = |from: &str| json!({ "server": "old", "user": "mia", "from": from, "text": "hello again" });
    mia.control.post("message", &message("ugo"));
    assert_eq!(mia.all("/api/v1/conversations?limit=40").len(), talks.len() + 2);
    let dismissed =
        mia.post(&format!("/api/v1/notifications/requests/{}/dismiss", request("zora@far.example")));
    same_body("requests/request_dismiss", &dismissed);
    let zora = mia.account("zora@far.example");
    assert!(mia.all(&format!("/api/v1/notifications?account_id={zora}&include_filtered=true")).is_empty());
    assert_eq!(mia.listing(&zora, &mia.session.token_only()).len(), 9);
    // Somebody of whom one knows nothing writes again: a new request.
    mia.control.post("message", &message("bela@far.example"));
    assert_eq!(mia.list("/api/v1/notifications/requests").len(), 2);
}

#[test]
fn point_2_blocks_and_hiding_mutes_delete_conversations() {
    let mia = reader("mia");
    let with = |acct: &str| {
        let talks = mia.all("/api/v1/conversations?limit=40");
        let notes = mia.all("/api/v1/notifications?limit=80&include_filtered=true");
        let has = |entry: &&Value| entry["accounts"].as_array().unwrap().iter().any(|a| a["acct"] == acct);
        (talks.iter().filter(has).count(), notes.iter().filter(|n| n["account"]["acct"] == acct).count())
    };
    for gone in ["samir", "tilda"] {
        assert_eq!(with(gone), (0, 0), "{gone}");
    }
    assert!(with("xenia@far.example").0 == 2 && with("xenia@far.example").1 > 30, "a plain mute keeps them");
    for (name, action, undo) in [("olga", "mute", "unmute"), ("vera@far.example", "block", "unblock")] {
        let before = with(name);
        assert!(before.0 > 4 && before.1 > 4, "groups are among them");
        let person = mia.account(name);
        let all = mia.listing(&person, &mia.session.token_only()).len();
        assert_eq!(mia.post(&format!("/api/v1/accounts/{person}/{action}")).status, 200);
        assert_eq!(with(name), (0, 0), "{action}");
        assert_eq!(mia.post(&format!("/api/v1/accounts/{person}/{undo}")).status, 200);
        assert_eq!(with(name), (0, 0), "{undo} brings nothing back");
        assert_eq!(mia.listing(&person, &mia.session.token_only()).len(), all);
    }
    let (pavel, before) = (mia.account("pavel"), with("pavel"));
    let muted = mia.post(&format!("/api/v1/accounts/{pavel}/mute?notifications=false"));
    assert_eq!(muted.json()["muting_notifications"], false);
    assert_eq!(with("pavel"), before);
    if let (Some(before), Some(after), Some(undone)) = (
        captured("dm/conversations_all_limit40"),
        captured("dm/conversations_after_mute_and_block"),
        captured("dm/conversations_after_unmute_unblock"),
    ) {
        // The real server: carol06 blocked, carol07 muted with notifications hidden.
        let without: Vec<&Value> = before
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| {
                !entry["accounts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|a| a["acct"] == "carol06" || a["acct"] == "carol07")
            })
            .map(|entry| &entry["id"])
            .collect();
        for list in [after, undone] {
            assert_eq!(
                list.as_array().unwrap().iter().map(|entry| &entry["id"]).collect::<Vec<_>>(),
                without
            );
        }
    }
}

#[test]
fn point_3_muted_and_blocked_authors_stay_readable_by_number() {
    let mia = reader("mia");
    let token = mia.session.token_only();
    let by = |name: &str| mia.listing(&mia.account(name), &token);
    let mut ids: Vec<String> = Vec::new();
    for name in ["samir", "xenia@far.example", "tilda"] {
        let theirs = by(name);
        for status in theirs.iter().take(6) {
            assert_eq!(mia.get(&format!("/api/v1/statuses/{}", id(status))).status, 200, "{name}");
            let context = mia.get(&format!("/api/v1/statuses/{}/context", id(status))).json();
            for other in context["ancestors"]
                .as_array()
                .unwrap()
                .iter()
                .chain(context["descendants"].as_array().unwrap())
            {
                assert_ne!(
                    other["account"]["acct"], name,
                    "left out of contexts, even of their own messages"
                );
            }
        }
        ids.extend(theirs.iter().take(4).map(id));
    }
    ids.extend(by("olga").iter().take(4).map(id));
    ids.extend(mia.listing(&mia.id, &token).iter().take(4).map(id));
    let asked: String = ids.iter().map(|id| format!("id[]={id}&")).collect();
    let batch = mia.get(&format!("/api/v1/statuses?{asked}"));
    let authors: BTreeMap<&str, usize> = BTreeMap::new();
    let list = batch.json();
    let authors = list.as_array().unwrap().iter().fold(authors, |mut all, status| {
        *all.entry(status["account"]["acct"].as_str().unwrap()).or_default() += 1;
        all
    });
    assert_eq!(authors, BTreeMap::from([("mia", 4), ("olga", 4)]), "20 asked for: 4 each of five");
    if let Some(theirs) = captured("big/statuses_batch") {
        assert_eq!(theirs.as_array().unwrap().len(), 8, "the same there");
    }
    let too_many = mia.get(&format!("/api/v1/statuses?{asked}id[]={}", ids[0]));
    assert_eq!(too_many.status, 422);
    same_body("big/statuses_batch_21", &too_many);
    same_link(
        "big/muted_plain_account_statuses",
        &mia.get(&format!("/api/v1/accounts/{}/statuses?limit=40", mia.account("xenia@far.example"))),
    );
    same_link(
        "big/muted_hidden_account_statuses",
        &mia.get(&format!("/api/v1/accounts/{}/statuses?limit=40", mia.account("samir"))),
    );

    // A domain that the reader blocks is left out of contexts as well.
    let vera = by("vera@far.example");
    let answered = vera.iter().find(|status| !status["in_reply_to_id"].is_null()).unwrap();
    let parent = answered["in_reply_to_id"].as_str().unwrap().to_owned();
    let below = || {
        let context = mia.get(&format!("/api/v1/statuses/{parent}/context")).json();
        let all = context["descendants"].as_array().unwrap().clone();
        all.iter().filter(|status| status["account"]["acct"] == "vera@far.example").count()
    };
    assert!(below() > 0);
    mia.control.with_world(|world| {
        let me = mia.id.parse().unwrap();
        let user = world.server_mut(Side::Old).user_mut(me).unwrap();
        user.domain_blocks.push("far.example".to_owned());
    });
    assert_eq!(below(), 0);
    assert_eq!(mia.get(&format!("/api/v1/statuses/{}", id(answered))).status, 200);
}

#[test]
fn point_4_a_deleted_message_cuts_the_thread() {
    let mia = reader("mia");
    let own = mia.listing(&mia.id, &mia.session.token_only());
    let olga = mia.listing(&mia.account("quinn"), &mia.session.token_only());
    let cut =
        |status: &&Value| status["in_reply_to_id"].is_null() && !status["in_reply_to_account_id"].is_null();
    // Whom it answered stays, which tells it from the beginning of a thread.
    assert!(own.iter().chain(&olga).filter(cut).count() >= 1);
    let parent = own
        .iter()
        .find(|status| status["replies_count"] != 0 && !status["in_reply_to_id"].is_null())
        .unwrap();
    let context = mia.get(&format!("/api/v1/statuses/{}/context", id(parent))).json();
    let child = context["descendants"].as_array().unwrap()[0].clone();
    let gone = mia
        .control
        .answer(Side::Old, "DELETE", &format!("/api/v1/statuses/{}", id(parent)), &mia.session.token_only())
        .unwrap();
    assert_eq!(gone.status, 200);
    like("dm/delete_status_reply", &gone.json());
    for path in ["", "/context"] {
        let missing = mia.get(&format!("/api/v1/statuses/{}{path}", id(parent)));
        assert_eq!(missing.status, 404);
        same_body("dm/delchain_deleted_itself", &missing);
    }
    let child = mia.get(&format!("/api/v1/statuses/{}", id(&child))).json();
    assert!(cut(&&child), "{child}");
    if let Some(theirs) = captured("dm/delchain_4_after_delete") {
        assert!(cut(&&theirs));
    }
    let context = mia.get(&format!("/api/v1/statuses/{}/context", id(&child))).json();
    assert_eq!(context["ancestors"], json!([]));
}

#[test]
fn point_5_one_thread_is_several_conversations() {
    let mia = reader("mia");
    let truth = mia.truth();
    let mut entries: BTreeMap<u64, BTreeSet<Vec<String>>> = BTreeMap::new();
    for entry in mia.all("/api/v1/conversations?limit=40") {
        let thread = truth[&id(&entry["last_status"])].thread;
        let people: Vec<String> = entry["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["acct"].as_str().unwrap().to_owned())
            .collect();
        assert!(entries.entry(thread).or_default().insert(people), "one entry for each set of participants");
    }
    let several: Vec<usize> = entries.values().map(BTreeSet::len).filter(|count| *count > 1).collect();
    assert_eq!((several.len(), several.iter().sum::<usize>()), (6, 14));
    assert!(entries.values().flatten().any(|people| people == &["mia"]), "a note to oneself");

    // A reply that came before its parent: no parent, in no context, but of the thread.
    let lost: Vec<&stand_in::Truth> = truth
        .values()
        .filter(|message| message.author.ends_with("@far.example"))
        .filter(|message| {
            let status = mia.get(&format!("/api/v1/statuses/{}", message.id)).json();
            let root = message.thread == message.id;
            !root && status["in_reply_to_id"].is_null() && status["in_reply_to_account_id"].is_null()
        })
        .collect();
    assert_eq!(lost.len(), 5);
    for message in lost {
        let context = mia.get(&format!("/api/v1/statuses/{}/context", message.id)).json();
        assert_eq!(context, json!({ "ancestors": [], "descendants": [] }));
        assert!(truth.values().filter(|other| other.thread == message.thread).count() > 5);
        same_body(
            "dm/remote_bob1_second_lost_parent_context",
            &mia.get(&format!("/api/v1/statuses/{}/context", message.id)),
        );
    }
}

#[test]
fn point_6_conversations_page_by_their_last_status() {
    let mia = reader("mia");
    let get = |query: &str| mia.get(&format!("/api/v1/conversations?{query}"));
    let count = |answer: &Answer| answer.json().as_array().unwrap().len();
    let first = get("limit=40");
    assert_eq!(count(&first), 40);
    same_link("big/conversations_page0", &first);
    like("big/conversations_page0", &first.json());
    let list = first.json();
    let last = list[39]["last_status"]["id"].as_str().unwrap();
    assert!(link(&first, "next").unwrap().ends_with(&format!("max_id={last}")));
    let rest = get(&format!("limit=40&max_id={last}"));
    assert_eq!(count(&rest), 11);
    same_link("big/conversations_page1", &rest);
    let eighty = get("limit=80");
    assert_eq!(count(&eighty), 40, "80 counts as 40");
    assert!(link(&eighty, "next").unwrap().contains("limit=80"), "but is repeated");
    same_link(
        "big/own_statuses_limit80",
        &mia.get(&format!("/api/v1/accounts/{}/statuses?limit=80", mia.id)),
    );
    let wrong = get(&format!("limit=2&max_id={}", id(&list[1])));
    assert_eq!((count(&wrong), wrong.header("link")), (0, None), "a conversation's number gives nothing");
    // 51 in pages of 17: the third is full, and a fourth is empty.
    let mut path = Some("/api/v1/conversations?limit=17".to_owned());
    let mut sizes = Vec::new();
    while let Some(next) = path {
        let page = mia.get(&next);
        sizes.push(count(&page));
        path = link(&page, "next").map(|link| link.replace("http://old.localhost:4001", ""));
    }
    assert_eq!(sizes, [17, 17, 17, 0]);
    let newer = get(&format!("limit=2&min_id={last}"));
    assert_eq!(newer.json()[1]["id"], list[38]["id"], "min_id gives the page next to it");
    same_link("dm/conversations_min_id", &newer);
    let since = get(&format!("limit=2&since_id={last}"));
    assert_eq!(since.json()[0]["id"], list[0]["id"], "since_id the newest");
    same_link("dm/conversations_since_id", &since);
}

#[test]
fn point_7_suspended_authors_and_those_who_block_the_reader() {
    let mia = reader("mia");
    let token = mia.session.token_only();
    let (sorin, theirs) = mia.control.with_world(|world| {
        let server = world.server(Side::Old);
        let sorin = server.find("sorin", None).unwrap();
        (sorin.to_string(), server.by_author[&sorin].iter().copied().collect::<Vec<u64>>())
    });
    assert!(!theirs.is_empty());
    for message in theirs {
        let missing = mia.get(&format!("/api/v1/statuses/{message}"));
        assert_eq!(missing.status, 404);
        same_body("suspended/after_status_received", &missing);
    }
    let account = mia.get(&format!("/api/v1/accounts/{sorin}"));
    assert_eq!((account.status, &account.json()["suspended"]), (200, &json!(true)));
    like("suspended/after_account", &account.json());
    assert_eq!(mia.get(&format!("/api/v1/accounts/{sorin}/statuses")).json(), json!([]));
    let own = mia.listing(&mia.id, &token);
    let to_sorin = own.iter().filter(|status| status["mentions"][0]["acct"] == "sorin").count();
    assert_eq!(to_sorin, 2, "one's own remain");

    // Suspended while in the list: the entry and its last message stay there, and nowhere else.
    let talks = mia.all("/api/v1/conversations?limit=40");
    let entry = talks.iter().find(|entry| entry["last_status"]["account"]["acct"] == "olga").unwrap();
    let message = entry["last_status"]["id"].as_str().unwrap();
    mia.control.post("account", &json!({ "server": "old", "user": "olga", "suspended": true }));
    assert_eq!(mia.get(&format!("/api/v1/statuses/{message}")).status, 404);
    let after = mia.all("/api/v1/conversations?limit=40");
    assert_eq!(after.len(), talks.len());
    assert!(after.iter().any(|entry| entry["last_status"]["id"] == message));
    let notes = mia.all("/api/v1/notifications?limit=80");
    assert!(!notes.iter().any(|note| note["account"]["acct"] == "olga"));
    assert!(!mia.truth().values().any(|truth| truth.author.starts_with("olga@")));
    if let Some(theirs) = captured("suspended/after_conversations") {
        let theirs = theirs.as_array().unwrap().iter();
        assert!(theirs.clone().any(|entry| entry["last_status"]["account"]["suspended"] == true));
    }

    // One who has blocked the reader: the listing is empty, by number everything is there, in contexts too.
    let anton = mia.account("anton");
    let listing = mia.get(&format!("/api/v1/accounts/{anton}/statuses?limit=40"));
    same_body("big/blockedby_account_statuses_of_blocker", &listing);
    let relationship = mia.get(&format!("/api/v1/accounts/relationships?id[]={anton}")).json();
    assert_eq!(
        (&relationship[0]["blocked_by"], &relationship[0]["followed_by"]),
        (&json!(true), &json!(false))
    );
    like("big/blockedby_relationships", &relationship);
    let messages: Vec<String> = mia
        .truth()
        .into_iter()
        .filter(|(_, truth)| truth.author.starts_with("anton@"))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(messages.len(), 4);
    let mut in_contexts = 0;
    for message in &messages {
        assert_eq!(mia.get(&format!("/api/v1/statuses/{message}")).status, 200);
        let context = mia.get(&format!("/api/v1/statuses/{message}/context")).json().to_string();
        in_contexts +=
            messages.iter().filter(|other| context.contains(&format!("\"id\":\"{other}\""))).count();
    }
    assert!(in_contexts > 0);
    // What he says to everybody is not for the reader any more.
    let public = mia.control.with_world(|world| {
        let server = world.server(Side::Old);
        let open = &server.by_author_open[&server.find("anton", None).unwrap()];
        open.first().copied().unwrap()
    });
    assert_eq!(mia.get(&format!("/api/v1/statuses/{public}")).status, 404);
}

#[test]
fn point_8_media_are_files() {
    let mia = reader("mia");
    let truth = mia.truth();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut sums: BTreeSet<String> = BTreeSet::new();
    for message in truth.values().filter(|message| !message.attachments.is_empty()) {
        let status = mia.get(&format!("/api/v1/statuses/{}", message.id)).json();
        for (file, shown) in message.attachments.iter().zip(status["media_attachments"].as_array().unwrap()) {
            let url = shown["url"].as_str().unwrap();
            assert_eq!(url, file.url);
            let remote = !shown["remote_url"].is_null();
            let mut answer = mia.control.fetch(url, &mia.session.cookie_only()).unwrap();
            if url.contains("/media_proxy/") {
                assert_eq!(mia.control.fetch(url, &Credentials::nobody()).unwrap().status, 404);
                assert_eq!(mia.control.fetch(url, &mia.session.token_only()).unwrap().status, 404);
                assert_eq!(answer.status, 302);
                answer =
                    mia.control.fetch(answer.header("location").unwrap(), &Credentials::nobody()).unwrap();
                *kinds.entry("proxied".to_owned()).or_default() += 1;
            } else {
                let folder = if remote {
                    "/system/cache/media_attachments/files/"
                } else {
                    "/system/media_attachments/files/"
                };
                assert!(url.contains(folder), "{url}");
            }
            assert_eq!(answer.status, 200, "{url}");
            assert_eq!(stand_in::sha256::hex(&answer.body), file.sha256);
            assert!(sums.insert(file.sha256.clone()), "every file has bytes of its own");
            let header = |name: &str| answer.header(name).unwrap_or("none").to_owned();
            assert_eq!(header("access-control-allow-origin"), "none");
            for name in ["cache-control", "content-security-policy", "x-content-type-options"] {
                if let Some(theirs) = captured_header("dm/media_local_original", name) {
                    assert_eq!(header(name), theirs.unwrap(), "{name}");
                }
            }
            let begin: &[u8] = match header("content-type").as_str() {
                "image/png" => b"\x89PNG\r\n",
                "image/jpeg" => b"\xff\xd8\xff",
                _ => b"\0\0\0\x20ftyp",
            };
            assert!(answer.body.starts_with(begin) || header("content-type") == "video/mp4");
            *kinds.entry(header("content-type")).or_default() += 1;
            *kinds.entry(if remote { "remote" } else { "local" }.to_owned()).or_default() += 1;
            if remote && !url.contains("media_proxy") {
                like("dm/remote_bob1_with_image", &status);
            }
        }
    }
    println!("{kinds:?}");
    assert_eq!((kinds["remote"], kinds["local"], kinds["proxied"], kinds["video/mp4"]), (7, 12, 1, 1));
    // Fetched once, it has an address of its own.
    let any = truth.values().flat_map(|message| &message.attachments).next().unwrap();
    let missing = any.url.replace("/original/", "/original/x");
    assert_eq!(mia.control.fetch(&missing, &mia.session).unwrap().status, 404);
    let part = mia
        .control
        .ask(
            stand_in::Site::Server(Side::Old),
            "GET",
            &any.url.replace("http://old.localhost:4001", ""),
            &Credentials::nobody(),
            &[("range", "bytes=0-99")],
            &Value::Null,
        )
        .unwrap();
    assert_eq!((part.status, part.body.len()), (206, 100));
    assert!(part.header("content-range").unwrap().starts_with("bytes 0-99/"));

    // On a third origin, counted apart.
    let control = stand_in::indoors(Options { media_host: true, ..Options::default() });
    let far = control.oracle(Side::Old, "mia");
    let file =
        far.iter().flat_map(|message| &message.attachments).find(|file| !file.url.contains("proxy")).unwrap();
    assert!(file.url.starts_with("http://cdn.localhost:4003/"), "{}", file.url);
    control.post("requests/clear", &json!({}));
    let answer = control.fetch(&file.url, &Credentials::nobody()).unwrap();
    assert_eq!(stand_in::sha256::hex(&answer.body), file.sha256);
    assert_eq!(control.get("media-requests").as_array().unwrap().len(), 1);
    assert_eq!(control.get("requests").as_array().unwrap().len(), 0);
}

#[test]
fn point_9_deleting_a_conversation_removes_the_entry_only() {
    let mia = reader("mia");
    let talks = mia.all("/api/v1/conversations?limit=40");
    let all = mia.truth();
    let entry = talks
        .iter()
        .find(|entry| {
            entry["accounts"].as_array().unwrap().len() == 1 && entry["accounts"][0]["acct"] == "otto"
        })
        .unwrap();
    let path = format!("/api/v1/conversations/{}", id(entry));
    let delete = || mia.control.answer(Side::Old, "DELETE", &path, &mia.session.token_only()).unwrap();
    let deleted = delete();
    assert_eq!(deleted.status, 200);
    same_body("dm/conversation_delete", &deleted);
    let again = delete();
    assert_eq!(again.status, 404);
    same_body("dm/conversation_delete_again_404", &again);
    assert_eq!(mia.all("/api/v1/conversations?limit=40").len(), talks.len() - 1);
    assert_eq!(mia.truth().len(), all.len());
    let last = entry["last_status"]["id"].as_str().unwrap();
    assert_eq!(mia.get(&format!("/api/v1/statuses/{last}")).status, 200);
    // A new message of the thread makes an entry that knows of itself alone.
    mia.control.post(
        "message",
        &json!({ "server": "old", "user": "mia", "from": "otto", "text": "still there?", "in_reply_to": last }),
    );
    let after = mia.all("/api/v1/conversations?limit=40");
    assert_eq!(after.len(), talks.len());
    assert_ne!(id(&after[0]), id(entry));
}

#[test]
fn point_10_after_the_move_messages_can_still_be_read() {
    let control = stand_in::indoors(Options::default());
    control.post("limits", &json!({ "on": false }));
    control.correspondence(Side::Old, "mia_moved", Shape::Full);
    for (user, with_move, sent, found_of_senders) in
        [("mia_moved", true, 210, 350), ("mia", false, 210, 350), ("noa", false, 5, 6)]
    {
        if user == "noa" {
            control.set_moved(Side::Old, user, None, false);
        }
        let me = read_as(&control, user);
        let own = me.listing(&me.id, &me.session.token_only());
        let one = id(own.iter().find(|status| status["replies_count"] != 0).unwrap());
        let paths = |ending: &str| format!("/api/v1/accounts/{}/{ending}", me.id);
        let open = [
            paths("statuses?limit=40"),
            paths("followers"),
            paths("following"),
            format!("/api/v1/accounts/{}", me.id),
            format!("/api/v1/statuses/{one}"),
            format!("/api/v1/statuses/{one}/context"),
            format!("/api/v1/statuses/{one}/history"),
            format!("/api/v1/statuses?id[]={one}"),
            "/api/v1/emails/check_confirmation".to_owned(),
            "/api/v2/instance".to_owned(),
        ];
        let closed = [
            "accounts/verify_credentials",
            "conversations",
            "notifications",
            "notifications/requests",
            "mutes",
            "blocks",
            "domain_blocks",
            "bookmarks",
            "favourites",
            "lists",
            "preferences",
            "timelines/home",
            "follow_requests",
            "accounts/relationships?id[]=1",
        ];
        let working = || {
            for path in &closed {
                assert_eq!(me.get(&format!("/api/v1/{path}")).status, 200, "{user} {path}");
            }
        };
        working();
        let target = format!("{}@new.localhost:4002", user.trim_end_matches("_moved"));
        control.set_moved(Side::Old, user, Some(&target), with_move);
        let cookie = me.session.cookie_only();
        for path in &open {
            assert_eq!(me.with(path, &cookie).status, 200, "{user} {path}");
            assert_eq!(me.get(path).status, 200, "{user} {path} with the token from before");
        }
        for path in &closed {
            let path = format!("/api/v1/{path}");
            assert_eq!(me.with(&path, &cookie).status, 401, "{user} {path}");
            let refused = me.get(&path);
            assert_eq!(refused.status, 403, "{user} {path}");
            assert_eq!(refused.json()["error"], "Your login is currently disabled");
        }
        assert_eq!(me.listing(&me.id, &cookie).len(), sent, "all one's own, in one's own listing");
        // And of everybody whom one knows: mentions in one's own messages, followers, following.
        let mut people: BTreeSet<String> = BTreeSet::new();
        for status in &own {
            people.extend(status["mentions"].as_array().unwrap().iter().map(id));
        }
        for path in [paths("followers"), paths("following")] {
            people.extend(me.pages(&path, &cookie).iter().map(id));
        }
        let received: BTreeSet<String> = people
            .iter()
            .filter(|person| **person != me.id)
            .flat_map(|person| me.listing(person, &cookie))
            .map(|s| id(&s))
            .collect();
        let missing: BTreeSet<String> = me
            .truth()
            .into_values()
            .filter(|truth| !truth.sent && !received.contains(&truth.id.to_string()))
            .map(|truth| truth.author.split('@').next().unwrap().to_owned())
            .collect();
        println!("{user}: {} received found, not those of {missing:?}", received.len());
        let expected: &[&str] =
            if user == "noa" { &["ugo"] } else { &["anton", "bela", "ugo", "yusuf", "zora"] };
        assert_eq!(missing.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        let _ = found_of_senders;
        // Nobody else sees anything of it.
        assert_eq!(me.listing(&me.id, &Credentials::nobody()).len(), 0);
        control.set_moved(Side::Old, user, None, false);
        working();
    }
    // Noa is there from the beginning, and redirects.
    let control = stand_in::indoors(Options::default());
    assert!(control.person(Side::Old, "noa")["moved_to"].as_str().unwrap().starts_with("noa@new."));
    assert!(control.person(Side::Old, "noa")["cooldown_days"].is_null());
    assert_eq!(control.oracle(Side::Old, "noa").len(), 12);
}
