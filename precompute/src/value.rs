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
