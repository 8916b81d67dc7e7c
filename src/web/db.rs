//! Where saved messages are kept: IndexedDB of the extension, records and files under the account they belong to.
//!
//! Nothing is called stored before it was read back and compared.

use js_sys::{Array, ArrayBuffer, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DomException, IdbDatabase, IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransactionMode};

use crate::message::digest::Sum;
use crate::message::record::Record;

const NAME: &str = "packed-trunk";
const RECORDS: &str = "records";
const FILES: &str = "files";
/// Between an account and a key. In no handle.
const SEAM: char = '\u{1}';
/// After everything that begins with an account and the seam.
const AFTER: char = '\u{2}';
/// So many are renamed at once.
const RENAMED: u32 = 100;
/// Pieces in which files are read.
const PIECE: f64 = 1_048_576.0;

/// Why nothing was stored or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The disk, or what the browser gives us of it, is full.
    Full,
    /// It does not open, or not all of it comes back.
    Broken,
}

/// The database.
#[derive(Clone, Debug)]
pub(super) struct Db(IdbDatabase);

fn trouble(error: &JsValue) -> Trouble {
    match error.dyn_ref::<DomException>() {
        Some(error) if error.name() == "QuotaExceededError" => Trouble::Full,
        _ => Trouble::Broken,
    }
}

/// An object that calls back, as a promise: whichever of the two is called settles it.
fn promise(set: impl FnOnce(&Function, &Function)) -> Promise {
    let mut set = Some(set);
    Promise::new(&mut |resolve, reject| {
        if let Some(set) = set.take() {
            set(&resolve, &reject);
        }
    })
}

/// Listens at once: a request that is done before anybody listens is never heard of.
fn hear(request: Result<IdbRequest, JsValue>) -> Result<(IdbRequest, Promise), Trouble> {
    let request = request.map_err(|error| trouble(&error))?;
    let settled = promise(|resolve, reject| {
        request.set_onsuccess(Some(resolve));
        request.set_onerror(Some(reject));
    });
    Ok((request, settled))
}

async fn wait(request: Result<IdbRequest, JsValue>) -> Result<JsValue, Trouble> {
    heard(hear(request)?).await
}

async fn heard((request, settled): (IdbRequest, Promise)) -> Result<JsValue, Trouble> {
    match JsFuture::from(settled).await {
        Ok(_) => request.result().map_err(|error| trouble(&error)),
        Err(_) => Err(match request.error() {
            Ok(Some(error)) => trouble(&error),
            _ => Trouble::Broken,
        }),
    }
}

fn full_key(account: &str, key: &str) -> JsValue {
    JsValue::from_str(&format!("{account}{SEAM}{key}"))
}

impl Db {
    pub(super) async fn open() -> Result<Db, Trouble> {
        let factory = web_sys::window().and_then(|window| window.indexed_db().ok().flatten());
        let request = factory.ok_or(Trouble::Broken)?.open_with_u32(NAME, 1).map_err(|_| Trouble::Broken)?;
        let upgrade = {
            let request = request.clone();
            Closure::once(move || {
                let Ok(db) = request.result().map(JsCast::unchecked_into::<IdbDatabase>) else { return };
                let _ = db.create_object_store(RECORDS);
                let _ = db.create_object_store(FILES);
            })
        };
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let db = wait(Ok(request.unchecked_into())).await?;
        Ok(Db(db.unchecked_into()))
    }

    fn store(&self, name: &str, write: bool) -> Result<IdbObjectStore, Trouble> {
        let mode = if write { IdbTransactionMode::Readwrite } else { IdbTransactionMode::Readonly };
        let transaction =
            self.0.transaction_with_str_and_mode(name, mode).map_err(|error| trouble(&error))?;
        transaction.object_store(name).map_err(|error| trouble(&error))
    }

    /// Everything or nothing of it.
    async fn commit(store: &IdbObjectStore) -> Result<(), Trouble> {
        let transaction = store.transaction();
        let settled = promise(|resolve, reject| {
            transaction.set_oncomplete(Some(resolve));
            transaction.set_onabort(Some(reject));
        });
        match JsFuture::from(settled).await {
            Ok(_) => Ok(()),
            Err(_) => Err(transaction.error().map_or(Trouble::Broken, |error| trouble(&error))),
        }
    }

