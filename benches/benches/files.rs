//! The nation as files that `precompute build` reads: GeoJSON in degrees, a CSV of many columns, and
//! a project of a hundred indicators over units and communes dissolved from them.
//!
//! `cargo bench --bench files -- DIR [AREAS [COLUMNS]]`, then `precompute build DIR/nation.toml`.

#![allow(clippy::print_stderr, reason = "says what to do")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use benches::SEED;
use benches::national::nation;
use tilecore::dataset::columns::Column;
use tilecore::dataset::write::LevelRows;
use tilecore::geometry::{MultiPolygon, Vertex};
use tilecore::mercator::degrees_from_grid;

const INDICATORS: usize = 100;

fn main() -> io::Result<()> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let Some(directory) = arguments.first() else {
        eprintln!(
            "give a directory for the files: cargo bench --bench files -- DIR [AREAS [COLUMNS]]"
        );
        return Ok(());
    };
    let number = |at: usize, default| match arguments.get(at).map(|text| text.parse()) {
        Some(Ok(number)) => number,
        _ => default,
    };
    let rows = nation(SEED, number(1, 70_000), number(2, 300));
    let directory = Path::new(directory);
    fs::create_dir_all(directory)?;
    write_polygons(&directory.join("nation.geojson"), &rows)?;
    write_table(&directory.join("nation.csv"), &rows)?;
    fs::write(directory.join("nation.toml"), project(&rows))
}

fn write_polygons(path: &Path, rows: &LevelRows) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(br#"{"type":"FeatureCollection","features":["#)?;
    for (row, geometry) in rows.geometries.iter().enumerate() {
        let comma = if row == 0 { "\n" } else { ",\n" };
        let (key, name) = (&rows.keys[row], &rows.names[row]);
        let geometry = coordinates(geometry);
        writeln!(
            out,
            r#"{comma}{{"type":"Feature","properties":{{"code":"{key}","name":"{name}"}},"geometry":{{"type":"MultiPolygon","coordinates":{geometry}}}}}"#,
        )?;
    }
    out.write_all(b"]}\n")?;
    out.flush()
}

fn coordinates(geometry: &MultiPolygon) -> String {
    let ring = |ring: &Vec<Vertex>| {
        let closed = ring.iter().chain(ring.first());
        let places = closed.map(|vertex| {
            let (lon, lat) = degrees_from_grid(vertex.point());
            format!("[{lon:.7},{lat:.7}]")
        });
        format!("[{}]", places.collect::<Vec<_>>().join(","))
    };
    let polygons = geometry.iter().map(|polygon| {
        let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
        format!("[{}]", rings.map(ring).collect::<Vec<_>>().join(","))
    });
    format!("[{}]", polygons.collect::<Vec<_>>().join(","))
}

fn write_table(path: &Path, rows: &LevelRows) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write!(out, "code")?;
    for (name, _) in &rows.columns {
        write!(out, ",{name}")?;
    }
    for (row, key) in rows.keys.iter().enumerate() {
        write!(out, "\n{key}")?;
        for (_, column) in &rows.columns {
            match column {
                Column::Number(numbers) => match numbers.get(row) {
                    Some(number) => write!(out, ",{number}")?,
                    None => write!(out, ",")?,
                },
                Column::Text(texts) => write!(out, ",{}", texts.get(row).unwrap_or_default())?,
            }
        }
    }
    writeln!(out)?;
    out.flush()
}

fn project(rows: &LevelRows) -> String {
    let mut text = String::from(
        r#"[dataset]
name = "nation"
title = { en = "A made-up nation" }
attribution = "Fictional"

[[table]]
name = "figures"
path = "nation.csv"
text = ["code"]

[[layer]]
name = "nation"

  [[layer.level]]
  name = "unit"
  polygons = { path = "nation.geojson" }
  key = "code"
  label = "name"
  parent = "substr(key, 1, instr(key, '_') - 1)"
  zooms = [9, 14]

  [[layer.level]]
  name = "commune"
  dissolve = "unit"
  zooms = [0, 8]

  [[layer.indicators]]
  from = "figures"
  key = "code"

    [layer.indicators.columns]
"#,
    );
    for (name, _) in rows.columns.iter().take(INDICATORS) {
        let _ = writeln!(text, "    {name} = {{ sql = \"sum({name})\" }}");
    }
    text
}
