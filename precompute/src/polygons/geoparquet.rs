//! GeoParquet 1.0 and 1.1, or any Parquet file with a column of WKB.

mod arrow_cell;

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::Length;
use serde::{Deserialize, Deserializer};

use super::collect::{Collector, Properties, RawFeature};
use super::{Polygons, settle, wkb};
use crate::crs::Crs;
use crate::guarded::guarded;
use crate::input_error::{InputError, Place};
use crate::open::OpenedFile;
use crate::value::Value;

/// Rows read at a time.
const BATCH: usize = 512;

/// What bytes of geometry any file may unfold to, and beyond that how many times its size: runs of
/// equal values cost nothing in Parquet.
const UNFOLDED_FLOOR: u64 = 1 << 30;
const UNFOLDED_RATIO: u64 = 200;

/// The `geo` metadata.
#[derive(Deserialize)]
struct Geo {
    primary_column: String,
    columns: BTreeMap<String, GeoColumn>,
}

#[derive(Deserialize)]
struct GeoColumn {
    encoding: String,
    /// Missing: longitude and latitude. Null: unknown.
    #[serde(default, deserialize_with = "present")]
    crs: Option<serde_json::Value>,
}

fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(d).map(Some)
}

/// Reads one file; `geometry` names its column of WKB, `given` overrides its CRS.
pub(super) fn read(
    file: &OpenedFile,
    geometry: Option<&str>,
    given: Option<&Crs>,
) -> Result<Polygons, InputError> {
    // The decoder checks most of what it is told, but not all.
    guarded(|| decode(file, geometry, given)).unwrap_or_else(|| {
        let message = "not a readable Parquet file: damaged";
        Err(InputError::new(&*file.name, message))
    })
}

fn decode(
    file: &OpenedFile,
    geometry: Option<&str>,
    given: Option<&Crs>,
) -> Result<Polygons, InputError> {
    let bad = |message: String| InputError::new(&*file.name, message);
    let damaged = |e: &dyn std::fmt::Display| bad(format!("not a readable Parquet file: {e}"));
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options)
        .map_err(|e| damaged(&e))?;
    check_sizes(builder.metadata(), file.len()).map_err(bad)?;
    let geo = geo_metadata(builder.metadata()).map_err(bad)?;
    let column = match (geometry, &geo) {
        (Some(name), _) => name.to_owned(),
        (None, Some(geo)) => geo.primary_column.clone(),
        (None, None) => {
            let message =
                "it has no geo metadata: write its column of WKB as geometry, and its crs";
            return Err(bad(message.to_owned()));
        }
    };
    let described = geo.as_ref().and_then(|geo| geo.columns.get(&column));
    if let Some(described) = described.filter(|d| d.encoding != "WKB") {
        let message = format!(
            "its geometries are encoded as {:?}, only WKB is read",
            described.encoding
        );
        return Err(bad(message));
    }
    let schema = builder.schema().clone();
    let kept: Vec<usize> = (0..schema.fields().len())
        .filter(|at| {
            let field = schema.field(*at);
            *field.name() == column || arrow_cell::is_readable(field.data_type())
        })
        .collect();
    let names: Vec<String> = kept
        .iter()
        .map(|at| schema.field(*at).name().clone())
        .collect();
    let Some(at) = names.iter().position(|name| *name == column) else {
        let message = format!("it has no column {column:?}: write its column of WKB as geometry");
        return Err(bad(message));
    };
    let crs = settle(&file.name, given, || named_crs(described?))?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
    let batches = builder
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(|e| damaged(&e))?;
    let mut columns = names;
    columns.remove(at);
    let mut collector = Collector::new(&file.name, crs, columns)?;
    let mut number = 0_u64;
    let mut allowance = file
        .len()
        .saturating_mul(UNFOLDED_RATIO)
        .max(UNFOLDED_FLOOR);
    for batch in batches {
        let batch = batch.map_err(|e| damaged(&e))?;
        let bytes: u64 = batch
            .columns()
            .iter()
            .map(|a| a.get_array_memory_size() as u64)
            .sum();
        allowance = allowance
            .checked_sub(bytes)
            .ok_or_else(|| bad("it unfolds to far more than its size: it is damaged".to_owned()))?;
        let rows = rows(&batch, at).map_err(bad)?;
        let from = number;
        number += rows.len() as u64;
        let numbered = rows.into_iter().zip(from + 1..).collect();
        collector.add(
            numbered,
            |((properties, geometry), number): ((Vec<Value>, Option<&[u8]>), u64)| {
                let geometry = match geometry {
                    None => Err("no_geometry"),
                    Some(bytes) => wkb::read(bytes).map_err(|message| {
                        InputError::new(&*file.name, message).at(Place::Feature(number))
                    })?,
                };
                Ok(RawFeature {
                    number,
                    properties: Properties::Row(properties),
                    geometry,
                })
            },
        )?;
    }
    collector.finish()
}

