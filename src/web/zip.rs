//! Writes a ZIP of ours from the database into the browser's keeping, and reads one back against its manifest.

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast;
use web_sys::Blob;

use super::db::{self, Db};
use super::dom::make;
use super::words::BrowserWords;
use super::{fetch, go};
use crate::bundle::Want;
use crate::bundle::open::{Ask, Reason};
use crate::message::bundle as message;
use crate::say::{Say, say};
use crate::trunk::bundle as trunk;

pub(super) const ZIP: &str = "application/zip";
/// More than a saved ZIP has; what is larger is not opened.
pub(super) const LARGEST: u64 = 64 << 30;
/// The browser keeps the parts, not our memory.
const PART: usize = 4 << 20;

/// A ZIP in the making, whatever is in it.
pub(super) trait Zip {
    fn wants(&mut self) -> Want;
    fn records(&mut self, texts: Vec<Option<String>>);
    /// A piece of a file and whether it is the last; `None` where there is no such file.
    fn file(&mut self, piece: Option<(&[u8], bool)>);
    fn take(&mut self) -> Vec<u8>;
    fn progress(&self) -> (u64, u64);
}

/// One that is opened again.
trait Opened {
    fn wants(&mut self) -> Ask;
    fn bytes(&mut self, bytes: &[u8]);
}

impl Zip for trunk::Bundle {
    fn wants(&mut self) -> Want {
        trunk::Bundle::wants(self, &BrowserWords)
    }

    fn records(&mut self, texts: Vec<Option<String>>) {
        trunk::Bundle::records(self, texts);
    }

    fn file(&mut self, piece: Option<(&[u8], bool)>) {
        match piece {
            Some((piece, end)) => trunk::Bundle::file(self, piece, end),
            None => self.no_file(),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        trunk::Bundle::take(self)
    }

    fn progress(&self) -> (u64, u64) {
        trunk::Bundle::progress(self)
    }
}

/// The one of messages, with what it needs to write them for people.
pub(super) struct Messages<'a>(pub(super) message::Pack, pub(super) message::Tools<'a>);

impl Zip for Messages<'_> {
    fn wants(&mut self) -> Want {
        self.0.wants(&self.1)
    }

    fn records(&mut self, texts: Vec<Option<String>>) {
        self.0.records(texts);
    }

    fn file(&mut self, piece: Option<(&[u8], bool)>) {
        match piece {
            Some((piece, end)) => self.0.file(piece, end),
            None => self.0.no_file(),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        self.0.take()
    }

    fn progress(&self) -> (u64, u64) {
        self.0.progress()
    }
}

impl Opened for trunk::Open {
    fn wants(&mut self) -> Ask {
        trunk::Open::wants(self)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        trunk::Open::bytes(self, bytes);
    }
}

impl Opened for message::Open {
    fn wants(&mut self) -> Ask {
        message::Open::wants(self)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        message::Open::bytes(self, bytes);
    }
}

/// A file in the making: the browser keeps what is written, not our memory.
#[derive(Default)]
pub(super) struct Parts {
    parts: Vec<Blob>,
    waiting: Vec<u8>,
}

impl Parts {
    pub(super) fn add(&mut self, bytes: Vec<u8>, last: bool) -> Result<(), Say> {
        self.waiting.extend(bytes);
        if self.waiting.len() >= PART || last {
            self.parts.push(fetch::blob(&[&self.waiting]).ok_or_else(|| say("messages_full"))?);
            self.waiting.clear();
        }
        Ok(())
    }

    /// `mime` is empty where nobody but us reads it.
    pub(super) fn whole(self, mime: &str) -> Result<Blob, Say> {
        let parts: js_sys::Array = self.parts.iter().collect();
        let kind = web_sys::BlobPropertyBag::new();
        kind.set_type(mime);
        Blob::new_with_blob_sequence_and_options(&parts, &kind).map_err(|_| say("messages_full"))
    }
}

/// Writes it; `told` hears how many percent are done.
pub(super) async fn write(
    db: &Db,
    account: &str,
    zip: &mut dyn Zip,
    told: &dyn Fn(u64),
) -> Result<Blob, Say> {
    let broken = |_| say("messages_store_broken");
    let mut parts = Parts::default();
    let mut percent = 0;
    loop {
        let want = zip.wants();
        match &want {
            Want::Records(keys) => zip.records(db.get(account, keys).await.map_err(broken)?),
            Want::File { url } => match db.file(account, url).await.map_err(broken)? {
                Some(file) => {
                    db::pieces(&file, |piece, end| zip.file(Some((piece, end)))).await.map_err(broken)?;
                }
                None => zip.file(None),
            },
            Want::Nothing | Want::Done => {}
            Want::Failed(_) => return Err(say("messages_too_large")),
        }
        parts.add(zip.take(), want == Want::Done)?;
        if want == Want::Done {
            break;
        }
        let (done, all) = zip.progress();
        let now = done.saturating_mul(100) / all.max(1);
        if now != percent {
            percent = now;
            told(percent);
            // Lets the page breathe.
            TimeoutFuture::new(0).await;
        }
    }
    parts.whole(ZIP)
}

/// Everything in a ZIP of messages against its manifest.
pub(super) async fn open_messages(file: &Blob) -> Result<message::Open, Reason> {
    let mut open = message::Open::new(size(file), LARGEST);
    read(file, &mut open).await?;
    Ok(open)
}

/// Everything in a ZIP of all the rest against its manifest.
pub(super) async fn check_lists(file: &Blob) -> Result<(), Reason> {
    read(file, &mut trunk::Open::new(size(file), LARGEST)).await
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn size(file: &Blob) -> u64 {
    file.size() as u64
}

async fn read(file: &Blob, open: &mut dyn Opened) -> Result<(), Reason> {
    loop {
        match open.wants() {
            Ask::Range { at, len } => {
                #[allow(clippy::cast_precision_loss)]
                let bytes = db::piece(file, at as f64, len as f64).await.map_err(|_| Reason::Cut)?;
                open.bytes(&bytes);
            }
            Ask::Done => return Ok(()),
            Ask::Failed(reason) => return Err(reason),
        }
    }
}

/// Gives the person a file.
pub(super) fn hand_over(blob: &Blob, name: &str) {
    let Ok(url) = web_sys::Url::create_object_url_with_blob(blob) else { return };
    let link = make("a").attr("href", &url).attr("download", name).0;
    link.unchecked_ref::<web_sys::HtmlElement>().click();
    // The browser reads it while it writes the file.
    go(async move {
        TimeoutFuture::new(600_000).await;
        let _ = web_sys::Url::revoke_object_url(&url);
    });
}
