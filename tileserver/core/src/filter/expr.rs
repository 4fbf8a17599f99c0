//! A filter with its names resolved and its types checked.
//!
//! Truth is SQL's: true, false or unknown. A comparison with a missing value is unknown, and a
//! row passes only where the whole is true.

use super::ast::{Comparison, Operator, Relation};
use super::fold::Fold;
use super::like::Pattern;
use super::shape::Shape;

/// A condition on a row.
///
/// Normal form, which [`super::normal`] builds: no two ways to say one thing among the variants;
/// NOT only as the `negated` of a leaf.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Criterion {
    /// `None` is unknown.
    Constant(Option<bool>),
    Numbers(Comparison, Number, Number),
    Texts(Comparison, TextColumn, Text),
    /// Whether two conditions are equally true (`equal`) or not.
    Booleans {
        equal: bool,
        sides: Box<[Criterion; 2]>,
    },
    /// Ascending, at least two.
    NumberIn {
        value: Number,
        list: Vec<f64>,
        negated: bool,
    },
    /// Ascending, at least two.
    TextIn {
        value: TextColumn,
        list: Vec<String>,
        negated: bool,
    },
    Like {
        value: TextColumn,
        pattern: Pattern,
        negated: bool,
    },
    NumberMissing {
        value: Number,
        negated: bool,
    },
    TextMissing {
        column: String,
        negated: bool,
    },
    Unknown {
        condition: Box<Criterion>,
        negated: bool,
    },
    /// Of the unit to the shape; never [`Relation::Disjoint`], which is a negated intersection.
    Spatial {
        relation: Relation,
        shape: Shape,
        negated: bool,
    },
    And(Vec<Criterion>),
    Or(Vec<Criterion>),
}

/// A number of a row; NaN is missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Constant(f64),
    Column(String),
    Negative(Box<Number>),
    Arithmetic(Operator, Box<[Number; 2]>),
}

/// A text of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Text {
    /// Folded already.
    Constant(String),
    Column(TextColumn),
}

/// A text column, read through CASEI or ACCENTI.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextColumn {
    pub(super) name: String,
    pub(super) fold: Fold,
}

impl Criterion {
    pub(super) fn is_numeric(&self) -> bool {
        match self {
            Self::Constant(_)
            | Self::Numbers(..)
            | Self::NumberIn { .. }
            | Self::NumberMissing { .. } => true,
            Self::Texts(..)
            | Self::TextIn { .. }
            | Self::Like { .. }
            | Self::TextMissing { .. }
            | Self::Spatial { .. } => false,
            Self::Booleans { sides, .. } => sides.iter().all(Self::is_numeric),
            Self::Unknown { condition, .. } => condition.is_numeric(),
            Self::And(members) | Self::Or(members) => members.iter().all(Self::is_numeric),
        }
    }
}

impl Number {
    pub(super) fn constant(&self) -> Option<f64> {
        match self {
            Self::Constant(value) => Some(*value),
            _ => None,
        }
    }

    /// Columns, constants and operators.
    pub(super) fn nodes(&self) -> usize {
        match self {
            Self::Constant(_) | Self::Column(_) => 1,
            Self::Negative(inner) => 1 + inner.nodes(),
            Self::Arithmetic(_, sides) => 1 + sides[0].nodes() + sides[1].nodes(),
        }
    }
}
