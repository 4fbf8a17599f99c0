//! Names of units as points: one for each, inside it.

use std::collections::BTreeMap;

use e2e::mvt::{decode, tile_at};
use e2e::{Server, Village, village};

/// West, south, east, north of the town.
const TOWN: [f64; 4] = [2.30, 48.85, 2.35, 48.87];

/// Column and row of the tile that holds a place.
fn numbers(lon: f64, lat: f64, z: u8) -> (u32, u32) {
    let address = tile_at(lon, lat, z);
    let mut parts = address.split('/').skip(1).map(str::parse);
    let mut next = || parts.next().and_then(Result::ok).expect("a number");
    (next(), next())
}

/// Degrees of a point of a tile's grid.
fn degrees(z: u8, (x, y): (u32, u32), (dx, dy): (f64, f64)) -> (f64, f64) {
    let tiles = f64::from(1_u32 << z);
    let (u, v) = (
        (f64::from(x) + dx / 4096.0) / tiles,
        (f64::from(y) + dy / 4096.0) / tiles,
    );
    let lat = (std::f64::consts::PI * (1.0 - 2.0 * v)).sinh().atan();
    (u * 360.0 - 180.0, lat.to_degrees())
}

/// Where a zoom's tiles name units, by key; every tile around the town is asked.
fn places(server: &Server, z: u8, query: &str) -> BTreeMap<String, Vec<(f64, f64)>> {
    let [west, south, east, north] = TOWN;
    let (left, top) = numbers(west, north, z);
    let (right, bottom) = numbers(east, south, z);
    let mut places: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for x in left - 1..=right + 1 {
        for y in top - 1..=bottom + 1 {
            let reply = server.get(&format!("/town/names/{z}/{x}/{y}{query}"));
            if reply.status == 204 {
                continue;
            }
            assert_eq!(reply.status, 200, "{}", reply.text());
            let layers = decode(&reply.plain());
            assert_eq!((layers.len(), &*layers[0].name), (1, "names"));
            for feature in &layers[0].features {
                let i = usize::try_from(feature.id).expect("small") - 1;
                assert_eq!(feature.properties["id"], village::key(i));
                assert_eq!(feature.properties["name"], village::NAMES[i]);
                let [dx, dy] = <[i64; 2]>::from(feature.rings[0][0])
                    .map(|d| f64::from(i32::try_from(d).expect("small")) + 0.5);
                let at = degrees(z, (x, y), (dx, dy));
                places.entry(village::key(i)).or_default().push(at);
            }
        }
    }
    places
}

#[test]
fn every_unit_is_named_once_inside_itself() {
    let village = Village::new();
    let server = Server::start(village.path());
    for z in [12, 14] {
        let places = places(&server, z, "");
        assert_eq!(places.len(), 10, "zoom {z}: {places:?}");
        for (key, at) in places {
            assert_eq!(at.len(), 1, "{key} is named once");
            let (lon, lat) = at[0];
            let found = server.get(&format!("/town/at?lon={lon}&lat={lat}")).json();
            assert_eq!(found["properties"]["key"], key, "zoom {z}: {lon}, {lat}");
        }
    }
}

#[test]
fn names_follow_the_filter_and_are_of_the_version() {
    let village = Village::new();
    let server = Server::start(village.path());
    let filter = "?filter=turnout%20%3E%200.6";
    let expected = server.get(&format!("/town/items{filter}")).json()["numberMatched"].clone();
    assert_eq!(places(&server, 13, filter).len(), expected);
    let address = tile_at(2.325, 48.859, 12);
    let style = server
        .get("/styles/town/style.json?filter=turnout%20%3E%200.6")
        .json();
    let tiles = style["sources"]["names"]["tiles"][0]
        .as_str()
        .expect("an address");
    let path = &tiles[tiles.find("/town").expect("a path")..];
    let [z, x, y]: [&str; 3] = address
        .split('/')
        .collect::<Vec<_>>()
        .try_into()
        .expect("three numbers");
    let path = path.replace("{z}", z).replace("{x}", x).replace("{y}", y);
    let reply = server.get(&path);
    assert_eq!(reply.status, 200);
    assert!(reply.header("cache-control").contains("immutable"));
    let held = [("If-None-Match", reply.header("etag"))];
    assert_eq!(server.get_with(&path, &held).status, 304);
    for (path, status) in [
        ("/town/names/12/0/0", 204),
        ("/town/names/12/4096/0", 404),
        ("/nowhere/names/0/0/0", 404),
        ("/town/names/12/0/0?filter=nosuch%3D1", 400),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
    }
}

#[test]
fn under_a_score_each_unit_has_its_rank_once() {
    let village = Village::new();
    let server = Server::start(village.path());
    let listed = server.get("/town/items?score=turnout:1&limit=100").json();
    let mut expected = BTreeMap::new();
    for item in listed["features"].as_array().expect("features") {
        let properties = &item["properties"];
        let key = properties["key"].as_str().expect("a key").to_owned();
        expected.insert(key, properties["rank"].as_u64().expect("a rank"));
    }
    assert!(expected.len() > 5, "{expected:?}");
    let mut ranks = BTreeMap::new();
    let [west, south, east, north] = TOWN;
    let (left, top) = numbers(west, north, 13);
    let (right, bottom) = numbers(east, south, 13);
    for x in left - 1..=right + 1 {
        for y in top - 1..=bottom + 1 {
            let reply = server.get(&format!("/town/names/13/{x}/{y}?score=turnout:1"));
            for feature in decode(&reply.plain())
                .iter()
                .flat_map(|layer| &layer.features)
            {
                let key = feature.properties["id"].as_str().expect("a key").to_owned();
                let rank = feature
                    .properties
                    .get("rank")
                    .and_then(serde_json::Value::as_u64);
                assert_eq!(rank, expected.get(&key).copied(), "{key}");
                assert_eq!(ranks.insert(key.clone(), rank), None, "{key} twice");
            }
        }
    }
    assert_eq!(ranks.values().flatten().count(), expected.len());
    let style = server
        .get("/styles/priority/style.json?score=turnout:1")
        .json();
    let layers = style["layers"].as_array().expect("layers");
    let ranks = layers
        .iter()
        .find(|layer| layer["id"] == "ranks")
        .expect("ranks");
    assert_eq!(ranks["source"], "names");
    let names = style["sources"]["names"]["tiles"][0]
        .as_str()
        .expect("an address");
    assert!(names.contains("score=turnout"), "{names}");
    for (wrong, parameter) in [
        ("score=nosuch:1", "score"),
        ("score=%25", "score"),
        ("score=turnout:1&score-method=best", "score-method"),
    ] {
        let reply = server.get(&format!("/styles/priority/style.json?{wrong}"));
        assert_eq!(reply.status, 400, "{wrong}");
        assert_eq!(reply.json()["parameter"], parameter, "{wrong}");
    }
}
