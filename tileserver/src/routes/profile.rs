//! `/{layer}/profile`: a segment of contacts against the electorate, by what their areas are like.
//! To the staff of the contacts' tenant alone, as contacts are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tilecore::dataset::columns::{Column, Texts};
use tilecore::dataset::schema::{Indicator, Kind};
use tilecore::filter::Table as _;
use tilecore::profile::{self, CLASS_MIN, CONTACTS_MIN, Segment, Standardised};
use tilecore::rates::empirical_bayes;

use crate::analysis::Analysis;
use crate::app::App;
use crate::criteria;
use crate::figure::figure;
use crate::http::path::Segments;
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::LevelRef;
use crate::memo::Fault;

/// Indicators of one profile.
const INDICATORS_MAX: usize = 20;

/// Areas listed.
const LIMIT: usize = 20;
const LIMIT_MAX: usize = 1_000;

/// Of areas with contacts, those where the segment is strongest: one in so many.
const SEEDS_SHARE: usize = 10;

/// More seeds make a slower ranking, not a better one.
const SEEDS_MAX: usize = 500;

/// What is asked of a segment.
struct Asking {
    layer: usize,
    level: usize,
    indicators: Vec<String>,
    limit: usize,
}

pub async fn profile(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let level = criteria::level(&query, layer)?;
    let analysis = Analysis::parse(&query, &snapshot, level, [])?;
    let Some(joining) = analysis.joining.clone() else {
        return Err(HttpError::parameter("contacts", "name the contact set"));
    };
    let asking = Asking::parse(&query, level)?;
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    analysis.note(&app, &snapshot, path.after_root())?;
    let told = joining.describe(&app.pool, &snapshot, level).await?;
    let counted = joining.columns(&app.pool, &snapshot, level).await?;
    let passing = snapshot
        .passing(&app.pool, level, &analysis.question)
        .await?;
    let held = Arc::clone(&snapshot);
    let work = move || {
        let level = held.layer_at(asking.layer).level_at(asking.level);
        let mut contacts = match counted.columns.first().map(|named| &named.column) {
            Some(Column::Number(numbers)) => numbers.values().to_vec(),
            _ => return Err(HttpError::Internal),
        };
        if let Some(passing) = &passing {
            for (row, count) in contacts.iter_mut().enumerate() {
                if !passing.contains(row) {
                    *count = f64::NAN;
                }
            }
        }
        let electors = joining.base(level).map_err(|fault| {
            if let Fault::Broken(cause) = fault {
                tracing::error!(cause, "cannot tell the electorate of a profile");
            }
            HttpError::Internal
        })?;
        let Some(Column::Number(electors)) = electors else {
            let detail = "name the indicator that counts the electorate: this level has no weight";
            return Err(HttpError::parameter("contacts-denominator", detail));
        };
        asking.answer(level, &Segment::new(&contacts, electors.values()))
    };
    let mut answer = app.pool.run(work).await??;
    answer["contacts"] = told;
    Ok(Answer::json(&answer, freshness).respond(&asked))
}

impl Asking {
    fn parse(query: &Query, level: LevelRef<'_>) -> Result<Self, HttpError> {
        let asked = criteria::properties(query, &[level.layer], level.layer)?;
        let of_layer = &level.layer.meta.default_properties;
        let default = || {
            level
                .layer
                .indicators()
                .filter(|i| of_layer.contains(&i.name))
        };
        let asked: Vec<&Indicator> = asked.unwrap_or_else(|| default().collect());
        let here = |i: &&Indicator| level.data.level.column(&i.name).is_some();
        let indicators: Vec<String> = asked
            .into_iter()
            .filter(here)
            .map(|i| i.name.clone())
            .collect();
        if indicators.is_empty() || indicators.len() > INDICATORS_MAX {
            let detail = format!("name 1 to {INDICATORS_MAX} indicators of this level");
            return Err(HttpError::parameter("properties", detail));
        }
        let limit = match query.get("limit")? {
            None => LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LIMIT_MAX).contains(limit))
                .ok_or_else(|| HttpError::parameter("limit", format!("give 1 to {LIMIT_MAX}")))?,
        };
        Ok(Self {
            layer: level.layer.number,
            level: level.number,
            indicators,
            limit,
        })
    }

    fn answer(&self, level: LevelRef<'_>, segment: &Segment) -> Result<Value, HttpError> {
        if segment.contacts() < CONTACTS_MIN {
            let detail = format!(
                "{} contacts in these areas are too few for a profile: {CONTACTS_MIN} at least",
                segment.contacts()
            );
            return Err(HttpError::parameter("contacts", detail));
        }
        let named = |name: &String| level.layer.indicators().find(|i| i.name == *name);
        let indicators: Vec<&Indicator> = self.indicators.iter().filter_map(named).collect();
        let described: Vec<Value> = indicators
            .iter()
            .map(|i| describe(i, level, segment))
            .collect();
        let numbers: Vec<(&Indicator, &[f64])> = indicators
            .iter()
            .filter_map(|i| match level.data.column(&i.name) {
                Some(Column::Number(numbers)) => Some((*i, numbers.values())),
                _ => None,
            })
            .collect();
        let columns: Vec<&[f64]> = numbers.iter().map(|(_, values)| *values).collect();
        let table = Standardised::new(segment, &columns);
        Ok(json!({
            "layer": level.layer.meta.name,
            "level": level.meta.name,
            "areas": segment.areas(),
            "electors": figure(segment.electors()),
            "estimate": true,
            "method": "figures of the areas that contacts live in, not of the contacts",
            "indicators": described,
            "quotients": self.quotients(level, segment),
            "logistic": logistic(segment, &table, &numbers),
            "lookalikes": self.lookalikes(level, segment, &table),
        }))
    }

    /// Areas by their location quotient, greatest first.
    fn quotients(&self, level: LevelRef<'_>, segment: &Segment) -> Value {
        let mut ranked: Vec<(usize, f64)> = segment
            .quotients()
            .into_iter()
            .enumerate()
            .filter(|(_, lq)| lq.is_finite())
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let listed = ranked.iter().take(self.limit);
        let areas = listed.map(|(row, quotient)| area(level, *row, "quotient", *quotient));
        areas.collect()
    }

    /// Null where too few areas have all indicators.
    fn lookalikes(&self, level: LevelRef<'_>, segment: &Segment, table: &Standardised) -> Value {
        let seeds = seeds(segment, table);
        let Some(found) = profile::lookalikes(table, &seeds) else {
            return Value::Null;
        };
        let listed = found.ranked.iter().take(self.limit);
        let areas = listed.map(|(row, distance)| area(level, *row, "distance", *distance));
        json!({
            "seeds": found.seeds,
            "auc": figure(found.auc),
            "method": "mean distance to the 5 nearest areas where the segment is strongest, in standardised indicators; AUC over fifths left out",
            "areas": areas.collect::<Vec<_>>(),
        })
    }
}

