//! Rows as CSV (RFC 4180): key, name, then the columns. Numbers read back exactly; a missing value
//! is an empty cell.

use std::io::Write as _;

use tilecore::dataset::columns::Column;

use super::{Field, Rows};
use crate::figure::write_figure;
use crate::layer::LevelRef;

/// What programs disagree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Commas between cells, points in numbers.
    #[default]
    Plain,
    /// What spreadsheets open by a double click where decimals have commas: semicolons between
    /// cells, commas in numbers, a byte-order mark.
    Spreadsheet,
}

impl Dialect {
    fn delimiter(self) -> u8 {
        match self {
            Self::Plain => b',',
            Self::Spreadsheet => b';',
        }
    }
}

/// The line of names.
pub fn write_head(rows: &Rows, dialect: Dialect, out: &mut Vec<u8>) {
    if dialect == Dialect::Spreadsheet {
        out.extend_from_slice("\u{feff}".as_bytes());
    }
    out.extend_from_slice(b"key");
    out.push(dialect.delimiter());
    out.extend_from_slice(b"name");
    for field in &rows.fields {
        out.push(dialect.delimiter());
        write_text(&field.name, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// One line.
pub fn write_row(
    level: LevelRef<'_>,
    fields: &[Field],
    row: usize,
    dialect: Dialect,
    out: &mut Vec<u8>,
) {
    let data = &level.data.level;
    write_text(data.key(row), out);
    out.push(dialect.delimiter());
    write_text(data.name(row), out);
    for field in fields {
        out.push(dialect.delimiter());
        match field.column(level) {
            Column::Number(numbers) => {
                if let Some(value) = numbers.get(row) {
                    write_number(value, dialect, out);
                }
            }
            Column::Text(texts) => write_text(texts.get(row).unwrap_or_default(), out),
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn write_number(value: f64, dialect: Dialect, out: &mut Vec<u8>) {
    let start = out.len();
    write_figure(value, out);
    if dialect == Dialect::Spreadsheet
        && let Some(point) = out[start..].iter().position(|&b| b == b'.')
    {
        out[start + point] = b',';
    }
}

/// A spreadsheet runs a cell that starts like a formula and is no number; an apostrophe before it makes it
/// text.
fn write_text(text: &str, out: &mut Vec<u8>) {
    let is_number = text
        .bytes()
        .skip(1)
        .all(|b| b.is_ascii_digit() || b == b'.');
    let formula =
        text.starts_with(['=', '@', '\t', '\r']) || text.starts_with(['+', '-']) && !is_number;
    let quoted = text.contains(['"', ',', '\n', '\r', ';']);
    if quoted {
        out.push(b'"');
    }
    if formula {
        out.push(b'\'');
    }
    if quoted {
        let _ = write!(out, "{}\"", text.replace('"', "\"\""));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cells() {
        let cell = |text: &str| {
            let mut out = Vec::new();
            write_text(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(cell("plain é"), "plain é");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
        assert_eq!(cell("=cmd|'/C calc'!A0"), "'=cmd|'/C calc'!A0");
        assert_eq!(cell("-1+2,3"), "\"'-1+2,3\"");
        assert_eq!(cell("@x"), "'@x");
        assert_eq!(cell("-9007199254740993"), "-9007199254740993");
        assert_eq!(cell("=1"), "'=1");
        assert_eq!(cell(""), "");
    }

    #[test]
    fn number_cells() {
        let cell = |value: f64, dialect| {
            let mut out = b"1.5".to_vec();
            write_number(value, dialect, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(cell(-0.25, Dialect::Plain), "1.5-0.25");
        assert_eq!(cell(-0.25, Dialect::Spreadsheet), "1.5-0,25");
        assert_eq!(cell(12.0, Dialect::Spreadsheet), "1.512");
    }
}
