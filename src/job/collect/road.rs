//! The lists that are read once from end to end, each of which knows of messages or of people that no other one knows.

use super::person::Read;
use crate::plain::{self, Object, count, text};
use crate::server::request::{self, Request};

/// In the order in which they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Road {
    /// Last message and people of each entry. Knows nothing of strangers, nor of what was deleted or blocked away.
    Conversations,
    /// 4.3 and later: strangers who wait to be let in, unless they were dismissed (facts 13.1, 1).
    Requests,
    /// One's own: everything that was sent, and to whom.
    Own,
    /// Received messages appear here until notifications are cleared.
    Mentions,
    Mutes,
    /// A block deletes conversations and notifications; the messages stay (facts 13.1, 2 and 3).
    Blocks,
    Followers,
    Following,
    /// Messages that were marked are in these, whoever wrote them; the deeper search looks.
    Bookmarks,
    Favourites,
}

impl Road {
    pub const ALL: [Road; 10] = [
        Road::Conversations,
        Road::Requests,
        Road::Own,
        Road::Mentions,
        Road::Mutes,
        Road::Blocks,
        Road::Followers,
        Road::Following,
        Road::Bookmarks,
        Road::Favourites,
    ];

    pub fn id(self) -> &'static str {
        match self {
            Road::Conversations => "conversations",
            Road::Requests => "requests",
            Road::Own => "own",
            Road::Mentions => "mentions",
            Road::Mutes => "mutes",
            Road::Blocks => "blocks",
            Road::Followers => "followers",
            Road::Following => "following",
            Road::Bookmarks => "bookmarks",
            Road::Favourites => "favourites",
        }
    }

    pub fn from_id(id: &str) -> Option<Road> {
        Road::ALL.into_iter().find(|road| road.id() == id)
    }

    /// Whether the session's cookie is enough. With a redirect set there is no token, and these are what is left
    /// (facts 13.1, 10).
    pub fn open_to_cookie(self) -> bool {
        matches!(self, Road::Own | Road::Followers | Road::Following)
    }

    pub fn request(self, owner: &str, after: Option<&str>) -> Request {
        match self {
            Road::Conversations => request::conversations(after),
            Road::Requests => request::notification_requests(after),
            Road::Own => request::listing(owner, after),
            Road::Mentions => request::all_mentions(after),
            Road::Mutes => request::mutes(after),
            Road::Blocks => request::blocks(after),
            Road::Followers => request::followers(owner, after),
            Road::Following => request::following(owner, after),
            Road::Bookmarks => request::marks("bookmarks", after),
            Road::Favourites => request::marks("favourites", after),
        }
    }

    /// Pages that are read before it is enough, unless the person asks for the deeper search: mentions in public posts are
    /// notifications too, and some have a hundred thousand.
    pub fn cap(self) -> Option<u32> {
        (self == Road::Mentions).then_some(50)
    }
}

/// How far a list was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub read: Read,
    pub pages: u32,
    pub newest: Option<String>,
    pub top: Option<String>,
    /// Where what was not read begins.
    pub rest: Option<String>,
}

impl Way {
    pub fn new(read: Read) -> Way {
        Way { read, pages: 0, newest: None, top: None, rest: None }
    }

    pub fn write(&self) -> String {
        Object::new()
            .json("read", &self.read.write())
            .number("pages", self.pages.into())
            .maybe("newest", self.newest.as_deref())
            .maybe("top", self.top.as_deref())
            .maybe("rest", self.rest.as_deref())
            .end()
    }

    pub fn parse(record: &str) -> Option<Way> {
        let value = plain::json(record)?;
        let words = |key| text(&value, key).map(str::to_owned);
        Some(Way {
            read: Read::of(value.get("read")?)?,
            pages: count(&value, "pages").and_then(|n| u32::try_from(n).ok())?,
            newest: words("newest"),
            top: words("top"),
            rest: words("rest"),
        })
    }
}

/// Ids are numbers written out, of any length: the longer one is the later one.
pub fn later(one: &str, other: &str) -> bool {
    (one.len(), one) > (other.len(), other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_written() {
        for road in Road::ALL {
            assert_eq!(Road::from_id(road.id()), Some(road));
        }
        let way = Way { pages: 2, newest: Some("5".into()), ..Way::new(Read::On("3".into())) };
        assert_eq!(Way::parse(&way.write()), Some(way));
        assert_eq!(Way::parse("[]"), None);
    }

    #[test]
    fn compares_ids_as_numbers() {
        assert!(later("10", "9"));
        assert!(later("117656440680157198", "117656440680157197"));
        assert!(!later("9", "10"));
        assert!(!later("9", "9"));
    }
}
