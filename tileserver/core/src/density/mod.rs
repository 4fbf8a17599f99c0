//! Contact density: exact counts per cell under any filter, at a cost that does not grow with the
//! number of contacts.
//!
//! ```text
//! contacts sorted by Morton key ─▸ cells of a tile (ranges)  ─┐
//! dimensions as bit planes ─▸ filter ─▸ bitmap ─▸ rank counts ┴▸ count = rank(end) − rank(start)
//! ```

pub mod areas;
pub mod cells;
pub mod dimension;
pub mod hex;
pub mod kernel;
pub mod morton;
pub mod ranges;
pub mod rank;
pub mod spread;
pub mod tile;
