//! What of a file is uploaded, and what is not, and why.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::compare::Have;
use super::filters::Filter;
use super::index::Index;
use super::read::Sheet;
use super::row::{BETWEEN, Draft, Row, Span, host};
use super::rows::Rows;
use super::write::{self, Takes};
use super::{Kind, MAX_BYTES, MAX_ROWS, Odd};
use crate::account::{Domain, Handle, HandleError, handle_in_link};
use crate::plain::{self, Plain};
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
    /// The import takes away what is not in the file (facts 6.1, "overwrite"). So what is there already stays in it, spelled
    /// as the server spells it: it compares letter by letter, and would unfollow `Ana@…` for `ana@…`.
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
        self.0.put(&key(from), to);
    }

    pub fn get(&self, from: &Handle) -> Option<&Handle> {
        self.0.get(&key(from))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The key of an account, as the rows have it.
fn key(handle: &Handle) -> String {
    let mut key = handle.acct();
    key.make_ascii_lowercase();
    key
}

impl Plain for Moved {
    fn write(&self) -> Value {
        self.0.iter().map(|(from, to)| (from.to_owned(), to.write())).collect::<Map<_, _>>().into()
    }

    fn read(value: &Value) -> Option<Moved> {
        let mut moved = Moved::default();
        for (from, to) in value.as_object()? {
            moved.0.put(from, Handle::read(to)?);
        }
        Some(moved)
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
    /// `None` takes a correction back.
    pub fn put(&mut self, origin: &str, correction: Option<Correction>) {
        self.0.put(origin, correction);
    }

    pub fn get(&self, origin: &str) -> Option<&Correction> {
        self.0.get(origin)?.as_ref()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `{"KEY": "leave-out", "KEY": "upload", "KEY": ["OTHER"]}`
impl Plain for Corrections {
    fn write(&self) -> Value {
        let mut object = Map::new();
        for (origin, correction) in self.0.iter() {
            let value = match correction {
                Some(Correction::LeaveOut) => Value::from("leave-out"),
                Some(Correction::Upload) => Value::from("upload"),
                Some(Correction::Replace(name)) => Value::Array(vec![Value::from(name.as_str())]),
                None => continue,
            };
            plain::put(&mut object, origin, value);
        }
        object.into()
    }

    fn read(value: &Value) -> Option<Corrections> {
        let mut corrections = Corrections::default();
        for (origin, value) in value.as_object()? {
            let correction = match value.as_str() {
                Some("leave-out") => Correction::LeaveOut,
                Some("upload") => Correction::Upload,
                _ => Correction::Replace(value.get(0)?.as_str()?.to_owned()),
            };
            corrections.put(origin, Some(correction));
        }
        Some(corrections)
    }
}

/// Why a row is not uploaded.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The same stands in an earlier line; an import with doubles is never called finished (facts 6.1, mastodon#30842).
    /// `differs`: with other settings, which do not count.
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
    /// The new server has blocked the server that it is about: it would fail.
    ServerBlocked,
    /// By the person.
    LeftOut,
    Unreadable(HandleError),
    /// Of bookmarks: no link to a status.
    NoUri,
    /// A cell is missing or empty without which the row says nothing.
    ColumnMissing,
    /// It has a quote that never closes.
    OpenQuote,
    /// It has letters that cannot be read, or signs that are none.
    Garbled,
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
    /// What was probably meant, to offer it in its place: where an account has moved to, or the handle in a link to a profile.
    pub fn suggestion(&self) -> Option<Handle> {
        match &self.why {
            Why::Moved { to } => Some(to.clone()),
            Why::Unreadable(HandleError::Link) => handle_in_link(self.row.name()),
            _ => None,
        }
    }
}

/// What is uploaded, and what is not. Every row of the sheet is in one of them, once, in the order of the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub kind: Kind,
    pub upload: Vec<Row>,
    pub out: Vec<Out>,
    pub odd: Vec<Odd>,
    /// The sheet is for another kind ([`super::Guess::fits`]).
    pub mismatch: bool,
}

impl Plan {
    /// In how many files it is uploaded, to a server that takes as much as those of today. An "overwrite" of more than one
    /// would take away with each what the others brought.
    pub fn files(&self) -> usize {
        // Each sign may become two at most, and each row has a few more.
        let most: usize = self.upload.iter().map(|row| 2 * (row.name().len() + row.more().len()) + 64).sum();
        match self.upload.len() {
            0 => 0,
            1..=MAX_ROWS if most < MAX_BYTES => 1,
            _ => write::mastodon(self, Takes::NOW).len(),
        }
    }
}

/// How many may be followed in all: 7,500, and from there on a tenth more than the followers (facts 6.1, "Follow limit").
/// Who follows fewer than 7,500 may follow 7,500, however many followers there are.
pub fn follow_limit(followers: u64, following: u64) -> u64 {
    const THRESHOLD: u64 = 7_500;
    if following < THRESHOLD { THRESHOLD } else { THRESHOLD.max(followers.saturating_mul(11) / 10) }
}

/// How often one thing is put in place of another, and again of that, before it is taken for a circle.
const MOST_STEPS: usize = 8;

pub fn clean(sheet: &Sheet, kind: Kind, around: &Around<'_>) -> Plan {
    let mut work = Work::new(sheet, kind, around);
    let (mut upload, mut out) = (Vec::with_capacity(sheet.len()), Vec::new());
    let mut draft = Draft::default();
    for row in 0..sheet.len() {
        match work.judge(row, &mut draft) {
            None => upload.push(draft),
            Some(why) => out.push((draft, why)),
        }
    }
    let mut odd = work.rows.odd();
    if work.differing > 0 {
        odd.push(Odd::DoublesDiffer(work.differing));
    }
    let text: Arc<str> = work.rows.text.into();
    Plan {
        kind,
        upload: upload.into_iter().map(|draft| Row::new(&text, draft)).collect(),
        out: out.into_iter().map(|(draft, why)| Out { row: Row::new(&text, draft), why }).collect(),
        odd,
        mismatch: sheet.guess.fits(kind) == Some(false),
    }
}

struct Work<'a> {
    kind: Kind,
    around: &'a Around<'a>,
    rows: Rows<'a>,
    own: Vec<String>,
    blocked: Vec<String>,
    blocked_index: Index,
    seen: Vec<Draft>,
    index: Index,
    /// How many more may be followed.
    room: u64,
    differing: u32,
}

impl<'a> Work<'a> {
    fn new(sheet: &'a Sheet, kind: Kind, around: &'a Around<'a>) -> Work<'a> {
        // Obfuscated ones, `ex*****.com`, are no domains, and match nothing.
        let blocked: Vec<String> = around
            .blocked
            .iter()
            .filter_map(|text| Some(text.parse::<Domain>().ok()?.as_str().to_owned()))
            .collect();
        let mut blocked_index = Index::with_room(blocked.len());
        for (at, domain) in blocked.iter().enumerate() {
            blocked_index.find_or_put(domain, at, &|at| blocked.get(at) == Some(domain));
        }
        let taken = if around.overwrite { 0 } else { around.following };
        let room = match around.limit {
            Some(limit) if kind == Kind::Follows => limit.saturating_sub(taken),
            _ => u64::MAX,
        };
        Work {
            kind,
            around,
            rows: Rows::new(sheet, kind, around.home),
            own: around.own.iter().map(key).collect(),
            blocked,
            blocked_index,
            seen: Vec::with_capacity(sheet.len()),
            index: Index::with_room(sheet.len()),
            room,
            differing: 0,
        }
    }

    fn key(&self, draft: &Draft) -> &str {
        self.rows.part(draft.key)
    }

    /// Reads a row, and says why it is not uploaded.
    fn judge(&mut self, row: usize, draft: &mut Draft) -> Option<Why> {
        let mut fault = self.rows.read(row, draft);
        if self.around.corrections.is_some() || self.around.moved.is_some() {
            fault = self.stand_in(draft, fault);
        }
        if fault.is_some() {
            return fault;
        }
        if let Some(why) = self.doubled(draft) {
            return Some(why);
        }
        let correction = self.around.corrections.and_then(|all| all.get(self.key(draft)));
        let why = match correction {
            Some(Correction::LeaveOut) => Some(Why::LeftOut),
            Some(Correction::Upload) => None,
            _ => self.against(draft),
        };
        if why.is_none() {
            self.room = self.room.saturating_sub(1);
            if self.around.overwrite
                && let Some(there) = self.around.have.and_then(|have| have.get(self.rows.part(draft.key)))
                && there.name() != self.rows.part(draft.name)
            {
                draft.name = self.rows.add(there.name());
            }
        }
        why
    }

    /// What stands in its place: what the person put there, or where the account has moved to.
    fn stand_in(&mut self, draft: &mut Draft, fault: Option<Why>) -> Option<Why> {
        let follow = self.around.follow_moved && self.follows();
        let (before, mut why) = (*draft, fault.clone());
        for _ in 0..MOST_STEPS {
            let correction = self.around.corrections.and_then(|all| all.get(self.key(draft)));
            let name = match correction {
                // It is a name that is put there; to a row of lists that has no title it is of no use.
                Some(Correction::Replace(_))
                    if self.kind == Kind::Lists && !self.rows.has_title(draft, &why) =>
                {
                    return why;
                }
                Some(Correction::Replace(name)) => name.clone(),
                Some(_) => return why,
                None => match self.moved(draft).filter(|_| follow && why.is_none()) {
                    Some(to) => to.acct(),
                    None => return why,
                },
            };
            why = self.rows.replace(draft, &name);
        }
        *draft = before;
        fault
    }

    /// Whether importing a row follows somebody; lists do (facts 6.1, "lists").
    fn follows(&self) -> bool {
        matches!(self.kind, Kind::Follows | Kind::Lists)
    }

    fn account(&self, draft: &Draft) -> &str {
        let key = self.key(draft);
        key.rsplit(BETWEEN).next().unwrap_or(key)
    }

    fn moved(&self, draft: &Draft) -> Option<&'a Handle> {
        self.around.moved.filter(|moved| !moved.is_empty())?.0.get(self.account(draft))
    }

    fn doubled(&mut self, draft: &Draft) -> Option<Why> {
        let (rows, seen) = (&self.rows, &self.seen);
        let key = rows.part(draft.key);
        let is = |at: usize| seen.get(at).is_some_and(|other| rows.part(other.key) == key);
        match self.index.find_or_put(key, seen.len(), &is) {
            Some(at) => {
                let first = seen.get(at)?;
                let differs = first.differs(draft, &rows.text);
                self.differing += u32::from(differs);
                Some(Why::Doubled { of: first.line, differs })
            }
            None => {
                self.seen.push(*draft);
                None
            }
        }
    }

    /// What speaks against uploading it.
    fn against(&self, draft: &Draft) -> Option<Why> {
        let accounts = !matches!(self.kind, Kind::DomainBlocks | Kind::Bookmarks | Kind::Filters);
        if accounts && !self.own.is_empty() && self.own.iter().any(|own| own == self.account(draft)) {
            return Some(Why::Oneself);
        }
        if self.follows()
            && let Some(to) = self.moved(draft)
        {
            return Some(Why::Moved { to: to.clone() });
        }
        if (accounts || self.kind == Kind::Bookmarks)
            && !self.blocked.is_empty()
            && self.is_blocked(self.account(draft))
        {
            return Some(Why::ServerBlocked);
        }
        if self.kind == Kind::Filters && self.is_over(draft.more) {
            return Some(Why::Expired);
        }
        if !self.around.overwrite
            && let Some(there) = self.around.have.and_then(|have| have.get(self.key(draft)))
        {
            let differs = there.differs_from(draft.settings, self.rows.part(draft.more));
            return Some(Why::AlreadyThere { differs });
        }
        (self.room == 0).then_some(Why::OverLimit)
    }

    /// A block counts for all below a domain (`app/models/domain_block.rb`, `rule_for`).
    fn is_blocked(&self, key: &str) -> bool {
        let mut rest = Some(host(key));
        while let Some(domain) = rest {
            if self
                .blocked_index
                .find(domain, &|at| self.blocked.get(at).is_some_and(|one| one == domain))
                .is_some()
            {
                return true;
            }
            rest = domain.split_once('.').map(|(_, rest)| rest);
        }
        false
    }

    fn is_over(&self, json: Span) -> bool {
        let Some(now) = self.around.now else { return false };
        let filter = plain::json(self.rows.part(json));
        filter.as_ref().and_then(Filter::read).is_some_and(|filter| filter.is_over(now))
    }
}
