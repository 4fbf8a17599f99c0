//! `POST /{layer}/zone`: the figures of a drawn polygon, from the areas it covers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::State;
use axum::http::header::ALLOW;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::criteria;
use crate::http::error::ZONE_METHODS;
use crate::http::path::Segments;
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::zone::{self, Sharing};

/// Of GeoJSON: room for a zone of as many vertices as one may have.
const BODY_MAX: usize = 256 * 1024;

/// For a body to arrive: a client that dribbles holds no connection.
const BODY_PATIENCE: Duration = Duration::from_secs(5);

pub async fn zone(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
    body: Body,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let level = criteria::level(&query, layer)?;
    let sharing = match query.get("sharing")?.as_deref() {
        None | Some("area") => Sharing::Area,
        Some("weight") => Sharing::Weight,
        Some(_) => return Err(HttpError::parameter("sharing", "give area or weight")),
    };
    let properties = criteria::properties(&query, &[layer], layer)?;
    let names: Option<Vec<String>> =
        properties.map(|asked| asked.into_iter().map(|i| i.name.clone()).collect());
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(HttpError::TooLarge);
    }
    let read = tokio::time::timeout(BODY_PATIENCE, to_bytes(body, BODY_MAX)).await;
    let read = read.map_err(|_| HttpError::parameter("body", "send it faster"))?;
    let body = read.map_err(|_| HttpError::TooLarge)?;
    let (layer, level) = (layer.number, level.number);
    let held = Arc::clone(&snapshot);
    let describe = move || {
        let zone = zone::parse(&body)?;
        let level = held.layer_at(layer).level_at(level);
        let shown = level.layer.indicators();
        let here = shown.filter(|i| level.data.level.column(&i.name).is_some());
        let asked = here.filter(|i| names.as_ref().is_none_or(|names| names.contains(&i.name)));
        zone::describe(&zone, level, sharing, &asked.collect::<Vec<_>>())
    };
    let answer = app.pool.run(describe).await??;
    Ok(Answer::json(&answer, Freshness::Never).respond(&asked))
}

/// Any method but POST.
pub async fn not_allowed() -> Response {
    ([(ALLOW, ZONE_METHODS)], HttpError::MethodNotAllowed).into_response()
}
