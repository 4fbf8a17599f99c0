//! FlatGeobuf, by the generated tables of the `flatgeobuf` crate.
//!
//! ```text
//! magic ▸ size, header ▸ packed R-tree ▸ size, feature ▸ size, feature …
//! ```
//! The crate's own reader believes a header that lies, so sizes are checked against the file here
//! before anything is allocated, and properties are cut out with bounds. The index is passed over.

use std::io::{BufReader, Read, Seek, SeekFrom};

use flatgeobuf::{
    Column, ColumnType, Geometry, GeometryType, Header, size_prefixed_root_as_feature,
    size_prefixed_root_as_header,
};
use parquet::file::reader::Length;

use super::collect::{Collector, Properties, RawFeature, RawGeometry};
use super::{Polygons, cell, settle};
use crate::crs::Crs;
use crate::input_error::{InputError, Place};
use crate::open::{OpenedFile, Reader};
use crate::value::Value;

const HEADER_MAX: u32 = 10 << 20;

/// Bytes of one entry of the packed R-tree.
const NODE: u64 = 40;

/// Bytes of features parsed at a time.
const BATCH: usize = 8 << 20;

/// The deepest nesting of collections.
const DEPTH_MAX: u32 = 16;

/// A column as its features carry it.
struct Field {
    name: String,
    kind: ColumnType,
}

/// Reads one file; `given` overrides the CRS it names.
pub(super) fn read(file: &OpenedFile, given: Option<&Crs>) -> Result<Polygons, InputError> {
    let mut stream = Stream {
        file,
        reader: BufReader::with_capacity(1 << 20, file.reader()),
        offset: 0,
    };
    let magic = stream.take(8)?;
    if magic[..3] != *b"fgb" || magic[4..7] != *b"fgb" {
        return Err(stream.fault("not a FlatGeobuf file (bad magic bytes)"));
    }
    if magic[3] != 3 {
        return Err(stream.fault(format!(
            "FlatGeobuf version {} is not read, only 3",
            magic[3]
        )));
    }
    let header_bytes = stream.sized(HEADER_MAX)?;
    let header = size_prefixed_root_as_header(&header_bytes)
        .map_err(|e| stream.fault(format!("the header is damaged: {e}")))?;
    let crs = settle(&file.name, given, || named_crs(&header))?;
    let fields: Vec<Field> = header
        .columns()
        .map(|columns| columns.iter().map(|column| field(&column)).collect())
        .unwrap_or_default();
    let kind = header.geometry_type();
    let count = header.features_count();
    stream.skip_index(count, header.index_node_size())?;
    let mut collector = Collector::new(
        &file.name,
        crs,
        fields.iter().map(|field| field.name.clone()).collect(),
    )?;
    let mut number = 0;
    let mut more = true;
    while more {
        let mut batch: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut size = 0;
        while size < BATCH {
            more = number < count || (count == 0 && !stream.is_at_end());
            if !more {
                break;
            }
            let bytes = stream.sized(u32::MAX)?;
            number += 1;
            size += bytes.len();
            batch.push((number, bytes));
        }
        collector.add(batch, |(number, bytes)| {
            feature(&bytes, number, kind, &fields)
                .map_err(|message| InputError::new(&*file.name, message).at(Place::Feature(number)))
        })?;
    }
    if !stream.is_at_end() {
        return Err(stream.fault("something follows the last feature"));
    }
    collector.finish()
}

fn field(column: &Column<'_>) -> Field {
    Field {
        name: column.name().to_owned(),
        kind: column.type_(),
    }
}

fn named_crs(header: &Header<'_>) -> Option<Result<Crs, String>> {
    let crs = header.crs()?;
    let is_epsg = crs.org().is_none_or(|org| org.eq_ignore_ascii_case("EPSG"));
    match u32::try_from(crs.code()) {
        Ok(code) if code > 0 && is_epsg => Some(Crs::from_epsg(code)),
        _ => crs.wkt().or_else(|| crs.code_string()).map(Crs::parse),
    }
}

/// The file, and how far it is read.
struct Stream<'a> {
    file: &'a OpenedFile,
    reader: BufReader<Reader>,
    offset: u64,
}

