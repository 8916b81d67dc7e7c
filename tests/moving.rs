//! Packing an account, unpacking it onto another, and accounting for every row, against the stand-in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::moving::{Keeper, Kept, Teller, gather};
use common::saving::Trouble;
use packed_trunk::job::pack::part::Part;
use packed_trunk::job::pack::{Pack, Scope, State};
use packed_trunk::job::save::Save;
use packed_trunk::job::unpack::act::Stand;
use packed_trunk::job::unpack::piece::{Piece, Stage};
use packed_trunk::job::unpack::{Choice, Unpack};
use packed_trunk::job::verify::{Outcome, Ran, Rows, Verify};
use packed_trunk::list::Kind;
use packed_trunk::message::record::ABOUT;
use packed_trunk::trunk::packed::{Packed, blocked_by};
use packed_trunk::trunk::plan::{self, Chosen, Unpacking};
use stand_in::{Control, Options, Side, Version};

fn pair(old: &str, new: &str) -> Control {
    let version = |text: &str| text.parse::<Version>().expect("a version");
    let options = Options { old_version: version(old), new_version: version(new), ..Options::default() };
    let control = stand_in::indoors(options);
    // An import goes on while it is asked about: on a slow machine further than on a fast one.
    control.stop_clock();
    control
}

/// All but the times, the counter of requests and where a page begins.
fn timeless(keeper: &Keeper) -> BTreeMap<String, String> {
    let time = regex::Regex::new(r#""(at|begun|done|asked|changed)":\d+"#).unwrap();
    keeper
        .records
        .iter()
        .map(|(key, text)| (key.clone(), time.replace_all(text, "\"$1\":0").into_owned()))
        .collect()
}

/// Requests that went out more often than in a run without trouble; asking how something stands is no repetition.
fn repeated(plain: &[String], troubled: &[String]) -> Vec<String> {
    let number = regex::Regex::new(r"/\d{10,}/").unwrap();
    let writes = |all: &[String]| {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        let looks =
            ["GET /settings/imports", "GET /settings/import", "GET /api/v1/lists", "GET /api/v2/filters"];
        let look = |one: &&String| looks.contains(&one.as_str()) || one.starts_with("GET /settings/exports/");
        for one in all.iter().filter(|one| !look(one)) {
            // Numbers are made of the time.
            *count.entry(number.replace_all(one, "/N/").into_owned()).or_default() += 1;
        }
        count
    };
    let (plain, troubled) = (writes(plain), writes(troubled));
    let more = |one: &String, times: usize| times.saturating_sub(plain.get(one).copied().unwrap_or(0));
    troubled.iter().flat_map(|(one, times)| vec![one.clone(); more(one, *times)]).collect()
}

#[test]
fn packs_everything_that_a_server_of_each_version_has() {
    for version in ["3.5", "4.1", "4.2", "4.3", "4.5", "4.6", "4.7"] {
        let control = pair(version, "4.6");
        let teller = Teller::new(&control, Side::Old, "petra");
        let (pack, keeper) = teller.pack(Scope::Everything);
        for progress in pack.parts() {
            // Some servers tell nobody what they block.
            let may = progress.part == Part::Blocked && progress.state == State::Absent;
            assert!(progress.state == State::Done || may, "{version}: {progress:?}");
        }
        assert_eq!(pack.differences(), [], "{version}");
        assert_eq!(pack.lacking(), [], "{version}");
        let packed = gather(&pack, &keeper);
        let session = control.credentials(Side::Old, "petra");
        for (kind, text) in &packed.files {
            let path = format!("/settings/exports/{}", kind.export());
            let file = control.answer(Side::Old, "GET", &path, &session.cookie_only()).unwrap();
            assert_eq!(String::from_utf8(file.body).unwrap(), *text, "{version}: {kind:?}");
        }
        let kinds = if version >= "4.6" { 7 } else { 6 };
        assert_eq!(packed.files.len(), kinds, "{version}");
        assert_eq!(packed.followers, 13, "{version}");
        assert!(packed.lists.iter().any(|list| list.replies == "none"), "{version}: {:?}", packed.lists);
        assert!(packed.notes.iter().any(|note| note.note.contains("owes me a valve")), "{version}");
        assert_eq!(packed.muted_until.len(), 1, "{version}: {:?}", packed.muted_until);
        assert!(!packed.filters.is_empty(), "{version}");
        assert_eq!(packed.moved.len(), 2, "{version}");
        // A request of one's own is in no list; it was found among those who are known.
        assert_eq!(packed.tags.is_empty(), version < "4.0", "{version}");
        assert_eq!(pack.pictures().count(), 2, "{version}");
    }
}

#[test]
fn a_pack_interrupted_after_any_request_ends_the_same() {
    let control = pair("4.6", "4.6");
    let teller = Teller::new(&control, Side::Old, "petra");
    let (pack, keeper) = teller.pack(Scope::Everything);
    let plain = teller.asked.borrow().clone();
    let whole = timeless(&keeper);
    assert!(pack.is_done());
    for trouble in [
        Trouble::Lost,
        Trouble::LostAfter,
        Trouble::TooMany,
        Trouble::TooManyWithoutHeader,
        Trouble::Unavailable,
        Trouble::SignedOut,
    ] {
        for at in 1..=plain.len() {
            let teller = Teller::new(&control, Side::Old, "petra");
            teller.trouble.set(Some((at, trouble)));
            let mut keeper = Keeper::default();
            let (_, records) = Pack::begin(teller.owner(), Scope::Everything, teller.now());
            keeper.keep(records);
            let _: Pack = teller.run_interrupted(&mut keeper);
            let when = format!("{trouble:?} at request {at}: {}", plain[at - 1]);
            assert_eq!(timeless(&keeper), whole, "{when}");
            let asked = teller.asked.borrow().clone();
            assert!(asked.len() <= plain.len() + 1, "{when}: {} for {}", asked.len(), plain.len());
        }
    }
}

#[test]
fn packing_again_replaces_what_has_changed_and_nothing_before() {
    let control = pair("4.6", "4.6");
    let teller = Teller::new(&control, Side::Old, "petra");
    let (mut pack, mut keeper) = teller.pack(Scope::Everything);
    let first = gather(&pack, &keeper).followers;
    keeper.keep(pack.again(teller.owner(), teller.now()));
    // Half way: what was there is still there.
    let half = Pack::take_up(&keeper).unwrap();
    assert_eq!(gather(&half, &keeper).followers, first);
    let pack = teller.run(half, &mut keeper);
    assert_eq!(gather(&pack, &keeper).followers, first);
    let pages: Vec<&String> = keeper.records.keys().filter(|key| key.starts_with("b/followers/")).collect();
    assert_eq!(pages, ["b/followers/0001/000000"]);
}

struct Move {
    control: Control,
    packed: Packed,
    new: Packed,
    teller: Teller,
    plan: Unpacking,
}

fn begin(old: &str, new: &str, chosen: &Chosen) -> Move {
    let control = pair(old, new);
    let from = Teller::new(&control, Side::Old, "petra");
    let (pack, keeper) = from.pack(Scope::Everything);
    let packed = gather(&pack, &keeper);
    let teller = Teller::new(&control, Side::New, "petra");
    let (pack, keeper) = teller.pack(Scope::Arrived);
    let new = gather(&pack, &keeper);
    teller.asked.borrow_mut().clear();
    let plan = plan::lay_out(&packed, &new, &teller.owner(), chosen, teller.now());
    Move { control, packed, new, teller, plan }
}

fn unpacking(going: &Move, chosen: &Chosen) -> (Keeper, Unpack) {
    let pieces = plan::pieces(&going.plan, &going.teller.owner(), chosen);
    let choice = Choice { domains_first: false };
    let acts = going.plan.acts.clone();
    let (job, records) = Unpack::begin(going.teller.owner(), pieces, acts, choice, going.teller.now());
    let mut keeper = Keeper::default();
    keeper.keep(records);
    (keeper, job)
}

fn ran(unpack: &Unpack, kind: Kind, now: packed_trunk::when::Time) -> Ran {
    let mut ran = Ran::Finished;
    for (piece, stage) in unpack.pieces().filter(|(piece, _)| piece.kind == kind) {
        ran = match stage {
            Stage::Refused(_) => Ran::Refused,
            Stage::Running(run) if run.is_stuck(now) => Ran::Stuck,
            Stage::Running(_) | Stage::Ready { .. } | Stage::Uploaded { .. } => Ran::Running,
            Stage::Finished { .. } => ran,
        };
        let _ = piece;
    }
    ran
}

fn verify(going: &Move, unpack: &Unpack, chosen: &Chosen) -> (Verify, BTreeMap<(Kind, String), Outcome>) {
    let mut rows: Vec<Rows> = plan::wanted(&going.plan, &going.new, chosen);
    for kind in &mut rows {
        kind.ran = ran(unpack, kind.kind, going.teller.now());
    }
    let mut keeper = Keeper::default();
    let (job, records) = Verify::begin(going.teller.owner(), rows, going.teller.now());
    keeper.keep(records);
    let job = going.teller.run(job, &mut keeper);
    let mut all = BTreeMap::new();
    for kind in Kind::ALL {
        for (row, outcome) in job.outcomes(kind) {
            let name =
                if row.list.is_empty() { row.name.clone() } else { format!("{}: {}", row.list, row.name) };
            all.insert((kind, name), outcome);
        }
    }
    (job, all)
}

/// What the planted troubles have to be called (tests/stand-in/README.md, "Petra").
fn expected(new: &str) -> Vec<(String, &'static str)> {
    [
        ("alva@old.localhost:4001", "arrived"),
        ("rita@remote.example", "arrived"),
        ("MiXed_Case@remote.example", "arrived"),
        ("dotted.name-x@remote.example", "arrived"),
        ("kira@xn--bcher-kva.example", "arrived"),
        ("fritzi@remote.example", "arrived"),
        ("lena@remote.example", "requested"),
        ("rolf@remote.example", "there"),
        ("ben@old.localhost:4001", "moved"),
        ("moritz@remote.example", "moved"),
        ("gerda@remote.example", "gone"),
        ("gabi@remote.example", "gone"),
        ("sid@remote.example", "suspended"),
        ("nora@blocked.example", "left-out"),
        ("sina@silent.example", "server-silent"),
        ("sofie@silent.example", "server-silent"),
        ("bruno@remote.example", "blocks-you"),
        ("berta@remote.example", "you-block"),
    ]
    .map(|(acct, outcome)| (acct.to_owned(), outcome))
    .into_iter()
    .chain([
        (format!("petra@new.localhost:{new}"), "left-out"),
        (format!("nora_n@new.localhost:{new}"), "arrived"),
    ])
    .collect()
}

#[test]
fn everything_is_unpacked_and_every_row_accounted_for() {
    for (old, new) in [("4.6", "4.6"), ("4.6", "4.1"), ("4.1", "4.6"), ("4.3", "4.5")] {
        let chosen = Chosen::default();
        let going = begin(old, new, &chosen);
        let (mut keeper, job) = unpacking(&going, &chosen);
        let unpack = going.teller.run(job, &mut keeper);
        for (piece, stage) in unpack.pieces() {
            assert!(
                matches!(stage, Stage::Finished { .. }),
                "{old}→{new}: {:?} {stage:?} {:?}",
                piece.kind,
                going.teller.asked.borrow()
            );
        }
        for (act, stand) in unpack.acts() {
            let fine = matches!(stand, Stand::Done | Stand::There);
            // Only who is followed can be featured.
            let may = act.acct().is_some();
            assert!(fine || may, "{old}→{new}: {act:?} {stand:?}");
        }
        let (_, outcomes) = verify(&going, &unpack, &chosen);
        let mut wrong = Vec::new();
        for (acct, outcome) in expected("4002") {
            let found = outcomes
                .iter()
                .find(|((kind, name), _)| *kind == Kind::Follows && name.eq_ignore_ascii_case(&acct))
                .unwrap_or_else(|| panic!("{old}→{new}: {acct} is not there"));
            if found.1.id() != outcome {
                wrong.push(format!("{acct} is {:?}, not {outcome}", found.1));
            }
        }
        assert!(wrong.is_empty(), "{old}→{new}: {wrong:#?}");
        // Every row of every file has a fate.
        for part in &going.plan.parts {
            let kind = part.plan.kind;
            if part.unsupported {
                continue;
            }
            let fates = outcomes.keys().filter(|(own, _)| *own == kind).count();
            assert_eq!(fates, part.plan.upload.len() + part.plan.out.len(), "{old}→{new}: {kind:?}");
        }
        let filters = outcomes.iter().filter(|((kind, _), _)| *kind == Kind::Filters);
        let lost: Vec<_> = filters.filter(|(_, outcome)| !outcome.is_fine()).collect();
        assert!(lost.is_empty(), "{old}→{new}: {lost:?}");
        let unknown: Vec<_> = outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::Unknown).collect();
        for ((kind, name), _) in &unknown {
            assert!(matches!(kind, Kind::Bookmarks | Kind::Lists), "{old}→{new}: {kind:?} {name}");
        }
    }
}

