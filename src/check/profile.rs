//! `profile`: a move takes no name, bio, fields or pictures along (facts 3.4); followers meet an account that they do not
//! know.

use super::{Action, Check, Finding, Outcome, listed, not_seen};
use crate::job::survey::Want;
use crate::say::{Say, say};
use crate::server::page::PageKind;
use crate::server::profile::Shown;
use crate::trunk::dossier::{Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "profile",
    step: Step::Prepare,
    pages: &[PageKind::Migration, PageKind::Profile],
    needs: &[(Side::Old, Want::Account), (Side::New, Want::Account)],
    run,
};

/// What the old profile has and the new one has nothing of. Something else there is the person's own choice.
fn lacking(old: &Shown, new: &Shown) -> Vec<Say> {
    [
        (old.name && !new.name, "profile_part_name"),
        (old.note && !new.note, "profile_part_note"),
        (old.fields > 0 && new.fields == 0, "profile_part_fields"),
        (old.avatar && !new.avatar, "profile_part_avatar"),
        (old.header && !new.header, "profile_part_header"),
    ]
    .into_iter()
    .filter(|(lacks, _)| *lacks)
    .map(|(_, key)| say(key))
    .collect()
}

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let Some(new) = dossier.new_handle() else {
        return not_seen(&CHECK, dossier, say("profile_no_account"), Action::OpenDesk);
    };
    let (Some(before), Some(after)) = (&dossier.old.profile, &dossier.new.profile) else {
        let key = if dossier.old.profile.is_none() { "profile_not_seen_old" } else { "profile_not_seen" };
        return not_seen(&CHECK, dossier, say(key).with(new), Action::LookAgain);
    };
    let finding = match listed(lacking(&before.value, &after.value)) {
        Some(parts) => Finding::new(&CHECK, Outcome::Warn, say("profile_lacks").with(new).with(parts))
            .then(say("profile_lacks_then"))
            .act(Action::Profile),
        None => Finding::new(&CHECK, Outcome::Pass, say("profile_pass").with(new)),
    };
    finding.seen(&dossier.new.profile, "evidence_own_account", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn names_what_the_new_profile_has_nothing_of() {
        let full = Shown { name: true, note: true, fields: 2, avatar: true, header: false };
        expect(&CHECK, |_| (), Outcome::Unknown, "profile_not_seen_old", Some("look-again"));
        let half = |d: &mut Dossier| d.old.profile = known(full.clone(), 5);
        expect(&CHECK, half, Outcome::Unknown, "profile_not_seen", Some("look-again"));
        let both = |old: &Shown, new: Shown, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.old.profile = known(old.clone(), 5);
                d.new.profile = known(new, 5);
            };
            expect(&CHECK, change, outcome, key, action);
        };
        both(&full, Shown::default(), Outcome::Warn, "profile_lacks", Some("profile"));
        both(&full, Shown { fields: 1, ..full.clone() }, Outcome::Pass, "profile_pass", None);
        both(&Shown::default(), Shown::default(), Outcome::Pass, "profile_pass", None);
        let parts = lacking(&full, &Shown { name: true, header: true, ..Shown::default() });
        let keys: Vec<&str> = parts.iter().map(|say| say.key.as_str()).collect();
        assert_eq!(keys, ["profile_part_note", "profile_part_fields", "profile_part_avatar"]);
    }
}
