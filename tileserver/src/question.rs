//! Which units a request is about: a filter, and the level whose units it speaks of.

use tilecore::filter::Filter;

use crate::criteria;
use crate::http::{HttpError, Query};
use crate::snapshot::{LayerRef, LevelRef};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The number of the level that the filter speaks of.
    pub level: usize,
    pub filter: Filter,
}

impl Question {
    /// `filter`, `filter-lang` and `filter-level`; without the last it speaks of `level`.
    pub fn parse(query: &Query, level: LevelRef<'_>) -> Result<Self, HttpError> {
        let spoken = match query.get("filter-level")? {
            None => level,
            Some(name) => named(level.layer, &name)?,
        };
        Ok(Self {
            level: spoken.number,
            filter: criteria::filter(query, spoken.data.queryables())?,
        })
    }

    /// The one text of all questions that leave the same units.
    #[must_use]
    pub fn canonical(&self) -> String {
        format!("{}:{}", self.level, self.filter.canonical())
    }
}

fn named<'a>(layer: LayerRef<'a>, name: &str) -> Result<LevelRef<'a>, HttpError> {
    let found = layer.levels().find(|level| level.meta.name == name);
    found.ok_or_else(|| HttpError::parameter("filter-level", criteria::levels_of(layer)))
}
