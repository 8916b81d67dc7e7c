//! Petra, who takes everything along: on the old server each kind of row whose fate on the new one differs, on the new one what makes it differ. `README.md` names them all.

use std::sync::Arc;

use crate::clock::{DAY, Millis};
use crate::federation::{MASS, blank_account, copy_of, resolve};
use crate::seed::{alias_for, local, person};
use crate::social::{self, Draft, Wishes, post};
use crate::state::{Elsewhere, Filter, Id, List, Mark, Picture, Side, Visibility, World};
use crate::version::Version;

/// The server that does not answer until a test says so.
pub const SILENT: &str = "silent.example";

fn elsewhere(username: &str, domain: &str, change: impl FnOnce(&mut Elsewhere)) -> Elsewhere {
    let mut person = Elsewhere {
        username: username.to_owned(),
        domain: domain.to_owned(),
        display_name: username.to_owned(),
        follows_moves: true,
        locked: false,
        moved_to: None,
        gone: None,
    };
    change(&mut person);
    person
}

fn known(world: &mut World, side: Side, acct: &str) -> Id {
    resolve(world, side, acct, false).unwrap_or_default()
}

pub fn seed(world: &mut World) {
    people(world);
    let (Some(old), Some(new)) = (local(world, Side::Old, "petra"), local(world, Side::New, "petra")) else {
        return;
    };
    alias_for(world, "petra", "petra");
    profile(world, old);
    follows(world, old, new);
    followers(world, old);
    // What the old server remembers was made before these left.
    for person in &mut world.elsewhere {
        match (person.username.as_str(), person.domain.as_str()) {
            ("moritz", "remote.example") => person.moved_to = Some("moritz_new@far.example".to_owned()),
            ("gerda", "remote.example") => person.gone = Some(410),
            ("gabi", "remote.example") => person.gone = Some(404),
            _ => {}
        }
    }
    let target = known(world, Side::Old, "moritz_new@far.example");
    let moritz = known(world, Side::Old, "moritz@remote.example");
    if let Some(account) = world.server_mut(Side::Old).account_mut(moritz) {
        account.moved_to = Some(target);
    }
    relations(world, old);
    lists(world, old);
    posts(world, old);
    filters(world, old);
    new_home(world, new);
    world.silent.insert(SILENT.to_owned());
}

fn people(world: &mut World) {
    for name in ["petra", "alva", "under_score_", "Quirin", "lotte", "lars", "bea", "mona", "bodo", "fred"] {
        person(world, Side::Old, name, &format!("{name} of the old one"));
    }
    for name in ["petra", "nils", "nora_n", "sven"] {
        person(world, Side::New, name, &format!("{name} of the new one"));
    }
    for name in ["lotte", "lars"] {
        if let Some(account) =
            local(world, Side::Old, name).and_then(|id| world.server_mut(Side::Old).account_mut(id))
        {
            account.locked = true;
        }
    }
    let nothing = |_: &mut Elsewhere| {};
    for name in [
        "dotted.name-x",
        "MiXed_Case",
        "moritz",
        "gerda",
        "gabi",
        "sid",
        "bruno",
        "berta",
        "fritzi",
        "max",
        "milo",
        "bert",
        "olaf",
    ] {
        world.elsewhere.push(elsewhere(name, "remote.example", nothing));
    }
    for (name, domain) in [
        ("moritz_new", "far.example"),
        ("fremd", "far.example"),
        ("frida", "far.example"),
        ("nelly", "sub.blocked.example"),
        ("sina", SILENT),
        ("sofie", SILENT),
        ("sarah", SILENT),
        ("dirk", "annoying.example"),
    ] {
        world.elsewhere.push(elsewhere(name, domain, nothing));
    }
}

