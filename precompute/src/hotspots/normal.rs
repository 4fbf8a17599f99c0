//! Tails of the normal distribution.

use std::f64::consts::{PI, SQRT_2};

/// The chance of a deviation as large as `z`, either way.
pub(super) fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

/// 2/√π ∫ₓ^∞ e^(−t²) dt for x ≥ 0, by series near zero and by continued fraction in the tail
/// (Abramowitz & Stegun 7.1.6 and 7.1.14).
fn erfc(x: f64) -> f64 {
    let bell = (-x * x).exp();
    if x < 2.0 {
        let mut term = x;
        let mut sum = x;
        let mut odd = 1.0;
        while term > 1e-17 * sum {
            odd += 2.0;
            term *= 2.0 * x * x / odd;
            sum += term;
        }
        return 1.0 - 2.0 / PI.sqrt() * bell * sum;
    }
    let fraction = (1..=100)
        .rev()
        .fold(0.0, |below, k| f64::from(k) / 2.0 / (x + below));
    bell / PI.sqrt() / (x + fraction)
}

#[cfg(test)]
mod tests {
    use super::two_sided;

    #[test]
    fn tails_are_those_of_tables() {
        for (z, p) in [
            (0.0, 1.0),
            (1.0, 0.317_310_507_862_914_1),
            (-1.959_963_984_540_054, 0.05),
            (2.9, 0.003_731_626_600_768_075),
            (6.0, 1.973_175_290_075_389e-9),
            (40.0, 0.0),
        ] {
            let found = two_sided(z);
            assert!((found - p).abs() <= 1e-12 * p + 1e-300, "{z}: {found}");
        }
    }
}
