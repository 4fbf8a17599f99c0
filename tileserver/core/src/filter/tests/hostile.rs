//! Filters made to crash or to cost: refused within their budget.

use proptest::prelude::*;

use super::support::{Town, parse, queryables, rows, texts};
use crate::filter::Filter;

fn refuse(text: &str) {
    assert!(
        Filter::parse_text(text, &queryables()).is_err(),
        "{text:.40}"
    );
    assert!(
        Filter::parse_json(text, &queryables()).is_err(),
        "{text:.40}"
    );
}

#[test]
fn oversized() {
    for n in [33, 101, 1_000, 16_000] {
        refuse(&("(".repeat(n) + "a=1" + &")".repeat(n)));
        refuse(&"(".repeat(n));
        refuse(&("NOT ".repeat(n) + "a=1"));
        refuse(&format!("a={}1", "-".repeat(n)));
        refuse(&format!("a={}1", "1^".repeat(n)));
        refuse(&format!("a={}1{}", "(1+".repeat(n), ")".repeat(n)));
        refuse(&format!("{}s{}='x'", "CASEI(".repeat(n), ")".repeat(n)));
        refuse(&format!("a IN ({}1)", "1,".repeat(n * 31)));
        refuse(&format!("a=1{}", " AND a=1".repeat(n * 16)));
        refuse(&format!("a=1{}", "+b".repeat(n * 16)));
        refuse(&"[".repeat(n));
        refuse(&r#"{"op":"not","args":["#.repeat(n));
        refuse(&(r#"{"op":"not","args":["#.repeat(n) + "true" + &"]}".repeat(n)));
    }
    let ring = vec!["0 0"; 1_001].join(",");
    refuse(&format!("S_INTERSECTS(geometry, POLYGON(({ring})))"));
    refuse(&"x".repeat(1_000_000));
}

#[test]
fn at_the_limits() {
    parse(&("(".repeat(32) + "a=1" + &")".repeat(32)));
    parse(&("NOT ".repeat(31) + "a=1"));
    parse(&format!("a IN ({}1)", "1,".repeat(999)));
    parse(&format!("a=1{}", " OR a=1".repeat(170)));
    // The widest a filter gets: a long value against a list of computed items.
    let value = ["a"; 20].join("+");
    let list = ["b"; 12].join(",");
    let wide = parse(&format!("{value} IN ({list})"));
    assert_eq!(parse(wide.canonical()), wide);
    refuse(&format!(
        "{} IN ({})",
        ["a"; 100].join("+"),
        ["b"; 100].join(",")
    ));
}

#[test]
fn deep_conditions_of_conditions_stay_cheap() {
    let mut nested = "a>0".to_owned();
    for i in 0..25 {
        nested = format!("({nested})=(b>{i})");
    }
    let filter = parse(&format!("({nested}) IS NULL"));
    let town = Town {
        rows: 1000,
        columns: vec![
            ("a", super::support::numbers(&[Some(1.0); 1000])),
            ("b", super::support::numbers(&[Some(1.0); 1000])),
        ],
        shapes: None,
    };
    assert!(rows(&filter, &town).is_empty());
}

#[test]
fn patterns_on_long_texts() {
    let long = "a".repeat(10_000);
    let town = Town {
        rows: 1,
        columns: vec![("s", texts(&[Some(&long)]))],
        shapes: None,
    };
    let passing = |pattern: &str| rows(&parse(&format!("s LIKE '{pattern}'")), &town).len();
    assert_eq!(passing(&"%a".repeat(1_000)), 1);
    assert_eq!(passing(&format!("%{}b", "a%".repeat(1_000))), 0);
    assert_eq!(passing(&"_".repeat(1_000)), 0);
}

#[test]
fn odd_letters() {
    let town = Town {
        rows: 4,
        columns: vec![(
            "s",
            texts(&[Some("Straße"), Some("İz"), Some("ﬁn"), Some("a\u{200d}b")]),
        )],
        shapes: None,
    };
    assert_eq!(rows(&parse("CASEI(s) = CASEI('STRASSE')"), &town), [0]);
    assert_eq!(rows(&parse("CASEI(ACCENTI(s)) = 'iz'"), &town), [1]);
    assert_eq!(rows(&parse("CASEI(s) LIKE CASEI('FI_')"), &town), [2]);
    assert_eq!(rows(&parse("s LIKE 'a_b'"), &town), [3]);
}

/// What parses keeps its meaning in its canonical text.
fn stable(text: &str) {
    for read in [Filter::parse_text, Filter::parse_json] {
        if let Ok(filter) = read(text, &queryables()) {
            let again = Filter::parse_text(filter.canonical(), &queryables());
            assert_eq!(again.as_ref(), Ok(&filter), "{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_text(text in "\\PC{0,60}") {
        stable(&text);
    }

    #[test]
    fn any_tokens(tokens in proptest::collection::vec(
        proptest::sample::select(vec![
            "a", "b", "s", "t", "id", "geometry", "1", "0", "-", "+", "*", "/", "%", "^", " DIV ", "(", ")",
            ",", "=", "<", ">", "<>", ">=", " AND ", " OR ", " NOT ", " IN ", " LIKE ", " BETWEEN ", " IS ",
            " NULL ", " TRUE ", "CASEI(", "ACCENTI(", "'x'", "'%'", "''", "\"a\"", "BBOX(", "POINT(",
            "POLYGON((", "S_INTERSECTS(", "DATE('2022-01-01')", "1e5", ".5", "é", "\\", "\"",
        ]), 0..30)) {
        stable(&tokens.concat());
    }

    #[test]
    fn any_json(tokens in proptest::collection::vec(
        proptest::sample::select(vec![
            r#"{"op":"and","args":["#, r#"{"op":"=","args":["#, r#"{"op":"not","args":["#,
            r#"{"property":"a"}"#, r#"{"property":"s"}"#, "]}", "]", "}", ",", "1", "true", "null",
            "\"x\"", r#"{"bbox":[0,0,1,1]}"#, r#"{"op":"in","args":["#, "[", "{", ":", "-1.5e3",
            r#"{"type":"Point","coordinates":[1,2]}"#,
        ]), 0..16)) {
        stable(&tokens.concat());
    }
}
