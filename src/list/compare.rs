//! What is there, what is missing, what has changed.

use super::read::Sheet;
use super::row::Row;
use super::{Kind, Plan};
use crate::account::Domain;

/// What an account has, to look things up in.
#[derive(Clone, Debug, Default)]
pub struct Have {
    rows: Vec<Row>,
}

impl Have {
    /// `home`: the server that it was exported from.
    pub fn of(sheet: &Sheet, kind: Kind, home: Option<&Domain>) -> Have {
        let _ = (sheet, kind, home);
        Have::default()
    }

    /// From the text of an export. An empty export is nothing; what cannot be read is `None`.
    pub fn of_text(text: &str, kind: Kind, home: Option<&Domain>) -> Option<Have> {
        let _ = (text, kind, home);
        Some(Have::default())
    }

    pub fn get(&self, key: &str) -> Option<&Row> {
        let _ = key;
        None
    }

    /// Each once.
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
    let _ = (want, have);
    Vec::new()
}

/// What the server would take away if the plan were imported with "overwrite".
pub fn would_remove<'a>(plan: &Plan, have: &'a Have) -> Vec<&'a Row> {
    let _ = (plan, have);
    Vec::new()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    pub added: usize,
    pub removed: usize,
}

/// What has come and gone between two exports; `None` where one of them cannot be read.
pub fn changed_since(kind: Kind, saved: &str, now: &str) -> Option<Changed> {
    let _ = (kind, saved, now);
    None
}
