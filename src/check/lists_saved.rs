//! `lists-saved`: mutes, blocks, domain blocks, lists, bookmarks and filters stay behind as well (facts 3.4, 5).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{Dossier, Side};
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "lists-saved",
    pages: &[PageKind::Migration, PageKind::Redirect, PageKind::Export, PageKind::Delete],
    needs: &[(Side::Old, Want::Counts)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let see = visit(Side::Old, "/settings/export", "action_open_export");
    let counted = dossier.old.counts.as_ref().and_then(|known| known.value.besides_follows());
    let Some(counted) = counted else {
        return not_seen(&CHECK, dossier, say("lists_saved_not_seen"), see);
    };
    let warn =
        |what| Finding::new(&CHECK, Outcome::Warn, what).then(say("lists_saved_then")).act(Action::Pack);
    let finding = match &dossier.saved.lists {
        None if counted == 0 => Finding::new(&CHECK, Outcome::Pass, say("lists_saved_none")),
        None => warn(say("lists_saved_never").with(counted)),
        Some(saved) => {
            let kept = saved.rows.besides_follows().unwrap_or(0);
            if kept < counted {
                warn(say("lists_saved_more").with(counted - kept).with(Part::Day(saved.at)))
            } else if saved.lacking > 0 {
                warn(say("lists_saved_lacking").with(saved.lacking))
            } else {
                let what = say("lists_saved_pass").with(kept).with(Part::Day(saved.at));
                Finding::new(&CHECK, Outcome::Pass, what)
            }
        }
    };
    finding.seen(&dossier.old.counts, "evidence_export_page", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::server::page::export::Counts;
    use crate::trunk::dossier::SavedLists;

    #[test]
    fn adds_up_what_stays_behind() {
        let counts = |mutes, lists| known(Counts { mutes, lists, follows: Some(9), ..Default::default() }, 5);
        expect(&CHECK, |_| (), Outcome::Unknown, "lists_saved_not_seen", Some("visit"));
        expect(&CHECK, |d| d.old.counts = counts(Some(0), None), Outcome::Pass, "lists_saved_none", None);
        expect(
            &CHECK,
            |d| d.old.counts = counts(Some(3), Some(2)),
            Outcome::Warn,
            "lists_saved_never",
            Some("pack"),
        );
        let saved = |mutes, lacking| {
            let rows = Counts { mutes: Some(mutes), lists: Some(2), ..Default::default() };
            Some(SavedLists { at: Time(1), rows, lacking, ..Default::default() })
        };
        for (kept, lacking, outcome, key, action) in [
            (3, 0, Outcome::Pass, "lists_saved_pass", None),
            (1, 0, Outcome::Warn, "lists_saved_more", Some("pack")),
            (3, 2, Outcome::Warn, "lists_saved_lacking", Some("pack")),
        ] {
            let change = |d: &mut Dossier| {
                d.old.counts = counts(Some(3), Some(2));
                d.saved.lists = saved(kept, lacking);
            };
            expect(&CHECK, change, outcome, key, action);
        }
    }
}
