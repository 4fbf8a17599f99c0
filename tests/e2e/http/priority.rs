//! Scores, and filters of finer levels: the same figures wherever they are shown, and those of a
//! plain computation.

use std::collections::{BTreeMap, BTreeSet};

use e2e::mvt::{Feature, decode, tile_at};
use e2e::wire::Reply;
use e2e::{Server, Town, Village};
use serde_json::Value;

/// The middle of the town.
const TOWN: (f64, f64) = (-73.575, 45.51);

/// The districts of the town: code, then registered, voters, north, south, other.
fn districts(town: &Town) -> BTreeMap<String, [f64; 5]> {
    let district = |line: &String| {
        let mut cells = line.split(';');
        let key = cells.next().expect("a code").to_owned();
        let numbers: Vec<f64> = cells.map(|c| c.parse().expect("a number")).collect();
        (key, numbers.try_into().expect("five numbers"))
    };
    town.lines.iter().map(district).collect()
}

fn built() -> (Town, Server) {
    let town = Town::new();
    let output = town.build(&[]);
    assert!(output.status.success(), "{output:?}");
    let server = Server::start(&town.path().join("out"));
    (town, server)
}

/// The features of a layer around a place, each once.
fn tile(server: &Server, layer: &str, place: (f64, f64), z: u8, query: &str) -> Vec<Feature> {
    let corners = [
        (-0.03, -0.015),
        (-0.03, 0.015),
        (0.03, -0.015),
        (0.03, 0.015),
    ];
    let address = |(lon, lat): (f64, f64)| tile_at(place.0 + lon, place.1 + lat, z);
    let addresses: BTreeSet<String> = corners.into_iter().map(address).collect();
    let mut features = BTreeMap::new();
    for address in addresses {
        let reply = server.get(&format!("/{layer}/{address}?{query}"));
        match reply.status {
            204 => {}
            200 => {
                let found = decode(&reply.plain()).remove(0).features;
                features.extend(found.into_iter().map(|feature| (feature.id, feature)));
            }
            status => panic!("{status}: {}", reply.text()),
        }
    }
    features.into_values().collect()
}

