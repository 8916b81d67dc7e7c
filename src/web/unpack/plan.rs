//! What is to be done, before anything is: kind by kind, with the reasons, the choices and their consequences.

use std::rc::Rc;

use gloo_events::EventListener;

use super::super::dom::{Build, make};
use super::super::frame::{fold, then};
use super::super::words::{number, speak, text};
use super::choice::set;
use super::rows::{is_checked, name_of, odd_words};
use super::{ACTS, Doing, More, Unpacker};
use crate::list::{Kind, Row, Why};
use crate::say::say;
use crate::trunk::kind_name;
use crate::trunk::plan::{Unpacking, why_id};

/// What a box that is checked or not does.
type Checked = dyn Fn(&Rc<Unpacker>, bool);

/// Each reason, and how it is said of several rows.
static WHYS: [(&str, &str); 9] = [
    ("there", "row_why_there"),
    ("moved", "row_why_moved"),
    ("limit", "row_why_limit"),
    ("server-blocked", "row_why_blocked"),
    ("doubled", "row_why_doubled"),
    ("oneself", "row_why_oneself"),
    ("by-you", "row_why_by_you"),
    ("expired", "row_why_expired"),
    ("unreadable", "row_why_unreadable"),
];

pub(super) fn why_key(why: &str) -> &'static str {
    WHYS.iter().find(|(id, _)| *id == why).map_or("row_why_unreadable", |(_, key)| key)
}

impl Unpacker {
    pub(super) fn draw_plan(self: &Rc<Self>) {
        let Some(plan) = self.plan.borrow().clone() else { return };
        self.frame.put(&make("h4").text(&text("unpack_plan_title")));
        self.draw_moved(&plan);
        for at in 0..plan.parts.len() {
            self.draw_part(&plan, at);
        }
        self.draw_planned_acts(&plan);
        self.draw_order(&plan);
        self.draw_other();
        self.draw_warnings(&plan);
        let label = speak(&say("unpack_onto").with(self.name().as_str()));
        let go = self.button("unpack", &label, true, |here| here.begin_with(Doing::Unpack, Some(More::Plan)));
        self.frame.put(&make("div").class("actions").child(go));
    }

    /// A box to be checked, and what it does.
    fn check(
        self: &Rc<Self>,
        action: &str,
        id: &str,
        label: &str,
        is: bool,
        act: impl Fn(&Rc<Unpacker>, bool) + 'static,
    ) -> Build {
        let mut input = make("input").attr("type", "checkbox").attr("id", id).attr("data-action", action);
        if is {
            input = input.attr("checked", "");
        }
        let (here, field) = (self.clone(), input.0.clone());
        let act: Box<Checked> = Box::new(act);
        self.frame.listen(EventListener::new(&input.0, "change", move |event| {
            if event.is_trusted() {
                act(&here, is_checked(&field));
            }
        }));
        make("p").class("check").child(&input).child(make("label").attr("for", id).text(label))
    }

    /// Those who have moved are followed where they are now, if the person wants it.
    fn draw_moved(self: &Rc<Self>, plan: &Unpacking) {
        let chosen = self.wishes.borrow().chosen.follow_moved;
        let moved = plan.parts.iter().flat_map(|part| &part.plan.out);
        if !chosen && !moved.into_iter().any(|out| matches!(out.why, Why::Moved { .. })) {
            return;
        }
        let label = text("unpack_follow_moved");
        self.frame.put(&self.check("follow-moved-ones", "follow-moved-ones", &label, chosen, |here, is| {
            here.wishes.borrow_mut().chosen.follow_moved = is;
            here.change(None);
        }));
    }

