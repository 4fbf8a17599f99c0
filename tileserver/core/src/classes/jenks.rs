//! Natural breaks: the classes with the least sum of squared deviations, exactly.
//!
//! Dynamic programming over distinct values (Fisher 1958; Wang & Song 2011):
//!
//! ```text
//! D[q][i] = min over j < i of D[q−1][j] + ss(j, i)      ss: squares within values j..i
//! ```
//!
//! The matrix under the minimum is Monge, so each level takes O(n) evaluations by SMAWK
//! (Aggarwal et al. 1987). Squares are sums of integers: values are scaled to whole numbers by a
//! power of two, so nothing cancels, and counts are exact.

/// The upper limit of each of `k` classes; `sorted` has at least `k` distinct values, `k > 1`.
pub(super) fn upper(sorted: &[f64], k: usize) -> Vec<f64> {
    let mut distinct: Vec<f64> = sorted.to_vec();
    distinct.dedup();
    let sums = Sums::of(sorted, &distinct);
    let n = distinct.len();
    let mut ends = vec![n; k];
    let mut splits = Vec::with_capacity(k - 2);
    let mut least: Vec<f64> = (0..=n).map(|i| sums.squares(0, i)).collect();
    for q in 2..k {
        let split = level(&sums, &mut least, q, n);
        splits.push(split);
    }
    // Of the last level only its end is needed.
    let last = (k - 1..n).min_by(|a, b| {
        let cost = |j: usize| least[j] + sums.squares(j, n);
        cost(*a).total_cmp(&cost(*b))
    });
    ends[k - 2] = last.unwrap_or(n - 1);
    for q in (0..k - 2).rev() {
        ends[q] = splits[q][ends[q + 1]] as usize;
    }
    ends.into_iter().map(|end| distinct[end - 1]).collect()
}

/// From the least squares of each beginning in `q − 1` classes to those in `q`; gives where the
/// last class starts.
fn level(sums: &Sums, least: &mut Vec<f64>, q: usize, n: usize) -> Vec<u32> {
    let cost = |i: u32, j: u32| {
        if j >= i {
            return f64::INFINITY;
        }
        least[j as usize] + sums.squares(j as usize, i as usize)
    };
    let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let rows: Vec<u32> = (narrow(q)..=narrow(n)).collect();
    let columns: Vec<u32> = (narrow(q - 1)..narrow(n)).collect();
    let mut split = vec![0; n + 1];
    row_minima(&rows, &columns, &cost, &mut split);
    *least = (0..=n)
        .map(|i| {
            if i < q {
                f64::INFINITY
            } else {
                cost(narrow(i), split[i])
            }
        })
        .collect();
    split
}

/// SMAWK: for each row of a totally monotone matrix the column of its (leftmost) minimum.
fn row_minima(rows: &[u32], columns: &[u32], cost: &impl Fn(u32, u32) -> f64, minima: &mut [u32]) {
    // Reduce to as many columns as rows: a column that loses to a later one loses below, too.
    let mut kept: Vec<u32> = Vec::with_capacity(rows.len());
    for &column in columns {
        while let Some(&last) = kept.last() {
            let row = rows[kept.len() - 1];
            if cost(row, last) <= cost(row, column) {
                break;
            }
            kept.pop();
        }
        if kept.len() < rows.len() {
            kept.push(column);
        }
    }
    let odd: Vec<u32> = rows.iter().skip(1).step_by(2).copied().collect();
    if !odd.is_empty() {
        row_minima(&odd, &kept, cost, minima);
    }
    // The minimum of an even row lies between those of its neighbours.
    let mut from = 0;
    for (i, &row) in rows.iter().enumerate().step_by(2) {
        let until = rows.get(i + 1).map(|next| minima[*next as usize]);
        let mut best = (f64::INFINITY, kept[from]);
        for (at, &column) in kept.iter().enumerate().skip(from) {
            let value = cost(row, column);
            if value < best.0 {
                best = (value, column);
            }
            if Some(column) == until {
                from = at;
                break;
            }
        }
        minima[row as usize] = best.1;
    }
}

/// Counts and sums of the values before each distinct one, scaled to whole numbers.
struct Sums {
    before: Vec<Sum>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    count: i64,
    values: i64,
    squares: i128,
}

impl Sums {
    fn of(sorted: &[f64], distinct: &[f64]) -> Self {
        let scale = Scale::of(sorted);
        let mut before = Vec::with_capacity(distinct.len() + 1);
        let mut sum = Sum::default();
        before.push(sum);
        let mut rest = sorted;
        for value in distinct {
            let equal = rest.partition_point(|other| other <= value);
            rest = &rest[equal..];
            let count = i64::try_from(equal).unwrap_or(i64::MAX);
            let whole = scale.whole(*value);
            sum.count += count;
            sum.values += count * whole;
            sum.squares += i128::from(count * whole) * i128::from(whole);
            before.push(sum);
        }
        Self { before }
    }

    /// The squared deviations of the distinct values `from..to` from their mean, scaled:
    /// Σx² − (Σx)²/n = (n·Σx² − (Σx)²) / n.
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounded once, relative to the result"
    )]
    fn squares(&self, from: usize, to: usize) -> f64 {
        let (a, b) = (self.before[from], self.before[to]);
        let count = b.count - a.count;
        if count == 0 {
            return 0.0;
        }
        let values = i128::from(b.values - a.values);
        let scaled = i128::from(count) * (b.squares - a.squares) - values * values;
        scaled as f64 / count as f64
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
