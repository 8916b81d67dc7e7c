//! The work itself: one row after another, those that failed for a passing reason again later (facts 6.1).

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::{Import, ImportState, Retry, Row, file, find};
use crate::clock::{MINUTE, Millis, SECOND};
use crate::federation::{Look, look};
use crate::social::{self, Denied, Wishes};
use crate::state::{Id, List, Mark, Side, World};
use crate::version::Version;
use crate::{api, federation};

/// The time for one row; real servers are slower, tests move the clock.
const ROW: Millis = SECOND / 10;
/// How long a confirmed import waits in the queue.
const QUEUE: Millis = SECOND;
/// How often a row is tried again, in 4.2 and later and before (facts 6.1, 6.2).
const RETRIES: u32 = 6;
const LEGACY_RETRIES: u32 = 8;
/// For how long the rows of a domain fail unasked after one network error.
const COOL_OFF: Millis = 5 * MINUTE;

/// Sidekiq's pause before the next try; its chance is left out. Six of them are nineteen and a half minutes.
fn pause(tries: u32) -> Millis {
    let count = Millis::from(tries);
    (count.pow(4) + 15 + 5 * (count + 1)) * SECOND
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Imported,
    Failed,
    /// An error was raised; the job comes again.
    Raised,
}

/// Works on every confirmed import as far as the clock allows.
pub fn advance(world: &mut World, side: Side, now: Millis) {
    let active: Vec<(Id, Id)> = world
        .server(side)
        .local_accounts()
        .filter_map(|account| account.user.as_ref().map(|user| (account.id, user)))
        .flat_map(|(owner, user)| {
            let open = |import: &&Import| {
                !import.frozen && matches!(import.state, ImportState::Scheduled | ImportState::InProgress)
            };
            user.imports.iter().filter(open).map(move |import| (owner, import.id))
        })
        .collect();
    if !active.is_empty() {
        world.changed();
    }
    for (owner, id) in active {
        while let Some(import) = find(world, side, owner, id) {
            let begun = import.confirmed_at + QUEUE;
            if begun > now {
                break;
            }
            if import.state == ImportState::Scheduled {
                import.state = ImportState::InProgress;
                begin(world, side, owner, id);
                continue;
            }
            if import.state == ImportState::Finished {
                break;
            }
            // Whatever is due first: the next new row, or one that is tried again.
            let tried = Millis::try_from(import.tried).unwrap_or(Millis::MAX);
            let next = (!import.waiting.is_empty()).then(|| begun + (tried + 1) * ROW);
            let again = import.retries.iter().enumerate().min_by_key(|(_, retry)| retry.due);
            let again = again.map(|(place, retry)| (place, retry.due));
            let (at, retry) = match (next, again) {
                (Some(next), Some((place, due))) if due < next => (due, Some(place)),
                (None, Some((place, due))) => (due, Some(place)),
                (Some(next), _) => (next, None),
                (None, None) => break,
            };
            if at > now {
                break;
            }
            let (row, tries) = match retry {
                Some(place) => {
                    let retry = import.retries.remove(place);
                    (retry.row, retry.tries + 1)
                }
                None => {
                    import.tried += 1;
                    let Some(row) = import.waiting.pop_front() else { break };
                    (row, 0)
                }
            };
            let kind = import.kind.clone();
            let most = if import.legacy { LEGACY_RETRIES } else { RETRIES };
            let outcome = apply(world, side, owner, &kind, &row, at);
            let Some(import) = find(world, side, owner, id) else { break };
            match outcome {
                Outcome::Raised if tries < most => {
                    import.retries.push(Retry { due: at + pause(tries), tries, row });
                    continue;
                }
                Outcome::Imported => import.imported += 1,
                Outcome::Failed | Outcome::Raised => import.failures.push(row),
            }
            import.processed += 1;
            finish_if_done(import);
        }
    }
}

fn finish_if_done(import: &mut Import) {
    // Old ones have no counts, and so nothing in which doubled rows could make them stick.
    let legacy_done = import.legacy && import.waiting.is_empty() && import.retries.is_empty();
    if import.processed == import.total || legacy_done {
        import.state = ImportState::Finished;
    }
}

