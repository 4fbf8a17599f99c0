//! Estimates and statistics from the project file to the served figure: transfers, hot spots,
//! areas of polling stations, elections by preset, figures of other areas.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use e2e::crowd::Crowd;
use e2e::{Server, Town, precompute};
use serde_json::Value;

/// A town whose project file goes on with `more`.
fn town(more: &str, files: &[(&str, &str)]) -> Town {
    let town = Town::new();
    extend(&town, more, files);
    town
}

fn extend(town: &Town, more: &str, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::write(town.path().join(name), text).expect("written");
    }
    let project = fs::read_to_string(town.path().join("town.toml")).expect("written");
    fs::write(town.path().join("town.toml"), project + more).expect("written");
}

#[track_caller]
fn report(town: &Town) -> Value {
    let built = town.build(&["--json"]);
    let stderr = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{stderr}");
    serde_json::from_slice(&built.stdout).expect("JSON")
}

fn serve(town: &Town) -> Server {
    Server::start(&town.path().join("out"))
}

/// The districts' lines: registered, voters, north, south, other, by key.
fn counts(town: &Town) -> BTreeMap<String, [f64; 5]> {
    let line = |line: &String| {
        let (key, rest) = line.split_once(';').expect("a key");
        let counts: Vec<f64> = rest
            .split(';')
            .map(|n| n.parse().expect("a count"))
            .collect();
        (key.to_owned(), counts.try_into().expect("five counts"))
    };
    town.lines.iter().map(line).collect()
}

