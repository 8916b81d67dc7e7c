//! JSON that was rendered before. A status costs far more to build than to send, and those who save messages ask for the same ones again and again; so what was
//! rendered once is kept as text until anything changes.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

use crate::state::Id;

/// Stands before text that is to be written as it is. No string of Mastodon's begins like this: it would not get through its database.
const MARK: &str = "\u{0}\u{1}raw";

/// Finished text as a value.
pub fn value(text: &str) -> Value {
    Value::String(format!("{MARK}{text}"))
}

/// Writes a value, and finished text as it is.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => match text.strip_prefix(MARK) {
            Some(raw) => out.push_str(raw),
            None => out.push_str(&value.to_string()),
        },
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, item)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// What one server has rendered since the last change.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    on: bool,
    accounts: RefCell<HashMap<Id, Value>>,
    statuses: RefCell<HashMap<(Id, Option<Id>), Value>>,
}

/// More than this is not kept: a large account would fill the memory.
const MOST: usize = 20_000;

impl Kept {
    /// Whether what is rendered from now on may be kept; anything that may change the world says no.
    pub fn keep(&mut self, on: bool) {
        if !on && self.on {
            self.clear();
        }
        self.on = on;
    }

    pub fn clear(&mut self) {
        self.accounts.get_mut().clear();
        self.statuses.get_mut().clear();
    }

    pub fn account(&self, id: Id, render: impl FnOnce() -> Value) -> Value {
        if let Some(kept) = self.accounts.borrow().get(&id) {
            return kept.clone();
        }
        let made = value(&text(&render()));
        let mut all = self.accounts.borrow_mut();
        if self.on && all.len() < MOST {
            all.insert(id, made.clone());
        }
        made
    }

    pub fn status(&self, key: (Id, Option<Id>), render: impl FnOnce() -> Value) -> Value {
        if let Some(kept) = self.statuses.borrow().get(&key) {
            return kept.clone();
        }
        let made = value(&text(&render()));
        let mut all = self.statuses.borrow_mut();
        if self.on && all.len() < MOST {
            all.insert(key, made.clone());
        }
        made
    }
}
