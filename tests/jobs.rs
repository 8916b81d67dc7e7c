//! The jobs and the checks against the stand-in, over HTTP, without a browser: every version and every kind of account,
//! and with something going wrong at every single request.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::NativeParser;
use packed_trunk::account::{Domain, Handle};
use packed_trunk::check::{self, Outcome};
use packed_trunk::job::Job;
use packed_trunk::job::outlook::Outlook;
use packed_trunk::job::survey::{Survey, read_page};
use packed_trunk::plain::Plain;
use packed_trunk::server::markup::Parser;
use packed_trunk::server::reply::{Answer, Reply, Silence};
use packed_trunk::server::request::{self, Accept, Method, Request};
use packed_trunk::server::session::Session;
use packed_trunk::trunk::dossier::{
    AccountFacts, Cooldown, Dossier, Email, Existence, Redirect, Side, Target,
};
use packed_trunk::when::{Known, Time};
use serde_json::{Value, json};
use stand_in::{Control, Options, Pair, Running, Version};

const NOW: Time = Time(1_795_219_200_000);

struct Stage {
    pair: Pair,
    control: Control,
    _runtime: tokio::runtime::Runtime,
}

fn stage(old_version: Version, new_version: Version) -> Stage {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let pair = runtime
        .block_on(stand_in::start(Options { old_version, new_version, ..Options::default() }))
        .unwrap();
    Stage { control: pair.control(), pair, _runtime: runtime }
}

/// What stands for the agent in a tab, or for the background without cookies.
struct Driver {
    agent: ureq::Agent,
    server: Running,
    session: Option<(String, String)>,
    token: Option<String>,
    asked: usize,
    /// What happens instead at this request.
    trouble: Option<(usize, Trouble)>,
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    Lost,
    TooMany,
    Broken,
    Html,
    SignedOut,
    Elsewhere,
}

const TROUBLES: [Trouble; 6] =
    [Trouble::Lost, Trouble::TooMany, Trouble::Broken, Trouble::Html, Trouble::SignedOut, Trouble::Elsewhere];

impl Trouble {
    fn reply(self, path: &str) -> Reply {
        let answer = |status: u16, content_type: &str, body: &str| Answer {
            status,
            path: path.to_owned(),
            elsewhere: false,
            content_type: content_type.to_owned(),
            cut: false,
            reset: None,
            body: body.to_owned(),
            ..Answer::default()
        };
        let html = "text/html; charset=utf-8";
        match self {
            Trouble::Lost => Err(Silence::Unreachable),
            Trouble::TooMany => Ok(answer(429, "application/json", "{\"error\":\"Too many requests\"}")),
            Trouble::Broken => Ok(answer(503, html, "<h1>503</h1>")),
            Trouble::Html => {
                Ok(answer(200, html, "<!DOCTYPE html><title>Hello</title><p>Nothing to see</p>"))
            }
            Trouble::SignedOut => {
                Ok(Answer { path: "/auth/sign_in".into(), ..answer(200, html, "<form></form>") })
            }
            Trouble::Elsewhere => Ok(Answer { elsewhere: true, ..answer(0, "", "") }),
        }
    }
}

