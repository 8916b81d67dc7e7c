//! `/settings/export`: how many of each there are. Counts stand before the link to each file (facts 5).

use crate::list::Kind;
use crate::server::markup::{Markup, first_number};
use crate::trunk::dossier::ArchiveSeen;
use crate::when::Time;

/// What the export page counts. `None` where the server has no such file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub follows: Option<u64>,
    pub lists: Option<u64>,
    pub mutes: Option<u64>,
    pub blocks: Option<u64>,
    pub domain_blocks: Option<u64>,
    pub bookmarks: Option<u64>,
    /// 4.6 and later.
    pub filters: Option<u64>,
    /// Followers have no file.
    pub followers: Option<u64>,
}

impl Counts {
    /// All that Mastodon can export besides the follows, and that a move leaves behind.
    /// `None`: nothing was counted.
    pub fn besides_follows(&self) -> Option<u64> {
        let counts = [self.lists, self.mutes, self.blocks, self.domain_blocks, self.bookmarks, self.filters];
        counts.iter().any(Option::is_some).then(|| counts.iter().flatten().sum())
    }

    /// Each kind that has a file, with how many there are of it.
    pub fn of_kinds(&self) -> [(Kind, Option<u64>); 7] {
        [
            (Kind::Follows, self.follows),
            (Kind::Lists, self.lists),
            (Kind::Mutes, self.mutes),
            (Kind::Blocks, self.blocks),
            (Kind::DomainBlocks, self.domain_blocks),
            (Kind::Bookmarks, self.bookmarks),
            (Kind::Filters, self.filters),
        ]
    }
}

/// What stands below the table: the button is missing while no archive can be asked for, and there is a table of those
/// that were (facts 5, "Archive").
pub fn archive(page: &dyn Markup) -> ArchiveSeen {
    let files = "a[href*=\"/settings/exports/\"]";
    // The server's own files stand in the first table; the archives' one has none of them.
    let rows = page.all("table tbody tr");
    let after = rows.iter().rposition(|row| row.has(files)).map_or(rows.len(), |at| at + 1);
    let archives = rows.get(after..).unwrap_or_default();
    let time = |row: &dyn Markup| {
        let time = row.first("time[datetime]")?.attribute("datetime")?;
        Time::from_iso(&time)
    };
    ArchiveSeen {
        may_ask: page.has("a[data-method=\"post\"][href$=\"/settings/export\"]"),
        asked: archives.iter().filter_map(|row| time(row.as_ref())).max(),
        ready: archives.iter().any(|row| row.has("a[href*=\"/backups/\"]")),
    }
}

pub fn read(page: &dyn Markup) -> Counts {
    let count = |file: &str| {
        page.all("table tr").iter().find_map(|row| {
            row.first(&format!("a[href$=\"/settings/exports/{file}\"]"))?;
            // The link stands in the last cell, the count in the one before.
            let cells = row.all("td");
            first_number(&cells.get(cells.len().checked_sub(2)?)?.text())
        })
    };
    // Followers have no link to be known by; their row stands behind the lists' one in all versions (facts 5).
    let rows = page.all("table tr");
    let lists = rows.iter().position(|row| row.has("a[href$=\"/settings/exports/lists.csv\"]"));
    let followers = lists
        .and_then(|at| rows.get(at + 1))
        .filter(|row| !row.has("a"))
        .and_then(|row| first_number(&row.first("td")?.text()));
    Counts {
        followers,
        follows: count("follows.csv"),
        lists: count("lists.csv"),
        mutes: count("mutes.csv"),
        blocks: count("blocks.csv"),
        domain_blocks: count("domain_blocks.csv"),
        bookmarks: count("bookmarks.csv"),
        filters: count("custom_filters.json"),
    }
}
