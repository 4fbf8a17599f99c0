//! Filters of a finer level: figures of what matches, recomputed.

use std::collections::BTreeMap;

use serde_json::Value;

use e2e::encoded;
use e2e::mvt::features_around;

use super::{TOWN, built, list, number};

type Test = fn(&[f64; 5]) -> bool;

#[test]
fn a_filter_of_a_finer_level_is_a_plain_sum_over_what_matches() {
    let (town, server) = built();
    let districts = town.counts();
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
        let features = features_around(&server, "town", TOWN, 10, &query);
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
        let fine = features_around(&server, "town", TOWN, 12, &query);
        assert_eq!(fine.len(), districts.values().filter(|d| test(d)).count());
        assert!(fine.iter().all(|f| !f.properties.contains_key("matched")));
    }
    // Spoken of a coarser level: what lies in the units that match.
    let north = features_around(
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
