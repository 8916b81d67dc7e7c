//! Profile, privacy, preferences, relationships and deletion: the pages beside the move (facts 1.3).

use maud::{Markup, html};

use super::form::{self, Input};
use super::{Visit, layout};
use crate::http::{Kind, Reply};
use crate::moves::FormErrors;
use crate::relations;
use crate::state::Id;
use crate::version::Version;

fn tabs(version: Version, selected: &str) -> Option<Markup> {
    if !version.at_least(Version::V4_2) {
        return None;
    }
    let items = [
        ("edit_profile", "/settings/profile", "Edit profile", true),
        ("privacy_reach", "/settings/privacy", "Privacy and reach", !version.has_html_theme()),
        ("verification", "/settings/verification", "Verification", true),
        ("featured_tags", "/settings/featured_tags", "Featured hashtags", true),
    ];
    Some(html! {
        @for (id, href, text, shown) in items {
            @if shown { a id=(id) class=[(id == selected).then_some("selected simple-navigation-active-leaf")] href=(href) { (layout::icon()) " " (text) } }
        }
    })
}

fn callout(text: &str) -> Markup {
    html! {
        aside class="callout" {
            (layout::icon())
            div class="content" { div class="body" { p class="title" { "There’s a new profile editing experience" } p { (text) } } a href="/profile/edit" { "Go there" } }
        }
    }
}

pub fn page(visit: &mut Visit) -> Reply {
    let Some(account) = visit.me.and_then(|me| visit.server().account(me)).cloned() else {
        return layout::not_found(visit.server());
    };
    let version = visit.server().version;
    let tabs = tabs(version, "edit_profile");
    if version.has_html_theme() {
        let content = callout("Profile editing can now be accessed directly from the profile page.");
        return layout::admin_with(visit, "Public profile", tabs.as_ref(), &content);
    }
    let field = |attr: &'static str, index: usize, placeholder: &str, value: &str| {
        html! {
            div class={ "input string optional account_fields_" (attr) } {
                input maxlength="255" class="string optional" placeholder=(placeholder) size="255" type="text" value=(value)
                    name={ "account[fields_attributes][" (index) "][" (attr) "]" } id={ "account_fields_attributes_" (index) "_" (attr) };
            }
        }
    };
    let file = |attr: &str, label: &str| {
        html! {
            div class="fields-row" {
                div class="fields-row__column fields-row__column-6" {
                    div class="fields-group" {
                        div class={ "input with_block_label file optional account_" (attr) " field_with_hint" } {
                            label class="file optional" for={ "account_" (attr) } { (label) }
                            span class="hint" { "WEBP, PNG, GIF or JPG. At most 2 MB." }
                            div class="label_input" { input accept="image/jpeg,image/png,image/gif,image/webp" class="file optional" type="file" name={ "account[" (attr) "]" } id={ "account_" (attr) }; }
                        }
                    }
                }
                div class="fields-row__column fields-row__column-6" {
                    div class="fields-group" { img class="fields-group__thumbnail" id={ "account_" (attr) "-preview" } alt="" src={ "/" (attr) "s/original/missing.png" }; }
                }
            }
        }
    };
    let method = "patch";
    let content = html! {
        form class="simple_form edit_account" id="edit_profile" novalidate="novalidate" enctype="multipart/form-data" action="/settings/profile" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/settings/profile", method))
            p class="lead" { strong { "Customize what people see on your public profile and next to your posts." } " Other people are more likely to follow you back and interact with you when you have a filled out profile and a profile picture." }
            h4 { "Basic information" }
            div class="fields-row" {
                div class="fields-row__column fields-row__column-6" {
                    div class="fields-group" {
                        div class="input with_block_label string optional account_display_name field_with_hint" {
                            label class="string optional" for="account_display_name" { "Display name" }
                            span class="hint" { "Your full name or your fun name." }
                            div class="label_input" { input maxlength="30" data-default=(account.username) class="string optional" size="30" type="text" value=(account.display_name) name="account[display_name]" id="account_display_name"; }
                        }
                    }
                    div class="fields-group" {
                        div class="input with_block_label text optional account_note field_with_hint" {
                            label class="text optional" for="account_note" { "Bio" }
                            span class="hint" { "You can @mention other people or #hashtags." }
                            div class="label_input" { textarea maxlength="500" class="text optional" name="account[note]" id="account_note" { (account.note) } }
                        }
                    }
                }
                div class="fields-row__column fields-group fields-row__column-6" {
                    div class="input with_block_label" {
                        label { "Extra fields" }
                        span class="hint" { "Your homepage, pronouns, age, anything you want." }
                        @for index in 0..4 {
                            @let (name, value) = account.fields.get(index).cloned().unwrap_or_default();
                            div class="row" { (field("name", index, "Label", &name)) (field("value", index, "Content", &value)) }
                        }
                    }
                }
            }
            (file("avatar", "Profile picture"))
            (file("header", "Header picture"))
            h4 { "Other" }
            @if !version.at_least(Version::V4_2) {
                (form::check_box(version, "account", "locked", "Require follow requests", "Manually control who can follow you by approving follow requests", account.locked))
            }
            (form::check_box(version, "account", "bot", "This is an automated account", "Signal to others that the account mainly performs automated actions and might not be monitored", account.bot))
            (form::submit("btn", "Save changes", false))
        }
    };
    let title = if version.at_least(Version::V4_2) { "Public profile" } else { "Edit profile" };
    layout::admin_with(visit, title, tabs.as_ref(), &content)
}

