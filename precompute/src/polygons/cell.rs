//! Property texts as values.

use crate::value::Value;

/// The largest integer below which every integer is a double.
pub(super) const EXACT_MAX: u64 = 1 << 53;

/// The value of a number as it is written: an integer that no double holds, or one beyond all
/// doubles, stays text.
pub(super) fn number(text: &str) -> Value {
    let digits = text.trim_start_matches(['-', '+']);
    let is_integer = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_exact = !is_integer || digits.parse::<u64>().is_ok_and(|n| n <= EXACT_MAX);
    match text.parse::<f64>() {
        Ok(n) if is_exact && n.is_finite() => Value::Number(n),
        _ => Value::Text(text.into()),
    }
}

pub(super) fn integer(n: i64) -> Value {
    if n.unsigned_abs() <= EXACT_MAX {
        #[expect(clippy::cast_precision_loss, reason = "no more than 53 bits")]
        Value::Number(n as f64)
    } else {
        Value::Text(n.to_string().into())
    }
}

pub(super) fn unsigned(n: u64) -> Value {
    i64::try_from(n).map_or_else(|_| Value::Text(n.to_string().into()), integer)
}

/// Missing when it is not finite.
pub(super) fn double(n: f64) -> Value {
    if n.is_finite() {
        Value::Number(n)
    } else {
        Value::Null
    }
}

pub(super) fn boolean(b: bool) -> Value {
    Value::Number(f64::from(u8::from(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_exact_or_text() {
        let check = |text: &str, expected: Option<f64>| {
            let expected = expected.map_or_else(|| Value::Text(text.into()), Value::Number);
            assert_eq!(number(text), expected, "{text}");
        };
        check("1", Some(1.0));
        check("-12.5e3", Some(-12_500.0));
        check("9007199254740992", Some(9_007_199_254_740_992.0));
        check("9007199254740993", None);
        check("-9007199254740993", None);
        check("123456789012345678901234567890", None);
        check("1e400", None);
        check("0.1", Some(0.1));
        assert_eq!(
            integer(-9_007_199_254_740_993),
            Value::Text("-9007199254740993".into())
        );
        assert_eq!(
            unsigned(u64::MAX),
            Value::Text("18446744073709551615".into())
        );
        assert_eq!(double(f64::NAN), Value::Null);
    }
}
