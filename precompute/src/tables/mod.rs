//! Table files in, typed relations out.

mod builder;
mod json;
mod number;
mod parquet;
mod relation;
mod tally;
mod text;

use serde::Serialize;

use crate::input_error::InputError;
use crate::open::{Located, locate};
use crate::project::{Table, TableFormat};
use crate::sql::Mentions;
pub(crate) use relation::RowAt;
pub use relation::{Cells, Column, Relation, Texts};

/// What reading a table found, for the report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    pub name: String,
    /// In the order they were read.
    pub files: Vec<String>,
    pub rows: u64,
    pub columns: Vec<ColumnReport>,
    /// Rows that were kept but are of no use as they are.
    pub notes: Vec<RowNote>,
}

/// What a loaded column holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    pub relation: String,
    pub name: String,
    /// `number` or `text`.
    pub kind: &'static str,
    /// Empty cells.
    pub missing: u64,
    /// Cells that hold a marker of statistical secrecy, such as `s`.
    pub secret: u64,
}

/// A row, and a stable word for what is the matter with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowNote {
    pub file: String,
    /// As in [`crate::input_error::Place::Row`].
    pub row: u64,
    pub reason: &'static str,
    pub detail: String,
}

/// Reads a table of the project file, and of its columns those that are mentioned.
///
/// # Errors
/// When a file cannot be read as its format, or a cell contradicts its column.
pub fn read(
    table: &Table,
    mentions: &Mentions,
) -> Result<(Vec<Relation>, TableReport), InputError> {
    let files = locate(&table.path)?;
    let Some(first) = files.first() else {
        return Err(InputError::new(
            table.path.display().to_string(),
            "no file of this name",
        ));
    };
    match format_of(table, first)? {
        TableFormat::Csv | TableFormat::Interieur => text::read(&files, table, mentions),
        TableFormat::Parquet => parquet::read(&files, table, mentions).map(one),
        TableFormat::Json => json::read(&files, table, mentions).map(one),
    }
}

/// Files that make one relation.
fn one((relation, report): (Relation, TableReport)) -> (Vec<Relation>, TableReport) {
    (vec![relation], report)
}

/// Of a column that is to be read as text.
fn no_column(name: &str, there: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<&str> = there.iter().take(SHOWN).map(String::as_str).collect();
    let more = if there.len() > SHOWN { ", …" } else { "" };
    format!("has no column {name:?}, but {}{more}", shown.join(", "))
}

/// The format the project file names, or the first file's extension.
fn format_of(table: &Table, first: &Located) -> Result<TableFormat, InputError> {
    if let Some(format) = table.format {
        return Ok(format);
    }
    match first.extension().as_str() {
        "csv" | "tsv" | "txt" => Ok(TableFormat::Csv),
        "parquet" | "pq" => Ok(TableFormat::Parquet),
        "json" | "jsonl" | "ndjson" => Ok(TableFormat::Json),
        excel @ ("xlsx" | "xls" | "xlsm" | "ods") => Err(InputError::new(
            &*first.name,
            format!("{excel} is a spreadsheet, which is not read: save the sheet as CSV"),
        )),
        other => Err(InputError::new(
            &*first.name,
            format!("the extension {other:?} tells no format: say `format`"),
        )),
    }
}

#[cfg(test)]
mod tests;
