//! `/settings/imports` (4.2 and later) and `/settings/import` (before): facts 6.

use maud::{Markup, html};

use super::{Visit, form, layout};
use crate::clock;
use crate::http::Reply;
use crate::imports::{self, Refused};
use crate::state::{Id, Import, ImportState};
use crate::version::Version;

pub fn route(visit: &mut Visit, rest: &[&str]) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let side = visit.side();
    let bulk = visit.server().version.has_bulk_imports();
    let id = rest.get(1).and_then(|id| id.parse::<Id>().ok());
    match (visit.request.method.as_str(), rest, bulk) {
        ("GET", ["imports"], true) | ("GET", ["import"], false) => index(visit, me, None),
        ("POST", ["imports"], true) | ("POST", ["import"], false) => create(visit, me),
        ("GET", ["imports", _], true) => match id.and_then(|id| unconfirmed(visit, me, id)) {
            Some(import) => confirmation(visit, &import),
            None => layout::not_found(visit.server()),
        },
        ("DELETE", ["imports", _], true) => {
            let Some(import) = id.and_then(|id| unconfirmed(visit, me, id)) else {
                return layout::not_found(visit.server());
            };
            if let Some(user) = visit.server_mut().user_mut(me) {
                user.imports.retain(|other| other.id != import.id);
            }
            visit.redirect("/settings/imports")
        }
        ("POST", ["imports", _, "confirm"], true) => {
            if !id.is_some_and(|id| imports::confirm(visit.world, side, me, id)) {
                return layout::not_found(visit.server());
            }
            visit.flash("notice", "Your data was successfully uploaded and will be processed in due time");
            visit.redirect("/settings/imports")
        }
        ("GET", ["imports", _, "failures.csv" | "failures.json"], true) => {
            let found = visit
                .server()
                .user(me)
                .and_then(|user| {
                    user.imports
                        .iter()
                        .find(|import| Some(import.id) == id && import.state == ImportState::Finished)
                })
                .cloned();
            let version = visit.server().version;
            let json = visit.request.path.ends_with(".json");
            match found.filter(|import| (import.kind == "custom_filters") == json) {
                Some(import) => super::export::attachment(
                    if json { "application/json" } else { "text/csv" },
                    imports::failures_name(&import.kind),
                    imports::failures_file(&import, version),
                ),
                None => layout::not_found(visit.server()),
            }
        }
        // The other version's path does not exist here: the version probe of facts 1.3.
        _ => layout::not_found(visit.server()),
    }
}

/// An upload. Taken, it leads to its page since 4.2 and back to the form before; refused, the form comes again with Mastodon's words.
fn create(visit: &mut Visit, me: Id) -> Reply {
    let bulk = visit.server().version.has_bulk_imports();
    let model = if bulk { "form_import" } else { "import" };
    let request = visit.request;
    let kind = request.field(&format!("{model}[type]")).unwrap_or("").to_owned();
    let overwrite = request.field(&format!("{model}[mode]")) == Some("overwrite");
    let field = format!("{model}[data]");
    let file = request.files.iter().find(|file| file.field == field).map(|file| imports::Upload {
        name: &file.file_name,
        content_type: &file.content_type,
        bytes: &file.bytes,
    });
    let side = visit.side();
    let taken = match visit.world.import_error.take() {
        Some(text) => Err(Refused::Message(text)),
        None => imports::upload(visit.world, side, me, &kind, overwrite, file),
    };
    match taken {
        Ok(id) if bulk => visit.redirect(&format!("/settings/imports/{id}")),
        Ok(_) => {
            visit.flash("notice", "Your data was successfully uploaded and will be processed in due time");
            visit.redirect("/settings/import")
        }
        Err(Refused::Message(error)) => index(visit, me, Some((&kind, overwrite, &error))),
        Err(Refused::Crash) => {
            layout::error(visit.server(), 500, "We're sorry, but something went wrong on our end.")
        }
    }
}

