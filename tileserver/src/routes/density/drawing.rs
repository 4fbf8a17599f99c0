//! `grid`, `kernel`, `denominator`: what a density tile draws.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tilecore::TileCoord;
use tilecore::dataset::columns::{Column, Numbers};
use tilecore::dataset::schema::{Combine, Indicator};
use tilecore::density::cells::CELLS_PER_EDGE;
use tilecore::density::hex::hexes_of_tile;
use tilecore::density::kernel::smooth;
use tilecore::density::spread::spread;
use tilecore::density::tile::{
    CellCount, CellShape, DENOMINATOR_MIN, count_cells, encode_cells, encode_hexes, encode_rates,
    encode_smoothed,
};
use tilecore::filter::{Filter, Table as _};
use tilecore::hinted::Hinted;

use crate::analysis::{Computed, kept};
use crate::app::App;
use crate::contacts::Contacts;
use crate::http::{HttpError, Query};
use crate::layer::{LayerRef, LevelRef};
use crate::memo::Fault;
use crate::snapshot::Snapshot;

/// Metres of a radius at most: what is farther is no neighbourhood.
const RADIUS_MAX: f64 = 100_000.0;

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Drawing {
    Cells(CellShape),
    Hexagons,
    Smoothed {
        shape: CellShape,
        radius_m: f64,
    },
    /// Contacts per 1,000 of what the areas of a level count.
    Rates {
        shape: CellShape,
        layer: usize,
        level: usize,
        property: String,
    },
}

impl Drawing {
    /// Of contacts themselves when `is_inside`; of a release there are cells only, which are no
    /// finer than they were published.
    pub(super) fn parse(
        query: &Query,
        snapshot: &Snapshot,
        is_inside: bool,
    ) -> Result<Self, HttpError> {
        let grid = query.get("grid")?;
        let shape = match grid.as_deref() {
            None | Some("point") => Some(CellShape::Point),
            Some("square") => Some(CellShape::Square),
            Some("hex") => None,
            Some(_) => return Err(HttpError::parameter("grid", "give point, square or hex")),
        };
        let kernel = query.get("kernel")?;
        if kernel.as_deref().is_some_and(|name| name != "quartic") {
            return Err(HttpError::parameter("kernel", "give quartic"));
        }
        let radius_m = query.number("radius_m")?;
        let denominator = query.get("denominator")?;
        if !is_inside {
            let closed = [
                ("grid", shape.is_none()),
                ("kernel", kernel.is_some() || radius_m.is_some()),
                ("denominator", denominator.is_some()),
            ];
            for (parameter, is_asked) in closed {
                if is_asked {
                    let detail = "of published counts there are points and squares only";
                    return Err(HttpError::parameter(parameter, detail));
                }
            }
        }
        match (shape, kernel, radius_m, denominator) {
            (None, None, None, None) => Ok(Self::Hexagons),
            (None, ..) => Err(HttpError::parameter(
                "grid",
                "hexagons are counted: give point or square with a kernel or denominator",
            )),
            (Some(shape), None, None, None) => Ok(Self::Cells(shape)),
            (Some(shape), Some(_), Some(radius_m), None) => {
                if radius_m > 0.0 && radius_m <= RADIUS_MAX {
                    return Ok(Self::Smoothed { shape, radius_m });
                }
                let detail = format!("give metres on the ground, at most {RADIUS_MAX}");
                Err(HttpError::parameter("radius_m", detail))
            }
            (_, Some(_), None, None) => Err(HttpError::parameter(
                "radius_m",
                "give the kernel's radius in metres",
            )),
            (_, None, Some(_), _) => Err(HttpError::parameter(
                "kernel",
                "give the kernel that has this radius: quartic",
            )),
            (_, Some(_), _, Some(_)) => Err(HttpError::parameter(
                "denominator",
                "rates are of cells: leave out the kernel",
            )),
            (Some(shape), None, None, Some(name)) => {
                let (layer, level, property) = denominator_of(&name, snapshot)?;
                Ok(Self::Rates {
                    shape,
                    layer,
                    level,
                    property,
                })
            }
        }
    }

    /// What features carry.
    #[must_use]
    pub(super) fn fields(&self, is_inside: bool) -> Map<String, Value> {
        let names: &[&str] = match self {
            Self::Smoothed { .. } => &["density"],
            Self::Rates { .. } => &["count", "share", "denominator", "per_1000"],
            Self::Cells(_) | Self::Hexagons if is_inside => &["count", "share"],
            // The public is told how many, not of how many.
            Self::Cells(_) | Self::Hexagons => &["count"],
        };
        let field = |name: &&str| ((*name).to_owned(), json!("Number"));
        names.iter().map(field).collect()
    }

    /// Adds what the figures mean to a description.
    pub(super) fn describe(&self, snapshot: &Snapshot, ours: &mut Value) {
        match self {
            Self::Cells(_) | Self::Hexagons => {}
            Self::Smoothed { radius_m, .. } => {
                ours["kernel"] = json!({
                    "name": "quartic",
                    "radius_m": radius_m,
                    "unit": "contacts per km² of ground",
                });
            }
            Self::Rates {
                layer,
                level,
                property,
                ..
            } => {
                let level = snapshot.layer_at(*layer).level_at(*level);
                let mut shown = level.layer.indicators();
                let indicator = shown.find(|i| i.name == *property);
                ours["denominator"] = json!({
                    "layer": level.layer.meta.name,
                    "level": level.meta.name,
                    "property": property,
                    "label": indicator.map(|i| &i.label),
                    "unit": indicator.map(|i| &i.unit),
                    "least": DENOMINATOR_MIN,
                    "estimate": true,
                    "method": "the areas' figures, shared by the ground that each area has in a cell; rates are told where they come to `least` or more",
                });
            }
        }
    }

