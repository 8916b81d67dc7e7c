//! Rails' protection against forged requests (facts 1.2): one token for each form, valid for that action and method alone, one in the page's head
//! that is valid for all, and a comparison of `Origin` with the server's own.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::http::Request;
use crate::state::{Session, random};

fn digest(secret: u64, nonce: u64, scope: &str) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (secret, nonce, scope, salt).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(1), half(2))
}

fn token(secret: u64, scope: &str) -> String {
    let nonce = random();
    format!("{nonce:016x}{}", digest(secret, nonce, scope))
}

fn matches(secret: u64, scope: &str, given: &str) -> bool {
    let (Some(nonce), Some(rest)) = (given.get(..16), given.get(16..)) else { return false };
    u64::from_str_radix(nonce, 16).is_ok_and(|nonce| digest(secret, nonce, scope) == rest)
}

/// The token of `meta[name=csrf-token]`.
pub fn meta_token(session: &Session) -> String {
    token(session.secret, "*")
}

/// The token of one form. Like Rails, a fresh one each time the form is drawn.
pub fn form_token(session: &Session, action: &str, method: &str) -> String {
    token(session.secret, &format!("{action}#{method}"))
}

/// Whether a request that changes something may pass.
pub fn allows(session: &Session, request: &Request, origin: &str) -> bool {
    if let Some(given) = request.header("origin") {
        // `null` counts as foreign too.
        if given != origin {
            return false;
        }
    }
    let scope = format!("{}#{}", request.path, request.method.to_lowercase());
    let field = request.field("authenticity_token");
    let header = request.header("x-csrf-token");
    [field, header]
        .into_iter()
        .flatten()
        .any(|given| matches(session.secret, "*", given) || matches(session.secret, &scope, given))
}
