//! Facts as plain JSON values, for storage and messages. Most are arrays: there are many, and their order is ours.

use serde_json::{Map, Value};

use super::dossier::{
    ActorSeen, AliasRow, ArchiveSeen, Arrived, BlockSeen, BlockedPeople, Cooldown, Email, Existence, Health,
    Messages, Redirect, Saved, SavedLists, SavedMessages, Side,
};
use crate::account::{ActorUri, Handle};
use crate::plain::{Plain, record, words};
use crate::server::page::export::Counts;
use crate::server::profile::Shown;
use crate::server::reply::{Refusal, Silence};
use crate::server::version::Version;
use crate::when::{Source, Time};

words! {
    Side { Old = "old", New = "new" }
    Source { OwnPage = "own-page", OwnApi = "own-api", Outside = "outside", Ourselves = "ourselves" }
    Email { Confirmed = "confirmed", Unconfirmed = "unconfirmed", AwaitsApproval = "awaits-approval", Held = "held" }
    Health { Answers = "answers", Busy = "busy", Broken = "broken", Silent = "silent", Closing = "closing" }
    Silence {
        Unreachable = "unreachable", TimedOut = "timed-out", NoTab = "no-tab", NotGranted = "not-granted",
        Refused = "refused", OtherAccount = "other-account",
    }
}

record! {
    Saved { messages = default, lists = default, arrived = default, blocked = default }
    SavedMessages { at, count = default, rescued = default, conversations }
    SavedLists { at, rows, lacking = default, rescued = default }
    Arrived { at, follows, arrived, requested, running, retry, lost }
    BlockedPeople { at, by, follows, followers, servers }
    Shown { name, note, fields, avatar, header }
    ArchiveSeen { may_ask, asked, ready = default }
}

/// `[domain, blocked]`
impl Plain for BlockSeen {
    fn write(&self) -> Value {
        Value::Array(vec![self.domain.write(), self.blocked.write()])
    }

    fn read(value: &Value) -> Option<BlockSeen> {
        Some(BlockSeen { domain: Plain::read(value.get(0)?)?, blocked: bool::read(value.get(1)?)? })
    }
}

impl Plain for Version {
    fn write(&self) -> Value {
        Value::from(self.text.as_str())
    }

    fn read(value: &Value) -> Option<Version> {
        Version::parse(value.as_str()?)
    }
}

/// `false`: none. `true`: to nobody knows whom. A handle: to that one.
impl Plain for Redirect {
    fn write(&self) -> Value {
        match self {
            Redirect::None => Value::Bool(false),
            Redirect::To(None) => Value::Bool(true),
            Redirect::To(Some(handle)) => handle.write(),
        }
    }

    fn read(value: &Value) -> Option<Redirect> {
        match value {
            Value::Bool(false) => Some(Redirect::None),
            Value::Bool(true) => Some(Redirect::To(None)),
            _ => Handle::read(value).map(|handle| Redirect::To(Some(handle))),
        }
    }
}

/// `false`: over. `true`: who knows how long. A number: so many days.
impl Plain for Cooldown {
    fn write(&self) -> Value {
        match self {
            Cooldown::Over => Value::Bool(false),
            Cooldown::Some => Value::Bool(true),
            Cooldown::Days(days) => Value::from(*days),
        }
    }

    fn read(value: &Value) -> Option<Cooldown> {
        match value {
            Value::Bool(false) => Some(Cooldown::Over),
            Value::Bool(true) => Some(Cooldown::Some),
            _ => value.as_u64().map(Cooldown::Days),
        }
    }
}

impl Plain for Existence {
    fn write(&self) -> Value {
        Value::from(match self {
            Existence::Found => "found",
            Existence::Unknown => "unknown",
            Existence::NotMastodon => "not-mastodon",
            Existence::Elsewhere => "elsewhere",
            Existence::Refused(Refusal::SignedOut) => "signed-out",
            Existence::Refused(Refusal::Forbidden) => "forbidden",
            Existence::Refused(Refusal::NotFound) => "not-found",
            Existence::Refused(Refusal::Gone) => "gone",
            Existence::Refused(Refusal::TooMany) => "too-many",
            Existence::Refused(Refusal::Broken) => "broken",
            Existence::Refused(Refusal::Elsewhere) => "sent-elsewhere",
            Existence::Refused(Refusal::Nonsense) => "nonsense",
            Existence::Refused(Refusal::Silent(silence)) => silence.word(),
        })
    }

