//! `follow-limit`: 7,500 follows, or a tenth more than one has followers (facts 6.1, "Follow limit"). Servers may set
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

fn limit(followers: u64) -> u64 {
    THRESHOLD.max(followers.saturating_mul(11) / 10)
}

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let follows = dossier.old.counts.as_ref().and_then(|known| known.value.follows);
    let Some(follows) = follows else {
        return not_seen(&CHECK, dossier, say("follow_limit_not_seen"), Action::LookAgain);
    };
    // Followers who arrive raise the limit: the move itself brings those of the old account.
    let followers = AccountFacts::value(&dossier.new.followers).copied().unwrap_or(0);
    let now = limit(followers);
    let finding = if follows <= now {
        Finding::new(&CHECK, Outcome::Pass, say("follow_limit_pass").with(follows))
    } else {
        let later =
            AccountFacts::value(&dossier.old.followers).map(|old| limit(followers.saturating_add(*old)));
        let then = match later {
            Some(later) if later >= follows => say("follow_limit_then_later"),
            _ => say("follow_limit_then"),
        };
        let over = say("follow_limit_over").with(follows).with(Part::from(now));
        Finding::new(&CHECK, Outcome::Warn, over).then(then).act(Action::LookAgain)
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
        let case = |follows, followers: Option<u64>, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.old.counts = known(Counts { follows: Some(follows), ..Default::default() }, 5);
                d.new.followers = followers.and_then(|n| known(n, 5));
            };
            expect(&CHECK, change, outcome, key, action);
        };
        case(34, None, Outcome::Pass, "follow_limit_pass", None);
        case(7_500, Some(0), Outcome::Pass, "follow_limit_pass", None);
        case(7_501, Some(0), Outcome::Warn, "follow_limit_over", Some("look-again"));
        case(8_800, Some(8_000), Outcome::Pass, "follow_limit_pass", None);
        case(8_801, Some(8_000), Outcome::Warn, "follow_limit_over", Some("look-again"));
        expect(&CHECK, |_| (), Outcome::Unknown, "follow_limit_not_seen", Some("look-again"));
    }
}
