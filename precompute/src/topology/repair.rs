//! Makes a polygon set valid again where the snap, or noding, made it touch or cross itself.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{ContourDirection, IntOverlayOptions, Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::point::IntPoint;
use tilecore::geometry::{GridPoint, WORLD_CELLS};

use super::crossing::{Edge, Finder, Findings};
use super::rings::{Loop, Shape, double_area};
use super::snap::clean;

/// Rounds of repair: rounding a crossing to the grid can make another one.
const ROUNDS_MAX: usize = 4;

/// Reusable buffers of the check.
#[derive(Debug, Default)]
pub(super) struct Repairer {
    finder: Finder,
    findings: Findings,
    edges: Vec<Edge>,
}

impl Repairer {
    /// The shape itself when it is valid, else the area its rings wind around.
    pub(super) fn repair(&mut self, mut shape: Shape) -> Shape {
        for _ in 0..ROUNDS_MAX {
            if self.is_valid(&shape) {
                return shape;
            }
            shape = union(shape.iter().flatten().map(Vec::as_slice));
        }
        shape
    }

    pub(super) fn is_valid(&mut self, shape: &Shape) -> bool {
        self.edges.clear();
        for (ring, id) in shape.iter().flatten().zip(0_u32..) {
            push_edges(ring, id, &mut self.edges);
        }
        self.finder.find(&self.edges, &mut self.findings);
        self.findings.is_clean()
    }
}

/// Appends the edges of a closed ring.
pub(super) fn push_edges(ring: &[GridPoint], id: u32, edges: &mut Vec<Edge>) {
    let Some(&first) = ring.first() else {
        return;
    };
    #[expect(clippy::cast_possible_truncation, reason = "edges are counted in u32")]
    let start = edges.len() as u32;
    edges.extend(ring.windows(2).zip(start + 1..).map(|(pair, next)| Edge {
        from: pair[0],
        to: pair[1],
        ring: id,
        next,
    }));
    edges.push(Edge {
        from: ring[ring.len() - 1],
        to: first,
        ring: id,
        next: start,
    });
}

/// The area where the winding number of the rings is positive, as valid polygons.
pub(super) fn union<'a>(rings: impl Iterator<Item = &'a [GridPoint]>) -> Shape {
    let options = IntOverlayOptions {
        preserve_input_collinear: true,
        output_direction: ContourDirection::CounterClockwise,
        preserve_output_collinear: true,
        min_output_area: 0,
        ogc: true,
    };
    let mut overlay = Overlay::new_custom(0, options, i_overlay::core::solver::Solver::default());
    for ring in rings {
        overlay.add_path_iter(ring.iter().map(|p| centred(*p)), ShapeType::Subject);
    }
    let shapes = overlay.overlay(OverlayRule::Subject, FillRule::Positive);
    shapes
        .into_iter()
        .filter_map(|rings| polygon(&rings))
        .collect()
}

/// The overlay multiplies coordinates: around zero they are half as large.
const CENTRE: i32 = WORLD_CELLS / 2;

fn centred(p: GridPoint) -> IntPoint {
    IntPoint::new(p.x - CENTRE, p.y - CENTRE)
}

fn polygon(rings: &[Vec<IntPoint>]) -> Option<Vec<Loop>> {
    let mut loops = rings.iter().zip(0..).filter_map(|(ring, index)| {
        let mut ring: Loop = ring
            .iter()
            .map(|p| GridPoint {
                x: p.x + CENTRE,
                y: p.y + CENTRE,
            })
            .collect();
        clean(&mut ring);
        let area = double_area(&ring);
        if area == 0 {
            return None;
        }
        if (area > 0) != (index == 0) {
            ring.reverse();
        }
        Some((index, ring))
    });
    let (0, exterior) = loops.next()? else {
        return None;
    };
    Some(
        std::iter::once(exterior)
            .chain(loops.map(|l| l.1))
            .collect(),
    )
}
