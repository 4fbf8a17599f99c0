//! `/density/{set}`: where contacts are. Staff of their tenant are answered from the contacts,
//! everybody else from a release, and who may see neither like one who asks for nothing known.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use tilecore::TileCoord;
use tilecore::dataset::release::Release;
use tilecore::dataset::schema::{self, text_in};
use tilecore::density::tile::{CellCount, encode_cells};
use tilecore::filter::{Filter, Queryables};
use tilecore::tile::ZOOM_MAX;

use super::tilejson::center;
use crate::app::App;
use crate::audit::note;
use crate::contacts::Contacts;
use crate::criteria;
use crate::http::answer::Head;
use crate::http::etag::Tag;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::scope::address;
use crate::snapshot::{Published, Snapshot};

mod drawing;

use drawing::Drawing;

const MVT: &str = "application/vnd.mapbox-vector-tile";

/// Parameters that tiles depend on.
const PARAMETERS: [&str; 7] = [
    "filter",
    "filter-lang",
    "grid",
    "kernel",
    "radius_m",
    "denominator",
    "sig",
];

/// Changes whenever equal requests over equal datasets give other bytes than before.
const ENCODER: u32 = 4;

/// What a caller may see of a set.
enum Source<'a> {
    Inside(&'a Arc<Contacts>),
    Outside(&'a Published),
}

impl<'a> Source<'a> {
    fn of(snapshot: &'a Snapshot, name: &str) -> Result<Self, HttpError> {
        let inside = snapshot.contacts_of(name).map(Self::Inside);
        let outside = || {
            snapshot
                .releases
                .get(name)
                .map(|release| Self::Outside(release))
        };
        inside
            .or_else(outside)
            .ok_or_else(|| HttpError::NotFound("no contacts of this name: see /catalog".into()))
    }

    fn is_inside(&self) -> bool {
        matches!(self, Self::Inside(_))
    }

    fn title(&self) -> &'a schema::Localized {
        match self {
            Self::Inside(contacts) => &contacts.meta.title,
            Self::Outside(published) => &published.meta.title,
        }
    }

    fn queryables(&self) -> &Queryables {
        match self {
            Self::Inside(contacts) => &contacts.queryables,
            Self::Outside(published) => &published.queryables,
        }
    }
}

pub async fn tilejson(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let name = path.name(1)?;
    let source = Source::of(&snapshot, &name)?;
    let filter = criteria::filter(&query, source.queryables())?;
    let drawing = Drawing::parse(&query, &snapshot, source.is_inside())?;
    let version = &snapshot.manifest.version;
    let freshness = Freshness::of(&query, version)?;
    let mut tiles = format!("/density/{name}/{{z}}/{{x}}/{{y}}?v={version}");
    for parameter in PARAMETERS {
        if let Some(value) = query.get(parameter)? {
            let _ = write!(tiles, "&{parameter}={}", encoded(&value));
        }
    }
    let title = source.title();
    let (bounds, mut ours) = match source {
        Source::Inside(contacts) => {
            note(&app, &snapshot, &name, &filter, "tilejson")?;
            let ours = describe_contacts(&app, &snapshot, contacts, &filter, &drawing).await?;
            (contacts.meta.bounds, ours)
        }
        Source::Outside(published) => {
            (published.meta.bounds, describe_release(published, &filter)?)
        }
    };
    ours["title"] = json!(title);
    // The public is told how many, not of how many.
    let fields = drawing.fields(snapshot.contacts.contains_key(&name));
    let mut layers = vec![json!({
        "id": name,
        "minzoom": 0,
        "maxzoom": ZOOM_MAX,
        "fields": fields,
    })];
    if drawing == Drawing::Hexagons {
        let mut beside = layers[0].clone();
        beside["id"] = json!(format!("{name}-beside"));
        beside["description"] =
            json!("hexagons of other tiles that reach into this one: to draw, not to count");
        layers.push(beside);
    }
    let body = json!({
        "tilejson": "3.0.0",
        "tiles": [address(&app.public_url, &tiles)],
        "name": text_in(title, "").unwrap_or(&name),
        "attribution": "",
        "version": "1.0.0",
        "scheme": "xyz",
        "minzoom": 0,
        "maxzoom": ZOOM_MAX,
        "bounds": bounds,
        "center": center(bounds, 0, ZOOM_MAX),
        "vector_layers": layers,
        "maille": ours,
    });
    Ok(Answer::json(&body, freshness).respond(&asked))
}

