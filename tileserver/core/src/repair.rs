//! Makes a shape on a tile's grid valid, by overlaying it with itself on the integer grid.
//!
//! Used for the few shapes that quantising or clipping made touch or cross themselves. What winds
//! around a place once or more stays, what a flipped lobe winds backwards goes.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{ContourDirection, IntOverlayOptions, Overlay};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::core::solver::Solver;
use i_overlay::i_float::int::point::IntPoint;

use crate::quantize::{Cell, Shape};
use crate::validity::{Place, place};

/// Vertices on a straight line are kept: a neighbour may have them too.
const OPTIONS: IntOverlayOptions = IntOverlayOptions {
    preserve_input_collinear: true,
    output_direction: ContourDirection::CounterClockwise,
    preserve_output_collinear: true,
    min_output_area: 0,
    ogc: true,
};

/// Puts the valid part of `shape` within `bounds`, if any, into `out`; empty when nothing is left.
pub fn repair(shape: &Shape, bounds: Option<[i32; 4]>, out: &mut Shape) {
    out.clear();
    let contours: Vec<Vec<IntPoint>> = shape
        .rings()
        .map(|ring| ring.cells.iter().map(|c| IntPoint::new(c.x, c.y)).collect())
        .collect();
    let frame = bounds.map(|[x_min, y_min, x_max, y_max]| {
        vec![
            IntPoint::new(x_min, y_min),
            IntPoint::new(x_max, y_min),
            IntPoint::new(x_max, y_max),
            IntPoint::new(x_min, y_max),
        ]
    });
    let rule = match frame {
        Some(_) => OverlayRule::Intersect,
        None => OverlayRule::Subject,
    };
    let frame: Vec<_> = frame.into_iter().collect();
    let mut overlay = Overlay::with_contours_custom(&contours, &frame, OPTIONS, Solver::default());
    for polygon in overlay.overlay(rule, FillRule::Positive) {
        let ring = |ring: &Vec<IntPoint>| -> Vec<Cell> {
            ring.iter().map(|p| Cell { x: p.x, y: p.y }).collect()
        };
        let mut rings = polygon.iter().map(ring);
        let Some(exterior) = rings.next() else {
            continue;
        };
        out.push_ring(exterior.iter().copied(), true);
        for hole in rings.filter(|hole| is_inside(hole, &exterior)) {
            out.push_ring(hole, false);
        }
    }
}

/// Whether a hole is where its exterior is. Now and then the overlay gives an exterior what is wound
/// backwards beside it, and meets it in one point.
fn is_inside(hole: &[Cell], exterior: &[Cell]) -> bool {
    let mut places = hole.iter().map(|cell| place(*cell, exterior));
    places.find(|place| *place != Place::Edge) != Some(Place::Outside)
}
