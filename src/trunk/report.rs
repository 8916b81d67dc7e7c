//! The report of a move: what was done, when, how that is known, what was not done and why, and what remains. As JSON and
//! as a page that opens anywhere and can be printed.
//!
//! The JSON is an object with `format` (`packed-trunk-report`) and `version` (1), and then:
//!
//! | key | what |
//! | --- | --- |
//! | `made_at`, `made_by`, `language` | when, by which version of ours, and the language of what is `said` |
//! | `old`, `new` | `handle`, `host`, `version`, `seen_at`; `null` where not known |
//! | `outcome` | `is`: `not-yet`, `moved`, `redirect-only`, `redirects` or `cancelled`; `at` |
//! | `checks` | `step`, `check`, `outcome`, `said`, `then`, `evidence`: what was seen, when and where |
//! | `done` | `what`, `side`, `at`, `from`, `detail`, `counts` |
//! | `followers` | `come`, `wait`, `open`, `stay`; `null` before anybody was counted |
//! | `losses` | `what`, `number`, `certainty`, `said`, `servers` |
//! | `along` | `thing`, `fate`, `said` |
//! | `next` | `what`, `side`, `from`, `said`, `why` |
//!
//! Times are as in `2026-11-21T20:09:15.000Z`. Later versions add keys; what stands above stays.

use super::after::{Entry, How, how, next};
use super::bridge::Bridge;
use super::dossier::{AccountFacts, Dossier, Side};
use super::forecast::{Forecast, forecast};
use super::journal::{Deed, Journal, What};
use super::packed::Packed;
use crate::check::{self, Finding, Outcome};
use crate::list::Kind;
use crate::message::body::{clean, one_line};
use crate::message::write::page::{Head, In, STYLE, escaped, head, sentence};
use crate::plain::{Object, list};
use crate::say::{Part, Say, Words, say};
use crate::when::{Source, Time};

const OWN_STYLE: &str = include_str!("report.css");

/// Which step a check belongs to, by the names of the desk's steps. One that stands nowhere comes under "other".
static STEPS: [(&str, &str, &[&str]); 6] = [
    ("accounts", "report_step_accounts", &["target-found"]),
    ("pack", "report_step_pack", &["messages-saved", "follows-saved", "lists-saved"]),
    (
        "prepare",
        "report_step_prepare",
        &["email-confirmed", "alias", "alias-fresh", "unlocked", "profile", "announced"],
    ),
    ("unpack", "report_step_unpack", &["follows-arrived", "follow-limit", "blocked-servers"]),
    ("move", "report_step_move", &["not-moved", "cooldown", "server-healthy", "requests-pending"]),
    ("other", "report_step_other", &[]),
];

fn step_of(check: &str) -> &'static (&'static str, &'static str, &'static [&'static str]) {
    STEPS.iter().find(|step| step.2.contains(&check)).unwrap_or(&STEPS[STEPS.len() - 1])
}

/// Everything that the report says.
#[derive(Debug)]
pub struct Report<'a> {
    dossier: &'a Dossier,
    journal: &'a Journal,
    findings: Vec<Finding>,
    forecast: Forecast,
    next: Vec<Entry>,
    how: How,
    at: Time,
    /// Our own version.
    extension: &'a str,
}

