//! The edits of a status: the reply of `/history`, oldest version first, the one that stands now at the end.

use serde_json::Value;

use super::status::{Attachment, Emoji, Poll};
use crate::plain::{array, text};
use crate::when::Time;

/// A status as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub at: Time,
    pub content: String,
    pub warning: String,
    pub attachments: Vec<Attachment>,
    pub emojis: Vec<Emoji>,
    pub poll: Option<Poll>,
}

impl Version {
    pub fn read(value: &Value) -> Option<Version> {
        Some(Version {
            at: Time::from_iso(text(value, "created_at")?)?,
            content: text(value, "content")?.to_owned(),
            warning: text(value, "spoiler_text").unwrap_or_default().to_owned(),
            attachments: array(value, "media_attachments").iter().filter_map(Attachment::read).collect(),
            emojis: array(value, "emojis").iter().filter_map(Emoji::read).collect(),
            poll: value.get("poll").filter(|poll| poll.is_object()).map(Poll::read),
        })
    }
}

/// All versions that can be read.
pub fn versions(value: &Value) -> Vec<Version> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Version::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_versions_that_can_be_read() {
        let read = versions(&json!([
            {"content": "<p>first</p>", "spoiler_text": "", "created_at": "2026-11-21T00:00:00.000Z",
             "media_attachments": [{"id": "1", "type": "image", "url": "https://old.example/1.png"}, 5],
             "emojis": [{"shortcode": "cat", "url": "https://old.example/cat.png"}],
             "poll": {"options": [{"title": "a"}]}},
            {"content": 5, "created_at": "2026-11-21T00:00:00.000Z"}, {"content": "x"}, null,
        ]));
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].attachments.len(), read[0].emojis.len()), (1, 1));
        assert_eq!(read[0].poll.as_ref().unwrap().options[0], ("a".to_owned(), None, false));
        for odd in [json!(null), json!({}), json!([]), json!("x")] {
            assert!(versions(&odd).is_empty());
        }
    }
}
