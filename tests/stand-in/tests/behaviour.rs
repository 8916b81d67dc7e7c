//! What the pair promises to the tests that rely on it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use common::{Browser, Stage, stage, stage_of};
use serde_json::json;
use stand_in::{PASSWORD, Side, Version};

fn signed_in(stage: &Stage, side: Side, user: &str) -> (Browser, String) {
    let (cookie, token) = stage.pair.control().sign_in(side, user);
    let server = if side == Side::Old { &stage.pair.old } else { &stage.pair.new };
    (Browser::with_cookie(server, &cookie), token)
}

fn move_to(browser: &mut Browser, acct: &str, password: &str) -> common::Response {
    browser.post(
        "/settings/migration",
        "/settings/migration",
        &[("account_migration[acct]", acct), ("account_migration[current_password]", password)],
    )
}

fn error_of(text: &str) -> String {
    common::between(text, "<span class=\"error\">", "</span>")
}

#[test]
fn signs_in_by_the_form_and_out_again() {
    let stage = stage(Version::V4_6);
    let mut browser = Browser::new(&stage.pair.old);
    assert_eq!(browser.get("/settings/export").path().as_deref(), Some("/auth/sign_in"));
    let reply = browser.post(
        "/auth/sign_in",
        "/auth/sign_in",
        &[("user[email]", "ana@mail.example"), ("user[password]", PASSWORD)],
    );
    assert_eq!((reply.status, reply.path().as_deref()), (302, Some("/settings/export")));
    let page = browser.get("/settings/migration").text();
    assert!(page.contains("\"access_token\":\""));
    assert_eq!(browser.post("/settings/migration", "/auth/sign_out", &[("_method", "delete")]).status, 302);
    assert_eq!(browser.get("/settings/export").status, 302);
}

/// facts 13 "Alias.", the same timeline as the measured one: asked for before the alias, the document stays old for 180 seconds.
#[test]
fn actor_cache_makes_a_hasty_move_fail() {
    for version in [Version::V4_3, Version::V4_6] {
        let stage = stage(version);
        let control = stage.pair.control();
        let (mut new, _) = signed_in(&stage, Side::New, "ana");
        let (mut old, _) = signed_in(&stage, Side::Old, "ana");
        let uri = control.person(Side::New, "ana")["uri"].as_str().unwrap().to_owned();
        let path = uri.replace(&stage.pair.new.origin(), "");
        let look = || {
            Browser::new(&stage.pair.new)
                .send("GET", &path, &[("accept", "application/activity+json")], b"")
                .unwrap()
                .json()
        };
        let target = format!("ana@{}", stage.pair.new.domain());
        assert!(look().get("alsoKnownAs").is_none());
        let handle = format!("@ana@{}", stage.pair.old.domain());
        assert_eq!(
            new.post("/settings/aliases", "/settings/aliases", &[("account_alias[acct]", &handle)]).status,
            302
        );
        assert!(look().get("alsoKnownAs").is_none());
        assert_eq!(error_of(&move_to(&mut old, &target, PASSWORD).text()), "is not an alias of this account");
        for _ in 0..11 {
            control.advance_seconds(15);
            assert!(look().get("alsoKnownAs").is_none());
        }
        control.advance_seconds(15);
        assert_eq!(look()["alsoKnownAs"][0], control.person(Side::Old, "ana")["uri"]);
        assert_eq!(move_to(&mut old, &target, PASSWORD).status, 302);
    }
}