/// An indicator by key, from a list of a level.
fn column(server: &Server, level: &str, name: &str) -> BTreeMap<String, Value> {
    let path = format!("/town/items?level={level}&properties={name}&limit=100");
    let page = server.get(&path).json();
    let features = page["features"].as_array().expect("a list").iter();
    let pair = |feature: &Value| {
        let properties = &feature["properties"];
        let key = properties["key"].as_str().expect("a key").to_owned();
        (key, properties[name].clone())
    };
    features.map(pair).collect()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(of: &BTreeMap<String, Value>) -> BTreeMap<String, f64> {
    of.iter()
        .map(|(key, value)| (key.clone(), number(value)))
        .collect()
}

#[track_caller]
fn close(found: f64, expected: f64) {
    let near = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
    assert!(near, "{found}, not {expected}");
}

const TRANSFERS: &str = r#"
  [[layer.transfers]]
  name = "rounds"
  title = { en = "From round to round" }
    [layer.transfers.first]
    from = "votes"
    key = "code"
    columns = { north = "sum(north)", rest = "sum(voters - north)", nobody = "sum(registered - voters)" }
    [layer.transfers.second]
    from = "second"
    key = "code"
    columns = { yes = "sum(yes)", no = "sum(no)", nobody = "sum(nobody)" }

[[table]]
name = "second"
path = "second.csv"
text = ["code"]
"#;

/// A second round in which nine in ten of the North say yes, three in ten of the rest.
fn second_round(town: &Town) -> String {
    let mut csv = "code;yes;no;nobody\n".to_owned();
    for (key, [registered, voters, north, ..]) in counts(town) {
        let yes = (0.9 * north + 0.3 * (voters - north)).round();
        let nobody = (registered - voters - 20.0).max(0.0);
        let no = registered - yes - nobody;
        writeln!(csv, "{key};{yes};{no};{nobody}").expect("text takes text");
    }
    csv
}

fn with_transfers() -> Town {
    let town = Town::new();
    extend(&town, TRANSFERS, &[("second.csv", &second_round(&town))]);
    town
}

#[test]
fn transfers_are_served_with_what_they_rest_on() {
    let town = with_transfers();
    report(&town);
    let server = serve(&town);
    let found = server.get("/town/transfers").json();
    assert_eq!(found["estimate"], true);
    assert_eq!(
        (&found["layer"], &found["level"]),
        (&"town".into(), &"district".into())
    );
    assert_eq!(found["names"], serde_json::json!(["rounds"]));
    assert_eq!(found["title"]["en"], "From round to round");
    assert_eq!(
        (&found["units"], &found["coverage"]),
        (&10.into(), &1.0.into())
    );
    assert!(
        found["method"]
            .as_str()
            .is_some_and(|method| !method.is_empty())
    );
    // Both margins are the ballots'.
    let counts = counts(&town);
    let total = |of: fn(&[f64; 5]) -> f64| counts.values().map(of).sum::<f64>();
    let rows = [
        ("north", total(|c| c[2])),
        ("rest", total(|c| c[1] - c[2])),
        ("nobody", total(|c| c[0] - c[1])),
    ];
    for (from, votes) in rows {
        let row = found["matrix"][from].as_object().expect("a row");
        close(row.values().map(number).sum(), votes);
        let shares = found["shares"][from].as_object().expect("a row");
        close(shares.values().map(number).sum(), 1.0);
        for (to, votes) in row {
            let bounds = &found["bounds"][from][to];
            let within = number(&bounds[0]) - 1e-6..=number(&bounds[1]) + 1e-6;
            assert!(
                within.contains(&number(votes)),
                "{from} {to}: {votes} {bounds}"
            );
            let interval = &found["interval_5_95"][from][to];
            assert!(number(&interval[0]) <= number(&interval[1]), "{interval}");
        }
    }
    let second = second_round(&town);
    for (at, to) in ["yes", "no", "nobody"].into_iter().enumerate() {
        let votes = second.lines().skip(1).map(|line| {
            let cell = line.split(';').nth(at + 1).expect("a count");
            cell.parse::<f64>().expect("a count")
        });
        let all = ["north", "rest", "nobody"];
        close(
            all.map(|from| number(&found["matrix"][from][to]))
                .iter()
                .sum(),
            votes.sum(),
        );
    }
    // The areas' tables add up to the matrix, at every level.
    for level in ["district", "borough"] {
        let cells = numbers(&column(&server, level, "rounds_north_yes"));
        close(
            cells.values().sum(),
            number(&found["matrix"]["north"]["yes"]),
        );
        for share in numbers(&column(&server, level, "rounds_north_yes_share")).values() {
            assert!((0.0..=1.0).contains(share), "{share}");
        }
    }
    let card = server.get("/town/items/10").json();
    let cell = card["indicators"].as_array().expect("a list").iter();
    let cell = cell
        .clone()
        .find(|i| i["name"] == "rounds_north_yes")
        .expect("a cell");
    assert_eq!(cell["estimate"], true);
    assert!(
        cell["description"]["en"]
            .as_str()
            .is_some_and(|text| text.contains("10 units"))
    );
    let told = &server.get("/town").json()["maille"]["transfers"];
    let named = serde_json::json!([{ "name": "rounds", "title": { "en": "From round to round" } }]);
    assert_eq!(told, &named);
    // By name; what is not there is not found.
    let named = server.get("/town/transfers?name=rounds");
    assert_eq!(named.json(), found);
    assert!(named.header("etag").starts_with('"'));
    assert_eq!(server.get("/town/transfers?name=others").status, 404);
    assert_eq!(server.get("/nowhere/transfers").status, 404);
    let head = server.connect().request("HEAD", "/town/transfers", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn the_verb_and_the_project_estimate_alike() {
    let town = with_transfers();
    report(&town);
    let mut first = "code;north;rest;nobody\n".to_owned();
    for (key, [registered, voters, north, ..]) in counts(&town) {
        let line = format!("{key};{north};{};{}", voters - north, registered - voters);
        writeln!(first, "{line}").expect("text takes text");
    }
    fs::write(town.path().join("first.csv"), first).expect("written");
    let (first, second) = (town.file("first.csv"), town.file("second.csv"));
    let run = precompute(&["transfers", &first, &second, "--key", "code", "--json"]);
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let printed: Value = serde_json::from_slice(&run.stdout).expect("JSON alone");
    let served = serve(&town).get("/town/transfers").json();
    for member in [
        "matrix",
        "shares",
        "interval_5_95",
        "bounds",
        "corners",
        "method",
    ] {
        assert_eq!(printed[member], served[member], "{member}");
    }
}

#[test]
fn an_estimate_that_would_mislead_is_refused() {
    // Four options and ten units.
    let options = r#"other = "sum(other)", rest = "sum(voters - north - other)""#;
    let more = TRANSFERS.replace(r#"rest = "sum(voters - north)""#, options);
    let town = Town::new();
    let second = second_round(&town);
    extend(&town, &more, &[("second.csv", &second)]);
    let refused = |town: &Town, expected: &str| {
        let built = town.build(&[]);
        let text = String::from_utf8_lossy(&built.stderr).into_owned();
        assert_eq!(built.status.code(), Some(1), "{text}");
        assert!(
            text.contains("transfers rounds") && text.contains(expected),
            "{text}"
        );
        assert!(town.version().is_none(), "nothing is published");
    };
    refused(&town, "10 units are too few for 4 options");
    // A station that the second round does not have.
    let town = Town::new();
    let lost: Vec<&str> = second
        .lines()
        .filter(|line| !line.starts_with("24"))
        .collect();
    extend(&town, TRANSFERS, &[("second.csv", &lost.join("\n"))]);
    refused(&town, "% of the votes of the first");
}

#[test]
fn who_may_not_see_a_cell_sees_no_matrix() {
    let crowd = Crowd::new(10);
    let second = second_round(&crowd.town);
    extend(&crowd.town, TRANSFERS, &[("second.csv", &second)]);
    let project = fs::read_to_string(crowd.town.path().join("town.toml")).expect("written");
    // Tables after layers: the transfers are of the layer.
    let (contacts, layer) = (
        project.find("[[contacts]]"),
        project.find("  [[layer.transfers]]"),
    );
    let (contacts, layer) = (contacts.expect("there"), layer.expect("there"));
    let moved = [
        &project[..contacts],
        &project[layer..],
        &project[contacts..layer],
    ]
    .concat();
    fs::write(crowd.town.path().join("town.toml"), moved).expect("written");
    crowd.build();
    let all = crowd.add_key("all", "red", "inside");
    let narrowed = crowd.add_key("narrowed", "red", "outside");
    let local = crowd.add_key("local", "blue", "outside");
    let keys = fs::read_to_string(crowd.keys()).expect("written");
    let keys = keys
        .replace(
            "name = \"narrowed\"",
            "name = \"narrowed\"\nhidden = [\"rounds_north_yes_share\"]",
        )
        .replace(
            "name = \"local\"",
            "name = \"local\"\nfilter = \"registered < 1005\"",
        );
    fs::write(crowd.keys(), keys).expect("written");
    let server = Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()]);
    let status = |key: &str, path: &str| {
        let bearer = format!("Bearer {key}");
        server.get_with(path, &[("Authorization", &bearer)]).status
    };
    assert_eq!(status(&all, "/town/transfers"), 200);
    // One hidden cell follows from the others of its row.
    assert_eq!(status(&narrowed, "/town/transfers"), 404);
    assert_eq!(
        status(&narrowed, "/town/stats?property=rounds_north_yes_share"),
        400
    );
    assert_eq!(status(&narrowed, "/town/stats?property=turnout"), 200);
    // The matrix is of the whole town.
    assert_eq!(status(&local, "/town/transfers"), 404);
    let told = |key: &str| {
        let bearer = format!("Bearer {key}");
        let reply = server.get_with("/town", &[("Authorization", &bearer)]);
        reply.json()["maille"]["transfers"].as_array().map(Vec::len)
    };
    assert_eq!(
        [&all, &narrowed, &local].map(|key| told(key)),
        [Some(1), Some(0), Some(0)]
    );
    assert_eq!(status(&local, "/town/stats?property=rounds_north_yes"), 200);
}

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
    report(&town);
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
    let counts = counts(&town);
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
    let report = report(&town);
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
    report(&town);
    let server = serve(&town);
    let counts = counts(&town);
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

/// Two areas over the town, both of which leave it to the west; the last column and half of the
/// one before are in neither.
const AREAS: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"A","homes":300},"geometry":{"type":"Polygon","coordinates":[[[-73.61,45.5],[-73.565,45.5],[-73.565,45.51],[-73.61,45.51],[-73.61,45.5]]]}},
{"type":"Feature","properties":{"code":"B","homes":100},"geometry":{"type":"Polygon","coordinates":[[[-73.61,45.51],[-73.565,45.51],[-73.565,45.52],[-73.61,45.52],[-73.61,45.51]]]}}]}"#;

