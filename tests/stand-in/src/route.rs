//! Which part of a server answers a path.

use crate::http::{Kind, Reply, Request};
use crate::state::World;
use crate::{api, federation, media, pages};

const STYLE: &str = include_str!("assets/default.css");
const SCRIPT: &str = include_str!("assets/common.js");
const THEME: &str = include_str!("assets/theme-selection.js");
const LOGO: &str = include_str!("assets/logo.svg");

pub fn route(world: &mut World, request: &Request) -> Reply {
    let path = request.path.as_str();
    let asset = |content_type: &str, body: &str| {
        Reply::new(200, Kind::Bare, content_type, body).with("cache-control", "public, max-age=60")
    };
    match path {
        "/packs/assets/default.css" => return asset("text/css; charset=utf-8", STYLE),
        "/packs/common.js" => return asset("text/javascript; charset=utf-8", SCRIPT),
        "/packs/theme-selection.js" => return asset("text/javascript; charset=utf-8", THEME),
        "/packs/assets/logo.svg" => return asset("image/svg+xml", LOGO),
        "/manifest" => return asset("application/manifest+json", r#"{"name":"Mastodon","start_url":"/"}"#),
        "/custom.css" => return asset("text/css; charset=utf-8", ""),
        "/.well-known/webfinger" => {
            return federation::webfinger(
                world.server(request.side),
                request.query("resource").unwrap_or(""),
            );
        }
        _ => {}
    }
    if world.server(request.side).closing && !stays_open(path) {
        let server = world.server(request.side);
        return if path.starts_with("/api/") {
            Reply::new(410, Kind::Api, "application/json; charset=utf-8", r#"{"error":"Gone"}"#)
        } else {
            pages::layout::error(server, 410, "The page you were looking for doesn't exist here anymore.")
        };
    }
    if path.starts_with("/api/") || path == "/oauth/userinfo" {
        return api::route(world, request);
    }
    if let Some(reply) = media::route(world, request) {
        return reply;
    }
    if let Some(reply) = activity_pub(world, request) {
        return reply;
    }
    pages::route(world, request)
}

/// What a server that is closed for good still answers (facts 1.7): signing in, the account page, and everything with which
/// somebody takes their things away.
fn stays_open(path: &str) -> bool {
    let folders = ["/settings/exports/", "/backups/", "/auth/sessions/", "/settings/login_activities"];
    matches!(
        path,
        "/auth/edit" | "/auth" | "/auth/sign_in" | "/auth/sign_out" | "/auth/password" | "/settings/export"
    ) || folders.iter().any(|folder| path.starts_with(folder))
}

/// Actor documents, by whichever address and however named.
fn activity_pub(world: &mut World, request: &Request) -> Option<Reply> {
    if request.method != "GET" {
        return None;
    }
    let parts = request.segments();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let now = world.now();
    let server = world.server_mut(request.side);
    let json = request.wants_activity_json() || request.path.ends_with(".json");
    let id = match parts.as_slice() {
        ["users", name] if json => server.find(name.trim_end_matches(".json"), None),
        [handle] if json && handle.starts_with('@') => server.find_acct(handle.trim_end_matches(".json")),
        ["ap", "users", id] if json => id.parse().ok().filter(|id| server.account(*id).is_some()),
        _ => return None,
    };
    Some(federation::actor_reply(server, id, request, now))
}
