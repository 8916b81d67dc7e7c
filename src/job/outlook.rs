//! Looks at an account as any other server would: does it exist, can it be found, is it let in, what does it say.
//!
//! The road matters. WebFinger and the public API tell all but the alias; the actor document is asked for only when the
//! alias is known to be there, because rendering it earlier is what spoils a move (facts 13, "Alias").

use super::Job;
use super::survey::{account_facts, blocks};
use crate::account::{ActorUri, Domain, Handle};
use crate::server::entity;
use crate::server::markup::Parser;
use crate::server::reply::{self, Refusal, Reply, Silence};
use crate::server::request::{self, Request};
use crate::server::version::Version;
use crate::trunk::dossier::{AccountFacts, ActorSeen, BlockSeen, Email, Existence};
use crate::when::{Known, Source, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Webfinger,
    Instance,
    Lookup,
    PublicAccount,
    Blocks,
    Actor,
    Done,
}

#[derive(Clone, Debug)]
pub struct Outlook {
    handle: Handle,
    /// Whom to ask: first the handle's domain, then where WebFinger says that the account lives.
    host: Domain,
    other: Option<Domain>,
    with_actor: bool,
    step: Step,
    id: Option<String>,
    uri: Option<ActorUri>,
    facts: AccountFacts,
}

impl Outlook {
    /// `with_actor`: the alias is known to be there, or the person asked for it and was told what it may cost.
    /// `host`: where the account's pages are, as far as that is known; else the handle's domain.
    pub fn new(handle: &Handle, host: &Domain, other: Option<&Domain>, with_actor: bool) -> Outlook {
        Outlook {
            handle: handle.clone(),
            host: host.clone(),
            other: other.cloned(),
            with_actor,
            step: Step::Webfinger,
            id: None,
            uri: None,
            facts: AccountFacts::default(),
        }
    }

    /// The server that the next request is for.
    pub fn host(&self) -> &Domain {
        &self.host
    }
}

fn known<T>(value: T, now: Time) -> Option<Known<T>> {
    Some(Known::new(value, now, Source::Outside))
}

impl Job for Outlook {
    fn next(&self) -> Option<Request> {
        match self.step {
            Step::Webfinger => Some(request::webfinger(&self.handle)),
            Step::Instance => Some(request::instance()),
            Step::Lookup => Some(request::lookup(&self.handle)),
            Step::PublicAccount => Some(request::account(self.id.as_deref()?)),
            Step::Blocks => Some(request::blocked_domains()),
            Step::Actor => request::actor(self.uri.as_ref()?),
            Step::Done => None,
        }
    }

    fn answer(&mut self, reply: &Reply, _parser: &dyn Parser, now: Time) {
        self.step = match self.step {
            Step::Webfinger => self.webfinger(reply, now),
            Step::Instance => {
                let version = reply::json(reply).ok();
                let version =
                    version.as_ref().and_then(|v| v.get("version")?.as_str()).and_then(Version::parse);
                self.facts.version = version.and_then(|version| known(version, now));
                Step::Lookup
            }
            Step::Lookup => self.lookup(reply, now),
            Step::PublicAccount => {
                self.public_account(reply, now);
                self.after_account()
            }
            Step::Blocks => {
                let list = reply::json(reply).ok().as_ref().and_then(entity::blocked_domains);
                if let (Some(list), Some(other)) = (list, &self.other) {
                    let blocked = blocks(&list, other);
                    self.facts.blocks = known(BlockSeen { domain: other.clone(), blocked }, now);
                }
                self.before_actor()
            }
            Step::Actor => {
                self.actor(reply, now);
                Step::Done
            }
            Step::Done => Step::Done,
        };
    }

    fn learned(&self) -> &AccountFacts {
        &self.facts
    }
}

