//! The API of what one owns, held against captures of 4.6.5 (`4.6.5-api/api`), and what older versions lack.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stand_in::{Answer, Body, Control, Credentials, File, Options, Side, Site, Version};

const OLD: Site = Site::Server(Side::Old);

struct Owner {
    control: Control,
    session: Credentials,
    captures: Option<PathBuf>,
}

fn owner(version: Version) -> Owner {
    let control =
        stand_in::indoors(Options { old_version: version, new_version: version, ..Options::default() });
    let session = control.credentials(Side::Old, "petra").token_only();
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let root = std::env::var_os("PACKED_TRUNK_CAPTURES").map_or_else(beside, PathBuf::from);
    let captures = Some(root.join("4.6.5-api/api")).filter(|folder| folder.exists());
    if captures.is_none() {
        println!("left out: no captures of real servers");
    }
    Owner { control, session, captures }
}

/// Keys and types; arrays by their first element; null fits anything.
fn same_shape(place: &str, theirs: &Value, ours: &Value) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let (left, right): (Vec<_>, Vec<_>) = (theirs.keys().collect(), ours.keys().collect());
            // Only local accounts have these; a first entry may be of either kind.
            let counts = |key: &&&String| !["noindex", "roles", "application"].contains(&key.as_str());
            assert_eq!(
                left.iter().filter(counts).collect::<Vec<_>>(),
                right.iter().filter(counts).collect::<Vec<_>>(),
                "{place}"
            );
            for (key, value) in theirs {
                same_shape(&format!("{place}.{key}"), value, ours.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(first), Some(other)) = (theirs.first(), ours.first()) {
                same_shape(&format!("{place}[]"), first, other);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(std::mem::discriminant(theirs), std::mem::discriminant(ours), "{place}: {ours}"),
    }
}

fn without_numbers(text: &str) -> String {
    let text = text.replace("https://old.test", "").replace("http://old.localhost:4001", "");
    let mut out = String::new();
    for letter in text.chars() {
        if !letter.is_ascii_digit() {
            out.push(letter);
        } else if !out.ends_with('N') {
            out.push('N');
        }
    }
    out
}

impl Owner {
    fn send(&self, method: &str, path: &str, body: Body) -> Answer {
        self.control.send(OLD, method, path, &self.session, &[], body).unwrap()
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, Body::Nothing);
        assert_eq!(answer.status, 200, "{path}");
        answer.json()
    }

    fn id(&self, acct: &str) -> String {
        self.get(&format!("/api/v1/accounts/lookup?acct={acct}"))["id"].as_str().unwrap().to_owned()
    }

    /// Status, shape, words of an error, pages.
    fn like(&self, capture: &str, answer: &Answer) {
        let Some(folder) = &self.captures else { return };
        let text = std::fs::read_to_string(folder.join(format!("{capture}.json"))).unwrap();
        let theirs: Value = serde_json::from_str(&text).unwrap();
        let head = std::fs::read_to_string(folder.join(format!("{capture}.headers.txt"))).unwrap();
        let status = head.lines().find_map(|line| line.strip_prefix("< ")).unwrap();
        assert!(status.starts_with(&answer.status.to_string()), "{capture}: {} {status}", answer.status);
        let ours = answer.json();
        same_shape(capture, &theirs, &ours);
        if theirs["error"].is_string() {
            assert_eq!(theirs["error"], ours["error"], "{capture}");
        }
        let link =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("< link: ").map(str::to_owned));
        let own = answer.header("link").map(without_numbers);
        assert_eq!(link.as_deref().map(without_numbers), own, "{capture}");
    }

    fn check(&self, capture: &str, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { Body::Nothing } else { Body::Json(body) };
        let answer = self.send(method, path, body);
        self.like(capture, &answer);
        answer.json()
    }
}

const NONE: Value = Value::Null;

