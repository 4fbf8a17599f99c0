//! An attack on the public tier over HTTP, by an attacker who knows everybody but one person a
//! cell, and the same attack on the inside tier, where it must succeed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use e2e::crowd::Dice;
use e2e::mvt::decode;
use e2e::wire::Connection;
use e2e::{Server, binary, precompute};
use serde_json::Value;
use tempfile::TempDir;
use tilecore::geometry::GridPoint;
use tilecore::mercator::degrees_from_grid;

/// Cells along each edge of the square that is attacked: one trial a cell.
const EDGE: u32 = 46;
const TRIALS: u32 = EDGE * EDGE;

/// Column and row of the first cell at zoom 17, and its tile at zoom 10.
const FIRST: (u32, u32) = (66_432, 45_184);

/// Known contacts of a cell, of each answer: enough that nothing is hidden from the attacker.
const KNOWN: u64 = 40;

/// Cells far from the square, with addresses and one contact each; noise may show one of them.
const LONELY: [Cell; 5] = [
    (68_000, 46_000),
    (68_010, 46_000),
    (68_020, 46_000),
    (68_030, 46_000),
    (68_040, 46_000),
];

type Cell = (u32, u32);

struct World {
    directory: TempDir,
    /// The cells whose one unknown person is in the file, as "favorable".
    present: BTreeMap<Cell, bool>,
    key: String,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut dice = Dice(99);
        let (mut contacts, mut addresses) =
            ("id,lon,lat,support\n".to_owned(), "lon,lat\n".to_owned());
        let mut present = BTreeMap::new();
        let mut id = 0;
        let mut person = |out: &mut String, cell: Cell, support: &str| {
            id += 1;
            let (lon, lat) = middle(cell);
            writeln!(out, "canary-{id},{lon:.7},{lat:.7},{support}").expect("text takes text");
        };
        for i in 0..TRIALS {
            let cell = (FIRST.0 + i % EDGE, FIRST.1 + i / EDGE);
            for _ in 0..KNOWN {
                person(&mut contacts, cell, "favorable");
                person(&mut contacts, cell, "against");
            }
            let is_there = dice.below(2) == 1;
            if is_there {
                person(&mut contacts, cell, "favorable");
            }
            present.insert(cell, is_there);
            add_addresses(&mut addresses, cell);
        }
        for cell in LONELY {
            person(&mut contacts, cell, "favorable");
            add_addresses(&mut addresses, cell);
        }
        fs::write(directory.path().join("contacts.csv"), contacts).expect("written");
        fs::write(directory.path().join("addresses.csv"), addresses).expect("written");
        fs::write(directory.path().join("maille.toml"), PROJECT).expect("written");
        let mut world = Self {
            directory,
            present,
            key: String::new(),
        };
        world.run(&["build"], &[]);
        world.run(&["release"], &["--contacts", "supporters"]);
        let keys = world.file("keys.toml");
        let mut command = std::process::Command::new(binary("tileserver"));
        command.args([
            "keys", "add", "--keys", &keys, "--tenant", "red", "--role", "inside",
        ]);
        let added = command
            .args(["--name", "staff"])
            .output()
            .expect("tileserver starts");
        let key = String::from_utf8(added.stdout).expect("UTF-8");
        key.trim().clone_into(&mut world.key);
        world
    }

    fn file(&self, name: &str) -> String {
        let path = self.directory.path().join(name);
        path.to_str().expect("a UTF-8 path").to_owned()
    }

    fn run(&self, verb: &[&str], more: &[&str]) {
        let (project, out) = (self.file("maille.toml"), self.file("out"));
        let done = precompute(&[verb, &[&project, "--out", &out], more].concat());
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn serve(&self) -> Server {
        let out = self.directory.path().join("out");
        Server::start_with(&out, &["--keys", &self.file("keys.toml")])
    }

    /// The share of trials in which a guess by `is_there` is right.
    fn accuracy(&self, is_there: impl Fn(Cell) -> bool) -> f64 {
        let right = self
            .present
            .iter()
            .filter(|(cell, there)| is_there(**cell) == **there);
        f64::from(u32::try_from(right.count()).expect("small")) / f64::from(TRIALS)
    }
}

fn add_addresses(out: &mut String, cell: Cell) {
    let (lon, lat) = middle(cell);
    for _ in 0..12 {
        writeln!(out, "{lon:.7},{lat:.7}").expect("text takes text");
    }
}

