//! Imports of CSV files since 4.2 (facts 6.1): read, confirmed by hand, then worked on row by row as the servers' clock goes on.

use std::collections::BTreeSet;

use crate::clock::{Millis, SECOND};
use crate::federation::resolve;
use crate::social;
use crate::state::{Id, Import, ImportState, List, Mark, Side, World};
use crate::version::Version;

/// Rows a second; real servers are slower, tests move the clock.
const ROWS_PER_SECOND: i64 = 10;
/// How long a confirmed import waits in the queue.
const QUEUE: Millis = SECOND;
const MAX_ROWS: usize = 20_000;
const MAX_BYTES: usize = 20 * 1024 * 1024;

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

fn guess(first_header: Option<&str>, file_name: &str) -> Option<&'static str> {
    let by_name = [
        ("follows", "following"),
        ("following_accounts", "following"),
        ("mutes", "muting"),
        ("muted_accounts", "muting"),
        ("blocks", "blocking"),
        ("blocked_accounts", "blocking"),
        ("domain_blocks", "domain_blocking"),
        ("blocked_domains", "domain_blocking"),
        ("bookmarks", "bookmarks"),
        ("lists", "lists"),
    ];
    match first_header {
        Some("#domain") => return Some("domain_blocking"),
        Some("#uri") => return Some("bookmarks"),
        Some("List name") => return Some("lists"),
        _ => {}
    }
    by_name.iter().find(|(start, _)| file_name.starts_with(start)).map(|(_, kind)| *kind)
}

/// Reads a file as Mastodon does: a header only if its first cell is a known one; a byte-order mark is not removed and hides it.
fn read(kind: &str, bytes: &[u8]) -> Result<(Option<String>, Vec<Vec<String>>), String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("Empty CSV file".to_owned());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err("Invalid CSV file. Error: Invalid byte sequence in UTF-8 in line 1.".to_owned());
    };
    check_quotes(text)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows: Vec<Vec<String>> =
        reader.records().filter_map(Result::ok).map(|row| row.iter().map(str::to_owned).collect()).collect();
    rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
    let first = rows.first().and_then(|row| row.first()).map(|cell| cell.trim().to_owned());
    let known = ["Account address", "#domain", "#uri", "List name"];
    let header = first.filter(|cell| known.contains(&cell.as_str()));
    if header.is_some() {
        let names: Vec<String> = rows.remove(0).iter().map(|cell| cell.trim().to_owned()).collect();
        let wanted: &[&str] = match kind {
            "following" => &["Account address", "Show boosts", "Notify on new posts", "Languages"],
            "muting" => &["Account address", "Hide notifications"],
            "blocking" => &["Account address"],
            "lists" => &["List name", "Account address"],
            "bookmarks" => &["#uri"],
            _ => &["#domain"],
        };
        if !wanted.first().is_some_and(|name| names.iter().any(|header| header == name)) {
            return Err("Incompatible with the selected import type".to_owned());
        }
        rows = rows
            .into_iter()
            .map(|row| {
                wanted
                    .iter()
                    .map(|name| {
                        names
                            .iter()
                            .position(|header| header == name)
                            .and_then(|index| row.get(index))
                            .cloned()
                            .unwrap_or_default()
                    })
                    .collect()
            })
            .collect();
    }
    Ok((header, rows))
}

/// The one malformation that Ruby's reader complains about and ours would swallow.
fn check_quotes(text: &str) -> Result<(), String> {
    for (number, line) in text.lines().enumerate() {
        let mut rest = line;
        while let Some(open) = rest.strip_prefix('"') {
            let Some(end) = open.replace("\"\"", "  ").find('"') else { break };
            rest = open.get(end + 1..).unwrap_or("");
            if rest.is_empty() {
                break;
            }
            let Some(next) = rest.strip_prefix(',') else {
                return Err(format!(
                    "Invalid CSV file. Error: Any value after quoted field isn't allowed in line {}.",
                    number + 1
                ));
            };
            rest = next;
        }
    }
    Ok(())
}

fn clean_acct(cell: &str) -> String {
    cell.trim().trim_start_matches('@').to_owned()
}

