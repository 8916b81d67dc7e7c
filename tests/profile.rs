//! A profile carried over and taken back, against the stand-in: pairs of versions, trouble at every request, and what
//! servers do not take.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::NativeParser;
use common::moving::{Keeper, Kept, Teller};
use common::saving::Trouble;
use packed_trunk::account::Domain;
use packed_trunk::job::profile::Carry;
use packed_trunk::job::profile::change::{Stand, What, Which};
use packed_trunk::job::profile::look::Look;
use packed_trunk::job::save::{Next, Save, Why};
use packed_trunk::server::profile::{Flag, Profile};
use packed_trunk::server::request;
use packed_trunk::trunk::dossier::Side as End;
use packed_trunk::trunk::profile::{self as compare, Item, Line};
use serde_json::Value;
use stand_in::state::{Account, Picture};
use stand_in::{Control, Credentials, Options, Side, Version};

const USER: &str = "petra";

fn pair(old: &str, new: &str) -> Control {
    let version = |text: &str| text.parse::<Version>().expect("a version");
    stand_in::indoors(Options { old_version: version(old), new_version: version(new), ..Options::default() })
}

fn change(control: &Control, side: Side, change: impl FnOnce(&mut Account)) {
    control.with_world(|world| {
        let server = world.server_mut(side);
        let id = server.find(USER, None).expect("somebody of that name");
        change(server.account_mut(id).expect("an account"));
        world.changed();
    });
}

/// As an account is when it was made a minute ago.
fn blank(control: &Control) {
    change(control, Side::New, |account| {
        account.display_name = String::new();
        account.note = String::new();
        account.fields = Vec::new();
    });
}

fn picture(number: u8) -> Picture {
    Picture {
        content_type: "image/png".into(),
        name: format!("{number:016}.png"),
        description: "before".into(),
        bytes: Arc::new(stand_in::media::png(20, 20, number, u64::from(number))),
    }
}

/// As an account is whose owner has begun to make it their own.
fn furnished(control: &Control) {
    change(control, Side::New, |account| {
        account.display_name = "Somebody".into();
        account.note = "has been here\nbefore".into();
        account.fields = vec![("Website".into(), "https://else.example".into()), ("b".into(), "c".into())];
        account.avatar = Some(picture(7));
        account.discoverable = Some(false);
        account.user.as_mut().expect("a user").featured_tags = vec![(99, "trains".into())];
    });
    change(control, Side::Old, |account| {
        let tags = &mut account.user.as_mut().expect("a user").featured_tags;
        *tags = vec![(1, "radio".into()), (2, "Trains".into())];
    });
}

