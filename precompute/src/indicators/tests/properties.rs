//! Figures of any table, at every level, are those of a plain loop over its rows.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// `a` and `b` of a row.
type Counts = (Option<f64>, Option<f64>);

/// The rows of a table by the key they have at a level: all of it, or its first two characters.
fn by_key<'a>(table: &'a [Row<'_>], up: usize) -> BTreeMap<&'a str, Vec<Counts>> {
    let mut rows: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (code, a, b, _) in table {
        let key = if up == 0 { *code } else { &code[..2] };
        rows.entry(key).or_default().push((*a, *b));
    }
    rows
}

/// The sum of what is there; nothing of nothing.
fn sum_of(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(|a, b| a + b)
}

/// The middle of what is there.
fn median_of(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    let low = *values.get(values.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(low, values[values.len() / 2]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Sums by level equal those of a plain loop, whatever joins and whatever does not; nothing is
    /// lost or counted twice.
    #[test]
    fn sums_equal_a_plain_loop(
        units in proptest::collection::btree_set("[ab][ab][0-5]", 1..12),
        rows in proptest::collection::vec(("[abc][ab][0-6]", proptest::option::of(0_i32..50)), 0..60),
    ) {
        let units: Vec<&str> = units.iter().map(String::as_str).collect();
        let table: Vec<Row<'_>> = rows
            .iter()
            .map(|(code, a)| (code.as_str(), a.map(f64::from), Some(1.0), None))
            .collect();
        let outcome = run(&units, &table, r#"columns = { a = { sql = "sum(a)" }, n = { sql = "count(*)" } }"#);
        for up in 0..2 {
            let levels = join_levels(&units);
            let mut sums: BTreeMap<&str, (Option<f64>, u32)> = BTreeMap::new();
            for (code, a, ..) in &table {
                let key = if up == 0 { *code } else { &code[..2] };
                let sum = sums.entry(key).or_default();
                sum.1 += 1;
                if let Some(a) = a {
                    *sum.0.get_or_insert(0.0) += a;
                }
            }
            let shown = |v: Option<String>| v.unwrap_or_else(|| "-".to_owned());
            let expected: Vec<(String, String)> = levels[up]
                .units
                .keys
                .iter()
                .map(|key| match sums.get(key.as_str()) {
                    Some((a, n)) => (shown(a.map(|a| a.to_string())), n.to_string()),
                    None => ("-".to_owned(), "-".to_owned()),
                })
                .collect();
            let got: Vec<(String, String)> = values(&outcome, up, "a")
                .into_iter()
                .zip(values(&outcome, up, "n"))
                .collect();
            prop_assert_eq!(got, expected);
        }
        let report = &outcome.report;
        prop_assert_eq!(report.rows, table.len() as u64);
        prop_assert_eq!(report.matched + report.right_only, report.keys);
        let reasons: u64 = report.orphan_reasons.values().sum();
        prop_assert_eq!(reasons, report.left_only + report.right_only);
        prop_assert_eq!(report.orphans.len() as u64, reasons);
    }

    /// Whatever the level, a rate is the ratio of its counts, a mean that of the rows and a median
    /// the middle row; where nothing is known nothing is shown, and a zero only where rows say it.
    #[test]
    fn no_mean_of_rates_no_mean_of_medians_no_missing_as_zero(
        units in proptest::collection::btree_set("[ab][ab][0-5]", 1..12),
        rows in proptest::collection::vec(
            ("[ab][ab][0-5]", proptest::option::of(0_i32..40), proptest::option::of(0_i32..90)),
            0..60,
        ),
    ) {
        let units: Vec<&str> = units.iter().map(String::as_str).collect();
        let table: Vec<Row<'_>> = rows
            .iter()
            .map(|(code, a, b)| (code.as_str(), a.map(f64::from), b.map(f64::from), None))
            .collect();
        let outcome = run(
            &units,
            &table,
            r#"columns = { rate = { sql = "sum(a) / sum(b)" }, mean = { sql = "avg(a)" },
                           middle = { sql = "median(a)" }, total = { sql = "sum(a)" } }"#,
        );
        let levels = join_levels(&units);
        for (up, level) in levels.iter().enumerate() {
            let by_key = by_key(&table, up);
            for (row, key) in level.units.keys.iter().enumerate() {
                let rows = by_key.get(key.as_str()).map_or(&[][..], Vec::as_slice);
                let a = || rows.iter().map(|(a, _)| *a);
                let (sum, whole) = (sum_of(a()), sum_of(rows.iter().map(|(_, b)| *b)));
                #[expect(clippy::cast_precision_loss, reason = "some rows")]
                let known = a().flatten().count() as f64;
                let expected = [
                    ("rate", sum.zip(whole).filter(|(_, b)| *b != 0.0).map(|(a, b)| a / b)),
                    ("mean", sum.map(|sum| sum / known)),
                    ("middle", median_of(a())),
                    ("total", sum),
                ];
                for (name, expected) in expected {
                    let found = &values(&outcome, up, name)[row];
                    let close = match (found.as_str(), expected) {
                        ("-", None) => true,
                        ("-", _) | (_, None) => false,
                        (found, Some(expected)) => {
                            let found: f64 = found.parse().expect("a number");
                            (found - expected).abs() <= 1e-12 * expected.abs()
                        }
                    };
                    prop_assert!(close, "{name} of {key}: {found}, expected {expected:?}");
                }
            }
        }
        // A median has no recipe to be put together from parts, a rate has that of its counts.
        let recipe = |name: &str| crate::sql::decompose(name).is_some();
        prop_assert!(!recipe("median(a)") && recipe("sum(a) / sum(b)") && recipe("avg(a)"));
    }
}