#[test]
fn whom_the_new_server_blocks_is_known_before() {
    let going = begin("4.6", "4.6", &Chosen::default());
    let blocked = blocked_by(&going.packed, &going.new).expect("the list is public");
    assert_eq!(blocked.follows, 2, "{blocked:?}");
    assert!(blocked.servers.contains(&"blocked.example".to_owned()), "{blocked:?}");
}

/// What the new account has in the end.
fn home(control: &Control) -> Vec<String> {
    let session = control.credentials(Side::New, "petra");
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\dT[\d:.]+Z").unwrap();
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let path = format!("/settings/exports/{}", kind.export());
        let answer = control.answer(Side::New, "GET", &path, &session.cookie_only()).unwrap();
        let mut lines: Vec<String> = String::from_utf8_lossy(&answer.body)
            .lines()
            .map(|line| format!("{}: {line}", kind.id()))
            .collect();
        // What expires does so a little later when it was made a little later.
        for line in &mut lines {
            *line = time.replace_all(line, "TIME").into_owned();
        }
        lines.sort();
        all.extend(lines);
    }
    for path in ["/api/v1/lists", "/api/v1/followed_tags", "/api/v2/filters", "/api/v1/endorsements"] {
        let answer = control.answer(Side::New, "GET", path, &session.token_only()).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let mut names: Vec<String> = value
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| format!("{path}: {} {}", item["title"], item["name"]))
            .collect();
        names.sort();
        all.extend(names);
    }
    all
}

