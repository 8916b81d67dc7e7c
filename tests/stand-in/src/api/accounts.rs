//! Accounts, their posts, search.

use serde_json::{Value, json};

use super::{Call, entity, not_found, paging, relations};
use crate::federation::{Look, look};
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
    match (method, rest) {
        ("GET", ["verify_credentials"]) => {
            let me = call.require_user()?;
            let account = call.server().account(me).ok_or_else(not_found)?;
            Ok(Reply::json(200, &entity::credentials(call.server(), account)))
        }
        ("PATCH", ["update_credentials"]) => super::profile::update(call),
        ("GET", ["lookup"]) => {
            let found = call.request.query("acct").and_then(|acct| call.server().find_acct(acct));
            found.map(|id| Reply::json(200, &call.account(id))).ok_or_else(not_found)
        }
        ("GET", ["relationships"]) => relations::relationships(call),
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
            relations::people(call, parse(id)?, rest.get(1) == Some(&"followers"))
        }
        ("GET", [id, "lists"]) => {
            let (me, id) = (call.require_user()?, parse(id)?);
            let all: Vec<Value> = call
                .server()
                .lists
                .iter()
                .filter(|list| list.owner == me && list.members.contains(&id))
                .map(|list| super::lists::entity(list, call.version()))
                .collect();
            Ok(Reply::json(200, &Value::Array(all)))
        }
        ("GET", [id, "featured_tags"]) => Ok(Reply::json(200, &super::tags::featured_of(call, parse(id)?))),
        ("GET", [id, "endorsements"]) if call.version().at_least(Version::V4_4) => {
            relations::endorsements(call, parse(id)?)
        }
        ("POST", [id, action]) => relations::act(call, id, action),
        _ => Err(not_found()),
    }
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
    if call.request.query("pinned").is_some_and(|value| value == "true") {
        let pinned = server.user(id).map(|user| user.pinned.clone()).unwrap_or_default();
        let all: Vec<Value> = pinned.iter().filter_map(|status| call.status(*status)).collect();
        return Ok(Reply::json(200, &Value::Array(all)));
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

/// `/api/v2/search`: people by name; with `resolve` an unknown handle is asked for.
pub fn search(call: &mut Call) -> Result<Reply, Reply> {
    let query = call.request.query("q").unwrap_or("").trim().to_owned();
    let wants = call.request.query("resolve").is_some_and(|value| value == "true" || value == "1");
    let mut waited = 0;
    let mut found: Vec<Id> = call.server().find_acct(&query).into_iter().collect();
    if wants && query.contains('@') {
        let me = call.require_user()?;
        let _ = me;
        let side = call.side();
        if found.is_empty() {
            match look(call.world, side, &query, false) {
                Look::Found(id) => found.push(id),
                Look::Nobody => {}
                Look::Unreachable => waited = call.world.silence,
            }
        }
    }
    let limit = call.request.query("limit").and_then(|text| text.parse().ok()).unwrap_or(20);
    found.truncate(limit);
    let accounts: Vec<Value> = found.into_iter().map(|id| call.account(id)).collect();
    let mut out = json!({ "accounts": accounts, "statuses": [], "hashtags": [] });
    if call.version().at_least(Version::V4_6) {
        out["collections"] = json!([]);
    }
    let mut reply = Reply::json(200, &out);
    reply.delay = waited;
    Ok(reply)
}
