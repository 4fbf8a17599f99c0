//! Rows as GeoJSON features (RFC 7946), in degrees to seven decimals: finer than the grid.

use std::io::Write as _;

use tilecore::dataset::columns::Column;
use tilecore::geometry::{MultiPolygon, Ring};
use tilecore::mercator::degrees_from_grid;

use super::Rows;
use crate::figure::{write_figure, write_json_text};

/// One feature with its key, name and fields, open at its end for further members.
pub fn write_feature(rows: &Rows, row: usize, geometry: bool, out: &mut Vec<u8>) {
    let data = &rows.level().data.level;
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
    write_properties(rows, row, out);
}

/// `{"key":…,"name":…,…}`; a missing value is null.
fn write_properties(rows: &Rows, row: usize, out: &mut Vec<u8>) {
    let level = rows.level();
    let data = &level.data.level;
    out.extend_from_slice(br#"{"key":"#);
    write_json_text(data.key(row), out);
    out.extend_from_slice(br#","name":"#);
    write_json_text(data.name(row), out);
    for field in &rows.fields {
        out.push(b',');
        write_json_text(&field.name, out);
        out.push(b':');
        let written = match field.column(level) {
            Column::Number(numbers) => numbers.get(row).map(|value| write_figure(value, out)),
            Column::Text(texts) => texts.get(row).map(|text| write_json_text(text, out)),
        };
        if written.is_none() {
            out.extend_from_slice(b"null");
        }
    }
    write_contributions(rows, row, out);
    out.push(b'}');
}

/// What each criterion adds to a score, in points.
fn write_contributions(rows: &Rows, row: usize, out: &mut Vec<u8>) {
    let Some(scores) = rows.results.scores() else {
        return;
    };
    let Some(points) = scores.contributions(row) else {
        out.extend_from_slice(br#","contributions":null"#);
        return;
    };
    let start: &[u8] = br#","contributions":{"#;
    for (i, (name, points)) in rows.criteria.iter().zip(points).enumerate() {
        out.extend_from_slice(if i == 0 { start } else { b"," });
        write_json_text(name, out);
        out.push(b':');
        write_figure(points, out);
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
