//! Mastodon's preferences pages: which one is this, and what does it say.
//!
//! Pages are known by their path *and* a form action or link on them: both are the same in every language and in
//! every fork that was read (facts 1.1, 10). One file a page.

pub mod account;
pub mod aliases;
pub mod export;
pub mod imports;
pub mod migration;

use super::markup::Markup;
use super::reply::Answer;

/// Pages that somebody is sent to (facts 1.3).
pub const SIGN_IN_PAGE: &str = "/auth/sign_in";
pub const ACCOUNT_PAGE: &str = "/auth/edit";
pub const MIGRATION_PAGE: &str = "/settings/migration";

/// The pages on which we have something to say. The ids stand in `data-page`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageKind {
    Migration,
    Redirect,
    Aliases,
    Export,
    Imports,
    Account,
    Setup,
    Delete,
    Profile,
}

/// What a page must show besides its path. `.content-wrapper > .content` and not `.content` alone, because 4.6 has
/// further elements of that class inside.
struct Landmark {
    kind: PageKind,
    id: &'static str,
    paths: &'static [&'static str],
    /// One of these is enough.
    signs: &'static [&'static str],
}

const CONTENT: &str = ".admin-wrapper .content-wrapper > .content";

static LANDMARKS: &[Landmark] = &[
    Landmark {
        kind: PageKind::Migration,
        id: "migration",
        paths: &["/settings/migration"],
        signs: &["form[action=\"/settings/migration\"]"],
    },
    Landmark {
        kind: PageKind::Redirect,
        id: "redirect",
        // A refused redirect is answered at the form's own action.
        paths: &["/settings/migration/redirect/new", "/settings/migration/redirect"],
        signs: &["form[action=\"/settings/migration/redirect\"]"],
    },
    Landmark {
        kind: PageKind::Aliases,
        id: "aliases",
        paths: &["/settings/aliases"],
        signs: &["form[action=\"/settings/aliases\"]"],
    },
    Landmark {
        kind: PageKind::Export,
        id: "export",
        paths: &["/settings/export"],
        signs: &["a[href$=\"/settings/exports/follows.csv\"]"],
    },
    Landmark {
        kind: PageKind::Imports,
        id: "imports",
        // 4.2 and later have imports, with a page for each; until 4.1 there was one import (facts 1.3).
        paths: &["/settings/imports", "/settings/imports/*", "/settings/import"],
        signs: &[
            "form[action=\"/settings/imports\"]",
            "form[action=\"/settings/import\"]",
            "a[data-method=\"post\"][href$=\"/confirm\"]",
        ],
    },
    Landmark {
        kind: PageKind::Account,
        id: "account",
        paths: &["/auth/edit", "/auth"],
        // The form is missing where the login is somebody else's (facts 1.3); the links are missing when suspended.
        signs: &["form[action=\"/auth\"]", "a[href=\"/settings/delete\"]", "a[href=\"/settings/migration\"]"],
    },
    Landmark {
        kind: PageKind::Delete,
        id: "delete",
        paths: &["/settings/delete"],
        signs: &["form[action=\"/settings/delete\"]"],
    },
    Landmark {
        kind: PageKind::Profile,
        id: "profile",
        paths: &["/settings/profile"],
        // 4.6 has only a notice here that leads to the web app (facts 13.2).
        signs: &["form[action=\"/settings/profile\"]", "a[href=\"/profile/edit\"]"],
    },
];

impl PageKind {
    pub fn id(self) -> &'static str {
        match LANDMARKS.iter().find(|landmark| landmark.kind == self) {
            Some(landmark) => landmark.id,
            None => "setup",
        }
    }

    /// Which page this is; `None` for everything that is not one of Mastodon's, whatever it looks like.
    pub fn detect(path: &str, page: &dyn Markup) -> Option<PageKind> {
        if !page.has("meta[name=\"csrf-param\"][content=\"authenticity_token\"]") {
            return None;
        }
        let path = path.trim_end_matches('/');
        if path == "/auth/setup" {
            // The one page of the auth layout: no preferences around it, no initial state (facts 1.1).
            let setup = page.has(".form-container form[action=\"/auth/setup\"]")
                || page.has(
                    ".form-container a[href$=\"/auth/sign_out\"], .form-container a[href*=\"missing_email\"]",
                )
                || (page.has(".form-container")
                    && page.has("a[data-method=\"delete\"][href$=\"/auth/sign_out\"]"));
            return setup.then_some(PageKind::Setup);
        }
        let landmark =
            LANDMARKS.iter().find(|landmark| landmark.paths.iter().any(|pattern| matches(pattern, path)))?;
        let content = page.first(CONTENT)?;
        let whole = page.has("script#initial-state") && landmark.signs.iter().any(|sign| content.has(sign));
        whole.then_some(landmark.kind)
    }

    /// Where our panel goes: under the heading, above the form.
    pub fn place(self) -> Place {
        match self {
            PageKind::Setup => Place { container: ".form-container", after: None },
            _ => Place { container: CONTENT, after: Some(".content__heading, .content-heading") },
        }
    }
}

/// Selectors for the place of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub container: &'static str,
    /// A child of the container; the panel is its next sibling. Without one, the panel comes first.
    pub after: Option<&'static str>,
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(stem) => path
            .strip_prefix(stem)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())),
        None => path == pattern,
    }
}

/// A change of address waits for its confirmation, or none was ever confirmed: `/auth/confirmation/new` is shown only
/// then, everybody else is sent away from it (facts 1.4).
pub fn address_unconfirmed(answer: &Answer, page: &dyn Markup) -> Option<bool> {
    if answer.plain_path() != "/auth/confirmation/new" {
        return Some(false);
    }
    // The page itself, and not something else in its place.
    page.has("form[action=\"/auth/confirmation\"]").then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_whole_segments() {
        let cases = [
            ("/settings/imports/*", "/settings/imports/12", true),
            ("/settings/imports/*", "/settings/imports/12/confirm", false),
            ("/settings/imports/*", "/settings/imports/", false),
            ("/settings/imports", "/settings/imports", true),
            ("/auth", "/auth/edit", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
