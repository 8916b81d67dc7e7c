//! Files as Mastodon reads them: Ruby's reader with its own words for what is wrong, headers that are known or none, JSON for filters (facts 6.1).

use crate::version::Version;

/// One row in the order of the columns that its kind knows; a cell is `None` where Ruby has nil.
pub type Row = Vec<Option<String>>;

pub const MAX_ROWS: usize = 20_000;
pub const MAX_BYTES: usize = 20 * 1024 * 1024;

/// What became of an upload that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The message on the file field.
    Message(String),
    /// Mastodon raises something that nobody catches: the page of error 500.
    Crash,
}

impl Refused {
    pub fn message(text: &str) -> Self {
        Self::Message(text.to_owned())
    }
}

/// What is posted.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    pub name: &'a str,
    pub content_type: &'a str,
    pub bytes: &'a [u8],
}

/// What stands in a file.
#[derive(Clone, Debug)]
pub struct Content {
    pub rows: Vec<Row>,
    pub mismatch: bool,
}

pub fn columns(kind: &str) -> &'static [&'static str] {
    match kind {
        "following" => &["Account address", "Show boosts", "Notify on new posts", "Languages"],
        "muting" => &["Account address", "Hide notifications"],
        "blocking" => &["Account address"],
        "lists" => &["List name", "Account address"],
        "bookmarks" => &["#uri"],
        "domain_blocking" => &["#domain"],
        _ => &[],
    }
}

/// The columns of a file without a header.
fn default_columns(kind: &str) -> &'static [&'static str] {
    match kind {
        "lists" => columns(kind),
        _ => columns(kind).get(..1).unwrap_or(&[]),
    }
}

const KNOWN_FIRST: [&str; 4] = ["Account address", "#domain", "#uri", "List name"];

/// Reads an upload of 4.2 or later.
pub fn read(kind: &str, file: Upload, version: Version) -> Result<Content, Refused> {
    if file.bytes.len() > MAX_BYTES {
        return Err(Refused::message("File is too large"));
    }
    if file.content_type == "application/json" && version.at_least(Version::V4_6) {
        return read_json(kind, file.bytes);
    }
    if columns(kind).is_empty() {
        return Err(Refused::Crash);
    }
    let rows = parse(file.bytes).map_err(malformed)?;
    let mut rows = rows.into_iter();
    let Some(first) = rows.next() else { return Err(Refused::message("Empty CSV file")) };
    let has_header = first.first().and_then(Option::as_deref).is_some_and(|cell| KNOWN_FIRST.contains(&cell));
    let (headers, body): (Row, Vec<Row>) = if has_header {
        (first, rows.collect())
    } else {
        let names = default_columns(kind).iter().map(|name| Some((*name).to_owned())).collect();
        (names, std::iter::once(first).chain(rows).collect())
    };
    let position =
        |name: &str| headers.iter().position(|header| header.as_deref().is_some_and(|header| header == name));
    if default_columns(kind).iter().any(|name| position(name).is_none()) {
        return Err(Refused::message("Incompatible with the selected import type"));
    }
    if body.len() > MAX_ROWS {
        return Err(Refused::Message(format!("contains more than {MAX_ROWS} rows")));
    }
    // PostgreSQL takes no such character in JSON, which is what rows are kept as.
    if body.iter().flatten().flatten().any(|cell| cell.contains('\0')) {
        return Err(Refused::Crash);
    }
    let guessed = guess(&|name| position(name).is_some(), file.name);
    let places: Vec<(&str, Option<usize>)> =
        columns(kind).iter().map(|name| (*name, position(name))).collect();
    let rows = body
        .iter()
        .map(|row| {
            let cell = |(name, place): &(&str, Option<usize>)| {
                let cell = place.and_then(|index| row.get(index).cloned().flatten())?;
                Some(convert(name, &cell, version))
            };
            places.iter().map(cell).collect()
        })
        .collect();
    Ok(Content { rows, mismatch: guessed.is_some_and(|guessed| guessed != kind) })
}

fn convert(column: &str, cell: &str, version: Version) -> String {
    match column {
        "Account address" => {
            let cell = cell.trim();
            cell.strip_prefix('@').unwrap_or(cell).to_owned()
        }
        "#domain" if version.at_least(Version::V4_3) => cell.trim().to_lowercase(),
        "#domain" | "#uri" | "List name" => cell.trim().to_owned(),
        _ => cell.to_owned(),
    }
}

