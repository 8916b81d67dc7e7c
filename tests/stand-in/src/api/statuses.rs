//! Statuses, contexts, conversations, bookmarks: what saving messages reads (facts 7.1, 13.1).

use serde_json::{Value, json};

use super::{Call, entity, invalid_token, not_found, paging};
use crate::http::Reply;
use crate::social::{self, Draft};
use crate::state::{Id, Mark, Visibility};
use crate::version::Version;

fn parse(text: &str) -> Result<Id, Reply> {
    text.parse().map_err(|_| no_status())
}

/// The words for statuses differ from those for other records.
fn no_status() -> Reply {
    Reply::api_error(404, "Not Found")
}

/// A status by its number: mutes and blocks do not matter here (facts 13.1 point 3).
fn readable(call: &Call, id: Id) -> Result<Id, Reply> {
    call.server()
        .statuses
        .get(&id)
        .filter(|status| social::may_read(call.server(), status, call.me))
        .map(|status| status.id)
        .ok_or_else(no_status)
}

pub fn route(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let side = call.side();
    match (method, rest) {
        ("GET", []) => batch(call),
        ("POST", []) => create(call),
        ("GET", [id]) => {
            let id = readable(call, parse(id)?)?;
            call.status(id).map(|status| Reply::json(200, &status)).ok_or_else(no_status)
        }
        ("DELETE", [id]) => {
            let (me, id) = (call.require_user()?, parse(id)?);
            let status =
                call.server().statuses.get(&id).filter(|status| status.author == me).ok_or_else(no_status)?;
            let mut out = entity::status(call.server(), status, Some(me), call.now());
            out["text"] = json!(status.text);
            if let Some(fields) = out.as_object_mut() {
                fields.remove("content");
            }
            social::delete_status(call.world, side, id);
            Ok(Reply::json(200, &out))
        }
        ("GET", [id, "context"]) => context(call, parse(id)?),
        ("GET", [id, "source"]) => {
            let id = readable(call, parse(id)?)?;
            let status = call.server().statuses.get(&id).ok_or_else(not_found)?;
            Ok(Reply::json(
                200,
                &json!({ "id": id.to_string(), "text": status.text, "spoiler_text": status.spoiler_text }),
            ))
        }
        ("GET", [id, "history"]) => {
            let id = readable(call, parse(id)?)?;
            let status = call.server().statuses.get(&id).ok_or_else(not_found)?;
            Ok(Reply::json(200, &entity::history(call.server(), status)))
        }
        ("POST", [id, action @ ("bookmark" | "unbookmark" | "favourite" | "unfavourite")]) => {
            let me = call.require_user()?;
            let id = readable(call, parse(id)?)?;
            let server = call.server_mut();
            let number = server.next_number();
            let table =
                if action.contains("bookmark") { &mut server.bookmarks } else { &mut server.favourites };
            table.retain(|mark| !(mark.owner == me && mark.status == id));
            if !action.starts_with("un") {
                table.push(Mark { id: number, owner: me, status: id });
            }
            call.status(id).map(|status| Reply::json(200, &status)).ok_or_else(no_status)
        }
        _ => Err(not_found()),
    }
}

/// `?id[]=`: at most twenty, and without those of muted and blocked authors (facts 13.1 point 3).
fn batch(call: &Call) -> Result<Reply, Reply> {
    let ids = call.request.query_all("id[]");
    if ids.len() > 20 {
        return Err(Reply::api_error(422, "Mastodon::ValidationError"));
    }
    let all: Vec<Value> = ids
        .into_iter()
        .filter_map(|id| id.parse().ok())
        .filter_map(|id| readable(call, id).ok())
        .filter(|id| !hidden(call, *id))
        .filter_map(|id| call.status(id))
        .collect();
    Ok(Reply::json(200, &Value::Array(all)))
}

/// What `StatusFilter` leaves out of contexts and lists of ids: authors the reader blocks, mutes, or whose domain the reader blocks. Not authors who block the
/// reader: what they wrote to the reader stays (captures 4.6.5-api/big/blockedby_*).
fn hidden(call: &Call, id: Id) -> bool {
    let server = call.server();
    let (Some(me), Some(status)) = (call.me, server.statuses.get(&id)) else { return false };
    status.author != me
        && (server.blocks(me, status.author)
            || server.mutes(me, status.author)
            || social::blocks_domain_of(server, me, status.author))
}

fn context(call: &Call, id: Id) -> Result<Reply, Reply> {
    let id = readable(call, id)?;
    let server = call.server();
    let limit = if call.me.is_some() { 4_096 } else { 40 };
    let visible = |id: &Id| {
        server.statuses.get(id).is_some_and(|status| social::may_read(server, status, call.me))
            && !hidden(call, *id)
    };
    let mut ancestors = Vec::new();
    let mut at = id;
    while let Some(parent) = server.statuses.get(&at).and_then(|status| status.in_reply_to) {
        if ancestors.len() >= limit {
            break;
        }
        ancestors.push(parent);
        at = parent;
    }
    ancestors.reverse();
    ancestors.retain(visible);
    // Depth first, oldest answer first.
    let mut descendants = Vec::new();
    let mut open: Vec<Id> = server.replies.get(&id).cloned().unwrap_or_default();
    open.sort_unstable_by(|first, second| second.cmp(first));
    while let Some(next) = open.pop() {
        if descendants.len() >= limit {
            break;
        }
        descendants.push(next);
        let mut children = server.replies.get(&next).cloned().unwrap_or_default();
        children.sort_unstable_by(|first, second| second.cmp(first));
        open.extend(children);
    }
    descendants.retain(visible);
    let draw = |ids: Vec<Id>| ids.into_iter().filter_map(|id| call.status(id)).collect::<Vec<Value>>();
    Ok(Reply::json(200, &json!({ "ancestors": draw(ancestors), "descendants": draw(descendants) })))
}

