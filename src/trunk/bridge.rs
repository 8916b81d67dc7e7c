//! What these two servers can hand on to each other: kind by kind, what the old one gives, what the new one takes, and so
//! what comes along. It follows from both versions alone, and says "unknown" where one of them is not known and matters.

use crate::say::{Say, say};
use crate::server::version::Version;

/// Something that somebody has on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Followers,
    Follows,
    Lists,
    ListSettings,
    Mutes,
    MuteEnds,
    Blocks,
    DomainBlocks,
    Bookmarks,
    Filters,
    Tags,
    FeaturedTags,
    Notes,
    Endorsed,
    Profile,
    Messages,
    Favourites,
    Requests,
    Posts,
}

/// What the old server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    /// A file of its own (facts 5).
    File,
    /// What its API tells, packed by us.
    Ours,
    /// The archive that it puts together (facts 5, "Archive").
    Archive,
    /// The move is what hands it on (facts 3.1).
    Move,
    Nothing,
    Unknown,
}

/// What the new server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum In {
    /// An import that is uploaded and then confirmed, and tells what failed (facts 6.1).
    TwoSteps,
    /// An import whose result cannot be seen (facts 6.2).
    OneStep,
    /// One of the two; its version is not known.
    Import,
    /// One by one through its API, done by us.
    Ours,
    Move,
    Nothing,
    Unknown,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// By the move.
    Moves,
    /// By file and import.
    Comes,
    ThroughUs,
    /// Saved, to be read; no server takes it.
    TrunkOnly,
    Never,
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub thing: Thing,
    pub out: Out,
    pub into: In,
    pub fate: Fate,
    pub why: Option<Say>,
}

/// In the order in which they are shown: what matters most to most people first.
pub const THINGS: [Thing; 19] = [
    Thing::Followers,
    Thing::Follows,
    Thing::Lists,
    Thing::ListSettings,
    Thing::Mutes,
    Thing::MuteEnds,
    Thing::Blocks,
    Thing::DomainBlocks,
    Thing::Bookmarks,
    Thing::Filters,
    Thing::Tags,
    Thing::FeaturedTags,
    Thing::Notes,
    Thing::Endorsed,
    Thing::Profile,
    Thing::Messages,
    Thing::Favourites,
    Thing::Requests,
    Thing::Posts,
];

impl Thing {
    /// Stands in `data-thing` and in the report.
    pub fn id(self) -> &'static str {
        self.names().0
    }

    /// The key of its name.
    pub fn name(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Thing::Followers => ("followers", "pack_part_followers"),
            Thing::Follows => ("follows", "pack_part_follows"),
            Thing::Lists => ("lists", "pack_part_lists"),
            Thing::ListSettings => ("list-settings", "pack_part_list_settings"),
            Thing::Mutes => ("mutes", "pack_part_mutes"),
            Thing::MuteEnds => ("mute-ends", "pack_part_mute_ends"),
            Thing::Blocks => ("blocks", "pack_part_blocks"),
            Thing::DomainBlocks => ("domain-blocks", "pack_part_domain_blocks"),
            Thing::Bookmarks => ("bookmarks", "pack_part_bookmarks"),
            Thing::Filters => ("filters", "pack_part_filters"),
            Thing::Tags => ("tags", "pack_part_tags"),
            Thing::FeaturedTags => ("featured-tags", "pack_part_featured_tags"),
            Thing::Notes => ("notes", "pack_part_notes"),
            Thing::Endorsed => ("endorsed", "pack_part_endorsed"),
            Thing::Profile => ("profile", "pack_part_profile"),
            Thing::Messages => ("messages", "bridge_messages"),
            Thing::Favourites => ("favourites", "pack_part_favourites"),
            Thing::Requests => ("requests", "bridge_requests"),
            Thing::Posts => ("posts", "bridge_posts"),
        }
    }
}

impl Out {
    pub fn name(self) -> &'static str {
        match self {
            Out::File => "bridge_out_file",
            Out::Ours => "bridge_out_ours",
            Out::Archive => "bridge_out_archive",
            Out::Move => "bridge_move",
            Out::Nothing => "bridge_out_nothing",
            Out::Unknown => "bridge_unknown",
        }
    }
}

impl In {
    pub fn name(self) -> &'static str {
        match self {
            In::TwoSteps => "bridge_in_two_steps",
            In::OneStep => "bridge_in_one_step",
            In::Import => "bridge_in_import",
            In::Ours => "bridge_in_ours",
            In::Move => "bridge_move",
            In::Nothing => "bridge_in_nothing",
            In::Unknown => "bridge_unknown",
        }
    }
}

