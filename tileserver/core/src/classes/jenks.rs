//! Natural breaks: the classes with the least sum of squared deviations, exactly.
//!
//! Dynamic programming over distinct values (Fisher 1958; Wang & Song 2011):
//!
//! ```text
//! D[q][i] = min over j < i of D[q−1][j] + ss(j, i)      ss: squares within values j..i
//! ```
//!
//! The best j grows with i, so each level halves its rows and columns: O(n log n). Squares are
//! taken from the greatest value of the class, where nothing cancels; they start from exact sums
//! of whole numbers, to which values are scaled by a power of two.

/// The upper limit of each of `k` classes; `sorted` has at least `k` distinct values, `k > 1`.
pub(super) fn upper(sorted: &[f64], k: usize) -> Vec<f64> {
    let mut distinct: Vec<f64> = sorted.to_vec();
    distinct.dedup();
    let values = Values::of(sorted, &distinct);
    let n = distinct.len();
    let mut least: Vec<f64> = (0..=n).map(|i| values.squares(0, i)).collect();
    let mut splits = Vec::with_capacity(k - 2);
    for q in 2..k {
        let mut level = Level {
            values: &values,
            before: &least,
            least: vec![f64::INFINITY; n + 1],
            split: vec![0; n + 1],
        };
        level.fill(q, n, q - 1, n - 1);
        splits.push(level.split);
        least = level.least;
    }
    // Of the last level only its end is needed.
    let mut ends = vec![n; k];
    ends[k - 2] = values.best(&least, n, k - 1, n - 1).1;
    for q in (0..k - 2).rev() {
        ends[q] = splits[q][ends[q + 1]];
    }
    ends.into_iter().map(|end| distinct[end - 1]).collect()
}

/// One level of the table: the beginnings of the values in q classes.
struct Level<'a> {
    values: &'a Values,
    /// Least squares of each beginning in q − 1 classes.
    before: &'a [f64],
    /// In q classes.
    least: Vec<f64>,
    /// Where the last of the q classes starts.
    split: Vec<usize>,
}

impl Level<'_> {
    /// Rows `from..=to`, whose splits lie in `low..=high`.
    fn fill(&mut self, from: usize, to: usize, low: usize, high: usize) {
        if from > to {
            return;
        }
        let row = usize::midpoint(from, to);
        let (least, split) = self.values.best(self.before, row, low, high.min(row - 1));
        self.least[row] = least;
        self.split[row] = split;
        self.fill(from, row - 1, low, split);
        self.fill(row + 1, to, split, high);
    }
}

/// Distinct values as whole numbers, with how often each occurs.
struct Values {
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

    /// The least of `before[j] + ss(j, to)` for j in `low..=high`, and the first j that gives it.
    /// Bench: `classes/jenks`.
    fn best(&self, before: &[f64], to: usize, low: usize, high: usize) -> (f64, usize) {
        let mut spread = self.spread(high, to);
        let mut best = (before[high] + spread.squared_deviations(), high);
        let greatest = self.wholes[to - 1];
        for j in (low..high).rev() {
            let (distance, count) = (greatest - self.wholes[j], self.counts[j]);
            spread.count += count;
            spread.distances += count * distance;
            spread.squares += count * distance * distance;
            let total = before[j] + spread.squared_deviations();
            if total <= best.0 {
                best = (total, j);
            }
        }
        best
    }

    /// The squared deviations of the values `from..to` from their mean, scaled.
    fn squares(&self, from: usize, to: usize) -> f64 {
        if from == to {
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
