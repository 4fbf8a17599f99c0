//! The text of a condition: cql2-text that is read back to the same condition.

use std::fmt::Write;

use super::ast::Operator;
use super::expr::{Criterion, Number, Text, TextColumn};
use super::lexer;
use super::queryables::GEOMETRY;
use super::shape::{Position, Shape};
use super::text::is_keyword;

/// How tightly a number's text holds together, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Sum,
    Product,
    Power,
    Sign,
    Atom,
}

pub(super) fn criterion(condition: &Criterion) -> String {
    let mut out = String::new();
    write_criterion(&mut out, condition);
    out
}

pub(super) fn number(value: &Number) -> String {
    let mut out = String::new();
    write_number(&mut out, value);
    out
}

pub(super) fn text_column(column: &TextColumn) -> String {
    let mut out = String::new();
    write_text_column(&mut out, column);
    out
}

/// Whether `side` may stand left of `operator` without parentheses because it is of its kind.
pub(super) fn is_chain(operator: Operator, side: &Number) -> bool {
    matches!(side, Number::Arithmetic(inner, _) if tightness_of(*inner) == tightness_of(operator))
}

fn write_criterion(out: &mut String, condition: &Criterion) {
    match condition {
        Criterion::Constant(Some(true)) => out.push_str("TRUE"),
        Criterion::Constant(Some(false)) => out.push_str("FALSE"),
        // Nothing shorter is unknown.
        Criterion::Constant(None) => out.push_str("1/0=0"),
        Criterion::Numbers(comparison, left, right) => {
            write_number(out, left);
            out.push_str(comparison.symbol());
            write_number(out, right);
        }
        Criterion::Texts(comparison, left, right) => {
            write_text_column(out, left);
            out.push_str(comparison.symbol());
            match right {
                Text::Constant(text) => write_quoted(out, text),
                Text::Column(column) => write_text_column(out, column),
            }
        }
        Criterion::Booleans { equal, sides } => {
            write_in_parentheses(out, &sides[0]);
            out.push_str(if *equal { "=" } else { "<>" });
            write_in_parentheses(out, &sides[1]);
        }
        Criterion::NumberIn {
            value,
            list,
            negated,
        } => {
            write_number(out, value);
            write_list(out, list, *negated, |out, number| {
                write_constant(out, *number);
            });
        }
        Criterion::TextIn {
            value,
            list,
            negated,
        } => {
            write_text_column(out, value);
            write_list(out, list, *negated, |out, text| write_quoted(out, text));
        }
        Criterion::Like {
            value,
            pattern,
            negated,
        } => {
            write_text_column(out, value);
            out.push_str(if *negated { " NOT LIKE " } else { " LIKE " });
            write_quoted(out, &pattern.raw());
        }
        Criterion::NumberMissing { value, negated } => {
            write_number(out, value);
            write_missing(out, *negated);
        }
        Criterion::TextMissing { column, negated } => {
            write_name(out, column);
            write_missing(out, *negated);
        }
        Criterion::Unknown { condition, negated } => {
            write_in_parentheses(out, condition);
            write_missing(out, *negated);
        }
        Criterion::Spatial {
            relation,
            shape,
            negated,
        } => {
            if *negated {
                out.push_str("NOT ");
            }
            out.push_str(relation.name());
            out.push('(');
            out.push_str(GEOMETRY);
            out.push(',');
            write_shape(out, shape);
            out.push(')');
        }
        Criterion::And(members) => write_joined(out, members, " AND ", |member| {
            matches!(member, Criterion::Or(_))
        }),
        Criterion::Or(members) => write_joined(out, members, " OR ", |_| false),
    }
}

fn write_joined(
    out: &mut String,
    members: &[Criterion],
    separator: &str,
    needs_parentheses: impl Fn(&Criterion) -> bool,
) {
    for (i, member) in members.iter().enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        if needs_parentheses(member) {
            write_in_parentheses(out, member);
        } else {
            write_criterion(out, member);
        }
    }
}

fn write_in_parentheses(out: &mut String, condition: &Criterion) {
    out.push('(');
    write_criterion(out, condition);
    out.push(')');
}

fn write_missing(out: &mut String, negated: bool) {
    out.push_str(if negated { " IS NOT NULL" } else { " IS NULL" });
}

fn write_list<T>(out: &mut String, list: &[T], negated: bool, item: impl Fn(&mut String, &T)) {
    out.push_str(if negated { " NOT IN (" } else { " IN (" });
    for (i, value) in list.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        item(out, value);
    }
    out.push(')');
}

