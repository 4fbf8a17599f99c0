//! Whether a shape on a tile's grid is valid as MVT 2.1 and OGC Simple Features ask.
//!
//! The checks are strict: two segments that are not neighbours on their ring may not even touch.
//! Shapes that touch themselves where that is allowed (a hole at one point of its exterior) are
//! called invalid too; repairing them leaves them as they are.

use crate::quantize::{Cell, RingRef, Shape, orient};

/// A segment of a ring, with what is needed to find its neighbours.
#[derive(Debug, Clone, Copy)]
struct Segment {
    a: Cell,
    b: Cell,
    ring: u32,
    /// Position in the ring.
    at: u32,
    /// Segments of the ring.
    of: u32,
}

impl Segment {
    fn x_min(&self) -> i32 {
        self.a.x.min(self.b.x)
    }

    fn x_max(&self) -> i32 {
        self.a.x.max(self.b.x)
    }

    /// `[x_min, y_min, x_max, y_max]`.
    fn bounds(&self) -> [i32; 4] {
        let (a, b) = (self.a, self.b);
        [a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y)]
    }

    fn follows(&self, other: &Self) -> bool {
        self.ring == other.ring && (other.at + 1) % self.of == self.at
    }
}

/// Whether no ring meets itself or another and every hole lies in its own exterior only.
#[must_use]
pub fn is_valid(shape: &Shape) -> bool {
    let mut segments: Vec<Segment> = Vec::with_capacity(shape.cells().len());
    for_each_segment(shape, |segment| {
        segments.push(segment);
        true
    });
    segments.sort_unstable_by_key(Segment::x_min);
    // Segments that may still reach the sweep line.
    let mut open: Vec<Segment> = Vec::new();
    for segment in segments {
        open.retain(|other| other.x_max() >= segment.x_min());
        if open.iter().any(|other| meet(&segment, other)) {
            return false;
        }
        open.push(segment);
    }
    is_nested(shape)
}

/// Whether a shape that was valid before it was cut at the edges of `bounds`, and whose cuts were
/// then rounded, is still valid: rounding moves no segment but those that end on an edge.
#[must_use]
pub fn is_valid_at_edges(shape: &Shape, bounds: [i32; 4]) -> bool {
    let [x_min, y_min, x_max, y_max] = bounds;
    let on_edge = |c: Cell| c.x == x_min || c.x == x_max || c.y == y_min || c.y == y_max;
    let mut moved = Vec::new();
    for_each_segment(shape, |segment| {
        if on_edge(segment.a) || on_edge(segment.b) {
            moved.push((segment.bounds(), segment));
        }
        true
    });
    for_each_segment(shape, |other| {
        let [x_min, y_min, x_max, y_max] = other.bounds();
        moved.iter().all(|(bounds, moved)| {
            x_max < bounds[0]
                || bounds[2] < x_min
                || y_max < bounds[1]
                || bounds[3] < y_min
                || !meet(moved, &other)
        })
    })
}

/// Shows each segment to `accept`, in order, until it refuses one; says whether it took all.
fn for_each_segment(shape: &Shape, mut accept: impl FnMut(Segment) -> bool) -> bool {
    for (ring, RingRef { cells, .. }) in (0..).zip(shape.rings()) {
        let Some((&last, before)) = cells.split_last() else {
            continue;
        };
        let of = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        let steps = before.iter().zip(&cells[1..]);
        for (at, (&a, &b)) in (0..).zip(steps.chain([(&last, &cells[0])])) {
            if !accept(Segment { a, b, ring, at, of }) {
                return false;
            }
        }
    }
    true
}

/// Whether two segments have a point in common, beyond the one that neighbours share.
fn meet(s: &Segment, t: &Segment) -> bool {
    if s.ring == t.ring && s.at == t.at {
        return false;
    }
    if s.x_max() < t.x_min()
        || t.x_max() < s.x_min()
        || s.a.y.max(s.b.y) < t.a.y.min(t.b.y)
        || t.a.y.max(t.b.y) < s.a.y.min(s.b.y)
    {
        return false;
    }
    if s.of > 2 && t.follows(s) {
        return doubles_back(s.a, s.b, t.b);
    }
    if s.of > 2 && s.follows(t) {
        return doubles_back(t.a, t.b, s.b);
    }
    let sides = |p: &Segment, q: &Segment| {
        let (c, d) = (
            orient(p.a, p.b, q.a).signum(),
            orient(p.a, p.b, q.b).signum(),
        );
        c * d
    };
    // Their boxes overlap, so collinear segments that pass both tests do meet.
    sides(s, t) <= 0 && sides(t, s) <= 0
}

/// Whether the path a → b → c returns along itself.
fn doubles_back(a: Cell, b: Cell, c: Cell) -> bool {
    let forward = |p: i32, q: i32, r: i32| i64::from(q - p) * i64::from(r - q);
    orient(a, b, c) == 0 && forward(a.x, b.x, c.x) + forward(a.y, b.y, c.y) < 0
}

/// Where a point lies to a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Inside,
    Edge,
    Outside,
}

/// Where `p` lies to the ring `cells`, by the even-odd rule.
pub(crate) fn place(p: Cell, cells: &[Cell]) -> Place {
    let Some(mut a) = cells.last().copied() else {
        return Place::Outside;
    };
    let mut inside = false;
    for &b in cells {
        let side = orient(a, b, p);
        let within = |v: i32, u: i32, w: i32| u.min(w) <= v && v <= u.max(w);
        if side == 0 && within(p.x, a.x, b.x) && within(p.y, a.y, b.y) {
            return Place::Edge;
        }
        if (a.y > p.y) != (b.y > p.y) && (side > 0) == (b.y > a.y) {
            inside = !inside;
        }
        a = b;
    }
    if inside {
        Place::Inside
    } else {
        Place::Outside
    }
}

/// Whether rings that do not meet are nested as they claim: an exterior within an even number of
/// other rings, a hole within an odd number, its own exterior among them.
fn is_nested(shape: &Shape) -> bool {
    if shape.rings().len() == 1 {
        return true;
    }
    let boxes: Vec<[i32; 4]> = shape.rings().map(|ring| bounds(ring.cells)).collect();
    let mut exterior = 0;
    shape.rings().enumerate().all(|(i, ring)| {
        if ring.exterior {
            exterior = i;
        }
        let p = ring.cells[0];
        let within = |j: usize| {
            let [x_min, y_min, x_max, y_max] = boxes[j];
            (x_min..=x_max).contains(&p.x)
                && (y_min..=y_max).contains(&p.y)
                && place(p, shape.ring(j).cells) == Place::Inside
        };
        let depth = (0..boxes.len()).filter(|&j| j != i && within(j)).count();
        (depth % 2 == 0) == ring.exterior && (ring.exterior || within(exterior))
    })
}

fn bounds(cells: &[Cell]) -> [i32; 4] {
    cells
        .iter()
        .fold([i32::MAX, i32::MAX, i32::MIN, i32::MIN], |b, c| {
            [b[0].min(c.x), b[1].min(c.y), b[2].max(c.x), b[3].max(c.y)]
        })
}
