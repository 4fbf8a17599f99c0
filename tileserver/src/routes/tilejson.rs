//! `/{layer}`: TileJSON 3.0.0.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use tilecore::dataset::schema::{ColumnStats, Indicator, Kind, Manifest, text_in};

use crate::analysis::Analysis;
use crate::app::App;
use crate::html::escaped;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::{LayerRef, LevelRef};
use crate::scope::address;
use crate::tile_request;

pub async fn tilejson(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let version = &snapshot.manifest.version;
    let freshness = Freshness::of(&query, version)?;
    let finest = layer.level_at(0);
    let analysis = Analysis::parse(&query, &snapshot, finest, [])?;
    analysis.note(&app, &snapshot, path.after_root())?;
    let contacts = analysis.describe_contacts(&app, &snapshot, finest).await?;
    let carried = Carried {
        indicators: tile_request::properties(&query, &[layer])?.concat(),
        computed: computed(&analysis, &query)?,
    };
    let name = encoded(&layer.meta.name);
    let mut tiles = format!("/{name}/{{z}}/{{x}}/{{y}}?v={version}");
    for name in tile_request::PARAMETERS {
        if let Some(value) = query.get(name)? {
            let _ = write!(tiles, "&{name}={}", encoded(&value));
        }
    }
    let tiles = address(&app.public_url, &tiles);
    let mut body = describe(layer, &snapshot.manifest, &tiles, &carried);
    if let Some(contacts) = contacts {
        body["maille"]["contacts"] = contacts;
    }
    Ok(Answer::json(&body, freshness).respond(&asked))
}

/// What the tiles hold of each unit, its code and name apart.
struct Carried<'a> {
    indicators: Vec<&'a Indicator>,
    /// Names of numbers that no file holds.
    computed: Vec<&'static str>,
}

/// What tiles carry beside indicators; `matched` and its share only above the filter's level.
fn computed(finest: &Analysis, query: &Query) -> Result<Vec<&'static str>, HttpError> {
    let mut names = finest.names();
    if query.get("filter-level")?.is_some() {
        names.splice(0..0, ["matched", "matched_share"]);
    }
    Ok(names)
}

/// `carried` is in the tiles at the URL `tiles`.
fn describe(layer: LayerRef<'_>, manifest: &Manifest, tiles: &str, carried: &Carried<'_>) -> Value {
    let [minzoom, maxzoom] = layer.zooms();
    let bounds = layer.bounds();
    json!({
        "tilejson": "3.0.0",
        "tiles": [tiles],
        "name": text_in(&layer.meta.title, "").unwrap_or(&layer.meta.name),
        // Clients put attributions into pages as HTML; ours are text.
        "attribution": escaped(&manifest.attribution),
        "version": "1.0.0",
        "scheme": "xyz",
        "minzoom": minzoom,
        "maxzoom": maxzoom,
        "bounds": bounds,
        "center": center(layer.home(), minzoom, maxzoom),
        "vector_layers": [vector_layer(layer, carried)],
        "tilestats": tilestats(layer, carried),
        "maille": ours(layer, manifest),
    })
}

fn vector_layer(layer: LayerRef<'_>, carried: &Carried<'_>) -> Value {
    let [minzoom, maxzoom] = layer.zooms();
    let mut fields = Map::new();
    fields.insert("id".into(), json!("String"));
    fields.insert("name".into(), json!("String"));
    for indicator in &carried.indicators {
        let kind = match indicator.kind {
            Kind::Number => "Number",
            Kind::Text => "String",
        };
        fields.insert(indicator.name.clone(), json!(kind));
    }
    for name in &carried.computed {
        fields.insert((*name).into(), json!("Number"));
    }
    json!({
        "id": layer.meta.name,
        "description": text_in(&layer.meta.title, "").unwrap_or_default(),
        "minzoom": minzoom,
        "maxzoom": maxzoom,
        "fields": fields,
    })
}

/// mapbox-geostats over the finest level.
fn tilestats(layer: LayerRef<'_>, carried: &Carried<'_>) -> Value {
    let finest = layer.level_at(0).meta;
    let shown = finest
        .columns
        .iter()
        .filter(|column| carried.indicators.iter().any(|i| i.name == column.name));
    let attributes: Vec<Value> = shown.map(attribute).collect();
    json!({
        "layerCount": 1,
        "layers": [{
            "layer": layer.meta.name,
            "count": finest.rows,
            "geometry": "Polygon",
            "attributeCount": attributes.len(),
            "attributes": attributes,
        }],
    })
}

fn attribute(column: &ColumnStats) -> Value {
    let mut attribute = json!({
        "attribute": column.name,
        "count": column.distinct,
        "type": if column.min.is_some() { "number" } else { "string" },
        "values": [],
    });
    if let (Some(min), Some(max)) = (column.min, column.max) {
        attribute["min"] = json!(min);
        attribute["max"] = json!(max);
    }
    attribute
}

/// What a legend or a picker needs beyond the standard.
fn ours(layer: LayerRef<'_>, manifest: &Manifest) -> Value {
    let level = |level: LevelRef<'_>| {
        json!({
            "name": level.meta.name,
            "title": level.meta.title,
            "zooms": level.meta.zooms,
            "rows": level.meta.rows,
            "bounds": level.meta.bounds,
        })
    };
    let indicator = |indicator| describe_indicator(indicator, layer);
    let transfers = layer.meta.transfers.iter();
    let transfers = transfers.map(|t| json!({ "name": t.name, "title": t.title }));
    json!({
        "dataset": manifest.name,
        "dataset_title": manifest.title,
        "version": manifest.version,
        "title": layer.meta.title,
        "home": layer.home(),
        "default_properties": layer.meta.default_properties,
        "levels": layer.levels().map(level).collect::<Vec<_>>(),
        "indicators": layer.indicators().map(indicator).collect::<Vec<_>>(),
        "transfers": transfers.collect::<Vec<_>>(),
    })
}

fn describe_indicator(indicator: &Indicator, layer: LayerRef<'_>) -> Value {
    let range = |level: LevelRef<'_>| {
        let mut columns = level.meta.columns.iter();
        let stats = columns.find(|column| column.name == indicator.name)?;
        let range = json!({
            "count": stats.count,
            "missing": stats.missing,
            "min": stats.min,
            "max": stats.max,
        });
        Some((level.meta.name.clone(), range))
    };
    let ranges: Map<String, Value> = layer.levels().filter_map(range).collect();
    json!({
        "name": indicator.name,
        "kind": indicator.kind,
        "unit": indicator.unit,
        "label": indicator.label,
        "description": indicator.description,
        "source": indicator.source,
        "vintage": indicator.vintage,
        "licence": indicator.licence,
        "estimate": indicator.estimate,
        "levels": ranges,
    })
}

/// The middle, at a zoom that shows about all of it.
pub(super) fn center([west, south, east, north]: [f64; 4], minzoom: u8, maxzoom: u8) -> [f64; 3] {
    let span = (east - west).max(north - south).max(1e-6);
    let zoom = (360.0 / span).log2().floor();
    [
        f64::midpoint(west, east),
        f64::midpoint(south, north),
        zoom.clamp(f64::from(minzoom), f64::from(maxzoom)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn center_shows_the_whole() {
        let zoom = |bounds, min, max| center(bounds, min, max)[2].to_string();
        let montreal = [-74.0, 45.4, -73.4, 45.8];
        assert_eq!(zoom(montreal, 0, 14), "9");
        assert_eq!(zoom(montreal, 11, 14), "11");
        assert_eq!(zoom([-180.0, -85.0, 180.0, 85.0], 0, 14), "0");
    }
}
