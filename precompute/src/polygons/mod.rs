//! Polygon files in, valid multipolygons in EPSG:3857 metres out.

use std::path::PathBuf;
use std::sync::Arc;

use geo_types::MultiPolygon;

use crate::input_error::InputError;
use crate::value::Value;

/// `polygons = { … }` of a level, paths already expanded and absolute.
#[derive(Debug, Clone, Default)]
pub struct PolygonSource {
    /// A path or glob, or `archive.zip/member-glob`.
    pub path: PathBuf,
    pub format: Option<Format>,
    /// EPSG code, proj string or WKT; overrides what the file says.
    pub crs: Option<String>,
    /// The geometry column of a Parquet (WKB) or CSV (WKT) file.
    pub geometry: Option<String>,
    /// The layer of a file that has several (`GeoPackage`).
    pub layer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    GeoJson,
    GeoJsonSeq,
    FlatGeobuf,
    Shapefile,
    GeoPackage,
    GeoParquet,
    Csv,
}

/// Every feature of a source, in the order of the sorted file names.
#[derive(Debug, Default)]
pub struct Polygons {
    /// Names of the properties; those of all files together.
    pub columns: Vec<String>,
    pub features: Vec<Feature>,
    pub repaired: Vec<Note>,
    /// Features without a usable polygon. They are in no map, but in the report.
    pub skipped: Vec<Note>,
}

#[derive(Debug)]
pub struct Feature {
    pub origin: Origin,
    /// One value a column of [`Polygons::columns`].
    pub properties: Vec<Value>,
    /// EPSG:3857 metres; valid rings, closed, within the world.
    pub geometry: MultiPolygon<f64>,
}

/// Where a feature comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    pub file: Arc<str>,
    /// From 1.
    pub feature: u64,
}

/// What happened to a feature on reading, by feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub origin: Origin,
    /// Stable words: `self_intersection`, `unclosed_ring`, `empty_geometry`, …
    pub reason: &'static str,
    /// The feature's properties, so that the report can name its key; empty when repaired.
    pub detail: String,
}

/// Reads every file of a source.
///
/// # Errors
/// When a file cannot be read as its format, or its CRS is neither known nor given.
pub fn read(source: &PolygonSource) -> Result<Polygons, InputError> {
    Err(InputError::new(
        source.path.display().to_string(),
        "not read yet",
    ))
}
