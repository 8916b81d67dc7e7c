//! How Mastodon counts characters: of a bio and of a post it takes what a person sees as one sign for one, every address for
//! as many as it says itself, and of a mention only the name (its `NoteLengthValidator` and `StatusLengthValidator`; held
//! against `update_credentials_bio_500_with_url` of a real 4.6.5). Names and fields are counted plainly.

use crate::account::Handle;

/// What an address counts where a server says nothing else.
pub const URL: usize = 23;

/// Something that is counted whole and cut nowhere.
struct Unit {
    end: usize,
    weight: usize,
}

/// A name within a mention.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn name_len(text: &str) -> usize {
    let end = text.find(|c: char| !(is_name(c) || matches!(c, '.' | '-'))).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', '-']).len()
}

/// How long the address at the beginning is, if there is one.
fn url_len(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://"]
        .iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(text.len());
    let trimmed = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
    (trimmed.len() > scheme.len()).then_some(trimmed.len())
}

/// A mention at the beginning: how long it is, and where its domain begins, if it has one.
fn mention_len(text: &str) -> Option<(usize, usize)> {
    let rest = text.strip_prefix('@')?;
    let name = name_len(rest);
    if name == 0 {
        return None;
    }
    let domain = rest[name..].strip_prefix('@').map_or(0, name_len);
    let end = 1 + name;
    Some((if domain > 0 { end + 1 + domain } else { end }, end))
}

/// Whether a sign is drawn onto the one before it. Not all that Unicode has, but what people write.
fn joins(c: char) -> bool {
    matches!(c as u32,
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x64b..=0x65f | 0x93c | 0x94d | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff | 0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f | 0x1f3fb..=0x1f3ff
        | 0xe0020..=0xe007f | 0xe0100..=0xe01ef)
}

fn is_half_flag(c: char) -> bool {
    matches!(c as u32, 0x1f1e6..=0x1f1ff)
}

/// The length of what is seen as one sign.
fn sign_len(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    let Some((_, first)) = chars.next() else { return 0 };
    let mut joined = false;
    let mut flag = is_half_flag(first);
    while let Some((at, c)) = chars.peek().copied() {
        let belongs =
            joins(c) || joined || (first == '\r' && c == '\n' && at == 1) || (flag && is_half_flag(c));
        if !belongs {
            return at;
        }
        flag = false;
        joined = c == '\u{200d}';
        chars.next();
    }
    text.len()
}

fn units(text: &str, url: usize) -> Vec<Unit> {
    let mut units = Vec::new();
    let (mut at, mut before) = (0, ' ');
    while at < text.len() {
        let rest = &text[at..];
        let (len, weight) = if let Some(len) = url_len(rest).filter(|_| !is_name(before)) {
            (len, url)
        } else if let Some((len, name)) =
            mention_len(rest).filter(|_| !is_name(before) && !matches!(before, '/' | '='))
        {
            (len, rest[..name].chars().count())
        } else {
            (sign_len(rest), 1)
        };
        at += len;
        before = rest[..len].chars().next_back().unwrap_or(' ');
        units.push(Unit { end: at, weight });
    }
    units
}

/// As a bio and a post are counted.
pub fn length(text: &str, url: usize) -> usize {
    units(text, url).iter().map(|unit| unit.weight).sum()
}

/// As much of it as fits. What is counted whole stays whole.
pub fn cut(text: &str, most: usize, url: usize) -> &str {
    let mut sum = 0;
    let mut end = 0;
    for unit in units(text, url) {
        sum += unit.weight;
        if sum > most {
            return text[..end].trim_end();
        }
        end = unit.end;
    }
    text
}

