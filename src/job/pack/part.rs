//! What is packed: one entry for each thing, and where it is found. A new kind of thing is a variant here, one line in
//! `PARTS`, and whatever reads it later.

use crate::list::Kind;
use crate::server::request::{self, Request};

/// In the order in which they are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the export page counts.
    Counts,
    /// The account itself, with its fields, pictures and defaults for posting.
    Profile,
    /// A file that the server exports.
    File(Kind),
    Lists,
    Tags,
    FeaturedTags,
    Endorsed,
    Filters,
    /// The same as [`Part::Filters`], up to 3.5.
    OldFilters,
    Preferences,
    /// Who may send notifications; 4.3 and later.
    Policy,
    /// The server's public list of servers that it blocks.
    Blocked,
    /// People who wait to be let in.
    Requests,
    /// The listing of those whom the account follows: it tells who has moved, and where to, which the file does not.
    Following,
    Mutes,
    Blocks,
    Followers,
    /// The notifications of the newest followers tell since when they follow.
    Notices,
    Favourites,
}

/// How it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Page,
    File,
    /// One answer with all of it.
    Whole,
    /// Pages of accounts, of which a few fields are kept.
    People,
    /// Pages of something else, kept as they came.
    Pages,
    /// Pages of statuses, of which the addresses are kept.
    Statuses,
}

struct About {
    part: Part,
    id: &'static str,
    way: Way,
    /// From this version on; before, nobody is asked.
    since: (u16, u16),
    /// Up to this version; `(0, 0)` is for ever.
    before: (u16, u16),
    /// The session's cookie is enough, also while a redirect is set (facts 3.6, 13).
    cookie: bool,
}

const fn about(part: Part, id: &'static str, way: Way, since: (u16, u16), cookie: bool) -> About {
    About { part, id, way, since, before: (0, 0), cookie }
}

const ALWAYS: (u16, u16) = (0, 0);

static PARTS: [About; 24] = [
    about(Part::Counts, "counts", Way::Page, ALWAYS, true),
    about(Part::File(Kind::Follows), "follows", Way::File, ALWAYS, true),
    about(Part::File(Kind::Lists), "lists", Way::File, ALWAYS, true),
    about(Part::File(Kind::Mutes), "mutes", Way::File, ALWAYS, true),
    about(Part::File(Kind::Blocks), "blocks", Way::File, ALWAYS, true),
    about(Part::File(Kind::DomainBlocks), "domain-blocks", Way::File, ALWAYS, true),
    about(Part::File(Kind::Bookmarks), "bookmarks", Way::File, ALWAYS, true),
    // facts 5
    about(Part::File(Kind::Filters), "filters", Way::File, (4, 6), true),
    about(Part::Profile, "profile", Way::Whole, ALWAYS, false),
    about(Part::Lists, "list-settings", Way::Whole, ALWAYS, false),
    // facts 7
    about(Part::Tags, "tags", Way::Pages, (4, 0), false),
    about(Part::FeaturedTags, "featured-tags", Way::Whole, ALWAYS, false),
    about(Part::Endorsed, "endorsed", Way::People, ALWAYS, false),
    about(Part::Filters, "filters-api", Way::Whole, (4, 0), false),
    About { before: (4, 0), ..about(Part::OldFilters, "filters-api-1", Way::Whole, ALWAYS, false) },
    about(Part::Preferences, "preferences", Way::Whole, ALWAYS, false),
    about(Part::Policy, "notification-policy", Way::Whole, (4, 3), false),
    about(Part::Blocked, "blocked", Way::Whole, (4, 0), false),
    about(Part::Requests, "requests", Way::People, ALWAYS, false),
    about(Part::Mutes, "mute-settings", Way::People, ALWAYS, false),
    about(Part::Blocks, "blocked-people", Way::People, ALWAYS, false),
    about(Part::Following, "following", Way::People, ALWAYS, true),
    about(Part::Followers, "followers", Way::People, ALWAYS, true),
    about(Part::Favourites, "favourites", Way::Statuses, ALWAYS, false),
];