/// Properties by key, from a list.
fn list(server: &Server, path: &str) -> Vec<(String, Value)> {
    let page = server.get(path).json();
    let features = page["features"].as_array().cloned().unwrap_or_default();
    let pair = |feature: Value| {
        let properties = feature["properties"].clone();
        let key = properties["key"].as_str().expect("a key").to_owned();
        (key, properties)
    };
    features.into_iter().map(pair).collect()
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// Mid-rank percentiles, by counting.
fn percentiles(values: &[f64], low: bool) -> Vec<f64> {
    let count = |test: &dyn Fn(f64) -> bool| values.iter().filter(|v| test(**v)).count();
    let others = f64::from(u32::try_from(values.len() - 1).expect("few"));
    let place = |&value: &f64| {
        let worse = count(&|v| if low { v > value } else { v < value });
        let equal = count(&|v| v.total_cmp(&value).is_eq()) - 1;
        let halves = f64::from(u32::try_from(2 * worse + equal).expect("few"));
        halves / 2.0 / others
    };
    values.iter().map(place).collect()
}

#[test]
fn a_score_is_one_figure_everywhere() {
    let (town, server) = built();
    let districts = districts(&town);
    let keys: Vec<&String> = districts.keys().collect();
    let turnout: Vec<f64> = districts.values().map(|d| d[1] / d[0]).collect();
    let north: Vec<f64> = districts.values().map(|d| d[2] / d[1]).collect();
    let parts = [percentiles(&turnout, true), percentiles(&north, false)];
    let expected: Vec<f64> = (0..keys.len())
        .map(|i| 750.0 * parts[0][i] + 250.0 * parts[1][i])
        .collect();

    let query = "score=-turnout:3,north_share:1";
    let ranked = list(&server, &format!("/town/items?{query}&sortby=-score"));
    assert_eq!(ranked.len(), 10);
    for (key, properties) in &ranked {
        let i = keys.iter().position(|k| *k == key).expect("a district");
        let score = number(&properties["score"]).expect("a score");
        assert!((score - expected[i]).abs() <= 0.5 + 1e-9, "{key}: {score}");
        let better = expected.iter().filter(|e| **e > expected[i] + 1e-9).count();
        assert_eq!(properties["rank"], better + 1, "{key}");
        let contributions = &properties["contributions"];
        let low = number(&contributions["turnout"]).expect("a part");
        let high = number(&contributions["north_share"]).expect("a part");
        assert!((low - 750.0 * parts[0][i]).abs() < 1e-9);
        assert!((low + high - expected[i]).abs() < 1e-9);
        let stability = number(&properties["stability"]).expect("a share");
        assert!((0.0..=1.0).contains(&stability));
    }
    let ranks: Vec<f64> = ranked.iter().filter_map(|r| number(&r.1["rank"])).collect();
    assert!(ranks.is_sorted());

    for method in ["percentile", "zscore", "minmax", "topsis"] {
        for filter in ["", "&filter=registered%3E1003"] {
            agree(&server, &format!("{query}&score-method={method}{filter}"));
        }
    }
    // Whatever the spelling, it is one score.
    let tag = |query: &str| {
        let path = format!("/town/{}?{query}", tile_at(TOWN.0, TOWN.1, 12));
        server.get(&path).header("etag").to_owned()
    };
    assert_eq!(tag(query), tag("score=north_share:2,-turnout:6.0"));
    assert_ne!(tag(query), tag("score=north_share:2,-turnout:5"));
}

/// Tile, list, card, files and statistics tell the same score and rank.
fn agree(server: &Server, query: &str) {
    let listed = list(server, &format!("/town/items?{query}&limit=1000"));
    assert!(!listed.is_empty(), "{query}");
    let figures: BTreeMap<String, (Value, Value)> = listed
        .iter()
        .map(|(key, p)| (key.clone(), (p["score"].clone(), p["rank"].clone())))
        .collect();
    let features = tile(server, "town", TOWN, 12, query);
    assert_eq!(features.len(), figures.len(), "{query}");
    for feature in &features {
        let (score, rank) = &figures[feature.properties["id"].as_str().expect("a key")];
        assert_eq!(
            number(&feature.properties["score"]),
            number(score),
            "{query}"
        );
        assert_eq!(number(&feature.properties["rank"]), number(rank), "{query}");
    }
    for (key, (score, rank)) in &figures {
        let card = server.get(&format!("/town/items/{key}?{query}")).json();
        assert_eq!(&card["properties"]["score"], score, "{query}");
        assert_eq!(&card["properties"]["rank"], rank, "{query}");
    }
    let exported = list(server, &format!("/town/items.geojson?{query}"));
    assert_eq!(exported.len(), figures.len());
    for (key, properties) in &exported {
        assert_eq!((&properties["score"], &properties["rank"]), {
            let (score, rank) = &figures[key];
            (score, rank)
        });
    }
    let csv = server
        .get(&format!("/town/items.csv?{query}&properties=turnout"))
        .text();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("key,name,turnout,score,rank"));
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let (score, rank) = &figures[cells[0]];
        assert_eq!(
            (cells[3], cells[4]),
            (&*score.to_string(), &*rank.to_string())
        );
    }
    let stats = server
        .get(&format!("/town/stats?property=score&{query}"))
        .json();
    let scores: Vec<f64> = figures.values().filter_map(|f| number(&f.0)).collect();
    assert_eq!(stats["count"], scores.len());
    assert_eq!(
        number(&stats["max"]),
        scores.iter().copied().reduce(f64::max)
    );
}

