//! `score`, `score-method`: which units come first under the caller's own criteria.

use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Numbers};
use tilecore::filter::{Queryables, Table as _};
use tilecore::score::{Method, Scores, Weights};

use super::{Computed, Named, Overlay};
use crate::http::error::Reason;
use crate::http::{HttpError, Query};
use crate::memo::Fault;

/// How units are scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Scoring {
    weights: Weights,
    method: Method,
}

impl Scoring {
    pub fn parse(query: &Query, queryables: &Queryables) -> Result<Option<Self>, HttpError> {
        let method = match query.get("score-method")? {
            None => Method::default(),
            Some(name) => name.parse().map_err(|error| {
                let reason = Reason::new("unknown_method", Some(&name), &[]);
                HttpError::because("score-method", format!("{error}"), reason)
            })?,
        };
        let Some(text) = query.get("score")? else {
            return Ok(None);
        };
        let weights = Weights::parse(&text, queryables);
        let weights = weights.map_err(|error| HttpError::BadParameter {
            parameter: "score".into(),
            position: Some(error.position),
            detail: error.cause.to_string(),
            reason: Some(Reason::new(
                error.cause.kind(),
                error.cause.value(),
                error.cause.near(),
            )),
        })?;
        Ok(Some(Self { weights, method }))
    }

    #[must_use]
    pub fn canonical(&self) -> String {
        format!("{} {}", self.method.name(), self.weights.canonical())
    }

    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The columns that are criteria.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.weights.criteria().iter().map(|c| c.column.as_str())
    }

    /// `score` and `rank` of the rows that pass; one that misses a criterion has neither.
    pub fn compute(&self, table: &Overlay<'_>, passing: &Bitmap) -> Result<Computed, Fault> {
        let scores = Scores::of(&self.weights, self.method, table, passing)
            .map_err(|error| Fault::Broken(error.to_string()))?;
        let rows = 0..table.rows();
        let score: Numbers = rows
            .clone()
            .map(|row| scores.score(row).map(f64::from))
            .collect();
        let rank: Numbers = rows.map(|row| scores.rank(row).map(f64::from)).collect();
        Ok(Computed {
            columns: vec![
                Named::new("score", Column::Number(score)),
                Named::new("rank", Column::Number(rank)),
            ],
            scores: Some(scores),
        })
    }
}
