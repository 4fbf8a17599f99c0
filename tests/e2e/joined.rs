//! Contacts as columns of areas: counted as a scan counts them, usable wherever columns are, and
//! as if they were not there for whoever may not see them.

use std::collections::BTreeMap;
use std::fs;

use e2e::Server;
use e2e::crowd::{Crowd, Person};
use e2e::mvt::{decode, tile_at};
use e2e::wire::{Connection, Reply};
use serde_json::{Value, json};

const ALL: &str = "/town/items?limit=100&contacts=supporters";

struct Asker<'a> {
    connection: Connection,
    key: &'a str,
}

impl Asker<'_> {
    fn get(&mut self, path: &str) -> Reply {
        let bearer = format!("Bearer {}", self.key);
        let path = path.replace('>', "%3E");
        self.connection
            .request("GET", &path, &[("Authorization", &bearer)])
    }

    /// By key of the area its properties.
    fn areas(&mut self, path: &str) -> BTreeMap<String, Value> {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let list = reply.json();
        let features = list["features"].as_array().expect("a list").iter();
        let by_key = features.map(|feature| {
            let properties = &feature["properties"];
            let key = properties["key"].as_str().expect("a key");
            (key.to_owned(), properties.clone())
        });
        by_key.collect()
    }

    /// By key of the area, in the list's order.
    fn keys(&mut self, path: &str) -> Vec<String> {
        let list = self.get(path).json();
        let features = list["features"].as_array().expect("a list").iter();
        let keys = features.map(|feature| feature["properties"]["key"].as_str().map(str::to_owned));
        keys.collect::<Option<_>>().expect("keys")
    }
}

fn serve(crowd: &Crowd) -> Server {
    Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()])
}

/// Whether a GeoJSON multipolygon holds a place, by the even-odd rule.
fn holds(geometry: &Value, lon: f64, lat: f64) -> bool {
    let place = |position: &Value| {
        let at = |i: usize| position[i].as_f64().expect("a number");
        (at(0), at(1))
    };
    let polygons = geometry["coordinates"].as_array().expect("polygons");
    let rings = polygons.iter().flat_map(|p| p.as_array().expect("rings"));
    let mut inside = false;
    for ring in rings {
        let places: Vec<(f64, f64)> = ring.as_array().expect("places").iter().map(place).collect();
        for pair in places.windows(2) {
            let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
            if (ay > lat) != (by > lat) && lon < ax + (lat - ay) / (by - ay) * (bx - ax) {
                inside = !inside;
            }
        }
    }
    inside
}

/// The area of each person, from the areas' own shapes.
fn homes(areas: &Value, people: &[Person]) -> Vec<Option<String>> {
    let features = areas["features"].as_array().expect("a list");
    let home = |person: &Person| {
        let mut holding = features
            .iter()
            .filter(|feature| holds(&feature["geometry"], person.lon, person.lat));
        let found = holding.next()?;
        assert!(holding.next().is_none(), "two areas hold {person:?}");
        found["properties"]["key"].as_str().map(str::to_owned)
    };
    people.iter().map(home).collect()
}

fn count(people: &[Person], homes: &[Option<String>], key: &str, of: fn(&Person) -> bool) -> u32 {
    let both = people.iter().zip(homes);
    let there = both.filter(|(person, home)| {
        of(person) && home.as_deref().is_some_and(|home| home.starts_with(key))
    });
    u32::try_from(there.count()).expect("few")
}

