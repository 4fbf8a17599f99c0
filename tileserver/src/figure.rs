//! How values are written as text: numbers as the shortest that read back as the same, text
//! escaped for JSON.

use std::io::Write as _;

/// Whole numbers beyond this are written with an exponent, as they are no counts any more.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A finite number: `12`, `0.1`, `1e300`; never `-0`.
pub fn write_figure(value: f64, out: &mut Vec<u8>) {
    if value.fract() == 0.0 && value.abs() < WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        let whole = value as i64;
        let _ = write!(out, "{whole}");
    } else {
        let _ = serde_json::to_writer(out, &value);
    }
}

/// A JSON string with its quotes.
pub fn write_json_text(text: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, text);
}

/// The same number in a tree of values; null unless finite.
#[must_use]
pub fn figure(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        let whole = value as i64;
        whole.into()
    } else {
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_back() {
        let written = |value: f64| {
            let mut out = Vec::new();
            write_figure(value, &mut out);
            String::from_utf8(out).unwrap()
        };
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.0, "12"),
            (-3.5, "-3.5"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (1e300, "1e+300"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
        ] {
            assert_eq!(written(value), text);
            assert_eq!(
                text.parse::<f64>().unwrap().to_bits() << 1,
                value.to_bits() << 1
            );
        }
    }
}