    fn read(value: &Value) -> Option<Existence> {
        let refused = |refusal| Some(Existence::Refused(refusal));
        match value.as_str()? {
            "found" => Some(Existence::Found),
            "unknown" => Some(Existence::Unknown),
            "not-mastodon" => Some(Existence::NotMastodon),
            "elsewhere" => Some(Existence::Elsewhere),
            "signed-out" => refused(Refusal::SignedOut),
            "forbidden" => refused(Refusal::Forbidden),
            "not-found" => refused(Refusal::NotFound),
            "gone" => refused(Refusal::Gone),
            "too-many" => refused(Refusal::TooMany),
            "broken" => refused(Refusal::Broken),
            "sent-elsewhere" => refused(Refusal::Elsewhere),
            "nonsense" => refused(Refusal::Nonsense),
            word => refused(Refusal::Silent(Silence::of_word(word)?)),
        }
    }
}

impl Plain for AliasRow {
    fn write(&self) -> Value {
        Value::Array(vec![self.handle.write(), self.since.write(), self.made_lately.write()])
    }

    fn read(value: &Value) -> Option<AliasRow> {
        Some(AliasRow {
            handle: Handle::read(value.get(0)?)?,
            since: Time::read(value.get(1)?)?,
            made_lately: bool::read(value.get(2)?)?,
        })
    }
}

impl Plain for ActorSeen {
    fn write(&self) -> Value {
        Value::Array(vec![self.uri.write(), self.also_known_as.write()])
    }

    fn read(value: &Value) -> Option<ActorSeen> {
        Some(ActorSeen { uri: ActorUri::read(value.get(0)?)?, also_known_as: Plain::read(value.get(1)?)? })
    }
}

impl Plain for Messages {
    fn write(&self) -> Value {
        Value::Array(vec![self.conversations.write(), self.more.write(), self.elsewhere.write()])
    }

    fn read(value: &Value) -> Option<Messages> {
        Some(Messages {
            conversations: Plain::read(value.get(0)?)?,
            more: bool::read(value.get(1)?)?,
            elsewhere: u64::read(value.get(2)?)?,
        })
    }
}

impl Plain for Counts {
    fn write(&self) -> Value {
        let mut object = Map::new();
        for (key, count) in [
            ("follows", self.follows),
            ("lists", self.lists),
            ("mutes", self.mutes),
            ("blocks", self.blocks),
            ("domain_blocks", self.domain_blocks),
            ("bookmarks", self.bookmarks),
            ("filters", self.filters),
            ("followers", self.followers),
        ] {
            if let Some(count) = count {
                object.insert(key.to_owned(), Value::from(count));
            }
        }
        Value::Object(object)
    }

