//! The people and their things as every run begins with them. `README.md` lists them for those who write tests.

use crate::clock::{DAY, HOUR, MINUTE, Millis};
use crate::federation::{blank_account, copy_of, resolve};
use crate::social::{Draft, post};
use crate::state::{
    Alias, Elsewhere, Filter, Id, List, Mark, Media, Migration, Poll, Server, Side, User, Visibility, World,
};
use crate::version::Version;
use crate::{correspondence, moves, petra, social};

/// The password of everybody.
pub const PASSWORD: &str = "correct horse";

pub fn world(old_version: Version, new_version: Version, old_domain: String, new_domain: String) -> World {
    let mut world = World::new(
        Server::new(Side::Old, old_version, old_domain),
        Server::new(Side::New, new_version, new_domain),
    );
    people_elsewhere(&mut world);
    old_people(&mut world);
    new_people(&mut world);
    ana(&mut world);
    others(&mut world);
    correspondence::seed(&mut world);
    petra::seed(&mut world);
    // What the making of the world has left behind is no news to anybody.
    world.log.clear();
    world.mails.clear();
    world.server_mut(Side::Old).actor_cache.clear();
    world.server_mut(Side::New).actor_cache.clear();
    world
}

pub fn person(world: &mut World, side: Side, username: &str, display_name: &str) -> Id {
    let now = world.now();
    let server = world.server_mut(side);
    let made = now - 400 * DAY;
    let id = server.next_snowflake(made);
    let number = server.next_number();
    let mut account = blank_account(id, username, None, made);
    account.display_name = display_name.to_owned();
    account.note = format!("I am {username} on {}", server.domain);
    account.uri = if server.version.numeric_actor_uris() {
        format!("{}/ap/users/{id}", server.origin)
    } else {
        format!("{}/users/{username}", server.origin)
    };
    account.url = format!("{}/@{username}", server.origin);
    account.user = Some(User {
        number,
        email: format!("{username}@mail.example"),
        unconfirmed_email: None,
        password: PASSWORD.to_owned(),
        confirmed: true,
        approved: true,
        confirmation_token: None,
        confirmation_sent_at: made,
        owner: false,
        migrations: Vec::new(),
        imports: Vec::new(),
        backup_requested_at: None,
        domain_blocks: Vec::new(),
        followed_tags: Vec::new(),
        featured_tags: Vec::new(),
        pinned: Vec::new(),
        endorsed: Vec::new(),
        notes: std::collections::BTreeMap::new(),
        settings: std::collections::BTreeMap::new(),
    });
    server.accounts.insert(id, account);
    id
}

fn people_elsewhere(world: &mut World) {
    let mut add = |username: &str, domain: &str, display_name: &str, follows_moves: bool| {
        world.elsewhere.push(Elsewhere {
            username: username.to_owned(),
            domain: domain.to_owned(),
            display_name: display_name.to_owned(),
            follows_moves,
            locked: username == "lena",
            moved_to: None,
            gone: None,
        });
    };
    for (name, display) in [
        ("rita", "Rita Remote"),
        ("ruth", "Ruth"),
        ("Rosa", "Rosa Ü."),
        ("rolf", "Rolf"),
        ("lena", "Lena (locked)"),
        ("stranger", "A Stranger"),
        ("salesman", "Best Offers"),
    ] {
        add(name, "remote.example", display, true);
    }
    for (name, display) in [("paul", "Paul"), ("pia", "Pia"), ("pixie", "Pixie")] {
        // This software knows no moves: its people stay behind (facts 3.4).
        add(name, "pixel.example", display, false);
    }
    for name in ["kira", "karl"] {
        add(name, "xn--bcher-kva.example", name, true);
    }
    add("nora", "blocked.example", "Nora", true);
}

fn old_people(world: &mut World) {
    for (name, display) in [
        ("ana", "Ana"),
        ("ben", "Ben"),
        ("cleo", "Cleo"),
        ("dora", "Dora"),
        ("emil", "Emil"),
        ("admin", "Admin"),
    ] {
        person(world, Side::Old, name, display);
    }
    for number in 1..=14 {
        person(world, Side::Old, &format!("carol{number:02}"), &format!("Carol {number}"));
    }
    for number in 1..=3 {
        person(world, Side::Old, &format!("muted{number}"), &format!("Muted {number}"));
        person(world, Side::Old, &format!("blocked{number}"), &format!("Blocked {number}"));
    }
    if let Some(admin) =
        local(world, Side::Old, "admin").and_then(|id| world.server_mut(Side::Old).user_mut(id))
    {
        admin.owner = true;
    }
}

