//! `/tileMatrixSets`: the one grid there is, `WebMercatorQuad` (OGC 17-083r4, annex D).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tilecore::tile::ZOOM_MAX;

use super::{JSON, link};
use crate::app::App;
use crate::http::path::Segments;
use crate::http::{Answer, Asked, Freshness, HttpError};

pub(super) const NAME: &str = "WebMercatorQuad";
pub(super) const URI: &str = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad";
pub(super) const CRS: &str = "http://www.opengis.net/def/crs/EPSG/0/3857";

/// Half the edge of the world, in metres.
const HALF: f64 = 20_037_508.342_789_244;

/// Pixels of a tile's edge, and metres of one in the standard's rendering.
const PIXELS: u32 = 256;
const PIXEL: f64 = 0.000_28;

pub async fn list(State(app): State<Arc<App>>, asked: Asked) -> Response {
    let href = format!("{}/tileMatrixSets/{NAME}", app.public_url);
    let body = json!({
        "tileMatrixSets": [{
            "id": NAME,
            "title": "Google Maps Compatible for the World",
            "uri": URI,
            "crs": CRS,
            "links": [link("self", JSON, &href, NAME)],
        }],
    });
    Answer::json(&body, Freshness::Current).respond(&asked)
}

pub async fn one(path: Segments, asked: Asked) -> Result<Response, HttpError> {
    if path.name(1)? != NAME {
        return Err(HttpError::NotFound(
            format!("no such tile matrix set: there is {NAME}").into(),
        ));
    }
    Ok(Answer::json(&definition(), Freshness::Current).respond(&asked))
}

fn definition() -> Value {
    let matrix = |z: u8| {
        let edge = 1_u64 << z;
        let cell = 2.0 * HALF / f64::from(PIXELS) / 2_f64.powi(z.into());
        json!({
            "id": z.to_string(),
            "scaleDenominator": cell / PIXEL,
            "cellSize": cell,
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [-HALF, HALF],
            "matrixWidth": edge,
            "matrixHeight": edge,
            "tileWidth": PIXELS,
            "tileHeight": PIXELS,
        })
    };
    json!({
        "id": NAME,
        "title": "Google Maps Compatible for the World",
        "uri": URI,
        "crs": CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": (0..=ZOOM_MAX).map(matrix).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_standard() {
        let definition = definition();
        let matrix = &definition["tileMatrices"][0];
        let scale = matrix["scaleDenominator"].as_f64().expect("a number");
        assert!((scale - 559_082_264.028_717_8).abs() < 1e-3, "{scale}");
        let cell = matrix["cellSize"].as_f64().expect("a number");
        assert!((cell - 156_543.033_928_041).abs() < 1e-6, "{cell}");
    }
}
