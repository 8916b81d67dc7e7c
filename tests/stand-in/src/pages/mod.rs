//! The HTML pages: who is asking, what they may see, and which page answers.

pub mod account;
pub mod alias;
pub mod auth;
pub mod export;
pub mod form;
pub mod import;
pub mod layout;
pub mod migration;
pub mod profile;
pub mod sidekiq;
pub mod web;

use crate::clock::Millis;
use crate::csrf;
use crate::http::{Kind, Reply, Request};
use crate::state::{Id, Server, Session, Side, World, random, random_text};

/// One visit of a page: the world, the request, the session (made if there was none) and who is signed in.
#[derive(Debug)]
pub struct Visit<'a> {
    pub world: &'a mut World,
    pub request: &'a Request,
    pub session_id: String,
    pub me: Option<Id>,
    fallback: Session,
}

impl<'a> Visit<'a> {
    pub fn begin(world: &'a mut World, request: &'a Request) -> Self {
        let now = world.now();
        let server = world.server_mut(request.side);
        let known = request
            .cookie("_mastodon_session")
            .filter(|id| server.sessions.contains_key(*id))
            .map(str::to_owned);
        let session_id = known.unwrap_or_else(|| {
            let id = random_text();
            server.sessions.insert(id.clone(), blank_session(now));
            id
        });
        let me = server
            .sessions
            .get(&session_id)
            .and_then(|session| session.account)
            .filter(|id| server.user(*id).is_some());
        Self { world, request, session_id, me, fallback: blank_session(now) }
    }

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

    pub fn session(&self) -> &Session {
        self.server().sessions.get(&self.session_id).unwrap_or(&self.fallback)
    }

    pub fn session_mut(&mut self) -> Option<&mut Session> {
        let id = self.session_id.clone();
        self.server_mut().sessions.get_mut(&id)
    }

    pub fn flash(&mut self, kind: &'static str, text: &str) {
        if let Some(session) = self.session_mut() {
            session.flash.push((kind, text.to_owned()));
        }
    }

    pub fn take_flash(&mut self) -> Vec<(&'static str, String)> {
        self.session_mut().map(|session| std::mem::take(&mut session.flash)).unwrap_or_default()
    }

    /// A redirect within this server, with the full address as Rails writes it.
    pub fn redirect(&self, path: &str) -> Reply {
        Reply::redirect(&format!("{}{path}", self.server().origin))
    }

    pub fn redirect_for_good(&self, path: &str) -> Reply {
        let mut reply = self.redirect(path).with("cache-control", "no-cache");
        reply.status = 301;
        reply
    }

    /// The cookies that Mastodon sends anew with every page.
    pub fn with_cookies(&self, reply: Reply) -> Reply {
        let session = format!("_mastodon_session={}; path=/; HttpOnly; SameSite=Lax", self.session_id);
        let reply = reply.with("set-cookie", &session);
        if self.session().account.is_some() {
            let short = self.session_id.chars().take(32).collect::<String>();
            reply.with("set-cookie", &format!("_session_id={short}; path=/; HttpOnly; SameSite=Lax"))
        } else {
            reply
        }
    }
}

fn blank_session(now: Millis) -> Session {
    Session { secret: random(), account: None, token: None, flash: Vec::new(), return_to: None, at: now }
}

/// Which pages a person may open whose account is unconfirmed, pending or moved (facts 1.7).
fn skips_functional_check(path: &str) -> bool {
    path == "/auth"
        || path.starts_with("/auth/")
        || path == "/settings/export"
        || path.starts_with("/settings/exports/")
        || path.starts_with("/settings/migration")
        || path.starts_with("/settings/aliases")
        || path == "/settings/delete"
        || path.starts_with("/settings/sessions")
        || path.starts_with("/settings/login_activities")
        || path.starts_with("/settings/two_factor")
        || path.starts_with("/oauth/")
}

fn needs_sign_in(path: &str) -> bool {
    path.starts_with("/settings")
        || path == "/auth/edit"
        || path == "/auth/setup"
        || path == "/relationships"
        || path.starts_with("/sidekiq")
        || path == "/start"
        || path == "/share"
        || path == "/filters"
}

/// Public pages that anybody may read in any state.
fn is_public(path: &str) -> bool {
    path == "/about"
        || path.starts_with("/@")
        || path.starts_with("/users/")
        || path.starts_with("/privacy-policy")
}

pub fn route(world: &mut World, request: &Request) -> Reply {
    let mut visit = Visit::begin(world, request);
    let reply = answer(&mut visit);
    visit.with_cookies(reply)
}

