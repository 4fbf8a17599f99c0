//! The keys of a level, and which of them a table's key means under the named rules.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::communes;
use super::rules::{self, Rule};

/// A level's keys, findable by spelling; a unit is its position.
#[derive(Debug)]
pub struct KeyIndex {
    keys: Vec<String>,
    by_key: FxHashMap<String, u32>,
    by_unpadded: FxHashMap<String, Spelled>,
    by_folded: FxHashMap<String, Spelled>,
    /// Communes of the keys, where the keys are commune and station.
    communes: Option<FxHashSet<String>>,
}

#[derive(Debug, Clone, Copy)]
enum Spelled {
    One(u32),
    Several,
}

/// What a table's key means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    Unit(Claim),
    /// Padded, it could be several units.
    Ambiguous,
    /// No unit; the key as the rules leave it.
    Nothing(String),
}

/// A table's key says it speaks of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub unit: u32,
    /// None when the keys are equal to the letter.
    pub rules: Vec<Rule>,
    /// The one thing the row speaks of: two claims of one source say the same thing twice.
    pub source: String,
}

impl Claim {
    /// Whether the source is a part of the unit, so that parts are added.
    #[must_use]
    pub fn is_part(&self) -> bool {
        matches!(
            self.rules.last(),
            Some(Rule::Alias | Rule::Plm | Rule::MergedCommunes)
        )
    }
}

impl KeyIndex {
    /// `keys` are distinct.
    #[must_use]
    pub fn new(keys: Vec<String>) -> Self {
        let mut by_key = FxHashMap::default();
        let mut by_unpadded = FxHashMap::default();
        let mut by_folded = FxHashMap::default();
        for (unit, key) in (0..).zip(&keys) {
            by_key.insert(key.clone(), unit);
            spell(&mut by_unpadded, rules::without_leading_zeros(key), unit);
            spell(&mut by_folded, rules::folded(key), unit);
        }
        let communes = communes_of_stations(&keys);
        Self {
            keys,
            by_key,
            by_unpadded,
            by_folded,
            communes,
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The unit of exactly this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    /// The unit whose key differs in case, accents or punctuation only.
    #[must_use]
    pub fn alike(&self, key: &str) -> Option<u32> {
        match self.by_folded.get(&rules::folded(key)) {
            Some(Spelled::One(unit)) => Some(*unit),
            _ => None,
        }
    }

    /// Whether a unit lies in the commune; `None` where keys are not commune and station.
    #[must_use]
    pub fn has_commune(&self, commune: &str) -> Option<bool> {
        self.communes.as_ref().map(|set| set.contains(commune))
    }

    /// Finds the unit a table's key speaks of: the key itself, else its alias, else what the named
    /// rules make of it.
    #[must_use]
    pub fn meaning(
        &self,
        key: &str,
        rules: &[Rule],
        aliases: &BTreeMap<String, String>,
    ) -> Meaning {
        if let Some(unit) = self.get(key) {
            return self.claim(unit, Vec::new());
        }
        if let Some(unit) = aliases.get(key).and_then(|target| self.get(target)) {
            return Meaning::Unit(Claim {
                unit,
                rules: vec![Rule::Alias],
                source: key.to_owned(),
            });
        }
        self.repaired(key, rules)
    }

    fn repaired(&self, key: &str, rules: &[Rule]) -> Meaning {
        let named = |rule| rules.contains(&rule);
        let (head, tail) = rules::split_commune(key);
        let mut key = key.to_owned();
        let mut applied = Vec::new();
        if named(Rule::Overseas)
            && let Some(code) = rules::overseas(head)
        {
            key = format!("{code}{tail}");
            applied.push(Rule::Overseas);
            if let Some(unit) = self.get(&key) {
                return self.claim(unit, applied);
            }
        }
        if named(Rule::Pad) {
            match self.by_unpadded.get(&rules::without_leading_zeros(&key)) {
                Some(Spelled::One(unit)) => {
                    applied.push(Rule::Pad);
                    return self.claim(*unit, applied);
                }
                Some(Spelled::Several) => return Meaning::Ambiguous,
                None => {}
            }
        }
        if named(Rule::Plm)
            && let Some(commune) = rules::plm(rules::split_commune(&key).0)
            && let Some(unit) = self.get(&format!("{commune}{tail}"))
        {
            applied.push(Rule::Plm);
            // A station of an arrondissement is a station, a bare arrondissement a part.
            let source = if tail.is_empty() {
                key
            } else {
                format!("{commune}{tail}")
            };
            return Meaning::Unit(Claim {
                unit,
                rules: applied,
                source,
            });
        }
        if named(Rule::MergedCommunes) && tail.is_empty() {
            return self.merged(key, applied, named(Rule::Pad));
        }
        Meaning::Nothing(key)
    }

    /// A former commune is a part of the one it merged into; a commune whose code moved to that of
    /// another part is the unit of its former code, unless its other parts are units too.
    fn merged(&self, key: String, mut applied: Vec<Rule>, pad: bool) -> Meaning {
        let padded = pad.then(|| rules::padded_commune(&key)).flatten();
        let code = padded.as_deref().unwrap_or(&key);
        let history = communes::history();
        let (unit, source) =
            if let Some(unit) = history.merged_into(code).and_then(|head| self.get(head)) {
                (unit, code.to_owned())
            } else if let Some(former) = history.moved_from(code)
                && let Some(unit) = self.get(former)
                && history
                    .group(code)
                    .all(|member| member == former || self.get(member).is_none())
            {
                (unit, former.to_owned())
            } else {
                return Meaning::Nothing(key);
            };
        if padded.is_some() {
            applied.push(Rule::Pad);
        }
        applied.push(Rule::MergedCommunes);
        Meaning::Unit(Claim {
            unit,
            rules: applied,
            source,
        })
    }

    fn claim(&self, unit: u32, rules: Vec<Rule>) -> Meaning {
        Meaning::Unit(Claim {
            unit,
            rules,
            source: self.keys[unit as usize].clone(),
        })
    }
}

fn spell(spellings: &mut FxHashMap<String, Spelled>, spelling: String, unit: u32) {
    spellings
        .entry(spelling)
        .and_modify(|spelled| *spelled = Spelled::Several)
        .or_insert(Spelled::One(unit));
}

/// The communes of keys like `75056_0101`, when nearly all keys are of that form.
fn communes_of_stations(keys: &[String]) -> Option<FxHashSet<String>> {
    let communes: Vec<&str> = keys
        .iter()
        .map(|key| rules::split_commune(key))
        .filter(|(head, tail)| is_commune(head) && !tail.is_empty())
        .map(|(head, _)| head)
        .collect();
    (communes.len() * 10 >= keys.len() * 9 && !communes.is_empty())
        .then(|| communes.into_iter().map(ToOwned::to_owned).collect())
}

/// INSEE's form: five digits, the second of Corsica's is a letter.
fn is_commune(code: &str) -> bool {
    let bytes = code.as_bytes();
    bytes.len() == 5
        && bytes
            .iter()
            .enumerate()
            .all(|(i, b)| b.is_ascii_digit() || (i == 1 && matches!(b, b'A' | b'B')))
}