fn new_people(world: &mut World) {
    for (name, display) in [
        ("ana", "Ana"),
        ("ana_new", "Ana (new home)"),
        ("ana_pending", "Ana (applying)"),
        ("ana_locked", "Ana (locked)"),
        ("ana_ready", "Ana (new home)"),
        ("ana_change", "Ana (changing)"),
        ("ana_moved", "Ana (gone on)"),
        ("ben", "Ben"),
        ("dora", "Dora"),
        ("admin", "Admin"),
    ] {
        person(world, Side::New, name, display);
    }
    for number in 1..=8 {
        person(world, Side::New, &format!("bob{number}"), &format!("Bob {number}"));
    }
    let now = world.now();
    let mut user = |name: &str, change: &dyn Fn(&mut User)| {
        if let Some(user) =
            local(world, Side::New, name).and_then(|id| world.server_mut(Side::New).user_mut(id))
        {
            change(user);
        }
    };
    user("admin", &|user| user.owner = true);
    user("ana_new", &|user| {
        user.confirmed = false;
        user.confirmation_sent_at = now - 2 * DAY + HOUR;
    });
    user("ana_pending", &|user| user.approved = false);
    user("ana_change", &|user| user.unconfirmed_email = Some("ana_change_new@mail.example".to_owned()));
    for name in ["ana_new", "ana_pending"] {
        if let Some(account) =
            local(world, Side::New, name).and_then(|id| world.server_mut(Side::New).account_mut(id))
        {
            account.created_at = (now - 2 * DAY).div_euclid(DAY) * DAY;
        }
    }
    world.server_mut(Side::New).blocked_domains = vec![
        ("blocked.example".to_owned(), "suspend".to_owned(), "Spam".to_owned()),
        ("limited.example".to_owned(), "silence".to_owned(), "Off-topic posts".to_owned()),
    ];
}

pub fn local(world: &World, side: Side, username: &str) -> Option<Id> {
    world.server(side).find(username, None)
}

fn known(world: &mut World, side: Side, acct: &str) -> Id {
    resolve(world, side, acct, false).unwrap_or_default()
}

pub fn alias_for(world: &mut World, owner: &str, old_name: &str) {
    let Some(owner) = local(world, Side::New, owner) else { return };
    let Some(old) = local(world, Side::Old, old_name).and_then(|id| copy_of(world, Side::Old, id, Side::New))
    else {
        return;
    };
    let server = world.server_mut(Side::New);
    let (acct, uri) =
        (server.full_acct(old), server.account(old).map(|account| account.uri.clone()).unwrap_or_default());
    let id = server.next_number();
    if let Some(account) = server.account_mut(owner) {
        account.also_known_as.push(uri.clone());
        account.aliases.push(Alias { id, acct, uri });
    }
}

/// Ana of the old server, the one who moves.
fn ana(world: &mut World) {
    let side = Side::Old;
    let Some(ana) = local(world, side, "ana") else { return };
    let now = world.now();
    let new_domain = world.server(Side::New).domain.clone();
    if let Some(account) = world.server_mut(side).account_mut(ana) {
        account.display_name = "Ana Ruiz".to_owned();
        account.note = "Gardens, maps & old radios. She/her.".to_owned();
        account.fields = vec![
            ("Website".to_owned(), "https://ana.example".to_owned()),
            ("Pronouns".to_owned(), "she/her".to_owned()),
        ];
        if let Some(user) = account.user.as_mut() {
            user.domain_blocks = vec!["bad.example".to_owned(), "spam.example".to_owned()];
            user.followed_tags = vec!["gardening".to_owned(), "maps".to_owned(), "café".to_owned()];
        }
    }
    // 34 follows: 12 here, 8 on the new server, 14 elsewhere or more of here, so that exports show every kind of address.
    let mut follows: Vec<String> = (1..=14).map(|number| format!("carol{number:02}")).collect();
    follows.extend((1..=8).map(|number| format!("bob{number}@{new_domain}")));
    follows.extend(["rita", "ruth", "Rosa", "rolf"].map(|name| format!("{name}@remote.example")));
    follows.extend(["paul", "pia"].map(|name| format!("{name}@pixel.example")));
    follows.extend(["kira", "karl"].map(|name| format!("{name}@xn--bcher-kva.example")));
    follows.extend(["nora@blocked.example", "ben", "emil", "admin"].map(str::to_owned));
    for (number, acct) in follows.iter().enumerate() {
        let to = known(world, side, acct);
        let languages = if number % 9 == 4 { vec!["de".to_owned(), "en".to_owned()] } else { Vec::new() };
        social::follow(world, side, ana, to, number % 5 != 3, number % 7 == 2, &languages);
    }
    let lena = known(world, side, "lena@remote.example");
    social::follow(world, side, ana, lena, true, false, &[]);
    // 12 followers: five here, four on the new server, three elsewhere, one of whom cannot come along.
    for number in 1..=5 {
        let from = known(world, side, &format!("carol{number:02}"));
        social::follow(world, side, from, ana, true, false, &[]);
    }
    for number in 1..=4 {
        follow_from_new(world, &format!("bob{number}"), "ana");
    }
    for acct in ["rita@remote.example", "ruth@remote.example", "pixie@pixel.example"] {
        let from = known(world, side, acct);
        world.server_mut(side).follow(from, ana, true, false, Vec::new());
    }
    // Two who wait for an answer, from when the account was locked.
    for name in ["carol13", "carol14"] {
        let from = known(world, side, name);
        world.server_mut(side).request_follow(from, ana, true, false, Vec::new());
    }
    possessions(world, ana, now);
    talks(world, ana, now);
}

