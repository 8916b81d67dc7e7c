//! `follows-saved`: Mastodon moves followers, not the list of those whom one follows (facts 3.4, last row).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::{DAY, Time};

pub static CHECK: Check = Check {
    id: "follows-saved",
    step: Step::Pack,
    pages: &[PageKind::Migration, PageKind::Redirect, PageKind::Export, PageKind::Delete],
    needs: &[(Side::Old, Want::Counts)],
    run,
};

fn run(dossier: &Dossier, now: Time) -> Finding {
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
        Some((at, rows)) => {
            let what = say("follows_saved_pass").with(rows).with(Part::Day(at));
            let pass = Finding::new(&CHECK, Outcome::Pass, what);
            if rows > follows {
                // No loss: whom one does not follow any more is in the copy all the same.
                pass.then(say("follows_saved_fewer").with(follows))
            } else if now.since(at) > DAY {
                // As many are not the same, and a count is all that the page tells.
                pass.then(say("follows_saved_same").with(follows))
            } else {
                pass
            }
        }
    };
    let finding = match saved {
        Some((at, _)) => finding.noted(say("evidence_packed"), at),
        None => finding,
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
        case(30, Some(34), Outcome::Pass, "follows_saved_pass", None);
        expect(&CHECK, |_| (), Outcome::Unknown, "follows_saved_not_seen", Some("visit"));
    }

    #[test]
    fn says_what_a_count_cannot_tell() {
        for (now, follows, then) in
            [(2, 34, None), (2 * DAY, 34, Some("follows_saved_same")), (2, 30, Some("follows_saved_fewer"))]
        {
            let change = |d: &mut Dossier| {
                d.old.counts = known(Counts { follows: Some(follows), ..Default::default() }, 1);
                let rows = Counts { follows: Some(34), ..Default::default() };
                d.saved.lists = Some(SavedLists { at: Time(1), rows, ..Default::default() });
            };
            let finding = expect_at(&CHECK, now, change, Outcome::Pass, "follows_saved_pass", None);
            assert_eq!(finding.then.as_ref().map(|then| then.key.as_str()), then);
            assert_eq!(finding.evidence.len(), 2);
        }
    }
}
