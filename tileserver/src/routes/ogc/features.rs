//! `/collections/{id}/items` and one of them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::collections::address;
use super::{GEOJSON, JSON, link};
use crate::app::App;
use crate::criteria;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::LevelRef;
use crate::routes::items::respond;
use crate::rows::geojson::write_feature;
use crate::rows::{Form, Rows};
use crate::selection::{Length, Selection};

/// A page of a layer's areas.
pub async fn items(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    check_coordinates(&query)?;
    check_time(&query)?;
    if query.get("limit")?.as_deref() == Some("0") {
        return Err(HttpError::parameter("limit", "give at least 1"));
    }
    let own = format!("/{}/items", encoded(&path.name(1)?));
    let list = Selection::parse(&app, &Segments::new(&own), &query, Length::Page).await?;
    let tail = page_members(&list, &app.public_url, &query);
    let geometry = true;
    Ok(respond(list, Form::GeoJson { geometry, tail }, &asked))
}

/// One area, by its number, or else by its key.
pub async fn item(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    check_coordinates(&query)?;
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(1)?)?;
    let level = criteria::level(&query, layer)?;
    let id = path.name(3)?;
    let row = find(level, &id);
    let row = row.ok_or_else(|| HttpError::NotFound("no area has this number or key".into()))?;
    let mut body = Vec::new();
    write_feature(&Rows::of(&snapshot, level), row, true, &mut body);
    let url = address(&app.public_url, layer);
    let links = json!([
        link(
            "self",
            GEOJSON,
            &format!("{url}/items/{}", encoded(&id)),
            "This area"
        ),
        link("collection", JSON, &url, "Its layer"),
    ]);
    body.extend_from_slice(format!(r#","links":{links}}}"#).as_bytes());
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    Ok(Answer::new(GEOJSON, body, freshness).respond(&asked))
}

fn find(level: LevelRef<'_>, id: &str) -> Option<usize> {
    let number = id
        .parse()
        .ok()
        .and_then(|number| level.data.row_of_id(number));
    number.or_else(|| level.data.row_of_key(id))
}

/// Degrees are the only coordinates; saying so is allowed.
fn check_coordinates(query: &Query) -> Result<(), HttpError> {
    for parameter in ["crs", "bbox-crs", "filter-crs"] {
        if query.get(parameter)?.is_some_and(|crs| crs != super::CRS84) {
            return Err(HttpError::parameter(
                parameter,
                format!("give {} or nothing", super::CRS84),
            ));
        }
    }
    Ok(())
}

/// Areas have no time, so any passes; what is none is refused.
fn check_time(query: &Query) -> Result<(), HttpError> {
    let Some(text) = query.get("datetime")? else {
        return Ok(());
    };
    let is_time = |text: &str| {
        let parsed = text.parse::<toml::value::Datetime>();
        parsed.is_ok_and(|time| time.date.is_some() && time.time.is_some() == time.offset.is_some())
    };
    let is_end = |text: &str| matches!(text, "" | "..") || is_time(text);
    let holds = match text.split_once('/') {
        Some((start, end)) => is_end(start) && is_end(end) && (is_time(start) || is_time(end)),
        None => is_time(&text),
    };
    if holds {
        return Ok(());
    }
    let detail = "give a date, a time as 2024-06-30T12:00:00Z, or two with / between";
    Err(HttpError::parameter("datetime", detail))
}

fn page_members(list: &Selection, public_url: &str, query: &Query) -> String {
    let layer = list.rows.level().layer;
    let url = address(public_url, layer);
    let page = |rel: &str, offset: usize, title: &str| {
        let query = query.with("offset", &offset.to_string());
        link(rel, GEOJSON, &format!("{url}/items?{query}"), title)
    };
    let mut links = vec![
        page("self", list.offset, "This page"),
        link("collection", JSON, &url, "The layer"),
    ];
    if let Some(next) = list.next_offset() {
        links.push(page("next", next, "The next page"));
    }
    format!(
        r#","numberMatched":{},"numberReturned":{},"links":{}"#,
        list.matched,
        list.rows.rows.len(),
        Value::Array(links)
    )
}
