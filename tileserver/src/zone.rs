//! The figures of a drawn zone, from the counts of the areas it covers.

use serde_json::{Value, json};
use tilecore::dataset::columns::Column;
use tilecore::dataset::schema::Indicator;
use tilecore::geometry::GridPoint;
use tilecore::mercator::grid_from_degrees;
use tilecore::overlap::{Budget, Zone};
use tilecore::recompute::{Formula, figure as figure_of};

use crate::analysis::matching::weights;
use crate::figure::figure;
use crate::http::HttpError;
use crate::layer::LevelRef;
use crate::memo::Fault;

/// Vertices of a zone: more than anybody draws.
pub const VERTICES_MAX: usize = 2_000;

/// Steps that a zone may take, about a nanosecond each.
const BUDGET: u64 = 400_000_000;

/// Areas told by name.
const AREAS_MAX: usize = 10_000;

/// Less of an area is a border drawn along another.
const SHARE_MIN: f64 = 1e-9;

/// What an area's counts are shared by where a zone covers part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// The part of the area.
    Area,
    /// The weight of the parts' own finest units, these shared by area.
    Weight,
}

/// An area that a zone covers, wholly or in part.
#[derive(Debug, Clone, Copy)]
struct Covered {
    row: usize,
    /// Of its counts, 0..=1.
    share: f64,
    /// Of the ground.
    area: f64,
}

/// A zone from GeoJSON: a polygon or multipolygon, bare or in a feature.
pub fn parse(body: &[u8]) -> Result<Zone, HttpError> {
    let refuse = |detail: &str| HttpError::parameter("body", detail);
    let value: Value =
        serde_json::from_slice(body).map_err(|_| refuse("send GeoJSON: a polygon"))?;
    let shape = match value["type"].as_str() {
        Some("Feature") => &value["geometry"],
        Some("FeatureCollection") => match value["features"].as_array().map(Vec::as_slice) {
            Some([feature]) => &feature["geometry"],
            _ => return Err(refuse("send one feature")),
        },
        _ => &value,
    };
    let coordinates = shape["coordinates"].as_array();
    let polygons: Vec<&Value> = match (shape["type"].as_str(), coordinates) {
        (Some("Polygon"), Some(_)) => vec![&shape["coordinates"]],
        (Some("MultiPolygon"), Some(polygons)) => polygons.iter().collect(),
        _ => return Err(refuse("send a Polygon or MultiPolygon")),
    };
    let (mut rings, mut parts) = (Vec::new(), Vec::new());
    let mut vertices = 0;
    for polygon in polygons {
        parts.push(rings.len());
        let of_polygon = polygon.as_array();
        for ring in of_polygon.ok_or_else(|| refuse("a polygon is a list of rings"))? {
            let places = ring.as_array().filter(|places| places.len() >= 4);
            let places = places.ok_or_else(|| refuse("a ring has at least four positions"))?;
            vertices += places.len();
            if vertices > VERTICES_MAX {
                let detail = format!("draw it with at most {VERTICES_MAX} vertices");
                return Err(refuse(&detail));
            }
            if places.first() != places.last() {
                return Err(refuse("a ring ends where it starts"));
            }
            let ring: Option<Vec<GridPoint>> = places[1..].iter().map(place).collect();
            rings.push(ring.ok_or_else(|| refuse("give longitudes and latitudes in degrees"))?);
        }
    }
    let zone = Zone::new(&rings);
    let area = zone.area();
    if area <= 0.0 {
        return Err(refuse("the zone has no area"));
    }
    if parts.len() > 1 {
        let ends = parts.iter().skip(1).copied().chain([rings.len()]);
        let parts = parts.iter().zip(ends);
        let sum: f64 = parts
            .map(|(&start, end)| Zone::new(&rings[start..end]).area())
            .sum();
        // What two of them hold would count as outside.
        if sum > area * (1.0 + SHARE_MIN) {
            return Err(refuse("polygons of the zone overlap: send their union"));
        }
    }
    Ok(zone)
}

fn place(position: &Value) -> Option<GridPoint> {
    let lon = position.get(0)?.as_f64().filter(|lon| lon.abs() <= 180.0)?;
    let lat = position.get(1)?.as_f64().filter(|lat| lat.abs() <= 90.0)?;
    Some(grid_from_degrees(lon, lat))
}

/// What the areas of a level say of a zone.
pub fn describe(
    zone: &Zone,
    level: LevelRef<'_>,
    sharing: Sharing,
    indicators: &[&Indicator],
) -> Result<Value, HttpError> {
    let covered = match sharing {
        Sharing::Area => covered(zone, level)?,
        Sharing::Weight => covered_by_weight(zone, level)?,
    };
    let ground = zone.area();
    let area: f64 = covered.iter().map(|c| c.area).sum();
    let described: Vec<Value> = indicators
        .iter()
        .map(|indicator| describe_indicator(indicator, level, &covered, ground))
        .collect();
    let told = covered.iter().take(AREAS_MAX).map(|covered| {
        json!({
            "key": level.data.level.key(covered.row),
            "name": level.data.level.name(covered.row),
            "share": figure(covered.share),
        })
    });
    Ok(json!({
        "layer": level.layer.meta.name,
        "level": level.meta.name,
        "sharing": match sharing {
            Sharing::Area => "area",
            Sharing::Weight => "weight",
        },
        "coverage": figure((area / ground).min(1.0)),
        "indicators": described,
        "numberAreas": covered.len(),
        "areas": told.collect::<Vec<_>>(),
    }))
}

