//! Which rings pass through each point: where boundaries part, and which edges have one user.

use rayon::prelude::*;
use tilecore::geometry::GridPoint;

use super::rings::Rings;

/// A ring passing through a point; sorted, the visits of a point are together.
type Visit = (u64, usize);

/// Every visit of every point, and what they say about the edges.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// Whether the point at a position of [`Rings::points`] is a junction: not all rings through
    /// it come from and go to the same two points.
    pub is_junction: Vec<bool>,
    /// Positions from which an edge leaves that no other ring has, in either direction; sorted.
    pub single_edges: Vec<usize>,
    /// Ends of such edges, each with the units that pass through it.
    pub open_ends: Vec<(GridPoint, u32)>,
}

impl Visits {
    pub(super) fn new(rings: &Rings) -> Self {
        let points = rings.points();
        let mut sorted: Vec<Visit> = (0..rings.rings())
            .into_par_iter()
            .flat_map_iter(|ring| rings.span(ring))
            .map(|position| (key(points[position]), position))
            .collect();
        sorted.par_sort_unstable();
        let found: Vec<Found> = chunks(&sorted)
            .into_par_iter()
            .map(|chunk| examine(chunk, rings))
            .collect();
        let mut is_junction = vec![false; points.len()];
        let mut single_edges = Vec::new();
        let mut open_ends = Vec::new();
        for chunk in found {
            for position in chunk.junctions {
                is_junction[position] = true;
            }
            single_edges.extend(chunk.single_edges);
            open_ends.extend(chunk.open_ends);
        }
        single_edges.par_sort_unstable();
        Self {
            is_junction,
            single_edges,
            open_ends,
        }
    }
}

/// Orders points by blocks of 2¹⁶ × 2¹⁶ cells, so that what is near is sorted near: the search
/// for neighbours then reads memory it has just read.
fn key(p: GridPoint) -> u64 {
    let (x, y) = (
        u64::from(p.x.cast_unsigned()),
        u64::from(p.y.cast_unsigned()),
    );
    (x >> 16) << 48 | (y >> 16) << 32 | (x & 0xffff) << 16 | (y & 0xffff)
}

#[derive(Default)]
struct Found {
    junctions: Vec<usize>,
    single_edges: Vec<usize>,
    open_ends: Vec<(GridPoint, u32)>,
}

const CHUNK: usize = 1 << 16;

/// Cuts the visits between points.
fn chunks(mut visits: &[Visit]) -> Vec<&[Visit]> {
    let mut chunks = Vec::with_capacity(visits.len() / CHUNK + 1);
    while !visits.is_empty() {
        let mut end = visits.len().min(CHUNK);
        while end < visits.len() && visits[end].0 == visits[end - 1].0 {
            end += 1;
        }
        let (chunk, rest) = visits.split_at(end);
        chunks.push(chunk);
        visits = rest;
    }
    chunks
}

fn examine(visits: &[Visit], rings: &Rings) -> Found {
    let points = rings.points();
    let mut found = Found::default();
    let mut neighbours = Vec::new();
    for group in visits.chunk_by(|a, b| a.0 == b.0) {
        if let [(_, position)] = group {
            found.single_edges.push(*position);
            found
                .open_ends
                .push((points[*position], rings.unit_at(*position)));
            continue;
        }
        let first = unordered(points, group[0].1);
        if group[1..].iter().all(|v| unordered(points, v.1) == first) {
            continue;
        }
        found.junctions.extend(group.iter().map(|visit| visit.1));
        neighbours.clear();
        for &(_, position) in group {
            neighbours.extend([points[position - 1], points[position + 1]]);
        }
        neighbours.sort_unstable();
        let is_single = |to: GridPoint| {
            let at = neighbours.partition_point(|n| *n < to);
            neighbours.get(at + 1) != Some(&to)
        };
        let mut is_open = false;
        for &(_, position) in group {
            if is_single(points[position + 1]) {
                found.single_edges.push(position);
                is_open = true;
            }
            is_open |= is_single(points[position - 1]);
        }
        if is_open {
            let at = points[group[0].1];
            let units = group.iter().map(|visit| (at, rings.unit_at(visit.1)));
            found.open_ends.extend(units);
        }
    }
    found
}

/// The points before and after a position, the smaller first.
fn unordered(points: &[GridPoint], position: usize) -> (GridPoint, GridPoint) {
    let (a, b) = (points[position - 1], points[position + 1]);
    (a.min(b), a.max(b))
}
