//! `precompute` as its users meet it: verbs, exit codes, reports, and equal bytes for equal input.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use e2e::{Town, binary, precompute};
use serde_json::Value;

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code, not a signal")
}

fn stdout_json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON alone on standard output")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn expect(output: &Output, expected: i32) {
    assert_eq!(code(output), expected, "{}", stderr(output));
}

#[test]
fn a_town_is_built_and_inspected() {
    let town = Town::new();
    let built = town.build(&["--json"]);
    expect(&built, 0);
    let report = stdout_json(&built);
    let version = town.version().expect("published");
    assert_eq!(report["version"], version.as_str());
    let layer = &report["layers"][0];
    assert_eq!(layer["levels"][0]["areas"], 10);
    assert_eq!(layer["levels"][1]["areas"], 2);
    let join = &layer["joins"][0];
    assert_eq!((&join["rows"], &join["matched"]), (&10.into(), &10.into()));
    assert_eq!(
        (&join["left_only"], &join["right_only"]),
        (&0.into(), &0.into())
    );
    assert_eq!(join["weight"]["matched"], 10_045);
    assert_eq!(join["match"], 1.0);
    assert_eq!(layer["identities"][0]["holds"], 10);

    let inspected = precompute(&["inspect", &town.file("out"), "--json"]);
    expect(&inspected, 0);
    let found = stdout_json(&inspected);
    assert_eq!(found["faults"], Value::Array(Vec::new()));
    let layer = &found["manifest"]["layers"][0];
    assert_eq!(layer["levels"][1]["rows"], 2);
    let indicators: Vec<&str> = layer["indicators"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|indicator| indicator["hidden"] != true)
        .map(|indicator| indicator["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        indicators,
        ["registered", "turnout", "north_share", "winner"]
    );
    let text = precompute(&["inspect", &town.file("out")]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("level borough: 2 areas"));
}

#[test]
fn a_damaged_file_is_named() {
    let town = Town::new();
    expect(&town.build(&[]), 0);
    let version = town.version().expect("published");
    let file = town
        .path()
        .join("out/versions")
        .join(version)
        .join("town/borough.arrow");
    let mut bytes = fs::read(&file).expect("written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut permissions = fs::metadata(&file).expect("there").permissions();
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "a file of this test alone"
    )]
    permissions.set_readonly(false);
    fs::set_permissions(&file, permissions).expect("ours");
    fs::write(&file, bytes).expect("written");
    let inspected = precompute(&["inspect", &town.file("out")]);
    expect(&inspected, 1);
    assert!(
        stderr(&inspected).contains("town/borough.arrow"),
        "{}",
        stderr(&inspected)
    );
    // The next build writes it anew.
    expect(&town.build(&[]), 0);
    expect(&precompute(&["inspect", &town.file("out")]), 0);
}

#[test]
fn check_writes_nothing() {
    let town = Town::new();
    let before = listing(town.path());
    let checked = precompute(&["check", &town.file("town.toml"), "--json"]);
    expect(&checked, 0);
    let report = stdout_json(&checked);
    assert_eq!(report["version"], Value::Null);
    assert_eq!(report["layers"][0]["joins"][0]["matched"], 10);
    assert_eq!(listing(town.path()), before);
    let text = precompute(&["check", &town.file("town.toml")]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("10 of 10 keys matched"), "{text}");
}

