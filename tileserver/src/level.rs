//! A level as filters see it: its columns with keys, names and parents among them, and its shapes.

use std::sync::{Arc, OnceLock};

use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Texts};
use tilecore::dataset::schema::{self, COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT};
use tilecore::dataset::{GeometryError, Level};
use tilecore::filter::{Queryables, Shapes, Table};
use tilecore::geometry::{GridPoint, MultiPolygon};
use tilecore::recompute::Parents;

use crate::home::home;

/// A level and what is derived from it when first asked for.
#[derive(Debug)]
pub struct LevelData {
    pub level: Arc<Level>,
    /// The rows that its callers may see; `None` for all.
    permitted: Option<Arc<Bitmap>>,
    queryables: Queryables,
    keys: OnceLock<Column>,
    names: OnceLock<Column>,
    parents: OnceLock<Column>,
    home: OnceLock<Option<[i32; 4]>>,
    /// By level of the layer, for those that are coarser.
    ancestors: Vec<OnceLock<Parents>>,
}

impl LevelData {
    #[must_use]
    pub fn new(
        layer: &schema::Layer,
        meta: &schema::Level,
        level: Arc<Level>,
        permitted: Option<Arc<Bitmap>>,
    ) -> Self {
        // The values of a text are those of all rows.
        let column = |name: &str| level.column(name).filter(|_| permitted.is_none());
        let queryables = Queryables::of_level(layer, meta, column);
        Self {
            level,
            permitted,
            queryables,
            keys: OnceLock::new(),
            names: OnceLock::new(),
            parents: OnceLock::new(),
            home: OnceLock::new(),
            ancestors: layer.levels.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// Where the units' ancestors at a level are kept once they are known.
    pub(crate) fn ancestors(&self, level: usize) -> &OnceLock<Parents> {
        &self.ancestors[level]
    }

    /// The rows that may be seen; `None` for all.
    #[must_use]
    pub fn permitted(&self) -> Option<&Arc<Bitmap>> {
        self.permitted.as_ref()
    }

    /// Whether a row may be seen.
    #[must_use]
    pub fn permits(&self, row: usize) -> bool {
        self.permitted
            .as_ref()
            .is_none_or(|rows| rows.contains(row))
    }

    /// The rows that may be seen.
    pub fn seen(&self) -> impl Iterator<Item = usize> {
        (0..self.level.rows()).filter(|&row| self.permits(row))
    }

    /// Those of them whose bounds meet `bounds` on the grid.
    #[must_use]
    pub fn seen_in(&self, bounds: [i32; 4]) -> Vec<usize> {
        let mut rows = Vec::new();
        self.level.rows_in(bounds, &mut rows);
        let rows = rows.into_iter().map(|row| row as usize);
        rows.filter(|&row| self.permits(row)).collect()
    }

    /// The one of a key, if it may be seen.
    #[must_use]
    pub fn row_of_key(&self, key: &str) -> Option<usize> {
        self.level.row_of_key(key).filter(|&row| self.permits(row))
    }

    /// The one of a number, if it may be seen.
    #[must_use]
    pub fn row_of_id(&self, id: u64) -> Option<usize> {
        self.level.row_of_id(id).filter(|&row| self.permits(row))
    }

    /// The one that holds a point, if it may be seen.
    ///
    /// # Errors
    /// When the shape of one near it is damaged.
    pub fn at(&self, point: GridPoint) -> Result<Option<usize>, GeometryError> {
        let row = self.level.at(point)?;
        Ok(row.filter(|&row| self.permits(row)))
    }

    /// Where most of the rows that may be seen are; see [`home()`].
    #[must_use]
    pub fn home(&self) -> Option<[i32; 4]> {
        *self.home.get_or_init(|| {
            let bounds = self.seen().map(|row| self.level.bounds_of(row));
            home(&bounds.collect::<Vec<_>>())
        })
    }

    /// What filters over the level may name.
    #[must_use]
    pub fn queryables(&self) -> &Queryables {
        &self.queryables
    }

    fn texts<'a>(&'a self, text: impl Fn(usize) -> Option<&'a str>) -> Column {
        Column::Text((0..self.level.rows()).map(text).collect::<Texts>())
    }
}

impl Table for LevelData {
    fn rows(&self) -> usize {
        self.level.rows()
    }

    fn column(&self, name: &str) -> Option<&Column> {
        let level = &self.level;
        Some(match name {
            COLUMN_KEY => self
                .keys
                .get_or_init(|| self.texts(|row| Some(level.key(row)))),
            COLUMN_NAME => self
                .names
                .get_or_init(|| self.texts(|row| Some(level.name(row)))),
            COLUMN_PARENT => self
                .parents
                .get_or_init(|| self.texts(|row| level.parent(row))),
            _ => return level.column(name),
        })
    }

    fn shapes(&self) -> Option<&dyn Shapes> {
        Some(self)
    }
}

impl Shapes for LevelData {
    fn bounds(&self, row: usize) -> [i32; 4] {
        self.level.bounds_of(row)
    }

    /// A damaged shape is nowhere.
    fn geometry(&self, row: usize) -> MultiPolygon {
        self.level.geometry(row).unwrap_or_default()
    }
}