    fn read(value: &Value) -> Option<Counts> {
        let count = |key: &str| value.get(key).and_then(Value::as_u64);
        value.is_object().then(|| Counts {
            follows: count("follows"),
            lists: count("lists"),
            mutes: count("mutes"),
            blocks: count("blocks"),
            domain_blocks: count("domain_blocks"),
            bookmarks: count("bookmarks"),
            filters: count("filters"),
            followers: count("followers"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trunk::dossier::AccountFacts;
    use crate::when::Known;
    use proptest::prelude::*;

    fn handle() -> impl Strategy<Value = Handle> {
        "[a-z][a-z0-9_]{0,8}".prop_map(|user| Handle::new(&user, "new.example".parse().unwrap()).unwrap())
    }

    fn refusal() -> impl Strategy<Value = Refusal> {
        use Refusal::*;
        prop_oneof![
            Just(SignedOut),
            Just(Forbidden),
            Just(NotFound),
            Just(Gone),
            Just(TooMany),
            Just(Broken),
            Just(Elsewhere),
            Just(Nonsense),
            Just(Silent(Silence::Unreachable)),
            Just(Silent(Silence::TimedOut)),
            Just(Silent(Silence::NoTab)),
            Just(Silent(Silence::NotGranted)),
            Just(Silent(Silence::Refused)),
            Just(Silent(Silence::OtherAccount)),
        ]
    }

    fn known<T: std::fmt::Debug + Clone>(
        value: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Option<Known<T>>> {
        let from = prop_oneof![
            Just(Source::OwnPage),
            Just(Source::OwnApi),
            Just(Source::Outside),
            Just(Source::Ourselves)
        ];
        prop::option::of(
            (value, 0..4_000_000_000_000i64, from)
                .prop_map(|(value, at, from)| Known::new(value, Time(at), from)),
        )
    }

    fn facts() -> impl Strategy<Value = AccountFacts> {
        let email = prop_oneof![
            Just(Email::Confirmed),
            Just(Email::Unconfirmed),
            Just(Email::AwaitsApproval),
            Just(Email::Held),
        ];
        let redirect = prop_oneof![Just(Redirect::None), prop::option::of(handle()).prop_map(Redirect::To)];
        let cooldown =
            prop_oneof![Just(Cooldown::Over), Just(Cooldown::Some), (0..99u64).prop_map(Cooldown::Days)];
        let existence = prop_oneof![
            Just(Existence::Found),
            Just(Existence::Unknown),
            Just(Existence::NotMastodon),
            Just(Existence::Elsewhere),
            refusal().prop_map(Existence::Refused),
        ];
        let row = (handle(), any::<u32>(), any::<bool>()).prop_map(|(handle, since, made_lately)| AliasRow {
            handle,
            since: Time(since.into()),
            made_lately,
        });
        let actor = (".*", prop::collection::vec(".*", 0..3)).prop_map(|(uri, aliases)| ActorSeen {
            uri: ActorUri(uri),
            also_known_as: aliases.into_iter().map(ActorUri).collect(),
        });
        let messages = (prop::collection::vec(("[0-9]{1,4}", "[0-9]{0,4}"), 0..4), any::<bool>(), 0..9u64)
            .prop_map(|(conversations, more, elsewhere)| Messages { conversations, more, elsewhere });
        let counts = (prop::option::of(0..9_999u64), prop::option::of(0..9u64))
            .prop_map(|(follows, filters)| Counts { follows, filters, ..Default::default() });
        let version =
            (0..9u16, 0..20u16).prop_map(|(a, b)| Version::parse(&format!("{a}.{b}.1+glitch")).unwrap());
        let first = (
            known(handle()),
            known(version),
            known(email),
            known(redirect),
            known(cooldown),
            known(existence),
            known(prop::collection::vec(row, 0..3)),
            known(actor),
            known(messages),
            known(counts),
        );
        (first, known(any::<bool>()), known(any::<u64>()), known(Just(()))).prop_map(
            |(
                (handle, version, email, redirect, cooldown, existence, aliases, actor, messages, counts),
                locked,
                followers,
                move_refused,
            )| {
                AccountFacts {
                    handle,
                    version,
                    email,
                    redirect,
                    cooldown,
                    existence,
                    aliases,
                    actor,
                    messages,
                    counts,
                    locked,
                    followers,
                    move_refused,
                    ..Default::default()
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(facts in facts()) {
            let text = facts.write().to_string();
            prop_assert_eq!(AccountFacts::read(&serde_json::from_str(&text).unwrap()), Some(facts));
        }
    }

    #[test]
    fn one_fact_that_cannot_be_read_does_not_spoil_the_others() {
        let text = r#"{"locked": [true, 5, "own-page"], "email": ["perhaps", 5, "own-page"], "followers": 5, "new": [1, 2, 3],
            "aliases": [[["ana@new.example", 1]], 5, "own-page"]}"#;
        let facts = AccountFacts::read(&serde_json::from_str(text).unwrap()).unwrap();
        assert!(facts.locked.unwrap().value);
        assert_eq!((facts.email, facts.followers, facts.aliases), (None, None, None));
    }
}
