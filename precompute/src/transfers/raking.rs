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
    let units: Vec<usize> = (0..problem.units)
        .filter(|unit| weights[*unit] > 0.0)
        .collect();
    let mut shares = start;
    let mut rows: Vec<f64> = units
        .iter()
        .flat_map(|unit| problem.x(*unit))
        .copied()
        .collect();
    for _ in 0..rounds {
        let next = round(problem, &shares, &units, weights, &mut rows);
        let moved = shares.iter().zip(&next).map(|(a, b)| (a - b).abs());
        let still = moved.fold(0.0, f64::max) < STILL;
        shares = next;
        if still {
            break;
        }
    }
    shares
}

/// One round: the shares of the raked tables' sum over `units`. `rows` are the units' row factors:
/// those of the round before are nearly those of the next, and what raking ends at is the same
/// wherever it starts.
fn round(
    problem: &Problem<'_>,
    shares: &[f64],
    units: &[usize],
    weights: &[f64],
    rows: &mut [f64],
) -> Vec<f64> {
    let lifted = lifted_by_column(problem, shares);
    let sums: Vec<Vec<f64>> = units
        .par_chunks(CHUNK)
        .zip(rows.par_chunks_mut(CHUNK * problem.from))
        .map(|(chunk, rows)| {
            let mut sum = vec![0.0; lifted.len()];
            let mut factors = Factors::new(problem);
            for (&unit, rows) in chunk.iter().zip(rows.chunks_mut(problem.from)) {
                factors.rake(problem, &lifted, unit, rows, ROUGH);
                factors.add(&lifted, rows, weights[unit], &mut sum);
            }
            sum
        })
        .collect();
    let mut by_column = vec![0.0; lifted.len()];
    for sum in &sums {
        for (cell, votes) in by_column.iter_mut().zip(sum) {
            *cell += votes;
        }
    }
    let mut next = transposed(&by_column, problem.from);
    normalise(&mut next, shares, problem.to);
    next
}

/// Shares that are not too small, column after column: rows are what is many.
fn lifted_by_column(problem: &Problem<'_>, shares: &[f64]) -> Vec<f64> {
    let mut by_column = transposed(shares, problem.to);
    for share in &mut by_column {
        *share = share.max(SHARE_MIN);
    }
    by_column
}

/// Of a matrix whose rows have `width` cells.
fn transposed(cells: &[f64], width: usize) -> Vec<f64> {
    let column = |at: usize| cells.iter().skip(at).step_by(width).copied();
    (0..width).flat_map(column).collect()
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
    let lifted = lifted_by_column(problem, shares);
    (0..problem.units)
        .into_par_iter()
        .map_init(
            || Factors::new(problem),
            |factors, unit| {
                let mut by_column = vec![0.0; lifted.len()];
                let mut rows = problem.x(unit).to_vec();
                factors.rake(problem, &lifted, unit, &mut rows, EXACT);
                factors.add(&lifted, &rows, 1.0, &mut by_column);
                transposed(&by_column, problem.from)
            },
        )
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

/// A raked table as what its shares are multiplied by: column by column, and row by row, which
/// whoever asks keeps.
struct Factors {
    columns: Vec<f64>,
    /// By row, of the shares times their columns' factors.
    sums: Vec<f64>,
}

impl Factors {
    fn new(problem: &Problem<'_>) -> Self {
        Self {
            columns: vec![0.0; problem.to],
            sums: vec![0.0; problem.from],
        }
    }

    /// Scales shares∘rows to the margins of `unit`. Rows and columns without votes are zero.
    fn rake(
        &mut self,
        problem: &Problem<'_>,
        shares: &[f64],
        unit: usize,
        rows: &mut [f64],
        precision: Precision,
    ) {
        let (x, y) = (problem.x(unit), problem.y(unit));
        let tolerance = precision.error * x.iter().sum::<f64>();
        let Self { columns, sums } = self;
        for _ in 0..precision.sweeps {
            sums.fill(0.0);
            let shares = shares.chunks(problem.from);
            for ((shares, wanted), factor) in shares.zip(y).zip(columns.iter_mut()) {
                let sum = dot(shares, rows);
                *factor = if sum > 0.0 { wanted / sum } else { 0.0 };
                for (sum, share) in sums.iter_mut().zip(shares) {
                    *sum += share * *factor;
                }
            }
            let mut missed = 0.0;
            for ((row, sum), wanted) in rows.iter_mut().zip(&*sums).zip(x) {
                missed += (*row * sum - wanted).abs();
                *row = if *sum > 0.0 { wanted / sum } else { 0.0 };
            }
            if missed <= tolerance {
                break;
            }
        }
    }

    /// Adds the table so many times.
    fn add(&self, shares: &[f64], rows: &[f64], times: f64, to: &mut [f64]) {
        let width = rows.len();
        let columns = shares.chunks(width).zip(&self.columns);
        for ((shares, factor), cells) in columns.zip(to.chunks_mut(width)) {
            let factor = factor * times;
            for ((share, row), cell) in shares.iter().zip(rows).zip(cells) {
                *cell += share * row * factor;
            }
        }
    }
}

/// Σ aᵢ·bᵢ in four sums side by side: one alone would wait for itself at every step.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut lanes = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}
