//! What lies in the ZIP, and which records it is made of.

use super::{MASTODON, OURS};
use crate::account::{Domain, Handle};
use crate::job::pack::part::Part;
use crate::job::pack::{Pack, Progress, State, body_key, kept, notes_key};
use crate::list::Kind;
use crate::plain::{self, Object, text};
use crate::say::{Words, say};
use crate::small::{Names, Table};
use crate::when::Time;

/// How records become an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What the server sent, as it is.
    Same,
    /// One document with a list for each source.
    Json,
    Table(Sheet),
}

/// What is in the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// With since when they follow.
    Followers,
    People,
    Notes,
    Favourites,
}

/// What is taken out of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// Every item as it was kept.
    Items,
    /// Each person once: who follows and is followed was asked for twice.
    Notes,
    /// Of notifications, who follows since when.
    Since,
}

/// Where an entry comes from.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: &'static str,
    pub take: Take,
    pub keys: Vec<String>,
    /// These records have to be there.
    pub sure: bool,
}

/// A file of the ZIP. Without anything in it, there is none.
#[derive(Clone, Debug)]
pub struct Entry {
    pub path: String,
    pub form: Form,
    pub sources: Vec<Source>,
}

/// The keys of everything that was kept of a part.
pub fn keys(progress: &Progress) -> Vec<String> {
    match progress.state {
        State::Absent => Vec::new(),
        _ if progress.part.is_paged() => progress.page_keys(),
        _ => vec![body_key(progress.part)],
    }
}

/// All files, in the order in which they are written.
pub fn all(pack: &Pack) -> Vec<Entry> {
    let source = |name, part| {
        let progress = pack.part(part)?;
        let sure = progress.state == State::Done;
        Some(Source { name, take: Take::Items, keys: keys(progress), sure })
    };
    let mut all: Vec<Entry> = Vec::new();
    let mut put = |path: String, form, sources: Vec<Option<Source>>| {
        let sources: Vec<Source> = sources.into_iter().flatten().collect();
        if sources.iter().any(|source| !source.keys.is_empty()) {
            all.push(Entry { path, form, sources });
        }
    };
    for kind in Kind::ALL {
        put(format!("{MASTODON}{}", kind.file()), Form::Same, vec![source("", Part::File(kind))]);
    }
    let since = source("since", Part::Notices).map(|source| Source { take: Take::Since, ..source });
    let mut noted = Source { name: "notes", take: Take::Notes, keys: Vec::new(), sure: false };
    for progress in pack.parts().iter().filter(|progress| progress.part.has_notes()) {
        noted.keys.extend(progress.page_keys().iter().map(|key| notes_key(key)));
    }
    let followers = || source("followers", Part::Followers);
    let requests = || source("requests", Part::Requests);
    let favourites = || source("favourites", Part::Favourites);
    let featured = vec![source("profiles", Part::Endorsed), source("hashtags", Part::FeaturedTags)];
    for (name, form, sources) in [
        ("followers.csv", Form::Table(Sheet::Followers), vec![followers()]),
        ("followers.json", Form::Json, vec![followers(), since]),
        ("follows.json", Form::Json, vec![source("follows", Part::Following)]),
        ("follow-requests.csv", Form::Table(Sheet::People), vec![requests()]),
        ("follow-requests.json", Form::Json, vec![requests()]),
        ("lists.json", Form::Same, vec![source("", Part::Lists)]),
        ("hashtags.json", Form::Json, vec![source("hashtags", Part::Tags)]),
        ("featured.json", Form::Json, featured),
        ("notes.csv", Form::Table(Sheet::Notes), vec![Some(noted.clone())]),
        ("notes.json", Form::Json, vec![Some(noted)]),
        ("mutes.json", Form::Json, vec![source("mutes", Part::Mutes)]),
        ("blocks.json", Form::Json, vec![source("blocks", Part::Blocks)]),
        ("filters.json", Form::Same, vec![source("", Part::Filters).or(source("", Part::OldFilters))]),
        ("favourites.csv", Form::Table(Sheet::Favourites), vec![favourites()]),
        ("favourites.json", Form::Json, vec![favourites()]),
        ("profile.json", Form::Same, vec![source("", Part::Profile)]),
        ("preferences.json", Form::Same, vec![source("", Part::Preferences)]),
        ("notification-policy.json", Form::Same, vec![source("", Part::Policy)]),
        ("blocked-servers.json", Form::Same, vec![source("", Part::Blocked)]),
    ] {
        put(format!("{OURS}{name}"), form, sources);
    }
    all
}

