//! Values into statements and out of answers.

use rusqlite::Statement;
use rusqlite::types::{Null, ValueRef};

use crate::tables::Cells;
use crate::value::Value;

/// Whole numbers up to here are exact in `f64`.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// What is said of infinity.
pub(super) const TOO_LARGE: &str = "the number is too large";

pub(super) fn bind_value(
    statement: &mut Statement<'_>,
    at: usize,
    value: &Value,
) -> rusqlite::Result<()> {
    match value {
        Value::Null => statement.raw_bind_parameter(at, Null),
        #[expect(clippy::cast_possible_truncation, reason = "a whole number up to 2^53")]
        Value::Number(number) if number.fract() == 0.0 && number.abs() <= WHOLE_MAX => {
            statement.raw_bind_parameter(at, *number as i64)
        }
        Value::Number(number) => statement.raw_bind_parameter(at, *number),
        Value::Text(text) => statement.raw_bind_parameter(at, &**text),
    }
}

pub(super) fn bind_cell(
    statement: &mut Statement<'_>,
    at: usize,
    cells: &Cells,
    row: usize,
) -> rusqlite::Result<()> {
    match cells {
        Cells::Whole(values) if values[row] != Cells::NO_WHOLE => {
            statement.raw_bind_parameter(at, values[row])
        }
        // SQLite stores a whole number of a numeric column as one.
        Cells::Real(values) if !values[row].is_nan() => {
            statement.raw_bind_parameter(at, values[row])
        }
        Cells::Text(texts) => match texts.get(row) {
            Some(text) => statement.raw_bind_parameter(at, text),
            None => statement.raw_bind_parameter(at, Null),
        },
        Cells::Whole(_) | Cells::Real(_) => statement.raw_bind_parameter(at, Null),
    }
}

pub(super) fn value_of(value: ValueRef<'_>) -> Result<Value, &'static str> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        ValueRef::Integer(number) => Value::Number(number as f64),
        ValueRef::Real(number) if number.is_finite() => Value::Number(number),
        ValueRef::Real(_) => return Err(TOO_LARGE),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.into()),
            Err(_) => return Err("the text is not UTF-8"),
        },
        ValueRef::Blob(_) => return Err("a blob is neither number nor text"),
    })
}
