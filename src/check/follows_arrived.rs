//! `follows-arrived`: whom the old account follows, the new one does not follow by itself; and an import says how many it
//! took, not whom it left out (facts 6.1).

use super::{Action, Check, Finding, Outcome, not_seen};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Arrived, Dossier, SavedLists, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "follows-arrived",
    step: Step::Unpack,
    pages: &[PageKind::Migration, PageKind::Imports],
    needs: &[(Side::Old, Want::Counts), (Side::New, Want::Account)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let saved = &dossier.saved;
    match (&saved.lists, &saved.arrived) {
        (lists, Some(arrived)) => unpacked(dossier, lists.as_ref(), arrived),
        (Some(lists), None) => packed(dossier, lists),
        (None, None) if counted(dossier) == Some(0) => {
            let none = Finding::new(&CHECK, Outcome::Pass, say("follows_arrived_none"));
            none.seen(&dossier.old.counts, "evidence_export_page", [])
        }
        // Where the follows are said to be unsaved already, once is enough.
        (None, None) if dossier.page != Some(PageKind::Imports) => {
            Finding::new(&CHECK, Outcome::Unknown, say("follows_arrived_not_packed"))
                .waits_for("follows-saved")
        }
        (None, None) => not_seen(&CHECK, dossier, say("follows_arrived_not_packed"), Action::Pack),
    }
}

/// Whom the old account follows, by its export page.
fn counted(dossier: &Dossier) -> Option<u64> {
    AccountFacts::value(&dossier.old.counts).and_then(|counts| counts.follows)
}

/// What the last unpacking brought was compared row by row.
fn unpacked(dossier: &Dossier, lists: Option<&SavedLists>, arrived: &Arrived) -> Finding {
    let Arrived { at, follows, arrived: there, requested, running, retry, lost } = *arrived;
    let warn = |what| Finding::new(&CHECK, Outcome::Warn, what).act(Action::Unpack);
    // Packed again since, and more than that time.
    let more = lists.filter(|lists| lists.at > at).and_then(|lists| lists.rows.follows).unwrap_or(0);
    let finding = if running > 0 {
        warn(say("follows_arrived_running").with(there).with(Part::from(follows)))
            .then(say("follows_arrived_running_then"))
    } else if retry > 0 {
        warn(say("follows_arrived_retry").with(retry).with(Part::from(follows)))
            .then(say("follows_arrived_retry_then"))
    } else if more > follows {
        warn(say("follows_arrived_more").with(more - follows))
    } else if follows == 0 {
        Finding::new(&CHECK, Outcome::Pass, say("follows_arrived_none"))
    } else if lost > 0 && there + requested == 0 {
        warn(say("follows_arrived_lost").with(lost)).then(say("follows_arrived_lost_then"))
    } else {
        let what = match (requested, lost) {
            (0, 0) => say("follows_arrived_pass").with(there),
            (_, 0) => say("follows_arrived_requested").with(there).with(Part::from(requested)),
            (0, _) => say("follows_arrived_but").with(there).with(Part::from(lost)),
            _ => say("follows_arrived_all").with(there).with(Part::from(requested)).with(Part::from(lost)),
        };
        let pass = Finding::new(&CHECK, Outcome::Pass, what);
        if lost > 0 { pass.act(Action::Unpack) } else { pass }
    };
    finding.noted(say("evidence_unpacked").with(follows), at).seen(
        &dossier.new.following,
        "evidence_own_account",
        [],
    )
}

