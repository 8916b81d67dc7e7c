//! `follow-limit`: 7,500 follows, and from there on a tenth more than one has followers (facts 6.1, "Follow limit"). Servers may set
//! another limit, and no API tells it.

use super::{Action, Check, Finding, Outcome, not_seen};
use crate::job::survey::Want;
use crate::list::follow_limit;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "follow-limit",
    step: Step::Unpack,
    pages: &[PageKind::Migration, PageKind::Imports],
    needs: &[(Side::Old, Want::Counts), (Side::New, Want::Account), (Side::New, Want::Existence)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let counted = dossier.old.counts.as_ref().and_then(|known| known.value.follows);
    let packed = dossier.saved.lists.as_ref().and_then(|lists| Some((lists.at, lists.rows.follows?)));
    // What is packed is what is imported.
    let Some(follows) = packed.map(|(_, rows)| rows).or(counted) else {
        return not_seen(&CHECK, dossier, say("follow_limit_not_seen"), Action::LookAgain);
    };
    let known = |fact| AccountFacts::value::<u64>(fact).copied().unwrap_or(0);
    let following = known(&dossier.new.following);
    let limit = follow_limit(known(&dossier.new.followers), following);
    // Some of them may be followed already; who has arrived certainly is.
    let there = dossier.saved.arrived.as_ref().map_or(0, |arrived| arrived.arrived + arrived.requested);
    let still = follows.saturating_sub(there);
    let act = if packed.is_some() { Action::Unpack } else { Action::LookAgain };
    let warn = |what| Finding::new(&CHECK, Outcome::Warn, what).then(say("follow_limit_then")).act(act);
    let finding = if following.saturating_add(still) <= limit {
        Finding::new(&CHECK, Outcome::Pass, say("follow_limit_pass").with(follows))
    } else if following == 0 {
        warn(say("follow_limit_over").with(follows).with(Part::from(limit)))
    } else {
        warn(say("follow_limit_both").with(still).with(Part::from(following)).with(Part::from(limit)))
    };
    let finding = match packed {
        Some((at, _)) => finding.noted(say("evidence_packed"), at),
        None => finding.seen(&dossier.old.counts, "evidence_export_page", []),
    };
    finding.seen(&dossier.new.following, "evidence_own_account", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::server::page::export::Counts;
    use crate::trunk::dossier::{Arrived, SavedLists};

    #[test]
    fn knows_mastodons_own_rule() {
        let case = |follows, following: u64, followers: u64, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.old.counts = known(Counts { follows: Some(follows), ..Default::default() }, 5);
                d.new.followers = known(followers, 5);
                d.new.following = known(following, 5);
            };
            expect(&CHECK, change, outcome, key, action);
        };
        case(34, 0, 0, Outcome::Pass, "follow_limit_pass", None);
        case(7_500, 0, 0, Outcome::Pass, "follow_limit_pass", None);
        case(7_501, 0, 0, Outcome::Warn, "follow_limit_over", Some("look-again"));
        // Followers do not help before 7,500 are followed.
        case(8_800, 0, 8_000, Outcome::Warn, "follow_limit_over", Some("look-again"));
        case(1_300, 7_500, 8_000, Outcome::Pass, "follow_limit_pass", None);
        case(1_301, 7_500, 8_000, Outcome::Warn, "follow_limit_both", Some("look-again"));
        case(7_000, 600, 0, Outcome::Warn, "follow_limit_both", Some("look-again"));
        expect(&CHECK, |_| (), Outcome::Unknown, "follow_limit_not_seen", Some("look-again"));
    }

    #[test]
    fn counts_what_is_packed_and_who_has_arrived() {
        let case = |packed, following, arrived, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                let counts = |follows| Counts { follows: Some(follows), ..Default::default() };
                // The page's counter is of another day.
                d.old.counts = known(counts(9), 5);
                d.saved.lists = Some(SavedLists { at: Time(1), rows: counts(packed), ..Default::default() });
                d.new.following = known(following, 5);
                d.saved.arrived = Some(Arrived {
                    at: Time(2),
                    follows: packed,
                    arrived,
                    requested: 50,
                    ..Default::default()
                });
            };
            expect(&CHECK, change, outcome, key, action);
        };
        case(7_600, 0, 0, Outcome::Warn, "follow_limit_over", Some("unpack"));
        case(7_600, 7_400, 7_400, Outcome::Warn, "follow_limit_both", Some("unpack"));
        case(7_450, 7_400, 7_400, Outcome::Pass, "follow_limit_pass", None);
    }
}
