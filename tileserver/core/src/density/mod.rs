//! Contact density: exact counts per cell under any filter, at a cost that does not grow with the
//! number of contacts.
//!
//! ```text
//! contacts sorted by Morton key ─▸ pyramid ─▸ cells of a tile ─┐
//! dimensions as bit planes ─▸ filter ─▸ bitmap ─▸ rank counts ┴▸ count = rank(end) − rank(start)
//! ```

pub mod areas;
pub mod cells;
pub mod dimension;
mod encode;
pub mod hex;
pub mod kernel;
pub mod morton;
pub mod pyramid;
pub mod ranges;
pub mod rank;
pub mod spread;
pub mod tile;
