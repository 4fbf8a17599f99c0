//! `/{layer}/items`, `.csv`, `.geojson`, `.fgb`: the rows that pass a filter, in an order.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::ready;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, LINK};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tilecore::dataset::columns::Column;
use tilecore::filter::Table as _;
use tilecore::score::Criterion;

use crate::app::App;
use crate::choice::{CONTROL, TREATED};
use crate::figure::figure;
use crate::http::answer::Head;
use crate::http::path::{Segments, encoded};
use crate::http::{Asked, Coding, HttpError, Query};
use crate::rows::csv::Dialect;
use crate::rows::{Form, Pieces, flatgeobuf};
use crate::selection::{Length, Ranking, Selection};

/// Units without a rank that are told by name.
const UNRANKED_MAX: usize = 1_000;

const GEOJSON: &str = "application/geo+json";
const CSV: &str = "text/csv; charset=utf-8; header=present";
const FLATGEOBUF: &str = "application/vnd.flatgeobuf";

/// A page of GeoJSON, with a link to the next.
pub async fn items(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let geometry = wants_geometry(&query)?;
    let list = Selection::parse(&app, &path, &query, Length::Page).await?;
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
    let list = Selection::parse(&app, &path, &query, Length::Whole).await?;
    let download = Download::of(&list, "geojson", &app.public_url);
    let tail = String::new();
    let response = respond(list, Form::GeoJson { geometry, tail }, &asked);
    Ok(download.describe(response))
}

/// All of it as a CSV file.
pub async fn csv(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let dialect = match query.get("dialect")?.as_deref() {
        None => Dialect::Plain,
        Some("spreadsheet") => Dialect::Spreadsheet,
        Some(_) => {
            let detail = "give spreadsheet, or nothing for plain CSV";
            return Err(HttpError::parameter("dialect", detail));
        }
    };
    let list = Selection::parse(&app, &path, &query, Length::Whole).await?;
    let download = Download::of(&list, "csv", &app.public_url);
    Ok(download.describe(respond(list, Form::Csv(dialect), &asked)))
}

/// All of it as a FlatGeobuf file, in Web Mercator; in Hilbert order, as the format has it.
pub async fn fgb(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let list = Selection::parse(&app, &path, &query, Length::Whole).await?;
    if list.rows.rows.len() > flatgeobuf::UNITS_MAX {
        let detail = format!(
            "{} units pass: narrow it to {}, or take .geojson",
            list.rows.rows.len(),
            flatgeobuf::UNITS_MAX
        );
        return Err(HttpError::parameter("filter", detail));
    }
    let download = Download::of(&list, "fgb", &app.public_url);
    let head = Head::new(list.tag, Coding::Identity, list.freshness);
    if let Some(held) = head.unless_held(&asked) {
        return Ok(held);
    }
    if list.rows.rows.is_empty() {
        return Ok(head.without_body());
    }
    let written = app.pool.run(move || flatgeobuf::write(&list.rows)).await?;
    let file = written.map_err(|cause| {
        tracing::error!(cause, "cannot write FlatGeobuf");
        HttpError::Internal
    })?;
    Ok(download.describe(head.with_body(FLATGEOBUF, file)))
}

fn wants_geometry(query: &Query) -> Result<bool, HttpError> {
    Ok(query.parse("geometry", "true or false")?.unwrap_or(true))
}

/// What OGC API – Features adds to a collection.
fn page_members(list: &Selection, public_url: &str, query: &Query) -> String {
    let mut members = format!(
        r#","numberMatched":{},"numberReturned":{}"#,
        list.matched,
        list.rows.rows.len()
    );
    if let Some(next) = list.next_offset() {
        let layer = encoded(&list.rows.level().layer.meta.name);
        let query = query.with("offset", &next.to_string());
        let link = json!([{
            "rel": "next",
            "type": GEOJSON,
            "href": format!("{public_url}/{layer}/items?{query}"),
        }]);
        let _ = write!(members, r#","links":{link}"#);
    }
    if let Some(ranking) = &list.ranking {
        let _ = write!(members, r#","ranking":{}"#, describe_ranking(ranking));
        let unranked = unranked(list, &ranking.unranked);
        let count = ranking.unranked.len();
        let _ = write!(
            members,
            r#","numberUnranked":{count},"unranked":{unranked}"#
        );
    }
    if let (Some(objective), Some(cover)) = (&list.choice.objective, &list.cover) {
        let told = json!({
            "property": objective.property,
            "gap": figure(objective.gap),
            "areas": cover.rows.len(),
            "covered": figure(cover.covered),
            "reached": cover.reached,
        });
        let _ = write!(members, r#","objective":{told}"#);
    }
    if let Some(split) = &list.choice.split {
        let told = json!({
            "share": figure(split.share),
            "by": split.by,
            "seed": split.seed,
            TREATED: list.treated,
            CONTROL: list.matched - list.treated,
        });
        let _ = write!(members, r#","split":{told}"#);
    }
    if let Some(contacts) = &list.contacts {
        let _ = write!(members, r#","contacts":{contacts}"#);
    }
    members
}

fn describe_ranking(ranking: &Ranking) -> Value {
    let criteria = ranking.scoring.weights().criteria();
    let criterion = |criterion: &Criterion| {
        json!({
            "property": criterion.column,
            "weight": figure(criterion.weight),
            "first": if criterion.low { "low" } else { "high" },
        })
    };
    let stability = ranking.stability.map(|(first, noise)| {
        json!({
            "top": first,
            "noise": figure(noise.spread),
            "draws": noise.draws,
            "seed": noise.seed,
        })
    });
    json!({
        "method": ranking.scoring.method().name(),
        "criteria": criteria.iter().map(criterion).collect::<Vec<_>>(),
        "ranked": ranking.ranked,
        "stability": stability,
    })
}

/// Units without a rank, and the criteria each misses.
fn unranked(list: &Selection, rows: &[u32]) -> Value {
    let level = list.rows.level();
    let table = list.rows.results.over(level);
    let misses = |name: &&String, row: usize| match table.column(name) {
        Some(Column::Number(numbers)) => numbers.get(row).is_none(),
        _ => true,
    };
    let unit = |&row: &u32| {
        let row = row as usize;
        let missing = list.rows.criteria.iter().filter(|name| misses(name, row));
        json!({
            "key": level.data.level.key(row),
            "name": level.data.level.name(row),
            "missing": missing.collect::<Vec<_>>(),
        })
    };
    rows.iter().take(UNRANKED_MAX).map(unit).collect()
}

/// The list as the client wants it, streamed when long.
pub(super) fn respond(list: Selection, form: Form, asked: &Asked) -> Response {
    let head = Head::new(list.tag, asked.coding, list.freshness);
    if let Some(held) = head.unless_held(asked) {
        return held;
    }
    let content_type = match form {
        Form::Csv(_) => CSV,
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

/// What a file says of itself beside its content.
struct Download {
    disposition: String,
    provenance: String,
}

impl Download {
    fn of(list: &Selection, extension: &str, public_url: &str) -> Self {
        let level = list.rows.level();
        let layer = &level.layer.meta.name;
        // In letters every file system takes.
        let mut name = format!("{layer}-{}", level.meta.name);
        name.retain(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let description = format!("{public_url}/{}", encoded(layer));
        Self {
            disposition: format!("attachment; filename=\"{name}.{extension}\""),
            // Sources, vintages and licences of the columns are told there.
            provenance: format!("<{description}>; rel=\"describedby\"; type=\"application/json\""),
        }
    }

    fn describe(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_DISPOSITION, self.disposition),
            (LINK, self.provenance),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
