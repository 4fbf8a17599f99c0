//! Who asked to be forgotten: hashes of ids, kept beside the versions so that no later build
//! brings anybody back from a file that still has them.
//!
//! `<dataset>/forgotten.json` holds a random key a set and the BLAKE3 of each id under it: enough to
//! know an id again, not enough to read one.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use blake3::Hash;
use serde::{Deserialize, Serialize};

use crate::input_error::InputError;

/// The file, beside `CURRENT`.
pub const FORGOTTEN: &str = "forgotten.json";

/// Persons to leave out, by contact set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Forgotten(BTreeMap<String, Set>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    /// 64 hexadecimal digits.
    key: String,
    ids: BTreeSet<String>,
}

impl Forgotten {
    /// Of a dataset's directory; nobody where there is none.
    ///
    /// # Errors
    /// When the file is there and cannot be read: a build must not bring anybody back.
    pub fn read(dataset: &Path) -> Result<Self, InputError> {
        let path = dataset.join(FORGOTTEN);
        let fault = |message: String| InputError::new(path.display().to_string(), message);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(fault(error.to_string())),
        };
        let forgotten: Self = serde_json::from_str(&text)
            .map_err(|error| fault(format!("no list of this program: {error}")))?;
        match forgotten.0.values().find(|set| set.key().is_none()) {
            None => Ok(forgotten),
            Some(_) => Err(fault("a key is not 64 hexadecimal digits".to_owned())),
        }
    }

    /// Who of `set` is to be left out; `sets` are all that the project has.
    pub fn of<'a>(&'a self, set: &'a str, sets: impl Iterator<Item = &'a str>) -> LeftOut<'a> {
        let sets: BTreeSet<&str> = sets.collect();
        let lost = self.0.iter().filter(|(name, _)| !sets.contains(&***name));
        LeftOut {
            set,
            own: self.0.get(set),
            lost: lost.map(|(name, list)| (&**name, list)).collect(),
            found: Cell::new(None),
        }
    }

    /// Adds persons of `set`; `key` is used when they are the first.
    pub fn add<'a>(&mut self, set: &str, key: [u8; 32], ids: impl Iterator<Item = &'a str>) {
        let set = self.0.entry(set.to_owned()).or_insert_with(|| Set {
            key: Hash::from_bytes(key).to_hex().to_string(),
            ids: BTreeSet::new(),
        });
        let hashes: Vec<String> = ids.filter_map(|id| set.hash(id)).collect();
        set.ids.extend(hashes);
    }

    /// The file's text.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "plain data serialises")]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data serialises")
    }
}

/// Who of a contact set is to be left out.
#[derive(Debug)]
pub struct LeftOut<'a> {
    set: &'a str,
    own: Option<&'a Set>,
    /// Lists of sets that the project does not have: one of them may be this one's by another name.
    lost: Vec<(&'a str, &'a Set)>,
    /// A lost list with somebody who is not left out, and how many there are.
    found: Cell<Option<(&'a str, u64)>>,
}

impl LeftOut<'_> {
    /// Whether a person, by their id, is to be left out.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        if self.own.is_some_and(|list| list.has(id)) {
            return true;
        }
        if let Some((name, _)) = self.lost.iter().find(|(_, list)| list.has(id)) {
            let before = self.found.get().map_or(0, |(_, count)| count);
            self.found.set(Some((name, before + 1)));
        }
        false
    }

    /// To be asked once everybody has been.
    ///
    /// # Errors
    /// When some were forgotten in a set that the project no longer has: they may have asked it of
    /// this one, under another name.
    pub fn check(&self) -> Result<(), InputError> {
        let Some((name, count)) = self.found.get() else {
            return Ok(());
        };
        let message = format!(
            "{count} of its ids were forgotten in {name:?}, which the project does not have. If it \
             is this set by another name, call it {:?} in the dataset's {FORGOTTEN} too; if the ids \
             are of other persons, remove {name:?} there",
            self.set
        );
        Err(InputError::new(format!("contacts {}", self.set), message))
    }
}

impl Set {
    fn has(&self, id: &str) -> bool {
        self.hash(id).is_some_and(|hash| self.ids.contains(&hash))
    }

    fn key(&self) -> Option<[u8; 32]> {
        Hash::from_hex(&self.key).ok().map(|key| *key.as_bytes())
    }

    fn hash(&self, id: &str) -> Option<String> {
        let hash = blake3::keyed_hash(&self.key()?, id.trim().as_bytes());
        Some(hash.to_hex().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_known_again_and_not_told() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut forgotten = Forgotten::read(dir.path()).expect("nobody yet");
        forgotten.add("a", [7; 32], ["p-1", " 22 "].into_iter());
        let text = forgotten.to_json();
        assert!(!text.contains("p-1"));
        fs::write(dir.path().join(FORGOTTEN), text).expect("writable");
        let mut read = Forgotten::read(dir.path()).expect("just written");
        assert_eq!(read, forgotten);
        read.add("a", [8; 32], ["p-3"].into_iter());
        let of = |set| read.of(set, ["a", "b"].into_iter());
        for id in ["p-1", "22", "p-3"] {
            assert!(of("a").has(id), "{id}");
        }
        assert!(!of("a").has("p-2") && !of("b").has("p-1"));
        assert!(of("b").check().is_ok());
        fs::write(dir.path().join(FORGOTTEN), "{").expect("writable");
        assert!(Forgotten::read(dir.path()).is_err());
    }

    #[test]
    fn nobody_comes_back_under_another_name() {
        let mut forgotten = Forgotten::default();
        forgotten.add("supporters", [7; 32], ["1", "2", "3"].into_iter());
        forgotten.add("people", [8; 32], ["3"].into_iter());
        let left_out = forgotten.of("people", ["people", "donors"].into_iter());
        assert!(left_out.has("3") && !left_out.has("4"));
        left_out.check().expect("nobody else");
        assert!(!left_out.has("1") && !left_out.has("2"));
        let said = left_out.check().expect_err("forgotten before").to_string();
        assert!(
            said.starts_with("contacts people: 2 of its ids were forgotten in \"supporters\""),
            "{said}"
        );
    }
}
