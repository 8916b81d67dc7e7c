//! A conversation as plain text, in the form that chat readers take.

use super::{Files, Message, Saved};

/// One conversation, line by line.
#[derive(Debug)]
pub struct Transcript<'a> {
    saved: &'a Saved<'a>,
    conversation: usize,
}

impl<'a> Transcript<'a> {
    pub fn new(saved: &'a Saved<'a>, conversation: usize) -> Transcript<'a> {
        Transcript { saved, conversation }
    }

    /// The notes in the order in which they are written: by time, whatever threads they are in.
    pub fn notes(&self) -> Vec<usize> {
        let _ = (self.saved, self.conversation);
        Vec::new()
    }

    /// The lines of one message, with the last one's end.
    pub fn message(&self, note: usize, message: &Message, files: Files<'_>) -> String {
        let _ = (note, message, files);
        String::new()
    }
}
