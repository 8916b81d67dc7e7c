//! One file on its way into the new account: uploaded, confirmed, worked on, done.

use serde_json::Value;

use crate::list::Kind;
use crate::plain::{Object, count, flag, text};
use crate::when::Time;

/// A file to be uploaded to Mastodon's own import form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: Kind,
    /// The file's name, by which the server guesses its kind too.
    pub name: String,
    pub text: String,
    pub rows: u64,
    /// Removes what is not in it. Never without having shown whom it removes.
    pub overwrite: bool,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not sent, or not known to be. `seen`: the imports that were there when somebody last looked, so that one that is new
    /// is known to be ours when the answer to the upload was lost.
    Ready { seen: Option<Vec<String>> },
    /// It waits to be confirmed, which has to be done within ten minutes (facts 6.1).
    Uploaded { id: String },
    /// The server works on it.
    Running(Run),
    /// As far as the server gets with it.
    Finished { imported: u64, failures: Failures, id: Option<String> },
    /// In the server's own words.
    Refused(String),
}

/// An import that its server works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Up to 4.1 imports have none.
    pub id: Option<String>,
    /// When it was begun, as the page writes it: how 4.2 is asked for one of which it does not tell the number.
    pub begun: String,
    pub imported: u64,
    /// When the number last grew.
    pub changed: Time,
}

/// The rows that a server could not import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failures {
    None,
    /// So many; the file is still to be fetched.
    Some(u64),
    Fetched(u64),
    /// Up to 4.1 nobody tells.
    Untold,
}

/// Rows are tried for about twenty minutes (facts 6.1, "Processing"): after so long without a change nothing comes any more.
pub const STUCK_AFTER: i64 = 30 * crate::when::MINUTE;

impl Run {
    pub fn is_stuck(&self, now: Time) -> bool {
        now.since(self.changed) >= STUCK_AFTER
    }
}

impl Stage {
    /// Nothing more is to be done, unless it takes up again.
    pub fn is_settled(&self, now: Time) -> bool {
        match self {
            Stage::Finished { .. } | Stage::Refused(_) => true,
            Stage::Running(run) => run.is_stuck(now),
            Stage::Ready { .. } | Stage::Uploaded { .. } => false,
        }
    }

    pub fn id(&self) -> &'static str {
        match self {
            Stage::Ready { .. } => "ready",
            Stage::Uploaded { .. } => "uploaded",
            Stage::Running(_) => "running",
            Stage::Finished { .. } => "finished",
            Stage::Refused(_) => "refused",
        }
    }
}

impl Piece {
    pub(super) fn write(&self, stage: &Stage, tries: u32) -> String {
        let mut object = Object::new();
        object
            .text("kind", self.kind.id())
            .text("name", &self.name)
            .number("rows", self.rows)
            .flag("overwrite", self.overwrite)
            .number("tries", tries.into())
            .text("stage", stage.id());
        match stage {
            Stage::Ready { seen } => {
                if let Some(seen) = seen {
                    object.json("seen", &super::super::pack::kept::write_names(seen));
                }
            }
            Stage::Uploaded { id } => {
                object.text("id", id);
            }
            Stage::Running(run) => {
                object
                    .maybe("id", run.id.as_deref())
                    .text("begun", &run.begun)
                    .number("imported", run.imported)
                    .time("changed", Some(run.changed));
            }
            Stage::Finished { imported, failures, id } => {
                object.maybe("id", id.as_deref()).number("imported", *imported);
                let (word, number) = match failures {
                    Failures::None => ("none", 0),
                    Failures::Some(number) => ("some", *number),
                    Failures::Fetched(number) => ("fetched", *number),
                    Failures::Untold => ("untold", 0),
                };
                object.text("failures", word).number("failed", number);
            }
            Stage::Refused(words) => {
                object.text("words", words);
            }
        }
        object.end()
    }

    /// Without its text, which is a record of its own.
    pub(super) fn read(value: &Value) -> Option<(Piece, Stage, u32)> {
        let words = |key| text(value, key).map(str::to_owned);
        let piece = Piece {
            kind: Kind::of_id(text(value, "kind")?)?,
            name: words("name")?,
            text: String::new(),
            rows: count(value, "rows")?,
            overwrite: flag(value, "overwrite"),
        };
        let imported = count(value, "imported").unwrap_or(0);
        let stage = match text(value, "stage")? {
            "uploaded" => Stage::Uploaded { id: words("id")? },
            "running" => Stage::Running(Run {
                id: words("id"),
                begun: words("begun").unwrap_or_default(),
                imported,
                changed: Time(value.get("changed")?.as_i64()?),
            }),
            "finished" => {
                let failed = count(value, "failed").unwrap_or(0);
                let failures = match text(value, "failures")? {
                    "some" => Failures::Some(failed),
                    "fetched" => Failures::Fetched(failed),
                    "untold" => Failures::Untold,
                    _ => Failures::None,
                };
                Stage::Finished { imported, failures, id: words("id") }
            }
            "refused" => Stage::Refused(words("words").unwrap_or_default()),
            _ => {
                let seen = value.get("seen").and_then(Value::as_array);
                let name = |one: &Value| one.as_str().map(str::to_owned);
                Stage::Ready { seen: seen.map(|seen| seen.iter().filter_map(name).collect()) }
            }
        };
        let tries = count(value, "tries").and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        Some((piece, stage, tries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain;

    #[test]
    fn stages_come_back_as_they_were_written() {
        let piece = Piece {
            kind: Kind::Follows,
            name: "following_accounts.csv".into(),
            text: String::new(),
            rows: 34,
            overwrite: true,
        };
        let run = Run { id: Some("7".into()), begun: "2026".into(), imported: 3, changed: Time(9) };
        let stages = [
            Stage::Ready { seen: None },
            Stage::Ready { seen: Some(vec!["5".into(), "6".into()]) },
            Stage::Uploaded { id: "7".into() },
            Stage::Running(run.clone()),
            Stage::Running(Run { id: None, ..run }),
            Stage::Finished { imported: 30, failures: Failures::Fetched(4), id: Some("7".into()) },
            Stage::Finished { imported: 30, failures: Failures::Untold, id: None },
            Stage::Refused("Invalid \"CSV\" file".into()),
        ];
        for stage in stages {
            let written = plain::json(&piece.write(&stage, 2)).unwrap();
            assert_eq!(Piece::read(&written), Some((piece.clone(), stage, 2)));
        }
    }
}
