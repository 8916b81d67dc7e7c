//! `alias-fresh`: the alias is there, but does the old server see it when it looks?
//!
//! Since 4.0 the old server looks afresh, and the new one answers with a document that may be up to 180 seconds old. Up
//! to 3.5 the old server kept its own copy for a day (facts 3.3, 13 "Alias"). Hence a countdown, and "24 hours" only
//! where it is so.

use super::alias::{DOCUMENT_LIFE, Standing, standing};
use super::{Action, Check, Finding, Outcome};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::server::version::Version;
use crate::trunk::dossier::{AccountFacts, AliasRow, Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::{DAY, Time};

pub static CHECK: Check = Check {
    id: "alias-fresh",
    step: Step::Prepare,
    pages: &[PageKind::Migration, PageKind::Aliases],
    needs: &[(Side::New, Want::Aliases), (Side::New, Want::Actor)],
    run,
};

fn run(dossier: &Dossier, now: Time) -> Finding {
    let pass = || Finding::new(&CHECK, Outcome::Pass, say("alias_fresh_pass"));
    let row = match standing(dossier) {
        Standing::Listed(row) => row,
        // Seen by the road that the old server takes.
        Standing::Public => return old_servers(dossier, now, None).unwrap_or_else(pass),
        Standing::Contradicted | Standing::Missing | Standing::Unknown => {
            return Finding::new(&CHECK, Outcome::Unknown, say("alias_fresh_first")).waits_for("alias");
        }
    };
    if let Some(finding) = old_servers(dossier, now, Some(row)) {
        return finding;
    }
    // The document that others read was seen with the alias, or without.
    let public = dossier.new.actor.as_ref().zip(dossier.old.uri.as_ref());
    let public = public.map(|(actor, uri)| (actor.at, actor.value.also_known_as.contains(&uri.value)));
    let refused = dossier.new.move_refused.as_ref().map(|known| known.at);
    let (until, certain) = (row.since.plus(DOCUMENT_LIFE), row.since.plus(2 * DOCUMENT_LIFE));
    let finding = match public {
        // Not one that was read before the alias was taken away and made again.
        Some((at, true))
            if (!row.made_lately || at >= row.since) && refused.is_none_or(|refused| refused < at) =>
        {
            pass()
        }
        // Read without it when it was there: that is told only by reading again, never by time.
        Some((at, false)) if at >= row.since && now < until => stale(dossier, until),
        Some((at, false)) if at >= row.since => unseen(dossier, certain),
        _ if now >= certain => pass(),
        _ if row.made_lately && now < until => stale(dossier, until),
        // It may have been there for years; we have only just looked.
        _ => unseen(dossier, certain),
    };
    finding.seen(&dossier.new.actor, "evidence_actor", actor_aliases(dossier))
}

fn stale(dossier: &Dossier, until: Time) -> Finding {
    let domain =
        dossier.new_handle().map(|handle| Part::from(handle.domain())).unwrap_or(Part::Text(String::new()));
    Finding::new(&CHECK, Outcome::Stop, say("alias_fresh_stale").with(domain).with(Part::Clock(until)))
        .then(say("alias_fresh_stale_then"))
        .act(Action::LookAgain)
        .until(until)
}

/// The server renders anew after three minutes; a cache in front of it may add three more (facts 3.3).
fn unseen(dossier: &Dossier, certain: Time) -> Finding {
    if dossier.asking {
        return Finding::new(&CHECK, Outcome::Checking, say("checking"));
    }
    Finding::new(&CHECK, Outcome::Unknown, say("alias_fresh_unseen").with(Part::Clock(certain)))
        .until(certain)
        .act(Action::LookAgain)
}

/// What servers up to 3.5 do instead. Whether they have looked at the new account lately cannot be seen.
fn old_servers(dossier: &Dossier, now: Time, row: Option<&AliasRow>) -> Option<Finding> {
    let version: &Version = AccountFacts::value(&dossier.old.version)?;
    if !version.keeps_accounts_for_a_day() {
        return None;
    }
    let seen = row.map(|row| row.since).or(dossier.new.actor.as_ref().map(|actor| actor.at))?;
    let until = seen.plus(DAY);
    if now >= until {
        return None;
    }
    let made_lately = row.is_some_and(|row| row.made_lately);
    let (outcome, key) = if made_lately {
        (Outcome::Stop, "alias_fresh_day")
    } else {
        (Outcome::Unknown, "alias_fresh_day_perhaps")
    };
    let what = say(key).with(version.text.as_str()).with(Part::Day(until)).with(Part::Clock(until));
    Some(
        Finding::new(&CHECK, outcome, what)
            .then(say("alias_fresh_day_then"))
            .until(until)
            .act(Action::LookAgain),
    )
}

fn actor_aliases(dossier: &Dossier) -> Vec<Part> {
    let known = AccountFacts::value(&dossier.new.actor);
    known.map(|actor| Part::from(actor.also_known_as.len())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::account::ActorUri;
    use crate::trunk::dossier::ActorSeen;
    use crate::when::SECOND;

    const OWN: &str = "https://old.example/users/ana";

    fn listed(d: &mut Dossier, since: i64, made_lately: bool) {
        d.old.uri = known(ActorUri(OWN.into()), 0);
        d.old.version = known(Version::parse("4.6.5").unwrap(), 0);
        let row = AliasRow { handle: "ana@old.example".parse().unwrap(), since: Time(since), made_lately };
        d.new.aliases = known(vec![row], since);
    }

    fn actor(d: &mut Dossier, with: bool, at: i64) {
        let also_known_as = if with { vec![ActorUri(OWN.into())] } else { vec![] };
        d.new.actor =
            known(ActorSeen { uri: ActorUri("https://new.example/users/ana".into()), also_known_as }, at);
    }

    /// The run of `captures/*/alias_cache_experiment`: read before, made at 0, without it until second 180.
    #[test]
    fn counts_down_as_the_real_server_does() {
        let at = |now, outcome, key: &str, action| {
            expect_at(
                &CHECK,
                now,
                |d| {
                    listed(d, 0, true);
                    actor(d, false, -SECOND);
                },
                outcome,
                key,
                action,
            )
        };
        let finding = at(SECOND, Outcome::Stop, "alias_fresh_stale", Some("look-again"));
        assert_eq!(finding.until, Some(Time(180 * SECOND)));
        at(179 * SECOND, Outcome::Stop, "alias_fresh_stale", Some("look-again"));
        // Then it is looked at again, and only what is seen counts.
        at(180 * SECOND, Outcome::Unknown, "alias_fresh_unseen", Some("look-again"));
        at(360 * SECOND, Outcome::Pass, "alias_fresh_pass", None);
    }

    /// A cache in front of the server, or an alias of another actor: time alone makes nothing fresh.
    #[test]
    fn a_document_read_without_the_alias_never_passes_by_itself() {
        let read = |with: bool, at: i64| {
            move |d: &mut Dossier| {
                listed(d, 0, true);
                actor(d, with, at);
            }
        };
        let hour = 3_600 * SECOND;
        expect_at(
            &CHECK,
            hour,
            read(false, 100 * SECOND),
            Outcome::Unknown,
            "alias_fresh_unseen",
            Some("look-again"),
        );
        expect_at(&CHECK, hour, read(false, hour), Outcome::Unknown, "alias_fresh_first", None);
        expect_at(&CHECK, hour, read(true, hour), Outcome::Pass, "alias_fresh_pass", None);
    }

    #[test]
    fn seen_in_the_public_document_it_is_fresh_at_once() {
        expect_at(
            &CHECK,
            2 * SECOND,
            |d| {
                listed(d, 0, true);
                actor(d, true, SECOND);
            },
            Outcome::Pass,
            "alias_fresh_pass",
            None,
        );
    }

    #[test]
    fn an_alias_of_unknown_age_is_not_called_stale() {
        expect_at(
            &CHECK,
            SECOND,
            |d| listed(d, 0, false),
            Outcome::Unknown,
            "alias_fresh_unseen",
            Some("look-again"),
        );
        expect_at(&CHECK, 360 * SECOND, |d| listed(d, 0, false), Outcome::Pass, "alias_fresh_pass", None);
    }

    #[test]
    fn says_24_hours_only_of_old_servers() {
        let old = |d: &mut Dossier| {
            listed(d, 0, true);
            d.old.version = known(Version::parse("3.5.3").unwrap(), 0);
            actor(d, true, SECOND);
        };
        expect_at(&CHECK, 10 * SECOND, old, Outcome::Stop, "alias_fresh_day", Some("look-again"));
        expect_at(&CHECK, DAY, old, Outcome::Pass, "alias_fresh_pass", None);
        let perhaps = |d: &mut Dossier| {
            old(d);
            listed(d, 0, false);
            d.old.version = known(Version::parse("3.5.3").unwrap(), 0);
        };
        expect_at(&CHECK, SECOND, perhaps, Outcome::Unknown, "alias_fresh_day_perhaps", Some("look-again"));
    }

    #[test]
    fn waits_for_the_alias() {
        let finding = expect_at(
            &CHECK,
            0,
            |d| d.new.aliases = known(vec![], 0),
            Outcome::Unknown,
            "alias_fresh_first",
            None,
        );
        assert_eq!(finding.waits_for, Some("alias"));
    }
}
