//! Where somebody stands who comes to us: before a move, after one that went wrong, or on a server that closes. What to do,
//! in which order, and what of it is done already, by what was seen.

use super::after::{How, how};
use super::dossier::{AccountFacts, Dossier, Health, Side};
use super::journal::Journal;
use crate::check::Action;
use crate::say::{Say, say};
use crate::server::version::Version;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    #[default]
    Before,
    After,
    Closing,
}

pub const STARTS: [Start; 3] = [Start::Before, Start::After, Start::Closing];

impl Start {
    /// Stands in `data-action`.
    pub fn id(self) -> &'static str {
        match self {
            Start::Before => "start-before",
            Start::After => "start-after",
            Start::Closing => "start-closing",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Start::Before => "start_before",
            Start::After => "start_after",
            Start::Closing => "start_closing",
        }
    }

    /// Where somebody stands as far as it was seen; the person may know better.
    pub fn seen(dossier: &Dossier, journal: &Journal) -> Start {
        match how(dossier, journal) {
            How::NotYet if is_closing(dossier) => Start::Closing,
            How::NotYet => Start::Before,
            _ => Start::After,
        }
    }
}

fn is_closing(dossier: &Dossier) -> bool {
    AccountFacts::value(&dossier.old.health) == Some(&Health::Closing)
}

/// One thing to do, with why.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// Stands in `data-advice`.
    pub id: &'static str,
    pub what: Say,
    /// It was seen to be done.
    pub done: bool,
    pub action: Option<Action>,
}

fn advice(id: &'static str, key: &str) -> Advice {
    Advice { id, what: say(key), done: false, action: None }
}

impl Advice {
    fn act(mut self, action: Action) -> Advice {
        self.action = Some(action);
        self
    }

    fn done(mut self, done: bool) -> Advice {
        self.done = done;
        self
    }
}

const fn visit(side: Side, path: &'static str, label: &'static str) -> Action {
    Action::Visit { side, path, label }
}

const EXPORT: Action = visit(Side::Old, "/settings/export", "action_open_export");
const MIGRATION: Action = visit(Side::Old, "/settings/migration", "action_open_migration");
const ALIASES: Action = visit(Side::New, "/settings/aliases", "action_open_aliases");

/// What to do, in this order.
pub fn advise(start: Start, dossier: &Dossier, journal: &Journal) -> Vec<Advice> {
    match start {
        Start::Before => before(dossier),
        Start::After => after(dossier, journal),
        Start::Closing => closing(dossier),
    }
}

fn saved(dossier: &Dossier) -> (bool, bool) {
    (dossier.saved.messages.is_some(), dossier.saved.lists.is_some())
}

fn archive(dossier: &Dossier, key: &str) -> Advice {
    let asked =
        AccountFacts::value(&dossier.old.archive).is_some_and(|archive| !archive.may_ask || archive.ready);
    advice("archive", key).act(EXPORT).done(asked)
}

fn before(dossier: &Dossier) -> Vec<Advice> {
    let (messages, lists) = saved(dossier);
    let aliased = dossier.old_handle().is_some_and(|old| dossier.new.alias_for(old).is_some());
    vec![
        advice("messages", "before_messages").act(Action::SaveMessages).done(messages),
        advice("lists", "before_lists").act(Action::Pack).done(lists),
        // facts 5, "Archive": posts do not come along
        archive(dossier, "before_archive"),
        advice("alias", "before_alias").act(ALIASES).done(aliased),
        advice("unpack", "before_unpack").act(Action::Unpack).done(dossier.saved.arrived.is_some()),
        advice("move", "before_move").act(MIGRATION),
        // facts 3.2, "Redirect only"
        advice("redirect", "before_redirect"),
    ]
}

fn after(dossier: &Dossier, journal: &Journal) -> Vec<Advice> {
    let (messages, lists) = saved(dossier);
    let mut all = Vec::new();
    match how(dossier, journal) {
        // facts 3.2: no Move activity at all
        How::RedirectOnly(_) => all.push(advice("redirect-only", "after_redirect_only").act(MIGRATION)),
        How::NotYet => {
            let known = dossier.old.redirect.is_some();
            let key = if known { "after_not_moved" } else { "after_not_seen" };
            all.push(advice("not-seen", key).act(MIGRATION));
        }
        _ => {}
    }
    // facts 13.1, 10: sent and received, without cancelling the redirect
    all.push(advice("messages", "after_messages").act(Action::SaveMessages).done(messages));
    // facts 13, "After a move": all files still go out
    all.push(advice("lists", "after_lists").act(Action::Pack).done(lists));
    // facts 3.6: what needs a token is closed until the redirect is cancelled
    let closed = dossier.saved.lists.as_ref().is_none_or(|lists| lists.rescued || lists.lacking > 0);
    if closed {
        all.push(advice("cancel", "after_cancel").act(MIGRATION));
    }
    all.push(advice("unpack", "after_unpack").act(Action::Unpack).done(dossier.saved.arrived.is_some()));
    // facts 3.4, "Alias removed too early"
    let aliased = dossier.old_handle().is_some_and(|old| dossier.new.alias_for(old).is_some());
    all.push(advice("alias", "after_alias").act(ALIASES).done(aliased));
    // facts 3.6, "Admin repair"
    let replay = match AccountFacts::value(&dossier.old.version).map(Version::can_replay_moves) {
        Some(true) => "after_replay",
        Some(false) => "after_no_replay",
        None => "after_replay_unknown",
    };
    all.push(advice("replay", replay));
    all.push(archive(dossier, "after_archive"));
    all
}

