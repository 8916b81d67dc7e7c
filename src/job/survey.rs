//! Asks an account's own server, in a tab where it is signed in, for what the checks want to know.

use std::collections::VecDeque;

use serde_json::Value;

use super::Job;
use crate::account::{Domain, Handle};
use crate::server::markup::{Markup, Parser};
use crate::server::page::{
    self, PageKind, account::AccountStatus, aliases::AliasesPage, migration::MigrationPage,
};
use crate::server::reply::{self, Refusal, Reply};
use crate::server::request::{self, Request};
use crate::server::session::{Session, Standing};
use crate::server::{entity, profile, version::Version};
use crate::trunk::dossier::{AccountFacts, AliasRow, BlockSeen, Cooldown, Email, Health, Messages, Redirect};
use crate::trunk::store::may_speak;
use crate::when::{Known, Source, Time};

/// What a check wants to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The account itself: locked, waiting requests, followers, actor URI; and whether its server answers.
    Account,
    Messages,
    Email,
    Migration,
    Counts,
    Aliases,
    /// The server's public block list.
    Blocks,
    /// Whether the newest posts name the other account.
    Announced,
    /// From outside: whether it can be found. See [`super::outlook`].
    Existence,
    /// From outside: the actor document.
    Actor,
}

/// So many of those whom the posts name are kept.
const MOST_NAMED: usize = 20;

/// The conversation list is read so many pages deep: a count is wanted, not the messages.
const PAGES_OF_CONVERSATIONS: usize = 2;

#[derive(Clone, Debug)]
enum Step {
    Account,
    Conversations { after: Option<String>, page: usize },
    Mentions,
    OwnStatuses,
    Confirmation,
    AddressPage,
    AccountPage,
    MigrationPage,
    ExportPage,
    AliasesPage,
    Blocks,
    Announced,
}

/// The job.
#[derive(Clone, Debug)]
pub struct Survey {
    steps: VecDeque<Step>,
    domain: Domain,
    id: Option<String>,
    /// The session told that the account is held, though perhaps not by its e-mail.
    held: bool,
    /// The session told that nothing is wrong with the account.
    functional: bool,
    other: Option<Domain>,
    /// Whose account it is, as far as the page told when we began.
    own: Option<Handle>,
    facts: AccountFacts,
}

impl Survey {
    /// `session` is what a page of this server said; `other` is the other account's server.
    pub fn new(wants: &[Want], domain: &Domain, session: Option<&Session>, other: Option<&Domain>) -> Survey {
        let version = session.and_then(|session| session.version.clone());
        // Whose posts they are, only the session tells.
        let may = |step: &Step| session.is_some() || !matches!(step, Step::Announced);
        let steps = wants.iter().flat_map(|want| steps(*want, version.as_ref())).filter(may).collect();
        Survey {
            steps,
            domain: session.map_or_else(|| domain.clone(), |session| session.domain.clone()),
            id: session.map(|session| session.account.id.clone()),
            held: matches!(session.map(|session| &session.standing), Some(Standing::Held)),
            functional: matches!(session.map(|session| &session.standing), Some(Standing::Functional)),
            other: other.cloned(),
            own: session.map(|session| session.account.handle.clone()),
            facts: AccountFacts::default(),
        }
    }
}

fn steps(want: Want, version: Option<&Version>) -> Vec<Step> {
    match want {
        Want::Account => vec![Step::Account],
        Want::Messages => vec![Step::Conversations { after: None, page: 1 }],
        // An old server, or one of unknown version, tells it on the account page.
        Want::Email if version.is_some_and(Version::answers_check_confirmation) => {
            vec![Step::Confirmation, Step::AddressPage]
        }
        Want::Email => vec![Step::AccountPage, Step::AddressPage],
        Want::Migration => vec![Step::MigrationPage],
        Want::Counts => vec![Step::ExportPage],
        Want::Aliases => vec![Step::AliasesPage],
        Want::Blocks => vec![Step::Blocks],
        Want::Announced => vec![Step::Announced],
        Want::Existence | Want::Actor => Vec::new(),
    }
}

