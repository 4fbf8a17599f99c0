//! Boundaries stored once: arcs run from junction to junction, rings are lists of arcs.

use rayon::prelude::*;
use tilecore::geometry::GridPoint;

use super::rings::Rings;
use super::visits::Visits;

/// Vertices of all arcs in flat arrays, each arc in its canonical direction.
#[derive(Debug, Clone, Default)]
pub(super) struct Arcs {
    pub points: Vec<GridPoint>,
    /// Sixteenths of the zoom from which a vertex is kept; the ends of an arc have 0.
    pub m: Vec<u16>,
    /// Where each arc begins, and the end.
    pub starts: Vec<usize>,
}

/// An arc as a ring walks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArcUse(u32);

impl ArcUse {
    pub(super) fn new(arc: usize, reversed: bool) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "2^31 arcs do not fit in memory"
        )]
        Self((arc as u32) << 1 | u32::from(reversed))
    }

    pub(super) fn arc(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(super) fn reversed(self) -> bool {
        self.0 & 1 == 1
    }

    /// The same arc in the other direction.
    pub(super) fn back(self) -> Self {
        Self(self.0 ^ 1)
    }
}

impl Arcs {
    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(super) fn span(&self, arc: usize) -> std::ops::Range<usize> {
        self.starts[arc]..self.starts[arc + 1]
    }

    /// Where a walk begins.
    pub(super) fn first(&self, walk: ArcUse) -> GridPoint {
        let span = self.span(walk.arc());
        self.points[if walk.reversed() {
            span.end - 1
        } else {
            span.start
        }]
    }

    /// The second point of a walk.
    pub(super) fn second(&self, walk: ArcUse) -> GridPoint {
        let span = self.span(walk.arc());
        self.points[if walk.reversed() {
            span.end - 2
        } else {
            span.start + 1
        }]
    }

    /// The arc that holds a vertex.
    pub(super) fn arc_at(&self, vertex: usize) -> usize {
        self.starts.partition_point(|start| *start <= vertex) - 1
    }

    /// The vertices a ring passes when it walks `uses`, as indexes of [`Arcs::points`]; the end of
    /// an arc is left to the next one.
    pub(super) fn walk<'a>(&'a self, uses: &'a [ArcUse]) -> impl Iterator<Item = usize> + 'a {
        uses.iter().flat_map(|arc_use| self.walk_arc(*arc_use))
    }

    /// How many vertices a ring passes when it walks `uses`.
    pub(super) fn count(&self, uses: &[ArcUse]) -> usize {
        uses.iter()
            .map(|arc_use| self.span(arc_use.arc()).len() - 1)
            .sum()
    }

    /// The points a ring passes when it walks `uses`.
    pub(super) fn line(&self, uses: &[ArcUse]) -> Vec<GridPoint> {
        let mut line = Vec::with_capacity(self.count(uses));
        for arc_use in uses {
            line.extend(self.walk_arc(*arc_use).map(|vertex| self.points[vertex]));
        }
        line
    }

    /// As [`Arcs::walk`], along one arc.
    pub(super) fn walk_arc(&self, arc_use: ArcUse) -> impl Iterator<Item = usize> + use<> {
        let span = self.span(arc_use.arc());
        let reversed = arc_use.reversed();
        (0..span.len() - 1).map(move |step| {
            if reversed {
                span.end - 1 - step
            } else {
                span.start + step
            }
        })
    }
}

/// One passage of a ring along an arc.
///
/// Between junctions every ring has the same two neighbours, so the first two points tell arcs
/// apart; a closed arc's first point is its junction, or its smallest point when it has none.
struct Passage {
    first: GridPoint,
    second: GridPoint,
    reversed: bool,
    ring: u32,
    /// The passage's first point in ring direction, in its ring.
    from: u32,
    /// Points, both ends included.
    length: u32,
}

