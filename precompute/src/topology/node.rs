//! Brings neighbours drawn apart, or rounded apart, onto the same vertices.
//!
//! ```text
//!   A │ C          A │ C         a vertex beside another unit's edge becomes a vertex of
//! ────┴────   ▸  ────●────       that edge
//!     B              B
//!
//!   ●  A            A            vertices of different units beside each other become one
//!  ○      ▸      ●
//!   B             B
//! ```
//!
//! Only an edge that no other ring has can lack a vertex, and only an end of such an edge can be
//! what it lacks, so a clean coverage costs a look at its outer boundary.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use tilecore::geometry::GridPoint;

use super::buckets::Buckets;
use super::crossing::orientation;
use super::repair::Repairer;
use super::rings::{Rings, Shape, double_area};
use super::snap::clean;
use super::visits::Visits;

/// The distance within which boundaries are joined, in cells: 19 m of EPSG:3857, 13 m on the
/// ground in France.
const DISTANCE: i64 = 512;

/// Boundaries are joined within this part of a unit's width (the root of its area) at most, so
/// that small units are not joined over what lies between them.
const WIDTH_PART: i64 = 32;

/// Times boundaries are joined, so that what has come near is joined too.
const ROUNDS: usize = 2;

/// Times vertices are merged in a round: each time merges pairs.
const MERGES: usize = 3;

/// A stretch of ring that had one user, from one of its vertices to the next.
struct Side {
    position: usize,
    unit: u32,
    line: Vec<GridPoint>,
}

/// What joining made.
pub(super) struct Joined {
    /// By unit that has another one now.
    pub shapes: BTreeMap<usize, Shape>,
    /// Vertices added or moved.
    pub vertices: usize,
    /// Whether a unit had to be repaired, which can make vertices that its neighbours lack.
    pub repaired: bool,
}

/// What rings lack; `None` when they lack nothing.
pub(super) fn node(rings: &Rings, visits: &Visits) -> Option<Joined> {
    let mut joiner = Joiner::new(rings, visits);
    let mut open = joiner.open();
    for _ in 0..ROUNDS {
        for _ in 0..MERGES {
            if !joiner.merge(&open) {
                break;
            }
            open = joiner.open();
        }
        if !joiner.insert(&open) {
            break;
        }
        open = joiner.open();
    }
    joiner.finish(rings)
}

struct Joiner {
    sides: Vec<Side>,
    /// Units that pass through the ends of sides.
    units_at: FxHashMap<GridPoint, Vec<u32>>,
    /// The distance allowed by each unit's width; of units with an end of a side only.
    reach: Vec<i64>,
    /// Where vertices went; a target may have moved on.
    moved: FxHashMap<GridPoint, GridPoint>,
    changed_units: FxHashSet<u32>,
    joined: usize,
}

impl Joiner {
    fn new(rings: &Rings, visits: &Visits) -> Self {
        let points = rings.points();
        let sides = visits
            .single_edges
            .par_iter()
            .map(|&position| Side {
                position,
                unit: rings.unit_at(position),
                line: vec![points[position], points[position + 1]],
            })
            .collect();
        let mut units_at: FxHashMap<GridPoint, Vec<u32>> = FxHashMap::default();
        for &(point, unit) in &visits.open_ends {
            units_at.entry(point).or_default().push(unit);
        }
        let mut units: Vec<u32> = visits.open_ends.iter().map(|end| end.1).collect();
        units.par_sort_unstable();
        units.dedup();
        let widths: Vec<i64> = units
            .par_iter()
            .map(|&unit| reach(rings, unit as usize))
            .collect();
        let mut reach = vec![0; rings.units()];
        for (unit, width) in units.into_iter().zip(widths) {
            reach[unit as usize] = width;
        }
        Self {
            sides,
            units_at,
            reach,
            moved: FxHashMap::default(),
            changed_units: FxHashSet::default(),
            joined: 0,
        }
    }