#[test]
fn lists_are_as_captured() {
    let petra = owner(Version::V4_6);
    petra.check("lists", "GET", "/api/v1/lists", &NONE);
    let list = petra.check(
        "list_create",
        "POST",
        "/api/v1/lists",
        &json!({ "title": "Exclusive list", "replies_policy": "followed", "exclusive": true }),
    );
    assert_eq!((&list["replies_policy"], &list["exclusive"]), (&json!("followed"), &json!(true)));
    let path = format!("/api/v1/lists/{}", list["id"].as_str().unwrap());
    petra.check("list_create_422", "POST", "/api/v1/lists", &json!({ "title": "" }));
    petra.check("list_create_default", "POST", "/api/v1/lists", &json!({ "title": "Plain" }));
    petra.check("list_one", "GET", &path, &NONE);
    let updated = petra.check(
        "list_update",
        "PUT",
        &path,
        &json!({ "title": "Renamed", "replies_policy": "none", "exclusive": true }),
    );
    assert_eq!((&updated["title"], &updated["replies_policy"]), (&json!("Renamed"), &json!("none")));
    let members = format!("{path}/accounts");
    petra.check("list_accounts_empty", "GET", &format!("{members}?limit=0"), &NONE);
    let (alva, rita, mona) = (petra.id("alva"), petra.id("rita@remote.example"), petra.id("mona"));
    petra.check("list_add_accounts", "POST", &members, &json!({ "account_ids": [alva, rita] }));
    petra.check("list_add_again_422", "POST", &members, &json!({ "account_ids": [alva] }));
    petra.check("list_add_not_followed_422", "POST", &members, &json!({ "account_ids": [mona] }));
    petra.check("list_accounts_limit0", "GET", &format!("{members}?limit=0"), &NONE);
    petra.check("list_accounts_limit1", "GET", &format!("{members}?limit=1"), &NONE);
    petra.check("account_lists", "GET", &format!("/api/v1/accounts/{alva}/lists"), &NONE);
    assert_eq!(
        petra.send("PUT", &path, Body::Form(&[("title", "By form"), ("exclusive", "false")])).json()["exclusive"],
        false
    );
    assert_eq!(petra.send("DELETE", &path, Body::Nothing).status, 200);
}

#[test]
fn tags_are_as_captured() {
    let petra = owner(Version::V4_6);
    petra.check("followed_tags", "GET", "/api/v1/followed_tags", &NONE);
    petra.check("followed_tags_limit1", "GET", "/api/v1/followed_tags?limit=1", &NONE);
    petra.check("tag_follow", "POST", "/api/v1/tags/intro/follow", &NONE);
    let tag = petra.check("tag_follow_unicode", "POST", "/api/v1/tags/caf%C3%A9/follow", &NONE);
    assert_eq!(
        (tag["name"].as_str(), tag["url"].as_str()),
        (Some("café"), Some("http://old.localhost:4001/tags/cafe"))
    );
    petra.check("tag_follow_bad", "POST", "/api/v1/tags/bad-tag!/follow", &NONE);
    assert_eq!(petra.check("tag_feature", "POST", "/api/v1/tags/intro/feature", &NONE)["featuring"], true);
    assert_eq!(petra.check("tag_unfollow", "POST", "/api/v1/tags/intro/unfollow", &NONE)["following"], false);
    let names: Vec<Value> = petra
        .get("/api/v1/followed_tags?limit=200")
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone())
        .collect();
    assert_eq!(names, ["日本", "funk", "café", "Ham_Radio"]);
    petra.check("featured_tags", "GET", "/api/v1/featured_tags", &NONE);
    petra.check("featured_tags_create", "POST", "/api/v1/featured_tags", &json!({ "name": "mytag" }));
    petra.check("featured_tags_create_dup_200", "POST", "/api/v1/featured_tags", &json!({ "name": "mytag" }));
    petra.check(
        "featured_tags_create_bad_422",
        "POST",
        "/api/v1/featured_tags",
        &json!({ "name": "bad tag!" }),
    );
    petra.check("featured_tags_suggestions", "GET", "/api/v1/featured_tags/suggestions", &NONE);
    let id = petra.id("petra");
    petra.check("account_featured_tags", "GET", &format!("/api/v1/accounts/{id}/featured_tags"), &NONE);
}

