//! The second pass: dropping vertices and quantising can make a polygon cross itself anew.
//!
//! Where it does, vertices near the crossing come back, on the arc and therefore for both
//! neighbours. What cannot be helped so is listed by zoom, for the tile engine to repair.

use rayon::prelude::*;
use tilecore::dataset::write::REPAIR_ZOOM_MAX;
use tilecore::geometry::{GridPoint, M_PER_ZOOM};
use tilecore::tile::ZOOM_MAX;

use super::arcs::Arcs;
use super::crossing::{Edge, Finder, Findings, squared_distance};
use super::layout::Layout;
use super::nesting::parents;
use super::repair::push_edges;
use super::rings::{Loop, double_area};
use super::weights::RING_MIN;

/// Rounds of restoring: each brings back one vertex a crossing, so what is left after as many
/// would need most of its vertices.
const ROUNDS_MAX: usize = 24;

/// A vertex and the weight it should have at most.
type Restored = (usize, u16);

/// What a zoom shows: the vertices up to a weight, on its grid.
#[derive(Debug, Clone, Copy)]
struct Detail {
    zoom: u8,
    m_max: u16,
}

/// What tiles show at `zooms`, the finest first; at `zoom_last` the vertices of one zoom more.
fn details([first, last]: [u8; 2], zoom_last: u8) -> Vec<Detail> {
    let zooms = (first..=last.min(REPAIR_ZOOM_MAX)).rev();
    zooms
        .map(|zoom| Detail {
            zoom,
            m_max: u16::from(zoom + u8::from(zoom == zoom_last)) * M_PER_ZOOM,
        })
        .collect()
}

