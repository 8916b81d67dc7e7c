//! Posting and what follows from it: notifications, requests, conversations.

use std::collections::BTreeSet;

use maud::{Escaper, PreEscaped};

use crate::clock::{DAY, Millis};
pub use crate::relations::*;
use crate::state::{
    Conversation, Edition, Emoji, Id, Mail, Media, NotificationRequest, Poll, Server, Side, Status,
    Visibility, World, random_text,
};

/// What to post.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub text: String,
    pub visibility: Option<Visibility>,
    pub mentions: Vec<Id>,
    pub in_reply_to: Option<Id>,
    pub spoiler: String,
    pub media: Vec<Media>,
    pub poll: Option<Poll>,
    pub edited_at: Option<Millis>,
    /// The thread of a reply that arrived before its parent, and so never gets one (facts 13.1 point 5).
    pub thread: Option<Id>,
    /// Earlier versions, oldest first: when, text, content warning.
    pub earlier: Vec<(Millis, String, String)>,
    /// Content as it is, instead of `text` made into a paragraph.
    pub html: Option<String>,
    pub emojis: Vec<Emoji>,
    pub spoilt: Option<serde_json::Value>,
}

pub fn escape(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let _ = Escaper::new(&mut out).write_str(text);
    PreEscaped(out).0
}

/// Posts as `author` on `side`, where the author need not be local: messages that arrive from elsewhere are stored the same way.
pub fn post(world: &mut World, side: Side, author: Id, at: Millis, draft: Draft) -> Option<Id> {
    let server = world.server_mut(side);
    let id = server.next_snowflake(at);
    let person = server.account(author)?;
    let (uri, url, local) =
        (format!("{}/statuses/{id}", person.uri), format!("{}/{id}", person.url), person.is_local());
    let mut names = String::new();
    for mentioned in &draft.mentions {
        if let Some(account) = server.account(*mentioned) {
            names.push_str(&format!(
                "<span class=\"h-card\" translate=\"no\"><a href=\"{}\" class=\"u-url mention\">@<span>{}</span></a></span> ",
                account.url, account.username
            ));
        }
    }
    let content =
        draft.html.unwrap_or_else(|| format!("<p>{names}{}</p>", escape(&draft.text).replace('\n', "<br>")));
    let parent = draft.in_reply_to.and_then(|parent| server.statuses.get(&parent));
    let in_reply_to_account = parent.map(|parent| parent.author);
    let thread = draft.thread.or(parent.map(|parent| parent.thread)).unwrap_or(id);
    let mut editions: Vec<Edition> = draft
        .earlier
        .into_iter()
        .map(|(at, text, spoiler_text)| Edition { at, text, spoiler_text, media: Vec::new() })
        .collect();
    if let Some(at) = draft.edited_at.filter(|_| !editions.is_empty()) {
        let (text, spoiler_text) = (draft.text.clone(), draft.spoiler.clone());
        editions.push(Edition { at, text, spoiler_text, media: draft.media.clone() });
    }
    let status = Status {
        id,
        author,
        at,
        visibility: draft.visibility.unwrap_or(Visibility::Public),
        content,
        text: draft.text,
        spoiler_text: draft.spoiler,
        mentions: draft.mentions,
        in_reply_to: draft.in_reply_to,
        in_reply_to_account,
        thread,
        uri,
        url,
        media: draft.media,
        poll: draft.poll,
        edited_at: draft.edited_at,
        application: local,
        editions,
        emojis: draft.emojis,
        spoilt: draft.spoilt,
    };
    store(world, side, status);
    Some(id)
}

/// Puts a status into the tables and tells those it concerns.
pub fn store(world: &mut World, side: Side, status: Status) {
    let server = world.server_mut(side);
    let (id, author, at) = (status.id, status.author, status.at);
    if let Some(parent) = status.in_reply_to {
        server.replies.entry(parent).or_default().push(id);
    }
    server.by_author.entry(author).or_default().insert(id);
    let direct = status.visibility == Visibility::Direct;
    if !direct {
        server.by_author_open.entry(author).or_default().insert(id);
    }
    for media in &status.media {
        server.media.insert(media.id, id);
    }
    let mut people: BTreeSet<Id> = status.mentions.iter().copied().collect();
    people.insert(author);
    let (thread, parent) = (status.thread, status.in_reply_to);
    let owners: Vec<Id> = people.iter().copied().filter(|person| server.user(*person).is_some()).collect();
    server.statuses.insert(id, status);
    for owner in owners {
        let mut filtered = false;
        if owner != author {
            if drops(server, owner, author) {
                continue;
            }
            // A private mention by someone one does not follow waits in notification requests (facts 13.1 point 1).
            filtered = direct
                && server.version.filters_private_mentions()
                && !server.follows(owner, author)
                && !server.permitted.contains(&(owner, author))
                && !answers(server, parent, author);
            server.notify(owner, "mention", author, Some(id), at, filtered);
            if filtered {
                add_request(server, owner, author, id, at);
            }
        }
        if direct && !filtered {
            converse(server, owner, thread, &people, id, owner != author);
        }
    }
}

/// Nothing arrives from those whom one blocks, or mutes with notifications hidden, nor from a blocked domain unless one follows its author.
fn drops(server: &Server, owner: Id, author: Id) -> bool {
    let hidden =
        server.mutes.iter().any(|mute| mute.from == owner && mute.to == author && mute.notifications);
    hidden
        || server.blocks(owner, author)
        || (blocks_domain_of(server, owner, author) && !server.follows(owner, author))
}

pub fn blocks_domain_of(server: &Server, owner: Id, author: Id) -> bool {
    let domain = server.account(author).and_then(|account| account.domain.as_deref());
    server.user(owner).is_some_and(|user| {
        domain.is_some_and(|domain| user.domain_blocks.iter().any(|blocked| blocked == domain))
    })
}

