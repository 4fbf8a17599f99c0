//! Rings of all units in flat arrays: unit ▸ polygons ▸ rings ▸ points.

use std::collections::BTreeMap;
use std::ops::Range;

use tilecore::geometry::GridPoint;

/// A closed ring, its first point not repeated.
pub(super) type Loop = Vec<GridPoint>;

/// Polygons of one unit; each its exterior ring and then its holes.
pub(super) type Shape = Vec<Vec<Loop>>;

/// Every ring is stored with its last point before it and its first point after it, so that a
/// point's neighbours are always beside it.
#[derive(Debug)]
pub(super) struct Rings {
    points: Vec<GridPoint>,
    /// Where each ring's padded points begin, and the end.
    ring_starts: Vec<usize>,
    ring_units: Vec<u32>,
    /// The first ring of each polygon, and the end.
    polygon_starts: Vec<usize>,
    /// The first polygon of each unit, and the end.
    unit_starts: Vec<usize>,
}

/// The part of its points that [`Rings`] leave room for, so that they can grow where they are.
const ROOM_PART: usize = 16;

impl Rings {
    pub(super) fn new(shapes: &[Shape]) -> Self {
        let count: usize = shapes.iter().map(padded).sum();
        let mut all = Self {
            points: Vec::with_capacity(count + count / ROOM_PART),
            ring_starts: vec![0],
            ring_units: Vec::new(),
            polygon_starts: vec![0],
            unit_starts: vec![0],
        };
        all.points.resize(count, GridPoint { x: 0, y: 0 });
        let mut points = std::mem::take(&mut all.points);
        for shape in shapes {
            all.push_unit(shape, &mut points);
        }
        all.points = points;
        all
    }

    /// Where the padded points of the rings so far end.
    fn end(&self) -> usize {
        self.ring_starts[self.ring_starts.len() - 1]
    }

    /// Appends a unit, whose padded points go into `points` where those before it end.
    fn push_unit(&mut self, shape: &Shape, points: &mut [GridPoint]) {
        for polygon in shape {
            for ring in polygon {
                let (Some(first), Some(last)) = (ring.first(), ring.last()) else {
                    continue;
                };
                let place = &mut points[self.end()..][..ring.len() + 2];
                place[0] = *last;
                place[1..=ring.len()].copy_from_slice(ring);
                place[ring.len() + 1] = *first;
                self.end_ring(ring.len() + 2);
            }
            self.end_polygon();
        }
        self.end_unit();
    }

    fn end_ring(&mut self, padded: usize) {
        #[expect(clippy::cast_possible_truncation, reason = "units are counted in u32")]
        self.ring_units.push(self.units() as u32);
        self.ring_starts.push(self.end() + padded);
    }

    fn end_polygon(&mut self) {
        self.polygon_starts.push(self.ring_starts.len() - 1);
    }

    fn end_unit(&mut self) {
        self.unit_starts.push(self.polygon_starts.len() - 1);
    }

    /// All points; those of a ring at [`Rings::span`].
    pub(super) fn points(&self) -> &[GridPoint] {
        &self.points
    }

    pub(super) fn rings(&self) -> usize {
        self.ring_starts.len() - 1
    }

    pub(super) fn units(&self) -> usize {
        self.unit_starts.len() - 1
    }

    /// The positions of a ring's points. The positions before and after hold its last and first.
    pub(super) fn span(&self, ring: usize) -> Range<usize> {
        self.ring_starts[ring] + 1..self.ring_starts[ring + 1] - 1
    }

    pub(super) fn ring(&self, ring: usize) -> &[GridPoint] {
        &self.points[self.span(ring)]
    }

    /// The unit whose ring holds a position.
    pub(super) fn unit_at(&self, position: usize) -> u32 {
        let ring = self.ring_starts.partition_point(|start| *start <= position) - 1;
        self.ring_units[ring]
    }

    pub(super) fn polygons_of_unit(&self, unit: usize) -> Range<usize> {
        self.unit_starts[unit]..self.unit_starts[unit + 1]
    }

    pub(super) fn rings_of_polygon(&self, polygon: usize) -> Range<usize> {
        self.polygon_starts[polygon]..self.polygon_starts[polygon + 1]
    }

    /// All positions of a unit, those that repeat points too.
    pub(super) fn positions_of_unit(&self, unit: usize) -> Range<usize> {
        let polygons = self.polygons_of_unit(unit);
        let ring = |polygon: usize| self.polygon_starts[polygon];
        self.ring_starts[ring(polygons.start)]..self.ring_starts[ring(polygons.end)]
    }

