//! What is kept between visits: the accounts that were seen, and which of them a move is about.
//!
//! Kept in the extension's own storage. Never kept: tokens, passwords, e-mail addresses, the text of a message.

use super::dossier::{AccountFacts, Dossier, Redirect, Saved, Side, Target};
use super::journal::Journal;
use crate::account::{Domain, Handle};
use crate::plain::record;
use crate::server::page::PageKind;
use crate::when::{Known, Time};

/// One server's account, known by its handle; or by its server alone, while nobody has told who is signed in there.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The host of the account's web pages. The handle's domain may be another one.
    pub host: Domain,
    pub handle: Option<Handle>,
    pub facts: AccountFacts,
}

/// One end of a move.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    pub host: Domain,
    pub handle: Option<Handle>,
}

/// A move from one account to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    pub old: Party,
    pub new: Party,
    pub saved: Saved,
    /// When it was linked; nothing of that is known of one that older versions stored.
    pub begun: Time,
    /// Since when it is put away.
    pub away: Option<Time>,
    /// Which of the moves onto the same new account: they have drawers of their own.
    pub turn: u64,
    /// The checks that the person leaves as they are.
    pub aside: Vec<String>,
    pub journal: Journal,
}

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Store {
    pub version: u32,
    pub accounts: Vec<Entry>,
    /// The linked move.
    pub current: Option<Move>,
    /// The others, the last one first. See [`super::moves`].
    pub put_away: Vec<Move>,
    /// Names of drawers of the database that nobody needs any more, and that our own page has still to delete.
    pub doomed: Vec<String>,
    /// When something was forgotten last: what was seen before is not taken in again.
    pub forgotten: Option<Time>,
}

/// What a page's guard is told: its own side in full, of the other side what the checks need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// `None`: the signed-in account belongs to no linked move.
    pub side: Option<Side>,
    pub linked: bool,
    pub old: AccountFacts,
    pub new: AccountFacts,
    pub old_party: Option<Party>,
    pub new_party: Option<Party>,
    pub saved: Saved,
    /// Hosts that we may look at from outside.
    pub granted: Vec<Domain>,
}

record! {
    Entry { host, handle, facts }
    Party { host, handle }
    Move { old, new, saved = default, begun = default, away = default, turn = default, aside = default, journal = default }
    Store {
        version = default, accounts = default, current = default, put_away = default, doomed = default,
        forgotten = default,
    }
    View { side, linked, old, new, old_party, new_party, saved, granted }
}

/// Since 2 there may be several moves.
pub const VERSION: u32 = 2;

/// More accounts than anybody has; beyond that, the ones seen longest ago are forgotten.
const MOST_ACCOUNTS: usize = 24;

impl Move {
    pub fn party(&self, side: Side) -> &Party {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }

    fn party_mut(&mut self, side: Side) -> &mut Party {
        match side {
            Side::Old => &mut self.old,
            Side::New => &mut self.new,
        }
    }
}

impl Party {
    /// A server speaks for its own accounts only, whatever handle it claims.
    pub(super) fn is(&self, host: &Domain, handle: Option<&Handle>) -> bool {
        self.host == *host
            && match (&self.handle, handle) {
                (Some(own), Some(handle)) => own.is_same(handle),
                _ => true,
            }
    }
}

