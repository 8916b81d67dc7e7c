//! Opens such a ZIP and holds everything in it against its manifest.

use serde_json::Value;

use super::{FORMAT, MASTODON, OURS, PICTURES, README, VERSION};
use crate::bundle::MANIFEST;
use crate::bundle::open::{Ask, Inside, Reason, Whole};
use crate::plain::{array, count, text};
use crate::small::Table;
use crate::when::Time;

/// What is in a ZIP that was found whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// `user@domain`
    pub owner: String,
    pub server: String,
    pub at: Time,
    /// Of each part, by its id, how much is packed.
    pub parts: Vec<(String, u64)>,
    /// So many things are missing, or counted otherwise by the server.
    pub incomplete: u64,
    /// Of everything inside, unpacked.
    pub size: u64,
}

#[derive(Debug, Default)]
struct Lists(Contents);

/// Everything is read once and compared.
#[derive(Debug)]
pub struct Open {
    whole: Whole,
    inside: Lists,
}

impl Open {
    /// `size` is the length of the ZIP, `limit` the number of bytes that may come out of it.
    pub fn new(size: u64, limit: u64) -> Open {
        Open { whole: Whole::new(size, limit), inside: Lists::default() }
    }

    /// What it needs next. Asking twice gives the same.
    pub fn wants(&mut self) -> Ask {
        self.whole.wants()
    }

    /// The answer to [`Ask::Range`]. Fewer bytes than were asked for mean that the ZIP is not what it was said to be.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.whole.bytes(bytes, &mut self.inside);
        self.inside.0.size = self.whole.unpacked();
    }

    /// How much is done, of how much, in bytes.
    pub fn progress(&self) -> (u64, u64) {
        self.whole.progress()
    }

    /// `None` before [`Ask::Done`].
    pub fn contents(&self) -> Option<&Contents> {
        self.whole.is_whole().then_some(&self.inside.0)
    }
}

impl Inside for Lists {
    fn format(&self) -> (&'static str, u64) {
        (FORMAT, VERSION)
    }

    fn is_ours(&self, path: &str) -> bool {
        let inside = |folder: &&str| {
            path.strip_prefix(*folder).is_some_and(|name| !name.is_empty() && !name.contains('/'))
        };
        [README, MANIFEST].contains(&path) || [MASTODON, OURS, PICTURES].iter().any(inside)
    }

    fn head(&mut self, head: &Value) {
        let words = |value: &Value, key| text(value, key).unwrap_or_default().to_owned();
        let part = |part: &Value| (words(part, "part"), count(part, "packed").unwrap_or(0));
        self.0 = Contents {
            owner: head.get("owner").map(|owner| words(owner, "handle")).unwrap_or_default(),
            server: words(head, "server"),
            at: Time::from_iso(&words(head, "at")).unwrap_or_default(),
            parts: array(head, "parts").iter().map(part).collect(),
            incomplete: array(head, "incomplete").len() as u64,
            size: 0,
        };
    }

    fn needs(&self) -> Option<&'static str> {
        Some(README)
    }

    fn piece(&mut self, _path: &str, _piece: &[u8]) -> Result<(), Reason> {
        Ok(())
    }

    fn end(&mut self, _manifest: &Table<(u64, String)>) -> Result<(), Reason> {
        Ok(())
    }
}
