//! Aliases, the move itself, the mere redirect: the rules of facts 3 and 4, in their order.

use crate::clock::{Millis, SECOND};
use crate::federation::{copy_of, distribute_update, original_of, resolve};
use crate::social;
use crate::state::{Alias, Event, Id, Migration, Side, World};

/// How long people on servers elsewhere take to hear of a move.
const ELSEWHERE_DELAY: i64 = 30 * SECOND;

/// What is wrong with a form. `count` is what the alert announces; it can be more than what is shown, since some errors sit on attributes without a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormErrors {
    pub count: usize,
    pub base: Option<&'static str>,
    pub fields: Vec<(&'static str, String)>,
}

impl FormErrors {
    pub fn on(field: &'static str, text: &str, count: usize) -> Self {
        Self { count, base: None, fields: vec![(field, text.to_owned())] }
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str())
    }
}

const NOT_FOUND: &str = "could not be found";
const NOT_AN_ALIAS: &str = "is not an alias of this account";
const ALREADY_MOVED: &str = "is the same account you have already moved to";
const SELF: &str = "cannot be current account";
const BLANK: &str = "can't be blank";

/// facts 4: resolved with the normal cache; unique by URI, where a duplicate is reported on an attribute that has no field.
pub fn create_alias(world: &mut World, side: Side, owner: Id, acct: &str) -> Result<(), FormErrors> {
    let acct = acct.trim();
    let acct = acct.strip_prefix('@').unwrap_or(acct);
    if acct.is_empty() {
        return Err(FormErrors::on("acct", BLANK, 2));
    }
    let Some(target) = resolve(world, side, acct, false) else {
        return Err(FormErrors::on("acct", NOT_FOUND, 1));
    };
    if target == owner {
        return Err(FormErrors::on("acct", SELF, 1));
    }
    let server = world.server_mut(side);
    let (full, uri) = (
        server.full_acct(target),
        server.account(target).map(|account| account.uri.clone()).unwrap_or_default(),
    );
    let id = server.next_number();
    let Some(account) = server.account_mut(owner) else { return Err(FormErrors::default()) };
    if account.aliases.iter().any(|alias| alias.uri == uri) {
        return Err(FormErrors { count: 1, ..FormErrors::default() });
    }
    account.also_known_as.push(uri.clone());
    account.aliases.push(Alias { id, acct: full, uri });
    distribute_update(world, side, owner);
    Ok(())
}

/// Removing an alias sends no update (facts 4).
pub fn delete_alias(world: &mut World, side: Side, owner: Id, alias: Id) -> bool {
    let Some(account) = world.server_mut(side).account_mut(owner) else { return false };
    let Some(position) = account.aliases.iter().position(|entry| entry.id == alias) else { return false };
    let removed = account.aliases.remove(position);
    account.also_known_as.retain(|uri| *uri != removed.uri);
    true
}

fn challenge(world: &World, side: Side, owner: Id, password: &str) -> Result<(), FormErrors> {
    // If the challenge fails nothing else is checked (facts 3.2 point 1).
    let right = world.server(side).user(owner).is_some_and(|user| user.password == password);
    if right { Ok(()) } else { Err(FormErrors::on("current_password", "is invalid", 1)) }
}

fn fetch_target(world: &mut World, side: Side, acct: &str) -> Option<Id> {
    let fresh = !world.server(side).version.trusts_cached_target();
    resolve(world, side, acct, fresh)
}

/// The move with followers (facts 3.2).
pub fn migrate(
    world: &mut World,
    side: Side,
    owner: Id,
    acct: &str,
    password: &str,
) -> Result<String, FormErrors> {
    challenge(world, side, owner, password)?;
    let acct = acct.trim();
    let acct = acct.strip_prefix('@').unwrap_or(acct);
    let now = world.now();
    let target = if acct.is_empty() { None } else { fetch_target(world, side, acct) };
    let server = world.server(side);
    let mut errors = FormErrors::default();
    if acct.is_empty() {
        errors.fields.push(("acct", BLANK.to_owned()));
        errors.count += 1;
    }
    if server.cooldown_until(owner, now).is_some() {
        errors.base = Some("You are on cooldown");
        errors.count += 1;
    }
    match target.and_then(|id| server.account(id)) {
        None => {
            // "could not be found", and the missing target itself, which has no field.
            errors.fields.push(("acct", NOT_FOUND.to_owned()));
            errors.count += 2;
        }
        Some(target) => {
            let me = server.account(owner);
            let mut add = |wrong: bool, text: &str| {
                if wrong {
                    errors.fields.push(("acct", text.to_owned()));
                    errors.count += 1;
                }
            };
            add(!me.is_some_and(|me| target.also_known_as.contains(&me.uri)), NOT_AN_ALIAS);
            add(me.is_some_and(|me| me.moved_to == Some(target.id)), ALREADY_MOVED);
            add(target.id == owner, SELF);
        }
    }
    let Some(target) = target.filter(|_| errors.count == 0) else { return Err(errors) };
    let followers = server.follows.count_to(owner);
    let full = server.full_acct(target);
    if let Some(user) = world.server_mut(side).user_mut(owner) {
        user.migrations.push(Migration { acct: full.clone(), target, followers, at: now });
    }
    set_redirect(world, side, owner, Some(target));
    carry_followers(world, side, owner, target);
    Ok(full)
}

