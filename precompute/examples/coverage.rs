//! Builds the coverage of a polygon source and writes what tiles show of it, to be checked by
//! another program: `tests/verify/borders.py`.
//!
//! ```text
//! coverage SOURCE OUT [EPSG:…]
//! ```
//! `OUT/zoom-<z>.geojsonl` holds one feature a unit, in cells of the zoom's tile grid, before
//! repair; zoom 18 is the grid that polygons are snapped to.
#![expect(clippy::print_stdout, reason = "a program that reports on a terminal")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use precompute::polygons::{self, PolygonSource};
use precompute::topology::Coverage;
use tilecore::geometry::{M_PER_ZOOM, MultiPolygon, Polygon, Vertex};
use tilecore::tile::ZOOM_MAX;

const ZOOMS: [u8; 8] = [4, 6, 8, 9, 10, 12, 14, ZOOM_MAX];

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(source), Some(out)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: coverage SOURCE OUT [EPSG:…]");
    };
    let out = PathBuf::from(out);
    let source = PolygonSource {
        path: source.into(),
        crs: args.next(),
        ..PolygonSource::default()
    };
    let features = polygons::read(&source)?.features;
    let units: Vec<_> = features
        .into_iter()
        .map(|feature| feature.geometry)
        .collect();

    let start = Instant::now();
    let mut coverage = Coverage::build(&units);
    println!("{} units, arcs in {:.2?}", units.len(), start.elapsed());
    println!("{:#?}", coverage.defects());
    let flags = coverage.generalise([0, ZOOM_MAX], ZOOM_MAX);
    let geometries = coverage.geometries();
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    for zoom in ZOOMS {
        let kept = geometries.iter().flatten().flat_map(Polygon::rings);
        let kept = kept
            .flatten()
            .filter(|vertex| is_kept(vertex, zoom))
            .count();
        println!("zoom {zoom}: {kept} vertices");
        write(&out, zoom, &geometries, &flags)?;
    }
    Ok(())
}

fn is_kept(vertex: &Vertex, zoom: u8) -> bool {
    vertex.m <= u16::from(zoom) * M_PER_ZOOM || zoom == ZOOM_MAX
}

fn write(out: &Path, zoom: u8, units: &[MultiPolygon], flags: &[u32]) -> anyhow::Result<()> {
    let path = out.join(format!("zoom-{zoom}.geojsonl"));
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut file = BufWriter::new(file);
    for (unit, flags) in units.iter().zip(flags) {
        let flagged = flags >> zoom & 1 == 1;
        let coordinates = list(unit, |polygon| {
            list(polygon.rings(), |ring| points(ring, zoom))
        });
        writeln!(
            file,
            r#"{{"type":"Feature","properties":{{"flagged":{flagged}}},"geometry":{{"type":"MultiPolygon","coordinates":{coordinates}}}}}"#
        )?;
    }
    Ok(file.flush()?)
}

fn points(ring: &[Vertex], zoom: u8) -> String {
    let shift = ZOOM_MAX - zoom;
    let half = 1 << shift >> 1;
    let kept = ring.iter().filter(|vertex| is_kept(vertex, zoom));
    list(kept, |v| {
        format!("[{},{}]", (v.x + half) >> shift, (v.y + half) >> shift)
    })
}

fn list<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
    let mut list = String::from("[");
    for (i, item) in items.into_iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(list, "{comma}{}", text(item));
    }
    list + "]"
}
