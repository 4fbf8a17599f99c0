//! Points by square bucket, to find those near an edge.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tilecore::geometry::GridPoint;

/// Points visited at most for one edge: thousands of vertices within a few metres are no boundary
/// to join, and comparing all with all would take for ever.
const VISITS_MAX: usize = 1 << 12;

/// The ends of edges. Buckets are as wide as the mean edge is long, so that an edge visits few.
#[derive(Debug)]
pub(super) struct Buckets {
    /// In the order of their buckets.
    points: Vec<GridPoint>,
    ranges: FxHashMap<(i64, i64), (usize, usize)>,
    shift: u32,
    /// How far from an edge points are found, at least, in cells.
    distance: i64,
}

impl Buckets {
    pub(super) fn new<T: Sync>(
        edges: &[T],
        ends: impl Fn(&T) -> (GridPoint, GridPoint) + Sync,
        distance: i64,
    ) -> Self {
        let length = |edge: &T| {
            let (a, b) = ends(edge);
            i64::from((a.x - b.x).abs()) + i64::from((a.y - b.y).abs())
        };
        let total: i64 = edges.par_iter().map(length).sum();
        let mean = total / i64::try_from(edges.len().max(1)).unwrap_or(i64::MAX);
        let shift = mean.max(2 * distance).max(1).ilog2();
        let mut sorted: Vec<((i64, i64), GridPoint)> = edges
            .par_iter()
            .flat_map_iter(|edge| <[GridPoint; 2]>::from(ends(edge)))
            .map(|p| ((i64::from(p.x) >> shift, i64::from(p.y) >> shift), p))
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
            points: sorted.into_iter().map(|entry| entry.1).collect(),
            ranges,
            shift,
            distance,
        }
    }

    /// All points, each once.
    pub(super) fn points(&self) -> &[GridPoint] {
        &self.points
    }

    /// Calls `visit` with every point within the distance of the edge `ab`, and some others.
    pub(super) fn near(&self, a: GridPoint, b: GridPoint, mut visit: impl FnMut(GridPoint)) {
        let (west, east) = if a.x <= b.x { (a, b) } else { (b, a) };
        let (x0, x1) = (i64::from(west.x), i64::from(east.x));
        let (y0, y1) = (i64::from(west.y), i64::from(east.y));
        let margin = self.distance + 1;
        let mut visits = 0;
        for column in (x0 - margin) >> self.shift..=(x1 + margin) >> self.shift {
            // The part of the edge within the distance of the column.
            let from = ((column << self.shift) - margin).clamp(x0, x1);
            let to = (((column + 1) << self.shift) + margin).clamp(x0, x1);
            let (low, high) = if x0 == x1 {
                (y0.min(y1), y0.max(y1))
            } else {
                let at = |x: i64| y0 + (x - x0) * (y1 - y0) / (x1 - x0);
                (at(from).min(at(to)), at(from).max(at(to)))
            };
            for row in (low - margin) >> self.shift..=(high + margin) >> self.shift {
                if let Some(&(start, end)) = self.ranges.get(&(column, row)) {
                    visits += end - start;
                    if visits > VISITS_MAX {
                        return;
                    }
                    for &point in &self.points[start..end] {
                        visit(point);
                    }
                }
            }
        }
    }
}
