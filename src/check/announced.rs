//! `announced`: nobody is told of a move by the servers (facts 3.5); a post on the new account that names the old one tells
//! people, and shows those who look that both are the same person's.

use super::{Action, Check, Finding, Outcome, not_seen};
use crate::job::survey::Want;
use crate::say::say;
use crate::server::page::PageKind;
use crate::trunk::dossier::{Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "announced",
    step: Step::Arrivals,
    pages: &[PageKind::Migration],
    needs: &[(Side::New, Want::Announced)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let (Some(old), Some(new)) = (dossier.old_handle(), dossier.new_handle()) else {
        return not_seen(&CHECK, dossier, say("announced_no_account"), Action::OpenDesk);
    };
    let Some(named) = &dossier.new.announced else {
        return not_seen(&CHECK, dossier, say("announced_not_seen").with(new), Action::LookAgain);
    };
    let finding = if named.value.iter().any(|handle| handle.is_same(old)) {
        Finding::new(&CHECK, Outcome::Pass, say("announced_pass").with(new).with(old))
    } else {
        Finding::new(&CHECK, Outcome::Warn, say("announced_none").with(new).with(old))
            .then(say("announced_then"))
            .act(Action::Announce)
    };
    finding.seen(&dossier.new.announced, "evidence_own_posts", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn only_a_post_that_names_the_old_account_counts() {
        let named = |handles: &'static [&str]| {
            move |d: &mut Dossier| {
                d.new.announced = known(handles.iter().map(|handle| handle.parse().unwrap()).collect(), 5);
            }
        };
        expect(&CHECK, |_| (), Outcome::Unknown, "announced_not_seen", Some("look-again"));
        expect(&CHECK, named(&[]), Outcome::Warn, "announced_none", Some("announce"));
        expect(&CHECK, named(&["ben@old.example"]), Outcome::Warn, "announced_none", Some("announce"));
        expect(&CHECK, named(&["Ana@OLD.example"]), Outcome::Pass, "announced_pass", None);
    }
}
