//! The units of a level that pass a filter.

use anyhow::anyhow;
use tilecore::Bitmap;
use tilecore::dataset::Level;
use tilecore::dataset::columns::{Column, Texts};
use tilecore::dataset::schema::{self, COLUMN_KEY, COLUMN_NAME, COLUMN_PARENT, Layer};
use tilecore::filter::{Filter, Queryables, Shapes, Table};
use tilecore::geometry::MultiPolygon;

use super::Policy;

/// # Errors
/// When the filter is wrong, or names what the level lacks.
pub(super) fn passing(
    text: &str,
    layer: &Layer,
    meta: &schema::Level,
    level: &Level,
    policy: &Policy,
) -> anyhow::Result<Bitmap> {
    // Whether a unit passes tells of what the filter names.
    let mut visible = layer.clone();
    let shown = |i: &schema::Indicator| policy.shows_indicator(&i.name);
    visible.indicators.retain(shown);
    let queryables = Queryables::of_level(&visible, meta, |name| level.column(name));
    let filter = Filter::parse_text(text, &queryables).map_err(|error| {
        let (position, cause) = (error.position, &error.cause);
        anyhow!(
            "--filter, at character {position}, over level `{}`: {cause}",
            meta.name
        )
    })?;
    Ok(filter.compile(&Columns::of(level))?.evaluate())
}

/// A level as filters see it.
struct Columns<'a> {
    level: &'a Level,
    keys: Column,
    names: Column,
    parents: Column,
}

impl<'a> Columns<'a> {
    fn of(level: &'a Level) -> Self {
        let texts = |text: &dyn Fn(usize) -> Option<&'a str>| {
            Column::Text((0..level.rows()).map(text).collect::<Texts>())
        };
        Self {
            level,
            keys: texts(&|row| Some(level.key(row))),
            names: texts(&|row| Some(level.name(row))),
            parents: texts(&|row| level.parent(row)),
        }
    }
}

impl Table for Columns<'_> {
    fn rows(&self) -> usize {
        self.level.rows()
    }

    fn column(&self, name: &str) -> Option<&Column> {
        match name {
            COLUMN_KEY => Some(&self.keys),
            COLUMN_NAME => Some(&self.names),
            COLUMN_PARENT => Some(&self.parents),
            _ => self.level.column(name),
        }
    }

    fn shapes(&self) -> Option<&dyn Shapes> {
        Some(self)
    }
}

impl Shapes for Columns<'_> {
    fn bounds(&self, row: usize) -> [i32; 4] {
        self.level.bounds_of(row)
    }

    /// The dataset's hashes are verified: a damaged shape was built so, and is nowhere.
    fn geometry(&self, row: usize) -> MultiPolygon {
        self.level.geometry(row).unwrap_or_default()
    }
}
