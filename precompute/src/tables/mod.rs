//! Table files in, typed relations out.

mod relation;

use serde::Serialize;

use crate::input_error::InputError;
use crate::project::Table;
use crate::sql::Mentions;
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
    _mentions: &Mentions,
) -> Result<(Vec<Relation>, TableReport), InputError> {
    Err(InputError::new(
        table.path.display().to_string(),
        "not read yet",
    ))
}
