//! Hexagons anchored to the world: each place lies in one, whatever the tile.
//!
//! ```text
//!    ╱╲  ╱╲  ╱╲      rows 57 units apart, every other one shifted by half a width of 66;
//!   │  ││  ││  │     sides of 38: regular to 0.3 %, and whole numbers throughout
//!    ╲╱╲ ╱╲ ╱╲╱
//!     │  ││  │       a unit is 1/4096 of a tile's edge at the zoom
//! ```
//! Contacts are counted by small cells, an eighth of a hexagon's width, and each cell belongs to
//! the hexagon that holds its middle; so a tile costs the same over any number of contacts, and
//! what the tiles of a zoom count adds up. A hexagon is of the tile that holds its centre, and is
//! told beside it in those it reaches into.

use rustc_hash::FxHashMap;

use super::cells::{SMALL_BITS, cells_in};
use super::rank::RankedBitmap;
use crate::tile::{EXTENT, TileCoord};

/// Half of a hexagon's width, west to east.
const HALF_WIDTH: i64 = 33;

/// Half of its height: the length of a side, too.
const HALF_HEIGHT: i64 = 38;

/// Between the centres of two rows.
const ROW: i64 = 57;

/// Half of the side that runs north to south.
const SHOULDER: i64 = 19;

/// Units along one edge of a tile.
const TILE: i64 = EXTENT as i64;

/// Units along one edge of a small cell.
const SMALL: i64 = TILE >> SMALL_BITS;

/// Small cells around a tile that its hexagons may reach to: their centres lie up to half a height
/// outside, and they as much beyond.
const MARGIN: i64 = 2 * HALF_HEIGHT / SMALL + 1;

/// A hexagon and the contacts in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HexCount {
    /// Centre in the tile's units, from its north-west corner; may lie outside.
    pub x: i32,
    pub y: i32,
    /// Contacts in it that pass; at least 1.
    pub count: u32,
    /// Contacts in it.
    pub of: u32,
}

/// The hexagons of a tile in which any contact passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hexes {
    /// Those whose centre lies in the tile: each hexagon is one of these in one tile of a zoom.
    pub own: Vec<HexCount>,
    /// Of neighbours, those that reach into it.
    pub beside: Vec<HexCount>,
}

/// A column and row of the lattice.
type Place = (i64, i64);

/// Counts the contacts of `keys`, which ascend, by the hexagons that touch a tile.
#[must_use]
pub fn hexes_of_tile(
    keys: &[u64],
    tile: TileCoord,
    passing: &RankedBitmap,
    all: &RankedBitmap,
) -> Hexes {
    let edge = TILE / SMALL;
    let (west, north) = (i64::from(tile.x()) * edge, i64::from(tile.y()) * edge);
    let world = edge << tile.z();
    let clamp = |v: i64| u32::try_from(v.clamp(0, world)).unwrap_or(u32::MAX);
    let window = [
        clamp(west - MARGIN),
        clamp(north - MARGIN),
        clamp(west + edge + MARGIN),
        clamp(north + edge + MARGIN),
    ];
    let mut counts: FxHashMap<Place, [u32; 2]> = FxHashMap::default();
    let bits = u32::from(tile.z()) + SMALL_BITS;
    cells_in(keys, bits, window, &mut |x, y, start, end| {
        let count = passing.rank(end) - passing.rank(start);
        let middle = |v: u32| i64::from(v) * SMALL + SMALL / 2;
        let sums = counts.entry(place_of(middle(x), middle(y))).or_default();
        sums[0] += count;
        sums[1] += all.rank(end) - all.rank(start);
    });
    let mut places: Vec<(Place, [u32; 2])> = counts
        .into_iter()
        .filter(|(_, [count, _])| *count > 0)
        .collect();
    places.sort_unstable();
    let mut hexes = Hexes::default();
    for (place, [count, of]) in places {
        let (x, y) = centre(place);
        let of_tile = |v: i64, corner: u32| v - i64::from(corner) * TILE;
        let (dx, dy) = (of_tile(x, tile.x()), of_tile(y, tile.y()));
        let (Ok(x_in), Ok(y_in)) = (i32::try_from(dx), i32::try_from(dy)) else {
            continue;
        };
        let hex = HexCount {
            x: x_in,
            y: y_in,
            count,
            of,
        };
        // One whose centre lies beyond the world is of its last tile.
        let last = (TILE << tile.z()) - 1;
        let owner = |v: i64| v.clamp(0, last) / TILE;
        if (owner(x), owner(y)) == (i64::from(tile.x()), i64::from(tile.y())) {
            hexes.own.push(hex);
        } else if (-HALF_WIDTH + 1..TILE + HALF_WIDTH).contains(&dx)
            && (-HALF_HEIGHT + 1..TILE + HALF_HEIGHT).contains(&dy)
        {
            hexes.beside.push(hex);
        }
    }
    hexes
}

/// The corners around a centre, clockwise as seen.
pub(super) const OUTLINE: [(i32, i32); 6] = [
    (0, -38),
    (33, -19),
    (33, 19),
    (0, 38),
    (-33, 19),
    (-33, -19),
];

