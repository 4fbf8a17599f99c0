//! Records as serde meets them: nothing is kept but the cells asked for.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use tilecore::nfc::composed;

use super::super::builder::Markers;
use super::column::{RecordColumn, Scalar};
use super::{RECORD_MAX, Records};

/// The array around the records.
pub(super) struct ArrayOf<'r, 'a> {
    pub(super) records: &'r mut Records<'a>,
    pub(super) budget: Rc<Cell<u64>>,
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
pub(super) struct Record<'r, 'a>(pub(super) &'r mut Records<'a>);

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

/// A reader that fails when one record takes too many bytes.
pub(super) struct Bounded<R> {
    reader: R,
    left: Rc<Cell<u64>>,
    is_started: bool,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(reader: R) -> (Self, Rc<Cell<u64>>) {
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
