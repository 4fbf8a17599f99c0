//! Whether polygons are valid as OGC Simple Features means it, exactly.
//!
//! Segments meet only where [`Boundary`] says their boxes do; every decision is the sign of a
//! robust orientation, so there is no tolerance. The rules are those of GEOS `isValid`: rings
//! neither cross nor touch themselves; rings of a polygon touch at points that leave the interior
//! connected; holes lie inside their exterior and outside each other; parts do not overlap.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use geo::Orientation;
use geo::kernels::{Kernel, RobustKernel};
use geo_types::Coord;
use rustc_hash::{FxHashMap, FxHashSet};

use super::boundary::{Boundary, Side};
use super::rings::{Bounds, Rings};

/// Why polygons are not valid; the first reason found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    SelfIntersection,
    Spike,
    SelfTouch,
    RingsCross,
    HoleOutside,
    HolesNested,
    PartsOverlap,
    InteriorSplit,
    /// Not decided: more meetings of segments than any map has.
    TooComplex,
}

impl Defect {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::SelfIntersection => "self_intersection",
            Self::Spike => "spike",
            Self::SelfTouch => "self_touching_ring",
            Self::RingsCross => "crossing_rings",
            Self::HoleOutside => "hole_outside_exterior",
            Self::HolesNested => "nested_holes",
            Self::PartsOverlap => "overlapping_parts",
            Self::InteriorSplit => "disconnected_interior",
            Self::TooComplex => "too_complex",
        }
    }
}

/// Where two rings touch without their segments crossing.
#[derive(Debug, Clone, Copy)]
struct Touch {
    at: Coord<f64>,
    /// A segment of each ring, by its first coordinate.
    segments: (usize, usize),
}

/// How two segments meet.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meeting {
    Apart,
    Cross,
    Overlap,
    Touch(Coord<f64>),
}

/// The first defect of tidied rings; none when they are valid.
pub(super) fn defect(rings: &Rings) -> Option<Defect> {
    let boundary = Boundary::of(rings);
    let touches = match touches(rings, &boundary) {
        ControlFlow::Break(defect) => return Some(defect),
        ControlFlow::Continue(touches) => touches,
    };
    let found = || {
        crossing_at_touch(rings, &boundary, &touches)?;
        interior_split(rings, &boundary, &touches)?;
        misplaced(rings, &boundary)
    };
    match found() {
        ControlFlow::Break(defect) => Some(defect),
        ControlFlow::Continue(()) => None,
    }
}