#[test]
fn ties_share_a_rank_and_missing_ones_have_none() {
    let village = Village::new();
    let server = Server::start(village.path());
    let page = server
        .get("/town/items?score=turnout&sortby=-score&limit=4")
        .json();
    let told = |page: &Value, name: &str| -> Vec<Value> {
        let features = page["features"].as_array().cloned().unwrap_or_default();
        features
            .iter()
            .map(|f| f["properties"][name].clone())
            .collect()
    };
    // Turnout: 04 1, 02 .75, 06 and 10 .7, 03 .625, 01 and 09 .5, 05 .333; 07 and 08 unknown.
    assert_eq!(told(&page, "key"), ["04", "02", "06", "10"]);
    assert_eq!(told(&page, "rank"), [1, 2, 3, 3]);
    assert_eq!(page["numberMatched"], 8);
    assert_eq!(page["numberUnranked"], 2);
    let unranked = serde_json::json!([
        { "key": "07", "name": "L'Haÿ", "missing": ["turnout"] },
        { "key": "08", "name": "Lac", "missing": ["turnout"] },
    ]);
    assert_eq!(page["unranked"], unranked);
    assert_eq!(page["ranking"]["ranked"], 8);
    let low = server
        .get("/town/items?score=turnout&sortby=score&limit=2")
        .json();
    assert_eq!(told(&low, "key"), ["05", "01"]);
    let top = server.get("/town/items?score=turnout&top=3").json();
    assert_eq!(
        told(&top, "key"),
        ["04", "02", "06", "10"],
        "ties are of the top"
    );
    assert!(
        told(&top, "stability").iter().all(|p| *p == 1),
        "one criterion alone is sure"
    );
    // In a file there is no other place for them; in a tile they are there without a score.
    let csv = server
        .get("/town/items.csv?score=turnout&properties=turnout")
        .text();
    assert!(csv.contains("\r\n08,Lac,,,\r\n"), "{csv}");
    let features = tile(&server, "town", (2.325, 48.859), 12, "score=turnout");
    assert_eq!(features.len(), 10);
    let scored = features
        .iter()
        .filter(|f| f.properties.contains_key("score"));
    assert_eq!(scored.count(), 8);
    // Nothing tells these apart.
    let constant = server.get("/town/items?score=mark").json();
    assert_eq!(told(&constant, "score"), vec![Value::from(500); 10]);
    assert_eq!(told(&constant, "rank"), vec![Value::from(1); 10]);
}

#[test]
fn objectives_and_splits() {
    let village = Village::new();
    let server = Server::start(village.path());
    let page = server
        .get("/town/items?objective=voters:1800&properties=voters")
        .json();
    let keys = |page: &Value| -> Vec<String> {
        let features = page["features"].as_array().cloned().unwrap_or_default();
        let key = |f: &Value| f["properties"]["key"].as_str().map(str::to_owned);
        features.iter().filter_map(key).collect()
    };
    assert_eq!(keys(&page), ["04", "02"]);
    assert_eq!(page["objective"]["covered"], 2000);
    assert_eq!(page["objective"]["reached"], true);
    let beyond = server.get("/town/items?objective=voters:1e6").json();
    assert_eq!(beyond["objective"]["reached"], false);
    assert_eq!(
        beyond["objective"]["areas"], 8,
        "missing and zero reserves are never taken"
    );

    let split = "/town/items?split=0.5&split-by=parent&seed=7";
    let groups = |path: &str| -> BTreeMap<String, String> {
        let units = list(&server, path).into_iter();
        let group = |p: &Value| p["group"].as_str().expect("a group").to_owned();
        units.map(|(key, p)| (key, group(&p))).collect()
    };
    let all = groups(split);
    for stratum in [1..=5, 6..=10] {
        let treated = stratum
            .filter(|i| all[&format!("{i:02}")] == "treated")
            .count();
        assert!((2..=3).contains(&treated));
    }
    assert_eq!(all, groups(&format!("{split}&sortby=-turnout")));
    assert_ne!(all, groups("/town/items?split=0.5&split-by=parent&seed=8"));
    let page: Vec<String> = groups(&format!("{split}&sortby=key&limit=3&offset=4"))
        .into_values()
        .collect();
    let same: Vec<String> = all.values().skip(4).take(3).cloned().collect();
    assert_eq!(page, same, "whatever the page");
    let csv = server
        .get("/town/items.csv?split=0.5&seed=7&properties=mark")
        .text();
    assert!(csv.starts_with("key,name,mark,group\r\n"), "{csv}");
}