fn profile(world: &mut World, petra: Id) {
    let picture = |kind: u8, width: u32, height: u32, description: &str| Picture {
        content_type: "image/png".to_owned(),
        name: format!("{kind:02x}5d41402abc4b2a.png"),
        description: description.to_owned(),
        bytes: Arc::new(crate::media::png(width, height, kind, u64::from(kind))),
    };
    let Some(account) = world.server_mut(Side::Old).account_mut(petra) else { return };
    account.display_name = "Petra 📻 Funke".to_owned();
    account.note = "Radios & \"relays\" <3\nShe/her".to_owned();
    account.fields = vec![
        ("Website".to_owned(), "https://petra.example".to_owned()),
        ("Call sign".to_owned(), "DL1PF 📡".to_owned()),
        ("Pronouns".to_owned(), "she/her".to_owned()),
    ];
    account.discoverable = Some(true);
    account.indexable = true;
    account.avatar = Some(picture(60, 48, 48, "a radio"));
    account.header = Some(picture(120, 150, 50, ""));
    if let Some(user) = account.user.as_mut() {
        user.settings.insert("default_privacy".to_owned(), "unlisted".to_owned());
        user.settings.insert("default_language".to_owned(), "de".to_owned());
        user.settings.insert("for_not_following".to_owned(), "filter".to_owned());
    }
}

/// Everybody whom Petra of the old server follows, in this order, so that the export has them the other way round.
pub fn followed(world: &World) -> Vec<String> {
    let new = &world.server(Side::New).domain;
    let mut all: Vec<String> =
        ["alva", "under_score_", "Quirin", "lotte", "bea", "ben"].map(str::to_owned).to_vec();
    all.extend(["nils", "nora_n", "sven", "petra"].map(|name| format!("{name}@{new}")));
    all.extend(
        [
            "rita",
            "ruth",
            "Rosa",
            "dotted.name-x",
            "MiXed_Case",
            "lena",
            "rolf",
            "moritz",
            "gerda",
            "gabi",
            "sid",
            "bruno",
            "berta",
            "fritzi",
        ]
        .map(|name| format!("{name}@remote.example")),
    );
    all.extend(
        [
            "kira@xn--bcher-kva.example",
            "nora@blocked.example",
            "nelly@sub.blocked.example",
            "sina@silent.example",
            "sofie@silent.example",
            "sarah@silent.example",
            "dirk@annoying.example",
        ]
        .map(str::to_owned),
    );
    all
}

fn follows(world: &mut World, petra: Id, new_petra: Id) {
    let side = Side::Old;
    for acct in followed(world) {
        let to = known(world, side, &acct);
        // Straight into the tables: those who are locked have said yes long ago, and who has moved was here then.
        let server = world.server_mut(side);
        let flags = acct.starts_with("fritzi@");
        let languages = if flags { vec!["de".to_owned(), "fr".to_owned()] } else { Vec::new() };
        server.follow(petra, to, !flags, flags, languages);
        if let Some(copy) = copy_of(world, side, petra, Side::New)
            && let Some(name) = acct.strip_suffix(&format!("@{}", world.server(Side::New).domain))
            && let Some(original) = local(world, Side::New, name)
        {
            world.server_mut(Side::New).follow(copy, original, true, false, Vec::new());
        }
    }
    if let Some(lars) = local(world, side, "lars") {
        let _ = social::try_follow(world, side, petra, lars, &Wishes::default());
    }
    // Whom the new Petra follows already: one of those, one in a different way, and one of whom the old one knows nothing.
    let own = world.server(Side::New).domain.clone();
    for acct in ["rolf@remote.example".to_owned(), format!("nils@{own}"), "olaf@remote.example".to_owned()] {
        let to = known(world, Side::New, &acct);
        social::follow(world, Side::New, new_petra, to, true, false, &[]);
    }
}

fn followers(world: &mut World, petra: Id) {
    let side = Side::Old;
    let now = world.now();
    let new = world.server(Side::New).domain.clone();
    let mut all: Vec<String> = ["alva", "under_score_", "Quirin", "mona"].map(str::to_owned).to_vec();
    all.extend(["nils", "nora_n"].map(|name| format!("{name}@{new}")));
    all.extend(
        [
            "rita@remote.example",
            "Rosa@remote.example",
            "moritz@remote.example",
            "paul@pixel.example",
            "kira@xn--bcher-kva.example",
            "sina@silent.example",
            "fremd@far.example",
        ]
        .map(str::to_owned),
    );
    for (number, acct) in all.iter().enumerate() {
        let from = known(world, side, acct);
        let at = now - Millis::try_from(100 - number * 7).unwrap_or(1) * DAY;
        let server = world.server_mut(side);
        server.follow(from, petra, true, false, Vec::new());
        // Older notifications were cleared away.
        if number % 2 == 0 {
            server.notify(petra, "follow", from, None, at, false);
        }
        if let Some(name) = acct.strip_suffix(&format!("@{new}"))
            && let Some(original) = local(world, Side::New, name)
            && let Some(copy) = copy_of(world, side, petra, Side::New)
        {
            world.server_mut(Side::New).follow(original, copy, true, false, Vec::new());
        }
    }
    for acct in ["fred", "frida@far.example"] {
        let from = known(world, side, acct);
        world.server_mut(side).request_follow(from, petra, true, false, Vec::new());
    }
}