fn imports(control: &Control) -> usize {
    control.with_world(|world| {
        let server = world.server(Side::New);
        server
            .local_accounts()
            .filter(|account| account.username == "petra")
            .filter_map(|account| account.user.as_ref())
            .map(|user| user.imports.len())
            .sum()
    })
}

#[test]
fn an_unpacking_interrupted_after_any_request_ends_the_same() {
    for new in ["4.6", "4.1"] {
        let chosen = Chosen::default();
        let going = begin("4.6", new, &chosen);
        let (mut keeper, job) = unpacking(&going, &chosen);
        let (begun, before) = (keeper.clone(), going.control.with_world(|world| world.clone()));
        going.teller.run(job, &mut keeper);
        let plain = going.teller.asked.borrow().clone();
        let (whole, count) = (home(&going.control), imports(&going.control));
        // Polls apart, every request is struck once by each trouble.
        let mut strikes: Vec<usize> = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, one) in plain.iter().enumerate() {
            let poll = one.starts_with("GET /settings/") && !seen.insert(one.clone());
            if !poll {
                strikes.push(at + 1);
            }
        }
        // The rest of the troubles differ in nothing that depends on the version.
        let all =
            [Trouble::Lost, Trouble::LostAfter, Trouble::Unavailable, Trouble::SignedOut, Trouble::TooMany];
        let troubles = if new == "4.6" { &all[..] } else { &all[1..2] };
        for trouble in troubles.iter().copied() {
            for at in &strikes {
                // The same two servers as they were.
                let control = &going.control;
                control.with_world(|world| *world = before.clone());
                let teller = Teller::new(control, Side::New, "petra");
                let mut keeper = begun.clone();
                teller.trouble.set(Some((*at, trouble)));
                let _: Unpack = teller.run_interrupted(&mut keeper);
                let when = format!("{new}: {trouble:?} at request {at}: {}", plain[at - 1]);
                assert_eq!(home(control), whole, "{when}");
                let asked = teller.asked.borrow();
                let again = repeated(&plain, &asked);
                assert!(again.len() <= 1, "{when}: {again:?} were repeated");
                if new == "4.6" {
                    assert_eq!(imports(control), count, "{when}: an import was begun twice");
                }
            }
        }
    }
}

