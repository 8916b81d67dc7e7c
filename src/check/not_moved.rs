//! `not-moved`: neither account redirects already. A cooldown without a redirect is a move that broke in the middle, or
//! whose redirect was cancelled (facts 3.1, last paragraph; mastodon#17284).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Cooldown, Dossier, Redirect, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "not-moved",
    step: Step::Move,
    pages: &[
        PageKind::Migration,
        PageKind::Redirect,
        PageKind::Aliases,
        PageKind::Account,
        PageKind::Export,
        PageKind::Delete,
    ],
    needs: &[(Side::Old, Want::Migration), (Side::New, Want::Existence)],
    run,
};

const PAGE: Action = visit(Side::Old, "/settings/migration", "action_open_migration");

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let redirect = |facts| AccountFacts::value::<Redirect>(facts);
    if let Some(Redirect::To(target)) = redirect(&dossier.old.redirect) {
        // To where it was meant to go: that is no fault, except on the form, which would refuse it.
        let there =
            target.as_ref().zip(dossier.new_handle()).is_some_and(|(target, new)| target.is_same(new));
        if there && dossier.page != Some(PageKind::Migration) {
            return Finding::new(
                &CHECK,
                Outcome::Pass,
                say("not_moved_done")
                    .with(dossier.new_handle().map_or_else(|| Part::Text(String::new()), Part::from)),
            )
            .seen(&dossier.old.redirect, "evidence_migration_page", []);
        }
        let what = match target {
            Some(target) => say("not_moved_old").with(target),
            None => say("not_moved_old_somewhere"),
        };
        return Finding::new(&CHECK, Outcome::Stop, what).then(say("not_moved_old_then")).act(PAGE).seen(
            &dossier.old.redirect,
            "evidence_migration_page",
            [],
        );
    }
    if let Some(Redirect::To(target)) = redirect(&dossier.new.redirect) {
        let what = match (dossier.new_handle(), target) {
            (Some(new), Some(target)) => say("not_moved_new").with(new).with(target),
            (Some(new), None) => say("not_moved_new_somewhere").with(new),
            (None, _) => say("not_moved_new_unnamed"),
        };
        return Finding::new(&CHECK, Outcome::Stop, what)
            .then(say("not_moved_new_then"))
            .act(visit(Side::New, "/settings/migration", "action_open_new"))
            .seen(&dossier.new.redirect, "evidence_new_redirects", []);
    }
    if matches!(&dossier.old.cooldown, Some(known) if known.value != Cooldown::Over)
        && dossier.old.redirect.is_some()
    {
        // A redirect knows no cooldown (facts 3.2).
        let outcome = if dossier.page == Some(PageKind::Redirect) { Outcome::Warn } else { Outcome::Stop };
        return Finding::new(&CHECK, outcome, say("not_moved_half"))
            .then(say("not_moved_half_then"))
            .act(PAGE)
            .seen(&dossier.old.cooldown, "evidence_migration_page", []);
    }
    match &dossier.old.redirect {
        // Of the new account nothing is claimed that was not seen.
        Some(_) if dossier.new.redirect.is_none() => Finding::new(
            &CHECK,
            Outcome::Pass,
            say("not_moved_pass_old"),
        )
        .seen(&dossier.old.redirect, "evidence_migration_page", []),
        Some(_) => Finding::new(&CHECK, Outcome::Pass, say("not_moved_pass"))
            .seen(&dossier.old.redirect, "evidence_migration_page", [])
            .seen(&dossier.new.redirect, "evidence_found", []),
        None => not_seen(&CHECK, dossier, say("not_moved_not_seen"), PAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn names_a_redirect_and_a_half_done_move() {
        let to = |handle: &str| known(Redirect::To(handle.parse().ok()), 1);
        expect(&CHECK, |_| (), Outcome::Unknown, "not_moved_not_seen", Some("visit"));
        expect(
            &CHECK,
            |d| d.old.redirect = known(Redirect::None, 1),
            Outcome::Pass,
            "not_moved_pass_old",
            None,
        );
        let both = |d: &mut Dossier| {
            d.old.redirect = known(Redirect::None, 1);
            d.new.redirect = known(Redirect::None, 1);
        };
        expect(&CHECK, both, Outcome::Pass, "not_moved_pass", None);
        expect(
            &CHECK,
            |d| d.old.redirect = to("ana@x.example"),
            Outcome::Stop,
            "not_moved_old",
            Some("visit"),
        );
        expect(&CHECK, |d| d.old.redirect = to(""), Outcome::Stop, "not_moved_old_somewhere", Some("visit"));
        expect(
            &CHECK,
            |d| d.new.redirect = to("ana@x.example"),
            Outcome::Stop,
            "not_moved_new",
            Some("visit"),
        );
        let half = |d: &mut Dossier| {
            d.old.redirect = known(Redirect::None, 1);
            d.old.cooldown = known(Cooldown::Days(20), 1);
        };
        expect(&CHECK, half, Outcome::Stop, "not_moved_half", Some("visit"));
        let on_redirect = |d: &mut Dossier| {
            half(d);
            d.page = Some(PageKind::Redirect);
        };
        expect(&CHECK, on_redirect, Outcome::Warn, "not_moved_half", Some("visit"));
        // The move is done, and only the form would complain.
        expect(&CHECK, |d| d.old.redirect = to("ana@new.example"), Outcome::Pass, "not_moved_done", None);
        let on_form = |d: &mut Dossier| {
            d.old.redirect = to("ana@new.example");
            d.page = Some(PageKind::Migration);
        };
        expect(&CHECK, on_form, Outcome::Stop, "not_moved_old", Some("visit"));
    }
}
