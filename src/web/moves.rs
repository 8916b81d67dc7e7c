//! The desk's part for several moves: which there are, how far each is, and what can be done with one as a whole.

mod carry;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlElement};

use self::carry::{Arriving, STAGED};
use super::db::{self, Db};
use super::dom::{Build, make};
use super::frame::{Frame, fold, table, then};
use super::messages::iso_day;
use super::run::{Lock, records};
use super::words::{speak, text};
use super::zip::hand_over;
use super::{chrome, go, now};
use crate::protocol::{ToBackground, ToDesk};
use crate::say::{Part, Say, say};
use crate::trunk::case::Held;
use crate::trunk::dossier::Side;
use crate::trunk::drawer::Drawer;
use crate::trunk::store::{Move, Store};

/// Whoever works with the database holds one of these.
const JOBS: [&str; 3] = ["messages", "lists", "unpack"];

/// So often it is tried to delete what nobody needs any more; else the next time that the desk is opened.
const SWEEPS: u32 = 10;

/// What is told to the rest of the desk.
pub(super) enum Tell {
    /// How it stands now.
    State(Box<ToDesk>),
    /// What is in memory is of before.
    Anew,
}

/// What the person is asked.
enum Asking {
    /// Whether a move is to be forgotten, and what goes with it.
    Forget(Box<Move>, Vec<Say>),
    /// Whether what is here is kept, or what is in the file.
    Keep(Box<Arriving>, Vec<(Held, Held)>),
}

pub(super) struct Moves {
    frame: Frame,
    tell: Box<dyn Fn(Tell)>,
    store: RefCell<Store>,
    db: RefCell<Option<Db>>,
    busy: RefCell<Option<Say>>,
    told: RefCell<Option<Say>>,
    asking: RefCell<Option<Asking>>,
    sweeping: Cell<bool>,
    /// Counts what makes another picture.
    version: Cell<u32>,
}

