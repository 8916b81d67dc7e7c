//! The save of messages against the stand-in, without network and browser: everything is found, with every interruption,
//! with a redirect set, and in few requests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::saving::{Keeper, Talk, Trouble};
use packed_trunk::job::collect::Gap;
use packed_trunk::job::save::{Next, Why};
use packed_trunk::message::record::{ABOUT, FILE, File, HISTORY, Missing, STATUS};
use serde_json::{Value, json};
use stand_in::{Options, Shape, Side, Version};

/// The uris that a save holds, of messages.
fn saved(keeper: &Keeper) -> BTreeSet<String> {
    let messages = keeper.records.iter().filter(|(key, _)| key.starts_with(STATUS));
    messages
        .filter_map(|(key, text)| {
            let value: Value = serde_json::from_str(text).unwrap();
            (value["visibility"] == "direct").then(|| key[STATUS.len()..].to_owned())
        })
        .collect()
}

/// What the oracle has and the save has not, by author.
fn lost(talk: &Talk, keeper: &Keeper) -> BTreeMap<String, usize> {
    let saved = saved(keeper);
    let mut lost = BTreeMap::new();
    for truth in talk.control.oracle(Side::Old, &talk.user) {
        if !saved.contains(&truth.uri) {
            *lost.entry(truth.author).or_default() += 1;
        }
    }
    lost
}

/// The one whom no list knows: a stranger, never answered, whose request was dismissed.
const DISMISSED: &str = "bela@far.example";

fn only_the_dismissed() -> BTreeMap<String, usize> {
    BTreeMap::from([(DISMISSED.to_owned(), 7)])
}

/// Nothing is saved that is not the owner's, and nothing was asked for twice.
fn is_clean(talk: &Talk, keeper: &Keeper) {
    let truth: BTreeSet<String> =
        talk.control.oracle(Side::Old, &talk.user).into_iter().map(|truth| truth.uri).collect();
    assert_eq!(saved(keeper).difference(&truth).count(), 0);
    let paths = talk.paths();
    assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), paths.len(), "{paths:#?}");
}

#[test]
fn every_message_of_the_measured_account_is_found_in_few_requests() {
    let talk = Talk::new(Options::default(), "mia");
    let mut keeper = Keeper::default();
    let save = talk.run(&mut keeper, false);
    is_clean(&talk, &keeper);
    assert_eq!(lost(&talk, &keeper), only_the_dismissed());
    assert!(talk.asked() <= 60, "{}", talk.asked());
    let count = save.work.count();
    assert_eq!((count.messages, count.sent, count.received), (564, 210, 354));
    // It says so.
    assert!(save.work.gaps().contains(&Gap::Strangers { searched: true }), "{:?}", save.work.gaps());

    // Whoever remembers the name gets the rest, for two requests.
    let before = talk.asked();
    let mut job = keeper.job().unwrap();
    keeper.keep(job.name(&DISMISSED.parse().unwrap(), talk.now()));
    talk.run(&mut keeper, false);
    assert_eq!(lost(&talk, &keeper), BTreeMap::new());
    assert_eq!(talk.asked() - before, 2);
    assert_eq!(saved(&keeper).len(), 571);
}

#[test]
fn cleared_notifications_and_removed_conversations_change_nothing() {
    let talk = Talk::new(Options::default(), "mia");
    let session = talk.session.borrow().clone();
    let post = |path: &str| {
        let site = stand_in::Site::Server(Side::Old);
        talk.control.ask(site, "POST", path, &session, &[], &Value::Null).unwrap()
    };
    assert_eq!(post("/api/v1/notifications/clear").status, 200);
    let mut keeper = Keeper::default();
    talk.run(&mut keeper, false);
    is_clean(&talk, &keeper);
    assert!(talk.asked() <= 60, "{}", talk.asked());
    // Clearing takes the requests of strangers along; who was never answered and is in no list cannot be found.
    let strangers = lost(&talk, &keeper);
    let known: BTreeSet<String> = talk
        .control
        .oracle(Side::Old, "mia")
        .into_iter()
        .filter(|truth| truth.sent)
        .map(|truth| truth.author)
        .collect();
    assert!(strangers.keys().all(|author| !known.contains(author)), "{strangers:?}");
    eprintln!("cleared: {strangers:?}");
}

