//! The second pass: dropping vertices and quantising can make a polygon cross itself anew.
//!
//! Where it does, vertices near the crossing come back, on the arc and therefore for both
//! neighbours. What cannot be helped so is listed by zoom, for the tile engine to repair.

use rayon::prelude::*;
use tilecore::geometry::{GridPoint, M_PER_ZOOM};
use tilecore::tile::ZOOM_MAX;

use super::arcs::Arcs;
use super::crossing::{Edge, Finder, Findings};
use super::layout::Layout;
use super::nesting::parents;
use super::repair::push_edges;
use super::rings::{Loop, double_area};
use super::weights::RING_MIN;

/// Zooms at which vertices are restored, from 0: those that maps are published for.
const ZOOMS: u8 = 15;

/// Rounds of restoring: each brings back one vertex a crossing, so what is left after as many
/// would need most of its vertices.
const ROUNDS_MAX: usize = 24;

/// A vertex to keep from a zoom on.
type Restored = (usize, u8);

/// Restores vertices where rings cross, and returns each unit's zooms that still need repair, as
/// a mask.
pub(super) fn settle(arcs: &mut Arcs, layout: &Layout) -> Vec<u32> {
    let mut masks = vec![0; layout.units()];
    let mut units: Vec<usize> = (0..layout.units()).collect();
    for round in 0..=ROUNDS_MAX {
        let found: Vec<(u32, Vec<Restored>)> = units
            .par_iter()
            .map_init(Checker::default, |checker, &unit| {
                checker.check(arcs, layout, unit)
            })
            .collect();
        let mut changed = vec![false; arcs.len()];
        let mut any = false;
        for (&unit, (mask, restored)) in units.iter().zip(&found) {
            masks[unit] = *mask;
            for &(vertex, zoom) in restored {
                let m = u16::from(zoom) * M_PER_ZOOM;
                if round < ROUNDS_MAX && arcs.m[vertex] > m {
                    arcs.m[vertex] = m;
                    changed[arcs.arc_at(vertex)] = true;
                    any = true;
                }
            }
        }
        if !any {
            break;
        }
        units = (0..layout.units())
            .into_par_iter()
            .filter(|&unit| {
                let mut rings = layout.rings_of_unit(unit);
                rings.any(|ring| layout.uses_of_ring(ring).iter().any(|u| changed[u.arc()]))
            })
            .collect();
    }
    masks
}

/// Each unit's zooms that need repair when tiles are shown up to `zoom_last`, and there with the
/// vertices of one zoom more; `masks` is what [`settle`] found.
pub(super) fn up_to(arcs: &Arcs, layout: &Layout, masks: &[u32], zoom_last: u8) -> Vec<u32> {
    let zoom_last = zoom_last.min(ZOOM_MAX);
    let known = (1_u32 << zoom_last.min(ZOOMS)) - 1;
    (0..layout.units())
        .into_par_iter()
        .map_init(Checker::default, |checker, unit| {
            let mut mask = masks[unit] & known;
            for zoom in ZOOMS.min(zoom_last)..=zoom_last {
                let detail = zoom + u8::from(zoom == zoom_last);
                checker.walk(arcs, layout, unit);
                checker.keep(zoom, u16::from(detail) * M_PER_ZOOM);
                mask |= u32::from(!checker.is_valid()) << zoom;
            }
            mask
        })
        .collect()
}

/// A vertex of the unit under check.
#[derive(Debug, Clone, Copy)]
struct Walked {
    point: GridPoint,
    m: u16,
    ring: u32,
    index: usize,
    reversed: bool,
}

/// Reusable buffers of a unit's check.
#[derive(Debug, Default)]
struct Checker {
    walked: Vec<Walked>,
    /// By ring of the unit, the exterior of its polygon.
    shells: Vec<u32>,
    ring: Vec<GridPoint>,
    /// The vertex that each edge of a zoom starts from, among those walked.
    sources: Vec<usize>,
    edges: Vec<Edge>,
    finder: Finder,
    findings: Findings,
}

impl Checker {
    /// The zooms at which a unit is not valid, and the vertices that would help.
    fn check(&mut self, arcs: &Arcs, layout: &Layout, unit: usize) -> (u32, Vec<Restored>) {
        self.walk(arcs, layout, unit);
        let mut mask = 0;
        let mut restored = Vec::new();
        for zoom in (0..ZOOMS).rev() {
            let m_max = u16::from(zoom) * M_PER_ZOOM;
            self.keep(zoom, m_max);
            if self.is_valid() {
                continue;
            }
            mask |= 1 << zoom;
            for &(a, b) in &self.findings.crossings {
                let best = [a, b]
                    .into_iter()
                    .filter_map(|edge| {
                        let from = self.walked[self.sources[edge as usize]];
                        most_significant(arcs, from, m_max)
                    })
                    .min();
                restored.extend(best.map(|(_, vertex)| (vertex, zoom)));
            }
        }
        (mask, restored)
    }

