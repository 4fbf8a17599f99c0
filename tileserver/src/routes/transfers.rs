//! `/{layer}/transfers`: where the votes of a first ballot went, estimated.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::http::path::Segments;
use crate::http::{Answer, Asked, Freshness, HttpError, Query};

/// The estimate called `name`, by default the layer's first; `names` are all.
pub async fn transfers(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let known = &layer.meta.transfers;
    let name = query.get("name")?;
    let found = match &name {
        Some(name) => known.iter().find(|transfers| transfers.name == **name),
        None => known.first(),
    };
    let found = found.ok_or_else(|| {
        HttpError::NotFound(format!("layer {} has no such transfers", layer.meta.name).into())
    })?;
    let names: Vec<&str> = known.iter().map(|t| t.name.as_str()).collect();
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    let mut answer = json!(found);
    answer["layer"] = json!(layer.meta.name);
    answer["names"] = json!(names);
    Ok(Answer::json(&answer, freshness).respond(&asked))
}
