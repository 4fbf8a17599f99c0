//! Natural breaks: the classes with the least sum of squared deviations, exactly.
//!
//! Dynamic programming over distinct values (Fisher 1958; Wang & Song 2011):
//!
//! ```text
//! D[q][i] = min over j < i of D[q−1][j] + ss(j, i)      ss: squares within values j..i
//! ```
//!
//! The best j grows with i, so each level halves its rows and columns: O(n log n), of the few rows
//! where a class can end at all ([`windows`]). Squares are taken from the greatest value of the
//! class, where nothing cancels; they start from exact sums of whole numbers, to which values are
//! scaled by a power of two.

use super::windows::{self, Window};

/// The upper limit of each of `k` classes; `sorted` has at least `k` distinct values, `k > 1`.
pub(super) fn upper(sorted: &[f64], k: usize) -> Vec<f64> {
    let mut distinct: Vec<f64> = sorted.to_vec();
    distinct.dedup();
    let values = Values::of(sorted, &distinct);
    let ends = ends(&values, windows::of_ends(&values, k));
    ends.into_iter().map(|end| distinct[end - 1]).collect()
}

/// Where each class ends in the best solution whose ends, but the last, lie in `windows`.
fn ends(values: &Values, mut windows: Vec<Window>) -> Vec<usize> {
    let n = values.len();
    windows.push(Window { from: n, to: n });
    let mut levels: Vec<Level> = Vec::with_capacity(windows.len());
    for window in windows {
        let level = match levels.last() {
            None => Level::first(values, window),
            Some(before) => Level::after(before, values, window),
        };
        levels.push(level);
    }
    let mut ends = vec![n; levels.len()];
    for q in (1..levels.len()).rev() {
        ends[q - 1] = levels[q].split[ends[q] - levels[q].window.from];
    }
    ends
}

/// One level of the table: the beginnings of the values in q classes that end in a window.
struct Level {
    window: Window,
    /// Least squares of each beginning.
    least: Vec<f64>,
    /// Where the last of its classes starts.
    split: Vec<usize>,
}

impl Level {
    fn first(values: &Values, window: Window) -> Self {
        Self {
            window,
            least: window.all().map(|end| values.squares(0, end)).collect(),
            split: vec![0; window.len()],
        }
    }

    fn after(before: &Self, values: &Values, window: Window) -> Self {
        let mut level = Self {
            window,
            least: vec![f64::INFINITY; window.len()],
            split: vec![0; window.len()],
        };
        level.fill(before, values, window, before.window);
        level
    }

    /// `rows`, whose splits lie in `splits`.
    fn fill(&mut self, before: &Self, values: &Values, rows: Window, splits: Window) {
        if rows.len() == 0 {
            return;
        }
        let row = usize::midpoint(rows.from, rows.to);
        let (from, to) = (splits.from, splits.to.min(row - 1));
        let first = before.window.from;
        let (least, split) = values.best(&before.least[from - first..=to - first], row, from);
        self.least[row - self.window.from] = least;
        self.split[row - self.window.from] = split;
        let (below, above) = rows.around(row);
        let lower = Window {
            to: split,
            ..splits
        };
        let upper = Window {
            from: split,
            ..splits
        };
        self.fill(before, values, below, lower);
        self.fill(before, values, above, upper);
    }
}

/// Distinct values as whole numbers, with how often each occurs.
pub(super) struct Values {
    wholes: Vec<f64>,
    counts: Vec<f64>,
    /// Sums over the values before each.
    before: Vec<Sums>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    count: i64,
    values: i64,
    squares: i128,
}

/// Count, sum and sum of squares of the distances to a class's greatest value.
#[derive(Clone, Copy)]
struct Spread {
    count: f64,
    distances: f64,
    squares: f64,
}

impl Spread {
    /// The squared deviations from the mean.
    fn squared_deviations(self) -> f64 {
        self.squares - self.distances * self.distances / self.count
    }
}

