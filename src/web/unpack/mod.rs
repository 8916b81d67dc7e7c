//! The desk's part for unpacking: looks at the new account, shows what is to be done, does it, and accounts for every row.

mod account;
mod choice;
mod plan;
mod rows;
mod stand;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::HtmlElement;

use super::db::{self, Db};
use super::dom::{Build, make};
use super::frame::{Frame, then};
use super::lists::{Lists, finish, load_pack, prepare};
use super::run::{Drive, Going, Halt, Runner, key_of, records};
use super::words::{number, speak, text};
use super::{chrome, go, now};
use crate::account::Handle;
use crate::job::collect::Owner;
use crate::job::pack::{Pack, Scope};
use crate::job::save::Why;
use crate::job::unpack::act::Stand;
use crate::job::unpack::piece::{Piece, Stage};
use crate::job::unpack::{Choice, Unpack};
use crate::job::verify::{Ran, Rows, Verify};
use crate::job::{Left, Work as _};
use crate::list::Kind;
use crate::message::record::{ABOUT, Record};
use crate::say::{Part, Say, say};
use crate::small::Names;
use crate::trunk::dossier::{Arrived, BlockedPeople};
use crate::trunk::drawer::Drawer;
use crate::trunk::packed::{Packed, blocked_by};
use crate::trunk::plan::{Unpacking, lay_out, pieces, wanted};
use crate::trunk::steps::Busy;
use crate::trunk::store::Party;
use crate::when::MINUTE;
use choice::Wishes;
use stand::ACTS;

/// What is known of the new account is looked at anew before anything is sent, when it is older than this.
const FRESH: i64 = 5 * MINUTE;

/// What is told to the rest of the desk.
pub(super) enum Tell {
    /// On this account, for the move whose turn this is.
    Arrived(Handle, u64, Arrived),
    /// A page of the new server is needed.
    OpenServer,
    /// It begins, or has ended, or another plan is laid out.
    Running,
}

/// What it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Look,
    Unpack,
    Verify,
}

pub(super) struct Unpacker {
    frame: Frame,
    run: Runner,
    tell: Box<dyn Fn(Tell)>,
    lists: Rc<Lists>,
    /// Whose account is unpacked onto, as it is kept.
    handle: RefCell<String>,
    /// Which of the moves onto it.
    turn: Cell<u64>,
    loaded: Cell<bool>,
    new: RefCell<Option<Going<Pack>>>,
    /// What the new account had when it was last looked at.
    before: RefCell<Option<Rc<Packed>>>,
    work: RefCell<Option<Going<Unpack>>>,
    verify: RefCell<Option<Going<Verify>>>,
    wishes: RefCell<Wishes>,
    plan: RefCell<Option<Rc<Unpacking>>>,
    doing: Cell<Doing>,
    /// The account of every row is wanted in the middle of the work.
    verify_now: Cell<bool>,
    /// The plan is shown although something was unpacked already.
    planning: Cell<bool>,
    /// Counts what makes another plan.
    version: Cell<u32>,
    /// What to tell once it stands still.
    told: RefCell<Option<Say>>,
    /// How each file and each thing for the API stands; drawn apart, because it changes all the time.
    live: HtmlElement,
    lived: RefCell<String>,
}

impl Unpacker {
    pub(super) fn new(lists: Rc<Lists>, tell: impl Fn(Tell) + 'static) -> Rc<Unpacker> {
        Rc::new(Unpacker {
            frame: Frame::new("unpack", "unpack_title"),
            run: Runner::new("unpack", "unpack_refused"),
            tell: Box::new(tell),
            lists,
            handle: RefCell::default(),
            turn: Cell::new(0),
            loaded: Cell::new(false),
            new: RefCell::default(),
            before: RefCell::default(),
            work: RefCell::default(),
            verify: RefCell::default(),
            wishes: RefCell::default(),
            plan: RefCell::default(),
            doing: Cell::new(Doing::Look),
            verify_now: Cell::new(false),
            planning: Cell::new(false),
            version: Cell::new(0),
            told: RefCell::default(),
            live: make("ul").class("pieces").0,
            lived: RefCell::default(),
        })
    }

    pub(super) fn root(&self) -> &HtmlElement {
        &self.frame.root
    }

