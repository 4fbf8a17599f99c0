use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn upper(method: Method, k: usize, values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Breaks::of(method, k, &sorted).upper().to_vec()
}

/// Squared deviations from the means of the classes, in two passes.
fn squares(values: &[f64], upper: &[f64]) -> f64 {
    let class = |value: f64| upper.partition_point(|limit| *limit < value);
    (0..upper.len())
        .map(|c| {
            let held: Vec<f64> = values.iter().copied().filter(|v| class(*v) == c).collect();
            let mean = held.iter().sum::<f64>() / real(held.len());
            held.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
        })
        .sum()
}

/// `SplitMix64`, as in `fixtures/make.py`.
fn dice(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn fixture_values(seed: u64) -> Vec<f64> {
    let mut state = seed;
    let count = 60 + dice(&mut state) % 200;
    (0..count)
        .map(|_| {
            let whole = u32::try_from(dice(&mut state) % 100_000).expect("small");
            match seed % 4 {
                0 => f64::from(whole),
                1 => f64::from(whole) / 100_000.0,
                2 => 1.0 / f64::from(whole + 1),
                _ => f64::from(whole % 25),
            }
        })
        .collect()
}

fn close(a: &[f64], b: &[f64]) -> bool {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    a.len() == b.len() && a.iter().zip(b).all(near)
}

#[test]
fn as_mapclassify_or_better() {
    let sets: Vec<Value> =
        serde_json::from_str(include_str!("fixtures/mapclassify.json")).expect("JSON");
    assert_eq!(sets.len(), 200);
    for set in &sets {
        let values = fixture_values(set["seed"].as_u64().expect("a seed"));
        let real = |name: &str| set[name].as_f64().expect("a number");
        let limits = |name: &str| -> Vec<f64> {
            let list = set[name].as_array().expect("a list");
            list.iter().filter_map(Value::as_f64).collect()
        };
        assert!((values.iter().sum::<f64>() - real("sum")).abs() <= 1e-9 * real("sum"));
        let k = usize::try_from(set["k"].as_u64().expect("k")).expect("small");

        let jenks = upper(Method::Jenks, k, &values);
        assert_eq!(jenks.len(), k);
        assert!(
            squares(&values, &jenks) <= real("squares") * (1.0 + 1e-12),
            "{set}"
        );

        assert!(
            close(&upper(Method::Equal, k, &values), &limits("equal")),
            "{set}"
        );
        assert!(
            close(&upper(Method::HeadTail, k, &values), &limits("headtail")),
            "{set}"
        );
        let (min, max) = values
            .iter()
            .fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        let mut expected = limits("stddev");
        expected.retain(|limit| (min..max).contains(limit));
        expected.push(max);
        assert!(
            close(&upper(Method::StdDev, 5, &values), &expected),
            "{set}"
        );
        if set["seed"].as_u64().is_some_and(|seed| seed % 4 < 2) {
            assert!(
                close(&upper(Method::Quantile, k, &values), &limits("quantile")),
                "{set}"
            );
        }
    }
}

#[test]
fn pretty_as_r() {
    // R 4.2: pretty(values, n)[-1]
    for (values, n, expected) in [
        (&[0.0, 10.0][..], 5, &[2.0, 4.0, 6.0, 8.0, 10.0][..]),
        (&[1.0, 10.0], 5, &[2.0, 4.0, 6.0, 8.0, 10.0]),
        (&[0.0, 97.0], 5, &[20.0, 40.0, 60.0, 80.0, 100.0]),
        (&[0.1234, 0.877], 5, &[0.2, 0.4, 0.6, 0.8, 1.0]),
        (&[-1.0, 1.0], 5, &[-0.5, 0.0, 0.5, 1.0]),
        (
            &[1234.0, 56789.0],
            5,
            &[10_000.0, 20_000.0, 30_000.0, 40_000.0, 50_000.0, 60_000.0],
        ),
    ] {
        let many: Vec<f64> = (0..=100)
            .map(|i| values[0] + (values[1] - values[0]) * f64::from(i) / 100.0)
            .collect();
        assert_eq!(upper(Method::Pretty, n, &many), expected);
    }
}

#[test]
fn pretty_of_the_smallest_and_the_greatest_numbers() {
    let tiny = f64::from_bits(1);
    for (values, k) in [
        ([0.0, tiny], 5),
        ([-tiny, 2.0 * tiny], 7),
        ([0.0, 1e-310], 3),
        ([1e-308, 3e-308], 12),
        ([-f64::MAX, f64::MAX], 5),
        ([0.0, f64::MAX], 1),
        ([-f64::MAX, -tiny], 9),
    ] {
        let limits = upper(Method::Pretty, k, &values);
        assert!((1..=30).contains(&limits.len()), "{values:?}: {limits:?}");
        assert!(limits.last() >= Some(&values[1]), "{values:?}: {limits:?}");
    }
}

#[test]
fn few_values() {
    for method in Method::ALL {
        assert_eq!(Breaks::of(method, 5, &[]).k(), 0);
        assert_eq!(Breaks::of(method, 5, &[]).classify(1.0), None);
        assert_eq!(upper(method, 5, &[3.0; 4]), [3.0]);
        assert_eq!(upper(method, 1, &[1.0, 2.0]), [2.0]);
        assert_eq!(upper(method, 0, &[1.0, 2.0]), [2.0]);
        let two = Breaks::of(method, 5, &[1.0, 1.0, 2.0]);
        assert_eq!(two.requested(), 5, "{method:?}");
        assert!(
            two.k() <= 2 || method == Method::Pretty,
            "{method:?} {two:?}"
        );
    }
    assert_eq!(
        upper(Method::Jenks, 5, &[1.0, 1.0, 2.0, 9.0]),
        [1.0, 2.0, 9.0]
    );
    assert_eq!(
        upper(Method::Quantile, 4, &[1.0, 1.0, 1.0, 10.0]),
        [1.0, 10.0]
    );
}

#[test]
fn classes_hold_their_upper_limit() {
    let breaks = Breaks::of(Method::Equal, 2, &[0.0, 1.0, 2.0, 4.0]);
    let classes = [0.0, 2.0, 2.1, 4.0, 5.0, -1.0, f64::NAN].map(|v| breaks.classify(v));
    assert_eq!(
        classes,
        [Some(0), Some(0), Some(1), Some(1), Some(1), Some(0), None]
    );
}

/// The least squares of all ways to cut the distinct values.
fn least_squares(values: &[f64], distinct: &[f64], k: usize) -> f64 {
    fn cuts(values: &[f64], distinct: &[f64], k: usize, upper: &mut Vec<f64>, best: &mut f64) {
        if k == 1 {
            upper.push(distinct[distinct.len() - 1]);
            *best = best.min(squares(values, upper));
            upper.pop();
            return;
        }
        for end in 1..=distinct.len() + 1 - k {
            upper.push(distinct[end - 1]);
            cuts(values, &distinct[end..], k - 1, upper, best);
            upper.pop();
        }
    }
    let mut best = f64::MAX;
    cuts(values, distinct, k, &mut Vec::new(), &mut best);
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn jenks_is_the_optimum(
        wholes in proptest::collection::vec(-40_i32..40, 1..14),
        k in 1_usize..6,
        scale in prop::sample::select(vec![1.0, 1e-9, 1e9, 1.0 / 3.0]),
        shift in prop::sample::select(vec![0.0, 1e6]),
    ) {
        let mut values: Vec<f64> = wholes.iter().map(|v| (f64::from(*v) + shift) * scale).collect();
        values.sort_unstable_by(f64::total_cmp);
        let mut distinct = values.clone();
        distinct.dedup();
        let found = upper(Method::Jenks, k, &values);
        prop_assert_eq!(found.len(), k.min(distinct.len()));
        let best = least_squares(&values, &distinct, k.min(distinct.len()));
        let slack = 1e-9 * best + 1e-15 * scale * scale * (1.0 + shift);
        prop_assert!(squares(&values, &found) <= best + slack, "{found:?}");
    }

    #[test]
    fn classes_cover_any_values(
        values in proptest::collection::vec(
            prop_oneof![any::<f64>().prop_filter("finite", |v| v.is_finite()), (-3_i32..3).prop_map(f64::from)],
            1..60,
        ),
        k in 0_usize..12,
    ) {
        let mut sorted = values;
        sorted.sort_unstable_by(f64::total_cmp);
        for method in Method::ALL {
            let breaks = Breaks::of(method, k, &sorted);
            prop_assert!(breaks.upper().is_sorted_by(|a, b| a < b), "{breaks:?}");
            prop_assert!(breaks.upper().iter().all(|u| u.is_finite()), "{breaks:?}");
            prop_assert!(breaks.upper().last() >= sorted.last());
            let mut counts = vec![0; breaks.k()];
            for value in &sorted {
                let class = breaks.classify(*value).expect("a class");
                prop_assert!(*value <= breaks.upper()[class]);
                counts[class] += 1;
            }
            if matches!(method, Method::Quantile | Method::Jenks | Method::HeadTail) {
                prop_assert!(counts.iter().all(|c| *c > 0), "{breaks:?}");
            }
        }
    }
}
