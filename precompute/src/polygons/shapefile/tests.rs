use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::value::Value;

type Points<'a> = &'a [(f64, f64)];

const PRJ: &str = "PROJCS[\"RGF93_Lambert_93\",GEOGCS[\"GCS_RGF_1993\",DATUM[\"D_RGF_1993\",\
     SPHEROID[\"GRS_1980\",6378137.0,298.257222101]],PRIMEM[\"Greenwich\",0.0],\
     UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Lambert_Conformal_Conic\"],\
     PARAMETER[\"False_Easting\",700000.0],PARAMETER[\"False_Northing\",6600000.0],\
     PARAMETER[\"Central_Meridian\",3.0],PARAMETER[\"Standard_Parallel_1\",49.0],\
     PARAMETER[\"Standard_Parallel_2\",44.0],PARAMETER[\"Latitude_Of_Origin\",46.5],UNIT[\"Meter\",1.0]]";

/// Clockwise, as exteriors are.
const SQUARE: Points = &[
    (6e5, 6e6),
    (6e5, 6.001e6),
    (6.01e5, 6.001e6),
    (6.01e5, 6e6),
    (6e5, 6e6),
];

/// A polygon record of some rings.
fn shape(kind: u32, rings: &[Points]) -> Vec<u8> {
    let total: usize = rings.iter().map(|ring| ring.len()).sum();
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend([0; 32]);
    for count in [rings.len(), total] {
        bytes.extend(u32::try_from(count).unwrap().to_le_bytes());
    }
    let mut start = 0_u32;
    for ring in rings {
        bytes.extend(start.to_le_bytes());
        start += u32::try_from(ring.len()).unwrap();
    }
    for (x, y) in rings.iter().copied().flatten() {
        bytes.extend(x.to_le_bytes());
        bytes.extend(y.to_le_bytes());
    }
    bytes
}

fn shp(shapes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 100];
    for (number, shape) in (1_u32..).zip(shapes) {
        bytes.extend(number.to_be_bytes());
        bytes.extend(u32::try_from(shape.len() / 2).unwrap().to_be_bytes());
        bytes.extend(shape);
    }
    let words = u32::try_from(bytes.len() / 2).unwrap();
    bytes[..4].copy_from_slice(&9994_u32.to_be_bytes());
    bytes[24..28].copy_from_slice(&words.to_be_bytes());
    bytes[28..32].copy_from_slice(&1000_u32.to_le_bytes());
    bytes[32..36].copy_from_slice(&5_u32.to_le_bytes());
    bytes
}

/// Rows as their bytes, the deletion flag first.
fn dbf(fields: &[(&str, u8, u8)], rows: &[&[u8]], language: u8) -> Vec<u8> {
    let width = 1 + fields
        .iter()
        .map(|(_, _, length)| u16::from(*length))
        .sum::<u16>();
    let start = u16::try_from(33 + 32 * fields.len()).unwrap();
    let mut bytes = vec![0; 32];
    bytes[0] = 3;
    bytes[4..8].copy_from_slice(&u32::try_from(rows.len()).unwrap().to_le_bytes());
    bytes[8..10].copy_from_slice(&start.to_le_bytes());
    bytes[10..12].copy_from_slice(&width.to_le_bytes());
    bytes[29] = language;
    for (name, kind, length) in fields {
        let mut field = [0; 32];
        field[..name.len()].copy_from_slice(name.as_bytes());
        field[11] = *kind;
        field[16] = *length;
        bytes.extend(field);
    }
    bytes.push(0x0d);
    for row in rows {
        assert_eq!(row.len(), usize::from(width), "{row:?}");
        bytes.extend(*row);
    }
    bytes.push(0x1a);
    bytes
}

struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let directory = TempDir::new().unwrap();
        for (name, bytes) in files {
            std::fs::write(directory.path().join(name), bytes).unwrap();
        }
        Self(directory)
    }

    fn read(&self) -> Result<Polygons, InputError> {
        super::super::read(&super::super::PolygonSource {
            path: self.0.path().join("a.shp"),
            ..Default::default()
        })
    }

    fn fails(&self, expected: &str) {
        let error = self
            .read()
            .map(|p| p.features.len())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.0.path()).join(name)
    }
}

fn one(shape_bytes: Vec<u8>) -> Files {
    let table = dbf(&[("code", b'C', 2)], &[b" 01"], 0);
    Files::new(&[
        ("a.shp", &shp(&[shape_bytes])),
        ("a.dbf", &table),
        ("a.prj", PRJ.as_bytes()),
    ])
}

