//! The browser's words: messages from `_locales`, numbers and dates by the browser's own `Intl`.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::chrome;
use crate::say::{Say, Words};
use crate::when::{DAY, HOUR, MINUTE, Time};

#[derive(Clone, Copy, Debug)]
pub(super) struct BrowserWords;

/// Speaks in the browser's language.
pub(super) fn speak(say: &Say) -> String {
    BrowserWords.speak(say)
}

/// Speaks a message without parts.
pub(super) fn text(key: &str) -> String {
    speak(&crate::say::say(key))
}

fn options(pairs: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (key, value) in pairs {
        let _ = Reflect::set(&object, &JsValue::from_str(key), &JsValue::from_str(value));
    }
    object
}

/// `new Intl.NAME(language, options).METHOD(value)`
fn intl(name: &str, options: &Object, method: &str, value: &JsValue) -> Option<String> {
    let intl = Reflect::get(&js_sys::global(), &JsValue::from_str("Intl")).ok()?;
    let class: Function = Reflect::get(&intl, &JsValue::from_str(name)).ok()?.dyn_into().ok()?;
    let arguments = Array::of2(&JsValue::from_str(&chrome::ui_language()), options);
    let object = Reflect::construct(&class, &arguments).ok()?;
    let method: Function = Reflect::get(&object, &JsValue::from_str(method)).ok()?.dyn_into().ok()?;
    method.call1(&object, value).ok()?.as_string()
}

#[allow(clippy::cast_precision_loss)]
fn number_of(n: i64) -> JsValue {
    JsValue::from_f64(n as f64)
}

impl Words for BrowserWords {
    fn message(&self, key: &str, parts: &[String]) -> Option<String> {
        chrome::message(key, parts)
    }

    fn plural(&self, n: i64) -> String {
        intl("PluralRules", &Object::new(), "select", &number_of(n)).unwrap_or_else(|| "other".into())
    }

    fn number(&self, n: i64) -> String {
        intl("NumberFormat", &Object::new(), "format", &number_of(n)).unwrap_or_else(|| n.to_string())
    }

    fn day(&self, at: Time) -> String {
        intl("DateTimeFormat", &options(&[("dateStyle", "long")]), "format", &number_of(at.0))
            .unwrap_or_default()
    }

    fn clock(&self, at: Time) -> String {
        intl("DateTimeFormat", &options(&[("timeStyle", "medium")]), "format", &number_of(at.0))
            .unwrap_or_default()
    }

    fn span(&self, millis: i64) -> String {
        let (unit, size) = match millis {
            DAY.. => ("day", DAY),
            HOUR.. => ("hour", HOUR),
            MINUTE.. => ("minute", MINUTE),
            _ => ("second", 1_000),
        };
        let options = options(&[("style", "unit"), ("unit", unit), ("unitDisplay", "long")]);
        intl("NumberFormat", &options, "format", &number_of(millis / size)).unwrap_or_default()
    }
}
