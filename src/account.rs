//! Who is who: domains, handles and actor URIs.
//!
//! ```
//! use packed_trunk::account::Handle;
//!
//! let typed: Handle = " @Ana@New.Example ".parse().unwrap();
//! assert_eq!(typed.to_string(), "Ana@new.example");
//! assert!(typed.is_same(&"ana@new.example".parse().unwrap()));
//! ```

use std::fmt;
use std::str::FromStr;

/// Longest text we look at when somebody types a handle. A remote user name may have 2,048 characters in Mastodon's
/// database, a domain 253; anything longer is not a handle, and looking through it would only cost time.
const LONGEST: usize = 2_400;

/// A server's domain as it is compared and asked for: lower case, punycode, with a port only on `*.localhost`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

/// `user@domain`. The user part keeps the case in which it was written; comparing ignores it, as Mastodon does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    user: String,
    domain: Domain,
}

/// An actor's id as its server states it. Never built by hand: accounts made in 4.5 and later have `/ap/users/NUMBER`,
/// earlier ones `/users/NAME` (facts 4 and 13, "Actor URIs").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActorUri(pub String);

/// Why a text is no handle, so that the person can be told what to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleError {
    Empty,
    /// No `@domain`: Mastodon would look for it on the old server.
    NoDomain,
    /// `a@b@c`, or two leading `@` (Mastodon drops only one, facts 3.2).
    TooManyAts,
    /// A link to a profile. Mastodon answers "could not be found" (facts 13, "Alias").
    Link,
    /// A space, an emoji, or another character that no user name has.
    User,
    Domain,
    TooLong,
}

impl Domain {
    /// `https`, but `http` on `*.localhost`, where the stand-in lives and no certificate can be had.
    pub fn scheme(&self) -> &'static str {
        if self.is_loopback() { "http" } else { "https" }
    }

    /// The origin that a page of this server has.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.0)
    }

    /// The match pattern that grants this server and no other. Ports cannot be part of one.
    pub fn pattern(&self) -> String {
        format!("{}://{}/*", self.scheme(), self.host())
    }

    /// The domain without its port.
    pub fn host(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people write it: `xn--…` labels decoded where that is possible.
    pub fn for_people(&self) -> String {
        self.0
            .split('.')
            .map(|label| match label.strip_prefix("xn--").and_then(idna::punycode::decode_to_string) {
                // Shown decoded only where it would be read back the same: no hidden signs, nothing that looks like more.
                Some(decoded) if ascii_label(&decoded).as_deref() == Some(label) => decoded,
                _ => label.to_owned(),
            })
            .collect::<Vec<_>>()
            .join(".")
    }

    fn is_loopback(&self) -> bool {
        self.host() == "localhost" || self.host().ends_with(".localhost")
    }
}

impl FromStr for Domain {
    type Err = HandleError;

    /// Takes `Example.COM`, `bücher.example`, `xn--bcher-kva.example`, `old.localhost:4001`; refuses everything that a
    /// browser would not take for a host name.
    fn from_str(text: &str) -> Result<Self, HandleError> {
        let text = text.trim().trim_end_matches('.');
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        let mut ascii = String::with_capacity(text.len());
        // The ideographic full stops count as dots in host names (UTS 46).
        for label in host.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) {
            if !ascii.is_empty() {
                ascii.push('.');
            }
            ascii.push_str(&ascii_label(label).ok_or(HandleError::Domain)?);
        }
        if ascii.is_empty() || ascii.len() > 253 {
            return Err(HandleError::Domain);
        }
        let domain = Domain(ascii);
        if !domain.0.contains('.') && !domain.is_loopback() {
            return Err(HandleError::Domain);
        }
        // A numeric last label would be an address (WHATWG URL, "ends in a number"), never a Mastodon domain.
        if domain.0.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err(HandleError::Domain);
        }
        match port {
            None => Ok(domain),
            Some(port) if domain.is_loopback() && port.parse::<u16>().is_ok_and(|p| p > 0) => {
                Ok(Domain(format!("{}:{port}", domain.0)))
            }
            Some(_) => Err(HandleError::Domain),
        }
    }
}