/// The items of a document that a record gives, as JSON.
pub fn items(take: Take, record: &str, local: &Domain, seen: &mut Names) -> Vec<String> {
    if take == Take::Since {
        let line = |(handle, at): &(Handle, Time)| {
            Object::new().text("acct", &handle.acct()).text("since", &at.iso()).end()
        };
        return kept::followed_since(record, local).iter().map(line).collect();
    }
    let mut all: Vec<String> = Vec::new();
    for item in plain::items(record).unwrap_or_default() {
        let acct = plain::json(item).and_then(|value| text(&value, "acct").map(str::to_lowercase));
        if take == Take::Notes && !acct.is_some_and(|acct| once(&acct, seen)) {
            continue;
        }
        all.push(item.to_owned());
    }
    all
}

fn once(name: &str, seen: &mut Names) -> bool {
    let new = !seen.has(name);
    seen.add(name);
    new
}

impl Sheet {
    /// The names of its columns.
    pub fn head(self, words: &dyn Words) -> Vec<String> {
        let keys: &[&str] = match self {
            Sheet::Followers => &[
                "trunk_column_handle",
                "trunk_column_name",
                "trunk_column_since",
                "trunk_column_locked",
                "trunk_column_bot",
                "trunk_column_moved",
            ],
            Sheet::People => &[
                "trunk_column_handle",
                "trunk_column_name",
                "trunk_column_locked",
                "trunk_column_bot",
                "trunk_column_moved",
            ],
            Sheet::Notes => &["trunk_column_handle", "trunk_column_note", "trunk_column_requested"],
            Sheet::Favourites => &["trunk_column_address", "trunk_column_author"],
        };
        keys.iter().map(|key| words.speak(&say(key))).collect()
    }

    /// The rows that a record gives. `since`: who follows since when, by handle.
    pub fn rows(
        self,
        record: &str,
        since: &Table<Time>,
        seen: &mut Names,
        words: &dyn Words,
    ) -> Vec<Vec<String>> {
        let yes = |is: bool| if is { words.speak(&say("yes")) } else { String::new() };
        match self {
            Sheet::Followers | Sheet::People => kept::people(record)
                .into_iter()
                .map(|person| {
                    let handle = person.handle.acct();
                    let at = since.get(&handle.to_lowercase()).map(|at| at.civil().day());
                    let mut row = vec![handle, person.name];
                    if self == Sheet::Followers {
                        row.push(at.unwrap_or_default());
                    }
                    row.extend([yes(person.locked), yes(person.bot)]);
                    row.push(person.moved.map(|to| to.acct()).unwrap_or_default());
                    row
                })
                .collect(),
            Sheet::Notes => kept::notes(record)
                .into_iter()
                .filter(|note| once(&note.acct.to_lowercase(), seen))
                .map(|note| vec![note.acct, note.note, yes(note.requested)])
                .collect(),
            Sheet::Favourites => {
                let row = |item: &&str| {
                    let value = plain::json(item)?;
                    let address = text(&value, "url").or(text(&value, "uri"))?.to_owned();
                    Some(vec![address, text(&value, "acct").unwrap_or_default().to_owned()])
                };
                plain::items(record).unwrap_or_default().iter().filter_map(row).collect()
            }
        }
    }
}
