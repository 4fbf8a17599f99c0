//! The Arrow IPC writer: the rows of the `.fgb` as columns, for filters and for data tools.
//!
//! One record batch, uncompressed, every buffer on a multiple of 64 bytes, so that a mapped file
//! is used where it lies.

use std::io::Write;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray,
    UInt32Array, UInt64Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_ipc::MetadataVersion;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, Field, Schema};

use super::columns::{Column, Numbers, Texts};
use super::schema::{COLUMN_ID, COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT, COLUMN_REPAIR_ZOOMS};
use super::write::{LevelRows, WriteError};

/// Where buffers start in the file.
const ALIGNMENT: usize = 64;

pub(super) fn write<G>(rows: &LevelRows<G>, out: impl Write) -> Result<(), WriteError> {
    let texts =
        |name: &str, texts: &[String]| strings(name, texts.iter().map(|t| Some(t.as_str())));
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        (COLUMN_KEY, texts(COLUMN_KEY, &rows.keys)?, false),
        (COLUMN_NAME, texts(COLUMN_NAME, &rows.names)?, false),
        (
            COLUMN_ID,
            Arc::new(UInt64Array::from(rows.ids.clone())),
            false,
        ),
        (
            COLUMN_PARENT,
            strings(COLUMN_PARENT, rows.parents.iter().map(Option::as_deref))?,
            true,
        ),
    ];
    if !rows.repair_zooms.is_empty() {
        let zooms = UInt32Array::from(rows.repair_zooms.clone());
        columns.push((COLUMN_REPAIR_ZOOMS, Arc::new(zooms), false));
    }
    for (name, column) in &rows.columns {
        let array = match column {
            Column::Number(numbers) => self::numbers(numbers),
            Column::Text(texts) => dictionary(name, texts)?,
        };
        columns.push((name, array, true));
    }
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array, nullable)| Field::new(*name, array.data_type().clone(), *nullable))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
    Ok(write_batch(&RecordBatch::try_new(schema, arrays)?, out)?)
}

/// A file of one record batch.
pub(super) fn write_batch(batch: &RecordBatch, out: impl Write) -> Result<(), ArrowError> {
    let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?;
    let mut writer = FileWriter::try_new_with_options(out, &batch.schema(), options)?;
    writer.write(batch)?;
    writer.finish()
}

/// Missing values are null and keep NaN in their slot, so that a reader needs no null mask.
fn numbers(numbers: &Numbers) -> ArrayRef {
    let values = numbers.values();
    let present = BooleanBuffer::collect_bool(values.len(), |row| !values[row].is_nan());
    let present = NullBuffer::new(present);
    let nulls = (present.null_count() > 0).then_some(present);
    Arc::new(Float64Array::new(numbers.shared(), nulls))
}

fn dictionary(name: &str, texts: &Texts) -> Result<ArrayRef, WriteError> {
    let values = strings(
        name,
        texts.dictionary().iter().map(|text| Some(text.as_ref())),
    )?;
    let too_long = || WriteError::TextTooLong(name.to_owned());
    let codes = texts
        .codes()
        .iter()
        .map(|&code| match code {
            Texts::MISSING => Ok(None),
            code => i32::try_from(code).map(Some).map_err(|_| too_long()),
        })
        .collect::<Result<Int32Array, _>>()?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        codes, values,
    )?))
}

fn strings<'a>(
    name: &str,
    texts: impl Iterator<Item = Option<&'a str>> + Clone,
) -> Result<ArrayRef, WriteError> {
    let bytes: usize = texts.clone().flatten().map(str::len).sum();
    if i32::try_from(bytes).is_err() {
        return Err(WriteError::TextTooLong(name.to_owned()));
    }
    Ok(Arc::new(texts.collect::<StringArray>()))
}
