use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::project::{Encoding, TableFormat};

/// Files of a table `t`, read with every column.
fn read_files(
    files: &[(&str, &[u8])],
    pin: impl Fn(&mut Table),
) -> Result<(Vec<Relation>, TableReport), InputError> {
    let directory = TempDir::new().unwrap();
    for (name, bytes) in files {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    let pattern = if files.len() == 1 {
        files[0].0
    } else {
        "*.csv"
    };
    let mut table = Table {
        name: "t".into(),
        path: directory.path().join(pattern),
        format: Some(TableFormat::Csv),
        ..Table::default()
    };
    pin(&mut table);
    crate::tables::read(&table, &Mentions::everything())
}

/// Columns as `name: cell|cell|…`, numbers as they print and missing as `∅`, in the file's order.
fn shown(relation: &Relation) -> Vec<String> {
    let column = |column: &Column| {
        let mut cells = Vec::new();
        for chunk in &column.chunks {
            for row in 0..chunk.len() {
                cells.push(match chunk {
                    Cells::Text(texts) => texts.get(row).map_or("∅".into(), |t| format!("'{t}'")),
                    numbers if numbers.number(row).is_nan() => "∅".into(),
                    numbers => numbers.number(row).to_string(),
                });
            }
        }
        format!("{}: {}", column.name, cells.join("|"))
    };
    relation.columns.iter().map(column).collect()
}

fn check_with(csv: impl AsRef<[u8]>, pin: impl Fn(&mut Table), expected: &[&str]) {
    let csv = csv.as_ref();
    match read_files(&[("t.csv", csv)], pin) {
        Ok((relations, _)) => assert_eq!(shown(&relations[0]), expected),
        Err(e) => panic!("{}: {e}", String::from_utf8_lossy(csv)),
    }
}

fn check(csv: impl AsRef<[u8]>, expected: &[&str]) {
    check_with(csv, |_| {}, expected);
}

fn refused_with(csv: impl AsRef<[u8]>, pin: impl Fn(&mut Table), expected: &str) {
    let csv = csv.as_ref();
    let name = String::from_utf8_lossy(&csv[..csv.len().min(80)]).into_owned();
    let error = read_files(&[("t.csv", csv)], pin)
        .map(|_| ())
        .expect_err(&name)
        .to_string();
    assert!(error.starts_with("t.csv"), "{name}: {error}");
    assert!(
        error.contains(expected),
        "{name}: {error:?} does not say {expected:?}"
    );
}

fn refused(csv: impl AsRef<[u8]>, expected: &str) {
    refused_with(csv, |_| {}, expected);
}

#[test]
fn empty_files_are_refused() {
    refused("", "empty");
    refused("\u{feff}", "empty");
    refused("\n\r\n", "empty");
    check("a,b\n", &["a: ", "b: "]);
}

#[test]
fn marks_line_ends_and_quotes_are_accepted() {
    let expected = &["a: 1|3", "b: 'x'|'y'"];
    check("\u{feff}a,b\n1,x\n3,y\n", expected);
    check("a,b\r\n1,x\r\n3,y\r\n", expected);
    check("a,b\r1,x\r3,y", expected);
    check("a,b\n1,x\r\n3,y\r", expected);
    check("a,b\n\n1,x\n\r\n3,y\n\n", expected);
    check("\"a\",\"b\"\n\"1\",\"x\"\n\"3\",\"y\"", expected);
    check(
        "a;b\n1;\"x\ny\"\n2;\"a;\"\"b\"\"\"\n",
        &["a: 1|2", "b: 'x\ny'|'a;\"b\"'"],
    );
    check("a,b\n1,5\" pipe\n", &["a: 1", "b: '5\" pipe'"]);
}

#[test]
fn other_encodings_are_named_or_pinned() {
    let utf16: Vec<u8> = "a;b\n1;2\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    refused([b"\xff\xfe".to_vec(), utf16].concat(), "UTF-16");
    refused(
        b"a,nom\n1,x\n2,caf\xe9\n",
        "row 3, column \"nom\": byte 0xe9 is not UTF-8",
    );
    refused(b"a,nom\n\"x\ny\",x\n2,caf\xe9", "row 3, column \"nom\"");
    refused(b"nom,a\n\xe9,x\n", "row 2, column \"nom\"");
    refused(b"n\xe9,a\n1,x\n", "row 1");
    refused(b"a,b\n1,x\0\n", "NUL");
    let cp1252 = |table: &mut Table| table.encoding = Some(Encoding::Cp1252);
    check_with(b"a,nom\n1,caf\xe9\x80\n", cp1252, &["a: 1", "nom: 'café€'"]);
    let latin1 = |table: &mut Table| table.encoding = Some(Encoding::Latin1);
    check_with(b"a,nom\n1,caf\xe9\n", latin1, &["a: 1", "nom: 'café'"]);
    check_with("\u{feff}a,nom\n1,café\n", cp1252, &["a: 1", "nom: 'café'"]);
}

#[test]
fn records_that_never_end_are_refused() {
    refused(
        "a,b\n1,\"x\n2,y\n",
        "byte 6: the quote that opens a field here is never closed",
    );
    let endless = "x".repeat(17 << 20);
    refused(format!("a,b\n1,{endless}"), "no line ends within 16 MB");
}

#[test]
fn many_columns_are_accepted() {
    let names: Vec<String> = (0..10_000).map(|i| format!("c{i}")).collect();
    let cells: Vec<String> = (0..10_000).map(|i| i.to_string()).collect();
    let csv = format!("{}\n{}\n", names.join(","), cells.join(","));
    let (relations, _) = read_files(&[("t.csv", csv.as_bytes())], |_| {}).unwrap();
    assert_eq!(shown(&relations[0])[9_999], "c9999: 9999");
    refused(",".repeat(1 << 20), "1048577 columns are more than 20000");
}

#[test]
fn ragged_rows_and_doubtful_headers_are_refused() {
    refused("a,b\n1,2\n3\n", "row 3: 1 fields, where 2 are expected");
    refused("a,b\n1,2\n3,4,5\n", "row 3: 3 fields");
    refused("a,a\n1,2\n", "fields 1 and 2 of the header are both \"a\"");
    refused("a,\n1,2\n", "field 2 of the header has no name");
    refused(" ,b\n1,2\n", "field 1 of the header has no name");
    refused("ID,id\n1,2\n", "\"ID\" and \"id\" differ in case only");
    refused("É,é\n1,2\n", "differ in case only");
    let skip = |table: &mut Table| table.skip_unnamed = true;
    check_with(",code\n0,721910000\n", skip, &["code: 721910000"]);
    let columns = |table: &mut Table| table.columns = Some(vec!["x".into(), "y".into()]);
    check_with("a,a\n1,2\n", columns, &["x: 1", "y: 2"]);
    refused_with("a,a,b\n1,2,3\n", columns, "3 fields, but `columns` names 2");
    let headless = |table: &mut Table| {
        columns(table);
        table.header = Some(false);
    };
    check_with("1,2\n3,4\n", headless, &["x: 1|3", "y: 2|4"]);
    check(" a ,\u{a0}b\n1,2\n", &["a: 1", "b: 2"]);
    refused_with(
        "a,b\n1,2\n",
        |t| t.text = vec!["c".into()],
        "has no column \"c\", but a, b",
    );
}

#[test]
fn decimals_are_one_way_or_pinned() {
    check("a;b\n1,5;2\n-2,25;3\n", &["a: 1.5|-2.25", "b: 2|3"]);
    check("a;b\n1.5;2\n2.25;3\n", &["a: 1.5|2.25", "b: 2|3"]);
    refused(
        "a;b\n1,5;2\n1.5;3\n",
        "1 cells have a decimal point and 1 a decimal comma",
    );
    refused(
        "a;b\n1,5;2\n1,5;3.5\n",
        "decimal comma, but column \"b\" decimal points",
    );
    refused("a;b\n1,5;2\n1.234,56;3\n", "row 3, column \"a\"");
    refused("a;b\n1,5;2\n1.234,56;3\n", "say `thousands`");
    refused("a;b\n1.234;2\n5.678;3\n", "may have decimals or thousands");
    refused("a,b\n\"1,5\",2\n2,3\n", "row 2, column \"a\"");
    let german = |table: &mut Table| {
        table.decimal = Some(',');
        table.thousands = Some('.');
    };
    check_with(
        "a;b\n1.234,56;2\n1.000;3\n",
        german,
        &["a: 1234.56|1000", "b: 2|3"],
    );
    let comma = |table: &mut Table| table.decimal = Some(',');
    check_with("a;b\n1,234;2\n", comma, &["a: 1.234", "b: 2"]);
    refused_with("a;b\n1,5;2\n1.5;2\n", comma, "row 3, column \"a\"");
    let quoted = |table: &mut Table| table.decimal = Some(',');
    check_with("a,b\n\"1,5\",2\n", quoted, &["a: 1.5", "b: 2"]);
    let spaces = |table: &mut Table| table.thousands = Some(' ');
    check_with(
        "a;b\n1 234;2\n12\u{202f}345;3\n",
        spaces,
        &["a: 1234|12345", "b: 2|3"],
    );
}

#[test]
fn what_is_no_number_among_numbers_is_an_error() {
    for odd in [
        "1e309", "NaN", "Infinity", "0x10", "1_000", "n/a", "-", "abc", "1 234", "#DIV/0!", "NULL",
    ] {
        refused(format!("k;a\nx;1\ny;2\nz;{odd}\n"), "row 4, column \"a\"");
        refused(
            format!("k;a\nx;1\ny;2\nz;{odd}\n"),
            "2 cells of the column are numbers",
        );
        let declared = |table: &mut Table| table.missing = Some(vec![odd.into()]);
        check_with(
            format!("k;a\nx;1\nz;{odd}\n"),
            declared,
            &["k: 'x'|'z'", "a: 1|∅"],
        );
        let text = |table: &mut Table| table.text = vec!["a".into()];
        let expected = format!("a: '1'|'{odd}'");
        check_with(
            format!("k;a\nx;1\nz;{odd}\n"),
            text,
            &["k: 'x'|'z'", &expected],
        );
    }
    check("k,a\nx,\"  12 \"\ny,-0\n", &["k: 'x'|'y'", "a: 12|0"]);
    check("k,a\nx,12%\ny,7.5 %\n", &["k: 'x'|'y'", "a: 12|7.5"]);
    refused("k,a\nx,12%\ny,7\nz,3\n", "1 cells end in % and 2 do not");
}

#[test]
fn codes_stay_text() {
    check("a,b\n01001,1\n75056,2\n", &["a: '01001'|'75056'", "b: 1|2"]);
    check("a,b\n75056,1\n01001,2\n", &["a: '75056'|'01001'", "b: 1|2"]);
}

#[test]
fn codes_are_text_by_one_cell() {
    check("a,b\n+49,0\n48,0.5\n", &["a: '+49'|'48'", "b: 0|0.5"]);
    check("a\n1\n9007199254740993\n", &["a: '1'|'9007199254740993'"]);
    check("dep\n1\n2A\n971\n", &["dep: '1'|'2A'|'971'"]);
    check("a\nx\n12\ny\n", &["a: 'x'|'12'|'y'"]);
}

#[test]
fn secrets_are_missing_among_numbers_only() {
    let (relations, report) =
        read_files(&[("t.csv", b"k;a;b\ns;s;s\nu;26410;ns\n;nd;\n")], |_| {}).unwrap();
    assert_eq!(
        shown(&relations[0]),
        ["k: 's'|'u'|∅", "a: ∅|26410|∅", "b: ∅|∅|∅"]
    );
    let secrets: Vec<u64> = report.columns.iter().map(|column| column.secret).collect();
    assert_eq!(secrets, [1, 2, 2]);
    let missing: Vec<u64> = report.columns.iter().map(|column| column.missing).collect();
    assert_eq!(missing, [1, 0, 1]);
    let declared = |table: &mut Table| table.missing = Some(vec!["-9".into(), "NR".into()]);
    check_with("a,b\n-9,NR\n4,x\n", declared, &["a: ∅|4", "b: ∅|'x'"]);
    refused_with("a\ns\n4\n5\n", declared, "row 2, column \"a\"");
}

#[test]
fn keys_are_composed_and_otherwise_untouched() {
    check("a\ne\u{301}\n\u{e9}\n", &["a: '\u{e9}'|'\u{e9}'"]);
    check(
        "a,b\n\u{a0}x\u{200b},1\n y ,2\n",
        &["a: '\u{a0}x\u{200b}'|' y '", "b: 1|2"],
    );
    check("a,b\n  ,1\n\u{a0},2\n", &["a: ∅|∅", "b: 1|2"]);
}

#[test]
fn files_of_a_glob_are_one_relation() {
    let pin = |_: &mut Table| {};
    let files: &[(&str, &[u8])] = &[("a.csv", b"k,v\nx,1\n"), ("b.csv", b"v;k\n2;y\n01;z\n")];
    let (relations, report) = read_files(files, pin).unwrap();
    assert_eq!(shown(&relations[0]), ["k: 'x'|'y'|'z'", "v: '1'|'2'|'01'"]);
    assert_eq!((report.rows, report.files.len()), (3, 2));
    let files: &[(&str, &[u8])] = &[("a.csv", b"k,v\nx,1\n"), ("b.csv", b"k,w\ny,2\n")];
    let error = read_files(files, pin).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "b.csv, row 1: has no column \"v\", as the first file of the table has"
    );
    let files: &[(&str, &[u8])] = &[("a.csv", b"v\n1\n2\n"), ("b.csv", b"v\n3\n\nx\n")];
    let error = read_files(files, pin).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("b.csv, row 3, column \"v\""), "{error}");
}

