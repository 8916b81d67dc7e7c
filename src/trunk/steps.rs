//! The seven steps of a move, each known to be done by what was seen, never by a tick; and the one thing to do next.

use crate::check::{self, Action, Finding, Outcome};
use crate::plain::words;
use crate::say::{Part, Say, say};
use crate::trunk::dossier::{AccountFacts, Dossier, Redirect, Side};
use crate::trunk::presence::{self, Presence};
use crate::trunk::store::Party;

/// In the order in which they are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Accounts,
    Pack,
    Prepare,
    Unpack,
    Move,
    Arrivals,
    Doctor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Todo,
    Doing,
    Done,
    /// It does not go on without the person.
    Stuck,
}

words! {
    Step {
        Accounts = "accounts", Pack = "pack", Prepare = "prepare", Unpack = "unpack", Move = "move",
        Arrivals = "arrivals", Doctor = "doctor",
    }
    Status { Todo = "todo", Doing = "doing", Done = "done", Stuck = "stuck" }
}

impl Step {
    pub const ALL: [Step; 7] =
        [Step::Accounts, Step::Pack, Step::Prepare, Step::Unpack, Step::Move, Step::Arrivals, Step::Doctor];

    pub fn id(self) -> &'static str {
        self.word()
    }
}

impl Status {
    pub fn id(self) -> &'static str {
        self.word()
    }
}

/// How far a step is, and how that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub step: Step,
    pub status: Status,
    pub says: Say,
}

/// What the desk knows besides the dossier.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    /// Who is signed in on the old and on the new server.
    pub presence: &'a [Presence; 2],
    /// What is at work.
    pub busy: Option<Busy>,
    /// Both profiles were read, and so many things are chosen to be carried over.
    pub chosen: Option<u64>,
    /// A plan for unpacking is laid out: so many rows, and so many people who will be followed.
    pub laid: Option<(u64, u64)>,
    /// The checks that the person leaves as they are.
    pub aside: &'a [String],
    /// Requests and minutes that packing takes.
    pub plan: Option<(u64, u64)>,
}

/// A job at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    Packs,
    /// At the profiles.
    Prepares,
    /// At the new account, before anything is unpacked or after.
    Looks,
    Unpacks,
}

impl Busy {
    fn step(self) -> Step {
        match self {
            Busy::Packs => Step::Pack,
            Busy::Prepares => Step::Prepare,
            Busy::Looks | Busy::Unpacks => Step::Unpack,
        }
    }
}

/// The most visible thing on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    pub step: Step,
    pub what: Say,
    pub then: Option<Say>,
    pub todo: Todo,
    /// The check it comes from, if the person may leave it as it is.
    pub check: Option<&'static str>,
}

/// What its button does.
#[derive(Clone, Debug, PartialEq)]
pub enum Todo {
    /// Nothing: it goes on by itself.
    Nothing,
    /// Opens a page of this side's server, where the right account has to sign in.
    SignIn(Side),
    /// Packs messages and everything else.
    PackAll,
    /// Carries over what is chosen of the profile.
    Carry,
    /// Unpacks as the plan says.
    UnpackPlan,
    /// Opens Mastodon's own form, with the new handle filled in.
    OpenForm,
    /// What the finding offers.
    Act(Action),
}

impl Around<'_> {
    /// Somebody is signed in as the right account, on either side. One that waits for its confirmation is: that is for
    /// the checks to say.
    fn here(&self) -> [bool; 2] {
        let signed_in =
            |presence: &Presence| presence.is_here() || matches!(presence, Presence::Waiting(Some(_)));
        [signed_in(&self.presence[0]), signed_in(&self.presence[1])]
    }
}

fn one_server(dossier: &Dossier) -> bool {
    dossier.old_host.is_some() && dossier.old_host == dossier.new_host
}

/// The side whose account has to be signed in for this step.
fn needs(step: Step) -> Option<Side> {
    match step {
        Step::Pack | Step::Move => Some(Side::Old),
        Step::Prepare | Step::Unpack => Some(Side::New),
        Step::Accounts | Step::Arrivals | Step::Doctor => None,
    }
}

