//! Everything known about the two accounts, and everything saved from the old one.

pub mod dossier;
pub mod plain;
pub mod store;
