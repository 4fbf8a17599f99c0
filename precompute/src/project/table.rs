//! `[[table]]`: a file, or the files of a glob, as a relation for SQL.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

use super::check::At;
use super::read::Fault;

/// `[[table]]`: a file, or the files of a glob, as a relation for SQL.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The relation's name in SQL. `format = "interieur"` makes two: `<name>` and
    /// `<name>_candidats`.
    pub name: String,
    /// A path, a glob, or `archive.zip/member-glob`; `.gz` is inflated. `${VAR}` is expanded; a
    /// relative path starts at the project file. Several files are one relation.
    pub path: PathBuf,
    /// `csv`, `parquet`, `json` (an array of records, or one record a line) or `interieur`;
    /// by default what the extension says.
    pub format: Option<TableFormat>,
    /// Between fields of a CSV: `;`, `,`, `|` or a tab; detected by default.
    pub delimiter: Option<char>,
    /// `,` or `.`; by default what each file uses, and an error when it uses both.
    pub decimal: Option<char>,
    /// Between groups of digits: a space (any kind), `.`, `,` or `'`; none by default, so that
    /// `1.234,56` is an error.
    pub thousands: Option<char>,
    /// `utf-8` (the default), `cp1252` or `latin-1`. A byte order mark is always accepted.
    pub encoding: Option<Encoding>,
    /// Cells that mean "no value", beside empty ones, in every column but those of `text`. By
    /// default `s`, `ns`, `nd`, `so` (statistical secrets), where the other cells of the column
    /// are numbers.
    pub missing: Option<Vec<String>>,
    /// Columns that are never read as numbers: codes keep their zeros.
    #[serde(default)]
    pub text: Vec<String>,
    /// Whether the first row names the columns; `false` needs `columns`.
    pub header: Option<bool>,
    /// The columns' names, in place of the header's.
    pub columns: Option<Vec<String>>,
    /// Leaves out columns without a name, such as a row number; otherwise they are an error.
    #[serde(default)]
    pub skip_unnamed: bool,
}

/// What a table's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableFormat {
    Csv,
    Parquet,
    Json,
    /// The Ministry of the Interior's wide files: one row a station, one block of columns a
    /// candidate.
    Interieur,
}

/// How bytes are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "cp1252")]
    Cp1252,
    #[serde(rename = "latin-1")]
    Latin1,
}

pub(super) fn check_table(table: &Table, at: &At) -> Result<(), Fault> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts_well = table.name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well || !table.name.chars().all(is_plain) || table.name.starts_with("sqlite_") {
        let message = format!(
            "{:?} is no name for a table: lower-case letters, digits and `_`, a letter first",
            table.name
        );
        return at.key("name").fault(message);
    }
    check_dialect(table, at)
}

pub(super) fn check_dialect(table: &Table, at: &At) -> Result<(), Fault> {
    if let Some(delimiter) = table.delimiter
        && (!delimiter.is_ascii() || delimiter.is_alphanumeric() || "\"\r\n.-".contains(delimiter))
    {
        let message = format!("{delimiter:?} cannot part fields: use `;`, `,`, `|` or a tab");
        return at.key("delimiter").fault(message);
    }
    if table.decimal.is_some_and(|c| !matches!(c, '.' | ',')) {
        return at.key("decimal").fault("`decimal` is `.` or `,`");
    }
    if table.thousands.is_some_and(|c| !" .,'".contains(c)) {
        return at
            .key("thousands")
            .fault("`thousands` is a space, `.`, `,` or `'`");
    }
    if table.thousands.is_some() && table.thousands == table.decimal {
        return at
            .key("thousands")
            .fault("`thousands` and `decimal` are the same");
    }
    if table.header == Some(false) && table.columns.is_none() {
        return at
            .key("header")
            .fault("without a header, `columns` names the columns");
    }
    let mut names = BTreeSet::new();
    for column in table.columns.iter().flatten() {
        if column.trim().is_empty() || !names.insert(column.to_lowercase()) {
            let message = format!("{column:?} is empty or there twice (case does not count)");
            return at.key("columns").fault(message);
        }
    }
    Ok(())
}
