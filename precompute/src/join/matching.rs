//! Matches the keys of a table with the units of a level, never making two things one silently.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::index::{Claim, KeyIndex, Meaning};
use super::rules::Rule;

/// What became of a table's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Matched(Claim),
    /// The key as the rules leave it, and whether another key already speaks of what it means.
    Orphan {
        key: String,
        duplicate: bool,
    },
}

impl Outcome {
    #[must_use]
    pub fn unit(&self) -> Option<u32> {
        match self {
            Self::Matched(claim) => Some(claim.unit),
            Self::Orphan { .. } => None,
        }
    }
}

/// One outcome a key, in order; the keys are distinct.
///
/// A key that a rule leads to a thing that another key already speaks of is an orphan: only parts
/// of a unit (former communes, arrondissements) are added together.
#[must_use]
pub fn match_keys(
    keys: &[&str],
    index: &KeyIndex,
    rules: &[Rule],
    aliases: &BTreeMap<String, String>,
) -> Vec<Outcome> {
    let meanings: Vec<Meaning> = keys
        .iter()
        .map(|key| index.meaning(key, rules, aliases))
        .collect();
    let mut claims_of_unit: FxHashMap<u32, Vec<&Claim>> = FxHashMap::default();
    for meaning in &meanings {
        if let Meaning::Unit(claim) = meaning {
            claims_of_unit.entry(claim.unit).or_default().push(claim);
        }
    }
    keys.iter()
        .zip(&meanings)
        .map(|(key, meaning)| match meaning {
            Meaning::Unit(claim) if is_duplicate(claim, &claims_of_unit[&claim.unit]) => {
                Outcome::Orphan {
                    key: (*key).to_owned(),
                    duplicate: true,
                }
            }
            Meaning::Unit(claim) => Outcome::Matched(claim.clone()),
            Meaning::Ambiguous => Outcome::Orphan {
                key: (*key).to_owned(),
                duplicate: true,
            },
            Meaning::Nothing(key) => Outcome::Orphan {
                key: key.clone(),
                duplicate: false,
            },
        })
        .collect()
}

/// Whether another of the unit's claims says the same thing and is no more repaired: equal keys win
/// over repaired ones, and a commune's own row over rows of its arrondissements.
fn is_duplicate(claim: &Claim, of_unit: &[&Claim]) -> bool {
    if claim.rules.is_empty() {
        return false;
    }
    let arrondissement = claim.is_part() && claim.rules.last() == Some(&Rule::Plm);
    of_unit.iter().any(|other| {
        !std::ptr::eq(*other, claim)
            && ((other.source == claim.source && other.rules.len() <= claim.rules.len())
                || (arrondissement && !other.is_part()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[Rule] = &[Rule::Pad, Rule::Overseas, Rule::Plm, Rule::MergedCommunes];

    /// Each key with its unit and rules, or `dup` or what is left of it.
    fn check(units: &[&str], rules: &[Rule], expected: &[(&str, &str)]) {
        let index = KeyIndex::new(units.iter().map(|key| (*key).to_owned()).collect());
        let aliases = BTreeMap::from([("East".to_owned(), "Est".to_owned())]);
        let keys: Vec<&str> = expected.iter().map(|(key, _)| *key).collect();
        let got: Vec<String> = match_keys(&keys, &index, rules, &aliases)
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Matched(claim) => {
                    let rules: Vec<&str> = claim.rules.iter().map(|rule| rule.name()).collect();
                    format!("{} {}", units[claim.unit as usize], rules.join("+"))
                        .trim_end()
                        .to_owned()
                }
                Outcome::Orphan {
                    duplicate: true, ..
                } => "dup".to_owned(),
                Outcome::Orphan { key, .. } => format!("? {key}"),
            })
            .collect();
        let expected: Vec<&str> = expected.iter().map(|(_, outcome)| *outcome).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn rules_apply_only_when_named() {
        let units = ["01001_0001", "97101_0001", "75056_0101"];
        check(
            &units,
            &[],
            &[
                ("01001_0001", "01001_0001"),
                ("1001_1", "? 1001_1"),
                ("ZA101_0001", "? ZA101_0001"),
                ("75101_0101", "? 75101_0101"),
            ],
        );
        check(
            &units,
            ALL,
            &[
                ("1001_1", "01001_0001 pad"),
                ("ZA101_1", "97101_0001 overseas+pad"),
                ("75101_0101", "75056_0101 plm"),
                ("ZB201_0001", "? 97201_0001"),
            ],
        );
    }

    #[test]
    fn two_spellings_of_one_key_are_not_added() {
        check(&["01001"], ALL, &[("01001", "01001"), ("1001", "dup")]);
        check(&["01001"], ALL, &[("001001", "dup"), ("1001", "dup")]);
        check(&["1", "01"], ALL, &[("001", "dup"), ("1", "1")]);
        check(
            &["75056_0001"],
            ALL,
            &[("75101_0001", "dup"), ("75102_0001", "dup")],
        );
    }

    #[test]
    fn parts_are_added() {
        check(
            &["01033", "75056"],
            ALL,
            &[
                ("01033", "01033"),
                ("01126", "01033 merged-communes"),
                ("01018", "01033 merged-communes"),
                ("75101", "75056 plm"),
                ("75102", "75056 plm"),
            ],
        );
        check(
            &["01033"],
            ALL,
            &[
                ("01126", "01033 merged-communes"),
                ("1126", "dup"),
                ("1018", "01033 pad+merged-communes"),
            ],
        );
        check(&["75056"], ALL, &[("75056", "75056"), ("75101", "dup")]);
        check(
            &["Est"],
            &[],
            &[("East", "Est alias"), ("Ouest", "? Ouest")],
        );
    }

    #[test]
    fn a_commune_whose_code_moved_is_found_unless_its_parts_are_units() {
        check(&["49069"], ALL, &[("49126", "49069 merged-communes")]);
        check(&["69101", "69159"], ALL, &[("69114", "? 69114")]);
        check(&["49069"], ALL, &[("49069", "49069"), ("49126", "dup")]);
        // The stations of merged communes are renumbered: nobody knows which is which.
        check(&["01033_0001"], ALL, &[("01126_0001", "? 01126_0001")]);
    }
}
