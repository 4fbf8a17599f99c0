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

#![expect(
    clippy::inline_always,
    reason = "what is compiled twice: see `processor`"
)]

pub mod bitmap;
mod bits;
pub mod classes;
pub mod clip;
mod codes;
pub mod dataset;
mod deflate;
pub mod density;
mod encode;
pub mod filter;
pub mod gather;
pub mod geometry;
pub mod hinted;
mod huffman;
pub mod mercator;
pub mod nfc;
pub mod overlap;
mod overview;
mod pieces;
mod processor;
pub mod profile;
pub mod quantize;
pub mod radix;
pub mod rates;
pub mod recompute;
pub mod repair;
pub mod score;
pub mod stats;
pub mod template;
pub mod tile;
mod units;
pub mod validity;
mod values;

pub use bitmap::Bitmap;
pub use tile::TileCoord;
