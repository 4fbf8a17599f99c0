//! The core of Maille: the dataset format, the tile pipeline, filters and density.
//!
//! It takes bytes and returns values. It never opens a file, reads a clock, spawns a thread or
//! knows of HTTP: `precompute` and `tileserver` are the shells that do.
//!
//! ```text
//! mapped bytes → dataset::Level → filter::Filter → Bitmap of rows
//!                      │                              │
//!                      └→ template (per tile) ────────┴→ gather → tile bytes
//! ```

pub mod bitmap;
pub mod dataset;
pub mod density;
pub mod filter;
pub mod geometry;
pub mod mercator;
pub mod tile;

pub use bitmap::Bitmap;
pub use tile::TileCoord;
