//! `/health`: the process answers. `/ready`: it has a dataset to answer from, and if not the
//! newest, why.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::http::{Answer, Asked, Freshness};

pub async fn health(asked: Asked) -> Response {
    Answer::json(&json!({ "status": "ok" }), Freshness::Never).respond(&asked)
}

/// 200 as long as a version is served, be it an older one than the dataset names.
pub async fn ready(State(app): State<Arc<App>>, asked: Asked) -> Response {
    let snapshot = app.snapshot().ok();
    let mut body = json!({
        "status": if snapshot.is_some() { "ready" } else { "not ready" },
        "version": snapshot.as_ref().map(|s| &s.manifest.version),
    });
    if let Some(refusal) = app.served.refusal() {
        body["refused"] = json!({
            "version": refusal.version,
            "cause": refusal.cause,
            "detail": refusal.detail,
        });
    }
    let mut response = Answer::json(&body, Freshness::Never).respond(&asked);
    if snapshot.is_none() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}