fn unconfirmed(visit: &Visit, me: Id, id: Id) -> Option<Import> {
    visit
        .server()
        .user(me)?
        .imports
        .iter()
        .find(|import| import.id == id && import.state == ImportState::Unconfirmed)
        .cloned()
}

fn selector(model: &str, version: Version, selected: Option<&str>) -> Markup {
    let groups: [(&str, &[&str]); 2] = [
        ("Follows & Bookmarks", &["following", "bookmarks", "lists"]),
        ("Blocks & mutes", &["muting", "blocking", "domain_blocking", "custom_filters"]),
    ];
    html! {
        select class="grouped_select required" name={ (model) "[type]" } id={ (model) "_type" } {
            @for (label, kinds) in groups {
                optgroup label=(label) {
                    @for kind in kinds { @if imports::offers(kind, version) { option value=(kind) selected[selected == Some(*kind)] { (imports::label(kind)) } } }
                }
            }
        }
    }
}

fn mode(model: &str, version: Version, overwrite: bool) -> Markup {
    let item = |value: &str, label: &str, hint: &str, checked: bool| {
        html! {
            li class="radio" {
                label for={ (model) "_mode_" (value) } {
                    input class="radio_buttons optional" type="radio" value=(value) checked[checked] name={ (model) "[mode]" } id={ (model) "_mode_" (value) };
                    (label) span class="hint" { (hint) }
                }
            }
        }
    };
    html! {
        div class={ "input radio_buttons optional " (model) "_mode" } {
            ul {
                input type="hidden" name={ (model) "[mode]" } value="" autocomplete=[form::hidden_autocomplete(version)];
                (item("merge", "Merge", "Keep existing records and add new ones", !overwrite))
                (item("overwrite", "Overwrite", "Replace current records with the new ones", overwrite))
            }
        }
    }
}

fn index(visit: &mut Visit, me: Id, refused: Option<(&str, bool, &str)>) -> Reply {
    let server = visit.server();
    let version = server.version;
    let (model, path) = if version.has_bulk_imports() {
        ("form_import", "/settings/imports")
    } else {
        ("import", "/settings/import")
    };
    let error = refused.map(|(_, _, error)| error).filter(|error| !error.is_empty());
    let groups = if version.has_html_theme() { "fields-group" } else { "field-group" };
    let data_class = format!(
        "input with_block_label file required {model}_data{} field_with_hint",
        if error.is_some() { " field_with_errors" } else { "" }
    );
    let content = html! {
        form class={ "simple_form new_" (model) } id={ "new_" (model) } novalidate="novalidate" enctype="multipart/form-data" action=(path) accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), path, "post"))
            div class=(groups) {
                div class={ "input with_block_label grouped_select required " (model) "_type field_with_hint" } {
                    label class="grouped_select required" for={ (model) "_type" } { "Import type " abbr title="required" { "*" } }
                    span class="hint" { "You can import data that you have exported from another server, such as a list of the people you are following or blocking." }
                    div class="label_input" { (selector(model, version, refused.map(|(kind, _, _)| kind))) }
                }
            }
            div class="fields-row" {
                div class="fields-group fields-row__column fields-row__column-6" {
                    div class=(data_class) {
                        label class="file required" for={ (model) "_data" } { "Data " abbr title="required" { "*" } }
                        span class="hint" { "CSV file exported from another Mastodon server" }
                        div class="label_input" { input class="file required" aria-invalid=[error.map(|_| "true")] type="file" name={ (model) "[data]" } id={ (model) "_data" }; }
                        @if let Some(error) = error { span class="error" { (error) } }
                    }
                }
                div class="fields-group fields-row__column fields-row__column-6" { (mode(model, version, refused.is_some_and(|(_, overwrite, _)| overwrite))) }
            }
            (form::submit("btn", "Upload", false))
        }
        @if version.has_bulk_imports() { (recent(visit, me)) }
    };
    layout::admin(visit, "Import", &content)
}

