//! Every request that we make, in one place. The agent in `extension/loader.js` allows these and nothing else; a test
//! below holds the two lists together.

use crate::account::{ActorUri, Handle};

/// A request as the core asks for it. Who performs it, and with which token, is not the core's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// Path and query on the server that is asked.
    pub path: String,
    /// Form fields, for `POST`. The CSRF token is added by the agent.
    pub form: Vec<(String, String)>,
    pub accept: Accept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// What we expect back. Decides about the `Accept` header and about the session's token, which only API calls get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    Page,
    Api,
    File,
    /// `application/activity+json`
    Actor,
    Webfinger,
}

fn get(path: impl Into<String>, accept: Accept) -> Request {
    Request { method: Method::Get, path: path.into(), form: Vec::new(), accept }
}

// --- in a tab of the account's own server ---

pub fn verify_credentials() -> Request {
    get("/api/v1/accounts/verify_credentials", Accept::Api)
}

/// 40 is the most a page holds; asking for 80 gives 40 (facts 13.1, 6).
pub const CONVERSATIONS_A_PAGE: usize = 40;

pub fn conversations(after: Option<&str>) -> Request {
    let after = after.map(|id| format!("&max_id={}", encode(id))).unwrap_or_default();
    get(format!("/api/v1/conversations?limit={CONVERSATIONS_A_PAGE}{after}"), Accept::Api)
}

/// The newest mentions, those from strangers too, which the conversation list leaves out (facts 13.1, 1).
pub fn mentions() -> Request {
    get("/api/v1/notifications?types[]=mention&include_filtered=true&limit=40", Accept::Api)
}

/// Everything addressed to the reader is in it, and nothing of what it boosted (facts 13.1). `after` pages on.
pub fn listing(id: &str, after: Option<&str>) -> Request {
    let path = format!("/api/v1/accounts/{}/statuses?exclude_reblogs=true&limit=40", encode(id));
    get(paged(path, after), Accept::Api)
}

fn paged(path: String, after: Option<&str>) -> String {
    after.map(|id| format!("{path}&max_id={}", encode(id))).unwrap_or(path)
}

/// All mentions, those of strangers too.
pub fn all_mentions(after: Option<&str>) -> Request {
    let path = "/api/v1/notifications?types[]=mention&include_filtered=true&limit=80";
    get(paged(path.into(), after), Accept::Api)
}

/// 4.3 and later: who waits to be let in (facts 13.1, 1).
pub fn notification_requests(after: Option<&str>) -> Request {
    get(paged("/api/v1/notifications/requests?limit=80".into(), after), Accept::Api)
}

pub fn mutes(after: Option<&str>) -> Request {
    get(paged("/api/v1/mutes?limit=80".into(), after), Accept::Api)
}

pub fn blocks(after: Option<&str>) -> Request {
    get(paged("/api/v1/blocks?limit=80".into(), after), Accept::Api)
}

/// `bookmarks` or `favourites`.
pub fn marks(which: &str, after: Option<&str>) -> Request {
    get(paged(format!("/api/v1/{which}?limit=40"), after), Accept::Api)
}

pub fn followers(id: &str, after: Option<&str>) -> Request {
    get(paged(format!("/api/v1/accounts/{}/followers?limit=80", encode(id)), after), Accept::Api)
}

pub fn following(id: &str, after: Option<&str>) -> Request {
    get(paged(format!("/api/v1/accounts/{}/following?limit=80", encode(id)), after), Accept::Api)
}

pub fn status(id: &str) -> Request {
    get(format!("/api/v1/statuses/{}", encode(id)), Accept::Api)
}

/// 4.3 and later. 21 give 422; authors whom the reader mutes or blocks are left out (facts 13.1, 3).
pub const STATUSES_AT_ONCE: usize = 20;

pub fn statuses(ids: &[String]) -> Request {
    let ids: Vec<String> = ids.iter().map(|id| format!("id[]={}", encode(id))).collect();
    get(format!("/api/v1/statuses?{}", ids.join("&")), Accept::Api)
}

pub fn context(id: &str) -> Request {
    get(format!("/api/v1/statuses/{}/context", encode(id)), Accept::Api)
}

/// All versions of an edited status.
pub fn history(id: &str) -> Request {
    get(format!("/api/v1/statuses/{}/history", encode(id)), Accept::Api)
}

pub fn statuses_of(id: &str) -> Request {
    get(format!("/api/v1/accounts/{}/statuses?limit=40", encode(id)), Accept::Api)
}

/// 4.2 and later: `true` or `false`, for the session's cookie alone (facts 7).
pub fn check_confirmation() -> Request {
    get("/api/v1/emails/check_confirmation", Accept::Api)
}

/// Redirects away when no change of address is pending (facts 1.4).
pub fn confirmation_page() -> Request {
    get("/auth/confirmation/new", Accept::Page)
}

pub fn migration_page() -> Request {
    get("/settings/migration", Accept::Page)
}

pub fn aliases_page() -> Request {
    get("/settings/aliases", Accept::Page)
}

pub fn export_page() -> Request {
    get("/settings/export", Accept::Page)
}

pub fn account_page() -> Request {
    get("/auth/edit", Accept::Page)
}

/// Mastodon's own form (facts 13, "Forms").
pub fn create_alias(old: &Handle) -> Request {
    let form = vec![("account_alias[acct]".to_owned(), old.acct())];
    Request { method: Method::Post, path: "/settings/aliases".into(), form, accept: Accept::Page }
}

// --- public, from outside ---

pub fn blocked_domains() -> Request {
    get("/api/v1/instance/domain_blocks", Accept::Api)
}

pub fn webfinger(handle: &Handle) -> Request {
    get(format!("/.well-known/webfinger?resource=acct:{}", encode(&handle.acct())), Accept::Webfinger)
}

/// All versions have it; only the version is of interest.
pub fn instance() -> Request {
    get("/api/v1/instance", Accept::Api)
}

/// An account that the server knows, of whichever server it is.
pub fn lookup_acct(acct: &str) -> Request {
    get(format!("/api/v1/accounts/lookup?acct={}", encode(acct)), Accept::Api)
}

/// Known to the server without asking anybody else, and without rendering the actor document (facts 4, last point;
/// 13, "Alias": a document rendered too early is what spoils a move).
pub fn lookup(handle: &Handle) -> Request {
    get(format!("/api/v1/accounts/lookup?acct={}", encode(handle.user())), Accept::Api)
}

/// 404 for an account that exists but is not confirmed or not approved (4.0 and later, facts 4).
pub fn account(id: &str) -> Request {
    get(format!("/api/v1/accounts/{}", encode(id)), Accept::Api)
}

/// The document in which other servers look for the alias. To be asked for only when the alias is known to be there:
/// the server keeps what it answers for three minutes (facts 13, "Alias").
pub fn actor(uri: &ActorUri) -> Option<Request> {
    let (_, rest) = uri.0.split_once("://")?;
    Some(get(&rest[rest.find('/')?..], Accept::Actor))
}

/// Percent-encodes what may not stand in a query or path segment as it is.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                out.push(char::from(byte))
            }
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
                }
            }
        }
    }
    out
}
