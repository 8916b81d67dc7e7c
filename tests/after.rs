//! What is known and told of a move – bridge, forecast, what comes next, calendar, report, starts, badge – in the real words of
//! both languages, and from a stand-in that is being closed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;

use common::{NativeParser, file};
use packed_trunk::account::Handle;
use packed_trunk::job::Job;
use packed_trunk::job::survey::{Survey, Want, read_page};
use packed_trunk::message::digest;
use packed_trunk::say::{Part, Say, Words};
use packed_trunk::server::markup::Parser;
use packed_trunk::server::reply::Answer;
use packed_trunk::server::session::Session;
use packed_trunk::server::version::Version;
use packed_trunk::trunk::after::{cancelling, next, old_account};
use packed_trunk::trunk::badge::badge;
use packed_trunk::trunk::bridge::Bridge;
use packed_trunk::trunk::dossier::{
    AccountFacts, ArchiveSeen, BlockedPeople, Cooldown, Dossier, Health, Redirect, SavedLists, Target,
};
use packed_trunk::trunk::forecast::forecast;
use packed_trunk::trunk::ics;
use packed_trunk::trunk::journal::{Deed, Journal, What};
use packed_trunk::trunk::report::{Report, deed_details, stands};
use packed_trunk::trunk::start::{STARTS, advise};
use packed_trunk::when::{DAY, Known, Source, Time};
use scraper::{Html, Selector};
use serde_json::{Value, json};
use stand_in::{Options, Side};

const NOW: Time = Time(1_795_219_200_000);

/// The words of a language, with whatever they lack or take too much of as an error.
struct Real(HashMap<String, String>);

impl Real {
    fn new(language: &str) -> Real {
        let all: Value =
            serde_json::from_str(&file(&format!("extension/_locales/{language}/messages.json"))).unwrap();
        let text = |message: &Value| message["message"].as_str().unwrap().to_owned();
        Real(all.as_object().unwrap().iter().map(|(key, message)| (key.clone(), text(message))).collect())
    }

    /// Says it, and takes care that the sentence is there and uses everything that is handed to it.
    fn strictly(&self, say: &Say) -> String {
        let text = self.0.get(&say.key).unwrap_or_else(|| panic!("no message {}", say.key));
        for at in 1..=9 {
            let used = text.contains(&format!("${at}"));
            assert_eq!(used, at <= say.parts.len(), "{}: ${at} in {text:?} with {:?}", say.key, say.parts);
        }
        for part in &say.parts {
            if let Part::Say(inner) = part {
                self.strictly(inner);
            }
        }
        self.speak(say)
    }
}

impl Words for Real {
    fn message(&self, key: &str, parts: &[String]) -> Option<String> {
        let mut text = self.0.get(key)?.clone();
        for (at, part) in parts.iter().enumerate() {
            text = text.replace(&format!("${}", at + 1), part);
        }
        Some(text)
    }

    fn plural(&self, n: i64) -> String {
        if n == 1 { "one".into() } else { "other".into() }
    }

    fn number(&self, n: i64) -> String {
        n.to_string()
    }

    fn day(&self, at: Time) -> String {
        at.civil().day()
    }

    fn clock(&self, at: Time) -> String {
        at.civil().time()
    }

    fn ago(&self, millis: i64) -> String {
        millis.to_string()
    }
}

fn known<T>(value: T, at: Time) -> Option<Known<T>> {
    Some(Known::new(value, at, Source::OwnPage))
}

fn linked() -> Dossier {
    let handle = |text: &str| known(text.parse::<Handle>().unwrap(), Time(0));
    Dossier {
        old: AccountFacts { handle: handle("ana@old.example"), ..Default::default() },
        new: AccountFacts { handle: handle("ana@new.example"), ..Default::default() },
        target: Target::Handle("ana@new.example".parse().unwrap()),
        old_host: "old.example".parse().ok(),
        new_host: "new.example".parse().ok(),
        ..Default::default()
    }
}

fn moved() -> Dossier {
    let mut dossier = linked();
    dossier.old.redirect = known(Redirect::To("ana@new.example".parse().ok()), NOW);
    dossier.old.last_move = known(NOW, NOW);
    dossier.old.cooldown = known(Cooldown::Days(30), NOW);
    dossier
}