/// Whether the old account redirects to where the move is meant to go.
pub fn has_moved(dossier: &Dossier) -> bool {
    let Some(Redirect::To(target)) = AccountFacts::value(&dossier.old.redirect) else { return false };
    match (target, dossier.new_handle()) {
        (Some(target), Some(new)) => target.is_same(new),
        // Somewhere, and nothing speaks against it.
        _ => true,
    }
}

/// Every step, in order.
pub fn stages(dossier: &Dossier, findings: &[Finding], around: &Around<'_>) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for step in Step::ALL {
        let (status, says) = match step {
            Step::Accounts => accounts(dossier, findings, around),
            Step::Pack => pack(dossier, findings, around),
            Step::Prepare => by_checks(step, findings, around),
            Step::Unpack => unpack(dossier, findings, around),
            Step::Move => moving(dossier, findings),
            Step::Arrivals => arrivals(dossier),
            Step::Doctor => doctor(dossier),
        };
        let status = match status {
            Status::Todo | Status::Stuck if around.busy.map(Busy::step) == Some(step) => Status::Doing,
            status => status,
        };
        stages.push(Stage { step, status, says });
    }
    stages
}

fn of_step(step: Step, findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(move |finding| check::step(finding.check) == step)
}

fn is_aside(around: &Around<'_>, finding: &Finding) -> bool {
    finding.outcome != Outcome::Stop && around.aside.iter().any(|id| id == finding.check)
}

fn accounts(dossier: &Dossier, findings: &[Finding], around: &Around<'_>) -> (Status, Say) {
    if of_step(Step::Accounts, findings).any(|finding| finding.outcome == Outcome::Stop) {
        return (Status::Stuck, first_trouble(Step::Accounts, findings));
    }
    match (dossier.old_handle(), dossier.new_handle()) {
        (Some(old), Some(new)) => match around.here() {
            [true, true] => (Status::Done, say("stage_accounts_done").with(old).with(new)),
            // One after the other is all that one server allows.
            [true, false] if one_server(dossier) => (Status::Done, say("stage_accounts_one").with(old)),
            [false, true] if one_server(dossier) => (Status::Done, say("stage_accounts_one").with(new)),
            [true, false] => (Status::Doing, say("stage_accounts_sign_in").with(new)),
            [false, _] => (Status::Doing, say("stage_accounts_sign_in").with(old)),
        },
        (None, _) => (Status::Doing, unnamed(dossier.old_host.as_ref())),
        (_, None) => (Status::Doing, unnamed(dossier.new_host.as_ref())),
    }
}

fn unnamed(host: Option<&crate::account::Domain>) -> Say {
    match host {
        Some(host) => say("stage_accounts_unnamed").with(host),
        None => say("stage_accounts_none"),
    }
}

fn first_trouble(step: Step, findings: &[Finding]) -> Say {
    of_step(step, findings).next().map_or_else(|| say("stage_nothing_seen"), |finding| finding.what.clone())
}

/// Decided by the checks alone: what stops has to be put right, what warns may be left as it is.
fn by_checks(step: Step, findings: &[Finding], around: &Around<'_>) -> (Status, Say) {
    let mine = || of_step(step, findings).filter(|finding| !is_aside(around, finding));
    let count = |outcome| mine().filter(|finding| finding.outcome == outcome).count();
    let trouble = || mine().next().map_or_else(|| say("stage_nothing_seen"), |finding| finding.what.clone());
    let passed = count(Outcome::Pass);
    if count(Outcome::Stop) > 0 {
        (Status::Stuck, trouble())
    } else if mine().all(|finding| finding.outcome == Outcome::Pass) {
        (Status::Done, say("stage_checks_done").with(passed))
    } else if passed > 0 || count(Outcome::Warn) > 0 {
        (Status::Doing, trouble())
    } else {
        (Status::Todo, trouble())
    }
}

fn pack(dossier: &Dossier, findings: &[Finding], around: &Around<'_>) -> (Status, Say) {
    let (status, trouble) = by_checks(Step::Pack, findings, around);
    let saved = &dossier.saved;
    match (status, &saved.messages, &saved.lists) {
        (Status::Done, Some(messages), Some(lists)) => {
            let at = messages.at.max(lists.at);
            let says = say("stage_pack_done").with(messages.count).with(Part::Day(at)).with(Part::Clock(at));
            (Status::Done, says)
        }
        _ => (status, trouble),
    }
}

