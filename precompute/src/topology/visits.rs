//! Which rings pass through each point: where boundaries part, and which edges have one user.

use rayon::prelude::*;
use tilecore::geometry::GridPoint;

use super::rings::Rings;

/// A ring passing through a point; sorted, the visits of a point are together.
type Visit = (u64, usize);

/// Every visit of every point, and what they say about the edges.
#[derive(Debug, Default)]
pub(super) struct Visits {
    sorted: Vec<Visit>,
    /// Whether the point at a position of [`Rings::points`] is a junction: not all rings through
    /// it come from and go to the same two points.
    pub is_junction: Vec<bool>,
    /// Positions from which an edge leaves that no other ring has, in either direction; sorted.
    pub single_edges: Vec<usize>,
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
            .map(|chunk| examine(chunk, points))
            .collect();
        let mut is_junction = vec![false; points.len()];
        let mut single_edges = Vec::new();
        for chunk in found {
            for position in chunk.junctions {
                is_junction[position] = true;
            }
            single_edges.extend(chunk.single_edges);
        }
        single_edges.par_sort_unstable();
        Self {
            sorted,
            is_junction,
            single_edges,
        }
    }

    /// Positions at which rings pass through `point`.
    pub(super) fn of(&self, point: GridPoint) -> impl Iterator<Item = usize> {
        let key = key(point);
        let start = self.sorted.partition_point(|visit| visit.0 < key);
        self.sorted[start..]
            .iter()
            .take_while(move |visit| visit.0 == key)
            .map(|visit| visit.1)
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

fn examine(visits: &[Visit], points: &[GridPoint]) -> Found {
    let mut found = Found::default();
    let mut neighbours = Vec::new();
    for group in visits.chunk_by(|a, b| a.0 == b.0) {
        if let [(_, position)] = group {
            found.single_edges.push(*position);
            continue;
        }
        let first = unordered(points, group[0].1);
        if group[1..].iter().all(|v| unordered(points, v.1) == first) {
            continue;
        }
        neighbours.clear();
        for &(_, position) in group {
            neighbours.extend([points[position - 1], points[position + 1]]);
        }
        neighbours.sort_unstable();
        for &(_, position) in group {
            found.junctions.push(position);
            let next = points[position + 1];
            let at = neighbours.partition_point(|n| *n < next);
            if neighbours.get(at + 1) != Some(&next) {
                found.single_edges.push(position);
            }
        }
    }
    found
}

/// The points before and after a position, the smaller first.
fn unordered(points: &[GridPoint], position: usize) -> (GridPoint, GridPoint) {
    let (a, b) = (points[position - 1], points[position + 1]);
    (a.min(b), a.max(b))
}