impl Fate {
    /// Stands in `data-fate` and in the report.
    pub fn id(self) -> &'static str {
        match self {
            Fate::Moves => "moves",
            Fate::Comes => "comes",
            Fate::ThroughUs => "through-us",
            Fate::TrunkOnly => "trunk-only",
            Fate::Never => "never",
            Fate::Unknown => "unknown",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Fate::Moves => "bridge_fate_moves",
            Fate::Comes => "bridge_fate_comes",
            Fate::ThroughUs => "bridge_fate_through_us",
            Fate::TrunkOnly => "bridge_fate_trunk_only",
            Fate::Never => "bridge_fate_never",
            Fate::Unknown => "bridge_unknown",
        }
    }
}

/// Both versions, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub struct Bridge<'a> {
    pub old: Option<&'a Version>,
    pub new: Option<&'a Version>,
}

impl Bridge<'_> {
    pub fn rows(self) -> Vec<Row> {
        THINGS.iter().map(|thing| self.row(*thing)).collect()
    }

    pub fn row(self, thing: Thing) -> Row {
        let (out, into) = (self.out(thing), self.into(thing));
        let fate = match (out, into) {
            (Out::Move, In::Move) => Fate::Moves,
            (Out::Unknown, _) | (_, In::Unknown) => Fate::Unknown,
            // The archive stays a file on the person's disk: it is none of ours.
            (Out::Nothing | Out::Archive, _) => Fate::Never,
            (_, In::Nothing) => Fate::TrunkOnly,
            (Out::File, In::TwoSteps | In::OneStep | In::Import) => Fate::Comes,
            _ => Fate::ThroughUs,
        };
        Row { thing, out, into, fate, why: self.why(thing, fate) }
    }

    fn out(self, thing: Thing) -> Out {
        match thing {
            Thing::Followers => Out::Move,
            Thing::Posts => Out::Archive,
            Thing::Follows
            | Thing::Lists
            | Thing::Mutes
            | Thing::Blocks
            | Thing::DomainBlocks
            | Thing::Bookmarks => Out::File,
            Thing::Filters => match self.old.map(Version::has_filter_files) {
                Some(true) => Out::File,
                Some(false) => Out::Ours,
                None => Out::Unknown,
            },
            Thing::Tags => match self.old.map(Version::has_followed_tags) {
                Some(true) => Out::Ours,
                Some(false) => Out::Nothing,
                None => Out::Unknown,
            },
            Thing::ListSettings
            | Thing::MuteEnds
            | Thing::FeaturedTags
            | Thing::Notes
            | Thing::Endorsed
            | Thing::Profile
            | Thing::Messages
            | Thing::Favourites
            | Thing::Requests => Out::Ours,
        }
    }

    fn into(self, thing: Thing) -> In {
        let import = match self.new.map(Version::imports_in_two_steps) {
            Some(true) => In::TwoSteps,
            Some(false) => In::OneStep,
            None => In::Import,
        };
        match thing {
            Thing::Followers => In::Move,
            Thing::Follows | Thing::Mutes | Thing::Blocks | Thing::DomainBlocks | Thing::Bookmarks => import,
            Thing::Lists => match self.new.map(Version::imports_lists) {
                Some(true) => import,
                Some(false) => In::Ours,
                None => In::Unknown,
            },
            // Where both have the file it is the file; everywhere else the API takes them one by one.
            Thing::Filters => match (self.new.map(Version::has_filter_files), self.out(Thing::Filters)) {
                (Some(true), Out::File) => import,
                (Some(_), _) | (None, Out::Ours) => In::Ours,
                (None, _) => In::Unknown,
            },
            Thing::Tags => match self.new.map(Version::has_followed_tags) {
                Some(true) => In::Ours,
                Some(false) => In::Nothing,
                None => In::Unknown,
            },
            Thing::ListSettings
            | Thing::MuteEnds
            | Thing::FeaturedTags
            | Thing::Notes
            | Thing::Endorsed
            | Thing::Profile => In::Ours,
            Thing::Messages | Thing::Favourites | Thing::Requests | Thing::Posts => In::Nothing,
        }
    }

    fn why(self, thing: Thing, fate: Fate) -> Option<Say> {
        if fate == Fate::Unknown {
            let old = self.out(thing) == Out::Unknown;
            return Some(say(if old { "bridge_why_old_unknown" } else { "bridge_why_new_unknown" }));
        }
        let is = |version: Option<&Version>, what: fn(&Version) -> bool| version.map(what);
        Some(say(match thing {
            // facts 3.1, 3.4
            Thing::Followers => "bridge_why_followers",
            // facts 6.2, first columns; 5
            Thing::Follows
                if [self.old, self.new].iter().any(|v| is(*v, Version::has_four_columns) == Some(false)) =>
            {
                "bridge_why_follows_short"
            }
            // facts 13, "Importing follows notifies"
            Thing::Follows => "bridge_why_follows",
            Thing::Lists if fate == Fate::ThroughUs => "bridge_why_lists_one_by_one",
            // facts 6.1, "lists"
            Thing::Lists => "bridge_why_lists",
            Thing::ListSettings
                if [self.old, self.new]
                    .iter()
                    .any(|v| is(*v, Version::has_exclusive_lists) == Some(false)) =>
            {
                "bridge_why_lists_old"
            }
            Thing::ListSettings | Thing::MuteEnds | Thing::Notes | Thing::Endorsed | Thing::FeaturedTags => {
                "bridge_why_no_file"
            }
            Thing::Filters if fate == Fate::ThroughUs => "bridge_why_filters",
            Thing::Tags if is(self.old, Version::has_followed_tags) == Some(false) => "bridge_why_tags_old",
            Thing::Tags if fate == Fate::TrunkOnly => "bridge_why_tags_new",
            Thing::Tags => "bridge_why_no_file",
            Thing::Profile => "bridge_why_profile",
            Thing::Bookmarks => "bridge_why_bookmarks",
            Thing::DomainBlocks => "bridge_why_domain_blocks",
            // facts 3.4, last line of the table; 13.1
            Thing::Messages => "bridge_why_messages",
            Thing::Favourites => "bridge_why_favourites",
            // facts 11, mastodon#39826
            Thing::Requests => "bridge_why_requests",
            // facts 1.5, "other_data"
            Thing::Posts => "bridge_why_posts",
            Thing::Mutes | Thing::Blocks | Thing::Filters => return None,
        }))
    }

    /// What these versions mean for this move, besides the table.
    pub fn remarks(self) -> Vec<Say> {
        let mut all = Vec::new();
        for (version, key) in [(self.old, "bridge_old_unknown"), (self.new, "bridge_new_unknown")] {
            if version.is_none() {
                all.push(say(key));
            }
        }
        if let Some(old) = self.old {
            // facts 3.3
            if old.keeps_accounts_for_a_day() {
                all.push(say("bridge_old_keeps").with(old.text.as_str()));
            }
            // facts 3.6
            if !old.can_replay_moves() {
                all.push(say("bridge_old_no_replay").with(old.text.as_str()));
            }
        }
        if let Some(new) = self.new {
            // facts 6.2, "result invisible"
            if !new.imports_in_two_steps() {
                all.push(say("bridge_new_one_step").with(new.text.as_str()));
            }
            // facts 1.7, last lines before "Self-destruct"
            let days = new.days_until_unconfirmed_is_deleted().unsigned_abs();
            all.push(say("bridge_new_unconfirmed").with(days));
        }
        all
    }

    /// So many kinds come along, so many are kept in the trunk, so many stay; so many are not known.
    pub fn counts(self) -> (usize, usize, usize, usize) {
        let rows = self.rows();
        let of = |fates: &[Fate]| rows.iter().filter(|row| fates.contains(&row.fate)).count();
        (
            of(&[Fate::Moves, Fate::Comes, Fate::ThroughUs]),
            of(&[Fate::TrunkOnly]),
            of(&[Fate::Never]),
            of(&[Fate::Unknown]),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<Version> {
        Version::parse(text)
    }

    fn row(old: &str, new: &str, thing: Thing) -> (Out, In, Fate) {
        let (old, new) = (version(old), version(new));
        let row = Bridge { old: old.as_ref(), new: new.as_ref() }.row(thing);
        (row.out, row.into, row.fate)
    }

    #[test]
    fn files_go_where_both_have_them() {
        use Thing::*;
        for new in ["4.2.29", "4.3.1+glitch", "4.6.5", "4.8.0-alpha.1"] {
            for thing in [Follows, Mutes, Blocks, DomainBlocks, Bookmarks, Lists] {
                assert_eq!(
                    row("3.3.0", new, thing),
                    (Out::File, In::TwoSteps, Fate::Comes),
                    "{new} {thing:?}"
                );
            }
        }
        assert_eq!(row("4.6.5", "4.1.25", Follows), (Out::File, In::OneStep, Fate::Comes));
        assert_eq!(row("4.6.5", "4.1.25", Lists), (Out::File, In::Ours, Fate::ThroughUs));
        assert_eq!(row("4.6.5", "", Follows), (Out::File, In::Import, Fate::Comes));
        assert_eq!(row("4.6.5", "", Lists), (Out::File, In::Unknown, Fate::Unknown));
    }

    #[test]
    fn filters_are_a_file_between_new_servers_only() {
        let filters = |old, new| row(old, new, Thing::Filters);
        assert_eq!(filters("4.6.5", "4.7.0"), (Out::File, In::TwoSteps, Fate::Comes));
        assert_eq!(filters("4.6.5", "4.5.12"), (Out::File, In::Ours, Fate::ThroughUs));
        assert_eq!(filters("4.5.12", "4.6.5"), (Out::Ours, In::Ours, Fate::ThroughUs));
        assert_eq!(filters("3.5.19", "3.4.0"), (Out::Ours, In::Ours, Fate::ThroughUs));
        assert_eq!(filters("", "4.6.5").2, Fate::Unknown);
        assert_eq!(filters("4.6.5", "").2, Fate::Unknown);
        // Without a file there is one way only, whatever the new server is.
        assert_eq!(filters("4.5.12", ""), (Out::Ours, In::Ours, Fate::ThroughUs));
    }

    #[test]
    fn hashtags_are_followed_since_four() {
        let tags = |old, new| row(old, new, Thing::Tags);
        assert_eq!(tags("4.0.0", "4.0.0"), (Out::Ours, In::Ours, Fate::ThroughUs));
        assert_eq!(tags("3.5.19", "4.6.5"), (Out::Nothing, In::Ours, Fate::Never));
        assert_eq!(tags("4.6.5", "3.5.19"), (Out::Ours, In::Nothing, Fate::TrunkOnly));
        assert_eq!(tags("", "4.6.5").2, Fate::Unknown);
    }

    #[test]
    fn some_things_are_the_same_for_all_versions() {
        for old in ["3.3.0", "4.6.5", ""] {
            for new in ["3.5.19", "4.8.0", ""] {
                assert_eq!(row(old, new, Thing::Followers).2, Fate::Moves);
                assert_eq!(row(old, new, Thing::Posts), (Out::Archive, In::Nothing, Fate::Never));
                for thing in [Thing::Messages, Thing::Favourites, Thing::Requests] {
                    assert_eq!(row(old, new, thing).2, Fate::TrunkOnly);
                }
                for thing in [Thing::Notes, Thing::Profile, Thing::FeaturedTags] {
                    assert_eq!(row(old, new, thing).2, Fate::ThroughUs);
                }
            }
        }
    }

    /// Every pair of versions says something about everything, and why wherever it does not simply come along.
    #[test]
    fn every_row_says_why() {
        let all = [
            "",
            "3.3.0",
            "3.4.1",
            "3.5.19",
            "4.0.2",
            "4.1.25",
            "4.2.29",
            "4.3.23",
            "4.4.18",
            "4.5.12",
            "4.6.5",
            "4.7.0",
            "4.8.0-alpha.1",
        ];
        for (old, new) in all.iter().flat_map(|old| all.iter().map(move |new| (version(old), version(new)))) {
            let bridge = Bridge { old: old.as_ref(), new: new.as_ref() };
            let rows = bridge.rows();
            assert_eq!(rows.len(), THINGS.len());
            let known = old.is_some() && new.is_some();
            for row in &rows {
                assert!(row.why.is_some() || row.fate == Fate::Comes, "{old:?} {new:?} {row:?}");
                assert!(!known || row.fate != Fate::Unknown, "{old:?} {new:?} {row:?}");
            }
            let (come, trunk, never, unknown) = bridge.counts();
            assert_eq!(come + trunk + never + unknown, THINGS.len());
            assert_eq!(unknown > 0, !known, "{old:?} {new:?}");
        }
    }

    #[test]
    fn says_what_an_old_version_means() {
        let keys = |old: &str, new: &str| -> Vec<String> {
            let (old, new) = (version(old), version(new));
            let all = Bridge { old: old.as_ref(), new: new.as_ref() }.remarks();
            all.into_iter().map(|say| say.key).collect()
        };
        assert_eq!(keys("4.6.5", "4.6.5"), ["bridge_new_unconfirmed"]);
        assert_eq!(
            keys("3.5.19", "4.1.25"),
            ["bridge_old_keeps", "bridge_old_no_replay", "bridge_new_one_step", "bridge_new_unconfirmed"]
        );
        assert_eq!(keys("", ""), ["bridge_old_unknown", "bridge_new_unknown"]);
    }
}
