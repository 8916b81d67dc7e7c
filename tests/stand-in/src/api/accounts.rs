//! Accounts, relationships, search.

use serde_json::{Value, json};

use super::{Call, entity, invalid_token, not_found, paging};
use crate::federation::resolve;
use crate::http::Reply;
use crate::social;
use crate::state::{Id, Visibility};
use crate::version::Version;

/// Works with the cookie alone and while unconfirmed (facts 7); a pending change of address leaves it `true`.
pub fn check_confirmation(call: &Call) -> Result<Reply, Reply> {
    if !call.version().at_least(Version::V4_2) {
        return Err(not_found());
    }
    let Some(user) = call.me.and_then(|me| call.server().user(me)) else {
        return Err(Reply::api_error(401, "This method requires an authenticated user"));
    };
    Ok(Reply::json(200, &json!(user.confirmed)))
}

fn parse(text: &str) -> Result<Id, Reply> {
    text.parse().map_err(|_| not_found())
}

pub fn route(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let side = call.side();
    match (method, rest) {
        ("GET", ["verify_credentials"]) => {
            let me = call.require_user()?;
            let account = call.server().account(me).ok_or_else(not_found)?;
            Ok(Reply::json(200, &entity::credentials(call.server(), account)))
        }
        ("PATCH", ["update_credentials"]) => update(call),
        ("GET", ["lookup"]) => {
            let found = call.request.query("acct").and_then(|acct| call.server().find_acct(acct));
            found.map(|id| Reply::json(200, &call.account(id))).ok_or_else(not_found)
        }
        ("GET", ["relationships"]) => {
            let me = call.require_user()?;
            let all: Vec<Value> = call
                .request
                .query_all("id[]")
                .into_iter()
                .chain(call.request.query("id"))
                .filter_map(|id| id.parse().ok())
                .map(|id| relationship(call, me, id))
                .collect();
            Ok(Reply::json(200, &Value::Array(all)))
        }
        ("GET", [id]) => {
            let id = parse(id)?;
            // facts 7: since 4.0 an unconfirmed account is not to be seen by number; a suspended one is, emptied (captures 4.6.5-api/suspended).
            let account = call.server().account(id);
            if account.is_none_or(|account| {
                !account.suspended && call.version().at_least(Version::V4_1) && !call.server().available(id)
            }) {
                return Err(not_found());
            }
            Ok(Reply::json(200, &call.account(id)))
        }
        ("GET", [id, "statuses"]) => listing(call, parse(id)?),
        ("GET", [id, "followers" | "following"]) => {
            people(call, parse(id)?, rest.get(1) == Some(&"followers"))
        }
        ("GET", [id, "lists"]) => {
            let (me, id) = (call.require_user()?, parse(id)?);
            let all: Vec<Value> = call
                .server()
                .lists
                .iter()
                .filter(|list| list.owner == me && list.members.contains(&id))
                .map(super::lists::entity)
                .collect();
            Ok(Reply::json(200, &Value::Array(all)))
        }
        ("GET", [_, "featured_tags" | "endorsements"]) => Ok(Reply::json(200, &json!([]))),
        ("POST", [id, action]) => {
            let (me, id) = (call.require_user()?, parse(id)?);
            if call.server().account(id).is_none() {
                return Err(not_found());
            }
            match *action {
                "follow" => {
                    let flag = |name: &str| {
                        call.request.param(name).is_some_and(|value| value == "true" || value == "1")
                    };
                    let (reblogs, notify) =
                        (call.request.param("reblogs").is_none() || flag("reblogs"), flag("notify"));
                    let languages = call.request.params("languages");
                    if let Some(follow) = call.server_mut().follows.find_mut(me, id) {
                        (follow.reblogs, follow.notify, follow.languages) = (reblogs, notify, languages);
                    } else if social::follow(call.world, side, me, id, reblogs, notify, &languages).is_none()
                    {
                        return Err(Reply::api_error(403, "This action is not allowed"));
                    }
                }
                "unfollow" => social::unfollow(call.world, side, me, id),
                "mute" => {
                    let hide = call
                        .request
                        .param("notifications")
                        .is_none_or(|value| value == "true" || value == "1");
                    let seconds = call
                        .request
                        .param("duration")
                        .and_then(|text| text.parse::<i64>().ok())
                        .filter(|seconds| *seconds > 0);
                    let expires = seconds.map(|seconds| call.now() + seconds * 1_000);
                    social::mute(call.world, side, me, id, hide, expires);
                }
                "unmute" => call.server_mut().mutes.retain(|mute| !(mute.from == me && mute.to == id)),
                "block" => social::block(call.world, side, me, id),
                "unblock" => call.server_mut().blocks.retain(|block| !(block.from == me && block.to == id)),
                "note" => {
                    let text = call.request.param("comment").unwrap_or_default();
                    if let Some(user) = call.server_mut().user_mut(me) {
                        user.notes.insert(id, text);
                    }
                }
                "remove_from_followers" => social::unfollow(call.world, side, id, me),
                _ => return Err(not_found()),
            }
            Ok(Reply::json(200, &relationship(call, me, id)))
        }
        _ => Err(not_found()),
    }
}

