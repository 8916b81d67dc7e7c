//! What Mastodon reads, and tables for spreadsheets.

use super::clean::Plan;

/// What a server understands in an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// 4.2 and later: imports in two steps, which know the header of each kind. Before, a header is one only if its first cell
    /// has a space in it (facts 6.2).
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

/// The files of a plan, each small enough for a server.
pub fn mastodon(plan: &Plan, takes: Takes) -> Vec<Upload> {
    let _ = (plan, takes);
    Vec::new()
}

/// A table for spreadsheets: nothing in it is taken for a formula.
pub fn table(rows: &[Vec<String>]) -> String {
    let _ = rows;
    String::new()
}