fn follow_from_new(world: &mut World, follower: &str, followed: &str) {
    let domain = world.server(Side::Old).domain.clone();
    let Some(from) = local(world, Side::New, follower) else { return };
    let to = known(world, Side::New, &format!("{followed}@{domain}"));
    social::follow(world, Side::New, from, to, true, false, &[]);
    // The follower is now known on the old server too.
    let original = local(world, Side::Old, followed).unwrap_or_default();
    if let Some(copy) = copy_of(world, Side::New, from, Side::Old) {
        world.server_mut(Side::Old).follow(copy, original, true, false, Vec::new());
    }
}

fn possessions(world: &mut World, ana: Id, now: Millis) {
    let side = Side::Old;
    for number in 1..=3 {
        let muted = known(world, side, &format!("muted{number}"));
        social::mute(world, side, ana, muted, number != 2, None);
        let blocked = known(world, side, &format!("blocked{number}"));
        social::block(world, side, ana, blocked);
    }
    let lists: [(&str, &[&str]); 3] = [
        ("Close friends", &["carol01", "carol02", "carol03", "rita@remote.example"]),
        ("News, \"quoted\" & odd", &["carol04", "kira@xn--bcher-kva.example"]),
        ("Empty", &[]),
    ];
    for (title, members) in lists {
        let members: Vec<Id> = members.iter().map(|acct| known(world, side, acct)).collect();
        let server = world.server_mut(side);
        let id = server.next_number();
        server.lists.push(List {
            id,
            owner: ana,
            title: title.to_owned(),
            replies_policy: "list".to_owned(),
            exclusive: false,
            members,
        });
    }
    let mut posts = Vec::new();
    for number in 1..=6_i64 {
        let author = known(world, side, &format!("carol{number:02}"));
        let draft = Draft {
            text: format!("Public post number {number} about radios and maps"),
            visibility: Some(Visibility::Public),
            ..Draft::default()
        };
        posts.extend(post(world, side, author, now - (60 - number) * DAY, draft));
    }
    for number in 1..=8_i64 {
        let visibility = if number % 3 == 0 { Visibility::Unlisted } else { Visibility::Public };
        let draft = Draft {
            text: format!("My garden, week {number}"),
            visibility: Some(visibility),
            ..Draft::default()
        };
        post(world, side, ana, now - (50 - number * 4) * DAY, draft);
    }
    let server = world.server_mut(side);
    for (index, status) in posts.into_iter().enumerate() {
        let id = server.next_number();
        server.bookmarks.push(Mark { id, owner: ana, status });
        if index % 2 == 0 {
            let id = server.next_number();
            server.favourites.push(Mark { id, owner: ana, status });
        }
    }
    let (first, second, word) = (server.next_number(), server.next_number(), server.next_number());
    server.filters.push(Filter {
        id: first,
        owner: ana,
        title: "Spoilers".to_owned(),
        context: vec!["home".to_owned(), "notifications".to_owned()],
        expires_at: Some(now + 30 * DAY),
        action: "warn".to_owned(),
        keywords: vec![(word, "spoiler & <b>".to_owned(), true)],
        statuses: Vec::new(),
    });
    server.filters.push(Filter {
        id: second,
        owner: ana,
        title: "Football".to_owned(),
        context: vec!["home".to_owned(), "public".to_owned()],
        expires_at: None,
        action: "hide".to_owned(),
        keywords: vec![(word + 1, "football".to_owned(), false)],
        statuses: Vec::new(),
    });
    let friend = known(world, side, "carol01");
    if let Some(user) = world.server_mut(side).user_mut(ana) {
        user.notes.insert(friend, "met at the radio fair".to_owned());
    }
}