/// How many pairs of segments cross, touch or overlap, neighbours aside; none beyond `limit`.
pub(super) fn count_meetings(rings: &Rings, limit: usize) -> Option<usize> {
    let boundary = Boundary::of(rings);
    let mut count = 0;
    let walked = boundary.each_pair(&rings.coords, |i, j| {
        if !boundary.are_neighbours(i, j) && meeting(&rings.coords, i, j) != Meeting::Apart {
            count += 1;
            if count > limit {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    walked.is_continue().then_some(count)
}

fn touches(rings: &Rings, boundary: &Boundary) -> ControlFlow<Defect, Vec<Touch>> {
    let mut touches = Vec::new();
    let mut seen = FxHashSet::default();
    let coords = &rings.coords;
    boundary
        .each_pair(coords, |i, j| {
            let (ring_i, ring_j) = (boundary.ring_of(i), boundary.ring_of(j));
            if boundary.are_neighbours(i, j) {
                return if folds_back(boundary, coords, i, j) {
                    ControlFlow::Break(Defect::Spike)
                } else {
                    ControlFlow::Continue(())
                };
            }
            let same_ring = ring_i == ring_j;
            match meeting(coords, i, j) {
                Meeting::Apart => {}
                Meeting::Cross | Meeting::Overlap if same_ring => {
                    return ControlFlow::Break(Defect::SelfIntersection);
                }
                Meeting::Touch(_) if same_ring => return ControlFlow::Break(Defect::SelfTouch),
                Meeting::Cross | Meeting::Overlap => {
                    return ControlFlow::Break(clash(boundary, ring_i, ring_j));
                }
                Meeting::Touch(at) => {
                    if seen.insert((ring_i, ring_j, bits(at))) {
                        touches.push(Touch {
                            at,
                            segments: (i, j),
                        });
                    }
                }
            }
            ControlFlow::Continue(())
        })
        .map_break(|stopped| stopped.unwrap_or(Defect::TooComplex))?;
    ControlFlow::Continue(touches)
}

/// What it is called when two rings cross.
fn clash(boundary: &Boundary, ring_i: usize, ring_j: usize) -> Defect {
    if boundary.polygon_of_ring(ring_i) == boundary.polygon_of_ring(ring_j) {
        Defect::RingsCross
    } else {
        Defect::PartsOverlap
    }
}

fn bits(c: Coord<f64>) -> (u64, u64) {
    // Adding zero makes the two zeros one.
    ((c.x + 0.0).to_bits(), (c.y + 0.0).to_bits())
}

fn orient(a: Coord<f64>, b: Coord<f64>, c: Coord<f64>) -> Ordering {
    match RobustKernel::orient2d(a, b, c) {
        Orientation::CounterClockwise => Ordering::Greater,
        Orientation::Clockwise => Ordering::Less,
        Orientation::Collinear => Ordering::Equal,
    }
}

/// Whether the second of two segments that share a vertex runs back over the first.
fn folds_back(boundary: &Boundary, coords: &[Coord<f64>], i: usize, j: usize) -> bool {
    let (before, after) = if boundary.next(i) == j {
        (i, j)
    } else {
        (j, i)
    };
    let (a, v, c) = (coords[before], coords[before + 1], coords[after + 1]);
    let (back, on) = (a - v, c - v);
    orient(a, v, c) == Ordering::Equal && back.x * on.x + back.y * on.y > 0.0
}

fn meeting(coords: &[Coord<f64>], i: usize, j: usize) -> Meeting {
    let (p, q) = (coords[i], coords[i + 1]);
    let (r, s) = (coords[j], coords[j + 1]);
    let (r_side, s_side) = (orient(p, q, r), orient(p, q, s));
    if r_side == s_side && r_side != Ordering::Equal {
        return Meeting::Apart;
    }
    let (p_side, q_side) = (orient(r, s, p), orient(r, s, q));
    if p_side == q_side && p_side != Ordering::Equal {
        return Meeting::Apart;
    }
    if r_side == Ordering::Equal && s_side == Ordering::Equal {
        return collinear_meeting((p, q), (r, s));
    }
    for (side, end, (a, b)) in [
        (r_side, r, (p, q)),
        (s_side, s, (p, q)),
        (p_side, p, (r, s)),
        (q_side, q, (r, s)),
    ] {
        if side == Ordering::Equal && in_box(end, a, b) {
            return Meeting::Touch(end);
        }
    }
    let any_on_line = [r_side, s_side, p_side, q_side].contains(&Ordering::Equal);
    if any_on_line {
        Meeting::Apart
    } else {
        Meeting::Cross
    }
}

fn in_box(c: Coord<f64>, a: Coord<f64>, b: Coord<f64>) -> bool {
    a.x.min(b.x) <= c.x && c.x <= a.x.max(b.x) && a.y.min(b.y) <= c.y && c.y <= a.y.max(b.y)
}

/// Two segments of one line, compared along it.
fn collinear_meeting(
    (p, q): (Coord<f64>, Coord<f64>),
    (r, s): (Coord<f64>, Coord<f64>),
) -> Meeting {
    let sorted = |a: Coord<f64>, b: Coord<f64>| {
        if (a.x, a.y) <= (b.x, b.y) {
            (a, b)
        } else {
            (b, a)
        }
    };
    let ((p, q), (r, s)) = (sorted(p, q), sorted(r, s));
    let from = sorted(p, r).1;
    let to = sorted(q, s).0;
    if from == to {
        Meeting::Touch(from)
    } else if (from.x, from.y) < (to.x, to.y) {
        Meeting::Overlap
    } else {
        Meeting::Apart
    }
}

/// Rings that swap sides where they touch.
fn crossing_at_touch(rings: &Rings, boundary: &Boundary, touches: &[Touch]) -> ControlFlow<Defect> {
    for touch in touches {
        let (i, j) = touch.segments;
        let (a1, a2) = boundary.arms(&rings.coords, i, touch.at);
        let (b1, b2) = boundary.arms(&rings.coords, j, touch.at);
        if is_left_of(a1, touch.at, a2, b1) != is_left_of(a1, touch.at, a2, b2) {
            return ControlFlow::Break(clash(boundary, boundary.ring_of(i), boundary.ring_of(j)));
        }
    }
    ControlFlow::Continue(())
}

/// Whether `c`, on neither arm, lies in the sector left of the path `a1 → at → a2`.
///
/// ```text
///        a2
///   left ↑
///        at ←── a1    a left turn keeps to the left of both arms, a right turn of either
/// ```
fn is_left_of(a1: Coord<f64>, at: Coord<f64>, a2: Coord<f64>, c: Coord<f64>) -> bool {
    let left_of_first = orient(a1, at, c) == Ordering::Greater;
    let left_of_second = orient(at, a2, c) == Ordering::Greater;
    match orient(a1, at, a2) {
        Ordering::Greater => left_of_first && left_of_second,
        Ordering::Less => left_of_first || left_of_second,
        Ordering::Equal => left_of_first,
    }
}

/// Rings of one polygon whose touches close a circle, which cuts its interior in two.
fn interior_split(rings: &Rings, boundary: &Boundary, touches: &[Touch]) -> ControlFlow<Defect> {
    if touches.is_empty() {
        return ControlFlow::Continue(());
    }
    // Nodes are rings and touching points; an edge joins a ring to a point it passes.
    let mut points = FxHashMap::default();
    let mut edges = FxHashSet::default();
    let mut sets: Vec<usize> = (0..rings.ring_count()).collect();
    for touch in touches {
        let (ring_i, ring_j) = (
            boundary.ring_of(touch.segments.0),
            boundary.ring_of(touch.segments.1),
        );
        let polygon = boundary.polygon_of_ring(ring_i);
        if polygon != boundary.polygon_of_ring(ring_j) {
            continue;
        }
        let point = *points.entry((polygon, bits(touch.at))).or_insert_with(|| {
            sets.push(sets.len());
            sets.len() - 1
        });
        for ring in [ring_i, ring_j] {
            if !edges.insert((ring, point)) {
                continue;
            }
            let (a, b) = (root(&mut sets, ring), root(&mut sets, point));
            if a == b {
                return ControlFlow::Break(Defect::InteriorSplit);
            }
            sets[a] = b;
        }
    }
    ControlFlow::Continue(())
}

fn root(sets: &mut [usize], mut node: usize) -> usize {
    while sets[node] != node {
        sets[node] = sets[sets[node]];
        node = sets[node];
    }
    node
}

/// Holes outside their exterior or inside each other, parts inside each other, given that no two
/// rings cross.
fn misplaced(rings: &Rings, boundary: &Boundary) -> ControlFlow<Defect> {
    if rings.ring_count() == 1 {
        return ControlFlow::Continue(());
    }
    let bounds: Vec<Bounds> = (0..rings.ring_count())
        .map(|ring| Bounds::of(rings.ring(ring)))
        .collect();
    let is_inside = |inner: usize, outer: usize| {
        bounds[outer].contains(&bounds[inner]) && lies_inside(rings, boundary, inner, outer)
    };
    let mut exteriors = Vec::new();
    for polygon in rings.polygon_rings() {
        let exterior = polygon.start;
        exteriors.push(polygon.clone());
        let holes: Vec<usize> = (exterior + 1..polygon.end).collect();
        if holes.iter().any(|hole| !is_inside(*hole, exterior)) {
            return ControlFlow::Break(Defect::HoleOutside);
        }
        each_nested(holes, &bounds, |inner, outer| {
            if is_inside(inner, outer) {
                ControlFlow::Break(Defect::HolesNested)
            } else {
                ControlFlow::Continue(())
            }
        })?;
    }
    let polygon_of = |exterior: usize| boundary.polygon_of_ring(exterior);
    let shells = exteriors.iter().map(|rings| rings.start).collect();
    each_nested(shells, &bounds, |inner, outer| {
        let mut holes = exteriors[polygon_of(outer)].clone().skip(1);
        if is_inside(inner, outer) && !holes.any(|hole| is_inside(inner, hole)) {
            ControlFlow::Break(Defect::PartsOverlap)
        } else {
            ControlFlow::Continue(())
        }
    })
}

/// Calls `visit(inner, outer)` for the pairs of rings whose boxes are one in the other.
fn each_nested(
    mut rings: Vec<usize>,
    bounds: &[Bounds],
    mut visit: impl FnMut(usize, usize) -> ControlFlow<Defect>,
) -> ControlFlow<Defect> {
    const PAIRS_MAX: usize = 50_000_000;
    rings.sort_by(|a, b| bounds[*a].min.x.total_cmp(&bounds[*b].min.x));
    let mut pairs = 0;
    for (at, &a) in rings.iter().enumerate() {
        for &b in &rings[at + 1..] {
            if bounds[b].min.x > bounds[a].max.x {
                break;
            }
            pairs += 1;
            if pairs > PAIRS_MAX {
                return ControlFlow::Break(Defect::TooComplex);
            }
            for (inner, outer) in [(a, b), (b, a)] {
                if bounds[outer].contains(&bounds[inner]) {
                    visit(inner, outer)?;
                }
            }
        }
    }
    ControlFlow::Continue(())
}

/// Whether `inner` runs inside `outer`, which it does not cross.
pub(super) fn lies_inside(rings: &Rings, boundary: &Boundary, inner: usize, outer: usize) -> bool {
    let from = rings.range(inner).start;
    let (at, on) = (rings.coords[from], rings.coords[from + 1]);
    match boundary.side(&rings.coords, outer, at) {
        Side::Inside => true,
        Side::Outside => false,
        Side::On(segment) => {
            let (before, after) = boundary.arms(&rings.coords, segment, at);
            let turns_left = is_counter_clockwise(rings.ring(outer));
            is_left_of(before, at, after, on) == turns_left
        }
    }
}

/// The winding of a closed ring that does not cross itself, by its lowest left corner.
pub(super) fn is_counter_clockwise(ring: &[Coord<f64>]) -> bool {
    let open = &ring[..ring.len() - 1];
    let corner = (0..open.len())
        .min_by(|a, b| {
            let (a, b) = (open[*a], open[*b]);
            a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
        })
        .unwrap_or(0);
    let before = open[(corner + open.len() - 1) % open.len()];
    orient(before, open[corner], ring[corner + 1]) == Ordering::Greater
}

#[cfg(test)]
mod tests;
