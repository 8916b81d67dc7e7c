//! Messages put together: into threads by what answers what, and threads into conversations by who takes part.
//!
//! Mastodon has no chats; it has posts that answer posts, each with readers of its own. What a person expects is what
//! messengers show, so:
//!
//! - A thread is what hangs together by answers, and **everything in it could be read by everybody among whom it began**. An
//!   answer that reaches more people stays where it is: somebody was brought in, and the message says so. An answer that leaves
//!   somebody out is a word aside: it begins a thread of its own, among those who can read it, and points to what it answers
//!   ([`Placed::elsewhere`]). If the same thread of answers already has a part among just these people, it goes there.
//! - A conversation is all threads that began among the same people. No page of it says anything that one of them was not told.
//! - A public post goes with the first message that answers it; other people's answers to it point there.
//!
//! Every message stands in exactly one place, and the order in which the messages are handed over changes nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::server::status::{self, Status};
use crate::small::{Names, Table, find, order, set};
use crate::when::Time;

/// What has to be known of every message to put them together: little enough to hold a hundred thousand of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The record's key, `m/URI`.
    pub key: String,
    pub id: String,
    pub at: Time,
    /// Index into the list of people that goes with the notes.
    pub author: u32,
    pub parent: Option<String>,
    /// The author of the parent as its server remembers it, even when the parent is deleted (facts 13.1, 4). Index into the
    /// list of people.
    pub parent_author: Option<u32>,
    /// Everybody who can read it, author and owner among them; indices into the list of people, ascending.
    pub readers: Vec<u32>,
    /// A post that is no direct message, kept because a message answers it.
    pub public: bool,
}

/// Messages among the same people. In order of its first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The others, without the owner; empty for notes to oneself.
    pub people: Vec<u32>,
    /// In order of their first messages.
    pub threads: Vec<Thread>,
    /// Direct messages by the owner, and by the others. Public posts are in neither.
    pub sent: usize,
    pub received: usize,
}

/// Messages that hang together by answers, oldest first; but never an answer before what it answers, whatever the clocks of
/// their servers said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub messages: Vec<Placed>,
}

/// A message in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into the notes.
    pub note: usize,
    /// The message it answers: index into this thread's messages, always a smaller one.
    pub answers: Option<usize>,
    /// The message it answers, where that stands in another thread.
    pub elsewhere: Option<Elsewhere>,
    pub joint: Joint,
}

/// A message in another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Index into the notes.
    pub note: usize,
    /// Index into the conversations.
    pub conversation: usize,
}

/// How a message is joined to what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// It answers a message that is here, or its server knows of none that it answers. The latter is said of answers too
    /// that arrived from another server before what they answer did (facts 13.1, 5): nothing tells them from beginnings.
    Whole,
    /// It answered a message that is gone (deleted, or never readable for us); that it belongs into this thread is shown by
    /// who it answered, among the same people, with no other thread that it could belong to.
    Mended,
    /// It answered a message that is gone, and where it belongs is not known.
    Cut,
}

/// Everybody met in the messages, each once.
#[derive(Clone, Debug, Default)]
pub struct People {
    list: Vec<status::Person>,
    by_handle: Names,
    by_id: Names,
}

impl People {
    /// The owner is the first of the list, 0.
    pub fn new(owner: status::Person) -> People {
        let mut people = People::default();
        people.meet(&owner);
        people
    }

    /// The index of a person. Whoever comes with more than was known before is known by that from then on.
    pub fn meet(&mut self, person: &status::Person) -> u32 {
        let handle = person.handle.to_lowercase();
        let known = self.by_handle.get(&handle).or_else(|| {
            // Somebody of whom nothing but the id was known.
            let at = self.by_id.get(&person.id)?;
            self.list.get(at).filter(|who| who.handle.is_empty()).map(|_| at)
        });
        let at = match known {
            Some(at) => at,
            None => self.add(person.clone()),
        };
        if let Some(who) = self.list.get_mut(at) {
            if who.handle.is_empty() {
                *who = person.clone();
            }
            for (mine, theirs) in [(&mut who.name, &person.name), (&mut who.url, &person.url)] {
                if mine.is_empty() {
                    mine.clone_from(theirs);
                }
            }
            if who.uri.is_none() {
                who.uri.clone_from(&person.uri);
            }
            who.posts = who.posts.max(person.posts);
        }
        self.by_handle.get_or_put(&handle, at);
        self.by_id.get_or_put(&person.id, at);
        at as u32
    }

