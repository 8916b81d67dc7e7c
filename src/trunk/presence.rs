//! Whether somebody is signed in on a server, and who: by what each of its tabs says. A private window or a container has a
//! session of its own, so one tab alone proves nothing about the others.

use super::store::Party;
use crate::account::Handle;
use crate::say::{Part, Say, say};
use crate::server::markup::Parser;
use crate::server::page::account::{self, AccountStatus};
use crate::server::page::{ACCOUNT_PAGE, MIGRATION_PAGE, PageKind, SIGN_IN_PAGE};
use crate::server::reply::{self, Refusal, Reply, Silence};
use crate::server::session::{Session, Standing};

/// What a tab says of who is signed in there, asked for its account page.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The tab is gone, or nothing of ours is in it.
    NoTab,
    SignedOut,
    /// Somebody is, who waits for something; who it is the page does not say (facts 1.7).
    Nameless,
    Account {
        handle: Handle,
        /// It is not usable before its e-mail is confirmed, or a moderator has let it in.
        waits: bool,
        redirected: Option<Option<Handle>>,
    },
    Silent,
}

/// How the person stands at the server of one side.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Presence {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    NotGranted,
    NoTab,
    SignedOut,
    /// As the linked account; or as somebody, while only the server is linked.
    Here(Handle),
    /// Signed in, and the account waits for the confirmation of its e-mail, or for a moderator.
    Waiting(Option<Handle>),
    /// Signed in, and the account redirects to another one.
    Redirected(Handle, Option<Handle>),
    /// Signed in as somebody else.
    Other(Handle),
    /// Signed in as the other account of the move, which is on the same server.
    OtherSide(Handle),
    Silent,
}

/// The one thing to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Nothing,
    /// Ask the browser to allow the server.
    Allow,
    /// Open this page of the server.
    Open(&'static str),
    LookAgain,
}

impl Seen {
    /// The answer to the request for the account page.
    pub fn read(reply: &Reply, parser: &dyn Parser) -> Seen {
        let answer = match reply::page(reply) {
            Ok(answer) => answer,
            Err(Refusal::SignedOut) => return Seen::SignedOut,
            Err(Refusal::Silent(Silence::NoTab)) => return Seen::NoTab,
            Err(_) => return Seen::Silent,
        };
        let page = parser.parse(&answer.body);
        let kind = PageKind::detect(answer.plain_path(), page.as_ref());
        let Some(session) = Session::read(page.as_ref()) else {
            return if kind == Some(PageKind::Setup) { Seen::Nameless } else { Seen::SignedOut };
        };
        let redirected = match &session.standing {
            Standing::Moved(to) => Some(to.clone()),
            // Up to 3.5 only the page tells it.
            _ if kind == Some(PageKind::Account) && account::read(page.as_ref()) == AccountStatus::Moved => {
                Some(None)
            }
            Standing::Functional | Standing::Held | Standing::Untold => None,
        };
        let waits = redirected.is_none() && session.standing == Standing::Held;
        Seen::Account { handle: session.account.handle, waits, redirected }
    }

    /// Whether this is the one that is looked for: nobody else needs to be asked.
    pub fn is(&self, party: &Party) -> bool {
        match self {
            Seen::Account { handle, .. } => party.handle.as_ref().is_none_or(|own| own.is_same(handle)),
            _ => false,
        }
    }

    /// The more it says, the higher.
    fn weight(&self) -> u8 {
        match self {
            Seen::NoTab => 0,
            Seen::Silent => 1,
            Seen::SignedOut => 2,
            Seen::Nameless => 3,
            Seen::Account { .. } => 4,
        }
    }
}

