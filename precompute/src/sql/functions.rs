//! The functions the project file adds to SQLite's: padding, accents, order statistics.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{maths, votes};

/// The longest text padding makes.
const PADDED_MAX: i64 = 10_000;

/// Adds `lpad`, `rpad`, `unaccent`, `median`, `quantile`, those of votes and of mathematics.
pub(super) fn add(connection: &Connection) -> Result<()> {
    votes::add(connection)?;
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    maths::add(connection, flags)?;
    for arguments in [2, 3] {
        connection.create_scalar_function("lpad", arguments, flags, |c| pad(c, Side::Left))?;
        connection.create_scalar_function("rpad", arguments, flags, |c| pad(c, Side::Right))?;
    }
    connection.create_scalar_function("unaccent", 1, flags, |context| {
        Ok(text(context, 0)?.map(|text| unaccent(&text)))
    })?;
    connection.create_aggregate_function("median", 1, flags, Quantile)?;
    connection.create_aggregate_function("quantile", 2, flags, Quantile)
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// `lpad(text, length, fill = ' ')`: as in PostgreSQL, longer text is cut at its end.
fn pad(context: &Context<'_>, side: Side) -> Result<Option<String>> {
    let fill = if context.len() == 3 {
        text(context, 2)?
    } else {
        Some(" ".to_owned())
    };
    let length = context.get::<Option<i64>>(1)?;
    let (Some(text), Some(length), Some(fill)) = (text(context, 0)?, length, fill) else {
        return Ok(None);
    };
    if length > PADDED_MAX {
        return Err(fault(format!(
            "a length of {length} is more than {PADDED_MAX}"
        )));
    }
    let length = usize::try_from(length).unwrap_or(0);
    let count = text.chars().count();
    if count >= length {
        return Ok(Some(text.chars().take(length).collect()));
    }
    let filling: String = fill.chars().cycle().take(length - count).collect();
    Ok(Some(match side {
        Side::Left => filling + &text,
        Side::Right => text + &filling,
    }))
}

/// An argument as SQLite would cast it to text.
pub(super) fn text(context: &Context<'_>, index: usize) -> Result<Option<String>> {
    Ok(match context.get_raw(index) {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(_) => return Err(fault("a blob is not text")),
    })
}

/// Letters without their marks: `É` is `E`, `œ` is `oe`.
pub(crate) fn unaccent(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("OE"),
            'æ' => plain.push_str("ae"),
            'Æ' => plain.push_str("AE"),
            'ß' => plain.push_str("ss"),
            'ø' => plain.push('o'),
            'Ø' => plain.push('O'),
            'ł' => plain.push('l'),
            'Ł' => plain.push('L'),
            'đ' => plain.push('d'),
            'Đ' => plain.push('D'),
            'ı' => plain.push('i'),
            other => plain.push(other),
        }
    }
    plain
}

/// `quantile(x, p)` by linear interpolation between order statistics (type 7 of Hyndman & Fan
/// 1996, the default of R, `NumPy` and `DuckDB`); `median(x)` is `quantile(x, 0.5)`.
struct Quantile;

struct Sample {
    values: Vec<f64>,
    p: f64,
}

impl Aggregate<Sample, Option<f64>> for Quantile {
    fn init(&self, _: &mut Context<'_>) -> Result<Sample> {
        let values = Vec::new();
        Ok(Sample { values, p: 0.5 })
    }

