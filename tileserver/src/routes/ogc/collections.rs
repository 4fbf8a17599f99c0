//! `/collections`, `/collections/{id}`: the layers.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tilecore::dataset::schema::text_in;

use super::{CRS84, GEOJSON, JSON, REL, SCHEMA, link};
use crate::app::App;
use crate::criteria;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::LayerRef;
use crate::snapshot::Snapshot;

pub async fn collections(
    State(app): State<Arc<App>>,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let url = format!("{}/collections", app.public_url);
    let all: Vec<Value> = snapshot
        .layers()
        .map(|layer| describe(layer, &snapshot, &app.public_url))
        .collect();
    let body = json!({
        "links": [link("self", JSON, &url, "The layers")],
        "collections": all,
    });
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    Ok(Answer::json(&body, freshness).respond(&asked))
}

pub async fn collection(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(1)?)?;
    let body = describe(layer, &snapshot, &app.public_url);
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    Ok(Answer::json(&body, freshness).respond(&asked))
}

pub async fn queryables(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(1)?)?;
    let level = criteria::level(&query, layer)?;
    let id = format!("{}/queryables", address(&app.public_url, layer));
    let schema = level.data.queryables().schema(&id, title(layer), "");
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    let answer = Answer::json(&schema, freshness).of_type(SCHEMA);
    Ok(answer.respond(&asked))
}

/// The URL of a layer's collection.
pub(super) fn address(public_url: &str, layer: LayerRef<'_>) -> String {
    format!("{public_url}/collections/{}", encoded(&layer.meta.name))
}

pub(super) fn title(layer: LayerRef<'_>) -> &str {
    text_in(&layer.meta.title, "").unwrap_or(&layer.meta.name)
}

fn describe(layer: LayerRef<'_>, snapshot: &Snapshot, public_url: &str) -> Value {
    let url = address(public_url, layer);
    let at = |path: &str| format!("{url}{path}");
    let sources: Vec<&str> = {
        let mut all: Vec<&str> = layer
            .indicators()
            .filter_map(|i| i.source.as_deref())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    json!({
        "id": layer.meta.name,
        "title": title(layer),
        "description": sources.join(" · "),
        "attribution": snapshot.manifest.attribution,
        "itemType": "feature",
        "dataType": "vector",
        "crs": [CRS84],
        "storageCrs": CRS84,
        "extent": { "spatial": { "bbox": [layer.bounds()], "crs": CRS84 } },
        "links": [
            link("self", JSON, &url, "This layer"),
            link("items", GEOJSON, &at("/items"), "Its areas as GeoJSON"),
            link(&format!("{REL}/queryables"), SCHEMA, &at("/queryables"), "What filters may name"),
            // By its https name: at the http one GDAL's OGCAPI driver takes the tiles and leaves the
            // items. Its 3.6 reads no tiles but pictures, and later ones look for tiles at the extent's
            // degrees as if they were metres; its MVT driver reads these tiles.
            link("https://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", JSON, &at("/tiles"), "Vector tiles"),
        ],
    })
}
