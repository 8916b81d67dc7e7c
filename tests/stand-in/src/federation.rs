//! What one server says about its people to others, and how a server gets to know people of others.
//!
//! The two servers ask each other in the same process, but by the same steps as over the network: WebFinger, then the actor document **as the other
//! server's three-minute cache has it**. That is how a look that came too early makes a move fail (facts 3.3, 13 "Alias").

use serde_json::{Value, json};

use crate::clock::{self, DAY, MINUTE, Millis};
use crate::faults;
use crate::http::{Kind, Reply, Request};
use crate::state::{Account, Elsewhere, Id, LogEntry, Server, Side, World};
use crate::version::Version;

/// How long an actor document, once rendered, is served unchanged.
pub const ACTOR_CACHE: Millis = 3 * MINUTE;

/// `/.well-known/webfinger` (facts 4): it answers for unconfirmed accounts too, and a 404 has no JSON.
pub fn webfinger(server: &Server, resource: &str) -> Reply {
    let acct = resource.strip_prefix("acct:").unwrap_or(resource).trim_start_matches('@');
    let by_url = server
        .accounts
        .users()
        .find(|account| account.is_local() && (account.uri == resource || account.url == resource))
        .map(|account| account.id);
    let by_acct = acct
        .split_once('@')
        .filter(|(_, domain)| domain.eq_ignore_ascii_case(&server.domain))
        .and_then(|(name, _)| server.find(name, None));
    let Some(account) = by_url.or(by_acct).and_then(|id| server.account(id)) else {
        return Reply::new(404, Kind::Page, "text/html; charset=utf-8", "")
            .with("cache-control", "max-age=180, public")
            .with("vary", "Accept, Origin");
    };
    let mut links = vec![
        json!({ "rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": account.url }),
        json!({ "rel": "self", "type": "application/activity+json", "href": account.uri }),
        json!({ "rel": "http://ostatus.org/schema/1.0/subscribe", "template": format!("{}/authorize_interaction?uri={{uri}}", server.origin) }),
    ];
    if server.version.at_least(Version::V4_6) {
        links.push(json!({ "rel": "https://w3id.org/fep/3b86/Create", "template": format!("{}/share?text={{content}}", server.origin) }));
        links.push(json!({ "rel": "https://w3id.org/fep/3b86/Object", "template": format!("{}/authorize_interaction?uri={{object}}", server.origin) }));
    }
    let body = json!({ "subject": format!("acct:{}", server.full_acct(account.id)), "aliases": [account.url, account.uri], "links": links });
    Reply::new(200, Kind::Page, "application/jrd+json; charset=utf-8", body.to_string())
        .with("cache-control", "max-age=259200, public")
        .with("vary", "Accept, Origin")
}

fn context(version: Version) -> Value {
    let id = |name: &str| json!({ "@id": name, "@type": "@id" });
    let mut terms = json!({
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers", "toot": "http://joinmastodon.org/ns#", "featured": id("toot:featured"),
        "featuredTags": id("toot:featuredTags"), "alsoKnownAs": id("as:alsoKnownAs"), "movedTo": id("as:movedTo"), "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue", "value": "schema:value", "discoverable": "toot:discoverable", "suspended": "toot:suspended",
        "memorial": "toot:memorial", "indexable": "toot:indexable", "attributionDomains": id("toot:attributionDomains"),
    });
    let mut all = vec![json!("https://www.w3.org/ns/activitystreams"), json!("https://w3id.org/security/v1")];
    if version.at_least(Version::V4_6) {
        all.push(json!("https://purl.archive.org/socialweb/webfinger"));
        for (term, value) in [
            ("attributionDomains", json!({ "@id": "toot:attributionDomains", "@container": "@set" })),
            ("showFeatured", json!("toot:showFeatured")),
            ("showMedia", json!("toot:showMedia")),
            ("showRepliesInMedia", json!("toot:showRepliesInMedia")),
            ("gts", json!("https://gotosocial.org/ns#")),
            ("interactionPolicy", id("gts:interactionPolicy")),
            ("canFeature", id("https://w3id.org/fep/7aa9#canFeature")),
            ("canQuote", id("gts:canQuote")),
            ("automaticApproval", id("gts:automaticApproval")),
            ("manualApproval", id("gts:manualApproval")),
        ] {
            terms[term] = value;
        }
    }
    all.push(terms);
    Value::Array(all)
}

