//! The part of a tile that no filter changes: made once per level, address and properties.
//!
//! ```text
//! rows in the tile (R-tree) → vertices with M ≤ z → quantize → clip → repair → encode
//!                              values of the properties → one table of distinct values
//! ```
//! [`crate::gather`] makes tiles of it. Each unit's geometry is kept as bytes and as bits of a
//! Huffman code that is trained on the whole tile.

use crate::clip::{Clipped, Clipper};
use crate::codes::Codes;
use crate::dataset::columns::Column;
use crate::dataset::{GeometryError, Level, grid_point};
use crate::encode;
use crate::geometry::M_PER_ZOOM;
use crate::overview::OVERVIEW_ZOOM;
use crate::pieces::Pieces;
use crate::quantize::{Cell, Quantizer, Shape};
use crate::repair::repair;
use crate::tile::{BUFFER, EXTENT, TileCoord};
use crate::validity::{is_valid, is_valid_at_edges};
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
    /// The layer's fields before its features.
    pub(crate) head: Vec<u8>,
    pub(crate) codes: Codes,
}

/// The tile and its buffer on its own grid, inclusive.
const BOUNDS: [i32; 4] = [-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER];

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
        let mut units = Units::new(level, spec);
        let mut rows = Vec::with_capacity(candidates.len());
        let mut features = Pieces::default();
        let mut geometry = Vec::new();
        for (i, &row) in candidates.iter().enumerate() {
            if i % UNITS_PER_CHECK == 0 && cancelled() {
                return Err(TemplateError::Cancelled);
            }
            if units.shape(row as usize)? {
                geometry.clear();
                encode::put_geometry(&mut geometry, &units.shape);
                let id = level.id(row as usize);
                features.push(|out| put_feature(out, id, &geometry));
                rows.push(row);
            }
        }
        features.shrink();
        let (values, cells) = Values::build(level, &columns, &rows);
        let width = columns.len() + 2;
        let head = head(level, spec);
        let codes = Codes::train(&head, &features, &cells, &values);
        features.encode(codes.features());
        Ok(Self {
            rows,
            features,
            width,
            cells,
            values,
            head,
            codes,
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

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        size_of_val(self.rows.as_slice())
            + size_of_val(self.cells.as_slice())
            + self.features.heap_bytes()
            + self.values.heap_bytes()
            + self.head.len()
            + self.codes.heap_bytes()
    }
}

/// Whether bounds on the tile's grid lie in the tile and its buffer.
fn is_within(bounds: [i32; 4]) -> bool {
    bounds[0] >= BOUNDS[0]
        && bounds[1] >= BOUNDS[1]
        && bounds[2] <= BOUNDS[2]
        && bounds[3] <= BOUNDS[3]
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

/// Version, name, extent and the keys of all properties.
fn head(level: &Level, spec: &TemplateSpec) -> Vec<u8> {
    let mut out = vec![encode::LAYER_VERSION, 2];
    encode::put_bytes(&mut out, encode::LAYER_NAME, spec.layer.as_bytes());
    out.push(encode::LAYER_EXTENT);
    encode::put_varint(&mut out, u64::from(EXTENT.unsigned_abs()));
    let names = spec
        .properties
        .iter()
        .map(|&i| level.columns()[i].0.as_str());
    for name in ["id", "name"].into_iter().chain(names) {
        encode::put_bytes(&mut out, encode::LAYER_KEY, name.as_bytes());
    }
    out
}

/// Makes one unit's shape after the other.
struct Units<'a> {
    level: &'a Level,
    z: u8,
    quantizer: Quantizer,
    /// The largest M of a vertex that is kept, in zooms.
    m_max: u8,
    shape: Shape,
    spare: Shape,
    clipper: Clipper,
}

impl<'a> Units<'a> {
    fn new(level: &'a Level, spec: &TemplateSpec) -> Self {
        let z = spec.tile.z();
        Self {
            level,
            z,
            quantizer: Quantizer::new(spec.tile),
            m_max: if z >= spec.zoom_max { z + 1 } else { z },
            shape: Shape::default(),
            spare: Shape::default(),
            clipper: Clipper::default(),
        }
    }

