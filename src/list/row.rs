//! One row, understood: whom or what it is about, in the one spelling that all others are compared by.

use std::fmt;
use std::sync::Arc;

use super::clean::Why;
use super::filters::Filter;
use super::guess::{Column, What};
use super::read::Sheet;
use super::{Kind, Odd};
use crate::account::{Domain, Handle, HandleError};
use crate::plain;

/// From where to where in a text.
pub(super) type Span = (u32, u32);

/// What may be said about a follow or a mute; `None` leaves it to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub boosts: Option<bool>,
    pub notify: Option<bool>,
    pub hide_notifications: Option<bool>,
}

impl Settings {
    /// With what the server takes where nothing is said: boosts shown, no notifications, those of muted people hidden.
    fn effective(self) -> (bool, bool, bool) {
        (self.boosts.unwrap_or(true), self.notify.unwrap_or(false), self.hide_notifications.unwrap_or(true))
    }
}

/// Between the parts of a key.
pub(super) const BETWEEN: char = '\u{1f}';

/// A row. Its texts lie in one text that all rows of a sheet share: twenty thousand rows are no twenty thousand strings.
#[derive(Clone)]
pub struct Row {
    text: Arc<str>,
    draft: Draft,
    pub settings: Settings,
}

/// A row whose text is still being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    pub line: u32,
    pub name: Span,
    pub key: Span,
    pub origin: Span,
    pub more: Span,
    pub settings: Settings,
}

fn part(text: &str, span: Span) -> &str {
    text.get(span.0 as usize..span.1 as usize).unwrap_or_default()
}

impl Row {
    /// Where it stands in its file. A row that was put in place of another has that one's line.
    pub fn line(&self) -> u32 {
        self.draft.line
    }

    /// What it is about, as it is uploaded: `Ana@one.example`, a domain, an URI; of a filter its title.
    pub fn name(&self) -> &str {
        part(&self.text, self.draft.name)
    }

    /// What it is compared by: the handle in lower case and punycode, the domain, the URI; in lists the list's title
    /// before it; of a filter its title and where it applies, for by these an import finds it. With `\u{1f}` between.
    pub fn key(&self) -> &str {
        part(&self.text, self.draft.key)
    }

    /// The key that it had in the file, before anything was put in its place. Corrections go by it.
    pub fn origin(&self) -> &str {
        part(&self.text, self.draft.origin)
    }

    /// The title of its list, where it is a row of lists.
    pub fn list(&self) -> &str {
        self.more()
    }

    /// `en, de`, where it is a row of follows.
    pub fn languages(&self) -> &str {
        self.more()
    }

    /// The filter as the import has it, where it is a row of filters.
    pub fn json(&self) -> &str {
        self.more()
    }

    /// Whose row it is, of accounts and lists.
    pub fn handle(&self) -> Option<Handle> {
        self.name().parse().ok()
    }

    /// The server that it is about.
    pub fn domain(&self) -> Option<Domain> {
        host(self.key()).parse().ok()
    }

    pub(super) fn new(text: &Arc<str>, draft: Draft) -> Row {
        Row { text: Arc::clone(text), draft, settings: draft.settings }
    }

    pub(super) fn more(&self) -> &str {
        part(&self.text, self.draft.more)
    }

    /// Whether uploading `wanted` would change something about this. What `wanted` says nothing about stays as it is.
    pub(super) fn differs_from(&self, settings: Settings, more: &str) -> bool {
        fn other(wanted: Option<bool>, is: Option<bool>) -> bool {
            matches!((wanted, is), (Some(wanted), Some(is)) if wanted != is)
        }
        let mine = self.settings;
        other(settings.boosts, mine.boosts)
            || other(settings.notify, mine.notify)
            || other(settings.hide_notifications, mine.hide_notifications)
            || (!more.is_empty() && !same_words(more, self.more()))
    }
}

