//! What is refused, where and why.

use super::support::{Town, numbers, parse, queryables, rows, texts};
use crate::dataset::schema::Kind;
use crate::filter::{CompileError, Filter, Queryable, Queryables};

/// The filter is refused at this byte with a message that has this in it.
#[track_caller]
fn refuse(text: &str, position: usize, message: &str) {
    let error = Filter::parse_text(text, &queryables()).expect_err(text);
    assert!(error.to_string().contains(message), "{text}: {error}");
    assert_eq!(error.position, position, "{text}: {error}");
}

#[track_caller]
fn refuse_json(text: &str, position: usize, message: &str) {
    let error = Filter::parse_json(text, &queryables()).expect_err(text);
    assert!(error.to_string().contains(message), "{text}: {error}");
    assert_eq!(error.position, position, "{text}: {error}");
}

#[test]
fn precedence() {
    for (short, long) in [
        ("a=1 OR a=2 AND b=3", "a=1 OR (a=2 AND b=3)"),
        ("NOT a=1 AND b=1", "(NOT (a=1)) AND b=1"),
        (
            "NOT a BETWEEN 1 AND 2 AND b=1",
            "(NOT (a BETWEEN 1 AND 2)) AND b=1",
        ),
        ("a-b-c=0", "(a-b)-c=0"),
        ("a/b*c=0", "(a/b)*c=0"),
        ("a+b*c^2=0", "a+(b*(c^2))=0"),
        ("-a^2=0", "(-a)^2=0"),
        ("a%b DIV c=0", "(a%b) DIV c=0"),
        ("a--1=0", "a-(-1)=0"),
    ] {
        assert_eq!(parse(short), parse(long), "{short}");
    }
    assert_ne!(parse("a-b-c=0"), parse("a-(b-c)=0"));
}

#[test]
fn syntax_errors() {
    refuse("", 0, "empty");
    refuse("  ", 0, "empty");
    refuse("a >", 3, "a value, found the end");
    refuse("a > 1 b", 6, "found `b`");
    refuse("(a > 1", 6, "found the end");
    refuse("a > 1)", 5, "found `)`");
    refuse("a = 'x", 4, "not closed");
    refuse("\"a > 1", 0, "not closed");
    refuse("a > 1 AND", 9, "the end");
    refuse("a NOT 1", 6, "BETWEEN, IN or LIKE");
    refuse("a IN ()", 6, "a value");
    refuse("a IN 1", 5, "a list");
    refuse("a BETWEEN 1", 11, "AND");
    refuse("a IS 1", 5, "NULL");
    refuse("a = 1 = 2", 6, "found `=`");
    refuse("a = 1abc", 4, "`1abc` is not a finite number");
    refuse("a = 1e999", 4, "not a finite number");
    refuse("a = 0x10", 4, "0x10");
    refuse("a = 1 -- comment", 9, "unknown property");
    refuse("a = 1 /* c */", 7, "found `*`");
    refuse("a = $1", 4, "'$'");
    refuse("a = {{7*7}}", 4, "'{'");
    refuse("\u{feff}a = 1", 0, "character");
    refuse("a\u{202e} = 1", 1, "character");
    refuse("a = 1; DROP TABLE x", 5, "';'");
    refuse("s = '' OR 1=1--", 15, "the end");
    refuse("s = '''; DROP TABLE--", 4, "not closed");
    assert_eq!(parse("a\u{2028}=\u{a0}1"), parse("a=1"));
}