impl Driver {
    fn new(server: &Running, session: Option<(String, String)>) -> Driver {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(10))).build().new_agent();
        Driver { agent, server: server.clone(), session, token: None, asked: 0, trouble: None }
    }

    /// The page that the desk reads first; its token is what the agent would send.
    fn open(&mut self, path: &str) -> (String, String) {
        let request = Request {
            method: Method::Get,
            path: path.into(),
            form: vec![],
            file: None,
            accept: Accept::Page,
        };
        let answer = self.perform(&request).unwrap();
        let state = answer.body.split_once("id=\"initial-state\"").and_then(|(_, rest)| rest.split_once('>'));
        let state = state.and_then(|(_, rest)| rest.split_once("</script>")).map(|(json, _)| json.to_owned());
        let state: Value = state.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        self.token = state["meta"]["access_token"].as_str().map(str::to_owned);
        (answer.plain_path().to_owned(), answer.body)
    }

    fn perform(&mut self, request: &Request) -> Reply {
        let mut path = request.path.clone();
        for _ in 0..5 {
            let mut call = self.agent.get(format!("http://127.0.0.1:{}{path}", self.server.port()));
            call = call.header("host", self.server.domain());
            if let Some((cookie, _)) = &self.session {
                call = call.header("cookie", cookie);
            }
            match request.accept {
                Accept::Api => call = call.header("accept", "application/json"),
                Accept::Actor => call = call.header("accept", "application/activity+json"),
                Accept::Webfinger => call = call.header("accept", "application/jrd+json"),
                Accept::Page | Accept::File => call = call.header("accept", "text/html"),
            }
            if let (Accept::Api, Some(token)) = (request.accept, &self.token) {
                call = call.header("authorization", format!("Bearer {token}"));
            }
            let mut response = call.call().map_err(|_| Silence::Unreachable)?;
            let header =
                |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
            if let (300..=399, Some(location)) = (response.status().as_u16(), header("location")) {
                let rest = location.split_once("://").map_or(location.as_str(), |(_, rest)| rest);
                path = rest.find('/').map_or("/".into(), |at| rest[at..].to_owned());
                continue;
            }
            return Ok(Answer {
                status: response.status().as_u16(),
                path,
                elsewhere: false,
                content_type: header("content-type").unwrap_or_default(),
                cut: false,
                reset: header("x-ratelimit-reset"),
                body: response.body_mut().read_to_string().map_err(|_| Silence::Unreachable)?,
                ..Answer::default()
            });
        }
        Err(Silence::Unreachable)
    }

    fn run(&mut self, job: &mut impl Job) {
        while let Some(request) = job.next() {
            assert_eq!(job.next(), Some(request.clone()), "asked twice, a job says the same");
            let reply = match self.trouble {
                Some((at, trouble)) if at == self.asked => trouble.reply(&request.path),
                _ => self.perform(&request),
            };
            self.asked += 1;
            assert!(self.asked < 60, "the job has no end");
            job.answer(&reply, &NativeParser, NOW);
        }
    }
}

impl Stage {
    fn server(&self, side: Side) -> (&Running, stand_in::Side) {
        match side {
            Side::Old => (&self.pair.old, stand_in::Side::Old),
            Side::New => (&self.pair.new, stand_in::Side::New),
        }
    }

    fn domain(&self, side: Side) -> Domain {
        self.server(side).0.domain().parse().unwrap()
    }

    fn handle(&self, side: Side, user: &str) -> Handle {
        Handle::new(user, self.domain(side)).unwrap()
    }

    fn signed_in(&self, side: Side, user: &str) -> Driver {
        let (server, name) = self.server(side);
        Driver::new(server, Some(self.control.sign_in(name, user)))
    }

    /// What a tab of that server finds out about the account that is signed in there, as the desk does it.
    fn survey(&self, side: Side, user: &str, trouble: Option<(usize, Trouble)>) -> (AccountFacts, usize) {
        let mut driver = self.signed_in(side, user);
        let (path, html) = driver.open("/auth/edit");
        let page = NativeParser.parse(&html);
        let mut facts = read_page(&path, page.as_ref(), NOW);
        let session = Session::read(page.as_ref());
        let other = self.domain(if side == Side::Old { Side::New } else { Side::Old });
        let mut job =
            Survey::new(&check::wants(side, None), &self.domain(side), session.as_ref(), Some(&other));
        driver.trouble = trouble;
        driver.run(&mut job);
        facts.learn(job.learned().clone());
        (facts, driver.asked)
    }

    fn outlook(
        &self,
        user: &str,
        with_actor: bool,
        trouble: Option<(usize, Trouble)>,
    ) -> (AccountFacts, usize) {
        let mut driver = Driver { trouble, ..Driver::new(&self.pair.new, None) };
        let handle = self.handle(Side::New, user);
        let mut job = Outlook::new(&handle, handle.domain(), Some(&self.domain(Side::Old)), with_actor);
        driver.run(&mut job);
        (job.learned().clone(), driver.asked)
    }

    fn dossier(&self, old: &str, new: &str) -> Dossier {
        let (old_facts, _) = self.survey(Side::Old, old, None);
        let (mut new_facts, _) = self.survey(Side::New, new, None);
        new_facts.learn(self.outlook(new, false, None).0);
        Dossier {
            old: old_facts,
            new: new_facts,
            target: Target::Handle(self.handle(Side::New, new)),
            target_granted: true,
            old_host: Some(self.domain(Side::Old)),
            new_host: Some(self.domain(Side::New)),
            ..Default::default()
        }
    }
}

