//! The criteria of a score: `abstention:3,-income:2`.
//!
//! ```text
//! weights   = criterion { , criterion }
//! criterion = [-] property [: weight]        weight: a number above 0, else 1
//! ```
//! A minus ranks low values first.

use crate::dataset::schema::Kind;
use crate::filter::{Queryables, hint};

/// As many criteria as a reader can weigh.
const CRITERIA_MAX: usize = 32;

/// One column and how much it counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    pub column: String,
    /// Above 0.
    pub weight: f64,
    /// Whether low values rank first.
    pub low: bool,
}

/// The criteria of a score, sorted by column; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    criteria: Vec<Criterion>,
}

/// Why weights were refused, and the byte of their text at which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause} (byte {position})")]
pub struct ScoreError {
    pub cause: ScoreErrorCause,
    pub position: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum ScoreErrorCause {
    #[error("a criterion is empty; write `property:weight`, separated by commas")]
    Empty,
    #[error("more than {CRITERIA_MAX} criteria")]
    TooMany,
    #[error("`{0}` is not a weight: a number above 0; a minus stands before the property")]
    Weight(String),
    #[error("unknown property `{name}`{}", hint(near))]
    Unknown { name: String, near: Vec<String> },
    #[error("`{0}` is text; a score needs numbers")]
    Text(String),
    #[error("`{0}` is given twice")]
    Twice(String),
}

impl ScoreErrorCause {
    /// One word for programs, the same as that of a filter with the same fault.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty_criterion",
            Self::TooMany => "too_many_criteria",
            Self::Weight(_) => "weight",
            Self::Unknown { .. } => "unknown_property",
            Self::Text(_) => "not_a_number",
            Self::Twice(_) => "twice",
        }
    }

    /// What the caller wrote that is at fault.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Empty | Self::TooMany => None,
            Self::Weight(value) | Self::Text(value) | Self::Twice(value) => Some(value),
            Self::Unknown { name, .. } => Some(name),
        }
    }

    /// Properties that may have been meant.
    #[must_use]
    pub fn near(&self) -> &[String] {
        match self {
            Self::Unknown { near, .. } => near,
            _ => &[],
        }
    }
}

impl Weights {
    /// Reads weights over these properties.
    ///
    /// # Errors
    ///
    /// With the byte and the reason.
    pub fn parse(text: &str, queryables: &Queryables) -> Result<Self, ScoreError> {
        let mut criteria: Vec<Criterion> = Vec::new();
        let mut position = 0;
        for part in text.split(',') {
            let refuse = |cause| ScoreError { cause, position };
            if criteria.len() == CRITERIA_MAX {
                return Err(refuse(ScoreErrorCause::TooMany));
            }
            let criterion = criterion(part, queryables).map_err(refuse)?;
            if criteria.iter().any(|c| c.column == criterion.column) {
                return Err(refuse(ScoreErrorCause::Twice(criterion.column)));
            }
            criteria.push(criterion);
            position += part.len() + 1;
        }
        criteria.sort_by(|a, b| a.column.cmp(&b.column));
        Ok(Self {
            criteria: reduced(criteria),
        })
    }

    /// In the order of their columns' names.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        &self.criteria
    }

    /// The one text of weights that mean the same: sorted, whole weights without a common
    /// divisor. Parsed again, it gives equal weights.
    #[must_use]
    pub fn canonical(&self) -> String {
        let parts: Vec<String> = self
            .criteria
            .iter()
            .map(|criterion| {
                let sign = if criterion.low { "-" } else { "" };
                format!("{sign}{}:{}", criterion.column, criterion.weight)
            })
            .collect();
        parts.join(",")
    }
}

fn criterion(part: &str, queryables: &Queryables) -> Result<Criterion, ScoreErrorCause> {
    let part = part.trim();
    // A property may have a colon in its name, and its whole name wins.
    let (signed, weight) = match part.rsplit_once(':') {
        Some((name, weight)) if !is_known(part, queryables) => (name.trim_end(), Some(weight)),
        _ => (part, None),
    };
    // Likewise a minus.
    let (name, low) = match signed.strip_prefix('-') {
        Some(name) if queryables.get(signed).is_none() => (name.trim_start(), true),
        _ => (signed, false),
    };
    if name.is_empty() {
        return Err(ScoreErrorCause::Empty);
    }
    let short = |text: &str| text.chars().take(40).collect::<String>();
    let Some(property) = queryables.get(name) else {
        return Err(ScoreErrorCause::Unknown {
            name: short(name),
            near: queryables.near(name),
        });
    };
    if property.kind != Kind::Number {
        return Err(ScoreErrorCause::Text(short(name)));
    }
    let weight = match weight.map(str::trim) {
        None => 1.0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|weight: &f64| weight.is_finite() && *weight > 0.0)
            .ok_or_else(|| ScoreErrorCause::Weight(short(text)))?,
    };
    Ok(Criterion {
        column: property.column.clone(),
        weight,
        low,
    })
}

fn is_known(part: &str, queryables: &Queryables) -> bool {
    let unsigned = part.strip_prefix('-').unwrap_or(part).trim_start();
    queryables.get(part).is_some() || queryables.get(unsigned).is_some()
}

/// Whole weights divided by their greatest common divisor; others as they are.
fn reduced(mut criteria: Vec<Criterion>) -> Vec<Criterion> {
    const WHOLE_MAX: f64 = 1e9;
    let whole = |weight: f64| weight.fract() == 0.0 && weight <= WHOLE_MAX;
    if criteria.iter().all(|criterion| whole(criterion.weight)) {
        let divisor = criteria.iter().map(|c| c.weight).fold(0.0, divisor);
        for criterion in &mut criteria {
            criterion.weight /= divisor;
        }
    }
    criteria
}

/// Euclid's, of whole numbers.
fn divisor(a: f64, b: f64) -> f64 {
    if b == 0.0 { a } else { divisor(b, a % b) }
}