/// The actor document as it would be rendered now.
fn render_actor(server: &Server, account: &Account) -> Value {
    let uri = &account.uri;
    let mut actor = json!({
        "@context": context(server.version), "id": uri, "type": "Person", "following": format!("{uri}/following"), "followers": format!("{uri}/followers"),
        "inbox": format!("{uri}/inbox"), "outbox": format!("{uri}/outbox"), "featured": format!("{uri}/collections/featured"),
        "featuredTags": format!("{uri}/collections/tags"), "preferredUsername": account.username, "name": account.display_name,
        "summary": format!("<p>{}</p>", account.note), "url": account.url, "manuallyApprovesFollowers": account.locked,
        "discoverable": account.discoverable.unwrap_or(false), "indexable": account.indexable, "published": format!("{}T00:00:00Z", clock::date(account.created_at)),
        "memorial": false,
        "publicKey": { "id": format!("{uri}#main-key"), "owner": uri, "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAstandinstandinstandinstandinstandinstandinstand=\n-----END PUBLIC KEY-----\n" },
        "tag": [], "endpoints": { "sharedInbox": format!("{}/inbox", server.origin) },
    });
    actor["attachment"] = account
        .fields
        .iter()
        .map(|(name, value)| json!({ "type": "PropertyValue", "name": name, "value": value }))
        .collect();
    if server.version.at_least(Version::V4_6) {
        actor["webfinger"] = json!(server.full_acct(account.id));
        for name in ["showFeatured", "showMedia", "showRepliesInMedia"] {
            actor[name] = json!(true);
        }
        actor["interactionPolicy"] = json!({ "canFeature": { "automaticApproval": [uri] } });
        actor["featuredCollections"] = json!(format!("{uri}/featured_collections"));
    }
    if !account.also_known_as.is_empty() {
        actor["alsoKnownAs"] = json!(account.also_known_as);
    }
    if let Some(target) = account.moved_to.and_then(|id| server.account(id)) {
        actor["movedTo"] = json!(target.uri);
    }
    actor
}

/// The actor document as served: from the cache if it was rendered less than three minutes ago.
fn cached_actor(server: &mut Server, id: Id, now: Millis) -> Option<String> {
    if !server.available(id) {
        return None;
    }
    if let Some((body, at)) = server.actor_cache.get(&id)
        && now - at < ACTOR_CACHE
    {
        return Some(body.clone());
    }
    let body = render_actor(server, server.account(id)?).to_string();
    server.actor_cache.insert(id, (body.clone(), now));
    Some(body)
}

/// `/users/NAME`, `/@NAME` or `/ap/users/ID`, asked for as ActivityPub. A signature is not checked; its presence counts as one.
pub fn actor_reply(server: &mut Server, id: Option<Id>, request: &Request, now: Millis) -> Reply {
    if server.secure_mode && request.header("signature").is_none() {
        return Reply::new(
            401,
            Kind::App,
            "application/json; charset=utf-8",
            json!({ "error": "Request not signed" }).to_string(),
        )
        .with("cache-control", "private, no-store")
        .with("vary", "Accept, Accept-Language, Cookie, Signature");
    }
    match id
        .filter(|id| server.account(*id).is_some_and(Account::is_local))
        .and_then(|id| cached_actor(server, id, now))
    {
        Some(body) => Reply::new(200, Kind::App, "application/activity+json; charset=utf-8", body).with(
            "cache-control",
            if server.secure_mode { "private, no-store" } else { "max-age=180, public" },
        ),
        None => Reply::new(
            404,
            Kind::App,
            "application/json; charset=utf-8",
            json!({ "error": "Not Found" }).to_string(),
        )
        .with("cache-control", "max-age=180, public"),
    }
}

/// Whether `domain` is refused by the moderators of `server`.
pub fn is_blocked_domain(server: &Server, domain: &str) -> bool {
    server.blocked_domains.iter().any(|(blocked, severity, _)| {
        severity == "suspend" && (domain == blocked || domain.ends_with(&format!(".{blocked}")))
    })
}

/// One server asks the other for a path; a fault that a test has laid there strikes it too.
fn passes_network(world: &mut World, asked: Side, path: &str) -> Result<bool, Broken> {
    let struck = faults::strike(&mut world.faults, asked.name(), "GET", path);
    let works = matches!(struck, None | Some(faults::FaultKind::Slow(_)));
    let at = world.now();
    world.log.push(LogEntry {
        at,
        side: asked,
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        user: None,
        status: if works { 200 } else { 503 },
        auth: "server",
    });
    match struck {
        Some(faults::FaultKind::Close | faults::FaultKind::CloseAfter | faults::FaultKind::Hang) => {
            Err(Broken)
        }
        _ => Ok(works),
    }
}

