//! `/styles/density/style.json`: contacts as heat. The set is `set`'s, or the first that the caller
//! may see; the other parameters are those of its tiles.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::State;
use serde_json::Value;

use super::density;
use crate::app::App;
use crate::http::path::{Segments, encoded};
use crate::http::{Asked, HttpError, Query};
use crate::snapshot::Snapshot;
use crate::style::Source;

/// A description is short.
const DESCRIPTION_MAX: usize = 1 << 20;

pub async fn style(app: &Arc<App>, snapshot: &Snapshot, query: &Query) -> Result<Value, HttpError> {
    let none = || HttpError::NotFound("no contacts to draw: see /catalog".into());
    let set = match query.get("set")? {
        Some(set) => set.into_owned(),
        None => density::catalog(snapshot, "")
            .keys()
            .next()
            .cloned()
            .ok_or_else(none)?,
    };
    let described = described(app, &set, query).await?;
    let broken = || HttpError::Internal;
    let bounds = &described["bounds"];
    let bound = |i: usize| bounds[i].as_f64().ok_or_else(broken);
    let zoom = |name: &str| described[name].as_u64().and_then(|z| u8::try_from(z).ok());
    let source = Source {
        tiles: described["tiles"][0]
            .as_str()
            .ok_or_else(broken)?
            .to_owned(),
        layer: set.clone(),
        bounds: [bound(0)?, bound(1)?, bound(2)?, bound(3)?],
        zooms: [
            zoom("minzoom").ok_or_else(broken)?,
            zoom("maxzoom").ok_or_else(broken)?,
        ],
        attribution: snapshot.manifest.attribution.clone(),
        names: None,
    };
    let name = described["name"].as_str().unwrap_or(&set);
    Ok(source.heat(name, &densest(&described)))
}

/// What the set's own address says, so that the style is of what its tiles will be, and the read is
/// noted where such reads are.
async fn described(app: &Arc<App>, set: &str, query: &Query) -> Result<Value, HttpError> {
    let path = Segments::new(&format!("/density/{}", encoded(set)));
    let asked = Asked::default();
    let answer = density::tilejson(State(Arc::clone(app)), path, query.clone(), asked).await?;
    let body = to_bytes(answer.into_body(), DESCRIPTION_MAX).await;
    let body = body.map_err(|_| HttpError::Internal)?;
    serde_json::from_slice(&body).map_err(|_| HttpError::Internal)
}

/// By zoom the greatest count of a cell.
fn densest(described: &Value) -> Vec<(u8, f64)> {
    let ranges = described["maille"]["ranges"].as_object();
    let ranges = ranges.into_iter().flatten();
    let mut densest: Vec<(u8, f64)> = ranges
        .filter_map(|(zoom, range)| Some((zoom.parse().ok()?, range[1].as_f64()?)))
        .collect();
    densest.sort_by_key(|(zoom, _)| *zoom);
    densest
}
