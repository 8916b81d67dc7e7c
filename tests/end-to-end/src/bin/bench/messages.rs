//! The save of messages without a browser, by the driver of the native tests: how few requests it takes, how near it comes
//! to what a server's limits allow, and whether it ends the same after any interruption.

#[path = "../../../../common/mod.rs"]
pub mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use common::saving::{Keeper, Talk, Trouble};
use packed_trunk::job::budget::is_page;
use packed_trunk::message::record::{ABOUT, STATUS};
use stand_in::clock::{DAY, MINUTE, SECOND};
use stand_in::state::Visibility;
use stand_in::{Control, Options, Shape, Side, social};

use crate::Measure;

pub const MESSAGES: usize = 100_000;
pub const CONVERSATIONS: usize = 5_000;
pub const USER: &str = "lara";
/// What a page of statuses or conversations holds at most, and one of people.
const PAGE: usize = 40;
const PEOPLE_PAGE: usize = 80;
/// Mastodon's limits: calls in five minutes, and pages in a quarter of an hour.
const ALLOWED: usize = 300;
const FIVE_MINUTES: i64 = 5 * MINUTE;
const QUARTER: i64 = 15 * MINUTE;

/// The fewest requests that can show that nothing is missing.
#[derive(Debug, Default)]
struct Least {
    own: usize,
    people: usize,
    listings: usize,
    conversations: usize,
    lists: usize,
    /// Of these, empty pages behind an exactly full last one.
    empty: usize,
}

impl Least {
    fn all(&self) -> usize {
        self.own + self.listings + self.conversations + self.lists
    }
}

/// A server promises a next page behind every full one, and an exactly full last page is followed by an empty one
/// (facts 13.1, 6): only asking for it shows that there is no more.
fn pages(count: usize, page: usize) -> usize {
    count / page + 1
}

fn is_followed_by_nothing(count: usize, page: usize) -> bool {
    count > 0 && count.is_multiple_of(page)
}

/// From the server's tables, not from what the job found.
fn least(control: &Control, asked: &[String]) -> Least {
    control.with_world(|world| {
        let server = world.server(Side::Old);
        let owner = server
            .accounts
            .values()
            .find(|account| account.is_local() && account.username == USER)
            .expect("the owner")
            .id;
        // Everybody with whom there is a message, and how many posts of theirs the owner can read.
        let direct = server.statuses.values().filter(|status| status.visibility == Visibility::Direct);
        let people: BTreeSet<u64> = direct
            .filter(|status| social::may_read(server, status, Some(owner)))
            .flat_map(|status| status.mentions.iter().copied().chain([status.author]))
            .filter(|id| *id != owner)
            .collect();
        let readable = |author: u64| {
            let all = server.by_author.get(&author).into_iter().flatten();
            all.filter_map(|id| server.statuses.get(id))
                .filter(|status| social::may_read(server, status, Some(owner)))
                .count()
        };
        let read = |list: &str| asked.iter().any(|path| path.contains(list));
        let follows = |from: bool| {
            let is_owners = |follow: &&stand_in::state::Follow| {
                if from { follow.from == owner } else { follow.to == owner }
            };
            pages(server.follows.iter().filter(is_owners).count(), PEOPLE_PAGE)
        };
        let following = if read("/following") { follows(true) } else { 0 };
        let followers = if read("/followers") { follows(false) } else { 0 };
        let own = readable(owner);
        let listings: Vec<usize> = people.iter().map(|id| readable(*id)).collect();
        let conversations = server.conversations.count(owner);
        let all = listings.iter().copied().chain([own, conversations]);
        Least {
            own: pages(own, PAGE),
            people: people.len(),
            listings: listings.iter().map(|count| pages(*count, PAGE)).sum(),
            conversations: pages(conversations, PAGE),
            lists: 3 + following + followers,
            empty: all.filter(|count| is_followed_by_nothing(*count, PAGE)).count(),
        }
    })
}

