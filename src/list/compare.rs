//! What is there, what is missing, what has changed.

use std::sync::Arc;

use super::Kind;
use super::clean::Plan;
use super::guess::Sure;
use super::index::Index;
use super::read::{ReadError, Sheet, read};
use super::row::{BETWEEN, Draft, Row};
use super::rows::Rows;
use crate::account::Domain;

/// What an account has, to look things up in.
#[derive(Clone, Debug, Default)]
pub struct Have {
    rows: Vec<Row>,
    index: Index,
}

impl Have {
    /// `home`: the server that it was exported from. What cannot be read of it is not there.
    pub fn of(sheet: &Sheet, kind: Kind, home: Option<&Domain>) -> Have {
        let mut reader = Rows::new(sheet, kind, home);
        let mut drafts: Vec<Draft> = Vec::with_capacity(sheet.len());
        let mut index = Index::with_room(sheet.len());
        for row in 0..sheet.len() {
            let mut draft = Draft::default();
            if reader.read(row, &mut draft).is_some() {
                continue;
            }
            let key = reader.part(draft.key);
            let is = |at: usize| drafts.get(at).is_some_and(|other| reader.part(other.key) == key);
            if index.find_or_put(key, drafts.len(), &is).is_none() {
                drafts.push(draft);
            }
        }
        let text: Arc<str> = reader.text.into();
        Have { rows: drafts.into_iter().map(|draft| Row::new(&text, draft)).collect(), index }
    }

    /// From the text of an export. An empty export is nothing; what is no export of that kind is `None`.
    pub fn of_text(text: &str, kind: Kind, home: Option<&Domain>) -> Option<Have> {
        match read(text.as_bytes(), kind.file()) {
            // Only a header is believed more than the one who says what it is.
            Ok(sheet) if sheet.guess.fits(kind) == Some(false) && sheet.guess.sure == Sure::Header => None,
            Ok(sheet) => Some(Have::of(&sheet, kind, home)),
            Err(ReadError::Empty) => Some(Have::default()),
            Err(_) => None,
        }
    }

    /// By [`Row::key`].
    pub fn get(&self, key: &str) -> Option<&Row> {
        let at = self.index.find(key, &|at| self.rows.get(at).is_some_and(|row| row.key() == key))?;
        self.rows.get(at)
    }

    /// Each once, in the order of the export.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// How something wanted stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    There,
    /// There, with other settings than wanted.
    Differs,
    Missing,
}

/// How each of the rows stands.
pub fn compare(want: &[Row], have: &Have) -> Vec<Standing> {
    let stands = |row: &Row| match have.get(row.key()) {
        None => Standing::Missing,
        Some(there) if there.differs_from(row.settings, row.more()) => Standing::Differs,
        Some(_) => Standing::There,
    };
    want.iter().map(stands).collect()
}

/// What the server would take away if the plan were imported with "overwrite" (facts 6.1). Of filters it keeps every one
/// whose title is in the file.
pub fn would_remove<'a>(plan: &Plan, have: &'a Have) -> Vec<&'a Row> {
    let mut removed = Vec::new();
    let mut index = Index::with_room(plan.upload.len());
    let kept = |at: usize| plan.upload.get(at).map(|row| key_of(plan.kind, row));
    for (at, row) in plan.upload.iter().enumerate() {
        let text = key_of(plan.kind, row);
        index.find_or_put(text, at, &|at| kept(at) == Some(text));
    }
    for row in have.rows() {
        let text = key_of(plan.kind, row);
        if index.find(text, &|at| kept(at) == Some(text)).is_none() {
            removed.push(row);
        }
    }
    removed
}

fn key_of(kind: Kind, row: &Row) -> &str {
    match kind {
        Kind::Filters => row.key().split(BETWEEN).next().unwrap_or_default(),
        _ => row.key(),
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    pub added: usize,
    pub removed: usize,
}

/// What has come and gone between two exports; `None` where one of them cannot be read.
pub fn changed_since(kind: Kind, saved: &str, now: &str) -> Option<Changed> {
    let (saved, now) = (Have::of_text(saved, kind, None)?, Have::of_text(now, kind, None)?);
    let missing =
        |of: &Have, from: &Have| of.rows().iter().filter(|row| from.get(row.key()).is_none()).count();
    Some(Changed { added: missing(&now, &saved), removed: missing(&saved, &now) })
}