fn area(level: LevelRef<'_>, row: usize, what: &str, value: f64) -> Value {
    let mut area = json!({
        "key": level.data.level.key(row),
        "name": level.data.level.name(row),
    });
    area[what] = figure(value);
    area
}

/// The areas of a table where contacts are most frequent, chance allowed for.
fn seeds(segment: &Segment, table: &Standardised) -> Vec<usize> {
    let (contacts, electors) = segment.columns();
    let rates = empirical_bayes(contacts, electors);
    let mut ranked: Vec<(usize, f64)> = table
        .rows
        .iter()
        .filter(|row| contacts[**row] > 0.0)
        .filter_map(|row| Some((*row, rates[*row]?)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(ranked.len().div_ceil(SEEDS_SHARE).min(SEEDS_MAX));
    ranked.into_iter().map(|(row, _)| row).collect()
}

fn describe(indicator: &Indicator, level: LevelRef<'_>, segment: &Segment) -> Value {
    let mut told = json!({
        "name": indicator.name,
        "label": indicator.label,
        "unit": indicator.unit,
        "kind": indicator.kind,
        "source": indicator.source,
        "vintage": indicator.vintage,
    });
    let members = match (indicator.kind, level.data.column(&indicator.name)) {
        (Kind::Number, Some(Column::Number(numbers))) => of_numbers(segment, numbers.values()),
        (Kind::Text, Some(Column::Text(texts))) => of_texts(segment, texts),
        _ => Value::Null,
    };
    if let (Value::Object(told), Value::Object(members)) = (&mut told, members) {
        told.extend(members);
    }
    told
}

fn of_numbers(segment: &Segment, values: &[f64]) -> Value {
    let Some(found) = profile::number(segment, values) else {
        return json!({ "contacts": 0 });
    };
    let lift = found.lift.iter().map(|part| {
        json!({
            "upper": figure(part.upper),
            "share_electors": figure(part.electors / found.electors),
            "share_contacts": figure(part.contacts / found.contacts),
            "lift": figure(part.lift),
        })
    });
    json!({
        "contacts": figure(found.contacts),
        "mean_contacts": figure(found.mean_contacts),
        "mean_electors": figure(found.mean_electors),
        "index": found.index.map(figure),
        "std_diff": found.difference.map(figure),
        "noteworthy": found.is_noteworthy,
        "lift": lift.collect::<Vec<_>>(),
    })
}

fn of_texts(segment: &Segment, texts: &Texts) -> Value {
    let class_of = |row: usize| {
        let code = texts.codes().get(row).copied()?;
        (code != Texts::MISSING).then_some(code as usize)
    };
    let dictionary = texts.dictionary();
    let (classes, hidden) = profile::classes(segment, class_of, dictionary.len());
    let told = classes.iter().map(|class| {
        json!({
            "value": dictionary[class.class],
            "contacts": figure(class.contacts),
            "share_contacts": figure(class.share_contacts),
            "share_electors": figure(class.share_electors),
            "index": figure(class.index),
        })
    });
    json!({
        "classes": told.collect::<Vec<_>>(),
        "classes_hidden": hidden,
        "class_min": CLASS_MIN,
    })
}

/// Null where indicators repeat each other.
fn logistic(segment: &Segment, table: &Standardised, numbers: &[(&Indicator, &[f64])]) -> Value {
    let Some(found) = profile::fit(segment, table) else {
        return Value::Null;
    };
    let weights = numbers.iter().zip(found.weights.iter().zip(&found.errors));
    let weights = weights.map(|((indicator, _), (weight, error))| {
        json!({
            "name": indicator.name,
            "weight": figure(*weight),
            "error": figure(*error),
            "odds_ratio": figure(weight.exp()),
        })
    });
    json!({
        "areas": table.rows.len(),
        "intercept": figure(found.intercept),
        "weights": weights.collect::<Vec<_>>(),
        "areas_beyond": found.beyond,
        "method": "logistic regression on counts; weights are of one standard deviation",
    })
}
