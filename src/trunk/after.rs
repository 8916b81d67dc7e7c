//! What comes next: what is to be done after a move and when, what the old account can still do, and what cancelling the
//! redirect gives back. Whatever is seen to be done drops out.

use super::dossier::{AccountFacts, ArchiveSeen, Cooldown, Dossier, Health, Redirect, Side};
use super::journal::{Journal, What};
use crate::account::Handle;
use crate::say::{Part, Say, say};
use crate::server::version::Version;
use crate::small::ordered;
use crate::when::{DAY, HOUR, Time};

/// A move can be made again so long after the last one (facts 3.2, "COOLDOWN_PERIOD").
pub const COOLDOWN: i64 = 30 * DAY;
/// Deliveries are tried again for two to three days (facts 3.4).
const RETRIES: i64 = 3 * DAY;
/// A reminder that is older than this is not shown any more.
const STALE: i64 = 30 * DAY;

/// How far the move has come, by what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    NotYet,
    /// The old server lists a move, or makes the account wait for the next one.
    Moved(Time),
    /// It redirects, and there was no move: nobody comes along by it (facts 3.2, "Redirect only").
    RedirectOnly(Time),
    /// It redirects; whether followers were moved was not seen.
    Redirects(Time),
    /// There was a move, and its redirect was cancelled (facts 3.6).
    Cancelled(Time),
}

/// Tells it from what the old server's pages say.
pub fn how(dossier: &Dossier, journal: &Journal) -> How {
    let old = &dossier.old;
    let listed = AccountFacts::value(&old.last_move).copied();
    let noted = journal.last(What::Moved, Some(Side::Old)).map(|deed| deed.at);
    let moved = listed.or(noted);
    match &old.redirect {
        Some(known) if matches!(known.value, Redirect::To(_)) => {
            let seen = journal.last(What::RedirectSeen, Some(Side::Old)).map_or(known.at, |deed| deed.at);
            match (moved, AccountFacts::value(&old.cooldown)) {
                (Some(at), _) => How::Moved(at),
                (None, Some(Cooldown::Days(_) | Cooldown::Some)) => How::Moved(seen),
                (None, Some(Cooldown::Over)) => How::RedirectOnly(seen),
                (None, None) => How::Redirects(seen),
            }
        }
        Some(_) => moved.map_or(How::NotYet, How::Cancelled),
        None => How::NotYet,
    }
}

/// Something that is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Stands in `data-entry`, in the calendar and in the report; never changes.
    pub id: &'static str,
    /// On which account.
    pub side: Side,
    /// From when on.
    pub due: Time,
    /// It is something to be left alone until then.
    pub until: bool,
    pub what: Say,
    pub why: Say,
    /// Mastodon's page for it; none where it is done on the desk.
    pub path: Option<&'static str>,
}

impl Entry {
    /// The day, as it stands beside it.
    pub fn when(&self) -> Say {
        say(if self.until { "next_until" } else { "next_from" }).with(Part::Day(self.due))
    }

    pub fn is_due(&self, now: Time) -> bool {
        self.due <= now
    }
}

/// What is to be done, in the order of time.
pub fn next(dossier: &Dossier, journal: &Journal, now: Time) -> Vec<Entry> {
    let mut all = Vec::new();
    let how = how(dossier, journal);
    if let How::Moved(at) = how {
        all.extend(arrivals(dossier, at, now));
        all.extend(lock_again(dossier, journal, at));
        all.extend(alias(dossier, at, now));
    }
    if let How::Moved(at) | How::RedirectOnly(at) | How::Redirects(at) = how {
        all.extend(letters(dossier, journal, at));
    }
    all.extend(cooldown(dossier, how));
    all.extend(archive(dossier, now));
    all.retain(|entry| now.since(entry.due) < STALE);
    ordered(all, &|one, other| one.due.cmp(&other.due))
}

fn name(dossier: &Dossier, side: Side) -> Part {
    let handle: Option<&Handle> = match side {
        Side::Old => dossier.old_handle(),
        Side::New => dossier.new_handle(),
    };
    let host = match side {
        Side::Old => dossier.old_host.as_ref(),
        Side::New => dossier.new_host.as_ref(),
    };
    match (handle, host) {
        (Some(handle), _) => Part::from(handle),
        (None, Some(host)) => Part::from(host),
        (None, None) => Part::from(""),
    }
}

