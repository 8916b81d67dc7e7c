//! How what is packed is kept, and read again: people, notes, addresses of posts, counts.

use serde_json::Value;

use crate::account::{Domain, Handle};
use crate::plain::{self, Object, Plain, flag, list, quoted, text};
use crate::server::entity;
use crate::server::page::export::Counts;
use crate::when::Time;

/// Somebody in a list of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// On the server that was asked.
    pub id: String,
    pub handle: Handle,
    pub name: String,
    pub locked: bool,
    pub bot: bool,
    pub suspended: bool,
    /// Where to, as far as that server knows.
    pub moved: Option<Handle>,
    /// Until when somebody is muted.
    pub until: Option<Time>,
}

impl Person {
    pub fn read(value: &Value, local: &Domain) -> Option<Person> {
        let account = entity::Account::read(value, local)?;
        Some(Person {
            id: account.id,
            handle: account.handle,
            name: text(value, "display_name").unwrap_or_default().chars().take(200).collect(),
            locked: account.locked == Some(true),
            bot: flag(value, "bot"),
            suspended: flag(value, "suspended"),
            moved: account.moved_to,
            until: text(value, "mute_expires_at").and_then(Time::from_iso),
        })
    }
}

/// Everybody in a page who can be read. Who cannot is nobody whom a server could follow either.
pub fn read_people(items: &[Value], local: &Domain) -> Vec<Person> {
    items.iter().filter_map(|item| Person::read(item, local)).collect()
}

/// One line of JSON each: two hundred thousand followers are 15 MB so, and 300 MB as their server sends them.
pub fn write_people(people: &[Person]) -> String {
    let lines: Vec<String> = people
        .iter()
        .map(|person| {
            let mut object = Object::new();
            object.text("id", &person.id).text("acct", &person.handle.acct()).text("name", &person.name);
            for (key, is) in [("locked", person.locked), ("bot", person.bot), ("suspended", person.suspended)]
            {
                if is {
                    object.flag(key, true);
                }
            }
            if let Some(moved) = &person.moved {
                object.text("moved", &moved.acct());
            }
            if person.until.is_some() {
                object.time("until", person.until);
            }
            object.end()
        })
        .collect();
    list(&lines)
}

/// What [`write_people`] wrote.
pub fn people(kept: &str) -> Vec<Person> {
    let Some(Value::Array(items)) = plain::json(kept) else { return Vec::new() };
    let read = |item: &Value| {
        let handle = |key| text(item, key).and_then(|acct| acct.parse().ok());
        Some(Person {
            id: text(item, "id")?.to_owned(),
            handle: handle("acct")?,
            name: text(item, "name").unwrap_or_default().to_owned(),
            locked: flag(item, "locked"),
            bot: flag(item, "bot"),
            suspended: flag(item, "suspended"),
            moved: handle("moved"),
            until: item.get("until").and_then(Value::as_i64).map(Time),
        })
    };
    items.iter().filter_map(read).collect()
}

/// What a relationship tells that no list does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub acct: String,
    pub note: String,
    /// One's own request to follow, which waits for an answer. No list has these (facts 11, mastodon#39826).
    pub requested: bool,
}

/// Keeps what is worth it of a page of relationships. `people`: id and handle of everybody who was asked for.
pub fn write_notes(raw: &[&str], people: &[(String, String)]) -> String {
    let line = |item: &&str| {
        let value = plain::json(item)?;
        let id = entity::id(value.get("id")?)?;
        let (_, acct) = people.iter().find(|(own, _)| *own == id)?;
        let (note, requested) = (text(&value, "note").unwrap_or_default(), flag(&value, "requested"));
        let worth = requested || !note.is_empty();
        worth.then(|| Object::new().text("acct", acct).text("note", note).flag("requested", requested).end())
    };
    list(&raw.iter().filter_map(line).collect::<Vec<_>>())
}

pub fn notes(kept: &str) -> Vec<Note> {
    let Some(Value::Array(items)) = plain::json(kept) else { return Vec::new() };
    let read = |item: &Value| {
        Some(Note {
            acct: text(item, "acct")?.to_owned(),
            note: text(item, "note").unwrap_or_default().to_owned(),
            requested: flag(item, "requested"),
        })
    };
    items.iter().filter_map(read).collect()
}

