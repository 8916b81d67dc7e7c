//! Accounts for every row: what became of it, why, and what can be done.

use std::rc::Rc;

use super::super::dom::make;
use super::super::fetch;
use super::super::frame::{fold, table, then};
use super::super::messages::iso_day;
use super::super::now;
use super::super::words::{speak, text};
use super::super::zip::hand_over;
use super::plan::why_key;
use super::{Doing, More, Tell, Unpacker};
use crate::account::Handle;
use crate::job::unpack::piece::Piece;
use crate::job::verify::{Outcome, Rows, Wanted};
use crate::list::{Kind, Row, write};
use crate::say::{Part, say};
use crate::small::Names;
use crate::trunk::dossier::Arrived;
use crate::trunk::kind_name;
use crate::trunk::plan::{Chosen, pieces, wanted};
use crate::when::Time;

/// So many rows of a kind are shown; the file has all of them.
const SHOWN: usize = 300;

/// Each outcome, how it is said of several rows and of one, the good ones last.
static OUTCOMES: [(&str, &str, &str); 16] = [
    ("running", "row_running", "row_is_running"),
    ("stuck", "row_stuck", "row_is_stuck"),
    ("refused", "row_refused", "row_is_refused"),
    ("moved", "row_moved", "row_is_moved"),
    ("not-yet", "row_not_yet", "row_is_not_yet"),
    ("server-silent", "row_server_silent", "row_is_server_silent"),
    ("limit", "row_limit", "row_is_limit"),
    ("gone", "row_gone", "row_is_gone"),
    ("suspended", "row_suspended", "row_is_suspended"),
    ("server-blocked", "row_server_blocked", "row_is_server_blocked"),
    ("blocks-you", "row_blocks_you", "row_is_blocks_you"),
    ("you-block", "row_you_block", "row_is_you_block"),
    ("unknown", "row_unknown", "row_is_unknown"),
    ("requested", "row_requested", "row_is_requested"),
    ("arrived", "row_arrived", "row_is_arrived"),
    ("there", "row_there", "row_is_there"),
];

/// Why a row was left out, said of one.
static LEFT_OUT: [(&str, &str); 8] = [
    ("there", "row_is_there"),
    ("limit", "row_is_limit"),
    ("server-blocked", "row_is_server_blocked"),
    ("doubled", "row_is_doubled"),
    ("oneself", "row_is_oneself"),
    ("by-you", "row_is_left"),
    ("expired", "row_is_expired"),
    ("moved", "row_is_moved"),
];

/// What became of a row, in a few words.
fn words(outcome: &Outcome) -> String {
    let key = match outcome {
        Outcome::LeftOut(why) => {
            LEFT_OUT.iter().find(|(id, _)| id == why).map_or("row_is_unreadable", |(_, key)| key)
        }
        other => OUTCOMES.iter().find(|(id, ..)| *id == other.id()).map_or("row_is_unknown", |(.., key)| key),
    };
    text(key)
}

fn moved_to(outcome: &Outcome) -> Option<&Handle> {
    match outcome {
        Outcome::Moved(to) => to.as_ref(),
        _ => None,
    }
}

/// Where it stands in the order of what needs somebody.
fn place(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::LeftOut(_) => OUTCOMES.len(),
        other => OUTCOMES.iter().position(|(id, ..)| *id == other.id()).unwrap_or(0),
    }
}

/// Whether importing it follows somebody; lists do (facts 6.1).
fn follows(kind: Kind) -> bool {
    matches!(kind, Kind::Follows | Kind::Lists)
}

fn named(row: &Wanted) -> String {
    if row.list.is_empty() { row.name.clone() } else { format!("{}: {}", row.list, row.name) }
}

impl Unpacker {
    fn kinds(&self) -> Vec<Kind> {
        let verify = self.verify.borrow();
        verify.as_ref().map(|verify| verify.work.kinds().map(|rows| rows.kind).collect()).unwrap_or_default()
    }

    /// Calls `take` with every row of a kind.
    fn outcomes(&self, kind: Kind, take: &mut dyn FnMut(&Wanted, &Outcome)) {
        if let Some(verify) = self.verify.borrow().as_ref() {
            for (row, outcome) in verify.work.outcomes(kind) {
                take(row, &outcome);
            }
        }
    }

