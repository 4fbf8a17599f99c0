//! What every end-to-end test needs: the binaries, a small town to build, a smaller village as
//! a dataset, a running server, a plain HTTP client.

#![expect(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test fails by panicking"
)]

pub mod crowd;
pub mod mvt;
pub mod server;
pub mod squares;
pub mod village;
pub mod wire;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

pub use server::Server;
pub use squares::Squares;
pub use village::Village;

/// A binary of the workspace, built once for all tests, in the profile of the tests.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static BUILT: Mutex<bool> = Mutex::new(false);
    let test = std::env::current_exe().expect("a test is a file");
    let directory = test.ancestors().nth(2).expect("in target/<profile>/deps");
    let mut built = BUILT
        .lock()
        .expect("no test builds after one that failed to");
    if !*built {
        let mut build = Command::new(env!("CARGO"));
        // With tests, because these features are what the tests have just been built with.
        build.args([
            "build",
            "--quiet",
            "--locked",
            "--workspace",
            "--bins",
            "--tests",
        ]);
        if directory.ends_with("release") {
            build.arg("--release");
        }
        let status = build.current_dir(workspace()).status().expect("cargo runs");
        assert!(status.success(), "the programs do not build");
        *built = true;
    }
    directory.join(name)
}

/// The root of the workspace.
///
/// # Panics
/// Never: this package is in a directory of it.
#[must_use]
pub fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("the package is inside the workspace")
}

/// Runs `precompute` with these arguments.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn precompute(args: &[&str]) -> Output {
    let mut command = Command::new(binary("precompute"));
    command.args(args).output().expect("precompute starts")
}

