//! Bytes that may be anything, into rows and cells. By hand: a general reader of CSV is larger, slower, and does not say
//! what it forgave. One text holds everything, and cells are places in it.

use super::guess::{self, Column, Foreign, Guess, What};
use super::row::Span;
use super::{Kind, LARGEST, MOST_ROWS, Odd};
use crate::plain;

/// Why a file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    Empty,
    /// Larger than [`super::LARGEST`].
    TooLarge,
    /// More than [`super::MOST_ROWS`].
    TooManyRows,
    Foreign(Foreign),
    /// `custom_filters.json`, and it is cut off or broken.
    BrokenJson,
}

/// A file as rows and cells.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub guess: Guess,
    pub odd: Vec<Odd>,
    /// `,`, `;` or a tab.
    pub separator: u8,
    /// Whether it began with names of columns.
    pub header: bool,
    pub(super) columns: Vec<Option<Column>>,
    pub(super) text: String,
    cells: Vec<Span>,
    lines: Vec<Line>,
}

/// A row: its cells go from `first` to where those of the next begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Where it begins, as an editor counts; of filters, how manieth it is.
    pub line: u32,
    first: u32,
    /// A quote in it never closes.
    pub open_quote: bool,
}

/// More cells than this are not looked at: a line of 50 MB may be nothing but commas.
const MOST_CELLS: usize = 32;

impl Sheet {
    /// How many rows there are, without header and blank lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The kind that it is, where that is known or likely.
    pub fn kind(&self) -> Option<Kind> {
        match self.guess.what {
            What::Known(kind) => Some(kind),
            _ => None,
        }
    }

    /// The cells of a row, as they stand in the file but for quotes. For tables that show what was read.
    pub fn cells(&self, row: usize) -> Vec<&str> {
        self.row(row).map_or(Vec::new(), |(_, cells)| {
            cells
                .iter()
                .map(|cell| self.text.get(cell.0 as usize..cell.1 as usize).unwrap_or_default())
                .collect()
        })
    }

    pub(super) fn is_json(&self) -> bool {
        self.guess.what == What::Known(Kind::Filters) && self.separator == 0
    }

    pub(super) fn row(&self, row: usize) -> Option<(&Line, &[Span])> {
        let line = self.lines.get(row)?;
        let end = self.lines.get(row + 1).map_or(self.cells.len(), |next| next.first as usize);
        Some((line, self.cells.get(line.first as usize..end)?))
    }
}

/// Reads whatever it is.
pub fn read(bytes: &[u8], file_name: &str) -> Result<Sheet, ReadError> {
    if bytes.len() > LARGEST {
        return Err(ReadError::TooLarge);
    }
    if let Some(foreign) = guess::form(bytes) {
        return Err(ReadError::Foreign(foreign));
    }
    let mut odd = Vec::new();
    let text = decode(bytes, &mut odd);
    let (guess, separator) = guess::of_text(text.as_bytes(), file_name);
    match guess.what {
        // Four kilobytes of blanks may still have something behind them.
        What::Empty if text.trim_ascii().is_empty() => return Err(ReadError::Empty),
        What::Foreign(foreign) => return Err(ReadError::Foreign(foreign)),
        What::Known(Kind::Filters) if text.trim_ascii_start().starts_with('{') => {
            return json(guess, text, odd);
        }
        _ => {}
    }
    match separator {
        b';' => odd.push(Odd::Semicolons),
        b'\t' => odd.push(Odd::Tabs),
        _ => {}
    }
    let mut scan = Scan {
        bytes: text.as_bytes(),
        separator,
        at: 0,
        line: 1,
        cells: Vec::new(),
        lines: Vec::new(),
        more: String::new(),
        open_quote: None,
        returns: false,
        blank: 0,
    };
    // About the size of a follow; too little is made up for, too much is given back.
    scan.lines.reserve(text.len().min(MOST_ROWS * 30) / 30);
    scan.cells.reserve(text.len().min(MOST_ROWS * 30) / 10);
    scan.all(&text)?;
    let Scan { cells, lines, more, open_quote, returns, blank, .. } = scan;
    odd.extend(open_quote.map(|line| Odd::OpenQuote { line }));
    if returns {
        odd.push(Odd::CarriageReturns);
    }
    if blank > 0 {
        odd.push(Odd::BlankLines(blank));
    }
    let mut sheet = Sheet { guess, odd, separator, header: false, columns: Vec::new(), text, cells, lines };
    sheet.text.push_str(&more);
    let first: Vec<&[u8]> = sheet.cells(0).into_iter().map(str::as_bytes).collect();
    if guess::is_header(&first) {
        sheet.columns = first.iter().map(|cell| guess::column(cell)).collect();
        sheet.header = true;
        sheet.lines.remove(0);
    }
    Ok(sheet)
}

