//! Tiles: what they hold, how they are addressed, cached and refused.

use std::collections::BTreeMap;

use e2e::mvt::{Layer, decode, tile_at};
use e2e::wire::Reply;
use e2e::{Server, Village, village};
use serde_json::Value;

/// The middle of the town; one tile of zoom 12 holds all of it.
const MIDDLE: (f64, f64) = (2.325, 48.859);

fn address(z: u8) -> String {
    tile_at(MIDDLE.0, MIDDLE.1, z)
}

fn layers(reply: &Reply) -> Vec<Layer> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    decode(&reply.plain())
}

/// Keys of the units in the first layer.
fn keys(reply: &Reply) -> Vec<String> {
    let layers = layers(reply);
    let id = |f: &e2e::mvt::Feature| f.properties["id"].as_str().map(str::to_owned);
    let mut keys: Vec<String> = layers[0].features.iter().filter_map(id).collect();
    keys.sort();
    keys
}

#[test]
fn a_tile_holds_units_ids_and_properties() {
    let village = Village::new();
    let server = Server::start(village.path());
    let reply = server.get(&format!("/town/{}", address(12)));
    assert_eq!(
        reply.header("content-type"),
        "application/vnd.mapbox-vector-tile"
    );
    assert_eq!(
        reply.header("maille-features"),
        "matched=10, shown=10, omitted=0"
    );
    let layers = layers(&reply);
    assert_eq!(layers.len(), 1);
    assert_eq!((layers[0].name.as_str(), layers[0].extent), ("town", 4096));
    for feature in &layers[0].features {
        let i = usize::try_from(feature.id).expect("small") - 1;
        let mut expected = BTreeMap::from([
            ("id".to_owned(), Value::from(village::key(i))),
            ("name".to_owned(), Value::from(village::NAMES[i])),
            ("mark".to_owned(), Value::from(1)),
        ]);
        if let Some(voters) = village::VOTERS[i].filter(|_| village::REGISTERED[i] > 0.0) {
            expected.insert(
                "turnout".to_owned(),
                Value::from(voters / village::REGISTERED[i]),
            );
        }
        let same = |(name, value): (&String, &Value)| {
            feature.properties[name].as_f64() == value.as_f64()
                && feature.properties[name].as_str() == value.as_str()
        };
        assert_eq!(feature.properties.len(), expected.len(), "{feature:?}");
        assert!(expected.iter().all(same), "{feature:?}");
        let rings = if i == 7 { 2 } else { 1 };
        assert_eq!(feature.rings.len(), rings);
    }
    // The coarser level below zoom 11.
    assert_eq!(
        keys(&server.get(&format!("/town/{}", address(10)))),
        ["N", "S"]
    );
    assert_eq!(keys(&server.get("/town/0/0/0")), ["N", "S"]);
}

#[test]
fn properties_are_chosen() {
    let village = Village::new();
    let server = Server::start(village.path());
    let names = |query: &str| {
        let reply = server.get(&format!("/town/{}?{query}", address(12)));
        let feature = layers(&reply)[0].features[0].clone();
        feature.properties.into_keys().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        names("properties=winner,registered"),
        "id name registered winner"
    );
    assert_eq!(
        names("properties=registered,name,winner,id"),
        "id name registered winner"
    );
    assert_eq!(names("properties=key"), "id name");
    let unknown = server.get(&format!("/town/{}?properties=wat", address(12)));
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.json()["parameter"], "properties");
}

#[test]
fn filters_take_units_out() {
    let village = Village::new();
    let server = Server::start(village.path());
    let filtered = |z: u8, filter: &str| {
        let filter = filter
            .replace(' ', "%20")
            .replace('>', "%3E")
            .replace('=', "%3D");
        server.get(&format!("/town/{}?filter={filter}", address(z)))
    };
    assert_eq!(keys(&filtered(12, "turnout > 0.7")), ["02", "04"]);
    let reply = filtered(12, "turnout > 0.7");
    assert_eq!(
        reply.header("maille-features"),
        "matched=2, shown=2, omitted=0"
    );
    assert_eq!(keys(&filtered(10, "registered = 5000")), ["N"]);
    assert_eq!(filtered(12, "mark = 2").status, 204);
    // A filter is over what the level of the zoom has.
    assert_eq!(filtered(12, "winner = 'Bruno'").status, 200);
    let reply = filtered(10, "winner = 'Bruno'");
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["position"], 0);
}

#[test]
fn codings_hold_the_same_tile() {
    let village = Village::new();
    let server = Server::start(village.path());
    for query in ["", "?filter=mark%3D1", "?properties=key"] {
        let path = format!("/town/{}{query}", address(12));
        let plain = server.get(&path);
        let mut tags = vec![plain.header("etag").to_owned()];
        for coding in ["gzip", "zstd"] {
            let reply = server.get_with(&path, &[("Accept-Encoding", coding)]);
            assert_eq!(reply.header("content-encoding"), coding);
            assert_eq!(reply.plain(), plain.body, "{coding}");
            assert_eq!(reply.header("vary"), "Accept-Encoding, Accept");
            let tag = reply.header("etag").to_owned();
            assert!(!tags.contains(&tag));
            tags.push(tag);
            let again = server.get_with(&path, &[("Accept-Encoding", coding)]);
            assert_eq!(again.body, reply.body, "equal requests, equal bytes");
        }
    }
}

