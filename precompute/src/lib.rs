//! Joins polygons with indicators and contacts into a dataset for the tile server.
//!
//! ```text
//! project ─▸ polygons ─▸ keys ─┐
//!        └─▸ tables ─▸ SQL ────┴▸ join ─▸ topology ─▸ levels ─▸ publish
//! ```

pub mod addresses;
pub mod amend;
pub mod cli;
pub mod contacts;
pub mod crs;
pub mod export;
mod guarded;
pub mod hotspots;
pub mod indicators;
pub mod input_error;
pub mod inspect;
pub mod interpolation;
pub mod join;
pub mod levels;
pub mod locate;
pub mod open;
pub mod pipeline;
pub mod polygons;
pub mod progress;
pub mod project;
pub mod publish;
#[cfg(test)]
mod real_data;
pub mod report;
pub mod sql;
pub mod tables;
pub mod topology;
pub mod transfers;
pub mod turfs;
pub mod units;
pub mod value;