    /// Onto which account: the new one of the linked move. Shown once something is packed.
    pub(super) fn show(self: &Rc<Self>, party: Option<&Party>, turn: u64) {
        let packed = self.lists.packed().is_some();
        self.frame.root.set_hidden(party.is_none() || !packed);
        // What runs runs to its end; then there is another look at whose it is.
        if self.run.running.get() {
            return;
        }
        let same = self.turn.replace(turn) == turn && self.run.party.borrow().as_ref() == party;
        if !same {
            self.run.party.replace(party.cloned());
        }
        if !packed || (same && self.loaded.get()) {
            return;
        }
        let handle = party.and_then(|party| party.handle.as_ref()).map(key_of).unwrap_or_default();
        self.loaded.set(true);
        self.take(handle);
        let here = self.clone();
        go(async move {
            if here.load().await.is_ok() {
                let at = here.verify.borrow().as_ref().and_then(|verify| verify.work.finished());
                if let Some(at) = at.filter(|_| !here.run.running.get()) {
                    here.tell_arrived(at);
                }
            }
            here.draw();
        });
    }

    /// Something else is packed than before: another plan.
    pub(super) fn packed_anew(self: &Rc<Self>) {
        if self.lists.packed().is_none() {
            self.loaded.set(false);
            self.plan.replace(None);
        } else if self.before.borrow().is_some() {
            self.lay();
        }
        self.frame.stale();
        self.draw();
    }

    /// This account from now on.
    fn take(&self, handle: String) {
        self.handle.replace(handle);
        self.new.replace(None);
        self.before.replace(None);
        self.work.replace(None);
        self.verify.replace(None);
        self.plan.replace(None);
        self.planning.set(false);
        self.wishes.replace(Wishes::default());
        self.bump();
    }

    fn bump(&self) {
        self.version.set(self.version.get() + 1);
    }

    /// The name of a drawer of this account.
    fn account(&self, drawer: Drawer) -> String {
        let handle = self.handle.borrow().parse::<Handle>();
        handle.map(|handle| drawer.of(&handle, self.turn.get())).unwrap_or_default()
    }

    /// All three jobs as they were left.
    async fn load(&self) -> Result<(), db::Trouble> {
        if self.handle.borrow().is_empty() {
            return Ok(());
        }
        let db = self.run.db().await?;
        let account = self.account(Drawer::New);
        self.new.replace(load_pack(&db, &account).await?.map(Going::new));
        self.wishes.replace(Wishes::load(&db, &account).await?);
        self.gather(&db).await?;
        let account = self.account(Drawer::Unpack);
        if let Some(mut work) = about(&db, &account).await?.as_deref().and_then(Unpack::from_about) {
            records(&db, &account, &mut |key, text| work.restore(key, text)).await?;
            self.work.replace(Some(Going::new(work)));
        }
        let account = self.account(Drawer::Verify);
        if let Some(mut verify) = about(&db, &account).await?.as_deref().and_then(Verify::from_about) {
            records(&db, &account, &mut |key, text| verify.restore(key, text)).await?;
            verify.ready();
            self.verify.replace(Some(Going::new(verify)));
        }
        self.lay();
        Ok(())
    }

    async fn gather(&self, db: &Db) -> Result<(), db::Trouble> {
        let new =
            self.new.borrow().as_ref().filter(|new| new.work.is_done()).map(|new| Packed::new(&new.work));
        let Some(mut packed) = new else { return Ok(()) };
        records(db, &self.account(Drawer::New), &mut |key, text| packed.add(key, text)).await?;
        self.before.replace(Some(Rc::new(packed)));
        Ok(())
    }

    /// What is packed, with what the person has put in its place.
    fn packed(&self) -> Option<Packed> {
        let mut packed = (*self.lists.packed()?).clone();
        self.wishes.borrow().put_into(&mut packed);
        Some(packed)
    }

    /// Lays out what is to be done.
    fn lay(&self) {
        let plan = self.laid(&self.wishes.borrow());
        self.plan.replace(plan.map(Rc::new));
        self.bump();
        (self.tell)(Tell::Running);
    }

