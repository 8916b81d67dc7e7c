//! A page as the readers see it.
//!
//! The guard reads the living document, the desk a document made by the browser's own parser, the tests one made by a
//! native parser: the same readers for all three, and no HTML parser in the wasm we ship into other people's pages.

/// A page or a part of one.
pub trait Markup {
    /// All elements below that a CSS selector names, in document order.
    fn all(&self, selector: &str) -> Vec<Box<dyn Markup + '_>>;
    fn attribute(&self, name: &str) -> Option<String>;
    /// The text inside, with its white space as it stands.
    fn text(&self) -> String;
    /// Everything inside, in document order. Comments and the like are left out. However deep a document is, this takes no
    /// more stack than for a flat one.
    fn walk(&self, visit: &mut dyn FnMut(Event<'_>));

    fn first(&self, selector: &str) -> Option<Box<dyn Markup + '_>> {
        self.all(selector).into_iter().next()
    }

    fn has(&self, selector: &str) -> bool {
        self.first(selector).is_some()
    }

    /// The text inside with every run of white space as one blank.
    fn words(&self) -> String {
        self.text().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// What is met on a walk through a document. Each `Open` has its `Close`.
pub enum Event<'a> {
    /// An element, by its name in lower case, and what tells its attributes.
    Open(&'a str, &'a dyn Fn(&str) -> Option<String>),
    Text(&'a str),
    Close,
}

impl std::fmt::Debug for Event<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Open(name, _) => write!(out, "Open({name})"),
            Event::Text(text) => write!(out, "Text({text:?})"),
            Event::Close => out.write_str("Close"),
        }
    }
}

/// Turns the text of a reply into something that can be read.
pub trait Parser {
    fn parse<'a>(&'a self, html: &str) -> Box<dyn Markup + 'a>;
}

/// The first whole number in a text, with its digits grouped or not. Pages write counts in the reader's language
/// ("1,234", "1.234", "1 234", "١٬٢٣٤"), and give them nowhere else (facts 5).
pub fn first_number(text: &str) -> Option<u64> {
    let mut number: Option<u64> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (digit(c), number) {
            (Some(d), None) => number = Some(d),
            (Some(d), Some(n)) => {
                number = Some(n.checked_mul(10)?.checked_add(d)?);
            }
            (None, Some(_)) => {
                let groups = matches!(c, ',' | '.' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}' | '\u{66c}');
                // A separator stands before exactly three digits, or it ends the number.
                let next: Vec<char> = chars.clone().take(4).collect();
                let three = next.len() >= 3 && next[..3].iter().all(|c| digit(*c).is_some());
                let fourth = next.get(3).is_some_and(|c| digit(*c).is_some());
                if !(groups && three && !fourth) {
                    break;
                }
            }
            (None, None) => {}
        }
    }
    number
}

fn digit(c: char) -> Option<u64> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{966}'..='\u{96f}' => '\u{966}',
        '\u{9e6}'..='\u{9ef}' => '\u{9e6}',
        _ => return None,
    };
    Some(u64::from(u32::from(c) - u32::from(zero)))
}

#[cfg(test)]
mod tests {
    use super::first_number;

    #[test]
    fn reads_counts_in_many_languages() {
        let cases = [
            ("34", Some(34)),
            ("1,234", Some(1_234)),
            ("1.234.567", Some(1_234_567)),
            ("1 234", Some(1_234)),
            ("12\u{a0}345", Some(12_345)),
            ("١٬٢٣٤", Some(1_234)),
            ("در ۳۰ روز", Some(30)),
            ("available again in 30 days.", Some(30)),
            ("3, 4", Some(3)),
            ("1,5 MB", Some(1)),
            ("none", None),
            ("", None),
            ("99999999999999999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(first_number(text), expected, "{text}");
        }
    }
}
