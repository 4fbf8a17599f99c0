//! SQL over tables and polygon properties, on embedded SQLite, reading only.

mod fragment;
mod token;

pub use fragment::check_fragment;
