//! CSV with a column of well-known text.
//!
//! UTF-8, with a header; the delimiter is the one the header uses. A column all of whose cells are
//! plain numbers holds numbers, others hold text, so that codes keep their zeros.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use ::csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::collect::{Collector, Properties, RawFeature};
use super::{Polygons, cell, settle, wkt};
use crate::crs::Crs;
use crate::input_error::{InputError, Place};
use crate::open::{OpenedFile, Reader};
use crate::value::Value;

/// The longest row: a polygon of some million vertices.
const ROW_MAX: u64 = 256 << 20;

/// Bytes of rows parsed at a time.
const BATCH: usize = 8 << 20;

/// What a column of WKT is called when nobody says.
const GEOMETRY_NAMES: [&str; 7] = [
    "wkt",
    "geometry",
    "geom",
    "the_geom",
    "geometrie",
    "shape",
    "wkt_geom",
];

/// Reads one file; `geometry` names its column of WKT, `given` overrides an SRID.
pub(super) fn read(
    file: &OpenedFile,
    geometry: Option<&str>,
    given: Option<&Crs>,
) -> Result<Polygons, InputError> {
    let head = file.head(1 << 16)?;
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err(InputError::new(
            &*file.name,
            "the text is UTF-16: convert it to UTF-8",
        ));
    }
    let since_row = Rc::new(Cell::new(0));
    let mut rows = ReaderBuilder::new()
        .delimiter(delimiter(&head))
        .from_reader(Capped {
            reader: file.reader(),
            since_row: Rc::clone(&since_row),
        });
    let header = rows.headers().map_err(|e| fault(file, &e))?.clone();
    let at = geometry_column(file, &header, geometry)?;
    let columns = columns(file, &header, at)?;
    let mut collector = None;
    let mut record = StringRecord::new();
    let mut number = 0;
    let mut more = true;
    while more {
        let mut batch = Vec::new();
        let mut size = 0;
        while size < BATCH {
            more = rows.read_record(&mut record).map_err(|e| fault(file, &e))?;
            if !more {
                break;
            }
            since_row.set(0);
            number += 1;
            size += record.as_slice().len() + 64;
            batch.push((number, record.clone()));
        }
        let collector = match &mut collector {
            Some(collector) => collector,
            none => {
                let crs = settle(&file.name, given, || {
                    let first = batch.first()?.1.get(at)?;
                    wkt::split_srid(first).0.map(Crs::parse)
                })?;
                none.insert(Collector::new(&file.name, crs, columns.clone())?)
            }
        };
        collector.add(batch, |(number, record)| {
            let geometry = wkt::read(record.get(at).unwrap_or_default()).map_err(|message| {
                // The header is row 1.
                let place = Place::RowColumn(number + 1, header[at].to_owned());
                InputError::new(&*file.name, message).at(place)
            })?;
            let cells = record
                .iter()
                .enumerate()
                .filter(|(column, _)| *column != at);
            Ok(RawFeature {
                number,
                properties: Properties::Row(cells.map(|(_, text)| text_or_null(text)).collect()),
                geometry,
            })
        })?;
    }
    let mut polygons = collector.map_or_else(|| Ok(Polygons::default()), Collector::finish)?;
    numbers_where_all_are(&mut polygons);
    Ok(polygons)
}

/// A reader that stops when a row does not end.
struct Capped {
    reader: Reader,
    since_row: Rc<Cell<u64>>,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row.get() > ROW_MAX {
            let message = "a row is longer than 256 MB: a quote is not closed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let count = self.reader.read(buffer)?;
        self.since_row.set(self.since_row.get() + count as u64);
        Ok(count)
    }
}

fn fault(file: &OpenedFile, error: &::csv::Error) -> InputError {
    let row = error.position().map_or(0, ::csv::Position::record);
    let message = match error.kind() {
        ErrorKind::Io(e) => return file.unreadable(e),
        ErrorKind::Utf8 { .. } => "its text is not UTF-8: convert the file".to_owned(),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!(
                "it has {len} cells where the header has {expected_len}: an unquoted delimiter?"
            )
        }
        _ => error.to_string(),
    };
    let error = InputError::new(&*file.name, message);
    if row == 0 {
        error
    } else {
        // The header is row 1.
        error.at(Place::Row(row + 1))
    }
}

/// The delimiter the first line uses most, outside of quotes.
fn delimiter(head: &[u8]) -> u8 {
    let mut in_quotes = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in head {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'\n' | b'\r' if !in_quotes => break,
            _ if in_quotes => {}
            _ => {
                for (delimiter, count) in &mut counts {
                    *count += u32::from(delimiter == byte);
                }
            }
        }
    }
    // The first of equals, which is the comma.
    counts
        .iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(delimiter, _)| *delimiter)
}

fn geometry_column(
    file: &OpenedFile,
    header: &StringRecord,
    geometry: Option<&str>,
) -> Result<usize, InputError> {
    let is_geometry = |name: &str| match geometry {
        Some(wanted) => name == wanted,
        None => GEOMETRY_NAMES.contains(&&*name.to_lowercase()),
    };
    header
        .iter()
        .position(|name| is_geometry(name.trim()))
        .ok_or_else(|| {
            let columns = header.iter().take(20).collect::<Vec<_>>().join(", ");
            let message = match geometry {
                Some(name) => format!("it has no column {name:?}, only {columns}"),
                None => {
                    format!("which of its columns is WKT? write it as geometry, one of {columns}")
                }
            };
            InputError::new(&*file.name, message)
        })
}

