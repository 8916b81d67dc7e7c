//! Imports as real ones behave (facts 6): rows with their retries, stuck ones, files that are read otherwise than one thinks, and Petra, whose rows meet every fate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stand_in::{Answer, Body, Control, Credentials, File, Options, Side, Site, Version};

const NEW: Site = Site::Server(Side::New);

struct Stage {
    control: Control,
    session: Credentials,
}

fn stage_of(old: Version, new: Version) -> Stage {
    let control = stand_in::indoors(Options { old_version: old, new_version: new, ..Options::default() });
    let session = control.credentials(Side::New, "petra");
    Stage { control, session }
}

fn stage() -> Stage {
    stage_of(Version::V4_6, Version::V4_6)
}

impl Stage {
    fn post(&self, path: &str, body: Body) -> Answer {
        let token = self.control.csrf_token(Side::New, &self.session);
        let cookie = self.session.cookie_only();
        self.control.send(NEW, "POST", path, &cookie, &[("x-csrf-token", &token)], body).unwrap()
    }

    fn page(&self, path: &str) -> String {
        let answer = self.control.answer(Side::New, "GET", path, &self.session.cookie_only()).unwrap();
        String::from_utf8(answer.body).unwrap()
    }

    fn upload(&self, kind: &str, mode: &str, name: &str, content_type: &str, bytes: &[u8]) -> Answer {
        let fields = [("form_import[type]", kind), ("form_import[mode]", ""), ("form_import[mode]", mode)];
        let files = [File { field: "form_import[data]", name, content_type, bytes }];
        self.post("/settings/imports", Body::Multipart { fields: &fields, files: &files })
    }

    /// Uploads, confirms; answers the number.
    fn import(&self, kind: &str, mode: &str, text: &str) -> String {
        let json = kind == "custom_filters";
        let content_type = if json { "application/json" } else { "text/csv" };
        let answer = self.upload(kind, mode, "saved", content_type, text.as_bytes());
        assert_eq!(answer.status, 302, "{}", error_of(&answer));
        let id = answer.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
        let confirmed = self.post(&format!("/settings/imports/{id}/confirm"), Body::Nothing);
        assert_eq!(confirmed.status, 302);
        id
    }

    /// Status and numbers in the table.
    fn row(&self, id: &str) -> (String, String) {
        let page = self.page("/settings/imports");
        let row = between(&page, &format!("id=\"bulk_import_{id}\""), "</tr>");
        let cells: Vec<&str> = row.split("<td>").collect();
        let text = |cell: &str| cell.split("</td>").next().unwrap_or("").trim().to_owned();
        (text(cells[2]), text(cells[3]))
    }

    fn person(&self) -> Value {
        self.control.person(Side::New, "petra")
    }

    fn names(&self, what: &str) -> BTreeSet<String> {
        strings(&self.person()[what])
    }

    fn old_export(&self, name: &str) -> String {
        let old = self.control.credentials(Side::Old, "petra").cookie_only();
        let answer =
            self.control.answer(Side::Old, "GET", &format!("/settings/exports/{name}"), &old).unwrap();
        String::from_utf8(answer.body).unwrap()
    }
}

