//! The rows of a plan, as far as anybody wants to read them: why each goes or stays, and what the person can change.

use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};

use super::super::dom::{Build, make, set_text};
use super::super::frame::{fold, then};
use super::super::words::{number, speak, text};
use super::super::{db, go};
use super::Unpacker;
use super::choice::Other;
use crate::account::{Domain, Handle};
use crate::list::{self, Correction, Foreign, Kind, Odd, ReadError, Row, Why};
use crate::say::{Say, say};
use crate::trunk::drawer::Drawer;
use crate::trunk::kind_name;
use crate::trunk::plan::{Part, Unpacking, why_id};

/// So many rows are shown; the rest is counted.
const SHOWN: usize = 200;

/// A row and what can be done about it.
struct Entry {
    name: String,
    about: String,
    origin: String,
    /// What stands in the field for another name at first.
    meant: String,
    /// Keys of the actions.
    offers: Vec<(&'static str, &'static str)>,
}

pub(super) fn name_of(kind: Kind, row: &Row) -> String {
    if kind == Kind::Lists { format!("{}: {}", row.list(), row.name()) } else { row.name().to_owned() }
}

/// `group`: a reason, or none for what is uploaded.
fn entries(unpacker: &Unpacker, part: &Part, group: Option<&str>) -> Vec<Entry> {
    let kind = part.plan.kind;
    let wishes = unpacker.wishes.borrow();
    let entry = |row: &Row, why: Option<&Why>, meant: Option<Handle>| {
        let corrected = wishes.corrected(kind, row.origin());
        let mut offers = Vec::new();
        match why {
            Some(why) if why.may_upload() && *why != Why::LeftOut => {
                offers.push(("upload-row", "unpack_upload_row"));
            }
            Some(_) => {}
            None => offers.push(("leave-row", "unpack_leave_row")),
        }
        if kind != Kind::Filters && !matches!(why, Some(Why::Doubled { .. })) {
            offers.push(("replace-row", "unpack_replace_row"));
        }
        if corrected {
            offers.push(("undo-row", "unpack_undo_row"));
        }
        let about = match (&meant, why) {
            (Some(to), Some(Why::Moved { .. })) => speak(&say("unpack_row_moved").with(to)),
            (Some(to), _) => speak(&say("unpack_row_meant").with(to)),
            (None, Some(Why::AlreadyThere { differs: true })) => text("unpack_row_differs"),
            (None, Some(Why::Doubled { of, .. })) => {
                speak(&say("unpack_row_line").with(number(u64::from(*of)).as_str()))
            }
            _ => String::new(),
        };
        let meant = meant.map_or_else(|| row.name().to_owned(), |meant| meant.acct());
        Entry { name: name_of(kind, row), about, origin: row.origin().to_owned(), meant, offers }
    };
    match group {
        None => part.plan.upload.iter().map(|row| entry(row, None, None)).collect(),
        Some(id) => {
            let own = part.plan.out.iter().filter(|out| why_id(&out.why) == id);
            own.map(|out| entry(&out.row, Some(&out.why), out.suggestion())).collect()
        }
    }
}

impl Unpacker {
    /// Rows behind one line; drawn when somebody opens it.
    pub(super) fn draw_rows(
        self: &Rc<Self>,
        plan: &Rc<Unpacking>,
        at: usize,
        group: Option<&'static str>,
        line: &str,
    ) -> Build {
        let kind = plan.parts[at].plan.kind;
        let fold = fold(&format!("{} {}", kind.id(), group.unwrap_or("upload")), line);
        let fold = match group {
            Some(why) => fold.attr("data-why", why),
            None => fold,
        };
        let (here, plan, inside) = (self.clone(), plan.clone(), fold.0.clone());
        let filled = std::cell::Cell::new(false);
        self.frame.listen(EventListener::new(&fold.0, "toggle", move |_| {
            if filled.replace(true) {
                return;
            }
            let entries = entries(&here, &plan.parts[at], group);
            let list =
                make("ul").class("rows").children(entries.iter().take(SHOWN).enumerate().map(draw_entry));
            let _ = inside.append_child(list.as_ref());
            if entries.len() > SHOWN {
                let more = speak(&say("unpack_rows_more").with(entries.len() - SHOWN));
                let _ = inside.append_child(then(&more).as_ref());
            }
            let (own, list) = (here.clone(), list.0.clone());
            // One listener for all of them.
            here.frame.listen(EventListener::new(&list, "click", move |event| {
                if let Some((action, row)) = pressed(event)
                    && let Some(entry) =
                        row.get_attribute("data-row").and_then(|at| entries.get(at.parse::<usize>().ok()?))
                {
                    own.act_on(kind, entry, &action, &row);
                }
            }));
        }));
        fold
    }

