//! The people whom a save has met, and how far each one's listing was read.
//!
//! `/accounts/:id/statuses` lists every direct message that a person sent to the reader, also when the reader mutes or
//! blocks them, when notifications were cleared and conversations removed (facts 13.1): it is the one road that is
//! complete, so it is taken for everybody who was met. Its price grows with that person's other posts.

use serde_json::Value;

use crate::plain::{self, Object, count, flag, list, quoted, text};

/// Pages of 40 that are read of somebody with whom there are messages, unless the person asks for the deeper search.
pub const PAGES_MET: u32 = 50;
/// The same of somebody who is merely suspected: muted, blocked, a follower.
pub const PAGES_SUSPECT: u32 = 10;

/// Somebody who may have written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    pub id: String,
    pub handle: String,
    /// There is a message between them, or a conversation.
    pub met: bool,
    /// What their server says of the number of their posts; direct messages do not count in it.
    pub posts: Option<u64>,
    pub read: Read,
    pub pages: u32,
    /// The newest status that a finished reading has seen: a later one stops there.
    pub newest: Option<String>,
    /// The newest that the reading under way has seen.
    pub top: Option<String>,
    /// Where what was not read begins: it was enough (see [`Met::cap`]).
    pub rest: Option<String>,
    /// The reading that `read` is about.
    pub pass: u32,
    /// The listing was empty from the beginning: the author blocks the reader (facts 13.1, 7), or has written nothing.
    pub empty: bool,
    /// Muted or blocked: left out of contexts and of statuses asked for together (facts 13.1, 3).
    pub hidden: bool,
    /// Takes part in a message that is kept, and has written one. Not written down: the messages tell.
    pub reads: bool,
    pub wrote: bool,
}

/// How far a listing was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Not needed in this pass: nothing has changed.
    Rest,
    Todo,
    /// The next page begins after this id.
    On(String),
    Done,
    /// 404: suspended, or gone.
    Gone,
    /// 401 or 403.
    Refused,
    /// The server sends the same page again and again, or a page that cannot be read.
    Broken,
}

impl Read {
    fn id(&self) -> &'static str {
        match self {
            Read::Rest => "rest",
            Read::Todo => "todo",
            Read::On(_) => "on",
            Read::Done => "done",
            Read::Gone => "gone",
            Read::Refused => "refused",
            Read::Broken => "broken",
        }
    }

    /// Whether there is something to ask for.
    pub fn open(&self) -> bool {
        matches!(self, Read::Todo | Read::On(_))
    }

    pub fn next(&self) -> Option<&str> {
        match self {
            Read::On(next) => Some(next),
            _ => None,
        }
    }

    pub(super) fn write(&self) -> String {
        list(&[quoted(self.id()), self.next().map_or_else(|| "null".to_owned(), quoted)])
    }

    pub(super) fn of(value: &Value) -> Option<Read> {
        let next = || value.get(1).and_then(Value::as_str).map(str::to_owned);
        Some(match value.get(0)?.as_str()? {
            "rest" => Read::Rest,
            "todo" => Read::Todo,
            "on" => Read::On(next()?),
            "done" => Read::Done,
            "gone" => Read::Gone,
            "refused" => Read::Refused,
            "broken" => Read::Broken,
            _ => return None,
        })
    }
}

impl Met {
    pub fn new(id: &str, handle: &str) -> Met {
        Met {
            id: id.to_owned(),
            handle: handle.to_owned(),
            met: false,
            posts: None,
            read: Read::Todo,
            pages: 0,
            newest: None,
            top: None,
            rest: None,
            pass: 0,
            empty: false,
            hidden: false,
            reads: false,
            wrote: false,
        }
    }

    /// A new reading begins; this one is not in it yet. What was broken off is begun again as soon as it is met.
    pub fn rest_now(&mut self) {
        match self.read {
            Read::Gone | Read::Rest => {}
            Read::Done => self.read = Read::Rest,
            _ => {
                self.read = Read::Rest;
                self.pages = 0;
                self.top = None;
            }
        }
    }

    pub fn write(&self) -> String {
        Object::new()
            .text("handle", &self.handle)
            .flag("met", self.met)
            .count("posts", self.posts)
            .json("read", &self.read.write())
            .number("pages", self.pages.into())
            .maybe("newest", self.newest.as_deref())
            .maybe("top", self.top.as_deref())
            .maybe("rest", self.rest.as_deref())
            .number("pass", self.pass.into())
            .flag("empty", self.empty)
            .flag("hidden", self.hidden)
            .end()
    }

    pub fn parse(id: &str, record: &str) -> Option<Met> {
        let value = plain::json(record)?;
        let words = |key| text(&value, key).map(str::to_owned);
        let small = |key| count(&value, key).and_then(|n| u32::try_from(n).ok());
        Some(Met {
            id: id.to_owned(),
            handle: words("handle")?,
            met: flag(&value, "met"),
            posts: count(&value, "posts"),
            read: Read::of(value.get("read")?)?,
            pages: small("pages").unwrap_or(0),
            newest: words("newest"),
            top: words("top"),
            rest: words("rest"),
            pass: small("pass").unwrap_or(0),
            empty: flag(&value, "empty"),
            hidden: flag(&value, "hidden"),
            reads: false,
            wrote: false,
        })
    }

    /// How many pages are read of this person without being asked to go deeper.
    pub fn cap(&self) -> u32 {
        if self.met { PAGES_MET } else { PAGES_SUSPECT }
    }

    /// At most so many more requests.
    pub fn left(&self, deep: bool) -> u64 {
        let all = self.posts.map_or(1, |posts| posts / 40 + 1);
        let all = if deep { all } else { all.min(u64::from(self.cap())) };
        match self.read {
            // An earlier reading has seen the rest.
            Read::Todo if self.newest.is_some() => 1,
            Read::Todo => all.max(1),
            Read::On(_) => all.saturating_sub(u64::from(self.pages)).max(1),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_written() {
        let next = || "117".to_owned();
        for read in
            [Read::Rest, Read::Todo, Read::On(next()), Read::Done, Read::Gone, Read::Refused, Read::Broken]
        {
            let met = Met {
                met: true,
                posts: Some(7),
                read,
                pages: 3,
                pass: 2,
                rest: Some(next()),
                newest: Some(next()),
                empty: true,
                ..Met::new("1", "ana@old.example")
            };
            assert_eq!(Met::parse("1", &met.write()), Some(met));
        }
        assert_eq!(Met::parse("1", "{}"), None);
    }
}
