//! Where the rings of one polygon set cross or touch: exact, on integers.
//!
//! Works on the full grid and on any tile's grid alike. A set without findings is a valid
//! polygon set as long as no ring lies inside another that should not hold it.

use tilecore::geometry::GridPoint;

/// One edge of a ring. `next` is the edge that continues the ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub from: GridPoint,
    pub to: GridPoint,
    pub ring: u32,
    pub next: u32,
}

/// What [`Finder::find`] saw.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Pairs of edges that cross in their interiors.
    pub crossings: Vec<(u32, u32)>,
    /// Edges that overlap, or meet where a valid polygon set has no meeting.
    pub touching: bool,
}

impl Findings {
    pub(super) fn is_clean(&self) -> bool {
        self.crossings.is_empty() && !self.touching
    }
}

/// How two edges that are not neighbours in a ring relate.
enum Contact {
    Apart,
    Crossing,
    /// They meet in this one point, an end of at least one of them.
    At(GridPoint),
    Overlap,
}

/// The box of an edge: along the sweep and across it.
#[derive(Debug, Clone, Copy)]
struct Span {
    low: i32,
    high: i32,
    across_low: i32,
    across_high: i32,
    edge: u32,
}

/// Reusable buffers of the search.
#[derive(Debug, Default)]
pub(super) struct Finder {
    boxes: Vec<Span>,
    active: Vec<Span>,
    meetings: Vec<(u32, u32, GridPoint)>,
    parents: Vec<u32>,
}

/// Below this many edges, comparing all pairs is cheaper than sorting.
const PAIRS_MAX: usize = 24;

/// Above this many edges, the sweep is divided into strips.
const STRIP_MAX: usize = 2048;

/// Crossings reported at most: a hostile scribble has a quadratic number of them.
const CROSSINGS_MAX: usize = 1 << 16;

impl Finder {
    /// Compares all edges of a set of rings.
    pub(super) fn find(&mut self, edges: &[Edge], findings: &mut Findings) {
        findings.crossings.clear();
        findings.touching = false;
        self.meetings.clear();
        if edges.len() <= PAIRS_MAX {
            for i in 0..edges.len() {
                for j in i + 1..edges.len() {
                    if boxes_meet(&edges[i], &edges[j]) {
                        self.compare(edges, i, j, findings);
                    }
                }
            }
        } else {
            self.sweep(edges, findings);
        }
        if !findings.touching {
            findings.touching = self.meetings_close_a_loop();
        }
    }

    /// Visits the pairs whose boxes meet, along the longer side of the set's box.
    fn sweep(&mut self, edges: &[Edge], findings: &mut Findings) {
        let mut boxes = std::mem::take(&mut self.boxes);
        let along_x = is_wide(edges);
        boxes.clear();
        boxes.extend((0_u32..).zip(edges).map(|(i, edge)| span(edge, along_x, i)));
        boxes.sort_unstable_by_key(|span| (span.low, span.edge));
        if boxes.len() <= STRIP_MAX {
            self.sweep_strip(&boxes, edges, findings);
        } else {
            self.divide(&boxes, edges, findings);
            // A pair that lies in two strips was seen twice.
            findings.crossings.sort_unstable();
            findings.crossings.dedup();
        }
        self.boxes = boxes;
    }

    /// Halves a large set across the sweep, so that few edges are active at a time.
    fn divide(&mut self, boxes: &[Span], edges: &[Edge], findings: &mut Findings) {
        let mut middles: Vec<i32> = boxes
            .iter()
            .map(|b| b.across_low.midpoint(b.across_high))
            .collect();
        let at = middles.len() / 2;
        let middle = *middles.select_nth_unstable(at).1;
        let lower: Vec<Span> = boxes
            .iter()
            .filter(|b| b.across_low <= middle)
            .copied()
            .collect();
        let upper: Vec<Span> = boxes
            .iter()
            .filter(|b| b.across_high > middle)
            .copied()
            .collect();
        if lower.len() + upper.len() > boxes.len() / 4 * 5 {
            self.sweep_strip(boxes, edges, findings);
            return;
        }
        for half in [lower, upper] {
            if half.len() <= STRIP_MAX {
                self.sweep_strip(&half, edges, findings);
            } else {
                self.divide(&half, edges, findings);
            }
        }
    }

    /// Sweeps boxes sorted by their low side.
    fn sweep_strip(&mut self, boxes: &[Span], edges: &[Edge], findings: &mut Findings) {
        let mut active = std::mem::take(&mut self.active);
        active.clear();
        for span in boxes {
            let mut at = 0;
            while let Some(other) = active.get(at) {
                if other.high < span.low {
                    active.swap_remove(at);
                    continue;
                }
                if other.across_low <= span.across_high && span.across_low <= other.across_high {
                    self.compare(edges, other.edge as usize, span.edge as usize, findings);
                }
                at += 1;
            }
            active.push(*span);
            if findings.crossings.len() > CROSSINGS_MAX {
                break;
            }
        }
        self.active = active;
    }

