//! The dozen functions of the WebExtension interface that we use. The published wrappers are stale; this is smaller.
//! `chrome` and not `browser`: both browsers have it, with promises, in Manifest V3.

use js_sys::{Array, Object, Promise, Reflect};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::plain::Plain;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["chrome", "runtime"], js_name = sendMessage, catch)]
    fn send_message(message: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "runtime"], js_name = getURL, catch)]
    fn get_url(path: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "runtime"], js_name = getManifest, catch)]
    fn get_manifest() -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "tabs"], js_name = query, catch)]
    fn tabs_query(filter: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "tabs"], js_name = sendMessage, catch)]
    fn tabs_send(tab: &JsValue, message: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "tabs"], js_name = create, catch)]
    fn tabs_create(options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "permissions"], js_name = getAll, catch)]
    fn permissions_all() -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "permissions"], js_name = request, catch)]
    fn permissions_request(wanted: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "permissions"], js_name = remove, catch)]
    fn permissions_remove(given: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "storage", "local"], js_name = get, catch)]
    fn storage_get(key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "storage", "local"], js_name = set, catch)]
    fn storage_set(items: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "storage", "onChanged"], js_name = addListener, catch)]
    fn storage_changed(listener: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "action"], js_name = setBadgeText, catch)]
    fn set_badge_text(details: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "action"], js_name = setBadgeBackgroundColor, catch)]
    fn set_badge_colour(details: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "action"], js_name = setTitle, catch)]
    fn set_title(details: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["chrome", "i18n"], js_name = getMessage, catch)]
    fn get_message(key: &str, parts: &JsValue) -> Result<String, JsValue>;

    /// Opens the desk, or shows it where it is open; set up by `background.js`.
    #[wasm_bindgen(js_namespace = globalThis, js_name = packedTrunkDesk, catch)]
    fn packed_trunk_desk(hash: &str) -> Result<Promise, JsValue>;
    /// The agent in `loader.js`, for the guard in the same tab.
    #[wasm_bindgen(js_namespace = ["globalThis", "packedTrunk"], js_name = ask, catch)]
    fn packed_trunk_ask(request: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = packedTrunk)]
    static AGENT: JsValue;
}

/// Rust to JavaScript.
pub(super) fn to_js<T: Plain>(value: &T) -> JsValue {
    js(&value.write())
}

/// JavaScript to Rust. What does not fit is nothing: it comes from elsewhere and is not ours to trust.
pub(super) fn from_js<T: Plain>(value: JsValue) -> Option<T> {
    T::read(&plain(&value))
}

/// Node by node and not as text: the text of floats, of which we have none, takes a table of 10 KB.
fn js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Bool(value) => JsValue::from_bool(*value),
        Value::Number(value) => JsValue::from_f64(value.as_f64().unwrap_or_default()),
        Value::String(value) => JsValue::from_str(value),
        Value::Array(values) => values.iter().map(js).collect::<Array>().into(),
        Value::Object(values) => {
            let object = Object::new();
            for (key, value) in values {
                put(&object, key, &js(value));
            }
            object.into()
        }
    }
}

/// As text: it has no cycles, and its reader stops where it is nested too deeply.
fn plain(value: &JsValue) -> Value {
    // Of `undefined` there is no text.
    let text = js_sys::JSON::stringify(value).ok().and_then(|text| text.as_string());
    text.and_then(|text| crate::plain::json(&text)).unwrap_or_default()
}

fn put(object: &Object, key: &str, value: &JsValue) {
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(object, &JsValue::from_str(key), value);
}

async fn settle(promise: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise?).await
}

fn object(pairs: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new();
    for (key, value) in pairs {
        put(&object, key, value);
    }
    object.into()
}

fn strings<'a>(items: impl IntoIterator<Item = &'a str>) -> JsValue {
    items.into_iter().map(JsValue::from_str).collect::<Array>().into()
}

/// Asks the background. `None` when it is gone: the extension was updated or removed, and this page is on its own.
pub(super) async fn tell_background<M: Plain, A: Plain>(message: &M) -> Option<A> {
    settle(send_message(&to_js(message))).await.ok().and_then(from_js)
}

/// Asks the agent in a tab.
pub(super) async fn tell_tab<M: Plain, A: Plain>(tab: i32, message: &M) -> Option<A> {
    settle(tabs_send(&JsValue::from(tab), &to_js(message))).await.ok().and_then(from_js)
}

/// Asks the agent in this tab.
pub(super) async fn ask_here<M: Plain, A: Plain>(request: &M) -> Option<A> {
    settle(packed_trunk_ask(&to_js(request))).await.ok().and_then(from_js)
}