/// Followers arrive within minutes, hours, and at the last try after two to three days (facts 3.4, 3.1).
fn arrivals(dossier: &Dossier, at: Time, now: Time) -> Option<Entry> {
    let seen = dossier.new.followers.as_ref().map(|known| known.at);
    let looks = [
        ("arrivals-hour", HOUR, "next_arrivals_hour"),
        ("arrivals-day", DAY, "next_arrivals_day"),
        ("arrivals-days", RETRIES, "next_arrivals_days"),
    ];
    let open = looks.iter().filter(|(_, after, _)| seen.is_none_or(|seen| seen < at.plus(*after)));
    // Of those that were missed the last one is enough.
    let mut open: Vec<_> = open.collect();
    while open.len() > 1 && at.plus(open[1].1) <= now {
        open.remove(0);
    }
    let (id, after, key) = open.first()?;
    let why = match (*id, AccountFacts::value(&dossier.old.version).map(Version::can_replay_moves)) {
        // facts 3.6, "Admin repair"
        ("arrivals-days", Some(true)) => "next_arrivals_why_replay",
        ("arrivals-days", _) => "next_arrivals_why_late",
        _ => "next_arrivals_why",
    };
    Some(Entry {
        id,
        side: Side::New,
        due: at.plus(*after),
        until: false,
        what: say(key).with(name(dossier, Side::New)),
        why: say(why),
        path: Some("/relationships?relationship=followed_by"),
    })
}

/// Only who unlocked for the move has something to lock again.
fn lock_again(dossier: &Dossier, journal: &Journal, at: Time) -> Option<Entry> {
    let unlocked = journal.last(What::Unlocked, Some(Side::New))?;
    let locked = journal.last(What::Locked, Some(Side::New)).is_some_and(|deed| deed.at >= unlocked.at);
    if locked || AccountFacts::value(&dossier.new.locked) != Some(&false) {
        return None;
    }
    let modern = AccountFacts::value(&dossier.new.version).is_none_or(Version::has_privacy_page);
    Some(Entry {
        id: "lock-again",
        side: Side::New,
        due: at.plus(RETRIES),
        until: false,
        what: say("next_lock").with(name(dossier, Side::New)),
        why: say("next_lock_why"),
        path: Some(if modern { "/settings/privacy" } else { "/settings/profile" }),
    })
}

/// What arrives late is held against the alias; without it the follower stays behind (facts 3.4, "Alias removed too
/// early").
fn alias(dossier: &Dossier, at: Time, now: Time) -> Option<Entry> {
    let old = dossier.old_handle()?;
    let path = Some("/settings/aliases");
    let missing = dossier.new.aliases.is_some() && dossier.new.alias_for(old).is_none();
    if missing {
        return (now.since(at) < COOLDOWN).then(|| Entry {
            id: "alias-back",
            side: Side::New,
            due: at,
            until: false,
            what: say("next_alias_back").with(name(dossier, Side::New)).with(old),
            why: say("next_alias_back_why"),
            path,
        });
    }
    Some(Entry {
        id: "alias-keep",
        side: Side::New,
        due: at.plus(COOLDOWN),
        until: true,
        what: say("next_alias").with(name(dossier, Side::New)),
        why: say("next_alias_why"),
        path,
    })
}

/// The end of the cooldown: the page counts days, the list of past moves has the minute (facts 3.2, 1.5).
pub fn cooldown_ends(dossier: &Dossier) -> Option<Time> {
    let exact = AccountFacts::value(&dossier.old.last_move).map(|at| at.plus(COOLDOWN));
    let known = dossier.old.cooldown.as_ref()?;
    match known.value {
        Cooldown::Over => None,
        Cooldown::Days(days) => {
            let days = i64::try_from(days.min(400)).unwrap_or(0);
            let end = known.at.plus(days * DAY);
            // A server may have set another period than Mastodon's: then its own number counts.
            Some(exact.filter(|exact| exact.0.abs_diff(end.0) <= DAY.unsigned_abs()).unwrap_or(end))
        }
        Cooldown::Some => exact,
    }
}

fn cooldown(dossier: &Dossier, how: How) -> Option<Entry> {
    let guessed = match how {
        How::Moved(at) | How::Cancelled(at) if dossier.old.cooldown.is_none() => Some(at.plus(COOLDOWN)),
        _ => None,
    };
    let due = cooldown_ends(dossier).or(guessed)?;
    Some(Entry {
        id: "cooldown-over",
        side: Side::Old,
        due,
        until: false,
        what: say("next_cooldown").with(name(dossier, Side::Old)),
        why: say("next_cooldown_why"),
        path: Some("/settings/migration"),
    })
}