#[test]
fn exit_codes_say_whose_turn_it_is() {
    let town = Town::new();
    let project = town.file("town.toml");
    for wrong in [
        &["build", &project][..],
        &["built"],
        &["build", &project, "--out", "x", "--min-match", "2"],
        &["build", &project, "--out", "x", "--min-match", "NaN"],
        &["check", &project, "--threads", "0"],
        &[],
    ] {
        expect(&precompute(wrong), 2);
    }
    expect(&precompute(&["check", &town.file("absent.toml")]), 1);
    expect(&precompute(&["inspect", &town.file("absent")]), 1);
    expect(&precompute(&["inspect", &town.file(".")]), 1);

    let text = fs::read_to_string(&project).expect("written");
    fs::write(
        &project,
        text.replace("zooms = [12, 14]", "zoom = [12, 14]"),
    )
    .expect("written");
    let refused = precompute(&["check", &project]);
    expect(&refused, 1);
    assert!(stderr(&refused).contains("line"), "{}", stderr(&refused));
    fs::write(&project, text).expect("written");
    fs::remove_file(town.path().join("votes.csv")).expect("there");
    let refused = town.build(&[]);
    expect(&refused, 1);
    assert!(
        stderr(&refused).contains("votes.csv"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(town.version(), None);
}

#[test]
fn a_low_match_publishes_nothing_and_says_why() {
    let mut town = Town::new();
    town.lines[3] = town.lines[3].replacen("13", "1x", 1);
    town.write();
    let refused = town.build(&["--json"]);
    expect(&refused, 3);
    assert_eq!(town.version(), None);
    let report = fs::read(town.path().join("out/report.json")).expect("the report is written");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report, stdout_json(&refused));
    assert_eq!(report["version"], Value::Null);
    let join = &report["layers"][0]["joins"][0];
    assert_eq!(
        (&join["left_only"], &join["right_only"]),
        (&1.into(), &1.into())
    );
    assert!(join["match"].as_f64().expect("a share") < 0.95);
    expect(&town.build(&["--min-match", "0.8"]), 0);
    // What is published stays when a later run fails.
    let version = town.version();
    expect(&town.build(&[]), 3);
    assert_eq!(town.version(), version);
}

#[test]
fn two_features_of_one_key_are_refused_unless_they_are_parts() {
    let mut town = Town::new();
    town.districts.push(town.districts[4].clone());
    town.write();
    let refused = town.build(&[]);
    expect(&refused, 1);
    let message = stderr(&refused);
    assert!(
        message.contains("feature 11") && message.contains("feature 5"),
        "{message}"
    );
    let project = town.file("town.toml");
    let text = fs::read_to_string(&project).expect("written");
    let merging = text.replace(
        "label = \"name\"",
        "label = \"name\"\n  duplicates = \"merge\"",
    );
    fs::write(&project, merging).expect("written");
    let built = town.build(&["--json"]);
    expect(&built, 0);
    assert_eq!(stdout_json(&built)["layers"][0]["levels"][0]["merged"], 1);
}

#[test]
fn what_is_asked_of_each_area_or_row_is_no_aggregate() {
    let town = Town::new();
    let project = town.file("town.toml");
    let text = fs::read_to_string(&project).expect("written");
    for (plain, aggregate) in [
        ("label = \"name\"", "label = \"max(name)\""),
        ("key = \"code\"", "key = \"max(code)\""),
    ] {
        for changed in [
            text.replacen(plain, aggregate, 1),
            replace_last(&text, plain, aggregate),
        ] {
            assert_ne!(changed, text);
            fs::write(&project, changed).expect("written");
            let refused = town.build(&[]);
            expect(&refused, 1);
            let message = stderr(&refused);
            assert!(message.contains("is one value of all rows"), "{message}");
        }
    }
}

#[test]
fn a_blank_parent_is_none() {
    let town = Town::new();
    let project = town.file("town.toml");
    let text = fs::read_to_string(&project).expect("written");
    let plain = "parent = \"substr(key, 1, 1)\"";
    let blank = "parent = \"iif(key = (select min(code) from votes), ' ', substr(key, 1, 1))\"";
    assert!(text.contains(plain));
    fs::write(&project, text.replacen(plain, blank, 1)).expect("written");
    let built = town.build(&["--json"]);
    expect(&built, 0);
    let levels = &stdout_json(&built)["layers"][0]["levels"];
    assert_eq!(levels[0]["without_parent"], 1);
    assert_eq!(levels[1]["areas"], 2);
}

#[test]
fn polygons_without_a_feature_are_named() {
    let town = Town::new();
    let empty = r#"{"type":"FeatureCollection","features":[]}"#;
    fs::write(town.path().join("town.geojson"), empty).expect("written");
    let refused = town.build(&[]);
    expect(&refused, 1);
    let message = stderr(&refused);
    assert!(
        message.contains("town.geojson: it has no feature"),
        "{message}"
    );
}

fn replace_last(text: &str, from: &str, to: &str) -> String {
    let at = text.rfind(from).expect("there");
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}

#[test]
fn equal_input_is_an_equal_version() {
    let mut town = Town::new();
    expect(&town.build(&[]), 0);
    let version = town.version().expect("published");
    let bytes = version_bytes(&town, &version);
    town.districts.reverse();
    town.lines.rotate_left(3);
    town.write();
    for (threads, zone, language) in [
        ("1", "UTC", "C"),
        ("2", "Pacific/Kiritimati", "de_DE.UTF-8"),
        ("3", "America/St_Johns", "tr_TR.UTF-8"),
    ] {
        fs::remove_dir_all(town.path().join("out")).expect("built before");
        let built = Command::new(binary("precompute"))
            .args(["build", &town.file("town.toml"), "--out", &town.file("out")])
            .args(["--threads", threads])
            .env("TZ", zone)
            .env("LANG", language)
            .env("LC_ALL", language)
            .output()
            .expect("precompute starts");
        expect(&built, 0);
        assert_eq!(
            town.version().as_deref(),
            Some(&*version),
            "{threads} {zone} {language}"
        );
        assert_eq!(version_bytes(&town, &version), bytes);
    }
    // Another figure is another version.
    town.lines[0] = town.lines[0].replace(";1", ";2");
    town.write();
    expect(&town.build(&[]), 0);
    assert_ne!(town.version(), Some(version));
}

#[test]
fn a_table_that_grows_while_it_is_read_does_no_harm() {
    let town = Town::new();
    let path = town.path().join("votes.csv");
    let writer = std::thread::spawn(move || {
        use std::io::Write;
        for i in 0..200 {
            let file = fs::File::options().append(true).open(&path);
            let line = format!("9{i};1;1;1;0;0\n");
            file.and_then(|mut file| file.write_all(line.as_bytes()))
                .expect("it grows");
            std::thread::yield_now();
        }
    });
    for _ in 0..5 {
        let built = town.build(&["--min-match", "0"]);
        assert!(matches!(code(&built), 0 | 1), "{}", stderr(&built));
    }
    writer.join().expect("the writer ends");
}

/// Paths and contents below a directory.
fn listing(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                left.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                found.push((path.display().to_string(), bytes));
            }
        }
    }
    found.sort();
    found
}

/// What a version holds, but for its report: that may name the files it was made from.
fn version_bytes(town: &Town, version: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = listing(&town.path().join("out/versions").join(version));
    files.retain(|(path, _)| !path.ends_with("report.json"));
    files
}
