//! Times are milliseconds since 1970; the servers' clock is the machine's, moved by an offset that tests may change.

use std::time::{SystemTime, UNIX_EPOCH};

pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

pub fn machine_now() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Year, month, day, hour, minute, second in UTC.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// Days-to-date by Howard Hinnant's civil-calendar formula.
fn parts(at: Millis) -> Parts {
    let seconds = at.div_euclid(SECOND);
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Parts { year, month, day, hour: rest / 3_600, minute: rest / 60 % 60, second: rest % 60 }
}

/// `2026-11-21T20:07:30.000Z`, as in REST entities.
pub fn iso_millis(at: Millis) -> String {
    let p = parts(at);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        p.year,
        p.month,
        p.day,
        p.hour,
        p.minute,
        p.second,
        at.rem_euclid(SECOND)
    )
}

/// Reads `2026-11-21T20:07:30.000Z`, with or without the parts of a second.
pub fn parse_iso(text: &str) -> Option<Millis> {
    let (day, time) = text.trim_end_matches('Z').split_once('T')?;
    let numbers =
        |text: &str, at: char| -> Option<Vec<i64>> { text.split(at).map(|part| part.parse().ok()).collect() };
    let (whole, part) = time.split_once('.').unwrap_or((time, "0"));
    let (day, time) = (numbers(day, '-')?, numbers(whole, ':')?);
    let ([year, month, day], [hour, minute, second]) = (day.as_slice(), time.as_slice()) else { return None };
    // The other way round of the same formula.
    let year = if *month <= 2 { year - 1 } else { *year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if *month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let millis: i64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * SECOND + millis)
}

/// `2026-11-21T20:07:30Z`, as in pages and actor documents.
pub fn iso_seconds(at: Millis) -> String {
    let p = parts(at);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", p.year, p.month, p.day, p.hour, p.minute, p.second)
}

/// `2026-11-21`.
pub fn date(at: Millis) -> String {
    let p = parts(at);
    format!("{:04}-{:02}-{:02}", p.year, p.month, p.day)
}

/// `Nov 21, 2026, 20:13`, the English "default" format of Mastodon's pages.
pub fn english(at: Millis) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let p = parts(at);
    let month =
        usize::try_from(p.month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or("Jan");
    format!("{month} {:02}, {:04}, {:02}:{:02}", p.day, p.year, p.hour, p.minute)
}

/// `Sat, 21 Nov 2026 20:09:15 GMT`, for cookies and Last-Modified.
pub fn http_date(at: Millis) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let p = parts(at);
    let weekday = usize::try_from(at.div_euclid(DAY).rem_euclid(7))
        .ok()
        .and_then(|index| DAYS.get(index))
        .copied()
        .unwrap_or("Thu");
    let month = english(at).chars().take(3).collect::<String>();
    format!("{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT", p.day, p.year, p.hour, p.minute, p.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_times_as_mastodon_does() {
        let at = 1_795_291_992_345;
        assert_eq!(iso_millis(at), "2026-11-21T20:13:12.345Z");
        assert_eq!(iso_seconds(at), "2026-11-21T20:13:12Z");
        assert_eq!(english(at), "Nov 21, 2026, 20:13");
        assert_eq!(http_date(at), "Sat, 21 Nov 2026 20:13:12 GMT");
        assert_eq!(date(951_782_400_000), "2000-02-29");
        assert_eq!(parse_iso("2026-11-21T20:13:12.345Z"), Some(at));
        assert_eq!(parse_iso("2000-02-29T00:00:00Z"), Some(951_782_400_000));
    }
}