#[test]
fn a_verification_interrupted_after_any_request_ends_the_same() {
    let chosen = Chosen::default();
    let going = begin("4.6", "4.6", &chosen);
    let (mut keeper, job) = unpacking(&going, &chosen);
    let unpack = going.teller.run(job, &mut keeper);
    going.teller.asked.borrow_mut().clear();
    let (_, whole) = verify(&going, &unpack, &chosen);
    let plain = going.teller.asked.borrow().clone();
    for trouble in
        [Trouble::Lost, Trouble::LostAfter, Trouble::Unavailable, Trouble::SignedOut, Trouble::TooMany]
    {
        for at in 1..=plain.len() {
            let rows = plan::wanted(&going.plan, &going.new, &chosen);
            let mut keeper = Keeper::default();
            let (_, records) = Verify::begin(going.teller.owner(), rows, going.teller.now());
            keeper.keep(records);
            going.teller.asked.borrow_mut().clear();
            going.teller.trouble.set(Some((at, trouble)));
            let job: Verify = going.teller.run_interrupted(&mut keeper);
            let mut all = BTreeMap::new();
            for kind in Kind::ALL {
                for (row, outcome) in job.outcomes(kind) {
                    let name = if row.list.is_empty() {
                        row.name.clone()
                    } else {
                        format!("{}: {}", row.list, row.name)
                    };
                    all.insert((kind, name), outcome);
                }
            }
            let when = format!("{trouble:?} at request {at}: {}", plain[at - 1]);
            assert_eq!(all, whole, "{when}");
            let asked = going.teller.asked.borrow().len();
            assert!(asked <= plain.len() + 1, "{when}: {asked} requests for {}", plain.len());
        }
    }
}