/// `en,de` is `en, de`.
fn same_words(one: &str, other: &str) -> bool {
    // In filters every space counts.
    one == other
        || (!one.starts_with('{')
            && one.bytes().filter(|byte| *byte != b' ').eq(other.bytes().filter(|byte| *byte != b' ')))
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} {:?} {:?}", self.line(), self.name(), self.more(), self.settings)
    }
}

/// The same in every respect that is uploaded, wherever it stands.
impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        self.name() == other.name() && self.more() == other.more() && self.settings == other.settings
    }
}

/// The host in a key.
pub(super) fn host(key: &str) -> &str {
    match key.split_once("://") {
        Some((_, rest)) => rest.split(['/', ':', '?', '#']).next().unwrap_or_default(),
        None => key.rsplit('@').next().unwrap_or_default(),
    }
}

/// What a cell means in a sheet that is read as one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    /// The account, domain or URI.
    name: Option<usize>,
    list: Option<usize>,
    boosts: Option<usize>,
    notify: Option<usize>,
    languages: Option<usize>,
    hide: Option<usize>,
}

impl Places {
    fn of(sheet: &Sheet, kind: Kind) -> Places {
        let settings = |follows: [Option<usize>; 3], hide: Option<usize>, places: Places| match kind {
            Kind::Follows => {
                Places { boosts: follows[0], notify: follows[1], languages: follows[2], ..places }
            }
            Kind::Mutes => Places { hide, ..places },
            _ => places,
        };
        if sheet.header {
            let at = |column| sheet.columns.iter().position(|one| *one == Some(column));
            let name = at(match kind {
                Kind::DomainBlocks => Column::Domain,
                Kind::Bookmarks => Column::Uri,
                _ => Column::Account,
            });
            let list = if kind == Kind::Lists { at(Column::ListName) } else { None };
            return settings(
                [at(Column::Boosts), at(Column::Notify), at(Column::Languages)],
                at(Column::HideNotifications),
                Places { name, list, ..Places::default() },
            );
        }
        let accounts = matches!(kind, Kind::Follows | Kind::Mutes | Kind::Blocks);
        match kind {
            Kind::Lists => Places { name: Some(1), list: Some(0), ..Places::default() },
            // The members of lists, taken for follows.
            _ if accounts && sheet.guess.what == What::Known(Kind::Lists) => {
                Places { name: Some(1), ..Places::default() }
            }
            // Mastodon itself would drop what stands behind the account where there is no header.
            _ => {
                settings([Some(1), Some(2), Some(3)], Some(1), Places { name: Some(0), ..Places::default() })
            }
        }
    }

    /// The places that mean something, one bit each.
    fn mask(&self) -> u64 {
        [self.name, self.list, self.boosts, self.notify, self.languages, self.hide]
            .into_iter()
            .flatten()
            .fold(0, |mask, at| mask | 1 << at.min(63))
    }
}

/// Reads the rows of a sheet as those of one kind.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    sheet: &'a Sheet,
    kind: Kind,
    home: Option<&'a Domain>,
    places: Places,
    /// What is in the cells, and behind it what had to be written anew.
    pub text: String,
    not_utf8: bool,
    extra: u32,
    neither: u32,
}

