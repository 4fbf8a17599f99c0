//! `/{layer}/stats`: how a property is distributed over the units that pass a filter.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use tilecore::Bitmap;
use tilecore::classes::{Method, covering};
use tilecore::dataset::columns::{Column, Texts};
use tilecore::filter::Table as _;
use tilecore::stats::{Distribution, weighted_quantile};

use crate::analysis::classing::{self, CLASSES, CLASSES_MAX};
use crate::analysis::{Analysis, Results};
use crate::app::App;
use crate::categories;
use crate::criteria;
use crate::figure::figure;
use crate::http::path::Segments;
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::LevelRef;
use crate::snapshot::Snapshot;

/// Shares of the units below the quantiles told.
const QUANTILES: [(&str, f64); 9] = [
    ("0.01", 0.01),
    ("0.05", 0.05),
    ("0.1", 0.1),
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("0.75", 0.75),
    ("0.9", 0.9),
    ("0.95", 0.95),
    ("0.99", 0.99),
];

const BINS: usize = 20;
const BINS_MAX: usize = 1_000;

/// Distinct texts listed.
const VALUES_MAX: usize = 100;

/// What is asked of a property.
struct Description {
    layer: usize,
    level: usize,
    property: String,
    weight: Option<String>,
    classes: Classes,
    bins: usize,
}

enum Classes {
    Computed {
        method: Method,
        k: usize,
    },
    /// Upper limits, ascending.
    Given(Vec<f64>),
}

pub async fn stats(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let level = criteria::level(&query, layer)?;
    let within = criteria::bbox(&query, level.data.queryables())?;
    let named = [query.get("property")?, query.get("weight")?];
    let shown = named.iter().flatten().map(AsRef::as_ref);
    let analysis = Analysis::parse(&query, &snapshot, level, shown)?;
    let description = Description::parse(&query, level, &analysis)?;
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    analysis.note(&app, &snapshot, path.after_root())?;
    let contacts = analysis.describe_contacts(&app, &snapshot, level).await?;
    let question = &analysis.question;
    let passing = snapshot.passing(&app.pool, level, question).await?;
    let inside = snapshot.rows(&app.pool, level, &within).await?;
    let results = analysis.compute(&app, &snapshot, level).await?;
    let held = Arc::clone(&snapshot);
    let answer = move || {
        let sets = [passing.as_deref(), inside.as_deref()];
        description.answer(&held, sets, &results)
    };
    let mut answer = app.pool.run(answer).await?;
    if let Some(contacts) = contacts {
        answer["contacts"] = contacts;
    }
    Ok(Answer::json(&answer, freshness).respond(&asked))
}

impl Description {
    fn parse(query: &Query, level: LevelRef<'_>, analysis: &Analysis) -> Result<Self, HttpError> {
        let property = column(query, level, analysis, "property")?
            .ok_or_else(|| HttpError::parameter("property", "name an indicator"))?;
        let weight = column(query, level, analysis, "weight")?;
        if let Some(weight) = &weight
            && matches!(level.data.level.column(weight), Some(Column::Text(_)))
        {
            return Err(HttpError::parameter("weight", "weigh by a number"));
        }
        Ok(Self {
            layer: level.layer.number,
            level: level.number,
            property,
            weight,
            classes: Classes::parse(query)?,
            bins: bins(query)?,
        })
    }

    /// Over the rows that are in all `sets`.
    fn answer(&self, snapshot: &Snapshot, sets: [Option<&Bitmap>; 2], results: &Results) -> Value {
        let level = snapshot.layer_at(self.layer).level_at(self.level);
        let mut rows = Bitmap::full(level.data.level.rows());
        for set in sets.into_iter().flatten() {
            rows.intersect(set);
        }
        let table = results.over(level);
        let mut answer = Map::new();
        answer.insert("property".into(), json!(self.property));
        answer.insert("level".into(), json!(level.meta.name));
        match table.column(&self.property) {
            Some(Column::Number(numbers)) => {
                let distribution = Distribution::of(numbers.values(), &rows);
                self.describe_numbers(&distribution, &mut answer);
                if let Some(name) = &self.weight
                    && let Some(Column::Number(weights)) = table.column(name)
                {
                    let weighted = weigh(name, weights.values(), numbers.values(), &rows);
                    answer.insert("weighted".into(), weighted);
                }
            }
            Some(Column::Text(texts)) => {
                let order = categories::order(level.layer, &self.property);
                describe_texts(texts, &order, &rows, &mut answer);
            }
            None => {}
        }
        Value::Object(answer)
    }

