//! What would go wrong, found out before it does.
//!
//! A check is a pure function of the dossier and the time. It is total: whatever is known or not known gives a finding.
//! What is not known is [`Outcome::Unknown`], with the way to find out; a check never guesses.
//!
//! To add one: write `check/NAME.rs` with its tests, put it into [`CHECKS`], write its sentences into
//! `extension/_locales/en/messages.json`. The tests in `tests/tidy.rs` say what is missing.

mod alias;
mod alias_fresh;
mod announced;
mod blocked_servers;
mod cooldown;
mod email_confirmed;
mod follow_limit;
mod follows_arrived;
mod follows_saved;
mod lists_saved;
mod messages_saved;
mod not_moved;
mod profile;
mod requests_pending;
mod server_healthy;
mod target_found;
mod unlocked;

use crate::account::{Domain, Handle};
use crate::job::survey::Want;
use crate::say::{Part, Say, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Dossier, Redirect, Side};
use crate::trunk::steps::Step;
use crate::when::{Known, Source, Time};

/// All checks, in the order in which findings of the same outcome are shown.
pub static CHECKS: &[&Check] = &[
    &not_moved::CHECK,
    &cooldown::CHECK,
    &target_found::CHECK,
    &email_confirmed::CHECK,
    &alias::CHECK,
    &alias_fresh::CHECK,
    &messages_saved::CHECK,
    &follows_saved::CHECK,
    &lists_saved::CHECK,
    &unlocked::CHECK,
    &profile::CHECK,
    &announced::CHECK,
    &requests_pending::CHECK,
    &follow_limit::CHECK,
    &follows_arrived::CHECK,
    &blocked_servers::CHECK,
    &server_healthy::CHECK,
];

/// One thing that can go wrong.
#[derive(Debug)]
pub struct Check {
    /// Stable: stands in `data-check`, in the file's name and at the front of its messages.
    pub id: &'static str,
    /// Where on the desk it belongs.
    pub step: Step,
    /// The pages on which it is shown.
    pub pages: &'static [PageKind],
    /// What has to be asked for, on which side, before it can say anything.
    pub needs: &'static [(Side, Want)],
    pub run: fn(&Dossier, Time) -> Finding,
}

/// How bad it is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Stop,
    Warn,
    Unknown,
    Checking,
    Pass,
}

impl Outcome {
    pub fn id(self) -> &'static str {
        match self {
            Outcome::Stop => "stop",
            Outcome::Warn => "warn",
            Outcome::Unknown => "unknown",
            Outcome::Checking => "checking",
            Outcome::Pass => "pass",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub check: &'static str,
    pub outcome: Outcome,
    /// One sentence, in the present tense, about this person's account.
    pub what: Say,
    /// What happens if they go on.
    pub then: Option<Say>,
    /// The one thing to do next.
    pub action: Option<Action>,
    /// A second way, for those who cannot take the first.
    pub other: Option<Action>,
    pub evidence: Vec<Evidence>,
    /// The check that has to pass first, when this one has nothing to say before.
    pub waits_for: Option<&'static str>,
    /// When the finding changes by itself.
    pub until: Option<Time>,
}

/// Something that was seen, when and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub what: Say,
    pub at: Time,
    pub from: Source,
}

/// Something that a click does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Opens a page of Mastodon's.
    Visit {
        side: Side,
        path: &'static str,
        label: &'static str,
    },
    /// Asks for the permission to look at a server.
    Grant(Domain),
    /// Makes the alias on the new account, with Mastodon's own form.
    MakeAlias,
    /// Asks again for what is not known.
    LookAgain,
    /// Reads the new account's public document, which may delay a later move by three minutes.
    LookOutside,
    /// Puts a handle into the form.
    UseHandle(Handle),
    OpenDesk,
    /// Saves the old account's messages, on the desk.
    SaveMessages,
    /// Packs everything else of it, on the desk.
    Pack,
    /// Unpacks it onto the new account, on the desk.
    Unpack,
    /// Shows what of the profile can be carried over, on the desk.
    Profile,
    /// Shows the drafts of the announcement, on the desk.
    Announce,
}

