//! A proxy on loopback that writes down every host that a browser asks for, and lets it reach only `*.localhost`.
//!
//! The extension promises to speak to the two servers and to nobody else. Asking the browser for a list of its
//! requests would miss those of its background page, and each browser would need another way; a proxy sees all of them.

use std::{
    collections::BTreeSet,
    io::{self, BufRead, BufReader, Read, Write, copy},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Where the browsers themselves call, even with everything switched off that can be: updates of their parts, settings
/// from their makers, the account that nobody is signed in with, the start page of Debian's Chromium.
const BROWSERS_OWN: &[&str] = &[
    "accounts.google.com",
    "clients2.google.com",
    "optimizationguide-pa.googleapis.com",
    "redirector.gvt1.com",
    "start.duckduckgo.com",
    "update.googleapis.com",
    "firefox.settings.services.mozilla.com",
    "content-signature-2.cdn.mozilla.net",
    "firefox-settings-attachments.cdn.mozilla.net",
];

#[derive(Debug)]
pub struct Proxy {
    port: u16,
    hosts: Arc<Mutex<BTreeSet<String>>>,
}

impl Proxy {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let hosts = Arc::<Mutex<BTreeSet<String>>>::default();
        let seen = Arc::clone(&hosts);
        thread::spawn(move || {
            for browser in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                // A connection that breaks is the browser's business: it shows as a failed request there.
                thread::spawn(move || serve(browser, &seen));
            }
        });
        Self { port, hosts }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Hosts outside of this machine that were asked for, without those that the browser itself asks for.
    pub fn foreign_hosts(&self) -> Vec<String> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = |host: &&String| !is_local(host) && !BROWSERS_OWN.contains(&host.as_str());
        hosts.iter().filter(ours).cloned().collect()
    }

    /// Every host that was asked for.
    pub fn hosts(&self) -> Vec<String> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Where one request wants to go.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
    /// `None` for CONNECT: what follows is a stream that we do not look into.
    path: Option<String>,
}

impl Target {
    /// From the first line of a request to a proxy.
    fn parse(line: &str) -> Option<Self> {
        let (method, rest) = line.split_once(' ')?;
        let (address, _version) = rest.split_once(' ')?;
        if method == "CONNECT" {
            let (host, port) = address.rsplit_once(':')?;
            return Some(Self { host: host.to_owned(), port: port.parse().ok()?, path: None });
        }
        let rest = address.strip_prefix("http://")?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, 80),
        };
        Some(Self { host: host.to_owned(), port, path: Some(path.to_owned()) })
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1"
}

fn serve(browser: TcpStream, seen: &Mutex<BTreeSet<String>>) -> io::Result<()> {
    let mut from_browser = BufReader::new(browser.try_clone()?);
    let mut to_browser = browser;
    let mut line = String::new();
    from_browser.read_line(&mut line)?;
    let Some(target) = Target::parse(line.trim_end()) else {
        return to_browser.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    };
    seen.lock().unwrap_or_else(PoisonError::into_inner).insert(target.host.clone());
    if !is_local(&target.host) {
        return to_browser
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let Ok(mut to_server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target.port)) else {
        return to_browser
            .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    match target.path {
        None => {
            skip_head(&mut from_browser)?;
            to_browser.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        }
        Some(path) => {
            let method = line.split(' ').next().unwrap_or_default();
            let mut head = format!("{method} {path} HTTP/1.1\r\n");
            // One request a connection, so that we need not know where one ends and the next one begins.
            loop {
                let mut header = String::new();
                from_browser.read_line(&mut header)?;
                if header.trim_end().is_empty() {
                    break;
                }
                let name = header.split(':').next().unwrap_or_default().to_ascii_lowercase();
                if !matches!(name.as_str(), "connection" | "proxy-connection" | "keep-alive") {
                    head.push_str(&header);
                }
            }
            head.push_str("Connection: close\r\n\r\n");
            to_server.write_all(head.as_bytes())?;
        }
    }
    relay(from_browser, to_browser, to_server)
}

fn skip_head(from_browser: &mut impl BufRead) -> io::Result<()> {
    let mut line = String::new();
    while from_browser.read_line(&mut line)? > 2 {
        line.clear();
    }
    Ok(())
}

/// Copies both ways until the server is done.
fn relay(
    mut from_browser: impl Read + Send + 'static,
    mut to_browser: TcpStream,
    to_server: TcpStream,
) -> io::Result<()> {
    let mut from_server = to_server.try_clone()?;
    let mut to_server = to_server;
    thread::spawn(move || {
        let _ = copy(&mut from_browser, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let result = copy(&mut from_server, &mut to_browser);
    let _ = to_browser.shutdown(Shutdown::Both);
    result.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_a_request_wants_to_go() {
        let target = |host: &str, port, path: Option<&str>| {
            Some(Target { host: host.to_owned(), port, path: path.map(str::to_owned) })
        };
        assert_eq!(
            Target::parse("GET http://old.localhost:4001/settings?a=b HTTP/1.1"),
            target("old.localhost", 4001, Some("/settings?a=b"))
        );
        assert_eq!(Target::parse("GET http://a.example HTTP/1.1"), target("a.example", 80, Some("/")));
        assert_eq!(Target::parse("CONNECT a.example:443 HTTP/1.1"), target("a.example", 443, None));
        assert_eq!(Target::parse("nonsense"), None);
    }

    #[test]
    fn refuses_and_remembers_other_hosts() {
        let proxy = Proxy::start();
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        connection.write_all(b"CONNECT somewhere.example:443 HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert_eq!(proxy.foreign_hosts(), ["somewhere.example"]);
    }
}
