//! What was done in a move, when, on which account, and how that is known. Written by the background, where a fact turns
//! or a message tells of it, and never because somebody ticked something off.

use serde_json::Value;

use super::dossier::{AccountFacts, Arrived, Email, Redirect, SavedLists, SavedMessages, Side};
use crate::account::Handle;
use crate::plain::{Plain, record, words};
use crate::when::{Known, Source, Time};

/// What can have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Both accounts were named.
    Linked,
    /// The account was seen, signed in, for the first time.
    SeenIn,
    /// Its server runs another version than before.
    Version,
    EmailConfirmed,
    /// `messages`
    MessagesSaved,
    /// What was packed besides: rows of each kind.
    Packed,
    /// A file was handed over; `detail` is its name.
    Downloaded,
    AliasSeen,
    AliasGone,
    Unlocked,
    Locked,
    /// So many things of the profile, as they were read back.
    ProfileCarried,
    ProfileTakenBack,
    ArchiveAsked,
    /// An import, or things through the API: numbers by what became of them.
    Unpacked,
    /// The server lists a move; `detail` is where to.
    Moved,
    /// The account redirects; `detail` is where to.
    RedirectSeen,
    RedirectGone,
    /// Followers who are on the new account.
    Verified,
}

words! {
    What {
        Linked = "linked", SeenIn = "seen-in", Version = "version", EmailConfirmed = "email-confirmed",
        MessagesSaved = "messages-saved", Packed = "packed", Downloaded = "downloaded", AliasSeen = "alias-seen",
        AliasGone = "alias-gone", Unlocked = "unlocked", Locked = "locked", ProfileCarried = "profile-carried",
        ProfileTakenBack = "profile-taken-back",
        ArchiveAsked = "archive-asked", Unpacked = "unpacked", Moved = "moved", RedirectSeen = "redirect-seen",
        RedirectGone = "redirect-gone", Verified = "verified",
    }
}

impl What {
    /// Stands in `data-deed` and in the report.
    pub fn id(self) -> &'static str {
        self.word()
    }

    /// The key of its sentence.
    pub fn name(self) -> &'static str {
        match self {
            What::Linked => "deed_linked",
            What::SeenIn => "deed_seen_in",
            What::Version => "deed_version",
            What::EmailConfirmed => "deed_email_confirmed",
            What::MessagesSaved => "deed_messages_saved",
            What::Packed => "deed_packed",
            What::Downloaded => "deed_downloaded",
            What::AliasSeen => "deed_alias_seen",
            What::AliasGone => "deed_alias_gone",
            What::Unlocked => "deed_unlocked",
            What::Locked => "deed_locked",
            What::ProfileCarried => "deed_profile_carried",
            What::ProfileTakenBack => "deed_profile_taken_back",
            What::ArchiveAsked => "deed_archive_asked",
            What::Unpacked => "deed_unpacked",
            What::Moved => "deed_moved",
            What::RedirectSeen => "deed_redirect_seen",
            What::RedirectGone => "deed_redirect_gone",
            What::Verified => "deed_verified",
        }
    }
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    pub what: What,
    /// On which account; `None`: on both, or on none.
    pub side: Option<Side>,
    pub at: Time,
    /// How it is known.
    pub from: Source,
    /// A handle, a version, the name of a file.
    pub detail: Option<String>,
    /// Numbers, each with what it counts: ids, not words.
    pub counts: Vec<(String, u64)>,
}

record! {
    Deed { what, side = default, at, from, detail = default, counts = default }
}

/// What happened in a move, in the order in which it was noted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    pub deeds: Vec<Deed>,
}

/// Of more than so many, those go first that were done again later.
const MOST: usize = 240;
/// Names are shown, not kept for their own sake.
const LONGEST: usize = 200;

/// What cannot be read, of a later version perhaps, is left out, and the rest stands.
impl Plain for Journal {
    fn write(&self) -> Value {
        self.deeds.write()
    }