impl Store {
    /// Takes in what was seen of an account. A page of a server can report facts about that server's accounts only: the
    /// caller states the host, not the page.
    pub fn learn(&mut self, host: &Domain, handle: Option<&Handle>, mut facts: AccountFacts) {
        let handle = handle.or_else(|| AccountFacts::value(&facts.handle)).cloned();
        // Whose it is may not be known: then it is nobody's.
        let needed = handle.is_some() && self.needs(host, handle.as_ref());
        if let Some(forgotten) = self.forgotten.filter(|_| !needed) {
            facts.drop_until(forgotten);
            if facts == AccountFacts::default() {
                return;
            }
        }
        if let (Some(handle), Some(current)) = (&handle, &mut self.current) {
            // A linked server without a handle gets the first account that signs in there, unless both ends are on one
            // server: then only the person knows which is which.
            let two_servers = current.old.host != current.new.host;
            for side in [Side::Old, Side::New] {
                let party = current.party_mut(side);
                if two_servers && party.host == *host && party.handle.is_none() {
                    party.handle = Some(handle.clone());
                }
            }
            self.settle_turns();
        }
        if let Some(handle) = handle.as_ref().filter(|handle| may_speak(host, handle)) {
            for it in self.current.iter_mut().chain(&mut self.put_away) {
                for side in [Side::Old, Side::New] {
                    let party = it.party_mut(side);
                    // Linked by its handle, and seen now where its pages really are.
                    if party.handle.as_ref().is_some_and(|own| own.is_same(handle)) {
                        party.host = host.clone();
                    }
                }
            }
        }
        if handle.is_some() {
            // Seen before anybody told whose it was: it will be told again, under its name.
            self.accounts.retain(|entry| entry.host != *host || entry.handle.is_some());
        }
        let at = match self.position(host, handle.as_ref()) {
            Some(at) => at,
            None => {
                self.accounts.push(Entry { host: host.clone(), handle, facts: AccountFacts::default() });
                self.accounts.len() - 1
            }
        };
        let before = self.accounts[at].facts.clone();
        self.accounts[at].facts.learn(facts);
        self.write_down(at, &before);
        while self.accounts.len() > MOST_ACCOUNTS {
            let needless = |at: &usize| {
                let entry = &self.accounts[*at];
                !self.needs(&entry.host, entry.handle.as_ref())
            };
            let all = 0..self.accounts.len();
            let oldest = all.filter(needless).min_by_key(|at| self.accounts[*at].facts.last_seen());
            let Some(oldest) = oldest else { break };
            self.accounts.remove(oldest);
        }
    }

    /// What turned with this comes into the journal of the move.
    fn write_down(&mut self, at: usize, before: &AccountFacts) {
        let (Some(entry), Some(current)) = (self.accounts.get(at), &mut self.current) else { return };
        for (side, other) in [(Side::Old, Side::New), (Side::New, Side::Old)] {
            let party = current.party(side);
            let is = party.handle.is_some() && entry.handle.is_some();
            if is && party.is(&entry.host, entry.handle.as_ref()) {
                let other = current.party(other).handle.clone();
                current.journal.see(side, before, &entry.facts, other.as_ref());
            }
        }
    }

    /// Whether both say the same; when it was seen may differ.
    pub fn says_the_same(&self, other: &Store) -> bool {
        let same = |(one, two): (&Entry, &Entry)| {
            one.host == two.host && one.handle == two.handle && one.facts.says_the_same(&two.facts)
        };
        self.current == other.current
            && self.put_away == other.put_away
            && self.doomed == other.doomed
            && self.accounts.len() == other.accounts.len()
            && self.accounts.iter().zip(&other.accounts).all(same)
    }

    fn only_party_at(&self, host: &Domain) -> Option<Handle> {
        let current = self.current.as_ref()?;
        let mut here = [&current.old, &current.new].into_iter().filter(|party| party.host == *host);
        let party = here.next()?;
        if here.next().is_some() { None } else { party.handle.clone() }
    }

    fn position(&self, host: &Domain, handle: Option<&Handle>) -> Option<usize> {
        self.accounts.iter().position(|entry| match (&entry.handle, handle) {
            (Some(own), Some(handle)) => entry.host == *host && own.is_same(handle),
            (None, None) => entry.host == *host,
            _ => false,
        })
    }

    /// What is known of an account.
    pub fn facts(&self, host: &Domain, handle: Option<&Handle>) -> AccountFacts {
        let known = self.position(host, handle).map(|at| self.accounts[at].facts.clone()).unwrap_or_default();
        match handle {
            // The handle itself is known even when nothing else is.
            Some(handle) if known.handle.is_none() => AccountFacts {
                handle: Some(Known::new(handle.clone(), Time(0), crate::when::Source::Ourselves)),
                ..known
            },
            _ => known,
        }
    }

