//! Density drawn otherwise than by points: hexagons, smoothed surfaces, rates.

use std::collections::BTreeSet;

use e2e::Server;
use e2e::crowd::{Crowd, Person};
use e2e::mvt::{Feature, decode};
use e2e::wire::{Connection, Reply};
use serde_json::{Value, json};
use tilecore::mercator::grid_from_degrees;

struct Asker {
    connection: Connection,
    key: String,
}

impl Asker {
    fn get(&mut self, path: &str) -> Reply {
        let bearer = format!("Bearer {}", self.key);
        self.connection
            .request("GET", path, &[("Authorization", &bearer)])
    }

    /// Features of a layer of the set's tile.
    fn features(&mut self, path: &str, layer: &str) -> Vec<Feature> {
        let reply = self.get(path);
        assert!(matches!(reply.status, 200 | 204), "{path} {}", reply.text());
        let layers = decode(&reply.plain()).into_iter();
        let named = layers.filter(|found| found.name == layer);
        named.flat_map(|found| found.features).collect()
    }
}

/// A person's place in units of 1/4096 of a tile of a zoom, from the file's seven decimals.
fn units(person: &Person, z: u8) -> (i64, i64) {
    let written = |v: f64| format!("{v:.7}").parse::<f64>().expect("a number");
    let p = grid_from_degrees(written(person.lon), written(person.lat));
    (i64::from(p.x) >> (18 - z), i64::from(p.y) >> (18 - z))
}

fn tiles(people: &[Person], z: u8) -> BTreeSet<(i64, i64)> {
    let around = people.iter().flat_map(|person| {
        let (x, y) = units(person, z);
        // A hexagon may belong to the tile beside that of the person.
        [-80, 80].map(move |d| ((x + d).max(0) >> 12, (y + d).max(0) >> 12))
    });
    let last = (1 << z) - 1;
    around.map(|(x, y)| (x.min(last), y.min(last))).collect()
}

type Filtered = (&'static str, fn(&Person) -> bool);

#[test]
fn hexagons_of_a_zoom_count_every_contact_once() {
    let crowd = Crowd::new(1500);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()]);
    let mut red = Asker {
        connection: server.connect(),
        key,
    };
    let filters: [Filtered; 3] = [
        ("", |_| true),
        ("age%3D'old'", |p| p.age == "old"),
        ("support%20IN%20('1','3')", |p| {
            ["1", "3"].contains(&p.support)
        }),
    ];
    for (filter, passes) in filters {
        for z in [0, 3, 9, 12, 14, 16] {
            let (mut sum, mut cells) = (0, BTreeSet::new());
            let passing: Vec<&Person> = crowd.people.iter().filter(|p| passes(p)).collect();
            for (x, y) in tiles(&crowd.people, z) {
                let path = format!("/density/supporters/{z}/{x}/{y}?grid=hex&filter={filter}");
                for feature in red.features(&path, "supporters") {
                    let count = feature.properties["count"].as_u64().expect("a count");
                    for ring in &feature.rings {
                        sum += count;
                        assert_eq!(ring.len(), 6, "six corners");
                        let ring: Vec<(i64, i64)> = ring
                            .iter()
                            .map(|(px, py)| (px + x * 4096, py + y * 4096))
                            .collect();
                        assert!(cells.insert(ring[0]), "told once");
                        if z == 14 {
                            check_hexagon(&ring, &passing, z, count);
                        }
                    }
                }
            }
            assert_eq!(sum, passing.len() as u64, "zoom {z}, {filter}");
        }
    }
    let described = red.get("/density/supporters?grid=hex").json();
    let layers = described["vector_layers"].as_array().expect("layers");
    let ids: Vec<_> = layers.iter().map(|layer| layer["id"].clone()).collect();
    assert_eq!(ids, [json!("supporters"), json!("supporters-beside")]);
}

/// The small cells of a person, an eighth of a hexagon's width, lie in it by their middles: those
/// on a side may be of the hexagon beside.
fn check_hexagon(ring: &[(i64, i64)], passing: &[&Person], z: u8, count: u64) {
    let turn = |person: &Person| {
        let (x, y) = units(person, z);
        let (x, y) = (x / 8 * 8 + 4, y / 8 * 8 + 4);
        let next = ring.iter().cycle().skip(1);
        let turns = ring
            .iter()
            .zip(next)
            .map(|(a, b)| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0));
        turns.min().expect("six")
    };
    let turns: Vec<i64> = passing.iter().map(|person| turn(person)).collect();
    let inside = turns.iter().filter(|turn| **turn > 0).count() as u64;
    let touching = turns.iter().filter(|turn| **turn >= 0).count() as u64;
    assert!(
        (inside..=touching).contains(&count),
        "{inside} {count} {touching}"
    );
}

