//! Formulas over components, with SQLite's semantics for real numbers: a missing operand gives a
//! missing result, `x / 0` is missing, conditions are 1, 0 or missing.

use super::parse::{self, FormulaError};
use crate::dataset::schema::{Component, Recompute};
use crate::filter::ast::{Comparison, Operator};

/// A missing number.
pub(super) const MISSING: f64 = f64::NAN;

/// An indicator's formula, ready to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    root: Expression,
    components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Missing,
    /// Index into the components.
    Component(usize),
    Negative(Box<Expression>),
    Arithmetic(Operator, Box<[Expression; 2]>),
    Compare(Comparison, Box<[Expression; 2]>),
    IsMissing(Box<Expression>),
    Not(Box<Expression>),
    And(Box<[Expression; 2]>),
    Or(Box<[Expression; 2]>),
    /// The value of the first condition that holds, else the last.
    Case(Vec<[Expression; 2]>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Coalesce,
    Max,
    Min,
    NullIf,
    Round,
}

impl Formula {
    /// Reads a formula of the manifest.
    ///
    /// # Errors
    ///
    /// With the byte and the reason where it is none, or names what is no component.
    pub fn parse(recompute: &Recompute) -> Result<Self, FormulaError> {
        let components = recompute.components.clone();
        let root = parse::parse(&recompute.formula, &components)?;
        Ok(Self { root, components })
    }

    /// The columns it is made of.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The figure for these values of the components, in their order; NaN is missing.
    #[must_use]
    pub fn evaluate(&self, parts: &[f64]) -> f64 {
        self.root.value(parts)
    }
}

impl Expression {
    fn value(&self, parts: &[f64]) -> f64 {
        match self {
            Self::Number(value) => *value,
            Self::Missing => MISSING,
            Self::Component(at) => parts.get(*at).copied().unwrap_or(MISSING),
            Self::Negative(inner) => -inner.value(parts),
            Self::Arithmetic(operator, sides) => {
                operator.apply(sides[0].value(parts), sides[1].value(parts))
            }
            Self::Compare(comparison, sides) => {
                let [left, right] = sides.each_ref().map(|side| side.value(parts));
                let known = !left.is_nan() && !right.is_nan();
                truth(known.then(|| comparison.holds(&left, &right)))
            }
            Self::IsMissing(inner) => truth(Some(inner.value(parts).is_nan())),
            Self::Not(inner) => truth(inner.holds(parts).map(|holds| !holds)),
            Self::And(sides) => match (sides[0].holds(parts), sides[1].holds(parts)) {
                (Some(false), _) | (_, Some(false)) => 0.0,
                (Some(true), Some(true)) => 1.0,
                _ => MISSING,
            },
            Self::Or(sides) => match (sides[0].holds(parts), sides[1].holds(parts)) {
                (Some(true), _) | (_, Some(true)) => 1.0,
                (Some(false), Some(false)) => 0.0,
                _ => MISSING,
            },
            Self::Case(arms, otherwise) => {
                let taken = arms.iter().find(|arm| arm[0].holds(parts) == Some(true));
                taken.map_or(otherwise.as_ref(), |arm| &arm[1]).value(parts)
            }
            Self::Call(function, arguments) => call(
                *function,
                arguments.iter().map(|argument| argument.value(parts)),
            ),
        }
    }

    /// Whether a condition holds; `None` is unknown.
    fn holds(&self, parts: &[f64]) -> Option<bool> {
        let value = self.value(parts);
        (!value.is_nan()).then_some(value != 0.0)
    }
}

fn truth(holds: Option<bool>) -> f64 {
    holds.map_or(MISSING, |holds| f64::from(u8::from(holds)))
}

fn call(function: Function, mut arguments: impl Iterator<Item = f64>) -> f64 {
    let any_missing = |a: f64, b: f64, f: fn(f64, f64) -> f64| {
        if a.is_nan() || b.is_nan() {
            MISSING
        } else {
            f(a, b)
        }
    };
    match function {
        Function::Coalesce => arguments.find(|value| !value.is_nan()).unwrap_or(MISSING),
        Function::Max => arguments
            .reduce(|a, b| any_missing(a, b, f64::max))
            .unwrap_or(MISSING),
        Function::Min => arguments
            .reduce(|a, b| any_missing(a, b, f64::min))
            .unwrap_or(MISSING),
        Function::Abs => arguments.next().map_or(MISSING, f64::abs),
        Function::NullIf => match (arguments.next(), arguments.next()) {
            (Some(value), Some(other)) if !Comparison::Equal.holds(&value, &other) => value,
            _ => MISSING,
        },
        Function::Round => {
            let value = arguments.next().unwrap_or(MISSING);
            round(value, arguments.next().unwrap_or(0.0))
        }
    }
}

/// Half away from zero, to so many decimals, at most 30.
fn round(value: f64, decimals: f64) -> f64 {
    // From here on doubles are whole numbers.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    if value.is_nan() || decimals.is_nan() {
        return MISSING;
    }
    if value.abs() >= WHOLE {
        return value;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0..=30"
    )]
    let decimals = decimals.clamp(0.0, 30.0) as usize;
    if decimals == 0 {
        return (value.abs() + 0.5).trunc().copysign(value);
    }
    // The decimals of a double end: with all of them written, a half is seen as one.
    let written = format!("{:.1074}", value.abs());
    let end = written
        .find('.')
        .map_or(written.len(), |point| point + 1 + decimals);
    let (kept, rest) = written.split_at(end.min(written.len()));
    let kept: f64 = if rest.as_bytes().first().is_some_and(|digit| *digit >= b'5') {
        increased(kept).parse().unwrap_or(MISSING)
    } else {
        kept.parse().unwrap_or(MISSING)
    };
    kept.copysign(value)
}

/// A decimal with one added to its last digit.
fn increased(decimal: &str) -> String {
    let mut digits = decimal.as_bytes().to_vec();
    for digit in digits.iter_mut().rev() {
        match *digit {
            b'.' => {}
            b'9' => *digit = b'0',
            _ => {
                *digit += 1;
                return String::from_utf8_lossy(&digits).into_owned();
            }
        }
    }
    format!("1{}", String::from_utf8_lossy(&digits))
}
