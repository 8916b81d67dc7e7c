//! Sidekiq's own pages, for the owner alone (facts 1.6). They carry `body.admin` as well, and a policy that forbids wasm.

use maud::{DOCTYPE, html};

use super::{Visit, layout};
use crate::http::{Kind, Reply};

pub fn page(visit: &mut Visit, name: &str) -> Reply {
    if !visit.me.and_then(|me| visit.server().user(me)).is_some_and(|user| user.owner) {
        return layout::not_found(visit.server());
    }
    let title = match name {
        "retries" => "Retries",
        "morgue" => "Dead Jobs",
        "queues" => "Queues",
        "busy" => "Busy",
        _ => "Dashboard",
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" dir="ltr" {
            head { meta charset="utf-8"; title { "Sidekiq" } meta name="viewport" content="width=device-width,initial-scale=1.0"; link rel="stylesheet" href="/packs/assets/default.css" media="all"; }
            body class="admin" data-locale="en" {
                header { div class="container" { a class="navbar-brand" href="/sidekiq/" { "Sidekiq" }
                    ul class="nav" { @for (href, text) in [("/sidekiq/", "Dashboard"), ("/sidekiq/busy", "Busy"), ("/sidekiq/queues", "Queues"), ("/sidekiq/retries", "Retries"), ("/sidekiq/morgue", "Dead")] { li { a href=(href) { (text) } } } } } }
                div id="page" { div class="container" { h1 { (title) } div class="alert alert-success" { "No " (title.to_lowercase()) " were found" } } }
            }
        }
    };
    Reply::html(Kind::Sidekiq, 200, page.into_string())
}