type Filtered = (&'static str, fn(&Person) -> bool);

fn old(person: &Person) -> bool {
    person.age == "old"
}

#[test]
fn areas_tell_the_contacts_in_them() {
    let crowd = Crowd::new(2000);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut red = Asker {
        connection: server.connect(),
        key: &key,
    };
    let shapes = server.get("/town/items?limit=100").json();
    let homes = homes(&shapes, &crowd.people);
    let filters: [Filtered; 4] = [
        ("", |_| true),
        ("age='old'", old),
        ("support>='2' AND age IS NULL", |p| {
            p.support >= "2" && p.age.is_empty()
        }),
        ("support='none'", |_| false),
    ];
    for (filter, passes) in filters {
        let encoded = filter.replace(' ', "%20");
        let path = format!("{ALL}&contacts-filter={encoded}");
        let districts = red.areas(&path);
        assert_eq!(districts.len(), 10);
        for (key, area) in &districts {
            let expected = count(&crowd.people, &homes, key, passes);
            assert_eq!(area["contacts"], json!(expected), "{filter}, {key}");
            let registered = area["registered"].as_f64().expect("a number");
            let rate = area["contacts_per_1000"].as_f64().expect("a number");
            assert!((rate - 1000.0 * f64::from(expected) / registered).abs() < 1e-9);
        }
        // Of a coarser level by place, too.
        let boroughs = red.areas(&format!("{path}&level=borough"));
        for (key, area) in &boroughs {
            let expected = count(&crowd.people, &homes, key, passes);
            assert_eq!(area["contacts"], json!(expected), "{filter}, {key}");
        }
        // Everybody is accounted for.
        let told = &red.get(&path).json()["contacts"];
        let matched = crowd.people.iter().filter(|p| passes(p)).count();
        let there: u64 = districts
            .values()
            .map(|area| area["contacts"].as_u64().expect("a count"))
            .sum();
        assert_eq!(told["matched"], json!(matched));
        assert_eq!(told["in_areas"], json!(there));
        assert_eq!(told["outside_areas"], json!(matched as u64 - there));
        assert_eq!(told["contacts"], 2000);
        assert_eq!(told["denominator"]["property"], "registered");
        assert_eq!(told["denominator"]["weight"], true);
        assert_eq!(told["estimate"], false);
        let left_out = told["left_out"].as_object().expect("reasons").values();
        assert_eq!(left_out.filter_map(Value::as_u64).sum::<u64>(), 4);
    }

    // Another denominator; one that a level lacks gives no rate.
    let other = red.areas(&format!("{ALL}&contacts-denominator=turnout"));
    for area in other.values() {
        let (n, of) = (area["contacts"].as_f64(), area["turnout"].as_f64());
        let rate = area["contacts_per_1000"].as_f64().expect("a number");
        assert!((rate - 1000.0 * n.expect("a count") / of.expect("a share")).abs() < 1e-6);
    }

    // Shrunk rates, by Marshall's formula, and said to be estimates.
    let shrunk = red.areas(&format!("{ALL}&contacts-rate=eb"));
    let pairs: Vec<(f64, f64)> = shrunk
        .values()
        .map(|a| {
            let number = |name: &str| a[name].as_f64().expect("a number");
            (number("contacts"), number("registered"))
        })
        .collect();
    let base: f64 = pairs.iter().map(|p| p.1).sum();
    let mean = pairs.iter().map(|p| p.0).sum::<f64>() / base;
    let spread = pairs.iter().map(|p| p.1 * (p.0 / p.1 - mean).powi(2));
    let between = (spread.sum::<f64>() / base - mean / (base / 10.0)).max(0.0);
    for ((events, base), area) in pairs.iter().zip(shrunk.values()) {
        let weight = between / (between + mean / base);
        let expected = 1000.0 * (weight * events / base + (1.0 - weight) * mean);
        let rate = area["contacts_per_1000"].as_f64().expect("a number");
        assert!((rate - expected).abs() < 1e-9, "{rate} {expected}");
    }
    for path in [
        format!("{ALL}&contacts-rate=eb"),
        "/town/items/12?contacts=supporters&contacts-rate=eb".to_owned(),
        "/town/stats?property=contacts&contacts=supporters&contacts-rate=eb".to_owned(),
    ] {
        assert_eq!(red.get(&path).json()["contacts"]["estimate"], true);
    }
    let described = red.get("/town?contacts=supporters&contacts-rate=eb").json();
    assert_eq!(described["maille"]["contacts"]["estimate"], true);
    assert_eq!(
        described["maille"]["contacts"]["denominator"]["property"],
        "registered"
    );
    let fields = &described["vector_layers"][0]["fields"];
    assert_eq!(fields["contacts_per_1000"], "Number");
    let tiles = described["tiles"][0].as_str().expect("an address");
    assert!(
        tiles.contains("contacts=supporters&contacts-rate=eb"),
        "{tiles}"
    );
}

#[test]
fn columns_of_contacts_are_columns() {
    let crowd = Crowd::new(2000);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut red = Asker {
        connection: server.connect(),
        key: &key,
    };
    let areas = red.areas(ALL);
    let figure = |key: &str, name: &str| areas[key][name].as_f64().expect("a number");
    let mut counts: Vec<f64> = areas.keys().map(|key| figure(key, "contacts")).collect();
    counts.sort_by(f64::total_cmp);
    let middle = counts[5];

    // Filters, alone and beside others.
    let passing = red.areas(&format!(
        "{ALL}&filter=contacts>={middle}%20AND%20turnout>0.4"
    ));
    let expected: Vec<&String> = areas
        .keys()
        .filter(|key| figure(key, "contacts") >= middle && figure(key, "turnout") > 0.4)
        .collect();
    assert!(!expected.is_empty() && expected.len() < 10);
    assert_eq!(passing.keys().collect::<Vec<_>>(), expected);
    let spatial = "S_INTERSECTS(geometry,POINT(-73.575%2045.505))%20AND%20contacts>0";
    assert_eq!(red.areas(&format!("{ALL}&filter={spatial}")).len(), 1);

    // Orders.
    let by_count = red.keys(&format!("{ALL}&sortby=-contacts_per_1000"));
    assert!(
        by_count.is_sorted_by(|a, b| {
            figure(a, "contacts_per_1000") >= figure(b, "contacts_per_1000")
        })
    );

    // Scores: one criterion ranks as its column does.
    let scored = red.areas(&format!("{ALL}&score=contacts_per_1000,turnout:0.000001"));
    for (place, key) in by_count.iter().enumerate() {
        assert_eq!(scored[key]["rank"], json!(place + 1), "{key}");
    }
    // Under another filter of contacts the same weights rank anew.
    let old = red.areas(&format!(
        "{ALL}&contacts-filter=age='old'&score=contacts_per_1000"
    ));
    let ranks = |of: &BTreeMap<String, Value>| {
        let ranks = of.values().map(|area| area["rank"].clone());
        ranks.collect::<Vec<_>>()
    };
    assert_ne!(ranks(&old), ranks(&scored));

    // Classes and statistics.
    let classed = red.areas(&format!("{ALL}&class-property=contacts&classes=2"));
    for (key, area) in &classed {
        let expected = u8::from(figure(key, "contacts") > counts[4]);
        assert_eq!(area["class"], json!(expected), "{key}");
    }
    let stats = red
        .get("/town/stats?property=contacts&contacts=supporters")
        .json();
    assert_eq!(stats["sum"].as_f64(), Some(counts.iter().sum()));
    assert_eq!(stats["max"].as_f64(), counts.last().copied());
    // A filter of the finer level, told by the coarser one: only what matches is counted.
    let asked = format!("{ALL}&level=borough&filter-level=district&filter=contacts>={middle}");
    let boroughs = red.areas(&asked);
    for (key, area) in &boroughs {
        let inside = areas.keys().filter(|k| k.starts_with(key.as_str()));
        let matching: Vec<&String> = inside.filter(|k| figure(k, "contacts") >= middle).collect();
        let sum = |name: &str| matching.iter().map(|k| figure(k, name)).sum::<f64>();
        assert_eq!(area["matched"], json!(matching.len()));
        assert_eq!(area["contacts"].as_f64(), Some(sum("contacts")));
        let rate = area["contacts_per_1000"].as_f64().expect("a number");
        assert!((rate - 1000.0 * sum("contacts") / sum("registered")).abs() < 1e-9);
    }
    assert!(!boroughs.is_empty());
    let queryables = red.get("/town/queryables?contacts=supporters").json();
    assert_eq!(queryables["properties"]["contacts"]["type"], "number");
}

#[test]
fn tiles_and_files_of_contacts_agree_with_lists() {
    let crowd = Crowd::new(2000);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut red = Asker {
        connection: server.connect(),
        key: &key,
    };
    let areas = red.areas(ALL);
    let middle = areas["12"]["contacts"].as_f64();
    // Tiles and files agree with the list; the columns may be named and need not be.
    for properties in [
        "",
        "&properties=contacts,turnout",
        "&properties=contacts_per_1000",
    ] {
        let tile = tile_at(-73.575, 45.505, 12);
        let reply = red.get(&format!("/town/{tile}?contacts=supporters{properties}"));
        let layers = decode(&reply.plain());
        assert!(!layers[0].features.is_empty());
        for feature in &layers[0].features {
            let key = feature.properties["id"].as_str().expect("a key");
            assert_eq!(
                feature.properties["contacts"].as_f64(),
                areas[key]["contacts"].as_f64()
            );
            let rate = feature.properties["contacts_per_1000"].as_f64();
            assert_eq!(rate, areas[key]["contacts_per_1000"].as_f64());
        }
    }
    let filtered = format!("/town/{}?contacts=supporters", tile_at(-73.575, 45.505, 12));
    let filtered = red.get(&format!(
        "{filtered}&filter=contacts>={}",
        areas["12"]["contacts"]
    ));
    for feature in &decode(&filtered.plain())[0].features {
        assert!(feature.properties["contacts"].as_f64() >= middle);
    }
    let csv = red
        .get("/town/items.csv?contacts=supporters&sortby=key")
        .text();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].ends_with("contacts,contacts_per_1000"),
        "{}",
        lines[0]
    );
    for (line, (key, area)) in lines[1..].iter().zip(&areas) {
        assert!(line.starts_with(key.as_str()));
        let ending = format!(",{},{}", area["contacts"], area["contacts_per_1000"]);
        assert!(line.ends_with(&ending), "{line} {ending}");
    }
    let card = red.get("/town/items/12?contacts=supporters").json();
    assert_eq!(card["properties"]["contacts"], areas["12"]["contacts"]);
    assert_eq!(card["contacts"]["set"], "supporters");
}