impl<'a> Report<'a> {
    pub fn new(
        dossier: &'a Dossier,
        journal: &'a Journal,
        packed: Option<&Packed>,
        extension: &'a str,
        at: Time,
    ) -> Report<'a> {
        Report {
            dossier,
            journal,
            findings: check::all(dossier, at),
            forecast: forecast(dossier, packed),
            next: next(dossier, journal, at),
            how: how(dossier, journal),
            at,
            extension,
        }
    }

    fn bridge(&self) -> Bridge<'_> {
        Bridge {
            old: AccountFacts::value(&self.dossier.old.version),
            new: AccountFacts::value(&self.dossier.new.version),
        }
    }

    fn outcome(&self) -> (&'static str, Option<Time>) {
        match self.how {
            How::NotYet => ("not-yet", None),
            How::Moved(at) => ("moved", Some(at)),
            How::RedirectOnly(at) => ("redirect-only", Some(at)),
            How::Redirects(at) => ("redirects", Some(at)),
            How::Cancelled(at) => ("cancelled", Some(at)),
        }
    }

    fn name(&self, side: Side) -> String {
        let (handle, host) = match side {
            Side::Old => (self.dossier.old_handle(), &self.dossier.old_host),
            Side::New => (self.dossier.new_handle(), &self.dossier.new_host),
        };
        match (handle, host) {
            (Some(handle), _) => format!("@{handle}"),
            (None, Some(host)) => host.to_string(),
            (None, None) => String::new(),
        }
    }

    fn host(&self, side: Side) -> Option<&str> {
        let host = match side {
            Side::Old => &self.dossier.old_host,
            Side::New => &self.dossier.new_host,
        };
        host.as_ref().map(|host| host.as_str())
    }

    // --- as JSON ---

    pub fn json(&self, words: &dyn Words) -> String {
        let (is, at) = self.outcome();
        let mut out = Object::new();
        out.text("format", "packed-trunk-report").number("version", 1);
        out.text("made_at", &self.at.iso()).text("made_by", &format!("Packed Trunk {}", self.extension));
        out.text("language", &words.speak(&say("language")));
        for (key, side) in [("old", Side::Old), ("new", Side::New)] {
            out.json(key, &self.account(side));
        }
        out.json("outcome", &iso(Object::new().text("is", is), "at", at).end());
        let checks: Vec<String> = self.findings.iter().map(|finding| check_json(finding, words)).collect();
        out.list("checks", &checks);
        let deeds: Vec<String> = self.journal.deeds.iter().map(deed_json).collect();
        out.list("done", &deeds);
        match &self.forecast.chart {
            Some(chart) => {
                let mut parts = Object::new();
                for (id, _, count) in chart.parts() {
                    parts.number(id, count);
                }
                out.json("followers", &parts.end());
            }
            None => {
                out.json("followers", "null");
            }
        }
        let lines = self.forecast.lines.iter().map(|line| {
            let servers = line.servers.iter().map(|(server, follows, followers)| {
                let mut one = Object::new();
                one.text("server", server).number("follows", *follows).number("followers", *followers).end()
            });
            Object::new()
                .text("what", line.id)
                .count("number", line.number)
                .text("certainty", line.certainty.id())
                .text("said", &words.speak(&line.what))
                .list("servers", &servers.collect::<Vec<_>>())
                .end()
        });
        out.list("losses", &lines.collect::<Vec<_>>());
        let along = self.bridge().rows().into_iter().map(|row| {
            let said = row.why.as_ref().map(|why| words.speak(why));
            Object::new()
                .text("thing", row.thing.id())
                .text("fate", row.fate.id())
                .maybe("said", said.as_deref())
                .end()
        });
        out.list("along", &along.collect::<Vec<_>>());
        let entries = self.next.iter().map(|entry| {
            iso(
                Object::new().text("what", entry.id).text("side", side_id(entry.side)),
                "from",
                Some(entry.due),
            )
            .text("said", &words.speak(&entry.what))
            .text("why", &words.speak(&entry.why))
            .end()
        });
        out.list("next", &entries.collect::<Vec<_>>());
        out.end()
    }

    fn account(&self, side: Side) -> String {
        let facts = self.dossier.facts(side);
        let handle = match side {
            Side::Old => self.dossier.old_handle(),
            Side::New => self.dossier.new_handle(),
        };
        let version = AccountFacts::value(&facts.version).map(|version| version.text.as_str());
        let mut out = Object::new();
        out.maybe("handle", handle.map(|handle| handle.acct()).as_deref());
        out.maybe("host", self.host(side)).maybe("version", version);
        iso(&mut out, "seen_at", facts.last_seen().filter(|at| *at > Time(0))).end()
    }

    // --- as a page ---

    pub fn html(&self, words: &dyn Words) -> String {
        let write = Write { words };
        let names = [Side::Old, Side::New].map(|side| self.name(side));
        let title = words.speak(&say("report_heading").with(names[0].as_str()).with(names[1].as_str()));
        let mut out = head(&Head {
            language: &words.speak(&say("language")),
            title: &one_line(&title),
            styles: &[STYLE, OWN_STYLE],
            policy: "",
        });
        let names = names.map(|name| In::Html(bdi(&name)));
        let heading = sentence("report_heading", names.into(), &|say| words.speak(say));
        let made = say("report_made").with(Part::Day(self.at)).with(self.extension);
        out.push_str(&format!(
            "<header>\n<h1>{heading}</h1>\n<p class=\"facts\">{}</p>\n<p class=\"facts\">{}</p>\n",
            write.words(&made),
            write.words(&say("report_names"))
        ));
        out.push_str(&format!(
            "<p class=\"remark\">{}</p>\n</header>\n<main>\n",
            write.words(&self.stands())
        ));
        self.accounts(&write, &mut out);
        self.missing(&write, &mut out);
        self.next_page(&write, &mut out);
        self.done(&write, &mut out);
        self.losses(&write, &mut out);
        self.along(&write, &mut out);
        self.checks(&write, &mut out);
        let note = write.words(&say("report_note"));
        out.push_str(&format!("</main>\n<footer><p>{note}</p></footer>\n</body>\n</html>\n"));
        out
    }

    /// How far the move has come, in one sentence.
    pub fn stands(&self) -> Say {
        stands(self.how)
    }

    fn accounts(&self, write: &Write<'_>, out: &mut String) {
        let rows = [Side::Old, Side::New].map(|side| {
            let facts = self.dossier.facts(side);
            let unknown = || write.words(&say("report_unknown"));
            let version = AccountFacts::value(&facts.version);
            let seen = facts.last_seen().filter(|at| *at > Time(0));
            let key = if side == Side::Old { "card_old" } else { "card_new" };
            vec![
                format!("{} {}", write.words(&say(key)), bdi(&self.name(side))),
                self.host(side).map_or_else(unknown, bdi),
                version.map_or_else(unknown, |version| bdi(&version.text)),
                seen.map_or_else(unknown, |at| write.time(at)),
            ]
        });
        let heads = ["report_head_account", "report_head_host", "report_head_version", "report_head_seen"];
        out.push_str(&write.section("report_accounts", &write.table(&heads, "", &rows)));
    }

    /// What stopped, warned or was not seen: the open ends, before everything that is in order.
    fn missing(&self, write: &Write<'_>, out: &mut String) {
        let open = self.findings.iter().filter(|finding| finding.outcome != Outcome::Pass);
        let items: Vec<String> = open
            .map(|finding| {
                let then = finding.then.as_ref().map(|then| write.words(then)).unwrap_or_default();
                format!(
                    "<li data-outcome=\"{}\">{} <span class=\"evidence\">{then}</span></li>\n",
                    finding.outcome.id(),
                    write.words(&finding.what)
                )
            })
            .collect();
        let inside = match items.is_empty() {
            true => format!("<p>{}</p>\n", write.words(&say("report_missing_none"))),
            false => format!("<ul class=\"plain\">\n{}</ul>\n", items.concat()),
        };
        out.push_str(&write.section("report_missing", &inside));
    }

    fn next_page(&self, write: &Write<'_>, out: &mut String) {
        let rows: Vec<Vec<String>> = self
            .next
            .iter()
            .map(|entry| {
                let why = format!("<span class=\"evidence\">{}</span>", write.words(&entry.why));
                let when = if entry.is_due(self.at) { say("next_due") } else { entry.when() };
                vec![format!("{} {why}", write.words(&entry.what)), write.words(&when)]
            })
            .collect();
        let inside = match rows.is_empty() {
            true => format!("<p>{}</p>\n", write.words(&say("next_nothing"))),
            false => write.table(&["report_head_what", "report_head_when"], "", &rows),
        };
        out.push_str(&write.section("report_next", &inside));
    }

    fn done(&self, write: &Write<'_>, out: &mut String) {
        let rows: Vec<Vec<String>> = self
            .journal
            .deeds
            .iter()
            .map(|deed| {
                let details: Vec<String> =
                    deed_details(deed).iter().map(|detail| write.words(detail)).collect();
                let detail = deed.detail.as_deref().map(bdi).unwrap_or_default();
                let more = [detail, details.join(" · ")].concat();
                let account = deed.side.map(|side| bdi(&self.name(side))).unwrap_or_default();
                vec![
                    format!("{} <span class=\"evidence\">{more}</span>", write.words(&say(deed.what.name()))),
                    account,
                    write.time(deed.at),
                    write.words(&say(deed_source(deed))),
                ]
            })
            .collect();
        let heads = ["report_head_what", "report_head_account", "report_head_when", "report_head_how"];
        let inside = match rows.is_empty() {
            true => format!("<p>{}</p>\n", write.words(&say("report_done_none"))),
            false => write.table(&heads, "", &rows),
        };
        out.push_str(&write.section("report_done", &inside));
    }

    fn losses(&self, write: &Write<'_>, out: &mut String) {
        let mut inside = String::new();
        if let Some(chart) = &self.forecast.chart {
            let rows: Vec<Vec<String>> = chart
                .parts()
                .iter()
                .map(|(_, key, count)| vec![write.words(&say(key)), write.number(*count)])
                .collect();
            inside.push_str(&write.table(
                &["forecast_head_part", "forecast_head_people"],
                "forecast_caption",
                &rows,
            ));
        }
        for line in &self.forecast.lines {
            let servers: Vec<String> = line.servers.iter().map(|(server, ..)| bdi(server)).collect();
            inside.push_str(&format!(
                "<p class=\"remark\">{} <span class=\"evidence\">{}</span> <span class=\"evidence\">{}</span></p>\n",
                write.words(&line.what),
                write.words(&say(line.certainty.name())),
                servers.join(", ")
            ));
        }
        out.push_str(&write.section("report_losses", &inside));
    }

    fn along(&self, write: &Write<'_>, out: &mut String) {
        let rows: Vec<Vec<String>> = self
            .bridge()
            .rows()
            .into_iter()
            .map(|row| {
                let why = row.why.as_ref().map(|why| write.words(why)).unwrap_or_default();
                vec![write.words(&say(row.thing.name())), write.words(&say(row.fate.name())), why]
            })
            .collect();
        let heads = ["bridge_head_thing", "bridge_head_fate", "bridge_head_why"];
        out.push_str(&write.section("report_along", &write.table(&heads, "", &rows)));
    }

    fn checks(&self, write: &Write<'_>, out: &mut String) {
        let mut inside = String::new();
        for (_, name, _) in &STEPS {
            let own: Vec<&Finding> =
                self.findings.iter().filter(|finding| step_of(finding.check).1 == *name).collect();
            if own.is_empty() {
                continue;
            }
            inside.push_str(&format!("<h3>{}</h3>\n", write.words(&say(name))));
            let rows = own.iter().map(|finding| {
                let outcome = match finding.outcome {
                    Outcome::Stop => "outcome_stop",
                    Outcome::Warn => "outcome_warn",
                    Outcome::Unknown => "outcome_unknown",
                    Outcome::Checking => "outcome_checking",
                    Outcome::Pass => "outcome_pass",
                };
                let evidence: Vec<String> = finding
                    .evidence
                    .iter()
                    .map(|seen| {
                        let what = write.words(&seen.what);
                        let from = write.words(&say(source_name(seen.from)));
                        format!("<span class=\"evidence\">{what} · {from} · {}</span>", write.time(seen.at))
                    })
                    .collect();
                format!(
                    "<tr data-check=\"{}\" data-outcome=\"{}\"><th scope=\"row\">{}{}</th>\n\
                     <td><span class=\"outcome\">{}</span></td></tr>\n",
                    finding.check,
                    finding.outcome.id(),
                    write.words(&finding.what),
                    evidence.concat(),
                    write.words(&say(outcome)),
                )
            });
            let rows: String = rows.collect();
            inside.push_str(&format!(
                "<table>\n<thead><tr><th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
                write.words(&say("report_head_what")),
                write.words(&say("report_head_outcome"))
            ));
        }
        out.push_str(&write.section("report_checks", &inside));
    }
}