/// Every kind of case: versions, locks, redirects, archives, closing servers.
fn dossiers() -> Vec<Dossier> {
    let mut all = vec![Dossier::default(), linked(), moved()];
    for version in ["3.3.0", "3.5.19", "4.1.25", "4.3.23", "4.7.0+glitch"] {
        for locked in [true, false] {
            for closing in [true, false] {
                let mut dossier = moved();
                dossier.old.version = known(Version::parse(version).unwrap(), NOW);
                dossier.new.version = known(Version::parse(version).unwrap(), NOW);
                dossier.new.locked = known(locked, NOW);
                dossier.old.followers = known(1, NOW);
                dossier.new.aliases = known(Vec::new(), NOW);
                dossier.old.following = known(9_000, NOW);
                if closing {
                    dossier.old.health = known(Health::Closing, NOW);
                    dossier.old.redirect = known(Redirect::None, NOW);
                }
                let archive = ArchiveSeen { may_ask: locked, asked: None, ready: closing };
                dossier.old.archive = known(archive, NOW);
                dossier.saved.lists = Some(SavedLists { at: NOW, ..Default::default() });
                dossier.saved.blocked = Some(BlockedPeople {
                    at: NOW,
                    by: "new.example".parse().ok(),
                    follows: 1,
                    followers: 2,
                    servers: vec!["bad.example".into()],
                });
                all.push(dossier.clone());
                dossier.old.last_move = None;
                dossier.old.cooldown = known(Cooldown::Over, NOW);
                all.push(dossier);
            }
        }
    }
    all
}

fn journal() -> Journal {
    let mut journal = Journal::default();
    journal.note(Deed::linked(NOW));
    journal.note(Deed::new(
        What::Unlocked,
        Some(packed_trunk::trunk::dossier::Side::New),
        NOW,
        Source::OwnPage,
    ));
    let lists = SavedLists {
        at: NOW,
        rows: packed_trunk::server::page::export::Counts { follows: Some(34), ..Default::default() },
        ..Default::default()
    };
    journal.note(Deed::packed(&lists));
    journal
}

#[test]
fn every_sentence_is_there_in_both_languages_and_takes_what_it_is_given() {
    for language in ["en", "de"] {
        let words = Real::new(language);
        let mut said = 0;
        let mut speak = |say: &Say| {
            assert!(!words.strictly(say).is_empty());
            said += 1;
        };
        for dossier in dossiers() {
            for journal in [Journal::default(), journal()] {
                for days in [0, 2, 8, 31] {
                    let now = NOW.plus(days * DAY);
                    for entry in next(&dossier, &journal, now) {
                        speak(&entry.what);
                        speak(&entry.when());
                        speak(&entry.why);
                    }
                    badge(&dossier, &journal, now).iter().for_each(|badge| speak(&badge.title));
                }
                for advice in STARTS.iter().flat_map(|start| advise(*start, &dossier, &journal)) {
                    speak(&advice.what);
                }
                speak(&stands(packed_trunk::trunk::after::how(&dossier, &journal)));
                journal.deeds.iter().flat_map(deed_details).for_each(|say| speak(&say));
            }
            for line in forecast(&dossier, None).lines {
                speak(&line.what);
                speak(&line.source);
            }
            let (old, new) = (&dossier.old.version, &dossier.new.version);
            let bridge = Bridge { old: AccountFacts::value(old), new: AccountFacts::value(new) };
            bridge.remarks().iter().for_each(&mut speak);
            for row in bridge.rows() {
                row.why.iter().for_each(&mut speak);
            }
            let (can, cannot) = old_account(&dossier);
            let (gives, not) = cancelling();
            can.iter().chain(&cannot).chain(&gives).chain(&not).for_each(&mut speak);
        }
        assert!(said > 1_000);
    }
}

/// Everything in it that others could have written, written as badly as they could.
fn hostile() -> (Dossier, Journal) {
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}";
    let mut dossier = moved();
    dossier.old.version = known(Version::parse(&format!("4.6.5+{evil}")).unwrap(), NOW);
    dossier.saved.blocked = Some(BlockedPeople {
        at: NOW,
        by: "new.example".parse().ok(),
        follows: 1,
        followers: 2,
        servers: vec![evil.to_owned(), "</table>".to_owned()],
    });
    let mut journal = journal();
    journal.note(Deed::new(What::Downloaded, None, NOW, Source::Ourselves).of(evil).count(evil, 3));
    journal.note(Deed::new(What::Version, None, NOW, Source::OwnPage).of("</style><svg onload=alert(3)>"));
    (dossier, journal)
}

