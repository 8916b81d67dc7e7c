//! The desk's parts that know and tell: where somebody stands, what comes along, who will be lost, what comes next, and the
//! report. They ask nothing and send nothing: everything in them follows from what is known.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlElement};

use super::dom::{Build, make};
use super::frame::{Frame, fold, table, then};
use super::lists::Lists;
use super::messages::iso_day;
use super::words::{BrowserWords, number, speak, text};
use super::{chrome, go, now, zip};
use crate::check::Action;
use crate::say::{Part, Say, say};
use crate::trunk::after::{Entry, How, cancelling, how, next, old_account};
use crate::trunk::bridge::Bridge;
use crate::trunk::dossier::{AccountFacts, Dossier, Side};
use crate::trunk::forecast::{Chart, forecast};
use crate::trunk::ics;
use crate::trunk::journal::Deed;
use crate::trunk::report::{Report, deed_details, deed_source, stands};
use crate::trunk::start::{STARTS, Start, advise};
use crate::trunk::store::Move;
use crate::when::Time;

/// What is told to the rest of the desk.
pub(super) enum Tell {
    /// To be done as if a finding had offered it.
    Act(Action),
    /// A file was handed over.
    Done(Deed),
}

pub(super) struct After {
    lists: Rc<Lists>,
    tell: Box<dyn Fn(Tell)>,
    start: Frame,
    bridge: Frame,
    forecast: Frame,
    next: Frame,
    report: Frame,
    known: RefCell<Option<(Dossier, Move)>>,
    /// What the person has chosen; else what was seen.
    chosen: Cell<Option<Start>>,
}

impl After {
    pub(super) fn new(lists: Rc<Lists>, tell: impl Fn(Tell) + 'static) -> Rc<After> {
        Rc::new(After {
            lists,
            tell: Box::new(tell),
            start: Frame::new("start", "start_how_title"),
            bridge: Frame::new("bridge", "bridge_title"),
            forecast: Frame::new("forecast", "forecast_title"),
            next: Frame::new("next", "next_title"),
            report: Frame::new("report", "report_title"),
            known: RefCell::default(),
            chosen: Cell::new(None),
        })
    }

    /// In the order in which they stand on the desk. The first belongs above everything that is done, the second and third
    /// before the move, the others behind it.
    pub(super) fn roots(&self) -> [&HtmlElement; 5] {
        [&self.start.root, &self.bridge.root, &self.forecast.root, &self.next.root, &self.report.root]
    }

    /// What is known of the linked move; `None` where there is none.
    pub(super) fn show(self: &Rc<Self>, dossier: &Dossier, current: Option<&Move>) {
        for root in self.roots() {
            root.set_hidden(current.is_none());
        }
        let Some(current) = current else {
            self.known.replace(None);
            return;
        };
        self.known.replace(Some((dossier.clone(), current.clone())));
        self.draw_start(dossier, current);
        self.draw_bridge(dossier);
        self.draw_forecast(dossier);
        self.draw_next(dossier, current);
        self.draw_report(dossier, current);
    }

    fn again(self: &Rc<Self>) {
        let known = self.known.borrow().clone();
        if let Some((dossier, current)) = known {
            self.show(&dossier, Some(&current));
        }
    }

    // --- where somebody stands ---

