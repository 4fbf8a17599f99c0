//! `/{layer}/{z}/{x}/{y}`: a tile.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use crate::app::App;
use crate::http::answer::Head;
use crate::http::path::Segments;
use crate::http::{Asked, HttpError, Query};
use crate::snapshot::Snapshot;
use crate::tile_request::TileRequest;

const MVT: &str = "application/vnd.mapbox-vector-tile";

const FEATURES: HeaderName = HeaderName::from_static("maille-features");
const HINT: HeaderName = HeaderName::from_static("oatiles-hint");

pub async fn tile(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let request = TileRequest::parse(&path, &query, &snapshot)?;
    answer(&app, &snapshot, &request, &asked).await
}

/// The tile of a request over a snapshot.
pub async fn answer(
    app: &App,
    snapshot: &Arc<Snapshot>,
    request: &TileRequest<'_>,
    asked: &Asked,
) -> Result<Response, HttpError> {
    request.note(app, snapshot)?;
    let head = Head::new(request.tag, asked.coding, request.freshness);
    if let Some(held) = head.unless_held(asked) {
        return Ok(held);
    }
    let tile = request.render(app, snapshot, asked.coding).await?;
    if tile.bytes.is_empty() {
        let mut response = head.without_body();
        if request.is_empty_for_good() {
            response
                .headers_mut()
                .insert(HINT, HeaderValue::from_static("empty"));
        }
        return Ok(response);
    }
    let mut response = head.with_body(MVT, tile.bytes);
    // Every unit that matches is shown; a client that counts can tell.
    let features = format!("matched={0}, shown={0}, omitted=0", tile.shown);
    if let Ok(features) = HeaderValue::try_from(features) {
        response.headers_mut().insert(FEATURES, features);
    }
    Ok(response)
}
