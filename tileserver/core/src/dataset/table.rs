//! Reads a level's Arrow file where it lies; hostile bytes are refused before arrow decodes them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, Footer, Message, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, DataType, Schema};
use bytes::Bytes;

use super::columns::{Column, Numbers, Texts};
use super::schema::{COLUMN_ID, COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT, COLUMN_REPAIR_ZOOMS};

/// Why bytes are not a level's Arrow file.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum TableError {
    #[error("not an Arrow IPC file, or cut short")]
    Trailer,
    #[error("the footer, a block or a buffer lies outside the file")]
    Bounds,
    #[error("a level has one record batch, this file has {0}")]
    Batches(usize),
    #[error("the file has {found} rows, the manifest says {expected}")]
    Rows { found: u64, expected: u64 },
    #[error("no column `{0}`")]
    Missing(String),
    #[error("column `{name}` is {found}: not a type that levels have there")]
    Type { name: String, found: String },
    #[error("column `{0}` has missing values, ids beyond 2^53 or codes outside its dictionary")]
    Values(String),
    #[error("damaged: {0}")]
    Arrow(#[from] ArrowError),
    #[error("damaged: the decoder gave up")]
    Decoder,
}

/// A level's columns.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) keys: StringArray,
    pub(super) names: StringArray,
    pub(super) ids: ScalarBuffer<u64>,
    pub(super) parents: StringArray,
    pub(super) repair_zooms: Option<ScalarBuffer<u32>>,
    pub(super) columns: Vec<(String, Column)>,
}

/// The one record batch of a file, where it lies.
pub(super) fn read_batch(bytes: Bytes, rows: u64) -> Result<RecordBatch, TableError> {
    let file = Buffer::from(bytes);
    // The checks below leave arrow nothing to panic about that we know of; a panic it still finds
    // is a damaged file, not the end of a server.
    let batch = catch_unwind(AssertUnwindSafe(|| decode(&file, rows)))
        .map_err(|_| TableError::Decoder)??;
    let found = batch.num_rows() as u64;
    if found != rows {
        return Err(TableError::Rows {
            found,
            expected: rows,
        });
    }
    Ok(batch)
}

pub(super) fn open(bytes: Bytes, rows: u64) -> Result<Table, TableError> {
    let batch = read_batch(bytes, rows)?;
    let mut table = Table {
        keys: strings(&batch, COLUMN_KEY)?,
        names: strings(&batch, COLUMN_NAME)?,
        ids: ids(&batch)?,
        parents: strings(&batch, COLUMN_PARENT)?,
        repair_zooms: repair_zooms(&batch)?,
        columns: Vec::new(),
    };
    for (name, array) in [(COLUMN_KEY, &table.keys), (COLUMN_NAME, &table.names)] {
        if array.null_count() > 0 {
            return Err(TableError::Values(name.to_owned()));
        }
    }
    let fixed = [
        COLUMN_KEY,
        COLUMN_NAME,
        COLUMN_ID,
        COLUMN_PARENT,
        COLUMN_REPAIR_ZOOMS,
    ];
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let name = field.name().as_str();
        if !fixed.contains(&name) {
            table.columns.push((name.to_owned(), column(name, array)?));
        }
    }
    Ok(table)
}

fn decode(file: &Buffer, rows: u64) -> Result<RecordBatch, TableError> {
    let trailer_start = file.len().checked_sub(10).ok_or(TableError::Trailer)?;
    let trailer = file.last_chunk().ok_or(TableError::Trailer)?;
    let footer_length = read_footer_length(*trailer).map_err(|_| TableError::Trailer)?;
    let footer_start = trailer_start
        .checked_sub(footer_length)
        .ok_or(TableError::Bounds)?;
    let footer = root_as_footer(&file[footer_start..trailer_start])
        .map_err(|error| ArrowError::ParseError(error.to_string()))?;
    let schema = schema(&footer)?;
    let mut decoder = FileDecoder::new(Arc::new(schema), footer.version());
    for block in footer.dictionaries().iter().flatten() {
        let bytes = block_bytes(file, block)?;
        check_block(&bytes, block, None)?;
        decoder.read_dictionary(block, &bytes)?;
    }
    let batches = footer
        .recordBatches()
        .map(|batches| batches.iter().collect::<Vec<_>>());
    let batches = batches.unwrap_or_default();
    let [block] = batches[..] else {
        return Err(TableError::Batches(batches.len()));
    };
    let bytes = block_bytes(file, block)?;
    check_block(&bytes, block, Some(rows))?;
    let batch = decoder.read_record_batch(block, &bytes)?;
    batch.ok_or(TableError::Batches(0))
}

/// Only types that levels, contacts and releases have: nothing nested reaches the decoder.
fn schema(footer: &Footer) -> Result<Schema, TableError> {
    let schema = footer.schema().ok_or(TableError::Trailer)?;
    let schema = try_fb_to_schema(schema)?;
    for field in schema.fields() {
        let known = match field.data_type() {
            DataType::Utf8
            | DataType::Boolean
            | DataType::UInt64
            | DataType::UInt32
            | DataType::UInt8
            | DataType::Int32
            | DataType::Float64 => true,
            kind => is_dictionary(kind),
        };
        if !known {
            return Err(wrong_type(field.name(), field.data_type()));
        }
    }
    Ok(schema)
}

