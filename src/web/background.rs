//! What the background does with a message. It may be stopped at any moment: what it holds in memory is a copy of what
//! is stored.

use std::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;

use super::words::{speak, text};
use super::{ask, chrome, go, now};
use crate::account::{Domain, Handle};
use crate::check;
use crate::job::Job;
use crate::job::outlook::Outlook;
use crate::job::survey::Want;
use crate::protocol::{Sender, Surveyed, ToBackground, ToDesk, ToTab};
use crate::server::page::PageKind;
use crate::trunk::badge as trunk_badge;
use crate::trunk::dossier::{AccountFacts, Side};
use crate::trunk::journal::Deed;
use crate::trunk::store::{Move, Party, Store, View, acts_as};

const KEY: &str = "store";

thread_local! {
    static STORE: RefCell<Option<Store>> = const { RefCell::new(None) };
    /// Forgotten whenever the browser says that grants have changed.
    static GRANTED: RefCell<Option<Vec<Domain>>> = const { RefCell::new(None) };
    /// What the button says at the moment.
    static SHOWN: RefCell<Option<String>> = const { RefCell::new(None) };
    /// How often everything was forgotten: what was on its way then must not bring it back.
    static FORGOTTEN: Cell<u32> = const { Cell::new(0) };
}

/// Grants were given or taken back; `background.js` hears of it.
#[wasm_bindgen]
pub fn grants_changed() {
    GRANTED.set(None);
}

/// What the button in the toolbar says. The browser forgets it when it is closed; `background.js` asks for it when it is
/// opened, and every message does.
#[wasm_bindgen]
pub async fn badge() {
    SHOWN.set(None);
    show_badge().await;
}

async fn show_badge() {
    let granted = granted().await;
    let badge = read(|store| {
        let current = store.current.as_ref()?;
        trunk_badge::badge(&store.dossier(&granted), &current.journal, now())
    })
    .await;
    let (text, title) = match badge {
        Some(badge) => (badge.text, speak(&badge.title)),
        None => (String::new(), text("action_title")),
    };
    let shown = format!("{text} {title}");
    if SHOWN.replace(Some(shown.clone())) != Some(shown) {
        chrome::badge(&text, &title);
    }
}