#[test]
fn fields_of_every_type() {
    let fields = [
        ("code", b'C', 5),
        ("n", b'N', 8),
        ("f", b'F', 6),
        ("big", b'N', 17),
        ("yes", b'L', 1),
        ("day", b'D', 8),
        ("i", b'I', 4),
        ("o", b'O', 8),
        ("memo", b'M', 10),
        ("none", b'C', 0),
    ];
    let mut first = format!(
        " {:<5}{:>8}{:<6}{:>17}T20220410",
        "007", "-12.5", "1e3", "90071992547409931"
    )
    .into_bytes();
    first.extend((-5_i32).to_le_bytes());
    first.extend(2.5_f64.to_le_bytes());
    first.extend([b' '; 10]);
    let mut second = format!(" {:5}{:*>8}{:6}{:>17}?{:8}", "", "", "", "***", "").into_bytes();
    second.extend([0; 4]);
    second.extend(f64::NAN.to_le_bytes());
    second.extend([b'1'; 10]);
    let rows: [&[u8]; 2] = [&first, &second];
    let shapes = [shape(5, &[SQUARE]), shape(5, &[SQUARE])];
    let files = Files::new(&[
        ("a.shp", &shp(&shapes)),
        ("A.DBF", &dbf(&fields, &rows, 0)),
        ("a.prj", PRJ.as_bytes()),
    ]);
    let found = files.read().unwrap();
    let text = |t: &str| Value::Text(t.into());
    assert_eq!(found.columns.len(), 10);
    assert_eq!(
        found.features[0].properties,
        [
            text("007"),
            Value::Number(-12.5),
            Value::Number(1000.0),
            text("90071992547409931"),
            Value::Number(1.0),
            text("2022-04-10"),
            Value::Number(-5.0),
            Value::Number(2.5),
            Value::Null,
            Value::Null
        ]
    );
    assert!(
        found.features[1]
            .properties
            .iter()
            .enumerate()
            .all(|(at, value)| {
                *value
                    == if at == 6 {
                        Value::Number(0.0)
                    } else {
                        Value::Null
                    }
            })
    );
    let notes: Vec<(&str, u64)> = found
        .notes
        .iter()
        .map(|note| (note.reason, note.origin.feature))
        .collect();
    assert_eq!(
        notes,
        [
            ("invalid_number", 2),
            ("invalid_number", 2),
            ("type_not_read", 2)
        ]
    );
    assert_eq!(
        found.notes[1].detail,
        "column \"big\": 1 cells are missing, the first holds \"***\""
    );
}

#[test]
fn a_decimal_comma_is_read_where_the_field_has_decimals() {
    let check = |decimals: u8, cell: &str, expected: Option<f64>| {
        let row = format!(" {cell:>6}");
        let mut table = dbf(&[("n", b'N', 6)], &[row.as_bytes()], 0);
        table[32 + 17] = decimals;
        let files = Files::new(&[
            ("a.shp", &shp(&[shape(5, &[SQUARE])])),
            ("a.dbf", &table),
            ("a.prj", PRJ.as_bytes()),
        ]);
        let found = files.read().unwrap();
        let value = expected.map_or(Value::Null, Value::Number);
        assert_eq!(found.features[0].properties, [value], "{cell}");
        let notes = usize::from(expected.is_none());
        assert_eq!(found.notes.len(), notes, "{cell}");
    };
    check(2, "1,50", Some(1.5));
    check(2, "-1,5", Some(-1.5));
    check(3, "1,234", Some(1.234));
    check(2, "1,234", None);
    check(0, "1,50", None);
    check(2, "1,5,0", None);
    check(2, "1.5,0", None);
    check(2, "- 5", None);
    check(2, "-", None);
    check(2, "1-2", None);
    check(2, "+7", Some(7.0));
}

