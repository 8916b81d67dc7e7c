//! The rate budget: a server's limits used to the full and not hit.
//!
//! Mastodon counts in windows that begin at multiples of their length (facts 7, "Rate limits"): 300 API calls in 5 minutes
//! a token (up to 4.0 a user; without a token an address), and of these 300 pages (any request with `max_id` and the like)
//! in 15 minutes a user, or without a token an address. Every reply tells how much of the tighter one is left, and a refused request says nothing but when
//! the window ends (facts 13.2). The person's own open Mastodon counts too, so what the replies say wins over our count.

use crate::server::reply::Answer;
use crate::when::{MINUTE, SECOND, Time};

const CALLS: Window = Window { length: 5 * MINUTE, limit: 300, begun: Time(0), used: 0 };
const PAGES: Window = Window { length: 15 * MINUTE, limit: 300, begun: Time(0), used: 0 };
/// Left for the person, whose own Mastodon may be open next to us.
const RESERVE: u32 = 3;
/// Clocks differ by less than a second once a reply has told the server's; its `Date` has whole seconds.
const SLACK: i64 = 2 * SECOND;

/// One limit. Times in here are the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    length: i64,
    limit: u32,
    begun: Time,
    used: u32,
}

impl Window {
    fn start(&self, at: Time) -> Time {
        Time(at.0.div_euclid(self.length) * self.length)
    }

    fn end(&self, at: Time) -> Time {
        self.start(at).plus(self.length)
    }

    fn turn(&mut self, at: Time) {
        let start = self.start(at);
        if start > self.begun {
            self.begun = start;
            self.used = 0;
        }
    }

    fn left(&self, at: Time) -> u32 {
        if self.start(at) > self.begun {
            return self.limit.saturating_sub(RESERVE);
        }
        self.limit.saturating_sub(self.used).saturating_sub(RESERVE)
    }
}

/// What may still be asked, and when.
#[derive(Clone, Debug)]
pub struct Budget {
    calls: Window,
    pages: Window,
    /// The server's clock minus ours.
    ahead: i64,
    /// Nothing before this: the server refused a request. Its time.
    refused_until: Option<Time>,
    /// The same for pages alone.
    pages_refused_until: Option<Time>,
}

/// Whether a request counts as a page: any with one of these in its query.
pub fn is_page(path: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .any(|pair| matches!(pair.split('=').next(), Some("page" | "min_id" | "max_id" | "since_id")))
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new()
    }
}

impl Budget {
    pub fn new() -> Budget {
        Budget { calls: CALLS, pages: PAGES, ahead: 0, refused_until: None, pages_refused_until: None }
    }

    fn theirs(&self, now: Time) -> Time {
        now.plus(self.ahead)
    }

    /// When a request may be sent: `None` is now.
    pub fn wait(&self, page: bool, now: Time) -> Option<Time> {
        let at = self.theirs(now);
        let mut until = self.refused_until.filter(|until| *until > at);
        if self.calls.left(at) == 0 {
            until = until.max(Some(self.calls.end(at).plus(SLACK)));
        }
        if page {
            until = until.max(self.pages_refused_until.filter(|until| *until > at));
            if self.pages.left(at) == 0 {
                until = until.max(Some(self.pages.end(at).plus(SLACK)));
            }
        }
        until.map(|until| until.plus(-self.ahead))
    }

    /// A request goes out.
    pub fn sent(&mut self, page: bool, now: Time) {
        let at = self.theirs(now);
        self.calls.turn(at);
        self.calls.used += 1;
        if page {
            self.pages.turn(at);
            self.pages.used += 1;
        }
    }

    /// What its reply says.
    pub fn heard(&mut self, answer: &Answer, page: bool, now: Time) {
        if let Some(date) = answer.date {
            // Half a second: the header has whole ones.
            self.ahead = date.plus(SECOND / 2).0 - now.0;
        }
        let at = self.theirs(now);
        let reset = answer.reset.as_deref().and_then(Time::from_iso);
        if answer.status == 429 {
            let fallback = || {
                let pages = page && self.pages.left(at) < self.calls.left(at);
                if pages { self.pages.end(at) } else { self.calls.end(at) }
            };
            // A reset that lies far off is no word about these windows.
            let until = reset.filter(|reset| reset.0 > at.0 && reset.since(at) <= 60 * MINUTE);
            let until = until.unwrap_or_else(fallback).plus(SLACK);
            // First pages still work when the limit of pages is used up (facts 13.2).
            let beyond = until > self.calls.end(at).plus(SLACK);
            let of_pages =
                page && self.calls.left(at) > 0 && (beyond || self.pages.left(at) <= self.calls.left(at));
            if of_pages {
                self.pages_refused_until = Some(until);
            } else {
                self.refused_until = Some(until);
            }
            return;
        }
        let (Some(limit), Some(remaining), Some(reset)) = (answer.limit, answer.remaining, reset) else {
            return;
        };
        // The tighter one is told; which it is, the end of its window says, or in the last of three, our own count.
        let ends = |window: &Window| reset.0.abs_diff(window.end(at).0) <= 5_000;
        let of_pages =
            page && ends(&self.pages) && (!ends(&self.calls) || self.pages.left(at) < self.calls.left(at));
        let window = if of_pages { &mut self.pages } else { &mut self.calls };
        if reset.0.abs_diff(window.end(at).0) <= 5_000 {
            window.turn(at);
            window.limit = limit.max(RESERVE + 1);
            window.used = window.limit.saturating_sub(remaining);
        }
    }

