//! The parameters that several resources share, checked once: which rows, which properties.

use tilecore::dataset::schema::{COLUMN_ID, COLUMN_KEY, COLUMN_NAME, Indicator, Kind};
use tilecore::filter::{Filter, FilterError, Queryables};

use crate::analysis::joining;
use crate::http::error::Reason;
use crate::http::{HttpError, Query};
use crate::layer::{LayerRef, LevelRef};

/// `filter` and `filter-lang`.
pub fn filter(query: &Query, queryables: &Queryables) -> Result<Filter, HttpError> {
    filter_of(query, "filter", queryables)
}

/// A filter by its parameter; `filter-lang` speaks of all of a request.
pub fn filter_of(
    query: &Query,
    parameter: &'static str,
    queryables: &Queryables,
) -> Result<Filter, HttpError> {
    let lang = query.get("filter-lang")?;
    let parse = match lang.as_deref() {
        None | Some("cql2-text") => Filter::parse_text,
        Some("cql2-json") => Filter::parse_json,
        Some(_) => {
            let detail = "give cql2-text or cql2-json";
            return Err(HttpError::parameter("filter-lang", detail));
        }
    };
    let Some(text) = query.get(parameter)? else {
        return Ok(Filter::everything());
    };
    parse(&text, queryables).map_err(|error| bad(parameter, &error))
}

/// `bbox`: west, south, east, north in degrees, or with heights, which areas do not have: west, south,
/// lowest, east, north, highest. One that crosses the antimeridian has its west beyond its east.
pub fn bbox(query: &Query, queryables: &Queryables) -> Result<Filter, HttpError> {
    let Some(numbers) = query.list_of_numbers("bbox")? else {
        return Ok(Filter::everything());
    };
    let ([west, south, east, north] | [west, south, _, east, north, _]) = numbers[..] else {
        let detail = "give west,south,east,north in degrees";
        return Err(HttpError::parameter("bbox", detail));
    };
    let text = format!("S_INTERSECTS(geometry, BBOX({west}, {south}, {east}, {north}))");
    Filter::parse_text(&text, queryables).map_err(|error| HttpError::BadParameter {
        parameter: "bbox".into(),
        position: None,
        detail: error.cause.to_string(),
        reason: None,
    })
}

fn bad(parameter: &'static str, error: &FilterError) -> HttpError {
    HttpError::BadParameter {
        parameter: parameter.into(),
        position: Some(error.position),
        detail: error.cause.to_string(),
        reason: Some(Reason::new(
            error.cause.kind(),
            error.cause.value(),
            error.cause.near(),
        )),
    }
}

/// The refusal of a `name` that is not there, with what may have been meant.
pub fn unknown(
    parameter: &'static str,
    name: &str,
    queryables: &Queryables,
    detail: impl Into<String>,
) -> HttpError {
    let reason = Reason::new("unknown_property", Some(name), &queryables.near(name));
    HttpError::because(parameter, detail, reason)
}

/// Refuses a `name` that is none of an indicator with numbers; `queryables` are of the same layer.
pub fn has_numbers(
    parameter: &'static str,
    name: &str,
    layer: LayerRef<'_>,
    queryables: &Queryables,
) -> Result<(), HttpError> {
    let detail = format!("no indicator `{name}` with numbers in this layer");
    match layer.indicators().find(|i| i.name == name) {
        Some(indicator) if indicator.kind == Kind::Number => Ok(()),
        Some(_) => {
            let reason = Reason::new("not_a_number", Some(name), &[]);
            Err(HttpError::because(parameter, detail, reason))
        }
        None => Err(unknown(parameter, name, queryables, detail)),
    }
}

/// `properties`: the indicators of a layer that are asked for, in the layer's order whatever
/// theirs; `None` when the caller names none. A name must be known to one of `layers`. What every
/// unit carries may be named too, and adds nothing.
pub fn properties<'a>(
    query: &Query,
    layers: &[LayerRef<'_>],
    layer: LayerRef<'a>,
) -> Result<Option<Vec<&'a Indicator>>, HttpError> {
    let Some(names) = query.list("properties")? else {
        return Ok(None);
    };
    let mut always = vec![COLUMN_ID, COLUMN_KEY, COLUMN_NAME];
    if query.get("contacts")?.is_some() {
        always.extend(joining::COLUMNS);
    }
    for name in &names {
        let mut shown = layers.iter().flat_map(|layer| layer.indicators());
        if !always.contains(&name.as_str()) && !shown.any(|i| i.name == *name) {
            let detail = format!("no indicator `{name}` in this layer");
            let queryables = layer.level_at(0).data.queryables();
            return Err(unknown("properties", name, queryables, detail));
        }
    }
    let asked = layer.indicators().filter(|i| names.contains(&i.name));
    Ok(Some(asked.collect()))
}

/// `level`, or the finest.
pub fn level<'a>(query: &Query, layer: LayerRef<'a>) -> Result<LevelRef<'a>, HttpError> {
    match query.get("level")? {
        None => Ok(layer.level_at(0)),
        Some(name) => layer
            .levels()
            .find(|level| level.meta.name == *name)
            .ok_or_else(|| HttpError::parameter("level", levels_of(layer))),
    }
}

/// What a parameter that names a level may be.
#[must_use]
pub fn levels_of(layer: LayerRef<'_>) -> String {
    let names: Vec<&str> = layer.meta.levels.iter().map(|l| l.name.as_str()).collect();
    format!("give one of {}", names.join(", "))
}
