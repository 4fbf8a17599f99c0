//! Iterated raking: tables by unit that meet both margins, and the shares they add up to.

use rayon::prelude::*;

use super::Margins;

/// Rounds after which the estimate no longer moves by a tenth of a per cent on real ballots.
pub(super) const ROUNDS_MAX: usize = 400;

/// Shares below this are lifted to it, so that a margin can always be met.
const SHARE_MIN: f64 = 1e-6;

/// A round that moves no share by more than this is the last.
const STILL: f64 = 1e-6;

/// Units a worker takes at a time; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 512;

/// Balanced margins: every unit has as many votes in x as in y.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    pub(super) units: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    x: &'a [f64],
    y: &'a [f64],
}

impl<'a> Problem<'a> {
    pub(super) fn new(margins: &'a Margins, units: usize) -> Self {
        Self {
            units,
            from: margins.from.len(),
            to: margins.to.len(),
            x: &margins.x,
            y: &margins.y,
        }
    }

    pub(super) fn x(&self, unit: usize) -> &[f64] {
        &self.x[unit * self.from..][..self.from]
    }

    pub(super) fn y(&self, unit: usize) -> &[f64] {
        &self.y[unit * self.to..][..self.to]
    }
}

/// Rakes and adds up until the shares stand still. `weights` counts each unit so many times.
pub(super) fn fit(
    problem: &Problem<'_>,
    start: Vec<f64>,
    weights: &[f64],
    rounds: usize,
) -> Vec<f64> {
    let mut shares = start;
    for _ in 0..rounds {
        let next = round(problem, &shares, weights);
        let moved = shares.iter().zip(&next).map(|(a, b)| (a - b).abs());
        let still = moved.fold(0.0, f64::max) < STILL;
        shares = next;
        if still {
            break;
        }
    }
    shares
}

/// One round: the shares of the raked tables' sum.
fn round(problem: &Problem<'_>, shares: &[f64], weights: &[f64]) -> Vec<f64> {
    let lifted: Vec<f64> = shares.iter().map(|share| share.max(SHARE_MIN)).collect();
    let units: Vec<usize> = (0..problem.units)
        .filter(|unit| weights[*unit] > 0.0)
        .collect();
    let sums: Vec<Vec<f64>> = units
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut sum = vec![0.0; lifted.len()];
            let mut table = vec![0.0; lifted.len()];
            for &unit in chunk {
                rake(problem, &lifted, unit, ROUGH, &mut table);
                for (cell, votes) in sum.iter_mut().zip(&table) {
                    *cell += weights[unit] * votes;
                }
            }
            sum
        })
        .collect();
    let mut next = vec![0.0; lifted.len()];
    for sum in &sums {
        for (cell, votes) in next.iter_mut().zip(sum) {
            *cell += votes;
        }
    }
    normalise(&mut next, shares, problem.to);
    next
}

/// Divides each row by its sum; a row without votes keeps its former shares.
fn normalise(rows: &mut [f64], former: &[f64], width: usize) {
    for (row, former) in rows.chunks_mut(width).zip(former.chunks(width)) {
        let total: f64 = row.iter().sum();
        if total > 0.0 {
            for cell in row {
                *cell /= total;
            }
        } else {
            row.copy_from_slice(former);
        }
    }
}

/// Every unit's table under `shares`, both margins met.
pub(super) fn tables(problem: &Problem<'_>, shares: &[f64]) -> Vec<Vec<f64>> {
    let lifted: Vec<f64> = shares.iter().map(|share| share.max(SHARE_MIN)).collect();
    (0..problem.units)
        .into_par_iter()
        .map(|unit| {
            let mut table = vec![0.0; lifted.len()];
            rake(problem, &lifted, unit, EXACT, &mut table);
            table
        })
        .collect()
}

/// How well a raked table must meet its margins.
#[derive(Clone, Copy)]
struct Precision {
    sweeps: usize,
    /// Relative to the unit's votes.
    error: f64,
}

const ROUGH: Precision = Precision {
    sweeps: 30,
    error: 1e-5,
};
const EXACT: Precision = Precision {
    sweeps: 2_000,
    error: 1e-12,
};

/// Scales shares∘x to the margins of `unit`. Rows and columns without votes are zero.
fn rake(
    problem: &Problem<'_>,
    shares: &[f64],
    unit: usize,
    precision: Precision,
    table: &mut [f64],
) {
    let (x, y, to) = (problem.x(unit), problem.y(unit), problem.to);
    for ((row, shares), votes) in table.chunks_mut(to).zip(shares.chunks(to)).zip(x) {
        for ((cell, share), wanted) in row.iter_mut().zip(shares).zip(y) {
            *cell = if *wanted > 0.0 { share * votes } else { 0.0 };
        }
    }
    let tolerance = precision.error * x.iter().sum::<f64>();
    let mut sums = vec![0.0; to];
    for _ in 0..precision.sweeps {
        scale_columns(table, y, &mut sums);
        if scale_rows(table, x, to) <= tolerance {
            break;
        }
    }
}

fn scale_columns(table: &mut [f64], y: &[f64], sums: &mut [f64]) {
    sums.fill(0.0);
    for row in table.chunks(sums.len()) {
        for (sum, cell) in sums.iter_mut().zip(row) {
            *sum += cell;
        }
    }
    for (sum, wanted) in sums.iter_mut().zip(y) {
        *sum = if *sum > 0.0 { wanted / *sum } else { 0.0 };
    }
    for row in table.chunks_mut(sums.len()) {
        for (cell, factor) in row.iter_mut().zip(sums.iter()) {
            *cell *= factor;
        }
    }
}

/// Returns the sum of what the rows missed before they were scaled.
fn scale_rows(table: &mut [f64], x: &[f64], to: usize) -> f64 {
    let mut missed = 0.0;
    for (row, wanted) in table.chunks_mut(to).zip(x) {
        let sum: f64 = row.iter().sum();
        missed += (sum - wanted).abs();
        let factor = if sum > 0.0 { wanted / sum } else { 0.0 };
        for cell in row {
            *cell *= factor;
        }
    }
    missed
}
