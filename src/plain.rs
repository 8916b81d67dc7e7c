//! What is stored, and sent between the parts, as plain JSON values.
//!
//! serde's derived readers and writers, one for each type, made up a quarter of the wasm that goes into other people's
//! pages. Here each is one small function, and the only type that serde sees is `Value`.

use serde_json::{Map, Value};

use crate::account::{ActorUri, Domain, Handle};
use crate::when::{Known, Time};

/// Something that can be written as a JSON value and read back. Reading is total: what does not fit is `None`.
pub trait Plain: Sized {
    fn write(&self) -> Value;
    fn read(value: &Value) -> Option<Self>;
}

/// Structs, as objects with a key for each field. A field that is missing is read as `null`; with `= default` after
/// its name, it may be missing or unreadable.
macro_rules! record {
    ($($type:ident { $($field:ident $(= $default:ident)?),* $(,)? })*) => {$(
        impl $crate::plain::Plain for $type {
            fn write(&self) -> serde_json::Value {
                let mut object = serde_json::Map::new();
                $($crate::plain::put(&mut object, stringify!($field), self.$field.write());)*
                object.into()
            }

            fn read(value: &serde_json::Value) -> Option<$type> {
                let object = value.as_object()?;
                Some($type {
                    $($field: $crate::plain::record!(@ $crate::plain::field(object, stringify!($field)) $(, $default)?),)*
                })
            }
        }
    )*};
    (@ $read:expr) => { $read? };
    (@ $read:expr, default) => { $read.unwrap_or_default() };
}

/// Enums whose variants are single words.
macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl $type {
            fn word(self) -> &'static str {
                match self { $($type::$variant => $word,)* }
            }

            fn of_word(word: &str) -> Option<$type> {
                match word { $($word => Some($type::$variant),)* _ => None }
            }
        }

        impl $crate::plain::Plain for $type {
            fn write(&self) -> serde_json::Value {
                self.word().into()
            }

            fn read(value: &serde_json::Value) -> Option<$type> {
                $type::of_word(value.as_str()?)
            }
        }
    )*};
}

/// Messages: enums whose variants have named fields or none, as `{"word": {…}}`.
macro_rules! messages {
    ($($type:ident { $($variant:ident = $word:literal { $($field:ident),* })* })*) => {$(
        impl $crate::plain::Plain for $type {
            fn write(&self) -> serde_json::Value {
                let mut inside = serde_json::Map::new();
                let word = match self {
                    $($type::$variant { $($field),* } => {
                        $($crate::plain::put(&mut inside, stringify!($field), $field.write());)*
                        $word
                    })*
                };
                let mut object = serde_json::Map::new();
                $crate::plain::put(&mut object, word, inside.into());
                object.into()
            }

            fn read(value: &serde_json::Value) -> Option<$type> {
                let (word, inside) = value.as_object()?.iter().next()?;
                let inside = inside.as_object()?;
                match word.as_str() {
                    $($word => Some($type::$variant {
                        $($field: $crate::plain::field(inside, stringify!($field))?),*
                    }),)*
                    _ => None,
                }
            }
        }
    )*};
}

pub(crate) use {messages, record, words};

pub(crate) fn put(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.insert(key.to_owned(), value);
}

pub(crate) fn field<T: Plain>(object: &Map<String, Value>, key: &str) -> Option<T> {
    T::read(object.get(key).unwrap_or(&Value::Null))
}

impl Plain for () {
    fn write(&self) -> Value {
        Value::Bool(true)
    }

    fn read(_value: &Value) -> Option<()> {
        Some(())
    }
}

impl Plain for bool {
    fn write(&self) -> Value {
        Value::Bool(*self)
    }

    fn read(value: &Value) -> Option<bool> {
        value.as_bool()
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {$(
        impl Plain for $type {
            fn write(&self) -> Value {
                Value::from(*self)
            }

            fn read(value: &Value) -> Option<$type> {
                value.as_u64()?.try_into().ok()
            }
        }
    )*};
}

numbers! { u16 u32 u64 }

impl Plain for String {
    fn write(&self) -> Value {
        Value::from(self.as_str())
    }