#[test]
fn relations_are_as_captured() {
    let petra = owner(Version::V4_6);
    let (alva, mona, lars, bodo) = (petra.id("alva"), petra.id("mona"), petra.id("lars"), petra.id("bodo"));
    let ruth = petra.id("ruth@remote.example");
    let ask = |ids: &[&String]| {
        let all: Vec<String> = ids.iter().map(|id| format!("id[]={id}")).collect();
        format!("/api/v1/accounts/relationships?{}", all.join("&"))
    };
    petra.check("relationships_many", "GET", &ask(&[&ruth, &mona, &bodo]), &NONE);
    let noted = petra.check("relationships_with_note", "GET", &ask(&[&alva]), &NONE);
    assert!(noted[0]["note"].as_str().unwrap().contains("\"radio\" fair"));
    assert_eq!(noted[0]["endorsed"], true);
    let asked = petra.check("relationships_requested", "GET", &ask(&[&lars]), &NONE);
    assert_eq!(
        (&asked[0]["requested"], &asked[0]["following"], &asked[0]["showing_reblogs"]),
        (&json!(true), &json!(false), &json!(true))
    );
    let fritzi = petra.id("fritzi@remote.example");
    let flags = petra.check("relationships_with_options", "GET", &ask(&[&fritzi, &lars]), &NONE);
    assert_eq!(
        (&flags[0]["languages"], &flags[0]["notifying"], &flags[0]["showing_reblogs"]),
        (&json!(["de", "fr"]), &json!(true), &json!(false))
    );
    let max = petra.id("max@remote.example");
    let muted = petra.check("relationships_mute_block", "GET", &ask(&[&max, &mona, &bodo]), &NONE);
    assert_eq!(
        (&muted[0]["muting_notifications"], &muted[1]["muting_notifications"]),
        (&json!(false), &json!(true))
    );
    assert!(muted[0]["muting_expires_at"].is_string() && muted[1]["muting_expires_at"].is_null());
    assert_eq!(muted[2]["blocking"], true);
    // Who is suspended is left out unless asked for, and who is unknown always is.
    petra.control.post("account", &json!({ "server": "old", "user": "alva", "suspended": true }));
    assert_eq!(petra.get(&ask(&[&alva, &mona, &"999".to_owned()])).as_array().unwrap().len(), 1);
    let path = format!("{}&with_suspended=true", ask(&[&alva, &mona]));
    assert_eq!(petra.check("relationships_with_suspended", "GET", &path, &NONE).as_array().unwrap().len(), 2);
    petra.control.post("account", &json!({ "server": "old", "user": "alva", "suspended": false }));
    let act = |capture: &str, id: &str, action: &str, body: &Value| {
        petra.check(capture, "POST", &format!("/api/v1/accounts/{id}/{action}"), body)
    };
    act("follow_self_403", &petra.id("petra"), "follow", &NONE);
    act("follow_404", "999", "follow", &NONE);
    let made = act(
        "follow_with_options",
        &mona,
        "follow",
        &json!({ "reblogs": false, "notify": true, "languages": ["de", "en"] }),
    );
    assert_eq!(made["languages"], json!(["de", "en"]));
    let again = act("follow_with_options", &mona, "follow", &json!({ "notify": false }));
    assert_eq!(
        (&again["showing_reblogs"], &again["notifying"]),
        (&json!(false), &json!(false)),
        "what is not said stays"
    );
    act("endorse", &mona, "endorse", &NONE);
    act("endorse_not_followed_422", &bodo, "endorse", &NONE);
    petra.check("endorsements", "GET", "/api/v1/endorsements", &NONE);
    act("note_create", &mona, "note", &json!({ "comment": "met at \"the\" fair" }));
    act("note_too_long_422", &mona, "note", &json!({ "comment": "x".repeat(2_001) }));
    act("mute_with_expiry", &ruth, "mute", &json!({ "duration": 86400, "notifications": false }));
    petra.check("mutes", "GET", "/api/v1/mutes", &NONE);
    petra.check("mutes_limit1", "GET", "/api/v1/mutes?limit=1", &NONE);
    petra.control.advance_seconds(86_401);
    assert_eq!(petra.get(&ask(&[&ruth]))[0]["muting"], false, "mutes end by themselves");
    petra.check("domain_blocks", "GET", "/api/v1/domain_blocks", &NONE);
    petra.check("domain_block_create", "POST", "/api/v1/domain_blocks", &json!({ "domain": "evil.example" }));
    petra.check(
        "domain_block_bad_422",
        "POST",
        "/api/v1/domain_blocks",
        &json!({ "domain": "not a domain" }),
    );
    petra.check("domain_blocks_preview", "GET", "/api/v1/domain_blocks/preview?domain=remote.example", &NONE);
    petra.check("domain_block_delete", "DELETE", "/api/v1/domain_blocks?domain=evil.example", &NONE);
    petra.check("follow_requests", "GET", "/api/v1/follow_requests", &NONE);
    petra.check("preferences", "GET", "/api/v1/preferences", &NONE);
    petra.check("notifications_policy_v2", "GET", "/api/v2/notifications/policy", &NONE);
    let follows = petra.get("/api/v1/notifications?types[]=follow&limit=80");
    assert_eq!(follows.as_array().unwrap().len(), 7);
}