impl<'a> Rows<'a> {
    pub(super) fn new(sheet: &'a Sheet, kind: Kind, home: Option<&'a Domain>) -> Rows<'a> {
        let mut text = String::with_capacity(sheet.text.len() + sheet.text.len() / 4);
        text.push_str(&sheet.text);
        let not_utf8 = sheet.odd.iter().any(|odd| matches!(odd, Odd::NotUtf8 { .. }));
        Rows { sheet, kind, home, places: Places::of(sheet, kind), text, not_utf8, extra: 0, neither: 0 }
    }

    pub(super) fn part(&self, span: Span) -> &str {
        part(&self.text, span)
    }

    pub(super) fn odd(&self) -> Vec<Odd> {
        let mut odd = self.sheet.odd.clone();
        if self.extra > 0 {
            odd.push(Odd::ExtraCells(self.extra));
        }
        if self.neither > 0 {
            odd.push(Odd::NotTrueOrFalse(self.neither));
        }
        odd
    }

    /// A row, and why it cannot be uploaded as it stands.
    pub(super) fn read(&mut self, row: usize) -> (Draft, Option<Why>) {
        let mut draft = Draft {
            line: 0,
            name: (0, 0),
            key: (0, 0),
            origin: (0, 0),
            more: (0, 0),
            settings: Settings::default(),
        };
        let Some((line, cells)) = self.sheet.row(row) else { return (draft, Some(Why::ColumnMissing)) };
        draft.line = line.line;
        let whole = (cells.first().map_or(0, |cell| cell.0), cells.last().map_or(0, |cell| cell.1));
        let cell = |place: Option<usize>| place.and_then(|at| cells.get(at)).copied();
        let name = cell(self.places.name).map(|span| self.trim(span));
        let list = cell(self.places.list).map(|span| self.trim(span));
        // What cannot be read is known by what stands there.
        draft.name = name.unwrap_or(if whole.0 <= whole.1 { whole } else { (0, 0) });
        draft.more = list.unwrap_or((0, 0));
        let fault = match (self.sheet.is_json(), self.kind) {
            (true, Kind::Filters) => self.filter(&mut draft, whole),
            (_, Kind::Filters) => Some(Why::NoFilter),
            _ if line.open_quote => Some(Why::OpenQuote),
            _ if [name, list].into_iter().flatten().any(|span| self.is_garbled(span)) => Some(Why::Garbled),
            _ if name.is_none() || (self.kind == Kind::Lists && list.is_none_or(|list| list.0 == list.1)) => {
                Some(Why::ColumnMissing)
            }
            _ => self.name(&mut draft).err(),
        };
        if self.kind == Kind::Follows || self.kind == Kind::Mutes {
            self.settings(&mut draft, cells);
        }
        let others = ((1u64 << cells.len().min(63)) - 1) & !self.places.mask();
        if others != 0 && self.kind != Kind::Filters {
            let extra = (0..cells.len())
                .any(|at| others & (1 << at) != 0 && cells.get(at).is_some_and(|cell| cell.0 < cell.1));
            self.extra += u32::from(extra);
        }
        if fault.is_some() {
            draft.key = draft.name;
        }
        draft.origin = draft.key;
        (draft, fault)
    }

    /// Signs that no keyboard makes, and what stands for letters that could not be read.
    fn is_garbled(&self, span: Span) -> bool {
        let text = self.part(span);
        text.bytes().any(|byte| matches!(byte, 1..=8 | 14..=31 | 127))
            || (self.not_utf8 && text.contains(char::REPLACEMENT_CHARACTER))
    }

    /// Another name for a row, in place of its own.
    pub(super) fn replace(&mut self, draft: &Draft, name: &str) -> (Draft, Option<Why>) {
        let mut draft = Draft { name: self.add(name), ..*draft };
        let fault =
            if self.kind == Kind::Filters { Some(Why::NoFilter) } else { self.name(&mut draft).err() };
        (draft, fault)
    }

    pub(super) fn add(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        (start as u32, self.text.len() as u32)
    }

    /// Puts a part of the text behind it once more.
    fn again(&mut self, (start, end): Span) {
        if self.text.get(start as usize..end as usize).is_some() {
            self.text.extend_from_within(start as usize..end as usize);
        }
    }

    /// Without what Ruby's `strip` takes away.
    fn trim(&self, (start, end): Span) -> Span {
        let bytes = self.text.as_bytes();
        let blank = |at: u32| bytes.get(at as usize).is_some_and(|byte| matches!(byte, b'\t'..=b'\r' | b' '));
        let (mut start, mut end) = (start, end);
        while start < end && blank(start) {
            start += 1;
        }
        while end > start && blank(end - 1) {
            end -= 1;
        }
        (start, end)
    }

    /// What the name means: brings it into the form that is uploaded, and makes its key.
    fn name(&mut self, draft: &mut Draft) -> Result<(), Why> {
        match self.kind {
            Kind::DomainBlocks => {
                if !is_plain_host(self.part(draft.name).as_bytes()) {
                    let domain: Domain =
                        self.part(draft.name).parse().map_err(|error| self.fault(draft.name, error))?;
                    draft.name = self.add(domain.as_str());
                }
                draft.key = draft.name;
            }
            Kind::Bookmarks => draft.key = self.uri(draft.name)?,
            _ => self.account(draft)?,
        }
        if self.kind == Kind::Lists {
            let start = self.text.len();
            self.again(draft.more);
            self.text.push(BETWEEN);
            self.again(draft.key);
            draft.key = (start as u32, self.text.len() as u32);
        }
        Ok(())
    }

    fn fault(&self, span: Span, error: HandleError) -> Why {
        Why::Unreadable(if self.part(span).is_empty() { HandleError::Empty } else { error })
    }

    fn account(&mut self, draft: &mut Draft) -> Result<(), Why> {
        let text = self.part(draft.name);
        let bytes = text.as_bytes();
        let skip = usize::from(bytes.first() == Some(&b'@'));
        let bytes = bytes.get(skip..).unwrap_or_default();
        // Nearly all are `user@domain` in small letters, and these are keys as they stand.
        let user = bytes.iter().take_while(|byte| CLASS[usize::from(**byte)] & USER != 0).count();
        if user > 0 && user <= 2_048 && bytes.get(user) == Some(&b'@') && is_plain_host(&bytes[user + 1..]) {
            let large = bytes[..user].iter().any(u8::is_ascii_uppercase);
            draft.name.0 += skip as u32;
            draft.key = if large { self.add_lower(draft.name) } else { draft.name };
            return Ok(());
        }
        let handle = match (text.parse::<Handle>(), self.home) {
            // A bare name is somebody on the server that the file came from.
            (Err(HandleError::NoDomain), Some(home)) if !text[skip..].contains('@') => {
                Handle::new(text[skip..].trim(), home.clone())
            }
            (read, _) => read,
        };
        let acct = handle.map_err(|error| self.fault(draft.name, error))?.acct();
        draft.name = self.add(&acct);
        draft.key = self.add_lower(draft.name);
        Ok(())
    }

    fn add_lower(&mut self, span: Span) -> Span {
        let start = self.text.len();
        self.again(span);
        let end = self.text.len();
        if let Some(added) = self.text.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        (start as u32, end as u32)
    }

    /// The key of an URI: its scheme and host are the same in any case, the rest is not (facts 5, "status URI").
    fn uri(&mut self, span: Span) -> Result<Span, Why> {
        let uri = self.part(span);
        if uri.len() > LONGEST_URI {
            return Err(Why::Unreadable(HandleError::TooLong));
        }
        let (scheme, rest) = uri.split_once("://").ok_or(Why::NoUri)?;
        if !(scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")) {
            return Err(Why::NoUri);
        }
        let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority);
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        if path.len() < 2 || uri.chars().any(|sign| sign.is_whitespace() || sign.is_control()) {
            return Err(Why::NoUri);
        }
        let small = !scheme.bytes().any(|byte| byte.is_ascii_uppercase());
        if small && port.is_empty() && is_plain_host(host.as_bytes()) {
            return Ok(span);
        }
        let number = port.strip_prefix(':').is_none_or(|port| port.parse::<u16>().is_ok());
        let host: Domain = host.parse().ok().filter(|_| number).ok_or(Why::NoUri)?;
        let key = format!("{}://{}{port}{path}", scheme.to_ascii_lowercase(), host.host());
        Ok(self.add(&key))
    }

    fn filter(&mut self, draft: &mut Draft, json: Span) -> Option<Why> {
        let value = plain::json(self.part(json));
        let Some(filter) = value.as_ref().and_then(Filter::read) else { return Some(Why::NoFilter) };
        draft.name = self.add(&filter.title);
        draft.key = self.add(&filter.key());
        draft.more = self.add(&filter.json());
        (filter.title.is_empty() || filter.context.is_empty()).then_some(Why::NoFilter)
    }

    fn settings(&mut self, draft: &mut Draft, cells: &[Span]) {
        let header = self.sheet.header;
        let mut neither = 0;
        let mut flag = |place: Option<usize>| {
            let cell = self.part(self.trim(*cells.get(place?)?));
            let flag = true_or_false(cell);
            neither += u32::from(flag.is_none() && !cell.is_empty() && header);
            flag
        };
        draft.settings = Settings {
            boosts: flag(self.places.boosts),
            notify: flag(self.places.notify),
            hide_notifications: flag(self.places.hide),
        };
        self.neither += neither;
        // Without a header the fourth cell is taken for languages only behind two that are what they should be.
        let sure = header || (draft.settings.boosts.is_some() && draft.settings.notify.is_some());
        if let Some(cell) = self.places.languages.filter(|_| sure).and_then(|at| cells.get(at)) {
            let languages = self.trim(*cell);
            let code = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b',' | b' ');
            if self.part(languages).bytes().all(code) {
                draft.more = languages;
            } else {
                self.neither += u32::from(header);
            }
        }
    }
}

