//! `messages.html`: all messages on one page that opens anywhere, runs nothing and asks nobody for anything.

use super::{Files, Message, Saved, Step};
use crate::when::Time;

/// What is said at the top of the page.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// When the messages were saved.
    pub at: Time,
    /// Sentences that have to be said, such as what may be missing.
    pub remarks: Vec<String>,
    /// How many records follow as [`Page::unreadable`].
    pub unreadable: usize,
}

/// The page, piece by piece.
#[derive(Debug)]
pub struct Page<'a> {
    saved: &'a Saved<'a>,
}

impl<'a> Page<'a> {
    pub fn new(saved: &'a Saved<'a>) -> Page<'a> {
        Page { saved }
    }

    /// All steps, in order. At [`Step::Message`] comes [`Page::message`], at all others [`Page::piece`]; before
    /// [`Step::End`], the records that are no statuses ([`Page::unreadable`]).
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let _ = self.saved;
        [Step::Head, Step::End].into_iter()
    }

    pub fn piece(&self, step: Step, about: &About) -> String {
        let _ = (step, about);
        String::new()
    }

    /// The message at a [`Step::Message`].
    pub fn message(&self, step: Step, message: &Message, files: Files<'_>) -> String {
        let _ = (step, message, files);
        String::new()
    }

    /// A record that is no status as Mastodon sends them. `at` counts them, from 0.
    pub fn unreadable(&self, at: usize, raw: &str) -> String {
        let _ = (at, raw);
        String::new()
    }
}