/// `POST /api/v1/statuses`, enough to announce a move or to answer a message.
fn create(call: &mut Call) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let side = call.side();
    let text = call.request.param("status").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Reply::api_error(422, "Validation failed: Text can't be blank"));
    }
    if text.chars().count() > 500 {
        return Err(Reply::api_error(422, "Validation failed: Text character limit of 500 exceeded"));
    }
    let visibility = match call.request.param("visibility") {
        None => Visibility::Public,
        Some(name) => Visibility::parse(&name).ok_or_else(|| {
            Reply::api_error(422, "Validation failed: Visibility is not included in the list")
        })?,
    };
    let in_reply_to = match call.request.param("in_reply_to_id") {
        None => None,
        Some(id) => Some(readable(call, id.parse().unwrap_or(0)).map_err(|_| {
            Reply::api_error(404, "The post you are trying to reply to does not appear to exist.")
        })?),
    };
    let mentions: Vec<Id> = text
        .split_whitespace()
        .filter(|word| word.starts_with('@'))
        .filter_map(|word| call.server().find_acct(word.trim_end_matches([',', '.', ':', '!'])))
        .collect();
    let now = call.now();
    let draft = Draft {
        text,
        visibility: Some(visibility),
        mentions,
        in_reply_to,
        spoiler: call.request.param("spoiler_text").unwrap_or_default(),
        ..Draft::default()
    };
    let id = social::post(call.world, side, me, now, draft).ok_or_else(not_found)?;
    call.status(id).map(|status| Reply::json(200, &status)).ok_or_else(no_status)
}

/// Newest first by last status, and paged by the last status' number, not the conversation's (facts 7, 13.1 point 6).
pub fn conversations(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    match (method, rest) {
        ("GET", []) => {
            let server = call.server();
            let page = paging::range(call.request, 20, 40, |range| server.conversations.between(me, range));
            let items: Vec<Value> =
                page.items.iter().map(|(_, entry)| entity::conversation(server, entry, call.now())).collect();
            Ok(page.link(call.request, &server.origin, "min_id", Reply::json(200, &Value::Array(items))))
        }
        ("DELETE", [id]) => {
            let id = id.parse().map_err(|_| not_found())?;
            if call.server_mut().conversations.remove(me, id) {
                Ok(Reply::json(200, &json!({})))
            } else {
                Err(not_found())
            }
        }
        ("POST", [id, action @ ("read" | "unread")]) => {
            let id = id.parse().map_err(|_| not_found())?;
            let unread = *action == "unread";
            let entry = call.server_mut().conversations.set_unread(me, id, unread).cloned();
            let entry = entry.ok_or_else(not_found)?;
            Ok(Reply::json(200, &entity::conversation(call.server(), &entry, call.now())))
        }
        _ => Err(not_found()),
    }
}

/// Bookmarks and favourites, paged by a number of their own.
pub fn marks(call: &Call, what: &str) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let server = call.server();
    let table = if what == "bookmarks" { &server.bookmarks } else { &server.favourites };
    let all: Vec<(Id, Id)> =
        table.iter().rev().filter(|mark| mark.owner == me).map(|mark| (mark.id, mark.status)).collect();
    let page = paging::take(call.request, all, 20, 40);
    let items: Vec<Value> = page.items.iter().filter_map(|(_, status)| call.status(*status)).collect();
    Ok(page.link(call.request, &server.origin, "min_id", Reply::json(200, &Value::Array(items))))
}

pub fn timeline(call: &Call, parts: &[&str]) -> Result<Reply, Reply> {
    let home = parts.get(3) == Some(&"home");
    let me = if home { Some(call.require_user()?) } else { call.me };
    if parts.get(3) == Some(&"direct") && call.version().at_least(Version::V4_1) {
        return Err(no_status());
    }
    if home && me.is_none() {
        return Err(invalid_token());
    }
    let server = call.server();
    let page = paging::range(call.request, 20, 40, |range| {
        server.statuses.range(range).filter_map(|(id, status)| {
            let shown = if home {
                me.is_some_and(|me| status.author == me || server.follows(me, status.author))
                    && status.visibility != Visibility::Direct
            } else {
                status.visibility == Visibility::Public
            };
            shown.then_some((*id, ()))
        })
    });
    let items: Vec<Value> = page.items.iter().filter_map(|(id, ())| call.status(*id)).collect();
    Ok(page.link(call.request, &server.origin, "min_id", Reply::json(200, &Value::Array(items))))
}