/// A letter of UTF-16 from its bytes, which come in either order.
type Unit = fn([u8; 2]) -> u16;

/// As text, whatever it was written in.
fn decode(bytes: &[u8], odd: &mut Vec<Odd>) -> String {
    let (bytes, units): (&[u8], Option<Unit>) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            odd.push(Odd::Bom);
            (rest, None)
        }
        [0xff, 0xfe, rest @ ..] => (rest, Some(u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => (rest, Some(u16::from_be_bytes)),
        _ => {
            // Without a mark: every other byte of the first ones is NUL.
            let nul =
                |from: usize| bytes.iter().take(64).skip(from).step_by(2).filter(|byte| **byte == 0).count();
            let many = bytes.len().min(64) / 4;
            match (nul(0), nul(1)) {
                (0, low) if bytes.len() > 3 && low > many => (bytes, Some(u16::from_le_bytes)),
                (high, 0) if bytes.len() > 3 && high > many => (bytes, Some(u16::from_be_bytes)),
                _ => (bytes, None),
            }
        }
    };
    let mut bad = None;
    let mut text = match units {
        Some(unit) => {
            odd.push(Odd::Utf16);
            let pairs = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
            let mut text = String::with_capacity(bytes.len() / 2);
            for sign in char::decode_utf16(pairs) {
                if sign.is_err() && bad.is_none() {
                    bad = Some(text.len());
                }
                text.push(sign.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            text
        }
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                bad = Some(error.valid_up_to());
                String::from_utf8_lossy(bytes).into_owned()
            }
        },
    };
    if let Some(bad) = bad {
        let line = text.as_bytes().iter().take(bad).filter(|byte| **byte == b'\n').count() + 1;
        odd.push(Odd::NotUtf8 { line: line as u32 });
    }
    if text.contains('\0') {
        odd.push(Odd::Nul);
        text = text.replace('\0', "");
    }
    text
}

/// `custom_filters.json`: each filter is a row with one cell, its JSON.
fn json(guess: Guess, text: String, odd: Vec<Odd>) -> Result<Sheet, ReadError> {
    let mut lines = Vec::new();
    let mut cells = Vec::new();
    let fields = plain::fields(&text).ok_or(ReadError::BrokenJson)?;
    let filters = fields.iter().find(|(key, _)| key == "custom_filters").map(|(_, value)| *value);
    let filters = filters.and_then(plain::items).ok_or(ReadError::BrokenJson)?;
    if filters.len() > MOST_ROWS {
        return Err(ReadError::TooManyRows);
    }
    for item in filters {
        let start = item.as_ptr() as usize - text.as_ptr() as usize;
        lines.push(Line { line: lines.len() as u32 + 1, first: cells.len() as u32, open_quote: false });
        cells.push((start as u32, (start + item.len()) as u32));
    }
    Ok(Sheet { guess, odd, separator: 0, header: false, columns: Vec::new(), text, cells, lines })
}

/// Over how many ends of lines a quoted cell may go. A quote that was forgotten would otherwise take in everything up to
/// the next one, or be looked for to the end of the file, again and again.
const MOST_LINES: u32 = 3;

/// Goes through the text once, but for the few lines behind a quote that does not close.
struct Scan<'a> {
    bytes: &'a [u8],
    separator: u8,
    at: usize,
    line: u32,
    cells: Vec<Span>,
    lines: Vec<Line>,
    /// Cells that do not stand in the text as they are meant: with doubled quotes. It comes behind the text.
    more: String,
    /// The line of the first quote that never closes.
    open_quote: Option<u32>,
    returns: bool,
    blank: u32,
}

