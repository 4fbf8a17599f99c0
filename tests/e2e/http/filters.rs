//! Filters through HTTP: what passes, what is one question in two spellings, what is refused.

use std::time::{Duration, Instant};

use e2e::crowd::Dice;
use e2e::mvt::{Feature, features_around};
use e2e::wire::Reply;
use e2e::{Server, Squares, Village, encoded};
use serde_json::Value;

fn items(server: &Server, filter: &str, more: &str) -> Reply {
    let path = format!(
        "/town/items?geometry=false&sortby=key{more}&filter={}",
        encoded(filter)
    );
    server.get(&path)
}

fn keys(server: &Server, filter: &str, more: &str) -> String {
    let reply = items(server, filter, more);
    assert_eq!(reply.status, 200, "{filter}: {}", reply.text());
    let page = reply.json();
    let features = page["features"].as_array().into_iter().flatten();
    let keys: Vec<&str> = features
        .filter_map(|f| f["properties"]["key"].as_str())
        .collect();
    keys.join(" ")
}

#[test]
fn rows_that_pass() {
    let village = Village::new();
    let server = Server::start(village.path());
    for (filter, expected) in [
        ("turnout > 0.7", "02 04"),
        ("turnout >= 0.7", "02 04 06 10"),
        ("turnout IS NULL", "07 08"),
        ("NOT turnout > 0.7", "01 03 05 06 09 10"),
        ("winner = 'Agnès' AND registered < 1000", "01 10"),
        ("winner IN ('Agnès') OR key = '02'", "01 02 04 10"),
        ("registered BETWEEN 900 AND 1000", "01 05 07"),
        (
            "voters / registered = turnout AND voters > 0",
            "01 02 03 04 05 06 09 10",
        ),
        ("ACCENTI(CASEI(name)) = ACCENTI(CASEI('eveche'))", "02"),
        ("name LIKE '%,%'", "04"),
        ("name = '東京'", "10"),
        ("parent = 'S' AND mark = 1", "06 07 08 09 10"),
        (
            "S_INTERSECTS(geometry, BBOX(2.301, 48.861, 2.309, 48.869))",
            "01",
        ),
        ("S_INTERSECTS(geometry, POINT(2.325 48.855))", ""),
        ("1 = 2", ""),
        ("voters / 0 > 1", ""),
    ] {
        assert_eq!(keys(&server, filter, ""), expected, "{filter}");
    }
    assert_eq!(
        keys(&server, "turnout > 0.7", "&bbox=2.30,48.8,2.319,48.9"),
        "02"
    );
    assert_eq!(
        keys(&server, "registered > 0", "&bbox=2.338,48.8,2.339,48.859"),
        "09"
    );
    assert_eq!(keys(&server, "turnout > 0.6", "&level=district"), "N");
    let json = r#"{"op":">","args":[{"property":"turnout"},0.7]}"#;
    assert_eq!(keys(&server, json, "&filter-lang=cql2-json"), "02 04");
}

#[test]
fn equal_questions_have_equal_tags() {
    let village = Village::new();
    let server = Server::start(village.path());
    let tag = |filter: &str, more: &str| items(&server, filter, more).header("etag").to_owned();
    let expected = tag("turnout > 0.5 AND winner = 'Agnès'", "");
    for spelling in [
        "winner = 'Agnès' AND turnout > 0.5",
        "  ( turnout>0.50 )and( 'Agnès' = \"winner\" ) ",
        "NOT (NOT (0.5 < turnout)) AND winner IN ('Agnès')",
        "turnout > 5e-1 AND winner = 'Agnès' AND turnout > 0.5",
    ] {
        assert_eq!(tag(spelling, ""), expected, "{spelling}");
        assert_eq!(tag(spelling, "&utm=1"), expected, "an unknown parameter");
    }
    assert_ne!(tag("turnout > 0.5", ""), expected);
    let in_order = tag("turnout > 0.5", "&properties=turnout,mark");
    assert_eq!(
        tag("turnout > 0.5", "&properties=mark,turnout,mark"),
        in_order
    );
    let bitmaps = server.metric("maille_cache_computed_total{cache=\"bitmap\"}");
    assert!(
        (bitmaps - 2.0).abs() < f64::EPSILON,
        "{bitmaps} filters computed"
    );
}

