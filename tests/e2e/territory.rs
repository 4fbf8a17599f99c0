//! Whoever has a key to a territory learns nothing of what is outside it: two datasets that differ
//! there only answer alike, whatever is asked.
//!
//! ```text
//!  40  41 │ 42  43        wards of 0.01°; a, west, is the territory, b, east, is not
//!  30  31 │ 32  33        boroughs of the two lower and the two upper rows, of each zone
//!  20  21 │ 22  23        counties of both zones: not the territory's
//!  10  11 │ 12  13
//! ```

use std::fmt::Write as _;
use std::fs;

use e2e::crowd::add_key;
use e2e::squares::square;
use e2e::{Server, encoded, precompute};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROJECT: &str = r#"
    [dataset]
    name = "land"
    attribution = "Fictional"
    [[table]]
    name = "t"
    path = "t.csv"
    text = ["code", "zone"]
    [[layer]]
    name = "land"
    [[layer.level]]
    name = "ward"
    polygons = { path = "wards.geojson" }
    key = "code"
    parent = "borough"
    zooms = [10, 14]
    [[layer.level]]
    name = "borough"
    dissolve = "ward"
    parent = "substr(key, 1, 1)"
    zooms = [8, 9]
    [[layer.level]]
    name = "county"
    dissolve = "borough"
    zooms = [0, 7]
    [[layer.indicators]]
    from = "t"
    key = "code"
    weight = "sum(registered)"
      [layer.indicators.columns]
      registered = { sql = "sum(registered)" }
      voters = { sql = "sum(voters)" }
      turnout = { sql = "sum(voters) / sum(registered)" }
      zone = { sql = "case when count(distinct zone) = 1 then min(zone) end" }
      party = { sql = "max(party)" }
    [[contacts]]
    name = "people"
    path = "people.csv"
    tenant = "red"
    id = "id"
    lon = "lon"
    lat = "lat"
      [contacts.dimensions]
      zone = "zone"
      age = "age"
"#;

/// What lands may differ in.
#[derive(Clone, Copy)]
struct East {
    /// What all figures there are near to.
    figure: u32,
    /// Contacts of a ward more than in the west, all of an age that the west has not.
    more: u32,
}

struct Land(TempDir);

