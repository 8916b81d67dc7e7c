//! Under which names the database keeps what belongs to a move: one drawer for each job, and in it records under keys.
//!
//! A drawer belongs to an account and not to a move where what is in it does: two moves from the same old account share its
//! messages. What is done on a new account for one move is nothing to another one onto the same account, hence
//! [`Move::turn`].

use super::dossier::Side;
use super::store::Move;
use crate::account::Handle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawer {
    /// The old account's messages, and their files.
    Messages,
    /// What else is packed of it.
    Lists,
    /// What the new account had when it was last looked at, and what the person has chosen and corrected.
    New,
    Unpack,
    Verify,
}

impl Drawer {
    pub const ALL: [Drawer; 5] =
        [Drawer::Messages, Drawer::Lists, Drawer::New, Drawer::Unpack, Drawer::Verify];

    pub fn id(self) -> &'static str {
        match self {
            Drawer::Messages => "messages",
            Drawer::Lists => "lists",
            Drawer::New => "new",
            Drawer::Unpack => "unpack",
            Drawer::Verify => "verify",
        }
    }

    pub fn of_id(id: &str) -> Option<Drawer> {
        Drawer::ALL.into_iter().find(|drawer| drawer.id() == id)
    }

    /// Whose it is.
    pub fn side(self) -> Side {
        match self {
            Drawer::Messages | Drawer::Lists => Side::Old,
            Drawer::New | Drawer::Unpack | Drawer::Verify => Side::New,
        }
    }

    /// The name of an account's drawer. `turn` counts for the new side alone.
    pub fn of(self, handle: &Handle, turn: u64) -> String {
        let handle = handle.acct().to_lowercase();
        match self {
            // The first that there was.
            Drawer::Messages => handle,
            Drawer::Lists => format!("lists {handle}"),
            _ if turn == 0 => format!("{} {handle}", self.id()),
            _ => format!("{} {handle} {turn}", self.id()),
        }
    }

    /// The name of a move's drawer; `None` while nobody knows whose account it is.
    pub fn in_move(self, it: &Move) -> Option<String> {
        it.party(self.side()).handle.as_ref().map(|handle| self.of(handle, it.turn))
    }
}

/// All drawers of a move.
pub fn all(it: &Move) -> Vec<String> {
    let mut names: Vec<String> = Drawer::ALL.into_iter().filter_map(|drawer| drawer.in_move(it)).collect();
    // A ZIP of messages that was opened to be read lies beside them.
    names.extend(it.old.handle.as_ref().map(|handle| format!("zip {}", handle.acct().to_lowercase())));
    names
}