#[test]
fn edits_pictures_and_what_was_answered_are_kept_too() {
    let talk = Talk::new(Options::default(), "mia");
    let mut keeper = Keeper::default();
    talk.run(&mut keeper, false);
    let sums: BTreeMap<String, &str> = keeper
        .records
        .iter()
        .filter_map(|(key, text)| Some((key.strip_prefix(FILE)?, File::read(text)?)))
        .map(|(url, file)| match file {
            File::Saved { sha256, .. } => (sha256, url),
            File::Missing(reason) => panic!("{url}: {reason:?}"),
        })
        .collect();
    let mut files = 0;
    for truth in talk.control.oracle(Side::Old, "mia") {
        for file in truth.attachments.iter().filter(|_| truth.author != DISMISSED) {
            // Not by its address: one that was not cached has another one once it was fetched.
            assert!(sums.contains_key(&file.sha256), "{}", file.url);
            files += 1;
        }
    }
    assert_eq!(files, 19);
    let mut edited = 0;
    for (key, text) in keeper.records.iter().filter(|(key, _)| key.starts_with(STATUS)) {
        let value: Value = serde_json::from_str(text).unwrap();
        if !value["edited_at"].is_null() && value["visibility"] == "direct" {
            let history = &keeper.records[&format!("{HISTORY}{}", &key[STATUS.len()..])];
            let versions: Value = serde_json::from_str(history).unwrap();
            assert!(versions.as_array().unwrap().len() > 1, "{history}");
            edited += 1;
        }
    }
    assert!(edited > 0);
    let public = keeper.records.values().filter(|text| text.contains("\"visibility\":\"public\"")).count();
    assert!(public > 0, "the post with which a thread begins");
}

