//! Spellings: what can be told of a text without taking it apart. Nearly every row is in its final form already, and is
//! known to be by one look at each letter.

const USER: u8 = 1;
const LARGE: u8 = 2;
const HOST: u8 = 4;
/// Dot and hyphen, which may not stand everywhere in a host.
const MARK: u8 = 8;

/// Which signs may stand in a user name, and which in a host that is in its final form already.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte == b'-' {
            class[at] |= USER;
        }
        if byte.is_ascii_uppercase() {
            class[at] |= LARGE;
        }
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() {
            class[at] |= HOST;
        }
        if byte == b'.' || byte == b'-' {
            class[at] |= HOST | MARK;
        }
        at += 1;
    }
    class
};

fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

/// Of `user@host` in its final form, whether there are large letters in it, which only the user may have. `None` where
/// [`crate::account::Handle`] has to be asked.
pub(super) fn is_plain_account(text: &[u8]) -> Option<bool> {
    let (mut user, mut seen) = (0, 0);
    while let Some(byte) = text.get(user) {
        let class = class(*byte);
        if class & USER == 0 {
            break;
        }
        seen |= class;
        user += 1;
    }
    let plain = user > 0 && user <= 2_048 && text.get(user) == Some(&b'@');
    (plain && is_plain_host(text.get(user + 1..)?)).then_some(seen & LARGE != 0)
}

/// Whether [`crate::account::Domain`] would take it as it stands, changing nothing; `false` where it would have to be asked.
pub(super) fn is_plain_host(host: &[u8]) -> bool {
    if host.len() > 253 {
        return false;
    }
    // Where the label began that is looked at.
    let (mut start, mut at) = (0, 0);
    while let Some(byte) = host.get(at) {
        let class = class(*byte);
        if class & HOST == 0 {
            return false;
        }
        if class & MARK != 0 {
            if *byte == b'-' {
                if at == start {
                    return false;
                }
            } else {
                if !is_label(host, start, at) {
                    return false;
                }
                start = at + 1;
            }
        }
        at += 1;
    }
    // Something that ends in a number would be an address.
    let letter = host.get(start..).is_some_and(|label| label.iter().any(|byte| !byte.is_ascii_digit()));
    start > 0 && letter && is_label(host, start, at)
}

fn is_label(host: &[u8], start: usize, end: usize) -> bool {
    end > start && end - start <= 63 && host.get(end - 1) != Some(&b'-')
}

/// Signs that no keyboard makes.
pub(super) fn has_controls(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, 1..=8 | 14..=31 | 127))
}

/// Mastodon would take everything for true that it does not know (facts 6.1, "values"): `FALSCH`, say, which is what a
/// German spreadsheet makes of `false`.
pub(super) fn true_or_false(cell: &str) -> Option<bool> {
    const TRUE: [&str; 10] =
        ["t", "1", "on", "yes", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar"];
    const FALSE: [&str; 8] = ["f", "0", "off", "no", "falsch", "faux", "falso", "onwaar"];
    let is = |word: &&str| word.eq_ignore_ascii_case(cell);
    if is(&"true") {
        return Some(true);
    }
    if is(&"false") {
        return Some(false);
    }
    if TRUE.iter().any(is) { Some(true) } else { FALSE.iter().any(is).then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Domain, Handle};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        /// What is called plain is what the real readers leave as it is.
        #[test]
        fn plain_is_what_is_left_alone(text in "[a-bA1@._-]{0,12}|[ab]@[a-b1.-]{1,9}\\.[a-b1-]{1,3}") {
            if is_plain_host(text.as_bytes()) {
                let domain: Domain = text.parse().unwrap();
                prop_assert_eq!(domain.as_str(), &text);
            }
            if let Some(large) = is_plain_account(text.as_bytes()) {
                let handle: Handle = text.parse().unwrap();
                prop_assert_eq!(handle.acct(), text.clone());
                prop_assert_eq!(large, text.bytes().any(|byte| byte.is_ascii_uppercase()));
            } else if let Ok(handle) = text.parse::<Handle>() {
                // And the other way: what is slow is rare.
                prop_assert!(handle.acct() != text || handle.domain().as_str().contains('_'), "{}", text);
            }
        }
    }
}