    fn read(value: &Value) -> Option<String> {
        value.as_str().map(str::to_owned)
    }
}

/// Nothing is `null`.
impl<T: Plain> Plain for Option<T> {
    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }

    fn read(value: &Value) -> Option<Option<T>> {
        if value.is_null() { Some(None) } else { T::read(value).map(Some) }
    }
}

/// `{"Ok": …}` or `{"Err": …}`
impl<T: Plain, E: Plain> Plain for Result<T, E> {
    fn write(&self) -> Value {
        let (key, value) = match self {
            Ok(value) => ("Ok", value.write()),
            Err(error) => ("Err", error.write()),
        };
        let mut object = Map::new();
        put(&mut object, key, value);
        object.into()
    }

    fn read(value: &Value) -> Option<Result<T, E>> {
        match value.get("Ok") {
            Some(value) => T::read(value).map(Ok),
            None => E::read(value.get("Err")?).map(Err),
        }
    }
}

impl<T: Plain> Plain for Vec<T> {
    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }

    fn read(value: &Value) -> Option<Vec<T>> {
        value.as_array()?.iter().map(T::read).collect()
    }
}

/// `[one, other]`
impl<A: Plain, B: Plain> Plain for (A, B) {
    fn write(&self) -> Value {
        Value::Array(vec![self.0.write(), self.1.write()])
    }

    fn read(value: &Value) -> Option<(A, B)> {
        Some((A::read(value.get(0)?)?, B::read(value.get(1)?)?))
    }
}

/// `[value, when, where]`
impl<T: Plain> Plain for Known<T> {
    fn write(&self) -> Value {
        Value::Array(vec![self.value.write(), self.at.write(), self.from.write()])
    }

    fn read(value: &Value) -> Option<Known<T>> {
        Some(Known {
            value: T::read(value.get(0)?)?,
            at: Plain::read(value.get(1)?)?,
            from: Plain::read(value.get(2)?)?,
        })
    }
}

impl Plain for Time {
    fn write(&self) -> Value {
        Value::from(self.0)
    }

    fn read(value: &Value) -> Option<Time> {
        value.as_i64().map(Time)
    }
}

impl Plain for Domain {
    fn write(&self) -> Value {
        Value::from(self.as_str())
    }

    fn read(value: &Value) -> Option<Domain> {
        value.as_str()?.parse().ok()
    }
}

impl Plain for Handle {
    fn write(&self) -> Value {
        Value::from(self.acct())
    }

    fn read(value: &Value) -> Option<Handle> {
        value.as_str()?.parse().ok()
    }
}

impl Plain for ActorUri {
    fn write(&self) -> Value {
        Value::from(self.0.as_str())
    }

    fn read(value: &Value) -> Option<ActorUri> {
        value.as_str().map(|uri| ActorUri(uri.to_owned()))
    }
}

/// The value that a text is. The one way to read JSON: each type that serde reads for itself costs as much again.
#[inline(never)]
pub fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

#[inline(never)]
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

#[inline(never)]
pub fn count(value: &Value, key: &str) -> Option<u64> {
    value.get(key)?.as_u64()
}

#[inline(never)]
pub fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

