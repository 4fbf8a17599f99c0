//! Parquet files: their columns have types already.
//!
//! Numbers of every width and decimals are numbers, text is text, booleans are 0 and 1, dates and
//! timestamps are ISO 8601 text. NaN is missing, as pandas writes it; infinity is an error. Nested
//! columns are there but cannot be loaded. Rows count from 1.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, DecimalType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use super::builder::{Markers, composed};
use super::number::trim;
use super::relation::{Cells, Column, Relation, Texts};
use super::{ColumnReport, TableReport};
use crate::input_error::{InputError, Place};
use crate::open::{Located, OpenedFile};
use crate::project::Table;
use crate::sql::Mentions;

/// Rows decoded at a time.
const BATCH: usize = 8_192;

/// The most rows of a table: run lengths can claim any number in a few bytes.
const ROWS_MAX: i64 = 1 << 27;

/// The most bytes of text a table may hold in memory.
const TEXT_MAX: usize = 4 << 30;

/// The longest text of a cell.
const CELL_MAX: usize = 1 << 20;

/// Whole numbers up to here are exact.
const EXACT_MAX: u64 = 1 << 53;

/// Reads the files of a table.
pub(super) fn read(
    files: &[Located],
    table: &Table,
    mentions: &Mentions,
) -> Result<(Relation, TableReport), InputError> {
    let mut loading = Loading {
        table,
        markers: Markers::new(table.missing.as_deref()),
        relation: None,
        report: TableReport {
            name: table.name.clone(),
            ..TableReport::default()
        },
        text_bytes: 0,
    };
    for file in files {
        let opened = file.open()?;
        loading.report.files.push(opened.name.to_string());
        // The decoder checks most of what it is told, but not all.
        catch_unwind(AssertUnwindSafe(|| loading.add(&opened, mentions))).unwrap_or_else(|_| {
            Err(InputError::new(
                &*opened.name,
                "not a Parquet file that can be read: damaged",
            ))
        })?;
    }
    let Some(relation) = loading.relation else {
        let path = table.path.display().to_string();
        return Err(InputError::new(path, "no file of this name"));
    };
    Ok((relation, loading.report))
}

struct Loading<'a> {
    table: &'a Table,
    markers: Markers,
    /// With the columns of the first file.
    relation: Option<Relation>,
    report: TableReport,
    text_bytes: usize,
}

impl Loading<'_> {
    fn add(&mut self, file: &OpenedFile, mentions: &Mentions) -> Result<(), InputError> {
        let damaged = |e: &dyn Display| {
            InputError::new(
                &*file.name,
                format!("not a Parquet file that can be read: {e}"),
            )
        };
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(file, plain).map_err(|e| damaged(&e))?;
        let schema = Arc::new(with_views(metadata.schema()));
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(&schema));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
            .map_err(|e| damaged(&e))?;
        check_rows(file, &metadata)?;
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let wanted: Vec<usize> = (0..names.len())
            .filter(|i| mentions.contains(&names[*i]))
            .collect();
        self.check_columns(file, &schema, &names, &wanted)?;
        let mask = ProjectionMask::roots(metadata.parquet_schema(), wanted.iter().copied());
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata)
            .with_projection(mask)
            .with_batch_size(BATCH)
            .build()
            .map_err(|e| damaged(&e))?;
        let mut rows_before = 0;
        for batch in batches {
            let batch = batch.map_err(|e| damaged(&e))?;
            self.add_batch(file, &batch, rows_before)?;
            rows_before += batch.num_rows() as u64;
        }
        self.report.rows += rows_before;
        Ok(())
    }

    /// Starts the relation, or checks that this file has the columns of the first.
    fn check_columns(
        &mut self,
        file: &OpenedFile,
        schema: &Schema,
        names: &[String],
        wanted: &[usize],
    ) -> Result<(), InputError> {
        let fault = |message: String| Err(InputError::new(&*file.name, message));
        for (i, name) in names.iter().enumerate() {
            let is_twin = |other: &String| other.to_lowercase() == name.to_lowercase();
            if let Some(twin) = names[..i].iter().find(|other| is_twin(other)) {
                return fault(format!("columns {twin:?} and {name:?} are the same to SQL"));
            }
        }
        if let Some(name) = self.table.text.iter().find(|name| !names.contains(name)) {
            return fault(format!(
                "`text` names {name:?}, which the file does not have"
            ));
        }
        for field in wanted.iter().map(|i| schema.field(*i)) {
            if !is_plain(field.data_type()) {
                let message = format!("its type {} is neither number nor text", field.data_type());
                let place = Place::Column(field.name().clone());
                return Err(InputError::new(&*file.name, message).at(place));
            }
        }
        let columns = wanted.iter().map(|i| names[*i].clone());
        let Some(relation) = &self.relation else {
            self.start(columns, names);
            return Ok(());
        };
        if !columns.eq(relation.columns.iter().map(|column| column.name.clone())) {
            return fault("its columns are not those of the table's first file".into());
        }
        Ok(())
    }

    fn start(&mut self, columns: impl Iterator<Item = String>, available: &[String]) {
        let column = |name: String| {
            self.report.columns.push(ColumnReport {
                relation: self.table.name.clone(),
                name: name.clone(),
                kind: "number",
                ..ColumnReport::default()
            });
            let is_pinned = self.table.text.contains(&name);
            Column {
                name,
                chunks: Vec::new(),
                text_because: is_pinned.then(|| "the project file says so".to_owned()),
                is_mixed: false,
            }
        };
        self.relation = Some(Relation {
            name: self.table.name.clone(),
            columns: columns.map(column).collect(),
            chunk_rows: Vec::new(),
            available: available.to_vec(),
        });
    }

    fn add_batch(
        &mut self,
        file: &OpenedFile,
        batch: &arrow_array::RecordBatch,
        rows_before: u64,
    ) -> Result<(), InputError> {
        let Some(relation) = &mut self.relation else {
            return Ok(());
        };
        relation.chunk_rows.push(batch.num_rows());
        let columns = relation.columns.iter_mut().zip(&mut self.report.columns);
        for ((column, report), array) in columns.zip(batch.columns()) {
            let is_pinned = self.table.text.contains(&column.name);
            let cells =
                cells(array, is_pinned, &self.markers, report).map_err(|(row, message)| {
                    let place = Place::RowColumn(rows_before + row as u64 + 1, column.name.clone());
                    InputError::new(&*file.name, message).at(place)
                })?;
            let is_text = matches!(cells, Cells::Text(_));
            if let Cells::Text(texts) = &cells {
                self.text_bytes += texts.bytes();
            }
            report.kind = if is_text { "text" } else { "number" };
            if column
                .chunks
                .first()
                .is_some_and(|c| matches!(c, Cells::Text(_)) != is_text)
            {
                let message =
                    "text here, but numbers in another file of the table (or the reverse)";
                let place = Place::Column(column.name.clone());
                return Err(InputError::new(&*file.name, message).at(place));
            }
            column.chunks.push(cells);
        }
        if self.text_bytes > TEXT_MAX {
            let message = "more than 4 GB of text in the columns asked for";
            return Err(InputError::new(&*file.name, message));
        }
        Ok(())
    }
}

