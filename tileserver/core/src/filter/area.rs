//! Exact predicates between areas on the world grid.
//!
//! Everything is integer: coordinates lie in 0..=2³⁰, doubled where the middle of an edge is
//! needed, so a cross product stays below 2⁶³. Areas are closed sets: what touches, intersects.
//! Parts of one area may touch in points but not share edges (valid multipolygons).

use crate::geometry::{GridPoint, WORLD_BITS, WORLD_CELLS};

pub(super) type Point = [i64; 2];

const WORLD: i64 = WORLD_CELLS as i64;

pub(super) fn point(p: GridPoint) -> Point {
    [i64::from(p.x), i64::from(p.y)]
}

/// Where a point lies relative to an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    Outside,
    Boundary,
    Inside,
}

/// Polygons as edges, indexed by horizontal slabs:
///
/// ```text
/// slab 0 │  ╱╲        each slab lists the edges that reach into it,
/// slab 1 │ ╱  ╲       so a point or edge meets only those of its own slabs
/// slab 2 │ ╲__╱
/// ```
#[derive(Debug, Clone)]
pub(super) struct Area {
    edges: Vec<Edge>,
    /// One vertex of each polygon's exterior.
    corners: Vec<Point>,
    bounds: [i64; 4],
    /// Height of a slab in bits.
    slab_bits: u32,
    slabs: Vec<Vec<u32>>,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    a: Point,
    b: Point,
    polygon: usize,
}

impl Area {
    /// Per polygon its rings, exterior first, without a closing vertex, in any direction.
    pub(super) fn new(mut polygons: Vec<Vec<Vec<Point>>>) -> Self {
        let mut edges = Vec::new();
        for (polygon, rings) in polygons.iter_mut().enumerate() {
            for (i, ring) in rings.iter_mut().enumerate() {
                // The interior on the same side of every edge.
                if (double_area(ring) < 0) == (i == 0) {
                    ring.reverse();
                }
                let next = ring.iter().cycle().skip(1);
                let pairs = ring.iter().zip(next).filter(|(a, b)| a != b);
                edges.extend(pairs.map(|(&a, &b)| Edge { a, b, polygon }));
            }
        }
        let corners = polygons
            .iter()
            .filter_map(|rings| rings.first()?.first().copied())
            .collect();
        let points = polygons.iter().flatten().flatten();
        Self::indexed(edges, corners, bounds_of(points))
    }

    fn indexed(edges: Vec<Edge>, corners: Vec<Point>, bounds: [i64; 4]) -> Self {
        const SLABS_MAX: i64 = 256;
        let height = (bounds[3] - bounds[1]).max(0);
        let count_max = i64::try_from(edges.len()).map_or(SLABS_MAX, |n| n.clamp(1, SLABS_MAX));
        let slab_bits = (0..=WORLD_BITS)
            .find(|bits| height >> bits < count_max)
            .unwrap_or(WORLD_BITS);
        let mut area = Self {
            edges,
            corners,
            bounds,
            slab_bits,
            slabs: vec![Vec::new(); usize::try_from((height >> slab_bits) + 1).unwrap_or(1)],
        };
        for (i, edge) in area.edges.iter().enumerate() {
            let (low, high) = (edge.a[1].min(edge.b[1]), edge.a[1].max(edge.b[1]));
            for slab in slab(bounds, slab_bits, low)..=slab(bounds, slab_bits, high) {
                area.slabs[slab].push(u32::try_from(i).unwrap_or(u32::MAX));
            }
        }
        area
    }

    /// X and y of the least and greatest corner.
    pub(super) fn bounds(&self) -> [i64; 4] {
        self.bounds
    }

