//! Everything known about the two accounts, each fact with the time it was seen and where.

use serde_json::{Map, Value};

use crate::account::{ActorUri, Domain, Handle, HandleError};
use crate::plain::{Plain, put};
use crate::server::page::PageKind;
use crate::server::page::export::Counts;
use crate::server::profile::Shown;
use crate::server::reply::Refusal;
use crate::server::version::Version;
use crate::when::{Known, Time};

/// The account being left, or the one being moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Old,
    New,
}

/// How the account's e-mail address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Email {
    Confirmed,
    Unconfirmed,
    /// Confirmed, but a moderator has not let the account in yet.
    AwaitsApproval,
    /// Not usable yet, and from where we stood it could not be seen which of the two it is.
    Held,
}

/// Whether the account can be found, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    Found,
    /// The server answers and knows no such account.
    Unknown,
    /// Something answers, but not as a Mastodon server does.
    NotMastodon,
    /// The account is there and belongs to another web host, which has to be asked instead.
    Elsewhere,
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    pub handle: Handle,
    /// The first time it was seen to be there.
    pub since: Time,
    /// It was seen not to be there before, or we made it: then a copy without it may be about.
    pub made_lately: bool,
}

/// What the actor document says that other servers read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorSeen {
    pub uri: ActorUri,
    pub also_known_as: Vec<ActorUri>,
}

/// The conversation list, as far as it was read, and what else there is of direct messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Id of the conversation and of its last message.
    pub conversations: Vec<(String, String)>,
    /// There are more conversations than were read.
    pub more: bool,
    /// Direct messages among the newest mentions and the newest own posts, asked for only when the list is empty.
    pub elsewhere: u64,
}

/// Whether an account's server blocks another server, by its public list. Which one belongs to it: the handle in the
/// form changes, and what was said of one server says nothing about the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSeen {
    pub domain: Domain,
    pub blocked: bool,
}

/// How a server answered when last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Answers,
    /// It answers that there are too many requests.
    Busy,
    Broken,
    Silent,
    /// It is being closed for good: what is left of it is for taking things away (facts 1.7, "Self-destruct").
    Closing,
}

/// How it stands with the archive, as the export page tells it (facts 5, "Archive").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveSeen {
    /// It can be asked for now.
    pub may_ask: bool,
    /// When the newest one was asked for, where the page says when.
    pub asked: Option<Time>,
    /// There is one to download.
    pub ready: bool,
}

/// A redirect to another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    None,
    To(Option<Handle>),
}

/// Whether the server lets the account move, or makes it wait after the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cooldown {
    Over,
    Days(u64),
    /// It has to wait; how long could not be read.
    Some,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// Everything known about one account.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct AccountFacts {
            $($(#[$doc])* pub $field: Option<Known<$type>>,)*
        }

        /// A fact that cannot be read, from another version perhaps, is not known; see [`super::plain`].
        impl Plain for AccountFacts {
            fn write(&self) -> Value {
                let mut object = Map::new();
                $(if let Some(known) = &self.$field {
                    put(&mut object, stringify!($field), known.write());
                })*
                object.into()
            }

            fn read(value: &Value) -> Option<AccountFacts> {
                let object = value.as_object()?;
                Some(AccountFacts { $($field: object.get(stringify!($field)).and_then(Plain::read),)* })
            }
        }

        impl AccountFacts {
            /// Takes over what the other knows later than we do.
            pub fn learn(&mut self, mut news: AccountFacts) {
                if let (Some(new), Some(old)) = (&mut news.aliases, &self.aliases) {
                    keep_first_sight(&mut new.value, &old.value);
                }
                // From outside it cannot be seen which of the two holds an account up; from inside it was.
                if matches!(&news.email, Some(new) if new.value == Email::Held)
                    && matches!(&self.email, Some(old) if matches!(old.value, Email::Unconfirmed | Email::AwaitsApproval))
                {
                    news.email = None;
                }
                $(if news.$field.as_ref().is_some_and(|new| self.$field.as_ref().is_none_or(|old| new.at >= old.at)) {
                    self.$field = news.$field;
                })*
            }

            /// Whether both say the same, whenever and wherever it was seen.
            pub fn says_the_same(&self, other: &AccountFacts) -> bool {
                true $(&& self.$field.as_ref().map(|known| &known.value) == other.$field.as_ref().map(|known| &known.value))*
            }

            /// Drops what was seen until then.
            pub fn drop_until(&mut self, until: Time) {
                $(self.$field.take_if(|known| known.at <= until);)*
            }

            /// When anything here was last seen.
            pub fn last_seen(&self) -> Option<Time> {
                [$(self.$field.as_ref().map(|known| known.at)),*].into_iter().flatten().max()
            }
        }
    };
}

facts! {
    handle: Handle,
    uri: ActorUri,
    version: Version,
    /// Somebody is signed in on the server, as seen in a tab of it.
    signed_in: bool,
    email: Email,
    /// A change of address waits for its confirmation.
    address_change: bool,
    created_at: Time,
    locked: bool,
    redirect: Redirect,
    cooldown: Cooldown,
    /// The last move that the server lists.
    last_move: Time,
    aliases: Vec<AliasRow>,
    actor: ActorSeen,
    /// The old server refused a move to this account: it has read, or tried to read, the actor document then.
    move_refused: (),
    existence: Existence,
    messages: Messages,
    counts: Counts,
    archive: ArchiveSeen,
    follow_requests: u64,
    followers: u64,
    following: u64,
    /// Without direct messages, which no server counts.
    posts: u64,
    /// What of the profile is filled in.
    profile: Shown,
    /// Whom of the other account's server the newest posts name.
    announced: Vec<Handle>,
    blocks: BlockSeen,
    health: Health,
}