impl Job for Survey {
    fn next(&self) -> Option<Request> {
        Some(match self.steps.front()? {
            Step::Account => request::verify_credentials(),
            Step::Conversations { after, .. } => request::conversations(after.as_deref()),
            Step::Mentions => request::mentions(),
            Step::OwnStatuses | Step::Announced => {
                request::statuses_of(self.id.as_deref().unwrap_or_default())
            }
            Step::Confirmation => request::check_confirmation(),
            Step::AddressPage => request::confirmation_page(),
            Step::AccountPage => request::account_page(),
            Step::MigrationPage => request::migration_page(),
            Step::ExportPage => request::export_page(),
            Step::AliasesPage => request::aliases_page(),
            Step::Blocks => request::blocked_domains(),
        })
    }

    fn answer(&mut self, reply: &Reply, parser: &dyn Parser, now: Time) {
        let Some(step) = self.steps.pop_front() else { return };
        match step {
            Step::Account => self.account(reply, now),
            Step::Conversations { page, .. } => self.conversations(reply, page, now),
            Step::Mentions | Step::OwnStatuses => self.elsewhere(reply),
            Step::Confirmation => self.confirmation(reply, now),
            Step::AddressPage => {
                let Ok(answer) = reply::page(reply) else { return };
                if let Some(pending) = page::address_unconfirmed(answer, parser.parse(&answer.body).as_ref())
                {
                    self.address(pending, now);
                }
            }
            Step::AccountPage | Step::MigrationPage | Step::ExportPage | Step::AliasesPage => {
                let answer = match reply::page(reply) {
                    Ok(answer) => answer,
                    // Where the account page and the exports still answer, these say it (facts 1.7).
                    Err(Refusal::Gone) => {
                        let closing = Health::Closing;
                        self.facts.health = Some(Known::new(closing, now, Source::OwnPage));
                        return;
                    }
                    Err(_) => return,
                };
                let document = parser.parse(&answer.body);
                let path = answer.plain_path();
                let mut news = read_page(path, document.as_ref(), now);
                // Somebody else has signed in meanwhile, in another tab: this is not about our account.
                let read = AccountFacts::value(&news.handle);
                if read.zip(self.own.as_ref()).is_some_and(|(read, own)| !read.is_same(own)) {
                    return;
                }
                // Up to 3.5 a limited account has the same kind of warning as one that waits; the API knows better.
                if matches!(&self.facts.email, Some(known) if known.value == Email::Confirmed) {
                    news.email = None;
                }
                self.facts.learn(news);
            }
            Step::Blocks => {
                let Some(other) = &self.other else { return };
                let list = reply::json(reply).ok().as_ref().and_then(entity::blocked_domains);
                let seen =
                    |list: Vec<String>| BlockSeen { domain: other.clone(), blocked: blocks(&list, other) };
                self.facts.blocks = list.map(|list| api(seen(list), now));
            }
            Step::Announced => {
                let Some(other) = &self.other else { return };
                let named = reply::json(reply).ok().and_then(|posts| entity::named(&posts, &self.domain));
                // Whom else they name is nobody's business.
                let of_other = |named: Vec<Handle>| -> Vec<Handle> {
                    named.into_iter().filter(|handle| may_speak(other, handle)).take(MOST_NAMED).collect()
                };
                self.facts.announced = named.map(|named| api(of_other(named), now));
            }
        }
    }

    fn learned(&self) -> &AccountFacts {
        &self.facts
    }
}

fn api<T>(value: T, at: Time) -> Known<T> {
    Known::new(value, at, Source::OwnApi)
}

/// Whether a list of blocked domains has this one, or one that it belongs to.
pub(super) fn blocks(list: &[String], domain: &Domain) -> bool {
    let host = domain.host();
    list.iter().any(|blocked| {
        host == blocked
            || host
                .strip_suffix(blocked.as_str())
                .is_some_and(|rest| !blocked.is_empty() && rest.ends_with('.'))
    })
}

