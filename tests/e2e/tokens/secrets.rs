//! What is left of keys, secrets and persons in what the server says and writes.

use std::fs;
use std::time::{Duration, Instant};

use e2e::crowd::Crowd;
use e2e::mvt::tile_at;
use e2e::{Server, precompute};
use serde_json::Value;

use super::{PATH, SECRET, claims, get, header, serve, token, with};

#[test]
fn keys_are_whole_in_the_header_and_dead_when_revoked() {
    let crowd = Crowd::new(60);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let other = crowd.add_key("blue staff", "blue", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    assert_eq!(get(&mut c, PATH, &key).status, 200);
    let lookalike = key.replace('a', "\u{430}");
    let mut wrong: Vec<String> = (1..key.len()).map(|end| key[..end].to_owned()).collect();
    wrong.extend([
        format!("{key}0"),
        format!("{key} {key}"),
        format!("{key},{other}"),
        key.to_uppercase(),
        key.replace("maille_", ""),
        key.replace("maille_", "maille-"),
        String::new(),
    ]);
    for wrong in &wrong {
        assert_eq!(get(&mut c, PATH, wrong).status, 401, "{wrong}");
    }
    for raw in [lookalike, format!("{key}\u{a0}")] {
        assert!(matches!(get(&mut c, PATH, &raw).status, 400 | 401), "{raw}");
    }
    // In an address a key opens nothing.
    for name in [
        "key",
        "api_key",
        "token",
        "access_token",
        "authorization",
        "sig",
    ] {
        let reply = c.request("GET", &format!("{PATH}?{name}={key}"), &[]);
        assert!(
            matches!(reply.status, 401 | 404),
            "{name}: {}",
            reply.status
        );
    }
    let reply = c.request("GET", PATH, &[("Referer", &format!("http://a/?key={key}"))]);
    assert_eq!(reply.status, 404);
    let cookie = format!("key={key}; token={key}");
    assert_eq!(c.request("GET", PATH, &[("Cookie", &cookie)]).status, 404);

    // Rotated: the old one is dead within a second, on connections that are open too.
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let hash = blake3::keyed_hash(
        blake3::Hash::from_hex(
            text.lines()
                .find_map(|line| line.strip_prefix("secret = \"")?.strip_suffix('"'))
                .expect("a secret"),
        )
        .expect("64 digits")
        .as_bytes(),
        b"maille_of_another",
    );
    let old = text
        .lines()
        .find(|line| line.starts_with("hash = "))
        .expect("the first key's");
    fs::write(
        crowd.keys(),
        text.replacen(old, &format!("hash = \"{hash}\""), 1),
    )
    .expect("written");
    server.signal("HUP");
    let until = Instant::now() + Duration::from_secs(1);
    while get(&mut c, PATH, &key).status != 401 {
        assert!(Instant::now() < until, "still alive");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(get(&mut c, PATH, "maille_of_another").status, 200);
    assert_eq!(get(&mut c, "/density/volunteers", &other).status, 200);
}

#[test]
fn nothing_of_persons_or_secrets_is_written() {
    let crowd = Crowd::new(200);
    crowd.build();
    let released = crowd.verb("release", &["--contacts", "supporters"]);
    assert!(released.status.success());
    let key = crowd.add_key("red staff", "red", "inside");
    let dataset = crowd.dataset();
    let arguments = ["--keys", &crowd.keys(), "--log", "trace"];
    let server = Server::start_with(&dataset, &arguments);
    let mut c = server.connect();
    let tile = tile_at(crowd.people[0].lon, crowd.people[0].lat, 16);
    // Each is planted once in every place that a client fills.
    let canary = "Canary-Zoe-7f3";
    let place = format!("{:.4}", crowd.people[0].lat);
    let paths = [
        format!("/density/supporters/{tile}"),
        format!("/density/supporters/{tile}?filter=age%3D'{canary}'"),
        format!("/density/supporters?filter={canary}%3D'{place}'"),
        format!("/density/{canary}"),
        format!("/density/supporters/{canary}/1/1"),
        format!("/density/supporters?grid={canary}"),
        format!("/density/supporters?kernel=quartic&radius_m={canary}"),
        format!("/density/supporters?denominator={canary}"),
        "/density/supporters?grid=hex".to_owned(),
        format!("/town/items?contacts=supporters&contacts-filter=support%3D'{canary}'"),
        format!("/town/items?contacts={canary}"),
        format!("/town/items?filter=name%3D'{canary}'"),
        format!("/town/items/{canary}"),
        format!("/town/search?q={canary}"),
        format!(
            "/town/at?lon={}&lat={}",
            crowd.people[0].lon, crowd.people[0].lat
        ),
        format!("/{canary}?key={key}"),
        format!("/town?sig={key}"),
        format!("/%F{canary}"),
        format!("/{canary}%0d%0aINFO%20admin"),
    ];
    let odd = [
        format!("Bearer {key}"),
        format!("Bearer {canary}"),
        format!("Bearer {}", token(&header(), &claims())),
        format!("Basic {canary}"),
        "Bearer maille_canary".to_owned(),
    ];
    for path in &paths {
        for authorization in &odd {
            let headers = [
                ("Authorization", &**authorization),
                ("User-Agent", canary),
                ("Referer", &format!("http://{canary}/?{key}")),
                ("X-Forwarded-For", canary),
                ("If-None-Match", canary),
            ];
            let reply = c.request("GET", path, &headers);
            assert!(reply.status < 500, "{path}: {}", reply.text());
        }
        let _ = c.request("POST", path, &[("User-Agent", canary)]);
        c = server.connect();
    }
    let metrics = c.request("GET", "/metrics", &[]).text();
    let audit = fs::read_to_string(format!("{}.audit.jsonl", crowd.keys())).expect("there");
    assert!(audit.lines().count() > 3);
    let secrets = vec![
        canary.to_owned(),
        "Canary".into(),
        "canary".into(),
        key.clone(),
        key["maille_".len()..].to_owned(),
        SECRET.into(),
        "eyJ".into(),
    ];
    // The public reads none of it, but the bounds of public cells.
    for path in [
        "/catalog",
        PATH,
        "/density/supporters/queryables",
        "/ready",
        "/town",
    ] {
        let text = c.request("GET", path, &[]).text();
        for needle in &secrets {
            assert!(!text.contains(needle), "{needle} in {path}");
        }
    }
    let log = server.whole_log();
    assert!(log.len() > paths.len(), "the log tells of requests");
    // Longitudes and latitudes to eleven metres, names and ids of the file, all tokens.
    let mut needles = secrets.clone();
    for person in &crowd.people {
        needles.push(format!("{:.4}", person.lon));
        needles.push(format!("{:.4}", person.lat));
    }
    for needle in &needles {
        for line in &log {
            assert!(!tells(line, needle), "{needle}: {line}");
        }
        assert!(!tells(&metrics, needle), "{needle} in the metrics");
        assert!(!tells(&audit, needle), "{needle} in the audit log");
    }
}

#[test]
fn hostile_contact_files_are_data() {
    let crowd = Crowd::new(20);
    let mut csv = "id,full_name,lon,lat,support,age\n".to_owned();
    for _ in 0..10_000 {
        csv.push_str("P-1,<script>alert(1)</script>,-73.575,45.505,1,old\n");
    }
    csv.push_str("P-2,Zero,0,0,1,old\nP-3,Zero,0.0,-0.0,2,old\n");
    csv.push_str("\"=cmd|'/C calc'!A0\",Formula,-73.575,45.505,2,\"=cmd|'/C calc'!A0\"\n");
    csv.push_str("P-5,Script,-73.575,45.505,3,<script>alert(1)</script>\n");
    csv.push_str("\"@SUM(1,1)\",At,-73.575,45.505,3,\"@SUM(1,1)\"\n");
    csv.push_str("P-6,Far,1e308,45,3,old\nP-8,Pole,10,90,3,old\n");
    fs::write(crowd.town.path().join("supporters.csv"), csv).expect("written");
    let built = crowd.town.build(&["--json"]);
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let report: Value = serde_json::from_slice(&built.stdout).expect("JSON");
    let set = &report["contacts"][0];
    assert_eq!(set["rows"], 10_007);
    assert_eq!(set["contacts"], 4);
    let left_out = set["left_out"].as_object().expect("reasons");
    assert_eq!(left_out["duplicate_person"], 9_999);
    assert_eq!(left_out["coordinates_zero"], 2);
    let sum: u64 = left_out.values().filter_map(Value::as_u64).sum();
    assert_eq!(sum + 4, 10_007, "in and out are the file: {left_out:?}");
    for output in [&built.stdout, &built.stderr] {
        let text = String::from_utf8_lossy(output);
        assert!(
            !text.contains("P-1") && !text.contains("alert(1)"),
            "{text}"
        );
    }
    // Classes are texts to filter by, and are told as JSON tells texts.
    let key = crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    let described = get(&mut c, PATH, &key);
    let classes = &described.json()["maille"]["dimensions"];
    let ages = classes.as_array().expect("dimensions").iter();
    let ages: Vec<&Value> = ages.filter(|d| d["name"] == "age").collect();
    assert_eq!(ages[0]["classes"].as_array().map(Vec::len), Some(4));
    assert_eq!(described.header("x-content-type-options"), "nosniff");
    assert!(described.header("content-type").contains("json"));
    let formula = "age%3D'%3Dcmd%7C''/C%20calc''!A0'";
    let matched = get(&mut c, &format!("{PATH}?filter={formula}"), &key).json();
    assert_eq!(matched["maille"]["matched"], 1);
    let script = "age%3D'%3Cscript%3Ealert(1)%3C/script%3E'";
    let areas = format!("/town/items.csv?contacts=supporters&contacts-filter={script}");
    let csv = get(&mut c, &areas, &key).text();
    assert!(!csv.contains("script"), "{csv}");
    let inspected = precompute(&["inspect", &crowd.town.file("out"), "--json"]);
    assert!(inspected.status.success());
}

/// To whoever may not see a set, its cells with contacts, its empty ones and those of no set at all
/// are one: status, headers and length.
#[test]
fn private_cells_look_alike_from_outside() {
    let crowd = Crowd::new(60);
    crowd.build();
    let red = crowd.add_key("red staff", "red", "inside");
    let blue = crowd.add_key("blue staff", "blue", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    let full = tile_at(crowd.people[0].lon, crowd.people[0].lat, 16);
    let empty = tile_at(100.0, 10.0, 16);
    let inside = [&full, &empty].map(|tile| get(&mut c, &format!("{PATH}/{tile}"), &red));
    assert_eq!(inside.map(|reply| reply.status), [200, 204], "the control");
    let etag = get(&mut c, &format!("{PATH}/{full}"), &red)
        .header("etag")
        .to_owned();
    let bearer = format!("Bearer {blue}");
    for credentials in [None, Some(("Authorization", &*bearer))] {
        let mut headers = vec![("If-None-Match", &*etag)];
        headers.extend(credentials);
        let mut shapes = Vec::new();
        for set in ["supporters", "supported0"] {
            for tile in [&full, &empty] {
                let reply = c.request("GET", &format!("/density/{set}/{tile}"), &headers);
                let told = reply.headers.iter().filter(|(name, _)| {
                    !["x-request-id", "date"].contains(&name.to_lowercase().as_str())
                });
                let told: Vec<(String, usize)> = told
                    .map(|(name, value)| (name.clone(), value.len()))
                    .collect();
                let problem = with(reply.json(), "instance", Value::Null);
                // An address is as long as the other but for the tile's own digits.
                let length = reply.body.len() - tile.len();
                let told: Vec<_> = told
                    .into_iter()
                    .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
                    .collect();
                shapes.push((reply.status, told, problem, length));
            }
        }
        assert_eq!(shapes[0].0, 404);
        for shape in &shapes {
            assert_eq!(shape, &shapes[0]);
        }
    }
}

/// Whether a text has a needle in it that is not the seconds of a time of day, as in `31:45.5023`.
fn tells(text: &str, needle: &str) -> bool {
    let mut places = text.match_indices(needle);
    places.any(|(at, _)| {
        let minutes = text[..at].strip_suffix(':').unwrap_or_default();
        !minutes.ends_with(|c: char| c.is_ascii_digit())
    })
}