    fn read(value: &Value) -> Option<Journal> {
        let deeds = value.as_array()?.iter().filter_map(Deed::read).take(MOST).collect();
        Some(Journal { deeds })
    }
}

impl Deed {
    pub fn new(what: What, side: Option<Side>, at: Time, from: Source) -> Deed {
        Deed { what, side, at, from, detail: None, counts: Vec::new() }
    }

    pub fn linked(at: Time) -> Deed {
        Deed::new(What::Linked, None, at, Source::Ourselves)
    }

    /// What is handed over was written and read back.
    pub fn downloaded(name: &str, at: Time) -> Deed {
        Deed::new(What::Downloaded, None, at, Source::Ourselves).of(name)
    }

    /// Every message that is saved was read back from the store.
    pub fn messages(saved: &SavedMessages) -> Deed {
        Deed::new(What::MessagesSaved, Some(Side::Old), saved.at, Source::OwnApi)
            .count("messages", saved.count)
    }

    pub fn packed(saved: &SavedLists) -> Deed {
        let mut deed = Deed::new(What::Packed, Some(Side::Old), saved.at, Source::OwnPage);
        for (kind, rows) in saved.rows.of_kinds() {
            if let Some(rows) = rows {
                deed = deed.count(kind.id(), rows);
            }
        }
        if let Some(followers) = saved.rows.followers {
            deed = deed.count("followers", followers);
        }
        if saved.lacking > 0 { deed.count("lacking", saved.lacking) } else { deed }
    }

    /// Every change is read back from the server's answer to a second question.
    pub fn profile(undo: bool, done: u64, all: u64, at: Time) -> Deed {
        let what = if undo { What::ProfileTakenBack } else { What::ProfileCarried };
        let deed = Deed::new(what, Some(Side::New), at, Source::OwnApi).count("items", done);
        if done < all { deed.count("lost", all - done) } else { deed }
    }

    /// Compared with the new account's own exports.
    pub fn arrived(arrived: &Arrived) -> Deed {
        let mut deed = Deed::new(What::Unpacked, Some(Side::New), arrived.at, Source::OwnPage)
            .count("follows", arrived.follows);
        for (what, count) in [
            ("arrived", arrived.arrived),
            ("requested", arrived.requested),
            ("running", arrived.running),
            ("retry", arrived.retry),
            ("lost", arrived.lost),
        ] {
            if count > 0 {
                deed = deed.count(what, count);
            }
        }
        deed
    }

    pub fn of(mut self, detail: &str) -> Deed {
        self.detail = Some(detail.chars().take(LONGEST).collect());
        self
    }

    pub fn count(mut self, what: &str, count: u64) -> Deed {
        self.counts.push((what.to_owned(), count));
        self
    }

    fn is_like(&self, other: &Deed) -> bool {
        (self.what, self.side) == (other.what, other.side)
    }
}

impl Journal {
    /// Notes a deed, unless the last word about it says the same already.
    pub fn note(&mut self, deed: Deed) {
        let last = self.deeds.iter_mut().rev().find(|known| known.is_like(&deed));
        if let Some(last) = last.filter(|last| last.detail == deed.detail && last.counts == deed.counts) {
            // What was done once more counts from then; a fact that is still so counts from when it turned.
            if matches!(
                deed.what,
                What::MessagesSaved | What::Packed | What::Unpacked | What::Verified | What::Downloaded
            ) {
                last.at = last.at.max(deed.at);
            }
            return;
        }
        self.deeds.push(deed);
        if self.deeds.len() > MOST {
            let deeds = &self.deeds;
            let repeated =
                (0..deeds.len()).find(|at| deeds[at + 1..].iter().any(|later| later.is_like(&deeds[*at])));
            self.deeds.remove(repeated.unwrap_or(0));
        }
    }

    /// The same of several, or of one that there may be.
    pub fn extend(&mut self, deeds: impl IntoIterator<Item = Deed>) {
        deeds.into_iter().for_each(|deed| self.note(deed));
    }

