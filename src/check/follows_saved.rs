//! `follows-saved`: Mastodon moves followers, not the list of those whom one follows (facts 3.4, last row).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{Dossier, Side};
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "follows-saved",
    pages: &[PageKind::Migration, PageKind::Redirect, PageKind::Export, PageKind::Delete],
    needs: &[(Side::Old, Want::Counts)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let follows = dossier.old.counts.as_ref().and_then(|known| known.value.follows);
    let Some(follows) = follows else {
        let see = visit(Side::Old, "/settings/export", "action_open_export");
        return not_seen(&CHECK, dossier, say("follows_saved_not_seen"), see);
    };
    let stop =
        |what| Finding::new(&CHECK, Outcome::Stop, what).then(say("follows_saved_then")).act(Action::Pack);
    let saved = dossier.saved.lists.as_ref().and_then(|lists| Some((lists.at, lists.rows.follows?)));
    let finding = match saved {
        _ if follows == 0 => Finding::new(&CHECK, Outcome::Pass, say("follows_saved_none")),
        None => stop(say("follows_saved_never").with(follows)),
        Some((at, rows)) if rows < follows => {
            stop(say("follows_saved_more").with(follows - rows).with(Part::Day(at)))
        }
        // Fewer are no loss: whom one does not follow any more is in the copy all the same.
        Some((at, rows)) => {
            let what = say("follows_saved_pass").with(rows).with(Part::Day(at));
            Finding::new(&CHECK, Outcome::Pass, what)
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
    fn compares_the_saved_rows_with_the_count_now() {
        let case = |follows: u64, saved: Option<u64>, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.old.counts = known(Counts { follows: Some(follows), ..Default::default() }, 5);
                let rows = |rows| Counts { follows: Some(rows), ..Default::default() };
                d.saved.lists =
                    saved.map(|saved| SavedLists { at: Time(1), rows: rows(saved), ..Default::default() });
            };
            expect(&CHECK, change, outcome, key, action);
        };
        case(0, None, Outcome::Pass, "follows_saved_none", None);
        case(34, None, Outcome::Stop, "follows_saved_never", Some("pack"));
        case(34, Some(34), Outcome::Pass, "follows_saved_pass", None);
        case(34, Some(30), Outcome::Stop, "follows_saved_more", Some("pack"));
        expect(&CHECK, |_| (), Outcome::Unknown, "follows_saved_not_seen", Some("visit"));
    }
}
