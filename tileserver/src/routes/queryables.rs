//! `/{layer}/queryables`: what filters may name, as JSON Schema.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tilecore::dataset::schema::text_in;

use crate::analysis::Joining;
use crate::app::App;
use crate::criteria;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Freshness, HttpError, Query};

pub async fn queryables(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let level = criteria::level(&query, layer)?;
    let name = &layer.meta.name;
    let id = format!("{}/{}/queryables", app.public_url, encoded(name));
    let title = text_in(&layer.meta.title, "").unwrap_or(name);
    let schema = match Joining::parse(&query, &snapshot, layer)? {
        Some(_) => Joining::queryables(level).schema(&id, title, ""),
        None => level.data.queryables().schema(&id, title, ""),
    };
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    let answer = Answer::json(&schema, freshness).of_type("application/schema+json");
    Ok(answer.respond(&asked))
}
