//! Several moves, kept apart: one is current, the others are put away. Two may share an account.

use super::dossier::{BlockedPeople, Saved, SavedLists, SavedMessages, Side};
use super::drawer;
use super::journal::{Deed, Journal};
use super::store::{Entry, Move, Party, Store};
use crate::account::{Domain, Handle};
use crate::check::CHECKS;
use crate::when::Time;

impl Party {
    /// The same account; or the same server, while nobody knows whose.
    pub fn is_same(&self, other: &Party) -> bool {
        match (&self.handle, &other.handle) {
            (Some(own), Some(other)) => own.is_same(other),
            (None, None) => self.host == other.host,
            _ => false,
        }
    }

    /// The same, said more exactly: where only the server was named, now the account is.
    fn names(&self, other: &Party) -> bool {
        self.is_same(other) || (other.handle.is_none() && self.host == other.host)
    }

    /// As people know it: `@ana@old.example`, or the server alone.
    pub fn name(&self) -> String {
        match &self.handle {
            Some(handle) => format!("@{handle}"),
            None => self.host.to_string(),
        }
    }
}

impl Move {
    pub fn new(old: Party, new: Party, now: Time) -> Move {
        Move {
            old,
            new,
            saved: Saved::default(),
            begun: now,
            away: None,
            turn: 0,
            aside: Vec::new(),
            journal: Journal::default(),
        }
    }

    /// The person leaves a check as it is, or takes that back. What is no check of ours is no one's choice: a file from
    /// elsewhere may name anything.
    pub fn set_aside(&mut self, check: String, aside: bool) {
        self.aside.retain(|id| *id != check);
        if aside && CHECKS.iter().any(|known| known.id == check) {
            self.aside.push(check);
        }
    }

    pub fn is_between(&self, old: &Party, new: &Party) -> bool {
        self.old.is_same(old) && self.new.is_same(new)
    }

    pub fn is_same(&self, other: &Move) -> bool {
        self.is_between(&other.old, &other.new)
    }

    /// The same, said more exactly: where only a server was named, now its account is.
    pub fn names(&self, other: &Move) -> bool {
        self.old.names(&other.old) && self.new.names(&other.new)
    }

    /// What is known of this account is needed for it.
    fn needs(&self, entry: &Entry) -> bool {
        [&self.old, &self.new].into_iter().any(|party| party.is(&entry.host, entry.handle.as_ref()))
    }
}

