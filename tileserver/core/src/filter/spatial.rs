//! Spatial predicates: units of a level against a literal, on the world grid.
//!
//! Edges are straight in Web Mercator, where the map draws them.

use super::area::{Area, Location, Point, bounds_of, point};
use super::ast::Relation;
use super::shape::{Position, Shape};
use crate::geometry::MultiPolygon;
use crate::mercator::grid_from_degrees;

/// The shapes of a level's units on the world grid.
pub trait Shapes {
    /// `[x_min, y_min, x_max, y_max]`, inclusive, of a unit's shape.
    fn bounds(&self, row: usize) -> [i32; 4];

    /// All vertices of a unit's shape; empty where it has none.
    fn geometry(&self, row: usize) -> MultiPolygon;
}

/// A literal and what a unit must be to it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    relation: Relation,
    negated: bool,
    literal: Literal,
    bounds: [i64; 4],
}

#[derive(Debug, Clone)]
enum Literal {
    Points(Vec<Point>),
    Lines(Vec<Vec<Point>>),
    Area(Area),
}

impl Place {
    pub(super) fn new(relation: Relation, shape: &Shape, negated: bool) -> Self {
        let literal = match shape {
            Shape::Points(points) => Literal::Points(grid(points)),
            Shape::Lines(lines) => Literal::Lines(lines.iter().map(|line| grid(line)).collect()),
            Shape::Polygons(polygons) => {
                let rings = |rings: &Vec<Vec<Position>>| rings.iter().map(|r| grid(r)).collect();
                Literal::Area(Area::new(polygons.iter().map(rings).collect()))
            }
        };
        let bounds = match &literal {
            Literal::Points(points) => bounds_of(points.iter()),
            Literal::Lines(lines) => bounds_of(lines.iter().flatten()),
            Literal::Area(area) => area.bounds(),
        };
        Self {
            relation,
            negated,
            literal,
            bounds,
        }
    }

    /// Whether the row's unit passes.
    pub(super) fn holds(&self, shapes: &dyn Shapes, row: usize) -> bool {
        let bounds = shapes.bounds(row).map(i64::from);
        self.relates(bounds, || area_of(&shapes.geometry(row))) != self.negated
    }

    fn relates(&self, bounds: [i64; 4], unit: impl FnOnce() -> Area) -> bool {
        if !overlap(bounds, self.bounds) {
            return false;
        }
        match (self.relation, &self.literal) {
            (Relation::Contains, _) if !holds_box(bounds, self.bounds) => false,
            (Relation::Contains, Literal::Area(area)) => unit().covers(area),
            (Relation::Contains, Literal::Points(points)) => contains_points(&unit(), points),
            (_, Literal::Points(points)) => {
                let unit = unit();
                points.iter().any(|p| unit.locate(*p) != Location::Outside)
            }
            (_, Literal::Lines(lines)) => intersects_lines(&unit(), lines),
            (relation, Literal::Area(area)) => {
                if !area.touches_box(bounds) {
                    // Wholly inside or wholly outside.
                    return area.locate([bounds[0], bounds[1]]) == Location::Inside;
                }
                match relation {
                    Relation::Within => holds_box(self.bounds, bounds) && area.covers(&unit()),
                    _ => area.intersects(&unit()),
                }
            }
        }
    }
}

/// All of them in the unit, and one not on its boundary.
fn contains_points(unit: &Area, points: &[Point]) -> bool {
    let mut inside = false;
    for point in points {
        match unit.locate(*point) {
            Location::Outside => return false,
            Location::Boundary => {}
            Location::Inside => inside = true,
        }
    }
    inside
}

fn intersects_lines(unit: &Area, lines: &[Vec<Point>]) -> bool {
    lines.iter().any(|line| {
        let touched = line
            .windows(2)
            .any(|pair| unit.is_touched(pair[0], pair[1]));
        touched
            || line
                .first()
                .is_some_and(|p| unit.locate(*p) != Location::Outside)
    })
}

fn area_of(geometry: &MultiPolygon) -> Area {
    let polygons: Vec<Vec<Vec<Point>>> = geometry
        .iter()
        .map(|polygon| {
            let rings = polygon.rings();
            rings
                .map(|ring| ring.iter().map(|v| point(v.point())).collect())
                .collect()
        })
        .collect();
    Area::new(polygons)
}

fn grid(positions: &[Position]) -> Vec<Point> {
    positions
        .iter()
        .map(|[lon, lat]| point(grid_from_degrees(*lon, *lat)))
        .collect()
}

fn overlap(a: [i64; 4], b: [i64; 4]) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

fn holds_box(outer: [i64; 4], inner: [i64; 4]) -> bool {
    outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3]
}
