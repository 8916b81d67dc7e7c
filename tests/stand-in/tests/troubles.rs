//! What can go wrong while messages are saved: limits, arranged troubles, hostile senders; and accounts so large that a slow answer would be a trouble by itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::Browser;
use serde_json::{Value, json};
use stand_in::{Answer, Control, Credentials, Ending, Lost, Options, Shape, Side};

fn indoors() -> (Control, Credentials) {
    let control = stand_in::indoors(Options::default());
    let mia = control.credentials(Side::Old, "mia").token_only();
    (control, mia)
}

fn ask(control: &Control, path: &str, session: &Credentials) -> Result<Answer, Lost> {
    control.answer(Side::Old, "GET", path, session)
}

fn get(control: &Control, path: &str, session: &Credentials) -> Answer {
    ask(control, path, session).unwrap()
}

fn limit(answer: &Answer) -> (u16, String, String, i64) {
    let header = |name: &str| answer.header(name).unwrap_or("none").to_owned();
    let reset = header("x-ratelimit-reset");
    // `2026-11-21T21:10:00.409049Z`: minutes on the clock of the window, and six digits.
    let minute: i64 = reset.get(14..16).and_then(|text| text.parse().ok()).unwrap_or(-1);
    assert!(reset.len() == 27 && reset.ends_with('Z') && &reset[17..19] == "00", "{reset}");
    (answer.status, header("x-ratelimit-limit"), header("x-ratelimit-remaining"), minute)
}

#[test]
fn limits_are_those_of_the_captures() {
    let (control, mia) = indoors();
    let second = control.credentials(Side::Old, "mia").token_only();
    let paged = "/api/v1/bookmarks?max_id=999999999999999999&limit=1";
    let plain = "/api/v1/preferences";
    // To the beginning of a window of fifteen minutes, so that none ends while we count.
    let now = control.with_world(|world| world.now()) / 1_000;
    control.advance_seconds(900 - now.rem_euclid(900) + 1);

    // The token's window is told, the first of equals; three hundred pages over two tokens, then none of either.
    let (status, number, left, minute) = limit(&get(&control, paged, &mia));
    assert_eq!((status, number.as_str(), left.as_str(), minute % 5), (200, "300", "299", 0));
    for count in 2..=161 {
        let (status, _, left, _) = limit(&get(&control, paged, &mia));
        assert_eq!((status, left), (200, (300 - count).to_string()));
    }
    for _ in 0..139 {
        assert_eq!(get(&control, paged, &second).status, 200);
    }
    let refused = get(&control, paged, &second);
    let (status, number, left, minute) = limit(&refused);
    assert_eq!((status, number.as_str(), left.as_str(), minute % 15), (429, "300", "0", 0));
    assert_eq!(refused.json(), json!({ "error": "Too many requests" }));
    assert_eq!(
        (refused.header("retry-after"), refused.header("content-type")),
        (None, Some("application/json"))
    );
    assert_eq!((refused.header("cache-control"), refused.header("vary")), (Some("no-cache"), Some("Origin")));
    // First pages and what is not paged still work, and the token's limit is told again.
    for (path, left) in [(plain, "159"), ("/api/v1/bookmarks?limit=40", "158")] {
        let (status, _, told, minute) = limit(&get(&control, path, &second));
        assert_eq!((status, told.as_str(), minute % 5), (200, left, 0), "{path}");
    }
    // The token's own limit, for every path.
    for _ in 0..158 {
        assert_eq!(get(&control, plain, &second).status, 200);
    }
    for path in [plain, "/api/v1/accounts/verify_credentials"] {
        assert_eq!(limit(&get(&control, path, &second)).0, 429);
    }
    assert_eq!(get(&control, plain, &mia).status, 200, "another token of the same person");
    control.advance_seconds(300);
    assert_eq!(get(&control, plain, &second).status, 200);
    assert_eq!(get(&control, paged, &second).status, 429, "pages wait for their own window");
    control.advance_seconds(600);
    assert_eq!(get(&control, paged, &second).status, 200);

    // The cookie alone counts by address, pages too.
    let cookie = control.credentials(Side::Old, "mia").cookie_only();
    let own = control.person(Side::Old, "mia")["id"].as_str().unwrap().to_owned();
    let mut left = 301;
    while left > 1 {
        let (status, number, told, _) =
            limit(&get(&control, &format!("/api/v1/accounts/{own}/followers?max_id=1"), &cookie));
        left -= 1;
        assert_eq!((status, number.as_str(), told), (200, "300", (left - 1).to_string()));
    }
    assert_eq!(get(&control, &format!("/api/v1/accounts/{own}"), &cookie).status, 429);
    assert_eq!(get(&control, "/api/v1/emails/check_confirmation", &Credentials::nobody()).status, 429);

    // Off, and other numbers.
    control.post("limits", &json!({ "on": false }));
    let free = get(&control, plain, &second);
    assert_eq!((free.status, free.header("x-ratelimit-limit")), (200, None));
    control.post("limits", &json!({ "on": true, "per_token": 2 }));
    let statuses: Vec<u16> = (0..3).map(|_| get(&control, plain, &second).status).collect();
    assert_eq!(statuses, [200, 200, 429]);

    // `media_proxy`: thirty in ten minutes for each address.
    let file =
        control.oracle(Side::Old, "mia").into_iter().flat_map(|message| message.attachments).next().unwrap();
    let session = control.credentials(Side::Old, "mia").cookie_only();
    let proxy = format!("/media_proxy/{}/original", file.id);
    let statuses: Vec<u16> = (0..31).map(|_| get(&control, &proxy, &session).status).collect();
    assert_eq!((&statuses[..30], statuses[30]), ([302; 30].as_slice(), 429));
}

