//! What was packed of an account, gathered from the records that [`Pack`] left.

use crate::account::{Domain, Handle};
use crate::job::pack::kept::{self, ListSettings, Note};
use crate::job::pack::part::Part;
use crate::job::pack::{Pack, body_key, notes_key};
use crate::list::{Have, Kind, Moved, filters};
use crate::plain;
use crate::server::entity;
use crate::small::{Names, Table};
use crate::when::Time;

/// Everything that is unpacked again, or compared with.
#[derive(Clone, Debug)]
pub struct Packed {
    pub handle: Option<Handle>,
    pub domain: Domain,
    pub version: Option<String>,
    pub files: Vec<(Kind, String)>,
    pub moved: Moved,
    /// Of those who are followed, whom the server has suspended.
    pub suspended: Names,
    pub lists: Vec<ListSettings>,
    pub tags: Vec<String>,
    pub featured_tags: Vec<String>,
    pub notes: Vec<Note>,
    pub endorsed: Vec<String>,
    /// Who is muted until when.
    pub muted_until: Vec<(String, Time)>,
    pub filters: Vec<filters::Filter>,
    /// How many there are of it.
    pub followers: u64,
    /// Of them, whose accounts have moved themselves, or were suspended: they read nothing any more.
    pub left_followers: u64,
    pub following: Option<u64>,
    pub followed_by: Option<u64>,
    /// Servers that this one blocks.
    pub blocked: Option<Vec<String>>,
    /// Of each server, how many of its people are followed and how many follow.
    pub servers: Table<(u64, u64)>,
    /// Keys of the records that count, and of which part they are.
    keys: Table<Part>,
}

impl Packed {
    /// All records are to be given to [`Packed::add`] then.
    pub fn new(pack: &Pack) -> Packed {
        let mut keys = Table::default();
        for progress in pack.parts() {
            if progress.part.is_paged() {
                for key in progress.page_keys() {
                    keys.put(&notes_key(&key), progress.part);
                    keys.put(&key, progress.part);
                }
            } else {
                keys.put(&body_key(progress.part), progress.part);
            }
        }
        let owner = pack.owner();
        Packed {
            handle: owner.handle.parse().ok(),
            domain: owner.domain.clone(),
            version: owner.version.clone(),
            files: Vec::new(),
            moved: Moved::default(),
            suspended: Names::default(),
            lists: Vec::new(),
            tags: Vec::new(),
            featured_tags: Vec::new(),
            notes: Vec::new(),
            endorsed: Vec::new(),
            muted_until: Vec::new(),
            filters: Vec::new(),
            followers: 0,
            left_followers: 0,
            following: None,
            followed_by: None,
            blocked: None,
            servers: Table::default(),
            keys,
        }
    }

    pub fn add(&mut self, key: &str, text: &str) {
        let Some(part) = self.keys.get(key).copied() else { return };
        if key.starts_with(crate::job::pack::NOTES) {
            self.notes.extend(kept::notes(text));
            return;
        }
        match part {
            Part::File(kind) => {
                if kind == Kind::Filters {
                    self.filters = filters::read(text).unwrap_or_default();
                }
                self.files.push((kind, text.to_owned()));
            }
            Part::Lists => self.lists = kept::list_settings(text),
            Part::Tags => self.tags.extend(kept::names(text)),
            Part::FeaturedTags => self.featured_tags = kept::names(text),
            // The file of 4.6 names statuses by their addresses, the API only by numbers of that server.
            Part::Filters | Part::OldFilters if self.filters.is_empty() => {
                self.filters = filters::read(text).unwrap_or_default();
            }
            Part::Endorsed => self.endorsed.extend(kept::people(text).iter().map(|one| one.handle.acct())),
            Part::Mutes => self
                .muted_until
                .extend(kept::people(text).iter().filter_map(|one| Some((one.handle.acct(), one.until?)))),
            Part::Following => {
                for person in kept::people(text) {
                    self.count(&person.handle, 1, 0);
                    if person.suspended {
                        self.suspended.add(&person.handle.acct().to_lowercase());
                    }
                    if let Some(to) = person.moved {
                        self.moved.put(&person.handle, to);
                    }
                }
            }
            Part::Followers => {
                for person in kept::people(text) {
                    self.followers += 1;
                    self.left_followers += u64::from(person.suspended || person.moved.is_some());
                    self.count(&person.handle, 0, 1);
                }
            }
            Part::Blocked => {
                self.blocked = plain::json(text).as_ref().and_then(entity::blocked_domains);
            }
            Part::Profile => {
                let value = plain::json(text).unwrap_or_default();
                self.following = plain::count(&value, "following_count");
                self.followed_by = plain::count(&value, "followers_count");
            }
            _ => {}
        }
    }

    fn count(&mut self, handle: &Handle, follows: u64, followers: u64) {
        let domain = handle.domain().as_str();
        let (mut followed, mut following) = self.servers.get(domain).copied().unwrap_or_default();
        followed += follows;
        following += followers;
        self.servers.put(domain, (followed, following));
    }

    pub fn file(&self, kind: Kind) -> Option<&str> {
        self.files.iter().find(|(own, _)| *own == kind).map(|(_, text)| text.as_str())
    }

    /// A file as it is compared with.
    pub fn have(&self, kind: Kind) -> Option<Have> {
        Have::of_text(self.file(kind)?, kind, Some(&self.domain))
    }
}

/// People on servers that another server blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    pub follows: u64,
    pub followers: u64,
    /// Those servers, the ones with most people first.
    pub servers: Vec<String>,
}

/// Whom a move would lose, because the new server blocks theirs. `None`: it tells nobody what it blocks.
pub fn blocked_by(packed: &Packed, new: &Packed) -> Option<Blocked> {
    let blocked = new.blocked.as_ref()?;
    let mut found: Vec<(String, u64, u64)> = Vec::new();
    for (server, (follows, followers)) in packed.servers.iter() {
        let host = server.split(':').next().unwrap_or(server);
        let is = |one: &String| {
            host == one
                || server == one
                || host.strip_suffix(one.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        if blocked.iter().any(is) {
            found.push((server.to_owned(), *follows, *followers));
        }
    }
    let found = crate::small::ordered(found, &|one, other| (other.1 + other.2).cmp(&(one.1 + one.2)));
    Some(Blocked {
        follows: found.iter().map(|one| one.1).sum(),
        followers: found.iter().map(|one| one.2).sum(),
        servers: found.into_iter().map(|one| one.0).collect(),
    })
}
