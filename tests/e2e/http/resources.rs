//! Each resource's shape and the headers around it.

use e2e::{Server, Village, village};
use serde_json::Value;

#[test]
fn catalog_and_tilejson() {
    let village = Village::new();
    let server = Server::start_with(
        village.path(),
        &["--public-url", "https://maps.example.org/t/"],
    );
    let catalog = server.get("/catalog").json();
    let entry = &catalog["tiles"]["town"];
    assert_eq!(entry["content_type"], "application/vnd.mapbox-vector-tile");
    assert_eq!(entry["url"], "https://maps.example.org/t/town");
    assert!(catalog["density"].is_object() && catalog["maps"].is_object());
    // By it a page knows that the list is older than what it describes.
    assert_eq!(
        entry["version"],
        server.get("/town").json()["maille"]["version"]
    );

    let reply = server.get_with("/town", &[("Host", "evil.example")]);
    assert!(!reply.text().contains("evil"));
    let tilejson = reply.json();
    assert_eq!(tilejson["tilejson"], "3.0.0");
    let tiles = tilejson["tiles"][0].as_str().expect("a URL");
    let version = tilejson["maille"]["version"].as_str().expect("a version");
    assert!(tiles.starts_with("https://maps.example.org/t/town/{z}/{x}/{y}?"));
    assert!(tiles.contains(&format!("v={version}")));
    assert_eq!(tilejson["minzoom"], 0);
    assert_eq!(tilejson["maxzoom"], 14);
    assert_eq!(
        tilejson["attribution"],
        "Town &amp; &lt;b&gt;Sons&lt;/b&gt;"
    );
    let bounds: Vec<f64> = numbers(&tilejson["bounds"]);
    for (found, expected) in bounds.iter().zip([2.30, 48.85, 2.35, 48.87]) {
        assert!((found - expected).abs() < 1e-6, "{bounds:?}");
    }
    let layers = tilejson["vector_layers"].as_array().expect("layers");
    assert_eq!(layers[0]["id"], "town");
    let fields = layers[0]["fields"].as_object().expect("fields");
    assert!(fields.values().all(Value::is_string));
    assert_eq!(tilejson["tilestats"]["layerCount"], 1);
    let levels = tilejson["maille"]["levels"].as_array().expect("levels");
    assert_eq!(levels[0]["name"], "quarter");
    assert_eq!(levels[1]["rows"], 2);
}

#[test]
fn items_sorted_paged_and_exact() {
    let village = Village::new();
    let server = Server::start(village.path());
    let page = server
        .get("/town/items?sortby=-turnout&limit=4&geometry=false")
        .json();
    assert_eq!(page["type"], "FeatureCollection");
    assert_eq!(page["numberMatched"], 10);
    assert_eq!(page["numberReturned"], 4);
    assert_eq!(
        keys(&page),
        ["04", "02", "06", "10"],
        "ties are ordered by key"
    );
    let first = &page["features"][0];
    assert_eq!(first["properties"]["name"], village::NAMES[3]);
    assert_eq!(first["geometry"], Value::Null);
    let turnout = page["features"][1]["properties"]["turnout"].as_f64();
    assert_eq!(turnout, Some(900.0 / 1200.0));

    // Following the links visits every row once; missing values come last either way.
    let mut seen: Vec<String> = Vec::new();
    let mut next = Some("/town/items?sortby=turnout&limit=3&geometry=false".to_owned());
    while let Some(path) = next {
        let page = server.get(&path).json();
        seen.extend(keys(&page));
        let link = page["links"][0]["href"].as_str();
        next = link.map(|href| href[href.find("/town").expect("ours")..].to_owned());
    }
    assert_eq!(
        seen,
        ["05", "01", "09", "03", "06", "10", "02", "04", "07", "08"]
    );

    let shape = &server.get("/town/items?limit=1").json()["features"][0]["geometry"];
    assert_eq!(shape["type"], "MultiPolygon");
    let ring = shape["coordinates"][0][0].as_array().expect("a ring");
    assert_eq!(ring.first(), ring.last());
    assert!(doubled_area(ring) > 0.0, "exteriors run counter-clockwise");
}