pub fn relationship(call: &Call, me: Id, other: Id) -> Value {
    let server = call.server();
    let follow = server.follows.find(me, other);
    let mute = server.mutes.iter().find(|mute| mute.from == me && mute.to == other);
    let requested = |from: Id, to: Id| {
        server.follow_requests.iter().any(|request| request.from == from && request.to == to)
    };
    let user = server.user(me);
    let domain = server.account(other).and_then(|account| account.domain.clone());
    let mut out = json!({
        "id": other.to_string(), "following": follow.is_some(), "showing_reblogs": follow.is_some_and(|follow| follow.reblogs), "notifying": follow.is_some_and(|follow| follow.notify),
        "languages": follow.filter(|follow| !follow.languages.is_empty()).map(|follow| follow.languages.clone()), "followed_by": server.follows(other, me),
        "blocking": server.blocks(me, other), "blocked_by": server.blocks(other, me), "muting": mute.is_some(), "muting_notifications": mute.is_some_and(|mute| mute.notifications),
        "requested": requested(me, other), "requested_by": requested(other, me),
        "domain_blocking": user.is_some_and(|user| domain.is_some_and(|domain| user.domain_blocks.contains(&domain))), "endorsed": false,
        "note": user.and_then(|user| user.notes.get(&other)).cloned().unwrap_or_default(),
    });
    if call.version().at_least(Version::V4_6) {
        out["muting_expires_at"] = json!(mute.and_then(|mute| mute.expires_at).map(crate::clock::iso_millis));
    }
    out
}

/// Every status of an account that the reader may see: direct ones too, if they are the reader's own or addressed to them; also of muted and blocked
/// authors, and also after a move with the cookie alone (facts 13.1, points 3 and 10).
fn listing(call: &Call, id: Id) -> Result<Reply, Reply> {
    let server = call.server();
    let account = server.account(id).ok_or_else(not_found)?;
    if account.suspended {
        return Ok(Reply::json(200, &json!([])));
    }
    if !server.available(id) && call.me != Some(id) {
        return Err(not_found());
    }
    if call.me.is_some_and(|me| server.blocks(id, me)) {
        return Ok(Reply::json(200, &json!([])));
    }
    let flag = |name: &str| call.request.query(name).is_some_and(|value| value == "true" || value == "1");
    let (no_direct, no_replies, only_media) = (
        flag("exclude_direct") && server.version.at_least(Version::V4_6),
        flag("exclude_replies"),
        flag("only_media"),
    );
    let page = paging::range(call.request, 20, 40, |range| {
        server
            .by_author
            .get(&id)
            .into_iter()
            .flat_map(move |all| all.range(range.clone()))
            .filter_map(|status| server.statuses.get(status))
            .filter(|status| social::may_read(server, status, call.me))
            .filter(|status| {
                // A thread of one's own counts as no reply.
                let answers_another = status.in_reply_to_account.is_some_and(|other| other != id);
                let left_out = (no_direct && status.visibility == Visibility::Direct)
                    || (no_replies && answers_another)
                    || (only_media && status.media.is_empty());
                !left_out
            })
            .map(|status| (status.id, ()))
    });
    let items: Vec<Value> = page.items.iter().filter_map(|(id, ())| call.status(*id)).collect();
    Ok(page.link(call.request, &server.origin, "min_id", Reply::json(200, &Value::Array(items))))
}