fn closing(dossier: &Dossier) -> Vec<Advice> {
    let (messages, lists) = saved(dossier);
    let closing = is_closing(dossier);
    let version = AccountFacts::value(&dossier.old.version).map(Version::can_close_for_good);
    let stands = match (closing, version) {
        (true, _) => "closing_seen",
        // facts 1.7: before 4.3 there is no such mode; such a server is simply gone one day
        (false, Some(false)) => "closing_old",
        (false, _) => "closing_not_seen",
    };
    let mut all = vec![advice("stands", stands)];
    if closing {
        all.push(advice("lists", "closing_lists").act(Action::Pack).done(lists));
        all.push(archive(dossier, "closing_archive"));
        // The API answers 410 with the rest.
        all.push(advice("messages", "closing_messages").done(messages));
        all.push(advice("move", "closing_no_move"));
    } else {
        // A move needs the old server for two to three days of deliveries (facts 3.4): it comes first.
        all.push(advice("messages", "closing_messages_now").act(Action::SaveMessages).done(messages));
        all.push(advice("lists", "closing_lists_now").act(Action::Pack).done(lists));
        all.push(archive(dossier, "closing_archive"));
        all.push(advice("move", "closing_move_soon").act(MIGRATION));
    }
    all.push(advice("unpack", "closing_unpack").act(Action::Unpack).done(dossier.saved.arrived.is_some()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{known, linked};
    use crate::trunk::dossier::{ArchiveSeen, Cooldown, Redirect, SavedLists};
    use crate::when::Time;

    fn keys(start: Start, dossier: &Dossier) -> Vec<String> {
        advise(start, dossier, &Journal::default()).into_iter().map(|one| one.what.key).collect()
    }

    #[test]
    fn begins_where_somebody_was_seen_to_stand() {
        let seen = |dossier: &Dossier| Start::seen(dossier, &Journal::default());
        assert_eq!(seen(&Dossier::default()), Start::Before);
        let mut dossier = linked();
        dossier.old.health = known(Health::Closing, 1);
        assert_eq!(seen(&dossier), Start::Closing);
        dossier.old.redirect = known(Redirect::To(None), 1);
        assert_eq!(seen(&dossier), Start::After);
    }

    #[test]
    fn what_was_seen_to_be_done_is_said() {
        let mut dossier = linked();
        let done = |dossier: &Dossier| -> Vec<&'static str> {
            let all = advise(Start::Before, dossier, &Journal::default());
            all.into_iter().filter(|one| one.done).map(|one| one.id).collect()
        };
        assert_eq!(done(&dossier), Vec::<&str>::new());
        dossier.saved.lists = Some(SavedLists { at: Time(1), ..Default::default() });
        dossier.old.archive = known(ArchiveSeen { may_ask: false, asked: None, ready: false }, 1);
        assert_eq!(done(&dossier), ["lists", "archive"]);
    }

    #[test]
    fn after_a_mere_redirect_a_move_is_still_possible() {
        let mut dossier = linked();
        assert_eq!(keys(Start::After, &dossier)[0], "after_not_seen");
        dossier.old.redirect = known(Redirect::None, 1);
        assert_eq!(keys(Start::After, &dossier)[0], "after_not_moved");
        dossier.old.redirect = known(Redirect::To(None), 1);
        dossier.old.cooldown = known(Cooldown::Over, 1);
        assert_eq!(keys(Start::After, &dossier)[0], "after_redirect_only");
        dossier.old.cooldown = known(Cooldown::Days(12), 1);
        assert_eq!(keys(Start::After, &dossier)[0], "after_messages");
    }

    #[test]
    fn the_admins_help_depends_on_the_version() {
        let replay = |version: &str| {
            let mut dossier = linked();
            dossier.old.version = Version::parse(version).and_then(|version| known(version, 1));
            keys(Start::After, &dossier).into_iter().find(|key| key.contains("replay")).unwrap()
        };
        assert_eq!(replay("4.1.25"), "after_replay");
        assert_eq!(replay("4.0.2"), "after_no_replay");
        assert_eq!(replay(""), "after_replay_unknown");
    }

    #[test]
    fn a_server_that_closes_lets_nobody_move() {
        let mut dossier = linked();
        assert!(keys(Start::Closing, &dossier).contains(&"closing_move_soon".to_owned()));
        dossier.old.health = known(Health::Closing, 1);
        let all = advise(Start::Closing, &dossier, &Journal::default());
        assert_eq!(all[0].what.key, "closing_seen");
        let moving = all.iter().find(|one| one.id == "move").unwrap();
        assert_eq!((moving.what.key.as_str(), &moving.action), ("closing_no_move", &None));
        let mut old = linked();
        old.old.version = known(Version::parse("4.2.29").unwrap(), 1);
        assert_eq!(keys(Start::Closing, &old)[0], "closing_old");
    }
}
