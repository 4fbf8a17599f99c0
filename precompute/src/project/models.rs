//! `[[layer.transfers]]` and `[[layer.hotspots]]`: what is estimated from a layer's figures.

use std::collections::BTreeSet;

use serde::Deserialize;
use tilecore::dataset::schema::Localized;
use tilecore::dataset::transfers::column_names;

use super::check::{At, name, required_sql, unique};
use super::read::{self, Fault};
use crate::hotspots;

/// `[[layer.transfers]]`: where the votes of a first round went in the second.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfers {
    /// Unique in the layer.
    pub name: String,
    /// Text, or text by language.
    #[serde(default, deserialize_with = "read::localized")]
    pub title: Localized,
    /// The level whose units are compared, the finest by default.
    #[serde(default)]
    pub level: String,
    /// Counts of the first round.
    pub first: TransferSide,
    /// Counts of the second round.
    pub second: TransferSide,
}

/// `first = { from, key, columns }` of `[[layer.transfers]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferSide {
    /// A table's name, or a subquery in parentheses.
    pub from: String,
    /// SQL: the level's key for a row of `from`.
    pub key: String,
    /// Choice ▸ SQL aggregate that counts it, abstention included.
    #[serde(deserialize_with = "read::ordered")]
    pub columns: Vec<(String, String)>,
}

/// `[[layer.hotspots]]`: statistics of an indicator among the units that touch each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotspots {
    /// What the columns' names start with.
    pub name: String,
    /// The finest level that has them, the layer's finest by default; coarser ones have them too.
    #[serde(default)]
    pub level: String,
    /// An indicator of the layer: a number.
    pub of: String,
    /// An indicator too: the statistics are then of the rate `of / base`, stabilised by empirical
    /// Bayes.
    pub base: Option<String>,
    /// The share of findings that may be false, 0.05 by default.
    #[serde(default = "read::fdr")]
    pub fdr: f64,
}

impl Transfers {
    /// Its SQL.
    pub(super) fn sql(&self) -> impl Iterator<Item = Option<&str>> {
        [&self.first, &self.second].into_iter().flat_map(|side| {
            let columns = side.columns.iter().map(|(_, sql)| Some(&**sql));
            [Some(&*side.from), Some(&*side.key)]
                .into_iter()
                .chain(columns)
        })
    }
}

/// `names` are those of the layer's indicators, to which the estimate adds its own.
pub(super) fn check_transfers(
    estimate: &Transfers,
    names: &mut BTreeSet<String>,
    at: &At,
) -> Result<(), Fault> {
    check_side(&estimate.first, &at.key("first"))?;
    check_side(&estimate.second, &at.key("second"))?;
    for (from, _) in &estimate.first.columns {
        for (to, _) in &estimate.second.columns {
            for column in column_names(&estimate.name, from, to) {
                unique(&column, names, &at.key("name"))?;
            }
        }
    }
    Ok(())
}

fn check_side(side: &TransferSide, at: &At) -> Result<(), Fault> {
    required_sql(&side.from, &at.key("from"))?;
    required_sql(&side.key, &at.key("key"))?;
    if side.columns.len() < 2 {
        return at.fault("a round has at least two choices, abstention included");
    }
    for (choice, counts) in &side.columns {
        let at = at.key("columns").key(choice);
        name(choice, &at)?;
        required_sql(counts, &at)?;
    }
    Ok(())
}

pub(super) fn check_hotspots(
    spots: &Hotspots,
    counted: &BTreeSet<String>,
    names: &mut BTreeSet<String>,
    at: &At,
) -> Result<(), Fault> {
    for (key, indicator) in [("of", Some(&spots.of)), ("base", spots.base.as_ref())] {
        if let Some(indicator) = indicator.filter(|name| !counted.contains(*name)) {
            let message = format!("{indicator:?} is no indicator of this layer");
            return at.key(key).fault(message);
        }
    }
    if !(spots.fdr > 0.0 && spots.fdr < 1.0) {
        return at.key("fdr").fault("a share between 0 and 1, as 0.05");
    }
    for column in hotspots::layer::column_names(&spots.name) {
        unique(&column, names, &at.key("name"))?;
    }
    Ok(())
}
