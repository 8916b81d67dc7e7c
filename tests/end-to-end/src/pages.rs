//! A small server of fixed pages, on `http://old.localhost:PORT` or any other name that ends so.
//!
//! It serves what was captured from real servers, at the real paths and with the real headers, so that the guard can
//! be shown the markup and the policies of versions that nobody has to run.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use crate::process::repository;

/// What is answered at one path.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Page {
    pub fn html(body: &str) -> Self {
        Self::default().with_header("content-type", "text/html; charset=utf-8").with_body(body)
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn with_body(mut self, body: &str) -> Self {
        self.status = 200;
        self.body = body.into();
        self
    }
}

#[derive(Debug)]
pub struct Pages {
    port: u16,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
}

impl Pages {
    /// Starts with nothing to serve; it ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let pages = Arc::<Mutex<BTreeMap<String, Page>>>::default();
        let served = Arc::clone(&pages);
        thread::spawn(move || {
            for browser in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                thread::spawn(move || answer(browser, &served));
            }
        });
        Self { port, pages }
    }

    /// `http://NAME.localhost:PORT`.
    pub fn origin(&self, name: &str) -> String {
        format!("http://{name}.localhost:{}", self.port)
    }

    pub fn serve(&self, path: &str, page: Page) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), page);
    }
}

fn answer(mut browser: TcpStream, pages: &Mutex<BTreeMap<String, Page>>) -> io::Result<()> {
    let mut lines = BufReader::new(browser.try_clone()?);
    let mut first = String::new();
    lines.read_line(&mut first)?;
    let mut header = String::new();
    while lines.read_line(&mut header)? > 2 {
        header.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let page = pages.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
    let page = page.unwrap_or_else(|| Page { status: 404, ..Page::default() });
    let mut head = format!("HTTP/1.1 {} -\r\n", page.status);
    for (name, value) in &page.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", page.body.len()));
    browser.write_all(head.as_bytes())?;
    browser.write_all(&page.body)
}

/// A page captured from a real server.
#[derive(Debug, Clone)]
pub struct Capture {
    pub path: String,
    pub page: Page,
}

/// Headers that describe the transport of then, or bind the browser to it.
const DROPPED: &[&str] = &[
    "set-cookie",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "strict-transport-security",
];

impl Capture {
    /// The capture `VERSION/WHO/NAME`, or `None` (with a line that says so) where the captures are not at hand.
    pub fn find(version: &str, who: &str, name: &str) -> Option<Self> {
        let stem = captures()?.join(version).join(who).join(name);
        let headers = fs::read_to_string(stem.with_extension("headers.txt")).ok();
        let body = ["html", "json"].iter().find_map(|kind| fs::read(stem.with_extension(kind)).ok());
        let found = headers.zip(body).and_then(|(headers, body)| Self::read(&headers, body));
        if found.is_none() {
            println!("left out: no capture {version}/{who}/{name}");
        }
        found
    }

    /// From lines of `> METHOD ADDRESS` and `< STATUS`, `< NAME: VALUE`.
    fn read(headers: &str, body: Vec<u8>) -> Option<Self> {
        let asked = headers.lines().find_map(|line| line.strip_prefix("> ")?.split(' ').nth(1))?;
        let (scheme, rest) = asked.split_once("://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let origin = format!("{scheme}://{host}");
        let mut answered = headers.lines().filter_map(|line| line.strip_prefix("< "));
        let status = answered.next()?.split(' ').find_map(|word| word.parse().ok())?;
        let headers = answered
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| !DROPPED.contains(&name.to_ascii_lowercase().as_str()))
            // The policy names the server's own address, which is another one here.
            .map(|(name, value)| (name.to_owned(), value.replace(&origin, "'self'")))
            .collect();
        Some(Self { path: path.to_owned(), page: Page { status, headers, body } })
    }
}

/// The captures lie beside the repository: they are much larger than it.
fn captures() -> Option<PathBuf> {
    let folder = repository().parent()?.join("shared/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "left out: the captures of real servers are not here ({})",
        Path::new("../shared/captures").display()
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_keeps_what_matters_to_the_browser() {
        let headers = "# a note\n> GET https://old.test/settings/profile\n> Accept: text/html\n< 200 OK\n\
            < Content-Type: text/html\n< Content-Length: 3\n< set-cookie: a=b\n\
            < content-security-policy: default-src 'none'; img-src 'self' https://old.test\n";
        let capture = Capture::read(headers, b"abc".to_vec()).unwrap();
        assert_eq!(capture.path, "/settings/profile");
        assert_eq!(capture.page.status, 200);
        let policy = "default-src 'none'; img-src 'self' 'self'";
        assert_eq!(
            capture.page.headers,
            [("Content-Type", "text/html"), ("content-security-policy", policy)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
