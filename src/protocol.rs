//! Every message between loader, guard, background and desk: one closed enum each way.
//!
//! Three more are spoken in plain JavaScript, before any wasm runs: `module` (the loader asks for the wasm bytes),
//! `no-wasm` and `open-desk` (the notice where the page forbids wasm). See `extension/background.js`.
//!
//! How it is written stands below; the loader speaks the same of [`Request`] and [`Answer`].

use crate::account::{Domain, Handle};
use crate::job::survey::Want;
use crate::plain::{messages, record, words};
use crate::server::page::PageKind;
use crate::server::reply::Answer;
use crate::server::request::{Accept, Method, Request, Upload};
use crate::trunk::dossier::{AccountFacts, Arrived, BlockedPeople, SavedLists, SavedMessages};
use crate::trunk::journal::Deed;
#[cfg(doc)]
use crate::trunk::store::View;
use crate::trunk::store::{Move, Party, Store};

/// To the background.
#[derive(Clone, Debug, PartialEq)]
pub enum ToBackground {
    /// A guard: this is what my page says; what do you know? Answered with a [`View`].
    Hello { page: PageKind, handle: Option<Handle>, typed: Option<Handle>, facts: AccountFacts },
    /// A guard: look at the other account, in its own tab if there is one, and from outside. `deep` reads the actor
    /// document even where the alias is not known to be there. Answered with a [`View`].
    Look { page: PageKind, handle: Option<Handle>, typed: Option<Handle>, deep: bool },
    /// Anybody: open the desk, perhaps to grant a server.
    Desk {
        grant: Option<Domain>,
        /// And begin this.
        errand: Option<Errand>,
        /// For whose move: where several are kept, it is taken up.
        handle: Option<Handle>,
    },
    /// The desk: everything that is known. Answered with [`ToDesk`].
    State,
    /// The desk: the person says which two accounts the move is about.
    Link { old: Party, new: Party },
    /// The desk: sets the present move aside.
    PutAway,
    /// The desk: goes on with one that was put away.
    TakeUp { old: Party, new: Party },
    /// The desk: forgets a move. What the database has of it is named in the answer, as `doomed`.
    Forget { old: Party, new: Party },
    /// The desk: these drawers of the database are deleted.
    Swept { names: Vec<String> },
    /// The desk: the messages of this account are saved, or the saved copy was deleted.
    Saved { of: Handle, messages: Option<SavedMessages> },
    /// The desk: this is packed of that account, and these people would be lost.
    Packed { of: Handle, lists: Option<SavedLists>, blocked: Option<BlockedPeople> },
    /// The desk: this has arrived on that new account, unpacked for the move whose turn this is.
    Unpacked { of: Handle, turn: u64, arrived: Option<Arrived> },
    /// The desk: the person leaves a check as it is, or takes that back.
    Aside { check: String, aside: bool },
    /// The desk: the present move was taken in from a file, with what had happened in it until then.
    TakenIn { it: Move },
    /// The desk: this was done, and is to stand in the journal.
    Done { deed: Deed },
    /// The desk: this is what a server's agent brought.
    Learn { host: Domain, handle: Option<Handle>, facts: AccountFacts },
    /// The desk: look at the new account from outside.
    Outside { deep: bool },
}

messages! {
    ToBackground {
        Hello = "hello" { page, handle, typed, facts }
        Look = "look" { page, handle, typed, deep }
        Desk = "desk" { grant, errand, handle }
        State = "state" {}
        Link = "link" { old, new }
        PutAway = "put-away" {}
        TakeUp = "take-up" { old, new }
        Forget = "forget" { old, new }
        Swept = "swept" { names }
        Saved = "saved" { of, messages }
        Packed = "packed" { of, lists, blocked }
        Unpacked = "unpacked" { of, turn, arrived }
        Aside = "aside" { check, aside }
        TakenIn = "taken-in" { it }
        Done = "done" { deed }
        Learn = "learn" { host, handle, facts }
        Outside = "outside" { deep }
    }
    ToTab {
        News = "news" {}
        Survey = "survey" { wants, other }
        Ask = "ask" { request, me }
    }
}

record! {
    ToDesk { store, granted }
    Surveyed { handle, facts }
    Request { method, path, form = default, file = default, accept }
    Upload { field, name, kind, text, bytes = default }
    Answer {
        status, path, elsewhere = default, content_type = default, cut = default, reset = default, limit = default,
        remaining = default, link = default, date = default, body,
    }
}

/// What a guard sends the person to the desk for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    Save,
    Pack,
    Unpack,
    Profile,
    Announce,
}

