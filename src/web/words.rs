//! The browser's words: messages from `_locales`, numbers and dates by the browser's own `Intl`.

use std::cell::RefCell;

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;

use super::chrome;
use crate::say::{Say, Words};
use crate::when::{DAY, HOUR, MINUTE, SECOND, Time};

#[wasm_bindgen]
extern "C" {
    // Not by `js_sys::global()`: in Firefox's content scripts that is the page's window, whose `Intl` is out of reach.
    #[wasm_bindgen(thread_local_v2, js_name = Intl)]
    static INTL: JsValue;
}

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

/// A number alone. Not a message of its own: Firefox's console complains of each plural form that is not there.
pub(super) fn number(n: u64) -> String {
    BrowserWords.number(i64::try_from(n).unwrap_or(i64::MAX))
}

/// `Intl.NAME` with its options; making one takes a millisecond, so each is made once.
type Formatter = (&'static str, &'static [(&'static str, &'static str)], Object, Function);

thread_local! {
    static FORMATTERS: RefCell<Vec<Formatter>> = const { RefCell::new(Vec::new()) };
}

/// `new Intl.NAME(language, options).METHOD(value)`
fn intl(
    name: &'static str,
    options: &'static [(&'static str, &'static str)],
    method: &str,
    value: &JsValue,
) -> Option<String> {
    intl_of(name, options, method, &Array::of1(value))
}

fn intl_of(
    name: &'static str,
    options: &'static [(&'static str, &'static str)],
    method: &str,
    arguments: &Array,
) -> Option<String> {
    let known = FORMATTERS.with_borrow(|known| {
        let found = known.iter().find(|(of, with, ..)| *of == name && *with == options)?;
        Some((found.2.clone(), found.3.clone()))
    });
    let (object, function) = match known {
        Some(known) => known,
        None => {
            let made = formatter(name, options, method)?;
            FORMATTERS.with_borrow_mut(|known| known.push((name, options, made.0.clone(), made.1.clone())));
            made
        }
    };
    function.apply(&object, arguments).ok()?.as_string()
}

fn formatter(name: &str, options: &[(&str, &str)], method: &str) -> Option<(Object, Function)> {
    let with = Object::new();
    for (key, value) in options {
        let _ = Reflect::set(&with, &JsValue::from_str(key), &JsValue::from_str(value));
    }
    let class = Reflect::get(&INTL.with(JsValue::clone), &JsValue::from_str(name)).ok()?;
    let class: Function = class.dyn_into().ok()?;
    let arguments = Array::of2(&JsValue::from_str(&language()), &with);
    let object: Object = Reflect::construct(&class, &arguments).ok()?.dyn_into().ok()?;
    let function = Reflect::get(&object, &JsValue::from_str(method)).ok()?.dyn_into().ok()?;
    Some((object, function))
}

/// The language of the words, which need not be the browser's: its plurals and dates have to fit them.
pub(super) fn language() -> String {
    chrome::message("language", &[]).unwrap_or_else(|| "en".into())
}

/// In which direction that language is written.
pub(super) fn direction() -> String {
    chrome::message("@@bidi_dir", &[]).unwrap_or_else(|| "ltr".into())
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
        intl("PluralRules", &[], "select", &number_of(n)).unwrap_or_else(|| "other".into())
    }

    fn number(&self, n: i64) -> String {
        intl("NumberFormat", &[], "format", &number_of(n)).unwrap_or_else(|| n.to_string())
    }

    fn day(&self, at: Time) -> String {
        intl("DateTimeFormat", &[("dateStyle", "long")], "format", &number_of(at.0)).unwrap_or_default()
    }

    fn clock(&self, at: Time) -> String {
        intl("DateTimeFormat", &[("timeStyle", "medium")], "format", &number_of(at.0)).unwrap_or_default()
    }

    fn ago(&self, millis: i64) -> String {
        let (unit, size) = match millis {
            DAY.. => ("day", DAY),
            HOUR.. => ("hour", HOUR),
            MINUTE.. => ("minute", MINUTE),
            _ => ("second", SECOND),
        };
        let arguments = Array::of2(&number_of(-(millis / size)), &JsValue::from_str(unit));
        intl_of("RelativeTimeFormat", &[], "format", &arguments).unwrap_or_default()
    }
}
