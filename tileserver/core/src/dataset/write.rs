//! Writes a level's two files: geometry as FlatGeobuf, columns as Arrow IPC.
//!
//! [`LevelRows`] come in any order; [`SortedRows`] are in the order of both files, which is that
//! of [`crate::dataset::Level`]'s rows. Equal rows give equal bytes, whatever order they came in.

use std::borrow::Cow;
use std::io::{self, Seek, Write};

use flatgeobuf::packed_r_tree::{NodeItem, calc_extent, hilbert_sort};

use super::columns::Column;
use super::schema::{COLUMN_ID, COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT, COLUMN_REPAIR_ZOOMS};
use super::{write_arrow, write_fgb};
use crate::geometry::{self, GridPoint, M_MAX, MultiPolygon, Polygon, Ring, WORLD_CELLS};
use crate::mercator::metres_from_grid;

/// The polygons of rows: kept, or made one row after the other as they are written, when all at
/// once would be too much memory.
pub trait Geometries {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// The polygons of a row.
    fn geometry(&self, row: usize) -> Cow<'_, MultiPolygon>;

    /// The bounds of a row on the world grid, `[x_min, y_min, x_max, y_max]`; none if it has no
    /// polygon, more than [`VERTICES_MAX`] vertices, or a ring that is none or beyond the world.
    fn bounds(&self, row: usize) -> Option<[i32; 4]>;
}

impl Geometries for Vec<MultiPolygon> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn geometry(&self, row: usize) -> Cow<'_, MultiPolygon> {
        Cow::Borrowed(&self[row])
    }

    fn bounds(&self, row: usize) -> Option<[i32; 4]> {
        let rings = || self[row].iter().flat_map(Polygon::rings);
        let vertices: usize = rings().map(Vec::len).sum();
        let is_sound = vertices <= VERTICES_MAX && rings().all(is_ring);
        let exteriors = self[row].iter().flat_map(|polygon| &polygon.exterior);
        geometry::bounds(exteriors.map(|vertex| vertex.point())).filter(|_| is_sound)
    }
}

/// The rows of a level in any order; every vector has one entry a row.
#[derive(Debug, Default)]
pub struct LevelRows<G = Vec<MultiPolygon>> {
    /// Unique.
    pub keys: Vec<String>,
    pub names: Vec<String>,
    /// Unique in the layer, below 2⁵³.
    pub ids: Vec<u64>,
    /// The key one level up.
    pub parents: Vec<Option<String>>,
    /// At least one polygon each.
    pub geometries: G,
    /// In the order of the files' columns.
    pub columns: Vec<(String, Column)>,
    /// The columns that only the `.arrow` holds: components that recompute others under a filter.
    pub hidden: Vec<String>,
    /// Bit z, up to [`REPAIR_ZOOM_MAX`], is set when the unit's polygon, as tiles show it at zoom
    /// z, is not valid by itself and has to be repaired there. "As tiles show it": the vertices
    /// with `m <= z * M_PER_ZOOM`, each moved to the tile grid as [`crate::quantize`] does,
    /// repeated vertices and rings without area left out. Set too when nobody has looked, as at
    /// zooms that do not show the level. Empty when nobody has looked at any: every polygon is then
    /// checked in every tile, as it is at the layer's last zoom.
    pub repair_zooms: Vec<u32>,
}

/// The last zoom that [`LevelRows::repair_zooms`] speaks of.
pub const REPAIR_ZOOM_MAX: u8 = 14;

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message documents the variant")]
pub enum WriteError {
    #[error("the level has no rows: check the polygons it is made from")]
    NoRows,
    #[error("{what} has {found} entries for {rows} rows")]
    Length {
        what: String,
        found: usize,
        rows: usize,
    },
    #[error("key `{0}` occurs twice: keys must be unique in a level")]
    DuplicateKey(String),
    #[error("id {id} of `{key}` occurs twice or is not below 2^53")]
    Id { key: String, id: u64 },
    #[error(
        "`{key}` has no polygon, over {VERTICES_MAX} vertices, or a ring of fewer than 3 vertices \
         or beyond the world"
    )]
    Geometry { key: String },
    #[error("{0} columns: a level holds at most {COLUMNS_MAX}")]
    TooManyColumns(usize),
    #[error("column `{0}` occurs twice or has a reserved name: rename it")]
    ColumnName(String),
    #[error("column `{0}` holds more than 2 GiB of text")]
    TextTooLong(String),
    #[error("cannot write the level's columns: {0}")]
    Arrow(arrow_schema::ArrowError),
    #[error("cannot write the level: {0}")]
    Io(#[from] io::Error),
}

