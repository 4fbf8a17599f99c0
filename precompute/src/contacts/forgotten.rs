//! Who asked to be forgotten: hashes of ids, kept beside the versions so that no later build
//! brings anybody back from a file that still has them.
//!
//! `<dataset>/forgotten.json` holds a random key a set and the BLAKE3 of each id under it: enough to
//! know an id again, not enough to read one.

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

    /// Whether a person of `set`, by their id, is to be left out.
    pub fn of(&self, set: &str) -> impl Fn(&str) -> bool {
        let set = self.0.get(set);
        move |id| set.is_some_and(|set| set.hash(id).is_some_and(|hash| set.ids.contains(&hash)))
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

impl Set {
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
        for id in ["p-1", "22", "p-3"] {
            assert!(read.of("a")(id), "{id}");
        }
        assert!(!read.of("a")("p-2") && !read.of("b")("p-1"));
        fs::write(dir.path().join(FORGOTTEN), "{").expect("writable");
        assert!(Forgotten::read(dir.path()).is_err());
    }
}