/// The arcs of all rings, and each ring as the arcs it walks: uses, and where each ring's begin.
pub(super) fn cut(rings: &Rings, visits: &Visits) -> (Arcs, Vec<ArcUse>, Vec<usize>) {
    let passages: Vec<Passage> = (0..rings.rings())
        .into_par_iter()
        .flat_map_iter(|ring| passages(rings, visits, ring))
        .collect();
    let mut order: Vec<usize> = (0..passages.len()).collect();
    let rank = |i: &usize| {
        let p = &passages[*i];
        (p.first, p.second, *i)
    };
    order.par_sort_unstable_by_key(rank);

    let mut uses = vec![ArcUse(0); passages.len()];
    let mut owners: Vec<usize> = Vec::new();
    let mut arcs = Arcs {
        starts: vec![0],
        ..Arcs::default()
    };
    let mut total = 0;
    for &i in &order {
        let passage = &passages[i];
        let same = owners.last().is_some_and(|&owner: &usize| {
            let owner = &passages[owner];
            (owner.first, owner.second) == (passage.first, passage.second)
        });
        if !same {
            owners.push(i);
            total += passage.length as usize;
            arcs.starts.push(total);
        }
        uses[i] = ArcUse::new(owners.len() - 1, passage.reversed);
    }
    arcs.points = vec![GridPoint { x: 0, y: 0 }; total];
    let mut rest = arcs.points.as_mut_slice();
    let mut spans = Vec::with_capacity(owners.len());
    for owner in owners {
        let (span, behind) = rest.split_at_mut(passages[owner].length as usize);
        spans.push((span, owner));
        rest = behind;
    }
    spans
        .into_par_iter()
        .for_each(|(span, owner)| walk(rings, &passages[owner], span));
    arcs.m = vec![0; arcs.points.len()];

    let mut starts = Vec::with_capacity(rings.rings() + 1);
    let mut at = 0;
    for ring in 0..rings.rings() {
        starts.push(at);
        while passages.get(at).is_some_and(|p| p.ring as usize == ring) {
            at += 1;
        }
    }
    starts.push(at);
    (arcs, uses, starts)
}

/// Cuts one ring at its junctions.
#[expect(
    clippy::cast_possible_truncation,
    reason = "2^32 vertices do not fit in memory"
)]
fn passages(rings: &Rings, visits: &Visits, ring: usize) -> Vec<Passage> {
    let span = rings.span(ring);
    let points = rings.points();
    let ends: Vec<usize> = span.clone().filter(|&at| visits.is_junction[at]).collect();
    let ends = if ends.is_empty() {
        span.clone()
            .min_by_key(|&at| points[at])
            .into_iter()
            .collect()
    } else {
        ends
    };
    let after = |at: usize| {
        if at + 1 == span.end {
            span.start
        } else {
            at + 1
        }
    };
    let before = |at: usize| {
        if at == span.start {
            span.end - 1
        } else {
            at - 1
        }
    };
    ends.iter()
        .enumerate()
        .map(|(i, &from)| {
            let to = ends[(i + 1) % ends.len()];
            let length = (to + span.len() - from - 1) % span.len() + 2;
            let forward = (points[from], points[after(from)]);
            let backward = (points[to], points[before(to)]);
            let reversed = backward < forward;
            let (first, second) = if reversed { backward } else { forward };
            Passage {
                first,
                second,
                reversed,
                ring: ring as u32,
                from: (from - span.start) as u32,
                length: length as u32,
            }
        })
        .collect()
}

/// Fills in the points of a passage in the arc's canonical direction.
fn walk(rings: &Rings, passage: &Passage, points: &mut [GridPoint]) {
    let ring = rings.ring(passage.ring as usize);
    let offset = passage.from as usize;
    // A passage may go on at the ring's start, up to where it began.
    let (before, behind) = points.split_at_mut(points.len().min(ring.len() - offset));
    before.copy_from_slice(&ring[offset..offset + before.len()]);
    behind.copy_from_slice(&ring[..behind.len()]);
    if passage.reversed {
        points.reverse();
    }
}