    /// Makes `self.shape` what the tile shows of a row. Returns whether it shows anything.
    fn shape(&mut self, row: usize) -> Result<bool, GeometryError> {
        let place = self.fill(row)?;
        if self.shape.is_empty() {
            // Too small for an area: a cell at its place.
            self.show_cell(place);
            return Ok(!self.shape.is_empty());
        }
        let bounds = self.shape.bounds();
        let outside = bounds[0] >= BOUNDS[2]
            || bounds[1] >= BOUNDS[3]
            || bounds[2] <= BOUNDS[0]
            || bounds[3] <= BOUNDS[1];
        if outside {
            return Ok(false);
        }
        let within = is_within(bounds);
        if !within && self.clipper.clip(&mut self.shape, BOUNDS) == Clipped::Doubtful {
            self.fill(row)?;
            self.repair(Some(BOUNDS));
        } else if !self.shape.is_empty() && !self.is_valid(row, within) {
            self.repair(None);
        }
        if self.shape.is_empty()
            && let Some(place) = self.clipper.collapsed().filter(|_| !within)
        {
            self.show_cell(place);
        }
        Ok(!self.shape.is_empty())
    }

    /// Makes the shape valid; a cell stands for one of which nothing is left within the tile.
    fn repair(&mut self, bounds: Option<[i32; 4]>) {
        let place = self.shape.cells()[0];
        repair(&self.shape, bounds, &mut self.spare);
        std::mem::swap(&mut self.shape, &mut self.spare);
        // The overlay rounds where segments cross, sometimes past the frame.
        let stays = self.shape.is_empty()
            || is_within(self.shape.bounds())
            || self.clipper.clip(&mut self.shape, BOUNDS) == Clipped::Done && is_valid(&self.shape);
        if self.shape.is_empty() || !stays {
            self.show_cell(place);
        }
    }

    fn is_valid(&self, row: usize, within: bool) -> bool {
        if self.level.needs_repair(row, self.z) {
            // Flagged, or nobody has looked.
            return !self.level.has_repair_zooms() && is_valid(&self.shape);
        }
        within || is_valid_at_edges(&self.shape, BOUNDS)
    }

    /// A ring of one cell, if the cell is in the tile or its buffer.
    fn show_cell(&mut self, place: Cell) {
        self.shape.clear();
        let Cell { x, y } = place;
        let inside = |v: i32| (-BUFFER..EXTENT + BUFFER).contains(&v);
        if inside(x) && inside(y) {
            let ring = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
            self.shape.push_ring(ring.map(|(x, y)| Cell { x, y }), true);
        }
    }

    /// Quantises the vertices of a row that the zoom keeps. Returns the cell of its first vertex.
    fn fill(&mut self, row: usize) -> Result<Cell, GeometryError> {
        self.shape.clear();
        if self.m_max <= OVERVIEW_ZOOM {
            return self.fill_from_overview(row);
        }
        let error = GeometryError { row };
        let m_max = f64::from(self.m_max);
        let mut place = None;
        for part in self.level.parts(row)? {
            let part = part.ok_or(error)?;
            for (i, ring) in part.rings().enumerate() {
                let ring = ring.ok_or(error)?;
                let xy = part.xy(ring.clone());
                let cell = |xy| self.quantizer.cell(grid_point(xy));
                place = place.or_else(|| xy.first().map(cell));
                let kept = xy
                    .iter()
                    .zip(part.m(ring))
                    .filter(|(_, m)| f64::from_le_bytes(**m) <= m_max);
                self.shape.push_ring(kept.map(|(xy, _)| cell(xy)), i == 0);
            }
        }
        place.ok_or(error)
    }

    fn fill_from_overview(&mut self, row: usize) -> Result<Cell, GeometryError> {
        let overview = self.level.overview()?;
        let m_max = u16::from(self.m_max) * M_PER_ZOOM;
        let mut place = None;
        for (places, weights, exterior) in overview.rings(row) {
            let cell = |p: &_| self.quantizer.cell(*p);
            place = place.or_else(|| places.first().map(cell));
            let kept = places
                .iter()
                .zip(weights)
                .filter(|(_, m)| u16::from(**m) <= m_max);
            self.shape.push_ring(kept.map(|(p, _)| cell(p)), exterior);
        }
        place.ok_or(GeometryError { row })
    }
}
