//! End-to-end tests: the real binaries, real files, real HTTP.

mod composed;
mod contacts;
mod drawings;
mod durability;
mod http;
mod joined;
mod models;
mod precompute;
mod privacy;
mod profile;
mod territory;
mod tokens;
