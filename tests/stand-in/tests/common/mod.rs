//! A small HTTP client with cookies for the tests: plain sockets, one connection each, nothing followed unless asked.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use stand_in::{Options, Pair, Running, Version};

/// A pair and the runtime it lives on.
pub struct Stage {
    pub pair: Pair,
    _runtime: tokio::runtime::Runtime,
}

pub fn stage(version: Version) -> Stage {
    stage_of(version, version)
}

pub fn stage_of(old_version: Version, new_version: Version) -> Stage {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let pair = runtime
        .block_on(stand_in::start(Options { old_version, new_version, ..Options::default() }))
        .unwrap();
    Stage { pair, _runtime: runtime }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Where a redirect leads, without the server.
    pub fn path(&self) -> Option<String> {
        let location = self.header("location")?;
        Some(location.splitn(4, '/').nth(3).map_or_else(|| "/".to_owned(), |rest| format!("/{rest}")))
    }
}

/// One browser on one server.
pub struct Browser {
    pub server: Running,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(server: &Running) -> Self {
        Self { server: server.clone(), cookies: BTreeMap::new() }
    }

    /// With the session that the control path made.
    pub fn with_cookie(server: &Running, cookie: &str) -> Self {
        let mut browser = Self::new(server);
        let (name, value) = cookie.split_once('=').unwrap();
        browser.cookies.insert(name.to_owned(), value.to_owned());
        browser
    }

    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Response> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.server.port()))?;
        let mut out = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.server.domain(),
            body.len()
        );
        for (name, value) in headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.cookies.is_empty() && !headers.iter().any(|(name, _)| *name == "cookie") {
            let all: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            out.push_str(&format!("cookie: {}\r\n", all.join("; ")));
        }
        out.push_str("\r\n");
        stream.write_all(out.as_bytes())?;
        stream.write_all(body)?;
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw)?;
        let Some(split) = raw.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        };
        let head = String::from_utf8_lossy(&raw[..split]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        for (name, value) in &headers {
            if name == "set-cookie"
                && let Some((key, rest)) = value.split_once('=')
            {
                self.cookies.insert(key.to_owned(), rest.split(';').next().unwrap_or("").to_owned());
            }
        }
        Ok(Response { status, headers, body: raw[split + 4..].to_vec() })
    }

    pub fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], b"").unwrap()
    }

    pub fn api(&mut self, path: &str, token: Option<&str>) -> Response {
        let bearer = format!("Bearer {}", token.unwrap_or(""));
        let mut headers = vec![("accept", "application/json")];
        if token.is_some() {
            headers.push(("authorization", &bearer));
            headers.push(("cookie", ""));
        }
        self.send("GET", path, &headers, b"").unwrap()
    }

    pub fn meta_token(&mut self, page: &str) -> String {
        let text = self.get(page).text();
        between(&text, "name=\"csrf-token\" content=\"", "\"")
    }

    /// Posts fields with the page's meta token.
    pub fn post(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Response {
        let token = self.meta_token(page);
        let mut all = vec![("authenticity_token", token.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(action, &all, &self.server.origin())
    }

    pub fn post_raw(&mut self, action: &str, fields: &[(&str, &str)], origin: &str) -> Response {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(
            "POST",
            action,
            &[
                ("content-type", "application/x-www-form-urlencoded"),
                ("origin", origin),
                ("accept", "text/html"),
            ],
            body.as_bytes(),
        )
        .unwrap()
    }

    /// Posts and follows the redirects, as a browser does.
    pub fn post_follow(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Response {
        let reply = self.post(page, action, fields);
        self.follow(reply)
    }

    pub fn follow(&mut self, mut reply: Response) -> Response {
        for _ in 0..5 {
            let Some(path) = reply.path() else { break };
            reply = self.get(&path);
        }
        reply
    }

    pub fn upload(&mut self, kind: &str, mode: &str, file: Option<(&str, &[u8])>) -> Response {
        let token = self.meta_token("/settings/imports");
        let mut body = Vec::new();
        for (name, value) in [
            ("authenticity_token", token.as_str()),
            ("form_import[type]", kind),
            ("form_import[mode]", ""),
            ("form_import[mode]", mode),
        ] {
            body.extend(
                format!("--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .into_bytes(),
            );
        }
        if let Some((name, bytes)) = file {
            body.extend(format!("--xx\r\nContent-Disposition: form-data; name=\"form_import[data]\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n").into_bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--xx--\r\n");
        let origin = self.server.origin();
        self.send(
            "POST",
            "/settings/imports",
            &[("content-type", "multipart/form-data; boundary=xx"), ("origin", &origin)],
            &body,
        )
        .unwrap()
    }
}

pub fn between(text: &str, start: &str, end: &str) -> String {
    let Some(from) = text.find(start).map(|at| at + start.len()) else { return String::new() };
    let rest = &text[from..];
    rest[..rest.find(end).unwrap_or(rest.len())].to_owned()
}
