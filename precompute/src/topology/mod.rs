//! A coverage as shared arcs: what keeps neighbours together at every zoom.
//!
//! Polygons are snapped to the world grid, T-junctions are noded, every boundary is stored once as
//! an arc, and an arc's vertices get their weights once, whoever uses it.

mod arcs;
mod buckets;
mod crossing;
mod defects;
mod dissolve;
mod layout;
mod nesting;
mod node;
mod repair;
mod rings;
mod snap;
mod stitch;
#[cfg(test)]
mod tests;
mod validity;
mod visits;
mod weights;

use std::borrow::{Borrow, Cow};

use geo_types::MultiPolygon;
use rayon::prelude::*;
#[cfg(doc)]
use tilecore::dataset::write::REPAIR_ZOOM_MAX;
use tilecore::dataset::write::{Geometries, VERTICES_MAX};
use tilecore::geometry::{self, GridPoint, Polygon, Ring, Vertex, WORLD_CELLS};

use arcs::Arcs;
pub use defects::{Defect, Defects};
use layout::Layout;
use repair::Repairer;
use rings::{Rings, Shape};
use visits::Blocks;
use weights::RING_MIN;

/// Times neighbours are joined: the repair of a joined boundary can make new vertices.
const JOINS: usize = 2;

/// Units and the arcs their rings are made of; every vertex is kept from zoom 0 on until the
/// coverage is generalised.
#[derive(Debug, Default)]
pub struct Coverage {
    arcs: Arcs,
    layout: Layout,
    /// Vertices added or moved to bring neighbours together.
    joined: usize,
    /// Slivers between units of one group that were filled.
    filled: usize,
}

impl Coverage {
    /// Builds the arcs of `units`, given as valid polygons in EPSG:3857 metres; those that are
    /// given away are dropped as soon as they are read.
    #[must_use]
    pub fn build<U>(units: U) -> Self
    where
        U: IntoParallelIterator,
        U::Item: Borrow<MultiPolygon<f64>>,
    {
        let shapes: Vec<Shape> = units
            .into_par_iter()
            .map_init(Repairer::default, |repairer, unit| {
                snap::snap(unit.borrow(), repairer)
            })
            .collect();
        let rings = Rings::new(&shapes);
        drop(shapes);
        Self::from_rings(rings)
    }

    fn from_rings(mut rings: Rings) -> Self {
        let mut blocks = Blocks::new(&rings);
        let mut visits = blocks.look(&rings);
        let mut joined = 0;
        for _ in 0..JOINS {
            let Some(next) = node::node(&rings, &visits) else {
                break;
            };
            joined += next.vertices;
            visits = blocks.replace(&mut rings, &next.shapes, visits);
            if !next.repaired {
                break;
            }
        }
        drop(blocks);
        let (arcs, uses, ring_starts) = arcs::cut(&rings, &visits);
        drop(visits);
        let (polygon_starts, unit_starts) = rings.into_structure();
        let layout = Layout {
            uses,
            ring_starts,
            polygon_starts,
            unit_starts,
        };
        Self {
            arcs,
            layout,
            joined,
            filled: 0,
        }
    }

    /// Merges units that share a group into one; the result's units are the groups `0..groups`.
    ///
    /// A unit whose group is not below `groups` takes no part.
    #[must_use]
    pub fn dissolve(&self, group_of_unit: &[usize], groups: usize) -> Self {
        let (rings, filled) = dissolve::dissolve(self, group_of_unit, groups);
        Self {
            filled,
            ..Self::from_rings(rings)
        }
    }

    /// Whether each arc is walked by a ring, in its direction and against it.
    fn walked(&self) -> Vec<[bool; 2]> {
        let mut walked = vec![[false; 2]; self.arcs.len()];
        for walk in &self.layout.uses {
            walked[walk.arc()][usize::from(walk.reversed())] = true;
        }
        walked
    }

    /// Every unit's rings with the zoom from which each vertex is kept.
    ///
    /// A ring starts at its smallest vertex, polygons and holes are sorted: equal units give equal
    /// geometries, whatever their order.
    #[must_use]
    pub fn geometries(&self) -> Vec<geometry::MultiPolygon> {
        (0..self.layout.units())
            .into_par_iter()
            .map(|unit| self.unit(unit))
            .collect()
    }