/// The mere redirect: no alias asked for, no cooldown, nobody is moved (facts 3.2).
pub fn redirect_only(
    world: &mut World,
    side: Side,
    owner: Id,
    acct: &str,
    password: &str,
) -> Result<String, FormErrors> {
    challenge(world, side, owner, password)?;
    let acct = acct.trim();
    let acct = acct.strip_prefix('@').unwrap_or(acct);
    if acct.is_empty() {
        return Err(FormErrors::on("acct", BLANK, 2));
    }
    let Some(target) = fetch_target(world, side, acct) else {
        return Err(FormErrors::on("acct", NOT_FOUND, 1));
    };
    if world.server(side).account(owner).and_then(|me| me.moved_to) == Some(target) {
        return Err(FormErrors::on("acct", ALREADY_MOVED, 1));
    }
    if target == owner {
        return Err(FormErrors::on("acct", SELF, 1));
    }
    let full = world.server(side).full_acct(target);
    set_redirect(world, side, owner, Some(target));
    Ok(full)
}

/// Sets or cancels the redirect; the other server learns of it where it knows the account.
pub fn set_redirect(world: &mut World, side: Side, owner: Id, target: Option<Id>) {
    let Some(account) = world.server_mut(side).account_mut(owner) else { return };
    account.moved_to = target;
    let username = account.username.clone();
    let domain = world.server(side).domain.clone();
    let other = side.other();
    if let Some(copy) = world.server(other).find(&username, Some(&domain)) {
        let moved = target.and_then(|target| copy_of(world, side, target, other));
        if let Some(copy) = world.server_mut(other).account_mut(copy) {
            copy.moved_to = moved;
        }
    }
}

/// Followers go over (facts 3.1, 3.4): those of the same server in silence, those of the two servers by following anew, those elsewhere a little later,
/// and those whose software knows no moves not at all.
fn carry_followers(world: &mut World, side: Side, owner: Id, target: Id) {
    let Some((target_side, target_original)) = original_of(world, side, target) else { return };
    let now = world.now();
    let followers: Vec<_> = world.server(side).follows.to(owner).cloned().collect();
    for follow in followers {
        let Some(follower) = world.server(side).account(follow.from).cloned() else { continue };
        if target_side == side && follower.is_local() {
            let server = world.server_mut(side);
            server.unfollow(follower.id, owner);
            server.follow(follower.id, target, follow.reblogs, follow.notify, follow.languages);
            continue;
        }
        match original_of(world, side, follower.id) {
            Some((home, original)) => {
                let (Some(new_target), Some(old_target)) =
                    (copy_of(world, side, target, home), copy_of(world, side, owner, home))
                else {
                    continue;
                };
                if world.server(home).account(new_target).is_some_and(|account| account.locked)
                    && home == target_side
                {
                    // Only followers local to the new account's server pass a locked account's gate (facts 3.4).
                    let server = world.server_mut(home);
                    if server.follow(original, new_target, follow.reblogs, follow.notify, follow.languages) {
                        server.notify(new_target, "follow", original, None, now, false);
                    }
                    social::unfollow(world, home, original, old_target);
                } else if social::follow(
                    world,
                    home,
                    original,
                    new_target,
                    follow.reblogs,
                    follow.notify,
                    &follow.languages,
                )
                .is_some()
                {
                    social::unfollow(world, home, original, old_target);
                }
                // The old server hears of the unfollow as well when the follower is known there as a copy.
                world.server_mut(side).unfollow(follower.id, owner);
            }
            None => {
                let domain = follower.domain.clone().unwrap_or_default();
                let understands = world.elsewhere.iter().any(|person| {
                    person.username == follower.username && person.domain == domain && person.follows_moves
                });
                if understands {
                    let event = Event::FollowerArrives {
                        username: follower.username,
                        domain,
                        old: owner,
                        target_side,
                        target: target_original,
                    };
                    world.events.push((now + ELSEWHERE_DELAY, event));
                }
            }
        }
    }
}

/// As `tick`, but not for each of thousands of requests: nothing that is due is more exact than this.
pub fn tick_now_and_then(world: &mut World) {
    if (world.now() - world.ticked_at).abs() > 50 {
        tick(world);
    }
}

/// Lets everything happen that is due by the servers' clock.
pub fn tick(world: &mut World) {
    let now = world.now();
    let due: Vec<Event> = {
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut world.events).into_iter().partition(|(at, _)| *at <= now);
        world.events = later;
        due.into_iter().map(|(_, event)| event).collect()
    };
    if !due.is_empty() {
        world.changed();
    }
    for Event::FollowerArrives { username, domain, old, target_side, target } in due {
        let acct = format!("{username}@{domain}");
        if let Some(follower) = resolve(world, target_side, &acct, false) {
            social::follow(world, target_side, follower, target, true, false, &[]);
        }
        let from_side = target_side.other();
        if let Some(follower) = world.server(from_side).find(&username, Some(&domain)) {
            world.server_mut(from_side).unfollow(follower, old);
        }
    }
    let night = crate::imports::night_between(world.ticked_at, now);
    world.ticked_at = now;
    for side in Side::BOTH {
        if night {
            crate::imports::vacuum(world.server_mut(side), now);
        }
        crate::imports::work::advance(world, side, now);
        expire_mutes(world, side, now);
    }
}

/// Mutes end by themselves.
fn expire_mutes(world: &mut World, side: Side, now: Millis) {
    let server = world.server_mut(side);
    if server.mutes.iter().any(|mute| mute.expires_at.is_some_and(|at| at <= now)) {
        server.mutes.retain(|mute| mute.expires_at.is_none_or(|at| at > now));
        world.changed();
    }
}
