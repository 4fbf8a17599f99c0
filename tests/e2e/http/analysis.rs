//! Figures over the units that pass: statistics, classes, search, files to take away.

use e2e::mvt::{decode, tile_at};
use e2e::{Server, Squares, Village, village};
use serde_json::Value;

#[test]
fn statistics_of_numbers() {
    let village = Village::new();
    let server = Server::start(village.path());
    let stats = server
        .get("/town/stats?property=registered&method=equal&k=4")
        .json();
    let mut sorted = village::REGISTERED;
    sorted.sort_by(f64::total_cmp);
    assert_eq!(stats["count"], 10);
    assert_eq!(stats["missing"], 0);
    assert_eq!(stats["sum"].as_f64(), Some(sorted.iter().sum()));
    assert_eq!(stats["min"], 0);
    assert_eq!(stats["max"], 1300);
    assert_eq!(stats["median"], 925);
    assert_eq!(stats["quantiles"]["0.5"], 925);
    let counts = numbers(&stats["histogram"]["counts"]);
    assert!((counts.iter().sum::<f64>() - 10.0).abs() < 1e-9);
    assert_eq!(
        stats["breaks"]["upper"],
        serde_json::json!([325, 650, 975, 1300])
    );
    assert_eq!(numbers(&stats["breaks"]["counts"]), [1.0, 1.0, 4.0, 4.0]);

    // Missing is told, never counted as 0; an empty set has no sum.
    let turnout = server
        .get("/town/stats?property=turnout&method=jenks&k=9")
        .json();
    assert_eq!(
        (&turnout["count"], &turnout["missing"]),
        (&8.into(), &2.into())
    );
    assert_eq!(turnout["breaks"]["requested"], 9);
    assert_eq!(turnout["breaks"]["k"], 6, "six distinct values");
    let none = server
        .get("/town/stats?property=turnout&filter=mark%3D9")
        .json();
    assert_eq!(none["count"], 0);
    assert!(none["sum"].is_null() && none["mean"].is_null());
    assert_eq!(none["breaks"]["k"], 0);
    let constant = server.get("/town/stats?property=mark").json();
    assert_eq!(constant["breaks"]["k"], 1);

    let given = server.get("/town/stats?property=registered&breaks=700,1000&filter=mark%3D1");
    let given = given.json();
    let [upper, counts] = ["upper", "counts"].map(|key| numbers(&given["breaks"][key]));
    // Beyond is the last class, which says how far it goes.
    assert_eq!(counts, [3.0, 7.0]);
    assert_eq!(upper, [700.0, 1300.0]);
    let weighted = server
        .get("/town/stats?property=turnout&weight=registered")
        .json();
    assert_eq!(weighted["weighted"]["by"], "registered");
    let coarser = server
        .get("/town/stats?property=registered&level=district")
        .json();
    assert_eq!(
        coarser["sum"].as_f64(),
        Some(village::REGISTERED.iter().sum())
    );
}

#[test]
fn a_category_has_one_colour_at_every_level() {
    // Green leads in three squares of one region, red in one each of two: first of few, last of many.
    let squares = ["a1", "a2", "a3", "b1", "c1"].into_iter().zip(0..);
    let leader = |key: &str| if key.starts_with('a') { "green" } else { "red" };
    let land = Squares::new(
        "leader",
        "max",
        r#"
        parent = "substr(key, 1, 1)"
        zooms = [6, 14]
        [[layer.level]]
        name = "region"
        dissolve = "square"
        zooms = [0, 5]
        "#,
        squares.map(|(key, x)| (key.to_owned(), [x, 0], leader(key).to_owned())),
    );
    let server = Server::start(&land.dataset());
    for (level, most) in [("square", "green"), ("region", "red")] {
        let path = format!("/land/stats?property=leader&level={level}");
        let stats = server.get(&path).json();
        assert_eq!(stats["values"][0]["value"], most);
        assert_eq!(stats["order"], serde_json::json!(["green", "red"]));
    }
    let style = server.get("/styles/land/style.json?property=leader");
    let style = style.text();
    for leader in ["green", "red"] {
        let colours: std::collections::BTreeSet<&str> = style
            .split(&format!("\"{leader}\"],\""))
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(colours.len(), 1, "{leader}: {colours:?} in {style}");
    }
}

