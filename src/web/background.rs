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
use crate::trunk::store::{Party, Store, VERSION, View, acts_as};

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
        (ToBackground::Desk { grant, errand, handle }, sender) => {
            if let (Some(_), Sender::Page(host)) = (errand, &sender) {
                take_up(host, handle.as_ref()).await;
            }
            let hash =
                grant.map(|domain| format!("#grant={}", crate::server::request::encode(domain.as_str())));
            let hash = hash.or_else(|| errand.map(|errand| format!("#{}", errand.id())));
            chrome::open_desk(&hash.unwrap_or_default()).await;
            JsValue::NULL
        }
        (ToBackground::Link { old, new }, Sender::Ours) => changed(|store| store.link(old, new, now())).await,
        (ToBackground::PutAway, Sender::Ours) => changed(|store| store.put_away(now())).await,
        (ToBackground::TakeUp { old, new }, Sender::Ours) => {
            changed(|store| {
                store.take_up(&old, &new, now());
            })
            .await
        }
        (ToBackground::Forget { old, new }, Sender::Ours) => {
            FORGOTTEN.set(FORGOTTEN.get() + 1);
            let changed = changed(|store| store.forget(&old, &new, now())).await;
            // Waited for: who asks to be forgotten is answered when it is so.
            if let Some(store) = STORE.with_borrow(Clone::clone) {
                chrome::save(KEY, &store).await;
            }
            changed
        }
        (ToBackground::Swept { names }, Sender::Ours) => changed(|store| store.swept(&names)).await,
        (ToBackground::Saved { of, messages }, Sender::Ours) => {
            changed(|store| store.saved(&of, messages)).await
        }
        (ToBackground::Packed { of, lists, blocked }, Sender::Ours) => {
            changed(|store| store.packed(&of, lists, blocked)).await
        }
        (ToBackground::Unpacked { of, turn, arrived }, Sender::Ours) => {
            changed(|store| store.unpacked(&of, turn, arrived)).await
        }
        (ToBackground::Aside { check, aside }, Sender::Ours) => {
            change(None, |store| {
                if let Some(current) = &mut store.current {
                    current.set_aside(check, aside);
                }
            })
            .await;
            state().await
        }
        (ToBackground::TakenIn { it }, Sender::Ours) => {
            change(None, |store| store.taken_in(it)).await;
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
    STORE.with_borrow_mut(|store| store.get_or_insert(stored).version = VERSION);
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
        let news = !store.says_the_same(&before);
        // Who belongs to a move no more hears of it too.
        let hosts = before.moves().chain(store.moves()).flat_map(|it| [&it.old, &it.new]);
        let hosts: Vec<Domain> = hosts.map(|party| party.host.clone()).collect();
        (before != *store).then(|| (store.clone(), news, hosts))
    });
    let Some((store, news, mut hosts)) = changed else { return };
    hosts.sort_unstable();
    hosts.dedup();
    // Not waited for: the guard that told us this wants an answer, and storage keeps the order.
    go(show_badge());
    go(async move {
        chrome::save(KEY, &store).await;
        if !news {
            return;
        }
        for host in hosts {
            for tab in tabs_of(&host).await {
                if from != Some(tab) {
                    let _: Option<()> = chrome::tell_tab(tab, &ToTab::News).await;
                }
            }
        }
    });
}

/// The same, and tells our own page how it stands then.
async fn changed(f: impl FnOnce(&mut Store)) -> JsValue {
    change(None, f).await;
    state().await
}

/// A page sends to our own for its own account's move: that one is to be the current one there.
async fn take_up(host: &Domain, handle: Option<&Handle>) {
    let own = read(|store| store.move_of(host, handle).map(|(it, _)| it.clone())).await;
    if let Some(own) = own {
        change(None, |store| {
            store.take_up(&own.old, &own.new, now());
        })
        .await;
    }
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

/// Has the guard in the other server's tab look at its own account. The first tab of the right one will do.
async fn survey(party: &Party, wants: Vec<Want>, other: &Domain) {
    let since = FORGOTTEN.get();
    let message = ToTab::Survey { wants, other: Some(other.clone()) };
    for tab in tabs_of(&party.host).await {
        if let Some(found) = chrome::tell_tab::<_, Surveyed>(tab, &message).await {
            // Another session may be open in a private window or a container.
            let theirs = match (&party.handle, &found.handle) {
                (Some(own), Some(found)) => own.is_same(found),
                _ => true,
            };
            if FORGOTTEN.get() == since {
                learn(&party.host, found.handle.as_ref(), found.facts, Some(tab)).await;
            }
            if theirs {
                return;
            }
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
