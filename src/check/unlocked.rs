//! `unlocked`: a locked new account turns arriving followers into requests, to be accepted one by one (facts 3.4;
//! mastodon#19188: 700 of them).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::say;
use crate::server::page::PageKind;
use crate::server::version::Version;
use crate::trunk::dossier::{AccountFacts, Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "unlocked",
    step: Step::Prepare,
    pages: &[PageKind::Migration, PageKind::Aliases, PageKind::Profile],
    needs: &[(Side::New, Want::Account), (Side::New, Want::Existence)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let Some(new) = dossier.new_handle() else {
        return not_seen(&CHECK, dossier, say("unlocked_no_account"), Action::OpenDesk);
    };
    let Some(locked) = &dossier.new.locked else {
        return not_seen(&CHECK, dossier, say("unlocked_not_seen").with(new), Action::LookAgain);
    };
    let finding = if locked.value {
        let what = match AccountFacts::value(&dossier.old.followers) {
            Some(followers) => say("unlocked_locked_many").with(new).with(*followers),
            None => say("unlocked_locked").with(new),
        };
        // The switch stood on the profile page until 4.1 (facts 1.3).
        let modern = AccountFacts::value(&dossier.new.version).is_none_or(Version::has_privacy_page);
        let path = if modern { "/settings/privacy" } else { "/settings/profile" };
        Finding::new(&CHECK, Outcome::Warn, what).then(say("unlocked_then")).act(visit(
            Side::New,
            path,
            "action_open_privacy",
        ))
    } else {
        Finding::new(&CHECK, Outcome::Pass, say("unlocked_pass").with(new))
    };
    finding.seen(&dossier.new.locked, "evidence_locked", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn warns_of_a_locked_new_account() {
        expect(&CHECK, |_| (), Outcome::Unknown, "unlocked_not_seen", Some("look-again"));
        expect(&CHECK, |d| d.new.locked = known(false, 5), Outcome::Pass, "unlocked_pass", None);
        expect(&CHECK, |d| d.new.locked = known(true, 5), Outcome::Warn, "unlocked_locked", Some("visit"));
        let many = |d: &mut Dossier| {
            d.new.locked = known(true, 5);
            d.old.followers = known(700, 5);
        };
        expect(&CHECK, many, Outcome::Warn, "unlocked_locked_many", Some("visit"));
    }
}
