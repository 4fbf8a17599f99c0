//! The normal form: each function here builds a condition so that equal ones come out the same,
//! and none changes where it is true, false or unknown.
//!
//! - NOT is pushed into the leaves (De Morgan holds in three-valued logic).
//! - AND and OR are flat, sorted by their text, without repetition; constants are folded.
//! - Equalities of one value joined by OR are one IN; inequalities joined by AND one NOT IN.
//! - BETWEEN is two comparisons. Constants stand on the right; else the lesser text on the left.
//! - `+` and `*` are commutative to the bit and sorted; nothing is reassociated.

use super::ast::{Comparison, Operator, Relation};
use super::expr::{Criterion, Number, Text, TextColumn};
use super::like::Pattern;
use super::print;
use super::shape::Shape;

/// −0 is 0: no operator tells them apart.
pub(super) fn constant(value: f64) -> Number {
    Number::Constant(value + 0.0)
}

pub(super) fn negative(inner: Number) -> Number {
    match inner {
        Number::Constant(value) => constant(-value),
        Number::Negative(inner) => *inner,
        other => Number::Negative(Box::new(other)),
    }
}

pub(super) fn arithmetic(operator: Operator, left: Number, right: Number) -> Number {
    if let (Some(left), Some(right)) = (left.constant(), right.constant()) {
        return constant(operator.apply(left, right));
    }
    if [&left, &right]
        .iter()
        .any(|side| side.constant().is_some_and(f64::is_nan))
    {
        return Number::Constant(f64::NAN);
    }
    let mut sides = [left, right];
    if matches!(operator, Operator::Add | Operator::Multiply) {
        // A side of the same precedence goes first, where it needs no parentheses.
        sides.sort_by_cached_key(|side| (!print::is_chain(operator, side), print::number(side)));
    }
    Number::Arithmetic(operator, Box::new(sides))
}

pub(super) fn compare_numbers(comparison: Comparison, left: Number, right: Number) -> Criterion {
    match (left.constant(), right.constant()) {
        (Some(value), _) | (_, Some(value)) if value.is_nan() => Criterion::Constant(None),
        (Some(left), Some(right)) => Criterion::Constant(Some(comparison.holds(&left, &right))),
        (Some(_), None) => Criterion::Numbers(comparison.mirrored(), right, left),
        (None, None) if print::number(&right) < print::number(&left) => {
            Criterion::Numbers(comparison.mirrored(), right, left)
        }
        _ => Criterion::Numbers(comparison, left, right),
    }
}

pub(super) fn compare_texts(comparison: Comparison, left: Text, right: Text) -> Criterion {
    match (left, right) {
        (Text::Constant(left), Text::Constant(right)) => {
            Criterion::Constant(Some(comparison.holds(&left, &right)))
        }
        (left @ Text::Constant(_), Text::Column(right)) => {
            Criterion::Texts(comparison.mirrored(), right, left)
        }
        (Text::Column(left), Text::Column(right))
            if print::text_column(&right) < print::text_column(&left) =>
        {
            Criterion::Texts(comparison.mirrored(), right, Text::Column(left))
        }
        (Text::Column(left), right) => Criterion::Texts(comparison, left, right),
    }
}

pub(super) fn compare_booleans(equal: bool, left: Criterion, right: Criterion) -> Criterion {
    match (left, right) {
        (Criterion::Constant(None), _) | (_, Criterion::Constant(None)) => {
            Criterion::Constant(None)
        }
        (Criterion::Constant(Some(value)), other) | (other, Criterion::Constant(Some(value))) => {
            if value == equal {
                other
            } else {
                not(other)
            }
        }
        (left, right) => {
            let mut sides = Box::new([left, right]);
            sides.sort_by_cached_key(print::criterion);
            Criterion::Booleans { equal, sides }
        }
    }
}

/// `value IN (list)`.
pub(super) fn number_in(value: Number, list: Vec<Number>) -> Criterion {
    let mut constants = Vec::new();
    let mut members = Vec::new();
    for item in list {
        match (item.constant(), value.constant()) {
            (Some(constant), None) if !constant.is_nan() => constants.push(constant),
            _ => members.push(compare_numbers(Comparison::Equal, value.clone(), item)),
        }
    }
    members.extend(number_among(value, constants, false));
    any(members)
}

