//! Time as the core knows it: handed in, never asked for.

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

    /// Reads the API's form, `2026-11-21T20:09:15.000Z`, and what others make of it: with an offset, with more or fewer
    /// digits, without the signs between them, or to the minute. By hand: a library for it takes 5 KB in each module.
    pub fn from_iso(text: &str) -> Option<Time> {
        let mut rest = text.as_bytes();
        let dashes = text.as_bytes().get(4) == Some(&b'-');
        let year = digits(&mut rest, 4)?;
        sign(&mut rest, b'-', dashes)?;
        let month = digits(&mut rest, 2)?;
        sign(&mut rest, b'-', dashes)?;
        let day = digits(&mut rest, 2)?;
        sign(&mut rest, b'T', true)?;
        let hour = digits(&mut rest, 2)?;
        let colons = rest.first() == Some(&b':');
        sign(&mut rest, b':', colons)?;
        let minute = digits(&mut rest, 2)?;
        let (mut second, mut millis) = (0, 0);
        if rest.first().is_some_and(|byte| *byte == b':' || byte.is_ascii_digit()) {
            sign(&mut rest, b':', colons)?;
            second = digits(&mut rest, 2)?;
            if let [b'.' | b',', fraction @ ..] = rest {
                let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
                for place in 0..3 {
                    let digit = fraction.get(place).filter(|_| place < count).map_or(0, |byte| byte - b'0');
                    millis = millis * 10 + i64::from(digit);
                }
                rest = fraction.get(count..).filter(|_| count > 0)?;
            }
        }
        let offset = match rest {
            [b'Z' | b'z'] => 0,
            [ahead @ (b'+' | b'-'), offset @ ..] => {
                let mut rest = offset;
                let hours = digits(&mut rest, 2)?;
                let minutes = if rest.is_empty() {
                    0
                } else {
                    let colon = rest.first() == Some(&b':');
                    sign(&mut rest, b':', colon)?;
                    digits(&mut rest, 2)?
                };
                if hours > 23 || minutes > 59 || !rest.is_empty() {
                    return None;
                }
                (hours * 60 + minutes) * if *ahead == b'-' { -1 } else { 1 }
            }
            _ => return None,
        };
        let days = days(year, month, day);
        let at = Time(((days * 24 + hour) * 60 + minute) * MINUTE + second * SECOND + millis);
        // The 30th of February would be another day.
        let same = at.civil() == Civil { date: (year, month, day), clock: (hour, minute, second) };
        same.then(|| at.plus(-offset * MINUTE))
    }

    /// `2026-11-21T20:09:15.000Z`
    pub fn iso(self) -> String {
        let Civil { date: (year, month, day), clock: (hour, minute, second) } = self.civil();
        if !(-9_999..=9_999).contains(&year) {
            return "1970-01-01T00:00:00.000Z".to_owned();
        }
        let millis = self.0.rem_euclid(SECOND);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }

    /// In UTC.
    pub fn civil(self) -> Civil {
        Civil::of(self.0.div_euclid(SECOND))
    }
}

/// A moment as a clock on the wall shows it: year, month, day, hour, minute, second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub date: (i64, i64, i64),
    pub clock: (i64, i64, i64),
}

impl Civil {
    /// `seconds` since 1970, where the clock hangs.
    pub fn of(seconds: i64) -> Civil {
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Years begin in March here, so that the leap day comes last; 719,468 days lie between March of year 0 and 1970.
        let days = days.saturating_add(719_468);
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let date = (
            era * 400 + year + i64::from(month >= 10),
            if month < 10 { month + 3 } else { month - 9 },
            day - (153 * month + 2) / 5 + 1,
        );
        Civil { date, clock: (second / 3_600, second / 60 % 60, second % 60) }
    }

    /// `2026-11-20`
    pub fn day(&self) -> String {
        let (year, month, day) = self.date;
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `14:32:05`
    pub fn time(&self) -> String {
        let (hour, minute, second) = self.clock;
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}

/// The days from 1970 to that day; [`Civil::of`] the other way.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (digits, after) = rest.split_at_checked(count)?;
    *rest = after;
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    Some(number)
}

fn sign(rest: &mut &[u8], sign: u8, wanted: bool) -> Option<()> {
    if wanted {
        *rest = rest.strip_prefix(&[sign])?;
    }
    Some(())
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
            ("2026-11-21T00:00:00-11:30", Some(1_795_260_600_000)),
            ("2026-11-21T00:00:00.9999999Z", Some(1_795_219_200_999)),
            ("2026-11-21T00:00:00.5Z", Some(1_795_219_200_500)),
            ("20261121T000001Z", Some(1_795_219_201_000)),
            ("2026-11-21T00:01Z", Some(1_795_219_260_000)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-11-21T24:00:00Z", None),
            ("2026-11-21T00:00:00.Z", None),
            ("2026-11-21T00:00:00", None),
            ("2026-11-21T00:00:00+1", None),
            ("2026-11-21T00:00:00Z ", None),
            ("2026-11-21", None),
            ("", None),
            ("soon", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Time::from_iso(text).map(|t| t.0), expected, "{text}");
        }
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        for text in ["2026-11-21T20:09:15.003Z", "1969-12-31T23:59:59.999Z", "2000-02-29T00:00:00.000Z"] {
            assert_eq!(Time::from_iso(text).map(Time::iso).as_deref(), Some(text));
        }
        for at in (-4_000..4_000).map(|day| Time(day * 31 * DAY + 12_345)) {
            assert_eq!(Time::from_iso(&at.iso()), Some(at));
        }
        Time(i64::MAX).iso();
        Time(i64::MIN).iso();
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_age() {
        assert_eq!(Time(5).since(Time(9)), 0);
    }
}