#[test]
fn only_what_is_mentioned_is_loaded() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("t.csv");
    std::fs::write(&path, "a,b,c\n1,x,n/a\n2,y,3\n4,z,5\n").unwrap();
    let table = Table {
        name: "t".into(),
        path: PathBuf::from(&path),
        ..Table::default()
    };
    let (relations, _) = crate::tables::read(&table, &Mentions::of(["sum(A)"])).unwrap();
    assert_eq!(shown(&relations[0]), ["a: 1|2|4"]);
    assert_eq!(relations[0].available, ["a", "b", "c"]);
}

/// A header and rows of any shape.
fn csv_text() -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        "[0-9]{1,4}",
        "[0-9]{1,3}\\.[0-9]{1,2}",
        "\"[0-9]{1,3},[0-9]{1,2}\"",
        "0[0-9]{2}",
        "[a-c\u{e9} ]{0,4}",
        "\"[a,;\n]{0,3}\"",
        Just(String::new()),
    ];
    let row = prop::collection::vec(cell, 3).prop_map(|cells| cells.join(","));
    prop::collection::vec(row, 0..20).prop_map(|rows| format!("x,y,z\n{}\n", rows.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn cells_are_those_of_a_second_reader(text in csv_text()) {
        let text_only = |table: &mut Table| {
            table.delimiter = Some(',');
            table.text = ["x", "y", "z"].map(String::from).to_vec();
        };
        let (relations, _) = read_files(&[("t.csv", text.as_bytes())], text_only).unwrap();
        let found = shown(&relations[0]);
        let mut expected = ["x", "y", "z"].map(|name| (name, Vec::new()));
        for record in csv::Reader::from_reader(text.as_bytes()).records() {
            for ((_, cells), cell) in expected.iter_mut().zip(&record.unwrap()) {
                cells.push(match cell.trim() {
                    "" => "∅".to_owned(),
                    _ => format!("'{cell}'"),
                });
            }
        }
        let expected = expected.map(|(name, cells)| format!("{name}: {}", cells.join("|")));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn hostile_bytes_never_panic(
        mut bytes in prop::collection::vec(prop_oneof![
            any::<u8>(), prop::sample::select(b"a,;\"\n\r19.%-\t|".to_vec()),
        ], 0..200),
        is_wide in any::<bool>(),
    ) {
        if is_wide {
            bytes.splice(0..0, *b"Code departement;Code commune;Inscrits;Nom;Voix\n01;001;");
        }
        let _ = read_files(&[("t.csv", &bytes)], |table| {
            if is_wide {
                table.format = Some(TableFormat::Interieur);
            }
        });
    }

    #[test]
    fn the_order_of_rows_changes_nothing(text in csv_text(), turn in 0..20_usize) {
        let mut rows: Vec<String> = Vec::new();
        for record in csv::Reader::from_reader(text.as_bytes()).records() {
            let quoted: Vec<String> = record.unwrap().iter().map(|c| format!("\"{c}\"")).collect();
            rows.push(quoted.join(","));
        }
        let sorted = |rows: &[String]| {
            let text = format!("x,y,z\n{}\n", rows.join("\n"));
            let (relations, _) = read_files(&[("t.csv", text.as_bytes())], |_| {}).ok()?;
            let relation = relations.into_iter().next()?;
            let mut out = Vec::new();
            for at in relation.sorted_rows() {
                for column in &relation.columns {
                    out.push(match &column.chunks[at.chunk()] {
                        Cells::Text(texts) => texts.get(at.row()).map(str::to_owned),
                        numbers => Some(numbers.number(at.row()).to_bits().to_string()),
                    });
                }
            }
            Some(out)
        };
        let before = sorted(&rows);
        if !rows.is_empty() {
            let turn = turn % rows.len();
            rows.rotate_left(turn);
        }
        prop_assert_eq!(before, sorted(&rows));
    }
}