    /// Compares two edges whose boxes meet.
    fn compare(&mut self, edges: &[Edge], i: usize, j: usize, findings: &mut Findings) {
        let (a, b) = (&edges[i], &edges[j]);
        if a.next as usize == j || b.next as usize == i {
            findings.touching |= folds_back(a, b);
            return;
        }
        match contact(a, b) {
            Contact::Apart => {}
            Contact::Crossing => {
                let (i, j) = (i.min(j), i.max(j));
                #[expect(clippy::cast_possible_truncation, reason = "edges are counted in u32")]
                findings.crossings.push((i as u32, j as u32));
            }
            Contact::Overlap => findings.touching = true,
            Contact::At(_) if a.ring == b.ring => findings.touching = true,
            Contact::At(p) => {
                self.meetings
                    .push((a.ring.min(b.ring), a.ring.max(b.ring), p));
            }
        }
    }

    /// Two rings may meet in one point; rings that meet twice, or in a chain that closes, cut the
    /// inside in two or run into each other.
    fn meetings_close_a_loop(&mut self) -> bool {
        if self.meetings.len() < 2 {
            return false;
        }
        self.meetings.sort_unstable();
        self.meetings.dedup();
        let rings = self.meetings.iter().map(|m| m.1 + 1).max().unwrap_or(0);
        self.parents.clear();
        self.parents.extend(0..rings);
        for &(a, b, _) in &self.meetings {
            let (a, b) = (root(&mut self.parents, a), root(&mut self.parents, b));
            if a == b {
                return true;
            }
            self.parents[a as usize] = b;
        }
        false
    }
}

fn root(parents: &mut [u32], mut i: u32) -> u32 {
    while parents[i as usize] != i {
        let up = parents[parents[i as usize] as usize];
        parents[i as usize] = up;
        i = up;
    }
    i
}

fn is_wide(edges: &[Edge]) -> bool {
    let mut low = edges[0].from;
    let mut high = low;
    for e in edges {
        low.x = low.x.min(e.from.x);
        low.y = low.y.min(e.from.y);
        high.x = high.x.max(e.from.x);
        high.y = high.y.max(e.from.y);
    }
    high.x - low.x >= high.y - low.y
}

fn span(edge: &Edge, along_x: bool, index: u32) -> Span {
    let (a, b) = (edge.from, edge.to);
    let ((low, high), (across_low, across_high)) = if along_x {
        ((a.x.min(b.x), a.x.max(b.x)), (a.y.min(b.y), a.y.max(b.y)))
    } else {
        ((a.y.min(b.y), a.y.max(b.y)), (a.x.min(b.x), a.x.max(b.x)))
    };
    Span {
        low,
        high,
        across_low,
        across_high,
        edge: index,
    }
}

#[inline]
fn boxes_meet(a: &Edge, b: &Edge) -> bool {
    a.from.x.min(a.to.x) <= b.from.x.max(b.to.x)
        && b.from.x.min(b.to.x) <= a.from.x.max(a.to.x)
        && a.from.y.min(a.to.y) <= b.from.y.max(b.to.y)
        && b.from.y.min(b.to.y) <= a.from.y.max(a.to.y)
}

/// Twice the area of the triangle `a b c`: its sign tells the side of `ab` on which `c` lies.
#[inline]
pub(super) fn orientation(a: GridPoint, b: GridPoint, c: GridPoint) -> i64 {
    let (ux, uy) = (
        i64::from(b.x) - i64::from(a.x),
        i64::from(b.y) - i64::from(a.y),
    );
    let (vx, vy) = (
        i64::from(c.x) - i64::from(a.x),
        i64::from(c.y) - i64::from(a.y),
    );
    ux * vy - uy * vx
}

/// Whether two edges that follow each other lie on one another.
fn folds_back(a: &Edge, b: &Edge) -> bool {
    let (first, second) = if a.to == b.from { (a, b) } else { (b, a) };
    if orientation(first.from, first.to, second.to) != 0 {
        return false;
    }
    let (ux, uy) = (
        i64::from(first.to.x) - i64::from(first.from.x),
        i64::from(first.to.y) - i64::from(first.from.y),
    );
    let (vx, vy) = (
        i64::from(second.to.x) - i64::from(second.from.x),
        i64::from(second.to.y) - i64::from(second.from.y),
    );
    ux * vx + uy * vy < 0
}

fn contact(a: &Edge, b: &Edge) -> Contact {
    let b_from = orientation(a.from, a.to, b.from).signum();
    let b_to = orientation(a.from, a.to, b.to).signum();
    if b_from * b_to > 0 {
        return Contact::Apart;
    }
    let a_from = orientation(b.from, b.to, a.from).signum();
    let a_to = orientation(b.from, b.to, a.to).signum();
    if a_from * a_to > 0 {
        return Contact::Apart;
    }
    if b_from == 0 && b_to == 0 {
        return collinear_contact(a, b);
    }
    if b_from != 0 && b_to != 0 && a_from != 0 && a_to != 0 {
        return Contact::Crossing;
    }
    let at = match (b_from, b_to, a_from) {
        (0, _, _) => b.from,
        (_, 0, _) => b.to,
        (_, _, 0) => a.from,
        _ => a.to,
    };
    Contact::At(at)
}

/// Both on one line, their boxes meet.
fn collinear_contact(a: &Edge, b: &Edge) -> Contact {
    let (a_low, a_high) = (a.from.min(a.to), a.from.max(a.to));
    let (b_low, b_high) = (b.from.min(b.to), b.from.max(b.to));
    let (low, high) = (a_low.max(b_low), a_high.min(b_high));
    match low.cmp(&high) {
        std::cmp::Ordering::Less => Contact::Overlap,
        std::cmp::Ordering::Equal => Contact::At(low),
        std::cmp::Ordering::Greater => Contact::Apart,
    }
}
