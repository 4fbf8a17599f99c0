//! Units merged into groups, from the arcs that bound them.

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use tilecore::geometry::GridPoint;

use super::Coverage;
use super::nesting::assemble;
use super::repair::{Repairer, union};
use super::rings::{Rings, Shape, double_area};
use super::stitch::{stitch, walks};

/// A hole that no unit covers is filled when it is narrower than this, in cells: 38 m of
/// EPSG:3857. Its width is twice its area over its perimeter.
const SLIVER_WIDTH: f64 = 1024.0;

/// An arc that a group's rings walk more often in one direction than in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    group: usize,
    arc: usize,
    /// Walks in the arc's direction less those against it.
    net: i32,
}

/// The rings of the groups `0..groups`, and how many slivers were filled.
pub(super) fn dissolve(
    coverage: &Coverage,
    group_of_unit: &[usize],
    groups: usize,
) -> (Rings, usize) {
    let covered = coverage.walked();
    let bounds = bounds(coverage, group_of_unit, groups);
    let dissolved: Vec<(Shape, usize)> = (0..groups)
        .into_par_iter()
        .map_init(Repairer::default, |repairer, group| {
            let start = bounds.partition_point(|bound| bound.group < group);
            let end = bounds.partition_point(|bound| bound.group <= group);
            let bounds = &bounds[start..end];
            let mut shape = merged(coverage, bounds, repairer);
            let filled = fill_slivers(&mut shape, coverage, bounds, &covered);
            (shape, filled)
        })
        .collect();
    let filled = dissolved.iter().map(|group| group.1).sum();
    let shapes: Vec<Shape> = dissolved.into_iter().map(|group| group.0).collect();
    (Rings::new(&shapes), filled)
}

/// The arcs that bound groups: walks in both directions cancel out.
fn bounds(coverage: &Coverage, group_of_unit: &[usize], groups: usize) -> Vec<Bound> {
    let layout = &coverage.layout;
    let mut walks: Vec<Bound> = (0..layout.units().min(group_of_unit.len()))
        .into_par_iter()
        .filter(|&unit| group_of_unit[unit] < groups)
        .flat_map_iter(|unit| {
            let uses = layout
                .rings_of_unit(unit)
                .flat_map(|ring| layout.uses_of_ring(ring));
            uses.map(move |walk| Bound {
                group: group_of_unit[unit],
                arc: walk.arc(),
                net: if walk.reversed() { -1 } else { 1 },
            })
        })
        .collect();
    walks.par_sort_unstable();
    walks
        .chunk_by(|a, b| (a.group, a.arc) == (b.group, b.arc))
        .map(|walks| Bound {
            net: walks.iter().map(|walk| walk.net).sum(),
            ..walks[0]
        })
        .filter(|bound| bound.net != 0)
        .collect()
}

/// The area of one group. Arcs give it exactly; where units of the group overlap, the union does.
fn merged(coverage: &Coverage, bounds: &[Bound], repairer: &mut Repairer) -> Shape {
    let walks = walks(bounds.iter().map(|bound| (bound.arc, bound.net)));
    let mut rings = stitch(&coverage.arcs, &walks);
    rings.retain(|ring| double_area(ring) != 0);
    if bounds.iter().all(|bound| bound.net.abs() == 1) {
        rings = match assemble(rings) {
            Ok(shape) if repairer.is_valid(&shape) => return shape,
            Ok(shape) => shape.into_iter().flatten().collect(),
            Err(rings) => rings,
        };
    }
    repairer.repair(union(rings.iter().map(Vec::as_slice)))
}

/// Drops narrow holes that no unit covers: what lies between units drawn apart. Counts them.
fn fill_slivers(
    shape: &mut Shape,
    coverage: &Coverage,
    bounds: &[Bound],
    walked: &[[bool; 2]],
) -> usize {
    if !shape
        .iter()
        .any(|polygon| polygon[1..].iter().any(|hole| is_sliver(hole)))
    {
        return 0;
    }
    // Edges of the group that have a unit on their other side.
    let mut neighboured: FxHashSet<(GridPoint, GridPoint)> = FxHashSet::default();
    for bound in bounds {
        let reversed = bound.net < 0;
        if walked[bound.arc][usize::from(!reversed)] {
            let points = &coverage.arcs.points[coverage.arcs.span(bound.arc)];
            let edges = points.windows(2).map(|ends| (ends[0], ends[1]));
            neighboured.extend(edges.map(|(a, b)| if reversed { (b, a) } else { (a, b) }));
        }
    }
    let mut filled = 0;
    for polygon in shape {
        let holes = polygon.split_off(1);
        polygon.extend(holes.into_iter().filter(|ring| {
            let next = ring.iter().cycle().skip(1);
            let fill = is_sliver(ring)
                && !ring
                    .iter()
                    .zip(next)
                    .any(|(a, b)| neighboured.contains(&(*a, *b)));
            filled += usize::from(fill);
            !fill
        }));
    }
    filled
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a width to compare with a limit"
)]
fn is_sliver(hole: &[GridPoint]) -> bool {
    let next = hole.iter().cycle().skip(1);
    let perimeter: f64 = hole
        .iter()
        .zip(next)
        .map(|(a, b)| {
            let (x, y) = (
                f64::from(b.x) - f64::from(a.x),
                f64::from(b.y) - f64::from(a.y),
            );
            (x * x + y * y).sqrt()
        })
        .sum();
    (double_area(hole).unsigned_abs() as f64) < SLIVER_WIDTH * perimeter
}