/// Takes in an upload. `Err` is the message on the file field.
pub fn upload(
    world: &mut World,
    side: Side,
    owner: Id,
    kind: &str,
    overwrite: bool,
    file: Option<(&str, &[u8])>,
) -> Result<Id, String> {
    let Some((file_name, bytes)) = file else { return Err("can't be blank".to_owned()) };
    if bytes.len() > MAX_BYTES {
        return Err("File is too large".to_owned());
    }
    let (header, rows, mismatch);
    if kind == "custom_filters" {
        let parsed: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| format!("Invalid JSON file. Error: {error}"))?;
        let list =
            parsed.get("custom_filters").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        rows = list.iter().map(|filter| vec![filter.to_string()]).collect();
        mismatch = false;
    } else {
        (header, rows) = read(kind, bytes)?;
        mismatch = guess(header.as_deref(), file_name).is_some_and(|guessed| guessed != kind);
    }
    if rows.is_empty() {
        return Err("Empty CSV file".to_owned());
    }
    if rows.len() > MAX_ROWS {
        return Err("contains more than 20000 rows".to_owned());
    }
    let now = world.now();
    let server = world.server_mut(side);
    if kind == "following" {
        let allowed =
            if overwrite { 7_500 } else { 7_500_usize.saturating_sub(server.following_count(owner)) };
        if rows.len() > allowed {
            return Err("You cannot follow more than 7500 people".to_owned());
        }
    }
    let total = rows.len();
    let mut seen = BTreeSet::new();
    let mut waiting = std::collections::VecDeque::new();
    for mut row in rows {
        match kind {
            "following" | "muting" | "blocking" => {
                let acct = clean_acct(row.first().map_or("", String::as_str));
                if let Some(cell) = row.first_mut() {
                    cell.clone_from(&acct);
                }
                // Duplicates collapse by address although all rows were counted.
                if !seen.insert(acct) {
                    continue;
                }
            }
            "lists" => {
                if let Some(cell) = row.get_mut(1) {
                    *cell = clean_acct(cell);
                }
            }
            _ => {}
        }
        waiting.push_back(row);
    }
    let id = next_import_number(server);
    let import = Import {
        id,
        kind: kind.to_owned(),
        overwrite,
        file_name: file_name.to_owned(),
        mismatch,
        state: ImportState::Unconfirmed,
        created_at: now,
        confirmed_at: 0,
        total,
        waiting,
        processed: 0,
        imported: 0,
        failures: Vec::new(),
    };
    if let Some(user) = server.user_mut(owner) {
        user.imports.push(import);
    }
    Ok(id)
}

