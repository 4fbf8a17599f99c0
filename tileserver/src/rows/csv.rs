//! Rows as CSV (RFC 4180): key, name, then the columns. Numbers read back exactly; a missing value
//! is an empty cell.

use std::io::Write as _;

use tilecore::dataset::columns::Column;

use super::Rows;
use crate::figure::write_figure;
use crate::snapshot::LevelRef;

/// The line of names.
pub fn write_head(rows: &Rows, out: &mut Vec<u8>) {
    out.extend_from_slice(b"key,name");
    let columns = rows.level().data.level.columns();
    for &number in &rows.columns {
        out.push(b',');
        write_text(&columns[number].0, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// One line.
pub fn write_row(level: LevelRef<'_>, columns: &[usize], row: usize, out: &mut Vec<u8>) {
    let data = &level.data.level;
    write_text(data.key(row), out);
    out.push(b',');
    write_text(data.name(row), out);
    for &number in columns {
        out.push(b',');
        match &data.columns()[number].1 {
            Column::Number(numbers) => {
                if let Some(value) = numbers.get(row) {
                    write_figure(value, out);
                }
            }
            Column::Text(texts) => write_text(texts.get(row).unwrap_or_default(), out),
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A spreadsheet runs a cell that starts like a formula; an apostrophe before it makes it text.
fn write_text(text: &str, out: &mut Vec<u8>) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
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
        assert_eq!(cell(""), "");
    }
}
