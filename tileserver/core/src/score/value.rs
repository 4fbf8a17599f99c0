//! The values of criteria over the rows that have them all.

use super::weights::{Criterion, Weights};
use super::{ColumnError, Method};
use crate::Bitmap;
use crate::dataset::columns::Column;
use crate::filter::Table;
use crate::stats::Sum;

/// Per criterion its values over the ranked rows, turned so that more is better.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values {
    method: Method,
    /// Ascending.
    rows: Vec<usize>,
    weights: Vec<f64>,
    /// By criterion, then as `rows`. Of `topsis` the places between the worst value (0) and the
    /// best (1).
    columns: Vec<Vec<f64>>,
    /// Of `topsis`: per criterion the distance from the worst to the best value, normalised.
    spans: Vec<f64>,
}

impl Values {
    /// Of the rows that miss no criterion; and the rows that do.
    pub(super) fn of(
        weights: &Weights,
        method: Method,
        table: &dyn Table,
        set: &Bitmap,
    ) -> Result<(Self, Vec<usize>), ColumnError> {
        let criteria = weights.criteria();
        let columns = criteria
            .iter()
            .map(|criterion| numbers(criterion, table))
            .collect::<Result<Vec<_>, _>>()?;
        let (rows, unranked): (Vec<usize>, Vec<usize>) = set
            .iter()
            .filter(|row| *row < table.rows())
            .partition(|row| columns.iter().all(|column| !column[*row].is_nan()));
        let mut values = Self {
            method,
            weights: criteria.iter().map(|criterion| criterion.weight).collect(),
            columns: Vec::with_capacity(criteria.len()),
            spans: Vec::with_capacity(criteria.len()),
            rows,
        };
        for (criterion, column) in criteria.iter().zip(columns) {
            let raw: Vec<f64> = values.rows.iter().map(|row| column[*row]).collect();
            let (value, span) = valued(method, &raw, criterion.low);
            values.columns.push(value);
            values.spans.push(span);
        }
        Ok((values, unranked))
    }

    pub(super) fn criteria(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// What the weights are of their sum.
    pub(super) fn shares(&self) -> Vec<f64> {
        shares(&self.weights)
    }

    /// The scores under these shares, as `rows`; 0..=1000.
    pub(super) fn totals(&self, shares: &[f64]) -> Vec<f64> {
        if self.method == Method::Topsis {
            return self.closeness(shares);
        }
        let mut totals = self.sums(shares);
        match (self.method, extent(&totals)) {
            (Method::ZScore, Some((least, extent))) => {
                for total in &mut totals {
                    *total = ((*total - least) / extent * 1000.0).clamp(0.0, 1000.0);
                }
            }
            (Method::ZScore, None) => totals.fill(500.0),
            _ => {
                for total in &mut totals {
                    *total = (*total * 1000.0).clamp(0.0, 1000.0);
                }
            }
        }
        totals
    }

    /// Σ share · value, as `rows`.
    fn sums(&self, shares: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.rows.len()];
        for (share, column) in shares.iter().zip(&self.columns) {
            for (sum, value) in sums.iter_mut().zip(column) {
                *sum += share * value;
            }
        }
        sums
    }

    /// How much nearer rows are to the best of every criterion than to the worst.
    fn closeness(&self, shares: &[f64]) -> Vec<f64> {
        let mut distances = vec![[0.0; 2]; self.rows.len()];
        for ((share, span), column) in shares.iter().zip(&self.spans).zip(&self.columns) {
            for (distance, place) in distances.iter_mut().zip(column) {
                distance[0] += (share * span * place).powi(2);
                distance[1] += (share * span * (1.0 - place)).powi(2);
            }
        }
        distances
            .iter()
            .map(|[worst, best]| {
                let (worst, best) = (worst.sqrt(), best.sqrt());
                let apart = worst + best > 0.0;
                if apart {
                    1000.0 * worst / (worst + best)
                } else {
                    500.0
                }
            })
            .collect()
    }

    /// Points per unit of `share · value`.
    pub(super) fn points(&self, shares: &[f64]) -> f64 {
        match self.method {
            Method::ZScore => extent(&self.sums(shares)).map_or(0.0, |(_, extent)| 1000.0 / extent),
            _ => 1000.0,
        }
    }