/// Records without the times of the save itself.
fn records(keeper: &Keeper) -> BTreeMap<String, String> {
    keeper.records.iter().filter(|(key, _)| *key != ABOUT).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Byte for byte.
fn is_same(one: &Keeper, other: &Keeper, when: &str) {
    let (left, right) = (records(one), records(other));
    for key in left.keys().chain(right.keys()) {
        assert!(left.get(key) == right.get(key), "{key}: {:?}, {:?}; {when}", left.get(key), right.get(key));
    }
    assert!(one.files == other.files, "{when}");
}

#[test]
fn interrupted_after_any_request_it_ends_the_same() {
    let talk = Talk::new(Options::default(), "mia");
    let start = talk.control.with_world(|world| world.clock_offset);
    let reset = || {
        talk.control.with_world(|world| {
            world.clock_offset = start;
            world.server_mut(Side::Old).rate = Default::default();
        });
        talk.sign_in_again();
        talk.forget_paths();
    };
    // Once before, so that the server's own cache of remote files is as it will be.
    talk.run(&mut Keeper::default(), false);
    let mut whole = Keeper::default();
    reset();
    talk.run(&mut whole, false);
    let requests = talk.asked();
    let troubles = [
        Trouble::Lost,
        Trouble::LostAfter,
        Trouble::TooMany,
        Trouble::TooManyWithoutHeader,
        Trouble::Unavailable,
        Trouble::SignedOut,
    ];
    let mut points = 0;
    for trouble in troubles {
        for at in 1..=requests {
            // With everything in memory lost, and once for each request going on in the same tab.
            let ways: &[bool] = if trouble == Trouble::Lost { &[false, true] } else { &[true] };
            for killed in ways.iter().copied() {
                reset();
                *talk.trouble.borrow_mut() = Some((at, trouble));
                let mut keeper = Keeper::default();
                let mut save = talk.save(&mut keeper, false);
                let mut gone = false;
                while !save.work.is_done() {
                    match talk.step(&mut save, &mut keeper) {
                        Some(Why::SignedOut) => {
                            talk.sign_in_again();
                            save.go_on();
                        }
                        Some(why) => panic!("{trouble:?} at {at}: {why:?}"),
                        None => {}
                    }
                    if killed && !gone && talk.asked() >= at {
                        gone = true;
                        if trouble == Trouble::SignedOut {
                            talk.sign_in_again();
                        }
                        save = talk.save(&mut keeper, false);
                    }
                }
                *talk.trouble.borrow_mut() = None;
                is_same(&keeper, &whole, &format!("{trouble:?} at {at}, killed: {killed}"));
                assert!(talk.asked() <= requests + 1, "{trouble:?} at {at}: {} requests", talk.asked());
                points += 1;
            }
        }
    }
    eprintln!("{points} interruptions of {requests} requests");
}

#[test]
fn killed_after_any_file_it_ends_the_same() {
    let talk = Talk::new(Options::default(), "mia");
    talk.run(&mut Keeper::default(), false);
    let mut whole = Keeper::default();
    talk.run(&mut whole, false);
    for at in 1..=whole.files.len() {
        talk.control.with_world(|world| world.server_mut(Side::Old).rate = Default::default());
        let mut keeper = Keeper::default();
        let mut save = talk.save(&mut keeper, false);
        while keeper.files.len() < at {
            talk.step(&mut save, &mut keeper);
        }
        talk.run(&mut keeper, false);
        is_same(&keeper, &whole, &format!("{at}"));
        assert_eq!(keeper.files, whole.files);
    }
}

#[test]
fn what_has_not_changed_costs_nothing() {
    let talk = Talk::new(Options::default(), "mia");
    let mut keeper = Keeper::default();
    let first = talk.run(&mut keeper, false);
    let before = keeper.clone();
    talk.forget_paths();
    let again = talk.run(&mut keeper, false);
    // The first page of each list.
    assert!(talk.asked() <= 8, "{:#?}", talk.paths());
    assert_eq!(saved(&keeper), saved(&before));
    assert_eq!(keeper.files, before.files);
    assert_eq!(again.work.count().messages, first.work.count().messages);

    // A message more: its author's first page, and nothing of the others.
    let author =
        talk.control.oracle(Side::Old, "mia").into_iter().rev().find(|truth| !truth.sent).unwrap().author;
    talk.control
        .post("message", &json!({ "server": "old", "from": author, "user": "mia", "text": "one more" }));
    talk.forget_paths();
    talk.run(&mut keeper, false);
    assert_eq!(saved(&keeper).len(), saved(&before).len() + 1);
    assert!(talk.asked() <= 9, "{:#?}", talk.paths());
}

#[test]
fn after_the_move_everything_but_the_strangers_is_rescued_with_the_cookie_alone() {
    for moved in [true, false] {
        let talk = Talk::new(Options::default(), "mia");
        talk.control.set_moved(Side::Old, "mia", Some("mia@new.localhost:4002"), moved);
        talk.sign_in_again();
        let owner = talk.owner();
        assert!(owner.rescue);
        let mut keeper = Keeper::default();
        let save = talk.run(&mut keeper, false);
        is_clean(&talk, &keeper);
        let lost = lost(&talk, &keeper);
        // Whoever was answered, follows or is followed is found.
        let answered: BTreeSet<String> = keeper
            .records
            .iter()
            .filter(|(key, _)| key.starts_with("p/"))
            .map(|(_, text)| {
                serde_json::from_str::<Value>(text).unwrap()["handle"].as_str().unwrap().to_owned()
            })
            .collect();
        assert!(lost.keys().all(|author| !answered.contains(author)), "{lost:?}");
        assert!(save.work.gaps().contains(&Gap::Rescue));
        eprintln!("rescued {} of 571 in {} requests; not: {lost:?}", saved(&keeper).len(), talk.asked());
    }
}

#[test]
fn an_older_server_has_fewer_lists_and_is_asked_for_no_other() {
    for version in [Version::V3_5, Version::V4_1, Version::V4_2, Version::V4_3] {
        let talk = Talk::new(Options { old_version: version, ..Options::default() }, "mia");
        let mut keeper = Keeper::default();
        let save = talk.run(&mut keeper, false);
        is_clean(&talk, &keeper);
        let lost = lost(&talk, &keeper);
        assert!(lost.len() <= 1, "{version:?}: {lost:?}");
        assert!(save.work.gaps().iter().all(|gap| !matches!(gap, Gap::Lists { .. })), "{version:?}");
    }
}

#[test]
fn pictures_on_a_host_of_their_own_wait_for_the_permission() {
    let mut talk = Talk::new(Options { media_host: true, ..Options::default() }, "mia");
    let mut keeper = Keeper::default();
    let first = talk.run(&mut keeper, false).work.count();
    assert!(first.files_missing > 0);
    let waiting = keeper.records.iter().filter(|(key, text)| {
        key.starts_with(FILE) && File::read(text) == Some(File::Missing(Missing::NotAllowed))
    });
    assert!(waiting.count() > 0);
    talk.allowed.push("cdn.localhost".into());
    let then = talk.run(&mut keeper, false).work.count();
    assert!(then.files_missing < first.files_missing, "{then:?}");
    assert_eq!(then.messages, first.messages);
}

#[test]
fn a_hostile_account_is_saved_as_it_came_and_ends() {
    let talk = Talk::shaped("hos", Shape::Hostile);
    let mut keeper = Keeper::default();
    let save = talk.run(&mut keeper, false);
    let count = save.work.count();
    assert!(count.messages > 0 && talk.asked() < 200, "{count:?} {}", talk.asked());
    eprintln!("hostile: {count:?}, {:?}", save.work.gaps());
}

#[test]
fn a_server_that_repeats_a_page_for_ever_is_not_believed() {
    let talk = Talk::new(Options::default(), "mia");
    talk.control.post(
        "fault",
        &json!({
        "server": "old", "path_prefix": "/api/v1/conversations", "kind": "repeat" }),
    );
    let mut keeper = Keeper::default();
    let save = talk.run(&mut keeper, false);
    assert!(talk.asked() < 80, "{}", talk.asked());
    assert!(
        save.work.gaps().contains(&Gap::Lists { roads: vec!["conversations"] }),
        "{:?}",
        save.work.gaps()
    );
}

#[test]
fn a_request_that_breaks_the_server_every_time_is_given_up_and_told() {
    let talk = Talk::new(Options::default(), "mia");
    talk.control.post(
        "fault",
        &json!({
        "server": "old", "path_prefix": "/api/v1/mutes", "kind": "status:500", "count": 1000 }),
    );
    let mut keeper = Keeper::default();
    let save = talk.run(&mut keeper, false);
    assert!(save.work.gaps().contains(&Gap::Lists { roads: vec!["mutes"] }), "{:?}", save.work.gaps());
    // A server that is down altogether is no reason to give anything up.
    let down = Talk::new(Options::default(), "mia");
    down.control
        .post("fault", &json!({ "server": "old", "path_prefix": "/api", "kind": "status:503", "count": 30 }));
    let mut keeper = Keeper::default();
    let save = down.run(&mut keeper, false);
    assert_eq!(
        save.work.gaps(),
        [Gap::Strangers { searched: true }, Gap::Closed { people: closed(&save.work.gaps()) }]
            .into_iter()
            .chain(save.work.gaps().into_iter().filter(|gap| matches!(gap, Gap::Gone { .. })))
            .collect::<Vec<_>>()
    );
}

fn closed(gaps: &[Gap]) -> Vec<String> {
    gaps.iter()
        .find_map(|gap| match gap {
            Gap::Closed { people } => Some(people.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

#[test]
fn a_stop_tells_why_and_nothing_is_lost() {
    let talk = Talk::new(Options::default(), "mia");
    let mut keeper = Keeper::default();
    let mut save = talk.save(&mut keeper, false);
    for _ in 0..10 {
        talk.step(&mut save, &mut keeper);
    }
    let before = keeper.clone();
    talk.session.replace(stand_in::Credentials { cookie: None, token: Some("ended".into()) });
    let why = (0..50).find_map(|_| talk.step(&mut save, &mut keeper));
    assert_eq!(why, Some(Why::SignedOut));
    assert!(before.records.keys().all(|key| keeper.records.contains_key(key)));
    assert_eq!(save.next(talk.now()), Next::Stop(Why::SignedOut));
}
