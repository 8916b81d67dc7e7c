//! Notifications, and the requests in which private mentions of strangers wait (facts 13.1 point 1).

use serde_json::{Value, json};

use super::{Call, entity, not_found, paging};
use crate::clock;
use crate::http::Reply;
use crate::social;
use crate::state::{Id, Notification, NotificationRequest, Visibility};
use crate::version::Version;

fn notification_entity(call: &Call, notification: &Notification) -> Value {
    let mut out = json!({ "id": notification.id.to_string(), "type": notification.kind, "created_at": clock::iso_millis(notification.at), "account": entity::kept_account(call.server(), notification.from) });
    if call.version().at_least(Version::V4_3) {
        out["group_key"] = json!(group_key(notification));
    }
    if notification.filtered {
        out["filtered"] = json!(true);
    }
    if let Some(status) = notification.status.and_then(|id| call.status(id)) {
        out["status"] = status;
    }
    out
}

fn group_key(notification: &Notification) -> String {
    if notification.kind == "follow" {
        format!("follow-{}", notification.at / clock::HOUR)
    } else {
        format!("ungrouped-{}", notification.id)
    }
}

fn request_entity(call: &Call, request: &NotificationRequest) -> Value {
    let count = call.server().notifications.waiting_from(request.owner, request.from).len();
    json!({
        "id": request.id.to_string(), "created_at": clock::iso_millis(request.created_at), "updated_at": clock::iso_millis(request.updated_at),
        "notifications_count": count.to_string(), "account": entity::kept_account(call.server(), request.from), "last_status": request.last_status.and_then(|id| call.status(id)),
    })
}

pub fn route(call: &mut Call, method: &str, api: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let me = call.require_user()?;
    let number = |text: &str| text.parse::<Id>().map_err(|_| not_found());
    if matches!(rest, ["requests" | "policy", ..]) && !call.version().at_least(Version::V4_3) {
        return Err(not_found());
    }
    match (method, rest) {
        ("GET", []) => listing(call, me, api),
        ("GET", ["unread_count"]) => Ok(Reply::json(200, &json!({ "count": 0 }))),
        ("POST", ["clear"]) => {
            call.server_mut().notifications.clear(me);
            call.server_mut().notification_requests.retain(|request| request.owner != me);
            Ok(Reply::json(200, &json!({})))
        }
        ("PATCH" | "PUT", ["policy"]) => {
            change_policy(call, me);
            Ok(Reply::json(200, &policy(call, me, api)))
        }
        ("GET", ["policy"]) => Ok(Reply::json(200, &policy(call, me, api))),
        ("GET", ["requests"]) => {
            let mut all: Vec<(Id, NotificationRequest)> = call
                .server()
                .notification_requests
                .iter()
                .filter(|request| request.owner == me)
                .map(|request| (request.id, request.clone()))
                .collect();
            all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
            let page = paging::take(call.request, all, 40, 80);
            let items: Vec<Value> =
                page.items.iter().map(|(_, request)| request_entity(call, request)).collect();
            Ok(page.link(
                call.request,
                &call.server().origin,
                "min_id",
                Reply::json(200, &Value::Array(items)),
            ))
        }
        ("GET", ["requests", "merged"]) => Ok(Reply::json(200, &json!({ "merged": true }))),
        ("GET", ["requests", id]) => {
            let id = number(id)?;
            let request = call
                .server()
                .notification_requests
                .iter()
                .find(|request| request.owner == me && request.id == id)
                .ok_or_else(not_found)?;
            Ok(Reply::json(200, &request_entity(call, request)))
        }
        ("POST", ["requests", id, action @ ("accept" | "dismiss")]) => {
            let id = number(id)?;
            let request = call
                .server()
                .notification_requests
                .iter()
                .find(|request| request.owner == me && request.id == id)
                .cloned()
                .ok_or_else(not_found)?;
            settle(call, &request, *action == "accept");
            Ok(Reply::json(200, &json!({})))
        }
        ("POST", ["requests", action @ ("accept" | "dismiss")]) => {
            let wanted = call.request.params("id");
            let all: Vec<NotificationRequest> = call
                .server()
                .notification_requests
                .iter()
                .filter(|request| request.owner == me && wanted.contains(&request.id.to_string()))
                .cloned()
                .collect();
            for request in all {
                settle(call, &request, *action == "accept");
            }
            Ok(Reply::json(200, &json!({})))
        }
        ("POST", [id, "dismiss"]) => {
            let id = number(id)?;
            call.server_mut().notifications.remove(me, id);
            Ok(Reply::json(200, &json!({})))
        }
        ("GET", [id]) => {
            let id = number(id)?;
            let notification = call.server().notifications.get(me, id).ok_or_else(not_found)?;
            Ok(Reply::json(200, &notification_entity(call, notification)))
        }
        _ => Err(not_found()),
    }
}

