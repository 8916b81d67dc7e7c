//! Packing and unpacking without a browser: the stand-in answers without a network, the store is a map, the clock is the
//! stand-in's. [`Teller`] does what the agent in `extension/loader.js` does.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use packed_trunk::account::Domain;
use packed_trunk::job::Work;
use packed_trunk::job::collect::Owner;
use packed_trunk::job::pack::{Pack, Scope};
use packed_trunk::job::profile::Carry;
use packed_trunk::job::save::{Next, Save, Why};
use packed_trunk::job::unpack::Unpack;
use packed_trunk::job::verify::Verify;
use packed_trunk::message::bundle::kind::sniff;
use packed_trunk::message::digest;
use packed_trunk::message::record::{ABOUT, File, Missing, Record};
use packed_trunk::server::markup::Parser;
use packed_trunk::server::reply::{Answer, Reply, Silence};
use packed_trunk::server::request::{Accept, Method, Request};
use packed_trunk::server::session::Session;
use packed_trunk::trunk::packed::Packed;
use packed_trunk::when::Time;
use stand_in::door::{Body, File as Posted};
use stand_in::serve::Site;
use stand_in::{Control, Credentials, Side};

use super::NativeParser;
use super::saving::Trouble;

/// What a job keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeper {
    pub records: BTreeMap<String, String>,
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
}

/// A job that can be taken up again from its records.
pub trait Kept: Work + Sized {
    fn take_up(keeper: &Keeper) -> Option<Self>;
    fn finish(&mut self, now: Time) -> Vec<Record>;
    fn is_done(&self) -> bool;
}

macro_rules! kept {
    ($type:ident $(, $ready:ident)?) => {
        impl Kept for $type {
            fn take_up(keeper: &Keeper) -> Option<Self> {
                let mut job = $type::from_about(keeper.records.get(ABOUT)?)?;
                for (key, text) in &keeper.records {
                    job.restore(key, text);
                }
                $(job.$ready();)?
                Some(job)
            }

            fn finish(&mut self, now: Time) -> Vec<Record> {
                $type::finish(self, now)
            }

            fn is_done(&self) -> bool {
                $type::is_done(self)
            }
        }
    };
}

kept!(Pack, ready);
kept!(Unpack);
kept!(Verify, ready);
kept!(Carry);

