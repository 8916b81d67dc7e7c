//! What a message says: its HTML, which whoever wrote it may have made anything of, as a few harmless kinds of text.
//!
//! Whatever comes in, what comes out is well formed: every `Open` has its `Close`, paragraphs hold no blocks, links no
//! links, and nothing is nested deeper than a person would. What is not known contributes its text; what is no text at all
//! (scripts, styles, frames) contributes nothing.
//!
//! Nothing in it reaches beyond its place: signs that turn the direction of writing (U+202A to U+202E, U+2066 to U+2069) are
//! left out, control characters are replaced by �, and everything that some reader takes for the end of a line is one.
//! Other invisible signs stay, as they may be meant (emoji and several scripts need them) and can do no harm.

use crate::server::markup::{Event, Parser};
use crate::server::status::Emoji;
use crate::small::{find, ordered};

/// How deep quotes and lists, and how deep bold and the like, are followed. Mastodon itself makes two and three levels.
const BLOCKS: usize = 8;
const INLINES: usize = 8;

/// A piece of a message, in reading order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Open(Tag),
    /// Ends what was opened last.
    Close,
    Text(String),
    /// A new line.
    Break,
    /// A custom emoji: `:shortcode:` in words.
    Emoji(Emoji),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    Paragraph,
    Quote,
    /// Text whose white space stands.
    Pre,
    /// Numbered or not.
    List(bool),
    /// Only directly in a list.
    Item,
    Bold,
    Italic,
    Strike,
    Underline,
    Code,
    Link(Link),
}

/// A link that may be followed: `http`, `https` or `mailto`, with nothing in it that could end it early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub href: String,
    pub kind: LinkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Its text is its address.
    Plain,
    /// Its text is something else: the address has to be shown too where it cannot be looked at.
    Named,
    /// Its text looks like an address, but like another one: where it leads has to be shown right there.
    Misnamed,
    /// Its text begins with `@`, and it says that it is one.
    Mention,
    /// Its text begins with `#`, and it says that it is one.
    Hashtag,
}

impl Tag {
    fn is_block(&self) -> bool {
        matches!(self, Tag::Paragraph | Tag::Quote | Tag::Pre | Tag::List(_) | Tag::Item)
    }
}

/// Nobody writes so many tags. 46,000 of them nested took Chromium's parser a minute.
const MOST_TAGS: usize = 8_000;

/// What stands between tags, as it stands.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        let after = if text.is_empty() && !html.starts_with('<') {
            part
        } else {
            part.split_once('>').map_or("", |(_, after)| after)
        };
        text.push_str(after);
    }
    text
}

/// A message's text. Well formed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    pieces: Vec<Piece>,
}

impl Body {
    /// Reads the HTML of a message. Never more than a few pieces for each tag and text that stands in it: what a parser
    /// repeats (`<b>` over many paragraphs) is repeated as long as the length of the whole allows it.
    pub fn read(html: &str, parser: &dyn Parser, emojis: &[Emoji]) -> Body {
        if html.bytes().filter(|b| *b == b'<').count() > MOST_TAGS {
            let text = one_line(&without_tags(html));
            let pieces = if text.is_empty() { Vec::new() } else { vec![Piece::Text(text)] };
            return Body { pieces };
        }
        let mut builder = Builder::new(html.len(), emojis);
        parser.parse(html).walk(&mut |event| builder.event(event));
        builder.end()
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// What an element does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its text counts, itself not.
    Nothing,
    /// A paragraph, or what stands apart like one. With `true`, what is in it is bold: a heading.
    Apart(bool),
    Block,
    Inline,
}

struct Builder<'a> {
    pieces: Vec<Piece>,
    emojis: Vec<&'a Emoji>,
    /// What each open element of the document does.
    elements: Vec<Kind>,
    /// How many elements deep we are in something that is left out.
    left_out: usize,
    /// Open quotes, lists, items, and `Pre`.
    blocks: Vec<Tag>,
    /// Bold and the like, as the document wants it; the first `open_inlines` of them have been opened.
    inlines: Vec<Tag>,
    open_inlines: usize,
    /// A paragraph (or what stands for one directly in a list: an item with a paragraph) is open.
    paragraph: Option<bool>,
    /// How many more times something may be opened.
    budget: usize,
    /// Ends of lines that were met, but no text after them yet.
    breaks: usize,
    /// Where the innermost open link stands in `pieces`.
    link: Option<usize>,
}