    /// The tile, of no bytes when nobody is in it.
    pub(super) async fn draw(
        &self,
        app: &App,
        snapshot: &Arc<Snapshot>,
        contacts: &Arc<Contacts>,
        filter: &Filter,
        coord: TileCoord,
    ) -> Result<Hinted, HttpError> {
        let everybody = Filter::everything();
        let of = snapshot.passing_contacts(&app.pool, contacts, &everybody);
        let of = of.await?;
        let passing = snapshot.passing_contacts(&app.pool, contacts, filter);
        let passing = passing.await?;
        let name = &contacts.meta.name;
        Ok(match self {
            Self::Cells(shape) => {
                let cells = contacts.set.cells_of_tile(coord);
                let counts = count_cells(&cells, passing.ranked(), of.ranked());
                encode_cells(name, counts, *shape)
            }
            Self::Rates {
                shape,
                layer,
                level,
                property,
            } => {
                let cells = contacts.set.cells_of_tile(coord);
                let counts = count_cells(&cells, passing.ranked(), of.ranked());
                if counts.is_empty() {
                    return Ok(Hinted::default());
                }
                let level = snapshot.layer_at(*layer).level_at(*level);
                let base = bases(app, snapshot, level, property, coord).await?;
                let base = |cell: &CellCount| {
                    let at = usize::from(cell.y) * CELLS_PER_EDGE as usize + usize::from(cell.x);
                    base.get(at).copied().unwrap_or(0.0)
                };
                encode_rates(name, &counts, base, *shape)
            }
            Self::Hexagons => {
                let (held, passing, of) = (Arc::clone(contacts), passing, of);
                let count =
                    move || hexes_of_tile(held.set.keys(), coord, passing.ranked(), of.ranked());
                encode_hexes(name, &app.pool.run(count).await?)
            }
            Self::Smoothed { shape, radius_m } => {
                let (held, radius_m) = (Arc::clone(contacts), *radius_m);
                let work = move || smooth(held.set.keys(), coord, passing.ranked(), radius_m);
                let smoothed = app.pool.run(work).await?.ok_or_else(|| {
                    let detail = "the radius reaches over too many tiles of this zoom";
                    HttpError::parameter("radius_m", detail)
                })?;
                encode_smoothed(name, &smoothed, *shape)
            }
        })
    }
}

/// `layer.property`, or `property` of the first layer that has it: an indicator that adds up, at
/// the finest level that has it.
fn denominator_of(text: &str, snapshot: &Snapshot) -> Result<(usize, usize, String), HttpError> {
    let refuse = |detail: &str| HttpError::parameter("denominator", detail);
    let (layers, name): (Vec<LayerRef<'_>>, &str) = match text.split_once('.') {
        Some((layer, name)) => (snapshot.layer(layer).into_iter().collect(), name),
        None => (snapshot.layers().collect(), text),
    };
    let has = |layer: &LayerRef<'_>| {
        let indicator = layer.indicators().find(|i| i.name == name)?;
        let mut levels = layer.levels();
        let level = levels.find(|level| level.data.level.column(name).is_some())?;
        Some((layer.number, level.number, adds_up(indicator)))
    };
    match layers.iter().find_map(has) {
        None => Err(refuse("no such indicator: give layer.indicator")),
        Some((.., false)) => Err(refuse(
            "give an indicator that is a sum: others cannot be shared",
        )),
        Some((layer, level, true)) => Ok((layer, level, name.to_owned())),
    }
}

/// Whether the figure of areas together is the sum of theirs.
fn adds_up(indicator: &Indicator) -> bool {
    indicator.recompute.as_ref().is_some_and(|recompute| {
        matches!(&recompute.components[..], [one] if one.combine == Combine::Sum
            && recompute.formula.trim() == format!("\"{}\"", one.column))
    })
}

/// What areas count, by cell of a tile.
async fn bases(
    app: &App,
    snapshot: &Arc<Snapshot>,
    level: LevelRef<'_>,
    property: &str,
    coord: TileCoord,
) -> Result<Vec<f64>, HttpError> {
    let asked = format!("{:?}", ("spread", property, coord));
    let property = property.to_owned();
    let work = move |level: LevelRef<'_>| {
        let Some(Column::Number(values)) = level.data.column(&property) else {
            return Ok(Computed::default());
        };
        let permitted = |row: usize| level.data.permits(row);
        let figures = spread(&level.data.level, values.values(), &permitted, coord)
            .map_err(|error| Fault::Broken(error.to_string()))?;
        let figures: Numbers = figures.into_iter().map(Some).collect();
        Ok(Computed::of("spread", figures))
    };
    let spread = kept(&app.pool, snapshot, level, asked, work).await?;
    Ok(match spread.columns.first().map(|named| &named.column) {
        Some(Column::Number(figures)) => figures.values().to_vec(),
        _ => Vec::new(),
    })
}