    fn act_on(self: &Rc<Self>, kind: Kind, entry: &Entry, action: &str, row: &Element) {
        match action {
            "upload-row" => self.correct(kind, entry, Some(Correction::Upload)),
            "leave-row" => self.correct(kind, entry, Some(Correction::LeaveOut)),
            "undo-row" => self.correct(kind, entry, None),
            "replace-row" => open_field(kind, entry, row),
            "take-row" => {
                let field = row.query_selector("input").ok().flatten();
                let typed = field.and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
                let typed = typed.map(|field| field.value()).unwrap_or_default();
                let typed = typed.trim();
                let fits = match kind {
                    Kind::DomainBlocks => typed.parse::<Domain>().is_ok(),
                    Kind::Bookmarks => typed.starts_with("https://") || typed.starts_with("http://"),
                    _ => typed.parse::<Handle>().is_ok(),
                };
                if fits {
                    let name = typed.trim_start_matches('@').to_owned();
                    self.correct(kind, entry, Some(Correction::Replace(name)));
                } else if let Ok(Some(error)) = row.query_selector(".error") {
                    set_text(&error, &text("unpack_other_name_error"));
                }
            }
            _ => {}
        }
    }

    fn correct(self: &Rc<Self>, kind: Kind, entry: &Entry, correction: Option<Correction>) {
        let what = match &correction {
            Some(Correction::Upload) => say("unpack_will_upload").with(entry.name.as_str()),
            Some(Correction::LeaveOut) => say("unpack_will_leave").with(entry.name.as_str()),
            Some(Correction::Replace(to)) => {
                say("unpack_will_replace").with(entry.name.as_str()).with(to.as_str())
            }
            None => say("unpack_will_undo").with(entry.name.as_str()),
        };
        self.wishes.borrow_mut().correct(kind, &entry.origin, correction);
        self.change(Some(what));
    }

    /// Something was chosen: it is kept, and the plan is laid out anew.
    pub(super) fn change(self: &Rc<Self>, told: Option<Say>) {
        self.told.replace(told);
        self.lay();
        self.draw();
        let here = self.clone();
        let (account, records) = (self.account(Drawer::New), self.wishes.borrow().records());
        go(async move {
            let stored = match here.run.db().await {
                Ok(db) => db.put(&account, &records).await,
                Err(trouble) => Err(trouble),
            };
            if let Err(trouble) = stored {
                here.run.halt.replace(trouble.into());
                here.draw();
            }
        });
    }

    // --- a file from elsewhere ---

    /// A file in place of what is packed, of whatever origin.
    pub(super) fn draw_other(self: &Rc<Self>) {
        let kinds = make("select").attr("id", "other-kind").attr("data-action", "other-kind");
        let kinds = kinds.children(
            Kind::ALL
                .iter()
                .map(|kind| make("option").attr("value", kind.id()).text(&text(kind_name(*kind)))),
        );
        let field = make("input")
            .attr("type", "file")
            .attr("id", "other-file")
            .attr("accept", ".csv,.json,.txt,text/csv,application/json")
            .attr("data-action", "other-file");
        let (here, input, chosen) = (self.clone(), field.0.clone(), kinds.0.clone());
        self.frame.listen(EventListener::new(&field.0, "change", move |_| {
            let files = input.dyn_ref::<web_sys::HtmlInputElement>().and_then(|input| input.files());
            let value =
                js_sys::Reflect::get(&chosen, &"value".into()).ok().and_then(|value| value.as_string());
            let kind = value.as_deref().and_then(Kind::of_id);
            if let (Some(file), Some(kind)) = (files.and_then(|files| files.get(0)), kind) {
                let here = here.clone();
                go(async move {
                    match here.take_file(kind, &file).await {
                        Ok(done) => here.change(Some(done)),
                        Err(what) => {
                            here.told.replace(Some(what));
                            here.draw();
                        }
                    }
                });
            }
        }));
        let fold = fold("other-file", &text("unpack_other_title"))
            .child(then(&text("unpack_other_why")))
            .child(make("label").attr("for", "other-kind").text(&text("unpack_other_kind")))
            .child(kinds)
            .child(make("label").attr("for", "other-file").text(&text("unpack_other_file")))
            .child(field);
        self.frame.put(&fold);
    }

