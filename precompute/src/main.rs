//! `precompute`.
fn main() {}
