//! The server as a client sees it.

mod filters;
mod hostile;
mod lifecycle;
mod reload;
mod resources;
mod tiles;
