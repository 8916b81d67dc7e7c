//! Filters of words and posts: `/api/v2/filters` (4.0 and later) and `/api/v1/filters`, where each keyword is one.

use serde_json::{Value, json};

use super::{Call, not_found, truthy};
use crate::clock::{self, Millis};
use crate::http::Reply;
use crate::state::{Filter, Id, Server, Side, World};
use crate::version::Version;

const CONTEXTS: [&str; 5] = ["home", "notifications", "public", "thread", "account"];

type Keyword = (Id, String, bool);

fn keyword_entity(keyword: &Keyword) -> Value {
    json!({ "id": keyword.0.to_string(), "keyword": keyword.1, "whole_word": keyword.2 })
}

fn status_entity(entry: &(Id, Id)) -> Value {
    json!({ "id": entry.0.to_string(), "status_id": entry.1.to_string() })
}

fn entity(filter: &Filter) -> Value {
    json!({
        "id": filter.id.to_string(), "title": filter.title, "context": filter.context, "expires_at": filter.expires_at.map(clock::iso_millis), "filter_action": filter.action,
        "keywords": filter.keywords.iter().map(keyword_entity).collect::<Vec<_>>(), "statuses": filter.statuses.iter().map(status_entity).collect::<Vec<_>>(),
    })
}

/// As 3.5 and the first version of the API know it: a keyword with what belongs to its filter.
fn old_entity(filter: &Filter, keyword: &Keyword) -> Value {
    json!({
        "id": keyword.0.to_string(), "phrase": keyword.1, "context": filter.context, "whole_word": keyword.2, "expires_at": filter.expires_at.map(clock::iso_millis),
        "irreversible": filter.action == "hide",
    })
}

fn invalid(text: &str) -> Reply {
    Reply::api_error(422, text)
}