    fn draw_start(self: &Rc<Self>, dossier: &Dossier, current: &Move) {
        let seen = Start::seen(dossier, &current.journal);
        let start = self.chosen.get().unwrap_or(seen);
        let name = Part::Say(Box::new(say(seen.name())));
        self.start.stand(start.id(), &speak(&say("start_seen").with(name)), "");
        let all = advise(start, dossier, &current.journal);
        self.start.redraw(format!("{start:?} {all:?}"), &|| {
            let mut choice = make("div").class("actions").attr("role", "group");
            choice = choice.attr("aria-label", &text("start_how_title"));
            for one in STARTS {
                let here = self.clone();
                let button = self.start.button(one.id(), &text(one.name()), false, move || {
                    here.chosen.set(Some(one));
                    here.again();
                });
                choice =
                    choice.child(button.attr("aria-pressed", if one == start { "true" } else { "false" }));
            }
            self.start.put(&choice);
            let list = make("ol").class("advice").children(all.iter().map(|advice| {
                let mut item = make("li").attr("data-advice", advice.id);
                if advice.done {
                    item = item
                        .attr("data-done", "")
                        .child(make("span").class("tick").text(&format!("✓ {}: ", text("start_done"))));
                }
                item = item.child(make("span").text(&speak(&advice.what)));
                match advice.action.clone().filter(|_| !advice.done) {
                    Some(action) => {
                        let here = self.clone();
                        let label = speak(&action.label());
                        let id = action.id();
                        let button = self
                            .start
                            .button(id, &label, false, move || (here.tell)(Tell::Act(action.clone())));
                        item.child(make("span").class("do").child(button.attr("data-row", advice.id)))
                    }
                    None => item,
                }
            }));
            // Before a move the seven steps below say the same; what comes next stands at the top.
            self.start.put(&match start {
                Start::Before => fold("order", &text("start_order")).child(list),
                Start::After | Start::Closing => list,
            });
        });
    }

    // --- what comes along ---

    fn draw_bridge(self: &Rc<Self>, dossier: &Dossier) {
        let (old, new) = (&dossier.old.version, &dossier.new.version);
        let bridge = Bridge { old: AccountFacts::value(old), new: AccountFacts::value(new) };
        let (come, trunk, never, unknown) = bridge.counts();
        let all = come + trunk + never + unknown;
        let plain = |n: usize| number(n as u64);
        let lead = say(if unknown > 0 { "bridge_lead_unknown" } else { "bridge_lead" })
            .with(plain(all).as_str())
            .with(plain(come).as_str())
            .with(plain(trunk).as_str())
            .with(plain(never).as_str());
        let lead = if unknown > 0 { lead.with(plain(unknown).as_str()) } else { lead };
        self.bridge.stand(if unknown > 0 { "unknown" } else { "known" }, &speak(&lead), "");
        let rows = bridge.rows();
        let remarks = bridge.remarks();
        let days = bridge.old.map_or(7, |version| version.days_between_archives()).unsigned_abs();
        let hosts = [&dossier.old_host, &dossier.new_host]
            .map(|host| host.as_ref().map_or_else(String::new, ToString::to_string));
        self.bridge.redraw(format!("{rows:?} {remarks:?} {hosts:?} {days}"), &|| {
            self.bridge.put(&then(&speak(&say("bridge_archive").with(days))));
            self.bridge.put(&then(&text("bridge_redirect")));
            if !remarks.is_empty() {
                let items = remarks.iter().map(|remark| make("li").text(&speak(remark)));
                self.bridge.put(&make("ul").class("gaps").children(items));
            }
            let version = |version: Option<&crate::server::version::Version>| {
                version.map_or_else(|| text("bridge_version_unknown"), |version| version.text.clone())
            };
            let caption = say("bridge_caption")
                .with(hosts[0].as_str())
                .with(version(bridge.old).as_str())
                .with(hosts[1].as_str())
                .with(version(bridge.new).as_str());
            let cells: Vec<(String, Vec<String>)> = rows
                .iter()
                .map(|row| {
                    let why = row.why.as_ref().map(speak).unwrap_or_default();
                    let cells = vec![
                        text(row.thing.name()),
                        text(row.out.name()),
                        text(row.into.name()),
                        text(row.fate.name()),
                        why,
                    ];
                    (row.thing.id().to_owned(), cells)
                })
                .collect();
            let heads = [
                "bridge_head_thing",
                "bridge_head_out",
                "bridge_head_in",
                "bridge_head_fate",
                "bridge_head_why",
            ];
            let made = table(&speak(&caption), &heads, "data-thing", &cells).class("wide");
            for (row, fate) in rows.iter().map(|row| (row.thing.id(), row.fate.id())) {
                if let Ok(Some(line)) = made.0.query_selector(&format!("[data-thing=\"{row}\"]")) {
                    let _ = line.set_attribute("data-fate", fate);
                }
            }
            self.bridge.put(&fold("bridge", &text("bridge_table")).child(made));
        });
    }

    // --- who will be lost ---

