//! T-junctions: a vertex that lies on another unit's edge becomes a vertex of that edge too.
//!
//! Neighbours drawn apart, or rounded apart, share places but not vertices:
//!
//! ```text
//!   A │ C          A │ C
//! ────┴────   ▸  ────●────
//!     B              B
//! ```
//!
//! Only an edge that no other ring has can lack a vertex, and only the end of such an edge can be
//! the vertex it lacks, so a clean coverage costs a look at its outer boundary.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tilecore::geometry::GridPoint;

use super::crossing::orientation;
use super::repair::Repairer;
use super::rings::{Rings, Shape};
use super::visits::Visits;

/// How far from an edge a vertex is taken to lie on it, in cells: 2 m of EPSG:3857. Coordinates
/// of five decimals, the coarsest that are common, stray from their line by less.
const TOLERANCE: i64 = 54;

/// The distance at which a vertex lies on the edge but for the snap, in cells.
const ROUNDING: i64 = 2;

/// A vertex to insert into the edge that leaves a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Insertion {
    position: usize,
    /// How far along the edge, times its length.
    along: i64,
    point: GridPoint,
    exact: bool,
}

/// Inserts what edges lack; `None` when nothing does.
pub(super) fn node(rings: &Rings, visits: &Visits) -> Option<Rings> {
    let points = rings.points();
    let index = Buckets::new(points, &visits.single_edges);
    let insertions: Vec<Insertion> = visits
        .single_edges
        .par_iter()
        .flat_map_iter(|&position| {
            let mut found = Vec::new();
            let (a, b) = (points[position], points[position + 1]);
            index.near(a, b, |point| found.extend(on_edge(position, a, b, point)));
            found.sort_unstable();
            found.dedup();
            if !found.is_empty() {
                let unit = rings.unit_of_ring(rings.ring_at(position));
                found.retain(|insertion| !passes(rings, visits, unit, insertion.point));
            }
            found
        })
        .collect();
    let mut by_unit: Vec<(usize, &[Insertion])> = insertions
        .chunk_by(|a, b| rings.ring_at(a.position) == rings.ring_at(b.position))
        .map(|chunk| (rings.unit_of_ring(rings.ring_at(chunk[0].position)), chunk))
        .collect();
    if by_unit.is_empty() {
        return None;
    }
    by_unit.sort_by_key(|(unit, _)| *unit);
    let groups: Vec<_> = by_unit.chunk_by(|a, b| a.0 == b.0).collect();
    let shapes: FxHashMap<usize, Shape> = groups
        .par_iter()
        .map_init(Repairer::default, |repairer, group| {
            let insertions: Vec<Insertion> = group
                .iter()
                .flat_map(|(_, chunk)| chunk.iter().copied())
                .collect();
            let unit = group[0].0;
            (unit, noded(rings, unit, insertions, repairer))
        })
        .filter_map(|(unit, shape)| Some((unit, shape?)))
        .collect();
    (!shapes.is_empty()).then(|| rings.with(&shapes))
}

/// The unit with its insertions, or with those at rounding distance when all would break it.
fn noded(
    rings: &Rings,
    unit: usize,
    mut insertions: Vec<Insertion>,
    repairer: &mut Repairer,
) -> Option<Shape> {
    let shape = insert(rings, unit, &insertions);
    if repairer.is_valid(&shape) {
        return Some(shape);
    }
    insertions.retain(|insertion| insertion.exact);
    if insertions.is_empty() {
        return None;
    }
    let shape = insert(rings, unit, &insertions);
    repairer.is_valid(&shape).then_some(shape)
}

fn insert(rings: &Rings, unit: usize, insertions: &[Insertion]) -> Shape {
    let points = rings.points();
    rings
        .polygons_of_unit(unit)
        .map(|polygon| {
            let of_ring = |ring| {
                let mut noded = Vec::new();
                for position in rings.span(ring) {
                    noded.push(points[position]);
                    let start = insertions.partition_point(|i| i.position < position);
                    let here = insertions[start..]
                        .iter()
                        .take_while(|i| i.position == position);
                    noded.extend(here.map(|i| i.point));
                }
                noded
            };
            rings.rings_of_polygon(polygon).map(of_ring).collect()
        })
        .collect()
}

