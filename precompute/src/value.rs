//! A cell of a table or a property of a polygon.

/// A value as SQL sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Missing; never zero.
    Null,
    /// Finite.
    Number(f64),
    Text(Box<str>),
}

/// A value where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Missing; never zero.
    Null,
    /// Finite.
    Number(f64),
    Text(&'a str),
}

impl Value {
    #[must_use]
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Number(number) => Cell::Number(*number),
            Self::Text(text) => Cell::Text(text),
        }
    }
}
