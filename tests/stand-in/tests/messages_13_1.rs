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
