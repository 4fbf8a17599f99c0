//! What a request has computed for each unit beside its indicators: the figures of the matching
//! units of another level, scores, classes.
//!
//! ```text
//! question ─▸ matching: matched, matched_share, indicators recomputed
//!                └▸ scoring: score, rank ─▸ classing: class
//! ```
//! Computed once per version and criteria, and kept; the same columns go into tiles, lists, cards
//! and statistics, so these agree to the digit.

use std::sync::Arc;

use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Numbers};
use tilecore::filter::Table;
use tilecore::gather::{ExtraColumn, ExtraValues};
use tilecore::score::Scores;

use crate::app::App;
use crate::http::{HttpError, Query};
use crate::memo::{Fault, Place, Wanted, Weigh};
use crate::question::Question;
use crate::snapshot::{LevelRef, Snapshot};

pub mod classing;
pub mod matching;
pub mod scoring;

pub use classing::Classing;
pub use matching::Matching;
pub use scoring::Scoring;

/// What is asked to be computed of the units of a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    pub question: Question,
    pub matching: Option<Matching>,
    pub scoring: Option<Scoring>,
    pub classing: Option<Classing>,
}

/// Columns that are computed together.
#[derive(Debug, Default)]
pub struct Computed {
    pub columns: Vec<Named>,
    /// Behind the columns `score` and `rank`.
    pub scores: Option<Scores>,
}

/// A column that no file holds.
#[derive(Debug, Clone)]
pub struct Named {
    pub name: Box<str>,
    pub column: Column,
}

/// All that was computed, in the order in which it is shown.
#[derive(Debug, Clone, Default)]
pub struct Results(pub Vec<Arc<Computed>>);

impl Analysis {
    /// What `query` asks of the units of a level; `shown` are the indicators that the answer
    /// tells or is ordered by.
    pub fn parse<'n>(
        query: &Query,
        level: LevelRef<'_>,
        shown: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, HttpError> {
        let question = Question::parse(query, level)?;
        let scoring = Scoring::parse(query, level)?;
        let is_matching = question.level < level.number;
        let classing = Classing::parse(query, level, is_matching, scoring.is_some())?;
        let mut named: Vec<&str> = shown.into_iter().collect();
        named.extend(scoring.iter().flat_map(Scoring::columns));
        named.extend(classing.iter().map(Classing::property));
        let matching = is_matching.then(|| Matching::new(level, question.level, &named));
        Ok(Self {
            question,
            matching,
            scoring,
            classing,
        })
    }

    /// The one text of all analyses that compute the same.
    #[must_use]
    pub fn canonical(&self) -> String {
        let scoring = self.scoring.as_ref().map(Scoring::canonical);
        let classing = self.classing.as_ref().map(Classing::canonical);
        // Debug quotes its parts, so no two print alike.
        format!("{:?}", (self.question.canonical(), scoring, classing))
    }

    /// Names of the columns it adds, indicators apart.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        if self.matching.is_some() {
            names.extend(["matched", "matched_share"]);
        }
        if self.scoring.is_some() {
            names.extend(["score", "rank"]);
        }
        if self.classing.is_some() {
            names.push("class");
        }
        names
    }

    /// Computes it for the units that pass.
    pub async fn compute(
        &self,
        app: &App,
        snapshot: &Arc<Snapshot>,
        level: LevelRef<'_>,
    ) -> Result<Results, HttpError> {
        let question = &self.question;
        let mut done = match &self.matching {
            None => Results::default(),
            Some(matching) => matching.compute(app, snapshot, level, question).await?,
        };
        if self.scoring.is_none() && self.classing.is_none() {
            return Ok(done);
        }
        let passing = snapshot.passing(&app.pool, level, question).await?;
        if let Some(scoring) = &self.scoring {
            let asked = format!("{:?}", (question.canonical(), scoring.canonical()));
            let (scoring, before, passing) = (scoring.clone(), done.clone(), passing.clone());
            let work = move |level: LevelRef<'_>| {
                scoring.compute(&before.over(level), &among(level, passing.as_deref()))
            };
            done.0.push(kept(app, snapshot, level, asked, work).await?);
        }
        if let Some(classing) = &self.classing {
            let asked = self.canonical();
            let (classing, before) = (classing.clone(), done.clone());
            let work = move |level: LevelRef<'_>| {
                Ok(classing.compute(&before.over(level), &among(level, passing.as_deref())))
            };
            done.0.push(kept(app, snapshot, level, asked, work).await?);
        }
        Ok(done)
    }
}