    /// Segments of sides that still have one user.
    fn open(&self) -> Vec<(u32, u32)> {
        let mut segments: Vec<(GridPoint, GridPoint, u32, u32)> = (0_u32..)
            .zip(&self.sides)
            .flat_map(|(side, Side { line, .. })| {
                (0_u32..).zip(line.windows(2)).map(move |(index, ends)| {
                    (ends[0].min(ends[1]), ends[0].max(ends[1]), side, index)
                })
            })
            .collect();
        segments.par_sort_unstable();
        let mut open: Vec<(u32, u32)> = segments
            .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
            .filter(|users| users.len() == 1)
            .map(|users| (users[0].2, users[0].3))
            .collect();
        open.par_sort_unstable();
        open
    }

    fn ends(&self, (side, index): (u32, u32)) -> (GridPoint, GridPoint) {
        let line = &self.sides[side as usize].line;
        (line[index as usize], line[index as usize + 1])
    }

    /// Moves vertices onto each other where each is the other's nearest; whether any moved.
    fn merge(&mut self, open: &[(u32, u32)]) -> bool {
        let buckets = Buckets::new(open, |segment| self.ends(*segment), DISTANCE);
        let points = buckets.points();
        let nearest: FxHashMap<GridPoint, GridPoint> = points
            .par_iter()
            .filter_map(|&point| Some((point, self.nearest(&buckets, point)?)))
            .collect();
        let mut pairs: Vec<(GridPoint, GridPoint)> = nearest
            .iter()
            .filter(|&(a, b)| a < b && nearest.get(b) == Some(a))
            .map(|(a, b)| (*a, *b))
            .collect();
        pairs.sort_unstable();
        for &(a, b) in &pairs {
            // The vertex that more units share stays.
            let (stays, goes) = if self.units(b).len() > self.units(a).len() {
                (b, a)
            } else {
                (a, b)
            };
            let units = self.units_at.remove(&goes).unwrap_or_default();
            self.changed_units.extend(&units);
            self.units_at.entry(stays).or_default().extend(units);
            self.moved.insert(goes, stays);
            self.joined += 1;
        }
        if !pairs.is_empty() {
            let moved = &self.moved;
            self.sides.par_iter_mut().for_each(|side| {
                for point in &mut side.line {
                    *point = follow(moved, *point);
                }
                side.line.dedup();
            });
        }
        !pairs.is_empty()
    }

    fn units(&self, point: GridPoint) -> &[u32] {
        self.units_at.get(&point).map_or(&[], Vec::as_slice)
    }

    fn reach_at(&self, point: GridPoint) -> i64 {
        self.units(point)
            .iter()
            .map(|&unit| self.reach[unit as usize])
            .min()
            .unwrap_or(0)
    }

    /// The nearest vertex that shares no unit with this one.
    fn nearest(&self, buckets: &Buckets, point: GridPoint) -> Option<GridPoint> {
        let mut best: Option<(i64, GridPoint)> = None;
        let reach = self.reach_at(point);
        buckets.near(point, point, |other| {
            let apart = squared(point, other);
            let limit = reach.min(self.reach_at(other));
            if other == point || apart > limit * limit || best.is_some_and(|b| b <= (apart, other))
            {
                return;
            }
            if !self
                .units(point)
                .iter()
                .any(|unit| self.units(other).contains(unit))
            {
                best = Some((apart, other));
            }
        });
        best.map(|b| b.1)
    }

    /// Inserts vertices into the open segments they lie beside; whether there were any.
    fn insert(&mut self, open: &[(u32, u32)]) -> bool {
        let buckets = Buckets::new(open, |segment| self.ends(*segment), DISTANCE);
        let mut found: Vec<(_, Vec<_>)> = open
            .par_iter()
            .map(|&segment| (segment, self.beside(&buckets, segment)))
            .filter(|(_, points)| !points.is_empty())
            .collect();
        // From the back, so that the segments before keep their index.
        found.reverse();
        let any = !found.is_empty();
        for ((side, index), points) in found {
            let side = &mut self.sides[side as usize];
            let at = index as usize + 1;
            side.line.splice(at..at, points.iter().map(|p| p.1));
            self.changed_units.insert(side.unit);
            self.joined += points.len();
            for (_, point) in points {
                self.units_at.entry(point).or_default().push(side.unit);
            }
        }
        any
    }