impl<'a> Builder<'a> {
    fn new(length: usize, emojis: &'a [Emoji]) -> Builder<'a> {
        let emojis: Vec<&Emoji> = emojis.iter().filter(|emoji| is_shortcode(&emoji.shortcode)).collect();
        let emojis = ordered(emojis, &|left, right| left.shortcode.cmp(&right.shortcode));
        Builder {
            pieces: Vec::new(),
            emojis,
            elements: Vec::new(),
            left_out: 0,
            blocks: Vec::new(),
            inlines: Vec::new(),
            open_inlines: 0,
            paragraph: None,
            // The shortest tag has three characters, and the shortest paragraph one.
            budget: length.saturating_add(8),
            breaks: 0,
            link: None,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Open(..) | Event::Close if self.left_out > 0 => {
                self.left_out =
                    if matches!(event, Event::Close) { self.left_out - 1 } else { self.left_out + 1 };
            }
            Event::Text(_) if self.left_out > 0 => {}
            Event::Open(name, attribute) => self.open(name, attribute),
            Event::Text(text) => self.text(text),
            Event::Close => self.close(),
        }
    }

    fn open(&mut self, name: &str, attribute: &dyn Fn(&str) -> Option<String>) {
        let kind = match name {
            "script" | "style" | "template" | "iframe" | "object" | "embed" | "applet" | "svg" | "math"
            | "head" | "title" | "noscript" | "noembed" | "noframes" | "frameset" | "audio" | "video"
            | "canvas" | "select" | "datalist" => {
                self.left_out = 1;
                return;
            }
            "br" => {
                self.line_break();
                Kind::Nothing
            }
            "img" => {
                // Mastodon leaves no pictures in a text; where one is, its words are what can be kept.
                if let Some(alt) = attribute("alt") {
                    self.text(&alt);
                }
                Kind::Nothing
            }
            "td" | "th" => {
                self.text(" ");
                Kind::Nothing
            }
            "p" | "div" | "section" | "article" | "aside" | "header" | "footer" | "main" | "nav"
            | "address" | "hr" | "dl" | "dt" | "dd" | "table" | "tr" | "caption" | "figure"
            | "figcaption" | "form" | "fieldset" | "legend" | "details" | "summary" | "center" => {
                self.apart()
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.end_paragraph();
                if self.inline(Tag::Bold) { Kind::Apart(true) } else { Kind::Apart(false) }
            }
            "blockquote" => self.block(Tag::Quote),
            "ul" | "menu" => self.block(Tag::List(false)),
            "ol" => self.block(Tag::List(true)),
            "li" if matches!(self.blocks.last(), Some(Tag::List(_))) => self.block(Tag::Item),
            "li" => self.apart(),
            "pre" | "listing" | "xmp" | "plaintext" if !self.in_pre() => self.block(Tag::Pre),
            "b" | "strong" => self.styled(Tag::Bold),
            "i" | "em" | "cite" | "dfn" | "var" => self.styled(Tag::Italic),
            "s" | "del" | "strike" => self.styled(Tag::Strike),
            "u" | "ins" => self.styled(Tag::Underline),
            "code" | "kbd" | "samp" | "tt" if !self.in_pre() => self.styled(Tag::Code),
            "a" => match attribute("href").as_deref().and_then(address) {
                Some(href) => {
                    let class = attribute("class").unwrap_or_default();
                    let is = |name: &str| class.split_ascii_whitespace().any(|word| word == name);
                    let kind = match (is("hashtag"), is("mention")) {
                        (true, _) => LinkKind::Hashtag,
                        (false, true) => LinkKind::Mention,
                        (false, false) => LinkKind::Named,
                    };
                    self.styled(Tag::Link(Link { href, kind }))
                }
                None => Kind::Nothing,
            },
            _ => Kind::Nothing,
        };
        self.elements.push(kind);
    }

    fn close(&mut self) {
        match self.elements.pop() {
            None | Some(Kind::Nothing) => {}
            Some(Kind::Apart(bold)) => {
                self.end_paragraph();
                if bold {
                    self.inlines.pop();
                }
            }
            Some(Kind::Block) => {
                self.end_paragraph();
                if self.blocks.pop().is_some() {
                    self.close_or_forget();
                }
            }
            Some(Kind::Inline) => {
                if self.open_inlines == self.inlines.len() && self.open_inlines > 0 {
                    self.close_inline();
                }
                self.inlines.pop();
            }
        }
    }

    fn apart(&mut self) -> Kind {
        self.end_paragraph();
        if matches!(self.blocks.last(), Some(Tag::Pre)) && !matches!(self.pieces.last(), Some(Piece::Open(_)))
        {
            self.breaks = 1;
        }
        Kind::Apart(false)
    }

    fn block(&mut self, tag: Tag) -> Kind {
        if self.blocks.len() >= BLOCKS || !self.pay() {
            return self.apart();
        }
        self.end_paragraph();
        self.pieces.push(Piece::Open(tag.clone()));
        self.blocks.push(tag);
        Kind::Block
    }

    fn styled(&mut self, tag: Tag) -> Kind {
        if self.inline(tag) { Kind::Inline } else { Kind::Nothing }
    }

    /// Wants what follows in a style. Opened with the first text in it, and again with the first of the next paragraph.
    fn inline(&mut self, tag: Tag) -> bool {
        let twice = match tag {
            Tag::Link(_) => self.inlines.iter().any(|other| matches!(other, Tag::Link(_))),
            _ => self.inlines.contains(&tag),
        };
        let wanted = !twice && self.inlines.len() < INLINES;
        if wanted {
            self.inlines.push(tag);
        }
        wanted
    }

    fn pay(&mut self) -> bool {
        let paid = self.budget > 0;
        self.budget = self.budget.saturating_sub(1);
        paid
    }

    fn in_pre(&self) -> bool {
        self.blocks.contains(&Tag::Pre)
    }

    fn in_code(&self) -> bool {
        self.in_pre() || self.inlines.contains(&Tag::Code)
    }

    /// Makes sure that text may stand here.
    fn begin_text(&mut self) {
        if self.paragraph.is_none() && !matches!(self.blocks.last(), Some(Tag::Pre)) {
            let in_list = matches!(self.blocks.last(), Some(Tag::List(_)));
            if in_list {
                self.pieces.push(Piece::Open(Tag::Item));
            }
            self.pieces.push(Piece::Open(Tag::Paragraph));
            self.paragraph = Some(in_list);
            self.budget = self.budget.saturating_sub(1);
        }
        self.pieces.extend(std::iter::repeat_n(Piece::Break, std::mem::take(&mut self.breaks)));
        while let Some(tag) = self.inlines.get(self.open_inlines).cloned() {
            if !self.pay() {
                // They would be closed without having been opened: from here on all is plain.
                self.inlines.truncate(self.open_inlines);
                let wants = |kind: &&mut Kind| matches!(kind, Kind::Inline | Kind::Apart(true));
                for kind in self.elements.iter_mut().filter(wants).skip(self.open_inlines) {
                    *kind = if *kind == Kind::Inline { Kind::Nothing } else { Kind::Apart(false) };
                }
                break;
            }
            if matches!(tag, Tag::Link(_)) {
                self.link = Some(self.pieces.len());
            }
            self.pieces.push(Piece::Open(tag));
            self.open_inlines += 1;
        }
    }

    fn close_inline(&mut self) {
        self.open_inlines -= 1;
        if matches!(self.inlines.get(self.open_inlines), Some(Tag::Link(_))) {
            self.name_link();
        }
        self.close_or_forget();
    }

    /// What a link is, now that its text is known.
    fn name_link(&mut self) {
        let Some(at) = self.link.take() else { return };
        let Some((Piece::Open(Tag::Link(link)), inside)) =
            self.pieces.get_mut(at..).and_then(<[Piece]>::split_first_mut)
        else {
            return;
        };
        let mut text = String::new();
        for piece in inside {
            match piece {
                Piece::Text(more) => text.push_str(more),
                Piece::Emoji(emoji) => text.push_str(&emoji.shortcode),
                Piece::Break => text.push(' '),
                Piece::Open(_) | Piece::Close => {}
            }
        }
        let text = text.trim();
        let sign = match link.kind {
            LinkKind::Mention => '@',
            LinkKind::Hashtag => '#',
            LinkKind::Plain | LinkKind::Named | LinkKind::Misnamed => '\0',
        };
        // A class is claimed easily.
        if text.starts_with(sign) && !text.contains(char::is_whitespace) {
            return;
        }
        let bare = |address: &str| {
            let address = address.strip_prefix("mailto:").unwrap_or(address);
            let address = address.strip_prefix("https://").unwrap_or(address);
            address.strip_suffix('/').unwrap_or(address).to_owned()
        };
        let looks_like_one =
            text.contains("://") || (text.contains('.') && !text.contains(char::is_whitespace));
        link.kind = match bare(text) == bare(&link.href) {
            true => LinkKind::Plain,
            false if looks_like_one => LinkKind::Misnamed,
            false => LinkKind::Named,
        };
    }

    /// Closes what was opened last; if nothing came since, it was never there.
    fn close_or_forget(&mut self) {
        if matches!(self.pieces.last(), Some(Piece::Open(_))) {
            self.pieces.pop();
        } else {
            self.pieces.push(Piece::Close);
        }
    }

    fn end_paragraph(&mut self) {
        while self.open_inlines > 0 {
            self.close_inline();
        }
        // A new line before the end of a paragraph is not seen.
        self.breaks = 0;
        if let Some(in_item) = self.paragraph.take() {
            self.close_or_forget();
            if in_item {
                self.close_or_forget();
            }
        }
    }

    fn line_break(&mut self) {
        if self.paragraph.is_some() || matches!(self.blocks.last(), Some(Tag::Pre)) {
            self.breaks += 1;
        }
    }

    fn text(&mut self, text: &str) {
        let clean = clean(text);
        let mut text = clean.as_str();
        if !matches!(self.blocks.last(), Some(Tag::Pre)) {
            if self.paragraph.is_none() {
                text = text.trim_start_matches([' ', '\n', '\t']);
            } else if self.breaks > 0 {
                // Software that writes a new line into its HTML after each `<br>` means one line, not two.
                text = text.strip_prefix('\n').unwrap_or(text);
            }
        }
        // As Mastodon shows it, each new line in the text is one.
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.line_break();
            }
            if !line.is_empty() {
                self.begin_text();
                self.line(line);
            }
        }
    }

    fn line(&mut self, line: &str) {
        let mut rest = line;
        if !self.emojis.is_empty() && !self.in_code() {
            // `:` by `:`, so that nothing is looked at twice.
            let (mut from, mut searched) = (0, 0);
            while let Some(begin) =
                line.get(searched..).and_then(|text| text.find(':')).map(|at| at + searched)
            {
                let Some(end) =
                    line.get(begin + 1..).and_then(|text| text.find(':')).map(|at| at + begin + 1)
                else {
                    break;
                };
                match self.emoji(line, begin, end) {
                    Some(emoji) => {
                        self.push_text(line.get(from..begin).unwrap_or_default());
                        self.pieces.push(Piece::Emoji(emoji));
                        from = end + 1;
                        searched = from;
                    }
                    None => searched = end,
                }
            }
            rest = line.get(from..).unwrap_or_default();
        }
        self.push_text(rest);
    }

    /// The emoji between two colons, where Mastodon takes it for one: not inside a word.
    fn emoji(&self, line: &str, begin: usize, end: usize) -> Option<Emoji> {
        let code = line.get(begin + 1..end)?;
        let at = find(self.emojis.len(), &|at| self.emojis[at].shortcode.as_str().cmp(code))?;
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != ':');
        let before = line.get(..begin)?.chars().next_back();
        let after = line.get(end + 1..)?.chars().next();
        (apart(before) && apart(after)).then(|| self.emojis.get(at).map(|emoji| (*emoji).clone())).flatten()
    }

    fn push_text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn end(mut self) -> Body {
        self.end_paragraph();
        while self.blocks.pop().is_some() {
            self.close_or_forget();
        }
        Body { pieces: self.pieces }
    }
}

