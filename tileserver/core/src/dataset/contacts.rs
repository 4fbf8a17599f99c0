//! A contact set's file: positions and dimensions, nothing that names a person.
//!
//! An Arrow IPC file of one record batch: `key` (`UInt64`, ascending Morton keys) and, per
//! dimension, its bit planes as Boolean columns `<dimension>:<bit>`. The class names are in the
//! manifest.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow_buffer::{BooleanBuffer, Buffer, ScalarBuffer};
use arrow_schema::ArrowError;
use bytes::Bytes;

use super::columns::Column;
use super::schema;
use super::table::{TableError, read_batch};
use super::write_arrow::write_batch;
use crate::density::cells::Cell;
use crate::density::dimension::{Dimension, DimensionError, planes_for};
use crate::density::morton::KEY_END;
use crate::density::pyramid::Pyramid;
use crate::density::rank::RankedBitmap;
use crate::filter::{CompileError, Filter, Table};
use crate::tile::TileCoord;

/// Contacts sorted by key, with their dimensions; what density is computed from.
#[derive(Debug, Clone)]
pub struct ContactSet {
    keys: ScalarBuffer<u64>,
    pyramid: Pyramid,
    dimensions: Vec<Dimension>,
}

/// Why a contact file is refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum ContactsError {
    #[error("column {0:?} is missing or of another type: rerun precompute")]
    Column(String),
    #[error("column {0:?} has missing values: rerun precompute")]
    Missing(String),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("keys are not ascending at contact {0}")]
    Order(usize),
    #[error(transparent)]
    Dimension(#[from] DimensionError),
}

/// The columns of a dimension before they are written: a code a contact.
#[derive(Debug, Clone)]
pub struct DimensionCodes {
    pub name: String,
    /// Names of codes 1, 2, …; code 0 is missing.
    pub classes: Vec<String>,
    pub codes: Vec<u8>,
}

/// Writes contacts whose `keys` are ascending.
///
/// # Errors
/// When columns differ in length, or a write fails.
pub fn write(
    keys: Vec<u64>,
    dimensions: &[DimensionCodes],
    out: impl Write,
) -> Result<(), ArrowError> {
    write_batch(&batch(keys, dimensions)?, out)
}

fn batch(keys: Vec<u64>, dimensions: &[DimensionCodes]) -> Result<RecordBatch, ArrowError> {
    let rows = keys.len();
    let mut columns: Vec<(String, ArrayRef)> =
        vec![("key".to_owned(), Arc::new(UInt64Array::from(keys)))];
    for dimension in dimensions {
        let planes = Dimension::encode(&dimension.codes, dimension.classes.len());
        for (bit, plane) in planes.into_iter().enumerate() {
            let bits = BooleanBuffer::new(Buffer::from(plane), 0, rows.min(dimension.codes.len()));
            columns.push((
                plane_name(&dimension.name, bit),
                Arc::new(BooleanArray::new(bits, None)),
            ));
        }
    }
    RecordBatch::try_from_iter(columns)
}

impl ContactSet {
    /// A view over a mapped file.
    ///
    /// # Errors
    /// When the bytes are not what [`write()`] wrote for `meta`.
    pub fn open(meta: &schema::ContactSet, file: Bytes) -> Result<Self, ContactsError> {
        let batch = read_batch(file, meta.contacts)?;
        let keys = column::<UInt64Array>(&batch, "key")?.values().clone();
        check_order(&keys)?;
        let dimensions = meta
            .dimensions
            .iter()
            .map(|dimension| open_dimension(dimension, &batch))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            pyramid: Pyramid::of(&keys),
            keys,
            dimensions,
        })
    }

    /// Morton keys in ascending order.
    #[must_use]
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// The cells of a tile that hold contacts.
    #[must_use]
    pub fn cells_of_tile(&self, tile: TileCoord) -> Vec<Cell> {
        self.pyramid.cells_of_tile(&self.keys, tile)
    }

    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The contacts that pass a filter over the dimensions, counted by rank.
    ///
    /// # Errors
    /// When the filter names what is no dimension of this set.
    pub fn passing(&self, filter: &Filter) -> Result<RankedBitmap, CompileError> {
        Ok(RankedBitmap::new(filter.compile(self)?.evaluate()))
    }
}

impl Table for ContactSet {
    fn rows(&self) -> usize {
        self.keys.len()
    }