    /// Somebody of whom only the id is known: without handle and name, until they are met.
    fn meet_id(&mut self, id: &str) -> u32 {
        if let Some(at) = self.by_id.get(id) {
            return at as u32;
        }
        let at = self.add(status::Person {
            id: id.to_owned(),
            handle: String::new(),
            name: String::new(),
            url: String::new(),
            uri: None,
            posts: None,
        });
        self.by_id.put(id, at);
        at as u32
    }

    fn add(&mut self, person: status::Person) -> usize {
        self.list.push(person);
        self.list.len() - 1
    }

    /// What is kept in mind of a status. `key` is that of its record.
    pub fn note(&mut self, key: &str, status: &Status) -> Note {
        let author = self.meet(&status.author);
        let mut readers: Vec<u32> = status.mentions.iter().map(|who| self.meet(who)).collect();
        readers.push(author);
        Note {
            key: key.to_owned(),
            id: status.id.clone(),
            at: status.at,
            author,
            parent: status.parent.clone(),
            parent_author: status.parent_author.as_deref().map(|id| self.meet_id(id)),
            readers: set(readers),
            public: !status.direct,
        }
    }

    pub fn list(&self) -> &[status::Person] {
        &self.list
    }
}

/// Puts messages together. The same for any order of `notes`, but for the indices.
pub fn put_together(notes: &[Note], owner: u32) -> Vec<Conversation> {
    let by_rank = ranked(notes);
    let parents = parents(notes, &by_rank);
    let order = unrolled(&by_rank, &parents);
    let mut sets = Sets::default();
    let set_of: Vec<usize> = notes.iter().map(|note| sets.of(note, owner)).collect();
    let mut parts = Parts::new(notes.len());
    for &at in &order {
        parts.place(at, parents[at], notes[at].public, set_of[at], &sets);
    }
    // Threads of public posts alone: among whoever the first of them speaks to.
    for &at in &order {
        let home = &mut parts.home[parts.thread[at]];
        *home = home.or(Some(set_of[at]));
    }
    let joints = mend(notes, &by_rank, &parents, &set_of, &mut parts);

    let mut conversations: Vec<Conversation> = Vec::new();
    let mut conversation_of: Vec<Option<usize>> = vec![None; sets.lists.len()];
    let mut place_of: Vec<Option<(usize, usize)>> = vec![None; notes.len()];
    let (mut position, mut conversation_at) = (vec![0; notes.len()], vec![0; notes.len()]);
    for &at in &order {
        let thread = parts.find(parts.thread[at]);
        let home = parts.home[thread].unwrap_or(set_of[at]);
        let (conversation, place) = *place_of[thread].get_or_insert_with(|| {
            let conversation = *conversation_of[home].get_or_insert_with(|| {
                let people = sets.lists[home].clone();
                conversations.push(Conversation { people, threads: Vec::new(), sent: 0, received: 0 });
                conversations.len() - 1
            });
            let threads = &mut conversations[conversation].threads;
            threads.push(Thread { messages: Vec::new() });
            (conversation, threads.len() - 1)
        });
        let parent = parents[at];
        let here = parent.filter(|parent| parts.find(parts.thread[*parent]) == thread);
        conversation_at[at] = conversation;
        let conversation = &mut conversations[conversation];
        match (notes[at].public, notes[at].author == owner) {
            (true, _) => {}
            (false, true) => conversation.sent += 1,
            (false, false) => conversation.received += 1,
        }
        let messages = &mut conversation.threads[place].messages;
        position[at] = messages.len();
        messages.push(Placed {
            note: at,
            answers: here.map(|parent| position[parent]),
            elsewhere: parent
                .filter(|_| here.is_none())
                .map(|note| Elsewhere { note, conversation: conversation_at[note] }),
            joint: joints[at],
        });
    }
    conversations
}