#[test]
fn the_report_is_a_page_in_which_nothing_can_run() {
    for language in ["en", "de"] {
        let words = Real::new(language);
        let (dossier, journal) = hostile();
        let html = Report::new(&dossier, &journal, None, "0.1.0", NOW).html(&words);
        let page = Html::parse_document(&html);
        assert!(page.errors.is_empty(), "{:?}", page.errors);
        let allowed = [
            "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "main",
            "section", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "bdi", "time", "ul",
            "li", "footer",
        ];
        for element in page.select(&Selector::parse("*").unwrap()) {
            let name = element.value().name();
            assert!(allowed.contains(&name), "<{name}> in the report");
            for (attribute, _) in element.value().attrs() {
                assert!(
                    !attribute.starts_with("on") && !["src", "href", "style"].contains(&attribute),
                    "{attribute}"
                );
            }
        }
        assert!(!html.contains('\u{202e}'));
        // What is named is there, as text.
        assert!(page.root_element().text().any(|text| text.contains("<script>alert(1)")));
        let policy = page.select(&Selector::parse("meta[http-equiv]").unwrap()).next().unwrap();
        let policy = policy.value().attr("content").unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        let style = page.select(&Selector::parse("style").unwrap()).next().unwrap();
        let sum = digest::hex(style.text().collect::<String>().as_bytes());
        assert!(policy.contains(&base64(&sum)), "the policy does not allow the page's own style");
        assert_eq!(
            page.select(&Selector::parse("html").unwrap()).next().unwrap().value().attr("lang"),
            Some(language)
        );
        // Every section is named by its heading, and there is one for everything that the report promises.
        let sections = page.select(&Selector::parse("main > section[aria-labelledby] > h2").unwrap()).count();
        assert_eq!(sections, 7);
    }
}

fn base64(hex: &str) -> String {
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|three| {
            let at = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
            let all = at(0) << 16 | at(1) << 8 | at(2);
            (0..=three.len()).map(move |place| char::from(SIGNS[(all >> (18 - 6 * place) & 63) as usize]))
        })
        .collect()
}

#[test]
fn the_report_as_json_says_what_it_promises() {
    let words = Real::new("en");
    let (dossier, journal) = hostile();
    let text = Report::new(&dossier, &journal, None, "0.1.0", NOW).json(&words);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["format"], "packed-trunk-report");
    assert_eq!(report["version"], 1);
    assert_eq!(report["made_at"], json!(NOW.iso()));
    assert_eq!(report["old"]["handle"], "ana@old.example");
    assert_eq!(report["new"]["host"], "new.example");
    assert_eq!(report["new"]["version"], Value::Null);
    assert_eq!(report["outcome"], json!({ "is": "moved", "at": NOW.iso() }));
    assert_eq!(report["followers"], Value::Null);
    assert_eq!(report["done"].as_array().unwrap().len(), journal.deeds.len());
    assert_eq!(report["done"][2]["counts"]["follows"], 34);
    assert_eq!(report["checks"].as_array().unwrap().len(), packed_trunk::check::CHECKS.len());
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["step"].is_string()));
    assert_eq!(report["along"].as_array().unwrap().len(), packed_trunk::trunk::bridge::THINGS.len());
    assert!(report["losses"].as_array().unwrap().iter().any(|line| line["number"] == 2));
    for entry in report["next"].as_array().unwrap() {
        assert!(Time::from_iso(entry["from"].as_str().unwrap()).is_some());
        assert!(!entry["said"].as_str().unwrap().is_empty());
    }
    // With nothing known, it is a report of nothing.
    let empty: Value = serde_json::from_str(
        &Report::new(&Dossier::default(), &Journal::default(), None, "", Time(0)).json(&words),
    )
    .unwrap();
    assert_eq!((&empty["outcome"]["is"], &empty["done"]), (&json!("not-yet"), &json!([])));
}

