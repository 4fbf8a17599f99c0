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
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    low: i32,
    high: i32,
    across_low: i32,
    across_high: i32,
    edge: u32,
    /// The edge behind in the ring.
    next: u32,
}

impl Span {
    /// Whether the boxes meet, or are less than `margin` apart.
    fn is_near(&self, other: &Self, margin: i32) -> bool {
        other.across_low <= self.across_high + margin
            && self.across_low <= other.across_high + margin
            && other.low <= self.high + margin
            && self.low <= other.high + margin
    }

    /// The square of how far the boxes are apart.
    fn squared_gap(&self, other: &Self) -> f64 {
        let along = (other.low - self.high).max(self.low - other.high).max(0);
        let across = (other.across_low - self.across_high)
            .max(self.across_low - other.across_high)
            .max(0);
        f64::from(along) * f64::from(along) + f64::from(across) * f64::from(across)
    }

    /// Whether one edge follows the other in their ring.
    fn is_beside(&self, other: &Self) -> bool {
        self.next == other.edge || other.next == self.edge
    }
}

/// Reusable buffers of the search.
#[derive(Debug, Default)]
pub(super) struct Finder {
    /// Boxes by the stretch of the sweep that they begin in.
    boxes: Vec<Span>,
    /// Where the boxes of each stretch end.
    ends: Vec<usize>,
    meetings: Vec<(u32, u32, GridPoint)>,
    parents: Vec<u32>,
    /// How near edges are looked at that do not meet.
    margin: i32,
    /// The square of the least distance seen between edges apart, or across the tip of two that
    /// follow each other.
    apart: f64,
}

/// Below this many edges, comparing all pairs is cheaper than bringing them in order.
const PAIRS_MAX: usize = 12;

/// Above this many edges, the sweep is divided into strips.
const STRIP_MAX: usize = 2048;

/// Crossings reported at most: a hostile scribble has a quadratic number of them.
const CROSSINGS_MAX: usize = 1 << 16;

impl Finder {
    /// As [`Finder::find`]; of a set without findings it returns the square of how far its edges
    /// are apart at least, as far as `margin`: every vertex may move by less than half of that, and
    /// the set still has no findings.
    ///
    /// ```text
    ///  ───────────      two edges that do not follow each other are as far apart as one's end
    ///      ↕            from the other
    ///  ───●
    ///       ●──         of two that follow each other, the far end of each keeps its distance
    ///       ↕  ╲        from the other edge, so that they never fold back
    ///   ────────●
    /// ```
    pub(super) fn find_apart(
        &mut self,
        edges: &[Edge],
        margin: i32,
        findings: &mut Findings,
    ) -> f64 {
        if edges.len() <= PAIRS_MAX || edges.len() > STRIP_MAX {
            // Strips would not see what lies across their borders.
            self.find(edges, findings);
            return 0.0;
        }
        self.apart = f64::from(margin) * f64::from(margin);
        for edge in edges {
            let next = &edges[edge.next as usize];
            let tips = squared_distance(next.to, edge).min(squared_distance(edge.from, next));
            self.apart = self.apart.min(tips);
        }
        // What is farther apart says nothing more.
        #[expect(clippy::cast_possible_truncation, reason = "no more than before")]
        let margin = self.apart.sqrt().ceil() as i32;
        self.margin = margin;
        self.find(edges, findings);
        self.margin = 0;
        self.apart
    }

