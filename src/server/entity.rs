//! The API's entities, as far as we look into them. Reading is total: a missing or odd field is `None`, never an error,
//! because other software and forks answer too.

use serde_json::Value;

use crate::account::{ActorUri, Domain, Handle, handle_in_link};
use crate::plain::{array, count, text};
use crate::when::Time;

/// An account entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub id: String,
    pub handle: Handle,
    /// 4.2 and later (facts 7).
    pub uri: Option<ActorUri>,
    pub locked: Option<bool>,
    pub moved: bool,
    /// Where to, as far as it can be read.
    pub moved_to: Option<Handle>,
    pub created_at: Option<Time>,
    pub followers: Option<u64>,
    pub following: Option<u64>,
    pub statuses: Option<u64>,
    /// Only in `verify_credentials`; the server stops counting at 40 (facts 7).
    pub follow_requests: Option<u64>,
}

impl Account {
    /// `local` is the domain that an `acct` without one means.
    pub fn read(value: &Value, local: &Domain) -> Option<Account> {
        let acct = value.get("acct").or_else(|| value.get("username"))?.as_str()?;
        let moved = value.get("moved").filter(|moved| moved.is_object());
        let target = moved.and_then(|moved| moved.get("acct")).and_then(Value::as_str);
        Some(Account {
            id: id(value.get("id")?)?,
            handle: Handle::from_acct(acct, local)?,
            uri: value.get("uri").and_then(Value::as_str).map(|uri| ActorUri(uri.to_owned())),
            locked: value.get("locked").and_then(Value::as_bool),
            moved: moved.is_some(),
            moved_to: target.and_then(|acct| Handle::from_acct(acct, local)),
            created_at: value.get("created_at").and_then(Value::as_str).and_then(Time::from_iso),
            // -1 is what some software says for "not told".
            followers: count(value, "followers_count"),
            following: count(value, "following_count"),
            statuses: count(value, "statuses_count"),
            follow_requests: value.get("source").and_then(|source| count(source, "follow_requests_count")),
        })
    }
}

/// What the conversation list says, without the messages themselves: they are personal, and a count needs no words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    pub id: String,
    /// The id to page on with: `max_id` means this one, not the conversation's (facts 13.1, 6).
    pub last_status: Option<String>,
}

/// One page of `/api/v1/conversations`.
pub fn conversations(value: &Value) -> Option<Vec<Conversation>> {
    let read = |item: &Value| {
        let last = item.get("last_status").and_then(|status| status.get("id")).and_then(id);
        Some(Conversation { id: id(item.get("id")?)?, last_status: last })
    };
    Some(value.as_array()?.iter().filter_map(read).collect())
}

/// How many of the statuses in a list, or in a list of notifications, are direct messages.
pub fn direct_messages(value: &Value) -> Option<usize> {
    let direct = |item: &&Value| {
        let status = item.get("status").unwrap_or(item);
        status.get("visibility").and_then(Value::as_str) == Some("direct")
    };
    Some(value.as_array()?.iter().filter(direct).count())
}

/// Whom the public posts in a list name, by mention or by a link to the profile.
pub fn named(value: &Value, local: &Domain) -> Option<Vec<Handle>> {
    let mut all: Vec<Handle> = Vec::new();
    for status in value.as_array()? {
        let is_public = matches!(text(status, "visibility"), Some("public" | "unlisted"));
        if !is_public || status.get("reblog").is_some_and(|boosted| !boosted.is_null()) {
            continue;
        }
        let mentions = array(status, "mentions").iter().filter_map(|person| text(person, "acct"));
        all.extend(mentions.filter_map(|acct| Handle::from_acct(acct, local)));
        let links = text(status, "content").unwrap_or_default().split("href=\"").skip(1);
        all.extend(links.filter_map(|rest| handle_in_link(rest.split('"').next()?)));
    }
    Some(all)
}

/// The domains on a server's public block list, `GET /api/v1/instance/domain_blocks`. Some servers hide part of a name
/// with `*`; those are kept as they are and match nothing by accident.
pub fn blocked_domains(value: &Value) -> Option<Vec<String>> {
    let suspended = |item: &&Value| item.get("severity").and_then(Value::as_str) == Some("suspend");
    let domain = |item: &Value| item.get("domain").and_then(Value::as_str).map(str::to_ascii_lowercase);
    Some(value.as_array()?.iter().filter(suspended).filter_map(domain).collect())
}

/// The actor's id out of a WebFinger reply, with the subject that the server itself states.
pub fn webfinger(value: &Value) -> Option<(Option<Handle>, ActorUri)> {
    let links = value.get("links")?.as_array()?;
    let own = links.iter().find(|link| {
        let is = |key: &str, wanted: &str| {
            link.get(key).and_then(Value::as_str).is_some_and(|v| v.starts_with(wanted))
        };
        is("rel", "self") && (is("type", "application/activity+json") || is("type", "application/ld+json"))
    })?;
    let subject = value.get("subject").and_then(Value::as_str).and_then(|s| s.strip_prefix("acct:"));
    Some((subject.and_then(|s| s.parse().ok()), ActorUri(own.get("href")?.as_str()?.to_owned())))
}

