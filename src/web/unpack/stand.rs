//! How it stands: each file on its way, and each thing that goes through the API; and afterwards, what became of them.

use super::super::dom::{clear, make};
use super::super::frame::{fold, table};
use super::super::now;
use super::super::words::{number, speak, text};
use super::Unpacker;
use crate::job::unpack::act::{Act, Stand};
use crate::job::unpack::piece::{Failures, Piece, Stage};
use crate::job::verify::Ran;
use crate::list::Kind;
use crate::say::{Say, say};
use crate::trunk::kind_name;

/// What goes through the API, and what it is called.
pub(super) static ACTS: [(&str, &str); 8] = [
    ("list", "pack_part_list_settings"),
    ("member", "pack_part_lists"),
    ("tag", "pack_part_tags"),
    ("featured-tag", "pack_part_featured_tags"),
    ("note", "pack_part_notes"),
    ("mute", "pack_part_mute_ends"),
    ("endorse", "pack_part_endorsed"),
    ("filter", "pack_part_filters"),
];

impl Unpacker {
    /// Rows and things for the API that are through, and those that are not.
    pub(super) fn rows_done(&self) -> (u64, u64) {
        let work = self.work.borrow();
        let Some(work) = work.as_ref() else { return (0, 0) };
        let (mut done, mut all) = (0, 0);
        for (piece, stage) in work.work.pieces() {
            all += piece.rows;
            done += match stage {
                Stage::Running(run) => run.imported.min(piece.rows),
                Stage::Finished { .. } | Stage::Refused(_) => piece.rows,
                Stage::Ready { .. } | Stage::Uploaded { .. } => 0,
            };
        }
        let acts = work.work.acts();
        all += acts.len() as u64;
        done += acts.iter().filter(|(_, stand)| *stand != Stand::Open).count() as u64;
        (done, all.saturating_sub(done))
    }

    /// One line for each file, and one for each kind of thing that goes through the API.
    pub(super) fn draw_live(&self) {
        let lines = self.lines();
        let look = lines.iter().map(|(id, stage, words)| format!("{id}{stage}{words}")).collect::<String>();
        if *self.lived.borrow() == look {
            return;
        }
        self.lived.replace(look);
        clear(&self.live);
        for (id, stage, words) in lines {
            let item = make("li").attr("data-piece", &id).attr("data-stage", stage).text(&words);
            let _ = self.live.append_child(item.as_ref());
        }
    }

    fn lines(&self) -> Vec<(String, &'static str, String)> {
        let work = self.work.borrow();
        let Some(work) = work.as_ref() else { return Vec::new() };
        let mut lines = Vec::new();
        for (piece, stage) in work.work.pieces() {
            let (id, what) = self.piece_words(piece, stage);
            let name = speak(
                &say("unpack_line").with(text(kind_name(piece.kind)).as_str()).with(speak(&what).as_str()),
            );
            lines.push((piece.kind.id().to_owned(), id, name));
        }
        for (id, key) in ACTS {
            let of_kind = || work.work.acts().iter().filter(|(act, _)| act.id() == id);
            let all = of_kind().count();
            if all == 0 {
                continue;
            }
            let open = of_kind().filter(|(_, stand)| *stand == Stand::Open).count();
            let bad = of_kind()
                .filter(|(_, stand)| matches!(stand, Stand::NotFound | Stand::Refused(_) | Stand::Over))
                .count();
            let done = number((all - open - bad) as u64);
            let what = if bad > 0 {
                say("unpack_acts_bad")
                    .with(number(all as u64).as_str())
                    .with(done.as_str())
                    .with(number(bad as u64).as_str())
            } else {
                say("unpack_acts").with(number(all as u64).as_str()).with(done.as_str())
            };
            let words = speak(&say("unpack_line").with(text(key).as_str()).with(speak(&what).as_str()));
            let stage = match (open, bad) {
                (0, 0) => "finished",
                (0, _) => "refused",
                _ => "running",
            };
            lines.push((id.to_owned(), stage, words));
        }
        lines
    }

    fn piece_words(&self, piece: &Piece, stage: &Stage) -> (&'static str, Say) {
        let of =
            |key: &str, done: u64| say(key).with(number(done).as_str()).with(number(piece.rows).as_str());
        let what = match stage {
            Stage::Ready { .. } => {
                let first = self.wishes.borrow().domains_first;
                let open = |kind| self.ran(kind) == Ran::Running;
                say(match piece.kind {
                    Kind::Lists | Kind::DomainBlocks
                        if open(Kind::Follows) && (piece.kind == Kind::Lists || !first) =>
                    {
                        "unpack_waits_follows"
                    }
                    Kind::Follows if first && open(Kind::DomainBlocks) => "unpack_waits_domains",
                    _ => "unpack_ready",
                })
            }
            Stage::Uploaded { .. } => say("unpack_uploaded"),
            Stage::Running(run) if run.is_stuck(now()) => return ("stuck", of("unpack_stuck", run.imported)),
            Stage::Running(run) => of("unpack_running", run.imported),
            Stage::Finished { imported, failures, .. } => match failures {
                Failures::None => of("unpack_finished", *imported),
                Failures::Some(n) | Failures::Fetched(n) if *n > 0 => {
                    of("unpack_failed", *imported).with(number(*n).as_str())
                }
                Failures::Some(_) | Failures::Fetched(_) => of("unpack_finished", *imported),
                Failures::Untold => of("unpack_untold", *imported),
            },
            Stage::Refused(words) if words.is_empty() => say("unpack_not_taken"),
            Stage::Refused(words) => say("unpack_file_refused").with(words.as_str()),
        };
        (stage.id(), what)
    }

    /// Each thing that went through the API, and what became of it: it can be read for ever.
    pub(super) fn draw_acts(&self) {
        let work = self.work.borrow();
        let Some(work) = work.as_ref() else { return };
        let acts = work.work.acts();
        if acts.is_empty() {
            return;
        }
        let row = |(act, stand): &(Act, Stand)| {
            let key = ACTS.iter().find(|(id, _)| *id == act.id()).map_or("unpack_acts_title", |(_, key)| key);
            let stands = match stand {
                Stand::Open => text("act_open"),
                Stand::Done => text("act_done"),
                Stand::There => text("act_there"),
                Stand::NotFound => text("act_not_found"),
                Stand::Refused(words) if words.is_empty() => text("act_no_answer"),
                Stand::Refused(words) => speak(&say("act_refused").with(words.as_str())),
                Stand::Over => text("act_over"),
            };
            (stand.id().to_owned(), vec![act.name().to_owned(), text(key), stands])
        };
        let rows: Vec<_> = acts.iter().map(row).collect();
        let heads = ["act_head_name", "pack_head_what", "act_head_stand"];
        let list = fold("acts", &text("unpack_acts_title")).child(table(
            &text("unpack_acts_title"),
            &heads,
            "data-stand",
            &rows,
        ));
        self.frame.put(&list);
    }
}
