//! The servers without the network: a request in, an answer out, as many a second as the machine can do. What comes back is what the network would have carried,
//! arranged troubles included; only delays are left out.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::http::{Request, Upload};
use crate::serve::{self, Answer, Ending, Lost, Site};
use crate::state::Side;
use crate::{Control, clock, csrf, moves};

/// What a request says about who sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The `cookie` header.
    pub cookie: Option<String>,
    pub token: Option<String>,
}

impl Credentials {
    pub fn nobody() -> Self {
        Self::default()
    }

    /// As the web app asks.
    pub fn token_only(&self) -> Self {
        Self { cookie: None, token: self.token.clone() }
    }

    /// As a page asks without the token.
    pub fn cookie_only(&self) -> Self {
        Self { cookie: self.cookie.clone(), token: None }
    }
}

/// What a request carries.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    Nothing,
    Json(&'a serde_json::Value),
    /// `application/x-www-form-urlencoded`
    Form(&'a [(&'a str, &'a str)]),
    /// `multipart/form-data`
    Multipart {
        fields: &'a [(&'a str, &'a str)],
        files: &'a [File<'a>],
    },
    /// Bytes as they would be on the wire, of any of these kinds.
    Raw {
        content_type: &'a str,
        bytes: &'a [u8],
    },
}

/// A file of a multipart form.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    pub field: &'a str,
    pub name: &'a str,
    pub content_type: &'a str,
    pub bytes: &'a [u8],
}

impl Control {
    /// Signs in without a form and keeps both cookie and token.
    pub fn credentials(&self, side: Side, user: &str) -> Credentials {
        let (cookie, token) = self.sign_in(side, user);
        Credentials { cookie: Some(cookie), token: Some(token).filter(|token| !token.is_empty()) }
    }

    /// One request, answered in this thread.
    pub fn answer(
        &self,
        side: Side,
        method: &str,
        path_and_query: &str,
        session: &Credentials,
    ) -> Result<Answer, Lost> {
        self.ask(Site::Server(side), method, path_and_query, session, &[], &serde_json::Value::Null)
    }

    /// The same for a full address at one of the two servers or at the media host.
    pub fn fetch(&self, url: &str, session: &Credentials) -> Result<Answer, Lost> {
        let (site, rest) = self.with_world(|world| {
            let server = |side: Side| (Site::Server(side), world.server(side).origin.clone());
            let media = world.server(Side::Old).media_host.clone().map(|host| (Site::MediaHost, host));
            [server(Side::Old), server(Side::New)]
                .into_iter()
                .chain(media)
                .find_map(|(site, origin)| Some((site, url.strip_prefix(&origin)?.to_owned())))
                .unwrap_or((Site::MediaHost, "/nowhere".to_owned()))
        });
        // Cookies stay with their own host.
        let nobody = Credentials::nobody();
        let session = if site == Site::MediaHost { &nobody } else { session };
        self.ask(site, "GET", &rest, session, &[], &serde_json::Value::Null)
    }

    /// The general form, with further headers and a JSON body (`Null` for none).
    pub fn ask(
        &self,
        site: Site,
        method: &str,
        path_and_query: &str,
        session: &Credentials,
        headers: &[(&str, &str)],
        body: &serde_json::Value,
    ) -> Result<Answer, Lost> {
        let body = if body.is_null() { Body::Nothing } else { Body::Json(body) };
        self.send(site, method, path_and_query, session, headers, body)
    }

    /// The token of the page's `meta[name=csrf-token]`, for header `x-csrf-token` or field `authenticity_token`. Good for every form of this session.
    pub fn csrf_token(&self, side: Side, session: &Credentials) -> String {
        let world = serve::lock(&self.shared);
        let key = session
            .cookie
            .as_deref()
            .and_then(|cookie| cookie.split("; ").find_map(|pair| pair.strip_prefix("_mastodon_session=")));
        key.and_then(|key| world.server(side).sessions.get(key)).map(csrf::meta_token).unwrap_or_default()
    }

