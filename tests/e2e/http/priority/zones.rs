//! Drawn zones: the counts of the areas they cover.

use e2e::wire::Reply;
use e2e::{Server, Village};
use serde_json::Value;

use super::number;

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
        r#"{"type":"MultiPolygon","coordinates":[[[[2,48],[2.2,48],[2.2,48.2],[2,48]]],[[[2.1,48],[2.3,48],[2.3,48.2],[2.1,48]]]]}"#,
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
