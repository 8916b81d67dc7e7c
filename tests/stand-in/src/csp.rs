//! The headers that Mastodon sends with every reply, above all its Content-Security-Policy, by version (facts 2.3, captures).

use crate::http::Kind;
use crate::version::Version;

/// The hash of Mastodon 4.6's inline theme script. The stand-in has no inline script but announces it, because the real policy does.
const THEME_SCRIPT_HASH: &str = "'sha256-Z5KW83D+6/pygIQS3h9XDpF52xW3l3BHc7JL9tj3uMs='";

/// The policy of HTML pages, CSV files and the like.
pub fn page_policy(version: Version, origin: &str, kind: Kind, nonce: &str, is_html_page: bool) -> String {
    let streaming = origin.replacen("http", "ws", 1);
    let mut out = String::from("base-uri 'none'; default-src 'none'; frame-ancestors 'none'");
    let mut add = |directive: &str, values: &str| {
        out.push_str("; ");
        out.push_str(directive);
        out.push(' ');
        out.push_str(values);
    };
    let https = if version.at_least(Version::V4_3) { "" } else { " https:" };
    add("font-src", &format!("'self' {origin}"));
    add("img-src", &format!("'self'{https} data: blob: {origin}"));
    add("style-src", &format!("'self' {origin} 'nonce-{nonce}'"));
    add("media-src", &format!("'self'{https} data: {origin}"));
    add("frame-src", "'self' https:");
    add("manifest-src", &format!("'self' {origin}"));
    if version.at_least(Version::V4_1) && kind != Kind::SignIn {
        let target = if kind == Kind::App && version.at_least(Version::V4_3) { "'none'" } else { "'self'" };
        add("form-action", target);
    }
    add("child-src", &format!("'self' blob: {origin}"));
    add("worker-src", &format!("'self' blob: {origin}"));
    add("connect-src", &format!("'self' data: blob: {origin} {streaming}"));
    let mut scripts = format!("'self' {origin}");
    if version.at_least(Version::V4_1) {
        scripts.push_str(" 'wasm-unsafe-eval'");
    }
    if version.has_html_theme() && is_html_page {
        scripts.push(' ');
        scripts.push_str(THEME_SCRIPT_HASH);
    }
    add("script-src", &scripts);
    out
}

/// `/api/*`. Before 4.2 it was the pages' policy; nothing can tell from outside, so the short one serves all.
pub const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; form-action 'none'";

/// Uploaded files (facts 13.1 point 8).
pub const MEDIA_POLICY: &str = "default-src 'none'; form-action 'none'";

/// Sidekiq brings its own, which forbids wasm.
pub fn sidekiq_policy(nonce: &str) -> String {
    format!(
        "default-src 'self' https: http:; child-src 'self'; connect-src 'self' https: http: wss: ws:; font-src 'none'; frame-src 'self'; img-src 'self' https: http: data:; \
         manifest-src 'self'; media-src 'self'; object-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; worker-src 'self'; base-uri 'self'"
    )
}

/// The headers that come with every reply of a kind, besides the policy.
pub fn common_headers(version: Version, kind: Kind) -> Vec<(&'static str, &'static str)> {
    match kind {
        Kind::Bare | Kind::Gate => vec![],
        Kind::Media => vec![("x-content-type-options", "nosniff")],
        Kind::Page | Kind::SignIn | Kind::App | Kind::Api | Kind::Sidekiq => {
            let mut out = vec![
                ("x-frame-options", "DENY"),
                ("x-content-type-options", "nosniff"),
                ("x-xss-protection", if version.at_least(Version::V4_1) { "0" } else { "1; mode=block" }),
            ];
            if version.at_least(Version::V4_2) {
                out.push(("referrer-policy", "same-origin"));
            }
            out
        }
    }
}
