//! Boolean operations on the integer grid of `i_overlay`, with original vertices kept to the bit.
//!
//! ```text
//! Rings (f64) ─▸ Grid ─▸ i_overlay ─▸ Grid ─▸ Rings: known vertices as they were, new ones exact
//! ```
//! A grid has about 2³⁰ cells over the feature, and its cell is a power of two, so a grid point is
//! a coordinate without rounding. Used for the few features that are invalid or leave the world;
//! valid ones never come here.

use geo_types::Coord;
use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{IntOverlayOptions, Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::core::simplify::Simplify;
use i_overlay::core::solver::Solver;
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::i_shape::int::shape::{IntContour, IntShapes};
use rustc_hash::FxHashMap;

use super::rings::{Bounds, Rings, tidy};
use super::simple_rings::simple_polygons;
use super::validity::{count_meetings, defect};

/// Meetings of segments beyond which a feature is not worth repairing.
const MEETINGS_MAX: usize = 500_000;

/// Makes invalid rings valid, by the non-zero rule: every region a part's exterior winds around
/// and none of its holes does. Area that several parts cover counts once.
///
/// # Errors
/// The reason when there is nothing left, or too much to do.
pub(super) fn repair(rings: &Rings) -> Result<Rings, &'static str> {
    if count_meetings(rings, MEETINGS_MAX).is_none() {
        return Err("too_complex");
    }
    let grid = Grid::over(Bounds::of(&rings.coords));
    let vertices = grid.vertices(rings);
    let mut parts = Vec::new();
    for polygon in rings.polygon_rings() {
        let exterior = polygon.start;
        let shells = simplified(&grid.contour(rings.ring(exterior)));
        let holes: IntShapes = (exterior + 1..polygon.end)
            .flat_map(|hole| simplified(&grid.contour(rings.ring(hole))))
            .collect();
        parts.extend(if holes.is_empty() {
            shells
        } else {
            combine(&shells, &holes, OverlayRule::Difference)
        });
    }
    let merged = combine(&parts, &Vec::new(), OverlayRule::Subject);
    valid_rings(&merged, &grid, &vertices)
}

/// The part of valid rings inside a rectangle.
///
/// # Errors
/// As [`repair`].
pub(super) fn clip(rings: &Rings, rectangle: &Bounds) -> Result<Rings, &'static str> {
    let mut bounds = Bounds::of(&rings.coords);
    bounds.merge(rectangle);
    let grid = Grid::over(bounds);
    let vertices = grid.vertices(rings);
    let contours: Vec<IntContour> = (0..rings.ring_count())
        .map(|ring| grid.contour(rings.ring(ring)))
        .collect();
    let (min, max) = (grid.cell_of(rectangle.min), grid.cell_of(rectangle.max));
    let window = [
        min,
        IntPoint::new(max.x, min.y),
        max,
        IntPoint::new(min.x, max.y),
    ];
    let mut overlay = Overlay::new_custom(
        rings.coords.len() + 4,
        IntOverlayOptions::keep_all_points(),
        Solver::AUTO,
    );
    overlay.add_contours(&contours, ShapeType::Subject);
    overlay.add_contour(&window, ShapeType::Clip);
    // Valid rings, however wound, enclose what lies within an odd number of them.
    let inside = overlay.overlay(OverlayRule::Intersect, FillRule::EvenOdd);
    valid_rings(&inside, &grid, &vertices)
}

fn simplified(contour: &[IntPoint]) -> IntShapes {
    contour.simplify(FillRule::NonZero, IntOverlayOptions::keep_all_points())
}

fn combine(subject: &IntShapes, clip: &IntShapes, rule: OverlayRule) -> IntShapes {
    let options = IntOverlayOptions::keep_all_points();
    let mut overlay = Overlay::with_shapes_options(subject, clip, options, Solver::AUTO);
    overlay.overlay(rule, FillRule::NonZero)
}

/// Back to coordinates: with the original vertices when that is valid, else where they snapped to.
fn valid_rings(
    shapes: &IntShapes,
    grid: &Grid,
    vertices: &FxHashMap<IntPoint, Coord<f64>>,
) -> Result<Rings, &'static str> {
    let polygons = simple_polygons(shapes);
    let original = |p: &IntPoint| {
        let known = vertices.get(p).copied();
        known.unwrap_or_else(|| grid.coordinate(*p))
    };
    let snapped = |p: &IntPoint| grid.coordinate(*p);
    for place in [&original as &dyn Fn(&IntPoint) -> Coord<f64>, &snapped] {
        let mut rings = Rings::default();
        for contours in &polygons {
            for contour in contours {
                rings.coords.extend(contour.iter().map(place));
                rings.coords.extend(contour.first().map(place));
                rings.end_ring();
            }
            rings.end_polygon();
        }
        let (rings, _) = tidy(&rings).map_err(|_| "no_area")?;
        if defect(&rings).is_none() {
            return Ok(rings);
        }
    }
    Err("not_repairable")
}

/// A lattice over some bounds, small enough for `i_overlay`.
#[derive(Debug)]
struct Grid {
    origin: Coord<f64>,
    cell: f64,
}

impl Grid {
    fn over(bounds: Bounds) -> Self {
        let reach = (bounds.max.x - bounds.min.x).max(bounds.max.y - bounds.min.y);
        let largest = [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y]
            .into_iter()
            .fold(f64::MIN_POSITIVE, |largest, v| largest.max(v.abs()));
        // Finer than 2⁻⁵¹ of the largest coordinate, cells would not be coordinates.
        let cell = 2_f64.powf(
            (reach.log2() - 29.0)
                .max(largest.log2() - 51.0)
                .ceil()
                .max(-1000.0),
        );
        let middle = |min: f64, max: f64| ((min + (max - min) / 2.0) / cell).round() * cell;
        Self {
            origin: Coord {
                x: middle(bounds.min.x, bounds.max.x),
                y: middle(bounds.min.y, bounds.max.y),
            },
            cell,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "within 2^29 cells of the origin"
    )]
    fn cell_of(&self, c: Coord<f64>) -> IntPoint {
        let place = (c - self.origin) / self.cell;
        IntPoint::new(place.x.round() as i32, place.y.round() as i32)
    }

    fn coordinate(&self, p: IntPoint) -> Coord<f64> {
        Coord {
            x: self.origin.x + f64::from(p.x) * self.cell,
            y: self.origin.y + f64::from(p.y) * self.cell,
        }
    }

    /// The ring without its closing vertex.
    fn contour(&self, ring: &[Coord<f64>]) -> IntContour {
        ring.iter().skip(1).map(|c| self.cell_of(*c)).collect()
    }

    /// The vertex each occupied cell stands for: the least when several snap to one.
    fn vertices(&self, rings: &Rings) -> FxHashMap<IntPoint, Coord<f64>> {
        let mut vertices = FxHashMap::default();
        for c in &rings.coords {
            let cell = self.cell_of(*c);
            vertices
                .entry(cell)
                .and_modify(|known: &mut Coord<f64>| {
                    if (c.x, c.y) < (known.x, known.y) {
                        *known = *c;
                    }
                })
                .or_insert(*c);
        }
        vertices
    }
}

#[cfg(test)]
mod tests;
