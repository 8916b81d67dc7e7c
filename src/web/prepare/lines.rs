//! Both profiles side by side, thing by thing, and what is chosen of them.

use gloo_events::EventListener;
use std::rc::Rc;

use super::super::dom::{Build, make};
use super::super::frame::{fold, then};
use super::super::words::{speak, text};
use super::{Prepare, compare};
use crate::say::{Part, say};
use crate::trunk::dossier::Side;
use crate::trunk::profile::{Item, Line, Value};

impl Prepare {
    pub(super) fn draw_lines(self: &Rc<Self>) {
        let lines = self.lines.borrow();
        let (same, open): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.same);
        let list = make("ul").class("pairs").children(open.iter().map(|line| self.line(line)));
        self.frame.put(&list);
        self.draw_hosts(&self.hosts.borrow(), Prepare::start);
        let over = self.with(|old, new| compare::over(old, new, &self.chosen.borrow())).unwrap_or(0);
        if over > 0 {
            let words = speak(&say("profile_over").with(over));
            self.frame.put(&make("p").class("error").attr("role", "alert").text(&words));
        }
        let chosen = self.chosen.borrow().len();
        let name = self.name(Side::New);
        if open.is_empty() {
            self.frame.put(&then(&speak(&say("profile_all_same").with(name))));
        } else {
            let label = say("action_carry").with(chosen).with(name.clone());
            let carry = self.button("carry", &label, true, Prepare::carry);
            if chosen == 0 || over > 0 {
                let _ = carry.0.set_attribute("disabled", "");
            }
            let again = self.button("look-profile", &say("action_look_profile_again"), false, Prepare::start);
            self.frame.put(&then(&speak(&say("profile_before").with(name))));
            self.frame.put(&make("div").class("actions").child(carry).child(again));
        }
        if !same.is_empty() {
            let fold = fold("same", &speak(&say("profile_same").with(same.len())))
                .child(make("ul").class("pairs").children(same.iter().map(|line| self.line(line))));
            self.frame.put(&fold);
        }
    }

    fn line(self: &Rc<Self>, line: &Line) -> Build {
        let id = format!("item-{}", line.item.id());
        let about = format!("{id}-about");
        let name = speak(&line.item.name());
        let head = if line.same {
            make("p").class("name").text(&name)
        } else {
            let input = make("input")
                .attr("type", "checkbox")
                .attr("id", &id)
                .attr("aria-describedby", &about)
                .attr("data-choose", &line.item.id());
            if let Some(input) = input.input() {
                input.set_checked(self.chosen.borrow().contains(&line.item));
                input.set_disabled(line.barred);
            }
            self.choose(&input, line.item.clone());
            make("div").class("check").child(input).child(make("label").attr("for", &id).text(&name))
        };
        let side = |class: &str, key: &str, value: &Value| {
            make("div")
                .class(class)
                .child(make("p").class("label").text(&text(key)))
                .child(self.value(value, class == "half old"))
        };
        let mut sides = make("div")
            .class("sides")
            .attr("id", &about)
            .child(side("half old", "profile_on_old", &line.old))
            .child(side("half new", "profile_on_new", &line.new));
        if let Some(cut) = &line.cut {
            sides = sides.child(side("half cut", "profile_arrives", cut));
        }
        let remarks = line
            .remarks
            .iter()
            .map(|remark| make("li").attr("data-remark", &remark.key).text(&speak(remark)));
        let item = make("li")
            .class("pair")
            .attr("data-item", &line.item.id())
            .attr("data-same", if line.same { "true" } else { "false" })
            .child(head)
            .child(sides);
        if line.remarks.is_empty() { item } else { item.child(make("ul").class("gaps").children(remarks)) }
    }

    fn choose(self: &Rc<Self>, input: &Build, item: Item) {
        let here = self.clone();
        let own = input.clone();
        let listener = EventListener::new(&input.0, "change", move |event| {
            if !event.is_trusted() {
                return;
            }
            let on = own.input().is_some_and(|input| input.checked());
            {
                let mut chosen = here.chosen.borrow_mut();
                chosen.retain(|other| *other != item);
                if on {
                    chosen.push(item.clone());
                }
            }
            here.draw();
        });
        self.frame.listen(listener);
    }

    fn value(&self, value: &Value, is_old: bool) -> Build {
        let words = |key: &str| make("p").class("none").text(&text(key));
        match value {
            Value::None => words("profile_nothing"),
            Value::Text(text) => make("p").class("text").attr("dir", "auto").text(text),
            Value::Field(name, value) => make("p")
                .class("text")
                .attr("dir", "auto")
                .child(make("strong").text(name))
                .child(make("br"))
                .child(make("span").text(value)),
            Value::Flag(on) => make("p").class("text").text(&text(if *on { "yes" } else { "no" })),
            Value::Tag => words(if is_old { "profile_featured" } else { "profile_featured_too" }),
            Value::Picture(picture) => {
                let known = self.pictures.borrow();
                let here = known.iter().find(|(url, _)| Some(url) == picture.url.as_ref());
                let described = picture.words.as_deref().filter(|words| !words.is_empty());
                let shown = match here {
                    Some((_, here)) => {
                        make("img").attr("src", here).attr("alt", described.unwrap_or_default())
                    }
                    None => words("profile_picture_unseen"),
                };
                let block = make("div").child(shown);
                match described {
                    Some(described) => {
                        let line = say("profile_described").with(Part::Text(described.to_owned()));
                        block.child(make("p").class("none").text(&speak(&line)))
                    }
                    None => block,
                }
            }
        }
    }
}
