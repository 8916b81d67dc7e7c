//! `lists-saved`: mutes, blocks, domain blocks, lists, bookmarks and filters stay behind as well (facts 3.4, 5).

use super::{Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::say;
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
    let finding = match counted {
        0 => Finding::new(&CHECK, Outcome::Pass, say("lists_saved_none")),
        entries => Finding::new(&CHECK, Outcome::Warn, say("lists_saved_never").with(entries))
            .then(say("lists_saved_then"))
            .act(see),
    };
    finding.seen(&dossier.old.counts, "evidence_export_page", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::server::page::export::Counts;

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
            Some("visit"),
        );
    }
}