#[test]
fn the_calendar_names_every_entry_in_words() {
    let words = Real::new("de");
    let dossier = moved();
    let entries = next(&dossier, &journal(), NOW);
    let url = |entry: &packed_trunk::trunk::after::Entry| Some(format!("https://old.example{}", entry.path?));
    let events = ics::events(&entries, (dossier.old_handle(), dossier.new_handle()), &url, &words);
    let calendar = ics::write(&events, "Umzug", NOW);
    assert_eq!(calendar.matches("BEGIN:VEVENT\r\n").count(), entries.len());
    assert_eq!(calendar.matches("BEGIN:VALARM\r\n").count(), entries.len());
    let unfolded = calendar.replace("\r\n ", "");
    for entry in &entries {
        assert!(
            unfolded.contains(&words.speak(&entry.what).replace(';', "\\;").replace(',', "\\,")),
            "{entry:?}"
        );
        assert!(unfolded.contains(&format!("UID:{}-", entry.id)));
    }
    // The end of the cooldown, thirty days later to the minute.
    let end = NOW.plus(30 * DAY).iso().replace(['-', ':'], "").replace(".000", "");
    assert!(unfolded.contains(&format!("DTSTART:{end}")), "{end} in {unfolded}");
}

/// A server that is being closed for good, asked as the desk asks it.
#[test]
fn a_server_that_is_being_closed_is_recognised() {
    let control = stand_in::indoors(Options::default());
    let ana = control.credentials(Side::Old, "ana");
    let get = |path: &str| control.answer(Side::Old, "GET", path, &ana.cookie_only()).unwrap();
    control.post("closing", &json!({ "server": "old" }));
    assert_eq!(get("/settings/migration").status, 410);
    assert_eq!(get("/settings/exports/follows.csv").status, 200);
    let page = get("/auth/edit");
    assert_eq!(page.status, 200);
    let body = String::from_utf8(page.body).unwrap();
    let document = NativeParser.parse(&body);
    let session = Session::read(document.as_ref()).unwrap();
    for wants in
        [vec![Want::Account], vec![Want::Migration], vec![Want::Account, Want::Counts, Want::Migration]]
    {
        let domain = session.domain.clone();
        let mut job = Survey::new(&wants, &domain, Some(&session), None);
        while let Some(request) = job.next() {
            let answer = get(&request.path);
            let kind = answer.header("content-type").unwrap_or_default().to_owned();
            let reply = Ok(Answer {
                status: answer.status,
                path: request.path.clone(),
                content_type: kind,
                body: String::from_utf8_lossy(&answer.body).into_owned(),
                ..Answer::default()
            });
            job.answer(&reply, &NativeParser, NOW);
        }
        assert_eq!(AccountFacts::value(&job.learned().health), Some(&Health::Closing), "{wants:?}");
    }
    // What is still there is read as ever.
    let export = String::from_utf8(get("/settings/export").body).unwrap();
    let facts = read_page("/settings/export", NativeParser.parse(&export).as_ref(), NOW);
    assert!(facts.archive.unwrap().value.may_ask && facts.counts.unwrap().value.follows == Some(34));
    control.post("closing", &json!({ "server": "old", "on": false }));
    assert_eq!(get("/settings/migration").status, 200);
}

#[test]
fn the_export_page_tells_of_the_archive() {
    let control = stand_in::indoors(Options::default());
    let ana = control.credentials(Side::Old, "ana");
    let read = || {
        let answer = control.answer(Side::Old, "GET", "/settings/export", &ana.cookie_only()).unwrap();
        let body = String::from_utf8(answer.body).unwrap();
        read_page("/settings/export", NativeParser.parse(&body).as_ref(), NOW).archive.unwrap().value
    };
    assert_eq!(read(), ArchiveSeen { may_ask: true, asked: None, ready: false });
    let cookie = ana.cookie_only();
    let csrf = control.csrf_token(Side::Old, &ana);
    let site = stand_in::Site::Server(Side::Old);
    let headers = [("x-csrf-token", csrf.as_str())];
    control.send(site, "POST", "/settings/export", &cookie, &headers, stand_in::Body::Nothing).unwrap();
    let asked = read();
    assert!(!asked.may_ask && asked.asked.is_some() && !asked.ready, "{asked:?}");
}
