//! Why a key of one side has no partner on the other: one reason an orphan.

use std::fmt;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Serialize, Serializer};

use super::communes;
use super::index::{KeyIndex, Meaning};
use super::matching::Outcome;
use super::rules::{self, Rule};

/// What keeps an orphan from joining; the words of the report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The row speaks of a territory that has no unit in the layer.
    OutsideLayer,
    /// The unit's territory has no row in the table.
    OutsideTable,
    /// Leading zeros differ: the rule `pad` would join it.
    Padding,
    /// The Ministry's overseas code: the rule `overseas` would join it.
    OverseasCode,
    /// An arrondissement of Paris, Lyon or Marseille: the rule `plm` would join it.
    PlmArrondissement,
    /// The commune has merged with others, and one side still tells them apart.
    CommuneMerged,
    /// The commune was part of another when the other side was drawn.
    CommuneSplit,
    /// The commune is there, without this polling station.
    BureauAbsentFromVintage,
    /// The commune is there, without this part of it.
    UnitAbsentFromVintage,
    /// Voters registered abroad.
    AbroadNoGeometry,
    /// Nobody lives there.
    NoInhabitants,
    /// Another key already speaks of what this one means.
    DuplicateKey,
    /// The row has no key.
    KeyMissing,
    /// Case, accents or punctuation differ: an alias would join it.
    Spelling,
    /// What the project file says under `explain`.
    Stated(String),
    Unexplained,
}

impl Reason {
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::OutsideLayer => "outside_layer",
            Self::OutsideTable => "outside_table",
            Self::Padding => "padding",
            Self::OverseasCode => "overseas_code",
            Self::PlmArrondissement => "plm_arrondissement",
            Self::CommuneMerged => "commune_merged",
            Self::CommuneSplit => "commune_split",
            Self::BureauAbsentFromVintage => "bureau_absent_from_vintage",
            Self::UnitAbsentFromVintage => "unit_absent_from_vintage",
            Self::AbroadNoGeometry => "abroad_no_geometry",
            Self::NoInhabitants => "no_inhabitants",
            Self::DuplicateKey => "duplicate_key",
            Self::KeyMissing => "key_missing",
            Self::Spelling => "spelling",
            Self::Stated(word) => word,
            Self::Unexplained => "unexplained",
        }
    }

    /// Whether the row speaks of something the layer does not set out to show, so that it does not
    /// count against the match.
    #[must_use]
    pub fn is_beyond_layer(&self) -> bool {
        matches!(self, Self::OutsideLayer | Self::AbroadNoGeometry)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A reason and the unit that the key nearly is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub reason: Reason,
    pub near: Option<u32>,
}

impl From<Reason> for Diagnosis {
    fn from(reason: Reason) -> Self {
        Self { reason, near: None }
    }
}

/// What a diagnosis looks at.
#[derive(Debug)]
pub struct Scene<'a> {
    pub index: &'a KeyIndex,
    pub rules: &'a [Rule],
    /// Keys one level up of the level's units.
    pub parents: &'a FxHashSet<String>,
}

const REPAIRS: [(Rule, Reason); 4] = [
    (Rule::Overseas, Reason::OverseasCode),
    (Rule::Pad, Reason::Padding),
    (Rule::Plm, Reason::PlmArrondissement),
    (Rule::MergedCommunes, Reason::CommuneMerged),
];

/// Why a table's key has no unit. `key` is as the rules left it, `parent` the key one level up
/// where it follows from the key.
#[must_use]
pub fn of_row(scene: &Scene<'_>, key: &str, duplicate: bool, parent: Option<&str>) -> Diagnosis {
    let (head, tail) = rules::split_commune(key);
    if duplicate {
        return Reason::DuplicateKey.into();
    }
    if rules::is_abroad(head) {
        return Reason::AbroadNoGeometry.into();
    }
    if let Some(diagnosis) = of_spelling(scene, key) {
        return diagnosis;
    }
    if let Some(reason) = of_commune_history(scene, head, tail) {
        return reason.into();
    }
    let station = (!tail.is_empty())
        .then(|| scene.index.has_commune(head))
        .flatten();
    let reason = match station {
        Some(true) => Reason::BureauAbsentFromVintage,
        Some(false) => Reason::OutsideLayer,
        None => match parent.map(|parent| scene.parents.contains(parent)) {
            Some(false) => Reason::OutsideLayer,
            Some(true) if is_census_block(head, tail) && scene.is_french() => {
                Reason::UnitAbsentFromVintage
            }
            _ => Reason::Unexplained,
        },
    };
    reason.into()
}