impl From<arrow_schema::ArrowError> for WriteError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        match error {
            // A full disk stays one, for whoever knows what to do about it.
            arrow_schema::ArrowError::IoError(_, source) => Self::Io(source),
            other => Self::Arrow(other),
        }
    }
}

/// Columns that every file has; no other may take their names.
const FILE_COLUMNS: &[&str] = &[
    COLUMN_KEY,
    COLUMN_NAME,
    COLUMN_ID,
    COLUMN_PARENT,
    COLUMN_REPAIR_ZOOMS,
];

/// A FlatGeobuf feature counts its columns in 16 bits.
const COLUMNS_MAX: usize = 60_000;

/// A FlatGeobuf feature holds less than 2 GiB.
pub const VERTICES_MAX: usize = 50_000_000;

/// Valid rows in the order of the files: Hilbert order, ties by key.
#[derive(Debug)]
pub struct SortedRows<G = Vec<MultiPolygon>> {
    rows: LevelRows<G>,
    /// By row, where its polygons are among the geometries, which stay in the order they came in.
    order: Vec<u32>,
    /// Bounds on the world grid, `[x_min, y_min, x_max, y_max]`.
    bounds: Vec<[i32; 4]>,
}

impl<G: Geometries> SortedRows<G> {
    /// Checks the rows and puts them in order.
    ///
    /// # Errors
    /// When the rows break a rule of [`LevelRows`].
    pub fn new(mut rows: LevelRows<G>) -> Result<Self, WriteError> {
        check(&rows)?;
        let mut bounds = bounds(&rows)?;
        let mut by_key: Vec<u32> = (0..).take(rows.keys.len()).collect();
        by_key.sort_unstable_by(|&a, &b| rows.keys[a as usize].cmp(&rows.keys[b as usize]));
        let twin = by_key.windows(2).find(|pair| {
            let [a, b] = [pair[0] as usize, pair[1] as usize];
            rows.keys[a] == rows.keys[b]
        });
        if let Some(pair) = twin {
            return Err(WriteError::DuplicateKey(
                rows.keys[pair[0] as usize].clone(),
            ));
        }
        let order = hilbert_order(&by_key, &bounds);
        take(&mut bounds, &order);
        take(&mut rows.keys, &order);
        take(&mut rows.names, &order);
        take(&mut rows.ids, &order);
        take(&mut rows.parents, &order);
        if !rows.repair_zooms.is_empty() {
            take(&mut rows.repair_zooms, &order);
        }
        for (_, column) in &mut rows.columns {
            *column = column.take(&order);
        }
        Ok(Self {
            rows,
            order,
            bounds,
        })
    }

    /// The rows in the order of the files; only their geometries are in the order they came in.
    #[must_use]
    pub fn rows(&self) -> &LevelRows<G> {
        &self.rows
    }

    /// Each row's bounds on the world grid, `[x_min, y_min, x_max, y_max]`.
    #[must_use]
    pub fn bounds(&self) -> &[[i32; 4]] {
        &self.bounds
    }

    /// Writes the `.fgb`; `name` is what GIS software calls the layer.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_fgb(&self, name: &str, out: impl Write + Seek) -> Result<(), WriteError> {
        Ok(write_fgb::write(
            name,
            &self.rows,
            &self.order,
            &self.bounds,
            out,
        )?)
    }

    /// Writes the `.arrow`.
    ///
    /// # Errors
    /// When `out` fails or a column holds too much text.
    pub fn write_arrow(&self, out: impl Write) -> Result<(), WriteError> {
        write_arrow::write(&self.rows, out)
    }
}

