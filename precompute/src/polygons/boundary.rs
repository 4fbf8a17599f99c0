//! All segments of a feature under a tree of boxes that follows their order along the rings.
//!
//! Neighbours in a ring are neighbours in space, so consecutive runs make tight boxes without any
//! sorting:
//!
//! ```text
//! level 2                 [ 0 … 31 ]
//! level 1         [ 0 … 15 ]      [ 16 … 31 ]
//! level 0      [0…7] [8…15]    [16…23] [24…31]   segments i = coords[i] → coords[i + 1]
//! ```

use std::cmp::Ordering;
use std::ops::{ControlFlow, Range};

use geo::Orientation;
use geo::kernels::{Kernel, RobustKernel};
use geo_types::Coord;

use super::rings::{Bounds, Rings};

/// Segments in a run of level 0.
const RUN: usize = 8;

/// On which side of a ring a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Inside,
    Outside,
    /// On this segment.
    On(usize),
}

/// The index over the segments of tidied rings.
#[derive(Debug)]
pub(super) struct Boundary {
    levels: Vec<Vec<Bounds>>,
    ring_ends: Vec<usize>,
    polygon_of_ring: Vec<usize>,
}

impl Boundary {
    pub(super) fn of(rings: &Rings) -> Self {
        let mut polygon_of_ring = Vec::with_capacity(rings.ring_count());
        for (polygon, its_rings) in rings.polygon_rings().enumerate() {
            polygon_of_ring.extend(its_rings.map(|_| polygon));
        }
        let runs = rings.coords.len().div_ceil(RUN);
        let mut level = Vec::with_capacity(runs);
        let mut ends = rings.ring_ends.iter().copied().peekable();
        for from in (0..rings.coords.len()).step_by(RUN) {
            let to = (from + RUN).min(rings.coords.len());
            // The run's last segment ends one coordinate further, unless its ring does too.
            while ends.next_if(|end| *end < to).is_some() {}
            let last = if ends.peek() == Some(&to) { to } else { to + 1 };
            level.push(Bounds::of(
                &rings.coords[from..last.min(rings.coords.len())],
            ));
        }
        let mut levels = vec![level];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below
                .chunks(2)
                .map(|pair| {
                    let mut bounds = pair[0];
                    if let Some(second) = pair.get(1) {
                        bounds.merge(second);
                    }
                    bounds
                })
                .collect();
            levels.push(above);
        }
        Self {
            levels,
            ring_ends: rings.ring_ends.clone(),
            polygon_of_ring,
        }
    }

    /// The ring a segment belongs to.
    pub(super) fn ring_of(&self, segment: usize) -> usize {
        self.ring_ends.partition_point(|end| *end <= segment)
    }

    pub(super) fn polygon_of_ring(&self, ring: usize) -> usize {
        self.polygon_of_ring[ring]
    }

    fn ring_range(&self, ring: usize) -> Range<usize> {
        ring.checked_sub(1)
            .map_or(0, |before| self.ring_ends[before])..self.ring_ends[ring]
    }

    /// The segment that follows in the ring.
    pub(super) fn next(&self, segment: usize) -> usize {
        let ring = self.ring_range(self.ring_of(segment));
        if segment + 2 == ring.end {
            ring.start
        } else {
            segment + 1
        }
    }

    fn previous(&self, segment: usize) -> usize {
        let ring = self.ring_range(self.ring_of(segment));
        if segment == ring.start {
            ring.end - 2
        } else {
            segment - 1
        }
    }

    /// Whether two segments follow each other in a ring.
    pub(super) fn are_neighbours(&self, i: usize, j: usize) -> bool {
        if i.abs_diff(j) == 1 {
            // The last coordinate of a ring starts no segment, so these share a ring.
            return true;
        }
        let ring = self.ring_range(self.ring_of(i));
        i.min(j) == ring.start && i.max(j) + 2 == ring.end
    }

    /// The vertices before and after `at`, a point of `segment`, along its ring.
    pub(super) fn arms(
        &self,
        coords: &[Coord<f64>],
        segment: usize,
        at: Coord<f64>,
    ) -> (Coord<f64>, Coord<f64>) {
        let (mut before, mut after) = (coords[segment], coords[segment + 1]);
        if before == at {
            before = coords[self.previous(segment)];
        }
        if after == at {
            after = coords[self.next(segment) + 1];
        }
        (before, after)
    }

    /// Calls `visit(i, j)`, `i < j`, for every two segments whose boxes meet.
    ///
    /// Breaks with `None` when there are more than any map has.
    pub(super) fn each_pair<B>(
        &self,
        coords: &[Coord<f64>],
        mut visit: impl FnMut(usize, usize) -> ControlFlow<B>,
    ) -> ControlFlow<Option<B>> {
        // Real boundaries stay below 10 runs a run; this stops a hostile one within seconds.
        let mut allowance = 10_000_000 + 100 * self.levels[0].len();
        let top = self.levels.len() - 1;
        let mut pending = vec![(top, 0, 0)];
        while let Some((level, a, b)) = pending.pop() {
            let boxes = &self.levels[level];
            if a != b && !boxes[a].meets(&boxes[b]) {
                continue;
            }
            if level == 0 {
                allowance = match allowance.checked_sub(1) {
                    Some(left) => left,
                    None => return ControlFlow::Break(None),
                };
                self.each_pair_of_runs(coords, a, b, &mut visit)
                    .map_break(Some)?;
                continue;
            }
            let count = self.levels[level - 1].len();
            let (a_children, b_children) = (children(a, count), children(b, count));
            for i in a_children {
                for j in b_children.clone().filter(|j| a != b || *j >= i) {
                    pending.push((level - 1, i, j));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn each_pair_of_runs<B>(
        &self,
        coords: &[Coord<f64>],
        a: usize,
        b: usize,
        visit: &mut impl FnMut(usize, usize) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut theirs = [(0, Bounds::EMPTY); RUN];
        let mut their_count = 0;
        for (j, bounds) in self.run(coords, b) {
            if a == b || bounds.meets(&self.levels[0][a]) {
                theirs[their_count] = (j, bounds);
                their_count += 1;
            }
        }
        for (i, bounds) in self.run(coords, a) {
            if a != b && !bounds.meets(&self.levels[0][b]) {
                continue;
            }
            for (j, other) in &theirs[..their_count] {
                if i < *j && bounds.meets(other) {
                    visit(i, *j)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The segments of a run and their boxes.
    fn run<'a>(
        &'a self,
        coords: &'a [Coord<f64>],
        run: usize,
    ) -> impl Iterator<Item = (usize, Bounds)> + 'a {
        let from = run * RUN;
        let to = (from + RUN).min(coords.len());
        let mut ring = self.ring_of(from);
        (from..to).filter_map(move |i| {
            if i + 1 == self.ring_ends[ring] {
                ring += 1;
                return None;
            }
            Some((i, Bounds::of(&coords[i..i + 2])))
        })
    }

    /// The side of `ring` that `point` is on, by counting crossings of a ray eastwards.
    pub(super) fn side(&self, coords: &[Coord<f64>], ring: usize, point: Coord<f64>) -> Side {
        let range = self.ring_range(ring);
        let mut is_inside = false;
        let mut pending = vec![(self.levels.len() - 1, 0)];
        while let Some((level, node)) = pending.pop() {
            let bounds = &self.levels[level][node];
            let span = (node * RUN) << level..((node + 1) * RUN) << level;
            let may_meet = bounds.min.y <= point.y
                && point.y <= bounds.max.y
                && point.x <= bounds.max.x
                && span.start < range.end
                && range.start < span.end;
            if !may_meet {
                continue;
            }
            if level > 0 {
                let below = children(node, self.levels[level - 1].len());
                pending.extend(below.map(|child| (level - 1, child)));
                continue;
            }
            let first = span.start.max(range.start);
            let last = span.end.min(range.end - 1);
            for i in first..last {
                match ray(coords[i], coords[i + 1], point) {
                    Ray::Misses => {}
                    Ray::Crosses => is_inside = !is_inside,
                    Ray::StartsOn => return Side::On(i),
                }
            }
        }
        if is_inside {
            Side::Inside
        } else {
            Side::Outside
        }
    }
}

fn children(node: usize, count: usize) -> Range<usize> {
    2 * node..(2 * node + 2).min(count)
}

enum Ray {
    Misses,
    Crosses,
    StartsOn,
}

/// How the ray from `c` eastwards meets a segment; its lower end counts, its upper does not.
fn ray(a: Coord<f64>, b: Coord<f64>, c: Coord<f64>) -> Ray {
    let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
    if c.y < low.y || c.y > high.y || (c.x > a.x && c.x > b.x) {
        return Ray::Misses;
    }
    let side = match RobustKernel::orient2d(low, high, c) {
        Orientation::CounterClockwise => Ordering::Greater,
        Orientation::Clockwise => Ordering::Less,
        Orientation::Collinear => Ordering::Equal,
    };
    match side {
        Ordering::Equal if low.y < high.y || c.x >= a.x.min(b.x) => Ray::StartsOn,
        Ordering::Greater if c.y < high.y => Ray::Crosses,
        _ => Ray::Misses,
    }
}