fn credentials(control: &Control, side: Side) -> Value {
    let session = control.credentials(side, USER);
    let path = "/api/v1/accounts/verify_credentials";
    let answer = control.answer(side, "GET", path, &session).expect("an answer");
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// What others see of a profile, pictures as they are and not where they are.
fn seen(control: &Control, side: Side) -> BTreeMap<String, String> {
    let own = credentials(control, side);
    let mut seen = BTreeMap::new();
    for key in ["display_name", "bot", "locked", "avatar_description", "header_description"] {
        seen.insert(key.to_owned(), own[key].to_string());
    }
    for key in ["note", "fields", "indexable"] {
        seen.insert(key.to_owned(), own["source"][key].to_string());
    }
    for key in ["discoverable", "hide_collections"] {
        // No server takes "not chosen yet" back.
        seen.insert(key.to_owned(), (own[key] == true).to_string());
    }
    for key in ["avatar", "header"] {
        let file = control.fetch(own[key].as_str().unwrap(), &Credentials::nobody()).unwrap();
        let there = file.status == 200;
        seen.insert(key.to_owned(), format!("{there} {}", packed_trunk::message::digest::hex(&file.body)));
    }
    let session = control.credentials(side, USER);
    let tags = control.answer(side, "GET", "/api/v1/featured_tags", &session).unwrap();
    let tags: Value = serde_json::from_slice(&tags.body).unwrap();
    let names = tags.as_array().unwrap().iter().map(|tag| tag["name"].to_string()).collect::<Vec<_>>();
    seen.insert("tags".into(), names.join(","));
    seen
}

fn read(teller: &Teller, side: End) -> Look {
    let mut save = Save::new(Look::new(teller.owner(), side));
    for _ in 0..100 {
        match save.next(teller.now()) {
            Next::Ask(task, request) => {
                let reply = teller.ask(&request);
                save.answer(&task, &request, &reply, &NativeParser, teller.now());
            }
            Next::Wait { until, .. } => teller.wait(until.since(teller.now())),
            Next::Stop(Why::SignedOut) => {
                teller.sign_in_again();
                save.go_on();
            }
            Next::Through => return save.work,
            next => panic!("{next:?}"),
        }
    }
    panic!("no end");
}

/// Both ends as they are now, for `f`.
fn with<T>(control: &Control, f: impl FnOnce(compare::End, compare::End) -> T) -> T {
    let looks = [(Side::Old, End::Old), (Side::New, End::New)].map(|(at, side)| {
        let teller = Teller::new(control, at, USER);
        (teller.domain(), read(&teller, side))
    });
    let end = |at: usize| -> compare::End {
        let (host, look): &(Domain, Look) = &looks[at];
        compare::End {
            profile: look.profile.as_ref().expect("a profile"),
            host,
            tags: look.tags.as_deref(),
            limits: &look.limits,
            emojis: look.emojis.as_deref(),
        }
    };
    f(end(0), end(1))
}

/// What is to be done when the person takes everything.
fn everything(control: &Control) -> (Vec<Line>, Vec<What>) {
    with(control, |old, new| {
        let lines = compare::compare(old, new);
        let all: Vec<Item> = lines.iter().map(|line| line.item.clone()).collect();
        let changes = compare::changes(old, new, &lines, &all);
        (lines, changes)
    })
}

fn begin(teller: &Teller, changes: Vec<What>) -> Keeper {
    let mut keeper = Keeper::default();
    let (_, records) = Carry::begin(teller.owner(), changes, teller.now());
    keeper.keep(records);
    keeper
}

fn take_back(teller: &Teller, keeper: &mut Keeper) {
    let mut job = Carry::take_up(keeper).expect("the job as it was left");
    assert!(job.may_be_taken_back());
    keeper.keep(job.take_back(teller.now()));
}

fn stands(job: &Carry) -> Vec<(String, Stand)> {
    job.steps().map(|(what, stand)| (what.id(), stand.clone())).collect()
}

fn all_done(job: &Carry) {
    for (what, stand) in job.steps() {
        assert_eq!(*stand, Stand::Done, "{what:?}");
    }
}

#[test]
fn an_empty_profile_becomes_the_old_one_between_all_versions() {
    for (old, new) in [
        ("3.5", "4.6"),
        ("4.1", "4.1"),
        ("4.2", "4.3"),
        ("4.3", "4.2"),
        ("4.5", "4.7"),
        ("4.6", "4.6"),
        ("4.7", "3.5"),
    ] {
        let control = pair(old, new);
        blank(&control);
        change(&control, Side::Old, |account| {
            account.bot = true;
            account.user.as_mut().expect("a user").featured_tags = vec![(1, "radio".into())];
        });
        let before = seen(&control, Side::New);
        let changes = with(&control, |old, new| {
            let lines = compare::compare(old, new);
            let chosen: Vec<Item> =
                lines.iter().filter(|line| line.chosen).map(|line| line.item.clone()).collect();
            compare::changes(old, new, &lines, &chosen)
        });
        let teller = Teller::new(&control, Side::New, USER);
        let mut keeper = begin(&teller, changes);
        let job = teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
        all_done(&job);
        // The account, its texts, each picture, the account again, hashtags before and after.
        let asked = teller.asked.borrow().len();
        assert!(asked <= 8, "{old} to {new}: {:?}", teller.asked.borrow());
        let (wanted, after) = (seen(&control, Side::Old), seen(&control, Side::New));
        for key in ["display_name", "note", "fields", "avatar", "header", "bot", "discoverable", "tags"] {
            assert_eq!(after[key], wanted[key], "{key} from {old} to {new}");
        }
        if old >= "4.6" && new >= "4.6" {
            assert_eq!(after["avatar_description"], "\"a radio\"", "{old} to {new}");
        }
        // Everything is the same now: there is nothing left to be done.
        let (lines, _) = everything(&control);
        let open = |line: &&Line| {
            !line.same && !line.barred && !matches!(line.item, Item::Picture(_) | Item::Flag(_))
        };
        assert_eq!(lines.iter().filter(open).count(), 0, "{old} to {new}: {lines:#?}");

        take_back(&teller, &mut keeper);
        let job = teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
        all_done(&job);
        assert_eq!(seen(&control, Side::New), before, "{old} to {new}");
    }
}

#[test]
fn what_was_there_before_comes_back_with_its_pictures() {
    for version in ["3.5", "4.1", "4.3", "4.6"] {
        let control = pair("4.6", version);
        furnished(&control);
        let before = seen(&control, Side::New);
        let (lines, changes) = everything(&control);
        assert!(lines.iter().all(|line| line.same || line.new == compare::Value::None || !line.chosen));
        let teller = Teller::new(&control, Side::New, USER);
        let mut keeper = begin(&teller, changes);
        all_done(&teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper));
        let after = seen(&control, Side::New);
        assert_ne!(after["avatar"], before["avatar"]);
        assert!(after["fields"].contains("petra.example") && after["fields"].contains("\"b\""), "{after:?}");
        assert_eq!(after["tags"], "\"trains\",\"radio\"");
        take_back(&teller, &mut keeper);
        all_done(&teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper));
        assert_eq!(seen(&control, Side::New), before, "{version}");
        // And once more, from what is there now.
        let mut job = Carry::take_up(&keeper).unwrap();
        keeper.keep(job.add(vec![What::Name("Third".into())], teller.now()));
        all_done(&teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper));
        assert_eq!(seen(&control, Side::New)["display_name"], "\"Third\"");
        take_back(&teller, &mut keeper);
        all_done(&teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper));
        assert_eq!(seen(&control, Side::New), before, "{version}");
    }
}

