//! The join report: what joined, what did not and why. Written as `report.json`, printed as text.
//!
//! Field names are a contract with scripts; `docs` of the fields say what each figure counts.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::join::Reason;
use crate::tables::TableReport;

mod text;

pub use text::print;

/// What to do about features skipped for `holds_pole`.
pub(crate) const POLE_ADVICE: &str =
    "give its edge a vertex every few degrees of longitude, or cut it along the antimeridian";

/// Orphans listed for one block; more are counted only.
pub const ORPHANS_MAX: usize = 100_000;

#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The version published; none by `check`, or when the match was too low.
    pub version: Option<String>,
    pub dataset: String,
    pub tables: Vec<TableReport>,
    pub layers: Vec<LayerReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactsReport>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct LayerReport {
    pub name: String,
    /// Finest first.
    pub levels: Vec<LevelReport>,
    /// One a block of indicators, in the order of the project file.
    pub joins: Vec<JoinReport>,
    pub identities: Vec<IdentityReport>,
    /// Of the finest level.
    pub coverage: Coverage,
}

/// What became of each row of a contact file: `rows` is `contacts` and all of `left_out`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ContactsReport {
    pub name: String,
    pub tenant: String,
    /// Rows of the file.
    pub rows: u64,
    /// Persons whose place is known: those that density counts.
    pub contacts: u64,
    /// By reason.
    pub left_out: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct LevelReport {
    pub name: String,
    pub areas: u64,
    /// Features whose rings were repaired; `repairs` has them.
    pub repaired: u64,
    pub repairs: Vec<FeatureNote>,
    pub skipped: Vec<FeatureNote>,
    /// What else was left out of the files: cells that hold no value, addresses without a place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<FeatureNote>,
    /// Features left out by `where`.
    pub filtered: u64,
    /// Features that `duplicates = "merge"` joined to another of their key.
    pub merged: u64,
    /// Keys one level up that units name and no unit there has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents_missing: Vec<String>,
    /// Units that are part of no coarser unit.
    #[serde(skip_serializing_if = "is_zero")]
    pub without_parent: u64,
    /// Of levels with polygons of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

/// A feature of a polygon file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureNote {
    pub file: String,
    /// From 1; absent from what is of the whole file.
    #[serde(skip_serializing_if = "is_zero")]
    pub feature: u64,
    pub reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// How far polygons are from a partition, as shares of their area.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Coverage {
    pub gap_share: f64,
    pub overlap_share: f64,
    /// Vertices added or moved to bring neighbours together that were drawn apart.
    pub joined_vertices: u64,
    /// What that, and repairs, added to the areas of all units together.
    pub growth_share: f64,
}

/// How the rows of a block met the units of its level.
#[derive(Debug, Clone, Default, Serialize)]
pub struct JoinReport {
    pub from: String,
    pub level: String,
    /// Rows of `from`.
    pub rows: u64,
    /// Distinct keys of `from`: `matched + right_only`.
    pub keys: u64,
    /// Keys that have a unit.
    pub matched: u64,
    /// Units without a row.
    pub left_only: u64,
    /// Keys without a unit.
    pub right_only: u64,
    /// Sums of the block's `weight`, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<WeightReport>,
    /// The share that `--min-match` looks at: of weight (of keys without one) matched, among keys
    /// that concern the layer. `outside_layer` and `abroad_no_geometry` do not.
    #[serde(rename = "match")]
    pub match_share: f64,
    /// Keys without a unit whose rows count in a coarser level, where their parent is a unit.
    pub included_above: BTreeMap<String, Included>,
    pub orphans: Vec<Orphan>,
    /// Orphans beyond [`ORPHANS_MAX`], counted in `orphan_reasons` and not listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub orphans_omitted: u64,
    /// Of both sides.
    pub orphan_reasons: BTreeMap<String, u64>,
    /// Named rules and how many keys each repaired.
    pub rules: BTreeMap<String, u64>,
    /// Aliases of the block that led a key to a unit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<AliasUse>,
    /// Indicators that are missing in every unit of the level: of a choice that no row has, as a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_value: Vec<String>,
    /// Of a block with `interpolate`, whose keys are those of other areas than the level's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<InterpolationReport>,
}

/// How the figures of other areas came into a level's units.
#[derive(Debug, Clone, Default, Serialize)]
pub struct InterpolationReport {
    /// What parts are measured by: `area` or `addresses`.
    pub by: &'static str,
    /// The areas of the figures.
    pub areas: LevelReport,
    /// Units that the areas cover by half or more.
    pub covered: u64,
    /// Addresses with a place, of which parts are made; of `addresses` only.
    #[serde(skip_serializing_if = "is_zero")]
    pub addresses: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub addresses_without_place: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub areas_without_addresses: u64,
    /// Of every sum that the block's columns are made of.
    pub sums: Vec<SumReport>,
}

/// Where a sum over all areas went: `total = placed + uncovered`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SumReport {
    pub column: String,
    pub sql: String,
    pub total: Figure,
    /// In units, also in those that are covered too little to show it.
    pub placed: Figure,
    /// Of `placed`: in units that are covered by less than half.
    pub withheld: Figure,
    /// In no unit.
    pub uncovered: Figure,
    /// Areas without a figure.
    pub areas_missing: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct WeightReport {
    pub matched: Figure,
    pub right_only: Figure,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Included {
    pub keys: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Figure>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Orphan {
    pub side: Side,
    /// None where the row has no key.
    pub key: Option<String>,
    pub reason: Reason,
    /// Of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Figure>,
    /// The unit it would be, were the spelling repaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
}

/// Units are on the left, rows of a table on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AliasUse {
    pub key: String,
    pub unit: String,
}

/// An accounting identity over the rows of each key of a block.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct IdentityReport {
    pub from: String,
    pub identity: String,
    pub holds: u64,
    pub fails: u64,
    /// Keys with a term missing.
    pub skipped: u64,
    /// The first keys that fail.
    pub examples: Vec<String>,
}

/// A number that JSON shows whole when it is whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Figure(pub f64);

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() <= WHOLE_MAX {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Report {
    /// The lowest match of all joins with the block's `from`; none without a join.
    #[must_use]
    pub fn lowest_match(&self) -> Option<(&str, f64)> {
        self.layers
            .iter()
            .flat_map(|layer| &layer.joins)
            .map(|join| (join.from.as_str(), join.match_share))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The report as JSON, one line a value.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "plain data serialises")]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("plain data serialises");
        json.push('\n');
        json
    }
}