fn ascii_label(label: &str) -> Option<String> {
    // Not `str::to_lowercase`, which knows about the Greek final sigma and brings the tables for it.
    let lower: String = label.chars().flat_map(char::to_lowercase).collect();
    let ascii = if lower.is_ascii() {
        lower
    } else if lower.chars().all(|c| c.is_alphanumeric() || c == '-') {
        format!("xn--{}", idna::punycode::encode_str(&lower)?)
    } else {
        return None;
    };
    let fits = (1..=63).contains(&ascii.len())
        && ascii.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !ascii.starts_with('-')
        && !ascii.ends_with('-');
    fits.then_some(ascii)
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.for_people())
    }
}

impl Handle {
    pub fn new(user: &str, domain: Domain) -> Result<Handle, HandleError> {
        let fits = !user.is_empty()
            && user.len() <= 2_048
            && user.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if fits { Ok(Handle { user: user.to_owned(), domain }) } else { Err(HandleError::User) }
    }

    /// An `acct` as the API writes it: without a domain it is local.
    pub fn from_acct(acct: &str, local: &Domain) -> Option<Handle> {
        match acct.split_once('@') {
            Some((user, domain)) => Handle::new(user, domain.parse().ok()?).ok(),
            None => Handle::new(acct, local.clone()).ok(),
        }
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The same account, whatever the case in which its user name was written.
    pub fn is_same(&self, other: &Handle) -> bool {
        self.domain == other.domain && self.user.eq_ignore_ascii_case(&other.user)
    }

    /// As it goes into a request: punycode, no leading `@`.
    pub fn acct(&self) -> String {
        format!("{}@{}", self.user, self.domain.as_str())
    }
}

impl FromStr for Handle {
    type Err = HandleError;

    /// Reads what people type. Like Mastodon, drops surrounding space and one leading `@` (facts 3.2).
    fn from_str(text: &str) -> Result<Self, HandleError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(HandleError::Empty);
        }
        if text.len() > LONGEST {
            return Err(HandleError::TooLong);
        }
        if text.contains("://") || text.contains('/') {
            return Err(HandleError::Link);
        }
        let text = text.strip_prefix('@').unwrap_or(text);
        let mut parts = text.split('@');
        let user = parts.next().unwrap_or_default();
        match (parts.next(), parts.next()) {
            (_, Some(_)) => Err(HandleError::TooManyAts),
            (None, None) => Err(if text.is_empty() { HandleError::Empty } else { HandleError::NoDomain }),
            (Some(domain), None) if user.is_empty() => {
                Err(if domain.is_empty() { HandleError::Empty } else { HandleError::TooManyAts })
            }
            (Some(""), None) => Err(HandleError::NoDomain),
            (Some(domain), None) => Handle::new(user, domain.parse()?),
        }
    }
}

/// A name without a domain, as Mastodon reads it: an account of the server that is asked. One leading `@` is dropped.
pub fn handle_here(text: &str, home: &Domain) -> Result<Handle, HandleError> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(HandleError::TooLong);
    }
    let name = text.strip_prefix('@').unwrap_or(text);
    if name.is_empty() { Err(HandleError::Empty) } else { Handle::new(name, home.clone()) }
}