    /// Which end of its move this account is.
    pub fn side(&self, host: &Domain, handle: Option<&Handle>) -> Option<Side> {
        self.move_of(host, handle).map(|(_, side)| side)
    }

    /// What the guard on a page of `host` is told. `typed` is a handle that stands in its form instead of the linked one.
    pub fn view(
        &self,
        host: &Domain,
        handle: Option<&Handle>,
        page: PageKind,
        typed: Option<&Handle>,
    ) -> View {
        let (linked_move, side) = self.move_of(host, handle).unzip();
        let linked = side.is_some();
        let own = self.facts(host, handle.or(self.only_party_at(host).as_ref()));
        let acting = side.unwrap_or_else(|| acts_as_with(page, &own));
        let own_party = Party { host: host.clone(), handle: handle.cloned() };
        let other_party = linked_move.map(|linked| match acting {
            Side::Old => linked.new.clone(),
            Side::New => linked.old.clone(),
        });
        let other_party = match typed {
            Some(typed) => match other_party {
                Some(party) if party.handle.as_ref().is_some_and(|linked| linked.is_same(typed)) => {
                    Some(party)
                }
                _ => Some(Party { host: self.host_of(typed), handle: Some(typed.clone()) }),
            },
            None => other_party,
        };
        let mut other = match &other_party {
            Some(party) => self.facts(&party.host, party.handle.as_ref()),
            None => AccountFacts::default(),
        };
        // Another server's page has no use for these.
        other.messages = None;
        other.follow_requests = None;
        // Conversations concern the old account alone; the lists are to be unpacked on the new one.
        let mut saved = linked_move.map(|linked| linked.saved.clone()).unwrap_or_default();
        if acting == Side::New {
            saved.messages = None;
        }
        let (old, new, old_party, new_party) = match acting {
            Side::Old => (own, other, Some(own_party), other_party),
            Side::New => (other, own, other_party, Some(own_party)),
        };
        View { side, linked, old, new, old_party, new_party, saved, granted: Vec::new() }
    }

    /// The web host of an account: where it was seen, else its handle's domain.
    pub fn host_of(&self, handle: &Handle) -> Domain {
        let seen = self.accounts.iter().find(|entry| {
            entry.handle.as_ref().is_some_and(|own| own.is_same(handle)) && may_speak(&entry.host, handle)
        });
        seen.map_or_else(|| handle.domain().clone(), |entry| entry.host.clone())
    }

    /// The dossier of the linked move, for the desk.
    pub fn dossier(&self, granted: &[Domain]) -> Dossier {
        let Some(current) = &self.current else { return Dossier::default() };
        let facts = |party: &Party| self.facts(&party.host, party.handle.as_ref());
        let target = match &current.new.handle {
            Some(handle) => Target::Handle(handle.clone()),
            None => Target::Server(current.new.host.clone()),
        };
        Dossier {
            old: facts(&current.old),
            new: facts(&current.new),
            target,
            target_granted: granted.contains(&current.new.host),
            old_host: Some(current.old.host.clone()),
            new_host: Some(current.new.host.clone()),
            saved: current.saved.clone(),
            asking: false,
            page: None,
        }
    }
}

/// Whether a web host may speak for a handle: its own domain, or a host below it (`social.example.com` for
/// `@ana@example.com`).
pub(crate) fn may_speak(host: &Domain, handle: &Handle) -> bool {
    let domain = handle.domain();
    host == domain || host.as_str().strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
}

/// The same for an account of which something is known: whoever redirects has left, whichever page it is.
pub fn acts_as_with(page: PageKind, own: &AccountFacts) -> Side {
    match AccountFacts::value(&own.redirect) {
        Some(Redirect::To(_)) => Side::Old,
        _ => acts_as(page),
    }
}

