//! Estimated vote transfers as a dataset keeps them and the server tells them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schema::Localized;

/// By option of the first ballot, then of the second.
pub type Nested<T> = BTreeMap<String, BTreeMap<String, T>>;

/// Vote transfers between two ballots; votes are not rounded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransferMatrix {
    /// Always true: no count says this.
    pub estimate: bool,
    pub method: String,
    /// Areas it is estimated from.
    pub units: usize,
    /// Share of votes in units that both ballots have.
    pub coverage: f64,
    /// Options in the order of the tables; net entries and exits of the register last.
    pub from: Vec<String>,
    pub to: Vec<String>,
    /// Votes.
    pub matrix: Nested<f64>,
    /// Of each row.
    pub shares: Nested<f64>,
    /// Votes at 5 % and 95 % of resampled units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_5_95: Option<Nested<[f64; 2]>>,
    /// What the margins alone allow (Duncan & Davis 1953), in votes.
    pub bounds: Nested<[f64; 2]>,
    /// Cells at 0 % or 100 % of their row: usually a limit of the method, not a finding.
    pub corners: Vec<[String; 2]>,
    /// Share of votes by which the units' tables differ from the matrix.
    pub heterogeneity: f64,
}

/// The indicators that a cell of the transfers `name` makes: votes, and their share of the first
/// option's voters.
#[must_use]
pub fn column_names(name: &str, from: &str, to: &str) -> [String; 2] {
    let votes = format!("{name}_{from}_{to}");
    let share = format!("{votes}_share");
    [votes, share]
}

impl LayerTransfers {
    /// The indicators that all of its cells make.
    pub fn columns(&self) -> impl Iterator<Item = String> + '_ {
        let rows = self.estimate.from.iter();
        let cells = rows.flat_map(|from| self.estimate.to.iter().map(move |to| (from, to)));
        cells.flat_map(|(from, to)| column_names(&self.name, from, to))
    }
}

/// The transfers of a layer under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerTransfers {
    pub name: String,
    pub title: Localized,
    /// The level whose units were compared.
    pub level: String,
    #[serde(flatten)]
    pub estimate: TransferMatrix,
}
