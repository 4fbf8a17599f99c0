//! How much the matrix depends on which units were there: resampling units with replacement.
//!
//! Beyond [`SAMPLE_MAX`] units a resample takes only so many and its deviations are scaled by
//! √(sample / units) (Bickel, Götze & van Zwet 1997): the cost no longer grows with the units.

use rayon::prelude::*;

use super::Options;
use super::raking::{Problem, fit};

const SAMPLE_MAX: usize = 1_000;

/// Rounds a resample may take from the estimate it starts at.
const ROUNDS: usize = 100;

/// Per cell the 5 % and 95 % of resampled votes.
pub(super) fn interval(
    problem: &Problem<'_>,
    shares: &[f64],
    matrix: &[Vec<f64>],
    options: Options,
) -> Vec<Vec<[f64; 2]>> {
    let sample = problem.units.min(SAMPLE_MAX);
    #[expect(clippy::cast_precision_loss, reason = "counts of units")]
    let scale = (sample as f64 / problem.units as f64).sqrt();
    let resampled: Vec<Vec<f64>> = (0..options.resamples)
        .into_par_iter()
        .map(|index| {
            let mut draws = Draws::new(options.seed, index);
            let mut weights = vec![0.0; problem.units];
            for _ in 0..sample {
                weights[draws.below(problem.units)] += 1.0;
            }
            fit(problem, shares.to_vec(), &weights, ROUNDS)
        })
        .collect();
    let cell = |i: usize, j: usize, votes: f64| {
        let total: f64 = matrix[i].iter().sum();
        let at = i * problem.to + j;
        let mut values: Vec<f64> = resampled
            .iter()
            .map(|other| {
                let deviation = (other[at] - shares[at]) * scale * total;
                (votes + deviation).clamp(0.0, total)
            })
            .collect();
        values.sort_by(f64::total_cmp);
        [quantile(&values, 0.05), quantile(&values, 0.95)]
    };
    matrix
        .iter()
        .enumerate()
        .map(|(i, row)| {
            row.iter()
                .enumerate()
                .map(|(j, votes)| cell(i, j, *votes))
                .collect()
        })
        .collect()
}

/// Linear between order statistics (type 7 of Hyndman & Fan 1996).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a few hundred values"
)]
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - at.floor()) * (sorted[above] - sorted[below])
}

/// `SplitMix64` (Steele, Lea & Flood 2014): one stream per resample, whatever thread draws it.
struct Draws(u64);

impl Draws {
    fn new(seed: u64, stream: usize) -> Self {
        let mut draws = Self(seed ^ (stream as u64).wrapping_mul(0xd134_2543_de82_ef95));
        draws.next();
        draws
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Uniform over `0..n` but for a bias below n / 2⁶⁴.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the product's upper half is below n"
    )]
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}
