//! The two posts that tell of the move: drafts that the person edits and sends with Mastodon's own form. We post nothing.

use crate::account::Handle;
use crate::say::{Say, Words, say};
use crate::server::length;
use crate::server::profile::Limits;
use crate::trunk::dossier::Side;

/// What an account could say.
fn draft(side: Side, old: &Handle, new: &Handle) -> Say {
    match side {
        Side::Old => say("announce_draft_old").with(new),
        Side::New => say("announce_draft_new").with(old),
    }
}

/// The draft in the person's language, as far as a post may be long.
pub fn words(side: Side, old: &Handle, new: &Handle, limits: &Limits, words: &dyn Words) -> String {
    let text = words.speak(&draft(side, old, new));
    length::cut(&text, limits.status, limits.url).to_owned()
}

/// How many characters too long a text is.
pub fn over(text: &str, limits: &Limits) -> usize {
    length::length(text, limits.url).saturating_sub(limits.status)
}

/// Whether it names the other account, so that people find it and the check does.
pub fn names(text: &str, other: &Handle) -> bool {
    length::names(text, other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::when::Time;

    struct Plain;

    impl Words for Plain {
        fn message(&self, key: &str, parts: &[String]) -> Option<String> {
            Some(format!("{key} {}", parts.join(" ")))
        }

        fn plural(&self, _n: i64) -> String {
            "other".into()
        }

        fn number(&self, n: i64) -> String {
            n.to_string()
        }

        fn day(&self, _at: Time) -> String {
            String::new()
        }

        fn clock(&self, _at: Time) -> String {
            String::new()
        }

        fn ago(&self, _millis: i64) -> String {
            String::new()
        }
    }

    #[test]
    fn each_draft_names_the_other_account() {
        let (old, new): (Handle, Handle) =
            ("ana@old.example".parse().unwrap(), "ana@new.example".parse().unwrap());
        let limits = Limits::of(None);
        for (side, other) in [(Side::Old, &new), (Side::New, &old)] {
            let text = words(side, &old, &new, &limits, &Plain);
            assert!(names(&text, other), "{text}");
            assert_eq!(over(&text, &limits), 0);
        }
        assert!(!names("I have moved.", &old) && !names("mail ana@old.example", &old));
        assert_eq!(over(&"x".repeat(503), &limits), 3);
        // However little a server takes, a handle is not cut in two.
        let small = Limits { status: 10, ..limits };
        assert!(over(&words(Side::New, &old, &new, &small, &Plain), &small) == 0);
    }
}
