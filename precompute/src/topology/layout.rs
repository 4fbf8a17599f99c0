//! Which arcs make which rings, polygons and units.

use std::ops::Range;

use super::arcs::ArcUse;

/// Unit ▸ polygons ▸ rings ▸ arcs, in flat arrays.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// The arcs of all rings, one ring after the other.
    pub uses: Vec<ArcUse>,
    /// Where each ring's uses begin, and the end.
    pub ring_starts: Vec<usize>,
    /// The first ring of each polygon, its exterior, and the end.
    pub polygon_starts: Vec<usize>,
    /// The first polygon of each unit, and the end.
    pub unit_starts: Vec<usize>,
}

impl Layout {
    pub(super) fn units(&self) -> usize {
        self.unit_starts.len().saturating_sub(1)
    }

    pub(super) fn rings(&self) -> usize {
        self.ring_starts.len().saturating_sub(1)
    }

    pub(super) fn polygons_of_unit(&self, unit: usize) -> Range<usize> {
        self.unit_starts[unit]..self.unit_starts[unit + 1]
    }

    pub(super) fn rings_of_polygon(&self, polygon: usize) -> Range<usize> {
        self.polygon_starts[polygon]..self.polygon_starts[polygon + 1]
    }

    pub(super) fn rings_of_unit(&self, unit: usize) -> Range<usize> {
        let polygons = self.polygons_of_unit(unit);
        self.polygon_starts[polygons.start]..self.polygon_starts[polygons.end]
    }

    pub(super) fn uses_of_ring(&self, ring: usize) -> &[ArcUse] {
        &self.uses[self.ring_starts[ring]..self.ring_starts[ring + 1]]
    }
}
