//! The JSON shapes of accounts and statuses, by version (taken from real replies; the fidelity test compares them).

use serde_json::{Value, json};

use crate::clock::{self, Millis};
use crate::media;
use crate::state::{Account, Conversation, Edition, Emoji, Id, Media, MediaKind, Server, Status};
use crate::version::Version;

fn approval() -> Value {
    json!({ "automatic": [], "manual": [], "current_user": "denied" })
}

pub fn account(server: &Server, id: Id) -> Value {
    account_at_depth(server, id, true)
}

fn account_at_depth(server: &Server, id: Id, with_moved: bool) -> Value {
    let Some(account) = server.account(id) else { return Value::Null };
    let version = server.version;
    let picture = |picture: &Option<crate::state::Picture>, kind: &str| match picture {
        Some(picture) if !account.suspended => media::picture_address(server, id, picture, kind),
        _ => format!("{}/{kind}/original/missing.png", server.origin),
    };
    let (avatar, header) = (picture(&account.avatar, "avatars"), picture(&account.header, "headers"));
    let fields: Vec<Value> = account
        .fields
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value, "verified_at": null }))
        .collect();
    let last = if account.is_local() {
        server
            .by_author_open
            .get(&id)
            .and_then(|list| list.last())
            .and_then(|status| server.statuses.get(status))
            .map(|status| clock::date(status.at))
    } else {
        None
    };
    let mut out = json!({
        "id": id.to_string(), "username": account.username, "acct": account.acct(), "display_name": account.display_name, "locked": account.locked, "bot": account.bot,
        "discoverable": account.discoverable, "group": false, "created_at": clock::iso_millis(account.created_at), "note": format!("<p>{}</p>", account.note.replace('&', "&amp;").replace('<', "&lt;")),
        "url": account.url, "avatar": avatar, "avatar_static": avatar, "header": header, "header_static": header,
        "followers_count": server.followers_count(id), "following_count": server.following_count(id), "statuses_count": server.statuses_count(id), "last_status_at": last,
        "emojis": emojis_in(server, account), "fields": fields,
    });
    let local = account.is_local();
    if version.at_least(Version::V4_2) {
        out["uri"] = json!(account.uri);
        out["indexable"] = json!(account.indexable);
        out["hide_collections"] = json!(account.hide_collections);
    }
    if local && version.at_least(Version::V4_1) {
        out["noindex"] = json!(false);
        out["roles"] = json!([]);
    }
    if version.at_least(Version::V4_6) {
        let said = |picture: &Option<crate::state::Picture>| {
            picture.as_ref().map(|picture| picture.description.clone()).unwrap_or_default()
        };
        out["avatar_description"] = json!(said(&account.avatar));
        out["header_description"] = json!(said(&account.header));
        for name in ["show_media", "show_media_replies", "show_featured"] {
            out[name] = json!(true);
        }
        out["feature_approval"] = approval();
        if !local {
            out["feature_approval"]["automatic"] = json!(["disabled"]);
        }
    }
    if account.suspended {
        // Emptied, but still there (captures 4.6.5-api/suspended).
        for name in ["display_name", "note"] {
            out[name] = json!("");
        }
        out["discoverable"] = json!(false);
        out["fields"] = json!([]);
        out["suspended"] = json!(true);
    }
    if let Some(target) = account.moved_to.filter(|_| with_moved) {
        out["moved"] = account_at_depth(server, target, false);
    }
    out
}

/// The same as finished text, which can be put into a reply but not looked into.
pub fn kept_account(server: &Server, id: Id) -> Value {
    server.kept.account(id, || account(server, id))
}

/// As `kept_account`. A poll ends by the clock and is rendered anew.
pub fn kept_status(server: &Server, status: &Status, viewer: Option<Id>, now: Millis) -> Value {
    if status.poll.is_some() {
        return self::status(server, status, viewer, now);
    }
    server.kept.status((status.id, viewer), || self::status(server, status, viewer, now))
}

pub fn role(server: &Server, id: Id) -> Value {
    let owner = server.user(id).is_some_and(|user| user.owner);
    let mut out = if owner {
        json!({ "id": "3", "name": "Owner", "permissions": "2097151", "color": "", "highlighted": true })
    } else {
        json!({ "id": "-99", "name": "", "permissions": "65536", "color": "", "highlighted": false })
    };
    if server.version.at_least(Version::V4_6) {
        out["collection_limit"] = json!(10);
    }
    out
}