impl Action {
    /// Stands in `data-action`.
    pub fn id(&self) -> &'static str {
        match self {
            Action::Visit { .. } => "visit",
            Action::Grant(_) => "grant",
            Action::MakeAlias => "make-alias",
            Action::LookAgain => "look-again",
            Action::LookOutside => "look-outside",
            Action::UseHandle(_) => "use-handle",
            Action::OpenDesk => "open-desk",
            Action::SaveMessages => "save-messages",
            Action::Pack => "pack",
            Action::Unpack => "unpack",
            Action::Profile => "profile",
            Action::Announce => "announce",
        }
    }

    pub fn label(&self) -> Say {
        match self {
            Action::Visit { label, .. } => say(label),
            Action::Grant(domain) => say("action_grant").with(domain),
            Action::MakeAlias => say("action_make_alias"),
            Action::LookAgain => say("action_look_again"),
            Action::LookOutside => say("action_look_outside"),
            Action::UseHandle(handle) => say("action_use_handle").with(handle),
            Action::OpenDesk => say("action_open_desk"),
            Action::SaveMessages => say("action_save_messages"),
            Action::Pack => say("action_pack"),
            Action::Unpack => say("action_unpack"),
            Action::Profile => say("action_profile"),
            Action::Announce => say("action_announce"),
        }
    }
}

impl Finding {
    fn new(check: &Check, outcome: Outcome, what: Say) -> Finding {
        let check = check.id;
        Finding {
            check,
            outcome,
            what,
            then: None,
            action: None,
            other: None,
            evidence: Vec::new(),
            waits_for: None,
            until: None,
        }
    }

    fn then(mut self, then: Say) -> Finding {
        self.then = Some(then);
        self
    }

    fn act(mut self, action: Action) -> Finding {
        self.action = Some(action);
        self
    }

    fn or(mut self, action: Action) -> Finding {
        self.other = Some(action);
        self
    }

    fn until(mut self, time: Time) -> Finding {
        self.until = Some(time);
        self
    }

    fn waits_for(mut self, check: &'static str) -> Finding {
        self.waits_for = Some(check);
        self
    }

    /// Notes what we have done ourselves, and when.
    fn noted(mut self, what: Say, at: Time) -> Finding {
        self.evidence.push(Evidence { what, at, from: Source::Ourselves });
        self
    }

    /// Notes where a fact comes from, if it is known at all.
    fn seen<T>(
        mut self,
        known: &Option<Known<T>>,
        key: &str,
        parts: impl IntoIterator<Item = Part>,
    ) -> Finding {
        if let Some(known) = known {
            let what = Say { key: key.to_owned(), parts: parts.into_iter().collect() };
            self.evidence.push(Evidence { what, at: known.at, from: known.from });
        }
        self
    }
}

/// What is said while the answer is on its way, or when it did not come.
fn not_seen(check: &Check, dossier: &Dossier, what: Say, action: Action) -> Finding {
    if dossier.asking {
        Finding::new(check, Outcome::Checking, say("checking"))
    } else {
        Finding::new(check, Outcome::Unknown, what).act(action)
    }
}

/// Several things in one sentence.
fn listed(all: Vec<Say>) -> Option<Part> {
    let part = |say| Part::Say(Box::new(say));
    let all = all.into_iter().reduce(|before, next| say("listed").with(part(before)).with(part(next)));
    all.map(part)
}

const fn visit(side: Side, path: &'static str, label: &'static str) -> Action {
    Action::Visit { side, path, label }
}

/// The checks that a page shows, worst finding first.
pub fn on_page(page: PageKind, dossier: &Dossier, now: Time) -> Vec<Finding> {
    // On the account page, what is about leaving concerns only somebody who has left.
    let left = matches!(AccountFacts::value(&dossier.old.redirect), Some(Redirect::To(_)));
    let about_leaving = |check: &Check| check.needs.iter().all(|(side, _)| *side == Side::Old);
    let checks = CHECKS.iter().filter(|check| {
        check.pages.contains(&page) && (page != PageKind::Account || left || !about_leaving(check))
    });
    sorted(checks.map(|check| (check.run)(dossier, now)).collect())
}

/// The linked new account on a page that would move it away, or the linked old one where the new one makes its alias: two
/// tabs look alike, and this is the classic mistake (facts 3.3, "made on the wrong account").
pub fn wrong_account(page: PageKind, side: Option<Side>, handle: Option<&Handle>) -> Option<Finding> {
    let (outcome, what, then) = match (side?, page) {
        (Side::New, PageKind::Migration | PageKind::Redirect | PageKind::Delete) => {
            (Outcome::Stop, "right_account_new", "right_account_new_then")
        }
        (Side::Old, PageKind::Aliases) => (Outcome::Warn, "right_account_old", "right_account_old_then"),
        _ => return None,
    };
    let path = if outcome == Outcome::Stop { "/settings/migration" } else { "/settings/aliases" };
    let (other, label) = if outcome == Outcome::Stop {
        (Side::Old, "action_open_migration")
    } else {
        (Side::New, "action_open_aliases")
    };
    let name = handle.map_or_else(|| Part::Text(String::new()), Part::from);
    let mut finding = Finding::new(&not_moved::CHECK, outcome, say(what).with(name));
    finding.check = "right-account";
    Some(finding.then(say(then)).act(visit(other, path, label)))
}