/// The repair that would join it and is not named.
fn of_spelling(scene: &Scene<'_>, key: &str) -> Option<Diagnosis> {
    let mut all = vec![Rule::Overseas, Rule::Pad, Rule::Plm];
    if scene.is_french() {
        all.push(Rule::MergedCommunes);
    }
    match scene.index.meaning(key, &all, &super::NO_ALIASES) {
        Meaning::Unit(claim) => {
            let (_, reason) = REPAIRS
                .into_iter()
                .find(|(rule, _)| claim.rules.contains(rule) && !scene.rules.contains(rule))?;
            Some(Diagnosis {
                reason,
                near: Some(claim.unit),
            })
        }
        Meaning::Ambiguous => Some(Reason::DuplicateKey.into()),
        Meaning::Nothing(_) => scene.index.alike(key).map(|unit| Diagnosis {
            reason: Reason::Spelling,
            near: Some(unit),
        }),
    }
}

/// A commune that the level knows under the code of another time.
fn of_commune_history(scene: &Scene<'_>, head: &str, tail: &str) -> Option<Reason> {
    if !scene.is_french() {
        return None;
    }
    let history = communes::history();
    let commune = if is_census_block(head, tail) {
        head.get(..5)?
    } else {
        head
    };
    let known = |code: &str| {
        if tail.is_empty() {
            scene.index.get(code).is_some() || scene.parents.contains(code)
        } else {
            scene.index.has_commune(code) == Some(true)
        }
    };
    if known(commune) {
        return None;
    }
    if history.group(commune).any(known) {
        return Some(Reason::CommuneMerged);
    }
    let parent = history.split_from(commune)?;
    known(parent).then_some(Reason::CommuneSplit)
}

/// Nine characters, the first five a commune: INSEE's IRIS.
fn is_census_block(head: &str, tail: &str) -> bool {
    tail.is_empty() && head.len() == 9 && head.is_ascii()
}

impl Scene<'_> {
    fn is_french(&self) -> bool {
        self.rules.iter().any(|rule| rule.is_french())
    }
}

/// What the table holds, as a unit without a row sees it.
#[derive(Debug, Default)]
pub struct TableSide {
    /// Keys of the table as the rules leave them.
    keys: FxHashSet<String>,
    /// Their communes.
    communes: FxHashSet<String>,
    /// Parents of the units that have rows, and of rows without a unit.
    parents: FxHashSet<String>,
    /// Reasons of rows that nearly were a unit's.
    near: FxHashMap<u32, Reason>,
}

impl TableSide {
    /// `outcomes` and `parents` have an entry a key of the table; `diagnoses` one an orphan.
    pub fn new<'a>(
        keys: &[&str],
        outcomes: &[Outcome],
        parents: impl IntoIterator<Item = &'a str>,
        diagnoses: &[Diagnosis],
    ) -> Self {
        let mut side = Self::default();
        for (key, outcome) in keys.iter().zip(outcomes) {
            let key = match outcome {
                Outcome::Orphan { key, .. } => key.as_str(),
                Outcome::Matched(_) => key,
            };
            let (head, _) = rules::split_commune(key);
            side.communes.insert(head.to_owned());
            if let Some(commune) = head.get(..5).filter(|_| is_census_block(head, "")) {
                side.communes.insert(commune.to_owned());
            }
            side.keys.insert(key.to_owned());
        }
        side.parents
            .extend(parents.into_iter().map(ToOwned::to_owned));
        for diagnosis in diagnoses {
            if let Some(unit) = diagnosis.near {
                side.near.insert(unit, diagnosis.reason.clone());
            }
        }
        side
    }

    /// Why a unit has no row. `parent` is the unit's key one level up.
    #[must_use]
    pub fn reason(&self, scene: &Scene<'_>, unit: u32, key: &str, parent: Option<&str>) -> Reason {
        if let Some(reason) = self.near.get(&unit) {
            return reason.clone();
        }
        let (head, tail) = rules::split_commune(key);
        if scene.is_french() {
            let history = communes::history();
            if history.is_empty(head) {
                return Reason::NoInhabitants;
            }
            let block = is_census_block(head, tail);
            let commune = head.get(..5).filter(|_| block).unwrap_or(head);
            if !self.communes.contains(commune)
                && history
                    .group(commune)
                    .any(|code| self.communes.contains(code))
            {
                return Reason::CommuneMerged;
            }
            if block && self.communes.contains(commune) {
                return Reason::UnitAbsentFromVintage;
            }
        }
        let station = scene.index.has_commune(head).is_some() && !tail.is_empty();
        if station && self.communes.contains(head) {
            return Reason::BureauAbsentFromVintage;
        }
        if station || parent.is_some_and(|parent| !self.parents.contains(parent)) {
            return Reason::OutsideTable;
        }
        Reason::Unexplained
    }
}

