//! The `.shp`: records of shapes (Esri white paper, July 1998).
//!
//! ```text
//! header 100 bytes ▸ number, length (big-endian) ▸ type, box, parts, points (little-endian) ▸ …
//! ```

use std::io::{BufReader, Read};

use parquet::file::reader::Length;

use super::super::collect::RawGeometry;
use crate::input_error::{InputError, Place};
use crate::open::{OpenedFile, Reader};

const HEADER: u64 = 100;

/// The records of a file, each as its bytes.
pub(super) struct Shapes<'a> {
    file: &'a OpenedFile,
    reader: BufReader<Reader>,
    offset: u64,
    end: u64,
}

impl<'a> Shapes<'a> {
    pub(super) fn open(file: &'a OpenedFile) -> Result<Self, InputError> {
        let mut shapes = Self {
            file,
            reader: BufReader::with_capacity(1 << 20, file.reader()),
            offset: 0,
            end: file.len(),
        };
        let header = shapes.take(HEADER)?;
        if big(&header, 0) != Some(9994) || little(&header, 28) != Some(1000) {
            return Err(shapes.fault("not a .shp file (bad magic bytes)"));
        }
        let length = 2 * u64::from(big(&header, 24).unwrap_or_default());
        if length != file.len() {
            return Err(shapes.fault(format!(
                "its header says {length} bytes but it has {}: it is damaged, ogr2ogr may mend it",
                file.len()
            )));
        }
        Ok(shapes)
    }

    fn fault(&self, message: impl Into<String>) -> InputError {
        InputError::new(&*self.file.name, message).at(Place::Byte(self.offset))
    }

    fn take(&mut self, count: u64) -> Result<Vec<u8>, InputError> {
        if count > self.end - self.offset {
            return Err(self.fault("the file ends in the middle: it is truncated"));
        }
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(count).read_to_end(&mut bytes);
        if read.map_err(|e| self.file.unreadable(&e))? as u64 != count {
            return Err(self.fault("the file has become shorter while it was read"));
        }
        self.offset += count;
        Ok(bytes)
    }

    /// The next record's content.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, InputError> {
        if self.offset == self.end {
            return Ok(None);
        }
        let header = self.take(8)?;
        let length = 2 * u64::from(big(&header, 4).unwrap_or_default());
        self.take(length).map(Some)
    }
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u32::from_be_bytes(*chunk))
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u32::from_le_bytes(*chunk))
}

/// The rings of a polygon record, each as a polygon of its own: the format does not say which
/// hole is whose. Or the reason why there are none.
pub(super) fn polygon(shape: &[u8]) -> Result<Result<RawGeometry, &'static str>, &'static str> {
    const PARTS: usize = 44;
    match little(shape, 0) {
        Some(5 | 15 | 25) => {}
        Some(0) => return Ok(Err("no_geometry")),
        Some(1 | 3 | 8 | 11 | 13 | 18 | 21 | 23 | 28 | 31) => return Ok(Err("not_a_polygon")),
        _ => return Err("its shape type is unknown: the file is damaged"),
    }
    let counts = little(shape, 36)
        .zip(little(shape, 40))
        .ok_or("its record is cut off")?;
    let (part_count, point_count) = (counts.0 as usize, counts.1 as usize);
    let points_at = part_count
        .checked_mul(4)
        .and_then(|size| size.checked_add(PARTS));
    let points = points_at
        .zip(point_count.checked_mul(16))
        .and_then(|(from, size)| shape.get(from..from.checked_add(size)?))
        .ok_or("its parts and points are more than its record holds: the file is damaged")?;
    let mut raw = RawGeometry {
        is_ungrouped: true,
        is_flattened: little(shape, 0) != Some(5),
        ..RawGeometry::default()
    };
    for part in 0..part_count {
        let start = little(shape, PARTS + 4 * part).unwrap_or_default() as usize;
        let end = if part + 1 < part_count {
            little(shape, PARTS + 4 * part + 4).unwrap_or_default() as usize
        } else {
            point_count
        };
        if start > end || end > point_count || (part == 0 && start != 0) {
            return Err("its parts are not in order: the file is damaged");
        }
        for point in points[16 * start..16 * end].as_chunks::<16>().0 {
            let (x, y) = point.split_at(8);
            let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap_or_default());
            raw.rings.push(number(x), number(y));
        }
        raw.rings.end_ring();
        raw.rings.end_polygon();
    }
    Ok(Ok(raw))
}