#[test]
fn addresses_are_canonical() {
    let village = Village::new();
    let server = Server::start(village.path());
    let path = format!("/town/{}", address(12));
    let plain = server.get(&path);
    for alias in [".mvt", ".pbf"] {
        let reply = server.get(&format!("{path}{alias}"));
        assert_eq!(reply.body, plain.body, "{alias}");
        assert_eq!(reply.header("etag"), plain.header("etag"));
    }
    for same in [
        "?x=1",
        "?filter=",
        "?properties=mark,turnout",
        "?v=other",
        "?utm_source=%",
    ] {
        let reply = server.get(&format!("{path}{same}"));
        assert_eq!(reply.header("etag"), plain.header("etag"), "{same}");
    }
    let fresh = server.get(&format!("{path}?v={}", server.version()));
    assert_eq!(
        fresh.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    for bad in [
        "-1/0/0",
        "15/0/0",
        "31/0/0",
        "256/0/0",
        "1.5/0/0",
        "0x1/0/0",
        "%31/0/0",
        "+1/0/0",
        "01/0/0",
        "1/2/0",
        "1/0/2",
        "1/0/-1",
        "1/4294967296/0",
        "1/18446744073709551616/0",
        "0/0/0.png",
        "0/0/0.",
        "0/0/0.PBF",
        "0/0/0.mvt.gz",
        "0/0/0@2x",
        "0/0/",
        "0//0",
        "0/0/0/0",
    ] {
        assert_eq!(server.get(&format!("/town/{bad}")).status, 404, "{bad}");
    }
    assert_eq!(server.get(&path.replace("town", "tawn")).status, 404);
}

#[test]
fn nothing_there_is_204() {
    let village = Village::new();
    let server = Server::start(village.path());
    let far = server.get("/town/10/0/0");
    assert_eq!(far.status, 204);
    let mut c = server.connect();
    assert_eq!(
        c.request("OPTIONS", "/town/zone", &[]).header("allow"),
        "POST, OPTIONS"
    );
    assert!(
        !c.request("OPTIONS", "/town", &[])
            .header("allow")
            .contains("POST")
    );
    assert_eq!(far.header("oatiles-hint"), "empty");
    for name in [
        "etag",
        "cache-control",
        "vary",
        "access-control-allow-origin",
    ] {
        assert!(!far.header(name).is_empty(), "{name}");
    }
    assert!(far.header("content-type").is_empty() && far.header("content-encoding").is_empty());
    let held = server.get_with("/town/10/0/0", &[("If-None-Match", far.header("etag"))]);
    assert_eq!(held.status, 304);
    let near = server.get(&format!("/town/{}?filter=mark%3D9", address(12)));
    assert_eq!(near.status, 204);
    assert_eq!(
        near.header("oatiles-hint"),
        "",
        "another filter finds something"
    );
}

#[test]
fn composites_hold_several_layers() {
    let village = Village::new();
    let server = Server::start(village.path());
    for coding in ["identity", "gzip", "zstd"] {
        let path = format!("/town,water/{}", address(12));
        let both = layers(&server.get_with(&path, &[("Accept-Encoding", coding)]));
        let names: Vec<&str> = both.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["town", "water"]);
        assert_eq!(both[1].features[0].properties["depth"].as_f64(), Some(12.5));
    }
    // Each layer at its own zooms; each property where it exists; a filter must fit them all.
    let only_town = layers(&server.get(&format!("/water,town/{}", address(14))));
    assert_eq!(only_town.len(), 1);
    let path = format!("/town,water/{}?properties=depth", address(12));
    let chosen = layers(&server.get(&path));
    assert_eq!(chosen[0].features[0].properties.len(), 2);
    assert_eq!(chosen[1].features[0].properties.len(), 3);
    let both = server.get(&format!("/town,water/{}?filter=name%3D'Lac'", address(12)));
    assert_eq!(
        layers(&both)
            .iter()
            .map(|l| l.features.len())
            .sum::<usize>(),
        2
    );
    for (path, status) in [
        (format!("/town,water/{}?filter=depth%3E1", address(12)), 400),
        (format!("/town,town/{}", address(12)), 404),
        (format!("/town,nothing/{}", address(12)), 404),
        (format!("/town,/{}", address(12)), 404),
        (format!("/water/{}", address(14)), 404),
    ] {
        assert_eq!(server.get(&path).status, status, "{path}");
    }
}

#[test]
fn equal_cold_requests_build_one_template() {
    let village = Village::new();
    let server = Server::start(village.path());
    let computed = "maille_cache_computed_total{cache=\"template\"}";
    let before = server.metric(computed);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let reply = server.get(&format!("/town/{}", address(13)));
                assert_eq!(reply.status, 200);
            });
        }
    });
    assert!((server.metric(computed) - before - 1.0).abs() < f64::EPSILON);
}

#[test]
fn tilejson_speaks_of_the_tiles_it_names() {
    let village = Village::new();
    let server = Server::start(village.path());
    let described = server
        .get("/town?properties=winner&filter=mark%20%3D%201")
        .json();
    let template = described["tiles"][0].as_str().expect("a URL");
    assert!(
        template.contains("filter=mark%20%3D%201&properties=winner"),
        "{template}"
    );
    let [z, x, y] = ["{z}", "{x}", "{y}"];
    let numbers: Vec<String> = address(12).split('/').map(str::to_owned).collect();
    let url = template
        .replace(z, &numbers[0])
        .replace(x, &numbers[1])
        .replace(y, &numbers[2]);
    let reply = server.get(
        url.strip_prefix(&format!("http://{}", server.address))
            .expect("ours"),
    );
    assert!(reply.header("cache-control").contains("immutable"));
    let fields = described["vector_layers"][0]["fields"]
        .as_object()
        .expect("fields");
    for feature in &layers(&reply)[0].features {
        assert!(
            feature
                .properties
                .keys()
                .all(|name| fields.contains_key(name))
        );
    }
    assert_eq!(fields.len(), 3);
    assert_eq!(server.get("/town?properties=nothing").status, 400);
    assert_eq!(server.get("/town?filter=nothing%3D1").status, 400);
}
