//! Rate limits of the API (facts 7 "Rate limits", 13.2). Windows are aligned to the clock, as rack-attack has them.

use std::collections::HashMap;

use crate::clock::{self, MINUTE, Millis};
use crate::http::{Reply, Request};
use crate::state::{Id, Server};
use crate::version::Version;

pub const PER_TOKEN: u32 = 300;
pub const PER_USER: u32 = 1_500;
pub const PAGED_PER_USER: u32 = 300;
pub const PER_ADDRESS: u32 = 300;
pub const PROXIED_PER_ADDRESS: u32 = 30;
const WINDOW: Millis = 5 * MINUTE;
const PAGED_WINDOW: Millis = 15 * MINUTE;
const PROXY_WINDOW: Millis = 10 * MINUTE;

/// How many requests each limit lets through; tests may change them or switch all off.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    pub on: bool,
    pub per_token: u32,
    pub per_user: u32,
    pub paged: u32,
    pub per_address: u32,
    pub proxied: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            on: true,
            per_token: PER_TOKEN,
            per_user: PER_USER,
            paged: PAGED_PER_USER,
            per_address: PER_ADDRESS,
            proxied: PROXIED_PER_ADDRESS,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Buckets {
    pub numbers: Numbers,
    used: HashMap<(String, Millis), u32>,
}

impl Buckets {
    pub fn clear(&mut self) {
        self.used.clear();
    }

    fn take(&mut self, key: String, period: Millis, now: Millis) -> u32 {
        let start = now.div_euclid(period) * period;
        // Windows that are over are of no further use.
        if self.used.len() > 4_096 {
            self.used.retain(|(_, begun), _| *begun + PAGED_WINDOW > now);
        }
        let used = self.used.entry((key, start)).or_insert(0);
        *used += 1;
        *used
    }
}

/// What a limit says about one request.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    pub limit: u32,
    pub used: u32,
    pub resets_at: Millis,
}

impl Verdict {
    fn left(self) -> u32 {
        self.limit.saturating_sub(self.used)
    }

    fn exceeded(self) -> bool {
        self.used > self.limit
    }

    pub fn apply(self, reply: Reply) -> Reply {
        let reset = clock::iso_millis(self.resets_at).replace('Z', "000Z");
        reply
            .with("x-ratelimit-limit", &self.limit.to_string())
            .with("x-ratelimit-remaining", &self.limit.saturating_sub(self.used).to_string())
            .with("x-ratelimit-reset", &reset)
    }
}

fn is_paged(request: &Request) -> bool {
    ["page", "min_id", "max_id", "since_id"].iter().any(|name| request.query(name).is_some())
}

/// Counts the request. The first limit that is exceeded refuses it, and those behind it do not count it; otherwise the one with the fewest requests left is
/// reported in the headers, the first of equals. The cookie alone counts as nobody's (captures, `*_COOKIEONLY`).
pub fn count(
    server: &mut Server,
    request: &Request,
    token_user: Option<Id>,
    now: Millis,
) -> Result<Option<Verdict>, Verdict> {
    let numbers = server.rate.numbers;
    if !numbers.on {
        return Ok(None);
    }
    let mut rules: Vec<(String, u32, Millis)> = Vec::new();
    match (token_user, request.bearer()) {
        (Some(user), Some(token)) => {
            if server.version.at_least(Version::V4_1) {
                rules.push((format!("user {user}"), numbers.per_user, WINDOW));
                rules.push((format!("token {token}"), numbers.per_token, WINDOW));
            } else {
                rules.push((format!("user {user}"), numbers.per_token, WINDOW));
            }
            if is_paged(request) {
                rules.push((format!("paged {user}"), numbers.paged, PAGED_WINDOW));
            }
        }
        _ => {
            rules.push((format!("address {}", request.address), numbers.per_address, WINDOW));
            if is_paged(request) {
                rules.push((format!("paged {}", request.address), numbers.paged, PAGED_WINDOW));
            }
        }
    }
    let mut tightest: Option<Verdict> = None;
    for (key, limit, period) in rules {
        let verdict = take(server, key, limit, period, now);
        if verdict.exceeded() {
            return Err(verdict);
        }
        if tightest.is_none_or(|before| verdict.left() < before.left()) {
            tightest = Some(verdict);
        }
    }
    Ok(tightest)
}

/// `/media_proxy` has a limit of its own, and no headers until it is exceeded.
pub fn count_proxy(server: &mut Server, request: &Request, now: Millis) -> Result<(), Verdict> {
    let numbers = server.rate.numbers;
    if !numbers.on {
        return Ok(());
    }
    let verdict = take(server, format!("proxy {}", request.address), numbers.proxied, PROXY_WINDOW, now);
    if verdict.exceeded() { Err(verdict) } else { Ok(()) }
}

fn take(server: &mut Server, key: String, limit: u32, period: Millis, now: Millis) -> Verdict {
    let used = server.rate.take(key, period, now);
    // Mastodon adds what is left of the period to a time with parts of seconds, so those parts stay (captures, `x-ratelimit-reset`).
    let resets_at = now.div_euclid(period) * period + period + now.rem_euclid(1_000);
    Verdict { limit, used, resets_at }
}

/// facts 13.2: a JSON body and no `Retry-After`.
pub fn refusal(verdict: Verdict) -> Reply {
    let mut reply = Reply::new(
        429,
        crate::http::Kind::Gate,
        "application/json",
        serde_json::json!({ "error": "Too many requests" }).to_string(),
    );
    reply = reply.with("cache-control", "no-cache").with("vary", "Origin");
    verdict.apply(reply)
}
