//! Troubles that a test arranges beforehand: the n-th matching request from now fails in a chosen way.

use serde_json::Value;

use crate::clock::{MINUTE, Millis};
use crate::http::{Kind, Reply};
use crate::limits::{self, Verdict};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection is closed without an answer.
    Close,
    Status(u16),
    /// 429 as Mastodon sends it, but without the rate-limit headers (a proxy's own limit).
    TooManyWithoutHeaders,
    /// 200 with an HTML page where something else was asked for.
    Html,
    /// 200 with nothing.
    Empty,
    Redirect(String),
    /// The right answer, this many milliseconds late.
    Slow(u64),
    /// The session of the request ends just before it is handled.
    SignOut,
    /// The right answer, cut off in the middle: fewer bytes come than were announced.
    Truncate,
    /// The server acts, and the connection is closed without an answer.
    CloseAfter,
    /// Neither an answer nor an end.
    Hang,
    /// The right answer, and then more for ever.
    Endless,
    /// The right bytes under another content type.
    ContentType(String),
    /// An HTML page under this content type.
    HtmlAs(String),
    /// 200 with this JSON, whatever it is.
    Body(String),
    /// The token of the form is refused: the page with status 422.
    Csrf,
    /// The import form comes again with this message.
    ImportError(String),
    /// The first answer again and again, whatever is asked for.
    Repeat(u64),
}

impl FaultKind {
    fn parse(text: &str) -> Result<Self, String> {
        let (head, tail) = text.split_once(':').unwrap_or((text, ""));
        Ok(match head {
            "close" => Self::Close,
            "status" if tail == "429-no-header" => Self::TooManyWithoutHeaders,
            "status" => Self::Status(tail.parse().map_err(|_| format!("{text}: not a status"))?),
            "429-no-header" => Self::TooManyWithoutHeaders,
            "html" => Self::Html,
            "empty" => Self::Empty,
            "redirect" => Self::Redirect(tail.to_owned()),
            "slow" => Self::Slow(tail.parse().map_err(|_| format!("{text}: not a number of milliseconds"))?),
            "sign-out" => Self::SignOut,
            "truncate" => Self::Truncate,
            "close-after" => Self::CloseAfter,
            "hang" => Self::Hang,
            "endless" => Self::Endless,
            "content-type" => Self::ContentType(tail.to_owned()),
            "html-as" => Self::HtmlAs(tail.to_owned()),
            "body" => Self::Body(tail.to_owned()),
            "csrf" => Self::Csrf,
            "import-error" => Self::ImportError(tail.to_owned()),
            "repeat" => Self::Repeat(crate::state::random()),
            _ => return Err(format!("{text}: no such kind of fault")),
        })
    }
}

#[derive(Clone, Debug)]
pub struct Fault {
    pub server: Option<String>,
    /// Only requests with a session or token of this person.
    pub user: Option<String>,
    pub path_prefix: String,
    pub path_contains: String,
    pub method: Option<String>,
    /// How many matching requests pass before the fault begins.
    pub skip: u64,
    pub left: u64,
    pub kind: FaultKind,
}

impl Fault {
    /// From the body of `POST /__stand-in__/fault`.
    pub fn parse(body: &Value) -> Result<Self, String> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let kind = FaultKind::parse(text("kind").ok_or("kind is missing")?)?;
        // A page is repeated for ever unless told otherwise; anything else strikes once.
        let count = if matches!(kind, FaultKind::Repeat(_)) { u64::MAX } else { 1 };
        Ok(Self {
            server: text("server").map(str::to_owned),
            user: text("user").map(str::to_owned),
            path_prefix: text("path_prefix").unwrap_or("").to_owned(),
            path_contains: text("path_contains").unwrap_or("").to_owned(),
            method: text("method").map(str::to_uppercase),
            skip: body.get("nth").and_then(Value::as_u64).unwrap_or(1).saturating_sub(1),
            left: body.get("count").and_then(Value::as_u64).unwrap_or(count),
            kind,
        })
    }
}