/// Packed, and nothing is known of unpacking: by hand, perhaps, or in another browser.
fn packed(dossier: &Dossier, lists: &SavedLists) -> Finding {
    let Some(rows) = lists.rows.follows else {
        return Finding::new(&CHECK, Outcome::Unknown, say("follows_arrived_not_packed"))
            .waits_for("follows-saved");
    };
    if rows == 0 {
        return Finding::new(&CHECK, Outcome::Pass, say("follows_arrived_none"))
            .noted(say("evidence_packed"), lists.at);
    }
    let finding = match AccountFacts::value(&dossier.new.following) {
        None => not_seen(&CHECK, dossier, say("follows_arrived_not_seen"), Action::Unpack),
        Some(following) if *following < rows => {
            let what = say("follows_arrived_not_yet").with(rows).with(Part::from(*following));
            Finding::new(&CHECK, Outcome::Warn, what)
                .then(say("follows_arrived_not_yet_then"))
                .act(Action::Unpack)
        }
        // As many are not the same.
        Some(following) => {
            let what = say("follows_arrived_uncompared").with(*following).with(Part::from(rows));
            Finding::new(&CHECK, Outcome::Unknown, what).act(Action::Unpack)
        }
    };
    finding.noted(say("evidence_packed"), lists.at).seen(&dossier.new.following, "evidence_own_account", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::server::page::export::Counts;

    fn lists(at: i64, follows: Option<u64>) -> Option<SavedLists> {
        let rows = Counts { follows, ..Default::default() };
        Some(SavedLists { at: Time(at), rows, ..Default::default() })
    }

    #[test]
    fn without_an_unpacking_counts_alone_prove_nothing() {
        let case = |packed: Option<Option<u64>>, following: Option<u64>, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.saved.lists = packed.and_then(|rows| lists(1, rows));
                d.new.following = following.and_then(|n| known(n, 5));
                d.page = Some(PageKind::Imports);
            };
            expect(&CHECK, change, outcome, key, action);
        };
        case(None, Some(3), Outcome::Unknown, "follows_arrived_not_packed", Some("pack"));
        case(Some(None), Some(3), Outcome::Unknown, "follows_arrived_not_packed", None);
        case(Some(Some(0)), None, Outcome::Pass, "follows_arrived_none", None);
        case(Some(Some(34)), None, Outcome::Unknown, "follows_arrived_not_seen", Some("unpack"));
        case(Some(Some(34)), Some(2), Outcome::Warn, "follows_arrived_not_yet", Some("unpack"));
        case(Some(Some(34)), Some(34), Outcome::Unknown, "follows_arrived_uncompared", Some("unpack"));
        let nobody = |d: &mut Dossier| {
            d.old.counts = known(Counts { follows: Some(0), ..Default::default() }, 5);
        };
        expect(&CHECK, nobody, Outcome::Pass, "follows_arrived_none", None);
        // On the page of the move, that nothing is saved is said by another.
        let finding = expect_at(&CHECK, 9, |_| (), Outcome::Unknown, "follows_arrived_not_packed", None);
        assert_eq!(finding.waits_for, Some("follows-saved"));
    }

    #[test]
    fn tells_what_became_of_every_follow() {
        let case = |counts: [u64; 5], outcome, key: &str, action| {
            let [there, requested, running, retry, lost] = counts;
            let change = |d: &mut Dossier| {
                d.saved.lists = lists(1, Some(34));
                d.saved.arrived = Some(Arrived {
                    at: Time(50),
                    follows: counts.iter().sum(),
                    arrived: there,
                    requested,
                    running,
                    retry,
                    lost,
                });
            };
            let finding = expect_at(&CHECK, 1_000, change, outcome, key, action);
            assert_eq!(finding.evidence[0].at, Time(50));
        };
        case([34, 0, 0, 0, 0], Outcome::Pass, "follows_arrived_pass", None);
        case([30, 4, 0, 0, 0], Outcome::Pass, "follows_arrived_requested", None);
        case([30, 0, 0, 0, 4], Outcome::Pass, "follows_arrived_but", Some("unpack"));
        case([30, 2, 0, 0, 2], Outcome::Pass, "follows_arrived_all", Some("unpack"));
        case([0, 0, 0, 0, 34], Outcome::Warn, "follows_arrived_lost", Some("unpack"));
        case([30, 0, 0, 4, 0], Outcome::Warn, "follows_arrived_retry", Some("unpack"));
        case([10, 0, 24, 0, 0], Outcome::Warn, "follows_arrived_running", Some("unpack"));
        case([0, 0, 0, 0, 0], Outcome::Pass, "follows_arrived_none", None);
    }

    #[test]
    fn what_was_packed_afterwards_has_not_arrived() {
        let change = |d: &mut Dossier| {
            d.saved.lists = lists(60, Some(36));
            d.saved.arrived = Some(Arrived { at: Time(50), follows: 34, arrived: 34, ..Default::default() });
        };
        expect(&CHECK, change, Outcome::Warn, "follows_arrived_more", Some("unpack"));
    }
}
