//! The `.dbf`: rows of fixed width (dBase III, with the types of `FoxPro`).
//!
//! ```text
//! header 32 bytes ▸ field 32 bytes … ▸ 0x0D ▸ flag, values … ▸ flag, values …
//! ```

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use parquet::file::reader::Length;

use super::super::{Note, Origin, cell};
use super::encoding;
use crate::input_error::{InputError, Place};
use crate::open::{OpenedFile, Reader};
use crate::value::Value;

/// The rows of a file.
pub(super) struct Rows<'a> {
    file: &'a OpenedFile,
    reader: BufReader<Reader>,
    fields: Vec<Field>,
    encoding: &'static Encoding,
    count: u64,
    /// Rows read so far.
    done: u64,
    buffer: Vec<u8>,
    /// Cells that hold something else than a value, by field and reason.
    unread: BTreeMap<(usize, &'static str), Unread>,
}

struct Unread {
    cells: u64,
    first_row: u64,
    first: String,
}

/// One row's values.
pub(super) enum Row {
    Kept(Vec<Value>),
    /// Marked as deleted.
    Deleted(Vec<Value>),
}

struct Field {
    name: String,
    kind: u8,
    /// Digits behind the point.
    decimals: usize,
    range: std::ops::Range<usize>,
}

impl<'a> Rows<'a> {
    /// Opens a table; `cpg` is the content of the `.cpg` beside it.
    pub(super) fn open(file: &'a OpenedFile, cpg: Option<&[u8]>) -> Result<Self, InputError> {
        let bad = |message: &str| InputError::new(&*file.name, message);
        let head = file.head(1 << 16)?;
        let short = |at: usize| Some(u16::from_le_bytes(*head.get(at..)?.first_chunk()?));
        let count = head.get(4..).and_then(|rest| rest.first_chunk());
        let count = count.map(|chunk| u64::from(u32::from_le_bytes(*chunk)));
        let (Some(count), Some(start), Some(width)) = (count, short(8), short(10)) else {
            return Err(bad("not a .dbf file: it is too short"));
        };
        let (start, width) = (usize::from(start), usize::from(width));
        let columns = head
            .get(32..start)
            .ok_or_else(|| bad("its header is damaged"))?;
        let mut fields: Vec<Field> = Vec::new();
        let mut at = 1;
        for column in columns.chunks(32) {
            if column[0] == 0x0d || column.len() < 32 {
                break;
            }
            let name = column[..11].split(|b| *b == 0).next().unwrap_or_default();
            let length = usize::from(column[16]);
            fields.push(Field {
                name: String::from_utf8_lossy(name).trim().to_owned(),
                kind: column[11].to_ascii_uppercase(),
                decimals: usize::from(column[17]),
                range: at..at + length,
            });
            at += length;
        }
        if at != width || fields.is_empty() {
            return Err(bad(
                "the widths of its fields do not add up to its rows: it is damaged",
            ));
        }
        if start as u64 + count * width as u64 > file.len() {
            return Err(bad(&format!(
                "it says {count} rows but is too short for them: it is truncated"
            )));
        }
        let mut reader = BufReader::with_capacity(1 << 18, file.reader());
        reader
            .seek(SeekFrom::Start(start as u64))
            .map_err(|e| file.unreadable(&e))?;
        let mut rows = Self {
            file,
            reader,
            fields,
            encoding: UTF_8,
            count,
            done: 0,
            buffer: vec![0; width],
            unread: BTreeMap::new(),
        };
        rows.encoding = match cpg {
            Some(cpg) => encoding::of_cpg(cpg).map_err(|e| bad(&e))?,
            None => rows.guess(head.get(29).copied().unwrap_or(0))?,
        };
        Ok(rows)
    }

    pub(super) fn columns(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Without a `.cpg`: UTF-8 if every text is, else what the header says.
    fn guess(&mut self, driver: u8) -> Result<&'static Encoding, InputError> {
        let start = self
            .reader
            .stream_position()
            .map_err(|e| self.file.unreadable(&e))?;
        let mut is_utf8 = true;
        while is_utf8 && self.advance()? {
            let mut texts = self.fields.iter().filter(|field| field.kind == b'C');
            is_utf8 = texts.all(|field| {
                std::str::from_utf8(self.buffer[field.range.clone()].trim_ascii_end()).is_ok()
            });
        }
        self.reader
            .seek(SeekFrom::Start(start))
            .map_err(|e| self.file.unreadable(&e))?;
        self.done = 0;
        if is_utf8 {
            return Ok(UTF_8);
        }
        match (encoding::of_language(driver), driver) {
            (Some(encoding), _) => Ok(encoding),
            (None, 0) => Ok(WINDOWS_1252),
            (None, driver) => Err(InputError::new(
                &*self.file.name,
                format!(
                    "its texts are in a DOS encoding (language driver {driver:#04x}), which is not \
                     read: convert it to UTF-8, with ogr2ogr -lco ENCODING=UTF-8"
                ),
            )),
        }
    }

