//! Which of the located files are polygons, and in what format.

use super::{Format, PolygonSource};
use crate::input_error::InputError;
use crate::open::Located;

/// The files to read with their formats, in their order.
///
/// # Errors
/// When no file, or files of several formats, could be meant.
pub(super) fn choose(
    located: Vec<Located>,
    source: &PolygonSource,
) -> Result<Vec<(Located, Format)>, InputError> {
    let bad = |message: String| InputError::new(source.path.display().to_string(), message);
    if let Some(format) = source.format {
        return Ok(of_format(located, format));
    }
    let is_single = located.len() == 1;
    let mut known: Vec<(Located, Format)> = Vec::new();
    for file in located {
        if let Some(format) = by_extension(&file.extension()) {
            known.push((file, format));
        } else if is_single {
            if matches!(&*file.extension(), "shx" | "dbf" | "prj" | "cpg") {
                return Err(bad("is a part of a shapefile: name its .shp".to_owned()));
            }
            let format = by_content(&file.open()?.head(64)?).ok_or_else(|| {
                bad(
                    "its format is not clear from its name or content: write it as format"
                        .to_owned(),
                )
            })?;
            known.push((file, format));
        }
    }
    // A table beside polygons is not meant.
    if known.iter().any(|(_, format)| *format != Format::Csv) {
        known.retain(|(_, format)| *format != Format::Csv);
    }
    let Some((first, format)) = known.first() else {
        return Err(bad(
            "holds no polygon file of a format known here".to_owned()
        ));
    };
    let is_json = |format: Format| matches!(format, Format::GeoJson | Format::GeoJsonSeq);
    if let Some((other, _)) = known
        .iter()
        .find(|(_, f)| f != format && !(is_json(*f) && is_json(*format)))
    {
        return Err(bad(format!(
            "holds files of several formats, such as {:?} and {:?}: name the one to read",
            &*first.name, &*other.name
        )));
    }
    Ok(known)
}

/// Those named like the format, or all if none is.
fn of_format(located: Vec<Located>, format: Format) -> Vec<(Located, Format)> {
    let is_named = |file: &Located| by_extension(&file.extension()) == Some(format);
    let any_named = located.iter().any(is_named);
    located
        .into_iter()
        .filter(|file| !any_named || is_named(file))
        .map(|file| (file, format))
        .collect()
}

fn by_extension(extension: &str) -> Option<Format> {
    Some(match extension {
        "geojson" | "json" => Format::GeoJson,
        "geojsonseq" | "geojsons" | "geojsonl" | "ndjson" | "jsonl" | "ndgeojson" => {
            Format::GeoJsonSeq
        }
        "fgb" => Format::FlatGeobuf,
        "shp" => Format::Shapefile,
        "gpkg" => Format::GeoPackage,
        "parquet" | "geoparquet" | "pq" => Format::GeoParquet,
        "csv" | "tsv" => Format::Csv,
        _ => return None,
    })
}

fn by_content(head: &[u8]) -> Option<Format> {
    if head.starts_with(b"fgb") {
        return Some(Format::FlatGeobuf);
    }
    if head.starts_with(b"PAR1") {
        return Some(Format::GeoParquet);
    }
    if head.starts_with(b"SQLite format 3\0") {
        return Some(Format::GeoPackage);
    }
    if head.starts_with(&[0, 0, 0x27, 0x0a]) {
        return Some(Format::Shapefile);
    }
    let text = head
        .strip_prefix(&[0xef, 0xbb, 0xbf])
        .unwrap_or(head)
        .trim_ascii_start();
    match text.first() {
        Some(0x1e) => Some(Format::GeoJsonSeq),
        Some(b'{') => Some(Format::GeoJson),
        _ => None,
    }
}
