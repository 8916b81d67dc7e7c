//! What the two servers know. Every server has its own table of accounts, in which people of other servers appear as copies with a `domain`,
//! exactly as in Mastodon; nothing is shared between the two but the clock and the list of people who live elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};

use crate::clock::{self, Millis};
use crate::faults::Fault;
use crate::version::Version;

pub use crate::imports::{Import, ImportState};
pub use crate::posts::{Edition, Emoji, Media, MediaKind, Poll, Status, Visibility};

pub type Id = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Old,
    New,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Old, Side::New];

    pub fn other(self) -> Side {
        match self {
            Side::Old => Side::New,
            Side::New => Side::Old,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Side::Old => "old",
            Side::New => "new",
        }
    }

    pub fn parse(text: &str) -> Option<Side> {
        Self::BOTH.into_iter().find(|side| side.name() == text)
    }

    fn index(self) -> usize {
        match self {
            Side::Old => 0,
            Side::New => 1,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Alias {
    pub id: Id,
    pub acct: String,
    pub uri: String,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub id: Id,
    pub username: String,
    /// `None` for accounts of this server.
    pub domain: Option<String>,
    pub display_name: String,
    pub note: String,
    pub fields: Vec<(String, String)>,
    pub uri: String,
    pub url: String,
    pub locked: bool,
    pub bot: bool,
    pub discoverable: Option<bool>,
    pub indexable: bool,
    pub hide_collections: Option<bool>,
    pub created_at: Millis,
    /// What the account's actor document says it is also known as; for local accounts the URIs of `aliases`.
    pub also_known_as: Vec<String>,
    pub aliases: Vec<Alias>,
    pub moved_to: Option<Id>,
    /// When a copy of a remote account was last fetched.
    pub fetched_at: Millis,
    /// Counters of remote accounts, which cannot be counted here.
    pub remote_followers: usize,
    pub remote_following: usize,
    pub remote_statuses: usize,
    pub suspended: bool,
    pub avatar: Option<Picture>,
    pub header: Option<Picture>,
    pub user: Option<User>,
}

impl Account {
    pub fn is_local(&self) -> bool {
        self.domain.is_none()
    }

    /// `name` for local accounts, `name@domain` for others.
    pub fn acct(&self) -> String {
        match &self.domain {
            None => self.username.clone(),
            Some(domain) => format!("{}@{domain}", self.username),
        }
    }
}

/// An avatar or a header, as uploaded.
#[derive(Clone, Debug)]
pub struct Picture {
    pub content_type: String,
    /// The name at the end of the address.
    pub name: String,
    pub description: String,
    pub bytes: std::sync::Arc<Vec<u8>>,
}

/// The sign-in side of a local account.
#[derive(Clone, Debug)]
pub struct User {
    pub number: u64,
    pub email: String,
    pub unconfirmed_email: Option<String>,
    pub password: String,
    pub confirmed: bool,
    pub approved: bool,
    pub confirmation_token: Option<String>,
    pub confirmation_sent_at: Millis,
    pub owner: bool,
    pub migrations: Vec<Migration>,
    pub imports: Vec<Import>,
    pub backup_requested_at: Option<Millis>,
    pub domain_blocks: Vec<String>,
    pub followed_tags: Vec<String>,
    pub featured_tags: Vec<(Id, String)>,
    /// Posts pinned to the profile, the last one first.
    pub pinned: Vec<Id>,
    /// Whom the profile features: a number of the entry and the account.
    pub endorsed: Vec<(Id, Id)>,
    pub notes: BTreeMap<Id, String>,
    pub settings: BTreeMap<String, String>,
}

/// A row of "Past migrations"; also what makes the cooldown.
#[derive(Clone, Debug)]
pub struct Migration {
    pub acct: String,
    pub target: Id,
    pub followers: usize,
    pub at: Millis,
}

#[derive(Clone, Debug)]
pub struct Follow {
    pub id: Id,
    pub from: Id,
    pub to: Id,
    pub reblogs: bool,
    pub notify: bool,
    pub languages: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Mute {
    pub id: Id,
    pub from: Id,
    pub to: Id,
    pub notifications: bool,
    pub expires_at: Option<Millis>,
}

#[derive(Clone, Debug)]
pub struct Block {
    pub id: Id,
    pub from: Id,
    pub to: Id,
}

#[derive(Clone, Debug)]
pub struct List {
    pub id: Id,
    pub owner: Id,
    pub title: String,
    pub replies_policy: String,
    pub exclusive: bool,
    pub members: Vec<Id>,
}

/// An entry of somebody's conversation list: a thread and a set of participants.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub id: Id,
    pub owner: Id,
    pub thread: Id,
    pub participants: BTreeSet<Id>,
    pub statuses: Vec<Id>,
    pub unread: bool,
}

#[derive(Clone, Debug)]
pub struct Notification {
    pub id: Id,
    pub owner: Id,
    pub kind: &'static str,
    pub from: Id,
    pub status: Option<Id>,
    pub at: Millis,
    pub filtered: bool,
}

#[derive(Clone, Debug)]
pub struct NotificationRequest {
    pub id: Id,
    pub owner: Id,
    pub from: Id,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub last_status: Option<Id>,
}

/// A bookmark or a favourite.
#[derive(Clone, Debug)]
pub struct Mark {
    pub id: Id,
    pub owner: Id,
    pub status: Id,
}

#[derive(Clone, Debug)]
pub struct Filter {
    pub id: Id,
    pub owner: Id,
    pub title: String,
    pub context: Vec<String>,
    pub expires_at: Option<Millis>,
    pub action: String,
    pub keywords: Vec<(Id, String, bool)>,
    pub statuses: Vec<(Id, Id)>,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub secret: u64,
    pub account: Option<Id>,
    pub token: Option<String>,
    pub flash: Vec<(&'static str, String)>,
    pub return_to: Option<String>,
    pub at: Millis,
}

#[derive(Clone, Debug)]
pub struct Mail {
    pub side: Side,
    pub to: String,
    pub subject: String,
    pub link: Option<String>,
    pub at: Millis,
}

/// Someone on a server that is neither of the two and exists only as seen from them.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    pub username: String,
    pub domain: String,
    pub display_name: String,
    /// Whether that server's software understands a move; if not its people stay behind (facts 3.4).
    pub follows_moves: bool,
    pub locked: bool,
    /// Where they have moved to.
    pub moved_to: Option<String>,
    /// What their server answers about them now: 404 or 410.
    pub gone: Option<u16>,
}

/// Something that happens when the servers' clock gets there.
#[derive(Clone, Debug)]
pub enum Event {
    /// A follower from elsewhere has heard of the move and follows the new account.
    FollowerArrives { username: String, domain: String, old: Id, target_side: Side, target: Id },
}

#[derive(Clone, Debug)]
pub struct Server {
    pub side: Side,
    pub version: Version,
    /// `old.localhost:4001`
    pub domain: String,
    /// `http://old.localhost:4001`
    pub origin: String,
    pub secure_mode: bool,
    /// Closed for good (facts 1.7, "Self-destruct"); 4.3 and later.
    pub closing: bool,
    pub accounts: crate::people::People,
    pub follows: crate::people::Follows,
    pub follow_requests: Vec<Follow>,
    pub mutes: Vec<Mute>,
    pub blocks: Vec<Block>,
    pub lists: Vec<List>,
    pub statuses: BTreeMap<Id, Status>,
    pub replies: HashMap<Id, Vec<Id>>,
    pub by_author: HashMap<Id, BTreeSet<Id>>,
    /// The same without direct messages, which count nowhere in public (captures 4.6.5-api/big).
    pub by_author_open: HashMap<Id, BTreeSet<Id>>,
    pub media: HashMap<Id, Id>,
    pub emojis: Vec<Emoji>,
    pub conversations: crate::tables::Conversations,
    pub notifications: crate::tables::Notifications,
    /// Whose requests were accepted: owner and sender. Nothing of theirs is filtered any more.
    pub permitted: BTreeSet<(Id, Id)>,
    /// `http://cdn.localhost:4003`, where media live on a third origin.
    pub media_host: Option<String>,
    pub notification_requests: Vec<NotificationRequest>,
    pub bookmarks: Vec<Mark>,
    pub favourites: Vec<Mark>,
    pub filters: Vec<Filter>,
    /// Domains that this server's moderators have blocked.
    pub blocked_domains: Vec<(String, String, String)>,
    pub sessions: HashMap<String, Session>,
    /// Actor documents as last rendered; served for three minutes whatever happens meanwhile (facts 3.3, 13 "Alias").
    pub actor_cache: HashMap<Id, (String, Millis)>,
    pub rate: crate::limits::Buckets,
    /// How many people anybody may follow; above it, followers count (facts 6).
    pub follow_limit: usize,
    /// Follows through the API: on which day, and how many (facts 7).
    pub followed_today: HashMap<Id, (i64, u32)>,
    pub circuits: crate::imports::Circuits,
    pub last_import: Id,
    pub kept: crate::raw::Kept,
    counter: u64,
}

impl Server {
    pub fn new(side: Side, version: Version, domain: String) -> Self {
        Self {
            side,
            version,
            origin: format!("http://{domain}"),
            domain,
            secure_mode: false,
            closing: false,
            accounts: crate::people::People::default(),
            follows: crate::people::Follows::default(),
            follow_requests: Vec::new(),
            mutes: Vec::new(),
            blocks: Vec::new(),
            lists: Vec::new(),
            statuses: BTreeMap::new(),
            replies: HashMap::new(),
            by_author: HashMap::new(),
            by_author_open: HashMap::new(),
            media: HashMap::new(),
            emojis: Vec::new(),
            conversations: crate::tables::Conversations::default(),
            notifications: crate::tables::Notifications::default(),
            permitted: BTreeSet::new(),
            media_host: None,
            notification_requests: Vec::new(),
            bookmarks: Vec::new(),
            favourites: Vec::new(),
            filters: Vec::new(),
            blocked_domains: Vec::new(),
            sessions: HashMap::new(),
            actor_cache: HashMap::new(),
            rate: crate::limits::Buckets::default(),
            follow_limit: 7_500,
            followed_today: HashMap::new(),
            circuits: HashMap::new(),
            last_import: 0,
            kept: crate::raw::Kept::default(),
            counter: 0,
        }
    }

    /// A small running number, as Rails gives to rows of most tables.
    pub fn next_number(&mut self) -> Id {
        self.counter += 1;
        self.counter
    }

    /// Mastodon's snowflake: the time in milliseconds, then a sequence.
    pub fn next_snowflake(&mut self, at: Millis) -> Id {
        let sequence = self.next_number() & 0xffff;
        (u64::try_from(at).unwrap_or(0) << 16) | sequence
    }

    pub fn account(&self, id: Id) -> Option<&Account> {
        self.accounts.get(&id)
    }

    pub fn account_mut(&mut self, id: Id) -> Option<&mut Account> {
        self.accounts.get_mut(&id)
    }

    pub fn user(&self, id: Id) -> Option<&User> {
        self.accounts.get(&id).and_then(|account| account.user.as_ref())
    }

    pub fn user_mut(&mut self, id: Id) -> Option<&mut User> {
        self.accounts.get_mut(&id).and_then(|account| account.user.as_mut())
    }

    /// Finds an account that this server already knows. Names are compared without case, as Mastodon does.
    pub fn find(&self, username: &str, domain: Option<&str>) -> Option<Id> {
        let domain = domain.filter(|domain| !domain.eq_ignore_ascii_case(&self.domain));
        self.accounts.find(username, domain)
    }

    pub fn find_acct(&self, acct: &str) -> Option<Id> {
        let acct = acct.trim().trim_start_matches('@');
        match acct.split_once('@') {
            None => self.find(acct, None),
            Some((name, domain)) => self.find(name, Some(domain)),
        }
    }

    pub fn find_uri(&self, uri: &str) -> Option<Id> {
        let is = |account: &&Account| account.uri == uri;
        let known = self.accounts.users().find(is).or_else(|| self.accounts.values().find(is));
        known.map(|account| account.id)
    }

    /// `user@domain`, in full also for accounts of this server.
    pub fn full_acct(&self, id: Id) -> String {
        self.account(id).map_or_else(String::new, |account| {
            let domain = account.domain.as_deref().unwrap_or(&self.domain);
            format!("{}@{domain}", account.username)
        })
    }

    pub fn follows(&self, from: Id, to: Id) -> bool {
        self.follows.find(from, to).is_some()
    }

    pub fn blocks(&self, from: Id, to: Id) -> bool {
        self.blocks.iter().any(|block| block.from == from && block.to == to)
    }

    pub fn mutes(&self, from: Id, to: Id) -> bool {
        self.mutes.iter().any(|mute| mute.from == from && mute.to == to)
    }

    pub fn followers_count(&self, id: Id) -> usize {
        let known = self.follows.count_to(id);
        known.max(self.account(id).map_or(0, |account| account.remote_followers))
    }

    pub fn following_count(&self, id: Id) -> usize {
        let known = self.follows.count_of(id);
        known.max(self.account(id).map_or(0, |account| account.remote_following))
    }

    pub fn statuses_count(&self, id: Id) -> usize {
        match self.account(id) {
            Some(account) if account.is_local() => self.by_author_open.get(&id).map_or(0, BTreeSet::len),
            Some(account) => account.remote_statuses,
            None => 0,
        }
    }

    pub fn follow(&mut self, from: Id, to: Id, reblogs: bool, notify: bool, languages: Vec<String>) -> bool {
        if from == to || self.follows(from, to) {
            return false;
        }
        let id = self.next_number();
        self.follow_requests.retain(|request| !(request.from == from && request.to == to));
        self.follows.push(Follow { id, from, to, reblogs, notify, languages });
        true
    }

    pub fn unfollow(&mut self, from: Id, to: Id) {
        self.follows.remove(from, to);
        self.follow_requests.retain(|follow| !(follow.from == from && follow.to == to));
    }

    pub fn request_follow(
        &mut self,
        from: Id,
        to: Id,
        reblogs: bool,
        notify: bool,
        languages: Vec<String>,
    ) -> bool {
        if from == to
            || self.follows(from, to)
            || self.follow_requests.iter().any(|request| request.from == from && request.to == to)
        {
            return false;
        }
        let id = self.next_number();
        self.follow_requests.push(Follow { id, from, to, reblogs, notify, languages });
        true
    }

    pub fn notify(
        &mut self,
        owner: Id,
        kind: &'static str,
        from: Id,
        status: Option<Id>,
        at: Millis,
        filtered: bool,
    ) {
        if self.user(owner).is_none() {
            return;
        }
        let id = self.next_number();
        self.notifications.push(Notification { id, owner, kind, from, status, at, filtered });
    }

    /// facts 1.7: confirmed, approved and not moved.
    pub fn functional(&self, id: Id) -> bool {
        self.account(id).is_some_and(|account| {
            account.moved_to.is_none()
                && account.user.as_ref().is_some_and(|user| user.confirmed && user.approved)
        })
    }

    /// Whether the public may see the account: confirmed and approved (facts 3.3: actor documents since 3.5).
    pub fn available(&self, id: Id) -> bool {
        self.account(id).is_some_and(|account| {
            !account.suspended && account.user.as_ref().is_none_or(|user| user.confirmed && user.approved)
        })
    }

    /// The time until which a new move is refused, if any (facts 3.2: thirty days after any migration row).
    pub fn cooldown_until(&self, id: Id, now: Millis) -> Option<Millis> {
        let last = self.user(id)?.migrations.iter().map(|migration| migration.at).max()?;
        let until = last + 30 * clock::DAY;
        (until > now).then_some(until)
    }

    pub fn local_accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.users()
    }
}

/// One line of the request log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    pub at: Millis,
    pub side: Side,
    pub method: String,
    pub path: String,
    pub query: String,
    pub user: Option<String>,
    pub status: u16,
    /// `none`, `cookie`, `token`, `cookie+token` or `server` (one server asking the other).
    pub auth: &'static str,
}