type Test = fn(&[f64; 5]) -> bool;

#[test]
fn a_filter_of_a_finer_level_is_a_plain_sum_over_what_matches() {
    let (town, server) = built();
    let districts = districts(&town);
    let filters: [(&str, Test); 6] = [
        ("turnout > 0.5", |d| d[1] / d[0] > 0.5),
        ("registered <> 1004", |d| (d[0] - 1004.0).abs() > 0.5),
        ("north_share > 0.405 OR turnout < 0.45", |d| {
            d[2] / d[1] > 0.405 || d[1] / d[0] < 0.45
        }),
        ("registered = 1008", |d| (d[0] - 1008.0).abs() < 0.5),
        ("turnout > 2", |_| false),
        ("", |_| true),
    ];
    for (filter, test) in filters {
        let mut expected: BTreeMap<&str, ([f64; 5], f64)> = BTreeMap::new();
        for (key, figures) in districts.iter().filter(|(_, d)| test(d)) {
            let entry = expected.entry(&key[..1]).or_default();
            for (sum, figure) in entry.0.iter_mut().zip(figures) {
                *sum += figure;
            }
            entry.1 += 1.0;
        }
        let query = format!(
            "filter={}&filter-level=district&properties=turnout,registered,north_share,winner",
            encoded(filter)
        );
        let listed: BTreeMap<String, Value> =
            list(&server, &format!("/town/items?level=borough&{query}"))
                .into_iter()
                .collect();
        let features = tile(&server, "town", TOWN, 10, &query);
        assert_eq!(features.len(), expected.len(), "{filter}");
        assert_eq!(listed.len(), expected.len(), "{filter}");
        for feature in &features {
            let key = feature.properties["id"].as_str().expect("a key");
            let (sums, matched) = expected[key];
            let of_all: f64 = districts
                .iter()
                .filter(|(k, _)| k.starts_with(key))
                .map(|d| d.1[0])
                .sum();
            for (name, value) in [
                ("matched", matched),
                ("matched_share", sums[0] / of_all),
                ("registered", sums[0]),
                ("turnout", sums[1] / sums[0]),
                ("north_share", sums[2] / sums[1]),
            ] {
                assert_eq!(
                    number(&feature.properties[name]),
                    Some(value),
                    "{filter}: {name}"
                );
                assert_eq!(number(&listed[key][name]), Some(value), "{filter}: {name}");
            }
            assert!(
                !feature.properties.contains_key("winner"),
                "texts do not add up"
            );
            assert!(listed[key]["winner"].is_null());
        }
        let stats = format!("/town/stats?level=borough&property=turnout&{query}");
        let sum: f64 = expected.values().map(|e| e.0[1] / e.0[0]).sum();
        let told = server.get(&stats).json();
        assert_eq!(told["count"], expected.len());
        assert!((number(&told["sum"]).unwrap_or(0.0) - sum).abs() < 1e-12);
        // At the filter's own level it is a filter.
        let fine = tile(&server, "town", TOWN, 12, &query);
        assert_eq!(fine.len(), districts.values().filter(|d| test(d)).count());
        assert!(fine.iter().all(|f| !f.properties.contains_key("matched")));
    }
    // Spoken of a coarser level: what lies in the units that match.
    let north = tile(
        &server,
        "town",
        TOWN,
        12,
        "filter=id%3D'1'&filter-level=borough",
    );
    assert_eq!(north.len(), 5);
    // Scores and classes are of the recomputed figures.
    let query = "level=borough&filter=turnout%3E0.45&filter-level=district&score=turnout";
    let scored = list(
        &server,
        &format!("/town/items?{query}&classes=2&class-property=matched"),
    );
    assert_eq!(scored.len(), 2);
    for (_, properties) in scored {
        assert!(properties["score"].is_number() && properties["class"].is_number());
    }
}