    /// Vertices of other units beside a segment, in its direction.
    fn beside(&self, buckets: &Buckets, segment: (u32, u32)) -> Vec<(i64, GridPoint)> {
        let unit = self.sides[segment.0 as usize].unit;
        let (a, b) = self.ends(segment);
        let reach = self.reach[unit as usize];
        let mut found = Vec::new();
        buckets.near(a, b, |point| {
            let Some(along) = projection(a, b, point, reach) else {
                return;
            };
            let within = || projection(a, b, point, reach.min(self.reach_at(point))).is_some();
            if !self.units(point).contains(&unit) && within() {
                found.push((along, point));
            }
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    fn finish(self, rings: &Rings) -> Option<Joined> {
        if self.changed_units.is_empty() {
            return None;
        }
        let units: Vec<u32> = self.changed_units.iter().copied().collect();
        let shapes: Vec<(usize, Shape, bool)> = units
            .par_iter()
            .map_init(Repairer::default, |repairer, &unit| {
                let shape = self.shape(rings, unit as usize);
                if repairer.is_valid(&shape) {
                    (unit as usize, shape, false)
                } else {
                    (unit as usize, repairer.repair(shape), true)
                }
            })
            .filter(|(_, shape, _)| !shape.is_empty())
            .collect();
        let repaired = shapes.iter().any(|(_, _, repaired)| *repaired);
        let shapes = shapes
            .into_iter()
            .map(|(unit, shape, _)| (unit, shape))
            .collect();
        Some(Joined {
            shapes,
            vertices: self.joined,
            repaired,
        })
    }

    /// A unit along its joined boundary.
    fn shape(&self, rings: &Rings, unit: usize) -> Shape {
        let points = rings.points();
        let joined = |ring: usize| {
            let mut joined = Vec::new();
            for position in rings.span(ring) {
                match self
                    .sides
                    .binary_search_by_key(&position, |side| side.position)
                {
                    Ok(side) => {
                        let line = &self.sides[side].line;
                        joined.extend_from_slice(&line[..(line.len() - 1).max(1)]);
                    }
                    Err(_) => joined.push(follow(&self.moved, points[position])),
                }
            }
            clean(&mut joined);
            joined
        };
        rings
            .polygons_of_unit(unit)
            .filter_map(|polygon| {
                let mut loops = rings.rings_of_polygon(polygon).map(joined);
                let exterior = loops.next().filter(|ring| double_area(ring) > 0)?;
                let holes = loops.filter(|ring| double_area(ring) < 0);
                Some(std::iter::once(exterior).chain(holes).collect())
            })
            .collect()
    }
}

/// The distance a unit allows: a part of its width, in cells.
fn reach(rings: &Rings, unit: usize) -> i64 {
    let area: i128 = rings
        .polygons_of_unit(unit)
        .flat_map(|polygon| rings.rings_of_polygon(polygon))
        .map(|ring| double_area(rings.ring(ring)))
        .sum();
    let width = u128::try_from(area / 2).map_or(0, u128::isqrt);
    i64::try_from(width).map_or(DISTANCE, |width| DISTANCE.min(width / WIDTH_PART))
}

fn follow(moved: &FxHashMap<GridPoint, GridPoint>, mut point: GridPoint) -> GridPoint {
    while let Some(target) = moved.get(&point) {
        point = *target;
    }
    point
}

fn squared(a: GridPoint, b: GridPoint) -> i64 {
    let (x, y) = (
        i64::from(a.x) - i64::from(b.x),
        i64::from(a.y) - i64::from(b.y),
    );
    x * x + y * y
}

/// How far along the edge `ab` a point lies, times the edge's length, if it lies beside the edge.
fn projection(a: GridPoint, b: GridPoint, point: GridPoint, distance: i64) -> Option<i64> {
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
    let beside = cross * cross <= i128::from(distance * distance) * i128::from(length_squared);
    beside.then_some(along)
}
