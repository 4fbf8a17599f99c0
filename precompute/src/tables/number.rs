//! One cell as a number, or why it is none.
//!
//! ```text
//! number   = ["-" | "+"] digits [mark digits] [("e" | "E") ("-" | "+") digits] [spaces "%"]
//! mark     = "." | ","        (one of them, once `decimal` is known)
//! ```
//! White space around is ignored. `12%` is 12: the sign is a unit. What could be a code is never a
//! number: a leading zero (`01001`), a plus before a whole number (`+49`), more digits than are
//! exact (beyond 2⁵³), an exponent without a sign or a mark (`2E4`).

/// Powers of ten that are exact.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Whole numbers up to here are exact.
const EXACT_MAX: u64 = 1 << 53;

/// What people and programs write for "no value" or cannot compute; never taken for a value.
const NO_VALUES: &[&str] = &[
    "nan", "inf", "infinity", "na", "n/a", "#n/a", "#div/0!", "#value!", "#ref!", "null", "none",
    "nil", "-", "--", ".", "..", "...", ":", "*", "?",
];

/// How numbers are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Grammar {
    /// `None`: either, to be told from the column.
    pub(super) decimal: Option<u8>,
    /// Whether a column may have both marks; nothing groups digits then.
    pub(super) has_both_marks: bool,
    pub(super) thousands: Option<char>,
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    Empty,
    Number(f64, Form),
    /// Digits that are a code.
    Code(&'static str),
    /// Meant as a number, or as none: `NaN`, `1e999`, `0x10`, `1 234`, `n/a`.
    Lookalike,
    /// Letters and digits: `2A`.
    Letters,
    Words,
}

/// How a number was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) mark: Option<u8>,
    pub(super) is_percent: bool,
    /// The mark could part thousands: `1.234`.
    pub(super) is_ambiguous: bool,
}

/// Reads a cell.
pub(super) fn read(cell: &str, grammar: Grammar) -> Reading {
    let cell = trim(cell);
    if cell.is_empty() {
        return Reading::Empty;
    }
    if let Some(reading) = plain(cell.as_bytes(), grammar.decimal) {
        return reading;
    }
    if let Some(separator) = grammar.thousands
        && let Some(joined) = without_groups(cell, separator)
        && let Some(Reading::Number(value, form)) = plain(joined.as_bytes(), grammar.decimal)
    {
        return Reading::Number(value, form);
    }
    classify(cell)
}