fn unpack(dossier: &Dossier, findings: &[Finding], around: &Around<'_>) -> (Status, Say) {
    let packed = dossier.saved.lists.as_ref();
    match (packed, &dossier.saved.arrived) {
        (None, None) => (Status::Todo, say("stage_unpack_nothing")),
        (_, Some(arrived)) if arrived.running > 0 => by_checks(Step::Unpack, findings, around),
        (Some(lists), None) => {
            let rows = lists.rows.follows.unwrap_or(0);
            let (status, trouble) = by_checks(Step::Unpack, findings, around);
            match status {
                Status::Done => (status, trouble),
                Status::Stuck => (status, trouble),
                _ => (Status::Todo, say("stage_unpack_ready").with(rows)),
            }
        }
        _ => by_checks(Step::Unpack, findings, around),
    }
}

fn moving(dossier: &Dossier, findings: &[Finding]) -> (Status, Say) {
    if has_moved(dossier) {
        return match dossier.new_handle() {
            Some(new) => (Status::Done, say("stage_move_done").with(new)),
            None => (Status::Done, say("stage_move_done_somewhere")),
        };
    }
    // Everything that stops, stops the move, wherever it belongs.
    let stops = findings.iter().filter(|finding| finding.outcome == Outcome::Stop).count();
    let own = of_step(Step::Move, findings).find(|finding| finding.outcome == Outcome::Stop);
    match (stops, own) {
        (0, _)
            if findings
                .iter()
                .any(|finding| matches!(finding.outcome, Outcome::Unknown | Outcome::Checking)) =>
        {
            (Status::Todo, say("stage_move_unseen"))
        }
        (0, _) => (Status::Todo, say("stage_move_ready")),
        (_, Some(own)) => (Status::Stuck, own.what.clone()),
        (stops, None) => (Status::Todo, say("stage_move_stops").with(stops)),
    }
}

fn arrivals(dossier: &Dossier) -> (Status, Say) {
    if !has_moved(dossier) {
        return (Status::Todo, say("stage_arrivals_before"));
    }
    let followers = |facts: &AccountFacts| AccountFacts::value(&facts.followers).copied();
    match (followers(&dossier.new), followers(&dossier.old)) {
        (Some(new), Some(old)) => {
            (Status::Doing, say("stage_arrivals_counts").with(new).with(Part::from(old)))
        }
        _ => (Status::Doing, say("stage_arrivals_unseen")),
    }
}

fn doctor(dossier: &Dossier) -> (Status, Say) {
    match &dossier.saved.arrived {
        Some(arrived) if arrived.retry > 0 => (Status::Doing, say("stage_doctor_retry").with(arrived.retry)),
        _ => (Status::Todo, say("stage_doctor_nothing")),
    }
}

/// The one thing to do next: the first thing that is not done, in the order of the steps; what stops before what warns.
pub fn next(dossier: &Dossier, findings: &[Finding], stages: &[Stage], around: &Around<'_>) -> Next {
    let moved = has_moved(dossier);
    let status = |step: Step| {
        stages.iter().find(|stage| stage.step == step).map_or(Status::Todo, |stage| stage.status)
    };
    if let Some(busy) = around.busy {
        let key = match busy {
            Busy::Packs => "next_working_pack",
            Busy::Prepares => "next_working_prepare",
            Busy::Looks => "next_working_look",
            Busy::Unpacks => "next_working_unpack",
        };
        return plain(busy.step(), key, Todo::Nothing).then(say("next_working_then"));
    }
    if status(Step::Accounts) != Status::Done
        && let Some(next) = sign_in(dossier, around, None)
    {
        return next;
    }
    for step in [Step::Accounts, Step::Pack, Step::Prepare, Step::Unpack, Step::Move] {
        if status(step) == Status::Done || (moved && matches!(step, Step::Prepare | Step::Move)) {
            continue;
        }
        let next = match step {
            Step::Pack => pack_next(dossier, findings, around, moved),
            Step::Move => Some(moving_next(dossier, findings)),
            Step::Prepare => {
                of_checks(step, findings, around).map(|next| match (next.check, around.chosen) {
                    (Some("profile"), Some(chosen)) => {
                        Next { then: Some(say("next_carry_then").with(chosen)), todo: Todo::Carry, ..next }
                    }
                    _ => next,
                })
            }
            Step::Unpack => unpack_next(dossier, around).or_else(|| of_checks(step, findings, around)),
            _ => of_checks(step, findings, around),
        };
        if let Some(next) = next {
            return sign_in(dossier, around, needs(step)).unwrap_or(next);
        }
    }
    if moved && let Some(next) = of_checks(Step::Arrivals, findings, around) {
        return next;
    }
    let key = if moved { "next_arrivals" } else { "next_look" };
    let todo = if moved { Todo::Nothing } else { Todo::Act(Action::LookAgain) };
    plain(if moved { Step::Arrivals } else { Step::Move }, key, todo)
}