#[test]
fn interrupted_after_any_request_it_ends_the_same() {
    const TROUBLES: [Trouble; 6] = [
        Trouble::Lost,
        Trouble::LostAfter,
        Trouble::TooMany,
        Trouble::TooManyWithoutHeader,
        Trouble::Unavailable,
        Trouble::SignedOut,
    ];
    for undo in [false, true] {
        let run = |trouble: Option<(usize, Trouble)>| {
            let control = pair("4.6", "4.6");
            furnished(&control);
            let (_, changes) = everything(&control);
            let teller = Teller::new(&control, Side::New, USER);
            let mut keeper = begin(&teller, changes);
            if undo {
                teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
                take_back(&teller, &mut keeper);
                teller.asked.borrow_mut().clear();
            }
            teller.trouble.set(trouble);
            let job = teller.run_interrupted::<Carry>(&mut keeper);
            let asked = teller.asked.borrow().clone();
            (stands(&job), seen(&control, Side::New), asked)
        };
        let (plain, whole, asked) = run(None);
        for trouble in TROUBLES {
            for at in 1..=asked.len() {
                let (stands, seen, again) = run(Some((at, trouble)));
                assert_eq!(stands, plain, "undo {undo}: {trouble:?} at {at}, {:?}", asked[at - 1]);
                assert_eq!(seen, whole, "undo {undo}: {trouble:?} at {at}, {:?}", asked[at - 1]);
                let writes = |all: &[String]| all.iter().filter(|one| !one.starts_with("GET")).count();
                assert!(writes(&again) <= writes(&asked) + 1, "undo {undo}: {trouble:?} at {at}: {again:?}");
            }
        }
    }
}

