//! The distribution of a column over a set of rows.
//!
//! Missing values are counted and left out, never taken for 0. Sums are compensated, so they are
//! right to the last digits at any number of rows.

use crate::Bitmap;
use crate::classes::{Breaks, Method};

/// The values of a column that are not missing, over the rows asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Ascending, without NaN.
    sorted: Vec<f64>,
    missing: usize,
    sum: f64,
}

/// Counts of values between edges: bin i holds `edges[i] <= value < edges[i + 1]`, the last one
/// its upper edge, too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// One more than there are bins; empty where there is no value.
    pub edges: Vec<f64>,
    pub counts: Vec<usize>,
}

impl Distribution {
    /// Over `rows` of a column whose missing values are NaN.
    #[must_use]
    pub fn of(values: &[f64], rows: &Bitmap) -> Self {
        let mut sorted = Vec::with_capacity(rows.count());
        let mut sum = Sum::default();
        let mut missing = 0;
        for row in rows.iter() {
            match values.get(row) {
                Some(value) if !value.is_nan() => {
                    sorted.push(*value);
                    sum.add(*value);
                }
                _ => missing += 1,
            }
        }
        sorted.sort_unstable_by(f64::total_cmp);
        Self {
            sorted,
            missing,
            sum: sum.total(),
        }
    }

    /// The values, ascending.
    #[must_use]
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// Values that are not missing.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// `None` where there is no value: the sum of nothing is unknown, not 0.
    #[must_use]
    pub fn sum(&self) -> Option<f64> {
        self.sorted.first().map(|_| self.sum)
    }

    #[must_use]
    pub fn min(&self) -> Option<f64> {
        self.sorted.first().copied()
    }

    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.sorted.last().copied()
    }

    /// The mean of the areas' values: not that of what they count. The share of a region is the
    /// ratio of its counts.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.sum().map(|sum| sum / real(self.count()))
    }

    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// The `p`-quantile by linear interpolation (type 7 of Hyndman & Fan 1996), `p` in 0..=1.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let known = !self.sorted.is_empty() && (0.0..=1.0).contains(&p);
        known.then(|| quantile(&self.sorted, p))
    }

    /// `bins` intervals of one width; one bin where all values are equal.
    #[must_use]
    pub fn histogram(&self, bins: usize) -> Histogram {
        let (Some(min), Some(max)) = (self.min(), self.max()) else {
            return Histogram::default();
        };
        let bins = if min < max { bins.max(1) } else { 1 };
        let mut edges: Vec<f64> = (0..bins)
            .map(|i| {
                let part = real(i) / real(bins);
                min * (1.0 - part) + max * part
            })
            .collect();
        edges.push(max);
        let below: Vec<usize> = edges[1..bins]
            .iter()
            .map(|edge| self.sorted.partition_point(|value| value < edge))
            .chain([self.count()])
            .collect();
        let before = [0].iter().chain(&below);
        let counts = below
            .iter()
            .zip(before)
            .map(|(to, from)| to - from)
            .collect();
        Histogram { edges, counts }
    }

    /// The limits of `k` classes.
    #[must_use]
    pub fn breaks(&self, method: Method, k: usize) -> Breaks {
        Breaks::of(method, k, &self.sorted)
    }
}

/// The type 7 quantile of ascending values, of which there is at least one; `p` in 0..=1.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = real(last) * p;
    let low = whole(place).min(last);
    let high = (low + 1).min(last);
    let part = place - real(low);
    // From the nearer end, so that equal neighbours give themselves.
    let step = sorted[high] - sorted[low];
    if part < 0.5 {
        sorted[low] + step * part
    } else {
        sorted[high] - step * (1.0 - part)
    }
}

/// The least value up to which at least a `p` share of the weight lies ("half of the electors
/// live in areas with up to …"): a value of the data, never between two. Rows whose value is
/// missing, or whose weight is not positive, do not count. `None` where no row does.
#[must_use]
pub fn weighted_quantile(values: &[f64], weights: &[f64], rows: &Bitmap, p: f64) -> Option<f64> {
    let mut pairs: Vec<(f64, f64)> = rows
        .iter()
        .filter_map(|row| Some((*values.get(row)?, *weights.get(row)?)))
        .filter(|(value, weight)| !value.is_nan() && *weight > 0.0)
        .collect();
    pairs.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let total = Sum::of(pairs.iter().map(|(_, weight)| *weight));
    let mut below = Sum::default();
    for (value, weight) in &pairs {
        below.add(*weight);
        if below.total() >= p * total {
            return Some(*value);
        }
    }
    pairs.last().map(|(value, _)| *value)
}

