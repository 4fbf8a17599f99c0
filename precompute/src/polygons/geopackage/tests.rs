use proptest::prelude::*;
use rusqlite::types::Null;
use tempfile::TempDir;

use super::*;
use crate::polygons::{PolygonSource, read as read_source};

/// A GeoPackage of two layers, changed by some SQL.
fn package(sql: &str) -> (TempDir, std::path::PathBuf) {
    let directory = TempDir::new().unwrap();
    // Characters that mean something in a URI.
    let path = directory.path().join("a b?c#d%20é.gpkg");
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch(
            "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY,
                 organization TEXT, organization_coordsys_id INTEGER, definition TEXT);
             INSERT INTO gpkg_spatial_ref_sys VALUES
                 ('x', -1, 'NONE', -1, 'undefined'), ('x', 4326, 'EPSG', 4326, 'undefined'),
                 ('x', 100000, 'NONE', 100000, 'PROJCS[\"Web Mercator\",GEOGCS[\"WGS 84\",
                  DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],
                  UNIT[\"degree\",0.0174532925199433]],PROJECTION[\"Mercator_1SP\"]]');
             CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT);
             CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);
             CREATE TABLE \"the \"\"areas\" (fid INTEGER PRIMARY KEY, geom BLOB, code TEXT, n INTEGER,
                 share REAL, raw BLOB);
             INSERT INTO gpkg_contents VALUES ('the \"areas', 'features'), ('other', 'attributes');
             INSERT INTO gpkg_geometry_columns VALUES ('the \"areas', 'geom', 4326);",
        )
        .unwrap();
    let mut add = database
        .prepare("INSERT INTO \"the \"\"areas\" (geom, code, n, share, raw) VALUES (?, ?, ?, ?, ?)")
        .unwrap();
    add.execute((blob(0, 0), "01", 9_007_199_254_740_993_i64, 0.5, b"x"))
        .unwrap();
    add.execute((blob(1, 32), Null, 3, Null, Null)).unwrap();
    add.execute((Null, "03", Null, 1, Null)).unwrap();
    add.execute((blob(4, 64), "04", Null, 1, Null)).unwrap();
    drop(add);
    database.execute_batch(sql).unwrap();
    drop(database);
    (directory, path)
}

fn blob(envelope: u8, bytes: usize) -> Vec<u8> {
    let mut blob = vec![b'G', b'P', 0, 1 | envelope << 1, 0xe6, 0x10, 0, 0];
    blob.extend(vec![0; bytes]);
    blob.extend([1, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0]);
    for n in [2.0, 48.0, 3.0, 48.0, 3.0, 49.0, 2.0, 48.0_f64] {
        blob.extend(n.to_le_bytes());
    }
    blob
}

fn read_with(sql: &str, layer: Option<&str>) -> Result<Polygons, InputError> {
    let (_directory, path) = package(sql);
    read_source(&PolygonSource {
        path,
        layer: layer.map(str::to_owned),
        ..PolygonSource::default()
    })
}

fn fails(sql: &str, expected: &str) {
    let error = read_with(sql, None)
        .map(|p| p.features.len())
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn reads_its_layer() {
    let found = read_with("", None).unwrap();
    assert_eq!(found.columns, ["fid", "code", "n", "share", "raw"]);
    assert_eq!(
        found.features[0].properties,
        [
            Value::Number(1.0),
            Value::Text("01".into()),
            Value::Text("9007199254740993".into()),
            Value::Number(0.5),
            Value::Null
        ]
    );
    assert_eq!(
        found.features[1].properties[1..4],
        [Value::Null, Value::Number(3.0), Value::Null]
    );
    assert_eq!(found.features.len(), 3);
    assert_eq!(
        (found.skipped[0].reason, found.skipped[0].origin.feature),
        ("no_geometry", 3)
    );
    assert!(
        found
            .features
            .iter()
            .all(|f| f.geometry == found.features[0].geometry)
    );
    let by_wkt = "UPDATE gpkg_geometry_columns SET srs_id = 100000";
    let x = read_with(by_wkt, None).unwrap().features[0].geometry.0[0]
        .exterior()
        .0[0]
        .x;
    assert!((x - 2.0).abs() < 1e-9, "{x}");
}

#[test]
fn asks_for_what_is_not_clear() {
    let two = "CREATE TABLE b AS SELECT * FROM \"the \"\"areas\";
               INSERT INTO gpkg_contents VALUES ('b', 'features');
               INSERT INTO gpkg_geometry_columns VALUES ('b', 'geom', 4326);";
    fails(two, "several layers: write one of b, the \"areas as layer");
    assert_eq!(read_with(two, Some("b")).unwrap().features.len(), 3);
    let error = read_with(two, Some("c")).unwrap_err();
    assert!(
        error
            .message
            .contains("no layer \"c\", only b, the \"areas"),
        "{error}"
    );
    fails(
        "UPDATE gpkg_geometry_columns SET srs_id = -1",
        "names no CRS",
    );
    fails(
        "UPDATE gpkg_geometry_columns SET srs_id = 7",
        "names no CRS",
    );
    fails("DELETE FROM gpkg_contents", "no layer of features");
    fails("DROP TABLE gpkg_contents", "no gpkg_contents");
    fails("DROP TABLE \"the \"\"areas\"", "has no table");
    fails(
        "UPDATE gpkg_geometry_columns SET column_name = 'x'",
        "has no column \"x\"",
    );
}

#[test]
fn hostile_tables() {
    let view = "DROP TABLE \"the \"\"areas\";
        CREATE VIEW \"the \"\"areas\" AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)
        SELECT n, NULL AS geom FROM r;";
    fails(view, "is a view");
    let contents = "DROP TABLE gpkg_contents;
        CREATE VIEW gpkg_contents AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)
        SELECT 'x' AS table_name, 'features' AS data_type FROM r;";
    fails(contents, "no gpkg_contents");
    fails(
        "UPDATE \"the \"\"areas\" SET geom = 'POLYGON'",
        "is no blob",
    );
    fails(
        "UPDATE \"the \"\"areas\" SET geom = x'00'",
        "feature 1: its geometry is no GeoPackage blob",
    );
    fails(
        "UPDATE \"the \"\"areas\" SET geom = x'47500001'",
        "is cut off",
    );
    fails(
        "UPDATE \"the \"\"areas\" SET geom = x'4750000f00000000'",
        "unknown envelope",
    );
    fails(
        "UPDATE \"the \"\"areas\" SET geom = x'475000010000000001ff000000'",
        "WKB is damaged",
    );
    fails(
        "UPDATE \"the \"\"areas\" SET code = CAST(x'ff' AS TEXT)",
        "is not UTF-8",
    );
    let (_directory, path) = package("");
    std::fs::write(path.with_extension("gpkg-wal"), b"x").unwrap();
    let source = PolygonSource {
        path: path.clone(),
        ..PolygonSource::default()
    };
    assert!(
        read_source(&source)
            .unwrap_err()
            .message
            .contains("close it first")
    );
    for bytes in [&b""[..], b"SQLite format 3\0", b"not a database at all"] {
        let file = OpenedFile::in_memory("a.gpkg", bytes.to_vec());
        assert!(read_opened(&file, None, None).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damaged_files_are_answered(seed in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), cut: Option<prop::sample::Index>) {
        static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let good = GOOD.get_or_init(|| {
            let (_directory, path) = package("");
            std::fs::read(path).unwrap_or_default()
        });
        let mut bytes = good.clone();
        for (at, byte) in seed {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read_opened(&OpenedFile::in_memory("a.gpkg", bytes), None, None);
    }
}
