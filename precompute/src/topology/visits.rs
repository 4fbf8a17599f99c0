//! Which rings pass through each point: where boundaries part, and which edges have one user.

use rayon::prelude::*;
use tilecore::geometry::GridPoint;

use super::rings::Rings;

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

impl Visits {
    pub(super) fn new(rings: &Rings) -> Self {
        let points = rings.points();
        let mut blocks = Blocks::new(rings);
        let found: Vec<Found> = blocks
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

/// Visits by block of the grid, so that those of one point are together and what is near is looked
/// at together: the search for neighbours then reads memory it has just read.
///
/// ```text
/// blocks of the grid        the block's row and column say the bucket; distant blocks
///   │ 0 │ 1 │ 2 │ …         may share one
///   │ 7 │ 8 │ 9 │ …
/// ```
struct Blocks {
    visits: Vec<Visit>,
    /// Where each bucket ends.
    ends: Vec<usize>,
}

impl Blocks {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "2^32 vertices do not fit in memory"
    )]
    fn new(rings: &Rings) -> Self {
        let points = rings.points();
        let spans = || (0..rings.rings()).map(|ring| rings.span(ring));
        let count = spans().map(|span| span.len()).sum();
        let bits = block_bits(points, count);
        let mask = (count / BUCKET).next_power_of_two() as u32 - 1;
        let bucket = |p: GridPoint| {
            let (x, y) = (p.x.cast_unsigned() >> bits, p.y.cast_unsigned() >> bits);
            // An odd factor spreads the rows of blocks over the buckets.
            (y.wrapping_mul(0x9e37_79b1).wrapping_add(x) & mask) as usize
        };
        let mut ends = vec![0_usize; mask as usize + 2];
        for span in spans() {
            for p in &points[span] {
                ends[bucket(*p) + 1] += 1;
            }
        }
        for i in 1..ends.len() {
            ends[i] += ends[i - 1];
        }
        let mut visits = vec![0; count];
        let low = (1 << bits) - 1;
        for span in spans() {
            for (position, p) in span.clone().zip(&points[span]) {
                let at = &mut ends[bucket(*p)];
                let (x, y) = (p.x.cast_unsigned() & low, p.y.cast_unsigned() & low);
                visits[*at] = u64::from(x << bits | y) << 32 | position as u64;
                *at += 1;
            }
        }
        ends.pop();
        Self { visits, ends }
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
    let mut bounds = [i32::MAX, i32::MAX, i32::MIN, i32::MIN];
    for p in points {
        bounds = [
            bounds[0].min(p.x),
            bounds[1].min(p.y),
            bounds[2].max(p.x),
            bounds[3].max(p.y),
        ];
    }
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
