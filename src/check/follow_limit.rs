//! `follow-limit`: 7,500 follows, and from there on a tenth more than one has followers (facts 6.1, "Follow limit"). Servers may set
//! another limit, and no API tells it.

use super::{Action, Check, Finding, Outcome, not_seen};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Dossier, Side};
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "follow-limit",
    pages: &[PageKind::Migration, PageKind::Imports],
    needs: &[(Side::Old, Want::Counts), (Side::New, Want::Account), (Side::New, Want::Existence)],
    run,
};

const THRESHOLD: u64 = 7_500;

/// Who follows fewer than 7,500 may follow 7,500, however many followers there are; only then does a tenth more than the
/// followers count.
fn limit(following: u64, followers: u64) -> u64 {
    if following < THRESHOLD { THRESHOLD } else { THRESHOLD.max(followers.saturating_mul(11) / 10) }
}

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let follows = dossier.old.counts.as_ref().and_then(|known| known.value.follows);
    let Some(follows) = follows else {
        return not_seen(&CHECK, dossier, say("follow_limit_not_seen"), Action::LookAgain);
    };
    let known = |fact| AccountFacts::value::<u64>(fact).copied().unwrap_or(0);
    let limit = limit(known(&dossier.new.following), known(&dossier.new.followers));
    let finding = if follows <= limit {
        Finding::new(&CHECK, Outcome::Pass, say("follow_limit_pass").with(follows))
    } else {
        let over = say("follow_limit_over").with(follows).with(Part::from(limit));
        Finding::new(&CHECK, Outcome::Warn, over).then(say("follow_limit_then")).act(Action::LookAgain)
    };
    finding.seen(&dossier.old.counts, "evidence_export_page", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::server::page::export::Counts;

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
        case(8_800, 7_500, 8_000, Outcome::Pass, "follow_limit_pass", None);
        case(8_801, 7_500, 8_000, Outcome::Warn, "follow_limit_over", Some("look-again"));
        expect(&CHECK, |_| (), Outcome::Unknown, "follow_limit_not_seen", Some("look-again"));
    }
}