/// The fault that strikes this request, if any. Every matching fault counts the request.
pub fn strike(
    faults: &mut Vec<Fault>,
    server: &str,
    method: &str,
    path_and_query: &str,
) -> Option<FaultKind> {
    strike_user(faults, server, None, method, path_and_query)
}

/// The same, for requests of which it is known whose they are.
pub fn strike_user(
    faults: &mut Vec<Fault>,
    server: &str,
    user: Option<&str>,
    method: &str,
    path_and_query: &str,
) -> Option<FaultKind> {
    let mut struck = None;
    for fault in faults.iter_mut() {
        let matches = fault.server.as_deref().is_none_or(|name| name == server)
            && fault.method.as_deref().is_none_or(|name| name == method)
            && fault.user.as_deref().is_none_or(|name| user == Some(name))
            && path_and_query.starts_with(&fault.path_prefix)
            && path_and_query.contains(&fault.path_contains)
            && !(method == "GET" && matches!(fault.kind, FaultKind::Csrf | FaultKind::ImportError(_)));
        if !matches {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
        } else if struck.is_none() && fault.left > 0 {
            fault.left -= 1;
            struck = Some(fault.kind.clone());
        }
    }
    faults.retain(|fault| fault.left > 0);
    struck
}

/// The answer of a fault that answers by itself.
pub fn reply(kind: &FaultKind, now: Millis) -> Option<Reply> {
    match kind {
        FaultKind::Status(429) => {
            let resets_at = now.div_euclid(5 * MINUTE) * 5 * MINUTE + 5 * MINUTE;
            Some(limits::refusal(Verdict {
                limit: limits::PER_TOKEN,
                used: limits::PER_TOKEN + 1,
                resets_at,
            }))
        }
        FaultKind::Status(status) => Some(Reply::html(
            Kind::Bare,
            *status,
            format!(
                "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
            ),
        )),
        FaultKind::TooManyWithoutHeaders => Some(Reply::html(
            Kind::Bare,
            429,
            "<html><head><title>429 Too Many Requests</title></head><body><h1>429 Too Many Requests</h1></body></html>",
        )),
        FaultKind::Html => Some(Reply::html(
            Kind::Bare,
            200,
            "<!DOCTYPE html><html><head><title>Just a moment</title></head><body><p>Checking your browser.</p></body></html>",
        )),
        FaultKind::Empty => Some(Reply::new(200, Kind::Bare, "text/plain", "")),
        FaultKind::Redirect(to) => {
            Some(Reply::new(302, Kind::Bare, "text/html; charset=utf-8", "").with("location", to))
        }
        FaultKind::HtmlAs(kind) => Some(Reply::new(
            200,
            Kind::Bare,
            kind,
            "<!DOCTYPE html><html><body><script>document.title = 'run';</script></body></html>",
        )),
        FaultKind::Body(text) => {
            Some(Reply::new(200, Kind::Api, "application/json; charset=utf-8", text.as_str()))
        }
        FaultKind::Close
        | FaultKind::CloseAfter
        | FaultKind::Csrf
        | FaultKind::ImportError(_)
        | FaultKind::Hang
        | FaultKind::Endless
        | FaultKind::ContentType(_)
        | FaultKind::Repeat(_)
        | FaultKind::Slow(_)
        | FaultKind::SignOut
        | FaultKind::Truncate => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_the_nth_matching_request_as_often_as_told() {
        let body =
            serde_json::json!({ "path_contains": "/settings", "nth": 2, "count": 2, "kind": "status:503" });
        let mut faults = vec![Fault::parse(&body).unwrap()];
        let mut hits = |path: &str| strike(&mut faults, "old", "GET", path).is_some();
        assert!(!hits("/settings/aliases"));
        assert!(!hits("/api/v1/preferences"));
        assert!(hits("/settings/aliases"));
        assert!(hits("/settings/aliases"));
        assert!(!hits("/settings/aliases"));
    }
}
