//! What stands between two people: relationships, follows, mutes, blocks, notes, whom a profile features.

use serde_json::{Value, json};

use super::{Call, entity, not_found, paging, truthy};
use crate::clock::{self, DAY};
use crate::http::Reply;
use crate::social::{self, Denied, Wishes};
use crate::state::Id;
use crate::version::Version;

/// So many people may be followed through the API in 24 hours (facts 7).
const FOLLOWS_A_DAY: u32 = 400;

fn parse(text: &str) -> Result<Id, Reply> {
    text.parse().map_err(|_| not_found())
}

/// In the order of the table; who is unknown is left out, who is suspended too unless asked for.
pub fn relationships(call: &Call) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let suspended = call.request.param("with_suspended").is_some_and(|value| truthy(&value));
    let mut ids: Vec<Id> = call.request.params("id").iter().filter_map(|id| id.parse().ok()).collect();
    ids.extend(call.request.query("id").and_then(|id| id.parse::<Id>().ok()));
    let mut seen = std::collections::BTreeSet::new();
    let all: Vec<Value> = ids
        .into_iter()
        .filter(|id| seen.insert(*id))
        .filter(|id| call.server().account(*id).is_some_and(|account| suspended || !account.suspended))
        .map(|id| relationship(call, me, id))
        .collect();
    Ok(Reply::json(200, &Value::Array(all)))
}

pub fn relationship(call: &Call, me: Id, other: Id) -> Value {
    let server = call.server();
    let request = |from: Id, to: Id| {
        server.follow_requests.iter().find(|request| request.from == from && request.to == to)
    };
    let follow = server.follows.find(me, other);
    let asked = request(me, other).filter(|_| follow.is_none());
    let either = follow.or(asked);
    let mute = server.mutes.iter().find(|mute| mute.from == me && mute.to == other);
    let user = server.user(me);
    let domain = server.account(other).and_then(|account| account.domain.clone());
    let mut out = json!({
        "id": other.to_string(), "following": follow.is_some(), "showing_reblogs": either.is_some_and(|follow| follow.reblogs), "notifying": either.is_some_and(|follow| follow.notify),
        "followed_by": server.follows(other, me), "blocking": server.blocks(me, other), "blocked_by": server.blocks(other, me), "muting": mute.is_some(),
        "muting_notifications": mute.is_some_and(|mute| mute.notifications), "requested": asked.is_some(),
        "domain_blocking": user.is_some_and(|user| domain.is_some_and(|domain| user.domain_blocks.contains(&domain))),
        "endorsed": user.is_some_and(|user| user.endorsed.iter().any(|(_, id)| *id == other)), "note": user.and_then(|user| user.notes.get(&other)).cloned().unwrap_or_default(),
    });
    if call.version().at_least(Version::V4_1) {
        out["languages"] = json!(
            either.filter(|follow| !follow.languages.is_empty()).map(|follow| follow.languages.clone())
        );
        out["requested_by"] = json!(request(other, me).is_some());
    }
    if call.version().at_least(Version::V4_6) {
        out["muting_expires_at"] = json!(mute.and_then(|mute| mute.expires_at).map(clock::iso_seconds));
    }
    out
}

/// `POST /api/v1/accounts/:id/ACTION`.
pub fn act(call: &mut Call, id: &str, action: &str) -> Result<Reply, Reply> {
    let (me, id) = (call.require_user()?, parse(id)?);
    let side = call.side();
    if call.server().account(id).is_none() {
        return Err(not_found());
    }
    match action {
        "follow" => follow(call, me, id)?,
        "unfollow" => social::unfollow(call.world, side, me, id),
        "mute" => {
            let hide = call.request.param("notifications").is_none_or(|value| truthy(&value));
            let seconds = call.request.param("duration").and_then(|text| text.parse::<i64>().ok());
            let expires = seconds.filter(|seconds| *seconds > 0).map(|seconds| call.now() + seconds * 1_000);
            social::mute(call.world, side, me, id, hide, expires);
        }
        "unmute" => call.server_mut().mutes.retain(|mute| !(mute.from == me && mute.to == id)),
        "block" => social::block(call.world, side, me, id),
        "unblock" => social::unblock(call.world, side, me, id),
        "note" => {
            let text = call.request.param("comment").unwrap_or_default();
            if text.chars().count() > 2_000 {
                return Err(Reply::api_error(
                    422,
                    "Validation failed: Comment is too long (maximum is 2000 characters)",
                ));
            }
            if let Some(user) = call.server_mut().user_mut(me) {
                if text.is_empty() {
                    user.notes.remove(&id);
                } else {
                    user.notes.insert(id, text);
                }
            }
        }
        "pin" | "endorse" | "unpin" | "unendorse" => endorse(call, me, id, action)?,
        "remove_from_followers" => social::unfollow(call.world, side, id, me),
        _ => return Err(not_found()),
    }
    Ok(Reply::json(200, &relationship(call, me, id)))
}