/// The columns of a level named `asked`: those kept, or else what `work` gives.
pub async fn kept<F>(
    app: &App,
    snapshot: &Arc<Snapshot>,
    level: LevelRef<'_>,
    asked: String,
    work: F,
) -> Result<Arc<Computed>, HttpError>
where
    F: Fn(LevelRef<'_>) -> Result<Computed, Fault> + Send + 'static,
{
    let (layer, number) = (level.layer.number, level.number);
    let key = ComputedKey {
        layer,
        level: number,
        asked: asked.into(),
    };
    if let Some(columns) = snapshot.computed.get(&key) {
        return Ok(columns);
    }
    let held = Arc::clone(snapshot);
    let compute = move |_: &Wanted| work(held.layer_at(layer).level_at(number));
    let place = Place::Pool(&app.pool);
    Ok(snapshot
        .computed
        .get_or_compute(&key, place, compute)
        .await?)
}

/// The rows of a set, where none stands for all.
fn among(level: LevelRef<'_>, passing: Option<&Bitmap>) -> Bitmap {
    passing.map_or_else(|| Bitmap::full(level.data.level.rows()), Bitmap::clone)
}

/// What names computed columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComputedKey {
    layer: usize,
    level: usize,
    asked: Box<str>,
}

impl Weigh for ComputedKey {
    fn heap_bytes(&self) -> usize {
        self.asked.len()
    }
}

impl Weigh for Computed {
    fn heap_bytes(&self) -> usize {
        let column = |named: &Named| named.name.len() + named.column.len() * 8;
        let columns: usize = self.columns.iter().map(column).sum();
        columns + self.scores.as_ref().map_or(0, Scores::heap_bytes)
    }
}

impl Computed {
    /// One column of numbers.
    #[must_use]
    pub fn of(name: &str, numbers: Numbers) -> Self {
        Self {
            columns: vec![Named::new(name, Column::Number(numbers))],
            scores: None,
        }
    }
}

impl Named {
    #[must_use]
    pub fn new(name: &str, column: Column) -> Self {
        Self {
            name: name.into(),
            column,
        }
    }

    /// As tiles take it; they have no use for a text that is missing everywhere.
    #[must_use]
    pub fn extra(&self) -> Option<ExtraColumn<'_>> {
        match &self.column {
            Column::Number(numbers) => Some(ExtraColumn {
                name: &self.name,
                values: ExtraValues::Number(numbers.values()),
            }),
            Column::Text(_) => None,
        }
    }
}

impl Results {
    pub fn columns(&self) -> impl Iterator<Item = &Named> {
        self.0.iter().flat_map(|computed| &computed.columns)
    }

    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let found = self.columns().find(|named| *named.name == *name);
        found.map(|named| &named.column)
    }

    #[must_use]
    pub fn scores(&self) -> Option<&Scores> {
        self.0.iter().find_map(|computed| computed.scores.as_ref())
    }

    /// A level's columns behind these.
    #[must_use]
    pub fn over<'a>(&'a self, level: LevelRef<'a>) -> Overlay<'a> {
        Overlay {
            level,
            results: self,
        }
    }
}

/// A level's columns behind computed ones of the same name.
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'a> {
    pub level: LevelRef<'a>,
    results: &'a Results,
}

impl Table for Overlay<'_> {
    fn rows(&self) -> usize {
        self.level.data.level.rows()
    }

    fn column(&self, name: &str) -> Option<&Column> {
        let computed = self.results.column(name);
        computed.or_else(|| self.level.data.column(name))
    }
}
