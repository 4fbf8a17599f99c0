//! Addresses split into turfs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use e2e::{Town, precompute};
use serde_json::Value;

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
