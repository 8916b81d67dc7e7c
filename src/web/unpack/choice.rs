//! What the person has chosen and corrected, kept beside what is known of the new account.

use serde_json::{Map, Value};

use super::super::db::{self, Db};
use crate::account::Handle;
use crate::list::{Correction, Corrections, Kind};
use crate::message::record::Record;
use crate::plain::{self, Object, Plain, flag, put, text};
use crate::trunk::packed::Packed;
use crate::trunk::plan::Chosen;

/// Everything but files: `corrections`; a file that was chosen in place of the packed one: `other/KIND`.
const CHOICES: &str = "corrections";
const OTHER: &str = "other/";

/// A file that is unpacked in place of what is packed.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Wishes {
    /// What replaces is not kept: it is agreed to for one time.
    pub(super) chosen: Chosen,
    /// Whom each of those would remove, as it was agreed to.
    pub(super) agreed: Vec<(Kind, Vec<String>)>,
    /// Whether it was asked for, and is shown.
    pub(super) asking: Option<Kind>,
    /// Blocked servers before follows.
    pub(super) domains_first: bool,
    pub(super) others: Vec<Other>,
    /// Who has moved where, as the new server says.
    pub(super) moved: Vec<(Handle, Handle)>,
}

impl Default for Wishes {
    fn default() -> Wishes {
        Wishes {
            chosen: Chosen::default(),
            agreed: Vec::new(),
            asking: None,
            // Nobody is told of a follow that a block ends at once.
            domains_first: true,
            others: Vec::new(),
            moved: Vec::new(),
        }
    }
}

impl Wishes {
    pub(super) async fn load(db: &Db, account: &str) -> Result<Wishes, db::Trouble> {
        let mut keys = vec![CHOICES.to_owned()];
        keys.extend(Kind::ALL.iter().map(|kind| format!("{OTHER}{}", kind.id())));
        let mut kept = db.get(account, &keys).await?.into_iter();
        let mut wishes = Wishes::default();
        if let Some(value) = kept.next().flatten().as_deref().and_then(plain::json) {
            wishes.read(&value);
        }
        for (kind, kept) in Kind::ALL.into_iter().zip(kept) {
            let Some(value) = kept.as_deref().and_then(plain::json) else { continue };
            let own = |key| text(&value, key).unwrap_or_default().to_owned();
            wishes.others.push(Other { kind, name: own("name"), text: own("text") });
        }
        Ok(wishes)
    }

    fn read(&mut self, value: &Value) {
        let kinds = plain::array(value, "without").iter();
        self.chosen.without = kinds.filter_map(Value::as_str).filter_map(Kind::of_id).collect();
        self.chosen.follow_moved = flag(value, "follow-moved");
        self.chosen.files_only = flag(value, "files-only");
        self.domains_first = flag(value, "domains-first");
        self.moved = value.get("moved").and_then(Plain::read).unwrap_or_default();
        if let Some(rows) = value.get("rows").and_then(Value::as_object) {
            for (kind, corrections) in rows {
                if let (Some(kind), Some(corrections)) = (Kind::of_id(kind), Corrections::read(corrections)) {
                    self.chosen.corrections.push((kind, corrections));
                }
            }
        }
    }

    fn write(&self) -> String {
        let mut rows = Map::new();
        for (kind, corrections) in &self.chosen.corrections {
            put(&mut rows, kind.id(), corrections.write());
        }
        let without: Vec<String> = self.chosen.without.iter().map(|kind| plain::quoted(kind.id())).collect();
        Object::new()
            .list("without", &without)
            .flag("follow-moved", self.chosen.follow_moved)
            .flag("files-only", self.chosen.files_only)
            .flag("domains-first", self.domains_first)
            .json("moved", &self.moved.write().to_string())
            .json("rows", &Value::from(rows).to_string())
            .end()
    }

    /// What to store of it.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::new(CHOICES, self.write())];
        for kind in Kind::ALL {
            let key = format!("{OTHER}{}", kind.id());
            records.push(match self.others.iter().find(|other| other.kind == kind) {
                Some(other) => {
                    let file = Object::new().text("name", &other.name).text("text", &other.text).end();
                    Record::new(key, file)
                }
                None => Record { key, text: None },
            });
        }
        records
    }

    pub(super) fn correct(&mut self, kind: Kind, origin: &str, correction: Option<Correction>) {
        let all = &mut self.chosen.corrections;
        let at = match all.iter().position(|(own, _)| *own == kind) {
            Some(at) => at,
            None => {
                all.push((kind, Corrections::default()));
                all.len() - 1
            }
        };
        all[at].1.put(origin, correction);
    }

    pub(super) fn corrected(&self, kind: Kind, origin: &str) -> bool {
        let all = self.chosen.corrections.iter().find(|(own, _)| *own == kind);
        all.is_some_and(|(_, all)| all.get(origin).is_some())
    }

    /// Puts the chosen files and the news of who has moved into what is packed.
    pub(super) fn put_into(&self, packed: &mut Packed) {
        for other in &self.others {
            packed.files.retain(|(kind, _)| *kind != other.kind);
            packed.files.push((other.kind, other.text.clone()));
        }
        for (from, to) in &self.moved {
            packed.moved.put(from, to.clone());
        }
    }
}

/// Puts a kind into a list of kinds, or takes it out.
pub(super) fn set(kinds: &mut Vec<Kind>, kind: Kind, is: bool) {
    kinds.retain(|own| *own != kind);
    if is {
        kinds.push(kind);
    }
}
