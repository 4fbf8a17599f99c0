//! The figures of a set of areas, from what each area keeps.
//!
//! A share of several areas is the ratio of their counts, never the mean of their shares. The
//! dataset keeps the counts: each indicator has a formula over components that add up
//! ([`schema::Recompute`](crate::dataset::schema::Recompute)), so its figure over any rows, say
//! those of the finest level that pass a filter, is exactly what SQL gives over those rows.
//!
//! ```text
//! fine rows ─ filter ▸ Bitmap ─▸ components summed by parent ─▸ formula ─▸ coarse column
//! ```

mod formula;
mod parse;

pub use formula::Formula;
pub use parse::FormulaError;

use crate::Bitmap;
use crate::dataset::columns::{Column, Numbers, Texts};
use crate::dataset::schema::Combine;
use crate::filter::Table;
use crate::stats::Sum;
use formula::MISSING;

/// Per row of a level the row of a coarser one that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parents {
    /// [`Self::NONE`] where it has none.
    rows: Vec<u32>,
    coarse_rows: usize,
}

/// A component is not a column of numbers here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}`, which an indicator is made of, is not a column of numbers here")]
pub struct ComponentError(pub String);

impl Parents {
    const NONE: u32 = u32::MAX;

    /// From the fine level's parent keys to the rows of the level whose keys they are.
    #[must_use]
    pub fn of(parent_keys: &Texts, keys: &Texts) -> Self {
        let dictionary = keys.dictionary();
        let mut row_of_key = vec![Self::NONE; dictionary.len()];
        for (row, code) in (0_u32..).zip(keys.codes()) {
            if let Some(slot) = row_of_key.get_mut(*code as usize) {
                *slot = row;
            }
        }
        let row_of_parent: Vec<u32> = parent_keys
            .dictionary()
            .iter()
            .map(|key| match dictionary.binary_search(key) {
                Ok(at) => row_of_key[at],
                Err(_) => Self::NONE,
            })
            .collect();
        let parent = |code: &u32| row_of_parent.get(*code as usize).copied();
        Self {
            rows: parent_keys
                .codes()
                .iter()
                .map(|code| parent(code).unwrap_or(Self::NONE))
                .collect(),
            coarse_rows: keys.codes().len(),
        }
    }

    /// From the rows of this level's children to those of its parents: two levels up.
    #[must_use]
    pub fn then(&self, coarser: &Self) -> Self {
        let up = |row: &u32| coarser.rows.get(*row as usize).copied();
        Self {
            rows: self
                .rows
                .iter()
                .map(|row| up(row).unwrap_or(Self::NONE))
                .collect(),
            coarse_rows: coarser.coarse_rows,
        }
    }

    /// Rows of the coarser level.
    #[must_use]
    pub fn coarse_rows(&self) -> usize {
        self.coarse_rows
    }