#[test]
fn filters_are_as_captured() {
    let petra = owner(Version::V4_6);
    petra.check("filters_v1", "GET", "/api/v1/filters", &NONE);
    let all = petra.check("filters_v2", "GET", "/api/v2/filters", &NONE);
    assert_eq!(all.as_array().unwrap().len(), 4);
    assert_eq!(all[1]["filter_action"], "blur");
    let body = json!({ "title": "X", "context": ["home"], "filter_action": "warn", "expires_in": 86400, "keywords_attributes": [{ "keyword": "one", "whole_word": true }, { "keyword": "two", "whole_word": false }] });
    let made = petra.check("filters_v2_create", "POST", "/api/v2/filters", &body);
    petra.check("filters_v2_create_blur", "POST", "/api/v2/filters", &json!({ "title": "Blur", "context": ["public"], "filter_action": "blur", "keywords_attributes": [{ "keyword": "b" }] }));
    petra.check("filters_v2_422", "POST", "/api/v2/filters", &json!({ "title": "", "context": [] }));
    let path = format!("/api/v2/filters/{}", made["id"].as_str().unwrap());
    petra.check("filter_keywords", "GET", &format!("{path}/keywords"), &NONE);
    let status = petra.get("/api/v1/bookmarks")[0]["id"].clone();
    petra.check("filter_status_add", "POST", &format!("{path}/statuses"), &json!({ "status_id": status }));
    petra.check("filter_v2_one", "GET", &path, &NONE);
    // The same by a form; the brackets are empty, so a second keyword begins the second entry.
    let form = [
        ("title", "By form"),
        ("context[]", "home"),
        ("context[]", "thread"),
        ("keywords_attributes[][keyword]", "one"),
        ("keywords_attributes[][whole_word]", "false"),
        ("keywords_attributes[][keyword]", "two"),
    ];
    let made = petra.send("POST", "/api/v2/filters", Body::Form(&form)).json();
    assert_eq!(made["keywords"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&made["keywords"][0]["whole_word"], &made["keywords"][1]["whole_word"]),
        (&json!(false), &json!(true))
    );
    let path = format!("/api/v2/filters/{}", made["id"].as_str().unwrap());
    let first = made["keywords"][0]["id"].clone();
    let body = json!({ "title": "Changed", "keywords_attributes": [{ "id": first, "_destroy": true }] });
    let changed = petra.send("PUT", &path, Body::Json(&body)).json();
    assert_eq!(
        (changed["title"].as_str(), changed["keywords"].as_array().unwrap().len()),
        (Some("Changed"), 1)
    );
    assert_eq!(petra.send("DELETE", &path, Body::Nothing).status, 200);
    let old = petra
        .send(
            "POST",
            "/api/v1/filters",
            Body::Form(&[("phrase", "word"), ("context[]", "home"), ("irreversible", "true")]),
        )
        .json();
    assert_eq!((&old["phrase"], &old["irreversible"]), (&json!("word"), &json!(true)));
    assert_eq!(
        petra
            .send("DELETE", &format!("/api/v1/filters/{}", old["id"].as_str().unwrap()), Body::Nothing)
            .status,
        200
    );
}

#[test]
fn the_profile_takes_pictures() {
    let petra = owner(Version::V4_6);
    let before = petra.get("/api/v1/accounts/verify_credentials");
    let avatar = before["avatar"].as_str().unwrap();
    assert!(avatar.contains("/system/accounts/avatars/"));
    let file = petra.control.fetch(avatar, &Credentials::nobody()).unwrap();
    assert_eq!((file.status, file.header("content-type")), (200, Some("image/png")));
    assert_eq!(before["source"]["privacy"], "unlisted");
    let files = [File { field: "avatar", name: "a.png", content_type: "image/png", bytes: &file.body }];
    let fields = [("avatar_description", "new"), ("source[language]", "fr")];
    let path = "/api/v1/accounts/update_credentials";
    let after = petra.send("PATCH", path, Body::Multipart { fields: &fields, files: &files }).json();
    assert_ne!(after["avatar"], before["avatar"]);
    assert_eq!((&after["avatar_description"], &after["source"]["language"]), (&json!("new"), &json!("fr")));
    let bad = [File { field: "avatar", name: "a.png", content_type: "image/png", bytes: b"no picture" }];
    let refused = petra.send("PATCH", path, Body::Multipart { fields: &[], files: &bad });
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.json()["error"],
        "Validation failed: Avatar has contents that are not what they are reported to be"
    );
}

