//! DATE and TIMESTAMP literals: ISO 8601 text, compared as text.

use super::ast::{Node, NodeKind};
use super::error::{Cause, FilterError, excerpt};

/// A text literal, unless `text` is not `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS[.fff]Z`.
pub(super) fn checked(text: String, at: usize) -> Result<Node, FilterError> {
    if is_instant(&text) {
        Ok(NodeKind::Text(text).at(at))
    } else {
        Err(Cause::Date(excerpt(&text)).at(at))
    }
}

fn is_instant(text: &str) -> bool {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    is_date(date) && time.is_none_or(is_time)
}

fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = fields(text, '-', [4, 2, 2]) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let Some(text) = text.strip_suffix('Z') else {
        return false;
    };
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let Some([hours, minutes, seconds]) = fields(clock, ':', [2, 2, 2]) else {
        return false;
    };
    let digits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    hours < 24 && minutes < 60 && seconds <= 60 && digits
}

fn fields(text: &str, separator: char, widths: [usize; 3]) -> Option<[u32; 3]> {
    let mut values = [0; 3];
    let mut parts = text.split(separator);
    for (value, width) in values.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *value = part.parse().ok()?;
    }
    parts.next().is_none().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::is_instant;

    #[test]
    fn instants() {
        for text in [
            "2022-04-10",
            "2024-02-29",
            "2022-04-10T20:00:00Z",
            "2022-04-10T20:00:00.25Z",
        ] {
            assert!(is_instant(text), "{text}");
        }
        for text in [
            "",
            "2022-4-10",
            "2023-02-29",
            "2022-13-01",
            "2022-04-10T25:00:00Z",
            "2022-04-10T20:00:00",
            "2022-04-10T20:00:00.Z",
            "٢٠٢٢-04-10",
            "2022-04-10-01",
        ] {
            assert!(!is_instant(text), "{text}");
        }
    }
}
