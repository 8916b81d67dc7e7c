//! Inputs as simple_form draws them: a wrapper `.input.MODEL_ATTR`, label, hint, the input with a stable id, and `span.error` (facts 1.1).

use maud::{Markup, Render, html};

use crate::csrf;
use crate::moves::FormErrors;
use crate::state::Session;
use crate::version::Version;

/// One input of a form.
#[derive(Debug, Default)]
pub struct Input<'a> {
    pub model: &'a str,
    pub attr: &'a str,
    /// simple_form's type, which is also the first class: `string`, `email`, `password`.
    pub kind: &'a str,
    pub label: &'a str,
    pub hint: Option<&'a str>,
    pub required: bool,
    /// The HTML attribute, which simple_form leaves out for some.
    pub required_attribute: bool,
    pub value: Option<&'a str>,
    pub error: Option<&'a str>,
    pub disabled: bool,
    pub autocomplete: Option<&'a str>,
    pub autofocus: bool,
    /// `autocapitalize=none autocorrect=off`, as handles have it.
    pub plain_typing: bool,
    pub minlength: Option<&'a str>,
    pub maxlength: Option<&'a str>,
}

impl Input<'_> {
    fn html_type(&self) -> &str {
        match self.kind {
            "string" => "text",
            other => other,
        }
    }

    fn need(&self) -> &'static str {
        if self.required { "required" } else { "optional" }
    }

    fn id(&self) -> String {
        format!("{}_{}", self.model, self.attr)
    }

    fn wrapper_class(&self, style: &str) -> String {
        let mut class = format!("input {style} {} {} ", self.kind, self.need());
        if self.disabled {
            class.push_str("disabled ");
        }
        class.push_str(&self.id());
        if self.error.is_some() {
            class.push_str(" field_with_errors");
        }
        if self.hint.is_some() {
            class.push_str(" field_with_hint");
        }
        class
    }

    fn label_tag(&self) -> Markup {
        let class = format!("{} {}{}", self.kind, self.need(), if self.disabled { " disabled" } else { "" });
        html! { label class=(class) for=(self.id()) { (self.label) @if self.required { " " abbr title="required" { "*" } } } }
    }

    fn input_tag(&self, version: Version, labelled: bool) -> Markup {
        let kind = if self.kind == "email" { "string email" } else { self.kind };
        let class = format!("{kind} {}{}", self.need(), if self.disabled { " disabled" } else { "" });
        let aria_required = (self.required_attribute && !version.has_html_theme()).then_some("true");
        html! {
            input aria-label=[labelled.then_some(self.label)] autocapitalize=[self.plain_typing.then_some("none")] autocorrect=[self.plain_typing.then_some("off")]
                autocomplete=[self.autocomplete] minlength=[self.minlength] maxlength=[self.maxlength] class=(class) disabled[self.disabled] autofocus[self.autofocus]
                required[self.required_attribute] aria-required=[aria_required] aria-invalid=[self.error.map(|_| "true")] type=(self.html_type()) value=[self.value]
                name={ (self.model) "[" (self.attr) "]" } id=(self.id());
        }
    }

    fn hint_tag(&self) -> Markup {
        html! { @if let Some(hint) = self.hint { span class="hint" { (hint) } } }
    }

    fn error_tag(&self) -> Markup {
        html! { @if let Some(error) = self.error { span class="error" { (error) } } }
    }

    /// Label above, hint, then the input: most settings forms.
    pub fn with_block_label(&self, version: Version) -> Markup {
        html! { div class=(self.wrapper_class("with_block_label")) { (self.label_tag()) (self.hint_tag()) div class="label_input" { (self.input_tag(version, false)) } (self.error_tag()) } }
    }

    /// Label beside the input: sign-in and account settings.
    pub fn with_label(&self, version: Version) -> Markup {
        html! {
            div class=(self.wrapper_class("with_label")) {
                div class="label_input" { (self.label_tag()) div class="label_input__wrapper" { (self.input_tag(version, true)) } }
                (self.hint_tag()) (self.error_tag())
            }
        }
    }
}

/// A check box with its hidden zero.
pub fn check_box(
    version: Version,
    model: &str,
    path: &str,
    label: impl Render,
    hint: &str,
    checked: bool,
) -> Markup {
    // `settings][indexable` names a nested attribute; ids and classes have underscores there.
    let flat = path.replace("][", "_");
    let (name, id) = (format!("{model}[{path}]"), format!("{model}_{flat}"));
    html! {
        div class="fields-group" {
            div class={ "input with_label boolean optional " (id) " field_with_hint" } {
                div class="label_input" {
                    label class="boolean optional" for=(id) { (label) }
                    div class="label_input__wrapper" {
                        input value="0" autocomplete=[hidden_autocomplete(version)] type="hidden" name=(name);
                        label class="checkbox" { input class="boolean optional" type="checkbox" value="1" checked[checked] name=(name) id=(id); }
                    }
                }
                span class="hint" { (hint) }
            }
        }
    }
}

/// Rails wrote `autocomplete=off` into hidden fields before 4.6.
pub fn hidden_autocomplete(version: Version) -> Option<&'static str> {
    (!version.has_html_theme()).then_some("off")
}

/// The hidden fields that begin a form: `_method` and its own token.
pub fn hidden(version: Version, session: &Session, action: &str, method: &str) -> Markup {
    html! {
        @if method != "post" { input type="hidden" name="_method" value=(method) autocomplete=[hidden_autocomplete(version)]; }
        input type="hidden" name="authenticity_token" value=(csrf::form_token(session, action, method)) autocomplete=[hidden_autocomplete(version)];
    }
}

/// The alert of a form that was refused, and further ones for errors that belong to no field.
pub fn error_alert(errors: Option<&FormErrors>) -> Markup {
    html! {
        @if let Some(errors) = errors {
            div class="flash-message alert" {
                strong {
                    @if errors.count == 1 { "Something isn't quite right yet! Please review the error below" }
                    @else { "Something isn't quite right yet! Please review " (errors.count) " errors below" }
                }
            }
            @if let Some(base) = errors.base { div class="flash-message alert" { strong { (base) } } }
        }
    }
}

pub fn submit(class: &str, text: &str, disabled: bool) -> Markup {
    html! { div class="actions" { button name="button" type="submit" class=(class) disabled[disabled] { (text) } } }
}