#[test]
fn names() {
    refuse("turnout > 1", 0, "unknown property `turnout`");
    refuse("1 < A", 4, "did you mean `a`?");
    refuse("geom IS NULL", 0, "unknown property");
    refuse("NaN = a", 0, "unknown property `NaN`");
    refuse("\"a\"\"\0\" = 1", 0, "unknown property");
    refuse("\u{430} = 1", 0, "unknown property"); // Cyrillic а
    refuse("exec('x') = 1", 0, "unknown function `exec`");
    refuse(
        "java.lang.Runtime('x') = 1",
        0,
        "unknown function `java.lang.Runtime`",
    );
    refuse("a = 1 AND system('ls')", 10, "unknown function `system`");
    refuse("T_AFTER(s, DATE('2022-01-01'))", 0, "unknown function");
    refuse("S_TOUCHES(geometry, POINT(1 1))", 0, "unknown function");

    let properties =
        ["turnout", "turnouts", "abstention", "AND"].map(|name| Queryable::new(name, Kind::Number));
    let election = Queryables::new(properties.to_vec(), false);
    let error = Filter::parse_text("turnot > 1", &election).expect_err("misspelt");
    assert_eq!(
        error.to_string(),
        "unknown property `turnot`; did you mean `turnout`, `turnouts`? (byte 0)"
    );
    let quoted = Filter::parse_text("\"AND\" > 1 AND turnout < 1", &election).expect("quoted");
    assert_eq!(quoted.canonical(), "\"AND\">1 AND turnout<1");
    let error = Filter::parse_text("S_INTERSECTS(geometry, POINT(1 1))", &election);
    assert!(
        error
            .expect_err("no geometry")
            .to_string()
            .contains("no geometry")
    );
}

#[test]
fn types() {
    refuse("a = 'x'", 0, "a number is compared with text");
    refuse("a > NULL", 4, "IS NULL");
    refuse("s = TRUE", 0, "text is compared with a condition");
    refuse(
        "a = DATE('2022-01-01')",
        0,
        "a number is compared with text",
    );
    refuse("a", 0, "a filter takes a condition, not a number");
    refuse("'x'", 0, "a condition");
    refuse("NOT a", 4, "NOT takes a condition");
    refuse("a > 1 AND b", 10, "AND takes a condition");
    refuse("s + 1 > 2", 0, "arithmetic takes numbers, not text");
    refuse("-s > 2", 1, "numbers");
    refuse("CASEI(a) = 'x'", 6, "takes text, not a number");
    refuse("a LIKE 'x'", 0, "LIKE takes text");
    refuse("s LIKE t", 7, "literal");
    refuse(r"s LIKE 'x\'", 7, "escape");
    refuse("a IN (1, 'x')", 9, "numbers");
    refuse("a BETWEEN 1 AND 'x'", 10, "a number is compared with text");
    refuse("(a>1) < (b>1)", 0, "an ordering");
    refuse("geometry = 1", 0, "not a geometry");
    refuse("geometry", 0, "a condition");
    refuse("s = DATE('2022-13-01')", 9, "not a date");
    refuse("s = DATE(1)", 9, "a date in quotes");
    refuse(
        "s = TIMESTAMP('2022-01-01T00:00:00')",
        14,
        "2022-04-10T20:00:00Z",
    );
}

#[test]
fn geometries() {
    let intersects = |literal: &str| format!("S_INTERSECTS(geometry, {literal})");
    for literal in [
        "POLYGON((0 0, 1 0, 1 1, 0 0))",
        "POLYGON Z ((0 0 5, 1 0 5, 1 1 5, 0 0 5))",
        "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)),((5 5, 6 5, 6 6, 5 5)))",
        "POINT(-1.5 2e1)",
        "MULTIPOINT(1 2, (3 4))",
        "LINESTRING(0 0, 1 1)",
        "MULTILINESTRING((0 0, 1 1),(2 2,3 3))",
        "BBOX(170, -10, -170, 10)",
    ] {
        let filter = parse(&intersects(literal));
        assert_eq!(parse(filter.canonical()), filter, "{literal}");
    }
    for (literal, message) in [
        ("POLYGON((0 0, 1 0, 1 1))", "ring"),
        ("POLYGON EMPTY", "empty"),
        ("POLYGON((0 0, NaN 0, 1 1, 0 0))", "a number"),
        ("POLYGON((0 0, 1e308 0, 1 1, 0 0))", "outside"),
        ("POLYGON((0 0, 0 0, 0 0, 0 0))", "three different"),
        ("BBOX(0, 2, 1, 1)", "south"),
        ("BBOX(0, 0, 1)", "four numbers"),
        ("BBOX(0, 0, 181, 1)", "outside"),
        (
            "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 1)))",
            "collections",
        ),
        ("CIRCLE(1 1)", "unknown function"),
        ("geometry", "a literal on the other"),
        ("s", "a literal on the other"),
    ] {
        let error = Filter::parse_text(&intersects(literal), &queryables()).expect_err(literal);
        assert!(error.to_string().contains(message), "{literal}: {error}");
    }
    refuse("S_WITHIN(geometry, POINT(1 1))", 0, "type of geometry");
    refuse(
        "S_CONTAINS(geometry, LINESTRING(1 1, 2 2))",
        0,
        "type of geometry",
    );
    refuse(
        "S_DWITHIN(geometry, POINT(1 1), 1e308)",
        0,
        "unknown function",
    );
    refuse("POINT(1 1)", 0, "not a geometry");
}

