//! The control path, for tests and the demo only: time, faults, states, logs. The same calls work in-process through `Control`.

use serde_json::{Value, json};

use crate::clock::{DAY, SECOND};
use crate::correspondence::{self, Shape};
use crate::faults::Fault;
use crate::http::{Kind, Reply, Request};
use crate::state::{Alias, Id, ImportState, LogEntry, Migration, Side, World};
use crate::{federation, moves, pages, petra, seed, social};

pub fn over_http(world: &mut World, request: &Request) -> Reply {
    let name = request.path.trim_start_matches("/__stand-in__/");
    let mut body = request.json.clone().unwrap_or(Value::Null);
    if body.is_null() && !request.form.is_empty() {
        body = request
            .form
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    let (status, value) = match call(world, &request.method, name, &body) {
        Ok(value) => (200, value),
        Err(error) => (400, json!({ "error": error })),
    };
    Reply::new(status, Kind::Bare, "application/json; charset=utf-8", value.to_string())
}

/// One control call. `name` is what stands behind `/__stand-in__/`.
pub fn call(world: &mut World, method: &str, name: &str, body: &Value) -> Result<Value, String> {
    moves::tick(world);
    world.changed();
    match (method, name) {
        ("GET", "time") => Ok(time(world)),
        ("POST", "time") => {
            let seconds =
                body.get("advance_seconds").and_then(Value::as_i64).ok_or("advance_seconds is missing")?;
            world.clock_offset += seconds * SECOND;
            moves::tick(world);
            Ok(time(world))
        }
        ("POST", "fault") => {
            let fault = Fault::parse(body)?;
            world.faults.push(fault);
            Ok(json!({ "faults": world.faults.len() }))
        }
        ("POST", "faults/clear") => {
            world.faults.clear();
            world.repeated.clear();
            Ok(json!({ "faults": 0 }))
        }
        ("GET", "requests") => Ok(requests(&world.log)),
        // The media host has a log of its own, so that what goes to a third origin is counted apart.
        ("GET", "media-requests") => Ok(requests(&world.media_log)),
        ("POST", "limits") => limits(world, body),
        ("POST", "requests/clear") => {
            world.log.clear();
            world.media_log.clear();
            world.hosts.clear();
            Ok(json!({}))
        }
        ("GET", "host-log") => {
            let all: Vec<Value> = world
                .hosts
                .iter()
                .map(|(side, host)| json!({ "server": side.name(), "host": host }))
                .collect();
            Ok(Value::Array(all))
        }
        ("GET", "state") => Ok(state(world)),
        ("POST", "account") => account(world, body),
        ("GET", "mails") => {
            let all: Vec<Value> = world.mails.iter().map(|mail| json!({ "server": mail.side.name(), "to": mail.to, "subject": mail.subject, "link": mail.link, "at": mail.at })).collect();
            Ok(Value::Array(all))
        }
        ("POST", "version") => {
            let side = side(body)?;
            let version = body.get("version").and_then(Value::as_str).ok_or("version is missing")?.parse()?;
            world.server_mut(side).version = version;
            Ok(json!({ "server": side.name(), "version": version.to_string() }))
        }
        ("POST", "secure-mode") => {
            let side = side(body)?;
            let on = body.get("on").and_then(Value::as_bool).unwrap_or(true);
            world.server_mut(side).secure_mode = on;
            Ok(json!({ "server": side.name(), "secure_mode": on }))
        }
        ("POST", "closing") => {
            let side = side(body)?;
            let on = body.get("on").and_then(Value::as_bool).unwrap_or(true);
            let server = world.server_mut(side);
            if on && !server.version.can_close_for_good() {
                return Err(format!("{} cannot be closed for good", server.version));
            }
            server.closing = on;
            Ok(json!({ "server": side.name(), "closing": on }))
        }
        ("POST", "sign-in") => sign_in(world, body),
        ("POST", "person") => {
            let side = side(body)?;
            let id = person(world, side, body)?;
            Ok(one(world, side, id))
        }
        ("POST", which @ ("followers" | "follows")) => {
            let side = side(body)?;
            let id = person(world, side, body)?;
            let count = body.get("count").and_then(Value::as_u64).ok_or("count is missing")?;
            petra::mass(world, side, id, usize::try_from(count).unwrap_or(0), which == "followers");
            Ok(json!({ "count": count }))
        }
        ("POST", "silent") => silent(world, body),
        ("POST", "deleted") => {
            let uri = body.get("uri").and_then(Value::as_str).ok_or("uri is missing")?;
            world.deleted.insert(uri.to_owned());
            Ok(json!({}))
        }
        ("POST", "vacuum") => {
            let (side, now) = (side(body)?, world.now());
            crate::imports::vacuum(world.server_mut(side), now);
            Ok(json!({}))
        }
        ("POST", "stuck") => stuck(world, body),
        ("POST", "message") => message(world, body),
        ("POST", "oracle") => {
            let side = side(body)?;
            let reader = person(world, side, body)?;
            Ok(correspondence::oracle_json(world, side, reader))
        }
        ("POST", "correspondence") => give_correspondence(world, body),
        ("POST", "reset") => {
            let [old, new] =
                Side::BOTH.map(|side| (world.server(side).version, world.server(side).domain.clone()));
            let media = world.server(Side::Old).media_host.clone();
            *world = seed::world(old.0, new.0, old.1, new.1);
            for side in Side::BOTH {
                world.server_mut(side).media_host.clone_from(&media);
            }
            Ok(json!({}))
        }
        _ => Err(format!("{method} {name}: no such control call")),
    }
}

/// `{"on"?: bool, "per_token"?, "per_user"?, "paged"?, "per_address"?, "proxied"?: number}`, for both servers; what was used so far is forgotten.
fn limits(world: &mut World, body: &Value) -> Result<Value, String> {
    let number = |name: &str, slot: &mut u32| -> Result<(), String> {
        if let Some(value) = body.get(name) {
            let value = value.as_u64().and_then(|value| u32::try_from(value).ok());
            *slot = value.ok_or_else(|| format!("{name} is not a number"))?;
        }
        Ok(())
    };
    if let Some(limit) = body.get("follow_limit").and_then(Value::as_u64) {
        let only = body.get("server").map(|_| side(body)).transpose()?;
        for side in Side::BOTH.into_iter().filter(|side| only.is_none_or(|only| only == *side)) {
            world.server_mut(side).follow_limit = usize::try_from(limit).unwrap_or(usize::MAX);
        }
    }
    let mut numbers = world.server(Side::Old).rate.numbers;
    if let Some(on) = body.get("on").and_then(Value::as_bool) {
        numbers.on = on;
    }
    number("per_token", &mut numbers.per_token)?;
    number("per_user", &mut numbers.per_user)?;
    number("paged", &mut numbers.paged)?;
    number("per_address", &mut numbers.per_address)?;
    number("proxied", &mut numbers.proxied)?;
    for side in Side::BOTH {
        let rate = &mut world.server_mut(side).rate;
        rate.numbers = numbers;
        rate.clear();
    }
    Ok(
        json!({ "on": numbers.on, "per_token": numbers.per_token, "per_user": numbers.per_user, "paged": numbers.paged, "per_address": numbers.per_address, "proxied": numbers.proxied }),
    )
}

fn time(world: &World) -> Value {
    json!({ "now": crate::clock::iso_millis(world.now()), "now_ms": world.now(), "offset_seconds": world.clock_offset / SECOND })
}

fn side(body: &Value) -> Result<Side, String> {
    body.get("server")
        .and_then(Value::as_str)
        .and_then(Side::parse)
        .ok_or_else(|| "server must be old or new".to_owned())
}

fn person(world: &World, side: Side, body: &Value) -> Result<Id, String> {
    let name = body.get("user").and_then(Value::as_str).ok_or("user is missing")?;
    seed::local(world, side, name).ok_or_else(|| format!("nobody is called {name} there"))
}

fn requests(log: &[LogEntry]) -> Value {
    let all: Vec<Value> = log
        .iter()
        .map(|entry| {
            json!({
                "time": crate::clock::iso_millis(entry.at), "server": entry.side.name(), "method": entry.method, "path": entry.path, "query": entry.query, "user": entry.user,
                "status": entry.status, "auth": entry.auth,
            })
        })
        .collect();
    Value::Array(all)
}

fn state(world: &World) -> Value {
    let side = |side: Side| {
        let server = world.server(side);
        let accounts: serde_json::Map<String, Value> = server
            .local_accounts()
            .map(|account| (account.username.clone(), one(world, side, account.id)))
            .collect();
        json!({ "origin": server.origin, "domain": server.domain, "version": server.version.to_string(), "accounts": accounts })
    };
    json!({ "time": time(world), "old": side(Side::Old), "new": side(Side::New) })
}

/// The state of one person.
fn one(world: &World, side: Side, id: Id) -> Value {
    let server = world.server(side);
    let Some(account) = server.account(id) else { return Value::Null };
    let Some(user) = account.user.as_ref() else { return Value::Null };
    let names = |ids: Vec<Id>| ids.into_iter().map(|id| server.full_acct(id)).collect::<Vec<_>>();
    let followers = names(server.follows.to(account.id).map(|follow| follow.from).collect());
    let follows = names(server.follows.of(account.id).map(|follow| follow.to).collect());
    let requests = names(
        server
            .follow_requests
            .iter()
            .filter(|request| request.to == account.id)
            .map(|request| request.from)
            .collect(),
    );
    let requested = names(
        server
            .follow_requests
            .iter()
            .filter(|request| request.from == account.id)
            .map(|request| request.to)
            .collect(),
    );
    let aliases: Vec<Value> = account
        .aliases
        .iter()
        .map(|alias| json!({ "id": alias.id, "acct": alias.acct, "uri": alias.uri }))
        .collect();
    let migrations: Vec<Value> = user.migrations.iter().map(|migration| json!({ "acct": migration.acct, "followers": migration.followers, "at": crate::clock::iso_millis(migration.at) })).collect();
    let imports: Vec<Value> = user.imports.iter().map(|import| json!({ "id": import.id, "type": import.kind, "state": format!("{:?}", import.state), "total": import.total, "imported": import.imported, "failures": import.failures.len() })).collect();
    json!({
        "id": account.id.to_string(), "uri": account.uri, "email": user.email, "unconfirmed_email": user.unconfirmed_email, "confirmed": user.confirmed, "approved": user.approved,
        "functional": server.functional(account.id), "locked": account.locked, "moved_to": account.moved_to.map(|id| server.full_acct(id)),
        "cooldown_days": server.cooldown_until(account.id, world.now()).map(|until| (until - world.now() + DAY - 1) / DAY), "aliases": aliases, "migrations": migrations,
        "followers": followers, "follows": follows, "follow_requests": requests, "requested": requested, "imports": imports,
        "conversations": server.conversations.count(account.id),
        "mutes": names(server.mutes.iter().filter(|mute| mute.from == account.id).map(|mute| mute.to).collect()),
        "blocks": names(server.blocks.iter().filter(|block| block.from == account.id).map(|block| block.to).collect()),
        "domain_blocks": user.domain_blocks, "notifications": server.notifications.count(account.id),
    })
}

/// `{"domain", "silent"?: true, "wait_ms"?}`: servers of that domain answer nobody, or everybody again.
fn silent(world: &mut World, body: &Value) -> Result<Value, String> {
    let domain = body.get("domain").and_then(Value::as_str).ok_or("domain is missing")?.to_lowercase();
    if let Some(wait) = body.get("wait_ms").and_then(Value::as_u64) {
        world.silence = wait;
    }
    if body.get("silent").and_then(Value::as_bool).unwrap_or(true) {
        world.silent.insert(domain);
    } else {
        world.silent.remove(&domain);
        social::hear_again(world, &domain);
    }
    Ok(json!({ "silent": world.silent }))
}

/// `{"server", "user", "stuck"?: true}`: the imports of that person stay where they are, or go on.
fn stuck(world: &mut World, body: &Value) -> Result<Value, String> {
    let side = side(body)?;
    let id = person(world, side, body)?;
    let frozen = body.get("stuck").and_then(Value::as_bool).unwrap_or(true);
    let mut count = 0;
    if let Some(user) = world.server_mut(side).user_mut(id) {
        for import in user.imports.iter_mut().filter(|import| import.state != ImportState::Finished) {
            import.frozen = frozen;
            count += 1;
        }
    }
    Ok(json!({ "imports": count }))
}

/// Sets states of one person.
fn account(world: &mut World, body: &Value) -> Result<Value, String> {
    let side = side(body)?;
    let id = person(world, side, body)?;
    let now = world.now();
    let flag = |name: &str| body.get(name).and_then(Value::as_bool);
    if let Some(user) = world.server_mut(side).user_mut(id) {
        if let Some(confirmed) = flag("confirmed") {
            user.confirmed = confirmed;
            user.confirmation_sent_at = now;
        }
        if let Some(approved) = flag("approved") {
            user.approved = approved;
        }
        if let Some(email) = body.get("unconfirmed_email") {
            user.unconfirmed_email = email.as_str().map(str::to_owned);
        }
    }
    if let Some(account) = world.server_mut(side).account_mut(id) {
        if let Some(locked) = flag("locked") {
            account.locked = locked;
        }
        if let Some(hidden) = flag("hide_collections") {
            account.hide_collections = Some(hidden);
        }
        if let Some(suspended) = flag("suspended") {
            account.suspended = suspended;
        }
    }
    if let Some(target) = body.get("moved_to") {
        let target = match target.as_str() {
            Some(acct) => Some(
                federation::resolve(world, side, acct, false)
                    .ok_or_else(|| format!("{acct} could not be found"))?,
            ),
            None => None,
        };
        moves::set_redirect(world, side, id, target);
    }
    if let Some(days) = body.get("cooldown_days").and_then(Value::as_i64)
        && let Some(user) = world.server_mut(side).user_mut(id)
    {
        user.migrations.clear();
        if days > 0 {
            let at = now - (30 - days) * DAY;
            user.migrations.push(Migration {
                acct: "gone@remote.example".to_owned(),
                target: 0,
                followers: 0,
                at,
            });
        }
    }
    if let Some(list) = body.get("aliases").and_then(Value::as_array) {
        if let Some(account) = world.server_mut(side).account_mut(id) {
            account.aliases.clear();
            account.also_known_as.clear();
        }
        for acct in list.iter().filter_map(Value::as_str) {
            let target = federation::resolve(world, side, acct, false)
                .ok_or_else(|| format!("{acct} could not be found"))?;
            let server = world.server_mut(side);
            let (full, uri) = (
                server.full_acct(target),
                server.account(target).map(|account| account.uri.clone()).unwrap_or_default(),
            );
            let number = server.next_number();
            if let Some(account) = server.account_mut(id) {
                account.also_known_as.push(uri.clone());
                account.aliases.push(Alias { id: number, acct: full, uri });
            }
        }
    }
    Ok(one(world, side, id))
}

/// `{"server", "user", "shape": "full" | "small" | "hostile" | "large", "messages"?, "conversations"?, "moved_to"?: acct}`; the account is made if there is none.
fn give_correspondence(world: &mut World, body: &Value) -> Result<Value, String> {
    let side = side(body)?;
    let user = body.get("user").and_then(Value::as_str).ok_or("user is missing")?;
    let number = |name: &str, usual: u64| {
        usize::try_from(body.get(name).and_then(Value::as_u64).unwrap_or(usual)).unwrap_or(usize::MAX)
    };
    let shape = match body.get("shape").and_then(Value::as_str) {
        Some("full") | None => Shape::Full,
        Some("small") => Shape::Small,
        Some("hostile") => Shape::Hostile,
        Some("large") => Shape::Large {
            messages: number("messages", 100_000),
            conversations: number("conversations", 5_000),
        },
        Some(other) => return Err(format!("{other}: no such shape")),
    };
    let id = correspondence::give(world, side, user, shape);
    if let Some(acct) = body.get("moved_to").and_then(Value::as_str) {
        let target = federation::resolve(world, side, acct, false)
            .ok_or_else(|| format!("{acct} could not be found"))?;
        moves::set_redirect(world, side, id, Some(target));
    }
    Ok(json!({ "account_id": id.to_string() }))
}

/// A session without the form, for native tests: the cookie and the token that the page would hold.
fn sign_in(world: &mut World, body: &Value) -> Result<Value, String> {
    let side = side(body)?;
    let id = person(world, side, body)?;
    let now = world.now();
    let (key, session) = pages::auth::signed_in_session(id, now);
    let token = session.token.clone();
    world.server_mut(side).sessions.insert(key.clone(), session);
    Ok(
        json!({ "cookie": format!("_mastodon_session={key}"), "session": key, "token": token, "account_id": id.to_string() }),
    )
}

/// A private message arrives while a test runs: `{"server", "user", "from", "text", "in_reply_to"?}`.
fn message(world: &mut World, body: &Value) -> Result<Value, String> {
    let side = side(body)?;
    let to = person(world, side, body)?;
    let from = body.get("from").and_then(Value::as_str).ok_or("from is missing")?;
    let from = federation::resolve(world, side, from, false).ok_or("from could not be found")?;
    let at = world.now();
    let draft = social::Draft {
        text: body.get("text").and_then(Value::as_str).unwrap_or("Hello").to_owned(),
        visibility: Some(crate::state::Visibility::Direct),
        mentions: vec![to],
        in_reply_to: body.get("in_reply_to").and_then(Value::as_str).and_then(|id| id.parse().ok()),
        ..social::Draft::default()
    };
    let id = social::post(world, side, from, at, draft).ok_or("could not be posted")?;
    Ok(json!({ "id": id.to_string() }))
}