#[test]
fn moves_followers_and_refuses_in_order() {
    let stage = stage(Version::V4_6);
    let control = stage.pair.control();
    let (mut old, token) = signed_in(&stage, Side::Old, "ana");
    let new = stage.pair.new.domain();
    let mut refusal = |acct: &str, password: &str| {
        let reply = move_to(&mut old, acct, password);
        assert_eq!(reply.status, 200, "errors are drawn with status 200");
        error_of(&reply.text())
    };
    assert_eq!(refusal("nobody@nowhere.example", "wrong"), "is invalid");
    assert_eq!(refusal("", PASSWORD), "can't be blank");
    assert_eq!(refusal("nobody@nowhere.example", PASSWORD), "could not be found");
    assert_eq!(refusal(&format!("http://{new}/@ana"), PASSWORD), "could not be found");
    assert_eq!(refusal(&format!("ana_new@{new}"), PASSWORD), "could not be found");
    assert_eq!(refusal(&format!("ana_pending@{new}"), PASSWORD), "could not be found");
    assert_eq!(refusal(&format!("ana@{new}"), PASSWORD), "is not an alias of this account");
    assert_eq!(refusal("ana", PASSWORD), "is not an alias of this account");
    let reply = move_to(&mut old, &format!("@ana_ready@{new}"), PASSWORD);
    assert_eq!((reply.status, reply.path().as_deref()), (302, Some("/settings/migration")));
    let page = old.get("/settings/migration").text();
    assert!(page.contains("your followers are being moved over."));
    assert!(page.contains("will become available again in 30 days."));
    assert_eq!(control.person(Side::New, "ana_ready")["followers"].as_array().unwrap().len(), 9);
    control.advance_seconds(31);
    assert_eq!(control.person(Side::New, "ana_ready")["followers"].as_array().unwrap().len(), 11);
    assert_eq!(control.person(Side::Old, "ana")["followers"], json!(["pixie@pixel.example"]));
    assert_eq!(control.person(Side::New, "ana_ready")["notifications"], 11);
    // After the move: the token from before is refused, the cookie alone still lists one's own messages (facts 13.1 point 10).
    assert_eq!(old.api("/api/v1/conversations", Some(&token)).status, 403);
    let id = control.person(Side::Old, "ana")["id"].as_str().unwrap().to_owned();
    let own = old.api(&format!("/api/v1/accounts/{id}/statuses?limit=40"), None);
    assert!(own.json().as_array().unwrap().iter().any(|status| status["visibility"] == "direct"));
    assert_eq!(old.api("/api/v1/conversations", None).status, 401);
    assert!(move_to(&mut old, &format!("ana_ready@{new}"), PASSWORD).text().contains("You are on cooldown"));
    let reply = old.post("/settings/migration", "/settings/migration/redirect", &[("_method", "delete")]);
    assert_eq!(reply.status, 302);
    assert_eq!(old.get("/").status, 200);
    assert!(old.get("/settings/migration").text().contains("disabled"));
}

#[test]
fn a_locked_target_gets_requests() {
    let stage = stage(Version::V4_6);
    let control = stage.pair.control();
    let (mut old, _) = signed_in(&stage, Side::Old, "ana");
    let target = format!("ana_locked@{}", stage.pair.new.domain());
    assert_eq!(move_to(&mut old, &target, PASSWORD).status, 302);
    control.advance_seconds(31);
    let person = control.person(Side::New, "ana_locked");
    assert_eq!(person["followers"].as_array().unwrap().len(), 4, "those of its own server pass");
    assert_eq!(person["follow_requests"].as_array().unwrap().len(), 7);
    // Unlocking accepts them all.
    let (mut new, _) = signed_in(&stage, Side::New, "ana_locked");
    assert_eq!(
        new.post(
            "/settings/privacy",
            "/settings/privacy",
            &[("_method", "patch"), ("account[unlocked]", "0"), ("account[unlocked]", "1")]
        )
        .status,
        302
    );
    assert_eq!(control.person(Side::New, "ana_locked")["followers"].as_array().unwrap().len(), 11);
}

