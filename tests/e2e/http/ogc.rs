//! OGC API: the documents, and the clients that read them where they are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Server, Village};
use serde_json::Value;

#[test]
fn browsers_get_the_explorer_and_programs_the_landing_page() {
    let village = Village::new();
    let server = Server::start(village.path());
    let root = |accept| server.get_with("/", &[("Accept", accept)]);
    let browser = root("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    assert!(browser.header("content-type").starts_with("text/html"));
    assert!(
        server
            .get("/")
            .header("content-type")
            .starts_with("text/html")
    );
    let landing = root("application/json").json();
    let base = format!("http://{}", server.address);
    for rel in ["service-desc", "conformance", "data"] {
        let links = landing["links"].as_array().expect("links");
        let link = links.iter().find(|link| link["rel"] == rel);
        let href = link.and_then(|link| link["href"].as_str()).expect("a link");
        let path = href.strip_prefix(&base).expect("on this server");
        let reply = server.get(path);
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(
            link.map(|l| &l["type"]).and_then(Value::as_str),
            Some(reply.header("content-type"))
        );
    }
}

#[test]
fn collections_lead_to_items_and_tiles() {
    let village = Village::new();
    let server = Server::start(village.path());
    let collections = server.get("/collections").json();
    assert_eq!(collections["collections"][0]["id"], "town");
    assert_eq!(server.get("/collections/nosuch").status, 404);
    let page = server
        .get("/collections/town/items?limit=2&filter=turnout%20%3E%200.5&sortby=-turnout")
        .json();
    let direct = server
        .get("/town/items?limit=2&filter=turnout%20%3E%200.5&sortby=-turnout")
        .json();
    assert_eq!(page["features"], direct["features"]);
    assert_eq!(page["numberMatched"], direct["numberMatched"]);
    let links = page["links"].as_array().expect("links");
    let next = links
        .iter()
        .find(|link| link["rel"] == "next")
        .expect("more");
    let next = next["href"].as_str().expect("a URL");
    assert!(next.contains("/collections/town/items?") && next.contains("offset=2"));
    assert_eq!(server.get("/collections/town/items?limit=0").status, 400);
    assert_eq!(
        server
            .get("/collections/town/items?filter=no%20%3D%201")
            .status,
        400
    );
    assert_eq!(
        server.get("/collections/town/items?crs=EPSG%3A3857").status,
        400
    );

    for feature in page["features"].as_array().expect("features") {
        let id = feature["id"].as_u64().expect("a number");
        let one = server.get(&format!("/collections/town/items/{id}")).json();
        assert_eq!(one["properties"], feature["properties"]);
        assert_eq!(one["links"][1]["rel"], "collection");
    }
    assert_eq!(server.get("/collections/town/items/nobody").status, 404);
    let queryables = server.get("/collections/town/queryables").json();
    assert_eq!(queryables["additionalProperties"], false);
    assert!(queryables["properties"]["turnout"].is_object());
}

#[test]
fn tiles_stand_row_before_column() {
    let village = Village::new();
    let server = Server::start(village.path());
    let tileset = server.get("/collections/town/tiles/WebMercatorQuad").json();
    let limits = tileset["tileMatrixSetLimits"].as_array().expect("limits");
    let finest = limits.last().expect("zooms");
    let number = |name: &str| finest[name].as_u64().expect("a number");
    let (row, column) = (number("minTileRow"), number("minTileCol"));
    let z = finest["tileMatrix"].as_str().expect("a name");
    let ogc = format!("/collections/town/tiles/WebMercatorQuad/{z}/{row}/{column}");
    let [ogc, xyz] = [ogc, format!("/town/{z}/{column}/{row}")].map(|path| server.get(&path));
    assert_eq!((ogc.status, xyz.status), (200, 200));
    assert_eq!(ogc.body, xyz.body);
    assert_eq!(ogc.header("etag"), xyz.header("etag"));
    let list = server.get("/collections/town/tiles").json();
    assert_eq!(list["tilesets"][0], tileset);
    for bad in [
        "/collections/town/tiles/WorldCRS84Quad/0/0/0",
        "/collections/town,town/tiles/WebMercatorQuad/0/0/0",
        "/collections/town/tiles/WebMercatorQuad/0/1/0",
        "/collections/town/tiles/WebMercatorQuad/00/0/0",
        "/tileMatrixSets/WorldCRS84Quad",
    ] {
        assert_eq!(server.get(bad).status, 404, "{bad}");
    }
}

/// Every address of the document answers, and every parameter it names is defined.
#[test]
fn the_openapi_document_holds() {
    let village = Village::new();
    let server = Server::start(village.path());
    let api = server.get("/api").json();
    assert_eq!(api["openapi"], "3.0.3");
    for (path, operations) in api["paths"].as_object().expect("paths") {
        for parameter in operations["get"]["parameters"].as_array().expect("a list") {
            let pointer = parameter["$ref"].as_str().expect("a reference");
            let pointer = pointer.trim_start_matches('#');
            assert!(api.pointer(pointer).is_some(), "{pointer}");
        }
        let path = path
            .replace("{layer}", "town")
            .replace("{feature}", "3")
            .replace("{tileMatrixSet}", "WebMercatorQuad")
            .replace("{tileMatrix}/{tileRow}/{tileCol}", "0/0/0");
        assert_eq!(server.get(&path).status, 200, "{path}");
    }
}

#[test]
fn parameters_are_read_as_the_standard_has_them() {
    let village = Village::new();
    let server = Server::start(village.path());
    let items = |query: &str| server.get(&format!("/collections/town/items?{query}"));
    // With heights, which no area has.
    let flat = items("bbox=2.30,48.85,2.31,48.87").json();
    let high = items("bbox=2.30,48.85,0,2.31,48.87,100").json();
    assert!(
        flat["numberMatched"]
            .as_u64()
            .is_some_and(|count| count > 0)
    );
    assert_eq!(flat["features"], high["features"]);
    assert_eq!(items("bbox=2.30,48.85,0,2.31,48.87").status, 400);
    for time in [
        "2024-06-30",
        "2024-06-30T12:00:00Z",
        "../2024-06-30",
        "2024-06-30/",
    ] {
        assert_eq!(items(&format!("datetime={time}")).status, 200, "{time}");
    }
    for none in ["foo", "2024-13-01", "../..", "2024-06-30T12:00:00", "a/b"] {
        let refused = items(&format!("datetime={none}"));
        assert_eq!(refused.status, 400, "{none}");
        assert_eq!(refused.json()["parameter"], "datetime");
    }
    let tiles = "/collections/town/tiles/WebMercatorQuad?filter=garbage((";
    assert_eq!(server.get(tiles).status, 400);
}

/// Whether GDAL is there; says so if not.
fn has_gdal() -> bool {
    let there = Command::new("ogrinfo").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: ogrinfo is not installed");
    }
    there
}

