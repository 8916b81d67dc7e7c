//! `server-healthy`: a move is one try in 30 days; not while the server stumbles (mastodon#21442). A server that is being
//! closed for good lets nobody move any more, and nobody arrive (facts 1.7, "Self-destruct").

use super::{Action, Check, Finding, Outcome, not_seen};
use crate::job::survey::Want;
use crate::say::say;
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Dossier, Health, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "server-healthy",
    step: Step::Accounts,
    pages: &[PageKind::Migration],
    needs: &[(Side::Old, Want::Account)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let closing = |facts: &AccountFacts| AccountFacts::value(&facts.health) == Some(&Health::Closing);
    if closing(&dossier.new) && !closing(&dossier.old) {
        return Finding::new(&CHECK, Outcome::Stop, say("server_healthy_new_closing"))
            .then(say("server_healthy_new_closing_then"))
            .act(Action::OpenDesk)
            .seen(&dossier.new.health, "evidence_last_answer", []);
    }
    let Some(known) = &dossier.old.health else {
        return not_seen(&CHECK, dossier, say("server_healthy_not_seen"), Action::LookAgain);
    };
    let warn = |key| {
        Finding::new(&CHECK, Outcome::Warn, say(key)).then(say("server_healthy_then")).act(Action::LookAgain)
    };
    let finding = match known.value {
        Health::Answers => Finding::new(&CHECK, Outcome::Pass, say("server_healthy_pass")),
        Health::Busy => warn("server_healthy_busy"),
        Health::Broken => warn("server_healthy_broken"),
        Health::Silent => warn("server_healthy_silent"),
        Health::Closing => Finding::new(&CHECK, Outcome::Stop, say("server_healthy_closing"))
            .then(say("server_healthy_closing_then"))
            .act(Action::Pack),
    };
    finding.seen(&dossier.old.health, "evidence_last_answer", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn warns_while_the_server_stumbles() {
        expect(&CHECK, |_| (), Outcome::Unknown, "server_healthy_not_seen", Some("look-again"));
        expect(
            &CHECK,
            |d| d.old.health = known(Health::Answers, 5),
            Outcome::Pass,
            "server_healthy_pass",
            None,
        );
        for (health, key) in [
            (Health::Busy, "server_healthy_busy"),
            (Health::Broken, "server_healthy_broken"),
            (Health::Silent, "server_healthy_silent"),
        ] {
            expect(&CHECK, |d| d.old.health = known(health, 5), Outcome::Warn, key, Some("look-again"));
        }
        let closing = |d: &mut Dossier| d.old.health = known(Health::Closing, 5);
        expect(&CHECK, closing, Outcome::Stop, "server_healthy_closing", Some("pack"));
        let new = |d: &mut Dossier| {
            d.old.health = known(Health::Answers, 5);
            d.new.health = known(Health::Closing, 5);
        };
        expect(&CHECK, new, Outcome::Stop, "server_healthy_new_closing", Some("open-desk"));
    }
}
