//! Vote transfers: the matrix, the verb, what is refused and who may see it.

use std::fmt::Write as _;
use std::fs;

use e2e::crowd::Crowd;
use e2e::{Server, Town, precompute};
use serde_json::Value;

use super::{close, column, extend, number, numbers, serve};

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
    for (key, [registered, voters, north, ..]) in town.counts() {
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
    town.report();
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
    let counts = town.counts();
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
    town.report();
    let mut first = "code;north;rest;nobody\n".to_owned();
    for (key, [registered, voters, north, ..]) in town.counts() {
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
