//! The start: shares B that minimise `Σ_k ‖y_k − x_k·B‖² / n_k²`, rows of B on the simplex.
//!
//! Every unit weighs alike (its votes are shares), which finds the truth better than weighting by
//! votes: 7.1 % against 10 % of votes in the wrong cell on New Zealand 2017.
//! Accelerated projected gradient (Beck & Teboulle 2009) with the projection of Held et al. 1974.

use super::raking::Problem;

const STEPS_MAX: usize = 20_000;
const STILL: f64 = 1e-12;

/// Row-major `from × to`.
pub(super) fn fit(problem: &Problem<'_>) -> Vec<f64> {
    let (from, to) = (problem.from, problem.to);
    let (gram, cross) = moments(problem);
    let step = 1.0 / largest_eigenvalue_bound(&gram, from);
    #[expect(clippy::cast_precision_loss, reason = "a handful of options")]
    let mut shares = vec![1.0 / to as f64; from * to];
    let mut ahead = shares.clone();
    let mut momentum = 1.0_f64;
    for _ in 0..STEPS_MAX {
        let mut next = descend(&gram, &cross, &ahead, (from, to), step);
        next.chunks_mut(to).for_each(project_to_simplex);
        let following = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
        let pull = (momentum - 1.0) / following;
        let mut moved = 0.0_f64;
        for ((a, n), s) in ahead.iter_mut().zip(&next).zip(&shares) {
            *a = n + pull * (n - s);
            moved = moved.max((n - s).abs());
        }
        shares = next;
        momentum = following;
        if moved < STILL {
            break;
        }
    }
    shares
}

/// `XᵀWX` and `XᵀWY` with weights 1 / n².
fn moments(problem: &Problem<'_>) -> (Vec<f64>, Vec<f64>) {
    let (from, to) = (problem.from, problem.to);
    let mut gram = vec![0.0; from * from];
    let mut cross = vec![0.0; from * to];
    for unit in 0..problem.units {
        let (x, y) = (problem.x(unit), problem.y(unit));
        let votes: f64 = x.iter().sum();
        if votes == 0.0 {
            continue;
        }
        let weight = 1.0 / (votes * votes);
        for (i, xi) in x.iter().enumerate() {
            for (cell, xj) in gram[i * from..][..from].iter_mut().zip(x) {
                *cell += weight * xi * xj;
            }
            for (cell, yj) in cross[i * to..][..to].iter_mut().zip(y) {
                *cell += weight * xi * yj;
            }
        }
    }
    (gram, cross)
}

/// The trace: no eigenvalue of a positive semi-definite matrix is larger.
fn largest_eigenvalue_bound(gram: &[f64], from: usize) -> f64 {
    (0..from).map(|i| gram[i * from + i]).sum()
}

/// `B − step · (XᵀWX·B − XᵀWY)`.
fn descend(
    gram: &[f64],
    cross: &[f64],
    at: &[f64],
    (from, to): (usize, usize),
    step: f64,
) -> Vec<f64> {
    let mut next = at.to_vec();
    for i in 0..from {
        for j in 0..to {
            let fitted: f64 = (0..from).map(|l| gram[i * from + l] * at[l * to + j]).sum();
            next[i * to + j] -= step * (fitted - cross[i * to + j]);
        }
    }
    next
}

/// The nearest point with non-negative entries that sum to 1.
fn project_to_simplex(row: &mut [f64]) {
    let mut sorted = row.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut sum = 0.0;
    let mut threshold = 0.0;
    let mut count = 0.0;
    for value in sorted {
        sum += value;
        count += 1.0;
        let candidate = (sum - 1.0) / count;
        if value > candidate {
            threshold = candidate;
        }
    }
    for value in row {
        *value = (*value - threshold).max(0.0);
    }
}
