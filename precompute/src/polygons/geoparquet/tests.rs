use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    StructArray, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::*;

fn triangle() -> Vec<u8> {
    let mut bytes = vec![1, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0];
    for n in [2.0, 48.0, 3.0, 48.0, 3.0, 49.0, 2.0, 48.0_f64] {
        bytes.extend(n.to_le_bytes());
    }
    bytes
}

fn batch(geometry: ArrayRef) -> RecordBatch {
    let rows = geometry.len();
    let every = |of: &dyn Fn(usize) -> Option<i64>| Int64Array::from_iter((0..rows).map(of));
    let xmin: ArrayRef = Arc::new(Float64Array::from(vec![2.0; rows]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "code",
            Arc::new(StringArray::from_iter(
                (0..rows).map(|r| (r != 1).then(|| format!("0{r}"))),
            )),
        ),
        (
            "n",
            Arc::new(every(&|r| (r == 0).then_some(9_007_199_254_740_993))),
        ),
        (
            "x",
            Arc::new(Float64Array::from_iter(
                (0..rows).map(|r| if r == 0 { f64::NAN } else { 0.5 }),
            )),
        ),
        ("geom", geometry),
        ("b", Arc::new(BooleanArray::from(vec![true; rows]))),
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX; rows]))),
        ("day", Arc::new(Date32Array::from(vec![19_092; rows]))),
    ];
    let bbox = StructArray::from(vec![(
        Arc::new(arrow_schema::Field::new(
            "xmin",
            arrow_schema::DataType::Float64,
            false,
        )),
        xmin,
    )]);
    let columns = columns
        .into_iter()
        .chain([("bbox", Arc::new(bbox) as ArrayRef)]);
    RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, array)| (name, array, name != "bbox")),
    )
    .unwrap()
}

