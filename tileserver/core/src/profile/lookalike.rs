//! Areas like those where the segment is strongest: by the mean distance to the nearest of these
//! in standardised indicators. Seeds themselves are not ranked; how well the ranking finds a seed
//! it has not seen is measured by leaving a fifth of all areas out at a time.

use super::Standardised;

/// Seeds that an area is compared with: the nearest.
const NEAREST: usize = 5;

const FOLDS: usize = 5;

/// Fewer seeds than two a fold tell nothing.
const SEEDS_MIN: usize = 2 * FOLDS;

/// Areas by their likeness.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookalikes {
    /// Row and distance, nearest first; equal distances in the order of rows. Without the seeds.
    pub ranked: Vec<(usize, f64)>,
    pub seeds: usize,
    /// The chance that a seed left out comes before an area that is none, left out too.
    pub auc: f64,
}

/// `seeds` are rows; `None` where they are too few, or everything is a seed.
#[must_use]
pub fn lookalikes(table: &Standardised, seeds: &[usize]) -> Option<Lookalikes> {
    let is_seed: Vec<bool> = table.rows.iter().map(|row| seeds.contains(row)).collect();
    let of_seeds = |fold: Option<usize>| {
        let places = is_seed.iter().enumerate();
        let seeds = places.filter(move |(at, seed)| **seed && fold != Some(at % FOLDS));
        let values: Vec<&[f64]> = seeds.map(|(at, _)| table.values[at].as_slice()).collect();
        values
    };
    let all = of_seeds(None);
    if all.len() < SEEDS_MIN || all.len() == table.rows.len() {
        return None;
    }
    let mut ranked: Vec<(usize, f64)> = table
        .rows
        .iter()
        .zip(&table.values)
        .zip(&is_seed)
        .filter(|(_, seed)| !**seed)
        .map(|((row, values), _)| (*row, distance(values, &all)))
        .collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut held_out: Vec<(f64, bool)> = Vec::with_capacity(table.rows.len());
    for fold in 0..FOLDS {
        let others = of_seeds(Some(fold));
        let in_fold = (fold..table.rows.len()).step_by(FOLDS);
        held_out.extend(in_fold.map(|at| (distance(&table.values[at], &others), is_seed[at])));
    }
    Some(Lookalikes {
        seeds: all.len(),
        auc: auc(held_out)?,
        ranked,
    })
}

/// The mean of the distances to the nearest.
fn distance(values: &[f64], seeds: &[&[f64]]) -> f64 {
    let mut nearest = [f64::MAX; NEAREST];
    for seed in seeds {
        let squared: f64 = values.iter().zip(*seed).map(|(a, b)| (a - b).powi(2)).sum();
        if squared < nearest[NEAREST - 1] {
            let at = nearest.partition_point(|known| *known <= squared);
            nearest[at..].rotate_right(1);
            nearest[at] = squared;
        }
    }
    let count = seeds.len().min(NEAREST);
    let sum: f64 = nearest[..count].iter().map(|squared| squared.sqrt()).sum();
    sum / f64::from(u8::try_from(count.max(1)).unwrap_or(1))
}

/// By the ranks of the seeds' distances (Mann & Whitney 1947); ties count half.
fn auc(mut distances: Vec<(f64, bool)>) -> Option<f64> {
    distances.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut seeds, mut others, mut before) = (0.0, 0.0, 0.0);
    // From the far end: every seed comes before the areas counted so far.
    for same in distances.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()).rev() {
        let own = same.iter().fold(
            [0.0, 0.0],
            |[s, o], (_, seed)| {
                if *seed { [s + 1.0, o] } else { [s, o + 1.0] }
            },
        );
        before += own[0] * (others + own[1] / 2.0);
        seeds += own[0];
        others += own[1];
    }
    (seeds > 0.0 && others > 0.0).then(|| before / (seeds * others))
}
