//! How a Mastodon server speaks: versions, pages, initial state, forms, API entities, refusals.
//!
//! Selectors, paths, form fields and header names live in this folder and nowhere else. Everything here is held
//! against stored pages of real servers (`tests/captures.rs`).

pub mod entity;
pub mod history;
pub mod length;
pub mod markup;
pub mod page;
pub mod profile;
pub mod reply;
pub mod request;
pub mod session;
pub mod status;
pub mod version;
