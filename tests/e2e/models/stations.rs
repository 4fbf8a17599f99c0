//! Areas of polling stations, their ballots by preset, and hot spots among them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use e2e::Town;
use serde_json::Value;

use super::{close, column, number, numbers, serve, town};

#[test]
fn hot_spots_are_columns_like_any_other() {
    let more = r#"
  [[layer.hotspots]]
  name = "hot"
  of = "turnout"
  [[layer.hotspots]]
  name = "stable"
  of = "voters"
  base = "registered"
"#;
    let town = Town::new();
    let project = fs::read_to_string(town.path().join("town.toml")).expect("written");
    let registered = "    registered = {";
    let voters = "    voters = { sql = \"sum(voters)\", unit = \"count\" }\n    registered = {";
    let project = project.replacen(registered, voters, 1) + more;
    fs::write(town.path().join("town.toml"), project).expect("written");
    town.report();
    let server = serve(&town);
    let turnout = numbers(&column(&server, "district", "turnout"));
    let gi = numbers(&column(&server, "district", "hot_gi"));
    // Gi* by hand over the grid of five by two, in which diagonals touch.
    let place = |key: &str| {
        let mut digits = key
            .chars()
            .map(|c| i64::from(c.to_digit(10).expect("a digit")));
        (
            digits.next().expect("a row"),
            digits.next().expect("a column"),
        )
    };
    let n = 10.0;
    let mean = turnout.values().sum::<f64>() / n;
    let spread = (turnout.values().map(|t| t * t).sum::<f64>() / n - mean * mean).sqrt();
    for (key, found) in &gi {
        let (row, at) = place(key);
        let around = turnout.iter().filter(|(other, _)| {
            let (r, c) = place(other);
            (r - row).abs() <= 1 && (c - at).abs() <= 1
        });
        let (mut size, mut sum) = (0.0, 0.0);
        for (_, value) in around {
            size += 1.0;
            sum += value;
        }
        let expected = (sum - size * mean) / (spread * (size * (n - size) / (n - 1.0)).sqrt());
        close(*found, expected);
    }
    // Filters, statistics and tiles take them; the rate is shrunk towards the town's.
    let spots = server
        .get("/town/stats?property=hot_spot&level=district")
        .json();
    let values = spots["values"].as_array().expect("a list");
    let words = ["hot", "cold", "none"];
    assert!(
        values
            .iter()
            .all(|v| words.contains(&v["value"].as_str().unwrap_or(""))),
        "{spots}"
    );
    let path = "/town/items?level=district&filter=hot_gi%20%3E%200&limit=100";
    let passing = server.get(path).json()["features"].as_array().map(Vec::len);
    assert_eq!(passing, Some(gi.values().filter(|z| **z > 0.0).count()));
    let counts = town.counts();
    let all: f64 =
        counts.values().map(|c| c[1]).sum::<f64>() / counts.values().map(|c| c[0]).sum::<f64>();
    for (key, rate) in numbers(&column(&server, "district", "stable_rate")) {
        let own = counts[&key][1] / counts[&key][0];
        assert!(
            (rate - all).abs() <= (own - all).abs() + 1e-12,
            "{key}: {rate} {own} {all}"
        );
    }
    let card = server.get("/town/items/10").json();
    let rate = card["indicators"].as_array().expect("a list").iter();
    let rate = rate
        .clone()
        .find(|i| i["name"] == "stable_rate")
        .expect("a rate");
    assert_eq!(rate["estimate"], true);
}

