//! Which Mastodon a server pretends to be.
//!
//! Only what a visitor can tell apart is asked here; each question names the version that changed it, so a page never compares numbers itself.

use std::fmt;
use std::str::FromStr;

/// One of the release lines the stand-in knows (facts 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u8,
    minor: u8,
}

impl Version {
    pub const V3_5: Version = Version { major: 3, minor: 5 };
    pub const V4_1: Version = Version { major: 4, minor: 1 };
    pub const V4_2: Version = Version { major: 4, minor: 2 };
    pub const V4_3: Version = Version { major: 4, minor: 3 };
    pub const V4_4: Version = Version { major: 4, minor: 4 };
    pub const V4_5: Version = Version { major: 4, minor: 5 };
    pub const V4_6: Version = Version { major: 4, minor: 6 };
    pub const V4_7: Version = Version { major: 4, minor: 7 };

    /// Every version that `--version` accepts.
    pub const ALL: [Version; 7] =
        [Self::V3_5, Self::V4_1, Self::V4_2, Self::V4_3, Self::V4_5, Self::V4_6, Self::V4_7];

    pub fn at_least(self, other: Version) -> bool {
        self >= other
    }

    /// The full version as `meta.version` and the instance API have it.
    pub fn full(self) -> &'static str {
        match (self.major, self.minor) {
            (3, _) => "3.5.19",
            (4, 1) => "4.1.25",
            (4, 2) => "4.2.29",
            (4, 3) => "4.3.23",
            (4, 4) => "4.4.18",
            (4, 5) => "4.5.12",
            (4, 6) => "4.6.5",
            _ => "4.7.0",
        }
    }

    /// `api_versions.mastodon` of `/api/v2/instance` (facts 7).
    pub fn api_version(self) -> Option<u8> {
        match (self.major, self.minor) {
            (4, 3) => Some(2),
            (4, 4) => Some(6),
            (4, 5) => Some(7),
            (4, 6 | 7) => Some(11),
            _ => None,
        }
    }

    /// facts 2.1: since 4.0 a person whose account is not functional gets no token.
    pub fn token_only_when_functional(self) -> bool {
        self >= Self::V4_1
    }

    /// facts 1.7: since 4.4 an unconfirmed person lands on `/auth/setup` instead of `/auth/edit`.
    pub fn unconfirmed_lands_on_setup(self) -> bool {
        self >= Self::V4_4
    }

    /// facts 6: two-step imports since 4.2.
    pub fn has_bulk_imports(self) -> bool {
        self >= Self::V4_2
    }

    /// facts 4: accounts made on 4.5 or later have numeric actor URIs.
    pub fn numeric_actor_uris(self) -> bool {
        self >= Self::V4_5
    }

    /// facts 1.1: 4.6 moved the theme to `<html>`, headings to `h1`, and made the content `main`.
    pub fn has_html_theme(self) -> bool {
        self >= Self::V4_6
    }

    /// facts 3.3: only servers up to 3.5 trust a cached copy of the target for a day.
    pub fn trusts_cached_target(self) -> bool {
        self <= Self::V3_5
    }

    /// facts 1.7: a server can be closed for good since 4.3.
    pub fn can_close_for_good(self) -> bool {
        self >= Self::V4_3
    }

    /// facts 13.1: private mentions of strangers wait in notification requests since 4.3.
    pub fn filters_private_mentions(self) -> bool {
        self >= Self::V4_3
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let number = |part: Option<&str>| part.and_then(|digits| digits.parse::<u8>().ok());
        let (Some(major), Some(minor)) = (number(parts.next()), number(parts.next())) else {
            return Err(format!("{text} is not a version"));
        };
        let version = Version { major, minor };
        if Self::ALL.contains(&version) {
            Ok(version)
        } else {
            Err(format!("{text} is not one of 3.5, 4.1, 4.2, 4.3, 4.5, 4.6, 4.7"))
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}
