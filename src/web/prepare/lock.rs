//! Who may follow the new account without being asked, for the time of the move; and its address, as long as it waits to be
//! confirmed.

use std::rc::Rc;

use super::super::db::{self, Db};
use super::super::dom::make;
use super::super::frame::then;
use super::super::run::{Halt, Record};
use super::super::tabs::Voice;
use super::super::words::{speak, text};
use super::super::{chrome, go, now};
use super::{Prepare, Tell};
use crate::say::{Part, say};
use crate::server::profile::Profile;
use crate::server::reply;
use crate::server::request;
use crate::trunk::dossier::{Email, Side};
use crate::when::Time;

/// Since when the account lets everybody in, because the person told us to make it so: the reminder to lock it again.
const UNLOCKED: &str = "unlocked";

fn kept_as(account: &str) -> String {
    format!("lock {account}")
}

pub(super) async fn load(db: &Db, account: &str) -> Result<Option<Time>, db::Trouble> {
    let kept = db.get(&kept_as(account), &[UNLOCKED.to_owned()]).await?.pop().flatten();
    Ok(kept.and_then(|at| at.parse().ok()).map(Time))
}

impl Prepare {
    fn locked(&self) -> Option<bool> {
        // The checks look after every change; what was read for the comparison may be older.
        self.facts.borrow().locked
    }

    pub(super) fn draw_lock(self: &Rc<Self>) {
        let Some(locked) = self.locked() else { return };
        let name = self.name(Side::New);
        let block = make("section").class("aside").attr("data-lock", if locked { "locked" } else { "open" });
        let block = block.child(make("h3").text(&text("lock_title")));
        let block = if locked {
            let waiting = self.looks[Side::New as usize].borrow();
            let waiting = waiting.as_ref().and_then(|look| look.work.profile.as_ref()?.follow_requests);
            // Unlocking lets in all who wait, at once (facts 13.2); the server counts to 40 and no further.
            let all = match waiting {
                Some(0) => None,
                Some(waiting) if waiting < 40 => Some(say("lock_waiting").with(waiting)),
                _ => Some(say("lock_waiting_some")),
            };
            let all = all.map(|all| then(&speak(&all)));
            block.child(then(&speak(&say("lock_locked").with(name.clone())))).children(all).child(
                make("div").class("actions").child(self.button(
                    "unlock",
                    &say("action_unlock").with(name),
                    false,
                    |here| here.set_locked(false),
                )),
            )
        } else {
            let block = block.child(then(&speak(&say("lock_open").with(name.clone()))));
            match self.unlocked.get() {
                Some(at) => block
                    .child(then(&speak(&say("lock_reminder").with(Part::Day(at)).with(Part::Clock(at)))))
                    .child(make("div").class("actions").child(self.button(
                        "lock",
                        &say("action_lock").with(name),
                        false,
                        |here| here.set_locked(true),
                    ))),
                None => block,
            }
        };
        self.frame.put(&block);
    }

    fn set_locked(self: &Rc<Self>, locked: bool) {
        if self.running() || !self.end(Side::New).begin() {
            return;
        }
        self.told.replace(None);
        let here = self.clone();
        go(async move {
            let done = here.set_and_read(locked).await;
            let end = here.end(Side::New);
            // That it did not work is said, and no reason to stop anything else.
            end.end(Halt::No);
            let words = match done {
                Ok(true) if locked => say("lock_locked_again").with(here.name(Side::New)),
                Ok(true) => say("lock_unlocked").with(here.name(Side::New)),
                Ok(false) => say("lock_not_taken").with(here.name(Side::New)),
                Err(halt) => {
                    end.halt.replace(halt);
                    let words = end.halted(false);
                    end.halt.replace(Halt::No);
                    here.told.replace(Some(words));
                    here.version.set(here.version.get() + 1);
                    return here.draw();
                }
            };
            here.told.replace(Some(speak(&words)));
            here.version.set(here.version.get() + 1);
            here.draw();
            (here.tell)(Tell::Changed);
        });
    }

    /// Whether the account is so now, by its own word.
    async fn set_and_read(self: &Rc<Self>, locked: bool) -> Result<bool, Halt> {
        let end = self.end(Side::New);
        let party = end.party.borrow().clone().ok_or(Halt::No)?;
        let owner = end.owner(&party, &|| (self.tell)(Tell::OpenServer(Side::New))).await?;
        let voice = Voice::new(&party.host, &owner, None);
        let read = |reply: &reply::Reply| -> Result<Profile, Halt> {
            let value = reply::json(reply).map_err(Halt::from)?;
            let own = Profile::read(&value, &owner.domain).filter(|own| own.id == owner.id);
            own.ok_or(Halt::Job(crate::job::save::Why::SignedOut))
        };
        // Whose account answers is read before anything is changed.
        read(&voice.ask(&request::verify_credentials()).await)?;
        read(&voice.ask(&request::set_locked(locked)).await)?;
        let after = read(&voice.ask(&request::verify_credentials()).await)?;
        let done = after.locked == Some(locked);
        if done {
            let at = (!locked).then(now);
            self.unlocked.set(at);
            self.facts.borrow_mut().locked = Some(locked);
            let record = Record { key: UNLOCKED.into(), text: at.map(|at| at.0.to_string()) };
            let account = super::account_of(&owner.handle.parse().map_err(|_| Halt::No)?);
            let db = end.db().await.map_err(Halt::from)?;
            db.put(&kept_as(&account), &[record]).await.map_err(Halt::from)?;
        }
        Ok(done)
    }

    /// An address that waits to be confirmed. When the account would be deleted, the check says; here is the way to the form.
    pub(super) fn draw_address(self: &Rc<Self>) {
        let facts = self.facts.borrow();
        let waits = matches!(facts.email, Some(Email::Unconfirmed | Email::Held)) || facts.address_change;
        let Some(host) = self.end(Side::New).host().filter(|_| waits) else { return };
        let url = format!("{}{}", host.origin(), request::RESEND_PAGE);
        let resend = self.frame.button("resend", &text("action_resend"), false, move || {
            let url = url.clone();
            go(async move { chrome::open_tab(&url).await });
        });
        let block = make("section")
            .class("aside")
            .attr("data-address", "waits")
            .child(make("h3").text(&text("address_title")))
            .child(then(&speak(&say("address_why").with(&host))))
            .child(make("div").class("actions").child(resend));
        self.frame.put(&block);
    }
}