fn is_shortcode(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The address of a link as far as it may be followed, written so that nothing can be hidden in it. Browsers leave out tabs
/// and new lines wherever they stand, and blanks and control characters at both ends: so do we, before we look.
pub fn address(href: &str) -> Option<String> {
    let href: String = href.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let href = href.trim_matches(|c: char| c <= ' ');
    let scheme = ["https://", "http://", "mailto:"]
        .into_iter()
        .find(|scheme| href.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let rest = href.get(scheme.len()..).filter(|rest| !rest.is_empty() && !rest.starts_with(['/', '\\']))?;
    let mut out = scheme.to_owned();
    for c in rest.chars() {
        match c {
            _ if turns_direction(c) || c.is_control() || c.is_whitespace() || "\"'<>`\\{}|^".contains(c) => {
                percent(c, &mut out);
            }
            _ => out.push(c),
        }
    }
    Some(out)
}

/// `%20`
pub fn percent(c: char, out: &mut String) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        out.push('%');
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
        }
    }
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text that stays in its place, with `\n` for every end of a line.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            // What one reader or another takes for the end of a line.
            '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                out.push('\n')
            }
            '\t' => out.push(c),
            _ if turns_direction(c) => {}
            _ if c.is_control() => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// A name, or other words that stand on one line.
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in clean(text).split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Text as HTML, for the inside of an element and of an attribute in quotes.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

