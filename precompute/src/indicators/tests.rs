mod accounts;
mod properties;

use std::path::Path;

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

/// Evaluates the block over a file; `meant` is SQL that mentions columns elsewhere.
fn run_file(csv: &str, block: &str, meant: &str) -> Result<Outcome, InputError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, csv).unwrap();
    let table = crate::project::Table {
        name: "t".into(),
        path,
        text: vec!["code".into()],
        ..Default::default()
    };
    let project = Project::parse(&format!("{LAYER}{block}"), Path::new("test.toml"), &|_| {
        None
    })?;
    let mentions = Mentions::of(project.sql().chain([meant])).and_sums(project.sums());
    let mut engine = Engine::new("test.toml", mentions)?;
    engine.load_table(&table)?;
    let layer = &project.layers[0];
    let levels = join_levels(&["01a", "01b", "02a"]);
    let (report, columns, _) = evaluate(&mut engine, layer, &levels, 0, &layer.indicators[0])?;
    Ok(Outcome { report, columns })
}

#[test]
fn plain_sums_are_those_of_sql() {
    let csv = "code,a,b,name\n01a,1,0.1,x\n02a,,0.2,y\n01b,3,,x\n01a,4,0.3,z\n,7,7,x\n09z,9,9,x\n01q,5,0.7,\n";
    let block = r#"
        [layer.indicators.columns]
        n = { sql = "sum(a)" }
        real = { sql = "SUM( B )" }
        least = { sql = "min(name)" }
    "#;
    let plain = run_file(csv, block, "").unwrap();
    let by_sql = run_file(csv, block, "a + b").unwrap();
    assert_eq!(values(&plain, 0, "n"), ["5", "3", "-"]);
    assert_eq!(values(&plain, 0, "real"), ["0.4", "-", "0.2"]);
    // With the key that has no unit of its own.
    assert_eq!(values(&plain, 1, "n"), ["13", "-"]);
    for (up, (a, b)) in plain
        .columns
        .levels
        .iter()
        .zip(&by_sql.columns.levels)
        .enumerate()
    {
        assert_eq!(format!("{a:?}"), format!("{b:?}"), "level {up}");
    }
    assert_eq!(plain.columns.indicators, by_sql.columns.indicators);
    assert_eq!(
        format!("{:?}", plain.report),
        format!("{:?}", by_sql.report)
    );
}

#[test]
fn what_is_wrong_with_a_plain_sum_is_said_as_of_sql() {
    let sum =
        |column: &str| format!("[layer.indicators.columns]\nn = {{ sql = \"sum({column})\" }}");
    let many = format!("code,a\n{}", "01a,9007199254740991\n".repeat(1_100));
    for (csv, column, says) in [
        (&*many, "a", "beyond 2^63"),
        ("code,a\n01a,x\n", "a", "is text"),
        ("code,a\n01a,1\n", "b", "no such column: b"),
        ("code,order\n01a,1\n", "order", "syntax error"),
    ] {
        let said = |meant: &str| {
            run_file(csv, &sum(column), meant)
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        let plain = said("");
        assert!(plain.contains(says), "{plain}");
        assert!(said("a + b").contains(says), "{}", said("a + b"));
        assert!(plain.contains("layer layer, indicators 1"), "{plain}");
    }
}

#[test]
fn a_weight_is_not_negative() {
    let rows = [
        ("01a", Some(10.0), None, None),
        ("01b", Some(-4.0), None, None),
        ("", Some(-3.0), None, None),
    ];
    let block = "weight = \"sum(a)\"\n[layer.indicators.columns]\nn = { sql = \"count(*)\" }";
    let error = |rows: &[Row<'_>]| {
        let refused = try_run(&["01a", "01b"], rows, block).map(|_| ());
        refused.expect_err("negative").to_string()
    };
    let of_key = error(&rows[..2]);
    assert!(of_key.contains("key \"01b\" weighs -4: make"), "{of_key}");
    let of_none = error(&[rows[0], rows[2]]);
    assert!(of_none.contains("rows without a key weigh -3"), "{of_none}");
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
           columns = { a = { sql = "sum(a)" }, none = { sql = "sum(a) filter (where a > 1e9)" } }"#,
    );
    assert_eq!(outcome.report.without_value, ["none"]);
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