#[test]
fn troubles_strike_the_request_they_are_meant_for() {
    let (control, mia) = indoors();
    let path = "/api/v1/conversations?limit=40";
    let right = get(&control, path, &mia);
    let fault = |kind: &str, nth: u64| {
        control.post("faults/clear", &Value::Null);
        control.post(
            "fault",
            &json!({ "server": "old", "user": "mia", "path_prefix": "/api/", "nth": nth, "kind": kind }),
        );
    };
    // Counted over the requests of one person.
    fault("close", 2);
    let ana = control.credentials(Side::Old, "ana").token_only();
    for _ in 0..3 {
        assert_eq!(get(&control, path, &ana).status, 200);
    }
    assert_eq!(get(&control, path, &mia).status, 200);
    assert_eq!(ask(&control, path, &mia).unwrap_err(), Lost::Closed);
    assert_eq!(get(&control, path, &mia).status, 200);

    // Closed before the server acted, and after.
    let entry = right.json()[0]["id"].as_str().unwrap().to_owned();
    let delete = || control.answer(Side::Old, "DELETE", &format!("/api/v1/conversations/{entry}"), &mia);
    fault("close", 1);
    assert_eq!(delete().unwrap_err(), Lost::Closed);
    assert!(
        String::from_utf8_lossy(&get(&control, path, &mia).body).contains(&format!("\"id\":\"{entry}\""))
    );
    fault("close-after", 1);
    assert_eq!(delete().unwrap_err(), Lost::Closed);
    assert_eq!(delete().unwrap().status, 404, "it was done all the same");

    fault("hang", 1);
    assert_eq!(ask(&control, path, &mia).unwrap_err(), Lost::Hangs);
    fault("status:503", 1);
    assert_eq!(get(&control, path, &mia).status, 503);
    fault("status:429", 1);
    assert!(get(&control, path, &mia).header("x-ratelimit-reset").is_some());
    fault("429-no-header", 1);
    let bare = get(&control, path, &mia);
    assert_eq!((bare.status, bare.header("x-ratelimit-reset")), (429, None));
    fault("truncate", 1);
    let cut = get(&control, path, &mia);
    assert_eq!(cut.ending, Ending::CutShort);
    assert!(cut.header("content-length").unwrap().parse::<usize>().unwrap() > cut.body.len());
    fault("endless", 1);
    assert_eq!(get(&control, path, &mia).ending, Ending::Never);
    fault("body:[{\"id\":\"1\",\"last_status\":null}]", 1);
    let odd = get(&control, path, &mia);
    assert_eq!((odd.status, odd.json()), (200, json!([{ "id": "1", "last_status": null }])));

    // One page for ever, its link to the next page and all.
    fault("repeat", 1);
    let first = get(&control, path, &mia);
    let next =
        first.header("link").unwrap().split_once('>').unwrap().0.replace("<http://old.localhost:4001", "");
    for _ in 0..5 {
        let again = get(&control, &next, &mia);
        assert_eq!((&again.body, again.header("link")), (&first.body, first.header("link")));
    }
    control.post("faults/clear", &Value::Null);
    assert_ne!(get(&control, &next, &mia).body, first.body);

    // Signed out in between: the token is worth nothing any more, a new one is.
    fault("sign-out", 2);
    assert_eq!(get(&control, path, &mia).status, 200);
    for _ in 0..2 {
        assert_eq!(get(&control, path, &mia).status, 401);
    }
    let again = control.credentials(Side::Old, "mia");
    assert_ne!(again.token, mia.token);
    assert_eq!(get(&control, path, &again.token_only()).status, 200);

    // Files that are not what they say.
    let file =
        control.oracle(Side::Old, "mia").into_iter().flat_map(|message| message.attachments).next().unwrap();
    let fetch = |kind: &str| {
        control.post("fault", &json!({ "path_contains": "/media_attachments/", "kind": kind }));
        control.fetch(&file.url, &Credentials::nobody()).unwrap()
    };
    for status in [403, 404, 500] {
        assert_eq!(fetch(&format!("status:{status}")).status, status);
    }
    let page = fetch("html-as:image/png");
    assert!(page.header("content-type") == Some("image/png") && page.body.starts_with(b"<!DOCTYPE"));
    let picture = fetch("content-type:text/html");
    assert!(picture.header("content-type") == Some("text/html") && picture.body.starts_with(b"\x89PNG"));
    assert_eq!(fetch("truncate").ending, Ending::CutShort);
    assert_eq!(fetch("endless").ending, Ending::Never);
}