    /// How long so many requests take at least, when so many of them are pages. In milliseconds, for telling the person.
    pub fn time_for(&self, calls: u64, pages: u64, now: Time) -> i64 {
        let at = self.theirs(now);
        let one = |window: &Window, count: u64| {
            let left = u64::from(window.left(at));
            if count <= left {
                return 0;
            }
            let a_window = u64::from(window.limit.saturating_sub(RESERVE).max(1));
            let windows =
                i64::try_from((count - left).div_ceil(a_window)).unwrap_or(i64::MAX / window.length);
            window.end(at).since(at) + (windows - 1).saturating_mul(window.length)
        };
        one(&self.calls, calls).max(one(&self.pages, pages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quarter of an hour begins here.
    const START: Time = Time(1_795_219_200_000);

    fn answer(status: u16, remaining: Option<u32>, reset: Option<&str>) -> Answer {
        Answer {
            status,
            limit: remaining.map(|_| 300),
            remaining,
            reset: reset.map(str::to_owned),
            ..Answer::default()
        }
    }

    #[test]
    fn knows_what_counts_as_a_page() {
        assert!(is_page("/api/v1/conversations?limit=40&max_id=5"));
        assert!(is_page("/x?since_id=5"));
        assert!(!is_page("/api/v1/conversations?limit=40"));
        assert!(!is_page("/api/v1/statuses/5/context"));
    }

    #[test]
    fn a_window_is_used_to_its_reserve_and_no_further() {
        let mut budget = Budget::new();
        for _ in 0..297 {
            assert_eq!(budget.wait(false, START), None);
            budget.sent(false, START);
        }
        let until = budget.wait(false, START).unwrap();
        assert_eq!(until, START.plus(5 * MINUTE + SLACK));
        assert_eq!(budget.wait(false, until), None);
    }

    #[test]
    fn pages_are_counted_apart_and_over_a_longer_window() {
        let mut budget = Budget::new();
        let mut now = START;
        for n in 0..297 {
            now = START.plus(n * SECOND * 2);
            assert_eq!(budget.wait(true, now), None, "{n}");
            budget.sent(true, now);
        }
        assert_eq!(budget.wait(true, now), Some(START.plus(15 * MINUTE + SLACK)));
        assert_eq!(budget.wait(false, now), None);
    }

    #[test]
    fn what_the_replies_say_wins() {
        let mut budget = Budget::new();
        // Somebody else used most of it.
        budget.sent(false, START);
        budget.heard(&answer(200, Some(3), Some("2026-11-21T00:05:00.409049Z")), false, START);
        assert_eq!(budget.wait(false, START), Some(START.plus(5 * MINUTE + SLACK)));
        // Of pages: the window that ends at the quarter.
        let mut budget = Budget::new();
        budget.sent(true, START);
        budget.heard(&answer(200, Some(0), Some("2026-11-21T00:15:00.762Z")), true, START);
        assert_eq!(budget.wait(true, START), Some(START.plus(15 * MINUTE + SLACK)));
        assert_eq!(budget.wait(false, START), None);
    }

    #[test]
    fn a_refusal_is_waited_out_with_and_without_a_word_of_when() {
        for (reset, until) in [
            (Some("2026-11-21T00:05:00.926677Z"), START.plus(5 * MINUTE + 926 + SLACK)),
            (None, START.plus(5 * MINUTE + SLACK)),
            (Some("soon"), START.plus(5 * MINUTE + SLACK)),
            (Some("2036-11-21T00:05:00Z"), START.plus(5 * MINUTE + SLACK)),
        ] {
            let mut budget = Budget::new();
            budget.sent(false, START);
            budget.heard(&answer(429, None, reset), false, START);
            assert_eq!(budget.wait(false, START), Some(until), "{reset:?}");
            assert_eq!(budget.wait(false, until), None);
        }
    }

    #[test]
    fn a_clock_that_is_wrong_does_not_shift_the_windows() {
        let mut budget = Budget::new();
        // Our clock is an hour and two minutes behind.
        let ours = START.plus(-62 * MINUTE);
        let told = Answer { date: Some(START), ..answer(429, None, Some("2026-11-21T00:05:00Z")) };
        budget.heard(&told, false, ours);
        let until = budget.wait(false, ours).unwrap();
        assert!(until.since(ours) <= 5 * MINUTE + SLACK, "{}", until.since(ours));
    }

    #[test]
    fn says_how_long_it_takes() {
        let budget = Budget::new();
        assert_eq!(budget.time_for(200, 100, START), 0);
        assert_eq!(budget.time_for(400, 0, START), 5 * MINUTE);
        assert_eq!(budget.time_for(400, 400, START), 15 * MINUTE);
        assert_eq!(budget.time_for(297 * 3, 297 * 3, START), 30 * MINUTE);
    }
}
