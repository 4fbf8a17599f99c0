//! Hot spots: where values cluster beyond chance, and rates that few electors do not upset.
//!
//! ```text
//! geometries ─▸ neighbours ─┬▸ Gi* ──────────▸ p ─▸ false discovery rate ─▸ hot, cold
//! values ───────────────────┴▸ local Moran ──▸ p ─▸ false discovery rate ─▸ clusters
//! events, base ─▸ empirical Bayes
//! ```
//! Conventions are those of `PySAL`'s esda, with binary weights for Gi* and row-standardised ones
//! for Moran; p-values are two-sided and from the normal distribution, not from permutations, so
//! that the same input gives the same dataset.

pub mod layer;
mod neighbours;
mod normal;

pub use neighbours::{Neighbours, by_shared_vertex};

use normal::two_sided;

/// A statistic of one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Local {
    pub statistic: f64,
    /// Two-sided.
    pub p: f64,
    /// Whether the unit is above the mean, and whether its neighbours are.
    pub high: [bool; 2],
}

/// Gi* as a z-score (Getis & Ord 1992, Ord & Getis 1995): the unit and its neighbours against all.
/// A unit without a value has none; one without neighbours stands alone.
#[must_use]
pub fn gi_star(values: &[f64], neighbours: &Neighbours) -> Vec<Option<Local>> {
    let known = Known::new(values);
    let variance = known.squares / known.n - known.mean * known.mean;
    each(values, |unit, value| {
        let around: Vec<f64> = neighbours.values(unit, values).collect();
        let size = count(around.len()) + 1.0;
        let sum: f64 = value + around.iter().sum::<f64>();
        let spread = variance * size * (known.n - size) / (known.n - 1.0);
        let z = (sum - size * known.mean) / spread.sqrt();
        let is_hot = z > 0.0;
        local(z, z, [is_hot; 2])
    })
}

/// Local Moran's Iᵢ (Anselin 1995), with p under conditional randomisation (Sokal, Oden & Thomson
/// 1998). A unit without a value or without neighbours has none.
#[must_use]
pub fn local_moran(values: &[f64], neighbours: &Neighbours) -> Vec<Option<Local>> {
    let known = Known::new(values);
    let (n, mean) = (known.n, known.mean);
    let deviations: f64 = each(values, |_, value| Some((value - mean).powi(2)))
        .into_iter()
        .flatten()
        .sum();
    let m2 = deviations / n;
    each(values, |unit, value| {
        let around: Vec<f64> = neighbours.values(unit, values).collect();
        if around.is_empty() {
            return None;
        }
        let degree = count(around.len());
        let z = value - mean;
        let lag = around.iter().map(|other| other - mean).sum::<f64>() / degree;
        let statistic = (n - 1.0) * z * lag / deviations;
        let expected = -z * z / ((n - 1.0) * m2);
        let variance = (z / m2).powi(2)
            * (n / (n - 2.0))
            * (1.0 / degree - 1.0 / (n - 1.0))
            * (m2 - z * z / (n - 1.0));
        // Expectation and variance are of the statistic over n.
        let score = (z * lag / m2 - expected) / variance.sqrt();
        local(statistic, score, [z > 0.0, lag > 0.0])
    })
}

/// The p-value up to which a finding stands when at most a share `alpha` of findings may be false
/// (Benjamini & Hochberg 1995); Bonferroni's where none stands, as in esda.
#[must_use]
pub fn false_discovery(p: impl Iterator<Item = f64>, alpha: f64) -> f64 {
    let mut sorted: Vec<f64> = p.collect();
    sorted.sort_by(f64::total_cmp);
    let n = count(sorted.len());
    let limit = |rank: usize| count(rank + 1) * alpha / n;
    let last = (0..sorted.len())
        .rev()
        .find(|&rank| sorted[rank] < limit(rank));
    last.map_or(alpha / n, limit)
}

/// Sums over the units that have a value.
struct Known {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Known {
    fn new(values: &[f64]) -> Self {
        let known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        let n = count(known.len());
        Self {
            n,
            mean: known.iter().sum::<f64>() / n,
            squares: known.iter().map(|v| v * v).sum(),
        }
    }
}

/// Per unit that has a value.
fn each<T>(values: &[f64], of: impl Fn(usize, f64) -> Option<T>) -> Vec<Option<T>> {
    values
        .iter()
        .enumerate()
        .map(|(unit, value)| {
            if value.is_nan() {
                None
            } else {
                of(unit, *value)
            }
        })
        .collect()
}

/// None where values do not vary, or units are too few for a spread.
fn local(statistic: f64, score: f64, high: [bool; 2]) -> Option<Local> {
    let finite = statistic.is_finite() && score.is_finite();
    finite.then(|| Local {
        statistic,
        p: two_sided(score),
        high,
    })
}

#[expect(clippy::cast_precision_loss, reason = "units are far fewer than 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