    fn draw_forecast(self: &Rc<Self>, dossier: &Dossier) {
        let packed = self.lists.packed();
        let found = forecast(dossier, packed.as_deref());
        let lead = match &found.chart {
            Some(chart) => speak(
                &say("forecast_lead")
                    .with(chart.total())
                    .with(number(chart.come + chart.wait).as_str())
                    .with(number(chart.open).as_str())
                    .with(number(chart.stay).as_str()),
            ),
            None => text("forecast_lead_none"),
        };
        self.forecast.stand(if found.chart.is_some() { "known" } else { "none" }, &lead, "");
        self.forecast.redraw(format!("{found:?}"), &|| {
            if let Some(chart) = found.chart.as_ref().filter(|chart| chart.total() > 0) {
                self.forecast.put(&bar(chart));
                let rows: Vec<(String, Vec<String>)> = chart
                    .parts()
                    .iter()
                    .map(|(id, key, count)| {
                        ((*id).to_owned(), vec![text(key), number(*count), share(*count, chart.total())])
                    })
                    .collect();
                let heads = ["forecast_head_part", "forecast_head_people", "forecast_head_share"];
                self.forecast.put(&table(&text("forecast_caption"), &heads, "data-part", &rows));
            }
            let items = found.lines.iter().map(|line| {
                let about = [text(line.certainty.name()), speak(&line.source)].join(" · ");
                let about = match line.at {
                    Some(at) => format!("{about} · {}", speak(&day_and_time(at))),
                    None => about,
                };
                make("li")
                    .attr("data-line", line.id)
                    .attr("data-certainty", line.certainty.id())
                    .attr("data-number", &line.number.map_or_else(String::new, |number| number.to_string()))
                    .child(make("span").text(&speak(&line.what)))
                    .child(make("span").class("about").text(&about))
            });
            self.forecast.put(&make("ul").class("lines").children(items));
            let named = found.lines.iter().find(|line| !line.servers.is_empty());
            if let Some(line) = named {
                let rows: Vec<(String, Vec<String>)> = line
                    .servers
                    .iter()
                    .map(|(server, follows, followers)| {
                        (server.clone(), vec![server.clone(), number(*follows), number(*followers)])
                    })
                    .collect();
                let heads = ["forecast_head_server", "forecast_head_follows", "forecast_head_people"];
                let made = table(&text("forecast_servers_caption"), &heads, "data-server", &rows);
                self.forecast.put(&fold("servers", &text("forecast_servers_table")).child(made));
            }
        });
    }

    // --- what comes next ---

    fn draw_next(self: &Rc<Self>, dossier: &Dossier, current: &Move) {
        let now = now();
        let how = how(dossier, &current.journal);
        let entries = next(dossier, &current.journal, now);
        let state = if how == How::NotYet { "before" } else { "after" };
        let due: Vec<bool> = entries.iter().map(|entry| entry.is_due(now)).collect();
        // The entry of the archive is due from whenever it is looked at: that alone is no change.
        let shown: Vec<_> = entries.iter().map(|entry| (entry.id, &entry.what, &entry.why)).collect();
        let status = self.next.status();
        self.next.stand(state, &speak(&stands(how)), &status);
        self.next.redraw(format!("{how:?} {shown:?} {due:?}"), &|| {
            if entries.is_empty() {
                self.next.put(&then(&text("next_nothing")));
            }
            let items = entries.iter().zip(&due).map(|(entry, is_due)| self.entry(entry, *is_due));
            self.next.put(&make("ol").class("entries").children(items));
            if !entries.is_empty() {
                let here = self.clone();
                let button = self.next.button(
                    "download-calendar",
                    &text("next_calendar"),
                    how != How::NotYet,
                    move || {
                        here.download_calendar();
                    },
                );
                self.next.put(&make("div").class("actions").child(button));
                self.next.put(&then(&text("next_calendar_why")));
            }
            if how != How::NotYet {
                let (can, cannot) = old_account(dossier);
                let (gives, not) = cancelling();
                let both = |title: &str, not_title: &str, name: &str, one: &[Say], other: &[Say]| {
                    let list = |all: &[Say]| {
                        let items = all.iter().map(|say| make("li").text(&speak(say)));
                        make("ul").class("gaps").children(items)
                    };
                    let inside = fold(name, &text(title)).child(list(one));
                    inside.child(make("h3").text(&text(not_title))).child(list(other))
                };
                self.next.put(&both("next_old_title", "next_old_cannot", "old-account", &can, &cannot));
                if !matches!(how, How::Cancelled(_)) {
                    self.next.put(&both("next_cancel_title", "next_cancel_not", "cancelling", &gives, &not));
                }
            }
        });
    }