impl Body {
    /// As HTML, for an element with `dir="auto"`. `emoji` gives the address of an emoji's picture, where there is one.
    pub fn html(&self, emoji: &dyn Fn(&Emoji) -> Option<String>, out: &mut String) {
        let mut open: Vec<(&str, Option<&str>)> = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Open(tag) => {
                    let misnamed = match tag {
                        Tag::Link(Link { href, kind: LinkKind::Misnamed }) => Some(href.as_str()),
                        _ => None,
                    };
                    let name = match tag {
                        Tag::Paragraph => "p",
                        Tag::Quote => "blockquote",
                        Tag::Pre => "pre",
                        Tag::List(true) => "ol",
                        Tag::List(false) => "ul",
                        Tag::Item => "li",
                        Tag::Bold => "strong",
                        Tag::Italic => "em",
                        Tag::Strike => "s",
                        Tag::Underline => "u",
                        Tag::Code => "code",
                        Tag::Link(_) => "a",
                    };
                    out.push('<');
                    out.push_str(name);
                    if let Tag::Link(link) = tag {
                        out.push_str(" href=\"");
                        escape(&link.href, out);
                        out.push_str("\" rel=\"noopener noreferrer nofollow\"");
                        if link.kind == LinkKind::Named {
                            // Shown when the pointer is on it, and in print.
                            out.push_str(" class=\"named\" title=\"");
                            escape(&link.href, out);
                            out.push('"');
                        }
                    }
                    out.push('>');
                    if matches!(tag, Tag::Link(_)) {
                        // Set apart: whether a message runs from right to left is not decided by whom it mentions first.
                        out.push_str("<bdi>");
                    }
                    open.push((name, misnamed));
                }
                Piece::Close => {
                    let (name, misnamed) = open.pop().unwrap_or_default();
                    if let Some(href) = misnamed {
                        out.push_str("</bdi> <bdi>(");
                        escape(href, out);
                        out.push(')');
                    }
                    out.push_str(if name == "a" { "</bdi></" } else { "</" });
                    out.push_str(name);
                    out.push('>');
                }
                Piece::Text(text) => escape(text, out),
                Piece::Break => out.push_str("<br>"),
                Piece::Emoji(found) => {
                    let code = &found.shortcode;
                    match emoji(found) {
                        Some(address) => {
                            out.push_str("<img class=\"emoji\" src=\"");
                            escape(&address, out);
                            out.push_str(&format!("\" alt=\":{code}:\" title=\":{code}:\">"));
                        }
                        None => out.push_str(&format!(":{code}:")),
                    }
                }
            }
        }
    }

    /// As plain text: paragraphs with an empty line between them, quotes behind `> `, links with their address where that
    /// is not what they are called.
    pub fn text(&self) -> String {
        let mut writer = Plain::default();
        for piece in &self.pieces {
            writer.piece(piece);
        }
        writer.out
    }
}

