//! Which units a request is about: a filter, and the level whose units it speaks of.

use tilecore::filter::Filter;

use crate::analysis::Joining;
use crate::criteria;
use crate::http::{HttpError, Query};
use crate::layer::{LayerRef, LevelRef};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The number of the level that the filter speaks of.
    pub level: usize,
    pub filter: Filter,
    /// Whose columns the filter names, if it does.
    pub joining: Option<Joining>,
}

impl Question {
    /// `filter`, `filter-lang` and `filter-level`; without the last it speaks of `level`.
    pub fn parse(
        query: &Query,
        level: LevelRef<'_>,
        joining: Option<&Joining>,
    ) -> Result<Self, HttpError> {
        let spoken = match query.get("filter-level")? {
            None => level,
            Some(name) => named(level.layer, &name)?,
        };
        // One that names no contacts is the same question without them.
        let plain = criteria::filter(query, spoken.data.queryables());
        let (filter, joining) = match (plain, joining) {
            (Err(_), Some(joining)) => {
                let filter = criteria::filter(query, &Joining::queryables(spoken))?;
                (filter, Some(joining.clone()))
            }
            (plain, _) => (plain?, None),
        };
        Ok(Self {
            level: spoken.number,
            filter,
            joining,
        })
    }

    /// The one text of all questions that leave the same units.
    #[must_use]
    pub fn canonical(&self) -> String {
        let (level, filter) = (self.level, self.filter.canonical());
        match &self.joining {
            None => format!("{level}:{filter}"),
            Some(joining) => format!("{level}:{:?}", (filter, joining.canonical())),
        }
    }
}

fn named<'a>(layer: LayerRef<'a>, name: &str) -> Result<LevelRef<'a>, HttpError> {
    let found = layer.levels().find(|level| level.meta.name == name);
    found.ok_or_else(|| HttpError::parameter("filter-level", criteria::levels_of(layer)))
}
