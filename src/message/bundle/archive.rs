//! The layout of Mastodon's own archive, as its viewers read it: `actor.json`, `outbox.json`, and two empty lists.
//!
//! Mastodon's archive has one's own posts only. Here every direct message is an item, under the actor who wrote it, so that a
//! viewer shows both sides. Nothing in it is addressed to the public or to followers: a viewer tells by that what is a direct
//! message. Public posts that were answered are therefore left out.

use super::About;
use crate::plain::{Object, quoted};
use crate::server::status::{Attachment, Person, Poll, Status};

pub const OUTBOX: &str = "outbox.json";
pub const LIKES: &str = "likes.json";
pub const BOOKMARKS: &str = "bookmarks.json";
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
    let id = actor_of(owner);
    Object::new()
        .text("@context", ACTIVITYSTREAMS)
        .text("id", &id)
        .text("type", "Person")
        .text("preferredUsername", about.user())
        .text("name", name)
        .text("summary", "")
        .text("url", if owner.url.is_empty() { &id } else { &owner.url })
        .text("outbox", OUTBOX)
        .text("likes", LIKES)
        .text("bookmarks", BOOKMARKS)
        .list("attachment", &[])
        .list("tag", &[])
        .end()
}

/// The beginning of a collection, which its items follow as lines.
pub fn collection(id: &str, items: usize) -> Object {
    let mut head = Object::new();
    head.text("@context", ACTIVITYSTREAMS)
        .text("id", id)
        .text("type", "OrderedCollection")
        .number("totalItems", items as u64);
    head
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
    let published = status.at.iso();
    let (mut to, mut tags) = (Vec::new(), Vec::new());
    for who in &around.mentioned {
        let href = actor_of(who);
        let name = format!("@{}", who.handle);
        tags.push(Object::new().text("type", "Mention").text("href", &href).text("name", &name).end());
        if !is_many(&href) {
            to.push(quoted(&href));
        }
    }
    let attachments: Vec<String> =
        status.attachments.iter().filter_map(|file| attachment(file, around.files)).collect();
    let summary = (!status.warning.is_empty()).then_some(status.warning.as_str());
    let mut note = Object::new();
    note.text("id", around.uri)
        .text("type", "Note")
        .maybe("summary", summary)
        .maybe("inReplyTo", around.parent)
        .text("published", &published)
        .maybe("url", status.url.as_deref())
        .text("attributedTo", &actor)
        .list("to", &to)
        .list("cc", &[])
        .json("sensitive", if summary.is_some() { "true" } else { "false" })
        .text("content", &status.content);
    if let Some(language) = &status.language {
        note.json("contentMap", &Object::new().text(language, &status.content).end());
    }
    if let Some(edited) = status.edited {
        note.text("updated", &edited.iso());
    }
    if let Some(poll) = &status.poll {
        note.list(if poll.multiple { "anyOf" } else { "oneOf" }, &options(poll));
    }
    note.list("attachment", &attachments).list("tag", &tags);
    Object::new()
        .text("id", &format!("{}/activity", around.uri))
        .text("type", "Create")
        .text("actor", &actor)
        .text("published", &published)
        .list("to", &to)
        .list("cc", &[])
        .json("object", &note.end())
        .end()
}

/// Only what is here: a viewer looks for it in the ZIP.
fn attachment(file: &Attachment, files: &dyn Fn(&str) -> Option<(String, String)>) -> Option<String> {
    let (path, kind) = [&file.url, &file.remote_url].into_iter().flatten().find_map(|url| files(url))?;
    let name = (!file.description.is_empty()).then_some(file.description.as_str());
    let mut document = Object::new();
    document.text("type", "Document").text("mediaType", &kind).text("url", &path).maybe("name", name);
    Some(document.end())
}

fn options(poll: &Poll) -> Vec<String> {
    let mut all = Vec::new();
    for (title, votes, _) in &poll.options {
        let mut replies = Object::new();
        replies.text("type", "Collection").number("totalItems", votes.unwrap_or(0));
        all.push(
            Object::new().text("type", "Note").text("name", title).json("replies", &replies.end()).end(),
        );
    }
    all
}