/// Mastodon would take everything for true that it does not know (facts 6.1, "values"): `FALSCH`, say, which is what a
/// German spreadsheet makes of `false`.
fn true_or_false(cell: &str) -> Option<bool> {
    const TRUE: [&str; 11] =
        ["true", "t", "1", "on", "yes", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar"];
    const FALSE: [&str; 9] = ["false", "f", "0", "off", "no", "falsch", "faux", "falso", "onwaar"];
    if cell == "true" {
        return Some(true);
    }
    if cell == "false" {
        return Some(false);
    }
    let is = |word: &&str| word.eq_ignore_ascii_case(cell);
    if TRUE.iter().any(is) { Some(true) } else { FALSE.iter().any(is).then_some(false) }
}

/// How long an URI may be that is looked at.
const LONGEST_URI: usize = 2_400;

const USER: u8 = 1;
const HOST: u8 = 2;

/// Which signs may stand in a user name, and which in a host that is in its final form already.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte == b'-' {
            class[at] |= USER;
        }
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-' {
            class[at] |= HOST;
        }
        at += 1;
    }
    class
};

/// Whether [`Domain`] would take it as it stands, changing nothing; `false` where it would have to be asked.
fn is_plain_host(host: &[u8]) -> bool {
    if host.is_empty() || host.len() > 253 {
        return false;
    }
    let (mut start, mut dots, mut letter) = (0, 0, false);
    for (at, byte) in host.iter().enumerate() {
        if CLASS[usize::from(*byte)] & HOST == 0 {
            return false;
        }
        if *byte == b'.' {
            if !is_plain_label(host, start, at) {
                return false;
            }
            (start, dots, letter) = (at + 1, dots + 1, false);
        } else {
            letter |= !byte.is_ascii_digit();
        }
    }
    dots > 0 && letter && is_plain_label(host, start, host.len())
}

fn is_plain_label(host: &[u8], start: usize, end: usize) -> bool {
    let edge = |at: usize| host.get(at).is_some_and(|byte| *byte != b'-');
    end > start && end - start <= 63 && edge(start) && edge(end - 1)
}

impl Draft {
    /// Whether two rows about the same say something different about it, with what the server takes where nothing is said.
    pub(super) fn differs(&self, other: &Draft, text: &str) -> bool {
        self.settings.effective() != other.settings.effective()
            || !same_words(part(text, self.more), part(text, other.more))
    }
}
