//! Followed and featured hashtags.

use serde_json::{Value, json};

use super::{Call, not_found, paging};
use crate::clock;
use crate::http::Reply;
use crate::state::Id;
use crate::version::Version;

const MOST_FEATURED: usize = 10;

/// Letters, digits and low lines of any script, not digits alone.
fn is_tag(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && name.chars().any(|letter| !letter.is_numeric() && letter != '_')
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// As addresses have it: accents fall off.
fn plain(name: &str) -> String {
    let letter = |letter: char| match letter {
        'é' | 'è' | 'ê' => 'e',
        'ä' | 'à' | 'á' => 'a',
        'ö' | 'ó' => 'o',
        'ü' | 'ú' => 'u',
        other => other,
    };
    let text: String = name.to_lowercase().chars().map(letter).collect();
    serde_urlencoded::to_string([("", text)]).unwrap_or_default().trim_start_matches('=').to_owned()
}

fn tag(call: &Call, number: u64, name: &str) -> Value {
    let today = call.now().div_euclid(clock::DAY) * clock::DAY / 1_000;
    let history: Vec<Value> = (0..7)
        .map(|back| json!({ "day": (today - back * 86_400).to_string(), "accounts": "0", "uses": "0" }))
        .collect();
    let user = call.me.and_then(|me| call.server().user(me));
    let following = user.is_some_and(|user| user.followed_tags.iter().any(|other| same(other, name)));
    let mut out = json!({ "name": name, "url": format!("{}/tags/{}", call.server().origin, plain(name)), "history": history, "following": following });
    if call.version().at_least(Version::V4_3) {
        out["id"] = json!(number.to_string());
    }
    if call.version().at_least(Version::V4_4) {
        let featuring =
            user.is_some_and(|user| user.featured_tags.iter().any(|(_, other)| same(other, name)));
        out["featuring"] = json!(featuring);
    }
    out
}

/// 4.0 and later.
pub fn followed(call: &Call) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    if !call.version().at_least(Version::V4_1) {
        return Err(not_found());
    }
    let names = call.server().user(me).map(|user| user.followed_tags.clone()).unwrap_or_default();
    let page = paging::take(call.request, paging::numbered(names), 100, 200);
    let items: Vec<Value> = page.items.iter().map(|(number, name)| tag(call, *number, name)).collect();
    Ok(page.link(call.request, &call.server().origin, "since_id", Reply::json(200, &Value::Array(items))))
}

/// `/api/v1/tags/:name` and what can be done with it.
pub fn route(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let newer = call.version().at_least(Version::V4_1);
    let (name, action) = match (method, rest) {
        ("GET", [name]) if newer => (*name, "look"),
        ("POST", [name, action @ ("follow" | "unfollow")]) if newer => (*name, *action),
        ("POST", [name, action @ ("feature" | "unfeature")]) if call.version().at_least(Version::V4_4) => {
            (*name, *action)
        }
        _ => return Err(not_found()),
    };
    if !is_tag(name) {
        return Err(Reply::api_error(404, "Not Found"));
    }
    if action != "look" {
        let me = call.require_user()?;
        if action.ends_with("feature") {
            feature(call, me, name, action == "feature")?;
        } else if let Some(user) = call.server_mut().user_mut(me) {
            let known = user.followed_tags.iter().any(|other| same(other, name));
            if action == "unfollow" {
                user.followed_tags.retain(|other| !same(other, name));
            } else if !known {
                user.followed_tags.push(name.to_owned());
            }
        }
    }
    Ok(Reply::json(200, &tag(call, 1, name)))
}

fn feature(call: &mut Call, me: Id, name: &str, on: bool) -> Result<(), Reply> {
    let server = call.server_mut();
    let number = server.next_number();
    let Some(user) = server.user_mut(me) else { return Err(not_found()) };
    if !on {
        user.featured_tags.retain(|(_, other)| !same(other, name));
    } else if !user.featured_tags.iter().any(|(_, other)| same(other, name)) {
        if user.featured_tags.len() >= MOST_FEATURED {
            return Err(Reply::api_error(
                422,
                "Validation failed: You have already featured the maximum number of hashtags",
            ));
        }
        user.featured_tags.push((number, name.to_owned()));
    }
    Ok(())
}

fn featured_entity(call: &Call, owner: Id, id: Id, name: &str) -> Value {
    let server = call.server();
    let url = server.account(owner).map(|account| account.url.clone()).unwrap_or_default();
    json!({ "id": id.to_string(), "name": name, "url": format!("{url}/tagged/{}", plain(name)), "statuses_count": "0", "last_status_at": null })
}

/// Those of one account.
pub fn featured_of(call: &Call, owner: Id) -> Value {
    let tags = call.server().user(owner).map(|user| user.featured_tags.clone()).unwrap_or_default();
    tags.iter().map(|(id, name)| featured_entity(call, owner, *id, name)).collect()
}

/// `/api/v1/featured_tags`
pub fn featured(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    match (method, rest) {
        ("GET", []) => Ok(Reply::json(200, &featured_of(call, me))),
        ("GET", ["suggestions"]) => Ok(Reply::json(200, &json!([]))),
        ("POST", []) => {
            let name = call.request.param("name").unwrap_or_default();
            let name = name.trim().trim_start_matches('#').to_owned();
            if !is_tag(&name) {
                return Err(Reply::api_error(422, "Validation failed: Name is invalid"));
            }
            let find = |call: &Call| {
                let tags = &call.server().user(me)?.featured_tags;
                tags.iter().find(|(_, other)| same(other, &name)).cloned()
            };
            if find(call).is_some() && !call.version().at_least(Version::V4_4) {
                return Err(Reply::api_error(422, "Validation failed: Tag has already been taken"));
            }
            feature(call, me, &name, true)?;
            let (id, name) = find(call).ok_or_else(not_found)?;
            Ok(Reply::json(200, &featured_entity(call, me, id, &name)))
        }
        ("DELETE", [id]) => {
            let id: Id = id.parse().map_err(|_| not_found())?;
            let Some(user) = call.server_mut().user_mut(me) else { return Err(not_found()) };
            if !user.featured_tags.iter().any(|(other, _)| *other == id) {
                return Err(not_found());
            }
            user.featured_tags.retain(|(other, _)| *other != id);
            Ok(Reply::json(200, &json!({})))
        }
        _ => Err(not_found()),
    }
}