fn check(title: &str, context: &[String], name: &str) -> Result<(), Reply> {
    let mut wrong = Vec::new();
    if title.trim().is_empty() {
        wrong.push(format!("{name} can't be blank"));
    }
    if context.is_empty() {
        wrong.push("Context can't be blank".to_owned());
    }
    if context.is_empty() || context.iter().any(|one| !CONTEXTS.contains(&one.as_str())) {
        wrong.push("Context None or invalid context supplied".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(invalid(&format!("Validation failed: {}", wrong.join(", ")))) }
}

fn is_action(action: &str, version: Version) -> bool {
    matches!(action, "warn" | "hide") || (action == "blur" && version.at_least(Version::V4_5))
}

/// `expires_in`: not given, or nothing for "never".
fn expiry(call: &Call) -> Option<Option<Millis>> {
    let text = call.request.param("expires_in")?;
    Some(text.parse::<i64>().ok().map(|seconds| call.now() + seconds * 1_000))
}

/// One entry of `keywords_attributes`.
#[derive(Default)]
struct Attributes {
    id: Option<Id>,
    keyword: Option<String>,
    whole_word: Option<bool>,
    destroy: bool,
}

impl Attributes {
    fn set(&mut self, name: &str, value: &str) {
        match name {
            "id" => self.id = value.parse().ok(),
            "keyword" => self.keyword = Some(value.to_owned()),
            "whole_word" => self.whole_word = Some(truthy(value)),
            "_destroy" => self.destroy = truthy(value),
            _ => {}
        }
    }

    fn has(&self, name: &str) -> bool {
        match name {
            "id" => self.id.is_some(),
            "keyword" => self.keyword.is_some(),
            "whole_word" => self.whole_word.is_some(),
            _ => self.destroy,
        }
    }
}

/// From JSON, a list or a hash, and from forms, `keywords_attributes[][keyword]` or `keywords_attributes[0][keyword]`. With empty brackets a name that comes again
/// begins the next entry, as Rack has it.
fn attributes(call: &Call) -> Vec<Attributes> {
    let mut all: Vec<Attributes> = Vec::new();
    let given = call.request.json.as_ref().and_then(|json| json.get("keywords_attributes"));
    let entries: Vec<&Value> = match given {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    };
    for entry in entries {
        let mut attributes = Attributes::default();
        for (name, value) in entry.as_object().into_iter().flatten() {
            attributes.set(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        all.push(attributes);
    }
    let mut last = String::new();
    for (name, value) in &call.request.form {
        let Some(rest) = name.strip_prefix("keywords_attributes[") else { continue };
        let Some((index, name)) = rest.split_once("][") else { continue };
        let name = name.trim_end_matches(']');
        let next = match all.last() {
            None => true,
            Some(before) if index.is_empty() => before.has(name),
            Some(_) => index != last,
        };
        if next {
            all.push(Attributes::default());
        }
        index.clone_into(&mut last);
        if let Some(attributes) = all.last_mut() {
            attributes.set(name, value);
        }
    }
    all
}

fn apply(server: &mut Server, keywords: &mut Vec<Keyword>, all: Vec<Attributes>) -> Result<(), Reply> {
    for one in all {
        let known = keywords.iter().position(|keyword| Some(keyword.0) == one.id);
        match known {
            Some(place) if one.destroy => {
                keywords.remove(place);
            }
            Some(place) => {
                if let Some(keyword) = keywords.get_mut(place) {
                    keyword.1 = one.keyword.unwrap_or(keyword.1.clone());
                    keyword.2 = one.whole_word.unwrap_or(keyword.2);
                }
            }
            None => {
                let text = one.keyword.filter(|text| !text.trim().is_empty());
                let text =
                    text.ok_or_else(|| invalid("Validation failed: Keywords keyword can't be blank"))?;
                keywords.push((server.next_number(), text, one.whole_word.unwrap_or(true)));
            }
        }
    }
    Ok(())
}

pub fn route(call: &mut Call, method: &str, api: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    if api == "v1" {
        return first(call, me, method, rest);
    }
    if !call.version().at_least(Version::V4_1) {
        return Err(not_found());
    }
    let place = |call: &Call, id: &str| {
        let is = |filter: &Filter| filter.owner == me && filter.id.to_string() == id;
        call.server().filters.iter().position(is).ok_or_else(not_found)
    };
    let show = |call: &Call, place: usize| {
        let filter = call.server().filters.get(place).ok_or_else(not_found)?;
        Ok(Reply::json(200, &entity(filter)))
    };
    match (method, rest) {
        ("GET", []) => {
            let own = call.server().filters.iter().filter(|filter| filter.owner == me);
            Ok(Reply::json(200, &own.map(entity).collect()))
        }
        ("POST", []) => {
            let place = create(call, me)?;
            show(call, place)
        }
        ("GET" | "PUT" | "PATCH" | "DELETE", ["keywords", id]) => keyword(call, me, method, id),
        ("GET" | "DELETE", ["statuses", id]) => status(call, me, method, id),
        ("GET", [id]) => show(call, place(call, id)?),
        ("PUT" | "PATCH", [id]) => {
            let place = place(call, id)?;
            update(call, place)?;
            show(call, place)
        }
        ("DELETE", [id]) => {
            let place = place(call, id)?;
            call.server_mut().filters.remove(place);
            Ok(Reply::json(200, &json!({})))
        }
        ("GET", [id, part @ ("keywords" | "statuses")]) => {
            let filter = call.server().filters.get(place(call, id)?).ok_or_else(not_found)?;
            let all: Value = if *part == "keywords" {
                filter.keywords.iter().map(keyword_entity).collect()
            } else {
                filter.statuses.iter().map(status_entity).collect()
            };
            Ok(Reply::json(200, &all))
        }
        ("POST", [id, "keywords"]) => {
            let place = place(call, id)?;
            let text = call.request.param("keyword").filter(|text| !text.trim().is_empty());
            let text = text.ok_or_else(|| invalid("Validation failed: Keyword can't be blank"))?;
            let whole = call.request.param("whole_word").is_none_or(|value| truthy(&value));
            let server = call.server_mut();
            let made = (server.next_number(), text, whole);
            if let Some(filter) = server.filters.get_mut(place) {
                filter.keywords.push(made.clone());
            }
            Ok(Reply::json(200, &keyword_entity(&made)))
        }
        ("POST", [id, "statuses"]) => {
            let place = place(call, id)?;
            let status: Id =
                call.request.param("status_id").and_then(|id| id.parse().ok()).ok_or_else(not_found)?;
            let server = call.server_mut();
            if !server.statuses.contains_key(&status) {
                return Err(Reply::api_error(404, "Not Found"));
            }
            let made = (server.next_number(), status);
            let Some(filter) = server.filters.get_mut(place) else { return Err(not_found()) };
            if filter.statuses.iter().any(|(_, other)| *other == status) {
                return Err(invalid("Validation failed: Status has already been taken"));
            }
            filter.statuses.push(made);
            Ok(Reply::json(200, &status_entity(&made)))
        }
        _ => Err(not_found()),
    }
}

fn create(call: &mut Call, me: Id) -> Result<usize, Reply> {
    let title = call.request.param("title").unwrap_or_default();
    let context = call.request.params("context");
    let action = call.request.param("filter_action").unwrap_or_else(|| "warn".to_owned());
    if !is_action(&action, call.version()) {
        return Err(invalid(&format!("'{action}' is not a valid action")));
    }
    check(&title, &context, "Title")?;
    let expires_at = expiry(call).flatten();
    let attributes = attributes(call);
    let server = call.server_mut();
    let (id, mut keywords) = (server.next_number(), Vec::new());
    apply(server, &mut keywords, attributes)?;
    server.filters.push(Filter {
        id,
        owner: me,
        title,
        context,
        expires_at,
        action,
        keywords,
        statuses: Vec::new(),
    });
    Ok(server.filters.len() - 1)
}

fn update(call: &mut Call, place: usize) -> Result<(), Reply> {
    let mut filter = call.server().filters.get(place).cloned().ok_or_else(not_found)?;
    filter.title = call.request.param("title").unwrap_or(filter.title);
    if call.request.has("context") {
        filter.context = call.request.params("context");
    }
    filter.action = call.request.param("filter_action").unwrap_or(filter.action);
    if !is_action(&filter.action, call.version()) {
        return Err(invalid(&format!("'{}' is not a valid action", filter.action)));
    }
    check(&filter.title, &filter.context, "Title")?;
    filter.expires_at = expiry(call).unwrap_or(filter.expires_at);
    let attributes = attributes(call);
    let server = call.server_mut();
    apply(server, &mut filter.keywords, attributes)?;
    if let Some(slot) = server.filters.get_mut(place) {
        *slot = filter;
    }
    Ok(())
}

/// Where a keyword is: which filter, and which of its keywords.
fn find_keyword(call: &Call, me: Id, id: &str) -> Result<(usize, usize), Reply> {
    let filters = call.server().filters.iter().enumerate().filter(|(_, filter)| filter.owner == me);
    for (place, filter) in filters {
        if let Some(index) = filter.keywords.iter().position(|keyword| keyword.0.to_string() == id) {
            return Ok((place, index));
        }
    }
    Err(not_found())
}

fn keyword(call: &mut Call, me: Id, method: &str, id: &str) -> Result<Reply, Reply> {
    let (place, index) = find_keyword(call, me, id)?;
    let (text, whole) = (call.request.param("keyword"), call.request.param("whole_word"));
    let Some(filter) = call.server_mut().filters.get_mut(place) else { return Err(not_found()) };
    if method == "DELETE" {
        filter.keywords.remove(index);
        return Ok(Reply::json(200, &json!({})));
    }
    let Some(keyword) = filter.keywords.get_mut(index) else { return Err(not_found()) };
    if method != "GET" {
        keyword.1 = text.unwrap_or(keyword.1.clone());
        keyword.2 = whole.map_or(keyword.2, |value| truthy(&value));
    }
    Ok(Reply::json(200, &keyword_entity(keyword)))
}

fn status(call: &mut Call, me: Id, method: &str, id: &str) -> Result<Reply, Reply> {
    let filters = call.server_mut().filters.iter_mut().filter(|filter| filter.owner == me);
    for filter in filters {
        let Some(index) = filter.statuses.iter().position(|entry| entry.0.to_string() == id) else {
            continue;
        };
        if method == "DELETE" {
            filter.statuses.remove(index);
            return Ok(Reply::json(200, &json!({})));
        }
        return filter
            .statuses
            .get(index)
            .map(|entry| Reply::json(200, &status_entity(entry)))
            .ok_or_else(not_found);
    }
    Err(not_found())
}

/// The first version: made, changed and deleted keyword by keyword.
fn first(call: &mut Call, me: Id, method: &str, rest: &[&str]) -> Result<Reply, Reply> {
    match (method, rest) {
        ("GET", []) => {
            let own = call.server().filters.iter().filter(|filter| filter.owner == me);
            let all = own.flat_map(|filter| filter.keywords.iter().map(|word| old_entity(filter, word)));
            Ok(Reply::json(200, &all.collect()))
        }
        ("POST", []) => {
            let phrase = call.request.param("phrase").unwrap_or_default();
            let context = call.request.params("context");
            check(&phrase, &context, "Phrase")?;
            let hide = call.request.param("irreversible").is_some_and(|value| truthy(&value));
            // Rails' default of the column, which the form's box turns off.
            let whole = call.request.param("whole_word").is_none_or(|value| truthy(&value));
            let expires_at = expiry(call).flatten();
            let server = call.server_mut();
            let word = (server.next_number(), phrase.clone(), whole);
            let filter = Filter {
                id: server.next_number(),
                owner: me,
                title: phrase,
                context,
                expires_at,
                action: if hide { "hide" } else { "warn" }.to_owned(),
                keywords: vec![word.clone()],
                statuses: Vec::new(),
            };
            let out = old_entity(&filter, &word);
            server.filters.push(filter);
            Ok(Reply::json(200, &out))
        }
        ("GET" | "PUT" | "PATCH" | "DELETE", [id]) => {
            let (place, index) = find_keyword(call, me, id)?;
            let (phrase, whole) = (call.request.param("phrase"), call.request.param("whole_word"));
            let context = call.request.has("context").then(|| call.request.params("context"));
            let (hide, expires) = (call.request.param("irreversible"), expiry(call));
            let server = call.server_mut();
            let Some(filter) = server.filters.get_mut(place) else { return Err(not_found()) };
            if method == "DELETE" {
                filter.keywords.remove(index);
                if filter.keywords.is_empty() && filter.statuses.is_empty() {
                    server.filters.remove(place);
                }
                return Ok(Reply::json(200, &json!({})));
            }
            let several = filter.keywords.len() > 1;
            if method != "GET" {
                if several && (context.is_some() || hide.is_some() || expires.is_some()) {
                    return Err(invalid(
                        "These parameters cannot be changed from this application because they apply to more than one filter keyword. Use a more recent application or the web interface.",
                    ));
                }
                filter.context = context.unwrap_or(filter.context.clone());
                filter.expires_at = expires.unwrap_or(filter.expires_at);
                if let Some(hide) = hide {
                    filter.action = if truthy(&hide) { "hide" } else { "warn" }.to_owned();
                }
                if let Some(word) = filter.keywords.get_mut(index) {
                    word.1 = phrase.unwrap_or(word.1.clone());
                    word.2 = whole.map_or(word.2, |value| truthy(&value));
                }
            }
            let word = filter.keywords.get(index).ok_or_else(not_found)?;
            Ok(Reply::json(200, &old_entity(filter, word)))
        }
        _ => Err(not_found()),
    }
}

/// One filter of an imported `custom_filters.json`: one of the same title and contexts is made anew.
pub fn import(world: &mut World, side: Side, owner: Id, text: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
    let strings = |name: &str| -> Vec<String> {
        let list = value.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let title = value.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (context, uris) = (strings("context"), strings("statuses"));
    let action = value.get("action").and_then(Value::as_str).unwrap_or("warn").to_owned();
    let server = world.server_mut(side);
    if check(&title, &context, "Title").is_err() || !is_action(&action, server.version) {
        return false;
    }
    let words = value.get("keywords_attributes").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut keywords = Vec::new();
    for word in words {
        let Some(text) = word.get("keyword").and_then(Value::as_str) else { return false };
        let whole = word.get("whole_word").and_then(Value::as_bool).unwrap_or(true);
        keywords.push((server.next_number(), text.to_owned(), whole));
    }
    let known: Vec<Id> = server
        .statuses
        .values()
        .filter(|status| uris.contains(&status.uri))
        .map(|status| status.id)
        .collect();
    let statuses: Vec<(Id, Id)> = known.into_iter().map(|status| (server.next_number(), status)).collect();
    let expires_at = value.get("expires_at").and_then(Value::as_str).and_then(clock::parse_iso);
    let place = server
        .filters
        .iter()
        .position(|filter| filter.owner == owner && filter.title == title && filter.context == context);
    let id = match place {
        Some(place) => server.filters.remove(place).id,
        None => server.next_number(),
    };
    server.filters.push(Filter { id, owner, title, context, expires_at, action, keywords, statuses });
    true
}