impl Outlook {
    fn webfinger(&mut self, reply: &Reply, now: Time) -> Step {
        let existence = match reply::json(reply) {
            Ok(value) => match entity::webfinger(&value) {
                Some((_, uri)) => {
                    let host = uri.0.split_once("://").and_then(|(_, rest)| rest.split('/').next());
                    match host.and_then(|host| host.parse::<Domain>().ok()) {
                        Some(host) => {
                            self.host = host;
                            self.facts.uri = known(uri.clone(), now);
                            self.uri = Some(uri);
                            Existence::Found
                        }
                        None => Existence::NotMastodon,
                    }
                }
                None => Existence::NotMastodon,
            },
            Err(Refusal::NotFound) => Existence::Unknown,
            Err(Refusal::Nonsense) => Existence::NotMastodon,
            Err(Refusal::Elsewhere) => Existence::Elsewhere,
            Err(refusal) => Existence::Refused(refusal),
        };
        self.facts.existence = known(existence, now);
        if existence == Existence::Found { Step::Instance } else { Step::Done }
    }

    fn lookup(&mut self, reply: &Reply, now: Time) -> Step {
        match reply::json(reply) {
            Ok(value) => {
                if let Some(account) = entity::Account::read(&value, self.handle.domain())
                    && account.handle.is_same(&self.handle)
                {
                    self.id = Some(account.id.clone());
                    self.facts.learn(account_facts(&account, now, Source::Outside));
                    return Step::PublicAccount;
                }
                self.after_account()
            }
            // The account lives on another host than its handle says, and nobody has allowed us to ask that one.
            Err(Refusal::Silent(Silence::NotGranted)) => {
                self.facts.existence = known(Existence::Elsewhere, now);
                Step::Done
            }
            // The API is closed to strangers, or this is other software: WebFinger has to do.
            Err(_) => self.after_account(),
        }
    }

    /// 404 for an account that the look-up knows: it is not let in yet (4.0 and later, facts 4). Up to 3.5 only the actor
    /// document tells.
    fn public_account(&mut self, reply: &Reply, now: Time) {
        let tells = matches!(&self.facts.version, Some(known) if known.value.at_least(4, 0));
        self.facts.email = match reply::json(reply) {
            Err(Refusal::NotFound) => known(Email::Held, now),
            Ok(_) if tells => known(Email::Confirmed, now),
            _ => None,
        };
    }

    fn after_account(&self) -> Step {
        if self.other.is_some() { Step::Blocks } else { self.before_actor() }
    }

    fn before_actor(&self) -> Step {
        if self.with_actor && self.uri.as_ref().and_then(request::actor).is_some() {
            Step::Actor
        } else {
            Step::Done
        }
    }

    fn actor(&mut self, reply: &Reply, now: Time) {
        match reply::json(reply) {
            Ok(value) => {
                let Some(actor) = entity::actor(&value) else { return };
                self.facts.actor =
                    known(ActorSeen { uri: actor.uri, also_known_as: actor.also_known_as }, now);
                self.facts.email = known(Email::Confirmed, now);
            }
            // Not let in (3.5 and later, facts 3.3, first row).
            Err(Refusal::NotFound) => self.facts.email = known(Email::Held, now),
            // 401: signed requests only (facts 13.2, "Secure mode"); the others say nothing about the account.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::markup::Markup;
    use crate::server::reply::Answer;
    use serde_json::{Value, json};

    struct NoPages;
    impl Parser for NoPages {
        fn parse<'a>(&'a self, _html: &str) -> Box<dyn Markup + 'a> {
            unreachable!("no page is asked for from outside")
        }
    }

    /// What the public side of a server says, by path.
    fn run(with_actor: bool, answers: &[(&str, u16, Value)]) -> (AccountFacts, Vec<String>) {
        let old: Domain = "old.example".parse().unwrap();
        let new: Domain = "new.example".parse().unwrap();
        let mut job = Outlook::new(&"ana@new.example".parse().unwrap(), &new, Some(&old), with_actor);
        let mut asked = Vec::new();
        while let Some(request) = job.next() {
            asked.push(request.path.clone());
            let found = answers.iter().find(|(start, ..)| request.path.starts_with(start));
            let (status, body) =
                found.map_or((404, Value::Null), |(_, status, body)| (*status, body.clone()));
            let reply = Ok(Answer {
                status,
                path: request.path,
                elsewhere: false,
                content_type: "application/json".into(),
                cut: false,
                reset: None,
                body: body.to_string(),
                ..Answer::default()
            });
            job.answer(&reply, &NoPages, Time(7));
            assert!(asked.len() < 20);
        }
        (job.facts, asked)
    }