impl Stream<'_> {
    fn fault(&self, message: impl Into<String>) -> InputError {
        InputError::new(&*self.file.name, message).at(Place::Byte(self.offset))
    }

    fn left(&self) -> u64 {
        self.file.len().saturating_sub(self.offset)
    }

    fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, InputError> {
        if count as u64 > self.left() {
            return Err(self.fault("the file ends in the middle: it is truncated"));
        }
        let mut bytes = vec![0; count];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|e| self.file.unreadable(&e))?;
        self.offset += count as u64;
        Ok(bytes)
    }

    /// A table with its four bytes of size, which the generated readers want.
    fn sized(&mut self, max: u32) -> Result<Vec<u8>, InputError> {
        let size = self.take(4)?;
        let count = u32::from_le_bytes([size[0], size[1], size[2], size[3]]);
        if count < 8 || count > max || u64::from(count) > self.left() {
            return Err(self.fault(format!(
                "a size of {count} bytes is wrong: the file is damaged"
            )));
        }
        let mut bytes = size;
        bytes.append(&mut self.take(count as usize)?);
        Ok(bytes)
    }

    fn skip_index(&mut self, count: u64, node_size: u16) -> Result<(), InputError> {
        if count > self.left() / 12 {
            return Err(self.fault(format!(
                "{count} features do not fit into the file: it is damaged"
            )));
        }
        if node_size == 0 || count == 0 {
            return Ok(());
        }
        if node_size < 2 {
            return Err(self.fault("an index of node size 1 is none: the file is damaged"));
        }
        let (mut level, mut nodes) = (count, count);
        while level > 1 {
            level = level.div_ceil(u64::from(node_size));
            nodes += level;
        }
        if count == 1 {
            nodes += 1;
        }
        if nodes * NODE > self.left() {
            return Err(self.fault("the index does not fit into the file: it is damaged"));
        }
        self.offset += nodes * NODE;
        self.reader
            .seek(SeekFrom::Start(self.offset))
            .map_err(|e| self.file.unreadable(&e))?;
        Ok(())
    }
}

fn feature(
    bytes: &[u8],
    number: u64,
    kind: GeometryType,
    fields: &[Field],
) -> Result<RawFeature<'static>, String> {
    let feature =
        size_prefixed_root_as_feature(bytes).map_err(|e| format!("the feature is damaged: {e}"))?;
    if feature.columns().is_some_and(|columns| !columns.is_empty()) {
        return Err(
            "it has columns of its own, which are not read: rewrite the file with ogr2ogr".into(),
        );
    }
    let properties = feature
        .properties()
        .map_or(&[][..], |vector| vector.bytes());
    let geometry = match feature.geometry() {
        None => Err("no_geometry"),
        Some(geometry) => {
            let mut raw = RawGeometry::default();
            // Parts may share their coordinates; then a small file would unfold into a large one.
            let mut allowance = bytes.len() / 8;
            collect(&geometry, kind, 0, &mut allowance, &mut raw)?;
            match (raw.rings.polygons.is_empty(), raw.has_others) {
                (false, _) => Ok(raw),
                (true, true) => Err("not_a_polygon"),
                (true, false) => Err("empty_geometry"),
            }
        }
    };
    Ok(RawFeature {
        number,
        properties: Properties::Row(row(properties, fields)?),
        geometry,
    })
}

fn collect(
    geometry: &Geometry<'_>,
    kind: GeometryType,
    depth: u32,
    allowance: &mut usize,
    raw: &mut RawGeometry,
) -> Result<(), String> {
    let kind = if kind == GeometryType::Unknown {
        geometry.type_()
    } else {
        kind
    };
    let part_kind = match kind {
        GeometryType::Polygon | GeometryType::Triangle => {
            return polygon(geometry, allowance, raw);
        }
        GeometryType::MultiPolygon | GeometryType::PolyhedralSurface | GeometryType::TIN => {
            GeometryType::Polygon
        }
        GeometryType::GeometryCollection => GeometryType::Unknown,
        _ => {
            raw.has_others = true;
            return Ok(());
        }
    };
    if depth > DEPTH_MAX {
        return Err("collections are nested too deeply".to_owned());
    }
    for part in geometry.parts().iter().flatten() {
        collect(&part, part_kind, depth + 1, allowance, raw)?;
    }
    Ok(())
}

