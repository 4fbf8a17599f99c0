//! Numbers as people read them, by unit and language: `38.2 %`, `1,024`.

/// How the values of one indicator are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Whether values are shares, told in percent.
    pub percent: bool,
    pub digits: usize,
    /// What follows a value.
    pub suffix: String,
    french: bool,
}

impl Format {
    /// Digits follow from the distance between the extremes, to three figures of it, and keep
    /// `limits` apart.
    #[must_use]
    pub fn new(unit: Option<&str>, limits: &[f64], lang: &str) -> Self {
        let french = lang == "fr";
        let percent = unit == Some("share");
        let scale = if percent { 100.0 } else { 1.0 };
        let span = match (limits.first(), limits.last()) {
            (Some(first), Some(last)) => (last - first).abs() * scale,
            _ => 0.0,
        };
        let digits = if unit == Some("count") {
            0
        } else {
            digits_for(span)
        };
        let apart = |digits: usize| {
            let step = 10_f64.powi(-i32::try_from(digits).unwrap_or(0));
            limits
                .windows(2)
                .map(|pair| (pair[1] - pair[0]) * scale)
                .all(|gap| gap <= 0.0 || gap >= step)
        };
        let most = if unit == Some("count") { 0 } else { digits + 2 };
        let digits = (digits..most).find(|&d| apart(d)).unwrap_or(most);
        let suffix = match unit {
            None | Some("count") => String::new(),
            Some("share") => "%".into(),
            Some("per_1000") if french => "pour 1 000".into(),
            Some("per_1000") => "per 1,000".into(),
            Some("eur") => "€".into(),
            Some(other) => other.replace('_', " "),
        };
        Self {
            percent,
            digits,
            suffix,
            french,
        }
    }

    /// Without its unit.
    #[must_use]
    pub fn plain(&self, value: f64) -> String {
        let value = if self.percent { value * 100.0 } else { value };
        let text = format!("{:.*}", self.digits, value.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let (group, point) = if self.french {
            ("\u{202f}", ",")
        } else {
            (",", ".")
        };
        let mut out = String::new();
        if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
            out.push('\u{2212}');
        }
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                out.push_str(group);
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push_str(point);
            out.push_str(fraction);
        }
        out
    }

    /// With its unit.
    #[must_use]
    pub fn value(&self, value: f64) -> String {
        let plain = self.plain(value);
        if self.suffix.is_empty() {
            plain
        } else {
            format!("{plain}\u{202f}{}", self.suffix)
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=6"
)]
fn digits_for(span: f64) -> usize {
    if span > 0.0 {
        (2.0 - span.log10().floor()).clamp(0.0, 6.0) as usize
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_unit_and_language() {
        let told = |unit, limits: &[f64], lang, value| Format::new(unit, limits, lang).value(value);
        assert_eq!(
            told(Some("share"), &[0.1, 0.9], "en", 0.3825),
            "38.2\u{202f}%"
        );
        assert_eq!(
            told(Some("share"), &[0.1, 0.9], "fr", 0.3825),
            "38,2\u{202f}%"
        );
        assert_eq!(
            told(Some("count"), &[0.0, 9e6], "fr", 1_234_567.0),
            "1\u{202f}234\u{202f}567"
        );
        assert_eq!(told(Some("count"), &[0.0, 9e6], "en", 999.0), "999");
        assert_eq!(told(None, &[0.0, 20.0], "en", -3.25), "\u{2212}3.2");
        assert_eq!(told(None, &[0.0, 20.0], "en", -0.01), "0.0");
    }
}
