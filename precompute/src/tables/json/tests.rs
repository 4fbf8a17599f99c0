use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn read_text(text: &[u8], pin: impl Fn(&mut Table)) -> Result<(Relation, TableReport), InputError> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("t.json");
    std::fs::write(&path, text).unwrap();
    let mut table = Table {
        name: "t".into(),
        path,
        ..Table::default()
    };
    pin(&mut table);
    let (relations, report) = crate::tables::read(&table, &Mentions::everything())?;
    Ok((relations.into_iter().next().unwrap(), report))
}

fn shown(relation: &Relation) -> Vec<String> {
    let cell = |cells: &Cells, row| match cells {
        Cells::Text(texts) => texts
            .get(row)
            .map_or("∅".into(), |text| format!("'{text}'")),
        numbers if numbers.number(row).is_nan() => "∅".into(),
        numbers => numbers.number(row).to_string(),
    };
    let column = |column: &Column| {
        let cells: Vec<String> = (0..relation.rows())
            .map(|row| cell(&column.chunks[0], row))
            .collect();
        format!("{}: {}", column.name, cells.join("|"))
    };
    relation.columns.iter().map(column).collect()
}

fn check(text: &str, expected: &[&str]) {
    let (relation, _) = read_text(text.as_bytes(), |_| {}).expect(text);
    assert_eq!(shown(&relation), expected, "{text}");
}

fn refused(text: &str, expected: &str) {
    let error = read_text(text.as_bytes(), |_| {})
        .map(|_| ())
        .expect_err(text)
        .to_string();
    assert!(error.starts_with("t.json, row "), "{error}");
    assert!(error.contains(expected), "{text}: {error}");
}

#[test]
fn records_are_rows() {
    let expected = &["a: 1|2.5|∅", "b: 'x'|∅|'01'"];
    check(
        r#"[{"a":1,"b":"x"},{"b":null,"a":2.5},{"b":"01"}]"#,
        expected,
    );
    check(
        "{\"a\":1,\"b\":\"x\"}\n{\"a\":2.5}\n\n{\"b\":\"01\"}\n",
        expected,
    );
    check("\u{feff} [{\"a\":true},{\"a\":false},{}]", &["a: 1|0|∅"]);
    check("\u{feff}{\"a\":-0.0}", &["a: 0"]);
    check(r#"[{"a":"s"},{"a":3},{"a":"ns"}]"#, &["a: ∅|3|∅"]);
    check(r#"[{"a":"s"},{"a":"x"},{"a":"ns"}]"#, &["a: 's'|'x'|'ns'"]);
    check(r#"[{"a":"e\u0301"},{"a":" "}]"#, &["a: 'é'|∅"]);
}

#[test]
fn kinds_do_not_mix() {
    refused(
        r#"[{"a":1},{"a":"x"}]"#,
        "row 2: \"a\" is \"x\" here but a number",
    );
    refused(r#"[{"a":"x"},{"a":1}]"#, "row 2: \"a\" is 1 here but text");
    refused(r#"[{"a":[1]}]"#, "a number or text in \"a\"");
    refused(r#"[{"a":{"b":1}}]"#, "a number or text in \"a\"");
    let pin = |table: &mut Table| table.text = vec!["a".into()];
    let text = br#"[{"a":1},{"a":"x"},{"a":2.5},{"a":9007199254740993}]"#;
    let (relation, _) = read_text(text, pin).unwrap();
    assert_eq!(shown(&relation), ["a: '1'|'x'|'2.5'|'9007199254740993'"]);
}

#[test]
fn long_numbers_never_lose_digits() {
    refused(
        r#"[{"a":9007199254740993}]"#,
        "more digits than a number keeps",
    );
    refused(r#"[{"a":123456789012345678901234}]"#, "too large");
    refused(r#"[{"a":1e999}]"#, "number out of range");
    check(r#"[{"a":9007199254740992}]"#, &["a: 9007199254740992"]);
}

#[test]
fn what_is_no_table_is_refused() {
    refused("", "empty");
    refused("3", "not JSON records");
    refused("[1]", "a record");
    refused("[{\"a\":1}", "EOF");
    refused("[{\"a\":1}] x", "trailing");
    refused("{\"a\":1} {\"a\":2}", "trailing");
    refused("{\"a\":1}\n{\"a\":\n", "row 2");
    refused(r#"[{"a":1,"a":2}]"#, "there twice");
    refused(r#"[{"a":NaN}]"#, "expected value");
    refused(&format!("[{}", "[".repeat(100_000)), "row 1");
    refused(&format!("[{{\"a\":{}", "[".repeat(100_000)), "row 1");
    let endless = format!("[{{\"a\":\"{}\"}}]", "x".repeat(17 << 20));
    refused(&endless, "longer than 16 MB");
    let none = read_text(b"[]", |_| {}).map(|_| ()).unwrap_err();
    assert!(none.to_string().contains("it has no record"), "{none}");
    let twins = read_text(br#"[{"ID":1,"id":2}]"#, |_| {})
        .map(|_| ())
        .unwrap_err();
    assert!(twins.to_string().contains("the same to SQL"), "{twins}");
}

proptest! {
    #[test]
    fn hostile_text_never_panics(text in "(\\[|\\{|\\}|\\]|\"a\":|\"s\"|,|1|null|\n| |\\PC){0,30}") {
        let _ = read_text(text.as_bytes(), |_| {});
    }
}