pub fn update(visit: &mut Visit) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let side = visit.side();
    let request = visit.request;
    let fields: Vec<(String, String)> = (0..4)
        .filter_map(|index| {
            let name = request.field(&format!("account[fields_attributes][{index}][name]"))?;
            let value = request.field(&format!("account[fields_attributes][{index}][value]"))?;
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        })
        .collect();
    if let Some(account) = visit.server_mut().account_mut(me) {
        if let Some(name) = request.field("account[display_name]") {
            account.display_name = name.to_owned();
            account.fields = fields;
        }
        if let Some(note) = request.field("account[note]") {
            account.note = note.to_owned();
        }
    }
    if let Some(locked) = request.field("account[locked]") {
        set_locked(visit, side, me, locked == "1");
    }
    visit.flash("notice", "Changes successfully saved!");
    visit.redirect("/settings/profile")
}

fn set_locked(visit: &mut Visit, side: crate::state::Side, me: Id, locked: bool) {
    if let Some(account) = visit.server_mut().account_mut(me) {
        account.locked = locked;
    }
    if !locked {
        relations::accept_all(visit.world, side, me);
    }
}

/// `/settings/profile/pictures/avatar`, with which a picture is taken away up to 4.1, and later too.
pub fn remove_picture(visit: &mut Visit, which: &str) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    if let Some(account) = visit.server_mut().account_mut(me) {
        match which {
            "avatar" => account.avatar = None,
            "header" => account.header = None,
            _ => return Reply::html(Kind::Page, 400, ""),
        }
    }
    visit.flash("notice", "Changes successfully saved!");
    let mut reply = visit.redirect("/settings/profile");
    reply.status = 303;
    reply
}

pub fn privacy_page(visit: &mut Visit) -> Reply {
    let version = visit.server().version;
    let Some(account) = visit
        .me
        .and_then(|me| visit.server().account(me))
        .cloned()
        .filter(|_| version.at_least(Version::V4_2))
    else {
        return layout::not_found(visit.server());
    };
    let lead = |text: &str| html! { p class="lead" { (text) } };
    let feature = if version.has_html_theme() {
        "Feature me in discovery experiences"
    } else {
        "Feature profile and posts in discovery algorithms"
    };
    let feature = html! { (feature) " " span class="recommended" { "Recommended" } };
    let content = html! {
        form class="simple_form edit_account" id={ "edit_account_" (account.id) } novalidate="novalidate" action="/settings/privacy" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/settings/privacy", "patch"))
            p class="lead" { strong { "Customize how you want your profile and your posts to be found." } " A variety of features in Mastodon can help you reach a wider audience when enabled." }
            (sub(version, "Reach"))
            (lead("Control whether you want to be discovered and followed by new people."))
            (form::check_box(version, "account", "discoverable", &feature, "Your public posts and profile may be featured or recommended in various areas of Mastodon.", account.discoverable == Some(true)))
            (form::check_box(version, "account", "unlocked", "Automatically accept new followers", "People will be able to follow you without requesting approval. Uncheck if you want to review follow requests and choose whether to accept or reject new followers.", !account.locked))
            (sub(version, "Search"))
            (lead("Control how you want to be found."))
            (form::check_box(version, "account", "indexable", "Include public posts in search results", "Your public posts may appear in search results on Mastodon.", account.indexable))
            (form::check_box(version, "account", "settings][indexable", "Include profile page in search engines", "Your profile page may appear in search results on Google, Bing, and others.", true))
            (sub(version, "Privacy"))
            (lead("Control how much you want to disclose for the benefit of others."))
            @if !version.has_html_theme() {
                (form::check_box(version, "account", "show_collections", "Show follows and followers on profile", "People will be able to browse through your follows and followers.", account.hide_collections != Some(true)))
            }
            (form::check_box(version, "account", "settings][show_application", "Display from which app you sent a post", "You will always be able to see which app published your post regardless.", true))
            @if version.has_html_theme() { (callout("The choice to show your follows and followers is now made directly from your profile.")) }
            (form::submit("btn", "Save changes", false))
        }
    };
    if version.has_html_theme() {
        layout::admin_with(visit, "Privacy and reach", Some(&html! {}), &content)
    } else {
        let tabs = tabs(version, "privacy_reach");
        layout::admin_with(visit, "Public profile", tabs.as_ref(), &content)
    }
}

fn sub(version: Version, text: &str) -> Markup {
    html! { @if version.has_html_theme() { h2 { (text) } } @else { h4 { (text) } } }
}