/// The handle that a link to a profile means, to offer it instead: `https://new.example/@ana` is `ana@new.example`.
pub fn handle_in_link(text: &str) -> Option<Handle> {
    if text.len() > LONGEST {
        return None;
    }
    let rest = text.trim().split_once("://").map_or(text.trim(), |(_, rest)| rest);
    let (domain, path) = rest.split_once('/')?;
    let user = path.split(['/', '?', '#']).next()?;
    let user = match user.strip_prefix('@') {
        Some(user) => user,
        None => path.strip_prefix("users/")?.split(['/', '?', '#']).next()?,
    };
    // `/@ana@elsewhere.example` shows a remote account.
    match user.split_once('@') {
        Some((user, domain)) => Handle::new(user, domain.parse().ok()?).ok(),
        None => Handle::new(user, domain.parse().ok()?).ok(),
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_type() {
        let cases: &[(&str, Result<&str, HandleError>)] = &[
            ("ana@new.example", Ok("ana@new.example")),
            ("  @ana@new.example\n", Ok("ana@new.example")),
            ("Ana@NEW.Example", Ok("Ana@new.example")),
            ("ana@new.example.", Ok("ana@new.example")),
            ("ana@bücher.example", Ok("ana@xn--bcher-kva.example")),
            ("ana@BÜCHER.example", Ok("ana@xn--bcher-kva.example")),
            ("ana@xn--bcher-kva.example", Ok("ana@xn--bcher-kva.example")),
            ("ana@例え。jp", Ok("ana@xn--r8jz45g.jp")),
            ("ana@old.localhost:4001", Ok("ana@old.localhost:4001")),
            ("", Err(HandleError::Empty)),
            ("@", Err(HandleError::Empty)),
            ("ana", Err(HandleError::NoDomain)),
            ("@ana", Err(HandleError::NoDomain)),
            ("ana@", Err(HandleError::NoDomain)),
            ("a@b@c", Err(HandleError::TooManyAts)),
            ("@@ana@new.example", Err(HandleError::TooManyAts)),
            ("https://new.example/@ana", Err(HandleError::Link)),
            ("new.example/@ana", Err(HandleError::Link)),
            ("an a@new.example", Err(HandleError::User)),
            ("ana🙂@new.example", Err(HandleError::User)),
            ("ana@new example", Err(HandleError::Domain)),
            ("ana@new", Err(HandleError::Domain)),
            ("ana@127.0.0.1", Err(HandleError::Domain)),
            ("ana@new.example:443", Err(HandleError::Domain)),
            ("ana@-new.example", Err(HandleError::Domain)),
            ("ana@new..example", Err(HandleError::Domain)),
            ("ana@\u{202e}new.example", Err(HandleError::Domain)),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Handle>().map(|handle| handle.acct());
            assert_eq!(read, expected.map(str::to_owned), "{text:?}");
        }
        assert_eq!("x".repeat(5_000_000).parse::<Handle>(), Err(HandleError::TooLong));
    }

    #[test]
    fn a_name_alone_is_of_this_server() {
        let home: Domain = "old.example".parse().unwrap();
        let cases = [
            (" @Ana2 ", Ok("Ana2@old.example")),
            ("ana", Ok("ana@old.example")),
            ("@", Err(HandleError::Empty)),
            ("@@ana", Err(HandleError::User)),
            ("ana@", Err(HandleError::User)),
            ("an a", Err(HandleError::User)),
        ];
        for (text, expected) in cases {
            let read = handle_here(text, &home).map(|handle| handle.acct());
            assert_eq!(read, expected.map(str::to_owned), "{text:?}");
        }
        assert_eq!(handle_here(&"x".repeat(5_000_000), &home), Err(HandleError::TooLong));
    }

    #[test]
    fn finds_the_handle_in_a_link() {
        let cases = [
            ("https://new.example/@ana", Some("ana@new.example")),
            ("new.example/@ana?x=1", Some("ana@new.example")),
            ("https://new.example/users/ana", Some("ana@new.example")),
            ("https://new.example/@ana@other.example", Some("ana@other.example")),
            ("https://new.example/about", None),
            ("https://", None),
        ];
        for (text, expected) in cases {
            assert_eq!(handle_in_link(text).map(|h| h.acct()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn shows_punycode_as_people_write_it() {
        let handle: Handle = "ana@xn--bcher-kva.example".parse().unwrap();
        assert_eq!(handle.to_string(), "ana@bücher.example");
        assert_eq!(handle.domain().pattern(), "https://xn--bcher-kva.example/*");
        let local: Domain = "old.localhost:4001".parse().unwrap();
        assert_eq!(
            (local.origin(), local.pattern()),
            ("http://old.localhost:4001".into(), "http://old.localhost/*".into())
        );
    }

    proptest! {
        #[test]
        fn never_panics_and_reads_back(text in "\\PC{0,60}") {
            if let Ok(handle) = text.parse::<Handle>() {
                let again: Handle = handle.acct().parse().unwrap();
                prop_assert!(again.is_same(&handle));
                let shown: Handle = handle.to_string().parse().unwrap();
                prop_assert!(shown.is_same(&handle), "{} {}", handle.acct(), shown.acct());
            }
            let _ = handle_in_link(&text);
        }
    }
}