const INTERPOLATE: &str = r#"
  [[layer.indicators]]
  from = "census"
  key = "area"
  source = "a census"
    [layer.indicators.interpolate]
    polygons = { path = "areas.geojson" }
    key = "code"
    [layer.indicators.columns]
    people = { sql = "sum(people)", unit = "count" }
    owners = { sql = "sum(owners) / sum(people)", unit = "share" }
    income = { sql = "max(income)", unit = "eur", intensive = true, base = "people", description = { en = "Median income." } }

  [[layer.indicators]]
    [layer.indicators.interpolate]
    polygons = { path = "areas.geojson" }
    key = "code"
    coverage = "homes_coverage"
    addresses = { path = "addresses.csv", lon = "lon", lat = "lat" }
    weight = "flats"
    [layer.indicators.columns]
    homes = { sql = "sum(homes)", unit = "count" }

[[table]]
name = "census"
path = "census.csv"
"#;

/// The town with figures of the areas; the report, too.
fn interpolated() -> (Town, Value) {
    let census = "area,people,owners,income\nA,1000,500,20000\nB,500,100,30000\nC,7,7,7\n";
    // All of A's addresses with flats are in district 10, but for a tenth in 11.
    let addresses = "lon,lat,flats\n-73.595,45.505,9\n-73.585,45.505,1\n-73.595,45.515,4\n,,3\n";
    let files = [
        ("areas.geojson", AREAS),
        ("census.csv", census),
        ("addresses.csv", addresses),
    ];
    let town = town(INTERPOLATE, &files);
    let built = town.build(&["--json", "--min-match", "0.5"]);
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let report: Value = serde_json::from_slice(&built.stdout).expect("JSON");
    (town, report)
}

