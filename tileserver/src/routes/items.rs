//! `/{layer}/items`, `.csv`, `.geojson`: the rows that pass a filter, in an order.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::ready;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use tilecore::dataset::schema::Indicator;

use crate::app::App;
use crate::criteria;
use crate::http::answer::Head;
use crate::http::etag::Tag;
use crate::http::path::{Segments, encoded};
use crate::http::{Asked, Freshness, HttpError, Query};
use crate::order::Order;
use crate::rows::{Form, Pieces, Rows};
use crate::snapshot::LevelRef;

/// Items of a page when the caller names no limit, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 10_000;

const GEOJSON: &str = "application/geo+json";

/// A list as asked for.
struct List {
    /// Filtered and in order, before paging.
    matched: usize,
    offset: usize,
    rows: Rows,
    tag: Tag,
    freshness: Freshness,
}

/// A page of GeoJSON, with a link to the next.
pub async fn items(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let geometry = wants_geometry(&query)?;
    let list = select(&app, &path, &query, Some(PAGE)).await?;
    let tail = page_members(&list, &app.public_url, &query);
    Ok(respond(list, Form::GeoJson { geometry, tail }, &asked))
}

/// All of it as a GeoJSON file.
pub async fn geojson(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let geometry = wants_geometry(&query)?;
    let list = select(&app, &path, &query, None).await?;
    let tail = String::new();
    let file = file_name(&list, "geojson");
    let response = respond(list, Form::GeoJson { geometry, tail }, &asked);
    Ok(as_download(response, &file))
}

/// All of it as a CSV file.
pub async fn csv(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let list = select(&app, &path, &query, None).await?;
    let file = file_name(&list, "csv");
    Ok(as_download(respond(list, Form::Csv, &asked), &file))
}

fn wants_geometry(query: &Query) -> Result<bool, HttpError> {
    Ok(query.parse("geometry", "true or false")?.unwrap_or(true))
}

/// `page`: the limit when the caller names none; a list without one is a file.
async fn select(
    app: &App,
    path: &Segments,
    query: &Query,
    page: Option<usize>,
) -> Result<List, HttpError> {
    let snapshot = app.snapshot()?;
    let layer = snapshot.layer(&path.name(0)?)?;
    let level = criteria::level(query, layer)?;
    let filter = criteria::filter_and_bbox(query, level.data.queryables())?;
    let columns = columns(query, level)?;
    let order = Order::parse(query, level)?;
    let whole = "a whole number";
    let offset = query.parse::<usize>("offset", whole)?.unwrap_or(0);
    let limit = query.parse::<usize>("limit", whole)?.or(page);
    let limit = limit.map_or(usize::MAX, |limit| match page {
        Some(_) => limit.min(PAGE_MAX),
        None => limit,
    });

    let version = &snapshot.manifest.version;
    let geometry = wants_geometry(query)?;
    let asked = (
        path.after_root(),
        level.number,
        filter.canonical(),
        geometry,
    );
    let tag =
        Tag::of(format!("{version} {asked:?} {columns:?} {order:?} {offset} {limit}").as_bytes());
    let freshness = Freshness::of(query, version)?;

    let passing = snapshot.rows(&app.pool, level, &filter).await?;
    let (layer, level) = (layer.number, level.number);
    let snapshot = Arc::clone(&snapshot);
    let list = move || {
        let at = snapshot.layer_at(layer).level_at(level);
        let mut rows: Vec<u32> = match passing {
            Some(passing) => passing
                .iter()
                .filter_map(|row| row.try_into().ok())
                .collect(),
            None => (0..).take(at.data.level.rows()).collect(),
        };
        order.sort(at, &mut rows);
        let matched = rows.len();
        let rows = rows.into_iter().skip(offset).take(limit).collect();
        List {
            matched,
            offset,
            rows: Rows {
                snapshot,
                layer,
                level,
                rows,
                columns,
            },
            tag,
            freshness,
        }
    };
    app.pool.run(list).await
}

/// Column numbers of `properties`, or of all indicators.
fn columns(query: &Query, level: LevelRef<'_>) -> Result<Vec<usize>, HttpError> {
    let number = |i: &Indicator| level.data.level.column_number(&i.name);
    Ok(
        match criteria::properties(query, &[level.layer], level.layer)? {
            Some(asked) => asked.into_iter().filter_map(number).collect(),
            None => level.layer.indicators().filter_map(number).collect(),
        },
    )
}

/// What OGC API – Features adds to a collection.
fn page_members(list: &List, public_url: &str, query: &Query) -> String {
    let returned = list.rows.rows.len();
    let mut members = format!(
        r#","numberMatched":{},"numberReturned":{returned}"#,
        list.matched
    );
    let next = list.offset.saturating_add(returned);
    if returned > 0 && next < list.matched {
        let layer = encoded(&list.rows.level().layer.meta.name);
        let query = query.with("offset", &next.to_string());
        let link = json!([{
            "rel": "next",
            "type": GEOJSON,
            "href": format!("{public_url}/{layer}/items?{query}"),
        }]);
        let _ = write!(members, r#","links":{link}"#);
    }
    members
}

fn respond(list: List, form: Form, asked: &Asked) -> Response {
    let head = Head::new(list.tag, asked.coding, list.freshness);
    if let Some(held) = head.unless_held(asked) {
        return held;
    }
    let content_type = match form {
        Form::Csv => "text/csv; charset=utf-8; header=present",
        Form::GeoJson { .. } => GEOJSON,
    };
    let mut pieces = Pieces::new(list.rows, form, asked.coding);
    let first = pieces.next().unwrap_or_default();
    let body = if pieces.is_over() {
        Body::from(first)
    } else {
        Body::from_stream(stream::once(ready(Ok(first))).chain(in_turns(pieces)))
    };
    head.with_body(content_type, body)
}

/// Gives way to other requests between two pieces.
fn in_turns(pieces: Pieces) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(pieces, async |mut pieces| {
        tokio::task::yield_now().await;
        let piece = pieces.next()?;
        Some((Ok(piece), pieces))
    })
}

fn as_download(mut response: Response, list_name: &str) -> Response {
    let value = format!("attachment; filename=\"{list_name}\"");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// `layer-level.csv`, in letters every file system takes.
fn file_name(list: &List, extension: &str) -> String {
    let level = list.rows.level();
    let mut name = format!("{}-{}", level.layer.meta.name, level.meta.name);
    name.retain(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    format!("{name}.{extension}")
}