    fn step(&self, context: &mut Context<'_>, sample: &mut Sample) -> Result<()> {
        if context.len() == 2 {
            let p: f64 = context.get(1)?;
            if !(0.0..=1.0).contains(&p) {
                return Err(fault(format!("quantile: {p} is not between 0 and 1")));
            }
            if !sample.values.is_empty() && p.to_bits() != sample.p.to_bits() {
                return Err(fault("quantile: the share differs from row to row"));
            }
            sample.p = p;
        }
        match context.get_raw(0) {
            ValueRef::Null => {}
            #[expect(clippy::cast_precision_loss, reason = "whole numbers are below 2^53")]
            ValueRef::Integer(value) => sample.values.push(value as f64),
            ValueRef::Real(value) => sample.values.push(value),
            ValueRef::Text(_) | ValueRef::Blob(_) => {
                return Err(fault(
                    "a median or quantile needs numbers: the column is text",
                ));
            }
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sample: Option<Sample>) -> Result<Option<f64>> {
        Ok(sample.and_then(|Sample { mut values, p }| quantile(&mut values, p)))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a position between 0 and the count"
)]
fn quantile(values: &mut [f64], p: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let position = p * last as f64;
    let below = position.floor() as usize;
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let share = position - below as f64;
    let high = above.iter().copied().min_by(f64::total_cmp);
    Some(match high {
        Some(high) if share > 0.0 => low + share * (high - low),
        _ => low,
    })
}

pub(super) fn fault(message: impl Into<String>) -> Error {
    Error::UserFunctionError(message.into().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(sql: &str) -> String {
        let connection = Connection::open_in_memory().unwrap();
        add(&connection).unwrap();
        let query = format!("select coalesce(cast({sql} as text), 'missing')");
        match connection.query_row(&query, [], |row| row.get(0)) {
            Ok(text) => text,
            Err(e) => format!("error: {e}"),
        }
    }

    #[test]
    fn padding_is_postgresql_s() {
        for (sql, expected) in [
            ("lpad('7', 3, '0')", "007"),
            ("lpad(7, 3, '0')", "007"),
            ("lpad(7.0, 3, '0')", "007"),
            ("lpad('hello', 2, 'x')", "he"),
            ("lpad('é', 3)", "  é"),
            ("lpad('a', 5, 'xy')", "xyxya"),
            ("rpad('a', 4, 'xy')", "axyx"),
            ("lpad('a', 3, '')", "a"),
            ("lpad('a', -1, 'x')", ""),
            ("lpad(null, 3, '0')", "missing"),
        ] {
            assert_eq!(answer(sql), expected, "{sql}");
        }
        assert!(answer("lpad('a', 1000000000, 'x')").contains("more than 10000"));
    }

    #[test]
    fn accents_go() {
        let sql = "unaccent('ÉÈ ç ñ Œuvre Łódź İı ﬁ')";
        assert_eq!(answer(sql), "EE c n OEuvre Lodz Ii ﬁ");
    }

    #[test]
    fn quantiles_interpolate() {
        let of = |f: &str| {
            answer(&format!(
                "(select {f} from (values (1),(2.5),(null),(4),(10)))"
            ))
        };
        assert_eq!(of("median(column1)"), "3.25");
        assert_eq!(of("quantile(column1, 0.25)"), "2.125");
        assert_eq!(of("quantile(column1, 1)"), "10.0");
        assert_eq!(of("median(null)"), "missing");
        assert!(of("quantile(column1, 2)").contains("not between 0 and 1"));
        assert!(of("median('a')").contains("needs numbers"));
    }

    proptest! {
        #[test]
        fn a_quantile_is_that_of_the_sorted_values(
            mut values in prop::collection::vec(-1e6..1e6_f64, 1..40), p in 0.0..=1.0_f64
        ) {
            let found = quantile(&mut values, p).unwrap();
            values.sort_by(f64::total_cmp);
            // Walks up the order statistics, one step of 1 / (n - 1) at a time.
            let steps = f64::from(u32::try_from(values.len() - 1).unwrap());
            let mut below = 0;
            let mut rest = p * steps;
            while rest > 1.0 {
                rest -= 1.0;
                below += 1;
            }
            let high = values.get(below + 1).unwrap_or(&values[below]);
            let expected = values[below] + rest * (high - values[below]);
            prop_assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0));
        }
    }
}
