//! End-to-end tests: the real binaries, real files, real HTTP.

mod contacts;
mod durability;
mod http;
mod models;
mod precompute;
mod privacy;
