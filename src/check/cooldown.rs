//! `cooldown`: a move is possible once in 30 days (facts 3.2); how many are left stands on the page (facts 1.5).

use super::{Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::say;
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Cooldown, Dossier, Redirect, Side};
use crate::trunk::steps::Step;
use crate::when::{DAY, Time};

pub static CHECK: Check = Check {
    id: "cooldown",
    step: Step::Move,
    pages: &[PageKind::Migration],
    needs: &[(Side::Old, Want::Migration)],
    run,
};

fn run(dossier: &Dossier, now: Time) -> Finding {
    let see = visit(Side::Old, "/settings/migration", "action_open_migration");
    let Some(known) = &dossier.old.cooldown else {
        return not_seen(&CHECK, dossier, say("cooldown_not_seen"), see);
    };
    // Days go by after the page was read.
    let passed = u64::try_from(now.since(known.at) / DAY).unwrap_or_default();
    let left = match known.value {
        Cooldown::Days(days) if passed >= days => {
            return not_seen(&CHECK, dossier, say("cooldown_not_seen"), see);
        }
        Cooldown::Days(days) => Cooldown::Days(days - passed),
        other => other,
    };
    let finding = match left {
        Cooldown::Over => Finding::new(&CHECK, Outcome::Pass, say("cooldown_pass")),
        Cooldown::Days(_) | Cooldown::Some => {
            let what = match left {
                Cooldown::Days(days) => say("cooldown_days").with(days),
                _ => say("cooldown_some"),
            };
            // Not to somebody whose account redirects already.
            let redirects = matches!(AccountFacts::value(&dossier.old.redirect), Some(Redirect::To(_)));
            let redirect = if redirects {
                visit(Side::Old, "/settings/migration", "action_open_migration")
            } else {
                visit(Side::Old, "/settings/migration/redirect/new", "action_redirect_only")
            };
            Finding::new(&CHECK, Outcome::Stop, what).then(say("cooldown_then")).act(redirect)
        }
    };
    finding.seen(&dossier.old.cooldown, "evidence_migration_page", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn counts_the_days_that_the_page_states() {
        expect(&CHECK, |_| (), Outcome::Unknown, "cooldown_not_seen", Some("visit"));
        let twelve = |d: &mut Dossier| d.old.cooldown = known(Cooldown::Days(12), 1);
        expect_at(&CHECK, 11 * DAY + 1, twelve, Outcome::Stop, "cooldown_days", Some("visit"));
        expect_at(&CHECK, 12 * DAY + 1, twelve, Outcome::Unknown, "cooldown_not_seen", Some("visit"));
        expect(&CHECK, |d| d.old.cooldown = known(Cooldown::Over, 1), Outcome::Pass, "cooldown_pass", None);
        expect(
            &CHECK,
            |d| d.old.cooldown = known(Cooldown::Days(12), 1),
            Outcome::Stop,
            "cooldown_days",
            Some("visit"),
        );
        expect(
            &CHECK,
            |d| d.old.cooldown = known(Cooldown::Some, 1),
            Outcome::Stop,
            "cooldown_some",
            Some("visit"),
        );
    }
}