fn plain(step: Step, key: &str, todo: Todo) -> Next {
    Next { step, what: say(key), then: None, todo, check: None }
}

impl Next {
    fn then(mut self, then: Say) -> Next {
        self.then = Some(then);
        self
    }
}

/// Whoever is not signed in yet, the old account first: it has more to tell. Or only this side.
fn sign_in(dossier: &Dossier, around: &Around<'_>, only: Option<Side>) -> Option<Next> {
    let missing = |side: &Side| !around.here()[*side as usize] && only.is_none_or(|only| only == *side);
    let side = [Side::Old, Side::New].into_iter().find(missing)?;
    let (handle, host) = match side {
        Side::Old => (dossier.old_handle(), dossier.old_host.as_ref()),
        Side::New => (dossier.new_handle(), dossier.new_host.as_ref()),
    };
    let key = match (side, handle) {
        (Side::Old, Some(_)) => "next_sign_in_old",
        (Side::New, Some(_)) => "next_sign_in_new",
        (Side::Old, None) => "next_sign_in_old_server",
        (Side::New, None) => "next_sign_in_new_server",
    };
    let who = handle.map(Part::from).or_else(|| host.map(Part::from))?;
    let presence = &around.presence[side as usize];
    let party = Party { host: host?.clone(), handle: handle.cloned() };
    let todo = match presence.next() {
        presence::Next::Allow => Todo::Act(Action::Grant(party.host.clone())),
        presence::Next::LookAgain => Todo::Act(Action::LookAgain),
        presence::Next::Nothing | presence::Next::Open(_) => Todo::SignIn(side),
    };
    // Where nobody is signed in, how it goes on; else what stands in the way.
    let then = match presence {
        Presence::Unknown | Presence::NoTab | Presence::SignedOut => None,
        other => other.say(&party),
    };
    Some(Next {
        step: Step::Accounts,
        what: say(key).with(who),
        then: then.or_else(|| Some(say("next_sign_in_then"))),
        todo,
        check: None,
    })
}

fn pack_next(dossier: &Dossier, findings: &[Finding], around: &Around<'_>, moved: bool) -> Option<Next> {
    let open: Vec<&Finding> = of_step(Step::Pack, findings)
        .filter(|finding| finding.outcome != Outcome::Pass && !is_aside(around, finding))
        .collect();
    let first = open.first()?;
    let saved = &dossier.saved;
    if saved.messages.is_none() || saved.lists.is_none() {
        let (key, then, with_plan) = if moved {
            ("next_rescue", "next_rescue_then", "next_rescue_then_plan")
        } else {
            ("next_pack", "next_pack_then", "next_pack_then_plan")
        };
        let then = match around.plan {
            Some((requests, minutes)) => say(with_plan).with(minutes).with(Part::from(requests)),
            None => say(then),
        };
        return Some(plain(Step::Pack, key, Todo::PackAll).then(then));
    }
    Some(from_finding(Step::Pack, first, Some(Todo::PackAll)))
}

fn unpack_next(dossier: &Dossier, around: &Around<'_>) -> Option<Next> {
    let (rows, people) = around.laid?;
    let new = dossier.new_handle()?;
    // Everybody who is followed is told, and by e-mail too where they want it (facts 13, "Imports").
    let then = if people > 0 { say("next_unpack_then").with(people) } else { say("next_unpack_then_nobody") };
    Some(Next {
        step: Step::Unpack,
        what: say("next_unpack").with(rows).with(new),
        then: Some(then),
        todo: Todo::UnpackPlan,
        check: None,
    })
}