fn polygon(
    geometry: &Geometry<'_>,
    allowance: &mut usize,
    raw: &mut RawGeometry,
) -> Result<(), String> {
    let Some(xy) = geometry.xy() else {
        return Ok(());
    };
    if xy.len() % 2 != 0 {
        return Err("its coordinates are an odd count: the file is damaged".to_owned());
    }
    *allowance = allowance
        .checked_sub(xy.len())
        .ok_or("its parts share coordinates: the file is damaged")?;
    raw.is_flattened |= [geometry.z(), geometry.m()]
        .iter()
        .flatten()
        .any(|v| !v.is_empty());
    let count = xy.len() / 2;
    let mut start = 0;
    let mut ring = |end: usize| {
        if end < start || end > count {
            return Err("its rings end outside its coordinates: the file is damaged".to_owned());
        }
        for i in start..end {
            raw.rings.push(xy.get(2 * i), xy.get(2 * i + 1));
        }
        raw.rings.end_ring();
        start = end;
        Ok(())
    };
    match geometry.ends().filter(|ends| !ends.is_empty()) {
        None if count == 0 => return Ok(()),
        None => ring(count)?,
        Some(ends) => {
            for end in ends {
                ring(end as usize)?;
            }
        }
    }
    raw.rings.end_polygon();
    Ok(())
}

/// Properties: the number of a column, then its value, until the end.
fn row(mut bytes: &[u8], fields: &[Field]) -> Result<Vec<Value>, String> {
    let mut row = vec![Value::Null; fields.len()];
    // Some writers leave one byte behind the last value.
    while bytes.len() > 1 {
        let at = usize::from(u16::from_le_bytes(fixed(&mut bytes)?));
        let field = fields.get(at).ok_or_else(|| {
            format!(
                "property column {at} of {}: the file is damaged",
                fields.len()
            )
        })?;
        row[at] =
            value(&mut bytes, field.kind).map_err(|e| format!("property {:?}: {e}", field.name))?;
    }
    Ok(row)
}

/// Cuts the next `N` bytes off.
fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], String> {
    let (head, rest) = bytes
        .split_first_chunk::<N>()
        .ok_or("its value is cut off: the file is damaged")?;
    *bytes = rest;
    Ok(*head)
}

fn value(bytes: &mut &[u8], kind: ColumnType) -> Result<Value, String> {
    Ok(match kind {
        ColumnType::Byte => cell::integer(i8::from_le_bytes(fixed(bytes)?).into()),
        ColumnType::UByte => cell::integer(u8::from_le_bytes(fixed(bytes)?).into()),
        ColumnType::Bool => cell::boolean(fixed::<1>(bytes)?[0] != 0),
        ColumnType::Short => cell::integer(i16::from_le_bytes(fixed(bytes)?).into()),
        ColumnType::UShort => cell::integer(u16::from_le_bytes(fixed(bytes)?).into()),
        ColumnType::Int => cell::integer(i32::from_le_bytes(fixed(bytes)?).into()),
        ColumnType::UInt => cell::integer(u32::from_le_bytes(fixed(bytes)?).into()),
        ColumnType::Long => cell::integer(i64::from_le_bytes(fixed(bytes)?)),
        ColumnType::ULong => cell::unsigned(u64::from_le_bytes(fixed(bytes)?)),
        ColumnType::Float => cell::double(f32::from_le_bytes(fixed(bytes)?).into()),
        ColumnType::Double => cell::double(f64::from_le_bytes(fixed(bytes)?)),
        ColumnType::String | ColumnType::Json | ColumnType::DateTime => {
            let text = counted(bytes)?;
            let text = std::str::from_utf8(text).map_err(|_| "its text is not UTF-8")?;
            Value::Text(text.into())
        }
        ColumnType::Binary => {
            counted(bytes)?;
            Value::Null
        }
        _ => return Err("its type is unknown: the file is damaged".to_owned()),
    })
}

fn counted<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let count = u32::from_le_bytes(fixed(bytes)?) as usize;
    let (head, rest) = bytes
        .split_at_checked(count)
        .ok_or("its value is cut off: the file is damaged")?;
    *bytes = rest;
    Ok(head)
}

#[cfg(test)]
mod tests;