fn check<G: Geometries>(rows: &LevelRows<G>) -> Result<(), WriteError> {
    let count = rows.keys.len();
    if count == 0 {
        return Err(WriteError::NoRows);
    }
    let same = |what: &str, found: usize| {
        (found == count)
            .then_some(())
            .ok_or_else(|| WriteError::Length {
                what: what.to_owned(),
                found,
                rows: count,
            })
    };
    same("names", rows.names.len())?;
    same("ids", rows.ids.len())?;
    same("parents", rows.parents.len())?;
    same("geometries", rows.geometries.rows())?;
    if !rows.repair_zooms.is_empty() {
        same("repair_zooms", rows.repair_zooms.len())?;
    }
    for (name, column) in &rows.columns {
        same(&format!("column `{name}`"), column.len())?;
    }
    check_names(&rows.columns)?;
    let mut ids: Vec<(u64, usize)> = rows.ids.iter().copied().zip(0..).collect();
    ids.sort_unstable();
    let twin = ids.windows(2).find(|pair| pair[0].0 == pair[1].0);
    let large = ids.last().filter(|(id, _)| *id >= 1 << 53);
    if let Some((id, row)) = twin.map(|pair| pair[1]).or(large.copied()) {
        return Err(WriteError::Id {
            key: rows.keys[row].clone(),
            id,
        });
    }
    Ok(())
}

fn check_names(columns: &[(String, Column)]) -> Result<(), WriteError> {
    if columns.len() > COLUMNS_MAX {
        return Err(WriteError::TooManyColumns(columns.len()));
    }
    let mut names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let twin = names.windows(2).find(|pair| pair[0] == pair[1]);
    let reserved = names.iter().find(|name| FILE_COLUMNS.contains(name));
    match twin.map(|pair| pair[0]).or(reserved.copied()) {
        Some(name) => Err(WriteError::ColumnName(name.to_owned())),
        None => Ok(()),
    }
}

fn is_ring(ring: &Ring) -> bool {
    let world = 0..=WORLD_CELLS;
    ring.len() >= 3
        && ring
            .iter()
            .all(|v| world.contains(&v.x) && world.contains(&v.y) && v.m <= M_MAX)
}

/// Each row's bounds.
fn bounds<G: Geometries>(rows: &LevelRows<G>) -> Result<Vec<[i32; 4]>, WriteError> {
    let bounds = rows.keys.iter().enumerate().map(|(row, key)| {
        let bounds = rows.geometries.bounds(row);
        bounds.ok_or_else(|| WriteError::Geometry { key: key.clone() })
    });
    bounds.collect()
}

/// The leaf of the packed R-tree for bounds on the world grid.
pub(super) fn leaf(bounds: [i32; 4], offset: u64) -> NodeItem {
    let [x_min, y_min, x_max, y_max] = bounds;
    // y southwards on the grid, northwards in metres.
    let (west, north) = metres_from_grid(GridPoint { x: x_min, y: y_min });
    let (east, south) = metres_from_grid(GridPoint { x: x_max, y: y_max });
    NodeItem {
        min_x: west,
        min_y: south,
        max_x: east,
        max_y: north,
        offset,
    }
}

/// Rows by descending Hilbert value of their centre, ties as in `by_key`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the offsets are rows, which are u32"
)]
fn hilbert_order(by_key: &[u32], bounds: &[[i32; 4]]) -> Vec<u32> {
    let mut leaves: Vec<NodeItem> = by_key
        .iter()
        .map(|&row| leaf(bounds[row as usize], u64::from(row)))
        .collect();
    let extent = calc_extent(&leaves);
    hilbert_sort(&mut leaves, &extent);
    leaves.iter().map(|leaf| leaf.offset as u32).collect()
}

/// Reorders `values` so that entry i is what `order[i]` was; `order` is a permutation.
fn take<T: Default>(values: &mut Vec<T>, order: &[u32]) {
    *values = order
        .iter()
        .map(|&row| std::mem::take(&mut values[row as usize]))
        .collect();
}
