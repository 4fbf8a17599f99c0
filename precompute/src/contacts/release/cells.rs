//! The cells of a release: quadkeys that hold enough public addresses, whoever lives there.
//!
//! Each quadkey of the deepest zoom with [`COUNT_MIN`] addresses is a cell. Addresses of others
//! are handed to the quadkey above, which is a cell where what it was handed is enough, and so on
//! upwards; a cell above others stands for what is in none of them.

use rustc_hash::FxHashMap;
use tilecore::dataset::release::{CELL_ZOOM_MAX, COUNT_MIN, ReleaseCell, centre_key};
use tilecore::density::morton::point_of;
use tilecore::geometry::{GridPoint, WORLD_BITS};
use tilecore::mercator::bounds_in_degrees;

/// See the module.
#[derive(Debug, Clone)]
pub struct Cells {
    /// In the order of their centres' keys.
    cells: Vec<ReleaseCell>,
    numbers: FxHashMap<ReleaseCell, usize>,
}

impl Cells {
    /// From the Morton keys of addresses.
    #[must_use]
    pub fn of_addresses(keys: impl IntoIterator<Item = u64>) -> Self {
        let mut handed: FxHashMap<u64, u32> = FxHashMap::default();
        for key in keys {
            *handed.entry(key >> shift(CELL_ZOOM_MAX)).or_default() += 1;
        }
        let mut cells = Vec::new();
        for zoom in (0..=CELL_ZOOM_MAX).rev() {
            let mut above: FxHashMap<u64, u32> = FxHashMap::default();
            for (prefix, count) in handed {
                if count >= COUNT_MIN {
                    let key = prefix << shift(zoom);
                    cells.push(ReleaseCell { key, zoom });
                } else {
                    *above.entry(prefix >> 2).or_default() += count;
                }
            }
            handed = above;
        }
        cells.sort_unstable_by_key(|cell| centre_key(*cell));
        let numbers = cells.iter().enumerate().map(|(i, cell)| (*cell, i));
        Self {
            numbers: numbers.collect(),
            cells,
        }
    }

    #[must_use]
    pub fn cells(&self) -> &[ReleaseCell] {
        &self.cells
    }

    #[must_use]
    pub fn into_cells(self) -> Vec<ReleaseCell> {
        self.cells
    }

    /// The number of the deepest cell that holds a place.
    #[must_use]
    pub fn of_key(&self, key: u64) -> Option<usize> {
        (0..=CELL_ZOOM_MAX).rev().find_map(|zoom| {
            let key = key >> shift(zoom) << shift(zoom);
            self.numbers.get(&ReleaseCell { key, zoom }).copied()
        })
    }

    /// West, south, east, north of all cells in degrees.
    #[must_use]
    pub fn bounds(&self) -> [f64; 4] {
        let corners = self.cells.iter().map(|cell| {
            let edge = 1 << (WORLD_BITS - u32::from(cell.zoom));
            let GridPoint { x, y } = point_of(cell.key);
            [x, y, x + edge, y + edge]
        });
        bounds_in_degrees(corners).unwrap_or_default()
    }
}

fn shift(zoom: u8) -> u32 {
    2 * (WORLD_BITS - u32::from(zoom))
}

#[cfg(test)]
mod tests {
    use tilecore::density::morton::range_of_cell;

    use super::*;

    #[test]
    fn every_cell_has_addresses_enough_of_its_own() {
        // 20 in one quadkey, 6 and 7 beside it, 3 far away.
        let key = |x, i| range_of_cell(17, x, 40_000).start + i;
        let mut keys: Vec<u64> = (0..20).map(|i| key(60_000, i)).collect();
        keys.extend((0..6).map(|i| key(60_001, i)));
        keys.extend((0..7).map(|i| range_of_cell(17, 60_000, 40_001).start + i));
        keys.extend((0..3).map(|i| key(10, i)));
        let cells = Cells::of_addresses(keys.iter().copied());
        let mut held = vec![0; cells.cells().len()];
        let mut outside = 0;
        for key in keys {
            match cells.of_key(key) {
                Some(cell) => held[cell] += 1,
                None => outside += 1,
            }
        }
        let mut zooms: Vec<u8> = cells.cells().iter().map(|cell| cell.zoom).collect();
        zooms.sort_unstable();
        assert_eq!(zooms, [16, 17]);
        held.sort_unstable();
        assert_eq!(held, [13, 20]);
        assert_eq!(outside, 3, "too few anywhere are in no cell");
    }
}