/// Answers a message. `origin` and `tab` are what the browser says of its sender.
#[wasm_bindgen]
pub async fn background(message: JsValue, origin: String, tab: Option<i32>) -> JsValue {
    let sent_by = sender(&origin, tab.is_some());
    let (Some(message), Some(sender)) = (chrome::from_js::<ToBackground>(message), sent_by) else {
        return JsValue::NULL;
    };
    if !message.allowed(&sender) {
        return JsValue::NULL;
    }
    // The desk asks right after a grant was given, perhaps before the browser has told the background of it.
    if sender == Sender::Ours {
        grants_changed();
    }
    // A guard that was open when its server was taken back has nothing to say any more.
    if let Sender::Page(host) = &sender
        && !matches!(message, ToBackground::Desk { .. })
        && !granted().await.iter().any(|granted| granted.host() == host.host())
    {
        return JsValue::NULL;
    }
    // What is due may have become so since the last message: nothing wakes us for it alone.
    go(show_badge());
    match (message, sender) {
        (ToBackground::Hello { page, handle, typed, facts }, Sender::Page(host)) => {
            learn(&host, handle.as_ref(), facts, tab).await;
            chrome::to_js(&view(&host, handle.as_ref(), page, typed.as_ref()).await)
        }
        (ToBackground::Look { page, handle, typed, deep }, Sender::Page(host)) => {
            look(&host, handle.as_ref(), page, typed.as_ref(), deep).await;
            chrome::to_js(&view(&host, handle.as_ref(), page, typed.as_ref()).await)
        }
        (ToBackground::Desk { grant, errand }, _) => {
            let hash =
                grant.map(|domain| format!("#grant={}", crate::server::request::encode(domain.as_str())));
            let hash = hash.or_else(|| errand.map(|errand| format!("#{}", errand.id())));
            chrome::open_desk(&hash.unwrap_or_default()).await;
            JsValue::NULL
        }
        (ToBackground::Link { old, new }, Sender::Ours) => {
            change(None, |store| {
                let known = store.current.take().filter(|known| known.old == old);
                let (saved, journal) = known.map(|known| (known.saved, known.journal)).unwrap_or_default();
                let mut linked = Move { old, new, saved, journal };
                linked
                    .journal
                    .note(Deed::linked(now()).of(&format!("{} {}", linked.old.host, linked.new.host)));
                store.current = Some(linked);
            })
            .await;
            state().await
        }
        (ToBackground::Unlink, Sender::Ours) => {
            FORGOTTEN.set(FORGOTTEN.get() + 1);
            loaded().await;
            let nothing = Store { version: 1, ..Store::default() };
            STORE.set(Some(nothing.clone()));
            // Waited for: who asks to be forgotten is answered when it is so.
            chrome::save(KEY, &nothing).await;
            state().await
        }
        (ToBackground::Saved { messages }, Sender::Ours) => {
            change(None, |store| {
                if let Some(current) = &mut store.current {
                    current.journal.extend(messages.as_ref().map(Deed::messages));
                    current.saved.messages = messages;
                }
            })
            .await;
            state().await
        }
        (ToBackground::Packed { lists, blocked }, Sender::Ours) => {
            change(None, |store| {
                if let Some(current) = &mut store.current {
                    current.journal.extend(lists.as_ref().map(Deed::packed));
                    current.saved.lists = lists;
                    current.saved.blocked = blocked;
                }
            })
            .await;
            state().await
        }
        (ToBackground::Unpacked { arrived }, Sender::Ours) => {
            change(None, |store| {
                if let Some(current) = &mut store.current {
                    current.journal.extend(arrived.as_ref().map(Deed::arrived));
                    current.saved.arrived = arrived;
                }
            })
            .await;
            state().await
        }
        (ToBackground::Done { deed }, Sender::Ours) => {
            change(None, |store| {
                if let Some(current) = &mut store.current {
                    current.journal.note(deed);
                }
            })
            .await;
            state().await
        }
        (ToBackground::Learn { host, handle, facts }, Sender::Ours) => {
            if read(|store| store.current.is_some()).await {
                learn(&host, handle.as_ref(), facts, None).await;
            }
            state().await
        }
        (ToBackground::Outside { deep }, Sender::Ours) => {
            if let Some(current) = read(|store| store.current.clone()).await {
                outside(&current.old, &current.new, deep).await;
            }
            state().await
        }
        (ToBackground::State, _) => state().await,
        _ => JsValue::NULL,
    }
}

fn sender(origin: &str, in_tab: bool) -> Option<Sender> {
    let own = chrome::own_url("");
    let own = own.trim_end_matches('/');
    if !own.is_empty()
        && (origin == own || origin.strip_prefix(own).is_some_and(|rest| rest.starts_with('/')))
    {
        return Some(Sender::Ours);
    }
    let host = web_sys::Url::new(origin)
        .ok()
        .filter(|url| matches!(url.protocol().as_str(), "https:" | "http:"))?
        .host();
    let domain: Domain = host.parse().ok()?;
    // Plain http is a loopback server of ours; `Domain` gives it that scheme and no other.
    (in_tab && origin.starts_with(domain.scheme())).then_some(Sender::Page(domain))
}

async fn loaded() {
    if STORE.with_borrow(Option::is_some) {
        return;
    }
    let stored = chrome::load::<Store>(KEY).await.unwrap_or_default();
    // Somebody else may have loaded it meanwhile, and changed it.
    STORE.with_borrow_mut(|store| store.get_or_insert(stored).version = 1);
}

async fn read<T>(f: impl FnOnce(&Store) -> T) -> T {
    loaded().await;
    STORE.with_borrow(|store| store.as_ref().map(f)).unwrap_or_else(|| unreachable!("loaded above"))
}

