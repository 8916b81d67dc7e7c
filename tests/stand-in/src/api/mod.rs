//! The REST API, as far as a person who moves needs it (facts 7, 13). Who asks is decided here; each group of endpoints has its own module.

pub mod accounts;
pub mod entity;
pub mod filters;
pub mod instance;
pub mod lists;
pub mod notifications;
pub mod paging;
pub mod profile;
pub mod relations;
pub mod statuses;
pub mod tags;

use serde_json::{Value, json};

use crate::clock::Millis;
use crate::http::{Kind, Reply, Request};
use crate::limits;
use crate::state::{Id, Server, Side, World};
use crate::version::Version;

/// One call: the world, the request, and who it comes from.
#[derive(Debug)]
pub struct Call<'a> {
    pub world: &'a mut World,
    pub request: &'a Request,
    /// By token, or by session cookie on a GET (facts 1.2: writes with a cookie alone count as anonymous).
    pub me: Option<Id>,
    pub by_token: bool,
}

impl Call<'_> {
    pub fn side(&self) -> Side {
        self.request.side
    }

    pub fn server(&self) -> &Server {
        self.world.server(self.request.side)
    }

    pub fn server_mut(&mut self) -> &mut Server {
        self.world.server_mut(self.request.side)
    }

    pub fn now(&self) -> Millis {
        self.world.now()
    }

    pub fn version(&self) -> Version {
        self.server().version
    }

    pub fn account(&self, id: Id) -> Value {
        entity::account(self.server(), id)
    }

    pub fn status(&self, id: Id) -> Option<Value> {
        self.server()
            .statuses
            .get(&id)
            .map(|status| entity::kept_status(self.server(), status, self.me, self.now()))
    }

    /// Who asks, where a working account and its token are required.
    pub fn require_user(&self) -> Result<Id, Reply> {
        let Some(me) = self.me.filter(|_| self.by_token) else { return Err(invalid_token()) };
        match refusal(self.server(), me) {
            Some(text) => Err(Reply::api_error(403, text)),
            None => Ok(me),
        }
    }
}

/// Rails' idea of what is true: everything but a few words.
pub fn truthy(text: &str) -> bool {
    !["", "0", "f", "F", "false", "FALSE", "off", "OFF"].contains(&text)
}

pub fn invalid_token() -> Reply {
    Reply::api_error(401, "The access token is invalid").with("www-authenticate", "Bearer realm=\"Doorkeeper\", error=\"invalid_token\", error_description=\"The access token is invalid\"")
}

pub fn not_found() -> Reply {
    Reply::api_error(404, "Record not found")
}

/// facts 7, verify_credentials: what stops an account from using the API.
pub fn refusal(server: &Server, me: Id) -> Option<&'static str> {
    let account = server.account(me)?;
    let user = account.user.as_ref()?;
    if !user.confirmed {
        Some("Your login is missing a confirmed e-mail address")
    } else if !user.approved {
        Some("Your login is currently pending approval")
    } else if account.moved_to.is_some() {
        Some("Your login is currently disabled")
    } else {
        None
    }
}

pub fn route(world: &mut World, request: &Request) -> Reply {
    let now = world.now();
    let server = world.server(request.side);
    if request.method == "OPTIONS" {
        return Reply::new(200, Kind::Bare, "text/plain", "")
            .with("access-control-allow-headers", "authorization, content-type, idempotency-key")
            .with("access-control-max-age", "7200");
    }
    let token_user = request
        .bearer()
        .and_then(|token| server.sessions.values().find(|session| session.token.as_deref() == Some(token)))
        .and_then(|session| session.account);
    let cookie_user = request
        .cookie("_mastodon_session")
        .and_then(|id| server.sessions.get(id))
        .and_then(|session| session.account)
        .filter(|_| request.method == "GET");
    let verdict = match limits::count(world.server_mut(request.side), request, token_user, now) {
        Ok(verdict) => verdict,
        Err(verdict) => return limits::refusal(verdict),
    };
    let reply = if request.bearer().is_some() && token_user.is_none() {
        invalid_token()
    } else {
        let mut call =
            Call { world, request, me: token_user.or(cookie_user), by_token: token_user.is_some() };
        dispatch(&mut call).unwrap_or_else(|refused| refused)
    };
    match verdict {
        Some(verdict) => verdict.apply(reply),
        None => reply,
    }
}