#[test]
fn forms_are_guarded() {
    let stage = stage(Version::V4_6);
    let (mut browser, _) = signed_in(&stage, Side::New, "ana");
    let origin = stage.pair.new.origin();
    let page = browser.get("/settings/aliases").text();
    let form = common::between(&page, "name=\"authenticity_token\" value=\"", "\"");
    let meta = common::between(&page, "name=\"csrf-token\" content=\"", "\"");
    let alias = ("account_alias[acct]", "");
    for (token, from, expected) in [
        ("wrong", origin.as_str(), 422),
        (form.as_str(), "null", 422),
        (form.as_str(), "https://elsewhere.example", 422),
        (meta.as_str(), "moz-extension://abc", 422),
        (form.as_str(), origin.as_str(), 200),
        (meta.as_str(), origin.as_str(), 200),
    ] {
        assert_eq!(
            browser.post_raw("/settings/aliases", &[("authenticity_token", token), alias], from).status,
            expected,
            "{token} from {from}"
        );
    }
    // A form's token is good for its own action only.
    assert_eq!(
        browser.post_raw("/settings/migration", &[("authenticity_token", &form)], &origin).status,
        422
    );
    assert_eq!(
        browser.post_raw("/settings/migration", &[("authenticity_token", &meta)], &origin).status,
        200
    );
    let by_header = browser
        .send(
            "POST",
            "/settings/aliases",
            &[
                ("origin", &origin),
                ("x-csrf-token", &meta),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            b"",
        )
        .unwrap();
    assert_eq!(by_header.status, 200);
}

/// facts 1.7 and 13: where the non-functional are sent.
#[test]
fn redirects_by_version() {
    for version in Version::ALL {
        let stage = stage(version);
        let (mut new, token) = signed_in(&stage, Side::New, "ana_new");
        let landing = if version >= Version::V4_4 { "/auth/setup" } else { "/auth/edit" };
        let imports = if version >= Version::V4_2 { "/settings/imports" } else { "/settings/import" };
        for path in ["/", "/home", "/settings/profile", "/settings/preferences/appearance", imports] {
            assert_eq!(new.get(path).path().as_deref(), Some(landing), "{version} {path}");
        }
        for path in [
            "/settings/aliases",
            "/settings/export",
            "/settings/exports/follows.csv",
            "/settings/migration",
            "/settings/migration/redirect/new",
            "/settings/delete",
            "/auth/edit",
            "/auth/setup",
            "/about",
            "/@ana",
        ] {
            assert_eq!(new.get(path).status, 200, "{version} {path}");
        }
        let state = new.get("/settings/aliases").text();
        assert_eq!(state.contains("disabled_account_id"), version >= Version::V4_1, "{version}");
        assert_eq!(state.contains("\"access_token\":null"), version >= Version::V4_1, "{version}");
        let refused = new.api("/api/v1/accounts/verify_credentials", Some(&token));
        assert_eq!(
            (refused.status, refused.json()["error"].as_str()),
            (403, Some("Your login is missing a confirmed e-mail address"))
        );
        let (mut old, _) = signed_in(&stage, Side::Old, "ben");
        assert_eq!(old.get("/home").path().as_deref(), Some("/auth/edit"), "{version}");
        assert_eq!(old.get("/auth/setup").path().as_deref(), Some("/"), "{version}");
        let policy = old.get("/settings/migration").header("content-security-policy").unwrap().to_owned();
        assert_eq!(policy.contains("'wasm-unsafe-eval'"), version >= Version::V4_1, "{version}");
    }
}

#[test]
fn confirms_by_the_mail_and_shows_a_pending_change() {
    let stage = stage(Version::V4_6);
    let control = stage.pair.control();
    let (mut new, _) = signed_in(&stage, Side::New, "ana_new");
    assert_eq!(new.api("/api/v1/emails/check_confirmation", None).text(), "false");
    assert_eq!(
        new.post(
            "/auth/setup",
            "/auth/setup",
            &[("_method", "patch"), ("user[email]", "ana_new@mail.example")]
        )
        .status,
        302
    );
    let mails = control.get("mails");
    let link = mails.as_array().unwrap().last().unwrap()["link"]
        .as_str()
        .unwrap()
        .replace(&stage.pair.new.origin(), "");
    assert_eq!(new.get(&link).path().as_deref(), Some("/web/start"));
    assert_eq!(new.api("/api/v1/emails/check_confirmation", None).text(), "true");
    assert_eq!(new.get("/auth/confirmation/new").status, 302);
    let (mut change, _) = signed_in(&stage, Side::New, "ana_change");
    let page = change.get("/auth/confirmation/new");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("ana_change_new@mail.example"));
}

#[test]
fn conversations_page_by_their_last_status() {
    let stage = stage(Version::V4_6);
    let (mut old, token) = signed_in(&stage, Side::Old, "ana");
    let mut path = "/api/v1/conversations?limit=7".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let reply = old.api(&path, Some(&token));
        let items = reply.json();
        pages += 1;
        seen.extend(items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = reply
            .header("link")
            .and_then(|link| link.split(", ").find(|part| part.ends_with("rel=\"next\"")))
            .map(|part| common::between(part, "<", ">"))
        else {
            break;
        };
        assert!(next.contains(&format!(
            "max_id={}",
            items.as_array().unwrap().last().unwrap()["last_status"]["id"].as_str().unwrap()
        )));
        path = next.replace(&stage.pair.old.origin(), "");
    }
    assert_eq!((seen.len(), pages), (14, 3), "an exactly full last page is followed by an empty one");
    let requests = old.api("/api/v1/notifications/requests", Some(&token)).json();
    assert_eq!(requests[0]["account"]["acct"], "stranger@remote.example");
}