/// How far a move has come, in one sentence.
pub fn stands(how: How) -> Say {
    match how {
        How::NotYet => say("next_lead_none"),
        How::Moved(at) => say("next_lead_moved").with(Part::Day(at)),
        How::RedirectOnly(_) => say("next_lead_redirect"),
        How::Redirects(_) => say("next_lead_redirects"),
        How::Cancelled(at) => say("next_lead_cancelled").with(Part::Day(at)),
    }
}

/// What a deed counted, in words.
pub fn deed_details(deed: &Deed) -> Vec<Say> {
    let known = |id: &str| {
        let kind = Kind::ALL.into_iter().find(|kind| kind.id() == id);
        kind.map(super::kind_name).or(match id {
            "messages" => Some("bridge_messages"),
            "followers" => Some("pack_part_followers"),
            "items" => Some("count_items"),
            "arrived" => Some("count_arrived"),
            "requested" => Some("count_requested"),
            "running" => Some("count_running"),
            "retry" => Some("count_retry"),
            "lost" => Some("count_lost"),
            "lacking" => Some("count_lacking"),
            _ => None,
        })
    };
    let one = |(id, count): &(String, u64)| {
        let label = known(id).map_or_else(|| Part::Text(id.clone()), |key| Part::Say(Box::new(say(key))));
        say("report_count").with(label).with(*count)
    };
    deed.counts.iter().map(one).collect()
}