impl Scan<'_> {
    fn peek(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn all(&mut self, text: &str) -> Result<(), ReadError> {
        while self.at < self.bytes.len() {
            let (line, start, first) = (self.line, self.at, self.cells.len());
            let open_quote = self.row(text, first);
            let blank = self.cells.len() == first + 1
                && self.bytes.get(start..self.at).unwrap_or_default().trim_ascii_start().is_empty();
            if blank {
                self.cells.truncate(first);
                self.blank += 1;
                continue;
            }
            if self.lines.len() > MOST_ROWS {
                return Err(ReadError::TooManyRows);
            }
            self.lines.push(Line { line, first: first as u32, open_quote });
        }
        Ok(())
    }

    /// Up to the end of a line. Whether a quote in it never closes.
    fn row(&mut self, text: &str, first: usize) -> bool {
        let mut open_quote = false;
        loop {
            let cell = if self.peek(self.at) == Some(b'"') {
                let (cell, open) = self.quoted(text);
                open_quote |= open;
                cell
            } else {
                self.unquoted()
            };
            if self.cells.len() - first < MOST_CELLS {
                self.cells.push(cell);
            }
            let Some(end) = self.peek(self.at) else { return open_quote };
            self.at += 1;
            if end == self.separator {
                continue;
            }
            self.line += 1;
            if end == b'\r' {
                match self.peek(self.at) {
                    Some(b'\n') => self.at += 1,
                    _ => self.returns = true,
                }
            }
            return open_quote;
        }
    }

    /// Every sign of a file comes through here.
    fn unquoted(&mut self) -> Span {
        let (bytes, separator) = (self.bytes, self.separator);
        let start = self.at;
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            // All that ends a cell comes before the letters.
            if *byte <= b';' && (*byte == separator || *byte == b'\n' || *byte == b'\r') {
                break;
            }
            at += 1;
        }
        self.at = at;
        (start as u32, at as u32)
    }

    /// A cell that begins with a quote, and whether it never closes. Where it does not, the quote is a sign as any other,
    /// and what ends cells ends this one too.
    fn quoted(&mut self, text: &str) -> (Span, bool) {
        let start = self.at;
        let mut at = start + 1;
        let mut lines = 0;
        let mut doubled = false;
        let close = loop {
            match self.peek(at) {
                Some(b'"') if self.peek(at + 1) == Some(b'"') => {
                    doubled = true;
                    at += 2;
                }
                Some(b'"') => break Some(at),
                Some(byte) => {
                    lines += u32::from(byte == b'\n' || (byte == b'\r' && self.peek(at + 1) != Some(b'\n')));
                    at += 1;
                    if lines > MOST_LINES {
                        break None;
                    }
                }
                None => break None,
            }
        };
        // Over the end of a line, what closes has to be the end of a cell as well: else it is the next stray quote.
        let ends = |at: usize| {
            self.peek(at + 1).is_none_or(|byte| byte == self.separator || matches!(byte, b'\n' | b'\r'))
        };
        let Some(close) = close.filter(|at| lines == 0 || ends(*at)) else {
            self.open_quote.get_or_insert(self.line);
            return (self.unquoted(), true);
        };
        self.line += lines;
        self.at = close + 1;
        // Something behind the closing quote belongs to the cell.
        let (from, to) = self.unquoted();
        if !doubled && from == to {
            return ((start as u32 + 1, close as u32), false);
        }
        let begin = self.bytes.len() + self.more.len();
        let inside = text.get(start + 1..close).unwrap_or_default();
        let mut first = true;
        for part in inside.split("\"\"") {
            if !std::mem::take(&mut first) {
                self.more.push('"');
            }
            self.more.push_str(part);
        }
        self.more.push_str(text.get(from as usize..to as usize).unwrap_or_default());
        ((begin as u32, (self.bytes.len() + self.more.len()) as u32), false)
    }
}
