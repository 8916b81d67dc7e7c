//! A save without a browser: the stand-in answers without a network, the store is a map, and the clock is the stand-in's.

use std::cell::RefCell;
use std::collections::BTreeMap;

use packed_trunk::account::Domain;
use packed_trunk::job::collect::{Collect, Owner};
use packed_trunk::job::save::{Next, Save, Why};
use packed_trunk::message::digest;
use packed_trunk::message::record::{ABOUT, File, Missing, Record};
use packed_trunk::server::markup::Parser;
use packed_trunk::server::reply::{Answer, Reply, Silence};
use packed_trunk::server::request::Request;
use packed_trunk::server::session::Session;
use packed_trunk::when::Time;
use stand_in::correspondence::Shape;
use stand_in::{Control, Credentials, Options, Side};

use super::NativeParser;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeper {
    pub records: BTreeMap<String, String>,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Keeper {
    pub fn keep(&mut self, records: Vec<Record>) {
        for record in records {
            match record.text {
                Some(text) => self.records.insert(record.key, text),
                None => self.records.remove(&record.key),
            };
        }
    }

    /// The job as it was when the last record was kept.
    pub fn job(&self) -> Option<Collect> {
        let mut job = Collect::from_about(self.records.get(ABOUT)?)?;
        for (key, text) in &self.records {
            job.restore(key, text);
        }
        job.ready();
        Some(job)
    }
}

/// What happens instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Lost,
    /// The server has acted, and the answer never comes.
    LostAfter,
    TooMany,
    TooManyWithoutHeader,
    Unavailable,
    SignedOut,
}

pub struct Talk {
    pub control: Control,
    pub user: String,
    pub session: RefCell<Credentials>,
    /// Everything that was asked of the API, in order.
    asked: RefCell<Vec<String>>,
    /// The trouble that strikes at the request of this number, counted from one.
    pub trouble: RefCell<Option<(usize, Trouble)>>,
    /// Hosts whose files may be fetched, besides the server's own.
    pub allowed: Vec<String>,
}

impl Talk {
    pub fn new(options: Options, user: &str) -> Talk {
        Talk::with(stand_in::indoors(options), user)
    }

    pub fn with(control: Control, user: &str) -> Talk {
        let session = control.credentials(Side::Old, user);
        Talk {
            control,
            user: user.to_owned(),
            session: RefCell::new(session),
            asked: RefCell::default(),
            trouble: RefCell::new(None),
            allowed: Vec::new(),
        }
    }

    pub fn shaped(user: &str, shape: Shape) -> Talk {
        let control = stand_in::indoors(Options::default());
        control.correspondence(Side::Old, user, shape);
        Talk::with(control, user)
    }

    pub fn now(&self) -> Time {
        Time(self.control.with_world(|world| world.now()))
    }

