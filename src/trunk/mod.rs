//! Everything known about the two accounts, and everything saved from the old one.

pub mod bundle;
pub mod dossier;
pub mod packed;
pub mod plain;
pub mod plan;
pub mod store;