pub async fn tile(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let name = path.name(1)?;
    let source = Source::of(&snapshot, &name)?;
    let (z, x, y) = path.tile_numbers()?;
    let outside = || HttpError::NotFound("outside the tile matrix".into());
    let coord = TileCoord::new(z, x, y).ok_or_else(outside)?;
    let filter = criteria::filter(&query, source.queryables())?;
    let drawing = Drawing::parse(&query, &snapshot, source.is_inside())?;
    let version = &snapshot.manifest.version;
    let freshness = Freshness::of(&query, version)?;
    let tag = format!(
        "{ENCODER} {version} {name:?} {coord:?} {drawing:?} {}",
        filter.canonical()
    );
    let head = Head::new(Tag::of(tag.as_bytes()), asked.coding, freshness);
    let drawn = match source {
        Source::Inside(contacts) => {
            note(&app, &snapshot, &name, &filter, &format!("{z}/{x}/{y}"))?;
            if let Some(held) = head.unless_held(&asked) {
                return Ok(held);
            }
            drawing
                .draw(&app, &snapshot, contacts, &filter, coord)
                .await?
        }
        Source::Outside(published) => {
            let counts = published_counts(published, &filter, coord)?;
            if let Some(held) = head.unless_held(&asked) {
                return Ok(held);
            }
            match drawing {
                Drawing::Cells(shape) => encode_cells(&name, counts, shape),
                _ => return Err(HttpError::Internal),
            }
        }
    };
    if drawn.bytes().is_empty() {
        return Ok(head.without_body());
    }
    let coded = asked.coding.encode_hinted(&drawn);
    Ok(head.with_body(MVT, coded.into_owned()))
}

pub async fn queryables(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let name = path.name(1)?;
    let source = Source::of(&snapshot, &name)?;
    if matches!(source, Source::Inside(_)) {
        note(&app, &snapshot, &name, &Filter::everything(), "queryables")?;
    }
    let id = format!("{}/density/{name}/queryables", app.public_url);
    let schema = source.queryables().schema(&id, &name, "");
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    let answer = Answer::json(&schema, freshness).of_type("application/schema+json");
    Ok(answer.respond(&asked))
}

/// `/catalog`: the sets that a caller may see.
#[must_use]
pub fn catalog(snapshot: &Snapshot, public_url: &str) -> Map<String, Value> {
    let inside = snapshot.contacts.values();
    let inside = inside.map(|contacts| {
        let meta = &contacts.meta;
        (&meta.name, &meta.title, meta.bounds)
    });
    let outside = snapshot.releases.values();
    let outside = outside.map(|published| {
        let meta = &published.meta;
        (&meta.name, &meta.title, meta.bounds)
    });
    // Who sees the contacts is answered from these under the one name.
    outside
        .chain(inside)
        .map(|(name, title, bounds)| {
            let entry = json!({
                "content_type": MVT,
                "description": text_in(title, ""),
                "title": title,
                "url": format!("{public_url}/density/{}", encoded(name)),
                "minzoom": 0,
                "maxzoom": ZOOM_MAX,
                "bounds": bounds,
            });
            (name.clone(), entry)
        })
        .collect()
}

async fn describe_contacts(
    app: &App,
    snapshot: &Snapshot,
    contacts: &Arc<Contacts>,
    filter: &Filter,
    drawing: &Drawing,
) -> Result<Value, HttpError> {
    let passing = snapshot
        .passing_contacts(&app.pool, contacts, filter)
        .await?;
    let held = Arc::clone(contacts);
    let (matched, ranges) = app
        .pool
        .run(move || {
            let ranges = passing.ranges(&held.set).map(<[_]>::to_vec);
            (passing.ranked().total(), ranges)
        })
        .await?;
    let meta = &contacts.meta;
    let mut ours = json!({
        "tier": "inside",
        "tenant": meta.tenant,
        "contacts": meta.contacts,
        "left_out": meta.left_out,
        "matched": matched,
        "dimensions": meta.dimensions,
    });
    match drawing {
        // Ranges are of the counts of cells.
        Drawing::Cells(_) | Drawing::Rates { .. } => {
            ours["ranges"] = by_zoom(ranges.as_deref().unwrap_or_default()).into();
        }
        Drawing::Hexagons | Drawing::Smoothed { .. } => {}
    }
    drawing.describe(snapshot, &mut ours);
    Ok(ours)
}

fn by_zoom(ranges: &[[u32; 2]]) -> Map<String, Value> {
    let by_zoom = ranges.iter().enumerate();
    by_zoom
        .map(|(z, range)| (z.to_string(), json!(range)))
        .collect()
}

/// What the public is told of a release: it is given nothing else to tell it from.
fn describe_release(published: &Published, filter: &Filter) -> Result<Value, HttpError> {
    let meta: &schema::Release = &published.meta;
    let sums = sums(published, filter)?;
    let ranges: Map<String, Value> = (0..=ZOOM_MAX)
        .filter_map(|z| Some((z.to_string(), json!(published.release.range(&sums, z)?))))
        .collect();
    Ok(json!({
        "tier": "outside",
        "release": meta.id,
        "epsilon": meta.epsilon,
        "matched": Release::total(&sums),
        "cubes": meta.cubes.iter().map(|cube| &cube.dimensions).collect::<Vec<_>>(),
        "ranges": ranges,
    }))
}

fn published_counts(
    published: &Published,
    filter: &Filter,
    coord: TileCoord,
) -> Result<Vec<CellCount>, HttpError> {
    let sums = sums(published, filter)?;
    Ok(published.release.cells_of_tile(&sums, coord))
}

fn sums(published: &Published, filter: &Filter) -> Result<Vec<i64>, HttpError> {
    published.release.sums(filter).ok_or_else(|| {
        let detail = "these dimensions are not published together: see `cubes` in the TileJSON";
        HttpError::parameter("filter", detail)
    })
}