/// Refuses more rows than a table may have.
fn check_rows(file: &OpenedFile, metadata: &ArrowReaderMetadata) -> Result<(), InputError> {
    let groups = metadata.metadata().row_groups();
    let rows = groups.iter().try_fold(0_i64, |sum, group| {
        let rows = group.num_rows();
        sum.checked_add(rows).filter(|_| rows >= 0)
    });
    if rows.is_some_and(|rows| rows <= ROWS_MAX) {
        return Ok(());
    }
    let message = format!("it claims more than {ROWS_MAX} rows: split it, or it is damaged");
    Err(InputError::new(&*file.name, message))
}

/// Text as views: a long text that many rows share is decoded once.
fn with_views(schema: &Schema) -> Schema {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        _ => Arc::clone(field),
    };
    Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>())
}

fn is_plain(kind: &DataType) -> bool {
    kind.is_integer()
        || matches!(
            kind,
            DataType::Null
                | DataType::Boolean
                | DataType::Float32
                | DataType::Float64
                | DataType::Decimal32(..)
                | DataType::Decimal64(..)
                | DataType::Decimal128(..)
                | DataType::Utf8View
                | DataType::Date32
                | DataType::Timestamp(..)
        )
}

/// A row of the batch, and what is the matter with its cell.
type CellFault = (usize, String);

fn cells(
    array: &ArrayRef,
    is_pinned: bool,
    markers: &Markers,
    report: &mut ColumnReport,
) -> Result<Cells, CellFault> {
    let nulls = array.logical_null_count() as u64;
    report.missing += nulls;
    macro_rules! whole {
        ($($kind:ident => $type:ty),*) => {
            match array.data_type() {
                $(DataType::$kind => Some(whole::<$type>(array.as_primitive(), is_pinned)),)*
                _ => None,
            }
        };
    }
    if let Some(cells) = whole!(
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type
    ) {
        return cells;
    }
    match array.data_type() {
        DataType::Null => Ok(Cells::numbers(vec![f64::NAN; array.len()])),
        DataType::Boolean => {
            let value = |value: Option<bool>| value.map_or(f64::NAN, f64::from);
            Ok(Cells::numbers(
                array.as_boolean().iter().map(value).collect(),
            ))
        }
        DataType::Float32 => real(array.as_primitive::<Float32Type>(), is_pinned),
        DataType::Float64 => real(array.as_primitive::<Float64Type>(), is_pinned),
        DataType::Decimal32(_, scale) => Ok(decimal::<Decimal32Type>(array, *scale, is_pinned)),
        DataType::Decimal64(_, scale) => Ok(decimal::<Decimal64Type>(array, *scale, is_pinned)),
        DataType::Decimal128(_, scale) => Ok(decimal::<Decimal128Type>(array, *scale, is_pinned)),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter();
            Ok(texts(days.map(|days| days.map(|days| date(days.into())))))
        }
        DataType::Timestamp(unit, _) => Ok(timestamps(array, *unit)),
        DataType::Utf8View => text(array, is_pinned, markers, report),
        other => Err((0, format!("its type {other} is neither number nor text"))),
    }
}

