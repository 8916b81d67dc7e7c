//! For `./build.sh bench` alone, and never shipped: the cleaning of a list, to be called by a page that measures it.

use wasm_bindgen::prelude::*;

use crate::account::Domain;
use crate::list::{Around, Have, Kind, clean, read, write};

/// Cleans a list of follows against what an account follows already, and writes what would be uploaded.
/// Answers with the length of that, and how many rows it has.
#[wasm_bindgen]
pub fn measure_lists(follows: &str, have: &str, home: &str) -> Vec<u32> {
    let home: Option<Domain> = home.parse().ok();
    let Some(have) = Have::of_text(have, Kind::Follows, home.as_ref()) else { return Vec::new() };
    let Ok(sheet) = read(follows.as_bytes(), "following_accounts.csv") else { return Vec::new() };
    let around = Around { home: home.as_ref(), have: Some(&have), ..Around::default() };
    let plan = clean(&sheet, Kind::Follows, &around);
    let files = write::mastodon(&plan, write::Takes::NOW);
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    vec![small(files.iter().map(|file| file.text.len()).sum()), small(plan.upload.len())]
}