    async fn take_file(self: &Rc<Self>, kind: Kind, file: &web_sys::File) -> Result<Say, Say> {
        let name = file.name();
        let told = |key: &str| say(key).with(name.as_str());
        #[allow(clippy::cast_precision_loss)]
        if file.size() > list::LARGEST as f64 {
            return Err(told("unpack_file_large"));
        }
        let bytes = db::piece(file, 0.0, file.size()).await.map_err(|_| told("unpack_file_unread"))?;
        let sheet = list::read(&bytes, &name).map_err(|error| {
            told(match error {
                ReadError::Empty => "unpack_file_empty",
                ReadError::TooLarge | ReadError::TooManyRows => "unpack_file_large",
                ReadError::BrokenJson => "unpack_file_json",
                ReadError::Foreign(Foreign::Html) => "unpack_file_html",
                ReadError::Foreign(Foreign::Actor | Foreign::Posts | Foreign::Json) => "unpack_file_archive",
                ReadError::Foreign(Foreign::Zip | Foreign::Gzip) => "unpack_file_zip",
                ReadError::Foreign(_) => "unpack_file_foreign",
            })
        })?;
        if sheet.guess.fits(kind) == Some(false) {
            let wanted = text(kind_name(kind));
            return Err(match sheet.kind() {
                Some(other) => {
                    told("unpack_file_other").with(text(kind_name(other)).as_str()).with(wanted.as_str())
                }
                None => told("unpack_file_accounts").with(wanted.as_str()),
            });
        }
        let text = if sheet.odd.contains(&Odd::Utf16) {
            let little = match bytes.as_slice() {
                [0xff, 0xfe, ..] => true,
                [0xfe, 0xff, ..] => false,
                _ => bytes.get(1) == Some(&0),
            };
            let unit = |pair: &[u8]| {
                let pair = [pair[0], pair[1]];
                if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
            };
            String::from_utf16_lossy(&bytes.chunks_exact(2).map(unit).collect::<Vec<_>>())
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let odd: Vec<String> = sheet.odd.iter().map(|odd| speak(&odd_words(odd))).collect();
        let mut wishes = self.wishes.borrow_mut();
        wishes.others.retain(|other| other.kind != kind);
        wishes.others.push(Other { kind, name: name.clone(), text });
        super::choice::set(&mut wishes.chosen.overwrite, kind, false);
        Ok(told("unpack_file_taken").with(sheet.len()).with(odd.join(" ").as_str()))
    }
}

/// What was pressed, and the row it is in.
fn pressed(event: &Event) -> Option<(String, Element)> {
    if !event.is_trusted() {
        return None;
    }
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let button = target.closest("button[data-action]").ok().flatten()?;
    Some((button.get_attribute("data-action")?, button.closest("li").ok().flatten()?))
}

/// A field for another name, below the row.
fn open_field(kind: Kind, entry: &Entry, row: &Element) {
    if row.query_selector("input").ok().flatten().is_some() {
        return;
    }
    let id = format!("other-{}-{}", kind.id(), row.get_attribute("data-row").unwrap_or_default());
    let field = make("input")
        .attr("type", "text")
        .attr("id", &id)
        .attr("autocomplete", "off")
        .attr("autocapitalize", "none")
        .attr("spellcheck", "false")
        .attr("value", &entry.meant);
    let take = make("button").attr("type", "button").attr("data-action", "take-row");
    let label = speak(&say("unpack_other_name").with(entry.name.as_str()));
    let form = make("div")
        .class("change")
        .child(make("label").attr("for", &id).text(&label))
        .child(make("div").class("row").child(&field).child(take.text(&text("unpack_take_row"))))
        .child(make("p").class("error").attr("role", "alert"));
    let _ = row.append_child(form.as_ref());
    let _ = field.0.focus();
}

fn draw_entry((at, entry): (usize, &Entry)) -> Build {
    let mut words = make("span").class("who").text(&entry.name);
    if !entry.about.is_empty() {
        words = make("span").class("who").text(&format!("{} – {}", entry.name, entry.about));
    }
    let row = make("li").attr("data-row", &at.to_string()).child(words);
    row.children(entry.offers.iter().map(|(action, key)| {
        let label = text(key);
        make("button")
            .class("secondary")
            .attr("type", "button")
            .attr("data-action", action)
            .attr("aria-label", &format!("{label}: {}", entry.name))
            .text(&label)
    }))
}

pub(super) fn odd_words(odd: &Odd) -> Say {
    let many = |key: &str, n: u32| say(key).with(u64::from(n));
    let line_of = |key: &str, n: u32| say(key).with(number(u64::from(n)).as_str());
    match odd {
        Odd::Bom => say("unpack_odd_bom"),
        Odd::Utf16 => say("unpack_odd_utf16"),
        Odd::NotUtf8 { line } => line_of("unpack_odd_letters", *line),
        Odd::Nul => say("unpack_odd_nul"),
        Odd::CarriageReturns => say("unpack_odd_returns"),
        Odd::Semicolons => say("unpack_odd_semicolons"),
        Odd::Tabs => say("unpack_odd_tabs"),
        Odd::OpenQuote { line } => line_of("unpack_odd_quote", *line),
        Odd::BlankLines(n) => many("unpack_odd_blank", *n),
        Odd::ExtraCells(n) => many("unpack_odd_cells", *n),
        Odd::DoublesDiffer(n) => many("unpack_odd_doubles", *n),
        Odd::NotTrueOrFalse(n) => many("unpack_odd_flags", *n),
    }
}

/// The element that a checkbox or a radio button is.
pub(super) fn is_checked(element: &HtmlElement) -> bool {
    element.dyn_ref::<web_sys::HtmlInputElement>().is_some_and(web_sys::HtmlInputElement::checked)
}