    fn unit(&self, unit: usize) -> geometry::MultiPolygon {
        let polygons = self.layout.polygons_of_unit(unit);
        let mut polygons: Vec<Polygon> = polygons.map(|polygon| self.polygon(polygon)).collect();
        polygons.sort_unstable_by(|a, b| a.exterior.cmp(&b.exterior));
        polygons
    }

    /// Lets go of all units but the first ones.
    pub fn truncate(&mut self, units: usize) {
        self.layout.unit_starts.truncate(units + 1);
    }

    fn polygon(&self, polygon: usize) -> Polygon {
        let rings = self.layout.rings_of_polygon(polygon);
        let mut rings = rings.map(|ring| self.ring(ring));
        let exterior = rings.next().unwrap_or_default();
        let mut holes: Vec<Ring> = rings.collect();
        holes.sort_unstable();
        Polygon { exterior, holes }
    }

    /// The points of a ring, in its direction.
    fn points(&self, ring: usize) -> impl Iterator<Item = GridPoint> {
        let vertices = self.arcs.walk(self.layout.uses_of_ring(ring));
        vertices.map(|vertex| self.arcs.points[vertex])
    }

    fn ring(&self, ring: usize) -> Ring {
        let uses = self.layout.uses_of_ring(ring);
        let mut vertices = Ring::new();
        for arc_use in uses {
            vertices.extend(self.arcs.walk_arc(*arc_use).map(|index| {
                let p = self.arcs.points[index];
                Vertex {
                    x: p.x,
                    y: p.y,
                    m: self.arcs.m[index],
                }
            }));
        }
        let first = (0..vertices.len())
            .min_by(|&a, &b| {
                // A ring passes a point once, or nearly.
                let from = |i: usize| vertices[i..].iter().chain(&vertices[..i]);
                vertices[a]
                    .cmp(&vertices[b])
                    .then_with(|| from(a).cmp(from(b)))
            })
            .unwrap_or(0);
        vertices.rotate_left(first);
        vertices
    }

    /// Gives each vertex the zoom from which it is kept, so that units are valid, as far as vertices
    /// can help, at the zooms that tiles show them at: `zooms`, first and last. At `zoom_last`, the
    /// last of all levels, tiles show the vertices of one zoom more.
    ///
    /// Returns by unit a bit for every zoom at which its polygon, as tiles show it, may touch itself
    /// or its rings may leave each other, so that it has to be repaired there: of other zooms than
    /// `zooms`, and of those behind [`REPAIR_ZOOM_MAX`], nobody knows.
    #[must_use]
    pub fn generalise(&mut self, zooms: [u8; 2], zoom_last: u8) -> Vec<u32> {
        weights::weigh(&mut self.arcs, &self.layout);
        validity::settle(&mut self.arcs, &self.layout, zooms, zoom_last)
    }

    /// How far the coverage is from a partition, after neighbours were brought together.
    #[must_use]
    pub fn defects(&self) -> Defects {
        defects::measure(self)
    }
}

impl Geometries for Coverage {
    fn rows(&self) -> usize {
        self.layout.units()
    }

    fn geometry(&self, row: usize) -> Cow<'_, geometry::MultiPolygon> {
        Cow::Owned(self.unit(row))
    }

    fn bounds(&self, row: usize) -> Option<[i32; 4]> {
        let rings = || self.layout.rings_of_unit(row);
        let mut vertices = 0;
        for ring in rings() {
            let count = self.arcs.count(self.layout.uses_of_ring(ring));
            if count < RING_MIN {
                return None;
            }
            vertices += count;
        }
        let world = 0..=WORLD_CELLS;
        let bounds = geometry::bounds(rings().flat_map(|ring| self.points(ring)))?;
        let is_sound = bounds.iter().all(|at| world.contains(at)) && vertices <= VERTICES_MAX;
        is_sound.then_some(bounds)
    }
}