#[test]
fn surfaces_hold_the_contacts_that_pass() {
    let crowd = Crowd::new(1500);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()]);
    let mut red = Asker {
        connection: server.connect(),
        key,
    };
    // Smoothed: over the whole the same contacts, in km² of ground.
    let z = 13;
    let path = "kernel=quartic&radius_m=300&grid=square";
    let (mut sum, mut cells) = (0.0, 0);
    for (x, y) in tiles(&crowd.people, z) {
        for feature in red.features(
            &format!("/density/supporters/{z}/{x}/{y}?{path}"),
            "supporters",
        ) {
            let density = feature.properties["density"].as_f64().expect("a number");
            for ring in &feature.rings {
                let edge = ring[1].0 - ring[0].0;
                let side = 40_075.016_686 / 8192.0 * f64::from(i32::try_from(edge).expect("small"))
                    / 4096.0
                    * 45.51_f64.to_radians().cos();
                sum += density * side * side;
                cells += 1;
            }
        }
    }
    assert!(cells > 1000, "{cells}");
    assert!((sum / 1500.0 - 1.0).abs() < 0.01, "{sum}");
    let described = red.get(&format!("/density/supporters?{path}")).json();
    assert_eq!(described["maille"]["kernel"]["radius_m"], 300.0);
    assert_eq!(
        described["vector_layers"][0]["fields"],
        json!({ "density": "Number" })
    );
    assert!(
        described["tiles"][0]
            .as_str()
            .expect("a text")
            .contains("radius_m=300")
    );
}

#[test]
fn rates_are_of_what_areas_count() {
    let crowd = Crowd::new(1500);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()]);
    let mut red = Asker {
        connection: server.connect(),
        key,
    };
    // Rates: the whole town in one cell has all its electors.
    for denominator in ["town.registered", "registered"] {
        let path = format!("/density/supporters/0/0/0?denominator={denominator}");
        let features = red.features(&path, "supporters");
        assert_eq!(features.len(), 1);
        let told = |name: &str| features[0].properties[name].as_f64().expect("a number");
        for (name, expected) in [
            ("count", 1500.0),
            ("denominator", 10_045.0),
            ("per_1000", 1_500_000.0 / 10_045.0),
        ] {
            assert!((told(name) - expected).abs() < 1e-3, "{name}");
        }
    }
    // At any zoom a cell's rate follows from its figures, and few electors give none.
    let (mut told, mut untold) = (0, 0);
    for z in [7, 9, 14] {
        for (x, y) in tiles(&crowd.people, z).into_iter().take(40) {
            let path = format!("/density/supporters/{z}/{x}/{y}?denominator=town.registered");
            for feature in red.features(&path, "supporters") {
                let number = |name: &str| feature.properties.get(name).and_then(Value::as_f64);
                let base = number("denominator").expect("a number");
                match number("per_1000") {
                    None => {
                        assert!(base < 50.0);
                        untold += 1;
                    }
                    Some(rate) => {
                        let expected = 1000.0 * number("count").expect("a count") / base;
                        assert!(base >= 50.0 && (rate / expected - 1.0).abs() < 1e-4);
                        told += 1;
                    }
                }
            }
        }
    }
    assert!(told > 10 && untold > 10, "{told} {untold}");
    let described = red.get("/density/supporters?denominator=registered").json();
    assert_eq!(described["maille"]["denominator"]["layer"], "town");
    assert_eq!(described["maille"]["denominator"]["level"], "district");
}

#[test]
fn drawings_that_cannot_be_are_refused() {
    let crowd = Crowd::new(1500);
    crowd.build();
    let released = crowd.verb("release", &["--contacts", "supporters"]);
    assert!(released.status.success());
    let key = crowd.add_key("red staff", "red", "inside");
    let server = Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()]);
    let mut red = Asker {
        connection: server.connect(),
        key,
    };
    for (query, parameter) in [
        ("grid=triangle", "grid"),
        ("kernel=gaussian&radius_m=5", "kernel"),
        ("kernel=quartic", "radius_m"),
        ("radius_m=300", "kernel"),
        ("kernel=quartic&radius_m=-3", "radius_m"),
        ("kernel=quartic&radius_m=1e9", "radius_m"),
        ("grid=hex&kernel=quartic&radius_m=300", "grid"),
        ("denominator=turnout", "denominator"),
        ("denominator=nothing", "denominator"),
        ("denominator=town.nothing", "denominator"),
        ("denominator=nothing.registered", "denominator"),
    ] {
        for path in ["/density/supporters", "/density/supporters/6/18/22"] {
            let reply = red.get(&format!("{path}?{query}"));
            assert_eq!(reply.status, 400, "{query}");
            assert_eq!(reply.json()["parameter"], parameter, "{query}");
        }
    }
    // What was published is drawn as it was published.
    for query in [
        "grid=hex",
        "kernel=quartic&radius_m=300",
        "denominator=town.registered",
    ] {
        assert_eq!(
            server.get(&format!("/density/supporters?{query}")).status,
            400,
            "{query}"
        );
    }
    assert_eq!(server.get("/density/supporters?grid=square").status, 200);
}