/// The same over the network, and the media host with a listener of its own.
#[test]
fn troubles_of_the_network() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let pair = runtime.block_on(stand_in::start(Options { media_host: true, ..Options::default() })).unwrap();
    let control = pair.control();
    let media = pair.media.clone().unwrap();
    let file =
        control.oracle(Side::Old, "mia").into_iter().flat_map(|message| message.attachments).next().unwrap();
    let path = file.url.replace(&media.origin(), "");
    assert!(path.starts_with("/media_attachments/"), "{}", file.url);
    let mut browser = Browser::new(&media);
    let whole = browser.get(&path);
    assert_eq!((whole.status, stand_in::sha256::hex(&whole.body)), (200, file.sha256.clone()));
    assert_eq!(whole.header("access-control-allow-origin"), None);
    assert_eq!(browser.get("/api/v1/conversations").status, 404, "files and nothing else");
    assert_eq!(Browser::new(&pair.old).get(&format!("/system{path}")).status, 404);
    assert_eq!(control.get("media-requests").as_array().unwrap().len(), 2);
    let raw = |wait: u64| -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", media.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", media.domain())
            .unwrap();
        let (mut all, end) = (Vec::new(), Instant::now() + Duration::from_millis(wait));
        let mut part = [0; 65_536];
        while Instant::now() < end {
            match stream.read(&mut part) {
                Ok(0) => break,
                Ok(count) => all.extend(&part[..count]),
                Err(_) => {}
            }
        }
        all
    };
    let fault = |kind: &str| {
        control
            .post("fault", &json!({ "server": "cdn", "path_contains": "/media_attachments/", "kind": kind }));
    };
    let length = whole.body.len();
    fault("truncate");
    let cut = raw(500);
    assert!(String::from_utf8_lossy(&cut).contains(&format!("content-length: {length}")));
    assert!(cut.len() < length + 500);
    fault("endless");
    assert!(raw(700).len() > length + 20_000, "more than there is");
    fault("hang");
    assert!(raw(300).is_empty());
    fault("close");
    assert!(raw(300).is_empty());
}