/// A sum that carries the digits lost in each addition (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> f64 {
        let mut sum = Self::default();
        for value in values {
            sum.add(value);
        }
        sum.total()
    }

    pub fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        self.sum = sum;
    }

    #[must_use]
    pub fn total(&self) -> f64 {
        // Beyond the range of numbers nothing is left to correct.
        if self.sum.is_finite() {
            self.sum + self.lost
        } else {
            self.sum
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place between 0 and the number of rows"
)]
fn whole(place: f64) -> usize {
    place as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Distribution {
        Distribution::of(values, &Bitmap::full(values.len()))
    }

    #[test]
    fn nothing_and_missing() {
        for values in [&[][..], &[f64::NAN, f64::NAN]] {
            let nothing = of(values);
            assert_eq!(nothing.count(), 0);
            assert_eq!(nothing.missing(), values.len());
            assert_eq!(
                (nothing.sum(), nothing.mean(), nothing.median()),
                (None, None, None)
            );
            assert_eq!(nothing.histogram(5), Histogram::default());
            assert_eq!(nothing.breaks(Method::Jenks, 5).k(), 0);
        }
        let mut rows = Bitmap::full(4);
        rows.intersect(&Bitmap::from_words(4, vec![0b0111]));
        let some = Distribution::of(&[3.0, f64::NAN, 1.0, 100.0], &rows);
        assert_eq!((some.count(), some.missing()), (2, 1));
        assert_eq!((some.sum(), some.mean()), (Some(4.0), Some(2.0)));
        assert_eq!((some.min(), some.max()), (Some(1.0), Some(3.0)));
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy 2.3: quantile([1, 2, 4, 8, 16.5], p)
        let some = of(&[8.0, 1.0, 16.5, 4.0, 2.0]);
        for (p, expected) in [
            (0.0, 1.0),
            (0.1, 1.4),
            (0.25, 2.0),
            (0.5, 4.0),
            (0.6, 5.6),
            (0.9, 13.1),
            (1.0, 16.5),
        ] {
            let found = some.quantile(p).unwrap();
            assert!((found - expected).abs() < 1e-12, "{p}: {found}");
        }
        assert_eq!(some.quantile(1.5), None);
        assert_eq!(some.quantile(f64::NAN), None);
    }

    #[test]
    fn weighted_quantiles_are_those_of_numpy() {
        // numpy 2.3: quantile(values, p, weights=weights, method='inverted_cdf')
        let values = [10.0, 20.0, 30.0, 40.0, f64::NAN];
        let weights = [1.0, 5.0, 2.0, 2.0, 100.0];
        let rows = Bitmap::full(5);
        for (p, expected) in [
            (0.0, 10.0),
            (0.1, 10.0),
            (0.2, 20.0),
            (0.5, 20.0),
            (0.7, 30.0),
            (0.81, 40.0),
            (1.0, 40.0),
        ] {
            assert_eq!(
                weighted_quantile(&values, &weights, &rows, p),
                Some(expected),
                "{p}"
            );
        }
        assert_eq!(weighted_quantile(&values, &[0.0; 5], &rows, 0.5), None);
    }

    #[test]
    fn histogram_counts_every_value() {
        let some = of(&[0.0, 1.0, 1.0, 2.0, 3.0, 10.0]);
        let histogram = some.histogram(5);
        assert_eq!(histogram.edges, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(histogram.counts, [3, 2, 0, 0, 1]);
        assert_eq!(of(&[7.0; 3]).histogram(5).counts, [3]);
        assert_eq!(of(&[7.0; 3]).histogram(5).edges, [7.0, 7.0]);
    }

    #[test]
    fn sums_are_compensated() {
        let mut values = vec![1e16, 1.0, 1.0, -1e16];
        values.extend([0.1; 10]);
        assert_eq!(of(&values).sum(), Some(3.0));
        assert!(Sum::of([f64::MAX, f64::MAX]).is_infinite());
    }
}