/// Changes what is known, stores it, and tells the other tabs if anything is different now.
async fn change(from: Option<i32>, f: impl FnOnce(&mut Store)) {
    loaded().await;
    let changed = STORE.with_borrow_mut(|store| {
        let store = store.as_mut()?;
        let before = store.clone();
        f(store);
        (before != *store).then(|| (store.clone(), !store.says_the_same(&before)))
    });
    let Some((store, news)) = changed else { return };
    // Not waited for: the guard that told us this wants an answer, and storage keeps the order.
    go(show_badge());
    go(async move {
        chrome::save(KEY, &store).await;
        if !news {
            return;
        }
        for party in store.current.iter().flat_map(|current| [&current.old, &current.new]) {
            for tab in tabs_of(&party.host).await {
                if from != Some(tab) {
                    let _: Option<()> = chrome::tell_tab(tab, &ToTab::News).await;
                }
            }
        }
    });
}

async fn learn(host: &Domain, handle: Option<&Handle>, facts: AccountFacts, from: Option<i32>) {
    change(from, |store| store.learn(host, handle, facts)).await;
}

async fn granted() -> Vec<Domain> {
    if let Some(known) = GRANTED.with_borrow(Clone::clone) {
        return known;
    }
    let granted = super::domains_of(&chrome::granted().await);
    GRANTED.set(Some(granted.clone()));
    granted
}

async fn view(host: &Domain, handle: Option<&Handle>, page: PageKind, typed: Option<&Handle>) -> View {
    let mut view = read(|store| store.view(host, handle, page, typed)).await;
    view.granted = granted().await;
    view
}

async fn state() -> JsValue {
    let store = read(Store::clone).await;
    chrome::to_js(&ToDesk { store, granted: granted().await })
}

async fn tabs_of(host: &Domain) -> Vec<i32> {
    chrome::tabs(&super::tab_patterns(host)).await
}

/// What the checks of a page want to know of the other account, and of the new one from outside.
async fn look(host: &Domain, handle: Option<&Handle>, page: PageKind, typed: Option<&Handle>, deep: bool) {
    let view = view(host, handle, page, typed).await;
    let (Some(old), Some(new)) = (view.old_party, view.new_party) else { return };
    let (side, other) = match view.side.unwrap_or_else(|| acts_as(page)) {
        Side::Old => (Side::New, &new),
        Side::New => (Side::Old, &old),
    };
    let wants = check::wants(side, Some(page));
    if other.host != *host && granted().await.iter().any(|granted| granted.host() == other.host.host()) {
        survey(other, wants, host).await;
    }
    let outside_wants = check::wants(Side::New, Some(page));
    if outside_wants.contains(&Want::Existence) || outside_wants.contains(&Want::Actor) {
        outside(&old, &new, deep).await;
    }
}

/// Has the guard in the other server's tab look at its own account. The first tab that answers will do.
async fn survey(party: &Party, wants: Vec<Want>, other: &Domain) {
    let since = FORGOTTEN.get();
    let message = ToTab::Survey { wants, other: Some(other.clone()) };
    for tab in tabs_of(&party.host).await {
        if let Some(found) = chrome::tell_tab::<_, Surveyed>(tab, &message).await {
            if FORGOTTEN.get() == since {
                learn(&party.host, found.handle.as_ref(), found.facts, Some(tab)).await;
            }
            return;
        }
    }
}

async fn outside(old: &Party, new: &Party, deep: bool) {
    let since = FORGOTTEN.get();
    let granted = granted().await;
    let (old_facts, new_facts) = (known(old).await, known(new).await);
    // To compare the alias with, if the old server's own pages have not told it.
    if let Some(handle) = old.handle.as_ref().filter(|_| old_facts.uri.is_none()) {
        let mut job = Outlook::new(handle, &old.host, None, false);
        ask::outside(&mut job, &granted).await;
        if FORGOTTEN.get() == since {
            learn(&old.host, Some(handle), job.learned().clone(), None).await;
        }
    }
    if let Some(handle) = &new.handle {
        // Rendering the document before the alias is there is what spoils a move (facts 13, "Alias").
        let listed = old.handle.as_ref().is_some_and(|old| new_facts.alias_for(old).is_some());
        let mut job = Outlook::new(handle, &new.host, Some(&old.host), listed || deep);
        ask::outside(&mut job, &granted).await;
        if FORGOTTEN.get() == since {
            learn(&new.host, Some(handle), job.learned().clone(), None).await;
        }
    }
}

async fn known(party: &Party) -> AccountFacts {
    read(|store| store.facts(&party.host, party.handle.as_ref())).await
}
