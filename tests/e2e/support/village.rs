//! A village of ten quarters in two districts, and its lake as a layer of its own.
//!
//! ```text
//! 2.30                      2.35
//!   ┌────┬────┬────┬────┬────┐ 48.87
//!   │ 01 │ 02 │ 03 │ 04 │ 05 │          district N
//!   ├────┼────┼────┼────┼────┤ 48.86
//!   │ 06 │ 07 │(08)│ 09 │ 10 │          district S; 08 has a lake
//!   └────┴────┴────┴────┴────┘ 48.85
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tilecore::dataset::columns::{Column, Numbers, Texts};
use tilecore::dataset::schema::{
    ColumnStats, Combine, Component, FORMAT_VERSION, FileEntry, Indicator, Kind, Layer, Level,
    Localized, Manifest, Recompute,
};
use tilecore::dataset::write::{LevelRows, SortedRows};
use tilecore::geometry::{MultiPolygon, Polygon, Ring, Vertex};
use tilecore::mercator::{degrees_from_grid, grid_from_degrees};

/// Registered and voters of quarters 01 to 10; 07 has not reported.
pub const REGISTERED: [f64; 10] = [900., 1200., 800., 1100., 1000., 700., 950., 0., 1300., 600.];
pub const VOTERS: [Option<f64>; 10] = [
    Some(450.),
    Some(900.),
    Some(500.),
    Some(1100.),
    Some(333.),
    Some(490.),
    None,
    Some(0.),
    Some(650.),
    Some(420.),
];

/// Names to trip over.
pub const NAMES: [&str; 10] = [
    "Vieux-Port",
    "Évêché",
    "=cmd|'/C calc'!A0",
    "Saint-Louis, Nord",
    "<img src=x onerror=alert(1)>",
    "Œuvre \"d'art\"",
    "L'Haÿ",
    "Lac",
    "-1+1",
    "東京",
];

/// A dataset directory that goes with the test.
#[derive(Debug)]
pub struct Village {
    directory: TempDir,
}

impl Default for Village {
    fn default() -> Self {
        Self::new()
    }
}

impl Village {
    /// The village with version `mark` 1 published.
    pub fn new() -> Self {
        let village = Self::unpublished();
        village.publish(1.0);
        village
    }

    /// An empty dataset directory.
    pub fn unpublished() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a place for temporary files"),
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The directory of a version.
    pub fn version(&self, id: &str) -> PathBuf {
        self.path().join("versions").join(id)
    }

    /// Publishes a version in which every quarter's `mark` is `mark`; returns its id.
    pub fn publish(&self, mark: f64) -> String {
        let id = self.write_version(mark);
        self.name_current(&id);
        id
    }

    /// Makes `CURRENT` name a version.
    pub fn name_current(&self, id: &str) {
        let new = self.path().join(".CURRENT.new");
        fs::write(&new, format!("{id}\n")).expect("written");
        fs::rename(new, self.path().join("CURRENT")).expect("renamed");
    }

    /// Writes a version without making it the current one.
    pub fn write_version(&self, mark: f64) -> String {
        let files = BTreeMap::from([
            ("town/quarter", quarters(mark)),
            ("town/district", districts(mark)),
            ("water/lake", lakes()),
        ]);
        let mut bytes = BTreeMap::new();
        for (path, rows) in &files {
            let mut fgb = Cursor::new(Vec::new());
            rows.write_fgb(path, &mut fgb).expect("sound rows");
            let mut arrow = Vec::new();
            rows.write_arrow(&mut arrow).expect("sound rows");
            bytes.insert(format!("{path}.fgb"), fgb.into_inner());
            bytes.insert(format!("{path}.arrow"), arrow);
        }
        let mut manifest = manifest();
        for (path, bytes) in &bytes {
            let entry = FileEntry {
                bytes: bytes.len() as u64,
                blake3: blake3::hash(bytes).to_hex().to_string(),
            };
            manifest.files.insert(path.clone(), entry);
        }
        let unnamed = serde_json::to_vec(&manifest).expect("plain data");
        manifest.version.clear();
        manifest
            .version
            .push_str(&blake3::hash(&unnamed).to_hex()[..20]);
        let version = self.version(&manifest.version);
        for layer in ["town", "water"] {
            fs::create_dir_all(version.join(layer)).expect("created");
        }
        for (path, bytes) in &bytes {
            fs::write(version.join(path), bytes).expect("written");
        }
        let text = serde_json::to_vec_pretty(&manifest).expect("plain data");
        fs::write(version.join("manifest.json"), text).expect("written");
        manifest.version
    }
}

