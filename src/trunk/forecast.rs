//! Who will be lost in a move, before it is made: what can be counted, what is likely, and what nobody can know.

use super::dossier::{AccountFacts, Dossier};
use super::packed::Packed;
use crate::list::follow_limit;
use crate::say::{Say, say};
use crate::small::{Names, ordered};
use crate::when::Time;

/// How sure a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Counted from lists that both servers gave.
    Certain,
    /// By the rules, unless an admin has set others.
    Likely,
    /// It cannot be known from here, or was not seen yet.
    Unknown,
}

impl Certainty {
    /// Stands in `data-certainty` and in the report.
    pub fn id(self) -> &'static str {
        match self {
            Certainty::Certain => "certain",
            Certainty::Likely => "likely",
            Certainty::Unknown => "unknown",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Certainty::Certain => "forecast_certain",
            Certainty::Likely => "forecast_likely",
            Certainty::Unknown => "forecast_unknown",
        }
    }
}

/// One thing that the forecast says.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Stands in `data-line` and in the report.
    pub id: &'static str,
    pub what: Say,
    /// How many people it is about, where that can be counted.
    pub number: Option<u64>,
    pub certainty: Certainty,
    /// Where it is from.
    pub source: Say,
    pub at: Option<Time>,
    /// The servers that it is about, with how many of their people are followed and how many follow.
    pub servers: Vec<(String, u64, u64)>,
}

/// Of all followers, so many …
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// … are moved by one of the two servers itself;
    pub come: u64,
    /// … become requests, because the new account is locked;
    pub wait: u64,
    /// … depend on their own servers;
    pub open: u64,
    /// … stay behind.
    pub stay: u64,
}

impl Chart {
    pub fn total(&self) -> u64 {
        self.come + self.wait + self.open + self.stay
    }