/// Hears what is sent to the guard in this tab; see `tell` in `loader.js`.
pub(super) fn on_message(listener: impl FnMut(JsValue) -> Promise + 'static) {
    let closure = Closure::<dyn FnMut(JsValue) -> Promise>::new(listener);
    AGENT.with(|agent| {
        let _ = Reflect::set(agent, &JsValue::from_str("tell"), closure.as_ref());
    });
    // For as long as the page lives.
    closure.forget();
}

/// Runs `listener` whenever something was stored.
pub(super) fn on_stored(listener: impl FnMut() + 'static) {
    let closure = Closure::<dyn FnMut()>::new(listener);
    let _ = storage_changed(closure.as_ref());
    closure.forget();
}

/// The tabs whose address fits one of the patterns, the one last looked at first.
pub(super) async fn tabs(patterns: &[String]) -> Vec<i32> {
    let filter = object(&[("url", &strings(patterns.iter().map(String::as_str)))]);
    let Ok(found) = settle(tabs_query(&filter)).await else { return Vec::new() };
    let number =
        |tab: &JsValue, key: &str| Reflect::get(tab, &JsValue::from_str(key)).ok().and_then(|v| v.as_f64());
    let mut tabs: Vec<(f64, i32)> = Array::from(&found)
        .iter()
        .filter_map(|tab| {
            #[allow(clippy::cast_possible_truncation)]
            let id = number(&tab, "id")? as i32;
            Some((number(&tab, "lastAccessed").unwrap_or(0.0), id))
        })
        .collect();
    // A handful of tabs: no need for a real sort, which is 4 KB of wasm.
    let mut sorted = Vec::with_capacity(tabs.len());
    while let Some(at) = (0..tabs.len()).max_by(|a, b| tabs[*a].0.total_cmp(&tabs[*b].0)) {
        sorted.push(tabs.swap_remove(at).1);
    }
    sorted
}

pub(super) async fn open_tab(url: &str) {
    let _ = settle(tabs_create(&object(&[("url", &JsValue::from_str(url))]))).await;
}

pub(super) async fn open_desk(hash: &str) {
    let _ = settle(packed_trunk_desk(hash)).await;
}

/// What the button in the toolbar says. Firefox for Android has a button and no badge on it.
pub(super) fn badge(text: &str, title: &str) {
    let _ = set_badge_text(&object(&[("text", &JsValue::from_str(text))]));
    let _ = set_badge_colour(&object(&[("color", &JsValue::from_str("#563acc"))]));
    let _ = set_title(&object(&[("title", &JsValue::from_str(title))]));
}

/// The address of a file of ours.
pub(super) fn own_url(path: &str) -> String {
    get_url(path).unwrap_or_default()
}

/// Our own version.
pub(super) fn version() -> String {
    let version = get_manifest().and_then(|manifest| Reflect::get(&manifest, &JsValue::from_str("version")));
    version.ok().and_then(|version| version.as_string()).unwrap_or_default()
}

/// The match patterns that the person has granted.
pub(super) async fn granted() -> Vec<String> {
    let Ok(all) = settle(permissions_all()).await else { return Vec::new() };
    let origins = Reflect::get(&all, &JsValue::from_str("origins")).unwrap_or(JsValue::UNDEFINED);
    from_js(origins).unwrap_or_default()
}

/// Shows the browser's own prompt. Must be called inside a click, before anything is awaited.
pub(super) fn request(patterns: &[String]) -> Result<Promise, JsValue> {
    permissions_request(&object(&[("origins", &strings(patterns.iter().map(String::as_str)))]))
}

pub(super) async fn revoke(patterns: &[String]) {
    let given = object(&[("origins", &strings(patterns.iter().map(String::as_str)))]);
    let _ = settle(permissions_remove(&given)).await;
}

pub(super) async fn load<T: Plain>(key: &str) -> Option<T> {
    let items = settle(storage_get(key)).await.ok()?;
    from_js(Reflect::get(&items, &JsValue::from_str(key)).ok()?)
}

/// Stores, and says whether it is stored.
pub(super) async fn save<T: Plain>(key: &str, value: &T) -> bool {
    settle(storage_set(&object(&[(key, &to_js(value))]))).await.is_ok()
}

/// A message of `_locales`, with its parts put in; `None` if there is no such message.
pub(super) fn message(key: &str, parts: &[String]) -> Option<String> {
    let text = get_message(key, &strings(parts.iter().map(String::as_str))).ok()?;
    (!text.is_empty()).then_some(text)
}
