//! Packed Trunk: takes people safely through moving their Mastodon account to another server.
//!
//! The way of one fact through the house: a page or a reply of a server (`server`) is read by a job (`job`) into the
//! dossier (`trunk`); checks (`check`) turn the dossier into findings; `web` shows them and does what is clicked. Only
//! `web` knows a browser. See ARCHITECTURE.md.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod account;
pub mod bundle;
pub mod check;
pub mod job;
pub mod list;
pub mod message;
pub mod plain;
pub mod protocol;
pub mod say;
pub mod server;
pub mod small;
pub mod trunk;
pub mod when;

#[cfg(all(target_arch = "wasm32", any(feature = "guard", feature = "desk", feature = "measure")))]
mod web;
