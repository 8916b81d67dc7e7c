//! A whole move as one file: taken out of one browser, opened in another one.
//!
//! | in the ZIP | |
//! | --- | --- |
//! | `move.json` | the two accounts, and how far the move is |
//! | `records/DRAWER.json` | every record of a drawer of the database (`trunk::drawer`), byte for byte |
//! | `files/SHA256` | every file that a record says is saved, once |
//! | `README.txt` | what this is, and that private messages are in it |
//! | `manifest.json` | size and checksum of every other entry |
//!
//! [`Case`] writes it in steps, without ever holding more than a few records. [`Open`] reads one and gives out nothing;
//! [`Restore`] then gives out what is inside, and compares again. No token, no password and no e-mail address is in any
//! drawer, so none is in here.

mod open;
mod write;

pub use open::{Contents, Held, Open, Out, Restore};
pub use write::{About, Case, Report, Want};

/// What `manifest.json` says that it is.
const FORMAT: &str = "packed-trunk-move";
/// Of the format. A reader takes its own and older ones.
pub const VERSION: u64 = 1;
const MOVE: &str = "move.json";
const README: &str = "README.txt";
const RECORDS: &str = "records/";
const FILES: &str = "files/";