    /// The row that holds this one.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<usize> {
        let parent = *self.rows.get(row)? as usize;
        (parent < self.coarse_rows).then_some(parent)
    }

    /// Per coarse row how many of `rows` it holds.
    #[must_use]
    pub fn matched(&self, rows: &Bitmap) -> Vec<u32> {
        let mut matched = vec![0; self.coarse_rows];
        for parent in rows.iter().filter_map(|row| self.get(row)) {
            matched[parent] += 1;
        }
        matched
    }

    /// Per coarse row the share that `rows` have of the weight of all its rows; missing where
    /// that is 0. A row whose weight is missing weighs nothing.
    #[must_use]
    pub fn matched_share(&self, rows: &Bitmap, weights: &[f64]) -> Numbers {
        let all = Bitmap::full(self.rows.len());
        let part = self.sums(rows, weights);
        let whole = self.sums(&all, weights);
        part.iter()
            .zip(&whole)
            .map(|(part, whole)| {
                let (part, whole) = (part.total(), whole.total());
                (whole > 0.0).then(|| part / whole)
            })
            .collect()
    }

    fn sums(&self, rows: &Bitmap, values: &[f64]) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); self.coarse_rows];
        for row in rows.iter() {
            if let (Some(parent), Some(value)) = (self.get(row), values.get(row))
                && !value.is_nan()
            {
                sums[parent].add(*value);
            }
        }
        sums
    }

    /// Per coarse row the figure of those of `rows` that it holds; missing where it holds none.
    ///
    /// # Errors
    ///
    /// Where the fine table lacks a component.
    pub fn recompute(
        &self,
        formula: &Formula,
        fine: &dyn Table,
        rows: &Bitmap,
    ) -> Result<Numbers, ComponentError> {
        let columns = components(formula, fine)?;
        let mut held = vec![false; self.coarse_rows];
        let mut totals: Vec<Vec<Total>> = columns
            .iter()
            .map(|(_, combine)| vec![Total::new(*combine); self.coarse_rows])
            .collect();
        for row in rows.iter() {
            let Some(parent) = self.get(row) else {
                continue;
            };
            held[parent] = true;
            for ((values, _), totals) in columns.iter().zip(&mut totals) {
                totals[parent].add(values[row], 1.0);
            }
        }
        let mut parts = vec![MISSING; columns.len()];
        Ok((0..self.coarse_rows)
            .map(|row| {
                for (part, totals) in parts.iter_mut().zip(&totals) {
                    *part = totals[row].value();
                }
                let value = if held[row] {
                    formula.evaluate(&parts)
                } else {
                    MISSING
                };
                (!value.is_nan()).then_some(value)
            })
            .collect())
    }
}

/// The figure of some rows taken together; `None` where it is missing. Each row comes with the
/// share of it that counts, which scales its sums: 1 for a whole area.
///
/// # Errors
///
/// Where the table lacks a component.
pub fn figure(
    formula: &Formula,
    table: &dyn Table,
    rows: impl IntoIterator<Item = (usize, f64)>,
) -> Result<Option<f64>, ComponentError> {
    let columns = components(formula, table)?;
    let mut totals: Vec<Total> = columns
        .iter()
        .map(|(_, combine)| Total::new(*combine))
        .collect();
    let mut held = false;
    for (row, share) in rows {
        if row >= table.rows() || share.is_nan() || share <= 0.0 {
            continue;
        }
        held = true;
        for ((values, _), total) in columns.iter().zip(&mut totals) {
            total.add(values[row], share);
        }
    }
    let parts: Vec<f64> = totals.iter().map(Total::value).collect();
    let value = if held {
        formula.evaluate(&parts)
    } else {
        MISSING
    };
    Ok((!value.is_nan()).then_some(value))
}

fn components<'a>(
    formula: &Formula,
    table: &'a dyn Table,
) -> Result<Vec<(&'a [f64], Combine)>, ComponentError> {
    let components = formula.components().iter();
    components
        .map(|component| match table.column(&component.column) {
            Some(Column::Number(numbers)) if numbers.values().len() == table.rows() => {
                Ok((numbers.values(), component.combine))
            }
            _ => Err(ComponentError(component.column.clone())),
        })
        .collect()
}

/// A component of several rows; missing only where every row's is.
#[derive(Debug, Clone, Copy)]
enum Total {
    Sum { sum: Sum, known: bool },
    Min(f64),
    Max(f64),
}

impl Total {
    fn new(combine: Combine) -> Self {
        match combine {
            Combine::Sum => Self::Sum {
                sum: Sum::default(),
                known: false,
            },
            Combine::Min => Self::Min(MISSING),
            Combine::Max => Self::Max(MISSING),
        }
    }

    fn add(&mut self, value: f64, share: f64) {
        if value.is_nan() {
            return;
        }
        match self {
            Self::Sum { sum, known } => {
                sum.add(value * share);
                *known = true;
            }
            // NaN gives way to the other.
            Self::Min(least) => *least = least.min(value),
            Self::Max(greatest) => *greatest = greatest.max(value),
        }
    }

    fn value(&self) -> f64 {
        match self {
            Self::Sum { sum, known: true } => sum.total(),
            Self::Sum { known: false, .. } => MISSING,
            Self::Min(value) | Self::Max(value) => *value,
        }
    }
}

#[cfg(test)]
mod tests;