#[test]
fn what_a_server_refuses_is_named_and_the_rest_arrives() {
    let control = pair("4.6", "4.3");
    blank(&control);
    let name = || What::Name("x".repeat(31));
    let changes = vec![
        name(),
        What::Note("a short one".into()),
        What::Fields((0..5).map(|n| (format!("n{n}"), "v".to_owned())).collect()),
        What::Flag(Flag::Bot, true),
        What::Tag { name: "not a tag!".into(), on: true },
        What::Tag { name: "cats".into(), on: true },
    ];
    let teller = Teller::new(&control, Side::New, USER);
    let mut keeper = begin(&teller, changes);
    let job = teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
    let refused = |words: &str| Stand::Refused(words.to_owned());
    assert_eq!(
        stands(&job),
        [
            (
                "name".into(),
                refused("Validation failed: Display name is too long (maximum is 30 characters)")
            ),
            ("note".into(), Stand::Done),
            ("fields".into(), refused("Validation failed: Fields is too long (maximum is 4 characters)")),
            ("bot".into(), Stand::Done),
            ("tag-not a tag!".into(), refused("Validation failed: Name is invalid")),
            ("tag-cats".into(), Stand::Done),
        ]
    );
    // Only what is there is taken back.
    take_back(&teller, &mut keeper);
    let job = teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
    let ids: Vec<String> = stands(&job).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["note", "bot", "tag-cats"]);
    all_done(&job);
}

#[test]
fn a_picture_that_is_none_or_not_to_be_had_stops_nothing_else() {
    let control = pair("4.6", "4.6");
    blank(&control);
    change(&control, Side::Old, |account| {
        account.avatar.as_mut().expect("one").bytes = Arc::new(b"<svg onload=alert(1)>".to_vec());
    });
    let (_, mut changes) = everything(&control);
    changes.retain(|what| !matches!(what, What::Picture { which: Which::Header, .. }));
    let gone = "http://old.localhost:4001/system/accounts/headers/000/original/gone.png";
    changes.push(What::Picture { which: Which::Header, url: Some(gone.into()), words: None });
    let teller = Teller::new(&control, Side::New, USER);
    let mut keeper = begin(&teller, changes);
    let job = teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
    let all = stands(&job);
    let of = |id: &str| all.iter().find(|(own, _)| own == id).map(|(_, stand)| stand.clone()).unwrap();
    let words = "Validation failed: Avatar has contents that are not what they are reported to be";
    assert_eq!(of("avatar"), Stand::Refused(words.into()));
    assert_eq!(of("header"), Stand::Missing("gone".into()));
    assert_eq!((of("name"), of("fields")), (Stand::Done, Stand::Done));
}

#[test]
fn nothing_is_changed_on_an_account_that_signed_in_meanwhile() {
    let control = pair("4.6", "4.6");
    blank(&control);
    let (_, changes) = everything(&control);
    let requests = {
        let teller = Teller::new(&control, Side::New, USER);
        let mut keeper = begin(&teller, changes.clone());
        let before = keeper.clone();
        teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
        let count = teller.asked.borrow().len();
        take_back(&teller, &mut keeper);
        teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
        drop(before);
        count
    };
    let other = || {
        let session = control.credentials(Side::New, "ben");
        let path = "/api/v1/accounts/verify_credentials";
        control.answer(Side::New, "GET", path, &session).unwrap().body
    };
    let before = other();
    let teller = Teller::new(&control, Side::New, USER);
    let mut keeper = begin(&teller, changes);
    let mut save = Save::new(Carry::take_up(&keeper).unwrap());
    // The tab is another person's from the first request on: the account is read, and that is all.
    teller.sign_in_as("ben");
    let mut why = None;
    for _ in 0..requests {
        why = teller.step(&mut save, &mut keeper);
        if why.is_some() {
            break;
        }
    }
    assert_eq!(why, Some(Why::SignedOut));
    assert!(teller.asked.borrow().iter().all(|one| one.starts_with("GET")), "{:?}", teller.asked.borrow());
    assert_eq!(other(), before);
}

