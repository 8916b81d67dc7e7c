//! `email-confirmed`: an account whose address was never confirmed, or which waits for approval, answers 404 to other
//! servers: "could not be found" (facts 3.3, first row; 1.7).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::server::version::Version;
use crate::trunk::dossier::{AccountFacts, Dossier, Email, Side};
use crate::trunk::steps::Step;
use crate::when::{DAY, Time};

pub static CHECK: Check = Check {
    id: "email-confirmed",
    step: Step::Prepare,
    pages: &[
        PageKind::Migration,
        PageKind::Redirect,
        PageKind::Aliases,
        PageKind::Imports,
        PageKind::Account,
        PageKind::Setup,
        PageKind::Profile,
    ],
    needs: &[(Side::New, Want::Email), (Side::Old, Want::Email)],
    run,
};

const SETUP: Action = visit(Side::New, "/auth/setup", "action_confirm_email");

fn run(dossier: &Dossier, now: Time) -> Finding {
    let Some(email) = &dossier.new.email else {
        let see = visit(Side::New, "/auth/edit", "action_open_new");
        return match dossier.new_handle() {
            None if dossier.new_host.is_none() => {
                Finding::new(&CHECK, Outcome::Unknown, say("email_confirmed_no_account"))
                    .act(Action::OpenDesk)
            }
            _ => not_seen(&CHECK, dossier, say("email_confirmed_not_seen"), see),
        };
    };
    // Both accounts on one server: the look-up inside it skips the confirmation (facts 3.3, second row).
    let same_server = dossier.old_host.is_some() && dossier.old_host == dossier.new_host;
    let bad = if same_server { Outcome::Warn } else { Outcome::Stop };
    let who = match (dossier.new_handle(), &dossier.new_host) {
        (Some(handle), _) => Part::from(handle),
        (None, Some(host)) => Part::Say(Box::new(say("name_on_server").with(host))),
        (None, None) => Part::Say(Box::new(say("name_new_account"))),
    };
    let finding = match email.value {
        Email::Unconfirmed => {
            let finding = Finding::new(&CHECK, bad, say("email_confirmed_unconfirmed").with(who.clone()));
            deleted(dossier, now, finding).act(SETUP)
        }
        Email::AwaitsApproval => Finding::new(&CHECK, bad, say("email_confirmed_approval").with(who.clone()))
            .then(say("email_confirmed_approval_then"))
            .act(Action::LookAgain),
        Email::Held => Finding::new(&CHECK, bad, say("email_confirmed_held").with(who.clone()))
            .then(say("email_confirmed_then"))
            .act(SETUP),
        Email::Confirmed if pending(&dossier.new) => {
            Finding::new(&CHECK, Outcome::Warn, say("email_confirmed_change_new").with(who.clone()))
                .then(say("email_confirmed_change_then"))
                .act(visit(Side::New, "/auth/edit", "action_account_settings"))
                .seen(&dossier.new.address_change, "evidence_address_change", [])
        }
        Email::Confirmed if pending(&dossier.old) => {
            Finding::new(&CHECK, Outcome::Warn, say("email_confirmed_change_old"))
                .then(say("email_confirmed_change_then"))
                .act(visit(Side::Old, "/auth/edit", "action_account_settings"))
                .seen(&dossier.old.address_change, "evidence_address_change", [])
        }
        Email::Confirmed => {
            Finding::new(&CHECK, Outcome::Pass, say("email_confirmed_pass").with(who.clone()))
        }
    };
    let key = if email.value == Email::Confirmed { "evidence_email_confirmed" } else { "evidence_email_not" };
    finding.seen(&dossier.new.email, key, [])
}

fn pending(facts: &AccountFacts) -> bool {
    AccountFacts::value(&facts.address_change).is_some_and(|pending| *pending)
}

/// The server deletes accounts that were never confirmed, so many days after the last confirmation mail (facts 1.7). When
/// that was sent we do not know, but not before the account was made: so it is not deleted earlier than this.
fn deleted(dossier: &Dossier, now: Time, finding: Finding) -> Finding {
    let new = &dossier.new;
    let version: Option<&Version> = AccountFacts::value(&new.version);
    match (AccountFacts::value(&new.created_at), version.map(Version::days_until_unconfirmed_is_deleted)) {
        (Some(made), Some(days)) => {
            let at = made.plus(days * DAY);
            finding.then(if at > now {
                say("email_confirmed_deleted_from").with(Part::Day(at)).with(Part::Number(days))
            } else {
                say("email_confirmed_deleted_soon").with(Part::Number(days))
            })
        }
        (_, Some(days)) => finding.then(say("email_confirmed_deleted_after").with(Part::Number(days))),
        _ => finding.then(say("email_confirmed_then")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn knows_every_state_of_the_address() {
        let case = |change: &dyn Fn(&mut Dossier), outcome, key, action| {
            expect(&CHECK, |dossier| change(dossier), outcome, key, action)
        };
        let email = |email| known(email, 5);
        case(&|_| (), Outcome::Unknown, "email_confirmed_not_seen", Some("visit"));
        case(&|d| d.new.email = email(Email::Confirmed), Outcome::Pass, "email_confirmed_pass", None);
        case(
            &|d| d.new.email = email(Email::Unconfirmed),
            Outcome::Stop,
            "email_confirmed_unconfirmed",
            Some("visit"),
        );
        case(&|d| d.new.email = email(Email::Held), Outcome::Stop, "email_confirmed_held", Some("visit"));
        case(
            &|d| d.new.email = email(Email::AwaitsApproval),
            Outcome::Stop,
            "email_confirmed_approval",
            Some("look-again"),
        );
        let change = |d: &mut Dossier| d.new.email = email(Email::Confirmed);
        case(
            &|d| {
                change(d);
                d.new.address_change = known(true, 5);
            },
            Outcome::Warn,
            "email_confirmed_change_new",
            Some("visit"),
        );
        case(
            &|d| {
                change(d);
                d.old.address_change = known(true, 5);
            },
            Outcome::Warn,
            "email_confirmed_change_old",
            Some("visit"),
        );
        // On one server nothing stops the move (facts 3.3).
        case(
            &|d| {
                d.new.email = email(Email::Unconfirmed);
                d.new_host = d.old_host.clone();
            },
            Outcome::Warn,
            "email_confirmed_unconfirmed",
            Some("visit"),
        );
    }

    #[test]
    fn counts_the_days_until_the_account_is_deleted() {
        for (version, now, key) in [
            ("4.6.5", DAY, "email_confirmed_deleted_from"),
            ("4.2.0", 3 * DAY, "email_confirmed_deleted_soon"),
        ] {
            let finding = expect_at(
                &CHECK,
                now,
                |d| {
                    d.new.email = known(Email::Unconfirmed, 5);
                    d.new.created_at = known(Time(0), 5);
                    d.new.version = known(Version::parse(version).unwrap(), 5);
                },
                Outcome::Stop,
                "email_confirmed_unconfirmed",
                Some("visit"),
            );
            assert_eq!(finding.then.unwrap().key, key);
        }
    }
}