#[test]
fn texts_in_their_encoding() {
    let read = |text: &[u8; 4], language: u8, cpg: Option<&[u8]>| {
        let mut row = b" ".to_vec();
        row.extend(text);
        let table = dbf(&[("name", b'C', 4)], &[&row], language);
        let shapes = shp(&[shape(5, &[SQUARE])]);
        let mut files = vec![
            ("a.shp", &*shapes),
            ("a.dbf", &*table),
            ("a.prj", PRJ.as_bytes()),
        ];
        files.extend(cpg.map(|cpg| ("a.cpg", cpg)));
        let found = Files::new(&files).read()?;
        Ok::<_, InputError>(found.features[0].properties[0].clone())
    };
    let is = |found: Result<Value, InputError>, expected: &str| {
        assert_eq!(found, Ok(Value::Text(expected.into())));
    };
    is(read(b"\xc3\xa9t ", 0, None), "ét");
    is(read(b"\xc3\xa9t ", 0x57, None), "ét");
    is(read(b"\xe9t  ", 0, None), "ét");
    is(read(b"\xe9t  ", 0x57, None), "ét");
    is(read(b"\xe9t  ", 0xc9, None), "йt");
    is(read(b"\xe9t  ", 0, Some(b"ISO-8859-1\n")), "ét");
    is(read(b"\xe9t  ", 0, Some(b"ANSI 1252")), "ét");
    is(read(b"\xe9t  ", 0, Some(b"88591")), "ét");
    is(read(b"\xc3\xa9t ", 0, Some(b"UTF-8")), "ét");
    is(read(b"\xc3\xa9t ", 0, Some(b"65001")), "ét");
    is(read(b"\xe9t  ", 0, Some(b"cp1251")), "йt");
    is(read(b"abc ", 0x02, None), "abc");
    let fails = |found: Result<Value, InputError>, expected: &str| {
        let error = found.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    fails(
        read(b"\xe9t  ", 0, Some(b"UTF-8")),
        "row 1, column \"name\": its text is not UTF-8",
    );
    fails(
        read(b"abcd", 0, Some(b"KLINGON")),
        "\"KLINGON\", which is not read",
    );
    fails(read(b"\x82t  ", 0x02, None), "DOS encoding");
}

#[test]
fn rings_and_kinds() {
    let hole: Points = &[
        (6.002e5, 6.0002e6),
        (6.004e5, 6.0002e6),
        (6.004e5, 6.0004e6),
        (6.002e5, 6.0002e6),
    ];
    let found = one(shape(5, &[hole, SQUARE])).read().unwrap();
    let polygon = &found.features[0].geometry.0;
    assert_eq!((polygon.len(), polygon[0].interiors().len()), (1, 1));
    assert!(found.repaired.is_empty() && found.flattened == 0);
    let with_z = [shape(15, &[SQUARE]), vec![0; 60]].concat();
    assert_eq!(one(with_z).read().unwrap().flattened, 1);
    for (bytes, reason) in [
        (0_u32.to_le_bytes().to_vec(), "no_geometry"),
        (
            [&1_u32.to_le_bytes()[..], &[0; 16]].concat(),
            "not_a_polygon",
        ),
        (shape(3, &[SQUARE]), "not_a_polygon"),
        (shape(5, &[]), "empty_geometry"),
        (shape(5, &[&[]]), "empty_geometry"),
        (shape(5, &[&SQUARE[..1]]), "degenerate_ring"),
        (shape(5, &[&[(f64::NAN, 1.0); 4]]), "not_finite"),
        (
            shape(
                5,
                &[&[(7e5, 1e9), (7.1e5, 9.9e8), (7.2e5, 9.9e8), (7e5, 1e9)]],
            ),
            "beyond_mercator",
        ),
    ] {
        let found = one(bytes).read().unwrap();
        assert_eq!(
            found.skipped.iter().map(|n| n.reason).collect::<Vec<_>>(),
            [reason]
        );
        assert_eq!(found.skipped[0].detail, r#"{"code":"01"}"#);
    }
}

#[test]
fn deleted_rows_are_skipped() {
    let table = dbf(&[("code", b'C', 2)], &[b" 01", b"*02", b" 03"], 0);
    let shapes = vec![shape(5, &[SQUARE]); 3];
    let files = Files::new(&[
        ("a.shp", &shp(&shapes)),
        ("a.dbf", &table),
        ("a.prj", PRJ.as_bytes()),
    ]);
    let found = files.read().unwrap();
    assert_eq!(found.features.len(), 2);
    assert_eq!(
        (found.skipped[0].reason, found.skipped[0].origin.feature),
        ("deleted_row", 2)
    );
}

#[test]
fn files_that_do_not_belong_together() {
    let table = dbf(&[("code", b'C', 2)], &[b" 01"], 0);
    let shapes = shp(&[shape(5, &[SQUARE])]);
    let two = shp(&vec![shape(5, &[SQUARE]); 2]);
    let none = shp(&[]);
    let prj = ("a.prj", PRJ.as_bytes());
    Files::new(&[("a.shp", &shapes), prj]).fails("its .dbf is missing");
    Files::new(&[("a.shp", &shapes), ("a.dbf", &table)]).fails("names no CRS: write it as crs");
    Files::new(&[("a.shp", &shapes), ("a.dbf", &table), ("a.prj", b" \r\n")])
        .fails("names no CRS: write it as crs");
    Files::new(&[
        ("a.shp", &shapes),
        ("a.dbf", &table),
        ("a.prj", b"LOCAL_CS[\"x\"]"),
    ])
    .fails("not a CRS");
    Files::new(&[("a.shp", &two), ("a.dbf", &table), prj]).fails("more shapes than the 1 rows");
    Files::new(&[("a.shp", &none), ("a.dbf", &table), prj]).fails("fewer shapes than the 1 rows");
    Files::new(&[("a.shp", b""), ("a.dbf", &table), prj]).fails("truncated");
    Files::new(&[("a.shp", &[7; 200]), ("a.dbf", &table), prj]).fails("not a .shp");
    let twins = dbf(&[("code", b'C', 1), ("code", b'C', 1)], &[b" 01"], 0);
    Files::new(&[("a.shp", &shapes), ("a.dbf", &twins), prj]).fails("two columns have this name");
    let files = Files::new(&[("a.shp", &shapes), ("a.dbf", &table)]);
    let source = super::super::PolygonSource {
        path: files.path("*.shp"),
        crs: Some("EPSG:2154".to_owned()),
        ..Default::default()
    };
    assert_eq!(super::super::read(&source).unwrap().features.len(), 1);
}

#[test]
fn lying_headers() {
    let table = dbf(&[("code", b'C', 2)], &[b" 01"], 0);
    let shapes = shp(&[shape(5, &[SQUARE, SQUARE])]);
    let with = |at: usize, bytes: &[u8], expected: &str| {
        let mut lying = shapes.clone();
        lying[at..at + bytes.len()].copy_from_slice(bytes);
        Files::new(&[
            ("a.shp", &lying),
            ("a.dbf", &table),
            ("a.prj", PRJ.as_bytes()),
        ])
        .fails(expected);
    };
    let (length, parts, points, first, second) = (104, 144, 148, 152, 156);
    with(24, &u32::MAX.to_be_bytes(), "its header says");
    with(24, &60_u32.to_be_bytes(), "its header says");
    with(length, &u32::MAX.to_be_bytes(), "truncated");
    with(length, &1_u32.to_be_bytes(), "more shapes than");
    with(108, &77_u32.to_le_bytes(), "shape type is unknown");
    for count in [i32::MAX, -1, 1000, 0] {
        let bytes = &count.to_le_bytes();
        if count != 0 {
            with(parts, bytes, "more than its record holds");
        }
        with(
            points,
            bytes,
            if count == 0 {
                "not in order"
            } else {
                "more than its record holds"
            },
        );
    }
    with(first, &1_u32.to_le_bytes(), "not in order");
    with(second, &11_u32.to_le_bytes(), "not in order");
    with(second, &u32::MAX.to_le_bytes(), "not in order");
    let with = |at: usize, bytes: &[u8], expected: &str| {
        let mut lying = table.clone();
        lying[at..at + bytes.len()].copy_from_slice(bytes);
        Files::new(&[
            ("a.shp", &shapes),
            ("a.dbf", &lying),
            ("a.prj", PRJ.as_bytes()),
        ])
        .fails(expected);
    };
    with(4, &u32::MAX.to_le_bytes(), "too short for them");
    with(8, &u16::MAX.to_le_bytes(), "header is damaged");
    with(8, &0_u16.to_le_bytes(), "header is damaged");
    with(10, &u16::MAX.to_le_bytes(), "do not add up");
    with(32 + 16, &[255], "do not add up");
    with(32 + 16, &[0], "do not add up");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn any_bytes_are_answered(which in 0_usize..2, at in 0_usize..400, byte: u8, cut in 0_usize..400) {
        let mut table = dbf(&[("code", b'C', 2), ("n", b'N', 3)], &[b" 01 12", b"*02  5"], 0);
        let mut shapes = shp(&[shape(5, &[SQUARE, SQUARE]), shape(15, &[SQUARE])]);
        let damaged = if which == 0 { &mut table } else { &mut shapes };
        let at = at % damaged.len();
        damaged[at] = byte;
        damaged.truncate(damaged.len() - if cut < 200 { cut % damaged.len() } else { 0 });
        let _ = Files::new(&[("a.shp", &shapes), ("a.dbf", &table), ("a.prj", PRJ.as_bytes())]).read();
    }
}