/// Asked for with the followers, and no part of its own for the person.
static NOTICES: About = about(Part::Notices, "notices", Way::Pages, ALWAYS, false);

impl Part {
    /// Everything that a server of this version has. `rescue`: a redirect is set, and there is no token.
    pub fn all(version: (u16, u16), rescue: bool) -> Vec<Part> {
        let there = |about: &&About| {
            version >= about.since
                && (about.before == ALWAYS || version < about.before)
                && (about.cookie || !rescue)
        };
        PARTS.iter().chain([&NOTICES]).filter(there).map(|about| about.part).collect()
    }

    /// What is packed of an account. What its server blocks concerns those only who come to it.
    pub fn everything(version: (u16, u16), rescue: bool) -> Vec<Part> {
        Part::all(version, rescue).into_iter().filter(|part| *part != Part::Blocked).collect()
    }

    /// What tells how far a new account is filled, in few requests.
    pub fn arrived(version: (u16, u16)) -> Vec<Part> {
        let wanted = |part: &Part| {
            matches!(part, Part::File(_) | Part::Profile | Part::Lists | Part::Blocked)
                || (matches!(part, Part::Tags | Part::Filters | Part::OldFilters | Part::FeaturedTags))
        };
        Part::all(version, false).into_iter().filter(wanted).collect()
    }

    fn about(self) -> &'static About {
        PARTS.iter().find(|about| about.part == self).unwrap_or(&NOTICES)
    }

    pub fn id(self) -> &'static str {
        self.about().id
    }

    pub fn of_id(id: &str) -> Option<Part> {
        PARTS.iter().chain([&NOTICES]).find(|about| about.id == id).map(|about| about.part)
    }

    pub fn way(self) -> Way {
        self.about().way
    }

    /// The rate limit counts its further pages.
    pub fn is_paged(self) -> bool {
        matches!(self.way(), Way::People | Way::Pages | Way::Statuses)
    }

    /// Pages that are read before it is enough: the notices only date what the followers say anyway.
    pub fn cap(self) -> Option<u32> {
        (self == Part::Notices).then_some(10)
    }

    /// Whether the people in it may have a personal note, which only the relationship tells (facts 5, "Not exported").
    pub fn has_notes(self) -> bool {
        matches!(self, Part::Following | Part::Followers | Part::Mutes | Part::Blocks | Part::Requests)
    }

    pub fn request(self, owner: &str, after: Option<&str>) -> Request {
        match self {
            Part::Counts => request::export_page(),
            Part::Profile => request::verify_credentials(),
            Part::File(kind) => request::export_file(kind.export()),
            Part::Lists => request::lists(),
            Part::Tags => request::followed_tags(after),
            Part::FeaturedTags => request::featured_tags(),
            Part::Endorsed => request::own_list("endorsements", after),
            Part::Filters => request::filters("v2"),
            Part::OldFilters => request::filters("v1"),
            Part::Preferences => request::preferences(),
            Part::Policy => request::notification_policy(),
            Part::Blocked => request::blocked_domains(),
            Part::Requests => request::own_list("follow_requests", after),
            Part::Following => request::following(owner, after),
            Part::Mutes => request::mutes(after),
            Part::Blocks => request::blocks(after),
            Part::Followers => request::followers(owner, after),
            Part::Notices => request::follow_notices(after),
            Part::Favourites => request::marks("favourites", after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_an_entry_and_a_name_of_its_own() {
        let all = Part::all((4, 6), false);
        for part in &all {
            assert_eq!(Part::of_id(part.id()), Some(*part));
        }
        assert_eq!(all.len(), PARTS.len());
        assert!(!Part::all((3, 5), false).contains(&Part::Tags));
        assert!(Part::all((3, 5), false).contains(&Part::OldFilters));
        assert!(!Part::all((4, 6), true).contains(&Part::Profile));
    }
}