fn ogrinfo(arguments: &[&str]) -> String {
    let output = Command::new("ogrinfo").args(arguments).output();
    let output = output.expect("ogrinfo starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn gdal_reads_vector_tiles() {
    if !has_gdal() {
        return;
    }
    let village = Village::new();
    let server = Server::start(village.path());
    let url = format!("http://{}", server.address);
    let tileset = server.get("/collections/town/tiles/WebMercatorQuad").json();
    let limits = tileset["tileMatrixSetLimits"].as_array().expect("limits");
    // The finest zoom at which one tile holds them all.
    let whole = |limit: &&Value| {
        limit["minTileRow"] == limit["maxTileRow"] && limit["minTileCol"] == limit["maxTileCol"]
    };
    let limit = limits.iter().rfind(whole).expect("a zoom");
    let (z, x, y) = (
        limit["tileMatrix"].as_str().expect("a name"),
        &limit["minTileCol"],
        &limit["minTileRow"],
    );
    let tile = ogrinfo(&["-so", "-al", &format!("MVT:{url}/town/{z}/{x}/{y}.pbf")]);
    assert!(tile.contains("Feature Count: 10"), "{tile}");
    assert!(tile.contains("turnout: Real"), "{tile}");
    // All tiles of a zoom, by the layer's TileJSON.
    let described = format!("METADATA_FILE={url}/town");
    let layer = format!("MVT:{url}/town/{z}");
    let all = ogrinfo(&[
        "-al",
        &layer,
        "-oo",
        &described,
        "-oo",
        "TILE_EXTENSION=mvt",
    ]);
    assert_eq!(all.matches("OGRFeature(town)").count(), 10, "{all}");
    assert!(
        all.contains("ZOOM_LEVEL") && all.contains("PROJCRS[\"WGS 84 / Pseudo-Mercator\""),
        "{all}"
    );
}

#[test]
fn gdal_reads_and_filters() {
    if !has_gdal() {
        return;
    }
    let village = Village::new();
    let server = Server::start(village.path());
    let url = format!("http://{}", server.address);
    let summary = ogrinfo(&["-so", &format!("OAPIF:{url}"), "town"]);
    assert!(summary.contains("Feature Count: 10"), "{summary}");
    assert!(summary.contains("turnout: Real"), "{summary}");
    let passing =
        server.get("/town/items?filter=turnout%20%3E%200.6").json()["numberMatched"].clone();
    let filtered = ogrinfo(&[
        "-so",
        "-where",
        "turnout > 0.6",
        &format!("OAPIF:{url}"),
        "town",
    ]);
    assert!(
        filtered.contains(&format!("Feature Count: {passing}")),
        "{filtered}"
    );
    let collection = format!("OGCAPI:{url}/collections/town");
    let areas = ogrinfo(&["-so", &collection, "town"]);
    assert!(areas.contains("Feature Count: 10"), "{areas}");
    let info = Command::new("gdalinfo")
        .arg(format!("OGCAPI:{url}/"))
        .output();
    let info = String::from_utf8_lossy(&info.expect("gdalinfo starts").stdout).into_owned();
    assert!(info.contains("/collections/town"), "{info}");
}

#[test]
fn owslib_reads_and_filters() {
    let local = e2e::binary("tileserver").with_file_name("../owslib/bin/python");
    let has_owslib = |python: &PathBuf| {
        let import = ["-c", "import owslib.ogcapi.features"];
        let ran = Command::new(python).args(import).output();
        ran.is_ok_and(|output| output.status.success())
    };
    let pythons = [PathBuf::from("python3"), local];
    let Some(python) = pythons.iter().find(|python| has_owslib(python)) else {
        eprintln!("skipped: OWSLib is not installed (tests/make-owslib target/owslib)");
        return;
    };
    let village = Village::new();
    let server = Server::start(village.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/http/read_with_owslib.py");
    let url = format!("http://{}/", server.address);
    let output = Command::new(python).arg(script).arg(url).output();
    let output = output.expect("Python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let read: Value = serde_json::from_slice(&output.stdout).expect("JSON");

    assert_eq!(read["openapi"], "3.0.3");
    let given = |path: &str| server.get(path).json();
    assert_eq!(read["conformance"], given("/conformance")["conformsTo"]);
    let collections = given("/collections")["collections"].clone();
    let ids = collections.as_array().expect("a list").iter();
    let ids: Vec<Value> = ids.map(|collection| collection["id"].clone()).collect();
    assert_eq!(read["collections"], Value::from(ids));
    assert_eq!(read["collection"], given("/collections/town"));
    assert_eq!(read["queryables"], given("/collections/town/queryables"));
    let items = |query: &str| given(&format!("/town/items?{query}"));
    for (name, query) in [
        ("page", "limit=4"),
        ("next", "limit=4&offset=4"),
        ("within", "bbox=2.30,48.85,2.31,48.87"),
        ("filtered", "filter=turnout%20%3E%200.6&sortby=-turnout"),
    ] {
        let [read, direct] = [&read[name], &items(query)];
        assert_eq!(read["features"], direct["features"], "{name}");
        assert_eq!(read["numberMatched"], direct["numberMatched"], "{name}");
    }
    let all = read["page"]["numberMatched"].as_u64();
    for narrowed in ["within", "filtered"] {
        let some = read[narrowed]["numberMatched"].as_u64();
        assert!(
            some > Some(0) && some < all,
            "{narrowed}: {some:?} of {all:?}"
        );
    }
    assert_eq!(
        read["item"]["properties"],
        read["page"]["features"][0]["properties"]
    );
}
