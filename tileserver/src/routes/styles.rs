//! `/styles/{id}/style.json`: a `MapLibre` style wired to a layer, its breaks and legend.
//!
//! `id` is a template's name, for the layer that `layer` names or the first (`density` for the contacts
//! that `set` names or the first); or a published map's; or a layer's, for its choropleth.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tilecore::dataset::schema::{Indicator, Kind, text_in};
use tilecore::filter::{Filter, Queryables};

use super::density_style;
use crate::analysis::Analysis;
use crate::analysis::classing::{self, CLASSES, CLASSES_MAX};
use crate::app::App;
use crate::criteria;
use crate::http::path::{Segments, encoded};
use crate::http::{Answer, Asked, Freshness, HttpError, Query};
use crate::layer::{LayerRef, LevelRef};
use crate::legend::{Cut, Legend, Look, palette};
use crate::maps::story::Story;
use crate::scope::{self, address};
use crate::snapshot::Snapshot;
use crate::style::{Source, Template, bivariate, by_level, score_ramp};
use crate::tile_request;

/// Classes of each indicator of a bivariate map.
const SQUARE: usize = 3;

pub async fn style(
    State(app): State<Arc<App>>,
    path: Segments,
    query: Query,
    asked: Asked,
) -> Result<Response, HttpError> {
    let snapshot = app.snapshot()?;
    let id = path.name(1)?;
    let freshness = Freshness::of(&query, &snapshot.manifest.version)?;
    let layer = || match query.get("layer")? {
        Some(name) => snapshot.layer(&name),
        None => Ok(snapshot.layer_at(0)),
    };
    let style = match Template::of_name(&id) {
        Some(Template::Choropleth) => choropleth(&app, &snapshot, layer()?, &query).await?,
        Some(Template::Bivariate) => two_indicators(&app, &snapshot, layer()?, &query).await?,
        Some(Template::Priority) => priority(&app, &snapshot, layer()?, &query)?,
        Some(Template::Density) => density_style::style(&app, &snapshot, &query).await?,
        None if let Ok(map) = app.maps.get(&id, SystemTime::now()) => {
            let story = Story::of(&app, map, "en").await?;
            story.style(&story.tiles(&app), Some(story.names(&app)))
        }
        None => {
            let layer = snapshot.layer(&id).map_err(|_| no_style())?;
            choropleth(&app, &snapshot, layer, &query).await?
        }
    };
    Ok(Answer::json(&style, freshness).respond(&asked))
}

fn no_style() -> HttpError {
    HttpError::NotFound(
        "no style of this name: give choropleth, bivariate, priority, density or a layer".into(),
    )
}

async fn choropleth(
    app: &App,
    snapshot: &Arc<Snapshot>,
    layer: LayerRef<'_>,
    query: &Query,
) -> Result<Value, HttpError> {
    let look = look(query, layer, "property", CLASSES)?;
    let filter = |queryables: &Queryables| criteria::filter(query, queryables);
    let legends = legends(app, snapshot, layer, &look, &filter).await?;
    let source = source(app, snapshot, layer, query, &look.property)?;
    let name = title(layer, &look.property);
    let mut style = source.areas(Template::Choropleth, &name, fills(&legends));
    style["metadata"]["maille:legends"] = legends.iter().map(|(_, l)| l.to_json()).collect();
    Ok(style)
}

async fn two_indicators(
    app: &App,
    snapshot: &Arc<Snapshot>,
    layer: LayerRef<'_>,
    query: &Query,
) -> Result<Value, HttpError> {
    let filter = |queryables: &Queryables| criteria::filter(query, queryables);
    let look_x = look(query, layer, "x", SQUARE)?;
    let look_y = look(query, layer, "y", SQUARE)?;
    let xs = legends(app, snapshot, layer, &look_x, &filter).await?;
    let ys = legends(app, snapshot, layer, &look_y, &filter).await?;
    let numbers = |legend: &Legend| {
        (0..legend.classes.len())
            .map(|i| json!(i))
            .collect::<Vec<_>>()
    };
    let mut fills = Vec::new();
    for (zoom, x) in &xs {
        if let Some((_, y)) = ys.iter().find(|(other, _)| other == zoom) {
            let [column, row] = [x, y].map(|one| one.expression(&numbers(one), &json!(-1)));
            fills.push((
                *zoom,
                bivariate(&column, &row, x.classes.len(), y.classes.len()),
            ));
        }
    }
    let properties = format!("{},{}", look_x.property, look_y.property);
    let source = source(app, snapshot, layer, query, &properties)?;
    let name = format!(
        "{} × {}",
        title(layer, &look_x.property),
        title(layer, &look_y.property)
    );
    let mut style = source.areas(Template::Bivariate, &name, by_level(fills));
    let told =
        |legends: &[(u8, Legend)]| legends.iter().map(|(_, l)| l.to_json()).collect::<Value>();
    style["metadata"]["maille:legends"] = json!({ "x": told(&xs), "y": told(&ys) });
    Ok(style)
}

fn priority(
    app: &App,
    snapshot: &Snapshot,
    layer: LayerRef<'_>,
    query: &Query,
) -> Result<Value, HttpError> {
    if query.get("score")?.is_none() {
        let detail = "give weights, as turnout:3,-income:2";
        return Err(HttpError::parameter("score", detail));
    }
    // Some level has what the criteria name, or none of the tiles has anything.
    let fits = |level| Analysis::parse(query, snapshot, level, std::iter::empty()).map(drop);
    let of_levels = layer.levels().map(fits);
    of_levels.reduce(|found, next| next.or(found)).transpose()?;
    let source = source(app, snapshot, layer, query, "")?;
    let name = text_in(&layer.meta.title, "").unwrap_or(&layer.meta.name);
    Ok(source.areas(Template::Priority, name, score_ramp()))
}