#[inline(never)]
pub fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text as JSON has it.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out);
    out
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' => {
                out.push_str("\\u00");
                for nibble in [c as usize >> 4, c as usize & 15] {
                    out.push(char::from(b"0123456789abcdef"[nibble]));
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// An object in the making. Text, not values: the macros that make values cost three times as much in the module, and
/// their text, as it might hold floats, a table of 10 KB.
#[derive(Debug)]
pub struct Object(String);

impl Default for Object {
    fn default() -> Object {
        Object::new()
    }
}

impl Object {
    pub fn new() -> Object {
        Object("{".to_owned())
    }

    /// A member whose value is JSON already.
    #[inline(never)]
    pub fn json(&mut self, name: &str, value: &str) -> &mut Object {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(name, &mut self.0);
        self.0.push(':');
        self.0.push_str(value);
        self
    }

    #[inline(never)]
    pub fn text(&mut self, name: &str, value: &str) -> &mut Object {
        self.json(name, &quoted(value))
    }

    /// `null` where there is none.
    #[inline(never)]
    pub fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Object {
        match value {
            Some(value) => self.text(name, value),
            None => self.json(name, "null"),
        }
    }

    #[inline(never)]
    pub fn number(&mut self, name: &str, value: u64) -> &mut Object {
        self.json(name, &value.to_string())
    }

    /// `null` where it is not known.
    #[inline(never)]
    pub fn count(&mut self, name: &str, value: Option<u64>) -> &mut Object {
        match value {
            Some(value) => self.number(name, value),
            None => self.json(name, "null"),
        }
    }

    #[inline(never)]
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Object {
        self.json(name, if value { "true" } else { "false" })
    }

    /// `null` where it is not known.
    #[inline(never)]
    pub fn time(&mut self, name: &str, value: Option<Time>) -> &mut Object {
        match value {
            Some(Time(at)) => self.json(name, &at.to_string()),
            None => self.json(name, "null"),
        }
    }

    #[inline(never)]
    pub fn list(&mut self, name: &str, items: &[String]) -> &mut Object {
        self.json(name, &list(items))
    }

    pub fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    /// As far as it goes, without its end.
    pub fn begun(&self) -> &str {
        &self.0
    }

    #[inline(never)]
    pub fn end(&self) -> String {
        let mut out = self.0.clone();
        out.push('}');
        out
    }
}

/// An array of what is JSON already.
#[inline(never)]
pub fn list(items: &[String]) -> String {
    let mut out = "[".to_owned();
    for item in items {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(item);
    }
    out.push(']');
    out
}

/// The values in a JSON array, each byte for byte as it stands there. `serde_json`'s own way to this, `RawValue`, would
/// make the reader of every `Value` larger, in both modules.
pub fn items(text: &str) -> Option<Vec<&str>> {
    Some(parts(text, b'[')?.into_iter().map(|(_, item)| item).collect())
}

/// The fields of a JSON object, each value byte for byte as it stands there.
pub fn fields(text: &str) -> Option<Vec<(String, &str)>> {
    let mut all = Vec::new();
    for (key, value) in parts(text, b'{')? {
        match json(key)? {
            Value::String(key) => all.push((key, value)),
            _ => return None,
        }
    }
    Some(all)
}

/// Whether a text is one JSON value by its grammar, with nothing around it. Numbers that no computer holds and halves of
/// signs are let pass: what a server wrote is kept as it wrote it.
pub fn is_json(text: &str) -> bool {
    let mut scan = Scan { text, at: 0 };
    scan.value(&mut Vec::new(), 0).is_some() && scan.at == text.len() && !text.starts_with(BLANKS)
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// What stands in an array or object that is a text from end to end: of each member its key, if it has one, and its value.
fn parts(text: &str, bracket: u8) -> Option<Vec<(&str, &str)>> {
    let mut parts = Vec::new();
    let mut scan = Scan { text, at: 0 };
    scan.blanks();
    if scan.peek() != Some(bracket) {
        return None;
    }
    scan.value(&mut parts, 1)?;
    scan.blanks();
    (scan.at == text.len()).then_some(parts)
}

/// Goes through JSON by its grammar alone.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    fn next_is(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    /// A value. What stands `level` brackets deep in it is put into `parts`.
    fn value(&mut self, parts: &mut Vec<(&'a str, &'a str)>, level: usize) -> Option<()> {
        // The end that each open bracket wants.
        let mut open: Vec<u8> = Vec::new();
        let (mut key, mut start) = ("", 0);
        loop {
            self.blanks();
            if open.len() == level {
                start = self.at;
            }
            let bracket = match self.peek()? {
                b'[' => Some(b']'),
                b'{' => Some(b'}'),
                _ => None,
            };
            if let Some(end) = bracket {
                self.at += 1;
                self.blanks();
                if self.peek()? == end {
                    self.at += 1;
                } else {
                    open.push(end);
                    let found = self.key(end)?;
                    if open.len() == level {
                        key = found;
                    }
                    continue;
                }
            } else {
                self.scalar()?;
            }
            // A value has ended, and with it perhaps what it stands in.
            loop {
                if level > 0 && open.len() == level {
                    parts.push((key, self.since(start)?));
                }
                let Some(end) = open.last().copied() else { return Some(()) };
                self.blanks();
                match self.next()? {
                    b',' => {
                        let found = self.key(end)?;
                        if open.len() == level {
                            key = found;
                        }
                        break;
                    }
                    next if next == end => _ = open.pop(),
                    _ => return None,
                }
            }
        }
    }

    /// The key of a member, where it stands in an object.
    fn key(&mut self, end: u8) -> Option<&'a str> {
        if end != b'}' {
            return Some("");
        }
        self.blanks();
        let start = self.at;
        self.next_is(b'"')?;
        self.string()?;
        let key = self.since(start)?;
        self.blanks();
        self.next_is(b':')?;
        Some(key)
    }

    /// The rest of a string.
    fn string(&mut self) -> Option<()> {
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'u' => {
                        for _ in 0..4 {
                            self.next().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    _ => return None,
                },
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn scalar(&mut self) -> Option<()> {
        let word = match self.next()? {
            b'"' => return self.string(),
            b'n' => "ull",
            b't' => "rue",
            b'f' => "alse",
            first => return self.number(first),
        };
        for byte in word.bytes() {
            self.next_is(byte)?;
        }
        Some(())
    }

    /// The rest of a number.
    fn number(&mut self, first: u8) -> Option<()> {
        let first = if first == b'-' { self.next()? } else { first };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.next().filter(u8::is_ascii_digit)?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.next().filter(u8::is_ascii_digit)?;
            self.digits();
        }
        Some(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_parts_of_a_text_are_as_they_stand_there() {
        let text = r#" [ {"a": "],\"{", "b":[1, {"c":2}]} ,1.50,"\\", null ] "#;
        let parts = items(text).unwrap();
        assert_eq!(parts, [r#"{"a": "],\"{", "b":[1, {"c":2}]}"#, "1.50", r#""\\""#, "null"]);
        let pairs = fields(parts[0]).unwrap();
        assert_eq!(pairs, [("a".to_owned(), r#""],\"{""#), ("b".to_owned(), r#"[1, {"c":2}]"#)]);
        assert_eq!((items(" [ ] "), fields("{}")), (Some(vec![]), Some(vec![])));
        for odd in ["", "[1", "[1,]", "{\"a\":}", "5", "[1] x"] {
            assert_eq!((items(odd), fields(odd)), (None, None), "{odd}");
        }
    }

    #[test]
    fn what_is_json_is_said_by_its_grammar() {
        for text in [
            "null",
            "-0",
            "1e400",
            "-1.5E+3",
            "\"\\ud800\"",
            "{\"a\":[{},[[]]],\"a\":\"\"}",
            "true",
            "[false]",
        ] {
            assert!(is_json(text), "{text}");
        }
        for text in [
            "",
            " 1",
            "1 ",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "--1",
            "nul",
            "tru",
            "nullx",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "{1:2}",
            "[}",
            "{]",
            "[[1]",
            "]",
            "1,2",
            "\u{a0}1",
        ] {
            assert!(!is_json(text), "{text}");
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(is_json(&deep));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".{0,4}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn texts_are_quoted_as_serde_does(text in any::<String>()) {
            prop_assert_eq!(quoted(&text), Value::from(text).to_string());
        }

        #[test]
        fn grammar_and_reader_agree(text in "[\\[\\]{},:\" 1e.\\\\nulltrue-]{0,12}") {
            let read = serde_json::from_str::<Value>(&text).is_ok() && text.trim() == text;
            // What the reader does not hold, such as 1e999, is JSON too.
            prop_assert!(!read || is_json(&text), "{}", text);
        }

        #[test]
        fn all_parts_together_are_the_whole(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let array = items(&text).map(|items| items.into_iter().map(read).collect::<Value>());
            prop_assert_eq!(array, value.is_array().then(|| value.clone()));
            prop_assert!(is_json(&text));
            let object = fields(&text).map(|all| all.into_iter().map(|(key, text)| (key, read(text))).collect::<Value>());
            prop_assert_eq!(object, value.is_object().then(|| value.clone()));
        }
    }
}