/// The middle of a cell of zoom 17, in degrees.
fn middle((x, y): Cell) -> (f64, f64) {
    let at = |v: u32| (v << 13).cast_signed() + (1 << 12);
    degrees_from_grid(GridPoint { x: at(x), y: at(y) })
}

/// Counts by cell of zoom 17, read off tiles of a zoom whose grid is as fine or finer.
fn counts(c: &mut Connection, z: u8, filter: &str, key: Option<&str>) -> BTreeMap<Cell, u64> {
    let shift = 17 - u32::from(z);
    let tiles: std::collections::BTreeSet<Cell> = (0..TRIALS)
        .map(|i| ((FIRST.0 + i % EDGE) >> shift, (FIRST.1 + i / EDGE) >> shift))
        .collect();
    let mut found = BTreeMap::new();
    for (x, y) in tiles {
        let path = format!("/density/supporters/{z}/{x}/{y}?filter={filter}");
        let bearer = key.map(|key| format!("Bearer {key}"));
        let headers: Vec<(&str, &str)> = bearer
            .iter()
            .map(|b| ("Authorization", b.as_str()))
            .collect();
        let reply = c.request("GET", &path, &headers);
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text());
        for feature in decode(&reply.plain())
            .into_iter()
            .flat_map(|layer| layer.features)
        {
            let count = feature.properties["count"].as_u64().expect("a count");
            for (px, py) in feature.rings.iter().flatten() {
                // 4096 units a tile are 2^shift cells.
                let cell = |tile: u32, at: i64| {
                    (tile << shift) + (u32::try_from(at).expect("inside") >> (12 - shift))
                };
                *found.entry((cell(x, *px), cell(y, *py))).or_default() += count;
            }
        }
    }
    found
}

#[test]
fn the_public_learns_no_more_of_a_person_than_the_budget_allows() {
    let world = World::new();
    let server = world.serve();
    let mut c = server.connect();
    let favorable = "support%3D'favorable'";

    // Inside the attack succeeds: it is sound.
    let exact = counts(&mut c, 10, favorable, Some(&world.key));
    assert!(world.accuracy(|cell| exact[&cell] > KNOWN) >= 0.95);
    let all = counts(&mut c, 10, "", Some(&world.key));
    assert!(world.accuracy(|cell| all[&cell] > 2 * KNOWN) >= 0.95);

    // Outside it stays below the bound, e^ε / (1 + e^ε) and three standard errors.
    let epsilon = 0.5_f64;
    let bound = epsilon.exp() / (1.0 + epsilon.exp()) + 3.0 * (0.25 / f64::from(TRIALS)).sqrt();
    let told = counts(&mut c, 10, favorable, None);
    let of = |counts: &BTreeMap<Cell, u64>, cell| counts.get(&cell).copied().unwrap_or(0);
    let direct = world.accuracy(|cell| of(&told, cell) > KNOWN);
    let everybody = counts(&mut c, 10, "", None);
    let against = counts(&mut c, 10, "support%3D'against'", None);
    let difference = |cell| of(&everybody, cell).saturating_sub(of(&against, cell));
    let filters = world.accuracy(|cell| difference(cell) > KNOWN);
    let union = counts(&mut c, 10, "support%20IN%20('favorable','against')", None);
    let padded = world.accuracy(|cell| of(&union, cell) > 2 * KNOWN);
    // Every zoom, averaged: they are one and the same number.
    let mut zooms: BTreeMap<Cell, u64> = BTreeMap::new();
    for z in [10, 11, 12, 13] {
        for (cell, count) in counts(&mut c, z, favorable, None) {
            *zooms.entry(cell).or_default() += count;
        }
    }
    let averaged = world.accuracy(|cell| of(&zooms, cell) > 4 * KNOWN);
    // Repetition with spellings that pad the query.
    let mut sum: BTreeMap<Cell, u64> = BTreeMap::new();
    for i in 0..40 {
        let padding = format!("{favorable}%20AND%20NOT(support%3D'x{i}')");
        for (cell, count) in counts(&mut c, 10, &padding, None) {
            *sum.entry(cell).or_default() += count;
        }
    }
    let repeated = world.accuracy(|cell| of(&sum, cell) > 40 * KNOWN);
    for (attack, accuracy) in [
        ("direct", direct),
        ("filters", filters),
        ("padded", padded),
        ("zooms", averaged),
        ("repeated", repeated),
    ] {
        assert!(accuracy <= bound, "{attack}: {accuracy:.3} over {bound:.3}");
    }
    // The best of them is near what ε allows: the attack is not merely weak.
    assert!(direct > 0.58, "{direct:.3}");
    // No zoom tells more cells than there are.
    assert_eq!(counts(&mut c, 13, "", None).len(), everybody.len());
    let finer = c.request("GET", "/density/supporters/18/0/0", &[]);
    assert_eq!(finer.status, 204);
}