/// The key of quarter `i` of 0..10.
pub fn key(i: usize) -> String {
    format!("{:02}", i + 1)
}

fn quarters(mark: f64) -> SortedRows {
    let turnout = |i: usize| VOTERS[i].map(|v| v / REGISTERED[i]).filter(|t| !t.is_nan());
    let winner = |i: usize| {
        VOTERS[i].map(|_| {
            if i.is_multiple_of(3) {
                "Agnès"
            } else {
                "Bruno"
            }
        })
    };
    rows(LevelRows {
        keys: (0..10).map(key).collect(),
        names: NAMES.map(str::to_owned).to_vec(),
        ids: (1..=10).collect(),
        parents: (0..10).map(|i| Some(district(i).to_owned())).collect(),
        geometries: (0..10).map(quarter).collect(),
        columns: vec![
            number("registered", (0..10).map(|i| Some(REGISTERED[i]))),
            number("voters", (0..10).map(|i| VOTERS[i])),
            number("turnout", (0..10).map(turnout)),
            (
                "winner".into(),
                Column::Text((0..10).map(winner).collect::<Texts>()),
            ),
            number("mark", (0..10).map(|_| Some(mark))),
        ],
        ..LevelRows::default()
    })
}

fn districts(mark: f64) -> SortedRows {
    let sum = |of: fn(usize) -> Option<f64>, first: usize| -> f64 {
        (first..first + 5).filter_map(of).sum()
    };
    let registered = [0, 5].map(|first| sum(|i| Some(REGISTERED[i]), first));
    let voters = [0, 5].map(|first| sum(|i| VOTERS[i], first));
    rows(LevelRows {
        keys: vec!["N".into(), "S".into()],
        names: vec!["Nord".into(), "Sud".into()],
        ids: vec![101, 102],
        parents: vec![None, None],
        geometries: vec![
            vec![polygon([2.30, 48.86, 2.35, 48.87], None)],
            vec![polygon([2.30, 48.85, 2.35, 48.86], Some(LAKE))],
        ],
        columns: vec![
            number("registered", registered.map(Some)),
            number("voters", voters.map(Some)),
            number("turnout", [0, 1].map(|i| Some(voters[i] / registered[i]))),
            number("mark", [Some(mark); 2]),
        ],
        ..LevelRows::default()
    })
}

fn lakes() -> SortedRows {
    rows(LevelRows {
        keys: vec!["L1".into()],
        names: vec!["Lac".into()],
        ids: vec![1],
        parents: vec![None],
        geometries: vec![vec![polygon(LAKE, None)]],
        columns: vec![number("depth", [Some(12.5)])],
        ..LevelRows::default()
    })
}

fn rows(rows: LevelRows) -> SortedRows {
    SortedRows::new(rows).expect("sound rows")
}

fn number(name: &str, values: impl IntoIterator<Item = Option<f64>>) -> (String, Column) {
    (
        name.to_owned(),
        Column::Number(values.into_iter().collect::<Numbers>()),
    )
}

fn district(i: usize) -> &'static str {
    if i < 5 { "N" } else { "S" }
}

const LAKE: [f64; 4] = [2.323, 48.853, 2.327, 48.857];

fn quarter(i: usize) -> MultiPolygon {
    // Hundredths of a degree are written the same way everywhere, so that neighbours meet.
    let west = [2.30, 2.31, 2.32, 2.33, 2.34, 2.35];
    let south = if i < 5 { 48.86 } else { 48.85 };
    let north = if i < 5 { 48.87 } else { 48.86 };
    let bounds = [west[i % 5], south, west[i % 5 + 1], north];
    vec![polygon(bounds, (i == 7).then_some(LAKE))]
}

fn polygon(bounds: [f64; 4], hole: Option<[f64; 4]>) -> Polygon {
    let mut polygon = Polygon {
        exterior: ring(bounds),
        holes: hole.map(ring).into_iter().collect(),
    };
    for hole in &mut polygon.holes {
        hole.reverse();
    }
    polygon
}

/// Clockwise on the map.
fn ring([west, south, east, north]: [f64; 4]) -> Ring {
    let corners = [(west, north), (east, north), (east, south), (west, south)];
    let vertex = |(lon, lat)| {
        let p = grid_from_degrees(lon, lat);
        Vertex {
            x: p.x,
            y: p.y,
            m: 0,
        }
    };
    corners.map(vertex).to_vec()
}