/// As much of it as fits, counted plainly.
pub fn cut_plain(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The mentions in a text, as they stand there without the first `@`.
pub fn mentions(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut at = 0;
    for unit in units(text, URL) {
        if let Some((len, _)) = mention_len(&text[at..unit.end]).filter(|(len, _)| *len == unit.end - at) {
            found.push(&text[at + 1..at + len]);
        }
        at = unit.end;
    }
    found
}

/// Whether a text names an account in full.
pub fn names(text: &str, handle: &Handle) -> bool {
    let (text, name) = (text.to_lowercase(), format!("@{}", handle.acct().to_lowercase()));
    let mut at = 0;
    while let Some(found) = text[at..].find(&name) {
        let (start, end) = (at + found, at + found + name.len());
        let before = text[..start].chars().next_back().is_some_and(is_name);
        // A domain that goes on is another one; the end of a sentence is none of it.
        let mut after = text[end..].chars();
        let goes_on = match after.next() {
            Some('.' | '-') => after.next().is_some_and(is_name),
            Some(c) => is_name(c),
            None => false,
        };
        if !before && !goes_on {
            return true;
        }
        at = end;
    }
    false
}

/// The shortcodes of custom emoji in a text, whether any server knows them or not.
pub fn shortcodes(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(':') {
        let after = &rest[start + 1..];
        let len = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let code = &after[..len];
        if len >= 2 && after[len..].starts_with(':') {
            if !found.contains(&code) {
                found.push(code);
            }
            rest = &after[len + 1..];
        } else {
            rest = after;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_mastodon_counts() {
        for (text, expected) in [
            ("", 0),
            ("abc", 3),
            ("caf\u{e9}", 4),
            ("cafe\u{301}", 4),
            ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", 1),
            ("\u{1f44b}\u{1f3fd}!", 2),
            ("\u{1f1e6}\u{1f1f9}\u{1f1e9}\u{1f1ea}", 2),
            ("a\r\nb", 3),
            ("see https://example.org/a/very/long/address/that/goes/on/and/on.", 4 + 23 + 1),
            ("HTTPS://EXAMPLE.ORG", 23),
            ("https://", 8),
            ("@ana@old.example hi", 7),
            ("@ana. hi", 8),
            ("mail me@home.example", 20),
            ("@", 1),
        ] {
            assert_eq!(length(text, URL), expected, "{text:?}");
        }
    }

    #[test]
    fn an_address_is_cut_off_whole() {
        let bio = format!("{} https://example.org/{}", "x".repeat(476), "a".repeat(200));
        assert_eq!(length(&bio, URL), 500);
        assert_eq!(cut(&bio, 500, URL), bio);
        assert_eq!(cut(&bio, 499, URL), "x".repeat(476));
    }

    #[test]
    fn cuts_nothing_in_two() {
        assert_eq!(cut("ab \u{1f44b}\u{1f3fd}cd", 4, URL), "ab \u{1f44b}\u{1f3fd}");
        assert_eq!(cut("ab \u{1f44b}\u{1f3fd}cd", 3, URL), "ab");
        assert_eq!(cut("hello @ana@old.example", 9, URL), "hello");
        assert_eq!(cut("short", 500, URL), "short");
        assert_eq!(cut("", 0, URL), "");
        assert_eq!(cut_plain("caf\u{e9}s", 4), "caf\u{e9}");
        assert_eq!(cut_plain("ab", 4), "ab");
    }

    #[test]
    fn finds_a_handle_and_no_longer_one() {
        let ana: Handle = "ana@old.example".parse().unwrap();
        for (text, expected) in [
            ("I was @ana@old.example.", true),
            ("(@Ana@OLD.example)", true),
            ("@ana@old.example.net, then @ana@old.example", true),
            ("@ana@old.example.net", false),
            ("@ana@old.examples", false),
            ("mail@ana@old.example", false),
            ("ana@old.example", false),
            ("", false),
        ] {
            assert_eq!(names(text, &ana), expected, "{text}");
        }
    }

    #[test]
    fn finds_mentions_and_emoji() {
        let text = "I am @ana, was @ana@old.example. Not mail@home.example, https://old.example/@ana";
        assert_eq!(mentions(text), ["ana", "ana@old.example"]);
        assert_eq!(shortcodes("a :cat: b :cat::dog_2: at 10:30:15 :x: ::"), ["cat", "dog_2", "30"]);
    }
}
