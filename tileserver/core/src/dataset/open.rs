//! A level as readers see it: geometry and columns of its two files, over mapped or owned bytes.
//!
//! Opening checks headers, indexes and column metadata; a feature's bytes are checked when they
//! are read. Bytes that were not written by [`super::write`] give errors, never a panic.

use std::sync::OnceLock;

use arrow_array::{Array, StringArray};
use arrow_buffer::ScalarBuffer;
use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::columns::Column;
use super::fgb::{self, FgbError, Layout, Parts};
use super::index::{PackedIndex, around, touches};
use super::schema;
use super::table::{self, TableError};
use super::text_ranks::TextRanks;
use crate::geometry::{GridPoint, MultiPolygon, Polygon, Ring, Vertex, crosses_east_of};
use crate::overview::Overview;

/// Why a level cannot be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum OpenError {
    #[error("{path}: {error}")]
    Fgb { path: String, error: FgbError },
    #[error("{path}: {error}")]
    Arrow { path: String, error: TableError },
    #[error("{path}: no column `{column}`, which the manifest lists")]
    Column { path: String, column: String },
}

/// A feature whose bytes are not a multipolygon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the geometry of row {row} is damaged: rebuild the dataset")]
pub struct GeometryError {
    /// Of the level.
    pub row: usize,
}

/// One level of a layer, open for reading. Rows are numbered as in both files.
#[derive(Debug)]
pub struct Level {
    fgb: Bytes,
    layout: Layout,
    index: PackedIndex,
    keys: StringArray,
    names: StringArray,
    ids: ScalarBuffer<u64>,
    parents: StringArray,
    repair_zooms: Option<ScalarBuffer<u32>>,
    columns: Vec<(String, Column)>,
    column_numbers: FxHashMap<String, usize>,
    /// Rows by id and by key, made when first asked for.
    by_id: OnceLock<Vec<u32>>,
    by_key: OnceLock<Vec<u32>>,
    text_ranks: OnceLock<TextRanks>,
    overview: OnceLock<Result<Overview, GeometryError>>,
}

impl Level {
    /// Opens the two files of `meta`. Nothing is copied: give it mapped bytes.
    ///
    /// # Errors
    /// When the bytes are damaged or are not what the manifest says.
    pub fn open(meta: &schema::Level, fgb: Bytes, arrow: Bytes) -> Result<Self, OpenError> {
        let (layout, index) = fgb::open(&fgb, meta.rows).map_err(|error| OpenError::Fgb {
            path: meta.fgb.clone(),
            error,
        })?;
        let table = table::open(arrow, meta.rows).map_err(|error| OpenError::Arrow {
            path: meta.arrow.clone(),
            error,
        })?;
        let column_numbers: FxHashMap<String, usize> = table
            .columns
            .iter()
            .enumerate()
            .map(|(number, (name, _))| (name.clone(), number))
            .collect();
        for stats in &meta.columns {
            if !column_numbers.contains_key(&stats.name) {
                return Err(OpenError::Column {
                    path: meta.arrow.clone(),
                    column: stats.name.clone(),
                });
            }
        }
        Ok(Self {
            fgb,
            layout,
            index,
            keys: table.keys,
            names: table.names,
            ids: table.ids,
            parents: table.parents,
            repair_zooms: table.repair_zooms,
            columns: table.columns,
            column_numbers,
            by_id: OnceLock::new(),
            by_key: OnceLock::new(),
            text_ranks: OnceLock::new(),
            overview: OnceLock::new(),
        })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Panics beyond the last row, as do all that take a row.
    #[must_use]
    pub fn key(&self, row: usize) -> &str {
        self.keys.value(row)
    }

    #[must_use]
    pub fn name(&self, row: usize) -> &str {
        self.names.value(row)
    }

    #[must_use]
    pub fn id(&self, row: usize) -> u64 {
        self.ids[row]
    }

    /// The key one level up.
    #[must_use]
    pub fn parent(&self, row: usize) -> Option<&str> {
        (!self.parents.is_null(row)).then(|| self.parents.value(row))
    }

    /// Indicators and hidden columns, in the order of the file.
    #[must_use]
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let number = *self.column_numbers.get(name)?;
        Some(&self.columns[number].1)
    }

    /// Where [`Self::columns`] holds a column.
    #[must_use]
    pub fn column_number(&self, name: &str) -> Option<usize> {
        self.column_numbers.get(name).copied()
    }

    /// See [`super::write::LevelRows::repair_zooms`].
    #[must_use]
    pub fn needs_repair(&self, row: usize, z: u8) -> bool {
        self.repair_zooms
            .as_ref()
            .is_none_or(|zooms| zooms[row] >> z & 1 == 1)
    }

    /// Whether [`Self::needs_repair`] knows, or only says so to be safe.
    #[must_use]
    pub fn has_repair_zooms(&self) -> bool {
        self.repair_zooms.is_some()
    }

    /// Bounds of all rows on the world grid, `[x_min, y_min, x_max, y_max]`.
    #[must_use]
    pub fn extent(&self) -> [i32; 4] {
        self.index.extent()
    }

    /// Bounds of a row on the world grid, `[x_min, y_min, x_max, y_max]`.
    #[must_use]
    pub fn bounds_of(&self, row: usize) -> [i32; 4] {
        self.index.leaves()[row]
    }

