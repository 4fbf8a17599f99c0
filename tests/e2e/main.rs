//! End-to-end tests: the real binaries, real files, real HTTP.

mod durability;
mod http;
mod precompute;