/// A copy of an account of `home` in the table of `viewer`, made or brought up to date from a fetched actor document.
fn store_copy(world: &mut World, viewer: Side, actor: &Value, username: &str, domain: &str) -> Id {
    let now = world.now();
    let home = world.side_of_domain(domain);
    let uri = actor["id"].as_str().unwrap_or_default().to_owned();
    let original = home.and_then(|side| world.server(side).find_uri(&uri).map(|id| (side, id)));
    let counts = original.map(|(side, id)| {
        let server = world.server(side);
        (server.followers_count(id), server.following_count(id), server.statuses_count(id))
    });
    let also_known_as: Vec<String> = actor["alsoKnownAs"]
        .as_array()
        .map(|list| list.iter().filter_map(|uri| uri.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let server = world.server_mut(viewer);
    let id = match server.find(username, Some(domain)) {
        Some(id) => id,
        None => {
            let id = server.next_snowflake(now);
            server.accounts.insert(id, blank_account(id, username, Some(domain.to_owned()), now));
            id
        }
    };
    let moved_to = actor["movedTo"].as_str().and_then(|uri| server.find_uri(uri));
    if let Some(copy) = server.account_mut(id) {
        copy.uri = uri;
        copy.url = actor["url"].as_str().unwrap_or_default().to_owned();
        copy.display_name = actor["name"].as_str().unwrap_or_default().to_owned();
        let summary = actor["summary"].as_str().unwrap_or_default();
        copy.note = summary.trim_start_matches("<p>").trim_end_matches("</p>").to_owned();
        copy.locked = actor["manuallyApprovesFollowers"].as_bool().unwrap_or(false);
        copy.discoverable = Some(actor["discoverable"].as_bool().unwrap_or(false));
        copy.hide_collections = Some(false);
        copy.also_known_as = also_known_as;
        copy.moved_to = moved_to;
        copy.fetched_at = now;
        if let Some((followers, following, statuses)) = counts {
            (copy.remote_followers, copy.remote_following, copy.remote_statuses) =
                (followers, following, statuses);
        }
    }
    id
}

pub fn blank_account(id: Id, username: &str, domain: Option<String>, now: Millis) -> Account {
    Account {
        id,
        username: username.to_owned(),
        domain,
        display_name: String::new(),
        note: String::new(),
        fields: Vec::new(),
        uri: String::new(),
        url: String::new(),
        locked: false,
        bot: false,
        discoverable: None,
        indexable: false,
        hide_collections: None,
        created_at: now.div_euclid(DAY) * DAY,
        also_known_as: Vec::new(),
        aliases: Vec::new(),
        moved_to: None,
        fetched_at: now,
        remote_followers: 0,
        remote_following: 0,
        remote_statuses: 0,
        suspended: false,
        avatar: None,
        header: None,
        user: None,
    }
}

fn store_elsewhere(world: &mut World, viewer: Side, person: &Elsewhere) -> Id {
    let actor = json!({
        "id": format!("https://{}/users/{}", person.domain, person.username), "url": format!("https://{}/@{}", person.domain, person.username),
        "name": person.display_name, "summary": format!("<p>{} lives elsewhere.</p>", person.display_name), "manuallyApprovesFollowers": person.locked,
    });
    let id = store_copy(world, viewer, &actor, &person.username, &person.domain);
    let moved_to = person
        .moved_to
        .clone()
        .and_then(|to| if to.contains('@') { resolve(world, viewer, &to, false) } else { None });
    if let Some(copy) = world.server_mut(viewer).account_mut(id) {
        (copy.remote_followers, copy.remote_following, copy.remote_statuses) = (25, 40, 120);
        copy.moved_to = moved_to.or(copy.moved_to);
    }
    id
}

/// What asking for somebody has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Found(Id),
    Nobody,
    /// The connection broke, or nothing came.
    Unreachable,
}

/// The domains of people who exist because their name is asked for: as many as a large account needs.
pub const MASS: &str = "mass.example";

fn person_elsewhere(world: &World, username: &str, domain: &str) -> Option<Elsewhere> {
    let known = world.elsewhere.iter().find(|person| {
        person.username.eq_ignore_ascii_case(username) && person.domain.eq_ignore_ascii_case(domain)
    });
    known.cloned().or_else(|| {
        let digits = username.strip_prefix('m')?;
        let right = domain.ends_with(MASS) && digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
        right.then(|| Elsewhere {
            username: username.to_owned(),
            domain: domain.to_owned(),
            display_name: format!("Member {digits}"),
            follows_moves: true,
            locked: false,
            moved_to: None,
            gone: None,
        })
    })
}

/// As [`look`], for those who do not care why there is nobody.
pub fn resolve(world: &mut World, viewer: Side, acct: &str, fresh: bool) -> Option<Id> {
    match look(world, viewer, acct, fresh) {
        Look::Found(id) => Some(id),
        Look::Nobody | Look::Unreachable => None,
    }
}

/// How a server resolves `user@domain`. `fresh` asks again although a copy exists: what a move does since 4.0 (facts 3.2 point 3).
pub fn look(world: &mut World, viewer: Side, acct: &str, fresh: bool) -> Look {
    let found = |id: Option<Id>| id.map_or(Look::Nobody, Look::Found);
    let acct = acct.trim();
    let acct = acct.strip_prefix('@').unwrap_or(acct);
    let (username, domain) = match acct.split_once('@') {
        None => (acct, None),
        Some((name, domain)) => (name, Some(domain)),
    };
    if username.is_empty() || username.contains(['/', ':', ' ']) {
        return Look::Nobody;
    }
    let own = world.server(viewer).domain.clone();
    let Some(domain) = domain.filter(|domain| !domain.eq_ignore_ascii_case(&own)) else {
        // A local look-up skips every check of confirmation (facts 3.3, second row).
        return found(world.server(viewer).find(username, None));
    };
    if is_blocked_domain(world.server(viewer), domain) {
        return Look::Nobody;
    }
    let now = world.now();
    let known = world.server(viewer).find(username, Some(domain));
    if let Some(id) = known
        && !fresh
        && world.server(viewer).account(id).is_some_and(|copy| now - copy.fetched_at < DAY)
    {
        return Look::Found(id);
    }
    if world.silent.contains(&domain.to_lowercase()) {
        return Look::Unreachable;
    }
    let Some(home) = world.side_of_domain(domain) else {
        let Some(person) = person_elsewhere(world, username, domain) else { return Look::Nobody };
        if person.gone.is_some() {
            // 410 also takes away what one had of them.
            if let Some(copy) = known.and_then(|id| world.server_mut(viewer).account_mut(id)) {
                copy.suspended = person.gone == Some(410);
            }
            return Look::Nobody;
        }
        return Look::Found(store_elsewhere(world, viewer, &person));
    };
    if is_blocked_domain(world.server(home), &own) {
        return Look::Nobody;
    }
    match fetch(world, home, username) {
        Ok(Some(actor)) => {
            let exact = actor["preferredUsername"].as_str().unwrap_or(username).to_owned();
            Look::Found(store_copy(world, viewer, &actor, &exact, domain))
        }
        Ok(None) => Look::Nobody,
        Err(Broken) => Look::Unreachable,
    }
}

/// The connection to the other server broke, which is more than a bad answer.
#[derive(Debug)]
struct Broken;

/// WebFinger and then the actor document of somebody of `home`, as the other server asks for them.
fn fetch(world: &mut World, home: Side, username: &str) -> Result<Option<Value>, Broken> {
    if !passes_network(world, home, "/.well-known/webfinger")? {
        return Ok(None);
    }
    let Some(original) = world.server(home).find(username, None) else { return Ok(None) };
    let path = world.server(home).account(original).map(|account| account.uri.clone()).unwrap_or_default();
    let path = path.strip_prefix(&world.server(home).origin).unwrap_or(&path).to_owned();
    if !passes_network(world, home, &path)? {
        return Ok(None);
    }
    let now = world.now();
    let document = cached_actor(world.server_mut(home), original, now);
    Ok(document.and_then(|document| serde_json::from_str(&document).ok()))
}

/// The copy of `id` (an account of `home`) in the table of `viewer`, without asking the network: what an arriving activity carries along.
pub fn copy_of(world: &mut World, home: Side, id: Id, viewer: Side) -> Option<Id> {
    if home == viewer {
        return Some(id);
    }
    let account = world.server(home).account(id)?;
    let actor = render_actor(world.server(home), account);
    let username = account.username.clone();
    let domain = match account.domain.clone() {
        Some(domain) if world.side_of_domain(&domain) == Some(viewer) => {
            return world.server(viewer).find(&username, None);
        }
        Some(domain) => domain,
        None => world.server(home).domain.clone(),
    };
    Some(store_copy(world, viewer, &actor, &username, &domain))
}

/// The original of an account that `viewer` knows, if it lives on one of the two servers.
pub fn original_of(world: &World, viewer: Side, id: Id) -> Option<(Side, Id)> {
    let account = world.server(viewer).account(id)?;
    match &account.domain {
        None => Some((viewer, id)),
        Some(domain) => {
            let home = world.side_of_domain(domain)?;
            world.server(home).find(&account.username, None).map(|original| (home, original))
        }
    }
}

/// An `Update` reaches the other server if someone there follows the account (facts 4: sent when an alias is made, not when one is removed).
pub fn distribute_update(world: &mut World, home: Side, id: Id) {
    let viewer = home.other();
    let Some((username, domain)) = world
        .server(home)
        .account(id)
        .map(|account| (account.username.clone(), world.server(home).domain.clone()))
    else {
        return;
    };
    let Some(copy) = world.server(viewer).find(&username, Some(&domain)) else { return };
    let followed = world.server(viewer).follows.count_to(copy) > 0;
    if followed && world.server(home).available(id) {
        copy_of(world, home, id, viewer);
    }
}
