//! JSON tables: an array of records, or one record a line.
//!
//! A cell is what JSON says it is: numbers, text, `true` and `false` (1 and 0), `null`. A column is
//! of one kind. A whole number that `f64` does not hold is an error unless the column is listed in
//! `text`. Rows count from 1.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::builder::{Markers, composed};
use super::number::trim;
use super::parquet::too_long;
use super::relation::{Cells, Column, Relation, Texts};
use super::{ColumnReport, TableReport};
use crate::input_error::{InputError, Place};
use crate::open::{Located, OpenedFile};
use crate::project::Table;
use crate::sql::Mentions;

/// The longest record.
const RECORD_MAX: u64 = 16 << 20;

/// Names a table may have, asked for or not.
const COLUMNS_MAX: usize = 20_000;

/// Whole numbers up to here are exact.
const EXACT_MAX: u64 = 1 << 53;

/// Reads the files of a table.
pub(super) fn read(
    files: &[Located],
    table: &Table,
    mentions: &Mentions,
) -> Result<(Relation, TableReport), InputError> {
    let mut records = Records {
        table,
        mentions,
        markers: Markers::new(table.missing.as_deref()),
        names: HashMap::new(),
        columns: Vec::new(),
        rows: 0,
    };
    let mut report = TableReport {
        name: table.name.clone(),
        ..TableReport::default()
    };
    for file in files {
        let opened = file.open()?;
        report.files.push(opened.name.to_string());
        let rows_before = records.rows;
        records.add(&opened).map_err(|message| {
            let row = (records.rows - rows_before) as u64;
            InputError::new(&*opened.name, message).at(Place::Row(row.max(1)))
        })?;
    }
    report.rows = records.rows as u64;
    let relation = records.finish(&mut report)?;
    Ok((relation, report))
}

/// The records so far.
struct Records<'a> {
    table: &'a Table,
    mentions: &'a Mentions,
    markers: Markers,
    /// Position in `columns`.
    names: HashMap<String, usize>,
    columns: Vec<RecordColumn>,
    rows: usize,
}

#[derive(Debug)]
struct RecordColumn {
    name: String,
    is_wanted: bool,
    is_pinned: bool,
    /// The last row that has it.
    seen: usize,
    numbers: Vec<f64>,
    texts: Texts,
    kind: Option<Kind>,
    /// Secrets met while the kind is open, with their rows.
    secrets: Vec<(usize, String)>,
    marked: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
}

impl Records<'_> {
    fn add(&mut self, file: &OpenedFile) -> Result<(), String> {
        let start = first_byte(file).map_err(|e| e.to_string())?;
        match start {
            Some(b'[') => self.add_array(file),
            Some(b'{') => self.add_lines(file),
            Some(_) => Err("not JSON records: an array of objects, or an object a line".into()),
            None => Err("the file is empty".into()),
        }
    }

    fn add_array(&mut self, file: &OpenedFile) -> Result<(), String> {
        let (reader, budget) = Bounded::new(file.reader());
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(reader));
        (&mut json)
            .deserialize_seq(ArrayOf {
                records: self,
                budget,
            })
            .map_err(|e| e.to_string())?;
        json.end().map_err(|e| e.to_string())
    }

    fn add_lines(&mut self, file: &OpenedFile) -> Result<(), String> {
        let mut reader = BufReader::new(file.reader());
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = (&mut reader)
                .take(RECORD_MAX + 1)
                .read_until(b'\n', &mut line);
            let count = count.map_err(|e| format!("cannot be read: {e}"))?;
            if count == 0 {
                return Ok(());
            }
            if count as u64 > RECORD_MAX {
                self.rows += 1;
                return Err("the record is longer than 16 MB".into());
            }
            let record = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
            if record.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let mut json = serde_json::Deserializer::from_slice(record);
            Record(self)
                .deserialize(&mut json)
                .map_err(|e| e.to_string())?;
            json.end().map_err(|e| e.to_string())?;
        }
    }

    fn column(&mut self, name: &str) -> Result<usize, String> {
        if let Some(at) = self.names.get(name) {
            return Ok(*at);
        }
        if self.columns.len() == COLUMNS_MAX {
            return Err(format!(
                "more than {COLUMNS_MAX} names: the records have no columns"
            ));
        }
        let at = self.columns.len();
        self.columns.push(RecordColumn {
            name: name.to_owned(),
            is_wanted: self.mentions.contains(name),
            is_pinned: self.table.text.iter().any(|text| text == name),
            seen: 0,
            numbers: Vec::new(),
            texts: Texts::default(),
            kind: None,
            secrets: Vec::new(),
            marked: 0,
        });
        self.names.insert(name.to_owned(), at);
        Ok(at)
    }

    fn finish(mut self, report: &mut TableReport) -> Result<Relation, InputError> {
        let path = self.table.path.display().to_string();
        // Records name their columns in any order.
        self.columns.sort_by(|a, b| a.name.cmp(&b.name));
        let mut names: HashMap<String, &str> = HashMap::new();
        for column in &self.columns {
            if let Some(twin) = names.insert(column.name.to_lowercase(), &column.name) {
                let message = format!("{twin:?} and {:?} are the same to SQL", column.name);
                return Err(InputError::new(path, message));
            }
        }
        let available: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        if let Some(name) = self
            .table
            .text
            .iter()
            .find(|name| !available.contains(name))
        {
            let message = format!("`text` names {name:?}, which no record has");
            return Err(InputError::new(path, message));
        }
        let rows = self.rows;
        let mut columns = Vec::new();
        for column in self.columns.into_iter().filter(|column| column.is_wanted) {
            let is_text = column.kind == Some(Kind::Text);
            let (cells, marked) = column.fill(rows);
            let (name, cells, is_pinned) = cells;
            let missing = (0..rows).filter(|row| is_missing(&cells, *row)).count() as u64;
            report.columns.push(ColumnReport {
                relation: self.table.name.clone(),
                name: name.clone(),
                kind: if is_text { "text" } else { "number" },
                missing: missing - marked.min(missing),
                secret: marked,
            });
            columns.push(Column {
                name,
                chunks: vec![cells],
                text_because: is_pinned.then(|| "the project file says so".to_owned()),
                is_mixed: false,
            });
        }
        Ok(Relation {
            name: self.table.name.clone(),
            columns,
            chunk_rows: vec![rows],
            available,
        })
    }
}