impl Land {
    fn new(east: East) -> Self {
        let land = Self(tempfile::tempdir().expect("a temporary directory"));
        let (mut features, mut table, mut people) = (
            Vec::new(),
            "code,zone,registered,voters,party\n".to_owned(),
            "id,lon,lat,zone,age\n".to_owned(),
        );
        for y in 1..=4_u32 {
            for x in 0..4_u32 {
                let (zone, figure) = if x < 2 {
                    ("a", 100)
                } else {
                    ("b", east.figure)
                };
                let county = y.div_ceil(2);
                let [west, south] = [x, y].map(|at| f64::from(at) / 100.0);
                let properties =
                    json!({ "code": format!("{y}{x}"), "borough": format!("{county}{zone}") });
                features.push(square([x, y], &properties));
                let registered = figure + 10 * x + y;
                let voters = registered / 2 + x;
                let _ = writeln!(table, "{y}{x},{zone},{registered},{voters},p{}", figure % 7);
                let count = if x < 2 { 3 } else { 3 + east.more };
                for i in 0..count {
                    let age = if x < 2 || i < 3 { "young" } else { "old" };
                    let (lon, lat) = (west + 0.001 * f64::from(i % 9 + 1), south + 0.005);
                    let _ = writeln!(people, "{y}{x}-{i},{lon:.4},{lat:.4},{zone},{age}");
                }
            }
        }
        let collection = json!({ "type": "FeatureCollection", "features": features });
        for (name, text) in [
            ("wards.geojson", &*collection.to_string()),
            ("t.csv", &table),
            ("people.csv", &people),
            ("land.toml", PROJECT),
        ] {
            fs::write(land.file(name), text).expect("a file of its own");
        }
        let built = precompute(&["build", &land.file("land.toml"), "--out", &land.file("out")]);
        assert!(built.status.success(), "{built:?}");
        land
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A server, and a key with a policy.
    fn serve(&self, policy: &str) -> (Server, String) {
        let keys = self.file("keys.toml");
        let key = add_key(&keys, "west", "red", "inside");
        let text = fs::read_to_string(&keys).expect("just written");
        let narrowed = text.replacen("role =", &format!("{policy}\nrole ="), 1);
        assert_ne!(narrowed, text);
        fs::write(&keys, narrowed).expect("a file of its own");
        let arguments = ["--keys", &keys, "--public-url", "http://land.test"];
        let server = Server::start_with(&self.0.path().join("out"), &arguments);
        (server, format!("Bearer {key}"))
    }
}

/// What may be asked of the land.
fn questions() -> Vec<String> {
    let mut asked: Vec<String> = [
        "/catalog",
        "/land",
        "/queryables",
        "/land/queryables",
        "/land/queryables?level=county",
        "/land/search?q=1",
        "/land/search?q=a",
        "/density/people",
        "/density/people/queryables",
        "/density/people?filter=age%3D'old'",
        "/density/people/10/512/511",
        "/density/people/10/512/511?grid=hex",
        "/density/people/10/512/511?denominator=registered",
        "/styles/land/style.json",
        "/styles/density-people/style.json",
        "/collections",
        "/collections/land",
        "/collections/land/queryables",
        "/collections/land/tiles/WebMercatorQuad",
        "/land/profile",
        "/land/stats?property=party",
    ]
    .map(str::to_owned)
    .into();
    let criteria = [
        "",
        "filter=registered%3E150",
        "filter=turnout%3E0.5&filter-level=ward",
        "score=turnout:3,-registered:1",
        "score=turnout:1&score-method=zscore",
        "classes=3&class-property=registered&class-method=quantile",
        "contacts=people",
        "contacts=people&contacts-filter=age%3D'old'",
        "properties=turnout,party",
    ];
    for level in ["ward", "borough", "county"] {
        for criteria in criteria {
            let asked_too = format!("level={level}&{criteria}");
            asked.extend([
                format!("/land/items?{asked_too}"),
                format!("/land/items.csv?{asked_too}"),
                format!("/land/items.geojson?{asked_too}"),
                format!("/land/stats?property=registered&{asked_too}"),
                format!("/land/stats?property=turnout&method=jenks&k=3&{asked_too}"),
                format!("/collections/land/items?{asked_too}"),
            ]);
            for key in ["10", "12", "1a", "1b", "1", "2"] {
                asked.push(format!("/land/items/{key}?{asked_too}"));
                asked.push(format!("/collections/land/items/{key}?{asked_too}"));
            }
            for lon in [0.005, 0.025] {
                asked.push(format!("/land/at?lon={lon}&lat=0.015&{asked_too}"));
            }
        }
    }
    for z in [0, 6, 8, 9, 10, 12] {
        let x = 1 << z >> 1;
        let y = x - u32::from(z > 0);
        for criteria in criteria {
            asked.push(format!("/land/{z}/{x}/{y}?{criteria}"));
        }
        asked.push(format!("/land/names/{z}/{x}/{y}"));
    }
    asked
}

/// Zones wholly and partly outside the territory.
fn zones() -> Vec<(String, String)> {
    let corners = |west: f64, east: f64| {
        json!({ "type": "Polygon", "coordinates":
            [[[west, 0.012], [east, 0.012], [east, 0.044], [west, 0.044], [west, 0.012]]] })
    };
    let mut zones = Vec::new();
    for (west, east) in [(0.022, 0.036), (0.004, 0.031), (0.001, 0.018)] {
        for ask in [
            "",
            "?level=borough",
            "?level=borough&sharing=weight",
            "?level=county",
            "?level=county&sharing=weight",
        ] {
            zones.push((format!("/land/zone{ask}"), corners(west, east).to_string()));
        }
    }
    zones
}

/// Two lands, and a key to each with the same policy.
struct Pair([(Server, String, String); 2]);

impl Pair {
    fn serve(lands: &[Land; 2], policy: &str) -> Self {
        Self(lands.each_ref().map(|land| {
            let (server, key) = land.serve(policy);
            let mut c = server.connect();
            let reply = c.request("GET", "/land", &[("Authorization", &key)]);
            let version = reply.json()["maille"]["version"].clone();
            let version = version.as_str().expect("a version").to_owned();
            (server, key, version)
        }))
    }

