//! The rows of a sheet, understood: whom or what each is about, in the one spelling that all others are compared by.

use super::clean::Why;
use super::filters::Filter;
use super::guess::{Column, What};
use super::read::Sheet;
use super::row::{BETWEEN, Draft, Settings, Span, part};
use super::spell::{has_controls, is_plain_account, is_plain_host, true_or_false};
use super::{Kind, Odd};
use crate::account::{Domain, Handle, HandleError};
use crate::plain;

/// No cell has this place.
const NOWHERE: usize = usize::MAX;

/// In which cell what stands, in a sheet that is read as one kind.
#[derive(Clone, Copy, Debug)]
struct Places {
    /// The account, domain or URI.
    name: usize,
    list: usize,
    boosts: usize,
    notify: usize,
    languages: usize,
    hide: usize,
}

impl Places {
    fn of(sheet: &Sheet, kind: Kind) -> Places {
        let mut places = Places {
            name: 0,
            list: NOWHERE,
            boosts: NOWHERE,
            notify: NOWHERE,
            languages: NOWHERE,
            hide: NOWHERE,
        };
        if sheet.header {
            let at = |column| sheet.columns.iter().position(|one| *one == Some(column)).unwrap_or(NOWHERE);
            places.name = at(match kind {
                Kind::DomainBlocks => Column::Domain,
                Kind::Bookmarks => Column::Uri,
                _ => Column::Account,
            });
            match kind {
                Kind::Lists => places.list = at(Column::ListName),
                Kind::Mutes => places.hide = at(Column::HideNotifications),
                Kind::Follows => {
                    places.boosts = at(Column::Boosts);
                    places.notify = at(Column::Notify);
                    places.languages = at(Column::Languages);
                }
                _ => {}
            }
            return places;
        }
        let accounts = matches!(kind, Kind::Follows | Kind::Mutes | Kind::Blocks);
        match kind {
            Kind::Lists => (places.list, places.name) = (0, 1),
            // The members of lists, taken for follows.
            _ if accounts && sheet.guess.what == What::Known(Kind::Lists) => places.name = 1,
            // Mastodon itself would drop what stands behind the account where there is no header.
            Kind::Follows => (places.boosts, places.notify, places.languages) = (1, 2, 3),
            Kind::Mutes => places.hide = 1,
            _ => {}
        }
        places
    }

    /// The places that mean something, one bit each.
    fn mask(&self) -> u64 {
        let mut mask = 0;
        for place in [self.name, self.list, self.boosts, self.notify, self.languages, self.hide] {
            mask |= if place < 64 { 1 << place } else { 0 };
        }
        mask
    }
}

/// How long an URI may be that is looked at.
const LONGEST_URI: usize = 2_400;