/// How a deed is known.
pub fn deed_source(deed: &Deed) -> &'static str {
    match deed.from {
        Source::Ourselves if deed.what != What::Linked => "report_by_us",
        from => source_name(from),
    }
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::OwnPage => "source_own_page",
        Source::OwnApi => "source_own_api",
        Source::Outside => "source_outside",
        Source::Ourselves => "source_ourselves",
    }
}

fn side_id(side: Side) -> &'static str {
    match side {
        Side::Old => "old",
        Side::New => "new",
    }
}

fn source_id(source: Source) -> &'static str {
    match source {
        Source::OwnPage => "own-page",
        Source::OwnApi => "own-api",
        Source::Outside => "outside",
        Source::Ourselves => "ourselves",
    }
}

fn iso<'o>(out: &'o mut Object, key: &str, at: Option<Time>) -> &'o mut Object {
    out.maybe(key, at.map(Time::iso).as_deref())
}

fn check_json(finding: &Finding, words: &dyn Words) -> String {
    let evidence = finding.evidence.iter().map(|seen| {
        let mut out = Object::new();
        out.text("said", &words.speak(&seen.what));
        iso(&mut out, "at", Some(seen.at)).text("from", source_id(seen.from)).end()
    });
    let then = finding.then.as_ref().map(|then| words.speak(then));
    Object::new()
        .text("step", step_of(finding.check).0)
        .text("check", finding.check)
        .text("outcome", finding.outcome.id())
        .text("said", &words.speak(&finding.what))
        .maybe("then", then.as_deref())
        .json("evidence", &list(&evidence.collect::<Vec<_>>()))
        .end()
}

