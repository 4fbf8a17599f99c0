//! Contacts from the file to the map: who sees them, how many they are, how they are forgotten.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use e2e::crowd::{AGES, Crowd, Dice, Person, SUPPORT};
use e2e::mvt::decode;
use e2e::wire::{Connection, Reply};
use e2e::{Server, precompute};
use serde_json::Value;
use tilecore::mercator::grid_from_degrees;

fn serve(crowd: &Crowd) -> Server {
    Server::start_with(&crowd.dataset(), &["--keys", &crowd.keys()])
}

fn get_as(connection: &mut Connection, path: &str, key: &str) -> Reply {
    let bearer = format!("Bearer {key}");
    connection.request("GET", path, &[("Authorization", &bearer)])
}

#[test]
fn every_row_of_the_file_is_accounted_for() {
    let crowd = Crowd::new(200);
    let report = crowd.town.report();
    let set = &report["contacts"][0];
    assert_eq!(set["rows"], 204);
    assert_eq!(set["contacts"], 200);
    let left_out = serde_json::json!({
        "coordinates_zero": 1, "duplicate_person": 1, "no_coordinates": 1, "no_id": 1
    });
    assert_eq!(set["left_out"], left_out);
    // Nothing of a person is in the dataset but places and classes.
    for entry in walk(&crowd.dataset()) {
        let bytes = fs::read(&entry).expect("readable");
        let has = |needle: &str| bytes.windows(needle.len()).any(|w| w == needle.as_bytes());
        assert!(!has("Canary") && !has("P-1"), "{}", entry.display());
    }
}