    pub fn asked(&self) -> usize {
        self.asked.borrow().len()
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    pub fn forget_paths(&self) {
        self.asked.borrow_mut().clear();
    }

    pub fn sign_in_again(&self) {
        self.session.replace(self.control.credentials(Side::Old, &self.user));
    }

    /// Who is signed in, as a page tells it.
    pub fn owner(&self) -> Owner {
        let page = self
            .control
            .answer(Side::Old, "GET", "/auth/edit", &self.session.borrow().cookie_only())
            .unwrap();
        let page = String::from_utf8(page.body).unwrap();
        let session = Session::read(NativeParser.parse(&page).as_ref()).expect("somebody is signed in");
        Owner::of(&session).expect("an account that can read")
    }

    /// Begins a save, or goes on with the one that is kept.
    pub fn save(&self, keeper: &mut Keeper, deep: bool) -> Save {
        let job = match keeper.job() {
            Some(mut job) => {
                if job.is_done() {
                    keeper.keep(job.again(self.owner(), deep, self.now()));
                }
                job
            }
            None => {
                let (job, records) = Collect::begin(self.owner(), deep, self.now());
                keeper.keep(records);
                job
            }
        };
        Save::new(job)
    }

    /// Runs a save to its end, whatever stands in its way.
    pub fn run(&self, keeper: &mut Keeper, deep: bool) -> Save {
        let mut save = self.save(keeper, deep);
        for _ in 0..1_000_000 {
            match self.step(&mut save, keeper) {
                None => {}
                Some(Why::SignedOut) => {
                    self.sign_in_again();
                    save.go_on();
                }
                Some(why) => panic!("stopped: {why:?}"),
            }
            if save.work.is_done() {
                return save;
            }
        }
        panic!("no end");
    }

    /// One step; waiting is done by the clock.
    pub fn step(&self, save: &mut Save, keeper: &mut Keeper) -> Option<Why> {
        match save.next(self.now()) {
            Next::Ask(task, request) => {
                let reply = self.ask(&request);
                let records = save.answer(&task, &request, &reply, &NativeParser, self.now());
                keeper.keep(records);
            }
            Next::Fetch(url) => {
                let (file, bytes) = self.fetch(&url);
                let records = save.fetched(&url, file);
                if let Some(bytes) = bytes {
                    keeper.files.insert(url, bytes);
                }
                keeper.keep(records);
            }
            Next::Wait { until, .. } => {
                let wait = until.since(self.now());
                assert!(wait > 0, "waits for what is past");
                self.control.with_world(|world| world.clock_offset += wait);
            }
            Next::Stop(why) => return Some(why),
            Next::Through => keeper.keep(save.work.finish(self.now())),
        }
        None
    }

    pub fn ask(&self, request: &Request) -> Reply {
        self.asked.borrow_mut().push(request.path.clone());
        let number = self.asked.borrow().len();
        let struck = self.trouble.borrow().filter(|(at, _)| *at == number).map(|(_, trouble)| trouble);
        let plain = |status: u16, reset: Option<String>| {
            Ok(Answer {
                status,
                path: request.path.clone(),
                content_type: "application/json".into(),
                reset,
                body: "{\"error\":\"no\"}".into(),
                ..Answer::default()
            })
        };
        match struck {
            Some(Trouble::Lost) => return Err(Silence::Unreachable),
            Some(Trouble::TooMany) => {
                let end = (self.now().0 / 300_000 + 1) * 300_000;
                return plain(429, Some(stand_in::clock::iso_millis(end)));
            }
            Some(Trouble::TooManyWithoutHeader) => return plain(429, None),
            Some(Trouble::Unavailable) => return plain(503, None),
            Some(Trouble::SignedOut) => {
                self.session.replace(Credentials { cookie: None, token: Some("ended".into()) });
            }
            Some(Trouble::LostAfter) | None => {}
        }
        let session = self.session.borrow().clone();
        let Ok(answer) = self.control.answer(Side::Old, "GET", &request.path, &session) else {
            return Err(Silence::Unreachable);
        };
        if struck == Some(Trouble::LostAfter) {
            return Err(Silence::Unreachable);
        }
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let number = |name: &str| answer.header(name).and_then(|text| text.parse().ok());
        Ok(Answer {
            status: answer.status,
            path: request.path.clone(),
            content_type: header("content-type").unwrap_or_default(),
            reset: header("x-ratelimit-reset"),
            limit: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
            link: header("link"),
            date: Some(Time(self.now().0 / 1_000 * 1_000)),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
            ..Answer::default()
        })
    }

    pub fn fetch(&self, url: &str) -> (File, Option<Vec<u8>>) {
        let missing = |reason| (File::Missing(reason), None);
        let Some((_, rest)) = url.split_once("://") else { return missing(Missing::NoAddress) };
        let Ok(host) = rest.split('/').next().unwrap_or_default().parse::<Domain>() else {
            return missing(Missing::NoAddress);
        };
        if !host.as_str().starts_with("old.localhost")
            && !self.allowed.iter().any(|allowed| allowed == host.host())
        {
            return missing(Missing::NotAllowed);
        }
        let Ok(answer) = self.control.fetch(url, &self.session.borrow()) else {
            return missing(Missing::Unreachable);
        };
        match answer.status {
            // `/media_proxy/…` leads to the cached copy (facts 13.1, 8).
            302 => match answer.header("location") {
                Some(to) if to != url => self.fetch(to),
                _ => missing(Missing::Unreachable),
            },
            200 => {
                let file = File::Saved {
                    kind: "application/octet-stream".into(),
                    said: answer.header("content-type").unwrap_or_default().to_owned(),
                    size: answer.body.len() as u64,
                    sha256: digest::hex(&answer.body),
                };
                (file, Some(answer.body))
            }
            401 | 403 => missing(Missing::Refused),
            404 | 410 => missing(Missing::Gone),
            _ => missing(Missing::Unreachable),
        }
    }
}
