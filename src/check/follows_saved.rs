//! `follows-saved`: Mastodon moves followers, not the list of those whom one follows (facts 3.4, last row).

use super::{Check, Finding, Outcome, not_seen, visit};
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
    let stop = |what| {
        Finding::new(&CHECK, Outcome::Stop, what).then(say("follows_saved_then")).act(visit(
            Side::Old,
            "/settings/exports/follows.csv",
            "action_download_follows",
        ))
    };
    let finding = match &dossier.saved.follows {
        _ if follows == 0 => Finding::new(&CHECK, Outcome::Pass, say("follows_saved_none")),
        None => stop(say("follows_saved_never").with(follows)),
        Some(saved) if saved.rows < follows => {
            stop(say("follows_saved_more").with(follows - saved.rows).with(Part::Day(saved.at)))
        }
        Some(saved) => Finding::new(&CHECK, Outcome::Pass, say("follows_saved_pass").with(saved.rows)),
    };
    finding.seen(&dossier.old.counts, "evidence_export_page", [])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::server::page::export::Counts;
    use crate::trunk::dossier::SavedFollows;

    #[test]
    fn compares_the_saved_rows_with_the_count_now() {
        let case = |follows: u64, saved: Option<u64>, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.old.counts = known(Counts { follows: Some(follows), ..Default::default() }, 5);
                d.saved.follows = saved.map(|rows| SavedFollows { at: Time(1), rows });
            };
            expect(&CHECK, change, outcome, key, action);
        };
        case(0, None, Outcome::Pass, "follows_saved_none", None);
        case(34, None, Outcome::Stop, "follows_saved_never", Some("visit"));
        case(34, Some(34), Outcome::Pass, "follows_saved_pass", None);
        case(34, Some(30), Outcome::Stop, "follows_saved_more", Some("visit"));
        expect(&CHECK, |_| (), Outcome::Unknown, "follows_saved_not_seen", Some("visit"));
    }
}
