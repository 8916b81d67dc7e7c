//! What a server says about itself.

use serde_json::{Value, json};

use super::{Call, not_found};
use crate::http::{Kind, Reply};
use crate::version::Version;

pub const VAPID: &str =
    "BEfYL972ExVzmKpzFDNBoQRHkK25gkkXlRcl8tP1bcIDtp5aTFb-Pif-O_6lFVC-Ij21DAY9enB2_ds8hp76dO8=";
const TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

pub fn route(call: &Call, parts: &[&str]) -> Result<Reply, Reply> {
    match parts {
        ["api", "v1", "instance"] => Ok(cached(&first(call))),
        ["api", "v2", "instance"] if call.version().at_least(Version::V4_1) => Ok(cached(&second(call))),
        ["api", "v1", "instance", "rules"] => Ok(Reply::json(200, &json!([]))),
        ["api", "v1", "instance", "peers"] => Ok(Reply::json(200, &json!([]))),
        ["api", "v1", "instance", "domain_blocks"] => {
            // Where the list is not shown to the public the answer has no JSON (facts 13.2).
            if call.server().blocked_domains.is_empty() {
                return Err(Reply::new(404, Kind::Api, "text/html; charset=utf-8", ""));
            }
            let all: Vec<Value> = call
                .server()
                .blocked_domains
                .iter()
                .map(|(domain, severity, comment)| json!({ "domain": domain, "digest": format!("{:064x}", domain.len()), "severity": severity, "comment": comment }))
                .collect();
            Ok(Reply::json(200, &Value::Array(all)))
        }
        _ => Err(not_found()),
    }
}

fn cached(value: &Value) -> Reply {
    Reply::json(200, value)
        .with("cache-control", "max-age=300, public, stale-while-revalidate=30, stale-if-error=86400")
        .with("vary", "Accept, Origin")
}

fn media() -> Value {
    json!({ "supported_mime_types": TYPES, "image_size_limit": 16_777_216, "image_matrix_limit": 33_177_600, "video_size_limit": 103_809_024, "video_frame_rate_limit": 120, "video_matrix_limit": 8_294_400 })
}

fn statuses() -> Value {
    json!({ "max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23 })
}

fn polls() -> Value {
    json!({ "max_options": 4, "max_characters_per_option": 50, "min_expiration": 300, "max_expiration": 2_629_746 })
}

fn first(call: &Call) -> Value {
    let server = call.server();
    json!({
        "uri": server.domain, "title": "Mastodon", "short_description": "", "description": "", "email": "", "version": server.version.full(),
        "urls": { "streaming_api": server.origin.replacen("http", "ws", 1) },
        "stats": { "user_count": server.local_accounts().count(), "status_count": server.statuses.len(), "domain_count": 1 },
        "thumbnail": format!("{}/packs/assets/preview.png", server.origin), "languages": ["en"], "registrations": true, "approval_required": false, "invites_enabled": true,
        "configuration": { "accounts": { "max_featured_tags": 10 }, "statuses": statuses(), "media_attachments": media(), "polls": polls() },
        "contact_account": null, "rules": [],
    })
}

fn second(call: &Call) -> Value {
    let server = call.server();
    let version = server.version;
    let mut urls = json!({ "streaming": server.origin.replacen("http", "ws", 1), "status": null });
    let mut accounts = json!({ "max_featured_tags": 10, "max_pinned_statuses": 5 });
    let mut out = json!({
        "domain": server.domain, "title": "Mastodon", "version": version.full(), "source_url": "https://github.com/mastodon/mastodon", "description": "",
        "usage": { "users": { "active_month": 0 } }, "thumbnail": { "url": format!("{}/packs/assets/preview.png", server.origin) },
        "icon": [{ "src": format!("{}/packs/assets/icon.png", server.origin), "size": "36x36" }], "languages": ["en"],
        "registrations": { "enabled": true, "approval_required": false, "message": null, "url": null }, "contact": { "email": "", "account": null }, "rules": [],
    });
    let mut configuration = json!({ "vapid": { "public_key": VAPID }, "statuses": statuses(), "media_attachments": media(), "polls": polls(), "translation": { "enabled": false } });
    if let Some(number) = version.api_version() {
        out["api_versions"] = json!({ "mastodon": number });
    }
    if version.at_least(Version::V4_6) {
        for (name, path) in [("about", "/about"), ("privacy_policy", "/privacy-policy")] {
            urls[name] = json!(format!("{}{path}", server.origin));
        }
        urls["terms_of_service"] = Value::Null;
        for (name, value) in [
            ("max_display_name_length", 40),
            ("max_note_length", 500),
            ("max_avatar_description_length", 150),
            ("max_header_description_length", 150),
            ("max_profile_fields", 4),
            ("profile_field_name_limit", 255),
            ("profile_field_value_limit", 255),
        ] {
            accounts[name] = json!(value);
        }
        configuration["media_attachments"]["description_limit"] = json!(10_000);
        let both = json!({ "local": "public", "remote": "public" });
        configuration["timelines_access"] =
            json!({ "live_feeds": both, "hashtag_feeds": both, "trending_link_feeds": both });
        configuration["limited_federation"] = json!(false);
        out["thumbnail"]["description"] = json!("A picture");
        out["registrations"]["reason_required"] = json!(false);
        out["registrations"]["min_age"] = Value::Null;
        out["wrapstodon"] = Value::Null;
    }
    configuration["urls"] = urls;
    configuration["accounts"] = accounts;
    out["configuration"] = configuration;
    out
}