/// Whether a unit's rings pass through a point.
fn passes(rings: &Rings, visits: &Visits, unit: usize, point: GridPoint) -> bool {
    visits
        .of(point)
        .any(|position| rings.unit_of_ring(rings.ring_at(position)) == unit)
}

/// The insertion of `point` into the edge `ab`, if it lies beside it.
fn on_edge(position: usize, a: GridPoint, b: GridPoint, point: GridPoint) -> Option<Insertion> {
    let (ux, uy) = (
        i64::from(b.x) - i64::from(a.x),
        i64::from(b.y) - i64::from(a.y),
    );
    let (vx, vy) = (
        i64::from(point.x) - i64::from(a.x),
        i64::from(point.y) - i64::from(a.y),
    );
    let along = ux * vx + uy * vy;
    let length_squared = ux * ux + uy * uy;
    if along <= 0 || along >= length_squared {
        return None;
    }
    // The distance is the cross product over the length.
    let cross = i128::from(orientation(a, b, point));
    let within = |distance: i64| {
        cross * cross <= i128::from(distance * distance) * i128::from(length_squared)
    };
    within(TOLERANCE).then(|| Insertion {
        position,
        along,
        point,
        exact: within(ROUNDING),
    })
}

/// The ends of single edges by square bucket.
struct Buckets {
    /// Bucket and point, sorted.
    points: Vec<(u64, GridPoint)>,
    ranges: FxHashMap<u64, (usize, usize)>,
    shift: u32,
}

impl Buckets {
    /// Buckets are as wide as the mean edge is long, so that edges visit few of them.
    fn new(points: &[GridPoint], edges: &[usize]) -> Self {
        let total: i64 = edges
            .iter()
            .map(|&at| {
                let (a, b) = (points[at], points[at + 1]);
                i64::from((a.x - b.x).abs()) + i64::from((a.y - b.y).abs())
            })
            .sum();
        let mean = total / i64::try_from(edges.len().max(1)).unwrap_or(i64::MAX);
        let shift = mean.max(4 * TOLERANCE).ilog2();
        let mut sorted: Vec<(u64, GridPoint)> = edges
            .par_iter()
            .flat_map_iter(|&at| [points[at], points[at + 1]])
            .map(|p| (bucket(i64::from(p.x) >> shift, i64::from(p.y) >> shift), p))
            .collect();
        sorted.par_sort_unstable();
        sorted.dedup();
        let mut ranges = FxHashMap::default();
        let mut start = 0;
        for chunk in sorted.chunk_by(|a, b| a.0 == b.0) {
            ranges.insert(chunk[0].0, (start, start + chunk.len()));
            start += chunk.len();
        }
        Self {
            points: sorted,
            ranges,
            shift,
        }
    }

    /// Calls `visit` with every point in the buckets within the tolerance of the edge `ab`.
    fn near(&self, a: GridPoint, b: GridPoint, mut visit: impl FnMut(GridPoint)) {
        let (west, east) = if a.x <= b.x { (a, b) } else { (b, a) };
        let (x0, x1) = (i64::from(west.x), i64::from(east.x));
        let (y0, y1) = (i64::from(west.y), i64::from(east.y));
        for column in (x0 - TOLERANCE) >> self.shift..=(x1 + TOLERANCE) >> self.shift {
            // The edge's part in the column, widened by the tolerance.
            let from = ((column << self.shift) - TOLERANCE).clamp(x0, x1);
            let to = (((column + 1) << self.shift) + TOLERANCE).clamp(x0, x1);
            let (low, high) = if x0 == x1 {
                (y0.min(y1), y0.max(y1))
            } else {
                let at = |x: i64| y0 + (x - x0) * (y1 - y0) / (x1 - x0);
                (at(from).min(at(to)), at(from).max(at(to)))
            };
            let margin = TOLERANCE + 1;
            for row in (low - margin) >> self.shift..=(high + margin) >> self.shift {
                if let Some(&(start, end)) = self.ranges.get(&bucket(column, row)) {
                    for &(_, point) in &self.points[start..end] {
                        visit(point);
                    }
                }
            }
        }
    }
}

fn bucket(column: i64, row: i64) -> u64 {
    column.cast_unsigned() << 32 | row.cast_unsigned() & 0xffff_ffff
}
