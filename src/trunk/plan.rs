//! What of a trunk goes onto the new account, what does not and why; shown before anything is sent.

use super::packed::Packed;
use crate::account::Handle;
use crate::job::collect::Owner;
use crate::job::unpack::act::Act;
use crate::job::unpack::piece::Piece;
use crate::job::verify::{Ran, Rows, Wanted};
use crate::list::filters::Action;
use crate::list::{self, Around, Corrections, Kind, Plan, Row, Why, follow_limit, write};
use crate::server::version::Version;
use crate::small::Names;
use crate::when::Time;

/// Something that a version can or cannot do. Of a server that does not tell its version it is taken for granted: most do.
type Can = fn(&Version) -> bool;

/// What the person has chosen.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Kinds that are not unpacked.
    pub without: Vec<Kind>,
    /// Kinds that replace what is there.
    pub overwrite: Vec<Kind>,
    /// What the person has corrected, row by row.
    pub corrections: Vec<(Kind, Corrections)>,
    /// The new handles of those who have moved are followed.
    pub follow_moved: bool,
    /// Nothing through the API: hashtags, notes, settings.
    pub files_only: bool,
}

/// A file of the plan, and what it would take away.
#[derive(Debug)]
pub struct Part {
    pub plan: Plan,
    /// What is on the new account and not in the file: gone, if it replaces.
    pub removes: Vec<Row>,
    /// The server has no import for it.
    pub unsupported: bool,
}

/// All of it.
#[derive(Debug)]
pub struct Unpacking {
    pub parts: Vec<Part>,
    pub acts: Vec<Act>,
    /// How many may be followed in all, and how many are.
    pub limit: u64,
    pub following: u64,
}

/// Lays out what is to be done. `new` is what the new account has already.
pub fn lay_out(packed: &Packed, new: &Packed, to: &Owner, chosen: &Chosen, now: Time) -> Unpacking {
    let version = to.version.as_deref().and_then(Version::parse);
    let can = |what: Can| version.as_ref().is_none_or(what);
    let own: Vec<Handle> = [packed.handle.clone(), to.handle.parse().ok()].into_iter().flatten().collect();
    let following = new.following.unwrap_or(0);
    let limit = follow_limit(new.followed_by.unwrap_or(0), following);
    let nothing = Vec::new();
    let mut parts = Vec::new();
    for kind in Kind::ALL {
        let Some(text) = packed.file(kind) else { continue };
        let Ok(sheet) = list::read(text.as_bytes(), kind.file()) else { continue };
        let have = new.have(kind).unwrap_or_default();
        let overwrite = chosen.overwrite.contains(&kind);
        let around = Around {
            home: Some(&packed.domain),
            own: &own,
            have: Some(&have),
            moved: Some(&packed.moved),
            follow_moved: chosen.follow_moved,
            blocked: new.blocked.as_ref().unwrap_or(&nothing),
            limit: Some(limit),
            following: if overwrite { 0 } else { following },
            overwrite,
            corrections: chosen.corrections.iter().find(|(own, _)| *own == kind).map(|(_, all)| all),
            now: Some(now),
        };
        let plan = list::clean(&sheet, kind, &around);
        let removes = list::would_remove(&plan, &have).into_iter().cloned().collect();
        let unsupported = match kind {
            Kind::Filters => !can(Version::has_filter_files),
            Kind::Lists => !can(Version::imports_lists),
            _ => false,
        };
        parts.push(Part { plan, removes, unsupported });
    }
    let lists = parts.iter().find(|part: &&Part| part.plan.kind == Kind::Lists).map(|part| &part.plan);
    let acts = if chosen.files_only { Vec::new() } else { acts(packed, new, lists, &can, chosen, now) };
    Unpacking { parts, acts, limit, following }
}

