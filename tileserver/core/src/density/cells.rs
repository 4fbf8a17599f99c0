//! The cells of a tile that hold contacts, as ranges of the sorted keys.
//!
//! ```text
//! keys     ▕ cell 3 ▏▕ cell 4 ▏      ▕ cell 9 ▏     sorted by Morton key
//!          start    end=start
//! count of a cell under a filter = rank(end) − rank(start)
//! ```
//!
//! It depends on the contacts alone, never on a filter, so it is found once a tile.

use std::ops::Range;

use super::morton::{place_of, range_of_cell};
use crate::geometry::WORLD_BITS;
use crate::tile::TileCoord;

/// log₂ of the cells along one edge of a tile.
pub const CELL_BITS: u32 = 7;

/// Cells along one edge of a tile.
pub const CELLS_PER_EDGE: u32 = 1 << CELL_BITS;

/// log₂ of the small cells along one edge of a tile, of which larger shapes are made.
pub const SMALL_BITS: u32 = 9;

/// A cell of a tile and the contacts in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Column and row in the tile, below [`CELLS_PER_EDGE`].
    pub x: u8,
    pub y: u8,
    /// Positions of its contacts, `start..end`.
    pub start: u32,
    pub end: u32,
}

/// Contacts that are looked at one after another rather than searched.
const SCAN: usize = 128;

/// Non-empty cells of `tile` in Morton order. `keys` is sorted ascending, below 2³² entries.
///
/// Descends the quadtree, splits a range only where it holds contacts, and reads a short one
/// through: a tile costs at most its non-empty cells times seven short searches, over 10⁴ or 10⁸
/// contacts.
#[must_use]
pub fn cells_of_tile(keys: &[u64], tile: TileCoord) -> Vec<Cell> {
    let whole = range_of_cell(u32::from(tile.z()), tile.x(), tile.y());
    let start = keys.partition_point(|key| *key < whole.start);
    let end = start + keys[start..].partition_point(|key| *key < whole.end);
    let mut found = OfTile {
        keys,
        first: whole.start,
        shift: 2 * (WORLD_BITS - CELL_BITS - u32::from(tile.z())),
        cells: Vec::new(),
    };
    found.descend(0, CELL_BITS, start..end);
    found.cells
}

impl Cell {
    /// The cell whose keys begin with `prefix`, as far as they lie in the tile.
    pub(super) fn new(prefix: u64, start: u32, end: u32) -> Self {
        const LAST: u32 = CELLS_PER_EDGE - 1;
        let [x, y] = place_of(prefix).map(|v| (v & LAST) as u8);
        Self { x, y, start, end }
    }
}

/// The row of a contact as cells keep it.
pub(super) fn position(row: usize) -> u32 {
    u32::try_from(row).expect("fewer than 2^32 contacts")
}

/// The rows of the cells of `2^shift` keys among `rows`, each cell's after the cell's before.
fn runs(keys: &[u64], shift: u32, rows: Range<usize>) -> impl Iterator<Item = (u64, Range<usize>)> {
    let mut start = rows.start;
    let cells = keys[rows].chunk_by(move |a, b| a >> shift == b >> shift);
    cells.map(move |cell| {
        let end = start + cell.len();
        let run = (cell[0] >> shift, start..end);
        start = end;
        run
    })
}

struct OfTile<'a> {
    keys: &'a [u64],
    /// The tile's first key.
    first: u64,
    /// log₂ of the keys of a cell.
    shift: u32,
    cells: Vec<Cell>,
}

impl OfTile<'_> {
    /// `prefix` is that of a quad in the tile, of `2^bits` cells along an edge, which holds `rows`.
    fn descend(&mut self, prefix: u64, bits: u32, rows: Range<usize>) {
        if bits == 0 {
            if !rows.is_empty() {
                let (start, end) = (position(rows.start), position(rows.end));
                self.cells.push(Cell::new(prefix, start, end));
            }
            return;
        }
        if rows.len() <= SCAN {
            let cells = runs(self.keys, self.shift, rows);
            let cells = cells
                .map(|(prefix, rows)| Cell::new(prefix, position(rows.start), position(rows.end)));
            self.cells.extend(cells);
            return;
        }
        let mut start = rows.start;
        for child in prefix << 2..(prefix << 2) + 4 {
            let limit = self.first + ((child + 1) << (2 * (bits - 1) + self.shift));
            let end = match child & 3 {
                3 => rows.end,
                _ => start + self.keys[start..rows.end].partition_point(|key| *key < limit),
            };
            self.descend(child, bits - 1, start..end);
            start = end;
        }
    }
}

/// Gives column, row, start and end of the non-empty cells in a window of a `2^bits × 2^bits` grid
/// over the world. `window` is first column, first row, and one past the last of each.
pub fn cells_in(
    keys: &[u64],
    bits: u32,
    window: [u32; 4],
    each: &mut impl FnMut(u32, u32, u32, u32),
) {
    let windowed = Windowed { keys, bits, window };
    windowed.descend(0, [0, 0], 0..keys.len(), each);
}

struct Windowed<'a> {
    keys: &'a [u64],
    bits: u32,
    window: [u32; 4],
}

