//! What a request has computed for each unit beside its indicators: the figures of the matching
//! units of another level, scores, classes.
//!
//! ```text
//! question ─▸ matching: matched, matched_share, indicators recomputed
//!                └▸ joining: contacts, contacts_per_1000
//!                      └▸ scoring: score, rank ─▸ classing: class
//! ```
//! Computed once per version and criteria, and kept; the same columns go into tiles, lists, cards
//! and statistics, so these agree to the digit.

use std::sync::Arc;

use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Numbers};
use tilecore::filter::{Shapes, Table};
use tilecore::gather::{ExtraColumn, ExtraValues};
use tilecore::score::Scores;

use crate::app::App;
use crate::audit;
use crate::http::{HttpError, Query};
use crate::layer::LevelRef;
use crate::memo::{Fault, Place, Wanted, Weigh};
use crate::pool::Pool;
use crate::question::Question;
use crate::snapshot::Snapshot;

pub mod classing;
pub mod joining;
pub mod matching;
pub mod scoring;

pub use classing::Classing;
pub use joining::Joining;
pub use matching::Matching;
pub use scoring::Scoring;

/// What is asked to be computed of the units of a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    pub question: Question,
    pub joining: Option<Joining>,
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
        snapshot: &Snapshot,
        level: LevelRef<'_>,
        shown: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, HttpError> {
        let joining = Joining::parse(query, snapshot, level.layer)?;
        let question = Question::parse(query, level, joining.as_ref())?;
        let scoring = match joining {
            Some(_) => Scoring::parse(query, &Joining::queryables(level))?,
            None => Scoring::parse(query, level.data.queryables())?,
        };
        let is_matching = question.level < level.number;
        let computed = names(is_matching, joining.is_some(), scoring.is_some());
        let classing = Classing::parse(query, level, &computed)?;
        let mut named: Vec<&str> = shown.into_iter().collect();
        named.extend(scoring.iter().flat_map(Scoring::columns));
        named.extend(classing.iter().map(Classing::property));
        let matching = is_matching.then(|| Matching::new(level, question.level, &named));
        Ok(Self {
            question,
            joining,
            matching,
            scoring,
            classing,
        })
    }

    /// The one text of all analyses that compute the same.
    #[must_use]
    pub fn canonical(&self) -> String {
        let joining = self.joining.as_ref().map(Joining::canonical);
        let scoring = self.scoring.as_ref().map(Scoring::canonical);
        let classing = self.classing.as_ref().map(Classing::canonical);
        // Debug quotes its parts, so no two print alike.
        format!(
            "{:?}",
            (self.question.canonical(), joining, scoring, classing)
        )
    }

    /// Names of the columns it adds, indicators apart.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let (matching, joining) = (self.matching.is_some(), self.joining.is_some());
        let mut names = names(matching, joining, self.scoring.is_some());
        if self.classing.is_some() {
            names.push("class");
        }
        names
    }

    /// Notes that contacts are read, if they are, before anything of them is told.
    pub fn note(&self, app: &App, snapshot: &Snapshot, what: &str) -> Result<(), HttpError> {
        let Some(joining) = &self.joining else {
            return Ok(());
        };
        let (set, filter) = joining.read();
        audit::note(app, snapshot, set, filter, what)
    }

    /// What the contacts' columns are, where contacts are asked for.
    pub async fn describe_contacts(
        &self,
        app: &App,
        snapshot: &Arc<Snapshot>,
        level: LevelRef<'_>,
    ) -> Result<Option<serde_json::Value>, HttpError> {
        match &self.joining {
            None => Ok(None),
            Some(joining) => joining.describe(&app.pool, snapshot, level).await.map(Some),
        }
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
        if let Some(joining) = &self.joining {
            let pool = &app.pool;
            let columns = if self.matching.is_some() {
                let columns = joining.columns_of_matching(pool, snapshot, level, question);
                columns.await?
            } else {
                joining.columns(pool, snapshot, level).await?
            };
            done.0.push(columns);
        }
        if self.scoring.is_none() && self.classing.is_none() {
            return Ok(done);
        }
        let passing = snapshot.passing(&app.pool, level, question).await?;
        if let Some(scoring) = &self.scoring {
            let joining = self.joining.as_ref().map(Joining::canonical);
            let asked = format!("{:?}", (question.canonical(), joining, scoring.canonical()));
            let (scoring, before, passing) = (scoring.clone(), done.clone(), passing.clone());
            let work = move |level: LevelRef<'_>| {
                scoring.compute(&before.over(level), &among(level, passing.as_deref()))
            };
            done.0
                .push(kept(&app.pool, snapshot, level, asked, work).await?);
        }
        if let Some(classing) = &self.classing {
            let asked = self.canonical();
            let (classing, before) = (classing.clone(), done.clone());
            let work = move |level: LevelRef<'_>| {
                Ok(classing.compute(&before.over(level), &among(level, passing.as_deref())))
            };
            done.0
                .push(kept(&app.pool, snapshot, level, asked, work).await?);
        }
        Ok(done)
    }
}

/// Names of what is computed before classes are made of it.
fn names(is_matching: bool, is_joined: bool, is_scored: bool) -> Vec<&'static str> {
    let parts = [
        (is_matching, ["matched", "matched_share"]),
        (is_joined, joining::COLUMNS),
        (is_scored, ["score", "rank"]),
    ];
    let asked = parts.into_iter().filter(|(is_asked, _)| *is_asked);
    asked.flat_map(|(_, names)| names).collect()
}

/// The columns of a level named `asked`: those kept, or else what `work` gives.
pub async fn kept<F>(
    pool: &Pool,
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
    let place = Place::Pool(pool);
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

    fn shapes(&self) -> Option<&dyn Shapes> {
        Some(self.level.data)
    }
}
