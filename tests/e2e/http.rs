//! The server as a client sees it.

mod analysis;
mod damaged;
mod filters;
mod hostile;
mod lifecycle;
mod maps;
mod names;
mod ogc;
mod priority;
mod reload;
mod resources;
mod tiles;