/// How a page is meant when no move is linked: these are where one leaves, the others where one arrives.
pub fn acts_as(page: PageKind) -> Side {
    match page {
        PageKind::Migration | PageKind::Redirect | PageKind::Export | PageKind::Delete => Side::Old,
        PageKind::Aliases | PageKind::Imports | PageKind::Account | PageKind::Setup | PageKind::Profile => {
            Side::New
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::when::Source;

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    fn handle(text: &str) -> Handle {
        text.parse().unwrap()
    }

    fn locked(value: bool, at: i64) -> AccountFacts {
        AccountFacts { locked: Some(Known::new(value, Time(at), Source::OwnPage)), ..Default::default() }
    }

    fn linked(old: Option<&str>, new: Option<&str>) -> Store {
        let party = |host: &str, name: Option<&str>| Party { host: domain(host), handle: name.map(handle) };
        let current = Move::new(party("old.example", old), party("new.example", new), Time(0));
        Store { current: Some(current), ..Default::default() }
    }

    #[test]
    fn the_first_account_seen_on_a_linked_server_is_the_party() {
        let mut store = linked(None, None);
        store.learn(&domain("new.example"), None, locked(true, 1));
        assert_eq!(store.current.as_ref().unwrap().new.handle, None);
        store.learn(&domain("new.example"), Some(&handle("ana@new.example")), locked(false, 2));
        assert_eq!(store.current.as_ref().unwrap().new.handle, Some(handle("ana@new.example")));
        // What was seen before its name was known belongs to nobody: it is told again by the next page.
        assert_eq!(store.accounts.len(), 1);
        assert!(!store.facts(&domain("new.example"), Some(&handle("ANA@new.example"))).locked.unwrap().value);
    }

    #[test]
    fn a_second_account_does_not_take_the_place_of_the_first() {
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        store.learn(&domain("new.example"), Some(&handle("bob@new.example")), locked(true, 1));
        assert_eq!(store.side(&domain("new.example"), Some(&handle("bob@new.example"))), None);
        assert_eq!(store.side(&domain("new.example"), Some(&handle("ana@new.example"))), Some(Side::New));
        assert_eq!(store.side(&domain("old.example"), None), Some(Side::Old));
    }

    #[test]
    fn a_server_cannot_speak_for_anothers_account() {
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        let (old, evil) = (domain("old.example"), domain("evil.example"));
        store.learn(&old, Some(&handle("ana@old.example")), locked(true, 1));
        store.learn(&evil, Some(&handle("ana@old.example")), locked(false, 9));
        assert!(store.facts(&old, Some(&handle("ana@old.example"))).locked.unwrap().value);
        assert_eq!(store.current.as_ref().unwrap().old.host, old);
        assert_eq!(store.side(&evil, Some(&handle("ana@old.example"))), None);
        assert_eq!(store.host_of(&handle("ana@old.example")), old);
    }

    #[test]
    fn an_account_is_found_where_its_pages_really_are() {
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        let web = domain("social.new.example");
        store.learn(&web, Some(&handle("ana@new.example")), locked(true, 1));
        assert_eq!(store.side(&web, Some(&handle("ana@new.example"))), Some(Side::New));
        assert_eq!(store.host_of(&handle("ana@new.example")), web);
    }

    #[test]
    fn both_accounts_on_one_server_are_told_apart_by_handle() {
        let mut store = linked(Some("ana@old.example"), Some("ana2@old.example"));
        store.current.as_mut().unwrap().new.host = domain("old.example");
        let here = domain("old.example");
        assert_eq!(store.side(&here, Some(&handle("ana2@old.example"))), Some(Side::New));
        assert_eq!(store.side(&here, Some(&handle("ana@old.example"))), Some(Side::Old));
    }

    #[test]
    fn a_typed_handle_takes_the_place_of_the_linked_one() {
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        store.learn(&domain("else.example"), Some(&handle("ana@else.example")), locked(true, 1));
        let view = |typed: Option<&str>| {
            let typed = typed.map(handle);
            let own = handle("ana@old.example");
            store.view(&domain("old.example"), Some(&own), PageKind::Migration, typed.as_ref())
        };
        assert_eq!(view(None).new_party.unwrap().host, domain("new.example"));
        let typed = view(Some("ana@else.example"));
        assert_eq!(typed.new_party.unwrap().host, domain("else.example"));
        assert!(typed.new.locked.unwrap().value);
    }

    #[test]
    fn a_guard_is_not_told_the_other_sides_messages() {
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        let messages = Known::new(Default::default(), Time(1), Source::OwnApi);
        let facts = AccountFacts { messages: Some(messages), ..Default::default() };
        store.learn(&domain("old.example"), Some(&handle("ana@old.example")), facts);
        let view =
            store.view(&domain("new.example"), Some(&handle("ana@new.example")), PageKind::Aliases, None);
        assert_eq!((view.side, view.old.messages), (Some(Side::New), None));
        assert_eq!(view.old.handle.unwrap().value, handle("ana@old.example"));
    }

    #[test]
    fn the_new_side_is_told_of_lists_and_not_of_conversations() {
        use crate::trunk::dossier::{SavedLists, SavedMessages};
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        let messages = SavedMessages { at: Time(1), count: 3, rescued: false, conversations: Vec::new() };
        let lists = SavedLists { at: Time(2), ..Default::default() };
        let saved = Saved { messages: Some(messages), lists: Some(lists), ..Default::default() };
        store.current.as_mut().unwrap().saved = saved.clone();
        let view = |host: &str, name: &str, page| store.view(&domain(host), Some(&handle(name)), page, None);
        assert_eq!(view("old.example", "ana@old.example", PageKind::Export).saved, saved);
        let new = view("new.example", "ana@new.example", PageKind::Imports).saved;
        assert!(new.messages.is_none() && new.lists.is_some());
        // Somebody else on the same server is told nothing.
        assert_eq!(view("new.example", "bob@new.example", PageKind::Imports).saved, Saved::default());
    }

    #[test]
    fn what_turns_on_one_of_the_two_accounts_comes_into_the_journal() {
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        let (new, ana, bob) = (domain("new.example"), handle("ana@new.example"), handle("bob@new.example"));
        store.learn(&new, Some(&ana), locked(true, 1));
        store.learn(&new, Some(&bob), locked(true, 2));
        store.learn(&new, Some(&bob), locked(false, 3));
        store.learn(&domain("evil.example"), Some(&ana), locked(false, 4));
        assert!(store.current.as_ref().unwrap().journal.deeds.is_empty());
        store.learn(&new, Some(&ana), locked(false, 5));
        let deeds = &store.current.as_ref().unwrap().journal.deeds;
        assert_eq!(
            deeds.iter().map(|deed| (deed.side, deed.at)).collect::<Vec<_>>(),
            [(Some(Side::New), Time(5))]
        );
        // Old stored moves have none, and are read as before.
        use crate::plain::Plain;
        let mut text = store.write();
        text["current"].as_object_mut().unwrap().remove("journal");
        assert!(Store::read(&text).unwrap().current.unwrap().journal.deeds.is_empty());
    }

    #[test]
    fn seeing_the_same_again_is_no_news() {
        let mut store = linked(Some("ana@old.example"), Some("ana@new.example"));
        let new = domain("new.example");
        store.learn(&new, Some(&handle("ana@new.example")), locked(true, 1));
        let before = store.clone();
        store.learn(&new, Some(&handle("ana@new.example")), locked(true, 9));
        assert!(store != before && store.says_the_same(&before));
        store.learn(&new, Some(&handle("ana@new.example")), locked(false, 10));
        assert!(!store.says_the_same(&before));
    }

    #[test]
    fn forgets_the_account_seen_longest_ago() {
        let mut store = Store::default();
        for n in 0..30 {
            store.learn(&domain("old.example"), Some(&handle(&format!("a{n}@old.example"))), locked(true, n));
        }
        assert_eq!(store.accounts.len(), MOST_ACCOUNTS);
        assert!(store.accounts.iter().all(|entry| entry.facts.last_seen() > Some(Time(5))));
    }
}