pub fn privacy(visit: &mut Visit) -> Reply {
    let version = visit.server().version;
    let Some(me) = visit.me.filter(|_| version.at_least(Version::V4_2)) else {
        return layout::not_found(visit.server());
    };
    let (side, request) = (visit.side(), visit.request);
    if let Some(account) = visit.server_mut().account_mut(me) {
        if let Some(value) = request.field("account[discoverable]") {
            account.discoverable = Some(value == "1");
        }
        if let Some(value) = request.field("account[indexable]") {
            account.indexable = value == "1";
        }
        if let Some(value) = request.field("account[show_collections]") {
            account.hide_collections = Some(value != "1");
        }
    }
    if let Some(unlocked) = request.field("account[unlocked]") {
        set_locked(visit, side, me, unlocked != "1");
    }
    visit.flash("notice", "Changes successfully saved!");
    visit.redirect("/settings/privacy")
}

pub fn appearance(visit: &mut Visit) -> Reply {
    let version = visit.server().version;
    let content = html! {
        form class="simple_form edit_user" id="edit_user" novalidate="novalidate" action="/settings/preferences/appearance" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/settings/preferences/appearance", "patch"))
            div class="fields-group" {
                div class="input with_label select optional user_locale" {
                    div class="label_input" { label class="select optional" for="user_locale" { "Interface language" } div class="label_input__wrapper" { select class="select optional" name="user[locale]" id="user_locale" { option value="en" selected { "English" } } } }
                }
            }
            (form::submit("btn", "Save changes", false))
        }
    };
    layout::admin(visit, "Appearance", &content)
}

pub fn relationships(visit: &mut Visit) -> Reply {
    let Some(me) = visit.me else { return layout::not_found(visit.server()) };
    let server = visit.server();
    let followers = visit.request.query("relationship") == Some("followed_by");
    let only_moved = visit.request.query("status") == Some("moved");
    let people: Vec<String> = server
        .follows
        .iter()
        .rev()
        .filter(|follow| if followers { follow.to == me } else { follow.from == me })
        .map(|follow| if followers { follow.from } else { follow.to })
        .filter(|id| !only_moved || server.account(*id).is_some_and(|account| account.moved_to.is_some()))
        .take(40)
        .map(|id| server.full_acct(id))
        .collect();
    let version = server.version;
    let content = html! {
        form action="/relationships" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/relationships", "patch"))
            div class="batch-table" { div class="batch-table__body" { @for acct in &people { div class="batch-table__row" { (acct) } } } }
        }
    };
    layout::admin(visit, "Follows and followers", &content)
}

pub fn delete_page(visit: &mut Visit, errors: Option<&FormErrors>) -> Reply {
    let version = visit.server().version;
    let unconfirmed = visit.me.and_then(|me| visit.server().user(me)).is_some_and(|user| !user.confirmed);
    let password = Input {
        model: "form_delete_confirmation",
        attr: "password",
        kind: "password",
        label: "Password",
        hint: Some("Enter your current password to verify your identity"),
        autocomplete: Some("current-password"),
        error: errors.and_then(|errors| errors.field("password")),
        ..Input::default()
    };
    let content = html! {
        form class="simple_form new_form_delete_confirmation" id="new_form_delete_confirmation" novalidate="novalidate" action="/settings/delete" accept-charset="UTF-8" method="post" {
            (form::hidden(version, visit.session(), "/settings/delete", "delete"))
            p class="hint" { "Before proceeding, please read these notes carefully:" }
            @if unconfirmed {
                ul class="hint" {
                    li class="positive-hint" { "You can " a href="/auth/edit" { "change your email address" } " without deleting your account" }
                    li class="positive-hint" { "If you are not receiving the confirmation email, you can " a href="/auth/confirmation/new" { "request it again" } }
                    li class="positive-hint" { "If it still doesn't arrive, you can email " a href="mailto:" {} " for help" }
                    li class="positive-hint" { "Your username will become available again" }
                }
            } @else {
            ul class="hint" {
                li class="warning-hint" { "You will not be able to restore or reactivate your account" }
                li class="warning-hint" { "Your username will remain unavailable" }
                li class="warning-hint" { "Your posts and other data will be permanently removed" }
                li class="warning-hint" { "Content that has been cached by other servers may persist" }
            }
            }
            p class="hint" { "For more details, see the " a href="/privacy-policy" { "privacy policy" } "." }
            hr class="spacer";
            (password.with_block_label(version))
            (form::submit("btn negative", "Delete account", false))
        }
    };
    layout::admin(visit, "Account deletion", &content)
}

/// Nobody is deleted here: a right password signs out, and the account stays for the next test.
pub fn delete(visit: &mut Visit) -> Reply {
    let given = visit.request.field("form_delete_confirmation[password]").unwrap_or("").to_owned();
    if visit.me.and_then(|me| visit.server().user(me)).is_some_and(|user| user.password == given) {
        return super::auth::sign_out(visit);
    }
    visit.flash("alert", "The information you entered was not correct");
    visit.redirect("/settings/delete")
}
