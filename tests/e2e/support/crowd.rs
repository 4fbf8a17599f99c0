//! The made-up town with made-up contacts of two tenants, keys to it, and addresses.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Town, binary, precompute};

/// Support levels; the empty one is missing.
pub const SUPPORT: [&str; 4] = ["", "1", "2", "3"];
pub const AGES: [&str; 3] = ["old", "young", ""];

/// A person of the file.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub lon: f64,
    pub lat: f64,
    pub support: &'static str,
    pub age: &'static str,
}

/// A town whose people have been asked.
#[derive(Debug)]
pub struct Crowd {
    pub town: Town,
    /// In the file of `supporters`, each once.
    pub people: Vec<Person>,
}

/// Numbers that look random and are the same every time.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("small")]
    }

    /// Between 0 and 1, in a thousand-thousand steps.
    pub fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(1_000_000)).expect("small")) / 1e6
    }
}

/// A new key in the file `keys`.
pub fn add_key(keys: &str, name: &str, tenant: &str, role: &str) -> String {
    let mut command = Command::new(binary("tileserver"));
    command.args(["keys", "add", "--keys", keys, "--tenant", tenant]);
    command.args(["--role", role, "--name", name]);
    let added = command.output().expect("tileserver starts");
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );
    String::from_utf8(added.stdout)
        .expect("UTF-8")
        .trim()
        .to_owned()
}

impl Crowd {
    /// Of `count` people of tenant `red`, and ten of tenant `blue`.
    pub fn new(count: usize) -> Self {
        let mut dice = Dice(7);
        let person = |i: usize| Person {
            id: format!("P-{i}"),
            // Beside the town too: its square is from -73.6 to -73.55 and 45.5 to 45.52.
            lon: -73.61 + 0.07 * dice.share(),
            lat: 45.495 + 0.03 * dice.share(),
            support: dice.pick(&SUPPORT),
            age: dice.pick(&AGES),
        };
        let people: Vec<Person> = (0..count).map(person).collect();
        let crowd = Self {
            town: Town::new(),
            people,
        };
        crowd.write();
        crowd
    }

    /// Writes the files of contacts as `people` now are, and the project that names them.
    pub fn write(&self) {
        let mut csv = "id,full_name,lon,lat,support,age\n".to_owned();
        for p in &self.people {
            let line = format!(
                "{},Canary {},{:.7},{:.7},{},{}",
                p.id, p.id, p.lon, p.lat, p.support, p.age
            );
            writeln!(csv, "{line}").expect("text takes text");
        }
        // Rows that are no contact, one of each kind.
        let odd = "P-0,Again,-73.58,45.51,1,old\nodd-1,Nowhere,,,1,old\nodd-2,Null,0,0,1,old\n,Nobody,-73.58,45.51,1,old\n";
        csv.push_str(odd);
        fs::write(self.town.path().join("supporters.csv"), csv).expect("written");
        let mut blue = "id,lon,lat\n".to_owned();
        for i in 0..10 {
            writeln!(blue, "B-{i},-73.57,45.51").expect("text takes text");
        }
        fs::write(self.town.path().join("volunteers.csv"), blue).expect("written");
        let mut addresses = "lon,lat\n".to_owned();
        let mut dice = Dice(11);
        for _ in 0..4000 {
            let (lon, lat) = (-73.61 + 0.07 * dice.share(), 45.495 + 0.03 * dice.share());
            writeln!(addresses, "{lon:.6},{lat:.6}").expect("text takes text");
        }
        fs::write(self.town.path().join("addresses.csv"), addresses).expect("written");
        let project = fs::read_to_string(self.town.path().join("town.toml")).expect("written");
        if !project.contains("[[contacts]]") {
            fs::write(self.town.path().join("town.toml"), project + CONTACTS).expect("written");
        }
    }

    pub fn build(&self) {
        let built = self.town.build(&[]);
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
    }

    pub fn dataset(&self) -> PathBuf {
        self.town.path().join("out")
    }

    /// Where the keys are.
    pub fn keys(&self) -> String {
        self.town.file("keys.toml")
    }

    /// A new key.
    pub fn add_key(&self, name: &str, tenant: &str, role: &str) -> String {
        add_key(&self.keys(), name, tenant, role)
    }

    /// Runs a verb of `precompute` over the town.
    pub fn verb(&self, verb: &str, args: &[&str]) -> std::process::Output {
        let (project, out) = (self.town.file("town.toml"), self.town.file("out"));
        precompute(&[&[verb, &*project, "--out", &*out], args].concat())
    }
}

const CONTACTS: &str = r#"
[[contacts]]
name = "supporters"
title = { en = "Supporters", fr = "Sympathisants" }
tenant = "red"
path = "supporters.csv"
id = "id"
lon = "lon"
lat = "lat"
dimensions = { support = "cast(support as integer)", age = "age" }

  [contacts.release]
  addresses = { path = "addresses.csv", lon = "lon", lat = "lat" }
  dimensions = { support = ["1", "2", "3"], age = ["old", "young"] }
  cubes = [["support", "age"]]

[[contacts]]
name = "volunteers"
tenant = "blue"
path = "volunteers.csv"
id = "id"
lon = "lon"
lat = "lat"
"#;