fn tightness_of(operator: Operator) -> Tightness {
    match operator {
        Operator::Add | Operator::Subtract => Tightness::Sum,
        Operator::Multiply | Operator::Divide | Operator::IntegerDivide | Operator::Modulo => {
            Tightness::Product
        }
        Operator::Power => Tightness::Power,
    }
}

fn tightness(value: &Number) -> Tightness {
    match value {
        Number::Constant(value) if value.is_infinite() => Tightness::Product,
        Number::Constant(value) if *value < 0.0 => Tightness::Sign,
        Number::Constant(_) | Number::Column(_) => Tightness::Atom,
        Number::Negative(_) => Tightness::Sign,
        Number::Arithmetic(operator, _) => tightness_of(*operator),
    }
}

fn write_number(out: &mut String, value: &Number) {
    match value {
        Number::Constant(value) => write_constant(out, *value),
        Number::Column(name) => write_name(out, name),
        Number::Negative(inner) => {
            out.push('-');
            write_operand(out, inner, Tightness::Sign);
        }
        Number::Arithmetic(operator, sides) => {
            let own = tightness_of(*operator);
            // Sums and products chain to the left, powers to the right.
            let (left, right) = match own {
                Tightness::Sum => (Tightness::Sum, Tightness::Product),
                Tightness::Product => (Tightness::Product, Tightness::Power),
                _ => (Tightness::Sign, Tightness::Power),
            };
            write_operand(out, &sides[0], left);
            out.push_str(operator.symbol());
            write_operand(out, &sides[1], right);
        }
    }
}

/// With parentheses unless it holds together at least as tightly as `needed`.
fn write_operand(out: &mut String, value: &Number, needed: Tightness) {
    if tightness(value) >= needed {
        write_number(out, value);
    } else {
        out.push('(');
        write_number(out, value);
        out.push(')');
    }
}

/// The shortest decimal that is read back to the same value.
fn write_constant(out: &mut String, value: f64) {
    let magnitude = value.abs();
    let written = if value.is_infinite() {
        // No literal is infinite, a product may be.
        write!(out, "{:e}*10", 1e308_f64.copysign(value))
    } else if magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
    written.expect("a String takes everything");
}

fn write_text_column(out: &mut String, TextColumn { name, fold }: &TextColumn) {
    let calls = [(fold.case, "CASEI("), (fold.accents, "ACCENTI(")];
    for (_, call) in calls.iter().filter(|(on, _)| *on) {
        out.push_str(call);
    }
    write_name(out, name);
    for _ in calls.iter().filter(|(on, _)| *on) {
        out.push(')');
    }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

fn write_name(out: &mut String, name: &str) {
    let plain = name.starts_with(lexer::is_name_start)
        && name.chars().all(lexer::is_name_part)
        && !is_keyword(name);
    if plain {
        out.push_str(name);
    } else {
        out.push('"');
        out.push_str(&name.replace('"', "\"\""));
        out.push('"');
    }
}

fn write_shape(out: &mut String, shape: &Shape) {
    if let Some(bounds) = shape.as_bbox() {
        out.push_str("BBOX");
        return write_parts(out, &bounds, |out, number| write_constant(out, *number));
    }
    match shape {
        Shape::Points(points) if points.len() == 1 => {
            out.push_str("POINT");
            write_parts(out, points, write_position);
        }
        Shape::Points(points) => {
            out.push_str("MULTIPOINT");
            write_parts(out, points, |out, p| {
                write_parts(out, &[*p], write_position);
            });
        }
        Shape::Lines(lines) if lines.len() == 1 => {
            out.push_str("LINESTRING");
            write_parts(out, &lines[0], write_position);
        }
        Shape::Lines(lines) => {
            out.push_str("MULTILINESTRING");
            write_parts(out, lines, |out, line| {
                write_parts(out, line, write_position);
            });
        }
        Shape::Polygons(polygons) if polygons.len() == 1 => {
            out.push_str("POLYGON");
            write_parts(out, &polygons[0], |out, ring| write_ring(out, ring));
        }
        Shape::Polygons(polygons) => {
            out.push_str("MULTIPOLYGON");
            write_parts(out, polygons, |out, rings| {
                write_parts(out, rings, |out, ring| write_ring(out, ring));
            });
        }
    }
}

fn write_ring(out: &mut String, ring: &[Position]) {
    let closed: Vec<Position> = ring.iter().chain(ring.first()).copied().collect();
    write_parts(out, &closed, write_position);
}

fn write_position(out: &mut String, [lon, lat]: &Position) {
    write_constant(out, *lon);
    out.push(' ');
    write_constant(out, *lat);
}

fn write_parts<T>(out: &mut String, parts: &[T], part: impl Fn(&mut String, &T)) {
    out.push('(');
    for (i, value) in parts.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        part(out, value);
    }
    out.push(')');
}