/// None of the jobs is at work, here or in another window.
struct Alone(#[allow(dead_code)] Vec<Lock>);

impl Moves {
    pub(super) fn new(tell: impl Fn(Tell) + 'static) -> Rc<Moves> {
        let moves = Rc::new(Moves {
            frame: Frame::new("moves", "moves_title"),
            tell: Box::new(tell),
            store: RefCell::default(),
            db: RefCell::default(),
            busy: RefCell::default(),
            told: RefCell::default(),
            asking: RefCell::default(),
            sweeping: Cell::new(false),
            version: Cell::new(0),
        });
        let here = moves.clone();
        go(async move { here.tidy().await });
        moves
    }

    pub(super) fn root(&self) -> &HtmlElement {
        &self.frame.root
    }

    pub(super) fn show(self: &Rc<Self>, store: &Store) {
        self.frame.root.set_hidden(false);
        let same = {
            let own = self.store.borrow();
            own.current == store.current && own.put_away == store.put_away
        };
        self.store.replace(store.clone());
        if !same {
            self.version.set(self.version.get() + 1);
        }
        self.draw();
        if !store.doomed.is_empty() && !self.sweeping.replace(true) {
            let here = self.clone();
            go(async move {
                // A page of ours that is being closed may still hold a lock.
                for _ in 0..SWEEPS {
                    if let Ok(alone) = alone().await {
                        here.sweep(&alone).await;
                        break;
                    }
                    TimeoutFuture::new(1_000).await;
                }
                here.sweeping.set(false);
            });
        }
    }

    async fn db(&self) -> Result<Db, Say> {
        if let Some(db) = self.db.borrow().as_ref() {
            return Ok(db.clone());
        }
        let db = Db::open().await.map_err(trouble)?;
        self.db.replace(Some(db.clone()));
        Ok(db)
    }

    /// What an opening left behind that was interrupted.
    async fn tidy(&self) {
        let Some(_lock) = Lock::take(STAGED).await else { return };
        let Ok(db) = self.db().await else { return };
        carry::clear(&db).await;
    }

    /// Deletes what no move needs any more.
    async fn sweep(&self, _alone: &Alone) {
        let Ok(db) = self.db().await else { return };
        let names = self.store.borrow().doomed.clone();
        for name in &names {
            if db.forget(name).await.is_err() {
                return;
            }
        }
        self.send(ToBackground::Swept { names }).await;
    }

    async fn send(&self, message: ToBackground) -> bool {
        let Some(state) = chrome::tell_background::<_, ToDesk>(&message).await else { return false };
        (self.tell)(Tell::State(Box::new(state)));
        true
    }

    // --- doing ---

    /// One thing at a time; what it ends with is told.
    fn run<F: Future<Output = Result<Option<Say>, Say>> + 'static>(
        self: &Rc<Self>,
        what: impl FnOnce(Rc<Moves>) -> F,
    ) {
        if self.busy.borrow().is_some() {
            return;
        }
        self.told.replace(None);
        self.tell_busy(Some(say("moves_working")));
        let (here, work) = (self.clone(), what(self.clone()));
        go(async move {
            let told = match work.await {
                Ok(told) => told,
                Err(what) => Some(what),
            };
            here.told.replace(told);
            here.tell_busy(None);
        });
    }

    fn tell_busy(self: &Rc<Self>, what: Option<Say>) {
        if self.busy.borrow().is_some() != what.is_some() {
            self.version.set(self.version.get() + 1);
        }
        self.busy.replace(what);
        self.draw();
    }

    fn ask(&self, what: Option<Asking>) {
        self.asking.replace(what);
        self.version.set(self.version.get() + 1);
    }

    fn put_away(self: &Rc<Self>) {
        self.run(|here| async move {
            here.send(ToBackground::PutAway).await;
            Ok(None)
        });
    }

    fn take_up(self: &Rc<Self>, it: Move) {
        self.run(|here| async move {
            here.send(ToBackground::TakeUp { old: it.old, new: it.new }).await;
            Ok(None)
        });
    }

    /// What is lost is counted first, and then the person decides.
    fn consider(self: &Rc<Self>, it: Move) {
        self.run(|here| async move {
            let db = here.db().await?;
            let names = here.store.borrow().only_of(&it);
            let mut lost = Vec::new();
            for drawer in Drawer::ALL {
                let Some(name) = drawer.in_move(&it).filter(|name| names.contains(name)) else { continue };
                let held = held(&db, &name, drawer).await?;
                match drawer {
                    _ if held.records == 0 => {}
                    Drawer::Messages => lost.push(say("moves_lost_messages").with(held.messages)),
                    Drawer::Lists => lost.push(say("moves_lost_lists")),
                    Drawer::Unpack => lost.push(say("moves_lost_unpack")),
                    Drawer::New | Drawer::Verify => {}
                }
            }
            here.ask(Some(Asking::Forget(Box::new(it), lost)));
            Ok(None)
        });
    }

    fn forget(self: &Rc<Self>, it: Move) {
        self.ask(None);
        self.run(|here| async move {
            let alone = alone().await?;
            here.sweeping.set(true);
            if here.send(ToBackground::Forget { old: it.old, new: it.new }).await {
                here.sweep(&alone).await;
            }
            here.sweeping.set(false);
            Ok(None)
        });
    }

    fn export(self: &Rc<Self>, it: Move) {
        self.run(|here| async move {
            let _alone = alone().await?;
            let db = here.db().await?;
            let told = |what: Say| here.tell_busy(Some(what));
            let (blob, report) = carry::write(&db, &it, &told).await?;
            let plain = |name: String| name.trim_start_matches('@').replace('@', "-at-").replace(':', "-");
            let name =
                format!("move-{}-to-{}-{}.zip", plain(it.old.name()), plain(it.new.name()), iso_day(now()));
            hand_over(&blob, &name);
            let done = say("moves_exported").with(name.as_str());
            Ok(Some(match report.lost {
                0 => done,
                lost => say("moves_exported_without").with(lost).with(Part::Say(Box::new(done))),
            }))
        });
    }

    fn open(self: &Rc<Self>, file: Blob) {
        self.ask(None);
        self.run(|here| async move {
            let alone = alone().await?;
            let db = here.db().await?;
            here.tell_busy(Some(say("messages_checking")));
            let mut arriving = carry::check(file).await?;
            let turn = here.store.borrow().turn_of(&arriving.contents.it);
            arriving.contents.it.turn = turn;
            let inside = arriving.contents.drawers.clone();
            let mut both = Vec::new();
            for drawer in Drawer::ALL {
                let Some(name) = drawer.in_move(&arriving.contents.it) else { continue };
                let there = held(&db, &name, drawer).await?;
                let own = inside.iter().find(|own| own.drawer == drawer).cloned();
                // What was looked at, unpacked and found to have arrived belongs together; the rest stands for itself.
                let together =
                    drawer.side() == Side::New && inside.iter().any(|own| own.drawer.side() == Side::New);
                if there.records > 0 && (own.is_some() || together) {
                    both.push((there, own.unwrap_or_else(|| Held::new(drawer))));
                }
            }
            if both.is_empty() {
                return here.take_in(arriving, &[], &[], alone).await;
            }
            here.ask(Some(Asking::Keep(Box::new(arriving), both)));
            Ok(None)
        });
    }

    /// The person has decided: these drawers stay as they are here.
    fn keep(self: &Rc<Self>, here_stays: bool) {
        let Some(Asking::Keep(arriving, both)) = self.asking.take() else { return };
        self.ask(None);
        let asked: Vec<Drawer> = both.iter().map(|(there, _)| there.drawer).collect();
        let (kept, replaced) = if here_stays { (asked, Vec::new()) } else { (Vec::new(), asked) };
        self.run(|here| async move {
            let alone = alone().await?;
            here.take_in(*arriving, &kept, &replaced, alone).await
        });
    }

    /// All of it, or nothing: only when everything is stored and was read back, the move is linked.
    async fn take_in(
        self: &Rc<Self>,
        arriving: Arriving,
        kept: &[Drawer],
        replaced: &[Drawer],
        alone: Alone,
    ) -> Result<Option<Say>, Say> {
        let _lock = Lock::take(STAGED).await.ok_or_else(|| say("messages_elsewhere"))?;
        let db = self.db().await?;
        let told = |what: Say| self.tell_busy(Some(what));
        let it = arriving.contents.it.clone();
        carry::take_in(&db, arriving, kept, replaced, &told).await?;
        let link = ToBackground::Link { old: it.old.clone(), new: it.new.clone() };
        for message in [link, ToBackground::TakenIn { it }] {
            if chrome::tell_background::<_, ToDesk>(&message).await.is_none() {
                return Err(say("moves_not_linked"));
            }
        }
        drop(alone);
        (self.tell)(Tell::Anew);
        Ok(None)
    }

    // --- showing ---

    fn draw(self: &Rc<Self>) {
        let busy = self.busy.borrow().clone();
        let status = busy.as_ref().map(speak).or_else(|| self.told.borrow().as_ref().map(speak));
        let state = if busy.is_some() { "busy" } else { "none" };
        let any = self.store.borrow().moves().next().is_some();
        self.frame.stand(
            state,
            &text(if any { "moves_lead" } else { "moves_none" }),
            &status.unwrap_or_default(),
        );
        self.frame.redraw(format!("{state} {}", self.version.get()), &|| self.draw_body(busy.is_some()));
    }

    fn button(
        self: &Rc<Self>,
        action: &str,
        label: &str,
        main: bool,
        act: impl Fn(&Rc<Moves>) + 'static,
    ) -> Build {
        let here = self.clone();
        self.frame.button(action, &text(label), main, Box::new(move || act(&here)) as Box<dyn Fn()>)
    }

    fn draw_body(self: &Rc<Self>, busy: bool) {
        let store = self.store.borrow().clone();
        let mut rows = Vec::new();
        for (at, it) in store.moves().enumerate() {
            rows.push(self.row(at, it, store.current.as_ref() == Some(it), busy));
        }
        if !rows.is_empty() {
            self.frame.put(&make("ul").class("moves").children(rows));
        }
        match &*self.asking.borrow() {
            Some(Asking::Forget(it, lost)) if !busy => self.draw_forget(it, lost),
            Some(Asking::Keep(arriving, both)) if !busy => self.draw_keep(arriving, both),
            _ => {}
        }
        if !busy {
            self.draw_open();
        }
    }

    fn row(self: &Rc<Self>, at: usize, it: &Move, current: bool, busy: bool) -> Build {
        let pair = say("moves_pair").with(it.old.name().as_str()).with(it.new.name().as_str());
        let title = make("h3").text(&speak(&pair));
        let row = make("li")
            .attr("data-move", &at.to_string())
            .attr("data-current", if current { "true" } else { "false" })
            .child(title)
            .child(make("p").class("then").text(&how_far(it)));
        if busy {
            return row;
        }
        let named = |button: Build, label: &str| {
            button
                .attr("data-row", &at.to_string())
                .attr("aria-label", &format!("{} – {}", text(label), speak(&pair)))
        };
        let actions = make("div").class("actions");
        let own = it.clone();
        let actions = if current {
            let away = self.button("put-away", "action_put_away", false, |here| here.put_away());
            actions.child(named(away, "action_put_away"))
        } else {
            let up = self.button("take-up", "action_take_up", true, move |here| here.take_up(own.clone()));
            actions.child(named(up, "action_take_up"))
        };
        let own = it.clone();
        let export =
            self.button("export-move", "action_export_move", false, move |here| here.export(own.clone()));
        let own = it.clone();
        let forget = self.button("forget", "action_forget", false, move |here| here.consider(own.clone()));
        row.child(actions.child(named(export, "action_export_move")).child(named(forget, "action_forget")))
    }

    fn draw_forget(self: &Rc<Self>, it: &Move, lost: &[Say]) {
        let pair = say("moves_forget_title").with(it.old.name().as_str()).with(it.new.name().as_str());
        let lines: Vec<Build> = lost.iter().map(|lost| make("li").text(&speak(lost))).collect();
        let what = if lines.is_empty() { "moves_lost_nothing" } else { "moves_lost" };
        let own = it.clone();
        let yes = self
            .button("forget-confirm", "action_forget_confirm", false, move |here| here.forget(own.clone()));
        let no = self.button("forget-cancel", "action_keep", true, |here| {
            here.ask(None);
            here.draw();
        });
        let ask = make("div")
            .class("ask")
            .attr("role", "group")
            .attr("aria-labelledby", "forget-title")
            .child(make("h3").attr("id", "forget-title").text(&speak(&pair)))
            .child(then(&text(what)));
        let ask = if lines.is_empty() { ask } else { ask.child(make("ul").class("gaps").children(lines)) };
        self.frame.put(&ask.child(make("div").class("actions").child(no).child(yes)));
    }

    fn draw_keep(self: &Rc<Self>, arriving: &Arriving, both: &[(Held, Held)]) {
        let it = &arriving.contents.it;
        let pair = say("moves_keep_title").with(it.old.name().as_str()).with(it.new.name().as_str());
        let cell = |held: &Held| {
            let count = match held.drawer {
                _ if held.records == 0 => return text("moves_held_nothing"),
                Drawer::Messages => say("moves_held_messages").with(held.messages),
                _ => say("moves_held").with(held.records),
            };
            match held.at {
                Some(at) => speak(
                    &say("moves_held_at")
                        .with(Part::Say(Box::new(count)))
                        .with(Part::Day(at))
                        .with(Part::Clock(at)),
                ),
                None => speak(&count),
            }
        };
        let rows: Vec<(String, Vec<String>)> = both
            .iter()
            .map(|(there, own)| {
                (own.drawer.id().to_owned(), vec![text(drawer_name(own.drawer)), cell(there), cell(own)])
            })
            .collect();
        let heads = ["moves_head_what", "moves_head_here", "moves_head_file"];
        let here_stays = self.button("keep-here", "action_keep_here", true, |here| here.keep(true));
        let file = self.button("keep-file", "action_keep_file", false, |here| here.keep(false));
        let no = self.button("open-cancel", "action_not_now", false, |here| {
            here.ask(None);
            here.draw();
        });
        let ask = make("div")
            .class("ask")
            .attr("role", "group")
            .attr("aria-labelledby", "keep-title")
            .child(make("h3").attr("id", "keep-title").text(&speak(&pair)))
            .child(then(&text("moves_keep_then")))
            .child(table(&text("moves_keep_caption"), &heads, "data-drawer", &rows));
        self.frame.put(&ask.child(make("div").class("actions").child(here_stays).child(file).child(no)));
    }

    fn draw_open(self: &Rc<Self>) {
        let field = make("input")
            .attr("type", "file")
            .attr("accept", ".zip")
            .attr("id", "open-move")
            .attr("data-action", "open-move");
        let (here, input) = (self.clone(), field.0.clone());
        self.frame.listen(EventListener::new(&field.0, "change", move |_| {
            let files = input.dyn_ref::<web_sys::HtmlInputElement>().and_then(|input| input.files());
            if let Some(file) = files.and_then(|files| files.get(0)) {
                here.open(file.unchecked_into());
            }
        }));
        let details = fold("open-move", &text("moves_open_title"))
            .child(make("label").attr("for", "open-move").text(&text("moves_open_label")))
            .child(field);
        self.frame.put(&details);
    }
}