fn answer(visit: &mut Visit) -> Reply {
    let request = visit.request;
    let path = request.path.as_str();
    if request.method != "GET" && !csrf::allows(visit.session(), request, &visit.server().origin) {
        return layout::unverified(visit.server());
    }
    if visit.me.is_none() && needs_sign_in(path) {
        if request.method == "GET"
            && let Some(session) = visit.session_mut()
        {
            session.return_to = Some(path.to_owned());
        }
        visit.flash("alert", "You need to login or sign up before continuing.");
        // This redirect is made before the pages' own headers are set.
        let mut reply = visit.redirect("/auth/sign_in").with("cache-control", "no-cache");
        reply.kind = Kind::Gate;
        return reply;
    }
    if let Some(me) = visit.me
        && !visit.server().functional(me)
        && !skips_functional_check(path)
        && !is_public(path)
    {
        return refuse_non_functional(visit, me);
    }
    let parts = request.segments();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["auth", "sign_in"]) => auth::sign_in_page(visit, None),
        ("POST", ["auth", "sign_in"]) => auth::sign_in(visit),
        ("DELETE", ["auth", "sign_out"]) => auth::sign_out(visit),
        ("GET", ["auth", "setup"]) => auth::setup_page(visit),
        ("PATCH" | "PUT", ["auth", "setup"]) => auth::setup(visit),
        ("GET", ["auth", "confirmation", "new"]) => auth::confirmation_page(visit),
        ("GET", ["auth", "confirmation"]) => auth::confirm(visit),
        ("POST", ["auth", "confirmation"]) => auth::resend(visit),
        ("GET", ["auth", "edit"]) => account::page(visit, None),
        ("PUT" | "PATCH", ["auth"]) => account::update(visit),
        ("GET", ["settings"]) => visit.redirect_for_good("/settings/profile"),
        ("GET", ["settings", "preferences"]) => visit.redirect_for_good("/settings/preferences/appearance"),
        ("GET", [".well-known", "change-password"]) => visit.redirect("/auth/edit"),
        (_, ["settings", "migration", ..]) => migration::route(visit, parts.get(2..).unwrap_or(&[])),
        (_, ["settings", "aliases", ..]) => alias::route(visit, parts.get(2..).unwrap_or(&[])),
        (_, ["settings", "export"] | ["settings", "exports", ..]) => {
            export::route(visit, parts.get(1..).unwrap_or(&[]))
        }
        (_, ["settings", "imports" | "import", ..]) => import::route(visit, parts.get(1..).unwrap_or(&[])),
        ("GET", ["settings", "delete"]) => profile::delete_page(visit, None),
        ("DELETE", ["settings", "delete"]) => profile::delete(visit),
        ("GET", ["settings", "profile"]) => profile::page(visit),
        ("PUT" | "PATCH", ["settings", "profile"]) => profile::update(visit),
        ("DELETE", ["settings", "profile", "pictures", which]) => profile::remove_picture(visit, which),
        ("GET", ["share"]) => web::share(visit),
        ("GET", ["settings", "privacy"]) => profile::privacy_page(visit),
        ("PUT" | "PATCH", ["settings", "privacy"]) => profile::privacy(visit),
        ("GET", ["settings", "preferences", _]) => profile::appearance(visit),
        ("GET", ["relationships"]) => profile::relationships(visit),
        ("GET", ["sidekiq", ..]) => sidekiq::page(visit, parts.get(1).copied().unwrap_or("")),
        ("GET", ["web", rest @ ..]) => visit.redirect(&format!("/{}", rest.join("/"))),
        (
            "GET",
            []
            | [
                "home" | "conversations" | "start" | "about" | "notifications" | "explore" | "public"
                | "privacy-policy" | "getting-started" | "lists" | "bookmarks",
                ..,
            ]
            | ["profile", "edit"],
        ) => web::app(visit),
        ("GET", [handle] | [handle, _]) if handle.starts_with('@') => web::profile(visit, handle),
        ("GET", ["users", name]) => visit.redirect(&format!("/@{name}")),
        ("GET", ["ap", "users", id]) => web::by_id(visit, id),
        _ => layout::not_found(visit.server()),
    }
}

/// facts 1.7, table: where Mastodon sends those who may not.
fn refuse_non_functional(visit: &mut Visit, me: Id) -> Reply {
    let server = visit.server();
    let confirmed = server.user(me).is_some_and(|user| user.confirmed);
    if visit.request.wants_json() {
        return Reply::api_error(
            403,
            crate::api::refusal(server, me).unwrap_or("Your login is currently disabled"),
        );
    }
    if server.version.unconfirmed_lands_on_setup() && !confirmed {
        visit.redirect("/auth/setup").with("cache-control", "no-cache")
    } else {
        visit.redirect("/auth/edit").with("cache-control", "no-cache")
    }
}
