//! Every route, on one screen.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use crate::app::App;
use crate::http::HttpError;
use crate::http::edge::edge;
use crate::routes::{
    catalog, health, item, items, metrics, queryables, search, stats, styles, tilejson, tiles, ui,
};

/// The whole server but its sockets.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(ui::index))
        .route("/favicon.svg", get(ui::asset))
        .route("/assets/{*path}", get(ui::asset))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/catalog", get(catalog::catalog))
        .route("/styles/{id}/style.json", get(styles::style))
        .route("/{layer}", get(tilejson::tilejson))
        .route("/{layer}/{z}/{x}/{y}", get(tiles::tile))
        .route("/{layer}/queryables", get(queryables::queryables))
        .route("/{layer}/items", get(items::items))
        .route("/{layer}/items.csv", get(items::csv))
        .route("/{layer}/items.fgb", get(items::fgb))
        .route("/{layer}/items.geojson", get(items::geojson))
        .route("/{layer}/items/{id}", get(item::item))
        .route("/{layer}/search", get(search::search))
        .route("/{layer}/stats", get(stats::stats))
        .route("/{layer}/at", get(item::at))
        .fallback(async || HttpError::NotFound("nothing has this address".into()))
        .method_not_allowed_fallback(async || HttpError::MethodNotAllowed)
        .layer(from_fn_with_state(Arc::clone(&app), edge))
        .with_state(app)
}