    fn describe_numbers(&self, distribution: &Distribution, answer: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Value| {
            answer.insert(name.to_owned(), value);
        };
        put("count", distribution.count().into());
        put("missing", distribution.missing().into());
        for (name, value) in [
            ("sum", distribution.sum()),
            ("min", distribution.min()),
            ("max", distribution.max()),
            // Of the units' values, each unit once: not the figure of all of them together.
            ("mean", distribution.mean()),
            ("median", distribution.median()),
        ] {
            put(name, value.map_or(Value::Null, figure));
        }
        let quantile = |&(name, p): &(&str, f64)| {
            let value = distribution.quantile(p).map_or(Value::Null, figure);
            (name.to_owned(), value)
        };
        put(
            "quantiles",
            QUANTILES.iter().map(quantile).collect::<Map<_, _>>().into(),
        );
        let histogram = distribution.histogram(self.bins);
        put(
            "histogram",
            json!({
                "min": distribution.min().map(figure),
                "max": distribution.max().map(figure),
                "edges": figures(&histogram.edges),
                "counts": histogram.counts,
            }),
        );
        put("breaks", self.classes.describe(distribution));
    }
}

impl Classes {
    fn parse(query: &Query) -> Result<Self, HttpError> {
        if let Some(upper) = query.list_of_numbers("breaks")? {
            if upper.len() > CLASSES_MAX || !upper.is_sorted_by(|a, b| a < b) {
                let detail = format!("give at most {CLASSES_MAX} ascending upper limits");
                return Err(HttpError::parameter("breaks", detail));
            }
            return Ok(Self::Given(upper));
        }
        Ok(Self::Computed {
            method: classing::method(query, "method")?.unwrap_or(Method::Quantile),
            k: classing::count(query, "k")?.unwrap_or(CLASSES),
        })
    }

    fn describe(&self, distribution: &Distribution) -> Value {
        let (method, requested, upper) = match self {
            Self::Computed { method, k } => {
                let breaks = distribution.breaks(*method, *k);
                (method.name(), *k, breaks.upper().to_vec())
            }
            Self::Given(upper) => ("given", upper.len(), covering(upper, distribution.max())),
        };
        let sorted = distribution.sorted();
        let mut counts = Vec::with_capacity(upper.len());
        let mut below = 0;
        for (i, limit) in upper.iter().enumerate() {
            // Values beyond the last limit belong to the last class, as when a value is classed.
            let last = i + 1 == upper.len();
            let upto = if last {
                sorted.len()
            } else {
                sorted.partition_point(|value| value <= limit)
            };
            counts.push(upto - below);
            below = upto;
        }
        json!({
            "method": method,
            "requested": requested,
            "k": upper.len(),
            "upper": figures(&upper),
            "counts": counts,
        })
    }
}

/// The column that a parameter names: an indicator's, or one that the request computes.
fn column(
    query: &Query,
    level: LevelRef<'_>,
    analysis: &Analysis,
    parameter: &'static str,
) -> Result<Option<String>, HttpError> {
    let Some(name) = query.get(parameter)? else {
        return Ok(None);
    };
    let is_there = level.shows(&name) && level.data.level.column(&name).is_some();
    if is_there || analysis.names().contains(&&*name) {
        return Ok(Some(name.into_owned()));
    }
    let queryables = level.data.queryables();
    let level = &level.meta.name;
    let detail = format!("no indicator `{name}` at level `{level}`");
    Err(criteria::unknown(parameter, &name, queryables, detail))
}

/// How many bars the histogram has.
fn bins(query: &Query) -> Result<usize, HttpError> {
    let expected = format!("a whole number from 1 to {BINS_MAX}");
    let bins = query.parse("bins", &expected)?.unwrap_or(BINS);
    if (1..=BINS_MAX).contains(&bins) {
        Ok(bins)
    } else {
        Err(HttpError::parameter("bins", format!("give {expected}")))
    }
}

/// Quantiles in which a unit counts by its weight.
fn weigh(name: &str, weights: &[f64], values: &[f64], rows: &Bitmap) -> Value {
    let quantile = |&(name, p): &(&str, f64)| {
        let value = weighted_quantile(values, weights, rows, p);
        (name.to_owned(), value.map_or(Value::Null, figure))
    };
    json!({ "by": name, "quantiles": QUANTILES.iter().map(quantile).collect::<Map<_, _>>() })
}

/// `order` is that of colours: [`categories::order`].
fn describe_texts(texts: &Texts, order: &[&str], rows: &Bitmap, answer: &mut Map<String, Value>) {
    let (values, missing) = categories::counts(texts, rows);
    let count: usize = values.iter().map(|(_, count)| count).sum();
    answer.insert("count".into(), count.into());
    answer.insert("missing".into(), missing.into());
    answer.insert("distinct".into(), values.len().into());
    let listed = values.iter().take(VALUES_MAX);
    let listed = listed.map(|(value, count)| json!({ "value": value, "count": count }));
    answer.insert("values".into(), listed.collect::<Vec<_>>().into());
    let order = &order[..order.len().min(VALUES_MAX)];
    answer.insert("order".into(), json!(order));
}

fn figures(values: &[f64]) -> Value {
    values.iter().map(|&value| figure(value)).collect()
}
