//! A filter as written: what both encodings are read into, before names and types are known.

use super::fold::Fold;
use super::shape::Shape;

/// A part of a filter and the byte at which it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) kind: NodeKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeKind {
    Number(f64),
    Text(String),
    Boolean(bool),
    Property(String),
    Geometry(Shape),
    /// CASEI, ACCENTI.
    Fold(Fold, Box<Node>),
    Negative(Box<Node>),
    Arithmetic(Operator, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    /// Value, low, high.
    Between(Box<[Node; 3]>),
    In(Box<Node>, Vec<Node>),
    Like(Box<Node>, Box<Node>),
    IsNull(Box<Node>),
    Spatial(Relation, Box<[Node; 2]>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl NodeKind {
    pub(super) fn at(self, at: usize) -> Node {
        Node { at, kind: self }
    }
}

/// A comparison of two scalars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    pub(crate) fn parse(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "<>" | "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterEqual,
            _ => return None,
        })
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    /// Holds where this one, both sides known, does not.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterEqual,
            Self::LessEqual => Self::Greater,
            Self::Greater => Self::LessEqual,
            Self::GreaterEqual => Self::Less,
        }
    }

    /// The same with its sides exchanged.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
        }
    }

    pub(crate) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
        }
    }
}

/// An arithmetic operator of two numbers. A missing operand, and a division by zero, give a
/// missing result, which is NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// Division truncated towards zero.
    IntegerDivide,
    /// The remainder of [`Self::IntegerDivide`]; it has the sign of the dividend.
    Modulo,
    Power,
}

impl Operator {
    pub(crate) fn parse(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "+" => Self::Add,
            "-" => Self::Subtract,
            "*" => Self::Multiply,
            "/" => Self::Divide,
            "%" => Self::Modulo,
            "^" => Self::Power,
            _ if symbol.eq_ignore_ascii_case("div") => Self::IntegerDivide,
            _ => return None,
        })
    }

    /// As written between its operands.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::IntegerDivide => " DIV ",
            Self::Modulo => "%",
            Self::Power => "^",
        }
    }

    /// The result, NaN where missing.
    #[inline]
    pub(crate) fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => divide(left, right),
            Self::IntegerDivide => divide(left, right).trunc(),
            Self::Modulo => left % right,
            Self::Power => power(left, right),
        }
    }
}

#[inline]
fn divide(left: f64, right: f64) -> f64 {
    if right == 0.0 { f64::NAN } else { left / right }
}

/// Unlike `powf`, missing stays missing (`NaN ^ 0`), and `0 ^ -1` is a division by zero.
fn power(base: f64, exponent: f64) -> f64 {
    if base.is_nan() || exponent.is_nan() || (base == 0.0 && exponent < 0.0) {
        return f64::NAN;
    }
    base.powf(exponent)
}

/// A spatial relation of a unit to a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Intersects,
    Disjoint,
    Within,
    Contains,
}

impl Relation {
    pub(super) fn parse(name: &str) -> Option<Self> {
        [
            Self::Intersects,
            Self::Disjoint,
            Self::Within,
            Self::Contains,
        ]
        .into_iter()
        .find(|relation| relation.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Intersects => "S_INTERSECTS",
            Self::Disjoint => "S_DISJOINT",
            Self::Within => "S_WITHIN",
            Self::Contains => "S_CONTAINS",
        }
    }

    /// The same with its operands exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Within => Self::Contains,
            Self::Contains => Self::Within,
            other => other,
        }
    }
}