#[test]
fn figures_of_other_areas_go_to_the_parts_they_cover() {
    let (town, report) = interpolated();
    let joins = report["layers"][0]["joins"].as_array().expect("a list");
    assert_eq!(joins.len(), 3);
    let by_surface = &joins[1];
    assert_eq!(
        (&by_surface["matched"], &by_surface["right_only"]),
        (&2.into(), &1.into())
    );
    let told = &by_surface["interpolation"];
    assert_eq!(
        (&told["by"], &told["areas"]["areas"]),
        (&"area".into(), &2.into())
    );
    let sums = told["sums"].as_array().expect("a list");
    let names: Vec<&str> = sums
        .iter()
        .filter_map(|sum| sum["column"].as_str())
        .collect();
    assert_eq!(names, ["people", "owners", "owners"], "a mean has no total");
    for sum in sums {
        close(
            number(&sum["placed"]) + number(&sum["uncovered"]),
            number(&sum["total"]),
        );
    }
    // A ninth of each area's 0.045 degrees is west of the town's 0.035 that they cover.
    // Borders lie on the grid: to some centimetres.
    close_to(number(&sums[0]["uncovered"]), 1500.0 / 4.5, 0.01);
    let server = serve(&town);
    let people = column(&server, "district", "people");
    let coverage = numbers(&column(&server, "district", "coverage"));
    // Sides are uneven, so a district has about its share; together they have what is placed.
    let placed: f64 = people.values().filter_map(Value::as_f64).sum();
    close(
        placed + number(&sums[0]["withheld"]),
        number(&sums[0]["placed"]),
    );
    for (key, people) in &people {
        let covered = coverage[key];
        assert_eq!(
            people.is_null(),
            covered < 0.5,
            "{key}: {people} at {covered}"
        );
        let full = covered > 0.999_999;
        if full && key.starts_with('1') {
            close_to(number(people), 1000.0 / 4.5, 15.0);
        }
    }
    close(coverage["14"], 0.0);
    // Rates are those of the counts, whatever the part; the mean of the town is by people.
    let owners = column(&server, "district", "owners");
    close(number(&owners["10"]), 0.5);
    close(number(&owners["20"]), 0.2);
    let boroughs = numbers(&column(&server, "borough", "owners"));
    close(boroughs["1"], 0.5);
    close(
        numbers(&column(&server, "borough", "income"))["2"],
        30_000.0,
    );
}

#[test]
fn figures_of_other_areas_go_where_addresses_are() {
    let (town, report) = interpolated();
    let told = &report["layers"][0]["joins"][2]["interpolation"];
    assert_eq!(
        (&told["addresses"], &told["addresses_without_place"]),
        (&3.into(), &1.into())
    );
    assert_eq!(told["sums"][0]["uncovered"], 0);
    let server = serve(&town);
    let homes = column(&server, "district", "homes");
    close(number(&homes["10"]), 270.0);
    close(number(&homes["11"]), 30.0);
    close(number(&homes["20"]), 100.0);
    assert!(homes["13"].is_null(), "nobody lives there");
}

