//! `/{layer}/names/{z}/{x}/{y}`: where the units of a tile are named, as points.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tilecore::TileCoord;

use crate::analysis::{Analysis, Results};
use crate::app::App;
use crate::http::answer::Head;
use crate::http::etag::Tag;
use crate::http::path::Segments;
use crate::http::{Asked, Freshness, HttpError, Query};
use crate::names;
use crate::snapshot::Snapshot;

const MVT: &str = "application/vnd.mapbox-vector-tile";

/// Changes whenever equal requests over equal datasets give other bytes than before.
const ENCODER: u32 = 2;

pub async fn tile(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    answer(&app, &snapshot, &path, &query, &asked).await
}

/// The names of a layer over a snapshot.
pub async fn answer(
    app: &App,
    snapshot: &Arc<Snapshot>,
    path: &Segments,
    query: &Query,
    asked: &Asked,
) -> Result<Response, HttpError> {
    let layer = snapshot.layer(&path.name(0)?)?;
    let (z, x, y) = path.tile_numbers()?;
    let outside = || HttpError::NotFound("outside the tile matrix".into());
    let coord = TileCoord::new(z, x, y).ok_or_else(outside)?;
    let level = layer.level_of_zoom(z).ok_or_else(|| {
        HttpError::NotFound("the layer has no tiles at this zoom: see its TileJSON".into())
    })?;
    let analysis = Analysis::parse(query, snapshot, level, [])?;
    analysis.note(app, snapshot, path.after_root())?;
    let version = &snapshot.manifest.version;
    let freshness = Freshness::of(query, version)?;
    let tag = format!(
        "names {ENCODER} {version} {:?} {coord:?} {}",
        layer.meta.name,
        analysis.canonical()
    );
    let head = Head::new(Tag::of(tag.as_bytes()), asked.coding, freshness);
    if let Some(held) = head.unless_held(asked) {
        return Ok(held);
    }
    let question = &analysis.question;
    let passing = snapshot.passing(&app.pool, level, question).await?;
    let results = match &analysis.scoring {
        Some(_) => analysis.compute(app, snapshot, level).await?,
        None => Results::default(),
    };
    let (layer, level) = (layer.number, level.number);
    let held = Arc::clone(snapshot);
    let encode = move || {
        let level = held.layer_at(layer).level_at(level);
        names::encode(level, coord, passing.as_deref(), results.scores())
    };
    let bytes = app.pool.run(encode).await?.map_err(|error| {
        tracing::error!(%error, "cannot encode names");
        HttpError::Internal
    })?;
    if bytes.is_empty() {
        return Ok(head.without_body());
    }
    Ok(head.with_body(MVT, asked.coding.encode(&bytes).into_owned()))
}
