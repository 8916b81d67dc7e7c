//! The tables of accounts and of follows, with an index for everything that is asked for by name or by person: an account with two hundred thousand followers answers
//! as fast as one with ten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use crate::state::{Account, Follow, Id};

/// Accounts by number and by name.
#[derive(Clone, Debug, Default)]
pub struct People {
    rows: BTreeMap<Id, Account>,
    /// Name and domain in lower case, the domain empty for those of this server.
    names: HashMap<(String, String), Id>,
    /// Those who can sign in here.
    users: BTreeSet<Id>,
}

fn key(username: &str, domain: Option<&str>) -> (String, String) {
    (username.to_lowercase(), domain.unwrap_or("").to_lowercase())
}

impl People {
    pub fn get(&self, id: &Id) -> Option<&Account> {
        self.rows.get(id)
    }

    /// Name, domain and whether somebody can sign in must stay as they are.
    pub fn get_mut(&mut self, id: &Id) -> Option<&mut Account> {
        self.rows.get_mut(id)
    }

    pub fn insert(&mut self, id: Id, account: Account) {
        self.names.entry(key(&account.username, account.domain.as_deref())).or_insert(id);
        if account.user.is_some() {
            self.users.insert(id);
        }
        self.rows.insert(id, account);
    }

    pub fn remove(&mut self, id: Id) -> Option<Account> {
        let account = self.rows.remove(&id)?;
        let name = key(&account.username, account.domain.as_deref());
        if self.names.get(&name) == Some(&id) {
            self.names.remove(&name);
        }
        self.users.remove(&id);
        Some(account)
    }

    pub fn find(&self, username: &str, domain: Option<&str>) -> Option<Id> {
        self.names.get(&key(username, domain)).copied()
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Account> {
        self.rows.values()
    }

    pub fn users(&self) -> impl Iterator<Item = &Account> {
        self.users.iter().filter_map(|id| self.rows.get(id))
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&Id, &mut Account) -> bool) {
        let gone: Vec<Id> =
            self.rows.iter_mut().filter_map(|(id, account)| (!keeps(id, account)).then_some(*id)).collect();
        for id in gone {
            self.remove(id);
        }
    }
}

/// Who follows whom, by the number of the relationship, which is what pages are made of.
#[derive(Clone, Debug, Default)]
pub struct Follows {
    rows: BTreeMap<Id, Follow>,
    by_from: HashMap<Id, BTreeSet<Id>>,
    by_to: HashMap<Id, BTreeSet<Id>>,
    pairs: HashMap<(Id, Id), Id>,
}

impl Follows {
    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Follow> {
        self.rows.values()
    }

    /// Whom `from` follows, oldest first.
    pub fn of(&self, from: Id) -> impl DoubleEndedIterator<Item = &Follow> {
        self.of_between(from, 0..Id::MAX)
    }

    /// Who follows `to`, oldest first.
    pub fn to(&self, to: Id) -> impl DoubleEndedIterator<Item = &Follow> {
        self.to_between(to, 0..Id::MAX)
    }

    pub fn of_between(&self, from: Id, range: Range<Id>) -> impl DoubleEndedIterator<Item = &Follow> {
        let ids = self.by_from.get(&from).into_iter().flat_map(move |ids| ids.range(range.clone()));
        ids.filter_map(|id| self.rows.get(id))
    }

    pub fn to_between(&self, to: Id, range: Range<Id>) -> impl DoubleEndedIterator<Item = &Follow> {
        let ids = self.by_to.get(&to).into_iter().flat_map(move |ids| ids.range(range.clone()));
        ids.filter_map(|id| self.rows.get(id))
    }

    pub fn count_of(&self, from: Id) -> usize {
        self.by_from.get(&from).map_or(0, BTreeSet::len)
    }

    pub fn count_to(&self, to: Id) -> usize {
        self.by_to.get(&to).map_or(0, BTreeSet::len)
    }

    pub fn find(&self, from: Id, to: Id) -> Option<&Follow> {
        self.rows.get(self.pairs.get(&(from, to))?)
    }

    /// Both ends must stay as they are.
    pub fn find_mut(&mut self, from: Id, to: Id) -> Option<&mut Follow> {
        self.rows.get_mut(self.pairs.get(&(from, to))?)
    }

    pub fn push(&mut self, follow: Follow) {
        self.by_from.entry(follow.from).or_default().insert(follow.id);
        self.by_to.entry(follow.to).or_default().insert(follow.id);
        self.pairs.insert((follow.from, follow.to), follow.id);
        self.rows.insert(follow.id, follow);
    }

    pub fn remove(&mut self, from: Id, to: Id) -> Option<Follow> {
        let id = self.pairs.remove(&(from, to))?;
        if let Some(ids) = self.by_from.get_mut(&from) {
            ids.remove(&id);
        }
        if let Some(ids) = self.by_to.get_mut(&to) {
            ids.remove(&id);
        }
        self.rows.remove(&id)
    }
}