fn relations(world: &mut World, petra: Id) {
    let side = Side::Old;
    let now = world.now();
    for (acct, hide, expires) in [
        ("mona", true, None),
        ("milo@remote.example", false, None),
        ("max@remote.example", false, Some(now + 10 * DAY)),
    ] {
        let to = known(world, side, acct);
        social::mute(world, side, petra, to, hide, expires);
    }
    for acct in ["bodo", "bert@remote.example"] {
        let to = known(world, side, acct);
        social::block(world, side, petra, to);
    }
    let notes: Vec<(Id, &str)> = [
        ("alva", "met at the \"radio\" fair,\nowes me a valve"),
        ("mona", "too many cats; muted in May"),
        ("fremd@far.example", "who is this? <asks about café>"),
    ]
    .into_iter()
    .map(|(acct, text)| (known(world, side, acct), text))
    .collect();
    let featured: Vec<Id> = ["alva", "rita@remote.example"].map(|acct| known(world, side, acct)).to_vec();
    let server = world.server_mut(side);
    let numbers: Vec<Id> = (0..4).map(|_| server.next_number()).collect();
    let follows_tags = server.version.at_least(Version::V4_1);
    let Some(user) = server.user_mut(petra) else { return };
    user.domain_blocks =
        vec!["bad.example".to_owned(), "spam.example".to_owned(), "xn--bse-sna.example".to_owned()];
    if follows_tags {
        user.followed_tags = ["Ham_Radio", "café", "funk", "日本"].map(str::to_owned).to_vec();
    }
    user.featured_tags = numbers.iter().copied().zip(["funk".to_owned(), "Gärten".to_owned()]).collect();
    user.endorsed = numbers.iter().copied().skip(2).zip(featured).collect();
    user.notes = notes.into_iter().map(|(id, text)| (id, text.to_owned())).collect();
}

fn lists(world: &mut World, petra: Id) {
    let side = Side::Old;
    let exclusive = world.server(side).version.at_least(Version::V4_2);
    let lists: [(&str, &str, bool, &[&str]); 3] = [
        ("Empty shelf", "list", false, &[]),
        ("Quiet", "none", exclusive, &["alva", "rita@remote.example", "lena@remote.example"]),
        (
            "Radio, \"ham\" & 📻",
            "followed",
            false,
            &["alva", "kira@xn--bcher-kva.example", "moritz@remote.example", "sina@silent.example"],
        ),
    ];
    for (title, policy, exclusive, members) in lists {
        let members: Vec<Id> = members.iter().map(|acct| known(world, side, acct)).collect();
        let server = world.server_mut(side);
        let id = server.next_number();
        server.lists.push(List {
            id,
            owner: petra,
            title: title.to_owned(),
            replies_policy: policy.to_owned(),
            exclusive,
            members,
        });
    }
}

/// Posts to bookmark: two that the new server can fetch, one that its own server has deleted, one for followers only, one on a server that is silent.
fn posts(world: &mut World, petra: Id) {
    let side = Side::Old;
    let now = world.now();
    let mut write = |acct: &str, text: &str, visibility: Visibility, age: i64| {
        let author = known(world, side, acct);
        let draft = Draft { text: text.to_owned(), visibility: Some(visibility), ..Draft::default() };
        post(world, side, author, now - age * DAY, draft).unwrap_or_default()
    };
    let posts = [
        write("alva", "How to mend a relay", Visibility::Public, 40),
        write("rita@remote.example", "The best aerials", Visibility::Public, 39),
        write("rita@remote.example", "Deleted by its author since", Visibility::Public, 38),
        write("lotte", "For followers alone", Visibility::Private, 37),
        write("sina@silent.example", "Nobody answers here any more", Visibility::Public, 36),
    ];
    write("petra", "On air tonight", Visibility::Public, 20);
    let server = world.server_mut(side);
    for status in posts {
        let id = server.next_number();
        server.bookmarks.push(Mark { id, owner: petra, status });
    }
    for status in posts.into_iter().take(3) {
        let id = server.next_number();
        server.favourites.push(Mark { id, owner: petra, status });
    }
    let deleted = posts.get(2).and_then(|id| server.statuses.get(id)).map(|status| status.uri.clone());
    world.deleted.extend(deleted);
}