fn whole<T>(array: &PrimitiveArray<T>, is_pinned: bool) -> Result<Cells, CellFault>
where
    T: ArrowPrimitiveType,
    T::Native: Display + TryInto<i64>,
{
    if is_pinned {
        return Ok(texts(
            array.iter().map(|value| value.map(|v| v.to_string())),
        ));
    }
    let number = |(row, value): (usize, Option<T::Native>)| {
        let Some(value) = value else {
            return Ok(f64::NAN);
        };
        match value.try_into() {
            #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
            Ok(whole) if whole.unsigned_abs() <= EXACT_MAX => Ok(whole as f64),
            _ => Err((row, too_long(&value))),
        }
    };
    let values: Result<_, CellFault> = array.iter().enumerate().map(number).collect();
    Ok(Cells::numbers(values?))
}

/// What to do with an integer that `f64` does not hold.
pub(super) fn too_long(value: &dyn Display) -> String {
    format!("{value} has more digits than a number keeps: list the column in `text`")
}

fn real<T>(array: &PrimitiveArray<T>, is_pinned: bool) -> Result<Cells, CellFault>
where
    T: ArrowPrimitiveType,
    T::Native: Display + Into<f64>,
{
    if is_pinned {
        return Ok(texts(
            array.iter().map(|value| value.map(|v| v.to_string())),
        ));
    }
    let number = |(row, value): (usize, Option<T::Native>)| {
        let value = value.map_or(f64::NAN, Into::into);
        if value.is_infinite() {
            return Err((row, format!("{value} is no number to count with")));
        }
        // Zero has no sign.
        Ok(value + 0.0)
    };
    let values: Result<_, CellFault> = array.iter().enumerate().map(number).collect();
    Ok(Cells::numbers(values?))
}

fn decimal<T: DecimalType>(array: &ArrayRef, scale: i8, is_pinned: bool) -> Cells {
    let array = array.as_primitive::<T>();
    let written = |value: T::Native| T::format_decimal(value, T::MAX_PRECISION, scale);
    if is_pinned {
        return texts(array.iter().map(|value| value.map(written)));
    }
    // The nearest number to the decimal, as a text file would give it.
    let number = |value: Option<T::Native>| {
        value
            .and_then(|value| written(value).parse().ok())
            .unwrap_or(f64::NAN)
    };
    Cells::numbers(array.iter().map(number).collect())
}

fn text(
    array: &ArrayRef,
    is_pinned: bool,
    markers: &Markers,
    report: &mut ColumnReport,
) -> Result<Cells, CellFault> {
    let mut texts = Texts::default();
    for (row, text) in array.as_string_view().iter().enumerate() {
        let text = text.unwrap_or_default();
        if text.len() > CELL_MAX {
            return Err((row, format!("a text of {} bytes is too long", text.len())));
        }
        if text.contains('\0') {
            return Err((row, "the text holds a NUL character".into()));
        }
        if !is_pinned && markers.is_declared(text) {
            report.secret += 1;
            texts.push("");
        } else if trim(text).is_empty() {
            texts.push("");
        } else {
            texts.push(&composed(text));
        }
    }
    Ok(Cells::Text(texts))
}

fn texts(values: impl Iterator<Item = Option<String>>) -> Cells {
    let mut texts = Texts::default();
    for value in values {
        texts.push(value.as_deref().unwrap_or_default());
    }
    Cells::Text(texts)
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> Cells {
    let (values, per_second): (Vec<Option<i64>>, i64) = match unit {
        TimeUnit::Second => (
            array.as_primitive::<TimestampSecondType>().iter().collect(),
            1,
        ),
        TimeUnit::Millisecond => (
            array
                .as_primitive::<TimestampMillisecondType>()
                .iter()
                .collect(),
            1_000,
        ),
        TimeUnit::Microsecond => (
            array
                .as_primitive::<TimestampMicrosecondType>()
                .iter()
                .collect(),
            1_000_000,
        ),
        TimeUnit::Nanosecond => (
            array
                .as_primitive::<TimestampNanosecondType>()
                .iter()
                .collect(),
            1_000_000_000,
        ),
    };
    let written = |value: i64| {
        let seconds = value.div_euclid(per_second);
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!("{}T{hour:02}:{minute:02}:{:02}", date(day), second % 60)
    };
    texts(values.into_iter().map(|value| value.map(written)))
}

/// Days since 1970-01-01 as a date of the Gregorian calendar (Hinnant, `civil_from_days`).
fn date(days: i64) -> String {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests;
