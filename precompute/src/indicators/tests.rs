use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use tilecore::dataset::columns::Column;

use super::*;
use crate::project::Project;
use crate::report::{Figure, Side};
use crate::sql::Mentions;

/// A layer of two levels: `unit` has its parent in the first two characters of its key.
const LAYER: &str = r#"
    [dataset]
    name = "test"
    [[layer]]
    name = "layer"
    [[layer.level]]
    name = "unit"
    polygons = { path = "x.geojson" }
    key = "code"
    parent = "substr(key, 1, 2)"
    zooms = [8, 14]
    [[layer.level]]
    name = "region"
    dissolve = "unit"
    zooms = [0, 7]
    [[layer.indicators]]
    from = "t"
    key = "code"
"#;

/// A row of the table `t`: code, a, b, name.
type Row<'a> = (&'a str, Option<f64>, Option<f64>, Option<&'a str>);

struct Outcome {
    report: JoinReport,
    columns: BlockColumns,
}

fn join_levels(units: &[&str]) -> Vec<JoinLevel> {
    let level = |keys: Vec<String>, parent_len: Option<usize>| {
        let mut units = Units::default();
        units.parents = keys
            .iter()
            .map(|key| parent_len.map(|n| key.chars().take(n).collect()))
            .collect();
        units.names.clone_from(&keys);
        units.keys = keys;
        JoinLevel::new(units)
    };
    let mut keys: Vec<String> = units.iter().map(|key| (*key).to_owned()).collect();
    keys.sort();
    let mut regions: Vec<String> = keys
        .iter()
        .map(|key| key.chars().take(2).collect())
        .collect();
    regions.sort();
    regions.dedup();
    vec![level(keys, Some(2)), level(regions, None)]
}

fn number(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::Number)
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |text| Value::Text(text.into()))
}

/// Evaluates the block `LAYER` + `block` over the rows.
fn try_run(units: &[&str], rows: &[Row<'_>], block: &str) -> Result<Outcome, InputError> {
    let project = Project::parse(&format!("{LAYER}{block}"), Path::new("test.toml"), &|_| {
        None
    })?;
    let mut engine = Engine::new("test.toml", Mentions::everything())?;
    let columns: Vec<String> = ["code", "a", "b", "name"].map(ToOwned::to_owned).into();
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|(code, a, b, name)| {
            let code = if code.is_empty() { None } else { Some(*code) };
            vec![text(code), number(*a), number(*b), text(*name)]
        })
        .collect();
    engine.load_relation("t", &columns, rows.iter().map(Vec::as_slice))?;
    let layer = &project.layers[0];
    let levels = join_levels(units);
    let (report, columns, _) = evaluate(&mut engine, layer, &levels, 0, &layer.indicators[0])?;
    Ok(Outcome { report, columns })
}

fn run(units: &[&str], rows: &[Row<'_>], block: &str) -> Outcome {
    try_run(units, rows, block).unwrap()
}

/// The values of a column `up` levels above, as text.
fn values(outcome: &Outcome, up: usize, name: &str) -> Vec<String> {
    let (_, column) = outcome.columns.levels[up]
        .iter()
        .find(|(column, _)| column == name)
        .unwrap_or_else(|| panic!("no column {name}"));
    (0..column.len())
        .map(|row| match column {
            Column::Number(numbers) => numbers.get(row).map(|v| v.to_string()),
            Column::Text(texts) => texts.get(row).map(ToOwned::to_owned),
        })
        .map(|value| value.unwrap_or_else(|| "-".to_owned()))
        .collect()
}

fn row(code: &str, a: f64, b: f64) -> Row<'_> {
    (code, Some(a), Some(b), None)
}

#[test]
fn a_rate_of_a_coarser_level_follows_from_counts() {
    let outcome = run(
        &["aa1", "aa2", "bb1"],
        &[
            row("aa1", 10.0, 100.0),
            row("aa2", 30.0, 40.0),
            row("bb1", 1.0, 0.0),
        ],
        r#"columns = { rate = { sql = "sum(a) / sum(b)" }, n = { sql = "count(*)" } }"#,
    );
    assert_eq!(values(&outcome, 0, "rate"), ["0.1", "0.75", "-"]);
    assert_eq!(
        values(&outcome, 1, "rate"),
        [(40.0 / 140.0).to_string(), "-".to_owned()]
    );
    assert_eq!(values(&outcome, 1, "n"), ["2", "1"]);
}