/// A text as part of a query.
#[must_use]
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().fold(String::new(), |mut out, byte| {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A made-up town of ten districts in two boroughs, with the results of an election.
#[derive(Debug)]
pub struct Town {
    directory: tempfile::TempDir,
    /// In the order they are written.
    pub districts: Vec<District>,
    /// Lines of the table below its header, in the order they are written.
    pub lines: Vec<String>,
}

/// A district: a square of the grid with an uneven eastern side, shared with its neighbour.
#[derive(Debug, Clone)]
pub struct District {
    pub column: u32,
    pub row: u32,
}

impl District {
    /// Two digits, of which the first is the borough.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}{}", self.row + 1, self.column)
    }

    /// Longitude and latitude of a point of the grid.
    fn point(x: f64, y: f64) -> String {
        format!("[{:.6},{:.6}]", -73.6 + x * 0.01, 45.5 + y * 0.01)
    }

    fn feature(&self) -> String {
        let (x, y) = (f64::from(self.column), f64::from(self.row));
        // A side bulges out where the next one bulges in.
        let side = |x: f64, up: bool| {
            let mut points: Vec<String> = (0..=8)
                .map(|i| {
                    let t = f64::from(i) / 8.0;
                    let bulge = if x > 0.0 && x < 5.0 {
                        0.1 * (t * 9.0).sin() * t * (1.0 - t)
                    } else {
                        0.0
                    };
                    Self::point(x + bulge, y + t)
                })
                .collect();
            if !up {
                points.reverse();
            }
            points
        };
        let mut ring = side(x + 1.0, true);
        ring.extend(side(x, false));
        ring.push(ring[0].clone());
        format!(
            r#"{{"type":"Feature","properties":{{"code":"{}","name":"District {}"}},"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}"#,
            self.key(),
            self.key(),
            ring.join(",")
        )
    }
}

impl Default for Town {
    fn default() -> Self {
        Self::new()
    }
}

impl Town {
    /// The town in a directory of its own.
    ///
    /// # Panics
    /// When there is no place for it.
    #[must_use]
    pub fn new() -> Self {
        let districts: Vec<District> = (0..10)
            .map(|i| District {
                column: i % 5,
                row: i / 5,
            })
            .collect();
        let lines = districts
            .iter()
            .zip(0..)
            .map(|(district, i)| {
                let voters = 400 + 37 * i;
                let (north, south) = (voters * 2 / 5 + i, voters / 2 - i);
                let other = voters - north - south;
                let registered = 1000 + i;
                let key = district.key();
                format!("{key};{registered};{voters};{north};{south};{other}")
            })
            .collect();
        let town = Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
            districts,
            lines,
        };
        town.write();
        town
    }

    /// The directory that holds the town's files.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file of the town, as an argument.
    ///
    /// # Panics
    /// When the system's temporary directory is not UTF-8.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        let path = self.path().join(name);
        path.to_str().expect("a UTF-8 path").to_owned()
    }

    /// Writes the town's files anew, as `districts` and `lines` now are.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn write(&self) {
        let features: Vec<String> = self.districts.iter().map(District::feature).collect();
        let geojson = format!(
            r#"{{"type":"FeatureCollection","features":[{}]}}"#,
            features.join(",\n")
        );
        let mut table = "code;registered;voters;north;south;other\n".to_owned();
        for line in &self.lines {
            writeln!(table, "{line}").expect("text takes text");
        }
        for (name, text) in [
            ("town.geojson", &*geojson),
            ("votes.csv", &table),
            ("town.toml", TOWN),
        ] {
            fs::write(self.path().join(name), text).expect("the file is written");
        }
    }

    /// Builds the town into the directory `out` of its own.
    #[must_use]
    pub fn build(&self, args: &[&str]) -> Output {
        let (project, out) = (self.file("town.toml"), self.file("out"));
        precompute(&[&["build", &project, "--out", &out], args].concat())
    }

    /// Builds the town and returns the report.
    ///
    /// # Panics
    /// When the build fails.
    #[track_caller]
    pub fn report(&self) -> serde_json::Value {
        let built = self.build(&["--json"]);
        let stderr = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{stderr}");
        serde_json::from_slice(&built.stdout).expect("JSON")
    }

    /// The table's lines by code: registered, voters, north, south, other.
    ///
    /// # Panics
    /// When a line is not like that.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, [f64; 5]> {
        let line = |line: &String| {
            let (code, rest) = line.split_once(';').expect("a code");
            let counts = rest.split(';').map(|n| n.parse().expect("a count"));
            let counts: Vec<f64> = counts.collect();
            (code.to_owned(), counts.try_into().expect("five counts"))
        };
        self.lines.iter().map(line).collect()
    }

    /// The version that readers of `out` see.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let current = fs::read_to_string(self.path().join("out/CURRENT")).ok()?;
        Some(current.trim().to_owned())
    }
}

const TOWN: &str = r#"
[dataset]
name = "town"
title = { en = "A town", fr = "Une ville" }
attribution = "made up"

[[table]]
name = "votes"
path = "votes.csv"
text = ["code"]

[[layer]]
name = "town"
title = { en = "Town" }
default_properties = ["turnout"]

  [[layer.level]]
  name = "district"
  polygons = { path = "town.geojson" }
  key = "code"
  label = "name"
  parent = "substr(key, 1, 1)"
  zooms = [12, 14]

  [[layer.level]]
  name = "borough"
  dissolve = "district"
  label = "'Borough ' || key"
  zooms = [0, 11]

  [[layer.indicators]]
  from = "votes"
  key = "code"
  weight = "sum(registered)"
  source = "nobody"
  vintage = "2020"
  licence = "CC0-1.0"
  identities = ["sum(voters) = sum(north) + sum(south) + sum(other)"]
    [layer.indicators.columns]
    registered = { sql = "sum(registered)", unit = "count", label = { en = "Registered" } }
    turnout = { sql = "sum(voters) / sum(registered)", unit = "share", label = { en = "Turnout" } }
    north_share = { sql = "sum(north) / sum(voters)", unit = "share", label = { en = "North" } }
    winner = { sql = "case when sum(north) > sum(south) then 'North' else 'South' end", label = { en = "Winner" } }
"#;
