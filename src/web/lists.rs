//! The desk's part for everything besides messages: packing the old account, and showing what is packed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::{Blob, HtmlElement};

use super::db;
use super::dom::make;
use super::frame::{Frame, fold, table, then};
use super::messages::iso_day;
use super::run::{Going, Halt, Runner, records};
use super::words::{BrowserWords, number, speak, text};
use super::{chrome, go, now, zip};
use crate::account::Handle;
use crate::job::budget::Budget;
use crate::job::collect::Owner;
use crate::job::pack::part::Part;
use crate::job::pack::{Pack, Progress, Scope, State, body_key};
use crate::job::{Left, Work};
use crate::list::Kind;
use crate::message::record::{ABOUT, File};
use crate::say::{Part as Word, Say, Words, say};
use crate::server::page::export::Counts;
use crate::server::version::Version;
use crate::small::Names;
use crate::trunk::bundle::{About, Bundle};
use crate::trunk::dossier::{BlockedPeople, SavedLists};
use crate::trunk::drawer::Drawer;
use crate::trunk::kind_name;
use crate::trunk::packed::Packed;
use crate::trunk::store::Party;
use crate::when::{DAY, MINUTE, Time};

/// What is told to the rest of the desk.
pub(super) enum Tell {
    /// Of this account, this is packed.
    Packed(Handle, Box<(Option<SavedLists>, Option<BlockedPeople>)>),
    /// A page of the old server is needed.
    OpenServer,
    /// A ZIP was written, read back and handed over, under this name.
    Written(String),
    /// Something else is packed than before.
    Changed,
    /// It begins.
    Running,
}

pub(super) struct Lists {
    pub(super) frame: Frame,
    run: Runner,
    tell: Box<dyn Fn(Tell)>,
    account: RefCell<String>,
    pack: RefCell<Option<Going<Pack>>>,
    /// What is packed, once everything is.
    packed: RefCell<Option<Rc<Packed>>>,
    blocked: RefCell<Option<BlockedPeople>>,
    estimate: Cell<Option<u64>>,
    /// A ZIP is written.
    busy: RefCell<Option<Say>>,
    /// What became of it.
    wrote: RefCell<Option<Say>>,
}

impl Lists {
    pub(super) fn new(tell: impl Fn(Tell) + 'static) -> Rc<Lists> {
        Rc::new(Lists {
            frame: Frame::new("lists", "pack_title"),
            run: Runner::new("lists", "pack_refused"),
            tell: Box::new(tell),
            account: RefCell::default(),
            pack: RefCell::default(),
            packed: RefCell::default(),
            blocked: RefCell::default(),
            estimate: Cell::new(None),
            busy: RefCell::default(),
            wrote: RefCell::default(),
        })
    }

    /// Whose lists these are: the old account of the linked move. `people`: followers and follows, as far as known.
    pub(super) fn show(
        self: &Rc<Self>,
        party: Option<&Party>,
        people: Option<u64>,
        blocked: Option<&BlockedPeople>,
    ) {
        let estimate = people.map(requests);
        if self.estimate.replace(estimate) != estimate {
            self.draw();
        }
        self.blocked.replace(blocked.cloned());
        self.frame.root.set_hidden(party.is_none() && self.account.borrow().is_empty());
        // What runs runs to its end; then there is another look at whose it is.
        if self.run.running.get() || self.run.party.borrow().as_ref() == party {
            return;
        }
        self.run.party.replace(party.cloned());
        let account = party.and_then(|party| party.handle.as_ref()).map(account_of).unwrap_or_default();
        if *self.account.borrow() == account {
            return self.draw();
        }
        self.account.replace(account);
        self.pack.replace(None);
        self.packed.replace(None);
        let here = self.clone();
        go(async move {
            if here.load().await.is_ok() && !here.run.running.get() {
                here.told_as_it_is();
            }
            here.draw();
            (here.tell)(Tell::Changed);
        });
    }