#[test]
fn statistics_of_text_and_refusals() {
    let village = Village::new();
    let server = Server::start(village.path());
    let stats = server.get("/town/stats?property=winner").json();
    assert_eq!((&stats["count"], &stats["missing"]), (&9.into(), &1.into()));
    assert_eq!(
        stats["values"][0],
        serde_json::json!({ "value": "Bruno", "count": 6 })
    );
    for (query, parameter) in [
        ("", "property"),
        ("property=nothing", "property"),
        ("property=winner&level=district", "property"),
        ("property=turnout&k=0", "k"),
        ("property=turnout&k=65", "k"),
        ("property=turnout&k=two", "k"),
        ("property=turnout&method=magic", "method"),
        ("property=turnout&breaks=3,2", "breaks"),
        ("property=turnout&bins=0", "bins"),
        ("property=turnout&weight=winner", "weight"),
        ("property=turnout&filter=nothing%3D1", "filter"),
    ] {
        let reply = server.get(&format!("/town/stats?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.json()["parameter"], parameter, "{query}");
    }
}

#[test]
fn classes_in_tiles_are_those_of_the_statistics() {
    let village = Village::new();
    let server = Server::start(village.path());
    for filter in ["", "&filter=registered%20%3E%20700"] {
        let stats = format!("/town/stats?property=turnout&method=jenks&k=3{filter}");
        let upper: Vec<f64> = numbers(&server.get(&stats).json()["breaks"]["upper"]);
        let classes = "classes=3&class-property=turnout&class-method=jenks";
        let tile = tile_at(2.325, 48.859, 12);
        let path = format!("/town/{tile}?properties=turnout&{classes}{filter}");
        let layers = decode(&server.get(&path).plain());
        assert!(layers[0].features.len() > 5);
        for feature in &layers[0].features {
            let turnout = feature.properties.get("turnout").and_then(Value::as_f64);
            let class = feature.properties.get("class").and_then(Value::as_u64);
            let expected = turnout.map(|t| upper.partition_point(|u| *u < t) as u64);
            assert_eq!(class, expected, "{feature:?}");
        }
        let described = server.get(&format!("/town?{classes}{filter}")).json();
        assert!(described["vector_layers"][0]["fields"]["class"].is_string());
        let tiles = described["tiles"][0].as_str().expect("a URL");
        assert!(tiles.contains(classes), "{tiles}");
    }
    for bad in [
        "classes=3",
        "class-method=jenks",
        "class-property=winner",
        "class-property=nothing",
        "class-property=turnout&classes=65",
        "class-property=turnout&class-method=magic",
    ] {
        assert_eq!(
            server.get(&format!("/town/0/0/0?{bad}")).status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn search_finds_names_and_codes() {
    let village = Village::new();
    let server = Server::start(village.path());
    let found = |query: &str| {
        let reply = server.get(&format!("/town/search?q={query}"));
        assert_eq!(reply.status, 200, "{query}");
        let keys = reply.json()["results"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let keys: Vec<String> = keys
            .iter()
            .filter_map(|hit| hit["key"].as_str().map(str::to_owned))
            .collect();
        keys.join(" ")
    };
    assert_eq!(found("eveche"), "02");
    assert_eq!(found("vieux%20po"), "01");
    assert_eq!(found("evechee"), "02", "a slip");
    assert_eq!(
        found("nord"),
        "N 04",
        "whole names before words, coarse before fine"
    );
    assert_eq!(found("nord&level=quarter"), "04");
    assert_eq!(found("03"), "03");
    assert_eq!(found("%E6%9D%B1"), "10");
    assert_eq!(found("zzz"), "");
    let hit = &server.get("/town/search?q=03").json()["results"][0];
    let bounds: Vec<f64> = numbers(&hit["bounds"]);
    for (found, expected) in bounds.iter().zip([2.32, 48.86, 2.33, 48.87]) {
        assert!((found - expected).abs() < 1e-6, "{bounds:?}");
    }
    assert_eq!(hit["parent"], "N");
    assert_eq!(hit["parent_name"], "Nord");
    let coarsest = &server.get("/town/search?q=nord").json()["results"][0];
    assert!(coarsest["parent_name"].is_null());
    assert_eq!(server.get("/town/search").status, 400);
    assert_eq!(server.get("/town/search?q=a&limit=x").status, 400);
}

#[test]
fn files_in_the_dialects_of_their_programs() {
    let village = Village::new();
    let server = Server::start(village.path());
    let reply = server.get("/town/items.csv?dialect=spreadsheet&sortby=key&properties=turnout");
    let text = reply.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "\u{feff}key;name;turnout");
    assert_eq!(lines[3], "03;'=cmd|'/C calc'!A0;0,625");
    assert_eq!(lines[4], "04;\"Saint-Louis, Nord\";1");
    assert!(reply.header("link").contains("/town>; rel=\"describedby\""));
    assert_eq!(server.get("/town/items.csv?dialect=klingon").status, 400);

    let reply = server.get("/town/items.fgb?filter=turnout%20%3E%200.6");
    assert_eq!(reply.header("content-type"), "application/vnd.flatgeobuf");
    assert!(reply.body.starts_with(b"fgb\x03fgb"));
    assert_eq!(server.get("/town/items.fgb?filter=mark%3D9").status, 204);
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("a list of numbers")
}
