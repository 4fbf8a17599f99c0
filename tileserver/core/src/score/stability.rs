//! How much a ranking depends on its weights and method.

use super::value::shares;
use super::{Scores, rounded};

/// Weights as uncertain as their author: each is multiplied by its own factor, even over
/// 1 − spread to 1 + spread, `draws` times over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// 0..1.
    pub spread: f64,
    pub draws: u32,
    /// Equal seeds give equal answers.
    pub seed: u64,
}

impl Default for Noise {
    fn default() -> Self {
        Self {
            spread: 0.5,
            draws: 200,
            seed: 0,
        }
    }
}

/// P(top-N): for each of `rows` the share of draws in which its score is among the `n` best, ties
/// at the end included. `None` for an unranked row.
#[must_use]
pub fn stability(scores: &Scores, n: usize, noise: Noise, rows: &[usize]) -> Vec<Option<f64>> {
    let ranked = scores.values.rows();
    let places: Vec<Option<usize>> = rows
        .iter()
        .map(|row| ranked.binary_search(row).ok())
        .collect();
    let mut among = vec![0_u32; rows.len()];
    let mut dice = Dice(noise.seed);
    let spread = noise.spread.clamp(0.0, 1.0);
    for _ in 0..noise.draws {
        let weights: Vec<f64> = scores
            .values
            .shares()
            .iter()
            // A weight of 0 would drop the criterion and might leave none.
            .map(|share| share * (1.0 + spread * (2.0 * dice.roll() - 1.0)).max(1e-6))
            .collect();
        let mut totals = scores.values.totals(&shares(&weights));
        for total in &mut totals {
            *total = rounded(*total);
        }
        let limit = greatest(&totals, n);
        for (count, place) in among.iter_mut().zip(&places) {
            *count += u32::from(place.is_some_and(|at| totals[at] >= limit));
        }
    }
    let draws = f64::from(noise.draws.max(1));
    let share = |(count, place): (&u32, &Option<usize>)| place.map(|_| f64::from(*count) / draws);
    among.iter().zip(&places).map(share).collect()
}

/// The `n`-th greatest value; beyond the last −∞, for n = 0 +∞.
fn greatest(totals: &[f64], n: usize) -> f64 {
    match n {
        0 => f64::INFINITY,
        n if n >= totals.len() => f64::NEG_INFINITY,
        n => {
            let mut totals = totals.to_vec();
            *totals
                .select_nth_unstable_by(n - 1, |a, b| b.total_cmp(a))
                .1
        }
    }
}

/// How many rows are of rank `n` or better in both.
#[must_use]
pub fn overlap(a: &Scores, b: &Scores, n: u32) -> usize {
    let among = |scores: &Scores, row: usize| scores.rank(row).is_some_and(|rank| rank <= n);
    let rows = a.values.rows().iter();
    rows.filter(|row| among(a, **row) && among(b, **row))
        .count()
}

/// `SplitMix64` (Steele, Lea & Flood 2014): equal on every machine.
struct Dice(u64);

impl Dice {
    /// Even over 0..1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let fraction = (z >> 11) as f64;
        fraction / 2_f64.powi(53)
    }
}
