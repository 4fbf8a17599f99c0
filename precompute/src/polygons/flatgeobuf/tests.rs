use flatgeobuf::{FgbCrs, FgbWriter, FgbWriterOptions};
use geozero::wkb::Wkb;
use geozero::{ColumnValue, PropertyProcessor};
use proptest::prelude::*;

use super::*;

/// The WKB of squares, one polygon each.
fn squares(count: u32) -> Vec<u8> {
    let mut bytes = vec![1, 6, 0, 0, 0];
    bytes.extend(count.to_le_bytes());
    for part in 0..count {
        let west = f64::from(part) * 2.0;
        bytes.extend([1, 3, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0]);
        for (x, y) in [
            (0.0, 0.0),
            (1.0, 0.0),
            (1.0, 1.0),
            (0.0, 1.0),
            (0.0, 0.0_f64),
        ] {
            bytes.extend(f64::to_le_bytes(west + x));
            bytes.extend(y.to_le_bytes());
        }
    }
    bytes
}

fn write(features: u32, code: i32, wkt: Option<&str>, write_index: bool) -> Vec<u8> {
    let options = FgbWriterOptions {
        write_index,
        crs: FgbCrs {
            code,
            wkt,
            ..FgbCrs::default()
        },
        ..FgbWriterOptions::default()
    };
    let mut writer =
        FgbWriter::create_with_options("a", GeometryType::MultiPolygon, options).unwrap();
    writer.add_column("code", ColumnType::String, |_, _| {});
    writer.add_column("n", ColumnType::Long, |_, _| {});
    writer.add_column("x", ColumnType::Double, |_, _| {});
    writer.add_column("b", ColumnType::Bool, |_, _| {});
    for feature in 0..features {
        let geometry = Wkb(squares(feature % 3 + 1));
        writer
            .add_feature_geom(geometry, |properties| {
                let mut set = |at, name, value: ColumnValue<'_>| {
                    properties.property(at, name, &value).unwrap();
                };
                set(0, "code", ColumnValue::String("01é"));
                set(1, "n", ColumnValue::Long(9_007_199_254_740_993));
                if feature % 2 == 0 {
                    set(2, "x", ColumnValue::Double(0.5));
                }
                set(3, "b", ColumnValue::Bool(true));
            })
            .unwrap();
    }
    let mut bytes = Vec::new();
    writer.write(&mut bytes).unwrap();
    bytes
}

fn read_bytes(bytes: &[u8]) -> Result<Polygons, InputError> {
    read(&OpenedFile::in_memory("a.fgb", bytes.to_vec()), None)
}