fn is_missing(cells: &Cells, row: usize) -> bool {
    match cells {
        Cells::Text(texts) => texts.get(row).is_none(),
        numbers => numbers.number(row).is_nan(),
    }
}

/// A scalar of a record.
enum Scalar<'a> {
    Null,
    Number(f64),
    /// Digits that `f64` may not hold.
    Whole(i128),
    Text(&'a str),
}

impl RecordColumn {
    /// Sets the cell of `row`; rows in between have none.
    fn set(&mut self, row: usize, cell: &Scalar<'_>, markers: &Markers) -> Result<(), String> {
        let text = match cell {
            Scalar::Null => return Ok(()),
            Scalar::Text(text) => {
                let trimmed = trim(text);
                if trimmed.is_empty() {
                    return Ok(());
                }
                if !self.is_pinned && markers.contain(trimmed) {
                    self.marked += 1;
                    if !markers.is_declared(trimmed) && self.kind != Some(Kind::Number) {
                        return self.set_secret(row, text);
                    }
                    return Ok(());
                }
                composed(text).into_owned()
            }
            Scalar::Number(value) if self.is_pinned => value.to_string(),
            Scalar::Whole(value) if self.is_pinned => value.to_string(),
            Scalar::Number(value) => return self.set_number(row, *value),
            #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
            Scalar::Whole(value) if value.unsigned_abs() <= u128::from(EXACT_MAX) => {
                return self.set_number(row, *value as f64);
            }
            Scalar::Whole(value) => return Err(format!("{:?}: {}", self.name, too_long(value))),
        };
        if text.contains('\0') {
            return Err(format!("{:?}: the text holds a NUL character", self.name));
        }
        self.set_text(row, &text)
    }

    fn set_number(&mut self, row: usize, value: f64) -> Result<(), String> {
        if self.kind == Some(Kind::Text) {
            return Err(format!(
                "{:?} is {value} here but text in an earlier record: write one kind, or list the \
                 column in `text`",
                self.name
            ));
        }
        self.kind = Some(Kind::Number);
        self.secrets.clear();
        self.numbers.resize(row, f64::NAN);
        // Zero has no sign.
        self.numbers.push(value + 0.0);
        Ok(())
    }

    /// A secret is one among numbers; among texts it is a text like others.
    fn set_secret(&mut self, row: usize, text: &str) -> Result<(), String> {
        if self.kind == Some(Kind::Text) {
            self.marked -= 1;
            return self.set_text(row, text);
        }
        self.secrets.push((row, text.to_owned()));
        Ok(())
    }