    fn draw_part(self: &Rc<Self>, plan: &Rc<Unpacking>, at: usize) {
        let part = &plan.parts[at];
        let kind = part.plan.kind;
        let (uploads, out) = (part.plan.upload.len(), part.plan.out.len());
        let (wanted, replaces, asking, other) = {
            let wishes = self.wishes.borrow();
            (
                !wishes.chosen.without.contains(&kind),
                wishes.chosen.overwrite.contains(&kind),
                wishes.asking == Some(kind),
                wishes.others.iter().find(|other| other.kind == kind).map(|other| other.name.clone()),
            )
        };
        let id = format!("kind-{}", kind.id());
        let label = text(kind_name(kind));
        let mut block = make("div").class("kind").attr("data-kind", kind.id()).attr("role", "group");
        block = block.attr("aria-label", &label).child(self.check(
            "kind",
            &id,
            &label,
            wanted,
            move |here, is| {
                set(&mut here.wishes.borrow_mut().chosen.without, kind, !is);
                here.change(None);
            },
        ));
        if !wanted {
            self.frame.put(&block.child(then(&text("unpack_kind_left"))));
            return;
        }
        let sum = match out {
            0 => say("unpack_uploads").with(uploads),
            _ => say("unpack_uploads_not").with(uploads).with(number(out as u64).as_str()),
        };
        block = block.child(make("p").class("sum").text(&speak(&sum)));
        if let Some(name) = &other {
            let back = self.button("drop-file", &text("unpack_drop_file"), false, move |here| {
                here.wishes.borrow_mut().others.retain(|other| other.kind != kind);
                here.change(None);
            });
            block = block
                .child(then(&speak(&say("unpack_other_used").with(name.as_str()))))
                .child(make("div").class("actions").child(back));
        }
        if part.unsupported {
            let host = self.run.host().map(|host| host.to_string()).unwrap_or_default();
            block = block.child(then(&speak(&say("unpack_one_by_one").with(host.as_str()))));
        }
        if !part.plan.odd.is_empty() {
            let odd = part.plan.odd.iter().map(|odd| make("li").text(&speak(&odd_words(odd))));
            block = block.child(make("ul").class("gaps").children(odd));
        }
        for (why, key) in WHYS {
            let count = part.plan.out.iter().filter(|out| why_id(&out.why) == why).count();
            if count > 0 {
                block = block.child(self.draw_rows(plan, at, Some(why), &speak(&say(key).with(count))));
            }
        }
        if uploads > 0 {
            let line = speak(&say("unpack_upload_rows").with(uploads));
            block = block.child(self.draw_rows(plan, at, None, &line));
        }
        if !part.unsupported {
            block = self.draw_replace(block, kind, &part.removes, replaces, asking);
        }
        self.frame.put(&block);
    }

    /// Replacing takes away: never without the names, and never at one click.
    fn draw_replace(
        self: &Rc<Self>,
        block: Build,
        kind: Kind,
        removes: &[Row],
        replaces: bool,
        asking: bool,
    ) -> Build {
        let actions = make("div").class("actions");
        let names = |rows: &[Row]| -> Vec<String> { rows.iter().map(|row| name_of(kind, row)).collect() };
        let list = |names: &[String]| {
            let list = make("ul").class("rows").attr("data-removes", kind.id());
            // It can be scrolled, with the keys too.
            list.attr("tabindex", "0")
                .attr("aria-label", &text("unpack_removes_list"))
                .children(names.iter().map(|name| make("li").text(name)))
        };
        let merge = || {
            self.button("merge", &text("unpack_merge"), false, move |here| {
                let mut wishes = here.wishes.borrow_mut();
                set(&mut wishes.chosen.overwrite, kind, false);
                wishes.agreed.retain(|(own, _)| *own != kind);
                wishes.asking = None;
                drop(wishes);
                here.change(None);
            })
        };
        if replaces {
            let words = speak(&say("unpack_replaces").with(removes.len()));
            let block = block.child(make("p").class("warns").text(&words));
            let block = if removes.is_empty() { block } else { block.child(list(&names(removes))) };
            return block.child(actions.child(merge()));
        }
        if !asking {
            let ask = self.button("replace", &text("unpack_replace"), false, move |here| {
                here.wishes.borrow_mut().asking = Some(kind);
                here.change(None);
            });
            return block.child(actions.child(ask));
        }
        // What replacing would take away stands in the plan that replaces, and only there.
        let mut trial = self.wishes.borrow().clone();
        set(&mut trial.chosen.overwrite, kind, true);
        let laid = self.laid(&trial);
        let part = laid.as_ref().and_then(|plan| plan.parts.iter().find(|part| part.plan.kind == kind));
        let gone = names(part.map_or(&[], |part| &part.removes));
        let words = match gone.len() {
            0 => text("unpack_would_remove_none"),
            n => speak(&say("unpack_would_remove").with(n)),
        };
        let agreed = gone.clone();
        let yes = self.button("replace-confirm", &text("unpack_replace_confirm"), false, move |here| {
            let mut wishes = here.wishes.borrow_mut();
            set(&mut wishes.chosen.overwrite, kind, true);
            wishes.agreed.retain(|(own, _)| *own != kind);
            wishes.agreed.push((kind, agreed.clone()));
            wishes.asking = None;
            drop(wishes);
            here.change(None);
        });
        let ask = make("div").class("ask").child(make("p").text(&words));
        let ask = if gone.is_empty() { ask } else { ask.child(list(&gone)) };
        block.child(ask.child(actions.child(yes).child(merge())))
    }

