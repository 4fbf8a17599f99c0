//! A coverage as shared arcs: what keeps neighbours together at every zoom.
//!
//! Polygons are snapped to the world grid, T-junctions are noded, every boundary is stored once as
//! an arc, and an arc's vertices get their weights once, whoever uses it.

mod arcs;
mod buckets;
mod crossing;
mod layout;
mod node;
mod repair;
mod rings;
mod snap;
mod validity;
mod visits;
mod weights;

use geo_types::MultiPolygon;
use rayon::prelude::*;
use tilecore::geometry::{self, Polygon, Ring, Vertex};

use arcs::Arcs;
use layout::Layout;
use repair::Repairer;
use rings::{Rings, Shape};
use visits::Visits;

/// Times neighbours are joined: the repair of a joined boundary can make new vertices.
const JOINS: usize = 2;

/// Units and the arcs their rings are made of.
#[derive(Debug, Default)]
pub struct Coverage {
    arcs: Arcs,
    layout: Layout,
    /// By unit, the zooms at which it is not valid, as a mask.
    repair_zooms: Vec<u32>,
}

/// How far a coverage is from a partition, as shares of its whole area.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Defects {
    pub gap_share: f64,
    pub overlap_share: f64,
}

impl Coverage {
    /// Builds the arcs of `units`, given as valid polygons in EPSG:3857 metres.
    #[must_use]
    pub fn build(units: &[MultiPolygon<f64>]) -> Self {
        let shapes: Vec<Shape> = units
            .par_iter()
            .map_init(Repairer::default, |repairer, unit| {
                snap::snap(unit, repairer)
            })
            .collect();
        Self::from_rings(Rings::new(&shapes))
    }

    fn from_rings(mut rings: Rings) -> Self {
        let mut visits = Visits::new(&rings);
        for _ in 0..JOINS {
            let Some(noded) = node::node(&rings, &visits) else {
                break;
            };
            rings = noded;
            visits = Visits::new(&rings);
        }
        let (mut arcs, uses, ring_starts) = arcs::cut(&rings, &visits);
        let (polygon_starts, unit_starts) = rings.into_structure();
        let layout = Layout {
            uses,
            ring_starts,
            polygon_starts,
            unit_starts,
        };
        weights::weigh(&mut arcs, &layout);
        let repair_zooms = validity::settle(&mut arcs, &layout);
        Self {
            arcs,
            layout,
            repair_zooms,
        }
    }

    /// Merges units that share a group into one; the result's units are the groups `0..groups`.
    #[must_use]
    pub fn dissolve(&self, _group_of_unit: &[usize], _groups: usize) -> Self {
        Self::default()
    }

    /// Every unit's rings with the zoom from which each vertex is kept.
    ///
    /// A ring starts at its smallest vertex, polygons and holes are sorted: equal units give equal
    /// geometries, whatever their order.
    #[must_use]
    pub fn geometries(&self) -> Vec<geometry::MultiPolygon> {
        (0..self.layout.units())
            .into_par_iter()
            .map(|unit| {
                let polygons = self.layout.polygons_of_unit(unit);
                let mut polygons: Vec<Polygon> =
                    polygons.map(|polygon| self.polygon(polygon)).collect();
                polygons.sort_unstable_by(|a, b| a.exterior.cmp(&b.exterior));
                polygons
            })
            .collect()
    }

    fn polygon(&self, polygon: usize) -> Polygon {
        let rings = self.layout.rings_of_polygon(polygon);
        let mut rings = rings.map(|ring| self.ring(ring));
        let exterior = rings.next().unwrap_or_default();
        let mut holes: Vec<Ring> = rings.collect();
        holes.sort_unstable();
        Polygon { exterior, holes }
    }

    fn ring(&self, ring: usize) -> Ring {
        let mut vertices: Ring = self
            .arcs
            .walk(self.layout.uses_of_ring(ring))
            .map(|index| {
                let p = self.arcs.points[index];
                Vertex {
                    x: p.x,
                    y: p.y,
                    m: self.arcs.m[index],
                }
            })
            .collect();
        let first = (0..vertices.len())
            .min_by(|&a, &b| {
                let from = |i: usize| vertices[i..].iter().chain(&vertices[..i]);
                from(a).cmp(from(b))
            })
            .unwrap_or(0);
        vertices.rotate_left(first);
        vertices
    }

    /// By unit, a bit for every zoom 0–14 at which its kept vertices, on the zoom's tile grid, are
    /// not a valid polygon: it touches itself there and has to be repaired.
    #[must_use]
    pub fn repair_zooms(&self) -> &[u32] {
        &self.repair_zooms
    }

    #[must_use]
    pub fn defects(&self) -> Defects {
        Defects::default()
    }
}