fn manifest() -> Manifest {
    let shown = [
        ("registered", Kind::Number, "count"),
        ("voters", Kind::Number, "count"),
        ("turnout", Kind::Number, "share"),
        ("winner", Kind::Text, ""),
        ("mark", Kind::Number, ""),
    ];
    let town = Layer {
        name: "town".into(),
        title: text("Town"),
        default_properties: vec!["turnout".into(), "mark".into()],
        levels: vec![
            level("town", "quarter", [11, 14], quarters(0.0).rows()),
            level("town", "district", [0, 10], districts(0.0).rows()),
        ],
        indicators: shown
            .map(|(name, kind, unit)| indicator(name, kind, unit))
            .to_vec(),
        weights: vec![recompute("registered")],
        transfers: Vec::new(),
    };
    let water = Layer {
        name: "water".into(),
        title: text("Water"),
        default_properties: vec!["depth".into()],
        levels: vec![level("water", "lake", [8, 12], lakes().rows())],
        indicators: vec![indicator("depth", Kind::Number, "m")],
        weights: Vec::new(),
        transfers: Vec::new(),
    };
    Manifest {
        format: FORMAT_VERSION,
        version: String::new(),
        name: "town".into(),
        title: text("Town"),
        attribution: "Town & <b>Sons</b>".into(),
        layers: vec![town, water],
        contacts: Vec::new(),
        releases: Vec::new(),
        files: BTreeMap::new(),
    }
}

fn indicator(name: &str, kind: Kind, unit: &str) -> Indicator {
    Indicator {
        name: name.into(),
        kind,
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        label: text(name),
        description: Localized::new(),
        sql: format!("sum({name})"),
        from: "results".into(),
        level: "quarter".into(),
        source: Some("Town hall".into()),
        vintage: Some("2024".into()),
        licence: Some("LO-2.0".into()),
        estimate: false,
        hidden: false,
        recompute: match name {
            "registered" | "voters" => Some(recompute(name)),
            "turnout" => Some(Recompute {
                formula: "\"voters\" / \"registered\"".into(),
                components: vec![component("voters"), component("registered")],
            }),
            _ => None,
        },
    }
}

/// A count, which adds up.
fn recompute(name: &str) -> Recompute {
    Recompute {
        formula: format!("\"{name}\""),
        components: vec![component(name)],
    }
}

fn component(name: &str) -> Component {
    Component {
        column: name.into(),
        combine: Combine::Sum,
    }
}

fn level(layer: &str, name: &str, zooms: [u8; 2], rows: &LevelRows) -> Level {
    let points = rows.geometries.iter().flatten().flat_map(|p| &p.exterior);
    let degrees: Vec<(f64, f64)> = points.map(|v| degrees_from_grid(v.point())).collect();
    let fold = |of: fn(&(f64, f64)) -> f64, pick: fn(f64, f64) -> f64| {
        degrees.iter().map(of).reduce(pick).expect("there are rows")
    };
    Level {
        name: name.into(),
        title: Localized::new(),
        zooms,
        rows: rows.keys.len() as u64,
        bounds: [
            fold(|p| p.0, f64::min),
            fold(|p| p.1, f64::min),
            fold(|p| p.0, f64::max),
            fold(|p| p.1, f64::max),
        ],
        fgb: format!("{layer}/{name}.fgb"),
        arrow: format!("{layer}/{name}.arrow"),
        columns: rows
            .columns
            .iter()
            .map(|(name, column)| stats(name, column))
            .collect(),
    }
}

fn stats(name: &str, column: &Column) -> ColumnStats {
    let (count, distinct, range) = match column {
        Column::Number(numbers) => {
            let mut values: Vec<f64> = numbers
                .values()
                .iter()
                .copied()
                .filter(|v| !v.is_nan())
                .collect();
            values.sort_by(f64::total_cmp);
            let range = values.first().copied().zip(values.last().copied());
            let count = values.len();
            values.dedup();
            (count, values.len(), range)
        }
        Column::Text(texts) => {
            let count = texts
                .codes()
                .iter()
                .filter(|&&c| c != Texts::MISSING)
                .count();
            (count, texts.dictionary().len(), None)
        }
    };
    ColumnStats {
        name: name.into(),
        count: count as u64,
        missing: (column.len() - count) as u64,
        distinct: distinct as u64,
        min: range.map(|r| r.0),
        max: range.map(|r| r.1),
    }
}

fn text(text: &str) -> Localized {
    Localized::from([(String::new(), text.to_owned())])
}