    /// The edges that may touch the box, some of them more than once; in polygon order where the
    /// box is no higher than a slab.
    fn near(&self, [x_min, y_min, x_max, y_max]: [i64; 4]) -> impl Iterator<Item = Edge> + '_ {
        let meets = y_min <= self.bounds[3] && y_max >= self.bounds[1];
        let first = slab(self.bounds, self.slab_bits, y_min);
        let last = slab(self.bounds, self.slab_bits, y_max);
        let slabs = if meets { first..last + 1 } else { 0..0 };
        self.slabs[slabs]
            .iter()
            .flatten()
            .filter_map(|&i| self.edges.get(i as usize).copied())
            .filter(move |edge| {
                edge.a[0].max(edge.b[0]) >= x_min
                    && edge.a[0].min(edge.b[0]) <= x_max
                    && edge.a[1].max(edge.b[1]) >= y_min
                    && edge.a[1].min(edge.b[1]) <= y_max
            })
    }

    pub(super) fn locate(&self, [x, y]: Point) -> Location {
        self.locate_doubled([2 * x, 2 * y])
    }

    /// By counting, per polygon, the edges that a ray towards greater x crosses.
    fn locate_doubled(&self, p: Point) -> Location {
        let y = p[1] >> 1;
        let ray = [p[0] >> 1, y, i64::MAX, y + (p[1] & 1)];
        let mut found = Location::Outside;
        let mut polygon = usize::MAX;
        let (mut odd, mut on_edge) = (false, false);
        let mut close = |odd: bool, on_edge: bool| match (on_edge, odd) {
            (false, true) => found = Location::Inside,
            (true, _) if found == Location::Outside => found = Location::Boundary,
            _ => {}
        };
        // One slab: the ray's own. An edge that spans y reaches into it.
        for edge in self.near([ray[0], y, ray[2], y]) {
            if edge.polygon != polygon {
                close(odd, on_edge);
                (polygon, odd, on_edge) = (edge.polygon, false, false);
            }
            let (a, b) = (edge.a.map(|v| 2 * v), edge.b.map(|v| 2 * v));
            let turn = orient(a, b, p);
            on_edge |= turn == 0 && in_box(p, a, b);
            if (a[1] > p[1]) != (b[1] > p[1]) {
                odd ^= (b[1] > a[1]) == (turn > 0);
            }
        }
        close(odd, on_edge);
        found
    }

    /// Whether the closed segment touches an edge.
    pub(super) fn is_touched(&self, a: Point, b: Point) -> bool {
        self.near(box_of(a, b))
            .any(|edge| touch(a, b, edge.a, edge.b))
    }

    /// Whether an edge touches the closed box.
    pub(super) fn touches_box(&self, bounds: [i64; 4]) -> bool {
        let [x_min, y_min, x_max, y_max] = bounds;
        let corners = [
            [x_min, y_min],
            [x_max, y_min],
            [x_max, y_max],
            [x_min, y_max],
        ];
        self.near(bounds).any(|edge| {
            // The boxes overlap: apart only if the line leaves all corners on one side.
            let turns = corners.map(|corner| orient(edge.a, edge.b, corner));
            !(turns.iter().all(|t| *t > 0) || turns.iter().all(|t| *t < 0))
        })
    }

    /// Whether the two closed areas share a point.
    pub(super) fn intersects(&self, other: &Self) -> bool {
        let [few, many] = if self.edges.len() < other.edges.len() {
            [self, other]
        } else {
            [other, self]
        };
        few.edges.iter().any(|edge| many.is_touched(edge.a, edge.b))
            // Boundaries apart: each polygon is wholly in or out.
            || self.corners.iter().any(|p| other.locate(*p) != Location::Outside)
            || other.corners.iter().any(|p| self.locate(*p) != Location::Outside)
    }

    /// Whether every point of `inner` belongs to this area.
    ///
    /// No edges may cross properly. Then edges meet in vertices only, and between two meeting
    /// points an edge lies on one side: its middle tells which.
    pub(super) fn covers(&self, inner: &Self) -> bool {
        if inner.edges.is_empty() {
            return false;
        }
        let crossed = inner.edges.iter().any(|e| {
            let mut near = self.near(box_of(e.a, e.b));
            near.any(|f| cross(e.a, e.b, f.a, f.b))
        });
        let within = || {
            inner.edges.iter().all(|edge| {
                self.middles(edge)
                    .all(|middle| match self.locate_doubled(middle) {
                        Location::Outside => false,
                        Location::Boundary => self.runs_along(edge, middle),
                        Location::Inside => true,
                    })
            })
        };
        let enters = || {
            self.edges.iter().any(|edge| {
                let mut middles = inner.middles(edge);
                middles.any(|middle| inner.locate_doubled(middle) == Location::Inside)
            })
        };
        !crossed && within() && !enters()
    }

    /// Whether an edge through the doubled point `middle` of `edge` has its interior on the same
    /// side.
    fn runs_along(&self, edge: &Edge, middle: Point) -> bool {
        self.near(box_of(edge.a, edge.b)).any(|own| {
            let (a, b) = (own.a.map(|v| 2 * v), own.b.map(|v| 2 * v));
            let through = orient(a, b, middle) == 0 && in_box(middle, a, b);
            let [x, y] = [own.b[0] - own.a[0], own.b[1] - own.a[1]];
            let [u, v] = [edge.b[0] - edge.a[0], edge.b[1] - edge.a[1]];
            through && x * v == y * u && x * u + y * v > 0
        })
    }

    /// The doubled middles of the pieces into which this area's vertices cut an edge.
    fn middles(&self, edge: &Edge) -> impl Iterator<Item = Point> + use<> {
        let (a, b) = (edge.a, edge.b);
        let mut cuts = vec![a, b];
        for near in self.near(box_of(a, b)) {
            let on_edge = |p: &Point| orient(a, b, *p) == 0 && in_box(*p, a, b);
            cuts.extend([near.a, near.b].iter().filter(|p| on_edge(p)));
        }
        let along = |p: &Point| (p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1]);
        cuts.sort_unstable_by_key(along);
        cuts.dedup();
        let pieces = cuts.len().max(2) - 1;
        (0..pieces).map(move |i| {
            let (p, q) = (cuts[i], cuts[(i + 1).min(cuts.len() - 1)]);
            [p[0] + q[0], p[1] + q[1]]
        })
    }
}