/// Without white space at both ends, no-break spaces included.
pub(super) fn trim(cell: &str) -> &str {
    match cell.as_bytes() {
        [first, .., last] | [first @ last]
            if first.is_ascii_graphic() && last.is_ascii_graphic() =>
        {
            cell
        }
        _ => cell.trim_matches(is_space),
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{202f}' || c == '\u{feff}' || c == '\u{200b}'
}

/// The grammar above; `None` when the cell is not of it.
fn plain(cell: &[u8], decimal: Option<u8>) -> Option<Reading> {
    let (sign, rest) = match cell {
        [b'-', rest @ ..] => (Some(b'-'), rest),
        [b'+', rest @ ..] => (Some(b'+'), rest),
        _ => (None, cell),
    };
    let whole = digits(rest);
    let mut mantissa = accumulate(0, whole);
    let mut rest = &rest[whole.len()..];
    let mut mark = None;
    let mut fraction: &[u8] = &[];
    if let [first @ (b'.' | b','), after @ ..] = rest
        && decimal.is_none_or(|decimal| decimal == *first)
    {
        mark = Some(*first);
        fraction = digits(after);
        mantissa = mantissa.and_then(|m| accumulate(m, fraction));
        rest = &after[fraction.len()..];
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (exponent, rest) = exponent(rest, mark.is_some())?;
    let is_percent = match rest {
        [] => false,
        _ if std::str::from_utf8(rest).is_ok_and(|rest| trim(rest) == "%") => true,
        _ => return None,
    };
    if whole.len() > 1 && whole[0] == b'0' {
        return Some(Reading::Code("it starts with 0"));
    }
    let is_bare = mark.is_none() && exponent.is_none() && !is_percent;
    if is_bare && sign == Some(b'+') {
        return Some(Reading::Code("it starts with +"));
    }
    if is_bare && mantissa.is_none_or(|m| m > EXACT_MAX) {
        return Some(Reading::Code("it has more digits than a number keeps"));
    }
    let scale = exponent.unwrap_or(0) - i32::try_from(fraction.len()).ok()?;
    let value = match scaled(mantissa, scale) {
        Some(value) => value,
        None => slow(whole, fraction, exponent.unwrap_or(0))?,
    };
    if !value.is_finite() {
        return Some(Reading::Lookalike);
    }
    // Zero has no sign.
    let value = if sign == Some(b'-') && value != 0.0 {
        -value
    } else {
        value
    };
    let form = Form {
        mark,
        is_percent,
        is_ambiguous: fraction.len() == 3
            && (1..=3).contains(&whole.len())
            && whole[0] != b'0'
            && exponent.is_none(),
    };
    Some(Reading::Number(value, form))
}

fn digits(bytes: &[u8]) -> &[u8] {
    let count = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    &bytes[..count]
}

/// Appends digits to a number; `None` when it overflows.
fn accumulate(start: u64, digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(start, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// A signed exponent, or after a mark any; `None` when what follows `e` is none.
fn exponent(rest: &[u8], has_mark: bool) -> Option<(Option<i32>, &[u8])> {
    let [b'e' | b'E', after @ ..] = rest else {
        return Some((None, rest));
    };
    let (is_negative, after) = match after {
        [b'-', after @ ..] => (true, after),
        [b'+', after @ ..] => (false, after),
        _ if has_mark => (false, after),
        _ => return None,
    };
    let digits = digits(after);
    let mut value = 0_i32;
    for digit in digits {
        // Far beyond what f64 holds either way.
        value = (value * 10 + i32::from(digit - b'0')).min(100_000);
    }
    let value = if is_negative { -value } else { value };
    (!digits.is_empty()).then_some((Some(value), &after[digits.len()..]))
}

/// `mantissa · 10^scale` where one exact operation gives it (Clinger 1990).
fn scaled(mantissa: Option<u64>, scale: i32) -> Option<f64> {
    let mantissa = mantissa.filter(|m| *m <= EXACT_MAX)?;
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
    let mantissa = mantissa as f64;
    let ten = TENS.get(scale.unsigned_abs() as usize)?;
    Some(if scale < 0 {
        mantissa / ten
    } else {
        mantissa * ten
    })
}

fn slow(whole: &[u8], fraction: &[u8], exponent: i32) -> Option<f64> {
    let whole = std::str::from_utf8(whole).ok()?;
    let fraction = std::str::from_utf8(fraction).ok()?;
    format!("{whole}.{fraction}e{exponent}").parse().ok()
}

/// Joins groups of three digits: `1 234 567,5` is `1234567,5`.
fn without_groups(cell: &str, separator: char) -> Option<String> {
    let is_separator = |c: char| {
        c == separator || separator == ' ' && matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}')
    };
    let first = cell.find(is_separator)?;
    let sign = usize::from(cell.starts_with(['-', '+']));
    if !(1..=3).contains(&first.checked_sub(sign)?) {
        return None;
    }
    let mut joined = cell[..first].to_owned();
    let mut rest = &cell[first..];
    while let Some(group) = rest.strip_prefix(is_separator) {
        let is_group = group.len() >= 3 && group.as_bytes()[..3].iter().all(u8::is_ascii_digit);
        if !is_group || group.as_bytes().get(3).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        joined.push_str(&group[..3]);
        rest = &group[3..];
    }
    joined.push_str(rest);
    Some(joined)
}

fn classify(cell: &str) -> Reading {
    let unsigned = cell.trim_start_matches(['-', '+']);
    let is_no_value =
        |word: &&str| word.eq_ignore_ascii_case(cell) || word.eq_ignore_ascii_case(unsigned);
    if NO_VALUES.iter().any(is_no_value) {
        return Reading::Lookalike;
    }
    let is_hexadecimal = unsigned.split_at_checked(2).is_some_and(|(head, digits)| {
        head.eq_ignore_ascii_case("0x") && digits.bytes().all(|b| b.is_ascii_hexdigit())
    });
    let mut has_digit = false;
    let mut has_letter = false;
    for c in cell.chars() {
        has_digit |= c.is_numeric();
        has_letter |= c.is_alphabetic();
    }
    match (has_digit, has_letter) {
        (true, true) if is_hexadecimal || overflows(cell) => Reading::Lookalike,
        (true, true) => Reading::Letters,
        (true, false) => Reading::Lookalike,
        (false, _) => Reading::Words,
    }
}

/// `1e309`: digits and an exponent that no number has.
fn overflows(cell: &str) -> bool {
    let looks = cell
        .bytes()
        .all(|b| b.is_ascii_digit() || b"eE+-.".contains(&b));
    looks && cell.parse::<f64>().is_ok_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANY: Grammar = Grammar {
        decimal: None,
        thousands: None,
        has_both_marks: false,
    };

    fn value(cell: &str, grammar: Grammar) -> Option<f64> {
        match read(cell, grammar) {
            Reading::Number(value, _) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn numbers_are_read_as_written() {
        for (cell, expected) in [
            ("0", 0.0_f64),
            ("-0", 0.0),
            ("-0,0", 0.0),
            ("0,368", 0.368),
            ("78,94%", 78.94),
            ("78.94 %", 78.94),
            ("  12 ", 12.0),
            ("\u{a0}12\u{202f}%", 12.0),
            ("-3.8e-15", -3.8e-15),
            ("1e+05", 1e5),
            ("1.5E3", 1500.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+3,2", 3.2),
            ("119661417.92606564", 119_661_417.926_065_64),
            ("9007199254740992", 9_007_199_254_740_992.0),
            ("0.027680290375374228", 0.027_680_290_375_374_228),
        ] {
            let found = value(cell, ANY).expect(cell);
            assert_eq!(found.to_bits(), expected.to_bits(), "{cell}: {found}");
        }
    }

    #[test]
    fn what_is_no_number_says_what_it_is() {
        for cell in [
            "01001",
            "00",
            "-01",
            "+49",
            "9007199254740993",
            "12345678901234567890123",
        ] {
            assert!(matches!(read(cell, ANY), Reading::Code(_)), "{cell}");
        }
        for cell in [
            "NaN",
            "Infinity",
            "-inf",
            "1e309",
            "-1e+999",
            "0x10",
            "1_000",
            "1 234",
            "n/a",
            "-",
            "#N/A",
            "1.234,56",
            "1,234,567",
            "12/05/2022",
            "--1",
            "1-",
            "..",
            "12%%",
            "٣",
            "1,2.3",
        ] {
            assert_eq!(read(cell, ANY), Reading::Lookalike, "{cell}");
        }
        for cell in ["2A", "136A", "1e5", "1e-", "12abc", "B 7"] {
            assert_eq!(read(cell, ANY), Reading::Letters, "{cell}");
        }
        assert_eq!(read("Ajaccio", ANY), Reading::Words);
        assert_eq!(read(" \u{a0}\u{200b}", ANY), Reading::Empty);
    }

    #[test]
    fn thousands_need_whole_groups() {
        let with = |thousands, decimal| Grammar {
            decimal: Some(decimal),
            thousands: Some(thousands),
            ..ANY
        };
        for (cell, grammar, expected) in [
            ("1.234,56", with('.', b','), Some(1234.56)),
            ("1,234,567", with(',', b'.'), Some(1_234_567.0)),
            ("-1 234", with(' ', b'.'), Some(-1234.0)),
            (
                "1\u{a0}234\u{202f}567,5",
                with(' ', b','),
                Some(1_234_567.5),
            ),
            ("12'345", with('\'', b'.'), Some(12_345.0)),
            ("1.23", with('.', b','), None),
            ("1.2345", with('.', b','), None),
            ("1234.567", with('.', b','), None),
            (".234", with('.', b','), None),
            ("0.234", with('.', b','), None),
        ] {
            assert_eq!(value(cell, grammar), expected, "{cell}");
        }
    }

    #[test]
    fn a_pinned_mark_excludes_the_other() {
        let comma = Grammar {
            decimal: Some(b','),
            ..ANY
        };
        assert_eq!(value("1,5", comma), Some(1.5));
        assert_eq!(read("1.5", comma), Reading::Lookalike);
    }

    proptest! {
        #[test]
        fn values_are_those_of_the_standard_library(
            value in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        ) {
            let texts = [format!("{value:e}"), format!("{value:.3}"), format!("{value:?}")];
            for text in texts.map(|t| t.replacen('e', "E+", 1).replace("E+-", "e-")) {
                let expected: f64 = text.parse().unwrap();
                if let Reading::Number(found, _) = read(&text, ANY) {
                    prop_assert_eq!(found.to_bits(), (expected + 0.0).to_bits(), "{}", text);
                } else {
                    prop_assert!(matches!(read(&text, ANY), Reading::Code(_)), "{}", text);
                }
            }
        }

        #[test]
        fn no_text_panics(cell in "\\PC{0,12}|[0-9.,eE+ %'-]{0,14}", thousands in " |\\.|,|'") {
            for decimal in [None, Some(b','), Some(b'.')] {
                let grammar = Grammar { decimal, thousands: thousands.chars().next(), ..ANY };
                if let Reading::Number(value, _) = read(&cell, grammar) {
                    prop_assert!(value.is_finite());
                }
            }
        }
    }
}