    fn laid(&self, wishes: &Wishes) -> Option<Unpacking> {
        let (packed, before, owner) = (self.packed()?, self.before.borrow().clone()?, self.to()?);
        Some(lay_out(&packed, &before, &owner, &wishes.chosen, now()))
    }

    /// The new account, as it was when it was last looked at.
    fn to(&self) -> Option<Owner> {
        self.new.borrow().as_ref().map(|new| new.work.owner().clone())
    }

    // --- doing ---

    /// A page of a server was opened: perhaps the one that was waited for.
    pub(super) fn tab_seen(self: &Rc<Self>) {
        let here = self.clone();
        go(async move {
            if here.run.may_go_on().await {
                here.go_on();
            }
        });
    }

    pub(super) fn busy(&self) -> Option<Busy> {
        self.run
            .running
            .get()
            .then(|| if self.doing.get() == Doing::Unpack { Busy::Unpacks } else { Busy::Looks })
    }

    /// Looks at the new account, where nobody has yet: it only reads.
    pub(super) fn look_ahead(self: &Rc<Self>) {
        if self.before.borrow().is_none()
            && self.work.borrow().is_none()
            && *self.run.halt.borrow() == Halt::No
        {
            self.begin(Doing::Look);
        }
    }

    /// The plan that is laid out and not begun: so many rows, and so many people who will be followed.
    pub(super) fn offer(&self) -> Option<(u64, u64)> {
        let plan = self.plan.borrow().clone().filter(|_| !self.run.running.get() && self.shows_plan())?;
        let wishes = self.wishes.borrow();
        let wanted = plan.parts.iter().filter(|part| !wishes.chosen.without.contains(&part.plan.kind));
        let (mut rows, mut people) = (0, 0);
        for part in wanted {
            rows += part.plan.upload.len() as u64;
            if part.plan.kind == Kind::Follows {
                people += part.plan.upload.len() as u64;
            }
        }
        Some((rows, people))
    }

    /// As the plan says.
    pub(super) fn unpack_planned(self: &Rc<Self>) {
        if self.offer().is_some() {
            self.begin_with(Doing::Unpack, Some(More::Plan));
        }
    }

    /// The guard or a check sends somebody here.
    pub(super) fn start(self: &Rc<Self>) {
        if self.before.borrow().is_none() && self.work.borrow().is_none() {
            self.begin(Doing::Look);
        } else if self.done() == Some(false) {
            self.go_on();
        }
    }

    /// Whether what was begun is done; `None` where nothing is.
    fn done(&self) -> Option<bool> {
        let new = self.new.borrow().as_ref().map(|new| new.work.is_done());
        let work = self.work.borrow().as_ref().map(|work| work.work.is_done());
        let verify = self.verify.borrow().as_ref().map(|verify| verify.work.is_done());
        match (new, work, verify) {
            (None, None, _) => None,
            (Some(false), ..) | (_, Some(false), _) | (_, Some(true), Some(false)) => Some(false),
            _ => Some(true),
        }
    }

    /// With whatever was left.
    fn go_on(self: &Rc<Self>) {
        let open = |is: Option<bool>| is == Some(false);
        let doing = match () {
            () if open(self.new.borrow().as_ref().map(|new| new.work.is_done())) => Doing::Look,
            () if open(self.verify.borrow().as_ref().map(|verify| verify.work.is_done()))
                && !open(self.work.borrow().as_ref().map(|work| work.work.is_done())) =>
            {
                Doing::Verify
            }
            () if self.work.borrow().is_some() => Doing::Unpack,
            () => Doing::Look,
        };
        self.begin(doing);
    }

    fn begin(self: &Rc<Self>, doing: Doing) {
        self.begin_with(doing, None);
    }

    fn begin_with(self: &Rc<Self>, doing: Doing, more: Option<More>) {
        if !self.run.begin() {
            // In the middle of the work: it makes way for a look at what has arrived, and goes on.
            if doing == Doing::Verify && self.doing.get() == Doing::Unpack {
                self.verify_now.set(true);
                self.run.pause.set(true);
            }
            return;
        }
        self.doing.set(doing);
        self.told.replace(None);
        self.draw();
        (self.tell)(Tell::Running);
        let here = self.clone();
        go(async move {
            let halt = match here.run.alone().await {
                None => Halt::Elsewhere,
                Some(_lock) => match here.go_through(doing, more).await {
                    Ok(halt) => halt,
                    Err(trouble) => {
                        // What is in memory is ahead of what is stored.
                        let _ = here.load().await;
                        trouble.into()
                    }
                },
            };
            here.run.end(halt);
            here.bump();
            here.draw();
            (here.tell)(Tell::Running);
        });
    }