#[test]
fn the_forgotten_stay_forgotten() {
    let crowd = Crowd::new(100);
    crowd.build();
    // As an editor on Windows writes it.
    let ids = "\u{feff}P-3\r\nP-4\r\n\r\nunknown\r\n";
    fs::write(crowd.town.path().join("ids.txt"), ids).expect("written");
    let forget = crowd.verb(
        "forget",
        &[
            "--contacts",
            "supporters",
            "--ids",
            &crowd.town.file("ids.txt"),
            "--json",
        ],
    );
    assert!(
        forget.status.success(),
        "{}",
        String::from_utf8_lossy(&forget.stderr)
    );
    let told: Value = serde_json::from_slice(&forget.stdout).expect("JSON");
    assert_eq!(told["contacts"]["contacts"], 98);
    assert_eq!(told["contacts"]["left_out"]["forgotten"], 2);
    assert_eq!(told["unknown_lines"], serde_json::json!([4]));
    assert_eq!(crowd.town.version().as_deref(), told["version"].as_str());
    let versions = fs::read_dir(crowd.dataset().join("versions")).expect("there");
    assert_eq!(versions.count(), 1, "older versions still hold them");
    let inspected = precompute(&["inspect", &crowd.town.file("out"), "--json"]);
    let found: Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
    assert_eq!(found["faults"], Value::Array(Vec::new()));
    assert_eq!(found["manifest"]["contacts"][0]["contacts"], 98);
    assert_eq!(found["manifest"]["layers"][0]["levels"][0]["rows"], 10);
    // A later build of the same file does not bring them back.
    let built = crowd.town.build(&["--json"]);
    let report: Value = serde_json::from_slice(&built.stdout).expect("JSON");
    assert_eq!(report["contacts"][0]["contacts"], 98);
    let nobody = crowd.verb(
        "forget",
        &["--contacts", "others", "--ids", &crowd.town.file("ids.txt")],
    );
    assert_eq!(nobody.status.code(), Some(1));

    // Nor does one in which their set has another name.
    let path = crowd.town.path().join("town.toml");
    let project = fs::read_to_string(&path).expect("written");
    let renamed = project.replace("name = \"supporters\"", "name = \"people\"");
    fs::write(&path, renamed).expect("written");
    let before = crowd.town.version();
    for failed in [
        crowd.town.build(&[]),
        crowd.verb("release", &["--contacts", "people"]),
    ] {
        let told = String::from_utf8_lossy(&failed.stderr);
        assert_eq!(failed.status.code(), Some(1), "{told}");
        let expected = "contacts people: 2 of its ids were forgotten in \"supporters\"";
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(crowd.town.version(), before);
    // As the message says.
    let list = crowd.dataset().join("forgotten.json");
    let lists = fs::read_to_string(&list).expect("written");
    fs::write(&list, lists.replace("\"supporters\"", "\"people\"")).expect("written");
    let built = crowd.town.build(&["--json"]);
    let report: Value = serde_json::from_slice(&built.stdout).expect("JSON");
    assert_eq!(report["contacts"][0]["name"], "people");
    assert_eq!(report["contacts"][0]["contacts"], 98);
}

#[test]
fn a_set_is_called_by_its_title() {
    let crowd = Crowd::new(40);
    crowd.build();
    let red = crowd.add_key("red staff", "red", "inside");
    let blue = crowd.add_key("blue staff", "blue", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    let seen = get_as(&mut c, "/density/supporters", &red).json();
    let titles = serde_json::json!({ "en": "Supporters", "fr": "Sympathisants" });
    let titled = get_as(&mut c, "/catalog", &red).json();
    assert_eq!(titled["density"]["supporters"]["title"], titles);
    assert_eq!(seen["maille"]["title"], titles);
    assert_eq!(seen["name"], "Supporters");
    let style = get_as(&mut c, "/styles/density/style.json", &red).json();
    assert_eq!(style["name"], "Supporters");
    // Without a title the name stands for it.
    assert_eq!(
        get_as(&mut c, "/density/volunteers", &blue).json()["name"],
        "volunteers"
    );
}

#[test]
fn contacts_are_seen_by_their_tenant_alone() {
    let crowd = Crowd::new(300);
    crowd.build();
    let red = crowd.add_key("red staff", "red", "inside");
    let red_outside = crowd.add_key("red guests", "red", "outside");
    let blue = crowd.add_key("blue staff", "blue", "inside");
    let mut server = serve(&crowd);
    let mut c = server.connect();
    let path = "/density/supporters";
    let absent = c.request("GET", "/density/nothing", &[]);
    assert_eq!(absent.status, 404);
    for key in [&red_outside, &blue] {
        let reply = get_as(&mut c, path, key);
        assert_eq!(reply.status, 404);
        let mut problem = reply.json();
        problem["instance"] = absent.json()["instance"].clone();
        assert_eq!(problem, absent.json(), "absent and forbidden are one");
        assert_eq!(
            get_as(&mut c, &format!("{path}/12/1211/1465"), key).status,
            404
        );
        assert_eq!(
            get_as(&mut c, &format!("{path}/queryables"), key).status,
            404
        );
    }
    assert_eq!(c.request("GET", path, &[]).status, 404);
    let seen = get_as(&mut c, path, &red);
    assert_eq!(seen.status, 200);
    assert!(
        seen.header("cache-control").starts_with("private"),
        "{seen:?}"
    );
    assert!(
        seen.headers
            .iter()
            .any(|(n, v)| n.eq_ignore_ascii_case("vary") && v == "Authorization")
    );
    assert_eq!(seen.json()["maille"]["contacts"], 300);
    assert_eq!(
        get_as(&mut c, "/density/volunteers", &blue).json()["maille"]["matched"],
        10
    );
    let listed = |key: &str, c: &mut Connection| {
        let catalog = get_as(c, "/catalog", key).json();
        let sets = catalog["density"].as_object().expect("an object").keys();
        sets.cloned().collect::<Vec<_>>()
    };
    assert_eq!(listed(&red, &mut c), ["supporters"]);
    assert_eq!(listed(&blue, &mut c), ["volunteers"]);
    assert_eq!(
        c.request("GET", "/catalog", &[]).json()["density"],
        serde_json::json!({})
    );
    // Another's tag is none of ours; a wrong key is refused, not taken for the public.
    let tile = "/density/supporters/6/18/22";
    let etag = get_as(&mut c, tile, &red).header("etag").to_owned();
    let bearer = format!("Bearer {blue}");
    let headers = [("Authorization", &*bearer), ("If-None-Match", &*etag)];
    assert_eq!(c.request("GET", tile, &headers).status, 404);
    for wrong in ["maille_", "maille_00", "x.y.z", "", "maille_\u{e9}"] {
        assert_eq!(get_as(&mut c, "/town", wrong).status, 401, "{wrong}");
    }
    let two = [("Authorization", &*bearer), ("Authorization", &*bearer)];
    assert_eq!(c.request("GET", "/town", &two).status, 401);
    assert_eq!(
        c.request("GET", &format!("/density/supporters?key={red}"), &[])
            .status,
        404
    );
    // Reads inside are noted, without keys, filters in clear, or persons.
    let filtered = get_as(&mut c, &format!("{tile}?filter=support%3D'3'"), &red);
    assert_eq!(filtered.status, 200);
    let audit = fs::read_to_string(format!("{}.audit.jsonl", crowd.keys())).expect("there");
    let last: Value = serde_json::from_str(audit.lines().last().expect("lines")).expect("JSON");
    assert_eq!(last["who"], "red staff");
    assert_eq!(last["contacts"], "supporters");
    assert_eq!(last["what"], "6/18/22");
    assert!(!audit.contains(&red) && !audit.contains("support="));

    // A revoked key is dead within a second, reload by reload.
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let start = text.find("name = \"red staff\"").expect("the key");
    let block = text[..start].rfind("[[key]]").expect("its block");
    let end = text[start..].find("[[key]]").expect("others follow") + start;
    fs::write(crowd.keys(), format!("{}{}", &text[..block], &text[end..])).expect("written");
    server.signal("HUP");
    let until = Instant::now() + Duration::from_secs(1);
    while get_as(&mut c, path, &red).status != 401 {
        assert!(Instant::now() < until, "still alive");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(get_as(&mut c, "/density/volunteers", &blue).status, 200);
    // A file in doubt opens nothing, and the public loses nothing.
    server.expect_in_log("keys file refused");
    fs::write(crowd.keys(), "secret = 1").expect("written");
    server.signal("HUP");
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(get_as(&mut c, "/density/volunteers", &blue).status, 401);
    assert_eq!(c.request("GET", "/town", &[]).status, 200);
}

#[test]
fn a_policy_hides_and_narrows() {
    let crowd = Crowd::new(50);
    crowd.build();
    let narrow = crowd.add_key("narrow", "red", "inside");
    let text = fs::read_to_string(crowd.keys()).expect("there");
    let policy = "hidden = [\"turnout\"]\nfilter = \"key LIKE '1%'\"\n";
    fs::write(
        crowd.keys(),
        format!("{text}{policy}\n[public]\nlayers = []\n"),
    )
    .expect("written");
    let server = serve(&crowd);
    let mut c = server.connect();
    // The public sees no layer at all.
    for path in [
        "/town",
        "/town/12/1211/1465",
        "/town/items",
        "/town/stats?property=winner",
        "/town/at?lon=-73.58&lat=45.51",
    ] {
        assert_eq!(c.request("GET", path, &[]).status, 404, "{path}");
    }
    assert_eq!(
        c.request("GET", "/catalog", &[]).json()["tiles"],
        serde_json::json!({})
    );
    let mut ask = |path: &str| get_as(&mut c, path, &narrow);
    // Half of the districts, whatever is asked.
    assert_eq!(ask("/town").json()["maille"]["levels"][0]["rows"], 5);
    assert_eq!(ask("/town/items?geometry=false").json()["numberMatched"], 5);
    let wide = "/town/items?geometry=false&filter=registered%3E0%20OR%20key%3D'21'";
    assert_eq!(ask(wide).json()["numberMatched"], 5);
    assert_eq!(ask("/town/items/12").status, 200);
    assert_eq!(ask("/town/items/22").status, 404);
    assert_eq!(ask("/town/at?lon=-73.575&lat=45.505").status, 200);
    assert_eq!(ask("/town/at?lon=-73.575&lat=45.515").status, 404);
    // A search for what is beyond finds what is within and resembles it, if anything.
    let found = ask("/town/search?q=District%2022").json();
    let found = found["results"].as_array().expect("a list").iter();
    assert_eq!(found.filter(|area| area["key"] != "12").count(), 0);
    assert_eq!(ask("/town/stats?property=registered").json()["count"], 5);
    // The coarser level has one borough of two.
    assert_eq!(
        ask("/town/items?level=borough&geometry=false").json()["numberMatched"],
        1
    );
    let shown: usize = [
        "12/1210/1465",
        "12/1211/1465",
        "12/1210/1464",
        "12/1211/1464",
    ]
    .iter()
    .map(|tile| ask(&format!("/town/{tile}")))
    .filter(|reply| reply.status == 200)
    .flat_map(|reply| decode(&reply.plain()))
    .flat_map(|layer| layer.features)
    .map(|feature| feature.id)
    .collect::<std::collections::BTreeSet<u64>>()
    .len();
    assert_eq!(shown, 5);
    // What is hidden is as if it were not there.
    let hidden = ask("/town/stats?property=turnout");
    let unknown = ask("/town/stats?property=nothing");
    assert_eq!((hidden.status, unknown.status), (400, 400));
    assert_eq!(ask("/town/items?filter=turnout%3E0").status, 400);
    assert_eq!(ask("/town/items?sortby=turnout").status, 400);
    assert!(!ask("/town").text().contains("turnout"));
    assert!(!ask("/town/items/12").text().contains("turnout"));
    assert!(!ask("/town/queryables").text().contains("turnout"));
    assert!(!ask("/town/items.csv").text().contains("turnout"));
    // A territory that contacts cannot be asked about leaves none.
    assert_eq!(ask("/density/supporters").status, 404);
}

#[test]
fn tiles_of_every_zoom_count_the_contacts_that_pass() {
    let crowd = Crowd::new(3000);
    crowd.build();
    let key = crowd.add_key("red staff", "red", "inside");
    let server = serve(&crowd);
    let mut c = server.connect();
    let mut dice = Dice(3);
    for round in 0..500 {
        let (text, passes) = filter(&mut dice);
        // Two zooms each; the finer the fewer tiles are asked for, all of them in the end.
        for z in [round % 19, (round * 7 + 5) % 15] {
            let z = u8::try_from(z).expect("small");
            let expected = cells(&crowd.people, &*passes, z);
            let tiles: std::collections::BTreeSet<(u32, u32)> = crowd
                .people
                .iter()
                .map(|person| tile_of(person, z))
                .collect();
            let asked: Vec<(u32, u32)> = if z < 15 {
                tiles.into_iter().collect()
            } else {
                let some = (0..30).map(|_| {
                    tile_of(
                        &crowd.people[usize::try_from(dice.below(3000)).expect("small")],
                        z,
                    )
                });
                some.collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect()
            };
            let encoded: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
            let mut found = BTreeMap::new();
            for (x, y) in &asked {
                let path = format!("/density/supporters/{z}/{x}/{y}?filter={encoded}");
                let reply = get_as(&mut c, &path, &key);
                assert!(matches!(reply.status, 200 | 204), "{} {text}", reply.text());
                for feature in decode(&reply.plain())
                    .into_iter()
                    .flat_map(|layer| layer.features)
                {
                    for place in feature.rings.iter().flatten() {
                        let count = feature.properties["count"].as_u64().expect("a count");
                        let cell = (
                            u32::try_from(place.0 / 32).expect("inside"),
                            u32::try_from(place.1 / 32).expect("inside"),
                        );
                        let twice = found.insert((x * 128 + cell.0, y * 128 + cell.1), count);
                        assert_eq!(twice, None, "a cell is told once");
                    }
                }
            }
            let here: BTreeMap<(u32, u32), u64> = expected
                .into_iter()
                .filter(|((x, y), _)| asked.contains(&(x / 128, y / 128)))
                .collect();
            assert_eq!(found, here, "zoom {z}, {text}");
            if z < 15 {
                let passing = crowd.people.iter().filter(|person| passes(person)).count();
                assert_eq!(
                    found.values().sum::<u64>(),
                    passing as u64,
                    "zoom {z}, {text}"
                );
            }
        }
    }
    let described = get_as(&mut c, "/density/supporters?filter=age%3D'old'", &key).json();
    for z in [0_u8, 9, 14, 18] {
        let counts = cells(&crowd.people, &|p: &Person| p.age == "old", z);
        let range = [counts.values().min(), counts.values().max()].map(|n| *n.expect("some"));
        assert_eq!(
            described["maille"]["ranges"][z.to_string()],
            serde_json::json!(range)
        );
    }
    let squares = get_as(&mut c, "/density/supporters/6/18/22?grid=square", &key);
    let squares = decode(&squares.plain());
    assert_eq!(squares[0].features[0].rings[0].len(), 4);
    assert_eq!(
        get_as(&mut c, "/density/supporters?filter=full_name%3D'x'", &key).status,
        400
    );
}

type Passes = Box<dyn Fn(&Person) -> bool>;

/// A condition of up to three comparisons, as text and as code; unknown does not pass.
fn filter(dice: &mut Dice) -> (String, Passes) {
    let (mut text, mut passes) = comparison(dice);
    for _ in 0..dice.below(3) {
        let (more, also) = comparison(dice);
        let both = dice.below(2) == 0;
        text = format!("({text}) {} ({more})", if both { "AND" } else { "OR" });
        let before = passes;
        passes = Box::new(move |p| {
            if both {
                before(p) && also(p)
            } else {
                before(p) || also(p)
            }
        });
    }
    (text, passes)
}

fn comparison(dice: &mut Dice) -> (String, Passes) {
    let support = dice.pick(&SUPPORT[1..]);
    let age = dice.pick(&AGES[..2]);
    match dice.below(6) {
        0 => (
            format!("support = '{support}'"),
            Box::new(move |p| p.support == support),
        ),
        1 => (
            format!("support <> '{support}'"),
            Box::new(move |p| !p.support.is_empty() && p.support != support),
        ),
        2 => (format!("age = '{age}'"), Box::new(move |p| p.age == age)),
        3 => ("age IS NULL".into(), Box::new(|p| p.age.is_empty())),
        4 => (
            format!("support >= '{support}'"),
            Box::new(move |p| !p.support.is_empty() && p.support >= support),
        ),
        _ => (
            "NOT (age IN ('old', 'none'))".into(),
            Box::new(|p| p.age == "young"),
        ),
    }
}

/// Counts by cell of a zoom's grid over the world: a scan that knows nothing of keys or ranks.
fn cells(people: &[Person], passes: &dyn Fn(&Person) -> bool, z: u8) -> BTreeMap<(u32, u32), u64> {
    let mut counts = BTreeMap::new();
    for person in people.iter().filter(|person| passes(person)) {
        *counts.entry(place_of(person, z + 7)).or_default() += 1;
    }
    counts
}

fn tile_of(person: &Person, z: u8) -> (u32, u32) {
    place_of(person, z)
}

/// Column and row at a zoom, from the file's seven decimals.
fn place_of(person: &Person, z: u8) -> (u32, u32) {
    let written = |v: f64| format!("{v:.7}").parse::<f64>().expect("a number");
    let p = grid_from_degrees(written(person.lon), written(person.lat));
    (
        p.x.cast_unsigned() >> (30 - z),
        p.y.cast_unsigned() >> (30 - z),
    )
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
