//! The drivers: a few lines that perform what a job asks for. The same jobs run in the tests with other drivers.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::chrome;
use super::markup::BrowserParser;
use super::now;
use crate::account::Domain;
use crate::job::Job;
use crate::job::outlook::Outlook;
use crate::protocol::ToTab;
use crate::server::reply::{Answer, Reply, Silence};
use crate::server::request::{Accept, Request};

/// Longest answer that is read from outside. An actor document has some kilobytes.
const LARGEST: usize = 2_000_000;
/// Nobody waits longer for a look from outside.
const PATIENCE: f64 = 15_000.0;

/// Runs a job to its end in this tab. `after` is called after every answer.
pub(super) async fn here(job: &mut impl Job, mut after: impl FnMut(&crate::trunk::dossier::AccountFacts)) {
    while let Some(request) = job.next() {
        let reply = chrome::ask_here::<_, Reply>(&request).await.unwrap_or(Err(Silence::NoTab));
        job.answer(&reply, &BrowserParser, now());
        after(job.learned());
    }
}

/// One request through the agent of a tab, whoever is signed in there.
pub(super) async fn in_tab(tab: i32, request: Request) -> Reply {
    in_tab_as(tab, request, None).await
}

/// One request through the agent of a tab whose page is that of the account with this id.
pub(super) async fn in_tab_as(tab: i32, request: Request, me: Option<&str>) -> Reply {
    let ask = ToTab::Ask { request, me: me.map(str::to_owned) };
    chrome::tell_tab::<_, Reply>(tab, &ask).await.unwrap_or(Err(Silence::NoTab))
}

/// Runs a job to its end through the agent of a tab.
pub(super) async fn in_tab_all(tab: i32, job: &mut impl Job, me: Option<&str>) {
    while let Some(request) = job.next() {
        let reply = in_tab_as(tab, request, me).await;
        job.answer(&reply, &BrowserParser, now());
    }
}

/// Looks from outside: no cookies, no token, granted servers only, no redirect to anywhere else.
pub(super) async fn outside(job: &mut Outlook, granted: &[Domain]) {
    while let Some(request) = job.next() {
        let reply = if granted.iter().any(|domain| domain.host() == job.host().host()) {
            look(job.host(), &request).await
        } else {
            Err(Silence::NotGranted)
        };
        job.answer(&reply, &BrowserParser, now());
    }
}

async fn look(host: &Domain, request: &Request) -> Reply {
    fetch(&format!("{}{}", host.origin(), request.path), request).await.ok_or(Silence::Unreachable)?
}

fn get(object: &JsValue, key: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(key)).ok()
}

fn call(object: &JsValue, method: &str, argument: &JsValue) -> Option<JsValue> {
    get(object, method)?.dyn_into::<Function>().ok()?.call1(object, argument).ok()
}

async fn wait(promise: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(promise.dyn_into::<Promise>()?).await
}

/// By reflection, because a service worker's `fetch` and a page's are two things to web-sys and one to us.
async fn fetch(url: &str, request: &Request) -> Option<Reply> {
    let accept = match request.accept {
        Accept::Actor => "application/activity+json",
        Accept::Webfinger => "application/jrd+json, application/json",
        Accept::Page | Accept::Api | Accept::File => "application/json",
    };
    let set = |object: &Object, key: &str, value: &JsValue| {
        let _ = Reflect::set(object, &JsValue::from_str(key), value);
    };
    let headers = Object::new();
    set(&headers, "Accept", &JsValue::from_str(accept));
    let init = Object::new();
    set(&init, "headers", &headers);
    for (key, value) in [
        ("credentials", "omit"),
        ("cache", "no-store"),
        ("redirect", "manual"),
        ("referrerPolicy", "no-referrer"),
    ] {
        set(&init, key, &JsValue::from_str(value));
    }
    let signal = call(&get(&js_sys::global(), "AbortSignal")?, "timeout", &JsValue::from_f64(PATIENCE))?;
    set(&init, "signal", &signal);
    let global = js_sys::global();
    let function = get(&global, "fetch")?.dyn_into::<Function>().ok()?;
    let sent = function.call2(&global, &JsValue::from_str(url), &init).ok()?;
    let response = match wait(sent).await {
        Ok(response) => response,
        Err(error) => {
            let timed_out =
                get(&error, "name").and_then(|name| name.as_string()).as_deref() == Some("TimeoutError");
            return Some(Err(if timed_out { Silence::TimedOut } else { Silence::Unreachable }));
        }
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let status = get(&response, "status")?.as_f64()? as u16;
    let elsewhere = get(&response, "type")?.as_string().as_deref() == Some("opaqueredirect");
    let headers = get(&response, "headers")?;
    let header =
        |name: &str| call(&headers, "get", &JsValue::from_str(name)).and_then(|value| value.as_string());
    let (body, cut) = if elsewhere { (String::new(), false) } else { read(&response).await? };
    Some(Ok(Answer {
        status,
        path: request.path.clone(),
        elsewhere,
        content_type: header("content-type").unwrap_or_default(),
        cut,
        reset: header("x-ratelimit-reset"),
        body,
        ..Answer::default()
    }))
}

/// Reads a body piece by piece, and stops when it has no end.
async fn read(response: &JsValue) -> Option<(String, bool)> {
    let body = get(response, "body")?;
    if body.is_null() {
        return Some((String::new(), false));
    }
    let reader = call(&body, "getReader", &JsValue::UNDEFINED)?;
    let mut bytes = Vec::new();
    loop {
        let Ok(piece) = wait(call(&reader, "read", &JsValue::UNDEFINED)?).await else {
            return Some((String::new(), true));
        };
        if get(&piece, "done")?.is_truthy() {
            return Some((String::from_utf8_lossy(&bytes).into_owned(), false));
        }
        bytes.extend(get(&piece, "value")?.dyn_into::<Uint8Array>().ok()?.to_vec());
        if bytes.len() > LARGEST {
            let _ = call(&reader, "cancel", &JsValue::UNDEFINED);
            return Some((String::new(), true));
        }
    }
}
