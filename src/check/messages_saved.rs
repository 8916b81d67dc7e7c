//! `messages-saved`: after the move the API answers 403 to everything about conversations (facts 3.6, 13).

use super::{Action, Check, Finding, Outcome, not_seen, visit};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, Dossier, Messages, Redirect, SavedMessages, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "messages-saved",
    step: Step::Pack,
    pages: &[PageKind::Migration, PageKind::Redirect, PageKind::Export, PageKind::Delete, PageKind::Account],
    needs: &[(Side::Old, Want::Account), (Side::Old, Want::Messages)],
    run,
};

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let read = visit(Side::Old, "/conversations", "action_open_messages");
    // The list is closed while the account redirects, and what was seen before is of no use then (facts 3.6). The messages
    // are not: they are still readable with the session alone (facts 13.1, 10).
    if let Some(Redirect::To(_)) = AccountFacts::value(&dossier.old.redirect) {
        let finding = match &dossier.saved.messages {
            None => Finding::new(&CHECK, Outcome::Warn, say("messages_saved_rescue"))
                .then(say("messages_saved_rescue_then"))
                .act(Action::SaveMessages),
            Some(saved) => {
                let what = if saved.rescued { "messages_saved_rescued" } else { "messages_saved_before" };
                Finding::new(&CHECK, Outcome::Pass, say(what).with(saved.count).with(Part::Day(saved.at)))
            }
        };
        return finding.seen(&dossier.old.redirect, "evidence_migration_page", []);
    }
    let Some(known) = &dossier.old.messages else {
        return not_seen(&CHECK, dossier, say("messages_saved_not_seen"), read);
    };
    let Messages { conversations, more, elsewhere } = &known.value;
    let stop = |what| {
        Finding::new(&CHECK, Outcome::Stop, what).then(say("messages_saved_then")).act(Action::SaveMessages)
    };
    let finding = match &dossier.saved.messages {
        None if conversations.is_empty() && *elsewhere > 0 => {
            stop(say("messages_saved_hidden").with(*elsewhere))
        }
        // Not "you have none": the list leaves some out, and only the newest of the rest were looked at (facts 13.1).
        None if conversations.is_empty() => Finding::new(&CHECK, Outcome::Pass, say("messages_saved_none")),
        None if *more => stop(say("messages_saved_never_more").with(conversations.len())),
        None => stop(say("messages_saved_never").with(conversations.len())),
        Some(saved) => match since(conversations, saved) {
            (0, 0) => {
                Finding::new(&CHECK, Outcome::Pass, say("messages_saved_pass").with(conversations.len()))
            }
            (new, 0) => stop(say("messages_saved_new").with(new)),
            (0, changed) => stop(say("messages_saved_changed").with(changed)),
            (new, changed) => stop(say("messages_saved_both").with(changed).with(new)),
        },
    };
    finding.seen(&dossier.old.messages, "evidence_conversations", [])
}

/// How many conversations were never saved, and how many have changed.
fn since(now: &[(String, String)], saved: &SavedMessages) -> (usize, usize) {
    let mut counts = (0, 0);
    for (id, last) in now {
        match saved.conversations.iter().find(|(saved_id, _)| saved_id == id) {
            None => counts.0 += 1,
            Some((_, saved_last)) if saved_last != last => counts.1 += 1,
            Some(_) => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn list(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(id, last)| ((*id).into(), (*last).into())).collect()
    }

    #[test]
    fn compares_with_a_trunk_that_may_be_empty() {
        let now = || list(&[("1", "10"), ("2", "20"), ("3", "30")]);
        let case = |saved: Option<Vec<(String, String)>>, messages: Messages, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.old.messages = known(messages, 5);
                d.saved.messages = saved.map(|conversations| SavedMessages {
                    at: Time(1),
                    count: 3,
                    rescued: false,
                    conversations,
                });
            };
            expect(&CHECK, change, outcome, key, action);
        };
        let three = || Messages { conversations: now(), ..Default::default() };
        case(None, three(), Outcome::Stop, "messages_saved_never", Some("save-messages"));
        case(
            None,
            Messages { more: true, ..three() },
            Outcome::Stop,
            "messages_saved_never_more",
            Some("save-messages"),
        );
        case(None, Messages::default(), Outcome::Pass, "messages_saved_none", None);
        case(
            None,
            Messages { elsewhere: 2, ..Default::default() },
            Outcome::Stop,
            "messages_saved_hidden",
            Some("save-messages"),
        );
        case(Some(now()), three(), Outcome::Pass, "messages_saved_pass", None);
        case(
            Some(list(&[("1", "10"), ("2", "20")])),
            three(),
            Outcome::Stop,
            "messages_saved_new",
            Some("save-messages"),
        );
        case(
            Some(list(&[("1", "10"), ("2", "20"), ("3", "29")])),
            three(),
            Outcome::Stop,
            "messages_saved_changed",
            Some("save-messages"),
        );
        case(Some(list(&[("1", "9")])), three(), Outcome::Stop, "messages_saved_both", Some("save-messages"));
        expect(&CHECK, |_| (), Outcome::Unknown, "messages_saved_not_seen", Some("visit"));
        let moved = |d: &mut Dossier| {
            d.old.messages = known(three(), 5);
            d.old.redirect = known(Redirect::To(None), 6);
        };
        expect(&CHECK, moved, Outcome::Warn, "messages_saved_rescue", Some("save-messages"));
        let saved = |rescued| {
            move |d: &mut Dossier| {
                d.old.redirect = known(Redirect::To(None), 6);
                let conversations = Vec::new();
                d.saved.messages = Some(SavedMessages { at: Time(1), count: 3, rescued, conversations });
            }
        };
        expect(&CHECK, saved(false), Outcome::Pass, "messages_saved_before", None);
        expect(&CHECK, saved(true), Outcome::Pass, "messages_saved_rescued", None);
    }
}