impl Store {
    /// The current one first.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.current.iter().chain(&self.put_away)
    }

    fn moves_mut(&mut self) -> impl Iterator<Item = &mut Move> {
        self.current.iter_mut().chain(&mut self.put_away)
    }

    /// To which move an account belongs, and which end of it it is. The current one before others; one that is put away
    /// only where the account is known by its name.
    pub fn move_of(&self, host: &Domain, handle: Option<&Handle>) -> Option<(&Move, Side)> {
        let side =
            |it: &Move| [Side::Old, Side::New].into_iter().find(|side| it.party(*side).is(host, handle));
        let current = self.current.iter().find_map(|it| Some((it, side(it)?)));
        current.or_else(|| {
            let named = |it: &&Move| {
                let same = |party: &Party| party.handle.is_some() && party.is(host, handle);
                handle.is_some() && (same(&it.old) || same(&it.new))
            };
            self.put_away.iter().find(named).and_then(|it| Some((it, side(it)?)))
        })
    }

    fn is_needed(&self, entry: &Entry) -> bool {
        self.moves().any(|it| it.needs(entry))
    }

    pub(super) fn needs(&self, host: &Domain, handle: Option<&Handle>) -> bool {
        self.moves().any(|it| it.old.is(host, handle) || it.new.is(host, handle))
    }

    /// The person says which two accounts the move is about. The present one is put away, unless this is the same one.
    pub fn link(&mut self, old: Party, new: Party, now: Time) {
        if let Some(current) = &mut self.current
            && old.names(&current.old)
            && new.names(&current.new)
        {
            (current.old, current.new) = (old, new);
            return self.settle_turns();
        }
        if self.take_up(&old, &new, now) {
            return;
        }
        let mut it = Move::new(old, new, now);
        it.journal.note(Deed::linked(now).of(&format!("{} {}", it.old.host, it.new.host)));
        // What is packed belongs to the old account, whichever one it moves to.
        if let Some(before) = self.moves().find(|before| before.old.is_same(&it.old)) {
            it.saved.messages = before.saved.messages.clone();
            it.saved.lists = before.saved.lists.clone();
        }
        self.put_away(now);
        self.current = Some(it);
        self.settle_turns();
    }

    /// The present move was taken in from a file: what had happened in it elsewhere has happened in it.
    pub fn taken_in(&mut self, it: Move) {
        let Some(current) = self.current.as_mut().filter(|current| current.is_same(&it)) else { return };
        // Zero: not known.
        if it.begun > Time(0) && (current.begun == Time(0) || it.begun < current.begun) {
            current.begun = it.begun;
        }
        for check in it.aside {
            current.set_aside(check, true);
        }
        current.journal.take_over(it.journal);
    }

    /// Sets the present move aside.
    pub fn put_away(&mut self, now: Time) {
        if let Some(mut current) = self.current.take() {
            current.away = Some(now);
            self.put_away.insert(0, current);
        }
    }

    /// Goes on with one that was put away. `false`: there is none such.
    pub fn take_up(&mut self, old: &Party, new: &Party, now: Time) -> bool {
        let Some(at) = self.put_away.iter().position(|it| it.is_between(old, new)) else { return false };
        let mut it = self.put_away.remove(at);
        it.away = None;
        self.put_away(now);
        self.current = Some(it);
        true
    }

    /// Forgets a move, and what no other one needs: facts at once; what the database has is noted, for our own page to
    /// delete.
    pub fn forget(&mut self, old: &Party, new: &Party, now: Time) {
        let mut gone = Vec::new();
        let mut put_away = Vec::new();
        for it in std::mem::take(&mut self.current).into_iter() {
            if it.is_between(old, new) { gone.push(it) } else { self.current = Some(it) }
        }
        for it in std::mem::take(&mut self.put_away) {
            if it.is_between(old, new) { gone.push(it) } else { put_away.push(it) }
        }
        self.put_away = put_away;
        for it in gone {
            for name in drawer::all(&it) {
                if !self.doomed.contains(&name) {
                    self.doomed.push(name);
                }
            }
        }
        self.spare();
        let all = std::mem::take(&mut self.accounts);
        self.accounts = all.into_iter().filter(|entry| self.is_needed(entry)).collect();
        // Pages that are still open would tell it again.
        self.forgotten = Some(now);
    }

    /// The drawers that only this move needs: what is lost with it.
    pub fn only_of(&self, it: &Move) -> Vec<String> {
        let others: Vec<String> = self.moves().filter(|one| !one.is_same(it)).flat_map(drawer::all).collect();
        drawer::all(it).into_iter().filter(|name| !others.contains(name)).collect()
    }

    /// Which turn a move has here, or would have if it was linked.
    pub fn turn_of(&self, it: &Move) -> u64 {
        if let Some(known) = self.moves().find(|known| known.is_same(it)) {
            return known.turn;
        }
        let taken = |turn: u64| self.moves().any(|one| one.turn == turn && one.new.is_same(&it.new));
        (0..=self.moves().count() as u64).find(|turn| !taken(*turn)).unwrap_or(0)
    }

    /// What another move needs is not deleted.
    fn spare(&mut self) {
        let needed: Vec<String> = self.moves().flat_map(drawer::all).collect();
        self.doomed.retain(|name| !needed.contains(name));
    }

    /// These are deleted.
    pub fn swept(&mut self, names: &[String]) {
        self.doomed.retain(|name| !names.contains(name));
    }

    /// Each move onto the same new account has drawers of its own.
    pub(super) fn settle_turns(&mut self) {
        let taken: Vec<(Party, u64)> = self.put_away.iter().map(|it| (it.new.clone(), it.turn)).collect();
        if let Some(current) = &mut self.current {
            let is_taken =
                |turn: u64| taken.iter().any(|(new, own)| *own == turn && new.is_same(&current.new));
            if is_taken(current.turn) {
                current.turn = (0..=taken.len() as u64).find(|turn| !is_taken(*turn)).unwrap_or(0);
            }
        }
        self.spare();
    }

    // --- what our own page reports ---

    /// Of every move from this account.
    pub fn saved(&mut self, of: &Handle, messages: Option<SavedMessages>) {
        for it in self.moves_mut().filter(|it| it.old.handle.as_ref().is_some_and(|own| own.is_same(of))) {
            it.journal.extend(messages.as_ref().map(Deed::messages));
            it.saved.messages.clone_from(&messages);
        }
    }

    /// The lists of every move from this account; whom it would lose, for the one onto the server that blocks them.
    pub fn packed(&mut self, of: &Handle, lists: Option<SavedLists>, blocked: Option<BlockedPeople>) {
        for it in self.moves_mut().filter(|it| it.old.handle.as_ref().is_some_and(|own| own.is_same(of))) {
            it.journal.extend(lists.as_ref().map(Deed::packed));
            it.saved.lists.clone_from(&lists);
            let by = blocked.as_ref().and_then(|blocked| blocked.by.as_ref());
            let theirs = by.is_none_or(|by| {
                it.new.host == *by || it.new.handle.as_ref().is_some_and(|new| new.domain() == by)
            });
            if theirs {
                it.saved.blocked.clone_from(&blocked);
            }
        }
    }

    /// Of the move that was unpacked.
    pub fn unpacked(&mut self, of: &Handle, turn: u64, arrived: Option<super::dossier::Arrived>) {
        let theirs =
            |it: &&mut Move| it.turn == turn && it.new.handle.as_ref().is_some_and(|own| own.is_same(of));
        if let Some(it) = self.moves_mut().find(theirs) {
            it.journal.extend(arrived.as_ref().map(Deed::arrived));
            it.saved.arrived = arrived;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dossier::{AccountFacts, Arrived};
    use super::*;
    use crate::plain::Plain;
    use crate::server::page::PageKind;
    use crate::when::{Known, Source};

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    fn handle(text: &str) -> Handle {
        text.parse().unwrap()
    }

    fn party(text: &str) -> Party {
        match text.parse::<Handle>() {
            Ok(handle) => Party { host: handle.domain().clone(), handle: Some(handle) },
            Err(_) => Party { host: domain(text), handle: None },
        }
    }

    fn names(store: &Store) -> Vec<String> {
        store.moves().map(|it| format!("{} {}", it.old.name(), it.new.name())).collect()
    }

    fn locked(at: i64) -> AccountFacts {
        AccountFacts { locked: Some(Known::new(true, Time(at), Source::OwnPage)), ..Default::default() }
    }

    fn messages(at: i64) -> Option<SavedMessages> {
        Some(SavedMessages { at: Time(at), count: 3, rescued: false, conversations: Vec::new() })
    }

    fn two() -> Store {
        let mut store = Store::default();
        store.link(party("ana@old.example"), party("ana@new.example"), Time(1));
        store.link(party("bob@old.example"), party("bob@new.example"), Time(2));
        store
    }

    #[test]
    fn linking_another_pair_puts_the_present_move_away() {
        let mut store = two();
        assert_eq!(names(&store), ["@bob@old.example @bob@new.example", "@ana@old.example @ana@new.example"]);
        assert_eq!((store.put_away[0].begun, store.put_away[0].away), (Time(1), Some(Time(2))));
        // The same pair again, in other letters, is no third one.
        store.link(party("Ana@old.example"), party("ana@new.example"), Time(3));
        assert_eq!(names(&store), ["@ana@old.example @ana@new.example", "@bob@old.example @bob@new.example"]);
        assert_eq!(store.current.as_ref().unwrap().away, None);
        store.put_away(Time(4));
        assert!(store.current.is_none() && store.put_away.len() == 2);
        assert!(store.take_up(&party("bob@old.example"), &party("bob@new.example"), Time(5)));
        assert!(!store.take_up(&party("eve@old.example"), &party("bob@new.example"), Time(5)));
        assert_eq!(names(&store)[0], "@bob@old.example @bob@new.example");
    }

    #[test]
    fn what_happened_before_it_was_taken_in_has_happened() {
        let mut store = Store::default();
        store.link(party("ana@old.example"), party("ana@new.example"), Time(9));
        let mut file = Move::new(party("ana@old.example"), party("ana@new.example"), Time(1));
        file.aside = vec!["unlocked".to_owned(), "no check of ours".to_owned()];
        file.journal.note(Deed::profile(false, 5, 6, Time(3)));
        store.taken_in(file.clone());
        let current = store.current.clone().unwrap();
        assert_eq!((current.begun, current.aside), (Time(1), vec!["unlocked".to_owned()]));
        assert_eq!(current.journal.deeds.iter().map(|deed| deed.at.0).collect::<Vec<_>>(), [3, 9]);
        // Of another move nothing comes in.
        file.new = party("bob@new.example");
        file.journal.note(Deed::profile(true, 5, 5, Time(4)));
        store.taken_in(file);
        assert_eq!(store.current.unwrap().journal, current.journal);
    }

    #[test]
    fn naming_the_account_of_a_server_is_no_other_move() {
        let mut store = Store::default();
        store.link(party("old.example"), party("new.example"), Time(1));
        store.link(party("old.example"), party("ana@new.example"), Time(2));
        assert_eq!(names(&store), ["old.example @ana@new.example"]);
        store.link(party("ana@old.example"), party("ana@new.example"), Time(3));
        assert_eq!(names(&store), ["@ana@old.example @ana@new.example"]);
        assert_eq!(store.current.unwrap().begun, Time(1));
    }

    #[test]
    fn what_is_packed_belongs_to_every_move_from_that_account() {
        let mut store = Store::default();
        store.link(party("ana@old.example"), party("ana@new.example"), Time(1));
        store.saved(&handle("ana@old.example"), messages(5));
        store.link(party("ana@old.example"), party("ana@other.example"), Time(2));
        assert_eq!(store.current.as_ref().unwrap().saved.messages, messages(5));
        store.saved(&handle("ana@old.example"), messages(9));
        assert!(store.moves().all(|it| it.saved.messages == messages(9)));
        // Told while another move is the current one.
        store.link(party("bob@old.example"), party("bob@new.example"), Time(3));
        store.saved(&handle("ana@old.example"), None);
        assert!(store.moves().all(|it| it.saved.messages.is_none()));
        let arrived = Arrived { at: Time(7), ..Default::default() };
        store.unpacked(&handle("ana@other.example"), 0, Some(arrived.clone()));
        let with: Vec<bool> = store.moves().map(|it| it.saved.arrived.as_ref() == Some(&arrived)).collect();
        assert_eq!(with, [false, true, false]);
    }

    #[test]
    fn whom_a_move_would_lose_is_said_of_the_server_that_blocks_them() {
        let mut store = Store::default();
        store.link(party("ana@old.example"), party("ana@new.example"), Time(1));
        store.link(party("ana@old.example"), party("ana@other.example"), Time(2));
        let blocked = BlockedPeople { at: Time(3), by: Some(domain("new.example")), ..Default::default() };
        let lists = SavedLists { at: Time(3), ..Default::default() };
        store.packed(&handle("ana@old.example"), Some(lists.clone()), Some(blocked));
        assert!(store.moves().all(|it| it.saved.lists == Some(lists.clone())));
        let with: Vec<bool> = store.moves().map(|it| it.saved.blocked.is_some()).collect();
        assert_eq!(with, [false, true]);
    }

    #[test]
    fn two_moves_onto_one_account_have_drawers_of_their_own() {
        use drawer::Drawer;
        let mut store = Store::default();
        store.link(party("ana@old.example"), party("ana@new.example"), Time(1));
        store.link(party("ana@other.example"), party("ana@new.example"), Time(2));
        let third = Move::new(party("eve@old.example"), party("ana@new.example"), Time(3));
        assert_eq!(store.turn_of(&third), 2);
        assert_eq!(store.turn_of(store.current.as_ref().unwrap()), 1);
        let unpack: Vec<_> = store.moves().map(|it| Drawer::Unpack.in_move(it).unwrap()).collect();
        assert_eq!(unpack, ["unpack ana@new.example 1", "unpack ana@new.example"]);
        // Known only when somebody signs in there.
        let mut store = Store::default();
        store.link(party("ana@old.example"), party("ana@new.example"), Time(1));
        store.link(party("ana@other.example"), party("new.example"), Time(2));
        store.learn(&domain("new.example"), Some(&handle("ana@new.example")), locked(3));
        assert_eq!(store.current.as_ref().unwrap().turn, 1);
        assert_eq!(Drawer::Messages.in_move(store.current.as_ref().unwrap()).unwrap(), "ana@other.example");
    }

    #[test]
    fn forgetting_one_takes_nothing_from_another() {
        let mut store = Store::default();
        store.link(party("ana@old.example"), party("ana@new.example"), Time(1));
        store.link(party("ana@old.example"), party("ana@other.example"), Time(2));
        store.link(party("ana@new.example"), party("ana@last.example"), Time(3));
        for (host, name) in
            [("old", "ana"), ("new", "ana"), ("other", "ana"), ("last", "ana"), ("new", "bob")]
        {
            let host = format!("{host}.example");
            store.learn(&domain(&host), Some(&handle(&format!("{name}@{host}"))), locked(4));
        }
        let second = store.moves().find(|it| it.new.is_same(&party("ana@other.example"))).unwrap();
        assert_eq!(store.only_of(second).len(), 3);
        store.forget(&party("ana@old.example"), &party("ana@other.example"), Time(9));
        assert_eq!(store.moves().count(), 2);
        let mut left: Vec<String> =
            store.accounts.iter().filter_map(|entry| Some(entry.handle.as_ref()?.acct())).collect();
        left.sort_unstable();
        assert_eq!(left, ["ana@last.example", "ana@new.example", "ana@old.example"]);
        // The first move still needs what is packed of the old account.
        let other = ["new ana@other.example", "unpack ana@other.example", "verify ana@other.example"];
        assert_eq!(store.doomed, other);
        store.forget(&party("ana@old.example"), &party("ana@new.example"), Time(10));
        // As the old one of the last move it is still needed; as a new one not.
        for name in
            ["ana@old.example", "lists ana@old.example", "zip ana@old.example", "unpack ana@new.example"]
        {
            assert!(store.doomed.iter().any(|doomed| doomed == name), "{name}: {:?}", store.doomed);
        }
        assert!(!store.doomed.iter().any(|name| name == "ana@new.example" || name.contains("last")));
        store.swept(&["ana@old.example".to_owned()]);
        assert!(!store.doomed.iter().any(|name| name == "ana@old.example"));
        // Linked again before it was deleted: it stays.
        store.link(party("ana@old.example"), party("eve@new.example"), Time(11));
        assert!(!store.doomed.iter().any(|name| name.ends_with("old.example")), "{:?}", store.doomed);
    }

    #[test]
    fn a_page_that_is_still_open_does_not_bring_back_what_was_forgotten() {
        let mut store = two();
        let (old, ana) = (domain("old.example"), handle("ana@old.example"));
        store.learn(&old, Some(&ana), locked(5));
        store.forget(&party("ana@old.example"), &party("ana@new.example"), Time(10));
        let forgotten = store.clone();
        store.learn(&old, Some(&ana), locked(5));
        store.learn(&old, None, locked(9));
        assert_eq!(store, forgotten);
        let view = store.view(&old, Some(&ana), PageKind::Migration, None);
        assert!(!view.linked && view.new_party.is_none() && view.old.locked.is_none());
        // Bob's move goes on as it was.
        store.learn(&old, Some(&handle("bob@old.example")), locked(6));
        assert!(store.facts(&old, Some(&handle("bob@old.example"))).locked.is_some());
        // What is seen from now on is another matter.
        store.learn(&old, Some(&ana), locked(11));
        assert!(store.facts(&old, Some(&ana)).locked.is_some());
    }

    #[test]
    fn a_page_is_told_of_its_own_move() {
        let mut store = two();
        store.saved(&handle("ana@old.example"), messages(5));
        let view =
            |name: &str| store.view(&domain("old.example"), Some(&handle(name)), PageKind::Migration, None);
        let of_ana = view("ana@old.example");
        assert_eq!(of_ana.new_party.unwrap().handle, Some(handle("ana@new.example")));
        assert_eq!(of_ana.saved.messages, messages(5));
        let of_bob = view("bob@old.example");
        assert_eq!(of_bob.new_party.unwrap().handle, Some(handle("bob@new.example")));
        assert_eq!(of_bob.saved.messages, None);
        assert!(!view("eve@old.example").linked);
        // Nobody is signed in: of one that is put away nothing is told.
        store.put_away(Time(3));
        assert!(!store.view(&domain("old.example"), None, PageKind::Migration, None).linked);
    }

    #[test]
    fn what_was_stored_before_there_were_several_is_read() {
        let stored = "{\"version\":1,\"accounts\":[],\"current\":{\"old\":{\"host\":\"old.example\",\
            \"handle\":\"ana@old.example\"},\"new\":{\"host\":\"new.example\",\"handle\":null},\
            \"saved\":{\"messages\":null}}}";
        let read = |text: &str| Store::read(&crate::plain::json(text).unwrap());
        let store = read(stored).unwrap();
        assert_eq!(names(&store), ["@ana@old.example new.example"]);
        assert_eq!((store.put_away.len(), store.current.as_ref().unwrap().turn), (0, 0));
        let two = two();
        assert_eq!(read(&two.write().to_string()), Some(two));
    }

    #[test]
    fn what_moves_need_is_not_crowded_out() {
        let mut store = two();
        store.learn(&domain("old.example"), Some(&handle("ana@old.example")), locked(1));
        for n in 0..40 {
            let name = handle(&format!("a{n}@old.example"));
            store.learn(&domain("old.example"), Some(&name), locked(100 + n));
        }
        assert!(store.facts(&domain("old.example"), Some(&handle("ana@old.example"))).locked.is_some());
    }
}