#[test]
fn csv_neutralises_formulas_and_keeps_numbers() {
    let village = Village::new();
    let server = Server::start(village.path());
    let reply = server.get("/town/items.csv?sortby=key");
    assert!(reply.header("content-type").starts_with("text/csv"));
    assert!(
        reply
            .header("content-disposition")
            .contains("town-quarter.csv")
    );
    let text = reply.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "key,name,registered,voters,turnout,winner,mark");
    assert_eq!(lines[3], "03,'=cmd|'/C calc'!A0,800,500,0.625,Bruno,1");
    assert_eq!(lines[4], "04,\"Saint-Louis, Nord\",1100,1100,1,Agnès,1");
    assert_eq!(
        lines[5],
        "05,<img src=x onerror=alert(1)>,1000,333,0.333,Bruno,1"
    );
    assert_eq!(lines[6], "06,\"Œuvre \"\"d'art\"\"\",700,490,0.7,Bruno,1");
    assert_eq!(lines[7], "07,L'Haÿ,950,,,,1", "missing is empty, never 0");
    assert_eq!(lines[9], "09,'-1+1,1300,650,0.5,Bruno,1");
    let whole = server.get("/town/items.geojson").json();
    assert_eq!(whole["features"].as_array().map(Vec::len), Some(10));
}

#[test]
fn cards_by_key_number_and_point() {
    let village = Village::new();
    let server = Server::start(village.path());
    let card = server.get("/town/items/03").json();
    assert_eq!(card["type"], "Feature");
    assert_eq!(card["id"], 3);
    assert_eq!(card["properties"]["key"], "03");
    assert_eq!(card["properties"]["registered"], 800);
    // A number where no key is spelt so; a key of the coarser level; the level pinned.
    assert_eq!(
        server.get("/town/items/3").json()["properties"]["key"],
        "03"
    );
    assert_eq!(
        server.get("/town/items/S").json()["properties"]["name"],
        "Sud"
    );
    assert_eq!(server.get("/town/items/S?level=quarter").status, 404);
    assert_eq!(server.get("/town/items/nobody").status, 404);

    let at = |query: &str| server.get(&format!("/town/at?{query}"));
    assert_eq!(at("lon=2.305&lat=48.865").json()["properties"]["key"], "01");
    assert_eq!(
        at("lon=2.3215&lat=48.8515").json()["properties"]["key"],
        "08"
    );
    assert_eq!(at("lon=2.325&lat=48.855").status, 404, "in the lake");
    let south = at("lon=2.305&lat=48.855&level=district").json();
    assert_eq!(south["properties"]["key"], "S");
    for bad in [
        "",
        "lon=2",
        "lon=x&lat=1",
        "lon=181&lat=0",
        "lon=0&lat=90",
        "lon=nan&lat=1",
    ] {
        let reply = at(bad);
        assert_eq!(reply.status, 400, "{bad}");
        assert!(reply.json()["parameter"].is_string());
    }
}