    /// `busy`: nothing can be begun just now.
    pub(super) fn draw_account(self: &Rc<Self>, busy: bool) {
        let at = self.verify.borrow().as_ref().and_then(|verify| verify.work.finished());
        let Some(at) = at else { return };
        self.frame.put(&make("h4").text(&text("unpack_account_title")));
        let line = say("unpack_account_line").with(Part::Day(at)).with(Part::Clock(at));
        self.frame.put(&then(&speak(&line)));
        let (mut retry, mut moved) = (0_usize, 0_usize);
        for kind in self.kinds() {
            let (again, away) = self.draw_kind(kind, busy);
            retry += again;
            moved += away;
        }
        let mut actions = make("div").class("actions");
        if retry > 0 && !busy {
            let label = speak(&say("unpack_retry").with(retry));
            actions = actions.child(self.button("retry", &label, true, |here| here.retry()));
        }
        if moved > 0 && !busy {
            let label = speak(&say("unpack_follow_new").with(moved));
            actions = actions.child(self.button("follow-moved", &label, false, |here| here.follow_moved()));
        }
        actions =
            actions.child(self.button("download-difference", &text("unpack_download"), false, |here| {
                here.download_difference()
            }));
        self.frame.put(&actions);
    }

    /// One kind; how many of its rows may be tried again, and how many have moved.
    fn draw_kind(self: &Rc<Self>, kind: Kind, busy: bool) -> (usize, usize) {
        let mut rows: Vec<(usize, String, Vec<String>)> = Vec::new();
        let mut counts = [0_usize; OUTCOMES.len()];
        let mut left: Vec<(String, usize)> = Vec::new();
        let (mut retry, mut moved) = (0, 0);
        self.outcomes(kind, &mut |row, outcome| {
            match outcome {
                Outcome::LeftOut(why) => match left.iter_mut().find(|(own, _)| own == why) {
                    Some((_, count)) => *count += 1,
                    None => left.push((why.clone(), 1)),
                },
                _ => counts[place(outcome)] += 1,
            }
            retry += usize::from(outcome.may_retry());
            moved += usize::from(follows(kind) && moved_to(outcome).is_some());
            let to = moved_to(outcome).map(|to| format!("@{to}")).unwrap_or_default();
            rows.push((place(outcome), outcome.id().to_owned(), vec![named(row), words(outcome), to]));
        });
        if rows.is_empty() {
            return (0, 0);
        }
        let label = text(kind_name(kind));
        let mut list = make("ul").class("gaps");
        for ((id, key, _), count) in OUTCOMES.iter().zip(counts).filter(|(_, count)| *count > 0) {
            // Who is muted or blocked is not followed for having moved.
            let key = if *id == "moved" && !follows(kind) { "row_moved_away" } else { key };
            list = list.child(make("li").attr("data-count", id).text(&speak(&say(key).with(count))));
        }
        for (why, count) in &left {
            list =
                list.child(make("li").attr("data-count", why).text(&speak(&say(why_key(why)).with(*count))));
        }
        let mut block = make("div").class("kind").attr("data-account", kind.id()).attr("role", "group");
        block = block.attr("aria-label", &label).child(make("h5").text(&label)).child(list);
        if retry > 0 && !busy {
            let file = self.button("download-retry", &text("unpack_download_retry"), false, move |here| {
                for piece in here.to_retry(Some(kind)) {
                    hand(&piece.text, &piece.name);
                }
            });
            block = block.child(make("div").class("actions").child(file));
        }
        let total = rows.len();
        let rows = crate::small::ordered(rows, &|one, other| one.0.cmp(&other.0));
        let shown: Vec<(String, Vec<String>)> =
            rows.into_iter().take(SHOWN).map(|(_, id, cells)| (id, cells)).collect();
        let caption = speak(&say("unpack_rows_of").with(total).with(label.as_str()));
        let heads = ["act_head_name", "unpack_head_outcome", "unpack_head_new"];
        let table = table(&caption, &heads, "data-outcome", &shown).attr("data-outcomes", kind.id());
        let mut all = fold(&format!("rows {}", kind.id()), &caption).child(table);
        if total > SHOWN {
            all = all.child(then(&speak(&say("unpack_rows_file").with(total - SHOWN))));
        }
        self.frame.put(&block.child(all));
        (retry, moved)
    }

