//! Whose tab is whose: every tab of a server is asked who is signed in there, until it is the right one.

use std::cell::Cell;

use super::chrome;
use super::markup::BrowserParser;
use super::{ask, tab_patterns};
use crate::account::{Domain, Handle};
use crate::job::collect::Owner;
use crate::server::markup::Parser;
use crate::server::reply::{self, Reply, Silence};
use crate::server::request::{self, Accept, Method, Request};
use crate::server::session::Session;
use crate::trunk::presence::{Presence, Seen};
use crate::trunk::store::Party;

/// A tab, and the answer to the request for its account page.
pub(super) struct Found {
    pub(super) tab: i32,
    pub(super) reply: Reply,
}

/// How the person stands at a server, and the tab in which the right account is signed in.
pub(super) async fn look_for(party: &Party, other: Option<&Party>) -> (Presence, Option<Found>) {
    let mut seen = Vec::new();
    for tab in chrome::tabs(&tab_patterns(&party.host)).await {
        let reply = ask::in_tab(tab, request::account_page()).await;
        let one = Seen::read(&reply, &BrowserParser);
        let right = one.is(party);
        seen.push(one);
        if right {
            return (Presence::of(party, other, &seen), Some(Found { tab, reply }));
        }
    }
    (Presence::of(party, other, &seen), None)
}

/// The session that an account page tells of.
pub(super) fn session_of(reply: &Reply) -> Option<Session> {
    let answer = reply::page(reply).ok()?;
    Session::read(BrowserParser.parse(&answer.body).as_ref())
}

/// Performs what one account asks of its server, in tabs where that account is signed in, and in no others.
pub(super) struct Voice {
    host: Domain,
    id: String,
    handle: String,
    tab: Cell<Option<i32>>,
}

impl Voice {
    /// `tab`: where the account was seen to be signed in.
    pub(super) fn new(host: &Domain, owner: &Owner, tab: Option<i32>) -> Voice {
        Voice { host: host.clone(), id: owner.id.clone(), handle: owner.handle.clone(), tab: Cell::new(tab) }
    }

    fn is(&self, session: &Session) -> bool {
        session.account.handle.acct().eq_ignore_ascii_case(&self.handle)
    }

    /// Through the tab of the last time; through another one, when that has gone or is somebody else's now.
    pub(super) async fn ask(&self, request: &Request) -> Reply {
        let mut others = false;
        let mut tabs: Vec<i32> = self.tab.get().into_iter().collect();
        if let Some(tab) = tabs.first() {
            match self.through(*tab, request).await {
                Err(Silence::NoTab) => {}
                Err(Silence::OtherAccount) => others = true,
                reply => return reply,
            }
        }
        for tab in chrome::tabs(&tab_patterns(&self.host)).await {
            if tabs.contains(&tab) {
                continue;
            }
            tabs.push(tab);
            match self.through(tab, request).await {
                Err(Silence::NoTab) => {}
                Err(Silence::OtherAccount) => others = true,
                reply => {
                    self.tab.set(Some(tab));
                    return reply;
                }
            }
        }
        Err(if others { Silence::OtherAccount } else { Silence::NoTab })
    }

    /// The API goes by the page's token, and the agent compares whose that is. What goes by the browser's cookie is the
    /// account's that signed in last, whichever page it is asked from: that is looked at before anything is sent, and
    /// before a file is taken that does not say whose it is.
    async fn through(&self, tab: i32, request: &Request) -> Reply {
        let blind = request.accept == Accept::File || request.method != Method::Get;
        if request.accept != Accept::Api && blind {
            let page = ask::in_tab_as(tab, request::account_page(), Some(&self.id)).await;
            if reply::page(&page).is_err() {
                return page;
            }
            if !session_of(&page).is_some_and(|session| self.is(&session)) {
                return Err(Silence::OtherAccount);
            }
        }
        let reply = ask::in_tab_as(tab, request.clone(), Some(&self.id)).await;
        if request.accept == Accept::Page && session_of(&reply).is_some_and(|session| !self.is(&session)) {
            return Err(Silence::OtherAccount);
        }
        reply
    }
}

/// Who is signed in on these servers, by all of their tabs; each account once.
pub(super) async fn accounts(hosts: &[Domain]) -> Vec<Handle> {
    let mut all: Vec<Handle> = Vec::new();
    for host in hosts {
        for tab in chrome::tabs(&tab_patterns(host)).await {
            let reply = ask::in_tab(tab, request::account_page()).await;
            let handle = session_of(&reply).map(|session| session.account.handle);
            all.extend(handle.filter(|handle| all.iter().all(|known| !known.is_same(handle))));
        }
    }
    all
}