    /// Any request with any body. `_method` of a posted form counts as with Rails.
    pub fn send(
        &self,
        site: Site,
        method: &str,
        path_and_query: &str,
        session: &Credentials,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Result<Answer, Lost> {
        let request = request(site, method, path_and_query, session, headers, body);
        let mut world = serve::lock(&self.shared);
        let struck = serve::strike(&mut world, site, &request);
        let mut answer = serve::process(&mut world, site, &request, struck)?;
        // What the network's side adds, and what it loses.
        answer.headers.push(("content-length".to_owned(), answer.body.len().to_string()));
        answer.headers.push(("date".to_owned(), clock::http_date(world.now())));
        if answer.ending == Ending::CutShort {
            answer.body.truncate(answer.body.len() / 2);
        }
        Ok(answer)
    }

    /// A person of `side` redirects to `to`, or to nobody any more. `with_move` also writes the row that a real move leaves.
    pub fn set_moved(&self, side: Side, user: &str, to: Option<&str>, with_move: bool) {
        let cooldown = if with_move { 30 } else { 0 };
        self.post(
            "account",
            &json!({ "server": side.name(), "user": user, "moved_to": to, "cooldown_days": cooldown }),
        );
        self.with_world(moves::tick);
    }
}

fn request(
    site: Site,
    method: &str,
    path_and_query: &str,
    session: &Credentials,
    further: &[(&str, &str)],
    body: Body,
) -> Request {
    let (path, raw_query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    };
    add("accept", "application/json");
    if let Some(cookie) = &session.cookie {
        add("cookie", cookie);
    }
    if let Some(token) = &session.token {
        add("authorization", &format!("Bearer {token}"));
    }
    for (name, value) in further {
        add(name, value);
    }
    let (mut form, mut json, mut files) = (Vec::new(), None, Vec::new());
    let owned = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    match body {
        Body::Nothing => {}
        Body::Json(value) => {
            add("content-type", "application/json");
            json = Some(value.clone());
        }
        Body::Form(fields) => {
            add("content-type", "application/x-www-form-urlencoded");
            form = owned(fields);
        }
        Body::Multipart { fields, files: given } => {
            add("content-type", "multipart/form-data");
            form = owned(fields);
            files = given
                .iter()
                .map(|file| Upload {
                    field: file.field.to_owned(),
                    file_name: file.name.to_owned(),
                    content_type: file.content_type.to_owned(),
                    bytes: file.bytes.to_vec(),
                })
                .collect();
        }
        Body::Raw { content_type, bytes } => {
            add("content-type", content_type);
            if let Some((_, boundary)) = content_type.split_once("boundary=") {
                (form, files) = multipart(bytes, boundary.trim_matches('"'));
            } else if content_type.starts_with("application/x-www-form-urlencoded") {
                form = serde_urlencoded::from_bytes(bytes).unwrap_or_default();
            } else {
                json = serde_json::from_slice(bytes).ok();
            }
        }
    }
    let hidden = form.iter().rev().find(|(name, _)| name == "_method").map(|(_, value)| value.to_uppercase());
    Request {
        side: match site {
            Site::Server(side) => side,
            Site::MediaHost => Side::Old,
        },
        method: hidden.filter(|_| method == "POST").unwrap_or_else(|| method.to_owned()),
        path: percent_decode_str(path).decode_utf8_lossy().into_owned(),
        raw_query: raw_query.to_owned(),
        query: serde_urlencoded::from_str(raw_query).unwrap_or_default(),
        headers,
        form,
        json,
        files,
        address: "127.0.0.1".to_owned(),
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The parts of a multipart body: fields, and files that have a name.
fn multipart(bytes: &[u8], boundary: &str) -> (Vec<(String, String)>, Vec<Upload>) {
    let (mut form, mut files) = (Vec::new(), Vec::new());
    let line = format!("--{boundary}");
    let end = format!("\r\n{line}");
    let mut rest = find(bytes, line.as_bytes()).and_then(|at| bytes.get(at + line.len()..)).unwrap_or(&[]);
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let Some(head_end) = find(part, b"\r\n\r\n") else { break };
        let (head, body) = part.split_at(head_end);
        let body = body.get(4..).unwrap_or(&[]);
        let Some(size) = find(body, end.as_bytes()) else { break };
        let (content, after) = body.split_at(size);
        rest = after.get(end.len()..).unwrap_or(&[]);
        let head = String::from_utf8_lossy(head).into_owned();
        let quoted = |name: &str| {
            let (_, value) = head.split_once(&format!("{name}=\""))?;
            Some(value.split('"').next().unwrap_or("").to_owned())
        };
        let field = quoted("; name").unwrap_or_default();
        let content_type = head
            .lines()
            .find_map(|line| {
                line.to_lowercase().strip_prefix("content-type:").map(|text| text.trim().to_owned())
            })
            .unwrap_or_default();
        match quoted("; filename") {
            Some(file_name) if !file_name.is_empty() => {
                files.push(Upload { field, file_name, content_type, bytes: content.to_vec() });
            }
            Some(_) => {}
            None => form.push((field, String::from_utf8_lossy(content).into_owned())),
        }
    }
    (form, files)
}