/// Rails' idea of a boolean: everything is true that is not one of a few words. Before 4.3 `False` was not one of them.
pub fn flag(cell: Option<&str>, version: Version) -> Option<bool> {
    let cell = cell.filter(|cell| !cell.is_empty())?;
    let lower = if version.at_least(Version::V4_3) { cell.to_lowercase() } else { cell.to_owned() };
    Some(!["0", "f", "F", "false", "FALSE", "off", "OFF"].contains(&lower.as_str()))
}

pub fn boolean(cell: Option<&str>, default: bool, version: Version) -> bool {
    flag(cell, version).unwrap_or(default)
}

pub fn languages(cell: Option<&str>) -> Vec<String> {
    let codes = cell.unwrap_or("").split(',').map(str::trim);
    codes.filter(|code| !code.is_empty()).map(str::to_owned).collect()
}

/// The kind that a file seems to be of, by its columns and then by the beginning of its name.
fn guess(has: &dyn Fn(&str) -> bool, name: &str) -> Option<&'static str> {
    let named = |starts: [&str; 2]| starts.iter().any(|start| name.starts_with(start));
    if has("Hide notifications") || named(["mutes", "muted_accounts"]) {
        Some("muting")
    } else if ["Show boosts", "Notify on new posts", "Languages"].iter().any(|column| has(column))
        || named(["follows", "following_accounts"])
    {
        Some("following")
    } else if named(["blocks", "blocked_accounts"]) {
        Some("blocking")
    } else if named(["domain_blocks", "blocked_domains"]) {
        Some("domain_blocking")
    } else if name.starts_with("bookmarks") {
        Some("bookmarks")
    } else if name.starts_with("lists") {
        Some("lists")
    } else {
        None
    }
}

fn read_json(kind: &str, bytes: &[u8]) -> Result<Content, Refused> {
    let parsed: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|error| Refused::Message(format!("Invalid JSON file. Error: {error}")))?;
    if kind != "custom_filters" {
        return Err(Refused::message("Incompatible with the selected import type"));
    }
    let Some(list) = parsed.get("custom_filters").and_then(serde_json::Value::as_array) else {
        return Err(Refused::Crash);
    };
    if list.is_empty() {
        // The message sits on an attribute without a field, so the form comes again without a word.
        return Err(Refused::message(""));
    }
    if list.len() > MAX_ROWS {
        return Err(Refused::Message(format!("contains more than {MAX_ROWS} rows")));
    }
    Ok(Content { rows: list.iter().map(|filter| vec![Some(filter.to_string())]).collect(), mismatch: false })
}

/// Reads an upload of 4.1 or before (facts 6.2): a header if the first cell contains a space.
pub fn read_legacy(kind: &str, file: Upload, version: Version) -> Result<Content, Refused> {
    if !["text/plain", "text/csv", "application/csv"].contains(&file.content_type) {
        return Err(Refused::message("is invalid"));
    }
    let wrong = |_: Malformed| {
        if version.at_least(Version::V4_1) { Refused::message("is malformed") } else { Refused::Crash }
    };
    let all = parse(file.bytes).map_err(wrong)?;
    let first = |row: &Row| row.first().cloned().flatten().unwrap_or_default();
    let has_header = all.first().is_some_and(|row| first(row).trim().contains(' '));
    let counted =
        all.len() - usize::from(all.first().is_some_and(|row| KNOWN_FIRST.contains(&first(row).as_str())));
    if counted > MAX_ROWS {
        return Err(Refused::Message(format!("contains more than {MAX_ROWS} rows")));
    }
    let headers: Vec<String> = if has_header {
        all.first().into_iter().flatten().map(|cell| cell.clone().unwrap_or_default()).collect()
    } else {
        vec![columns(kind).first().copied().unwrap_or_default().to_owned()]
    };
    let rows = all
        .iter()
        .skip(usize::from(has_header))
        .map(|row| {
            let cell = |name: &&str| {
                let index = headers.iter().position(|header| header == name)?;
                row.get(index).cloned().flatten().map(|cell| cell.trim().to_owned())
            };
            columns(kind).iter().map(cell).collect::<Row>()
        })
        .filter(|row| row.first().is_some_and(|cell| cell.as_deref().is_some_and(|cell| !cell.is_empty())))
        .collect();
    Ok(Content { rows, mismatch: false })
}

/// What Ruby's reader has to say, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Malformed {
    text: String,
    line: usize,
}

fn malformed(error: Malformed) -> Refused {
    Refused::Message(format!("Invalid CSV file. Error: {} in line {}.", error.text, error.line))
}