fn value<T: Clone>(known: &Option<Known<T>>) -> Option<T> {
    known.as_ref().map(|known| known.value.clone())
}

#[test]
fn the_old_account_is_seen_as_it_is_on_every_version() {
    for version in Version::ALL {
        let stage = stage(version, Version::V4_6);
        let at = |user: &str| stage.survey(Side::Old, user, None).0;

        let ana = at("ana");
        assert_eq!(value(&ana.handle), Some(stage.handle(Side::Old, "ana")), "{version:?}");
        assert_eq!(value(&ana.redirect), Some(Redirect::None), "{version:?}");
        assert_eq!(value(&ana.cooldown), Some(Cooldown::Over), "{version:?}");
        assert_eq!(value(&ana.email), Some(Email::Confirmed), "{version:?}");
        assert_eq!(value(&ana.address_change), Some(false), "{version:?}");
        assert_eq!(value(&ana.follow_requests), Some(2), "{version:?}");
        // Until 4.3 nothing is filtered: the stranger's message is in the list too.
        let conversations = if version < Version::V4_3 { 15 } else { 14 };
        let messages = value(&ana.messages).map(|m| (m.conversations.len(), m.more));
        assert_eq!(messages, Some((conversations, false)), "{version:?}");
        assert_eq!(value(&ana.counts).and_then(|counts| counts.follows), Some(34), "{version:?}");

        let emil = at("emil");
        let messages = value(&emil.messages).unwrap();
        assert_eq!((messages.conversations.len(), messages.elsewhere), (0, 0), "{version:?}");

        let ben = at("ben");
        assert!(
            matches!(value(&ben.redirect), Some(Redirect::To(Some(_)))),
            "{version:?}: {:?}",
            ben.redirect
        );
        let cleo = at("cleo");
        assert_eq!(
            (value(&cleo.redirect), value(&cleo.cooldown)),
            (Some(Redirect::None), Some(Cooldown::Days(12))),
            "{version:?}"
        );
        let dora = at("dora");
        assert!(matches!(value(&dora.redirect), Some(Redirect::To(Some(_)))), "{version:?}");
        assert_eq!(value(&dora.cooldown), Some(Cooldown::Over), "a redirect alone starts none, {version:?}");
    }
}

#[test]
fn the_new_account_is_seen_as_it_is_on_every_version_from_inside() {
    for version in Version::ALL {
        let stage = stage(Version::V4_6, version);
        for (user, email, change) in [
            ("ana", Email::Confirmed, Some(false)),
            ("ana_new", Email::Unconfirmed, Some(false)),
            ("ana_pending", Email::AwaitsApproval, None),
            ("ana_change", Email::Confirmed, Some(true)),
        ] {
            let (facts, _) = stage.survey(Side::New, user, None);
            assert_eq!(value(&facts.email), Some(email), "{user} on {version:?}");
            if change.is_some() {
                assert_eq!(value(&facts.address_change), change, "{user} on {version:?}");
            }
        }
        let old = stage.handle(Side::Old, "ana");
        for (user, listed) in [("ana", false), ("ana_ready", true), ("ana_locked", true), ("ana_new", false)]
        {
            let (facts, _) = stage.survey(Side::New, user, None);
            assert!(facts.aliases.is_some(), "{user} on {version:?}");
            assert_eq!(facts.alias_for(&old).is_some(), listed, "{user} on {version:?}");
        }
        assert_eq!(value(&stage.survey(Side::New, "ana_locked", None).0.locked), Some(true), "{version:?}");
    }
}

#[test]
fn the_new_account_is_seen_as_it_is_from_outside() {
    for version in Version::ALL {
        let stage = stage(Version::V4_6, version);
        let outside = |user: &str, with_actor| stage.outlook(user, with_actor, None).0;
        let ready = outside("ana_ready", false);
        assert_eq!(value(&ready.existence), Some(Existence::Found), "{version:?}");
        assert_eq!(value(&ready.locked), Some(false), "{version:?}");
        assert_eq!(value(&outside("ana_locked", false).locked), Some(true), "{version:?}");
        assert_eq!(value(&outside("nobody", false).existence), Some(Existence::Unknown), "{version:?}");
        assert!(matches!(value(&outside("ana_moved", false).redirect), Some(Redirect::To(_))), "{version:?}");
        // Unconfirmed and awaiting approval look the same from here. Up to 3.5 only the actor document tells.
        let tells = version != Version::V3_5;
        for user in ["ana_new", "ana_pending"] {
            let expected = tells.then_some(Email::Held);
            assert_eq!(value(&outside(user, false).email), expected, "{user} on {version:?}");
            assert_eq!(value(&outside(user, true).email), Some(Email::Held), "{user} on {version:?}");
        }
        let own = stage.survey(Side::Old, "ana", None).0.uri;
        let own = value(&own).or_else(|| value(&stage_uri(&stage, "ana"))).unwrap();
        let actor = |user: &str| value(&outside(user, true).actor).unwrap().also_known_as.contains(&own);
        assert!(actor("ana_ready") && !actor("ana"), "{version:?}");
    }
}