words! {
    Errand { Save = "save", Pack = "pack", Unpack = "unpack", Profile = "profile", Announce = "announce" }
    Method { Get = "GET", Post = "POST", Put = "PUT", Patch = "PATCH", Delete = "DELETE" }
    Accept { Page = "page", Api = "api", File = "file", Actor = "actor", Webfinger = "webfinger" }
    PageKind {
        Migration = "migration", Redirect = "redirect", Aliases = "aliases", Export = "export", Imports = "imports",
        Account = "account", Setup = "setup", Delete = "delete", Profile = "profile",
    }
    Want {
        Account = "account", Messages = "messages", Email = "email", Migration = "migration", Counts = "counts",
        Aliases = "aliases", Blocks = "blocks", Announced = "announced", Existence = "existence", Actor = "actor",
    }
}

impl Errand {
    pub fn id(self) -> &'static str {
        self.word()
    }

    pub fn of_id(id: &str) -> Option<Errand> {
        Errand::of_word(id)
    }
}

/// Who sent a message, by what the browser says of it, never by what it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A content script on a page of this server.
    Page(Domain),
    /// A page of our own.
    Ours,
}

impl ToBackground {
    /// A server's page may speak for itself and open the desk; everything else is the desk's.
    pub fn allowed(&self, sender: &Sender) -> bool {
        match self {
            ToBackground::Hello { .. } | ToBackground::Look { .. } => matches!(sender, Sender::Page(_)),
            ToBackground::Desk { .. } => true,
            ToBackground::State
            | ToBackground::Link { .. }
            | ToBackground::PutAway
            | ToBackground::TakeUp { .. }
            | ToBackground::Forget { .. }
            | ToBackground::Swept { .. }
            | ToBackground::Saved { .. }
            | ToBackground::Packed { .. }
            | ToBackground::Unpacked { .. }
            | ToBackground::Aside { .. }
            | ToBackground::TakenIn { .. }
            | ToBackground::Done { .. }
            | ToBackground::Learn { .. }
            | ToBackground::Outside { .. } => *sender == Sender::Ours,
        }
    }
}

/// The background's answer to the desk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToDesk {
    pub store: Store,
    pub granted: Vec<Domain>,
}

/// To what runs in a server's tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToTab {
    /// To the guard: something is known that was not before.
    News,
    /// To the guard: look at your own account. Answered with [`Surveyed`].
    Survey { wants: Vec<Want>, other: Option<Domain> },
    /// To the agent: perform this, if the page is that of the account with this id. Answered with a
    /// [`Reply`](crate::server::reply::Reply).
    Ask { request: Request, me: Option<String> },
}

/// What a guard found out about the account that is signed in where it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surveyed {
    pub handle: Option<Handle>,
    pub facts: AccountFacts,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::Plain;

    #[test]
    fn a_page_can_speak_for_itself_only() {
        let page = Sender::Page("old.example".parse().unwrap());
        let facts = AccountFacts::default();
        let hello = ToBackground::Hello { page: PageKind::Migration, handle: None, typed: None, facts };
        assert!(hello.allowed(&page));
        assert!(!hello.allowed(&Sender::Ours));
        assert!(ToBackground::Desk { grant: None, errand: Some(Errand::Save), handle: None }.allowed(&page));
        let party = || Party { host: "old.example".parse().unwrap(), handle: None };
        for message in [
            ToBackground::State,
            ToBackground::PutAway,
            ToBackground::TakeUp { old: party(), new: party() },
            ToBackground::Forget { old: party(), new: party() },
            ToBackground::Swept { names: Vec::new() },
            ToBackground::Outside { deep: true },
        ] {
            assert!(!message.allowed(&page), "{message:?}");
            assert!(message.allowed(&Sender::Ours), "{message:?}");
        }
    }

    #[test]
    fn messages_survive_the_journey_and_strange_ones_do_not_parse() {
        let message = ToBackground::Look {
            page: PageKind::Migration,
            handle: "ana@old.example".parse().ok(),
            typed: None,
            deep: false,
        };
        let read = |text: &str| ToBackground::read(&serde_json::from_str(text).unwrap());
        assert_eq!(read(&message.write().to_string()), Some(message));
        for strange in [
            "{}",
            "{\"token\":{}}",
            "{\"look\":{}}",
            "{\"desk\":{\"grant\":\"not a domain\"}}",
            "{\"hello\":{\"page\":\"migration\",\"handle\":5,\"typed\":null,\"facts\":{}}}",
        ] {
            assert_eq!(read(strange), None, "{strange}");
        }
    }
}
