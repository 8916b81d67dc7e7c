//! Lists and followed hashtags.

use serde_json::{Value, json};

use super::{Call, not_found, paging};
use crate::http::Reply;
use crate::state::{Id, List};
use crate::version::Version;

pub fn entity(list: &List) -> Value {
    json!({ "id": list.id.to_string(), "title": list.title, "replies_policy": list.replies_policy, "exclusive": list.exclusive })
}

pub fn route(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let id = rest.first().and_then(|id| id.parse::<Id>().ok());
    let position = |call: &Call| {
        call.server()
            .lists
            .iter()
            .position(|list| list.owner == me && Some(list.id) == id)
            .ok_or_else(not_found)
    };
    match (method, rest) {
        ("GET", []) => {
            let all: Vec<Value> =
                call.server().lists.iter().filter(|list| list.owner == me).map(entity).collect();
            Ok(Reply::json(200, &Value::Array(all)))
        }
        ("POST", []) => {
            let title = call.request.param("title").unwrap_or_default();
            if title.trim().is_empty() {
                return Err(Reply::api_error(422, "Validation failed: Title can't be blank"));
            }
            let replies_policy = call.request.param("replies_policy").unwrap_or_else(|| "list".to_owned());
            let exclusive =
                call.request.param("exclusive").is_some_and(|value| value == "true" || value == "1");
            let id = call.server_mut().next_number();
            let list = List { id, owner: me, title, replies_policy, exclusive, members: Vec::new() };
            let out = entity(&list);
            call.server_mut().lists.push(list);
            Ok(Reply::json(200, &out))
        }
        ("GET", [_]) => {
            let position = position(call)?;
            call.server()
                .lists
                .get(position)
                .map(|list| Reply::json(200, &entity(list)))
                .ok_or_else(not_found)
        }
        ("DELETE", [_]) => {
            let position = position(call)?;
            call.server_mut().lists.remove(position);
            Ok(Reply::json(200, &json!({})))
        }
        ("GET", [_, "accounts"]) => {
            let position = position(call)?;
            let members =
                call.server().lists.get(position).map(|list| list.members.clone()).unwrap_or_default();
            let everything = call.request.query("limit") == Some("0");
            let all = paging::numbered(members);
            if everything {
                let items: Vec<Value> = all.iter().map(|(_, member)| call.account(*member)).collect();
                return Ok(Reply::json(200, &Value::Array(items)));
            }
            let page = paging::take(call.request, all, 40, 80);
            let items: Vec<Value> = page.items.iter().map(|(_, member)| call.account(*member)).collect();
            Ok(page.link(
                call.request,
                &call.server().origin,
                "since_id",
                Reply::json(200, &Value::Array(items)),
            ))
        }
        ("POST" | "DELETE", [_, "accounts"]) => {
            let position = position(call)?;
            let wanted: Vec<Id> =
                call.request.params("account_ids").iter().filter_map(|id| id.parse().ok()).collect();
            let adding = method == "POST";
            if adding && wanted.iter().any(|id| !call.server().follows(me, *id) && *id != me) {
                return Err(not_found());
            }
            if let Some(list) = call.server_mut().lists.get_mut(position) {
                if adding && wanted.iter().any(|id| list.members.contains(id)) {
                    return Err(Reply::api_error(422, "Validation failed: Account has already been taken"));
                }
                list.members.retain(|member| !wanted.contains(member));
                if adding {
                    list.members.extend(wanted);
                }
            }
            Ok(Reply::json(200, &json!({})))
        }
        _ => Err(not_found()),
    }
}

fn tag(call: &Call, number: usize, name: &str, following: bool) -> Value {
    let day = crate::clock::DAY;
    let today = call.now().div_euclid(day) * day / 1_000;
    let history: Vec<Value> = (0..7)
        .map(|back| json!({ "day": (today - back * 86_400).to_string(), "accounts": "0", "uses": "0" }))
        .collect();
    let mut out = json!({ "name": name, "url": format!("{}/tags/{}", call.server().origin, name.replace('é', "e")), "history": history, "following": following });
    if call.version().at_least(Version::V4_3) {
        out["id"] = json!(number.to_string());
    }
    if call.version().at_least(Version::V4_4) {
        out["featuring"] = json!(false);
    }
    out
}

pub fn followed_tags(call: &Call) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    if !call.version().at_least(Version::V4_1) {
        return Err(not_found());
    }
    let names = call.server().user(me).map(|user| user.followed_tags.clone()).unwrap_or_default();
    let page = paging::take(call.request, paging::numbered(names), 100, 200);
    let items: Vec<Value> = page
        .items
        .iter()
        .map(|(number, name)| tag(call, usize::try_from(*number).unwrap_or(0), name, true))
        .collect();
    Ok(page.link(call.request, &call.server().origin, "since_id", Reply::json(200, &Value::Array(items))))
}

pub fn follow_tag(call: &mut Call, name: &str, action: &str) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let following = action == "follow";
    if !following && action != "unfollow" {
        return Err(not_found());
    }
    if let Some(user) = call.server_mut().user_mut(me) {
        user.followed_tags.retain(|other| other != name);
        if following {
            user.followed_tags.push(name.to_owned());
        }
    }
    Ok(Reply::json(200, &tag(call, 1, name, following)))
}
