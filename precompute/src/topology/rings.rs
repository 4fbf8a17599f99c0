//! Rings of all units in flat arrays: unit ▸ polygons ▸ rings ▸ points.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tilecore::geometry::GridPoint;

/// A closed ring, its first point not repeated.
pub(super) type Loop = Vec<GridPoint>;

/// Polygons of one unit; each its exterior ring and then its holes.
pub(super) type Shape = Vec<Vec<Loop>>;

/// Every ring is stored with its last point before it and its first point after it, so that a
/// point's neighbours are always beside it.
#[derive(Debug, Clone, Default)]
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

impl Rings {
    pub(super) fn new(shapes: &[Shape]) -> Self {
        let rings = shapes.iter().flatten().flatten();
        let mut all = Self::empty(rings.map(|ring| ring.len() + 2).sum());
        for shape in shapes {
            all.push_unit(
                shape
                    .iter()
                    .map(|polygon| polygon.iter().map(Vec::as_slice)),
            );
        }
        all
    }

    fn empty(capacity: usize) -> Self {
        Self {
            points: Vec::with_capacity(capacity),
            ring_starts: vec![0],
            ring_units: Vec::new(),
            polygon_starts: vec![0],
            unit_starts: vec![0],
        }
    }

    fn push_unit<'a, R>(&mut self, polygons: impl Iterator<Item = R>)
    where
        R: Iterator<Item = &'a [GridPoint]>,
    {
        #[expect(clippy::cast_possible_truncation, reason = "units are counted in u32")]
        let unit = self.units() as u32;
        for polygon in polygons {
            for ring in polygon {
                let (Some(first), Some(last)) = (ring.first(), ring.last()) else {
                    continue;
                };
                self.points.push(*last);
                self.points.extend_from_slice(ring);
                self.points.push(*first);
                self.ring_starts.push(self.points.len());
                self.ring_units.push(unit);
            }
            self.polygon_starts.push(self.ring_starts.len() - 1);
        }
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

    /// The bounds of polygons in rings and of units in polygons, without the points.
    pub(super) fn into_structure(self) -> (Vec<usize>, Vec<usize>) {
        (self.polygon_starts, self.unit_starts)
    }

    /// The same units, some of them with other shapes.
    pub(super) fn with(&self, shapes: &FxHashMap<usize, Shape>) -> Self {
        let mut all = Self::empty(self.points.len());
        for unit in 0..self.units() {
            if let Some(shape) = shapes.get(&unit) {
                all.push_unit(
                    shape
                        .iter()
                        .map(|polygon| polygon.iter().map(Vec::as_slice)),
                );
            } else {
                let rings = |polygon| self.rings_of_polygon(polygon).map(|ring| self.ring(ring));
                all.push_unit(self.polygons_of_unit(unit).map(rings));
            }
        }
        all
    }
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
