//! Estimates and statistics from the project file to the served figure.

mod interpolation;
mod stations;
mod transfers;
mod turfs;

use std::collections::BTreeMap;
use std::fs;

use e2e::{Server, Town};
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

fn serve(town: &Town) -> Server {
    Server::start(&town.path().join("out"))
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