    /// Status, count of features and text, without the version, which is a hash of all there is.
    fn told(&self, i: usize, path: &str, body: Option<&str>) -> (u16, String, String) {
        let (server, key, version) = &self.0[i];
        let mut c = server.connect();
        let reply = match body {
            None => c.request("GET", path, &[("Authorization", key)]),
            Some(body) => {
                let head = format!(
                    "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                c.send(head.as_bytes());
                c.read("POST").expect("an answer")
            }
        };
        let text = String::from_utf8_lossy(&reply.plain()).replace(version, "VERSION");
        let count = reply.header("Maille-Features").to_owned();
        (reply.status, count, text)
    }

    /// Whoever has the keys cannot tell one from the other, whoever sees all can. Returns how many of the
    /// questions found something.
    fn are_alike(&self) -> usize {
        let [one, other] = self.0.each_ref().map(|(server, ..)| {
            let path = "/land/items?level=ward&sortby=-registered";
            server.get(path).text()
        });
        assert_ne!(one, other);
        let mut found = 0;
        for path in questions() {
            let [one, other] = [0, 1].map(|i| self.told(i, &path, None));
            found += usize::from(one.0 == 200);
            assert!(one.0 < 500, "{path}: {one:?}");
            assert_eq!(one, other, "{path}");
        }
        for (path, zone) in zones() {
            let [one, other] = [0, 1].map(|i| self.told(i, &path, Some(&zone)));
            assert_eq!(one.0, 200, "{path}: {one:?}");
            assert_eq!(one, other, "{path}");
        }
        found
    }
}

#[test]
fn nothing_is_told_of_what_is_outside() {
    let lands = [(700, 0), (3000, 6)].map(|(figure, more)| Land::new(East { figure, more }));
    let pair = Pair::serve(&lands, "filter = \"zone = 'a'\"");
    assert!(pair.are_alike() > 250);
    // Nor is there anything to be told.
    for path in [
        "/land/items/12",
        "/collections/land/items/12",
        "/land/items/1b",
        "/land/items/1",
    ] {
        assert_eq!(pair.told(0, path, None).0, 404, "{path}");
    }
    let card = pair.told(0, "/land/items/1a", None).2;
    let card: Value = serde_json::from_str(&card).expect("JSON");
    assert_eq!(card["parent"], Value::Null);
    let filter = encoded("zone = 'b'");
    let items = pair
        .told(0, &format!("/land/items?filter={filter}"), None)
        .2;
    assert!(items.contains(r#""features":[]"#), "{items}");
}

/// A filter may be true of what holds a ward for which it is not: less the wards that are seen, that
/// would tell of the others.
#[test]
fn what_holds_a_hidden_ward_is_hidden() {
    let lands = [(700, 0), (3000, 6)].map(|(figure, more)| Land::new(East { figure, more }));
    let pair = Pair::serve(&lands, "filter = \"NOT (key LIKE '%2' OR key LIKE '%3')\"");
    for (key, status) in [
        ("10", 200),
        ("12", 404),
        ("1a", 200),
        ("1b", 404),
        ("1", 404),
    ] {
        let path = format!("/land/items/{key}");
        assert_eq!(pair.told(0, &path, None).0, status, "{path}");
    }
    assert!(pair.are_alike() > 200);
}

#[test]
fn a_hidden_figure_weighs_nothing() {
    let land = Land::new(East {
        figure: 700,
        more: 0,
    });
    let (server, key) = land.serve("hidden = [\"registered\"]");
    let mut c = server.connect();
    let mut ask = |path: &str| {
        let reply = c.request("GET", path, &[("Authorization", &key)]);
        assert_eq!(reply.status, 200, "{path}");
        reply.json()["features"][0]["properties"].clone()
    };
    // One ward of eight, whoever lives there.
    let filter = format!("filter={}&filter-level=ward", encoded("key = '10'"));
    let county = ask(&format!("/land/items?level=county&sortby=key&{filter}"));
    assert_eq!(county["matched_share"], 0.125);
    let ward = ask("/land/items?level=ward&sortby=key&contacts=people");
    assert_eq!(ward["contacts"], 3);
    assert_eq!(ward["contacts_per_1000"], Value::Null);
}
