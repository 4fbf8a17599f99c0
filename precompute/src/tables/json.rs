//! JSON tables: an array of records, or one record a line.
//!
//! A cell is what JSON says it is: numbers, text, `true` and `false` (1 and 0), `null`. A column is
//! of one kind. A whole number that `f64` does not hold is an error unless the column is listed in
//! `text`. Rows count from 1.

mod column;
mod record;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer};

use self::column::{Kind, RecordColumn};
use self::record::{ArrayOf, Bounded, Record};
use super::builder::Markers;
use super::relation::{Cells, Column, Relation};
use super::{ColumnReport, TableReport, no_column};
use crate::input_error::{InputError, Place};
use crate::open::{Located, OpenedFile};
use crate::project::Table;
use crate::sql::Mentions;

/// The longest record.
const RECORD_MAX: u64 = 16 << 20;

/// Names a table may have, asked for or not.
const COLUMNS_MAX: usize = 20_000;

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
        let is_wanted = self.mentions.contains(name);
        let is_pinned = self.table.text.iter().any(|text| text == name);
        self.columns
            .push(RecordColumn::new(name, is_wanted, is_pinned));
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
        if self.columns.is_empty() {
            return Err(InputError::new(path, "it has no record, and so no column"));
        }
        let available: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        if let Some(name) = self
            .table
            .text
            .iter()
            .find(|name| !available.contains(name))
        {
            return Err(InputError::new(path, no_column(name, &available)));
        }
        let rows = self.rows;
        let mut columns = Vec::new();
        for column in self.columns.into_iter().filter(|column| column.is_wanted) {
            let (name, marked, is_pinned) = (column.name.clone(), column.marked, column.is_pinned);
            let is_text = column.kind == Some(Kind::Text);
            let cells = column.fill(rows);
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

/// The first byte that is neither white space nor a byte order mark.
fn first_byte(file: &OpenedFile) -> io::Result<Option<u8>> {
    let mut bytes = BufReader::new(file.reader()).bytes();
    let is_blank = |byte: &io::Result<u8>| {
        byte.as_ref()
            .is_ok_and(|b| b.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(b))
    };
    bytes.find(|byte| !is_blank(byte)).transpose()
}

#[cfg(test)]
mod tests;