/// Refuses what only a damaged file claims, before any of it is allocated.
fn check_sizes(metadata: &ParquetMetaData, length: u64) -> Result<(), String> {
    let rows: i64 = metadata
        .row_groups()
        .iter()
        .map(|group| group.num_rows().max(0))
        .fold(0, i64::saturating_add);
    let is_negative = metadata
        .row_groups()
        .iter()
        .any(|group| group.num_rows() < 0);
    if is_negative || rows != metadata.file_metadata().num_rows() {
        return Err("its row counts contradict each other: it is damaged".to_owned());
    }
    if rows.unsigned_abs() > length.max(1_000_000) {
        return Err(format!(
            "it claims {rows} rows in {length} bytes: it is damaged"
        ));
    }
    for chunk in metadata
        .row_groups()
        .iter()
        .flat_map(RowGroupMetaData::columns)
    {
        let sizes = [
            chunk.compressed_size(),
            chunk.uncompressed_size(),
            chunk.data_page_offset(),
        ];
        let [packed, unpacked, offset] = sizes.map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        let fits = offset
            .checked_add(packed)
            .is_some_and(|_| offset <= length && packed <= length);
        if !fits || unpacked > packed.saturating_mul(UNFOLDED_RATIO).max(UNFOLDED_FLOOR) {
            return Err(format!(
                "column {} does not fit into the file: it is damaged",
                chunk.column_path()
            ));
        }
    }
    Ok(())
}

fn geo_metadata(metadata: &ParquetMetaData) -> Result<Option<Geo>, String> {
    let pairs = metadata.file_metadata().key_value_metadata();
    let Some(text) = pairs
        .into_iter()
        .flatten()
        .find(|pair| pair.key == "geo")
        .and_then(|pair| pair.value.as_deref())
    else {
        return Ok(None);
    };
    serde_json::from_str(text)
        .map(Some)
        .map_err(|e| format!("its geo metadata is damaged: {e}"))
}

fn named_crs(column: &GeoColumn) -> Option<Result<Crs, String>> {
    let projjson = match &column.crs {
        None => return Some(Ok(Crs::degrees())),
        Some(serde_json::Value::Null) => return None,
        Some(projjson) => projjson,
    };
    let id = &projjson["id"];
    let code = match &id["code"] {
        serde_json::Value::String(code) => code.clone(),
        serde_json::Value::Number(code) => code.to_string(),
        _ => {
            let name = projjson["name"].as_str().unwrap_or("unnamed");
            return Some(Err(format!(
                "its CRS {name:?} has no code: write it as crs"
            )));
        }
    };
    let authority = id["authority"].as_str().unwrap_or("EPSG");
    Some(Crs::parse(&format!("{authority}:{code}")))
}

type Row<'a> = (Vec<Value>, Option<&'a [u8]>);

/// The rows of a batch: their properties, and their WKB.
fn rows(batch: &RecordBatch, geometry: usize) -> Result<Vec<Row<'_>>, String> {
    let array = batch.column(geometry);
    let Some(bytes) = array.as_binary_opt::<i32>() else {
        return Err(format!(
            "its geometry column holds {}, not WKB",
            array.data_type()
        ));
    };
    let mut rows: Vec<Row<'_>> = (0..batch.num_rows())
        .map(|row| {
            (
                Vec::with_capacity(batch.num_columns()),
                bytes.is_valid(row).then(|| bytes.value(row)),
            )
        })
        .collect();
    for (at, array) in batch.columns().iter().enumerate() {
        if at != geometry {
            for (row, value) in rows.iter_mut().zip(arrow_cell::values(array)) {
                row.0.push(value);
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