/// The step of the desk that a check belongs to.
pub fn step(id: &str) -> Step {
    CHECKS.iter().find(|check| check.id == id).map_or(Step::Move, |check| check.step)
}

/// All checks, for the desk.
pub fn all(dossier: &Dossier, now: Time) -> Vec<Finding> {
    sorted(CHECKS.iter().map(|check| (check.run)(dossier, now)).collect())
}

fn sorted(findings: Vec<Finding>) -> Vec<Finding> {
    let order = [Outcome::Stop, Outcome::Warn, Outcome::Unknown, Outcome::Checking, Outcome::Pass];
    order
        .iter()
        .flat_map(|outcome| findings.iter().filter(move |finding| finding.outcome == *outcome))
        .cloned()
        .collect()
}

/// What has to be asked for on a side, so that these checks can speak.
pub fn wants(side: Side, page: Option<PageKind>) -> Vec<Want> {
    let mut wants = Vec::new();
    for check in CHECKS.iter().filter(|check| page.is_none_or(|page| check.pages.contains(&page))) {
        for (on, want) in check.needs {
            if *on == side && !wants.contains(want) {
                wants.push(*want);
            }
        }
    }
    wants
}

#[cfg(test)]
pub(crate) mod testing {
    //! What the tests of the single checks share.

    use super::*;
    use crate::trunk::dossier::{AccountFacts, Target};

    pub fn known<T>(value: T, at: i64) -> Option<Known<T>> {
        Some(Known::new(value, Time(at), Source::OwnPage))
    }

    /// Old `ana@old.example`, new `ana@new.example`, both linked and granted, nothing else known.
    pub fn linked() -> Dossier {
        let handle = |text: &str| known(text.parse::<Handle>().unwrap(), 0);
        Dossier {
            old: AccountFacts { handle: handle("ana@old.example"), ..Default::default() },
            new: AccountFacts { handle: handle("ana@new.example"), ..Default::default() },
            target: Target::Handle("ana@new.example".parse().unwrap()),
            target_granted: true,
            old_host: "old.example".parse().ok(),
            new_host: "new.example".parse().ok(),
            ..Default::default()
        }
    }

    /// A sentence is there in English, and takes in what is handed to it, no more and no less.
    pub fn is_spoken(say: &Say) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/extension/_locales/en/messages.json");
        let messages: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let text = messages[&say.key]["message"].as_str().unwrap_or_else(|| panic!("no message {}", say.key));
        for at in 1..=9 {
            let used = text.contains(&format!("${at}"));
            assert_eq!(used, at <= say.parts.len(), "{}: ${at} in {text:?} with {:?}", say.key, say.parts);
        }
    }

    fn speaks(finding: &Finding) {
        let labels = finding.action.iter().chain(&finding.other).map(Action::label);
        let evidence = finding.evidence.iter().map(|evidence| evidence.what.clone());
        for say in
            [finding.what.clone()].into_iter().chain(finding.then.clone()).chain(labels).chain(evidence)
        {
            is_spoken(&say);
        }
    }

    /// Runs a check on a changed dossier and compares outcome, sentence and action.
    pub fn expect(
        check: &Check,
        change: impl FnOnce(&mut Dossier),
        outcome: Outcome,
        key: &str,
        action: Option<&str>,
    ) {
        expect_at(check, 1_000, change, outcome, key, action);
    }

    pub fn expect_at(
        check: &Check,
        now: i64,
        change: impl FnOnce(&mut Dossier),
        outcome: Outcome,
        key: &str,
        action: Option<&str>,
    ) -> Finding {
        let mut dossier = linked();
        change(&mut dossier);
        let finding = (check.run)(&dossier, Time(now));
        let got = (finding.outcome, finding.what.key.as_str(), finding.action.as_ref().map(Action::id));
        assert_eq!(got, (outcome, key, action), "{finding:#?}");
        speaks(&finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_total_on_an_empty_dossier() {
        for asking in [false, true] {
            let dossier = Dossier { asking, ..Default::default() };
            let findings = all(&dossier, Time(0));
            assert_eq!(findings.len(), CHECKS.len());
            for finding in findings {
                assert!(
                    matches!(finding.outcome, Outcome::Unknown | Outcome::Checking),
                    "{} claims something about nothing: {:?}",
                    finding.check,
                    finding.outcome
                );
                assert!(
                    finding.outcome == Outcome::Checking
                        || finding.action.is_some()
                        || finding.waits_for.is_some(),
                    "{} leaves the person alone",
                    finding.check
                );
            }
        }
    }
}
