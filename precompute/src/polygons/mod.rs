//! Polygon files in, valid multipolygons in EPSG:3857 metres out.
//!
//! ```text
//! path ─▸ open ─▸ choose ─▸ geojson, flatgeobuf, shapefile, … ─▸ Collector ─▸ Polygons
//!                           raw features, in batches           clean, in parallel
//! ```
//! A reader of a format gives properties and rings as they are in the file, and knows nothing of
//! validity or projection; `clean` knows nothing of formats. A fault of the file is an error that
//! names the feature or byte; a feature without a usable polygon is skipped with a reason, one that
//! had to be changed is noted.
//!
//! - Skipped: `no_geometry`, `empty_geometry`, `not_a_polygon`, `curved_geometry`, `deleted_row`,
//!   `degenerate_ring`, `no_area`, `not_finite`, `outside_crs`, `beyond_mercator`, `holds_pole`,
//!   `too_complex`, `not_repairable`; of stations `no_address`, `too_few_addresses`,
//!   `station_without_area`.
//! - Repaired: `unclosed_ring`, `degenerate_ring`, `wrong_winding`, `other_parts`,
//!   `self_intersection`, `spike`, `self_touching_ring`, `crossing_rings`, `hole_outside_exterior`,
//!   `nested_holes`, `overlapping_parts`, `disconnected_interior`, `antimeridian`,
//!   `longitude_wrapped`, `beyond_mercator`.
//! - Noted: `invalid_number`, `invalid_date`, `type_not_read` of a `.dbf`'s cells, with the first row;
//!   `address_without_place`, `address_without_station`, `address_elsewhere`.
//! - Not noted: exteriors wound clockwise, repeated vertices, Z and M (counted in
//!   [`Polygons::flattened`]).

mod boundary;
mod cell;
mod choose;
mod clean;
mod collect;
mod csv;
mod flatgeobuf;
mod geojson;
mod geopackage;
mod geoparquet;
mod nest;
mod overlay;
mod rings;
mod shapefile;
mod simple_rings;
mod validity;
pub mod voronoi;
mod wkb;
mod wkt;
mod world;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use geo_types::MultiPolygon;
use rayon::prelude::*;
use tilecore::nfc::composed;

use crate::crs::Crs;
use crate::input_error::InputError;
use crate::open::{self, Located};
use crate::value::Value;

/// `polygons = { … }` of a level, paths already expanded and absolute.
#[derive(Debug, Clone, Default)]
pub struct PolygonSource {
    /// A path or glob, or `archive.zip/member-glob`.
    pub path: PathBuf,
    /// Divides the polygons among the stations of addresses.
    pub voronoi: Option<voronoi::Voronoi>,
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
    /// What else was left out of the files.
    pub notes: Vec<Note>,
    /// Features whose Z, M or further coordinates were left out.
    pub flattened: u64,
}

impl Polygons {
    /// Composes names and texts, as those of tables are.
    fn compose(&mut self) {
        for column in &mut self.columns {
            if let Cow::Owned(name) = composed(column) {
                *column = name;
            }
        }
        let properties = self.features.iter_mut().flat_map(|f| &mut f.properties);
        for property in properties {
            if let Value::Text(text) = property
                && let Cow::Owned(composed) = composed(text)
            {
                *text = composed.into();
            }
        }
    }
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
    /// From 1; 0 for what is of the whole file.
    pub feature: u64,
}

/// What happened to a feature on reading, by feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub origin: Origin,
    /// Stable words: `self_intersection`, `unclosed_ring`, `empty_geometry`, …
    pub reason: &'static str,
    /// Of a skipped feature its properties as a JSON object, so that the report can name its key;
    /// of a repaired one further reasons.
    pub detail: String,
}

/// Reads every file of a source.
///
/// # Errors
/// When a file cannot be read as its format, or its CRS is neither known nor given.
pub fn read(source: &PolygonSource) -> Result<Polygons, InputError> {
    let crs = source.crs.as_deref().map(Crs::parse).transpose();
    let crs = crs.map_err(|e| InputError::new(source.path.display().to_string(), e))?;
    let files = choose::choose(open::locate(&source.path)?, source)?;
    let read: Vec<Polygons> = files
        .par_iter()
        .map(|(file, format)| {
            let mut polygons = read_file(file, *format, source, crs.as_ref())?;
            polygons.compose();
            Ok(polygons)
        })
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Result<_, _>>()?;
    let merged = collect::merge(read);
    if merged.features.is_empty() && merged.skipped.is_empty() {
        let file = source.path.display().to_string();
        return Err(InputError::new(file, "it has no feature"));
    }
    match &source.voronoi {
        Some(voronoi) => voronoi::read(voronoi, merged, &source.path),
        None => Ok(merged),
    }
}

fn read_file(
    file: &Located,
    format: Format,
    source: &PolygonSource,
    crs: Option<&Crs>,
) -> Result<Polygons, InputError> {
    match format {
        Format::GeoJson | Format::GeoJsonSeq => geojson::read(&file.open()?, format, crs),
        Format::FlatGeobuf => flatgeobuf::read(&file.open()?, crs),
        Format::Shapefile => shapefile::read(file, crs),
        Format::GeoPackage => geopackage::read(file, source.layer.as_deref(), crs),
        Format::GeoParquet => geoparquet::read(&file.open()?, source.geometry.as_deref(), crs),
        Format::Csv => csv::read(&file.open()?, source.geometry.as_deref(), crs),
    }
}

/// The CRS to read a file in: the one given, else the one it names.
fn settle(
    file: &str,
    given: Option<&Crs>,
    named: impl FnOnce() -> Option<Result<Crs, String>>,
) -> Result<Crs, InputError> {
    let crs = match given {
        Some(given) => Ok(given.clone()),
        None => named().unwrap_or_else(|| {
            Err("it names no CRS: write it as crs, such as crs = \"EPSG:2154\"".to_owned())
        }),
    };
    crs.map_err(|message| InputError::new(file, message))
}

#[cfg(test)]
mod tests;
