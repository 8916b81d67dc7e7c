//! The servers without the network: a request in, an answer out, as many a second as the machine can do. What comes back is what the network would have carried,
//! arranged troubles included; only delays are left out.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::http::Request;
use crate::serve::{self, Answer, Ending, Lost, Site};
use crate::state::Side;
use crate::{Control, clock, moves};

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
    body: &serde_json::Value,
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
    Request {
        side: match site {
            Site::Server(side) => side,
            Site::MediaHost => Side::Old,
        },
        method: method.to_owned(),
        path: percent_decode_str(path).decode_utf8_lossy().into_owned(),
        raw_query: raw_query.to_owned(),
        query: serde_urlencoded::from_str(raw_query).unwrap_or_default(),
        headers,
        form: Vec::new(),
        json: if body.is_null() { None } else { Some(body.clone()) },
        files: Vec::new(),
        address: "127.0.0.1".to_owned(),
    }
}
