//! The profile of a segment of contacts: where it lives differs from where the electorate lives by
//! what the areas are like.
//!
//! ```text
//! contacts, electors by area ─┬▸ means over either ─▸ index 100, standardised difference, lift
//! indicators by area ─────────┤─▸ logistic weights: which indicators tell them apart together
//!                             └▸ areas most like those where it is strongest
//! ```
//! Of areas, never of persons: a contact has the figures of the area it lies in, which says nothing
//! of the contact itself.

mod describe;
mod logistic;
mod lookalike;

pub use describe::{ClassProfile, Lift, NumberProfile, classes, number};
pub use logistic::{Fit, fit};
pub use lookalike::{Lookalikes, lookalikes};

/// A profile of fewer contacts says more of single persons than of the segment.
pub const CONTACTS_MIN: f64 = 200.0;

/// A class of fewer contacts is hidden.
pub const CLASS_MIN: f64 = 11.0;

/// Contacts and electors of every area; areas without either take no part.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Both NaN where the area takes no part.
    contacts: Vec<f64>,
    electors: Vec<f64>,
}

impl Segment {
    /// NaN is missing; an area without electors takes no part.
    #[must_use]
    pub fn new(contacts: &[f64], electors: &[f64]) -> Self {
        let pairs = contacts.iter().zip(electors).map(|(contacts, electors)| {
            if contacts.is_nan() || electors.is_nan() || *electors <= 0.0 {
                (f64::NAN, f64::NAN)
            } else {
                (*contacts, *electors)
            }
        });
        let (contacts, electors) = pairs.unzip();
        Self { contacts, electors }
    }

    /// Areas that take part.
    #[must_use]
    pub fn areas(&self) -> usize {
        self.electors
            .iter()
            .filter(|electors| !electors.is_nan())
            .count()
    }

    #[must_use]
    pub fn contacts(&self) -> f64 {
        known_sum(&self.contacts)
    }

    #[must_use]
    pub fn electors(&self) -> f64 {
        known_sum(&self.electors)
    }

    /// By area; NaN where it takes no part.
    #[must_use]
    pub fn columns(&self) -> (&[f64], &[f64]) {
        (&self.contacts, &self.electors)
    }

    /// Contacts and electors of an area that takes part.
    fn at(&self, row: usize) -> Option<(f64, f64)> {
        let contacts = *self.contacts.get(row)?;
        (!contacts.is_nan()).then(|| (contacts, self.electors[row]))
    }

    /// By area its share of the contacts over its share of the electors; NaN where it takes no
    /// part.
    #[must_use]
    pub fn quotients(&self) -> Vec<f64> {
        let (contacts, electors) = (self.contacts(), self.electors());
        let pairs = self.contacts.iter().zip(&self.electors);
        pairs
            .map(|(c, e)| (c / contacts) / (e / electors))
            .collect()
    }
}

/// What is missing counts nothing.
fn known_sum(values: &[f64]) -> f64 {
    crate::stats::Sum::of(values.iter().copied().filter(|value| !value.is_nan()))
}

/// Columns brought to mean 0 and deviation 1 over the electors, for the areas that have all of
/// them; the areas' rows stand beside.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardised {
    pub rows: Vec<usize>,
    /// By row, then column.
    pub values: Vec<Vec<f64>>,
}

impl Standardised {
    /// A column that does not vary is 0 everywhere.
    #[must_use]
    pub fn new(segment: &Segment, columns: &[&[f64]]) -> Self {
        let is_known = |row: &usize| {
            let mut values = columns.iter().map(|column| column.get(*row).copied());
            segment.at(*row).is_some() && values.all(|value| value.is_some_and(f64::is_finite))
        };
        let rows: Vec<usize> = (0..segment.contacts.len()).filter(is_known).collect();
        let mut values = vec![Vec::with_capacity(columns.len()); rows.len()];
        for column in columns {
            let weighted = || rows.iter().map(|&row| (column[row], segment.electors[row]));
            let (mean, deviation) = mean_and_deviation(weighted());
            for (&row, values) in rows.iter().zip(&mut values) {
                let from_mean = column[row] - mean;
                values.push(if deviation > 0.0 {
                    from_mean / deviation
                } else {
                    0.0
                });
            }
        }
        Self { rows, values }
    }
}

/// Of values with their weights.
fn mean_and_deviation(weighted: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64) {
    let weight: f64 = weighted.clone().map(|(_, w)| w).sum();
    let mean = weighted.clone().map(|(x, w)| x * w).sum::<f64>() / weight;
    let squares: f64 = weighted.map(|(x, w)| w * (x - mean).powi(2)).sum();
    let deviation = (squares / weight).sqrt();
    // Below what doubles can tell apart, there is no spread.
    (
        mean,
        if deviation > mean.abs() * 1e-12 {
            deviation
        } else {
            0.0
        },
    )
}

#[cfg(test)]
mod tests;
