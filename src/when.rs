//! Time as the core knows it: handed in, never asked for.

use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;

/// Whole milliseconds since 1970, UTC. JavaScript's numbers hold them exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

impl Time {
    pub fn plus(self, millis: i64) -> Time {
        Time(self.0.saturating_add(millis))
    }

    /// How long ago `earlier` was, never negative: a clock that was set back does not make things come from the future.
    pub fn since(self, earlier: Time) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }

    /// Reads the API's form, `2026-11-21T20:09:15.000Z`.
    pub fn from_iso(text: &str) -> Option<Time> {
        let at = OffsetDateTime::parse(text, &Iso8601::PARSING).ok()?;
        Some(Time(at.unix_timestamp() * SECOND + i64::from(at.millisecond())))
    }
}

/// Something known, with the moment at which it was seen and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Known<T> {
    pub value: T,
    pub at: Time,
    pub from: Source,
}

/// Where a fact was seen. Shown with every finding, so that nobody has to take our word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A page of the account's own server, in a tab where it is signed in.
    OwnPage,
    /// The server's API, asked in that tab.
    OwnApi,
    /// The server as everybody sees it.
    Outside,
    /// What this extension did itself.
    Ourselves,
}

impl<T> Known<T> {
    pub fn new(value: T, at: Time, from: Source) -> Known<T> {
        Known { value, at, from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_apis_times() {
        let cases = [
            ("1970-01-01T00:00:01.500Z", Some(1_500)),
            ("2026-11-21T00:00:00.000Z", Some(1_795_219_200_000)),
            ("2026-11-21T01:00:00+01:00", Some(1_795_219_200_000)),
            ("2026-11-21", None),
            ("", None),
            ("soon", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Time::from_iso(text).map(|t| t.0), expected, "{text}");
        }
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_age() {
        assert_eq!(Time(5).since(Time(9)), 0);
    }
}
