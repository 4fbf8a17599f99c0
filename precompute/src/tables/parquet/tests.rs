use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    LargeStringArray, ListArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt8Array,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use tempfile::TempDir;

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;

use super::*;

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = std::fs::File::create(path).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(3))
        .build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn read_at(
    path: &Path,
    mentions: &Mentions,
    pin: impl Fn(&mut Table),
) -> Result<(Relation, TableReport), InputError> {
    let mut table = Table {
        name: "t".into(),
        path: path.to_owned(),
        ..Table::default()
    };
    pin(&mut table);
    let (relations, report) = crate::tables::read(&table, mentions)?;
    Ok((relations.into_iter().next().unwrap(), report))
}

fn read_columns(
    columns: Vec<(&str, ArrayRef)>,
    pin: impl Fn(&mut Table),
) -> Result<(Relation, TableReport), InputError> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("t.parquet");
    write(&path, columns);
    read_at(&path, &Mentions::everything(), pin)
}

fn shown(relation: &Relation) -> Vec<String> {
    let column = |column: &Column| {
        let mut cells = Vec::new();
        for chunk in &column.chunks {
            cells.extend((0..chunk.len()).map(|row| match chunk {
                Cells::Text(texts) => texts.get(row).map_or("∅".into(), |t| format!("'{t}'")),
                numbers if numbers.number(row).is_nan() => "∅".into(),
                numbers => numbers.number(row).to_string(),
            }));
        }
        format!("{}: {}", column.name, cells.join("|"))
    };
    relation.columns.iter().map(column).collect()
}

fn scalars() -> Vec<(&'static str, ArrayRef)> {
    vec![
        (
            "i",
            Arc::new(Int64Array::from(vec![
                Some(1),
                None,
                Some(-3),
                Some(9_007_199_254_740_992),
            ])),
        ),
        ("u", Arc::new(UInt8Array::from(vec![0, 1, 2, 255]))),
        (
            "f",
            Arc::new(Float64Array::from(vec![
                Some(0.5),
                Some(f64::NAN),
                None,
                Some(-0.0),
            ])),
        ),
        ("g", Arc::new(Float32Array::from(vec![0.5, 1.5, 2.0, 3.0]))),
        (
            "b",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                Some(false),
                None,
                Some(true),
            ])),
        ),
        (
            "s",
            Arc::new(StringArray::from(vec![
                Some("01001"),
                Some(""),
                None,
                Some("e\u{301}"),
            ])),
        ),
        (
            "l",
            Arc::new(LargeStringArray::from(vec!["s", "12", "x", "y"])),
        ),
        (
            "d",
            Arc::new(Date32Array::from(vec![
                Some(0),
                Some(19_092),
                None,
                Some(-719_162),
            ])),
        ),
        (
            "t",
            Arc::new(TimestampMillisecondArray::from(vec![
                Some(-1),
                Some(86_399_999),
                None,
                Some(0),
            ])),
        ),
        (
            "m",
            Arc::new(
                Decimal128Array::from(vec![Some(12_345), Some(-1), None, Some(10)])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
    ]
}

#[test]
fn every_scalar_type_is_read() {
    let (relation, report) = read_columns(scalars(), |_| {}).unwrap();
    assert_eq!(
        shown(&relation),
        [
            "i: 1|∅|-3|9007199254740992",
            "u: 0|1|2|255",
            "f: 0.5|∅|∅|0",
            "g: 0.5|1.5|2|3",
            "b: 1|0|∅|1",
            "s: '01001'|∅|∅|'é'",
            "l: 's'|'12'|'x'|'y'",
            "d: '1970-01-01'|'2022-04-10'|∅|'0001-01-01'",
            "t: '1969-12-31T23:59:59'|'1970-01-01T23:59:59'|∅|'1970-01-01T00:00:00'",
            "m: 123.45|-0.01|∅|0.1",
        ]
    );
    assert_eq!((report.rows, report.columns[0].missing), (4, 1));
}

#[test]
fn columns_can_be_pinned_and_markers_declared() {
    let pin = |table: &mut Table| {
        table.text = ["i", "g", "m"].map(String::from).to_vec();
        table.missing = Some(vec!["x".into()]);
    };
    let (relation, report) = read_columns(scalars(), pin).unwrap();
    let shown = shown(&relation);
    assert_eq!(shown[0], "i: '1'|∅|'-3'|'9007199254740992'");
    assert_eq!(shown[3], "g: '0.5'|'1.5'|'2'|'3'");
    assert_eq!(shown[9], "m: '123.45'|'-0.01'|∅|'0.10'");
    assert_eq!(shown[6], "l: 's'|'12'|∅|'y'");
    assert_eq!(report.columns[6].secret, 1);
}

#[test]
fn what_cannot_be_counted_is_an_error() {
    let refused = |column: ArrayRef, expected: &str| {
        let error = read_columns(vec![("a", column)], |_| {})
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("t.parquet"), "{error}");
        assert!(error.contains(expected), "{error}");
    };
    let long = Int64Array::from(vec![1, 9_007_199_254_740_993]);
    refused(
        Arc::new(long),
        "row 2, column \"a\": 9007199254740993 has more digits",
    );
    for (whole, scale, text) in [
        (9_007_199_254_740_993, 0, "9007199254740993"),
        (-900_719_925_474_099_350, 2, "-9007199254740993.50"),
    ] {
        let decimals = Decimal128Array::from(vec![1, whole]);
        refused(
            Arc::new(decimals.with_precision_and_scale(38, scale).unwrap()),
            &format!("row 2, column \"a\": {text} has more digits than a number keeps"),
        );
    }
    refused(
        Arc::new(Float64Array::from(vec![f64::INFINITY])),
        "row 1, column \"a\": inf",
    );
    refused(Arc::new(StringArray::from(vec!["a\0"])), "NUL");
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]);
    refused(Arc::new(list), "neither number nor text");
    let twins: Vec<(&str, ArrayRef)> = ["ID", "id"]
        .map(|name| (name, Arc::new(Int64Array::from(vec![1])) as ArrayRef))
        .into();
    let error = read_columns(twins, |_| {})
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("the same to SQL"), "{error}");
}

#[test]
fn only_what_is_mentioned_is_decoded() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("t.parquet");
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]);
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    write(&path, vec![("nested", Arc::new(list)), ("A", one)]);
    let (relation, _) = read_at(&path, &Mentions::of(["sum(a)"]), |_| {}).unwrap();
    assert_eq!(shown(&relation), ["A: 1"]);
    assert_eq!(relation.available, ["nested", "A"]);
}

#[test]
fn every_truncation_is_an_error() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("t.parquet");
    write(&path, scalars());
    let whole = std::fs::read(&path).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let read = read_at(&path, &Mentions::everything(), |_| {});
        assert!(read.is_err(), "{end} of {} bytes", whole.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn flipped_bytes_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4)) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("t.parquet");
        write(&path, scalars());
        let mut bytes = std::fs::read(&path).unwrap();
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        std::fs::write(&path, &bytes).unwrap();
        let _ = read_at(&path, &Mentions::everything(), |_| {});
    }
}
