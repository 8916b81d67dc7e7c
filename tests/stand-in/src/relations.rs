//! Following, muting and blocking, and what follows from it on both servers.

use crate::clock::Millis;
use crate::federation::{copy_of, is_blocked_domain, original_of};
use crate::imports;
use crate::social::forget_talks;
use crate::state::{Block, Id, Mail, Mute, Side, World};

/// Why nobody is followed, as Mastodon tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// `RecordNotFound`: unknown, suspended, or oneself.
    NotFound,
    /// `NotPermittedError`: moved, blocked by one or the other, or of a domain that is (facts 6.1).
    NotPermitted,
    /// `RecordInvalid`: more than the limit, which is this.
    Limit(usize),
}

/// The options of a follow; what is not said stays as it is, or is usual.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    pub reblogs: Option<bool>,
    pub notify: Option<bool>,
    pub languages: Option<Vec<String>>,
}

/// `from` (an account that `side` knows) follows `to`. Returns `None` where Mastodon refuses.
pub fn follow(
    world: &mut World,
    side: Side,
    from: Id,
    to: Id,
    reblogs: bool,
    notify: bool,
    languages: &[String],
) -> Option<bool> {
    let wishes = Wishes { reblogs: Some(reblogs), notify: Some(notify), languages: Some(languages.to_vec()) };
    try_follow(world, side, from, to, &wishes).ok()
}

fn is_permitted(world: &World, side: Side, from: Id, to: Id) -> bool {
    let server = world.server(side);
    let domain = server.account(to).and_then(|account| account.domain.as_deref());
    let refused = domain.is_some_and(|domain| {
        is_blocked_domain(server, domain)
            || server.user(from).is_some_and(|user| user.domain_blocks.iter().any(|other| other == domain))
    });
    let moved = server.account(to).is_some_and(|account| account.moved_to.is_some());
    !(refused || moved || server.blocks(to, from) || server.blocks(from, to))
}

/// `from` follows `to`. The other server is told; whoever is locked gets a request, and so does a server that does not answer. `Ok(false)` is a request.
pub fn try_follow(world: &mut World, side: Side, from: Id, to: Id, wishes: &Wishes) -> Result<bool, Denied> {
    let server = world.server(side);
    let target = server.account(to).filter(|target| !target.suspended).ok_or(Denied::NotFound)?;
    let (locked, domain) = (target.locked, target.domain.clone());
    if from == to {
        return Err(Denied::NotFound);
    }
    if !is_permitted(world, side, from, to) {
        return Err(Denied::NotPermitted);
    }
    let server = world.server_mut(side);
    let waiting = server.follow_requests.iter_mut().find(|request| request.from == from && request.to == to);
    let waits = waiting.is_some();
    if let Some(follow) = waiting {
        apply(follow, wishes);
    }
    if let Some(follow) = server.follows.find_mut(from, to) {
        apply(follow, wishes);
        return Ok(true);
    }
    if waits {
        return Ok(false);
    }
    let limit = imports::follow_limit(server, from);
    if server.user(from).is_some() && server.follows.count_of(from) >= limit {
        return Err(Denied::Limit(limit));
    }
    let (reblogs, notify) = (wishes.reblogs.unwrap_or(true), wishes.notify.unwrap_or(false));
    let languages = wishes.languages.clone().unwrap_or_default();
    let now = world.now();
    let home = original_of(world, side, to);
    let silent = domain.is_some_and(|domain| world.silent.contains(&domain));
    let locked = match home {
        Some((home_side, original)) => {
            world.server(home_side).account(original).is_some_and(|account| account.locked)
        }
        None => locked,
    };
    if let Some((home_side, original)) = home.filter(|_| !silent) {
        let follower = copy_of(world, side, from, home_side).ok_or(Denied::NotFound)?;
        let server = world.server_mut(home_side);
        if server.account(original).is_some_and(|account| account.moved_to.is_some())
            || server.blocks(original, follower)
        {
            return Err(Denied::NotPermitted);
        }
        let arrived = if locked {
            server.request_follow(follower, original, reblogs, notify, languages.clone())
        } else {
            server.follow(follower, original, reblogs, notify, languages.clone())
        };
        if arrived {
            server.notify(
                original,
                if locked { "follow_request" } else { "follow" },
                follower,
                None,
                now,
                false,
            );
            mail_about_follower(world, home_side, original, follower, locked);
        }
        if home_side == side {
            return Ok(!locked);
        }
    }
    let server = world.server_mut(side);
    if locked || silent {
        server.request_follow(from, to, reblogs, notify, languages);
    } else {
        server.follow(from, to, reblogs, notify, languages);
    }
    Ok(!(locked || silent))
}

fn apply(follow: &mut crate::state::Follow, wishes: &Wishes) {
    follow.reblogs = wishes.reblogs.unwrap_or(follow.reblogs);
    follow.notify = wishes.notify.unwrap_or(follow.notify);
    if let Some(languages) = &wishes.languages {
        follow.languages.clone_from(languages);
    }
}

/// A server that was silent answers again: requests that waited for it are accepted, unless somebody there is locked.
pub fn hear_again(world: &mut World, domain: &str) {
    for side in Side::BOTH {
        let server = world.server(side);
        let there = |id: Id| {
            server
                .account(id)
                .is_some_and(|account| account.domain.as_deref() == Some(domain) && !account.locked)
        };
        let waiting: Vec<_> =
            server.follow_requests.iter().filter(|request| there(request.to)).cloned().collect();
        for request in waiting {
            let server = world.server_mut(side);
            server.follow(request.from, request.to, request.reblogs, request.notify, request.languages);
        }
    }
}