    /// What was noted elsewhere comes in where it belongs in time.
    pub fn take_over(&mut self, other: Journal) {
        let mut all = std::mem::take(&mut self.deeds);
        all.extend(other.deeds);
        // Stable: what was noted here at the same moment stays in its order.
        all.sort_by_key(|deed| deed.at);
        all.dedup();
        self.extend(all);
    }

    /// The last time that this was done on a side, or on any.
    pub fn last(&self, what: What, side: Option<Side>) -> Option<&Deed> {
        self.deeds.iter().rev().find(|deed| deed.what == what && (side.is_none() || deed.side == side))
    }

    pub fn first(&self, what: What) -> Option<&Deed> {
        self.deeds.iter().find(|deed| deed.what == what)
    }

    /// Notes what turned between two looks at an account. `other` is the other account of the move, for the alias and the
    /// redirect.
    pub fn see(&mut self, side: Side, before: &AccountFacts, after: &AccountFacts, other: Option<&Handle>) {
        let mut note = |what, at: Time, from: Source, detail: Option<&str>| {
            let deed = Deed::new(what, Some(side), at, from);
            self.note(match detail {
                Some(detail) => deed.of(detail),
                None => deed,
            });
        };
        if let Some(seen) = news(&before.signed_in, &after.signed_in).filter(|seen| seen.value) {
            note(What::SeenIn, seen.at, seen.from, None);
        }
        if let (Some(old), Some(new)) = (&before.version, &after.version)
            && old.value != new.value
        {
            note(What::Version, new.at, new.from, Some(&new.value.text));
        }
        if let (Some(old), Some(new)) = (&before.email, &after.email)
            && old.value != Email::Confirmed
            && new.value == Email::Confirmed
        {
            note(What::EmailConfirmed, new.at, new.from, None);
        }
        if let (Some(old), Some(new)) = (&before.locked, &after.locked)
            && old.value != new.value
        {
            note(if new.value { What::Locked } else { What::Unlocked }, new.at, new.from, None);
        }
        let asked = |known: &Option<Known<_>>| -> Option<Time> {
            known.as_ref().and_then(|known: &Known<super::dossier::ArchiveSeen>| known.value.asked)
        };
        if let Some(seen) = &after.archive {
            // The page has no button any more, which it had: it was pressed.
            let pressed = before.archive.as_ref().is_some_and(|old| old.value.may_ask) && !seen.value.may_ask;
            if let Some(at) = asked(&after.archive).filter(|at| asked(&before.archive) != Some(*at)) {
                note(What::ArchiveAsked, at, seen.from, None);
            } else if pressed && seen.value.asked.is_none() {
                note(What::ArchiveAsked, seen.at, seen.from, None);
            }
        }
        match side {
            Side::New => {
                let listed = |facts: &AccountFacts| other.and_then(|other| facts.alias_for(other)).is_some();
                if let Some(seen) = &after.aliases {
                    let name = other.map(|other| format!("@{other}"));
                    if listed(after) && !listed(before) {
                        note(What::AliasSeen, seen.at, seen.from, name.as_deref());
                    } else if listed(before) && !listed(after) {
                        note(What::AliasGone, seen.at, seen.from, name.as_deref());
                    }
                }
            }
            Side::Old => {
                if let Some(seen) = &after.redirect {
                    let was = AccountFacts::value(&before.redirect);
                    match &seen.value {
                        Redirect::To(to) if was != Some(&seen.value) => {
                            let to = to.as_ref().map(|to| format!("@{to}"));
                            note(What::RedirectSeen, seen.at, seen.from, to.as_deref());
                        }
                        Redirect::None if matches!(was, Some(Redirect::To(_))) => {
                            note(What::RedirectGone, seen.at, seen.from, None);
                        }
                        _ => {}
                    }
                }
                let last = AccountFacts::value(&before.last_move);
                if let Some(seen) = after.last_move.as_ref().filter(|seen| last != Some(&seen.value)) {
                    // The server's own time of it, which is better than ours.
                    note(What::Moved, seen.value, seen.from, None);
                }
            }
        }
    }
}