impl Survey {
    fn account(&mut self, reply: &Reply, now: Time) {
        let read = reply::json(reply);
        let health = match &read {
            Err(Refusal::TooMany) => Some(Health::Busy),
            // Of one's own account nothing else is gone: the whole server is (facts 1.7, "Self-destruct").
            Err(Refusal::Gone) => Some(Health::Closing),
            Err(Refusal::Broken | Refusal::Nonsense) => Some(Health::Broken),
            Err(Refusal::Silent(reply::Silence::Unreachable | reply::Silence::TimedOut)) => {
                Some(Health::Silent)
            }
            // We were not let ask: nothing about the server.
            Err(Refusal::Silent(_)) => None,
            // 401 and 403 are answers of a healthy server.
            Ok(_) | Err(Refusal::SignedOut | Refusal::Forbidden | Refusal::NotFound | Refusal::Elsewhere) => {
                Some(Health::Answers)
            }
        };
        self.facts.health = health.map(|health| api(health, now));
        let Ok(value) = read else { return };
        let Some(account) = entity::Account::read(&value, &self.domain) else { return };
        self.facts.profile = profile::shown(&value).map(|shown| api(shown, now));
        self.id = Some(account.id.clone());
        let facts = account_facts(&account, now, Source::OwnApi);
        self.facts.learn(facts);
        self.facts.follow_requests = account.follow_requests.map(|waiting| api(waiting, now));
        // It answers at all only for a functional account (facts 7); up to 3.5 the session tells it the same way.
        self.facts.email = Some(api(Email::Confirmed, now));
    }

    fn conversations(&mut self, reply: &Reply, page: usize, now: Time) {
        let Some(found) = reply::json(reply).ok().as_ref().and_then(entity::conversations) else { return };
        let known = self.facts.messages.get_or_insert_with(|| api(Messages::default(), now));
        let full = found.len() >= request::CONVERSATIONS_A_PAGE;
        let last = found.last().and_then(|conversation| conversation.last_status.clone());
        for conversation in found {
            // A server that repeats a page for ever is not believed twice.
            if known.value.conversations.iter().all(|(id, _)| *id != conversation.id) {
                known
                    .value
                    .conversations
                    .push((conversation.id, conversation.last_status.unwrap_or_default()));
            }
        }
        known.value.more = full;
        if full && page < PAGES_OF_CONVERSATIONS && last.is_some() {
            self.steps.push_front(Step::Conversations { after: last, page: page + 1 });
        } else if known.value.conversations.is_empty() {
            // Strangers' messages are not in the list, nor is anything whose entry was deleted (facts 13.1).
            if self.id.is_some() {
                self.steps.push_front(Step::OwnStatuses);
            }
            self.steps.push_front(Step::Mentions);
        }
    }

    fn elsewhere(&mut self, reply: &Reply) {
        let found = reply::json(reply).ok().as_ref().and_then(entity::direct_messages);
        match (found, &mut self.facts.messages) {
            (Some(found), Some(known)) => known.value.elsewhere += found as u64,
            // An empty list alone is no proof that there are none: without this answer nothing is known.
            (None, Some(known)) if known.value.conversations.is_empty() && known.value.elsewhere == 0 => {
                self.facts.messages = None;
            }
            _ => {}
        }
    }

    fn confirmation(&mut self, reply: &Reply, now: Time) {
        let email = match reply::json(reply) {
            // Confirmed and still held: what by, its own page tells.
            Ok(Value::Bool(true)) if self.held => {
                self.steps.push_front(Step::AccountPage);
                return;
            }
            Ok(Value::Bool(true)) => Email::Confirmed,
            Ok(Value::Bool(false)) => Email::Unconfirmed,
            _ => return,
        };
        self.facts.email = Some(api(email, now));
    }

    fn address(&mut self, pending: bool, now: Time) {
        // The same page waits for the first confirmation and for that of a change; which, the account's state tells.
        let pending = match AccountFacts::value(&self.facts.email) {
            Some(Email::Confirmed) => pending,
            Some(Email::Unconfirmed) => false,
            Some(Email::AwaitsApproval | Email::Held) | None if self.functional || !pending => pending,
            Some(Email::AwaitsApproval | Email::Held) | None => return,
        };
        self.facts.address_change = Some(Known::new(pending, now, Source::OwnPage));
    }
}

/// The facts that an account entity holds.
pub(super) fn account_facts(account: &entity::Account, now: Time, from: Source) -> AccountFacts {
    let redirect = if account.moved { Redirect::To(account.moved_to.clone()) } else { Redirect::None };
    AccountFacts {
        handle: Some(Known::new(account.handle.clone(), now, from)),
        uri: account.uri.clone().map(|uri| Known::new(uri, now, from)),
        locked: account.locked.map(|locked| Known::new(locked, now, from)),
        created_at: account.created_at.map(|at| Known::new(at, now, from)),
        followers: account.followers.map(|n| Known::new(n, now, from)),
        following: account.following.map(|n| Known::new(n, now, from)),
        posts: account.statuses.map(|n| Known::new(n, now, from)),
        redirect: Some(Known::new(redirect, now, from)),
        ..Default::default()
    }
}

