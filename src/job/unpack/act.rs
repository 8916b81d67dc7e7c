//! What is unpacked through the API, because no file holds it: one request each, at the limits' pace.

use serde_json::Value;

use crate::plain::{Object, flag, quoted, text};
use crate::server::request::{self, Request};
use crate::when::{SECOND, Time};

/// What is to be done on the new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    FollowTag(String),
    FeatureTag(String),
    Note {
        acct: String,
        note: String,
    },
    /// The file of mutes has no end of them (facts 5, "Not exported").
    Mute {
        acct: String,
        notifications: bool,
        until: Time,
    },
    /// Shown on the profile; only who is followed can be.
    Endorse {
        acct: String,
    },
    /// A list, before its members come with the file: empty ones too, and with its settings.
    List {
        title: String,
        replies: String,
        exclusive: Option<bool>,
    },
    /// Somebody in a list. Only up to 4.1, which imports no lists; there has to be a follow (facts 6.2).
    Member {
        title: String,
        acct: String,
    },
    /// `api`: `v2`, or `v1` up to 3.5. `form`: its fields without the time it expires.
    Filter {
        api: String,
        title: String,
        form: Vec<(String, String)>,
        until: Option<Time>,
    },
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    Open,
    Done,
    /// It was there already, perhaps with other settings, which are left as they are.
    There,
    /// The new server does not find whom it is about.
    NotFound,
    /// The server refused, with its own words where it has any.
    Refused(String),
    /// Its time is over.
    Over,
}

impl Stand {
    pub fn id(&self) -> &'static str {
        match self {
            Stand::Open => "open",
            Stand::Done => "done",
            Stand::There => "there",
            Stand::NotFound => "not-found",
            Stand::Refused(_) => "refused",
            Stand::Over => "over",
        }
    }

    fn of_id(id: &str, words: &str) -> Stand {
        match id {
            "done" => Stand::Done,
            "there" => Stand::There,
            "not-found" => Stand::NotFound,
            "refused" => Stand::Refused(words.to_owned()),
            "over" => Stand::Over,
            _ => Stand::Open,
        }
    }
}