/// `value IN (list)`.
pub(super) fn text_in(value: Text, list: Vec<Text>) -> Criterion {
    let mut constants = Vec::new();
    let mut members = Vec::new();
    for item in list {
        match (item, &value) {
            (Text::Constant(text), Text::Column(_)) => constants.push(text),
            (item, _) => members.push(compare_texts(Comparison::Equal, value.clone(), item)),
        }
    }
    if let Text::Column(value) = value {
        members.extend(text_among(value, constants, false));
    }
    any(members)
}

fn number_among(value: Number, mut list: Vec<f64>, negated: bool) -> Option<Criterion> {
    list.sort_unstable_by(f64::total_cmp);
    list.dedup();
    match list.as_slice() {
        [] => None,
        &[only] => Some(Criterion::Numbers(equality(negated), value, constant(only))),
        _ => Some(Criterion::NumberIn {
            value,
            list,
            negated,
        }),
    }
}

fn text_among(value: TextColumn, mut list: Vec<String>, negated: bool) -> Option<Criterion> {
    list.sort_unstable();
    list.dedup();
    if list.len() > 1 {
        return Some(Criterion::TextIn {
            value,
            list,
            negated,
        });
    }
    let only = Text::Constant(list.pop()?);
    Some(Criterion::Texts(equality(negated), value, only))
}

fn equality(negated: bool) -> Comparison {
    if negated {
        Comparison::NotEqual
    } else {
        Comparison::Equal
    }
}

pub(super) fn like(value: Text, pattern: Pattern) -> Criterion {
    if let Some(exact) = pattern.exact() {
        let exact = Text::Constant(exact.to_owned());
        return compare_texts(Comparison::Equal, value, exact);
    }
    match value {
        Text::Constant(text) => Criterion::Constant(Some(pattern.matches(&text))),
        Text::Column(value) => Criterion::Like {
            value,
            pattern,
            negated: false,
        },
    }
}

/// `value IS NULL`.
pub(super) fn number_missing(value: Number) -> Criterion {
    match value {
        Number::Constant(value) => Criterion::Constant(Some(value.is_nan())),
        Number::Negative(inner) => number_missing(*inner),
        value => Criterion::NumberMissing {
            value,
            negated: false,
        },
    }
}

/// `value IS NULL`.
pub(super) fn text_missing(value: Text) -> Criterion {
    match value {
        Text::Constant(_) => Criterion::Constant(Some(false)),
        Text::Column(column) => Criterion::TextMissing {
            column: column.name,
            negated: false,
        },
    }
}

/// `condition IS NULL`.
pub(super) fn unknown(condition: Criterion) -> Criterion {
    match condition {
        Criterion::Constant(value) => Criterion::Constant(Some(value.is_none())),
        // Never unknown themselves.
        Criterion::NumberMissing { .. }
        | Criterion::TextMissing { .. }
        | Criterion::Unknown { .. }
        | Criterion::Spatial { .. } => Criterion::Constant(Some(false)),
        condition => Criterion::Unknown {
            condition: Box::new(condition),
            negated: false,
        },
    }
}

pub(super) fn spatial(relation: Relation, shape: Shape) -> Criterion {
    let (relation, negated) = match relation {
        Relation::Disjoint => (Relation::Intersects, true),
        other => (other, false),
    };
    Criterion::Spatial {
        relation,
        shape,
        negated,
    }
}

pub(super) fn not(condition: Criterion) -> Criterion {
    match condition {
        Criterion::Constant(value) => Criterion::Constant(value.map(|v| !v)),
        Criterion::Numbers(comparison, left, right) => {
            Criterion::Numbers(comparison.negated(), left, right)
        }
        Criterion::Texts(comparison, left, right) => {
            Criterion::Texts(comparison.negated(), left, right)
        }
        Criterion::Booleans { equal, sides } => Criterion::Booleans {
            equal: !equal,
            sides,
        },
        Criterion::And(members) => any(members.into_iter().map(not).collect()),
        Criterion::Or(members) => all(members.into_iter().map(not).collect()),
        mut leaf => {
            match &mut leaf {
                Criterion::NumberIn { negated, .. }
                | Criterion::TextIn { negated, .. }
                | Criterion::Like { negated, .. }
                | Criterion::NumberMissing { negated, .. }
                | Criterion::TextMissing { negated, .. }
                | Criterion::Unknown { negated, .. }
                | Criterion::Spatial { negated, .. } => *negated = !*negated,
                _ => {}
            }
            leaf
        }
    }
}

