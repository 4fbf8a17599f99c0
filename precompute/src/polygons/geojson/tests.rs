use proptest::prelude::*;

use super::super::Feature;
use super::*;
use crate::value::Value;

fn read_text(text: impl AsRef<[u8]>) -> Result<Polygons, InputError> {
    let file = OpenedFile::in_memory("a.geojson", text.as_ref().to_vec());
    read(&file, Format::GeoJson, None)
}

const SQUARE: &str = "[[[2,48],[3,48],[3,49],[2,49],[2,48]]]";

fn feature(properties: &str, geometry: &str) -> String {
    format!(r#"{{"type":"Feature","properties":{properties},"geometry":{geometry}}}"#)
}

fn polygon(coordinates: &str) -> String {
    feature(
        "{}",
        &format!(r#"{{"type":"Polygon","coordinates":{coordinates}}}"#),
    )
}

fn collection(features: &[String]) -> String {
    format!(
        r#"{{"type":"FeatureCollection","features":[{}]}}"#,
        features.join(",")
    )
}

fn ok(text: impl AsRef<[u8]>) -> Polygons {
    let text = text.as_ref();
    read_text(text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(text)))
}

/// The error's text holds `expected`.
fn fails(text: impl AsRef<[u8]>, expected: &str) {
    let error = read_text(text.as_ref())
        .map(|p| p.features.len())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(expected) && error.starts_with("a.geojson"),
        "{error}"
    );
}