    /// What the database has is what is said to be packed, whatever was said before.
    fn told_as_it_is(&self) {
        if self.pack.borrow().is_none() {
            self.tell_packed(None, None);
        } else {
            self.told();
        }
    }

    fn tell_packed(&self, lists: Option<SavedLists>, blocked: Option<BlockedPeople>) {
        let of = self.account.borrow().strip_prefix("lists ").and_then(|handle| handle.parse().ok());
        if let Some(of) = of {
            (self.tell)(Tell::Packed(of, Box::new((lists, blocked))));
        }
    }

    /// What is packed of the old account, once all of it is.
    pub(super) fn packed(&self) -> Option<Rc<Packed>> {
        self.packed.borrow().clone()
    }

    /// Whom the move would lose is known now.
    pub(super) fn lose(&self, blocked: BlockedPeople) {
        self.blocked.replace(Some(blocked));
        self.told();
    }

    /// The job as it was left.
    async fn load(&self) -> Result<(), db::Trouble> {
        let account = self.account.borrow().clone();
        if account.is_empty() || self.pack.borrow().is_some() {
            return Ok(());
        }
        let db = self.run.db().await?;
        let loaded = load_pack(&db, &account).await?;
        if *self.account.borrow() == account {
            self.pack.replace(loaded.map(Going::new));
            self.gather(&db, &account).await?;
        }
        Ok(())
    }

    async fn gather(&self, db: &db::Db, account: &str) -> Result<(), db::Trouble> {
        let packed =
            self.pack.borrow().as_ref().filter(|pack| pack.work.is_done()).map(|p| Packed::new(&p.work));
        let Some(mut packed) = packed else { return Ok(()) };
        records(db, account, &mut |key, text| packed.add(key, text)).await?;
        self.packed.replace(Some(Rc::new(packed)));
        Ok(())
    }

    // --- packing ---

    /// A page of a server was opened: perhaps the one that was waited for.
    pub(super) fn tab_seen(self: &Rc<Self>) {
        let here = self.clone();
        go(async move {
            if here.run.may_go_on().await {
                here.start();
            }
        });
    }

    pub(super) fn is_running(&self) -> bool {
        self.run.running.get()
    }

    /// Begins, goes on, or packs again.
    pub(super) fn start(self: &Rc<Self>) {
        if !self.run.begin() {
            return;
        }
        self.wrote.replace(None);
        self.draw();
        (self.tell)(Tell::Running);
        let here = self.clone();
        go(async move {
            let halt = match here.run.alone().await {
                None => Halt::Elsewhere,
                Some(_lock) => match here.go_through().await {
                    Ok(halt) => halt,
                    Err(trouble) => {
                        // What is in memory is ahead of what is stored.
                        here.pack.replace(None);
                        let _ = here.load().await;
                        trouble.into()
                    }
                },
            };
            here.run.end(halt);
            here.draw();
            (here.tell)(Tell::Changed);
        });
    }

    async fn go_through(self: &Rc<Self>) -> Result<Halt, db::Trouble> {
        let Some(party) = self.run.party.borrow().clone() else { return Ok(Halt::No) };
        let owner = match self.run.owner(&party, &|| (self.tell)(Tell::OpenServer)).await {
            Ok(owner) => owner,
            Err(halt) => return Ok(halt),
        };
        let account = format!("lists {}", owner.handle.to_lowercase());
        if *self.account.borrow() != account {
            self.account.replace(account.clone());
            self.pack.replace(None);
            self.packed.replace(None);
        }
        let db = self.run.db().await?;
        self.load().await?;
        let records = prepare(&self.pack, owner.clone(), Scope::Everything);
        db.put(&account, &records).await?;
        let halt = self.run.go_through(&db, &account, (&party, &owner), &self.pack, &|| self.draw()).await?;
        if halt == Halt::No {
            finish(&self.pack, &db, &account).await?;
            self.gather(&db, &account).await?;
            self.told();
        }
        Ok(halt)
    }