fn is_dictionary(kind: &DataType) -> bool {
    matches!(kind, DataType::Dictionary(code, value)
        if **code == DataType::Int32 && **value == DataType::Utf8)
}

/// The bytes of a block, metadata and body, without copying.
fn block_bytes(file: &Buffer, block: &Block) -> Result<Buffer, TableError> {
    let start = usize::try_from(block.offset());
    let metadata = usize::try_from(block.metaDataLength());
    let body = usize::try_from(block.bodyLength());
    let (Ok(start), Ok(metadata), Ok(body)) = (start, metadata, body) else {
        return Err(TableError::Bounds);
    };
    let length = metadata.checked_add(body);
    let end = length.and_then(|length| start.checked_add(length));
    match (length, end) {
        (Some(length), Some(end)) if end <= file.len() && metadata >= 8 => {
            Ok(file.slice_with_length(start, length))
        }
        _ => Err(TableError::Bounds),
    }
}

/// Every buffer that the block's message names lies in its body, and its nodes have `rows` rows.
fn check_block(bytes: &[u8], block: &Block, rows: Option<u64>) -> Result<(), TableError> {
    let message = bytes.get(8..).ok_or(TableError::Bounds)?;
    let message =
        root_as_message(message).map_err(|error| ArrowError::ParseError(error.to_string()))?;
    let batch = batch_of(&message).ok_or(TableError::Bounds)?;
    let body = block.bodyLength();
    for buffer in batch.buffers().iter().flatten() {
        let end = buffer.offset().checked_add(buffer.length());
        if buffer.offset() < 0 || buffer.length() < 0 || end.is_none_or(|end| end > body) {
            return Err(TableError::Bounds);
        }
    }
    // A row takes at least a bit, so no more rows than bits: nothing is allocated beyond that.
    let rows_max = rows.map_or(body.saturating_mul(8), |rows| {
        i64::try_from(rows).unwrap_or(i64::MAX)
    });
    for node in batch.nodes().iter().flatten() {
        let length = node.length();
        if length < 0 || length > rows_max || !(0..=length).contains(&node.null_count()) {
            return Err(TableError::Bounds);
        }
    }
    Ok(())
}

fn batch_of<'a>(message: &Message<'a>) -> Option<arrow_ipc::RecordBatch<'a>> {
    let batch = message
        .header_as_record_batch()
        .or_else(|| message.header_as_dictionary_batch()?.data())?;
    batch.compression().is_none().then_some(batch)
}

fn wrong_type(name: &str, found: &DataType) -> TableError {
    TableError::Type {
        name: name.to_owned(),
        found: found.to_string(),
    }
}

fn array<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array, TableError> {
    batch
        .column_by_name(name)
        .map(AsRef::as_ref)
        .ok_or_else(|| TableError::Missing(name.to_owned()))
}

fn strings(batch: &RecordBatch, name: &str) -> Result<StringArray, TableError> {
    let array = array(batch, name)?;
    let strings = array.as_string_opt::<i32>();
    strings
        .cloned()
        .ok_or_else(|| wrong_type(name, array.data_type()))
}

fn ids(batch: &RecordBatch) -> Result<ScalarBuffer<u64>, TableError> {
    let array = array(batch, COLUMN_ID)?;
    let ids = array
        .as_primitive_opt::<UInt64Type>()
        .ok_or_else(|| wrong_type(COLUMN_ID, array.data_type()))?;
    let valid = ids.null_count() == 0 && ids.values().iter().all(|&id| id < 1 << 53);
    valid
        .then(|| ids.values().clone())
        .ok_or_else(|| TableError::Values(COLUMN_ID.to_owned()))
}

fn repair_zooms(batch: &RecordBatch) -> Result<Option<ScalarBuffer<u32>>, TableError> {
    let Some(array) = batch.column_by_name(COLUMN_REPAIR_ZOOMS) else {
        return Ok(None);
    };
    let zooms = array
        .as_primitive_opt::<UInt32Type>()
        .ok_or_else(|| wrong_type(COLUMN_REPAIR_ZOOMS, array.data_type()))?;
    Ok(Some(zooms.values().clone()))
}

fn column(name: &str, array: &dyn Array) -> Result<Column, TableError> {
    if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
        let values = numbers.values().clone();
        let Some(nulls) = numbers.nulls() else {
            return Ok(Column::Number(Numbers::new(values)));
        };
        let in_place = (nulls.iter().zip(&values)).all(|(present, v)| present || v.is_nan());
        return Ok(Column::Number(if in_place {
            Numbers::new(values)
        } else {
            numbers.iter().collect()
        }));
    }
    let texts = array
        .as_dictionary_opt::<Int32Type>()
        .and_then(|coded| Some((coded, coded.values().as_string_opt::<i32>()?)))
        .ok_or_else(|| wrong_type(name, array.data_type()))?;
    let (coded, dictionary) = texts;
    let codes = coded.keys().iter().map(|code| match code {
        Some(code) => u32::try_from(code).ok(),
        None => Some(Texts::MISSING),
    });
    let dictionary = dictionary.iter().map(|text| text.map(Into::into));
    let texts = codes
        .collect::<Option<Vec<u32>>>()
        .zip(dictionary.collect::<Option<Vec<Box<str>>>>())
        .and_then(|(codes, dictionary)| Texts::new(codes, dictionary));
    texts
        .map(Column::Text)
        .ok_or_else(|| TableError::Values(name.to_owned()))
}
