//! From the network to the handlers and back: reading requests, arranged faults, the log, cookies and the headers that every reply carries.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart};
use axum::http;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::{self, DAY};
use crate::faults::{self, FaultKind};
use crate::http::{Kind, Reply, Request, Upload};
use crate::state::{LogEntry, Server, Side, World, random_text};
use crate::{control, csp, media, moves, pages, route};

pub type Shared = Arc<Mutex<World>>;

/// Panics of a test must not hide behind a poisoned lock.
pub fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The connection ends here without an answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("closed on purpose")
    }
}

impl std::error::Error for Closed {}

/// Whose door a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    Server(Side),
    /// The third origin, where media may live.
    MediaHost,
}

impl Site {
    pub fn name(self) -> &'static str {
        match self {
            Site::Server(side) => side.name(),
            Site::MediaHost => "cdn",
        }
    }

    /// Which server reads the request; the media host belongs to both.
    fn side(self) -> Side {
        match self {
            Site::Server(side) => side,
            Site::MediaHost => Side::Old,
        }
    }
}

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Complete,
    /// The connection breaks before everything that was announced has come.
    CutShort,
    /// More of it comes for ever.
    Never,
}

/// A whole answer, with every header it carries.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub ending: Ending,
    /// How many milliseconds it takes, over the network.
    pub delay: u64,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, `Null` where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The connection was closed.
    Closed,
    /// Nothing comes, and nothing ends.
    Hangs,
}

/// Accepts connections until told to stop.
pub async fn run(listener: TcpListener, site: Site, shared: Shared, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        let Ok((stream, address)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let mut stop = stop.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| {
                handle(Arc::clone(&shared), site, address.ip().to_string(), request)
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                _ = connection => {}
                _ = stop.changed() => {}
            }
        });
    }
}

