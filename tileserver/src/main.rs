//! `tileserver`.
fn main() {}