/// Followers or follows, paged by the relationship's number.
fn people(call: &Call, id: Id, followers: bool) -> Result<Reply, Reply> {
    let server = call.server();
    let account =
        server.account(id).filter(|_| server.available(id) || call.me == Some(id)).ok_or_else(not_found)?;
    if account.hide_collections == Some(true) && call.me != Some(id) {
        return Ok(Reply::json(200, &json!([])));
    }
    let page = if followers {
        paging::range(call.request, 40, 80, |range| {
            server.follows.to_between(id, range).map(|follow| (follow.id, follow.from))
        })
    } else {
        paging::range(call.request, 40, 80, |range| {
            server.follows.of_between(id, range).map(|follow| (follow.id, follow.to))
        })
    };
    let items: Vec<Value> = page.items.iter().map(|(_, id)| entity::kept_account(server, *id)).collect();
    Ok(page.link(call.request, &server.origin, "since_id", Reply::json(200, &Value::Array(items))))
}

fn reply_people(call: &Call, all: Vec<(Id, Id)>, default: usize, max: usize) -> Result<Reply, Reply> {
    let server = call.server();
    let page = paging::take(call.request, all, default, max);
    let items: Vec<Value> = page.items.iter().map(|(_, id)| entity::kept_account(server, *id)).collect();
    Ok(page.link(call.request, &call.server().origin, "since_id", Reply::json(200, &Value::Array(items))))
}

/// `/mutes`, `/blocks`, `/domain_blocks`.
pub fn relations(call: &Call, what: &str) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let server = call.server();
    match what {
        "mutes" => {
            let all = server
                .mutes
                .iter()
                .rev()
                .filter(|mute| mute.from == me)
                .map(|mute| (mute.id, mute.clone()))
                .collect();
            let page = paging::take(call.request, all, 40, 80);
            let items: Vec<Value> = page
                .items
                .iter()
                .map(|(_, mute)| {
                    let mut account = call.account(mute.to);
                    account["mute_expires_at"] = json!(mute.expires_at.map(crate::clock::iso_millis));
                    account
                })
                .collect();
            Ok(page.link(call.request, &server.origin, "since_id", Reply::json(200, &Value::Array(items))))
        }
        "blocks" => reply_people(
            call,
            server
                .blocks
                .iter()
                .rev()
                .filter(|block| block.from == me)
                .map(|block| (block.id, block.to))
                .collect(),
            40,
            80,
        ),
        _ => {
            let domains = server.user(me).map(|user| user.domain_blocks.clone()).unwrap_or_default();
            let page = paging::take(call.request, paging::numbered(domains), 100, 200);
            let items: Vec<&String> = page.items.iter().map(|(_, domain)| domain).collect();
            Ok(page.link(call.request, &server.origin, "since_id", Reply::json(200, &json!(items))))
        }
    }
}

pub fn follow_requests(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let side = call.side();
    match (method, rest) {
        ("GET", []) => reply_people(
            call,
            call.server()
                .follow_requests
                .iter()
                .rev()
                .filter(|request| request.to == me)
                .map(|request| (request.id, request.from))
                .collect(),
            40,
            80,
        ),
        ("POST", [id, action]) => {
            let id = parse(id)?;
            let waiting =
                call.server().follow_requests.iter().any(|request| request.to == me && request.from == id);
            if !waiting {
                return Err(not_found());
            }
            if *action == "authorize" {
                social::accept_request(call.world, side, me, id);
            } else {
                call.server_mut().follow_requests.retain(|request| !(request.to == me && request.from == id));
            }
            Ok(Reply::json(200, &relationship(call, me, id)))
        }
        _ => Err(not_found()),
    }
}

