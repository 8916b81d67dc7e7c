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

/// The values in a JSON array, each byte for byte as it stands there. `serde_json`'s own way to this, `RawValue`, would
/// make the reader of every `Value` larger, in both modules.
pub fn items(text: &str) -> Option<Vec<&str>> {
    let inside = inside(text, '[', ']')?;
    Some(if inside.is_empty() { Vec::new() } else { split(inside, b',') })
}

/// The fields of a JSON object, each value byte for byte as it stands there.
pub fn fields(text: &str) -> Option<Vec<(String, &str)>> {
    let inside = inside(text, '{', '}')?;
    let pairs = if inside.is_empty() { Vec::new() } else { split(inside, b',') };
    let read = |pair| match split(pair, b':')[..] {
        [key, value] => Some((serde_json::from_str::<Value>(key).ok()?.as_str()?.to_owned(), value)),
        _ => None,
    };
    pairs.into_iter().map(read).collect()
}

/// What stands between the outermost brackets of a text that is JSON from end to end.
fn inside(text: &str, open: char, close: char) -> Option<&str> {
    serde_json::from_str::<Value>(text).ok()?;
    Some(text.trim().strip_prefix(open)?.strip_suffix(close)?.trim())
}

/// Splits JSON at a sign that stands in no string and no brackets. That the brackets fit has been seen to.
fn split(text: &str, sign: u8) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut start) = (0_usize, false, false, 0);
    let mut parts = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ if byte == sign && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
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

    fn json() -> impl Strategy<Value = Value> {
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
        fn all_parts_together_are_the_whole(value in json(), pretty in any::<bool>()) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let array = items(&text).map(|items| items.into_iter().map(read).collect::<Value>());
            prop_assert_eq!(array, value.is_array().then(|| value.clone()));
            let object = fields(&text).map(|all| all.into_iter().map(|(key, text)| (key, read(text))).collect::<Value>());
            prop_assert_eq!(object, value.is_object().then(|| value.clone()));
        }
    }
}