#[test]
fn conditional_requests_and_codings() {
    let village = Village::new();
    let server = Server::start(village.path());
    let version = server.version();
    for path in [
        "/catalog",
        "/town",
        "/town/items",
        "/town/items.csv",
        "/town/queryables",
        "/",
    ] {
        let mut tags = Vec::new();
        for coding in ["identity", "gzip", "zstd"] {
            let accept = ("Accept-Encoding", coding);
            let full = server.get_with(path, &[accept]);
            assert_eq!(full.status, 200, "{path}");
            let tag = full.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
            let small = full.header("content-encoding").is_empty();
            assert!(
                small || !tags.contains(&tag),
                "{path}: one tag for two codings"
            );
            for held in [
                tag.clone(),
                format!("W/{tag}"),
                "*".into(),
                format!("\"x\", {tag}"),
            ] {
                let again = server.get_with(path, &[accept, ("If-None-Match", &held)]);
                assert_eq!(again.status, 304, "{path} {held}");
                for name in ["etag", "cache-control", "vary"] {
                    assert_eq!(again.header(name), full.header(name), "{path}: {name}");
                }
            }
            let other = server.get_with(path, &[accept, ("If-None-Match", "\"other\"")]);
            assert_eq!(other.status, 200);
            tags.push(tag);
        }
        if path.contains("town") {
            let named = server.get(&format!("{path}?v={version}"));
            assert!(
                named.header("cache-control").contains("immutable"),
                "{path}"
            );
            let stale = server.get(&format!("{path}?v=other"));
            assert!(
                stale.header("cache-control").contains("max-age=60"),
                "{path}"
            );
        }
    }
}

#[test]
fn every_answer_carries_the_common_headers() {
    let village = Village::new();
    let server = Server::start(village.path());
    for (method, path, status) in [
        ("GET", "/health", 200),
        ("HEAD", "/town", 200),
        ("OPTIONS", "/town", 204),
        ("OPTIONS", "/nothing/at/all", 204),
        ("GET", "/nothing", 404),
        ("GET", "/town/items?level=none", 400),
        ("PUT", "/town", 405),
        ("DELETE", "/health", 405),
    ] {
        let reply = server.connect().request(method, path, &[]);
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert!(
            reply
                .header("access-control-expose-headers")
                .contains("ETag")
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("x-request-id").len(), 16);
        if status >= 400 {
            assert_eq!(reply.header("content-type"), "application/problem+json");
            let problem = reply.json();
            assert_eq!(problem["status"], status);
            for member in ["type", "title", "detail", "instance"] {
                assert!(problem[member].is_string(), "{member} in {problem}");
            }
        }
    }
}

#[test]
fn head_is_get_without_the_body() {
    let village = Village::new();
    let server = Server::start(village.path());
    for path in [
        "/",
        "/catalog",
        "/town",
        "/town/items.csv",
        "/town/queryables",
        "/nothing",
        "/ready",
        "/town/14/0/0",
    ] {
        let mut connection = server.connect();
        let get = connection.get(path);
        let head = connection.request("HEAD", path, &[]);
        assert_eq!(get.status, head.status);
        let kept = |reply: &e2e::wire::Reply| {
            let varying = ["date", "x-request-id"];
            let mut headers = reply.headers.clone();
            headers.retain(|(name, _)| !varying.contains(&name.as_str()));
            headers
        };
        assert_eq!(kept(&get), kept(&head), "{path}");
        assert!(head.body.is_empty());
    }
}

#[test]
fn metrics_have_fixed_labels() {
    let village = Village::new();
    let server = Server::start(village.path());
    for i in 0..30 {
        server.get(&format!("/canary{i}"));
        server.get(&format!("/town/items?canary{i}=1&limit=1"));
    }
    let text = server.get("/metrics").text();
    assert!(!text.contains("canary"));
    assert!(text.contains("maille_requests_total{route=\"/{layer}/items\",status=\"200\"} 30"));
    assert!(text.contains("maille_ready 1"));
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_f64).collect()
}

fn keys(page: &Value) -> Vec<String> {
    let features = page["features"].as_array().into_iter().flatten();
    let keys = features.filter_map(|f| f["properties"]["key"].as_str());
    keys.map(str::to_owned).collect()
}

fn doubled_area(ring: &[Value]) -> f64 {
    let points: Vec<Vec<f64>> = ring.iter().map(numbers).collect();
    points
        .windows(2)
        .map(|p| p[0][0] * p[1][1] - p[1][0] * p[0][1])
        .sum()
}