#[test]
fn a_card_marks_an_interpolated_figure() {
    let (town, _) = interpolated();
    let server = serve(&town);
    // The card tells what it is.
    let card = server.get("/town/items/10").json();
    let indicators = card["indicators"].as_array().expect("a list");
    let named = |name: &str| {
        let found = indicators
            .iter()
            .find(|indicator| indicator["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let income = named("income");
    assert_eq!(
        (&income["estimate"], &income["source"]),
        (&true.into(), &"a census".into())
    );
    let text = income["description"]["en"].as_str().expect("a text");
    assert!(
        text.starts_with("Median income. Estimate: mean of the values of 2 areas"),
        "{text}"
    );
    assert!(
        named("homes")["description"]["fr"]
            .as_str()
            .is_some_and(|t| t.contains("adresses"))
    );
    assert_eq!(named("coverage")["estimate"], false);
    let people = column(&server, "district", "people");
    // Recomputed under a filter of finer areas as any figure is.
    let path = "/town/items?level=borough&filter-level=district&filter=code%20%3D%20'10'&properties=owners,people";
    let path = path.replace("code", "id");
    let matched = server.get(&path).json();
    let first = &matched["features"][0]["properties"];
    close(number(&first["people"]), number(&people["10"]));
    close(number(&first["owners"]), 0.5);
}

#[track_caller]
fn close_to(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within,
        "{found}, not {expected}"
    );
}

#[test]
fn an_interpolation_that_makes_no_sense_is_refused() {
    let files = [
        ("areas.geojson", AREAS),
        ("census.csv", "area,people\nA,1\n"),
    ];
    for (was, is, expected) in [
        ("sum(owners) / sum(people)", "median(people)", "no sum"),
        (
            "base = \"people\"",
            "base = \"nothing\"",
            "no column of this block",
        ),
        (
            "intensive = true, base",
            "base",
            "`base` is of an `intensive` figure",
        ),
        (
            "path = \"areas.geojson\" }\n    key = \"code\"\n    [layer",
            "path = \"areas.geojson\", where = \"code = 'Z'\" }\n    key = \"code\"\n    [layer",
            "no area",
        ),
        (
            "weight = \"flats\"\n",
            "weight = \"flats\"\n    wait = 1\n",
            "unknown field",
        ),
        (
            "    addresses = { path = \"addresses.csv\", lon = \"lon\", lat = \"lat\" }\n",
            "",
            "name their file",
        ),
        ("coverage = \"homes_coverage\"\n", "", "coverage"),
    ] {
        assert!(INTERPOLATE.contains(was), "{was}");
        let more = INTERPOLATE.replace(was, is);
        let more = more.replace("sum(owners) / sum(people)", "sum(people) / sum(people)");
        let more = more.replace("max(income)", "max(people)");
        let town = town(&more, &files);
        let built = town.build(&["--min-match", "0"]);
        let text = String::from_utf8_lossy(&built.stderr).into_owned();
        assert_eq!(built.status.code(), Some(1), "{is}: {text}");
        assert!(text.contains(expected), "{is}: {text}");
    }
}

/// Addresses of the crowd's file with a building and doors each.
fn addresses(town: &Town) -> usize {
    let mut dice = e2e::crowd::Dice(3);
    let mut csv = "code,house,flats,lon,lat\n".to_owned();
    let count = 3000;
    for i in 0..count {
        // Three doors in four are a house of their own; the others share one with the next.
        let house = if i % 4 == 3 { i - 1 } else { i };
        let mut place = e2e::crowd::Dice(house + 1000);
        let (lon, lat) = (
            -73.605 + 0.06 * place.share(),
            45.495 + 0.03 * place.share(),
        );
        let flats = dice.below(3) + 1;
        writeln!(csv, "A{i},H{house},{flats},{lon:.6},{lat:.6}").expect("text takes text");
    }
    csv.push_str("nowhere,H-1,1,,\n");
    fs::write(town.path().join("doors.csv"), csv).expect("written");
    usize::try_from(count).expect("small")
}

fn rows(path: &std::path::Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("written");
    let cells = |line: &str| line.split(',').map(ToOwned::to_owned).collect();
    text.lines().map(cells).collect()
}

/// Splits the addresses of `doors.csv` into a directory of the town.
fn split(town: &Town, out: &str, more: &[&str]) -> Value {
    let (file, out) = (town.file("doors.csv"), town.file(out));
    let base = [
        "turfs",
        &file,
        "--size",
        "40",
        "--id",
        "code",
        "--building",
        "house",
    ];
    let base = [&base[..], &["--doors", "flats", "--out", &out, "--json"]].concat();
    let run = precompute(&[&base[..], more].concat());
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    serde_json::from_slice(&run.stdout).expect("JSON alone")
}

#[test]
fn turfs_part_an_area_s_addresses_by_size() {
    let town = Town::new();
    let count = addresses(&town);
    let file = town.file("doors.csv");
    let told = split(&town, "turfs", &[]);
    assert_eq!(told["addresses"], count);
    assert_eq!(told["left_out"], serde_json::json!({ "no_coordinates": 1 }));
    assert_eq!(told["not_of_size"], serde_json::json!([]));
    let table = rows(&town.path().join("turfs/turfs.csv"));
    assert_eq!(
        table[0],
        ["turf", "area", "address", "building", "doors", "lon", "lat"]
    );
    let (mut doors, mut turf_of_house) = (BTreeMap::<&str, f64>::new(), BTreeMap::new());
    let mut seen = std::collections::BTreeSet::new();
    for row in &table[1..] {
        assert!(seen.insert(&row[2]), "{} twice", row[2]);
        *doors.entry(&row[0]).or_default() += row[4].parse::<f64>().expect("a count");
        let turf = turf_of_house.entry(&row[3]).or_insert(&row[0]);
        assert_eq!(*turf, &row[0], "{} is cut", row[3]);
    }
    assert_eq!(seen.len(), count);
    for (turf, doors) in &doors {
        assert!((36.0..=44.0).contains(doors), "{turf}: {doors}");
    }
    let shapes = fs::read_to_string(town.path().join("turfs/turfs.geojson")).expect("written");
    let shapes: Value = serde_json::from_str(&shapes).expect("JSON");
    assert_eq!(
        shapes["features"].as_array().map(Vec::len),
        Some(doors.len())
    );
    assert_eq!(shapes["features"][0]["geometry"]["type"], "Polygon");

    // Another order of the file, the same turfs.
    let text = fs::read_to_string(&file).expect("written");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    fs::write(&file, lines.join("\n")).expect("written");
    split(&town, "again", &[]);
    let bytes = |name: &str| fs::read(town.path().join(name)).expect("written");
    for name in ["turfs.csv", "turfs.geojson"] {
        assert!(
            bytes(&format!("turfs/{name}")) == bytes(&format!("again/{name}")),
            "{name}"
        );
    }
}

#[test]
fn turfs_do_not_leave_their_area() {
    let town = Town::new();
    let count = addresses(&town);
    let (file, within, out) = (
        town.file("doors.csv"),
        town.file("town.geojson"),
        town.file("turfs"),
    );
    // Within districts: none leaves its own.
    let told = split(&town, "districts", &["--within", &within, "--name", "code"]);
    let outside = told["left_out"]["outside"].as_u64().expect("a count");
    let table = rows(&town.path().join("districts/turfs.csv"));
    assert_eq!(
        table.len() - 1 + usize::try_from(outside).expect("few"),
        count
    );
    let areas: std::collections::BTreeSet<&str> = table[1..].iter().map(|row| &*row[1]).collect();
    assert_eq!(areas.len(), 10);
    assert!(
        table[1..]
            .iter()
            .all(|row| row[0].starts_with(&format!("{}-", row[1])))
    );

    for (wrong, expected) in [
        (&["--lon", "nothing"][..], "nothing"),
        (&["--within", &within, "--name", "nothing"], "no property"),
        (&["--doors", "1; drop table addresses"], "SQL"),
    ] {
        let run = precompute(&[&["turfs", &file, "--size", "40", "--out", &out], wrong].concat());
        let text = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(1), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    let wrong = precompute(&["turfs", &file, "--size", "0", "--out", &out]);
    assert_eq!(wrong.status.code(), Some(2));
}
