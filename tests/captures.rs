//! The readers in `src/server`, held against stored pages and replies of real servers, 4.3.23 and 4.6.5.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{captures, page};
use packed_trunk::job::survey::read_page;
use packed_trunk::server::markup::Markup;
use packed_trunk::server::page::{
    PageKind, account, account::AccountStatus, aliases, export, imports, migration,
};
use packed_trunk::server::profile::{Flag, Limits, Profile};
use packed_trunk::server::session::{Session, Standing};
use packed_trunk::server::version::Version;
use packed_trunk::server::{entity, length, profile, session};
use packed_trunk::trunk::dossier::{Cooldown, Email, Redirect};
use packed_trunk::when::Time;

/// The path at which a capture's chain of redirects ended, from its headers file.
fn final_path(headers: &str) -> String {
    let last = headers
        .lines()
        .filter_map(|line| line.strip_prefix("> "))
        .rfind(|line| line.starts_with("GET ") || line.starts_with("POST "));
    let url = last.and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
    path.unwrap_or_default().split('?').next().unwrap_or_default().to_owned()
}

struct Captured {
    name: String,
    path: String,
    html: String,
}

/// All captured pages, or none where there are no captures.
fn pages() -> Vec<Captured> {
    let Some(root) = captures() else { return Vec::new() };
    let mut found = Vec::new();
    for version in ["4.3.23", "4.6.5"] {
        for who in std::fs::read_dir(root.join(version)).unwrap().flatten() {
            let Ok(files) = std::fs::read_dir(who.path()) else { continue };
            for file in files.flatten() {
                let path = file.path();
                if path.extension().is_none_or(|extension| extension != "html") {
                    continue;
                }
                let headers = std::fs::read_to_string(path.with_extension("headers.txt")).unwrap();
                // A redirect that was not followed is no page.
                if !headers
                    .lines()
                    .filter_map(|line| line.strip_prefix("< "))
                    .any(|line| line.starts_with("200 "))
                {
                    continue;
                }
                let name = path.strip_prefix(&root).unwrap().with_extension("").display().to_string();
                found.push(Captured {
                    name,
                    path: final_path(&headers),
                    html: std::fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    assert!(found.len() > 200, "only {} captured pages found", found.len());
    found
}

fn one(name: &str) -> Option<Captured> {
    let root = captures()?;
    let html =
        std::fs::read_to_string(root.join(format!("{name}.html"))).unwrap_or_else(|e| panic!("{name}: {e}"));
    let headers = std::fs::read_to_string(root.join(format!("{name}.headers.txt"))).unwrap();
    Some(Captured { name: name.to_owned(), path: final_path(&headers), html })
}

fn both(name: &str) -> Vec<Captured> {
    ["4.3.23", "4.6.5"].iter().filter_map(|version| one(&format!("{version}/{name}"))).collect()
}

#[test]
fn every_captured_page_is_known_for_what_it_is_or_left_alone() {
    let expected = |path: &str| match path {
        "/settings/migration" => Some(PageKind::Migration),
        "/settings/migration/redirect" | "/settings/migration/redirect/new" => Some(PageKind::Redirect),
        "/settings/aliases" => Some(PageKind::Aliases),
        "/settings/export" => Some(PageKind::Export),
        "/settings/delete" => Some(PageKind::Delete),
        "/settings/profile" => Some(PageKind::Profile),
        "/auth/edit" | "/auth" => Some(PageKind::Account),
        "/auth/setup" => Some(PageKind::Setup),
        path if path == "/settings/imports"
            || path.strip_prefix("/settings/imports/").is_some_and(|id| !id.contains('/')) =>
        {
            Some(PageKind::Imports)
        }
        _ => None,
    };
    for capture in pages() {
        let found = PageKind::detect(&capture.path, &page(&capture.html));
        assert_eq!(found, expected(&capture.path), "{} at {}", capture.name, capture.path);
        if let Some(kind) = found {
            let place = kind.place();
            assert_eq!(
                page(&capture.html).all(place.container).len(),
                1,
                "{}: one place for the panel",
                capture.name
            );
        }
    }
}

#[test]
fn the_session_tells_who_is_signed_in() {
    let standing = |name: &str| {
        both(name).into_iter().map(|c| Session::read(&page(&c.html)).unwrap()).collect::<Vec<_>>()
    };
    for session in standing("old_alice/settings_migration_initial") {
        assert_eq!(session.standing, Standing::Functional);
        assert_eq!(session.account.handle.to_string(), "alice@old.test");
        assert!(session.account.uri.unwrap().0.starts_with("https://old.test/"));
    }
    for session in standing("new_alice3_unconfirmed/settings_aliases") {
        assert_eq!(session.standing, Standing::Held);
        assert_eq!(session.account.handle.to_string(), "alice3@new.test");
    }
    for session in standing("old_alice/after_move_settings_migration") {
        assert_eq!(session.standing, Standing::Moved("alice2@new.test".parse().ok()));
    }
    for capture in both("anon/auth_sign_in") {
        assert_eq!(session::Session::read(&page(&capture.html)), None);
    }
}

#[test]
fn the_migration_page_tells_redirect_cooldown_and_refusals() {
    let read =
        |name: &str| both(name).into_iter().map(|c| migration::read(&page(&c.html))).collect::<Vec<_>>();
    for seen in read("old_alice/settings_migration_initial") {
        assert!(
            !seen.redirecting && seen.cooldown.is_none() && !seen.handle_refused && seen.past.is_empty(),
            "{seen:?}"
        );
    }
    for seen in read("old_alice/after_move_settings_migration") {
        assert_eq!(seen.redirecting_to.unwrap().to_string(), "alice2@new.test");
        assert_eq!(seen.cooldown, Some(Some(30)));
        assert_eq!(seen.past.len(), 1);
        assert_eq!(
            (seen.past[0].followers, seen.past[0].target.as_ref().unwrap().to_string()),
            (Some(15), "alice2@new.test".into())
        );
        assert!(seen.past[0].at.is_some());
    }
    for seen in read("old_alice/after_cancel_settings_migration") {
        assert!(!seen.redirecting);
        assert!(seen.cooldown.is_some());
    }
    for (name, refused) in [
        ("old_alice/migration_err_no_alias", true),
        ("old_alice/migration_err_not_found", true),
        ("old_alice/migration_err_wrong_password", false),
    ] {
        for seen in read(name) {
            assert_eq!(seen.handle_refused, refused, "{name}");
            assert!(seen.tried.is_some(), "{name}");
        }
    }
    for seen in read("old_dave/settings_migration_redirected") {
        assert!(seen.redirecting && seen.cooldown.is_none(), "a redirect alone starts no cooldown: {seen:?}");
    }
}

#[test]
fn aliases_and_counts_are_read() {
    let handles = |name: &str| {
        both(name)
            .into_iter()
            .map(|c| aliases::read(&page(&c.html), None))
            .map(|seen| {
                assert_eq!(seen.unreadable, 0, "{name}");
                seen.aliases.iter().map(|handle| handle.to_string()).collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    for seen in handles("new_alice2/settings_aliases_empty") {
        assert_eq!(seen, Vec::<String>::new());
    }
    for seen in handles("new_alice2/settings_aliases_two") {
        assert_eq!(seen, ["dave@old.test", "alice@old.test"]);
    }
    for (name, refused) in [
        ("new_alice2/alias_create", false),
        ("new_alice2/alias_err_not_found", true),
        ("new_alice2/alias_err_self", true),
        ("new_alice2/alias_err_duplicate", true),
        ("new_alice2/alias_err_empty", true),
    ] {
        for capture in both(name) {
            let seen = aliases::read(&page(&capture.html), None);
            assert_eq!(seen.refused.is_some(), refused, "{}", capture.name);
            assert_eq!(seen.notice, !refused, "{}", capture.name);
        }
    }
    for capture in both("old_alice/settings_export") {
        let counts = export::read(&page(&capture.html));
        assert_eq!(
            (counts.follows, counts.lists, counts.mutes, counts.blocks),
            (Some(30), Some(2), Some(3), Some(3))
        );
        assert_eq!((counts.domain_blocks, counts.bookmarks), (Some(2), Some(6)));
        assert_eq!(counts.filters.is_some(), capture.name.starts_with("4.6"), "filters since 4.6");
    }
}

#[test]
fn the_account_page_tells_what_holds_an_account_up() {
    for (name, expected) in [
        ("old_alice/auth_edit_confirmed", AccountStatus::Quiet),
        ("new_alice3_unconfirmed/auth_edit", AccountStatus::Unconfirmed),
        ("old_alice/after_move_auth_edit", AccountStatus::Moved),
        ("new_bob8/auth_edit_pending_email", AccountStatus::Quiet),
    ] {
        for capture in both(name) {
            assert_eq!(account::read(&page(&capture.html)), expected, "{}", capture.name);
        }
    }
}

#[test]
fn facts_of_whole_pages() {
    let facts = |name: &str| {
        both(name).into_iter().map(|c| read_page(&c.path, &page(&c.html), Time(7))).collect::<Vec<_>>()
    };
    for facts in facts("new_alice3_unconfirmed/auth_setup") {
        assert_eq!(facts.email.unwrap().value, Email::Held);
    }
    for facts in facts("new_alice3_unconfirmed/auth_edit") {
        assert_eq!(facts.email.unwrap().value, Email::Unconfirmed);
    }
    for facts in facts("old_alice/after_move_settings_migration") {
        assert_eq!(facts.redirect.unwrap().value, Redirect::To("alice2@new.test".parse().ok()));
        assert_eq!(facts.cooldown.unwrap().value, Cooldown::Days(30));
        assert_eq!(facts.email, None);
    }
    for facts in facts("old_alice/settings_migration_initial") {
        assert_eq!(facts.email.unwrap().value, Email::Confirmed);
        assert_eq!(facts.redirect.unwrap().value, Redirect::None);
        assert_eq!(facts.followers.unwrap().value, 15);
    }
}

#[test]
fn entities_of_the_real_api_are_read() {
    let Some(root) = captures() else { return };
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(root.join(name)).unwrap()).unwrap()
    };
    let old = "old.test".parse().unwrap();
    for version in ["4.3.23", "4.6.5"] {
        let account =
            entity::Account::read(&json(&format!("{version}/old_alice/api_verify_credentials.json")), &old)
                .unwrap();
        assert_eq!(
            (account.handle.to_string().as_str(), account.follow_requests, account.locked),
            ("alice@old.test", Some(0), Some(false))
        );
        let conversations =
            entity::conversations(&json(&format!("{version}/old_alice/api_conversations.json"))).unwrap();
        assert_eq!(conversations.len(), 4);
        assert!(conversations.iter().all(|conversation| conversation.last_status.is_some()));
        let (subject, uri) =
            entity::webfinger(&json(&format!("{version}/new_alice2/before_alias_webfinger.json"))).unwrap();
        assert_eq!(subject.unwrap().to_string(), "alice2@new.test");
        let before = entity::actor(&json(&format!("{version}/new_alice2/before_alias_actor.json"))).unwrap();
        assert_eq!((before.uri, before.also_known_as.len()), (uri, 0));
        // Read after the alias was made, within the three minutes: the cache of facts 13, "Alias".
        let after = entity::actor(&json(&format!("{version}/new_alice2/after_alias2_actor.json"))).unwrap();
        assert!(after.also_known_as.is_empty());
        let moved = entity::actor(&json(&format!("{version}/old_alice/after_move_self_actor.json"))).unwrap();
        assert!(moved.moved);
    }
}

/// Label, what stands in the column of states, imported and total, failures, and whether it waits for its confirmation.
type Told<'a> = (&'a str, &'a str, u64, u64, Option<u64>, bool);

#[test]
fn imports_are_read_in_every_state() {
    let waits = |label, total| (label, "Unconfirmed", 0, total, None, true);
    let through = |label, total| (label, "Finished", total, total, None, false);
    let earlier = [waits("Following list", 30), waits("Muting list", 30), waits("Lists", 2)];
    let finished: &[Told] = &[
        waits("Blocking list", 2),
        ("Following list", "Finished", 30, 33, Some(3), false),
        through("Bookmarks", 6),
        through("Domain blocking list", 2),
        through("Blocking list", 3),
        through("Muting list", 3),
        through("Lists", 6),
        through("Following list", 30),
        waits("Muting list", 30),
        waits("Lists", 2),
    ];
    for (version, progress) in [("4.3.23", 0), ("4.6.5", 5)] {
        let mut begun = vec![("Following list", "In progress", progress, 30, None, false)];
        begun.extend([waits("Muting list", 30), waits("Lists", 2)]);
        let mut waiting = vec![waits("Muting list", 30), waits("Lists", 2)];
        if version == "4.6.5" {
            begun.extend(earlier);
            waiting.extend(earlier);
        }
        for (name, expected) in [
            ("settings_imports_empty", &[][..]),
            ("settings_imports_with_unconfirmed", &waiting),
            ("settings_imports_in_progress", &begun),
            ("settings_imports_finished", finished),
            ("settings_imports_finished_later", finished),
        ] {
            let Some(capture) = one(&format!("{version}/new_alice2/{name}")) else { return };
            let read = imports::read(&page(&capture.html));
            let told: Vec<Told> = read
                .rows
                .iter()
                .map(|row| (&*row.label, &*row.state, row.imported, row.total, row.failures, row.unconfirmed))
                .collect();
            assert_eq!(told, expected, "{}", capture.name);
            assert!(read.two_steps && read.refused.is_none() && !read.notice, "{}", capture.name);
            for row in &read.rows {
                assert!(Time::from_iso(&row.begun).is_some(), "{}: {:?}", capture.name, row.begun);
                assert!(row.id.is_some(), "{}: {row:?}", capture.name);
                let through = row.state == "Finished";
                assert_eq!(row.is_finished(), through, "{}: {row:?}", capture.name);
            }
            let mut kinds = vec!["following", "bookmarks", "lists", "muting", "blocking", "domain_blocking"];
            if version == "4.6.5" {
                kinds.push("custom_filters");
            }
            for kind in &kinds {
                assert!(
                    read.kinds.iter().any(|own| own == kind),
                    "{}: {kind} in {:?}",
                    capture.name,
                    read.kinds
                );
            }
            assert_eq!(read.kinds.len(), kinds.len(), "{}", capture.name);
        }
    }
}

#[test]
fn what_a_server_says_of_a_bad_file_is_read_in_its_words() {
    for (name, words) in [
        ("no_file", "can't be blank"),
        ("empty_file", "Empty CSV file"),
        ("garbage", "Invalid CSV file. Error: Invalid byte sequence in UTF-8 in line 1."),
        ("malformed", "Invalid CSV file. Error: Any value after quoted field isn't allowed in line 1."),
    ] {
        for capture in both(&format!("new_alice2/import_err_{name}")) {
            let refused = imports::read(&page(&capture.html)).refused;
            assert_eq!(refused.as_deref(), Some(words), "{}", capture.name);
        }
    }
    for capture in both("new_alice2/import_follows_confirm") {
        assert!(imports::read(&page(&capture.html)).notice, "{}", capture.name);
    }
}

#[test]
fn the_page_that_confirms_an_import_is_read() {
    for (name, mismatch, words) in [
        ("import_follows_upload", false, "30 accounts"),
        ("import_follows_show_again", false, "30 accounts"),
        ("import_mismatch_confirm", true, "30 accounts"),
        ("import_err_lists_bad", false, ""),
        ("import_blocks_noheader_upload", false, "2 accounts"),
    ] {
        for capture in both(&format!("new_alice2/{name}")) {
            let read = imports::read_confirmation(&page(&capture.html));
            assert!(read.there, "{}", capture.name);
            assert_eq!(read.mismatch, mismatch, "{}", capture.name);
            assert!(read.words.contains(words), "{}: {}", capture.name, read.words);
            assert!(imports::id_in(&capture.path).is_some(), "{}: {}", capture.name, capture.path);
        }
    }
    // Afterwards, it is the list again.
    for capture in both("new_alice2/import_follows_confirm") {
        assert!(!imports::read_confirmation(&page(&capture.html)).there, "{}", capture.name);
    }
}

/// They have no link to be known by: the row behind the lists is theirs.
#[test]
fn followers_are_counted_on_the_export_page() {
    for capture in pages().iter().filter(|capture| capture.path == "/settings/export") {
        let counts = export::read(&page(&capture.html));
        let Some(followers) = counts.followers else { panic!("{}: {counts:?}", capture.name) };
        assert!(counts.follows.is_some() && counts.lists.is_some(), "{}: {counts:?}", capture.name);
        assert_eq!(counts.filters.is_some(), capture.name.starts_with("4.6"), "{}", capture.name);
        if capture.name.ends_with("old_alice/settings_export") {
            assert_eq!(followers, 15, "{}", capture.name);
        }
    }
}

/// A stored reply of the API, as JSON.
fn reply(name: &str) -> Option<serde_json::Value> {
    let text =
        std::fs::read_to_string(captures()?.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn ones_own_profile_is_read_as_it_was_typed() {
    let local = "old.test".parse().unwrap();
    let Some(before) = reply("4.6.5-api/profile/verify_credentials_before.json") else { return };
    let own = Profile::read(&before, &local).unwrap();
    assert_eq!((own.name.as_str(), own.note.as_str()), ("Carol15", "I am carol15 on old.test"));
    assert_eq!((own.avatar.url, own.avatar.words.as_deref()), (None, Some("")));
    let told = [
        (Flag::Bot, Some(false)),
        (Flag::Discoverable, None),
        (Flag::Indexable, Some(false)),
        (Flag::HideCollections, None),
    ];
    assert_eq!(own.flags, told);
    assert_eq!((own.locked, own.follow_requests), (Some(true), Some(2)));
    let shown = profile::shown(&before).unwrap();
    assert!(shown.name && shown.note && shown.fields == 0 && !shown.avatar && !shown.header);

    let after = reply("4.6.5-api/profile/verify_credentials_after.json").unwrap();
    let own = Profile::read(&after, &local).unwrap();
    // The server took this bio: 691 signs as it stands there, an address for 23 of them as Mastodon counts.
    assert_eq!((own.note.chars().count(), length::length(&own.note, length::URL)), (691, 494));
    assert_eq!(own.avatar.words.as_deref(), Some("a round \"A\""));
    assert!(own.avatar.url.is_some() && own.header.url.is_some());
    assert_eq!(own.fields.len(), 1);
    assert_eq!((own.fields[0].name.len(), own.fields[0].value.len()), (255, 255));
    // What is not one's own has no texts as they were typed.
    let other = reply("4.6.5-api/profile/profile_get.json").unwrap();
    assert_eq!(Profile::read(&other, &local), None);
}

#[test]
fn what_a_server_takes_is_read_from_itself() {
    for (version, name, longest) in
        [("4.3.23", "4.3.23/anon/api_v2_instance.json", 30), ("4.6.5", "4.6.5/anon/api_v2_instance.json", 40)]
    {
        let Some(instance) = reply(name) else { return };
        let mut limits = Limits::of(Version::parse(version).as_ref());
        let before = limits.clone();
        limits.learn(&instance);
        // What we believe of the version is what the server says.
        assert_eq!(limits, before, "{version}");
        assert_eq!(limits.name, longest);
    }
    let emojis = reply("4.6.5-api/dm/custom_emojis.json").unwrap();
    assert_eq!(profile::emojis(&emojis).unwrap(), ["testcat"]);
    let tags = profile::tags(&reply("4.6.5-api/api/featured_tags.json").unwrap()).unwrap();
    assert!(!tags.is_empty() && tags.iter().all(|tag| !tag.name.is_empty()));
}
