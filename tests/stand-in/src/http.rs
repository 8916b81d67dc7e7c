//! Requests as the handlers see them, and the replies they give. Handlers are plain functions from one to the other; only `serve` knows the network.

use axum::http::HeaderMap;
use percent_encoding::percent_decode_str;

use crate::state::Side;

/// A file of a multipart form.
#[derive(Clone, Debug)]
pub struct Upload {
    pub field: String,
    pub file_name: String,
    pub content_type: String,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub side: Side,
    /// The method after Rails' hidden `_method` has been applied.
    pub method: String,
    pub path: String,
    pub raw_query: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub form: Vec<(String, String)>,
    pub json: Option<serde_json::Value>,
    pub files: Vec<Upload>,
    pub address: String,
}

impl Request {
    /// A query parameter; the first of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeated parameter such as `id[]`.
    pub fn query_all(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A posted field; the last of that name, as Rack has it (a checkbox follows its hidden zero).
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter wherever it was given: form, JSON body or query.
    pub fn param(&self, name: &str) -> Option<String> {
        if let Some(value) = self.field(name) {
            return Some(value.to_owned());
        }
        if let Some(value) = self.json.as_ref().and_then(|json| json.get(name)) {
            return Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        self.query(name).map(str::to_owned)
    }

    /// All values of a list parameter, given as `name[]` or as a JSON array.
    pub fn params(&self, name: &str) -> Vec<String> {
        let bracketed = format!("{name}[]");
        let mut values: Vec<String> = self
            .form
            .iter()
            .chain(&self.query)
            .filter(|(key, _)| *key == bracketed)
            .map(|(_, value)| value.clone())
            .collect();
        if let Some(list) =
            self.json.as_ref().and_then(|json| json.get(name)).and_then(serde_json::Value::as_array)
        {
            values.extend(
                list.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
            );
        }
        values
    }

    /// Whether a list parameter was given at all, be it empty.
    pub fn has(&self, name: &str) -> bool {
        let bracketed = format!("{name}[]");
        self.form.iter().chain(&self.query).any(|(key, _)| *key == bracketed)
            || self.json.as_ref().is_some_and(|json| json.get(name).is_some())
    }

    /// `outer[inner]` of a form, or the same of a JSON body.
    pub fn nested(&self, outer: &str, inner: &str) -> Option<String> {
        if let Some(value) = self.field(&format!("{outer}[{inner}]")) {
            return Some(value.to_owned());
        }
        let value = self.json.as_ref()?.get(outer)?.get(inner)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.get_all("cookie");
        all.iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';')).find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim())
        })
    }

    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::trim)
    }

    /// The path split at its slashes, decoded.
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect()
    }

    pub fn wants_activity_json(&self) -> bool {
        self.header("accept").is_some_and(|accept| {
            accept.contains("application/activity+json") || accept.contains("application/ld+json")
        })
    }

    pub fn wants_json(&self) -> bool {
        self.header("accept")
            .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/html"))
            || self.path.ends_with(".json")
    }
}

/// Which set of security headers a reply carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Settings and auth pages, redirects, CSV files.
    Page,
    /// The sign-in page: a form may lead anywhere from it, since single sign-on does.
    SignIn,
    /// The redirect of those who must sign in first: the policy alone.
    Gate,
    /// The web app: no form may be sent from it since 4.3.
    App,
    /// `/api/*`.
    Api,
    /// Uploaded media and avatars.
    Media,
    /// Sidekiq has a policy of its own.
    Sidekiq,
    /// Style sheets, scripts and the control path: nothing added.
    Bare,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub kind: Kind,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The nonce that the page's `style-nonce` meta element announces.
    pub nonce: Option<String>,
    /// How many milliseconds the answer takes, over the network.
    pub delay: u64,
}

impl Reply {
    pub fn new(status: u16, kind: Kind, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            kind,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
            nonce: None,
            delay: 0,
        }
    }

    pub fn html(kind: Kind, status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, kind, "text/html; charset=utf-8", body)
    }

    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, Kind::Api, "application/json; charset=utf-8", crate::raw::text(value))
    }

    pub fn api_error(status: u16, text: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": text }))
    }

    pub fn redirect(to: &str) -> Self {
        Self::html(Kind::Page, 302, "").with("location", to)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
