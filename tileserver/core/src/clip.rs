//! Cuts a shape at the edges of a box, without the bridges that Sutherland–Hodgman leaves.
//!
//! One edge at a time. The parts of a polygon's rings within the edge are chains; along the edge
//! their ends come in pairs, and the edge between the two ends of a pair lies inside the polygon:
//!
//! ```text
//!        ┌────┐     ┌──┐                outside
//!   ─────1────2─────3──4────── edge     pairs 1–2 and 3–4: two rings (or one ring and a bay)
//!        │    └─────┘  │                inside
//!        └─────────────┘
//! ```
//! Ends are sorted by their exact place, and by their direction where places are equal, before
//! they are rounded to the grid.

use std::cmp::Ordering;
use std::ops::Range;

use crate::quantize::{Cell, Shape, double_area};
use crate::validity::{Place, place};

/// What became of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clipped {
    /// Cut as it should be; nothing may be left of it.
    Done,
    /// The shape crosses itself, so that it cannot be cut this way.
    Doubtful,
}

/// Buffers for one cut after another.
#[derive(Debug, Default)]
pub struct Clipper {
    spare: Shape,
    chains: Chains,
    collapsed: Option<Cell>,
    joined: bool,
}

/// One edge of the box, vertical or not: points with `sign * (coordinate - line) > 0` are inside.
#[derive(Debug, Clone, Copy)]
struct Edge<const VERTICAL: bool> {
    line: i32,
    sign: i32,
}

impl<const VERTICAL: bool> Edge<VERTICAL> {
    /// Distance inwards from the edge.
    fn depth(self, c: Cell) -> i32 {
        self.sign * (if VERTICAL { c.x } else { c.y } - self.line)
    }

    /// Coordinate along the edge.
    fn along(c: Cell) -> i32 {
        if VERTICAL { c.y } else { c.x }
    }

    fn at(self, along: i32) -> Cell {
        if VERTICAL {
            Cell {
                x: self.line,
                y: along,
            }
        } else {
            Cell {
                x: along,
                y: self.line,
            }
        }
    }
}

/// Where a ring crosses the edge: `place / depth` along it, exactly.
#[derive(Debug, Clone, Copy)]
struct Crossing {
    place: i64,
    /// Depth from the outer to the inner end of the crossing segment; positive.
    depth: i64,
    /// How far the segment moves along the edge over `depth`.
    drift: i64,
    chain: usize,
    /// Whether the chain begins here.
    enters: bool,
}

impl Crossing {
    /// By place, then by direction: the order just inside the edge.
    fn cmp(&self, other: &Self) -> Ordering {
        // Places are below 2^61 and depths below 2^31.
        let scaled = |a: i64, b: i64| i128::from(a) * i128::from(b);
        let places = scaled(self.place, other.depth).cmp(&scaled(other.place, self.depth));
        places.then_with(|| scaled(self.drift, other.depth).cmp(&scaled(other.drift, self.depth)))
    }

    /// The nearest grid line across the edge.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "between the ends of a segment of the grid"
    )]
    fn rounded(&self) -> i32 {
        (2 * self.place + self.depth).div_euclid(2 * self.depth) as i32
    }
}

/// The parts of one polygon's rings within an edge.
#[derive(Debug, Default)]
struct Chains {
    cells: Vec<Cell>,
    ranges: Vec<Range<usize>>,
    crossings: Vec<Crossing>,
    /// The chain that continues each.
    next: Vec<usize>,
    /// Rings made of chains.
    cycles: Vec<Range<usize>>,
    cycle_cells: Vec<Cell>,
}

