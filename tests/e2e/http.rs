//! The server as a client sees it.

mod analysis;
mod damaged;
mod filters;
mod hostile;
mod lifecycle;
mod priority;
mod reload;
mod resources;
mod tiles;