const _: () = assert!(
    OUTLINE[3].1 as i64 == HALF_HEIGHT
        && OUTLINE[1].0 as i64 == HALF_WIDTH
        && OUTLINE[2].1 as i64 == SHOULDER
);

/// The hexagon that holds a place, in units from the world's corner; one on a side between two is
/// in the one east or south of it.
fn place_of(x: i64, y: i64) -> Place {
    let row = y.div_euclid(ROW);
    let below = y.rem_euclid(ROW);
    let column = column_of(x, row);
    let (cx, _) = centre((column, row));
    let aside = (x - cx).abs();
    // Down to its shoulders a hexagon has its whole width, below them it narrows to a corner.
    if (below - SHOULDER) * HALF_WIDTH < SHOULDER * (HALF_WIDTH - aside) {
        return (column, row);
    }
    (column_of(x, row + 1), row + 1)
}

fn column_of(x: i64, row: i64) -> i64 {
    (x - shift(row) + HALF_WIDTH).div_euclid(2 * HALF_WIDTH)
}

fn centre((column, row): Place) -> (i64, i64) {
    (column * 2 * HALF_WIDTH + shift(row), row * ROW)
}

fn shift(row: i64) -> i64 {
    row.rem_euclid(2) * HALF_WIDTH
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::bitmap::Bitmap;
    use crate::density::morton::{key_of, point_of};
    use crate::geometry::GridPoint;

    /// Whether the closed hexagon holds a place, from its corners alone.
    fn holds(hex: &HexCount, x: i64, y: i64) -> bool {
        let corner = |(dx, dy)| (i64::from(hex.x + dx), i64::from(hex.y + dy));
        let corners = OUTLINE.map(corner);
        let next = corners.iter().cycle().skip(1);
        corners
            .iter()
            .zip(next)
            .all(|(a, b)| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0) >= 0)
    }

    proptest! {
        #[test]
        fn a_place_lies_in_the_hexagon_it_is_given(x in 0_i64..5_000, y in 0_i64..5_000) {
            let (cx, cy) = centre(place_of(x, y));
            let at = |v: i64| i32::try_from(v).expect("small");
            let hex = HexCount { x: at(cx), y: at(cy), count: 1, of: 1 };
            prop_assert!(holds(&hex, x, y));
        }

        /// Over the tiles of a zoom every contact counts once, and hexagons beside a tile tell what
        /// they tell in their own.
        #[test]
        fn tiles_add_up(
            points in prop::collection::vec(
                (500_000_000..501_500_000, 300_000_000..301_500_000, any::<bool>()), 1..300),
            z in 0_u8..=13,
        ) {
            let mut places: Vec<(u64, bool)> = points
                .iter()
                .map(|&(x, y, passes)| (key_of(GridPoint { x, y }), passes))
                .collect();
            places.sort_unstable();
            let keys: Vec<u64> = places.iter().map(|(key, _)| *key).collect();
            let mut passing = Bitmap::empty(keys.len());
            for (contact, _) in places.iter().enumerate().filter(|(_, (_, passes))| *passes) {
                passing.insert(contact);
            }
            let passing = RankedBitmap::new(passing);
            let all = RankedBitmap::new(Bitmap::full(keys.len()));
            // In units of the zoom, from the world's corner.
            let unit = |v: i32| i64::from(v) >> (18 - u32::from(z));
            let mut expected: BTreeMap<(i64, i64), [u32; 2]> = BTreeMap::new();
            for (key, passes) in &places {
                let p = point_of(*key);
                let small = |v: i32| unit(v).div_euclid(SMALL) * SMALL + SMALL / 2;
                let sums = expected.entry(centre(place_of(small(p.x), small(p.y)))).or_default();
                sums[0] += u32::from(*passes);
                sums[1] += 1;
            }
            expected.retain(|_, [count, _]| *count > 0);
            let tile_of = |v: i64| u32::try_from(v.div_euclid(TILE)).expect("in the world");
            let [low, high] = [-100, 100];
            let reach = |least: i32, most: i32| {
                tile_of((unit(least) + low).max(0))..=tile_of((unit(most) + high).min((TILE << z) - 1))
            };
            let (mut own, mut beside) = (BTreeMap::new(), Vec::new());
            for x in reach(500_000_000, 501_500_000) {
                for y in reach(300_000_000, 301_500_000) {
                    let tile = TileCoord::new(z, x, y).expect("in the world");
                    let hexes = hexes_of_tile(&keys, tile, &passing, &all);
                    let in_world = |hex: &HexCount| {
                        let at = |v: i32, tile: u32| i64::from(v) + i64::from(tile) * TILE;
                        ((at(hex.x, x), at(hex.y, y)), [hex.count, hex.of])
                    };
                    for hex in &hexes.own {
                        let (place, counts) = in_world(hex);
                        prop_assert_eq!(own.insert(place, counts), None);
                    }
                    beside.extend(hexes.beside.iter().map(in_world));
                }
            }
            prop_assert_eq!(&own, &expected);
            for (place, counts) in beside {
                prop_assert_eq!(own.get(&place), Some(&counts));
            }
        }
    }
}