#[test]
fn limits_tokens_and_paging() {
    let stage = stage(Version::V4_6);
    let (mut old, token) = signed_in(&stage, Side::Old, "ana");
    let first = old.api("/api/v1/preferences", Some(&token));
    assert_eq!(
        (first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")),
        (Some("300"), Some("299"))
    );
    let mut refused = None;
    for _ in 0..700 {
        let reply = old.api("/api/v1/preferences", Some(&token));
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("the limit strikes");
    assert_eq!(refused.json(), json!({ "error": "Too many requests" }));
    assert_eq!(refused.header("retry-after"), None);
    assert!(refused.header("x-ratelimit-reset").is_some());
    assert_eq!(old.get("/settings/migration").status, 200, "pages are not limited");
    stage.pair.control().advance_seconds(301);
    assert_eq!(old.api("/api/v1/preferences", Some(&token)).status, 200);
}

#[test]
fn imports_in_two_steps() {
    let stage = stage(Version::V4_6);
    let control = stage.pair.control();
    let (mut new, _) = signed_in(&stage, Side::New, "ana_ready");
    let old = stage.pair.old.domain();
    let csv = format!(
        "Account address,Show boosts,Notify on new posts,Languages\ncarol01@{old},true,false,\nrita@remote.example,false,true,\"de, en\"\nghost@nowhere.example,true,false,\n"
    );
    let reply = new.upload("following", "merge", Some(("follows.csv", csv.as_bytes())));
    assert_eq!(reply.path().as_deref(), Some("/settings/imports/1"));
    assert!(new.get("/settings/imports/1").text().contains("up to <strong>3 accounts</strong>"));
    assert_eq!(new.get("/settings/imports/1/failures.csv").status, 404);
    assert_eq!(
        new.post("/settings/imports/1", "/settings/imports/1/confirm", &[]).path().as_deref(),
        Some("/settings/imports")
    );
    control.advance_seconds(10);
    let page = new.get("/settings/imports").text();
    assert!(
        page.contains("Finished")
            && page.contains("2 / 3")
            && page.contains("/settings/imports/1/failures.csv")
    );
    assert!(new.get("/settings/imports/1/failures.csv").text().contains("ghost@nowhere.example"));
    assert_eq!(control.person(Side::New, "ana_ready")["follows"].as_array().unwrap().len(), 2);
    for (file, error) in [
        (Some(("follows.csv", &b""[..])), "Empty CSV file"),
        (None, "can't be blank"),
        (Some(("x.csv", &b"\"a\"b,c\n"[..])), "Invalid CSV file"),
    ] {
        let reply = new.upload("following", "merge", file);
        assert_eq!(reply.status, 200);
        assert!(error_of(&reply.text()).starts_with(error), "{error}");
    }
}

#[test]
fn faults_strike_as_arranged() {
    let stage = stage(Version::V4_6);
    let control = stage.pair.control();
    let (mut old, _) = signed_in(&stage, Side::Old, "ana");
    let fault = |kind: &str, nth: u64| {
        control.post("fault", &json!({ "path_contains": "/settings/export", "nth": nth, "kind": kind }))
    };
    fault("close", 2);
    assert_eq!(old.get("/settings/export").status, 200);
    assert!(old.send("GET", "/settings/export", &[], b"").is_err());
    fault("status:503", 1);
    assert_eq!(old.get("/settings/export").status, 503);
    fault("status:429", 1);
    assert!(old.get("/settings/export").header("x-ratelimit-reset").is_some());
    fault("429-no-header", 1);
    let bare = old.get("/settings/export");
    assert_eq!((bare.status, bare.header("x-ratelimit-reset")), (429, None));
    fault("redirect:/elsewhere", 1);
    assert_eq!(old.get("/settings/export").header("location"), Some("/elsewhere"));
    fault("truncate", 1);
    let cut = old.send("GET", "/settings/export", &[], b"").map_or(0, |reply| reply.body.len());
    assert!(cut < old.get("/settings/export").body.len());
    fault("sign-out", 1);
    assert_eq!(old.get("/settings/export").path().as_deref(), Some("/auth/sign_in"));
    assert!(
        control.get("requests").as_array().unwrap().iter().any(|entry| entry["path"] == "/settings/export"
            && entry["auth"] == "cookie"
            && entry["user"] == "ana")
    );
    // A server that is down when the other asks makes the move fail.
    let (mut old, _) = signed_in(&stage, Side::Old, "ana");
    control.post(
        "fault",
        &json!({ "path_contains": "/.well-known/webfinger", "server": "new", "kind": "status:503" }),
    );
    let target = format!("ana_ready@{}", stage.pair.new.domain());
    assert_eq!(error_of(&move_to(&mut old, &target, PASSWORD).text()), "could not be found");
    assert_eq!(move_to(&mut old, &target, PASSWORD).status, 302);
}

#[test]
fn old_servers_trust_their_copy_for_a_day() {
    let stage = stage_of(Version::V3_5, Version::V4_6);
    let control = stage.pair.control();
    let (mut old, _) = signed_in(&stage, Side::Old, "ana");
    let (mut new, _) = signed_in(&stage, Side::New, "ana");
    let target = format!("ana@{}", stage.pair.new.domain());
    assert_eq!(error_of(&move_to(&mut old, &target, PASSWORD).text()), "is not an alias of this account");
    let handle = format!("ana@{}", stage.pair.old.domain());
    new.post("/settings/aliases", "/settings/aliases", &[("account_alias[acct]", &handle)]);
    control.advance_seconds(3_600);
    assert_eq!(error_of(&move_to(&mut old, &target, PASSWORD).text()), "is not an alias of this account");
    control.advance_seconds(24 * 3_600);
    assert_eq!(move_to(&mut old, &target, PASSWORD).status, 302);
}