    /// What was agreed to is what would be taken away still; what is not is not done.
    pub(super) fn still_agreed(&self) -> bool {
        let Some(plan) = self.plan.borrow().clone() else { return false };
        let mut wishes = self.wishes.borrow_mut();
        let mut all = true;
        for part in &plan.parts {
            let kind = part.plan.kind;
            if !wishes.chosen.overwrite.contains(&kind) {
                continue;
            }
            let gone: Vec<String> = part.removes.iter().map(|row| name_of(kind, row)).collect();
            if !wishes.agreed.iter().any(|(own, names)| *own == kind && *names == gone) {
                set(&mut wishes.chosen.overwrite, kind, false);
                all = false;
            }
        }
        drop(wishes);
        if !all {
            self.lay();
        }
        all
    }

    /// What goes through the API: hashtags, notes, settings.
    fn draw_planned_acts(self: &Rc<Self>, plan: &Unpacking) {
        let wanted = !self.wishes.borrow().chosen.files_only;
        let label = text("unpack_acts_too");
        let mut block = make("div").class("kind").attr("data-kind", "acts").attr("role", "group");
        block = block.attr("aria-label", &label).child(self.check(
            "acts",
            "kind-acts",
            &label,
            wanted,
            |here, is| {
                here.wishes.borrow_mut().chosen.files_only = !is;
                here.change(None);
            },
        ));
        for (id, key) in ACTS {
            let own: Vec<_> = plan.acts.iter().filter(|act| act.id() == id).collect();
            if own.is_empty() {
                continue;
            }
            let line = speak(
                &say("unpack_counted").with(text(key).as_str()).with(number(own.len() as u64).as_str()),
            );
            let names = own.iter().map(|act| make("li").text(act.name()));
            block = block
                .child(fold(&format!("acts {id}"), &line).child(make("ul").class("rows").children(names)));
        }
        if wanted && plan.acts.is_empty() {
            block = block.child(then(&text("unpack_acts_none")));
        }
        self.frame.put(&block);
    }

    /// Blocking a server ends follows there; whether it comes first makes a difference.
    fn draw_order(self: &Rc<Self>, plan: &Unpacking) {
        let some = |kind| {
            let own = plan.parts.iter().find(|part| part.plan.kind == kind);
            own.is_some_and(|part| !part.plan.upload.is_empty())
        };
        if !some(Kind::DomainBlocks) || !some(Kind::Follows) {
            return;
        }
        let first = self.wishes.borrow().domains_first;
        let mut set = make("fieldset").class("order").child(make("legend").text(&text("unpack_order_title")));
        for (id, key, is) in
            [("domains-first", "unpack_order_first", first), ("domains-later", "unpack_order_later", !first)]
        {
            let mut input = make("input").attr("type", "radio").attr("name", "order").attr("id", id);
            input = input.attr("data-action", id);
            if is {
                input = input.attr("checked", "");
            }
            let (here, wants) = (self.clone(), id == "domains-first");
            self.frame.listen(EventListener::new(&input.0, "change", move |event| {
                if event.is_trusted() {
                    here.wishes.borrow_mut().domains_first = wants;
                    here.change(None);
                }
            }));
            let line = make("p").class("check").child(&input);
            set = set.child(line.child(make("label").attr("for", id).text(&text(key))));
        }
        self.frame.put(&set);
    }

    /// What somebody should know before anything is sent.
    fn draw_warnings(&self, plan: &Unpacking) {
        let wishes = self.wishes.borrow();
        let of = |kind| {
            let own = plan.parts.iter().find(|part| part.plan.kind == kind);
            own.filter(|_| !wishes.chosen.without.contains(&kind)).map(|part| &part.plan)
        };
        let mut lines = Vec::new();
        // facts 13, "Importing follows notifies"
        let follows = of(Kind::Follows).map_or(0, |plan| plan.upload.len());
        if follows > 0 {
            lines.push(speak(&say("unpack_notifies").with(follows)));
        }
        if of(Kind::Lists).is_some_and(|plan| !plan.upload.is_empty()) {
            lines.push(text("unpack_lists_follow"));
        }
        let over = of(Kind::Follows)
            .map_or(0, |plan| plan.out.iter().filter(|out| out.why == Why::OverLimit).count());
        if over > 0 {
            let what = say("unpack_limit").with(over).with(number(plan.limit).as_str());
            lines.push(speak(&what));
        }
        lines.push(text("unpack_not_imported"));
        let list = make("ul").class("gaps").children(lines.iter().map(|line| make("li").text(line)));
        self.frame.put(&list);
    }
}