#[test]
fn older_versions_lack_what_they_lack() {
    for version in Version::ALL {
        let petra = owner(version);
        let status = |method: &str, path: &str| petra.send(method, path, Body::Nothing).status;
        let alva = petra.id("alva");
        let since = |other: Version| if version >= other { 200 } else { 404 };
        assert_eq!(status("GET", "/api/v1/followed_tags"), since(Version::V4_1), "{version}");
        assert_eq!(status("POST", "/api/v1/tags/funk/follow"), since(Version::V4_1), "{version}");
        assert_eq!(status("GET", "/api/v2/filters"), since(Version::V4_1), "{version}");
        assert_eq!(status("GET", "/api/v1/filters"), 200, "{version}");
        assert_eq!(status("GET", "/api/v2/notifications/policy"), since(Version::V4_3), "{version}");
        assert_eq!(
            status("POST", &format!("/api/v1/accounts/{alva}/endorse")),
            since(Version::V4_4),
            "{version}"
        );
        assert_eq!(status("POST", &format!("/api/v1/accounts/{alva}/pin")), 200, "{version}");
        assert_eq!(
            status("GET", &format!("/api/v1/accounts/{alva}/endorsements")),
            since(Version::V4_4),
            "{version}"
        );
        assert_eq!(status("GET", "/api/v1/endorsements"), 200, "{version}");
        let list = petra.get("/api/v1/lists")[0].clone();
        assert_eq!(list.get("exclusive").is_some(), version >= Version::V4_2, "{version}");
        let relation = petra.get(&format!("/api/v1/accounts/relationships?id[]={alva}"))[0].clone();
        assert_eq!(relation.get("languages").is_some(), version >= Version::V4_1, "{version}");
        assert_eq!(relation.get("muting_expires_at").is_some(), version >= Version::V4_6, "{version}");
        let export = petra.control.credentials(Side::Old, "petra").cookie_only();
        let filters =
            petra.control.answer(Side::Old, "GET", "/settings/exports/custom_filters.json", &export);
        assert_eq!(filters.unwrap().status, since(Version::V4_6), "{version}");
    }
}

#[test]
fn searching_finds_whom_the_importer_would_find() {
    let petra = owner(Version::V4_6);
    let new = petra.control.credentials(Side::New, "petra").token_only();
    let found = |acct: &str| {
        let path = format!("/api/v2/search?q={}&resolve=true&type=accounts", acct.replace('@', "%40"));
        petra.control.answer(Side::New, "GET", &path, &new).unwrap()
    };
    let first = |acct: &str| found(acct).json()["accounts"][0].clone();
    assert_eq!(first("moritz@remote.example")["moved"]["acct"], "moritz_new@far.example");
    assert_eq!(first("sid@remote.example")["suspended"], true);
    assert_eq!(first("lena@remote.example")["locked"], true);
    for nobody in ["gerda@remote.example", "nora@blocked.example", "ghost@nowhere.example"] {
        assert!(first(nobody).is_null(), "{nobody}");
    }
    let silent = found("sina@silent.example");
    assert!(silent.json()["accounts"].as_array().unwrap().is_empty());
    assert_eq!(silent.delay, 1_000);
    // Four hundred follows a day.
    petra.control.post("limits", &json!({ "on": false }));
    let crowd: Vec<String> = (0..401)
        .map(|number| first(&format!("m{number:06}@mass.example"))["id"].as_str().unwrap().to_owned())
        .collect();
    let statuses: Vec<u16> = crowd
        .iter()
        .map(|id| {
            petra
                .control
                .answer(Side::New, "POST", &format!("/api/v1/accounts/{id}/follow"), &new)
                .unwrap()
                .status
        })
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 400);
    assert_eq!(statuses.last(), Some(&429));
}
