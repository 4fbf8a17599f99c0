//! How a text file is written, from its first bytes and the project file.

use crate::input_error::{InputError, Place};
use crate::project::{Encoding, Table, TableFormat};

use super::blocks::cut;

/// Bytes looked at.
pub(super) const HEAD: u64 = 256 << 10;

/// Records looked at.
const RECORDS: usize = 200;

/// The delimiters that are looked for.
const DELIMITERS: [u8; 4] = *b";,\t|";

/// How to read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) encoding: Encoding,
    /// Bytes of the byte order mark.
    pub(super) skip: usize,
}

/// Finds the dialect of the file called `file` that starts with `head`.
pub(super) fn sniff(file: &str, head: &[u8], table: &Table) -> Result<Dialect, InputError> {
    let fault = |message: &str| Err(InputError::new(file, message));
    refuse_other_formats(file, head)?;
    let has_mark = head.starts_with(b"\xef\xbb\xbf");
    let skip = if has_mark { 3 } else { 0 };
    let body = &head[skip..];
    if body.iter().all(u8::is_ascii_whitespace) {
        return fault("the file is empty");
    }
    let encoding = match table.encoding {
        Some(encoding) if !has_mark => encoding,
        _ if has_mark => Encoding::Utf8,
        _ if is_ministry(table) && !is_utf8(body) => Encoding::Cp1252,
        _ => Encoding::Utf8,
    };
    let delimiter = match table.delimiter.and_then(|c| u8::try_from(c).ok()) {
        Some(delimiter) => delimiter,
        None => delimiter(file, body, table)?,
    };
    Ok(Dialect {
        delimiter,
        encoding,
        skip,
    })
}

fn is_ministry(table: &Table) -> bool {
    table.format == Some(TableFormat::Interieur)
}

/// Whether all of `head` is UTF-8, but for a character cut at its end.
fn is_utf8(head: &[u8]) -> bool {
    std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true)
}

fn refuse_other_formats(file: &str, head: &[u8]) -> Result<(), InputError> {
    let fault = |message: String| Err(InputError::new(file, message));
    let is_one = |start: &[u8]| head.starts_with(start);
    let known = [
        (&b"\xff\xfe"[..], "UTF-16 (little-endian): save it as UTF-8"),
        (b"\xfe\xff", "UTF-16 (big-endian): save it as UTF-8"),
        (
            b"PK\x03\x04",
            "a zip archive or a spreadsheet: name its member, or save it as CSV",
        ),
        (b"PAR1", "Parquet: say `format = \"parquet\"`"),
        (b"\x1f\x8b", "gzip: give it the extension .gz"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet: save it as CSV"),
        (b"{\\rtf", "formatted text: save it as CSV"),
        (
            b"%PDF",
            "a PDF: publishers often have the same table as CSV",
        ),
    ];
    if let Some((_, message)) = known.iter().find(|(start, _)| is_one(start)) {
        return fault(format!("is {message}"));
    }
    let Some(zero) = head.iter().position(|byte| *byte == 0) else {
        return Ok(());
    };
    let zeros = memchr::memchr_iter(0, head).count();
    let error = if zeros * 3 > head.len() {
        let endian = if zero % 2 == 1 {
            "little-endian"
        } else {
            "big-endian"
        };
        InputError::new(
            file,
            format!("is UTF-16 ({endian}, no mark): save it as UTF-8"),
        )
    } else {
        InputError::new(file, "holds a NUL byte, so it is not text")
    };
    Err(error.at(Place::Byte(zero as u64)))
}

/// The delimiter under which the first records agree best.
fn delimiter(file: &str, body: &[u8], table: &Table) -> Result<u8, InputError> {
    let agreement = |delimiter: u8| {
        let (agreeing, fields) = agreement(body, delimiter)?;
        // Rows of the Ministry's files are longer than their header.
        let agreeing = if is_ministry(table) { 0 } else { agreeing };
        Some(((agreeing, fields), delimiter))
    };
    let mut found: Vec<_> = DELIMITERS.into_iter().filter_map(agreement).collect();
    found.sort_unstable();
    match found.as_slice() {
        [] => Ok(b','),
        [.., (second, _), (first, _)] if first == second => Err(InputError::new(
            file,
            "more than one character may part its fields: set `delimiter`",
        )),
        [.., (_, delimiter)] => Ok(*delimiter),
    }
}

/// How many of a thousand records have as many fields as the first, and that number; `None` for
/// one field.
fn agreement(body: &[u8], delimiter: u8) -> Option<(usize, usize)> {
    let end = cut(body, delimiter).end.unwrap_or(body.len());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(&body[..end]);
    let mut counts = reader
        .byte_records()
        .take(RECORDS)
        .map_while(Result::ok)
        .map(|r| r.len());
    let fields = counts.next().filter(|count| *count > 1)?;
    let (mut agreeing, mut rows) = (0, 0);
    for count in counts {
        agreeing += usize::from(count == fields);
        rows += 1;
    }
    let share = (agreeing * 1000_usize).checked_div(rows).unwrap_or(1000);
    Some((share, fields))
}

/// A parser of records that may differ in length.
pub(super) fn reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text)
}

