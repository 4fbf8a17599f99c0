//! GeoPackage (OGC 12-128r18): a table of a SQLite file, with geometries as WKB behind a header.
//!
//! The file may be hostile: it is opened immutable, only a plain table is read, and rows, bytes and
//! steps are counted against the size of the file.

use std::fmt::Write as _;
use std::path::Path;

use parquet::file::reader::Length;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::collect::{Collector, Properties, RawFeature};
use super::{Polygons, cell, settle, wkb};
use crate::crs::Crs;
use crate::input_error::{InputError, Place};
use crate::open::{Located, OpenedFile};
use crate::value::Value;

/// Bytes of geometries parsed at a time.
const BATCH: usize = 8 << 20;

/// SQLite's steps between two looks at the allowance.
const STEPS: std::ffi::c_int = 1_000_000;

/// A table of features.
struct Layer {
    table: String,
    geometry: String,
    srs: i64,
}

/// Reads one file; `layer` names its table when it has several, `given` overrides its CRS.
pub(super) fn read(
    located: &Located,
    layer: Option<&str>,
    given: Option<&Crs>,
) -> Result<Polygons, InputError> {
    if let Some(log) = located.sibling("gpkg-wal")
        && log.open()?.len() > 0
    {
        let message = "a program still has it open (there is a .gpkg-wal file): close it first";
        return Err(InputError::new(&*located.name, message));
    }
    read_opened(&located.open()?, layer, given)
}

fn read_opened(
    file: &OpenedFile,
    layer: Option<&str>,
    given: Option<&Crs>,
) -> Result<Polygons, InputError> {
    let path = file.on_disk()?;
    let damaged = |e: rusqlite::Error| {
        InputError::new(&*file.name, format!("not a readable GeoPackage: {e}"))
    };
    let database = open(path.as_ref(), file)?;
    let layer = find_layer(&database, layer).map_err(damaged)?;
    let layer = layer.map_err(|message| InputError::new(&*file.name, message))?;
    let srs = named_crs(&database, layer.srs).map_err(damaged)?;
    let crs = settle(&file.name, given, || srs)?;
    let names = column_names(&database, &layer.table).map_err(damaged)?;
    let Some(at) = names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(&layer.geometry))
    else {
        let message = format!("table {:?} has no column {:?}", layer.table, layer.geometry);
        return Err(InputError::new(&*file.name, message));
    };
    let list: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let sql = format!(
        "SELECT {} FROM main.{}",
        list.join(", "),
        quoted(&layer.table)
    );
    let mut statement = database.prepare(&sql).map_err(damaged)?;
    let mut columns = names.clone();
    columns.remove(at);
    let mut collector = Collector::new(&file.name, crs, columns)?;
    // Pages may be used twice by a damaged file, which then unfolds without end.
    let mut allowance = file.len().saturating_mul(8).saturating_add(1 << 20);
    let mut rows = statement.query([]).map_err(damaged)?;
    let mut number = 0;
    let mut more = true;
    while more {
        let mut batch = Vec::new();
        let mut size = 0;
        while size < BATCH {
            let Some(row) = rows.next().map_err(damaged)? else {
                more = false;
                break;
            };
            number += 1;
            let (properties, geometry) = cells(row, names.len(), at).map_err(|message| {
                InputError::new(&*file.name, message).at(Place::Feature(number))
            })?;
            let bytes = geometry.as_ref().map_or(0, Vec::len) + 64 * names.len();
            size += bytes;
            allowance = allowance.checked_sub(bytes as u64 / 8).ok_or_else(|| {
                InputError::new(
                    &*file.name,
                    "it holds more than its size allows: it is damaged",
                )
            })?;
            batch.push((number, properties, geometry));
        }
        collector.add(batch, |(number, properties, geometry)| {
            let geometry = match geometry {
                None => Err("no_geometry"),
                Some(blob) => geometry_of_blob(&blob).map_err(|message| {
                    InputError::new(&*file.name, message).at(Place::Feature(number))
                })?,
            };
            Ok(RawFeature {
                number,
                properties: Properties::Row(properties),
                geometry,
            })
        })?;
    }
    collector.finish()
}

/// Opens the file so that nothing is written beside it and nothing in it runs.
fn open(path: &Path, file: &OpenedFile) -> Result<Connection, InputError> {
    let bad = |message: String| InputError::new(&*file.name, message);
    let mut uri = "file:".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let settled = || -> rusqlite::Result<Connection> {
        let mut database = Connection::open_with_flags(&uri, flags)?;
        database.execute_batch(
            "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON;",
        )?;
        // A table is read in steps in proportion to its bytes; a view could take for ever.
        let mut steps = 200 + file.len() / 100_000;
        let stop = move || {
            steps = steps.saturating_sub(1);
            steps == 0
        };
        database.progress_handler(STEPS, Some(stop))?;
        Ok(database)
    };
    settled().map_err(|e| bad(format!("not a readable GeoPackage: {e}")))
}