fn keep_first_sight(new: &mut [AliasRow], old: &[AliasRow]) {
    for row in new {
        match old.iter().find(|before| before.handle.is_same(&row.handle)) {
            Some(before) => {
                row.since = before.since.min(row.since);
                row.made_lately |= before.made_lately;
            }
            None => row.made_lately = true,
        }
    }
}

impl AccountFacts {
    pub fn alias_for(&self, old: &Handle) -> Option<&AliasRow> {
        self.aliases.as_ref()?.value.iter().find(|row| row.handle.is_same(old))
    }

    /// The value of a fact, its age apart.
    pub fn value<T>(known: &Option<Known<T>>) -> Option<&T> {
        known.as_ref().map(|known| &known.value)
    }
}

/// Which account the checks are about: what stands in the form, or what was linked.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Target {
    /// Nothing typed, nothing linked.
    #[default]
    None,
    /// What is typed is no handle; with the handle that may have been meant.
    Unreadable(HandleError, Option<Handle>),
    Handle(Handle),
    /// The new server is linked, and nobody has signed in there yet.
    Server(Domain),
}

/// What is saved of the old account. The jobs that fill it come with the messages and the lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    pub messages: Option<SavedMessages>,
    pub lists: Option<SavedLists>,
    /// What the last unpacking brought.
    pub arrived: Option<Arrived>,
    /// Whom a move would lose, because the new server blocks their servers.
    pub blocked: Option<BlockedPeople>,
}

/// The saved conversations: enough to know what has changed since.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedMessages {
    pub at: Time,
    /// Messages of both sides.
    pub count: u64,
    /// Saved while a redirect was set: what needs a token is not in it.
    pub rescued: bool,
    /// Id of the conversation and of its last message when it was saved.
    pub conversations: Vec<(String, String)>,
}

/// What is packed besides messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedLists {
    pub at: Time,
    /// Rows of each of the server's own files; of lists, the lists.
    pub rows: Counts,
    /// So many parts could not be packed.
    pub lacking: u64,
    /// Packed while a redirect was set: what needs a token is not in it.
    pub rescued: bool,
}

/// What became of the follows that were unpacked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrived {
    pub at: Time,
    /// Of so many that were packed.
    pub follows: u64,
    /// Are followed now, those included who were before.
    pub arrived: u64,
    pub requested: u64,
    /// The import is still under way.
    pub running: u64,
    /// Did not arrive, and another try may help.
    pub retry: u64,
    /// Are nowhere to be followed any more: gone, moved, suspended, blocked; or were left out.
    pub lost: u64,
}

/// People on servers that the new server blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockedPeople {
    pub at: Time,
    /// Whose block list it was.
    pub by: Option<Domain>,
    pub follows: u64,
    pub followers: u64,
    /// The servers with most of them first.
    pub servers: Vec<String>,
}

/// What the checks look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dossier {
    pub old: AccountFacts,
    pub new: AccountFacts,
    pub target: Target,
    /// We may look at the target's server from outside.
    pub target_granted: bool,
    /// The host of the new account's web pages, for links.
    pub old_host: Option<Domain>,
    pub new_host: Option<Domain>,
    pub saved: Saved,
    /// Requests that are still under way.
    pub asking: bool,
    /// The page on which the findings are shown; none on the desk.
    pub page: Option<PageKind>,
}

impl Dossier {
    pub fn old_handle(&self) -> Option<&Handle> {
        AccountFacts::value(&self.old.handle)
    }

    pub fn new_handle(&self) -> Option<&Handle> {
        match &self.target {
            Target::Handle(handle) => Some(handle),
            _ => AccountFacts::value(&self.new.handle),
        }
    }

    pub fn facts(&self, side: Side) -> &AccountFacts {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::when::Source;

    fn known<T>(value: T, at: i64) -> Option<Known<T>> {
        Some(Known::new(value, Time(at), Source::OwnPage))
    }

    #[test]
    fn learns_only_what_is_newer() {
        let mut facts =
            AccountFacts { locked: known(true, 10), followers: known(5, 10), ..Default::default() };
        facts.learn(AccountFacts { locked: known(false, 5), followers: known(6, 11), ..Default::default() });
        assert_eq!(facts.locked, known(true, 10));
        assert_eq!(facts.followers, known(6, 11));
        assert_eq!(facts.last_seen(), Some(Time(11)));
    }

    #[test]
    fn an_alias_keeps_the_time_it_was_first_seen() {
        let ana: Handle = "ana@old.example".parse().unwrap();
        let row = |since| AliasRow { handle: ana.clone(), since: Time(since), made_lately: false };
        let mut facts = AccountFacts { aliases: known(vec![], 1), ..Default::default() };
        facts.learn(AccountFacts { aliases: known(vec![row(5)], 5), ..Default::default() });
        facts.learn(AccountFacts { aliases: known(vec![row(9)], 9), ..Default::default() });
        let alias = facts.alias_for(&ana).unwrap();
        assert_eq!((alias.since, alias.made_lately), (Time(5), true));

        let mut never_seen_before = AccountFacts::default();
        never_seen_before.learn(AccountFacts { aliases: known(vec![row(5)], 5), ..Default::default() });
        assert!(!never_seen_before.alias_for(&ana).unwrap().made_lately);
    }
}
