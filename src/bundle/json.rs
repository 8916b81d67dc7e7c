//! JSON in lines, so that what is large is written and read line by line.
//!
//! A document is one object. Its first line is the beginning, as far as the `[` of the first of its lists; each item has a line
//! of its own; `],"NAME":[` begins the next list and `]}` ends the document.

use serde_json::Value;

use crate::plain::{self, Object};

/// Longer than this is no line of ours: a server's reply is never so long.
const LONGEST: usize = 64 << 20;

/// A record's text: as it is where that is JSON on one line, which is nearly always, else as a text inside the JSON, under
/// another name. Either way it comes back byte for byte.
pub fn record(object: &mut Object, name: &str, text: &str) {
    if plain::is_json(text) && !text.contains(['\n', '\r']) {
        object.json(name, text);
    } else {
        object.text(&format!("{name}Text"), text);
    }
}

/// Writes a document.
#[derive(Debug, Default)]
pub struct Lines {
    /// An item stands before this one.
    more: bool,
}

impl Lines {
    /// `head` is an object that the lists are added to.
    pub fn begin(&mut self, head: &Object, list: &str) -> String {
        let comma = if head.is_empty() { "" } else { "," };
        self.more = false;
        format!("{}{comma}\"{list}\":[", head.begun())
    }

    pub fn item(&mut self, item: &str) -> String {
        let comma = if self.more { "," } else { "" };
        self.more = true;
        format!("{comma}\n{item}")
    }

    pub fn list(&mut self, name: &str) -> String {
        self.more = false;
        format!("\n],\"{name}\":[")
    }

    pub fn end(&self) -> &'static str {
        "\n]}\n"
    }
}

/// A line that was read.
#[derive(Debug)]
pub struct Fields<'a>(Vec<(String, &'a str)>);

impl<'a> Fields<'a> {
    pub fn read(line: &'a str) -> Option<Fields<'a>> {
        plain::fields(line).map(Fields)
    }

    /// Of two of the same name, the later one.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, raw)| *raw)
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match plain::json(self.get(name)?)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// What [`record`] wrote.
    pub fn raw(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(raw) => Some(raw.to_owned()),
            None => self.text(&format!("{name}Text")),
        }
    }
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// The beginning, as an object, and the name of the first list.
    Head(String, &'a str),
    Item(&'a str),
    List(&'a str),
    End,
}

/// Reads a document.
#[derive(Debug, Default)]
pub struct Reader {
    rest: Vec<u8>,
    begun: bool,
    ended: bool,
}

/// Not such a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

impl Reader {
    /// More of the text. What is not a whole line yet is kept for the next time.
    pub fn add(
        &mut self,
        piece: &[u8],
        said: &mut dyn FnMut(Said) -> Result<(), NotOurs>,
    ) -> Result<(), NotOurs> {
        let mut piece = piece;
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(end);
            piece = rest.get(1..).unwrap_or_default();
            if self.rest.is_empty() {
                self.line(line, said)?;
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                self.line(&whole, said)?;
            }
        }
        if self.rest.len() + piece.len() > LONGEST {
            return Err(NotOurs);
        }
        self.rest.extend_from_slice(piece);
        Ok(())
    }

    fn line(
        &mut self,
        line: &[u8],
        said: &mut dyn FnMut(Said) -> Result<(), NotOurs>,
    ) -> Result<(), NotOurs> {
        let line = std::str::from_utf8(line).map_err(|_| NotOurs)?;
        if self.ended {
            return Err(NotOurs);
        }
        if !self.begun {
            self.begun = true;
            let (head, name) =
                line.strip_suffix("\":[").and_then(|line| line.rsplit_once('"')).ok_or(NotOurs)?;
            let head = head.strip_suffix(',').unwrap_or(head);
            return said(Said::Head(format!("{head}}}"), name));
        }
        if line == "]}" {
            self.ended = true;
            return said(Said::End);
        }
        if let Some(name) = line.strip_prefix("],\"").and_then(|line| line.strip_suffix("\":[")) {
            return said(Said::List(name));
        }
        said(Said::Item(line.strip_suffix(',').unwrap_or(line)))
    }

    /// Whether the document was whole.
    pub fn is_whole(&self) -> bool {
        self.ended && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_come_back_byte_for_byte() {
        let texts = [
            "{\"a\": 1}",
            " {} ",
            "{\n}",
            "null",
            "",
            "no JSON",
            "\"\u{2028}\"",
            "{\"a\":1e400}",
            "\"\\ud800\"",
            "{\"key\":\"x\"}",
            "[1,2]\r\n",
            "{\"a\":1,\"a\":2}",
        ];
        for text in texts {
            let mut line = Object::new();
            record(line.text("key", "m/\"\n"), "status", text);
            let line = line.end();
            assert!(!line.contains('\n'), "{line}");
            let fields = Fields::read(&line).unwrap();
            assert_eq!(fields.raw("status").as_deref(), Some(text));
            assert_eq!(fields.text("key").as_deref(), Some("m/\"\n"));
        }
    }

    #[test]
    fn a_document_is_json_and_is_read_in_pieces_of_any_size() {
        let mut lines = Lines::default();
        let mut text = lines.begin(Object::new().text("format", "x"), "one");
        text += &lines.item("{\"a\":[\"]}\"]}");
        text += &lines.item("2");
        text += &lines.list("two");
        text += &lines.list("three");
        text += &lines.item("3");
        text += lines.end();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, json!({"format": "x", "one": [{"a": ["]}"]}, 2], "two": [], "three": [3]}));
        for size in 1..text.len() {
            let (mut reader, mut heard) = (Reader::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                reader
                    .add(piece, &mut |said| {
                        heard.push(format!("{said:?}"));
                        Ok(())
                    })
                    .unwrap();
            }
            assert!(reader.is_whole());
            assert_eq!(
                heard.join(" "),
                "Head(\"{\\\"format\\\":\\\"x\\\"}\", \"one\") Item(\"{\\\"a\\\":[\\\"]}\\\"]}\") Item(\"2\") \
                 List(\"two\") List(\"three\") Item(\"3\") End"
            );
        }
    }
}