async fn handle(
    shared: Shared,
    site: Site,
    address: String,
    incoming: http::Request<Incoming>,
) -> Result<http::Response<Body>, Closed> {
    let host = incoming.headers().get("host").and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let wire_method = incoming.method().as_str().to_owned();
    let request = read(site.side(), address, incoming).await;
    if site != Site::MediaHost && request.path.starts_with("/__stand-in__/") {
        let mut world = lock(&shared);
        let reply = control::over_http(&mut world, &request);
        return Ok(on_the_wire(finish(&world, &request, reply), &wire_method));
    }
    let struck = {
        let mut world = lock(&shared);
        if let Site::Server(side) = site {
            world.hosts.push((side, host));
        }
        strike(&mut world, site, &request)
    };
    if let Some(FaultKind::Slow(millis)) = struck {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let outcome = process(&mut lock(&shared), site, &request, struck);
    match outcome {
        Ok(answer) => {
            if answer.delay > 0 {
                tokio::time::sleep(Duration::from_millis(answer.delay)).await;
            }
            Ok(on_the_wire(answer, &wire_method))
        }
        Err(Lost::Closed) => Err(Closed),
        Err(Lost::Hangs) => std::future::pending().await,
    }
}

/// The arranged trouble that strikes this request, if any.
pub fn strike(world: &mut World, site: Site, request: &Request) -> Option<FaultKind> {
    if world.faults.is_empty() {
        return None;
    }
    let target = if request.raw_query.is_empty() {
        request.path.clone()
    } else {
        format!("{}?{}", request.path, request.raw_query)
    };
    let (user, _) = describe_auth(world.server(site.side()), request);
    faults::strike_user(&mut world.faults, site.name(), user.as_deref(), &request.method, &target)
}

/// One request with the trouble that strikes it, from the session to the last header. Needs no network.
pub fn process(
    world: &mut World,
    site: Site,
    request: &Request,
    struck: Option<FaultKind>,
) -> Result<Answer, Lost> {
    let side = site.side();
    if struck == Some(FaultKind::SignOut) {
        let by_cookie = request.cookie("_mastodon_session").map(str::to_owned);
        let by_token = request.bearer().map(str::to_owned);
        world.server_mut(side).sessions.retain(|key, session| {
            by_cookie.as_ref() != Some(key) && (by_token.is_none() || session.token != by_token)
        });
    }
    // Reading through the API changes nothing that the API shows; anything else may.
    let path = request.path.as_str();
    let reading = request.method == "GET"
        && (path.starts_with("/system/") || (path.starts_with("/api/") && !path.contains("/search")));
    if reading {
        moves::tick_now_and_then(world);
        for side in Side::BOTH {
            world.server_mut(side).kept.keep(true);
        }
    } else {
        moves::tick(world);
        world.changed();
    }
    let (user, auth) = describe_auth(world.server(side), request);
    let at = world.now();
    let mut entry = LogEntry {
        at,
        side,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.raw_query.clone(),
        user,
        status: 0,
        auth,
    };
    let mut write = |world: &mut World, status: u16| {
        entry.status = status;
        let log = if site == Site::MediaHost { &mut world.media_log } else { &mut world.log };
        log.push(entry.clone());
    };
    match struck {
        Some(FaultKind::Close) => {
            write(world, 0);
            return Err(Lost::Closed);
        }
        Some(FaultKind::Hang) => {
            write(world, 0);
            return Err(Lost::Hangs);
        }
        Some(FaultKind::Repeat(number)) => {
            if let Some(kept) = world.repeated.get(&number).cloned() {
                write(world, kept.status);
                return Ok(kept);
            }
        }
        _ => {}
    }
    let arranged = match &struck {
        Some(FaultKind::Csrf) => Some(pages::layout::unverified(world.server(side))),
        Some(FaultKind::ImportError(text)) => {
            world.import_error = Some(text.clone());
            None
        }
        Some(kind) => faults::reply(kind, at),
        None => None,
    };
    let reply = arranged.unwrap_or_else(|| match site {
        Site::Server(_) => route::route(world, request),
        Site::MediaHost => media::at_the_media_host(world, request),
    });
    let mut answer = finish(world, request, reply);
    let mut retype = |kind: &str| {
        for (name, value) in &mut answer.headers {
            if name == "content-type" {
                kind.clone_into(value);
            }
        }
    };
    match struck {
        Some(FaultKind::CloseAfter) => {
            write(world, answer.status);
            return Err(Lost::Closed);
        }
        Some(FaultKind::ContentType(kind)) => retype(&kind),
        Some(FaultKind::Truncate) => answer.ending = Ending::CutShort,
        Some(FaultKind::Endless) => answer.ending = Ending::Never,
        Some(FaultKind::Repeat(number)) => {
            world.repeated.insert(number, answer.clone());
        }
        _ => {}
    }
    write(world, answer.status);
    Ok(answer)
}

fn on_the_wire(answer: Answer, method: &str) -> http::Response<Body> {
    let mut builder = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    let body = match answer.ending {
        _ if method == "HEAD" => Body::empty(),
        Ending::Complete => Body::from(answer.body),
        Ending::CutShort => {
            let half = answer.body.get(..answer.body.len() / 2).unwrap_or(&[]).to_vec();
            builder = builder.header("content-length", answer.body.len());
            Body::from_stream(futures_util::stream::unfold(Some(Bytes::from(half)), |half| async move {
                if let Some(half) = half {
                    return Some((Ok(half), None));
                }
                // What has been written must leave before the connection breaks, or nothing arrives at all.
                tokio::time::sleep(Duration::from_millis(30)).await;
                Some((Err(std::io::Error::other("cut off on purpose")), None))
            }))
        }
        Ending::Never => {
            let more = Bytes::from(vec![b' '; 4_096]);
            let first = Bytes::from(answer.body);
            Body::from_stream(futures_util::stream::unfold(Some(first), move |first| {
                let more = more.clone();
                async move {
                    if let Some(first) = first {
                        return Some((Ok::<_, std::io::Error>(first), None));
                    }
                    // Slowly, so that a test that waits does not fill the memory.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Some((Ok(more), None))
                }
            }))
        }
    };
    builder.body(body).unwrap_or_else(|error: http::Error| {
        let mut response = http::Response::new(Body::from(error.to_string()));
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn describe_auth(server: &Server, request: &Request) -> (Option<String>, &'static str) {
    let session = request.cookie("_mastodon_session").and_then(|id| server.sessions.get(id));
    let by_cookie = session.and_then(|session| session.account);
    let by_token = request
        .bearer()
        .and_then(|token| server.sessions.values().find(|session| session.token.as_deref() == Some(token)))
        .and_then(|session| session.account);
    let name =
        by_token.or(by_cookie).and_then(|id| server.account(id)).map(|account| account.username.clone());
    let auth = match (by_cookie.is_some(), request.bearer().is_some()) {
        (true, true) => "cookie+token",
        (true, false) => "cookie",
        (false, true) => "token",
        (false, false) => "none",
    };
    (name, auth)
}

async fn read(side: Side, address: String, incoming: http::Request<Incoming>) -> Request {
    let (parts, body) = incoming.into_parts();
    let raw_query = parts.uri.query().unwrap_or("").to_owned();
    let query: Vec<(String, String)> = serde_urlencoded::from_str(&raw_query).unwrap_or_default();
    let content_type =
        parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let mut form: Vec<(String, String)> = Vec::new();
    let mut files = Vec::new();
    let mut json = None;
    let headers = parts.headers.clone();
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    if content_type.starts_with("multipart/form-data") {
        let mut request = http::Request::from_parts(parts, Body::new(body));
        // The size of an upload is judged by the import form, not by the transport.
        DefaultBodyLimit::disable().apply(&mut request);
        if let Ok(multipart) = Multipart::from_request(request, &()).await {
            (form, files) = read_multipart(multipart).await;
        }
    } else {
        let bytes = axum::body::to_bytes(Body::new(body), 64 * 1024 * 1024).await.unwrap_or_default();
        if content_type.starts_with("application/x-www-form-urlencoded") {
            form = serde_urlencoded::from_bytes(&bytes).unwrap_or_default();
        } else if !bytes.is_empty() {
            json = serde_json::from_slice(&bytes).ok();
        }
    }
    let hidden = form.iter().rev().find(|(name, _)| name == "_method").map(|(_, value)| value.to_uppercase());
    let method = match hidden {
        Some(hidden) if method == "POST" => hidden,
        _ if method == "HEAD" => "GET".to_owned(),
        _ => method,
    };
    let path = percent_decode_str(&path).decode_utf8().map_or(path.clone(), std::borrow::Cow::into_owned);
    Request { side, method, path, raw_query, query, headers, form, json, files, address }
}

async fn read_multipart(mut multipart: Multipart) -> (Vec<(String, String)>, Vec<Upload>) {
    let (mut form, mut files) = (Vec::new(), Vec::new());
    while let Ok(Some(field)) = multipart.next_field().await {
        let name = field.name().unwrap_or("").to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content_type = field.content_type().unwrap_or("").to_owned();
        let Ok(bytes) = field.bytes().await else { break };
        match file_name {
            Some(file_name) if !file_name.is_empty() => {
                files.push(Upload { field: name, file_name, content_type, bytes: bytes.to_vec() })
            }
            Some(_) => {}
            None => form.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    (form, files)
}

/// Adds what every reply has.
fn finish(world: &World, request: &Request, reply: Reply) -> Answer {
    let now = world.now();
    let server = world.server(request.side);
    let nonce =
        reply.nonce.clone().unwrap_or_else(|| random_text().chars().take(22).collect::<String>() + "==");
    let mut out: Vec<(String, String)> = Vec::with_capacity(24);
    let mut add = |name: &str, value: &str| out.push((name.to_owned(), value.to_owned()));
    for (name, value) in csp::common_headers(server.version, reply.kind) {
        add(name, value);
    }
    let policy = match reply.kind {
        Kind::Page | Kind::SignIn | Kind::Gate | Kind::App => {
            Some(csp::page_policy(server.version, &server.origin, reply.kind, &nonce, reply.nonce.is_some()))
        }
        Kind::Api => Some(csp::API_POLICY.to_owned()),
        Kind::Media => Some(csp::MEDIA_POLICY.to_owned()),
        Kind::Sidekiq => Some(csp::sidekiq_policy(&nonce)),
        Kind::Bare => None,
    };
    if let Some(policy) = policy {
        add("content-security-policy", &policy);
    }
    let given = |name: &str| reply.header(name).is_some();
    match reply.kind {
        Kind::Page | Kind::SignIn | Kind::Gate | Kind::App | Kind::Api | Kind::Sidekiq
            if !given("cache-control") =>
        {
            add("cache-control", "private, no-store");
        }
        Kind::Bare if !given("cache-control") => add("cache-control", "no-store"),
        _ => {}
    }
    if reply.kind == Kind::Api && !given("vary") {
        add("vary", "Authorization, Origin");
    }
    if reply.kind == Kind::App && !given("vary") {
        let shared = allows_other_origins(request);
        add(
            "vary",
            if shared {
                "Accept, Accept-Language, Cookie, Origin"
            } else {
                "Accept, Accept-Language, Cookie"
            },
        );
    }
    if allows_other_origins(request) && request.header("origin").is_some() {
        add("access-control-allow-origin", "*");
        if request.path.starts_with("/api/") {
            add("access-control-allow-methods", "POST, PUT, DELETE, GET, PATCH, OPTIONS");
            add(
                "access-control-expose-headers",
                "Link, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id",
            );
        }
    }
    if matches!(reply.kind, Kind::Page | Kind::SignIn | Kind::App | Kind::Api) {
        let id = random_text();
        add("x-request-id", id.get(..32).unwrap_or("0"));
        add("x-runtime", "0.010000");
    }
    let mut headers = reply.headers;
    // Cookies that a page sets carry their life here, where the clock is known.
    for (name, value) in &mut headers {
        if name == "set-cookie" && value.starts_with("_session_id=") && !value.contains("expires") {
            value.push_str(&format!("; expires={}", clock::http_date(now + 365 * DAY)));
        }
    }
    out.append(&mut headers);
    Answer {
        status: reply.status,
        headers: out,
        body: reply.body,
        ending: Ending::Complete,
        delay: reply.delay,
    }
}

/// facts 2.3 "CORS".
fn allows_other_origins(request: &Request) -> bool {
    let path = request.path.as_str();
    ["/api/", "/.well-known/", "/nodeinfo/", "/users/", "/@"].iter().any(|start| path.starts_with(start))
}

/// Binds `port` on both loopback addresses; the second is a convenience and may be missing.
pub async fn bind(port: u16) -> std::io::Result<(Vec<TcpListener>, u16)> {
    let first = TcpListener::bind(("127.0.0.1", port)).await?;
    let port = first.local_addr()?.port();
    let mut all = vec![first];
    if let Ok(second) = TcpListener::bind(("::1", port)).await {
        all.push(second);
    }
    Ok((all, port))
}