/// Restores vertices where rings cross at `zooms`, and returns each unit's zooms that may need
/// repair, as a mask: of other zooms than these nobody knows.
pub(super) fn settle(arcs: &mut Arcs, layout: &Layout, zooms: [u8; 2], zoom_last: u8) -> Vec<u32> {
    let details = details(zooms, zoom_last);
    let looked_at: u32 = details.iter().map(|shown| 1 << shown.zoom).sum();
    let mut masks = vec![!looked_at; layout.units()];
    let mut units: Vec<usize> = (0..layout.units()).collect();
    for round in 0..=ROUNDS_MAX {
        let found: Vec<(u32, Vec<Restored>)> = units
            .par_iter()
            .map_init(Checker::default, |checker, &unit| {
                checker.check(arcs, layout, unit, &details)
            })
            .collect();
        let mut changed = vec![false; arcs.len()];
        let mut any = false;
        for (&unit, (mask, restored)) in units.iter().zip(&found) {
            masks[unit] = mask | !looked_at;
            for &(vertex, m) in restored {
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
    room: Room,
}

/// How far every vertex walked may be from its place at a zoom where all are valid, before they are
/// not. In cells of the world grid.
#[derive(Debug, Clone, Copy, Default)]
struct Room {
    /// Zero where it was not looked for.
    radius: f64,
    /// How far a vertex was moved by that zoom's grid.
    rounding: f64,
}

/// Edges from which on it pays to look how much room there is for coarser zooms.
const ROOM_MIN: usize = 16;

/// The part of the vertices that the next zoom may drop for it to pay.
const ROOM_DROPPED: usize = 8;

/// Zooms below one that may be passed over for the room there is.
const ROOM_ZOOMS: u8 = 3;

/// How far a zoom's grid moves a vertex at most, in cells of the world grid.
fn rounding(zoom: u8) -> f64 {
    f64::from(1_u32 << (ZOOM_MAX - zoom)) * std::f64::consts::FRAC_1_SQRT_2
}

impl Checker {
    /// The zooms at which a unit is not valid, and the vertices that would help.
    fn check(
        &mut self,
        arcs: &Arcs,
        layout: &Layout,
        unit: usize,
        details: &[Detail],
    ) -> (u32, Vec<Restored>) {
        self.walk(arcs, layout, unit);
        let mut mask = 0;
        let mut restored = Vec::new();
        for &shown in details {
            if self.stays_valid(shown) {
                continue;
            }
            self.keep(shown);
            if self.is_valid_for(shown.zoom) {
                continue;
            }
            mask |= 1 << shown.zoom;
            for &(a, b) in &self.findings.crossings {
                let best = [a, b]
                    .into_iter()
                    .filter_map(|edge| {
                        let from = self.walked[self.sources[edge as usize]];
                        most_significant(arcs, from, shown.m_max)
                    })
                    .min();
                restored.extend(best.map(|(_, vertex)| (vertex, shown.m_max)));
            }
        }
        (mask, restored)
    }

    fn walk(&mut self, arcs: &Arcs, layout: &Layout, unit: usize) {
        self.walked.clear();
        self.shells.clear();
        self.room = Room::default();
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

    /// Leaves what a zoom shows, on its grid; the weights only go down.
    fn keep(&mut self, shown: Detail) {
        self.walked.retain(|vertex| vertex.m <= shown.m_max);
        self.quantise(shown.zoom);
    }

    /// Whether nothing can have come to touch since the zoom that was last looked at: each vertex is
    /// moved by the grids of both zooms, and one that is dropped to the edge which takes its place.
    ///
    /// Nothing changes where rings lie as long as they can be moved there without ever touching,
    /// and a vertex in the midst of a straight line is none.
    fn stays_valid(&self, shown: Detail) -> bool {
        let moved = self.room.rounding + rounding(shown.zoom);
        let Some(free) = Some(self.room.radius - moved).filter(|free| *free > 0.0) else {
            return false;
        };
        let mut rings = self.walked.chunk_by(|a, b| a.ring == b.ring);
        rings.all(|ring| dropped_within(ring, shown.m_max, free * free))
    }

    /// As [`Checker::is_valid`], and looks how much room there is.
    fn is_valid_for(&mut self, zoom: u8) -> bool {
        self.room = Room::default();
        let is_whole = self.edges.len() == self.walked.len();
        let m_next = u16::from(zoom.saturating_sub(1)) * M_PER_ZOOM;
        let dropped = self
            .walked
            .iter()
            .filter(|vertex| vertex.m > m_next)
            .count();
        let pays = self.edges.len() >= ROOM_MIN && dropped * ROOM_DROPPED <= self.edges.len();
        if zoom == 0 || !is_whole || !pays {
            return self.is_valid();
        }
        let cell = f64::from(1_u32 << (ZOOM_MAX - zoom));
        // Two vertices move towards each other; and some for those that are dropped.
        let most = 2.0 * (rounding(zoom) + rounding(zoom.saturating_sub(ROOM_ZOOMS))) / cell;
        #[expect(clippy::cast_possible_truncation, reason = "a few dozen cells")]
        let margin = (most * 1.25).ceil() as i32;
        let apart = self
            .finder
            .find_apart(&self.edges, margin, &mut self.findings);
        let is_valid = self.findings.is_clean() && self.is_nested();
        if is_valid {
            self.room = Room {
                // Less what the arithmetic may be wrong by.
                radius: apart.sqrt() / 2.0 * cell * (1.0 - 1e-6),
                rounding: rounding(zoom),
            };
        }
        is_valid
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

/// Whether every vertex of a ring above a weight is as near to the edge that takes its place.
fn dropped_within(ring: &[Walked], m_max: u16, squared: f64) -> bool {
    let is_kept = |vertex: &Walked| vertex.m <= m_max;
    let Some(first) = ring.iter().position(is_kept) else {
        return false;
    };
    let mut from = first;
    for step in 1..=ring.len() {
        let at = (first + step) % ring.len();
        if !is_kept(&ring[at]) {
            continue;
        }
        let gap = (at + ring.len() - from - 1) % ring.len();
        let edge = Edge {
            from: ring[from].point,
            to: ring[at].point,
            ring: 0,
            next: 0,
        };
        for behind in 1..=gap {
            let dropped = &ring[(from + behind) % ring.len()];
            if squared_distance(dropped.point, &edge) > squared {
                return false;
            }
        }
        from = at;
    }
    true
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn the_last_zoom_of_all_shows_more() {
        let shown = |zooms, zoom_last| {
            let details = details(zooms, zoom_last).into_iter();
            details
                .map(|shown| (shown.zoom, shown.m_max))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown([12, 14], 14), [(14, 240), (13, 208), (12, 192)]);
        assert_eq!(shown([0, 1], 14), [(1, 16), (0, 0)]);
        assert_eq!(shown([13, 18], 18), [(14, 224), (13, 208)]);
        assert_eq!(shown([15, 18], 18), []);
    }

    /// Each unit's zooms that need repair, every zoom looked at by itself.
    pub(in super::super) fn every_zoom(
        arcs: &Arcs,
        layout: &Layout,
        zooms: [u8; 2],
        zoom_last: u8,
    ) -> Vec<u32> {
        let mut checker = Checker::default();
        let mut is_valid = |unit, shown| {
            checker.walk(arcs, layout, unit);
            checker.keep(shown);
            checker.is_valid()
        };
        (0..layout.units())
            .map(|unit| {
                let mut mask = u32::MAX;
                for zoom in zooms[0]..=zooms[1].min(14) {
                    let more = if zoom == zoom_last { 16 } else { 0 };
                    let m_max = u16::from(zoom) * 16 + more;
                    if is_valid(unit, Detail { zoom, m_max }) {
                        mask &= !(1 << zoom);
                    }
                }
                mask
            })
            .collect()
    }
}
