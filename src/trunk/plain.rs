//! Facts as plain JSON values, for storage and messages.
//!
//! serde's own readers and writers for two dozen kinds of facts made up a quarter of the wasm that goes into other
//! people's pages. These are one small function each; serde sees a single `Value`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::dossier::{
    AccountFacts, ActorSeen, AliasRow, BlockSeen, Cooldown, Email, Existence, Health, Messages, Redirect,
};
use crate::account::{ActorUri, Handle};
use crate::server::page::export::Counts;
use crate::server::reply::{Refusal, Silence};
use crate::server::version::Version;
use crate::when::{Known, Source, Time};

/// Something that can be written as a JSON value and read back. Reading is total: what does not fit is `None`.
pub trait Plain: Sized {
    fn write(&self) -> Value;
    fn read(value: &Value) -> Option<Self>;
}

impl Serialize for AccountFacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AccountFacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AccountFacts, D::Error> {
        Ok(AccountFacts::read(&Value::deserialize(deserializer)?))
    }
}

/// `[value, when, where]`
impl<T: Plain> Plain for Known<T> {
    fn write(&self) -> Value {
        Value::Array(vec![self.value.write(), self.at.write(), self.from.write()])
    }

    fn read(value: &Value) -> Option<Known<T>> {
        Some(Known {
            value: T::read(value.get(0)?)?,
            at: Time::read(value.get(1)?)?,
            from: Source::read(value.get(2)?)?,
        })
    }
}

/// Enums whose variants are single words.
macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl $type {
            fn word(self) -> &'static str {
                match self { $($type::$variant => $word,)* }
            }

            fn of_word(word: &str) -> Option<$type> {
                match word { $($word => Some($type::$variant),)* _ => None }
            }
        }

        impl Plain for $type {
            fn write(&self) -> Value {
                Value::from(self.word())
            }

            fn read(value: &Value) -> Option<$type> {
                $type::of_word(value.as_str()?)
            }
        }
    )*};
}

words! {
    Source { OwnPage = "own-page", OwnApi = "own-api", Outside = "outside", Ourselves = "ourselves" }
    Email { Confirmed = "confirmed", Unconfirmed = "unconfirmed", AwaitsApproval = "awaits-approval", Held = "held" }
    Health { Answers = "answers", Busy = "busy", Broken = "broken", Silent = "silent" }
    Silence {
        Unreachable = "unreachable", TimedOut = "timed-out", NoTab = "no-tab", NotGranted = "not-granted",
        Refused = "refused",
    }
}

impl Plain for bool {
    fn write(&self) -> Value {
        Value::Bool(*self)
    }

    fn read(value: &Value) -> Option<bool> {
        value.as_bool()
    }
}

impl Plain for u64 {
    fn write(&self) -> Value {
        Value::from(*self)
    }

    fn read(value: &Value) -> Option<u64> {
        value.as_u64()
    }
}

impl Plain for () {
    fn write(&self) -> Value {
        Value::Bool(true)
    }

    fn read(_value: &Value) -> Option<()> {
        Some(())
    }
}

impl Plain for Time {
    fn write(&self) -> Value {
        Value::from(self.0)
    }

    fn read(value: &Value) -> Option<Time> {
        value.as_i64().map(Time)
    }
}

impl Plain for Handle {
    fn write(&self) -> Value {
        Value::from(self.acct())
    }

    fn read(value: &Value) -> Option<Handle> {
        value.as_str()?.parse().ok()
    }
}

impl Plain for ActorUri {
    fn write(&self) -> Value {
        Value::from(self.0.as_str())
    }

    fn read(value: &Value) -> Option<ActorUri> {
        value.as_str().map(|uri| ActorUri(uri.to_owned()))
    }
}

/// `[domain, blocked]`
impl Plain for BlockSeen {
    fn write(&self) -> Value {
        json!([self.domain.as_str(), self.blocked])
    }

    fn read(value: &Value) -> Option<BlockSeen> {
        Some(BlockSeen { domain: value.get(0)?.as_str()?.parse().ok()?, blocked: bool::read(value.get(1)?)? })
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

impl Plain for Vec<AliasRow> {
    fn write(&self) -> Value {
        let row = |row: &AliasRow| {
            Value::Array(vec![row.handle.write(), row.since.write(), row.made_lately.write()])
        };
        self.iter().map(row).collect()
    }

    fn read(value: &Value) -> Option<Vec<AliasRow>> {
        let row = |row: &Value| {
            let made_lately = bool::read(row.get(2)?)?;
            Some(AliasRow {
                handle: Handle::read(row.get(0)?)?,
                since: Time::read(row.get(1)?)?,
                made_lately,
            })
        };
        value.as_array()?.iter().map(row).collect()
    }
}

impl Plain for ActorSeen {
    fn write(&self) -> Value {
        let aliases: Value = self.also_known_as.iter().map(Plain::write).collect();
        json!([self.uri.write(), aliases])
    }

    fn read(value: &Value) -> Option<ActorSeen> {
        let aliases = value.get(1)?.as_array()?.iter().map(ActorUri::read).collect::<Option<_>>()?;
        Some(ActorSeen { uri: ActorUri::read(value.get(0)?)?, also_known_as: aliases })
    }
}

/// Pairs of ids.
pub(super) fn write_pairs(pairs: &[(String, String)]) -> Value {
    pairs
        .iter()
        .map(|(id, last)| Value::Array(vec![Value::from(id.as_str()), Value::from(last.as_str())]))
        .collect()
}

pub(super) fn read_pairs(value: &Value) -> Option<Vec<(String, String)>> {
    let text = |value: Option<&Value>| value?.as_str().map(str::to_owned);
    value.as_array()?.iter().map(|pair| Some((text(pair.get(0))?, text(pair.get(1))?))).collect()
}

impl Plain for Messages {
    fn write(&self) -> Value {
        json!([write_pairs(&self.conversations), self.more, self.elsewhere])
    }

    fn read(value: &Value) -> Option<Messages> {
        let conversations = read_pairs(value.get(0)?)?;
        Some(Messages {
            conversations,
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let text = serde_json::to_string(&facts).unwrap();
            prop_assert_eq!(serde_json::from_str::<AccountFacts>(&text).unwrap(), facts);
        }
    }

    #[test]
    fn one_fact_that_cannot_be_read_does_not_spoil_the_others() {
        let text = r#"{"locked": [true, 5, "own-page"], "email": ["perhaps", 5, "own-page"], "followers": 5, "new": [1, 2, 3],
            "aliases": [[["ana@new.example", 1]], 5, "own-page"]}"#;
        let facts: AccountFacts = serde_json::from_str(text).unwrap();
        assert!(facts.locked.unwrap().value);
        assert_eq!((facts.email, facts.followers, facts.aliases), (None, None, None));
    }
}