    /// The files with nothing in them but what may be tried again. Settings and spelling are those of the plan.
    fn to_retry(&self, only: Option<Kind>) -> Vec<Piece> {
        let mut keys = Names::default();
        for kind in self.kinds().into_iter().filter(|kind| only.is_none_or(|only| only == *kind)) {
            self.outcomes(kind, &mut |row, outcome| {
                if outcome.may_retry() {
                    keys.add(&format!("{} {}", kind.id(), row.key));
                }
            });
        }
        self.files_of(&|kind, row| keys.has(&format!("{} {}", kind.id(), row.key())))
    }

    /// The files of the plan with only those rows. Nothing is replaced.
    fn files_of(&self, wants: &dyn Fn(Kind, &Row) -> bool) -> Vec<Piece> {
        let mut wishes = self.wishes.borrow().clone();
        wishes.chosen =
            Chosen { overwrite: Vec::new(), without: Vec::new(), files_only: true, ..wishes.chosen };
        let (Some(mut plan), Some(to)) = (self.laid(&wishes), self.to()) else { return Vec::new() };
        for part in &mut plan.parts {
            let kind = part.plan.kind;
            part.plan.upload.retain(|row| wants(kind, row));
        }
        pieces(&plan, &to, &wishes.chosen)
    }

    fn retry(self: &Rc<Self>) {
        let files = self.to_retry(None);
        self.begin_with(Doing::Unpack, Some(More::These(files, None)));
    }

    /// Those who have moved are followed where they are now, and accounted for there.
    fn follow_moved(self: &Rc<Self>) {
        let mut gone = Names::default();
        for kind in self.kinds().into_iter().filter(|kind| follows(*kind)) {
            self.outcomes(kind, &mut |row, outcome| {
                if let (Some(to), Ok(from)) = (moved_to(outcome), row.name.parse::<Handle>()) {
                    gone.add(&format!("{} {}", kind.id(), row.key));
                    self.wishes.borrow_mut().moved.push((from, to.clone()));
                }
            });
        }
        self.wishes.borrow_mut().chosen.follow_moved = true;
        self.change(None);
        let files = self.files_of(&|kind, row| {
            row.key() != row.origin() && gone.has(&format!("{} {}", kind.id(), row.origin()))
        });
        let rows: Option<Vec<Rows>> = match (self.laid(&self.wishes.borrow()), self.before.borrow().as_ref())
        {
            (Some(plan), Some(before)) => Some(wanted(&plan, before, &self.wishes.borrow().chosen)),
            _ => None,
        };
        self.begin_with(Doing::Unpack, Some(More::These(files, rows)));
    }

    /// Every row with what became of it, for a spreadsheet.
    fn download_difference(&self) {
        let heads = ["pack_head_what", "act_head_name", "unpack_head_outcome", "unpack_head_new"];
        let mut rows: Vec<Vec<String>> = vec![heads.iter().map(|key| text(key)).collect()];
        rows[0].push("id".to_owned());
        for kind in self.kinds() {
            let label = text(kind_name(kind));
            self.outcomes(kind, &mut |row, outcome| {
                let to = moved_to(outcome).map(Handle::acct).unwrap_or_default();
                let id = match outcome {
                    Outcome::LeftOut(why) => format!("{} {why}", outcome.id()),
                    _ => outcome.id().to_owned(),
                };
                rows.push(vec![label.clone(), named(row), words(outcome), to, id]);
            });
        }
        let user = self.handle.borrow().replace('@', "-at-").replace(':', "-");
        hand(&write::table(&rows), &format!("arrived-{user}-{}.csv", iso_day(now())));
    }

    /// The checks are told what has arrived.
    pub(super) fn tell_arrived(&self, at: Time) {
        let mut arrived = Arrived { at, ..Arrived::default() };
        self.outcomes(Kind::Follows, &mut |_, outcome| {
            // The same person twice, or oneself, is nobody to follow.
            if matches!(outcome, Outcome::LeftOut(why) if why == "doubled" || why == "oneself") {
                return;
            }
            arrived.follows += 1;
            *match outcome {
                Outcome::Arrived | Outcome::There => &mut arrived.arrived,
                Outcome::Requested => &mut arrived.requested,
                Outcome::Running => &mut arrived.running,
                other if other.may_retry() => &mut arrived.retry,
                _ => &mut arrived.lost,
            } += 1;
        });
        let of = self.handle.borrow().parse();
        if let Ok(of) = of {
            (self.tell)(Tell::Arrived(of, self.turn.get(), arrived));
        }
    }
}

fn hand(text: &str, name: &str) {
    if let Some(blob) = fetch::blob(&[text.as_bytes()]) {
        hand_over(&blob, name);
    }
}
