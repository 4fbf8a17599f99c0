//! What is wrong with a text file, and where.

use super::blocks::CutError;
use super::dialect::{BadByte, Dialect, reader};
use super::shape::Shape;
use crate::input_error::{InputError, Place};
use crate::open::OpenedFile;

/// A record that is not of the file's shape.
#[derive(Debug)]
pub(super) struct Fault {
    /// From the block's first record, 1.
    pub(super) row: u64,
    pub(super) message: String,
}

/// Why a block cannot be used.
#[derive(Debug)]
pub(super) enum Failure {
    Cut(CutError),
    Byte(BadByte),
    Record(Fault),
}

impl From<CutError> for Failure {
    fn from(error: CutError) -> Self {
        Self::Cut(error)
    }
}

impl From<BadByte> for Failure {
    fn from(error: BadByte) -> Self {
        Self::Byte(error)
    }
}

impl From<Fault> for Failure {
    fn from(error: Fault) -> Self {
        Self::Record(error)
    }
}

impl Failure {
    /// The fault of a file whose earlier blocks have `rows_before` records.
    pub(super) fn located(
        self,
        file: &OpenedFile,
        rows_before: u64,
        dialect: Dialect,
        shape: Option<&Shape>,
    ) -> InputError {
        let fault = |message: String| InputError::new(&*file.name, message);
        let skip = dialect.skip as u64;
        match self {
            Self::Cut(CutError::Io(error)) => file.unreadable(&error),
            Self::Cut(CutError::UnclosedQuote { byte }) => {
                let message = "the quote that opens a field here is never closed (or its field is \
                               longer than 16 MB)";
                fault(message.into()).at(Place::Byte(byte + skip))
            }
            Self::Cut(CutError::LongRecord { byte }) => {
                let message = "no line ends within 16 MB: it is no table of text";
                fault(message.into()).at(Place::Byte(byte + skip))
            }
            Self::Record(Fault { row, message }) => {
                fault(message).at(Place::Row(rows_before + row))
            }
            Self::Byte(bad) => {
                let before = String::from_utf8_lossy(&bad.block[..bad.at]);
                let mut records = reader(before.as_bytes(), dialect.delimiter);
                let (mut row, mut field) = (1, 0);
                for record in records.records().map_while(Result::ok) {
                    field = record.len() - 1;
                    row += 1;
                }
                // The cut record is the last, unless a line has just ended.
                if before.ends_with(['\n', '\r']) {
                    field = 0;
                } else {
                    row -= u64::from(row > 1);
                }
                let row = rows_before + row;
                let place = match shape.and_then(|shape| shape.field_name(field)) {
                    Some(name) => Place::RowColumn(row, name.to_owned()),
                    None => Place::Row(row),
                };
                let byte = bad.block[bad.at];
                fault(format!("byte 0x{byte:02x} is {}", bad.message)).at(place)
            }
        }
    }
}
