//! One text for equal criteria.

use super::support::{Town, numbers, parse, queryables, rows};
use crate::filter::Filter;

/// All spellings share the first one's canonical text, which is `canonical`.
fn check(canonical: &str, spellings: &[&str]) {
    for text in spellings {
        assert_eq!(parse(text).canonical(), canonical, "{text}");
    }
    assert_eq!(parse(canonical).canonical(), canonical);
}

#[test]
fn ten_spellings() {
    check(
        "a<=2 AND a>=1 AND s='x'",
        &[
            "a BETWEEN 1 AND 2 AND s = 'x'",
            "s='x' and a between 1.0 and 2e0",
            "(a >= 1) AND (a <= 2) AND (s = 'x')",
            "'x' = s AND 2 >= a AND 1 <= a",
            "NOT (a < 1 OR a > 2 OR s <> 'x')",
            "NOT (a NOT BETWEEN 1 AND 2) AND s IN ('x')",
            "s IN ('x', 'x') AND NOT a > 2 AND NOT NOT a >= 1",
            "\"a\" >= 01.00 AND \"s\" LIKE 'x' AND a <= +2",
            "a>=1 AND a<=2 AND s='x' AND a>=1 AND TRUE",
            "id = 'x' AND ((a >= 3 - 2)) AND a <= 4 / 2 OR FALSE",
            "NOT(NOT(a>=1 AND a<=2 AND s='x'))",
        ],
    );
}

#[test]
fn known_forms() {
    check(
        "a IN (1,2,3)",
        &["a IN (3,1,2,1.0)", "a=3 OR a=1 OR 2=a", "a IN (2,3) OR a=1"],
    );
    check(
        "a NOT IN (1,2)",
        &["a<>1 AND a!=2", "NOT a IN (2,1)", "NOT (a=1 OR a=2)"],
    );
    check("a<b", &["a<b", "b>a", "NOT a>=b"]);
    check("a+b*c>0", &["b*c+a>0", "a+(c*b)>0", "0<(a+c*b)"]);
    check("a-(b-c)>0", &["a - (b - c) > 0"]);
    check("-(b^2)>-a^2", &["(-a)^2 < -(b^2)"]);
    check("a^b^c=1", &["a^(b^c) = 1"]);
    check("(a^b)^c=1", &["(a^b)^c = 1"]);
    check(
        "CASEI(s)='été'",
        &["CASEI(s) = CASEI('ÉTÉ')", "casei(casei(s)) = 'été'"],
    );
    check(
        "CASEI(ACCENTI(s)) LIKE 'e%'",
        &[
            "ACCENTI(CASEI(s)) LIKE CASEI(ACCENTI('É%'))",
            "CASEI(ACCENTI(s)) LIKE 'e%%'",
        ],
    );
    check(
        "s='2022-04-10'",
        &["s = DATE('2022-04-10')", "'2022-04-10' = s"],
    );
    check(
        "TRUE",
        &[
            "1 = 1",
            "1 < 2 OR a > 1",
            "'a' LIKE 'A' OR NOT FALSE",
            "(1/0) IS NULL",
        ],
    );
    check(
        "FALSE",
        &["1/0 = 1", "NOT (1/0 = 1)", "a > 1 AND 1/0 > a", "5 % 0 = 0"],
    );
    check(
        "(a=1) IS NULL",
        &["(a=1) IS NULL", "NOT ((a = 1) IS NOT NULL)"],
    );
    check("(1/0=0 OR a=1) IS NULL", &["(a=1 OR 1/0=5) IS NULL"]);
    check("a>1", &["(a>1) = TRUE", "(a>1) <> FALSE", "(a<=1)=FALSE"]);
    check("(a>1)<>(b>1)", &["NOT ((b>1) = (a>1))"]);
    check("s='O''Brien'", &["s = 'O''Brien'"]);
    check("a>1e300", &[&format!("a>1{}", "0".repeat(300))]);
    check("a<-1e308*10", &["a < -1e300 * 1e300", "a < 0 - 1e200^2"]);
    check("a=0", &["a = -0", "a = -0.0e5"]);
    check(
        "S_INTERSECTS(geometry,BBOX(0,1,2,3))",
        &[
            "S_INTERSECTS(geometry, BBOX(0,1,2,3))",
            "s_intersects(ENVELOPE(0.0,1,2,3), geometry)",
            "S_INTERSECTS(geometry, POLYGON((0 1, 0 3, 2 3, 2 1, 0 1)))",
            "S_INTERSECTS(geometry, MULTIPOLYGON(((2 3,0 3,0 1,2 1,2 3))))",
            "NOT S_DISJOINT(geometry, BBOX(0,1,-5,2,3,5))",
        ],
    );
    check(
        "NOT S_WITHIN(geometry,BBOX(0,1,2,3)) OR a>1",
        &["a>1 OR NOT S_CONTAINS(BBOX(0,1,2,3), geometry)"],
    );
}

#[test]
fn different_criteria_stay_apart() {
    let texts = [
        "a>1",
        "a>=1",
        "b>1",
        "a>1 OR b>1",
        "a>1 AND b>1",
        "s='1'",
        "CASEI(s)='1'",
        "s LIKE '1%'",
        "s LIKE '1_'",
        "a-b>0",
        "b-a>0",
        "a IS NULL",
        "a IS NOT NULL",
        "(a>1) IS NULL",
    ];
    for (i, a) in texts.iter().enumerate() {
        for b in &texts[..i] {
            assert_ne!(parse(a), parse(b));
        }
    }
}

#[test]
fn and_narrows() {
    let filter = parse("a > 1").and(parse("b IS NULL"));
    assert_eq!(filter, parse("b IS NULL AND a > 1"));
    assert_eq!(Filter::everything().and(parse("a > 1")), parse("a > 1"));
    assert!(parse("TRUE").is_everything());

    let town = Town {
        rows: 4,
        columns: vec![
            ("a", numbers(&[Some(2.0), Some(2.0), Some(0.0), None])),
            ("b", numbers(&[None, Some(1.0), None, None])),
        ],
        shapes: None,
    };
    assert_eq!(rows(&filter, &town), [0]);
}

#[test]
fn long_chains_are_read_back() {
    let sum = vec!["a"; 100].join("+") + " > b*" + &vec!["c"; 50].join("*");
    let filter = parse(&sum);
    assert_eq!(parse(filter.canonical()), filter);
    let any = (0..70)
        .map(|i| format!("(a>{i} AND b<{i})"))
        .collect::<Vec<_>>()
        .join(" OR ");
    assert!(Filter::parse_text(&any, &queryables()).is_ok_and(|f| parse(f.canonical()) == f));
}
