//! Parquet files: their columns have types already.
//!
//! Numbers of every width and decimals are numbers, text is text, booleans are 0 and 1, dates and
//! timestamps are ISO 8601 text. NaN is missing, as pandas writes it; infinity is an error. Nested
//! columns are there but cannot be loaded. Rows count from 1.

mod cells;

use std::fmt::Display;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

pub(super) use self::cells::too_long;
use self::cells::{cells, is_plain};
use super::builder::Markers;
use super::relation::{Cells, Column, Relation};
use super::{ColumnReport, TableReport, no_column};
use crate::guarded::guarded;
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
        guarded(|| loading.add(&opened, mentions)).unwrap_or_else(|| {
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
            return fault(no_column(name, names));
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

#[cfg(test)]
mod tests;