fn write(batch: &RecordBatch, geo: Option<&str>) -> Vec<u8> {
    let metadata = geo.map(|geo| vec![KeyValue::new("geo".to_owned(), geo.to_owned())]);
    let properties = WriterProperties::builder()
        .set_key_value_metadata(metadata)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

const GEO: &str = r#"{"version":"1.1.0","primary_column":"geom","columns":{"geom":{"encoding":"WKB","geometry_types":[]}}}"#;

fn wkb(values: Vec<Option<&[u8]>>) -> ArrayRef {
    Arc::new(BinaryArray::from(values))
}

fn read_bytes(bytes: &[u8], geometry: Option<&str>) -> Result<Polygons, InputError> {
    read(
        &OpenedFile::in_memory("a.parquet", bytes.to_vec()),
        geometry,
        None,
    )
}

fn fails(bytes: &[u8], expected: &str) {
    let error = read_bytes(bytes, None)
        .map(|p| p.features.len())
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn reads_columns_and_geometry() {
    let triangle = triangle();
    let good = batch(wkb(vec![Some(&triangle), Some(&triangle), None]));
    let found = read_bytes(&write(&good, Some(GEO)), None).unwrap();
    assert_eq!(found.columns, ["code", "n", "x", "b", "u", "day"]);
    let text = |t: &str| Value::Text(t.into());
    assert_eq!(
        found.features[0].properties,
        [
            text("00"),
            text("9007199254740993"),
            Value::Null,
            Value::Number(1.0),
            text("18446744073709551615"),
            text("2022-04-10")
        ]
    );
    assert_eq!(
        found.features[1].properties[..3],
        [Value::Null, Value::Null, Value::Number(0.5)]
    );
    assert_eq!(
        (found.skipped[0].reason, found.skipped[0].origin.feature),
        ("no_geometry", 3)
    );
    let many = batch(wkb(vec![Some(&triangle); 3 * BATCH + 5]));
    let found = read_bytes(&write(&many, Some(GEO)), None).unwrap();
    assert!(
        found
            .features
            .iter()
            .map(|f| f.origin.feature)
            .eq(1..=3 * BATCH as u64 + 5)
    );
}

#[test]
fn the_crs_is_in_the_metadata() {
    let triangle = triangle();
    let good = batch(wkb(vec![Some(&triangle)]));
    let with = |crs: &str| {
        write(
            &good,
            Some(&GEO.replace("\"WKB\"", &format!("\"WKB\",\"crs\":{crs}"))),
        )
    };
    let x = |crs: &str| {
        read_bytes(&with(crs), None).unwrap().features[0].geometry.0[0]
            .exterior()
            .0[0]
            .x
    };
    assert!(x(r#"{"id":{"authority":"OGC","code":"CRS84"}}"#) > 1e5);
    assert!(x(r#"{"id":{"authority":"EPSG","code":4326}}"#) > 1e5);
    assert!(x(r#"{"id":{"authority":"EPSG","code":"3857"}}"#) < 10.0);
    fails(&with("null"), "names no CRS");
    fails(
        &with(r#"{"name":"Lambert"}"#),
        "CRS \"Lambert\" has no code",
    );
    fails(
        &with(r#"{"id":{"authority":"EPSG","code":4267}}"#),
        "shift grid",
    );
}

#[test]
fn metadata_that_is_wrong() {
    let triangle = triangle();
    let good = batch(wkb(vec![Some(&triangle)]));
    fails(&write(&good, None), "no geo metadata");
    fails(&write(&good, Some("{")), "geo metadata is damaged");
    let twice = GEO.replace("\"columns\"", "\"primary_column\":\"x\",\"columns\"");
    fails(
        &write(&good, Some(&twice)),
        "duplicate field `primary_column`",
    );
    fails(
        &write(&good, Some(&GEO.replace("geom\"", "nowhere\""))),
        "no column \"nowhere\"",
    );
    fails(
        &write(&good, Some(&GEO.replacen("geom\"", "nowhere\"", 1))),
        "no column \"nowhere\"",
    );
    fails(
        &write(&good, Some(&GEO.replace("WKB", "multipolygon"))),
        "only WKB is read",
    );
    fails(
        &write(&good, Some(&GEO.replace("geom\"", "code\""))),
        "holds Utf8, not WKB",
    );
    let plain = write(&good, None);
    let given = read_bytes(&plain, Some("geom")).unwrap_err();
    assert!(given.message.contains("names no CRS"), "{given}");
    let file = OpenedFile::in_memory("a.parquet", plain);
    let found = read(&file, Some("geom"), Some(&Crs::degrees())).unwrap();
    assert_eq!(found.features.len(), 1);
    let bad = batch(wkb(vec![Some(&triangle), Some(&[1, 255, 0, 0, 0])]));
    fails(&write(&bad, Some(GEO)), "feature 2: its WKB is damaged");
    let nested = [1, 7, 0, 0, 0, 1, 0, 0, 0].repeat(100_000);
    fails(
        &write(&batch(wkb(vec![Some(&nested)])), Some(GEO)),
        "too deeply",
    );
}

#[test]
fn bombs_and_lies() {
    let triangle = triangle();
    let good = write(&batch(wkb(vec![Some(&triangle)])), Some(GEO));
    for end in 0..good.len() {
        assert!(read_bytes(&good[..end], None).is_err(), "{end}");
    }
    let footer = good.len() - 8;
    for length in [0, 1, u32::MAX, 1 << 31, u32::try_from(good.len()).unwrap()] {
        let mut lying = good.clone();
        lying[footer..footer + 4].copy_from_slice(&length.to_le_bytes());
        assert!(read_bytes(&lying, None).is_err(), "{length}");
    }
    // Two million empty cells cost a few bytes.
    let empty = batch(wkb(vec![None; 2_000_000]));
    fails(&write(&empty, Some(GEO)), "claims 2000000 rows");
    // A large value, once in the dictionary and many times in the column.
    let mut large = triangle;
    large.resize(1 << 20, 0);
    let bomb = batch(wkb(vec![Some(&large); 2_000]));
    let bytes = write(&bomb, Some(GEO));
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    fails(&bytes, "damaged");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn damaged_files_are_answered(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut bytes = GOOD
            .get_or_init(|| {
                let triangle = triangle();
                write(&batch(wkb(vec![Some(&triangle), None, Some(&triangle)])), Some(GEO))
            })
            .clone();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_bytes(&bytes, None);
    }
}
