//! Tables that are asked for one person's rows: conversations and notifications. Kept by owner, so that a request costs its page and not the whole table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::state::{Conversation, Id, Notification};

/// Everybody's conversation lists.
#[derive(Clone, Debug, Default)]
pub struct Conversations {
    rows: HashMap<Id, Conversation>,
    /// By the last status, which is what the list is ordered and paged by (facts 13.1 point 6).
    by_owner: HashMap<Id, BTreeSet<(Id, Id)>>,
    by_thread: HashMap<(Id, Id), Vec<Id>>,
    by_participant: HashMap<(Id, Id), BTreeSet<Id>>,
}

impl Conversations {
    /// The list of `owner`, oldest first: last status and entry.
    pub fn of(&self, owner: Id) -> impl DoubleEndedIterator<Item = &Conversation> {
        self.by_owner.get(&owner).into_iter().flatten().filter_map(|(_, id)| self.rows.get(id))
    }

    /// Those whose last status lies in `range`.
    pub fn between(
        &self,
        owner: Id,
        range: std::ops::Range<Id>,
    ) -> impl DoubleEndedIterator<Item = (Id, &Conversation)> {
        self.by_owner
            .get(&owner)
            .into_iter()
            .flat_map(move |set| set.range((range.start, 0)..(range.end, 0)))
            .filter_map(|(last, id)| self.rows.get(id).map(|row| (*last, row)))
    }

    pub fn count(&self, owner: Id) -> usize {
        self.by_owner.get(&owner).map_or(0, BTreeSet::len)
    }

    pub fn get(&self, owner: Id, id: Id) -> Option<&Conversation> {
        self.rows.get(&id).filter(|row| row.owner == owner)
    }

    pub fn set_unread(&mut self, owner: Id, id: Id, unread: bool) -> Option<&Conversation> {
        let row = self.rows.get_mut(&id).filter(|row| row.owner == owner)?;
        row.unread = unread;
        Some(row)
    }

    /// The entry of a thread and a set of participants.
    pub fn find(&self, owner: Id, thread: Id, participants: &BTreeSet<Id>) -> Option<Id> {
        self.by_thread
            .get(&(owner, thread))?
            .iter()
            .copied()
            .find(|id| self.rows.get(id).is_some_and(|row| row.participants == *participants))
    }

    pub fn insert(&mut self, row: Conversation) {
        let Some(last) = row.statuses.last().copied() else { return };
        self.by_owner.entry(row.owner).or_default().insert((last, row.id));
        self.by_thread.entry((row.owner, row.thread)).or_default().push(row.id);
        for other in &row.participants {
            self.by_participant.entry((row.owner, *other)).or_default().insert(row.id);
        }
        self.rows.insert(row.id, row);
    }

    /// A further status of an entry.
    pub fn add(&mut self, id: Id, status: Id, unread: bool) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let before = row.statuses.last().copied().unwrap_or_default();
        if let Err(place) = row.statuses.binary_search(&status) {
            row.statuses.insert(place, status);
        }
        row.unread = unread;
        let after = row.statuses.last().copied().unwrap_or_default();
        if before != after
            && let Some(list) = self.by_owner.get_mut(&row.owner)
        {
            list.remove(&(before, id));
            list.insert((after, id));
        }
    }

    pub fn remove(&mut self, owner: Id, id: Id) -> bool {
        if self.get(owner, id).is_none() {
            return false;
        }
        let Some(row) = self.rows.remove(&id) else { return false };
        let last = row.statuses.last().copied().unwrap_or_default();
        if let Some(list) = self.by_owner.get_mut(&owner) {
            list.remove(&(last, id));
        }
        if let Some(list) = self.by_thread.get_mut(&(owner, row.thread)) {
            list.retain(|other| *other != id);
        }
        for other in &row.participants {
            if let Some(list) = self.by_participant.get_mut(&(owner, *other)) {
                list.remove(&id);
            }
        }
        true
    }

    /// Every entry with that person, groups included (facts 13.1 point 2).
    pub fn remove_with(&mut self, owner: Id, other: Id) {
        for id in self.by_participant.remove(&(owner, other)).unwrap_or_default() {
            self.remove(owner, id);
        }
    }

    /// A status is gone: entries lose it, and go with their last one.
    pub fn forget_status(&mut self, owner: Id, thread: Id, status: Id) {
        for id in self.by_thread.get(&(owner, thread)).cloned().unwrap_or_default() {
            let Some(mut row) = self.rows.get(&id).cloned().filter(|row| row.statuses.contains(&status))
            else {
                continue;
            };
            self.remove(owner, id);
            row.statuses.retain(|other| *other != status);
            self.insert(row);
        }
    }
}