    async fn go_through(self: &Rc<Self>, doing: Doing, more: Option<More>) -> Result<Halt, db::Trouble> {
        let Some(party) = self.run.party.borrow().clone() else { return Ok(Halt::No) };
        let owner = match self.run.owner(&party, &|| (self.tell)(Tell::OpenServer)).await {
            Ok(owner) => owner,
            Err(halt) => return Ok(halt),
        };
        let handle = owner.handle.to_lowercase();
        if *self.handle.borrow() != handle {
            self.take(handle);
            self.load().await?;
        }
        let mut run = Stretch { db: self.run.db().await?, owner, party };
        match doing {
            Doing::Look => self.look(&run).await,
            Doing::Verify => self.account_for(&run).await,
            Doing::Unpack => {
                if let Some(more) = more
                    && let Some(halt) = self.set_out(&run, more).await?
                {
                    return Ok(halt);
                }
                self.unpack(&mut run).await
            }
        }
    }

    /// What the new account has already.
    async fn look(self: &Rc<Self>, run: &Stretch) -> Result<Halt, db::Trouble> {
        self.doing.set(Doing::Look);
        let account = self.account(Drawer::New);
        run.db.put(&account, &prepare(&self.new, run.owner.clone(), Scope::Arrived)).await?;
        let halt = self.drive(run, &account, &self.new).await?;
        if halt == Halt::No {
            finish(&self.new, &run.db, &account).await?;
            self.gather(&run.db).await?;
            self.planning.set(true);
            self.lay();
            self.tell_blocked();
        }
        Ok(halt)
    }

    async fn drive(
        self: &Rc<Self>,
        run: &Stretch,
        account: &str,
        job: &dyn Drive,
    ) -> Result<Halt, db::Trouble> {
        self.run.go_through(&run.db, account, (&run.party, &run.owner), job, &|| self.draw()).await
    }

    /// Whom the move would lose, because the new server blocks theirs.
    fn tell_blocked(&self) {
        let (Some(packed), Some(new)) = (self.lists.packed(), self.before.borrow().clone()) else { return };
        if let Some(blocked) = blocked_by(&packed, &new) {
            self.lists.lose(BlockedPeople {
                at: now(),
                by: Some(new.domain.clone()),
                follows: blocked.follows,
                followers: blocked.followers,
                servers: blocked.servers,
            });
        }
    }

    /// Writes down what is to be done, before anything is sent. `Some`: nothing is sent, and why is told.
    async fn set_out(self: &Rc<Self>, run: &Stretch, more: More) -> Result<Option<Halt>, db::Trouble> {
        let (files, acts, rows) = match more {
            More::Plan => {
                let seen = self.new.borrow().as_ref().and_then(|new| new.work.finished());
                let replaces = !self.wishes.borrow().chosen.overwrite.is_empty();
                if replaces || seen.is_none_or(|seen| now().since(seen) > FRESH) {
                    let halt = self.look(run).await?;
                    if halt != Halt::No {
                        return Ok(Some(halt));
                    }
                    if !self.still_agreed() {
                        self.told.replace(Some(say("unpack_replace_changed")));
                        return Ok(Some(Halt::No));
                    }
                }
                self.doing.set(Doing::Unpack);
                let (Some(plan), Some(before)) = (self.plan.borrow().clone(), self.before.borrow().clone())
                else {
                    return Ok(Some(Halt::No));
                };
                let chosen = &self.wishes.borrow().chosen;
                (pieces(&plan, &run.owner, chosen), plan.acts.clone(), Some(wanted(&plan, &before, chosen)))
            }
            More::These(files, rows) => (files, Vec::new(), rows),
        };
        if let Some(rows) = rows {
            self.set_rows(run, rows).await?;
        }
        let choice = Choice { domains_first: self.wishes.borrow().domains_first };
        let account = self.account(Drawer::Unpack);
        let records = {
            let mut work = self.work.borrow_mut();
            match work.as_mut() {
                Some(going) => {
                    going.go_on();
                    // What was done once is not done again.
                    let mut known = Names::default();
                    for (act, stand) in going.work.acts() {
                        if matches!(stand, Stand::Done | Stand::There | Stand::Open) {
                            known.add(&format!("{act:?}"));
                        }
                    }
                    let acts = acts.into_iter().filter(|act| !known.has(&format!("{act:?}"))).collect();
                    going.work.choose(choice);
                    let records = going.work.add(files, acts, now());
                    going.settle();
                    records
                }
                None => {
                    let (begun, records) = Unpack::begin(run.owner.clone(), files, acts, choice, now());
                    *work = Some(Going::new(begun));
                    records
                }
            }
        };
        run.db.put(&account, &records).await?;
        self.planning.set(false);
        // What replaces was agreed to once, for this time.
        self.wishes.borrow_mut().chosen.overwrite.clear();
        self.lay();
        Ok(None)
    }