#[test]
fn refused_filters_name_the_place() {
    let village = Village::new();
    let server = Server::start(village.path());
    for filter in [
        "",
        " ",
        "turnout >",
        "turnout > 'x'",
        "turnout > NULL",
        "winner > 3",
        "unknown = 1",
        "CURRENT = 1",
        "geometry = 1",
        "exec('id') = 1",
        "java.lang.Runtime = 1",
        "'; DROP TABLE x; --",
        "turnout > 0.5 -- comment",
        "turnout > 1e999",
        "turnout > NaN AND",
        "name LIKE 'x' ESCAPE",
        "\u{feff}turnout > 0.5",
        "turnou\u{442} > 0.5",
        "S_INTERSECTS(geometry, POLYGON((0 0, 1 1)))",
        "S_INTERSECTS(geometry, POINT(nan 1))",
        "{{7*7}}",
        "${jndi:ldap://x}",
    ] {
        let reply = items(&server, filter, "&x=1");
        if filter.is_empty() {
            assert_eq!(reply.status, 200, "an empty filter is none");
            continue;
        }
        assert_eq!(reply.status, 400, "{filter}");
        let problem = reply.json();
        assert_eq!(problem["parameter"], "filter", "{filter}");
        assert!(problem["position"].is_u64(), "{filter}: {problem}");
    }
    let repeated = server.get("/town/items?filter=mark=1&filter=mark=1");
    assert_eq!(repeated.status, 400);
    assert_eq!(
        server
            .get("/town/items?filter=mark%3D1&filter-lang=ecql")
            .status,
        400
    );
    assert_eq!(
        server
            .get("/town/items?filter=mark%3D1&filter-lang=cql2-json")
            .status,
        400
    );
}

#[test]
fn oversized_filters_are_refused_fast() {
    let village = Village::new();
    let server = Server::start(village.path());
    let nested = |n: usize| format!("{}mark = 1{}", "(".repeat(n), ")".repeat(n));
    let list = |n: usize| format!("mark IN ({})", vec!["1"; n].join(","));
    let json = |n: usize| {
        format!(
            "{}true{}",
            r#"{"op":"not","args":["#.repeat(n),
            "]}".repeat(n)
        )
    };
    let sums = |n: usize| format!("{}mark{} > 1", "(1 + ".repeat(n), ")".repeat(n));
    for (filter, more) in [
        (nested(101), ""),
        (nested(1_000), ""),
        (nested(3_900), ""),
        (format!("{}mark = 1", "NOT ".repeat(2_000)), ""),
        (vec!["mark = 1"; 700].join(" AND "), ""),
        (list(2_000), ""),
        (sums(500), ""),
        (
            format!("{}name{} = 'x'", "CASEI(".repeat(500), ")".repeat(500)),
            "",
        ),
        (json(127), "&filter-lang=cql2-json"),
        (json(400), "&filter-lang=cql2-json"),
        (format!("name = '{}'", "x".repeat(9_000)), ""),
    ] {
        let asked = Instant::now();
        let reply = items(&server, &filter, more);
        assert!(matches!(reply.status, 400 | 414), "{}", &filter[..40]);
        assert!(asked.elapsed() < Duration::from_millis(300));
    }
    let pattern = format!("name LIKE '{}'", "%a".repeat(500));
    assert_eq!(keys(&server, &pattern, ""), "");
    assert_eq!(keys(&server, "mark = 1 AND mark = 1", "").len(), 29);
}

#[test]
fn a_filtered_tile_is_the_whole_one_without_what_fails() {
    let village = Village::new();
    let server = Server::start(village.path());
    let place = (2.325, 48.859);
    let properties = "properties=registered,voters,turnout,winner";
    let mut dice = Dice(11);
    for z in [10, 11, 12, 13, 14] {
        let whole = features_around(&server, "town", place, z, properties);
        assert!(!whole.is_empty());
        for _ in 0..20 {
            let mut terms = Vec::new();
            for _ in 0..=dice.below(2) {
                let name = dice.pick(&["registered", "voters", "turnout"]);
                let limit = 1_300.0 * dice.share();
                let limit = if name == "turnout" {
                    limit / 1_000.0
                } else {
                    limit
                };
                terms.push((name, dice.below(2) == 0, limit));
            }
            let all = dice.below(2) == 0;
            let texts: Vec<String> = terms
                .iter()
                .map(|(name, above, limit)| {
                    format!("{name} {} {limit}", if *above { ">" } else { "<=" })
                })
                .collect();
            let filter = texts.join(if all { " AND " } else { " OR " });
            // A missing value fulfils neither a comparison nor its opposite.
            let holds = |feature: &Feature, (name, above, limit): &(&str, bool, f64)| {
                let value = feature.properties.get(*name).and_then(Value::as_f64);
                value.is_some_and(|value| (value > *limit) == *above)
            };
            let passes = |feature: &&Feature| {
                let mut each = terms.iter().map(|term| holds(feature, term));
                if all {
                    each.all(|h| h)
                } else {
                    each.any(|h| h)
                }
            };
            let query = format!("{properties}&filter={}", encoded(&filter));
            let found = features_around(&server, "town", place, z, &query);
            let expected: Vec<&Feature> = whole.iter().filter(passes).collect();
            assert_eq!(found.len(), expected.len(), "{z}: {filter}");
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(found.id, expected.id, "{z}: {filter}");
                assert_eq!(found.properties, expected.properties, "{z}: {filter}");
                assert_eq!(found.rings, expected.rings, "{z}: {filter}");
            }
        }
    }
}