#[test]
fn nothing_that_a_job_keeps_is_a_secret() {
    let control = pair("4.6", "4.6");
    let teller = Teller::new(&control, Side::Old, "petra");
    let session = control.credentials(Side::Old, "petra");
    let (_, keeper) = teller.pack(Scope::Everything);
    let token = session.token.unwrap();
    assert!(keeper.records.values().all(|text| !text.contains(&token)));
    assert!(keeper.records.contains_key(ABOUT));
}

#[test]
fn a_file_the_server_refuses_is_told_in_its_own_words() {
    let control = pair("4.6", "4.6");
    let teller = Teller::new(&control, Side::New, "petra");
    let piece = Piece {
        kind: Kind::Follows,
        name: "following_accounts.csv".into(),
        text: "\"a\"b,c\n".into(),
        rows: 1,
        overwrite: false,
    };
    let choice = Choice { domains_first: true };
    let (job, records) = Unpack::begin(teller.owner(), vec![piece], Vec::new(), choice, teller.now());
    let mut keeper = Keeper::default();
    keeper.keep(records);
    let unpack = teller.run(job, &mut keeper);
    let (_, stage) = unpack.pieces().next().unwrap();
    let Stage::Refused(words) = stage else { panic!("{stage:?}") };
    assert!(words.contains("Invalid CSV file"), "{words}");
}

