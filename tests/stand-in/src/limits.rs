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
const WINDOW: Millis = 5 * MINUTE;
const PAGED_WINDOW: Millis = 15 * MINUTE;

#[derive(Debug, Default)]
pub struct Buckets {
    used: HashMap<(String, Millis), u32>,
}

impl Buckets {
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

/// Counts the request. The first limit that is exceeded refuses it; otherwise the tightest one is reported in the headers.
pub fn count(
    server: &mut Server,
    request: &Request,
    token_user: Option<Id>,
    now: Millis,
) -> Result<Verdict, Verdict> {
    let mut verdicts = Vec::new();
    let mut take = |key: String, limit: u32, period: Millis| {
        let used = server.rate.take(key, period, now);
        verdicts.push(Verdict { limit, used, resets_at: now.div_euclid(period) * period + period });
    };
    match (token_user, request.bearer()) {
        (Some(user), Some(token)) => {
            if server.version.at_least(Version::V4_1) {
                take(format!("token {token}"), PER_TOKEN, WINDOW);
                take(format!("user {user}"), PER_USER, WINDOW);
            } else {
                take(format!("user {user}"), PER_TOKEN, WINDOW);
            }
            if is_paged(request) {
                take(format!("paged {user}"), PAGED_PER_USER, PAGED_WINDOW);
            }
        }
        _ => take(format!("address {}", request.address), PER_ADDRESS, WINDOW),
    }
    if let Some(over) = verdicts.iter().find(|verdict| verdict.exceeded()) {
        return Err(*over);
    }
    Ok(verdicts
        .iter()
        .copied()
        .min_by_key(|verdict| verdict.limit.saturating_sub(verdict.used))
        .unwrap_or(Verdict { limit: PER_ADDRESS, used: 0, resets_at: now + WINDOW }))
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