fn mail_about_follower(world: &mut World, side: Side, owner: Id, follower: Id, request: bool) {
    let server = world.server(side);
    let (Some(user), at) = (server.user(owner), world.now()) else { return };
    let who = server.full_acct(follower);
    let subject = if request {
        format!("{who} has requested to follow you")
    } else {
        format!("{who} is now following you")
    };
    let to = user.email.clone();
    world.mails.push(Mail { side, to, subject, link: None, at });
}

/// Ends a follow or a request. Who is no longer followed leaves the lists and the profile.
pub fn unfollow(world: &mut World, side: Side, from: Id, to: Id) {
    let server = world.server_mut(side);
    server.unfollow(from, to);
    for list in server.lists.iter_mut().filter(|list| list.owner == from) {
        list.members.retain(|member| *member != to);
    }
    if let Some(user) = server.user_mut(from) {
        user.endorsed.retain(|(_, id)| *id != to);
    }
    if let Some((home, original)) = original_of(world, side, to)
        && home != side
        && let Some(follower) = copy_of(world, side, from, home)
    {
        world.server_mut(home).unfollow(follower, original);
    }
}

/// Unlocking accepts all who wait (facts 13.2).
pub fn accept_all(world: &mut World, side: Side, owner: Id) {
    let requests = &world.server(side).follow_requests;
    let waiting: Vec<Id> =
        requests.iter().filter(|request| request.to == owner).map(|request| request.from).collect();
    for from in waiting {
        accept_request(world, side, owner, from);
    }
}

/// All waiting requests are accepted at once: what unlocking does (facts 13.2), or one by one.
pub fn accept_request(world: &mut World, side: Side, owner: Id, from: Id) -> bool {
    let server = world.server_mut(side);
    let Some(position) =
        server.follow_requests.iter().position(|request| request.to == owner && request.from == from)
    else {
        return false;
    };
    let request = server.follow_requests.remove(position);
    let now = world.now();
    let server = world.server_mut(side);
    server.follow(from, owner, request.reblogs, request.notify, request.languages.clone());
    server.notify(owner, "follow", from, None, now, false);
    if let Some((home, original)) = original_of(world, side, from)
        && home != side
        && let Some(target) = copy_of(world, side, owner, home)
    {
        world.server_mut(home).follow(original, target, request.reblogs, request.notify, request.languages);
    }
    true
}

pub fn mute(
    world: &mut World,
    side: Side,
    from: Id,
    to: Id,
    notifications: bool,
    expires_at: Option<Millis>,
) {
    let server = world.server_mut(side);
    server.mutes.retain(|mute| !(mute.from == from && mute.to == to));
    let id = server.next_number();
    server.mutes.push(Mute { id, from, to, notifications, expires_at });
    if notifications {
        forget_talks(world, side, from, to);
    }
}

/// Blocks, and tells the other server, which keeps a block of its own then.
pub fn block(world: &mut World, side: Side, from: Id, to: Id) {
    add_block(world, side, from, to);
    if let Some((home, original)) = original_of(world, side, to)
        && home != side
        && let Some(blocker) = copy_of(world, side, from, home)
    {
        add_block(world, home, blocker, original);
    }
    unfollow(world, side, from, to);
    unfollow(world, side, to, from);
    forget_talks(world, side, from, to);
}

fn add_block(world: &mut World, side: Side, from: Id, to: Id) {
    let server = world.server_mut(side);
    if !server.blocks(from, to) {
        let id = server.next_number();
        server.blocks.push(Block { id, from, to });
    }
}

pub fn unblock(world: &mut World, side: Side, from: Id, to: Id) {
    world.server_mut(side).blocks.retain(|block| !(block.from == from && block.to == to));
    if let Some((home, original)) = original_of(world, side, to)
        && home != side
        && let Some(blocker) = copy_of(world, side, from, home)
    {
        let server = world.server_mut(home);
        server.blocks.retain(|block| !(block.from == blocker && block.to == original));
    }
}

/// What Mastodon takes for the name of a domain.
pub fn is_domain(text: &str) -> bool {
    let right = |part: &str| (1..=63).contains(&part.len());
    !text.contains(|letter: char| letter.is_whitespace() || "/@?#,;\"".contains(letter))
        && text.len() <= 256
        && text.split('.').all(right)
}

/// A person blocks a domain: follows both ways end.
pub fn block_domain(world: &mut World, side: Side, owner: Id, domain: &str) {
    let domain = domain.trim().to_lowercase();
    let server = world.server_mut(side);
    let Some(user) = server.user_mut(owner) else { return };
    if !user.domain_blocks.contains(&domain) {
        user.domain_blocks.push(domain.clone());
    }
    let there =
        |id: Id| server.account(id).is_some_and(|account| account.domain.as_deref() == Some(domain.as_str()));
    let followed: Vec<Id> =
        server.follows.of(owner).map(|follow| follow.to).filter(|id| there(*id)).collect();
    let followers: Vec<Id> =
        server.follows.to(owner).map(|follow| follow.from).filter(|id| there(*id)).collect();
    for to in followed {
        unfollow(world, side, owner, to);
    }
    for from in followers {
        unfollow(world, side, from, owner);
    }
}
