//! Everything known about the two accounts, and everything saved from the old one.

pub mod after;
pub mod announce;
pub mod badge;
pub mod bridge;
pub mod bundle;
pub mod case;
pub mod dossier;
pub mod drawer;
pub mod forecast;
pub mod hints;
pub mod ics;
pub mod journal;
pub mod moves;
pub mod packed;
pub mod plain;
pub mod plan;
pub mod presence;
pub mod profile;
pub mod report;
pub mod start;
pub mod steps;
pub mod store;

use crate::list::Kind;

/// What is in a file of that kind, in words: the key of a message.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Follows => "pack_part_follows",
        Kind::Lists => "pack_part_lists",
        Kind::Mutes => "pack_part_mutes",
        Kind::Blocks => "pack_part_blocks",
        Kind::DomainBlocks => "pack_part_domain_blocks",
        Kind::Bookmarks => "pack_part_bookmarks",
        Kind::Filters => "pack_part_filters",
    }
}