/// The least time in milliseconds in which so many requests get through, of which so many are pages. Windows are aligned to
/// the clock, and asking itself takes no time. Pages first: theirs is the tighter limit.
fn least_time(begun: i64, calls: usize, pages: usize) -> i64 {
    let (mut pages_left, mut others_left) = (pages, calls - pages);
    let mut now = begun;
    let (mut quarter, mut quarter_left) = (now.div_euclid(QUARTER), ALLOWED);
    loop {
        if now.div_euclid(QUARTER) != quarter {
            (quarter, quarter_left) = (now.div_euclid(QUARTER), ALLOWED);
        }
        let some = pages_left.min(quarter_left);
        pages_left -= some;
        quarter_left -= some;
        others_left -= others_left.min(ALLOWED - some);
        if pages_left + others_left == 0 {
            return now - begun;
        }
        now = (now.div_euclid(FIVE_MINUTES) + 1) * FIVE_MINUTES;
    }
}

#[allow(clippy::cast_precision_loss)]
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other as f64
}

/// Gives [`USER`] so many messages.
pub fn correspondence(control: &Control, messages: usize, conversations: usize) {
    control.correspondence(Side::Old, USER, Shape::Large { messages, conversations });
    control.with_world(|world| {
        // The messages go back 700 days, and nothing is addressed to an account that is not there yet: the job stops there.
        let long_ago = world.now() - 800 * DAY;
        let accounts = &mut world.server_mut(Side::Old).accounts;
        let owner = accounts.find(USER, None).expect("the owner");
        accounts.get_mut(&owner).expect("the owner").created_at = long_ago;
    });
}

#[allow(clippy::cast_precision_loss)]
pub fn large() -> Vec<Measure> {
    let control = stand_in::indoors(Options::default());
    correspondence(&control, MESSAGES, CONVERSATIONS);
    // A quarter of an hour begins, so that the figure is the same whenever it is measured.
    control.with_world(|world| {
        let now = world.now();
        world.clock_offset += QUARTER - now.rem_euclid(QUARTER);
    });
    let talk = Talk::with(control, USER);
    let (begun, started) = (talk.now(), Instant::now());
    let mut keeper = Keeper::default();
    talk.run(&mut keeper, false);
    let (took, machine) = (talk.now().since(begun), started.elapsed().as_secs());

    let truth = talk.control.oracle(Side::Old, USER);
    let found = truth
        .iter()
        .filter(|message| keeper.records.contains_key(&format!("{STATUS}{}", message.uri)))
        .count();
    let failed = (found != MESSAGES || truth.len() != MESSAGES)
        .then(|| format!("{found} of {MESSAGES} messages were found"));

    let asked = talk.paths();
    let paged = asked.iter().filter(|path| is_page(path)).count();
    let least = least(&talk.control, &asked);
    let requests = Measure {
        value: ratio(asked.len(), least.all()),
        unit: "ratio",
        bound: Some(1.05),
        failed: failed.clone(),
        ..Measure::new(
            "messages_requests_over_minimum",
            format!(
                "{} API requests for {found} messages in {CONVERSATIONS} conversations with {} people (in process, \
                 limits on), divided by the fewest that can show that nothing is missing, {}: the owner's posts in \
                 pages of {PAGE} ({}), what each of the others wrote in pages of {PAGE} ({}), the conversation list \
                 in pages of {PAGE} ({}), one page each of notification requests, mutes and blocks ({}); among them {} \
                 empty pages behind exactly full ones, without which nobody knows that the end is reached (not \
                 counting those: {:.3}). {machine} s of machine time",
                asked.len(),
                least.people,
                least.all(),
                least.own,
                least.listings,
                least.conversations,
                least.lists,
                least.empty,
                ratio(asked.len(), least.all() - least.empty),
            ),
        )
    };
    let shortest = least_time(begun.0, asked.len(), paged);
    let time = Measure {
        value: took as f64 / shortest as f64,
        unit: "ratio",
        bound: Some(1.05),
        failed,
        ..Measure::new(
            "messages_time_over_limit",
            format!(
                "simulated time of the same run, {} s, divided by the least time in which {ALLOWED} calls in 5 minutes \
                 and {ALLOWED} pages in 15 minutes, in windows aligned to the clock, let {} calls through of which \
                 {paged} are pages, {} s; begun at the beginning of a window of 15 minutes",
                took / SECOND,
                asked.len(),
                shortest / SECOND,
            ),
        )
    };
    vec![requests, time]
}

