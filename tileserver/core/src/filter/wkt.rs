//! Geometry literals of cql2-text: well-known text, BBOX and ENVELOPE.

use super::ast::{Node, NodeKind};
use super::error::{Cause, FilterError};
use super::shape::{Position, Shape};
use super::text::Parser;

const TYPES: [&str; 9] = [
    "POINT",
    "MULTIPOINT",
    "LINESTRING",
    "MULTILINESTRING",
    "POLYGON",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
    "BBOX",
    "ENVELOPE",
];

pub(super) fn is_type(word: &str) -> bool {
    TYPES.iter().any(|t| t.eq_ignore_ascii_case(word))
}

/// What follows the geometry type `word`, which starts at byte `at`.
pub(super) fn literal(parser: &mut Parser<'_>, word: &str, at: usize) -> Result<Node, FilterError> {
    let invalid = |reason| Cause::Geometry(reason).at(at);
    let shape = match word.to_ascii_uppercase().as_str() {
        "BBOX" | "ENVELOPE" => Shape::bbox(bounds(parser)?),
        "GEOMETRYCOLLECTION" => return Err(invalid("collections are not supported")),
        other => {
            for tag in ["Z", "M", "ZM"] {
                parser.take_word(tag);
            }
            if parser.take_word("EMPTY") {
                return Err(invalid("it is empty"));
            }
            match other {
                "POINT" => Shape::points(list(parser, position)?),
                "MULTIPOINT" => Shape::points(list(parser, loose_position)?),
                "LINESTRING" => Shape::lines(vec![positions(parser)?]),
                "MULTILINESTRING" => Shape::lines(list(parser, positions)?),
                "POLYGON" => Shape::polygons(vec![list(parser, positions)?]),
                _ => Shape::polygons(list(parser, |p| list(p, positions))?),
            }
        }
    };
    Ok(NodeKind::Geometry(shape.map_err(invalid)?).at(at))
}

/// West, south, east, north; of six numbers the heights are left out.
fn bounds(parser: &mut Parser<'_>) -> Result<[f64; 4], FilterError> {
    let at = parser.at();
    let numbers = list(parser, |parser| {
        parser.budget.literal(parser.at())?;
        parser.take_number()
    })?;
    match numbers.as_slice() {
        &[west, south, east, north] | &[west, south, _, east, north, _] => {
            Ok([west, south, east, north])
        }
        _ => Err(Cause::Geometry("a box has four numbers: west, south, east, north").at(at)),
    }
}

fn list<'a, T>(
    parser: &mut Parser<'a>,
    member: impl Fn(&mut Parser<'a>) -> Result<T, FilterError>,
) -> Result<Vec<T>, FilterError> {
    parser.expect("(", "`(`")?;
    let mut members = vec![member(parser)?];
    while parser.take(",") {
        members.push(member(parser)?);
    }
    parser.expect(")", "`,` or `)`")?;
    Ok(members)
}

fn positions(parser: &mut Parser<'_>) -> Result<Vec<Position>, FilterError> {
    list(parser, position)
}

/// Longitude and latitude; further ordinates are left out.
fn position(parser: &mut Parser<'_>) -> Result<Position, FilterError> {
    parser.budget.vertex(parser.at())?;
    let position = [parser.take_number()?, parser.take_number()?];
    for _ in 0..2 {
        if !matches!(parser.peek_symbol(), Some("," | ")")) {
            parser.take_number()?;
        }
    }
    Ok(position)
}

/// `MULTIPOINT(1 2, 3 4)` as well as `MULTIPOINT((1 2), (3 4))`.
fn loose_position(parser: &mut Parser<'_>) -> Result<Position, FilterError> {
    if parser.peek_symbol() != Some("(") {
        return position(parser);
    }
    parser.take("(");
    let position = position(parser)?;
    parser.expect(")", "`)`")?;
    Ok(position)
}
