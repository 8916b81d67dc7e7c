//! What of a file is uploaded, and what is not, and why.

use super::compare::Have;
use super::read::Sheet;
use super::row::Row;
use super::{Kind, Odd};
use crate::account::{Domain, Handle, HandleError};
use crate::small::Table;
use crate::when::Time;

/// What has to be known to judge the rows. What is not known is left empty, and nothing is left out for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// The server that the file came from: a bare `user` means `user@home`.
    pub home: Option<&'a Domain>,
    /// The person's own accounts, the old and the new one.
    pub own: &'a [Handle],
    /// What the new account has already, from its own export.
    pub have: Option<&'a Have>,
    /// Who has moved, and where to, as far as it is known.
    pub moved: Option<&'a Moved>,
    /// Put the new account in place of one that has moved, rather than leave it out.
    pub follow_moved: bool,
    /// Domains that the new server has blocked.
    pub blocked: &'a [String],
    /// How many may be followed in all, see [`follow_limit`].
    pub limit: Option<u64>,
    /// How many the new account follows.
    pub following: u64,
    /// What is not in the file will be taken away by the server (facts 6.1, "overwrite"). So what is there already must stay in it.
    pub overwrite: bool,
    pub corrections: Option<&'a Corrections>,
    /// To tell which filters have run out.
    pub now: Option<Time>,
}

/// Who has moved where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moved(Table<Handle>);

impl Moved {
    pub fn put(&mut self, from: &Handle, to: Handle) {
        let _ = (from, to);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the person wants done with a row, whatever we think of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Correction {
    LeaveOut,
    /// Upload it after all. Only where [`Why::may_upload`].
    Upload,
    /// This in its place: another handle, domain or URI.
    Replace(String),
}

/// Corrections, by the key that a row has in its file ([`Row::origin`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corrections(Table<Option<Correction>>);

impl Corrections {
    pub fn put(&mut self, origin: &str, correction: Option<Correction>) {
        self.0.put(origin, correction);
    }

    pub fn get(&self, origin: &str) -> Option<&Correction> {
        self.0.get(origin)?.as_ref()
    }
}

/// Why a row is not uploaded.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The same stands in an earlier line; an import with doubles is never called finished (facts 6.1, mastodon#30842).
    /// `differs`: with other settings.
    Doubled {
        of: u32,
        differs: bool,
    },
    Oneself,
    /// `differs`: with other settings. Uploaded after all, it gets those of the file.
    AlreadyThere {
        differs: bool,
    },
    /// A server refuses to follow who has moved (facts 6.1, "FollowService").
    Moved {
        to: Handle,
    },
    OverLimit,
    /// The new server has blocked the account's server: it would fail.
    ServerBlocked,
    /// By the person.
    LeftOut,
    Unreadable(HandleError),
    /// A cell is missing or empty without which the row says nothing.
    ColumnMissing,
    /// It has a quote that never closes.
    OpenQuote,
    /// It has letters that cannot be read.
    NotUtf8,
    /// A filter that has run out.
    Expired,
    /// No filter that Mastodon would take.
    NoFilter,
}

impl Why {
    /// Whether it can be uploaded after all, if the person wants it.
    pub fn may_upload(&self) -> bool {
        matches!(
            self,
            Why::Oneself
                | Why::AlreadyThere { .. }
                | Why::Moved { .. }
                | Why::OverLimit
                | Why::ServerBlocked
                | Why::LeftOut
                | Why::Expired
        )
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Out {
    pub row: Row,
    pub why: Why,
}

impl Out {
    /// What was probably meant, to offer it: the handle in a link to a profile.
    pub fn suggestion(&self) -> Option<Handle> {
        None
    }
}

/// What is uploaded, and what is not. Every row of the sheet is in one of them, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub kind: Kind,
    pub upload: Vec<Row>,
    pub out: Vec<Out>,
    /// In how many files, for a server that takes as much as those of today.
    pub files: usize,
    pub odd: Vec<Odd>,
    /// The sheet is of another kind, for certain.
    pub mismatch: bool,
}

/// How many may be followed in all: 7,500, and from there on a tenth more than the followers (facts 6.1, "Follow limit").
pub fn follow_limit(followers: u64, following: u64) -> u64 {
    const THRESHOLD: u64 = 7_500;
    if following < THRESHOLD { THRESHOLD } else { THRESHOLD.max(followers.saturating_mul(11) / 10) }
}

pub fn clean(sheet: &Sheet, kind: Kind, around: &Around<'_>) -> Plan {
    let _ = around;
    Plan { kind, upload: Vec::new(), out: Vec::new(), files: 0, odd: sheet.odd.clone(), mismatch: false }
}
