//! `/catalog`: what there is to ask for, in Martin's shape.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use tilecore::dataset::schema::text_in;

use crate::app::App;
use crate::http::path::encoded;
use crate::http::{Answer, Asked, Freshness, HttpError};
use crate::layer::LayerRef;
use crate::maps::PublishedMap;

pub async fn catalog(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let tiles: Map<String, Value> = snapshot
        .layers()
        .map(|layer| {
            let entry = entry(layer, &snapshot.manifest.version, &app.public_url);
            (layer.meta.name.clone(), entry)
        })
        .collect();
    let published = app.maps.published(SystemTime::now());
    let seen = |map: &&Arc<PublishedMap>| app.maps.snapshot_of(map, Arc::clone(&snapshot)).is_ok();
    let maps: Map<String, Value> = published
        .iter()
        .filter(seen)
        .map(|map| (map.id.clone(), map_entry(map, &app.public_url)))
        .collect();
    let density = super::density::catalog(&snapshot, &app.public_url);
    let catalog = json!({ "tiles": tiles, "density": density, "maps": maps });
    Ok(Answer::json(&catalog, Freshness::Current).respond(&asked))
}

fn map_entry(map: &PublishedMap, public_url: &str) -> Value {
    let id = encoded(&map.id);
    json!({
        "title": map.title,
        "url": format!("{public_url}/map/{id}"),
        "embed": format!("{public_url}/embed/{id}"),
        "style": format!("{public_url}/styles/{id}/style.json"),
        "layer": map.layer.value,
    })
}

fn entry(layer: LayerRef<'_>, version: &str, public_url: &str) -> Value {
    let [minzoom, maxzoom] = layer.zooms();
    json!({
        "content_type": "application/vnd.mapbox-vector-tile",
        "description": text_in(&layer.meta.title, ""),
        "title": layer.meta.title,
        "url": format!("{public_url}/{}", encoded(&layer.meta.name)),
        "version": version,
        "minzoom": minzoom,
        "maxzoom": maxzoom,
        "bounds": layer.bounds(),
        "levels": layer.meta.levels.iter().map(|l| &l.name).collect::<Vec<_>>(),
    })
}
