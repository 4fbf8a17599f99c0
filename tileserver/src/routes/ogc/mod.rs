//! OGC API – Common, Tiles and Features: the same layers, at the addresses and in the words of the
//! standards, so that GDAL, QGIS and `OWSLib` read them unasked.
//!
//! A collection is a layer; its items are the units of a level, by default the finest.

pub mod collections;
pub mod features;
mod openapi;
pub mod tile_matrix_set;
pub mod tiles;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, USER_AGENT, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde_json::{Value, json};
use tilecore::dataset::schema::text_in;

use crate::app::App;
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::routes::ui;

const JSON: &str = "application/json";
const GEOJSON: &str = "application/geo+json";
const MVT: &str = "application/vnd.mapbox-vector-tile";
const SCHEMA: &str = "application/schema+json";
const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";

/// Coordinates in degrees, longitude first.
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// Link relations of OGC API – Tiles and Features.
const REL: &str = "http://www.opengis.net/def/rel/ogc/1.0";

/// What is conformed to, below `http://www.opengis.net/spec/`.
const CLASSES: [&str; 25] = [
    "ogcapi-common-1/1.0/conf/core",
    "ogcapi-common-1/1.0/conf/landing-page",
    "ogcapi-common-1/1.0/conf/json",
    "ogcapi-common-1/1.0/conf/oas30",
    "ogcapi-common-2/1.0/conf/collections",
    "ogcapi-features-1/1.0/conf/core",
    "ogcapi-features-1/1.0/conf/geojson",
    "ogcapi-features-1/1.0/conf/oas30",
    "ogcapi-features-3/1.0/conf/queryables",
    "ogcapi-features-3/1.0/conf/filter",
    "ogcapi-features-3/1.0/conf/features-filter",
    "cql2/1.0/conf/cql2-text",
    "cql2/1.0/conf/cql2-json",
    "cql2/1.0/conf/basic-cql2",
    "cql2/1.0/conf/advanced-comparison-operators",
    "cql2/1.0/conf/case-insensitive-comparison",
    "cql2/1.0/conf/accent-insensitive-comparison",
    "cql2/1.0/conf/basic-spatial-functions",
    "ogcapi-tiles-1/1.0/conf/core",
    "ogcapi-tiles-1/1.0/conf/tileset",
    "ogcapi-tiles-1/1.0/conf/tilesets-list",
    "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "ogcapi-tiles-1/1.0/conf/mvt",
    "ogcapi-tiles-1/1.0/conf/oas30",
    "tms/2.0/conf/json-tilematrixset",
];

/// `/`: the explorer for browsers, the landing page for programs.
pub async fn root(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let wants_json = match query.get("f")?.as_deref() {
        Some("json") => true,
        Some("html") => false,
        Some(_) => return Err(HttpError::parameter("f", "give json or html")),
        None => prefers_json(&headers) || is_owslib(&headers),
    };
    let mut response = if wants_json {
        landing(&app, &asked)?
    } else {
        ui::index(&asked)?
    };
    let vary = HeaderValue::from_static("Accept-Encoding, Accept, User-Agent");
    response.headers_mut().insert(VARY, vary);
    Ok(response)
}

fn landing(app: &App, asked: &Asked) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let manifest = &snapshot.manifest;
    let at = |path: &str| format!("{}{path}", app.public_url);
    let landing = json!({
        "title": text_in(&manifest.title, "").unwrap_or(&manifest.name),
        "description": "Vector tiles and features, filtered and scored by any criteria",
        "attribution": manifest.attribution,
        "links": [
            link("self", JSON, &at("/?f=json"), "This document"),
            link("alternate", "text/html", &at("/?f=html"), "The explorer"),
            link("service-desc", OPENAPI, &at("/api"), "The API as OpenAPI 3.0"),
            link("conformance", JSON, &at("/conformance"), "What it conforms to"),
            link("data", JSON, &at("/collections"), "The layers"),
            link(&format!("{REL}/data"), JSON, &at("/collections"), "The layers"),
            link(&format!("{REL}/conformance"), JSON, &at("/conformance"), "What it conforms to"),
            link(&format!("{REL}/tiling-schemes"), JSON, &at("/tileMatrixSets"), "Tile matrix sets"),
        ],
    });
    Ok(Answer::json(&landing, Freshness::Current).respond(asked))
}

pub async fn conformance(asked: Asked) -> Response {
    let class = |class: &&str| format!("http://www.opengis.net/spec/{class}");
    let classes: Vec<String> = CLASSES.iter().map(class).collect();
    Answer::json(&json!({ "conformsTo": classes }), Freshness::Current).respond(&asked)
}

pub async fn api(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let document = openapi::document(&snapshot, &app.public_url);
    let answer = Answer::json(&document, Freshness::Current).of_type(OPENAPI);
    Ok(answer.respond(&asked))
}

fn link(rel: &str, media_type: &str, href: &str, title: &str) -> Value {
    json!({ "rel": rel, "type": media_type, "href": href, "title": title })
}

/// `OWSLib` takes any type and reads JSON.
fn is_owslib(headers: &HeaderMap) -> bool {
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| agent.starts_with("OWSLib"))
}

/// Whether JSON is asked for rather than a page; any type is as good as a page.
fn prefers_json(headers: &HeaderMap) -> bool {
    let (mut json, mut page) = (0.0_f64, 0.0_f64);
    for line in headers.get_all(ACCEPT) {
        for wish in line.to_str().unwrap_or_default().split(',') {
            let mut parts = wish.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok())
                .unwrap_or(1.0);
            match &*range {
                "application/json" | "application/*" => json = json.max(weight),
                "text/html" | "application/xhtml+xml" | "text/*" => page = page.max(weight),
                _ => {}
            }
        }
    }
    json > page
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn json(accept: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static(accept));
        prefers_json(&headers)
    }

    #[test]
    fn browsers_get_the_page() {
        let firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(!json(firefox));
        assert!(!json("*/*"));
        assert!(!json(""));
        assert!(!json("application/json;q=0.5, text/html"));
        assert!(json("application/json"));
        assert!(json("application/json, */*;q=0.1"));
        assert!(json("text/html;q=0.2, application/json;q=0.9"));
        assert!(!prefers_json(&HeaderMap::new()));
    }
}
