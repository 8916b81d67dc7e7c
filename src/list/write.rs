//! What Mastodon reads, and tables for spreadsheets.

use super::clean::Plan;
use super::filters;
use super::row::Row;
use super::{Kind, MAX_BYTES, MAX_ROWS};

/// What a server understands in an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// 4.2 and later: imports in two steps, which know the header of each kind. Before, a header is one only if its first
    /// cell has a space in it (facts 6.2).
    pub headers: bool,
    /// 4.0 and later: notifications and languages of follows (facts 5).
    pub four_columns: bool,
}

impl Takes {
    pub const NOW: Takes = Takes { headers: true, four_columns: true };
}

/// A file to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub file_name: String,
    pub text: String,
    pub rows: usize,
}

/// The header of a file. Mastodon's exports have one for follows and mutes alone; ours have one wherever the server knows it
/// (facts 6.1, "header detection"): without, the first row would be taken for one if its first cell happened to be called so,
/// as a list called "Account address" does, and the ends of lines would be guessed from whatever title comes first.
fn header(kind: Kind, takes: Takes) -> &'static str {
    match kind {
        Kind::Follows if takes.four_columns => "Account address,Show boosts,Notify on new posts,Languages\n",
        Kind::Follows => "Account address,Show boosts\n",
        Kind::Mutes => "Account address,Hide notifications\n",
        Kind::Blocks => "Account address\n",
        Kind::Lists => "List name,Account address\n",
        // Older servers would block the domain "#domain".
        Kind::DomainBlocks if takes.headers => "#domain\n",
        Kind::Bookmarks if takes.headers => "#uri\n",
        Kind::DomainBlocks | Kind::Bookmarks | Kind::Filters => "",
    }
}

/// The files of a plan, each small enough for a server: UTF-8 without a mark, lines that end in LF (facts 6.1).
pub fn mastodon(plan: &Plan, takes: Takes) -> Vec<Upload> {
    // Servers that do not know every header may count it as a row (`app/validators/import_validator.rb`).
    let most = if takes.headers { MAX_ROWS } else { MAX_ROWS - 1 };
    if plan.kind == Kind::Filters {
        return filters(plan, most);
    }
    let header = header(plan.kind, takes);
    let mut files: Vec<Upload> = Vec::new();
    let mut line = String::new();
    for row in &plan.upload {
        line.clear();
        write(row, plan.kind, takes, &mut line);
        let full = |file: &Upload| file.rows >= most || file.text.len() + line.len() > MAX_BYTES;
        if files.last().is_none_or(full) {
            files.push(Upload { file_name: String::new(), text: header.to_owned(), rows: 0 });
        }
        if let Some(file) = files.last_mut() {
            file.text.push_str(&line);
            file.rows += 1;
        }
    }
    named(files, plan.kind)
}

fn filters(plan: &Plan, most: usize) -> Vec<Upload> {
    let mut files = Vec::new();
    let mut rest = plan.upload.as_slice();
    while !rest.is_empty() {
        let mut size = 64;
        let fits = |row: &&Row| {
            size += row.json().len() + 1;
            size <= MAX_BYTES
        };
        // One that is too large by itself is written all the same, and the server says so.
        let count = rest.iter().take(most).take_while(fits).count().max(1);
        let (file, after) = rest.split_at(count);
        let text = filters::file(file.iter().map(|row| row.json().to_owned()));
        files.push(Upload { file_name: String::new(), text, rows: count });
        rest = after;
    }
    named(files, plan.kind)
}

/// Mastodon's own name, by whose beginning it guesses the kind; with a number where there are several.
fn named(mut files: Vec<Upload>, kind: Kind) -> Vec<Upload> {
    let several = files.len() > 1;
    for (at, file) in files.iter_mut().enumerate() {
        file.file_name = match kind.file().rsplit_once('.') {
            Some((stem, extension)) if several => format!("{stem}-{}.{extension}", at + 1),
            _ => kind.file().to_owned(),
        };
    }
    files
}

fn write(row: &Row, kind: Kind, takes: Takes, out: &mut String) {
    let settings = row.settings;
    match kind {
        Kind::Lists => {
            cell(row.list(), out);
            out.push(',');
            cell(row.name(), out);
        }
        _ => cell(row.name(), out),
    }
    match kind {
        Kind::Follows => {
            flag(settings.boosts, out);
            if takes.four_columns {
                flag(settings.notify, out);
                out.push(',');
                cell(row.languages(), out);
            }
        }
        Kind::Mutes => flag(settings.hide_notifications, out),
        _ => {}
    }
    out.push('\n');
}

/// An empty cell leaves it to the server.
fn flag(flag: Option<bool>, out: &mut String) {
    out.push_str(match flag {
        Some(true) => ",true",
        Some(false) => ",false",
        None => ",",
    });
}

fn cell(text: &str, out: &mut String) {
    if !text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for part in text.split_inclusive('"') {
        out.push_str(part);
        if part.ends_with('"') {
            out.push('"');
        }
    }
    out.push('"');
}

/// A table for spreadsheets: with a mark, so that they take it for UTF-8, and with nothing in it that they would take for a
/// formula. Not for Mastodon.
pub fn table(rows: &[Vec<String>]) -> String {
    let mut out = "\u{feff}".to_owned();
    for row in rows {
        let mut first = true;
        for text in row {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            // Some look for a formula behind blanks, too.
            let formula = text.starts_with(['\t', '\r', '\n'])
                || text
                    .trim_start()
                    .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
            if formula {
                cell(&format!("'{text}"), &mut out);
            } else {
                cell(text, &mut out);
            }
        }
        out.push_str("\r\n");
    }
    out
}