#[test]
fn mistakes_about_contacts_are_told_with_the_parameter() {
    let crowd = Crowd::new(2000);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut red = Asker {
        connection: server.connect(),
        key: &key,
    };
    // Mistakes are told with the parameter.
    for (query, parameter) in [
        ("contacts=nobody", "contacts"),
        ("contacts-filter=age%3D'old'", "contacts"),
        (
            "contacts=supporters&contacts-filter=full_name%3D'x'",
            "contacts-filter",
        ),
        (
            "contacts=supporters&contacts-denominator=winner",
            "contacts-denominator",
        ),
        ("contacts=supporters&contacts-rate=best", "contacts-rate"),
        ("contacts=supporters&filter=contacts%3D'x'", "filter"),
        ("filter=contacts>1", "filter"),
        ("score=contacts", "score"),
        ("sortby=contacts", "sortby"),
        ("class-property=contacts", "class-property"),
        ("properties=contacts", "properties"),
    ] {
        let reply = red.get(&format!("/town/items?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.json()["parameter"], parameter, "{query}");
    }
}

#[test]
fn joined_contacts_are_seen_by_their_tenant_alone() {
    let crowd = Crowd::new(300);
    crowd.build();
    let released = crowd.verb("release", &["--contacts", "supporters"]);
    assert!(released.status.success());
    let red = crowd.add_key("red staff", "red", "inside");
    let guest = crowd.add_key("red guests", "red", "outside");
    let blue = crowd.add_key("blue staff", "blue", "inside");
    let narrow = crowd.add_key("narrow", "red", "inside");
    let text = fs::read_to_string(crowd.keys()).expect("there");
    // Of the whole town one borough, where contacts have no such property.
    fs::write(crowd.keys(), format!("{text}filter = \"key LIKE '1%'\"\n")).expect("written");
    let server = serve(&crowd);
    let mut c = server.connect();
    let tile = tile_at(-73.575, 45.505, 12);
    let paths = [
        "/town?".to_owned(),
        format!("/town/{tile}?"),
        "/town/items?".into(),
        "/town/items.csv?".into(),
        "/town/items.geojson?".into(),
        "/town/items.fgb?".into(),
        "/town/items/12?".into(),
        "/town/at?lon=-73.575&lat=45.505&".into(),
        "/town/stats?property=turnout&".into(),
        "/town/queryables?".into(),
        "/town/items?filter=contacts%3E1&".into(),
    ];
    let callers = [Some(&red), None, Some(&guest), Some(&blue), Some(&narrow)];
    for path in &paths {
        // Each after who may: nothing is answered from what was kept for another.
        let mut etag = String::new();
        for key in callers {
            let bearer = key.map(|key| format!("Bearer {key}"));
            let mut headers: Vec<(&str, &str)> = Vec::new();
            headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
            headers.extend((!etag.is_empty()).then_some(("If-None-Match", &*etag)));
            let reply = c.request("GET", &format!("{path}contacts=supporters"), &headers);
            if key == Some(&red) {
                assert_eq!(reply.status, 200, "{path} {}", reply.text());
                assert!(reply.header("cache-control").starts_with("private"));
                reply.header("etag").clone_into(&mut etag);
                continue;
            }
            let absent = c.request("GET", &format!("{path}contacts=nothing"), &headers);
            assert_eq!(reply.status, 400, "{path}");
            assert_eq!(reply.body, absent.body, "absent and forbidden are one");
        }
    }
    // Every read was noted: one line a request, with what was read.
    let audit = fs::read_to_string(format!("{}.audit.jsonl", crowd.keys())).expect("there");
    let lines: Vec<Value> = audit
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let tiles = format!("town/{tile}");
    for what in [
        "town",
        &*tiles,
        "town/items",
        "town/items.csv",
        "town/stats",
    ] {
        let noted = lines.iter().any(|line| line["what"] == what);
        assert!(noted, "{what}: {audit}");
    }
    assert!(lines.iter().all(|line| line["who"] == "red staff"));
}