    /// Reads the next row into the buffer.
    fn advance(&mut self) -> Result<bool, InputError> {
        if self.done == self.count {
            return Ok(false);
        }
        self.reader
            .read_exact(&mut self.buffer)
            .map_err(|e| self.file.unreadable(&e))?;
        self.done += 1;
        Ok(true)
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, InputError> {
        if !self.advance()? {
            return Ok(None);
        }
        let is_deleted = self.buffer.first() == Some(&b'*');
        let mut values = Vec::with_capacity(self.fields.len());
        for (at, field) in self.fields.iter().enumerate() {
            let bytes = &self.buffer[field.range.clone()];
            values.push(match value(field, bytes, self.encoding) {
                Ok(value) => value,
                Err(Fault::Encoding) => {
                    let place = Place::RowColumn(self.done, field.name.clone());
                    let message = format!(
                        "its text is not {}, which its .cpg says it is: correct the .cpg",
                        self.encoding.name()
                    );
                    return Err(InputError::new(&*self.file.name, message).at(place));
                }
                Err(Fault::Unread(reason)) => {
                    if !is_deleted {
                        let unread = self.unread.entry((at, reason)).or_insert_with(|| Unread {
                            cells: 0,
                            first_row: self.done,
                            first: String::from_utf8_lossy(bytes.trim_ascii()).into_owned(),
                        });
                        unread.cells += 1;
                    }
                    Value::Null
                }
            });
        }
        Ok(Some(if is_deleted {
            Row::Deleted(values)
        } else {
            Row::Kept(values)
        }))
    }

    /// A note for each field and reason why cells of it are missing that are not blank.
    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |(&(at, reason), unread): (&(usize, &'static str), &Unread)| Note {
            origin: Origin {
                file: Arc::clone(&self.file.name),
                feature: unread.first_row,
            },
            reason,
            detail: format!(
                "column {:?}: {} cells are missing, the first holds {:?}",
                self.fields[at].name, unread.cells, unread.first
            ),
        };
        self.unread.iter().map(note).collect()
    }
}

/// Why a cell has no value.
enum Fault {
    /// Its text is not in the encoding.
    Encoding,
    /// A stable word.
    Unread(&'static str),
}

fn value(field: &Field, bytes: &[u8], encoding: &'static Encoding) -> Result<Value, Fault> {
    let text = bytes.split(|b| *b == 0).next().unwrap_or_default();
    Ok(match field.kind {
        b'N' | b'F' => return number(text.trim_ascii(), field.decimals),
        b'L' => match text.first() {
            Some(b'T' | b't' | b'Y' | b'y' | b'1') => cell::boolean(true),
            Some(b'F' | b'f' | b'N' | b'n' | b'0') => cell::boolean(false),
            _ => Value::Null,
        },
        b'D' => match std::str::from_utf8(text.trim_ascii()) {
            Ok(date) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => {
                Value::Text(format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]).into())
            }
            Ok("") => Value::Null,
            _ => return Err(Fault::Unread("invalid_date")),
        },
        b'I' => bytes.first_chunk().map_or(Value::Null, |b| {
            cell::integer(i32::from_le_bytes(*b).into())
        }),
        b'O' | b'B' if bytes.len() == 8 => bytes
            .first_chunk()
            .map_or(Value::Null, |b| cell::double(f64::from_le_bytes(*b))),
        b'C' => {
            let (text, had_errors) = encoding.decode_without_bom_handling(text.trim_ascii_end());
            if had_errors {
                return Err(Fault::Encoding);
            }
            match text.trim_end() {
                "" => Value::Null,
                text => Value::Text(text.into()),
            }
        }
        // Memos and pictures are in files of their own.
        _ if bytes.iter().all(|b| [0, b' '].contains(b)) => Value::Null,
        _ => return Err(Fault::Unread("type_not_read")),
    })
}

/// A number as it is written. The field says how many decimals it has: a comma before as many, or
/// fewer, parts them, as some programs write it. Stars fill a field whose number was too long for it.
fn number(text: &[u8], decimals: usize) -> Result<Value, Fault> {
    let unread = Fault::Unread("invalid_number");
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(unread);
    };
    let pointed = match text.split_once(',') {
        Some((_, fraction)) if (1..=decimals).contains(&fraction.len()) => text.replace(',', "."),
        _ => text.to_owned(),
    };
    let digits = pointed.strip_prefix(['-', '+']).unwrap_or(&pointed);
    match cell::number(&pointed) {
        _ if text.is_empty() => Ok(Value::Null),
        // More digits than a number keeps.
        Value::Text(_) if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) => {
            Err(unread)
        }
        value => Ok(value),
    }
}
