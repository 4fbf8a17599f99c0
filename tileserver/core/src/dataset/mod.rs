//! The dataset: the one format that `precompute` writes and `tileserver` reads.
//!
//! ```text
//! <dataset>/CURRENT                              the version id now served, one line
//! <dataset>/versions/<id>/manifest.json          schema::Manifest
//!                         report.json            the join report
//!                         <layer>/<level>.fgb    FlatGeobuf, EPSG:3857, XYM, Hilbert order
//!                         <layer>/<level>.arrow  the same rows as columns (Arrow IPC file)
//!                         contacts/<set>.arrow   places and dimensions of contacts
//!                         releases/<set>.arrow   noisy counts for the public
//! ```
//!
//! Only this module knows the layout of the files; it works on bytes, the shells do the I/O.

pub mod columns;
pub mod contacts;
mod fgb;
mod index;
pub mod open;
pub mod release;
pub mod schema;
mod table;
mod text_ranks;
pub mod transfers;
pub mod write;
mod write_arrow;
mod write_fgb;

#[cfg(test)]
mod tests;

pub use fgb::FgbError;
pub(crate) use fgb::grid_point;
pub use open::{GeometryError, Level, OpenError};
pub use table::TableError;