/// What is known now and was not before, or was otherwise.
fn news<'a, T: PartialEq>(before: &Option<Known<T>>, after: &'a Option<Known<T>>) -> Option<&'a Known<T>> {
    let was = before.as_ref().map(|known| &known.value);
    after.as_ref().filter(|known| was != Some(&known.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::known;
    use crate::trunk::dossier::{AliasRow, ArchiveSeen};
    use proptest::prelude::*;

    fn ana(server: &str) -> Handle {
        format!("ana@{server}.example").parse().unwrap()
    }

    fn told(journal: &Journal) -> Vec<(What, i64)> {
        journal.deeds.iter().map(|deed| (deed.what, deed.at.0)).collect()
    }

    #[test]
    fn what_turned_is_noted_and_what_stayed_is_not() {
        let mut journal = Journal::default();
        let nothing = AccountFacts::default();
        let at = |locked, at| AccountFacts { locked: known(locked, at), ..Default::default() };
        // That it is not locked now is no deed: nobody saw it locked.
        journal.see(Side::New, &nothing, &at(false, 1), None);
        journal.see(Side::New, &at(true, 1), &at(false, 2), None);
        journal.see(Side::New, &at(false, 2), &at(false, 3), None);
        journal.see(Side::New, &at(false, 3), &at(true, 4), None);
        assert_eq!(told(&journal), [(What::Unlocked, 2), (What::Locked, 4)]);
        assert_eq!(journal.last(What::Locked, Some(Side::New)).unwrap().at, Time(4));
        assert_eq!(journal.last(What::Locked, Some(Side::Old)), None);
    }

    #[test]
    fn the_move_is_noted_by_the_servers_own_time() {
        let mut journal = Journal::default();
        let to = |handle: Option<Handle>, at| known(Redirect::To(handle), at);
        let before = AccountFacts { redirect: known(Redirect::None, 5), ..Default::default() };
        let after = AccountFacts {
            redirect: to(Some(ana("new")), 9_000),
            last_move: known(Time(7_000), 9_000),
            ..Default::default()
        };
        journal.see(Side::Old, &before, &after, Some(&ana("new")));
        assert_eq!(told(&journal), [(What::RedirectSeen, 9_000), (What::Moved, 7_000)]);
        assert_eq!(journal.deeds[0].detail.as_deref(), Some("@ana@new.example"));
        journal.see(Side::Old, &after, &after, None);
        assert_eq!(journal.deeds.len(), 2);
        journal.see(
            Side::Old,
            &after,
            &AccountFacts { redirect: known(Redirect::None, 9_500), ..after.clone() },
            None,
        );
        assert_eq!(journal.deeds.last().unwrap().what, What::RedirectGone);
        // A redirect of the new account is not about this move.
        let mut other = Journal::default();
        other.see(Side::New, &before, &after, Some(&ana("old")));
        assert_eq!(other, Journal::default());
    }

    #[test]
    fn what_happened_elsewhere_comes_in_where_it_belongs() {
        let deed = |what, at| Deed::new(what, Some(Side::New), Time(at), Source::OwnPage);
        let journal = |deeds: &[(What, i64)]| Journal {
            deeds: deeds.iter().map(|(what, at)| deed(*what, *at)).collect(),
        };
        let mut here = journal(&[(What::SeenIn, 20), (What::Locked, 40)]);
        let file = journal(&[(What::SeenIn, 5), (What::Unlocked, 30)]);
        here.take_over(file.clone());
        // What was so before was not so for the first time now.
        let whole = [(What::SeenIn, 5), (What::Unlocked, 30), (What::Locked, 40)];
        assert_eq!(told(&here), whole);
        // The same file, once more.
        here.take_over(file);
        assert_eq!(told(&here), whole);
    }

    #[test]
    fn the_alias_counts_for_this_old_account_alone() {
        let row = |handle| AliasRow { handle, since: Time(3), made_lately: false };
        let listed = |rows, at| AccountFacts { aliases: known(rows, at), ..Default::default() };
        let mut journal = Journal::default();
        let nothing = AccountFacts::default();
        journal.see(Side::New, &nothing, &listed(vec![row(ana("else"))], 3), Some(&ana("old")));
        assert_eq!(told(&journal), []);
        let both = listed(vec![row(ana("else")), row(ana("old"))], 4);
        journal.see(Side::New, &nothing, &both, Some(&ana("old")));
        journal.see(Side::New, &both, &listed(vec![], 6), Some(&ana("old")));
        // Not known any more is not gone.
        journal.see(Side::New, &both, &nothing, Some(&ana("old")));
        assert_eq!(told(&journal), [(What::AliasSeen, 4), (What::AliasGone, 6)]);
    }

    #[test]
    fn the_archive_was_asked_for_when_the_page_says_so() {
        let seen = |may_ask, asked: Option<i64>, at| AccountFacts {
            archive: known(ArchiveSeen { may_ask, asked: asked.map(Time), ready: false }, at),
            ..Default::default()
        };
        let mut journal = Journal::default();
        journal.see(Side::Old, &AccountFacts::default(), &seen(true, None, 1), None);
        assert_eq!(told(&journal), []);
        journal.see(Side::Old, &seen(true, None, 1), &seen(false, None, 5), None);
        journal.see(Side::Old, &seen(false, None, 5), &seen(false, None, 6), None);
        assert_eq!(told(&journal), [(What::ArchiveAsked, 5)]);
        let mut dated = Journal::default();
        dated.see(Side::Old, &AccountFacts::default(), &seen(false, Some(3), 9), None);
        assert_eq!(told(&dated), [(What::ArchiveAsked, 3)]);
    }

    #[test]
    fn the_last_word_of_each_kind_is_kept_longest() {
        let mut journal = Journal::default();
        journal.note(Deed::new(What::Linked, None, Time(0), Source::Ourselves));
        for at in 0..1_000 {
            journal.note(
                Deed::new(What::Packed, Some(Side::Old), Time(at), Source::OwnApi)
                    .count("follows", at.unsigned_abs()),
            );
        }
        assert_eq!(journal.deeds.len(), MOST);
        assert!(journal.first(What::Linked).is_some());
        assert_eq!(journal.last(What::Packed, None).unwrap().counts, [("follows".to_owned(), 999)]);
    }

    #[test]
    fn a_deed_that_cannot_be_read_spoils_nothing() {
        let text = r#"[{"what": "linked", "side": null, "at": 1, "from": "ourselves", "detail": null, "counts": []},
            {"what": "levitated", "side": null, "at": 2, "from": "ourselves"}, 5, null,
            {"what": "moved", "side": "old", "at": 3, "from": "own-page"}]"#;
        let journal = Journal::read(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(told(&journal), [(What::Linked, 1), (What::Moved, 3)]);
        assert_eq!(Journal::read(&Value::Null), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(deeds in prop::collection::vec((0..4usize, ".{0,12}", 0..99u64, any::<bool>()), 0..9)) {
            let mut journal = Journal::default();
            for (at, (what, detail, count, side)) in deeds.into_iter().enumerate() {
                let what = [What::Packed, What::Moved, What::Downloaded, What::Verified][what];
                let side = side.then_some(Side::New);
                journal.note(Deed::new(what, side, Time(at as i64), Source::OwnPage).of(&detail).count("rows", count));
            }
            let text = journal.write().to_string();
            prop_assert_eq!(Journal::read(&serde_json::from_str(&text).unwrap()), Some(journal));
        }
    }
}