#[cfg(test)]
mod tests {
    use super::super::NO_ALIASES;
    use super::super::matching::match_keys;
    use super::*;

    const FRENCH: &[Rule] = &[Rule::Overseas, Rule::MergedCommunes];

    /// Reasons of the orphans on both sides, as `<key> reason` and `>key reason`; a key's parent is
    /// its first `parent_len` characters.
    fn check(
        units: &[&str],
        table: &[&str],
        rules: &[Rule],
        parent_len: Option<usize>,
        expected: &[&str],
    ) {
        let index = KeyIndex::new(units.iter().map(|key| (*key).to_owned()).collect());
        let parent = |key: &str| parent_len.map(|n| key.chars().take(n).collect::<String>());
        let parents: FxHashSet<String> = units.iter().filter_map(|key| parent(key)).collect();
        let scene = Scene {
            index: &index,
            rules,
            parents: &parents,
        };
        let outcomes = match_keys(table, &index, rules, &NO_ALIASES);
        let mut got = Vec::new();
        let mut diagnoses = Vec::new();
        for (key, outcome) in table.iter().zip(&outcomes) {
            if let Outcome::Orphan {
                key: left,
                duplicate,
            } = outcome
            {
                let diagnosis = of_row(&scene, left, *duplicate, parent(left).as_deref());
                got.push(format!(">{key} {}", diagnosis.reason));
                diagnoses.push(diagnosis);
            }
        }
        let table_parents: Vec<String> = table.iter().filter_map(|key| parent(key)).collect();
        let side = TableSide::new(
            table,
            &outcomes,
            table_parents.iter().map(String::as_str),
            &diagnoses,
        );
        let has_row: FxHashSet<u32> = outcomes.iter().filter_map(Outcome::unit).collect();
        for (unit, key) in (0..).zip(units) {
            if !has_row.contains(&unit) {
                let reason = side.reason(&scene, unit, key, parent(key).as_deref());
                got.push(format!("<{key} {reason}"));
            }
        }
        assert_eq!(got, expected);
    }

    #[test]
    fn stations() {
        check(
            &["75056_0101", "75056_0102", "97101_0001", "01033_0001"],
            &[
                "75056_0101",
                "75056_9901",
                "01001_0001",
                "ZZ001_0001",
                "ZA101_0001",
                "01126_0001",
            ],
            &[Rule::MergedCommunes],
            None,
            &[
                ">75056_9901 bureau_absent_from_vintage",
                ">01001_0001 outside_layer",
                ">ZZ001_0001 abroad_no_geometry",
                ">ZA101_0001 overseas_code",
                ">01126_0001 commune_merged",
                "<75056_0102 bureau_absent_from_vintage",
                "<97101_0001 overseas_code",
                "<01033_0001 commune_merged",
            ],
        );
        check(
            &["01001_0001", "01002_0001"],
            &["1001_1"],
            &[],
            None,
            &[
                ">1001_1 padding",
                "<01001_0001 padding",
                "<01002_0001 outside_table",
            ],
        );
    }

    #[test]
    fn communes() {
        check(
            &[
                "69101", "69159", "55189", "01018", "14712", "97101", "01001",
            ],
            &[
                "69114", "01033", "14666", "14712", "98801", "01002", "97101",
            ],
            FRENCH,
            Some(2),
            &[
                ">69114 commune_merged",
                ">01033 commune_merged",
                ">14666 commune_split",
                ">98801 outside_layer",
                ">01002 unexplained",
                "<69101 commune_merged",
                "<69159 commune_merged",
                "<55189 no_inhabitants",
                "<01018 commune_merged",
                "<01001 unexplained",
            ],
        );
    }

    #[test]
    fn names_and_foreign_codes() {
        check(
            &["112-De Lorimier", "113-Est"],
            &["112-DeLorimier", "999-Nowhere"],
            &[],
            None,
            &[
                ">112-DeLorimier spelling",
                ">999-Nowhere unexplained",
                "<112-De Lorimier spelling",
                "<113-Est unexplained",
            ],
        );
        check(
            &["27001", "27003"],
            &["27001", "29001"],
            &[],
            Some(2),
            &[">29001 outside_layer", "<27003 unexplained"],
        );
    }

    #[test]
    fn census_blocks() {
        check(
            &["010040101", "010040102", "010330000"],
            &["010040101", "010040103", "011260000", "971010000"],
            FRENCH,
            Some(5),
            &[
                ">010040103 unit_absent_from_vintage",
                ">011260000 commune_merged",
                ">971010000 outside_layer",
                "<010040102 unit_absent_from_vintage",
                "<010330000 commune_merged",
            ],
        );
    }
}