#[test]
fn a_release_answers_the_same_for_ever_and_hides_without_a_trace() {
    let world = World::new();
    let path = format!("/density/supporters/10/{}/{}", FIRST.0 >> 7, FIRST.1 >> 7);
    let server = world.serve();
    let first = server.get(&path);
    assert_eq!(first.status, 200);
    let mut c = server.connect();
    for _ in 0..1000 {
        assert_eq!(c.request("GET", &path, &[]).body, first.body);
    }
    // One contact and none at all look alike.
    let mut lonely =
        |(x, y): Cell| c.request("GET", &format!("/density/supporters/17/{x}/{y}"), &[]);
    let hidden: Vec<_> = LONELY
        .map(&mut lonely)
        .into_iter()
        .filter(|reply| reply.status != 200)
        .collect();
    assert!(!hidden.is_empty());
    let empty = c.request("GET", "/density/supporters/17/3/5", &[]);
    let shape = |reply: &e2e::wire::Reply| {
        let headers = reply.headers.iter().map(|(n, v)| (n.clone(), v.len()));
        (reply.status, headers.collect::<Vec<_>>(), reply.body.len())
    };
    for reply in &hidden {
        assert_eq!(shape(reply), shape(&empty));
    }
    // Nothing that the public can ask for holds anything of a person.
    for path in [
        "/catalog",
        "/density/supporters",
        "/density/supporters/queryables",
        "/metrics",
        "/ready",
    ] {
        let text = c.request("GET", path, &[]).text();
        assert!(
            !text.contains("canary") && !text.contains("left_out"),
            "{path}: {text}"
        );
    }
    let described: Value = c.request("GET", "/density/supporters", &[]).json();
    assert_eq!(described["maille"]["tier"], "outside");
    let lonely_path = format!("/density/supporters/17/{}/{}", LONELY[0].0, LONELY[0].1);
    let lonely_before = server.get(&lonely_path);
    let log = server.whole_log();
    assert!(log.iter().all(|line| !line.contains("canary")));
    let server = world.serve();
    assert_eq!(server.get(&path).body, first.body, "after a restart");

    // A build does not touch it, nor one person more where few are; the budget allows one more of
    // the same and then no other.
    let contacts = fs::read_to_string(world.file("contacts.csv")).expect("there");
    let (lon, lat) = middle(LONELY[0]);
    let one_more = format!("{contacts}canary-more,{lon:.7},{lat:.7},favorable\n");
    fs::write(world.file("contacts.csv"), one_more).expect("written");
    world.run(&["build"], &[]);
    drop(server);
    let server = world.serve();
    assert_eq!(server.get(&path).body, first.body, "after a build");
    assert_eq!(server.get(&lonely_path).status, lonely_before.status);
    assert_eq!(server.get(&lonely_path).body, lonely_before.body);
    world.run(&["release"], &["--contacts", "supporters"]);
    let (project, out) = (world.file("maille.toml"), world.file("out"));
    let release = [
        "release",
        &*project,
        "--out",
        &*out,
        "--contacts",
        "supporters",
    ];
    let refused = precompute(&[&release[..], &["--epsilon", "0.1"]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("budget"));
    // Withdrawing is always possible, and leaves nothing to the public.
    world.run(&["release"], &["--contacts", "supporters", "--withdraw"]);
    drop(server);
    let server = world.serve();
    assert_eq!(server.get(&path).status, 404);
    assert_eq!(
        server.get("/catalog").json()["density"],
        serde_json::json!({})
    );
}

const PROJECT: &str = r#"
[dataset]
name = "attacked"

[[contacts]]
name = "supporters"
tenant = "red"
path = "contacts.csv"
id = "id"
lon = "lon"
lat = "lat"
dimensions = { support = "support" }

  [contacts.release]
  addresses = { path = "addresses.csv", lon = "lon", lat = "lat" }
  dimensions = { support = ["favorable", "against"] }
"#;
