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
use super::morton::{KEY_END, range_of_cell};
use crate::geometry::WORLD_BITS;
use crate::tile::TileCoord;

/// The finest zoom kept: beyond, the tiles of a hundred million contacts hold few.
const ZOOM_FINEST: u32 = 12;

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
    /// The low 32 bits of what the keys of each begin with.
    prefixes: Vec<u32>,
    /// Where the cells start whose prefixes have these bits above the low 32, by those bits, and
    /// where the last ones end.
    blocks: Vec<u32>,
    /// Where each one's contacts start, and where the last one's end.
    starts: Vec<u32>,
}

impl Pyramid {
    /// Of ascending keys, below 2³² entries.
    #[must_use]
    pub fn of(keys: &[u64]) -> Self {
        let Some(finest) = finest_worth(keys) else {
            return Self::default();
        };
        let mut zooms = vec![Cells::of(keys, finest)];
        for zoom in (0..finest).rev() {
            zooms.extend(zooms.last().map(|finer| finer.coarser(zoom)));
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
        let bytes =
            |cells: &Cells| (cells.prefixes.len() + cells.blocks.len() + cells.starts.len()) * 4;
        self.zooms.iter().map(bytes).sum()
    }
}

/// The finest zoom, if any, whose cells hold enough contacts each.
fn finest_worth(keys: &[u64]) -> Option<u32> {
    // By zoom, the cells that begin where no coarser one does; those of finer zooms at the end.
    const BEYOND: usize = ZOOM_FINEST as usize + 1;
    let mut more = [0_usize; BEYOND + 1];
    more[0] = usize::from(!keys.is_empty());
    for [a, b] in keys.array_windows() {
        let shared = (a ^ b).leading_zeros() - (KEY_END - 1).leading_zeros();
        let zoom = (shared / 2 + 1).saturating_sub(CELL_BITS);
        more[BEYOND.min(zoom as usize)] += 1;
    }
    let mut cells = 0;
    let kept = more[..BEYOND].iter().take_while(|count| {
        cells += **count;
        cells <= keys.len() / CONTACTS_A_CELL
    });
    let kept = u32::try_from(kept.count()).ok()?;
    kept.checked_sub(1)
}

/// Bits of a key below the prefix of its cell.
fn shift_of(zoom: u32) -> u32 {
    2 * (WORLD_BITS - CELL_BITS - zoom)
}

impl Cells {
    fn of(keys: &[u64], zoom: u32) -> Self {
        let shift = shift_of(zoom);
        let mut start = 0;
        let cells = keys.chunk_by(|a, b| a >> shift == b >> shift).map(|cell| {
            let first = position(start);
            start += cell.len();
            (cell[0] >> shift, first)
        });
        Self::collect(zoom, cells, position(keys.len()))
    }

    /// Of ascending prefixes, each with where its contacts start; `end` is where the last's end.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits of a prefix")]
    fn collect(zoom: u32, cells: impl Iterator<Item = (u64, u32)>, end: u32) -> Self {
        let blocks = (KEY_END >> shift_of(zoom)).div_ceil(1 << 32);
        let mut found = Self::default();
        for (prefix, start) in cells {
            let block = (prefix >> 32) as usize;
            let begun = found.prefixes.len();
            found.blocks.resize(block + 1, position(begun));
            found.prefixes.push(prefix as u32);
            found.starts.push(start);
        }
        let count = position(found.prefixes.len());
        found.blocks.resize(blocks as usize + 1, count);
        found.starts.push(end);
        found
    }

    /// Of `zoom`, the one before.
    fn coarser(&self, zoom: u32) -> Self {
        let mut last = None;
        let parents = self.each().map(|(prefix, start)| (prefix >> 2, start));
        let first_of_four = parents.filter(|(prefix, _)| last.replace(*prefix) != Some(*prefix));
        let end = self.starts.last().copied().unwrap_or(0);
        Self::collect(zoom, first_of_four, end)
    }

    /// The whole prefix of each cell, and where its contacts start.
    fn each(&self) -> impl Iterator<Item = (u64, u32)> {
        (0..)
            .zip(self.blocks.array_windows())
            .flat_map(|(high, [first, end])| {
                let cells = *first as usize..*end as usize;
                let prefixes = self.prefixes[cells.clone()].iter();
                let prefixes = prefixes.map(move |low| high << 32 | u64::from(*low));
                prefixes.zip(self.starts[cells].iter().copied())
            })
    }

    fn of_tile(&self, tile: TileCoord) -> Vec<Cell> {
        let zoom = u32::from(tile.z());
        let keys = range_of_cell(zoom, tile.x(), tile.y());
        // A tile's cells are in one block: it has 2^14 of them at most.
        let first = keys.start >> shift_of(zoom);
        let last = (keys.end >> shift_of(zoom)) - 1;
        let block = (first >> 32) as usize;
        let block = self.blocks[block] as usize..self.blocks[block + 1] as usize;
        let prefixes = &self.prefixes[block.clone()];
        #[expect(clippy::cast_possible_truncation, reason = "the low bits of a prefix")]
        let (low_first, low_last) = (first as u32, last as u32);
        let start = prefixes.partition_point(|prefix| *prefix < low_first);
        let count = prefixes[start..].partition_point(|prefix| *prefix <= low_last);
        let start = block.start + start;
        let starts = &self.starts[start..=start + count];
        let prefixes = self.prefixes[start..start + count].iter();
        prefixes
            .zip(starts.array_windows())
            .map(|(prefix, [start, end])| Cell::new(u64::from(*prefix), *start, *end))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zooms_are_kept_while_cells_are_full() {
        // 64 contacts in each of the 16 cells of a row at zoom 9, none in the next row, and so
        // close that they share a cell at the finest zoom.
        let row = |x: u64| (x & 1) | (x & 2) << 1 | (x & 4) << 2 | (x & 8) << 3;
        let mut keys: Vec<u64> = (0..1024).map(|i| (row(i / 64) << 28) + i % 64).collect();
        keys.sort_unstable();
        let full = Pyramid::of(&keys);
        assert_eq!(full.zooms.len(), 13);
        assert_eq!(full.zooms[9].prefixes.len(), 16);
        assert_eq!(full.zooms[12].prefixes.len(), 16);
        assert_eq!(
            full.zooms[8].starts,
            [0, 128, 256, 384, 512, 640, 768, 896, 1024]
        );
        assert_eq!(full.zooms[0].starts, [0, 1024]);
        assert!(full.heap_bytes() < 2 * keys.len());
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