    /// Stores records in one transaction, and reads them back.
    pub(super) async fn put(&self, account: &str, records: &[Record]) -> Result<(), Trouble> {
        if records.is_empty() {
            return Ok(());
        }
        let store = self.store(RECORDS, true)?;
        for record in records {
            let key = full_key(account, &record.key);
            let asked = match &record.text {
                Some(text) => store.put_with_key(&JsValue::from_str(text), &key),
                None => store.delete(&key),
            };
            asked.map_err(|error| trouble(&error))?;
        }
        Db::commit(&store).await?;
        // The last word of each key counts.
        let mut last: Vec<&Record> = Vec::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            if records[at + 1..].iter().all(|later| later.key != record.key) {
                last.push(record);
            }
        }
        let keys: Vec<String> = last.iter().map(|record| record.key.clone()).collect();
        let back = self.get(account, &keys).await?;
        if back.iter().zip(last).all(|(back, record)| *back == record.text) {
            Ok(())
        } else {
            Err(Trouble::Broken)
        }
    }

    /// The records under these keys, in their order.
    pub(super) async fn get(&self, account: &str, keys: &[String]) -> Result<Vec<Option<String>>, Trouble> {
        let store = self.store(RECORDS, false)?;
        let mut asked = Vec::with_capacity(keys.len());
        for key in keys {
            asked.push(hear(store.get(&full_key(account, key)))?);
        }
        let mut texts = Vec::with_capacity(keys.len());
        for request in asked {
            texts.push(heard(request).await?.as_string());
        }
        Ok(texts)
    }

    /// Records of an account in the order of their keys, so many after a key.
    pub(super) async fn some(
        &self,
        account: &str,
        after: Option<&str>,
        most: u32,
    ) -> Result<Vec<(String, String)>, Trouble> {
        let store = self.store(RECORDS, false)?;
        let range = range(account, after)?;
        let keys = hear(store.get_all_keys_with_key_and_limit(&range, most))?;
        let texts = hear(store.get_all_with_key_and_limit(&range, most))?;
        let keys: Array = heard(keys).await?.unchecked_into();
        let texts: Array = heard(texts).await?.unchecked_into();
        let of = |(key, text): (JsValue, JsValue)| {
            let key = key.as_string()?;
            Some((key.split_once(SEAM)?.1.to_owned(), text.as_string()?))
        };
        Ok(keys.iter().zip(texts.iter()).filter_map(of).collect())
    }

    /// Stores a file, reads it back piece by piece, and compares its checksum.
    pub(super) async fn put_file(
        &self,
        account: &str,
        url: &str,
        file: &Blob,
        sha256: &str,
    ) -> Result<(), Trouble> {
        let store = self.store(FILES, true)?;
        store.put_with_key(file, &full_key(account, url)).map_err(|error| trouble(&error))?;
        Db::commit(&store).await?;
        let back = self.file(account, url).await?.ok_or(Trouble::Broken)?;
        if sum(&back).await? == sha256 { Ok(()) } else { Err(Trouble::Broken) }
    }

    pub(super) async fn file(&self, account: &str, url: &str) -> Result<Option<Blob>, Trouble> {
        let store = self.store(FILES, false)?;
        Ok(wait(store.get(&full_key(account, url))).await?.dyn_into::<Blob>().ok())
    }

    /// What is kept under the first name of each pair is kept under the second one from now on, in place of what was there:
    /// all of it or nothing.
    pub(super) async fn rename(&self, pairs: &[(String, String)]) -> Result<(), Trouble> {
        let names: Array = [RECORDS, FILES].into_iter().map(JsValue::from_str).collect();
        let transaction = self
            .0
            .transaction_with_str_sequence_and_mode(&names, IdbTransactionMode::Readwrite)
            .map_err(|error| trouble(&error))?;
        let mut last = None;
        for name in [RECORDS, FILES] {
            let store = transaction.object_store(name).map_err(|error| trouble(&error))?;
            for (from, to) in pairs {
                let (old, staged) = (range(to, None)?, range(from, None)?);
                store.delete(&old).map_err(|error| trouble(&error))?;
                let mut after: Option<String> = None;
                loop {
                    let range = range(from, after.as_deref())?;
                    let keys = hear(store.get_all_keys_with_key_and_limit(&range, RENAMED))?;
                    let values = hear(store.get_all_with_key_and_limit(&range, RENAMED))?;
                    let keys: Array = heard(keys).await?.unchecked_into();
                    let values: Array = heard(values).await?.unchecked_into();
                    let found =
                        keys.iter().filter_map(|key| Some(key.as_string()?.split_once(SEAM)?.1.to_owned()));
                    let found: Vec<String> = found.collect();
                    for (key, value) in found.iter().zip(values.iter()) {
                        store.put_with_key(&value, &full_key(to, key)).map_err(|error| trouble(&error))?;
                    }
                    match found.into_iter().last() {
                        Some(key) => after = Some(key),
                        None => break,
                    }
                }
                store.delete(&staged).map_err(|error| trouble(&error))?;
            }
            last = Some(store);
        }
        match last {
            Some(store) => Db::commit(&store).await,
            None => Ok(()),
        }
    }

    /// Forgets everything of an account.
    pub(super) async fn forget(&self, account: &str) -> Result<(), Trouble> {
        for name in [FILES, RECORDS] {
            let store = self.store(name, true)?;
            let range = range(account, None)?;
            store.delete(&range).map_err(|error| trouble(&error))?;
            Db::commit(&store).await?;
        }
        Ok(())
    }
}

fn range(account: &str, after: Option<&str>) -> Result<IdbKeyRange, Trouble> {
    let from = full_key(account, after.unwrap_or_default());
    let to = JsValue::from_str(&format!("{account}{AFTER}"));
    IdbKeyRange::bound_with_lower_open_and_upper_open(&from, &to, after.is_some(), true)
        .map_err(|_| Trouble::Broken)
}

/// Part of a file.
pub(super) async fn piece(file: &Blob, at: f64, len: f64) -> Result<Vec<u8>, Trouble> {
    let part = file.slice_with_f64_and_f64(at, (at + len).min(file.size())).map_err(|_| Trouble::Broken)?;
    let buffer = JsFuture::from(part.array_buffer()).await.map_err(|_| Trouble::Broken)?;
    Ok(Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>()).to_vec())
}

/// Gives a file to `take`, piece by piece; with the last one, `true`.
pub(super) async fn pieces(file: &Blob, mut take: impl FnMut(&[u8], bool)) -> Result<(), Trouble> {
    let mut at = 0.0;
    loop {
        let bytes = piece(file, at, PIECE).await?;
        at += PIECE;
        let last = at >= file.size();
        take(&bytes, last);
        if last {
            return Ok(());
        }
    }
}

async fn sum(file: &Blob) -> Result<String, Trouble> {
    let mut sum = Sum::default();
    pieces(file, |piece, _| sum.add(piece)).await?;
    Ok(sum.hex())
}
