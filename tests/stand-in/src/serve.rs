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
use crate::{control, csp, moves, route};

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

/// Accepts connections until told to stop.
pub async fn run(listener: TcpListener, side: Side, shared: Shared, mut stop: watch::Receiver<bool>) {
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
                handle(Arc::clone(&shared), side, address.ip().to_string(), request)
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
    side: Side,
    address: String,
    incoming: http::Request<Incoming>,
) -> Result<http::Response<Body>, Closed> {
    let host = incoming.headers().get("host").and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let wire_method = incoming.method().as_str().to_owned();
    let request = read(side, address, incoming).await;
    if request.path.starts_with("/__stand-in__/") {
        let mut world = lock(&shared);
        let reply = control::over_http(&mut world, &request);
        return Ok(finish(&mut world, &request, reply, false));
    }
    let target = if request.raw_query.is_empty() {
        request.path.clone()
    } else {
        format!("{}?{}", request.path, request.raw_query)
    };
    let struck = {
        let mut world = lock(&shared);
        world.hosts.push((side, host));
        faults::strike(&mut world.faults, side.name(), &request.method, &target)
    };
    if let Some(FaultKind::Slow(millis)) = struck {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let mut world = lock(&shared);
    moves::tick(&mut world);
    if struck == Some(FaultKind::SignOut)
        && let Some(id) = request.cookie("_mastodon_session").map(str::to_owned)
    {
        world.server_mut(side).sessions.remove(&id);
    }
    let (user, auth) = describe_auth(world.server(side), &request);
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
    if struck == Some(FaultKind::Close) {
        world.log.push(entry);
        return Err(Closed);
    }
    let arranged = struck.as_ref().and_then(|kind| faults::reply(kind, at));
    let reply = arranged.unwrap_or_else(|| route::route(&mut world, &request));
    entry.status = reply.status;
    world.log.push(entry);
    let truncated = struck == Some(FaultKind::Truncate);
    let mut response = finish(&mut world, &request, reply, truncated);
    if wire_method == "HEAD" {
        *response.body_mut() = Body::empty();
    }
    Ok(response)
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

/// Adds what every reply has, and turns it into one for the network.
fn finish(world: &mut World, request: &Request, reply: Reply, truncated: bool) -> http::Response<Body> {
    let now = world.now();
    let server = world.server(request.side);
    let nonce =
        reply.nonce.clone().unwrap_or_else(|| random_text().chars().take(22).collect::<String>() + "==");
    let mut builder = http::Response::builder().status(reply.status);
    for (name, value) in csp::common_headers(server.version, reply.kind) {
        builder = builder.header(name, value);
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
        builder = builder.header("content-security-policy", policy);
    }
    let given = |name: &str| reply.header(name).is_some();
    match reply.kind {
        Kind::Page | Kind::SignIn | Kind::Gate | Kind::App | Kind::Api | Kind::Sidekiq
            if !given("cache-control") =>
        {
            builder = builder.header("cache-control", "private, no-store")
        }
        Kind::Bare if !given("cache-control") => builder = builder.header("cache-control", "no-store"),
        _ => {}
    }
    if reply.kind == Kind::Api && !given("vary") {
        builder = builder.header("vary", "Authorization, Origin");
    }
    if reply.kind == Kind::App && !given("vary") {
        let shared = allows_other_origins(request);
        builder = builder.header(
            "vary",
            if shared {
                "Accept, Accept-Language, Cookie, Origin"
            } else {
                "Accept, Accept-Language, Cookie"
            },
        );
    }
    if allows_other_origins(request) && request.header("origin").is_some() {
        builder = builder.header("access-control-allow-origin", "*");
        if request.path.starts_with("/api/") {
            builder = builder
                .header("access-control-allow-methods", "POST, PUT, DELETE, GET, PATCH, OPTIONS")
                .header(
                    "access-control-expose-headers",
                    "Link, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id",
                );
        }
    }
    if matches!(reply.kind, Kind::Page | Kind::SignIn | Kind::App | Kind::Api) {
        let id = random_text();
        builder = builder.header("x-request-id", id.get(..32).unwrap_or("0")).header("x-runtime", "0.010000");
    }
    let mut headers = reply.headers;
    // Cookies that a page sets carry their life here, where the clock is known.
    for (name, value) in &mut headers {
        if name == "set-cookie" && value.starts_with("_session_id=") && !value.contains("expires") {
            value.push_str(&format!("; expires={}", clock::http_date(now + 365 * DAY)));
        }
    }
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let body = if truncated {
        let half = reply.body.get(..reply.body.len() / 2).unwrap_or(&[]).to_vec();
        builder = builder.header("content-length", reply.body.len());
        let parts: Vec<Result<Bytes, std::io::Error>> =
            vec![Ok(Bytes::from(half)), Err(std::io::Error::other("cut off on purpose"))];
        Body::from_stream(futures_util::stream::iter(parts))
    } else {
        Body::from(reply.body)
    };
    builder.body(body).unwrap_or_else(|error: http::Error| {
        let mut response = http::Response::new(Body::from(error.to_string()));
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
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
