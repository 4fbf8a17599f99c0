//! SQL over tables and polygon properties, on embedded SQLite, reading only.
//!
//! ```text
//! project's SQL ─▸ Mentions ─▸ which columns to load
//! relations ─┬───▸ Engine ──▸ query (real division, text kept out of sums) ─▸ Rows
//!            └───▸ Sums ────▸ of columns that are summed and nothing else
//! ```
//! Numbers are stored as SQLite stores numerics: a whole number prints without a decimal point, so
//! that `cast(19 as varchar)` is `19` and keys are what they look like. Division is real all the
//! same (`1 / 2` is 0.5) and `x / 0` is missing.

mod aggregate;
mod arithmetic;
mod decompose;
mod distinct;
mod engine;
mod explain;
mod fragment;
mod functions;
mod maths;
mod mentions;
mod sandbox;
mod scan;
mod sums;
mod token;
mod values;
mod votes;

pub use decompose::{AdditiveAggregate, Decomposed, decompose};
pub use engine::{Engine, Rows};
pub use fragment::check_fragment;
pub(crate) use functions::unaccent;
pub use mentions::Mentions;
pub use sums::{RowsByUnit, Sums, only_name, only_sum};