    fn set_text(&mut self, row: usize, text: &str) -> Result<(), String> {
        if self.kind == Some(Kind::Number) {
            return Err(format!(
                "{:?} is {text:?} here but a number in an earlier record: correct it, or declare \
                 it `missing`, or list the column in `text`",
                self.name
            ));
        }
        self.kind = Some(Kind::Text);
        for (row, secret) in std::mem::take(&mut self.secrets) {
            self.marked -= 1;
            self.push_text(row, &secret);
        }
        self.push_text(row, text);
        Ok(())
    }

    fn push_text(&mut self, row: usize, text: &str) {
        while self.texts.len() < row {
            self.texts.push("");
        }
        self.texts.push(text);
    }

    /// The name, the cells of all rows and whether they are text by the project file; and the
    /// number of markers.
    fn fill(mut self, rows: usize) -> ((String, Cells, bool), u64) {
        let cells = if self.kind == Some(Kind::Text) {
            while self.texts.len() < rows {
                self.texts.push("");
            }
            Cells::Text(self.texts)
        } else {
            self.numbers.resize(rows, f64::NAN);
            Cells::numbers(self.numbers)
        };
        ((self.name, cells, self.is_pinned), self.marked)
    }
}

/// The array around the records.
struct ArrayOf<'r, 'a> {
    records: &'r mut Records<'a>,
    budget: Rc<Cell<u64>>,
}

impl<'de> Visitor<'de> for ArrayOf<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.budget.set(RECORD_MAX);
        while seq.next_element_seed(Record(self.records))?.is_some() {
            self.budget.set(RECORD_MAX);
        }
        Ok(())
    }
}

/// One record.
struct Record<'r, 'a>(&'r mut Records<'a>);

impl<'de> DeserializeSeed<'de> for Record<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        self.0.rows += 1;
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record {\"column\": value, …}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let records = self.0;
        while let Some(name) = map.next_key::<String>()? {
            let at = records.column(&composed(&name)).map_err(A::Error::custom)?;
            let column = &mut records.columns[at];
            if column.seen == records.rows {
                return Err(A::Error::custom(format!(
                    "{name:?} is there twice in one record"
                )));
            }
            column.seen = records.rows;
            if column.is_wanted {
                let row = records.rows - 1;
                map.next_value_seed(CellOf {
                    column,
                    row,
                    markers: &records.markers,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The value of a column in a record.
struct CellOf<'r> {
    column: &'r mut RecordColumn,
    row: usize,
    markers: &'r Markers,
}

impl CellOf<'_> {
    fn set<E: serde::de::Error>(self, cell: &Scalar<'_>) -> Result<(), E> {
        self.column
            .set(self.row, cell, self.markers)
            .map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for CellOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl Visitor<'_> for CellOf<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number or text in {:?}", self.column.name)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.set(&Scalar::Number(f64::from(value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.set(&Scalar::Whole(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.set(&Scalar::Whole(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        // Beyond 2^53 it may have been a whole number, of which digits are lost already.
        if value.abs() > 9_007_199_254_740_992.0 {
            let message = format!(
                "{:?}: {value} is too large: write it as text",
                self.column.name
            );
            return Err(E::custom(message));
        }
        self.set(&Scalar::Number(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.set(&Scalar::Text(text))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.set(&Scalar::Null)
    }
}

/// The first byte that is neither white space nor a byte order mark.
fn first_byte(file: &OpenedFile) -> io::Result<Option<u8>> {
    let mut bytes = BufReader::new(file.reader()).bytes();
    let is_blank = |byte: &io::Result<u8>| {
        byte.as_ref()
            .is_ok_and(|b| b.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(b))
    };
    bytes.find(|byte| !is_blank(byte)).transpose()
}

/// A reader that fails when one record takes too many bytes.
struct Bounded<R> {
    reader: R,
    left: Rc<Cell<u64>>,
    is_started: bool,
}

impl<R: Read> Bounded<R> {
    fn new(reader: R) -> (Self, Rc<Cell<u64>>) {
        let left = Rc::new(Cell::new(RECORD_MAX));
        let bounded = Self {
            reader,
            left: Rc::clone(&left),
            is_started: false,
        };
        (bounded, left)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if !std::mem::replace(&mut self.is_started, true)
            && buffer[..count].starts_with(b"\xef\xbb\xbf")
        {
            buffer[..3].fill(b' ');
        }
        let left = self.left.get().checked_sub(count as u64);
        let too_long = || io::Error::other("the record is longer than 16 MB");
        self.left.set(left.ok_or_else(too_long)?);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
