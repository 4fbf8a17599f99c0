//! Reads a level's FlatGeobuf where it lies: every access is checked against the bytes' end.
//!
//! The crate's verified accessors cost 15–40 % more than these few reads, and its `FgbReader`
//! copies every feature. What is here reads the files that [`super::write`] makes, and refuses
//! others: multipolygons with M, node size 16.

use std::ops::Range;

use flatgeobuf::{GeometryType, size_prefixed_root_as_header};

use super::index::PackedIndex;
use crate::geometry::{GridPoint, M_PER_ZOOM, WORLD_CELLS};
use crate::mercator::HALF_WORLD_M;

pub(super) const MAGIC: [u8; 8] = *b"fgb\x03fgb\x00";

/// Children of a node of the packed R-tree; readers of the format assume it.
pub(super) const NODE_SIZE: u16 = 16;

/// Bytes of a node: four f64 bounds and an offset.
pub(super) const NODE_BYTES: usize = 40;

const HEADER_BYTES_MAX: usize = 10 << 20;

/// Why bytes are not a level's FlatGeobuf.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum FgbError {
    #[error("not a FlatGeobuf file (bad magic bytes)")]
    Magic,
    #[error("the header says {0} bytes, more than the file or 10 MiB")]
    HeaderSize(usize),
    #[error("the header is damaged: {0}")]
    Header(#[from] flatbuffers::InvalidFlatbuffer),
    #[error("a level holds multipolygons with M, this file holds {0:?}")]
    Geometry(GeometryType),
    #[error("the index has nodes of {0} children, a level's have 16")]
    NodeSize(u16),
    #[error("the file has {found} features, the manifest says {expected}")]
    Features { found: u64, expected: u64 },
    #[error("the file ends within its index")]
    IndexTruncated,
    #[error("node {0} of the index is damaged")]
    IndexNode(usize),
    #[error("feature {0} lies outside the file or out of order")]
    FeatureOffset(usize),
}

/// Where things lie in a file whose header and index were checked.
#[derive(Debug)]
pub(super) struct Layout {
    /// Byte position of the first leaf node.
    leaves_start: usize,
    /// Byte position of the first feature.
    features_start: usize,
}

/// Checks the header and the whole index; features are checked when read.
pub(super) fn open(bytes: &[u8], rows: u64) -> Result<(Layout, PackedIndex), FgbError> {
    if bytes.get(..8) != Some(&MAGIC) {
        return Err(FgbError::Magic);
    }
    let header_size = u32_at(bytes, 8).ok_or(FgbError::HeaderSize(0))? as usize;
    let header_end = 12 + header_size;
    let header = bytes
        .get(8..header_end)
        .filter(|_| header_size <= HEADER_BYTES_MAX)
        .ok_or(FgbError::HeaderSize(header_size))?;
    let header = size_prefixed_root_as_header(header)?;
    if header.geometry_type() != GeometryType::MultiPolygon || !header.has_m() {
        return Err(FgbError::Geometry(header.geometry_type()));
    }
    if header.index_node_size() != NODE_SIZE {
        return Err(FgbError::NodeSize(header.index_node_size()));
    }
    let found = header.features_count();
    if found != rows || rows == 0 || u32::try_from(rows).is_err() {
        let expected = rows;
        return Err(FgbError::Features { found, expected });
    }
    let index_bytes = &bytes[header_end..];
    let rows = usize::try_from(rows).expect("checked to be u32");
    let index = PackedIndex::open(index_bytes, rows)?;
    let features_start = header_end + index.file_bytes();
    let layout = Layout {
        leaves_start: features_start - rows * NODE_BYTES,
        features_start,
    };
    layout.check_offsets(bytes, rows)?;
    Ok((layout, index))
}

impl Layout {
    /// Features follow each other from the first byte on, each with room for its size at least.
    fn check_offsets(&self, bytes: &[u8], rows: usize) -> Result<(), FgbError> {
        let mut end = Some(0);
        for row in 0..rows {
            let start = self.offset(bytes, row);
            if start.is_none() || start < end || (row == 0 && start != Some(0)) {
                return Err(FgbError::FeatureOffset(row));
            }
            end = start.and_then(|start| start.checked_add(8));
        }
        let available = (bytes.len() - self.features_start) as u64;
        if end.is_none_or(|end| end > available) {
            return Err(FgbError::FeatureOffset(rows - 1));
        }
        Ok(())
    }

    /// Offset of a feature from the first one.
    fn offset(&self, bytes: &[u8], row: usize) -> Option<u64> {
        let at = self.leaves_start + row * NODE_BYTES + 32;
        Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
    }

    /// The parts of a row's geometry; `None` when its bytes are damaged.
    pub(super) fn parts<'a>(&self, bytes: &'a [u8], row: usize) -> Option<Parts<'a>> {
        let offset = usize::try_from(self.offset(bytes, row)?).ok()?;
        let feature = bytes.get(self.features_start.checked_add(offset)?..)?;
        let size = u32_at(feature, 0)? as usize;
        let feature = feature.get(4..)?.get(..size)?;
        let root = Table::at(feature, u32_at(feature, 0)? as usize)?;
        let geometry = root.table(SLOT_FEATURE_GEOMETRY)?;
        let (start, count) = geometry.vector(SLOT_PARTS)?;
        let offsets = feature.get(start..)?.get(..count.checked_mul(4)?)?;
        Some(Parts {
            feature,
            start,
            offsets: offsets.as_chunks().0.iter(),
        })
    }
}

// Field numbers of the FlatGeobuf schema (feature.fbs).
const SLOT_FEATURE_GEOMETRY: usize = 0;
const SLOT_ENDS: usize = 0;
const SLOT_XY: usize = 1;
const SLOT_M: usize = 3;
const SLOT_PARTS: usize = 7;

