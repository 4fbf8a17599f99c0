//! Every route, on one screen.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::app::App;
use crate::http::HttpError;
use crate::http::edge::edge;
use crate::routes::{
    catalog, density, health, item, items, map, metrics, names, ogc, profile, queryables, search,
    stats, styles, tilejson, tiles, transfers, ui, zone,
};

/// The whole server but its sockets.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(ogc::root))
        .route("/favicon.svg", get(ui::asset))
        .route("/assets/{*path}", get(ui::asset))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/catalog", get(catalog::catalog))
        .route("/api", get(ogc::api))
        .route("/conformance", get(ogc::conformance))
        .route("/collections", get(ogc::collections::collections))
        .route("/collections/{id}", get(ogc::collections::collection))
        .route(
            "/collections/{id}/queryables",
            get(ogc::collections::queryables),
        )
        .route("/collections/{id}/items", get(ogc::features::items))
        .route("/collections/{id}/items/{item}", get(ogc::features::item))
        .route("/collections/{id}/tiles", get(ogc::tiles::tilesets))
        .route("/collections/{id}/tiles/{tms}", get(ogc::tiles::one))
        .route(
            "/collections/{id}/tiles/{tms}/{z}/{row}/{col}",
            get(ogc::tiles::tile),
        )
        .route("/tileMatrixSets", get(ogc::tile_matrix_set::list))
        .route("/tileMatrixSets/{tms}", get(ogc::tile_matrix_set::one))
        .route("/map/{id}", get(map::map))
        .route("/map/{id}/data", get(map::data))
        .route("/map/{id}/tiles/{z}/{x}/{y}", get(map::tile))
        .route("/map/{id}/names/{z}/{x}/{y}", get(map::names))
        .route("/embed/{id}", get(map::embed))
        .route("/embed.js", get(map::parent_script))
        .route("/oembed", get(map::oembed))
        .route("/styles/{id}/style.json", get(styles::style))
        .route("/density/{set}", get(density::tilejson))
        .route("/density/{set}/queryables", get(density::queryables))
        .route("/density/{set}/{z}/{x}/{y}", get(density::tile))
        .route("/{layer}", get(tilejson::tilejson))
        .route("/{layer}/{z}/{x}/{y}", get(tiles::tile))
        .route("/{layer}/names/{z}/{x}/{y}", get(names::tile))
        .route("/{layer}/queryables", get(queryables::queryables))
        .route("/{layer}/items", get(items::items))
        .route("/{layer}/items.csv", get(items::csv))
        .route("/{layer}/items.fgb", get(items::fgb))
        .route("/{layer}/items.geojson", get(items::geojson))
        .route("/{layer}/items/{id}", get(item::item))
        .route("/{layer}/search", get(search::search))
        .route("/{layer}/stats", get(stats::stats))
        .route("/{layer}/at", get(item::at))
        .route(
            "/{layer}/zone",
            post(zone::zone).fallback(zone::not_allowed),
        )
        .route("/{layer}/transfers", get(transfers::transfers))
        .route("/{layer}/profile", get(profile::profile))
        .fallback(async || HttpError::NotFound("nothing has this address".into()))
        .method_not_allowed_fallback(async || HttpError::MethodNotAllowed)
        .layer(from_fn_with_state(Arc::clone(&app), edge))
        .with_state(app)
}