/// The API tells the actor's URI from 4.2 on; before, WebFinger does.
fn stage_uri(stage: &Stage, user: &str) -> Option<Known<packed_trunk::account::ActorUri>> {
    let handle = stage.handle(Side::Old, user);
    let mut job = Outlook::new(&handle, handle.domain(), None, false);
    Driver::new(&stage.pair.old, None).run(&mut job);
    job.learned().uri.clone()
}

/// The reason why the public document is not read without need.
#[test]
fn looking_does_not_spoil_the_alias() {
    let stage = stage(Version::V4_6, Version::V4_6);
    let new = stage.handle(Side::New, "ana");
    stage.survey(Side::Old, "ana", None);
    stage.survey(Side::New, "ana", None);
    stage.outlook("ana", false, None);
    let actor_of = |user: &str| {
        let log = stage.control.get("requests");
        let uri =
            stage.control.person(stand_in::Side::New, user)["uri"].as_str().unwrap_or_default().to_owned();
        let path = uri
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map(|(_, path)| format!("/{path}"));
        log.as_array().unwrap().iter().filter(|entry| entry["path"].as_str() == path.as_deref()).count()
    };
    assert_eq!(actor_of("ana"), 0, "{new} was looked at");
    stage.outlook("ana", true, None);
    assert_eq!(actor_of("ana"), 1);
}

/// With something wrong at any one request, what is found out is the same or unknown, never something else.
#[test]
fn trouble_at_any_request_leaves_things_unknown_and_never_wrong() {
    let stage = stage(Version::V4_6, Version::V4_3);
    let fields = |facts: &AccountFacts| -> serde_json::Map<String, Value> {
        facts.write().as_object().unwrap().clone()
    };
    let compare = |whole: &AccountFacts, partial: &AccountFacts, context: &str| {
        let whole = fields(whole);
        for (key, value) in fields(partial) {
            // How the server behaves is just what the trouble changes; and a list that ends early says that it goes on.
            if key == "health" || key == "existence" {
                continue;
            }
            assert_eq!(whole.get(&key).map(|known| &known[0]), Some(&value[0]), "{key} with {context}");
        }
    };
    let mut points = 0;
    for (side, user) in [
        (Side::Old, "ana"),
        (Side::Old, "emil"),
        (Side::Old, "ben"),
        (Side::New, "ana_new"),
        (Side::New, "ana_change"),
    ] {
        let (whole, requests) = stage.survey(side, user, None);
        assert!(requests >= 3);
        for at in 0..requests {
            for trouble in TROUBLES {
                let (partial, _) = stage.survey(side, user, Some((at, trouble)));
                compare(&whole, &partial, &format!("{trouble:?} at request {at} of {user}"));
                points += 1;
            }
        }
    }
    for user in ["ana_ready", "ana_new", "nobody"] {
        let (whole, requests) = stage.outlook(user, true, None);
        for at in 0..requests {
            for trouble in TROUBLES {
                let (partial, _) = stage.outlook(user, true, Some((at, trouble)));
                compare(&whole, &partial, &format!("{trouble:?} at request {at} from outside, {user}"));
                points += 1;
            }
        }
    }
    assert!(points > 150, "{points} points of trouble");
}