/// By time; where that is the same, by everything else, so that the order is always the same.
fn ranked(notes: &[Note]) -> Vec<usize> {
    order(notes.len(), &|a, b| {
        let (a, b) = (&notes[a], &notes[b]);
        // Ids are numbers that grow, written without leading zeros.
        (a.at, a.id.len(), &a.id, &a.key)
            .cmp(&(b.at, b.id.len(), &b.id, &b.key))
            .then_with(|| (a.author, &a.parent, a.parent_author).cmp(&(b.author, &b.parent, b.parent_author)))
            .then_with(|| (&a.readers, a.public).cmp(&(&b.readers, b.public)))
    })
}

/// What each note answers, as far as it is here. Where answers go round in a circle, which only a lying server can make,
/// the earliest message of the circle answers nothing.
fn parents(notes: &[Note], by_rank: &[usize]) -> Vec<Option<usize>> {
    // By id; of those with the same, the first by rank, as what is equal stays as it stood.
    let mut by_id = order(notes.len(), &|a, b| notes[by_rank[a]].id.cmp(&notes[by_rank[b]].id));
    for place in &mut by_id {
        *place = by_rank[*place];
    }
    by_id.dedup_by(|later, first| notes[*later].id == notes[*first].id);
    let mut parents = Vec::with_capacity(notes.len());
    for (at, note) in notes.iter().enumerate() {
        let parent = note.parent.as_ref().and_then(|parent| {
            find(by_id.len(), &|place| notes[by_id[place]].id.cmp(parent)).map(|place| by_id[place])
        });
        parents.push(parent.filter(|parent| *parent != at));
    }
    let mut rank = vec![0; notes.len()];
    for (place, &at) in by_rank.iter().enumerate() {
        rank[at] = place;
    }
    // On which walk a note was met: each is met once, and a walk that meets itself has found a circle.
    let mut met = vec![usize::MAX; notes.len()];
    for start in 0..notes.len() {
        let mut at = start;
        while met[at] == usize::MAX {
            met[at] = start;
            match parents[at] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        if met[at] != start || parents[at].is_none() {
            continue;
        }
        let (mut first, mut next) = (at, parents[at]);
        while let Some(now) = next.filter(|now| *now != at) {
            if rank[now] < rank[first] {
                first = now;
            }
            next = parents[now];
        }
        parents[first] = None;
    }
    parents
}

/// All notes by time, but none before what it answers.
fn unrolled(by_rank: &[usize], parents: &[Option<usize>]) -> Vec<usize> {
    let mut rank = vec![0; by_rank.len()];
    for (place, &at) in by_rank.iter().enumerate() {
        rank[at] = place;
    }
    let (mut first_answer, mut next_answer) = (vec![None; parents.len()], vec![None; parents.len()]);
    let mut ready = BinaryHeap::new();
    for &at in by_rank {
        match parents[at] {
            None => ready.push(Reverse(rank[at])),
            Some(parent) => {
                next_answer[at] = first_answer[parent];
                first_answer[parent] = Some(at);
            }
        }
    }
    let mut order = Vec::with_capacity(by_rank.len());
    while let Some(Reverse(place)) = ready.pop() {
        let at = by_rank[place];
        order.push(at);
        let mut answer = first_answer[at];
        while let Some(now) = answer {
            ready.push(Reverse(rank[now]));
            answer = next_answer[now];
        }
    }
    order
}

/// Sets of people, each once, without the owner.
#[derive(Default)]
struct Sets {
    lists: Vec<Vec<u32>>,
    /// By the numbers of the people, as a text.
    known: Names,
}

impl Sets {
    fn of(&mut self, note: &Note, owner: u32) -> usize {
        let people = set(note.readers.iter().copied().filter(|who| *who != owner).collect());
        let mut name = String::new();
        for who in &people {
            name.push_str(&who.to_string());
            name.push(' ');
        }
        let at = self.known.get_or_put(&name, self.lists.len());
        if at == self.lists.len() {
            self.lists.push(people);
        }
        at
    }

    /// Whether everybody of `few` is among `many`.
    fn holds(&self, many: usize, few: usize) -> bool {
        let (many, few) = (&self.lists[many], &self.lists[few]);
        let mut rest = many.iter();
        many.len() >= few.len() && few.iter().all(|who| rest.any(|other| other == who))
    }
}

/// Threads in the making.
struct Parts {
    /// The thread of each note, and where the answers that led to it began.
    thread: Vec<usize>,
    root: Vec<usize>,
    /// Of each thread: among whom it began (unknown while there are only public posts), and the thread it was mended to.
    home: Vec<Option<usize>>,
    up: Vec<usize>,
    /// The threads of everything that hangs together, by where it began and among whom ([`pair`]).
    asides: Names,
}

impl Parts {
    fn new(notes: usize) -> Parts {
        Parts {
            thread: vec![0; notes],
            root: vec![0; notes],
            home: Vec::new(),
            up: Vec::new(),
            asides: Names::default(),
        }
    }

    /// Puts a note into a thread. What it answers was put before.
    fn place(&mut self, at: usize, parent: Option<usize>, public: bool, set: usize, sets: &Sets) {
        let root = parent.map_or(at, |parent| self.root[parent]);
        self.root[at] = root;
        let above = parent.map(|parent| self.thread[parent]);
        let aside = pair(root, set);
        let known = self.asides.get(&aside);
        let stays = |thread: &usize| match self.home[*thread] {
            _ if public => true,
            None => true,
            Some(home) => home == set || (known.is_none() && sets.holds(set, home)),
        };
        let thread = above.filter(stays).or(known.filter(|_| !public)).unwrap_or_else(|| {
            self.home.push(None);
            self.up.push(self.up.len());
            self.up.len() - 1
        });
        self.thread[at] = thread;
        if !public && self.home[thread].is_none() {
            self.home[thread] = Some(set);
            self.asides.get_or_put(&aside, thread);
        }
    }

    /// The thread that a thread has become part of.
    fn find(&mut self, mut thread: usize) -> usize {
        while self.up[thread] != thread {
            self.up[thread] = self.up[self.up[thread]];
            thread = self.up[thread];
        }
        thread
    }
}

/// Two numbers as a name.
fn pair(one: usize, other: usize) -> String {
    format!("{one} {other}")
}

/// Joins what was cut, where it is clear to what.
///
/// An answer whose parent is gone still names the parent's author. If that person had written, among exactly the same
/// people and before, in one thread and no other, then the parent stood there. If there are several such threads, or none,
/// nothing is claimed.
fn mend(
    notes: &[Note],
    by_rank: &[usize],
    parents: &[Option<usize>],
    set_of: &[usize],
    parts: &mut Parts,
) -> Vec<Joint> {
    let mut joints = vec![Joint::Whole; notes.len()];
    // In which threads somebody has written so far, among whom.
    let mut wrote: Table<Vec<usize>> = Table::default();
    for same_time in by_rank.chunk_by(|a, b| notes[*a].at == notes[*b].at) {
        for &at in same_time {
            let note = &notes[at];
            if parents[at].is_some() || (note.parent.is_none() && note.parent_author.is_none()) {
                continue;
            }
            joints[at] = Joint::Cut;
            let own = parts.find(parts.thread[at]);
            let found = note.parent_author.filter(|_| !note.public).and_then(|author| {
                let threads = wrote.get_mut(&pair(set_of[at], author as usize))?;
                only_one(threads, own, parts)
            });
            if let Some(thread) = found {
                parts.up[own] = thread;
                joints[at] = Joint::Mended;
            }
        }
        for &at in same_time {
            let thread = parts.thread[at];
            if !notes[at].public && parts.home[thread] == Some(set_of[at]) {
                let threads = wrote.entry(&pair(set_of[at], notes[at].author as usize));
                if threads.last() != Some(&thread) {
                    threads.push(thread);
                }
            }
        }
    }
    joints
}

/// The one thread in a list, `own` aside. Forgets what is in the list twice, so that nothing is looked at again and again.
fn only_one(threads: &mut Vec<usize>, own: usize, parts: &mut Parts) -> Option<usize> {
    let (mut found, mut own_seen, mut at) = (None, false, 0);
    while let Some(&thread) = threads.get(at) {
        let thread = parts.find(thread);
        if thread == own && !own_seen {
            own_seen = true;
            at += 1;
        } else if found.is_none() && thread != own {
            found = Some(thread);
            at += 1;
        } else if thread == own || found == Some(thread) {
            threads.swap_remove(at);
        } else {
            return None;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Its number is its id and its time; 0 is the owner and reads everything.
    fn note(id: u64, author: u32, readers: &[u32], parent: Option<u64>) -> Note {
        let mut all: Vec<u32> = readers.iter().copied().chain([author, 0]).collect();
        all.sort_unstable();
        all.dedup();
        Note {
            key: format!("m/https://a/{id}"),
            id: id.to_string(),
            at: Time(i64::try_from(id).unwrap() * 1_000),
            author,
            parent: parent.map(|id| id.to_string()),
            parent_author: None,
            readers: all,
            public: false,
        }
    }

    /// The conversations by their people, with the ids in each thread.
    fn ids(notes: &[Note]) -> Vec<(Vec<u32>, Vec<Vec<&str>>)> {
        let threads = |conversation: &Conversation| {
            let ids = |thread: &Thread| thread.messages.iter().map(|m| notes[m.note].id.as_str()).collect();
            conversation.threads.iter().map(ids).collect()
        };
        put_together(notes, 0).iter().map(|c| (c.people.clone(), threads(c))).collect()
    }

    fn placed(notes: &[Note], id: &str) -> Placed {
        let all = put_together(notes, 0);
        all.into_iter()
            .flat_map(|c| c.threads)
            .flat_map(|t| t.messages)
            .find(|m| notes[m.note].id == id)
            .unwrap()
    }

    #[test]
    fn answers_make_a_thread_and_the_same_people_a_conversation() {
        let notes = [
            note(5, 0, &[2], None),
            note(2, 1, &[], Some(1)),
            note(1, 0, &[1], None),
            note(3, 0, &[1], Some(1)),
            note(4, 0, &[1], None),
            note(6, 0, &[], None),
        ];
        assert_eq!(
            ids(&notes),
            [
                (vec![1], vec![vec!["1", "2", "3"], vec!["4"]]),
                (vec![2], vec![vec!["5"]]),
                (vec![], vec![vec!["6"]])
            ]
        );
        let first = &put_together(&notes, 0)[0];
        assert_eq!((first.sent, first.received), (3, 1));
        assert_eq!(first.threads[0].messages[2].answers, Some(0));
    }

    #[test]
    fn who_is_brought_in_reads_on_and_who_is_left_out_is_shown_nothing() {
        let notes = [
            note(1, 1, &[], None),
            note(2, 0, &[1, 2], Some(1)),
            note(3, 1, &[], Some(2)),
            note(4, 2, &[1], Some(2)),
            // Aside, to the owner alone; and on with it.
            note(5, 2, &[], Some(4)),
            note(6, 0, &[2], Some(5)),
            // Back among all.
            note(7, 0, &[1, 2], Some(6)),
        ];
        assert_eq!(
            ids(&notes),
            [(vec![1], vec![vec!["1", "2", "3", "4"]]), (vec![2], vec![vec!["5", "6", "7"]])]
        );
        assert_eq!(placed(&notes, "5").elsewhere, Some(Elsewhere { note: 3, conversation: 0 }));
        assert_eq!(placed(&notes, "5").joint, Joint::Whole);
    }

    #[test]
    fn what_comes_back_among_the_people_of_a_thread_comes_back_to_it() {
        let notes = [
            note(1, 0, &[1, 2], None),
            note(2, 1, &[], Some(1)),
            note(3, 2, &[], Some(1)),
            note(4, 0, &[1, 2], Some(2)),
            note(5, 1, &[], Some(4)),
        ];
        let aside = (vec![1], vec![vec!["2", "5"]]);
        assert_eq!(ids(&notes), [(vec![1, 2], vec![vec!["1", "4"]]), aside, (vec![2], vec![vec!["3"]])]);
        assert_eq!(placed(&notes, "4").elsewhere, Some(Elsewhere { note: 1, conversation: 1 }));
    }

    #[test]
    fn a_public_post_goes_with_its_first_answer_and_joins_nobody_to_strangers() {
        let public = |mut note: Note| {
            note.public = true;
            note
        };
        let notes = [
            public(note(1, 0, &[7], None)),
            public(note(2, 0, &[], Some(1))),
            note(3, 1, &[], Some(2)),
            note(4, 2, &[], Some(1)),
            public(note(5, 0, &[9], None)),
        ];
        assert_eq!(
            ids(&notes),
            [(vec![1], vec![vec!["1", "2", "3"]]), (vec![2], vec![vec!["4"]]), (vec![9], vec![vec!["5"]])]
        );
        assert_eq!(placed(&notes, "4").elsewhere, Some(Elsewhere { note: 0, conversation: 0 }));
        assert_eq!(put_together(&notes, 0)[0].sent, 0);
    }

    fn lost(mut note: Note, parent_author: u32) -> Note {
        note.parent_author = Some(parent_author);
        note
    }

    #[test]
    fn what_was_cut_is_mended_where_it_is_clear_and_nowhere_else() {
        let start = || vec![note(1, 1, &[], None), note(2, 0, &[1], Some(1))];
        let with = |more: Vec<Note>| start().into_iter().chain(more).collect::<Vec<_>>();
        let joint = |notes: &[Note]| placed(notes, "9").joint;

        let mended = with(vec![lost(note(9, 0, &[1], None), 1), note(10, 1, &[], Some(9))]);
        assert_eq!(joint(&mended), Joint::Mended);
        assert_eq!(ids(&mended), [(vec![1], vec![vec!["1", "2", "9", "10"]])]);

        // Cut twice: the second is joined to what the first was joined to.
        let twice = with(vec![lost(note(5, 1, &[], None), 0), lost(note(9, 0, &[1], None), 1)]);
        assert_eq!(ids(&twice), [(vec![1], vec![vec!["1", "2", "5", "9"]])]);

        let unclear = [
            // Two threads.
            with(vec![note(3, 1, &[], None), lost(note(9, 0, &[1], None), 1)]),
            // Other people.
            with(vec![lost(note(9, 0, &[1, 2], None), 1)]),
            // Somebody who has not written here, or only later.
            with(vec![lost(note(9, 0, &[1], None), 3)]),
            vec![lost(note(9, 0, &[1], None), 1), note(10, 1, &[], None)],
            // Nobody is named.
            with(vec![note(9, 0, &[1], Some(4))]),
        ];
        for notes in unclear {
            assert_eq!(joint(&notes), Joint::Cut, "{notes:?}");
        }
        assert_eq!(joint(&with(vec![note(9, 0, &[1], None)])), Joint::Whole);
    }

    #[test]
    fn an_answer_stands_behind_what_it_answers_whatever_the_clocks_say() {
        let mut early = note(2, 1, &[], Some(1));
        early.at = Time(-5);
        let notes = [note(1, 0, &[1], None), early, note(3, 0, &[1], Some(2))];
        assert_eq!(ids(&notes), [(vec![1], vec![vec!["1", "2", "3"]])]);
    }

    #[test]
    fn circles_are_cut_open_at_their_earliest_message() {
        let notes = [note(1, 0, &[1], Some(3)), note(2, 1, &[], Some(1)), note(3, 0, &[1], Some(2))];
        assert_eq!(ids(&notes), [(vec![1], vec![vec!["1", "2", "3"]])]);
        assert_eq!(placed(&notes, "1").joint, Joint::Cut);
        assert_eq!(ids(&[note(1, 0, &[1], Some(1))]), [(vec![1], vec![vec!["1"]])]);
    }

    #[test]
    fn a_hundred_thousand_messages_take_no_time() {
        // One long chain, one wide fan, many that were cut, and a word aside at every step.
        let chain = (1..25_000).map(|id| note(id, 1, &[], (id > 1).then(|| id - 1)));
        let fan = (25_000..50_000).map(|id| note(id, 1, &[2], Some(24_999)));
        let cut = (50_000..75_000).map(|id| lost(note(id, 3, &[], None), if id % 3 == 0 { 0 } else { 3 }));
        let asides = (75_000..100_000).map(|id| note(id, 4, &[u32::try_from(id).unwrap()], Some(id - 1)));
        let notes: Vec<Note> = chain.chain(fan).chain(cut).chain(asides).collect();
        let all = put_together(&notes, 0);
        let count: usize = all.iter().flat_map(|c| &c.threads).map(|t| t.messages.len()).sum();
        assert_eq!(count, notes.len());
    }

    #[test]
    fn people_are_known_by_their_handle_and_by_their_id() {
        let person = |id: &str, handle: &str, name: &str| status::Person {
            id: id.into(),
            handle: handle.into(),
            name: name.into(),
            url: String::new(),
            uri: None,
            posts: None,
        };
        let mut people = People::new(person("1", "ana@old.example", "Ana"));
        let unknown = people.meet_id("5");
        assert_eq!(people.meet(&person("2", "ben@new.example", "")), 2);
        assert_eq!(people.meet(&person("2", "Ben@new.example", "Ben")), 2);
        assert_eq!(people.meet(&person("5", "cy@old.example", "Cy")), unknown);
        assert_eq!(people.meet_id("2"), 2);
        let names: Vec<&str> = people.list().iter().map(|who| who.name.as_str()).collect();
        assert_eq!(names, ["Ana", "Cy", "Ben"]);
    }

    fn any_note() -> impl Strategy<Value = Note> {
        let readers = prop::collection::vec(0u32..4, 0..3);
        let parent = prop::option::of(0u64..12);
        (0u64..12, 0i64..8, 0u32..4, readers, parent, prop::option::of(0u32..4), any::<bool>()).prop_map(
            |(id, at, author, readers, parent, parent_author, public)| Note {
                at: Time(at),
                parent_author,
                public: public && id % 3 == 0,
                ..note(id, author, &readers, parent)
            },
        )
    }

    /// What was put together, with the notes themselves in place of their indices.
    fn shape(notes: &[Note]) -> impl PartialEq + std::fmt::Debug {
        put_together(notes, 0)
            .into_iter()
            .map(|c| {
                let placed = |m: Placed| {
                    let elsewhere = m.elsewhere.map(|at| (notes[at.note].clone(), at.conversation));
                    (notes[m.note].clone(), m.answers, elsewhere, m.joint)
                };
                let threads: Vec<Vec<_>> =
                    c.threads.into_iter().map(|t| t.messages.into_iter().map(placed).collect()).collect();
                (c.people, c.sent, c.received, threads)
            })
            .collect::<Vec<_>>()
    }

    proptest! {
        #[test]
        fn every_note_stands_in_one_place_where_all_could_read_it(notes in prop::collection::vec(any_note(), 0..24)) {
            let all = put_together(&notes, 0);
            let mut seen = vec![0; notes.len()];
            for conversation in &all {
                prop_assert!(!conversation.threads.is_empty());
                for thread in &conversation.threads {
                    for (at, message) in thread.messages.iter().enumerate() {
                        seen[message.note] += 1;
                        prop_assert!(message.answers.is_none_or(|answered| answered < at));
                        prop_assert!(message.answers.is_none() || message.elsewhere.is_none());
                        let note = &notes[message.note];
                        let told = conversation.people.iter().all(|who| note.readers.contains(who));
                        prop_assert!(told || note.public, "{note:?} among {:?}", conversation.people);
                    }
                    prop_assert!(!thread.messages.is_empty());
                }
            }
            prop_assert!(seen.iter().all(|count| *count == 1), "{seen:?}");
            let mut people: Vec<_> = all.iter().map(|c| &c.people).collect();
            people.sort();
            people.dedup();
            prop_assert_eq!(people.len(), all.len(), "two conversations among the same people");
        }

        #[test]
        fn the_order_of_the_notes_does_not_matter(
            (notes, mixed) in prop::collection::vec(any_note(), 0..24)
                .prop_flat_map(|notes| (Just(notes.clone()), Just(notes).prop_shuffle())),
        ) {
            prop_assert_eq!(shape(&notes), shape(&mixed));
        }
    }
}
