//! Imports of files (facts 6): read, confirmed by hand since 4.2, then worked on row by row as the servers' clock goes on.

pub mod file;
pub mod work;

use std::collections::{HashMap, VecDeque};

pub use file::{Refused, Row, Upload};

use crate::clock::{DAY, HOUR, MINUTE, Millis};
use crate::state::{Id, Server, Side, World};
use crate::version::Version;

pub const KINDS: [&str; 7] =
    ["following", "bookmarks", "lists", "muting", "blocking", "domain_blocking", "custom_filters"];

/// Names of a kind: in the table, in the title of the confirmation page.
pub fn label(kind: &str) -> &'static str {
    match kind {
        "following" => "Following list",
        "bookmarks" => "Bookmarks",
        "lists" => "Lists",
        "muting" => "Muting list",
        "blocking" => "Blocking list",
        "domain_blocking" => "Domain blocking list",
        _ => "Filters",
    }
}

pub fn title(kind: &str) -> &'static str {
    match kind {
        "following" => "Importing followed accounts",
        "bookmarks" => "Importing bookmarks",
        "lists" => "Importing lists",
        "muting" => "Importing muted accounts",
        "blocking" => "Importing blocked accounts",
        "domain_blocking" => "Importing blocked domains",
        _ => "Importing filters",
    }
}

pub fn failures_name(kind: &str) -> &'static str {
    match kind {
        "following" => "following_accounts_failures.csv",
        "bookmarks" => "bookmarks_failures.csv",
        "lists" => "lists_failures.csv",
        "muting" => "muted_accounts_failures.csv",
        "blocking" => "blocked_accounts_failures.csv",
        "domain_blocking" => "blocked_domains_failures.csv",
        _ => "custom_filters_failures.json",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    Unconfirmed,
    Scheduled,
    InProgress,
    Finished,
}

/// A row that failed for a reason that may pass, and when it is tried again.
#[derive(Clone, Debug)]
pub struct Retry {
    pub due: Millis,
    /// How often it has been tried again already.
    pub tries: u32,
    pub row: Row,
}

#[derive(Clone, Debug)]
pub struct Import {
    pub id: Id,
    pub kind: String,
    pub overwrite: bool,
    pub file_name: String,
    pub mismatch: bool,
    pub state: ImportState,
    pub created_at: Millis,
    pub confirmed_at: Millis,
    /// The rows as uploaded; Mastodon counts these.
    pub total: usize,
    /// The rows still to be tried for the first time. Once the work has begun duplicates have collapsed (facts 6.1, mastodon#30842).
    pub waiting: VecDeque<Row>,
    /// How many rows were tried.
    pub tried: usize,
    pub retries: Vec<Retry>,
    pub processed: usize,
    pub imported: usize,
    pub failures: Vec<Row>,
    /// That of 4.1 and before, of which nothing is shown.
    pub legacy: bool,
    /// A test holds it where it is.
    pub frozen: bool,
}

/// The version of Mastodon's own sentence (facts 6, "Follow limit").
pub fn follow_limit(server: &Server, owner: Id) -> usize {
    let threshold = server.follow_limit;
    if server.follows.count_of(owner) < threshold {
        return threshold;
    }
    // 1.1 for each follower, rounded.
    threshold.max((server.follows.count_to(owner) * 11 + 5) / 10)
}

pub fn limit_sentence(limit: usize) -> String {
    format!("You cannot follow more than {limit} people")
}