/// Whether a message answers one that was sent to its author: the nearest message above it that mentions the author has to be private too.
fn answers(server: &Server, parent: Option<Id>, author: Id) -> bool {
    let mut above = parent.and_then(|id| server.statuses.get(&id));
    for _ in 0..100 {
        let Some(status) = above else { return false };
        if status.mentions.contains(&author) {
            return status.visibility == Visibility::Direct;
        }
        above = status.in_reply_to.and_then(|id| server.statuses.get(&id));
    }
    false
}

/// Adds a message to the owner's entry of its thread and its participants (facts 13.1 point 5).
pub fn converse(server: &mut Server, owner: Id, thread: Id, people: &BTreeSet<Id>, status: Id, unread: bool) {
    let others: BTreeSet<Id> = people.iter().copied().filter(|person| *person != owner).collect();
    if let Some(entry) = server.conversations.find(owner, thread, &others) {
        server.conversations.add(entry, status, unread);
        return;
    }
    let id = server.next_number();
    let statuses = vec![status];
    server.conversations.insert(Conversation { id, owner, thread, participants: others, statuses, unread });
}

fn add_request(server: &mut Server, owner: Id, from: Id, status: Id, at: Millis) {
    if let Some(request) =
        server.notification_requests.iter_mut().find(|request| request.owner == owner && request.from == from)
    {
        (request.updated_at, request.last_status) = (at, Some(status));
        return;
    }
    let id = server.next_snowflake(at);
    server.notification_requests.push(NotificationRequest {
        id,
        owner,
        from,
        created_at: at,
        updated_at: at,
        last_status: Some(status),
    });
}

/// Blocking, or muting with notifications hidden, deletes conversations and notifications with that person, groups included (facts 13.1 point 2).
pub fn forget_talks(world: &mut World, side: Side, owner: Id, other: Id) {
    let server = world.server_mut(side);
    server.conversations.remove_with(owner, other);
    server.notifications.remove_from(owner, other);
    server.notification_requests.retain(|request| !(request.owner == owner && request.from == other));
}

/// Whether `viewer` may read the status. A block by its author hides what is public, but not what was addressed to the reader (captures 4.6.5-api/big/blockedby_*).
pub fn may_read(server: &Server, status: &Status, viewer: Option<Id>) -> bool {
    if server.account(status.author).is_some_and(|author| author.suspended) {
        return false;
    }
    match (status.visibility, viewer) {
        (Visibility::Public | Visibility::Unlisted, viewer) => {
            viewer.is_none_or(|viewer| !server.blocks(status.author, viewer))
        }
        (_, None) => false,
        (Visibility::Private, Some(viewer)) => {
            viewer == status.author
                || status.mentions.contains(&viewer)
                || server.follows(viewer, status.author)
        }
        (Visibility::Direct, Some(viewer)) => viewer == status.author || status.mentions.contains(&viewer),
    }
}

/// Deletes a status. Its replies lose their parent for good (facts 13.1 point 4).
pub fn delete_status(world: &mut World, side: Side, id: Id) {
    let server = world.server_mut(side);
    let Some(status) = server.statuses.remove(&id) else { return };
    for list in [&mut server.by_author, &mut server.by_author_open] {
        if let Some(list) = list.get_mut(&status.author) {
            list.remove(&id);
        }
    }
    for media in &status.media {
        server.media.remove(&media.id);
    }
    for child in server.replies.remove(&id).unwrap_or_default() {
        if let Some(child) = server.statuses.get_mut(&child) {
            child.in_reply_to = None;
        }
    }
    if let Some(siblings) = status.in_reply_to.and_then(|parent| server.replies.get_mut(&parent)) {
        siblings.retain(|other| *other != id);
    }
    server.bookmarks.retain(|mark| mark.status != id);
    server.favourites.retain(|mark| mark.status != id);
    for owner in status.mentions.iter().chain([&status.author]) {
        server.notifications.remove_about(*owner, status.author, id);
        server.conversations.forget_status(*owner, status.thread, id);
    }
}

/// Sends the mail with the confirmation link (valid two days) and remembers it for `GET /__stand-in__/mails`.
pub fn send_confirmation(world: &mut World, side: Side, id: Id) {
    let at = world.now();
    let origin = world.server(side).origin.clone();
    let token = random_text();
    let Some(user) = world.server_mut(side).user_mut(id) else { return };
    user.confirmation_token = Some(token.clone());
    user.confirmation_sent_at = at;
    let changing = user.confirmed;
    let to = user.unconfirmed_email.clone().unwrap_or_else(|| user.email.clone());
    let subject = if changing {
        "Mastodon: Confirm email for changing address"
    } else {
        "Mastodon: Confirmation instructions"
    };
    world.mails.push(Mail {
        side,
        to,
        subject: subject.to_owned(),
        link: Some(format!("{origin}/auth/confirmation?confirmation_token={token}")),
        at,
    });
}

/// Follows the confirmation link.
pub fn confirm(world: &mut World, side: Side, token: &str) -> Option<Id> {
    let now = world.now();
    let server = world.server_mut(side);
    let id = server
        .local_accounts()
        .find(|account| {
            account.user.as_ref().is_some_and(|user| user.confirmation_token.as_deref() == Some(token))
        })
        .map(|account| account.id)?;
    let user = server.user_mut(id)?;
    if now - user.confirmation_sent_at > 2 * DAY {
        return None;
    }
    user.confirmed = true;
    user.confirmation_token = None;
    if let Some(email) = user.unconfirmed_email.take() {
        user.email = email;
    }
    Some(id)
}