/// An actor document, as other servers see the account.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    pub uri: ActorUri,
    pub also_known_as: Vec<ActorUri>,
    pub moved: bool,
}

pub fn actor(value: &Value) -> Option<Actor> {
    // A single alias may stand without its array: JSON-LD allows both.
    let aliases = match value.get("alsoKnownAs") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    Some(Actor {
        uri: ActorUri(value.get("id")?.as_str()?.to_owned()),
        also_known_as: aliases.into_iter().map(|uri| ActorUri(uri.to_owned())).collect(),
        moved: value.get("movedTo").is_some_and(|moved| !moved.is_null()),
    })
}

/// Ids are strings in Mastodon; other software sends numbers.
pub fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() < 100 => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn local() -> Domain {
        "old.example".parse().unwrap()
    }

    #[test]
    fn reads_an_account_and_forgives_odd_fields() {
        let account = Account::read(
            &json!({"id": "1", "acct": "ana", "locked": "yes", "followers_count": -1, "following_count": 34,
                "created_at": "2026-11-21T00:00:00.000Z", "moved": {"acct": "ana@new.example"},
                "source": {"follow_requests_count": 2}}),
            &local(),
        )
        .unwrap();
        assert_eq!(account.handle.to_string(), "ana@old.example");
        assert_eq!((account.locked, account.followers, account.following), (None, None, Some(34)));
        assert_eq!(account.moved_to.unwrap().to_string(), "ana@new.example");
        assert_eq!(account.follow_requests, Some(2));
        for odd in [
            json!(null),
            json!([]),
            json!({"id": 1}),
            json!({"acct": 5, "id": "1"}),
            json!({"acct": "a b", "id": "1"}),
        ] {
            assert_eq!(Account::read(&odd, &local()), None, "{odd}");
        }
    }

    #[test]
    fn counts_direct_messages_in_statuses_and_notifications() {
        let statuses = json!([{"visibility": "direct"}, {"visibility": "public"}, {}, null]);
        assert_eq!(direct_messages(&statuses), Some(1));
        let notifications = json!([{"status": {"visibility": "direct"}}, {"status": null}]);
        assert_eq!(direct_messages(&notifications), Some(1));
        assert_eq!(direct_messages(&json!({"error": "x"})), None);
    }

    #[test]
    fn finds_whom_public_posts_name() {
        let posts = json!([
            {"visibility": "public", "reblog": null, "content": "", "mentions": [{"acct": "ana@one.example"}, {"acct": 5}]},
            {"visibility": "unlisted", "content": "<a href=\"https://two.example/@ana\" class=\"x\">I</a> <a href=\"#\">x</a>"},
            {"visibility": "private", "mentions": [{"acct": "ana@three.example"}]},
            {"visibility": "public", "reblog": {"id": "1"}, "mentions": [{"acct": "ana@four.example"}]},
            {"visibility": "public", "mentions": [{"acct": "ben"}]}, null]);
        let named: Vec<String> = named(&posts, &local()).unwrap().iter().map(Handle::acct).collect();
        assert_eq!(named, ["ana@one.example", "ana@two.example", "ben@old.example"]);
        assert_eq!(super::named(&json!({"error": "no"}), &local()), None);
    }

    #[test]
    fn reads_the_actor_with_one_alias_or_many() {
        let one =
            json!({"id": "https://new.example/users/ana", "alsoKnownAs": "https://old.example/users/ana"});
        let many = json!({"id": "https://new.example/users/ana", "alsoKnownAs": ["https://old.example/users/ana", 5]});
        for document in [one, many] {
            let actor = actor(&document).unwrap();
            assert_eq!(actor.also_known_as, [ActorUri("https://old.example/users/ana".into())]);
            assert!(!actor.moved);
        }
        assert!(actor(&json!({"id": "x", "movedTo": "y"})).unwrap().moved);
        assert_eq!(actor(&json!({"error": "Not Found"})), None);
    }

    #[test]
    fn finds_the_actor_in_webfinger() {
        let reply = json!({"subject": "acct:ana@new.example", "links": [
            {"rel": "http://webfinger.net/rel/profile-page", "href": "https://new.example/@ana"},
            {"rel": "self", "type": "application/activity+json", "href": "https://new.example/ap/users/1"}]});
        let (subject, uri) = webfinger(&reply).unwrap();
        assert_eq!(subject.unwrap().to_string(), "ana@new.example");
        assert_eq!(uri.0, "https://new.example/ap/users/1");
        assert_eq!(webfinger(&json!({"links": [{"rel": "self"}]})), None);
    }
}
