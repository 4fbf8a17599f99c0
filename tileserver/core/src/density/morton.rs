//! Morton keys: a grid point as one number whose prefixes are quadtree cells.
//!
//! Bit `2i` is bit `i` of x, bit `2i + 1` bit `i` of y, so the cells of a zoom are contiguous,
//! half-open ranges of keys and the keys of a tile sort in quadtree order.

use crate::geometry::{GridPoint, WORLD_BITS, WORLD_CELLS};

/// Keys lie in `0..KEY_END`.
pub const KEY_END: u64 = 1 << (2 * WORLD_BITS);

/// The key of a point; the world's far edges belong to its last cells.
#[must_use]
pub fn key_of(p: GridPoint) -> u64 {
    let last = WORLD_CELLS - 1;
    let x = p.x.clamp(0, last).cast_unsigned();
    let y = p.y.clamp(0, last).cast_unsigned();
    spread(x) | spread(y) << 1
}

/// The point of a key.
#[must_use]
pub fn point_of(key: u64) -> GridPoint {
    let [x, y] = place_of(key).map(u32::cast_signed);
    GridPoint { x, y }
}

/// The keys in cell (x, y) of a `2^zoom × 2^zoom` grid over the world, as a half-open range.
///
/// `zoom <= WORLD_BITS` and `x, y < 2^zoom`.
#[must_use]
pub fn range_of_cell(zoom: u32, x: u32, y: u32) -> std::ops::Range<u64> {
    let shift = 2 * (WORLD_BITS - zoom);
    let prefix = spread(x) | spread(y) << 1;
    prefix << shift..(prefix + 1) << shift
}

/// Column and row of the cell whose keys begin with `prefix`.
#[must_use]
pub(crate) fn place_of(prefix: u64) -> [u32; 2] {
    [compact(prefix), compact(prefix >> 1)]
}

/// Puts a zero bit above each bit.
fn spread(v: u32) -> u64 {
    let mut v = u64::from(v);
    v = (v | v << 16) & 0x0000_ffff_0000_ffff;
    v = (v | v << 8) & 0x00ff_00ff_00ff_00ff;
    v = (v | v << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    v = (v | v << 2) & 0x3333_3333_3333_3333;
    (v | v << 1) & 0x5555_5555_5555_5555
}

/// Takes every other bit, from the lowest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the last mask leaves 32 bits"
)]
fn compact(v: u64) -> u32 {
    let mut v = v & 0x5555_5555_5555_5555;
    v = (v | v >> 1) & 0x3333_3333_3333_3333;
    v = (v | v >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    v = (v | v >> 4) & 0x00ff_00ff_00ff_00ff;
    v = (v | v >> 8) & 0x0000_ffff_0000_ffff;
    (v | v >> 16) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_gives_its_point_back(x in 0..WORLD_CELLS, y in 0..WORLD_CELLS) {
            prop_assert_eq!(point_of(key_of(GridPoint { x, y })), GridPoint { x, y });
        }

        #[test]
        fn a_point_lies_in_its_cell_alone(x in 0..WORLD_CELLS, y in 0..WORLD_CELLS, zoom in 0_u32..=30) {
            let key = key_of(GridPoint { x, y });
            let (cx, cy) = (x.cast_unsigned() >> (30 - zoom), y.cast_unsigned() >> (30 - zoom));
            prop_assert!(range_of_cell(zoom, cx, cy).contains(&key));
            if cx > 0 {
                prop_assert!(!range_of_cell(zoom, cx - 1, cy).contains(&key));
            }
        }
    }

    #[test]
    fn the_far_edge_belongs_to_the_last_cell() {
        let corner = GridPoint {
            x: WORLD_CELLS,
            y: WORLD_CELLS,
        };
        assert_eq!(key_of(corner), KEY_END - 1);
    }
}
