//! What the margins alone allow, whatever the model (Duncan & Davis 1953).

use super::raking::Problem;

/// Per cell the least and the most votes, summed over units.
pub(super) fn duncan_davis(problem: &Problem<'_>) -> Vec<Vec<[f64; 2]>> {
    let mut bounds = vec![vec![[0.0; 2]; problem.to]; problem.from];
    for unit in 0..problem.units {
        let (x, y) = (problem.x(unit), problem.y(unit));
        let votes: f64 = x.iter().sum();
        for (row, from) in bounds.iter_mut().zip(x) {
            for (cell, to) in row.iter_mut().zip(y) {
                cell[0] += (from + to - votes).max(0.0);
                cell[1] += from.min(*to);
            }
        }
    }
    bounds
}
