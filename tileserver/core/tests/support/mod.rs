//! What the tests of the tile pipeline share.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its part of a module"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

pub mod mvt;
pub mod towns;