impl Clipper {
    /// Replaces `shape` by its part within `bounds`, edges included. Where the answer is
    /// [`Clipped::Doubtful`], `shape` holds nothing of use.
    pub fn clip(&mut self, shape: &mut Shape, bounds: [i32; 4]) -> Clipped {
        self.collapsed = None;
        self.joined = false;
        let [x_min, y_min, x_max, y_max] = shape.bounds();
        let vertical = |line, sign| Edge::<true> { line, sign };
        let horizontal = |line, sign| Edge::<false> { line, sign };
        let cut = (x_min >= bounds[0] || self.cut_at(shape, vertical(bounds[0], 1)))
            && (x_max <= bounds[2] || self.cut_at(shape, vertical(bounds[2], -1)))
            && (y_min >= bounds[1] || self.cut_at(shape, horizontal(bounds[1], 1)))
            && (y_max <= bounds[3] || self.cut_at(shape, horizontal(bounds[3], -1)));
        if cut {
            Clipped::Done
        } else {
            Clipped::Doubtful
        }
    }

    /// Cuts at one edge; false where that is doubtful.
    fn cut_at<const VERTICAL: bool>(&mut self, shape: &mut Shape, edge: Edge<VERTICAL>) -> bool {
        // Another cut may have taken all that was beyond.
        if shape.cells().iter().all(|&c| edge.depth(c) >= 0) {
            return true;
        }
        self.spare.clear();
        let done = self.cut(shape, edge) == Clipped::Done;
        std::mem::swap(shape, &mut self.spare);
        done
    }

    /// A vertex of a part that lost its area to rounding in the latest cut.
    #[must_use]
    pub fn collapsed(&self) -> Option<Cell> {
        self.collapsed
    }

    /// Whether the latest cut went through several rings of a polygon, which may now be one: where
    /// they touched, it touches itself.
    #[must_use]
    pub fn joined(&self) -> bool {
        self.joined
    }

    /// Puts the part of `shape` within `edge` into `self.spare`.
    fn cut<const VERTICAL: bool>(&mut self, shape: &Shape, edge: Edge<VERTICAL>) -> Clipped {
        let rings = shape.rings().len();
        let mut first = 0;
        while first < rings {
            let holes = shape.rings().skip(first + 1);
            let end = first + 1 + holes.take_while(|ring| !ring.exterior).count();
            if self.cut_polygon(shape, first..end, edge) == Clipped::Doubtful {
                return Clipped::Doubtful;
            }
            first = end;
        }
        Clipped::Done
    }

    fn cut_polygon<const VERTICAL: bool>(
        &mut self,
        shape: &Shape,
        rings: Range<usize>,
        edge: Edge<VERTICAL>,
    ) -> Clipped {
        let chains = &mut self.chains;
        chains.clear();
        let mut whole = Vec::new();
        let mut cut = 0;
        for i in rings.clone() {
            let ring = shape.ring(i);
            let inside = ring.cells.iter().filter(|&&c| edge.depth(c) > 0).count();
            if inside == ring.cells.len() {
                whole.push(i);
            } else if inside > 0 {
                chains.add(ring.cells, edge);
                cut += 1;
            }
        }
        self.joined |= cut > 1;
        if chains.ranges.is_empty() {
            if whole.first().is_some_and(|&i| !shape.ring(i).exterior) {
                return Clipped::Doubtful;
            }
            for i in whole {
                let ring = shape.ring(i);
                self.spare
                    .push_ring(ring.cells.iter().copied(), ring.exterior);
            }
            return Clipped::Done;
        }
        if chains.link() == Clipped::Doubtful {
            return Clipped::Doubtful;
        }
        // A cut polygon's exterior is cut, so all whole rings are holes.
        let mut homes = Vec::with_capacity(whole.len());
        for &i in &whole {
            match chains.cycle_around(shape.ring(i).cells) {
                Some(cycle) if !shape.ring(i).exterior => homes.push(cycle),
                _ => return Clipped::Doubtful,
            }
        }
        for (number, cycle) in chains.cycles.iter().enumerate() {
            let cells = &chains.cycle_cells[cycle.clone()];
            if double_area(cells) < 0 {
                return Clipped::Doubtful;
            }
            if !self.spare.push_ring(cells.iter().copied(), true) {
                // A chain is an end, vertices of the ring, an end.
                self.collapsed = cells.get(1).copied();
            }
            for (&i, _) in whole
                .iter()
                .zip(&homes)
                .filter(|(_, home)| **home == number)
            {
                self.spare
                    .push_ring(shape.ring(i).cells.iter().copied(), false);
            }
        }
        Clipped::Done
    }
}