impl Values {
    #[expect(clippy::cast_precision_loss, reason = "whole numbers below 2^53")]
    fn of(sorted: &[f64], distinct: &[f64]) -> Self {
        let scale = Scale::of(sorted);
        let mut values = Self {
            wholes: Vec::with_capacity(distinct.len()),
            counts: Vec::with_capacity(distinct.len()),
            before: Vec::with_capacity(distinct.len() + 1),
        };
        let mut sums = Sums::default();
        values.before.push(sums);
        let mut rest = sorted;
        for value in distinct {
            let equal = rest.iter().take_while(|other| *other <= value).count();
            rest = &rest[equal..];
            let count = i64::try_from(equal).unwrap_or(i64::MAX);
            let whole = scale.whole(*value);
            sums.count += count;
            sums.values += count * whole;
            sums.squares += i128::from(count * whole) * i128::from(whole);
            values.before.push(sums);
            values.wholes.push(whole as f64);
            values.counts.push(count as f64);
        }
        values
    }

    /// How many distinct values there are.
    pub(super) fn len(&self) -> usize {
        self.wholes.len()
    }

    /// The least of `before[j − from] + ss(j, to)` over all of `before`, and the first j that gives
    /// it. Bench: `stats/…/jenks`.
    fn best(&self, before: &[f64], to: usize, from: usize) -> (f64, usize) {
        let last = from + before.len() - 1;
        let mut spread = self.spread(last, to);
        let mut best = (before[last - from] + spread.squared_deviations(), last);
        let greatest = self.wholes[to - 1];
        for j in (from..last).rev() {
            let (distance, count) = (greatest - self.wholes[j], self.counts[j]);
            spread.count += count;
            spread.distances += count * distance;
            spread.squares += count * distance * distance;
            let total = before[j - from] + spread.squared_deviations();
            if total <= best.0 {
                best = (total, j);
            }
        }
        best
    }

    /// The squared deviations of the values `from..to` from their mean, scaled; none of no value.
    pub(super) fn squares(&self, from: usize, to: usize) -> f64 {
        if from >= to {
            return 0.0;
        }
        self.spread(from, to).squared_deviations()
    }

    /// Of the values `from..to`, of which there is one, from exact sums:
    /// Σ(g − x) = n·g − Σx and Σ(g − x)² = n·g² − 2·g·Σx + Σx².
    #[expect(clippy::cast_precision_loss, reason = "each rounded once")]
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    fn spread(&self, from: usize, to: usize) -> Spread {
        let (a, b) = (self.before[from], self.before[to]);
        let greatest = i128::from(self.wholes[to - 1] as i64);
        let (count, values) = (
            i128::from(b.count - a.count),
            i128::from(b.values - a.values),
        );
        let squares = greatest * (count * greatest - 2 * values) + (b.squares - a.squares);
        Spread {
            count: count as f64,
            distances: (count * greatest - values) as f64,
            squares: squares as f64,
        }
    }
}

/// Values to whole numbers in 0..=2^bits, by a power of two.
struct Scale {
    least: f64,
    /// A power of two, at least the range.
    range: f64,
    whole_max: f64,
}

impl Scale {
    fn of(sorted: &[f64]) -> Self {
        let least = sorted[0] / 4.0;
        let range = sorted[sorted.len() - 1] / 4.0 - least;
        // n·Σx² ≤ n²·2^2bits must stay below 2^126.
        let bits = (62 - (sorted.len().ilog2() + 1)).min(40);
        Self {
            least,
            range: range.log2().ceil().exp2(),
            whole_max: f64::from(bits).exp2(),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 2^41")]
    fn whole(&self, value: f64) -> i64 {
        // By quarters: the range of finite values may be infinite.
        ((value / 4.0 - self.least) / self.range * self.whole_max).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(120))]

        /// Looking only where classes can end finds what looking everywhere finds.
        #[test]
        fn windows_hold_the_best(
            uniform in proptest::collection::vec(0.0..1.0_f64, 600..3_000),
            shape in 0_usize..6,
            k in 2_usize..12,
        ) {
            let mut sorted: Vec<f64> = uniform
                .iter()
                .enumerate()
                .map(|(i, u)| match shape {
                    0 => *u,
                    1 => -(1.0 - u).ln(),
                    2 => 1.0 / (1.0 - u),
                    3 => (u * 900.0).floor(),
                    4 => u + 10.0 * f64::from(u8::try_from(i % 7).expect("small")),
                    _ => if i == 0 { 1e9 } else { *u },
                })
                .collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let mut distinct = sorted.clone();
            distinct.dedup();
            let values = Values::of(&sorted, &distinct);
            let n = values.len();
            let everywhere = (1..k).map(|q| Window { from: q, to: n - (k - q) }).collect();
            let windows = windows::of_ends(&values, k);
            prop_assert_eq!(ends(&values, windows), ends(&values, everywhere));
        }
    }
}
