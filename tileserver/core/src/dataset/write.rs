//! Writes a level's two files: geometry as FlatGeobuf, columns as Arrow IPC.

use super::columns::Column;
use crate::geometry::MultiPolygon;

/// The rows of a level in any order; every vector has one entry a row.
#[derive(Debug, Default)]
pub struct LevelRows {
    /// Unique.
    pub keys: Vec<String>,
    pub names: Vec<String>,
    /// Unique in the layer, below 2⁵³.
    pub ids: Vec<u64>,
    /// The key one level up.
    pub parents: Vec<Option<String>>,
    pub geometries: Vec<MultiPolygon>,
    /// In the order of the files' columns.
    pub columns: Vec<(String, Column)>,
}