#[test]
fn stations_have_areas_around_their_addresses() {
    // Two stations in a square, west and east of a street at -73.575.
    let mut addresses = "id_brut_bv_reu,longitude,latitude\n".to_owned();
    for i in 0..10 {
        for j in 0..6 {
            let lat = 45.5005 + 0.001 * f64::from(i);
            for (station, lon) in [("1_1", -73.5799), ("1_2", -73.5749)] {
                let lon = lon + 0.0008 * f64::from(j);
                writeln!(addresses, "{station},{lon:.6},{lat:.6}").expect("text takes text");
            }
        }
    }
    let square = r#"{"type":"Feature","properties":{"town":"1"},"geometry":{"type":"Polygon","coordinates":[[[-73.58,45.5],[-73.57,45.5],[-73.57,45.51],[-73.58,45.51],[-73.58,45.5]]]}}"#;
    let project = r#"
[dataset]
name = "stations"
[[layer]]
name = "town"
  [[layer.level]]
  name = "station"
  polygons = { voronoi = "addresses.csv", within = "square.geojson", by = "id_brut_bv_reu" }
  key = "id_brut_bv_reu"
  parent = "town"
  zooms = [10, 14]
  [[layer.level]]
  name = "town"
  dissolve = "station"
  zooms = [0, 9]
  [[layer.indicators]]
  from = "station"
  key = "key"
    [layer.indicators.columns]
    stations = { sql = "count(*)", unit = "count" }
"#;
    let town = Town::new();
    for (name, text) in [("addresses.csv", &*addresses), ("square.geojson", square)] {
        fs::write(town.path().join(name), text).expect("written");
    }
    fs::write(town.path().join("town.toml"), project).expect("written");
    let report = town.report();
    assert_eq!(report["layers"][0]["levels"][0]["areas"], 2);
    let coverage = &report["layers"][0]["coverage"];
    assert_eq!(
        (
            number(&coverage["gap_share"]),
            number(&coverage["overlap_share"])
        ),
        (0.0, 0.0)
    );
    let server = serve(&town);
    for (lon, station) in [
        (-73.5799, "1_1"),
        (-73.5761, "1_1"),
        (-73.5748, "1_2"),
        (-73.5701, "1_2"),
    ] {
        let at = server
            .get(&format!("/town/at?lon={lon}&lat=45.5051&level=station"))
            .json();
        let found = at["properties"]["key"].as_str();
        assert_eq!(found, Some(station), "{lon}: {at}");
    }
    assert_eq!(
        server
            .get("/town/at?lon=-73.6&lat=45.505&level=station")
            .status,
        404
    );
    let stations = numbers(&column(&server, "town", "stations"));
    assert_eq!(stations, BTreeMap::from([("1".to_owned(), 2.0)]));
    // The same version from the addresses in another order.
    let version = town.version();
    let mut lines: Vec<&str> = addresses.lines().collect();
    lines[1..].reverse();
    fs::write(town.path().join("addresses.csv"), lines.join("\n")).expect("written");
    assert!(town.build(&[]).status.success());
    assert_eq!(town.version(), version);
}

#[test]
fn a_ballot_by_preset_is_served_as_its_votes_say() {
    let more = r#"
  [[layer.indicators]]
  preset = "election"
  from = "votes"
  key = "code"
  prefix = "e_"
    [layer.indicators.ballot]
    counts = { registered = "registered", voters = "voters", blank = "null", null = "null", valid = "voters" }
    votes = { north = "north", south = "south", other = "other" }
"#;
    let town = town(more, &[]);
    town.report();
    let server = serve(&town);
    let counts = town.counts();
    let borough = |key: &str| {
        let of = counts
            .iter()
            .filter(|(district, _)| district.starts_with(key));
        of.fold([0.0; 5], |mut sum, (_, own)| {
            for (sum, own) in sum.iter_mut().zip(own) {
                *sum += own;
            }
            sum
        })
    };
    let expected: Vec<(&str, BTreeMap<String, [f64; 5]>)> = vec![
        ("district", counts.clone()),
        (
            "borough",
            ["1", "2"].map(|key| (key.to_owned(), borough(key))).into(),
        ),
    ];
    for (level, counts) in expected {
        let columns = ["turnout", "share_north", "strength_north", "margin", "enp"];
        let found = columns.map(|name| numbers(&column(&server, level, &format!("e_{name}"))));
        let winners = column(&server, level, "e_winner");
        for (key, [registered, voters, north, south, other]) in &counts {
            let mut votes = [*north, *south, *other];
            close(found[0][key], voters / registered);
            close(found[1][key], north / voters);
            close(found[2][key], north / registered);
            let enp = 1.0 / votes.map(|v| (v / voters).powi(2)).iter().sum::<f64>();
            close(found[4][key], enp);
            let first = votes
                .iter()
                .position(|v| *v >= votes[0].max(votes[1]).max(votes[2]));
            let winner = ["north", "south", "other"][first.expect("one is first")];
            assert_eq!(winners[key], winner, "{level} {key}");
            votes.sort_by(f64::total_cmp);
            close(found[3][key], (votes[2] - votes[1]) / voters);
        }
    }
    // Blank votes were not counted: missing, not zero.
    assert!(
        column(&server, "district", "e_blank_share")
            .values()
            .all(Value::is_null)
    );
}