fn follow(call: &mut Call, me: Id, id: Id) -> Result<(), Reply> {
    if me == id {
        return Err(Reply::api_error(403, "Following your own account is not allowed"));
    }
    let (side, now) = (call.side(), call.now());
    let flag = |name: &str| call.request.param(name).map(|value| truthy(&value));
    let wishes = Wishes {
        reblogs: flag("reblogs"),
        notify: flag("notify"),
        languages: call.request.has("languages").then(|| call.request.params("languages")),
    };
    let server = call.server_mut();
    let day = now.div_euclid(DAY);
    let used = server.followed_today.get(&me).filter(|(of, _)| *of == day).map_or(0, |(_, used)| *used);
    let known = server.follows(me, id);
    if used >= FOLLOWS_A_DAY && !known {
        return Err(Reply::api_error(429, "Too many requests"));
    }
    if !known {
        server.followed_today.insert(me, (day, used + 1));
    }
    match social::try_follow(call.world, side, me, id, &wishes) {
        Ok(_) => Ok(()),
        Err(Denied::NotFound) => Err(not_found()),
        Err(Denied::NotPermitted) => Err(Reply::api_error(403, "This action is not allowed")),
        Err(Denied::Limit(limit)) => Err(Reply::api_error(
            422,
            &format!("Validation failed: {}", crate::imports::limit_sentence(limit)),
        )),
    }
}

/// `pin` everywhere, `endorse` since 4.4.
fn endorse(call: &mut Call, me: Id, id: Id, action: &str) -> Result<(), Reply> {
    if action.ends_with("endorse") && !call.version().at_least(Version::V4_4) {
        return Err(not_found());
    }
    let adding = !action.starts_with("un");
    if adding && !call.server().follows(me, id) {
        return Err(Reply::api_error(
            422,
            "Validation failed: You must be already following the person you want to endorse",
        ));
    }
    let server = call.server_mut();
    let number = server.next_number();
    if let Some(user) = server.user_mut(me) {
        let known = user.endorsed.iter().any(|(_, other)| *other == id);
        if adding && !known {
            user.endorsed.push((number, id));
        } else if !adding {
            user.endorsed.retain(|(_, other)| *other != id);
        }
    }
    Ok(())
}

/// `/api/v1/endorsements`, and since 4.4 `/accounts/:id/endorsements`; paged by the account's number (captures).
pub fn endorsements(call: &Call, owner: Id) -> Result<Reply, Reply> {
    let user = call.server().user(owner).ok_or_else(not_found)?;
    people_by_number(call, user.endorsed.iter().map(|(_, id)| *id).collect())
}

/// A page of people by their own number, or all of them with `limit=0`.
pub fn people_by_number(call: &Call, ids: Vec<Id>) -> Result<Reply, Reply> {
    let mut all: Vec<(Id, Id)> = ids
        .into_iter()
        .filter(|id| call.server().account(*id).is_some_and(|account| !account.suspended))
        .map(|id| (id, id))
        .collect();
    if call.request.query("limit") == Some("0") {
        let items: Vec<Value> = all.iter().map(|(_, id)| entity::kept_account(call.server(), *id)).collect();
        return Ok(Reply::json(200, &Value::Array(items)));
    }
    all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    reply_people(call, all, 40, 80)
}

fn reply_people(call: &Call, all: Vec<(Id, Id)>, default: usize, max: usize) -> Result<Reply, Reply> {
    let server = call.server();
    let page = paging::take(call.request, all, default, max);
    let items: Vec<Value> = page.items.iter().map(|(_, id)| entity::kept_account(server, *id)).collect();
    Ok(page.link(call.request, &call.server().origin, "since_id", Reply::json(200, &Value::Array(items))))
}

