//! `lists-saved`: mutes, blocks, domain blocks, lists, bookmarks and filters stay behind as well (facts 3.4, 5).

use super::{Action, Check, Finding, Outcome, listed, not_seen, visit};
use crate::job::survey::Want;
use crate::list::Kind;
use crate::say::{Part, Say, say};
use crate::server::page::PageKind;
use crate::server::page::export::Counts;
use crate::trunk::dossier::{AccountFacts, Dossier, Side};
use crate::trunk::kind_name;
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "lists-saved",
    step: Step::Pack,
    pages: &[PageKind::Migration, PageKind::Redirect, PageKind::Export, PageKind::Delete],
    needs: &[(Side::Old, Want::Counts)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let see = visit(Side::Old, "/settings/export", "action_open_export");
    let known = AccountFacts::value(&dossier.old.counts);
    let Some((now, counted)) = known.and_then(|now| Some((now, now.besides_follows()?))) else {
        return not_seen(&CHECK, dossier, say("lists_saved_not_seen"), see);
    };
    let warn =
        |what| Finding::new(&CHECK, Outcome::Warn, what).then(say("lists_saved_then")).act(Action::Pack);
    let finding = match &dossier.saved.lists {
        None if counted == 0 => Finding::new(&CHECK, Outcome::Pass, say("lists_saved_none")),
        None => warn(say("lists_saved_never").with(counted)),
        Some(saved) => {
            let kept = saved.rows.besides_follows().unwrap_or(0);
            let added = added(now, &saved.rows);
            let more: u64 = added.iter().map(|(_, more)| more).sum();
            if let Some(kinds) = listed(added.into_iter().map(of_kind).collect()) {
                warn(say("lists_saved_more").with(more).with(Part::Day(saved.at)).with(kinds))
            } else if saved.lacking > 0 {
                warn(say("lists_saved_lacking").with(saved.lacking))
            } else {
                let what = say("lists_saved_pass").with(kept).with(Part::Day(saved.at));
                Finding::new(&CHECK, Outcome::Pass, what)
            }
        }
    };
    let finding = match &dossier.saved.lists {
        Some(saved) => finding.noted(say("evidence_packed"), saved.at),
        None => finding,
    };
    finding.seen(&dossier.old.counts, "evidence_export_page", [])
}

/// Of which kinds there are more now than in the copy. One by one: a bookmark that was taken away makes no mute good.
fn added(now: &Counts, kept: &Counts) -> Vec<(Kind, u64)> {
    let pairs = now.of_kinds().into_iter().zip(kept.of_kinds());
    pairs
        .filter(|((kind, _), _)| *kind != Kind::Follows)
        .map(|((kind, now), (_, kept))| (kind, now.unwrap_or(0).saturating_sub(kept.unwrap_or(0))))
        .filter(|(_, more)| *more > 0)
        .collect()
}

fn of_kind((kind, more): (Kind, u64)) -> Say {
    // The page counts lists, not their members.
    let name = if kind == Kind::Lists { "pack_part_list_settings" } else { kind_name(kind) };
    say("lists_saved_kind").with(more).with(Part::Say(Box::new(say(name))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
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

    #[test]
    fn one_kind_makes_no_other_good() {
        let finding = expect_at(
            &CHECK,
            9,
            |d| {
                let now = Counts { mutes: Some(5), bookmarks: Some(2), lists: Some(3), ..Default::default() };
                d.old.counts = known(now, 5);
                let rows =
                    Counts { mutes: Some(3), bookmarks: Some(9), lists: Some(2), ..Default::default() };
                d.saved.lists = Some(SavedLists { at: Time(1), rows, ..Default::default() });
            },
            Outcome::Warn,
            "lists_saved_more",
            Some("pack"),
        );
        assert_eq!(finding.what.parts[0], Part::Number(3));
    }
}