fn moving_next(dossier: &Dossier, findings: &[Finding]) -> Next {
    let stop = findings.iter().find(|finding| finding.outcome == Outcome::Stop);
    if let Some(stop) = stop {
        return from_finding(Step::Move, stop, None);
    }
    let who = dossier.new_handle().map_or_else(|| Part::Text(String::new()), Part::from);
    let warns = findings.iter().filter(|finding| finding.outcome == Outcome::Warn).count();
    let what =
        if warns > 0 { say("next_move_warns").with(warns).with(who) } else { say("next_move").with(who) };
    Next { step: Step::Move, what, then: Some(say("next_move_then")), todo: Todo::OpenForm, check: None }
}

/// What stops first, what warns next; what is merely unknown where nothing else is left to do.
fn of_checks(step: Step, findings: &[Finding], around: &Around<'_>) -> Option<Next> {
    let open = |outcome: Outcome| {
        of_step(step, findings).find(|finding| {
            finding.outcome == outcome && finding.action.is_some() && !is_aside(around, finding)
        })
    };
    let finding = open(Outcome::Stop).or_else(|| open(Outcome::Warn)).or_else(|| open(Outcome::Unknown))?;
    Some(from_finding(step, finding, None))
}

fn from_finding(step: Step, finding: &Finding, todo: Option<Todo>) -> Next {
    let todo = todo.or_else(|| finding.action.clone().map(Todo::Act)).unwrap_or(Todo::Nothing);
    Next {
        step,
        what: finding.what.clone(),
        then: finding.then.clone(),
        todo,
        check: (finding.outcome != Outcome::Stop).then_some(finding.check),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{is_spoken, known, linked};
    use crate::server::page::export::Counts;
    use crate::server::profile::Shown;
    use crate::trunk::dossier::{
        AliasRow, Arrived, Cooldown, Email, Existence, Messages, SavedLists, SavedMessages, Target,
    };
    use crate::when::Time;
    use std::sync::LazyLock;

    const NOW: Time = Time(1_000_000);

    /// What the desk makes of it: the status of each step, and the next thing.
    fn look(dossier: &Dossier, around: &Around<'_>) -> (Vec<Status>, Next) {
        let findings = check::all(dossier, NOW);
        let stages = stages(dossier, &findings, around);
        let next = next(dossier, &findings, &stages, around);
        for stage in &stages {
            is_spoken(&stage.says);
        }
        is_spoken(&next.what);
        next.then.iter().for_each(is_spoken);
        assert!(
            next.todo != Todo::Nothing || around.busy.is_some() || has_moved(dossier),
            "nothing to do, and nobody at it: {next:?}"
        );
        (stages.into_iter().map(|stage| stage.status).collect(), next)
    }

    fn at_home() -> Around<'static> {
        static HERE: LazyLock<[Presence; 2]> = LazyLock::new(|| presence([true, true]));
        around(&HERE)
    }

    fn around(presence: &[Presence; 2]) -> Around<'_> {
        Around { presence, busy: None, chosen: None, laid: None, aside: &[], plan: None }
    }

    fn presence(here: [bool; 2]) -> [Presence; 2] {
        let handle = || "ana@old.example".parse().unwrap();
        here.map(|here| if here { Presence::Here(handle()) } else { Presence::SignedOut })
    }

    fn counts() -> Counts {
        Counts {
            follows: Some(3),
            mutes: Some(2),
            blocks: Some(0),
            lists: Some(1),
            bookmarks: Some(4),
            ..Counts::default()
        }
    }

    /// Everything is well and seen, nothing saved, nothing made.
    fn fresh() -> Dossier {
        let mut dossier = linked();
        let (old, new) = (&mut dossier.old, &mut dossier.new);
        old.redirect = known(Redirect::None, 1);
        old.cooldown = known(Cooldown::Over, 1);
        old.uri = known(crate::account::ActorUri("https://old.example/users/ana".into()), 1);
        old.version = known(crate::server::version::Version::parse("4.6.5").unwrap(), 1);
        old.counts = known(counts(), 1);
        old.follow_requests = known(0, 1);
        old.health = known(crate::trunk::dossier::Health::Answers, 1);
        old.email = known(Email::Confirmed, 1);
        old.messages =
            known(Messages { conversations: vec![("1".into(), "2".into())], ..Messages::default() }, 1);
        new.existence = known(Existence::Found, 1);
        new.email = known(Email::Confirmed, 1);
        new.locked = known(false, 1);
        new.following = known(0, 1);
        new.followers = known(0, 1);
        new.aliases = known(Vec::new(), 1);
        new.announced = known(vec!["ana@old.example".parse().unwrap()], 1);
        new.profile = known(Shown::default(), 1);
        old.profile = known(Shown::default(), 1);
        new.redirect = known(Redirect::None, 1);
        dossier
    }

    fn packed(dossier: &mut Dossier) {
        let messages = SavedMessages {
            at: Time(2),
            count: 9,
            rescued: false,
            conversations: vec![("1".into(), "2".into())],
        };
        dossier.saved.messages = Some(messages);
        let rows = counts();
        dossier.saved.lists = Some(SavedLists { at: Time(2), rows, ..SavedLists::default() });
    }

    fn with_alias(dossier: &mut Dossier) {
        let handle = "ana@old.example".parse().unwrap();
        dossier.new.aliases = known(vec![AliasRow { handle, since: Time(1), made_lately: false }], 1);
    }

    fn unpacked(dossier: &mut Dossier) {
        let arrived = Arrived { at: Time(3), follows: 3, arrived: 3, ..Arrived::default() };
        dossier.saved.arrived = Some(arrived);
        dossier.new.following = known(3, 3);
    }

    #[test]
    fn of_nothing_nothing_is_claimed() {
        let (status, next) = look(&Dossier::default(), &around(&presence([false, false])));
        assert!(status.iter().all(|status| matches!(status, Status::Todo | Status::Doing)), "{status:?}");
        assert_eq!(next.step, Step::Accounts);
    }

    #[test]
    fn whoever_is_not_signed_in_comes_first() {
        for (present, side) in
            [([false, false], Side::Old), ([false, true], Side::Old), ([true, false], Side::New)]
        {
            let (status, next) = look(&fresh(), &around(&presence(present)));
            assert_eq!((next.step, next.todo), (Step::Accounts, Todo::SignIn(side)));
            assert_eq!(status[0], Status::Doing);
        }
        // Nobody has told the handle of the new one yet: its server is named.
        let mut dossier = fresh();
        dossier.new.handle = None;
        dossier.target = Target::Server("new.example".parse().unwrap());
        let (_, next) = look(&dossier, &around(&presence([true, false])));
        assert_eq!(next.what.key, "next_sign_in_new_server");
    }

    #[test]
    fn somebody_else_is_named_and_a_server_that_may_not_be_looked_at_is_allowed_first() {
        let other = Presence::Other("bob@old.example".parse().unwrap());
        let (_, next) = look(&fresh(), &around(&[other, presence([true, true])[1].clone()]));
        assert_eq!(
            (next.todo, next.then.unwrap().key.as_str()),
            (Todo::SignIn(Side::Old), "trouble_other_account")
        );
        let (_, next) = look(&fresh(), &around(&[Presence::NotGranted, Presence::NoTab]));
        assert_eq!(next.todo, Todo::Act(Action::Grant("old.example".parse().unwrap())));
    }

    /// On one server only one of the two can be signed in: the one that is needed now.
    #[test]
    fn on_one_server_the_accounts_take_turns() {
        let mut dossier = fresh();
        dossier.new_host = dossier.old_host.clone();
        let (old, new) = (presence([true, false]), presence([false, true]));
        let (status, next) = look(&dossier, &around(&old));
        assert_eq!((status[0], next.todo), (Status::Done, Todo::PackAll));
        assert_eq!(look(&dossier, &around(&new)).1.todo, Todo::SignIn(Side::Old));
        packed(&mut dossier);
        assert_eq!(look(&dossier, &around(&old)).1.todo, Todo::SignIn(Side::New));
        assert_eq!(look(&dossier, &around(&new)).1.todo, Todo::Act(Action::MakeAlias));
    }

    /// The whole way, one thing after the other.
    #[test]
    fn the_steps_follow_each_other() {
        let mut dossier = fresh();
        let (status, next) = look(&dossier, &Around { plan: Some((120, 3)), ..at_home() });
        assert_eq!(status[..2], [Status::Done, Status::Stuck]);
        assert_eq!((next.step, next.todo), (Step::Pack, Todo::PackAll));
        assert_eq!(next.then.unwrap().key, "next_pack_then_plan");

        let (status, next) = look(&dossier, &Around { busy: Some(Busy::Packs), ..at_home() });
        assert_eq!((status[1], next.todo), (Status::Doing, Todo::Nothing));

        packed(&mut dossier);
        let (status, next) = look(&dossier, &at_home());
        assert_eq!(status[1], Status::Done);
        assert_eq!((next.step, next.todo), (Step::Prepare, Todo::Act(Action::MakeAlias)));

        with_alias(&mut dossier);
        let (status, next) = look(&dossier, &at_home());
        assert_eq!((next.step, next.todo), (Step::Unpack, Todo::Act(Action::Unpack)));
        assert_eq!(status[3], Status::Todo);
        let (_, next) = look(&dossier, &Around { laid: Some((9, 3)), ..at_home() });
        assert_eq!((next.step, next.todo), (Step::Unpack, Todo::UnpackPlan));

        unpacked(&mut dossier);
        let (status, next) = look(&dossier, &at_home());
        assert_eq!(status[3], Status::Done);
        assert_eq!((next.step, next.todo), (Step::Move, Todo::OpenForm));

        dossier.old.redirect = known(Redirect::To("ana@new.example".parse().ok()), 4);
        let (status, next) = look(&dossier, &at_home());
        assert_eq!((status[4], status[5]), (Status::Done, Status::Doing));
        assert_eq!((next.step, next.todo), (Step::Arrivals, Todo::Nothing));

        dossier.new.announced = known(Vec::new(), 5);
        let (_, next) = look(&dossier, &at_home());
        assert_eq!((next.step, next.todo), (Step::Arrivals, Todo::Act(Action::Announce)));
    }

    #[test]
    fn what_is_left_aside_is_not_asked_for_again_and_what_stops_cannot_be() {
        let mut dossier = fresh();
        packed(&mut dossier);
        with_alias(&mut dossier);
        dossier.new.locked = known(true, 1);
        let (_, next) = look(&dossier, &at_home());
        assert_eq!((next.step, next.check), (Step::Prepare, Some("unlocked")));
        let aside = ["unlocked".to_owned()];
        let (status, next) = look(&dossier, &Around { aside: &aside, ..at_home() });
        assert_eq!((status[2], next.step), (Status::Done, Step::Unpack));

        dossier.new.aliases = known(Vec::new(), 2);
        let aside = ["unlocked".to_owned(), "alias".to_owned()];
        let (status, next) = look(&dossier, &Around { aside: &aside, ..at_home() });
        assert_eq!((status[2], next.step, next.check), (Status::Stuck, Step::Prepare, None));
    }

    #[test]
    fn who_has_moved_without_packing_is_helped_to_save_what_can_be() {
        let mut dossier = fresh();
        dossier.old.redirect = known(Redirect::To("ana@new.example".parse().ok()), 4);
        let (status, next) = look(&dossier, &at_home());
        assert_eq!(status[4], Status::Done);
        assert_eq!((next.step, next.todo), (Step::Pack, Todo::PackAll));
        assert_eq!(next.what.key, "next_rescue");
    }

    #[test]
    fn a_redirect_to_somewhere_else_is_not_this_move() {
        let mut dossier = fresh();
        packed(&mut dossier);
        with_alias(&mut dossier);
        unpacked(&mut dossier);
        dossier.old.redirect = known(Redirect::To("bob@else.example".parse().ok()), 4);
        let (status, next) = look(&dossier, &at_home());
        assert_eq!((status[4], next.step), (Status::Stuck, Step::Move));
        assert!(!has_moved(&dossier));
    }
}