    /// The checks are told what is packed.
    fn told(&self) {
        let saved = self.pack.borrow().as_ref().filter(|pack| pack.work.is_done()).map(|pack| SavedLists {
            at: pack.work.finished().unwrap_or(now()),
            rows: rows_of(&pack.work),
            lacking: pack.work.lacking().len() as u64,
            rescued: pack.work.rescued(),
        });
        if saved.is_some() {
            self.tell_packed(saved, self.blocked.borrow().clone());
        }
    }

    // --- handing over ---

    fn tell_busy(self: &Rc<Self>, what: Option<Say>) {
        self.busy.replace(what);
        self.draw();
    }

    fn download(self: &Rc<Self>) {
        let here = self.clone();
        go(async move {
            let done = match here.write().await {
                Ok((blob, name)) => {
                    zip::hand_over(&blob, &name);
                    let done = say("messages_written").with(name.as_str());
                    (here.tell)(Tell::Written(name));
                    done
                }
                Err(what) => what,
            };
            here.wrote.replace(Some(done));
            here.tell_busy(None);
        });
    }

    /// Writes the ZIP and reads it back against its own manifest.
    async fn write(self: &Rc<Self>) -> Result<(Blob, String), Say> {
        let (mut bundle, at, user) = {
            let pack = self.pack.borrow();
            let pack = pack.as_ref().ok_or_else(|| say("pack_none"))?;
            let at = pack.work.finished().unwrap_or(now());
            let about = About { at, extension: chrome::version() };
            (Bundle::new(about, &pack.work), at, pack.work.owner().handle.clone())
        };
        let told = |percent: u64| self.tell_busy(Some(say("messages_writing").with(percent)));
        told(0);
        let db = self.run.db().await.map_err(|_| say("messages_store_broken"))?;
        let account = self.account.borrow().clone();
        let blob = zip::write(&db, &account, &mut bundle, &told).await?;
        self.tell_busy(Some(say("messages_checking")));
        zip::check_lists(&blob).await.map_err(|_| say("messages_zip_broken"))?;
        let user = user.replace('@', "-at-").replace(':', "-");
        Ok((blob, format!("trunk-{user}-{}.zip", iso_day(at))))
    }

    // --- showing ---

    fn draw(self: &Rc<Self>) {
        let done = self.pack.borrow().as_ref().map(|pack| pack.work.is_done());
        let state = self.run.state("packing", done);
        self.frame.root.set_hidden(self.run.party.borrow().is_none() && self.account.borrow().is_empty());
        let (line, status) = self.words(state);
        self.frame.stand(state, &line, &status);
        let (asked, left) = self
            .pack
            .borrow()
            .as_ref()
            .map_or((0, Left::default()), |pack| (pack.work.asked(), pack.work.left()));
        self.frame.bar(matches!(state, "packing" | "waiting" | "paused"), asked, left.calls);
        let finished = self.pack.borrow().as_ref().and_then(|pack| pack.work.finished());
        let busy = self.busy.borrow().is_some();
        let look = format!("{state} {finished:?} {:?} {busy}", self.run.halt.borrow());
        self.frame.redraw(look, &|| self.draw_body(state));
    }

