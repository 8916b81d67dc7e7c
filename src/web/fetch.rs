//! Fetches files of messages, and nothing but files: from the old server, or from a host that the person has allowed.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob};

use gloo_timers::callback::Timeout;

use crate::account::Domain;
use crate::message::bundle::kind::sniff;
use crate::message::digest::Sum;
use crate::message::record::Missing;

/// Larger than anything Mastodon takes (99 MB for a video), and than what a server without end may fill the disk with.
const LARGEST: u64 = 256 << 20;
/// No byte for so long, and it is not coming.
const PATIENCE: u32 = 30_000;
/// Pieces are handed to the browser in parts of this size, so that they are not all in our memory.
const PART: usize = 4 << 20;

/// What came.
pub(super) struct Fetched {
    pub(super) blob: Blob,
    pub(super) kind: &'static str,
    pub(super) said: String,
    pub(super) size: u64,
    pub(super) sha256: String,
}

/// The host of a file, if it can be asked at all.
pub(super) fn host_of(url: &str) -> Option<Domain> {
    let parsed = web_sys::Url::new(url).ok()?;
    let domain: Domain = parsed.host().parse().ok()?;
    (parsed.protocol() == format!("{}:", domain.scheme()) && parsed.username().is_empty()).then_some(domain)
}

/// `cookies`: only for the server's own `/media_proxy/…`, which answers nobody else (facts 13.1, 8).
pub(super) async fn fetch(url: &str, cookies: bool) -> Result<Fetched, Missing> {
    let control = AbortController::new().map_err(|_| Missing::Unreachable)?;
    let abort = {
        let control = control.clone();
        move || control.abort()
    };
    let patience = Timeout::new(PATIENCE, abort.clone());
    let set = |object: &Object, key: &str, value: &JsValue| {
        let _ = Reflect::set(object, &JsValue::from_str(key), value);
    };
    let init = Object::new();
    set(&init, "credentials", &JsValue::from_str(if cookies { "include" } else { "omit" }));
    set(&init, "cache", &JsValue::from_str("no-store"));
    set(&init, "referrerPolicy", &JsValue::from_str("no-referrer"));
    set(&init, "signal", &control.signal());
    let response = call(&js_sys::global(), "fetch", &[&JsValue::from_str(url), &init]).await;
    let response = response.ok_or(Missing::Unreachable)?;
    drop(patience);
    let status = get(&response, "status").and_then(|status| status.as_f64()).unwrap_or_default();
    match status as u16 {
        200..=299 => {}
        401 | 403 => return Err(Missing::Refused),
        404 | 410 => return Err(Missing::Gone),
        _ => return Err(Missing::Unreachable),
    }
    let headers = get(&response, "headers").unwrap_or_default();
    let header = |name: &str| {
        let get: Function = get(&headers, "get")?.dyn_into().ok()?;
        get.call1(&headers, &JsValue::from_str(name)).ok()?.as_string()
    };
    let said = header("content-type").unwrap_or_default();
    let announced = header("content-length").and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > LARGEST) {
        control.abort();
        return Err(Missing::TooLarge);
    }
    let packed = header("content-encoding").is_some();
    let (parts, mut part) = (Array::new(), Vec::new());
    let (mut size, mut sum, mut head) = (0_u64, Sum::default(), Vec::new());
    if let Some(body) = get(&response, "body").filter(|body| !body.is_null() && !body.is_undefined()) {
        let reader = call_now(&body, "getReader", &[]).ok_or(Missing::Unreachable)?;
        loop {
            let patience = Timeout::new(PATIENCE, abort.clone());
            let piece = call(&reader, "read", &[]).await.ok_or(Missing::Unreachable)?;
            drop(patience);
            if get(&piece, "done").is_none_or(|done| done.is_truthy()) {
                break;
            }
            let bytes: Uint8Array =
                get(&piece, "value").and_then(|value| value.dyn_into().ok()).ok_or(Missing::Unreachable)?;
            let bytes = bytes.to_vec();
            size += bytes.len() as u64;
            if size > LARGEST {
                control.abort();
                return Err(Missing::TooLarge);
            }
            sum.add(&bytes);
            if head.len() < 64 {
                head.extend(bytes.iter().take(64).copied());
            }
            part.extend(bytes);
            if part.len() >= PART {
                let kept = blob(&[part.as_slice()]).ok_or(Missing::NoRoom)?;
                parts.push(&kept);
                part.clear();
            }
        }
    }
    // Half a file is none.
    if !packed && announced.is_some_and(|length| length != size) {
        return Err(Missing::Unreachable);
    }
    parts.push(&Uint8Array::from(part.as_slice()));
    let blob = Blob::new_with_u8_array_sequence(&parts).map_err(|_| Missing::NoRoom)?;
    Ok(Fetched { blob, kind: sniff(&head), said, size, sha256: sum.hex() })
}

/// Bytes as something that the browser keeps for us.
pub(super) fn blob(parts: &[&[u8]]) -> Option<Blob> {
    let array: Array = parts.iter().map(|part| JsValue::from(Uint8Array::from(*part))).collect();
    Blob::new_with_u8_array_sequence(&array).ok()
}

fn get(object: &JsValue, key: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(key)).ok()
}

fn call_now(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Option<JsValue> {
    let function: Function = get(object, method)?.dyn_into().ok()?;
    let arguments: Array = arguments.iter().copied().collect();
    function.apply(object, &arguments).ok()
}

async fn call(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Option<JsValue> {
    let promise: Promise = call_now(object, method, arguments)?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}