    fn entry(self: &Rc<Self>, entry: &Entry, is_due: bool) -> Build {
        let when = if is_due { text("next_due") } else { speak(&entry.when()) };
        let mut item = make("li").attr("data-entry", entry.id);
        if is_due {
            item = item.attr("data-due", "");
        }
        item = item
            .child(make("span").class("when").text(&when))
            .child(make("span").class("what").text(&speak(&entry.what)))
            .child(make("span").class("about").text(&speak(&entry.why)));
        let here = self.clone();
        let Some(path) = entry.path else {
            let label = speak(&Action::SaveMessages.label());
            let button = self.next.button("save-messages", &label, false, move || {
                (here.tell)(Tell::Act(Action::SaveMessages));
            });
            return item.child(make("span").class("do").child(button.attr("data-row", entry.id)));
        };
        let side = entry.side;
        let host = self.known.borrow().as_ref().map(|(_, current)| current.party(side).host.clone());
        let Some(host) = host else { return item };
        let label = speak(&say("action_open_server").with(&host));
        let button = self.next.button("visit", &label, false, move || {
            (here.tell)(Tell::Act(Action::Visit { side, path, label: "" }));
        });
        item.child(make("span").class("do").child(button.attr("data-row", entry.id)))
    }

    fn download_calendar(self: &Rc<Self>) {
        let known = self.known.borrow().clone();
        let Some((dossier, current)) = known else { return };
        let now = now();
        let entries = next(&dossier, &current.journal, now);
        let url = |entry: &Entry| Some(format!("{}{}", current.party(entry.side).host.origin(), entry.path?));
        let accounts = (dossier.old_handle(), dossier.new_handle());
        let events = ics::events(&entries, accounts, &url, &BrowserWords);
        let names = [Side::Old, Side::New].map(|side| name_of(&current, side));
        let title = say("next_calendar_name").with(names[0].as_str()).with(names[1].as_str());
        let calendar = ics::write(&events, &speak(&title), now);
        let name = format!("move-{}.ics", iso_day(now));
        if self.hand_over(&calendar, "text/calendar;charset=utf-8", &name) {
            self.next.tell(&speak(&say("next_calendar_done").with(name.as_str())));
        }
    }

    // --- the report ---

    fn draw_report(self: &Rc<Self>, dossier: &Dossier, current: &Move) {
        let state = if current.journal.deeds.is_empty() { "none" } else { "known" };
        let status = self.report.status();
        self.report.stand(state, &text("report_lead"), &status);
        let deeds = &current.journal.deeds;
        self.report.redraw(format!("{deeds:?} {:?}", dossier.new_host), &|| {
            let button = |action: &str, key: &str, main: bool, act: fn(&Rc<After>)| {
                let here = self.clone();
                self.report.button(action, &text(key), main, move || act(&here))
            };
            let actions = make("div")
                .class("actions")
                .child(button("download-report", "report_download", false, |here| here.download(false)))
                .child(button("download-report-json", "report_download_json", false, |here| {
                    here.download(true)
                }))
                .child(button("print-report", "report_print", false, After::print));
            self.report.put(&actions);
            self.report.put(&then(&text("report_names")));
            if deeds.is_empty() {
                self.report.put(&then(&text("report_done_none")));
                return;
            }
            let rows: Vec<(String, Vec<String>)> = deeds
                .iter()
                .rev()
                .map(|deed| {
                    let details = deed_details(deed).iter().map(speak).collect::<Vec<_>>().join(" · ");
                    let detail = deed.detail.clone().unwrap_or_default();
                    let more = [detail, details].into_iter().filter(|part| !part.is_empty());
                    let more = more.collect::<Vec<_>>().join(" · ");
                    let what = text(deed.what.name());
                    let what = if more.is_empty() { what } else { format!("{what}: {more}") };
                    let account = deed.side.map(|side| name_of(current, side)).unwrap_or_default();
                    let when = speak(&day_and_time(deed.at));
                    (deed.what.id().to_owned(), vec![what, account, when, text(deed_source(deed))])
                })
                .collect();
            let heads = ["report_head_what", "report_head_account", "report_head_when", "report_head_how"];
            let made = table(&text("report_done"), &heads, "data-deed", &rows);
            self.report.put(&fold("deeds", &text("report_done")).child(made));
        });
    }

