//! Tile addresses.

use crate::geometry::{WORLD_BITS, WORLD_CELLS};

/// Cells along one edge of a tile.
pub const EXTENT: i32 = 4096;

/// Cells kept beyond each edge of a tile.
pub const BUFFER: i32 = 64;

const EXTENT_BITS: u32 = EXTENT.trailing_zeros();
const _: () = assert!(EXTENT.count_ones() == 1);

/// The deepest zoom whose tile grid is not finer than the world grid.
#[expect(clippy::cast_possible_truncation, reason = "18 fits")]
pub const ZOOM_MAX: u8 = (WORLD_BITS - EXTENT_BITS) as u8;

/// A z/x/y tile address, y southwards. Invariant: `z <= ZOOM_MAX` and `x, y < 2^z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileCoord {
    z: u8,
    x: u32,
    y: u32,
}

impl TileCoord {
    /// `None` outside the tile matrix.
    ///
    /// ```
    /// use tilecore::tile::{TileCoord, ZOOM_MAX};
    /// assert!(TileCoord::new(0, 0, 0).is_some());
    /// assert!(TileCoord::new(1, 2, 0).is_none());
    /// assert!(TileCoord::new(ZOOM_MAX + 1, 0, 0).is_none());
    /// ```
    #[must_use]
    pub fn new(z: u8, x: u32, y: u32) -> Option<Self> {
        let inside = z <= ZOOM_MAX && x < 1 << z && y < 1 << z;
        inside.then_some(Self { z, x, y })
    }

    #[must_use]
    pub fn z(self) -> u8 {
        self.z
    }

    #[must_use]
    pub fn x(self) -> u32 {
        self.x
    }

    #[must_use]
    pub fn y(self) -> u32 {
        self.y
    }

    /// Bits by which the world grid is finer than this zoom's tile grid.
    #[must_use]
    pub fn shift(self) -> u32 {
        WORLD_BITS - EXTENT_BITS - u32::from(self.z)
    }

    /// The north-west corner on the world grid.
    #[must_use]
    pub fn origin(self) -> (i32, i32) {
        let edge = WORLD_CELLS >> self.z;
        // x, y < 2^z, so the product is below 2^30.
        (self.x.cast_signed() * edge, self.y.cast_signed() * edge)
    }

    /// The tile with its buffer on the world grid, as `[x_min, y_min, x_max, y_max]`, inclusive.
    #[must_use]
    pub fn buffered_bounds(self) -> [i32; 4] {
        let (x, y) = self.origin();
        let edge = WORLD_CELLS >> self.z;
        let buffer = BUFFER << self.shift();
        [
            x - buffer,
            y - buffer,
            x.saturating_add(edge + buffer),
            y.saturating_add(edge + buffer),
        ]
    }
}
