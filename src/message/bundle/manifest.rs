//! `manifest.json`, which says of every other entry what it has to be, and `README.txt`, which says it to people.

use super::{About, FORMAT};
use crate::plain::Object;
use crate::say::{Part, Words, say};
use crate::server::status::Person;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: usize,
    pub sent: usize,
    pub received: usize,
    pub conversations: usize,
    pub people: usize,
    pub saved: usize,
    pub missing: usize,
    pub unreadable: usize,
}

/// The manifest but for its list of entries.
pub fn head(about: &About, owner: &Person, counts: &Counts, words: &dyn Words) -> Object {
    let mut remarks = Vec::new();
    for remark in &about.incomplete {
        remarks.push(Object::new().text("id", &remark.key).text("words", &words.speak(remark)).end());
    }
    let mut numbers = Object::new();
    for (name, count) in [
        ("messages", counts.messages),
        ("sent", counts.sent),
        ("received", counts.received),
        ("conversations", counts.conversations),
        ("people", counts.people),
        ("saved", counts.saved),
        ("missing", counts.missing),
        ("unreadable", counts.unreadable),
    ] {
        numbers.number(name, count as u64);
    }
    let mut head = about.head(FORMAT, owner);
    head.json("counts", &numbers.end()).list("incomplete", &remarks);
    head
}

pub fn readme(about: &About, counts: &Counts, words: &dyn Words) -> String {
    let mut title = say("bundle_title").with(format!("@{}", about.owner.handle).as_str());
    title = title.with(Part::Day(about.at));
    let count = say("bundle_count").with(counts.messages);
    let mut out = format!("{}\n{}\n\n", words.speak(&title), words.speak(&count));
    let files = [
        ("messages.html", "bundle_html"),
        ("text/", "bundle_text"),
        ("media_attachments/", "bundle_media"),
        ("messages.json", "bundle_json"),
        ("actor.json, outbox.json, likes.json, bookmarks.json", "bundle_mastodon"),
        ("manifest.json", "bundle_manifest"),
    ];
    for (name, sentence) in files {
        out.push_str(&format!("{name}\n    {}\n", words.speak(&say(sentence))));
    }
    out.push('\n');
    let mut remarks: Vec<String> = about.incomplete.iter().map(|remark| words.speak(remark)).collect();
    if counts.missing > 0 {
        remarks.push(words.speak(&say("bundle_missing").with(counts.missing)));
    }
    if counts.unreadable > 0 {
        remarks.push(words.speak(&say("bundle_unreadable").with(counts.unreadable)));
    }
    if !remarks.is_empty() {
        out.push_str(&format!("{}\n", words.speak(&say("bundle_incomplete"))));
        for remark in remarks {
            out.push_str(&format!("- {remark}\n"));
        }
        out.push('\n');
    }
    out.push_str(&format!("{}\n", words.speak(&say("bundle_private"))));
    out
}