fn next_import_number(server: &crate::state::Server) -> Id {
    server
        .local_accounts()
        .filter_map(|account| account.user.as_ref())
        .flat_map(|user| user.imports.iter().map(|import| import.id))
        .max()
        .unwrap_or(0)
        + 1
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

fn find(world: &mut World, side: Side, owner: Id, id: Id) -> Option<&mut Import> {
    world.server_mut(side).user_mut(owner)?.imports.iter_mut().find(|import| import.id == id)
}

/// Works on every confirmed import as far as the clock allows.
pub fn advance(world: &mut World, side: Side, now: Millis) {
    let active: Vec<(Id, Id)> = world
        .server(side)
        .local_accounts()
        .filter_map(|account| account.user.as_ref().map(|user| (account.id, user)))
        .flat_map(|(owner, user)| {
            user.imports
                .iter()
                .filter(|import| matches!(import.state, ImportState::Scheduled | ImportState::InProgress))
                .map(move |import| (owner, import.id))
        })
        .collect();
    if !active.is_empty() {
        world.changed();
    }
    for (owner, id) in active {
        while let Some(import) = find(world, side, owner, id) {
            let elapsed = now - import.confirmed_at - QUEUE;
            if elapsed < 0 {
                break;
            }
            if import.state == ImportState::Scheduled {
                import.state = ImportState::InProgress;
                if import.overwrite {
                    let import = import.clone();
                    clear_for_overwrite(world, side, owner, &import);
                    continue;
                }
            }
            let due = usize::try_from(elapsed * ROWS_PER_SECOND / SECOND).unwrap_or(usize::MAX);
            if import.processed >= due {
                break;
            }
            let Some(row) = import.waiting.pop_front() else { break };
            let kind = import.kind.clone();
            let works = apply(world, side, owner, &kind, &row);
            if let Some(import) = find(world, side, owner, id) {
                import.processed += 1;
                if works {
                    import.imported += 1;
                } else {
                    import.failures.push(row);
                }
                if import.processed == import.total {
                    import.state = ImportState::Finished;
                }
            }
        }
    }
}

/// facts 6.1: overwriting first removes what the file lacks.
fn clear_for_overwrite(world: &mut World, side: Side, owner: Id, import: &Import) {
    let named: BTreeSet<String> =
        import.waiting.iter().filter_map(|row| row.first()).map(|cell| cell.to_lowercase()).collect();
    let keeps = |world: &World, id: Id| {
        let server = world.server(side);
        named.contains(&server.full_acct(id).to_lowercase())
            || server.account(id).is_some_and(|account| named.contains(&account.acct().to_lowercase()))
    };
    match import.kind.as_str() {
        "following" => {
            let gone: Vec<Id> = world
                .server(side)
                .follows
                .iter()
                .filter(|follow| follow.from == owner && !keeps(world, follow.to))
                .map(|follow| follow.to)
                .collect();
            for to in gone {
                social::unfollow(world, side, owner, to);
            }
        }
        "muting" => {
            let gone: BTreeSet<Id> = world
                .server(side)
                .mutes
                .iter()
                .filter(|mute| mute.from == owner && !keeps(world, mute.to))
                .map(|mute| mute.to)
                .collect();
            world.server_mut(side).mutes.retain(|mute| !(mute.from == owner && gone.contains(&mute.to)));
        }
        "blocking" => {
            let gone: BTreeSet<Id> = world
                .server(side)
                .blocks
                .iter()
                .filter(|block| block.from == owner && !keeps(world, block.to))
                .map(|block| block.to)
                .collect();
            world.server_mut(side).blocks.retain(|block| !(block.from == owner && gone.contains(&block.to)));
        }
        "domain_blocking" => {
            if let Some(user) = world.server_mut(side).user_mut(owner) {
                user.domain_blocks.retain(|domain| named.contains(domain));
            }
        }
        "bookmarks" => {
            let server = world.server_mut(side);
            let keep: BTreeSet<Id> = server
                .statuses
                .values()
                .filter(|status| named.contains(&status.uri.to_lowercase()))
                .map(|status| status.id)
                .collect();
            server.bookmarks.retain(|mark| mark.owner != owner || keep.contains(&mark.status));
        }
        "lists" => {
            let server = world.server_mut(side);
            server.lists.retain(|list| list.owner != owner || named.contains(&list.title.to_lowercase()));
            for list in server.lists.iter_mut().filter(|list| list.owner == owner) {
                list.members.clear();
            }
        }
        _ => world.server_mut(side).filters.retain(|filter| filter.owner != owner),
    }
}

fn truthy(cell: Option<&String>, default: bool) -> bool {
    cell.map(|cell| cell.trim().to_lowercase())
        .filter(|cell| !cell.is_empty())
        .map_or(default, |cell| cell == "true" || cell == "1")
}

fn apply(world: &mut World, side: Side, owner: Id, kind: &str, row: &[String]) -> bool {
    let first = row.first().cloned().unwrap_or_default();
    match kind {
        "following" => {
            let Some(target) = resolve(world, side, &first, false) else { return false };
            let languages: Vec<String> = row
                .get(3)
                .map(|cell| {
                    cell.split(',')
                        .map(|code| code.trim().to_owned())
                        .filter(|code| !code.is_empty())
                        .collect()
                })
                .unwrap_or_default();
            social::follow(
                world,
                side,
                owner,
                target,
                truthy(row.get(1), true),
                truthy(row.get(2), false),
                &languages,
            )
            .is_some()
        }
        "muting" => {
            let Some(target) = resolve(world, side, &first, false) else { return false };
            social::mute(world, side, owner, target, truthy(row.get(1), true), None);
            true
        }
        "blocking" => {
            let Some(target) = resolve(world, side, &first, false) else { return false };
            social::block(world, side, owner, target);
            true
        }
        "domain_blocking" => {
            let domain = first.trim().to_lowercase();
            let Some(user) = world.server_mut(side).user_mut(owner).filter(|_| domain.contains('.')) else {
                return false;
            };
            if !user.domain_blocks.contains(&domain) {
                user.domain_blocks.push(domain);
            }
            true
        }
        "bookmarks" => bookmark(world, side, owner, &first),
        "lists" => {
            let Some(target) = row.get(1).cloned().and_then(|acct| resolve(world, side, &acct, false)) else {
                return false;
            };
            // Importing a list also follows its members.
            social::follow(world, side, owner, target, true, false, &[]);
            let server = world.server_mut(side);
            if let Some(list) =
                server.lists.iter_mut().find(|list| list.owner == owner && list.title == first)
            {
                if !list.members.contains(&target) {
                    list.members.push(target);
                }
            } else {
                let id = server.next_number();
                server.lists.push(List {
                    id,
                    owner,
                    title: first,
                    replies_policy: "list".to_owned(),
                    exclusive: false,
                    members: vec![target],
                });
            }
            true
        }
        _ => crate::api::filters::import(world, side, owner, &first),
    }
}

/// Bookmarks a post by its URI; a public post of the other server is fetched.
fn bookmark(world: &mut World, side: Side, owner: Id, uri: &str) -> bool {
    let uri = uri.trim();
    let known = world.server(side).statuses.values().find(|status| status.uri == uri).map(|status| status.id);
    let status = known.or_else(|| {
        let other = side.other();
        let original = world
            .server(other)
            .statuses
            .values()
            .find(|status| status.uri == uri && status.visibility == crate::state::Visibility::Public)
            .cloned()?;
        let author = crate::federation::copy_of(world, other, original.author, side)?;
        let server = world.server_mut(side);
        let id = server.next_snowflake(original.at);
        let copy = crate::state::Status {
            id,
            author,
            thread: id,
            in_reply_to: None,
            mentions: Vec::new(),
            application: false,
            ..original
        };
        social::store(world, side, copy);
        Some(id)
    });
    let Some(status) = status else { return false };
    let server = world.server_mut(side);
    if !server.bookmarks.iter().any(|mark| mark.owner == owner && mark.status == status) {
        let id = server.next_number();
        server.bookmarks.push(Mark { id, owner, status });
    }
    true
}

/// `failures.csv`: the rows left, with the export's own header where there is one.
pub fn failures_csv(import: &Import) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let header: &[&str] = match import.kind.as_str() {
        "following" => &["Account address", "Show boosts", "Notify on new posts", "Languages"],
        "muting" => &["Account address", "Hide notifications"],
        _ => &[],
    };
    if !header.is_empty() {
        let _ = writer.write_record(header);
    }
    for row in &import.failures {
        let mut row = row.clone();
        if import.kind == "following" {
            row.resize(4, String::new());
            for (index, default) in [(1, "true"), (2, "false")] {
                if let Some(cell) = row.get_mut(index).filter(|cell| cell.is_empty()) {
                    default.clone_into(cell);
                }
            }
        }
        let _ = writer.write_record(&row);
    }
    writer.into_inner().unwrap_or_default()
}

/// The old single-step import (facts 6.2): everything at once, no result shown.
pub fn legacy(
    world: &mut World,
    side: Side,
    owner: Id,
    kind: &str,
    overwrite: bool,
    file: Option<(&str, &[u8])>,
) -> Result<(), String> {
    let id = upload(world, side, owner, kind, overwrite, file)?;
    confirm(world, side, owner, id);
    Ok(())
}

pub fn offers(kind: &str, version: Version) -> bool {
    match kind {
        "lists" => version.at_least(Version::V4_2),
        "custom_filters" => version.at_least(Version::V4_6),
        _ => KINDS.contains(&kind),
    }
}
