//! The non-empty cells of coarse zooms, found in one pass over the keys.
//!
//! ```text
//! zoom 0   ▕    cell    ▏                        entries: where a cell's contacts start
//! zoom 1   ▕ cell ▏▕cell▏
//!   …                                            down to some eight contacts a cell
//! keys     ▕▏▕▏▕▏▕▏▕▏▕▏▕▏                         beyond, a tile's contacts are few: they are read
//! ```
//! A coarse tile has thousands of cells of thousands of contacts; searching their ends among the
//! keys costs more than counting, coding and sending them.

use super::cells::{CELL_BITS, Cell, cells_of_tile, position};
use super::morton::range_of_cell;
use crate::geometry::WORLD_BITS;
use crate::tile::TileCoord;

/// The finest zoom kept: prefixes of its cells fill 32 bits.
const ZOOM_FINEST: u32 = 16 - CELL_BITS;

/// Contacts a cell that a zoom is kept for: the entries of all zooms take about a byte a contact.
const CONTACTS_A_CELL: usize = 8;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Pyramid {
    /// By tile zoom.
    zooms: Vec<Cells>,
}

/// The non-empty cells of a zoom, in Morton order.
#[derive(Debug, Clone, Default)]
struct Cells {
    /// What the keys of each begin with.
    prefixes: Vec<u32>,
    /// Where each one's contacts start, and where the last one's end.
    starts: Vec<u32>,
}

impl Pyramid {
    /// Of ascending keys, below 2³² entries.
    #[must_use]
    pub fn of(keys: &[u64]) -> Self {
        let mut cells = Cells::of(keys);
        let mut zooms = Vec::new();
        for zoom in (0..=ZOOM_FINEST).rev() {
            let coarser = if zoom > 0 {
                cells.coarser()
            } else {
                Cells::default()
            };
            if cells.prefixes.len() <= keys.len() / CONTACTS_A_CELL {
                zooms.push(cells);
            }
            cells = coarser;
        }
        zooms.reverse();
        Self { zooms }
    }

    /// As [`cells_of_tile`] gives them; `keys` are those it was made of.
    #[must_use]
    pub fn cells_of_tile(&self, keys: &[u64], tile: TileCoord) -> Vec<Cell> {
        match self.zooms.get(usize::from(tile.z())) {
            Some(cells) => cells.of_tile(tile),
            None => cells_of_tile(keys, tile),
        }
    }

    /// Bytes held on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let bytes = |cells: &Cells| (cells.prefixes.len() + cells.starts.len()) * 4;
        self.zooms.iter().map(bytes).sum()
    }
}

impl Cells {
    /// Of [`ZOOM_FINEST`].
    fn of(keys: &[u64]) -> Self {
        const SHIFT: u32 = 2 * (WORLD_BITS - CELL_BITS - ZOOM_FINEST);
        let mut cells = Self::default();
        let mut start = 0;
        for cell in keys.chunk_by(|a, b| a >> SHIFT == b >> SHIFT) {
            #[expect(clippy::cast_possible_truncation, reason = "keys have 60 bits")]
            cells.prefixes.push((cell[0] >> SHIFT) as u32);
            cells.starts.push(position(start));
            start += cell.len();
        }
        cells.starts.push(position(start));
        cells
    }

    /// Of the zoom before.
    fn coarser(&self) -> Self {
        let mut cells = Self::default();
        let mut at = 0;
        for four in self.prefixes.chunk_by(|a, b| a >> 2 == b >> 2) {
            cells.prefixes.push(four[0] >> 2);
            cells.starts.push(self.starts[at]);
            at += four.len();
        }
        cells.starts.push(self.starts[at]);
        cells
    }

    fn of_tile(&self, tile: TileCoord) -> Vec<Cell> {
        let keys = range_of_cell(u32::from(tile.z()), tile.x(), tile.y());
        let shift = 2 * (WORLD_BITS - CELL_BITS - u32::from(tile.z()));
        let before = |key: u64| {
            let limit = key >> shift;
            self.prefixes
                .partition_point(|prefix| u64::from(*prefix) < limit)
        };
        let cells = before(keys.start)..before(keys.end);
        let starts = &self.starts[cells.start..=cells.end];
        let prefixes = self.prefixes[cells].iter().zip(starts.array_windows());
        prefixes
            .map(|(prefix, [start, end])| Cell::new(u64::from(*prefix), *start, *end))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zooms_are_kept_while_cells_are_full() {
        // 64 contacts in each of the 16 cells of a row at zoom 9, none in the next row.
        let row = |x: u64| (x & 1) | (x & 2) << 1 | (x & 4) << 2 | (x & 8) << 3;
        let mut keys: Vec<u64> = (0..1024).map(|i| (row(i / 64) << 28) + i % 64).collect();
        keys.sort_unstable();
        let full = Pyramid::of(&keys);
        assert_eq!(full.zooms.len(), 10);
        assert_eq!(full.zooms[9].prefixes.len(), 16);
        assert_eq!(
            full.zooms[8].starts,
            [0, 128, 256, 384, 512, 640, 768, 896, 1024]
        );
        assert_eq!(full.zooms[0].starts, [0, 1024]);
        assert!(full.heap_bytes() < keys.len());
        // One in each cell: kept from where there are eight together.
        let alone: Vec<u64> = keys.iter().copied().step_by(64).collect();
        assert_eq!(Pyramid::of(&alone).zooms.len(), 7);
        assert!(
            Pyramid::of(&[])
                .cells_of_tile(&[], TileCoord::new(0, 0, 0).expect("the world"))
                .is_empty()
        );
    }
}