/// Records without the times of the save itself.
fn records(keeper: &Keeper) -> BTreeMap<&str, &str> {
    let all = keeper.records.iter().filter(|(key, _)| *key != ABOUT);
    all.map(|(key, text)| (key.as_str(), text.as_str())).collect()
}

/// More steps than any save of this account has.
const STEPS: usize = 10_000;

/// A save that is struck at one request and whose every memory is lost there; `None`: it did not end.
fn interrupted(talk: &Talk, at: usize, trouble: Trouble) -> Option<Keeper> {
    *talk.trouble.borrow_mut() = Some((at, trouble));
    let mut keeper = Keeper::default();
    let mut save = talk.save(&mut keeper, false);
    let mut killed = false;
    for _ in 0..STEPS {
        let stopped = talk.step(&mut save, &mut keeper);
        if stopped.is_some() {
            if trouble != Trouble::SignedOut {
                return None;
            }
            talk.sign_in_again();
            save.go_on();
        }
        if !killed && talk.asked() >= at {
            killed = true;
            if trouble == Trouble::SignedOut {
                talk.sign_in_again();
            }
            save = talk.save(&mut keeper, false);
        }
        if save.work.is_done() {
            return Some(keeper);
        }
    }
    None
}

const TROUBLES: [Trouble; 6] = [
    Trouble::Lost,
    Trouble::LostAfter,
    Trouble::TooMany,
    Trouble::TooManyWithoutHeader,
    Trouble::Unavailable,
    Trouble::SignedOut,
];

/// How many requests a save of the measured account takes, how many of them were struck, and which ended otherwise; every
/// `step`th request, beginning with `first`.
fn struck(first: usize, step: usize) -> (usize, usize, Vec<String>) {
    let talk = Talk::new(Options::default(), "mia");
    let start = talk.control.with_world(|world| world.clock_offset);
    let reset = || {
        talk.control.with_world(|world| {
            world.clock_offset = start;
            world.server_mut(Side::Old).rate = Default::default();
        });
        talk.sign_in_again();
        talk.forget_paths();
        *talk.trouble.borrow_mut() = None;
    };
    // Once before, so that the server's own cache of remote files is as it will be.
    talk.run(&mut Keeper::default(), false);
    reset();
    let mut whole = Keeper::default();
    talk.run(&mut whole, false);
    let requests = talk.asked();
    let (mut points, mut mismatches) = (0, Vec::new());
    for trouble in TROUBLES {
        for at in (first..=requests).step_by(step) {
            reset();
            points += 1;
            let ended = catch_unwind(AssertUnwindSafe(|| interrupted(&talk, at, trouble))).ok().flatten();
            let same =
                ended.is_some_and(|kept| records(&kept) == records(&whole) && kept.files == whole.files);
            if !same || talk.asked() > requests + 1 {
                mismatches.push(format!("{trouble:?} at {at}"));
            }
        }
    }
    (requests, points, mismatches)
}

#[allow(clippy::cast_precision_loss)]
pub fn interruptions() -> Vec<Measure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let work: Vec<_> =
        (1..=threads).map(|first| std::thread::spawn(move || struck(first, threads))).collect();
    let done: Vec<_> = work.into_iter().map(|thread| thread.join().expect("a thread ends")).collect();
    let requests = done.first().map_or(0, |(requests, ..)| *requests);
    let points: usize = done.iter().map(|(_, points, _)| points).sum();
    let mismatches: Vec<&str> = done.iter().flat_map(|(.., which)| which).map(String::as_str).collect();
    let how = format!(
        "{} troubles (no answer, an answer lost after the server has acted, 429 with and without its header, 503, the \
         session ended) at each of the {requests} requests of an account of 571 messages, everything in memory lost at \
         the same moment",
        TROUBLES.len()
    );
    let mut which = mismatches.join(", ");
    if !which.is_empty() {
        which.insert_str(0, ": ");
    }
    let failed = (points != TROUBLES.len() * requests).then(|| "not every request was tried".to_owned());
    vec![
        Measure { value: points as f64, failed, ..Measure::new("interrupt_points", how) },
        Measure {
            value: mismatches.len() as f64,
            bound: Some(0.0),
            ..Measure::new(
                "interrupt_mismatches",
                format!(
                    "of these, ended with other records or files than the save that nothing interrupts, or with more \
                     than one request repeated{which}"
                ),
            )
        },
    ]
}
