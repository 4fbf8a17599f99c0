//! `filter-level`: a filter on the units of one level, told by the units of a coarser one: how
//! many match, what share of all they are, and the indicators of the matching ones together,
//! recomputed from their counts.

use std::collections::BTreeSet;
use std::sync::Arc;

use tilecore::Bitmap;
use tilecore::dataset::columns::{Column, Numbers, Texts};
use tilecore::dataset::schema::{Indicator, Kind, Recompute};
use tilecore::recompute::Formula;

use super::{Computed, Named, Results, among, kept};
use crate::app::App;
use crate::http::HttpError;
use crate::layer::{LayerRef, LevelRef};
use crate::memo::Fault;
use crate::question::Question;
use crate::snapshot::Snapshot;

/// What is told of the matching units.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// The level that the filter speaks of.
    fine: usize,
    indicators: BTreeSet<String>,
}

impl Matching {
    /// Of the indicators among `named`; other names add nothing.
    #[must_use]
    pub fn new(level: LevelRef<'_>, fine: usize, named: &[&str]) -> Self {
        let of_layer = |name: &&&str| level.shows(name);
        let indicators = named.iter().filter(of_layer);
        Self {
            fine,
            indicators: indicators.map(|&name| name.to_owned()).collect(),
        }
    }

    /// `matched`, `matched_share`, and the indicators in the layer's order.
    pub async fn compute(
        &self,
        app: &App,
        snapshot: &Arc<Snapshot>,
        level: LevelRef<'_>,
        question: &Question,
    ) -> Result<Results, HttpError> {
        let fine = self.fine;
        let rows = snapshot.spoken(&app.pool, level.layer, question).await?;
        let asked = question.canonical();
        let counted = {
            let rows = rows.clone();
            move |level: LevelRef<'_>| counts(level, fine, rows.as_deref())
        };
        let mut done = vec![kept(&app.pool, snapshot, level, asked.clone(), counted).await?];
        let indicators = level.layer.meta.indicators.iter().enumerate();
        for (number, indicator) in indicators {
            if !self.indicators.contains(&indicator.name) {
                continue;
            }
            let rows = rows.clone();
            let work = move |level: LevelRef<'_>| {
                let indicator = &level.layer.meta.indicators[number];
                recomputed(level, fine, indicator, rows.as_deref())
            };
            let asked = format!("{:?}", (&asked, &indicator.name));
            done.push(kept(&app.pool, snapshot, level, asked, work).await?);
        }
        Ok(Results(done))
    }
}

fn counts(level: LevelRef<'_>, fine: usize, matching: Option<&Bitmap>) -> Result<Computed, Fault> {
    let filtered = level.layer.level_at(fine);
    let ancestors = filtered.ancestors(level.number);
    let matching = among(filtered, matching);
    let matched = ancestors.matched(&matching).into_iter();
    let matched: Numbers = matched.map(|count| Some(f64::from(count))).collect();
    let share = ancestors.matched_share(&matching, &weights(level.layer, filtered)?);
    Ok(Computed {
        columns: vec![
            Named::new("matched", Column::Number(matched)),
            Named::new("matched_share", Column::Number(share)),
        ],
        scores: None,
    })
}

/// What each unit of a level weighs; without a weight, all weigh the same. One that may not be seen
/// weighs nothing.
pub fn weights(layer: LayerRef<'_>, level: LevelRef<'_>) -> Result<Vec<f64>, Fault> {
    let weight = weight_of(layer, level)?;
    let mut weights =
        weight.map_or_else(|| vec![1.0; level.data.level.rows()], |(_, values)| values);
    if let Some(permitted) = level.data.permitted() {
        for (row, weight) in weights.iter_mut().enumerate() {
            if !permitted.contains(row) {
                *weight = 0.0;
            }
        }
    }
    Ok(weights)
}

/// The first weight of the layer that the level has, and its values.
pub fn weight_of<'a>(
    layer: LayerRef<'a>,
    level: LevelRef<'_>,
) -> Result<Option<(&'a Recompute, Vec<f64>)>, Fault> {
    let data = &level.data.level;
    for weight in &layer.meta.weights {
        let formula = Formula::parse(weight).map_err(|error| Fault::Broken(error.to_string()))?;
        let numbers = |column| match data.column(column) {
            Some(Column::Number(numbers)) => Some(numbers.values()),
            _ => None,
        };
        let parts = formula.components().iter();
        let parts: Option<Vec<&[f64]>> = parts.map(|part| numbers(&part.column)).collect();
        let Some(parts) = parts else { continue };
        let weigh = |row: usize| {
            let values: Vec<f64> = parts.iter().map(|part| part[row]).collect();
            formula.evaluate(&values)
        };
        return Ok(Some((weight, (0..data.rows()).map(weigh).collect())));
    }
    Ok(None)
}

/// Missing where it does not follow from counts: a median, a text, a figure of a coarser table.
fn recomputed(
    level: LevelRef<'_>,
    fine: usize,
    indicator: &Indicator,
    matching: Option<&Bitmap>,
) -> Result<Computed, Fault> {
    let filtered = level.layer.level_at(fine);
    let formula = match &indicator.recompute {
        Some(recompute)
            if indicator.kind == Kind::Number
                && filtered.data.level.column(&indicator.name).is_some() =>
        {
            Formula::parse(recompute).map_err(|error| Fault::Broken(error.to_string()))?
        }
        _ => return Ok(missing(level, indicator)),
    };
    let matching = among(filtered, matching);
    let ancestors = filtered.ancestors(level.number);
    let numbers = ancestors
        .recompute(&formula, filtered.data, &matching)
        .map_err(|error| Fault::Broken(error.to_string()))?;
    Ok(Computed::of(&indicator.name, numbers))
}

fn missing(level: LevelRef<'_>, indicator: &Indicator) -> Computed {
    let rows = level.data.level.rows();
    let column = match indicator.kind {
        Kind::Number => Column::Number(vec![None; rows].into_iter().collect::<Numbers>()),
        Kind::Text => Column::Text(vec![None; rows].into_iter().collect::<Texts>()),
    };
    Computed {
        columns: vec![Named::new(&indicator.name, column)],
        scores: None,
    }
}