    fn finger() -> Value {
        json!({"subject": "acct:ana@new.example", "links": [
            {"rel": "self", "type": "application/activity+json", "href": "https://new.example/ap/users/1"}]})
    }

    #[test]
    fn finds_an_account_without_touching_its_actor_document() {
        let (facts, asked) = run(
            false,
            &[
                ("/.well-known/webfinger", 200, finger()),
                (
                    "/api/v1/instance/domain_blocks",
                    200,
                    json!([{"domain": "old.example", "severity": "suspend"}]),
                ),
                ("/api/v1/instance", 200, json!({"version": "4.6.5"})),
                ("/api/v1/accounts/lookup", 200, json!({"id": "1", "acct": "ana", "locked": true})),
                ("/api/v1/accounts/1", 200, json!({})),
            ],
        );
        assert_eq!(facts.existence.unwrap().value, Existence::Found);
        assert_eq!(facts.email.unwrap().value, Email::Confirmed);
        assert!(facts.locked.unwrap().value);
        assert!(facts.blocks.unwrap().value.blocked);
        assert!(asked.iter().all(|path| !path.starts_with("/ap/")), "{asked:?}");
    }

    #[test]
    fn an_account_that_is_not_let_in_is_held() {
        let (facts, _) = run(
            false,
            &[
                ("/.well-known/webfinger", 200, finger()),
                ("/api/v1/instance", 200, json!({"version": "4.6.5"})),
                ("/api/v1/accounts/lookup", 200, json!({"id": "1", "acct": "ana"})),
            ],
        );
        assert_eq!(facts.email.unwrap().value, Email::Held);
    }

    #[test]
    fn an_old_servers_public_account_proves_nothing() {
        let answers = [
            ("/.well-known/webfinger", 200, finger()),
            ("/api/v1/instance", 200, json!({"version": "3.5.3"})),
            ("/api/v1/accounts/lookup", 200, json!({"id": "1", "acct": "ana"})),
            ("/api/v1/accounts/1", 200, json!({})),
        ];
        assert_eq!(run(false, &answers).0.email, None);
        // Its actor document does.
        assert_eq!(run(true, &answers).0.email.unwrap().value, Email::Held);
    }

    #[test]
    fn tells_unknown_from_unreachable_from_not_mastodon() {
        let existence = |answers: &[(&str, u16, Value)]| run(false, answers).0.existence.unwrap().value;
        assert_eq!(existence(&[]), Existence::Unknown);
        assert_eq!(existence(&[("/.well-known", 503, Value::Null)]), Existence::Refused(Refusal::Broken));
        assert_eq!(existence(&[("/.well-known", 200, json!({"hello": 1}))]), Existence::NotMastodon);
        let hostile = json!({"links": [{"rel": "self", "type": "application/activity+json", "href": "javascript:alert(1)"}]});
        assert_eq!(existence(&[("/.well-known", 200, hostile)]), Existence::NotMastodon);
    }

    #[test]
    fn reads_the_alias_where_that_is_wanted() {
        let (facts, asked) = run(
            true,
            &[
                ("/.well-known/webfinger", 200, finger()),
                (
                    "/api/v1/accounts/lookup",
                    401,
                    json!({"error": "This method requires an authenticated user"}),
                ),
                (
                    "/ap/users/1",
                    200,
                    json!({"id": "https://new.example/ap/users/1", "alsoKnownAs": ["https://old.example/users/ana"]}),
                ),
            ],
        );
        assert_eq!(facts.actor.unwrap().value.also_known_as.len(), 1);
        assert_eq!(asked.last().unwrap(), "/ap/users/1");
    }
}