#[test]
fn missing_stays_missing_and_text_stays_text() {
    let outcome = run(
        &["aa1", "aa2", "aa3"],
        &[
            ("aa1", None, Some(0.0), Some("x")),
            ("aa2", Some(2.0), None, None),
        ],
        r#"columns = { a = { sql = "sum(a)" }, b = { sql = "sum(b)" }, w = { sql = "max(name)" } }"#,
    );
    assert_eq!(values(&outcome, 0, "a"), ["-", "2", "-"]);
    assert_eq!(values(&outcome, 0, "b"), ["0", "-", "-"]);
    assert_eq!(values(&outcome, 0, "w"), ["x", "-", "-"]);
    assert_eq!(values(&outcome, 1, "a"), ["2"]);
    let error = try_run(
        &["aa1", "aa2"],
        &[
            ("aa1", Some(1.0), None, None),
            ("aa2", None, None, Some("x")),
        ],
        r#"columns = { a = { sql = "coalesce(max(name), sum(a))" } }"#,
    );
    assert!(
        error
            .err()
            .unwrap()
            .to_string()
            .contains("indicator a is text")
    );
}

#[test]
fn rows_without_a_unit_count_above() {
    let outcome = run(
        &["aa1", "bb1"],
        &[
            row("aa1", 1.0, 1.0),
            row("aa9", 10.0, 1.0),
            row("zz1", 100.0, 1.0),
            row("", 1.0, 5.0),
        ],
        r#"weight = "sum(a)"
           columns = { a = { sql = "sum(a)" } }"#,
    );
    assert_eq!(values(&outcome, 0, "a"), ["1", "-"]);
    assert_eq!(values(&outcome, 1, "a"), ["11", "-"]);
    let report = outcome.report;
    assert_eq!((report.rows, report.keys, report.matched), (4, 4, 1));
    assert_eq!((report.left_only, report.right_only), (1, 3));
    assert_eq!(report.included_above["region"].keys, 1);
    assert_eq!(report.included_above["region"].weight, Some(Figure(10.0)));
    let weight = report.weight.unwrap();
    assert_eq!(
        (weight.matched, weight.right_only),
        (Figure(1.0), Figure(111.0))
    );
    // `zz1` is outside the layer, `aa9` and the row without a key are not.
    assert!((report.match_share - 1.0 / 12.0).abs() < 1e-15);
    let reasons: Vec<(&str, u64)> = report
        .orphan_reasons
        .iter()
        .map(|(r, n)| (&**r, *n))
        .collect();
    assert_eq!(
        reasons,
        [
            ("key_missing", 1),
            ("outside_layer", 1),
            ("outside_table", 1),
            ("unexplained", 1)
        ]
    );
    let left: Vec<_> = report
        .orphans
        .iter()
        .filter(|o| o.side == Side::Left)
        .collect();
    assert_eq!(left[0].key.as_deref(), Some("bb1"));
}

#[test]
fn the_project_file_may_explain() {
    let outcome = run(
        &["aa1", "aa2", "aa3"],
        &[
            row("aa1", 1.0, 1.0),
            row("aa8", 1.0, 1.0),
            row("aa9", 1.0, 1.0),
        ],
        r#"explain = { closed = "key in ('aa2', 'aa9')", later = "key > 'aa3'" }
           columns = { a = { sql = "sum(a)" } }"#,
    );
    let reasons = &outcome.report.orphan_reasons;
    assert_eq!(reasons["closed"], 2);
    assert_eq!(reasons["later"], 1);
    assert_eq!(reasons["unexplained"], 1);
}

#[test]
fn aliases_are_counted_and_must_lead_somewhere() {
    let outcome = run(
        &["aa1"],
        &[row("AA-1", 4.0, 1.0)],
        r#"aliases = { "AA-1" = "aa1" }
           columns = { a = { sql = "sum(a)" } }"#,
    );
    assert_eq!(values(&outcome, 0, "a"), ["4"]);
    assert_eq!(outcome.report.rules["alias"], 1);
    assert_eq!(outcome.report.aliases[0].key, "AA-1");
    let error = try_run(
        &["aa1"],
        &[],
        r#"aliases = { "AA-1" = "aa2" }
           columns = { a = { sql = "sum(a)" } }"#,
    );
    assert!(error.err().unwrap().to_string().contains("no such unit"));
}