fn strings(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn between(text: &str, start: &str, end: &str) -> String {
    let Some(at) = text.find(start) else { return String::new() };
    let rest = &text[at + start.len()..];
    rest[..rest.find(end).unwrap_or(rest.len())].to_owned()
}

fn error_of(answer: &Answer) -> String {
    between(&String::from_utf8_lossy(&answer.body), "<span class=\"error\">", "</span>")
}

/// Petra's follow list on 4.6: who arrives, who is asked, who fails at once, and who only after all the retries.
#[test]
fn every_row_of_petra_meets_its_fate() {
    let stage = stage();
    let id = stage.import("following", "merge", &stage.old_export("follows.csv"));
    assert_eq!(stage.row(&id), ("Scheduled".to_owned(), "0 / 31".to_owned()));
    stage.control.advance_seconds(2);
    assert_eq!(stage.row(&id).0, "In progress");
    stage.control.advance_seconds(60);
    // Ten fail at once; six are tried again and again.
    let (state, numbers) = stage.row(&id);
    assert_eq!((state.as_str(), numbers.as_str()), ("In progress", "15 / 31"));
    let old = "old.localhost:4001";
    let new = "new.localhost:4002";
    let follows = stage.names("follows");
    for arrived in [
        format!("alva@{old}"),
        format!("under_score_@{old}"),
        format!("Quirin@{old}"),
        format!("nils@{new}"),
        format!("nora_n@{new}"),
        "rita@remote.example".to_owned(),
        "ruth@remote.example".to_owned(),
        "Rosa@remote.example".to_owned(),
        "dotted.name-x@remote.example".to_owned(),
        "MiXed_Case@remote.example".to_owned(),
        "rolf@remote.example".to_owned(),
        "fritzi@remote.example".to_owned(),
        "kira@xn--bcher-kva.example".to_owned(),
        "olaf@remote.example".to_owned(),
    ] {
        assert!(follows.contains(&arrived), "{arrived}");
    }
    assert_eq!(follows.len(), 14);
    assert_eq!(
        stage.names("requested"),
        BTreeSet::from([format!("lotte@{old}"), "lena@remote.example".to_owned()])
    );
    let flags = stage.control.with_world(|world| {
        let server = world.server(Side::New);
        let (petra, fritzi) =
            (server.find("petra", None).unwrap(), server.find_acct("fritzi@remote.example").unwrap());
        server.follows.find(petra, fritzi).cloned().unwrap()
    });
    assert_eq!(
        (flags.reblogs, flags.notify, flags.languages),
        (false, true, vec!["de".to_owned(), "fr".to_owned()])
    );
    assert_eq!(
        stage
            .control
            .answer(
                Side::New,
                "GET",
                &format!("/settings/imports/{id}/failures.csv"),
                &stage.session.cookie_only()
            )
            .unwrap()
            .status,
        404
    );
    // Still on its way after a quarter of an hour, done after twenty-two minutes.
    stage.control.advance_seconds(15 * 60);
    assert_eq!(stage.row(&id).0, "In progress");
    stage.control.advance_seconds(6 * 60);
    assert_eq!(stage.row(&id), ("Finished".to_owned(), "15 / 31".to_owned()));
    let failures = stage.page(&format!("/settings/imports/{id}/failures.csv"));
    let failed: BTreeSet<&str> =
        failures.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let own = format!("petra@{new}");
    let (ben, bea, sven) = (format!("ben@{old}"), format!("bea@{old}"), format!("sven@{new}"));
    let expected = BTreeSet::from([
        // Moved.
        ben.as_str(),
        "moritz@remote.example",
        // Gone.
        "gerda@remote.example",
        "gabi@remote.example",
        // Suspended.
        "sid@remote.example",
        sven.as_str(),
        // Of a blocked server.
        "nora@blocked.example",
        "nelly@sub.blocked.example",
        // Silent.
        "sina@silent.example",
        "sofie@silent.example",
        "sarah@silent.example",
        // Who blocks, is blocked, is of a domain that is.
        bea.as_str(),
        "bruno@remote.example",
        "berta@remote.example",
        "dirk@annoying.example",
        // Herself.
        own.as_str(),
    ]);
    assert_eq!(failed, expected);
}

#[test]
fn a_server_that_answers_again_takes_the_failures() {
    let stage = stage();
    let csv = "sina@silent.example\nsofie@silent.example\nrita@remote.example\n";
    let id = stage.import("following", "merge", csv);
    stage.control.advance_seconds(5);
    assert_eq!(
        stage.row(&id),
        ("Finished".to_owned(), "1 / 3".to_owned()),
        "network errors are not tried again"
    );
    let failures = stage.page(&format!("/settings/imports/{id}/failures.csv"));
    stage.control.silent("silent.example", false);
    let again = stage.import("following", "merge", &failures);
    stage.control.advance_seconds(5);
    assert_eq!(stage.row(&again).1, "0 / 2", "the breaker is open for five minutes");
    stage.control.advance_seconds(300);
    let again = stage.import("following", "merge", &failures);
    stage.control.advance_seconds(5);
    assert_eq!(stage.row(&again), ("Finished".to_owned(), "2 / 2".to_owned()));
}

#[test]
fn what_passes_meanwhile_is_imported_by_a_retry() {
    let stage = stage();
    let id = stage.import("following", "merge", "berta@remote.example\n");
    stage.control.advance_seconds(5);
    assert_eq!(stage.row(&id), ("In progress".to_owned(), "0 / 1".to_owned()));
    let berta =
        stage.control.with_world(|world| world.server(Side::New).find_acct("berta@remote.example").unwrap());
    let path = format!("/api/v1/accounts/{berta}/unblock");
    let answer = stage.control.answer(Side::New, "POST", &path, &stage.session.token_only()).unwrap();
    assert_eq!(answer.json()["blocking"], false);
    stage.control.advance_seconds(40);
    assert_eq!(stage.row(&id), ("Finished".to_owned(), "1 / 1".to_owned()));
}

#[test]
fn doubled_rows_are_stuck_for_ever() {
    let stage = stage();
    let id = stage.import("following", "merge", "nils\nnils@new.localhost:4002\nrita@remote.example\n");
    stage.control.advance_seconds(24 * 3_600 - 1_000);
    assert_eq!(stage.row(&id), ("In progress".to_owned(), "2 / 3".to_owned()));
    // A frozen one stays too, until it is let go.
    let id = stage.import("following", "merge", "ruth@remote.example\n");
    stage.control.post("stuck", &json!({ "server": "new", "user": "petra" }));
    stage.control.advance_seconds(900);
    assert_eq!(stage.row(&id).1, "0 / 1");
    stage.control.post("stuck", &json!({ "server": "new", "user": "petra", "stuck": false }));
    stage.control.advance_seconds(1);
    assert_eq!(stage.row(&id).0, "Finished");
}

#[test]
fn the_night_takes_what_was_never_confirmed() {
    let stage = stage();
    let answer = stage.upload("following", "merge", "follows.csv", "text/csv", b"rita@remote.example\n");
    let path = answer.header("location").unwrap().replace("http://new.localhost:4002", "");
    stage.control.advance_seconds(11 * 60);
    assert_eq!(
        stage.control.answer(Side::New, "GET", &path, &stage.session.cookie_only()).unwrap().status,
        200
    );
    stage.control.post("vacuum", &json!({ "server": "new" }));
    assert_eq!(stage.post(&format!("{path}/confirm"), Body::Nothing).status, 404);
    stage.upload("following", "merge", "follows.csv", "text/csv", b"rita@remote.example\n");
    stage.control.advance_seconds(24 * 3_600 + 601);
    assert!(!stage.page("/settings/imports").contains("bulk_import_"), "four o'clock has passed");
}

#[test]
fn files_are_refused_in_mastodons_words() {
    let stage = stage();
    let refused = |kind: &str, content_type: &str, bytes: &[u8]| {
        let answer = stage.upload(kind, "merge", "x.csv", content_type, bytes);
        (answer.status, error_of(&answer).replace("&#39;", "'"))
    };
    let words = |text: &str| (200, text.to_owned());
    assert_eq!(refused("following", "text/csv", b""), words("Empty CSV file"));
    assert_eq!(
        refused("following", "text/csv", b"a,\"b\n"),
        words("Invalid CSV file. Error: Unclosed quoted field in line 1.")
    );
    assert_eq!(
        refused("following", "text/csv", "a@b.example\n".repeat(20_001).as_bytes()),
        words("contains more than 20000 rows")
    );
    assert_eq!(
        refused("following", "text/csv", &vec![b'a'; 20 * 1024 * 1024 + 1]),
        words("File is too large")
    );
    assert_eq!(
        refused("lists", "text/csv", b"Account address\na\n"),
        words("Incompatible with the selected import type")
    );
    assert_eq!(
        refused("following", "application/json", b"{\"a\":1}"),
        words("Incompatible with the selected import type")
    );
    assert!(refused("custom_filters", "application/json", b"{").1.starts_with("Invalid JSON file. Error: "));
    assert_eq!(refused("custom_filters", "text/csv", b"a\n").0, 500);
    stage.control.post("limits", &json!({ "server": "new", "follow_limit": 5 }));
    // Three are followed already.
    assert_eq!(
        refused("following", "text/csv", b"a@b.c\nb@b.c\nc@b.c\n"),
        words("You cannot follow more than 5 people")
    );
    assert_eq!(
        stage.upload("following", "overwrite", "x.csv", "text/csv", b"a@b.c\nb@b.c\nc@b.c\n").status,
        302
    );
}

#[test]
fn overwriting_removes_and_merging_does_not() {
    let stage = stage();
    let id = stage.import(
        "following",
        "overwrite",
        "Account address,Show boosts\nrolf@remote.example,false\nruth@remote.example,true\n",
    );
    stage.control.advance_seconds(2);
    assert_eq!(stage.row(&id), ("Finished".to_owned(), "2 / 2".to_owned()));
    assert_eq!(
        stage.names("follows"),
        BTreeSet::from(["rolf@remote.example".to_owned(), "ruth@remote.example".to_owned()])
    );
    let id = stage.import("domain_blocking", "merge", "bad.example\nspam.example\n");
    stage.control.advance_seconds(2);
    assert_eq!(stage.row(&id).1, "2 / 2");
    assert_eq!(stage.names("domain_blocks").len(), 3);
    // One that is no domain ends the whole job: "finished", nothing counted, no failures to be had.
    let id = stage.import("domain_blocking", "merge", "one.example\nnot a domain\ntwo.example\n");
    stage.control.advance_seconds(2);
    assert_eq!(stage.row(&id), ("Finished".to_owned(), "0 / 3".to_owned()));
    assert!(!stage.page("/settings/imports").contains(&format!("/settings/imports/{id}/failures")));
}

#[test]
fn all_else_of_petra_is_imported_too() {
    let stage = stage();
    let lists = stage.import("lists", "merge", &stage.old_export("lists.csv"));
    let mutes = stage.import("muting", "merge", &stage.old_export("mutes.csv"));
    let blocks = stage.import("blocking", "merge", &stage.old_export("blocks.csv"));
    let bookmarks = stage.import("bookmarks", "merge", &stage.old_export("bookmarks.csv"));
    let filters = stage.import("custom_filters", "merge", &stage.old_export("custom_filters.json"));
    stage.control.advance_seconds(10);
    assert_eq!(
        stage.row(&lists),
        ("In progress".to_owned(), "5 / 7".to_owned()),
        "one has moved, one is silent"
    );
    assert_eq!(stage.row(&mutes), ("Finished".to_owned(), "3 / 3".to_owned()));
    assert_eq!(stage.row(&blocks), ("Finished".to_owned(), "2 / 2".to_owned()));
    assert_eq!(stage.row(&bookmarks), ("Finished".to_owned(), "2 / 5".to_owned()));
    assert_eq!(stage.row(&filters), ("Finished".to_owned(), "4 / 4".to_owned()));
    assert!(stage.names("follows").contains("rita@remote.example"), "members of lists are followed");
    assert!(stage.names("requested").contains("lena@remote.example"));
    let lists =
        stage.control.answer(Side::New, "GET", "/api/v1/lists", &stage.session.token_only()).unwrap().json();
    let quiet = lists.as_array().unwrap().iter().find(|list| list["title"] == "Quiet").unwrap();
    assert_eq!(
        (&quiet["exclusive"], &quiet["replies_policy"]),
        (&json!(false), &json!("list")),
        "settings stay behind"
    );
    assert_eq!(lists.as_array().unwrap().len(), 2, "and so does the empty one");
}

#[test]
fn troubles_of_the_form() {
    let stage = stage();
    let fault = |kind: &str, path: &str| {
        stage.control.post("fault", &json!({ "path_contains": path, "method": "POST", "kind": kind }));
    };
    let upload = || stage.upload("following", "merge", "follows.csv", "text/csv", b"rita@remote.example\n");
    fault("csrf", "/settings/imports");
    let refused = upload();
    assert_eq!(refused.status, 422);
    assert!(String::from_utf8_lossy(&refused.body).contains("Security verification failed"));
    fault("import-error:File is too large", "/settings/imports");
    assert_eq!(error_of(&upload()), "File is too large");
    // The server has acted, and nobody hears of it.
    fault("close-after", "/settings/imports");
    let token = stage.control.csrf_token(Side::New, &stage.session);
    let fields =
        [("form_import[type]", "following"), ("form_import[mode]", "merge"), ("authenticity_token", &token)];
    let files = [File {
        field: "form_import[data]",
        name: "f.csv",
        content_type: "text/csv",
        bytes: b"a@b.example\n",
    }];
    let lost = stage.control.send(
        NEW,
        "POST",
        "/settings/imports",
        &stage.session.cookie_only(),
        &[],
        Body::Multipart { fields: &fields, files: &files },
    );
    assert!(lost.is_err());
    assert_eq!(stage.person()["imports"].as_array().unwrap().len(), 1);
    // Signed out between upload and confirmation.
    let answer = upload();
    let path = answer.header("location").unwrap().replace("http://new.localhost:4002", "");
    fault("sign-out", "/confirm");
    let confirmed = stage.post(&format!("{path}/confirm"), Body::Nothing);
    assert!(
        confirmed.status == 422
            || confirmed.header("location").is_some_and(|to| to.ends_with("/auth/sign_in"))
    );
    assert_eq!(stage.person()["imports"][1]["state"], "Unconfirmed");
    // And without any token nothing is accepted.
    let bare = stage.control.credentials(Side::New, "petra").cookie_only();
    let answer = stage
        .control
        .send(
            NEW,
            "POST",
            "/settings/imports",
            &bare,
            &[],
            Body::Multipart { fields: &fields[..2], files: &files },
        )
        .unwrap();
    assert_eq!(answer.status, 422);
}

/// The same form as bytes on the wire.
#[test]
fn a_form_may_come_as_bytes() {
    let stage = stage();
    let token = stage.control.csrf_token(Side::New, &stage.session);
    let bytes = format!(
        "--xyz\r\nContent-Disposition: form-data; name=\"authenticity_token\"\r\n\r\n{token}\r\n--xyz\r\nContent-Disposition: form-data; name=\"form_import[type]\"\r\n\r\nmuting\r\n--xyz\r\nContent-Disposition: form-data; name=\"form_import[data]\"; filename=\"mutes.csv\"\r\nContent-Type: text/csv\r\n\r\nAccount address,Hide notifications\nrita@remote.example,FALSE\n\r\n--xyz--\r\n"
    );
    let body = Body::Raw { content_type: "multipart/form-data; boundary=xyz", bytes: bytes.as_bytes() };
    let answer = stage
        .control
        .send(NEW, "POST", "/settings/imports", &stage.session.cookie_only(), &[], body)
        .unwrap();
    assert_eq!(answer.status, 302);
}

#[test]
fn the_old_import_is_one_step_and_says_nothing() {
    let stage = stage_of(Version::V4_6, Version::V4_1);
    let upload = |kind: &str, content_type: &str, bytes: &[u8]| {
        let fields = [("import[type]", kind), ("import[mode]", "merge")];
        let files = [File { field: "import[data]", name: "follows.csv", content_type, bytes }];
        stage.post("/settings/import", Body::Multipart { fields: &fields, files: &files })
    };
    assert_eq!(upload("lists", "text/csv", b"a,b\n").status, 500);
    assert_eq!(upload("following", "application/json", b"{}").status, 200);
    assert_eq!(error_of(&upload("following", "text/csv", b"\"a\n")), "is malformed");
    let answer = upload("following", "text/csv", stage.old_export("follows.csv").as_bytes());
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("http://new.localhost:4002/settings/import"))
    );
    assert!(stage.page("/settings/import").contains("will be processed in due time"));
    stage.control.advance_seconds(60);
    assert!(!stage.page("/settings/import").contains("Recent imports"));
    assert_eq!(stage.names("follows").len(), 14);
    assert_eq!(stage.page("/settings/imports").matches("class=\"error\"").count(), 1);
}