#[test]
fn what_the_person_changed_since_is_not_taken_back() {
    let control = pair("4.6", "4.6");
    furnished(&control);
    let (_, changes) = everything(&control);
    let teller = Teller::new(&control, Side::New, USER);
    let mut keeper = begin(&teller, changes);
    all_done(&teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper));
    change(&control, Side::New, |account| {
        account.display_name = "My own".into();
        account.avatar = Some(picture(9));
    });
    take_back(&teller, &mut keeper);
    let job = teller.run(Carry::take_up(&keeper).unwrap(), &mut keeper);
    for (id, stand) in stands(&job) {
        let kept = matches!(id.as_str(), "name" | "avatar");
        assert_eq!(stand, if kept { Stand::Kept } else { Stand::Done }, "{id}");
    }
    let after = seen(&control, Side::New);
    assert_eq!(after["display_name"], "\"My own\"");
    assert!(after["note"].contains("has been here"), "{after:?}");
}

#[test]
fn unlocking_lets_in_who_waits_and_locking_does_not_put_them_out() {
    for version in ["3.5", "4.6"] {
        let control = pair("4.6", version);
        change(&control, Side::New, |account| account.locked = true);
        let before_it = credentials(&control, Side::New)["followers_count"].as_u64();
        control.with_world(|world| {
            let server = world.server(Side::New);
            let (from, to) = (server.find("ben", None).unwrap(), server.find(USER, None).unwrap());
            stand_in::relations::follow(world, Side::New, from, to, true, false, &[]);
            world.changed();
        });
        let teller = Teller::new(&control, Side::New, USER);
        let own = |reply: &packed_trunk::server::reply::Reply| {
            let value = packed_trunk::server::reply::json(reply).unwrap();
            Profile::read(&value, &teller.domain()).unwrap()
        };
        let before = own(&teller.ask(&request::verify_credentials()));
        assert_eq!((before.locked, before.follow_requests), (Some(true), Some(1)), "{version}");
        let after = own(&teller.ask(&request::set_locked(false)));
        assert_eq!((after.locked, after.follow_requests), (Some(false), Some(0)), "{version}");
        assert_eq!(own(&teller.ask(&request::set_locked(true))).locked, Some(true));
        let followers = credentials(&control, Side::New)["followers_count"].as_u64();
        assert_eq!(followers, before_it.map(|before| before + 1), "{version}");
    }
}

#[test]
fn with_trouble_at_any_request_what_is_read_is_the_same_or_unknown() {
    let control = pair("4.1", "4.6");
    control.with_world(|world| {
        let server = world.server_mut(Side::Old);
        let petra = server.find(USER, None).unwrap();
        let posts: Vec<u64> = server.by_author_open[&petra].iter().copied().take(1).collect();
        server.user_mut(petra).unwrap().pinned = posts;
        world.changed();
    });
    for (at, side) in [(Side::Old, End::Old), (Side::New, End::New)] {
        let teller = Teller::new(&control, at, USER);
        let plain = read(&teller, side);
        let asked = teller.asked.borrow().len();
        assert_eq!(plain.profile.as_ref().map(|own| own.handle.user().to_owned()).as_deref(), Some(USER));
        if side == End::Old {
            let pinned = plain.pinned.as_ref().expect("what is pinned");
            assert_eq!(pinned.len(), 1);
            assert!(pinned.iter().all(|post| post.url.is_some() && !post.text.contains('<')), "{pinned:?}");
        }
        for trouble in [Trouble::Lost, Trouble::TooMany, Trouble::Unavailable, Trouble::SignedOut] {
            for at_request in 1..=asked {
                let teller = Teller::new(&control, at, USER);
                teller.trouble.set(Some((at_request, trouble)));
                let look = read(&teller, side);
                assert_eq!(look.profile, plain.profile, "{trouble:?} at {at_request}");
                assert!(look.tags == plain.tags || look.tags.is_none());
                assert!(look.emojis == plain.emojis || look.emojis.is_none());
                assert!(look.pinned == plain.pinned || look.pinned.is_none());
                assert_eq!(look.limits.name, plain.limits.name);
            }
        }
    }
}