#[test]
fn versions_polls_and_emoji_are_whole() {
    let (control, mia) = indoors();
    control.post("limits", &json!({ "on": false }));
    let mut seen = (0, 0, 0, 0, 0);
    for message in control.oracle(Side::Old, "mia") {
        let status = get(&control, &format!("/api/v1/statuses/{}", message.id), &mia).json();
        let history = get(&control, &format!("/api/v1/statuses/{}/history", message.id), &mia).json();
        let versions = history.as_array().unwrap();
        assert_eq!(versions[0]["created_at"], status["created_at"]);
        if status["edited_at"].is_null() {
            assert_eq!(versions.len(), 1);
        } else {
            seen.0 += versions.len();
            assert_eq!(versions.last().unwrap()["created_at"], status["edited_at"]);
            let texts: std::collections::BTreeSet<String> =
                versions.iter().map(|version| version["content"].to_string()).collect();
            assert_eq!(texts.len(), versions.len(), "each is another text");
        }
        if !status["poll"].is_null() {
            seen.1 += 1;
            let votes = status["poll"]["own_votes"].as_array().unwrap().len();
            seen.2 += votes;
            assert!(status["poll"]["voted"] == (votes > 0 || message.sent));
        }
        for emoji in status["emojis"].as_array().unwrap() {
            seen.3 += 1;
            let file = control.fetch(emoji["url"].as_str().unwrap(), &Credentials::nobody()).unwrap();
            assert!(file.status == 200 && file.body.starts_with(b"\x89PNG"), "{emoji}");
        }
        seen.4 += usize::from(status["spoiler_text"] != "");
    }
    assert_eq!(seen, (7, 3, 2, 4, 4), "versions, polls, choices, emoji, warnings");
    assert_eq!(get(&control, "/api/v1/custom_emojis", &mia).json().as_array().unwrap().len(), 2);
}

#[test]
fn listings_can_leave_things_out() {
    let (control, mia) = indoors();
    let own = control.person(Side::Old, "mia")["id"].as_str().unwrap().to_owned();
    let all = |query: &str| {
        let (mut all, mut below): (Vec<Value>, Option<String>) = (Vec::new(), None);
        loop {
            let page = below.as_ref().map_or_else(String::new, |id| format!("&max_id={id}"));
            let path = format!("/api/v1/accounts/{own}/statuses?limit=40&{query}{page}");
            let items = get(&control, &path, &mia).json().as_array().unwrap().clone();
            let Some(last) = items.last() else { return all };
            below = Some(last["id"].as_str().unwrap().to_owned());
            all.extend(items);
        }
    };
    let everything = all("");
    assert_eq!(everything.len(), 210 + 20);
    assert_eq!(all("exclude_reblogs=true").len(), everything.len());
    let open = all("exclude_direct=true");
    assert!(open.len() == 20 && open.iter().all(|status| status["visibility"] != "direct"));
    let pictures = all("only_media=true");
    assert!(pictures.len() == 6 && pictures.iter().all(|status| status["media_attachments"] != json!([])));
    let own_id = json!(own);
    let first = all("exclude_replies=true");
    let answers = everything
        .iter()
        .filter(|status| {
            !status["in_reply_to_account_id"].is_null() && status["in_reply_to_account_id"] != own_id
        })
        .count();
    assert_eq!(first.len(), everything.len() - answers);
    assert!(first.len() < everything.len() / 2);
    // Direct messages count nowhere in public.
    assert_eq!(get(&control, &format!("/api/v1/accounts/{own}"), &mia).json()["statuses_count"], 20);
}

#[test]
fn relations_page_by_numbers_of_their_own() {
    let (control, _) = indoors();
    let session = control.credentials(Side::Old, "ana");
    let own = control.person(Side::Old, "ana")["id"].as_str().unwrap().to_owned();
    for (path, credentials) in [
        (format!("/api/v1/accounts/{own}/following"), session.cookie_only()),
        (format!("/api/v1/accounts/{own}/followers"), session.cookie_only()),
        ("/api/v1/mutes".to_owned(), session.token_only()),
        ("/api/v1/blocks".to_owned(), session.token_only()),
    ] {
        let all = get(&control, &format!("{path}?limit=80"), &credentials);
        let count = all.json().as_array().unwrap().len();
        let two = get(&control, &format!("{path}?limit=2"), &credentials);
        let link = two.header("link").unwrap();
        assert!(link.contains("rel=\"next\"") && link.contains("since_id="), "{link}");
        let number: u64 = link.split("max_id=").nth(1).unwrap().split('>').next().unwrap().parse().unwrap();
        assert!(number < 1 << 32, "the relationship's number, not the account's");
        let rest = get(&control, &format!("{path}?limit=80&max_id={number}"), &credentials);
        assert_eq!(rest.json().as_array().unwrap().len(), count - 2, "{path}");
    }
}

