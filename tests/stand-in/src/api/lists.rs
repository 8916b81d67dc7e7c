//! Lists.

use serde_json::{Value, json};

use super::{Call, not_found, truthy};
use crate::http::Reply;
use crate::state::{Id, List};
use crate::version::Version;

/// So many lists one person may have.
const MOST: usize = 50;

pub fn entity(list: &List, version: Version) -> Value {
    let mut out =
        json!({ "id": list.id.to_string(), "title": list.title, "replies_policy": list.replies_policy });
    if version.at_least(Version::V4_2) {
        out["exclusive"] = json!(list.exclusive);
    }
    out
}

/// What is said about a list; what is not said stays.
fn apply(call: &Call, list: &mut List) -> Result<(), Reply> {
    list.title = call.request.param("title").unwrap_or(list.title.clone());
    if list.title.trim().is_empty() {
        return Err(Reply::api_error(422, "Validation failed: Title can't be blank"));
    }
    if let Some(policy) = call.request.param("replies_policy") {
        if !["list", "followed", "none"].contains(&policy.as_str()) {
            return Err(Reply::api_error(422, &format!("'{policy}' is not a valid replies_policy")));
        }
        list.replies_policy = policy;
    }
    if let Some(value) = call.request.param("exclusive").filter(|_| call.version().at_least(Version::V4_2)) {
        list.exclusive = truthy(&value);
    }
    Ok(())
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
            let own = call.server().lists.iter().filter(|list| list.owner == me);
            let all: Vec<Value> = own.map(|list| entity(list, call.version())).collect();
            Ok(Reply::json(200, &Value::Array(all)))
        }
        ("POST", []) => {
            let mut list = List {
                id: 0,
                owner: me,
                title: String::new(),
                replies_policy: "list".to_owned(),
                exclusive: false,
                members: Vec::new(),
            };
            apply(call, &mut list)?;
            if call.server().lists.iter().filter(|list| list.owner == me).count() >= MOST {
                return Err(Reply::api_error(
                    422,
                    "Validation failed: You have reached the maximum number of lists",
                ));
            }
            list.id = call.server_mut().next_number();
            let out = entity(&list, call.version());
            call.server_mut().lists.push(list);
            Ok(Reply::json(200, &out))
        }
        ("PUT" | "PATCH", [_]) => {
            let position = position(call)?;
            let mut list = call.server().lists.get(position).cloned().ok_or_else(not_found)?;
            apply(call, &mut list)?;
            let out = entity(&list, call.version());
            if let Some(slot) = call.server_mut().lists.get_mut(position) {
                *slot = list;
            }
            Ok(Reply::json(200, &out))
        }
        ("GET", [_]) => {
            let position = position(call)?;
            call.server()
                .lists
                .get(position)
                .map(|list| Reply::json(200, &entity(list, call.version())))
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
            super::relations::people_by_number(call, members)
        }
        ("POST" | "DELETE", [_, "accounts"]) => {
            let position = position(call)?;
            let wanted: Vec<Id> =
                call.request.params("account_ids").iter().filter_map(|id| id.parse().ok()).collect();
            let adding = method == "POST";
            let newer = call.version().at_least(Version::V4_4);
            let server = call.server();
            let stranger = |id: &Id| {
                let asked =
                    server.follow_requests.iter().any(|request| request.from == me && request.to == *id);
                !server.follows(me, *id) && !asked && *id != me
            };
            if adding && wanted.iter().any(stranger) {
                let text = "Validation failed: Account must be a followed account";
                return Err(if newer { Reply::api_error(422, text) } else { not_found() });
            }
            if let Some(list) = call.server_mut().lists.get_mut(position) {
                if adding && wanted.iter().any(|id| list.members.contains(id)) {
                    return Err(Reply::api_error(
                        422,
                        if newer {
                            "Validation failed: Account is already on the list"
                        } else {
                            "Validation failed: Account has already been taken"
                        },
                    ));
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