/// What a page of the account's own server tells: the one that is open in the tab, or one that was fetched.
pub fn read_page(path: &str, document: &dyn Markup, now: Time) -> AccountFacts {
    let mut facts = AccountFacts::default();
    let Some(kind) = PageKind::detect(path, document) else { return facts };
    let session = Session::read(document);
    if let Some(session) = &session {
        facts = session_facts(session, now);
    }
    let seen = |value| Some(Known::new(value, now, Source::OwnPage));
    match kind {
        PageKind::Migration => migration(&mut facts, page::migration::read(document), now),
        PageKind::Aliases => {
            facts.aliases = Some(Known::new(
                alias_rows(
                    page::aliases::read(document, session.as_ref().map(|session| &session.domain)),
                    now,
                ),
                now,
                Source::OwnPage,
            ));
        }
        PageKind::Export => {
            facts.counts = Some(Known::new(page::export::read(document), now, Source::OwnPage));
            facts.archive = Some(Known::new(page::export::archive(document), now, Source::OwnPage));
        }
        PageKind::Account => match page::account::read(document) {
            AccountStatus::Unconfirmed => facts.email = seen(Email::Unconfirmed),
            AccountStatus::Held => facts.email = seen(Email::AwaitsApproval),
            AccountStatus::Moved => {}
            // Up to 3.5 the page says it in words where it says it at all, but a functional account is confirmed.
            AccountStatus::Quiet => {
                if matches!(&session, Some(session) if matches!(session.standing, Standing::Functional | Standing::Untold))
                {
                    facts.email = seen(Email::Confirmed);
                }
            }
        },
        // Only somebody who is signed in and held gets to see it: unconfirmed, or waiting for approval (facts 1.3, 12).
        PageKind::Setup => {
            facts.signed_in = Some(Known::new(true, now, Source::OwnPage));
            facts.email = seen(Email::Held);
        }
        PageKind::Redirect | PageKind::Imports | PageKind::Delete | PageKind::Profile => {}
    }
    facts
}

fn session_facts(session: &Session, now: Time) -> AccountFacts {
    let mut facts = account_facts(&session.account, now, Source::OwnPage);
    // The state inside a page is made for the web app: it is not where a redirect would be told reliably.
    facts.redirect = match &session.standing {
        Standing::Moved(target) => Some(Known::new(Redirect::To(target.clone()), now, Source::OwnPage)),
        Standing::Functional => Some(Known::new(Redirect::None, now, Source::OwnPage)),
        Standing::Held | Standing::Untold => None,
    };
    facts.version = session.version.clone().map(|version| Known::new(version, now, Source::OwnPage));
    facts.signed_in = Some(Known::new(true, now, Source::OwnPage));
    facts.email = match &session.standing {
        // Functional means confirmed and approved (facts 1.7).
        Standing::Functional => Some(Known::new(Email::Confirmed, now, Source::OwnPage)),
        Standing::Held => Some(Known::new(Email::Held, now, Source::OwnPage)),
        Standing::Moved(_) | Standing::Untold => None,
    };
    facts
}

fn migration(facts: &mut AccountFacts, page: MigrationPage, now: Time) {
    let redirect = if page.redirecting { Redirect::To(page.redirecting_to) } else { Redirect::None };
    facts.redirect = Some(Known::new(redirect, now, Source::OwnPage));
    let cooldown = match page.cooldown {
        None => Cooldown::Over,
        Some(Some(days)) => Cooldown::Days(days),
        Some(None) => Cooldown::Some,
    };
    facts.cooldown = Some(Known::new(cooldown, now, Source::OwnPage));
    let last = page.past.iter().filter_map(|past| past.at).max();
    facts.last_move = last.map(|last| Known::new(last, now, Source::OwnPage));
}

fn alias_rows(page: AliasesPage, now: Time) -> Vec<AliasRow> {
    page.aliases
        .into_iter()
        .map(|handle: Handle| AliasRow { handle, since: now, made_lately: page.notice })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn a_block_covers_subdomains_and_nothing_else() {
        let list = ["bad.example".to_owned(), String::new(), "*.hid*n".to_owned()];
        for (domain, expected) in [
            ("bad.example", true),
            ("very.bad.example", true),
            ("notbad.example", false),
            ("good.example", false),
        ] {
            assert_eq!(blocks(&list, &domain.parse().unwrap()), expected, "{domain}");
        }
    }
}
