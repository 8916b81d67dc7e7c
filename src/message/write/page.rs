//! What every page has that we write as a file: a head with a policy under which nothing runs and nobody is asked, our
//! style, and words with everything escaped.

use super::super::body::escape;
use super::super::digest::Sum;
use crate::say::{Part, Say, say};

/// The style that all pages have; each may add its own.
pub const STYLE: &str = include_str!("page.css");

/// What stands at the top of a page.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The language of its words.
    pub language: &'a str,
    pub title: &'a str,
    pub styles: &'a [&'a str],
    /// What the policy allows besides the style; each with a semicolon and a blank behind it.
    pub policy: &'a str,
}

/// HTML that is finished, to be put into a sentence.
pub enum In {
    Html(String),
    Number(usize),
}

impl std::fmt::Debug for In {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            In::Html(html) => write!(out, "Html({html:?})"),
            In::Number(number) => write!(out, "Number({number})"),
        }
    }
}

/// The page up to the beginning of its body. The policy allows the styles by their checksum, and nothing that runs.
pub fn head(head: &Head<'_>) -> String {
    let mut sum = Sum::default();
    head.styles.iter().for_each(|style| sum.add(style.as_bytes()));
    let language = tag(head.language).unwrap_or("en");
    format!(
        "<!doctype html>\n<html lang=\"{language}\" dir=\"{}\">\n<head>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; \
         {}base-uri 'none'; form-action 'none'\">\n\
         <meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"x-dns-prefetch-control\" content=\"off\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
        direction(language),
        base64(&sum.hex()),
        head.policy,
        escaped(head.title),
        head.styles.concat(),
    )
}

/// A sentence with HTML in it: said with a sign in the place of each piece, escaped, and the pieces put in.
pub fn sentence(key: &str, pieces: Vec<In>, speak: &dyn Fn(&Say) -> String) -> String {
    const SIGNS: [&str; 3] = ["\u{f8f0}", "\u{f8f1}", "\u{f8f2}"];
    let mut sentence = say(key);
    let mut html = Vec::new();
    for piece in pieces {
        sentence = match (piece, SIGNS.get(html.len())) {
            (In::Number(number), _) => sentence.with(number),
            (In::Html(piece), Some(sign)) => {
                html.push((*sign, piece));
                sentence.with(Part::Text((*sign).to_owned()))
            }
            (In::Html(_), None) => sentence,
        };
    }
    let mut out = String::new();
    let said = escaped(&speak(&sentence));
    let mut rest = said.as_str();
    while let Some((at, (sign, piece))) =
        html.iter().filter_map(|found| Some((rest.find(found.0)?, found))).min_by_key(|(at, _)| *at)
    {
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push_str(piece);
        rest = rest.get(at + sign.len()..).unwrap_or_default();
    }
    out + rest
}

pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(text, &mut out);
    out
}

/// What there is of some facts, with dots between.
pub fn joined(facts: &[String]) -> String {
    facts.iter().filter(|fact| !fact.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}

/// A language tag, if it is one.
pub fn tag(text: &str) -> Option<&str> {
    let mut parts = text.split(['-', '_']);
    let first = parts.next().unwrap_or_default();
    let is_tag = matches!(first.len(), 2 | 3)
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts
            .all(|part| matches!(part.len(), 1..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && text.len() <= 35
        && !text.contains('_');
    is_tag.then_some(text)
}

fn direction(language: &str) -> &'static str {
    let first = language.split('-').next().unwrap_or_default();
    let rtl = ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];
    if rtl.contains(&first) { "rtl" } else { "ltr" }
}

/// A checksum in hexadecimal, in base 64 as a policy wants it.
fn base64(hex: &str) -> String {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit) as u8).collect();
    crate::message::digest::base64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_our_style() {
        assert_eq!(base64("4d616e"), "TWFu");
        assert_eq!(base64("4d61"), "TWE=");
        assert_eq!(base64("4d"), "TQ==");
        // Where it would end the style, or leave the page, it is none of ours.
        for sign in ["</", "url(", "@import", "http"] {
            assert!(!STYLE.contains(sign), "{sign}");
        }
    }

    #[test]
    fn a_language_has_its_direction() {
        assert_eq!((direction("he-IL"), direction("de")), ("rtl", "ltr"));
    }
}
