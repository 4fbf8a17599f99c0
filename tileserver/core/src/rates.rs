//! Rates of small areas, which chance makes extreme.

/// Rates shrunk towards the rate of all, the more the smaller their base (Marshall 1991).
/// A unit without events or with a base of zero has none.
#[must_use]
pub fn empirical_bayes(events: &[f64], base: &[f64]) -> Vec<Option<f64>> {
    let is_known = |(e, b): &(&f64, &f64)| !e.is_nan() && **b > 0.0;
    let known: Vec<(f64, f64)> = events
        .iter()
        .zip(base)
        .filter(is_known)
        .map(|(e, b)| (*e, *b))
        .collect();
    let total: f64 = known.iter().map(|(_, b)| b).sum();
    let mean = known.iter().map(|(e, _)| e).sum::<f64>() / total;
    let spread: f64 = known.iter().map(|(e, b)| b * (e / b - mean).powi(2)).sum();
    // Less spread than chance alone makes: nothing tells the units apart.
    let between = (spread / total - mean / (total / count(known.len()))).max(0.0);
    let shrunk = |(e, b): (&f64, &f64)| {
        let chance = mean / b;
        if between + chance == 0.0 {
            return mean;
        }
        let weight = between / (between + chance);
        weight * e / b + (1.0 - weight) * mean
    };
    events
        .iter()
        .zip(base)
        .map(|pair| is_known(&pair).then(|| shrunk(pair)))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "areas are far fewer than 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empirical_bayes_is_esda_s() {
        let found = empirical_bayes(
            &[3.0, 30.0, 12.0, 0.0, 55.0, 8.0, f64::NAN, 1.0],
            &[12.0, 400.0, 150.0, 40.0, 900.0, 60.0, 10.0, 0.0],
        );
        let expected = [
            0.078_761_459_493_413_8,
            0.072_960_706_371_801_9,
            0.073_621_225_435_512_17,
            0.058_237_199_643_706_57,
            0.062_651_647_410_594_65,
            0.083_218_220_864_965_36,
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found.expect("known") - expected).abs() < 1e-12);
        }
        assert_eq!(found[6..], [None, None]);
        // Equal rates: all are the rate of all.
        assert_eq!(
            empirical_bayes(&[1.0, 2.0], &[10.0, 20.0]),
            [Some(0.1), Some(0.1)]
        );
        assert_eq!(
            empirical_bayes(&[0.0, 0.0], &[10.0, 20.0]),
            [Some(0.0), Some(0.0)]
        );
    }
}