/// Takes in an upload.
pub fn upload(
    world: &mut World,
    side: Side,
    owner: Id,
    kind: &str,
    overwrite: bool,
    file: Option<Upload>,
) -> Result<Id, Refused> {
    let server = world.server(side);
    let (version, legacy) = (server.version, !server.version.has_bulk_imports());
    let Some(file) = file else { return Err(Refused::message("can't be blank")) };
    if !offers(kind, version) {
        return Err(Refused::Crash);
    }
    let content =
        if legacy { file::read_legacy(kind, file, version)? } else { file::read(kind, file, version)? };
    if kind == "following" {
        let limit = follow_limit(server, owner);
        let taken = if overwrite { 0 } else { server.follows.count_of(owner) };
        if content.rows.len() > limit.saturating_sub(taken) {
            return Err(Refused::Message(limit_sentence(limit)));
        }
    }
    let now = world.now();
    let server = world.server_mut(side);
    let id = next_number(server);
    let import = Import {
        id,
        kind: kind.to_owned(),
        overwrite,
        file_name: file.name.to_owned(),
        mismatch: content.mismatch,
        state: ImportState::Unconfirmed,
        created_at: now,
        confirmed_at: 0,
        total: content.rows.len(),
        waiting: content.rows.into(),
        tried: 0,
        retries: Vec::new(),
        processed: 0,
        imported: 0,
        failures: Vec::new(),
        legacy,
        frozen: false,
    };
    if let Some(user) = server.user_mut(owner) {
        user.imports.push(import);
    }
    if legacy {
        confirm(world, side, owner, id);
    }
    Ok(id)
}

fn next_number(server: &mut Server) -> Id {
    server.last_import += 1;
    server.last_import
}

pub fn confirm(world: &mut World, side: Side, owner: Id, id: Id) -> bool {
    let now = world.now();
    let Some(import) = find(world, side, owner, id).filter(|import| import.state == ImportState::Unconfirmed)
    else {
        return false;
    };
    import.state = ImportState::Scheduled;
    import.confirmed_at = now;
    true
}

pub fn find(world: &mut World, side: Side, owner: Id, id: Id) -> Option<&mut Import> {
    world.server_mut(side).user_mut(owner)?.imports.iter_mut().find(|import| import.id == id)
}

/// What happens every night at four: uploads of more than ten minutes ago that were never confirmed vanish, and all of more than a week ago (facts 6.1). Until then
/// an upload can be confirmed, however old it is.
pub fn vacuum(server: &mut Server, now: Millis) {
    let owners: Vec<Id> = server.local_accounts().map(|account| account.id).collect();
    for owner in owners {
        if let Some(user) = server.user_mut(owner) {
            user.imports.retain(|import| {
                let age = now - import.created_at;
                age < 7 * DAY && (age < 10 * MINUTE || import.state != ImportState::Unconfirmed)
            });
        }
    }
}

/// Whether a night's four o'clock lies between the two times.
pub fn night_between(before: Millis, now: Millis) -> bool {
    let night = |at: Millis| (at - 4 * HOUR).div_euclid(DAY);
    before != 0 && night(before) != night(now)
}

/// `failures.csv`: the rows left, with the export's own header where there is one.
pub fn failures_file(import: &Import, version: Version) -> Vec<u8> {
    if import.kind == "custom_filters" {
        let all: Vec<serde_json::Value> = import
            .failures
            .iter()
            .filter_map(|row| serde_json::from_str(row.first()?.as_deref()?).ok())
            .collect();
        return serde_json::json!({ "custom_filters": all }).to_string().into_bytes();
    }
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    if matches!(import.kind.as_str(), "following" | "muting") {
        let _ = writer.write_record(file::columns(&import.kind));
    }
    for row in &import.failures {
        let cell = |index: usize| row.get(index).and_then(Option::as_deref);
        let flag = |index: usize, default: bool| file::boolean(cell(index), default, version).to_string();
        let first = cell(0).unwrap_or_default().to_owned();
        let _ = match import.kind.as_str() {
            "following" => writer.write_record([
                first,
                flag(1, true),
                flag(2, false),
                file::languages(cell(3)).join(", "),
            ]),
            "muting" => writer.write_record([first, flag(1, true)]),
            "lists" => writer.write_record([first, cell(1).unwrap_or_default().to_owned()]),
            _ => writer.write_record([first]),
        };
    }
    writer.into_inner().unwrap_or_default()
}

/// Domains to which the connection broke, and until when their rows fail unasked (facts 6.1).
pub type Circuits = HashMap<String, Millis>;

pub fn offers(kind: &str, version: Version) -> bool {
    match kind {
        "lists" => version.at_least(Version::V4_2),
        "custom_filters" => version.at_least(Version::V4_6),
        _ => KINDS.contains(&kind),
    }
}
