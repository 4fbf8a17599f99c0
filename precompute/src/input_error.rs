//! What is wrong with an input: where it is and what to do about it.

use std::fmt;

/// A fault of an input file, as its user reads it: `file, row 12: message`.
///
/// The message is lower case, names the value and says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    pub file: String,
    pub place: Option<Place>,
    pub message: String,
}

/// Where in the file; counts start at 1, bytes at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Line(u64),
    Row(u64),
    RowColumn(u64, String),
    Column(String),
    Feature(u64),
    Byte(u64),
}

impl InputError {
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            place: None,
            message: message.into(),
        }
    }

    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

impl std::error::Error for InputError {}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match &self.place {
            None => {}
            Some(Place::Line(n)) => write!(f, ", line {n}")?,
            Some(Place::Row(n)) => write!(f, ", row {n}")?,
            Some(Place::RowColumn(n, name)) => write!(f, ", row {n}, column {name:?}")?,
            Some(Place::Column(name)) => write!(f, ", column {name:?}")?,
            Some(Place::Feature(n)) => write!(f, ", feature {n}")?,
            Some(Place::Byte(n)) => write!(f, ", byte {n}")?,
        }
        write!(f, ": {}", self.message)
    }
}
