//! A layer of a snapshot and its levels, as those who answer requests pass them on.

use tilecore::Bitmap;
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::{self, COLUMN_KEY, COLUMN_PARENT};
use tilecore::filter::Table as _;
use tilecore::mercator::{LATITUDE_MAX, bounds_in_degrees};
use tilecore::recompute::Parents;

use crate::level::LevelData;

/// West, south, east, north of the map in degrees: told where nothing else is.
pub const WORLD: [f64; 4] = [-180.0, -LATITUDE_MAX, 180.0, LATITUDE_MAX];

/// A layer of a snapshot.
#[derive(Debug, Clone, Copy)]
pub struct LayerRef<'a> {
    pub number: usize,
    pub meta: &'a schema::Layer,
    data: &'a [LevelData],
}

/// A level of a snapshot.
#[derive(Debug, Clone, Copy)]
pub struct LevelRef<'a> {
    pub layer: LayerRef<'a>,
    pub number: usize,
    pub meta: &'a schema::Level,
    pub data: &'a LevelData,
}

impl<'a> LayerRef<'a> {
    /// `data` are those of the levels, in the order of `meta`.
    pub(crate) fn new(number: usize, meta: &'a schema::Layer, data: &'a [LevelData]) -> Self {
        Self { number, meta, data }
    }

    /// All levels, the finest first.
    pub fn levels(self) -> impl Iterator<Item = LevelRef<'a>> {
        (0..self.data.len()).map(move |number| self.level_at(number))
    }

    /// The level of a number. Panics beyond the last.
    #[must_use]
    pub fn level_at(self, number: usize) -> LevelRef<'a> {
        LevelRef {
            layer: self,
            number,
            meta: &self.meta.levels[number],
            data: &self.data[number],
        }
    }

    /// The level that tiles of a zoom show.
    #[must_use]
    pub fn level_of_zoom(self, z: u8) -> Option<LevelRef<'a>> {
        self.levels()
            .find(|level| (level.meta.zooms[0]..=level.meta.zooms[1]).contains(&z))
    }

    /// First and last zoom of any level.
    #[must_use]
    pub fn zooms(self) -> [u8; 2] {
        let zooms = self.meta.levels.iter().map(|level| level.zooms);
        zooms.fold([u8::MAX, 0], |all, one| {
            [all[0].min(one[0]), all[1].max(one[1])]
        })
    }

    /// West, south, east, north in degrees of all levels that have units.
    #[must_use]
    pub fn bounds(self) -> [f64; 4] {
        let levels = self.meta.levels.iter().filter(|level| level.rows > 0);
        levels
            .map(|level| level.bounds)
            .reduce(|a, b| {
                [
                    a[0].min(b[0]),
                    a[1].min(b[1]),
                    a[2].max(b[2]),
                    a[3].max(b[3]),
                ]
            })
            .unwrap_or(WORLD)
    }

    /// Where a map of it opens: the bounds in degrees of nearly all units, or of all.
    #[must_use]
    pub fn home(self) -> [f64; 4] {
        let home = self.data.first().and_then(LevelData::home);
        bounds_in_degrees(home).unwrap_or_else(|| self.bounds())
    }

    /// The indicators that users see.
    pub fn indicators(self) -> impl Iterator<Item = &'a schema::Indicator> {
        self.meta.indicators.iter().filter(|i| !i.hidden)
    }
}

impl<'a> LevelRef<'a> {
    /// The unit of the next coarser level that holds one of this level's, if it may be seen.
    #[must_use]
    pub fn parent(self, row: usize) -> Option<(LevelRef<'a>, usize)> {
        let coarser = self.layer.levels().nth(self.number + 1)?;
        let row = self.ancestors(coarser.number).get(row)?;
        coarser.data.permits(row).then_some((coarser, row))
    }

    /// Per unit the one of a coarser level that holds it.
    #[must_use]
    pub fn ancestors(self, coarser: usize) -> &'a Parents {
        self.data.ancestors(coarser).get_or_init(|| {
            let next = self.layer.level_at(self.number + 1);
            if coarser > next.number {
                return self.ancestors(next.number).then(next.ancestors(coarser));
            }
            match (
                self.data.column(COLUMN_PARENT),
                next.data.column(COLUMN_KEY),
            ) {
                (Some(Column::Text(parents)), Some(Column::Text(keys))) => {
                    Parents::of(parents, keys)
                }
                _ => unreachable!("both are texts of every level"),
            }
        })
    }

    /// The units that hold one of `rows` of a finer level, or that one of a coarser level holds.
    pub(crate) fn carried_from(self, of: usize, rows: &Bitmap) -> Bitmap {
        let mut carried = Bitmap::empty(self.data.level.rows());
        if of < self.number {
            let ancestors = self.layer.level_at(of).ancestors(self.number);
            for row in rows.iter().filter_map(|row| ancestors.get(row)) {
                carried.insert(row);
            }
        } else {
            let ancestors = self.ancestors(of);
            let held = |row: &usize| ancestors.get(*row).is_some_and(|row| rows.contains(row));
            for row in (0..carried.len()).filter(held) {
                carried.insert(row);
            }
        }
        carried
    }

    /// Whether the layer shows an indicator of this name.
    #[must_use]
    pub fn shows(self, name: &str) -> bool {
        self.layer.indicators().any(|i| i.name == name)
    }
}
