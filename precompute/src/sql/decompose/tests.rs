use proptest::prelude::*;

use super::*;
use crate::sql::{Engine, Mentions};
use crate::value::Value;

/// Formula with aggregates numbered, and the aggregates.
fn parts(sql: &str) -> Option<(String, Vec<String>)> {
    let decomposed = decompose(sql)?;
    let mut count = 0;
    let recompute = decomposed.named(|_| {
        count += 1;
        count.to_string()
    });
    let aggregates = decomposed.aggregates.into_iter().map(|a| a.sql).collect();
    Some((recompute.formula, aggregates))
}

fn check(sql: &str, formula: &str, aggregates: &[&str]) {
    let (found, of) = parts(sql).expect(sql);
    assert_eq!(found, formula, "{sql}");
    assert_eq!(of, aggregates, "{sql}");
}

#[test]
fn additive_aggregates_are_taken_apart() {
    check(
        "sum(votants) / sum(inscrits)",
        r#""1" / "2""#,
        &["sum(votants)", "sum(inscrits)"],
    );
    check("SUM( Votants )", r#""1""#, &["sum(votants)"]);
    check("count(*)", r#""1""#, &["count(*)"]);
    check(
        "100.0 * (sum(a) - sum(b)) / sum(a)",
        r#"100.0 * ( "1" - "2" ) / "1""#,
        &["sum(a)", "sum(b)"],
    );
    check(
        "sum(voix) filter (where nom like '%MACRON%') / sum(voix)",
        r#""1" / "2""#,
        &["sum(voix) filter (where nom like '%MACRON%')", "sum(voix)"],
    );
    check(
        "avg(t.\"A b\")",
        r#"( "1" / "2" )"#,
        &["sum(t.\"A b\")", "count(t.\"A b\")"],
    );
    check(
        "sum(a) / nullif(sum(b), 0)",
        r#""1" / ( "2" )"#,
        &["sum(a)", "sum(b)"],
    );
    check(
        "cast(sum(a) as real) / count(b)",
        r#"( "1" ) / "2""#,
        &["sum(a)", "count(b)"],
    );
    check(
        "max(sum(a), sum(b)) - min(c)",
        r#"max ( "1" , "2" ) - "3""#,
        &["sum(a)", "sum(b)", "min(c)"],
    );
    check(
        "coalesce(sum(case when a > 1 then b end), 0)",
        r#"coalesce ( "1" , 0 )"#,
        &["sum(case when a > 1 then b end)"],
    );
    let combine = decompose("max(a) + min(a) + sum(a)").unwrap();
    let combine: Vec<Combine> = combine.aggregates.iter().map(|a| a.combine).collect();
    assert_eq!(combine, [Combine::Max, Combine::Min, Combine::Sum]);
}

#[test]
fn what_does_not_add_up_is_left_whole() {
    for sql in [
        "median(a)",
        "quantile(a, 0.5)",
        "count(distinct a)",
        "sum(distinct a)",
        "group_concat(a)",
        "sum(a) over ()",
        "sum(a) / b",
        "a",
        "1",
        "case when sum(a) > 1 then 1 end",
        "sum(a) > 1",
        "round(sum(a) / sum(b), 2)",
        "sum((select a from b))",
        "(select sum(a) from b)",
        "cast(sum(a) as int) / 100",
        "sum(a) % 2",
        "sum(a) || ''",
        "nullif(sum(a), 1) / nullif(1, 1",
        "0x10 * sum(a)",
        "sum(a",
        "",
    ] {
        assert_eq!(parts(sql), None, "{sql}");
    }
}

/// Rows of `t (unit, a, b)`.
fn engine(rows: &[(u8, Option<i8>, i8)]) -> Engine {
    let mut engine = Engine::new("test", Mentions::everything()).unwrap();
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|(unit, a, b)| {
            let a = a.map_or(Value::Null, |a| Value::Number(f64::from(a)));
            vec![
                Value::Number(f64::from(*unit)),
                a,
                Value::Number(f64::from(*b)),
            ]
        })
        .collect();
    let columns = ["unit", "a", "b"].map(str::to_owned);
    engine
        .load_relation("t", &columns, rows.iter().map(Vec::as_slice))
        .unwrap();
    engine
}

fn combined(values: impl Iterator<Item = f64>, combine: Combine) -> Value {
    let reduced = values.reduce(match combine {
        Combine::Sum => |x, y| x + y,
        Combine::Min => f64::min,
        Combine::Max => f64::max,
    });
    reduced.map_or(Value::Null, Value::Number)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn parts_of_units_make_the_figure_of_the_whole(
        rows in prop::collection::vec((0..4_u8, prop::option::of(-9..9_i8), -9..9_i8), 1..25),
        sql in prop::sample::select(vec![
            "sum(a) / sum(b)",
            "avg(a) + count(*) / 2",
            "max(a) - min(b) * 3",
            "sum(a) filter (where b > 0) / nullif(count(a), 0)",
            "coalesce(sum(a), -1) / total(b)",
            "max(sum(a), sum(b)) / abs(sum(b) - 1)",
            "-sum(a) - -(sum(b) - sum(a))",
        ]),
    ) {
        let mut engine = engine(&rows);
        let whole = engine.query(&format!("select {sql} from t"), "whole").unwrap();
        let decomposed = decompose(sql).unwrap();
        let columns: Vec<&str> = decomposed.aggregates.iter().map(|a| a.sql.as_str()).collect();
        let query = format!("select {} from t group by unit", columns.join(", "));
        let units = engine.query(&query, "units").unwrap().rows;
        let combine = |(i, aggregate): (usize, &AdditiveAggregate)| {
            let values = units.iter().filter_map(|unit| match unit[i] {
                Value::Number(number) => Some(number),
                _ => None,
            });
            combined(values, aggregate.combine)
        };
        let row: Vec<Value> = decomposed.aggregates.iter().enumerate().map(combine).collect();
        let mut names = (0..).map(|i| format!("c{i}"));
        let recompute = decomposed.named(|_| names.next().unwrap());
        let names: Vec<String> = recompute.components.iter().map(|c| c.column.clone()).collect();
        engine.load_relation("parts", &names, std::iter::once(row.as_slice())).unwrap();
        let formula = format!("select {} from parts", recompute.formula);
        let found = engine.query(&formula, "formula").unwrap();
        prop_assert_eq!(found.rows, whole.rows);
    }
}