    async fn unpack(self: &Rc<Self>, run: &mut Stretch) -> Result<Halt, db::Trouble> {
        let account = self.account(Drawer::Unpack);
        loop {
            self.doing.set(Doing::Unpack);
            self.planning.set(false);
            let records = match self.work.borrow_mut().as_mut() {
                Some(going) => {
                    going.go_on();
                    let mut records = going.work.owned_by(run.owner.clone(), now());
                    // What stood still is looked after once more.
                    if going.work.is_done() {
                        records.extend(going.work.look_again(now()));
                    }
                    going.settle();
                    records
                }
                None => return Ok(Halt::No),
            };
            run.db.put(&account, &records).await?;
            let halt = self.drive(run, &account, &self.work).await?;
            match halt {
                // Its page is not there any more: has the server become another version meanwhile?
                Halt::Job(Why::Refused) => match self.run.owner(&run.party, &|| ()).await {
                    Ok(owner) if owner.version != run.owner.version => run.owner = owner,
                    _ => return Ok(halt),
                },
                Halt::Paused if self.verify_now.take() => {
                    self.run.pause.set(false);
                    let halt = self.account_for(run).await?;
                    if halt != Halt::No {
                        return Ok(halt);
                    }
                }
                Halt::No => {
                    let records = match self.work.borrow_mut().as_mut() {
                        Some(going) => going.work.finish(now()),
                        None => Vec::new(),
                    };
                    run.db.put(&account, &records).await?;
                    return self.account_for(run).await;
                }
                halt => return Ok(halt),
            }
        }
    }

    /// Which rows are wanted, in place of those of before: in one go, so that there always are some.
    async fn set_rows(&self, run: &Stretch, rows: Vec<Rows>) -> Result<(), db::Trouble> {
        let account = self.account(Drawer::Verify);
        let (verify, new) = Verify::begin(run.owner.clone(), rows, now());
        let mut all: Vec<Record> = Vec::new();
        records(&run.db, &account, &mut |key, _| all.push(Record { key: key.to_owned(), text: None }))
            .await?;
        all.retain(|old| new.iter().all(|new| new.key != old.key));
        all.extend(new);
        run.db.put(&account, &all).await?;
        self.verify.replace(Some(Going::new(verify)));
        Ok(())
    }

    /// Accounts for every row.
    async fn account_for(self: &Rc<Self>, run: &Stretch) -> Result<Halt, db::Trouble> {
        self.doing.set(Doing::Verify);
        let begun = self.verify.borrow().as_ref().is_some_and(|verify| {
            !verify.work.is_done() && verify.work.asked() > 0 && self.same_runs(&verify.work)
        });
        if begun {
            if let Some(verify) = self.verify.borrow_mut().as_mut() {
                verify.go_on();
            }
        } else {
            let rows = match self.verify.borrow().as_ref() {
                Some(verify) => verify
                    .work
                    .kinds()
                    .map(|rows| Rows { ran: self.ran(rows.kind), ..rows.clone() })
                    .collect(),
                None => return Ok(Halt::No),
            };
            self.set_rows(run, rows).await?;
        }
        let account = self.account(Drawer::Verify);
        let halt = self.drive(run, &account, &self.verify).await?;
        if halt == Halt::No {
            let records = match self.verify.borrow_mut().as_mut() {
                Some(verify) => verify.work.finish(now()),
                None => Vec::new(),
            };
            run.db.put(&account, &records).await?;
            self.tell_arrived(now());
            self.bump();
        }
        Ok(halt)
    }