/// Both servers, the people elsewhere, the clock, and what the tests have arranged.
#[derive(Clone, Debug)]
pub struct World {
    servers: [Server; 2],
    pub clock_offset: Millis,
    /// The clock stands still, but for the offset.
    pub stopped_at: Option<Millis>,
    pub elsewhere: Vec<Elsewhere>,
    pub events: Vec<(Millis, Event)>,
    /// When what is due was last looked for.
    pub ticked_at: Millis,
    pub mails: Vec<Mail>,
    pub faults: Vec<Fault>,
    pub log: Vec<LogEntry>,
    /// Requests at the media host, which belongs to neither server.
    pub media_log: Vec<LogEntry>,
    /// Answers that an arranged trouble gives again and again.
    pub repeated: HashMap<u64, crate::serve::Answer>,
    pub hosts: Vec<(Side, String)>,
    /// What the import form shall answer next: an arranged trouble.
    pub import_error: Option<String>,
    /// Domains whose servers do not answer.
    pub silent: BTreeSet<String>,
    /// For how long one waits for them, in milliseconds, before giving up; only over the network.
    pub silence: u64,
    /// Posts that their own server has deleted, by URI; others may still have them.
    pub deleted: BTreeSet<String>,
}

impl World {
    pub fn new(old: Server, new: Server) -> Self {
        Self {
            servers: [old, new],
            clock_offset: 0,
            stopped_at: None,
            elsewhere: Vec::new(),
            events: Vec::new(),
            ticked_at: 0,
            mails: Vec::new(),
            faults: Vec::new(),
            log: Vec::new(),
            media_log: Vec::new(),
            repeated: HashMap::new(),
            hosts: Vec::new(),
            import_error: None,
            silent: BTreeSet::new(),
            silence: 1_000,
            deleted: BTreeSet::new(),
        }
    }

    /// Something is or may become different: nothing that was rendered counts any more.
    pub fn changed(&mut self) {
        for server in &mut self.servers {
            server.kept.keep(false);
        }
    }

    pub fn now(&self) -> Millis {
        self.stopped_at.unwrap_or_else(clock::machine_now) + self.clock_offset
    }

    pub fn server(&self, side: Side) -> &Server {
        let [old, new] = &self.servers;
        if side.index() == 0 { old } else { new }
    }

    pub fn server_mut(&mut self, side: Side) -> &mut Server {
        let [old, new] = &mut self.servers;
        if side.index() == 0 { old } else { new }
    }

    pub fn side_of_domain(&self, domain: &str) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.server(*side).domain.eq_ignore_ascii_case(domain))
    }
}

/// Numbers that nobody can guess, without a further dependency: the standard library seeds its hasher from the system.
pub fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

pub fn random_text() -> String {
    format!("{:016x}{:016x}{:016x}", random(), random(), random())
}
