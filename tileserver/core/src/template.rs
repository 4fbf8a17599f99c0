//! The part of a tile that no filter changes: made once per level, address and properties.
//!
//! ```text
//! rows in the tile (R-tree) → vertices with M ≤ z → quantize → clip → repair → encode
//!                              values of the properties → one table of distinct values
//! ```
//! [`crate::gather`] makes tiles of it. Each unit's geometry is kept as bytes and as bits of a
//! Huffman code that is trained on the whole tile.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::codes::Codes;
use crate::dataset::columns::Column;
use crate::dataset::{GeometryError, Level};
use crate::encode;
use crate::pieces::Pieces;
use crate::tile::{EXTENT, TileCoord};
use crate::units::Units;
use crate::values::Values;

/// What a template is made for.
#[derive(Debug, Clone, Copy)]
pub struct TemplateSpec<'a> {
    pub tile: TileCoord,
    /// Name of the layer in the tile.
    pub layer: &'a str,
    /// The properties, in this order, as [`Level::column_number`]s; `id` and `name` come before.
    pub properties: &'a [usize],
    /// The layer's last zoom, at which tiles carry the detail of one zoom more: clients enlarge
    /// them.
    pub zoom_max: u8,
}

/// Why there is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum TemplateError {
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    #[error("the level has no column {0}")]
    Column(usize),
}

/// A tile without its choice of rows.
#[derive(Debug)]
pub struct Template {
    /// The units in the tile, ascending.
    pub(crate) rows: Vec<u32>,
    /// Per unit its feature without tags.
    pub(crate) features: Pieces,
    /// Properties of a unit, `id` and `name` included.
    pub(crate) width: usize,
    /// Per property, then per unit, an index into `values` or [`MISSING`].
    pub(crate) cells: Vec<u32>,
    pub(crate) values: Values,
    /// The layer's fields before its keys.
    pub(crate) head: Vec<u8>,
    /// The keys of the properties.
    pub(crate) keys: Values,
    pub(crate) codes: Codes,
    /// The gzip stream of all units, made when first asked for.
    pub(crate) whole: OnceLock<Bytes>,
}

/// Units between two looks at the clock of a caller that may have left.
const UNITS_PER_CHECK: usize = 64;

impl Template {
    /// Makes the template of `spec`; `cancelled` is asked now and then whether to give up.
    ///
    /// # Errors
    /// When cancelled, or a feature of the file is damaged.
    pub fn build(
        level: &Level,
        spec: &TemplateSpec,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, TemplateError> {
        let columns = columns(level, spec.properties)?;
        let mut candidates = Vec::new();
        level.rows_in(spec.tile.buffered_bounds(), &mut candidates);
        let mut units = Units::new(level, spec.tile, spec.zoom_max);
        let mut rows = Vec::with_capacity(candidates.len());
        let mut features = Pieces::default();
        let mut geometry = Vec::new();
        for (i, &row) in candidates.iter().enumerate() {
            if i % UNITS_PER_CHECK == 0 && cancelled() {
                return Err(TemplateError::Cancelled);
            }
            if let Some(shape) = units.shape(row as usize)? {
                geometry.clear();
                encode::put_geometry(&mut geometry, shape);
                let id = level.id(row as usize);
                features.push(|out| put_feature(out, id, &geometry));
                rows.push(row);
            }
        }
        features.shrink();
        let (values, cells) = Values::build(level, &columns, &rows);
        let width = columns.len() + 2;
        let head = head(spec.layer);
        let names = spec
            .properties
            .iter()
            .map(|&i| level.columns()[i].0.as_str());
        let keys = Values::keys(["id", "name"].into_iter().chain(names));
        let codes = Codes::train(&head, &keys, &features, &cells, &values);
        features.encode(codes.features());
        Ok(Self {
            rows,
            features,
            width,
            cells,
            values,
            head,
            keys,
            codes,
            whole: OnceLock::new(),
        })
    }

    /// The units in the tile, ascending.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Whether no unit is in the tile.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes on the heap, once the stream of all units is there too.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let whole = self.features.coded_bytes() + self.values.all_bytes().len() + self.head.len();
        whole
            + size_of_val(self.rows.as_slice())
            + size_of_val(self.cells.as_slice())
            + self.features.heap_bytes()
            + self.values.heap_bytes()
            + self.head.len()
            + self.keys.heap_bytes()
            + self.codes.heap_bytes()
    }
}

fn columns<'a>(level: &'a Level, numbers: &[usize]) -> Result<Vec<&'a Column>, TemplateError> {
    let column = |&number: &usize| match level.columns().get(number) {
        Some((_, column)) => Ok(column),
        None => Err(TemplateError::Column(number)),
    };
    numbers.iter().map(column).collect()
}

fn put_feature(out: &mut Vec<u8>, id: u64, geometry: &[u8]) {
    out.push(encode::FEATURE_ID);
    encode::put_varint(out, id);
    out.extend([encode::FEATURE_TYPE, encode::POLYGON]);
    encode::put_bytes(out, encode::FEATURE_GEOMETRY, geometry);
}

/// Version, name and extent.
fn head(layer: &str) -> Vec<u8> {
    let mut out = vec![encode::LAYER_VERSION, 2];
    encode::put_bytes(&mut out, encode::LAYER_NAME, layer.as_bytes());
    out.push(encode::LAYER_EXTENT);
    encode::put_varint(&mut out, u64::from(EXTENT.unsigned_abs()));
    out
}