/// How the indicator that `parameter` names is drawn; by default the layer's first.
fn look(
    query: &Query,
    layer: LayerRef<'_>,
    parameter: &'static str,
    classes: usize,
) -> Result<Look, HttpError> {
    let name = query.get(parameter)?;
    let numbers = parameter != "property";
    let fits = |i: &&Indicator| !numbers || i.kind == Kind::Number;
    let found = match name.as_deref() {
        Some(name) => layer.indicators().filter(fits).find(|i| i.name == name),
        None if parameter == "y" => layer.indicators().filter(fits).nth(1),
        None => {
            let first = layer.meta.default_properties.first();
            let usual = layer
                .indicators()
                .filter(fits)
                .find(|i| Some(&i.name) == first);
            usual.or_else(|| layer.indicators().find(fits))
        }
    };
    let indicator = found.ok_or_else(|| {
        let kind = if numbers { " of numbers" } else { "" };
        HttpError::parameter(parameter, format!("name an indicator{kind} of the layer"))
    })?;
    let cut = match query.list_of_numbers("breaks")? {
        Some(upper) if upper.len() <= CLASSES_MAX && upper.is_sorted_by(|a, b| a < b) => {
            Cut::Given(upper)
        }
        Some(_) => {
            let detail = format!("give at most {CLASSES_MAX} ascending upper limits");
            return Err(HttpError::parameter("breaks", detail));
        }
        None => Cut::Computed {
            method: classing::method(query, "method")?
                .unwrap_or(tilecore::classes::Method::Quantile),
            k: classing::count(query, "k")?.unwrap_or(classes),
        },
    };
    Ok(Look {
        property: indicator.name.clone(),
        cut,
        palette: query
            .get("palette")?
            .map(|name| palette(&name))
            .transpose()?,
        flip: query.parse("flip", "true or false")?.unwrap_or(false),
        middle: query.number("middle")?,
    })
}

/// The legend of each level that has the indicator, by the level's first zoom, ascending. A
/// coarser level that the filter does not fit has none.
pub async fn legends(
    app: &App,
    snapshot: &Arc<Snapshot>,
    layer: LayerRef<'_>,
    look: &Look,
    filter: &(dyn Fn(&Queryables) -> Result<Filter, HttpError> + Sync),
) -> Result<Vec<(u8, Legend)>, HttpError> {
    let mut legends = Vec::new();
    for level in layer.levels() {
        let filter = match filter(level.data.queryables()) {
            Ok(filter) => filter,
            Err(error) if level.number == 0 => return Err(error),
            Err(_) => continue,
        };
        if let Some(legend) = legend(app, snapshot, level, look, &filter).await? {
            legends.push((level.meta.zooms[0], legend));
        }
    }
    legends.sort_by_key(|(zoom, _)| *zoom);
    Ok(legends)
}

/// The legend of one level.
pub async fn legend(
    app: &App,
    snapshot: &Arc<Snapshot>,
    level: LevelRef<'_>,
    look: &Look,
    filter: &Filter,
) -> Result<Option<Legend>, HttpError> {
    let rows = snapshot.rows(&app.pool, level, filter).await?;
    let (layer, level) = (level.layer.number, level.number);
    let (held, look) = (Arc::clone(snapshot), look.clone());
    let make = move || {
        let level = held.layer_at(layer).level_at(level);
        Legend::of(&look, level, rows.as_deref())
    };
    app.pool.run(make).await
}

/// The colours of each level.
#[must_use]
pub fn fills(legends: &[(u8, Legend)]) -> Value {
    let fill = |(zoom, legend): &(u8, Legend)| (*zoom, legend.color_expression());
    by_level(legends.iter().map(fill).collect())
}

/// Tiles that hold `properties` under the query's criteria.
fn source(
    app: &App,
    snapshot: &Snapshot,
    layer: LayerRef<'_>,
    query: &Query,
    properties: &str,
) -> Result<Source, HttpError> {
    let name = encoded(&layer.meta.name);
    let version = &snapshot.manifest.version;
    let mut tiles = format!("/{name}/{{z}}/{{x}}/{{y}}?v={version}");
    let mut names = format!("/{name}/names/{{z}}/{{x}}/{{y}}?v={version}");
    if !properties.is_empty() {
        let _ = write!(tiles, "&properties={}", encoded(properties));
    }
    let own = ["properties", "classes", "class-property", "class-method"];
    for parameter in tile_request::PARAMETERS
        .into_iter()
        .filter(|p| !own.contains(p))
    {
        if let Some(value) = query.get(parameter)? {
            for url in [&mut tiles, &mut names] {
                let _ = write!(url, "&{parameter}={}", encoded(&value));
            }
        }
    }
    // The template of a path opens as its paths do.
    if let Some(link) = &scope::caller().link
        && link.sig_for(&format!("/{name}/")).is_none()
    {
        let detail =
            "this link opens the style, not the tiles it names: sign that of a published map";
        return Err(HttpError::parameter("sig", detail));
    }
    let [tiles, names] = [tiles, names].map(|path| address(&app.public_url, &path));
    Ok(Source::of_layer(layer, snapshot, tiles).named(names))
}

/// What an indicator is called.
fn title(layer: LayerRef<'_>, property: &str) -> String {
    let indicator = layer.indicators().find(|i| i.name == property);
    let label = indicator.and_then(|i| text_in(&i.label, ""));
    label.unwrap_or(property).to_owned()
}