#[test]
fn hidden_columns_hold_each_aggregate_once() {
    let outcome = run(
        &["aa1"],
        &[row("aa1", 1.0, 4.0)],
        r#"weight = "sum(b)"
           [layer.indicators.columns]
           rate = { sql = "sum(a) / sum(B)" }
           a = { sql = "sum( a )" }
           share = { sql = "sum(a) / count(*)" }
           middle = { sql = "median(a)" }"#,
    );
    let names: Vec<&str> = outcome
        .columns
        .indicators
        .iter()
        .map(|i| &*i.name)
        .collect();
    assert_eq!(
        names,
        ["rate", "a", "share", "middle", "~1:sum(b)", "~1:count(*)"]
    );
    let recompute = outcome.columns.indicators[0].recompute.as_ref().unwrap();
    assert_eq!(recompute.formula, "\"a\" / \"~1:sum(b)\"");
    assert!(outcome.columns.indicators[3].recompute.is_none());
    assert!(outcome.columns.indicators[4].hidden);
    assert_eq!(values(&outcome, 1, "~1:sum(b)"), ["4"]);
}

#[test]
fn a_column_at_fault_is_named() {
    let error = try_run(
        &["aa1"],
        &[row("aa1", 1.0, 4.0)],
        r#"columns = { a = { sql = "sum(a)" }, broken = { sql = "sum(c)" } }"#,
    );
    let message = error.err().unwrap().to_string();
    assert!(message.contains("columns.broken"), "{message}");
}

#[test]
fn a_block_of_a_coarser_level_exists_there_only() {
    let outcome = run(
        &["aa1", "bb1"],
        &[row("bb", 3.0, 4.0)],
        r#"level = "region"
           columns = { a = { sql = "sum(a)" } }"#,
    );
    assert_eq!(outcome.columns.levels.len(), 1);
    assert_eq!(values(&outcome, 0, "a"), ["-", "3"]);
}

/// Identities of an election relation: code, inscrits, votants, exprimes, blancs, nuls, voix.
fn election_identities(rows: &[(&str, [f64; 6])], block: &str) -> Vec<(String, u64, u64, u64)> {
    let text = format!("{LAYER}{block}").replace("from = \"t\"", "from = \"e\"");
    let project = Project::parse(&text, Path::new("test.toml"), &|_| None).unwrap();
    let mut engine = Engine::new("test.toml", Mentions::everything()).unwrap();
    let columns: Vec<String> = [
        "code",
        "Inscrits",
        "votants",
        "Exprimés",
        "blancs",
        "nuls",
        "voix",
    ]
    .map(ToOwned::to_owned)
    .into();
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|(code, figures)| {
            let figure = |v: &f64| number(Some(*v).filter(|v| *v >= 0.0));
            std::iter::once(self::text(Some(code)))
                .chain(figures.iter().map(figure))
                .collect()
        })
        .collect();
    engine
        .load_relation("e", &columns, rows.iter().map(Vec::as_slice))
        .unwrap();
    let block = &project.layers[0].indicators[0];
    identities::check(&engine, block, "test")
        .unwrap()
        .into_iter()
        .map(|r| (r.identity, r.holds, r.fails, r.skipped))
        .collect()
}

#[test]
fn conventional_identities() {
    let found = election_identities(
        &[
            ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 30.0]),
            ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 40.0]),
            ("b", [50.0, 60.0, 60.0, -1.0, 0.0, 60.0]),
            ("c", [10.0, 8.0, 8.0, 1.0, 0.0, 7.0]),
        ],
        r#"columns = { a = { sql = "max(Inscrits)" } }"#,
    );
    assert_eq!(
        found,
        [
            ("inscrits >= votants".to_owned(), 2, 1, 0),
            ("votants = exprimes + blancs + nuls".to_owned(), 1, 1, 1),
            ("sum(voix) = exprimes".to_owned(), 2, 1, 0),
        ]
    );
}

#[test]
fn summing_what_a_join_repeats_is_caught() {
    let rows = [
        ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 30.0]),
        ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 40.0]),
    ];
    let found = election_identities(&rows, r#"columns = { e = { sql = "sum(\"Exprimés\")" } }"#);
    let voix = found
        .iter()
        .find(|(identity, ..)| identity.contains("voix"))
        .unwrap();
    assert_eq!((voix.1, voix.2), (0, 1));
}

#[test]
fn stated_identities_are_over_rows_or_over_sums() {
    let rows = [
        ("a", [100.0, 80.0, 70.0, 6.0, 4.0, 1.0]),
        ("a", [50.0, 80.0, 70.0, 6.0, 4.0, 1.0]),
        ("b", [50.0, 40.0, -1.0, 6.0, 4.0, 1.0]),
    ];
    let found = election_identities(
        &rows,
        r#"identities = ["votants <= Inscrits", "sum(votants) <= sum(Inscrits)", "exprimés > 0"]
           columns = { a = { sql = "max(votants)" } }"#,
    );
    let stated = &found[found.len() - 3..];
    assert_eq!((stated[0].1, stated[0].2, stated[0].3), (1, 1, 0));
    assert_eq!((stated[1].1, stated[1].2, stated[1].3), (1, 1, 0));
}

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