    fn written(&self, json: bool) -> Option<String> {
        let known = self.known.borrow();
        let (dossier, current) = known.as_ref()?;
        let packed = self.lists.packed();
        let version = chrome::version();
        let report = Report::new(dossier, &current.journal, packed.as_deref(), &version, now());
        Some(if json { report.json(&BrowserWords) } else { report.html(&BrowserWords) })
    }

    fn download(&self, json: bool) {
        let Some(report) = self.written(json) else { return };
        let (kind, end) =
            if json { ("application/json", "json") } else { ("text/html;charset=utf-8", "html") };
        let name = format!("move-report-{}.{end}", iso_day(now()));
        if self.hand_over(&report, kind, &name) {
            self.report.tell(&speak(&say("report_written").with(name.as_str())));
        }
    }

    /// On a page of its own: what is printed is the report and nothing of the desk.
    fn print(self: &Rc<Self>) {
        let Some(blob) = self.written(false).and_then(|report| blob_of(&report, "text/html;charset=utf-8"))
        else {
            return;
        };
        let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else { return };
        let opened = web_sys::window().and_then(|window| window.open_with_url(&url).ok().flatten());
        let Some(page) = opened else { return };
        go(async move {
            // It is printed once it is there; who has closed it meanwhile wanted nothing printed.
            for _ in 0..100 {
                TimeoutFuture::new(100).await;
                let here = page.location().href().is_ok_and(|address| address == url);
                let whole = page.document().is_some_and(|document| document.ready_state() == "complete");
                if page.closed().unwrap_or(true) {
                    return;
                }
                if here && whole {
                    // Not from here: while its dialogue is open the browser goes on calling us, in the middle of ourselves.
                    let print = Reflect::get(&page, &JsValue::from_str("print"));
                    if let Some(print) = print.ok().and_then(|print| print.dyn_into::<Function>().ok()) {
                        let _ = page.set_timeout_with_callback(&print);
                    }
                    return;
                }
            }
        });
    }

    fn hand_over(&self, words: &str, kind: &str, name: &str) -> bool {
        let Some(blob) = blob_of(words, kind) else { return false };
        zip::hand_over(&blob, name);
        (self.tell)(Tell::Done(Deed::downloaded(name, now())));
        true
    }
}

fn name_of(current: &Move, side: Side) -> String {
    let party = current.party(side);
    party.handle.as_ref().map_or_else(|| party.host.to_string(), |handle| format!("@{handle}"))
}

fn day_and_time(at: Time) -> Say {
    say("day_and_time").with(Part::Day(at)).with(Part::Clock(at))
}

fn blob_of(words: &str, kind: &str) -> Option<Blob> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let parts = Array::of1(&JsValue::from_str(words));
    Blob::new_with_str_sequence_and_options(&parts, &options).ok()
}

/// Of a hundred, rounded down; what is there at all is not called nothing.
fn share(count: u64, total: u64) -> String {
    let percent = count.saturating_mul(100) / total.max(1);
    if percent == 0 && count > 0 { "< 1 %".to_owned() } else { format!("{} %", number(percent)) }
}

/// The parts beside each other; the table behind it says the same in numbers.
fn bar(chart: &Chart) -> Build {
    let parts = chart.parts();
    let label: Vec<String> = parts
        .iter()
        .filter(|(.., count)| *count > 0)
        .map(|(_, key, count)| format!("{}: {}", text(key), number(*count)))
        .collect();
    let row = make("div").class("chart").attr("role", "img").attr("aria-label", &label.join(", "));
    row.children(parts.iter().filter(|(.., count)| *count > 0).map(|(id, _, count)| {
        let part = make("span").attr("data-part", id);
        // So wide as there are people: the browser reckons.
        let _ = part.0.style().set_property("flex-grow", &count.to_string());
        part
    }))
}
