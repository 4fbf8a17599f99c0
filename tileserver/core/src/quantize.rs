//! From the world grid to a tile's grid: the pipeline's only lossy step.
//!
//! A place becomes the tile cell nearest to it, by an integer shift of its world coordinates, so
//! that every tile and both sides of a border agree on it. What no longer has an area is left out.

use crate::geometry::GridPoint;
use crate::tile::{EXTENT, TileCoord};

/// A place on a tile's grid: `0..EXTENT` inside the tile, y southwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cell {
    pub x: i32,
    pub y: i32,
}

/// Maps the world grid to one tile's.
#[derive(Debug, Clone, Copy)]
pub struct Quantizer {
    shift: u32,
    half: i32,
    /// The tile's north-west corner on the grid of its zoom.
    origin: Cell,
}

impl Quantizer {
    /// ```
    /// use tilecore::TileCoord;
    /// use tilecore::geometry::{GridPoint, WORLD_CELLS};
    /// use tilecore::quantize::{Cell, Quantizer};
    /// let tile = Quantizer::new(TileCoord::new(1, 1, 0).unwrap());
    /// let middle = GridPoint { x: WORLD_CELLS / 2, y: WORLD_CELLS / 2 };
    /// assert_eq!(tile.cell(middle), Cell { x: 0, y: 4096 });
    /// ```
    #[must_use]
    pub fn new(tile: TileCoord) -> Self {
        let shift = tile.shift();
        Self {
            shift,
            half: if shift == 0 { 0 } else { 1 << (shift - 1) },
            origin: Cell {
                x: tile.x().cast_signed() * EXTENT,
                y: tile.y().cast_signed() * EXTENT,
            },
        }
    }

    #[must_use]
    pub fn cell(&self, p: GridPoint) -> Cell {
        Cell {
            x: ((p.x + self.half) >> self.shift) - self.origin.x,
            y: ((p.y + self.half) >> self.shift) - self.origin.y,
        }
    }
}

/// One unit's rings on a tile's grid, in buffers that are used again for the next unit.
///
/// Rings are not closed, hold no vertex twice in a row and have an area; exteriors wind with a
/// positive shoelace sum (clockwise on screen), the holes that follow each with a negative one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    cells: Vec<Cell>,
    rings: Vec<RingEnd>,
    /// Whether the latest exterior had no area.
    holes_skipped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RingEnd {
    end: usize,
    exterior: bool,
}

/// A ring of a [`Shape`].
#[derive(Debug, Clone, Copy)]
pub struct RingRef<'a> {
    pub cells: &'a [Cell],
    pub exterior: bool,
}

impl Shape {
    pub fn clear(&mut self) {
        self.cells.clear();
        self.rings.clear();
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rings.is_empty()
    }

    /// Vertices of all rings.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    #[must_use]
    pub fn rings(&self) -> impl ExactSizeIterator<Item = RingRef<'_>> + Clone {
        (0..self.rings.len()).map(|i| self.ring(i))
    }

    /// The `i`-th ring.
    #[must_use]
    pub fn ring(&self, i: usize) -> RingRef<'_> {
        let start = i.checked_sub(1).map_or(0, |before| self.rings[before].end);
        let RingEnd { end, exterior } = self.rings[i];
        RingRef {
            cells: &self.cells[start..end],
            exterior,
        }
    }

    /// Smallest and largest coordinates, `[x_min, y_min, x_max, y_max]`.
    #[must_use]
    pub fn bounds(&self) -> [i32; 4] {
        self.cells
            .iter()
            .fold([i32::MAX, i32::MAX, i32::MIN, i32::MIN], |b, c| {
                [b[0].min(c.x), b[1].min(c.y), b[2].max(c.x), b[3].max(c.y)]
            })
    }

    /// Adds a ring, wound as `exterior` asks; one without area is left out, as are the holes that
    /// follow an exterior without area. Returns whether it was added.
    pub fn push_ring(&mut self, cells: impl IntoIterator<Item = Cell>, exterior: bool) -> bool {
        if !exterior && self.holes_skipped {
            return false;
        }
        let start = self.cells.len();
        let mut cells = cells.into_iter();
        let Some(first) = cells.next() else {
            self.holes_skipped = exterior;
            return false;
        };
        self.cells.push(first);
        let mut last = first;
        // Steps may wrap: the sum is right modulo 2^64, and no area of a world is beyond.
        let mut area = 0_i64;
        for cell in cells {
            if last != cell {
                self.cells.push(cell);
                area = area.wrapping_add(cross(last, cell));
                last = cell;
            }
        }
        area = area.wrapping_add(cross(last, first));
        if last == first && self.cells.len() > start + 1 {
            self.cells.pop();
        }
        if exterior {
            self.holes_skipped = area == 0;
        }
        if area == 0 {
            self.cells.truncate(start);
            return false;
        }
        if (area > 0) != exterior {
            self.cells[start..].reverse();
        }
        self.rings.push(RingEnd {
            end: self.cells.len(),
            exterior,
        });
        true
    }
}

/// Twice the signed area of a ring in cells² (shoelace).
#[must_use]
pub fn double_area(ring: &[Cell]) -> i64 {
    let Some(mut a) = ring.last().copied() else {
        return 0;
    };
    let mut sum = 0_i64;
    for &b in ring {
        sum = sum.wrapping_add(cross(a, b));
        a = b;
    }
    sum
}

fn cross(a: Cell, b: Cell) -> i64 {
    // Coordinates are within ±2^30, so the products are below 2^60.
    i64::from(a.x) * i64::from(b.y) - i64::from(b.x) * i64::from(a.y)
}

/// Twice the signed area of the triangle a, b, c: its sign tells the side of a–b that c is on.
pub(crate) fn orient(a: Cell, b: Cell, c: Cell) -> i64 {
    // The world is 2^30 cells wide at most, so the products are below 2^61.
    i64::from(b.x - a.x) * i64::from(c.y - a.y) - i64::from(b.y - a.y) * i64::from(c.x - a.x)
}
