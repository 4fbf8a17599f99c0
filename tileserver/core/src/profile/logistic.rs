//! Logistic regression on counts: so many contacts of so many electors, by iteratively reweighted
//! least squares (Nelder & Wedderburn 1972).

use super::{Segment, Standardised};

const ROUNDS_MAX: usize = 50;

/// Steps below this change no figure.
const STEP_MIN: f64 = 1e-10;

/// Log-odds of an elector being a contact: `intercept + Σ weight · standardised indicator`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    pub intercept: f64,
    /// A deviation more of the indicator multiplies the odds by e to this.
    pub weights: Vec<f64>,
    /// Standard errors of the weights, as if electors were independent.
    pub errors: Vec<f64>,
    /// Areas with more contacts than electors count as if all electors were contacts.
    pub beyond: usize,
}

/// `None` where indicators repeat each other, or the weights have no end: some indicator tells all
/// contacts from all others.
#[must_use]
pub fn fit(segment: &Segment, table: &Standardised) -> Option<Fit> {
    let counts: Vec<(f64, f64)> = table
        .rows
        .iter()
        .filter_map(|row| segment.at(*row))
        .collect();
    let beyond = counts.iter().filter(|(c, e)| c > e).count();
    let width = table.values.first()?.len() + 1;
    let share = counts.iter().map(|(c, e)| c.min(*e)).sum::<f64>()
        / counts.iter().map(|(_, e)| e).sum::<f64>();
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let mut beta = vec![0.0; width];
    beta[0] = (share / (1.0 - share)).ln();
    for _ in 0..ROUNDS_MAX {
        let (information, score) = derivatives(&beta, &counts, table);
        let factor = cholesky(information)?;
        let step = solve(&factor, &score);
        for (beta, step) in beta.iter_mut().zip(&step) {
            *beta += step;
        }
        if beta.iter().any(|b| !b.is_finite() || b.abs() > 50.0) {
            return None;
        }
        if step.iter().all(|step| step.abs() < STEP_MIN) {
            let (information, _) = derivatives(&beta, &counts, table);
            let factor = cholesky(information)?;
            let errors = (1..width).map(|i| {
                let mut unit = vec![0.0; width];
                unit[i] = 1.0;
                solve(&factor, &unit)[i].sqrt()
            });
            return Some(Fit {
                intercept: beta[0],
                errors: errors.collect(),
                weights: beta[1..].to_vec(),
                beyond,
            });
        }
    }
    None
}

type Matrix = Vec<Vec<f64>>;

/// Fisher's information and the score.
fn derivatives(beta: &[f64], counts: &[(f64, f64)], table: &Standardised) -> (Matrix, Vec<f64>) {
    let width = beta.len();
    let mut information = vec![vec![0.0; width]; width];
    let mut score = vec![0.0; width];
    let mut x = vec![1.0; width];
    for ((contacts, electors), values) in counts.iter().zip(&table.values) {
        x[1..].copy_from_slice(values);
        let odds: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
        let p = 1.0 / (1.0 + (-odds).exp());
        let weight = electors * p * (1.0 - p);
        let rest = contacts.min(*electors) - electors * p;
        for i in 0..width {
            score[i] += x[i] * rest;
            for j in 0..=i {
                information[i][j] += weight * x[i] * x[j];
            }
        }
    }
    (information, score)
}

/// The lower factor of a matrix given by its lower half; `None` where it is singular.
fn cholesky(mut a: Matrix) -> Option<Matrix> {
    let scale: Vec<f64> = (0..a.len()).map(|i| a[i][i]).collect();
    for i in 0..a.len() {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - known;
            if i == j {
                // What is left of a column that others make up is rounding.
                if rest.is_nan() || rest <= scale[i] * 1e-10 {
                    return None;
                }
                a[i][i] = rest.sqrt();
            } else {
                a[i][j] = rest / a[j][j];
            }
        }
    }
    Some(a)
}

fn solve(factor: &Matrix, right: &[f64]) -> Vec<f64> {
    let width = right.len();
    let mut x = right.to_vec();
    for i in 0..width {
        let known: f64 = (0..i).map(|k| factor[i][k] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i][i];
    }
    for i in (0..width).rev() {
        let known: f64 = (i + 1..width).map(|k| factor[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i][i];
    }
    x
}