/// What Mastodon does before it looks at single rows: doubled ones collapse, and overwriting removes what the file lacks.
fn begin(world: &mut World, side: Side, owner: Id, id: Id) {
    let own = format!("@{}", world.server(side).domain);
    let Some(import) = find(world, side, owner, id) else { return };
    let (kind, overwrite, legacy) = (import.kind.clone(), import.overwrite, import.legacy);
    let rows = std::mem::take(&mut import.waiting);
    let name = |row: &Row| {
        let cell = row.first().cloned().flatten()?;
        Some(cell.strip_suffix(&own).map_or(cell.clone(), str::to_owned))
    };
    if matches!(kind.as_str(), "following" | "muting" | "blocking")
        && rows.iter().any(|row| name(row).is_none())
    {
        // A row without its first cell makes the whole job fail: "finished", nothing done, no failures to be had.
        import.state = ImportState::Finished;
        return;
    }
    // By address or post: the place of the first, the content of the last.
    let rows = if matches!(kind.as_str(), "following" | "muting" | "blocking" | "bookmarks") {
        let (mut all, mut places): (Vec<Row>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
        for row in rows {
            let key = name(&row).unwrap_or_default();
            match places.get(&key).and_then(|place| all.get_mut(*place)) {
                Some(earlier) => *earlier = row,
                None => {
                    places.insert(key, all.len());
                    all.push(row);
                }
            }
        }
        all
    } else {
        rows.into_iter().collect()
    };
    if kind == "domain_blocking" {
        return domain_blocks(world, side, owner, id, &rows);
    }
    let kept =
        if overwrite { clear_for_overwrite(world, side, owner, &kind, &rows) } else { BTreeSet::new() };
    if kind == "lists" {
        for title in rows.iter().filter_map(|row| row.first().cloned().flatten()) {
            list_of(world, side, owner, &title);
        }
    }
    let version = world.server(side).version;
    let (mut waiting, mut done) = (VecDeque::new(), 0);
    for row in rows {
        let key = name(&row).unwrap_or_default().to_lowercase();
        if !kept.contains(&key) || legacy {
            waiting.push_back(row);
            continue;
        }
        // What stays is brought up to date at once.
        done += 1;
        let cell = |index: usize| row.get(index).and_then(Option::as_deref);
        if let Some(target) = world.server(side).find_acct(&key) {
            if kind == "following" {
                let _ = social::try_follow(world, side, owner, target, &wishes(&row, version));
            } else if kind == "muting" {
                social::mute(world, side, owner, target, file::boolean(cell(1), true, version), None);
            }
        }
    }
    if let Some(import) = find(world, side, owner, id) {
        import.waiting = waiting;
        import.processed += done;
        import.imported += done;
        finish_if_done(import);
    }
}

/// All at once; the first that is no domain ends the job, which is "finished" then.
fn domain_blocks(world: &mut World, side: Side, owner: Id, id: Id, rows: &[Row]) {
    let named: BTreeSet<String> = rows.iter().filter_map(|row| row.first().cloned().flatten()).collect();
    let overwrite = find(world, side, owner, id).is_some_and(|import| import.overwrite);
    if let Some(user) = world.server_mut(side).user_mut(owner).filter(|_| overwrite) {
        user.domain_blocks.retain(|domain| named.contains(domain));
    }
    let mut all = true;
    for row in rows {
        let domain = row.first().cloned().flatten().unwrap_or_default();
        if !social::is_domain(&domain) {
            all = false;
            break;
        }
        social::block_domain(world, side, owner, &domain);
    }
    if let Some(import) = find(world, side, owner, id) {
        import.state = ImportState::Finished;
        if all {
            (import.processed, import.imported) = (import.total, import.total);
        }
    }
}

/// facts 6.1: overwriting first removes what the file lacks. Answers what was there already and stays, by the name in the file, in lower case.
fn clear_for_overwrite(
    world: &mut World,
    side: Side,
    owner: Id,
    kind: &str,
    rows: &[Row],
) -> BTreeSet<String> {
    let own = format!("@{}", world.server(side).domain);
    let named: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| row.first().cloned().flatten())
        .map(|cell| cell.strip_suffix(&own).map_or(cell.clone(), str::to_owned).to_lowercase())
        .collect();
    let server = world.server(side);
    let acct = |id: &Id| server.account(*id).map(|account| account.acct().to_lowercase()).unwrap_or_default();
    let people: Vec<Id> = match kind {
        "following" => server.follows.of(owner).map(|follow| follow.to).collect(),
        "muting" => server.mutes.iter().filter(|mute| mute.from == owner).map(|mute| mute.to).collect(),
        "blocking" => {
            server.blocks.iter().filter(|block| block.from == owner).map(|block| block.to).collect()
        }
        _ => Vec::new(),
    };
    let (stay, go): (Vec<Id>, Vec<Id>) = people.into_iter().partition(|id| named.contains(&acct(id)));
    let mut kept: BTreeSet<String> = stay.iter().map(acct).collect();
    match kind {
        "following" => {
            for to in go {
                social::unfollow(world, side, owner, to);
            }
        }
        "muting" => {
            world.server_mut(side).mutes.retain(|mute| !(mute.from == owner && go.contains(&mute.to)));
        }
        "blocking" => {
            for to in go {
                social::unblock(world, side, owner, to);
            }
        }
        "bookmarks" => {
            let server = world.server_mut(side);
            let uri = |id: &Id| server.statuses.get(id).map(|status| status.uri.clone()).unwrap_or_default();
            let named: BTreeSet<String> =
                rows.iter().filter_map(|row| row.first().cloned().flatten()).collect();
            let own: Vec<Id> =
                server.bookmarks.iter().filter(|mark| mark.owner == owner).map(|mark| mark.status).collect();
            kept =
                own.iter().map(uri).filter(|uri| named.contains(uri)).map(|uri| uri.to_lowercase()).collect();
            let gone: BTreeSet<Id> = own.into_iter().filter(|id| !named.contains(&uri(id))).collect();
            server.bookmarks.retain(|mark| mark.owner != owner || !gone.contains(&mark.status));
        }
        "lists" => {
            let titles: BTreeSet<String> =
                rows.iter().filter_map(|row| row.first().cloned().flatten()).collect();
            let server = world.server_mut(side);
            server.lists.retain(|list| list.owner != owner || titles.contains(&list.title));
            for list in server.lists.iter_mut().filter(|list| list.owner == owner) {
                list.members.clear();
            }
        }
        _ => {
            let title = |row: &Row| {
                let text = row.first().cloned().flatten()?;
                let value: serde_json::Value = serde_json::from_str(&text).ok()?;
                Some(value.get("title")?.as_str()?.to_owned())
            };
            let titles: BTreeSet<String> = rows.iter().filter_map(title).collect();
            let server = world.server_mut(side);
            server.filters.retain(|filter| filter.owner != owner || titles.contains(&filter.title));
        }
    }
    kept
}