#[test]
fn an_import_that_never_finishes_is_told_to_be_stuck() {
    let chosen = Chosen { files_only: true, ..Chosen::default() };
    let going = begin("4.6", "4.6", &chosen);
    let (mut keeper, job) = unpacking(&going, &chosen);
    let begun = going.teller.now();
    let mut save = Save::new(job);
    let runs = |work: &Unpack| {
        work.pieces().any(|(piece, stage)| piece.kind == Kind::Follows && matches!(stage, Stage::Running(_)))
    };
    while !runs(&save.work) {
        assert_eq!(going.teller.step(&mut save, &mut keeper), None);
    }
    going.control.post("stuck", &serde_json::json!({ "server": "new", "user": "petra" }));
    let unpack = going.teller.run(save.work, &mut keeper);
    let now = going.teller.now();
    assert!(now.since(begun) >= 30 * 60_000, "it was not waited for");
    let (_, stage) = unpack.pieces().find(|(piece, _)| piece.kind == Kind::Follows).unwrap();
    assert!(matches!(stage, Stage::Running(run) if run.is_stuck(now)), "{stage:?}");
    let (_, outcomes) = verify(&going, &unpack, &chosen);
    let of = |acct: &str| outcomes[&(Kind::Follows, acct.to_owned())].clone();
    assert_eq!(of("ruth@remote.example"), Outcome::Stuck);
    assert!(of("ruth@remote.example").may_retry());
    // What is known all the same is said.
    assert_eq!(of("gerda@remote.example"), Outcome::Gone);
    // It takes up again.
    going.control.post("stuck", &serde_json::json!({ "server": "new", "user": "petra", "stuck": false }));
    let mut unpack = Unpack::take_up(&keeper).unwrap();
    keeper.keep(unpack.look_again(now));
    let unpack = going.teller.run(unpack, &mut keeper);
    assert!(
        unpack.pieces().all(|(_, stage)| matches!(stage, Stage::Finished { .. })),
        "{:?}",
        home(&going.control)
    );
    let (_, outcomes) = verify(&going, &unpack, &chosen);
    assert_eq!(outcomes[&(Kind::Follows, "ruth@remote.example".to_owned())], Outcome::Arrived);
}

#[test]
fn what_failed_for_a_passing_reason_arrives_with_the_next_try() {
    let chosen = Chosen { files_only: true, ..Chosen::default() };
    let going = begin("4.6", "4.6", &chosen);
    let (mut keeper, job) = unpacking(&going, &chosen);
    let mut unpack = going.teller.run(job, &mut keeper);
    let (_, before) = verify(&going, &unpack, &chosen);
    let retry: Vec<&String> = before
        .iter()
        .filter(|((kind, _), outcome)| *kind == Kind::Follows && outcome.may_retry())
        .map(|((_, name), _)| name)
        .collect();
    assert_eq!(retry.len(), 3, "{retry:?}");
    going.control.silent("silent.example", false);
    let rows: String = retry.iter().map(|acct| format!("{acct},true,false,\n")).collect();
    let piece = Piece {
        kind: Kind::Follows,
        name: Kind::Follows.file().into(),
        text: format!("Account address,Show boosts,Notify on new posts,Languages\n{rows}"),
        rows: retry.len() as u64,
        overwrite: false,
    };
    going.teller.wait(10 * 60_000);
    keeper.keep(unpack.add(vec![piece], Vec::new(), going.teller.now()));
    let unpack = going.teller.run(unpack, &mut keeper);
    let (_, after) = verify(&going, &unpack, &chosen);
    for acct in retry {
        assert_eq!(after[&(Kind::Follows, acct.clone())], Outcome::Arrived, "{acct}");
    }
}

