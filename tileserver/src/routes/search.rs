//! `/{layer}/search?q=`: units by name or key, with bounds to fly to.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tilecore::mercator::bounds_in_degrees;

use crate::app::App;
use crate::criteria;
use crate::http::path::Segments;
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::LayerRef;
use crate::search::Hit;

const LIMIT: usize = 10;
const LIMIT_MAX: usize = 100;

pub async fn search(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let text = query
        .get("q")?
        .ok_or_else(|| HttpError::parameter("q", "give some letters of a name or key"))?
        .into_owned();
    let level = match query.get("level")? {
        Some(_) => Some(criteria::level(&query, layer)?.number),
        None => None,
    };
    let limit = query
        .parse("limit", "a whole number")?
        .unwrap_or(LIMIT)
        .min(LIMIT_MAX);
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;

    let (number, held) = (layer.number, Arc::clone(&snapshot));
    let find = move || held.search_index(number).find(&text, level, limit);
    let hits = app.pool.run(find).await?;
    let results: Vec<Value> = hits.iter().map(|hit| describe(layer, *hit)).collect();
    Ok(Answer::json(&json!({ "results": results }), freshness).respond(&asked))
}

fn describe(layer: LayerRef<'_>, hit: Hit) -> Value {
    let level = layer.level_at(hit.level);
    let data = &level.data.level;
    let parent = level.parent(hit.row);
    json!({
        "key": data.key(hit.row),
        "name": data.name(hit.row),
        "level": level.meta.name,
        "parent": data.parent(hit.row),
        "parent_name": parent.map(|(level, row)| level.data.level.name(row)),
        "bounds": bounds_in_degrees([data.bounds_of(hit.row)]),
        "match": hit.matched.name(),
    })
}