/// Ruby's `CSV` with `skip_blanks`: the first end of a line decides what ends all of them, quotes are strict.
fn parse(bytes: &[u8]) -> Result<Vec<Row>, Malformed> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or(&[]);
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            return Err(Malformed { text: "Invalid byte sequence in UTF-8".to_owned(), line });
        }
    };
    let separator = match text.find(['\r', '\n']) {
        Some(at) if text[at..].starts_with("\r\n") => "\r\n",
        Some(at) if text[at..].starts_with('\r') => "\r",
        _ => "\n",
    };
    let end_of_line = |rest: &str| {
        ["\r\n", "\n", "\r"].into_iter().find(|end| rest.starts_with(end)).map(|end| format!("{end:?}"))
    };
    let (mut rows, mut row, mut rest, mut line) = (Vec::new(), Row::new(), text, 1);
    while !rest.is_empty() {
        let wrong = |text: String| Err(Malformed { text, line });
        // One cell.
        let cell = if let Some(mut open) = rest.strip_prefix('"') {
            let mut value = String::new();
            loop {
                let Some(end) = open.find('"') else { return wrong("Unclosed quoted field".to_owned()) };
                value.push_str(&open[..end]);
                open = &open[end + 1..];
                let Some(more) = open.strip_prefix('"') else { break };
                value.push('"');
                open = more;
            }
            rest = open;
            if !(rest.is_empty() || rest.starts_with(',') || rest.starts_with(separator)) {
                return wrong("Any value after quoted field isn't allowed".to_owned());
            }
            Some(value)
        } else {
            let end = rest.find([',', '"', '\r', '\n']).unwrap_or(rest.len());
            let (value, after) = rest.split_at(end);
            rest = after;
            if rest.starts_with('"') {
                return wrong("Illegal quoting".to_owned());
            }
            if !rest.starts_with(separator)
                && let Some(end) = end_of_line(rest)
            {
                return wrong(if value.is_empty() {
                    format!("New line must be <{separator:?}> not <{end}>")
                } else {
                    format!("Unquoted fields do not allow new line <{end}>")
                });
            }
            (!value.is_empty()).then(|| value.to_owned())
        };
        row.push(cell);
        if let Some(more) = rest.strip_prefix(',') {
            rest = more;
            if rest.is_empty() {
                row.push(None);
            }
            continue;
        }
        rest = rest.strip_prefix(separator).unwrap_or(rest);
        line += 1;
        let done = std::mem::take(&mut row);
        if done.len() > 1 || done.iter().any(Option::is_some) {
            rows.push(done);
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        match read(
            "following",
            Upload { name: "x.csv", content_type: "text/csv", bytes: text.as_bytes() },
            Version::V4_6,
        ) {
            Ok(content) => format!("{} rows", content.rows.len()),
            Err(Refused::Message(text)) => text,
            Err(Refused::Crash) => "crash".to_owned(),
        }
    }

    #[test]
    fn reads_as_ruby_does() {
        assert_eq!(
            message("\"a\"b,c\n"),
            "Invalid CSV file. Error: Any value after quoted field isn't allowed in line 1."
        );
        assert_eq!(message("a\n\"b\n"), "Invalid CSV file. Error: Unclosed quoted field in line 2.");
        assert_eq!(message("a\nb\"c\n"), "Invalid CSV file. Error: Illegal quoting in line 2.");
        assert_eq!(
            message("a\nb\r\n"),
            "Invalid CSV file. Error: Unquoted fields do not allow new line <\"\\r\\n\"> in line 2."
        );
        assert_eq!(message("\n\n"), "Empty CSV file");
        assert_eq!(message("Account address\n"), "0 rows");
        assert_eq!(message("a@b.example\r\nc@d.example\r\n"), "2 rows");
        assert_eq!(message("a\0\n"), "crash");
        assert_eq!(message("#uri\nx\n"), "Incompatible with the selected import type");
        assert_eq!(message(&"a\n".repeat(20_001)), "contains more than 20000 rows");
    }

    #[test]
    fn a_mark_before_the_header_hides_it() {
        let text = "\u{feff}Account address,Show boosts\nann@x.example,false\n";
        let file = Upload { name: "follows.csv", content_type: "text/csv", bytes: text.as_bytes() };
        let content = read("following", file, Version::V4_6).unwrap();
        assert_eq!(content.rows.len(), 2, "the header has become a row");
        assert_eq!(
            content.rows[1],
            [Some("ann@x.example".to_owned()), None, None, None],
            "and the columns are lost"
        );
        let file = Upload { name: "follows.csv", content_type: "text/csv", bytes: text.as_bytes() };
        assert_eq!(
            read_legacy("following", file, Version::V4_1).unwrap().rows.len(),
            0,
            "4.1 finds a header of another name"
        );
    }
}