fn columns(
    file: &OpenedFile,
    header: &StringRecord,
    geometry: usize,
) -> Result<Vec<String>, InputError> {
    let names = header.iter().enumerate().filter(|(at, _)| *at != geometry);
    names
        .map(|(at, name)| match name.trim() {
            "" => {
                let message = format!("column {} of the header has no name", at + 1);
                Err(InputError::new(&*file.name, message))
            }
            name => Ok(name.to_owned()),
        })
        .collect()
}

fn text_or_null(text: &str) -> Value {
    match text.trim() {
        "" => Value::Null,
        text => Value::Text(text.into()),
    }
}

/// Turns columns into numbers when each of their cells is one, without a leading zero.
fn numbers_where_all_are(polygons: &mut Polygons) {
    for column in 0..polygons.columns.len() {
        let cells = || {
            polygons
                .features
                .iter()
                .map(|feature| &feature.properties[column])
        };
        let are_numbers = cells().all(|cell| match cell {
            Value::Text(text) => plain_number(text).is_some(),
            _ => true,
        });
        if are_numbers {
            for feature in &mut polygons.features {
                let cell = &mut feature.properties[column];
                if let Value::Text(text) = cell
                    && let Some(number) = plain_number(text)
                {
                    *cell = Value::Number(number);
                }
            }
        }
    }
}

fn plain_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    match cell::number(text) {
        Value::Number(number) if is_plain => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: impl AsRef<[u8]>, geometry: Option<&str>) -> Result<Polygons, InputError> {
        let file = OpenedFile::in_memory("a.csv", text.as_ref().to_vec());
        read(&file, geometry, Some(&Crs::degrees()))
    }

    fn fails(text: impl AsRef<[u8]>, expected: &str) {
        let error = read_text(text, None)
            .map(|p| p.features.len())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }

    const SQUARE: &str = "POLYGON ((2 48,3 48,3 49,2 49,2 48))";

    #[test]
    fn dialects() {
        for text in [
            format!("code,n,wkt\n01,5,\"{SQUARE}\"\n02,,\"{SQUARE}\"\n"),
            format!("\u{feff}code;n;wkt\r\n01;5;{SQUARE}\r\n02;;{SQUARE}"),
            format!("code\tn\tWKT\r01\t5\t{SQUARE}\r02\t\t{SQUARE}\r"),
            format!("code|n|Geom\n\"01\"|5|{SQUARE}\n02| |{SQUARE}\n"),
        ] {
            let found = read_text(&text, None).unwrap();
            assert_eq!(found.columns, ["code", "n"], "{text}");
            assert_eq!(
                found.features[0].properties,
                [Value::Text("01".into()), Value::Number(5.0)]
            );
            assert_eq!(
                found.features[1].properties,
                [Value::Text("02".into()), Value::Null]
            );
        }
        let named = format!("a;where\n1;SRID=4326;{SQUARE}\n")
            .replace("1;SRID", "1;\"SRID")
            .replace("))\n", "))\"\n");
        let file = OpenedFile::in_memory("a.csv", named.into_bytes());
        assert_eq!(read(&file, Some("where"), None).unwrap().features.len(), 1);
        let text = format!(
            "a,wkt\n007,\"{SQUARE}\"\n5,\n1,POINT(1 2)\n12345678901234567890,\"{SQUARE}\"\n"
        );
        let found = read_text(text, None).unwrap();
        assert_eq!(found.features[0].properties, [Value::Text("007".into())]);
        let reasons: Vec<_> = found
            .skipped
            .iter()
            .map(|n| (n.origin.feature, n.reason))
            .collect();
        assert_eq!(reasons, [(2, "no_geometry"), (3, "not_a_polygon")]);
        assert!(read_text("wkt,a\n", None).unwrap().features.is_empty());
    }

    #[test]
    fn damaged() {
        fails("", "which of its columns");
        fails("\u{feff}", "which of its columns");
        fails(b"\xff\xfea\0", "UTF-16");
        fails("a,b\n1,2\n", "write it as geometry, one of a, b");
        fails("wkt,\nPOINT(1 2),x\n", "column 2 of the header has no name");
        fails("wkt,a,a\nPOINT(1 2),x,y\n", "two columns have this name");
        fails("wkt,a\nPOINT(1 2),x\nPOINT(1 2)\n", "row 3");
        fails("wkt,a\nPOINT(1 2),x\nPOINT(1,x\n", "row 3, column \"wkt\"");
        fails(b"wkt,a\nPOINT(1 2),\xe9\n", "row 2: its text is not UTF-8");
        let file = OpenedFile::in_memory("a.csv", format!("wkt\n\"{SQUARE}\"\n").into_bytes());
        assert!(
            read(&file, None, None)
                .unwrap_err()
                .message
                .contains("write it as crs")
        );
    }

    #[test]
    fn a_quote_that_never_closes_stops_at_the_cap() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(ROW_MAX + (64 << 20)).unwrap();
        io::Write::write_all(&mut file.as_file(), b"wkt,a\n\"POLYGON").unwrap();
        let opened = &crate::open::open_all(file.path()).unwrap()[0];
        let error = read(opened, None, Some(&Crs::degrees())).unwrap_err();
        assert!(error.message.contains("a quote is not closed"), "{error}");
    }
}