fn picture(world: &mut World, side: Side, at: Millis, tint: u8, description: Option<&str>) -> Media {
    let id = world.server_mut(side).next_snowflake(at);
    Media::picture(id, tint, description)
}

/// A private message in a thread of Ana's; `say` keeps the calls below short.
struct Talk<'world> {
    world: &'world mut World,
    at: Millis,
}

impl Talk<'_> {
    fn say(&mut self, author: Id, to: &[Id], parent: Option<Id>, text: &str) -> Option<Id> {
        self.draft(
            author,
            Draft { text: text.to_owned(), mentions: to.to_vec(), in_reply_to: parent, ..Draft::default() },
        )
    }

    fn draft(&mut self, author: Id, draft: Draft) -> Option<Id> {
        self.at += 7 * MINUTE;
        let draft = Draft { visibility: Some(draft.visibility.unwrap_or(Visibility::Direct)), ..draft };
        post(self.world, Side::Old, author, self.at, draft)
    }
}

/// Fourteen conversations: short and long ones, groups, side branches, pictures, a poll, an edit, a content warning, a thread that begins in public,
/// one with herself; and beside them a stranger's message that waits in notification requests.
fn talks(world: &mut World, ana: Id, now: Millis) {
    let new_domain = world.server(Side::New).domain.clone();
    let who = |world: &mut World, acct: &str| known(world, Side::Old, acct);
    let carols: Vec<Id> = (1..=8).map(|number| who(world, &format!("carol{number:02}"))).collect();
    let bob1 = who(world, &format!("bob1@{new_domain}"));
    let rita = who(world, "rita@remote.example");
    let stranger = who(world, "stranger@remote.example");
    let [c1, c2, c3, c4, c5, c6, c7, c8] = carols.as_slice() else { return };
    let (c1, c2, c3, c4, c5, c6, c7, c8) = (*c1, *c2, *c3, *c4, *c5, *c6, *c7, *c8);
    let photo =
        picture(world, Side::Old, now - 40 * DAY, 40, Some("A gradient with \"quotes\" & <b>tags</b>"));
    let photo2 = picture(world, Side::Old, now - 39 * DAY, 90, None);
    let photo3 = picture(world, Side::Old, now - 38 * DAY, 160, Some("Second picture"));
    let mut talk = Talk { world, at: now - 40 * DAY };

    // 1: a chain with a side branch and a wide answer.
    let root = talk.say(ana, &[c1], None, "Shall we meet at the radio fair?");
    let yes = talk.say(c1, &[ana], root, "Yes! Saturday?");
    let time = talk.say(ana, &[c1], yes, "Saturday at ten, by the old transmitter");
    talk.say(c1, &[ana], time, "I will bring the Grundig");
    let side = talk.say(c1, &[ana], root, "By the way, did you get my letter?");
    talk.say(ana, &[c1], side, "It came today, thank you");
    // 2: a group in the same thread is a conversation of its own.
    talk.say(ana, &[c1, c2], time, "Carol 2 comes too");
    // 3: pictures.
    let first = talk.draft(
        c2,
        Draft {
            text: "Look at this".to_owned(),
            mentions: vec![ana],
            media: vec![photo, photo2],
            ..Draft::default()
        },
    );
    talk.draft(
        ana,
        Draft {
            text: "Mine is older".to_owned(),
            mentions: vec![c2],
            in_reply_to: first,
            media: vec![photo3],
            ..Draft::default()
        },
    );
    // 4: a content warning, and an edit.
    let warned = talk.draft(
        c3,
        Draft {
            text: "The ending is sad".to_owned(),
            mentions: vec![ana],
            spoiler: "film, spoiler".to_owned(),
            ..Draft::default()
        },
    );
    let edited = Some(now - 30 * DAY);
    talk.draft(
        ana,
        Draft {
            text: "I had guessed so (edited)".to_owned(),
            mentions: vec![c3],
            in_reply_to: warned,
            edited_at: edited,
            ..Draft::default()
        },
    );
    // 5: a poll.
    let poll = Poll {
        id: 1,
        multiple: true,
        expires_at: Some(now - 20 * DAY),
        options: vec![("Red <b>".to_owned(), 1), ("Blue & green".to_owned(), 0)],
        votes: std::collections::BTreeMap::new(),
    };
    talk.draft(
        c4,
        Draft { text: "Which colour?".to_owned(), mentions: vec![ana], poll: Some(poll), ..Draft::default() },
    );
    // 6: a thread that begins in public.
    let public = talk.draft(
        c5,
        Draft {
            text: "Who knows about tomatoes?".to_owned(),
            visibility: Some(Visibility::Public),
            ..Draft::default()
        },
    );
    let private = talk.say(ana, &[c5], public, "I do, but it is a long story");
    talk.say(c5, &[ana], private, "Tell me");
    // 7: from the new server. 8: from elsewhere, right-to-left and emoji.
    let hello = talk.say(ana, &[bob1], None, "I am thinking of moving to your server");
    talk.say(bob1, &[ana], hello, "oh nice, welcome!");
    let shalom = talk.say(rita, &[ana], None, "שלום Ana 👩‍🌾 <script>alert(1)</script>");
    talk.say(ana, &[rita], shalom, "Hello Rita & all");
    // 9: a note to herself.
    talk.say(ana, &[], None, "Remember: water the plants");
    // 10: a group of four.
    let group = talk.say(c6, &[ana, c7, c8], None, "Party on Friday?");
    talk.say(ana, &[c6, c7, c8], group, "I am in");
    talk.say(c7, &[c6, ana, c8], group, "Me too");
    // 11: one member of the group, aside.
    talk.say(c8, &[ana], group, "Do not tell Carol 6, I bake the cake");
    // 12: long.
    let mut last = talk.say(c6, &[ana], None, "Chess by mail: e4");
    for turn in 0..12 {
        let text = format!("move {}", turn + 2);
        last =
            if turn % 2 == 0 { talk.say(ana, &[c6], last, &text) } else { talk.say(c6, &[ana], last, &text) };
    }
    // 13 and 14: received, never answered.
    talk.say(c7, &[ana], None, "Are you still there?\nSecond line");
    talk.say(c8, &[ana], None, "Happy birthday!");
    // Not in the list of conversations: a stranger's.
    talk.say(stranger, &[ana], None, "You do not know me, but I knew your grandmother");
}

