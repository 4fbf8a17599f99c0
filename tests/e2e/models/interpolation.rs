//! Figures of other areas, by surface and by addresses.

use e2e::Town;
use serde_json::Value;

use super::{close, column, number, numbers, serve, town};

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