/// A flatbuffer table at `position` in `buffer`.
#[derive(Clone, Copy)]
struct Table<'a> {
    buffer: &'a [u8],
    position: usize,
    vtable: &'a [u8],
}

impl<'a> Table<'a> {
    fn at(buffer: &'a [u8], position: usize) -> Option<Self> {
        // The vtable lies before or behind by a signed distance, and starts with its own size.
        let distance = u32_at(buffer, position)?.cast_signed();
        let start = i64::try_from(position).ok()? - i64::from(distance);
        let vtable = buffer.get(usize::try_from(start).ok()?..)?;
        let size = u16::from_le_bytes(*vtable.first_chunk()?);
        Some(Self {
            buffer,
            position,
            vtable: vtable.get(..usize::from(size))?,
        })
    }

    /// Where an offset field points to.
    fn target(self, slot: usize) -> Option<usize> {
        let entry = self.vtable.get(4 + 2 * slot..)?.first_chunk()?;
        let field = usize::from(u16::from_le_bytes(*entry));
        if field == 0 {
            return None;
        }
        let at = self.position + field;
        at.checked_add(u32_at(self.buffer, at)? as usize)
    }

    fn table(self, slot: usize) -> Option<Self> {
        Self::at(self.buffer, self.target(slot)?)
    }

    /// Start of a vector's items and their number.
    fn vector(self, slot: usize) -> Option<(usize, usize)> {
        let at = self.target(slot)?;
        Some((at + 4, u32_at(self.buffer, at)? as usize))
    }

    /// A vector whose items are `N` bytes each, `per_item` of which make one chunk.
    fn chunks<const N: usize>(self, slot: usize, per_chunk: usize) -> Option<&'a [[u8; N]]> {
        let (start, count) = self.vector(slot)?;
        if count % per_chunk != 0 {
            return None;
        }
        let bytes = self.buffer.get(start..)?;
        bytes.as_chunks().0.get(..count / per_chunk)
    }
}

/// The polygons of one feature; an item is `None` when its bytes are damaged.
pub(crate) struct Parts<'a> {
    feature: &'a [u8],
    start: usize,
    offsets: std::slice::Iter<'a, [u8; 4]>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Option<Part<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = u32::from_le_bytes(*self.offsets.next()?) as usize;
        let position = self.start.checked_add(offset);
        self.start += 4;
        Some(position.and_then(|position| Part::at(self.feature, position)))
    }
}

/// One polygon in the mapped bytes.
pub(crate) struct Part<'a> {
    /// x and y in metres, one vertex a chunk.
    xy: &'a [[u8; 16]],
    /// Zooms.
    m: &'a [[u8; 8]],
    /// Where each ring ends; empty when there is one ring.
    ends: &'a [[u8; 4]],
}

impl<'a> Part<'a> {
    fn at(feature: &'a [u8], position: usize) -> Option<Self> {
        let table = Table::at(feature, position)?;
        let part = Self {
            xy: table.chunks(SLOT_XY, 2)?,
            m: table.chunks(SLOT_M, 1)?,
            ends: match table.target(SLOT_ENDS) {
                Some(_) => table.chunks(SLOT_ENDS, 1)?,
                None => &[],
            },
        };
        (part.xy.len() == part.m.len()).then_some(part)
    }

    /// Each ring's vertices without the closing one, three at least; `None` when damaged.
    pub(crate) fn rings(&self) -> impl Iterator<Item = Option<Range<usize>>> + '_ {
        let one = [u32::try_from(self.m.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(); 1];
        let mut start = 0;
        (0..self.ends.len().max(1)).map(move |ring| {
            let end = self.ends.get(ring).unwrap_or(&one[0]);
            let end = u32::from_le_bytes(*end) as usize;
            let range = start..end.checked_sub(1)?;
            start = end;
            (range.len() >= 3 && end <= self.m.len()).then_some(range)
        })
    }

    /// M of the vertices of `range`, which [`Self::rings`] gave.
    pub(crate) fn m(&self, range: Range<usize>) -> &'a [[u8; 8]] {
        &self.m[range]
    }

    /// Vertices of `range`, which [`Self::rings`] gave.
    pub(crate) fn xy(&self, range: Range<usize>) -> &'a [[u8; 16]] {
        &self.xy[range]
    }
}

/// The grid point of a vertex in metres; [`crate::mercator::grid_from_metres`] without a division.
#[expect(
    clippy::manual_clamp,
    reason = "a NaN of a hostile file must not stay one"
)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low bits are the number"
)]
pub(crate) fn grid_point(xy: &[u8; 16]) -> GridPoint {
    const CELLS: f64 = WORLD_CELLS as f64;
    const CELLS_PER_M: f64 = CELLS / 2.0 / HALF_WORLD_M;
    // Added to a number below 2^32, its last bit is worth one: the sum's low bits are the number
    // rounded. A saturating cast costs more. This is 2^52.
    const ROUND: f64 = 4_503_599_627_370_496.0;
    let [x, y] = [0, 8].map(|at| f64::from_le_bytes(*xy[at..].first_chunk().expect("8 of 16")));
    let cell = |v: f64| ((v + CELLS / 2.0).max(0.0).min(CELLS) + ROUND).to_bits() as i32;
    GridPoint {
        x: cell(x * CELLS_PER_M),
        y: cell(y * -CELLS_PER_M),
    }
}

/// M as [`crate::geometry::Vertex::m`]; NaN and what is below zero is kept at every zoom.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate"
)]
pub(crate) fn weight(m: [u8; 8]) -> u16 {
    (f64::from_le_bytes(m) * f64::from(M_PER_ZOOM)).round() as u16
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