    /// Per criterion `share · value` of a ranked row; of `topsis` what is its of the squared distance
    /// from the worst.
    pub(super) fn parts(&self, row: usize) -> Option<Vec<f64>> {
        let at = self.rows.binary_search(&row).ok()?;
        let shares = self.shares();
        let parts = shares.iter().zip(&self.columns);
        let parts: Vec<f64> = parts.map(|(share, column)| share * column[at]).collect();
        if self.method != Method::Topsis {
            return Some(parts);
        }
        let squares = parts.iter().zip(&self.spans);
        let squares: Vec<f64> = squares.map(|(part, span)| (part * span).powi(2)).collect();
        let sum: f64 = squares.iter().sum();
        if sum > 0.0 {
            Some(squares.iter().map(|square| square / sum).collect())
        } else {
            Some(shares)
        }
    }
}

pub(super) fn shares(weights: &[f64]) -> Vec<f64> {
    // By the greatest first: the sum of finite weights may not be finite.
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    let sum: f64 = weights.iter().map(|weight| weight / greatest).sum();
    weights
        .iter()
        .map(|weight| weight / greatest / sum)
        .collect()
}

fn numbers<'a>(criterion: &Criterion, table: &'a dyn Table) -> Result<&'a [f64], ColumnError> {
    match table.column(&criterion.column) {
        Some(Column::Number(numbers)) if numbers.values().len() == table.rows() => {
            Ok(numbers.values())
        }
        _ => Err(ColumnError(criterion.column.clone())),
    }
}

/// The least total and how far the greatest lies above; `None` where they are equal but for
/// rounding.
fn extent(totals: &[f64]) -> Option<(f64, f64)> {
    let least = totals.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = totals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (greatest - least > 1e-12).then_some((least, greatest - least))
}

/// A criterion's values, and its span (see [`Values::spans`]).
fn valued(method: Method, raw: &[f64], low: bool) -> (Vec<f64>, f64) {
    match method {
        Method::Percentile => (percentiles(raw, low), 0.0),
        Method::MinMax => (places(raw, low), 0.0),
        Method::ZScore => (deviations(raw, low), 0.0),
        Method::Topsis => (places(raw, low), span(raw)),
    }
}

/// (rows below + half of the other equal rows) / (n − 1).
fn percentiles(raw: &[f64], low: bool) -> Vec<f64> {
    let mut sorted = raw.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    if raw.len() < 2 {
        return vec![0.5; raw.len()];
    }
    raw.iter()
        .map(|value| {
            let below = sorted.partition_point(|other| other < value);
            let upto = sorted.partition_point(|other| other <= value);
            // In halves, so that a percentile and its complement are exact mirrors.
            let halves = if low {
                2 * (raw.len() - upto) + (upto - below - 1)
            } else {
                2 * below + (upto - below - 1)
            };
            real(halves) / real(2 * (raw.len() - 1))
        })
        .collect()
}

/// Between the worst value (0) and the best (1).
fn places(raw: &[f64], low: bool) -> Vec<f64> {
    let min = raw.iter().copied().fold(f64::INFINITY, f64::min);
    let max = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // By halves: the range of finite values may be infinite.
    let range = max / 2.0 - min / 2.0;
    raw.iter()
        .map(|value| {
            if range <= 0.0 {
                return 0.5;
            }
            let from_worst = if low {
                max / 2.0 - value / 2.0
            } else {
                value / 2.0 - min / 2.0
            };
            from_worst / range
        })
        .collect()
}

/// In population standard deviations from the mean.
fn deviations(raw: &[f64], low: bool) -> Vec<f64> {
    // Scaled by the greatest: squares of finite values may be infinite, or vanish.
    let greatest = magnitude(raw);
    let scaled = || raw.iter().map(|value| value / greatest);
    let n = real(raw.len());
    let mean = Sum::of(scaled()) / n;
    let deviation = (Sum::of(scaled().map(|value| (value - mean).powi(2))) / n).sqrt();
    // A constant's mean may be off by rounding.
    if deviation.is_nan() || deviation <= f64::EPSILON {
        return vec![0.0; raw.len()];
    }
    let sign = if low { -1.0 } else { 1.0 };
    scaled()
        .map(|value| sign * (value - mean) / deviation)
        .collect()
}

/// The greatest absolute value.
fn magnitude(raw: &[f64]) -> f64 {
    raw.iter().fold(0.0, |max: f64, value| max.max(value.abs()))
}

/// (max − min) / √Σx².
fn span(raw: &[f64]) -> f64 {
    // Scaled by the greatest: squares of finite values may be infinite.
    let greatest = magnitude(raw);
    if greatest == 0.0 {
        return 0.0;
    }
    let norm = Sum::of(raw.iter().map(|value| (value / greatest).powi(2))).sqrt();
    let min = raw.iter().copied().fold(f64::INFINITY, f64::min);
    let max = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (max / greatest - min / greatest) / norm
}

#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}
