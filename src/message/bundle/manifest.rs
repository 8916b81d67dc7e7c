//! `manifest.json`, which says of every other entry what it has to be, and `README.txt`, which says it to people.

use serde_json::{Value, json};

use super::json::{Lines, iso, person, quoted};
use super::zip::Entry;
use super::{About, FORMAT, VERSION};
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
pub fn head(about: &About, owner: &Person, counts: &Counts, words: &dyn Words) -> Value {
    let incomplete: Vec<Value> = about
        .incomplete
        .iter()
        .map(|remark| json!({ "id": remark.key, "words": words.speak(remark) }))
        .collect();
    json!({
        "format": FORMAT,
        "version": VERSION,
        "extension": about.extension,
        "owner": person(owner),
        "server": about.server.as_str(),
        "software": about.software,
        "at": iso(about.at),
        "counts": {
            "messages": counts.messages,
            "sent": counts.sent,
            "received": counts.received,
            "conversations": counts.conversations,
            "people": counts.people,
            "saved": counts.saved,
            "missing": counts.missing,
            "unreadable": counts.unreadable,
        },
        "incomplete": incomplete,
    })
}

/// The line of an entry.
pub fn line(lines: &mut Lines, entry: &Entry) -> String {
    lines.item(&format!(
        "{{\"path\":{},\"size\":{},\"sha256\":{}}}",
        quoted(&entry.path),
        entry.size,
        quoted(&entry.sha256)
    ))
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