fn list_of(world: &mut World, side: Side, owner: Id, title: &str) -> usize {
    let server = world.server_mut(side);
    let place = server.lists.iter().position(|list| list.owner == owner && list.title == title);
    place.unwrap_or_else(|| {
        let id = server.next_number();
        server.lists.push(List {
            id,
            owner,
            title: title.to_owned(),
            replies_policy: "list".to_owned(),
            exclusive: false,
            members: Vec::new(),
        });
        server.lists.len() - 1
    })
}

/// Asks for an account behind the circuit breaker of its domain.
fn target(world: &mut World, side: Side, acct: &str, at: Millis) -> Option<Id> {
    let domain = acct.split_once('@').map(|(_, domain)| domain.to_lowercase());
    let domain = domain.filter(|domain| *domain != world.server(side).domain);
    if let Some(domain) = &domain
        && world.server(side).circuits.get(domain).is_some_and(|until| *until > at)
    {
        return None;
    }
    match look(world, side, acct, false) {
        Look::Found(id) => Some(id),
        Look::Nobody => None,
        Look::Unreachable => {
            if let Some(domain) = domain {
                world.server_mut(side).circuits.insert(domain, at + COOL_OFF);
            }
            None
        }
    }
}

fn apply(world: &mut World, side: Side, owner: Id, kind: &str, row: &Row, at: Millis) -> Outcome {
    let version = world.server(side).version;
    let cell = |index: usize| row.get(index).and_then(Option::as_deref);
    let first = cell(0).unwrap_or_default().to_owned();
    let done = |works: bool| if works { Outcome::Imported } else { Outcome::Failed };
    match kind {
        "following" | "muting" | "blocking" => {
            let Some(target) = target(world, side, &first, at) else { return Outcome::Failed };
            match kind {
                "following" => outcome(social::try_follow(world, side, owner, target, &wishes(row, version))),
                "muting" => {
                    if target != owner {
                        social::mute(world, side, owner, target, file::boolean(cell(1), true, version), None);
                    }
                    Outcome::Imported
                }
                _ => {
                    if target != owner {
                        social::block(world, side, owner, target);
                    }
                    Outcome::Imported
                }
            }
        }
        "lists" => {
            // A row without an address raises, and goes on raising.
            let Some(acct) = cell(1).map(str::to_owned) else { return Outcome::Raised };
            let Some(target) = target(world, side, &acct, at) else { return Outcome::Failed };
            let place = list_of(world, side, owner, &first);
            // Importing a list also follows its members.
            if target != owner {
                let followed = social::try_follow(world, side, owner, target, &Wishes::default());
                if followed.is_err() {
                    return outcome(followed);
                }
            }
            let Some(list) = world.server_mut(side).lists.get_mut(place) else { return Outcome::Raised };
            if list.members.contains(&target) {
                // "Account is already on the list".
                return Outcome::Raised;
            }
            list.members.push(target);
            Outcome::Imported
        }
        "bookmarks" => done(bookmark(world, side, owner, first.trim(), at)),
        _ => {
            if api::filters::import(world, side, owner, &first) {
                Outcome::Imported
            } else {
                Outcome::Raised
            }
        }
    }
}