/// By key.
fn covered(zone: &Zone, level: LevelRef<'_>) -> Result<Vec<Covered>, HttpError> {
    let data = &level.data.level;
    let mut budget = Budget(BUDGET);
    let mut covered = Vec::new();
    for row in level.data.seen_in(zone.bounds()) {
        let shape = data.geometry(row).map_err(|error| {
            tracing::error!(%error, "cannot measure a zone");
            HttpError::Internal
        })?;
        let areas = zone.areas(&shape, data.bounds_of(row), &mut budget);
        let areas = areas.map_err(|_| {
            let detail = "the zone takes too much work: draw it smaller, or with fewer vertices";
            HttpError::parameter("body", detail)
        })?;
        let share = areas.common / areas.unit;
        if share > SHARE_MIN {
            covered.push(Covered {
                row,
                share: if share > 1.0 - SHARE_MIN { 1.0 } else { share },
                area: areas.common,
            });
        }
    }
    covered.sort_by_key(|covered| data.key(covered.row));
    Ok(covered)
}

/// As the finest units that each area is made of are covered, by their weight.
fn covered_by_weight(zone: &Zone, level: LevelRef<'_>) -> Result<Vec<Covered>, HttpError> {
    let finest = level.layer.level_at(0);
    if level.number == 0 {
        let detail = "the finest level has no parts to share by: give area, or a coarser level";
        return Err(HttpError::parameter("sharing", detail));
    }
    let broken = |fault| {
        if let Fault::Broken(cause) = fault {
            tracing::error!(cause, "cannot weigh a zone");
        }
        HttpError::Internal
    };
    let weights = weights(level.layer, finest).map_err(broken)?;
    let weigh = |row: usize| weights.get(row).copied().filter(|weight| *weight > 0.0);
    let ancestors = finest.ancestors(level.number);
    let mut parts = vec![(0.0, 0.0); level.data.level.rows()];
    for part in covered(zone, finest)? {
        if let Some(row) = ancestors.get(part.row) {
            parts[row].0 += part.share * weigh(part.row).unwrap_or(0.0);
            parts[row].1 += part.area;
        }
    }
    let mut wholes = vec![0.0; parts.len()];
    for row in finest.data.seen() {
        if let (Some(whole), Some(weight)) = (ancestors.get(row), weigh(row)) {
            wholes[whole] += weight;
        }
    }
    let mut covered: Vec<Covered> = parts
        .iter()
        .zip(&wholes)
        .enumerate()
        .filter(|(row, ((weight, _), whole))| {
            *weight > 0.0 && **whole > 0.0 && level.data.permits(*row)
        })
        .map(|(row, ((weight, area), whole))| Covered {
            row,
            share: (weight / whole).min(1.0),
            area: *area,
        })
        .collect();
    covered.sort_by_key(|covered| level.data.level.key(covered.row));
    Ok(covered)
}

/// Null where the figure does not follow from counts, or is missing in more than half of what
/// is covered.
fn describe_indicator(
    indicator: &Indicator,
    level: LevelRef<'_>,
    covered: &[Covered],
    ground: f64,
) -> Value {
    let column = level.data.level.column(&indicator.name);
    let is_known = |covered: &&Covered| match column {
        Some(Column::Number(numbers)) => numbers.get(covered.row).is_some(),
        Some(Column::Text(texts)) => texts.get(covered.row).is_some(),
        None => false,
    };
    let known: f64 = covered.iter().filter(is_known).map(|c| c.area).sum();
    let all: f64 = covered.iter().map(|c| c.area).sum();
    let formula = indicator.recompute.as_ref();
    let formula = formula.and_then(|recompute| Formula::parse(recompute).ok());
    let value = formula.filter(|_| known * 2.0 >= all).and_then(|formula| {
        let rows = covered.iter().map(|covered| (covered.row, covered.share));
        figure_of(&formula, level.data, rows).ok().flatten()
    });
    let is_shared = covered.iter().any(|covered| covered.share < 1.0);
    json!({
        "name": indicator.name,
        "label": indicator.label,
        "unit": indicator.unit,
        "value": value.map(figure),
        "coverage": figure((known / ground).min(1.0)),
        "estimate": indicator.estimate || is_shared,
        "source": indicator.source,
        "vintage": indicator.vintage,
        "licence": indicator.licence,
        "formula": indicator.sql,
    })
}