/// Title, contexts, action, end, keywords and whether they are whole words.
type Planned<'a> = (&'a str, &'a [&'a str], &'a str, Option<Millis>, &'a [(&'a str, bool)]);

fn filters(world: &mut World, petra: Id) {
    let now = world.now();
    let server = world.server_mut(Side::Old);
    let version = server.version;
    let about = server.bookmarks.iter().find(|mark| mark.owner == petra).map(|mark| mark.status);
    let blur = if version.at_least(Version::V4_5) { "blur" } else { "hide" };
    let all: [Planned; 4] = [
        ("Spoilers", &["home", "notifications"], "warn", None, &[("spoiler & <b>", true), ("finale", false)]),
        ("Pictures", &["public", "thread", "account"], blur, None, &[("spiders", false)]),
        ("Election", &["home", "public"], "hide", Some(now + 5 * DAY), &[("election", true)]),
        ("That one post", &["home"], "warn", None, &[]),
    ];
    for (title, context, action, expires_at, keywords) in all {
        // Before 4.0 a filter is one phrase.
        if keywords.is_empty() && !version.at_least(Version::V4_1) {
            continue;
        }
        let id = server.next_number();
        let keywords = keywords
            .iter()
            .map(|(text, whole)| (server.next_number(), (*text).to_owned(), *whole))
            .collect::<Vec<_>>();
        let statuses = if keywords.is_empty() {
            about.map(|status| (server.next_number(), status)).into_iter().collect()
        } else {
            Vec::new()
        };
        server.filters.push(Filter {
            id,
            owner: petra,
            title: title.to_owned(),
            context: context.iter().map(|name| (*name).to_owned()).collect(),
            expires_at,
            action: action.to_owned(),
            keywords,
            statuses,
        });
    }
}

/// What the new server knows and the new Petra has done.
fn new_home(world: &mut World, petra: Id) {
    let side = Side::New;
    let sid = known(world, side, "sid@remote.example");
    for suspended in [Some(sid), local(world, side, "sven")].into_iter().flatten() {
        if let Some(account) = world.server_mut(side).account_mut(suspended) {
            account.suspended = true;
        }
    }
    let bruno = known(world, side, "bruno@remote.example");
    social::block(world, side, bruno, petra);
    let berta = known(world, side, "berta@remote.example");
    social::block(world, side, petra, berta);
    // Bea lives on the old server, and the new one hears of her block.
    if let Some(bea) = local(world, Side::Old, "bea")
        && let Some(copy) = copy_of(world, side, petra, Side::Old)
    {
        social::block(world, Side::Old, bea, copy);
    }
    social::block_domain(world, side, petra, "annoying.example");
}

/// Gives somebody `count` followers, or people to follow, who exist on `mass.example` and its kin as soon as they are asked for: a hundred thousand to a domain.
pub fn mass(world: &mut World, side: Side, owner: Id, count: usize, followers: bool) {
    let begin = world.now() - 300 * DAY;
    let server = world.server_mut(side);
    for number in 0..count {
        let (crowd, name) = (number / 100_000, format!("m{:06}", number % 1_000_000));
        let domain = if crowd == 0 { MASS.to_owned() } else { format!("{crowd}.{MASS}") };
        let id = server.find(&name, Some(&domain)).unwrap_or_else(|| {
            let id = server.next_snowflake(begin + Millis::try_from(number).unwrap_or(0));
            let mut account = blank_account(id, &name, Some(domain.clone()), begin);
            account.fetched_at = begin + 300 * DAY;
            account.uri = format!("https://{domain}/users/{name}");
            account.url = format!("https://{domain}/@{name}");
            server.accounts.insert(id, account);
            id
        });
        if followers {
            server.follow(id, owner, true, false, Vec::new());
        } else {
            server.follow(owner, id, true, false, Vec::new());
        }
    }
}