/// Of posts, where they are: favourites can be looked up again, not imported.
pub fn write_statuses(items: &[Value]) -> String {
    let line = |item: &Value| {
        let mut object = Object::new();
        object.maybe("uri", text(item, "uri")).maybe("url", text(item, "url"));
        if let Some(acct) = item.get("account").and_then(|account| text(account, "acct")) {
            object.text("acct", acct);
        }
        object.end()
    };
    list(&items.iter().map(line).collect::<Vec<_>>())
}

/// Names in a reply that is a list of objects with a `name`: hashtags.
pub fn names(reply: &str) -> Vec<String> {
    let Some(Value::Array(items)) = plain::json(reply) else { return Vec::new() };
    items.iter().filter_map(|item| text(item, "name")).map(str::to_owned).collect()
}

/// The settings of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSettings {
    pub id: String,
    pub title: String,
    /// `followed`, `list` or `none`: whose replies are shown.
    pub replies: String,
    /// 4.2 and later.
    pub exclusive: Option<bool>,
}

pub fn list_settings(reply: &str) -> Vec<ListSettings> {
    let Some(Value::Array(items)) = plain::json(reply) else { return Vec::new() };
    let read = |item: &Value| {
        Some(ListSettings {
            id: entity::id(item.get("id")?)?,
            title: text(item, "title")?.to_owned(),
            replies: text(item, "replies_policy").unwrap_or("list").to_owned(),
            exclusive: item.get("exclusive").and_then(Value::as_bool),
        })
    };
    items.iter().filter_map(read).collect()
}

/// Since when somebody follows, from the notifications that are left.
pub fn followed_since(reply: &str, local: &Domain) -> Vec<(Handle, Time)> {
    let Some(Value::Array(items)) = plain::json(reply) else { return Vec::new() };
    let read = |item: &Value| {
        let account = entity::Account::read(item.get("account")?, local)?;
        Some((account.handle, Time::from_iso(text(item, "created_at")?)?))
    };
    items.iter().filter_map(read).collect()
}

/// The account's own pictures, unless they are the server's placeholders.
pub fn pictures(profile: &str) -> Vec<String> {
    let Some(value) = plain::json(profile) else { return Vec::new() };
    ["avatar", "header"]
        .iter()
        .filter_map(|key| text(&value, key))
        .filter(|url| !url.is_empty() && !url.ends_with("/missing.png"))
        .map(str::to_owned)
        .collect()
}

pub fn write_counts(counts: &Counts) -> String {
    counts.write().to_string()
}

pub fn counts(kept: &str) -> Counts {
    plain::json(kept).as_ref().and_then(Counts::read).unwrap_or_default()
}

/// Names as JSON, for the records of other jobs.
pub fn write_names(names: &[String]) -> String {
    list(&names.iter().map(|name| quoted(name)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_back_as_they_were_kept() {
        let local: Domain = "old.example".parse().unwrap();
        let value = plain::json(
            r#"[{"id":"1","acct":"ana","display_name":"Ana \"A\"","locked":true,"mute_expires_at":"2026-12-01T00:00:00.000Z"},
                {"id":"2","acct":"bo@b.example","moved":{"acct":"bo@c.example","id":"3"},"suspended":true},
                {"id":"4","acct":"not a handle"}, null]"#,
        )
        .unwrap();
        let read = read_people(value.as_array().unwrap(), &local);
        assert_eq!(read.len(), 2);
        assert_eq!(people(&write_people(&read)), read);
        assert_eq!(read[1].moved.as_ref().unwrap().acct(), "bo@c.example");
        assert!(people("nonsense").is_empty());
    }

    #[test]
    fn only_what_is_worth_it_is_kept_of_relationships() {
        let raw = [
            r#"{"id":"1","note":"","requested":false}"#,
            r#"{"id":"2","note":"met \"there\"","requested":false}"#,
            r#"{"id":"3","note":"","requested":true}"#,
            r#"{"id":"9","note":"nobody asked for","requested":true}"#,
            "null",
        ];
        let people = ["1", "2", "3"].map(|id| (id.to_owned(), format!("p{id}@old.example")));
        let kept = notes(&write_notes(&raw, &people));
        assert_eq!(
            kept.iter().map(|note| note.acct.as_str()).collect::<Vec<_>>(),
            ["p2@old.example", "p3@old.example"]
        );
        assert_eq!(kept[0].note, "met \"there\"");
    }

    #[test]
    fn counts_come_back() {
        let all = Counts { follows: Some(34), followers: Some(12), ..Counts::default() };
        assert_eq!(counts(&write_counts(&all)), all);
    }
}