#[test]
fn json() {
    let same = |json: &str, text: &str| {
        let read = Filter::parse_json(json, &queryables()).expect(json);
        assert_eq!(read, parse(text), "{json}");
    };
    same(r#"{"op":">","args":[{"property":"a"},1]}"#, "a>1");
    same(
        r#"{"args":[{"property":"s"},{"date":"2022-04-10"}],"op":"="}"#,
        "s='2022-04-10'",
    );
    same(
        r#"{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[0,1],[2,1],[2,3],[0,3],[0,1]]]}]}"#,
        "S_INTERSECTS(geometry, BBOX(0,1,2,3))",
    );
    same(
        r#"{"op":"s_within","args":[{"property":"geometry"},{"bbox":[0,1,2,3]}]}"#,
        "S_WITHIN(geometry, BBOX(0,1,2,3))",
    );
    same(" true ", "TRUE");
    refuse_json("", 0, "JSON");
    refuse_json(r#"{"op":">","args":[{"property":"a"},1]"#, 36, "JSON");
    refuse_json(
        r#"{"op":">","args":[{"property":"x"},1]}"#,
        18,
        "unknown property `x`",
    );
    refuse_json(r#"{"op":">","args":[{"property":"a"},"1"]}"#, 0, "compared");
    refuse_json(r#"{"op":"exec","args":[1]}"#, 6, "unknown operator");
    refuse_json(
        r#"{"op":">","op":"<","args":[1,2]}"#,
        0,
        "duplicate member `op`",
    );
    refuse_json(r#"{"op":">","args":[1]}"#, 0, "takes 2 arguments, not 1");
    refuse_json(r#"{"op":">","args":[1,null]}"#, 20, "NULL");
    refuse_json(r#"{"op":">","args":[1,1e999]}"#, 20, "1e999");
    refuse_json(r#"{"op":"in","args":[1,[]]}"#, 21, "not empty");
    refuse_json(r#"{"op":"and","args":[]}"#, 0, "2 or more");
    refuse_json(
        r#"{"op":"like","args":[{"property":"s"},{"property":"t"}]}"#,
        38,
        "literal",
    );
    refuse_json(r#"{"x":1}"#, 0, "expected");
    refuse_json("[1]", 0, "expected");
}

#[test]
fn tables_that_do_not_fit() {
    let town = Town {
        rows: 2,
        columns: vec![
            ("a", texts(&[Some("x"), None])),
            ("b", numbers(&[Some(1.0)])),
            ("s", numbers(&[Some(1.0), None])),
        ],
        shapes: None,
    };
    let compile = |text| parse(text).compile(&town).err();
    assert_eq!(compile("a > 1"), Some(CompileError::Kind("a".to_owned())));
    assert_eq!(compile("s > 'x'"), Some(CompileError::Kind("s".to_owned())));
    assert_eq!(
        compile("c > 1"),
        Some(CompileError::Missing("c".to_owned()))
    );
    assert!(matches!(compile("b > 1"), Some(CompileError::Rows { .. })));
    assert_eq!(
        compile("S_INTERSECTS(geometry, POINT(1 1))"),
        Some(CompileError::Shapes)
    );
    assert!(rows(&parse("TRUE"), &town).len() == 2);
}

#[test]
fn schema() {
    let schema = queryables().schema("https://example.org/q", "Town", "en");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["a"]["type"], "number");
    assert_eq!(schema["properties"]["id"]["type"], "string");
    assert_eq!(
        schema["properties"]["geometry"]["x-ogc-role"],
        "primary-geometry"
    );
}