impl Chains {
    fn clear(&mut self) {
        self.cells.clear();
        self.ranges.clear();
        self.crossings.clear();
        self.next.clear();
        self.cycles.clear();
        self.cycle_cells.clear();
    }

    /// Adds the chains of a ring that lies partly inside the edge.
    fn add<const VERTICAL: bool>(&mut self, ring: &[Cell], edge: Edge<VERTICAL>) {
        let inside = |cell: Cell| edge.depth(cell) > 0;
        let Some(&last) = ring.last() else { return };
        // A ring that lies partly inside enters somewhere.
        let entry = if !inside(last) && inside(ring[0]) {
            0
        } else {
            let enters = |pair: &[Cell]| !inside(pair[0]) && inside(pair[1]);
            match ring.windows(2).position(enters) {
                Some(before) => before + 1,
                None => return,
            }
        };
        let mut previous = if entry == 0 { last } else { ring[entry - 1] };
        let mut open = false;
        let mut start = 0;
        for &cell in ring[entry..].iter().chain(&ring[..entry]) {
            match (open, edge.depth(cell) > 0) {
                (false, true) => {
                    open = true;
                    start = self.cells.len();
                    self.cross(edge, previous, cell, true);
                    self.cells.push(cell);
                }
                (true, true) => self.cells.push(cell),
                (true, false) => {
                    open = false;
                    self.cross(edge, cell, previous, false);
                    self.ranges.push(start..self.cells.len());
                }
                (false, false) => {}
            }
            previous = cell;
        }
    }

    /// Adds the place where the segment from `outer` to `inner` crosses the edge.
    fn cross<const VERTICAL: bool>(
        &mut self,
        edge: Edge<VERTICAL>,
        outer: Cell,
        inner: Cell,
        enters: bool,
    ) {
        let outside = -i64::from(edge.depth(outer));
        let depth = i64::from(edge.depth(inner)) + outside;
        let drift =
            i64::from(Edge::<VERTICAL>::along(inner)) - i64::from(Edge::<VERTICAL>::along(outer));
        let crossing = Crossing {
            place: i64::from(Edge::<VERTICAL>::along(outer)) * depth + drift * outside,
            depth,
            drift,
            chain: self.ranges.len(),
            enters,
        };
        self.cells.push(edge.at(crossing.rounded()));
        self.crossings.push(crossing);
    }

    /// Joins chains into rings.
    fn link(&mut self) -> Clipped {
        self.crossings.sort_by(Crossing::cmp);
        self.next.resize(self.ranges.len(), usize::MAX);
        for pair in self.crossings.chunks(2) {
            let [a, b] = pair else {
                return Clipped::Doubtful;
            };
            let (from, to) = if a.enters { (b, a) } else { (a, b) };
            if from.enters || !to.enters {
                return Clipped::Doubtful;
            }
            self.next[from.chain] = to.chain;
        }
        for first in 0..self.next.len() {
            if self.next[first] == usize::MAX {
                continue;
            }
            let start = self.cycle_cells.len();
            let mut chain = first;
            while self.next[chain] != usize::MAX {
                self.cycle_cells
                    .extend_from_slice(&self.cells[self.ranges[chain].clone()]);
                chain = std::mem::replace(&mut self.next[chain], usize::MAX);
            }
            self.cycles.push(start..self.cycle_cells.len());
        }
        Clipped::Done
    }

    /// The new ring that a whole hole lies in.
    fn cycle_around(&self, hole: &[Cell]) -> Option<usize> {
        if let [_] = self.cycles[..] {
            return Some(0);
        }
        hole.iter().find_map(|&cell| {
            let mut around = None;
            for (number, cycle) in self.cycles.iter().enumerate() {
                match place(cell, &self.cycle_cells[cycle.clone()]) {
                    Place::Inside => around = Some(number),
                    Place::Edge => return None,
                    Place::Outside => {}
                }
            }
            around
        })
    }
}