    fn column(&self, _name: &str) -> Option<&Column> {
        None
    }

    fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions
            .iter()
            .find(|dimension| dimension.name == name)
    }
}

fn open_dimension(
    meta: &schema::Dimension,
    batch: &RecordBatch,
) -> Result<Dimension, ContactsError> {
    let planes = (0..planes_for(meta.classes.len()))
        .map(|bit| {
            let bits = column::<BooleanArray>(batch, &plane_name(&meta.name, bit))?.values();
            // Sliced to start at bit 0; a copy only if the file is not one we wrote.
            Ok(bits.sliced())
        })
        .collect::<Result<_, ContactsError>>()?;
    let name = meta.name.clone();
    let classes = meta
        .classes
        .iter()
        .map(|class| class.as_str().into())
        .collect();
    Ok(Dimension::new(name, classes, planes, batch.num_rows())?)
}

fn column<'a, A: arrow_array::Array + 'static>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a A, ContactsError> {
    let array = batch
        .column_by_name(name)
        .and_then(|array| array.as_any().downcast_ref::<A>())
        .ok_or_else(|| ContactsError::Column(name.to_owned()))?;
    if array.null_count() > 0 {
        return Err(ContactsError::Missing(name.to_owned()));
    }
    Ok(array)
}

fn check_order(keys: &[u64]) -> Result<(), ContactsError> {
    if let Some(at) = keys.windows(2).position(|pair| pair[0] > pair[1]) {
        return Err(ContactsError::Order(at + 1));
    }
    match keys.last() {
        Some(last) if *last >= KEY_END => Err(ContactsError::Order(keys.len() - 1)),
        _ => Ok(()),
    }
}

fn plane_name(dimension: &str, bit: usize) -> String {
    format!("{dimension}:{bit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(contacts: u64) -> schema::ContactSet {
        schema::ContactSet {
            title: schema::Localized::new(),
            name: "supporters".into(),
            tenant: "demo".into(),
            contacts,
            left_out: [("no_coordinates".to_owned(), 2)].into(),
            dimensions: vec![schema::Dimension {
                name: "support".into(),
                classes: vec!["no".into(), "yes".into()],
            }],
            bounds: [0.0, 0.0, 1.0, 1.0],
            arrow: "contacts/supporters.arrow".into(),
        }
    }

    fn support(codes: &[u8]) -> DimensionCodes {
        DimensionCodes {
            name: "support".into(),
            classes: vec!["no".into(), "yes".into()],
            codes: codes.to_vec(),
        }
    }

    fn file(keys: &[u64], dimensions: &[DimensionCodes]) -> Bytes {
        let mut bytes = Vec::new();
        write(keys.to_vec(), dimensions, &mut bytes).expect("equal lengths");
        bytes.into()
    }

    #[test]
    fn what_is_written_is_read() {
        let set = ContactSet::open(&meta(3), file(&[3, 5, 5], &[support(&[2, 0, 1])]))
            .expect("just written");
        assert_eq!(set.keys(), [3, 5, 5]);
        let codes: Vec<u8> = (0..3)
            .map(|contact| set.dimensions()[0].code(contact))
            .collect();
        assert_eq!(codes, [2, 0, 1]);
    }

    #[test]
    fn other_files_are_refused() {
        assert!(write(vec![3, 5], &[support(&[2])], Vec::new()).is_err());
        let unsorted = file(&[5, 3], &[support(&[2, 0])]);
        assert!(matches!(
            ContactSet::open(&meta(2), unsorted.clone()),
            Err(ContactsError::Order(1))
        ));
        assert!(matches!(
            ContactSet::open(&meta(3), unsorted),
            Err(ContactsError::Table(TableError::Rows { .. }))
        ));
        assert!(matches!(
            ContactSet::open(&meta(1), file(&[3], &[])),
            Err(ContactsError::Column(_))
        ));
    }

    #[test]
    fn damaged_files_are_refused() {
        let whole = file(&[3, 5, 9], &[support(&[2, 0, 1])]);
        for end in 0..whole.len() {
            assert!(
                ContactSet::open(&meta(3), whole.slice(..end)).is_err(),
                "{end} bytes"
            );
        }
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x41;
            // Flipped figures may stand; nothing may crash.
            let _ = ContactSet::open(&meta(3), bytes.into());
        }
    }
}
