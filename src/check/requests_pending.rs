//! `requests-pending`: people who wait to be let in are no followers yet, and do not come along (mastodon#39826).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::say;
use crate::server::page::PageKind;
use crate::trunk::dossier::{Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "requests-pending",
    step: Step::Move,
    pages: &[PageKind::Migration, PageKind::Redirect, PageKind::Delete],
    needs: &[(Side::Old, Want::Account)],
    run,
};

/// The server counts no further (facts 7, `verify_credentials`).
const MOST_COUNTED: u64 = 40;

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let Some(known) = &dossier.old.follow_requests else {
        return not_seen(&CHECK, dossier, say("requests_pending_not_seen"), Action::LookAgain);
    };
    let finding = match known.value {
        0 => Finding::new(&CHECK, Outcome::Pass, say("requests_pending_pass")),
        waiting => {
            let key = if waiting >= MOST_COUNTED { "requests_pending_many" } else { "requests_pending_some" };
            Finding::new(&CHECK, Outcome::Warn, say(key).with(waiting))
                .then(say("requests_pending_then"))
                .act(visit(Side::Old, "/follow_requests", "action_open_requests"))
        }
    };
    finding.seen(&dossier.old.follow_requests, "evidence_own_account", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn counts_who_waits() {
        expect(&CHECK, |_| (), Outcome::Unknown, "requests_pending_not_seen", Some("look-again"));
        expect(&CHECK, |d| d.old.follow_requests = known(0, 5), Outcome::Pass, "requests_pending_pass", None);
        expect(
            &CHECK,
            |d| d.old.follow_requests = known(2, 5),
            Outcome::Warn,
            "requests_pending_some",
            Some("visit"),
        );
        expect(
            &CHECK,
            |d| d.old.follow_requests = known(40, 5),
            Outcome::Warn,
            "requests_pending_many",
            Some("visit"),
        );
    }
}