impl Presence {
    /// By what all tabs of the server say. `other` is the other side of the move.
    pub fn of(party: &Party, other: Option<&Party>, tabs: &[Seen]) -> Presence {
        let right = tabs.iter().find(|seen| seen.is(party));
        // Of those that say as much, the one that was looked at last.
        let best = right.or_else(|| {
            tabs.iter().reduce(|best, seen| if seen.weight() > best.weight() { seen } else { best })
        });
        match best {
            None | Some(Seen::NoTab) => Presence::NoTab,
            Some(Seen::Silent) => Presence::Silent,
            Some(Seen::SignedOut) => Presence::SignedOut,
            Some(Seen::Nameless) => Presence::Waiting(None),
            Some(Seen::Account { handle, .. }) if right.is_none() => {
                let theirs = other.and_then(|other| other.handle.as_ref());
                if theirs.is_some_and(|theirs| theirs.is_same(handle)) {
                    Presence::OtherSide(handle.clone())
                } else {
                    Presence::Other(handle.clone())
                }
            }
            Some(Seen::Account { handle, redirected: Some(to), .. }) => {
                Presence::Redirected(handle.clone(), to.clone())
            }
            Some(Seen::Account { handle, waits: true, .. }) => Presence::Waiting(Some(handle.clone())),
            Some(Seen::Account { handle, .. }) => Presence::Here(handle.clone()),
        }
    }

    /// For the page: `data-presence`.
    pub fn id(&self) -> &'static str {
        match self {
            Presence::Unknown => "unknown",
            Presence::NotGranted => "not-granted",
            Presence::NoTab => "no-tab",
            Presence::SignedOut => "signed-out",
            Presence::Here(_) => "here",
            Presence::Waiting(_) => "waiting",
            Presence::Redirected(..) => "redirected",
            Presence::Other(_) => "other-account",
            Presence::OtherSide(_) => "other-side",
            Presence::Silent => "silent",
        }
    }

    /// Jobs of this side can work. A redirect leaves enough of the account open for some of them.
    pub fn is_here(&self) -> bool {
        matches!(self, Presence::Here(_) | Presence::Redirected(..))
    }

    /// A tab that tells something changes it.
    pub fn may_change(&self) -> bool {
        !matches!(self, Presence::Unknown | Presence::NotGranted | Presence::Here(_))
    }

    /// In one sentence; none where nobody has looked.
    pub fn say(&self, party: &Party) -> Option<Say> {
        let at = |key| say(key).with(&party.host);
        let name = |handle: &Handle| Part::from(format!("@{handle}").as_str());
        let wanted = Part::from(party.name().as_str());
        Some(match self {
            Presence::Unknown => return None,
            Presence::NotGranted => at("trouble_not_granted"),
            Presence::NoTab => at("trouble_no_tab"),
            Presence::SignedOut if party.handle.is_some() => at("presence_signed_out").with(wanted),
            Presence::SignedOut => at("trouble_signed_out"),
            Presence::Here(handle) => at("presence_here").with(name(handle)),
            Presence::Waiting(Some(handle)) => at("presence_waiting").with(name(handle)),
            Presence::Waiting(None) => at("presence_waiting_nameless"),
            Presence::Redirected(handle, Some(to)) => {
                at("presence_redirected").with(name(handle)).with(name(to))
            }
            Presence::Redirected(handle, None) => at("presence_redirected_somewhere").with(name(handle)),
            Presence::Other(other) => other_account(party, other),
            Presence::OtherSide(other) => at("presence_other_side").with(name(other)).with(wanted),
            Presence::Silent => at("trouble_no_answer"),
        })
    }

    pub fn next(&self) -> Next {
        match self {
            Presence::Unknown | Presence::Here(_) => Next::Nothing,
            Presence::NotGranted => Next::Allow,
            Presence::NoTab | Presence::Redirected(..) => Next::Open(MIGRATION_PAGE),
            Presence::SignedOut => Next::Open(SIGN_IN_PAGE),
            // Where it stands what is waited for; and where one signs out.
            Presence::Waiting(_) | Presence::Other(_) | Presence::OtherSide(_) => Next::Open(ACCOUNT_PAGE),
            Presence::Silent => Next::LookAgain,
        }
    }
}