/// The account with `source`, for its owner alone.
pub fn credentials(server: &Server, account: &Account) -> Value {
    let version = server.version;
    let mut out = self::account(server, account.id);
    let waiting = server.follow_requests.iter().filter(|request| request.to == account.id).count().min(40);
    let fields: Vec<Value> = account
        .fields
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value, "verified_at": null }))
        .collect();
    let setting = |name: &str| account.user.as_ref().and_then(|user| user.settings.get(name).cloned());
    let privacy = setting("default_privacy").unwrap_or_else(|| "public".to_owned());
    let sensitive = setting("default_sensitive").is_some_and(|value| super::truthy(&value));
    let mut source = json!({ "privacy": privacy, "sensitive": sensitive, "language": setting("default_language"), "note": account.note, "fields": fields, "follow_requests_count": waiting });
    if version.at_least(Version::V4_2) {
        source["hide_collections"] = json!(account.hide_collections);
        source["discoverable"] = json!(account.discoverable);
        source["indexable"] = json!(account.indexable);
    }
    if version.at_least(Version::V4_6) {
        source["attribution_domains"] = json!([]);
        source["quote_policy"] =
            json!(setting("default_quote_policy").unwrap_or_else(|| "public".to_owned()));
    }
    out["source"] = source;
    if version.at_least(Version::V4_1) {
        out["role"] = role(server, account.id);
    }
    out
}

fn attachment(server: &Server, media: &Media) -> Value {
    let remote = media.remote_url.is_some();
    let address = |size: &str| media::address(server, media, size);
    let size = json!({ "width": media.width, "height": media.height, "size": format!("{}x{}", media.width, media.height), "aspect": f64::from(media.width) / f64::from(media.height) });
    let (kind, meta) = match media.kind {
        MediaKind::Mp4 => {
            let length = json!({ "width": media.width, "height": media.height, "frame_rate": "24/1", "duration": 2.5, "bitrate": 320_000 });
            (
                "video",
                json!({ "length": "0:00:02.50", "duration": 2.5, "fps": 24, "size": size["size"], "width": media.width, "height": media.height, "aspect": size["aspect"], "original": length, "small": size }),
            )
        }
        _ if remote => ("image", json!({ "original": size, "small": size })),
        _ => ("image", json!({ "original": size, "small": size, "focus": { "x": 0.0, "y": 0.0 } })),
    };
    json!({
        "id": media.id.to_string(), "type": kind, "url": address("original"), "preview_url": address("small"), "remote_url": media.remote_url, "preview_remote_url": null,
        "text_url": null, "meta": meta, "description": media.description, "blurhash": "UcBYa1J,jybIhqa+fPf2dtf9fLf3lhbFfRfl",
    })
}

fn emoji(server: &Server, emoji: &Emoji) -> Value {
    let url = match &server.media_host {
        _ if !emoji.url.starts_with('/') => emoji.url.clone(),
        Some(host) => format!("{host}{}", emoji.url),
        None => format!("{}/system{}", server.origin, emoji.url),
    };
    json!({ "shortcode": emoji.shortcode, "url": url, "static_url": url.replace("/original/", "/static/"), "visible_in_picker": true })
}

/// The server's own emoji; a local status may use them all.
/// Those of the server's own emoji that are named in an account's texts.
fn emojis_in(server: &Server, account: &Account) -> Vec<Value> {
    let fields = account.fields.iter().flat_map(|(name, value)| [name, value]);
    let all: Vec<&String> = [&account.display_name, &account.note].into_iter().chain(fields).collect();
    let named = |emoji: &&Emoji| all.iter().any(|text| text.contains(&format!(":{}:", emoji.shortcode)));
    let own = if account.is_local() { server.emojis.as_slice() } else { &[] };
    own.iter().filter(named).map(|known| emoji(server, known)).collect()
}

pub fn custom_emojis(server: &Server) -> Value {
    server.emojis.iter().map(|known| emoji(server, known)).collect()
}

/// Every version of a status, oldest first; mentions are plain words there (captures 4.6.5-api/dm/status_edited_history).
pub fn history(server: &Server, status: &Status) -> Value {
    let only = [Edition {
        at: status.at,
        text: status.text.clone(),
        spoiler_text: status.spoiler_text.clone(),
        media: status.media.clone(),
    }];
    let editions = if status.editions.is_empty() { only.as_slice() } else { status.editions.as_slice() };
    let names: String = status
        .mentions
        .iter()
        .filter_map(|id| server.account(*id))
        .map(|account| format!("@{} ", account.acct()))
        .collect();
    let all: Vec<Value> = editions
        .iter()
        .map(|edition| {
            let media: Vec<Value> = edition.media.iter().map(|media| attachment(server, media)).collect();
            let content = format!("<p>{names}{}</p>", crate::social::escape(&edition.text).replace('\n', "<br>"));
            let mut out = json!({
                "content": content, "spoiler_text": edition.spoiler_text, "sensitive": !edition.spoiler_text.is_empty(), "created_at": clock::iso_millis(edition.at),
                "account": account(server, status.author), "media_attachments": media, "emojis": emojis_of(server, status, &edition.text),
            });
            if let Some(poll) = &status.poll {
                out["poll"] = json!({ "options": poll.options.iter().map(|(title, _)| json!({ "title": title })).collect::<Vec<_>>() });
            }
            out
        })
        .collect();
    Value::Array(all)
}

