//! `/settings/export` and the files (facts 5).

use std::fmt::Write;

use maud::html;
use serde_json::json;

use super::{Visit, layout};
use crate::clock::{self, DAY};
use crate::http::{Kind, Reply};
use crate::state::{Id, Server};
use crate::version::Version;

pub fn route(visit: &mut Visit, rest: &[&str]) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    match (visit.request.method.as_str(), rest) {
        ("GET", ["export"]) => page(visit, me),
        ("POST", ["export"]) => {
            let now = visit.now();
            if let Some(user) = visit.server_mut().user_mut(me) {
                user.backup_requested_at = Some(now);
            }
            visit.redirect("/settings/export")
        }
        ("GET", ["exports", name]) => {
            file(visit.server(), me, name).unwrap_or_else(|| layout::not_found(visit.server()))
        }
        _ => layout::not_found(visit.server()),
    }
}

/// Thousands as English has them.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn page(visit: &mut Visit, me: Id) -> Reply {
    let now = visit.now();
    let server = visit.server();
    let version = server.version;
    let user = server.user(me);
    let mutes = server.mutes.iter().filter(|mute| mute.from == me).count();
    let blocks = server.blocks.iter().filter(|block| block.from == me).count();
    let mut rows = vec![
        ("Posts", server.statuses_count(me), None),
        ("Follows", server.following_count(me), Some("follows.csv")),
        ("Lists", server.lists.iter().filter(|list| list.owner == me).count(), Some("lists.csv")),
        ("Followers", server.followers_count(me), None),
    ];
    let (mute_row, block_row) =
        (("You mute", mutes, Some("mutes.csv")), ("You block", blocks, Some("blocks.csv")));
    rows.extend(if version.at_least(Version::V4_3) { [mute_row, block_row] } else { [block_row, mute_row] });
    rows.push(("Domain blocks", user.map_or(0, |user| user.domain_blocks.len()), Some("domain_blocks.csv")));
    rows.push((
        "Bookmarks",
        server.bookmarks.iter().filter(|mark| mark.owner == me).count(),
        Some("bookmarks.csv"),
    ));
    if version.at_least(Version::V4_6) {
        rows.push((
            "Filters",
            server.filters.iter().filter(|filter| filter.owner == me).count(),
            Some("custom_filters.json"),
        ));
    }
    let requested = user.and_then(|user| user.backup_requested_at);
    let may_request = requested.is_none_or(|at| now - at > 6 * DAY);
    let title = if version.at_least(Version::V4_3) { "Export" } else { "Data export" };
    let content = html! {
        div class="table-wrapper" {
            table class="table" {
                tbody {
                    tr { th { "Media storage" } td { "0 Bytes" } td {} }
                    @for (label, count, name) in &rows {
                        tr {
                            th { (label) }
                            td { (grouped(*count)) }
                            td { @if let Some(name) = name { a class="table-action-link" href={ "/settings/exports/" (name) } { (layout::icon()) " " (if name.ends_with("json") { "JSON" } else { "CSV" }) } } }
                        }
                    }
                }
            }
        }
        hr class="spacer";
        p class="muted-hint" {
            "You can request an archive of your " strong { "posts and uploaded media" } ". The exported data will be in the ActivityPub format, readable by any compliant software. You can request an archive every 7 days."
        }
        @if may_request { p { a class="button" rel="nofollow" data-method="post" href="/settings/export" { "Request your archive" } } }
        @if let Some(at) = requested {
            hr class="spacer";
            div class="table-wrapper" {
                table class="table" {
                    thead { tr { th { "Date" } th { "Size" } th {} } }
                    tbody { tr { td { time class="formatted" datetime=(clock::iso_seconds(at)) { (clock::english(at)) } } td { "In progress…" } td {} } }
                }
            }
        }
    };
    layout::admin(visit, title, &content)
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// One of the files, newest relationship first where the table has an order.
pub fn file(server: &Server, me: Id, name: &str) -> Option<Reply> {
    let mut out = String::new();
    let file_name = match name {
        "follows.csv" => {
            let wide = server.version.at_least(Version::V4_1);
            out.push_str(if wide {
                "Account address,Show boosts,Notify on new posts,Languages\n"
            } else {
                "Account address,Show boosts\n"
            });
            for follow in server.follows.of(me).rev() {
                let _ = write!(out, "{},{}", server.full_acct(follow.to), follow.reblogs);
                if wide {
                    let _ = write!(out, ",{},{}", follow.notify, cell(&follow.languages.join(", ")));
                }
                out.push('\n');
            }
            "following_accounts.csv"
        }
        "mutes.csv" => {
            out.push_str("Account address,Hide notifications\n");
            for mute in server.mutes.iter().rev().filter(|mute| mute.from == me) {
                let _ = writeln!(out, "{},{}", server.full_acct(mute.to), mute.notifications);
            }
            "muted_accounts.csv"
        }
        "blocks.csv" => {
            for block in server.blocks.iter().rev().filter(|block| block.from == me) {
                let _ = writeln!(out, "{}", server.full_acct(block.to));
            }
            "blocked_accounts.csv"
        }
        "lists.csv" => {
            for list in server.lists.iter().filter(|list| list.owner == me) {
                for member in &list.members {
                    let _ = writeln!(out, "{},{}", cell(&list.title), server.full_acct(*member));
                }
            }
            "lists.csv"
        }
        "domain_blocks.csv" => {
            for domain in &server.user(me)?.domain_blocks {
                let _ = writeln!(out, "{domain}");
            }
            "blocked_domains.csv"
        }
        "bookmarks.csv" => {
            for mark in server.bookmarks.iter().rev().filter(|mark| mark.owner == me) {
                if let Some(status) = server.statuses.get(&mark.status) {
                    let _ = writeln!(out, "{}", status.uri);
                }
            }
            "bookmarks.csv"
        }
        "custom_filters.json" if server.version.at_least(Version::V4_6) => {
            let filters: Vec<_> = server
                .filters
                .iter()
                .filter(|filter| filter.owner == me)
                .map(|filter| {
                    let statuses: Vec<&str> = filter.statuses.iter().filter_map(|(_, status)| server.statuses.get(status)).map(|status| status.uri.as_str()).collect();
                    let keywords: Vec<_> = filter.keywords.iter().map(|(_, keyword, whole)| json!({ "keyword": keyword, "whole_word": whole })).collect();
                    json!({
                        "title": filter.title, "expires_at": filter.expires_at.map(clock::iso_millis), "context": filter.context, "action": filter.action,
                        "keywords_attributes": keywords, "statuses": statuses,
                    })
                })
                .collect();
            out = json!({ "custom_filters": filters }).to_string();
            "custom_filters.json"
        }
        _ => return None,
    };
    let content_type = if file_name.ends_with("json") { "application/json" } else { "text/csv" };
    Some(attachment(content_type, file_name, out.into_bytes()))
}

pub fn attachment(content_type: &str, file_name: &str, body: Vec<u8>) -> Reply {
    Reply::new(200, Kind::Page, content_type, body)
        .with(
            "content-disposition",
            &format!("attachment; filename=\"{file_name}\"; filename*=UTF-8''{file_name}"),
        )
        .with("content-transfer-encoding", "binary")
}
