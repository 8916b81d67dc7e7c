//! `target-found`: the handle in the form resolves; which of typo, unknown, unreachable, blocked it is.
//!
//! Mastodon says "could not be found" for all of them (facts 3.3).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::account::{Domain, Handle, HandleError};
use crate::job::survey::Want;
use crate::say::say;
use crate::server::page::PageKind;
use crate::server::reply::{Refusal, Silence};
use crate::trunk::dossier::{BlockSeen, Dossier, Existence, Side, Target};
use crate::trunk::steps::Step;
use crate::when::{Known, Source, Time};

pub static CHECK: Check = Check {
    id: "target-found",
    step: Step::Accounts,
    pages: &[PageKind::Migration, PageKind::Redirect],
    needs: &[(Side::New, Want::Existence), (Side::Old, Want::Blocks)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let stop = |key: &str| Finding::new(&CHECK, Outcome::Stop, say(key));
    match &dossier.target {
        Target::None => {
            Finding::new(&CHECK, Outcome::Unknown, say("target_found_nothing")).act(Action::OpenDesk)
        }
        Target::Server(domain) => Finding::new(
            &CHECK,
            Outcome::Unknown,
            say("target_found_nobody").with(domain),
        )
        .act(visit(Side::New, "/auth/sign_in", "action_sign_in")),
        Target::Unreadable(error, meant) => {
            let finding = stop(match error {
                HandleError::Empty => "target_found_nothing",
                HandleError::NoDomain => "target_found_no_domain",
                HandleError::TooManyAts => "target_found_too_many_ats",
                HandleError::Link => "target_found_link",
                HandleError::User => "target_found_bad_user",
                HandleError::Domain => "target_found_bad_domain",
                HandleError::TooLong => "target_found_too_long",
            });
            let finding = finding.then(say("target_found_would_refuse"));
            match meant {
                Some(handle) => finding.act(Action::UseHandle(handle.clone())),
                None => finding,
            }
        }
        Target::Handle(handle) => resolved(dossier, handle),
    }
}

fn resolved(dossier: &Dossier, handle: &Handle) -> Finding {
    if dossier.old_handle().is_some_and(|old| old.is_same(handle)) {
        return Finding::new(&CHECK, Outcome::Stop, say("target_found_self"))
            .then(say("target_found_self_then"));
    }
    let blocked = |by: &Option<_>, key: &str| {
        let found = Finding::new(&CHECK, Outcome::Stop, say(key).with(handle.domain()))
            .then(say("target_found_blocked_then"))
            .act(Action::LookAgain);
        found.seen(by, "evidence_block_list", [])
    };
    let blocks = |seen: &Option<Known<BlockSeen>>, whom: Option<&Domain>| matches!(seen, Some(known) if known.value.blocked && whom == Some(&known.value.domain));
    if blocks(&dossier.old.blocks, dossier.new_host.as_ref().or(Some(handle.domain()))) {
        return blocked(&dossier.old.blocks, "target_found_blocked_by_old");
    }
    if blocks(&dossier.new.blocks, dossier.old_host.as_ref()) {
        return blocked(&dossier.new.blocks, "target_found_blocked_by_new");
    }
    let pass = Finding::new(&CHECK, Outcome::Pass, say("target_found_pass").with(handle));
    match &dossier.new.existence {
        Some(known) => match known.value {
            Existence::Found => pass.seen(&dossier.new.existence, "evidence_found", []),
            Existence::Unknown => Finding::new(
                &CHECK,
                Outcome::Stop,
                say("target_found_unknown").with(handle.domain()).with(handle),
            )
            .then(say("target_found_would_refuse"))
            .act(Action::LookAgain)
            .seen(&dossier.new.existence, "evidence_not_found", []),
            Existence::NotMastodon => {
                Finding::new(&CHECK, Outcome::Stop, say("target_found_not_mastodon").with(handle.domain()))
                    .then(say("target_found_would_refuse"))
                    .act(Action::LookAgain)
                    .seen(&dossier.new.existence, "evidence_not_mastodon", [])
            }
            Existence::Elsewhere => {
                Finding::new(&CHECK, Outcome::Unknown, say("target_found_elsewhere").with(handle.domain()))
                    .act(Action::OpenDesk)
                    .seen(&dossier.new.existence, "evidence_elsewhere", [])
            }
            Existence::Refused(Refusal::Silent(Silence::NotGranted)) => not_granted(handle),
            Existence::Refused(Refusal::Gone) => {
                Finding::new(&CHECK, Outcome::Stop, say("target_found_gone").with(handle))
                    .then(say("target_found_would_refuse"))
                    .act(Action::LookAgain)
                    .seen(&dossier.new.existence, "evidence_not_found", [])
            }
            Existence::Refused(Refusal::Silent(_) | Refusal::Broken) => {
                Finding::new(&CHECK, Outcome::Stop, say("target_found_unreachable").with(handle.domain()))
                    .then(say("target_found_unreachable_then"))
                    .act(Action::LookAgain)
                    .seen(&dossier.new.existence, "evidence_no_answer", [])
            }
            Existence::Refused(_) => Finding::new(
                &CHECK,
                Outcome::Unknown,
                say("target_found_would_not_say").with(handle.domain()),
            )
            .act(Action::LookAgain)
            .seen(&dossier.new.existence, "evidence_refused", []),
        },
        // Somebody is signed in there under this very name.
        None if matches!(&dossier.new.handle, Some(own) if own.value.is_same(handle) && own.from != Source::Outside)
            && dossier.new.signed_in.is_some() =>
        {
            pass.seen(&dossier.new.handle, "evidence_signed_in", [])
        }
        None if !dossier.target_granted => not_granted(handle),
        None => {
            not_seen(&CHECK, dossier, say("target_found_not_seen").with(handle.domain()), Action::LookAgain)
        }
    }
}

fn not_granted(handle: &Handle) -> Finding {
    Finding::new(&CHECK, Outcome::Unknown, say("target_found_not_granted").with(handle.domain()))
        .act(Action::Grant(handle.domain().clone()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn tells_typo_unknown_unreachable_and_blocked_apart() {
        let case = |change: &dyn Fn(&mut Dossier), outcome, key, action| {
            expect(&CHECK, |dossier| change(dossier), outcome, key, action)
        };
        let seen = |existence| known(existence, 5);
        case(&|d| d.new.existence = seen(Existence::Found), Outcome::Pass, "target_found_pass", None);
        case(
            &|d| d.new.existence = seen(Existence::Unknown),
            Outcome::Stop,
            "target_found_unknown",
            Some("look-again"),
        );
        case(
            &|d| d.new.existence = seen(Existence::Refused(Refusal::Silent(Silence::Unreachable))),
            Outcome::Stop,
            "target_found_unreachable",
            Some("look-again"),
        );
        case(
            &|d| d.new.existence = seen(Existence::Refused(Refusal::TooMany)),
            Outcome::Unknown,
            "target_found_would_not_say",
            Some("look-again"),
        );
        case(
            &|d| {
                let domain = "new.example".parse().unwrap();
                d.old.blocks = known(BlockSeen { domain, blocked: true }, 5);
            },
            Outcome::Stop,
            "target_found_blocked_by_old",
            Some("look-again"),
        );
        // What was said of the server before the handle was changed.
        case(
            &|d| {
                d.new.existence = seen(Existence::Found);
                let domain = "other.example".parse().unwrap();
                d.old.blocks = known(BlockSeen { domain, blocked: true }, 5);
            },
            Outcome::Pass,
            "target_found_pass",
            None,
        );
        case(&|d| d.target = Target::None, Outcome::Unknown, "target_found_nothing", Some("open-desk"));
        case(&|d| d.asking = true, Outcome::Checking, "checking", None);
        case(&|d| d.target_granted = false, Outcome::Unknown, "target_found_not_granted", Some("grant"));
        case(
            &|d| d.target = Target::Handle("ANA@old.example".parse().unwrap()),
            Outcome::Stop,
            "target_found_self",
            None,
        );
        case(
            &|d| d.target = Target::Unreadable(HandleError::Link, "ana@new.example".parse().ok()),
            Outcome::Stop,
            "target_found_link",
            Some("use-handle"),
        );
        case(
            &|d| d.target = Target::Server("new.example".parse().unwrap()),
            Outcome::Unknown,
            "target_found_nobody",
            Some("visit"),
        );
    }
}
