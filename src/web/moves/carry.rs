//! A whole move out of the database into a file, and back.

use gloo_timers::future::TimeoutFuture;
use web_sys::Blob;

use super::super::db::{self, Db};
use super::super::words::{BrowserWords, text};
use super::super::{chrome, now, zip};
use super::{held, trouble};
use crate::bundle::open::{Ask, Reason};
use crate::say::{Say, Words, say};
use crate::trunk::case::{About, Case, Contents, Open, Out, Report, Want};
use crate::trunk::drawer::Drawer;
use crate::trunk::store::Move;

/// So many records are taken out at once.
const BATCH: u32 = 200;
/// Where what is opened lies until all of it is there; the name of the lock too.
pub(super) const STAGED: &str = "opening";

/// A saved file that comes out: where it is to be kept, its checksum, and what there is of it so far.
type Taking = (Vec<(Drawer, String)>, String, zip::Parts);

/// A file that was found whole.
pub(super) struct Arriving {
    file: Blob,
    open: Open,
    pub(super) contents: Contents,
}

fn staged(drawer: Drawer) -> String {
    format!("{STAGED} {}", drawer.id())
}

/// Nothing is left of an opening.
pub(super) async fn clear(db: &Db) {
    for drawer in Drawer::ALL {
        let _ = db.forget(&staged(drawer)).await;
    }
}

/// Writes the file, and reads it back against its own manifest.
pub(super) async fn write(db: &Db, it: &Move, told: &dyn Fn(Say)) -> Result<(Blob, Report), Say> {
    let (old, new) = (it.old.name(), it.new.name());
    let readme = [
        BrowserWords.message("moves_readme", &[old, new]).unwrap_or_default(),
        text("moves_readme_private"),
        text("moves_readme_open"),
    ]
    .join("\n\n");
    let about = About { it: it.clone(), at: now(), extension: chrome::version(), readme };
    let mut case = Case::new(about);
    let mut parts = zip::Parts::default();
    let mut percent = u64::MAX;
    loop {
        let want = case.wants();
        match &want {
            Want::Records { drawer, after } => {
                let some = match drawer.in_move(it) {
                    Some(name) => db.some(&name, after.as_deref(), BATCH).await.map_err(trouble)?,
                    None => Vec::new(),
                };
                case.records(&some);
            }
            Want::File { drawer, url } => {
                let file = match drawer.in_move(it) {
                    Some(name) => db.file(&name, url).await.map_err(trouble)?,
                    None => None,
                };
                match file {
                    Some(file) => {
                        db::pieces(&file, |piece, end| case.file(piece, end)).await.map_err(trouble)?;
                    }
                    None => case.no_file(),
                }
            }
            Want::Nothing | Want::Done => {}
            Want::Failed(_) => return Err(say("messages_too_large")),
        }
        parts.add(case.take(), want == Want::Done)?;
        if want == Want::Done {
            break;
        }
        let (done, all) = case.progress();
        let now = all.map_or(0, |all| done.saturating_mul(100) / all.max(1));
        if now != percent {
            percent = now;
            told(say("messages_writing").with(percent));
            // Lets the page breathe.
            TimeoutFuture::new(0).await;
        }
    }
    let blob = parts.whole(zip::ZIP)?;
    told(say("messages_checking"));
    check(blob.clone()).await.map_err(|_| say("messages_zip_broken"))?;
    Ok((blob, case.report()))
}

/// Everything in a file against its manifest; nothing is taken in.
pub(super) async fn check(file: Blob) -> Result<Arriving, Say> {
    let mut open = Open::new(zip::size(&file), zip::LARGEST);
    loop {
        match open.wants() {
            Ask::Range { at, len } => open.bytes(&range(&file, at, len).await?),
            Ask::Done => break,
            Ask::Failed(reason) => return Err(refusal(&reason)),
        }
    }
    let contents = open.contents().ok_or_else(|| say("moves_not_ours"))?;
    Ok(Arriving { file, open, contents })
}

#[allow(clippy::cast_precision_loss)]
async fn range(file: &Blob, at: u64, len: usize) -> Result<Vec<u8>, Say> {
    db::piece(file, at as f64, len as f64).await.map_err(|_| refusal(&Reason::Cut))
}

/// Takes in all drawers but those that are kept as they are here; of those that are replaced nothing stays, even where the
/// file has nothing. What is here stays until everything else is stored and was
/// read back; then it is replaced at once.
pub(super) async fn take_in(
    db: &Db,
    arriving: Arriving,
    kept: &[Drawer],
    replaced: &[Drawer],
    told: &dyn Fn(Say),
) -> Result<(), Say> {
    let Arriving { file, open, contents } = arriving;
    clear(db).await;
    let done = store(db, &file, open, &contents, (kept, replaced), told).await;
    if done.is_err() {
        clear(db).await;
    }
    done
}

async fn store(
    db: &Db,
    file: &Blob,
    open: Open,
    contents: &Contents,
    (kept, replaced): (&[Drawer], &[Drawer]),
    told: &dyn Fn(Say),
) -> Result<(), Say> {
    let wanted: Vec<Drawer> = Drawer::ALL.into_iter().filter(|drawer| !kept.contains(drawer)).collect();
    let mut restore = open.restore(&wanted).ok_or_else(|| say("moves_not_ours"))?;
    let mut taking: Option<Taking> = None;
    let mut percent = u64::MAX;
    loop {
        match restore.wants() {
            Ask::Range { at, len } => restore.bytes(&range(file, at, len).await?),
            Ask::Done => break,
            Ask::Failed(reason) => return Err(refusal(&reason)),
        }
        for out in restore.take() {
            match out {
                Out::Records(drawer, records) => {
                    db.put(&staged(drawer), &records).await.map_err(trouble)?;
                }
                Out::File { places, sha256, .. } => taking = Some((places, sha256, zip::Parts::default())),
                Out::Piece(piece) => {
                    if let Some((_, _, parts)) = &mut taking {
                        parts.add(piece, false)?;
                    }
                }
                Out::End => {
                    let Some((places, sha256, mut parts)) = taking.take() else { continue };
                    parts.add(Vec::new(), true)?;
                    let blob = parts.whole("")?;
                    for (drawer, url) in places {
                        db.put_file(&staged(drawer), &url, &blob, &sha256).await.map_err(trouble)?;
                    }
                }
            }
        }
        let (done, all) = restore.progress();
        let now = done.saturating_mul(100) / all.max(1);
        if now != percent {
            percent = now;
            told(say("moves_opening").with(percent));
            TimeoutFuture::new(0).await;
        }
    }
    // What lies there now is what the file says that it holds; the same key twice would show here.
    let mut pairs = Vec::new();
    for drawer in wanted {
        let said = contents.drawers.iter().find(|held| held.drawer == drawer);
        let there = held(db, &staged(drawer), drawer).await?;
        match said {
            Some(said) if there == *said => {}
            None if there.records == 0 && !replaced.contains(&drawer) => continue,
            None if there.records == 0 => {}
            _ => return Err(say("moves_damaged")),
        }
        if let Some(name) = drawer.in_move(&contents.it) {
            pairs.push((staged(drawer), name));
        }
    }
    db.rename(&pairs).await.map_err(trouble)
}

fn refusal(reason: &Reason) -> Say {
    say(match reason {
        Reason::NotAZip | Reason::NotOurs => "moves_not_ours",
        Reason::Newer(_) => "open_newer",
        Reason::Cut => "open_cut",
        Reason::TooLarge => "moves_too_large",
        _ => "moves_damaged",
    })
}