    fn words(&self, state: &str) -> (String, String) {
        let pack = self.pack.borrow();
        let Some(pack) = pack.as_ref() else {
            let before = self.estimate.get().filter(|_| state == "none").map(|requests| {
                // Some are answered in a tenth of a second, some take longer; beyond the limit it is the limit that counts.
                let time = Budget::new().time_for(requests, requests / 2, now());
                let minutes = (time / MINUTE).unsigned_abs() + requests / 200 + 1;
                [say("messages_before").with(requests), say("messages_long").with(minutes)]
                    .map(|say| speak(&say))
                    .join(" ")
            });
            let line = [text("pack_none"), before.unwrap_or_default()].join(" ");
            return (line.trim().to_owned(), self.run.halted(false));
        };
        let line = match pack.work.finished() {
            Some(at) => {
                let lacking = pack.work.lacking().len();
                let done = say("pack_done").with(Word::Day(at)).with(Word::Clock(at));
                let lacks =
                    if lacking > 0 { speak(&say("pack_lacking").with(lacking)) } else { String::new() };
                format!("{} {lacks}", speak(&done))
            }
            None => {
                let parts = pack.work.parts();
                let done = parts.iter().filter(|part| part.state != State::Open).count();
                speak(&say("pack_so_far").with(done).with(number(parts.len() as u64).as_str()))
            }
        };
        let status = match state {
            "packing" => self.run.far(&self.pack),
            "waiting" => self.run.waits(),
            "paused" | "stopped" => self.run.halted(!pack.work.is_done()),
            _ => {
                let busy = self.busy.borrow();
                busy.as_ref().or(self.wrote.borrow().as_ref()).map(speak).unwrap_or_default()
            }
        };
        (line.trim().to_owned(), status.trim().to_owned())
    }

    fn button(
        self: &Rc<Self>,
        action: &str,
        label: &str,
        main: bool,
        act: fn(&Rc<Lists>),
    ) -> super::dom::Build {
        let here = self.clone();
        self.frame.button(action, &text(label), main, move || act(&here))
    }

    fn draw_body(self: &Rc<Self>, state: &str) {
        let actions = make("div").class("actions");
        let actions = match state {
            "none" => actions.child(self.button("pack", "action_pack", true, Lists::start)),
            "packing" | "waiting" => actions.child(self.button("pause", "action_pause", false, |here| {
                here.run.pause.set(true);
                here.draw();
            })),
            "paused" => actions.child(self.button("resume", "action_resume", true, Lists::start)),
            "stopped" => {
                let actions = actions.child(self.button("resume", "action_resume", true, Lists::start));
                match self.run.host().filter(|_| self.run.needs_page()) {
                    Some(host) => {
                        let url = format!("{}/settings/export", host.origin());
                        let label = speak(&say("action_open_server").with(&host));
                        actions.child(self.frame.button("visit", &label, false, move || {
                            let url = url.clone();
                            go(async move { chrome::open_tab(&url).await });
                        }))
                    }
                    None => actions,
                }
            }
            _ if self.busy.borrow().is_some() => actions,
            _ => actions
                .child(self.button("download-packed", "action_download_messages", true, Lists::download))
                .child(self.button("pack", "pack_again", false, Lists::start)),
        };
        self.frame.put(&actions);
        let busy = matches!(state, "packing" | "waiting");
        if busy {
            self.frame.put(&then(&text("messages_safe_to_close")));
        }
        self.frame.put(&then(&text("pack_archive")));
        if self.packed.borrow().is_some() && !busy {
            self.draw_table();
        }
        if self.pack.borrow().is_some() && !busy {
            self.draw_delete();
        }
    }