    /// Compares all edges of a set of rings.
    pub(super) fn find(&mut self, edges: &[Edge], findings: &mut Findings) {
        findings.crossings.clear();
        findings.touching = edges
            .iter()
            .any(|edge| folds_back(edge, &edges[edge.next as usize]));
        self.meetings.clear();
        if edges.len() <= PAIRS_MAX {
            for (i, a) in edges.iter().enumerate() {
                for (j, b) in edges.iter().enumerate().skip(i + 1) {
                    let are_beside = a.next as usize == j || b.next as usize == i;
                    if !are_beside && boxes_meet(a, b) {
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
        let sweep = Sweep::of(edges);
        self.ends.clear();
        self.ends.resize(sweep.stretches() + 1, 0);
        for edge in edges {
            self.ends[sweep.stretch(span(edge, sweep.along_x, 0).low) + 1] += 1;
        }
        let mut sum = 0;
        for end in &mut self.ends {
            sum += *end;
            *end = sum;
        }
        let mut boxes = std::mem::take(&mut self.boxes);
        boxes.clear();
        boxes.resize(edges.len(), Span::default());
        for (edge, index) in edges.iter().zip(0..) {
            let span = span(edge, sweep.along_x, index);
            let at = &mut self.ends[sweep.stretch(span.low)];
            boxes[*at] = span;
            *at += 1;
        }
        if boxes.len() <= STRIP_MAX {
            self.sweep_strip(sweep, &boxes, edges, findings);
        } else {
            self.divide(sweep, &boxes, edges, findings);
            // A pair that lies in two strips was seen twice.
            findings.crossings.sort_unstable();
            findings.crossings.dedup();
        }
        self.boxes = boxes;
    }

    /// Halves a large set across the sweep, so that few edges are active at a time.
    fn divide(&mut self, sweep: Sweep, boxes: &[Span], edges: &[Edge], findings: &mut Findings) {
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
            self.sweep_strip(sweep, boxes, edges, findings);
            return;
        }
        for half in [lower, upper] {
            if half.len() <= STRIP_MAX {
                self.sweep_strip(sweep, &half, edges, findings);
            } else {
                self.divide(sweep, &half, edges, findings);
            }
        }
    }

    /// Compares boxes with those behind that begin in a stretch they reach.
    fn sweep_strip(
        &mut self,
        sweep: Sweep,
        boxes: &[Span],
        edges: &[Edge],
        findings: &mut Findings,
    ) {
        for (i, span) in boxes.iter().enumerate() {
            let reach = sweep.end_of_stretch(span.high + self.margin);
            for other in &boxes[i + 1..] {
                if other.low > reach {
                    break;
                }
                if span.is_near(other, self.margin) && !span.is_beside(other) {
                    let (a, b) = (span.edge as usize, other.edge as usize);
                    if self.margin > 0 && span.squared_gap(other) < self.apart {
                        self.part(&edges[a], &edges[b]);
                    }
                    if span.is_near(other, 0) {
                        self.compare(edges, a, b, findings);
                    }
                }
            }
            if findings.crossings.len() > CROSSINGS_MAX {
                break;
            }
        }
    }

    /// Notes how far two edges are apart that do not meet.
    fn part(&mut self, a: &Edge, b: &Edge) {
        let ends = squared_distance(a.from, b).min(squared_distance(a.to, b));
        let others = squared_distance(b.from, a).min(squared_distance(b.to, a));
        self.apart = self.apart.min(ends).min(others);
    }

    /// Compares two edges whose boxes meet and that do not follow each other.
    fn compare(&mut self, edges: &[Edge], i: usize, j: usize, findings: &mut Findings) {
        let (a, b) = (&edges[i], &edges[j]);
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

/// The longer side of a set's box, cut into stretches as many as there are edges at most: boxes
/// need no further order for the few in a stretch.
#[derive(Debug, Clone, Copy)]
struct Sweep {
    along_x: bool,
    low: i32,
    high: i32,
    /// The length of a stretch is a power of two.
    bits: u32,
}

impl Sweep {
    fn of(edges: &[Edge]) -> Self {
        let mut low = edges[0].from;
        let mut high = low;
        for e in edges {
            low.x = low.x.min(e.from.x);
            low.y = low.y.min(e.from.y);
            high.x = high.x.max(e.from.x);
            high.y = high.y.max(e.from.y);
        }
        let along_x = high.x - low.x >= high.y - low.y;
        let (low, high) = if along_x {
            (low.x, high.x)
        } else {
            (low.y, high.y)
        };
        let stretches = |bits: u32| usize::try_from((high - low) >> bits).unwrap_or(0) + 1;
        let bits = (0..i32::BITS).find(|bits| stretches(*bits) <= edges.len());
        let bits = bits.unwrap_or(i32::BITS - 1);
        Self {
            along_x,
            low,
            high,
            bits,
        }
    }

    fn stretches(self) -> usize {
        self.stretch(self.high) + 1
    }

    #[expect(clippy::cast_sign_loss, reason = "nothing begins before the sweep")]
    fn stretch(self, at: i32) -> usize {
        ((at - self.low) >> self.bits) as usize
    }

    /// The last place of the stretch that holds a place.
    fn end_of_stretch(self, at: i32) -> i32 {
        self.low + ((at - self.low) | ((1 << self.bits) - 1))
    }
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
        next: edge.next,
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

/// The square of how far a point is from an edge.
pub(super) fn squared_distance(point: GridPoint, edge: &Edge) -> f64 {
    let vector = |to: GridPoint| {
        let (x, y) = (to.x - edge.from.x, to.y - edge.from.y);
        (f64::from(x), f64::from(y))
    };
    let ((ux, uy), (vx, vy)) = (vector(edge.to), vector(point));
    let along = ux * vx + uy * vy;
    let length = ux * ux + uy * uy;
    if along <= 0.0 {
        return vx * vx + vy * vy;
    }
    if along >= length {
        return (vx - ux) * (vx - ux) + (vy - uy) * (vy - uy);
    }
    let cross = ux * vy - uy * vx;
    cross * cross / length
}

/// Whether an edge and the one behind it lie on one another.
fn folds_back(first: &Edge, second: &Edge) -> bool {
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