/// Somebody's tab of a server.
pub struct Teller {
    pub control: Control,
    pub side: Side,
    pub user: String,
    session: RefCell<Credentials>,
    /// What was asked: method and path, in order.
    pub asked: RefCell<Vec<String>>,
    /// The trouble that strikes at the request of this number, counted from one.
    pub trouble: Cell<Option<(usize, Trouble)>>,
    /// Files that were fetched, by their addresses, as the browser's store keeps them.
    pub files: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Teller {
    pub fn new(control: &Control, side: Side, user: &str) -> Teller {
        Teller {
            control: control.clone(),
            side,
            user: user.to_owned(),
            session: RefCell::new(control.credentials(side, user)),
            asked: RefCell::default(),
            trouble: Cell::new(None),
            files: RefCell::default(),
        }
    }

    pub fn now(&self) -> Time {
        Time(self.control.with_world(|world| world.now()))
    }

    pub fn wait(&self, milliseconds: i64) {
        self.control.with_world(|world| world.clock_offset += milliseconds);
    }

    pub fn sign_in_again(&self) {
        self.session.replace(self.control.credentials(self.side, &self.user));
    }

    fn site(&self) -> Site {
        Site::Server(self.side)
    }

    /// Who is signed in, as a page tells it.
    pub fn owner(&self) -> Owner {
        let session = self.session.borrow().cookie_only();
        let page = self.control.answer(self.side, "GET", "/auth/edit", &session).expect("a page");
        let page = String::from_utf8(page.body).expect("text");
        let session = Session::read(NativeParser.parse(&page).as_ref()).expect("somebody is signed in");
        Owner::of(&session).expect("an account that can read")
    }

    /// From now on somebody else is signed in in this tab.
    pub fn sign_in_as(&self, user: &str) {
        self.session.replace(self.control.credentials(self.side, user));
    }

    pub fn domain(&self) -> Domain {
        self.owner().domain
    }

    fn once(
        &self,
        request: &Request,
        method: &str,
        path: &str,
        with_body: bool,
    ) -> Option<stand_in::serve::Answer> {
        let session = self.session.borrow();
        // A page's requests go with the cookie, the API's with both; the token is the page's own.
        let session = if request.accept == Accept::Api { session.clone() } else { session.cookie_only() };
        let csrf = self.control.csrf_token(self.side, &session);
        let origin = self.control.with_world(|world| world.server(self.side).origin.clone());
        let headers: &[(&str, &str)] = &[("x-csrf-token", csrf.as_str()), ("origin", origin.as_str())];
        let form: Vec<(&str, &str)> =
            request.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let kept = self.files.borrow();
        let files: Vec<Posted> = request
            .file
            .iter()
            .map(|file| Posted {
                field: &file.field,
                name: &file.name,
                content_type: &file.kind,
                bytes: match file.bytes {
                    true => kept.get(&file.text).expect("a file that was fetched"),
                    false => file.text.as_bytes(),
                },
            })
            .collect();
        let body = match () {
            () if !with_body => Body::Nothing,
            () if files.is_empty() => Body::Form(&form),
            () => Body::Multipart { fields: &form, files: &files },
        };
        let headers = if with_body { headers } else { &[] };
        self.control.send(self.site(), method, path, &session, headers, body).ok()
    }

    pub fn ask(&self, request: &Request) -> Reply {
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        self.asked.borrow_mut().push(format!("{method} {}", request.path));
        let number = self.asked.borrow().len();
        let struck = self.trouble.get().filter(|(at, _)| *at == number).map(|(_, trouble)| trouble);
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
        let Some(mut answer) = self.once(request, method, &request.path, request.method != Method::Get)
        else {
            return Err(Silence::Unreachable);
        };
        // As the agent: a token that is older than the session is read anew, once.
        if answer.status == 422 && request.accept == Accept::Page {
            answer = self.once(request, method, &request.path, true).ok_or(Silence::Unreachable)?;
        }
        let mut path = request.path.clone();
        for _ in 0..5 {
            if !(300..400).contains(&answer.status) {
                break;
            }
            let to = answer.header("location").unwrap_or_default().to_owned();
            let Some((_, rest)) = to.split_once("://") else { break };
            path = rest.find('/').map_or("/", |at| &rest[at..]).to_owned();
            answer = self.once(request, "GET", &path, false).ok_or(Silence::Unreachable)?;
        }
        if struck == Some(Trouble::LostAfter) {
            return Err(Silence::Unreachable);
        }
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let number = |name: &str| answer.header(name).and_then(|text| text.parse().ok());
        Ok(Answer {
            status: answer.status,
            path,
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

    fn fetch(&self, url: &str) -> File {
        match self.control.fetch(url, &self.session.borrow()) {
            Ok(answer) if answer.status == 200 => {
                self.files.borrow_mut().insert(url.to_owned(), answer.body.clone());
                File::Saved {
                    kind: sniff(&answer.body).into(),
                    said: answer.header("content-type").unwrap_or_default().to_owned(),
                    size: answer.body.len() as u64,
                    sha256: digest::hex(&answer.body),
                }
            }
            Ok(_) => File::Missing(Missing::Gone),
            Err(_) => File::Missing(Missing::Unreachable),
        }
    }

    /// One step; waiting is done by the clock. What stops it, if anything.
    pub fn step<W: Kept>(&self, save: &mut Save<W>, keeper: &mut Keeper) -> Option<Why> {
        match save.next(self.now()) {
            Next::Ask(task, request) => {
                let reply = self.ask(&request);
                keeper.keep(save.answer(&task, &request, &reply, &NativeParser, self.now()));
            }
            Next::Fetch(url) => {
                let file = self.fetch(&url);
                keeper.keep(save.fetched(&url, file));
            }
            Next::Wait { until, .. } => {
                let wait = until.since(self.now());
                assert!(wait > 0, "waits for what is past");
                self.wait(wait);
            }
            Next::Stop(why) => return Some(why),
            Next::Through => keeper.keep(save.work.finish(self.now())),
        }
        None
    }

    /// Runs a job to its end, whatever stands in its way.
    pub fn run<W: Kept>(&self, job: W, keeper: &mut Keeper) -> W {
        let mut save = Save::new(job);
        for _ in 0..200_000 {
            match self.step(&mut save, keeper) {
                None => {}
                Some(Why::SignedOut) => {
                    self.sign_in_again();
                    save.go_on();
                }
                Some(why) => panic!("stopped: {why:?} after {:?}", self.asked.borrow().last()),
            }
            if save.work.is_done() {
                return save.work;
            }
        }
        panic!("no end: {:?}", self.asked.borrow().iter().rev().take(5).collect::<Vec<_>>());
    }

    /// Runs the job that is kept to its end; with the request that the trouble strikes, everything in memory is lost.
    pub fn run_interrupted<W: Kept>(&self, keeper: &mut Keeper) -> W {
        let mut save = Save::new(W::take_up(keeper).expect("the job as it was left"));
        let strike = self.trouble.get().map_or(0, |(at, _)| at);
        for _ in 0..200_000 {
            let before = self.asked.borrow().len();
            if self.step(&mut save, keeper) == Some(Why::SignedOut) {
                self.sign_in_again();
                save.go_on();
            }
            if self.asked.borrow().len() == strike && before != strike {
                if matches!(self.trouble.get(), Some((_, Trouble::SignedOut))) {
                    self.sign_in_again();
                }
                save = Save::new(W::take_up(keeper).expect("the job as it was left"));
            }
            if save.work.is_done() {
                return save.work;
            }
        }
        panic!("no end: {:?}", self.asked.borrow().iter().rev().take(5).collect::<Vec<_>>());
    }

    pub fn pack(&self, scope: Scope) -> (Pack, Keeper) {
        let mut keeper = Keeper::default();
        let (job, records) = Pack::begin(self.owner(), scope, self.now());
        keeper.keep(records);
        (self.run(job, &mut keeper), keeper)
    }
}

/// What the records of a pack hold.
pub fn gather(pack: &Pack, keeper: &Keeper) -> Packed {
    let mut packed = Packed::new(pack);
    for (key, text) in &keeper.records {
        packed.add(key, text);
    }
    packed
}