    fn same_runs(&self, verify: &Verify) -> bool {
        verify.kinds().all(|rows| rows.ran == self.ran(rows.kind))
    }

    /// How the import of a kind has ended.
    fn ran(&self, kind: Kind) -> Ran {
        let work = self.work.borrow();
        let Some(work) = work.as_ref() else { return Ran::Finished };
        let mut ran = Ran::Finished;
        for (piece, stage) in work.work.pieces().filter(|(piece, _)| piece.kind == kind) {
            ran = match stage {
                Stage::Running(run) if run.is_stuck(now()) => Ran::Stuck,
                Stage::Refused(_) if piece.rows > 0 => Ran::Refused,
                Stage::Finished { .. } | Stage::Refused(_) => Ran::Finished,
                Stage::Ready { .. } | Stage::Uploaded { .. } | Stage::Running(_) => return Ran::Running,
            };
        }
        ran
    }

    fn pause(self: &Rc<Self>) {
        self.run.pause.set(true);
        self.draw();
    }

    // --- showing ---

    fn state(&self) -> &'static str {
        let busy = match self.doing.get() {
            Doing::Look => "looking",
            Doing::Unpack => "unpacking",
            Doing::Verify => "verifying",
        };
        match self.run.state(busy, self.done()) {
            "done" if self.shows_plan() => "planned",
            state => state,
        }
    }

    fn shows_plan(&self) -> bool {
        self.plan.borrow().is_some() && (self.planning.get() || self.work.borrow().is_none())
    }

    fn draw(self: &Rc<Self>) {
        let state = self.state();
        let hidden = self.run.party.borrow().is_none() || self.lists.packed().is_none();
        self.frame.root.set_hidden(hidden);
        let (line, status) = self.words(state);
        self.frame.stand(state, &line, &status);
        let (asked, left) = match self.job() {
            Some(job) => {
                let (asked, left, _) = job.pace();
                (asked, left)
            }
            None => (0, Left::default()),
        };
        let shown = matches!(state, "looking" | "unpacking" | "verifying" | "waiting" | "paused");
        let (done, left) = match self.doing.get() {
            Doing::Unpack => self.rows_done(),
            _ => (asked, left.calls),
        };
        self.frame.bar(shown, done, left);
        self.draw_live();
        let look = format!("{state} {} {:?}", self.version.get(), self.run.halt.borrow());
        self.frame.redraw(look, &|| self.draw_body(state));
    }

    fn job(&self) -> Option<&dyn Drive> {
        Some(match self.doing.get() {
            Doing::Look => &self.new,
            Doing::Unpack => &self.work,
            Doing::Verify => &self.verify,
        })
    }

    /// `@petra@new.example`
    fn name(&self) -> String {
        let handle = self.to().map(|to| to.handle);
        let party = self.run.party.borrow();
        let named = || {
            party.as_ref().map(|party| match &party.handle {
                Some(handle) => handle.acct(),
                None => party.host.to_string(),
            })
        };
        format!("@{}", handle.or_else(named).unwrap_or_default())
    }

    fn words(&self, state: &str) -> (String, String) {
        let name = self.name();
        let line = match state {
            "none" => say("unpack_none").with(name.as_str()),
            "planned" => say("unpack_planned").with(name.as_str()),
            "looking" => say("unpack_looking").with(name.as_str()),
            "verifying" => say("unpack_verifying").with(name.as_str()),
            "done" => match self.verify.borrow().as_ref().and_then(|verify| verify.work.finished()) {
                Some(at) => say("unpack_done").with(name.as_str()).with(Part::Day(at)).with(Part::Clock(at)),
                None => say("unpack_through").with(name.as_str()),
            },
            _ => say("unpack_under_way").with(name.as_str()),
        };
        let told = self.told.borrow().as_ref().map(speak);
        let status = match state {
            "looking" | "verifying" => self.job().map(|job| self.run.far(job)),
            "waiting" => Some(self.run.waits()),
            "unpacking" => {
                let (done, left) = self.rows_done();
                Some(speak(&say("unpack_far").with(done).with(number(done + left).as_str())))
            }
            "paused" | "stopped" => Some(self.run.halted(true)),
            _ => told,
        };
        (speak(&line), status.unwrap_or_default())
    }

    fn button(
        self: &Rc<Self>,
        action: &str,
        label: &str,
        main: bool,
        act: impl Fn(&Rc<Unpacker>) + 'static,
    ) -> Build {
        let here = self.clone();
        self.frame.button(action, label, main, Box::new(move || act(&here)) as Box<dyn Fn()>)
    }

    fn draw_body(self: &Rc<Self>, state: &str) {
        let actions = make("div").class("actions");
        let resume = || self.button("resume", &text("action_resume"), true, |here| here.go_on());
        let look =
            |main: bool, key: &str| self.button("look-new", &text(key), main, |here| here.begin(Doing::Look));
        let busy = matches!(state, "looking" | "unpacking" | "verifying" | "waiting");
        let actions = match state {
            "none" => actions.child(look(true, "unpack_look")),
            _ if busy => {
                let actions =
                    actions.child(self.button("pause", &text("action_pause"), false, |here| here.pause()));
                if self.doing.get() == Doing::Unpack { actions.child(self.verify_button()) } else { actions }
            }
            "paused" => actions.child(resume()),
            "stopped" => {
                let actions = actions.child(resume());
                match self.run.host().filter(|_| self.run.needs_page()) {
                    Some(host) => {
                        let label = speak(&say("action_open_server").with(&host));
                        let url = format!("{}/settings/export", host.origin());
                        actions.child(self.button("visit", &label, false, move |_| {
                            let url = url.clone();
                            go(async move { chrome::open_tab(&url).await });
                        }))
                    }
                    None => actions,
                }
            }
            "planned" => actions.child(look(false, "unpack_look_again")),
            _ => {
                let actions = actions.child(self.verify_button());
                let stuck = self.is_stuck();
                let actions = if stuck {
                    actions.child(
                        self.button("resume", &text("unpack_watch"), false, |here| here.go_on_watching()),
                    )
                } else {
                    actions
                };
                actions.child(look(false, "unpack_more"))
            }
        };
        self.frame.put(&actions);
        if busy {
            self.frame.put(&then(&text(if self.doing.get() == Doing::Unpack {
                "unpack_safe_to_close"
            } else {
                "messages_safe_to_close"
            })));
        }
        if !busy && self.shows_plan() {
            self.draw_plan();
        }
        if self.work.borrow().is_some() {
            let _ = self.frame.body.append_child(&self.live);
        }
        if !busy && self.work.borrow().is_some() {
            self.draw_acts();
        }
        // Before anything was unpacked there is nothing to account for.
        if self.verify.borrow().as_ref().is_some_and(|verify| verify.work.is_done()) {
            self.draw_account(busy);
        }
    }

    fn verify_button(self: &Rc<Self>) -> Build {
        self.button("verify", &text("unpack_verify"), false, |here| here.begin(Doing::Verify))
    }

    fn go_on_watching(self: &Rc<Self>) {
        self.begin(Doing::Unpack);
    }

    fn is_stuck(&self) -> bool {
        let work = self.work.borrow();
        let stuck =
            |(_, stage): (&Piece, &Stage)| matches!(stage, Stage::Running(run) if run.is_stuck(now()));
        work.as_ref().is_some_and(|work| work.work.pieces().any(stuck))
    }
}

/// What is needed all along one stretch of work.
struct Stretch {
    db: Db,
    owner: Owner,
    party: Party,
}

/// What is to be unpacked.
enum More {
    /// What the plan says.
    Plan,
    /// These files: a retry. And which rows are wanted from now on, where that changes.
    These(Vec<Piece>, Option<Vec<Rows>>),
}

async fn about(db: &Db, account: &str) -> Result<Option<String>, db::Trouble> {
    Ok(db.get(account, &[ABOUT.to_owned()]).await?.pop().flatten())
}
