//! The profile of a contact segment: by the figures that lists tell, to those who may see contacts.

use std::collections::BTreeMap;
use std::fs;

use e2e::Server;
use e2e::crowd::Crowd;
use serde_json::Value;

fn serve(crowd: &Crowd) -> Server {
    Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()])
}

fn get_as(server: &Server, path: &str, key: &str) -> (u16, Value) {
    let bearer = format!("Bearer {key}");
    let reply = server.get_with(path, &[("Authorization", &bearer)]);
    (reply.status, reply.json())
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn close(found: &Value, expected: f64) {
    let found = number(found);
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{found}, not {expected}"
    );
}

/// Contacts, electors and an indicator of each district, by key.
fn listed(server: &Server, key: &str, filter: &str) -> BTreeMap<String, [f64; 3]> {
    let path = format!(
        "/town/items?level=district&limit=100&properties=contacts,registered,turnout&contacts=supporters{filter}"
    );
    let (status, page) = get_as(server, &path, key);
    assert_eq!(status, 200, "{page}");
    let features = page["features"].as_array().expect("a list").iter();
    let row = |feature: &Value| {
        let properties = &feature["properties"];
        let values = ["contacts", "registered", "turnout"].map(|name| number(&properties[name]));
        (
            properties["key"].as_str().expect("a key").to_owned(),
            values,
        )
    };
    features.map(row).collect()
}

#[test]
fn a_profile_follows_from_what_lists_tell() {
    let crowd = Crowd::new(3000);
    crowd.build();
    let key = crowd.add_key("staff", "red", "inside");
    let server = serve(&crowd);
    for filter in ["", "&contacts-filter=support%20IN%20('2','3')"] {
        let areas = listed(&server, &key, filter);
        let asked = "contacts=supporters&properties=turnout,winner&contacts-denominator=registered";
        let (status, found) = get_as(&server, &format!("/town/profile?{asked}{filter}"), &key);
        assert_eq!(status, 200, "{found}");
        assert_eq!(
            (&found["layer"], &found["level"]),
            (&"town".into(), &"district".into())
        );
        assert_eq!(
            (&found["areas"], &found["estimate"]),
            (&10.into(), &true.into())
        );
        let sum = |at: usize| areas.values().map(|row| row[at]).sum::<f64>();
        let (contacts, electors) = (sum(0), sum(1));
        close(&found["electors"], electors);
        let weighted = |at: usize, of: fn(f64, f64) -> f64, mean: f64| {
            let all = areas.values().map(|row| row[at] * of(row[2], mean));
            all.sum::<f64>() / sum(at)
        };
        let means = [0, 1].map(|at| weighted(at, |x, _| x, 0.0));
        let variances = [0, 1].map(|at| weighted(at, |x, mean| (x - mean).powi(2), means[at]));
        let turnout = &found["indicators"][0];
        assert_eq!(turnout["name"], "turnout");
        close(&turnout["mean_contacts"], means[0]);
        close(&turnout["mean_electors"], means[1]);
        close(&turnout["index"], 100.0 * means[0] / means[1]);
        let difference = (means[0] - means[1]) / f64::midpoint(variances[0], variances[1]).sqrt();
        close(&turnout["std_diff"], difference);
        assert_eq!(turnout["noteworthy"], difference.abs() > 0.2);
        let classes = found["indicators"][1]["classes"]
            .as_array()
            .expect("classes");
        let of_classes: f64 = classes.iter().map(|class| number(&class["contacts"])).sum();
        assert!(of_classes <= contacts);
        assert!(
            classes
                .iter()
                .all(|class| number(&class["contacts"]) >= 11.0)
        );
        let quotients = found["quotients"].as_array().expect("areas");
        assert_eq!(quotients.len(), 10);
        for area in quotients {
            let row = &areas[area["key"].as_str().expect("a key")];
            close(&area["quotient"], (row[0] / contacts) / (row[1] / electors));
        }
        assert!(
            quotients
                .windows(2)
                .all(|p| number(&p[0]["quotient"]) >= number(&p[1]["quotient"]))
        );
        assert_eq!(found["logistic"]["weights"][0]["name"], "turnout");
        assert!(
            found["lookalikes"].is_null(),
            "ten districts have too few to learn from"
        );
        assert_eq!(found["contacts"]["set"], "supporters");
    }
    let limited = "/town/profile?contacts=supporters&properties=turnout&contacts-denominator=registered&limit=3";
    let (_, found) = get_as(&server, limited, &key);
    assert_eq!(found["quotients"].as_array().map(Vec::len), Some(3));
    // Every read is noted, and no contact.
    let audit = fs::read_to_string(format!("{}.audit.jsonl", crowd.keys())).expect("written");
    let reads = audit
        .lines()
        .filter(|line| line.contains("profile"))
        .count();
    assert_eq!(reads, 3);
    assert!(!audit.contains("Canary") && !audit.contains("support IN"));
}

#[test]
fn a_profile_is_for_those_who_may_see_contacts_and_of_enough_of_them() {
    let crowd = Crowd::new(500);
    crowd.build();
    let red = crowd.add_key("staff", "red", "inside");
    let guest = crowd.add_key("guest", "red", "outside");
    let blue = crowd.add_key("others", "blue", "inside");
    let server = serve(&crowd);
    let path =
        "/town/profile?contacts=supporters&properties=turnout&contacts-denominator=registered";
    let absent = path.replace("supporters", "nothing");
    let (status, unknown) = get_as(&server, &absent, &red);
    assert_eq!((status, &unknown["parameter"]), (400, &"contacts".into()));
    for key in [&guest, &blue] {
        let (status, refused) = get_as(&server, path, key);
        assert_eq!(
            (status, &refused["detail"]),
            (400, &unknown["detail"]),
            "as if there were none"
        );
    }
    assert_eq!(server.get(path).status, 400);
    assert_eq!(get_as(&server, path, &red).0, 200);
    for (query, parameter) in [
        ("properties=turnout", "contacts"),
        ("contacts=supporters&properties=nothing", "properties"),
        ("contacts=supporters&properties=turnout&limit=0", "limit"),
        (
            "contacts=supporters&properties=turnout&contacts-filter=age='old'%20AND%20support='1'",
            "contacts",
        ),
    ] {
        let (status, refused) = get_as(&server, &format!("/town/profile?{query}"), &red);
        assert_eq!(
            (status, &refused["parameter"]),
            (400, &parameter.into()),
            "{query}: {refused}"
        );
    }
    let few = "contacts=supporters&properties=turnout&contacts-filter=support='1'";
    let (_, refused) = get_as(&server, &format!("/town/profile?{few}"), &red);
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|text| text.contains("200")),
        "{refused}"
    );
}