/// X and y of the least and greatest corner; of no points, a box that overlaps none.
pub(super) fn bounds_of<'a>(points: impl Iterator<Item = &'a Point>) -> [i64; 4] {
    points.fold([WORLD, WORLD, -1, -1], |bounds, p| {
        [
            bounds[0].min(p[0]),
            bounds[1].min(p[1]),
            bounds[2].max(p[0]),
            bounds[3].max(p[1]),
        ]
    })
}

/// Twice the signed area of a ring, in cells².
fn double_area(ring: &[Point]) -> i128 {
    let next = ring.iter().cycle().skip(1);
    ring.iter()
        .zip(next)
        .map(|(a, b)| i128::from(a[0] * b[1] - b[0] * a[1]))
        .sum()
}

fn slab(bounds: [i64; 4], bits: u32, y: i64) -> usize {
    let y = y.min(bounds[3]).max(bounds[1]);
    usize::try_from((y - bounds[1]) >> bits).unwrap_or(0)
}

fn box_of(a: Point, b: Point) -> [i64; 4] {
    [
        a[0].min(b[0]),
        a[1].min(b[1]),
        a[0].max(b[0]),
        a[1].max(b[1]),
    ]
}

fn in_box(p: Point, a: Point, b: Point) -> bool {
    let [x_min, y_min, x_max, y_max] = box_of(a, b);
    (x_min..=x_max).contains(&p[0]) && (y_min..=y_max).contains(&p[1])
}

/// −1, 0 or 1 as c lies on one side of the line a–b, on it, or on the other.
fn orient(a: Point, b: Point, c: Point) -> i64 {
    ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).signum()
}

/// Whether the closed segments a–b and c–d share a point.
fn touch(a: Point, b: Point, c: Point, d: Point) -> bool {
    let (abc, abd) = (orient(a, b, c), orient(a, b, d));
    let (cda, cdb) = (orient(c, d, a), orient(c, d, b));
    if abc * abd < 0 && cda * cdb < 0 {
        return true;
    }
    (abc == 0 && in_box(c, a, b))
        || (abd == 0 && in_box(d, a, b))
        || (cda == 0 && in_box(a, c, d))
        || (cdb == 0 && in_box(b, c, d))
}

/// Whether a–b and c–d cross in a point inside both.
fn cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    orient(a, b, c) * orient(a, b, d) < 0 && orient(c, d, a) * orient(c, d, b) < 0
}