/// 60 × 60 squares, each with its number as `n`.
fn county() -> Squares {
    let square = |n: u32| (format!("c{n}"), [n % 60, n / 60], n.to_string());
    Squares::new("n", "sum", "zooms = [5, 14]", (0..3_600).map(square))
}

#[test]
fn a_filter_asked_of_tile_after_tile_says_the_same() {
    let county = county();
    let server = Server::start(&county.dataset());
    let mut dice = Dice(4);
    for _ in 0..12 {
        let (modest, limit) = (dice.below(2) == 0, 3_600.0 * dice.share());
        let filter = if modest {
            format!("n > {limit} OR n IS NULL")
        } else {
            format!("NOT (n > {limit})")
        };
        let query = format!("properties=n&filter={}", encoded(&filter));
        // Asked of few squares at first, of all in the end; then again from the start.
        let places = [
            (14, 0.3),
            (12, 0.4),
            (14, 0.2),
            (13, 0.1),
            (12, 0.5),
            (9, 0.3),
        ];
        let mut first = Vec::new();
        for turn in 0..2 {
            for (i, (z, at)) in places.into_iter().enumerate() {
                let found = features_around(&server, "land", (at, at), z, &query);
                let whole = features_around(&server, "land", (at, at), z, "properties=n");
                let n = |feature: &&Feature| feature.properties["n"].as_f64().expect("a number");
                let expected: Vec<u64> = whole
                    .iter()
                    .filter(|feature| (n(feature) > limit) == modest)
                    .map(|feature| feature.id)
                    .collect();
                let ids: Vec<u64> = found.iter().map(|feature| feature.id).collect();
                assert_eq!(ids, expected, "{filter} at z{z}");
                if turn == 0 {
                    first.push(found);
                } else {
                    assert_eq!(found, first[i], "{filter} at z{z}");
                }
            }
        }
    }
}

#[test]
fn a_refusal_says_what_is_at_fault_for_programs_too() {
    let village = Village::new();
    let server = Server::start(village.path());
    let refused =
        |query: &str, parameter: &str, reason: &str, value: Option<&str>, near: Option<&str>| {
            let reply = server.get(&format!("/town/items?{query}"));
            assert_eq!(reply.status, 400, "{query}");
            let problem = reply.json();
            assert_eq!(problem["parameter"], parameter, "{problem}");
            assert_eq!(problem["reason"], reason, "{problem}");
            assert_eq!(problem["value"].as_str(), value, "{problem}");
            assert_eq!(problem["near"][0].as_str(), near, "{problem}");
            problem
        };
    for (filter, reason, value, near) in [
        (
            "turnot%20%3E%201",
            "unknown_property",
            Some("turnot"),
            Some("turnout"),
        ),
        (
            "nosuchthing%20%3E%201",
            "unknown_property",
            Some("nosuchthing"),
            None,
        ),
        ("turnout%20%3E", "syntax", None, None),
        ("turnout%20%3E%20'a'", "type", None, None),
        ("name%20%3D%20'a", "open_text", None, None),
        (
            "nosuch(turnout)%20%3D%201",
            "unknown_function",
            Some("nosuch"),
            None,
        ),
    ] {
        let query = format!("filter={filter}");
        let problem = refused(&query, "filter", reason, value, near);
        assert!(problem["position"].is_u64(), "{problem}");
    }
    for (query, parameter, reason, value, near) in [
        (
            "score=turnot:2",
            "score",
            "unknown_property",
            Some("turnot"),
            Some("turnout"),
        ),
        ("score=turnout:0", "score", "weight", Some("0"), None),
        (
            "score=turnout,turnout",
            "score",
            "twice",
            Some("turnout"),
            None,
        ),
        ("score=turnout,", "score", "empty_criterion", None, None),
        (
            "score=turnout&score-method=best",
            "score-method",
            "unknown_method",
            Some("best"),
            None,
        ),
        (
            "properties=turnot",
            "properties",
            "unknown_property",
            Some("turnot"),
            Some("turnout"),
        ),
        (
            "class-property=winner&classes=3",
            "class-property",
            "not_a_number",
            Some("winner"),
            None,
        ),
        (
            "class-property=nosuchthing&classes=3",
            "class-property",
            "unknown_property",
            Some("nosuchthing"),
            None,
        ),
    ] {
        refused(query, parameter, reason, value, near);
    }
    let long = server
        .get(&format!("/town/items?filter={}", "a".repeat(9_000)))
        .json();
    assert_eq!(long["reason"], "too_long", "{long}");
}
