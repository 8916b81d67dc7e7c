//! Two small servers, `old` and `new`, that behave like Mastodon where a move matters: pages, forms, redirects, actor documents with their cache, the REST API
//! with its limits. For the demo and the tests; nothing of it is shipped. See `README.md` for the people in it and the control path.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "support of tests: what goes wrong here must stop the test at once"
)]

pub mod api;
pub mod clock;
pub mod control;
pub mod correspondence;
pub mod csp;
pub mod csrf;
pub mod door;
pub mod faults;
pub mod federation;
pub mod http;
pub mod imports;
pub mod limits;
pub mod media;
pub mod moves;
pub mod pages;
pub mod people;
pub mod petra;
pub mod posts;
pub mod raw;
pub mod relations;
pub mod route;
pub mod seed;
pub mod serve;
pub mod sha256;
pub mod social;
pub mod state;
pub mod tables;
pub mod version;

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::watch;

pub use correspondence::{Attached, Shape, Truth};
pub use door::{Body, Credentials, File};
pub use seed::PASSWORD;
pub use serve::{Answer, Ending, Lost, Site};
pub use state::Side;
pub use version::Version;

/// What to start. A port of 0 takes any free one.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub old_port: u16,
    pub new_port: u16,
    pub old_version: Version,
    pub new_version: Version,
    /// Media live on a third origin, `http://cdn.localhost:PORT`, with a listener and a log of its own.
    pub media_host: bool,
    pub media_port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            old_port: 0,
            new_port: 0,
            old_version: Version::V4_6,
            new_version: Version::V4_6,
            media_host: false,
            media_port: 0,
        }
    }
}

/// One of the two running servers.
#[derive(Clone, Debug)]
pub struct Running {
    name: &'static str,
    port: u16,
}

impl Running {
    /// `old.localhost:4001`
    pub fn domain(&self) -> String {
        format!("{}.localhost:{}", self.name, self.port)
    }

    /// `http://old.localhost:4001`
    pub fn origin(&self) -> String {
        format!("http://{}", self.domain())
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Both servers. They stop when this is dropped.
#[derive(Debug)]
pub struct Pair {
    pub old: Running,
    pub new: Running,
    /// The third origin, if media live there.
    pub media: Option<Running>,
    shared: serve::Shared,
    stop: watch::Sender<bool>,
}

impl Pair {
    /// The control path without the network.
    pub fn control(&self) -> Control {
        Control { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// Everything that `/__stand-in__/…` offers, in-process.
#[derive(Clone, Debug)]
pub struct Control {
    shared: serve::Shared,
}

impl Control {
    /// The general form: method, name and body as over HTTP.
    pub fn call(&self, method: &str, name: &str, body: &Value) -> Result<Value, String> {
        control::call(&mut serve::lock(&self.shared), method, name, body)
    }

    pub fn post(&self, name: &str, body: &Value) -> Value {
        self.call("POST", name, body).expect("the control call is right")
    }

    pub fn get(&self, name: &str) -> Value {
        self.call("GET", name, &Value::Null).expect("the control call is right")
    }

    /// From now on time passes only by [`Control::advance_seconds`]: what a test does never depends on how long it takes.
    pub fn stop_clock(&self) {
        self.with_world(|world| world.stopped_at = Some(clock::machine_now()));
    }

    pub fn advance_seconds(&self, seconds: i64) {
        self.post("time", &serde_json::json!({ "advance_seconds": seconds }));
    }

    /// The state of one person, as in `GET /__stand-in__/state`.
    pub fn person(&self, side: Side, user: &str) -> Value {
        self.call("POST", "person", &serde_json::json!({ "server": side.name(), "user": user }))
            .unwrap_or_default()
    }

    /// Signs in without a form: the cookie header's value and the access token.
    pub fn sign_in(&self, side: Side, user: &str) -> (String, String) {
        let value = self.post("sign-in", &serde_json::json!({ "server": side.name(), "user": user }));
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        (text("cookie"), text("token"))
    }

    /// Gives somebody of `side` a correspondence; the account is made if nobody has that name.
    pub fn correspondence(&self, side: Side, user: &str, shape: Shape) {
        self.with_world(|world| {
            correspondence::give(world, side, user, shape);
        });
    }

    /// Gives somebody `count` followers of other servers.
    pub fn followers(&self, side: Side, user: &str, count: usize) {
        self.post("followers", &serde_json::json!({ "server": side.name(), "user": user, "count": count }));
    }

    /// Gives somebody `count` people of other servers to follow.
    pub fn follows(&self, side: Side, user: &str, count: usize) {
        self.post("follows", &serde_json::json!({ "server": side.name(), "user": user, "count": count }));
    }

    /// The servers of `domain` answer nobody, or everybody again.
    pub fn silent(&self, domain: &str, silent: bool) {
        self.post("silent", &serde_json::json!({ "domain": domain, "silent": silent }));
    }

    /// Every direct message that this person may read, as the server knows it.
    pub fn oracle(&self, side: Side, user: &str) -> Vec<Truth> {
        self.with_world(|world| {
            seed::local(world, side, user)
                .map_or_else(Vec::new, |reader| correspondence::oracle(world, side, reader))
        })
    }

    /// For arrangements that the control path does not offer.
    pub fn with_world<T>(&self, change: impl FnOnce(&mut state::World) -> T) -> T {
        let mut world = serve::lock(&self.shared);
        world.changed();
        change(&mut world)
    }
}

/// Starts both servers on the current tokio runtime.
pub async fn start(options: Options) -> std::io::Result<Pair> {
    let (old_listeners, old_port) = serve::bind(options.old_port).await?;
    let (new_listeners, new_port) = serve::bind(options.new_port).await?;
    let mut sites = vec![(Site::Server(Side::Old), old_listeners), (Site::Server(Side::New), new_listeners)];
    let mut media = None;
    if options.media_host {
        let (listeners, port) = serve::bind(options.media_port).await?;
        sites.push((Site::MediaHost, listeners));
        media = Some(Running { name: "cdn", port });
    }
    let old = Running { name: "old", port: old_port };
    let new = Running { name: "new", port: new_port };
    let shared = Arc::new(Mutex::new(world(options, &old, &new, media.as_ref())));
    let (stop, stopped) = watch::channel(false);
    for (site, listeners) in sites {
        for listener in listeners {
            tokio::spawn(serve::run(listener, site, Arc::clone(&shared), stopped.clone()));
        }
    }
    Ok(Pair { old, new, media, shared, stop })
}

/// Both servers without the network: no ports, no runtime, asked by [`Control::answer`].
pub fn indoors(options: Options) -> Control {
    let running = |name: &'static str, port: u16, usual: u16| Running {
        name,
        port: if port == 0 { usual } else { port },
    };
    let old = running("old", options.old_port, 4001);
    let new = running("new", options.new_port, 4002);
    let media = options.media_host.then(|| running("cdn", options.media_port, 4003));
    Control { shared: Arc::new(Mutex::new(world(options, &old, &new, media.as_ref()))) }
}

fn world(options: Options, old: &Running, new: &Running, media: Option<&Running>) -> state::World {
    let mut world = seed::world(options.old_version, options.new_version, old.domain(), new.domain());
    for side in Side::BOTH {
        world.server_mut(side).media_host = media.map(Running::origin);
    }
    world
}
