//! Scores and the lists that follow from them: the same figures wherever they are shown, and those
//! of a plain computation.

mod cards;
mod finer;
mod zones;

use std::collections::BTreeMap;

use e2e::mvt::{features_around, tile_at};
use e2e::{Server, Town, Village};
use serde_json::Value;

/// The middle of the town.
const TOWN: (f64, f64) = (-73.575, 45.51);

fn built() -> (Town, Server) {
    let town = Town::new();
    let output = town.build(&[]);
    assert!(output.status.success(), "{output:?}");
    let server = Server::start(&town.path().join("out"));
    (town, server)
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
    let districts = town.counts();
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
    let features = features_around(server, "town", TOWN, 12, query);
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
    let features = features_around(&server, "town", (2.325, 48.859), 12, "score=turnout");
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
