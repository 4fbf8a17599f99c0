//! Priority scores: which areas come first under the caller's own criteria.
//!
//! `abstention:3,-income:2` ranks areas with much abstention and little income first. Weights are
//! relative: each counts for its share of their sum, wᵢ. A row is ranked among those of the same
//! set (a level, or what a filter leaves of it) that miss none of the criteria; the others are
//! unranked. With n ranked rows, and `low` criteria turned around:
//!
//! | method | value of a criterion, vᵢ | score |
//! |---|---|---|
//! | percentile | (rows below + half of the other equal rows) / (n − 1) | 1000 · Σ wᵢvᵢ |
//! | minmax | (x − min) / (max − min) | 1000 · Σ wᵢvᵢ |
//! | zscore | (x − mean) / standard deviation (n) | Z = Σ wᵢvᵢ; 1000 · (Z − min Z) / (max Z − min Z) |
//! | topsis | wᵢx / √Σx² (Hwang & Yoon 1981) | 1000 · d⁻ / (d⁺ + d⁻), distances to the best and worst vᵢ |
//!
//! Where nothing tells rows apart (one row, a constant) a value is ½, or 0 as a z-score, and a
//! score 500. Scores are rounded to 10⁻⁹, so that equal criteria give equal scores in spite of
//! the order of additions; equal scores share a rank, the next rank counts them all (1, 2, 2, 4).

mod choose;
mod stability;
mod value;
mod weights;

pub use choose::{Cover, cover, split};
pub use stability::{Noise, overlap, stability};
pub use weights::{Criterion, ScoreError, ScoreErrorCause, Weights};

use std::str::FromStr;

use crate::Bitmap;
use crate::filter::Table;
use value::Values;

/// How values of criteria become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    #[default]
    Percentile,
    ZScore,
    MinMax,
    Topsis,
}

/// The name is not one of [`Method::ALL`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown score method `{0}`; known: percentile, zscore, minmax, topsis")]
pub struct UnknownMethod(String);

impl Method {
    pub const ALL: [Self; 4] = [Self::Percentile, Self::ZScore, Self::MinMax, Self::Topsis];

    /// As parameters and answers spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::ZScore => "zscore",
            Self::MinMax => "minmax",
            Self::Topsis => "topsis",
        }
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.ok_or_else(|| UnknownMethod(name.chars().take(40).collect()))
    }
}

/// Why a score cannot be computed over a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a column of numbers here")]
pub struct ColumnError(pub String);

/// The scores of one set of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    method: Method,
    values: Values,
    /// Per row of the table, 0..=1000; NaN where unranked or not in the set.
    exact: Vec<f64>,
    /// Per row of the table, from 1; 0 where unranked or not in the set.
    ranks: Vec<u32>,
    /// Rows of the set that miss a criterion, ascending.
    unranked: Vec<usize>,
    /// Points per unit of a criterion's part.
    points: f64,
}

impl Scores {
    /// Scores `rows` of a table.
    ///
    /// # Errors
    ///
    /// Where a criterion's column is not there, or not of numbers.
    pub fn of(
        weights: &Weights,
        method: Method,
        table: &dyn Table,
        rows: &Bitmap,
    ) -> Result<Self, ColumnError> {
        let (values, unranked) = Values::of(weights, method, table, rows)?;
        let mut exact = vec![f64::NAN; table.rows()];
        let shares = values.shares();
        for (row, total) in values.rows().iter().zip(values.totals(&shares)) {
            exact[*row] = rounded(total);
        }
        let ranks = ranks(values.rows(), &exact);
        Ok(Self {
            points: values.points(&shares),
            method,
            values,
            exact,
            ranks,
            unranked,
        })
    }

    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The score as shown everywhere: a whole number of 0..=1000.
    #[must_use]
    pub fn score(&self, row: usize) -> Option<u16> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0..=1000"
        )]
        self.exact(row).map(|score| score.round() as u16)
    }

    /// The score before rounding to a whole number: what ranks are made of.
    #[must_use]
    pub fn exact(&self, row: usize) -> Option<f64> {
        self.exact.get(row).copied().filter(|score| !score.is_nan())
    }

    /// From 1; equal scores share a rank.
    #[must_use]
    pub fn rank(&self, row: usize) -> Option<u32> {
        self.ranks.get(row).copied().filter(|rank| *rank > 0)
    }

    /// How many rows have a rank.
    #[must_use]
    pub fn ranked(&self) -> usize {
        self.values.rows().len()
    }

    /// Bytes held on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let values = self.ranked() * (1 + self.values.criteria());
        (self.exact.len() + values + self.unranked.len()) * 8 + self.ranks.len() * 4
    }

    /// Rows of the set that miss a criterion, ascending.
    #[must_use]
    pub fn unranked(&self) -> &[usize] {
        &self.unranked
    }

    /// The ranked rows, best first; ties in the order of `key`.
    #[must_use]
    pub fn order<'k>(&self, key: impl Fn(usize) -> &'k str) -> Vec<usize> {
        let mut order = self.values.rows().to_vec();
        order.sort_by(|a, b| {
            let by_rank = self.ranks[*a].cmp(&self.ranks[*b]);
            by_rank.then_with(|| key(*a).cmp(key(*b)))
        });
        order
    }

    /// What each criterion adds, in the order of the weights, in points.
    ///
    /// `percentile` and `minmax`: parts of the score. `topsis`: parts of it too, as the criteria make up
    /// (d⁻)². `zscore`: points above or below those of an area with all the means.
    #[must_use]
    pub fn contributions(&self, row: usize) -> Option<Vec<f64>> {
        let parts = self.values.parts(row)?;
        let points = match self.method {
            Method::Topsis => self.exact(row)?,
            _ => self.points,
        };
        Some(parts.into_iter().map(|part| part * points).collect())
    }
}

/// To 10⁻⁹ of a point.
fn rounded(score: f64) -> f64 {
    const STEPS: f64 = 1e9;
    (score * STEPS).round() / STEPS
}

/// Per row of the table; `exact` is a number at `rows`.
fn ranks(rows: &[usize], exact: &[f64]) -> Vec<u32> {
    let mut order = rows.to_vec();
    order.sort_unstable_by(|a, b| exact[*b].total_cmp(&exact[*a]));
    let mut ranks = vec![0; exact.len()];
    let (mut rank, mut before) = (0, f64::NAN);
    for (place, row) in (1_u32..).zip(order) {
        // NaN differs from everything: the first row opens rank 1.
        if before.total_cmp(&exact[row]).is_ne() {
            (rank, before) = (place, exact[row]);
        }
        ranks[row] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests;