/// The others, in their states.
fn others(world: &mut World) {
    let now = world.now();
    for name in ["ana_locked", "ana_ready", "ana_change"] {
        alias_for(world, name, "ana");
    }
    if let Some(account) =
        local(world, Side::New, "ana_locked").and_then(|id| world.server_mut(Side::New).account_mut(id))
    {
        account.locked = true;
    }
    // Ben moved a week ago; his followers went with him.
    alias_for(world, "ben", "ben");
    follow_from_new(world, "bob5", "ben");
    let new_domain = world.server(Side::New).domain.clone();
    if let Some(ben) = local(world, Side::Old, "ben") {
        let before = world.now();
        let _ = moves::migrate(world, Side::Old, ben, &format!("ben@{new_domain}"), PASSWORD);
        if let Some(user) = world.server_mut(Side::Old).user_mut(ben) {
            for migration in &mut user.migrations {
                migration.at = before - 7 * DAY;
            }
        }
        for side in Side::BOTH {
            for notification in world.server_mut(side).notifications.all_mut() {
                if notification.kind == "follow" && notification.at >= before {
                    notification.at = before - 7 * DAY;
                }
            }
        }
    }
    // Cleo: the row was saved, the redirect was not (facts 3.1, mastodon#17284); twelve days of waiting left.
    if let Some(cleo) = local(world, Side::Old, "cleo") {
        let target = known(world, Side::Old, &format!("bob8@{new_domain}"));
        let acct = world.server(Side::Old).full_acct(target);
        if let Some(user) = world.server_mut(Side::Old).user_mut(cleo) {
            user.migrations.push(Migration { acct, target, followers: 0, at: now - 18 * DAY });
        }
    }
    // Dora only redirects.
    if let Some(dora) = local(world, Side::Old, "dora") {
        let _ = moves::redirect_only(world, Side::Old, dora, &format!("dora@{new_domain}"), PASSWORD);
    }
    if let Some(gone) = local(world, Side::New, "ana_moved") {
        let target = known(world, Side::New, "rita@remote.example");
        alias_for(world, "ana_moved", "ana");
        moves::set_redirect(world, Side::New, gone, Some(target));
    }
    // The old server knows none of the new Anas yet, as is usual before a move.
    let server = world.server_mut(Side::Old);
    server.accounts.retain(|_, account| account.is_local() || !account.username.starts_with("ana"));
}