impl Windowed<'_> {
    /// `place` is column and row of the quad at `zoom`, which holds `rows`.
    fn descend(
        &self,
        zoom: u32,
        [x, y]: [u32; 2],
        rows: Range<usize>,
        each: &mut impl FnMut(u32, u32, u32, u32),
    ) {
        let [x_first, y_first, x_end, y_end] = self.window.map(u64::from);
        let cells = self.bits - zoom;
        let (west, north) = (u64::from(x) << cells, u64::from(y) << cells);
        let (east, south) = (west + (1 << cells), north + (1 << cells));
        let apart = west >= x_end || east <= x_first || north >= y_end || south <= y_first;
        if rows.is_empty() || apart {
            return;
        }
        if cells == 0 {
            each(x, y, position(rows.start), position(rows.end));
            return;
        }
        if rows.len() <= SCAN {
            let shift = 2 * (WORLD_BITS - self.bits);
            for (prefix, rows) in runs(self.keys, shift, rows) {
                let [x, y] = place_of(prefix);
                let inside = (x_first..x_end).contains(&u64::from(x))
                    && (y_first..y_end).contains(&u64::from(y));
                if inside {
                    each(x, y, position(rows.start), position(rows.end));
                }
            }
            return;
        }
        let mut start = rows.start;
        for child in 0..4_u32 {
            let below = [x << 1 | child & 1, y << 1 | child >> 1];
            let end = match child {
                3 => rows.end,
                _ => {
                    let limit = range_of_cell(zoom + 1, below[0], below[1]).end;
                    start + self.keys[start..rows.end].partition_point(|key| *key < limit)
                }
            };
            self.descend(zoom + 1, below, start..end, each);
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::density::morton::{key_of, point_of};
    use crate::density::pyramid::Pyramid;
    use crate::geometry::{GridPoint, WORLD_CELLS};

    fn brute_force(keys: &[u64], tile: TileCoord) -> BTreeMap<(u8, u8), u32> {
        let mut counts = BTreeMap::new();
        let (x0, y0) = tile.origin();
        let edge = WORLD_CELLS >> tile.z();
        for p in keys.iter().map(|key| point_of(*key)) {
            let (dx, dy) = (p.x - x0, p.y - y0);
            if (0..edge).contains(&dx) && (0..edge).contains(&dy) {
                let cell = edge >> CELL_BITS;
                let at = |d: i32| u8::try_from(d / cell).expect("below 128");
                *counts.entry((at(dx), at(dy))).or_default() += 1;
            }
        }
        counts
    }

    /// Few far apart, or so many in a few places that ranges are searched.
    fn points() -> impl Strategy<Value = Vec<(i32, i32)>> {
        let around = |size| {
            (
                500_000_000..500_000_000 + size,
                300_000_000..300_000_000 + size,
            )
        };
        prop_oneof![
            prop::collection::vec(around(300_000), 0..400),
            prop::collection::vec(
                prop_oneof![around(300_000), around(300), around(3)],
                0..3_000
            ),
        ]
    }

    proptest! {
        #[test]
        fn counts_equal_a_scan(
            points in points(),
            z in 0_u8..=18,
        ) {
            let mut keys: Vec<u64> =
                points.iter().map(|&(x, y)| key_of(GridPoint { x, y })).collect();
            keys.sort_unstable();
            let at = |v: i32| v.cast_unsigned() >> (30 - u32::from(z));
            let tile = TileCoord::new(z, at(500_100_000), at(300_100_000)).expect("inside");
            let cells = cells_of_tile(&keys, tile);
            prop_assert_eq!(&Pyramid::of(&keys).cells_of_tile(&keys, tile), &cells);
            let found: BTreeMap<_, _> =
                cells.iter().map(|cell| ((cell.x, cell.y), cell.end - cell.start)).collect();
            prop_assert_eq!(found, brute_force(&keys, tile));
        }

        #[test]
        fn a_window_holds_what_a_scan_finds_in_it(
            points in points(),
            bits in 0_u32..=24,
            corner in (0_i32..300_000, 0_i32..300_000),
            size in (0_u32..200, 0_u32..200),
        ) {
            let mut keys: Vec<u64> =
                points.iter().map(|&(x, y)| key_of(GridPoint { x, y })).collect();
            keys.sort_unstable();
            let at = |v: i32| v.cast_unsigned() >> (30 - bits);
            let (x, y) = (at(500_000_000 + corner.0), at(300_000_000 + corner.1));
            let window = [x, y, x + size.0, y + size.1];
            let mut found = BTreeMap::new();
            cells_in(&keys, bits, window, &mut |x, y, start, end| {
                assert_eq!(found.insert((x, y), end - start), None);
            });
            let mut expected: BTreeMap<(u32, u32), u32> = BTreeMap::new();
            for p in keys.iter().map(|key| point_of(*key)) {
                let (cx, cy) = (at(p.x), at(p.y));
                if (window[0]..window[2]).contains(&cx) && (window[1]..window[3]).contains(&cy) {
                    *expected.entry((cx, cy)).or_default() += 1;
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
