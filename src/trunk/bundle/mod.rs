//! Everything that was packed besides messages, in one ZIP, and the check of one.
//!
//! | in the ZIP | for whom |
//! | --- | --- |
//! | `mastodon/` | the server's own files, byte for byte, under Mastodon's own names: what an import page takes |
//! | `packed-trunk/` | what the server exports to nobody: as it was kept (`.json`), and as tables for people (`.csv`) |
//! | `pictures/` | the account's own |
//! | `README.txt` | says in plain words what is what, and what goes where |
//! | `manifest.json` | size and checksum of every other entry, what the server counted, and what is missing |
//!
//! To write one, with a [`Pack`](crate::job::pack::Pack) that is done and the store that holds its records:
//!
//! ```
//! # use packed_trunk::bundle::Want;
//! # use packed_trunk::job::pack::Pack;
//! # use packed_trunk::say::Words;
//! # use packed_trunk::trunk::bundle::{About, Bundle};
//! # fn write(about: About, pack: &Pack, words: &dyn Words, store: &dyn Fn(&str) -> Option<String>) -> Vec<u8> {
//! let mut zip = Vec::new();
//! let mut bundle = Bundle::new(about, pack);
//! loop {
//!     let want = bundle.wants(words);
//!     match &want {
//!         Want::Records(keys) => bundle.records(keys.iter().map(|key| store(key)).collect()),
//!         // Or its pieces to `bundle.file(piece, end)`.
//!         Want::File { .. } => bundle.no_file(),
//!         Want::Nothing | Want::Done => {}
//!         Want::Failed(fault) => panic!("{fault:?}"),
//!     }
//!     zip.extend(bundle.take());
//!     if want == Want::Done {
//!         break zip;
//!     }
//! }
//! # }
//! ```
//!
//! [`Open`] then reads it back against its manifest, driven like that of the messages.

mod entry;
mod open;
mod words;
mod write;

pub use open::{Contents, Open};
pub use write::{About, Bundle, Report};

/// What `manifest.json` says that it is.
const FORMAT: &str = "packed-trunk-lists";
/// Of the format. A reader takes its own and older ones.
const VERSION: u64 = 1;
const README: &str = "README.txt";
const MASTODON: &str = "mastodon/";
const OURS: &str = "packed-trunk/";
const PICTURES: &str = "pictures/";
