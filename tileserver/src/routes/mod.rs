//! Handlers, one file a resource. Each reads like its sentence; the work is elsewhere.

pub mod catalog;
pub mod density;
pub mod density_style;
pub mod health;
pub mod item;
pub mod items;
pub mod map;
pub mod metrics;
pub mod names;
pub mod ogc;
pub mod profile;
pub mod queryables;
pub mod search;
pub mod stats;
pub mod styles;
pub mod tilejson;
pub mod tiles;
pub mod transfers;
pub mod ui;
pub mod zone;