/// `/api/v2/search`: people by name; with `resolve` an unknown handle is asked for.
pub fn search(call: &mut Call) -> Result<Reply, Reply> {
    let query = call.request.query("q").unwrap_or("").trim().to_owned();
    let wants = call.request.query("resolve").is_some_and(|value| value == "true" || value == "1");
    let mut found: Vec<Id> = call.server().find_acct(&query).into_iter().collect();
    if wants && query.contains('@') {
        let me = call.require_user()?;
        let _ = me;
        let side = call.side();
        if found.is_empty() {
            found.extend(resolve(call.world, side, &query, false));
        }
    }
    let accounts: Vec<Value> = found.into_iter().map(|id| call.account(id)).collect();
    let mut out = json!({ "accounts": accounts, "statuses": [], "hashtags": [] });
    if call.version().at_least(Version::V4_6) {
        out["collections"] = json!([]);
    }
    Ok(Reply::json(200, &out))
}

fn apply_profile(call: &mut Call, me: Id) -> Result<(), Reply> {
    let request = call.request;
    let name = request.param("display_name");
    let max = if call.version().at_least(Version::V4_6) { 40 } else { 30 };
    if name.as_ref().is_some_and(|name| name.chars().count() > max) {
        return Err(Reply::api_error(
            422,
            &format!("Validation failed: Display name is too long (maximum is {max} characters)"),
        ));
    }
    let fields: Vec<(String, String)> = (0..10)
        .filter_map(|index| {
            Some((
                request.param(&format!("fields_attributes[{index}][name]"))?,
                request.param(&format!("fields_attributes[{index}][value]"))?,
            ))
        })
        .filter(|(name, _)| !name.is_empty())
        // Over 255 characters are cut without a word (facts 13.2).
        .map(|(name, value)| (name.chars().take(255).collect(), value.chars().take(255).collect()))
        .collect();
    if fields.len() > 4 {
        return Err(Reply::api_error(422, "Validation failed: Fields must have at most 4 entries"));
    }
    let (note, locked) = (request.param("note"), request.param("locked"));
    let Some(account) = call.server_mut().account_mut(me) else { return Err(invalid_token()) };
    if let Some(name) = name {
        account.display_name = name;
    }
    if let Some(note) = note {
        account.note = note;
    }
    if let Some(locked) = locked {
        account.locked = locked == "true" || locked == "1";
    }
    if !fields.is_empty() {
        account.fields = fields;
    }
    Ok(())
}

fn update(call: &mut Call) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    apply_profile(call, me)?;
    let account = call.server().account(me).ok_or_else(not_found)?;
    Ok(Reply::json(200, &entity::credentials(call.server(), account)))
}

/// `/api/v1/profile`, 4.6 and later.
pub fn profile(call: &mut Call) -> Result<Reply, Reply> {
    if !call.version().at_least(Version::V4_6) {
        return Err(not_found());
    }
    let me = call.require_user()?;
    if call.request.method == "PATCH" {
        apply_profile(call, me)?;
    }
    let account = call.server().account(me).ok_or_else(not_found)?;
    let fields: Vec<Value> = account
        .fields
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value, "verified_at": null }))
        .collect();
    Ok(Reply::json(
        200,
        &json!({
            "id": me.to_string(), "display_name": account.display_name, "note": account.note, "fields": fields, "formatted_note": format!("<p>{}</p>", account.note.replace('&', "&amp;").replace('<', "&lt;")),
            "formatted_fields": fields, "avatar": null, "avatar_static": null, "avatar_description": "", "header": null, "header_static": null, "header_description": "",
            "locked": account.locked, "bot": account.bot, "hide_collections": account.hide_collections, "discoverable": account.discoverable, "indexable": account.indexable,
            "show_media": true, "show_media_replies": true, "show_featured": true, "attribution_domains": [], "featured_tags": [],
        }),
    ))
}