    /// In the order in which they are drawn, with their ids and the keys of their names.
    pub fn parts(&self) -> [(&'static str, &'static str, u64); 4] {
        [
            ("come", "forecast_come", self.come),
            ("wait", "forecast_wait", self.wait),
            ("open", "forecast_open", self.open),
            ("stay", "forecast_stay", self.stay),
        ]
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecast {
    pub lines: Vec<Line>,
    /// `None`: the followers are not packed yet, and a total alone says nothing about who comes.
    pub chart: Option<Chart>,
}

/// Where a server's people stand in a move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    OldServer,
    NewServer,
    Blocked,
    Elsewhere,
}

/// `packed`: what is packed of the old account.
pub fn forecast(dossier: &Dossier, packed: Option<&Packed>) -> Forecast {
    let (Some(old), Some(new)) = (dossier.old_handle(), dossier.new_handle()) else {
        return Forecast::default();
    };
    // A list of followers that the server would not give is no list of nobody.
    let packed = packed.filter(|packed| packed.followers > 0 || packed.followed_by.unwrap_or(0) == 0);
    let mut lines = Vec::new();
    apart(dossier, &mut lines);
    // What another server blocks says nothing about this one.
    let blocked = dossier.saved.blocked.as_ref().filter(|blocked| {
        let by = blocked.by.as_ref();
        by.is_none_or(|by| Some(by) == dossier.new_host.as_ref() || by == new.domain())
    });
    let mut kept_out = Names::default();
    for server in blocked.iter().flat_map(|blocked| &blocked.servers) {
        kept_out.add(server);
    }
    let place = |server: &str| match () {
        () if server == new.domain().as_str() => Place::NewServer,
        () if server == old.domain().as_str() => Place::OldServer,
        () if kept_out.has(server) => Place::Blocked,
        () => Place::Elsewhere,
    };
    let locked = AccountFacts::value(&dossier.new.locked).copied();
    let chart = packed.map(|packed| {
        let mut chart = Chart::default();
        for (server, (_, followers)) in packed.servers.iter() {
            match (place(server), locked) {
                // Followers on the new account's own server need not ask (facts 3.4, "new account locked").
                (Place::NewServer, _) | (Place::OldServer, Some(false)) => chart.come += followers,
                (Place::OldServer, Some(true)) => chart.wait += followers,
                (Place::OldServer, None) | (Place::Elsewhere, _) => chart.open += followers,
                (Place::Blocked, _) => chart.stay += followers,
            }
        }
        chart
    });
    let when = dossier.saved.lists.as_ref().map(|lists| lists.at);
    match (blocked, packed) {
        (Some(blocked), _) => {
            let servers = match packed {
                Some(packed) => {
                    let named = packed.servers.iter().filter(|(server, _)| place(server) == Place::Blocked);
                    named
                        .map(|(server, (follows, followers))| (server.to_owned(), *follows, *followers))
                        .collect()
                }
                None => blocked.servers.iter().map(|server| (server.clone(), 0, 0)).collect(),
            };
            let servers = ordered(servers, &|one: &(String, u64, u64), other: &(String, u64, u64)| {
                (other.1 + other.2).cmp(&(one.1 + one.2))
            });
            for (id, key, none, number) in [
                (
                    "blocked-followers",
                    "forecast_blocked_followers",
                    "forecast_no_blocked_followers",
                    blocked.followers,
                ),
                (
                    "blocked-follows",
                    "forecast_blocked_follows",
                    "forecast_no_blocked_follows",
                    blocked.follows,
                ),
            ] {
                let what = if number == 0 { say(none) } else { say(key).with(number) };
                lines.push(Line {
                    id,
                    what: what.with(new.domain()),
                    number: Some(number),
                    certainty: Certainty::Certain,
                    source: say("forecast_from_blocks"),
                    at: Some(blocked.at),
                    servers: servers.clone(),
                });
            }
        }
        _ => lines.push(unknown("blocked", say("forecast_blocks_unseen").with(new.domain()), None)),
    }
    requests(dossier, locked, chart, when, &mut lines);
    limit(dossier, when, &mut lines);
    let Some(packed) = packed else {
        let total = AccountFacts::value(&dossier.old.followers).copied();
        lines.push(unknown("not-packed", say("forecast_not_packed"), total));
        return Forecast { lines, chart };
    };
    if packed.left_followers > 0 {
        lines.push(Line {
            id: "left",
            what: say("forecast_left").with(packed.left_followers),
            number: Some(packed.left_followers),
            certainty: Certainty::Certain,
            source: say("forecast_from_packed"),
            at: when,
            servers: Vec::new(),
        });
    }
    let elsewhere = packed
        .servers
        .iter()
        .filter(|(server, (_, followers))| *followers > 0 && place(server) == Place::Elsewhere);
    let (servers, people) = elsewhere
        .fold((0u64, 0u64), |(servers, people), (_, (_, followers))| (servers + 1, people + followers));
    if people > 0 {
        // facts 3.4, "remote follower on software without Move"
        let what = say("forecast_software").with(people).with(servers);
        lines.push(unknown("software", what, Some(people)));
        // facts 3.4, last paragraphs: unavailable after seven days of failed deliveries; skipped silently
        lines.push(unknown("reach", say("forecast_reach"), None));
    }
    Forecast { lines, chart }
}

fn unknown(id: &'static str, what: Say, number: Option<u64>) -> Line {
    let source = say("forecast_from_nobody");
    Line { id, what, number, certainty: Certainty::Unknown, source, at: None, servers: Vec::new() }
}

/// Between two servers of which one blocks the other there is no move at all (facts 3.3, "blocked by new server").
fn apart(dossier: &Dossier, lines: &mut Vec<Line>) {
    let sides = [
        (&dossier.old, dossier.new_handle(), &dossier.old_host),
        (&dossier.new, dossier.old_handle(), &dossier.new_host),
    ];
    for (facts, other, host) in sides {
        let (Some(seen), Some(other), Some(host)) = (&facts.blocks, other, host) else { continue };
        if seen.value.blocked && seen.value.domain == *other.domain() {
            lines.push(Line {
                id: "apart",
                what: say("forecast_apart").with(host).with(other.domain()),
                number: AccountFacts::value(&dossier.old.followers).copied(),
                certainty: Certainty::Certain,
                source: say("forecast_from_blocks"),
                at: Some(seen.at),
                servers: Vec::new(),
            });
        }
    }
}

/// A locked new account makes requests of followers (facts 3.4, "new account locked").
fn requests(
    dossier: &Dossier,
    locked: Option<bool>,
    chart: Option<Chart>,
    when: Option<Time>,
    lines: &mut Vec<Line>,
) {
    match locked {
        Some(false) => {}
        None => lines.push(unknown("requests", say("forecast_lock_unseen"), None)),
        Some(true) => {
            // Those who come at all, but for the followers on its own server.
            let all = chart.map(|chart| chart.wait + chart.open);
            let number = all.or(AccountFacts::value(&dossier.old.followers).copied());
            let what = match number {
                Some(number) => say("forecast_requests").with(number),
                None => say("forecast_requests_some"),
            };
            lines.push(Line {
                id: "requests",
                what,
                number,
                certainty: Certainty::Likely,
                source: say("forecast_from_lock"),
                at: dossier.new.locked.as_ref().map(|known| known.at).max(when),
                servers: Vec::new(),
            });
        }
    }
}

/// Admins may have set another limit, and no API tells (facts 6.1, "Follow limit").
fn limit(dossier: &Dossier, when: Option<Time>, lines: &mut Vec<Line>) {
    let count = |fact| AccountFacts::value::<u64>(fact).copied();
    let rows = dossier.saved.lists.as_ref().and_then(|lists| lists.rows.follows);
    let Some(follows) = rows.or(count(&dossier.old.following)) else { return };
    let (following, followers) = (count(&dossier.new.following), count(&dossier.new.followers));
    let limit = follow_limit(followers.unwrap_or(0), following.unwrap_or(0));
    // Those who arrived already are among the follows of the new account: nobody is counted twice.
    let over = follows.max(following.unwrap_or(0)).saturating_sub(limit);
    if over > 0 {
        lines.push(Line {
            id: "limit",
            what: say("forecast_limit").with(over).with(limit),
            number: Some(over),
            certainty: Certainty::Likely,
            source: say("forecast_from_limit"),
            at: when,
            servers: Vec::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{known, linked};
    use crate::job::collect::Owner;
    use crate::job::pack::{Pack, Scope};
    use crate::trunk::dossier::{BlockSeen, BlockedPeople, SavedLists};
    use crate::when::Time;

    fn packed(servers: &[(&str, u64, u64)]) -> Packed {
        let owner = Owner {
            id: "1".into(),
            handle: "ana@old.example".into(),
            domain: "old.example".parse().unwrap(),
            uri: None,
            name: String::new(),
            version: None,
            created_at: None,
            posts: None,
            followers: None,
            following: None,
            rescue: false,
            recent: true,
        };
        let (pack, _) = Pack::begin(owner, Scope::Everything, Time(0));
        let mut packed = Packed::new(&pack);
        for (server, follows, followers) in servers {
            packed.servers.put(server, (*follows, *followers));
            packed.followers += followers;
        }
        packed
    }

    fn ids(forecast: &Forecast) -> Vec<(&'static str, Option<u64>, Certainty)> {
        forecast.lines.iter().map(|line| (line.id, line.number, line.certainty)).collect()
    }

    #[test]
    fn claims_nothing_about_nothing() {
        assert_eq!(forecast(&Dossier::default(), None), Forecast::default());
        let forecast = forecast(&linked(), None);
        assert!(forecast.chart.is_none());
        assert!(
            forecast.lines.iter().all(|line| line.certainty == Certainty::Unknown),
            "{:?}",
            ids(&forecast)
        );
    }

    #[test]
    fn everybody_stands_somewhere_once() {
        let packed = packed(&[
            ("old.example", 3, 5),
            ("new.example", 1, 4),
            ("bad.example", 2, 7),
            ("far.example", 9, 20),
            ("followed.example", 6, 0),
        ]);
        let mut dossier = linked();
        dossier.saved.lists = Some(SavedLists { at: Time(9), ..Default::default() });
        dossier.saved.blocked = Some(BlockedPeople {
            at: Time(8),
            by: "new.example".parse().ok(),
            follows: 2,
            followers: 7,
            servers: vec!["bad.example".into()],
        });
        let chart = |locked| {
            let mut dossier = dossier.clone();
            dossier.new.locked = locked;
            forecast(&dossier, Some(&packed)).chart.unwrap()
        };
        assert_eq!(chart(known(false, 1)), Chart { come: 9, wait: 0, open: 20, stay: 7 });
        assert_eq!(chart(known(true, 1)), Chart { come: 4, wait: 5, open: 20, stay: 7 });
        assert_eq!(chart(None), Chart { come: 4, wait: 0, open: 25, stay: 7 });
        for locked in [None, known(true, 1), known(false, 1)] {
            assert_eq!(chart(locked).total(), packed.followers);
        }
        dossier.new.locked = known(true, 5);
        let found = forecast(&dossier, Some(&packed));
        assert_eq!(
            ids(&found),
            [
                ("blocked-followers", Some(7), Certainty::Certain),
                ("blocked-follows", Some(2), Certainty::Certain),
                ("requests", Some(25), Certainty::Likely),
                ("software", Some(20), Certainty::Unknown),
                ("reach", None, Certainty::Unknown),
            ]
        );
        assert_eq!(found.lines[0].servers, [("bad.example".to_owned(), 2, 7)]);
    }

    #[test]
    fn what_another_server_blocks_is_not_counted() {
        let mut dossier = linked();
        dossier.saved.blocked =
            Some(BlockedPeople { by: "else.example".parse().ok(), followers: 7, ..Default::default() });
        dossier.saved.blocked.as_mut().unwrap().servers = vec!["bad.example".into()];
        let found = forecast(&dossier, Some(&packed(&[("bad.example", 0, 7)])));
        assert_eq!(found.chart.unwrap().stay, 0);
        assert!(ids(&found).contains(&("blocked", None, Certainty::Unknown)));
    }

    #[test]
    fn two_servers_that_are_apart_are_named_first() {
        let mut dossier = linked();
        let block = |domain: &str, blocked| BlockSeen { domain: domain.parse().unwrap(), blocked };
        dossier.old.blocks = known(block("new.example", true), 3);
        dossier.new.blocks = known(block("else.example", true), 3);
        let found = forecast(&dossier, None);
        assert_eq!(found.lines.iter().filter(|line| line.id == "apart").count(), 1);
        assert_eq!(found.lines[0].id, "apart");
    }

    #[test]
    fn the_limit_counts_nobody_twice() {
        let over = |follows, new_following| {
            let mut dossier = linked();
            dossier.old.following = known(follows, 1);
            dossier.new.following = known(new_following, 1);
            dossier.new.followers = known(10, 1);
            let found = forecast(&dossier, None);
            found.lines.iter().find(|line| line.id == "limit").and_then(|line| line.number)
        };
        assert_eq!(over(7_500, 0), None);
        assert_eq!(over(7_600, 0), Some(100));
        assert_eq!(over(7_600, 7_500), Some(100));
    }
}