#[test]
fn replacing_says_before_whom_it_takes_away_and_takes_nobody_else() {
    let chosen = Chosen { overwrite: vec![Kind::Follows], files_only: true, ..Chosen::default() };
    let going = begin("4.6", "4.6", &chosen);
    let part = going.plan.parts.iter().find(|part| part.plan.kind == Kind::Follows).unwrap();
    let removed: Vec<&str> = part.removes.iter().map(packed_trunk::list::Row::name).collect();
    assert_eq!(removed, ["olaf@remote.example"]);
    let before: BTreeSet<String> =
        home(&going.control).into_iter().filter(|line| line.starts_with("follows: ")).collect();
    let (mut keeper, job) = unpacking(&going, &chosen);
    going.teller.run(job, &mut keeper);
    let after: BTreeSet<String> =
        home(&going.control).into_iter().filter(|line| line.starts_with("follows: ")).collect();
    let gone: Vec<&String> = before.difference(&after).collect();
    assert_eq!(gone, ["follows: olaf@remote.example,true,false,"]);
}

/// The server becomes another version after each of the first requests: what is not sent yet goes the way that it has then,
/// whatever the plan was made for, and nobody is lost.
#[test]
fn a_server_that_becomes_another_version_meanwhile_gets_everything_all_the_same() {
    for (from, to) in [("4.1", "4.3"), ("4.3", "4.1")] {
        let chosen = Chosen::default();
        let going = begin("4.6", from, &chosen);
        let (mut keeper, job) = unpacking(&going, &chosen);
        let (begun, before) = (keeper.clone(), going.control.with_world(|world| world.clone()));
        going.teller.run(job, &mut keeper);
        let follows = |control: &Control| {
            home(control).into_iter().filter(|line| line.starts_with("follows")).collect::<Vec<_>>()
        };
        let (whole, requests) = (follows(&going.control), going.teller.asked.borrow().len());
        for at in 0..requests.min(8) {
            let control = &going.control;
            control.with_world(|world| *world = before.clone());
            let teller = Teller::new(control, Side::New, "petra");
            let mut keeper = begun.clone();
            let mut save = Save::new(Unpack::take_up(&keeper).unwrap());
            let when = format!("{from} becomes {to} after {at} requests");
            let (mut stops, mut changed) = (0, false);
            for step in 0..3_001 {
                if teller.asked.borrow().len() == at && !std::mem::replace(&mut changed, true) {
                    control.post("version", &serde_json::json!({ "server": "new", "version": to }));
                    if at % 2 == 0 {
                        // Closed and opened again: everything in memory is lost, and the page tells the version.
                        save = Save::new(Unpack::take_up(&keeper).unwrap());
                        keeper.keep(save.work.owned_by(teller.owner(), teller.now()));
                    }
                }
                if let Some(why) = teller.step(&mut save, &mut keeper) {
                    // The page that it knew is gone; whoever goes on looks at the account first.
                    stops += 1;
                    assert!(stops < 3, "{when}: stopped by {why:?} again and again");
                    keeper.keep(save.work.owned_by(teller.owner(), teller.now()));
                    save.go_on();
                }
                if save.work.is_done() {
                    break;
                }
                let last = teller.asked.borrow().iter().rev().take(6).cloned().collect::<Vec<_>>();
                assert!(step < 3_000, "{when}: no end: {last:?}");
            }
            assert_eq!(follows(control), whole, "{when}");
            let unsettled: Vec<_> = save
                .work
                .pieces()
                .filter(|(_, stage)| !matches!(stage, Stage::Finished { .. }))
                .map(|(piece, stage)| (piece.kind, stage.clone()))
                .collect();
            // What began under the one and is stuck under the other is told as it is, and so is what the other has no import
            // for.
            let told = |(kind, stage): &(Kind, Stage)| match stage {
                Stage::Running(run) => run.is_stuck(teller.now()),
                Stage::Refused(_) => *kind == Kind::Lists && to == "4.1",
                _ => false,
            };
            assert!(unsettled.iter().all(told), "{when}: {unsettled:?}");
        }
    }
}
