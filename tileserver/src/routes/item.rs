//! `/{layer}/items/{id}` and `/{layer}/at`: one area, as a card.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tilecore::Bitmap;
use tilecore::dataset::schema::Indicator;
use tilecore::mercator::{LATITUDE_MAX, grid_from_degrees};

use crate::analysis::Analysis;
use crate::app::App;
use crate::card::Card;
use crate::criteria;
use crate::http::path::Segments;
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::LevelRef;
use crate::rows::Rows;
use crate::rows::geojson::write_feature;
use crate::selection;
use crate::snapshot::Snapshot;

/// By key, or else by number.
pub async fn item(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let id = path.name(2)?;
    let levels: Vec<LevelRef<'_>> = match query.get("level")? {
        Some(_) => vec![criteria::level(&query, layer)?],
        None => layer.levels().collect(),
    };
    let (level, row) = find(&levels, &id)
        .ok_or_else(|| HttpError::NotFound("no area has this key or number".into()))?;
    let answer = card(&app, &snapshot, &query, level, row).await?;
    Ok(answer.respond(&asked))
}

/// The area of the finest level, or of the one asked for, that holds a point.
pub async fn at(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let level = criteria::level(&query, layer)?;
    let lon = degrees(&query, "lon", 180.0)?;
    let lat = degrees(&query, "lat", LATITUDE_MAX)?;
    let row = level
        .data
        .at(grid_from_degrees(lon, lat))
        .map_err(|error| {
            tracing::error!(%error, "cannot look up a point");
            HttpError::Internal
        })?
        .ok_or_else(|| HttpError::NotFound("no area of this level lies there".into()))?;
    let answer = card(&app, &snapshot, &query, level, row).await?;
    Ok(answer.respond(&asked))
}

fn degrees(query: &Query, name: &'static str, max: f64) -> Result<f64, HttpError> {
    query
        .number(name)?
        .filter(|degrees| degrees.abs() <= max)
        .ok_or_else(|| HttpError::parameter(name, format!("give degrees from -{max} to {max}")))
}

/// Keys of any level come before numbers of any.
fn find<'a>(levels: &[LevelRef<'a>], id: &str) -> Option<(LevelRef<'a>, usize)> {
    let by_key = |level: &LevelRef<'a>| Some((*level, level.data.row_of_key(id)?));
    let by_number = |level: &LevelRef<'a>| {
        let number = id.parse().ok()?;
        Some((*level, level.data.row_of_id(number)?))
    };
    levels
        .iter()
        .find_map(by_key)
        .or_else(|| levels.iter().find_map(by_number))
}

/// The area's feature, scored among the areas that pass the filter as a list would.
async fn card(
    app: &App,
    snapshot: &Arc<Snapshot>,
    query: &Query,
    level: LevelRef<'_>,
    row: usize,
) -> Result<Answer, HttpError> {
    let freshness = Freshness::of(query, &snapshot.manifest.version)?;
    let here = |i: &&Indicator| level.data.level.column(&i.name).is_some();
    let indicators: Vec<&Indicator> = level.layer.indicators().filter(here).collect();
    let names = indicators.iter().map(|i| i.name.as_str());
    let analysis = Analysis::parse(query, snapshot, level, names)?;
    let layer = &level.layer.meta.name;
    let what = format!("{layer}/{} {}", level.meta.name, level.data.level.key(row));
    analysis.note(app, snapshot, &what)?;
    let contacts = analysis.describe_contacts(app, snapshot, level).await?;
    let passing = snapshot.passing(&app.pool, level, &analysis.question);
    let passing = passing.await?;
    let results = analysis.compute(app, snapshot, level).await?;
    let rows = Rows {
        fields: selection::fields(level, &analysis, &indicators, &results),
        criteria: selection::criteria_of(analysis.scoring.as_ref()),
        results,
        ..Rows::of(snapshot, level)
    };
    let write = move || {
        let all;
        let passing = if let Some(passing) = passing.as_deref() {
            passing
        } else {
            all = Bitmap::full(rows.level().data.level.rows());
            &all
        };
        let card = Card {
            table: rows.results.over(rows.level()),
            row,
            passing,
        };
        let mut body = Vec::new();
        write_feature(&rows, row, true, &mut body);
        let contacts = contacts.map(|contacts| ("contacts".to_owned(), contacts));
        for (name, member) in card.members().into_iter().chain(contacts) {
            body.extend_from_slice(format!(",\"{name}\":{member}").as_bytes());
        }
        body.push(b'}');
        body
    };
    let body = app.pool.run(write).await?;
    Ok(Answer::new("application/geo+json", body, freshness))
}