/// Reads the rows of a sheet as those of one kind.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    sheet: &'a Sheet,
    kind: Kind,
    home: Option<&'a Domain>,
    places: Places,
    mask: u64,
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
        let places = Places::of(sheet, kind);
        Rows { sheet, kind, home, mask: places.mask(), places, text, not_utf8, extra: 0, neither: 0 }
    }

    pub(super) fn part(&self, span: Span) -> &str {
        part(&self.text, span)
    }

    fn bytes(&self, span: Span) -> &[u8] {
        self.text.as_bytes().get(span.0 as usize..span.1 as usize).unwrap_or_default()
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

    /// Reads a row, and says why it cannot be uploaded as it stands.
    pub(super) fn read(&mut self, row: usize, draft: &mut Draft) -> Option<Why> {
        *draft = Draft::default();
        let (line, cells) = self.sheet.row(row)?;
        draft.line = line.line;
        let fault = self.judge(line.open_quote, cells, draft);
        if self.kind == Kind::Follows || self.kind == Kind::Mutes {
            self.settings(draft, cells);
        }
        let others = ((1u64 << cells.len().min(63)) - 1) & !self.mask;
        if others != 0 && self.kind != Kind::Filters {
            let mut full = cells.iter().enumerate().filter(|(at, _)| others & (1 << at) != 0);
            self.extra += u32::from(full.any(|(_, cell)| cell.0 < cell.1));
        }
        if fault.is_some() {
            draft.key = draft.name;
        }
        draft.origin = draft.key;
        fault
    }

    fn judge(&mut self, open_quote: bool, cells: &[Span], draft: &mut Draft) -> Option<Why> {
        let whole = cells.first().zip(cells.last()).map_or((0, 0), |(first, last)| (first.0, last.1));
        if self.kind == Kind::Filters {
            draft.name = whole;
            return if self.sheet.is_json() { self.filter(draft, whole) } else { Some(Why::NoFilter) };
        }
        let name = cells.get(self.places.name).copied();
        // What cannot be read is known by what stands there.
        draft.name = name.map_or(if whole.0 <= whole.1 { whole } else { (0, 0) }, |name| self.trim(name));
        if let Some(list) = cells.get(self.places.list) {
            draft.more = self.trim(*list);
        }
        let named = self.kind != Kind::Lists || draft.more.0 < draft.more.1;
        if open_quote {
            Some(Why::OpenQuote)
        } else if self.kind == Kind::Lists && self.is_garbled(draft.more) {
            Some(Why::Garbled)
        } else if name.is_none() || !named {
            Some(Why::ColumnMissing)
        } else {
            let fault = self.name(draft);
            // No name that can be read has such signs.
            if fault.is_some() && self.is_garbled(draft.name) { Some(Why::Garbled) } else { fault }
        }
    }

    /// Signs that no keyboard makes, and what stands for letters that could not be read.
    fn is_garbled(&self, span: Span) -> bool {
        let text = self.part(span);
        has_controls(text) || (self.not_utf8 && text.contains(char::REPLACEMENT_CHARACTER))
    }

    /// Whether the title of a list is what it should be, given what is wrong with its row.
    pub(super) fn has_title(&self, draft: &Draft, fault: &Option<Why>) -> bool {
        draft.more.0 < draft.more.1 && !matches!(fault, Some(Why::OpenQuote)) && !self.is_garbled(draft.more)
    }

    /// Puts another name into a row.
    pub(super) fn replace(&mut self, draft: &mut Draft, name: &str) -> Option<Why> {
        draft.name = self.add(name);
        let fault = if self.kind == Kind::Filters { Some(Why::NoFilter) } else { self.name(draft) };
        if fault.is_some() {
            draft.key = draft.name;
        }
        fault
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

    fn again_small(&mut self, span: Span) -> Span {
        let start = self.text.len();
        self.again(span);
        if let Some(added) = self.text.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        (start as u32, self.text.len() as u32)
    }

    /// Without what Ruby's `strip` takes away.
    fn trim(&self, (mut start, mut end): Span) -> Span {
        let bytes = self.text.as_bytes();
        let blank = |at: u32| bytes.get(at as usize).is_some_and(|byte| matches!(byte, b'\t'..=b'\r' | b' '));
        while start < end && blank(start) {
            start += 1;
        }
        while end > start && blank(end - 1) {
            end -= 1;
        }
        (start, end)
    }

    /// What the name means: brings it into the form that is uploaded, and makes its key.
    fn name(&mut self, draft: &mut Draft) -> Option<Why> {
        let fault = match self.kind {
            Kind::DomainBlocks => self.domain(draft),
            Kind::Bookmarks => self.uri(draft),
            _ => self.account(draft),
        };
        if self.kind == Kind::Lists && fault.is_none() {
            let start = self.text.len();
            self.again(draft.more);
            self.text.push(BETWEEN);
            self.again(draft.key);
            draft.key = (start as u32, self.text.len() as u32);
        }
        fault
    }

    fn account(&mut self, draft: &mut Draft) -> Option<Why> {
        let at = u32::from(self.bytes(draft.name).first() == Some(&b'@'));
        let name = (draft.name.0 + at, draft.name.1);
        if let Some(large) = is_plain_account(self.bytes(name)) {
            draft.name = name;
            draft.key = if large { self.again_small(name) } else { name };
            return None;
        }
        let text = self.part(draft.name);
        let bare = self.part(name);
        let handle = match (text.parse::<Handle>(), self.home) {
            // A bare name is somebody on the server that the file came from.
            (Err(HandleError::NoDomain), Some(home)) if !bare.contains('@') => {
                Handle::new(bare.trim(), home.clone())
            }
            (read, _) => read,
        };
        match handle {
            Ok(handle) => {
                draft.name = self.add(&handle.acct());
                draft.key = self.again_small(draft.name);
                None
            }
            Err(error) => Some(Why::Unreadable(error)),
        }
    }

    fn domain(&mut self, draft: &mut Draft) -> Option<Why> {
        if !is_plain_host(self.bytes(draft.name)) {
            let text = self.part(draft.name);
            match text.parse::<Domain>() {
                Ok(domain) => draft.name = self.add(domain.as_str()),
                Err(_) if text.is_empty() => return Some(Why::Unreadable(HandleError::Empty)),
                Err(error) => return Some(Why::Unreadable(error)),
            }
        }
        draft.key = draft.name;
        None
    }

    /// An URI is uploaded as it stands. Its scheme and host are the same in any case, the rest is not.
    fn uri(&mut self, draft: &mut Draft) -> Option<Why> {
        match uri_key(self.part(draft.name)) {
            Ok(None) => draft.key = draft.name,
            Ok(Some(key)) => draft.key = self.add(&key),
            Err(why) => return Some(why),
        }
        None
    }

    fn filter(&mut self, draft: &mut Draft, json: Span) -> Option<Why> {
        let value = plain::json(self.part(json));
        let Some(filter) = value.as_ref().and_then(Filter::read) else { return Some(Why::NoFilter) };
        draft.name = self.add(&filter.title);
        draft.key = self.add(&filter.key());
        draft.more = self.add(&filter.json());
        (filter.title.is_empty() || filter.context.is_empty()).then_some(Why::NoFilter)
    }

    fn flag(&mut self, cells: &[Span], place: usize) -> Option<bool> {
        let cell = *cells.get(place)?;
        match self.bytes(cell) {
            b"true" => return Some(true),
            b"false" => return Some(false),
            b"" => return None,
            _ => {}
        }
        let cell = self.part(self.trim(cell));
        let flag = true_or_false(cell);
        self.neither += u32::from(flag.is_none() && !cell.is_empty() && self.sheet.header);
        flag
    }

    fn settings(&mut self, draft: &mut Draft, cells: &[Span]) {
        draft.settings = Settings {
            boosts: self.flag(cells, self.places.boosts),
            notify: self.flag(cells, self.places.notify),
            hide_notifications: self.flag(cells, self.places.hide),
        };
        let Some(cell) = cells.get(self.places.languages) else { return };
        // Without a header the fourth cell is taken for languages only behind two that are what they should be.
        let header = self.sheet.header;
        if cell.0 < cell.1 && (header || (draft.settings.boosts.is_some() && draft.settings.notify.is_some()))
        {
            let languages = self.trim(*cell);
            let code = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b',' | b' ');
            if self.bytes(languages).iter().all(code) {
                draft.more = languages;
            } else {
                self.neither += u32::from(header);
            }
        }
    }
}

/// What an URI is compared by, where that is not the URI itself.
fn uri_key(uri: &str) -> Result<Option<String>, Why> {
    if uri.len() > LONGEST_URI {
        return Err(Why::Unreadable(HandleError::TooLong));
    }
    let (scheme, rest) = uri.split_once("://").ok_or(Why::NoUri)?;
    if !(scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")) {
        return Err(Why::NoUri);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
    if path.len() < 2 || path.chars().any(|sign| sign.is_whitespace() || sign.is_control()) {
        return Err(Why::NoUri);
    }
    let small = !scheme.bytes().any(|byte| byte.is_ascii_uppercase());
    if small && port.is_empty() && is_plain_host(host.as_bytes()) {
        return Ok(None);
    }
    let number = port.strip_prefix(':').is_none_or(|port| port.parse::<u16>().is_ok());
    let host: Domain = host.parse().ok().filter(|_| number).ok_or(Why::NoUri)?;
    let mut key = scheme.to_ascii_lowercase();
    for part in ["://", host.host(), port, path] {
        key.push_str(part);
    }
    Ok(Some(key))
}