    fn walk(&mut self, arcs: &Arcs, layout: &Layout, unit: usize) {
        self.walked.clear();
        self.shells.clear();
        let mut id = 0;
        for polygon in layout.polygons_of_unit(unit) {
            let shell = id;
            for ring in layout.rings_of_polygon(polygon) {
                for arc_use in layout.uses_of_ring(ring) {
                    self.walked
                        .extend(arcs.walk_arc(*arc_use).map(|index| Walked {
                            point: arcs.points[index],
                            m: arcs.m[index],
                            ring: id,
                            index,
                            reversed: arc_use.reversed(),
                        }));
                }
                self.shells.push(shell);
                id += 1;
            }
        }
    }

    /// Leaves the vertices up to a weight, on a zoom's grid; the weights only go down.
    fn keep(&mut self, zoom: u8, m_max: u16) {
        self.walked.retain(|vertex| vertex.m <= m_max);
        self.quantise(zoom);
    }

    fn is_valid(&mut self) -> bool {
        // A triangle, or nothing.
        if self.edges.len() <= RING_MIN {
            return true;
        }
        self.finder.find(&self.edges, &mut self.findings);
        self.findings.is_clean() && self.is_nested()
    }

    /// Whether every hole is in its exterior and every exterior in no other.
    fn is_nested(&self) -> bool {
        let ring = |edge: Option<&Edge>| edge.map(|edge| edge.ring);
        if ring(self.edges.first()) == ring(self.edges.last()) {
            return true;
        }
        let chunks = || self.edges.chunk_by(|a, b| a.ring == b.ring);
        let ids: Vec<u32> = chunks().map(|edges| edges[0].ring).collect();
        let rings: Vec<Loop> = chunks()
            .map(|edges| edges.iter().map(|edge| edge.from).collect())
            .collect();
        let is_shell = |id: u32| self.shells[id as usize] == id;
        ids.iter().zip(parents(&rings)).all(|(&id, parent)| {
            let parent = parent.map(|ring| ids[ring]);
            if is_shell(id) {
                parent.is_none_or(|around| !is_shell(around))
            } else {
                parent == Some(self.shells[id as usize])
            }
        })
    }

    /// The edges of the kept vertices on a zoom's grid, without rings that vanish there.
    fn quantise(&mut self, zoom: u8) {
        let shift = u32::from(ZOOM_MAX - zoom);
        let half = 1 << shift >> 1;
        self.edges.clear();
        self.sources.clear();
        let mut start = 0;
        for vertices in self.walked.chunk_by(|a, b| a.ring == b.ring) {
            self.ring.clear();
            let sources = self.sources.len();
            for (index, vertex) in (start..).zip(vertices) {
                let point = GridPoint {
                    x: (vertex.point.x + half) >> shift,
                    y: (vertex.point.y + half) >> shift,
                };
                match self.sources.last_mut() {
                    // Of vertices that become one the last is the source.
                    Some(source) if self.ring.last() == Some(&point) => *source = index,
                    _ => {
                        self.ring.push(point);
                        self.sources.push(index);
                    }
                }
            }
            start += vertices.len();
            while self.ring.len() > 1 && self.ring.first() == self.ring.last() {
                self.ring.pop();
                self.sources.pop();
            }
            if double_area(&self.ring) == 0 {
                self.sources.truncate(sources);
            } else {
                push_edges(&self.ring, vertices[0].ring, &mut self.edges);
            }
        }
    }
}

/// The dropped vertex with the least weight between a kept one and the next, and that weight.
fn most_significant(arcs: &Arcs, from: Walked, m_max: u16) -> Option<(u16, usize)> {
    let step = if from.reversed { usize::MAX } else { 1 };
    let mut at = from.index.wrapping_add(step);
    let mut best = None;
    // An arc's ends are always kept, so the walk stays on the arc.
    while arcs.m[at] > m_max {
        let candidate = Some((arcs.m[at], at));
        best = if best.is_none() {
            candidate
        } else {
            best.min(candidate)
        };
        at = at.wrapping_add(step);
    }
    best
}
