//! What is said to people in `README.txt`, and what is called how in the manifest.

use super::{MASTODON, OURS, PICTURES};
use crate::bundle::MANIFEST;
use crate::job::pack::State;
use crate::job::pack::part::Part;
use crate::list::Kind;
use crate::say::{Part as Word, Say, Words, say};
use crate::server::page::export::Counts;
use crate::trunk::kind_name;
use crate::when::Time;

/// What a part is called.
pub fn name(part: Part) -> Option<&'static str> {
    Some(match part {
        Part::File(kind) => kind_name(kind),
        Part::Profile => "pack_part_profile",
        Part::Lists => "pack_part_list_settings",
        Part::Tags => "pack_part_tags",
        Part::FeaturedTags => "pack_part_featured_tags",
        Part::Endorsed => "pack_part_endorsed",
        Part::Filters | Part::OldFilters => "pack_part_filters",
        Part::Preferences => "pack_part_preferences",
        Part::Policy => "pack_part_policy",
        Part::Blocked => "trunk_part_blocked",
        Part::Requests => "pack_part_requests",
        Part::Following => "trunk_part_following",
        Part::Mutes => "trunk_part_mutes",
        Part::Blocks => "trunk_part_blocks",
        Part::Followers => "pack_part_followers",
        Part::Favourites => "pack_part_favourites",
        // What only helps with the others.
        Part::Counts | Part::Notices => return None,
    })
}

/// Why a part is not packed.
pub fn why(state: &State) -> Option<&'static str> {
    match state {
        State::Open => Some("trunk_open"),
        State::Refused => Some("trunk_refused"),
        State::Broken => Some("trunk_broken"),
        // A server without such a thing has nothing to lose.
        State::Done | State::Absent => None,
    }
}

pub fn state(state: &State) -> &'static str {
    match state {
        State::Open => "open",
        State::Done => "done",
        State::Absent => "absent",
        State::Refused => "refused",
        State::Broken => "broken",
    }
}

/// What the export page counts of it.
pub fn counted(part: Part, counts: &Counts) -> Option<u64> {
    match part {
        Part::File(Kind::Follows) | Part::Following => counts.follows,
        Part::Lists => counts.lists,
        Part::File(Kind::Mutes) | Part::Mutes => counts.mutes,
        Part::File(Kind::Blocks) | Part::Blocks => counts.blocks,
        Part::File(Kind::DomainBlocks) => counts.domain_blocks,
        Part::File(Kind::Bookmarks) => counts.bookmarks,
        Part::File(Kind::Filters) => counts.filters,
        Part::Followers => counts.followers,
        _ => None,
    }
}

/// What the import page calls it, as Mastodon does in that language.
fn import(kind: Kind) -> &'static str {
    match kind {
        Kind::Follows => "trunk_import_follows",
        Kind::Lists => "trunk_import_lists",
        Kind::Mutes => "trunk_import_mutes",
        Kind::Blocks => "trunk_import_blocks",
        Kind::DomainBlocks => "trunk_import_domain_blocks",
        Kind::Bookmarks => "trunk_import_bookmarks",
        Kind::Filters => "trunk_import_filters",
    }
}

/// Our files, and what each is for.
const FILES: [(&[&str], &str); 14] = [
    (&["followers.csv", "followers.json"], "trunk_file_followers"),
    (&["follows.json"], "trunk_file_follows"),
    (&["follow-requests.csv", "follow-requests.json"], "trunk_file_requests"),
    (&["lists.json"], "trunk_file_lists"),
    (&["hashtags.json"], "trunk_file_hashtags"),
    (&["featured.json"], "trunk_file_featured"),
    (&["notes.csv", "notes.json"], "trunk_file_notes"),
    (&["mutes.json"], "trunk_file_mutes"),
    (&["blocks.json"], "trunk_file_blocks"),
    (&["filters.json"], "trunk_file_filters"),
    (&["favourites.csv", "favourites.json"], "trunk_file_favourites"),
    (&["profile.json"], "trunk_file_profile"),
    (&["preferences.json", "notification-policy.json"], "trunk_file_preferences"),
    (&["blocked-servers.json"], "trunk_file_blocked"),
];

/// Only what is there is spoken of.
pub fn readme(owner: &str, at: Time, there: &[String], incomplete: &[Say], words: &dyn Words) -> String {
    let is_there = |path: &str| there.iter().any(|one| one == path);
    let title = say("trunk_title").with(format!("@{owner}").as_str()).with(Word::Day(at));
    let mut out =
        format!("{}\n\n{MASTODON}\n    {}\n", words.speak(&title), words.speak(&say("trunk_mastodon")));
    for kind in Kind::ALL.into_iter().filter(|kind| is_there(&format!("{MASTODON}{}", kind.file()))) {
        out.push_str(&format!("    {}: {}\n", kind.file(), words.speak(&say(import(kind)))));
    }
    out.push_str(&format!("\n{OURS}\n    {}\n", words.speak(&say("trunk_ours"))));
    for (files, sentence) in FILES {
        let files: Vec<&str> =
            files.iter().copied().filter(|file| is_there(&format!("{OURS}{file}"))).collect();
        if !files.is_empty() {
            out.push_str(&format!("    {}: {}\n", files.join(", "), words.speak(&say(sentence))));
        }
    }
    out.push('\n');
    for (path, sentence) in [(PICTURES, "trunk_file_pictures"), (MANIFEST, "bundle_manifest")] {
        if path == MANIFEST || there.iter().any(|one| one.starts_with(path)) {
            out.push_str(&format!("{path}\n    {}\n", words.speak(&say(sentence))));
        }
    }
    if !incomplete.is_empty() {
        out.push_str(&format!("\n{}\n", words.speak(&say("bundle_incomplete"))));
        for remark in incomplete {
            out.push_str(&format!("- {}\n", words.speak(remark)));
        }
    }
    out.push_str(&format!("\n{}\n", words.speak(&say("trunk_private"))));
    out
}