/// Followers or follows, paged by the relationship's number.
pub fn people(call: &Call, id: Id, followers: bool) -> Result<Reply, Reply> {
    let server = call.server();
    let account =
        server.account(id).filter(|_| server.available(id) || call.me == Some(id)).ok_or_else(not_found)?;
    if account.hide_collections == Some(true) && call.me != Some(id) {
        return Ok(Reply::json(200, &json!([])));
    }
    let shown = |row: &(Id, Id)| server.account(row.1).is_some_and(|account| !account.suspended);
    let page = if followers {
        paging::range(call.request, 40, 80, |range| {
            server.follows.to_between(id, range).map(|follow| (follow.id, follow.from)).filter(shown)
        })
    } else {
        paging::range(call.request, 40, 80, |range| {
            server.follows.of_between(id, range).map(|follow| (follow.id, follow.to)).filter(shown)
        })
    };
    let items: Vec<Value> = page.items.iter().map(|(_, id)| entity::kept_account(server, *id)).collect();
    Ok(page.link(call.request, &server.origin, "since_id", Reply::json(200, &Value::Array(items))))
}

/// `/mutes` and `/blocks`.
pub fn listed(call: &Call, what: &str) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let server = call.server();
    if what == "mutes" {
        let all = server.mutes.iter().rev().filter(|mute| mute.from == me);
        let page = paging::take(call.request, all.map(|mute| (mute.id, mute.clone())).collect(), 40, 80);
        let items: Vec<Value> = page
            .items
            .iter()
            .map(|(_, mute)| {
                let mut account = call.account(mute.to);
                account["mute_expires_at"] = json!(mute.expires_at.map(clock::iso_millis));
                account
            })
            .collect();
        return Ok(page.link(
            call.request,
            &server.origin,
            "since_id",
            Reply::json(200, &Value::Array(items)),
        ));
    }
    let all = server.blocks.iter().rev().filter(|block| block.from == me);
    reply_people(call, all.map(|block| (block.id, block.to)).collect(), 40, 80)
}

/// `/domain_blocks`: names alone.
pub fn domain_blocks(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let side = call.side();
    match (method, rest) {
        ("GET", []) => {
            let server = call.server();
            let domains = server.user(me).map(|user| user.domain_blocks.clone()).unwrap_or_default();
            let page = paging::take(call.request, paging::numbered(domains), 100, 200);
            let items: Vec<&String> = page.items.iter().map(|(_, domain)| domain).collect();
            Ok(page.link(call.request, &server.origin, "since_id", Reply::json(200, &json!(items))))
        }
        ("GET", ["preview"]) if call.version().at_least(Version::V4_3) => {
            let domain = call.request.query("domain").unwrap_or("").to_lowercase();
            let server = call.server();
            let there = |id: Id| {
                server.account(id).is_some_and(|account| account.domain.as_deref() == Some(domain.as_str()))
            };
            let following = server.follows.of(me).filter(|follow| there(follow.to)).count();
            let followers = server.follows.to(me).filter(|follow| there(follow.from)).count();
            Ok(Reply::json(200, &json!({ "following_count": following, "followers_count": followers })))
        }
        ("POST", []) => {
            let domain = call.request.param("domain").unwrap_or_default();
            if !social::is_domain(&domain) {
                return Err(Reply::api_error(422, "Validation failed: Domain is invalid, Domain is invalid"));
            }
            social::block_domain(call.world, side, me, &domain);
            Ok(Reply::json(200, &json!({})))
        }
        ("DELETE", []) => {
            let domain = call.request.param("domain").unwrap_or_default();
            if let Some(user) = call.server_mut().user_mut(me) {
                user.domain_blocks.retain(|other| *other != domain);
            }
            Ok(Reply::json(200, &json!({})))
        }
        _ => Err(not_found()),
    }
}

pub fn follow_requests(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let side = call.side();
    match (method, rest) {
        ("GET", []) => {
            let all = call.server().follow_requests.iter().rev().filter(|request| request.to == me);
            reply_people(call, all.map(|request| (request.id, request.from)).collect(), 40, 80)
        }
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