fn fails(bytes: &[u8], expected: &str) {
    let error = read_bytes(bytes)
        .map(|p| p.features.len())
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn reads_what_the_crate_writes() {
    for write_index in [true, false] {
        let found = read_bytes(&write(20, 4326, None, write_index)).unwrap();
        assert_eq!(found.columns, ["code", "n", "x", "b"]);
        assert_eq!(found.features.len(), 20);
        let parts: usize = found.features.iter().map(|f| f.geometry.0.len()).sum();
        assert_eq!(parts, (0..20).map(|i| i % 3 + 1).sum::<usize>());
        let with_x = found
            .features
            .iter()
            .filter(|f| f.properties[2] == Value::Number(0.5));
        assert_eq!(with_x.count(), 10);
        for feature in &found.features {
            let expected = [
                Value::Text("01é".into()),
                Value::Text("9007199254740993".into()),
            ];
            assert_eq!(feature.properties[..2], expected);
            assert_eq!(feature.properties[3], Value::Number(1.0));
        }
    }
    assert!(
        read_bytes(&write(0, 4326, None, false))
            .unwrap()
            .features
            .is_empty()
    );
    let by_wkt = write(1, 0, Some("EPSG:3857"), true);
    assert_eq!(read_bytes(&by_wkt).unwrap().features.len(), 1);
    fails(&write(1, 0, None, true), "names no CRS");
    fails(&write(1, 4267, None, true), "shift grid");
}

#[test]
fn hostile_headers() {
    let good = write(2, 4326, None, true);
    fails(b"", "truncated");
    fails(b"fgc\x03fgb\0", "bad magic bytes");
    fails(b"fgb\x03fgc\0", "bad magic bytes");
    fails(b"fgb\x02fgb\0", "version 2");
    for size in [0, 7, (10 << 20) + 1, u32::MAX] {
        let mut bytes = good.clone();
        bytes[8..12].copy_from_slice(&size.to_le_bytes());
        fails(&bytes, "is wrong");
    }
    // The count of features and the node size, where they are in the table.
    let header = usize::try_from(u32::from_le_bytes(good[8..12].try_into().unwrap())).unwrap() + 12;
    let count_at = (12..header - 8)
        .find(|at| good[*at..*at + 8] == 2_u64.to_le_bytes())
        .unwrap();
    for count in [u64::MAX, 5_000_000_000, 1 << 63, 1 << 40] {
        let mut bytes = good.clone();
        bytes[count_at..count_at + 8].copy_from_slice(&count.to_le_bytes());
        fails(&bytes, "do not fit into the file");
    }
    let feature = good.len() - 4 - feature_size(&good);
    for size in [u32::MAX, 1 << 30, 0, 7] {
        let mut bytes = good.clone();
        bytes[feature..feature + 4].copy_from_slice(&size.to_le_bytes());
        fails(&bytes, "is wrong");
    }
    let mut longer = good.clone();
    longer.push(0);
    fails(&longer, "follows the last feature");
}

/// The size of the last feature: the four bytes before it say so.
fn feature_size(bytes: &[u8]) -> usize {
    (8..bytes.len())
        .find(|size| {
            let at = bytes.len() - size - 4;
            let said = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            said as usize == *size && *size > 100
        })
        .expect("a last feature")
}

#[test]
fn index_sizes() {
    let check = |count: u64, node: u16, length: usize, expected: bool| {
        let file = OpenedFile::in_memory("a.fgb", vec![0; length]);
        let mut stream = Stream {
            file: &file,
            reader: BufReader::new(file.reader()),
            offset: 0,
        };
        assert_eq!(
            stream.skip_index(count, node).is_ok(),
            expected,
            "{count} {node}"
        );
    };
    check(0, 16, 0, true);
    check(10, 0, 1_000, true);
    check(10, 16, 11 * 40, true);
    check(10, 16, 11 * 40 - 1, false);
    check(1, 16, 80, true);
    check(1, 16, 79, false);
    check(10, 1, 100_000, false);
    check(10, 2, (10 + 5 + 3 + 2 + 1) * 40, true);
    check(10, u16::MAX, 11 * 40, true);
}

#[test]
fn hostile_properties() {
    let fields = [
        Field {
            name: "a".into(),
            kind: ColumnType::String,
        },
        Field {
            name: "b".into(),
            kind: ColumnType::Int,
        },
    ];
    let check =
        |bytes: &[u8], expected: Result<[Value; 2], &str>| match (row(bytes, &fields), expected) {
            (Ok(row), Ok(expected)) => assert_eq!(row, expected),
            (Err(message), Err(expected)) => assert!(message.contains(expected), "{message}"),
            (found, _) => panic!("{found:?}"),
        };
    let text = |t: &str| Value::Text(t.into());
    check(&[], Ok([Value::Null, Value::Null]));
    check(&[7], Ok([Value::Null, Value::Null]));
    check(
        &[0, 0, 1, 0, 0, 0, b'x', 1, 0, 5, 0, 0, 0],
        Ok([text("x"), Value::Number(5.0)]),
    );
    check(&[2, 0, 1], Err("column 2 of 2"));
    check(&[1, 0, 1], Err("cut off"));
    check(&[0, 0, 1, 0], Err("cut off"));
    check(&[0, 0, 2, 0, 0, 0, b'x'], Err("cut off"));
    check(&[0, 0, 0xfe, 0xff, 0xff, 0xff, b'x'], Err("cut off"));
    check(&[0, 0, 1, 0, 0, 0, 0xff], Err("not UTF-8"));
}

#[test]
fn every_truncation_and_header_bit() {
    let good = write(3, 4326, None, true);
    for end in 0..good.len() {
        assert!(read_bytes(&good[..end]).is_err(), "{end}");
    }
    let header = usize::try_from(u32::from_le_bytes(good[8..12].try_into().unwrap())).unwrap() + 12;
    for bit in 0..header * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = read_bytes(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn damaged_features_are_answered(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut bytes = GOOD.get_or_init(|| write(3, 4326, None, true)).clone();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_bytes(&bytes);
    }
}