/// A block as text.
pub(super) fn decode(block: Vec<u8>, encoding: Encoding) -> Result<String, BadByte> {
    if let Some(at) = memchr::memchr(0, &block) {
        return Err(BadByte {
            at,
            message: "a NUL byte is not text",
            block,
        });
    }
    match encoding {
        Encoding::Utf8 => String::from_utf8(block).map_err(|e| BadByte {
            at: e.utf8_error().valid_up_to(),
            message: "not UTF-8: save the file as UTF-8, or set `encoding` of its table in the \
                      project file (\"cp1252\" for older files from Windows)",
            block: e.into_bytes(),
        }),
        Encoding::Cp1252 => {
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&block);
            Ok(text.into_owned())
        }
        Encoding::Latin1 => Ok(encoding_rs::mem::decode_latin1(&block).into_owned()),
    }
}

/// A byte that is not of the encoding.
#[derive(Debug)]
pub(super) struct BadByte {
    pub(super) block: Vec<u8>,
    pub(super) at: usize,
    pub(super) message: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: char) {
        let dialect = sniff("t.csv", text.as_bytes(), &Table::default()).expect(text);
        assert_eq!(char::from(dialect.delimiter), expected, "{text}");
    }

    #[test]
    fn delimiters_are_found() {
        check("a,b\n1,2\n", ',');
        check("a;b\n1,5;2\n1,5;2,5\n", ';');
        check("a, b;c\n1;2\n", ';');
        check("a\tb\n1,2\t3\n", '\t');
        check("a|b|c\n1|2|3", '|');
        check("a\n1\n2\n", ',');
        check("\"a;b\",c\n\"x\n;y\",2\n", ',');
        check("\u{feff}reg;dep\r\n24;45\r\n", ';');
        check("a,b,c,d,e;f\n1,2,3,4,5;6\n1,2,3,4,5;6", ',');
    }

    #[test]
    fn two_readings_are_an_error() {
        let error = sniff("t.csv", b"a;b,c\n1;2,3\n", &Table::default()).unwrap_err();
        assert!(error.to_string().contains("set `delimiter`"));
    }

    #[test]
    fn other_formats_are_named() {
        let utf16: Vec<u8> = "a;b\n1;2\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (head, expected) in [
            (&b"\xff\xfea\0"[..], "UTF-16 (little-endian)"),
            (&utf16, "UTF-16 (little-endian, no mark)"),
            (b"PK\x03\x04", "spreadsheet"),
            (b"a,b\0\n1,2", "NUL"),
            (b"", "empty"),
            (b"\xef\xbb\xbf", "empty"),
            (b" \r\n \n", "empty"),
        ] {
            let error = sniff("t.csv", head, &Table::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn bytes_become_text() {
        assert_eq!(
            decode(b"\x80\xe9".to_vec(), Encoding::Cp1252).unwrap(),
            "€é"
        );
        assert_eq!(
            decode(b"\x80\xe9".to_vec(), Encoding::Latin1).unwrap(),
            "\u{80}é"
        );
        assert_eq!(
            decode(b"ab\xe9".to_vec(), Encoding::Utf8).unwrap_err().at,
            2
        );
        assert_eq!(decode(b"a\0".to_vec(), Encoding::Utf8).unwrap_err().at, 1);
    }
}