    /// Puts the rows whose bounds touch `bounds` into `rows`, ascending.
    pub fn rows_in(&self, bounds: [i32; 4], rows: &mut Vec<u32>) {
        self.index.search(bounds, rows);
    }

    #[must_use]
    pub fn row_of_id(&self, id: u64) -> Option<usize> {
        let by_id = self.by_id.get_or_init(|| {
            let mut rows: Vec<u32> = (0..).take(self.rows()).collect();
            rows.sort_unstable_by_key(|&row| self.id(row as usize));
            rows
        });
        let at = by_id.binary_search_by_key(&id, |&row| self.id(row as usize));
        Some(by_id[at.ok()?] as usize)
    }

    #[must_use]
    pub fn row_of_key(&self, key: &str) -> Option<usize> {
        let by_key = self.by_key.get_or_init(|| {
            let mut rows: Vec<u32> = (0..).take(self.rows()).collect();
            rows.sort_unstable_by_key(|&row| self.key(row as usize));
            rows
        });
        let at = by_key.binary_search_by_key(&key, |&row| self.key(row as usize));
        Some(by_key[at.ok()?] as usize)
    }

    /// A row's full geometry.
    ///
    /// # Errors
    /// When its bytes are damaged.
    pub fn geometry(&self, row: usize) -> Result<MultiPolygon, GeometryError> {
        let polygons = self.parts(row)?.map(|part| {
            let part = part?;
            let mut rings = part.rings().map(|ring| {
                let ring = ring?;
                let places = part.xy(ring.clone()).iter().map(fgb::grid_point);
                let weights = part.m(ring).iter().map(|m| fgb::weight(*m));
                let vertices = places.zip(weights);
                Some(
                    vertices
                        .map(|(p, m)| Vertex { x: p.x, y: p.y, m })
                        .collect(),
                )
            });
            Some(Polygon {
                exterior: rings.next()??,
                holes: rings.collect::<Option<Vec<Ring>>>()?,
            })
        });
        polygons
            .collect::<Option<MultiPolygon>>()
            .ok_or(GeometryError { row })
    }

    /// The row whose full geometry holds a point; the first of several that overlap there. A point
    /// on a border belongs to one of its sides.
    ///
    /// # Errors
    /// When the bytes of a feature near the point are damaged.
    pub fn at(&self, point: GridPoint) -> Result<Option<usize>, GeometryError> {
        let mut rows = Vec::new();
        self.rows_in(around(point), &mut rows);
        for row in rows {
            if self.holds(row as usize, point)? {
                return Ok(Some(row as usize));
            }
        }
        Ok(None)
    }

    /// Whether any row's bounds touch `bounds`.
    #[must_use]
    pub fn touches(&self, bounds: [i32; 4]) -> bool {
        let mut rows = Vec::new();
        touches(self.extent(), bounds) && {
            self.rows_in(bounds, &mut rows);
            !rows.is_empty()
        }
    }

    /// Bytes on the heap; mapped bytes are not counted.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let texts = self.columns.iter().map(|(_, column)| match column {
            Column::Number(_) => 0,
            Column::Text(texts) => {
                let dictionary = texts.dictionary();
                size_of_val(texts.codes())
                    + dictionary.iter().map(|text| text.len() + 16).sum::<usize>()
            }
        });
        let overview = match self.overview.get() {
            Some(Ok(overview)) => overview.heap_bytes(),
            _ => 0,
        };
        let ranks = self.text_ranks.get().map_or(0, TextRanks::heap_bytes);
        self.index.heap_bytes() + texts.sum::<usize>() + overview + ranks
    }

    /// The order of keys and names, made when first asked for.
    pub(crate) fn text_ranks(&self) -> &TextRanks {
        self.text_ranks.get_or_init(|| TextRanks::build(self))
    }

    /// The coarse vertices of all rows, copied when first asked for.
    pub(crate) fn overview(&self) -> Result<&Overview, GeometryError> {
        let overview = self.overview.get_or_init(|| Overview::build(self));
        overview.as_ref().map_err(|error| *error)
    }

    pub(crate) fn parts(&self, row: usize) -> Result<Parts<'_>, GeometryError> {
        self.layout
            .parts(&self.fgb, row)
            .ok_or(GeometryError { row })
    }

    /// Whether a row's full geometry holds a point, by the even-odd rule.
    fn holds(&self, row: usize, point: GridPoint) -> Result<bool, GeometryError> {
        let mut inside = false;
        self.for_each_edge(row, |a, b| inside ^= crosses_east_of(point, a, b))?;
        Ok(inside)
    }

    /// Gives the edges of a row's full geometry, ring by ring.
    pub(crate) fn for_each_edge(
        &self,
        row: usize,
        mut each: impl FnMut(GridPoint, GridPoint),
    ) -> Result<(), GeometryError> {
        let error = GeometryError { row };
        for part in self.parts(row)? {
            let part = part.ok_or(error)?;
            for ring in part.rings() {
                let places = part.xy(ring.ok_or(error)?);
                let Some(last) = places.last() else { continue };
                let mut a = fgb::grid_point(last);
                for b in places.iter().map(fgb::grid_point) {
                    each(a, b);
                    a = b;
                }
            }
        }
        Ok(())
    }
}
