//! Class limits of a column: where a choropleth changes colour.
//!
//! A class holds the values above the limit before it, up to and including its own. Values are
//! those shown: under the filter, protected ones as protected.
//!
//! | method | limits |
//! |---|---|
//! | quantile | the k-quantiles (type 7); ties may leave fewer classes, none is empty |
//! | jenks | the exact optimum of Fisher (1958): least sum of squares within classes |
//! | equal | k intervals of one width |
//! | stddev | whole standard deviations (n − 1) around the mean: ±1, ±2, … for odd k, the mean too for even k; those beyond the data are left out |
//! | headtail | means of ever smaller heads (Jiang 2013), until a head has one value; k is not used |
//! | pretty | round numbers, about k classes (R's `pretty`) |
//!
//! Fewer distinct values than k give fewer classes; a constant gives one, nothing none.

mod jenks;
mod pretty;
mod windows;

use std::str::FromStr;

use crate::stats::quantile;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Quantile,
    Jenks,
    Equal,
    StdDev,
    HeadTail,
    Pretty,
}

/// The name is not one of [`Method::ALL`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown class method `{0}`; known: quantile, jenks, equal, stddev, headtail, pretty")]
pub struct UnknownMethod(String);

impl Method {
    pub const ALL: [Self; 6] = [
        Self::Quantile,
        Self::Jenks,
        Self::Equal,
        Self::StdDev,
        Self::HeadTail,
        Self::Pretty,
    ];

    /// As parameters and answers spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quantile => "quantile",
            Self::Jenks => "jenks",
            Self::Equal => "equal",
            Self::StdDev => "stddev",
            Self::HeadTail => "headtail",
            Self::Pretty => "pretty",
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

/// The limits of classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Breaks {
    method: Method,
    requested: usize,
    /// Strictly ascending.
    upper: Vec<f64>,
}

impl Breaks {
    /// Of ascending values without NaN.
    #[must_use]
    pub fn of(method: Method, k: usize, sorted: &[f64]) -> Self {
        debug_assert!(sorted.is_sorted());
        let upper = match (sorted.first(), sorted.last()) {
            (Some(min), Some(max)) if min < max && k > 1 => {
                let k = k.min(distinct(sorted));
                match method {
                    Method::Quantile => quantiles(sorted, k),
                    Method::Jenks => jenks::upper(sorted, k),
                    Method::Equal => equal(*min, *max, k),
                    Method::StdDev => deviations(sorted, k),
                    Method::HeadTail => head_tail(sorted),
                    Method::Pretty => pretty::upper(*min, *max, k),
                }
            }
            (_, Some(max)) => vec![*max],
            _ => Vec::new(),
        };
        debug_assert!(upper.is_sorted_by(|a, b| a < b));
        Self {
            method,
            requested: k,
            upper,
        }
    }

    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The number of classes asked for.
    #[must_use]
    pub fn requested(&self) -> usize {
        self.requested
    }

    /// The number of classes there are.
    #[must_use]
    pub fn k(&self) -> usize {
        self.upper.len()
    }

    /// The upper limit of each class, ascending; the last is at least the greatest value.
    #[must_use]
    pub fn upper(&self) -> &[f64] {
        &self.upper
    }

    /// The class of a value, from 0; values beyond the last limit belong to the last class.
    /// `None` for a missing value (NaN) and where there are no classes.
    #[must_use]
    pub fn classify(&self, value: f64) -> Option<usize> {
        if value.is_nan() || self.upper.is_empty() {
            return None;
        }
        let class = self.upper.partition_point(|upper| *upper < value);
        Some(class.min(self.upper.len() - 1))
    }
}

/// Upper limits that somebody gave, of values up to `max`: those beyond the last limit are in the last
/// class, whose limit is then theirs.
#[must_use]
pub fn covering(limits: &[f64], max: Option<f64>) -> Vec<f64> {
    let mut upper = limits.to_vec();
    if let (Some(last), Some(max)) = (upper.last_mut(), max) {
        *last = last.max(max);
    }
    upper
}

fn distinct(sorted: &[f64]) -> usize {
    1 + sorted.windows(2).filter(|pair| pair[0] < pair[1]).count()
}

fn quantiles(sorted: &[f64], k: usize) -> Vec<f64> {
    let mut upper: Vec<f64> = Vec::with_capacity(k);
    let mut held = 0;
    for i in 1..=k {
        let limit = quantile(sorted, fraction(i, k));
        let now = sorted.partition_point(|value| *value <= limit);
        if now > held {
            held = now;
            upper.push(limit);
        }
    }
    upper
}

fn equal(min: f64, max: f64, k: usize) -> Vec<f64> {
    // The product before the sum: both ends may be huge.
    let mut upper: Vec<f64> = (1..k)
        .map(|i| min * fraction(k - i, k) + max * fraction(i, k))
        .collect();
    upper.push(max);
    strictly_ascending(upper)
}

fn deviations(sorted: &[f64], k: usize) -> Vec<f64> {
    let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
    let (mean, deviation) = moments(sorted);
    let each_side = (k - 1) / 2;
    let whole = |steps: usize| real(steps) * deviation;
    let mut upper: Vec<f64> = (1..=each_side).rev().map(|i| mean - whole(i)).collect();
    if k.is_multiple_of(2) {
        upper.push(mean);
    }
    upper.extend((1..=each_side).map(|i| mean + whole(i)));
    upper.retain(|limit| (min..max).contains(limit));
    upper.push(max);
    strictly_ascending(upper)
}

fn head_tail(sorted: &[f64]) -> Vec<f64> {
    let max = sorted[sorted.len() - 1];
    let mut upper = Vec::new();
    let mut head = sorted;
    while head.first().is_some_and(|least| *least < max) {
        let mean = moments(head).0;
        // Rounding can put the mean of nearly equal values at an end: no further head then.
        if !(head[0]..max).contains(&mean) {
            break;
        }
        upper.push(mean);
        head = &head[head.partition_point(|value| *value <= mean)..];
    }
    upper.push(max);
    strictly_ascending(upper)
}

fn strictly_ascending(mut upper: Vec<f64>) -> Vec<f64> {
    upper.dedup_by(|later, earlier| *later <= *earlier);
    upper
}

/// Mean and sample standard deviation, in two passes.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = real(values.len());
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    let mean = mean + values.iter().map(|value| (value - mean) / n).sum::<f64>();
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

fn fraction(part: usize, of: usize) -> f64 {
    real(part) / real(of)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rows and classes are far below 2^53"
)]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