#[test]
fn parameters_at_fault_are_named() {
    let village = Village::new();
    let server = Server::start(village.path());
    let tile = tile_at(2.325, 48.859, 12);
    for (query, parameter) in [
        ("score=", ""),
        ("score=nothing", "score"),
        ("score=winner", "score"),
        ("score=turnout,turnout:2", "score"),
        ("score=turnout:0", "score"),
        ("score=turnout:-1", "score"),
        ("score=turnout:NaN", "score"),
        ("score=turnout:1e999", "score"),
        ("score=,", "score"),
        ("score=turnout&score=mark", "score"),
        ("score-method=magic", "score-method"),
        ("score=turnout&score-method=%00", "score-method"),
        ("filter-level=nothing", "filter-level"),
        ("filter-level=lake", "filter-level"),
        ("filter=winner%3D'x'&filter-level=district", "filter"),
        ("class-property=score", "class-property"),
        ("class-property=matched", "class-property"),
    ] {
        for path in [
            format!("/town/{tile}"),
            "/town/items".into(),
            "/town".into(),
        ] {
            let reply = server.get(&format!("{path}?{query}"));
            if parameter.is_empty() {
                assert_eq!(reply.status, 200, "{path}?{query}");
                continue;
            }
            assert_eq!(reply.status, 400, "{path}?{query}");
            assert_eq!(reply.header("content-type"), "application/problem+json");
            assert_eq!(reply.json()["parameter"], parameter, "{path}?{query}");
        }
    }
    for (query, parameter) in [
        ("top=3", "top"),
        ("score=turnout&top=0", "top"),
        ("score=turnout&top=-1", "top"),
        ("noise=2", "noise"),
        ("seed=-1", "seed"),
        ("objective=voters", "objective"),
        ("objective=voters:0", "objective"),
        ("objective=voters:inf", "objective"),
        ("objective=winner:5", "objective"),
        ("split=1.5", "split"),
        ("split-by=parent", "split"),
        ("split=0.5&split-by=turnout", "split-by"),
        ("sortby=-score", "sortby"),
        ("sortby=matched", "sortby"),
    ] {
        let reply = server.get(&format!("/town/items?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.json()["parameter"], parameter, "{query}");
    }
    // A level that lacks a criterion refuses, as it does a filter.
    assert_eq!(server.get("/town/0/0/0?score=winner").status, 400);
    assert_eq!(server.get("/town/stats?property=score").status, 400);
}

#[test]
fn a_card_tells_where_an_area_stands() {
    let (town, server) = built();
    let districts = districts(&town);
    let key = "13";
    let card = server.get(&format!("/town/items/{key}")).json();
    assert_eq!(card["level"], "district");
    assert_eq!(card["parent"]["key"], "1");
    let told = |name: &str| -> Value {
        let indicators = card["indicators"].as_array().cloned().unwrap_or_default();
        let found = indicators.into_iter().find(|i| i["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    let turnout = |d: &[f64; 5]| d[1] / d[0];
    let own = turnout(&districts[key]);
    let rate = |prefix: &str| {
        let those = || districts.iter().filter(|(k, _)| k.starts_with(prefix));
        those().map(|d| d.1[1]).sum::<f64>() / those().map(|d| d.1[0]).sum::<f64>()
    };
    let indicator = told("turnout");
    let above = districts.values().filter(|d| turnout(d) > own).count();
    assert_eq!(number(&indicator["value"]), Some(own));
    assert_eq!(indicator["rank"], above + 1);
    assert_eq!(indicator["of"], 10);
    let percentile = number(&indicator["percentile"]).expect("a percentile");
    let below = f64::from(u32::try_from(9 - above).expect("few"));
    assert!((percentile - 100.0 * below / 9.0).abs() < 1e-9);
    // Rates of the parent and of all, from counts.
    assert_eq!(number(&indicator["parent"]), Some(rate("1")));
    assert_eq!(number(&indicator["layer"]), Some(rate("")));
    for (name, text) in [
        ("source", "nobody"),
        ("vintage", "2020"),
        ("licence", "CC0-1.0"),
        ("formula", "sum(voters) / sum(registered)"),
        ("unit", "share"),
    ] {
        assert_eq!(indicator[name], text, "{name}");
    }
    assert_eq!(indicator["estimate"], false);
    assert!(told("winner")["layer"].is_null(), "texts do not add up");
    assert_eq!(card["series"], serde_json::json!([]));
}

fn post(server: &Server, path: &str, body: &str) -> Reply {
    let mut connection = server.connect();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    connection.send(format!("{head}{body}").as_bytes());
    connection.read("POST").expect("an answer")
}

fn square([west, south, east, north]: [f64; 4]) -> String {
    format!(
        "{{\"type\":\"Polygon\",\"coordinates\":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}"
    )
}

#[test]
fn a_zone_is_the_counts_of_what_it_covers() {
    let village = Village::new();
    let server = Server::start(village.path());
    let value = |answer: &Value, name: &str| {
        let indicators = answer["indicators"].as_array().cloned().unwrap_or_default();
        let found = indicators.into_iter().find(|i| i["name"] == name);
        found.and_then(|i| number(&i["value"]))
    };
    let near = |found: Option<f64>, expected: f64| {
        let found = found.unwrap_or_else(|| panic!("no value, not {expected}"));
        assert!(
            // Corners lie on the world grid, of which a quarter is 30,000 cells wide.
            (found - expected).abs() < 1e-4 * expected,
            "{found}, not {expected}"
        );
    };
    // Quarters 01 and 02 exactly: turnout from counts is not the mean of .5 and .75.
    let two = post(&server, "/town/zone", &square([2.30, 48.86, 2.32, 48.87])).json();
    assert_eq!(two["numberAreas"], 2, "{two}");
    near(value(&two, "registered"), 2100.0);
    near(value(&two, "turnout"), 1350.0 / 2100.0);
    near(number(&two["coverage"]), 1.0);
    // Half of 03 besides, and half of the zone outside of the town.
    let half = post(&server, "/town/zone", &square([2.30, 48.86, 2.325, 48.87])).json();
    near(value(&half, "registered"), 2500.0);
    assert_eq!(half["areas"][2]["key"], "03");
    near(number(&half["areas"][2]["share"]), 0.5);
    assert_eq!(half["indicators"][0]["estimate"], true);
    let beyond = post(&server, "/town/zone", &square([2.29, 48.86, 2.31, 48.87])).json();
    near(number(&beyond["coverage"]), 0.5);
    near(value(&beyond, "registered"), 900.0);
    // A district by the electors of its quarters, not by its ground.
    let zone = square([2.30, 48.86, 2.32, 48.87]);
    let by_area = post(&server, "/town/zone?level=district", &zone).json();
    near(number(&by_area["areas"][0]["share"]), 0.4);
    let by_weight = post(&server, "/town/zone?level=district&sharing=weight", &zone).json();
    near(number(&by_weight["areas"][0]["share"]), 2100.0 / 5000.0);
    near(value(&by_weight, "registered"), 2100.0);
    let nowhere = post(&server, "/town/zone", &square([0.0, 0.0, 1.0, 1.0])).json();
    assert_eq!(
        (&nowhere["numberAreas"], &nowhere["coverage"]),
        (&0.into(), &0.into())
    );
    assert!(
        value(&nowhere, "registered").is_none(),
        "nothing is not zero"
    );
}

#[test]
fn hostile_zones() {
    let village = Village::new();
    let server = Server::start(village.path());
    let many = vec!["[2.3,48.8]"; 3_000].join(",");
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    for body in [
        "",
        "{}",
        "null",
        "[1,2]",
        &deep,
        r#"{"type":"Point","coordinates":[2.3,48.8]}"#,
        r#"{"type":"Polygon","coordinates":[]}"#,
        r#"{"type":"Polygon","coordinates":[[]]}"#,
        r#"{"type":"Polygon","coordinates":[[[2,48],[3,48],[2,48]]]}"#,
        r#"{"type":"Polygon","coordinates":[[[2,48],[3,48],[3,49],[2,49]]]}"#,
        r#"{"type":"Polygon","coordinates":[[["2",48],[3,48],[3,49],["2",48]]]}"#,
        r#"{"type":"Polygon","coordinates":[[[2,1e999],[3,48],[3,49],[2,48]]]}"#,
        r#"{"type":"Polygon","coordinates":[[[2,48],[3,48],[4,48],[2,48]]]}"#,
        r#"{"type":"Polygon","coordinates":[[[2000,48],[3,48],[3,49],[2000,48]]]}"#,
        r#"{"type":"FeatureCollection","features":[]}"#,
        &format!(r#"{{"type":"Polygon","coordinates":[[{many}]]}}"#),
    ] {
        let reply = post(&server, "/town/zone", body);
        assert_eq!(reply.status, 400, "{}", &body[..body.len().min(80)]);
        assert_eq!(reply.json()["parameter"], "body");
    }
    let large = post(&server, "/town/zone", &" ".repeat(300_000));
    assert_eq!(large.status, 413);
    let zone = square([2.30, 48.86, 2.32, 48.87]);
    for (query, parameter) in [
        ("sharing=magic", "sharing"),
        ("sharing=weight", "sharing"),
        ("level=nothing", "level"),
        ("properties=nothing", "properties"),
    ] {
        let reply = post(&server, &format!("/town/zone?{query}"), &zone);
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.json()["parameter"], parameter, "{query}");
    }
    assert_eq!(post(&server, "/nothing/zone", &zone).status, 404);
    let get = server.get("/town/zone");
    assert_eq!((get.status, get.header("allow")), (405, "POST, OPTIONS"));
}

/// Numbers of a small generator (Park & Miller), enough to make filters.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 % below
    }
}

#[test]
fn a_filtered_tile_is_the_whole_one_without_what_fails() {
    let village = Village::new();
    let server = Server::start(village.path());
    let place = (2.325, 48.859);
    let properties = "properties=registered,voters,turnout,winner";
    let mut dice = Dice(11);
    for z in [10, 11, 12, 13, 14] {
        let whole = tile(&server, "town", place, z, properties);
        assert!(!whole.is_empty());
        for _ in 0..20 {
            let mut terms = Vec::new();
            for _ in 0..=dice.roll(2) {
                let name = ["registered", "voters", "turnout"]
                    [usize::try_from(dice.roll(3)).expect("few")];
                let limit = f64::from(u32::try_from(dice.roll(1_300)).expect("few"));
                let limit = if name == "turnout" {
                    limit / 1_000.0
                } else {
                    limit
                };
                terms.push((name, dice.roll(2) == 0, limit));
            }
            let all = dice.roll(2) == 0;
            let texts: Vec<String> = terms
                .iter()
                .map(|(name, above, limit)| {
                    format!("{name} {} {limit}", if *above { ">" } else { "<=" })
                })
                .collect();
            let filter = texts.join(if all { " AND " } else { " OR " });
            // A missing value fulfils neither a comparison nor its opposite.
            let holds = |feature: &Feature, (name, above, limit): &(&str, bool, f64)| {
                let value = feature.properties.get(*name).and_then(Value::as_f64);
                value.is_some_and(|value| (value > *limit) == *above)
            };
            let passes = |feature: &&Feature| {
                let mut each = terms.iter().map(|term| holds(feature, term));
                if all {
                    each.all(|h| h)
                } else {
                    each.any(|h| h)
                }
            };
            let query = format!("{properties}&filter={}", encoded(&filter));
            let found = tile(&server, "town", place, z, &query);
            let expected: Vec<&Feature> = whole.iter().filter(passes).collect();
            assert_eq!(found.len(), expected.len(), "{z}: {filter}");
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(found.id, expected.id, "{z}: {filter}");
                assert_eq!(found.properties, expected.properties, "{z}: {filter}");
                assert_eq!(found.rings, expected.rings, "{z}: {filter}");
            }
        }
    }
}