/// Who is signed in there, and who is wanted.
pub fn other_account(party: &Party, other: &Handle) -> Say {
    let name = format!("@{other}");
    match &party.handle {
        Some(_) => {
            say("trouble_other_account").with(&party.host).with(name.as_str()).with(party.name().as_str())
        }
        None => say("presence_here").with(&party.host).with(name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(text: &str) -> Handle {
        text.parse().unwrap()
    }

    fn party(text: &str) -> Party {
        let handle = handle(text);
        Party { host: handle.domain().clone(), handle: Some(handle) }
    }

    fn account(text: &str) -> Seen {
        Seen::Account { handle: handle(text), waits: false, redirected: None }
    }

    fn of(tabs: &[Seen]) -> Presence {
        Presence::of(&party("ana@old.example"), Some(&party("ana2@old.example")), tabs)
    }

    #[test]
    fn every_tab_counts_until_the_right_one_is_found() {
        let (ana, bob) = (account("Ana@old.example"), account("bob@old.example"));
        let here = Presence::Here(handle("Ana@old.example"));
        for tabs in [
            vec![ana.clone()],
            vec![bob.clone(), ana.clone()],
            vec![Seen::SignedOut, Seen::NoTab, Seen::Silent, bob.clone(), ana],
        ] {
            assert_eq!(of(&tabs), here);
        }
        assert_eq!(of(&[Seen::SignedOut, bob, Seen::Silent]), Presence::Other(handle("bob@old.example")));
        assert_eq!(of(&[account("ana2@old.example")]), Presence::OtherSide(handle("ana2@old.example")));
        assert_eq!(of(&[Seen::Silent, Seen::SignedOut, Seen::NoTab]), Presence::SignedOut);
        assert_eq!(of(&[Seen::NoTab, Seen::Silent]), Presence::Silent);
        assert_eq!(of(&[Seen::NoTab]), Presence::NoTab);
        assert_eq!(of(&[]), Presence::NoTab);
        assert_eq!(of(&[Seen::SignedOut, Seen::Nameless]), Presence::Waiting(None));
    }

    #[test]
    fn how_the_account_stands_is_said_only_of_the_right_one() {
        let moved = |to: Option<&str>| Seen::Account {
            handle: handle("ana@old.example"),
            waits: false,
            redirected: Some(to.map(handle)),
        };
        let to = Some(handle("ana@new.example"));
        assert_eq!(
            of(&[moved(Some("ana@new.example"))]),
            Presence::Redirected(handle("ana@old.example"), to)
        );
        let waits = |name: &str| Seen::Account { handle: handle(name), waits: true, redirected: None };
        assert_eq!(of(&[waits("ana@old.example")]), Presence::Waiting(Some(handle("ana@old.example"))));
        assert_eq!(of(&[waits("bob@old.example")]), Presence::Other(handle("bob@old.example")));
    }

    #[test]
    fn where_only_the_server_is_named_anybody_is_right() {
        let server = Party { host: "old.example".parse().unwrap(), handle: None };
        let seen = [account("bob@old.example")];
        assert_eq!(Presence::of(&server, None, &seen), Presence::Here(handle("bob@old.example")));
    }

    #[test]
    fn whatever_is_not_fine_has_a_sentence_and_something_to_do() {
        let name = || handle("bob@old.example");
        let all = [
            Presence::NotGranted,
            Presence::NoTab,
            Presence::SignedOut,
            Presence::Waiting(None),
            Presence::Waiting(Some(name())),
            Presence::Redirected(name(), None),
            Presence::Redirected(name(), Some(name())),
            Presence::Other(name()),
            Presence::OtherSide(name()),
            Presence::Silent,
        ];
        let mut ids: Vec<&str> = all.iter().map(Presence::id).collect();
        for presence in &all {
            assert!(presence.say(&party("ana@old.example")).is_some(), "{presence:?}");
            assert_ne!(presence.next(), Next::Nothing, "{presence:?}");
        }
        ids.dedup();
        assert_eq!(ids.len(), 8);
        assert_eq!(Presence::default().say(&party("ana@old.example")), None);
    }
}