/// The conditions joined by AND.
pub(super) fn all(members: Vec<Criterion>) -> Criterion {
    join(members, true)
}

/// The conditions joined by OR.
pub(super) fn any(members: Vec<Criterion>) -> Criterion {
    join(members, false)
}

/// For a condition of which only the truth matters, unknown is false.
pub(super) fn decided(condition: Criterion) -> Criterion {
    match condition {
        Criterion::Constant(None) => Criterion::Constant(Some(false)),
        Criterion::And(members) => all(members.into_iter().map(decided).collect()),
        Criterion::Or(members) => any(members.into_iter().map(decided).collect()),
        leaf => leaf,
    }
}

/// AND (`conjunction`) or OR. Its neutral element is true for AND, false for OR; the other decides.
fn join(members: Vec<Criterion>, conjunction: bool) -> Criterion {
    let mut flat = Vec::with_capacity(members.len());
    for member in members {
        match member {
            Criterion::And(inner) if conjunction => flat.extend(inner),
            Criterion::Or(inner) if !conjunction => flat.extend(inner),
            Criterion::Constant(Some(value)) if value == conjunction => {}
            Criterion::Constant(Some(value)) => return Criterion::Constant(Some(value)),
            other => flat.push(other),
        }
    }
    let mut sorted: Vec<(String, Criterion)> = merged(flat, conjunction)
        .into_iter()
        .map(|member| (print::criterion(&member), member))
        .collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    sorted.dedup_by(|(a, _), (b, _)| a == b);
    let mut members: Vec<Criterion> = sorted.into_iter().map(|(_, member)| member).collect();
    match (members.len(), conjunction) {
        (0, _) => Criterion::Constant(Some(conjunction)),
        (1, _) => members.remove(0),
        (_, true) => Criterion::And(members),
        (_, false) => Criterion::Or(members),
    }
}

/// `x = 1 OR x IN (2, 3)` is `x IN (1, 2, 3)`, and `x <> 1 AND x <> 2` is `x NOT IN (1, 2)`.
fn merged(members: Vec<Criterion>, negated: bool) -> Vec<Criterion> {
    let mut rest = Vec::with_capacity(members.len());
    let mut numbers: Vec<(String, Number, Vec<f64>)> = Vec::new();
    let mut texts: Vec<(String, TextColumn, Vec<String>)> = Vec::new();
    for member in members {
        match member {
            Criterion::Numbers(op, value, Number::Constant(only)) if op == equality(negated) => {
                gather(&mut numbers, print::number(&value), value, vec![only]);
            }
            Criterion::NumberIn {
                value,
                list,
                negated: n,
            } if n == negated => {
                gather(&mut numbers, print::number(&value), value, list);
            }
            Criterion::Texts(op, value, Text::Constant(only)) if op == equality(negated) => {
                gather(&mut texts, print::text_column(&value), value, vec![only]);
            }
            Criterion::TextIn {
                value,
                list,
                negated: n,
            } if n == negated => {
                gather(&mut texts, print::text_column(&value), value, list);
            }
            other => rest.push(other),
        }
    }
    let numbers = numbers.into_iter();
    rest.extend(numbers.filter_map(|(_, value, list)| number_among(value, list, negated)));
    let texts = texts.into_iter();
    rest.extend(texts.filter_map(|(_, value, list)| text_among(value, list, negated)));
    rest
}

fn gather<V, T>(groups: &mut Vec<(String, V, Vec<T>)>, key: String, value: V, list: Vec<T>) {
    match groups.iter_mut().find(|(other, ..)| *other == key) {
        Some((_, _, gathered)) => gathered.extend(list),
        None => groups.push((key, value, list)),
    }
}
