//! Posts and what belongs to them.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::state::Id;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Public,
    Unlisted,
    Private,
    Direct,
}

impl Visibility {
    pub fn name(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Unlisted => "unlisted",
            Visibility::Private => "private",
            Visibility::Direct => "direct",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Public, Self::Unlisted, Self::Private, Self::Direct]
            .into_iter()
            .find(|visibility| visibility.name() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Media {
    pub id: Id,
    pub description: Option<String>,
    pub remote_url: Option<String>,
    pub width: u32,
    pub height: u32,
    /// Seed of the picture, which is drawn when it is asked for, so that thousands of them cost nothing.
    pub tint: u8,
    pub kind: MediaKind,
    /// A remote file that is not in the cache is fetched when `media_proxy` is asked for it.
    pub cached: bool,
    /// The name at the end of the address, where a test wants an odd one.
    pub file_name: Option<String>,
}

impl Media {
    pub fn picture(id: Id, tint: u8, description: Option<&str>) -> Self {
        Self {
            id,
            description: description.map(str::to_owned),
            remote_url: None,
            width: 32,
            height: 20,
            tint,
            kind: MediaKind::Png,
            cached: true,
            file_name: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    Png,
    Jpeg,
    Mp4,
}

/// A former or the present version of an edited status.
#[derive(Clone, Debug)]
pub struct Edition {
    pub at: Millis,
    pub text: String,
    pub spoiler_text: String,
    pub media: Vec<Media>,
}

#[derive(Clone, Debug)]
pub struct Emoji {
    pub shortcode: String,
    /// Path or address of the picture.
    pub url: String,
}

#[derive(Clone, Debug)]
pub struct Poll {
    pub id: Id,
    pub multiple: bool,
    pub expires_at: Option<Millis>,
    pub options: Vec<(String, u32)>,
    /// Who has chosen what.
    pub votes: BTreeMap<Id, Vec<usize>>,
}

#[derive(Clone, Debug)]
pub struct Status {
    pub id: Id,
    pub author: Id,
    pub at: Millis,
    pub visibility: Visibility,
    pub content: String,
    pub text: String,
    pub spoiler_text: String,
    pub mentions: Vec<Id>,
    pub in_reply_to: Option<Id>,
    /// Whom it answers; stays when the parent is deleted (captures 4.6.5-api/dm/delchain_4_after_delete).
    pub in_reply_to_account: Option<Id>,
    /// The thread this belongs to; one thread may have several conversation entries (facts 13.1 point 5).
    pub thread: Id,
    pub uri: String,
    pub url: String,
    pub media: Vec<Media>,
    pub poll: Option<Poll>,
    pub edited_at: Option<Millis>,
    pub application: bool,
    /// All versions, oldest first; empty for what was never edited.
    pub editions: Vec<Edition>,
    /// Emoji that only this status knows: those of other servers.
    pub emojis: Vec<Emoji>,
    /// Fields to be put over the entity, for replies that are not as they should be; `{"$remove": true}` takes a field out.
    pub spoilt: Option<serde_json::Value>,
}
