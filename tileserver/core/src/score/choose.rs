//! Choosing areas: enough to reach a goal, or half of them to learn from.

use crate::stats::Sum;

/// A smallest set of areas whose reserves cover a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    /// Largest reserve first, ties by row.
    pub rows: Vec<usize>,
    /// The sum of their reserves.
    pub covered: f64,
    /// Whether that is the gap; if not, all areas together fall short of it.
    pub reached: bool,
}

/// The fewest of `rows` whose reserves add up to `gap`: the largest ones, so no set with fewer
/// areas reaches it. Areas whose reserve is missing (NaN) or not above 0 are never taken.
#[must_use]
pub fn cover(rows: impl IntoIterator<Item = usize>, reserves: &[f64], gap: f64) -> Cover {
    let mut candidates: Vec<(usize, f64)> = rows
        .into_iter()
        .filter_map(|row| Some((row, *reserves.get(row)?)))
        .filter(|(_, reserve)| *reserve > 0.0)
        .collect();
    candidates.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut chosen = Vec::new();
    let mut sum = Sum::default();
    for (row, reserve) in candidates {
        if sum.total() >= gap {
            break;
        }
        chosen.push(row);
        sum.add(reserve);
    }
    Cover {
        rows: chosen,
        covered: sum.total(),
        reached: sum.total() >= gap,
    }
}

/// Splits units at random into treated (`true`) and control, alike in every stratum.
///
/// `units` are strata and unique keys; `share` of 0..=1 is treated. In each stratum, and over all
/// of them, the number treated is within 1 of its share. Within a stratum units are taken by the
/// BLAKE3 hash of the seed (little-endian) and the key, so the same seed and keys give the same
/// split in any order, on any machine, and anyone can check it.
#[must_use]
pub fn split(units: &[(&str, &str)], share: f64, seed: u64) -> Vec<bool> {
    let share = if share.is_nan() {
        0.0
    } else {
        share.clamp(0.0, 1.0)
    };
    let mut order: Vec<(&str, [u8; 32], &str, usize)> = units
        .iter()
        .enumerate()
        .map(|(at, (stratum, key))| (*stratum, draw(seed, key), *key, at))
        .collect();
    order.sort_unstable();
    let mut treated = vec![false; units.len()];
    let mut before = 0;
    for stratum in order.chunk_by(|a, b| a.0 == b.0) {
        // Rounding the running total leaves no stratum, nor all of them, off by 1 or more.
        let now = before + stratum.len();
        let count = whole(share, now) - whole(share, before);
        for (.., at) in stratum.iter().take(count) {
            treated[*at] = true;
        }
        before = now;
    }
    treated
}

fn draw(seed: u64, key: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(key.as_bytes());
    *hasher.finalize().as_bytes()
}

/// The share of so many, rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and a number of rows"
)]
fn whole(share: f64, of: usize) -> usize {
    (share * of as f64).round() as usize
}
