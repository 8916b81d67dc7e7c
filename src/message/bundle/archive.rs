//! The layout of Mastodon's own archive, as its viewers read it: `actor.json`, `outbox.json`, and two empty lists.
//!
//! Mastodon's archive has one's own posts only. Here every direct message is an item, under the actor who wrote it, so that a
//! viewer shows both sides. Nothing in it is addressed to the public or to followers: a viewer tells by that what is a direct
//! message. Public posts that were answered are therefore left out.

use serde_json::{Value, json};

use super::About;
use super::json::iso;
use crate::server::status::{Attachment, Person, Poll, Status};

const ACTIVITYSTREAMS: &str = "https://www.w3.org/ns/activitystreams";

/// The actor of somebody. Servers before 4.2 do not tell it, and mentions never do; the profile's address is the next best.
pub fn actor_of(person: &Person) -> String {
    match (&person.uri, person.url.as_str()) {
        (Some(uri), _) if !uri.is_empty() => uri.clone(),
        (_, "") => format!("acct:{}", person.handle),
        (_, url) => url.to_owned(),
    }
}

/// Whether viewers would take it for all the world or for somebody's followers.
fn is_many(actor: &str) -> bool {
    actor.ends_with("#Public") || matches!(actor, "Public" | "as:Public") || actor.contains("/followers")
}

pub fn actor(about: &About, owner: &Person) -> String {
    let name = if owner.name.is_empty() { about.user() } else { &owner.name };
    json!({
        "@context": ACTIVITYSTREAMS,
        "id": actor_of(owner),
        "type": "Person",
        "preferredUsername": about.user(),
        "name": name,
        "summary": "",
        "url": if owner.url.is_empty() { actor_of(owner) } else { owner.url.clone() },
        "outbox": "outbox.json",
        "likes": "likes.json",
        "bookmarks": "bookmarks.json",
        "attachment": [],
        "tag": [],
    })
    .to_string()
}

/// The beginning of a collection, which its items follow as lines.
pub fn collection(id: &str, items: usize) -> Value {
    json!({ "@context": ACTIVITYSTREAMS, "id": id, "type": "OrderedCollection", "totalItems": items })
}

/// What has to be known of a message besides itself.
pub struct Around<'a> {
    /// The record's key without its `m/`.
    pub uri: &'a str,
    /// The address of the message it answers.
    pub parent: Option<&'a str>,
    pub author: &'a Person,
    /// Everybody mentioned, as they are known from all messages together.
    pub mentioned: Vec<&'a Person>,
    /// Where the file of an address lies in the ZIP, and what it is.
    pub files: &'a dyn Fn(&str) -> Option<(String, String)>,
}

/// A message as an item of the outbox.
pub fn item(status: &Status, around: &Around) -> String {
    let actor = actor_of(around.author);
    let published = iso(status.at);
    let mut to: Vec<String> =
        around.mentioned.iter().map(|who| actor_of(who)).filter(|actor| !is_many(actor)).collect();
    to.dedup();
    let tags: Vec<Value> = around
        .mentioned
        .iter()
        .map(|who| json!({ "type": "Mention", "href": actor_of(who), "name": format!("@{}", who.handle) }))
        .collect();
    let attachments: Vec<Value> =
        status.attachments.iter().filter_map(|file| attachment(file, around.files)).collect();
    let summary = (!status.warning.is_empty()).then_some(&status.warning);
    let mut note = json!({
        "id": around.uri,
        "type": "Note",
        "summary": summary,
        "inReplyTo": around.parent,
        "published": published,
        "url": status.url,
        "attributedTo": actor,
        "to": to,
        "cc": [],
        "sensitive": summary.is_some(),
        "content": status.content,
        "attachment": attachments,
        "tag": tags,
    });
    if let Some(fields) = note.as_object_mut() {
        if let Some(language) = &status.language {
            fields.insert("contentMap".to_owned(), json!({ language.as_str(): status.content }));
        }
        if let Some(edited) = status.edited {
            fields.insert("updated".to_owned(), Value::from(iso(edited)));
        }
        if let Some(poll) = &status.poll {
            let kind = if poll.multiple { "anyOf" } else { "oneOf" };
            fields.insert(kind.to_owned(), Value::from(options(poll)));
        }
    }
    json!({
        "id": format!("{}/activity", around.uri),
        "type": "Create",
        "actor": actor,
        "published": published,
        "to": to,
        "cc": [],
        "object": note,
    })
    .to_string()
}

/// Only what is here: a viewer looks for it in the ZIP.
fn attachment(file: &Attachment, files: &dyn Fn(&str) -> Option<(String, String)>) -> Option<Value> {
    let (path, kind) = [&file.url, &file.remote_url].into_iter().flatten().find_map(|url| files(url))?;
    let name = (!file.description.is_empty()).then_some(&file.description);
    Some(json!({ "type": "Document", "mediaType": kind, "url": path, "name": name }))
}

fn options(poll: &Poll) -> Vec<Value> {
    let option = |(title, votes, _): &(String, Option<u64>, bool)| {
        json!({
            "type": "Note",
            "name": title,
            "replies": { "type": "Collection", "totalItems": votes.unwrap_or(0) },
        })
    };
    poll.options.iter().map(option).collect()
}
