//! Every request that we make, in one place. The agent in `extension/loader.js` allows these and nothing else; a test
//! below holds the two lists together.

use crate::account::{ActorUri, Handle};

/// A request as the core asks for it. Who performs it, and with which token, is not the core's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// Path and query on the server that is asked.
    pub path: String,
    /// Form fields, for all but `GET`. The CSRF token is added by the agent.
    pub form: Vec<(String, String)>,
    /// A file of the form, which makes it a multipart one.
    pub file: Option<Upload>,
    pub accept: Accept,
}

/// A file in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub field: String,
    pub name: String,
    /// Filters are read as JSON only where the type is exactly `application/json` (facts 6.1).
    pub kind: String,
    pub text: String,
    /// The text stands for bytes: for a job it is the address under which the store keeps the file, and on its way to the
    /// agent their base 64.
    pub bytes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
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
    Request { method: Method::Get, path: path.into(), form: Vec::new(), file: None, accept }
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
    post("/settings/aliases", form, Accept::Page)
}

fn post(path: impl Into<String>, form: Vec<(String, String)>, accept: Accept) -> Request {
    Request { method: Method::Post, path: path.into(), form, file: None, accept }
}

fn fields(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

// --- what is packed: the server's own files, and what it exports to nobody (facts 5, 7) ---

/// One of the files of `/settings/export`, by its name.
pub fn export_file(name: &str) -> Request {
    get(format!("/settings/exports/{name}"), Accept::File)
}

/// A list of the account's own, in pages of 80.
pub fn own_list(name: &str, after: Option<&str>) -> Request {
    get(paged(format!("/api/v1/{name}?limit=80"), after), Accept::Api)
}

/// Hashtags come 200 at once (facts 7).
pub fn followed_tags(after: Option<&str>) -> Request {
    get(paged("/api/v1/followed_tags?limit=200".into(), after), Accept::Api)
}

/// One answer without pages.
pub fn featured_tags() -> Request {
    get("/api/v1/featured_tags", Accept::Api)
}

pub fn lists() -> Request {
    get("/api/v1/lists", Accept::Api)
}

pub fn preferences() -> Request {
    get("/api/v1/preferences", Accept::Api)
}

/// 4.3 and later: who may send notifications.
pub fn notification_policy() -> Request {
    get("/api/v2/notifications/policy", Accept::Api)
}

/// Filters, `v1` or (4.0 and later) `v2`.
pub fn filters(version: &str) -> Request {
    get(format!("/api/{version}/filters"), Accept::Api)
}

/// The newest followers' notifications: the only place that tells since when somebody follows.
pub fn follow_notices(after: Option<&str>) -> Request {
    get(paged("/api/v1/notifications?types[]=follow&limit=80".into(), after), Accept::Api)
}

/// So many at once keep the address below 4 KB.
pub const RELATIONSHIPS_AT_ONCE: usize = 100;

pub fn relationships(ids: &[String]) -> Request {
    let ids: Vec<String> = ids.iter().map(|id| format!("id[]={}", encode(id))).collect();
    get(format!("/api/v1/accounts/relationships?with_suspended=true&{}", ids.join("&")), Accept::Api)
}

// --- what is unpacked ---

/// 4.2 and later; up to 4.1 it is [`old_imports_page`] (facts 6).
pub fn imports_page() -> Request {
    get("/settings/imports", Accept::Page)
}

pub fn old_imports_page() -> Request {
    get("/settings/import", Accept::Page)
}

/// Uploads a file to Mastodon's own form (facts 6.1, 6.2).
pub fn upload(two_steps: bool, kind: &str, overwrite: bool, file: (&str, &str, String)) -> Request {
    let (path, model) =
        if two_steps { ("/settings/imports", "form_import") } else { ("/settings/import", "import") };
    let mode = if overwrite { "overwrite" } else { "merge" };
    let (name, mime, text) = file;
    let form = fields(&[(&format!("{model}[type]"), kind), (&format!("{model}[mode]"), mode)]);
    let file = Upload {
        field: format!("{model}[data]"),
        name: name.to_owned(),
        kind: mime.to_owned(),
        text,
        bytes: false,
    };
    Request { file: Some(file), ..post(path, form, Accept::Page) }
}

pub fn confirm_import(id: &str) -> Request {
    post(format!("/settings/imports/{}/confirm", encode(id)), Vec::new(), Accept::Page)
}

pub fn cancel_import(id: &str) -> Request {
    post(format!("/settings/imports/{}", encode(id)), fields(&[("_method", "delete")]), Accept::Page)
}

/// 404 until the import is finished: which tells that without a word of any language (facts 1.3).
pub fn import_failures(id: &str, json: bool) -> Request {
    let end = if json { "json" } else { "csv" };
    get(format!("/settings/imports/{}/failures.{end}", encode(id)), Accept::File)
}

pub fn follow_tag(name: &str) -> Request {
    post(format!("/api/v1/tags/{}/follow", encode(name)), Vec::new(), Accept::Api)
}

pub fn feature_tag(name: &str) -> Request {
    post("/api/v1/featured_tags", fields(&[("name", name)]), Accept::Api)
}

pub fn set_note(id: &str, note: &str) -> Request {
    post(format!("/api/v1/accounts/{}/note", encode(id)), fields(&[("comment", note)]), Accept::Api)
}

/// 4.4 and later `endorse`, before it `pin`.
pub fn feature_account(id: &str, recent: bool) -> Request {
    let action = if recent { "endorse" } else { "pin" };
    post(format!("/api/v1/accounts/{}/{action}", encode(id)), Vec::new(), Accept::Api)
}

/// Muted anew, for the rest of the time.
pub fn mute_for(id: &str, notifications: bool, seconds: u64) -> Request {
    let form = fields(&[
        ("notifications", if notifications { "true" } else { "false" }),
        ("duration", &seconds.to_string()),
    ]);
    post(format!("/api/v1/accounts/{}/mute", encode(id)), form, Accept::Api)
}

/// A list with its settings; `id` for one that is there already. `exclusive` is 4.2 and later.
pub fn set_list(id: Option<&str>, title: &str, replies: &str, exclusive: Option<bool>) -> Request {
    let mut form = fields(&[("title", title), ("replies_policy", replies)]);
    if let Some(exclusive) = exclusive {
        form.push(("exclusive".into(), exclusive.to_string()));
    }
    match id {
        Some(id) => Request {
            method: Method::Put,
            ..post(format!("/api/v1/lists/{}", encode(id)), form, Accept::Api)
        },
        None => post("/api/v1/lists", form, Accept::Api),
    }
}

/// Somebody who is followed goes into a list.
pub fn add_to_list(list: &str, account: &str) -> Request {
    let form = fields(&[("account_ids[]", account)]);
    post(format!("/api/v1/lists/{}/accounts", encode(list)), form, Accept::Api)
}

/// A filter, its fields as `v1` or `v2` wants them.
pub fn add_filter(version: &str, form: Vec<(String, String)>) -> Request {
    post(format!("/api/{version}/filters"), form, Accept::Api)
}

/// Looks for somebody of whom the server may not have heard, and asks that person's own server.
pub fn resolve(acct: &str) -> Request {
    get(format!("/api/v2/search?q={}&resolve=true&type=accounts&limit=5", encode(acct)), Accept::Api)
}

// --- the profile (facts 7, 13.2; captures 4.6.5-api/profile) ---

/// What the server takes, and of profiles how much; `second`: 4.0 and later.
pub fn limits(second: bool) -> Request {
    get(format!("/api/v{}/instance", if second { 2 } else { 1 }), Accept::Api)
}

pub fn custom_emojis() -> Request {
    get("/api/v1/custom_emojis", Accept::Api)
}

pub fn pinned(id: &str) -> Request {
    get(format!("/api/v1/accounts/{}/statuses?pinned=true&limit=40", encode(id)), Accept::Api)
}

/// Only what is in the form is changed. All of the table's lines are set at once, those not named are gone.
pub fn update_profile(form: Vec<(String, String)>) -> Request {
    Request { method: Method::Patch, ..post("/api/v1/accounts/update_credentials", form, Accept::Api) }
}

/// `which`: `avatar` or `header`. `stored`: where the store has it. `words`: 4.6 and later.
pub fn update_picture(which: &str, stored: &str, kind: &str, words: Option<&str>) -> Request {
    let end = kind.rsplit('/').next().unwrap_or_default();
    let file = Upload {
        field: which.to_owned(),
        name: format!("{which}.{end}"),
        kind: kind.to_owned(),
        text: stored.to_owned(),
        bytes: true,
    };
    let words = words.map(|words| (format!("{which}_description"), words.to_owned()));
    Request { file: Some(file), ..update_profile(words.into_iter().collect()) }
}

/// Takes avatar or header away. `api`: 4.2 and later; before, it is the button on the profile's page.
pub fn remove_picture(which: &str, api: bool) -> Request {
    if api {
        let path = format!("/api/v1/profile/{which}");
        return Request { method: Method::Delete, ..post(path, Vec::new(), Accept::Api) };
    }
    post(format!("/settings/profile/pictures/{which}"), fields(&[("_method", "delete")]), Accept::Page)
}

/// A new account lets in whoever asks, or has them wait. Unlocking lets in all who wait (facts 13.2).
pub fn set_locked(locked: bool) -> Request {
    update_profile(fields(&[("locked", if locked { "true" } else { "false" })]))
}

pub fn unfeature_tag(id: &str) -> Request {
    let path = format!("/api/v1/featured_tags/{}", encode(id));
    Request { method: Method::Delete, ..post(path, Vec::new(), Accept::Api) }
}

/// Mastodon's own page for writing, with a text in it; the person sends it. `None` where the text is longer than what web
/// servers take for an address (8 KB by nginx's default).
pub fn compose_page(text: &str) -> Option<String> {
    let path = format!("/share?text={}", encode(text));
    (path.len() < 7_000).then_some(path)
}

/// Where the link that confirms the address is sent again. Its form has the address in it; we do not look.
pub const RESEND_PAGE: &str = "/auth/confirmation/new";

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
