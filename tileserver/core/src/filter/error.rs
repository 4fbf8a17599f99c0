//! What is wrong with a filter, and where.

use super::limits;

/// Why a filter was refused, and the byte of its text at which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause} (byte {position})")]
pub struct FilterError {
    pub cause: Cause,
    /// Offset in bytes from the start of the filter, as given.
    pub position: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum Cause {
    #[error("the filter has {0} bytes, the limit is {max}", max = limits::BYTES_MAX)]
    TooLong(usize),
    #[error("the filter is nested deeper than {max} levels", max = limits::DEPTH_MAX)]
    TooDeep,
    #[error("the filter has more than {max} operators, properties and calls", max = limits::NODES_MAX)]
    TooManyNodes,
    #[error("the filter has more than {max} literals", max = limits::LITERALS_MAX)]
    TooManyLiterals,
    #[error("the filter's geometries have more than {max} vertices", max = limits::VERTICES_MAX)]
    TooManyVertices,
    #[error("the filter is empty")]
    Empty,
    #[error("unexpected character {0:?}")]
    Character(char),
    #[error("expected {expected}, found {found}")]
    Unexpected {
        expected: &'static str,
        found: String,
    },
    #[error("text that opens with ' is not closed")]
    OpenText,
    #[error("a name that opens with \" is not closed")]
    OpenName,
    #[error("`{0}` is not a finite number")]
    Number(String),
    #[error("unknown property `{name}`{}", hint(near))]
    UnknownProperty { name: String, near: Vec<String> },
    #[error(
        "unknown function `{0}`; known: CASEI, ACCENTI, DATE, TIMESTAMP, BBOX, ENVELOPE, \
         S_INTERSECTS, S_DISJOINT, S_WITHIN, S_CONTAINS"
    )]
    UnknownFunction(String),
    #[error("unknown operator `{0}`")]
    UnknownOperator(String),
    #[error("{what} takes {expected}, not {found}")]
    Type {
        what: &'static str,
        expected: &'static str,
        found: &'static str,
    },
    #[error("{left} is compared with {right}; both must be of one type")]
    Mismatch {
        left: &'static str,
        right: &'static str,
    },
    #[error("NULL is not a value; write `… IS NULL`")]
    Null,
    #[error("LIKE needs a text literal as its pattern")]
    Pattern,
    #[error("the pattern ends with its escape character; write \\\\ for a backslash")]
    PatternEscape,
    #[error("`{0}` is not a date (`2022-04-10`) or an instant (`2022-04-10T20:00:00Z`)")]
    Date(String),
    #[error("invalid geometry: {0}")]
    Geometry(&'static str),
    #[error("a spatial predicate needs `geometry` on one side and a literal on the other")]
    SpatialOperands,
    #[error("{0} does not take this type of geometry")]
    SpatialType(&'static str),
    #[error("the layer has no geometry to filter by")]
    NoGeometry,
    #[error("invalid JSON: {0}")]
    Json(String),
    #[error("duplicate member `{0}`")]
    Duplicate(String),
    #[error("`{op}` takes {expected} arguments, not {found}")]
    Arguments {
        op: String,
        expected: &'static str,
        found: usize,
    },
}

impl Cause {
    /// One word for programs that say it in other words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too_long",
            Self::TooDeep | Self::TooManyNodes | Self::TooManyLiterals | Self::TooManyVertices => {
                "too_complex"
            }
            Self::Empty => "empty",
            Self::Character(_) | Self::Unexpected { .. } => "syntax",
            Self::OpenText => "open_text",
            Self::OpenName => "open_name",
            Self::Number(_) => "number",
            Self::UnknownProperty { .. } => "unknown_property",
            Self::UnknownFunction(_) => "unknown_function",
            Self::UnknownOperator(_) => "unknown_operator",
            Self::Type { .. } | Self::Mismatch { .. } => "type",
            Self::Null => "null",
            Self::Pattern | Self::PatternEscape => "pattern",
            Self::Date(_) => "date",
            Self::Geometry(_) | Self::SpatialOperands | Self::SpatialType(_) | Self::NoGeometry => {
                "geometry"
            }
            Self::Json(_) | Self::Duplicate(_) => "json",
            Self::Arguments { .. } => "arguments",
        }
    }

    /// What the caller wrote that is at fault, where it has a name or a value.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Number(text)
            | Self::UnknownProperty { name: text, .. }
            | Self::UnknownFunction(text)
            | Self::UnknownOperator(text)
            | Self::Date(text)
            | Self::Duplicate(text)
            | Self::Arguments { op: text, .. } => Some(text),
            _ => None,
        }
    }

    /// Known names that are like an unknown one.
    #[must_use]
    pub fn near(&self) -> &[String] {
        match self {
            Self::UnknownProperty { near, .. } => near,
            _ => &[],
        }
    }

    pub(super) fn at(self, position: usize) -> FilterError {
        FilterError {
            cause: self,
            position,
        }
    }
}

/// Names that may have been meant, as the end of a message.
pub(crate) fn hint(near: &[String]) -> String {
    if near.is_empty() {
        String::new()
    } else {
        format!("; did you mean `{}`?", near.join("`, `"))
    }
}

/// What the caller wrote, short enough to repeat in a message.
pub(super) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