/// Everybody's notifications.
#[derive(Clone, Debug, Default)]
pub struct Notifications {
    by_owner: HashMap<Id, BTreeMap<Id, Notification>>,
    by_sender: HashMap<(Id, Id), BTreeSet<Id>>,
}

impl Notifications {
    pub fn push(&mut self, row: Notification) {
        self.by_sender.entry((row.owner, row.from)).or_default().insert(row.id);
        self.by_owner.entry(row.owner).or_default().insert(row.id, row);
    }

    pub fn of(&self, owner: Id) -> impl DoubleEndedIterator<Item = &Notification> {
        self.by_owner.get(&owner).into_iter().flat_map(BTreeMap::values)
    }

    pub fn between(
        &self,
        owner: Id,
        range: std::ops::Range<Id>,
    ) -> impl DoubleEndedIterator<Item = &Notification> {
        self.by_owner
            .get(&owner)
            .into_iter()
            .flat_map(move |rows| rows.range(range.clone()))
            .map(|(_, row)| row)
    }

    pub fn from_between(
        &self,
        owner: Id,
        from: Id,
        range: std::ops::Range<Id>,
    ) -> impl DoubleEndedIterator<Item = &Notification> {
        self.by_sender
            .get(&(owner, from))
            .into_iter()
            .flat_map(move |ids| ids.range(range.clone()))
            .filter_map(move |id| self.get(owner, *id))
    }

    pub fn count(&self, owner: Id) -> usize {
        self.by_owner.get(&owner).map_or(0, BTreeMap::len)
    }

    pub fn get(&self, owner: Id, id: Id) -> Option<&Notification> {
        self.by_owner.get(&owner)?.get(&id)
    }

    /// All of them, to be changed in place; owner and sender must stay.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Notification> {
        self.by_owner.values_mut().flat_map(BTreeMap::values_mut)
    }

    pub fn waiting_from(&self, owner: Id, from: Id) -> Vec<Id> {
        self.from_between(owner, from, 0..Id::MAX).filter(|row| row.filtered).map(|row| row.id).collect()
    }

    /// Lets one through, and says which status it is about.
    pub fn let_through(&mut self, owner: Id, id: Id) -> Option<Id> {
        let row = self.by_owner.get_mut(&owner)?.get_mut(&id)?;
        row.filtered = false;
        row.status
    }

    pub fn remove(&mut self, owner: Id, id: Id) {
        let Some(row) = self.by_owner.get_mut(&owner).and_then(|rows| rows.remove(&id)) else { return };
        if let Some(ids) = self.by_sender.get_mut(&(owner, row.from)) {
            ids.remove(&id);
        }
    }

    pub fn remove_from(&mut self, owner: Id, from: Id) {
        for id in self.by_sender.remove(&(owner, from)).unwrap_or_default() {
            self.remove(owner, id);
        }
    }

    pub fn remove_about(&mut self, owner: Id, from: Id, status: Id) {
        let about: Vec<Id> = self
            .from_between(owner, from, 0..Id::MAX)
            .filter(|row| row.status == Some(status))
            .map(|row| row.id)
            .collect();
        for id in about {
            self.remove(owner, id);
        }
    }

    pub fn clear(&mut self, owner: Id) {
        self.by_owner.remove(&owner);
        self.by_sender.retain(|(of, _), _| *of != owner);
    }
}