fn emojis_of(server: &Server, status: &Status, text: &str) -> Vec<Value> {
    let local = server.account(status.author).is_some_and(Account::is_local);
    let known = if local { server.emojis.as_slice() } else { &[] };
    status
        .emojis
        .iter()
        .chain(known)
        .filter(|known| text.contains(':') && text.contains(&format!(":{}:", known.shortcode)))
        .map(|known| emoji(server, known))
        .collect()
}

pub fn status(server: &Server, status: &Status, viewer: Option<Id>, now: Millis) -> Value {
    let version = server.version;
    let parent = status.in_reply_to.and_then(|parent| server.statuses.get(&parent));
    let mentions: Vec<Value> = status
        .mentions
        .iter()
        .filter_map(|id| server.account(*id))
        .map(|account| json!({ "id": account.id.to_string(), "username": account.username, "url": account.url, "acct": account.acct() }))
        .collect();
    let media: Vec<Value> = status.media.iter().map(|media| attachment(server, media)).collect();
    let mut out = json!({
        "id": status.id.to_string(), "created_at": clock::iso_millis(status.at), "in_reply_to_id": parent.map(|parent| parent.id.to_string()),
        "in_reply_to_account_id": status.in_reply_to_account.map(|id| id.to_string()), "sensitive": !status.spoiler_text.is_empty(), "spoiler_text": status.spoiler_text,
        "visibility": status.visibility.name(), "language": "en", "uri": status.uri, "url": status.url,
        "replies_count": server.replies.get(&status.id).map_or(0, Vec::len), "reblogs_count": 0,
        "favourites_count": server.favourites.iter().filter(|mark| mark.status == status.id).count(), "content": status.content, "reblog": null,
        "account": kept_account(server, status.author), "media_attachments": media, "mentions": mentions, "tags": [], "emojis": emojis_of(server, status, &status.text), "card": null, "poll": null,
        "edited_at": status.edited_at.map(clock::iso_millis),
    });
    if let Some(viewer) = viewer {
        out["favourited"] =
            json!(server.favourites.iter().any(|mark| mark.owner == viewer && mark.status == status.id));
        out["bookmarked"] =
            json!(server.bookmarks.iter().any(|mark| mark.owner == viewer && mark.status == status.id));
        out["reblogged"] = json!(false);
        out["muted"] = json!(false);
        if version.at_least(Version::V4_1) {
            out["filtered"] = json!([]);
        }
        if viewer == status.author && status.visibility != crate::state::Visibility::Direct {
            out["pinned"] = json!(false);
        }
    }
    if server.account(status.author).is_some_and(Account::is_local) {
        out["application"] =
            if status.application { json!({ "name": "Web", "website": null }) } else { Value::Null };
    }
    if let Some(poll) = &status.poll {
        let options: Vec<Value> = poll
            .options
            .iter()
            .map(|(title, votes)| json!({ "title": title, "votes_count": votes }))
            .collect();
        let votes: u32 = poll.options.iter().map(|(_, votes)| votes).sum();
        out["poll"] = json!({
            "id": poll.id.to_string(), "expires_at": poll.expires_at.map(clock::iso_millis), "expired": poll.expires_at.is_some_and(|at| at < now), "multiple": poll.multiple,
            "votes_count": votes, "voters_count": votes, "options": options, "emojis": [],
        });
        if let Some(viewer) = viewer {
            let own = poll.votes.get(&viewer).cloned().unwrap_or_default();
            out["poll"]["voted"] = json!(viewer == status.author || !own.is_empty());
            out["poll"]["own_votes"] = json!(own);
        }
    }
    if version.at_least(Version::V4_5) {
        out["quotes_count"] = json!(0);
        out["quote"] = Value::Null;
        out["quote_approval"] = approval();
    }
    if version.at_least(Version::V4_6) {
        out["tagged_collections"] = json!([]);
    }
    if let Some(Value::Object(spoilt)) = &status.spoilt
        && let Some(fields) = out.as_object_mut()
    {
        for (name, value) in spoilt {
            if value.get("$remove").is_some() {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    out
}

/// A conversation entry; the accounts are the others, or oneself in a note to oneself.
pub fn conversation(server: &Server, entry: &Conversation, now: Millis) -> Value {
    let mut accounts: Vec<Value> = entry.participants.iter().map(|id| kept_account(server, *id)).collect();
    if accounts.is_empty() {
        accounts.push(account(server, entry.owner));
    }
    let last = entry
        .statuses
        .last()
        .and_then(|id| server.statuses.get(id))
        .map(|last| kept_status(server, last, Some(entry.owner), now));
    json!({ "id": entry.id.to_string(), "unread": entry.unread, "accounts": accounts, "last_status": last })
}