fn dispatch(call: &mut Call) -> Result<Reply, Reply> {
    let parts = call.request.segments();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let method = call.request.method.as_str();
    match (method, parts.as_slice()) {
        ("GET", ["api", "v1" | "v2", "instance", ..]) => instance::route(call, &parts),
        ("GET", ["api", "v1", "emails", "check_confirmation"]) => accounts::check_confirmation(call),
        ("POST", ["api", "v1", "emails", "confirmations"]) => {
            Ok(if call.by_token { Reply::api_error(403, "This method is only available to the application the user originally signed-up with") } else { invalid_token() })
        }
        (_, ["api", "v1", "accounts", rest @ ..]) => accounts::route(call, method, rest),
        ("GET" | "PATCH", ["api", "v1", "profile"]) => profile::profile(call),
        ("DELETE", ["api", "v1", "profile", which @ ("avatar" | "header")]) => profile::remove_picture(call, which),
        (_, ["api", "v1", "follow_requests", rest @ ..]) => relations::follow_requests(call, method, rest),
        ("GET", ["api", "v1", "mutes" | "blocks"]) => relations::listed(call, parts.get(2).copied().unwrap_or("")),
        (_, ["api", "v1", "domain_blocks", rest @ ..]) => relations::domain_blocks(call, method, rest),
        ("GET", ["api", "v1", "endorsements"]) => {
            let me = call.require_user()?;
            relations::endorsements(call, me)
        }
        (_, ["api", "v1", "conversations", rest @ ..]) => statuses::conversations(call, method, rest),
        (_, ["api", "v1", "statuses", rest @ ..]) => statuses::route(call, method, rest),
        ("GET", ["api", "v1", "bookmarks" | "favourites"]) => statuses::marks(call, parts.get(2).copied().unwrap_or("")),
        ("GET", ["api", "v1", "timelines", ..]) => statuses::timeline(call, &parts),
        (_, ["api", "v1" | "v2", "notifications", rest @ ..]) => notifications::route(call, method, parts.get(1).copied().unwrap_or("v1"), rest),
        (_, ["api", "v1", "lists", rest @ ..]) => lists::route(call, method, rest),
        ("GET", ["api", "v1", "followed_tags"]) => tags::followed(call),
        (_, ["api", "v1", "tags", rest @ ..]) => tags::route(call, method, rest),
        (_, ["api", "v1", "featured_tags", rest @ ..]) => tags::featured(call, method, rest),
        (_, ["api", "v1" | "v2", "filters", rest @ ..]) => filters::route(call, method, parts.get(1).copied().unwrap_or("v2"), rest),
        ("GET", ["api", "v2", "search"]) => accounts::search(call),
        ("GET", ["api", "v1", "apps", "verify_credentials"]) => {
            call.by_token.then(|| Reply::json(200, &json!({ "id": "1", "name": "Web", "website": null, "scopes": ["read", "write", "follow", "push"], "redirect_uris": ["urn:ietf:wg:oauth:2.0:oob"], "vapid_key": instance::VAPID, "redirect_uri": "urn:ietf:wg:oauth:2.0:oob" }))).ok_or_else(invalid_token)
        }
        ("GET", ["api", "v1", "markers"]) => {
            call.require_user()?;
            Ok(Reply::json(200, &json!({})))
        }
        ("GET", ["api", "v1", "announcements"]) => Ok(Reply::json(200, &json!([]))),
        ("GET", ["api", "v1", "custom_emojis"]) => Ok(Reply::json(200, &entity::custom_emojis(call.server()))),
        ("GET", ["api", "v1", "preferences"]) => profile::preferences(call),
        ("GET", ["oauth", "userinfo"]) => Err(Reply::api_error(403, "This action is outside the authorized scopes")),
        _ => Err(Reply::json(404, &json!({ "error": "Record not found" }))),
    }
}