/// Accepting lets the notifications through and makes the conversations; dismissing takes them out of both lists (facts 13.1 point 1).
fn settle(call: &mut Call, request: &NotificationRequest, accept: bool) {
    let (owner, from) = (request.owner, request.from);
    let server = call.server_mut();
    server.notification_requests.retain(|other| other.id != request.id);
    let waiting = server.notifications.waiting_from(owner, from);
    if !accept {
        for id in waiting {
            server.notifications.remove(owner, id);
        }
        return;
    }
    server.permitted.insert((owner, from));
    for id in waiting {
        let status = server.notifications.let_through(owner, id);
        let Some(status) = status.and_then(|id| server.statuses.get(&id)).cloned() else { continue };
        if status.visibility == Visibility::Direct {
            let mut people: std::collections::BTreeSet<Id> = status.mentions.iter().copied().collect();
            people.insert(status.author);
            social::converse(server, owner, status.thread, &people, status.id, true);
        }
    }
}

const POLICIES: [&str; 6] = [
    "for_not_following",
    "for_not_followers",
    "for_new_accounts",
    "for_private_mentions",
    "for_limited_accounts",
    "for_bots",
];

fn change_policy(call: &mut Call, me: Id) {
    let said: Vec<(&str, String)> =
        POLICIES.iter().filter_map(|name| Some((*name, call.request.param(name)?))).collect();
    if let Some(user) = call.server_mut().user_mut(me) {
        for (name, value) in said {
            user.settings.insert(name.to_owned(), value);
        }
    }
}

fn policy(call: &Call, me: Id, api: &str) -> Value {
    let server = call.server();
    let requests = server.notification_requests.iter().filter(|request| request.owner == me).count();
    let waiting = server.notifications.of(me).filter(|notification| notification.filtered).count();
    let summary = json!({ "pending_requests_count": requests, "pending_notifications_count": waiting });
    if api == "v1" {
        json!({ "filter_not_following": false, "filter_not_followers": false, "filter_new_accounts": false, "filter_private_mentions": true, "filter_bots": false, "summary": summary })
    } else {
        let mut out = json!({ "for_not_following": "accept", "for_not_followers": "accept", "for_new_accounts": "accept", "for_private_mentions": "filter", "for_limited_accounts": "filter", "summary": summary });
        if server.version.at_least(Version::V4_6) {
            out["for_bots"] = json!("accept");
        }
        for name in POLICIES {
            let said = server.user(me).and_then(|user| user.settings.get(name));
            if let (Some(said), true) = (said, out.get(name).is_some()) {
                out[name] = json!(said);
            }
        }
        out
    }
}

fn listing(call: &Call, me: Id, api: &str) -> Result<Reply, Reply> {
    let request = call.request;
    let (types, excluded) = (request.query_all("types[]"), request.query_all("exclude_types[]"));
    let everything = request.query("include_filtered").is_some_and(|value| value == "true" || value == "1");
    let only: Option<Id> = request.query("account_id").and_then(|id| id.parse().ok());
    let server = call.server();
    let shown = |notification: &&Notification| {
        (everything || only.is_some() || !notification.filtered)
            && (types.is_empty() || types.contains(&notification.kind))
            && !excluded.contains(&notification.kind)
            && !server.account(notification.from).is_some_and(|from| from.suspended)
    };
    let page = match only {
        Some(from) => paging::range(request, 40, 80, |range| {
            server.notifications.from_between(me, from, range).filter(shown).map(|row| (row.id, row))
        }),
        None => paging::range(request, 40, 80, |range| {
            server.notifications.between(me, range).filter(shown).map(|row| (row.id, row))
        }),
    }
    .always_next();
    if api == "v2" {
        let rows: Vec<&Notification> = page.items.iter().map(|(_, row)| *row).collect();
        return Ok(page.link(request, &server.origin, "min_id", Reply::json(200, &grouped(call, &rows))));
    }
    let items: Vec<Value> =
        page.items.iter().map(|(_, notification)| notification_entity(call, notification)).collect();
    Ok(page.link(request, &call.server().origin, "min_id", Reply::json(200, &Value::Array(items))))
}

/// The shape of `/api/v2/notifications`: groups, and beside them the accounts and statuses that they name, each once. Mentions are never grouped.
fn grouped(call: &Call, rows: &[&Notification]) -> Value {
    let server = call.server();
    let mut groups: Vec<(String, Vec<&Notification>)> = Vec::new();
    for row in rows {
        let key = group_key(row);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, members)) => members.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    let mut accounts: Vec<Id> = rows.iter().map(|row| row.from).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let statuses: Vec<Value> =
        rows.iter().filter_map(|row| row.status).filter_map(|id| call.status(id)).collect();
    let groups: Vec<Value> = groups
        .iter()
        .filter_map(|(key, members)| {
            let (newest, oldest) = (members.first()?, members.last()?);
            let senders: Vec<String> = members.iter().take(8).map(|row| row.from.to_string()).collect();
            let mut out = json!({
                "group_key": key, "notifications_count": members.len(), "type": newest.kind, "most_recent_notification_id": newest.id,
                "page_min_id": oldest.id.to_string(), "page_max_id": newest.id.to_string(), "latest_page_notification_at": clock::iso_millis(newest.at),
                "sample_account_ids": senders,
            });
            if let Some(status) = newest.status {
                out["status_id"] = json!(status.to_string());
            }
            Some(out)
        })
        .collect();
    let accounts: Vec<Value> = accounts.into_iter().map(|id| entity::kept_account(server, id)).collect();
    json!({ "accounts": accounts, "statuses": statuses, "notification_groups": groups })
}