async fn alone() -> Result<Alone, Say> {
    let mut locks = Vec::new();
    for name in JOBS {
        locks.push(Lock::take(name).await.ok_or_else(|| say("moves_at_work"))?);
    }
    Ok(Alone(locks))
}

fn trouble(trouble: db::Trouble) -> Say {
    say(match trouble {
        db::Trouble::Full => "messages_full",
        db::Trouble::Broken => "messages_store_broken",
    })
}

/// What a drawer of the database has.
async fn held(db: &Db, name: &str, drawer: Drawer) -> Result<Held, Say> {
    let mut held = Held::new(drawer);
    records(db, name, &mut |key, text| held.add(key, text)).await.map_err(trouble)?;
    Ok(held)
}

fn drawer_name(drawer: Drawer) -> &'static str {
    match drawer {
        Drawer::Messages => "moves_drawer_messages",
        Drawer::Lists => "moves_drawer_lists",
        Drawer::New => "moves_drawer_new",
        Drawer::Unpack => "moves_drawer_unpack",
        Drawer::Verify => "moves_drawer_verify",
    }
}

/// When it was begun and put away, and what is done of it.
fn how_far(it: &Move) -> String {
    let mut lines = Vec::new();
    // Of one that an older version stored it is not known.
    if it.begun.0 > 0 {
        lines.push(say("moves_begun").with(Part::Day(it.begun)));
    }
    if let Some(away) = it.away {
        lines.push(say("moves_away").with(Part::Day(away)));
    }
    match &it.saved.messages {
        Some(messages) => lines.push(say("moves_messages").with(messages.count).with(Part::Day(messages.at))),
        None => lines.push(say("moves_no_messages")),
    }
    match &it.saved.lists {
        Some(lists) => lines.push(say("moves_lists").with(Part::Day(lists.at))),
        None => lines.push(say("moves_no_lists")),
    }
    if let Some(arrived) = &it.saved.arrived {
        lines.push(say("moves_arrived").with(arrived.arrived).with(Part::from(arrived.follows)));
    }
    lines.iter().map(speak).collect::<Vec<_>>().join(" ")
}
