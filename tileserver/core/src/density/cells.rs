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

use super::morton::range_of_cell;
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

/// Non-empty cells of `tile` in Morton order. `keys` is sorted ascending, below 2³² entries.
///
/// Descends the quadtree and splits a range only where it holds contacts: a tile costs at most
/// its non-empty cells times seven short searches, over 10⁴ or 10⁸ contacts.
#[must_use]
pub fn cells_of_tile(keys: &[u64], tile: TileCoord) -> Vec<Cell> {
    let whole = range_of_cell(u32::from(tile.z()), tile.x(), tile.y());
    let start = keys.partition_point(|key| *key < whole.start);
    let end = start + keys[start..].partition_point(|key| *key < whole.end);
    let mut cells = Vec::new();
    let root = Quad {
        zoom: 0,
        x: 0,
        y: 0,
        keys: whole,
    };
    descend(keys, &root, start..end, &mut cells);
    cells
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
            let contact = |row: usize| u32::try_from(row).expect("fewer than 2^32 contacts");
            each(x, y, contact(rows.start), contact(rows.end));
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

struct Quad {
    zoom: u32,
    x: u8,
    y: u8,
    keys: Range<u64>,
}

fn descend(keys: &[u64], quad: &Quad, rows: Range<usize>, cells: &mut Vec<Cell>) {
    if rows.is_empty() {
        return;
    }
    if quad.zoom == CELL_BITS {
        cells.push(Cell {
            x: quad.x,
            y: quad.y,
            start: u32::try_from(rows.start).expect("fewer than 2^32 contacts"),
            end: u32::try_from(rows.end).expect("fewer than 2^32 contacts"),
        });
        return;
    }
    let quarter = (quad.keys.end - quad.keys.start) / 4;
    let mut start = rows.start;
    for child in 0..4_u8 {
        let first = quad.keys.start + u64::from(child) * quarter;
        let end = match child {
            3 => rows.end,
            _ => start + keys[start..rows.end].partition_point(|key| *key < first + quarter),
        };
        let below = Quad {
            zoom: quad.zoom + 1,
            x: quad.x << 1 | child & 1,
            y: quad.y << 1 | child >> 1,
            keys: first..first + quarter,
        };
        descend(keys, &below, start..end, cells);
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::density::morton::{key_of, point_of};
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

    proptest! {
        #[test]
        fn counts_equal_a_scan(
            points in prop::collection::vec((500_000_000..500_300_000, 300_000_000..300_300_000), 0..400),
            z in 0_u8..=18,
        ) {
            let mut keys: Vec<u64> =
                points.iter().map(|&(x, y)| key_of(GridPoint { x, y })).collect();
            keys.sort_unstable();
            let at = |v: i32| v.cast_unsigned() >> (30 - u32::from(z));
            let tile = TileCoord::new(z, at(500_100_000), at(300_100_000)).expect("inside");
            let found: BTreeMap<_, _> = cells_of_tile(&keys, tile)
                .iter()
                .map(|cell| ((cell.x, cell.y), cell.end - cell.start))
                .collect();
            prop_assert_eq!(found, brute_force(&keys, tile));
        }

        #[test]
        fn a_window_holds_what_a_scan_finds_in_it(
            points in prop::collection::vec((500_000_000..500_300_000, 300_000_000..300_300_000), 0..400),
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
