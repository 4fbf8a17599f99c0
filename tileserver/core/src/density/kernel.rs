//! Smoothed density: each contact spread over the ground around it by the quartic kernel.
//!
//! ```text
//! cells of the tile and around it ─▸ × weights (1 − d²/h²)², summing to 1 ─▸ contacts per km²
//! ```
//! Distances are on the ground, at each contact's latitude: 200 m are more cells in Oslo than in
//! Paris. Weights of a contact sum to 1, so what all tiles of a zoom tell adds up to the contacts.
//! Where the radius is many cells wide cells are larger, for the surface is smooth there.

use super::cells::{CELL_BITS, cells_in};
use super::rank::RankedBitmap;
use crate::geometry::{GridPoint, WORLD_BITS};
use crate::mercator::{HALF_WORLD_M, degrees_from_grid};
use crate::tile::TileCoord;

/// Cells in a radius, if smaller cells are to be had.
const CELLS_WANTED: f64 = 12.0;

/// Cells in a radius at most: the tiles around that are looked at.
const CELLS_MAX: f64 = 48.0;

/// Smoothed contacts of a tile.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    /// log₂ of the cells along one edge.
    pub bits: u32,
    /// Those that any contact reaches, by row.
    pub cells: Vec<SmoothCell>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothCell {
    /// Column and row in the tile.
    pub x: u16,
    pub y: u16,
    /// Contacts per km² of ground.
    pub density: f64,
}

/// The contacts that pass, smoothed; `None` when the radius reaches over too many tiles.
#[must_use]
pub fn smooth(
    keys: &[u64],
    tile: TileCoord,
    passing: &RankedBitmap,
    radius_m: f64,
) -> Option<Smoothed> {
    let z = u32::from(tile.z());
    let of_tile = |bits: u32| Rows { bits: z + bits };
    // Rows at the tile's edges: one of them is nearest to a pole, where cells are smallest.
    let widest = |bits: u32| {
        let edge = 1_u32 << bits;
        let first = tile.y() * edge;
        let at = |row| of_tile(bits).radius(row, radius_m);
        at(first).max(at(first + edge - 1))
    };
    let bits = (0..=CELL_BITS)
        .rev()
        .find(|bits| widest(*bits) <= CELLS_WANTED);
    let bits = bits.unwrap_or(0);
    let widest = widest(bits);
    if widest > CELLS_MAX {
        return None;
    }
    let rows = of_tile(bits);
    let edge = 1_u32 << bits;
    let (west, north) = (tile.x() * edge, tile.y() * edge);
    // Rows beyond the edges may reach a little further than those at them.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 58"
    )]
    let margin = (widest * 1.2).ceil() as u32;
    let world = 1_u32 << rows.bits;
    let window = [
        west.saturating_sub(margin),
        north.saturating_sub(margin),
        (west + edge + margin).min(world),
        (north + edge + margin).min(world),
    ];
    let mut sums = vec![0.0_f64; (edge * edge) as usize];
    let mut weights = Weights::default();
    cells_in(keys, rows.bits, window, &mut |x, y, start, end| {
        let count = passing.rank(end) - passing.rank(start);
        if count == 0 {
            return;
        }
        weights.fit(rows.radius(y, radius_m));
        for (dx, dy, weight) in &weights.of_cells {
            let (tx, ty) = (
                i64::from(x) + dx - i64::from(west),
                i64::from(y) + dy - i64::from(north),
            );
            let inside = 0..i64::from(edge);
            if inside.contains(&tx)
                && inside.contains(&ty)
                && let Ok(at) = usize::try_from(ty * i64::from(edge) + tx)
            {
                sums[at] += f64::from(count) * weight;
            }
        }
    });
    let mut cells = Vec::new();
    for (y, row) in (0_u16..).zip(sums.chunks(edge as usize)) {
        let ground = rows.cell_m(north + u32::from(y)) / 1000.0;
        let reached = (0_u16..).zip(row).filter(|(_, sum)| **sum > 0.0);
        cells.extend(reached.map(|(x, sum)| SmoothCell {
            x,
            y,
            density: sum / (ground * ground),
        }));
    }
    Some(Smoothed { bits, cells })
}

/// Rows of a grid of `2^bits` cells over the world.
#[derive(Clone, Copy)]
struct Rows {
    bits: u32,
}

impl Rows {
    /// The edge of a row's cells on the ground.
    fn cell_m(self, row: u32) -> f64 {
        let half = 1_u64 << (WORLD_BITS - self.bits) >> 1;
        let y = (u64::from(row) << (WORLD_BITS - self.bits)) + half;
        let y = i32::try_from(y).unwrap_or(i32::MAX);
        let (_, lat) = degrees_from_grid(GridPoint { x: 0, y });
        2.0 * HALF_WORLD_M / f64::from(1_u32 << self.bits) * lat.to_radians().cos()
    }

