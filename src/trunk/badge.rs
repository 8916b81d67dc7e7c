//! What the button in the toolbar says: how many reminders are due, or how much is to be put right before the move; and
//! nothing where there is nothing to say.

use super::after::{How, how, next};
use super::dossier::{Dossier, Redirect};
use super::journal::Journal;
use crate::check::{self, Outcome};
use crate::say::{Say, say};
use crate::when::Time;

/// Text of the badge, and the title of the button.
#[derive(Clone, Debug, PartialEq)]
pub struct Badge {
    pub text: String,
    pub title: Say,
}

/// `None`: nothing is due.
pub fn badge(dossier: &Dossier, journal: &Journal, now: Time) -> Option<Badge> {
    // What nobody has begun is nobody's business.
    let begun = dossier.old_handle().is_some() && dossier.new_handle().is_some();
    let (count, key) = match how(dossier, journal) {
        _ if !begun => return None,
        How::NotYet => {
            // As long as nothing was read of the old account, nothing is known to be wrong with it.
            if !matches!(&dossier.old.redirect, Some(known) if known.value == Redirect::None) {
                return None;
            }
            let findings = check::all(dossier, now);
            (findings.iter().filter(|finding| finding.outcome == Outcome::Stop).count(), "badge_stops")
        }
        _ => {
            let due = next(dossier, journal, now).iter().filter(|entry| entry.is_due(now)).count();
            (due, "badge_due")
        }
    };
    // More than two digits do not fit.
    let text = if count > 99 { "99+".to_owned() } else { count.to_string() };
    (count > 0).then(|| Badge { text, title: say(key).with(count) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{known, linked};
    use crate::trunk::dossier::{ArchiveSeen, Cooldown};
    use crate::when::DAY;

    fn shown(dossier: &Dossier, now: i64) -> Option<(String, String)> {
        badge(dossier, &Journal::default(), Time(now)).map(|badge| (badge.text, badge.title.key))
    }

    #[test]
    fn says_nothing_where_there_is_nothing_to_say() {
        assert_eq!(shown(&Dossier::default(), 5), None);
        assert_eq!(shown(&linked(), 5), None);
    }

    #[test]
    fn counts_what_stops_before_the_move_and_what_is_due_after_it() {
        let mut dossier = linked();
        dossier.old.redirect = known(Redirect::None, 1);
        dossier.old.cooldown = known(Cooldown::Days(3), 1);
        let (text, key) = shown(&dossier, 5).unwrap();
        assert!(text.parse::<usize>().unwrap() > 0);
        assert_eq!(key, "badge_stops");

        let moved = 1_000 * DAY;
        dossier.old.redirect = known(Redirect::To("ana@new.example".parse().ok()), moved);
        dossier.old.last_move = known(Time(moved), moved);
        dossier.old.cooldown = known(Cooldown::Days(30), moved);
        dossier.old.archive =
            known(ArchiveSeen { may_ask: false, asked: Some(Time(moved)), ready: false }, moved);
        // Right after the move everything lies ahead.
        assert_eq!(shown(&dossier, moved), None);
        assert_eq!(shown(&dossier, moved + DAY), Some(("2".to_owned(), "badge_due".to_owned())));
    }
}