/// What a row says about the follow.
fn wishes(row: &Row, version: Version) -> Wishes {
    let cell = |index: usize| row.get(index).and_then(Option::as_deref);
    let languages = file::languages(cell(3));
    Wishes {
        reblogs: file::flag(cell(1), version),
        notify: file::flag(cell(2), version),
        languages: (!languages.is_empty()).then_some(languages),
    }
}

fn outcome(followed: Result<bool, Denied>) -> Outcome {
    match followed {
        // A request to somebody who is locked counts as imported.
        Ok(_) => Outcome::Imported,
        Err(Denied::NotFound) => Outcome::Failed,
        Err(Denied::NotPermitted | Denied::Limit(_)) => Outcome::Raised,
    }
}

/// Bookmarks a post by its URI; a public post of another server is fetched.
fn bookmark(world: &mut World, side: Side, owner: Id, uri: &str, at: Millis) -> bool {
    let server = world.server(side);
    let known = server.statuses.values().find(|status| status.uri == uri);
    let status = match known {
        Some(status) => social::may_read(server, status, Some(owner)).then_some(status.id),
        None => fetch_status(world, side, uri, at),
    };
    let Some(status) = status else { return false };
    let server = world.server_mut(side);
    if !server.bookmarks.iter().any(|mark| mark.owner == owner && mark.status == status) {
        let id = server.next_number();
        server.bookmarks.push(Mark { id, owner, status });
    }
    true
}

fn fetch_status(world: &mut World, side: Side, uri: &str, at: Millis) -> Option<Id> {
    let host = uri.split("://").nth(1)?.split('/').next()?.to_lowercase();
    let server = world.server(side);
    let shut = server.circuits.get(&host).is_some_and(|until| *until > at);
    if host == server.domain || shut || federation::is_blocked_domain(server, &host) {
        return None;
    }
    if world.silent.contains(&host) {
        world.server_mut(side).circuits.insert(host, at + COOL_OFF);
        return None;
    }
    if world.deleted.contains(uri) {
        return None;
    }
    let other = side.other();
    let original = world
        .server(other)
        .statuses
        .values()
        .find(|status| {
            status.uri == uri
                && matches!(
                    status.visibility,
                    crate::state::Visibility::Public | crate::state::Visibility::Unlisted
                )
        })
        .cloned()?;
    let author = federation::copy_of(world, other, original.author, side)?;
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
}
