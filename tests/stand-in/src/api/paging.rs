//! Paging by `max_id`, `since_id` and `min_id`, and the `Link` header that goes with it.

use crate::http::{Reply, Request};
use crate::state::Id;

#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<(Id, T)>,
    full: bool,
}

fn id(request: &Request, name: &str) -> Option<Id> {
    request.query(name).and_then(|text| text.parse().ok())
}

/// Takes one page of a table that gives any range of its rows, oldest first, without walking through the others.
pub fn range<T, I>(
    request: &Request,
    default: usize,
    max: usize,
    rows: impl FnOnce(std::ops::Range<Id>) -> I,
) -> Page<T>
where
    I: DoubleEndedIterator<Item = (Id, T)>,
{
    let limit = limit(request, default, max);
    let (below, above) = (id(request, "max_id"), id(request, "since_id"));
    let from = id(request, "min_id");
    let start = above.into_iter().chain(from).max().map_or(0, |id| id.saturating_add(1));
    let end = below.unwrap_or(Id::MAX).max(start);
    let rows = rows(start..end);
    let items: Vec<(Id, T)> = if from.is_some() {
        let mut items: Vec<_> = rows.take(limit).collect();
        items.reverse();
        items
    } else {
        rows.rev().take(limit).collect()
    };
    let full = items.len() == limit;
    Page { items, full }
}

fn limit(request: &Request, default: usize, max: usize) -> usize {
    request.query("limit").and_then(|text| text.parse::<usize>().ok()).unwrap_or(default).clamp(1, max)
}

/// Takes one page of `all`, which must be newest first.
pub fn take<T>(request: &Request, all: Vec<(Id, T)>, default: usize, max: usize) -> Page<T> {
    let limit = limit(request, default, max);
    let (below, above) = (id(request, "max_id"), id(request, "since_id"));
    let from = id(request, "min_id");
    let mut items: Vec<(Id, T)> = all
        .into_iter()
        .filter(|(id, _)| {
            below.is_none_or(|below| *id < below)
                && above.is_none_or(|above| *id > above)
                && from.is_none_or(|from| *id > from)
        })
        .collect();
    if from.is_some() {
        // The page next to `min_id`, still newest first.
        let skip = items.len().saturating_sub(limit);
        items.drain(..skip);
    }
    items.truncate(limit);
    let full = items.len() == limit;
    Page { items, full }
}

impl<T> Page<T> {
    /// Notifications announce a next page after every page that is not empty (captures 4.6.5-api).
    pub fn always_next(mut self) -> Self {
        self.full = true;
        self
    }

    /// `next` only when the page is full (so an exactly full last page is followed by an empty one, facts 13.1 point 6); `prev` whenever there is anything.
    pub fn link(&self, request: &Request, origin: &str, newer: &str, reply: Reply) -> Reply {
        let (Some((first, _)), Some((last, _))) = (self.items.first(), self.items.last()) else {
            return reply;
        };
        let kept: Vec<(&str, &str)> = request
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !["max_id", "min_id", "since_id", "limit"].contains(name))
            .collect();
        let address = |name: &str, id: Id| {
            let mut pairs: Vec<(String, String)> = Vec::new();
            if let Some(limit) = request.query("limit") {
                // Repeated as it was asked for, even where less was given (captures 4.6.5-api, `*_limit80`).
                pairs.push(("limit".to_owned(), limit.to_owned()));
            }
            pairs.extend(kept.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            pairs.push((name.to_owned(), id.to_string()));
            // Rails writes parameters in alphabetical order.
            pairs.sort();
            let query = serde_urlencoded::to_string(&pairs).unwrap_or_default();
            format!("{origin}{}?{query}", request.path)
        };
        let mut links = Vec::new();
        if self.full {
            links.push(format!("<{}>; rel=\"next\"", address("max_id", *last)));
        }
        links.push(format!("<{}>; rel=\"prev\"", address(newer, *first)));
        reply.with("link", &links.join(", "))
    }
}

/// Numbers a list by its order of arrival and turns it round: newest first.
pub fn numbered<T>(list: Vec<T>) -> Vec<(Id, T)> {
    let mut all: Vec<(Id, T)> = (1..).zip(list).collect();
    all.reverse();
    all
}