/// The only feature is skipped for `reason`.
fn skips(geometry: &str, reason: &str) {
    let found = ok(collection(&[feature(r#"{"code":"x"}"#, geometry)]));
    assert!(found.features.is_empty());
    let note = &found.skipped[0];
    assert_eq!(
        (note.reason, note.origin.feature),
        (reason, 1),
        "{geometry}"
    );
    assert_eq!(note.detail, r#"{"code":"x"}"#);
}

#[test]
fn every_shape_of_document() {
    let one = polygon(SQUARE);
    for text in [
        collection(std::slice::from_ref(&one)),
        one.clone(),
        format!("\u{feff}{one}"),
        format!("\n {one} \n"),
        format!("\u{1e}{one}\n"),
        format!(r#"{{"features":[{one}],"type":"FeatureCollection","name":"x","bbox":[1,2,3,4]}}"#),
        format!(r#"{{ "type" : "FeatureCollection" , "features" : [ {one} ] }}"#),
        one.replace(':', " : "),
    ] {
        let found = ok(&text);
        assert_eq!(found.features.len(), 1, "{text}");
        assert_eq!(found.features[0].origin.feature, 1);
        assert!(found.repaired.is_empty() && found.skipped.is_empty());
    }
    for text in [
        format!("{one}\n{one}\n"),
        format!("\u{1e}{one}\n\u{1e}{one}\n"),
        format!("{one}\r\n{one}"),
        collection(&[one.clone(), one.clone()]),
    ] {
        assert_eq!(ok(&text).features.len(), 2);
    }
    assert!(ok(collection(&[])).features.is_empty());
}

#[test]
fn properties_keep_their_values() {
    let found = ok(collection(&[
        feature(
            r#"{"a":1.5,"b":"0101","c":true,"d":null,"e":{"x":[1, 2]},"f":9007199254740993,"g":"a\u00e9\n"}"#,
            &format!(r#"{{"type":"Polygon","coordinates":{SQUARE}}}"#),
        ),
        feature(
            r#"{"b":"x","h":-2,"a":0}"#,
            &format!(r#"{{"type":"Polygon","coordinates":{SQUARE}}}"#),
        ),
        polygon(SQUARE).replace(r#""properties""#, r#""id":"n1","properties""#),
    ]));
    let text = |t: &str| Value::Text(t.into());
    let rows: Vec<&[Value]> = found
        .features
        .iter()
        .map(|f: &Feature| &*f.properties)
        .collect();
    assert_eq!(
        found.columns,
        ["a", "b", "c", "d", "e", "f", "g", "h", "id"]
    );
    assert_eq!(
        rows[0],
        [
            Value::Number(1.5),
            text("0101"),
            Value::Number(1.0),
            Value::Null,
            text(r#"{"x":[1, 2]}"#),
            text("9007199254740993"),
            text("aé\n"),
            Value::Null,
            Value::Null
        ]
    );
    assert_eq!(rows[1][..2], [Value::Number(0.0), text("x")]);
    assert_eq!(rows[1][7], Value::Number(-2.0));
    assert_eq!(rows[2][8], text("n1"));
}

#[test]
fn damaged_documents() {
    let good = collection(&[polygon(SQUARE), polygon(SQUARE)]);
    for end in 0..good.len() {
        assert!(read_text(&good[..end]).is_err(), "{end}");
    }
    fails("", "empty");
    fails("\u{feff}", "empty");
    fails("[1]", "start with '{'");
    fails("5", "start with '{'");
    fails(b"\xff\xfe{\0", "UTF-16");
    fails("{}", "no \"type\"");
    fails(r#"{"type":"Polygon","coordinates":[]}"#, "bare geometry");
    fails(r#"{"type":"Topology","objects":{}}"#, "TopoJSON");
    fails(r#"{"type":"FeatureCollection"}"#, "no \"features\"");
    fails(
        r#"{"type":"featurecollection","features":[]}"#,
        "very spelling",
    );
    fails(
        polygon(SQUARE).replace("Feature", "feature"),
        "very spelling",
    );
    fails(
        collection(&[polygon(SQUARE).replace("Feature", "feature")]),
        "not \"Feature\"",
    );
    fails(format!("{good}{good}"), "follows the end");
    fails(format!("{good},"), "follows the end");
    fails(collection(&["5".to_owned()]), "feature 1");
    fails(good.replacen("},{", "}{", 1), "expected ','");
    fails("{".to_owned() + &"[".repeat(100_000), "in quotes");
    fails(
        collection(&[polygon(&"[".repeat(100_000))]),
        "nested deeper",
    );
    fails(
        collection(&[feature(&r#"{"a":"#.repeat(10_000), "null")]),
        "nested deeper",
    );
}

#[test]
fn damaged_features() {
    let with = |text: &str| collection(&[polygon(SQUARE), text.to_owned()]);
    let twice = r#"{"type":"Feature","properties":{},"geometry":null,"geometry":null}"#;
    fails(with(twice), "duplicate field `geometry`");
    fails(
        with(&feature(r#"{"a":1,"b":2,"a":3}"#, "null")),
        "\"a\" comes twice",
    );
    fails(with(&polygon(r#"[[["1","2"]]]"#)), "not numbers");
    fails(
        with(&polygon("[[[1],[2,3],[4,5],[1]]]")),
        "fewer than two numbers",
    );
    fails(with(&polygon("[[[]]]")), "fewer than two numbers");
    fails(with(&polygon("[[1,2],[3,4]]")), "not nested");
    fails(with(&polygon("[[[[1,2]]]]")), "nested too deeply");
    fails(with(&polygon("[[[1,null]]]")), "not numbers");
    fails(with(&polygon("[[[1,NaN]]]")), "not a GeoJSON feature");
    fails(with(&polygon("[[[1,01]]]")), "not a GeoJSON feature");
    fails(with(&polygon("5")), "no array");
    fails(with(&polygon("{}")), "no array");
    fails(
        with(&feature("{}", r#"{"type":"polygon","coordinates":[]}"#)),
        "which GeoJSON has not",
    );
    fails(
        with(&feature("{}", r#"{"coordinates":[]}"#)),
        "which GeoJSON has not",
    );
    fails(with(&feature("{}", r#""x""#)), "not a GeoJSON feature");
    fails(with(&feature("5", "null")), "not a GeoJSON feature");
    let mut latin = with(&feature(r#"{"a":"Bes@ncon"}"#, "null")).into_bytes();
    let at = latin.iter().position(|b| *b == b'@').unwrap();
    latin[at] = 0xe7;
    fails(&latin, "feature 2");
    let error = read_text(&latin).unwrap_err();
    assert!(error.message.contains(&format!("byte {at}")), "{error}");
    let nested = r#"{"type":"GeometryCollection","geometries":["#.repeat(100) + &"]}".repeat(100);
    fails(with(&feature("{}", &nested)), "nested deeper");
    let less = r#"{"type":"GeometryCollection","geometries":["#.repeat(80) + &"]}".repeat(80);
    fails(with(&feature("{}", &less)), "feature 2");
}

#[test]
fn features_without_a_polygon_are_skipped() {
    skips("null", "no_geometry");
    skips(r#"{"type":"Polygon","coordinates":null}"#, "no_geometry");
    skips(r#"{"type":"Polygon"}"#, "no_geometry");
    skips(r#"{"type":"Polygon","coordinates":[]}"#, "empty_geometry");
    skips(r#"{"type":"Polygon","coordinates":[[]]}"#, "empty_geometry");
    skips(
        r#"{"type":"MultiPolygon","coordinates":[]}"#,
        "empty_geometry",
    );
    skips(
        r#"{"type":"GeometryCollection","geometries":[]}"#,
        "empty_geometry",
    );
    skips(r#"{"type":"Point","coordinates":[1,2]}"#, "not_a_polygon");
    skips(
        r#"{"type":"LineString","coordinates":[[1,2],[3,4]]}"#,
        "not_a_polygon",
    );
    skips(
        r#"{"type":"Polygon","coordinates":[[[1,1]]]}"#,
        "degenerate_ring",
    );
    skips(
        r#"{"type":"Polygon","coordinates":[[[1,1],[2,2],[1,1]]]}"#,
        "degenerate_ring",
    );
    skips(
        r#"{"type":"Polygon","coordinates":[[[1,1],[1,1],[1,1],[1,1]]]}"#,
        "degenerate_ring",
    );
    skips(
        r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[1e308,2],[1,1]]]}"#,
        "not_finite",
    );
    skips(
        r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[1e400,2],[1,1]]]}"#,
        "not_finite",
    );
    // Along a parallel; a slanted line in degrees is a curve on the map, so it has an area there.
    skips(
        r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[3,1],[1,1]]]}"#,
        "no_area",
    );
    let missing = r#"{"type":"Feature","properties":{}}"#.to_owned();
    assert_eq!(ok(collection(&[missing])).skipped[0].reason, "no_geometry");
}

#[test]
fn extra_dimensions_and_parts_are_left_out() {
    let deep = |extra: &str| {
        let position = |x, y| format!("[{x},{y}{extra}]");
        let ring = [(2, 48), (3, 48), (3, 49), (2, 48)]
            .map(|(x, y)| position(x, y))
            .join(",");
        polygon(&format!("[[{ring}]]"))
    };
    let flat = ok(deep(""));
    for extra in [",5", ",5,6", ",null", &",1".repeat(1000)] {
        match read_text(deep(extra)) {
            Ok(found) => {
                assert_eq!(found.features[0].geometry, flat.features[0].geometry);
                assert_eq!((found.flattened, found.repaired.len()), (1, 0));
            }
            Err(error) => assert!(extra == ",null" && error.message.contains("not numbers")),
        }
    }
    let parts = format!(
        r#"{{"type":"GeometryCollection","geometries":[{{"type":"Point","coordinates":[1,2]}},
           {{"type":"GeometryCollection","geometries":[{{"type":"Polygon","coordinates":{SQUARE}}}]}}]}}"#
    );
    let found = ok(feature("{}", &parts));
    assert_eq!(found.features.len(), 1);
    assert_eq!(found.repaired[0].reason, "other_parts");
}

#[test]
fn the_crs_is_read_wherever_it_stands() {
    let l93 = "[[[652000,6862000],[653000,6862000],[653000,6863000],[652000,6862000]]]";
    let crs = r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::2154"}}"#;
    let features = format!(r#""features":[{}]"#, polygon(l93));
    let kind = r#""type":"FeatureCollection""#;
    let first = ok(format!("{{{kind},{crs},{features}}}"));
    let x = first.features[0].geometry.0[0].exterior().0[0].x;
    assert!((x - 261_135.0).abs() < 2_000.0, "{x}");
    let last = ok(format!("{{{features},{kind},{crs}}}"));
    assert_eq!(first.features[0].geometry, last.features[0].geometry);
    let by_code = crs.replace(r#""name":"urn:ogc:def:crs:EPSG::2154""#, r#""code":2154"#);
    assert_eq!(
        ok(format!("{{{kind},{by_code},{features}}}"))
            .features
            .len(),
        1
    );
    let feature_own = ok(format!("{{{crs},{}", &polygon(l93)[1..]));
    assert_eq!(first.features[0].geometry, feature_own.features[0].geometry);
    fails(format!("{{{kind},{features}}}"), "metres");
    fails(
        format!("{{{kind},{},{features}}}", crs.replace("2154", "4267")),
        "shift grid",
    );
    fails(
        format!(r#"{{{kind},"crs":{{"type":"link"}},{features}}}"#),
        "names no CRS",
    );
    fails(format!(r#"{{{kind},"crs":5,{features}}}"#), "damaged");
    fails(
        collection(&[polygon("[[[48,102],[49,102],[49,103],[48,102]]]")]),
        "swapped",
    );
    let degrees = format!("{{{kind},{crs},\"features\":[{}]}}", polygon(SQUARE));
    fails(degrees, "look like degrees");
    let given = Crs::parse("EPSG:2154").unwrap();
    let file = OpenedFile::in_memory("a.geojson", format!("{{{kind},{features}}}").into_bytes());
    assert_eq!(
        read(&file, Format::GeoJson, Some(&given))
            .unwrap()
            .features
            .len(),
        1
    );
}

#[test]
fn long_files_are_read_in_batches() {
    let ring: Vec<String> = (0..2_000_u32)
        .map(|i| {
            let angle = f64::from(i) / 2_000.0 * std::f64::consts::TAU;
            format!("[{},{}]", angle.cos(), angle.sin())
        })
        .collect();
    let one = polygon(&format!("[[{},{}]]", ring.join(","), ring[0]));
    let count = 3 * BATCH / one.len() + 2;
    let text = collection(&vec![one; count]);
    let found = ok(&text);
    assert_eq!(found.features.len(), count);
    assert!(
        found
            .features
            .iter()
            .map(|f| f.origin.feature)
            .eq(1..=count as u64)
    );
    assert!(
        found
            .features
            .iter()
            .all(|f| f.geometry == found.features[0].geometry)
    );
    // A fault in the last batch names its byte.
    let broken = &text[..text.len() - 20];
    assert!(read_text(broken).unwrap_err().message.contains("truncated"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn damaged_texts_are_answered(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut: Option<prop::sample::Index>,
    ) {
        let crs = r#""crs":{"type":"name","properties":{"name":"EPSG:4326"}},"features""#;
        let features = [
            feature(r#"{"a":"b\u00e9","n":[1,{"x":null}]}"#, "null"),
            polygon(&format!("{SQUARE},[[0,0],[1,0],[0,1]]")),
            feature("{}", r#"{"type":"GeometryCollection","geometries":[]}"#),
        ];
        let mut bytes = collection(&features).replace("\"features\"", crs).into_bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read_text(&bytes);
    }
}