/// Posts stay behind; the archive is what there is of them (facts 5, "Archive").
fn archive(dossier: &Dossier, now: Time) -> Option<Entry> {
    dossier.old_handle()?;
    let path = Some("/settings/export");
    let days = AccountFacts::value(&dossier.old.version).map_or(7, Version::days_between_archives);
    let entry = |id, due, key: &str, why| Entry {
        id,
        side: Side::Old,
        due,
        until: false,
        what: say(key).with(name(dossier, Side::Old)),
        why,
        path,
    };
    let again = say("next_archive_again").with(days.unsigned_abs());
    let closing = AccountFacts::value(&dossier.old.health) == Some(&Health::Closing);
    let why = if closing { say("next_archive_closing") } else { again };
    let Some(known) = &dossier.old.archive else {
        return Some(entry("archive", now, "next_archive_unseen", why));
    };
    let ArchiveSeen { may_ask, asked, ready } = known.value;
    match (asked, ready) {
        (_, true) => Some(entry("archive-fetch", asked.unwrap_or(known.at), "next_archive_ready", why)),
        (Some(at), false) if !may_ask => {
            Some(entry("archive-fetch", at.plus(DAY), "next_archive_fetch", say("next_archive_slow")))
        }
        (None, false) if !may_ask => {
            Some(entry("archive-fetch", known.at.plus(DAY), "next_archive_fetch", say("next_archive_slow")))
        }
        // Asked for long ago, and there is nothing to download any more.
        _ => Some(entry("archive", known.at, "next_archive", why)),
    }
}

/// What is written to the old account after the move waits there unseen (facts 3.6; mastodon#22883).
fn letters(dossier: &Dossier, journal: &Journal, at: Time) -> Option<Entry> {
    let due = at.plus(7 * DAY);
    let saved = journal.last(What::MessagesSaved, Some(Side::Old)).is_some_and(|deed| deed.at >= due);
    (!saved).then(|| Entry {
        id: "letters",
        side: Side::Old,
        due,
        until: false,
        what: say("next_letters").with(name(dossier, Side::Old)),
        why: say("next_letters_why"),
        path: None,
    })
}

/// What an account that has moved, or redirects, can still do and what it cannot (facts 1.7, 3.6, 13, "After a move").
pub fn old_account(dossier: &Dossier) -> (Vec<Say>, Vec<Say>) {
    let version = AccountFacts::value(&dossier.old.version);
    let closing = AccountFacts::value(&dossier.old.health) == Some(&Health::Closing);
    if closing {
        let can = ["old_can_sign_in", "old_can_export", "old_can_archive"];
        let cannot = ["old_cannot_move", "old_cannot_alias", "old_cannot_post"];
        return (can.map(say).to_vec(), cannot.map(say).to_vec());
    }
    let mut can = [
        "old_can_sign_in",
        "old_can_export",
        "old_can_archive",
        "old_can_messages",
        "old_can_cancel",
        "old_can_delete",
    ]
    .map(say)
    .to_vec();
    if version.is_some_and(Version::clears_up_after_moving) {
        can.push(say("old_can_clear_up"));
    }
    let cannot = ["old_cannot_post", "old_cannot_read", "old_cannot_import", "old_cannot_be_followed"];
    (can, cannot.map(say).to_vec())
}

