//! Which rings pass through each point: where boundaries part, and which edges have one user.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tilecore::geometry::{GridPoint, bounds};

use super::rings::{Moved, Rings, Shape};

/// A ring passing through a point: the point's place in its block above, its position below.
type Visit = u64;

/// Visits a bucket holds on average, so that sorting it is cheap.
const BUCKET: usize = 32;

/// Visits one thread looks at in a row.
const CHUNK: usize = 1 << 16;

/// A block is at most 2¹⁶ × 2¹⁶ cells, so that a place in it takes 32 bits.
const BLOCK_BITS_MAX: u32 = 16;

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

/// Visits by block of the grid, so that those of one point are together and what is near is looked
/// at together: the search for neighbours then reads memory it has just read.
///
/// ```text
/// blocks of the grid        the block's row and column say the bucket; distant blocks
///   │ 0 │ 1 │ 2 │ …         may share one
///   │ 7 │ 8 │ 9 │ …
/// ```
#[derive(Debug)]
pub(super) struct Blocks {
    /// The side of a block as a power of two.
    bits: u32,
    /// The number of buckets, a power of two, less one.
    mask: u32,
    visits: Vec<Visit>,
    /// Where each bucket ends.
    ends: Vec<usize>,
}

impl Blocks {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "2^32 vertices do not fit in memory"
    )]
    pub(super) fn new(rings: &Rings) -> Self {
        let count = (0..rings.rings()).map(|ring| rings.span(ring).len()).sum();
        Self {
            bits: block_bits(rings.points(), count),
            mask: (count / BUCKET).next_power_of_two() as u32 - 1,
            visits: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Looks at all visits.
    pub(super) fn look(&mut self, rings: &Rings) -> Visits {
        self.fill(rings, |_| true);
        let mut visits = Visits {
            is_junction: vec![false; rings.points().len()],
            ..Visits::default()
        };
        self.examine(rings, &mut visits);
        visits
    }

    /// Gives units other shapes, and looks again where they were and are; `visits` is what was
    /// found before.
    pub(super) fn replace(
        &mut self,
        rings: &mut Rings,
        shapes: &BTreeMap<usize, Shape>,
        mut visits: Visits,
    ) -> Visits {
        let mut is_concerned = vec![false; self.mask as usize + 1];
        let mut mark = |rings: &Rings| {
            for &unit in shapes.keys() {
                for p in &rings.points()[rings.positions_of_unit(unit)] {
                    is_concerned[self.bucket(*p)] = true;
                }
            }
        };
        mark(rings);
        let moves = rings.replace(shapes);
        mark(rings);

        let points = rings.points();
        let is_as_before = |p: GridPoint| !is_concerned[self.bucket(p)];
        let mut is_junction = vec![false; points.len()];
        let mut single_edges = Vec::new();
        for Moved { from, to } in moves {
            is_junction[to..to + from.len()].copy_from_slice(&visits.is_junction[from.clone()]);
            let edges = &visits.single_edges;
            let start = edges.partition_point(|edge| *edge < from.start);
            let end = edges.partition_point(|edge| *edge < from.end);
            let moved = edges[start..end].iter().map(|edge| edge - from.start + to);
            single_edges.extend(moved.filter(|edge| is_as_before(points[*edge])));
        }
        visits.is_junction = is_junction;
        visits.single_edges = single_edges;
        visits.open_ends.retain(|end| is_as_before(end.0));

        self.fill(rings, |bucket| is_concerned[bucket]);
        for visit in &self.visits {
            visits.is_junction[position(*visit)] = false;
        }
        self.examine(rings, &mut visits);
        visits
    }

    fn bucket(&self, p: GridPoint) -> usize {
        let (x, y) = (
            p.x.cast_unsigned() >> self.bits,
            p.y.cast_unsigned() >> self.bits,
        );
        // An odd factor spreads the rows of blocks over the buckets.
        (y.wrapping_mul(0x9e37_79b1).wrapping_add(x) & self.mask) as usize
    }

    /// Collects the visits of some buckets.
    fn fill(&mut self, rings: &Rings, is_wanted: impl Fn(usize) -> bool) {
        let points = rings.points();
        let spans = || (0..rings.rings()).map(|ring| rings.span(ring));
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        ends.resize(self.mask as usize + 2, 0);
        for span in spans() {
            for p in &points[span] {
                let bucket = self.bucket(*p);
                ends[bucket + 1] += usize::from(is_wanted(bucket));
            }
        }
        for i in 1..ends.len() {
            ends[i] += ends[i - 1];
        }
        let mut visits = std::mem::take(&mut self.visits);
        visits.resize(ends[ends.len() - 1], 0);
        let low = (1 << self.bits) - 1;
        for span in spans() {
            for (position, p) in span.clone().zip(&points[span]) {
                let bucket = self.bucket(*p);
                if is_wanted(bucket) {
                    let at = &mut ends[bucket];
                    let (x, y) = (p.x.cast_unsigned() & low, p.y.cast_unsigned() & low);
                    visits[*at] = u64::from(x << self.bits | y) << 32 | position as u64;
                    *at += 1;
                }
            }
        }
        ends.pop();
        self.visits = visits;
        self.ends = ends;
    }

    /// Adds what the collected visits say.
    fn examine(&mut self, rings: &Rings, visits: &mut Visits) {
        let found: Vec<Found> = self
            .chunks()
            .into_par_iter()
            .map(|chunk| {
                let mut found = Found::default();
                for bucket in chunk {
                    found.examine(bucket, rings);
                }
                found
            })
            .collect();
        for chunk in found {
            for position in chunk.junctions {
                visits.is_junction[position] = true;
            }
            visits.single_edges.extend(chunk.single_edges);
            visits.open_ends.extend(chunk.open_ends);
        }
        visits.single_edges.par_sort_unstable();
    }

    /// The buckets, in runs for one thread each.
    fn chunks(&mut self) -> Vec<Vec<&mut [Visit]>> {
        let mut chunks = vec![Vec::new()];
        let (mut rest, mut start, mut size) = (self.visits.as_mut_slice(), 0, 0);
        for &end in &self.ends {
            let (bucket, behind) = rest.split_at_mut(end - start);
            (rest, start) = (behind, end);
            size += bucket.len();
            match chunks.last_mut() {
                Some(chunk) if size <= CHUNK => chunk.push(bucket),
                _ => {
                    size = bucket.len();
                    chunks.push(vec![bucket]);
                }
            }
        }
        chunks
    }
}

/// The side of a block as a power of two: a bucketful of visits, were they spread evenly.
fn block_bits(points: &[GridPoint], count: usize) -> u32 {
    let bounds = bounds(points.iter().copied()).unwrap_or_default();
    let side =
        |low: i32, high: i32| u64::try_from(i64::from(high) - i64::from(low)).unwrap_or(0) + 1;
    let area = side(bounds[0], bounds[2]) * side(bounds[1], bounds[3]);
    let blocks = (count / BUCKET).max(1) as u64;
    ((area / blocks).max(1).ilog2() / 2).min(BLOCK_BITS_MAX)
}

/// The position of a visit.
#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
fn position(visit: Visit) -> usize {
    visit as u32 as usize
}

#[derive(Default)]
struct Found {
    junctions: Vec<usize>,
    single_edges: Vec<usize>,
    open_ends: Vec<(GridPoint, u32)>,
    /// A buffer.
    neighbours: Vec<GridPoint>,
}

impl Found {
    /// Looks at the visits of a bucket, point by point.
    fn examine(&mut self, bucket: &mut [Visit], rings: &Rings) {
        let points = rings.points();
        let at = |visit: &Visit| points[position(*visit)];
        bucket.sort_unstable();
        for group in bucket.chunk_by_mut(|a, b| a >> 32 == b >> 32) {
            if group.iter().all(|visit| at(visit) == at(&group[0])) {
                self.examine_point(group, rings);
                continue;
            }
            // The same place in two blocks.
            group.sort_unstable_by_key(|visit| (at(visit), *visit));
            for group in group.chunk_by(|a, b| at(a) == at(b)) {
                self.examine_point(group, rings);
            }
        }
    }

    fn examine_point(&mut self, visits: &[Visit], rings: &Rings) {
        let points = rings.points();
        let positions = || visits.iter().map(|visit| position(*visit));
        if let [visit] = visits {
            let position = position(*visit);
            self.single_edges.push(position);
            self.open_ends
                .push((points[position], rings.unit_at(position)));
            return;
        }
        let first = unordered(points, position(visits[0]));
        if positions().skip(1).all(|p| unordered(points, p) == first) {
            return;
        }
        self.junctions.extend(positions());
        let mut neighbours = std::mem::take(&mut self.neighbours);
        neighbours.clear();
        neighbours.extend(positions().flat_map(|p| [points[p - 1], points[p + 1]]));
        neighbours.sort_unstable();
        let is_single = |to: GridPoint| {
            let at = neighbours.partition_point(|n| *n < to);
            neighbours.get(at + 1) != Some(&to)
        };
        let mut is_open = false;
        for position in positions() {
            if is_single(points[position + 1]) {
                self.single_edges.push(position);
                is_open = true;
            }
            is_open |= is_single(points[position - 1]);
        }
        if is_open {
            let at = points[position(visits[0])];
            self.open_ends
                .extend(positions().map(|p| (at, rings.unit_at(p))));
        }
        self.neighbours = neighbours;
    }
}

/// The points before and after a position, the smaller first.
fn unordered(points: &[GridPoint], position: usize) -> (GridPoint, GridPoint) {
    let (a, b) = (points[position - 1], points[position + 1]);
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Units of one ring each among few places, so that most points have several.
    fn shapes() -> impl Strategy<Value = Vec<Shape>> {
        let place = (0..4_i32, 0..4_i32).prop_map(|(x, y)| GridPoint {
            x: x << 9,
            y: y << 9,
        });
        let ring = prop::collection::vec(place, 3..6);
        prop::collection::vec(ring.prop_map(|ring| vec![vec![ring]]), 1..60)
    }

    fn found(mut visits: Visits) -> (Vec<bool>, Vec<usize>, Vec<(GridPoint, u32)>) {
        visits.open_ends.sort_unstable();
        (visits.is_junction, visits.single_edges, visits.open_ends)
    }

    proptest! {
        #[test]
        fn what_has_changed_is_all_that_must_be_looked_at(
            mut units in shapes(), others in shapes(), chosen in any::<u64>(),
        ) {
            let mut rings = Rings::new(&units);
            let mut blocks = Blocks::new(&rings);
            let before = blocks.look(&rings);
            let others = others.into_iter().enumerate();
            let replaced: BTreeMap<usize, Shape> = others
                .filter(|(unit, _)| *unit < units.len() && chosen >> unit & 1 == 1)
                .collect();
            let visits = blocks.replace(&mut rings, &replaced, before);
            for (unit, shape) in replaced {
                units[unit] = shape;
            }
            let rings = Rings::new(&units);
            let afresh = Blocks::new(&rings).look(&rings);
            prop_assert_eq!(found(visits), found(afresh));
        }
    }
}