    /// A distance on the ground in cells of a row.
    fn radius(self, row: u32, radius_m: f64) -> f64 {
        radius_m / self.cell_m(row)
    }
}

/// The shares of a contact that the cells around its own have.
#[derive(Default)]
struct Weights {
    radius: f64,
    of_cells: Vec<(i64, i64, f64)>,
}

impl Weights {
    /// For a radius in cells.
    fn fit(&mut self, radius: f64) {
        if self.radius.total_cmp(&radius).is_eq() {
            return;
        }
        self.radius = radius;
        self.of_cells.clear();
        #[expect(clippy::cast_possible_truncation, reason = "below 100")]
        let reach = radius.ceil() as i32;
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let square = (f64::from(dx).powi(2) + f64::from(dy).powi(2)) / (radius * radius);
                // Its own cell has all of a contact whose radius is smaller than a cell.
                if square < 1.0 || (dx, dy) == (0, 0) {
                    let weight = (1.0 - square.min(1.0)).powi(2);
                    let weight = if (dx, dy) == (0, 0) { 1.0 } else { weight };
                    self.of_cells.push((dx.into(), dy.into(), weight));
                }
            }
        }
        let sum: f64 = self.of_cells.iter().map(|(.., weight)| weight).sum();
        for (.., weight) in &mut self.of_cells {
            *weight /= sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::Bitmap;
    use crate::density::morton::key_of;
    use crate::mercator::grid_from_degrees;

    fn everybody(keys: &[u64]) -> RankedBitmap {
        RankedBitmap::new(Bitmap::full(keys.len()))
    }

    fn tiles_around(p: GridPoint, z: u8) -> Vec<TileCoord> {
        let at = |v: i32| (v.cast_unsigned() >> (30 - u32::from(z))).cast_signed();
        let near = |v: i32| (at(v) - 1..=at(v) + 1).filter_map(|v| u32::try_from(v).ok());
        near(p.x)
            .flat_map(|x| near(p.y).map(move |y| (x, y)))
            .filter_map(|(x, y)| TileCoord::new(z, x, y))
            .collect()
    }

    #[test]
    fn tiles_add_up_to_the_contacts() {
        let p = grid_from_degrees(2.3402, 48.8531);
        let mut keys: Vec<u64> = (0..50)
            .map(|i| {
                let (x, y) = (p.x + i % 7 * 900, p.y + i % 11 * 700);
                key_of(GridPoint { x, y })
            })
            .collect();
        keys.sort_unstable();
        for (z, radius_m) in [
            (8, 1.0),
            (10, 300.0),
            (12, 2_000.0),
            (14, 500.0),
            (15, 20.0),
        ] {
            let mut sum = 0.0;
            for tile in tiles_around(p, z) {
                let smoothed = smooth(&keys, tile, &everybody(&keys), radius_m).expect("near");
                let rows = Rows {
                    bits: u32::from(z) + smoothed.bits,
                };
                for cell in &smoothed.cells {
                    let row = (tile.y() << smoothed.bits) + u32::from(cell.y);
                    sum += cell.density * (rows.cell_m(row) / 1000.0).powi(2);
                }
            }
            // Ground is measured at the latitude of each row.
            assert!((sum - 50.0).abs() < 0.01, "{z} {radius_m}: {sum}");
        }
    }

    #[test]
    fn a_contact_is_a_quartic_hill_on_the_ground() {
        let p = grid_from_degrees(2.3402, 48.8531);
        let keys = [key_of(p)];
        let (z, radius_m) = (13, 400.0);
        let at = |v: i32| v.cast_unsigned() >> (30 - u32::from(z));
        let tile = TileCoord::new(z, at(p.x), at(p.y)).expect("inside");
        let smoothed = smooth(&keys, tile, &everybody(&keys), radius_m).expect("near");
        let top = smoothed
            .cells
            .iter()
            .map(|cell| cell.density)
            .fold(0.0, f64::max);
        // 3 / (π h²) per square metre.
        let expected = 3.0 / (std::f64::consts::PI * 0.4 * 0.4);
        assert!((top / expected - 1.0).abs() < 0.02, "{top} {expected}");
    }

    #[test]
    fn a_radius_of_too_many_tiles_is_refused() {
        let keys = [key_of(grid_from_degrees(2.3402, 48.8531))];
        let tile = TileCoord::new(18, 132_776, 90_183).expect("inside");
        assert!(smooth(&keys, tile, &everybody(&keys), 100_000.0).is_none());
        assert!(smooth(&keys, tile, &everybody(&keys), 1_000.0).is_some());
    }
}