/// What cancelling the redirect gives back, and what it does not (facts 3.6, "Redirect can be cancelled").
pub fn cancelling() -> (Vec<Say>, Vec<Say>) {
    (
        ["cancel_gives_account", "cancel_gives_messages"].map(say).to_vec(),
        ["cancel_not_followers", "cancel_not_cooldown"].map(say).to_vec(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{known, linked};
    use crate::trunk::dossier::AliasRow;
    use crate::trunk::journal::Deed;
    use crate::when::Source;

    const MOVED: i64 = 1_000 * DAY;

    fn moved() -> Dossier {
        let mut dossier = linked();
        dossier.old.redirect = known(Redirect::To("ana@new.example".parse().ok()), MOVED);
        dossier.old.last_move = known(Time(MOVED), MOVED);
        dossier.old.cooldown = known(Cooldown::Days(30), MOVED);
        dossier
    }

    fn entries(dossier: &Dossier, journal: &Journal, now: i64) -> Vec<(&'static str, i64)> {
        next(dossier, journal, Time(now)).iter().map(|entry| (entry.id, entry.due.0)).collect()
    }

    fn due(dossier: &Dossier, id: &str, now: i64) -> Option<i64> {
        entries(dossier, &Journal::default(), now).iter().find(|(own, _)| *own == id).map(|(_, due)| *due)
    }

    #[test]
    fn tells_a_move_from_a_mere_redirect() {
        let journal = Journal::default();
        assert_eq!(how(&Dossier::default(), &journal), How::NotYet);
        assert_eq!(how(&moved(), &journal), How::Moved(Time(MOVED)));
        let mut dossier = moved();
        dossier.old.last_move = None;
        assert_eq!(how(&dossier, &journal), How::Moved(Time(MOVED)));
        dossier.old.cooldown = known(Cooldown::Over, 5);
        assert_eq!(how(&dossier, &journal), How::RedirectOnly(Time(MOVED)));
        dossier.old.cooldown = None;
        assert_eq!(how(&dossier, &journal), How::Redirects(Time(MOVED)));
        dossier.old.redirect = known(Redirect::None, MOVED + 5);
        assert_eq!(how(&dossier, &journal), How::NotYet);
        let mut journal = Journal::default();
        journal.note(Deed::new(What::Moved, Some(Side::Old), Time(7), Source::OwnPage));
        assert_eq!(how(&dossier, &journal), How::Cancelled(Time(7)));
    }

    #[test]
    fn nothing_is_due_after_a_move_that_was_not_made() {
        let none = entries(&Dossier::default(), &Journal::default(), MOVED);
        assert_eq!(none, []);
        // A redirect alone brings nobody: there is nothing to wait for and no alias to keep.
        let mut dossier = moved();
        (dossier.old.last_move, dossier.old.cooldown) = (None, known(Cooldown::Over, MOVED));
        let ids: Vec<_> = entries(&dossier, &Journal::default(), MOVED).iter().map(|entry| entry.0).collect();
        assert_eq!(ids, ["archive", "letters"]);
    }

    #[test]
    fn looks_at_arrivals_as_often_as_it_is_worth() {
        let mut dossier = moved();
        assert_eq!(due(&dossier, "arrivals-hour", MOVED), Some(MOVED + HOUR));
        assert_eq!(due(&dossier, "arrivals-day", MOVED), None);
        // What was missed is not caught up three times.
        assert_eq!(due(&dossier, "arrivals-hour", MOVED + 2 * DAY), None);
        assert_eq!(due(&dossier, "arrivals-day", MOVED + 2 * DAY), Some(MOVED + DAY));
        assert_eq!(due(&dossier, "arrivals-days", MOVED + 5 * DAY), Some(MOVED + 3 * DAY));
        dossier.new.followers = known(7, MOVED + 2 * HOUR);
        assert_eq!(due(&dossier, "arrivals-day", MOVED + 2 * HOUR), Some(MOVED + DAY));
        dossier.new.followers = known(7, MOVED + 4 * DAY);
        for id in ["arrivals-hour", "arrivals-day", "arrivals-days"] {
            assert_eq!(due(&dossier, id, MOVED + 4 * DAY), None);
        }
        // Long ago is long ago.
        dossier.new.followers = None;
        assert_eq!(due(&dossier, "arrivals-days", MOVED + 40 * DAY), None);
    }

    #[test]
    fn the_pages_own_number_counts_for_the_cooldown() {
        let end = |days, seen: i64, last: Option<i64>| {
            let mut dossier = moved();
            dossier.old.cooldown = known(Cooldown::Days(days), seen);
            dossier.old.last_move = last.and_then(|last| known(Time(last), seen));
            due(&dossier, "cooldown-over", seen).map(|end| end - MOVED)
        };
        assert_eq!(end(30, MOVED, Some(MOVED)), Some(30 * DAY));
        // Read on the third day, with the exact minute at hand and without it.
        assert_eq!(end(28, MOVED + 2 * DAY + HOUR, Some(MOVED)), Some(30 * DAY));
        assert_eq!(end(28, MOVED + 2 * DAY + HOUR, None), Some(30 * DAY + HOUR));
        // A server with a period of its own.
        assert_eq!(end(7, MOVED, Some(MOVED)), Some(7 * DAY));
        assert!(end(u64::MAX, MOVED, None).is_some());
        let mut over = moved();
        over.old.cooldown = known(Cooldown::Over, MOVED + 31 * DAY);
        assert_eq!(due(&over, "cooldown-over", MOVED + 31 * DAY), None);
        // Nobody has looked at the page: the rule of all servers.
        over.old.cooldown = None;
        assert_eq!(due(&over, "cooldown-over", MOVED), Some(MOVED + COOLDOWN));
    }

    #[test]
    fn the_alias_is_kept_for_a_month_and_put_back_when_it_is_gone() {
        let mut dossier = moved();
        assert_eq!(due(&dossier, "alias-keep", MOVED), Some(MOVED + COOLDOWN));
        let row = AliasRow { handle: "ana@old.example".parse().unwrap(), since: Time(1), made_lately: false };
        dossier.new.aliases = known(vec![row], MOVED);
        assert_eq!(due(&dossier, "alias-keep", MOVED), Some(MOVED + COOLDOWN));
        dossier.new.aliases = known(vec![], MOVED + DAY);
        assert_eq!(due(&dossier, "alias-keep", MOVED + DAY), None);
        assert_eq!(due(&dossier, "alias-back", MOVED + DAY), Some(MOVED));
        // After the month it may be gone.
        assert_eq!(due(&dossier, "alias-back", MOVED + 31 * DAY), None);
    }

    #[test]
    fn only_who_unlocked_locks_again() {
        let mut dossier = moved();
        dossier.new.locked = known(false, MOVED);
        let mut journal = Journal::default();
        assert!(!entries(&dossier, &journal, MOVED).iter().any(|entry| entry.0 == "lock-again"));
        journal.note(Deed::new(What::Unlocked, Some(Side::New), Time(MOVED - DAY), Source::OwnPage));
        assert!(entries(&dossier, &journal, MOVED).contains(&("lock-again", MOVED + 3 * DAY)));
        dossier.new.locked = known(true, MOVED + DAY);
        assert!(!entries(&dossier, &journal, MOVED).iter().any(|entry| entry.0 == "lock-again"));
    }

    #[test]
    fn the_archive_goes_from_asked_to_fetched() {
        let seen = |archive: Option<ArchiveSeen>| {
            let mut dossier = linked();
            dossier.old.archive = archive.and_then(|archive| known(archive, MOVED));
            let all = next(&dossier, &Journal::default(), Time(MOVED));
            all.iter().map(|entry| (entry.id, entry.what.key.clone())).next()
        };
        let archive =
            |may_ask, asked: Option<i64>, ready| Some(ArchiveSeen { may_ask, asked: asked.map(Time), ready });
        let is = |id, key: &str| Some((id, key.to_owned()));
        assert_eq!(seen(None), is("archive", "next_archive_unseen"));
        assert_eq!(seen(archive(true, None, false)), is("archive", "next_archive"));
        assert_eq!(seen(archive(false, None, false)), is("archive-fetch", "next_archive_fetch"));
        assert_eq!(seen(archive(false, Some(MOVED), false)), is("archive-fetch", "next_archive_fetch"));
        assert_eq!(seen(archive(false, Some(MOVED), true)), is("archive-fetch", "next_archive_ready"));
        assert_eq!(seen(archive(true, Some(MOVED - 9 * DAY), false)), is("archive", "next_archive"));
    }

    #[test]
    fn whoever_looked_for_letters_is_not_asked_again() {
        let mut journal = Journal::default();
        let has =
            |journal: &Journal| entries(&moved(), journal, MOVED).iter().any(|entry| entry.0 == "letters");
        journal.note(Deed::new(What::MessagesSaved, Some(Side::Old), Time(MOVED - DAY), Source::OwnApi));
        assert!(has(&journal));
        journal.note(Deed::new(What::MessagesSaved, Some(Side::Old), Time(MOVED + 8 * DAY), Source::OwnApi));
        assert!(!has(&journal));
    }

    #[test]
    fn a_server_that_is_being_closed_offers_less() {
        let mut dossier = moved();
        dossier.old.version = known(Version::parse("4.6.5").unwrap(), 1);
        let (can, _) = old_account(&dossier);
        assert!(can.contains(&say("old_can_clear_up")) && can.contains(&say("old_can_cancel")));
        dossier.old.health = known(Health::Closing, 1);
        let (can, cannot) = old_account(&dossier);
        assert!(!can.contains(&say("old_can_cancel")) && cannot.contains(&say("old_cannot_move")));
    }
}
