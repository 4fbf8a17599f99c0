//! Rows as GeoJSON features (RFC 7946), in degrees to seven decimals: finer than the grid.

use std::io::Write as _;

use tilecore::dataset::columns::Column;
use tilecore::geometry::{MultiPolygon, Ring};
use tilecore::mercator::degrees_from_grid;

use crate::figure::{write_figure, write_json_text};
use crate::snapshot::LevelRef;

/// One feature with its key, name and columns.
pub fn write_feature(
    level: LevelRef<'_>,
    columns: &[usize],
    row: usize,
    geometry: bool,
    out: &mut Vec<u8>,
) {
    let data = &level.data.level;
    let _ = write!(
        out,
        r#"{{"type":"Feature","id":{},"geometry":"#,
        data.id(row)
    );
    match data.geometry(row) {
        Ok(shape) if geometry => write_multipolygon(&shape, out),
        _ => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","properties":"#);
    write_properties(level, columns, row, out);
    out.push(b'}');
}

/// `{"key":…,"name":…,…}`; a missing value is null.
pub fn write_properties(level: LevelRef<'_>, columns: &[usize], row: usize, out: &mut Vec<u8>) {
    let data = &level.data.level;
    out.extend_from_slice(br#"{"key":"#);
    write_json_text(data.key(row), out);
    out.extend_from_slice(br#","name":"#);
    write_json_text(data.name(row), out);
    for &number in columns {
        let (name, column) = &data.columns()[number];
        out.push(b',');
        write_json_text(name, out);
        out.push(b':');
        let written = match column {
            Column::Number(numbers) => numbers.get(row).map(|value| write_figure(value, out)),
            Column::Text(texts) => texts.get(row).map(|text| write_json_text(text, out)),
        };
        if written.is_none() {
            out.extend_from_slice(b"null");
        }
    }
    out.push(b'}');
}

fn write_multipolygon(shape: &MultiPolygon, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"MultiPolygon","coordinates":["#);
    for (i, polygon) in shape.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"[" } else { b",[" });
        for (i, ring) in polygon.rings().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            write_ring(ring, out);
        }
        out.push(b']');
    }
    out.extend_from_slice(b"]}");
}

/// Closed, and turned round: exteriors run clockwise on the grid, counter-clockwise in GeoJSON.
fn write_ring(ring: &Ring, out: &mut Vec<u8>) {
    let closed = ring.iter().rev().chain(ring.last());
    for (i, vertex) in closed.enumerate() {
        let (lon, lat) = degrees_from_grid(vertex.point());
        out.extend_from_slice(if i == 0 { b"[[" } else { b",[" });
        write_degrees(lon, out);
        out.push(b',');
        write_degrees(lat, out);
        out.push(b']');
    }
    out.extend_from_slice(if ring.is_empty() { b"[]" } else { b"]" });
}

fn write_degrees(degrees: f64, out: &mut Vec<u8>) {
    write_figure((degrees * 1e7).round() / 1e7, out);
}
