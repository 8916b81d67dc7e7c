//! `blocked-servers`: between two servers of which one has blocked the other nothing goes to and fro: nobody there can be
//! followed, and nobody there comes along (facts 3.3, 6.1 "Processing").

use super::{Action, Check, Finding, Outcome};
use crate::job::survey::Want;
use crate::say::{Part, say};
use crate::server::page::PageKind;
use crate::trunk::dossier::{AccountFacts, BlockedPeople, Dossier, Side};
use crate::trunk::steps::Step;
use crate::when::Time;

pub static CHECK: Check = Check {
    id: "blocked-servers",
    step: Step::Move,
    pages: &[PageKind::Migration, PageKind::Imports],
    needs: &[(Side::Old, Want::Counts)],
    run,
};

/// So many are named.
const NAMED: usize = 5;

fn run(dossier: &Dossier, _now: Time) -> Finding {
    let unknown = |key| Finding::new(&CHECK, Outcome::Unknown, say(key));
    // Whose list it was: another new server has another.
    let here = |blocked: &&BlockedPeople| {
        let of_handle = dossier.new_handle().map(crate::account::Handle::domain);
        blocked.by.as_ref().is_none_or(|by| {
            [dossier.new_host.as_ref(), of_handle].into_iter().flatten().any(|new| new.host() == by.host())
        })
    };
    let Some(blocked) = dossier.saved.blocked.as_ref().filter(here) else {
        let first = if dossier.page == Some(PageKind::Imports) { "follows-arrived" } else { "follows-saved" };
        let counts = AccountFacts::value(&dossier.old.counts);
        let nobody = counts.is_some_and(|all| (all.follows, all.followers) == (Some(0), Some(0)));
        return match dossier.saved.lists {
            _ if nobody => Finding::new(&CHECK, Outcome::Pass, say("blocked_servers_nobody")).seen(
                &dossier.old.counts,
                "evidence_export_page",
                [],
            ),
            // Somebody who follows nobody is asked to pack by no other check.
            None if counts.is_some_and(|all| all.follows == Some(0)) => {
                unknown("blocked_servers_not_packed").act(Action::Pack)
            }
            None => unknown("blocked_servers_not_packed").waits_for(first),
            Some(_) => unknown("blocked_servers_not_seen").act(Action::Unpack),
        };
    };
    let by = blocked.by.as_ref().or(dossier.new_host.as_ref()).map_or_else(String::new, ToString::to_string);
    let finding = if blocked.follows + blocked.followers == 0 {
        Finding::new(&CHECK, Outcome::Pass, say("blocked_servers_pass").with(by.as_str()))
    } else {
        let people =
            [("blocked_servers_follows", blocked.follows), ("blocked_servers_followers", blocked.followers)];
        let people = people.into_iter().filter(|(_, count)| *count > 0);
        let part = |say| Part::Say(Box::new(say));
        let people = people
            .map(|(key, count)| say(key).with(count))
            .reduce(|one, other| say("blocked_servers_and").with(part(one)).with(part(other)));
        let what = say("blocked_servers_found")
            .with(people.map_or_else(|| Part::from(""), part))
            .with(by.as_str())
            .with(named(&blocked.servers));
        Finding::new(&CHECK, Outcome::Warn, what).then(say("blocked_servers_then")).act(Action::OpenDesk)
    };
    finding.noted(say("evidence_blocks_compared"), blocked.at)
}

/// The first of them, and how many more.
fn named(servers: &[String]) -> Part {
    let first = servers.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match servers.len().saturating_sub(NAMED) {
        0 => Part::from(first.as_str()),
        more => Part::Say(Box::new(say("blocked_servers_more").with(first.as_str()).with(more))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::server::page::export::Counts;
    use crate::trunk::dossier::SavedLists;

    fn people(by: &str, follows: u64, followers: u64, servers: usize) -> Option<BlockedPeople> {
        let servers = (0..servers).map(|n| format!("bad{n}.example")).collect();
        Some(BlockedPeople { at: Time(7), by: by.parse().ok(), follows, followers, servers })
    }

    #[test]
    fn counts_whom_the_new_server_keeps_out() {
        let case = |blocked: Option<BlockedPeople>, outcome, key: &str, action| {
            let change = |d: &mut Dossier| {
                d.saved.lists = Some(SavedLists::default());
                d.saved.blocked = blocked;
            };
            expect(&CHECK, change, outcome, key, action);
        };
        case(None, Outcome::Unknown, "blocked_servers_not_seen", Some("unpack"));
        case(people("new.example", 0, 0, 0), Outcome::Pass, "blocked_servers_pass", None);
        case(people("new.example", 3, 1, 2), Outcome::Warn, "blocked_servers_found", Some("open-desk"));
        case(people("new.example", 0, 1, 7), Outcome::Warn, "blocked_servers_found", Some("open-desk"));
        // What another server blocks says nothing about this one.
        case(people("else.example", 3, 1, 2), Outcome::Unknown, "blocked_servers_not_seen", Some("unpack"));
    }

    #[test]
    fn waits_until_something_is_packed() {
        let nobody = |d: &mut Dossier| {
            d.old.counts = known(Counts { follows: Some(0), followers: Some(0), ..Default::default() }, 5);
        };
        expect(&CHECK, nobody, Outcome::Pass, "blocked_servers_nobody", None);
        let followed = |d: &mut Dossier| {
            d.old.counts = known(Counts { follows: Some(0), followers: Some(2), ..Default::default() }, 5);
        };
        expect(&CHECK, followed, Outcome::Unknown, "blocked_servers_not_packed", Some("pack"));
        let finding = expect_at(&CHECK, 9, |_| (), Outcome::Unknown, "blocked_servers_not_packed", None);
        assert_eq!(finding.waits_for, Some("follows-saved"));
        let on_imports = |d: &mut Dossier| d.page = Some(PageKind::Imports);
        let finding = expect_at(&CHECK, 9, on_imports, Outcome::Unknown, "blocked_servers_not_packed", None);
        assert_eq!(finding.waits_for, Some("follows-arrived"));
    }

    #[test]
    fn names_five_and_counts_the_rest() {
        let servers: Vec<String> = (0..7).map(|n| format!("b{n}.example")).collect();
        let first = "b0.example, b1.example, b2.example, b3.example, b4.example";
        let more = say("blocked_servers_more").with(first).with(2usize);
        assert_eq!(named(&servers), Part::Say(Box::new(more)));
        assert_eq!(named(&servers[..1]), Part::from("b0.example"));
    }
}