fn acts(
    packed: &Packed,
    new: &Packed,
    lists: Option<&Plan>,
    can: &dyn Fn(Can) -> bool,
    chosen: &Chosen,
    now: Time,
) -> Vec<Act> {
    let names = |all: &[String]| {
        let mut names = Names::default();
        for name in all {
            names.add(&name.to_lowercase());
        }
        names
    };
    let mut acts = Vec::new();
    let wanted = |kind| !chosen.without.contains(&kind);
    if wanted(Kind::Lists) {
        for list in &packed.lists {
            let same = |own: &&crate::job::pack::kept::ListSettings| {
                own.title == list.title
                    && own.replies == list.replies
                    && own.exclusive.unwrap_or(false) == list.exclusive.unwrap_or(false)
            };
            if !new.lists.iter().any(|own| same(&own)) {
                let exclusive = list.exclusive.filter(|_| can(Version::has_exclusive_lists));
                acts.push(Act::List { title: list.title.clone(), replies: list.replies.clone(), exclusive });
            }
        }
    }
    // Up to 4.1 no file of lists is imported.
    if wanted(Kind::Lists)
        && !can(Version::imports_lists)
        && let Some(plan) = lists
    {
        let member = |row: &Row| Act::Member { title: row.list().to_owned(), acct: row.name().to_owned() };
        acts.extend(plan.upload.iter().map(member));
    }
    let (tags, featured) = (names(&new.tags), names(&new.featured_tags));
    if can(Version::has_followed_tags) {
        let missing = packed.tags.iter().filter(|tag| !tags.has(&tag.to_lowercase()));
        acts.extend(missing.map(|tag| Act::FollowTag(tag.clone())));
    }
    let missing = packed.featured_tags.iter().filter(|tag| !featured.has(&tag.to_lowercase()));
    acts.extend(missing.map(|tag| Act::FeatureTag(tag.clone())));
    // From 4.6 on the file is imported; everywhere else the API takes them, one by one.
    let by_file = can(Version::has_filter_files) && packed.file(Kind::Filters).is_some();
    if wanted(Kind::Filters) && !by_file {
        let there = new.filters.iter().map(|filter| filter.title.clone()).collect::<Vec<_>>();
        for filter in
            packed.filters.iter().filter(|filter| !there.contains(&filter.title) && !filter.is_over(now))
        {
            // An action that an older server does not know would have the whole filter refused.
            let mut filter = filter.clone();
            if filter.action == Action::Blur && !can(Version::can_blur) {
                filter.action = Action::Warn;
            }
            let second = can(Version::has_second_filters);
            let forms =
                if second { filter.v2(now).0.into_iter().collect::<Vec<_>>() } else { filter.v1(now).0 };
            for form in forms {
                // The time it has left is counted when it is sent.
                let form: Vec<_> = form.into_iter().filter(|(name, _)| name != "expires_in").collect();
                let api = if second { "v2" } else { "v1" };
                let phrase = form.iter().find(|(name, _)| name == "phrase").map(|(_, phrase)| phrase.clone());
                let title = phrase.unwrap_or_else(|| filter.title.clone());
                acts.push(Act::Filter { api: api.into(), title, form, until: filter.expires_at });
            }
        }
    }
    if wanted(Kind::Mutes) {
        let hides = packed.have(Kind::Mutes);
        for (acct, until) in packed.muted_until.iter().filter(|(_, until)| *until > now) {
            let row = hides.as_ref().and_then(|have| have.get(&acct.to_lowercase()));
            let notifications = row.and_then(|row| row.settings.hide_notifications).unwrap_or(true);
            acts.push(Act::Mute { acct: acct.clone(), notifications, until: *until });
        }
    }
    let noted = packed.notes.iter().filter(|note| !note.note.is_empty());
    let mut once = Names::default();
    for note in noted {
        let key = note.acct.to_lowercase();
        if !once.has(&key) {
            once.add(&key);
            acts.push(Act::Note { acct: note.acct.clone(), note: note.note.clone() });
        }
    }
    acts.extend(packed.endorsed.iter().map(|acct| Act::Endorse { acct: acct.clone() }));
    acts
}

/// The files that are uploaded.
pub fn pieces(unpacking: &Unpacking, to: &Owner, chosen: &Chosen) -> Vec<Piece> {
    let version = to.version.as_deref().and_then(Version::parse);
    let can = |what: Can| version.as_ref().is_none_or(what);
    let takes =
        write::Takes { headers: can(Version::reads_headers), four_columns: can(Version::has_four_columns) };
    let mut pieces = Vec::new();
    for part in &unpacking.parts {
        let kind = part.plan.kind;
        if part.unsupported || chosen.without.contains(&kind) {
            continue;
        }
        for (at, file) in write::mastodon(&part.plan, takes).into_iter().enumerate() {
            pieces.push(Piece {
                kind,
                name: file.file_name,
                rows: file.rows as u64,
                text: file.text,
                // The first file takes away what is not in it; a second one would take away the first.
                overwrite: chosen.overwrite.contains(&kind) && at == 0,
            });
        }
    }
    pieces
}

/// Every row, for the account of it afterwards.
pub fn wanted(unpacking: &Unpacking, new: &Packed, chosen: &Chosen) -> Vec<Rows> {
    let mut all = Vec::new();
    for part in &unpacking.parts {
        let kind = part.plan.kind;
        // Filters that no file takes are made one by one, and each of them says what became of it.
        if (kind == Kind::Filters && part.unsupported) || chosen.without.contains(&kind) {
            continue;
        }
        let have = new.have(kind).unwrap_or_default();
        let row = |row: &Row, why: Option<&Why>| {
            let moved = match why {
                Some(Why::Moved { to }) => Some(to.clone()),
                _ => None,
            };
            Wanted {
                key: row.key().to_owned(),
                name: row.name().to_owned(),
                list: if kind == Kind::Lists { row.list().to_owned() } else { String::new() },
                before: have.get(row.key()).is_some(),
                left_out: why.map(|why| why_id(why).to_owned()),
                moved,
            }
        };
        let mut rows: Vec<Wanted> = part.plan.upload.iter().map(|one| row(one, None)).collect();
        rows.extend(part.plan.out.iter().map(|out| row(&out.row, Some(&out.why))));
        all.push(Rows { kind, ran: Ran::Finished, rows });
    }
    all
}

/// A name for each reason, for what is stored, shown and written into tables.
pub fn why_id(why: &Why) -> &'static str {
    match why {
        Why::Doubled { .. } => "doubled",
        Why::Oneself => "oneself",
        Why::AlreadyThere { .. } => "there",
        Why::Moved { .. } => "moved",
        Why::OverLimit => "limit",
        Why::ServerBlocked => "server-blocked",
        Why::LeftOut => "by-you",
        Why::Expired => "expired",
        _ => "unreadable",
    }
}