    /// The bounds of polygons in rings and of units in polygons, without the points.
    pub(super) fn into_structure(self) -> (Vec<usize>, Vec<usize>) {
        (self.polygon_starts, self.unit_starts)
    }

    /// Gives some units other shapes, and says where the points of the others are now.
    ///
    /// They move within their array: a second one would be the most memory of a build.
    pub(super) fn replace(&mut self, shapes: &BTreeMap<usize, Shape>) -> Vec<Moved> {
        // As far as shapes grow, the points are moved back first, so that none is written over
        // before it was read.
        let (mut before, mut after, mut room) = (0, 0, 0);
        for (&unit, shape) in shapes {
            before += self.positions_of_unit(unit).len();
            after += padded(shape);
            room = room.max(after.saturating_sub(before));
        }
        let mut points = std::mem::take(&mut self.points);
        let count = points.len();
        points.resize(count + room, GridPoint { x: 0, y: 0 });
        points.copy_within(..count, room);

        let old = std::mem::replace(self, Self::new(&[]));
        let mut moves: Vec<Moved> = Vec::new();
        for unit in 0..old.units() {
            if let Some(shape) = shapes.get(&unit) {
                self.push_unit(shape, &mut points);
                continue;
            }
            let from = old.positions_of_unit(unit);
            let to = self.end();
            points.copy_within(from.start + room..from.end + room, to);
            for polygon in old.polygons_of_unit(unit) {
                for ring in old.rings_of_polygon(polygon) {
                    self.end_ring(old.ring_starts[ring + 1] - old.ring_starts[ring]);
                }
                self.end_polygon();
            }
            self.end_unit();
            match moves.last_mut() {
                Some(last) if last.from.end == from.start && last.end() == to => {
                    last.from.end = from.end;
                }
                _ => moves.push(Moved { from, to }),
            }
        }
        points.truncate(self.end());
        self.points = points;
        moves
    }
}

/// Positions that have moved together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub from: Range<usize>,
    /// Where the first of them is now.
    pub to: usize,
}

impl Moved {
    fn end(&self) -> usize {
        self.to + self.from.len()
    }
}

/// The points of a shape with those that [`Rings`] repeat.
fn padded(shape: &Shape) -> usize {
    let rings = shape.iter().flatten().filter(|ring| !ring.is_empty());
    rings.map(|ring| ring.len() + 2).sum()
}

/// Twice the signed area of a ring in cells²; positive for an exterior.
pub(super) fn double_area(ring: &[GridPoint]) -> i128 {
    let Some(mut previous) = ring.last().copied() else {
        return 0;
    };
    let mut sum = 0_i128;
    for &p in ring {
        // Each product is below 2^61, their difference below 2^62.
        let cross = i64::from(previous.x) * i64::from(p.y) - i64::from(p.x) * i64::from(previous.y);
        sum += i128::from(cross);
        previous = p;
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Units of rings of the given lengths, their points numbered from `x` on.
    fn shapes(lengths: &[Vec<Vec<usize>>], mut x: i32) -> Vec<Shape> {
        let mut ring = |length: &usize| {
            let from = x;
            x += i32::try_from(*length).unwrap();
            (from..x).map(|x| GridPoint { x, y: -x }).collect()
        };
        let mut polygon = |rings: &Vec<usize>| rings.iter().map(&mut ring).collect();
        let mut shape = |unit: &Vec<Vec<usize>>| unit.iter().map(&mut polygon).collect();
        lengths.iter().map(&mut shape).collect()
    }

    fn units() -> impl Strategy<Value = Vec<Vec<Vec<usize>>>> {
        let polygon = prop::collection::vec(0..9_usize, 0..4);
        prop::collection::vec(prop::collection::vec(polygon, 0..3), 0..12)
    }

    proptest! {
        #[test]
        fn replaced_shapes_are_as_if_they_had_always_been_there(
            before in units(), after in units(), chosen in any::<u32>(),
        ) {
            let mut shapes_before = shapes(&before, 0);
            let mut rings = Rings::new(&shapes_before);
            let others = shapes(&after, 100_000).into_iter().enumerate();
            let replaced: BTreeMap<usize, Shape> = others
                .filter(|(unit, _)| *unit < before.len() && chosen >> unit & 1 == 1)
                .collect();
            let old = Rings::new(&shapes_before);
            for Moved { from, to } in rings.replace(&replaced) {
                prop_assert_eq!(&old.points[from.clone()], &rings.points[to..to + from.len()]);
            }
            for (unit, shape) in replaced {
                shapes_before[unit] = shape;
            }
            let expected = Rings::new(&shapes_before);
            prop_assert_eq!(format!("{rings:?}"), format!("{expected:?}"));
        }
    }
}
