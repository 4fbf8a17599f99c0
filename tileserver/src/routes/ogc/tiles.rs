//! `/collections/{id}/tiles…`: the tileset of a layer, and its tiles, row before column.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use tilecore::dataset::schema::Kind;
use tilecore::mercator::grid_from_degrees;

use super::collections::{address, title};
use super::tile_matrix_set::{CRS, NAME, URI};
use super::{CRS84, JSON, MVT, REL, link};
use crate::analysis::Analysis;
use crate::app::App;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::LayerRef;
use crate::routes;
use crate::snapshot::Snapshot;
use crate::tile_request;

/// The tilesets of a layer: one.
pub async fn tilesets(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(1)?)?;
    let url = format!("{}/tiles", address(&app.public_url, layer));
    let body = json!({
        "links": [link("self", JSON, &url, "The tilesets of the layer")],
        "tilesets": [tileset(&app, &snapshot, layer, &query)?],
    });
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    Ok(Answer::json(&body, freshness).respond(&asked))
}

pub async fn one(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(1)?)?;
    check_matrix_set(&path)?;
    let body = tileset(&app, &snapshot, layer, &query)?;
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    Ok(Answer::json(&body, freshness).respond(&asked))
}

/// `…/{tileMatrix}/{tileRow}/{tileCol}`.
pub async fn tile(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    check_matrix_set(&path)?;
    let (z, row, column) = path.tile_numbers()?;
    let layer = path.name(1)?;
    app.snapshot()?.layer(&layer)?;
    let own = format!("/{}/{z}/{column}/{row}", encoded(&layer));
    routes::tiles::tile(State(app), Segments::new(&own), query, asked).await
}

fn check_matrix_set(path: &Segments) -> Result<(), HttpError> {
    if path.name(3)? == NAME {
        return Ok(());
    }
    Err(HttpError::NotFound(
        format!("no such tile matrix set: there is {NAME}").into(),
    ))
}

fn tileset(
    app: &App,
    snapshot: &Arc<Snapshot>,
    layer: LayerRef<'_>,
    query: &Query,
) -> Result<Value, HttpError> {
    // Tiles that would be refused are not offered.
    Analysis::parse(query, snapshot, layer.level_at(0), [])?;
    let url = format!("{}/tiles/{NAME}", address(&app.public_url, layer));
    let matrix_set = format!("{}/tileMatrixSets/{NAME}", app.public_url);
    let version = &snapshot.manifest.version;
    let mut tiles = format!("{url}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}?v={version}");
    for name in tile_request::PARAMETERS {
        if let Some(value) = query.get(name)? {
            let _ = write!(tiles, "&{name}={}", encoded(&value));
        }
    }
    let mut item = link("item", MVT, &tiles, "A tile");
    item["templated"] = json!(true);
    let [west, south, east, north] = layer.bounds();
    let [first, last] = layer.zooms();
    let carried = tile_request::properties(query, &[layer])?.concat();
    let mut properties = Map::new();
    for name in ["id", "name"] {
        properties.insert(name.into(), json!({ "type": "string" }));
    }
    for indicator in carried {
        let kind = match indicator.kind {
            Kind::Number => "number",
            Kind::Text => "string",
        };
        properties.insert(indicator.name.clone(), json!({ "type": kind }));
    }
    Ok(json!({
        "title": title(layer),
        "dataType": "vector",
        "crs": CRS,
        "tileMatrixSetURI": URI,
        "attribution": snapshot.manifest.attribution,
        "boundingBox": {
            "lowerLeft": [west, south],
            "upperRight": [east, north],
            "crs": CRS84,
        },
        "tileMatrixSetLimits": (first..=last).map(|z| limits(layer.bounds(), z)).collect::<Vec<_>>(),
        "layers": [{
            "id": layer.meta.name,
            "title": title(layer),
            "dataType": "vector",
            "geometryDimension": 2,
            "minTileMatrix": first.to_string(),
            "maxTileMatrix": last.to_string(),
            "propertiesSchema": { "type": "object", "properties": properties },
        }],
        "links": [
            link("self", JSON, &url, "This tileset"),
            item,
            link(&format!("{REL}/tiling-scheme"), JSON, &matrix_set, NAME),
            link(&format!("{REL}/geodata"), JSON, &address(&app.public_url, layer), "The layer"),
        ],
    }))
}

/// The tiles of a zoom that the bounds touch.
fn limits([west, south, east, north]: [f64; 4], z: u8) -> Value {
    let (from, to) = (
        grid_from_degrees(west, north),
        grid_from_degrees(east, south),
    );
    // Thirty bits of the world grid, of which a tile's number takes the first z.
    let number = |cell: i32| (cell >> (30 - u32::from(z))).clamp(0, (1 << z) - 1);
    json!({
        "tileMatrix": z.to_string(),
        "minTileRow": number(from.y),
        "maxTileRow": number(to.y),
        "minTileCol": number(from.x),
        "maxTileCol": number(to.x),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_the_bounds() {
        let world = limits([-180.0, -85.06, 180.0, 85.06], 2);
        assert_eq!(world["minTileRow"], 0);
        assert_eq!(world["maxTileRow"], 3);
        assert_eq!(world["maxTileCol"], 3);
        let paris = limits([2.30, 48.85, 2.35, 48.87], 12);
        assert_eq!(
            (&paris["minTileCol"], &paris["minTileRow"]),
            (&json!(2074), &json!(1408))
        );
    }
}