fn recent(visit: &Visit, me: Id) -> Markup {
    let server = visit.server();
    let imports: Vec<&Import> = server
        .user(me)
        .map(|user| user.imports.iter().rev().filter(|import| !import.legacy).take(10).collect())
        .unwrap_or_default();
    let with_ids = server.version.at_least(Version::V4_3);
    html! {
        @if !imports.is_empty() {
            hr class="spacer";
            (layout::section(server.version, "Recent imports"))
            div class="table-wrapper" {
                table class="table" {
                    thead { tr { th { "Import type" } th { "Status" } th { "Imported" } th { "Started at" } th { "Failures" } } }
                    tbody {
                        @for import in imports {
                            tr id=[with_ids.then(|| format!("bulk_import_{}", import.id))] {
                                td { (imports::label(&import.kind)) }
                                td {
                                    @match import.state {
                                        ImportState::Unconfirmed => a href={ "/settings/imports/" (import.id) } { "Unconfirmed" },
                                        ImportState::Scheduled => "Scheduled",
                                        ImportState::InProgress => "In progress",
                                        ImportState::Finished => "Finished",
                                    }
                                }
                                td { (import.imported) " / " (import.total) }
                                td { time class="formatted" datetime=(clock::iso_seconds(import.created_at)) title=(clock::english(import.created_at)) { (clock::english(import.created_at)) } }
                                td {
                                    @if import.state == ImportState::Finished && import.processed > import.imported {
                                        a href={ "/settings/imports/" (import.id) "/failures." (if import.kind == "custom_filters" { "json" } else { "csv" }) } { (import.processed - import.imported) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What will happen, in Mastodon's sentence for each kind and mode.
fn preamble(import: &Import) -> Markup {
    let (count, file) = (import.total, &import.file_name);
    let things = |noun: &str| html! { strong { (count) " " (noun) } };
    let from = html! { " from " strong { (file) } };
    let add = |noun: &str, to: &str| html! { "You are about to add up to " (things(noun)) (from) " to your " strong { (to) } "." };
    let act = |verb: &str, noun: &str| html! { "You are about to " strong { (verb) } " up to " (things(noun)) (from) "." };
    let replace = |what: &str, noun: &str| html! { "You are about to " strong { "replace your " (what) } " with up to " (things(noun)) (from) "." };
    match (import.kind.as_str(), import.overwrite) {
        ("following", false) => act("follow", "accounts"),
        ("following", true) => {
            html! { "You are about to " strong { "follow" } " up to " (things("accounts")) (from) " and " strong { "stop following anyone else" } "." }
        }
        ("muting", false) => act("mute", "accounts"),
        ("muting", true) => replace("list of muted accounts", "accounts"),
        ("blocking", false) => act("block", "accounts"),
        ("blocking", true) => replace("block list", "accounts"),
        ("domain_blocking", false) => act("block", "domains"),
        ("domain_blocking", true) => replace("domain block list", "domains"),
        ("bookmarks", false) => add("posts", "bookmarks"),
        ("bookmarks", true) => replace("bookmarks", "posts"),
        ("lists", false) => {
            html! { (add("accounts", "lists")) " New lists will be created if there is no list to add to." }
        }
        ("lists", true) => replace("lists", "accounts"),
        (_, false) => add("filters", "filters"),
        (_, true) => replace("filters", "filters"),
    }
}

fn confirmation(visit: &mut Visit, import: &Import) -> Reply {
    let id = import.id;
    let cancel = if visit.server().version.has_html_theme() {
        "button button-secondary"
    } else {
        "button button-tertiary"
    };
    let content = html! {
        @if import.mismatch { div class="flash-message warning" { "It appears you may have selected the wrong type for this import, please double-check." } }
        p class="hint" { (preamble(import)) }
        div class="simple_form" {
            div class="actions" {
                a class=(cancel) rel="nofollow" data-method="delete" href={ "/settings/imports/" (id) } { "Cancel" }
                a class="button" rel="nofollow" data-method="post" href={ "/settings/imports/" (id) "/confirm" } { "Confirm" }
            }
        }
    };
    layout::admin(visit, imports::title(&import.kind), &content)
}