    fn draw_table(self: &Rc<Self>) {
        let (pack, packed) = (self.pack.borrow(), self.packed.borrow());
        let (Some(pack), Some(packed)) = (pack.as_ref(), packed.as_ref()) else { return };
        let done = pack.work.finished().unwrap_or(now());
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        for progress in pack.work.parts() {
            let Some(label) = label(progress.part, &pack.work) else { continue };
            let counted = counted(progress.part, pack.work.counts());
            let stands = match progress.state {
                State::Done => match progress.at {
                    Some(at) => when(at, done),
                    None => String::new(),
                },
                State::Absent => text("pack_absent"),
                State::Refused => text("pack_closed"),
                State::Broken => text("pack_broken"),
                State::Open => text("pack_open"),
            };
            let there = progress.state == State::Done;
            let number_of = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), number);
            let cells =
                vec![text(label), number_of(there.then_some(progress.rows)), number_of(counted), stands];
            rows.push((progress.part.id().to_owned(), cells));
        }
        // Somebody may be in several lists.
        let mut noted = Names::default();
        packed.notes.iter().filter(|note| !note.note.is_empty()).for_each(|note| noted.add(&note.acct));
        let pictures =
            pack.work.pictures().filter(|(_, file)| matches!(file, Some(File::Saved { .. }))).count();
        let until = packed.muted_until.len();
        for (id, key, count) in [
            ("notes", "pack_part_notes", noted.len()),
            ("mute-ends", "pack_part_mute_ends", until),
            ("pictures", "pack_part_pictures", pictures),
        ] {
            let cells = vec![text(key), number(count as u64), "–".to_owned(), when(done, done)];
            rows.push((id.to_owned(), cells));
        }
        let heads = ["pack_head_what", "pack_head_packed", "pack_head_counted", "pack_head_when"];
        let fold = fold("packed", &text("pack_table_title")).attr("open", "").child(table(
            &text("pack_table_caption"),
            &heads,
            "data-part",
            &rows,
        ));
        self.frame.put(&fold);
        let mut remarks: Vec<String> = Vec::new();
        for difference in pack.work.differences() {
            let Some(label) = label(difference.part, &pack.work) else { continue };
            // These two are cached counters of the server (facts 5).
            let off = matches!(difference.part, Part::File(Kind::Follows) | Part::Followers);
            let what = say(if off { "pack_differs_counter" } else { "pack_differs" })
                .with(text(label).as_str())
                .with(number(difference.packed).as_str())
                .with(number(difference.counted).as_str());
            remarks.push(speak(&what));
        }
        let missing = pack.work.missing_pictures().len();
        if missing > 0 {
            remarks.push(speak(&say("pack_pictures_missing").with(missing)));
        }
        if pack.work.rescued() {
            remarks.push(text("pack_rescued"));
        }
        if !remarks.is_empty() {
            let list =
                make("ul").class("gaps").children(remarks.iter().map(|remark| make("li").text(remark)));
            self.frame.put(&list);
        }
    }

    /// Takes the packed copy away, after asking once more.
    fn draw_delete(self: &Rc<Self>) {
        let really = self.button("delete-packed", "action_delete_saved", false, |here| {
            let here = here.clone();
            go(async move {
                let account = here.account.borrow().clone();
                let Ok(db) = here.run.db().await else { return };
                if db.forget(&account).await.is_ok() {
                    here.pack.replace(None);
                    here.packed.replace(None);
                    here.run.halt.replace(Halt::No);
                    here.tell_packed(None, None);
                }
                here.draw();
                (here.tell)(Tell::Changed);
            });
        });
        let details = fold("delete", &text("delete_title"))
            .child(then(&text("pack_delete_then")))
            .child(make("div").class("actions").child(really));
        self.frame.put(&details);
    }

    pub(super) fn root(&self) -> &HtmlElement {
        &self.frame.root
    }
}

/// Requests that packing takes with so many followers and follows. Everybody is listed in pages of eighty, and asked for
/// the note on them in pages of forty.
pub(super) fn requests(people: u64) -> u64 {
    26 + people / 80 + people / 40
}

/// Under which name the lists of an account are kept.
fn account_of(handle: &Handle) -> String {
    Drawer::Lists.of(handle, 0)
}

/// A job of packing as it was left.
pub(super) async fn load_pack(db: &db::Db, account: &str) -> Result<Option<Pack>, db::Trouble> {
    let about = db.get(account, &[ABOUT.to_owned()]).await?.pop().flatten();
    let Some(mut pack) = about.as_deref().and_then(Pack::from_about) else { return Ok(None) };
    records(db, account, &mut |key, text| pack.restore(key, text)).await?;
    pack.ready();
    Ok(Some(pack))
}