#[test]
fn the_checks_tell_what_is_wrong_with_each_pair_of_accounts() {
    type Expected = &'static [(&'static str, Outcome)];
    let cases: &[(&str, &str, Expected)] = &[
        (
            "ana",
            "ana",
            &[
                ("alias", Outcome::Stop),
                ("messages-saved", Outcome::Stop),
                ("follows-saved", Outcome::Stop),
                ("requests-pending", Outcome::Warn),
                ("email-confirmed", Outcome::Pass),
                ("target-found", Outcome::Pass),
            ],
        ),
        (
            "ana",
            "ana_ready",
            &[
                ("alias", Outcome::Pass),
                ("cooldown", Outcome::Pass),
                ("not-moved", Outcome::Pass),
                ("unlocked", Outcome::Pass),
                ("server-healthy", Outcome::Pass),
            ],
        ),
        ("ana", "ana_new", &[("email-confirmed", Outcome::Stop), ("alias", Outcome::Stop)]),
        ("ana", "ana_pending", &[("email-confirmed", Outcome::Stop)]),
        ("ana", "ana_locked", &[("unlocked", Outcome::Warn), ("alias", Outcome::Pass)]),
        ("ana", "ana_change", &[("email-confirmed", Outcome::Warn), ("alias", Outcome::Pass)]),
        ("ana", "ana_moved", &[("not-moved", Outcome::Stop)]),
        ("ben", "ben", &[("not-moved", Outcome::Pass), ("cooldown", Outcome::Stop)]),
        ("cleo", "ana", &[("cooldown", Outcome::Stop), ("not-moved", Outcome::Stop)]),
        ("dora", "dora", &[("not-moved", Outcome::Pass), ("cooldown", Outcome::Pass)]),
        (
            "emil",
            "ana",
            &[
                ("messages-saved", Outcome::Pass),
                ("follows-saved", Outcome::Pass),
                ("lists-saved", Outcome::Pass),
            ],
        ),
    ];
    for version in [Version::V3_5, Version::V4_1, Version::V4_3, Version::V4_6] {
        let stage = stage(version, version);
        for (old, new, expected) in cases {
            let dossier = stage.dossier(old, new);
            let findings = check::all(&dossier, NOW);
            for (id, outcome) in *expected {
                let finding = findings.iter().find(|finding| finding.check == *id).unwrap();
                assert_eq!(finding.outcome, *outcome, "{id} for {old} → {new} on {version:?}: {finding:?}");
            }
        }
    }
}

/// The whole of the 3-minute story with a clock that we hold: read too early, made, refused, counted down, passed.
#[test]
fn the_countdown_is_the_servers_own() {
    let stage = stage(Version::V4_6, Version::V4_6);
    let old = stage.handle(Side::Old, "ana");
    let mut new = stage.survey(Side::New, "ana", None).0;
    new.learn(stage.outlook("ana", true, None).0);
    stage.control.post(
        "account",
        &json!({"server": "new", "user": "ana", "aliases": ["ana@".to_owned() + old.domain().as_str()]}),
    );
    let fresh = |stage: &Stage, new: &AccountFacts, now: Time| {
        let dossier = Dossier {
            old: AccountFacts { uri: stage_uri(stage, "ana"), ..stage.survey(Side::Old, "ana", None).0 },
            new: new.clone(),
            target: Target::Handle(stage.handle(Side::New, "ana")),
            ..Default::default()
        };
        let findings = check::all(&dossier, now);
        let of = |id: &str| findings.iter().find(|finding| finding.check == id).unwrap().outcome;
        (of("alias"), of("alias-fresh"))
    };
    assert_eq!(fresh(&stage, &new, NOW).0, Outcome::Stop, "nobody has seen the alias yet");
    new.learn(stage.survey(Side::New, "ana", None).0);
    new.learn(stage.outlook("ana", true, None).0);
    assert!(new.actor.as_ref().unwrap().value.also_known_as.is_empty(), "the server shows its old document");
    assert_eq!(fresh(&stage, &new, NOW), (Outcome::Pass, Outcome::Stop));
    assert_eq!(
        fresh(&stage, &new, NOW.plus(181_000)).1,
        Outcome::Unknown,
        "the three minutes are over: look again"
    );
    stage.control.advance_seconds(181);
    new.learn(stage.outlook("ana", true, None).0);
    assert_eq!(
        fresh(&stage, &new, NOW.plus(1)),
        (Outcome::Pass, Outcome::Pass),
        "seen from outside, it is fresh"
    );
}

/// Facts 13, "Forms".
#[test]
fn the_alias_form_is_mastodons_own() {
    let old: Handle = "ana@old.example".parse().unwrap();
    let request = request::create_alias(&old);
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/settings/aliases"));
    assert_eq!(request.form, [("account_alias[acct]".to_owned(), "ana@old.example".to_owned())]);
}
