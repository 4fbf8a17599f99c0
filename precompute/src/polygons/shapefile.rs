//! Esri shapefiles: `.shp` with its `.dbf`, and `.prj` and `.cpg` when they are there.
//!
//! Read here and not with the `shapefile` crate, which allocates what a header claims. The `.shx`
//! is not needed: records follow each other.

mod dbf;
mod encoding;
mod shp;

use super::collect::{Collector, Properties, RawFeature};
use super::{Polygons, settle};
use crate::crs::Crs;
use crate::input_error::{InputError, Place};
use crate::open::Located;

/// Bytes of shapes cleaned at a time.
const BATCH: usize = 8 << 20;

/// Reads the shapefile whose `.shp` is `located`; `given` overrides its `.prj`.
pub(super) fn read(located: &Located, given: Option<&Crs>) -> Result<Polygons, InputError> {
    let beside = |extension: &str| {
        located
            .sibling(extension)
            .map(|file| file.open())
            .transpose()
    };
    let file = located.open()?;
    let mut shapes = shp::Shapes::open(&file)?;
    let prj = if given.is_none() {
        beside("prj")?
    } else {
        None
    };
    let crs = settle(&file.name, given, || {
        let text = prj.as_ref()?.bytes().ok()?;
        let text = String::from_utf8_lossy(&text);
        (!text.trim().is_empty()).then(|| Crs::parse(&text))
    })?;
    let Some(table) = beside("dbf")? else {
        let message = "its .dbf is missing: put it beside the .shp, it holds the properties";
        return Err(InputError::new(&*file.name, message));
    };
    let cpg = beside("cpg")?.map(|cpg| cpg.head(100)).transpose()?;
    let mut rows = dbf::Rows::open(&table, cpg.as_deref())?;
    let mut collector = Collector::new(&file.name, crs, rows.columns())?;
    let mut number = 0_u64;
    let mut more = true;
    while more {
        let mut batch = Vec::new();
        let mut size = 0;
        while size < BATCH {
            let (shape, row) = match (shapes.next()?, rows.next()?) {
                (Some(shape), Some(row)) => (shape, row),
                (None, None) => {
                    more = false;
                    break;
                }
                (shape, _) => {
                    let more_shapes = shape.is_some();
                    let message = format!(
                        "it has {} shapes than the {} rows of its .dbf: the two do not belong together",
                        if more_shapes { "more" } else { "fewer" },
                        rows.count()
                    );
                    return Err(InputError::new(&*file.name, message));
                }
            };
            number += 1;
            size += shape.len() + 64;
            batch.push((number, shape, row));
        }
        collector.add(batch, |(number, shape, row)| {
            let geometry = shp::polygon(&shape).map_err(|message| {
                InputError::new(&*file.name, message).at(Place::Feature(number))
            })?;
            let (properties, geometry) = match row {
                dbf::Row::Deleted(row) => (row, Err("deleted_row")),
                dbf::Row::Kept(row) => (row, geometry),
            };
            Ok(RawFeature {
                number,
                properties: Properties::Row(properties),
                geometry,
            })
        })?;
    }
    let mut polygons = collector.finish()?;
    polygons.notes = rows.notes();
    Ok(polygons)
}

#[cfg(test)]
mod tests;