fn deed_json(deed: &Deed) -> String {
    let mut counts = Object::new();
    for (what, count) in &deed.counts {
        counts.number(what, *count);
    }
    let mut out = Object::new();
    out.text("what", deed.what.id()).maybe("side", deed.side.map(side_id));
    iso(&mut out, "at", Some(deed.at)).text("from", source_id(deed.from));
    out.maybe("detail", deed.detail.as_deref()).json("counts", &counts.end()).end()
}

/// Something that others wrote, kept within its place.
fn bdi(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(&one_line(text)))
}

struct Write<'a> {
    words: &'a dyn Words,
}

impl Write<'_> {
    fn words(&self, say: &Say) -> String {
        escaped(&clean(&self.words.speak(say)))
    }

    fn number(&self, n: u64) -> String {
        escaped(&self.words.number(i64::try_from(n).unwrap_or(i64::MAX)))
    }

    fn time(&self, at: Time) -> String {
        let shown = self.words(&say("day_and_time").with(Part::Day(at)).with(Part::Clock(at)));
        format!("<time datetime=\"{}\">{shown}</time>", at.iso())
    }

    fn section(&self, key: &str, inside: &str) -> String {
        let title = self.words(&say(key));
        format!("<section aria-labelledby=\"{key}\">\n<h2 id=\"{key}\">{title}</h2>\n{inside}</section>\n")
    }

    /// Cells that are HTML; the first of each row names it.
    fn table(&self, heads: &[&str], caption: &str, rows: &[Vec<String>]) -> String {
        let mut out = "<table>\n".to_owned();
        if !caption.is_empty() {
            out.push_str(&format!("<caption>{}</caption>\n", self.words(&say(caption))));
        }
        out.push_str("<thead><tr>");
        for key in heads {
            out.push_str(&format!("<th scope=\"col\">{}</th>", self.words(&say(key))));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            out.push_str("<tr>");
            for (at, cell) in row.iter().enumerate() {
                out.push_str(&if at == 0 {
                    format!("<th scope=\"row\">{cell}</th>")
                } else {
                    format!("<td>{cell}</td>")
                });
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n");
        out
    }
}
