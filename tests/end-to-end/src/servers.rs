//! The two servers of a scenario.

use stand_in::{Control, PASSWORD, Pair};
use tokio::runtime::Runtime;

use crate::browser::Browser;

pub use stand_in::{Options as ServerOptions, Side, Version};

/// The pair of servers that Ana moves between, each of its own world. They stop when this is dropped.
#[derive(Debug)]
pub struct Servers {
    pair: Pair,
    // Dropped last: the servers run on it.
    _runtime: Runtime,
}

impl Servers {
    /// The newest version on both sides, at free ports.
    pub fn start() -> Self {
        Self::with(ServerOptions::default())
    }

    pub fn with(options: ServerOptions) -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let pair = runtime.block_on(stand_in::start(options)).expect("the servers get their ports");
        Self { pair, _runtime: runtime }
    }

    /// An address on the old server.
    pub fn on_old(&self, path: &str) -> String {
        format!("{}{path}", self.pair.old.origin())
    }

    /// An address on the new server.
    pub fn on_new(&self, path: &str) -> String {
        format!("{}{path}", self.pair.new.origin())
    }

    /// `ana@old.localhost:4001`
    pub fn old_handle(&self, user: &str) -> String {
        format!("{user}@{}", self.pair.old.domain())
    }

    pub fn new_handle(&self, user: &str) -> String {
        format!("{user}@{}", self.pair.new.domain())
    }

    /// Names both accounts on the desk and allows the extension to work on their servers.
    pub fn link(&self, browser: &Browser, old_user: &str, new_user: &str) {
        browser.link(&self.old_handle(old_user), &self.new_handle(new_user));
    }

    /// Time, faults, states and logs of both servers.
    pub fn control(&self) -> Control {
        self.pair.control()
    }

    /// Signs in on the old server's form, in the current tab.
    pub fn sign_in_on_old(&self, browser: &Browser, user: &str) {
        browser.sign_in(&self.pair.old.origin(), &format!("{user}@mail.example"), PASSWORD);
    }

    /// Signs in on the new server's form, in the current tab.
    pub fn sign_in_on_new(&self, browser: &Browser, user: &str) {
        browser.sign_in(&self.pair.new.origin(), &format!("{user}@mail.example"), PASSWORD);
    }
}