/// The layer to read, or what to do when that is not clear.
fn find_layer(
    database: &Connection,
    wanted: Option<&str>,
) -> rusqlite::Result<Result<Layer, String>> {
    let is_geopackage: bool = database.query_row(
        "SELECT count(*) = 2 FROM main.sqlite_schema WHERE type = 'table'
         AND name IN ('gpkg_contents', 'gpkg_geometry_columns')",
        [],
        |row| row.get(0),
    )?;
    if !is_geopackage {
        return Ok(Err(
            "a SQLite file, but no GeoPackage: it has no gpkg_contents".to_owned(),
        ));
    }
    let mut statement = database.prepare(
        "SELECT g.table_name, g.column_name, g.srs_id FROM main.gpkg_geometry_columns AS g
         JOIN main.gpkg_contents AS c ON c.table_name = g.table_name
         WHERE c.data_type = 'features' ORDER BY g.table_name LIMIT 1000",
    )?;
    let layers = statement.query_map([], |row| {
        Ok(Layer {
            table: row.get(0)?,
            geometry: row.get(1)?,
            srs: row.get(2)?,
        })
    })?;
    let mut layers: Vec<Layer> = layers.collect::<Result<_, _>>()?;
    let names = layers
        .iter()
        .map(|layer| layer.table.clone())
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(wanted) = wanted {
        layers.retain(|layer| layer.table == wanted);
    }
    let layer = match (layers.pop(), layers.is_empty(), wanted) {
        (Some(layer), true, _) => layer,
        (Some(_), false, _) => {
            return Ok(Err(format!(
                "it has several layers: write one of {names} as layer"
            )));
        }
        (None, _, Some(wanted)) => {
            return Ok(Err(format!("it has no layer {wanted:?}, only {names}")));
        }
        (None, _, None) => return Ok(Err("it has no layer of features".to_owned())),
    };
    let kind: Option<String> = database
        .query_row(
            "SELECT CASE WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'virtual table' ELSE type END
             FROM main.sqlite_schema WHERE name = ?1 AND type IN ('table', 'view')",
            [&layer.table],
            |row| row.get(0),
        )
        .optional()?;
    Ok(match kind.as_deref() {
        Some("table") => Ok(layer),
        Some(kind) => Err(format!(
            "layer {:?} is a {kind}, only tables are read",
            layer.table
        )),
        None => Err(format!(
            "layer {:?} has no table: the file is damaged",
            layer.table
        )),
    })
}

fn named_crs(database: &Connection, srs: i64) -> rusqlite::Result<Option<Result<Crs, String>>> {
    let named: Option<(String, i64, String)> = database
        .query_row(
            "SELECT organization, organization_coordsys_id, definition
             FROM main.gpkg_spatial_ref_sys WHERE srs_id = ?1 AND srs_id > 0",
            [srs],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    Ok(named.map(|(organization, code, definition)| {
        let by_code = match u32::try_from(code) {
            Ok(code) if organization.eq_ignore_ascii_case("EPSG") => Crs::from_epsg(code),
            _ => Err(String::new()),
        };
        by_code.or_else(|message| {
            Crs::parse(&definition).map_err(|e| if message.is_empty() { e } else { message })
        })
    }))
}

/// A statement's own names would do, but `rusqlite` panics on one that is not UTF-8.
fn column_names(database: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = database.prepare("SELECT name FROM pragma_table_info(?1, 'main')")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A row's properties, and its geometry's bytes.
fn cells(
    row: &rusqlite::Row<'_>,
    count: usize,
    geometry: usize,
) -> Result<(Vec<Value>, Option<Vec<u8>>), String> {
    let mut properties = Vec::with_capacity(count);
    let mut blob = None;
    for at in 0..count {
        let value = row.get_ref(at).map_err(|e| e.to_string())?;
        if at == geometry {
            blob = match value {
                ValueRef::Null => None,
                ValueRef::Blob(bytes) => Some(bytes.to_vec()),
                _ => return Err("its geometry is no blob: the file is damaged".to_owned()),
            };
            continue;
        }
        properties.push(match value {
            ValueRef::Null | ValueRef::Blob(_) => Value::Null,
            ValueRef::Integer(n) => cell::integer(n),
            ValueRef::Real(n) => cell::double(n),
            ValueRef::Text(text) => {
                let text = std::str::from_utf8(text);
                Value::Text(text.map_err(|_| "its text is not UTF-8")?.into())
            }
        });
    }
    Ok((properties, blob))
}

/// `GP`, version, flags, SRS, envelope, then WKB.
fn geometry_of_blob(
    blob: &[u8],
) -> Result<Result<super::collect::RawGeometry, &'static str>, String> {
    let Some([b'G', b'P', _, flags]) = blob.first_chunk() else {
        return Err("its geometry is no GeoPackage blob: the file is damaged".to_owned());
    };
    let envelope = match (flags >> 1) & 7 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return Err("its geometry has an unknown envelope: the file is damaged".to_owned()),
    };
    let wkb = blob
        .get(8 + envelope..)
        .ok_or("its geometry is cut off: the file is damaged")?;
    wkb::read(wkb)
}

#[cfg(test)]
mod tests;