#[test]
fn hostile_messages_arrive_as_they_were_sent() {
    let (control, _) = indoors();
    control.correspondence(Side::Old, "hana", Shape::Hostile);
    control.post("limits", &json!({ "on": false }));
    let hana = control.credentials(Side::Old, "hana").token_only();
    let truth = control.oracle(Side::Old, "hana");
    assert!(truth.len() > 40);
    let mallory = get(&control, "/api/v1/accounts/lookup?acct=mallory@evil.example", &hana).json();
    let (mut all, mut path) =
        (Vec::new(), Some(format!("/api/v1/accounts/{}/statuses?limit=40", mallory["id"].as_str().unwrap())));
    while let Some(next) = path {
        let page = get(&control, &next, &hana);
        all.extend(page.json().as_array().unwrap().iter().cloned());
        path = page
            .header("link")
            .and_then(|link| link.split(", ").find(|part| part.ends_with("rel=\"next\"")))
            .map(|part| part.split_once('>').unwrap().0.replace("<http://old.localhost:4001", ""));
    }
    assert_eq!(all.len(), truth.len());
    let with = |test: &dyn Fn(&Value) -> bool| all.iter().filter(|status| test(status)).count();
    assert!(with(&|status| status["content"].as_str().is_some_and(|html| html.contains("<script>"))) > 0);
    assert_eq!(with(&|status| status["content"].as_str().is_some_and(|html| html.len() > 500_000)), 1);
    assert!(with(&|status| !status["content"].is_string()) > 1);
    assert!(with(&|status| !status["account"].is_object()) > 1);
    assert!(with(&|status| !status["created_at"].is_string()) > 0);
    let mut ids: Vec<&str> = all.iter().map(|status| status["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len() - 1, "two have one id");
    let files: Vec<_> = truth.iter().flat_map(|message| &message.attachments).collect();
    assert_eq!(files.len(), 8);
    for file in files {
        let answer = control.fetch(&file.url, &Credentials::nobody()).unwrap();
        assert_eq!(
            (answer.status, stand_in::sha256::hex(&answer.body)),
            (200, file.sha256.clone()),
            "{}",
            file.url
        );
    }
}

#[test]
fn a_large_account_answers_at_once() {
    let control = stand_in::indoors(Options::default());
    let begin = Instant::now();
    control.correspondence(Side::Old, "big", Shape::Large { messages: 100_000, conversations: 5_000 });
    println!("built in {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(20), "five seconds on a quiet machine");
    control.post("limits", &json!({ "on": false }));
    let big = control.credentials(Side::Old, "big").token_only();
    let own = control.person(Side::Old, "big")["id"].as_str().unwrap().to_owned();
    let list = get(&control, "/api/v1/conversations?limit=40", &big).json();
    let last = list[39]["last_status"]["id"].as_str().unwrap().to_owned();
    let other = list[39]["accounts"][0]["id"].as_str().unwrap().to_owned();
    for (path, items) in [
        (format!("/api/v1/conversations?limit=40&max_id={last}"), 40),
        (format!("/api/v1/accounts/{own}/statuses?limit=40&max_id={last}"), 40),
        (format!("/api/v1/accounts/{other}/statuses?limit=40"), 40),
        ("/api/v1/notifications?limit=80&types[]=mention&include_filtered=true".to_owned(), 80),
        (format!("/api/v1/notifications?limit=80&account_id={other}"), 80),
    ] {
        get(&control, &path, &big);
        let begin = Instant::now();
        let answer = get(&control, &path, &big);
        println!("{path}: {:?}", begin.elapsed());
        assert!(begin.elapsed() < Duration::from_millis(100), "{path}");
        assert_eq!(answer.json().as_array().unwrap().len(), items, "{path}");
    }
    let begin = Instant::now();
    let mut met = 0;
    for status in list.as_array().unwrap().iter().map(|entry| entry["last_status"]["id"].as_str().unwrap()) {
        let context = get(&control, &format!("/api/v1/statuses/{status}/context"), &big);
        met += context.body.len();
    }
    println!("40 contexts: {:?}, {met} bytes", begin.elapsed());
    let begin = Instant::now();
    for _ in 0..2_000 {
        get(&control, &format!("/api/v1/statuses/{last}"), &big);
    }
    println!("2000 statuses: {:?}", begin.elapsed());
    let truth = control.oracle(Side::Old, "big");
    assert_eq!((truth.len(), truth.iter().filter(|message| message.sent).count()), (100_000, 50_000));
}

#[test]
fn the_default_world_starts_quickly() {
    let begin = Instant::now();
    let control = stand_in::indoors(Options::default());
    println!("{:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(2), "half a second on a quiet machine");
    assert_eq!(control.person(Side::Old, "mia")["conversations"], 51);
}
