//! A column of records: of one kind, with a cell where a record has it.

use tilecore::nfc::composed;

use super::super::builder::Markers;
use super::super::number::trim;
use super::super::parquet::too_long;
use super::super::relation::{Cells, Texts};

/// Whole numbers up to here are exact.
const EXACT_MAX: u128 = 1 << 53;

/// A column under construction.
#[derive(Debug)]
pub(super) struct RecordColumn {
    pub(super) name: String,
    pub(super) is_wanted: bool,
    pub(super) is_pinned: bool,
    /// The last row that has it.
    pub(super) seen: usize,
    numbers: Vec<f64>,
    texts: Texts,
    pub(super) kind: Option<Kind>,
    /// Secrets met while the kind is open, with their rows.
    secrets: Vec<(usize, String)>,
    /// Cells that hold a marker for "no value".
    pub(super) marked: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
}

/// A scalar of a record.
pub(super) enum Scalar<'a> {
    Null,
    Number(f64),
    /// Digits that `f64` may not hold.
    Whole(i128),
    Text(&'a str),
}

impl RecordColumn {
    pub(super) fn new(name: &str, is_wanted: bool, is_pinned: bool) -> Self {
        Self {
            name: name.to_owned(),
            is_wanted,
            is_pinned,
            seen: 0,
            numbers: Vec::new(),
            texts: Texts::default(),
            kind: None,
            secrets: Vec::new(),
            marked: 0,
        }
    }

    /// Sets the cell of `row`; rows in between have none.
    pub(super) fn set(
        &mut self,
        row: usize,
        cell: &Scalar<'_>,
        markers: &Markers,
    ) -> Result<(), String> {
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
            Scalar::Whole(value) if value.unsigned_abs() <= EXACT_MAX => {
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

    /// The cells of all rows.
    pub(super) fn fill(mut self, rows: usize) -> Cells {
        if self.kind == Some(Kind::Text) {
            while self.texts.len() < rows {
                self.texts.push("");
            }
            Cells::Text(self.texts)
        } else {
            self.numbers.resize(rows, f64::NAN);
            Cells::numbers(self.numbers)
        }
    }
}
