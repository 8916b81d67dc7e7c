//! `alias`: the new account lists this account's actor URI.
//!
//! Its own alias page is asked first: reading the public document before the alias is there makes the new server show
//! that copy for three minutes, and the move is refused meanwhile (facts 13, "Alias").

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, AliasRow, Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::{MINUTE, Time};

pub static CHECK: Check = Check {
    id: "alias",
    step: Step::Prepare,
    pages: &[PageKind::Migration, PageKind::Aliases],
    needs: &[(Side::New, Want::Aliases), (Side::New, Want::Actor), (Side::Old, Want::Account)],
    run,
};

/// How long a server goes on showing a document that it rendered (facts 13, "Alias": until second 180).
pub(super) const DOCUMENT_LIFE: i64 = 3 * MINUTE;

/// Where the alias stands, by the latest evidence.
#[derive(Debug, PartialEq)]
pub(super) enum Standing<'a> {
    Listed(&'a AliasRow),
    /// Seen in the public document.
    Public,
    /// Listed on the page, but a document read more than three minutes after it was there is without it.
    Contradicted,
    Missing,
    Unknown,
}

pub(super) fn standing(dossier: &Dossier) -> Standing<'_> {
    let Some(old) = dossier.old_handle() else { return Standing::Unknown };
    let public = dossier.new.actor.as_ref().zip(dossier.old.uri.as_ref());
    let public = public.map(|(actor, uri)| (actor.at, actor.value.also_known_as.contains(&uri.value)));
    match (&dossier.new.aliases, public) {
        (Some(page), _) => match (dossier.new.alias_for(old), public) {
            (Some(row), Some((at, false))) if at.since(row.since) > DOCUMENT_LIFE => Standing::Contradicted,
            (Some(row), _) => Standing::Listed(row),
            (None, Some((at, true))) if at > page.at => Standing::Public,
            (None, _) => Standing::Missing,
        },
        (None, Some((_, true))) => Standing::Public,
        (None, Some((_, false))) => Standing::Missing,
        (None, None) => Standing::Unknown,
    }
}

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let page = visit(Side::New, "/settings/aliases", "action_open_aliases");
    let (Some(old), Some(new)) = (dossier.old_handle(), dossier.new_handle()) else {
        return not_seen(&CHECK, dossier, say("alias_no_account"), Action::OpenDesk);
    };
    let finding = match standing(dossier) {
        Standing::Listed(_) | Standing::Public => {
            Finding::new(&CHECK, Outcome::Pass, say("alias_pass").with(new).with(old))
        }
        Standing::Contradicted => {
            Finding::new(&CHECK, Outcome::Stop, say("alias_contradicted").with(new.domain()))
                .then(say("alias_contradicted_then").with(old))
                .act(page)
        }
        Standing::Missing => Finding::new(&CHECK, Outcome::Stop, say("alias_missing").with(new).with(old))
            .then(say("alias_missing_then"))
            .act(Action::MakeAlias),
        Standing::Unknown => {
            let finding = not_seen(&CHECK, dossier, say("alias_not_seen").with(new), page);
            // The other way spoils what it looks at, so it is not taken without being asked for.
            if finding.outcome == Outcome::Unknown && can_look_outside(dossier) {
                finding.then(say("alias_not_seen_then")).or(Action::LookOutside)
            } else {
                finding
            }
        }
    };
    finding.seen(&dossier.new.aliases, "evidence_alias_page", aliases(dossier)).seen(
        &dossier.new.actor,
        "evidence_actor",
        actor(dossier),
    )
}

fn can_look_outside(dossier: &Dossier) -> bool {
    dossier.target_granted && dossier.old.uri.is_some()
}

fn aliases(dossier: &Dossier) -> Vec<Part> {
    let known = dossier.new.aliases.as_ref();
    known.map(|known| Part::from(known.value.len())).into_iter().collect()
}

fn actor(dossier: &Dossier) -> Vec<Part> {
    let known = AccountFacts::value(&dossier.new.actor);
    known.map(|actor| Part::from(actor.also_known_as.len())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::account::ActorUri;
    use crate::trunk::dossier::ActorSeen;

    fn row(handle: &str, since: i64) -> AliasRow {
        AliasRow { handle: handle.parse().unwrap(), since: Time(since), made_lately: false }
    }

    fn actor(aliases: &[&str]) -> ActorSeen {
        ActorSeen {
            uri: ActorUri("https://new.example/users/ana".into()),
            also_known_as: aliases.iter().map(|uri| ActorUri((*uri).into())).collect(),
        }
    }

    const OWN: &str = "https://old.example/users/ana";

    #[test]
    fn prefers_the_alias_page_and_believes_the_later_evidence() {
        let case = |change: &dyn Fn(&mut Dossier), outcome, key, action| {
            expect(
                &CHECK,
                |d| {
                    d.old.uri = known(ActorUri(OWN.into()), 0);
                    change(d);
                },
                outcome,
                key,
                action,
            )
        };
        case(&|_| (), Outcome::Unknown, "alias_not_seen", Some("visit"));
        case(&|d| d.new.aliases = known(vec![], 5), Outcome::Stop, "alias_missing", Some("make-alias"));
        case(
            &|d| d.new.aliases = known(vec![row("somebody@old.example", 1)], 5),
            Outcome::Stop,
            "alias_missing",
            Some("make-alias"),
        );
        case(
            &|d| d.new.aliases = known(vec![row("ANA@old.example", 1)], 5),
            Outcome::Pass,
            "alias_pass",
            None,
        );
        case(&|d| d.new.actor = known(actor(&[OWN]), 5), Outcome::Pass, "alias_pass", None);
        case(&|d| d.new.actor = known(actor(&[]), 5), Outcome::Stop, "alias_missing", Some("make-alias"));
        // The page had none, the document read after it has one.
        case(
            &|d| {
                d.new.aliases = known(vec![], 5);
                d.new.actor = known(actor(&[OWN]), 9);
            },
            Outcome::Pass,
            "alias_pass",
            None,
        );
        // The page has it, the document read at once afterwards has not: that is the cache, not a fault.
        case(
            &|d| {
                d.new.aliases = known(vec![row("ana@old.example", 5)], 5);
                d.new.actor = known(actor(&[]), 9);
            },
            Outcome::Pass,
            "alias_pass",
            None,
        );
        // More than three minutes later it is no cache of Mastodon's any more.
        case(
            &|d| {
                d.new.aliases = known(vec![row("ana@old.example", 5)], 5);
                d.new.actor = known(actor(&["https://old.example/users/other"]), 5 + DOCUMENT_LIFE + 1);
            },
            Outcome::Stop,
            "alias_contradicted",
            Some("visit"),
        );
    }

    #[test]
    fn offers_to_look_from_outside_only_where_that_can_tell() {
        let finding = expect_at(
            &CHECK,
            1_000,
            |d| d.old.uri = known(ActorUri(OWN.into()), 0),
            Outcome::Unknown,
            "alias_not_seen",
            Some("visit"),
        );
        assert_eq!(finding.other, Some(Action::LookOutside));
        let finding = expect_at(
            &CHECK,
            1_000,
            |d| d.target_granted = false,
            Outcome::Unknown,
            "alias_not_seen",
            Some("visit"),
        );
        assert_eq!(finding.other, None);
    }
}
