//! Pages of the web app and public profiles.

use super::{Visit, layout};
use crate::http::Reply;

pub fn app(visit: &mut Visit) -> Reply {
    let title = if visit.request.path == "/about" { "About - Mastodon" } else { "Mastodon" };
    layout::app(visit, title, 200)
}

pub fn profile(visit: &mut Visit, handle: &str) -> Reply {
    let found = visit.server().find_acct(handle).filter(|id| visit.server().available(*id));
    match found {
        Some(id) => {
            let server = visit.server();
            let name = server.account(id).map(|account| account.display_name.clone()).unwrap_or_default();
            let title = format!("{name} (@{}) - Mastodon", server.full_acct(id));
            layout::app(visit, &title, 200)
        }
        None => layout::not_found(visit.server()),
    }
}

/// Mastodon's form for a post from elsewhere: what the address brings stands in it, and the person sends it.
pub fn share(visit: &mut Visit) -> Reply {
    let text = visit.request.query("text").unwrap_or_default().to_owned();
    layout::compose(visit, &text)
}

/// `/ap/users/ID` asked for as a page leads to the profile.
pub fn by_id(visit: &mut Visit, id: &str) -> Reply {
    let name = id
        .parse()
        .ok()
        .and_then(|id| visit.server().account(id))
        .filter(|account| account.is_local())
        .map(|account| account.username.clone());
    match name {
        Some(name) => visit.redirect(&format!("/@{name}")),
        None => layout::not_found(visit.server()),
    }
}