impl Act {
    pub fn id(&self) -> &'static str {
        match self {
            Act::FollowTag(_) => "tag",
            Act::FeatureTag(_) => "featured-tag",
            Act::Note { .. } => "note",
            Act::Mute { .. } => "mute",
            Act::Endorse { .. } => "endorse",
            Act::List { .. } => "list",
            Act::Member { .. } => "member",
            Act::Filter { .. } => "filter",
        }
    }

    /// What it is about, for people.
    pub fn name(&self) -> &str {
        match self {
            Act::FollowTag(name) | Act::FeatureTag(name) => name,
            Act::Note { acct, .. }
            | Act::Mute { acct, .. }
            | Act::Endorse { acct }
            | Act::Member { acct, .. } => acct,
            Act::List { title, .. } | Act::Filter { title, .. } => title,
        }
    }

    /// Whom the new server must know for it.
    pub fn acct(&self) -> Option<&str> {
        match self {
            Act::Note { acct, .. }
            | Act::Mute { acct, .. }
            | Act::Endorse { acct }
            | Act::Member { acct, .. } => Some(acct),
            _ => None,
        }
    }

    /// `id`: the person's on the new server; `list`: the list's, if it is there. `recent`: 4.4 and later.
    pub fn request(&self, id: &str, list: Option<&str>, recent: bool, now: Time) -> Request {
        match self {
            Act::FollowTag(name) => request::follow_tag(name),
            Act::FeatureTag(name) => request::feature_tag(name),
            Act::Note { note, .. } => request::set_note(id, note),
            Act::Mute { notifications, until, .. } => {
                request::mute_for(id, *notifications, seconds(*until, now))
            }
            Act::Endorse { .. } => request::feature_account(id, recent),
            Act::List { title, replies, exclusive } => request::set_list(list, title, replies, *exclusive),
            Act::Member { .. } => request::add_to_list(list.unwrap_or_default(), id),
            Act::Filter { api, form, until, .. } => {
                let mut form = form.clone();
                if let Some(until) = until {
                    form.push(("expires_in".into(), seconds(*until, now).to_string()));
                }
                request::add_filter(api, form)
            }
        }
    }

    /// Whether its time has passed.
    pub fn is_over(&self, now: Time) -> bool {
        match self {
            Act::Mute { until, .. } => *until <= now,
            Act::Filter { until, .. } => until.is_some_and(|until| until <= now),
            _ => false,
        }
    }

    pub(super) fn write(&self, stand: &Stand) -> String {
        let mut object = Object::new();
        object.text("act", self.id()).text("stand", stand.id());
        if let Stand::Refused(words) = stand {
            object.text("words", words);
        }
        match self {
            Act::FollowTag(name) | Act::FeatureTag(name) => {
                object.text("name", name);
            }
            Act::Note { acct, note } => {
                object.text("acct", acct).text("note", note);
            }
            Act::Mute { acct, notifications, until } => {
                object.text("acct", acct).flag("notifications", *notifications).time("until", Some(*until));
            }
            Act::Endorse { acct } => {
                object.text("acct", acct);
            }
            Act::Member { title, acct } => {
                object.text("title", title).text("acct", acct);
            }
            Act::List { title, replies, exclusive } => {
                object.text("title", title).text("replies", replies);
                if let Some(exclusive) = exclusive {
                    object.flag("exclusive", *exclusive);
                }
            }
            Act::Filter { api, title, form, until } => {
                let fields: Vec<String> = form
                    .iter()
                    .map(|(name, value)| format!("[{},{}]", quoted(name), quoted(value)))
                    .collect();
                object.text("api", api).text("title", title).list("form", &fields).time("until", *until);
            }
        }
        object.end()
    }

    pub(super) fn read(value: &Value) -> Option<(Act, Stand)> {
        let words = |key| text(value, key).map(str::to_owned);
        let time = |key| value.get(key).and_then(Value::as_i64).map(Time);
        let act = match text(value, "act")? {
            "tag" => Act::FollowTag(words("name")?),
            "featured-tag" => Act::FeatureTag(words("name")?),
            "note" => Act::Note { acct: words("acct")?, note: words("note")? },
            "mute" => Act::Mute {
                acct: words("acct")?,
                notifications: flag(value, "notifications"),
                until: time("until")?,
            },
            "endorse" => Act::Endorse { acct: words("acct")? },
            "list" => Act::List {
                title: words("title")?,
                replies: words("replies")?,
                exclusive: value.get("exclusive").and_then(Value::as_bool),
            },
            "member" => Act::Member { title: words("title")?, acct: words("acct")? },
            "filter" => Act::Filter {
                api: words("api")?,
                title: words("title")?,
                form: value
                    .get("form")?
                    .as_array()?
                    .iter()
                    .filter_map(|pair| {
                        Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned()))
                    })
                    .collect(),
                until: time("until"),
            },
            _ => return None,
        };
        let stand = Stand::of_id(text(value, "stand")?, text(value, "words").unwrap_or_default());
        Some((act, stand))
    }
}

fn seconds(until: Time, now: Time) -> u64 {
    u64::try_from(until.since(now) / SECOND).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain;

    #[test]
    fn acts_come_back_as_they_were_written() {
        let all = [
            Act::FollowTag("caf\u{e9}".into()),
            Act::FeatureTag("cats".into()),
            Act::Note { acct: "a@b.example".into(), note: "met \"there\"\n".into() },
            Act::Mute { acct: "a@b.example".into(), notifications: true, until: Time(5) },
            Act::Endorse { acct: "a@b.example".into() },
            Act::Member { title: "friends".into(), acct: "a@b.example".into() },
            Act::List { title: "a, \"b\"".into(), replies: "none".into(), exclusive: Some(true) },
            Act::List { title: "old".into(), replies: "list".into(), exclusive: None },
            Act::Filter {
                api: "v2".into(),
                title: "spoilers".into(),
                form: vec![("title".into(), "spoilers".into()), ("context[]".into(), "home".into())],
                until: Some(Time(9)),
            },
        ];
        for act in all {
            for stand in [Stand::Open, Stand::Refused("no \"way\"".into()), Stand::There] {
                let written = plain::json(&act.write(&stand)).unwrap();
                assert_eq!(Act::read(&written), Some((act.clone(), stand)));
            }
        }
        assert_eq!(Act::read(&plain::json("{\"act\":\"delete\",\"stand\":\"open\"}").unwrap()), None);
    }

    #[test]
    fn what_expires_is_asked_for_the_rest_of_its_time() {
        let mute = Act::Mute { acct: "a@b.example".into(), notifications: false, until: Time(61_500) };
        let request = mute.request("7", None, true, Time(1_500));
        assert_eq!(
            request.form,
            [("notifications".into(), "false".into()), ("duration".into(), "60".into())]
        );
        assert!(mute.is_over(Time(61_500)) && !mute.is_over(Time(61_000)));
    }
}