/// Sets the job up: begins it, lets it go on, or has it read everything anew. What that changes is to be stored.
pub(super) fn prepare(
    job: &RefCell<Option<Going<Pack>>>,
    owner: Owner,
    scope: Scope,
) -> Vec<crate::message::record::Record> {
    let mut job = job.borrow_mut();
    match job.as_mut() {
        Some(going) => {
            going.go_on();
            // A redirect set or cancelled meanwhile changes which lists are open.
            // And so does another version of the server.
            let version = |owner: &Owner| owner.version.as_deref().and_then(Version::parse);
            let since = |owner: &Owner| version(owner).map(|version| (version.major, version.minor));
            let before = going.work.owner();
            let again =
                going.work.is_done() || before.rescue != owner.rescue || since(before) != since(&owner);
            let records = if again { going.work.again(owner, now()) } else { Vec::new() };
            going.settle();
            records
        }
        None => {
            let (pack, records) = Pack::begin(owner, scope, now());
            *job = Some(Going::new(pack));
            records
        }
    }
}

/// Everything was asked for: what is called packed is read back, and then it is finished.
pub(super) async fn finish(
    job: &RefCell<Option<Going<Pack>>>,
    db: &db::Db,
    account: &str,
) -> Result<(), db::Trouble> {
    let mut keys = Vec::new();
    if let Some(going) = job.borrow().as_ref() {
        for progress in going.work.parts().iter().filter(|progress| progress.state == State::Done) {
            if progress.part.is_paged() {
                keys.extend(progress.page_keys());
            } else {
                keys.push(body_key(progress.part));
            }
        }
    }
    for some in keys.chunks(super::run::BATCH as usize) {
        if db.get(account, some).await?.iter().any(Option::is_none) {
            return Err(db::Trouble::Broken);
        }
    }
    let records = job.borrow_mut().as_mut().map(|going| going.work.finish(now())).unwrap_or_default();
    db.put(account, &records).await
}

fn when(at: Time, done: Time) -> String {
    if at.0 / DAY == done.0 / DAY { BrowserWords.clock(at) } else { BrowserWords.day(at) }
}

/// What a part is called; none for those that only help.
fn label(part: Part, pack: &Pack) -> Option<&'static str> {
    let by_file = pack.part(Part::File(Kind::Filters)).is_some_and(|part| part.state == State::Done);
    Some(match part {
        Part::File(kind) => kind_name(kind),
        Part::Followers => "pack_part_followers",
        Part::Lists => "pack_part_list_settings",
        Part::Tags => "pack_part_tags",
        Part::FeaturedTags => "pack_part_featured_tags",
        Part::Endorsed => "pack_part_endorsed",
        Part::Filters | Part::OldFilters if !by_file => "pack_part_filters",
        Part::Profile => "pack_part_profile",
        Part::Preferences => "pack_part_preferences",
        Part::Policy => "pack_part_policy",
        Part::Requests => "pack_part_requests",
        Part::Favourites => "pack_part_favourites",
        _ => return None,
    })
}

fn counted(part: Part, counts: &Counts) -> Option<u64> {
    match part {
        Part::File(Kind::Follows) => counts.follows,
        Part::File(Kind::Mutes) => counts.mutes,
        Part::File(Kind::Blocks) => counts.blocks,
        Part::File(Kind::DomainBlocks) => counts.domain_blocks,
        Part::File(Kind::Bookmarks) => counts.bookmarks,
        Part::File(Kind::Filters) | Part::Filters | Part::OldFilters => counts.filters,
        // The page counts lists, not their members.
        Part::Lists => counts.lists,
        Part::Followers => counts.followers,
        _ => None,
    }
}

/// How much of each is packed, as the export page would count it.
fn rows_of(pack: &Pack) -> Counts {
    let rows = |part| pack.part(part).filter(|own: &&Progress| own.state == State::Done).map(|own| own.rows);
    let of = |kind| rows(Part::File(kind));
    Counts {
        follows: of(Kind::Follows),
        // Without a token the settings are closed, and the file has none of an empty list.
        lists: rows(Part::Lists).or_else(|| of(Kind::Lists).and(pack.counts().lists)),
        mutes: of(Kind::Mutes),
        blocks: of(Kind::Blocks),
        domain_blocks: of(Kind::DomainBlocks),
        bookmarks: of(Kind::Bookmarks),
        filters: of(Kind::Filters),
        followers: rows(Part::Followers),
    }
}
