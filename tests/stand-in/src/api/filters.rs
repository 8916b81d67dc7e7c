//! Filters of words and posts (`/api/v2/filters`, 4.0 and later).

use serde_json::{Value, json};

use super::{Call, not_found};
use crate::clock;
use crate::http::Reply;
use crate::state::{Filter, Id, Side, World};

fn entity(filter: &Filter) -> Value {
    let keywords: Vec<Value> = filter
        .keywords
        .iter()
        .map(|(id, keyword, whole)| json!({ "id": id.to_string(), "keyword": keyword, "whole_word": whole }))
        .collect();
    let statuses: Vec<Value> = filter
        .statuses
        .iter()
        .map(|(id, status)| json!({ "id": id.to_string(), "status_id": status.to_string() }))
        .collect();
    json!({
        "id": filter.id.to_string(), "title": filter.title, "context": filter.context, "expires_at": filter.expires_at.map(clock::iso_millis), "filter_action": filter.action,
        "keywords": keywords, "statuses": statuses,
    })
}

pub fn route(call: &mut Call, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    match (method, rest) {
        ("GET", []) => {
            let all: Vec<Value> =
                call.server().filters.iter().filter(|filter| filter.owner == me).map(entity).collect();
            Ok(Reply::json(200, &Value::Array(all)))
        }
        ("GET", [id]) => call
            .server()
            .filters
            .iter()
            .find(|filter| filter.owner == me && filter.id.to_string() == *id)
            .map(|filter| Reply::json(200, &entity(filter)))
            .ok_or_else(not_found),
        ("POST", []) => {
            let title = call.request.param("title").unwrap_or_default();
            let context = call.request.params("context");
            if title.is_empty() || context.is_empty() {
                return Err(Reply::api_error(422, "Validation failed: Title can't be blank"));
            }
            let list = call
                .request
                .json
                .as_ref()
                .and_then(|json| json.get("keywords_attributes"))
                .cloned()
                .unwrap_or_default();
            let action = call.request.param("filter_action").unwrap_or_else(|| "warn".to_owned());
            let seconds = call.request.param("expires_in").and_then(|text| text.parse::<i64>().ok());
            let expires_at = seconds.map(|seconds| call.now() + seconds * 1_000);
            let bare: Vec<String> = call
                .request
                .form
                .iter()
                .filter(|(name, _)| name == "keywords_attributes[][keyword]")
                .map(|(_, keyword)| keyword.clone())
                .collect();
            let server = call.server_mut();
            let id = server.next_number();
            let mut keywords = keywords_of(server, &list);
            for keyword in bare {
                keywords.push((server.next_number(), keyword, true));
            }
            let filter =
                Filter { id, owner: me, title, context, expires_at, action, keywords, statuses: Vec::new() };
            let out = entity(&filter);
            server.filters.push(filter);
            Ok(Reply::json(200, &out))
        }
        ("DELETE", [id]) => {
            let before = call.server().filters.len();
            call.server_mut().filters.retain(|filter| !(filter.owner == me && filter.id.to_string() == *id));
            if call.server().filters.len() == before {
                Err(not_found())
            } else {
                Ok(Reply::json(200, &json!({})))
            }
        }
        _ => Err(not_found()),
    }
}

fn keywords_of(server: &mut crate::state::Server, list: &Value) -> Vec<(Id, String, bool)> {
    let entries = list.as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            Some((
                server.next_number(),
                entry.get("keyword")?.as_str()?.to_owned(),
                entry.get("whole_word").and_then(Value::as_bool).unwrap_or(true),
            ))
        })
        .collect()
}

/// One filter of an imported `custom_filters.json`.
pub fn import(world: &mut World, side: Side, owner: Id, text: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
    let Some(title) = value.get("title").and_then(Value::as_str).filter(|title| !title.is_empty()) else {
        return false;
    };
    let strings = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let server = world.server_mut(side);
    let id = server.next_number();
    let keywords = keywords_of(server, value.get("keywords_attributes").unwrap_or(&Value::Null));
    let action = value.get("action").and_then(Value::as_str).unwrap_or("warn").to_owned();
    server.filters.push(Filter {
        id,
        owner,
        title: title.to_owned(),
        context: strings("context"),
        expires_at: None,
        action,
        keywords,
        statuses: Vec::new(),
    });
    true
}