#[test]
fn petra_lives_on_every_pair() {
    for (old, new) in [
        (Version::V4_6, Version::V4_6),
        (Version::V4_6, Version::V4_1),
        (Version::V4_1, Version::V4_6),
        (Version::V4_3, Version::V4_5),
        (Version::V3_5, Version::V4_2),
        (Version::V4_7, Version::V4_7),
    ] {
        let stage = stage_of(old, new);
        assert_eq!(stage.old_export("follows.csv").lines().count(), 32, "{old} {new}");
        assert_eq!(stage.old_export("lists.csv").lines().count(), 7);
        assert_eq!(stage.person()["aliases"][0]["acct"], "petra@old.localhost:4001");
        assert_eq!(stage.control.person(Side::Old, "petra")["followers"].as_array().unwrap().len(), 13);
    }
}

#[test]
fn large_accounts_answer_at_once() {
    let stage = stage();
    let begin = std::time::Instant::now();
    stage.control.followers(Side::Old, "emil", 200_000);
    println!("200000 followers made in {:?}", begin.elapsed());
    let emil = stage.control.credentials(Side::Old, "emil").token_only();
    let id = stage.control.person(Side::Old, "emil")["id"].as_str().unwrap().to_owned();
    stage.control.post("limits", &json!({ "on": false }));
    let mut path = format!("/api/v1/accounts/{id}/followers?limit=80");
    let (mut seen, begin) = (0, std::time::Instant::now());
    for _ in 0..100 {
        let answer = stage.control.answer(Side::Old, "GET", &path, &emil).unwrap();
        seen += answer.json().as_array().unwrap().len();
        path = between(answer.header("link").unwrap(), "<http://old.localhost:4001", ">");
    }
    println!("100 pages in {:?}", begin.elapsed());
    assert_eq!(seen, 8_000);
    assert!(begin.elapsed().as_secs() < 10);
    // Twenty thousand rows, all of them found.
    let names: String = (0..6_000).map(|number| format!("m{number:06}@mass.example\n")).collect();
    let begin = std::time::Instant::now();
    let id = stage.import("following", "merge", &names);
    stage.control.advance_seconds(1_000);
    println!("6000 rows in {:?}", begin.elapsed());
    assert_eq!(stage.row(&id).1, "6000 / 6000");
}