/// Writes plain text, each line behind what its quotes and lists put before it.
#[derive(Default)]
struct Plain {
    out: String,
    open: Vec<Tag>,
    /// What each open block puts before a line: the first time, and each time after.
    before: Vec<(String, String)>,
    /// The number of the last item in each open list.
    numbers: Vec<usize>,
    /// How many ends of lines have to come before more is written.
    owed: usize,
    /// How many of the blocks open now have been open ever since the last line.
    kept: usize,
    inside_line: bool,
}

impl Plain {
    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Open(tag) => {
                if tag.is_block() {
                    self.apart();
                }
                match tag {
                    Tag::Quote => self.before.push(("> ".into(), "> ".into())),
                    Tag::List(_) => self.numbers.push(0),
                    Tag::Item => {
                        let numbered = matches!(self.open.last(), Some(Tag::List(true)));
                        let number = self.numbers.last_mut().map_or(1, |number| {
                            *number += 1;
                            *number
                        });
                        let sign = if numbered { format!("{number}. ") } else { "- ".to_owned() };
                        let blank = " ".repeat(sign.len());
                        self.before.push((sign, blank));
                    }
                    _ => {}
                }
                self.open.push(tag.clone());
            }
            Piece::Close => {
                let Some(tag) = self.open.pop() else { return };
                match &tag {
                    Tag::Quote | Tag::Item => {
                        self.before.pop();
                    }
                    Tag::List(_) => {
                        self.numbers.pop();
                    }
                    Tag::Link(Link { href, kind: LinkKind::Named | LinkKind::Misnamed }) => {
                        self.write(&format!(" ({href})"))
                    }
                    _ => {}
                }
                if tag.is_block() {
                    self.apart();
                }
            }
            Piece::Text(text) => self.write(text),
            Piece::Break => self.line_break(),
            Piece::Emoji(emoji) => self.write(&format!(":{}:", emoji.shortcode)),
        }
    }

    /// What follows stands apart from what came: by an empty line, but the items of a list on the next.
    fn apart(&mut self) {
        if !self.out.is_empty() {
            let in_list = !self.numbers.is_empty();
            self.owed = self.owed.max(if in_list { 1 } else { 2 });
            self.kept = self.kept.min(self.before.len());
        }
    }

    fn line_break(&mut self) {
        self.owed += 1;
        self.begin_line();
    }

    fn begin_line(&mut self) {
        for line in (0..std::mem::take(&mut self.owed)).rev() {
            self.out.push('\n');
            self.inside_line = false;
            let ended = self.out.len();
            for (_, then) in self.before.iter().take(if line > 0 { self.kept } else { 0 }) {
                self.out.push_str(then);
            }
            let blank = self.out.trim_end_matches(' ').len();
            self.out.truncate(blank.max(ended));
        }
        self.kept = self.before.len();
        if !std::mem::replace(&mut self.inside_line, true) {
            for (first, then) in &mut self.before {
                self.out.push_str(first);
                first.clone_from(then);
            }
        }
    }

    fn write(&mut self, text: &str) {
        self.begin_line();
        self.out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_more_tags_than_anybody_writes_is_its_text() {
        struct Never;
        impl Parser for Never {
            fn parse<'a>(&'a self, _html: &str) -> Box<dyn crate::server::markup::Markup + 'a> {
                panic!("too much for a parser")
            }
        }
        let deep = format!("{}deep &amp; far{}", "<div>".repeat(46_000), "</div>".repeat(46_000));
        assert_eq!(Body::read(&deep, &Never, &[]).text().trim(), "deep &amp; far");
        assert_eq!(without_tags("a<b>c</b> d"), "ac d");
        assert_eq!(without_tags("<b>c</b"), "c");
    }

    #[test]
    fn links_lead_where_they_say_or_nowhere() {
        for (href, expected) in [
            ("https://a.example/x?y=1&z=2#t", Some("https://a.example/x?y=1&z=2#t")),
            (" \u{1}HTTPS://a.example\n/b", Some("https://a.example/b")),
            ("http://a.example/ä", Some("http://a.example/ä")),
            ("mailto:ana@a.example", Some("mailto:ana@a.example")),
            ("https://a.example/\"><script>", Some("https://a.example/%22%3E%3Cscript%3E")),
            ("https://a.example/\u{202e}gpj", Some("https://a.example/%E2%80%AEgpj")),
            ("https://a.example/a b\u{a0}\0", Some("https://a.example/a%20b%C2%A0")),
            ("javascript:alert(1)", None),
            (" java\tscript:alert(1)", None),
            ("JaVaScRiPt:alert(1)", None),
            ("data:text/html,x", None),
            ("vbscript:x", None),
            ("file:///etc/passwd", None),
            ("blob:https://a.example/1", None),
            ("//a.example/x", None),
            ("/x", None),
            ("https:///a.example", None),
            ("https://", None),
            ("https:a.example", None),
            ("\u{e9}ttps://a.example", None),
            ("", None),
        ] {
            assert_eq!(address(href).as_deref(), expected, "{href:?}");
        }
    }

    #[test]
    fn text_stays_in_its_place() {
        assert_eq!(clean("a\r\nb\rc\u{2028}d\u{85}e\u{1e}f"), "a\nb\nc\nd\ne\nf");
        assert_eq!(clean("a\u{202e}b\u{2066}c\0d\u{9b}"), "abc\u{fffd}d\u{fffd}");
        assert_eq!(clean("👩\u{200d}👧 a\u{200f}"), "👩\u{200d}👧 a\u{200f}");
        assert_eq!(one_line(" a\n\t b\u{2029}c "), "a b c");
    }
}
